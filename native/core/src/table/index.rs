//! The index: buckets of twelve tags, an overflow count and twelve positions, one cache line each.
//!
//! ```text
//! byte  0        12         16                                  64
//!       tags     overflow   position of lane t at word 4 + (t ^ 3)
//! ```
//!
//! A search loads the first 16 bytes of a bucket, tests all tags at once ([`Group`]), and looks at
//! the keys of the lanes that match (one in 127 does by chance); it ends at the first bucket whose
//! overflow is 0. Every walk is bounded by the number of buckets, and every position is compared
//! with `used` before it is followed, so a hostile index can mislead but not harm.
//!
//! There is one implementation of `Group` for each instruction set, and tests that run all of them.
//! Each is part of its architecture's base, so no choice is made at run time. Wider vectors have
//! nothing to do: a bucket's tags are 12 bytes.

use crate::region::memory::Memory;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// Bytes of an index bucket.
pub const BUCKET_BYTES: usize = 64;
/// Entries of an index bucket.
pub const LANES: usize = 12;

const ALL_LANES: u32 = (1 << LANES) - 1;
const OVERFLOW: usize = 12;
const POSITIONS: usize = 16;

/// The first 16 bytes of a bucket. Masks have bit t for lane t.
pub(crate) trait Group: Copy {
    /// Reads the 16 bytes, which another thread may be writing.
    ///
    /// # Safety
    /// They can be read, and `address` is a multiple of 8.
    unsafe fn load(address: *const u8) -> Self;
    /// The lanes with this tag.
    fn matches(self, tag: u8) -> u32;

    /// The lanes that are empty.
    #[inline(always)]
    fn empties(self) -> u32 {
        self.matches(0)
    }
}

