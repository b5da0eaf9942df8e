//! A sequence as a part of another structure's region, for example for bits with few ones, by the
//! positions of the ones.
//!
//! | task | function |
//! | --- | --- |
//! | the offsets of its sections, from a given offset on | [`Shape::layout_at`]; the next part may begin at `length` |
//! | writing it | [`Writer`]: `new`, `push` for each value, `finish` |
//! | the view | [`RawEliasFano::within`] |
//! | the k-th one, of few ones | `at(k)`, or [`RawEliasFano::at_batch`] |
//! | ones before a position | `rank(position)`, or [`RawEliasFano::rank_batch`] |
//! | whether a position is one | [`RawEliasFano::contains`] |
//! | the k-th zero, of few ones | [`RawEliasFano::missing`]: the k-th integer that is not a value |
//! | checking it | [`RawEliasFano::prove`] |
//!
//! A shape consists of two numbers. Before `within`, only a header with these numbers and a length
//! that agrees with the layout have to be checked: see [`Shape::check`]. For bits with few zeros,
//! the sequence stores the positions of the zeros, and the two kinds of queries are exchanged.

#[cfg(doc)]
use super::fill::Writer;
use super::layout::Shape;
use super::upper::{Ones, Upper, Zeros};
use super::{Bucket, RawEliasFano, Words};
use crate::cpu::prefetch;
use crate::region::memory::Memory;
use crate::succinct::packed::Fields;

/// Concurrent queries. Measured: 16 are too few to hide memory latency, and 64 are no better than
/// 32.
const BATCH: usize = 32;

/// The number of interpolation steps in the search for a missing integer, before it bisects.
const GUESSES: u32 = 4;

impl RawEliasFano {
    /// A view of the sequence that begins at an offset of `memory`, a multiple of 64.
    ///
    /// # Safety
    /// The shape was checked ([`Shape::check`]), and its [`Shape::layout_at`] is within the memory.
    #[inline]
    pub(crate) unsafe fn within(memory: Memory, offset: u64, shape: Shape) -> RawEliasFano {
        let layout = shape.layout_at(offset);
        debug_assert!(layout.length <= memory.len() as u64);
        let (low_bits, upper) = (layout.low_bits, Upper::new(memory, shape.len, &layout));
        // SAFETY: the section is within the memory, as guaranteed by the caller.
        let low = unsafe { Fields::new(memory.at(layout.low as usize), low_bits.max(1), shape.len) };
        RawEliasFano { upper, low, low_bits, shape, layout, memory }
    }

    /// Whether the sequence contains a value.
    #[inline]
    #[must_use]
    pub fn contains(&self, value: u64) -> bool {
        matches!(self.next_geq(value), Some((_, next)) if next == value)
    }

    /// The k-th integer from 0 on, counted from 0, that is not in the sequence. The result is
    /// unspecified if the sequence has duplicates, and in corrupt bytes.
    ///
    /// The counts of the lines determine its bucket (the integers with the same upper bits). The
    /// search begins at the line that the average density suggests. If values cluster and it is not
    /// there, the search interpolates again, and then bisects, so the number of steps is limited by
    /// the logarithm of the number of buckets.
    #[inline]
    #[must_use]
    pub fn missing(&self, k: u64) -> u64 {
        let Shape { len, max } = self.shape;
        if len == 0 || k.saturating_add(len) > max {
            // The result is past the last value.
            return k.saturating_add(len);
        }
        with_words!(words => self.missing_with(words, k))
    }

    #[inline(always)]
    fn missing_with<W: Words>(&self, words: W, k: u64) -> u64 {
        let RawEliasFano { low_bits, shape, layout, .. } = *self;
        let last = layout.zeros - 1;
        // At most `k` integers are missing before this bucket, and more than `k` before the bucket
        // after the next.
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

    /// The number of values of a bucket that precede its missing integer number `rest`.
    #[inline(always)]
    fn passed(&self, index: u64, run: u64, rest: u64) -> u64 {
        // Value j of the bucket has `low - j` missing integers before it, which ascends with j.
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

    /// [`RawEliasFano::at`] of each index, in place. The cache misses overlap. An index past the
    /// end gives the largest value.
    pub fn at_batch(&self, indices: &mut [u64]) {
        if self.shape.len > 0 {
            with_words!(words => self.at_batch_with(words, indices));
        }
    }

    #[inline(always)]
    pub(super) fn at_batch_with<W: Words>(&self, words: W, indices: &mut [u64]) {
        for batch in indices.chunks_mut(BATCH) {
            for index in batch.iter_mut() {
                // The indices may have been checked in memory that other threads change.
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

    /// Builds `values` as a part between other bytes, which must not change.
    fn within(values: &[u64], test: impl FnOnce(&RawEliasFano)) {
        let shape = Shape { len: values.len() as u64, max: values.last().copied().unwrap_or(0) };
        let layout = shape.layout_at(192);
        let mut words = vec![u64::MAX; layout.length as usize / 8 + 8];
        // SAFETY: the test owns the memory, which is longer than the layout.
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
        let after = &rest[rest.len() - 8..];
        assert!(before.iter().chain(after).all(|&word| word == u64::MAX));
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
            // The k-th missing integer has k missing integers before it, and is not a value.
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
    fn agrees_for_few_ones_of_any_pattern() {
        let every = |step: u64, count: u64| (0..count).map(move |i| i * step);
        compare(&[]);
        compare(&[0]);
        compare(&[1]);
        compare(&[1 << 40]);
        compare(&every(1, 3000).collect::<Vec<_>>());
        compare(&every(2, 3000).collect::<Vec<_>>());
        compare(&every(100, 5000).collect::<Vec<_>>());
        compare(&every(100, 5000).map(|i| i + i % 91).collect::<Vec<_>>());
        // Clusters at the beginning and at the end, with wide gaps.
        compare(&every(1, 4000).chain([1 << 40]).collect::<Vec<_>>());
        compare(&[0].into_iter().chain(every(1, 4000).map(|i| (1 << 30) + i)).collect::<Vec<_>>());
        compare(&every(1, 9000).map(|i| i + i / 1000 * (1 << 33)).collect::<Vec<_>>());
        compare(&every(1, 300).map(|i| i * i * i).collect::<Vec<_>>());
    }

    #[test]
    fn supports_integers_of_all_64_bits() {
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
    fn duplicates_and_invalid_indices_are_harmless() {
        within(&[5; 2000], |part| (0..20).for_each(|k| assert!(part.missing(k) <= 2020)));
        within(&[4, 9], |part| {
            let mut indices = [u64::MAX, 2, 1, 0];
            part.at_batch(&mut indices);
            assert_eq!(indices, [9, 9, 9, 4]);
        });
        within(&[], |part| part.at_batch(&mut [0, 7]));
    }
}
