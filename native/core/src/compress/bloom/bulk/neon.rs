//! NEON: a quarter of a block at a time.

use super::generic::{Probe, kernels};
use crate::compress::bloom::SALTS;
use std::arch::aarch64::*;
use std::arch::asm;

struct Vectors;

/// # Safety
/// A block is readable at `from`.
#[inline]
unsafe fn load(from: *const u8) -> [uint64x2_t; 4] {
    let (a, b, c, d);
    // SAFETY: 64 bytes are readable, as guaranteed by the caller. These are not intrinsics, because
    // other threads may write them at the same time.
    unsafe {
        asm!("ldp {a:q}, {b:q}, [{from}]", "ldp {c:q}, {d:q}, [{from}, #32]", from = in(reg) from,
            a = out(vreg) a, b = out(vreg) b, c = out(vreg) c, d = out(vreg) d,
            options(pure, readonly, nostack, preserves_flags));
    }
    [a, b, c, d]
}

/// # Safety
/// A block is writable at `to`.
#[inline]
unsafe fn store(to: *mut u8, [a, b, c, d]: [uint64x2_t; 4]) {
    // SAFETY: 64 bytes are writable, as guaranteed by the caller. These are not intrinsics, because
    // other threads may read them at the same time.
    unsafe {
        asm!("stp {a:q}, {b:q}, [{to}]", "stp {c:q}, {d:q}, [{to}, #32]", to = in(reg) to,
            a = in(vreg) a, b = in(vreg) b, c = in(vreg) c, d = in(vreg) d, options(nostack, preserves_flags));
    }
}

/// The mask of the key's bit in each lane.
#[inline]
#[target_feature(enable = "neon")]
fn masks(lanes: u32) -> [uint64x2_t; 4] {
    // SAFETY: `SALTS` has eight words.
    let salts = unsafe { [vld1q_u32(SALTS.as_ptr()), vld1q_u32(SALTS.as_ptr().add(4))] };
    let [low, high] = salts.map(|salts| vshrq_n_u32::<26>(vmulq_n_u32(salts, lanes)));
    let one = vdupq_n_u64(1);
    [vget_low_u32(low), vget_high_u32(low), vget_low_u32(high), vget_high_u32(high)]
        .map(|bits| vshlq_u64(one, vreinterpretq_s64_u64(vmovl_u32(bits))))
}

// SAFETY of all blocks below: NEON is part of AArch64, and a block has 64 bytes.
impl Probe for Vectors {
    #[inline(always)]
    unsafe fn found(block: *const u8, lanes: u32) -> bool {
        // SAFETY: see above.
        unsafe {
            let ([a, b, c, d], [e, f, g, h]) = (load(block), masks(lanes));
            let missing = vorrq_u64(
                vorrq_u64(vbicq_u64(e, a), vbicq_u64(f, b)),
                vorrq_u64(vbicq_u64(g, c), vbicq_u64(h, d)),
            );
            vmaxvq_u32(vreinterpretq_u32_u64(missing)) == 0
        }
    }

    #[inline(always)]
    unsafe fn set(block: *mut u8, lanes: u32) {
        // SAFETY: see above.
        unsafe {
            let ([a, b, c, d], [e, f, g, h]) = (load(block), masks(lanes));
            store(block, [vorrq_u64(a, e), vorrq_u64(b, f), vorrq_u64(c, g), vorrq_u64(d, h)]);
        }
    }
}

kernels!("neon", Vectors, "neon");
