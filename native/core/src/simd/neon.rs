//! NEON: part of every AArch64 processor.

use super::generic::{Float, LANES, Lanes};
use crate::region::element::{Element, Word};
use std::arch::aarch64::{float64x2_t, vaddq_f64, vdupq_n_f64, vst1q_f64, vsubq_f64};
use std::arch::asm;

/// # Safety
/// A chunk is readable at `from`, and writable at `to`.
#[inline]
unsafe fn load(to: *mut u8, from: *const u8) {
    // SAFETY: moves 64 bytes, which are readable at `from` and writable at `to`, as guaranteed by
    // the caller.
    unsafe {
        asm!(
            "ldp {a:q}, {b:q}, [{from}]",
            "ldp {c:q}, {d:q}, [{from}, #32]",
            "stp {a:q}, {b:q}, [{to}]",
            "stp {c:q}, {d:q}, [{to}, #32]",
            from = in(reg) from,
            to = in(reg) to,
            a = out(vreg) _,
            b = out(vreg) _,
            c = out(vreg) _,
            d = out(vreg) _,
            options(nostack, preserves_flags),
        );
    }
}

/// # Safety
/// As for `load`.
#[inline]
unsafe fn store(to: *mut u8, from: *const u8) {
    // SAFETY: moves 64 bytes, which are readable at `from` and writable at `to`, as guaranteed by
    // the caller.
    unsafe { load(to, from) };
}

#[derive(Clone, Copy)]
struct Vectors([float64x2_t; LANES / 2]);

impl Lanes for Vectors {
    #[inline(always)]
    fn zero() -> Vectors {
        // SAFETY: NEON is part of AArch64.
        Vectors([unsafe { vdupq_n_f64(0.0) }; LANES / 2])
    }
    #[inline(always)]
    unsafe fn load_f64(from: *const u8) -> Vectors {
        Vectors(std::array::from_fn(|i| {
            let x;
            // SAFETY: reads 16 bytes of those that the caller guarantees to be readable.
            unsafe {
                asm!("ldr {x:q}, [{from}]", from = in(reg) from.add(i * 16), x = lateout(vreg) x,
                    options(pure, readonly, nostack, preserves_flags));
            }
            x
        }))
    }
    #[inline(always)]
    unsafe fn load_f32(from: *const u8) -> Vectors {
        Vectors(std::array::from_fn(|i| {
            let x;
            // SAFETY: reads 8 bytes of those that the caller guarantees to be readable.
            unsafe {
                asm!("ldr {x:d}, [{from}]", "fcvtl {x:v}.2d, {x:v}.2s", from = in(reg) from.add(i * 8),
                    x = lateout(vreg) x, options(pure, readonly, nostack, preserves_flags));
            }
            x
        }))
    }
    #[inline(always)]
    fn add(self, other: Vectors) -> Vectors {
        // SAFETY: NEON is part of AArch64.
        Vectors(std::array::from_fn(|i| unsafe { vaddq_f64(self.0[i], other.0[i]) }))
    }
    #[inline(always)]
    fn sub(self, other: Vectors) -> Vectors {
        // SAFETY: NEON is part of AArch64.
        Vectors(std::array::from_fn(|i| unsafe { vsubq_f64(self.0[i], other.0[i]) }))
    }
    #[inline(always)]
    fn to_array(self) -> [f64; LANES] {
        let mut array = [0.0; LANES];
        for (i, &x) in self.0.iter().enumerate() {
            // SAFETY: the two doubles are within the array.
            unsafe { vst1q_f64(array.as_mut_ptr().add(i * 2), x) };
        }
        array
    }
}

super::kernels!("neon" load, store, Vectors);
