//! The words that threads share: the one place where atomics are, so that loom can stand in for
//! them.

use std::sync::atomic::{AtomicU32, Ordering};

/// Words of 32 bits that several threads read and write, by index.
pub trait Words {
    /// Reads a word, and sees what was written before it was.
    fn load(&self, index: usize) -> u32;
    /// Reads a word as the last in its order of changes, and takes a place in that order.
    fn confirm(&self, index: usize) -> u32;
    /// Writes a word, after what was written before.
    fn store(&self, index: usize, value: u32);
    /// Writes `new` if the word is `old`; else says what it is.
    fn swap(&self, index: usize, old: u32, new: u32) -> Result<(), u32>;
    /// How many words there are.
    fn count(&self) -> usize;
    /// As `load`, without looking at the index.
    ///
    /// # Safety
    /// The index is less than `count()`.
    unsafe fn load_known(&self, index: usize) -> u32;
    /// Writes what `change` makes of a word that no other thread writes, unless that is `None`.
    /// Returns whether it did.
    ///
    /// # Safety
    /// The index is less than `count()`.
    unsafe fn change_known(&self, index: usize, change: impl FnOnce(u32) -> Option<u32>) -> bool;
    /// Called in loops that wait for others, with the number of the round.
    fn pause(&self, round: u32);
}

/// Words of a region.
#[derive(Clone, Copy, Debug)]
pub struct RegionWords {
    base: *mut u32,
    count: usize,
}

impl RegionWords {
    /// # Safety
    /// While this value or a copy of it is used, `base` is aligned and valid for reading and
    /// writing `count` words, which other threads reach through atomics only.
    #[must_use]
    pub unsafe fn new(base: *mut u32, count: usize) -> RegionWords {
        RegionWords { base, count }
    }

    #[inline(always)]
    fn at(&self, index: usize) -> &AtomicU32 {
        assert!(index < self.count, "a word outside the pool");
        // SAFETY: in bounds.
        unsafe { self.at_known(index) }
    }

    /// # Safety
    /// The index is less than `count`.
    #[inline(always)]
    unsafe fn at_known(&self, index: usize) -> &AtomicU32 {
        debug_assert!(index < self.count, "a word outside the pool");
        // SAFETY: in bounds by the caller's word, and atomics all along by the constructor's.
        unsafe { AtomicU32::from_ptr(self.base.add(index)) }
    }
}

impl Words for RegionWords {
    #[inline(always)]
    fn load(&self, index: usize) -> u32 {
        self.at(index).load(Ordering::Acquire)
    }

    #[inline(always)]
    fn confirm(&self, index: usize) -> u32 {
        self.at(index).fetch_or(0, Ordering::AcqRel)
    }

    #[inline(always)]
    fn store(&self, index: usize, value: u32) {
        self.at(index).store(value, Ordering::Release);
    }

    #[inline(always)]
    fn swap(&self, index: usize, old: u32, new: u32) -> Result<(), u32> {
        self.at(index).compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire).map(|_| ())
    }

    #[inline(always)]
    fn count(&self) -> usize {
        self.count
    }

    #[inline(always)]
    unsafe fn load_known(&self, index: usize) -> u32 {
        // SAFETY: the caller's word.
        unsafe { self.at_known(index) }.load(Ordering::Acquire)
    }

    #[inline(always)]
    unsafe fn change_known(&self, index: usize, change: impl FnOnce(u32) -> Option<u32>) -> bool {
        // SAFETY: the caller's word.
        let word = unsafe { self.at_known(index) };
        let changed = change(word.load(Ordering::Acquire));
        changed.inspect(|&value| word.store(value, Ordering::Release)).is_some()
    }

    #[cold]
    fn pause(&self, round: u32) {
        match round {
            0..8 => std::hint::spin_loop(),
            8..64 => std::thread::yield_now(),
            _ => std::thread::sleep(std::time::Duration::from_micros(50)),
        }
    }
}
