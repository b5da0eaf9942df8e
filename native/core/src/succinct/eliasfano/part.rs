//! A sequence as a part of another structure's region: bits of which few are ones, say, by the
//! positions of the ones.
//!
//! | what | with |
//! | --- | --- |
//! | where its sections lie, from an offset on | [`Shape::layout_at`]: `length` is where what follows may begin |
//! | writing it | [`Writer`]: `new`, `push` each value, `finish` |
//! | the view | [`RawEliasFano::within`] |
//! | the k-th one, of few ones | `at(k)`, or [`RawEliasFano::at_batch`] |
//! | ones before a position | `rank(position)`, or [`RawEliasFano::rank_batch`] |
//! | whether a position is one | [`RawEliasFano::contains`] |
//! | the k-th zero, of few ones | [`RawEliasFano::missing`]: the k-th integer that is no value |
//! | proving it | [`RawEliasFano::prove`] |
//!
//! A shape is two numbers, so a header that holds them, and a length that agrees with the layout,
//! are all there is to check before `within`: see [`Shape::check`]. For bits of which few are zeros
//! it stores the positions of the zeros, and the questions change places.

#[cfg(doc)]
use super::fill::Writer;
use super::layout::Shape;
use super::upper::{Ones, Upper, Zeros};
use super::{Bucket, RawEliasFano, Words};
use crate::cpu::prefetch;
use crate::region::memory::Memory;
use crate::succinct::packed::Fields;

/// Queries under way at once. Measured: 16 is too few to hide memory, 64 no better than 32.
const BATCH: usize = 32;

/// How often the search for a missing integer goes by the average before it halves.
const GUESSES: u32 = 4;

impl RawEliasFano {
    /// A view of the sequence that begins at an offset of `memory`, a multiple of 64.
    ///
    /// # Safety
    /// The shape was checked ([`Shape::check`]) and its [`Shape::layout_at`] lies within the
    /// memory.
    #[inline]
    pub(crate) unsafe fn within(memory: Memory, offset: u64, shape: Shape) -> RawEliasFano {
        let layout = shape.layout_at(offset);
        debug_assert!(layout.length <= memory.len() as u64);
        let (low_bits, upper) = (layout.low_bits, Upper::new(memory, shape.len, &layout));
        // SAFETY: the section lies within the memory, by the caller's word.
        let low = unsafe { Fields::new(memory.at(layout.low as usize), low_bits.max(1), shape.len) };
        RawEliasFano { upper, low, low_bits, shape, layout, memory }
    }

    /// Whether some value is this one.
    #[inline]
    #[must_use]
    pub fn contains(&self, value: u64) -> bool {
        matches!(self.next_geq(value), Some((_, next)) if next == value)
    }

    /// The k-th integer from 0 on, counted from 0, that is no value. The sequence must have no
    /// duplicates: else, and in damaged bytes, it is some number.
    ///
    /// In which bucket it is (the integers with the same upper bits) the counts of a line tell,
    /// which is guessed by how many are missing on the average. Where that is not it, as values
    /// cluster, it is guessed from there, and then halved: the logarithm of the number of buckets
    /// bounds how often.
    #[inline]
    #[must_use]
    pub fn missing(&self, k: u64) -> u64 {
        let Shape { len, max } = self.shape;
        if len == 0 || k.saturating_add(len) > max {
            // Behind the last value.
            return k.saturating_add(len);
        }
        with_words!(words => self.missing_with(words, k))
    }

    #[inline(always)]
    fn missing_with<W: Words>(&self, words: W, k: u64) -> u64 {
        let RawEliasFano { low_bits, shape, layout, .. } = *self;
        let last = layout.zeros - 1;
        // There are at most `k` missing before this bucket, and more than `k` before the one after
        // that.
        let (mut from, mut to) = ((k >> low_bits).min(last), ((k + shape.len) >> low_bits).min(last));
        let each = ((shape.max - shape.len) as f64 + 1.0) / layout.zeros as f64;
        let mut guess = self.upper.bucket_near(words, low_bits, k);
        let mut guesses = 0;
        loop {
            let high = guess.clamp(from, to);
            let Bucket { index, run, .. } = self.bucket(words, high);
            let before = (high << low_bits).wrapping_sub(index);
            let after = ((high + 1) << low_bits).wrapping_sub(index + run);
            if k < before && high > from {
                to = high - 1;
            } else if k >= after && high < to {
                from = high + 1;
            } else {
                let rest = k.wrapping_sub(before);
                return (high << low_bits).wrapping_add(rest).wrapping_add(self.passed(index, run, rest));
            }
            guesses += 1;
            guess = if guesses < GUESSES {
                let off = (k.wrapping_sub(before) as i64 as f64 / each) as i64;
                high.saturating_add_signed(off)
            } else {
                from.midpoint(to)
            };
        }
    }

