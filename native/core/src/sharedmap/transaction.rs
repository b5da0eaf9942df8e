//! Transactions over several keys: optimistic, all or nothing (`docs/formats/sharedmap.md`,
//! "Transactions").
//!
//! The caller read some keys and notes their versions. The commit takes the locks of all shards
//! concerned in ascending order, compares the versions, writes the new entries to blocks of their
//! own, chooses the lanes, writes both to the commit record, and only then stores the lanes. If the
//! process is terminated in between, the next holder of its big lock stores them.

use super::entry::{Draft, Key, Value, parse};
use super::index::{Place, tag_of};
use super::layout::{control, shard, shard::counter};
use super::lock::{self, Holder, Obtained};
use super::read::is_live;
use super::write::{Expiry, Mode, Write, next_count};
use super::{Event, Map, Shard};
use crate::{Error, ErrorKind, Result};
use std::time::Duration;

/// A key that a transaction read, and the version that it had; 0: absent.
#[derive(Clone, Copy, Debug)]
pub struct Read<'a> {
    /// The key.
    pub key: Key<'a>,
    /// Birth and update count.
    pub version: u64,
}

/// A change of a transaction.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The key.
    pub key: Key<'a>,
    /// The value; `None` deletes the key.
    pub value: Option<Value<'a>>,
    /// The code of the value's type in a map of mixed values, otherwise 0.
    pub value_type: u32,
    /// When the entry expires.
    pub expiry: Expiry,
}

/// A change whose block was written.
struct Prepared {
    shard: Shard,
    hash: u32,
    block: u32,
    place: Option<Place>,
    old: u32,
}

/// Between two looks at a transaction that another participant completes.
const NAP: Duration = Duration::from_micros(50);

impl Map {
    /// Makes all changes, if all keys read have their versions still. Returns whether it did.
    /// `Range` for more than 64 changes and for two changes of a key, `Full` if there is no room or
    /// if a value can never fit; then nothing changed.
    pub fn commit(&self, reads: &[Read<'_>], changes: &[Change<'_>], now: f64) -> Result<bool> {
        if changes.len() > control::COMMIT_LANES {
            let (count, most) = (changes.len(), control::COMMIT_LANES);
            return Err(Error::range(format!("a transaction changes at most {most} keys: {count}")));
        }
        for (index, change) in changes.iter().enumerate() {
            if changes[..index].iter().any(|other| other.key == change.key) {
                return Err(Error::range(format!("change {index} of a transaction repeats a key")));
            }
        }
        let mut shards = Vec::new();
        shards.try_reserve(reads.len() + changes.len())?;
        for key in reads.iter().map(|read| &read.key).chain(changes.iter().map(|change| &change.key)) {
            self.check_key(key)?;
            shards.push(self.shard_of(key.hash(&self.seeds)).id);
        }
        for Change { key, value, .. } in changes {
            let Some(value) = value else { continue };
            if !self.fits(key.length(), value.length()) {
                return Err(self.never_fits(value.length()));
            }
        }
        shards.sort_unstable();
        shards.dedup();
        for _ in 0..4 {
            {
                let _big = self.lock_all()?;
                let mut guards = Vec::new();
                guards.try_reserve(shards.len())?;
                for &id in &shards {
                    guards.push(self.lock(self.shard(id))?);
                }
                if !reads.iter().all(|read| self.version_of(&read.key, now) == read.version) {
                    return Ok(false);
                }
                if self.apply(changes, now)? {
                    return Ok(true);
                }
            }
            let first = self.shard(shards.first().copied().unwrap_or(0));
            if self.reclaim(first, self.page_units() as usize * changes.len(), now)? == 0 {
                break;
            }
        }
        Err(Error::new(ErrorKind::Full, "the map has no room for the changes of a transaction"))
    }

    fn version_of(&self, key: &Key<'_>, now: f64) -> u64 {
        let hash = key.hash(&self.seeds);
        let shard = self.shard_of(hash);
        let found = self.home(shard, hash).and_then(|home| self.find_in(home, hash, key));
        found.filter(|(_, entry)| is_live(entry, now)).map_or(0, |(_, entry)| entry.version())
    }

