//! Repair of a shard (`docs/formats/sharedmap.md`, "Repair").
//!
//! The lanes are the truth; everything else is rebuilt from them. A repair runs when a lock is
//! taken over from a holder that terminated, and it is idempotent: a repair that is itself cut off
//! is repeated by the next holder.
//!
//! Cost: a visit of each entry of the shard, about 100 ns each.

use super::entry::{CHUNK, Entry, parse, verify};
use super::index::tag_of;
use super::layout::{bucket, page, page::Use, shard, shard::counter};
use super::lock::Holder;
use super::{Guard, Map, Shard};
use crate::Result;

/// A live block, and the lane through which it is reached.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Live {
    block: u32,
    units: u32,
    lane: usize,
}

/// The entries that a repair kept and lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Entries that are still in the map.
    pub kept: usize,
    /// Lanes that were cleared although they belonged to their bucket.
    pub lost: usize,
}

impl Map {
    /// Completes the changes of a holder that terminated.
    pub(super) fn take_over(&self, guard: &Guard<'_>, dead: Holder) -> Result<()> {
        // If the repair fails for want of memory, the next holder repeats it.
        guard.leave.set(dead.0);
        self.await_transaction();
        let repaired = self.repair(guard.shard);
        self.watch_take_over(guard.shard, dead, repaired.as_ref().ok().copied());
        repaired?;
        guard.leave.set(0);
        Ok(())
    }

    /// Rebuilds the derived data of a shard, whose lock is held.
    pub(super) fn repair(&self, shard: Shard) -> Result<Repaired> {
        self.rebuild(shard, false)
    }

    /// Repairs all shards, and keeps only entries whose checksums are right. For files that were
    /// open during a power loss.
    pub fn salvage(&self) -> Result<Repaired> {
        let mut all = Repaired::default();
        for id in 0..self.geometry.shards() {
            let shard = self.shard(id);
            let _guard = self.lock(shard)?;
            let repaired = self.rebuild(shard, true)?;
            all.kept += repaired.kept;
            all.lost += repaired.lost;
        }
        Ok(all)
    }

    fn rebuild(&self, shard: Shard, check_sums: bool) -> Result<Repaired> {
        let words = self.words;
        words.count_up(shard.at + counter::REPAIRS, 1);
        self.increase_epoch(shard);
        self.rebuild_index(shard);
        let buckets = self.buckets(shard);
        let mut live = Vec::new();
        let mut overflow = Vec::new();
        let mut repaired = Repaired::default();
        for index in 0..buckets {
            let Some(home) = self.bucket_at(shard, index) else { continue };
            self.increase_version(home);
            self.check_lanes(shard, home, index, buckets, check_sums, &mut live, &mut repaired)?;
            for at in self.chain(home).skip(1) {
                overflow.try_reserve(1)?;
                overflow.push(at);
            }
        }
        self.drop_overlaps(&mut live, &mut repaired);
        // Readers that found an entry or a bucket that is not reachable any more start again.
        self.increase_epoch(shard);
        self.rebuild_overflow(shard, overflow)?;
        self.rebuild_pages(shard, &live)?;
        self.recount(shard);
        repaired.kept = words.load(shard.at + shard::ENTRIES) as usize;
        Ok(repaired)
    }

    /// Makes the directory agree with the number of buckets, and empties the buckets past it.
    fn rebuild_index(&self, shard: Shard) {
        let words = self.words;
        let per_page = self.geometry.page_buckets();
        let directory = self.geometry.directories_at + shard.id * self.geometry.directory_length;
        let has_index = |position: usize| {
            let page = (words.load(directory + position) as usize).wrapping_sub(1);
            page < self.geometry.pages && self.has_page(page, Use::Index, shard)
        };
        let needed = self.buckets(shard).div_ceil(per_page);
        let present = (0..needed).take_while(|&position| has_index(position)).count().max(1);
        if present < needed {
            words.release(shard.at + shard::BUCKETS, (present * per_page) as u32);
        }
        for position in present..self.geometry.directory_length {
            words.store(directory + position, 0);
        }
        words.store(shard.at + shard::INDEX_PAGES, present as u32);
        for index in self.buckets(shard)..present * per_page {
            if let Some(at) = self.bucket_at(shard, index) {
                words.clear(at + bucket::OVERFLOW, bucket::WORDS - 1);
                self.increase_version(at);
            }
        }
        // Readers that found the pages in the directory start again.
        self.increase_epoch(shard);
        for page in 0..self.geometry.pages {
            let listed =
                || (0..present).any(|position| words.load(directory + position) == (page + 1) as u32);
            if self.has_page(page, Use::Index, shard) && !listed() {
                self.free_page(page);
            }
        }
    }