    /// How many of the values of a bucket come before the missing integer number `rest` of it.
    #[inline(always)]
    fn passed(&self, index: u64, run: u64, rest: u64) -> u64 {
        // Value j of the bucket has `low - j` missing ones before it, which ascends.
        let (mut from, mut to) = (0, run);
        while from < to {
            let middle = from.midpoint(to);
            if self.low(index + middle).saturating_sub(middle) <= rest {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    }

    /// [`RawEliasFano::at`] of each index, in place: their waits for memory overlap. An index past
    /// the end gives the largest value.
    pub fn at_batch(&self, indices: &mut [u64]) {
        if self.shape.len > 0 {
            with_words!(words => self.at_batch_with(words, indices));
        }
    }

    #[inline(always)]
    pub(super) fn at_batch_with<W: Words>(&self, words: W, indices: &mut [u64]) {
        for batch in indices.chunks_mut(BATCH) {
            for index in batch.iter_mut() {
                // Whoever checked them may have read them from memory that changes.
                *index = (*index).min(self.shape.len - 1);
                self.upper.prefetch_hint::<Ones>(*index);
                prefetch(self.low.address(*index));
            }
            batch.iter().for_each(|&index| self.upper.prefetch_line::<Ones>(index));
            batch.iter_mut().for_each(|index| *index = self.at_with(words, *index));
        }
    }

    /// [`RawEliasFano::rank`] of each value, in place.
    pub fn rank_batch(&self, values: &mut [u64]) {
        with_words!(words => self.rank_batch_with(words, values));
    }

    #[inline(always)]
    pub(super) fn rank_batch_with<W: Words>(&self, words: W, values: &mut [u64]) {
        let zero = |value: u64| (value.min(self.shape.max) >> self.low_bits).saturating_sub(1);
        for batch in values.chunks_mut(BATCH) {
            batch.iter().for_each(|&value| self.upper.prefetch_hint::<Zeros>(zero(value)));
            batch.iter().for_each(|&value| self.upper.prefetch_line::<Zeros>(zero(value)));
            for value in batch.iter_mut() {
                let past = self.shape.len == 0 || *value > self.shape.max;
                *value = if past { self.shape.len } else { self.find(words, *value).0 };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fill::Writer;
    use super::*;

    /// A part of `values` between other things, which stay as they were.
    fn within(values: &[u64], test: impl FnOnce(&RawEliasFano)) {
        let shape = Shape { len: values.len() as u64, max: values.last().copied().unwrap_or(0) };
        let layout = shape.layout_at(192);
        let mut words = vec![u64::MAX; layout.length as usize / 8 + 8];
        // SAFETY: the memory is ours, and longer than the layout.
        unsafe {
            let memory = Memory::new(words.as_mut_ptr().cast(), words.len() * 8).unwrap();
            let mut writer = Writer::new(memory, shape, layout);
            values.iter().for_each(|&value| writer.push(value));
            writer.finish();
            let part = RawEliasFano::within(memory, 192, shape);
            part.prove().unwrap();
            test(&part);
        }
        let (before, rest) = words.split_at(24);
        let behind = &rest[rest.len() - 8..];
        assert!(before.iter().chain(behind).all(|&word| word == u64::MAX));
    }

    fn compare(values: &[u64]) {
        within(values, |part| {
            let end = values.last().map_or(5, |max| max + 5);
            let step = (end / 4000).max(1);
            for value in (0..end).step_by(step as usize) {
                assert_eq!(part.contains(value), values.binary_search(&value).is_ok(), "{value}");
            }
            let mut indices: Vec<u64> = (0..values.len() as u64).rev().collect();
            part.at_batch(&mut indices);
            assert!(indices.iter().rev().eq(values));
            let mut asked: Vec<u64> = (0..end).step_by(step as usize).collect();
            let ranks: Vec<u64> =
                asked.iter().map(|&value| values.partition_point(|&other| other < value) as u64).collect();
            part.rank_batch(&mut asked);
            assert_eq!(asked, ranks);
            // The k-th missing one has k missing before it, and is missing.
            let count = end - values.len() as u64;
            for k in (0..count).step_by(step as usize).chain([count - 1, 1 << 60]) {
                let found = part.missing(k);
                let rank = values.partition_point(|&other| other < found) as u64;
                assert_eq!(found - rank, k);
                assert!(values.binary_search(&found).is_err(), "{k}: {found}");
            }
        });
    }

    #[test]
    fn few_ones_of_any_pattern() {
        let every = |step: u64, count: u64| (0..count).map(move |i| i * step);
        compare(&[]);
        compare(&[0]);
        compare(&[1]);
        compare(&[1 << 40]);
        compare(&every(1, 3000).collect::<Vec<_>>());
        compare(&every(2, 3000).collect::<Vec<_>>());
        compare(&every(100, 5000).collect::<Vec<_>>());
        compare(&every(100, 5000).map(|i| i + i % 91).collect::<Vec<_>>());
        // Clusters, at the beginning, at the end, and with wide spaces.
        compare(&every(1, 4000).chain([1 << 40]).collect::<Vec<_>>());
        compare(&[0].into_iter().chain(every(1, 4000).map(|i| (1 << 30) + i)).collect::<Vec<_>>());
        compare(&every(1, 9000).map(|i| i + i / 1000 * (1 << 33)).collect::<Vec<_>>());
        compare(&every(1, 300).map(|i| i * i * i).collect::<Vec<_>>());
    }

    #[test]
    fn integers_of_all_64_bits() {
        within(&[3, 1 << 63, u64::MAX - 1, u64::MAX], |part| {
            for (k, found) in
                [(0, 0), (2, 2), (3, 4), ((1 << 63) - 2, (1 << 63) - 1), ((1 << 63) - 1, (1 << 63) + 1)]
            {
                assert_eq!(part.missing(k), found);
            }
            assert_eq!(part.missing(u64::MAX - 4), u64::MAX - 2);
            assert!(part.contains(u64::MAX) && !part.contains(5));
        });
    }

    #[test]
    fn duplicates_and_indices_that_are_none_harm_nothing() {
        within(&[5; 2000], |part| (0..20).for_each(|k| assert!(part.missing(k) <= 2020)));
        within(&[4, 9], |part| {
            let mut indices = [u64::MAX, 2, 1, 0];
            part.at_batch(&mut indices);
            assert_eq!(indices, [9, 9, 9, 4]);
        });
        within(&[], |part| part.at_batch(&mut [0, 7]));
    }
}
