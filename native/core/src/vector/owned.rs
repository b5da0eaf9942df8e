//! The vector for Rust programs.
//!
//! [`Vector<T>`] is a `Vec<T>` of numbers whose memory is a region: aligned to 64 bytes, and as it
//! is what JavaScript and C read. [`elements`] shows those of someone else's region as a slice.
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
//! What needs memory is fallible. `push` and growth are amortised O(1); growth copies nothing where
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
    /// An empty vector, with room for a few elements.
    pub fn new() -> Result<Vector<T>> {
        Vector::with_capacity(64 / size_of::<T>())
    }

    /// An empty vector with room for at least so many.
    pub fn with_capacity(capacity: usize) -> Result<Vector<T>> {
        let length = region_length(T::TYPE, capacity as u64)?;
        let memory = OwnedMemory::new(length)?;
        // SAFETY: the memory is new and ours.
        unsafe { raw::init(memory.base(), length, T::TYPE) }?;
        Ok(Vector { memory, len: 0, capacity: (length - DATA) / size_of::<T>(), elements: PhantomData })
    }

    #[inline(always)]
    fn data(&self) -> *mut T {
        self.memory.base().wrapping_add(DATA).cast()
    }

    /// Elements that fit before it grows.
    #[inline]
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// The number of elements is kept beside the header, and written there when someone else is to
    /// see it.
    fn writer(&mut self) -> Result<Writer> {
        // SAFETY: the memory is ours.
        let mut writer = unsafe { Writer::attach(self.memory.base(), self.memory.len()) }?;
        writer.set_len(self.len)?;
        Ok(writer)
    }

    fn view(&self) -> Option<View> {
        let shape = Shape { ty: T::TYPE, len: self.len, capacity: self.capacity, region: self.memory.len() };
        // SAFETY: the memory is ours, and has the elements.
        unsafe { View::of(self.memory.base(), self.memory.len(), shape) }.ok()
    }

    /// Appends an element.
    #[inline]
    pub fn push(&mut self, value: T) -> Result<()> {
        if self.len == self.capacity {
            self.grow(1)?;
        }
        // SAFETY: there is room for it.
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

    /// Appends many elements.
    pub fn extend_from_slice(&mut self, values: &[T]) -> Result<()> {
        if values.len() > self.capacity - self.len {
            self.grow(values.len())?;
        }
        // SAFETY: there is room for them, in memory that no slice of the caller's can be in.
        unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), self.data().add(self.len), values.len()) };
        self.len += values.len();
        Ok(())
    }

    /// Makes room for at least so many elements in all.
    pub fn reserve(&mut self, capacity: usize) -> Result<()> {
        if capacity > self.capacity { self.resize(region_length(T::TYPE, capacity as u64)?) } else { Ok(()) }
    }

    #[cold]
    fn grow(&mut self, more: usize) -> Result<()> {
        let needed = self.len.checked_add(more).ok_or_else(|| Error::range("more elements than can be"))?;
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

    /// Keeps the first `len` elements. Does nothing if there are no more.
    pub fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    /// Removes all elements. The capacity stays.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    /// Removes and returns the element at `index`, whose place the last one takes; `None` if there
    /// is no such element.
    pub fn swap_remove(&mut self, index: usize) -> Option<T> {
        let last = *self.last()?;
        let removed = std::mem::replace(self.get_mut(index)?, last);
        self.len -= 1;
        Some(removed)
    }

    /// Sorts: ascending, −0 before 0, NaN last. O(n); in place if memory for a copy is refused.
    pub fn sort(&mut self) {
        let done = self.writer().and_then(|_| {
            // SAFETY: the memory is ours.
            unsafe { sort::sort(self.memory.base(), self.memory.len(), None) }
        });
        debug_assert!(done.is_ok(), "{done:?}");
    }

    /// The indices of the elements in the order of [`Vector::sort`]; equal ones in their own.
    /// `Range` beyond 2^32.
    pub fn argsort(&mut self) -> Result<Vec<u32>> {
        if self.len as u64 > 1 << 32 {
            return Err(Error::range("more elements than 32 bits can number"));
        }
        let region = self.writer()?.shape().region;
        let mut out: Vec<u32> = Vec::new();
        out.try_reserve_exact(self.len)?;
        let indices = Indices::U32(out.as_mut_ptr(), self.len);
        // SAFETY: the memory is ours; `out` has room for all, which are written on success.
        unsafe {
            sort::argsort::argsort(self.memory.base(), region, None, indices)?;
            out.set_len(self.len);
        }
        Ok(out)
    }

    /// Where a value is in a sorted vector: `Ok` with the first index of it, or `Err` with the one
    /// to insert it at. −0 is 0 here, and NaN is NaN.
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
        // SAFETY: `out` is an element.
        unsafe { view.extreme(greatest, (&raw mut out).cast()) }.then_some(out)
    }

    /// The least element: NaN if there is one, and −0 before 0.
    #[must_use]
    pub fn min(&self) -> Option<T> {
        self.extreme(false)
    }

    /// The greatest element: NaN if there is one, and 0 after −0.
    #[must_use]
    pub fn max(&self) -> Option<T> {
        self.extreme(true)
    }

    /// The index of the first element that is `==` to a value.
    #[must_use]
    pub fn index_of(&self, value: T) -> Option<usize> {
        let view = self.view()?;
        // SAFETY: `value` is an element.
        unsafe { view.index_of((&raw const value).cast(), 0, false) }
    }

    /// The region: what can be saved, and opened again. As long as the elements need, so that the
    /// bytes follow from them.
    pub fn bytes(&mut self) -> Result<&[u8]> {
        let length = region_length(T::TYPE, self.len as u64)?;
        let mut writer = self.writer()?;
        writer.set_region(length)?;
        writer.zero_unused();
        self.capacity = writer.shape().capacity;
        // SAFETY: the memory is ours, and so many bytes of it are the region, each of which was
        // written.
        Ok(unsafe { std::slice::from_raw_parts(self.memory.base(), length) })
    }

    /// The region's memory and length in it, for the C ABI.
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
        // SAFETY: the memory is ours, and so many elements were written.
        unsafe { std::slice::from_raw_parts(self.data(), self.len) }
    }
}

impl<T: Element> DerefMut for Vector<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as for `deref`.
        unsafe { std::slice::from_raw_parts_mut(self.data(), self.len) }
    }
}

impl<T: Element> fmt::Debug for Vector<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The elements of the vector in `bytes`, which start at a multiple of 8. `Type` if they are no
/// `T`.
pub fn elements<T: Element>(bytes: &[u8]) -> Result<&[T]> {
    // SAFETY: a shared slice is readable and unchanging while it is borrowed.
    let view = unsafe { View::attach(bytes.as_ptr(), bytes.len()) }?;
    let Shape { ty, len, .. } = view.shape();
    if ty != T::TYPE {
        return Err(Error::wrong_type(format!("a vector of {ty:?}, not of {:?}", T::TYPE)));
    }
    // SAFETY: so many elements lie within the bytes, aligned, and any bits are an element.
    Ok(unsafe { std::slice::from_raw_parts(view.data().cast(), len) })
}
