//! The words of the region, which every thread and process may read and write.
//!
//! All accesses of a SharedMap go through [`Words`]. They are atomic and bounds-checked, so that no
//! contents of the region, hostile or torn, can cause an access outside it: a load past the end
//! gives 0, a store past the end does nothing. The other files of the module therefore contain no
//! unsafe code; they only have to ensure that loops end.
//!
//! In unit tests each store passes through [`simulator::step`], which can stop the writer after it.

use crate::region::memory::Memory;
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering};

/// The region as words of 32 bits. Indices are byte offsets divided by 4.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    base: *mut u32,
    count: usize,
}

// SAFETY: all accesses are atomic, and the memory is valid for every thread that the creator of the
// value allows to use it.
unsafe impl Send for Words {}

impl Words {
    /// The words of a region.
    ///
    /// # Safety
    /// While this value or a copy of it is used, the memory is valid for reading and, if a method
    /// that writes is called, for writing. Other threads access it through atomics only.
    pub(crate) unsafe fn new(memory: Memory) -> Words {
        Words { base: memory.base().cast(), count: memory.len() / 4 }
    }

    /// The number of words.
    #[inline(always)]
    pub fn count(self) -> usize {
        self.count
    }

    #[inline(always)]
    fn at(&self, index: usize) -> Option<&AtomicU32> {
        // SAFETY: the index is less than the count; `new` requires valid memory that other threads
        // access through atomics only; the base is a multiple of 8.
        (index < self.count).then(|| unsafe { AtomicU32::from_ptr(self.base.add(index)) })
    }

    #[inline(always)]
    fn byte_at(&self, byte: usize) -> Option<&AtomicU8> {
        // SAFETY: as in `at`.
        (byte / 4 < self.count).then(|| unsafe { AtomicU8::from_ptr(self.base.cast::<u8>().add(byte)) })
    }

    /// Two words in one access. The index is even.
    #[inline(always)]
    fn double_at(&self, index: usize) -> Option<&AtomicU64> {
        // SAFETY: as in `at`; an even index is a multiple of 8 bytes.
        (index + 1 < self.count && index.is_multiple_of(2))
            .then(|| unsafe { AtomicU64::from_ptr(self.base.add(index).cast()) })
    }

    /// Loads a word.
    #[inline(always)]
    pub fn load(self, index: usize) -> u32 {
        self.at(index).map_or(0, |word| word.load(Ordering::Relaxed))
    }

    /// Loads a word before everything that is read after it.
    #[inline(always)]
    pub fn acquire(self, index: usize) -> u32 {
        self.at(index).map_or(0, |word| word.load(Ordering::Acquire))
    }

    /// Starts to load the cache line of a word.
    #[inline(always)]
    pub(crate) fn prefetch(self, index: usize) {
        if let Some(word) = self.at(index) {
            crate::cpu::prefetch(std::ptr::from_ref(word).cast());
        }
    }

    /// Stores a word.
    #[inline(always)]
    pub fn store(self, index: usize, value: u32) {
        if let Some(word) = self.at(index) {
            word.store(value, Ordering::Relaxed);
        }
        simulator::step();
    }

    /// Stores a word after everything that was written before it.
    #[inline(always)]
    pub fn release(self, index: usize, value: u32) {
        if let Some(word) = self.at(index) {
            word.store(value, Ordering::Release);
        }
        simulator::step();
    }

