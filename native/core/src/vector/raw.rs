//! Vectors in memory owned by the caller, and all operations on them.
//!
//! [`View`] reads, and [`Writer`] also writes. Attaching checks the header once; after that, all
//! operations use the private copy in [`Shape`]. [`read`] repeats a read if a rearrangement
//! happened at the same time.
//!
//! **Writing.** An element is stored as a whole, and the length is stored after the elements it
//! counts. So readers on other threads never see an element that was not written. Sorting, growing
//! and shrinking are rearrangements.

use super::layout::{DATA, Shape, region_length, word};
use crate::cpu::Features;
use crate::region::attach::RegionKind;
use crate::region::element::Type;
use crate::region::element::{Element, Slot, Word, with_element};
use crate::region::header;
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::region::sequence::READ_TIMEOUT;
use crate::{Error, Result, simd};
use std::time::Duration;

/// A checked view of a vector's region, which another thread may be writing.
#[derive(Clone, Copy, Debug)]
pub struct View {
    memory: Memory,
    shape: Shape,
}

/// The sum of a vector's elements: of integers, or of floats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sum {
    /// Exact.
    Integer(i128),
    /// Computed as if in twice the precision of a double, then rounded.
    Float(f64),
}

impl View {
    /// Attaches to the vector in `len` bytes at `base`. Checks the header in constant time.
    ///
    /// # Safety
    /// While the view or a copy of it is used, `base` is valid for reading `len` bytes. Another
    /// thread may write them.
    pub unsafe fn attach(base: *const u8, len: usize) -> Result<View> {
        // SAFETY: the caller guarantees that `len` bytes at `base` are readable. Readers do not
        // write through the view.
        let (memory, shape) = unsafe { Shape::attach(base, len) }?;
        Ok(View { memory, shape })
    }

    /// Creates a view of a vector with a known shape, without reading the header.
    ///
    /// # Safety
    /// As for [`View::attach`]; the elements are within the memory.
    pub(super) unsafe fn of(base: *mut u8, len: usize, shape: Shape) -> Result<View> {
        // SAFETY: the caller guarantees that `len` bytes at `base` are readable.
        Ok(View { memory: unsafe { Memory::new(base, len) }?, shape })
    }

    /// The checked copy of the header.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The address of the first element.
    #[must_use]
    pub fn data(&self) -> *mut u8 {
        self.memory.base().wrapping_add(DATA)
    }

    /// The elements, as memory shared between threads. `T` must be of the vector's type.
    pub(crate) fn slots<T: Element>(&self) -> &[<T::Word as Word>::Slot] {
        assert!(self.shape.ty == T::TYPE);
        // SAFETY: the shape's check ensured that `len` elements are within the region, at a
        // multiple of 8. Slots are atomics, so other threads may write them.
        unsafe { std::slice::from_raw_parts(self.data().cast(), self.shape.len) }
    }

    /// The sum.
    #[must_use]
    pub fn sum(&self) -> Sum {
        let (level, len) = (Features::get().level(), self.shape.len);
        // SAFETY: `len` elements are readable and aligned, and the level is this processor's.
        unsafe {
            match self.shape.ty {
                Type::F32 => Sum::Float(simd::sum_floats::<f32>(level, self.data().cast(), len)),
                Type::F64 => Sum::Float(simd::sum_floats::<f64>(level, self.data().cast(), len)),
                ty => with_element!(ty, T => Sum::Integer(simd::sum::<T>(level, self.data().cast(), len))),
            }
        }
    }

    /// Writes the least or the greatest element to `out`: NaN if there is one; −0 is less than 0.
    /// Returns `false` if there is no element.
    ///
    /// # Safety
    /// `out` is writable for one element, and aligned.
    pub unsafe fn extreme(&self, greatest: bool, out: *mut u8) -> bool {
        if self.shape.len == 0 {
            return false;
        }
        let level = Features::get().level();
        // SAFETY: there is at least one element. The elements are readable and aligned, the level
        // is this processor's, and `out` is writable as guaranteed by the caller.
        with_element!(self.shape.ty, T => unsafe {
            let (base, len) = (self.data().cast(), self.shape.len);
            let word = if greatest {
                simd::extreme::<T, true>(level, base, len)
            } else {
                simd::extreme::<T, false>(level, base, len)
            };
            out.cast::<<T as Element>::Word>().write(word);
        });
        true
    }

