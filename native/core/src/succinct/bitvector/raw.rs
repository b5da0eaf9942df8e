//! The checked view of a bit vector: single bits, counting, search.
//!
//! Attaching checks the header once. After that, all operations use the private copy of the counts.
//! Contents that are hostile, or that change at the same time, therefore give wrong answers, but
//! never a read out of bounds.
//!
//! Cost: one load for a bit. Counting and searching are limited by memory from about 32 KiB on (see
//! [`crate::succinct::runs`]).

use super::layout::Meta;
use crate::region::attach::RegionKind;
use crate::region::header::HEADER_BYTES;
use crate::region::memory::Memory;
use crate::region::numbers::{CHUNK, NumbersMut};
use crate::region::sequence::READ_TIMEOUT;
use crate::succinct::runs::Kernels;
use crate::succinct::runs::generic;
use crate::{Error, ErrorKind, Result};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// A view of bits in memory that another thread may be writing.
#[derive(Clone, Copy, Debug)]
pub struct RawBits {
    pub(super) memory: Memory,
    pub(super) words: *mut u64,
    pub(super) meta: Meta,
    pub(super) sequence: u32,
}

/// The bits of a range in its first and last word, and the whole words between them.
pub(super) struct Parts {
    /// Word and mask of the first bits, unless they fill a word.
    pub(super) head: Option<(usize, u64)>,
    /// Whole words.
    pub(super) middle: Range<usize>,
    /// Word and mask of the last bits, unless they fill a word or are in the first one.
    pub(super) tail: Option<(usize, u64)>,
}

impl Parts {
    #[inline]
    pub(super) fn of(from: u64, to: u64) -> Parts {
        if from >= to {
            // Not even a word with an empty mask, which may be past the end.
            return Parts { head: None, middle: 0..0, tail: None };
        }
        let (first, last) = ((from / 64) as usize, (to / 64) as usize);
        let (from, to) = (from % 64, to % 64);
        let tail_mask = (1u64 << to) - 1;
        if from == 0 {
            return Parts { head: None, middle: first..last, tail: (to != 0).then_some((last, tail_mask)) };
        }
        let head_mask = u64::MAX << from;
        if first == last {
            return Parts { head: Some((first, head_mask & tail_mask)), middle: 0..0, tail: None };
        }
        Parts {
            head: Some((first, head_mask)),
            middle: first + 1..last,
            tail: (to != 0).then_some((last, tail_mask)),
        }
    }
}

impl RawBits {
    /// Attaches to the bit vector in `len` bytes at `base`. Checks the header in constant time.
    ///
    /// # Safety
    /// While the view or a copy of it is used, `base` is valid for reading `len` bytes. Another
    /// thread may write them according to the format.
    #[inline]
    pub unsafe fn attach(base: *const u8, len: usize) -> Result<RawBits> {
        // SAFETY: the caller guarantees that `len` bytes at `base` are readable.
        unsafe { RawBits::attach_shared(base, len, Duration::ZERO) }
    }

    /// `attach` for readers of a region that another thread owns. Waits up to `timeout` for a
    /// rearrangement to end. `Locked` if that takes longer, because its writer was terminated.
    ///
    /// # Safety
    /// As for `attach`.
    pub unsafe fn attach_shared(base: *const u8, len: usize, timeout: Duration) -> Result<RawBits> {
        // SAFETY: the caller guarantees that `len` bytes at `base` are readable. Readers do not
        // write through the view.
        let memory = unsafe { Memory::new(base.cast_mut(), len) }?;
        RawBits::read(memory, timeout)
    }

    fn read(memory: Memory, timeout: Duration) -> Result<RawBits> {
        let (_, meta, sequence) = Meta::read_shared(memory, timeout)?;
        // SAFETY: the header's check ensured that the words are within the memory.
        let words = unsafe { memory.at(HEADER_BYTES) }.cast();
        Ok(RawBits { memory, words, meta, sequence })
    }

    /// The number of bits.
    #[inline(always)]
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a vector without bits is no special case to anyone")]
    pub fn len(&self) -> u64 {
        self.meta.length
    }

