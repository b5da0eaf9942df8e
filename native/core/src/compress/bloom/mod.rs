//! A Bloom filter whose every key touches one cache line (Putze, Sanders and Singler, "Cache-,
//! hash- and space-efficient Bloom filters", 2007; one bit in each of eight lanes, as in Impala and
//! Parquet).
//!
//! `docs/formats/compress.md` specifies the bytes; `src/compress/bloomfilter.ts` reads and writes
//! the same. Bits are only ever set, each lane in one store, so readers on other threads need no
//! care: they see what was added so far. One thread adds.
//!
//! | file | holds |
//! | --- | --- |
//! | [`layout`] | header words, the constant-time check, how many blocks keep a rate |
//! | [`hash`] | keys to hashes |
//! | `bulk` | many keys; one file for each instruction set |
//! | `owned` | the filter for Rust programs |
//!
//! Cost: a hash, and one cache line. 1.26 bytes a key at a rate of 0.01.

mod bulk;
pub mod hash;
pub mod layout;
mod owned;

pub use self::hash::Hashed;
pub use self::layout::Shape;
pub use self::owned::BloomFilter;

use self::bulk::generic::{Portable, Probe};
use self::bulk::{BATCH, Blocks, Kernels};
use self::layout::{BLOCK, word};
use crate::region::header::HEADER_BYTES;
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::region::numbers::Numbers;
use crate::{Error, Result};
use std::ops::Deref;

/// Lanes of a block, of 64 bits each.
const LANES: usize = 8;
/// Odd numbers that make eight positions of one hash.
const SALTS: [u32; LANES] =
    [0x47B6_137B, 0x4497_4D91, 0x8824_AD5B, 0xA2B7_289D, 0x7054_95C7, 0x2DF1_424B, 0x9EFC_4947, 0x5C6B_FB31];

/// Makes an empty filter in `len` bytes at `base`, at least [`Shape::length`]. `Full` if they are
/// too few.
///
/// # Safety
/// `base` is valid for writing `len` bytes that no other thread uses.
pub unsafe fn init(base: *mut u8, len: usize, shape: Shape, seeds: [u32; 2]) -> Result<()> {
    // SAFETY: the caller's word; the length is checked before anything is written.
    unsafe {
        let memory = Memory::new(base, len)?;
        if !(1..=layout::MAX_BLOCKS).contains(&shape.blocks) {
            return Err(Error::range(format!("a filter has 1 to 2^26 blocks, not {}", shape.blocks)));
        }
        let length = shape.length();
        if length > len as u64 {
            return Err(Error::full(format!("the filter takes {length} bytes where there are {len}")));
        }
        memory.begin_region(Kind::BloomFilter, length);
        memory.set_seeds(seeds);
        memory.set_double_word(word::BLOCKS, shape.blocks);
        memory.set_double_word(word::CAPACITY, shape.capacity);
        memory.set_double_word(word::RATE, shape.rate.to_bits());
        memory.at(HEADER_BYTES).write_bytes(0, shape.blocks as usize * BLOCK);
        memory.end_region();
    }
    Ok(())
}

/// A view of a filter in memory that someone else owns.
#[derive(Debug)]
pub struct RawBloomFilter {
    memory: Memory,
    shape: Shape,
    blocks: Blocks,
}

impl RawBloomFilter {
    /// Attaches to the region in `len` bytes at `base`: checks the header in constant time.
    ///
    /// # Safety
    /// While the view is used, `base` is valid for reading `len` bytes.
    pub unsafe fn attach(base: *const u8, len: usize) -> Result<RawBloomFilter> {
        // SAFETY: the caller's word. Nothing is written through the view.
        let memory = unsafe { Memory::new(base.cast_mut(), len) }?;
        let (header, shape) = Shape::read(memory)?;
        // SAFETY: the blocks of a checked header lie within the memory.
        let blocks = unsafe { Blocks::new(memory.at(HEADER_BYTES), shape.blocks, header.seeds()) };
        Ok(RawBloomFilter { memory, shape, blocks })
    }

    /// Sizes, and what the filter was made for.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Hashes a key of bytes; a string is its UTF-8.
    #[must_use]
    pub fn hash_bytes(&self, key: &[u8]) -> Hashed {
        hash::bytes(self.blocks.seeds, key)
    }

    /// Hashes a number. −0 is 0, and all NaNs are one.
    #[must_use]
    pub fn hash_number(&self, key: f64) -> Hashed {
        hash::number(self.blocks.seeds, key)
    }

