//! AVX2: eight bytes at a time.

use super::{POWERS, Run, rest};
use std::arch::x86_64::*;

const GROUP: usize = 8;

/// `x + moved * factor`.
#[inline]
#[target_feature(enable = "avx2")]
fn step(x: __m256i, moved: __m256i, factor: u32) -> __m256i {
    _mm256_add_epi32(x, _mm256_mullo_epi32(moved, _mm256_set1_epi32(factor.cast_signed())))
}

/// See [`super::scan`].
#[target_feature(enable = "avx2")]
pub(super) fn scan(run: &Run<'_>) -> (Option<usize>, u32) {
    let (zero, one) = (_mm256_setzero_si256(), _mm256_set1_epi32(1));
    let by_one = _mm256_setr_epi32(0, 0, 1, 2, 3, 4, 5, 6);
    let by_two = _mm256_setr_epi32(0, 0, 0, 1, 2, 3, 4, 5);
    let last = _mm256_set1_epi32(7);
    let weight = _mm256_set1_epi32(run.weight.cast_signed());
    let most = _mm256_set1_epi32(run.most.cast_signed());
    let mut hash = _mm256_set1_epi32(run.hash.cast_signed());
    let (incoming, _) = run.incoming.as_chunks::<GROUP>();
    let (outgoing, _) = run.outgoing.as_chunks::<GROUP>();
    // SAFETY: `POWERS` has sixteen elements.
    let powers = unsafe { _mm256_loadu_si256(POWERS.as_ptr().cast()) };
    let mut at = 0;
    for (incoming, outgoing) in incoming.iter().zip(outgoing) {
        // SAFETY: each chunk has eight bytes.
        let (incoming, outgoing) =
            unsafe { (_mm_loadl_epi64(incoming.as_ptr().cast()), _mm_loadl_epi64(outgoing.as_ptr().cast())) };
        let coming = _mm256_add_epi32(_mm256_cvtepu8_epi32(incoming), one);
        let leaving = _mm256_mullo_epi32(_mm256_add_epi32(_mm256_cvtepu8_epi32(outgoing), one), weight);
        let mut x = _mm256_sub_epi32(coming, leaving);
        x = step(x, _mm256_blend_epi32::<1>(_mm256_permutevar8x32_epi32(x, by_one), zero), POWERS[0]);
        x = step(x, _mm256_blend_epi32::<3>(_mm256_permutevar8x32_epi32(x, by_two), zero), POWERS[1]);
        // Moves the low half to the high half, and zeros the low half.
        x = step(x, _mm256_permute2x128_si256::<0x08>(x, x), POWERS[3]);
        let hashes = _mm256_add_epi32(x, _mm256_mullo_epi32(hash, powers));
        let small = _mm256_cmpeq_epi32(_mm256_min_epu32(hashes, most), hashes);
        if _mm256_movemask_epi8(small) != 0 {
            break;
        }
        hash = _mm256_permutevar8x32_epi32(hashes, last);
        at += GROUP;
    }
    rest(run, at, _mm256_cvtsi256_si32(hash).cast_unsigned())
}
