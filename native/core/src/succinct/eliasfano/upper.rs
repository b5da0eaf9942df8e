//! The upper bits: a bit vector of n ones and at most 2n zeros, with select for both.
//!
//! Counts share a cache line with the bits they count: 64 bits of counts, then 448 bits of the
//! sequence in seven words. So once the line is known, one cache miss is enough. Two tables give
//! the line of every 256th one, and of every 256th zero. A line has about 200 of each, so there are
//! seldom more than two lines between two entries, and the search begins at the likely one. If
//! values cluster, there can be many lines, and the search bisects. So a select never takes more
//! than the logarithm of the number of lines.
//!
//! Counts and bits in one line are from Gog and Petri, "Optimized succinct data structures for
//! massive data", 2014; the table of samples is from Vigna, "Broadword implementation of
//! rank/select queries", 2008.

use super::layout::{LINE_BITS, LINE_BYTES, Layout, STEP};
use crate::cpu::prefetch;
use crate::region::memory::Memory;
use crate::succinct::word::Words;
use std::hint::select_unpredictable;

/// The number of interpolation steps from line to line in [`Upper::bucket_near`].
const LINE_GUESSES: u32 = 6;

/// The counts in a line's first word: the ones before the line, in 38 bits, and the ones in its
/// first two, four and six words.
#[derive(Clone, Copy)]
pub(super) struct Counts(u64);

const BEFORE: u64 = (1 << 38) - 1;

impl Counts {
    pub(super) fn new(before: u64, words: [u64; 7]) -> Counts {
        let ones = words.map(u64::count_ones).map(u64::from);
        let two = ones[0] + ones[1];
        let four = two + ones[2] + ones[3];
        let six = four + ones[4] + ones[5];
        Counts(before | two << 38 | four << 46 | six << 55)
    }

    pub(super) fn to_word(self) -> u64 {
        self.0
    }

    #[inline(always)]
    fn before(self) -> u64 {
        self.0 & BEFORE
    }

    /// The number of ones in the first `2 * pair` words of the line.
    #[inline(always)]
    fn within(self, pair: u64) -> u64 {
        // Each count has 16 bits. A shift takes fewer cycles than a table.
        let pairs = (self.0 >> 38 & 0xFF) << 16 | (self.0 >> 46 & 0x1FF) << 32 | self.0 >> 55 << 48;
        pairs >> (pair * 16) & 0xFFFF
    }
}

/// The kind of bits to find: ones, or zeros as the ones of the complement.
pub(super) trait Target {
    /// The offset of the table of their lines, and its number of entries.
    fn hints(upper: &Upper) -> (usize, u64);
    /// The number of such bits before a line.
    fn before(counts: Counts, line: u64) -> u64;
    /// The number of such bits in the first `2 * pair` words of a line, given the number of `ones`
    /// there.
    fn within(ones: u64, pair: u64) -> u64;
    fn word(word: u64) -> u64;
}

pub(super) struct Ones;
pub(super) struct Zeros;

impl Target for Ones {
    #[inline(always)]
    fn hints(upper: &Upper) -> (usize, u64) {
        (upper.ones, upper.len)
    }
    #[inline(always)]
    fn before(counts: Counts, _: u64) -> u64 {
        counts.before()
    }
    #[inline(always)]
    fn within(ones: u64, _: u64) -> u64 {
        ones
    }
    #[inline(always)]
    fn word(word: u64) -> u64 {
        word
    }
}

impl Target for Zeros {
    #[inline(always)]
    fn hints(upper: &Upper) -> (usize, u64) {
        (upper.zero_lines, upper.zeros)
    }
    #[inline(always)]
    fn before(counts: Counts, line: u64) -> u64 {
        (line * LINE_BITS).wrapping_sub(counts.before())
    }
    #[inline(always)]
    fn within(ones: u64, pair: u64) -> u64 {
        (pair * 128).wrapping_sub(ones)
    }
    #[inline(always)]
    fn word(word: u64) -> u64 {
        !word
    }
}

/// A view of the upper bits of a checked region.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upper {
    memory: Memory,
    first: usize,
    lines: u64,
    ones: usize,
    zero_lines: usize,
    len: u64,
    zeros: u64,
}

