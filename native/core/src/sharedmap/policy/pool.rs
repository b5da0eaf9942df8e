//! The pool: the candidates with the least ranks that evictions examined and did not choose.
//!
//! An eviction examines few entries. The pool remembers the best of them, so the choice is nearly
//! as good as one among several times as many (Redis has done so since version 3). The pool is a
//! hint: [`super::super::Map::evict_one`] finds the entry by its hash before it removes it.
//!
//! State: from word 0 on 8 candidates of 4 words: the entry's ref or 0, the first word of the
//! chain, the first word of the bucket plus the slot, and the policy byte in bits 0 to 7 with the
//! entry's units in the others.

use crate::sharedmap::index::Place;
use crate::sharedmap::layout::bucket;
use crate::sharedmap::words::Words;

/// Candidates of a pool.
pub(crate) const MOST: usize = 8;
/// Words of the state that all policies have.
pub(crate) const WORDS: usize = MOST * 4;
const MOST_UNITS: u32 = (1 << 24) - 1;

/// An entry that may be evicted.
#[derive(Clone, Copy)]
pub(crate) struct Candidate {
    /// The least is evicted.
    pub(crate) rank: u32,
    /// The ref of the entry; 0: none.
    pub(crate) reference: u32,
    home: u32,
    bucket: u32,
    slot: u8,
    pub(crate) meta: u8,
    /// The size of the entry divided by 8, for `gdsf`.
    pub(crate) units: u32,
}

impl Candidate {
    const NONE: Candidate =
        Candidate { rank: u32::MAX, reference: 0, home: 0, bucket: 0, slot: 0, meta: 0, units: 1 };

    pub(crate) fn new(place: Place, reference: u32, meta: u8, units: u32, rank: u32) -> Candidate {
        let (home, bucket) = (place.home as u32, place.bucket as u32);
        Candidate { rank, reference, home, bucket, slot: place.slot as u8, meta, units }
    }

    /// Where the entry was.
    pub(crate) fn place(&self) -> Place {
        Place { home: self.home as usize, bucket: self.bucket as usize, slot: self.slot.into() }
    }
}

/// The pool while one entry is chosen.
pub(crate) struct Pool {
    list: [Candidate; MOST],
    /// The rank that a candidate must have less than to enter.
    bar: u32,
}

impl Pool {
    /// Loads the pool of a shard. `rank`: the rank of a policy byte and a size.
    pub(crate) fn load(words: Words, state: usize, rank: impl Fn(u8, u32) -> u32) -> Pool {
        let mut list = [Candidate::NONE; MOST];
        for (index, candidate) in list.iter_mut().enumerate() {
            let at = state + index * 4;
            let reference = words.load(at);
            if reference != 0 {
                let (packed, sized) = (words.load(at + 2), words.load(at + 3));
                let slots = bucket::WORDS as u32;
                *candidate = Candidate {
                    rank: rank(sized as u8, sized >> 8),
                    reference,
                    home: words.load(at + 1),
                    bucket: packed / slots * slots,
                    slot: (packed % slots) as u8,
                    meta: sized as u8,
                    units: sized >> 8,
                };
            }
        }
        let mut pool = Pool { list, bar: 0 };
        pool.raise();
        pool
    }

    /// Stores the pool of a shard.
    pub(crate) fn store(&self, words: Words, state: usize) {
        for (index, candidate) in self.list.iter().enumerate() {
            let at = state + index * 4;
            words.store(at, candidate.reference);
            words.store(at + 1, candidate.home);
            words.store(at + 2, candidate.bucket + u32::from(candidate.slot));
            words.store(at + 3, u32::from(candidate.meta) | candidate.units.min(MOST_UNITS) << 8);
        }
    }

    /// Whether a candidate with this rank would enter the pool.
    #[inline]
    pub(crate) fn accepts(&self, rank: u32) -> bool {
        rank < self.bar
    }

    /// Adds a candidate in place of the one with the greatest rank, unless it is there already.
    pub(crate) fn add(&mut self, candidate: Candidate) {
        let found = self.list.iter().position(|other| other.reference == candidate.reference);
        let greatest = || (0..MOST).max_by_key(|&index| self.list[index].rank).unwrap_or(0);
        let index = found.unwrap_or_else(greatest);
        self.list[index] = candidate;
        self.raise();
    }

    /// Takes the candidate with the least rank.
    pub(crate) fn take(&mut self) -> Option<Candidate> {
        let least = self.list.iter_mut().min_by_key(|candidate| candidate.rank)?;
        let taken = std::mem::replace(least, Candidate::NONE);
        self.bar = u32::MAX;
        (taken.reference != 0).then_some(taken)
    }

    /// The ref of the candidate with the least rank, or 0.
    pub(crate) fn next(&self) -> u32 {
        self.list.iter().min_by_key(|candidate| candidate.rank).map_or(0, |candidate| candidate.reference)
    }

    fn raise(&mut self) {
        self.bar = self.list.iter().map(|candidate| candidate.rank).max().unwrap_or(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region::memory::Memory;

    #[test]
    fn the_least_ranks_stay_and_leave_in_order() {
        let mut memory = vec![0u64; 64];
        // SAFETY: the memory is zeroed, aligned, and outlives the words.
        let words = unsafe { Words::new(Memory::new(memory.as_mut_ptr().cast(), 512).unwrap()) };
        let rank = |meta: u8, units: u32| u32::from(meta) * 10 + units;
        let place = |index: usize| Place { home: 32 * index, bucket: 64 * index, slot: index % 20 };
        for reference in 1..=50usize {
            let mut pool = Pool::load(words, 0, rank);
            let meta = (reference * 7 % 50) as u8;
            if pool.accepts(rank(meta, 3)) {
                pool.add(Candidate::new(place(reference), reference as u32, meta, 3, rank(meta, 3)));
                pool.add(Candidate::new(place(reference), reference as u32, meta, 3, rank(meta, 3)));
            }
            pool.store(words, 0);
        }
        let mut pool = Pool::load(words, 0, rank);
        for meta in 0..8 {
            let candidate = pool.take().unwrap();
            assert_eq!((candidate.meta, candidate.units), (meta, 3));
            let reference = candidate.reference as usize;
            assert_eq!(candidate.place(), place(reference));
        }
        assert!(pool.take().is_none());
    }
}
