//! The tags of a bucket, compared all at once: one implementation for each instruction set.
//!
//! Each implementation is part of its architecture's baseline, so nothing is chosen at run time.
//! Wider vectors would not help: a bucket has 12 bytes of tags.

use std::sync::atomic::{AtomicU64, Ordering};

/// Entries of a bucket.
pub const LANES: usize = 12;

const ALL_LANES: u32 = (1 << LANES) - 1;

/// The first 16 bytes of a bucket. Masks have bit t for lane t.
pub(crate) trait Group: Copy {
    /// Reads the 16 bytes, which another thread may be writing.
    ///
    /// # Safety
    /// They are readable, and `address` is a multiple of 8.
    unsafe fn load(address: *const u8) -> Self;
    /// The lanes with this tag.
    fn matches(self, tag: u8) -> u32;

    /// The lanes that are empty.
    #[inline(always)]
    fn empties(self) -> u32 {
        self.matches(0)
    }
}

/// Loads sixteen bytes by two atomic loads.
///
/// # Safety
/// As for `Group::load`.
#[inline(always)]
#[cfg_attr(
    all(target_arch = "x86_64", not(miri), not(test)),
    expect(dead_code, reason = "replaced by a vector load; tests run this one too")
)]
unsafe fn load_halves(address: *const u8) -> (u64, u64) {
    let half = |at: usize| {
        // SAFETY: within the 16 bytes, which the caller guarantees to be readable and aligned.
        unsafe { AtomicU64::from_ptr(address.add(at).cast_mut().cast()) }.load(Ordering::Relaxed)
    };
    (half(0), half(8))
}

/// Sixteen byte compares in one instruction.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
pub(crate) struct Sse2(std::arch::x86_64::__m128i);

#[cfg(target_arch = "x86_64")]
impl Group for Sse2 {
    #[inline(always)]
    #[cfg(not(miri))]
    unsafe fn load(address: *const u8) -> Sse2 {
        let bytes;
        // In assembly, because a plain load would be a data race for the compiler, and two atomic
        // loads of 8 bytes with the shuffle that joins them measured 5% slower per lookup.
        // SAFETY: reads the 16 bytes that the caller guarantees to be readable, and does nothing
        // else.
        unsafe {
            std::arch::asm!(
                "movdqu {bytes}, [{address}]",
                address = in(reg) address,
                bytes = lateout(xmm_reg) bytes,
                options(pure, readonly, nostack, preserves_flags),
            );
        }
        Sse2(bytes)
    }

    #[cfg(miri)]
    unsafe fn load(address: *const u8) -> Sse2 {
        // SAFETY: the caller guarantees that the 16 bytes are readable; SSE2 is part of x86-64.
        unsafe {
            let (low, high) = load_halves(address);
            Sse2(std::arch::x86_64::_mm_set_epi64x(high.cast_signed(), low.cast_signed()))
        }
    }

    #[inline(always)]
    fn matches(self, tag: u8) -> u32 {
        use std::arch::x86_64::{_mm_cmpeq_epi8, _mm_movemask_epi8, _mm_set1_epi8};
        // SAFETY: SSE2 is part of x86-64.
        let mask = unsafe { _mm_movemask_epi8(_mm_cmpeq_epi8(self.0, _mm_set1_epi8(tag.cast_signed()))) };
        mask.cast_unsigned() & ALL_LANES
    }
}

/// Sixteen byte compares in one instruction; the mask is the sum of a weight for each lane.
#[cfg(target_arch = "aarch64")]
#[derive(Clone, Copy)]
pub(crate) struct Neon(std::arch::aarch64::uint8x16_t);

#[cfg(target_arch = "aarch64")]
impl Group for Neon {
    #[inline(always)]
    unsafe fn load(address: *const u8) -> Neon {
        use std::arch::aarch64::{vcombine_u8, vcreate_u8};
        // SAFETY: the caller guarantees that the 16 bytes are readable; NEON is part of AArch64.
        unsafe {
            let (low, high) = load_halves(address);
            Neon(vcombine_u8(vcreate_u8(low), vcreate_u8(high)))
        }
    }

