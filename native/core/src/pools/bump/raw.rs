//! A checked view of a BumpArena's region: alloc, marks, release.
//!
//! Attaching checks the header and keeps a private copy of what bounds memory access. `top` is
//! checked as it is read, so damaged words give errors or wrong blocks, never an access outside.
//! Stores are ordered so that a thread that ends between two of them leaves a valid arena: `top` is
//! raised before a block is used, and lowered after it is clean.

use super::layout::{GRANULE, GUARDS, Shape, ZERO_ON_FREE, word};
use crate::region::header;
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// An arena in memory that something else owns.
#[derive(Clone, Debug)]
pub struct RawBumpArena {
    pub(super) memory: Memory,
    /// Granules up to which allocating is just raising `top`; 0 with guards.
    plain: u32,
    pub(super) granules: u32,
    pub(super) data: usize,
    pub(super) shape: Shape,
}

/// How far an arena was filled: [`RawBumpArena::release`] goes back there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Mark {
    /// Granules taken.
    pub top: u32,
    /// The block allocated last.
    pub last: u32,
    /// Allocated blocks.
    pub blocks: u32,
    /// Resets before it.
    pub resets: u32,
    /// The mark around it.
    pub floor: u32,
}

/// What an arena holds. Sizes are in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes that blocks can have in all.
    pub capacity: u64,
    /// Bytes taken, with what alignment and guards cost.
    pub used: u64,
    /// The most that has been.
    pub peak: u64,
    /// Allocated blocks.
    pub blocks: u32,
    /// Requests that found no room, modulo 2^32.
    pub failures: u32,
    /// How often it was reset, modulo 2^32.
    pub resets: u32,
}

impl RawBumpArena {
    /// Attaches to the arena in `len` bytes at `base`: checks the header in constant time.
    ///
    /// # Safety
    /// While the view is used, `base` is valid for reading and writing `len` bytes, and no other
    /// thread allocates in this arena, or releases.
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<RawBumpArena> {
        // SAFETY: the caller's word.
        let memory = unsafe { Memory::new(base, len) }?;
        Ok(RawBumpArena::new(memory, Shape::read(memory)?))
    }

    /// Makes an empty arena in `len` bytes at `base`, for alignments up to `align`. The data stays
    /// as it is.
    ///
    /// # Safety
    /// As for `attach`.
    pub unsafe fn init(base: *mut u8, len: usize, align: u32, options: u32) -> Result<RawBumpArena> {
        // SAFETY: the caller's word.
        let memory = unsafe { Memory::new(base, len) }?;
        let shape = Shape::new(len as u64, align, options)?;
        // SAFETY: the memory is long enough; the rest is the caller's word.
        unsafe { shape.write(memory) };
        Ok(RawBumpArena::new(memory, shape))
    }

    fn new(memory: Memory, shape: Shape) -> RawBumpArena {
        let granules = shape.granules();
        let plain = if shape.options & GUARDS == 0 { granules } else { 0 };
        RawBumpArena { memory, plain, granules, data: shape.data() as usize, shape }
    }

    /// Takes in that the memory is `len` bytes long now: the arena gets the rest of it. `base` may
    /// be another one than before, if the bytes are the same. `Range` if it would get shorter.
    ///
    /// # Safety
    /// As for `attach`.
    pub unsafe fn extend(&mut self, base: *mut u8, len: usize) -> Result<()> {
        // SAFETY: the caller's word.
        let memory = unsafe { Memory::new(base, len) }?;
        let shape = Shape::new(len as u64, self.shape.align, self.shape.options)?;
        if shape.length < self.shape.length {
            return Err(Error::range(format!("{len} bytes are fewer than the arena has")));
        }
        // SAFETY: the memory is as long as that. One store, so that every moment's length is right.
        unsafe { memory.set_double_word(header::word::LENGTH, shape.length) };
        *self = RawBumpArena::new(memory, shape);
        Ok(())
    }

    /// Options, alignment, length.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The first byte of the data: offset 0.
    #[inline]
    #[must_use]
    pub fn data(&self) -> *mut u8 {
        // SAFETY: a checked shape's data lies within the memory.
        unsafe { self.memory.at(self.data) }
    }

    /// A block of `bytes` bytes at a multiple of `align`: its offset. `Full` where there is no
    /// room; `Range` for an alignment that is no power of two, or more than the arena was made for.
    /// Less than 8 is as good as 8.
    #[inline(always)]
    pub fn alloc(&mut self, bytes: u64, align: u32) -> Result<u64> {
        match self.try_alloc(bytes, align)? {
            Some(offset) => Ok(offset),
            None => Err(no_room()),
        }
    }

