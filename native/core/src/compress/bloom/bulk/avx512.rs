//! AVX-512: a block is one vector.

use super::generic::{Probe, kernels};
use crate::compress::bloom::SALTS;
use std::arch::asm;
use std::arch::x86_64::*;

struct Vectors;

/// # Safety
/// A block is readable at `from`.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn load(from: *const u8) -> __m512i {
    let x;
    // SAFETY: 64 bytes are readable, as guaranteed by the caller. This is not an intrinsic, because
    // other threads may write them at the same time.
    unsafe {
        asm!("vmovdqu64 {x}, [{from}]", from = in(reg) from, x = lateout(zmm_reg) x,
            options(pure, readonly, nostack, preserves_flags));
    }
    x
}

/// # Safety
/// A block is writable at `to`.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn store(to: *mut u8, x: __m512i) {
    // SAFETY: 64 bytes are writable, as guaranteed by the caller. This is not an intrinsic, because
    // other threads may read them at the same time.
    unsafe {
        asm!("vmovdqu64 [{to}], {x}", to = in(reg) to, x = in(zmm_reg) x, options(nostack, preserves_flags));
    }
}

/// The mask of the key's bit in each lane.
#[inline]
#[target_feature(enable = "avx2,avx512f")]
fn masks(lanes: u32) -> __m512i {
    // SAFETY: `SALTS` has eight words.
    let salts = unsafe { _mm256_loadu_si256(SALTS.as_ptr().cast()) };
    let bits = _mm256_srli_epi32::<26>(_mm256_mullo_epi32(_mm256_set1_epi32(lanes.cast_signed()), salts));
    _mm512_sllv_epi64(_mm512_set1_epi64(1), _mm512_cvtepu32_epi64(bits))
}

// SAFETY of all blocks below: the methods are inlined into functions that are called only if the
// processor has AVX-512, and a block has 64 bytes.
impl Probe for Vectors {
    #[inline(always)]
    unsafe fn found(block: *const u8, lanes: u32) -> bool {
        // SAFETY: see above.
        unsafe { _mm512_testn_epi64_mask(load(block), masks(lanes)) == 0 }
    }

    #[inline(always)]
    unsafe fn set(block: *mut u8, lanes: u32) {
        // SAFETY: see above.
        unsafe { store(block, _mm512_or_si512(load(block), masks(lanes))) };
    }
}

kernels!("avx512", Vectors, "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi2,popcnt,sse4.2");