    /// Clears the lanes of a chain that are not valid, and collects the blocks of the others.
    #[expect(clippy::too_many_arguments, reason = "the body of a loop")]
    fn check_lanes(
        &self,
        shard: Shard,
        home: usize,
        index: usize,
        buckets: usize,
        check_sums: bool,
        live: &mut Vec<Live>,
        repaired: &mut Repaired,
    ) -> Result<()> {
        let words = self.words;
        // The links of overflow buckets lead to overflow pages of the shard, each at most once.
        let mut before = home;
        for at in self.chain(home).skip(1) {
            let is_own = self.page_of(at).is_some_and(|page| self.has_page(page, Use::Overflow, shard));
            if !is_own || self.chain(home).take_while(|&other| other != before).any(|other| other == at) {
                words.store(before + bucket::OVERFLOW, 0);
                break;
            }
            before = at;
        }
        let first = live.len();
        for (place, reference) in self.lanes(home) {
            let lane = place.lane();
            let is_copy = live[first..].iter().any(|block| block.block == reference && block.lane != lane);
            let hash = self.hash_of_ref(reference).filter(|_| !is_copy);
            let belongs = hash.is_some_and(|hash| self.bucket_of(hash, buckets) == index);
            let start = live.len();
            let is_valid = belongs && self.collect(shard, reference, lane, check_sums, live)?;
            if let Some(hash) = hash.filter(|_| is_valid) {
                self.words.store_byte(place.tag(), tag_of(hash));
            } else {
                live.truncate(start);
                words.release(lane, 0);
                repaired.lost += usize::from(belongs);
            }
        }
        Ok(())
    }

    /// Appends the blocks of an entry. `false` if one is not valid.
    fn collect(
        &self,
        shard: Shard,
        reference: u32,
        lane: usize,
        check_sums: bool,
        live: &mut Vec<Live>,
    ) -> Result<bool> {
        let Some(entry) = parse(self.words, &self.geometry, reference) else { return Ok(false) };
        live.try_reserve(1)?;
        live.push(Live { block: reference, units: entry.units, lane });
        if !self.is_in_data(shard, reference, entry.units) || entry.key_length > self.geometry.max_key() {
            return Ok(false);
        }
        if entry.is_chained() && !self.collect_chain(shard, &entry, lane, live)? {
            return Ok(false);
        }
        Ok(!check_sums || verify(self.words, self.geometry.schema, &entry, &mut self.scratch.borrow_mut()))
    }

    fn collect_chain(&self, shard: Shard, entry: &Entry, lane: usize, live: &mut Vec<Live>) -> Result<bool> {
        let words = self.words;
        let mut left = entry.value_length;
        let mut chunk = words.load(entry.value_at);
        let mut previous = entry.reference();
        while left > 0 {
            let at = chunk as usize * 2;
            let (units, bytes) = (words.load(at + 1), words.load(at + 4) as usize);
            let fits = bytes > 0 && bytes <= left && bytes / 8 <= units as usize;
            if words.load(at) != CHUNK || !fits || !self.is_in_data(shard, chunk, units) {
                return Ok(false);
            }
            // The link back may be that of an entry that was moved.
            words.store(at + 2, previous);
            live.try_reserve(1)?;
            live.push(Live { block: chunk, units, lane });
            left -= bytes;
            previous = chunk;
            chunk = words.load(at + 3);
        }
        Ok(true)
    }

    /// Whether a block is within a data page of the shard.
    fn is_in_data(&self, shard: Shard, block: u32, units: u32) -> bool {
        self.page_of(block as usize * 2).is_some_and(|page| {
            let has = self.has_page(page, Use::Data, shard) || self.has_page(page, Use::Reserve, shard);
            has && units > 0 && u64::from(block) + u64::from(units) <= u64::from(self.page_end(page))
        })
    }

    /// Sorts the blocks, and clears the lanes of entries whose blocks overlap others.
    fn drop_overlaps(&self, live: &mut Vec<Live>, repaired: &mut Repaired) {
        live.sort_unstable();
        loop {
            let overlap = live.windows(2).find(|pair| pair[1].block < pair[0].block + pair[0].units);
            let Some(&[_, Live { lane, .. }]) = overlap else { break };
            self.words.release(lane, 0);
            live.retain(|block| block.lane != lane);
            repaired.lost += 1;
        }
    }

