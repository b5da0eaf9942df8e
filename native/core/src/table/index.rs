//! The index: buckets of twelve tags, an overflow count and twelve positions, one cache line each.
//!
//! ```text
//! byte  0        12         16                                  64
//!       tags     overflow   position of lane t at word 4 + (t ^ 3)
//! ```
//!
//! A search loads the first 16 bytes of a bucket, compares all tags at once ([`Group`]), and then
//! the keys of the lanes that match (one in 127 does by chance); it ends at the first bucket whose
//! overflow is 0. Every search is bounded by the number of buckets, and every position is compared
//! with `used` before it is followed, so a hostile index can cause wrong results, but no access out
//! of bounds.

use super::group::{Group, LANES, first_lane};
use crate::region::memory::Memory;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// Bytes of an index bucket.
pub const BUCKET_BYTES: usize = 64;

const OVERFLOW: usize = 12;
const POSITIONS: usize = 16;

/// A lane of a bucket: the place of an entry in the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lane {
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
    /// The index of `buckets` buckets at a byte offset.
    ///
    /// # Safety
    /// All buckets are within the memory, and `offset` is a multiple of 64.
    #[inline]
    pub(crate) unsafe fn new(memory: Memory, offset: usize, buckets: u32) -> Index {
        // SAFETY: the caller guarantees that the buckets are within the memory.
        Index { base: unsafe { memory.at(offset) }, buckets }
    }

    /// The index of `buckets` buckets at an address.
    ///
    /// # Safety
    /// `base` is a multiple of 8. While the index is used, the buckets are readable, and writable
    /// if a method that writes is called.
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

    /// The bucket after this one; the first one follows the last.
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
        // SAFETY: callers pass offsets of words within a bucket, and do not keep the reference.
        unsafe { AtomicU32::from_ptr(self.address(bucket).add(offset).cast()) }
    }

    #[inline(always)]
    fn tag_byte(self, at: Lane) -> &'static AtomicU8 {
        debug_assert!(at.lane < LANES as u32);
        // SAFETY: the tag of a lane is within its bucket; callers do not keep the reference.
        unsafe { AtomicU8::from_ptr(self.address(at.bucket).add(at.lane as usize)) }
    }

    #[inline(always)]
    fn position_word(self, at: Lane) -> &'static AtomicU32 {
        debug_assert!(at.lane < LANES as u32);
        self.word(at.bucket, POSITIONS + 4 * (at.lane as usize ^ 3))
    }

    /// The position in a lane. It can be any number if the region is hostile.
    #[inline(always)]
    pub(crate) fn position(self, bucket: u32, lane: u32) -> u32 {
        self.position_word(Lane { bucket, lane }).load(Ordering::Relaxed)
    }

    /// The tag in a lane.
    pub(crate) fn tag(self, bucket: u32, lane: u32) -> u8 {
        self.tag_byte(Lane { bucket, lane }).load(Ordering::Relaxed)
    }

    /// The number of entries that passed this bucket because it was full.
    #[inline(always)]
    pub(crate) fn overflow(self, bucket: u32) -> u32 {
        self.word(bucket, OVERFLOW).load(Ordering::Relaxed)
    }

    /// Finds an entry: calls `same` with each position whose tag matches until it returns true.
    #[inline]
    pub(crate) fn find<G: Group>(
        self,
        home: u32,
        tag: u8,
        mut same: impl FnMut(u32) -> bool,
    ) -> Option<(Lane, u32)> {
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
    ) -> Option<(Lane, u32)> {
        let mut lanes = self.load::<G>(bucket).matches(tag);
        while lanes != 0 {
            let lane = lanes.trailing_zeros();
            let position = self.position(bucket, lane);
            if same(position) {
                return Some((Lane { bucket, lane }, position));
            }
            lanes &= lanes - 1;
        }
        None
    }

    /// `find` in the buckets after `bucket`, which does not contain the entry.
    #[inline(always)]
    pub(crate) fn find_beyond<G: Group>(
        self,
        mut bucket: u32,
        tag: u8,
        mut same: impl FnMut(u32) -> bool,
    ) -> Option<(Lane, u32)> {
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

    /// The first empty lane from a home bucket on, which is the lane for a new entry. `None` if
    /// there is none, which occurs in damaged indexes only.
    #[inline(always)]
    pub(crate) fn first_empty<G: Group>(self, home: u32) -> Option<Lane> {
        let mut bucket = home;
        for _ in 0..self.buckets {
            let empties = self.load::<G>(bucket).empties();
            if empties != 0 {
                return Some(Lane { bucket, lane: first_lane(empties) });
            }
            bucket = self.next(bucket);
        }
        None
    }

    /// Increments (or decrements, if `up` is false) the overflow counts that an entry contributes
    /// to: those of the buckets from its home to the one before its lane.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    #[inline(always)]
    pub(crate) unsafe fn adjust_overflow(self, home: u32, at: Lane, up: bool) {
        let mut bucket = home;
        while bucket != at.bucket {
            let count = self.overflow(bucket);
            // Saturating, because the counts of a damaged index may be too low.
            let count = if up { count.saturating_add(1) } else { count.saturating_sub(1) };
            self.word(bucket, OVERFLOW).store(count, Ordering::Release);
            bucket = self.next(bucket);
        }
    }

    /// Sets a lane: its position, then its tag, which makes it visible.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    #[inline(always)]
    pub(crate) unsafe fn set(self, at: Lane, tag: u8, position: u32) {
        self.position_word(at).store(position, Ordering::Release);
        self.tag_byte(at).store(tag, Ordering::Release);
    }

    /// Clears a lane.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    #[inline(always)]
    pub(crate) unsafe fn clear(self, at: Lane) {
        self.tag_byte(at).store(0, Ordering::Release);
    }
}
