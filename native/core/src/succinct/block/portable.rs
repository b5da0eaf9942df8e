//! Portable code, and the parts that all tiers share.

use super::{Block, WINDOW, WORDS, count_of, total_of};
use crate::succinct::runs::generic::word;
use crate::succinct::word::{Portable, Words};
use std::sync::atomic::Ordering::Relaxed;

/// Loads a word of a block or table.
///
/// # Safety
/// The word is readable, and aligned to 8 bytes.
#[inline(always)]
pub(super) unsafe fn load(words: *const u64, index: usize) -> u64 {
    // SAFETY: the word is readable and aligned, as guaranteed by the caller.
    unsafe { word(words, index) }.load(Relaxed)
}

/// Examines the seven counts one by one.
///
/// # Safety
/// As for [`Block::counts_passed`].
#[inline(always)]
pub(super) unsafe fn counts_passed<const ZEROS: bool>(entry: *const u64, k: u32) -> u32 {
    (1..8)
        .map(|block| {
            // SAFETY: the entry is readable and aligned, as guaranteed by the caller.
            let ones = unsafe { count_of(entry, block) };
            // Hostile counts may exceed the number of bits before the block.
            let before = if ZEROS { (512 * block).wrapping_sub(ones) } else { ones };
            u32::from(before <= k)
        })
        .sum()
}

/// Examines the eight entries one by one.
///
/// # Safety
/// As for [`Block::entries_passed`].
#[inline(always)]
pub(super) unsafe fn entries_passed<const ZEROS: bool>(entries: *const u64, first: u64, k: u64) -> u32 {
    (0..WINDOW)
        .map(|i| {
            // SAFETY: the entries are readable and aligned, as guaranteed by the caller.
            let ones = total_of(unsafe { load(entries, 2 * i as usize) });
            let before = if ZEROS { ((first + i) << 12).wrapping_sub(ones) } else { ones };
            u32::from(before <= k)
        })
        .sum()
}

impl Block for Portable {
    #[inline(always)]
    unsafe fn rank(self, block: *const u64, bits: u32) -> u32 {
        let full = bits as usize / 64;
        let mut count = 0;
        for i in 0..full {
            // SAFETY: `bits` is below 512, so the word is within the block, which is readable as
            // guaranteed by the caller.
            count += unsafe { load(block, i) }.count_ones();
        }
        // SAFETY: as above.
        count + (unsafe { load(block, full) } & ((1 << (bits % 64)) - 1)).count_ones()
    }

    #[inline(always)]
    unsafe fn select<const ZEROS: bool>(self, block: *const u64, mut k: u32) -> u32 {
        for i in 0..WORDS {
            // SAFETY: the word is within the block.
            let word = unsafe { load(block, i) };
            let word = if ZEROS { !word } else { word };
            let count = word.count_ones();
            if k < count {
                return i as u32 * 64 + Words::select(self, word, k);
            }
            k -= count;
        }
        511
    }

    #[inline(always)]
    unsafe fn counts_passed<const ZEROS: bool>(self, entry: *const u64, k: u32) -> u32 {
        // SAFETY: the entry is readable and aligned, as guaranteed by the caller.
        unsafe { counts_passed::<ZEROS>(entry, k) }
    }

    #[inline(always)]
    unsafe fn entries_passed<const ZEROS: bool>(self, entries: *const u64, first: u64, k: u64) -> u32 {
        // SAFETY: the entries are readable and aligned, as guaranteed by the caller.
        unsafe { entries_passed::<ZEROS>(entries, first, k) }
    }
}