    /// The index of the first element from `from` on that equals the one at `value`. Floats compare
    /// as usual: −0 equals 0, and NaN equals nothing unless `nan` is set.
    ///
    /// # Safety
    /// One element is readable at `value`.
    #[must_use]
    pub unsafe fn index_of(&self, value: *const u8, from: usize, nan: bool) -> Option<usize> {
        let level = Features::get().level();
        let from = from.min(self.shape.len);
        // SAFETY: `from` is at most the length, so the elements from there on are readable and
        // aligned; the level is this processor's.
        with_element!(self.shape.ty, T => unsafe {
            let word = value.cast::<<T as Element>::Word>().read_unaligned();
            let rest = &self.slots::<T>()[from..];
            let found = if <T as Element>::is_nan(word) {
                if nan { rest.iter().position(|slot| <T as Element>::is_nan(slot.get())) } else { None }
            } else {
                simd::find::<T>(level, rest.as_ptr().cast(), rest.len(), T::from_word(word))
            };
            found.map(|at| from + at)
        })
    }

    /// Finds an element in a sorted vector: see `sort::search`.
    ///
    /// # Safety
    /// One element is readable at `value`.
    #[must_use]
    pub unsafe fn search(&self, value: *const u8) -> i64 {
        with_element!(self.shape.ty, T => {
            // SAFETY: one element is readable at `value`, as guaranteed by the caller.
            let word = unsafe { value.cast::<<T as Element>::Word>().read_unaligned() };
            super::sort::search::search::<T>(self.slots::<T>(), word)
        })
    }

    /// The same for `count` elements at `values`. Calls `found` with each result.
    ///
    /// # Safety
    /// `count` elements are readable at `values`, and aligned. Another thread may write them.
    pub unsafe fn search_many(&self, values: *const u8, count: usize, found: impl FnMut(usize, i64)) {
        with_element!(self.shape.ty, T => {
            // SAFETY: the caller guarantees that `count` elements are readable and aligned. Slots
            // are atomics.
            let words = unsafe { std::slice::from_raw_parts(values.cast(), count) };
            super::sort::search::search_many::<T>(self.slots::<T>(), words, found);
        });
    }

    /// Copies all elements to `to`. Each is read as a whole.
    ///
    /// # Safety
    /// `to` is aligned, and writable for all elements, and no other thread uses it.
    pub unsafe fn copy_to(&self, to: *mut u8) {
        let level = Features::get().level();
        // SAFETY: the elements are readable and aligned; the caller guarantees the same for writing
        // to `to`.
        with_element!(self.shape.ty, T => unsafe {
            simd::copy_in(level, to.cast::<<T as Element>::Word>(), self.data().cast(), self.shape.len);
        });
    }
}

/// Runs `body` on the vector in `len` bytes at `base`, and repeats it if a rearrangement happened
/// at the same time. `Locked` if a rearrangement does not end within 30 seconds.
///
/// # Safety
/// As for [`View::attach`].
pub unsafe fn read<R>(base: *const u8, len: usize, mut body: impl FnMut(&View) -> Result<R>) -> Result<R> {
    // SAFETY: the caller guarantees that `len` bytes at `base` are readable.
    let memory = unsafe { Memory::new(base.cast_mut(), len) }?;
    loop {
        let sequence = memory.read_begin(READ_TIMEOUT)?;
        let result = Shape::read(memory).and_then(|(_, shape)| body(&View { memory, shape }));
        if !memory.read_retry(sequence) {
            return result;
        }
    }
}

/// A view of a vector that can write it.
#[derive(Debug)]
pub struct Writer(View);

impl std::ops::Deref for Writer {
    type Target = View;
    fn deref(&self) -> &View {
        &self.0
    }
}

impl Writer {
    /// Attaches to the vector in `len` bytes at `base` for writing. Clears the checksum, because
    /// writes would invalidate it. `Locked` if a writer was terminated during a rearrangement.
    ///
    /// # Safety
    /// While the writer is used, `base` is valid for reading and writing `len` bytes, and no other
    /// thread writes the region.
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<Writer> {
        // SAFETY: here and below, `len` bytes at `base` are readable and writable, as guaranteed by
        // the caller.
        let view = unsafe { View::attach(base, len) }?;
        let memory = view.memory;
        memory.read_begin(Duration::ZERO)?;
        // SAFETY: the memory is writable, and this is the only writer.
        unsafe { memory.clear_checksum() };
        Ok(Writer(view))
    }

    /// Runs a rearrangement.
    pub(crate) fn change<R>(&self, body: impl FnOnce() -> R) -> R {
        // SAFETY: the caller of `attach` guarantees that the memory is writable and this is the
        // only writer.
        unsafe { self.memory.change(body) }
    }

    /// Sets the number of elements. `Full` if that exceeds the capacity. New elements have the
    /// values that their memory contains.
    pub fn set_len(&mut self, len: usize) -> Result<()> {
        if len > self.shape.capacity {
            return Err(Error::full(format!(
                "{len} elements exceed the capacity of {}",
                self.shape.capacity
            )));
        }
        let memory = self.memory;
        // SAFETY: the caller of `attach` guarantees that the memory is writable and this is the
        // only writer.
        unsafe {
            if (len as u64) >> 32 == (self.shape.len as u64) >> 32 {
                memory.set_word(word::LENGTH, len as u32);
            } else {
                // JavaScript reads the two words one after the other.
                memory.change(|| memory.set_double_word(word::LENGTH, len as u64));
            }
        }
        self.0.shape.len = len;
        Ok(())
    }

