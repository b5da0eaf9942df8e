//! NEON: `cnt` counts bytes, 128 bits at a time. The counts are widened only every few vectors.

use super::{Kernels, Op, generic};
use std::arch::aarch64::*;

pub(super) static KERNELS: Kernels = Kernels {
    name: "neon",
    // SAFETY: the preconditions are guaranteed by the callers, and every AArch64 processor has
    // NEON.
    count: |words, len| unsafe { count(words, len) },
    // SAFETY: as above.
    combine: |op, into, other, len| unsafe { combine(op, into, other, len) },
    // SAFETY: as above.
    invert: |words, len| unsafe { invert(words, len) },
};

/// Words of a vector.
const LANES: usize = 2;

/// # Safety
/// `len` words are readable.
#[target_feature(enable = "neon")]
unsafe fn count(words: *const u64, len: usize) -> u64 {
    let mut total = vdupq_n_u64(0);
    let mut at = 0;
    // SAFETY: all accesses are within `len` words, which the caller guarantees to be readable.
    unsafe {
        while at + 8 * LANES <= len {
            // At most 8 in each byte of each of eight vectors, so at most 64 in a byte.
            let mut bytes = vdupq_n_u8(0);
            for i in 0..8 {
                let v = vld1q_u64(words.add(at + i * LANES));
                bytes = vaddq_u8(bytes, vcntq_u8(vreinterpretq_u8_u64(v)));
            }
            total = vpadalq_u32(total, vpaddlq_u16(vpaddlq_u8(bytes)));
            at += 8 * LANES;
        }
        vaddvq_u64(total) + generic::count(words.add(at), len - at)
    }
}

/// # Safety
/// As for [`generic::combine`].
#[target_feature(enable = "neon")]
unsafe fn combine(op: Op, into: *mut u64, other: *const u64, len: usize) {
    // SAFETY: the preconditions are guaranteed by the caller.
    unsafe {
        match op {
            Op::And => each(into, other, len, op, |a, b| vandq_u64(a, b)),
            Op::Or => each(into, other, len, op, |a, b| vorrq_u64(a, b)),
            Op::Xor => each(into, other, len, op, |a, b| veorq_u64(a, b)),
            Op::AndNot => each(into, other, len, op, |a, b| vbicq_u64(a, b)),
        }
    }
}

/// # Safety
/// As for [`generic::combine`].
#[inline]
#[target_feature(enable = "neon")]
unsafe fn each(
    into: *mut u64,
    other: *const u64,
    len: usize,
    op: Op,
    apply: impl Fn(uint64x2_t, uint64x2_t) -> uint64x2_t,
) {
    let mut at = 0;
    // SAFETY: all accesses are within `len` words, which the caller guarantees to be accessible.
    unsafe {
        while at + 4 * LANES <= len {
            for i in 0..4 {
                let (target, source) = (into.add(at + i * LANES), other.add(at + i * LANES));
                vst1q_u64(target, apply(vld1q_u64(target), vld1q_u64(source)));
            }
            at += 4 * LANES;
        }
        generic::combine(op, into.add(at), other.add(at), len - at);
    }
}

/// # Safety
/// As for [`generic::invert`].
#[target_feature(enable = "neon")]
unsafe fn invert(words: *mut u64, len: usize) {
    let mut at = 0;
    // SAFETY: all accesses are within `len` words, which the caller guarantees to be writable.
    unsafe {
        while at + LANES <= len {
            let target = words.add(at);
            vst1q_u64(target, veorq_u64(vld1q_u64(target), vdupq_n_u64(u64::MAX)));
            at += LANES;
        }
        generic::invert(words.add(at), len - at);
    }
}
