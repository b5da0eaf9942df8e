//! A Bloom filter in which each key touches one cache line (Putze, Sanders and Singler, "Cache-,
//! hash- and space-efficient Bloom filters", 2007), with one bit in each of eight lanes, as in
//! Impala and Parquet. It has false positives, but no false negatives.
//!
//! `docs/formats/compress.md` specifies the bytes; `src/compress/bloomfilter.ts` reads and writes
//! the same. Bits are only ever set, each lane by one store, so readers on other threads need no
//! synchronization: they see the keys added so far. Only one thread may add keys.
//!
//! | file | contents |
//! | --- | --- |
//! | [`layout`] | header words, the constant-time check, the number of blocks for a rate |
//! | [`hash`] | the hashes of keys |
//! | `bulk` | operations on many keys; one file for each instruction set |
//! | `owned` | the filter for Rust programs |
//!
//! Cost: one hash and one cache line per key. Space: 1.26 bytes per key at a rate of 0.01.

mod bulk;
pub mod hash;
pub mod layout;
mod owned;

pub use self::hash::{Hashed, Seeds};
pub use self::layout::Shape;
pub use self::owned::BloomFilter;

use self::bulk::generic::{Portable, Probe};
use self::bulk::{BATCH, Blocks, Kernels};
use self::layout::{BLOCK, word};
use crate::region::attach::RegionKind;
use crate::region::header::HEADER_BYTES;
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::region::numbers::Numbers;
use crate::{Error, Result};
use std::ops::Deref;

/// Lanes of a block, of 64 bits each.
const LANES: usize = 8;
/// Odd multipliers that derive eight bit positions from one hash.
const SALTS: [u32; LANES] =
    [0x47B6_137B, 0x4497_4D91, 0x8824_AD5B, 0xA2B7_289D, 0x7054_95C7, 0x2DF1_424B, 0x9EFC_4947, 0x5C6B_FB31];

