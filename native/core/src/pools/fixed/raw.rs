//! A checked view of a FixedPool's region: alloc, free and statistics.
//!
//! Attaching checks the header and keeps private copies of all numbers that bound memory accesses.
//! The contents of lists are checked as they are read, so damaged bytes result in errors or wrong
//! blocks, but never in an access out of bounds, or, because no operation walks a list, in an
//! endless loop.
//!
//! Stores are ordered so that a thread that ends between two of them loses at most one block: a
//! taken block leaves its list first, and a freed one enters it last.

use super::layout::{ALLOCATED, GUARDS, LINK, Shape, ZERO_ON_FREE, class_word, word};
use crate::pools::errors::{foreign, freed, overrun};
use crate::pools::guard::{self, GUARD_BYTES};
use crate::region::attach::RegionKind;
use crate::region::header::HEADER_BYTES;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// A pool in borrowed memory.
#[derive(Clone, Debug)]
pub struct RawFixedPool {
    pub(super) memory: Memory,
    /// 1 + the largest request for which the fast path suffices: in pools of one class without
    /// options; else 0.
    plain: u64,
    unit_bytes: u64,
    /// The binary logarithm of the unit size if that is a power of two; else 64.
    shift: u32,
    units: u32,
    unit_words: usize,
    pub(super) shape: Shape,
}

/// Statistics of a pool. Sizes are in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Total size that blocks can have.
    pub capacity: u64,
    /// Total size of the allocated blocks.
    pub used: u64,
    /// The maximum of `used`.
    pub peak: u64,
    /// Number of allocated blocks.
    pub blocks: u32,
    /// Failed requests, modulo 2^32.
    pub failures: u32,
}

impl RawFixedPool {
    /// Attaches to the pool in `len` bytes at `base`: checks the header in constant time.
    ///
    /// # Safety
    /// While the view is used, `base` is valid for reading and writing `len` bytes, and no other
    /// thread allocates or frees in this pool.
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<RawFixedPool> {
        // SAFETY: `base` is valid for `len` bytes, guaranteed by the caller.
        let memory = unsafe { Memory::new(base, len) }?;
        let (_, shape) = Shape::read(memory)?;
        Ok(RawFixedPool::new(memory, shape))
    }

    /// Creates an empty pool in `len` bytes at `base`. `Full` if they are too few.
    ///
    /// # Safety
    /// As for `attach`.
    pub unsafe fn init(base: *mut u8, len: usize, shape: Shape) -> Result<RawFixedPool> {
        // SAFETY: `base` is valid for `len` bytes, guaranteed by the caller.
        let memory = unsafe { Memory::new(base, len) }?;
        if shape.length > len as u64 {
            return Err(Error::full(format!("a pool of {} bytes does not fit into {len}", shape.length)));
        }
        // SAFETY: the memory is long enough, and the caller guarantees that no other thread uses
        // it.
        unsafe { shape.write(memory, false) };
        Ok(RawFixedPool::new(memory, shape))
    }

    /// A view with a shape that was already checked.
    pub(in crate::pools) fn new(memory: Memory, shape: Shape) -> RawFixedPool {
        let smallest = shape.class(0).size;
        let plain = shape.last() == 0 && shape.options == 0;
        RawFixedPool {
            memory,
            plain: if plain { u64::from(smallest) + 1 } else { 0 },
            unit_bytes: u64::from(smallest),
            shift: if smallest.is_power_of_two() { smallest.trailing_zeros() } else { 64 },
            units: shape.units,
            unit_words: shape.unit_words,
            shape,
        }
    }

    /// The properties that never change.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The first byte of the data: offset 0.
    #[inline]
    #[must_use]
    pub fn data(&self) -> *mut u8 {
        // SAFETY: a checked shape's sections lie within the memory.
        unsafe { self.memory.at(self.shape.data) }
    }

    /// Allocates a block of at least `bytes` bytes and returns its offset. `Full` if there is no
    /// room.
    #[inline(always)]
    pub fn alloc(&mut self, bytes: u64) -> Result<u64> {
        match self.try_alloc(bytes)? {
            Some(offset) => Ok(offset),
            None => Err(no_room()),
        }
    }

