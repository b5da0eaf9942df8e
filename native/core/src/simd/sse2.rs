//! SSE2: part of every x86-64 processor.

use super::generic::{Float, LANES, Lanes};
use crate::region::element::{Element, Word};
use std::arch::asm;
use std::arch::x86_64::{__m128d, _mm_add_pd, _mm_setzero_pd, _mm_storeu_pd, _mm_sub_pd};

// The loads and stores of all instruction sets are in assembly, because a plain load of memory that
// another thread writes would be a data race for the compiler.

/// # Safety
/// A chunk is readable at `from`, and writable at `to`.
#[inline]
unsafe fn load(to: *mut u8, from: *const u8) {
    // SAFETY: moves 64 bytes, which are readable at `from` and writable at `to`, as guaranteed by
    // the caller.
    unsafe {
        asm!(
            "movups {a}, [{from}]",
            "movups {b}, [{from} + 16]",
            "movups {c}, [{from} + 32]",
            "movups {d}, [{from} + 48]",
            "movups [{to}], {a}",
            "movups [{to} + 16], {b}",
            "movups [{to} + 32], {c}",
            "movups [{to} + 48], {d}",
            from = in(reg) from,
            to = in(reg) to,
            a = out(xmm_reg) _,
            b = out(xmm_reg) _,
            c = out(xmm_reg) _,
            d = out(xmm_reg) _,
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
struct Vectors([__m128d; LANES / 2]);

impl Lanes for Vectors {
    #[inline(always)]
    fn zero() -> Vectors {
        // SAFETY: SSE2 is part of x86-64.
        Vectors([unsafe { _mm_setzero_pd() }; LANES / 2])
    }
    #[inline(always)]
    unsafe fn load_f64(from: *const u8) -> Vectors {
        Vectors(std::array::from_fn(|i| {
            let x;
            // SAFETY: reads 16 bytes of those that the caller guarantees to be readable.
            unsafe {
                asm!("movupd {x}, [{from}]", from = in(reg) from.add(i * 16), x = lateout(xmm_reg) x,
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
                asm!("movsd {x}, qword ptr [{from}]", "cvtps2pd {x}, {x}", from = in(reg) from.add(i * 8),
                    x = lateout(xmm_reg) x, options(pure, readonly, nostack, preserves_flags));
            }
            x
        }))
    }
    #[inline(always)]
    fn add(self, other: Vectors) -> Vectors {
        // SAFETY: SSE2 is part of x86-64.
        Vectors(std::array::from_fn(|i| unsafe { _mm_add_pd(self.0[i], other.0[i]) }))
    }
    #[inline(always)]
    fn sub(self, other: Vectors) -> Vectors {
        // SAFETY: SSE2 is part of x86-64.
        Vectors(std::array::from_fn(|i| unsafe { _mm_sub_pd(self.0[i], other.0[i]) }))
    }
    #[inline(always)]
    fn to_array(self) -> [f64; LANES] {
        let mut array = [0.0; LANES];
        for (i, &x) in self.0.iter().enumerate() {
            // SAFETY: the two doubles are within the array.
            unsafe { _mm_storeu_pd(array.as_mut_ptr().add(i * 2), x) };
        }
        array
    }
}

super::kernels!("sse2" load, store, Vectors);
