//! Where everything in a PackedInts region lies, and the constant-time check.
//! `docs/formats/succinct.md` specifies it, `src/succinct/packedints/layout.ts` computes the same.

use crate::region::attach::RegionKind;
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// The most integers: below this a bit's position is below 2^53.
pub const MAX_LENGTH: u64 = 1 << 47;
/// Flag: JavaScript sees the integers as bigints.
pub const FLAG_BIGINT: u32 = 1;

/// Indices of the words that this kind owns in the region's header.
pub mod word {
    /// How many integers (two words).
    pub const LENGTH: usize = 16;
    /// Bits of each.
    pub const BITS: usize = 18;
    /// `FLAG_…` bits.
    pub const FLAGS: usize = 19;
    /// The first word after those: it and the rest are zero.
    pub const END: usize = 20;
}

/// What a region of packed integers holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many integers: at most [`MAX_LENGTH`].
    pub len: u64,
    /// Bits of each: 1 to 64.
    pub bits: u32,
    /// Whether JavaScript sees them as bigints. Otherwise all are below 2^53.
    pub bigint: bool,
}

/// Bytes of `len` integers of `bits` bits: whole words of 64 bits, and one of zeros behind them, so
/// that two neighbouring words can be read wherever an integer begins.
pub(crate) const fn data_bytes(len: u64, bits: u32) -> u64 {
    (len * bits as u64).div_ceil(64) * 8 + 8
}

impl Shape {
    /// The first byte of the integers.
    pub const DATA: usize = HEADER_BYTES;

    /// Refuses what no region holds, with `Range`.
    pub fn check(self) -> Result<Shape> {
        if !(1..=64).contains(&self.bits) {
            return Err(Error::range(format!("packed integers have 1 to 64 bits, not {}", self.bits)));
        }
        if self.len > MAX_LENGTH {
            return Err(Error::range(format!("{} packed integers are more than 2^47", self.len)));
        }
        Ok(self)
    }

    /// Bytes of the region.
    #[must_use]
    pub const fn length(self) -> u64 {
        align(Shape::DATA as u64 + data_bytes(self.len, self.bits))
    }

    /// Writes the header of a new region, all but the magic number.
    ///
    /// # Safety
    /// The memory is writable and at least as long as the region, and no other thread uses it.
    pub(crate) unsafe fn write(self, memory: Memory) {
        // SAFETY: the caller's word.
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
            return Err(Error::corrupt(format!("{len} integers of {bits} bits, flags {flags:#x}")));
        }
        Ok(shape)
    }

    fn length(&self) -> u64 {
        Shape::length(*self)
    }
}
