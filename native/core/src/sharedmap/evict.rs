//! Room for new entries: eviction, expiry, and evacuation until a block or a page can be had.
//!
//! All functions require the shard's lock. [`Map::make_room`] never evicts if the map refuses new
//! entries when it is full; it then only evacuates.

use super::entry::{Entry, parse};
use super::index::Place;
use super::layout::{control, page::Use, shard, shard::counter};
use super::{Event, Map, Shard, policy};
use crate::Result;

/// Evictions of one operation, so that it ends.
const MOST_EVICTIONS: usize = 100_000;
/// Pages that are evacuated for one operation of a map that does not evict.
const ATTEMPTS: u32 = 8;
/// Buckets that are examined for a victim before any entry is taken.
const MOST_BUCKETS: usize = 64;

/// The state of an operation that makes room.
struct Gain {
    /// The free units from which on evacuation is attempted.
    evacuate_at: u32,
    /// The ref of an entry that is not evicted.
    keep: u32,
    now: f64,
    attempts: u32,
}

impl Map {
    /// Whether the map evicts entries when it is full.
    #[inline]
    pub(super) fn evicts(&self) -> bool {
        let schema = self.geometry.schema;
        schema.policy != policy::NONE && schema.flags & super::layout::FLAG_REJECT == 0
    }

    /// Allocates a block, and evicts entries or moves them for it. The entry at `keep` is not
    /// evicted. `None` if the shard cannot provide it.
    pub(super) fn make_room(&self, shard: Shard, units: u32, keep: u32, now: f64) -> Result<Option<u32>> {
        if let Some(block) = self.allocate(shard, units)? {
            return Ok(Some(block));
        }
        let page = self.page_units();
        let all = self.words.load(shard.at + shard::PAGE_COUNT) * page;
        // To evacuate copies most of a page, so it waits until it is worth that.
        let worth = units + (2 * page).max(all / 16);
        let mut gain = Gain {
            evacuate_at: if self.evicts() { worth } else { units + page / 2 },
            keep,
            now,
            attempts: 0,
        };
        for _ in 0..MOST_EVICTIONS {
            if !self.gain(shard, &mut gain) {
                return Ok(None);
            }
            if let Some(block) = self.allocate(shard, units)? {
                return Ok(Some(block));
            }
        }
        Ok(None)
    }

    /// Takes a page for the index, and empties one of the shard's if none is free.
    pub(super) fn obtain_page(&self, shard: Shard, used_as: Use) -> Result<Option<usize>> {
        let mut gain =
            Gain { evacuate_at: self.page_units() * 5 / 4, keep: 0, now: super::now(), attempts: 0 };
        for _ in 0..MOST_EVICTIONS {
            if let Some(page) = self.take_page(shard, used_as)? {
                return Ok(Some(page));
            }
            if !self.gain(shard, &mut gain) {
                break;
            }
        }
        Ok(None)
    }

    /// Frees pages of the shard until `pages` are free, or it has no more to give. Returns their
    /// number.
    pub(super) fn give_pages(&self, shard: Shard, pages: usize, now: f64) -> usize {
        let start = self.words.load(control::RELEASES);
        let freed = || self.words.load(control::RELEASES).wrapping_sub(start) as usize;
        let mut gain = Gain { evacuate_at: self.page_units() * 5 / 4, keep: 0, now, attempts: 0 };
        for _ in 0..MOST_EVICTIONS {
            if freed() >= pages || !self.gain(shard, &mut gain) {
                break;
            }
        }
        freed()
    }

    /// Makes the free memory of the shard larger or less fragmented. `false` if it cannot.
    fn gain(&self, shard: Shard, gain: &mut Gain) -> bool {
        let words = self.words;
        let free = words.load(shard.at + shard::FREE);
        if free >= gain.evacuate_at {
            // If what this makes free is not what the caller needs, half a page more has to become
            // free before the next attempt. Otherwise blocks could be moved back and forth. A map
            // that does not evict attempts it several times: two half-empty pages make one that is
            // free.
            gain.attempts += 1;
            if self.evicts() || gain.attempts == ATTEMPTS {
                gain.evacuate_at = free + self.page_units() / 2;
            }
            if self.evacuate(shard) {
                return true;
            }
        }
        if self.evicts() {
            return self.evict_one(shard, gain.keep, gain.now);
        }
        words.load(shard.at + shard::EXPIRING) > 0 && self.sweep_all(shard, gain.now) > 0
    }

