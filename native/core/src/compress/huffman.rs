//! Length-limited canonical Huffman codes, read from the lowest bit on.
//!
//! The package-merge algorithm (Larmore and Hirschberg, "A fast algorithm for optimal
//! length-limited Huffman codes", 1990) computes the lengths. It is optimal: a more frequent symbol
//! never has a longer code. The codes are canonical, so they follow from the lengths. Their bits
//! are reversed, because the reader takes them from the low end of a word.

use super::memory::try_vec;
use crate::{Error, Result};

/// The length of the longest possible code.
pub(crate) const MAX_BITS: u32 = 14;

/// The lengths of an optimal code for the frequencies, at most `most` bits; 0 for a frequency of 0.
/// A lone symbol gets one bit, so that every symbol consumes input. If there are more than 2^`most`
/// symbols, the rarest get no code.
pub(crate) fn code_lengths(frequencies: &[u64], most: u32) -> Result<Vec<u8>> {
    let mut lengths = try_vec(frequencies.len(), 0u8)?;
    let mut leaves: Vec<(u64, u32)> = Vec::new();
    leaves.try_reserve_exact(frequencies.len())?;
    leaves.extend(frequencies.iter().zip(0u32..).filter(|&(&f, _)| f > 0).map(|(&f, i)| (f, i)));
    if leaves.len() <= 1 {
        for &(_, symbol) in &leaves {
            lengths[symbol as usize] = 1;
        }
        return Ok(lengths);
    }
    leaves.sort_unstable();
    leaves.drain(..leaves.len().saturating_sub(1 << most));
    // A package is represented by its weight alone. The symbols in it follow from the number of
    // lightest leaves that were taken at each level: the choice at a level is always a prefix of
    // its merged list, so counting the leaves in prefixes is enough.
    let n = leaves.len();
    let mut levels: Vec<Vec<bool>> = Vec::new();
    levels.try_reserve_exact(most as usize)?;
    let (mut packages, mut merged) = (Vec::new(), Vec::new());
    packages.try_reserve_exact(n)?;
    merged.try_reserve_exact(2 * n)?;
    for _ in 0..most {
        let mut is_leaf = Vec::new();
        is_leaf.try_reserve_exact(n + packages.len())?;
        merged.clear();
        let (mut leaf, mut package) = (0, 0);
        while leaf < n || package < packages.len() {
            let take_leaf = package == packages.len() || leaf < n && leaves[leaf].0 <= packages[package];
            is_leaf.push(take_leaf);
            if take_leaf {
                merged.push(leaves[leaf].0);
                leaf += 1;
            } else {
                merged.push(packages[package]);
                package += 1;
            }
        }
        packages.clear();
        packages.extend(merged.chunks_exact(2).map(|pair: &[u64]| pair[0].saturating_add(pair[1])));
        levels.push(is_leaf);
    }
    let mut take = 2 * n - 2;
    for is_leaf in levels.iter().rev() {
        let taken = is_leaf[..take].iter().filter(|&&leaf| leaf).count();
        for &(_, symbol) in &leaves[..taken] {
            lengths[symbol as usize] += 1;
        }
        take = 2 * (take - taken);
    }
    Ok(lengths)
}

/// The codes for the lengths, with reversed bits. `Corrupt` unless the lengths form a complete
/// prefix code, or there is no symbol or only one.
pub(crate) fn codes(lengths: &[u8]) -> Result<Vec<u16>> {
    let mut count = [0u32; MAX_BITS as usize + 1];
    for &length in lengths {
        if u32::from(length) > MAX_BITS {
            return Err(Error::corrupt(format!("a code has {length} bits, more than {MAX_BITS}")));
        }
        count[length as usize] += 1;
    }
    count[0] = 0;
    let mut next = [0u32; MAX_BITS as usize + 2];
    let mut code = 0u32;
    for bits in 1..=MAX_BITS as usize {
        next[bits] = code;
        code = (code + count[bits]) << 1;
    }
    let symbols: u32 = count.iter().sum();
    let lone = symbols == 1 && count[1] == 1;
    if symbols != 0 && !lone && code != 1 << (MAX_BITS + 1) {
        return Err(Error::corrupt("the code lengths do not form a complete prefix code"));
    }
    let mut codes = try_vec(lengths.len(), 0u16)?;
    for (slot, &length) in codes.iter_mut().zip(lengths) {
        if length > 0 {
            let code = next[length as usize];
            next[length as usize] += 1;
            *slot = (code as u16).reverse_bits() >> (16 - u32::from(length));
        }
    }
    Ok(codes)
}

