//! The layout of a BumpArena's region, and the check of its header.

use crate::region::attach::RegionKind;
use crate::region::header::{self, HEADER_BYTES, Header};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// Bytes of a granule, the unit of positions.
pub const GRANULE: u64 = 8;
/// The largest supported alignment.
pub const MAX_ALIGN: u32 = 4096;
/// The largest number of granules: positions are small integers in JavaScript.
pub const MAX_GRANULES: u32 = i32::MAX as u32;
/// Option: released memory is filled with zeros.
pub const ZERO_ON_FREE: u32 = 1;
/// Option: blocks are preceded by records and followed by guards.
pub const GUARDS: u32 = 2;

/// Words of the header.
pub mod word {
    /// Option bits.
    pub const OPTIONS: usize = 16;
    /// The largest alignment: a power of two from 8 to 4096.
    pub const ALIGN: usize = 17;
    /// Allocated granules.
    pub const TOP: usize = 18;
    /// 1 + the granule at which the last allocated block begins; 0 if unknown.
    pub const LAST: usize = 19;
    /// Allocated blocks, modulo 2^32.
    pub const BLOCKS: usize = 20;
    /// The largest value that `TOP` had when it was lowered.
    pub const PEAK: usize = 21;
    /// Failed requests, modulo 2^32.
    pub const FAILURES: usize = 22;
    /// Number of resets, modulo 2^32.
    pub const RESETS: usize = 23;
    /// Granules that were allocated at the innermost mark: `free` removes no block that begins
    /// before it.
    pub const FLOOR: usize = 24;
    /// The first unused word.
    pub const END: usize = 25;
}

/// The properties of an arena that never change, and its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Option bits.
    pub options: u32,
    /// The largest alignment.
    pub align: u32,
    /// Bytes of the region; a multiple of 64.
    pub length: u64,
}

impl Shape {
    /// The shape of an arena in `length` bytes, rounded down to a multiple of 64. `Full` if they
    /// are too few for a header and a granule, `Range` for an invalid alignment.
    pub fn new(length: u64, align: u32, options: u32) -> Result<Shape> {
        if !align.is_power_of_two() || !(GRANULE as u32..=MAX_ALIGN).contains(&align) {
            return Err(Error::range(format!(
                "alignments are powers of two from 8 to {MAX_ALIGN}, not {align}"
            )));
        }
        if options & !(ZERO_ON_FREE | GUARDS) != 0 {
            return Err(Error::wrong_type("unknown options"));
        }
        let shape = Shape { options, align, length: 0 };
        let most = shape.data() + u64::from(MAX_GRANULES) * GRANULE;
        let length = length.min(most) & !(header::ALIGNMENT - 1);
        if length <= shape.data() {
            return Err(Error::full(format!("an arena needs more than {} bytes", shape.data())));
        }
        Ok(Shape { length, ..shape })
    }

    /// The beginning of the data, in bytes.
    #[inline]
    #[must_use]
    pub fn data(&self) -> u64 {
        u64::from(self.align).max(HEADER_BYTES as u64)
    }

    /// Granules of data.
    #[inline]
    #[must_use]
    pub fn granules(&self) -> u32 {
        ((self.length - self.data()) / GRANULE) as u32
    }

    /// Writes the header of an empty arena. The data is left unchanged.
    ///
    /// # Safety
    /// The memory has `length` bytes and is writable, and no other thread uses it.
    pub unsafe fn write(&self, memory: Memory) {
        // SAFETY: the memory is writable, long enough and not otherwise used, guaranteed by the
        // caller.
        unsafe {
            memory.begin_region(Kind::BumpArena, self.length);
            memory.set_word(word::OPTIONS, self.options);
            memory.set_word(word::ALIGN, self.align);
            memory.end_region();
        }
    }
}

impl RegionKind for Shape {
    const KIND: Kind = Kind::BumpArena;
    const END: usize = word::END;

    fn check(header: &Header, _: Memory) -> Result<Shape> {
        let (options, align) = (header.word(word::OPTIONS), header.word(word::ALIGN));
        match Shape::new(header.length(), align, options) {
            Ok(shape) if shape.length == header.length() && header.word(word::TOP) <= shape.granules() => {
                Ok(shape)
            }
            _ => Err(Error::corrupt("the arena's options, alignment, length and top contradict each other")),
        }
    }

    fn length(&self) -> u64 {
        self.length
    }
}