    /// Stores `new` if the word is `old`.
    #[inline(always)]
    pub fn swap(self, index: usize, old: u32, new: u32) -> bool {
        let done = self
            .at(index)
            .is_some_and(|word| word.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire).is_ok());
        simulator::step();
        done
    }

    /// Stores a word and returns its former value.
    #[inline(always)]
    pub fn exchange(self, index: usize, value: u32) -> u32 {
        let old = self.at(index).map_or(0, |word| word.swap(value, Ordering::AcqRel));
        simulator::step();
        old
    }

    /// Adds to a word that several threads write, and returns its former value.
    #[inline(always)]
    pub fn add(self, index: usize, value: u32) -> u32 {
        let old = self.at(index).map_or(0, |word| word.fetch_add(value, Ordering::AcqRel));
        simulator::step();
        old
    }

    /// Adds to a word that only the holder of a lock writes.
    #[inline(always)]
    pub fn bump(self, index: usize, value: u32) {
        self.store(index, self.load(index).wrapping_add(value));
    }

    /// Adds to a counter of two words that only the holder of a lock writes.
    #[inline(always)]
    pub fn count_up(self, index: usize, value: u64) {
        if let Some(words) = self.double_at(index) {
            words.store(words.load(Ordering::Relaxed).wrapping_add(value), Ordering::Relaxed);
        }
    }

    /// Loads two words.
    #[inline(always)]
    pub fn load_double(self, index: usize) -> u64 {
        self.double_at(index).map_or(0, |words| words.load(Ordering::Relaxed))
    }

    /// Stores two words.
    #[inline(always)]
    pub fn store_double(self, index: usize, value: u64) {
        if let Some(words) = self.double_at(index) {
            words.store(value, Ordering::Relaxed);
        }
        simulator::step();
    }

    /// Loads a byte.
    #[inline(always)]
    pub fn load_byte(self, byte: usize) -> u8 {
        self.byte_at(byte).map_or(0, |place| place.load(Ordering::Relaxed))
    }

    /// Stores a byte.
    #[inline(always)]
    pub fn store_byte(self, byte: usize, value: u8) {
        if let Some(place) = self.byte_at(byte) {
            place.store(value, Ordering::Relaxed);
        }
        simulator::step();
    }

    /// Writes bytes from a word on. The last word is filled up with zeros.
    pub fn write_bytes(self, index: usize, bytes: &[u8]) {
        let mut chunks = bytes.chunks_exact(4);
        let mut at = index;
        for chunk in &mut chunks {
            if let (Some(word), &[a, b, c, d]) = (self.at(at), chunk) {
                word.store(u32::from_le_bytes([a, b, c, d]), Ordering::Relaxed);
            }
            at += 1;
        }
        let rest = chunks.remainder();
        if !rest.is_empty() {
            let mut last = [0; 4];
            last[..rest.len()].copy_from_slice(rest);
            if let Some(word) = self.at(at) {
                word.store(u32::from_le_bytes(last), Ordering::Relaxed);
            }
        }
        simulator::step();
    }

    /// Appends `length` bytes from a word on to `out`, which has room for them. Words past the end
    /// of the region are read as zeros.
    pub fn read_bytes(self, index: usize, length: usize, out: &mut Vec<u8>) {
        let whole = length / 4;
        for at in index..index + whole {
            out.extend_from_slice(&self.load(at).to_le_bytes());
        }
        let rest = length % 4;
        if rest > 0 {
            out.extend_from_slice(&self.load(index + whole).to_le_bytes()[..rest]);
        }
    }

    /// Whether these bytes, filled up with zeros, are in the words from `index` on.
    #[inline]
    pub fn equals(self, index: usize, bytes: &[u8]) -> bool {
        let mut chunks = bytes.chunks_exact(4);
        let mut at = index;
        for chunk in &mut chunks {
            let &[a, b, c, d] = chunk else { return false };
            if self.load(at) != u32::from_le_bytes([a, b, c, d]) {
                return false;
            }
            at += 1;
        }
        let rest = chunks.remainder();
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        rest.is_empty() || self.load(at) == u32::from_le_bytes(last)
    }

    /// Copies words within the region. The ranges do not overlap.
    pub fn copy(self, from: usize, to: usize, count: usize) {
        for i in 0..count {
            if let Some(word) = self.at(to + i) {
                word.store(self.load(from + i), Ordering::Relaxed);
            }
        }
        simulator::step();
    }

    /// Sets words to 0.
    pub fn clear(self, index: usize, count: usize) {
        for at in index..index + count {
            if let Some(word) = self.at(at) {
                word.store(0, Ordering::Relaxed);
            }
        }
        simulator::step();
    }

    /// The address of a word, for waiting on it. `None` past the end.
    pub(crate) fn address(&self, index: usize) -> Option<&AtomicU32> {
        self.at(index)
    }
}

/// Stops a writer after a chosen store.
pub(crate) mod simulator {
    #[cfg(test)]
    use std::cell::Cell;

    #[cfg(test)]
    thread_local! {
        /// The number of stores until the writer stops; 0: it does not.
        pub(crate) static REMAINING: Cell<u64> = const { Cell::new(0) };
    }

    /// The payload of the panic that stops a writer.
    #[cfg(test)]
    pub(crate) struct Stopped;

    /// Counts a store.
    #[inline(always)]
    pub(crate) fn step() {
        #[cfg(test)]
        REMAINING.with(|remaining| {
            let left = remaining.get();
            if left > 0 {
                remaining.set(left - 1);
                if left == 1 {
                    std::panic::panic_any(Stopped);
                }
            }
        });
    }
}

/// Orders every store before this point before every store after it.
#[inline(always)]
pub(crate) fn store_fence() {
    std::sync::atomic::fence(Ordering::Release);
}

/// Orders every store before this point before every load after it.
#[inline(always)]
pub(crate) fn full_fence() {
    std::sync::atomic::fence(Ordering::SeqCst);
}

/// Orders every load before this point before every load after it.
#[inline(always)]
pub(crate) fn load_fence() {
    std::sync::atomic::fence(Ordering::Acquire);
}
