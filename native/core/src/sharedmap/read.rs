//! Reading without a lock (`docs/formats/sharedmap.md`, "Reading").

use super::entry::{Entry, Key, read_value};
use super::layout::{bucket, participant, shard};
use super::words::load_fence;
use super::{Map, Shard, participants, policy};
use crate::{Error, ErrorKind, Result};

/// Attempts before a reader takes the lock.
const ATTEMPTS: usize = 100;
/// Attempts of an attachment that cannot take it.
const READER_ATTEMPTS: usize = 10_000;

/// The properties of an entry besides its value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Info {
    /// Birth and update count.
    pub version: u64,
    /// Milliseconds since 1970; 0: never.
    pub expires_at: f64,
    /// Bytes of the entry's blocks.
    pub bytes: u64,
    /// The code of the value's type in a map of mixed values, otherwise 0.
    pub value_type: u32,
    /// The head of the value: length × 4 + encoding; 0 for values of fixed size.
    pub value_head: u32,
}

impl Info {
    pub(super) fn of(map: &Map, entry: &Entry) -> Info {
        let mut bytes = u64::from(entry.units) * 8;
        if entry.is_chained() {
            let room = (map.geometry.max_entry() - super::entry::CHUNK_HEADER * 4) as u64;
            bytes += entry.value_length as u64 + (entry.value_length as u64).div_ceil(room) * 24;
        }
        Info {
            version: entry.version(),
            expires_at: entry.expires_at,
            bytes,
            value_type: entry.value_type(),
            value_head: entry.value_head,
        }
    }
}

/// The outcome of one attempt.
enum Attempt<T> {
    Done(T),
    Retry,
}

impl Map {
    /// Appends the value of a key to `out`: its bytes as they are in the entry (4 or 8 for values
    /// of fixed size). `None`, and `out` as before, if the key is absent. `count`: counts a hit or
    /// a miss, and tells the eviction policy.
    pub fn get(&self, key: &Key<'_>, now: f64, count: bool, out: &mut Vec<u8>) -> Result<Option<Info>> {
        let hash = key.hash(&self.seeds);
        self.look_up(hash, now, count, out, |map, home| map.find_in(home, hash, key))
    }

    /// As `get`, for the entry of a handle.
    pub fn get_by_handle(&self, handle: u64, now: f64, out: &mut Vec<u8>) -> Result<Option<Info>> {
        let (hash, birth) = split_handle(handle);
        self.look_up(hash, now, true, out, |map, home| map.find_birth(home, hash, birth))
    }

    /// The handle of a key.
    pub fn handle_of(&self, key: &Key<'_>, now: f64) -> Result<Option<u64>> {
        let hash = key.hash(&self.seeds);
        let shard = self.shard_of(hash);
        self.consistent(shard, hash, |map, home| {
            let found = map.find_in(home, hash, key).filter(|(_, entry)| is_live(entry, now));
            Ok(found.map(|(_, entry)| handle(hash, entry.birth)))
        })
    }

    /// Appends the key of a handle to `out`. Returns its head: 0 for keys of fixed size.
    pub fn key_by_handle(&self, handle: u64, now: f64, out: &mut Vec<u8>) -> Result<Option<u32>> {
        let (hash, birth) = split_handle(handle);
        let shard = self.shard_of(hash);
        let start = out.len();
        self.consistent(shard, hash, |map, home| {
            out.truncate(start);
            match map.find_birth(home, hash, birth).filter(|(_, entry)| is_live(entry, now)) {
                Some((_, entry)) => {
                    out.try_reserve(entry.key_length)?;
                    map.words.read_bytes(entry.key_at, entry.key_length, out);
                    Ok(Some(entry.key_head))
                }
                None => Ok(None),
            }
        })
    }