impl Upper {
    pub(super) fn new(memory: Memory, len: u64, layout: &Layout) -> Upper {
        Upper {
            memory,
            first: layout.upper as usize,
            lines: layout.lines,
            ones: layout.ones as usize,
            zero_lines: layout.zero_lines as usize,
            len,
            zeros: layout.zeros,
        }
    }

    /// The number of bits in the lines, including those after the last zero.
    #[inline(always)]
    pub(super) fn bits(&self) -> u64 {
        self.lines * LINE_BITS
    }

    #[inline(always)]
    pub(super) fn lines(&self) -> u64 {
        self.lines
    }

    /// Word 0 to 7 of a line: first its counts, then its bits.
    #[inline(always)]
    pub(super) fn word(&self, line: u64, word: u64) -> u64 {
        debug_assert!(line < self.lines && word < 8);
        // SAFETY: the line is within the checked layout.
        unsafe { self.memory.load_u64(self.first + line as usize * LINE_BYTES + word as usize * 8) }
    }

    #[inline(always)]
    fn counts(&self, line: u64) -> Counts {
        Counts(self.word(line, 0))
    }

    /// The range of lines that contains the k-th bit, according to the table. The result is ordered
    /// and within the lines, whatever the table contains.
    #[inline(always)]
    fn between<T: Target>(&self, k: u64) -> (u64, u64) {
        let (table, count) = T::hints(self);
        debug_assert!(k < count);
        let at = table + (k / STEP) as usize * 4;
        // SAFETY: the checked layout has an entry for every 256th of the bits, and one more.
        let (low, high) = unsafe { (self.memory.load_u32(at), self.memory.load_u32(at + 4)) };
        let last = self.lines - 1;
        let low = u64::from(low).min(last);
        (low, u64::from(high).min(last).max(low))
    }

    /// The line that probably contains the k-th bit.
    #[inline(always)]
    fn guess(k: u64, low: u64, high: u64) -> u64 {
        low + ((high - low) * (k % STEP) + STEP / 2) / STEP
    }

    /// Prefetches the table entry that the search for bit k reads.
    #[inline(always)]
    pub(super) fn prefetch_hint<T: Target>(&self, k: u64) {
        let (table, _) = T::hints(self);
        prefetch(self.memory.base().wrapping_add(table + (k / STEP) as usize * 4));
    }

    /// Prefetches the line that probably contains bit k. `k` is below the number of such bits.
    #[inline(always)]
    pub(super) fn prefetch_line<T: Target>(&self, k: u64) {
        let (low, high) = self.between::<T>(k);
        let line = Upper::guess(k, low, high);
        prefetch(self.memory.base().wrapping_add(self.first + line as usize * LINE_BYTES));
    }

    /// The position of the k-th bit, counted from 0. `k` is below the number of such bits. In
    /// corrupt bytes the result is an unspecified position.
    #[inline(always)]
    pub(super) fn select<T: Target, W: Words>(&self, words: W, k: u64) -> u64 {
        let (mut low, mut high) = self.between::<T>(k);
        if high - low > 4 {
            // Finds the last line with at most k such bits before it.
            while low < high {
                let middle = low + (high - low).div_ceil(2);
                let passed = T::before(self.counts(middle), middle) <= k;
                low = if passed { middle } else { low };
                high = if passed { high } else { middle - 1 };
            }
        }
        let mut line = Upper::guess(k, low, high);
        let mut counts = self.counts(line);
        while line > low && T::before(counts, line) > k {
            line -= 1;
            counts = self.counts(line);
        }
        loop {
            let position = self.select_in::<T, W>(words, line, counts, k);
            if position < LINE_BITS || line >= high {
                return line * LINE_BITS + position.min(LINE_BITS - 1);
            }
            line += 1;
            counts = self.counts(line);
        }
    }

