//! The layout of a bit vector's region, and the check on which memory safety is based.

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

impl Meta {
    /// Reads and checks the header of a region in constant time.
    pub fn read(memory: Memory) -> Result<Meta> {
        let header = Header::read(memory, Kind::BitVector)?;
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
        if header.length() != HEADER_BYTES as u64 + meta.capacity / 8 {
            return Err(Error::corrupt("the region's length does not match the bit vector's capacity"));
        }
        Ok(meta)
    }
}

/// Creates a bit vector of `length` zeros in `len` bytes at `base`, with its capacity rounded up to
/// whole 64 bytes. Overwrites the memory. `Full` if it is too short.
///
/// # Safety
/// `base` is valid for writing `len` bytes, and no other thread uses them.
pub unsafe fn init(base: *mut u8, len: usize, length: u64) -> Result<()> {
    // SAFETY: the caller guarantees that `len` bytes at `base` are writable.
    let memory = unsafe { Memory::new(base, len) }?;
    let needed = region_length(length)?;
    check_room(needed, len)?;
    // SAFETY: the room was checked, and no other thread uses the memory, as guaranteed by the
    // caller.
    unsafe {
        memory.at(0).write_bytes(0, needed);
        memory.begin_region(Kind::BitVector, needed as u64);
        memory.set_double_word(word::LENGTH, length);
        memory.set_double_word(word::CAPACITY, length.next_multiple_of(STEP));
        memory.end_region();
    }
    Ok(())
}

/// `Full` if a region needs more bytes than given.
pub(in crate::succinct) fn check_room(needed: usize, given: usize) -> Result<()> {
    if needed <= given {
        return Ok(());
    }
    Err(Error::full(format!("the region needs {needed} bytes, not {given}")))
}
