//! Packed integers: n integers of b bits each, 1 to 64, without gaps. Space: n·b bits, rounded up
//! to words, plus one word and the header.
//!
//! `docs/formats/succinct.md` specifies the bytes; `src/succinct/packedints/` reads them in
//! TypeScript. They never change once written, so any number of threads may read them.
//!
//! | file | contents |
//! | --- | --- |
//! | `layout` | header words, sizes, the constant-time check |
//! | `fill` | building from arrays of any type |
//! | `unpack` | ranges, eight integers at a time; one file for each instruction set |
//! | `many` | integers at many indices |
//! | `owned` | the structure for Rust programs |
//! | `validate` | checking the contents |
//!
//! Cost: an integer is in one cache line, seldom in two. `at` takes two loads and two shifts.

pub(crate) mod fill;
pub mod layout;
mod many;
mod owned;
pub(crate) mod unpack;
pub(crate) mod validate;

pub use self::fill::{fill, measure};
pub use self::layout::Shape;
pub use self::owned::{PackedInts, PackedIntsRef};
pub use self::validate::validate;

use crate::region::attach::RegionKind;
use crate::region::memory::Memory;
use crate::region::numbers::{CHUNK, Chunk, Numbers, NumbersMut};
use crate::{Error, Result};

/// The bits of integer `index` of those that begin at `data`.
///
/// # Safety
/// `data` is aligned to 8 bytes. The word in which the integer begins and the next one are
/// readable. `bits` is 1 to 64.
#[inline(always)]
pub(crate) unsafe fn extract(data: *const u8, bits: u32, index: u64) -> u64 {
    let bit = index * u64::from(bits);
    let shift = bit as u32 & 63;
    // SAFETY: both words are readable, as guaranteed by the caller. Atomic loads are plain loads
    // for the processor.
    let (low, high) = unsafe {
        let word = data.cast::<u64>().add((bit >> 6) as usize);
        (load(word), load(word.add(1)))
    };
    // The bits are shifted twice, because a shift by 64 is not possible.
    (low >> shift | high << 1 << (63 - shift)) & (u64::MAX >> (64 - bits))
}

/// Integers of at most this many bits fit in one word together with the up to 7 bits before them in
/// their first byte.
pub(crate) const ONE_LOAD: u32 = 57;

/// [`extract`] for at most [`ONE_LOAD`] bits.
///
/// # Safety
/// As for `extract`.
#[inline(always)]
pub(crate) unsafe fn extract_short(data: *const u8, bits: u32, index: u64) -> u64 {
    let bit = index * u64::from(bits);
    // SAFETY: the eight bytes are within the word in which the integer begins and the next one,
    // which are readable as guaranteed by the caller.
    let word = unsafe { data.add((bit >> 3) as usize).cast::<u64>().read_unaligned() };
    word >> (bit & 7) & ((1 << bits) - 1)
}

/// Loads a word that another thread might be writing.
#[inline(always)]
unsafe fn load(word: *const u64) -> u64 {
    use std::sync::atomic::{AtomicU64, Ordering};
    // SAFETY: the word is aligned and readable, as guaranteed by the caller, and is never written
    // through this reference.
    unsafe { AtomicU64::from_ptr(word.cast_mut()).load(Ordering::Relaxed) }
}

/// Fields of one width without gaps: all of packed integers, and a part of other structures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields {
    data: *const u8,
    bits: u32,
    len: u64,
}

impl Fields {
    /// `len` fields of `bits` bits, 1 to 64.
    ///
    /// # Safety
    /// `data` is aligned to 8 bytes. While the fields are used, `data_bytes(len, bits)` bytes are
    /// readable there.
    #[inline]
    pub(crate) unsafe fn new(data: *const u8, bits: u32, len: u64) -> Fields {
        Fields { data, bits, len }
    }

    /// The field at an index.
    ///
    /// # Safety
    /// The index is below `len`.
    #[inline(always)]
    pub(crate) unsafe fn get(&self, index: u64) -> u64 {
        debug_assert!(index < self.len);
        // SAFETY: the field exists, and a word follows the last one.
        unsafe { extract(self.data, self.bits, index) }
    }

    /// The address of a field, for prefetching. Any index is allowed.
    #[inline(always)]
    pub(crate) fn address(&self, index: u64) -> *const u8 {
        self.data.wrapping_add((index.wrapping_mul(u64::from(self.bits)) >> 3) as usize)
    }
}

