//! Batches of keys that pass through the index together, so that their memory accesses overlap.
//!
//! A batch is hashed, which prefetches its buckets ([`Batch::load`]); its tags are compared, which
//! prefetches keys and values ([`Batch::candidates`]); then its keys are compared
//! ([`Batch::decide`]).

use crate::cpu::prefetch;
use crate::hashmap::raw::{RawKey, RawMap};
use crate::table::group::{Group, Native};
use crate::table::hash::{canonical, tag};

/// Keys in a batch. Measured on Zen 5 with 10^7 entries: 30 ns per key with 32, 26 with 64, 20 with
/// 128, 19 with 256 and 512. The limit is then three cache lines per key at the 4 to 5 ns each that
/// one core can load from memory: prefetching the buckets of the next batch before the keys of this
/// one are compared was tried, and gains nothing.
pub(crate) const BATCH: usize = 256;
/// The position of a missing key. Greater than every capacity.
pub(crate) const MISSING: u32 = u32::MAX;
/// The position of a key whose search continues past its home bucket.
const UNDECIDED: u32 = u32::MAX - 1;

/// Loads keys of one type from an array.
pub(crate) trait Load {
    type Key: RawKey;
    /// # Safety
    /// `keys` has an element of this type at `index`, and is aligned for it.
    unsafe fn load(keys: *const u8, index: usize) -> Self::Key;
}

/// 4-byte integers.
pub(crate) struct Narrow;
/// 8-byte integers.
pub(crate) struct Wide;
/// 8-byte floats.
pub(crate) struct Float;

impl Load for Narrow {
    type Key = u32;
    #[inline(always)]
    unsafe fn load(keys: *const u8, index: usize) -> u32 {
        // SAFETY: the caller guarantees that the array has the element and is aligned.
        unsafe { keys.cast::<u32>().add(index).read_volatile() }
    }
}

impl Load for Wide {
    type Key = u64;
    #[inline(always)]
    unsafe fn load(keys: *const u8, index: usize) -> u64 {
        // SAFETY: the caller guarantees that the array has the element and is aligned.
        unsafe { keys.cast::<u64>().add(index).read_volatile() }
    }
}

impl Load for Float {
    type Key = u64;
    #[inline(always)]
    unsafe fn load(keys: *const u8, index: usize) -> u64 {
        // SAFETY: the caller guarantees that the array has the element and is aligned.
        canonical(unsafe { Wide::load(keys, index) })
    }
}

/// One batch: keys, their hashes, and, after resolving, their positions (or [`MISSING`]).
pub(crate) struct Batch<K> {
    pub(crate) keys: [K; BATCH],
    pub(crate) hashes: [u32; BATCH],
    pub(crate) positions: [u32; BATCH],
    count: usize,
}

impl<K: RawKey> Batch<K> {
    /// Loads and hashes keys, and prefetches their buckets.
    ///
    /// # Safety
    /// `keys` has `count` elements from `from` on, at most [`BATCH`]; the map's keys have the type
    /// of `L`.
    #[inline(always)]
    pub(crate) unsafe fn load<L: Load<Key = K>>(
        map: &RawMap,
        keys: *const u8,
        from: usize,
        count: usize,
    ) -> Batch<K> {
        debug_assert!(0 < count && count <= BATCH);
        // SAFETY: the caller guarantees that there is at least one element.
        let first = unsafe { L::load(keys, from) };
        let mut batch =
            Batch { keys: [first; BATCH], hashes: [0; BATCH], positions: [MISSING; BATCH], count };
        for i in 0..count {
            // SAFETY: the index is below `count`.
            let key = unsafe { L::load(keys, from + i) };
            let hash = key.hash(map.seeds());
            batch.keys[i] = key;
            batch.hashes[i] = hash;
            prefetch(map.index().address(map.home(hash)));
        }
        batch
    }

