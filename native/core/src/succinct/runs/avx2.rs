//! AVX2: Harley-Seal counting, 256 bits at a time.
//!
//! A tree of carry-save adders (a full adder for each of 256 columns) reduces sixteen vectors to
//! one vector of sixteens, so that one vector is counted instead of sixteen. Bytes are counted by
//! two table lookups (`pshufb`), one for each nibble, and summed by `psadbw`.

use super::generic;
use super::{Kernels, Op};
use std::arch::x86_64::*;

pub(super) static KERNELS: Kernels = Kernels {
    name: "avx2",
    // SAFETY: the preconditions are guaranteed by the callers, and `Kernels::available` checked
    // that the processor supports the instructions.
    count: |words, len| unsafe { count(words, len) },
    // SAFETY: as above.
    combine: |op, into, other, len| unsafe { combine(op, into, other, len) },
    // SAFETY: as above.
    invert: |words, len| unsafe { invert(words, len) },
};

/// Words of a vector.
const LANES: usize = 4;

/// A full adder: the sums, and the carries.
#[inline]
#[target_feature(enable = "avx2")]
fn add(a: __m256i, b: __m256i, c: __m256i) -> (__m256i, __m256i) {
    let half = _mm256_xor_si256(a, b);
    let carry = _mm256_or_si256(_mm256_and_si256(a, b), _mm256_and_si256(half, c));
    (_mm256_xor_si256(half, c), carry)
}

/// The number of ones in each 64-bit lane.
#[inline]
#[target_feature(enable = "avx2")]
fn ones(v: __m256i) -> __m256i {
    let of_nibble = _mm256_setr_epi8(
        0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4,
    );
    let low = _mm256_set1_epi8(0x0F);
    let even = _mm256_shuffle_epi8(of_nibble, _mm256_and_si256(v, low));
    let odd = _mm256_shuffle_epi8(of_nibble, _mm256_and_si256(_mm256_srli_epi16::<4>(v), low));
    _mm256_sad_epu8(_mm256_add_epi8(even, odd), _mm256_setzero_si256())
}

/// # Safety
/// `len` words are readable.
#[target_feature(enable = "avx2,popcnt")]
unsafe fn count(words: *const u64, len: usize) -> u64 {
    let zero = _mm256_setzero_si256();
    let (mut total, mut one, mut two, mut four, mut eight) = (zero, zero, zero, zero, zero);
    let load = |at: usize| {
        // SAFETY: the loops below stay within `len` words, which the caller guarantees to be
        // readable.
        unsafe { _mm256_loadu_si256(words.add(at).cast()) }
    };
    let mut at = 0;
    while at + 16 * LANES <= len {
        let v = |i: usize| load(at + i * LANES);
        let (s, twos_a) = add(one, v(0), v(1));
        let (s, twos_b) = add(s, v(2), v(3));
        let (t, fours_a) = add(two, twos_a, twos_b);
        let (s, twos_a) = add(s, v(4), v(5));
        let (s, twos_b) = add(s, v(6), v(7));
        let (t, fours_b) = add(t, twos_a, twos_b);
        let (f, eights_a) = add(four, fours_a, fours_b);
        let (s, twos_a) = add(s, v(8), v(9));
        let (s, twos_b) = add(s, v(10), v(11));
        let (t, fours_a) = add(t, twos_a, twos_b);
        let (s, twos_a) = add(s, v(12), v(13));
        let (s, twos_b) = add(s, v(14), v(15));
        let (t, fours_b) = add(t, twos_a, twos_b);
        let (f, eights_b) = add(f, fours_a, fours_b);
        let (e, sixteens) = add(eight, eights_a, eights_b);
        (one, two, four, eight) = (s, t, f, e);
        total = _mm256_add_epi64(total, ones(sixteens));
        at += 16 * LANES;
    }
    total = _mm256_slli_epi64::<4>(total);
    total = _mm256_add_epi64(total, _mm256_slli_epi64::<3>(ones(eight)));
    total = _mm256_add_epi64(total, _mm256_slli_epi64::<2>(ones(four)));
    total = _mm256_add_epi64(total, _mm256_slli_epi64::<1>(ones(two)));
    total = _mm256_add_epi64(total, ones(one));
    while at + LANES <= len {
        total = _mm256_add_epi64(total, ones(load(at)));
        at += LANES;
    }
    let halves = _mm_add_epi64(_mm256_castsi256_si128(total), _mm256_extracti128_si256::<1>(total));
    let sum = (_mm_extract_epi64::<0>(halves) + _mm_extract_epi64::<1>(halves)).cast_unsigned();
    // SAFETY: the remaining words are within `len` words.
    sum + unsafe { generic::count(words.add(at), len - at) }
}

/// # Safety
/// As for [`generic::combine`].
#[target_feature(enable = "avx2")]
unsafe fn combine(op: Op, into: *mut u64, other: *const u64, len: usize) {
    // SAFETY: the preconditions are guaranteed by the caller.
    unsafe {
        match op {
            Op::And => each(into, other, len, op, |a, b| _mm256_and_si256(a, b)),
            Op::Or => each(into, other, len, op, |a, b| _mm256_or_si256(a, b)),
            Op::Xor => each(into, other, len, op, |a, b| _mm256_xor_si256(a, b)),
            Op::AndNot => each(into, other, len, op, |a, b| _mm256_andnot_si256(b, a)),
        }
    }
}

/// # Safety
/// As for [`generic::combine`].
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn each(
    into: *mut u64,
    other: *const u64,
    len: usize,
    op: Op,
    apply: impl Fn(__m256i, __m256i) -> __m256i,
) {
    let mut at = 0;
    // SAFETY: all accesses are within `len` words, which the caller guarantees to be accessible.
    unsafe {
        while at + 4 * LANES <= len {
            let targets = [0, 1, 2, 3].map(|i| into.add(at + i * LANES).cast::<__m256i>());
            let sources = [0, 1, 2, 3].map(|i| other.add(at + i * LANES).cast::<__m256i>());
            for (target, source) in targets.into_iter().zip(sources) {
                _mm256_storeu_si256(
                    target,
                    apply(_mm256_loadu_si256(target.cast_const()), _mm256_loadu_si256(source)),
                );
            }
            at += 4 * LANES;
        }
        generic::combine(op, into.add(at), other.add(at), len - at);
    }
}

/// # Safety
/// As for [`generic::invert`].
#[target_feature(enable = "avx2")]
unsafe fn invert(words: *mut u64, len: usize) {
    let all = _mm256_set1_epi64x(-1);
    let mut at = 0;
    // SAFETY: all accesses are within `len` words, which the caller guarantees to be writable.
    unsafe {
        while at + LANES <= len {
            let target = words.add(at).cast::<__m256i>();
            _mm256_storeu_si256(target, _mm256_xor_si256(_mm256_loadu_si256(target.cast_const()), all));
            at += LANES;
        }
        generic::invert(words.add(at), len - at);
    }
}
