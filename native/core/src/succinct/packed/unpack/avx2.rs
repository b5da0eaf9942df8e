//! Unpacking with AVX2: two integers from each 16 bytes, four to a vector.

use super::{GROUP, Groups};
use std::arch::x86_64::{
    __m128i, __m256i, _mm_loadu_si128, _mm256_and_si256, _mm256_castsi128_si256, _mm256_inserti128_si256,
    _mm256_loadu_si256, _mm256_set1_epi64x, _mm256_shuffle_epi8, _mm256_srlv_epi64, _mm256_storeu_si256,
};

/// An integer and the up to 7 bits before it in its first byte fit in a lane.
pub(super) const MAX_BITS: u32 = 57;

/// The positions of the eight integers of a group: for each pair its first byte, and for each
/// integer its bytes within the pair's 16 and the bits before it.
struct Plan {
    begin: [usize; 4],
    bytes: [[u8; 32]; 2],
    shifts: [[u64; 4]; 2],
}

impl Plan {
    fn new(bits: u32) -> Plan {
        let mut plan = Plan { begin: [0; 4], bytes: [[0; 32]; 2], shifts: [[0; 4]; 2] };
        for i in 0..GROUP {
            let pair = (i & !1) * bits as usize / 8;
            let bit = i * bits as usize - pair * 8;
            plan.begin[i / 2] = pair;
            plan.shifts[i / 4][i % 4] = (bit % 8) as u64;
            for byte in 0..8 {
                plan.bytes[i / 4][(i % 4) * 8 + byte] = (bit / 8 + byte) as u8;
            }
        }
        plan
    }
}

/// # Safety
/// The processor has AVX2. `REACH` bytes are readable from the start of each group. Integers have
/// at most [`MAX_BITS`] bits.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn unpack(groups: Groups<'_>) {
    let Groups { data, bits, out } = groups;
    let plan = Plan::new(bits);
    let mask = _mm256_set1_epi64x(((1u64 << bits) - 1).cast_signed());
    // SAFETY: the arrays have 32 bytes each, and the pairs' 16 bytes are within the first 58 bytes
    // of a group.
    unsafe {
        let load = |from: *const u8| _mm256_loadu_si256(from.cast::<__m256i>());
        let bytes = plan.bytes.map(|bytes| load(bytes.as_ptr()));
        let shifts = plan.shifts.map(|shifts| load(shifts.as_ptr().cast()));
        for (index, group) in out.iter_mut().enumerate() {
            let at = data.add(index * bits as usize);
            let pair = |i: usize| _mm_loadu_si128(at.add(plan.begin[i]).cast::<__m128i>());
            for half in 0..2 {
                let low = _mm256_castsi128_si256(pair(2 * half));
                let both = _mm256_inserti128_si256::<1>(low, pair(2 * half + 1));
                let lanes = _mm256_srlv_epi64(_mm256_shuffle_epi8(both, bytes[half]), shifts[half]);
                let to = group.as_mut_ptr().add(4 * half).cast::<__m256i>();
                _mm256_storeu_si256(to, _mm256_and_si256(lanes, mask));
            }
        }
    }
}