    #[inline(always)]
    fn matches(self, tag: u8) -> u32 {
        use std::arch::aarch64::{
            vaddv_u8, vand_u8, vceqq_u8, vcreate_u8, vdupq_n_u8, vget_high_u8, vget_low_u8,
        };
        // SAFETY: NEON is part of AArch64.
        unsafe {
            let equal = vceqq_u8(self.0, vdupq_n_u8(tag));
            let weights = vcreate_u8(0x8040_2010_0804_0201);
            let low = vaddv_u8(vand_u8(vget_low_u8(equal), weights));
            let high = vaddv_u8(vand_u8(vget_high_u8(equal), weights));
            (u32::from(low) | u32::from(high) << 8) & ALL_LANES
        }
    }
}

/// Portable: eight bytes at a time in 64-bit arithmetic.
#[derive(Clone, Copy)]
#[cfg_attr(
    all(any(target_arch = "x86_64", target_arch = "aarch64"), not(test)),
    expect(dead_code, reason = "these targets use vectors; tests run this one too")
)]
pub(crate) struct Swar(u64, u64);

impl Group for Swar {
    #[inline(always)]
    unsafe fn load(address: *const u8) -> Swar {
        // SAFETY: the caller guarantees that the 16 bytes are readable.
        let (low, high) = unsafe { load_halves(address) };
        Swar(low, high)
    }

    #[inline(always)]
    fn matches(self, tag: u8) -> u32 {
        const LOW_BITS: u64 = 0x7F7F_7F7F_7F7F_7F7F;
        let wanted = u64::from(tag) * 0x0101_0101_0101_0101;
        let mask = |bytes: u64| {
            let difference = bytes ^ wanted;
            // The high bit of a byte becomes set exactly if any bit of the byte was set: no carry
            // crosses a byte.
            let differs = ((difference & LOW_BITS) + LOW_BITS) | difference;
            let equal = !(differs | LOW_BITS) >> 7;
            // Gathers bit 8i of `equal` into bit i of the top byte.
            (equal.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
        };
        (mask(self.0) | mask(self.1) << 8) & ALL_LANES
    }
}

/// The implementation for this target.
#[cfg(target_arch = "x86_64")]
pub(crate) type Native = Sse2;
/// The implementation for this target.
#[cfg(target_arch = "aarch64")]
pub(crate) type Native = Neon;
/// The implementation for this target.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) type Native = Swar;

/// The first empty lane in the format's order, 3 7 11 2 6 10 1 5 9 0 4 8: by byte within the word
/// from the top, then by word. `empties` is not 0.
#[inline(always)]
pub(crate) fn first_lane(empties: u32) -> u32 {
    debug_assert!(empties != 0);
    // Selected without branches, because the free lanes are practically random.
    let mut chosen = empties & 0x111;
    for lanes in [0x222, 0x444, 0x888] {
        let some = empties & lanes;
        chosen = if some != 0 { some } else { chosen };
    }
    chosen.trailing_zeros()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn reference(tags: [u8; 16], tag: u8) -> u32 {
        (0..LANES).filter(|&lane| tags[lane] == tag).fold(0, |mask, lane| mask | 1 << lane)
    }

    fn masks<G: Group>(tags: [u8; 16], tag: u8) -> (u32, u32) {
        let words = [0, 8].map(|at| u64::from_le_bytes(tags[at..at + 8].try_into().unwrap()));
        // SAFETY: two words are 16 aligned bytes.
        let group = unsafe { G::load(words.as_ptr().cast()) };
        (group.matches(tag), group.empties())
    }

    proptest! {
        #[test]
        fn all_groups_find_the_same_lanes(
            tags: [u8; 16],
            few in prop::array::uniform16(0u8..3),
            tag: u8,
            few_tag in 0u8..3,
        ) {
            for (tags, tag) in [(tags, tag), (few, few_tag), (tags, tags[5])] {
                let expected = (reference(tags, tag), reference(tags, 0));
                prop_assert_eq!(masks::<Swar>(tags, tag), expected);
                prop_assert_eq!(masks::<Native>(tags, tag), expected);
            }
        }
    }

    #[test]
    fn lanes_fill_in_the_order_of_the_format() {
        let mut empties = ALL_LANES;
        let mut order = vec![];
        while empties != 0 {
            let lane = first_lane(empties);
            order.push(lane);
            empties &= !(1 << lane);
        }
        assert_eq!(order, [3, 7, 11, 2, 6, 10, 1, 5, 9, 0, 4, 8]);
    }
}
