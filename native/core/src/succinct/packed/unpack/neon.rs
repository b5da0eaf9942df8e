//! Unpacking with NEON: two integers from each 16 bytes, a vector each.

use super::{GROUP, Groups};
use std::arch::aarch64::{
    vandq_u64, vdupq_n_u64, vld1q_s64, vld1q_u8, vqtbl1q_u8, vreinterpretq_u64_u8, vshlq_u64, vst1q_u64,
};

/// An integer and the up to 7 bits before it in its first byte fit in a lane.
pub(super) const MAX_BITS: u32 = 57;

/// # Safety
/// `REACH` bytes are readable from the start of each group. Integers have at most [`MAX_BITS`]
/// bits.
#[target_feature(enable = "neon")]
pub(super) unsafe fn unpack(groups: Groups<'_>) {
    let Groups { data, bits, out } = groups;
    let mut begin = [0; 4];
    let mut bytes = [[0u8; 16]; 4];
    // A shift by a negative number is a shift to the right.
    let mut shifts = [[0i64; 2]; 4];
    for i in 0..GROUP {
        let pair = (i & !1) * bits as usize / 8;
        let bit = i * bits as usize - pair * 8;
        begin[i / 2] = pair;
        shifts[i / 2][i % 2] = -((bit % 8) as i64);
        for byte in 0..8 {
            bytes[i / 2][(i % 2) * 8 + byte] = (bit / 8 + byte) as u8;
        }
    }
    let mask = vdupq_n_u64((1u64 << bits) - 1);
    // SAFETY: the arrays have 16 bytes each, and the pairs' 16 bytes are within the first 58 bytes
    // of a group.
    unsafe {
        let bytes = bytes.map(|bytes| vld1q_u8(bytes.as_ptr()));
        let shifts = shifts.map(|shifts| vld1q_s64(shifts.as_ptr()));
        for (index, group) in out.iter_mut().enumerate() {
            let at = data.add(index * bits as usize);
            for pair in 0..4 {
                let both = vqtbl1q_u8(vld1q_u8(at.add(begin[pair])), bytes[pair]);
                let lanes = vshlq_u64(vreinterpretq_u64_u8(both), shifts[pair]);
                vst1q_u64(group.as_mut_ptr().add(2 * pair), vandq_u64(lanes, mask));
            }
        }
    }
}
