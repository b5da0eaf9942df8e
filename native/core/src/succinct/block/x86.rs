//! x86-64: POPCNT and PDEP on words, AVX2 on the tables, and AVX-512 on whole blocks.
//!
//! `select` uses Vigna's broadword search over seven 9-bit running sums ("Broadword implementation
//! of rank/select queries", 2008), which one multiplication computes from the eight counts.

use super::portable::{counts_passed, entries_passed, load};
use super::{Block, WORDS};
use crate::cpu::{Features, Level};
use crate::succinct::word::{Bmi, Portable, Words};
use std::arch::x86_64::*;

/// POPCNT, BMI1, BMI2, LZCNT and AVX2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2 {
    words: Bmi,
    /// Whether PDEP is implemented in hardware rather than in microcode.
    pdep: bool,
}

/// AVX-512 F, BW, DQ, VL and VPOPCNTDQ, and the instructions of [`Avx2`]. All processors with these
/// have a fast PDEP.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512 {
    words: Bmi,
}

impl Avx2 {
    #[inline]
    pub(super) fn get() -> Option<Avx2> {
        let words = Bmi::get()?;
        (Features::get().level() >= Level::Avx2).then(|| Avx2 { words, pdep: crate::cpu::pdep_is_fast() })
    }

    /// With and without PDEP.
    #[cfg(test)]
    pub(super) fn all() -> impl Iterator<Item = Avx2> {
        Avx2::get().into_iter().flat_map(|tier| [true, false].map(|pdep| Avx2 { pdep, ..tier }))
    }

    #[inline(always)]
    fn select_word(self, word: u64, k: u32) -> u32 {
        if self.pdep { self.words.select(word, k) } else { Words::select(Portable, word, k) }
    }
}

impl Avx512 {
    #[inline]
    pub(super) fn get() -> Option<Avx512> {
        let words = Bmi::get()?;
        let features = Features::get();
        (features.level() >= Level::Avx512 && features.has(Features::AVX512VPOPCNTDQ))
            .then_some(Avx512 { words })
    }
}

impl Block for Avx2 {
    /// There is no branch on `bits`, which is unpredictable: all eight words are counted, and the
    /// bits past the end are masked.
    #[inline(always)]
    unsafe fn rank(self, block: *const u64, bits: u32) -> u32 {
        /// From entry 8 − n on: n words with all bits set, then zeros.
        static MASKS: [u64; 2 * WORDS] = {
            let mut masks = [0; 2 * WORDS];
            let mut i = 0;
            while i < WORDS {
                masks[i] = u64::MAX;
                i += 1;
            }
            masks
        };
        let full = (bits as usize / 64) & (WORDS - 1);
        let masks = &MASKS[WORDS - full..2 * WORDS - full];
        let mut count = 0;
        for (i, mask) in masks.iter().enumerate() {
            // SAFETY: the word is within the block.
            count += (unsafe { load(block, i) } & mask).count_ones();
        }
        // SAFETY: the eight entries are within `MASKS`.
        count + (unsafe { load(block, full) } & ((1 << (bits % 64)) - 1)).count_ones()
    }

    #[inline(always)]
    unsafe fn select<const ZEROS: bool>(self, block: *const u64, k: u32) -> u32 {
        // SAFETY: the words are within the block.
        let word = |i: usize| unsafe { if ZEROS { !load(block, i) } else { load(block, i) } };
        let (mut index, mut before, mut sum) = (0, 0, 0);
        for i in 0..WORDS - 1 {
            sum += word(i).count_ones();
            let passed = sum <= k;
            index += usize::from(passed);
            before = if passed { sum } else { before };
        }
        let k = (k - before) & 63;
        index as u32 * 64 + self.select_word(word(index), k).min(63)
    }

    /// The seven 12-bit counts in 16-bit lanes: `pshufb` moves the bytes, and odd counts are
    /// shifted into place.
    #[inline(always)]
    unsafe fn counts_passed<const ZEROS: bool>(self, entry: *const u64, k: u32) -> u32 {
        if cfg!(miri) {
            // SAFETY: the entry is readable and aligned, as guaranteed by the caller.
            return unsafe { counts_passed::<ZEROS>(entry, k) };
        }
        // SAFETY: the entry is readable, as guaranteed by the caller; SSE4.1 is part of the tier.
        unsafe {
            let entry = _mm_loadu_si128(entry.cast());
            // Field i begins at bit 32 + 12 i, in byte 4 + 3 i / 2. Lane 0 is not a count.
            let lanes = _mm_setr_epi8(-1, -1, 5, 6, 7, 8, 8, 9, 10, 11, 11, 12, 13, 14, 14, 15);
            let lanes = _mm_shuffle_epi8(entry, lanes);
            // Even fields are the low 12 bits of their lane, odd ones the high 12 bits.
            let lanes = _mm_mullo_epi16(lanes, _mm_setr_epi16(16, 1, 16, 1, 16, 1, 16, 1));
            let ones = _mm_srli_epi16::<4>(lanes);
            let before = if ZEROS {
                _mm_sub_epi16(_mm_setr_epi16(0, 512, 1024, 1536, 2048, 2560, 3072, 3584), ones)
            } else {
                ones
            };
            let above = _mm_cmpgt_epi16(before, _mm_set1_epi16(k as i16));
            // Lane 0 is 0, so it is never above.
            8 - 1 - (_mm_movemask_epi8(above) as u32).count_ones() / 2
        }
    }

