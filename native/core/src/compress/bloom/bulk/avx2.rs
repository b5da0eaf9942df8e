//! AVX2: half a block at a time.

use super::generic::{Probe, kernels};
use crate::compress::bloom::SALTS;
use std::arch::asm;
use std::arch::x86_64::*;

struct Vectors;

/// # Safety
/// 32 bytes are readable at `from`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn load(from: *const u8) -> __m256i {
    let x;
    // SAFETY: 32 bytes are readable, as guaranteed by the caller. This is not an intrinsic, because
    // other threads may write them at the same time.
    unsafe {
        asm!("vmovdqu {x}, [{from}]", from = in(reg) from, x = lateout(ymm_reg) x,
            options(pure, readonly, nostack, preserves_flags));
    }
    x
}

/// # Safety
/// 32 bytes are writable at `to`.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn store(to: *mut u8, x: __m256i) {
    // SAFETY: 32 bytes are writable, as guaranteed by the caller. This is not an intrinsic, because
    // other threads may read them at the same time.
    unsafe {
        asm!("vmovdqu [{to}], {x}", to = in(reg) to, x = in(ymm_reg) x, options(nostack, preserves_flags));
    }
}

/// The mask of the key's bit in each lane.
#[inline]
#[target_feature(enable = "avx2")]
fn masks(lanes: u32) -> [__m256i; 2] {
    // SAFETY: `SALTS` has eight words.
    let salts = unsafe { _mm256_loadu_si256(SALTS.as_ptr().cast()) };
    let bits = _mm256_srli_epi32::<26>(_mm256_mullo_epi32(_mm256_set1_epi32(lanes.cast_signed()), salts));
    let one = _mm256_set1_epi64x(1);
    [_mm256_castsi256_si128(bits), _mm256_extracti128_si256::<1>(bits)]
        .map(|half| _mm256_sllv_epi64(one, _mm256_cvtepu32_epi64(half)))
}

// SAFETY of all blocks below: the methods are inlined into functions that are called only if the
// processor has AVX2, and a block has 64 bytes.
impl Probe for Vectors {
    #[inline(always)]
    unsafe fn found(block: *const u8, lanes: u32) -> bool {
        // SAFETY: see above.
        unsafe {
            let [low, high] = masks(lanes);
            (_mm256_testc_si256(load(block), low) & _mm256_testc_si256(load(block.add(32)), high)) != 0
        }
    }

    #[inline(always)]
    unsafe fn set(block: *mut u8, lanes: u32) {
        // SAFETY: see above.
        unsafe {
            let [low, high] = masks(lanes);
            store(block, _mm256_or_si256(load(block), low));
            store(block.add(32), _mm256_or_si256(load(block.add(32)), high));
        }
    }
}

kernels!("avx2", Vectors, "avx2,bmi2,popcnt,sse4.2");