    /// The position in a line of the k-th bit of all; [`LINE_BITS`] if it is in a later line.
    #[inline(always)]
    fn select_in<T: Target, W: Words>(&self, words: W, line: u64, counts: Counts, k: u64) -> u64 {
        let rest = k.wrapping_sub(T::before(counts, line));
        // Branches on random queries are unpredictable, so there are none within a line.
        let within = |pair: u64| T::within(counts.within(pair), pair);
        let pair = u64::from(rest >= within(1)) + u64::from(rest >= within(2)) + u64::from(rest >= within(3));
        let rest = rest.wrapping_sub(within(pair));
        let at = 1 + 2 * pair;
        // After the seventh word there is none, and the word read in its place is not used.
        let (first, second) = (T::word(self.word(line, at)), T::word(self.word(line, (at + 1) & 7)));
        let ones = u64::from(first.count_ones());
        let past = rest >= ones;
        if past && pair == 3 {
            return LINE_BITS;
        }
        let word = select_unpredictable(past, second, first);
        let rest = rest.wrapping_sub(select_unpredictable(past, ones, 0));
        // In corrupt bytes the counts can be wrong; the result is then an unspecified position in
        // the line.
        let bit = words.select(word, rest as u32 & 63).min(63);
        let at = at + u64::from(past);
        (at - 1) * 64 + u64::from(bit)
    }

    /// The bucket (the number of zeros before it) at which `zeros << low_bits` minus the ones
    /// before it exceeds `k`, or one nearby: the difference ascends from bucket to bucket, but
    /// descends within a bucket. The line is found by interpolation, repeated if it is wrong, and
    /// the bucket is then searched in the line. Only the counts of wrong lines are read. In corrupt
    /// bytes the result is an unspecified bucket.
    #[inline(always)]
    pub(super) fn bucket_near<W: Words>(&self, words: W, low_bits: u32, k: u64) -> u64 {
        let sum = |ones: u64, zeros: u64| (zeros << low_bits).wrapping_sub(ones);
        let before = |line: u64| {
            let counts = self.counts(line);
            (Ones::before(counts, line), Zeros::before(counts, line))
        };
        let last = self.lines - 1;
        let each = sum(self.len, self.zeros) as f64 / self.lines as f64;
        let mut line = ((k as f64 / each) as u64).min(last);
        let (mut ones, mut zeros) = before(line);
        for _ in 0..LINE_GUESSES {
            let off = k.wrapping_sub(sum(ones, zeros)).cast_signed() as f64 / each;
            if (0.0..1.0).contains(&off) {
                break;
            }
            line = line.saturating_add_signed(off.floor() as i64).min(last);
            (ones, zeros) = before(line);
        }
        // The last word that begins with a sum of at most k; then the last zero in it.
        let mut word = self.word(line, 1);
        for index in 2..8 {
            let count = u64::from(word.count_ones());
            let next = (ones.wrapping_add(count), zeros.wrapping_add(64 - count));
            if sum(next.0, next.1) > k {
                break;
            }
            (ones, zeros) = next;
            word = self.word(line, index);
        }
        let (mut from, mut to) = (0, word.count_zeros());
        while from < to {
            // The bucket after zero number `middle` of the word. That many zeros, and all other
            // bits of the word up to there, precede it.
            let middle = from.midpoint(to);
            let place = words.select(!word, middle);
            let (more_ones, more_zeros) = (u64::from(place - middle), u64::from(middle) + 1);
            let passed = sum(ones.wrapping_add(more_ones), zeros.wrapping_add(more_zeros)) <= k;
            (from, to) = if passed { (middle + 1, to) } else { (from, middle) };
        }
        zeros.wrapping_add(u64::from(from)).min(self.zeros - 1)
    }

    /// The number of ones from a position to the first zero, if that zero is in the same word;
    /// otherwise the number of bits left in the word.
    #[inline(always)]
    pub(super) fn run(&self, position: u64) -> (u64, u64) {
        let (line, bit) = (position / LINE_BITS, position % LINE_BITS);
        let word = self.word(line, 1 + bit / 64) >> (bit % 64);
        (u64::from(word.trailing_ones()), 64 - bit % 64)
    }

    /// The first one from a position on, if it is in the same word.
    #[inline(always)]
    pub(super) fn next_one(&self, position: u64) -> Option<u64> {
        let (line, bit) = (position / LINE_BITS, position % LINE_BITS);
        let word = self.word(line, 1 + bit / 64) >> (bit % 64);
        (word != 0).then(|| position + u64::from(word.trailing_zeros()))
    }
}
