//! The view that also writes. A single bit is one store, and all other changes are rearrangements.
//!
//! Setting a bit takes one store, and pushing takes two (the bit, then the length). Other threads
//! therefore see each change as a whole, and a writer that is terminated leaves a valid region.
//! Range operations, set algebra and resizing make the sequence odd while they run.

use super::layout::{Meta, STEP, region_length, word};
use super::raw::{Parts, RawBits};
use crate::region::attach::check_room;
use crate::region::header;
use crate::region::numbers::{CHUNK, Numbers};
use crate::succinct::runs::{Kernels, Op};
use crate::{Error, Result};
use std::ops::Deref;
use std::sync::atomic::Ordering::{Relaxed, Release};

/// A view that also writes. Only one writer may exist at a time, on one thread.
#[derive(Debug)]
pub struct RawBitsMut {
    bits: RawBits,
}

impl Deref for RawBitsMut {
    type Target = RawBits;

    #[inline(always)]
    fn deref(&self) -> &RawBits {
        &self.bits
    }
}

impl RawBitsMut {
    /// Attaches to a bit vector for writing. Checks the header in constant time, and clears the
    /// region's checksum.
    ///
    /// # Safety
    /// As for [`RawBits::attach`]; the bytes are writable, and while the view is used no other view
    /// writes them.
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<RawBitsMut> {
        // SAFETY: the caller guarantees that `len` bytes at `base` are readable.
        let bits = unsafe { RawBits::attach(base, len) }?;
        let memory = bits.memory;
        // SAFETY: the memory is writable, and this is the only writer.
        unsafe { memory.clear_checksum() };
        Ok(RawBitsMut { bits })
    }

    #[inline(always)]
    fn put(&mut self, index: u64, bit: bool) {
        let word = self.word((index / 64) as usize);
        let mask = 1 << (index % 64);
        let old = word.load(Relaxed);
        word.store(if bit { old | mask } else { old & !mask }, Release);
    }

    /// Sets a bit to a value. `Range` past the end.
    #[inline]
    pub fn set(&mut self, index: u64, bit: bool) -> Result<()> {
        if index >= self.len() {
            return Err(past_the_end(index, self.len()));
        }
        self.put(index, bit);
        Ok(())
    }

    /// Inverts a bit, and returns its new value. `Range` past the end.
    #[inline]
    pub fn flip(&mut self, index: u64) -> Result<bool> {
        let bit = !self.get(index).ok_or_else(|| past_the_end(index, self.len()))?;
        self.put(index, bit);
        Ok(bit)
    }

    /// Appends a bit. Returns `false` if the region has no room for it.
    #[inline]
    pub fn push(&mut self, bit: bool) -> bool {
        let length = self.len();
        if length == self.capacity() {
            return false;
        }
        // Zeros are stored as well, because a terminated writer may have left a one here.
        self.put(length, bit);
        self.bits.meta.length = length + 1;
        // SAFETY: the memory is writable, and the length is at most the capacity.
        unsafe { self.memory.set_double_word(word::LENGTH, length + 1) };
        true
    }

    /// Runs a change of many words while the sequence is odd.
    fn rearrange(&mut self, change: impl FnOnce(&mut RawBitsMut)) {
        let memory = self.memory;
        // SAFETY: the memory is writable, and this is the only writer.
        unsafe { memory.change(|| change(self)) };
        self.bits.sequence = self.bits.sequence.wrapping_add(2);
    }

    /// Stores the bits of a word that are set in its mask.
    #[inline]
    fn merge(&mut self, part: Option<(usize, u64)>, value: impl Fn(usize, u64) -> u64) {
        if let Some((index, mask)) = part {
            let word = self.word(index);
            let old = word.load(Relaxed);
            word.store(old & !mask | value(index, old) & mask, Relaxed);
        }
    }

    fn store(&mut self, from: u64, to: u64, bit: bool) {
        let Parts { head, middle, tail } = Parts::of(from, to);
        let value = if bit { u64::MAX } else { 0 };
        self.merge(head, |_, _| value);
        // SAFETY: the whole words are below the capacity, and writable.
        unsafe { self.words.add(middle.start).write_bytes(value as u8, middle.len()) };
        self.merge(tail, |_, _| value);
    }

    /// Sets all bits of `from..to` to one value. `Range` unless that is within the bits.
    pub fn fill(&mut self, from: u64, to: u64, bit: bool) -> Result<()> {
        self.check_range(from, to)?;
        if from < to {
            self.rearrange(|bits| bits.store(from, to, bit));
        }
        Ok(())
    }

    /// Inverts all bits of `from..to`. `Range` unless that is within the bits.
    pub fn invert(&mut self, from: u64, to: u64) -> Result<()> {
        self.check_range(from, to)?;
        if from < to {
            self.rearrange(|bits| {
                let Parts { head, middle, tail } = Parts::of(from, to);
                bits.merge(head, |_, old| !old);
                // SAFETY: the whole words are below the capacity, and the processor supports the
                // kernels.
                unsafe { (Kernels::get().invert)(bits.words.add(middle.start), middle.len()) };
                bits.merge(tail, |_, old| !old);
            });
        }
        Ok(())
    }

