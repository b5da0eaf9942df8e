//! Vectors in memory that someone else owns, and everything that can be done with them.
//!
//! [`View`] reads, [`Writer`] also writes. Attaching checks the header once; after that nothing
//! goes by a count but through the private copy in [`Shape`]. [`read`] repeats a read if a
//! rearrangement came between.
//!
//! **Writing.** An element is stored whole, and the length after the elements it counts, so a
//! reader of another thread never sees one that was not written. Sorting, growth and shrinking are
//! rearrangements.

use super::layout::{DATA, Shape, region_length, word};
use crate::cpu::Features;
use crate::region::element::Type;
use crate::region::element::{Element, Slot, Word, with_element};
use crate::region::header::{self, HEADER_WORDS};
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

/// What the integers of a vector sum to, or the floats.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sum {
    /// Exactly.
    Integer(i128),
    /// As if in twice the precision of a double, then rounded.
    Float(f64),
}

impl View {
    /// The vector in `len` bytes at `base`. Checks the header in constant time.
    ///
    /// # Safety
    /// While the view, or a copy of it, is used, `base` is valid for reading `len` bytes. Another
    /// thread may write them.
    pub unsafe fn attach(base: *const u8, len: usize) -> Result<View> {
        // SAFETY: the caller's word. Nothing is written through the view of a reader.
        let memory = unsafe { Memory::new(base.cast_mut(), len) }?;
        Ok(View { memory, shape: Shape::read(memory)? })
    }

    /// A view of a vector whose shape is known, whatever its header says.
    ///
    /// # Safety
    /// As for [`View::attach`]; the elements lie within the memory.
    pub(super) unsafe fn of(base: *mut u8, len: usize, shape: Shape) -> Result<View> {
        // SAFETY: the caller's word.
        Ok(View { memory: unsafe { Memory::new(base, len) }?, shape })
    }

    /// What the header says.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The first element.
    #[must_use]
    pub fn data(&self) -> *mut u8 {
        self.memory.base().wrapping_add(DATA)
    }

    /// The elements, as memory that threads share. `T` must be of the vector's type.
    pub(crate) fn slots<T: Element>(&self) -> &[<T::Word as Word>::Slot] {
        assert!(self.shape.ty == T::TYPE);
        // SAFETY: so many elements lie within the region, by the check of the shape, and at a
        // multiple of 8; slots are atomics, so that others may write them.
        unsafe { std::slice::from_raw_parts(self.data().cast(), self.shape.len) }
    }

    /// The sum.
    #[must_use]
    pub fn sum(&self) -> Sum {
        let (level, len) = (Features::get().level(), self.shape.len);
        // SAFETY: the elements are readable; the level is this processor's.
        unsafe {
            match self.shape.ty {
                Type::F32 => Sum::Float(simd::sum_floats::<f32>(level, self.data().cast(), len)),
                Type::F64 => Sum::Float(simd::sum_floats::<f64>(level, self.data().cast(), len)),
                ty => with_element!(ty, T => Sum::Integer(simd::sum::<T>(level, self.data().cast(), len))),
            }
        }
    }

