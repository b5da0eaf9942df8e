//! The arena for Rust programs, which owns its memory and grows by chunks.

use super::layout::{GRANULE, MAX_ALIGN, MAX_GRANULES};
use super::raw::{Mark, RawBumpArena, Stats};
use crate::region::owned::OwnedMemory;
use crate::{Error, ErrorKind, Result};

/// An arena that owns its memory. Growing may move the bytes; offsets stay valid.
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

// SAFETY: the arena owns the memory, and changes it through `&mut self` only.
unsafe impl Send for BumpArena {}

impl BumpArena {
    /// An empty arena that begins with one chunk of `chunk` bytes and grows by multiples of it.
    /// Alignments up to `align` are supported; those up to 64 hold for addresses, too. `Oom` if
    /// memory is refused.
    pub fn new(chunk: usize, align: u32, options: u32) -> Result<BumpArena> {
        let chunk = chunk.clamp(64, 1 << 40).next_multiple_of(64);
        let memory = OwnedMemory::zeroed(chunk + align.clamp(256, MAX_ALIGN) as usize)?;
        // SAFETY: the arena owns the memory as long as it lives.
        let raw = unsafe { RawBumpArena::init(memory.base(), memory.len(), align, options) }?;
        Ok(BumpArena { raw, memory, chunk })
    }

    /// Allocates a block of `bytes` bytes at a multiple of `align` and returns its offset. The
    /// block contains zeros, or the contents of released blocks. `Full` beyond 16 GiB, `Oom` if
    /// memory is refused, `Range` for an invalid alignment.
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
        // The block, its alignment, and its record and guard.
        let needed = usize::try_from(bytes)
            .ok()
            .and_then(|bytes| bytes.checked_add(align as usize + 64)?.checked_add(before))
            .filter(|&needed| needed <= most)
            .ok_or_else(|| Error::new(ErrorKind::Full, "an arena has at most 16 GiB"))?;
        // At least 1.5 times the current size, so that allocating n bytes costs O(n).
        let longer = before + (needed - before).max(before / 2).next_multiple_of(self.chunk);
        let longer = longer.min(most);
        self.memory.grow(longer, before)?;
        // SAFETY: the new bytes belong to the arena, and are not yet initialized; growing kept or
        // moved the old bytes as a whole.
        unsafe {
            self.memory.base().add(before).write_bytes(0, longer - before);
            self.raw.extend(self.memory.base(), longer)?;
        }
        self.raw.alloc(bytes, align)
    }

    /// `bytes` bytes from `offset` on, which must be allocated. `Stale` or `Range` if they are not.
    pub fn block(&mut self, offset: u64, bytes: usize) -> Result<&mut [u8]> {
        let room = self.raw.room(offset)?;
        if bytes as u64 > room {
            return Err(Error::range(format!("the block at {offset} has {room} bytes, not {bytes}")));
        }
        // SAFETY: the block is allocated, so it lies within our memory, whose bytes are all
        // initialized.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.raw.data().add(offset as usize), bytes) })
    }

    /// Runs `body` and releases everything that it allocated, even if it panics.
    ///
    /// With guards: `Corrupt` if `body` overran a block, unless it returned an error itself.
    pub fn scope<T>(&mut self, body: impl FnOnce(&mut BumpArena) -> Result<T>) -> Result<T> {
        struct Scope<'a>(&'a mut BumpArena, Mark);
        impl Drop for Scope<'_> {
            fn drop(&mut self) {
                // After an error or a panic. On success everything is already released.
                let _already_failed = self.0.raw.end_scope(&self.1);
            }
        }
        let mark = self.raw.mark();
        let scope = Scope(self, mark);
        let result = body(scope.0)?;
        scope.0.raw.end_scope(&mark)?;
        Ok(result)
    }

    /// Releases everything, and keeps the memory. Errors as for [`RawBumpArena::release`].
    pub fn reset(&mut self) -> Result<()> {
        self.raw.reset()
    }

    /// Statistics.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.raw.stats()
    }

    /// The underlying view, for marks, frees, and the region's bytes.
    pub fn raw(&mut self) -> &mut RawBumpArena {
        &mut self.raw
    }
}