    /// The number of bits that the region has room for.
    #[inline(always)]
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.meta.capacity
    }

    /// Bytes of the region. The memory may be longer.
    #[inline]
    #[must_use]
    pub fn region_length(&self) -> usize {
        HEADER_BYTES + (self.meta.capacity / 8) as usize
    }

    /// The memory.
    #[inline]
    #[must_use]
    pub fn memory(&self) -> Memory {
        self.memory
    }

    /// Repeats `read` until no rearrangement happened at the same time: for readers of a region
    /// that another thread owns.
    #[inline]
    pub fn consistent<T>(mut self, mut read: impl FnMut(&RawBits) -> T) -> Result<T> {
        loop {
            let result = read(&self);
            if !self.memory.read_retry(self.sequence) {
                return Ok(result);
            }
            self = RawBits::read(self.memory, READ_TIMEOUT).map_err(|error| match error.kind() {
                // The region was valid when this call began, so its owner has grown it past the
                // view.
                ErrorKind::Corrupt => Error::stale("the region grew past the attached bytes: attach again"),
                _ => error,
            })?;
        }
    }

    /// The words. `capacity / 64` of them are readable.
    #[inline(always)]
    #[must_use]
    pub fn words(&self) -> *const u64 {
        self.words
    }

    #[inline(always)]
    pub(super) fn word(&self, index: usize) -> &AtomicU64 {
        debug_assert!((index as u64) < self.meta.capacity / 64);
        // SAFETY: `index` is below the capacity in words, which the header's check limits to the
        // memory.
        unsafe { generic::word(self.words, index) }
    }

    /// Whether a bit is set; `None` past the end.
    #[inline(always)]
    #[must_use]
    pub fn get(&self, index: u64) -> Option<bool> {
        if index >= self.meta.length {
            return None;
        }
        Some(self.word((index / 64) as usize).load(Relaxed) >> (index % 64) & 1 == 1)
    }

    /// `Range` unless a range is within the bits.
    pub(super) fn check_range(&self, from: u64, to: u64) -> Result<()> {
        if from <= to && to <= self.meta.length {
            return Ok(());
        }
        let length = self.meta.length;
        Err(Error::range(format!("invalid range: {from} to {to} in a bit vector of {length} bits")))
    }

    /// The number of ones in `from..to`. `Range` unless that is within the bits.
    pub fn count(&self, from: u64, to: u64) -> Result<u64> {
        self.check_range(from, to)?;
        let parts = Parts::of(from, to);
        let edge = |part: Option<(usize, u64)>| {
            part.map_or(0, |(index, mask)| u64::from((self.word(index).load(Relaxed) & mask).count_ones()))
        };
        let middle = parts.middle;
        // SAFETY: the whole words are below the capacity, and the processor supports the kernels.
        let whole = unsafe { (Kernels::get().count)(self.words.add(middle.start), middle.len()) };
        Ok(edge(parts.head) + whole + edge(parts.tail))
    }

    /// The position of the first one at or after `from`, if there is one.
    #[inline]
    #[must_use]
    pub fn next_one(&self, from: u64) -> Option<u64> {
        self.next::<false>(from)
    }

    /// The position of the first zero at or after `from`, if there is one.
    #[inline]
    #[must_use]
    pub fn next_zero(&self, from: u64) -> Option<u64> {
        self.next::<true>(from)
    }

    #[inline]
    fn next<const ZERO: bool>(&self, from: u64) -> Option<u64> {
        let length = self.meta.length;
        if from >= length {
            return None;
        }
        let load = |index: usize| {
            let word = self.word(index).load(Relaxed);
            if ZERO { !word } else { word }
        };
        let end = length.div_ceil(64) as usize;
        let mut index = (from / 64) as usize;
        let mut word = load(index) & u64::MAX << (from % 64);
        while word == 0 {
            index += 1;
            if index == end {
                return None;
            }
            word = load(index);
        }
        let position = index as u64 * 64 + u64::from(word.trailing_zeros());
        (position < length).then_some(position)
    }

    /// The position of the last bit with the value `bit`, if there is one.
    #[must_use]
    pub fn last(&self, bit: bool) -> Option<u64> {
        let length = self.meta.length;
        let flip = if bit { 0 } else { u64::MAX };
        (0..length.div_ceil(64)).rev().find_map(|index| {
            let word = self.word(index as usize).load(Relaxed) ^ flip;
            let end = length - index * 64;
            let word = if end < 64 { word & ((1 << end) - 1) } else { word };
            word.checked_ilog2().map(|at| index * 64 + u64::from(at))
        })
    }

    /// Calls `each` with the positions of ones from `from` on, in order, until it returns false.
    pub fn for_each_one(&self, from: u64, mut each: impl FnMut(u64) -> bool) {
        let length = self.meta.length;
        if from >= length {
            return;
        }
        let mut mask = u64::MAX << (from % 64);
        for index in (from / 64) as usize..length.div_ceil(64) as usize {
            let mut word = self.word(index).load(Relaxed) & mask;
            mask = u64::MAX;
            while word != 0 {
                let position = index as u64 * 64 + u64::from(word.trailing_zeros());
                if position >= length || !each(position) {
                    return;
                }
                word &= word - 1;
            }
        }
    }

    /// Writes the positions of ones from `from` on, as many as fit in `out`, and returns their
    /// number. `Range` if the element type of `out` cannot represent every position.
    pub fn ones_into(&self, from: u64, out: &mut NumbersMut<'_>) -> Result<usize> {
        if !out.hold(64 - self.meta.length.leading_zeros()) {
            return Err(Error::range("the elements of out cannot represent every position"));
        }
        let (mut chunk, mut held, mut written) = ([0; CHUNK], 0, 0);
        let room = out.len();
        if room > 0 {
            self.for_each_one(from, |at| {
                chunk[held] = at;
                held += 1;
                if held == CHUNK {
                    out.write(written, &chunk);
                    (written, held) = (written + CHUNK, 0);
                }
                written + held < room
            });
        }
        out.write(written, &chunk[..held]);
        Ok(written + held)
    }

    /// The positions of ones, in order.
    pub fn ones(&self) -> impl Iterator<Item = u64> + use<> {
        let bits = *self;
        let mut next = 0;
        std::iter::from_fn(move || {
            let position = bits.next_one(next)?;
            next = position + 1;
            Some(position)
        })
    }

    /// Checks the contents: the checksum, if the region has one, that reserved words are zero, and
    /// that no bits past the end are set, except for the first, which a terminated writer may have
    /// left.
    ///
    /// Concurrent changes by another thread may make this fail.
    pub fn validate(&self) -> Result<()> {
        Meta::verify(self.memory)?;
        let Meta { length, capacity } = self.meta;
        let beyond = RawBits { meta: Meta { length: capacity, capacity }, ..*self };
        if length < capacity && beyond.count(length + 1, capacity)? != 0 {
            return Err(Error::corrupt("bits past the end of the bit vector are set"));
        }
        Ok(())
    }
}
