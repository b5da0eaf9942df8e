//! The full check of a region's contents.

use super::RawEliasFano;
use super::layout::{LINE_BITS, STEP, Shape, hints};
use super::upper::Counts;
use crate::region::attach::RegionKind;
use crate::succinct::packed::validate::zero_from;
use crate::{Error, Result};

/// Checks a region's contents: checksum (if it has one), reserved words, counts, tables, and that
/// the values ascend up to the largest. O(bytes).
///
/// # Safety
/// As for [`RawEliasFano::attach`].
pub unsafe fn validate(base: *const u8, len: usize) -> Result<()> {
    // SAFETY: the caller guarantees that `len` bytes at `base` are readable.
    let values = unsafe { RawEliasFano::attach(base, len) }?;
    Shape::verify(values.memory())?;
    values.prove()
}

impl RawEliasFano {
    /// Checks the sections: counts, tables, order, and that unused bits are zero. `Corrupt` names
    /// the first defect. O(bytes).
    pub(crate) fn prove(&self) -> Result<()> {
        upper(self)?;
        lower(self)
    }
}

/// Checks the lower bits, the bytes between the sections, and the order of the values.
fn lower(values: &RawEliasFano) -> Result<()> {
    let RawEliasFano { shape, layout, memory, .. } = *values;
    let gaps = [
        (layout.ones + hints(shape.len) * 4, layout.zero_lines),
        (layout.zero_lines + hints(layout.zeros) * 4, layout.low),
    ];
    // SAFETY: the gaps are within the checked layout, and consist of whole words of 4 bytes.
    let stray =
        |(from, to): (u64, u64)| unsafe { (from..to).step_by(4).any(|at| memory.load_u32(at as usize) != 0) };
    let (bits, bytes) = (shape.len * u64::from(layout.low_bits), (layout.length - layout.low) as usize);
    // SAFETY: the section is within the region.
    let clean = unsafe { zero_from(memory.at(layout.low as usize), bits, bytes) };
    if !clean || gaps.into_iter().any(stray) {
        return Err(Error::corrupt("an unused bit is set"));
    }
    let mut last = 0;
    for (index, value) in values.iter().enumerate() {
        if value < last || value > shape.max {
            return Err(Error::corrupt(format!("the value at index {index}, {value}, is out of order")));
        }
        last = value;
    }
    if last == shape.max { Ok(()) } else { Err(Error::corrupt("the last value is not the largest")) }
}

/// Checks that there are as many ones as values, that the bits after the last are zero, that the
/// counts are right, and that the tables contain the right lines.
fn upper(values: &RawEliasFano) -> Result<()> {
    let RawEliasFano { upper, shape, layout, memory, .. } = *values;
    let mut before = 0;
    let mut tables = [(layout.ones, 0u64, shape.len), (layout.zero_lines, 0, layout.zeros)];
    for line in 0..layout.lines {
        let words: [u64; 8] = std::array::from_fn(|word| upper.word(line, word as u64));
        let [counts, bits @ ..] = words;
        if before > shape.len || counts != Counts::new(before, bits).to_word() {
            return Err(Error::corrupt(format!("the counts of line {line} are wrong")));
        }
        before += bits.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
        let reached = [before, ((line + 1) * LINE_BITS).saturating_sub(before)];
        for ((table, next, count), reached) in tables.iter_mut().zip(reached) {
            while *next * STEP < reached.min(*count) {
                check_hint(memory, *table, *next, line)?;
                *next += 1;
            }
        }
    }
    if before != shape.len {
        return Err(Error::corrupt(format!("there are {before} ones for {} values", shape.len)));
    }
    for (table, next, _) in tables {
        check_hint(memory, table, next, layout.lines - 1)?;
    }
    Ok(())
}

fn check_hint(memory: crate::region::memory::Memory, table: u64, entry: u64, line: u64) -> Result<()> {
    // SAFETY: the layout has an entry for every 256 bits, and one more.
    if u64::from(unsafe { memory.load_u32((table + entry * 4) as usize) }) == line {
        return Ok(());
    }
    Err(Error::corrupt(format!("entry {entry} of a table of lines is wrong")))
}
