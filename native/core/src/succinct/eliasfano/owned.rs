//! Sorted integers for Rust programs, in memory of their own or in borrowed bytes.

use super::many::Iter;
use super::{RawEliasFano, fill, measure};
use crate::Result;
use crate::region::numbers::{Number, Numbers};
use crate::region::owned::OwnedMemory;
use std::marker::PhantomData;
use std::ops::Deref;

/// Immutable sorted integers, duplicates allowed, in about 2.7 + log2(largest / n) bits each.
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
    /// Builds from ascending values. `Range` if a value is negative, fractional, or less than the
    /// previous one.
    pub fn from_slice<T: Number>(values: &[T]) -> Result<EliasFano> {
        EliasFano::new(&Numbers::of(values, "values"))
    }

    /// Builds from an array of any type.
    pub fn new(values: &Numbers<'_>) -> Result<EliasFano> {
        let shape = measure(values)?;
        let length = usize::try_from(shape.layout().length).unwrap_or(usize::MAX);
        let memory = OwnedMemory::new(length)?;
        // SAFETY: this function owns the memory, which has `memory.len()` bytes.
        unsafe {
            fill(memory.base(), length, shape, values)?;
            EliasFano::attach(memory)
        }
    }

    /// Copies the bytes of a region, and checks its header in constant time.
    pub fn from_bytes(bytes: &[u8]) -> Result<EliasFano> {
        let memory = OwnedMemory::new(bytes.len())?;
        // SAFETY: this function owns the memory, which has `bytes.len()` bytes.
        unsafe {
            memory.base().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            EliasFano::attach(memory)
        }
    }

    /// # Safety
    /// All of the memory is initialized.
    unsafe fn attach(memory: OwnedMemory) -> Result<EliasFano> {
        // SAFETY: the memory is initialized, and lives as long as the view, because both are fields
        // of one struct.
        let raw = unsafe { RawEliasFano::attach(memory.base(), memory.len()) }?;
        Ok(EliasFano { raw, memory })
    }

    /// The region, for example to be written to a file.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the region is within the memory and initialized.
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

/// Sorted integers in borrowed bytes, for example of a mapped file.
#[derive(Debug)]
pub struct EliasFanoRef<'a> {
    raw: RawEliasFano,
    life: PhantomData<&'a [u8]>,
}

// SAFETY: it reads borrowed bytes, which nothing writes.
unsafe impl Send for EliasFanoRef<'_> {}
// SAFETY: as above.
unsafe impl Sync for EliasFanoRef<'_> {}

impl<'a> EliasFanoRef<'a> {
    /// Opens bytes that begin at a multiple of 8. Checks the header in constant time.
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
