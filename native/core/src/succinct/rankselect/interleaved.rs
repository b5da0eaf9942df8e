//! Counts and bits in one cache line, so that a rank has only one cache miss.
//!
//! A line of 512 bits contains 496 bits and, below them, a 16-bit count of the ones before it in
//! its superblock of 128 lines. A table has 8 bytes for each superblock, which is 8 KiB. It is so
//! small (0.1%) that it stays in the caches. The total overhead is 3.3%.
//!
//! The layout belongs to the family of BiRank (Groot Koerkamp, "QuadRank: engineering a high
//! throughput rank", 2026) and SPIDER (Laws, Bliven, Conklin, Laalai, McCauley and Sturdevant,
//! "SPIDER: Improved succinct rank and select performance", 2024): a count inside the line,
//! relative to a table that stays cached.
//!
//! A select begins at a sample, interpolates to find the line, and bisects if that goes wrong. Each
//! probe is another line, so select is slower than in the flat variant.

use super::flat::Defect;
use super::layout::{LINE_BITS, LINES_LOG2, Layout, Shape};
use super::samples::Samples;
use crate::cpu::prefetch;
use crate::region::memory::Memory;
use crate::succinct::block::{self, Block, Tier, per_tier};
use crate::succinct::runs::generic::word;
use std::sync::atomic::Ordering::Relaxed;

/// Bits of the count in a line.
const COUNT_BITS: u32 = 16;

/// A view of the interleaved variant, whose layout was checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interleaved {
    tier: Tier,
    lines: *mut u64,
    table: *mut u64,
    /// The number of the last line that contains bits or the end.
    last: u64,
    samples: [Samples; 2],
}

impl Interleaved {
    pub(super) fn new(memory: Memory, shape: &Shape, layout: &Layout) -> Interleaved {
        // SAFETY: the sections of a checked layout are within the memory.
        let (lines, table) = unsafe { (memory.at(layout.bits).cast(), memory.at(layout.index).cast()) };
        Interleaved {
            tier: Tier::get(),
            lines,
            table,
            last: shape.blocks() - 1,
            samples: Samples::of(memory, shape, layout),
        }
    }

    /// The same view with other instructions.
    #[cfg(test)]
    pub(super) fn with_tier(self, tier: Tier) -> Interleaved {
        Interleaved { tier, ..self }
    }

    #[inline(always)]
    fn line(&self, number: u64) -> *const u64 {
        debug_assert!(number <= self.last);
        self.lines.wrapping_add(number as usize * block::WORDS)
    }

    #[inline(always)]
    fn load(&self, line: u64, index: usize) -> u64 {
        // SAFETY: the line is within the region.
        unsafe { word(self.line(line), index) }.load(Relaxed)
    }

    #[inline(always)]
    fn superblock(&self, line: u64) -> u64 {
        // SAFETY: the line's superblock is within the table.
        unsafe { word(self.table, (line >> LINES_LOG2) as usize) }.load(Relaxed)
    }

    /// The number of ones (or zeros) before a line.
    #[inline(always)]
    fn before<const ZEROS: bool>(&self, line: u64) -> u64 {
        let ones = self.superblock(line).wrapping_add(self.load(line, 0) & 0xFFFF);
        if ZEROS { (line * LINE_BITS).wrapping_sub(ones) } else { ones }
    }

    /// Whether a bit is set; the position is below the length.
    #[inline(always)]
    pub(super) fn get(&self, position: u64) -> bool {
        let at = position % LINE_BITS + u64::from(COUNT_BITS);
        self.load(position / LINE_BITS, (at / 64) as usize) >> (at % 64) & 1 == 1
    }

    /// The number of ones before a position, which is at most the length.
    #[inline(always)]
    pub(super) fn rank(&self, position: u64) -> u64 {
        // SAFETY: the position is at most the length, so its line exists.
        unsafe { rank(self.tier, self, position) }
    }

    /// The position of the `k`-th one (or zero). There are more than `k`.
    #[inline(always)]
    pub(super) fn select<const ZEROS: bool>(&self, k: u64) -> u64 {
        // SAFETY: `k` is below the count, so its sample exists.
        unsafe { select::<ZEROS>(self.tier, self, k) }
    }

    /// Many ranks. All positions are at most the length.
    pub(super) fn rank_many(&self, positions: &[u64], out: &mut [u64]) {
        // SAFETY: all positions are at most the length.
        unsafe { rank_many(self.tier, self, positions, out) }
    }

    /// Many selects. There are more ones (or zeros) than each of `ks`.
    pub(super) fn select_many<const ZEROS: bool>(&self, ks: &[u64], out: &mut [u64]) {
        // SAFETY: all `ks` are below the count.
        unsafe { select_many::<ZEROS>(self.tier, self, ks, out) }
    }

    /// Copies the bits, and writes the counts. Returns the number of ones.
    ///
    /// # Safety
    /// As for `Flat::build`.
    pub(super) unsafe fn build(&self, from: *const u64, length: u64) -> u64 {
        // SAFETY: the preconditions are guaranteed by the caller.
        unsafe { build(self.tier, self, from, length) }
    }

