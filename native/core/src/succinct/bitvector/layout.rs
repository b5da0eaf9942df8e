//! The layout of a bit vector's region, and the check on which memory safety is based.

use crate::region::attach::RegionKind;
use crate::region::header::{ALIGNMENT, HEADER_BYTES, Header};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// The most bits: 128 GiB of them.
pub const MAX_BITS: u64 = 1 << 40;
/// Capacities are multiples of this number of bits, which is 64 bytes.
pub const STEP: u64 = 8 * ALIGNMENT;

/// Indices of the words that a bit vector owns in the region's header.
pub mod word {
    /// Number of bits (two words).
    pub const LENGTH: usize = 16;
    /// Number of bits that the region has room for (two words).
    pub const CAPACITY: usize = 18;
    /// The first unused word. It and all words after it are zero.
    pub const END: usize = 20;
}

/// Bytes of a region with room for `capacity` bits, rounded up. `Range` if `capacity` exceeds
/// [`MAX_BITS`].
pub fn region_length(capacity: u64) -> Result<usize> {
    if capacity > MAX_BITS {
        return Err(Error::range(format!("a bit vector has at most {MAX_BITS} bits, not {capacity}")));
    }
    let bytes = HEADER_BYTES as u64 + capacity.next_multiple_of(STEP) / 8;
    usize::try_from(bytes)
        .ok()
        .filter(|&bytes| isize::try_from(bytes).is_ok())
        .ok_or_else(|| Error::range("a bit vector of this capacity exceeds the address space"))
}

/// The counts of a checked header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// Number of bits.
    pub length: u64,
    /// Number of bits that the region has room for.
    pub capacity: u64,
}

impl RegionKind for Meta {
    const KIND: Kind = Kind::BitVector;
    const END: usize = word::END;

    fn check(header: &Header, memory: Memory) -> Result<Meta> {
        // The length is read with one load, because a writer that pushes stores it without a
        // rearrangement.
        let meta =
            Meta { length: memory.double_word(word::LENGTH), capacity: header.double_word(word::CAPACITY) };
        if meta.capacity > MAX_BITS || !meta.capacity.is_multiple_of(STEP) {
            return Err(Error::corrupt(format!("invalid capacity of a bit vector: {} bits", meta.capacity)));
        }
        if meta.length > meta.capacity {
            let Meta { length, capacity } = meta;
            return Err(Error::corrupt(format!(
                "a bit vector of {length} bits exceeds its capacity of {capacity}"
            )));
        }
        Ok(meta)
    }

    fn length(&self) -> u64 {
        HEADER_BYTES as u64 + self.capacity / 8
    }
}

/// Creates a bit vector of `length` zeros in `len` bytes at `base`, with its capacity rounded up to
/// whole 64 bytes. Overwrites the memory. `Full` if it is too short.
///
/// # Safety
/// `base` is valid for writing `len` bytes, and no other thread uses them.
pub unsafe fn init(base: *mut u8, len: usize, length: u64) -> Result<()> {
    let needed = region_length(length)?;
    // SAFETY: the caller guarantees that `len` bytes at `base` are writable and that no other
    // thread uses them; `begin` checks that they are enough.
    unsafe {
        let memory = Meta::begin(base, len, needed as u64)?;
        memory.at(HEADER_BYTES).write_bytes(0, needed - HEADER_BYTES);
        memory.set_double_word(word::LENGTH, length);
        memory.set_double_word(word::CAPACITY, length.next_multiple_of(STEP));
        memory.end_region();
    }
    Ok(())
}