    /// Whether a key was added; at the filter's rate also where it was not.
    #[inline]
    #[must_use]
    pub fn has(&self, key: Hashed) -> bool {
        // SAFETY: a block of the filter.
        unsafe { Portable::found(self.blocks.address(self.blocks.index(key)), key.lanes) }
    }

    /// [`RawBloomFilter::has`] of many keys: 1 or 0 for each. `Range` if `out` is shorter.
    pub fn has_hashed(&self, keys: &[Hashed], out: &mut [u8]) -> Result<()> {
        let out = check_room(out, keys.len())?;
        for (keys, out) in keys.chunks(BATCH).zip(out.chunks_mut(BATCH)) {
            // SAFETY: the blocks are there.
            unsafe { (Kernels::get().has)(&self.blocks, keys, out) };
        }
        Ok(())
    }

    /// [`RawBloomFilter::has`] of many numbers. `Type` for 64-bit integers, of which not all are
    /// doubles.
    pub fn has_numbers(&self, keys: &Numbers<'_>, out: &mut [u8]) -> Result<()> {
        let mut chunk = [0.0; BATCH];
        let out = check_room(out, keys.len())?;
        for (at, out) in (0..keys.len()).step_by(BATCH).zip(out.chunks_mut(BATCH)) {
            let numbers = keys.read_floats(at, &mut chunk)?;
            // SAFETY: the blocks are there.
            unsafe { (Kernels::get().has_numbers)(&self.blocks, numbers, out) };
        }
        Ok(())
    }

    /// How many bits are set, of `blocks · 512`. O(bytes).
    #[must_use]
    pub fn ones(&self) -> u64 {
        // SAFETY: whole words of the region.
        unsafe {
            let words = self.memory.at(HEADER_BYTES).cast::<u64>();
            (crate::succinct::runs::Kernels::get().count)(words, self.shape.blocks as usize * LANES)
        }
    }

    /// Proves what opening does not: the checksum, if there is one, that the rate is one, and that
    /// words without a meaning are zero. O(bytes).
    pub fn validate(&self) -> Result<()> {
        let (header, Shape { rate, .. }) = Shape::read(self.memory)?;
        if !(rate > 0.0 && rate < 1.0) {
            return Err(Error::corrupt(format!("a Bloom filter with a rate of {rate}")));
        }
        header.verify_checksum(self.memory, word::END)
    }
}

fn check_room(out: &mut [u8], count: usize) -> Result<&mut [u8]> {
    let room = out.len();
    out.get_mut(..count)
        .ok_or_else(|| Error::range(format!("out holds {room} elements where there are {count} keys")))
}

/// A view to add through.
#[derive(Debug)]
pub struct RawBloomFilterMut {
    filter: RawBloomFilter,
}

impl Deref for RawBloomFilterMut {
    type Target = RawBloomFilter;

    #[inline(always)]
    fn deref(&self) -> &RawBloomFilter {
        &self.filter
    }
}

impl RawBloomFilterMut {
    /// Attaches for adding: checks the header in constant time and withdraws the region's checksum.
    ///
    /// # Safety
    /// As for [`RawBloomFilter::attach`]; the bytes are writable, and while the view is used no
    /// other thread writes them.
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<RawBloomFilterMut> {
        // SAFETY: the caller's word.
        let filter = unsafe { RawBloomFilter::attach(base, len) }?;
        // SAFETY: as above.
        unsafe { filter.memory.clear_checksum() };
        Ok(RawBloomFilterMut { filter })
    }

    /// Adds a key.
    #[inline]
    pub fn add(&mut self, key: Hashed) {
        // SAFETY: a block of the filter, writable by the word given to `attach`.
        unsafe { Portable::set(self.blocks.address(self.blocks.index(key)), key.lanes) };
    }

    /// Adds many keys.
    pub fn add_hashed(&mut self, keys: &[Hashed]) {
        for keys in keys.chunks(BATCH) {
            // SAFETY: the blocks are there, and writable.
            unsafe { (Kernels::get().add)(&self.blocks, keys) };
        }
    }

    /// Adds many numbers. `Type`, with nothing added, for 64-bit integers, of which not all are
    /// doubles.
    pub fn add_numbers(&mut self, keys: &Numbers<'_>) -> Result<()> {
        let mut chunk = [0.0; BATCH];
        for at in (0..keys.len()).step_by(BATCH) {
            let numbers = keys.read_floats(at, &mut chunk)?;
            // SAFETY: the blocks are there, and writable.
            unsafe { (Kernels::get().add_numbers)(&self.blocks, numbers) };
        }
        Ok(())
    }
}