/// Sixteen bytes by two atomic loads.
///
/// # Safety
/// As for `Group::load`.
#[inline(always)]
#[cfg_attr(
    all(target_arch = "x86_64", not(miri), not(test)),
    expect(dead_code, reason = "a vector load takes its place; tests run this one too")
)]
unsafe fn load_halves(address: *const u8) -> (u64, u64) {
    let half = |at: usize| {
        // SAFETY: within the 16 bytes, and aligned, by the caller's word.
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
        // In assembly, because for the compiler a plain load would be a data race, and two atomic
        // loads of 8 bytes with the shuffle that joins them measured 5% slower per lookup. SAFETY:
        // reads 16 bytes that the caller vouches for, and does nothing else.
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
        // SAFETY: the caller's word; SSE2 is part of x86-64.
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

/// Sixteen byte compares in one instruction; the mask is made by adding up a weight for each lane.
#[cfg(target_arch = "aarch64")]
#[derive(Clone, Copy)]
pub(crate) struct Neon(std::arch::aarch64::uint8x16_t);

#[cfg(target_arch = "aarch64")]
impl Group for Neon {
    #[inline(always)]
    unsafe fn load(address: *const u8) -> Neon {
        use std::arch::aarch64::{vcombine_u8, vcreate_u8};
        // SAFETY: the caller's word; NEON is part of AArch64.
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
    expect(dead_code, reason = "these targets have vectors; tests run this one too")
)]
pub(crate) struct Swar(u64, u64);

impl Group for Swar {
    #[inline(always)]
    unsafe fn load(address: *const u8) -> Swar {
        // SAFETY: the caller's word.
        let (low, high) = unsafe { load_halves(address) };
        Swar(low, high)
    }

    #[inline(always)]
    fn matches(self, tag: u8) -> u32 {
        const LOW_BITS: u64 = 0x7F7F_7F7F_7F7F_7F7F;
        let wanted = u64::from(tag) * 0x0101_0101_0101_0101;
        let mask = |bytes: u64| {
            let difference = bytes ^ wanted;
            // The high bit of a byte ends up set exactly if any bit of the byte was: no carry
            // crosses.
            let differs = ((difference & LOW_BITS) + LOW_BITS) | difference;
            let equal = !(differs | LOW_BITS) >> 7;
            // Gathers bit 8i of `equal` as bit i of the top byte.
            (equal.wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32
        };
        (mask(self.0) | mask(self.1) << 8) & ALL_LANES
    }
}

/// What searches use on this target.
#[cfg(target_arch = "x86_64")]
pub(crate) type Native = Sse2;
/// What searches use on this target.
#[cfg(target_arch = "aarch64")]
pub(crate) type Native = Neon;
/// What searches use on this target.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) type Native = Swar;

/// The first empty lane in the format's order, 3 7 11 2 6 10 1 5 9 0 4 8: by byte within the word
/// from the top, then by word. `empties` is not 0.
#[inline(always)]
pub(crate) fn first_empty(empties: u32) -> u32 {
    debug_assert!(empties != 0);
    // Selected without branches: which lanes are free is as good as random.
    let mut chosen = empties & 0x111;
    for lanes in [0x222, 0x444, 0x888] {
        let some = empties & lanes;
        chosen = if some != 0 { some } else { chosen };
    }
    chosen.trailing_zeros()
}

/// Where an entry stands in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) bucket: u32,
    pub(crate) lane: u32,
}

/// The index section of a region whose header was checked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Index {
    /// The first bucket.
    base: *mut u8,
    buckets: u32,
}

impl Index {
    /// The index of so many buckets at a byte offset.
    ///
    /// # Safety
    /// All of it lies within the memory, and `offset` is a multiple of 64.
    #[inline]
    pub(crate) unsafe fn new(memory: Memory, offset: usize, buckets: u32) -> Index {
        // SAFETY: the caller's word.
        Index { base: unsafe { memory.at(offset) }, buckets }
    }

    /// The index of so many buckets at an address.
    ///
    /// # Safety
    /// While it is used they can be read (and written, if something that writes is called), and
    /// start at a multiple of 8.
    #[inline]
    pub(crate) unsafe fn at(base: *mut u8, buckets: u32) -> Index {
        Index { base, buckets }
    }

    #[inline(always)]
    pub(crate) fn buckets(self) -> u32 {
        self.buckets
    }

    /// The address of a bucket.
    #[inline(always)]
    pub(crate) fn address(self, bucket: u32) -> *mut u8 {
        debug_assert!(bucket < self.buckets);
        // SAFETY: `bucket` is below the number of buckets, all of which are in the memory.
        unsafe { self.base.add(bucket as usize * BUCKET_BYTES) }
    }

    /// The bucket after this one; after the last comes the first.
    #[inline(always)]
    pub(crate) fn next(self, bucket: u32) -> u32 {
        if bucket + 1 == self.buckets { 0 } else { bucket + 1 }
    }

    /// The tags of a bucket.
    #[inline(always)]
    pub(crate) fn load<G: Group>(self, bucket: u32) -> G {
        // SAFETY: the bucket is in the memory, and 8-byte aligned because the memory is.
        unsafe { G::load(self.address(bucket)) }
    }

    #[inline(always)]
    fn word(self, bucket: u32, offset: usize) -> &'static AtomicU32 {
        // SAFETY: callers pass offsets of words within a bucket, and use the reference at once.
        unsafe { AtomicU32::from_ptr(self.address(bucket).add(offset).cast()) }
    }

    #[inline(always)]
    fn tag_byte(self, place: Place) -> &'static AtomicU8 {
        debug_assert!(place.lane < LANES as u32);
        // SAFETY: a lane's tag lies within its bucket; the reference is used at once.
        unsafe { AtomicU8::from_ptr(self.address(place.bucket).add(place.lane as usize)) }
    }

    #[inline(always)]
    fn position_word(self, place: Place) -> &'static AtomicU32 {
        debug_assert!(place.lane < LANES as u32);
        self.word(place.bucket, POSITIONS + 4 * (place.lane as usize ^ 3))
    }

    /// The position in a lane. Anything at all, if the region is hostile.
    #[inline(always)]
    pub(crate) fn position(self, bucket: u32, lane: u32) -> u32 {
        self.position_word(Place { bucket, lane }).load(Ordering::Relaxed)
    }

    /// The tag in a lane.
    pub(crate) fn tag(self, bucket: u32, lane: u32) -> u8 {
        self.tag_byte(Place { bucket, lane }).load(Ordering::Relaxed)
    }

    /// How many entries passed this bucket because it was full.
    #[inline(always)]
    pub(crate) fn overflow(self, bucket: u32) -> u32 {
        self.word(bucket, OVERFLOW).load(Ordering::Relaxed)
    }

    /// Looks for an entry: calls `same` with each position whose tag matches until it says yes.
    #[inline]
    pub(crate) fn find<G: Group>(
        self,
        home: u32,
        tag: u8,
        mut same: impl FnMut(u32) -> bool,
    ) -> Option<(Place, u32)> {
        let found = self.find_in::<G>(home, tag, &mut same);
        if found.is_some() { found } else { self.find_beyond::<G>(home, tag, same) }
    }

    /// `find` in one bucket.
    #[inline(always)]
    pub(crate) fn find_in<G: Group>(
        self,
        bucket: u32,
        tag: u8,
        mut same: impl FnMut(u32) -> bool,
    ) -> Option<(Place, u32)> {
        let mut lanes = self.load::<G>(bucket).matches(tag);
        while lanes != 0 {
            let lane = lanes.trailing_zeros();
            let position = self.position(bucket, lane);
            if same(position) {
                return Some((Place { bucket, lane }, position));
            }
            lanes &= lanes - 1;
        }
        None
    }

    /// `find` in the buckets after `bucket`, which did not have the entry.
    #[inline(always)]
    pub(crate) fn find_beyond<G: Group>(
        self,
        mut bucket: u32,
        tag: u8,
        mut same: impl FnMut(u32) -> bool,
    ) -> Option<(Place, u32)> {
        for _ in 1..self.buckets {
            if self.overflow(bucket) == 0 {
                return None;
            }
            bucket = self.next(bucket);
            let found = self.find_in::<G>(bucket, tag, &mut same);
            if found.is_some() {
                return found;
            }
        }
        None
    }

    /// Where an entry that is absent would go: the first empty lane from its home bucket on. `None`
    /// if the index has none, as only a damaged one has.
    #[inline(always)]
    pub(crate) fn vacancy<G: Group>(self, home: u32) -> Option<Place> {
        let mut bucket = home;
        for _ in 0..self.buckets {
            let empties = self.load::<G>(bucket).empties();
            if empties != 0 {
                return Some(Place { bucket, lane: first_empty(empties) });
            }
            bucket = self.next(bucket);
        }
        None
    }

    /// Counts an entry's passing (or, `up` being false, that it is gone) in the buckets from its
    /// home to the one before its place.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    #[inline(always)]
    pub(crate) unsafe fn count_passing(self, home: u32, place: Place, up: bool) {
        let mut bucket = home;
        while bucket != place.bucket {
            let count = self.overflow(bucket);
            // Saturating: in a damaged index counts may be lower than the entries they stand for.
            let count = if up { count.saturating_add(1) } else { count.saturating_sub(1) };
            self.word(bucket, OVERFLOW).store(count, Ordering::Release);
            bucket = self.next(bucket);
        }
    }

    /// Fills a lane: its position, then its tag, which makes it visible.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    #[inline(always)]
    pub(crate) unsafe fn fill(self, place: Place, tag: u8, position: u32) {
        self.position_word(place).store(position, Ordering::Release);
        self.tag_byte(place).store(tag, Ordering::Release);
    }

    /// Empties a lane.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    #[inline(always)]
    pub(crate) unsafe fn vacate(self, place: Place) {
        self.tag_byte(place).store(0, Ordering::Release);
    }
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
        fn every_group_finds_the_same_lanes(
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
            let lane = first_empty(empties);
            order.push(lane);
            empties &= !(1 << lane);
        }
        assert_eq!(order, [3, 7, 11, 2, 6, 10, 1, 5, 9, 0, 4, 8]);
    }
}
