//! The layout of an EliasFano region, and the constant-time check. `docs/formats/succinct.md`
//! specifies it, and `src/succinct/eliasfano/layout.ts` computes the same. The layout follows from
//! two numbers: the number of values, and the largest value.

use crate::region::attach::RegionKind;
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::succinct::packed::layout::data_bytes;
use crate::{Error, Result};

/// The most values. Lines are counted in 32 bits, and ones in 38.
pub const MAX_LENGTH: u64 = 1 << 37;
/// Bytes of a line of the upper bits.
pub(crate) const LINE_BYTES: usize = 64;
/// Bits of the sequence in a line. The other 64 are counts.
pub(crate) const LINE_BITS: u64 = 448;
/// The tables contain the line of every 256th one, and of every 256th zero.
pub(crate) const STEP: u64 = 256;

/// Indices of the words that this kind owns in the region's header.
pub mod word {
    /// Number of values (two words).
    pub const LENGTH: usize = 16;
    /// The largest value (two words).
    pub const MAX: usize = 18;
    /// The first unused word. It and all words after it are zero.
    pub const END: usize = 20;
}

/// The numbers that determine a region's layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Number of values: at most [`MAX_LENGTH`].
    pub len: u64,
    /// The largest value; 0 if there are none.
    pub max: u64,
}

/// The sections of a region. Offsets are in bytes from the start of the region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Number of lower bits of a value: 0 to 63.
    pub low_bits: u32,
    /// Number of zeros in the upper bits: one for each possible value of the upper bits.
    pub zeros: u64,
    /// Number of lines of the upper bits.
    pub lines: u64,
    /// Offset of the lines.
    pub upper: u64,
    /// Offset of the table with the line of every 256th one.
    pub ones: u64,
    /// Offset of the table with the line of every 256th zero.
    pub zero_lines: u64,
    /// Offset of the lower bits, which are packed fields.
    pub low: u64,
    /// The end.
    pub length: u64,
}

impl Shape {
    /// `Range` unless a region can have this shape.
    pub fn check(self) -> Result<Shape> {
        if self.len > MAX_LENGTH {
            return Err(Error::range(format!("a sequence has at most 2^37 values, not {}", self.len)));
        }
        if self.len == 0 && self.max != 0 {
            return Err(Error::range(format!(
                "an empty sequence cannot have the largest value {}",
                self.max
            )));
        }
        Ok(self)
    }

    /// The number of lower bits of a value: the largest l for which `len` · 2^l is at most the
    /// largest value.
    #[must_use]
    pub const fn low_bits(self) -> u32 {
        match self.max.checked_div(self.len) {
            Some(quotient) if quotient > 0 => quotient.ilog2(),
            _ => 0,
        }
    }

    /// The layout of a region of its own.
    #[must_use]
    pub const fn layout(self) -> Layout {
        self.layout_at(HEADER_BYTES as u64)
    }

    /// The layout of a part of another region that begins at an offset, a multiple of 64 below
    /// 2^60. The counts are those of a checked shape, so nothing overflows.
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
        shape.map_err(|_| Error::corrupt(format!("invalid header: {len} values, the largest is {max}")))
    }

    fn length(&self) -> u64 {
        self.layout().length
    }
}

/// The number of entries in a table with the line of every 256th of `count` bits, and with the last
/// line at its end.
pub(crate) const fn hints(count: u64) -> u64 {
    count.div_ceil(STEP) + 1
}
