//! The index: linear hashing over buckets of 20 lanes (`docs/formats/sharedmap.md`, "Index").
//!
//! All functions that change lanes require the shard's lock. Each change is one store of a lane;
//! tags and policy bytes are written before the lane that makes them count.
//!
//! Cost: a lookup reads one bucket (two cache lines) and the entries whose tag is equal, one in 256
//! others. A split or merge moves the entries of one bucket.

use super::entry::{Entry, Key, has_key, hash_of, parse};
use super::layout::{bucket, page, page::Use, shard};
use super::{Map, Shard};
use crate::Result;

/// A shard with more entries for each bucket splits one, and with fewer merges one.
const SPLIT_ABOVE: u32 = 16;
const MERGE_BELOW: u32 = 8;
/// No chain is longer, whatever its words are.
const MAX_CHAIN: usize = 1000;

/// Where a lane is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// First word of the chain's first bucket.
    pub(crate) home: usize,
    /// First word of the lane's bucket.
    pub(crate) bucket: usize,
    /// The slot in the bucket.
    pub(crate) slot: usize,
}

impl Place {
    /// The word of the lane.
    #[inline]
    pub(crate) fn lane(self) -> usize {
        self.bucket + bucket::LANES + self.slot
    }

    /// The byte offset of the policy's byte.
    #[inline]
    pub(crate) fn meta(self) -> usize {
        (self.bucket + bucket::META) * 4 + self.slot
    }

    /// The byte offset of the tag.
    #[inline]
    pub(crate) fn tag(self) -> usize {
        (self.bucket + bucket::TAGS) * 4 + self.slot
    }
}

/// The tag of a hash.
#[inline(always)]
pub(crate) fn tag_of(hash: u32) -> u8 {
    (hash >> 23) as u8
}

/// The slots of a bucket with a tag, as bits.
#[inline]
fn slots_with_tag(words: super::Words, at: usize, tag: u8) -> u32 {
    let pattern = u32::from(tag) * 0x0101_0101;
    let mut slots = 0;
    for word in 0..bucket::SLOTS / 4 {
        let difference = words.load(at + bucket::TAGS + word) ^ pattern;
        // The high bit of each byte that is 0. There are no borrows between the bytes.
        let zeros = !((difference & 0x7F7F_7F7F).wrapping_add(0x7F7F_7F7F) | difference | 0x7F7F_7F7F);
        slots |= (zeros.wrapping_mul(0x0020_4081) >> 28) << (word * 4);
    }
    slots
}

impl Map {
    /// The number of buckets; at least 1 and at most what the directory has room for.
    #[inline]
    pub(super) fn buckets(&self, shard: Shard) -> usize {
        let most = self.geometry.directory_length * self.geometry.page_buckets();
        (self.words.acquire(shard.at + shard::BUCKETS) as usize).clamp(1, most)
    }

    /// The bucket of a hash among `buckets`.
    #[inline(always)]
    pub(super) fn bucket_of(&self, hash: u32, buckets: usize) -> usize {
        let rest = (hash >> self.geometry.shard_bits) as usize;
        let mask = buckets.next_power_of_two() - 1;
        let bucket = rest & mask;
        if bucket < buckets { bucket } else { bucket & mask >> 1 }
    }

    /// The word of the directory for the page with a bucket.
    #[inline(always)]
    fn directory_word(&self, shard: Shard, bucket: usize) -> usize {
        self.geometry.directories_at
            + shard.id * self.geometry.directory_length
            + bucket / self.geometry.page_buckets()
    }

    /// The first word of a bucket. `None` if the directory is not valid.
    #[inline(always)]
    pub(super) fn bucket_at(&self, shard: Shard, bucket: usize) -> Option<usize> {
        let page = (self.words.load(self.directory_word(shard, bucket)) as usize).wrapping_sub(1);
        (page < self.geometry.pages)
            .then(|| self.page_start(page) + bucket % self.geometry.page_buckets() * bucket::WORDS)
    }

    /// The first word of the chain of a hash.
    #[inline]
    pub(super) fn home(&self, shard: Shard, hash: u32) -> Option<usize> {
        self.bucket_at(shard, self.bucket_of(hash, self.buckets(shard)))
    }

