//! Many queries in one call, and ranges.
//!
//! A query in a large structure waits for memory three times in a row: for the table of lines, for
//! the line, for the lower bits. Here a batch of them goes through each of these steps together,
//! having asked for the memory one step ahead, so that their waits overlap (Chen, Ailamaki,
//! Gibbons, Mowry: "Improving hash join performance through prefetching", 2004).

use super::layout::LINE_BITS;
use super::upper::Ones;
use super::{RawEliasFano, Words};
use crate::region::numbers::{CHUNK, Numbers, NumbersMut};
use crate::succinct::packed::unpack;
use crate::succinct::word::Portable;
use crate::{Error, Result};

impl RawEliasFano {
    /// The values at many indices. `Range`, with nothing written, for an index that is none, or
    /// values that do not fit `out`'s elements.
    pub fn get_many(&self, indices: &Numbers<'_>, out: &mut NumbersMut<'_>) -> Result<()> {
        self.check_output(out, indices.len(), 64 - self.shape.max.leading_zeros())?;
        let mut chunk = [0; CHUNK];
        let len = self.shape.len;
        for from in (0..indices.len()).step_by(CHUNK) {
            let chunk = indices.read(from, &mut chunk)?;
            if let Some(at) = chunk.iter().position(|&index| index >= len) {
                let (name, index, at) = (indices.name(), chunk[at], from + at);
                return Err(Error::range(format!("{name}[{at}] is {index}, where there are {len} values")));
            }
        }
        with_words!(words => self.get_many_with(words, indices, out))
    }

    #[inline(always)]
    fn get_many_with<W: Words>(
        &self,
        words: W,
        indices: &Numbers<'_>,
        out: &mut NumbersMut<'_>,
    ) -> Result<()> {
        let mut chunk = [0; CHUNK];
        for from in (0..indices.len()).step_by(CHUNK) {
            let count = indices.read(from, &mut chunk)?.len();
            self.at_batch_with(words, &mut chunk[..count]);
            out.write(from, &chunk[..count]);
        }
        Ok(())
    }

    /// [`RawEliasFano::rank`] of many values. `Range`, with nothing written, for one that is no
    /// integer from 0 on, or if the number of values does not fit `out`'s elements.
    pub fn rank_many(&self, values: &Numbers<'_>, out: &mut NumbersMut<'_>) -> Result<()> {
        self.check_output(out, values.len(), 64 - self.shape.len.leading_zeros())?;
        let mut chunk = [0; CHUNK];
        for from in (0..values.len()).step_by(CHUNK) {
            values.read(from, &mut chunk)?;
        }
        with_words!(words => self.rank_many_with(words, values, out))
    }

    #[inline(always)]
    fn rank_many_with<W: Words>(
        &self,
        words: W,
        values: &Numbers<'_>,
        out: &mut NumbersMut<'_>,
    ) -> Result<()> {
        let mut chunk = [0; CHUNK];
        for from in (0..values.len()).step_by(CHUNK) {
            let count = values.read(from, &mut chunk)?.len();
            self.rank_batch_with(words, &mut chunk[..count]);
            out.write(from, &chunk[..count]);
        }
        Ok(())
    }

    /// The values from index `from` on, as many as `out` has. `Range` if there are fewer, or they
    /// do not fit `out`'s elements.
    pub fn unpack(&self, from: u64, out: &mut NumbersMut<'_>) -> Result<()> {
        self.check_output(out, 0, 64 - self.shape.max.leading_zeros())?;
        let count = out.len();
        if from > self.shape.len || count as u64 > self.shape.len - from {
            let len = self.shape.len;
            return Err(Error::range(format!("{count} values from index {from} on: there are {len}")));
        }
        let mut iter = self.iter_from(from);
        let mut chunk = [0; CHUNK];
        for at in (0..count).step_by(CHUNK) {
            let size = CHUNK.min(count - at);
            iter.fill(&mut chunk[..size]);
            out.write(at, &chunk[..size]);
        }
        Ok(())
    }

