//! The view that also writes: single bits in small steps, everything else as a rearrangement.
//!
//! A single bit changes by one store, and a pushed one by two (the bit, then the length), so that
//! another thread sees each change whole and a writer that is stopped leaves a valid region.
//! Ranges, algebra and resizing make the sequence odd.

use super::layout::{Meta, STEP, check_room, region_length, word};
use super::raw::{Parts, RawBits};
use crate::region::header;
use crate::region::numbers::{CHUNK, Numbers};
use crate::succinct::runs::{Kernels, Op};
use crate::{Error, Result};
use std::ops::Deref;
use std::sync::atomic::Ordering::{Relaxed, Release};

/// A view that also writes. There is one writer at a time, on one thread.
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
    /// Attaches to a bit vector for writing: checks the header in constant time and withdraws the
    /// region's checksum.
    ///
    /// # Safety
    /// As for [`RawBits::attach`]; the bytes are writable, and while the view is used no other view
    /// writes them.
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<RawBitsMut> {
        // SAFETY: the caller's word.
        let bits = unsafe { RawBits::attach(base, len) }?;
        let memory = bits.memory;
        // SAFETY: the memory is writable and this is the only writer.
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

    /// Inverts a bit and returns what it is then. `Range` past the end.
    #[inline]
    pub fn flip(&mut self, index: u64) -> Result<bool> {
        let bit = !self.get(index).ok_or_else(|| past_the_end(index, self.len()))?;
        self.put(index, bit);
        Ok(bit)
    }

    /// Appends a bit, if the region has room for it; else `false`.
    #[inline]
    pub fn push(&mut self, bit: bool) -> bool {
        let length = self.len();
        if length == self.capacity() {
            return false;
        }
        // Zeros too: a writer that was stopped may have left a one here.
        self.put(length, bit);
        self.bits.meta.length = length + 1;
        // SAFETY: the view writes; the length is at most the capacity.
        unsafe { self.memory.set_double_word(word::LENGTH, length + 1) };
        true
    }

    /// Runs what changes many words, with the sequence odd meanwhile.
    fn rearrange(&mut self, change: impl FnOnce(&mut RawBitsMut)) {
        let memory = self.memory;
        // SAFETY: the view writes, and is the only one that does.
        unsafe { memory.change(|| change(self)) };
        self.bits.sequence = self.bits.sequence.wrapping_add(2);
    }

    /// Stores into the bits of a word that `mask` has.
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
        // SAFETY: whole words below the capacity; the view writes.
        unsafe { self.words.add(middle.start).write_bytes(value as u8, middle.len()) };
        self.merge(tail, |_, _| value);
    }

    /// Gives all bits of `from..to` one value. `Range` if that is not within the bits.
    pub fn fill(&mut self, from: u64, to: u64, bit: bool) -> Result<()> {
        self.check_range(from, to)?;
        if from < to {
            self.rearrange(|bits| bits.store(from, to, bit));
        }
        Ok(())
    }

    /// Inverts all bits of `from..to`. `Range` if that is not within the bits.
    pub fn invert(&mut self, from: u64, to: u64) -> Result<()> {
        self.check_range(from, to)?;
        if from < to {
            self.rearrange(|bits| {
                let Parts { head, middle, tail } = Parts::of(from, to);
                bits.merge(head, |_, old| !old);
                // SAFETY: whole words below the capacity; the kernels are those of this processor.
                unsafe { (Kernels::get().invert)(bits.words.add(middle.start), middle.len()) };
                bits.merge(tail, |_, old| !old);
            });
        }
        Ok(())
    }

    /// Combines the bits of `from..to` with those of `other` at the same positions, into these.
    /// Past its end `other` counts as zeros. No bit outside the range changes. `Range` if it is not
    /// within these bits.
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
                // SAFETY: whole words below both capacities; the kernels are those of this
                // processor. Regions are the same or apart.
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

    /// Makes the vector longer, by zeros, or shorter. `Full` if the region has no room for that
    /// many bits.
    pub fn set_length(&mut self, length: u64) -> Result<()> {
        let Meta { length: before, capacity } = self.meta;
        if length > capacity {
            return Err(Error::full(format!("the region has room for {capacity} bits, not {length}")));
        }
        self.rearrange(|bits| {
            // Past the end all is zero, but for a bit that a stopped writer may have left.
            bits.store(length.min(before), (before + 1).min(capacity), false);
            bits.bits.meta.length = length;
            // SAFETY: the view writes; the length is at most the capacity.
            unsafe { bits.memory.set_double_word(word::LENGTH, length) };
        });
        Ok(())
    }

    /// Gives the region room for so many bits, rounded up to whole 64 bytes, at least as many as
    /// there are. `Full` if the memory is too short for that.
    pub fn set_capacity(&mut self, capacity: u64) -> Result<()> {
        let capacity = capacity.max(self.len());
        let needed = region_length(capacity)?;
        check_room(needed, self.memory.len())?;
        let capacity = capacity.next_multiple_of(STEP);
        self.rearrange(|bits| {
            let before = bits.capacity();
            if capacity > before {
                // SAFETY: there is room for the new words; what they hold means nothing yet.
                unsafe {
                    let words = bits.words.add((before / 64) as usize);
                    words.write_bytes(0, ((capacity - before) / 64) as usize);
                }
            }
            bits.bits.meta.capacity = capacity;
            // SAFETY: the view writes.
            unsafe {
                bits.memory.set_double_word(word::CAPACITY, capacity);
                bits.memory.set_double_word(header::word::LENGTH, needed as u64);
            }
        });
        Ok(())
    }

    /// Gives the bits at many positions one value. `Range` if one is no position; nothing is
    /// changed then.
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
                // They were looked at, but another thread may write them.
                let Ok(positions) = positions.read(from, &mut chunk) else { return };
                positions.iter().filter(|&&at| at < length).for_each(|&at| bits.put(at, bit));
            }
        });
        Ok(())
    }

    /// Copies whole bytes of bits over the first ones. `Range` if they are more than there is room
    /// for.
    ///
    /// # Safety
    /// `bytes` is valid for reading `count` bytes.
    pub unsafe fn load(&mut self, bytes: *const u8, count: usize) -> Result<()> {
        let length = self.len();
        if count as u64 > length.div_ceil(8) {
            return Err(Error::range(format!("{count} bytes are too many for {length} bits")));
        }
        self.rearrange(|bits| {
            // SAFETY: the caller's word, and there are so many bytes of words. They may be those of
            // the same region.
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
    Error::range(format!("there is no bit {index} in a bit vector of {length}"))
}

/// The length that has all of these positions: one more than the largest. `Range` for what is no
/// position.
pub fn length_for(positions: &Numbers<'_>) -> Result<u64> {
    let mut chunk = [0; CHUNK];
    let mut length = 0;
    for from in (0..positions.len()).step_by(CHUNK) {
        let largest = positions.read(from, &mut chunk)?.iter().fold(0, |largest, &at| largest.max(at));
        length = length.max(largest.saturating_add(1));
    }
    Ok(length)
}