    /// Combines the bits of `from..to` with those of `other` at the same positions, and stores the
    /// result here. Past its end `other` counts as zeros. No bit outside the range changes. `Range`
    /// unless the range is within these bits.
    ///
    /// `other` may be a view of the same region.
    pub fn combine(&mut self, op: Op, other: &RawBits, from: u64, to: u64) -> Result<()> {
        self.check_range(from, to)?;
        if from < to {
            self.rearrange(|bits| {
                let shared = to.min(other.len()).max(from);
                let Parts { head, middle, tail } = Parts::of(from, shared);
                let value = |index: usize, old: u64| op.apply(old, other.word(index).load(Relaxed));
                bits.merge(head, value);
                // SAFETY: the whole words are below both capacities, and the processor supports the
                // kernels. The two regions are identical or disjoint.
                unsafe {
                    let (into, from) = (bits.words.add(middle.start), other.words.add(middle.start));
                    (Kernels::get().combine)(op, into, from, middle.len());
                }
                bits.merge(tail, value);
                if op == Op::And {
                    bits.store(shared, to, false);
                }
            });
        }
        Ok(())
    }

    /// Changes the length, by appending zeros or by dropping bits. `Full` if the region has no room
    /// for that many bits.
    pub fn set_length(&mut self, length: u64) -> Result<()> {
        let Meta { length: before, capacity } = self.meta;
        if length > capacity {
            return Err(Error::full(format!("the region has room for {capacity} bits, not {length}")));
        }
        self.rearrange(|bits| {
            // All bits past the end are zero, except for one that a terminated writer may have
            // left.
            bits.store(length.min(before), (before + 1).min(capacity), false);
            bits.bits.meta.length = length;
            // SAFETY: the memory is writable, and the length is at most the capacity.
            unsafe { bits.memory.set_double_word(word::LENGTH, length) };
        });
        Ok(())
    }

    /// Changes the capacity of the region, rounded up to whole 64 bytes, to at least the number of
    /// bits. `Full` if the memory is too short.
    pub fn set_capacity(&mut self, capacity: u64) -> Result<()> {
        let capacity = capacity.max(self.len());
        let needed = region_length(capacity)?;
        check_room(needed as u64, self.memory.len())?;
        let capacity = capacity.next_multiple_of(STEP);
        self.rearrange(|bits| {
            let before = bits.capacity();
            if capacity > before {
                // SAFETY: the memory has room for the new words, whose contents are not used yet.
                unsafe {
                    let words = bits.words.add((before / 64) as usize);
                    words.write_bytes(0, ((capacity - before) / 64) as usize);
                }
            }
            bits.bits.meta.capacity = capacity;
            // SAFETY: the memory is writable, and this is the only writer.
            unsafe {
                bits.memory.set_double_word(word::CAPACITY, capacity);
                bits.memory.set_double_word(header::word::LENGTH, needed as u64);
            }
        });
        Ok(())
    }

    /// Sets the bits at many positions to one value. `Range`, with nothing changed, if one of the
    /// positions is invalid.
    pub fn set_many(&mut self, positions: &Numbers<'_>, bit: bool) -> Result<()> {
        let length = self.len();
        let mut chunk = [0; CHUNK];
        for from in (0..positions.len()).step_by(CHUNK) {
            if let Some(&wrong) = positions.read(from, &mut chunk)?.iter().find(|&&at| at >= length) {
                return Err(past_the_end(wrong, length));
            }
        }
        self.rearrange(|bits| {
            for from in (0..positions.len()).step_by(CHUNK) {
                // They were checked, but another thread may write them.
                let Ok(positions) = positions.read(from, &mut chunk) else { return };
                positions.iter().filter(|&&at| at < length).for_each(|&at| bits.put(at, bit));
            }
        });
        Ok(())
    }

    /// Copies whole bytes over the first bits. `Range` if there are more bytes than room.
    ///
    /// # Safety
    /// `bytes` is valid for reading `count` bytes.
    pub unsafe fn load(&mut self, bytes: *const u8, count: usize) -> Result<()> {
        let length = self.len();
        if count as u64 > length.div_ceil(8) {
            return Err(Error::range(format!("{count} bytes exceed the {length} bits")));
        }
        self.rearrange(|bits| {
            // SAFETY: `count` bytes are readable, as guaranteed by the caller, and the words have
            // room for them. Both may be in the same region.
            unsafe { std::ptr::copy(bytes, bits.words.cast::<u8>(), count) };
            if !length.is_multiple_of(8) {
                let end = length.next_multiple_of(8);
                bits.store(length, end, false);
            }
        });
        Ok(())
    }
}

#[cold]
fn past_the_end(index: u64, length: u64) -> Error {
    Error::range(format!("bit index out of range: {index}, of {length} bits"))
}

/// The length that includes all of these positions: one more than the largest. `Range` for an
/// invalid position.
pub fn length_for(positions: &Numbers<'_>) -> Result<u64> {
    let mut chunk = [0; CHUNK];
    let mut length = 0;
    for from in (0..positions.len()).step_by(CHUNK) {
        let largest = positions.read(from, &mut chunk)?.iter().fold(0, |largest, &at| largest.max(at));
        length = length.max(largest.saturating_add(1));
    }
    Ok(length)
}
