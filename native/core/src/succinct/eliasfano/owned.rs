//! Sorted integers for Rust programs: in memory of their own, or in bytes that they borrow.

use super::many::Iter;
use super::{RawEliasFano, fill, measure};
use crate::Result;
use crate::region::numbers::{Number, Numbers};
use crate::region::owned::OwnedMemory;
use std::marker::PhantomData;
use std::ops::Deref;

/// Sorted integers, duplicates allowed, in about 2.7 + log2(largest / n) bits each. They can be
/// read, not changed.
///
/// ```
/// use offheap_core::succinct::eliasfano::EliasFano;
///
/// let squares = EliasFano::from_slice(&[0u32, 1, 4, 9, 16, 25])?;
/// assert_eq!(squares.at(3), Some(9));
/// assert_eq!(squares.rank(10), 4); // how many are less
/// assert_eq!(squares.next_geq(10), Some((4, 16))); // the first that is not, with its index
/// assert_eq!(squares.iter().sum::<u64>(), 55);
/// # Ok::<(), offheap_core::Error>(())
/// ```
#[derive(Debug)]
pub struct EliasFano {
    raw: RawEliasFano,
    memory: OwnedMemory,
}

// SAFETY: it owns its memory, which is only read.
unsafe impl Send for EliasFano {}
// SAFETY: as above.
unsafe impl Sync for EliasFano {}

impl EliasFano {
    /// Builds from values that ascend. `Range` if one is less than the one before it, negative or
    /// fractional.
    pub fn from_slice<T: Number>(values: &[T]) -> Result<EliasFano> {
        EliasFano::new(&Numbers::of(values, "values"))
    }

    /// Builds from an array of any type.
    pub fn new(values: &Numbers<'_>) -> Result<EliasFano> {
        let shape = measure(values)?;
        let length = usize::try_from(shape.layout().length).unwrap_or(usize::MAX);
        let memory = OwnedMemory::new(length)?;
        // SAFETY: the memory is ours, and as long as it says.
        unsafe {
            fill(memory.base(), length, shape, values)?;
            EliasFano::attach(memory)
        }
    }

    /// A copy of a region's bytes, checked in constant time.
    pub fn from_bytes(bytes: &[u8]) -> Result<EliasFano> {
        let memory = OwnedMemory::new(bytes.len())?;
        // SAFETY: the memory is ours, and as long as the bytes.
        unsafe {
            memory.base().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            EliasFano::attach(memory)
        }
    }

    /// # Safety
    /// All of the memory is initialised.
    unsafe fn attach(memory: OwnedMemory) -> Result<EliasFano> {
        // SAFETY: the memory lives as long as the view, which stands beside it.
        let raw = unsafe { RawEliasFano::attach(memory.base(), memory.len()) }?;
        Ok(EliasFano { raw, memory })
    }

    /// The region: what to write to a file, or hand to JavaScript.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the region lies in the memory, all of it was written.
        unsafe { std::slice::from_raw_parts(self.memory.base(), self.raw.layout().length as usize) }
    }
}

impl Deref for EliasFano {
    type Target = RawEliasFano;
    #[inline(always)]
    fn deref(&self) -> &RawEliasFano {
        &self.raw
    }
}

impl<'a> IntoIterator for &'a EliasFano {
    type Item = u64;
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.raw.iter()
    }
}

/// Sorted integers in borrowed bytes: of a mapped file, say.
#[derive(Debug)]
pub struct EliasFanoRef<'a> {
    raw: RawEliasFano,
    life: PhantomData<&'a [u8]>,
}

// SAFETY: it reads bytes that are borrowed, and no one writes.
unsafe impl Send for EliasFanoRef<'_> {}
// SAFETY: as above.
unsafe impl Sync for EliasFanoRef<'_> {}

impl<'a> EliasFanoRef<'a> {
    /// The integers in bytes that begin at a multiple of 8, checked in constant time.
    pub fn new(bytes: &'a [u8]) -> Result<EliasFanoRef<'a>> {
        // SAFETY: the bytes are borrowed for as long as the view lives.
        let raw = unsafe { RawEliasFano::attach(bytes.as_ptr(), bytes.len()) }?;
        Ok(EliasFanoRef { raw, life: PhantomData })
    }
}

impl Deref for EliasFanoRef<'_> {
    type Target = RawEliasFano;
    #[inline(always)]
    fn deref(&self) -> &RawEliasFano {
        &self.raw
    }
}