    fn look_up(
        &self,
        hash: u32,
        now: f64,
        count: bool,
        out: &mut Vec<u8>,
        find: impl Fn(&Map, usize) -> Option<(super::index::Place, Entry)>,
    ) -> Result<Option<Info>> {
        let start = out.len();
        let shard = self.shard_of(hash);
        let mut place = None;
        let mut seen = [(0, 0); 2];
        let info = self.consistent(shard, hash, |map, home| {
            seen = [home + bucket::VERSION, shard.at + shard::EPOCH].map(|at| (at, map.words.load(at)));
            out.truncate(start);
            let Some((at, entry)) = find(map, home).filter(|(_, entry)| is_live(entry, now)) else {
                return Ok(None);
            };
            // A torn length is not followed by an allocation of that size.
            if entry.value_length > map.words.count() * 4 {
                return Ok(None);
            }
            out.try_reserve(entry.value_length)?;
            if !read_value(map.words, &entry, out) {
                out.truncate(start);
                return Ok(None);
            }
            place = Some(at);
            Ok(Some(Info::of(map, &entry)))
        })?;
        // A child of the process must not store to its parent's participant.
        if count && !self.is_reader() && self.backing.check().is_ok() {
            self.count_read(info.is_some(), hash);
            if let (Some(_), Some(place)) = (info, place) {
                let meta = self.words.load_byte(place.meta());
                let policy = self.geometry.schema.evicts_by();
                let clock = self.words.load(self.shard_of(hash).at + shard::CLOCK);
                let hit = policy::hit(policy, meta, clock);
                if hit != meta {
                    self.mark(place.meta(), hit, seen);
                    if policy == policy::AUTO {
                        let (hits, age) = policy::hits_and_age(policy, meta, clock);
                        let state = self.policy_state(self.shard_of(hash));
                        policy::density::count_hit(self.words, state, hits, age);
                    }
                }
            }
        }
        Ok(info)
    }

    /// Runs `read` on the chain of a hash until nothing changed meanwhile, and finally under the
    /// lock.
    pub(super) fn consistent<T>(
        &self,
        shard: Shard,
        hash: u32,
        mut read: impl FnMut(&Map, usize) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        for _ in 0..ATTEMPTS {
            match self.attempt(shard, hash, &mut read)? {
                Attempt::Done(result) => return Ok(result),
                Attempt::Retry => std::hint::spin_loop(),
            }
        }
        if self.is_reader() {
            return self.persistent(shard, hash, &mut read);
        }
        let _guard = self.lock(shard)?;
        match self.home(shard, hash) {
            Some(home) => read(self, home),
            None => Ok(None),
        }
    }

    /// Attempts that go on for so long that a change in between each of them is not to be expected.
    #[cold]
    fn persistent<T>(
        &self,
        shard: Shard,
        hash: u32,
        read: &mut impl FnMut(&Map, usize) -> Result<Option<T>>,
    ) -> Result<Option<T>> {
        for _ in 0..READER_ATTEMPTS {
            self.backing.check()?;
            if let Attempt::Done(result) = self.attempt(shard, hash, read)? {
                return Ok(result);
            }
            std::thread::yield_now();
        }
        Err(Error::new(ErrorKind::Locked, "the map changes faster than it can be read"))
    }

    #[inline]
    fn attempt<T>(
        &self,
        shard: Shard,
        hash: u32,
        read: &mut impl FnMut(&Map, usize) -> Result<Option<T>>,
    ) -> Result<Attempt<Option<T>>> {
        let words = self.words;
        let epoch = words.acquire(shard.at + shard::EPOCH);
        let Some(home) = self.home(shard, hash) else { return Ok(Attempt::Retry) };
        let version = words.acquire(home + bucket::VERSION);
        let result = read(self, home);
        load_fence();
        if words.load(home + bucket::VERSION) != version || words.load(shard.at + shard::EPOCH) != epoch {
            return Ok(Attempt::Retry);
        }
        result.map(Attempt::Done)
    }

    /// Counts a hit or a miss of this participant. One hit in 64 is sampled.
    fn count_read(&self, is_hit: bool, hash: u32) {
        let words = self.words;
        let at = participants::at(&self.geometry, self.slot);
        let word = at + if is_hit { participant::HITS } else { participant::MISSES };
        let count = f64::from_bits(words.load_double(word)) + 1.0;
        words.store_double(word, count.to_bits());
        // As an integer, because the remainder of floats is a call that takes longer than the
        // lookup.
        if is_hit && (count as u64).is_multiple_of(64) {
            let sample = words.load(at + participant::SAMPLE);
            words.store(at + participant::SAMPLES + sample as usize % participant::SAMPLE_COUNT, hash);
            words.store(at + participant::SAMPLE, sample.wrapping_add(1));
        }
    }
}

/// Whether an entry counts as present.
pub(super) fn is_live(entry: &Entry, now: f64) -> bool {
    !entry.is_pending() && !entry.is_expired(now)
}

/// The handle of an entry.
pub(super) fn handle(hash: u32, birth: u32) -> u64 {
    u64::from(birth) << 31 | u64::from(hash & 0x7FFF_FFFF)
}

/// The hash, without its highest bit, and the birth of a handle.
pub(super) fn split_handle(handle: u64) -> (u32, u32) {
    (handle as u32 & 0x7FFF_FFFF, (handle >> 31) as u32 & super::entry::BIRTH_MASK)
}
