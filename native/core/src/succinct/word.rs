//! Bits inside one 64-bit word.
//!
//! With POPCNT and BMI2, counting and finding ones take one instruction each. In portable code they
//! take a dozen or two. A kernel is therefore written once, generic over [`Words`], and compiled
//! twice:
//!
//! ```text
//! #[inline(always)]
//! fn select_with<W: Words>(words: W, …) { … words.select(word, k) … word.count_ones() … }
//!
//! #[target_feature(enable = "bmi1,bmi2,lzcnt,popcnt")]
//! fn select_bmi(words: Bmi, …) { select_with(words, …) }  // `count_ones` is POPCNT here
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
//! AArch64 has vector instructions for counting, which the compiler uses by itself, and none for
//! select.

/// A method of finding ones in a word. A value of an implementing type proves that the processor
/// has the required instructions.
pub trait Words: Copy {
    /// The position of the k-th one of `word`, counted from 0; 64 if there are at most `k`. `k` is
    /// below 64.
    fn select(self, word: u64, k: u32) -> u32;
}

/// Plain arithmetic.
#[derive(Clone, Copy, Debug)]
pub struct Portable;

/// `PDEP` and `TZCNT`.
///
/// AMD's processors before Zen 3 implement `PDEP` in microcode, which takes longer the more ones
/// the mask has.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub struct Bmi(());

#[cfg(target_arch = "x86_64")]
impl Bmi {
    /// Returns a value if this processor has BMI1, BMI2, LZCNT and POPCNT. Takes one load and one
    /// comparison.
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

/// The low bit of each byte.
const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = ONES << 7;

/// `IN_BYTE[byte + 256 * k]` is the position of the k-th one of a byte.
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
    /// Vigna, "Broadword implementation of rank/select queries", 2008: finds the byte by comparing
    /// all eight running sums at once, and the bit by a table.
    #[inline(always)]
    fn select(self, word: u64, k: u32) -> u32 {
        debug_assert!(k < 64);
        let pairs = word - (word >> 1 & (ONES * 0x55));
        let nibbles = (pairs & (ONES * 0x33)) + (pairs >> 2 & (ONES * 0x33));
        // Byte i is the number of ones in bytes 0 to i.
        let sums = ((nibbles + (nibbles >> 4)) & (ONES * 0x0F)).wrapping_mul(ONES);
        // The high bit of byte i states whether that number is at most k.
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
        // SAFETY: a value of this type exists only if `get` found the instructions.
        unsafe { std::arch::x86_64::_pdep_u64(1 << (k & 63), word) }.trailing_zeros()
    }
}

/// The position of the k-th one of `word`, counted from 0; 64 if there are at most `k`. `k` is
/// below 64.
///
/// In a loop, compile the whole loop twice instead, as described at the top of this file.
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
    fn all_implementations_find_the_same_one() {
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
