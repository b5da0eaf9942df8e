//! Bits inside one 64-bit word.
//!
//! Counting and finding ones takes one instruction each where the processor has POPCNT and BMI2,
//! and a dozen or two in portable code. A kernel is therefore written once, generic over [`Words`],
//! and compiled twice:
//!
//! ```text
//! #[inline(always)]
//! fn select_with<W: Words>(words: W, …) { … words.select(word, k) … word.count_ones() … }
//!
//! #[target_feature(enable = "bmi1,bmi2,lzcnt,popcnt")]
//! fn select_bmi(words: Bmi, …) { select_with(words, …) }       // here `count_ones` is POPCNT as well
//!
//! fn select(…) {
//!     #[cfg(target_arch = "x86_64")]
//!     if let Some(words) = Bmi::get() {
//!         return unsafe { select_bmi(words, …) };
//!     }
//!     select_with(Portable, …)
//! }
//! ```
//!
//! AArch64 has vector instructions that count, which the compiler uses by itself, and none that
//! select.

/// A way to find ones in a word. A value of it is the proof that the processor has what it takes.
pub trait Words: Copy {
    /// The position of the k-th one of `word`, counted from 0; 64 if there are no more than `k`.
    /// `k` is below 64.
    fn select(self, word: u64, k: u32) -> u32;
}

/// Ordinary arithmetic.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

/// `PDEP` and `TZCNT`.
///
/// AMD's processors before Zen 3 have `PDEP` in microcode, which takes longer the more ones the
/// word has.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub struct Bmi(());

#[cfg(target_arch = "x86_64")]
impl Bmi {
    /// If this processor has BMI1, BMI2, LZCNT and POPCNT. Costs a load and a comparison.
    #[inline(always)]
    #[must_use]
    pub fn get() -> Option<Bmi> {
        let has = is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("lzcnt")
            && is_x86_feature_detected!("popcnt");
        has.then_some(Bmi(()))
    }
}

/// Bytes of ones.
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = ONES << 7;

/// `IN_BYTE[byte + 256 * k]`: where the k-th one of a byte is.
const IN_BYTE: [u8; 2048] = {
    let mut table = [0; 2048];
    let mut byte = 0;
    while byte < 256 {
        let (mut bit, mut k) = (0, 0);
        while bit < 8 {
            if byte >> bit & 1 == 1 {
                table[byte + 256 * k] = bit as u8;
                k += 1;
            }
            bit += 1;
        }
        byte += 1;
    }
    table
};

impl Words for Portable {
    /// Vigna, "Broadword implementation of rank/select queries", 2008: the byte by comparing all
    /// eight running sums at once, the bit by a table.
    #[inline(always)]
    fn select(self, word: u64, k: u32) -> u32 {
        debug_assert!(k < 64);
        let pairs = word - (word >> 1 & (ONES * 0x55));
        let nibbles = (pairs & (ONES * 0x33)) + (pairs >> 2 & (ONES * 0x33));
        // Byte i: how many ones there are in bytes 0 to i.
        let sums = ((nibbles + (nibbles >> 4)) & (ONES * 0x0F)).wrapping_mul(ONES);
        // The high bit of byte i: whether that is at most k.
        let passed = ((u64::from(k & 63) * ONES) | HIGH).wrapping_sub(sums) & HIGH;
        let place = passed.count_ones() * 8;
        if place == 64 {
            return 64;
        }
        let before = (sums << 8) >> place & 0xFF;
        let byte = word >> place & 0xFF;
        let index = byte + 256 * (u64::from(k) - before);
        place + u32::from(IN_BYTE[index as usize & 2047])
    }
}

#[cfg(target_arch = "x86_64")]
impl Words for Bmi {
    #[inline(always)]
    fn select(self, word: u64, k: u32) -> u32 {
        debug_assert!(k < 64);
        // SAFETY: a value of this type exists only where `get` found the instructions.
        unsafe { std::arch::x86_64::_pdep_u64(1 << (k & 63), word) }.trailing_zeros()
    }
}

/// The position of the k-th one of `word`, counted from 0; 64 if there are no more than `k`. `k` is
/// below 64.
///
/// In a loop, rather compile the loop twice: see the head of this file.
#[inline]
#[must_use]
pub fn select_in_word(word: u64, k: u32) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if let Some(bmi) = Bmi::get() {
        return bmi.select(word, k);
    }
    Portable.select(word, k)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(word: u64, k: u32) -> u32 {
        (0..64).filter(|bit| word >> bit & 1 == 1).nth(k as usize).unwrap_or(64)
    }

    fn samples() -> impl Iterator<Item = u64> {
        let mut state = 0x9E37_79B9_7F4A_7C15u64;
        let mut random = move || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let special = [0, 1, 1 << 63, u64::MAX, u64::MAX >> 1, ONES, HIGH, ONES * 0x55, 0xFF, 0xFF << 56];
        let mixed = (0..2000).map(move |i| match i % 4 {
            0 => random(),
            1 => random() & random() & random(),
            2 => random() | random() | random(),
            _ => 1 << (random() & 63),
        });
        special.into_iter().chain(mixed)
    }

    #[test]
    fn every_way_finds_the_same_one() {
        for word in samples() {
            for k in 0..64 {
                let position = expected(word, k);
                assert_eq!(Portable.select(word, k), position, "{word:#x} {k}");
                assert_eq!(select_in_word(word, k), position, "{word:#x} {k}");
                #[cfg(target_arch = "x86_64")]
                if let Some(bmi) = Bmi::get() {
                    assert_eq!(bmi.select(word, k), position, "{word:#x} {k}");
                }
            }
        }
    }
}
