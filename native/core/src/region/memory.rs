//! Region memory: bytes that other threads may write, read and written through atomics.
//!
//! Region memory may be written by another thread (a worker that shares the buffer) and may contain
//! anything at all (a hostile file). So it is never seen as `&[u8]` or `&mut`: [`Memory`] reads and
//! writes it through raw pointers and atomics.

use crate::{Error, Result};
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

/// Bytes of a region's header, and so the least that region memory has.
pub const HEADER_BYTES: usize = 256;
/// Words of a region's header.
pub const HEADER_WORDS: usize = HEADER_BYTES / 4;

/// Region memory: a base address, 8-byte aligned, and the number of bytes that may be accessed.
///
/// Offsets are not bounds-checked here in release builds: the callers check them, because only they
/// know their meaning. All accesses are atomic (relaxed loads, release stores). That costs nothing
/// on x86-64, and on ARM a store is an instruction of its own.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    base: *mut u8,
    len: usize,
}

macro_rules! accessors {
    ($($load:ident $store:ident $atomic:ident $type:ident;)+) => {$(
        /// Reads a number at a byte offset.
        ///
        /// # Safety
        /// `offset` is a multiple of the number's size, and the number lies within the length.
        #[inline(always)]
        #[must_use]
        pub unsafe fn $load(self, offset: usize) -> $type {
            debug_assert!(offset + size_of::<$type>() <= self.len, "read at {offset} of {}", self.len);
            // SAFETY: the caller guarantees that the number is within the memory and that its
            // offset is a multiple of its size; the base is a multiple of 8.
            unsafe { $atomic::from_ptr(self.base.add(offset).cast()).load(Ordering::Relaxed) }
        }

        /// Writes a number at a byte offset, after everything written before it.
        ///
        /// # Safety
        /// As for reading; the memory is writable, and no other thread writes the region.
        #[inline(always)]
        pub unsafe fn $store(self, offset: usize, value: $type) {
            debug_assert!(offset + size_of::<$type>() <= self.len, "write at {offset} of {}", self.len);
            // SAFETY: the caller guarantees that the number is within the memory and that its
            // offset is a multiple of its size; the base is a multiple of 8.
            unsafe { $atomic::from_ptr(self.base.add(offset).cast()).store(value, Ordering::Release) };
        }
    )+};
}

impl Memory {
    /// The `len` bytes at `base`. Refuses a null or misaligned base, and fewer bytes than a header.
    ///
    /// # Safety
    /// While this value or a copy of it is used, `base` is valid for reading `len` bytes, and for
    /// writing them if a method that writes is called. Other threads may write them.
    #[inline]
    pub unsafe fn new(base: *mut u8, len: usize) -> Result<Memory> {
        if base.is_null() {
            return Err(Error::wrong_type("the region is NULL"));
        }
        if !base.addr().is_multiple_of(8) {
            return Err(Error::wrong_type("the region does not start at a multiple of 8 bytes"));
        }
        if len < HEADER_BYTES || len > isize::MAX as usize {
            return Err(Error::corrupt(format!("{len} bytes are too few for a region")));
        }
        Ok(Memory { base, len })
    }

    /// The address of the first byte.
    #[inline(always)]
    #[must_use]
    pub fn base(self) -> *mut u8 {
        self.base
    }

    /// The number of bytes. The region may use fewer.
    #[inline(always)]
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it contains a header at least")]
    pub fn len(self) -> usize {
        self.len
    }

    accessors! {
        load_u8 store_u8 AtomicU8 u8;
        load_u16 store_u16 AtomicU16 u16;
        load_u32 store_u32 AtomicU32 u32;
        load_u64 store_u64 AtomicU64 u64;
    }

    /// The address `offset` bytes into the region.
    ///
    /// # Safety
    /// `offset` is at most the length.
    #[inline(always)]
    #[must_use]
    pub unsafe fn at(self, offset: usize) -> *mut u8 {
        debug_assert!(offset <= self.len, "{offset} is past the end, {}", self.len);
        // SAFETY: the caller guarantees that `offset` is at most the length.
        unsafe { self.base.add(offset) }
    }

    /// A word of the header.
    #[inline(always)]
    #[must_use]
    pub fn word(self, index: usize) -> u32 {
        assert!(index < HEADER_WORDS);
        // SAFETY: within the header, whose presence `new` checked.
        unsafe { self.load_u32(index * 4) }
    }

    /// A word of the header, loaded before everything that is read after it (acquire).
    #[inline(always)]
    #[must_use]
    pub fn word_acquire(self, index: usize) -> u32 {
        assert!(index < HEADER_WORDS);
        // SAFETY: within the header, whose presence `new` checked.
        unsafe { AtomicU32::from_ptr(self.base.add(index * 4).cast()) }.load(Ordering::Acquire)
    }

    /// A field of two words, in one load, so that it is never seen half-written.
    #[inline(always)]
    #[must_use]
    pub fn double_word(self, index: usize) -> u64 {
        assert!(index < HEADER_WORDS - 1 && index.is_multiple_of(2));
        // SAFETY: within the header, whose presence `new` checked; even words are 8-byte aligned.
        unsafe { self.load_u64(index * 4) }
    }

    /// Writes a word of the header.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    #[inline(always)]
    pub unsafe fn set_word(self, index: usize, value: u32) {
        assert!(index < HEADER_WORDS);
        // SAFETY: within the header, and the caller guarantees that this thread may write.
        unsafe { self.store_u32(index * 4, value) };
    }

    /// Writes a field of two words, in one store.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    #[inline(always)]
    pub unsafe fn set_double_word(self, index: usize, value: u64) {
        assert!(index < HEADER_WORDS - 1 && index.is_multiple_of(2));
        // SAFETY: within the header, at an even word, which is 8-byte aligned; the caller
        // guarantees that this thread may write.
        unsafe { self.store_u64(index * 4, value) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn refuses_a_null_or_misaligned_base_and_too_few_bytes() {
        let mut block = [0u64; HEADER_BYTES / 8];
        let base: *mut u8 = block.as_mut_ptr().cast();
        // SAFETY: nothing is read or written.
        unsafe {
            assert_eq!(Memory::new(std::ptr::null_mut(), 256).unwrap_err().kind(), ErrorKind::Type);
            assert_eq!(Memory::new(base.wrapping_add(4), 252).unwrap_err().kind(), ErrorKind::Type);
            assert_eq!(Memory::new(base, 255).unwrap_err().kind(), ErrorKind::Corrupt);
            assert_eq!(Memory::new(base, usize::MAX).unwrap_err().kind(), ErrorKind::Corrupt);
        }
    }
}
