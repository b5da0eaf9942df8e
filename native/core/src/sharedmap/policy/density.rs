//! The value of an entry, learned: Least Hit Density (Beckmann, Chen, Cidon, NSDI 2018).
//!
//! The hit density of entries with h hits and age a is the number of hits that such entries had
//! afterward, divided by the time that they occupied the shard until their next hit or their
//! eviction. The entry with the least density is evicted. So loops that are longer than the shard
//! keep their oldest entries, keys that are used a few times in a row and never again leave early,
//! and scans displace nothing, without any of these being recognized as such.
//!
//! Readers count hits by number of hits and age, whenever a hit changes the slot's byte; the holder
//! of the lock counts evictions and computes the densities from time to time. Both lose weight, so
//! that a change of the accesses is learned.
//!
//! The number of hits of an entry that was evicted is remembered for a while by a fingerprint of
//! its key (a _ghost_), and a new entry begins with one more. So keys that come back are told from
//! keys that do not, as in S3-FIFO.
//!
//! State, after the words that all policies have (`pool`): word 32 the evictions since the
//! densities were computed, word 33 the number of computations, word 34 the clock at the last; from
//! word 64 on 256 hits, from word 320 on 256 evictions, from word 576 on 256 densities, each by
//! hits × 32 + age; from word 832 on the ghosts, 16 bits each. Hits and evictions are counted in
//! eighths.

use crate::sharedmap::words::Words;

const CLASSES: usize = 8;
const AGES: usize = 32;
const CELLS: usize = CLASSES * AGES;
const COUNTED: usize = 32;
const COMPUTED: usize = 33;
const COMPUTED_AT: usize = 34;
/// Evictions between two computations, at least.
const FEWEST: u32 = 64;
/// The first hit count.
pub(crate) const HITS: usize = 64;
const EVICTIONS: usize = HITS + CELLS;
const DENSITIES: usize = EVICTIONS + CELLS;
const GHOSTS: usize = DENSITIES + CELLS;
/// What a hit or an eviction adds to its count.
const EVENT: u32 = 8;
/// What an entry without hits adds to the evictions, each time its age would pass the oldest.
/// Without that nothing is learned from entries that are neither hit nor evicted.
const OUTLIVED: u32 = 1;
/// Densities are stored as multiples of this fraction.
const SCALE: f64 = 1_048_576.0;
/// The bytes of a shard for which there is one ghost.
const BYTES_PER_GHOST: u64 = 96;
const HITS_OF_GHOST: u16 = 7;
/// One ghost in four is replaced by only one in this number of evictions. So some are old enough to
/// show that there is a loop several times as long as the shard.
const SLOWER: u32 = 8;

/// Words of the state of a shard of this size in bytes.
pub(crate) fn words(share: u64) -> usize {
    GHOSTS + ghosts(share) / 2
}

fn ghosts(share: u64) -> usize {
    (share / BYTES_PER_GHOST).clamp(64, 1 << 24) as usize / 2 * 2
}

/// Counts a hit of an entry with this many hits at this age.
#[inline]
pub(crate) fn count_hit(words: Words, state: usize, hits: u8, age: u8) {
    words.bump(state + HITS + cell(hits, age), EVENT);
}

/// Counts that an entry grew older than the oldest age.
pub(crate) fn count_outlived(words: Words, state: usize, hits: u8, age: u8) {
    words.bump(state + EVICTIONS + cell(hits, age), OUTLIVED);
}

/// Counts an eviction.
pub(crate) fn count_eviction(words: Words, state: usize, hits: u8, age: u8, clock: u32) {
    words.bump(state + EVICTIONS + cell(hits, age), EVENT);
    words.bump(state + COUNTED, 1);
    if words.load(state + COUNTED) >= FEWEST && words.load(state + COMPUTED_AT) != clock {
        words.store(state + COMPUTED_AT, clock);
        compute(words, state);
    }
}

/// The density of a class; computed if it never was.
#[inline]
pub(crate) fn of(words: Words, state: usize, hits: u8, age: u8) -> u32 {
    if words.load(state + COMPUTED) == 0 {
        compute(words, state);
    }
    words.load(state + DENSITIES + cell(hits, age))
}

fn cell(hits: u8, age: u8) -> usize {
    (hits as usize % CLASSES) * AGES + age as usize % AGES
}

/// Remembers the hits of an entry that is evicted.
pub(crate) fn remember(words: Words, state: usize, share: u64, hash: u32, hits: u8) {
    let (at, shift, fingerprint) = ghost(state, share, hash);
    let both = words.load(at);
    let is_slow = shift == 0 && at.is_multiple_of(2);
    if is_slow && both & 0xffff != 0 && !words.load(state + COUNTED).is_multiple_of(SLOWER) {
        return;
    }
    let both = both & !(0xffff << shift);
    words.store(at, both | u32::from(fingerprint | u16::from(hits) & HITS_OF_GHOST) << shift);
}

/// The hits with which a new entry begins.
pub(crate) fn recall(words: Words, state: usize, share: u64, hash: u32) -> u8 {
    let (at, shift, fingerprint) = ghost(state, share, hash);
    let found = (words.load(at) >> shift) as u16;
    if found & !HITS_OF_GHOST != fingerprint {
        return 0;
    }
    ((found & HITS_OF_GHOST) + 1).min(CLASSES as u16 - 1) as u8
}

/// The word and the shift of the ghost of a hash, and its fingerprint, which is not 0.
fn ghost(state: usize, share: u64, hash: u32) -> (usize, u32, u16) {
    // The bits that choose the shard and the bucket must not choose the ghost alone.
    let mixed = u64::from(hash).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let index = (((mixed >> 32) * ghosts(share) as u64) >> 32) as usize;
    let fingerprint = (mixed >> 8) as u16 & !HITS_OF_GHOST;
    (state + GHOSTS + index / 2, (index as u32 % 2) * 16, fingerprint.max(HITS_OF_GHOST + 1))
}

#[cold]
fn compute(words: Words, state: usize) {
    for class in 0..CLASSES {
        // The belief before anything was counted: entries that were used before are used
        // again, the more the more often, and so are worth a trial; the others are not.
        let belief = if class == 0 { 0.0 } else { f64::from(1u32 << class) * 0.5 };
        let (mut hits, mut events, mut time) = (0.0, 0.0, 0.0);
        for age in (0..AGES).rev() {
            let at = class * AGES + age;
            let (hit, evicted) = (words.load(state + HITS + at), words.load(state + EVICTIONS + at));
            hits += f64::from(hit) / f64::from(EVENT);
            events += (f64::from(hit) + f64::from(evicted)) / f64::from(EVENT);
            time += events;
            let expected = belief * 0.81f64.powi(age as i32);
            let density = (hits + expected) / (time + 8.0) * SCALE;
            // Without hits the oldest leave first.
            let youth = ((AGES - age) * 16) as f64;
            words.store(state + DENSITIES + at, (density + youth) as u32);
            words.store(state + HITS + at, hit - hit / 8);
            words.store(state + EVICTIONS + at, evicted - evicted / 8);
        }
    }
    words.store(state + COUNTED, 0);
    words.bump(state + COMPUTED, 1);
}
