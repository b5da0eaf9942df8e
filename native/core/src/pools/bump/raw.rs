//! A checked view of a BumpArena's region: alloc, marks, release.
//!
//! Attaching checks the header and keeps private copies of the numbers that bound memory accesses.
//! `top` is checked whenever it is read, so damaged words result in errors or wrong blocks, but
//! never in an access out of bounds. Stores are ordered so that a thread that ends between two of
//! them leaves a valid arena: `top` is raised before a block is used, and lowered after the block
//! is cleared.

use super::layout::{GRANULE, GUARDS, Shape, ZERO_ON_FREE, word};
use crate::region::attach::RegionKind;
use crate::region::header;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// An arena in borrowed memory.
#[derive(Clone, Debug)]
pub struct RawBumpArena {
    pub(super) memory: Memory,
    /// The limit for allocations that only raise `top`, in granules; 0 with guards.
    plain: u32,
    pub(super) granules: u32,
    pub(super) data: usize,
    pub(super) shape: Shape,
}

/// A saved state of an arena, to which [`RawBumpArena::release`] returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Mark {
    /// Allocated granules.
    pub top: u32,
    /// The last allocated block.
    pub last: u32,
    /// Allocated blocks.
    pub blocks: u32,
    /// Number of earlier resets.
    pub resets: u32,
    /// The enclosing mark.
    pub floor: u32,
}

/// Statistics of an arena. Sizes are in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Total size that blocks can have.
    pub capacity: u64,
    /// Allocated bytes, including the overhead of alignment and guards.
    pub used: u64,
    /// The maximum of `used`.
    pub peak: u64,
    /// Number of allocated blocks.
    pub blocks: u32,
    /// Failed requests, modulo 2^32.
    pub failures: u32,
    /// Number of resets, modulo 2^32.
    pub resets: u32,
}

impl RawBumpArena {
    /// Attaches to the arena in `len` bytes at `base`: checks the header in constant time.
    ///
    /// # Safety
    /// While the view is used, `base` is valid for reading and writing `len` bytes, and no other
    /// thread allocates in this arena or releases its memory.
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<RawBumpArena> {
        // SAFETY: `base` is valid for `len` bytes, guaranteed by the caller.
        let memory = unsafe { Memory::new(base, len) }?;
        let (_, shape) = Shape::read(memory)?;
        Ok(RawBumpArena::new(memory, shape))
    }

    /// Creates an empty arena in `len` bytes at `base`, for alignments up to `align`. The data is
    /// left unchanged.
    ///
    /// # Safety
    /// As for `attach`.
    pub unsafe fn init(base: *mut u8, len: usize, align: u32, options: u32) -> Result<RawBumpArena> {
        // SAFETY: `base` is valid for `len` bytes, guaranteed by the caller.
        let memory = unsafe { Memory::new(base, len) }?;
        let shape = Shape::new(len as u64, align, options)?;
        // SAFETY: the memory is long enough, and the caller guarantees that no other thread uses
        // it.
        unsafe { shape.write(memory) };
        Ok(RawBumpArena::new(memory, shape))
    }

    fn new(memory: Memory, shape: Shape) -> RawBumpArena {
        let granules = shape.granules();
        let plain = if shape.options & GUARDS == 0 { granules } else { 0 };
        RawBumpArena { memory, plain, granules, data: shape.data() as usize, shape }
    }

    /// Extends the arena to memory of `len` bytes. `base` may differ from the previous one if the
    /// bytes are the same. `Range` if the arena would become shorter.
    ///
    /// # Safety
    /// As for `attach`.
    pub unsafe fn extend(&mut self, base: *mut u8, len: usize) -> Result<()> {
        // SAFETY: `base` is valid for `len` bytes, guaranteed by the caller.
        let memory = unsafe { Memory::new(base, len) }?;
        let shape = Shape::new(len as u64, self.shape.align, self.shape.options)?;
        if shape.length < self.shape.length {
            return Err(Error::range(format!("{len} bytes are fewer than the arena has")));
        }
        // SAFETY: the memory has the new length. A single store, so that the length is valid at
        // every moment.
        unsafe { memory.set_double_word(header::word::LENGTH, shape.length) };
        *self = RawBumpArena::new(memory, shape);
        Ok(())
    }

    /// Options, alignment and length.
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

