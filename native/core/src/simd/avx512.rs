//! AVX-512 F, BW, DQ and VL.

use super::generic::{Float, LANES, Lanes};
use crate::region::element::{Element, Word};
use std::arch::asm;
use std::arch::x86_64::{__m512d, _mm512_add_pd, _mm512_setzero_pd, _mm512_storeu_pd, _mm512_sub_pd};

/// Doubles per vector.
const WIDTH: usize = 8;

/// # Safety
/// A chunk is readable at `from`, and writable at `to`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi2,popcnt")]
unsafe fn load(to: *mut u8, from: *const u8) {
    // SAFETY: moves 64 bytes, which are readable at `from` and writable at `to`, as guaranteed by
    // the caller.
    unsafe {
        asm!(
            "vmovups {a}, [{from}]",
            "vmovups [{to}], {a}",
            from = in(reg) from,
            to = in(reg) to,
            a = out(zmm_reg) _,
            options(nostack, preserves_flags),
        );
    }
}

/// # Safety
/// As for `load`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi2,popcnt")]
unsafe fn store(to: *mut u8, from: *const u8) {
    // SAFETY: moves 64 bytes, which are readable at `from` and writable at `to`, as guaranteed by
    // the caller.
    unsafe { load(to, from) };
}

/// # Safety
/// A vector of doubles is readable at `from`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi2,popcnt")]
unsafe fn load_doubles(from: *const u8) -> __m512d {
    let x;
    // SAFETY: reads 64 bytes, which the caller guarantees to be readable.
    unsafe {
        asm!("vmovupd {x}, [{from}]", from = in(reg) from, x = lateout(zmm_reg) x,
            options(pure, readonly, nostack, preserves_flags));
    }
    x
}

/// # Safety
/// Floats for a vector of doubles are readable at `from`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi2,popcnt")]
unsafe fn load_floats(from: *const u8) -> __m512d {
    let x;
    // SAFETY: reads 32 bytes, which the caller guarantees to be readable.
    unsafe {
        asm!("vcvtps2pd {x}, ymmword ptr [{from}]", from = in(reg) from, x = lateout(zmm_reg) x,
            options(pure, readonly, nostack, preserves_flags));
    }
    x
}

#[derive(Clone, Copy)]
struct Vectors([__m512d; LANES / WIDTH]);

// SAFETY of all blocks below: the methods are inlined into functions that are called only if the
// processor has AVX-512.
impl Lanes for Vectors {
    #[inline(always)]
    fn zero() -> Vectors {
        // SAFETY: see above.
        Vectors([unsafe { _mm512_setzero_pd() }; LANES / WIDTH])
    }
    #[inline(always)]
    unsafe fn load_f64(from: *const u8) -> Vectors {
        // SAFETY: each vector is within the sixteen doubles that the caller guarantees to be
        // readable.
        Vectors(std::array::from_fn(|i| unsafe { load_doubles(from.add(i * WIDTH * 8)) }))
    }
    #[inline(always)]
    unsafe fn load_f32(from: *const u8) -> Vectors {
        // SAFETY: each vector is within the sixteen floats that the caller guarantees to be
        // readable.
        Vectors(std::array::from_fn(|i| unsafe { load_floats(from.add(i * WIDTH * 4)) }))
    }
    #[inline(always)]
    fn add(self, other: Vectors) -> Vectors {
        // SAFETY: see above.
        Vectors(std::array::from_fn(|i| unsafe { _mm512_add_pd(self.0[i], other.0[i]) }))
    }
    #[inline(always)]
    fn sub(self, other: Vectors) -> Vectors {
        // SAFETY: see above.
        Vectors(std::array::from_fn(|i| unsafe { _mm512_sub_pd(self.0[i], other.0[i]) }))
    }
    #[inline(always)]
    fn to_array(self) -> [f64; LANES] {
        let mut array = [0.0; LANES];
        for (i, &x) in self.0.iter().enumerate() {
            // SAFETY: the vector is within the array.
            unsafe { _mm512_storeu_pd(array.as_mut_ptr().add(i * WIDTH), x) };
        }
        array
    }
}

super::kernels!("avx512f,avx512bw,avx512dq,avx512vl,bmi2,popcnt" load, store, Vectors);
