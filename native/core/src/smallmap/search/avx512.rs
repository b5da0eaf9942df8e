//! AVX-512 (F, BW, VL): eight `u64` or sixteen `u32` keys in one comparison, whose result is the
//! mask itself.

use super::{Batch, Kernel, Lane};
use crate::cpu::Level;
use std::arch::x86_64::{
    __m128i, __m256i, __m512i, _mm_cmpeq_epi8_mask, _mm_cmpeq_epi16_mask, _mm_cmpeq_epi32_mask,
    _mm_cmpeq_epi64_mask, _mm_set1_epi8, _mm_set1_epi16, _mm_set1_epi32, _mm_set1_epi64x,
    _mm256_cmpeq_epi16_mask, _mm256_cmpeq_epi32_mask, _mm256_cmpeq_epi64_mask, _mm256_set1_epi16,
    _mm256_set1_epi32, _mm256_set1_epi64x, _mm512_cmpeq_epi32_mask, _mm512_cmpeq_epi64_mask,
    _mm512_set1_epi32, _mm512_set1_epi64,
};

/// Requires AVX-512 F, BW and VL.
#[derive(Clone, Copy, Debug)]
pub struct Avx512;

super::x86::loads!(
    #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
    "v"
);

/// Defines a load of a whole wide vector.
macro_rules! wide_load {
    ($name:ident, $vector:ident, $instruction:literal, $class:ident) => {
        /// Loads a whole vector.
        ///
        /// # Safety
        /// Its bytes can be read.
        #[inline]
        #[target_feature(enable = "avx512f,avx512bw,avx512vl")]
        unsafe fn $name(address: *const u8) -> $vector {
            #[cfg(not(miri))]
            {
                let vector;
                // SAFETY: this reads one vector, which is readable, guaranteed by the caller, and
                // does nothing else. It is in assembly: see x86.rs.
                unsafe {
                    std::arch::asm!(
                        concat!($instruction, " {vector}, [{address}]"),
                        address = in(reg) address,
                        vector = lateout($class) vector,
                        options(pure, readonly, nostack, preserves_flags),
                    );
                }
                vector
            }
            #[cfg(miri)]
            {
                let mut parts = [[0u8; 16]; size_of::<$vector>() / 16];
                // SAFETY: the bytes are readable, guaranteed by the caller; any bytes are a valid
                // vector.
                unsafe {
                    for (at, part) in parts.iter_mut().enumerate() {
                        *part = std::mem::transmute(load::<16>(address.add(at * 16)));
                    }
                    std::mem::transmute(parts)
                }
            }
        }
    };
}

wide_load!(load_32, __m256i, "vmovdqu", ymm_reg);
wide_load!(load_64, __m512i, "vmovdqu64", zmm_reg);

/// One bit for each key of 16 bytes.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn compare<K: Lane>(keys: __m128i, key: K) -> u32 {
    let bits = key.bits().cast_signed();
    match K::BYTES {
        1 => _mm_cmpeq_epi8_mask(keys, _mm_set1_epi8(bits as i8)).into(),
        2 => _mm_cmpeq_epi16_mask(keys, _mm_set1_epi16(bits as i16)).into(),
        4 => _mm_cmpeq_epi32_mask(keys, _mm_set1_epi32(bits as i32)).into(),
        _ => _mm_cmpeq_epi64_mask(keys, _mm_set1_epi64x(bits)).into(),
    }
}

/// One bit for each key of 32 bytes. Keys of one byte never fill them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn compare_32<K: Lane>(keys: __m256i, key: K) -> u32 {
    let bits = key.bits().cast_signed();
    match K::BYTES {
        2 => _mm256_cmpeq_epi16_mask(keys, _mm256_set1_epi16(bits as i16)).into(),
        4 => _mm256_cmpeq_epi32_mask(keys, _mm256_set1_epi32(bits as i32)).into(),
        _ => _mm256_cmpeq_epi64_mask(keys, _mm256_set1_epi64x(bits)).into(),
    }
}

/// One bit for each key of 64 bytes. Keys of one or two bytes never fill them.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn compare_64<K: Lane>(keys: __m512i, key: K) -> u32 {
    let bits = key.bits().cast_signed();
    match K::BYTES {
        4 => _mm512_cmpeq_epi32_mask(keys, _mm512_set1_epi32(bits as i32)).into(),
        _ => _mm512_cmpeq_epi64_mask(keys, _mm512_set1_epi64(bits)).into(),
    }
}

impl Kernel for Avx512 {
    const LEVEL: Level = Level::Avx512;

    #[inline(always)]
    unsafe fn matches<K: Lane, const LANES: usize>(keys: *const K, key: K) -> u32 {
        let keys = keys.cast::<u8>();
        // SAFETY: the processor has AVX-512 and the `LANES` keys are readable, guaranteed by the
        // caller; all loads are within them.
        unsafe {
            match LANES * K::BYTES {
                2 => compare(load::<2>(keys), key) & ((1 << LANES) - 1),
                4 => compare(load::<4>(keys), key) & ((1 << LANES) - 1),
                8 => compare(load::<8>(keys), key) & ((1 << LANES) - 1),
                16 => compare(load::<16>(keys), key),
                32 => compare_32(load_32(keys), key),
                64 => compare_64(load_64(keys), key),
                _ => compare_64(load_64(keys), key) | compare_64(load_64(keys.add(64)), key) << 8,
            }
        }
    }
}

/// A batch compiled for AVX-512.
///
/// # Safety
/// The processor has the instructions of [`Level::Avx512`].
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi2,popcnt")]
pub(super) unsafe fn run<B: Batch>(batch: B) -> B::Output {
    // SAFETY: the processor has the instructions, guaranteed by the caller.
    unsafe { batch.run::<Avx512>() }
}