    /// Allocates a block of `bytes` bytes at a multiple of `align` and returns its offset. `Full`
    /// if there is no room; `Range` if the alignment is not a power of two or exceeds the arena's.
    /// Alignments below 8 are equivalent to 8.
    #[inline(always)]
    pub fn alloc(&mut self, bytes: u64, align: u32) -> Result<u64> {
        match self.try_alloc(bytes, align)? {
            Some(offset) => Ok(offset),
            None => Err(no_room()),
        }
    }

    /// As `alloc`, but `None` if there is no room.
    #[inline(always)]
    pub fn try_alloc(&mut self, bytes: u64, align: u32) -> Result<Option<u64>> {
        if align.is_power_of_two() && align <= self.shape.align {
            let top = self.memory.word(word::TOP);
            let mask = u64::from(align >> 3).saturating_sub(1);
            let start = (u64::from(top) + mask) & !mask;
            let end = start + granules(bytes);
            if end <= u64::from(self.plain) {
                // SAFETY: `attach` requires writable memory that no other thread changes.
                unsafe { self.take(start as u32, end as u32) };
                return Ok(Some(start * GRANULE));
            }
        }
        self.alloc_slow(bytes, align)
    }

    /// Records a block from granule `start` to `end`.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes here.
    #[inline(always)]
    pub(super) unsafe fn take(&mut self, start: u32, end: u32) {
        let blocks = self.memory.word(word::BLOCKS).wrapping_add(1);
        // SAFETY: the memory is writable and has no other writer, guaranteed by the caller.
        unsafe {
            self.memory.set_word(word::TOP, end);
            self.memory.set_word(word::LAST, start.wrapping_add(1));
            self.memory.set_word(word::BLOCKS, blocks);
        }
    }

    #[cold]
    #[inline(never)]
    fn alloc_slow(&mut self, bytes: u64, align: u32) -> Result<Option<u64>> {
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
        // SAFETY: as for `try_alloc`: the memory is writable and has no other writer.
        unsafe { self.memory.set_word(word::FAILURES, failures) };
        Ok(None)
    }

    /// Frees the block that was allocated last, if it was allocated since the innermost mark; any
    /// other block stays allocated until it is released. `Stale` if the block was already released,
    /// `Range` for an offset at which no block can begin. With guards every block is checked, a
    /// block that was freed before is `Stale`, and an overrun block is `Corrupt` and stays
    /// allocated.
    pub fn free(&mut self, offset: u64) -> Result<()> {
        let (start, top) = self.allocated(offset)?;
        if self.shape.options & GUARDS != 0 {
            return self.free_guarded(start, top);
        }
        if self.memory.word(word::LAST) != start + 1 || start < self.memory.word(word::FLOOR) {
            return Ok(());
        }
        let blocks = self.memory.word(word::BLOCKS).wrapping_sub(1);
        self.lower_top(start, 0, blocks, top);
        Ok(())
    }

