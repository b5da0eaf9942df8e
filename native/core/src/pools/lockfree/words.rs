//! The words that threads share. All atomics are in this file, so that loom can replace them.

use std::sync::atomic::{AtomicU32, Ordering};

/// Words of 32 bits that several threads read and write, by index.
pub trait Words {
    /// Reads a word with acquire ordering.
    fn load(&self, index: usize) -> u32;
    /// Reads the most recent value of a word by a read-modify-write operation.
    fn confirm(&self, index: usize) -> u32;
    /// Writes a word with release ordering.
    fn store(&self, index: usize, value: u32);
    /// Writes `new` if the word is `old`; otherwise returns its value.
    fn swap(&self, index: usize, old: u32, new: u32) -> Result<(), u32>;
    /// The number of words.
    fn count(&self) -> usize;
    /// As `load`, without a bounds check.
    ///
    /// # Safety
    /// The index is less than `count()`.
    unsafe fn load_unchecked(&self, index: usize) -> u32;
    /// Replaces a word that no other thread writes by the result of `change`, unless that is
    /// `None`. Returns whether it did.
    ///
    /// # Safety
    /// The index is less than `count()`.
    unsafe fn update_unchecked(&self, index: usize, change: impl FnOnce(u32) -> Option<u32>) -> bool;
    /// Called in loops that wait for other threads, with the number of the round.
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
        // SAFETY: the index was checked.
        unsafe { self.at_unchecked(index) }
    }

    /// # Safety
    /// The index is less than `count`.
    #[inline(always)]
    unsafe fn at_unchecked(&self, index: usize) -> &AtomicU32 {
        debug_assert!(index < self.count, "a word outside the pool");
        // SAFETY: the index is in bounds, guaranteed by the caller; `new` requires valid memory
        // that other threads access through atomics only.
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
    unsafe fn load_unchecked(&self, index: usize) -> u32 {
        // SAFETY: the index is in bounds, guaranteed by the caller.
        unsafe { self.at_unchecked(index) }.load(Ordering::Acquire)
    }

    #[inline(always)]
    unsafe fn update_unchecked(&self, index: usize, change: impl FnOnce(u32) -> Option<u32>) -> bool {
        // SAFETY: the index is in bounds, guaranteed by the caller.
        let word = unsafe { self.at_unchecked(index) };
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
