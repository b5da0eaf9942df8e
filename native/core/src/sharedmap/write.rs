//! Changes of one entry (`docs/formats/sharedmap.md`, "Writing"). Each takes the lock of one shard.

use super::entry::{CHUNK, CHUNK_HEADER, Draft, Entry, FILLER, Key, Value, parse};
use super::layout::{shard, shard::counter};
use super::{Event, Map, Shard, policy};
use crate::{Error, ErrorKind, Result};

/// On what condition a value is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Always.
    Set,
    /// If the key is absent.
    Add,
    /// If the key is present.
    Replace,
    /// If the entry has this version; 0: if the key is absent.
    Compare(u64),
}

/// When an entry expires.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expiry {
    /// After the map's time to live.
    Default,
    /// Never.
    Never,
    /// At a time in milliseconds since 1970.
    At(f64),
    /// As the entry that is replaced, or else after the map's time to live.
    Keep,
}

/// One value to store.
#[derive(Clone, Copy, Debug)]
pub struct Write<'a> {
    /// The key.
    pub key: Key<'a>,
    /// The value.
    pub value: Value<'a>,
    /// The code of the value's type in a map of mixed values, otherwise 0.
    pub value_type: u32,
    /// The condition.
    pub mode: Mode,
    /// When the entry expires.
    pub expiry: Expiry,
    /// The current time in milliseconds since 1970.
    pub now: f64,
}

/// What became of a [`Write`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// Whether the value was stored.
    pub stored: bool,
    /// Whether the key was present.
    pub existed: bool,
    /// The version of the entry that is in the map now; 0: none.
    pub version: u64,
}

/// Attempts to make room with the help of other shards.
const ATTEMPTS: usize = 8;
/// Values of more pages make room in all shards first.
const LARGE_PAGES: u32 = 8;
/// Writes between two sweeps of a bucket for expired entries.
const SWEEP_EVERY: u32 = 16;

impl Map {
    /// Stores a value. `Full` if there is no room and nothing may be evicted, or if the value can
    /// never fit.
    pub fn write(&self, write: &Write<'_>) -> Result<Written> {
        self.check_key(&write.key)?;
        let hash = write.key.hash(&self.seeds);
        self.write_hashed(write, hash)
    }

    pub(super) fn check_key(&self, key: &Key<'_>) -> Result<()> {
        let most = self.geometry.max_key();
        let length = key.length();
        if length > most {
            return Err(Error::range(format!("a key of this map has at most {most} bytes: {length}")));
        }
        Ok(())
    }

    fn write_hashed(&self, write: &Write<'_>, hash: u32) -> Result<Written> {
        self.backing.check()?;
        let length = write.value.length();
        let units = self.units_of(write.key.length(), length);
        if !self.fits(write.key.length(), length) {
            return Err(self.never_fits(length));
        }
        let shard = self.shard_of(hash);
        self.refusal.take();
        self.prepare(shard, units, write.now)?;
        for _ in 0..ATTEMPTS {
            {
                let _guard = self.lock(shard)?;
                if let Some(written) = self.write_locked(shard, hash, write)? {
                    return Ok(written);
                }
            }
            if self.reclaim(shard, units as usize, write.now)? == 0 {
                break;
            }
        }
        if let Some(refusal) = self.refusal.take() {
            return Err(refusal);
        }
        let bound = self.geometry.max_bytes;
        Err(Error::new(
            ErrorKind::Full,
            format!("the map of {bound} bytes has no room for a value of {length} bytes"),
        ))
    }

    /// Frees pages for a large value in all shards, so that it does not displace everything in one.
    fn prepare(&self, shard: Shard, units: u32, now: f64) -> Result<()> {
        let page = self.page_units();
        if units > LARGE_PAGES * page {
            let free = self.geometry.pages.saturating_sub(self.used_pages());
            let missing = units.saturating_sub(free as u32 * page);
            if missing > 0 {
                self.reclaim(shard, missing as usize, now)?;
            }
        }
        Ok(())
    }

    /// About the size of the blocks of an entry, divided by 8.
    pub(super) fn units_of(&self, key_length: usize, value_length: usize) -> u32 {
        let bytes = key_length.saturating_add(value_length).min(u32::MAX as usize);
        let chunks = bytes / self.geometry.max_entry() + 1;
        ((bytes + 48 + chunks * 32) / 8).min(u32::MAX as usize) as u32
    }

