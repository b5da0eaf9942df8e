//! The default variant: plain bits, and an index entry of 16 bytes for each 4096 of them (3.125%).
//!
//! An entry has 128 bits: 44 bits count the ones before its superblock, and seven fields of 12 bits
//! count the ones in the superblock before each of its blocks of 512 bits except the first. A rank
//! reads one entry and one block, whose addresses both follow from the position. These are two
//! concurrent cache misses, and the index, which is 32 times smaller than the bits, is often
//! cached. A select reads a sample, searches eight entries at once (and a few before that, if the
//! ones are far apart), then the seven counts of an entry, and the eight words of a block.
//!
//! This is the layout of pasta-flat (Kurpicz, "Engineering compact data structures for rank and
//! select queries on bit vectors", 2022; itself after Zhou, Andersen and Kaminsky,
//! "Space-efficient, high-performance rank and select structures", 2013), except that the count is
//! in the low bits. So its lowest 32 bits, which are enough for most vectors, are a word by
//! themselves, and the twelve-bit field i is that of block i, for i from 1 to 7, without a special
//! case.

use super::layout::{Layout, SUPERBLOCK, Shape};
use super::samples::Samples;
use crate::cpu::prefetch;
use crate::region::memory::Memory;
use crate::succinct::block::{self, Block, Tier, WINDOW, count_of, per_tier, total_of};
use crate::succinct::runs::generic::word;
use std::sync::atomic::Ordering::Relaxed;

/// A view of the flat variant, whose layout was checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flat {
    tier: Tier,
    bits: *mut u64,
    index: *mut u64,
    /// The number of the last superblock that contains bits or the end.
    last: u64,
    /// The number of the last entry, at least 7.
    last_entry: u64,
    /// The number of the last block.
    last_block: u64,
    samples: [Samples; 2],
}

/// The defect that [`Flat::check`] found.
pub(super) type Defect = &'static str;

impl Flat {
    pub(super) fn new(memory: Memory, shape: &Shape, layout: &Layout) -> Flat {
        // SAFETY: the sections of a checked layout are within the memory.
        let (bits, index) = unsafe { (memory.at(layout.bits).cast(), memory.at(layout.index).cast()) };
        Flat {
            tier: Tier::get(),
            bits,
            index,
            last: shape.length / SUPERBLOCK,
            last_entry: shape.entries() - 1,
            last_block: shape.blocks() - 1,
            samples: Samples::of(memory, shape, layout),
        }
    }

    /// The same view with other instructions.
    #[cfg(test)]
    pub(super) fn with_tier(self, tier: Tier) -> Flat {
        Flat { tier, ..self }
    }

    /// The block with a number that is at most that of the last block.
    #[inline(always)]
    fn block(&self, number: u64) -> *const u64 {
        debug_assert!(number <= self.last_block);
        self.bits.wrapping_add(number as usize * block::WORDS)
    }

    #[inline(always)]
    fn entry(&self, number: u64) -> *const u64 {
        debug_assert!(number <= self.last_entry);
        self.index.wrapping_add(number as usize * 2)
    }

    /// The number of ones (or zeros) before a superblock.
    #[inline(always)]
    fn before<const ZEROS: bool>(&self, superblock: u64) -> u64 {
        // SAFETY: all callers stay within the index.
        let ones = total_of(unsafe { word(self.entry(superblock), 0) }.load(Relaxed));
        if ZEROS { (superblock * SUPERBLOCK).wrapping_sub(ones) } else { ones }
    }

    /// Whether a bit is set; the position is below the length.
    #[inline(always)]
    pub(super) fn get(&self, position: u64) -> bool {
        // SAFETY: the position is below the length, so the word is within the blocks.
        let word = unsafe { word(self.bits, (position / 64) as usize) }.load(Relaxed);
        word >> (position % 64) & 1 == 1
    }

