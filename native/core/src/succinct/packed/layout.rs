//! The layout of a PackedInts region, and the constant-time check. `docs/formats/succinct.md`
//! specifies it, and `src/succinct/packedints/layout.ts` computes the same.

use crate::region::attach::RegionKind;
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// The most integers. It keeps the position of every bit below 2^53.
pub const MAX_LENGTH: u64 = 1 << 47;
/// Flag: the integers are bigints in JavaScript.
pub const FLAG_BIGINT: u32 = 1;

/// Indices of the words that this kind owns in the region's header.
pub mod word {
    /// Number of integers (two words).
    pub const LENGTH: usize = 16;
    /// Bits per integer.
    pub const BITS: usize = 18;
    /// `FLAG_…` bits.
    pub const FLAGS: usize = 19;
    /// The first unused word. It and all words after it are zero.
    pub const END: usize = 20;
}

/// The numbers that determine a region's layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Number of integers: at most [`MAX_LENGTH`].
    pub len: u64,
    /// Bits per integer: 1 to 64.
    pub bits: u32,
    /// Whether the integers are bigints in JavaScript. Otherwise all are below 2^53.
    pub bigint: bool,
}

/// Bytes of `len` integers of `bits` bits: whole words of 64 bits, followed by a word of zeros, so
/// that two adjacent words can be read wherever an integer begins.
pub(crate) const fn data_bytes(len: u64, bits: u32) -> u64 {
    (len * bits as u64).div_ceil(64) * 8 + 8
}

impl Shape {
    /// The offset of the integers.
    pub const DATA: usize = HEADER_BYTES;

    /// `Range` unless a region can have this shape.
    pub fn check(self) -> Result<Shape> {
        if !(1..=64).contains(&self.bits) {
            return Err(Error::range(format!("packed integers have 1 to 64 bits, not {}", self.bits)));
        }
        if self.len > MAX_LENGTH {
            return Err(Error::range(format!("there are at most 2^47 packed integers, not {}", self.len)));
        }
        Ok(self)
    }

    /// Bytes of the region.
    #[must_use]
    pub const fn length(self) -> u64 {
        align(Shape::DATA as u64 + data_bytes(self.len, self.bits))
    }

    /// Writes the header of a new region, except for the magic number.
    ///
    /// # Safety
    /// The memory is writable and at least as long as the region, and no other thread uses it.
    pub(crate) unsafe fn write(self, memory: Memory) {
        // SAFETY: the memory is writable, long enough, and exclusive, as guaranteed by the caller.
        unsafe {
            memory.begin_region(Kind::PackedInts, self.length());
            memory.set_double_word(word::LENGTH, self.len);
            memory.set_word(word::BITS, self.bits);
            memory.set_word(word::FLAGS, if self.bigint { FLAG_BIGINT } else { 0 });
        }
    }
}

impl RegionKind for Shape {
    const KIND: Kind = Kind::PackedInts;
    const END: usize = word::END;

    fn check(header: &Header, _: Memory) -> Result<Shape> {
        let flags = header.word(word::FLAGS);
        let (len, bits) = (header.double_word(word::LENGTH), header.word(word::BITS));
        let shape = Shape { len, bits, bigint: flags & FLAG_BIGINT != 0 };
        if flags & !FLAG_BIGINT != 0 || shape.check().is_err() {
            return Err(Error::corrupt(format!(
                "invalid header: {len} integers of {bits} bits, flags {flags:#x}"
            )));
        }
        Ok(shape)
    }

    fn length(&self) -> u64 {
        Shape::length(*self)
    }
}
