//! Argsort: the indices of the elements, in the order of [`sort`](super::sort). Stable.
//!
//! Keys and indices are sorted together by the [`radix`](super::radix) sort. A record has 8 bytes
//! if the elements have at most 32 bits and there are at most 2^32 of them, 12 bytes for wider
//! elements, and 16 bytes for more elements.

use super::{Scratch, no_scratch, radix};
use crate::region::control::{Control, Progress};
use crate::region::element::Type;
use crate::region::element::{Element, Record, Slot, Word, with_element};
use crate::vector::raw::{self, View};
use crate::{Error, Result};
use std::cell::Cell;

/// The output for the indices.
#[derive(Clone, Copy, Debug)]
pub enum Indices {
    /// The number of 32-bit words. There must be at most 2^32 elements.
    U32(*mut u32, usize),
    /// The number of doubles.
    F64(*mut f64, usize),
}

impl Indices {
    fn len(self) -> usize {
        match self {
            Indices::U32(_, len) | Indices::F64(_, len) => len,
        }
    }
}

/// The key in the high half, the index in the low half.
#[derive(Clone, Copy)]
struct Packed(u64);

impl Record for Packed {
    const DIGITS: usize = 4;
    #[inline(always)]
    fn key(self) -> u64 {
        self.0 >> 32
    }
}

#[derive(Clone, Copy)]
#[repr(C, packed(4))]
struct Pair<I> {
    key: u64,
    index: I,
}

impl<I: Copy> Record for Pair<I> {
    const DIGITS: usize = 8;
    #[inline(always)]
    fn key(self) -> u64 {
        self.key
    }
}

/// Writes the indices of the elements of the vector in `len` bytes at `base` to `out`. Only as many
/// elements as `out` has room for are sorted, because the writer may be appending more. `Range` if
/// the vector has fewer. Returns false if the operation was canceled through `control`. `Oom` if
/// temporary memory, 16 to 32 bytes per element, is refused. After an error or cancellation, `out`
/// is unspecified.
///
/// # Safety
/// As for [`raw::read`]; `out` is writable, and no other thread uses it.
pub unsafe fn argsort(base: *const u8, len: usize, control: Option<&Control>, out: Indices) -> Result<bool> {
    // SAFETY: here and below, `len` bytes at `base` are readable, as guaranteed by the caller.
    let ty = unsafe { raw::read(base, len, |view| Ok(view.shape().ty)) }?;
    let narrow = u64::try_from(out.len()).is_ok_and(|len| len <= 1 << 32);
    let progress = Progress::new(control);
    with_element!(ty, T => {
        let work = Work { base, len, out, progress };
        // SAFETY: the same, and `out` is writable.
        unsafe {
            if !narrow {
                work.run::<T, _>(|key, i| Pair { key, index: i as u64 }, |pair| pair.index)
            } else if size_of::<T>() <= 4 {
                work.run::<T, _>(|key, i| Packed(key << 32 | i as u64), |packed| packed.0 & 0xFFFF_FFFF)
            } else {
                work.run::<T, _>(|key, i| Pair { key, index: i as u32 }, |pair| u64::from(pair.index))
            }
        }
    })
}

/// The arguments of an argsort.
#[derive(Clone, Copy)]
struct Work<'a> {
    base: *const u8,
    len: usize,
    out: Indices,
    progress: Progress<'a>,
}

impl Work<'_> {
    /// Sorts records that `join` makes from keys and indices. `index` extracts the index.
    ///
    /// # Safety
    /// As for [`argsort`].
    unsafe fn run<T: Element, R: Record>(
        self,
        join: impl Fn(u64, usize) -> R,
        index: impl Fn(R) -> u64,
    ) -> Result<bool> {
        let count = self.out.len();
        let check = |view: &View| {
            if view.shape().ty != T::TYPE || view.shape().len < count {
                let (len, ty) = (view.shape().len, view.shape().ty);
                return Err(Error::range(format!(
                    "there is room for {count} indices, but there are {len} elements {ty:?}"
                )));
            }
            Ok(())
        };
        // SAFETY: `len` bytes at `base` are readable, as guaranteed by the caller.
        unsafe { raw::read(self.base, self.len, check) }?;
        if count == 0 {
            return Ok(true);
        }
        // SAFETY: a record consists of integers, so all zeros is a valid record.
        let memory = || unsafe { Scratch::<Cell<R>>::new(count) }.ok_or_else(no_scratch);
        let (records, scratch) = (memory()?, memory()?);
        // SAFETY: `len` bytes at `base` are readable, as guaranteed by the caller.
        unsafe {
            raw::read(self.base, self.len, |view| {
                check(view)?;
                let slots = &view.slots::<T>()[..count];
                for (i, (slot, record)) in slots.iter().zip(records.slots()).enumerate() {
                    let word = slot.get();
                    // All NaNs are equal, whatever their bits.
                    let key = if T::is_nan(word) { T::Word::MAX } else { T::encode(word) };
                    record.set(join(key.key(), i));
                }
                Ok(())
            })?;
        }
        if radix::sort(records.slots(), scratch.slots(), |r| r, |r| r, self.progress).is_err() {
            return Ok(false);
        }
        for (at, record) in records.slots().iter().enumerate() {
            let i = index(record.get());
            match self.out {
                // SAFETY: `out` has room for as many indices as there are records.
                Indices::U32(to, _) => unsafe { to.add(at).write(i as u32) },
                // SAFETY: the same.
                Indices::F64(to, _) => unsafe { to.add(at).write(i as f64) },
            }
        }
        Ok(true)
    }
}
