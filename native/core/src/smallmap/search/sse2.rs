//! SSE2, part of x86-64: four `u32` keys in one comparison.

use super::{Kernel, Lane};
use crate::cpu::Level;
use std::arch::x86_64::{
    __m128i, _mm_and_si128, _mm_castsi128_pd, _mm_castsi128_ps, _mm_cmpeq_epi8, _mm_cmpeq_epi16,
    _mm_cmpeq_epi32, _mm_movemask_epi8, _mm_movemask_pd, _mm_movemask_ps, _mm_packs_epi16, _mm_set1_epi8,
    _mm_set1_epi16, _mm_set1_epi32, _mm_set1_epi64x, _mm_shuffle_epi32,
};

/// Requires only the base instruction set of x86-64.
#[derive(Clone, Copy, Debug)]
pub struct Sse2;

super::x86::loads!("");

/// One bit for each key of a vector.
#[inline(always)]
fn compare<K: Lane>(keys: __m128i, key: K) -> u32 {
    let bits = key.bits().cast_signed();
    // SAFETY: SSE2 is part of x86-64.
    let mask = unsafe {
        match K::BYTES {
            1 => _mm_movemask_epi8(_mm_cmpeq_epi8(keys, _mm_set1_epi8(bits as i8))),
            2 => {
                let equal = _mm_cmpeq_epi16(keys, _mm_set1_epi16(bits as i16));
                _mm_movemask_epi8(_mm_packs_epi16(equal, equal)) & 0xFF
            }
            4 => _mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(keys, _mm_set1_epi32(bits as i32)))),
            _ => {
                // Keys are equal if both halves are; SSE2 has no 64-bit comparison.
                let halves = _mm_cmpeq_epi32(keys, _mm_set1_epi64x(bits));
                let swapped = _mm_shuffle_epi32::<0b10_11_00_01>(halves);
                _mm_movemask_pd(_mm_castsi128_pd(_mm_and_si128(halves, swapped)))
            }
        }
    };
    mask.cast_unsigned()
}

impl Kernel for Sse2 {
    const LEVEL: Level = Level::Sse2;

    #[inline(always)]
    unsafe fn matches<K: Lane, const LANES: usize>(keys: *const K, key: K) -> u32 {
        let keys = keys.cast::<u8>();
        // SAFETY: the `LANES` keys are readable, guaranteed by the caller; all loads are within
        // them.
        unsafe {
            match LANES * K::BYTES {
                2 => compare(load::<2>(keys), key) & ((1 << LANES) - 1),
                4 => compare(load::<4>(keys), key) & ((1 << LANES) - 1),
                8 => compare(load::<8>(keys), key) & ((1 << LANES) - 1),
                bytes => {
                    let mut mask = 0;
                    for vector in 0..bytes / 16 {
                        mask |= compare(load::<16>(keys.add(vector * 16)), key) << (vector * (16 / K::BYTES));
                    }
                    mask
                }
            }
        }
    }
}
