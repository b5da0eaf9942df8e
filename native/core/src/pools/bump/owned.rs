//! The arena for Rust programs: owns its memory, and grows by chunks.

use super::layout::{GRANULE, MAX_ALIGN, MAX_GRANULES};
use super::raw::{Mark, RawBumpArena, Stats};
use crate::region::owned::OwnedMemory;
use crate::{Error, ErrorKind, Result};

/// An arena that owns its memory. Growth may move the bytes; offsets stay right.
///
/// ```
/// use offheap_core::pools::bump::BumpArena;
///
/// let mut arena = BumpArena::new(65_536, 64, 0)?;
/// let kept = arena.alloc(40, 8)?;
/// arena.scope(|arena| {
///     let temporary = arena.alloc(1 << 20, 64)?;
///     arena.block(temporary, 1 << 20)?.fill(7);
///     Ok(())
/// })?;
/// assert_eq!(arena.stats().used, 40);
/// assert_eq!(arena.block(kept, 40)?.len(), 40);
/// # Ok::<(), offheap_core::Error>(())
/// ```
#[derive(Debug)]
pub struct BumpArena {
    raw: RawBumpArena,
    memory: OwnedMemory,
    chunk: usize,
}

// SAFETY: it owns the memory that it points into, and changes it through `&mut self` only.
unsafe impl Send for BumpArena {}

impl BumpArena {
    /// An empty arena that grows by multiples of `chunk` bytes, and begins with one; for alignments
    /// up to `align`, of which 64 are those of addresses, too. `Oom` where memory is refused.
    pub fn new(chunk: usize, align: u32, options: u32) -> Result<BumpArena> {
        let chunk = chunk.clamp(64, 1 << 40).next_multiple_of(64);
        let memory = OwnedMemory::zeroed(chunk + align.clamp(256, MAX_ALIGN) as usize)?;
        // SAFETY: the memory is ours, as long as the arena lives.
        let raw = unsafe { RawBumpArena::init(memory.base(), memory.len(), align, options) }?;
        Ok(BumpArena { raw, memory, chunk })
    }

    /// A block of `bytes` bytes at a multiple of `align`: its offset. Its contents are those of
    /// blocks before it, and zeros at first. `Full` past 16 GiB, `Oom` where memory is refused,
    /// `Range` for an alignment that can not be.
    #[inline(always)]
    pub fn alloc(&mut self, bytes: u64, align: u32) -> Result<u64> {
        match self.raw.try_alloc(bytes, align)? {
            Some(offset) => Ok(offset),
            None => self.alloc_grown(bytes, align),
        }
    }

    #[cold]
    #[inline(never)]
    fn alloc_grown(&mut self, bytes: u64, align: u32) -> Result<u64> {
        let before = self.memory.len();
        let most = MAX_ALIGN as usize + MAX_GRANULES as usize * GRANULE as usize;
        // The block, its alignment, its record and guard.
        let needed = usize::try_from(bytes)
            .ok()
            .and_then(|bytes| bytes.checked_add(align as usize + 64)?.checked_add(before))
            .filter(|&needed| needed <= most)
            .ok_or_else(|| Error::new(ErrorKind::Full, "an arena holds 16 GiB at most"))?;
        // Half as much again as there is, so that n bytes cost O(n).
        let longer = before + (needed - before).max(before / 2).next_multiple_of(self.chunk);
        let longer = longer.min(most);
        self.memory.grow(longer, before)?;
        // SAFETY: the bytes that came are ours, and not initialised yet; the arena is where it was,
        // or was moved whole.
        unsafe {
            self.memory.base().add(before).write_bytes(0, longer - before);
            self.raw.extend(self.memory.base(), longer)?;
        }
        self.raw.alloc(bytes, align)
    }

    /// `bytes` bytes from `offset` on, which lie in what is allocated. `Stale` or `Range` where
    /// they do not.
    pub fn block(&mut self, offset: u64, bytes: usize) -> Result<&mut [u8]> {
        let room = self.raw.room(offset)?;
        if bytes as u64 > room {
            return Err(Error::range(format!("the block at {offset} has {room} bytes, not {bytes}")));
        }
        // SAFETY: within what is taken, which lies in our memory, whose bytes are all initialised.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.raw.data().add(offset as usize), bytes) })
    }

    /// Runs `body`, and gives back what it allocated, also if it panics.
    ///
    /// With guards: `Corrupt` if it overran a block, unless it failed by itself.
    pub fn scope<T>(&mut self, body: impl FnOnce(&mut BumpArena) -> Result<T>) -> Result<T> {
        struct Scope<'a>(&'a mut BumpArena, Mark);
        impl Drop for Scope<'_> {
            fn drop(&mut self) {
                // Of a body that failed or panicked; the second time there is nothing to release.
                let _already_failed = self.0.raw.end_scope(&self.1);
            }
        }
        let mark = self.raw.mark();
        let scope = Scope(self, mark);
        let result = body(scope.0)?;
        scope.0.raw.end_scope(&mark)?;
        Ok(result)
    }

    /// Gives everything back; memory stays. Errors as for [`RawBumpArena::release`].
    pub fn reset(&mut self) -> Result<()> {
        self.raw.reset()
    }

    /// Counts and sizes.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.raw.stats()
    }

    /// The view that the arena works through: marks, frees, and the region's bytes.
    pub fn raw(&mut self) -> &mut RawBumpArena {
        &mut self.raw
    }
}
