//! The vector for Rust programs.
//!
//! [`Vector<T>`] is a `Vec<T>` of numbers whose memory is a region, aligned to 64 bytes, which
//! JavaScript and C can read as it is. [`elements`] borrows the elements of another region as a
//! slice.
//!
//! ```
//! use offheap_core::vector::Vector;
//!
//! let mut prices: Vector<f64> = Vector::new()?;
//! prices.extend_from_slice(&[3.5, 1.25])?;
//! prices.push(2.0)?;
//! prices.sort();
//! assert_eq!(&prices[..], [1.25, 2.0, 3.5]);
//! assert_eq!(prices.search(2.0), Ok(1));
//! # Ok::<(), offheap_core::Error>(())
//! ```
//!
//! All operations that allocate memory are fallible. `push` takes amortized O(1). Growth copies
//! nothing if the allocator can move pages instead (glibc, from 128 KiB on).
//! the allocator can move pages instead (glibc, from 128 KiB on).

use super::layout::{DATA, Shape, region_length};
use super::raw::{self, Sum, View, Writer};
use super::sort;
use super::sort::argsort::Indices;
use crate::region::element::Element;
use crate::region::owned::OwnedMemory;
use crate::{Error, Result};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// A growing vector that owns its memory.
pub struct Vector<T: Element> {
    memory: OwnedMemory,
    len: usize,
    capacity: usize,
    elements: PhantomData<T>,
}

impl<T: Element> Vector<T> {
    /// Creates an empty vector with room for a few elements.
    pub fn new() -> Result<Vector<T>> {
        Vector::with_capacity(64 / size_of::<T>())
    }

    /// Creates an empty vector with room for at least `capacity` elements.
    pub fn with_capacity(capacity: usize) -> Result<Vector<T>> {
        let length = region_length(T::TYPE, capacity as u64)?;
        let memory = OwnedMemory::new(length)?;
        // SAFETY: the memory is new and exclusive.
        unsafe { raw::init(memory.base(), length, T::TYPE) }?;
        Ok(Vector { memory, len: 0, capacity: (length - DATA) / size_of::<T>(), elements: PhantomData })
    }

    #[inline(always)]
    fn data(&self) -> *mut T {
        self.memory.base().wrapping_add(DATA).cast()
    }

    /// The number of elements that fit without growth.
    #[inline]
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// Writes the number of elements to the header and returns a writer. Otherwise the number is
    /// kept only outside the region.
    fn writer(&mut self) -> Result<Writer> {
        // SAFETY: the vector owns the memory.
        let mut writer = unsafe { Writer::attach(self.memory.base(), self.memory.len()) }?;
        writer.set_len(self.len)?;
        Ok(writer)
    }

    fn view(&self) -> Option<View> {
        let shape = Shape { ty: T::TYPE, len: self.len, capacity: self.capacity, region: self.memory.len() };
        // SAFETY: the vector owns the memory, which contains `len` elements.
        unsafe { View::of(self.memory.base(), self.memory.len(), shape) }.ok()
    }