    /// Appends `count` elements. `Full`, with nothing changed, if they do not fit.
    ///
    /// # Safety
    /// `count` elements of the vector's type are readable at `values` and aligned, and no thread
    /// writes them at the same time.
    pub unsafe fn push(&mut self, values: *const u8, count: usize) -> Result<()> {
        let Shape { ty, len, capacity, .. } = self.shape;
        if count > capacity - len {
            return Err(Error::full(format!(
                "{count} more elements exceed the capacity of {capacity}: the vector has {len}"
            )));
        }
        let level = Features::get().level();
        // SAFETY: the room was checked; `count` elements are readable, as guaranteed by the caller.
        with_element!(ty, T => unsafe {
            let to = self.data().cast::<<T as Element>::Word>().add(len);
            simd::copy_out(level, to, values.cast(), count);
        });
        self.set_len(len + count)
    }

    /// Sets the elements of a range to the one at `value`. `Range` if the range is not within the
    /// vector.
    ///
    /// # Safety
    /// One element is readable at `value`.
    pub unsafe fn fill(&mut self, value: *const u8, from: usize, to: usize) -> Result<()> {
        if from > to || to > self.shape.len {
            return Err(Error::range(format!(
                "invalid range: {from} to {to} of {} elements",
                self.shape.len
            )));
        }
        let level = Features::get().level();
        // SAFETY: the range was checked; one element is readable at `value`, as guaranteed by the
        // caller.
        with_element!(self.shape.ty, T => unsafe {
            let block = [value.cast::<<T as Element>::Word>().read_unaligned(); 512];
            let mut at = from;
            while at < to {
                let count = block.len().min(to - at);
                simd::copy_out(level, self.data().cast::<<T as Element>::Word>().add(at), block.as_ptr(), count);
                at += count;
            }
        });
        Ok(())
    }

    /// Changes the length of the region within its memory. `Range` unless `bytes` is a multiple of
    /// 64 and has room for the elements; `Full` if the memory is shorter.
    pub fn set_region(&mut self, bytes: usize) -> Result<()> {
        let needed = region_length(self.shape.ty, self.shape.len as u64)?;
        if bytes < needed || !bytes.is_multiple_of(header::ALIGNMENT as usize) {
            return Err(Error::range(format!(
                "the region must have a multiple of 64 bytes, at least {needed}, not {bytes}"
            )));
        }
        if bytes > self.memory.len() {
            return Err(Error::full(format!(
                "the region of {bytes} bytes exceeds its memory of {}",
                self.memory.len()
            )));
        }
        let memory = self.memory;
        // SAFETY: the caller of `attach` guarantees that the memory is writable and this is the
        // only writer.
        self.change(|| unsafe { memory.set_double_word(header::word::LENGTH, bytes as u64) });
        (_, self.0.shape) = Shape::read(memory)?;
        Ok(())
    }

    /// Zeros the region after the elements, so that the region's bytes depend only on them.
    pub fn zero_unused(&mut self) {
        let Shape { ty, len, region, .. } = self.shape;
        let used = DATA + len * ty.width();
        // SAFETY: the bytes from there to the end of the region are within the memory, and no
        // reader uses them.
        (used..region).for_each(|at| unsafe { self.memory.store_u8(at, 0) });
    }
}

/// Creates an empty vector in `len` bytes at `base`, at least 256. Only a multiple of 64 bytes is
/// used. The bytes after the header are not changed.
///
/// # Safety
/// `base` is valid for writing `len` bytes that no other thread uses.
pub unsafe fn init(base: *mut u8, len: usize, ty: Type) -> Result<()> {
    super::layout::type_of(ty as u32)?;
    // SAFETY: the caller guarantees that `len` bytes are writable, and `Memory::new` checks that a
    // header fits.
    unsafe {
        let memory = Memory::new(base, len)?;
        memory.begin_region(Kind::Vector, (len & !(header::ALIGNMENT as usize - 1)) as u64);
        memory.set_word(word::TYPE, ty as u32);
        memory.end_region();
    }
    Ok(())
}

/// Checks everything that opening does not: the checksum, if there is one, and that reserved words
/// are zero. All bytes are valid elements.
///
/// # Safety
/// As for [`View::attach`]. If another thread changes the vector at the same time, the result may
/// be wrong.
pub unsafe fn validate(base: *const u8, len: usize) -> Result<()> {
    let check = |view: &View| {
        let (header, _) = Shape::verify(view.memory)?;
        if header.word(word::RESERVED) != 0 {
            return Err(Error::corrupt("a reserved word of the vector's header is not zero"));
        }
        Ok(())
    };
    // SAFETY: the caller guarantees that `len` bytes at `base` are readable.
    unsafe { read(base, len, check) }
}
