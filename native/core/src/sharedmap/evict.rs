//! Room for new entries: eviction, expiry, and evacuation until a block or a page can be had.
//!
//! All functions require the shard's lock. [`Map::make_room`] never evicts if the map refuses new
//! entries when it is full; it then only evacuates.

use super::entry::{Entry, parse};
use super::index::Place;
use super::layout::{control, page::Use, shard, shard::counter};
use super::policy::pool::{Candidate, Pool};
use super::policy::{self, density};
use super::{Event, Map, Shard};
use crate::Result;

/// Evictions of one operation, so that it ends.
const MOST_EVICTIONS: usize = 100_000;
/// Pages that are evacuated for one operation of a map that does not evict.
const ATTEMPTS: u32 = 8;

/// Entries that an eviction examines, apart from the pool. Their number is fixed, and not that of
/// the buckets: the fuller a part of the index is, the more it loses. Otherwise the buckets that
/// are split, which gain half as many entries as the others, would lose as many, and be empty.
const EXAMINED: usize = 16;
/// Candidates that were hit after they entered the pool, and are ranked again, before one is
/// evicted in any case.
const MOST_RANKED_AGAIN: usize = 16;

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
        self.geometry.schema.evicts_by() != policy::NONE
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

    /// Evicts one entry: an expired one, or the policy's choice among those of a few buckets and
    /// the pool. `false` if there is none.
    pub(super) fn evict_one(&self, shard: Shard, keep: u32, now: f64) -> bool {
        // One copy of the code for each policy: the policy is asked about every slot.
        match self.geometry.schema.evicts_by() {
            policy::AUTO => self.evict_by::<{ policy::AUTO }>(shard, keep, now),
            policy::S3_FIFO => self.evict_by::<{ policy::S3_FIFO }>(shard, keep, now),
            policy::LRU => self.evict_by::<{ policy::LRU }>(shard, keep, now),
            policy::LFU => self.evict_by::<{ policy::LFU }>(shard, keep, now),
            policy::FIFO => self.evict_by::<{ policy::FIFO }>(shard, keep, now),
            policy::GDSF => self.evict_by::<{ policy::GDSF }>(shard, keep, now),
            _ => false,
        }
    }

    fn evict_by<const POLICY: u32>(&self, shard: Shard, keep: u32, now: f64) -> bool {
        let (words, state) = (self.words, self.policy_state(shard));
        let clock = words.load(shard.at + shard::CLOCK);
        let rank = |meta, units| {
            if POLICY != policy::AUTO {
                return policy::rank(POLICY, meta, clock, units);
            }
            let (hits, age) = policy::hits_and_age(POLICY, meta, clock);
            density::of(words, state, hits, age)
        };
        let mut pool = Pool::load(words, state, rank);
        if self.examine_buckets::<POLICY>(shard, keep, now, &mut pool, rank) {
            return true;
        }
        let mut left = MOST_RANKED_AGAIN;
        let mut kept = None;
        while let Some(victim) = pool.take() {
            if victim.reference == keep {
                kept = Some(victim);
                continue;
            }
            let Some((place, entry, hash)) = self.find_victim(shard, &victim) else { continue };
            let meta = words.load_byte(place.meta());
            if meta != victim.meta && left > 0 {
                left -= 1;
                let rank = rank(meta, victim.units);
                pool.add(Candidate::new(place, victim.reference, meta, victim.units, rank));
                continue;
            }
            self.count_victim(shard, clock, meta, hash);
            if let Some(candidate) = kept {
                pool.add(candidate);
            }
            // The next victim's entry is likely to be in main memory.
            words.prefetch(pool.next() as usize * 2);
            pool.store(words, state);
            self.remove_hashed(shard, place, &entry, hash, Event::Evict);
            return true;
        }
        pool.store(words, state);
        false
    }

    /// Adds the entries of the buckets at the hand to the pool. `true` if one has expired and was
    /// removed.
    fn examine_buckets<const POLICY: u32>(
        &self,
        shard: Shard,
        keep: u32,
        now: f64,
        pool: &mut Pool,
        rank: impl Fn(u8, u32) -> u32,
    ) -> bool {
        let words = self.words;
        let clock = words.load(shard.at + shard::CLOCK);
        let expiring = words.load(shard.at + shard::EXPIRING) > 0;
        let buckets = self.buckets(shard);
        let (mut examined, mut fewest, mut most) = (0, u8::MAX, 0);
        let first = words.load(shard.at + shard::HAND) as usize % buckets;
        let mut hand = first;
        for _ in 0..buckets {
            let Some(home) = self.bucket_at(shard, hand) else { break };
            hand = if hand + 1 < buckets { hand + 1 } else { 0 };
            for (place, reference) in self.lanes(home) {
                if reference == keep {
                    continue;
                }
                let before = words.load_byte(place.meta());
                let meta = policy::examined(POLICY, before, clock);
                if meta != before {
                    words.store_byte(place.meta(), meta);
                    self.count_outlived(shard, clock, meta);
                }
                (fewest, most) = (fewest.min(meta), most.max(meta));
                examined += 1;
                let units = match POLICY {
                    policy::GDSF => parse(words, &self.geometry, reference).map_or(1, |e| e.all_units()),
                    _ => 1,
                };
                let rank = rank(meta, units);
                if !pool.accepts(rank) {
                    continue;
                }
                if expiring
                    && let Some(entry) = parse(words, &self.geometry, reference)
                    && entry.is_expired(now)
                {
                    words.store(shard.at + shard::HAND, hand as u32);
                    self.remove(shard, place, &entry, Event::Expire);
                    return true;
                }
                pool.add(Candidate::new(place, reference, meta, units, rank));
            }
            if examined >= EXAMINED {
                break;
            }
        }
        words.store(shard.at + shard::HAND, hand as u32);
        let are_equal = match POLICY {
            policy::S3_FIFO => fewest >> 6 > 0,
            policy::LFU | policy::GDSF => most == u8::MAX,
            _ => false,
        };
        if are_equal && examined > 0 {
            self.demote(shard, first, hand, buckets);
        }
        false
    }

    /// Takes hits from all entries of some buckets: the numbers no longer distinguish them.
    #[cold]
    fn demote(&self, shard: Shard, first: usize, end: usize, buckets: usize) {
        let policy = self.geometry.schema.evicts_by();
        let mut hand = first;
        loop {
            let Some(home) = self.bucket_at(shard, hand) else { return };
            for (place, _) in self.lanes(home) {
                let meta = self.words.load_byte(place.meta());
                self.words.store_byte(place.meta(), policy::demoted(policy, meta));
            }
            hand = if hand + 1 < buckets { hand + 1 } else { 0 };
            if hand == end {
                return;
            }
        }
    }

    /// Reports to `auto` that an entry grew older than the greatest age.
    #[cold]
    fn count_outlived(&self, shard: Shard, clock: u32, meta: u8) {
        if self.geometry.schema.evicts_by() == policy::AUTO {
            let (hits, age) = policy::hits_and_age(policy::AUTO, meta, clock);
            density::count_outlived(self.words, self.policy_state(shard), hits, age);
        }
    }

    /// The entry of a candidate, where it is now, and its hash. `None` if it is gone or a lease.
    fn find_victim(&self, shard: Shard, victim: &Candidate) -> Option<(Place, Entry, u32)> {
        if self.words.load(victim.place().lane()) != victim.reference {
            return None;
        }
        let entry = parse(self.words, &self.geometry, victim.reference)?;
        if entry.is_pending() {
            return None;
        }
        // The pool may be older than the bucket, whose page may be used for something else by now.
        let hash = self.hash_of_ref(victim.reference)?;
        let home = self.home(shard, hash)?;
        let (place, _) = self.lanes(home).find(|&(_, reference)| reference == victim.reference)?;
        Some((place, entry, hash))
    }

    /// Reports a victim to `auto`.
    fn count_victim(&self, shard: Shard, clock: u32, meta: u8, hash: u32) {
        let policy = self.geometry.schema.evicts_by();
        if policy != policy::AUTO {
            return;
        }
        let (hits, age) = policy::hits_and_age(policy, meta, clock);
        let state = self.policy_state(shard);
        density::count_eviction(self.words, state, hits, age, clock);
        density::remember(self.words, state, self.geometry.share(), hash, hits);
    }

    /// The first word of the policy's state.
    #[inline]
    pub(super) fn policy_state(&self, shard: Shard) -> usize {
        shard.at + shard::WORDS
    }

    /// Advances the clock: a new entry, or a new value, of this size was written.
    fn advance_clock(&self, shard: Shard, units: u32) {
        let words = self.words;
        let written = words.load(shard.at + shard::TICK).saturating_add(units);
        let all = words.load(shard.at + shard::PAGE_COUNT).saturating_mul(self.page_units());
        if written >= all / policy::ticks(self.geometry.schema.evicts_by()) {
            words.store(shard.at + shard::TICK, 0);
            words.bump(shard.at + shard::CLOCK, 1);
        } else {
            words.store(shard.at + shard::TICK, written);
        }
    }

    /// The policy byte of a new entry.
    pub(super) fn new_meta(&self, shard: Shard, hash: u32) -> u8 {
        let words = self.words;
        let policy = self.geometry.schema.evicts_by();
        let hits = match policy {
            policy::AUTO => density::recall(words, self.policy_state(shard), self.geometry.share(), hash),
            _ => 0,
        };
        policy::initial(policy, words.load(shard.at + shard::CLOCK), hits)
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
        let hash = self.hash_of_ref(entry.reference()).unwrap_or(0);
        self.remove_hashed(shard, place, entry, hash, event);
    }

    fn remove_hashed(&self, shard: Shard, place: Place, entry: &Entry, hash: u32, event: Event) {
        let words = self.words;
        if !entry.is_pending() {
            self.report(shard, event, entry);
        }
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
        self.advance_clock(shard, entry.all_units());
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
