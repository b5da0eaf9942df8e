//! NEON: eight bytes at a time, in two halves.

use super::{POWERS, Run, rest};
use std::arch::aarch64::*;

const GROUP: usize = 8;

/// The weighted prefix sums of the lanes.
#[inline]
#[target_feature(enable = "neon")]
fn prefix(x: uint32x4_t) -> uint32x4_t {
    let zero = vdupq_n_u32(0);
    let x = vmlaq_n_u32(x, vextq_u32::<3>(zero, x), POWERS[0]);
    vmlaq_n_u32(x, vextq_u32::<2>(zero, x), POWERS[1])
}

/// The changes that four incoming and four outgoing bytes make.
#[inline]
#[target_feature(enable = "neon")]
fn change(incoming: uint16x4_t, outgoing: uint16x4_t, weight: u32) -> uint32x4_t {
    let one = vdupq_n_u32(1);
    vmlsq_n_u32(vaddw_u16(one, incoming), vaddw_u16(one, outgoing), weight)
}

/// See [`super::scan`].
#[target_feature(enable = "neon")]
pub(super) fn scan(run: &Run<'_>) -> (Option<usize>, u32) {
    let most = vdupq_n_u32(run.most);
    let (incoming, _) = run.incoming.as_chunks::<GROUP>();
    let (outgoing, _) = run.outgoing.as_chunks::<GROUP>();
    // SAFETY: `POWERS` has sixteen elements.
    let (near, far) = unsafe { (vld1q_u32(POWERS.as_ptr()), vld1q_u32(POWERS[4..].as_ptr())) };
    let mut hash = run.hash;
    let mut at = 0;
    for (incoming, outgoing) in incoming.iter().zip(outgoing) {
        // SAFETY: each chunk has eight bytes.
        let (incoming, outgoing) =
            unsafe { (vmovl_u8(vld1_u8(incoming.as_ptr())), vmovl_u8(vld1_u8(outgoing.as_ptr()))) };
        let low = prefix(change(vget_low_u16(incoming), vget_low_u16(outgoing), run.weight));
        let high = prefix(change(vget_high_u16(incoming), vget_high_u16(outgoing), run.weight));
        let high = vmlaq_n_u32(high, near, vgetq_lane_u32::<3>(low));
        // Only this step depends on the previous group.
        let (low, high) = (vmlaq_n_u32(low, near, hash), vmlaq_n_u32(high, far, hash));
        if vmaxvq_u32(vorrq_u32(vcleq_u32(low, most), vcleq_u32(high, most))) != 0 {
            break;
        }
        hash = vgetq_lane_u32::<3>(high);
        at += GROUP;
    }
    rest(run, at, hash)
}
