//! The layout of a BumpArena's region: what the header says, checked.

use crate::region::header::{self, HEADER_BYTES, Header};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// Bytes of a granule, which positions count.
pub const GRANULE: u64 = 8;
/// The largest alignment that an arena can be made for.
pub const MAX_ALIGN: u32 = 4096;
/// Granules that an arena can have: positions are small integers to JavaScript.
pub const MAX_GRANULES: u32 = i32::MAX as u32;
/// Option: what is released is filled with zeros.
pub const ZERO_ON_FREE: u32 = 1;
/// Option: guards stand behind blocks, and records before them.
pub const GUARDS: u32 = 2;

/// Words of the header.
pub mod word {
    /// Option bits.
    pub const OPTIONS: usize = 16;
    /// The largest alignment: a power of two from 8 to 4096.
    pub const ALIGN: usize = 17;
    /// Granules that are taken.
    pub const TOP: usize = 18;
    /// 1 + the granule where the block begins that was allocated last; 0 where that is not known.
    pub const LAST: usize = 19;
    /// Allocated blocks, modulo 2^32.
    pub const BLOCKS: usize = 20;
    /// The most that `TOP` had been when it was last lowered.
    pub const PEAK: usize = 21;
    /// Requests refused, modulo 2^32.
    pub const FAILURES: usize = 22;
    /// How often the arena was reset, modulo 2^32.
    pub const RESETS: usize = 23;
    /// Granules that were taken at the innermost mark: `free` takes no block away that begins
    /// before it.
    pub const FLOOR: usize = 24;
    /// The first word that is unused.
    pub const END: usize = 25;
}

/// What does not change in an arena's life, but for its length.
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
    /// The shape of an arena in `length` bytes, of which whole lines of 64 are used. `Full` if they
    /// are too few for a header and a granule, `Range` for an alignment that can not be.
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
            return Err(Error::full(format!("an arena takes more than {} bytes", shape.data())));
        }
        Ok(Shape { length, ..shape })
    }

    /// Where the data begins, in bytes.
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

    /// Reads and checks what a region says of itself, in constant time.
    pub fn read(memory: Memory) -> Result<Shape> {
        let header = Header::read(memory, Kind::BumpArena)?;
        let (options, align) = (header.word(word::OPTIONS), header.word(word::ALIGN));
        match Shape::new(header.length(), align, options) {
            Ok(shape) if shape.length == header.length() && header.word(word::TOP) <= shape.granules() => {
                Ok(shape)
            }
            _ => Err(Error::corrupt("an arena's options, alignment, length and top do not fit together")),
        }
    }

    /// Writes the header of an empty arena. The data stays as it is.
    ///
    /// # Safety
    /// The memory has `length` bytes and is writable, and no other thread uses it.
    pub unsafe fn write(&self, memory: Memory) {
        // SAFETY: the caller's word.
        unsafe {
            memory.begin_region(Kind::BumpArena, self.length);
            memory.set_word(word::OPTIONS, self.options);
            memory.set_word(word::ALIGN, self.align);
            memory.end_region();
        }
    }
}