    /// The granule of an allocated offset, and `top`.
    pub(super) fn allocated(&self, offset: u64) -> Result<(u32, u32)> {
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

    /// The size of the block at `offset`: with guards the requested size, otherwise the distance to
    /// the end of the allocated data. Errors as for `free`.
    pub fn room(&self, offset: u64) -> Result<u64> {
        let (start, top) = self.allocated(offset)?;
        if self.shape.options & GUARDS != 0 {
            return Ok(self
                .record(start, top)
                .filter(|record| record.live)
                .ok_or_else(|| released(offset))?
                .bytes);
        }
        Ok(u64::from(top - start) * GRANULE)
    }

    /// Saves the current state. Until the mark is released, `free` removes no blocks from before
    /// it.
    #[must_use]
    pub fn mark(&mut self) -> Mark {
        let [top, last, blocks, resets, floor] =
            [word::TOP, word::LAST, word::BLOCKS, word::RESETS, word::FLOOR]
                .map(|index| self.memory.word(index));
        // SAFETY: as for `try_alloc`: the memory is writable and has no other writer.
        unsafe { self.memory.set_word(word::FLOOR, top) };
        Mark { top, last, blocks, resets, floor }
    }

    /// Releases everything that was allocated since the mark was taken. Marks are released in
    /// reverse order, or only the outer one. `Stale` for a mark from before a reset, or within a
    /// mark that was released. O(1); with zeroing or guards O(bytes).
    ///
    /// With guards: `Corrupt` if a block was overrun. Everything is released nevertheless.
    pub fn release(&mut self, mark: &Mark) -> Result<()> {
        let top = self.top()?;
        if mark.resets != self.memory.word(word::RESETS) || !self.reaches(mark, top) {
            return Err(Error::stale("the arena was reset, or released further, since this mark was taken"));
        }
        self.release_to(mark, top)
    }

    /// Ends a scope: as `release`, but if the arena was reset since the mark was taken, everything
    /// allocated after the reset is released, and if the arena was released further, nothing is.
    pub fn end_scope(&mut self, mark: &Mark) -> Result<()> {
        let top = self.top()?;
        let resets = self.memory.word(word::RESETS);
        let mark = if mark.resets == resets { *mark } else { Mark { resets, ..Mark::default() } };
        if self.reaches(&mark, top) { self.release_to(&mark, top) } else { Ok(()) }
    }

    /// Whether nothing from before a mark was released. Then `last` is still a block, because
    /// `free` respects the floor.
    fn reaches(&self, mark: &Mark, top: u32) -> bool {
        let floor = self.memory.word(word::FLOOR);
        mark.top <= top && mark.top <= floor && mark.last <= mark.top && mark.floor <= mark.top
    }

    /// Releases everything. Errors as for `release`.
    pub fn reset(&mut self) -> Result<()> {
        let top = self.top()?;
        // The arena ends up empty even if a guard is damaged.
        let outcome = self.release_to(&Mark::default(), top);
        let resets = self.memory.word(word::RESETS).wrapping_add(1);
        // SAFETY: as for `try_alloc`: the memory is writable and has no other writer.
        unsafe { self.memory.set_word(word::RESETS, resets) };
        outcome
    }

    fn release_to(&mut self, mark: &Mark, top: u32) -> Result<()> {
        let broken = if self.shape.options & GUARDS != 0 { self.check_guards(mark.top, top) } else { Ok(()) };
        self.lower_top(mark.top, mark.last, mark.blocks, top);
        // SAFETY: as for `try_alloc`: the memory is writable and has no other writer.
        unsafe { self.memory.set_word(word::FLOOR, mark.floor) };
        broken
    }

    /// Clears the memory between the granules `from` and `top`, and lowers `top`.
    pub(super) fn lower_top(&mut self, from: u32, last: u32, blocks: u32, top: u32) {
        let fill = match self.shape.options {
            options if options & ZERO_ON_FREE != 0 => Some(0),
            options if options & GUARDS != 0 => Some(super::POISON),
            _ => None,
        };
        // SAFETY: as for `try_alloc`; both positions lie within the data, because `top` was
        // checked.
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

    /// Allocated granules, checked against the capacity.
    pub(super) fn top(&self) -> Result<u32> {
        let top = self.memory.word(word::TOP);
        if top > self.granules {
            Err(Error::corrupt("the arena's top exceeds its capacity"))
        } else {
            Ok(top)
        }
    }

    /// Statistics.
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

    /// Checks the bookkeeping: unused words are zero, and with guards every record and every guard
    /// is intact. O(blocks) with guards, else O(1).
    pub fn validate(&self) -> Result<()> {
        let (header, shape) = Shape::read(self.memory)?;
        header.check_reserved()?;
        let (top, last) = (header.word(word::TOP), header.word(word::LAST));
        let unused = (word::END..header::HEADER_WORDS).any(|index| header.word(index) != 0);
        if unused
            || last > top
            || header.word(word::FLOOR) > top
            || header.word(word::PEAK) > shape.granules()
        {
            return Err(Error::corrupt("a word of the arena's header is invalid"));
        }
        if shape.options & GUARDS != 0 { self.check_guards(0, top) } else { Ok(()) }
    }
}

/// The number of granules for `bytes` bytes; at least one, so that every block has an offset of its
/// own.
#[inline(always)]
pub(super) fn granules(bytes: u64) -> u64 {
    (bytes.saturating_sub(1) / GRANULE) + 1
}

#[cold]
fn no_room() -> Error {
    Error::full("the arena has no room for that many bytes")
}

#[cold]
pub(super) fn released(offset: u64) -> Error {
    Error::stale(format!("no block of this arena is allocated at {offset}"))
}
