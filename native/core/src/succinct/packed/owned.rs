//! Packed integers for Rust programs, in memory of their own or in borrowed bytes.

use super::layout::Shape;
use super::{Iter, RawPackedInts, fill, measure};
use crate::Result;
use crate::region::numbers::{Number, Numbers};
use crate::region::owned::OwnedMemory;
use std::marker::PhantomData;
use std::ops::Deref;

/// Immutable integers of b bits each, 1 to 64, in n·b bits of memory.
///
/// ```
/// use offheap_core::succinct::packed::PackedInts;
///
/// let ages = PackedInts::from_slice(&[31u8, 4, 77, 18])?;
/// assert_eq!((ages.bits(), ages.len()), (7, 4));
/// assert_eq!(ages.at(2), Some(77));
/// assert_eq!(ages.iter().max(), Some(77));
/// # Ok::<(), offheap_core::Error>(())
/// ```
#[derive(Debug)]
pub struct PackedInts {
    raw: RawPackedInts,
    memory: OwnedMemory,
}

// SAFETY: it owns its memory, which is only read.
unsafe impl Send for PackedInts {}
// SAFETY: as above.
unsafe impl Sync for PackedInts {}

impl PackedInts {
    /// Packs integers with as many bits as the largest needs. `Range` if one is negative or
    /// fractional.
    pub fn from_slice<T: Number>(values: &[T]) -> Result<PackedInts> {
        let values = Numbers::of(values, "values");
        PackedInts::with_bits(&values, measure(&values)?)
    }

    /// Packs integers with `bits` bits each. `Range` if one needs more.
    pub fn with_bits(values: &Numbers<'_>, bits: u32) -> Result<PackedInts> {
        let shape = Shape { len: values.len() as u64, bits, bigint: false }.check()?;
        // JavaScript's numbers represent integers up to 2^53.
        let shape = Shape { bigint: bits > 53 && measure(values)? > 53, ..shape };
        let length = usize::try_from(shape.length()).unwrap_or(usize::MAX);
        let memory = OwnedMemory::new(length)?;
        // SAFETY: this function owns the memory, which has `memory.len()` bytes.
        unsafe {
            fill(memory.base(), length, shape, values)?;
            PackedInts::attach(memory)
        }
    }

    /// Copies the bytes of a region, and checks its header in constant time.
    pub fn from_bytes(bytes: &[u8]) -> Result<PackedInts> {
        let memory = OwnedMemory::new(bytes.len())?;
        // SAFETY: this function owns the memory, which has `bytes.len()` bytes.
        unsafe {
            memory.base().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            PackedInts::attach(memory)
        }
    }

    /// # Safety
    /// All of the memory is initialized.
    unsafe fn attach(memory: OwnedMemory) -> Result<PackedInts> {
        // SAFETY: the memory is initialized, and lives as long as the view, because both are fields
        // of one struct.
        let raw = unsafe { RawPackedInts::attach(memory.base(), memory.len()) }?;
        Ok(PackedInts { raw, memory })
    }

    /// The region, for example to be written to a file.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the region is within the memory and initialized.
        unsafe { std::slice::from_raw_parts(self.memory.base(), self.raw.shape().length() as usize) }
    }
}

impl Deref for PackedInts {
    type Target = RawPackedInts;
    #[inline(always)]
    fn deref(&self) -> &RawPackedInts {
        &self.raw
    }
}

impl<'a> IntoIterator for &'a PackedInts {
    type Item = u64;
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.raw.iter()
    }
}

/// Packed integers in borrowed bytes, for example of a mapped file.
#[derive(Debug)]
pub struct PackedIntsRef<'a> {
    raw: RawPackedInts,
    life: PhantomData<&'a [u8]>,
}

// SAFETY: it reads borrowed bytes, which nothing writes.
unsafe impl Send for PackedIntsRef<'_> {}
// SAFETY: as above.
unsafe impl Sync for PackedIntsRef<'_> {}

impl<'a> PackedIntsRef<'a> {
    /// Opens bytes that begin at a multiple of 8. Checks the header in constant time.
    pub fn new(bytes: &'a [u8]) -> Result<PackedIntsRef<'a>> {
        // SAFETY: the bytes are borrowed for as long as the view lives.
        let raw = unsafe { RawPackedInts::attach(bytes.as_ptr(), bytes.len()) }?;
        Ok(PackedIntsRef { raw, life: PhantomData })
    }
}

impl Deref for PackedIntsRef<'_> {
    type Target = RawPackedInts;
    #[inline(always)]
    fn deref(&self) -> &RawPackedInts {
        &self.raw
    }
}