    /// Writes the samples. The counts must be complete.
    ///
    /// # Safety
    /// As for `Flat::build`.
    pub(super) unsafe fn sample(&self, shape: &Shape) {
        // SAFETY: the preconditions are guaranteed by the caller.
        unsafe {
            self.samples[0].write(shape.ones, self.last + 1, |line| self.up_to::<false>(shape, line));
            self.samples[1]
                .write(shape.count::<true>(), self.last + 1, |line| self.up_to::<true>(shape, line));
        }
    }

    fn up_to<const ZEROS: bool>(&self, shape: &Shape, line: u64) -> u64 {
        if line == self.last { shape.count::<ZEROS>() } else { self.before::<ZEROS>(line + 1) }
    }

    /// The number of ones in a line, not including those of its count.
    #[inline(always)]
    fn ones(&self, line: u64) -> u64 {
        let all: u32 = (0..block::WORDS).map(|i| self.load(line, i).count_ones()).sum();
        u64::from(all - (self.load(line, 0) & 0xFFFF).count_ones())
    }

    /// The full check: counts every line again.
    pub(super) fn check(&self, shape: &Shape) -> Result<(), Defect> {
        let (mut total, mut base) = (0, 0);
        for line in 0..=self.last {
            if line % (1 << LINES_LOG2) == 0 {
                if self.superblock(line) != total {
                    return Err("the table of superblocks is not that of the bits");
                }
                base = total;
            }
            if self.load(line, 0) & 0xFFFF != total - base {
                return Err("the count of a line is not that of the bits");
            }
            total += self.ones(line);
        }
        if total != shape.ones {
            return Err("the number of ones is not that of the bits");
        }
        let end = (shape.length % LINE_BITS + u64::from(COUNT_BITS)) as usize;
        let stray = self.load(self.last, end / 64) >> (end % 64) != 0
            || (end / 64 + 1..block::WORDS).any(|i| self.load(self.last, i) != 0);
        if stray {
            return Err("bits past the end are set");
        }
        let [ones, zeros] = &self.samples;
        let places = self.last + 1;
        if !ones.are_right(shape.ones, places, |line| self.up_to::<false>(shape, line))
            || !zeros.are_right(shape.count::<true>(), places, |line| self.up_to::<true>(shape, line))
        {
            return Err("the samples are not those of the bits");
        }
        Ok(())
    }
}

per_tier! {
    unsafe fn rank(lines: &Interleaved, position: u64) -> u64 = rank_with;
    unsafe fn select<const ZEROS: bool>(lines: &Interleaved, k: u64) -> u64 = select_with;
    unsafe fn rank_many(lines: &Interleaved, positions: &[u64], out: &mut [u64]) = rank_many_with;
    unsafe fn select_many<const ZEROS: bool>(lines: &Interleaved, ks: &[u64], out: &mut [u64]) =
        select_many_with;
    unsafe fn build(lines: &Interleaved, from: *const u64, length: u64) -> u64 = build_with;
}

/// # Safety
/// `position` is at most the length.
#[inline(always)]
unsafe fn rank_with<B: Block>(b: B, lines: &Interleaved, position: u64) -> u64 {
    let line = position / LINE_BITS;
    let bits = (position % LINE_BITS) as u32 + COUNT_BITS;
    let count = lines.load(line, 0) & 0xFFFF;
    // SAFETY: the position is at most the length, so its line exists.
    let in_line = unsafe { b.rank(lines.line(line), bits) };
    // Subtracts the ones of the count itself, which were counted with the bits.
    (lines.superblock(line).wrapping_add(count)).wrapping_add(u64::from(in_line - count.count_ones()))
}

/// The line that contains the `k`-th one (or zero), and the number of its kind before that line.
#[inline(always)]
fn line_of<const ZEROS: bool>(lines: &Interleaved, k: u64) -> (u64, u64) {
    let samples = &lines.samples[usize::from(ZEROS)];
    let (mut low, mut high) = samples.between(k, lines.last);
    // The line if its kind were spread evenly between the samples.
    let guess = low + samples.part(high.saturating_sub(low), k);
    let mut probe = guess;
    let mut step = 1;
    let mut before = None;
    while low < high {
        let found = lines.before::<ZEROS>(probe);
        if found <= k {
            (low, before) = (probe, Some(found));
            // Moves away from the guess in steps that double, or to the middle if that is nearer.
            probe = (low + step).min(low + (high - low).div_ceil(2));
        } else {
            high = probe.saturating_sub(1).max(low);
            probe = high.saturating_sub(step - 1).max(low + (high - low).div_ceil(2));
        }
        // A step longer than any distance has no further effect.
        step = (step * 2).min(1 << 40);
    }
    (low, before.unwrap_or_else(|| lines.before::<ZEROS>(low)))
}