    /// Writes the blocks and chooses the lanes of all changes. `false` if there is no room. The
    /// caller frees the blocks then, and after an error.
    fn prepare_changes(
        &self,
        changes: &[Change<'_>],
        prepared: &mut Vec<Prepared>,
        now: f64,
    ) -> Result<bool> {
        prepared.try_reserve(changes.len())?;
        // The blocks first: to make room for them may move or evict entries.
        for change in changes {
            let hash = change.key.hash(&self.seeds);
            let shard = self.shard_of(hash);
            let block = match change.value {
                None => Some(0),
                Some(value) => self.write_block(shard, hash, change, value, now)?,
            };
            let Some(block) = block else { return Ok(false) };
            prepared.push(Prepared { shard, hash, block, place: None, old: 0 });
        }
        // Then the lanes, without evicting anything.
        for (index, change) in changes.iter().enumerate() {
            let Prepared { shard, hash, block, .. } = prepared[index];
            let Some(home) = self.home(shard, hash) else { continue };
            if let Some((place, old)) = self.find_in(home, hash, &change.key) {
                prepared[index].place = Some(place);
                prepared[index].old = old.reference();
            } else if block != 0 {
                let mut taken = Vec::new();
                taken.try_reserve(prepared.len())?;
                taken.extend(prepared.iter().filter_map(|p| p.place.map(Place::lane)));
                let Some(place) = self.reserve_lane(shard, home, hash, &taken)? else { return Ok(false) };
                prepared[index].place = Some(place);
            }
        }
        Ok(true)
    }

    /// Makes the changes under all locks. `false`, and nothing changed, if there is no room.
    fn apply(&self, changes: &[Change<'_>], now: f64) -> Result<bool> {
        let words = self.words;
        let mut prepared = Vec::new();
        let ready = self.prepare_changes(changes, &mut prepared, now);
        if !matches!(ready, Ok(true)) {
            self.discard(&prepared);
            return ready;
        }
        let mut count = 0;
        for change in &prepared {
            if let Some(place) = change.place {
                words.store(control::COMMIT + 2 + count * 2, place.lane() as u32);
                words.store(control::COMMIT + 3 + count * 2, change.block);
                count += 1;
            }
        }
        words.store(control::COMMIT + 1, count as u32);
        words.release(control::COMMIT, 1);
        for change in &prepared {
            if let Some(place) = change.place {
                words.release(place.lane(), change.block);
                self.increase_version(place.home);
            }
        }
        words.release(control::COMMIT, 0);
        self.unpin();
        for change in &prepared {
            self.complete(change);
        }
        // The changes are made: without memory for a split, the next change makes it.
        for change in &prepared {
            self.adjust_buckets(change.shard).ok();
        }
        Ok(true)
    }

    fn write_block(
        &self,
        shard: Shard,
        hash: u32,
        change: &Change<'_>,
        value: Value<'_>,
        now: f64,
    ) -> Result<Option<u32>> {
        let found = self.home(shard, hash).and_then(|home| self.find_in(home, hash, &change.key));
        let old = found.map(|(_, entry)| entry).filter(|entry| is_live(entry, now));
        let write = Write {
            key: change.key,
            value,
            value_type: change.value_type,
            mode: Mode::Set,
            expiry: change.expiry,
            now,
        };
        let (birth, count) = match &old {
            Some(entry) => (entry.birth, next_count(entry.count)),
            None => (self.next_birth(shard, hash), 1),
        };
        let draft = Draft {
            key: change.key,
            value,
            value_type: change.value_type,
            expires_at: self.expires_at(&write, old.as_ref()),
            is_pending: false,
            birth,
            count,
            is_new: self.is_after_snapshot(shard, hash),
        };
        self.store_entry(shard, hash, &draft, old.map_or(0, |entry| entry.reference()), now)
    }

    /// Frees blocks that were not published.
    fn discard(&self, prepared: &[Prepared]) {
        self.unpin();
        for change in prepared.iter().filter(|change| change.block != 0) {
            if let Some(entry) = parse(self.words, &self.geometry, change.block) {
                self.free_blocks(change.shard, &entry);
            }
        }
    }

    /// Counts a change whose lane was stored, and frees the entry that it replaced.
    fn complete(&self, change: &Prepared) {
        let Prepared { shard, hash, block, place, old } = *change;
        let words = self.words;
        let Some(place) = place else { return };
        if let Some(entry) = parse(words, &self.geometry, old).filter(|_| old != 0) {
            self.discount(shard, &entry);
            words.bump(shard.at + shard::ENTRIES, u32::MAX);
            if block == 0 {
                self.report(shard, Event::Delete, &entry);
                words.count_up(shard.at + counter::DELETES, 1);
                // The lane is 0 already; this tidies the chain.
                self.remove_lane(shard, place);
            }
            self.retire(shard, hash, &entry, Event::Delete);
        }
        if let Some(entry) = parse(words, &self.geometry, block).filter(|_| block != 0) {
            words.bump(shard.at + shard::ENTRIES, 1);
            words.count_up(shard.at + counter::SETS, 1);
            self.count_entry(shard, &entry);
            self.report(shard, Event::Set, &entry);
        }
    }

    /// An empty lane of the chain, with tag and policy byte, that is not in `taken`.
    fn reserve_lane(&self, shard: Shard, home: usize, hash: u32, taken: &[usize]) -> Result<Option<Place>> {
        for _ in 0..2 {
            if let Some(place) = self.empty_lanes(home).find(|place| !taken.contains(&place.lane())) {
                self.prepare_lane(place, tag_of(hash), self.new_meta(shard, hash));
                return Ok(Some(place));
            }
            if !self.extend_chain(shard, home)? {
                break;
            }
        }
        Ok(None)
    }

    /// Takes the big lock, and completes the transaction of a holder that terminated.
    pub(super) fn lock_all(&self) -> Result<BigGuard<'_>> {
        self.backing.check()?;
        let obtained =
            lock::acquire(&self.words, control::BIG_LOCK, self.holder, &|holder| self.is_alive(holder));
        let guard = BigGuard { map: self };
        if let Obtained::TakenOver(_) = obtained {
            self.redo();
        }
        Ok(guard)
    }

    /// Waits until no transaction is committed and incomplete, and completes that of a holder that
    /// terminated. Requires a shard's lock that was taken over.
    ///
    /// The holder of the big lock need not be that of the shard's lock: another participant may
    /// have taken the big lock over, and may itself have terminated before it completed the
    /// transaction. The shard must not be repaired before that, because the repair would free the
    /// blocks that the record refers to. A live holder of the big lock that has committed waits for
    /// no lock, so this cannot deadlock.
    pub(super) fn await_transaction(&self) {
        let words = self.words;
        while words.acquire(control::COMMIT) == 1 {
            let word = words.acquire(control::BIG_LOCK);
            let holder = Holder(word & !lock::SLEEPERS);
            if holder != self.holder && self.is_alive(holder) {
                std::thread::sleep(NAP);
            } else if words.swap(control::BIG_LOCK, word, self.holder.0 | lock::SLEEPERS) {
                self.redo();
                lock::release(&words, control::BIG_LOCK, 0);
            }
        }
    }

    fn redo(&self) {
        let words = self.words;
        if words.acquire(control::COMMIT) != 1 {
            return;
        }
        let count = (words.load(control::COMMIT + 1) as usize).min(control::COMMIT_LANES);
        for index in 0..count {
            let lane = words.load(control::COMMIT + 2 + index * 2) as usize;
            // Only lanes of buckets, which are in pages.
            if self.page_of(lane).is_some() {
                words.release(lane, words.load(control::COMMIT + 3 + index * 2));
            }
        }
        words.release(control::COMMIT, 0);
    }
}

/// The big lock, held until it is dropped.
pub(super) struct BigGuard<'a> {
    map: &'a Map,
}

impl Drop for BigGuard<'_> {
    fn drop(&mut self) {
        if cfg!(test) && std::thread::panicking() {
            return;
        }
        lock::release(&self.map.words, control::BIG_LOCK, 0);
    }
}
