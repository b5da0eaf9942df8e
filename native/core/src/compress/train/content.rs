//! Picking the text that matches refer to.
//!
//! The greedy cover of Liao, Petri, Moffat and Wirth ("Effective construction of relative
//! Lempel-Ziv dictionaries", 2016), as zstd's fastcover does it: the frequency of every d bytes is
//! counted by hash; the samples are divided into epochs, and from each the segment is taken whose
//! strings are the most frequent together, counting no string twice.

use super::super::huffman::try_vec;
use crate::Result;

const D: usize = 8;

/// A piece of a sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub sample: u32,
    pub begin: u32,
    pub end: u32,
}

#[inline(always)]
fn hash(text: &[u8], at: usize, bits: u32) -> usize {
    // SAFETY: callers leave eight bytes.
    let word = u64::from_le(unsafe { text.as_ptr().add(at).cast::<u64>().read_unaligned() });
    debug_assert!(at + 8 <= text.len());
    (word.wrapping_mul(0xCF1B_BCDC_B7A5_6463) >> (64 - bits)) as usize
}

/// What is known of the strings of one hash.
#[derive(Clone, Copy)]
struct Known {
    /// How many other samples have one of them; 0 once it was taken.
    count: u32,
    /// While counting the last sample that had one, then how often the segment at hand has them.
    mark: u32,
}

/// How far ahead strings are fetched: all of them together are more than the nearer caches hold.
const AHEAD: usize = 24;

struct Table {
    known: Vec<Known>,
    bits: u32,
}

impl Table {
    #[inline(always)]
    fn slot(&self, text: &[u8], at: usize) -> usize {
        hash(text, at, self.bits)
    }

    #[inline(always)]
    fn prefetch(&self, text: &[u8], at: usize) {
        if at + D <= text.len() {
            crate::cpu::prefetch(self.known.as_ptr().wrapping_add(self.slot(text, at)).cast());
        }
    }

    /// Counts, for each string, the samples that have it.
    fn new(samples: &[&[u8]], total: usize) -> Result<Table> {
        let bits = (total.max(2).ilog2() + 1).clamp(10, 20);
        let mut table = Table { known: try_vec(1 << bits, Known { count: 0, mark: u32::MAX })?, bits };
        for (sample, number) in samples.iter().zip(0u32..) {
            for at in 0..sample.len().saturating_sub(D - 1) {
                table.prefetch(sample, at + AHEAD);
                let slot = table.slot(sample, at);
                let known = &mut table.known[slot];
                if known.mark != number {
                    *known = Known { count: known.count.saturating_add(1), mark: number };
                }
            }
        }
        for known in &mut table.known {
            // A string that only one sample has is of no use to others.
            *known = Known { count: known.count.saturating_sub(1), mark: 0 };
        }
        Ok(table)
    }

    /// The best segment of `k` bytes or so of `sample` that begins behind `from` and ends before
    /// `to`, if it is worth more than `best`.
    fn best(
        &mut self,
        sample: &[u8],
        from: usize,
        to: usize,
        k: usize,
        best: &mut u64,
    ) -> Option<(u32, u32)> {
        let (mut score, mut begin, mut found) = (0u64, from, None);
        let end = to.saturating_sub(D - 1);
        for at in from..end {
            self.prefetch(sample, at + AHEAD);
            let slot = self.slot(sample, at);
            let known = &mut self.known[slot];
            // A string counts once in a segment, and once in all.
            if known.mark == 0 {
                score += u64::from(known.count);
            }
            known.mark += 1;
            if at + D - begin > k {
                let slot = self.slot(sample, begin);
                let known = &mut self.known[slot];
                known.mark -= 1;
                if known.mark == 0 {
                    score -= u64::from(known.count);
                }
                begin += 1;
            }
            if score > *best {
                *best = score;
                found = Some((begin as u32, (at + D) as u32));
            }
        }
        for at in begin..end {
            let slot = self.slot(sample, at);
            self.known[slot].mark -= 1;
        }
        found
    }

    /// Cuts off ends that nothing else has, and counts what is left no more.
    fn take(&mut self, sample: &[u8], segment: &mut Segment, room: usize) {
        let worth = |at: u32| self.known[self.slot(sample, at as usize)].count > 0;
        while segment.end - segment.begin > D as u32 && !worth(segment.begin) {
            segment.begin += 1;
        }
        while segment.end - segment.begin > D as u32 && !worth(segment.end - D as u32) {
            segment.end -= 1;
        }
        segment.end = segment.end.min(segment.begin + room as u32);
        for at in segment.begin..(segment.end + 1).saturating_sub(D as u32) {
            let slot = self.slot(sample, at as usize);
            self.known[slot].count = 0;
        }
    }
}

/// Segments of `k` bytes or so, up to `size` bytes in all, the most useful last.
pub(crate) fn pick(samples: &[&[u8]], size: usize, k: usize) -> Result<Vec<Segment>> {
    let total: usize = samples.iter().map(|s| s.len()).sum();
    let mut table = Table::new(samples, total)?;
    let mut taken: Vec<(u64, Segment)> = Vec::new();
    let mut used = 0usize;
    // Rounds over the samples, each cut into as many epochs as segments are still wanted.
    for _ in 0..4 {
        let before = used;
        let epochs = ((size - used) / k).max(1);
        let epoch = (total / epochs).max(k * 2);
        let (mut number, mut inside) = (0usize, 0usize);
        while number < samples.len() && used < size {
            // The best segment of this epoch.
            let mut best: (u64, Segment) = (0, Segment { sample: 0, begin: 0, end: 0 });
            let mut passed = 0;
            while number < samples.len() && passed < epoch {
                let sample = samples[number];
                let stop = sample.len().min(inside + (epoch - passed).max(k));
                if let Some((begin, end)) = table.best(sample, inside, stop, k, &mut best.0) {
                    best.1 = Segment { sample: number as u32, begin, end };
                }
                passed += stop - inside;
                if stop == sample.len() {
                    (number, inside) = (number + 1, 0);
                } else {
                    inside = stop;
                }
            }
            let (score, mut segment) = best;
            if score > 0 {
                table.take(samples[segment.sample as usize], &mut segment, size - used);
                used += (segment.end - segment.begin) as usize;
                taken.try_reserve(1)?;
                taken.push((score, segment));
            }
        }
        if used == before || used >= size {
            break;
        }
    }
    taken.sort_unstable_by_key(|&(score, segment)| (score, segment.sample, segment.begin));
    let mut segments = Vec::new();
    segments.try_reserve_exact(taken.len())?;
    segments.extend(taken.into_iter().map(|(_, segment)| segment));
    Ok(segments)
}
