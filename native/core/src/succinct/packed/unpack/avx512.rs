//! Unpacking with AVX-512: one load for a group of eight.

use super::{GROUP, Groups};
use std::arch::x86_64::{
    __m512i, _mm512_and_si512, _mm512_loadu_si512, _mm512_permutexvar_epi16, _mm512_set1_epi64,
    _mm512_srlv_epi64, _mm512_storeu_si512,
};

/// Lanes are filled with whole units of 16 bits, so an integer and the up to 15 bits before it must
/// fit in a lane.
pub(super) const MAX_BITS: u32 = 49;

/// # Safety
/// The processor has AVX-512 F and BW. `REACH` bytes are readable from the start of each group.
/// Integers have at most [`MAX_BITS`] bits.
#[target_feature(enable = "avx512f,avx512bw")]
pub(super) unsafe fn unpack(groups: Groups<'_>) {
    let Groups { data, bits, out } = groups;
    let mut units = [0u16; 4 * GROUP];
    let mut shifts = [0u64; GROUP];
    for (lane, shift) in shifts.iter_mut().enumerate() {
        let bit = lane * bits as usize;
        *shift = (bit % 16) as u64;
        for unit in 0..4 {
            units[lane * 4 + unit] = (bit / 16 + unit) as u16;
        }
    }
    let mask = _mm512_set1_epi64(((1u64 << bits) - 1).cast_signed());
    // SAFETY: the arrays have 64 bytes each, and `REACH` bytes of a group are readable, as
    // guaranteed by the caller.
    unsafe {
        let units = _mm512_loadu_si512(units.as_ptr().cast::<__m512i>());
        let shifts = _mm512_loadu_si512(shifts.as_ptr().cast::<__m512i>());
        for (index, group) in out.iter_mut().enumerate() {
            let bytes = _mm512_loadu_si512(data.add(index * bits as usize).cast::<__m512i>());
            let lanes = _mm512_srlv_epi64(_mm512_permutexvar_epi16(units, bytes), shifts);
            _mm512_storeu_si512(group.as_mut_ptr().cast::<__m512i>(), _mm512_and_si512(lanes, mask));
        }
    }
}
