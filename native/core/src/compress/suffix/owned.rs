//! The suffix array for Rust programs.

use super::{RawSuffixArray, Shape, build};
use crate::Result;
use crate::region::owned::OwnedMemory;
use std::ops::Deref;

/// The suffixes of a text, sorted, in memory of their own.
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
// SAFETY: as above.
unsafe impl Sync for SuffixArray {}

impl SuffixArray {
    /// Sorts the suffixes of a text, which is copied. O(n). `Range` for more than 2^31 − 2 bytes.
    pub fn new(text: &[u8]) -> Result<SuffixArray> {
        let length = Shape::new(text.len())?.length();
        let memory = OwnedMemory::new(length)?;
        // SAFETY: the memory is ours, and as long as it says.
        unsafe {
            build(memory.base(), length, text.as_ptr(), text.len())?;
            SuffixArray::attach(memory)
        }
    }

    /// A copy of a region's bytes, checked in constant time.
    pub fn from_bytes(bytes: &[u8]) -> Result<SuffixArray> {
        let memory = OwnedMemory::new(bytes.len())?;
        // SAFETY: the memory is ours, and as long as the bytes.
        unsafe {
            memory.base().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            SuffixArray::attach(memory)
        }
    }

    /// # Safety
    /// All of the memory is initialised.
    unsafe fn attach(memory: OwnedMemory) -> Result<SuffixArray> {
        // SAFETY: the memory lives as long as the view, which stands beside it.
        let raw = unsafe { RawSuffixArray::attach(memory.base(), memory.len()) }?;
        Ok(SuffixArray { raw, memory })
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        &self.as_bytes()[Shape::TEXT..Shape::TEXT + self.len()]
    }

    /// The region: what to write to a file, or hand to JavaScript.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the region lies in the memory, all of it was written.
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