    /// Evicts entries of other shards until `units` are free in whole pages. Returns the number of
    /// pages that became free.
    pub(super) fn reclaim(&self, except: Shard, units: usize, now: f64) -> Result<usize> {
        let wanted = units / self.page_units() as usize + 1;
        let count = self.geometry.shards();
        let share = wanted.div_ceil(count.saturating_sub(1).max(1)).max(1);
        let mut pages = 0;
        for step in 1..count {
            if pages >= wanted {
                break;
            }
            let shard = self.shard(except.id + step);
            let _guard = self.lock(shard)?;
            pages += self.give_pages(shard, share, now);
        }
        Ok(pages)
    }

    /// The entry that an operation is about. If it has expired, it is removed.
    pub(super) fn find_live(&self, shard: Shard, hash: u32, key: &Key<'_>, now: f64) -> Found {
        let Some(home) = self.home(shard, hash) else { return Found::Nothing };
        match self.find_in(home, hash, key) {
            None => Found::Nothing,
            Some((place, entry)) if entry.is_expired(now) => {
                self.remove(shard, place, &entry, Event::Expire);
                Found::Nothing
            }
            Some((_, entry)) if entry.is_pending() => Found::Pending(entry),
            Some((_, entry)) => Found::Entry(entry),
        }
    }

    /// Stores a value under the shard's lock. `None` if there is no room.
    pub(super) fn write_locked(&self, shard: Shard, hash: u32, write: &Write<'_>) -> Result<Option<Written>> {
        let words = self.words;
        // Before the entry is written, because a split may evict entries, and this must not be one.
        self.adjust_buckets(shard)?;
        let found = self.find_live(shard, hash, &write.key, write.now);
        let (existed, version) = match &found {
            Found::Entry(entry) => (true, entry.version()),
            _ => (false, 0),
        };
        let allowed = match write.mode {
            Mode::Set => true,
            Mode::Add => !existed,
            Mode::Replace => existed,
            Mode::Compare(expected) => expected == version,
        };
        if !allowed {
            return Ok(Some(Written { stored: false, existed, version }));
        }
        let expires_at = self.expires_at(write, found.entry());
        let (birth, count) = match found.entry() {
            Some(entry) if existed => (entry.birth, next_count(entry.count)),
            _ => (self.next_birth(shard, hash), 1),
        };
        let keep = found.entry().map_or(0, Entry::reference);
        let draft = Draft {
            key: write.key,
            value: write.value,
            value_type: write.value_type,
            expires_at,
            is_pending: false,
            birth,
            count,
            is_new: self.is_after_snapshot(shard, hash),
        };
        let Some(block) = self.store_entry(shard, hash, &draft, keep, write.now)? else { return Ok(None) };
        if !self.publish(shard, hash, &write.key, block)? {
            return Ok(None);
        }
        words.count_up(shard.at + counter::SETS, 1);
        if words.load(shard.at + shard::EXPIRING) > 0 && count_of(words, shard).is_multiple_of(SWEEP_EVERY) {
            self.sweep(shard, 1, write.now);
        }
        let version = u64::from(birth) << 24 | u64::from(count);
        Ok(Some(Written { stored: true, existed, version }))
    }

    pub(super) fn expires_at(&self, write: &Write<'_>, old: Option<&Entry>) -> f64 {
        let default = if self.default_ttl > 0.0 { write.now + self.default_ttl } else { 0.0 };
        match (write.expiry, old) {
            (Expiry::Never, _) => 0.0,
            (Expiry::At(time), _) => time,
            (Expiry::Keep, Some(entry)) => entry.expires_at,
            (Expiry::Keep | Expiry::Default, _) => default,
        }
    }

    /// A birth that no entry of the chain with the same tag has.
    pub(super) fn next_birth(&self, shard: Shard, hash: u32) -> u32 {
        let at = shard.at + shard::BIRTH;
        loop {
            let birth = self.words.load(at).wrapping_add(1) & super::entry::BIRTH_MASK;
            self.words.store(at, birth);
            let taken =
                self.home(shard, hash).is_some_and(|home| self.find_birth(home, hash, birth).is_some());
            if !taken {
                return birth;
            }
        }
    }

    /// Writes an entry, and its chunks, to new blocks. Nothing refers to them yet. `None` if there
    /// is no room.
    pub(super) fn store_entry(
        &self,
        shard: Shard,
        hash: u32,
        draft: &Draft<'_>,
        keep: u32,
        now: f64,
    ) -> Result<Option<u32>> {
        let mut bytes = self.draft.take();
        bytes.try_reserve(self.geometry.max_entry() + draft.key.length() + 64)?;
        let encoded = draft.encode(self.geometry.schema, self.geometry.max_entry(), &mut bytes);
        let result = self.store_encoded(shard, hash, draft, encoded.chain_at, &bytes, keep, now);
        bytes.clear();
        self.draft.replace(bytes);
        result
    }

