//! Suffix arrays: where every suffix of a text ranks among all of them, so that any string is found
//! in it, and counted.
//!
//! Built by libsais (Ilya Grebnov; after Nong, Zhang and Chan, "Linear suffix array construction by
//! almost pure induced-sorting", 2009), in time linear for any text. `docs/formats/compress.md`
//! specifies the bytes: the text, then the positions of its suffixes in order. They never change
//! once written, so any number of threads may read them.

mod build;
mod owned;

pub use self::build::{build, build_in_place};
pub use self::owned::SuffixArray;

use super::huffman::try_vec;
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};
use std::cmp::Ordering;

/// The longest text.
pub const MAX_TEXT: usize = i32::MAX as usize - 1;

/// Indices of the words that this kind owns in the region's header.
pub mod word {
    /// Bytes of the text (two words).
    pub const LENGTH: usize = 16;
    /// The first word after those: it and the rest are zero.
    pub const END: usize = 18;
}

/// What lies where for a text of so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of the text.
    pub len: usize,
    /// Where the positions begin.
    positions: usize,
    /// Bytes of the region.
    length: usize,
}

impl Shape {
    /// Where the text begins.
    pub const TEXT: usize = HEADER_BYTES;

    /// For a text of so many bytes. `Range` for more than 2^31 − 2.
    pub fn new(len: usize) -> Result<Shape> {
        if len > MAX_TEXT {
            return Err(Error::range(format!("a text of {len} bytes is longer than 2^31 - 2")));
        }
        let positions = align((HEADER_BYTES + len) as u64);
        let length = align(positions + len as u64 * 4);
        let address = |bytes| usize::try_from(bytes).map_err(|_| Error::range("more than can be addressed"));
        Ok(Shape { len, positions: address(positions)?, length: address(length)? })
    }

    /// Bytes of the region.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }

    /// The constant-time check of a region.
    fn read(memory: Memory) -> Result<(Header, Shape)> {
        let header = Header::read(memory, Kind::SuffixArray)?;
        let (text, length) = (header.double_word(word::LENGTH), header.length());
        usize::try_from(text)
            .ok()
            .and_then(|len| Shape::new(len).ok())
            .filter(|shape| shape.length as u64 == length)
            .map(|shape| (header, shape))
            .ok_or_else(|| Error::corrupt(format!("a suffix array of {text} bytes in {length}")))
    }
}

/// Suffixes that follow one another in the array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The rank of the first.
    pub start: usize,
    /// How many.
    pub count: usize,
}

/// A view of a suffix array in memory that someone else owns.
#[derive(Debug)]
pub struct RawSuffixArray {
    memory: Memory,
    shape: Shape,
}

impl RawSuffixArray {
    /// Attaches to the region in `len` bytes at `base`: checks the header in constant time.
    ///
    /// # Safety
    /// While the view is used, `base` is valid for reading `len` bytes.
    pub unsafe fn attach(base: *const u8, len: usize) -> Result<RawSuffixArray> {
        // SAFETY: the caller's word. Nothing is written through the view.
        let memory = unsafe { Memory::new(base.cast_mut(), len) }?;
        Ok(RawSuffixArray { memory, shape: Shape::read(memory)?.1 })
    }

    /// Sizes.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Bytes of the text, and suffixes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.len
    }

    /// Whether the text has no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shape.len == 0
    }

    /// Where the suffix of a rank begins; `None` for a rank that there is none of. In damaged
    /// memory any number.
    #[inline]
    #[must_use]
    pub fn at(&self, rank: usize) -> Option<usize> {
        // SAFETY: within the positions.
        (rank < self.shape.len)
            .then(|| unsafe { self.memory.load_u32(self.shape.positions + rank * 4) } as usize)
    }

    /// A byte of the text.
    #[inline]
    fn byte(&self, position: usize) -> Option<u8> {
        // SAFETY: within the text.
        (position < self.shape.len).then(|| unsafe { self.memory.load_u8(Shape::TEXT + position) })
    }

    /// How the suffix that begins here compares with a pattern that it may begin with. What lies
    /// past the end, nothing, is less.
    fn compare(&self, position: usize, pattern: &[u8]) -> Ordering {
        pattern
            .iter()
            .zip(position..)
            .map(|(&wanted, at)| self.byte(at).cmp(&Some(wanted)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// Which suffixes begin with a pattern. O(pattern · log n). All begin with an empty one.
    #[must_use]
    pub fn search(&self, pattern: &[u8]) -> Found {
        let bound = |mut from: usize, before: fn(Ordering) -> bool| {
            let mut to = self.shape.len;
            while from < to {
                let middle = from.midpoint(to);
                let order = self.compare(self.at(middle).unwrap_or(usize::MAX), pattern);
                if before(order) { from = middle + 1 } else { to = middle }
            }
            from
        };
        let start = bound(0, Ordering::is_lt);
        Found { start, count: bound(start, Ordering::is_le) - start }
    }

    /// Proves the contents: the checksum, if there is one, that bytes without a meaning are zero,
    /// and that all suffixes are there, in order. O(n); takes 4 bytes of memory for each.
    pub fn validate(&self) -> Result<()> {
        let (header, shape) = Shape::read(self.memory)?;
        header.verify_checksum(self.memory, word::END)?;
        let behind_text = Shape::TEXT + shape.len..shape.positions;
        let behind_positions = shape.positions + shape.len * 4..shape.length;
        // SAFETY: within the region.
        if behind_text.chain(behind_positions).any(|at| unsafe { self.memory.load_u8(at) } != 0) {
            return Err(Error::corrupt("bytes of a suffix array that have no meaning are not zero"));
        }
        let mut ranks = try_vec(shape.len, u32::MAX)?;
        for rank in 0..shape.len {
            match self.at(rank).and_then(|position| ranks.get_mut(position)) {
                Some(slot) if *slot == u32::MAX => *slot = rank as u32,
                _ => {
                    return Err(Error::corrupt(format!(
                        "rank {rank} is of a suffix that is not there, or twice"
                    )));
                }
            }
        }
        // Each is less than the next: by its first byte, or by the rank of what follows.
        let key = |rank| {
            let position = self.at(rank).filter(|&position| position < shape.len)?;
            Some((self.byte(position)?, ranks.get(position + 1).map(|&rank| u64::from(rank) + 1)))
        };
        let mut before = None;
        for rank in 0..shape.len {
            let found = key(rank);
            if found <= before {
                return Err(Error::corrupt(format!("the suffix of rank {rank} is out of order")));
            }
            before = found;
        }
        Ok(())
    }
}