    /// Finds a candidate for each key by its tag, and prefetches the keys and values of candidates.
    ///
    /// Has no branches on practically random conditions: a branch that is mispredicted while its
    /// cache line is being loaded discards the work that should overlap with the load.
    #[inline(always)]
    pub(crate) fn candidates(&mut self, map: &RawMap, value_width: usize) {
        let index = map.index();
        let ask = |position: u32| {
            prefetch(map.key_address::<K>(position));
            if value_width != 0 {
                prefetch(map.value_address(position, value_width));
            }
        };
        // Searches that continue past their home bucket: the key and its next bucket.
        let mut pending = [(0u32, 0u32); BATCH];
        let mut more = 0;
        for i in 0..self.count {
            let hash = self.hashes[i];
            let home = map.home(hash);
            let lanes = index.load::<Native>(home).matches(tag(hash));
            // Lane 0 is used if there is none; the lane itself is used if there is no second one.
            let lane = if lanes == 0 { 0 } else { lanes.trailing_zeros() };
            let rest = lanes & lanes.wrapping_sub(1);
            let second = if rest == 0 { lane } else { rest.trailing_zeros() };
            let position = index.position(home, lane);
            ask(position);
            prefetch(map.key_address::<K>(index.position(home, second)));
            let over = index.overflow(home) != 0;
            let absent = if over { UNDECIDED } else { MISSING };
            self.positions[i] = if lanes == 0 { absent } else { position };
            pending[more] = (i as u32, index.next(home));
            more += usize::from(over && lanes == 0);
        }
        // Rounds, each of which prefetches all its buckets first. Long chains occur in maps that
        // are nearly full; longer ones than this occur in hostile maps only, and are looked up one
        // by one.
        for _ in 0..16 {
            let waiting = more;
            if waiting == 0 {
                break;
            }
            more = 0;
            for &(_, bucket) in &pending[..waiting] {
                prefetch(index.address(bucket));
            }
            for at in 0..waiting {
                let (i, bucket) = pending[at];
                let lanes = index.load::<Native>(bucket).matches(tag(self.hashes[i as usize]));
                let lane = if lanes == 0 { 0 } else { lanes.trailing_zeros() };
                let position = index.position(bucket, lane);
                if lanes != 0 {
                    ask(position);
                }
                let over = index.overflow(bucket) != 0;
                let absent = if over { UNDECIDED } else { MISSING };
                self.positions[i as usize] = if lanes == 0 { absent } else { position };
                pending[more] = (i, index.next(bucket));
                more += usize::from(over && lanes == 0);
            }
        }
    }

    /// Compares the keys. After that, each position is below `used`, or [`MISSING`].
    ///
    /// # Safety
    /// The map's keys have the representation `K`.
    #[inline(always)]
    pub(crate) unsafe fn decide(&mut self, map: &RawMap) {
        let index = map.index();
        let used = map.used();
        let mut again = [0u32; BATCH];
        let mut more = 0;
        for i in 0..self.count {
            let position = self.positions[i];
            if position == MISSING {
                continue;
            }
            // SAFETY: `used` is at most the capacity; the caller guarantees the representation.
            if position < used && unsafe { self.keys[i].equals(map, position) } {
                continue;
            }
            // Another key with the same tag. It is searched from the start, after the others.
            again[more] = i as u32;
            more += 1;
            prefetch(index.address(index.next(map.home(self.hashes[i]))));
        }
        for &i in &again[..more] {
            let i = i as usize;
            // SAFETY: the caller guarantees that the keys have this representation.
            let found = unsafe { map.find_with::<Native, K>(self.keys[i], self.hashes[i]) };
            self.positions[i] = found.map_or(MISSING, |(_, position)| position);
        }
    }

    /// `candidates` and `decide`; or plain lookups if the map fits in the caches, because they cost
    /// less there.
    ///
    /// # Safety
    /// The map's keys have the representation `K`.
    #[inline(always)]
    pub(crate) unsafe fn resolve(&mut self, map: &RawMap, value_width: usize) {
        // SAFETY: the caller guarantees that the keys have this representation.
        unsafe {
            if is_cached(map) {
                for i in 0..self.count {
                    let found = map.find_with::<Native, K>(self.keys[i], self.hashes[i]);
                    self.positions[i] = found.map_or(MISSING, |(_, position)| position);
                }
            } else {
                self.candidates(map, value_width);
                self.decide(map);
            }
        }
    }
}

/// Whether a map is small enough for a processor's second-level cache.
#[inline(always)]
pub(crate) fn is_cached(map: &RawMap) -> bool {
    map.layout().heap <= 512 << 10
}
