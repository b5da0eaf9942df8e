//! Suffix arrays: the positions of all suffixes of a text in sorted order, for finding and counting
//! the occurrences of any string.
//!
//! The array is built by libsais (Ilya Grebnov; after Nong, Zhang and Chan, "Linear suffix array
//! construction by almost pure induced-sorting", 2009), in linear time for any text. A search takes
//! O(pattern · log n). `docs/formats/compress.md` specifies the bytes: the text, then the positions
//! of its suffixes in sorted order, 5 bytes per byte of text. The bytes never change once written,
//! so any number of threads may read them.

mod build;
mod owned;

pub use self::build::{build, build_in_place};
pub use self::owned::SuffixArray;

use super::memory::try_vec;
use crate::region::attach::RegionKind;
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};
use std::cmp::Ordering;

/// The length of the longest text.
pub const MAX_TEXT: usize = i32::MAX as usize - 1;

/// Indices of the words that this kind owns in the region's header.
pub mod word {
    /// Bytes of the text (two words).
    pub const LENGTH: usize = 16;
    /// The first unused word. It and all words after it are zero.
    pub const END: usize = 18;
}

/// The layout of the suffix array of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Bytes of the text.
    pub len: usize,
    /// The offset of the positions.
    positions: usize,
    /// Bytes of the region.
    length: usize,
}

impl Shape {
    /// The offset of the text.
    pub const TEXT: usize = HEADER_BYTES;

    /// The layout for a text of `len` bytes. `Range` for more than 2^31 − 2.
    pub fn new(len: usize) -> Result<Shape> {
        if len > MAX_TEXT {
            return Err(Error::range(format!("a text has at most 2^31 - 2 bytes, not {len}")));
        }
        let positions = align((HEADER_BYTES + len) as u64);
        let length = align(positions + len as u64 * 4);
        let address =
            |bytes| usize::try_from(bytes).map_err(|_| Error::range("the size exceeds the address space"));
        Ok(Shape { len, positions: address(positions)?, length: address(length)? })
    }

    /// Bytes of the region.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }
}

impl RegionKind for Shape {
    const KIND: Kind = Kind::SuffixArray;
    const END: usize = word::END;

    fn check(header: &Header, _: Memory) -> Result<Shape> {
        let text = header.double_word(word::LENGTH);
        usize::try_from(text)
            .ok()
            .and_then(|len| Shape::new(len).ok())
            .ok_or_else(|| Error::corrupt(format!("a suffix array of {text} bytes is too large")))
    }

    fn length(&self) -> u64 {
        self.length as u64
    }
}

/// A range of adjacent suffixes in the array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The rank of the first.
    pub start: usize,
    /// The number of suffixes.
    pub count: usize,
}

/// A view of a suffix array in memory owned by the caller.
#[derive(Debug)]
pub struct RawSuffixArray {
    memory: Memory,
    shape: Shape,
}

impl RawSuffixArray {
    /// Attaches to the region in `len` bytes at `base`. Checks the header in constant time.
    ///
    /// # Safety
    /// While the view is used, `base` is valid for reading `len` bytes.
    pub unsafe fn attach(base: *const u8, len: usize) -> Result<RawSuffixArray> {
        // SAFETY: the caller guarantees that `len` bytes at `base` are readable. Nothing is written
        // through the view.
        let (memory, shape) = unsafe { Shape::attach(base, len) }?;
        Ok(RawSuffixArray { memory, shape })
    }

    /// The layout.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The number of bytes of the text, which is also the number of suffixes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shape.len
    }

    /// Whether the text is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shape.len == 0
    }

    /// The position of the suffix with rank `rank`, or `None` if the rank is out of range. In
    /// corrupt memory the result can be any number.
    #[inline]
    #[must_use]
    pub fn at(&self, rank: usize) -> Option<usize> {
        // SAFETY: `rank < len`, so the offset is within the positions.
        (rank < self.shape.len)
            .then(|| unsafe { self.memory.load_u32(self.shape.positions + rank * 4) } as usize)
    }

    /// A byte of the text.
    #[inline]
    fn byte(&self, position: usize) -> Option<u8> {
        // SAFETY: `position < len`, so the offset is within the text.
        (position < self.shape.len).then(|| unsafe { self.memory.load_u8(Shape::TEXT + position) })
    }

    /// Compares the suffix at `position` with a pattern; equal if the suffix begins with it. The
    /// end of the text is less than any byte.
    fn compare(&self, position: usize, pattern: &[u8]) -> Ordering {
        pattern
            .iter()
            .zip(position..)
            .map(|(&wanted, at)| self.byte(at).cmp(&Some(wanted)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }

    /// The range of suffixes that begin with `pattern`: all of them if it is empty. O(pattern · log
    /// n).
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

    /// Checks all contents: the checksum, if there is one, that unused bytes are zero, and that all
    /// suffixes are present and in order. O(n) time, and 4 bytes of memory per byte of text.
    pub fn validate(&self) -> Result<()> {
        let (_, shape) = Shape::verify(self.memory)?;
        let after_text = Shape::TEXT + shape.len..shape.positions;
        let after_positions = shape.positions + shape.len * 4..shape.length;
        // SAFETY: all offsets are within the region.
        if after_text.chain(after_positions).any(|at| unsafe { self.memory.load_u8(at) } != 0) {
            return Err(Error::corrupt("unused bytes of the suffix array are not zero"));
        }
        let mut ranks = try_vec(shape.len, u32::MAX)?;
        for rank in 0..shape.len {
            match self.at(rank).and_then(|position| ranks.get_mut(position)) {
                Some(slot) if *slot == u32::MAX => *slot = rank as u32,
                _ => {
                    return Err(Error::corrupt(format!(
                        "the suffix of rank {rank} does not exist, or occurs twice"
                    )));
                }
            }
        }
        // Each suffix must be greater than the previous one: by its first byte, or by the rank of
        // the rest.
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
