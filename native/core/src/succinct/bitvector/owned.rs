//! The growing bit vector for Rust programs, which owns its memory.

use super::layout::{self, MAX_BITS, STEP};
use super::raw::RawBits;
use super::write::{RawBitsMut, length_for};
use crate::region::numbers::{Number, Numbers};
use crate::region::owned::OwnedMemory;
use crate::succinct::runs::Op;
use crate::{Error, Result};
use std::fmt;

/// A vector of bits, each of which takes one bit.
///
/// ```
/// use offheap_core::succinct::BitVec;
///
/// let mut primes = BitVec::from_indices(&[2u64, 3, 5, 7, 11, 13])?;
/// let mut odd = BitVec::new(primes.len())?;
/// (1..primes.len()).step_by(2).try_for_each(|i| odd.set(i, true))?;
/// primes.and(&odd)?;
/// assert_eq!(primes.ones().collect::<Vec<_>>(), [3, 5, 7, 11, 13]);
/// assert_eq!(primes.count(0, 10)?, 3);
/// # Ok::<(), offheap_core::Error>(())
/// ```
///
/// Operations that allocate memory return a `Result`, and so do operations that take positions:
/// `Range` past the end. An operation that fails changes nothing.
pub struct BitVec {
    bits: RawBitsMut,
    memory: OwnedMemory,
}

// SAFETY: it owns its memory, like `Vec`; nothing else has the address.
unsafe impl Send for BitVec {}
// SAFETY: `&BitVec` only reads.
unsafe impl Sync for BitVec {}

impl BitVec {
    /// Creates a vector of `length` zeros.
    pub fn new(length: u64) -> Result<BitVec> {
        let memory = OwnedMemory::new(layout::region_length(length)?)?;
        // SAFETY: the memory is new and exclusive.
        let bits = unsafe {
            layout::init(memory.base(), memory.len(), length)?;
            RawBitsMut::attach(memory.base(), memory.len())?
        };
        Ok(BitVec { bits, memory })
    }

    /// Creates a vector with ones at the given positions, in any order. It ends at the largest of
    /// them.
    pub fn from_indices<T: Number>(indices: &[T]) -> Result<BitVec> {
        let indices = Numbers::of(indices, "indices");
        let mut bits = BitVec::new(length_for(&indices)?)?;
        bits.bits.set_many(&indices, true)?;
        Ok(bits)
    }

    /// Creates a vector of the bits of each byte, the lowest first.
    pub fn from_bytes(bytes: &[u8]) -> Result<BitVec> {
        let mut bits = BitVec::new(bytes.len() as u64 * 8)?;
        // SAFETY: a slice is readable for its length.
        unsafe { bits.bits.load(bytes.as_ptr(), bytes.len()) }?;
        Ok(bits)
    }

    /// Creates a vector of the given bits.
    pub fn from_bits(bits: impl IntoIterator<Item = bool>) -> Result<BitVec> {
        let mut vector = BitVec::new(0)?;
        bits.into_iter().try_for_each(|bit| vector.push(bit))?;
        Ok(vector)
    }

    /// Copies the bit vector in a region, which may be shared or mapped.
    pub fn copy_of(bits: &RawBits) -> Result<BitVec> {
        let mut copy = BitVec::new(bits.len())?;
        // SAFETY: the words of a view are readable up to its capacity.
        unsafe { copy.bits.load(bits.words().cast(), bits.len().div_ceil(8) as usize) }?;
        Ok(copy)
    }

    /// The view through which all operations access the bits.
    #[inline(always)]
    #[must_use]
    pub fn raw(&self) -> &RawBits {
        &self.bits
    }