/// Creates an empty filter in `len` bytes at `base`. `Full` if that is less than [`Shape::length`].
///
/// # Safety
/// `base` is valid for writing `len` bytes that no other thread uses.
pub unsafe fn init(base: *mut u8, len: usize, shape: Shape, seeds: [u32; 2]) -> Result<()> {
    // SAFETY: the caller guarantees that `len` bytes are writable; the length is checked before
    // anything is written.
    unsafe {
        let memory = Memory::new(base, len)?;
        if !(1..=layout::MAX_BLOCKS).contains(&shape.blocks) {
            return Err(Error::range(format!("a filter must have 1 to 2^26 blocks, not {}", shape.blocks)));
        }
        let length = shape.length();
        if length > len as u64 {
            return Err(Error::full(format!("the filter needs {length} bytes, not {len}")));
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

/// A view of a filter in memory owned by the caller.
#[derive(Debug)]
pub struct RawBloomFilter {
    memory: Memory,
    shape: Shape,
    blocks: Blocks,
}

impl RawBloomFilter {
    /// Attaches to the region in `len` bytes at `base`. Checks the header in constant time.
    ///
    /// # Safety
    /// While the view is used, `base` is valid for reading `len` bytes.
    pub unsafe fn attach(base: *const u8, len: usize) -> Result<RawBloomFilter> {
        // SAFETY: the caller guarantees that `len` bytes at `base` are readable. Nothing is written
        // through the view.
        let memory = unsafe { Memory::new(base.cast_mut(), len) }?;
        let (header, shape) = Shape::read(memory)?;
        // SAFETY: `read` checked that the blocks are within the memory.
        let blocks = unsafe {
            Blocks::new(
                memory.at(HEADER_BYTES),
                shape.blocks,
                Seeds::new(header.seeds(), header.kind_version()),
            )
        };
        Ok(RawBloomFilter { memory, shape, blocks })
    }

    /// The parameters and the size of the filter.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// Hashes a key of bytes. A string is hashed as UTF-8.
    #[must_use]
    pub fn hash_bytes(&self, key: &[u8]) -> Hashed {
        hash::bytes(self.blocks.seeds, key)
    }

    /// Hashes a number. −0 equals 0, and all NaNs are equal.
    #[must_use]
    pub fn hash_number(&self, key: f64) -> Hashed {
        hash::number(self.blocks.seeds, key)
    }

    /// Whether the key may have been added. For an absent key, this is true at the filter's
    /// false-positive rate.
    #[inline]
    #[must_use]
    pub fn has(&self, key: Hashed) -> bool {
        // SAFETY: `index` returns the index of a block of the filter.
        unsafe { Portable::found(self.blocks.address(self.blocks.index(key)), key.lanes) }
    }

    /// [`RawBloomFilter::has`] for many keys: writes 1 or 0 for each. `Range` if `out` is shorter.
    pub fn has_hashed(&self, keys: &[Hashed], out: &mut [u8]) -> Result<()> {
        let out = check_room(out, keys.len())?;
        for (keys, out) in keys.chunks(BATCH).zip(out.chunks_mut(BATCH)) {
            // SAFETY: the blocks of the filter are readable, and both slices have one length of at
            // most `BATCH`.
            unsafe { (Kernels::get().has)(&self.blocks, keys, out) };
        }
        Ok(())
    }

    /// [`RawBloomFilter::has`] for many numbers. `Type` for 64-bit integers, because doubles cannot
    /// represent all of them.
    pub fn has_numbers(&self, keys: &Numbers<'_>, out: &mut [u8]) -> Result<()> {
        let mut chunk = [0.0; BATCH];
        let out = check_room(out, keys.len())?;
        for (at, out) in (0..keys.len()).step_by(BATCH).zip(out.chunks_mut(BATCH)) {
            let numbers = keys.read_floats(at, &mut chunk)?;
            // SAFETY: the blocks of the filter are readable, and both slices have one length of at
            // most `BATCH`.
            unsafe { (Kernels::get().has_numbers)(&self.blocks, numbers, out) };
        }
        Ok(())
    }

    /// The number of set bits, out of `blocks · 512`. O(bytes).
    #[must_use]
    pub fn ones(&self) -> u64 {
        // SAFETY: the words of all blocks are within the region.
        unsafe {
            let words = self.memory.at(HEADER_BYTES).cast::<u64>();
            (crate::succinct::runs::Kernels::get().count)(words, self.shape.blocks as usize * LANES)
        }
    }

    /// Checks everything that opening does not: the checksum, if there is one, that the rate is
    /// valid, and that unused words are zero. O(bytes).
    pub fn validate(&self) -> Result<()> {
        let (_, Shape { rate, .. }) = Shape::verify(self.memory)?;
        if !(rate > 0.0 && rate < 1.0) {
            return Err(Error::corrupt(format!(
                "the Bloom filter has an invalid false-positive rate: {rate}"
            )));
        }
        Ok(())
    }
}

fn check_room(out: &mut [u8], count: usize) -> Result<&mut [u8]> {
    let room = out.len();
    out.get_mut(..count)
        .ok_or_else(|| Error::range(format!("out has {room} elements, but there are {count} keys")))
}

/// A view of a filter that can add keys.
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
    /// Attaches for adding. Checks the header in constant time, and clears the region's checksum.
    ///
    /// # Safety
    /// As for [`RawBloomFilter::attach`]; the bytes are writable, and while the view is used no
    /// other thread writes them.
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<RawBloomFilterMut> {
        // SAFETY: the caller guarantees that `len` bytes at `base` are readable.
        let filter = unsafe { RawBloomFilter::attach(base, len) }?;
        // SAFETY: the bytes are writable, and no other thread writes them, as guaranteed by the
        // caller.
        unsafe { filter.memory.clear_checksum() };
        Ok(RawBloomFilterMut { filter })
    }

    /// Adds a key.
    #[inline]
    pub fn add(&mut self, key: Hashed) {
        // SAFETY: `index` returns the index of a block, which the caller of `attach` guarantees to
        // be writable.
        unsafe { Portable::set(self.blocks.address(self.blocks.index(key)), key.lanes) };
    }

    /// Adds many keys.
    pub fn add_hashed(&mut self, keys: &[Hashed]) {
        for keys in keys.chunks(BATCH) {
            // SAFETY: the blocks of the filter are writable, and no other thread writes them, as
            // guaranteed by the caller of `attach`.
            unsafe { (Kernels::get().add)(&self.blocks, keys) };
        }
    }

    /// Adds many numbers. `Type`, with nothing added, for 64-bit integers, because doubles cannot
    /// represent all of them.
    pub fn add_numbers(&mut self, keys: &Numbers<'_>) -> Result<()> {
        let mut chunk = [0.0; BATCH];
        for at in (0..keys.len()).step_by(BATCH) {
            let numbers = keys.read_floats(at, &mut chunk)?;
            // SAFETY: the blocks of the filter are writable, and no other thread writes them, as
            // guaranteed by the caller of `attach`.
            unsafe { (Kernels::get().add_numbers)(&self.blocks, numbers) };
        }
        Ok(())
    }
}
