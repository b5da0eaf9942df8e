//! The pool: candidates that were nearly evicted, which the next eviction considers again.
//!
//! An eviction examines few entries. The pool remembers the best of them, so that the choice is
//! nearly as good as one among several times as many (Redis has done so since version 3). What the
//! pool contains is a hint: [`super::super::Map::evict_one`] finds the entry by its hash before it
//! removes it.
//!
//! State: from word 0 on 8 candidates of 4 words: the entry's ref, the first words of the chain and
//! of the bucket, and the slot in bits 0 to 7 with the entry's units in the others.

use crate::sharedmap::index::Place;
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
    pub(crate) place: Place,
    /// The ref of the entry; 0: none.
    pub(crate) reference: u32,
    pub(crate) meta: u8,
    /// The size of the entry divided by 8, for `gdsf`.
    pub(crate) units: u32,
}

impl Candidate {
    pub(crate) const NONE: Candidate = Candidate {
        rank: u32::MAX,
        place: Place { home: 0, bucket: 0, slot: 0 },
        reference: 0,
        meta: 0,
        units: 1,
    };
}

/// The candidate at an index, if its lane still refers to the entry. Rank and policy byte are
/// not known.
pub(crate) fn load(words: Words, state: usize, index: usize) -> Option<Candidate> {
    let at = state + index * 4;
    let reference = words.load(at);
    let packed = words.load(at + 3);
    let place = Place {
        home: words.load(at + 1) as usize,
        bucket: words.load(at + 2) as usize,
        slot: (packed & 255) as usize,
    };
    let is_there = reference != 0 && words.load(place.lane()) == reference;
    is_there.then_some(Candidate { place, reference, units: packed >> 8, ..Candidate::NONE })
}

/// Stores a candidate.
pub(crate) fn store(words: Words, state: usize, index: usize, candidate: &Candidate) {
    let at = state + index * 4;
    words.store(at, candidate.reference);
    words.store(at + 1, candidate.place.home as u32);
    words.store(at + 2, candidate.place.bucket as u32);
    words.store(at + 3, candidate.place.slot as u32 | candidate.units.min(MOST_UNITS) << 8);
}
