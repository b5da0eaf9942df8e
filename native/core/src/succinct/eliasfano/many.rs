//! Batched queries, and ranges.
//!
//! A query in a large structure waits for memory three times in a row: for the table of lines, for
//! the line, and for the lower bits. Here a batch of queries goes through each of these steps
//! together, and prefetches the memory of the next step, so that the cache misses overlap (Chen,
//! Ailamaki, Gibbons and Mowry, "Improving hash join performance through prefetching", 2004).

use super::layout::LINE_BITS;
use super::upper::Ones;
use super::{RawEliasFano, Words};
use crate::region::numbers::{CHUNK, Numbers, NumbersMut};
use crate::succinct::packed::unpack;
use crate::succinct::word::Portable;
use crate::{Error, Result};

impl RawEliasFano {
    /// The values at many indices. `Range`, with nothing written, if an index is invalid or the
    /// values do not fit the elements of `out`.
    pub fn get_many(&self, indices: &Numbers<'_>, out: &mut NumbersMut<'_>) -> Result<()> {
        self.check_output(out, indices.len(), 64 - self.shape.max.leading_zeros())?;
        let mut chunk = [0; CHUNK];
        let len = self.shape.len;
        for from in (0..indices.len()).step_by(CHUNK) {
            let chunk = indices.read(from, &mut chunk)?;
            if let Some(at) = chunk.iter().position(|&index| index >= len) {
                let (name, index, at) = (indices.name(), chunk[at], from + at);
                return Err(Error::range(format!(
                    "index out of range: {name}[{at}] is {index}, of {len} values"
                )));
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

    /// [`RawEliasFano::rank`] of many values. `Range`, with nothing written, if a value is not an
    /// integer from 0 on, or if the number of values does not fit the elements of `out`.
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

    /// The values from index `from` on, as many as `out` has room for. `Range` if there are fewer,
    /// or if they do not fit the elements of `out`.
    pub fn unpack(&self, from: u64, out: &mut NumbersMut<'_>) -> Result<()> {
        self.check_output(out, 0, 64 - self.shape.max.leading_zeros())?;
        let count = out.len();
        if from > self.shape.len || count as u64 > self.shape.len - from {
            let len = self.shape.len;
            return Err(Error::range(format!(
                "cannot read {count} values from index {from} on: there are {len}"
            )));
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
            return Err(Error::range(format!("out has {room} elements, but there are {count} queries")));
        }
        // Results that are numbers in JavaScript must be representable as numbers there.
        if out.hold(bits) {
            Ok(())
        } else {
            Err(Error::range(format!("results of {bits} bits do not fit the elements of out")))
        }
    }

    /// Iterates over the values in order.
    pub fn iter(&self) -> Iter<'_> {
        self.iter_from(0)
    }

    /// Iterates over the values from an index on, in order.
    pub fn iter_from(&self, index: u64) -> Iter<'_> {
        let index = index.min(self.shape.len);
        let position = if index < self.shape.len { self.upper.select::<Ones, _>(Portable, index) } else { 0 };
        let (line, bit) = (position / LINE_BITS, position % LINE_BITS);
        let word = 1 + bit / 64;
        let ones = self.upper.word(line, word) & (u64::MAX << (bit % 64));
        Iter { values: self, index, line, word, ones, at: 0, ready: 0, chunk: [0; CHUNK] }
    }
}

/// Iterates over sorted integers. It advances from one word of the upper bits to the next, and
/// decodes one chunk at a time.
#[derive(Clone, Debug)]
pub struct Iter<'a> {
    values: &'a RawEliasFano,
    /// The index of the first value that is not in the chunk.
    index: u64,
    line: u64,
    word: u64,
    /// The remaining ones of that word.
    ones: u64,
    /// The remaining part of the chunk.
    at: usize,
    ready: usize,
    chunk: [u64; CHUNK],
}

impl Iter<'_> {
    /// Decodes the next values, which must exist.
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

    /// Adds the upper bits to the lower bits.
    #[inline(always)]
    fn fill_high(&mut self, out: &mut [u64]) {
        let RawEliasFano { low_bits, upper, .. } = self.values;
        let low_bits = *low_bits;
        let mut slots = out.iter_mut();
        let (mut line, mut word, mut ones, mut index) = (self.line, self.word, self.ones, self.index);
        'done: loop {
            // The upper part is the bit's position minus the value's index.
            let base = line * LINE_BITS + (word - 1) * 64;
            while ones != 0 {
                let Some(slot) = slots.next() else { break 'done };
                let high = base.wrapping_add(u64::from(ones.trailing_zeros())).wrapping_sub(index);
                *slot |= high << low_bits;
                ones &= ones - 1;
                index += 1;
            }
            if slots.len() == 0 {
                break;
            }
            word += 1;
            if word == 8 {
                // Corrupt bytes may have fewer ones than values.
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
