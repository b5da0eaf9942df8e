//! Selecting the text that matches refer to.
//!
//! The greedy cover of Liao, Petri, Moffat and Wirth ("Effective construction of relative
//! Lempel-Ziv dictionaries", 2016), as in zstd's fastcover. The frequencies of all strings of [`D`]
//! bytes are counted by hash. The samples are divided into epochs. From each epoch, the segment is
//! taken whose strings have the largest total frequency, counting no string twice.

use super::super::memory::try_vec;
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
    // SAFETY: all callers ensure `at + 8 <= text.len()`.
    let word = u64::from_le(unsafe { text.as_ptr().add(at).cast::<u64>().read_unaligned() });
    debug_assert!(at + 8 <= text.len());
    (word.wrapping_mul(0xCF1B_BCDC_B7A5_6463) >> (64 - bits)) as usize
}

/// Statistics of all strings with the same hash.
#[derive(Clone, Copy)]
struct StringStats {
    /// The number of additional samples that contain such a string; 0 after it was taken.
    count: u32,
    /// During counting, the last sample that contained one; later, their number in the current
    /// segment.
    mark: u32,
}

/// The prefetch distance. The table is larger than the nearer caches.
const AHEAD: usize = 24;

struct Table {
    stats: Vec<StringStats>,
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
            crate::cpu::prefetch(self.stats.as_ptr().wrapping_add(self.slot(text, at)).cast());
        }
    }

    /// Counts the samples that contain each string.
    fn new(samples: &[&[u8]], total: usize) -> Result<Table> {
        let bits = (total.max(2).ilog2() + 1).clamp(10, 20);
        let mut table = Table { stats: try_vec(1 << bits, StringStats { count: 0, mark: u32::MAX })?, bits };
        for (sample, number) in samples.iter().zip(0u32..) {
            for at in 0..sample.len().saturating_sub(D - 1) {
                table.prefetch(sample, at + AHEAD);
                let slot = table.slot(sample, at);
                let stats = &mut table.stats[slot];
                if stats.mark != number {
                    *stats = StringStats { count: stats.count.saturating_add(1), mark: number };
                }
            }
        }
        for stats in &mut table.stats {
            // A string that occurs in only one sample does not help others.
            *stats = StringStats { count: stats.count.saturating_sub(1), mark: 0 };
        }
        Ok(table)
    }

    /// The best segment of about `k` bytes of `sample` between `from` and `to`, if its score
    /// exceeds `best`.
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
            let stats = &mut self.stats[slot];
            // A string counts once per segment, and once overall.
            if stats.mark == 0 {
                score += u64::from(stats.count);
            }
            stats.mark += 1;
            if at + D - begin > k {
                let slot = self.slot(sample, begin);
                let stats = &mut self.stats[slot];
                stats.mark -= 1;
                if stats.mark == 0 {
                    score -= u64::from(stats.count);
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
            self.stats[slot].mark -= 1;
        }
        found
    }

    /// Trims ends that no other sample contains, and sets the counts of the remaining strings to 0.
    fn take(&mut self, sample: &[u8], segment: &mut Segment, room: usize) {
        let worth = |at: u32| self.stats[self.slot(sample, at as usize)].count > 0;
        while segment.end - segment.begin > D as u32 && !worth(segment.begin) {
            segment.begin += 1;
        }
        while segment.end - segment.begin > D as u32 && !worth(segment.end - D as u32) {
            segment.end -= 1;
        }
        segment.end = segment.end.min(segment.begin + room as u32);
        for at in segment.begin..(segment.end + 1).saturating_sub(D as u32) {
            let slot = self.slot(sample, at as usize);
            self.stats[slot].count = 0;
        }
    }
}

/// Selects segments of about `k` bytes, up to `size` bytes in total, the most useful last.
pub(crate) fn pick(samples: &[&[u8]], size: usize, k: usize) -> Result<Vec<Segment>> {
    let total: usize = samples.iter().map(|s| s.len()).sum();
    let mut table = Table::new(samples, total)?;
    let mut taken: Vec<(u64, Segment)> = Vec::new();
    let mut used = 0usize;
    // Rounds over the samples, each divided into as many epochs as segments are still needed.
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
