//! Where everything in an EliasFano region lies, and the constant-time check.
//! `docs/formats/succinct.md` specifies it, `src/succinct/eliasfano/layout.ts` computes the same.
//! All follows from two numbers: how many values, and the largest.

use crate::region::attach::RegionKind;
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::succinct::packed::layout::data_bytes;
use crate::{Error, Result};

/// The most values: lines are counted in 32 bits, ones in 38.
pub const MAX_LENGTH: u64 = 1 << 37;
/// Bytes of a line of the upper bits.
pub(crate) const LINE_BYTES: usize = 64;
/// Bits of the sequence in a line; the other 64 count.
pub(crate) const LINE_BITS: u64 = 448;
/// Of how many ones, or zeros, the line of one is noted.
pub(crate) const STEP: u64 = 256;

/// Indices of the words that this kind owns in the region's header.
pub mod word {
    /// How many values (two words).
    pub const LENGTH: usize = 16;
    /// The largest value (two words).
    pub const MAX: usize = 18;
    /// The first word after those: it and the rest are zero.
    pub const END: usize = 20;
}

/// What a region holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many values: at most [`MAX_LENGTH`].
    pub len: u64,
    /// The largest; 0 if there is none.
    pub max: u64,
}

/// Where its sections lie, by bytes from the beginning of the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Lower bits of a value: 0 to 63.
    pub low_bits: u32,
    /// Zeros of the upper bits: one for each value that upper bits can have.
    pub zeros: u64,
    /// Lines of the upper bits.
    pub lines: u64,
    /// The lines.
    pub upper: u64,
    /// The line of every 256th one.
    pub ones: u64,
    /// The line of every 256th zero.
    pub zero_lines: u64,
    /// The lower bits, as packed fields.
    pub low: u64,
    /// The end.
    pub length: u64,
}

impl Shape {
    /// Refuses what no region holds, with `Range`.
    pub fn check(self) -> Result<Shape> {
        if self.len > MAX_LENGTH {
            return Err(Error::range(format!("{} values are more than 2^37", self.len)));
        }
        if self.len == 0 && self.max != 0 {
            return Err(Error::range(format!("no values, of which {} is the largest", self.max)));
        }
        Ok(self)
    }

    /// Bits of a value that are stored as they are: the most, l, for which `len` · 2^l is not above
    /// the largest value.
    #[must_use]
    pub const fn low_bits(self) -> u32 {
        match self.max.checked_div(self.len) {
            Some(quotient) if quotient > 0 => quotient.ilog2(),
            _ => 0,
        }
    }

    /// Where everything lies in a region of its own.
    #[must_use]
    pub const fn layout(self) -> Layout {
        self.layout_at(HEADER_BYTES as u64)
    }

    /// Where everything lies from an offset on, a multiple of 64 below 2^60, in the region of
    /// another structure. The counts are those of a checked shape, so nothing overflows.
    #[must_use]
    pub const fn layout_at(self, upper: u64) -> Layout {
        let low_bits = self.low_bits();
        let zeros = (self.max >> low_bits) + 1;
        let lines = (self.len + zeros).div_ceil(LINE_BITS);
        let ones = upper + lines * LINE_BYTES as u64;
        let zero_lines = align(ones + hints(self.len) * 4);
        let low = align(zero_lines + hints(zeros) * 4);
        let bytes = if low_bits == 0 { 0 } else { data_bytes(self.len, low_bits) };
        Layout { low_bits, zeros, lines, upper, ones, zero_lines, low, length: align(low + bytes) }
    }
}

impl RegionKind for Shape {
    const KIND: Kind = Kind::EliasFano;
    const END: usize = word::END;

    fn check(header: &Header, _: Memory) -> Result<Shape> {
        let (len, max) = (header.double_word(word::LENGTH), header.double_word(word::MAX));
        let shape = Shape { len, max }.check();
        shape.map_err(|_| Error::corrupt(format!("{len} values, {max} the largest")))
    }

    fn length(&self) -> u64 {
        self.layout().length
    }
}

/// Entries of a table with the line of every 256th of `count` bits, and with the last line at its
/// end.
pub(crate) const fn hints(count: u64) -> u64 {
    count.div_ceil(STEP) + 1
}
