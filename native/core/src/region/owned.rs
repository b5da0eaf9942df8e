//! Memory for structures that own theirs: aligned to 64 bytes, and grown without a copy if the
//! allocator supports that.
//!
//! The alignment is established here, inside a block of the allocator's natural alignment, because
//! only such blocks are extended by `realloc` (glibc: `mremap`, which moves page tables and not
//! bytes). Invariant: `base` is the first multiple of 64 in the block.

use crate::{Error, ErrorKind, Result};
use std::alloc::{self, Layout};
use std::ptr::NonNull;

const ALIGNMENT: usize = 64;
/// The alignment that every allocator provides.
const NATURAL: usize = 16;

/// Growable memory. Its contents are uninitialized until they are written.
#[derive(Debug)]
pub(crate) struct OwnedMemory {
    block: NonNull<u8>,
    len: usize,
}

// SAFETY: it owns its block, as a Vec does; nothing else refers to it.
unsafe impl Send for OwnedMemory {}
// SAFETY: `&OwnedMemory` returns an address and reads nothing.
unsafe impl Sync for OwnedMemory {}

fn layout(len: usize) -> Result<Layout> {
    len.checked_add(ALIGNMENT)
        .and_then(|size| Layout::from_size_align(size, NATURAL).ok())
        .ok_or_else(refused)
}

/// A fixed message: without memory, no number can be formatted.
#[cold]
fn refused() -> Error {
    Error::new(ErrorKind::Oom, "out of memory for the structure's region")
}

impl OwnedMemory {
    /// Allocates `len` bytes.
    pub(crate) fn new(len: usize) -> Result<OwnedMemory> {
        // SAFETY: the size is not zero, because `layout` adds to it.
        let block = NonNull::new(unsafe { alloc::alloc(layout(len)?) });
        Ok(OwnedMemory { block: block.ok_or_else(refused)?, len })
    }

    /// Allocates `len` zeros, which cost nothing until they are touched.
    pub(crate) fn zeroed(len: usize) -> Result<OwnedMemory> {
        // SAFETY: the size is not zero, because `layout` adds to it.
        let block = NonNull::new(unsafe { alloc::alloc_zeroed(layout(len)?) });
        Ok(OwnedMemory { block: block.ok_or_else(refused)?, len })
    }

    /// The first byte; a multiple of 64.
    #[inline]
    pub(crate) fn base(&self) -> *mut u8 {
        let block = self.block.as_ptr();
        block.wrapping_add(block.align_offset(ALIGNMENT))
    }

    /// The number of bytes.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Extends the memory to `len` bytes and keeps the first `used` ones. `base` may change, unless
    /// this fails.
    pub(crate) fn grow(&mut self, len: usize, used: usize) -> Result<()> {
        debug_assert!(used <= self.len && self.len <= len);
        let before = self.base().addr() - self.block.addr().get();
        let size = layout(len)?.size();
        // SAFETY: the block was allocated with the layout of its length; the new size was checked.
        let grown = unsafe { alloc::realloc(self.block.as_ptr(), layout(self.len)?, size) };
        self.block = NonNull::new(grown).ok_or_else(refused)?;
        self.len = len;
        let after = self.base().addr() - self.block.addr().get();
        if before != after {
            // SAFETY: both offsets are at most 63, and the block has 64 bytes more than `len`.
            unsafe { std::ptr::copy(grown.add(before), grown.add(after), used) };
        }
        Ok(())
    }
}

impl Drop for OwnedMemory {
    fn drop(&mut self) {
        if let Ok(layout) = layout(self.len) {
            // SAFETY: the block was allocated with this layout.
            unsafe { alloc::dealloc(self.block.as_ptr(), layout) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_keeps_bytes_and_alignment() {
        let mut memory = OwnedMemory::new(64).unwrap();
        let mut used = 64;
        // SAFETY: the memory has `used` bytes.
        unsafe { (0..used).for_each(|i| memory.base().add(i).write(i as u8)) };
        for len in [70, 1000, 1001, 5000, 200_000, 3_000_000] {
            memory.grow(len, used).unwrap();
            assert_eq!((memory.base().addr() % 64, memory.len()), (0, len));
            // SAFETY: the memory has `len` bytes.
            unsafe {
                assert!((0..used).all(|i| memory.base().add(i).read() == i as u8));
                (used..len).for_each(|i| memory.base().add(i).write(i as u8));
            }
            used = len;
        }
        assert_eq!(memory.grow(usize::MAX - 10, used).unwrap_err().kind(), ErrorKind::Oom);
        assert_eq!(memory.len(), used);
    }
}
