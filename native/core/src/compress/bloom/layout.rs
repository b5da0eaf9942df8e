//! The header of a filter, and the number of blocks it needs.

use super::LANES;
use crate::region::attach::RegionKind;
use crate::region::header::{HEADER_BYTES, Header};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// Bytes of a block: one cache line.
pub const BLOCK: usize = 64;
/// The most blocks: 4 GiB.
pub const MAX_BLOCKS: u64 = 1 << 26;

/// Indices of the words that this kind owns in the region's header.
pub mod word {
    /// Number of blocks (two words).
    pub const BLOCKS: usize = 16;
    /// Number of keys that the filter was made for (two words).
    pub const CAPACITY: usize = 18;
    /// False-positive rate that the filter was made for, as a double (two words).
    pub const RATE: usize = 20;
    /// The first unused word. It and all words after it are zero.
    pub const END: usize = 22;
}

/// The parameters of a filter, and its size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Number of blocks.
    pub blocks: u64,
    /// Number of keys.
    pub capacity: u64,
    /// False-positive rate.
    pub rate: f64,
}

impl Shape {
    /// The smallest filter that keeps the false-positive rate at or below `rate` with `capacity`
    /// keys. `Range` unless `rate` is in (0, 1) and the filter has at most 4 GiB.
    pub fn new(capacity: u64, rate: f64) -> Result<Shape> {
        if !(rate > 0.0 && rate < 1.0) {
            return Err(Error::range(format!("the false-positive rate must be between 0 and 1, not {rate}")));
        }
        let blocks = (capacity as f64 / keys_per_block(rate)).ceil().max(1.0);
        if blocks > MAX_BLOCKS as f64 {
            return Err(Error::range(format!("{capacity} keys at a rate of {rate} need more than 4 GiB")));
        }
        Ok(Shape { blocks: blocks as u64, capacity, rate })
    }

    /// Bytes of the region.
    #[must_use]
    pub fn length(&self) -> u64 {
        HEADER_BYTES as u64 + self.blocks * BLOCK as u64
    }
}

impl RegionKind for Shape {
    const KIND: Kind = Kind::BloomFilter;
    const END: usize = word::END;

    fn check(header: &Header, _: Memory) -> Result<Shape> {
        let shape = Shape {
            blocks: header.double_word(word::BLOCKS),
            capacity: header.double_word(word::CAPACITY),
            rate: f64::from_bits(header.double_word(word::RATE)),
        };
        if shape.blocks == 0 || shape.blocks > MAX_BLOCKS {
            let (blocks, length) = (shape.blocks, header.length());
            return Err(Error::corrupt(format!(
                "a Bloom filter of {blocks} blocks cannot have {length} bytes"
            )));
        }
        Ok(shape)
    }

    fn length(&self) -> u64 {
        Shape::length(self)
    }
}

/// The most keys per block, on average, that keep the rate. It is found by bisection. Forty steps
/// are few enough that a different rounding in another language cannot change a decision.
fn keys_per_block(rate: f64) -> f64 {
    let (mut low, mut high) = (1e-9, 600.0);
    for _ in 0..40 {
        let middle = (low + high) / 2.0;
        if rate_of(middle) < rate { low = middle } else { high = middle }
    }
    low
}

/// The false-positive rate of a filter with this many keys per block.
fn rate_of(keys_per_block: f64) -> f64 {
    // An absent key may have the same 32 lane bits as a key in its block.
    let mut sum = keys_per_block / 4_294_967_296.0;
    // The number of keys in a block follows a Poisson distribution. Each key sets one of 64 bits in
    // each lane.
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
