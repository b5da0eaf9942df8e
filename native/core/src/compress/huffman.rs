//! Length-limited Huffman codes, canonical, to be read from the lowest bit on.
//!
//! Lengths come from the package-merge algorithm (Larmore and Hirschberg, "A fast algorithm for optimal length-limited
//! Huffman codes", 1990), which is optimal: no more frequent symbol ever has a longer code. The code itself is canonical
//! (it follows from the lengths), and bits are reversed, because the reader takes them from the low end of a word.

use crate::{Error, Result};

/// The longest code.
pub(crate) const MAX_BITS: u32 = 15;
/// Codes up to this length are found by one look into a table.
pub(crate) const DIRECT_BITS: u32 = 10;

/// Lengths of an optimal code for the frequencies, at most [`MAX_BITS`] bits; 0 for a frequency of 0. A lone symbol gets one
/// bit, so that every symbol moves the reader on.
pub(crate) fn code_lengths(frequencies: &[u64]) -> Result<Vec<u8>> {
    let mut lengths = try_vec(frequencies.len(), 0u8)?;
    let mut leaves: Vec<(u64, u32)> = Vec::new();
    leaves.try_reserve_exact(frequencies.len()).map_err(|_| Error::oom("out of memory for a code"))?;
    leaves.extend(frequencies.iter().zip(0u32..).filter(|&(&f, _)| f > 0).map(|(&f, i)| (f, i)));
    if leaves.len() <= 1 {
        for &(_, symbol) in &leaves {
            lengths[symbol as usize] = 1;
        }
        return Ok(lengths);
    }
    debug_assert!(leaves.len() <= 1 << MAX_BITS);
    leaves.sort_unstable();
    // A package is its weight and, in place of the symbols in it, how many of the lightest leaves it and its like take at
    // each level: a level's choice is always a prefix of its merged list, so counting leaves in prefixes is enough.
    let n = leaves.len();
    let mut levels: Vec<Vec<bool>> = Vec::with_capacity(MAX_BITS as usize);
    let mut packages: Vec<u64> = Vec::new();
    for _ in 0..MAX_BITS {
        let mut merged = Vec::with_capacity(n + packages.len());
        let mut is_leaf = Vec::with_capacity(n + packages.len());
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
        packages = merged.chunks_exact(2).map(|pair| pair[0].saturating_add(pair[1])).collect();
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

/// A zeroed-like vector, or `Oom`.
pub(crate) fn try_vec<T: Clone>(len: usize, value: T) -> Result<Vec<T>> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(len).map_err(|_| Error::oom("out of memory for compression tables"))?;
    vec.resize(len, value);
    Ok(vec)
}

/// The codes that belong to lengths, their bits reversed. `Corrupt` unless the lengths make a complete prefix code (or are
/// those of no symbol, or of a lone one).
pub(crate) fn codes(lengths: &[u8]) -> Result<Vec<u16>> {
    let mut count = [0u32; MAX_BITS as usize + 1];
    for &length in lengths {
        if u32::from(length) > MAX_BITS {
            return Err(Error::corrupt(format!("a code of {length} bits")));
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
        return Err(Error::corrupt("code lengths that make no prefix code"));
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

/// An entry of a decoding table. Bits 0 to 5 are the code's length, 6 to 17 the symbol, the rest what the caller says. A
/// length of 0 says that longer codes begin so: then bits 6 to 17 are where their table starts, in units of 32 entries
/// behind where those of this code do, and it is indexed with the next five bits; all ones that none does.
///
/// The length lies lowest because a shift by a register takes just those bits.
pub(crate) type Entry = u32;
pub(crate) const SYMBOL_SHIFT: u32 = 6;
pub(crate) const SYMBOL_MASK: u32 = (1 << 12) - 1;
/// Where no code leads.
pub(crate) const NOWHERE: Entry = SYMBOL_MASK << SYMBOL_SHIFT;
/// Entries of a table for longer codes.
pub(crate) const SUB: usize = 1 << (MAX_BITS - DIRECT_BITS);

/// Bits of an entry's code.
#[inline(always)]
pub(crate) const fn entry_length(entry: Entry) -> u32 {
    entry & 63
}

/// The symbol of an entry.
#[inline(always)]
pub(crate) const fn entry_symbol(entry: Entry) -> usize {
    (entry >> SYMBOL_SHIFT & SYMBOL_MASK) as usize
}

/// Builds the decoding table of one code into `direct` (`1 << DIRECT_BITS` entries), longer codes at the end of `long`.
/// `extra` is added to the entry of a symbol.
pub(crate) fn build_table(
    lengths: &[u8],
    direct: &mut [Entry],
    long: &mut Vec<Entry>,
    extra: impl Fn(usize) -> Entry,
) -> Result<()> {
    let codes = codes(lengths)?;
    let first = long.len();
    direct.fill(NOWHERE);
    for (symbol, (&code, &length)) in codes.iter().zip(lengths).enumerate() {
        let bits = u32::from(length);
        if bits == 0 {
            continue;
        }
        let entry = bits | (symbol as u32) << SYMBOL_SHIFT | extra(symbol);
        let low = code as usize & (direct.len() - 1);
        if bits <= DIRECT_BITS {
            for slot in direct[low..].iter_mut().step_by(1 << bits) {
                *slot = entry;
            }
            continue;
        }
        // At least two symbols share such a table, so there are fewer than the 4,095 that can be told apart.
        if direct[low] == NOWHERE {
            long.try_reserve(SUB).map_err(|_| Error::oom("out of memory for compression tables"))?;
            direct[low] = (((long.len() - first) / SUB) as u32) << SYMBOL_SHIFT;
            long.resize(long.len() + SUB, NOWHERE);
        }
        let start = first + entry_symbol(direct[low]) * SUB;
        let high = code as usize >> DIRECT_BITS;
        for slot in long[start..start + SUB][high..].iter_mut().step_by(1 << (bits - DIRECT_BITS)) {
            *slot = entry;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn frequent_symbols_have_short_codes() {
        let lengths = code_lengths(&[1000, 1, 500, 3, 0, 250]).unwrap();
        assert_eq!(lengths, [1, 4, 2, 4, 0, 3]);
    }

    #[test]
    fn few_symbols() {
        assert_eq!(code_lengths(&[]).unwrap(), []);
        assert_eq!(code_lengths(&[0, 0]).unwrap(), [0, 0]);
        assert_eq!(code_lengths(&[0, 7]).unwrap(), [0, 1]);
        assert_eq!(code_lengths(&[9, 7]).unwrap(), [1, 1]);
    }

    #[test]
    fn fibonacci_frequencies_stay_within_the_limit() {
        let mut fibonacci = vec![1u64, 1];
        for i in 2..60 {
            fibonacci.push(fibonacci[i - 1] + fibonacci[i - 2]);
        }
        let lengths = code_lengths(&fibonacci).unwrap();
        assert_eq!(lengths.iter().max(), Some(&15));
        codes(&lengths).unwrap();
    }

    #[test]
    fn lengths_that_make_no_code_are_refused() {
        for bad in [&[1, 1, 1][..], &[2, 2], &[16], &[1, 2], &[15]] {
            assert!(codes(bad).is_err(), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn the_code_is_complete_and_in_the_order_of_frequency(
            frequencies in proptest::collection::vec(0u64..1 << 40, 2..600),
        ) {
            let lengths = code_lengths(&frequencies).unwrap();
            for (i, &a) in frequencies.iter().enumerate() {
                prop_assert_eq!(a == 0, lengths[i] == 0);
                for (j, &b) in frequencies.iter().enumerate().skip(i + 1) {
                    prop_assert!(!(a > b && b > 0 && lengths[i] > lengths[j]));
                }
            }
            let codes = codes(&lengths).unwrap();
            let (mut direct, mut long) = (vec![0; 1 << DIRECT_BITS], Vec::new());
            build_table(&lengths, &mut direct, &mut long, |_| 0).unwrap();
            for (symbol, &length) in lengths.iter().enumerate().filter(|&(_, &length)| length > 0) {
                let mut entry = direct[codes[symbol] as usize % direct.len()];
                if entry_length(entry) == 0 {
                    entry = long[entry_symbol(entry) * SUB + (codes[symbol] as usize >> DIRECT_BITS)];
                }
                prop_assert_eq!((entry_symbol(entry), entry_length(entry)), (symbol, u32::from(length)));
            }
        }
    }
}
