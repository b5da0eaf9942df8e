//! The suffix array for Rust programs.

use super::{RawSuffixArray, Shape, build};
use crate::Result;
use crate::region::owned::OwnedMemory;
use std::ops::Deref;

/// The sorted suffixes of a text, in memory of their own.
///
/// ```
/// use offheap_core::compress::SuffixArray;
///
/// let array = SuffixArray::new(b"banana")?;
/// let found = array.search(b"an");
/// assert_eq!((found.start, found.count), (1, 2));
/// assert_eq!(array.at(1), Some(3), "the suffix of rank 1 is `ana`");
/// # Ok::<(), offheap_core::Error>(())
/// ```
#[derive(Debug)]
pub struct SuffixArray {
    raw: RawSuffixArray,
    memory: OwnedMemory,
}

// SAFETY: it owns its memory, which is only read.
unsafe impl Send for SuffixArray {}
// SAFETY: the same.
unsafe impl Sync for SuffixArray {}

impl SuffixArray {
    /// Sorts the suffixes of a copy of `text`. O(n). `Range` for more than 2^31 − 2 bytes.
    pub fn new(text: &[u8]) -> Result<SuffixArray> {
        let length = Shape::new(text.len())?.length();
        let memory = OwnedMemory::new(length)?;
        // SAFETY: this function owns the memory, which has `length` bytes.
        unsafe {
            build(memory.base(), length, text.as_ptr(), text.len())?;
            SuffixArray::attach(memory)
        }
    }

    /// Copies the bytes of a region, and checks its header in constant time.
    pub fn from_bytes(bytes: &[u8]) -> Result<SuffixArray> {
        let memory = OwnedMemory::new(bytes.len())?;
        // SAFETY: this function owns the memory, which has `bytes.len()` bytes.
        unsafe {
            memory.base().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            SuffixArray::attach(memory)
        }
    }

    /// # Safety
    /// All of the memory is initialized.
    unsafe fn attach(memory: OwnedMemory) -> Result<SuffixArray> {
        // SAFETY: the memory is initialized, and lives as long as the view, because both are fields
        // of one struct.
        let raw = unsafe { RawSuffixArray::attach(memory.base(), memory.len()) }?;
        Ok(SuffixArray { raw, memory })
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.as_bytes()[Shape::TEXT..Shape::TEXT + self.len()]
    }

    /// The region, for example to be written to a file.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the region is within the memory and initialized.
        unsafe { std::slice::from_raw_parts(self.memory.base(), self.raw.shape().length()) }
    }
}

impl Deref for SuffixArray {
    type Target = RawSuffixArray;

    #[inline(always)]
    fn deref(&self) -> &RawSuffixArray {
        &self.raw
    }
}
