//! In-place radix sort, most significant digit first. It is used if memory for
//! [`radix`](super::radix) is refused, and for bytes, where it is a counting sort. Not stable. This
//! is the American flag sort of McIlroy, Bostic and McIlroy ("Engineering radix sort", 1993).
//!
//! **Another thread may write** to the slots at the same time. Counts and elements then disagree.
//! Each step still advances the end of one bucket, within bounds that were computed once, so the
//! sort terminates and accesses nothing else.

use crate::region::element::{Slot, Word};

const RADIX: usize = 256;
/// Buckets of up to this many elements are sorted by insertion.
const FEW: usize = 32;

/// Sorts `slots` by `encode`. `decode` is its inverse.
pub(crate) fn sort<W: Word>(slots: &[W::Slot], encode: impl Fn(W) -> W, decode: impl Fn(W) -> W) {
    slots.iter().for_each(|slot| slot.set(encode(slot.get())));
    if W::DIGITS == 1 {
        count::<W>(slots);
    } else {
        by_digit::<W>(slots, W::DIGITS - 1);
    }
    slots.iter().for_each(|slot| slot.set(decode(slot.get())));
}

/// Counting sort for bytes: the number of occurrences of each value determines the result.
fn count<W: Word>(slots: &[W::Slot]) {
    let mut counts = [0usize; RADIX];
    slots.iter().for_each(|slot| counts[slot.get().key() as usize % RADIX] += 1);
    let mut rest = slots;
    for (value, &count) in counts.iter().enumerate() {
        let (same, others) = rest.split_at(count.min(rest.len()));
        same.iter().for_each(|slot| slot.set(W::from_key(value as u64)));
        rest = others;
    }
}

fn by_digit<W: Word>(slots: &[W::Slot], digit: usize) {
    if slots.len() <= FEW {
        return insert::<W>(slots);
    }
    let value_of = |word: W| (word.key() >> (8 * digit)) as usize % RADIX;
    let mut counts = [0usize; RADIX];
    slots.iter().for_each(|slot| counts[value_of(slot.get())] += 1);
    let (mut next, mut ends) = ([0; RADIX], [0; RADIX]);
    let mut end = 0;
    for value in 0..RADIX {
        next[value] = end;
        end += counts[value];
        ends[value] = end;
    }
    for home in 0..RADIX {
        while next[home] < ends[home] {
            let place = next[home];
            let mut word = slots[place].get();
            // Follow the chain of displaced elements until one belongs here.
            loop {
                let value = value_of(word);
                if value == home || next[value] >= ends[value] {
                    break;
                }
                let slot = &slots[next[value]];
                next[value] += 1;
                let displaced = slot.get();
                slot.set(word);
                word = displaced;
            }
            slots[place].set(word);
            next[home] += 1;
        }
    }
    if digit > 0 {
        let mut start = 0;
        for end in ends {
            by_digit::<W>(&slots[start..end], digit - 1);
            start = end;
        }
    }
}

fn insert<W: Word>(slots: &[W::Slot]) {
    for at in 1..slots.len() {
        let word = slots[at].get();
        let mut to = at;
        while to > 0 && slots[to - 1].get() > word {
            slots[to].set(slots[to - 1].get());
            to -= 1;
        }
        slots[to].set(word);
    }
}