    /// As `alloc`, but `None` if there is no room. Fails only if bytes are damaged.
    #[inline(always)]
    pub fn try_alloc(&mut self, bytes: u64) -> Result<Option<u64>> {
        if bytes < self.plain {
            let head = self.memory.word(word::FREE);
            if head < self.units {
                let link = self.unit_word(head);
                let next = head.wrapping_add(1).wrapping_add(link) & LINK;
                if link & ALLOCATED == 0 && next <= self.units {
                    let used = self.memory.word(word::USED).wrapping_add(1);
                    // SAFETY: `attach` requires writable memory that no other thread changes.
                    unsafe {
                        self.memory.set_word(word::FREE, next);
                        self.set_unit_word(head, ALLOCATED);
                        self.memory.set_word(word::USED, used);
                        if used > self.memory.word(word::PEAK) {
                            self.memory.set_word(word::PEAK, used);
                        }
                    }
                    return Ok(Some(u64::from(head) * self.unit_bytes));
                }
            }
        }
        self.alloc_slow(bytes)
    }

    /// Frees a block. `Stale` if it is already free, `Range` for an offset at which no block
    /// begins, `Corrupt` if its guard was overwritten; the block then stays allocated.
    #[inline(always)]
    pub fn free(&mut self, offset: u64) -> Result<()> {
        if self.plain != 0 {
            let unit = self.unit_of(offset);
            if unit < u64::from(self.units) && unit * self.unit_bytes == offset {
                let unit = unit as u32;
                if self.unit_word(unit) == ALLOCATED {
                    let head = self.memory.word(word::FREE);
                    let used = self.memory.word(word::USED);
                    // SAFETY: as for `try_alloc`: the memory is writable and has no other writer.
                    unsafe {
                        self.set_unit_word(unit, head.wrapping_sub(unit).wrapping_sub(1) & LINK);
                        self.memory.set_word(word::FREE, unit);
                        self.memory.set_word(word::USED, used.wrapping_sub(1));
                    }
                    return Ok(());
                }
            }
        }
        self.free_slow(offset)
    }

    /// The number of bytes of the allocated block at `offset` that belong to its user. Errors as
    /// for `free`.
    pub fn room(&self, offset: u64) -> Result<u64> {
        let (unit, class) = self.allocated(offset)?;
        if self.shape.options & GUARDS == 0 {
            return Ok(u64::from(self.shape.class(class).size));
        }
        // SAFETY: `allocated` checked the unit.
        let asked = unsafe { self.memory.load_u32(self.shape.requested + unit as usize * 4) };
        Ok(u64::from(asked).min(u64::from(self.shape.class(class).size).saturating_sub(GUARD_BYTES)))
    }