/// # Safety
/// There are more ones (or zeros) than `k`.
#[inline(always)]
unsafe fn select_with<B: Block, const ZEROS: bool>(b: B, lines: &Interleaved, k: u64) -> u64 {
    let (line, before) = line_of::<ZEROS>(lines, k);
    // SAFETY: the line is within the region.
    unsafe { select_in::<B, ZEROS>(b, lines, line, k.wrapping_sub(before)) }
}

/// # Safety
/// The line is within the region.
#[inline(always)]
unsafe fn select_in<B: Block, const ZEROS: bool>(b: B, lines: &Interleaved, line: u64, k: u64) -> u64 {
    // The count is stored before the bits, and so are its ones (or zeros).
    let count = lines.load(line, 0) as u16;
    let skipped = if ZEROS { count.count_zeros() } else { count.count_ones() };
    // SAFETY: the line is within the region, as guaranteed by the caller.
    let at = unsafe { b.select::<ZEROS>(lines.line(line), (k as u32).wrapping_add(skipped) % 512) };
    line * LINE_BITS + u64::from(at.saturating_sub(COUNT_BITS))
}

/// The number of interleaved queries in a bulk call.
const BATCH: usize = 32;

/// As in the flat variant, the memory of each query is prefetched [`BATCH`] queries before it is
/// answered.
///
/// # Safety
/// As for [`rank_with`], for all positions.
#[inline(always)]
unsafe fn rank_many_with<B: Block>(b: B, lines: &Interleaved, positions: &[u64], out: &mut [u64]) {
    let ask = |position: u64| prefetch(lines.line(position / LINE_BITS).cast());
    positions.iter().take(BATCH).for_each(|&position| ask(position));
    // SAFETY: all positions are at most the length, as guaranteed by the caller.
    let rank = |position: u64| unsafe { rank_with(b, lines, position) };
    let asked = positions.len().saturating_sub(BATCH);
    for ((&position, &later), out) in
        positions.iter().zip(&positions[positions.len() - asked..]).zip(&mut *out)
    {
        ask(later);
        *out = rank(position);
    }
    for (&position, out) in positions.iter().zip(out).skip(asked) {
        *out = rank(position);
    }
}

/// # Safety
/// As for [`select_with`], for all `ks`.
#[inline(always)]
unsafe fn select_many_with<B: Block, const ZEROS: bool>(
    b: B,
    lines: &Interleaved,
    ks: &[u64],
    out: &mut [u64],
) {
    let samples = &lines.samples[usize::from(ZEROS)];
    for (ks, out) in ks.chunks(BATCH).zip(out.chunks_mut(BATCH)) {
        for &k in ks {
            prefetch(samples.address(k));
        }
        for &k in ks {
            let (low, high) = samples.between(k, lines.last);
            let guess = low + samples.part(high.saturating_sub(low), k);
            prefetch(lines.line(guess).cast());
        }
        for (&k, out) in ks.iter().zip(out) {
            // SAFETY: the line is within the region.
            *out = unsafe { select_with::<B, ZEROS>(b, lines, k) };
        }
    }
}

/// The bits of a line come from 62 whole bytes of the source and are stored two bytes further on,
/// so each word is read from the position where it begins in the source.
///
/// # Safety
/// As for `Flat::build`.
#[inline(always)]
unsafe fn build_with<B: Block>(_: B, lines: &Interleaved, from: *const u64, length: u64) -> u64 {
    const BYTES: usize = LINE_BITS as usize / 8;
    let (mut total, mut base) = (0u64, 0);
    let mut rest = [0u64; block::WORDS];
    for line in 0..=lines.last {
        if line % (1 << LINES_LOG2) == 0 {
            base = total;
            // SAFETY: the line's superblock is within the table.
            unsafe { word(lines.table, (line >> LINES_LOG2) as usize) }.store(total, Relaxed);
        }
        let bits = (length - line * LINE_BITS).min(LINE_BITS);
        let mut source = from.cast::<u8>().wrapping_add(line as usize * BYTES);
        if bits < LINE_BITS {
            // The last line: the remaining bytes, followed by zeros.
            let (whole, part) = ((bits / 64) as usize, bits % 64);
            // SAFETY: the remaining bytes are readable, as guaranteed by the caller, and fit in the
            // words of a line.
            unsafe { source.copy_to_nonoverlapping(rest.as_mut_ptr().cast(), bits.div_ceil(8) as usize) };
            rest[whole] &= (1 << part) - 1;
            source = rest.as_ptr().cast();
        }
        // SAFETY: bytes 0 to 61 of the source are readable; if they change at the same time, the
        // result is some mixture.
        let read = |at: usize| unsafe { source.add(at).cast::<u64>().read_unaligned() };
        // SAFETY: the line is within the region.
        let target = |i: usize| unsafe { word(lines.line(line), i) };
        let first = read(0) << COUNT_BITS;
        target(0).store(first | (total - base), Relaxed);
        total += u64::from(first.count_ones());
        for i in 1..block::WORDS {
            let value = read(8 * i - 2);
            target(i).store(value, Relaxed);
            total += u64::from(value.count_ones());
        }
    }
    total
}