    /// The buckets of a chain.
    #[inline]
    pub(super) fn chain(&self, home: usize) -> impl Iterator<Item = usize> + '_ {
        std::iter::successors(Some(home), |&at| self.next_in_chain(at)).take(MAX_CHAIN)
    }

    #[inline]
    fn next_in_chain(&self, at: usize) -> Option<usize> {
        let next = self.words.load(at + bucket::OVERFLOW) as usize * bucket::WORDS;
        self.page_of(next).map(|_| next)
    }

    /// The lanes of a chain that are in use, with their refs.
    pub(super) fn lanes(&self, home: usize) -> impl Iterator<Item = (Place, u32)> + '_ {
        self.chain(home).flat_map(move |at| {
            (0..bucket::SLOTS).filter_map(move |slot| {
                let place = Place { home, bucket: at, slot };
                let reference = self.words.acquire(place.lane());
                (reference != 0).then_some((place, reference))
            })
        })
    }

    /// The entry with a key in the chain at `home`.
    #[inline]
    pub(super) fn find_in(&self, home: usize, hash: u32, key: &Key<'_>) -> Option<(Place, Entry)> {
        let tag = tag_of(hash);
        for at in self.chain(home) {
            let mut slots = slots_with_tag(self.words, at, tag);
            while slots != 0 {
                let place = Place { home, bucket: at, slot: slots.trailing_zeros() as usize };
                slots &= slots - 1;
                let reference = self.words.acquire(place.lane());
                if reference != 0
                    && let Some(entry) = parse(self.words, &self.geometry, reference)
                    && has_key(self.words, &entry, key)
                {
                    return Some((place, entry));
                }
            }
        }
        None
    }

    /// The entry of a handle in the chain at `home`: tag and birth identify it.
    pub(super) fn find_birth(&self, home: usize, hash: u32, birth: u32) -> Option<(Place, Entry)> {
        let tag = tag_of(hash);
        for at in self.chain(home) {
            let mut slots = slots_with_tag(self.words, at, tag);
            while slots != 0 {
                let place = Place { home, bucket: at, slot: slots.trailing_zeros() as usize };
                slots &= slots - 1;
                let reference = self.words.acquire(place.lane());
                if reference != 0
                    && let Some(entry) = parse(self.words, &self.geometry, reference)
                    && entry.birth == birth
                {
                    return Some((place, entry));
                }
            }
        }
        None
    }

    /// The chain and the lane's word of a ref.
    pub(super) fn find_lane(&self, shard: Shard, hash: u32, reference: u32) -> Option<(usize, usize)> {
        let home = self.home(shard, hash)?;
        self.lanes(home).find(|&(_, lane)| lane == reference).map(|(place, _)| (home, place.lane()))
    }

    /// Makes an empty lane of the chain refer to an entry. `false` if the chain is full and no
    /// overflow bucket can be added. With `may_evict` entries may be evicted for a new bucket.
    pub(super) fn insert_lane(
        &self,
        shard: Shard,
        home: usize,
        hash: u32,
        reference: u32,
        meta: u8,
        may_evict: bool,
    ) -> Result<bool> {
        let place = match self.empty_lane(home) {
            Ok(place) => place,
            Err(_) => {
                let Some(added) = self.take_overflow(shard, may_evict)? else { return Ok(false) };
                // To obtain the bucket may have evicted entries of this chain.
                match self.empty_lane(home) {
                    Ok(place) => {
                        self.free_overflow(shard, added);
                        place
                    }
                    Err(last) => {
                        self.words.release(last + bucket::OVERFLOW, (added / bucket::WORDS) as u32);
                        Place { home, bucket: added, slot: 0 }
                    }
                }
            }
        };
        self.prepare_lane(place, tag_of(hash), meta);
        self.words.release(place.lane(), reference);
        Ok(true)
    }

    /// The lanes of the chain that are 0.
    pub(super) fn empty_lanes(&self, home: usize) -> impl Iterator<Item = Place> + '_ {
        self.chain(home).flat_map(move |at| {
            let places = (0..bucket::SLOTS).map(move |slot| Place { home, bucket: at, slot });
            places.filter(|place| self.words.load(place.lane()) == 0)
        })
    }

    /// Writes tag and policy byte of an empty lane.
    pub(super) fn prepare_lane(&self, place: Place, tag: u8, meta: u8) {
        self.words.store_byte(place.tag(), tag);
        self.words.store_byte(place.meta(), meta);
    }

    /// Adds an empty bucket to a chain, without evicting anything. `false` if there is no room.
    pub(super) fn extend_chain(&self, shard: Shard, home: usize) -> Result<bool> {
        let Some(added) = self.take_overflow(shard, false)? else { return Ok(false) };
        let last = self.chain(home).last().unwrap_or(home);
        self.words.release(last + bucket::OVERFLOW, (added / bucket::WORDS) as u32);
        Ok(true)
    }

    /// The first lane of the chain that is 0, or else the last bucket.
    fn empty_lane(&self, home: usize) -> std::result::Result<Place, usize> {
        let mut last = home;
        for at in self.chain(home) {
            last = at;
            let empty = (0..bucket::SLOTS).find(|slot| self.words.load(at + bucket::LANES + slot) == 0);
            if let Some(slot) = empty {
                return Ok(Place { home, bucket: at, slot });
            }
        }
        Err(last)
    }

    /// Clears a lane, and moves the last lane of the chain into its place if it has more buckets.
    /// Increases the version, so the entry may be freed.
    pub(super) fn remove_lane(&self, shard: Shard, place: Place) {
        let words = self.words;
        words.release(place.lane(), 0);
        let mut unlinked = None;
        if words.load(place.home + bucket::OVERFLOW) != 0 {
            let mut before = place.home;
            let mut last = place.home;
            for at in self.chain(place.home) {
                if self.next_in_chain(at).is_some() {
                    before = at;
                }
                last = at;
            }
            let full = (0..bucket::SLOTS).rev().find(|slot| words.load(last + bucket::LANES + slot) != 0);
            if let Some(slot) = full
                && last != place.bucket
            {
                let from = Place { home: place.home, bucket: last, slot };
                words.store_byte(place.tag(), words.load_byte(from.tag()));
                words.store_byte(place.meta(), words.load_byte(from.meta()));
                words.release(place.lane(), words.load(from.lane()));
                words.release(from.lane(), 0);
            }
            let is_empty = (0..bucket::SLOTS).all(|slot| words.load(last + bucket::LANES + slot) == 0);
            if is_empty && last != place.home {
                words.release(before + bucket::OVERFLOW, 0);
                unlinked = Some(last);
            }
        }
        self.increase_version(place.home);
        if let Some(at) = unlinked {
            self.free_overflow(shard, at);
        }
    }

    /// An empty overflow bucket: its first word.
    fn take_overflow(&self, shard: Shard, may_evict: bool) -> Result<Option<usize>> {
        let words = self.words;
        if words.load(shard.at + shard::OVERFLOW_FREE) == 0 {
            let page = if may_evict {
                self.obtain_page(shard, Use::Overflow)?
            } else {
                self.take_page(shard, Use::Overflow)?
            };
            let Some(page) = page else { return Ok(None) };
            let start = self.page_start(page);
            words.clear(start, self.geometry.page_words());
            self.link_page(shard, shard::OVERFLOW_PAGES, page);
            words.bump(shard.at + shard::OVERFLOW_COUNT, 1);
            for index in 0..self.geometry.page_buckets() {
                self.push_overflow(shard, start + index * bucket::WORDS);
            }
        }
        let at = words.load(shard.at + shard::OVERFLOW_FREE) as usize * bucket::WORDS;
        let Some(page) = self.page_of(at).filter(|&page| self.has_page(page, Use::Overflow, shard)) else {
            words.store(shard.at + shard::OVERFLOW_FREE, 0);
            return Ok(None);
        };
        self.unlink_overflow(shard, at);
        words.bump(self.page_entry(page) + page::LIVE, 1);
        words.clear(at, bucket::WORDS);
        Ok(Some(at))
    }

    /// Frees an overflow bucket, and its page if it was the last one in use.
    fn free_overflow(&self, shard: Shard, at: usize) {
        let words = self.words;
        let Some(page) = self.page_of(at) else { return };
        words.clear(at, bucket::WORDS);
        self.push_overflow(shard, at);
        let entry = self.page_entry(page);
        words.bump(entry + page::LIVE, u32::MAX);
        if words.load(entry + page::LIVE) == 0 {
            let start = self.page_start(page);
            for index in 0..self.geometry.page_buckets() {
                self.unlink_overflow(shard, start + index * bucket::WORDS);
            }
            self.unlink_page(shard, shard::OVERFLOW_PAGES, page);
            words.bump(shard.at + shard::OVERFLOW_COUNT, u32::MAX);
            self.free_page(page);
        }
    }

    /// Free overflow buckets are linked by their words 1 (next) and 2 (previous).
    pub(super) fn push_overflow(&self, shard: Shard, at: usize) {
        let words = self.words;
        let head = words.load(shard.at + shard::OVERFLOW_FREE);
        let own = (at / bucket::WORDS) as u32;
        words.store(at + 1, head);
        words.store(at + 2, 0);
        if head != 0 {
            words.store(head as usize * bucket::WORDS + 2, own);
        }
        words.store(shard.at + shard::OVERFLOW_FREE, own);
    }

    fn unlink_overflow(&self, shard: Shard, at: usize) {
        let words = self.words;
        let (next, previous) = (words.load(at + 1), words.load(at + 2));
        if previous == 0 {
            words.store(shard.at + shard::OVERFLOW_FREE, next);
        } else {
            words.store(previous as usize * bucket::WORDS + 1, next);
        }
        if next != 0 {
            words.store(next as usize * bucket::WORDS + 2, previous);
        }
    }

    /// Splits or merges buckets if the number of entries asks for it. Failures only make chains
    /// longer.
    pub(super) fn adjust_buckets(&self, shard: Shard) -> Result<()> {
        for _ in 0..2 {
            let (entries, buckets) = (self.words.load(shard.at + shard::ENTRIES), self.buckets(shard) as u32);
            let done = if entries > buckets * SPLIT_ABOVE {
                self.split(shard)?
            } else if buckets > 1 && entries < buckets * MERGE_BELOW {
                self.merge(shard)?
            } else {
                false
            };
            if !done {
                break;
            }
        }
        Ok(())
    }

    /// Adds a bucket. `false` if there is no room for it.
    fn split(&self, shard: Shard) -> Result<bool> {
        let words = self.words;
        let new = self.buckets(shard);
        let per_page = self.geometry.page_buckets();
        if new == self.geometry.directory_length * per_page {
            return Ok(false);
        }
        let index_pages = words.load(shard.at + shard::INDEX_PAGES) as usize;
        if new / per_page == index_pages {
            let Some(page) = self.obtain_page(shard, Use::Index)? else { return Ok(false) };
            words.clear(self.page_start(page), self.geometry.page_words());
            words.release(self.directory_word(shard, new), (page + 1) as u32);
            words.store(shard.at + shard::INDEX_PAGES, (index_pages + 1) as u32);
        }
        // To obtain a page may have evicted entries, but never changes the number of buckets.
        let old = new - (new + 1).next_power_of_two() / 2;
        let (Some(from), Some(to)) = (self.bucket_at(shard, old), self.bucket_at(shard, new)) else {
            return Ok(false);
        };
        let mut moved = Vec::new();
        for (place, reference) in self.lanes(from) {
            let Some(hash) = self.hash_of_ref(reference) else { continue };
            if self.bucket_of(hash, new + 1) == new {
                moved.try_reserve(1)?;
                moved.push((place, reference, hash));
            }
        }
        for &(place, reference, hash) in &moved {
            if !self.insert_lane(shard, to, hash, reference, words.load_byte(place.meta()), false)? {
                self.clear_chain(shard, to);
                return Ok(false);
            }
        }
        words.release(shard.at + shard::BUCKETS, (new + 1) as u32);
        self.increase_epoch(shard);
        for &(_, reference, _) in &moved {
            // Removing a lane moves others, so each is searched for.
            if let Some((place, _)) = self.lanes(from).find(|&(_, lane)| lane == reference) {
                self.remove_lane(shard, place);
            }
        }
        Ok(true)
    }

    /// Removes the last bucket. `false` if its lanes have no room elsewhere.
    fn merge(&self, shard: Shard) -> Result<bool> {
        let words = self.words;
        let last = self.buckets(shard) - 1;
        let into = last - (last + 1).next_power_of_two() / 2;
        let (Some(from), Some(to)) = (self.bucket_at(shard, last), self.bucket_at(shard, into)) else {
            return Ok(false);
        };
        for (place, reference) in self.lanes(from) {
            let Some(hash) = self.hash_of_ref(reference) else { continue };
            if !self.insert_lane(shard, to, hash, reference, words.load_byte(place.meta()), false)? {
                // The copies do not belong to their bucket, so nothing reaches them.
                self.remove_strays(shard, to, into, last + 1);
                return Ok(false);
            }
        }
        words.release(shard.at + shard::BUCKETS, last as u32);
        self.increase_epoch(shard);
        self.clear_chain(shard, from);
        let per_page = self.geometry.page_buckets();
        if last.is_multiple_of(per_page) {
            let at = self.directory_word(shard, last);
            let page = (words.load(at) as usize).wrapping_sub(1);
            words.release(at, 0);
            words.store(shard.at + shard::INDEX_PAGES, (last / per_page) as u32);
            if page < self.geometry.pages && self.has_page(page, Use::Index, shard) {
                self.increase_epoch(shard);
                self.free_page(page);
            }
        }
        Ok(true)
    }

    /// Tells readers that the number of buckets changed.
    pub(super) fn increase_epoch(&self, shard: Shard) {
        let at = shard.at + shard::EPOCH;
        self.words.release(at, self.words.load(at).wrapping_add(1));
        super::words::store_fence();
    }

    /// Empties a chain that nothing reaches.
    pub(super) fn clear_chain(&self, shard: Shard, home: usize) {
        let mut overflow = Vec::new();
        for at in self.chain(home) {
            for slot in 0..bucket::SLOTS {
                self.words.store(at + bucket::LANES + slot, 0);
            }
            if at != home && overflow.try_reserve(1).is_ok() {
                overflow.push(at);
            }
        }
        self.words.store(home + bucket::OVERFLOW, 0);
        self.increase_version(home);
        for at in overflow {
            self.free_overflow(shard, at);
        }
    }

    /// Clears the lanes of a chain whose keys belong to another bucket.
    pub(super) fn remove_strays(&self, shard: Shard, home: usize, index: usize, buckets: usize) {
        loop {
            let stray = self.lanes(home).find(|&(_, reference)| {
                self.hash_of_ref(reference).is_none_or(|hash| self.bucket_of(hash, buckets) != index)
            });
            let Some((place, _)) = stray else { break };
            self.remove_lane(shard, place);
        }
    }

    /// The hash of the key of the entry at a ref. `None` if there is no entry.
    pub(super) fn hash_of_ref(&self, reference: u32) -> Option<u32> {
        let entry = parse(self.words, &self.geometry, reference)?;
        let mut scratch = self.scratch.borrow_mut();
        Some(hash_of(self.words, self.geometry.schema, &entry, &self.seeds, &mut scratch))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Words;
    use super::*;
    use crate::region::memory::Memory;

    #[test]
    fn tags_are_found_in_every_slot_and_nowhere_else() {
        let mut block = vec![0u64; 64];
        // SAFETY: the memory is valid and not used by others.
        let words = unsafe { Words::new(Memory::new(block.as_mut_ptr().cast(), 512).unwrap()) };
        for (slot, tag) in (0..20).zip([0u8, 1, 0x80, 0xFF, 0x7F, 0x81, 1, 1, 0, 0].into_iter().cycle()) {
            words.store_byte(bucket::TAGS * 4 + slot, tag);
        }
        for tag in 0..=255 {
            let expected = (0..20).filter(|slot| words.load_byte(bucket::TAGS * 4 + slot) == tag);
            let expected = expected.fold(0, |slots, slot| slots | 1 << slot);
            assert_eq!(slots_with_tag(words, 0, tag), expected, "{tag}");
        }
    }
}