    /// As `alloc`, but `None` where there is no room.
    #[inline(always)]
    pub fn try_alloc(&mut self, bytes: u64, align: u32) -> Result<Option<u64>> {
        if align.is_power_of_two() && align <= self.shape.align {
            let top = self.memory.word(word::TOP);
            let mask = u64::from(align >> 3).saturating_sub(1);
            let start = (u64::from(top) + mask) & !mask;
            let end = start + granules(bytes);
            if end <= u64::from(self.plain) {
                // SAFETY: the memory is writable and this thread the only one to write here.
                unsafe { self.take(start as u32, end as u32) };
                return Ok(Some(start * GRANULE));
            }
        }
        self.alloc_elsewhere(bytes, align)
    }

    /// Enters a block from granule `start` to `end`.
    ///
    /// # Safety
    /// The memory is writable and this thread the only one to write here.
    #[inline(always)]
    pub(super) unsafe fn take(&mut self, start: u32, end: u32) {
        let blocks = self.memory.word(word::BLOCKS).wrapping_add(1);
        // SAFETY: the caller's word.
        unsafe {
            self.memory.set_word(word::TOP, end);
            self.memory.set_word(word::LAST, start.wrapping_add(1));
            self.memory.set_word(word::BLOCKS, blocks);
        }
    }

    #[cold]
    #[inline(never)]
    fn alloc_elsewhere(&mut self, bytes: u64, align: u32) -> Result<Option<u64>> {
        if !align.is_power_of_two() || align > self.shape.align {
            let most = self.shape.align;
            return Err(Error::range(format!("alignments here are powers of two up to {most}, not {align}")));
        }
        let top = self.top()?;
        if self.shape.options & GUARDS != 0
            && let Some(offset) = self.alloc_guarded(top, bytes, align)
        {
            return Ok(Some(offset));
        }
        let failures = self.memory.word(word::FAILURES).wrapping_add(1);
        // SAFETY: as for `try_alloc`.
        unsafe { self.memory.set_word(word::FAILURES, failures) };
        Ok(None)
    }

    /// Gives the block back that was allocated last, since the innermost mark; every other one
    /// stays until it is released. `Stale` for one that was released already, `Range` for an offset
    /// where none can begin. With guards every block is checked here, and one that was freed before
    /// is `Stale`; an overrun one is `Corrupt`, and stays.
    pub fn free(&mut self, offset: u64) -> Result<()> {
        let (start, top) = self.taken(offset)?;
        if self.shape.options & GUARDS != 0 {
            return self.free_guarded(start, top);
        }
        if self.memory.word(word::LAST) != start + 1 || start < self.memory.word(word::FLOOR) {
            return Ok(());
        }
        let blocks = self.memory.word(word::BLOCKS).wrapping_sub(1);
        self.go_back(start, 0, blocks, top);
        Ok(())
    }

    /// The granule of an offset at which something was allocated, and `top`.
    pub(super) fn taken(&self, offset: u64) -> Result<(u32, u32)> {
        let top = self.top()?;
        let start = offset / GRANULE;
        if !offset.is_multiple_of(GRANULE) || start >= u64::from(self.granules) {
            return Err(Error::range(format!("no block of this arena begins at {offset}")));
        }
        if start >= u64::from(top) {
            return Err(released(offset));
        }
        Ok((start as u32, top))
    }

    /// How many bytes the block at `offset` has: with guards as many as were asked for, else all up
    /// to the end of what is taken. Errors as for `free`.
    pub fn room(&self, offset: u64) -> Result<u64> {
        let (start, top) = self.taken(offset)?;
        if self.shape.options & GUARDS != 0 {
            return Ok(self
                .record(start, top)
                .filter(|record| record.live)
                .ok_or_else(|| released(offset))?
                .bytes);
        }
        Ok(u64::from(top - start) * GRANULE)
    }

    /// How far the arena is filled now. Until the mark is released, `free` takes nothing away from
    /// before it.
    #[must_use]
    pub fn mark(&mut self) -> Mark {
        let [top, last, blocks, resets, floor] =
            [word::TOP, word::LAST, word::BLOCKS, word::RESETS, word::FLOOR]
                .map(|index| self.memory.word(index));
        // SAFETY: as for `try_alloc`.
        unsafe { self.memory.set_word(word::FLOOR, top) };
        Mark { top, last, blocks, resets, floor }
    }

    /// Gives back everything that was allocated since the mark was taken. Marks are released in the
    /// opposite order, or only the outer one. `Stale` for a mark from before a reset, or inside one
    /// that was released. O(1); with zeros or guards O(bytes).
    ///
    /// With guards: `Corrupt` if a block was overrun. Everything is released all the same.
    pub fn release(&mut self, mark: &Mark) -> Result<()> {
        let top = self.top()?;
        if mark.resets != self.memory.word(word::RESETS) || !self.reaches(mark, top) {
            return Err(Error::stale("the arena was reset, or released further, since this mark was taken"));
        }
        self.back_to(mark, top)
    }

