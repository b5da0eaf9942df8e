//! Argsort: the indices of the elements, in the order that [`sort`](super::sort) would give them.
//! Stable.
//!
//! Keys and indices go together through the [`radix`](super::radix) sort: in one word of 64 bits
//! where the elements have at most 32 and there are at most 2^32 of them, in 12 bytes for wider
//! elements, in 16 beyond 2^32.

use super::{Scratch, no_scratch, radix};
use crate::region::control::{Control, Progress};
use crate::region::element::Type;
use crate::region::element::{Element, Record, Slot, Word, with_element};
use crate::vector::raw::{self, View};
use crate::{Error, Result};
use std::cell::Cell;

/// Where the indices go.
#[derive(Clone, Copy, Debug)]
pub enum Indices {
    /// So many words of 32 bits. There must be at most 2^32 elements.
    U32(*mut u32, usize),
    /// So many doubles.
    F64(*mut f64, usize),
}

impl Indices {
    fn len(self) -> usize {
        match self {
            Indices::U32(_, len) | Indices::F64(_, len) => len,
        }
    }
}

/// The key above, the index below.
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

/// Writes the indices of the vector in `len` bytes at `base` to `out`: of its first elements, as
/// many as `out` has places, for its writer may be adding more. `Range` if it has fewer. Returns
/// whether it was done: with a `control` it may be cancelled. `Oom` where temporary memory, 16 to
/// 32 bytes an element, is refused. `out` is then unspecified.
///
/// # Safety
/// As for [`raw::read`]; the places are writable, and nobody else uses them.
pub unsafe fn argsort(base: *const u8, len: usize, control: Option<&Control>, out: Indices) -> Result<bool> {
    // SAFETY: the caller's word, here and below.
    let ty = unsafe { raw::read(base, len, |view| Ok(view.shape().ty)) }?;
    let narrow = u64::try_from(out.len()).is_ok_and(|len| len <= 1 << 32);
    let progress = Progress::new(control);
    with_element!(ty, T => {
        let work = Work { base, len, out, progress };
        // SAFETY: as above.
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

/// What is to be done.
#[derive(Clone, Copy)]
struct Work<'a> {
    base: *const u8,
    len: usize,
    out: Indices,
    progress: Progress<'a>,
}

impl Work<'_> {
    /// Sorts records that `join` makes of keys and indices, and `index` takes apart.
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
                return Err(Error::range(format!("{count} places for the indices of {len} elements {ty:?}")));
            }
            Ok(())
        };
        // SAFETY: the caller's word.
        unsafe { raw::read(self.base, self.len, check) }?;
        if count == 0 {
            return Ok(true);
        }
        // SAFETY: zero is a record of numbers.
        let memory = || unsafe { Scratch::<Cell<R>>::new(count) }.ok_or_else(no_scratch);
        let (records, scratch) = (memory()?, memory()?);
        // SAFETY: the caller's word.
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
                // SAFETY: `out` has as many places as there are records.
                Indices::U32(to, _) => unsafe { to.add(at).write(i as u32) },
                // SAFETY: as above.
                Indices::F64(to, _) => unsafe { to.add(at).write(i as f64) },
            }
        }
        Ok(true)
    }
}