    /// The region, which can be saved, and opened again with [`RawBits::attach`].
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the vector owns the memory, the region is initialized, and nothing writes it
        // while `self` is borrowed.
        unsafe { std::slice::from_raw_parts(self.memory.base(), self.bits.region_length()) }
    }

    /// The number of bits.
    #[inline]
    #[must_use]
    pub fn len(&self) -> u64 {
        self.bits.len()
    }

    /// Whether there are no bits.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a bit is set; `None` past the end.
    #[inline]
    #[must_use]
    pub fn get(&self, index: u64) -> Option<bool> {
        self.bits.get(index)
    }

    /// Sets a bit to a value.
    #[inline]
    pub fn set(&mut self, index: u64, bit: bool) -> Result<()> {
        self.bits.set(index, bit)
    }

    /// Inverts a bit, and returns its new value.
    #[inline]
    pub fn flip(&mut self, index: u64) -> Result<bool> {
        self.bits.flip(index)
    }

    /// Appends a bit; amortized constant time.
    #[inline]
    pub fn push(&mut self, bit: bool) -> Result<()> {
        if self.bits.push(bit) { Ok(()) } else { self.push_after_growth(bit) }
    }

    #[cold]
    fn push_after_growth(&mut self, bit: bool) -> Result<()> {
        let capacity = self.bits.capacity();
        if capacity == MAX_BITS {
            return Err(Error::full("the bit vector has the maximum length"));
        }
        self.reserve((capacity + capacity / 2).clamp(8 * STEP, MAX_BITS))?;
        self.bits.push(bit);
        Ok(())
    }

    /// Makes room for a total of at least `capacity` bits.
    pub fn reserve(&mut self, capacity: u64) -> Result<()> {
        if capacity <= self.bits.capacity() {
            return Ok(());
        }
        self.memory.grow(layout::region_length(capacity)?, self.bits.region_length())?;
        // SAFETY: the vector owns the memory, and the view with the old address is replaced.
        self.bits = unsafe { RawBitsMut::attach(self.memory.base(), self.memory.len()) }?;
        self.bits.set_capacity(capacity)
    }

    /// Changes the length, by appending zeros or by dropping bits.
    pub fn resize(&mut self, length: u64) -> Result<()> {
        self.reserve(length)?;
        self.bits.set_length(length)
    }

    /// The number of ones in `from..to`.
    pub fn count(&self, from: u64, to: u64) -> Result<u64> {
        self.bits.count(from, to)
    }

    /// Sets all bits of `from..to` to one value.
    pub fn fill(&mut self, from: u64, to: u64, bit: bool) -> Result<()> {
        self.bits.fill(from, to, bit)
    }

    /// Inverts all bits.
    pub fn not(&mut self) {
        // The range of all bits is always valid.
        let _whole = self.bits.invert(0, self.len());
    }

    /// Inverts all bits of `from..to`.
    pub fn not_range(&mut self, from: u64, to: u64) -> Result<()> {
        self.bits.invert(from, to)
    }

    /// Intersection: keeps only the ones that `other` has as well. Past its end `other` counts as
    /// zeros.
    pub fn and(&mut self, other: &BitVec) -> Result<()> {
        self.combine(Op::And, other)
    }

    /// Union: adds the ones of `other`, and grows to its length if that is more.
    pub fn or(&mut self, other: &BitVec) -> Result<()> {
        self.combine(Op::Or, other)
    }

    /// Symmetric difference: keeps the ones that only one of the two has, and grows to the length
    /// of `other` if that is more.
    pub fn xor(&mut self, other: &BitVec) -> Result<()> {
        self.combine(Op::Xor, other)
    }

    /// Difference: removes the ones of `other`.
    pub fn and_not(&mut self, other: &BitVec) -> Result<()> {
        self.combine(Op::AndNot, other)
    }

    fn combine(&mut self, op: Op, other: &BitVec) -> Result<()> {
        if matches!(op, Op::Or | Op::Xor) && other.len() > self.len() {
            self.resize(other.len())?;
        }
        self.bits.combine(op, other.raw(), 0, self.len())
    }

    /// Set algebra within `from..to`; no bit outside changes. Past its end `other` counts as zeros.
    pub fn combine_range(&mut self, op: Op, other: &BitVec, from: u64, to: u64) -> Result<()> {
        self.bits.combine(op, other.raw(), from, to)
    }

    /// The position of the first one at or after `from`.
    #[inline]
    #[must_use]
    pub fn next_one(&self, from: u64) -> Option<u64> {
        self.bits.next_one(from)
    }

    /// The position of the first zero at or after `from`.
    #[inline]
    #[must_use]
    pub fn next_zero(&self, from: u64) -> Option<u64> {
        self.bits.next_zero(from)
    }

    /// The positions of ones, in order.
    pub fn ones(&self) -> impl Iterator<Item = u64> + '_ {
        self.bits.ones()
    }
}

impl fmt::Debug for BitVec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BitVec")
            .field("len", &self.len())
            .field("ones", &self.ones().collect::<Vec<_>>())
            .finish()
    }
}
