//! AVX-512 with VPOPCNTDQ: 512 bits at a time. The last words are loaded with a mask.

use super::{Kernels, Op};
use std::arch::x86_64::*;

pub(super) static KERNELS: Kernels = Kernels {
    name: "avx512",
    // SAFETY: the preconditions are guaranteed by the callers, and `Kernels::available` checked
    // that the processor supports the instructions.
    count: |words, len| unsafe { count(words, len) },
    // SAFETY: as above.
    combine: |op, into, other, len| unsafe { combine(op, into, other, len) },
    // SAFETY: as above.
    invert: |words, len| unsafe { invert(words, len) },
};

/// Words of a vector.
const LANES: usize = 8;

/// The mask of the valid lanes of the last vector.
#[inline(always)]
fn tail(len: usize) -> __mmask8 {
    debug_assert!(len < LANES);
    (1 << len) - 1
}

/// # Safety
/// `len` words are readable.
#[target_feature(enable = "avx512f,avx512vpopcntdq")]
unsafe fn count(words: *const u64, len: usize) -> u64 {
    let mut totals = [_mm512_setzero_si512(); 4];
    let mut at = 0;
    // SAFETY: all accesses are within `len` words, which the caller guarantees to be readable.
    unsafe {
        while at + 4 * LANES <= len {
            for (i, total) in totals.iter_mut().enumerate() {
                let v = _mm512_loadu_si512(words.add(at + i * LANES).cast());
                *total = _mm512_add_epi64(*total, _mm512_popcnt_epi64(v));
            }
            at += 4 * LANES;
        }
        while at + LANES <= len {
            let v = _mm512_loadu_si512(words.add(at).cast());
            totals[0] = _mm512_add_epi64(totals[0], _mm512_popcnt_epi64(v));
            at += LANES;
        }
        let v = _mm512_maskz_loadu_epi64(tail(len - at), words.add(at).cast());
        totals[1] = _mm512_add_epi64(totals[1], _mm512_popcnt_epi64(v));
    }
    let [a, b, c, d] = totals;
    let total = _mm512_add_epi64(_mm512_add_epi64(a, b), _mm512_add_epi64(c, d));
    _mm512_reduce_add_epi64(total).cast_unsigned()
}

/// # Safety
/// As for `generic::combine`.
#[target_feature(enable = "avx512f")]
unsafe fn combine(op: Op, into: *mut u64, other: *const u64, len: usize) {
    // SAFETY: the preconditions are guaranteed by the caller.
    unsafe {
        match op {
            Op::And => each(into, other, len, |a, b| _mm512_and_si512(a, b)),
            Op::Or => each(into, other, len, |a, b| _mm512_or_si512(a, b)),
            Op::Xor => each(into, other, len, |a, b| _mm512_xor_si512(a, b)),
            Op::AndNot => each(into, other, len, |a, b| _mm512_andnot_si512(b, a)),
        }
    }
}

/// # Safety
/// As for `generic::combine`.
#[inline]
#[target_feature(enable = "avx512f")]
unsafe fn each(into: *mut u64, other: *const u64, len: usize, apply: impl Fn(__m512i, __m512i) -> __m512i) {
    let mut at = 0;
    // SAFETY: all accesses are within `len` words, which the caller guarantees to be accessible.
    unsafe {
        while at + 4 * LANES <= len {
            for i in 0..4 {
                let (target, source) = (into.add(at + i * LANES), other.add(at + i * LANES));
                let result =
                    apply(_mm512_loadu_si512(target.cast_const().cast()), _mm512_loadu_si512(source.cast()));
                _mm512_storeu_si512(target.cast(), result);
            }
            at += 4 * LANES;
        }
        while at < len {
            let lanes = if len - at < LANES { tail(len - at) } else { u8::MAX };
            let (target, source) = (into.add(at).cast::<i64>(), other.add(at).cast::<i64>());
            let result = apply(
                _mm512_maskz_loadu_epi64(lanes, target.cast_const()),
                _mm512_maskz_loadu_epi64(lanes, source),
            );
            _mm512_mask_storeu_epi64(target, lanes, result);
            at += LANES;
        }
    }
}

/// # Safety
/// As for `generic::invert`.
#[target_feature(enable = "avx512f")]
unsafe fn invert(words: *mut u64, len: usize) {
    let all = _mm512_set1_epi64(-1);
    let mut at = 0;
    // SAFETY: all accesses are within `len` words, which the caller guarantees to be writable.
    unsafe {
        // Masked stores are used only for the rest: in the main loop they took three times as long.
        while at + 4 * LANES <= len {
            for i in 0..4 {
                let target = words.add(at + i * LANES);
                let v = _mm512_loadu_si512(target.cast_const().cast());
                _mm512_storeu_si512(target.cast(), _mm512_xor_si512(v, all));
            }
            at += 4 * LANES;
        }
        while at < len {
            let lanes = if len - at < LANES { tail(len - at) } else { u8::MAX };
            let target = words.add(at).cast::<i64>();
            let v = _mm512_maskz_loadu_epi64(lanes, target.cast_const());
            _mm512_mask_storeu_epi64(target, lanes, _mm512_xor_si512(v, all));
            at += LANES;
        }
    }
}
