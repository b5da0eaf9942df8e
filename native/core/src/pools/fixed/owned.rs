//! The pool for Rust programs, which owns its memory.

use super::layout::Shape;
use super::raw::{RawFixedPool, Stats};
use super::validate;
use crate::Result;
use crate::region::memory::Memory;
use crate::region::owned::OwnedMemory;

/// A pool that owns its memory.
///
/// ```
/// use offheap_core::pools::fixed::{FixedPool, layout::Shape};
///
/// let mut pool = FixedPool::new(Shape::new(&[64], &[1000], 0)?)?;
/// let offset = pool.alloc(40)?;
/// pool.block(offset)?.copy_from_slice(&[7; 64]);
/// pool.free(offset)?;
/// assert!(pool.free(offset).is_err());
/// # Ok::<(), offheap_core::Error>(())
/// ```
#[derive(Debug)]
pub struct FixedPool {
    raw: RawFixedPool,
    _memory: OwnedMemory,
}

// SAFETY: the pool owns the memory, and changes it through `&mut self` only.
unsafe impl Send for FixedPool {}

impl FixedPool {
    /// An empty pool. `Oom` if memory is refused.
    pub fn new(shape: Shape) -> Result<FixedPool> {
        let owned = OwnedMemory::zeroed(shape.length as usize)?;
        // SAFETY: the pool owns the memory as long as it lives; the memory is zeroed.
        let memory = unsafe {
            let memory = Memory::new(owned.base(), owned.len())?;
            shape.write(memory, true);
            memory
        };
        Ok(FixedPool { raw: RawFixedPool::new(memory, shape), _memory: owned })
    }

    /// Allocates a block of at least `bytes` bytes and returns its offset. `Full` if there is no
    /// room.
    #[inline(always)]
    pub fn alloc(&mut self, bytes: u64) -> Result<u64> {
        self.raw.alloc(bytes)
    }

    /// As `alloc`, but `None` if there is no room.
    #[inline(always)]
    pub fn try_alloc(&mut self, bytes: u64) -> Result<Option<u64>> {
        self.raw.try_alloc(bytes)
    }

    /// Frees a block. Errors as for [`RawFixedPool::free`].
    #[inline(always)]
    pub fn free(&mut self, offset: u64) -> Result<()> {
        self.raw.free(offset)
    }

    /// The bytes of an allocated block.
    pub fn block(&mut self, offset: u64) -> Result<&mut [u8]> {
        let room = self.raw.room(offset)?;
        // SAFETY: an allocated block lies within the data, which is ours and initialized with
        // zeros.
        Ok(unsafe { std::slice::from_raw_parts_mut(self.raw.data().add(offset as usize), room as usize) })
    }

    /// Statistics.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.raw.stats()
    }

    /// Checks the bookkeeping.
    pub fn validate(&self) -> Result<()> {
        validate::check(&self.raw)
    }

    /// The underlying view, for the region and its data.
    #[must_use]
    pub fn raw(&self) -> &RawFixedPool {
        &self.raw
    }
}