    /// Evicts one entry: an expired one, or the policy's choice. `false` if there is none.
    pub(super) fn evict_one(&self, shard: Shard, keep: u32, now: f64) -> bool {
        let words = self.words;
        let buckets = self.buckets(shard);
        let expiring = words.load(shard.at + shard::EXPIRING) > 0;
        let mut victim: Option<(u8, Place, Entry)> = None;
        for step in 0..buckets {
            let hand = words.load(shard.at + shard::HAND) as usize % buckets;
            words.store(shard.at + shard::HAND, (hand + 1) as u32);
            let Some(home) = self.bucket_at(shard, hand) else { return false };
            for (place, reference) in self.lanes(home) {
                if reference == keep {
                    continue;
                }
                let meta = words.load_byte(place.meta());
                let is_better = victim.as_ref().is_none_or(|&(least, ..)| meta < least);
                if !is_better && !expiring {
                    continue;
                }
                let Some(entry) = parse(words, &self.geometry, reference) else { continue };
                if entry.is_expired(now) {
                    self.remove(shard, place, &entry, Event::Expire);
                    return true;
                }
                if is_better && !entry.is_pending() {
                    victim = Some((meta, place, entry));
                }
            }
            for (place, _) in self.lanes(home) {
                let meta = words.load_byte(place.meta());
                words.store_byte(place.meta(), meta.saturating_sub(1));
            }
            if victim.is_some() || step > MOST_BUCKETS && self.words.load(shard.at + shard::ENTRIES) == 0 {
                break;
            }
        }
        let Some((_, place, entry)) = victim else { return false };
        self.remove(shard, place, &entry, Event::Evict);
        true
    }

    /// Removes expired entries of some buckets from where the last sweep ended. Returns their
    /// number.
    pub(super) fn sweep(&self, shard: Shard, count: usize, now: f64) -> usize {
        let words = self.words;
        let mut removed = 0;
        for _ in 0..count {
            if words.load(shard.at + shard::EXPIRING) == 0 {
                break;
            }
            let buckets = self.buckets(shard);
            let index = words.load(shard.at + shard::SWEEP) as usize % buckets;
            words.store(shard.at + shard::SWEEP, (index + 1) as u32);
            let Some(home) = self.bucket_at(shard, index) else { break };
            loop {
                let expired = self.lanes(home).find_map(|(place, reference)| {
                    parse(words, &self.geometry, reference)
                        .filter(|entry| entry.is_expired(now))
                        .map(|entry| (place, entry))
                });
                let Some((place, entry)) = expired else { break };
                self.remove(shard, place, &entry, Event::Expire);
                removed += 1;
            }
        }
        removed
    }

    fn sweep_all(&self, shard: Shard, now: f64) -> usize {
        self.sweep(shard, self.buckets(shard), now)
    }

    /// Removes an entry, reports the event, and frees its blocks.
    pub(super) fn remove(&self, shard: Shard, place: Place, entry: &Entry, event: Event) {
        let words = self.words;
        if !entry.is_pending() {
            self.report(shard, event, entry);
        }
        let hash = self.hash_of_ref(entry.reference()).unwrap_or(0);
        self.remove_lane(shard, place);
        words.bump(shard.at + shard::ENTRIES, u32::MAX);
        self.discount(shard, entry);
        let counter = match event {
            Event::Evict => counter::EVICTIONS,
            Event::Expire => counter::EXPIRATIONS,
            Event::Delete | Event::Set => counter::DELETES,
        };
        words.count_up(shard.at + counter, u64::from(!entry.is_pending()));
        self.retire(shard, hash, entry, event);
    }

    /// Subtracts an entry from the shard's totals.
    pub(super) fn discount(&self, shard: Shard, entry: &Entry) {
        let content = (entry.key_length + entry.value_length) as u64;
        self.words.count_up(shard.at + shard::CONTENT, content.wrapping_neg());
        if entry.flags & super::entry::EXPIRES != 0 {
            self.words.bump(shard.at + shard::EXPIRING, u32::MAX);
        }
        if entry.is_pending() {
            self.words.bump(shard.at + shard::PENDING, u32::MAX);
        }
    }

    /// Adds an entry to the shard's totals, apart from the number of entries.
    pub(super) fn count_entry(&self, shard: Shard, entry: &Entry) {
        self.words.count_up(shard.at + shard::CONTENT, (entry.key_length + entry.value_length) as u64);
        self.words.bump(shard.at + shard::EXPIRING, u32::from(entry.flags & super::entry::EXPIRES != 0));
        self.words.bump(shard.at + shard::PENDING, u32::from(entry.is_pending()));
    }

    /// Frees an entry that no lane refers to any more, unless a snapshot needs it. Its bucket's
    /// version has increased.
    pub(super) fn retire(&self, shard: Shard, hash: u32, entry: &Entry, event: Event) {
        if event == Event::Evict || !self.keep(shard, hash, entry) {
            self.free_blocks(shard, entry);
        }
    }

    /// Frees the blocks of an entry.
    pub(super) fn free_blocks(&self, shard: Shard, entry: &Entry) {
        if entry.is_chained() {
            let chunk = self.words.load(entry.value_at);
            self.free_chain(shard, chunk);
        }
        self.free(shard, entry.reference(), entry.units);
    }

    /// Frees the chunks of a value.
    pub(super) fn free_chain(&self, shard: Shard, first: u32) {
        let mut chunk = first;
        // Each chunk is free before the next is read, so a cycle ends at once.
        while self.words.load(chunk as usize * 2) == super::entry::CHUNK {
            let next = self.words.load(chunk as usize * 2 + 3);
            let units = self.words.load(chunk as usize * 2 + 1);
            self.free(shard, chunk, units.clamp(3, self.page_units()));
            chunk = next;
        }
    }
}
