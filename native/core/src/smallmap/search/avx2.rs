//! AVX2: eight `u32` keys in one comparison.

use super::{Batch, Kernel, Lane};
use crate::cpu::Level;
use std::arch::x86_64::{
    __m128i, __m256i, _mm_castsi128_pd, _mm_castsi128_ps, _mm_cmpeq_epi8, _mm_cmpeq_epi16, _mm_cmpeq_epi32,
    _mm_cmpeq_epi64, _mm_movemask_epi8, _mm_movemask_pd, _mm_movemask_ps, _mm_packs_epi16, _mm_set1_epi8,
    _mm_set1_epi16, _mm_set1_epi32, _mm_set1_epi64x, _mm256_castsi256_pd, _mm256_castsi256_ps,
    _mm256_castsi256_si128, _mm256_cmpeq_epi16, _mm256_cmpeq_epi32, _mm256_cmpeq_epi64,
    _mm256_extracti128_si256, _mm256_movemask_pd, _mm256_movemask_ps, _mm256_set1_epi16, _mm256_set1_epi32,
    _mm256_set1_epi64x,
};

/// Requires AVX2.
#[derive(Clone, Copy, Debug)]
pub struct Avx2;

super::x86::loads!(
    #[target_feature(enable = "avx2")]
    "v"
);

/// Loads 32 bytes.
///
/// # Safety
/// The bytes can be read.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load_32(address: *const u8) -> __m256i {
    #[cfg(not(miri))]
    {
        let vector;
        // SAFETY: this reads 32 bytes, which are readable, guaranteed by the caller, and does
        // nothing else. It is in assembly: see x86.rs.
        unsafe {
            std::arch::asm!(
                "vmovdqu {vector}, ymmword ptr [{address}]",
                address = in(reg) address,
                vector = lateout(ymm_reg) vector,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
        vector
    }
    #[cfg(miri)]
    {
        // SAFETY: the bytes are readable, guaranteed by the caller.
        unsafe { std::arch::x86_64::_mm256_set_m128i(load::<16>(address.add(16)), load::<16>(address)) }
    }
}

/// One bit for each key of 16 bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn compare<K: Lane>(keys: __m128i, key: K) -> u32 {
    let bits = key.bits().cast_signed();
    let mask = match K::BYTES {
        1 => _mm_movemask_epi8(_mm_cmpeq_epi8(keys, _mm_set1_epi8(bits as i8))),
        2 => {
            let equal = _mm_cmpeq_epi16(keys, _mm_set1_epi16(bits as i16));
            _mm_movemask_epi8(_mm_packs_epi16(equal, equal)) & 0xFF
        }
        4 => _mm_movemask_ps(_mm_castsi128_ps(_mm_cmpeq_epi32(keys, _mm_set1_epi32(bits as i32)))),
        _ => _mm_movemask_pd(_mm_castsi128_pd(_mm_cmpeq_epi64(keys, _mm_set1_epi64x(bits)))),
    };
    mask.cast_unsigned()
}

/// One bit for each key of 32 bytes. Keys of one byte never fill them.
#[inline]
#[target_feature(enable = "avx2")]
fn compare_32<K: Lane>(keys: __m256i, key: K) -> u32 {
    let bits = key.bits().cast_signed();
    let mask = match K::BYTES {
        2 => {
            let equal = _mm256_cmpeq_epi16(keys, _mm256_set1_epi16(bits as i16));
            let (low, high) = (_mm256_castsi256_si128(equal), _mm256_extracti128_si256::<1>(equal));
            _mm_movemask_epi8(_mm_packs_epi16(low, high))
        }
        4 => {
            _mm256_movemask_ps(_mm256_castsi256_ps(_mm256_cmpeq_epi32(keys, _mm256_set1_epi32(bits as i32))))
        }
        _ => _mm256_movemask_pd(_mm256_castsi256_pd(_mm256_cmpeq_epi64(keys, _mm256_set1_epi64x(bits)))),
    };
    mask.cast_unsigned()
}

impl Kernel for Avx2 {
    const LEVEL: Level = Level::Avx2;

    #[inline(always)]
    unsafe fn matches<K: Lane, const LANES: usize>(keys: *const K, key: K) -> u32 {
        let keys = keys.cast::<u8>();
        // SAFETY: the processor has AVX2 and the `LANES` keys are readable, guaranteed by the
        // caller; all loads are within them.
        unsafe {
            match LANES * K::BYTES {
                2 => compare(load::<2>(keys), key) & ((1 << LANES) - 1),
                4 => compare(load::<4>(keys), key) & ((1 << LANES) - 1),
                8 => compare(load::<8>(keys), key) & ((1 << LANES) - 1),
                16 => compare(load::<16>(keys), key),
                bytes => {
                    let mut mask = 0;
                    for vector in 0..bytes / 32 {
                        mask |= compare_32(load_32(keys.add(vector * 32)), key) << (vector * (32 / K::BYTES));
                    }
                    mask
                }
            }
        }
    }
}

/// A batch compiled for AVX2.
///
/// # Safety
/// The processor has the instructions of [`Level::Avx2`].
#[target_feature(enable = "avx2,bmi2,popcnt")]
pub(super) unsafe fn run<B: Batch>(batch: B) -> B::Output {
    // SAFETY: the processor has the instructions, guaranteed by the caller.
    unsafe { batch.run::<Avx2>() }
}