    /// Makes every overflow bucket that is in no chain free, and frees pages without others.
    fn rebuild_overflow(&self, shard: Shard, mut used: Vec<usize>) -> Result<()> {
        let words = self.words;
        used.sort_unstable();
        words.store(shard.at + shard::OVERFLOW_FREE, 0);
        words.store(shard.at + shard::OVERFLOW_PAGES, 0);
        words.store(shard.at + shard::OVERFLOW_COUNT, 0);
        for page in 0..self.geometry.pages {
            if !self.has_page(page, Use::Overflow, shard) {
                continue;
            }
            let start = self.page_start(page);
            let end = start + self.geometry.page_words();
            let first = used.partition_point(|&at| at < start);
            let last = used.partition_point(|&at| at < end);
            if first == last {
                self.free_page(page);
                continue;
            }
            self.link_page(shard, shard::OVERFLOW_PAGES, page);
            words.bump(shard.at + shard::OVERFLOW_COUNT, 1);
            words.store(self.page_entry(page) + page::LIVE, (last - first) as u32);
            for at in (start..end).step_by(bucket::WORDS) {
                if used[first..last].binary_search(&at).is_err() {
                    words.clear(at, bucket::WORDS);
                    self.push_overflow(shard, at);
                }
            }
        }
        Ok(())
    }

    /// Rebuilds the lists of pages and of free blocks from the live blocks, which are sorted.
    fn rebuild_pages(&self, shard: Shard, live: &[Live]) -> Result<()> {
        let words = self.words;
        for word in shard::LISTS..shard::LIST_BITS + shard::LIST_COUNT / 32 {
            words.store(shard.at + word, 0);
        }
        let cleared = [
            shard::BUMP,
            shard::BUMP_END,
            shard::RESERVE,
            shard::FREE,
            shard::DATA_PAGES,
            shard::PAGE_COUNT,
            shard::FAILED_AT,
            shard::KEPT,
        ];
        for word in cleared {
            words.store(shard.at + word, 0);
        }
        for page in 0..self.geometry.pages {
            if !self.has_page(page, Use::Data, shard) && !self.has_page(page, Use::Reserve, shard) {
                continue;
            }
            let start = (self.page_start(page) / 2) as u32;
            let end = self.page_end(page);
            let blocks = &live[live.partition_point(|block| block.block < start)
                ..live.partition_point(|block| block.block < end)];
            if blocks.is_empty() {
                // Its holder may have ended before the page was allocated, or while it was freed.
                let (at, bytes) = (u64::from(start) * 8, u64::from(end - start) * 8);
                if words.load(shard.at + shard::RESERVE) == 0 && self.backing.allocate(at, bytes).is_ok() {
                    self.keep_reserve(shard, page);
                    words.bump(shard.at + shard::PAGE_COUNT, 1);
                } else {
                    self.free_page(page);
                }
                continue;
            }
            self.use_page(shard, page, Use::Data);
            self.link_page(shard, shard::DATA_PAGES, page);
            words.bump(shard.at + shard::PAGE_COUNT, 1);
            let mut at = start;
            let mut used = 0;
            for block in blocks {
                self.put_gap(shard, at, block.block);
                at = block.block + block.units;
                used += block.units;
            }
            self.put_gap(shard, at, end);
            words.store(self.page_entry(page) + page::LIVE, used);
            words.bump(shard.at + shard::FREE, self.page_units() - used);
        }
        Ok(())
    }

    fn put_gap(&self, shard: Shard, start: u32, end: u32) {
        if start < end {
            self.put_free(shard, start, end - start);
        }
    }

    /// Counts entries, expiring entries and content again.
    fn recount(&self, shard: Shard) {
        let (mut entries, mut expiring, mut pending, mut content) = (0, 0, 0, 0);
        for index in 0..self.buckets(shard) {
            let Some(home) = self.bucket_at(shard, index) else { continue };
            for (_, reference) in self.lanes(home) {
                let Some(entry) = parse(self.words, &self.geometry, reference) else { continue };
                entries += 1;
                expiring += u32::from(entry.flags & super::entry::EXPIRES != 0);
                pending += u32::from(entry.is_pending());
                content += (entry.key_length + entry.value_length) as u64;
            }
        }
        self.words.store(shard.at + shard::ENTRIES, entries);
        self.words.store(shard.at + shard::EXPIRING, expiring);
        self.words.store(shard.at + shard::PENDING, pending);
        self.words.store_double(shard.at + shard::CONTENT, content);
    }
}
