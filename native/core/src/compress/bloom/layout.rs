//! The header of a filter, and how many blocks it needs.

use super::LANES;
use crate::region::header::{HEADER_BYTES, Header};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// Bytes of a block: a cache line.
pub const BLOCK: usize = 64;
/// The most blocks: 4 GiB.
pub const MAX_BLOCKS: u64 = 1 << 26;

/// Indices of the words that this kind owns in the region's header.
pub mod word {
    /// How many blocks (two words).
    pub const BLOCKS: usize = 16;
    /// For how many keys the filter was made (two words).
    pub const CAPACITY: usize = 18;
    /// At which rate of wrong answers, as a double (two words).
    pub const RATE: usize = 20;
    /// The first word after those: it and the rest are zero.
    pub const END: usize = 22;
}

/// What a filter was made for, and how large that makes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// How many blocks.
    pub blocks: u64,
    /// For how many keys.
    pub capacity: u64,
    /// At which rate of wrong answers.
    pub rate: f64,
}

impl Shape {
    /// As many blocks as keep `capacity` keys below the rate. `Range` for a rate outside of (0, 1),
    /// or more than 4 GiB.
    pub fn new(capacity: u64, rate: f64) -> Result<Shape> {
        if !(rate > 0.0 && rate < 1.0) {
            return Err(Error::range(format!("a rate is more than 0 and less than 1, not {rate}")));
        }
        let blocks = (capacity as f64 / keys_per_block(rate)).ceil().max(1.0);
        if blocks > MAX_BLOCKS as f64 {
            return Err(Error::range(format!("{capacity} keys at a rate of {rate} take more than 4 GiB")));
        }
        Ok(Shape { blocks: blocks as u64, capacity, rate })
    }

    /// Bytes of the region.
    #[must_use]
    pub fn length(&self) -> u64 {
        HEADER_BYTES as u64 + self.blocks * BLOCK as u64
    }

    /// The constant-time check of a region.
    pub(super) fn read(memory: Memory) -> Result<(Header, Shape)> {
        let header = Header::read(memory, Kind::BloomFilter)?;
        let shape = Shape {
            blocks: header.double_word(word::BLOCKS),
            capacity: header.double_word(word::CAPACITY),
            rate: f64::from_bits(header.double_word(word::RATE)),
        };
        if shape.blocks == 0 || shape.blocks > MAX_BLOCKS || shape.length() != header.length() {
            let (blocks, length) = (shape.blocks, header.length());
            return Err(Error::corrupt(format!("a Bloom filter of {blocks} blocks in {length} bytes")));
        }
        Ok((header, shape))
    }
}

/// How many keys a block can have on the average. By halving: forty steps, so that the last still
/// are far from where another language's rounding could decide otherwise.
fn keys_per_block(rate: f64) -> f64 {
    let (mut low, mut high) = (1e-9, 600.0);
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        if rate_of(middle) < rate { low = middle } else { high = middle }
    }
    low
}

/// How often a filter with so many keys for each block says yes to a stranger.
fn rate_of(keys_per_block: f64) -> f64 {
    // Of a key in the same block the stranger may have all 32 bits that choose lanes.
    let mut sum = keys_per_block / 4_294_967_296.0;
    // Keys in a block follow Poisson's law; each sets one bit of 64 in each lane.
    let (mut weight, mut clear) = ((-keys_per_block).exp(), 1.0f64);
    let most = keys_per_block + 12.0 * keys_per_block.sqrt() + 30.0;
    let mut keys = 0.0;
    while keys < most {
        sum += weight * (1.0 - clear).powi(LANES as i32);
        keys += 1.0;
        weight *= keys_per_block / keys;
        clear *= 63.0 / 64.0;
    }
    sum
}