    /// Appends an element.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<()> {
        if self.len == self.capacity {
            self.grow(1)?;
        }
        // SAFETY: `len < capacity`, so the element is within the memory.
        unsafe { self.data().add(self.len).write(value) };
        self.len += 1;
        Ok(())
    }

    /// Removes and returns the last element.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        let last = self.last().copied()?;
        self.len -= 1;
        Some(last)
    }

    /// Appends all elements of a slice.
    pub fn extend_from_slice(&mut self, values: &[T]) -> Result<()> {
        if values.len() > self.capacity - self.len {
            self.grow(values.len())?;
        }
        // SAFETY: the capacity was ensured, and no slice of the caller can overlap the vector's
        // memory.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.data().add(self.len), values.len()) };
        self.len += values.len();
        Ok(())
    }

    /// Makes room for a total of at least `capacity` elements.
    pub fn reserve(&mut self, capacity: usize) -> Result<()> {
        if capacity > self.capacity { self.resize(region_length(T::TYPE, capacity as u64)?) } else { Ok(()) }
    }

    #[cold]
    fn grow(&mut self, more: usize) -> Result<()> {
        let needed = self
            .len
            .checked_add(more)
            .ok_or_else(|| Error::range("the vector would have too many elements"))?;
        let doubled = self.capacity.saturating_mul(2).min(isize::MAX as usize / 4 / size_of::<T>());
        self.resize(region_length(T::TYPE, needed.max(doubled) as u64)?)
    }

    fn resize(&mut self, length: usize) -> Result<()> {
        let used = DATA + self.len * size_of::<T>();
        // `bytes` may have made the region shorter than the memory.
        if length > self.memory.len() {
            self.memory.grow(length, used)?;
        }
        let mut writer = self.writer()?;
        writer.set_region(length)?;
        self.capacity = writer.shape().capacity;
        Ok(())
    }

    /// Keeps the first `len` elements. Does nothing if there are not more.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Removes all elements. The capacity does not change.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Removes and returns the element at `index`, and moves the last element there. `None` if
    /// there is no such element.
    pub fn swap_remove(&mut self, index: usize) -> Option<T> {
        let last = *self.last()?;
        let removed = std::mem::replace(self.get_mut(index)?, last);
        self.len -= 1;
        Some(removed)
    }

    /// Sorts the elements in ascending order, with −0 before 0 and NaN last. O(n). Sorts in place
    /// if memory for a copy is refused.
    pub fn sort(&mut self) {
        let done = self.writer().and_then(|_| {
            // SAFETY: the vector owns the memory.
            unsafe { sort::sort(self.memory.base(), self.memory.len(), None) }
        });
        debug_assert!(done.is_ok(), "{done:?}");
    }

    /// The indices of the elements in the order of [`Vector::sort`]. Stable. `Range` for more than
    /// 2^32 elements.
    pub fn argsort(&mut self) -> Result<Vec<u32>> {
        if self.len as u64 > 1 << 32 {
            return Err(Error::range("argsort supports at most 2^32 elements"));
        }
        let region = self.writer()?.shape().region;
        let mut out: Vec<u32> = Vec::new();
        out.try_reserve_exact(self.len)?;
        let indices = Indices::U32(out.as_mut_ptr(), self.len);
        // SAFETY: the vector owns its memory, and `out` has capacity for all indices, which are
        // written on success.
        unsafe {
            sort::argsort::argsort(self.memory.base(), region, None, indices)?;
            out.set_len(self.len);
        }
        Ok(out)
    }

    /// Finds a value in a sorted vector: `Ok` with the first index of it, or `Err` with the index
    /// at which to insert it. −0 equals 0, and all NaNs are equal.
    pub fn search(&self, value: T) -> std::result::Result<usize, usize> {
        let key = T::encode_for_search(value.to_word());
        let at = self.partition_point(|x| T::encode_for_search(x.to_word()) < key);
        let found = self.get(at).is_some_and(|x| T::encode_for_search(x.to_word()) == key);
        if found { Ok(at) } else { Err(at) }
    }

    /// The sum: see [`Sum`].
    #[must_use]
    pub fn sum(&self) -> Sum {
        self.view().map_or(Sum::Integer(0), |view| view.sum())
    }

    fn extreme(&self, greatest: bool) -> Option<T> {
        let view = self.view()?;
        let mut out = T::default();
        // SAFETY: `out` is one element.
        unsafe { view.extreme(greatest, (&raw mut out).cast()) }.then_some(out)
    }

    /// The least element: NaN if there is one; −0 is less than 0.
    #[must_use]
    pub fn min(&self) -> Option<T> {
        self.extreme(false)
    }

    /// The greatest element: NaN if there is one; 0 is greater than −0.
    #[must_use]
    pub fn max(&self) -> Option<T> {
        self.extreme(true)
    }

    /// The index of the first element that is `==` to a value.
    #[must_use]
    pub fn index_of(&self, value: T) -> Option<usize> {
        let view = self.view()?;
        // SAFETY: `value` is one element.
        unsafe { view.index_of((&raw const value).cast(), 0, false) }
    }

    /// The region, which can be saved and opened again. It has no spare capacity, so its bytes
    /// depend only on the elements.
    pub fn bytes(&mut self) -> Result<&[u8]> {
        let length = region_length(T::TYPE, self.len as u64)?;
        let mut writer = self.writer()?;
        writer.set_region(length)?;
        writer.zero_unused();
        self.capacity = writer.shape().capacity;
        // SAFETY: the vector owns the memory, and all bytes of the region are initialized.
        Ok(unsafe { std::slice::from_raw_parts(self.memory.base(), length) })
    }

    /// The address of the region's memory and the region's length, for the C ABI.
    #[must_use]
    pub fn region(&mut self) -> (*mut u8, usize) {
        let length = self.writer().map_or(0, |writer| writer.shape().region);
        (self.memory.base(), length)
    }
}

impl<T: Element> Deref for Vector<T> {
    type Target = [T];
    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: the vector owns the memory, and `len` elements are initialized.
        unsafe { std::slice::from_raw_parts(self.data(), self.len) }
    }
}

impl<T: Element> DerefMut for Vector<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: the same; `self` is borrowed exclusively.
        unsafe { std::slice::from_raw_parts_mut(self.data(), self.len) }
    }
}

impl<T: Element> fmt::Debug for Vector<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The elements of the vector in `bytes`, which must be aligned to 8. `Type` if the elements are
/// not of type `T`.
pub fn elements<T: Element>(bytes: &[u8]) -> Result<&[T]> {
    // SAFETY: a shared slice is readable and constant while it is borrowed.
    let view = unsafe { View::attach(bytes.as_ptr(), bytes.len()) }?;
    let Shape { ty, len, .. } = view.shape();
    if ty != T::TYPE {
        return Err(Error::wrong_type(format!("the elements are {ty:?}, not {:?}", T::TYPE)));
    }
    // SAFETY: the check ensured that the elements are within the bytes; they are aligned, and every
    // bit pattern is a valid element.
    Ok(unsafe { std::slice::from_raw_parts(view.data().cast(), len) })
}
