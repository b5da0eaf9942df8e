//! Eight inline entries: keys from the start of a cache line, their number, then values.
//!
//! Invariant: the first `len` keys and values are initialized. The bytes of the other keys are also
//! initialized (zeros, or earlier contents), because a search reads all eight.

use super::INLINE_CAPACITY;
use super::key::{Key, Keys, Search};
use std::mem::MaybeUninit;
use std::num::NonZero;

#[repr(C, align(64))]
pub(super) struct Inline<K: Key, V> {
    keys: Keys<K>,
    /// 1 + the number of entries. It is never 0, which lets the compiler distinguish an inline map
    /// from a promoted one.
    count: NonZero<u8>,
    values: [MaybeUninit<V>; INLINE_CAPACITY],
}

/// The stored count for `len` entries.
const fn count(len: usize) -> NonZero<u8> {
    NonZero::<u8>::MIN.saturating_add(len as u8)
}

impl<K: Key, V> Inline<K, V> {
    #[inline]
    pub(super) const fn new() -> Self {
        Inline {
            keys: Keys::new(),
            values: [const { MaybeUninit::uninit() }; INLINE_CAPACITY],
            count: count(0),
        }
    }

    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.count.get() as usize - 1
    }

    #[inline(always)]
    pub(super) fn find(&self, key: &K::Query) -> Option<usize> {
        K::Search::position(&self.keys, self.len(), key)
    }

    #[inline(always)]
    pub(super) fn columns(&self) -> (*const K, *const V) {
        (self.keys.at(0), self.values.as_ptr().cast())
    }

    #[inline(always)]
    pub(super) fn columns_mut(&mut self) -> (*const K, *mut V) {
        (self.keys.at(0), self.values.as_mut_ptr().cast())
    }

    /// Appends an entry and returns its position. There must be fewer than eight entries.
    #[inline(always)]
    pub(super) fn push(&mut self, key: K, value: V) -> usize {
        let at = self.len();
        assert!(at < INLINE_CAPACITY, "no inline room");
        // SAFETY: the index is below eight, and the position is free.
        unsafe { self.keys.at(at).write(key) };
        self.values[at].write(value);
        self.count = count(at + 1);
        at
    }

    /// Removes an entry, and moves the following ones up.
    pub(super) fn remove(&mut self, at: usize) -> (K, V) {
        assert!(at < self.len(), "no entry at {at}");
        let following = self.len() - at - 1;
        // SAFETY: there is an entry at `at`, which is read once, and `following` entries after it.
        unsafe {
            let key = self.keys.at(at).read();
            let values = self.values.as_mut_ptr().cast::<V>().add(at);
            let value = values.read();
            self.count = count(at + following);
            std::ptr::copy(self.keys.at(at + 1), self.keys.at(at), following);
            std::ptr::copy(values.add(1), values, following);
            (key, value)
        }
    }

    /// Forgets the entries, which were moved out.
    #[inline]
    pub(super) fn forget(&mut self) {
        self.count = count(0);
    }
}

impl<K: Key, V> Drop for Inline<K, V> {
    fn drop(&mut self) {
        let len = self.len();
        self.forget();
        let (keys, values) = (self.keys.at(0), self.values.as_mut_ptr().cast::<V>());
        // SAFETY: the first `len` entries are initialized, and are not used again.
        unsafe {
            std::ptr::slice_from_raw_parts_mut(keys, len).drop_in_place();
            std::ptr::slice_from_raw_parts_mut(values, len).drop_in_place();
        }
    }
}