    /// What a scope does at its end: as `release`, but where the arena was reset since the mark was
    /// taken, everything allocated after that goes, and where it was released further, nothing.
    pub fn end_scope(&mut self, mark: &Mark) -> Result<()> {
        let top = self.top()?;
        let resets = self.memory.word(word::RESETS);
        let mark = if mark.resets == resets { *mark } else { Mark { resets, ..Mark::default() } };
        if self.reaches(&mark, top) { self.back_to(&mark, top) } else { Ok(()) }
    }

    /// Whether nothing from before a mark was released. Then `last` still is a block, as `free`
    /// respects the floor.
    fn reaches(&self, mark: &Mark, top: u32) -> bool {
        let floor = self.memory.word(word::FLOOR);
        mark.top <= top && mark.top <= floor && mark.last <= mark.top && mark.floor <= mark.top
    }

    /// Gives everything back. Errors as for `release`.
    pub fn reset(&mut self) -> Result<()> {
        let top = self.top()?;
        // Even a broken guard leaves the arena empty.
        let outcome = self.back_to(&Mark::default(), top);
        let resets = self.memory.word(word::RESETS).wrapping_add(1);
        // SAFETY: as for `try_alloc`.
        unsafe { self.memory.set_word(word::RESETS, resets) };
        outcome
    }

    fn back_to(&mut self, mark: &Mark, top: u32) -> Result<()> {
        let broken = if self.shape.options & GUARDS != 0 { self.first_broken(mark.top, top) } else { Ok(()) };
        self.go_back(mark.top, mark.last, mark.blocks, top);
        // SAFETY: as for `try_alloc`.
        unsafe { self.memory.set_word(word::FLOOR, mark.floor) };
        broken
    }

    /// Cleans what lies between the granules `from` and `top`, and lowers `top`.
    pub(super) fn go_back(&mut self, from: u32, last: u32, blocks: u32, top: u32) {
        let fill = match self.shape.options {
            options if options & ZERO_ON_FREE != 0 => Some(0),
            options if options & GUARDS != 0 => Some(super::POISON),
            _ => None,
        };
        // SAFETY: as for `try_alloc`; both positions lie within the data, as `top` was checked.
        unsafe {
            if let Some(fill) = fill {
                let bytes = (top - from) as usize * GRANULE as usize;
                self.memory.at(self.data + from as usize * GRANULE as usize).write_bytes(fill, bytes);
            }
            if top > self.memory.word(word::PEAK) {
                self.memory.set_word(word::PEAK, top);
            }
            self.memory.set_word(word::LAST, last);
            self.memory.set_word(word::BLOCKS, blocks);
            self.memory.set_word(word::TOP, from);
        }
    }

    /// Granules taken, checked.
    pub(super) fn top(&self) -> Result<u32> {
        let top = self.memory.word(word::TOP);
        if top > self.granules { Err(Error::corrupt("an arena's top lies outside of it")) } else { Ok(top) }
    }

    /// Counts and sizes.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let used = self.memory.word(word::TOP).min(self.granules);
        let peak = self.memory.word(word::PEAK).clamp(used, self.granules);
        let bytes = |granules| u64::from(granules) * GRANULE;
        Stats {
            capacity: bytes(self.granules),
            used: bytes(used),
            peak: bytes(peak),
            blocks: self.memory.word(word::BLOCKS),
            failures: self.memory.word(word::FAILURES),
            resets: self.memory.word(word::RESETS),
        }
    }

    /// Proves that the bookkeeping is sound: unused words are zero, and with guards every record
    /// and every guard is whole. O(blocks) with guards, else O(1).
    pub fn validate(&self) -> Result<()> {
        let shape = Shape::read(self.memory)?;
        let header = header::Header::read(self.memory, Kind::BumpArena)?;
        header.check_reserved()?;
        let (top, last) = (header.word(word::TOP), header.word(word::LAST));
        let unused = (word::END..header::HEADER_WORDS).any(|index| header.word(index) != 0);
        if unused
            || last > top
            || header.word(word::FLOOR) > top
            || header.word(word::PEAK) > shape.granules()
        {
            return Err(Error::corrupt("a word of an arena's header can not be"));
        }
        if shape.options & GUARDS != 0 { self.first_broken(0, top) } else { Ok(()) }
    }
}

/// How many granules so many bytes take; one at least, so that every block has an offset of its
/// own.
#[inline(always)]
pub(super) fn granules(bytes: u64) -> u64 {
    (bytes.saturating_sub(1) / GRANULE) + 1
}

#[cold]
fn no_room() -> Error {
    Error::full("the arena has no room for so many bytes")
}

#[cold]
pub(super) fn released(offset: u64) -> Error {
    Error::stale(format!("no block of this arena is allocated at {offset}"))
}
