//! Where everything in a bit vector's region lies, and the check on which memory safety rests.

use crate::region::header::{ALIGNMENT, HEADER_BYTES, Header};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// The most bits: 128 GiB of them.
pub const MAX_BITS: u64 = 1 << 40;
/// Capacities are multiples of this many bits, which are 64 bytes.
pub const STEP: u64 = 8 * ALIGNMENT;

/// Indices of the words that a bit vector owns in the region's header.
pub mod word {
    /// How many bits there are (two words).
    pub const LENGTH: usize = 16;
    /// How many the region has room for (two words).
    pub const CAPACITY: usize = 18;
    /// The first word after those: it and the rest are zero.
    pub const END: usize = 20;
}

/// Bytes of a region with room for so many bits, rounded up. `Range` if that is more than there can
/// be.
pub fn region_length(capacity: u64) -> Result<usize> {
    if capacity > MAX_BITS {
        return Err(Error::range(format!("a bit vector has at most {MAX_BITS} bits, not {capacity}")));
    }
    let bytes = HEADER_BYTES as u64 + capacity.next_multiple_of(STEP) / 8;
    usize::try_from(bytes).ok().filter(|&bytes| isize::try_from(bytes).is_ok()).ok_or_else(|| {
        Error::range("a bit vector of this capacity does not fit this machine's address space")
    })
}

/// The counts of a checked header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meta {
    /// How many bits there are.
    pub length: u64,
    /// How many the region has room for.
    pub capacity: u64,
}

impl Meta {
    /// Reads and checks the header of a region, in constant time.
    pub fn read(memory: Memory) -> Result<Meta> {
        let header = Header::read(memory, Kind::BitVector)?;
        // The length in one load: a writer that pushes stores it without a rearrangement.
        let meta =
            Meta { length: memory.double_word(word::LENGTH), capacity: header.double_word(word::CAPACITY) };
        if meta.capacity > MAX_BITS || !meta.capacity.is_multiple_of(STEP) {
            return Err(Error::corrupt(format!("a bit vector can not have room for {} bits", meta.capacity)));
        }
        if meta.length > meta.capacity {
            let Meta { length, capacity } = meta;
            return Err(Error::corrupt(format!("a bit vector of {length} bits with room for {capacity}")));
        }
        if header.length() != HEADER_BYTES as u64 + meta.capacity / 8 {
            return Err(Error::corrupt("the region's length is not that of the bit vector's capacity"));
        }
        Ok(meta)
    }
}

/// Makes a bit vector of `length` zeros, with room for as many as 64 bytes hold at the end, in
/// `len` bytes at `base`. Whatever they held is overwritten. `Full` if they are too few.
///
/// # Safety
/// `base` is valid for writing `len` bytes, and no other thread uses them.
pub unsafe fn init(base: *mut u8, len: usize, length: u64) -> Result<()> {
    // SAFETY: the caller's word.
    let memory = unsafe { Memory::new(base, len) }?;
    let needed = region_length(length)?;
    check_room(needed, len)?;
    // SAFETY: there is room; the caller vouches that it is ours to write.
    unsafe {
        memory.at(0).write_bytes(0, needed);
        memory.begin_region(Kind::BitVector, needed as u64);
        memory.set_double_word(word::LENGTH, length);
        memory.set_double_word(word::CAPACITY, length.next_multiple_of(STEP));
        memory.end_region();
    }
    Ok(())
}

/// `Full` if a region needs more bytes than there are.
pub(in crate::succinct) fn check_room(needed: usize, given: usize) -> Result<()> {
    if needed <= given {
        return Ok(());
    }
    Err(Error::full(format!("the region needs {needed} bytes where {given} are given")))
}