    /// The least element, or the greatest, written to `out`: NaN if there is one, and −0 less than
    /// 0. `false` if there is no element.
    ///
    /// # Safety
    /// `out` is writable for an element, and aligned.
    pub unsafe fn extreme(&self, greatest: bool, out: *mut u8) -> bool {
        if self.shape.len == 0 {
            return false;
        }
        let level = Features::get().level();
        // SAFETY: there is an element; the rest is as in `sum`.
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

    /// The index of the first element from `from` on that equals the one at `value`, as floats
    /// compare: −0 equals 0. NaN equals nothing, unless `nan` asks for it.
    ///
    /// # Safety
    /// An element is readable at `value`.
    #[must_use]
    pub unsafe fn index_of(&self, value: *const u8, from: usize, nan: bool) -> Option<usize> {
        let level = Features::get().level();
        let from = from.min(self.shape.len);
        // SAFETY: as in `sum`; `from` is at most the length.
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

    /// Where an element is in a sorted vector: see `sort::search`.
    ///
    /// # Safety
    /// An element is readable at `value`.
    #[must_use]
    pub unsafe fn search(&self, value: *const u8) -> i64 {
        with_element!(self.shape.ty, T => {
            // SAFETY: the caller's word.
            let word = unsafe { value.cast::<<T as Element>::Word>().read_unaligned() };
            super::sort::search::search::<T>(self.slots::<T>(), word)
        })
    }

    /// The same for `count` elements at `values`, with an answer for each.
    ///
    /// # Safety
    /// So many elements are readable at `values`, and aligned. Another thread may write them.
    pub unsafe fn search_many(&self, values: *const u8, count: usize, found: impl FnMut(usize, i64)) {
        with_element!(self.shape.ty, T => {
            // SAFETY: the caller's word; slots are atomics.
            let words = unsafe { std::slice::from_raw_parts(values.cast(), count) };
            super::sort::search::search_many::<T>(self.slots::<T>(), words, found);
        });
    }

    /// Copies the elements out, in whole words.
    ///
    /// # Safety
    /// `to` is writable for as many elements as there are, aligned, and used by nobody else.
    pub unsafe fn copy_to(&self, to: *mut u8) {
        let level = Features::get().level();
        // SAFETY: the caller's word.
        with_element!(self.shape.ty, T => unsafe {
            simd::copy_in(level, to.cast::<<T as Element>::Word>(), self.data().cast(), self.shape.len);
        });
    }
}

/// Runs a read of the vector in `len` bytes at `base` until no rearrangement came between. `Locked`
/// if one does not end for half a minute.
///
/// # Safety
/// As for [`View::attach`].
pub unsafe fn read<R>(base: *const u8, len: usize, mut body: impl FnMut(&View) -> Result<R>) -> Result<R> {
    // SAFETY: the caller's word.
    let memory = unsafe { Memory::new(base.cast_mut(), len) }?;
    loop {
        let sequence = memory.read_begin(READ_TIMEOUT)?;
        let result = Shape::read(memory).and_then(|shape| body(&View { memory, shape }));
        if !memory.read_retry(sequence) {
            return result;
        }
    }
}

/// A view for the one who writes.
#[derive(Debug)]
pub struct Writer(View);

impl std::ops::Deref for Writer {
    type Target = View;
    fn deref(&self) -> &View {
        &self.0
    }
}

impl Writer {
    /// The vector in `len` bytes at `base`, to change. Drops a checksum, which would be wrong from
    /// now on. `Locked` if a writer died in a rearrangement.
    ///
    /// # Safety
    /// While it is used, `base` is valid for reading and writing `len` bytes, and no other thread
    /// writes the region.
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<Writer> {
        // SAFETY: the caller's word, here and below.
        let view = unsafe { View::attach(base, len) }?;
        let memory = view.memory;
        memory.read_begin(Duration::ZERO)?;
        // SAFETY: the memory is writable and this is the only writer.
        unsafe { memory.clear_checksum() };
        Ok(Writer(view))
    }

    /// Runs a rearrangement.
    pub(crate) fn change<R>(&self, body: impl FnOnce() -> R) -> R {
        // SAFETY: promised when this was attached.
        unsafe { self.memory.change(body) }
    }

    /// Sets the number of elements. `Full` for more than fit. New ones are what the memory holds.
    pub fn set_len(&mut self, len: usize) -> Result<()> {
        if len > self.shape.capacity {
            return Err(Error::full(format!("{len} elements in room for {}", self.shape.capacity)));
        }
        let memory = self.memory;
        // SAFETY: promised when this was attached.
        unsafe {
            if (len as u64) >> 32 == (self.shape.len as u64) >> 32 {
                memory.set_word(word::LENGTH, len as u32);
            } else {
                // Readers in JavaScript read the two words one after the other.
                memory.change(|| memory.set_double_word(word::LENGTH, len as u64));
            }
        }
        self.0.shape.len = len;
        Ok(())
    }

    /// Appends `count` elements. `Full`, with nothing changed, if they do not fit.
    ///
    /// # Safety
    /// So many elements of the vector's type are readable at `values`, aligned, and written by
    /// nobody meanwhile.
    pub unsafe fn push(&mut self, values: *const u8, count: usize) -> Result<()> {
        let Shape { ty, len, capacity, .. } = self.shape;
        if count > capacity - len {
            return Err(Error::full(format!(
                "{count} more elements in a vector of {len} with room for {capacity}"
            )));
        }
        let level = Features::get().level();
        // SAFETY: the room was checked; the rest is the caller's word.
        with_element!(ty, T => unsafe {
            let to = self.data().cast::<<T as Element>::Word>().add(len);
            simd::copy_out(level, to, values.cast(), count);
        });
        self.set_len(len + count)
    }

    /// Sets the elements of a range to the one at `value`. `Range` if it does not lie within the
    /// vector.
    ///
    /// # Safety
    /// An element is readable at `value`.
    pub unsafe fn fill(&mut self, value: *const u8, from: usize, to: usize) -> Result<()> {
        if from > to || to > self.shape.len {
            return Err(Error::range(format!("{from} to {to} in a vector of {} elements", self.shape.len)));
        }
        let level = Features::get().level();
        // SAFETY: the range was checked; the rest is the caller's word.
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

    /// Makes the region so many bytes long, in memory that has them: the way to grow, and to
    /// shrink. `Range` for a length that is no multiple of 64, or too short for the elements,
    /// `Full` for one that the memory does not have.
    pub fn set_region(&mut self, bytes: usize) -> Result<()> {
        let needed = region_length(self.shape.ty, self.shape.len as u64)?;
        if bytes < needed || !bytes.is_multiple_of(header::ALIGNMENT as usize) {
            return Err(Error::range(format!("a region of {bytes} bytes where {needed} are needed, in 64s")));
        }
        if bytes > self.memory.len() {
            return Err(Error::full(format!("a region of {bytes} bytes in {}", self.memory.len())));
        }
        let memory = self.memory;
        // SAFETY: promised when this was attached.
        self.change(|| unsafe { memory.set_double_word(header::word::LENGTH, bytes as u64) });
        self.0.shape = Shape::read(memory)?;
        Ok(())
    }

    /// Writes zeros after the elements, so that the region's bytes follow from them alone.
    pub fn zero_unused(&mut self) {
        let Shape { ty, len, region, .. } = self.shape;
        let used = DATA + len * ty.width();
        // SAFETY: the bytes from there to the region's end mean nothing to anyone, and are ours to
        // write.
        (used..region).for_each(|at| unsafe { self.memory.store_u8(at, 0) });
    }
}

/// Makes an empty vector in `len` bytes at `base`, 256 at least; what is past the last multiple of
/// 64 is not used. The bytes past the header stay as they are.
///
/// # Safety
/// `base` is valid for writing `len` bytes that nobody else uses.
pub unsafe fn init(base: *mut u8, len: usize, ty: Type) -> Result<()> {
    super::layout::type_of(ty as u32)?;
    // SAFETY: the caller's word; a header fits, by the check of `Memory::new`.
    unsafe {
        let memory = Memory::new(base, len)?;
        memory.begin_region(Kind::Vector, (len & !(header::ALIGNMENT as usize - 1)) as u64);
        memory.set_word(word::TYPE, ty as u32);
        memory.end_region();
    }
    Ok(())
}

/// Proves what opening does not look at: the checksum if there is one, and that reserved words are
/// zero. Any bytes are elements.
///
/// # Safety
/// As for [`View::attach`]. If another thread changes the vector meanwhile the answer may be wrong.
pub unsafe fn validate(base: *const u8, len: usize) -> Result<()> {
    let check = |view: &View| {
        let memory = view.memory;
        let header = header::Header::read(memory, Kind::Vector)?;
        header.check_reserved()?;
        let unused = (word::UNUSED..HEADER_WORDS).any(|index| header.word(index) != 0);
        if unused || header.word(word::RESERVED) != 0 {
            return Err(Error::corrupt("a word of the vector's header that means nothing is not zero"));
        }
        if header.word(header::word::FLAGS) & header::FLAG_CHECKSUM != 0 {
            // SAFETY: the region lies within the memory.
            let sum = unsafe { crate::region::crc::region_checksum(memory.base(), view.shape.region) };
            if sum != header.word(header::word::CHECKSUM) {
                return Err(Error::corrupt("the checksum of the vector is wrong"));
            }
        }
        Ok(())
    };
    // SAFETY: the caller's word.
    unsafe { read(base, len, check) }
}
