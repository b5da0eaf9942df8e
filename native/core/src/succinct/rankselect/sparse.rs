//! Few ones or few zeros: only their positions, as an Elias-Fano sequence (Okanohara and Sadakane,
//! "Practical entropy-compressed rank/select dictionary", 2007, which calls it sdarray). Space:
//! about 2.7 + log2(n / m) bits for each of m positions among n bits.
//!
//! The counts determine which of the two are stored. Queries about the stored kind are queries of
//! the sequence; the k-th of the other kind is the k-th integer that is not in it.

use super::layout::Shape;
use crate::region::header::HEADER_BYTES;
use crate::region::memory::Memory;
use crate::succinct::bitvector::RawBits;
use crate::succinct::eliasfano::RawEliasFano;
use crate::succinct::eliasfano::fill::Writer;
use crate::succinct::runs::generic::word;
use crate::{Error, Result};
use std::sync::atomic::Ordering::Relaxed;

/// A view of the sparse variant, whose shape was checked.
#[derive(Debug)]
pub(super) struct Sparse {
    positions: RawEliasFano,
    /// Whether the positions are those of zeros.
    zeros: bool,
    /// The number of bits.
    length: u64,
}

impl Sparse {
    /// The shape's layout must be within the memory.
    pub(super) fn new(memory: Memory, shape: &Shape) -> Sparse {
        // SAFETY: the layout is within the memory, as guaranteed by the caller, and is computed
        // from checked counts only.
        let positions = unsafe { RawEliasFano::within(memory, HEADER_BYTES as u64, shape.positions()) };
        Sparse { positions, zeros: shape.stores_zeros(), length: shape.length }
    }

    /// Whether a bit is set; the position is below the length.
    pub(super) fn get(&self, position: u64) -> bool {
        self.positions.contains(position) != self.zeros
    }

    /// The number of ones before a position, which is at most the length.
    pub(super) fn rank(&self, position: u64) -> u64 {
        let rank = self.positions.rank(position);
        if self.zeros { position.wrapping_sub(rank) } else { rank }
    }

    /// The position of the `k`-th one (or zero). There are more than `k`.
    pub(super) fn select<const ZEROS: bool>(&self, k: u64) -> u64 {
        let found =
            if ZEROS == self.zeros { self.positions.at(k).unwrap_or(0) } else { self.positions.missing(k) };
        // The result exceeds the length only in corrupt bytes.
        found.min(self.length)
    }

    /// Many ranks. All positions are at most the length.
    pub(super) fn rank_many(&self, positions: &[u64], out: &mut [u64]) {
        out.copy_from_slice(positions);
        self.positions.rank_batch(out);
        if self.zeros {
            out.iter_mut().zip(positions).for_each(|(rank, at)| *rank = at.wrapping_sub(*rank));
        }
    }

    /// Many selects. There are more ones (or zeros) than each of `ks`.
    pub(super) fn select_many<const ZEROS: bool>(&self, ks: &[u64], out: &mut [u64]) {
        if ZEROS == self.zeros {
            out.copy_from_slice(ks);
            self.positions.at_batch(out);
            out.iter_mut().for_each(|found| *found = (*found).min(self.length));
        } else {
            out.iter_mut().zip(ks).for_each(|(found, &k)| *found = self.select::<ZEROS>(k));
        }
    }

    /// The full check: the sequence, and that no position occurs twice.
    pub(super) fn check(&self) -> Result<()> {
        self.positions.prove()?;
        let mut before = None;
        for position in self.positions.iter() {
            if before == Some(position) {
                return Err(Error::corrupt(format!("position {position} occurs twice")));
            }
            before = Some(position);
        }
        Ok(())
    }
}

/// Stores the positions, and returns the number of ones. The number differs from the shape's if the
/// bits do not match the shape.
///
/// # Safety
/// The shape's layout is within the memory, which no other thread uses. The number of bits is that
/// of the shape.
pub(super) unsafe fn build(memory: Memory, shape: &Shape, bits: &RawBits) -> u64 {
    let positions = shape.positions();
    let wrong = u64::MAX;
    let flip = if shape.stores_zeros() { u64::MAX } else { 0 };
    let mut count = 0;
    // SAFETY: the preconditions are guaranteed by the caller. Positions ascend, and are compared
    // with the shape before they are pushed.
    unsafe {
        let mut writer = Writer::new(memory, positions, positions.layout_at(HEADER_BYTES as u64));
        for index in 0..shape.length.div_ceil(64) {
            let mut left = word(bits.words(), index as usize).load(Relaxed) ^ flip;
            let end = shape.length - index * 64;
            if end < 64 {
                left &= (1 << end) - 1;
            }
            while left != 0 {
                let position = index * 64 + u64::from(left.trailing_zeros());
                if count == positions.len || position > positions.max {
                    return wrong;
                }
                writer.push(position);
                count += 1;
                left &= left - 1;
            }
        }
        if count != positions.len {
            return wrong;
        }
        writer.finish();
    }
    shape.ones
}
