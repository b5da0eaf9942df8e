//! Binary search in a vector sorted by [`sort`](super::sort).
//!
//! The loop halves the range without an unpredictable branch (Khuong and Morin, "Array layouts for
//! comparison-based searching", 2017). Many values are searched in groups whose steps are
//! interleaved, so that their cache misses overlap.
//!
//! −0 equals 0, and all NaNs are equal, as in `Array.prototype.includes`.

use crate::region::element::{Element, Slot, Word};

/// Interleaved searches.
const GROUP: usize = 8;

type SlotOf<T> = <<T as Element>::Word as Word>::Slot;

#[inline(always)]
fn key_at<T: Element>(slots: &[SlotOf<T>], at: usize) -> T::Word {
    T::encode_for_search(slots[at].get())
}

/// The index of the first element equal to that of `word`. If there is none, −(i + 1), where i is
/// the index of the first greater element, or the length.
pub(crate) fn search<T: Element>(slots: &[SlotOf<T>], word: T::Word) -> i64 {
    let key = T::encode_for_search(word);
    let (mut base, mut len) = (0, slots.len());
    while len > 1 {
        let half = len / 2;
        base += if key_at::<T>(slots, base + half - 1) < key { half } else { 0 };
        len -= half;
    }
    answer::<T>(slots, base, key)
}

/// Runs [`search`] for each of `words`, and calls `found` with the results in order.
pub(crate) fn search_many<T: Element>(
    slots: &[SlotOf<T>],
    words: &[SlotOf<T>],
    mut found: impl FnMut(usize, i64),
) {
    for (group, words) in words.chunks(GROUP).enumerate() {
        let mut keys = [T::Word::default(); GROUP];
        keys.iter_mut().zip(words).for_each(|(key, word)| *key = T::encode_for_search(word.get()));
        let mut bases = [0; GROUP];
        let mut len = slots.len();
        while len > 1 {
            let half = len / 2;
            for (base, &key) in bases.iter_mut().zip(&keys) {
                *base += if key_at::<T>(slots, *base + half - 1) < key { half } else { 0 };
            }
            len -= half;
        }
        for i in 0..words.len() {
            found(group * GROUP + i, answer::<T>(slots, bases[i], keys[i]));
        }
    }
}

/// The result for an index before which all elements are less than `key`, and from which on none
/// is.
#[inline(always)]
fn answer<T: Element>(slots: &[SlotOf<T>], base: usize, key: T::Word) -> i64 {
    let Some(slot) = slots.get(base) else { return -1 };
    let there = T::encode_for_search(slot.get());
    // Indices are below 2^63, because an element has at least one byte.
    if there == key { base as i64 } else { -((base + usize::from(there < key)) as i64) - 1 }
}
