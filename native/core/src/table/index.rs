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

use super::group::{Group, LANES, first_lane};
use crate::region::memory::Memory;
use std::sync::atomic::{AtomicU8, AtomicU32, Ordering};

/// Bytes of an index bucket.
pub const BUCKET_BYTES: usize = 64;

const OVERFLOW: usize = 12;
const POSITIONS: usize = 16;

/// Where an entry stands in the index.
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
    fn tag_byte(self, at: Lane) -> &'static AtomicU8 {
        debug_assert!(at.lane < LANES as u32);
        // SAFETY: a lane's tag lies within its bucket; the reference is used at once.
        unsafe { AtomicU8::from_ptr(self.address(at.bucket).add(at.lane as usize)) }
    }

    #[inline(always)]
    fn position_word(self, at: Lane) -> &'static AtomicU32 {
        debug_assert!(at.lane < LANES as u32);
        self.word(at.bucket, POSITIONS + 4 * (at.lane as usize ^ 3))
    }

    /// The position in a lane. Anything at all, if the region is hostile.
    #[inline(always)]
    pub(crate) fn position(self, bucket: u32, lane: u32) -> u32 {
        self.position_word(Lane { bucket, lane }).load(Ordering::Relaxed)
    }

    /// The tag in a lane.
    pub(crate) fn tag(self, bucket: u32, lane: u32) -> u8 {
        self.tag_byte(Lane { bucket, lane }).load(Ordering::Relaxed)
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

    /// `find` in the buckets after `bucket`, which did not have the entry.
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

    /// Where an entry that is absent would go: the first empty lane from its home bucket on. `None`
    /// if the index has none, as only a damaged one has.
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

    /// Counts an entry's passing (or, `up` being false, that it is gone) in the buckets from its
    /// home to the one before its place.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    #[inline(always)]
    pub(crate) unsafe fn adjust_overflow(self, home: u32, at: Lane, up: bool) {
        let mut bucket = home;
        while bucket != at.bucket {
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
    pub(crate) unsafe fn set(self, at: Lane, tag: u8, position: u32) {
        self.position_word(at).store(position, Ordering::Release);
        self.tag_byte(at).store(tag, Ordering::Release);
    }

    /// Empties a lane.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    #[inline(always)]
    pub(crate) unsafe fn clear(self, at: Lane) {
        self.tag_byte(at).store(0, Ordering::Release);
    }
}