    #[expect(clippy::too_many_arguments, reason = "the second half of store_entry")]
    fn store_encoded(
        &self,
        shard: Shard,
        hash: u32,
        draft: &Draft<'_>,
        chain_at: Option<usize>,
        bytes: &[u8],
        keep: u32,
        now: f64,
    ) -> Result<Option<u32>> {
        let units = (bytes.len() / 8) as u32;
        let Some(block) = self.make_room(shard, units, keep, now)? else { return Ok(None) };
        self.words.write_bytes(block as usize * 2, bytes);
        if let Err(error) = self.pin(block) {
            self.free(shard, block, units);
            return Err(error);
        }
        let (Some(chain_at), Value::Blob { bytes: value, .. }) = (chain_at, draft.value) else {
            return Ok(Some(block));
        };
        let first = self.store_chain(shard, hash, value, block, keep, now);
        let Ok(first @ 1..) = first else {
            self.free(shard, block, units);
            return first.map(|_| None);
        };
        self.words.store(block as usize * 2 + chain_at, first);
        Ok(Some(block))
    }

    /// Writes the chunks of a value. Returns the ref of the first; 0 if there is no room.
    fn store_chain(
        &self,
        shard: Shard,
        hash: u32,
        value: &[u8],
        owner: u32,
        keep: u32,
        now: f64,
    ) -> Result<u32> {
        let words = self.words;
        let room = self.geometry.max_entry() - CHUNK_HEADER * 4;
        let (mut first, mut previous) = (0, owner);
        for part in value.chunks(room) {
            let units = (CHUNK_HEADER + part.len().div_ceil(4)).div_ceil(2) as u32;
            let chunk = match self.make_room(shard, units, keep, now) {
                Ok(Some(chunk)) => chunk,
                other => {
                    self.free_chain(shard, first);
                    return other.map(|_| 0);
                }
            };
            if let Err(error) = self.pin(chunk) {
                self.free(shard, chunk, units);
                self.free_chain(shard, first);
                return Err(error);
            }
            let at = chunk as usize * 2;
            words.store(at, CHUNK);
            words.store(at + 1, units);
            words.store(at + 2, previous);
            words.store(at + 3, 0);
            words.store(at + 4, part.len() as u32);
            words.store(at + 5, hash);
            words.write_bytes(at + CHUNK_HEADER, part);
            if first == 0 {
                first = chunk;
            } else {
                words.store(previous as usize * 2 + 3, chunk);
            }
            previous = chunk;
        }
        Ok(first)
    }

    /// Makes the map contain a new entry, in place of that with the same key. `false`, and the
    /// block is free, if the index has no room.
    pub(super) fn publish(&self, shard: Shard, hash: u32, key: &Key<'_>, block: u32) -> Result<bool> {
        let words = self.words;
        let done = self.publish_pinned(shard, hash, key, block);
        self.unpin();
        let Some(entry) = parse(words, &self.geometry, block) else { return Ok(false) };
        if !matches!(done, Ok(true)) {
            self.free_blocks(shard, &entry);
            return done;
        }
        self.count_entry(shard, &entry);
        if !entry.is_pending() {
            self.report(shard, Event::Set, &entry);
        }
        Ok(true)
    }

    fn publish_pinned(&self, shard: Shard, hash: u32, key: &Key<'_>, block: u32) -> Result<bool> {
        let Some(home) = self.home(shard, hash) else { return Ok(false) };
        if let Some((place, old)) = self.find_in(home, hash, key) {
            self.words.release(place.lane(), block);
            self.increase_version(home);
            let clock = self.words.load(shard.at + shard::CLOCK);
            let policy = self.geometry.schema.evicts_by();
            let meta = policy::hit(policy, self.words.load_byte(place.meta()), clock);
            self.words.store_byte(place.meta(), meta);
            self.discount(shard, &old);
            self.retire(shard, hash, &old, Event::Set);
            return Ok(true);
        }
        let is_done = self.insert_lane(shard, home, hash, block, self.new_meta(shard, hash), true)?;
        if is_done {
            self.words.bump(shard.at + shard::ENTRIES, 1);
        }
        Ok(is_done)
    }
}

/// What an operation finds for its key.
pub(super) enum Found {
    Nothing,
    Entry(Entry),
    Pending(Entry),
}

impl Found {
    pub(super) fn entry(&self) -> Option<&Entry> {
        match self {
            Found::Nothing => None,
            Found::Entry(entry) | Found::Pending(entry) => Some(entry),
        }
    }
}

fn count_of(words: super::Words, shard: Shard) -> u32 {
    words.load(shard.at + counter::SETS)
}

/// The update count after another.
pub(super) fn next_count(count: u32) -> u32 {
    if count + 1 >= FILLER { 1 } else { count + 1 }
}