    /// The number of ones before a position, which is at most the length.
    #[inline(always)]
    pub(super) fn rank(&self, position: u64) -> u64 {
        // SAFETY: the position is at most the length, so its block and entry exist.
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

    /// Copies the bits, and builds the index. The last word may have more than `length` bits.
    /// Returns the number of ones.
    ///
    /// # Safety
    /// The region is writable, and no other thread uses it. The words of `length` bits at `from`
    /// are readable; another thread may write them.
    pub(super) unsafe fn build(&self, from: *const u64, length: u64) -> u64 {
        // SAFETY: the preconditions are guaranteed by the caller.
        unsafe { build(self.tier, self, from, length) }
    }

    /// Writes the samples. The index must be complete.
    ///
    /// # Safety
    /// As for [`Flat::build`].
    pub(super) unsafe fn sample(&self, shape: &Shape) {
        // SAFETY: the preconditions are guaranteed by the caller.
        unsafe {
            self.samples[0].write(shape.ones, self.last + 1, |s| self.up_to::<false>(shape, s));
            self.samples[1].write(shape.count::<true>(), self.last + 1, |s| self.up_to::<true>(shape, s));
        }
    }

    /// The number of ones (or zeros) up to the end of a superblock.
    fn up_to<const ZEROS: bool>(&self, shape: &Shape, superblock: u64) -> u64 {
        if superblock == self.last { shape.count::<ZEROS>() } else { self.before::<ZEROS>(superblock + 1) }
    }

    /// The full check: counts every block again.
    pub(super) fn check(&self, shape: &Shape) -> Result<(), Defect> {
        let words = shape.length / 64;
        // SAFETY: the blocks and entries are within the region.
        let load = |words: *const u64, index: u64| unsafe { word(words, index as usize) }.load(Relaxed);
        let all = (self.last_block + 1) * block::WORDS as u64;
        let tail = load(self.bits, words) >> (shape.length % 64);
        if tail != 0 || (words + 1..all).any(|index| load(self.bits, index) != 0) {
            return Err("bits past the end are set");
        }
        let mut total = 0;
        for superblock in 0..=self.last_entry {
            let (low, high) = (load(self.entry(superblock), 0), load(self.entry(superblock), 1));
            // SAFETY: the word is within the blocks.
            let (expected, ones) = unsafe { self.entry_for(superblock, total) };
            if (low, high) != expected {
                return Err("the index is not that of the bits");
            }
            total += ones;
        }
        if total != shape.ones {
            return Err("the number of ones is not that of the bits");
        }
        let [ones, zeros] = &self.samples;
        let places = self.last + 1;
        if !ones.are_right(shape.ones, places, |s| self.up_to::<false>(shape, s))
            || !zeros.are_right(shape.count::<true>(), places, |s| self.up_to::<true>(shape, s))
        {
            return Err("the samples are not those of the bits");
        }
        Ok(())
    }

    /// The expected entry of a superblock, and the number of ones in the superblock.
    ///
    /// # Safety
    /// `superblock` is at most `last_entry`.
    #[inline(always)]
    unsafe fn entry_for(&self, superblock: u64, total: u64) -> ((u64, u64), u64) {
        if superblock > self.last {
            // The count of an entry past the end exceeds any query, so no search ends there.
            return ((u64::MAX, u64::MAX), 0);
        }
        let mut entry = u128::from(total);
        let mut ones = 0;
        for i in 0..8 {
            let number = superblock * 8 + i;
            if i > 0 {
                entry |= u128::from(ones) << (32 + 12 * i);
            }
            if number <= self.last_block {
                // SAFETY: the block is within the region.
                ones += (0..block::WORDS)
                    .map(|i| u64::from(unsafe { word(self.block(number), i) }.load(Relaxed).count_ones()))
                    .sum::<u64>();
            }
        }
        ((entry as u64, (entry >> 64) as u64), ones)
    }
}

per_tier! {
    unsafe fn rank(flat: &Flat, position: u64) -> u64 = rank_with;
    unsafe fn select<const ZEROS: bool>(flat: &Flat, k: u64) -> u64 = select_with;
    unsafe fn rank_many(flat: &Flat, positions: &[u64], out: &mut [u64]) = rank_many_with;
    unsafe fn select_many<const ZEROS: bool>(flat: &Flat, ks: &[u64], out: &mut [u64]) = select_many_with;
    unsafe fn build(flat: &Flat, from: *const u64, length: u64) -> u64 = build_with;
}

/// # Safety
/// `position` is at most the length.
#[inline(always)]
unsafe fn rank_with<B: Block>(b: B, flat: &Flat, position: u64) -> u64 {
    let entry = flat.entry(position / SUPERBLOCK);
    // SAFETY: the position is at most the length, so its entry and block exist.
    unsafe {
        let total = total_of(word(entry, 0).load(Relaxed));
        let in_superblock = count_of(entry, (position / block::BITS) as u32 % 8);
        let in_block = b.rank(flat.block(position / block::BITS), (position % block::BITS) as u32);
        total + u64::from(in_superblock + in_block)
    }
}

/// The superblock that contains the `k`-th one (or zero).
#[inline(always)]
fn superblock_of<B: Block, const ZEROS: bool>(b: B, flat: &Flat, k: u64) -> u64 {
    let (mut low, mut high) = flat.samples[usize::from(ZEROS)].between(k, flat.last);
    while high >= low + WINDOW {
        let middle = low + (high - low) / 2;
        if flat.before::<ZEROS>(middle) <= k {
            low = middle;
        } else {
            high = middle;
        }
    }
    let first = low.min(flat.last_entry - (WINDOW - 1));
    // SAFETY: the eight entries from there on are within the index.
    let passed = unsafe { b.entries_passed::<ZEROS>(flat.entry(first), first, k) };
    // In valid contents, at least the first entry has at most k before it.
    (first + u64::from(passed)).saturating_sub(1).min(flat.last)
}

/// The block that contains the `k`-th one (or zero), and its number within the block.
#[inline(always)]
fn block_of<B: Block, const ZEROS: bool>(b: B, flat: &Flat, superblock: u64, k: u64) -> (u64, u32) {
    let entry = flat.entry(superblock);
    let k = k.wrapping_sub(flat.before::<ZEROS>(superblock)) as u32 % SUPERBLOCK as u32;
    // SAFETY: the entry is within the index.
    unsafe {
        let number = b.counts_passed::<ZEROS>(entry, k);
        let ones = count_of(entry, number);
        let before = if ZEROS { (512 * number).wrapping_sub(ones) } else { ones };
        ((superblock * 8 + u64::from(number)).min(flat.last_block), k.wrapping_sub(before) % 512)
    }
}

/// # Safety
/// There are more ones (or zeros) than `k`.
#[inline(always)]
unsafe fn select_with<B: Block, const ZEROS: bool>(b: B, flat: &Flat, k: u64) -> u64 {
    let (number, k) = block_of::<B, ZEROS>(b, flat, superblock_of::<B, ZEROS>(b, flat, k), k);
    // SAFETY: the block is within the region.
    number * block::BITS + u64::from(unsafe { b.select::<ZEROS>(flat.block(number), k) })
}

/// The number of interleaved queries in a bulk call.
const BATCH: usize = 32;

/// Prefetches the memory of one query while it answers the one [`BATCH`] before it: a quarter
/// faster than in batches. (For selects, which would need four steps, this is a quarter slower.)
///
/// # Safety
/// As for [`rank_with`], for all positions.
#[inline(always)]
unsafe fn rank_many_with<B: Block>(b: B, flat: &Flat, positions: &[u64], out: &mut [u64]) {
    let ask = |position: u64| {
        prefetch(flat.entry(position / SUPERBLOCK).cast());
        prefetch(flat.block(position / block::BITS).cast());
    };
    positions.iter().take(BATCH).for_each(|&position| ask(position));
    // SAFETY: all positions are at most the length, as guaranteed by the caller.
    let rank = |position: u64| unsafe { rank_with(b, flat, position) };
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
unsafe fn select_many_with<B: Block, const ZEROS: bool>(b: B, flat: &Flat, ks: &[u64], out: &mut [u64]) {
    let samples = &flat.samples[usize::from(ZEROS)];
    let mut places = [(0u64, 0u32); BATCH];
    for (ks, out) in ks.chunks(BATCH).zip(out.chunks_mut(BATCH)) {
        for &k in ks {
            prefetch(samples.address(k));
        }
        for &k in ks {
            prefetch(flat.entry(samples.between(k, flat.last).0).cast());
        }
        for (&k, place) in ks.iter().zip(&mut places) {
            *place = block_of::<B, ZEROS>(b, flat, superblock_of::<B, ZEROS>(b, flat, k), k);
            prefetch(flat.block(place.0).cast());
        }
        for (&(number, k), out) in places.iter().zip(out) {
            // SAFETY: the block is within the region.
            let position = unsafe { b.select::<ZEROS>(flat.block(number), k) };
            *out = number * block::BITS + u64::from(position);
        }
    }
}

/// Processes one superblock at a time, so that the copied bits are counted while they are in the
/// first-level cache.
///
/// # Safety
/// As for [`Flat::build`].
#[inline(always)]
unsafe fn build_with<B: Block>(_: B, flat: &Flat, from: *const u64, length: u64) -> u64 {
    const WORDS: usize = (SUPERBLOCK / 64) as usize;
    let words = length.div_ceil(64) as usize;
    let all = (flat.last_block as usize + 1) * block::WORDS;
    let mut total = 0;
    for superblock in 0..=flat.last_entry {
        let start = superblock as usize * WORDS;
        let end = (start + WORDS).min(words);
        // SAFETY: the words at `from` are readable, as guaranteed by the caller; if they change at
        // the same time, the result is some mixture. The entry is within the index.
        unsafe {
            if start < end {
                std::ptr::copy_nonoverlapping(from.add(start), flat.bits.add(start), end - start);
            }
            if superblock == flat.last {
                if !length.is_multiple_of(64) {
                    let tail = word(flat.bits, words - 1);
                    tail.store(tail.load(Relaxed) & ((1 << (length % 64)) - 1), Relaxed);
                }
                flat.bits.add(words).write_bytes(0, all - words);
            }
            let ((low, high), ones) = flat.entry_for(superblock, total);
            word(flat.entry(superblock), 0).store(low, Relaxed);
            word(flat.entry(superblock), 1).store(high, Relaxed);
            total += ones;
        }
    }
    total
}
