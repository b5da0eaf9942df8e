//! AVX-512: sixteen bytes at a time.

use super::{POWERS, Run, rest};
use std::arch::x86_64::*;

const GROUP: usize = 16;

/// `x[i] += x[i - STEP] * factor` for all lanes from `STEP` on. `KEPT` is 16 minus the step.
#[inline]
#[target_feature(enable = "avx512f")]
fn step<const KEPT: i32>(x: __m512i, factor: u32) -> __m512i {
    let moved = _mm512_alignr_epi32::<KEPT>(x, _mm512_setzero_si512());
    _mm512_add_epi32(x, _mm512_mullo_epi32(moved, _mm512_set1_epi32(factor.cast_signed())))
}

/// See [`super::scan`].
#[target_feature(enable = "avx512f")]
pub(super) fn scan(run: &Run<'_>) -> (Option<usize>, u32) {
    let one = _mm512_set1_epi32(1);
    let weight = _mm512_set1_epi32(run.weight.cast_signed());
    let most = _mm512_set1_epi32(run.most.cast_signed());
    let last = _mm512_set1_epi32(15);
    let mut hash = _mm512_set1_epi32(run.hash.cast_signed());
    let (incoming, _) = run.incoming.as_chunks::<GROUP>();
    let (outgoing, _) = run.outgoing.as_chunks::<GROUP>();
    // SAFETY: `POWERS` has sixteen elements.
    let powers = unsafe { _mm512_loadu_si512(POWERS.as_ptr().cast()) };
    let mut at = 0;
    for (incoming, outgoing) in incoming.iter().zip(outgoing) {
        // SAFETY: each chunk has sixteen bytes.
        let (incoming, outgoing) =
            unsafe { (_mm_loadu_si128(incoming.as_ptr().cast()), _mm_loadu_si128(outgoing.as_ptr().cast())) };
        let coming = _mm512_add_epi32(_mm512_cvtepu8_epi32(incoming), one);
        let leaving = _mm512_mullo_epi32(_mm512_add_epi32(_mm512_cvtepu8_epi32(outgoing), one), weight);
        let mut x = _mm512_sub_epi32(coming, leaving);
        x = step::<15>(x, POWERS[0]);
        x = step::<14>(x, POWERS[1]);
        x = step::<12>(x, POWERS[3]);
        x = step::<8>(x, POWERS[7]);
        let hashes = _mm512_add_epi32(x, _mm512_mullo_epi32(hash, powers));
        if _mm512_cmple_epu32_mask(hashes, most) != 0 {
            break;
        }
        hash = _mm512_permutexvar_epi32(last, hashes);
        at += GROUP;
    }
    rest(run, at, _mm_cvtsi128_si32(_mm512_castsi512_si128(hash)).cast_unsigned())
}