/// A view of packed integers in memory owned by the caller.
///
/// Like all views that an owner returns by `Deref`, it is not `Copy`, because a copy would outlive
/// the owner.
///
/// ```compile_fail,E0507
/// # use offheap_core::succinct::{PackedInts, RawPackedInts};
/// fn leak(numbers: PackedInts) -> RawPackedInts {
///     *numbers
/// }
/// ```
#[derive(Debug)]
pub struct RawPackedInts {
    fields: Fields,
    shape: Shape,
    memory: Memory,
}

impl RawPackedInts {
    /// Attaches to the region in `len` bytes at `base`. Checks the header in constant time.
    ///
    /// # Safety
    /// While the view or a copy of it is used, `base` is valid for reading `len` bytes.
    #[inline]
    pub unsafe fn attach(base: *const u8, len: usize) -> Result<RawPackedInts> {
        // SAFETY: the caller guarantees that `len` bytes at `base` are readable. Nothing is written
        // through the view.
        let (memory, shape): (_, Shape) = unsafe { RegionKind::attach(base, len) }?;
        // SAFETY: the header's check ensured that the data is within the memory.
        let fields = unsafe { Fields::new(memory.at(Shape::DATA), shape.bits, shape.len) };
        Ok(RawPackedInts { fields, shape, memory })
    }

    /// The length, the width, and whether the integers are bigints.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The number of integers.
    #[inline(always)]
    #[must_use]
    pub fn len(&self) -> u64 {
        self.shape.len
    }

    /// Whether there are no integers.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shape.len == 0
    }

    /// Bits per integer.
    #[must_use]
    pub fn bits(&self) -> u32 {
        self.shape.bits
    }

    /// The memory of the region.
    #[must_use]
    pub fn memory(&self) -> Memory {
        self.memory
    }

    /// The integer at an index, if there is one. O(1).
    #[inline(always)]
    #[must_use]
    pub fn at(&self, index: u64) -> Option<u64> {
        // SAFETY: the index was checked.
        (index < self.shape.len).then(|| unsafe { self.fields.get(index) })
    }

    /// The integers from `from` on, as many as `out` has room for. `Range` if there are fewer, or
    /// if they do not fit the elements of `out`.
    pub fn unpack(&self, from: u64, out: &mut NumbersMut<'_>) -> Result<()> {
        self.check_output(out)?;
        let count = out.len();
        if from > self.shape.len || count as u64 > self.shape.len - from {
            let len = self.shape.len;
            return Err(Error::range(format!(
                "cannot read {count} integers from index {from} on: there are {len}"
            )));
        }
        unpack::unpack(&self.fields, from, out);
        Ok(())
    }

    /// The integers at many indices. `Range`, with nothing written, if an index is invalid or the
    /// integers do not fit the elements of `out`.
    pub fn get_many(&self, indices: &Numbers<'_>, out: &mut NumbersMut<'_>) -> Result<()> {
        self.check_output(out)?;
        if out.len() < indices.len() {
            let (count, room) = (indices.len(), out.len());
            return Err(Error::range(format!("out has {room} elements, but there are {count} indices")));
        }
        many::get_many(self, indices, out)
    }

    fn check_output(&self, out: &NumbersMut<'_>) -> Result<()> {
        // Integers that are not bigints are below 2^53, even if they have more bits.
        let bits = if self.shape.bigint { self.shape.bits } else { self.shape.bits.min(53) };
        if out.hold(bits) {
            return Ok(());
        }
        Err(Error::range(format!("integers of {bits} bits do not fit the elements of out")))
    }

    /// Iterates over the integers in order.
    pub fn iter(&self) -> Iter<'_> {
        Iter { ints: self, next: 0, at: 0, chunk: [0; CHUNK] }
    }
}

/// Iterates over packed integers, unpacking one chunk at a time.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    ints: &'a RawPackedInts,
    next: u64,
    /// The position of `next` in the chunk.
    at: usize,
    chunk: Chunk,
}

impl Iterator for Iter<'_> {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        if self.next == self.ints.len() {
            return None;
        }
        if self.at == 0 {
            let count = (self.ints.len() - self.next).min(CHUNK as u64) as usize;
            unpack::chunk(&self.ints.fields, self.next, &mut self.chunk[..count]);
        }
        let value = self.chunk[self.at];
        self.next += 1;
        self.at = (self.at + 1) % CHUNK;
        Some(value)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = usize::try_from(self.ints.len() - self.next).unwrap_or(usize::MAX);
        (rest, Some(rest))
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a RawPackedInts {
    type Item = u64;
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
