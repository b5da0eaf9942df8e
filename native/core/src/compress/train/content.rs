//! Picking the text that matches refer to.
//!
//! The greedy cover of Liao, Petri, Moffat and Wirth ("Effective construction of relative Lempel-Ziv dictionaries", 2016), as zstd's fastcover
//! does it: the frequency of every d bytes is counted by hash; the samples are divided into epochs, and from each the
//! segment is taken whose strings are the most frequent together, counting no string twice.

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

/// Segments of `k` bytes or so, up to `size` bytes in all, the most useful last.
pub(crate) fn pick(samples: &[&[u8]], size: usize, k: usize) -> Result<Vec<Segment>> {
    let total: usize = samples.iter().map(|s| s.len()).sum();
    let bits = (total.max(2).ilog2() + 1).clamp(10, 20);
    let mut frequency = try_vec(1usize << bits, 0u32)?;
    // A string that only one sample has is of no use to others.
    let mut last = try_vec(1usize << bits, u32::MAX)?;
    for (sample, number) in samples.iter().zip(0u32..) {
        for at in 0..sample.len().saturating_sub(D - 1) {
            let slot = hash(sample, at, bits);
            if last[slot] != number {
                last[slot] = number;
                frequency[slot] = frequency[slot].saturating_add(1);
            }
        }
    }
    for count in &mut frequency {
        *count = count.saturating_sub(1);
    }
    let mut taken: Vec<(u64, Segment)> = Vec::new();
    let mut used = 0usize;
    // Rounds over the samples, each cut into as many epochs as segments are still wanted.
    let mut active = vec![0u16; 1usize << bits];
    for _ in 0..4 {
        if used >= size {
            break;
        }
        let epochs = ((size - used) / k).max(1);
        let epoch = (total / epochs).max(k * 2);
        let (mut number, mut inside) = (0usize, 0usize);
        let mut any = false;
        while number < samples.len() && used < size {
            // The best segment of this epoch.
            let mut best: (u64, Segment) = (0, Segment { sample: 0, begin: 0, end: 0 });
            let mut passed = 0;
            while number < samples.len() && passed < epoch {
                let sample = samples[number];
                let stop = sample.len().min(inside + (epoch - passed).max(k));
                let mut score = 0u64;
                let mut begin = inside;
                for at in inside..stop.saturating_sub(D - 1) {
                    let slot = hash(sample, at, bits);
                    if active[slot] == 0 {
                        score += u64::from(frequency[slot]);
                    }
                    active[slot] += 1;
                    if at + D - begin > k {
                        let slot = hash(sample, begin, bits);
                        active[slot] -= 1;
                        if active[slot] == 0 {
                            score -= u64::from(frequency[slot]);
                        }
                        begin += 1;
                    }
                    if score > best.0 {
                        best = (
                            score,
                            Segment { sample: number as u32, begin: begin as u32, end: (at + D) as u32 },
                        );
                    }
                }
                for at in begin..stop.saturating_sub(D - 1) {
                    active[hash(sample, at, bits)] -= 1;
                }
                passed += stop - inside;
                if stop == sample.len() {
                    (number, inside) = (number + 1, 0);
                } else {
                    inside = stop;
                }
            }
            let (score, mut segment) = best;
            if score == 0 {
                continue;
            }
            // Ends that nothing else has are cut off.
            let sample = samples[segment.sample as usize];
            let worth = |at: u32| frequency[hash(sample, at as usize, bits)] > 0;
            while segment.end - segment.begin > D as u32 && !worth(segment.begin) {
                segment.begin += 1;
            }
            while segment.end - segment.begin > D as u32 && !worth(segment.end - D as u32) {
                segment.end -= 1;
            }
            let room = (size - used) as u32;
            segment.end = segment.end.min(segment.begin + room);
            for at in segment.begin..(segment.end + 1).saturating_sub(D as u32) {
                frequency[hash(sample, at as usize, bits)] = 0;
            }
            used += (segment.end - segment.begin) as usize;
            taken.push((score, segment));
            any = true;
        }
        if !any {
            break;
        }
    }
    taken.sort_by_key(|&(score, segment)| (score, segment.sample, segment.begin));
    Ok(taken.into_iter().map(|(_, segment)| segment).collect())
}