/// Calls `put` with each index of the decoding table of `bits` bits, and the symbol whose code the
/// index begins with. A lone symbol has all indices.
pub(crate) fn each_entry(lengths: &[u8], bits: u32, mut put: impl FnMut(usize, usize)) -> Result<()> {
    let lone = lengths.iter().filter(|&&length| length > 0).count() == 1;
    for (symbol, (code, &length)) in codes(lengths)?.into_iter().zip(lengths).enumerate() {
        if length > 0 {
            let step = if lone { 1 } else { 1 << length };
            (usize::from(code)..1 << bits).step_by(step).for_each(|at| put(at, symbol));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn assigns_short_codes_to_frequent_symbols() {
        let lengths = code_lengths(&[1000, 1, 500, 3, 0, 250], MAX_BITS).unwrap();
        assert_eq!(lengths, [1, 4, 2, 4, 0, 3]);
    }

    #[test]
    fn handles_fewer_than_three_symbols() {
        assert_eq!(code_lengths(&[], MAX_BITS).unwrap(), []);
        assert_eq!(code_lengths(&[0, 0], MAX_BITS).unwrap(), [0, 0]);
        assert_eq!(code_lengths(&[0, 7], MAX_BITS).unwrap(), [0, 1]);
        assert_eq!(code_lengths(&[9, 7], MAX_BITS).unwrap(), [1, 1]);
    }

    #[test]
    fn limits_the_code_length_for_fibonacci_frequencies() {
        let mut fibonacci = vec![1u64, 1];
        for i in 2..60 {
            fibonacci.push(fibonacci[i - 1] + fibonacci[i - 2]);
        }
        for most in [6, 11, 14] {
            let lengths = code_lengths(&fibonacci, most).unwrap();
            assert_eq!(lengths.iter().max(), Some(&(most as u8)));
            codes(&lengths).unwrap();
        }
        let lengths = code_lengths(&fibonacci, 5).unwrap();
        assert_eq!(lengths.iter().take_while(|&&length| length == 0).count(), 60 - 32);
        codes(&lengths).unwrap();
    }

    #[test]
    fn rejects_lengths_that_form_no_code() {
        for bad in [&[1, 1, 1][..], &[2, 2], &[16], &[1, 2], &[14]] {
            assert!(codes(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
            #[test]
    fn codes_are_complete_and_ordered_by_frequency(
                frequencies in proptest::collection::vec(0u64..1 << 40, 2..600),
            ) {
                let lengths = code_lengths(&frequencies, MAX_BITS).unwrap();
                for (i, &a) in frequencies.iter().enumerate() {
                    prop_assert_eq!(a == 0, lengths[i] == 0);
                    for (j, &b) in frequencies.iter().enumerate().skip(i + 1) {
                        prop_assert!(!(a > b && b > 0 && lengths[i] > lengths[j]));
                    }
                }
                let mut table = vec![usize::MAX; 1 << MAX_BITS];
                each_entry(&lengths, MAX_BITS, |at, symbol| {
                    assert_eq!(std::mem::replace(&mut table[at], symbol), usize::MAX);
                }).unwrap();
                for (symbol, &code) in codes(&lengths).unwrap().iter().enumerate() {
                    prop_assert!(lengths[symbol] == 0 || table[usize::from(code)] == symbol);
                }
                prop_assert!(!table.contains(&usize::MAX) || lengths.iter().all(|&length| length == 0));
            }
        }
}