    #[inline(always)]
    unsafe fn entries_passed<const ZEROS: bool>(self, entries: *const u64, first: u64, k: u64) -> u32 {
        // SAFETY: the entries are readable and aligned, as guaranteed by the caller.
        unsafe { entries_passed::<ZEROS>(entries, first, k) }
    }
}

/// Fields of 9 bits: the lowest and the highest bit of each.
const LOW9: u64 = 1 | 1 << 9 | 1 << 18 | 1 << 27 | 1 << 36 | 1 << 45 | 1 << 54;
const HIGH9: u64 = LOW9 << 8;

impl Avx512 {
    /// The position of the `k`-th one, given the number of ones in each word, one byte for each.
    ///
    /// # Safety
    /// The processor supports BMI2, and `word` may be called with 0 to 7.
    #[inline(always)]
    unsafe fn select_by_counts(self, counts: u64, k: u32, word: impl Fn(usize) -> u64) -> u32 {
        // Running sums of the first seven words, at most 448 each, in fields of 9 bits.
        // SAFETY: the processor supports BMI2, as guaranteed by the caller.
        let sums = unsafe { _pdep_u64(counts, LOW9 * 0xFF) }.wrapping_mul(LOW9) & (u64::MAX >> 1);
        let wanted = u64::from(k) * LOW9;
        // The high bit of each field states whether the sum is at most k.
        let differ = (wanted | HIGH9).wrapping_sub(sums & !HIGH9) | (sums ^ wanted);
        let passed = (differ ^ (sums & !wanted)) & HIGH9;
        let index = passed.count_ones();
        let before = ((u128::from(sums) << 9 >> (9 * index)) & 0x1FF) as u32;
        index * 64
            + self.words.select(word(index as usize & (WORDS - 1)), k.wrapping_sub(before) & 63).min(63)
    }
}

impl Block for Avx512 {
    #[inline(always)]
    unsafe fn rank(self, block: *const u64, bits: u32) -> u32 {
        // SAFETY: the tier proves the instructions, and the block is readable as guaranteed by the
        // caller.
        unsafe {
            // Whole words are selected by a mask of lanes, which is available sooner than a mask of
            // bits. The rest of the last word is counted separately.
            let full = (bits / 64) & 7;
            let whole = _mm512_maskz_loadu_epi64(_bzhi_u32(0xFF, full) as u8, block.cast());
            let counts = _mm512_cvtepi64_epi8(_mm512_popcnt_epi64(whole));
            let sums = _mm_sad_epu8(counts, _mm_setzero_si128());
            let rest = _bzhi_u64(load(block, full as usize), bits % 64).count_ones();
            _mm_cvtsi128_si32(sums).cast_unsigned() + rest
        }
    }

    #[inline(always)]
    unsafe fn select<const ZEROS: bool>(self, block: *const u64, k: u32) -> u32 {
        // SAFETY: as above.
        unsafe {
            let words = _mm512_loadu_si512(block.cast());
            let words = if ZEROS { _mm512_xor_si512(words, _mm512_set1_epi64(-1)) } else { words };
            let counts = _mm_cvtsi128_si64(_mm512_cvtepi64_epi8(_mm512_popcnt_epi64(words)));
            let word = |i: usize| if ZEROS { !load(block, i) } else { load(block, i) };
            self.select_by_counts(counts.cast_unsigned(), k, word)
        }
    }

    #[inline(always)]
    unsafe fn counts_passed<const ZEROS: bool>(self, entry: *const u64, k: u32) -> u32 {
        // SAFETY: the entry is readable and aligned, as guaranteed by the caller.
        unsafe { Avx2 { words: self.words, pdep: true }.counts_passed::<ZEROS>(entry, k) }
    }

    #[inline(always)]
    unsafe fn entries_passed<const ZEROS: bool>(self, entries: *const u64, first: u64, k: u64) -> u32 {
        // SAFETY: the tier proves the instructions, and the entries are readable as guaranteed by
        // the caller.
        unsafe {
            let left = _mm512_loadu_si512(entries.cast());
            let right = _mm512_loadu_si512(entries.add(WORDS).cast());
            let even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
            let low = _mm512_permutex2var_epi64(left, even, right);
            let ones = _mm512_and_si512(low, _mm512_set1_epi64((1 << 44) - 1));
            let before = if ZEROS {
                let numbers = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
                let numbers = _mm512_add_epi64(numbers, _mm512_set1_epi64(first.cast_signed()));
                _mm512_sub_epi64(_mm512_slli_epi64::<12>(numbers), ones)
            } else {
                ones
            };
            u32::from(_mm512_cmple_epu64_mask(before, _mm512_set1_epi64(k.cast_signed()))).count_ones()
        }
    }
}