    fn check_output(&self, out: &NumbersMut<'_>, count: usize, bits: u32) -> Result<()> {
        if out.len() < count {
            let room = out.len();
            return Err(Error::range(format!("out holds {room} elements where there are {count} queries")));
        }
        // What is a number in JavaScript is one there too.
        if out.hold(bits) {
            Ok(())
        } else {
            Err(Error::range(format!("answers of {bits} bits do not fit out")))
        }
    }

    /// The values in order.
    pub fn iter(&self) -> Iter<'_> {
        self.iter_from(0)
    }

    /// The values from an index on, in order.
    pub fn iter_from(&self, index: u64) -> Iter<'_> {
        let index = index.min(self.shape.len);
        let position = if index < self.shape.len { self.upper.select::<Ones, _>(Portable, index) } else { 0 };
        let (line, bit) = (position / LINE_BITS, position % LINE_BITS);
        let word = 1 + bit / 64;
        let ones = self.upper.word(line, word) & (u64::MAX << (bit % 64));
        Iter { values: self, index, line, word, ones, at: 0, ready: 0, chunk: [0; CHUNK] }
    }
}

/// Iterates over sorted integers, from one word of the upper bits to the next; decodes a chunk at a
/// time.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    values: &'a RawEliasFano,
    /// Of the first value that is not in the chunk.
    index: u64,
    line: u64,
    word: u64,
    /// The ones of that word that are still to come.
    ones: u64,
    /// Which part of the chunk is still to come.
    at: usize,
    ready: usize,
    chunk: [u64; CHUNK],
}

impl Iter<'_> {
    /// Decodes the next values. There are as many.
    fn fill(&mut self, out: &mut [u64]) {
        let RawEliasFano { low_bits, low, .. } = self.values;
        let low_bits = *low_bits;
        if low_bits > 0 {
            unpack::chunk(low, self.index, out);
        } else {
            out.fill(0);
        }
        with_words!(_words => self.fill_high(out));
    }

    /// Adds the upper bits to the lower ones.
    #[inline(always)]
    fn fill_high(&mut self, out: &mut [u64]) {
        let RawEliasFano { low_bits, upper, .. } = self.values;
        let low_bits = *low_bits;
        let mut slots = out.iter_mut();
        let (mut line, mut word, mut ones, mut index) = (self.line, self.word, self.ones, self.index);
        'done: loop {
            // A bit's position less the value's index is its upper part.
            let base = line * LINE_BITS + (word - 1) * 64;
            while ones != 0 {
                let Some(slot) = slots.next() else { break 'done };
                *slot |= base.wrapping_add(u64::from(ones.trailing_zeros())).wrapping_sub(index) << low_bits;
                ones &= ones - 1;
                index += 1;
            }
            if slots.len() == 0 {
                break;
            }
            word += 1;
            if word == 8 {
                // In damaged bytes there may be fewer ones than values.
                if line + 1 >= upper.lines() {
                    word = 7;
                    break;
                }
                (line, word) = (line + 1, 1);
            }
            ones = upper.word(line, word);
        }
        (self.line, self.word, self.ones, self.index) = (line, word, ones, index);
    }
}

impl Iterator for Iter<'_> {
    type Item = u64;

    #[inline]
    fn next(&mut self) -> Option<u64> {
        if self.at == self.ready {
            let count = (self.values.len() - self.index).min(CHUNK as u64) as usize;
            if count == 0 {
                return None;
            }
            let end = self.index + count as u64;
            let mut chunk = [0; CHUNK];
            self.fill(&mut chunk[..count]);
            (self.chunk, self.at, self.ready, self.index) = (chunk, 0, count, end);
        }
        self.at += 1;
        Some(self.chunk[self.at - 1])
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.values.len() - self.index + (self.ready - self.at) as u64;
        let rest = usize::try_from(rest).unwrap_or(usize::MAX);
        (rest, Some(rest))
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a RawEliasFano {
    type Item = u64;
    type IntoIter = Iter<'a>;
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