    /// Statistics.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let used = self.memory.word(word::USED).min(self.units);
        let blocks = if self.shape.last() == 0 {
            used
        } else {
            (0..=self.shape.last())
                .fold(0u32, |sum, i| sum.wrapping_add(self.class_word(i, class_word::USED)))
        };
        Stats {
            capacity: u64::from(self.units) * self.unit_bytes,
            used: u64::from(used) * self.unit_bytes,
            peak: u64::from(self.memory.word(word::PEAK).min(self.units)) * self.unit_bytes,
            blocks,
            failures: self.memory.word(word::FAILURES),
        }
    }

    // ---- slow paths

    #[cold]
    #[inline(never)]
    fn alloc_slow(&mut self, bytes: u64) -> Result<Option<u64>> {
        let wanted = bytes.saturating_add(self.shape.guard());
        let class = self.shape.classes().iter().position(|class| wanted <= u64::from(class.size));
        let Some(unit) = (match class {
            Some(class) => self.take(class)?,
            None => None,
        }) else {
            let failures = self.memory.word(word::FAILURES).wrapping_add(1);
            // SAFETY: as for `try_alloc`: the memory is writable and has no other writer.
            unsafe { self.memory.set_word(word::FAILURES, failures) };
            return Ok(None);
        };
        let offset = u64::from(unit) * self.unit_bytes;
        if self.shape.options & GUARDS != 0 {
            // SAFETY: the class has room for the guard after the requested bytes, and the unit is
            // valid.
            unsafe {
                self.memory.store_u32(self.shape.requested + unit as usize * 4, bytes as u32);
                guard::write(self.memory, self.shape.data + (offset + bytes) as usize, offset);
            }
        }
        Ok(Some(offset))
    }

    #[cold]
    #[inline(never)]
    fn free_slow(&mut self, offset: u64) -> Result<()> {
        let (unit, class) = self.allocated(offset)?;
        let at = self.shape.data + offset as usize;
        if self.shape.options & GUARDS != 0 {
            let asked = self.room(offset)?;
            // SAFETY: `room` leaves space for the guard within the block.
            if let Some(broken) = unsafe { guard::broken(self.memory, at + asked as usize, offset) } {
                return Err(overrun(offset, asked, broken));
            }
        }
        if self.shape.options & ZERO_ON_FREE != 0 {
            // SAFETY: an allocated block lies within the data, which `allocated` checked.
            unsafe { guard::zero(self.memory, at, self.shape.class(class).size as usize) };
        }
        self.give(unit, class)
    }

    /// The unit and class of the allocated block at an offset. The block lies within the data.
    pub(super) fn allocated(&self, offset: u64) -> Result<(u32, usize)> {
        let unit = self.unit_of(offset);
        if unit >= u64::from(self.units) || unit * self.unit_bytes != offset {
            return Err(foreign(offset));
        }
        let unit = unit as u32;
        let word = self.unit_word(unit);
        if word & ALLOCATED == 0 {
            return Err(freed(offset));
        }
        let class = (word & LINK) as usize;
        if class > self.shape.last() || !unit.is_multiple_of(self.shape.class(class).units) {
            return Err(Error::corrupt(format!("the block at {offset} has an invalid class")));
        }
        Ok((unit, class))
    }

    // ---- words

    #[inline(always)]
    fn unit_of(&self, offset: u64) -> u64 {
        if self.shift < 64 { offset >> self.shift } else { offset / self.unit_bytes }
    }

    /// The word of a unit. Panics if the unit is out of range.
    #[inline(always)]
    pub(super) fn unit_word(&self, unit: u32) -> u32 {
        assert!(unit < self.units);
        // SAFETY: a checked shape's sections lie within the memory, and the unit is in range.
        unsafe { self.memory.load_u32(self.unit_words + unit as usize * 4) }
    }

    /// # Safety
    /// The memory is writable, and no other thread writes here.
    #[inline(always)]
    pub(super) unsafe fn set_unit_word(&self, unit: u32, value: u32) {
        assert!(unit < self.units);
        // SAFETY: as in `unit_word`; the memory is writable, guaranteed by the caller.
        unsafe { self.memory.store_u32(self.unit_words + unit as usize * 4, value) };
    }

    /// A word of a class's record.
    #[inline(always)]
    pub(super) fn class_word(&self, class: usize, at: usize) -> u32 {
        debug_assert!(class <= self.shape.last());
        // SAFETY: a checked shape has a class table with a record for each class.
        unsafe { self.memory.load_u32(HEADER_BYTES + class * super::layout::CLASS_BYTES + at) }
    }

    /// # Safety
    /// The memory is writable, and no other thread writes here.
    #[inline(always)]
    pub(super) unsafe fn set_class_word(&self, class: usize, at: usize, value: u32) {
        debug_assert!(class <= self.shape.last());
        // SAFETY: as in `class_word`; the memory is writable, guaranteed by the caller.
        unsafe { self.memory.store_u32(HEADER_BYTES + class * super::layout::CLASS_BYTES + at, value) };
    }
}

#[cold]
fn no_room() -> Error {
    Error::full("the pool has no room for that many bytes")
}
