//! Pages: the unit in which memory is assigned to shards (`docs/formats/sharedmap.md`, "Page
//! table").
//!
//! A page is taken by one compare-and-exchange and freed by one store. No lock protects the table;
//! a page belongs to the shard whose number is in its state, and only the holder of that shard's
//! lock changes its other words.
//!
//! Readers write to pages, without a lock: the policy bytes of buckets. So a page of buckets that
//! becomes free while a reader may be about to store such a byte is only retired. It is used again
//! after a moment at which no participant was marking.

use super::layout::{control, page, page::Use, participant, shard};
use super::words::full_fence;
use super::{Map, Shard, participants};
use crate::Result;

const SHARD_SHIFT: u32 = 8;

impl Map {
    /// The first word of a page's entry in the page table.
    #[inline]
    pub(super) fn page_entry(&self, page: usize) -> usize {
        self.geometry.page_table_at + page * page::WORDS
    }

    /// The first word of a page.
    #[inline]
    pub(super) fn page_start(&self, page: usize) -> usize {
        self.geometry.pages_at + page * self.geometry.page_words()
    }

    /// Size of a page, divided by 8.
    #[inline]
    pub(super) fn page_units(&self) -> u32 {
        (self.geometry.page_words() / 2) as u32
    }

    /// The page that contains a word.
    #[inline]
    pub(super) fn page_of(&self, word: usize) -> Option<usize> {
        let page = word.checked_sub(self.geometry.pages_at)? / self.geometry.page_words();
        (page < self.geometry.pages).then_some(page)
    }

    /// Whether a shard has a page for this use.
    #[inline]
    pub(super) fn has_page(&self, page: usize, used_as: Use, shard: Shard) -> bool {
        self.words.load(self.page_entry(page)) == state_of(used_as, shard)
    }

    /// Takes a free page. `None` if there is none, or if the disk refused to allocate it.
    pub(super) fn take_page(&self, shard: Shard, used_as: Use) -> Result<Option<usize>> {
        let words = self.words;
        let releases = words.acquire(control::RELEASES);
        if words.load(shard.at + shard::FAILED_AT) == releases.wrapping_add(1) {
            return Ok(None);
        }
        let count = self.geometry.pages;
        let start = words.load(control::PAGE_HINT) as usize % count;
        let mut is_marked = false;
        for step in 0..count {
            let page = (start + step) % count;
            let entry = self.page_entry(page);
            let former = words.load(entry);
            let is_retired = former == Use::Retired as u32 && !is_marked;
            if former != Use::Free as u32 && !is_retired
                || !words.swap(entry, former, state_of(used_as, shard))
            {
                continue;
            }
            let at = self.page_start(page) as u64 * 4;
            let bytes = self.geometry.page_words() as u64 * 4;
            if is_retired {
                // After the exchange: the page may have been used and retired again before it.
                if self.is_anyone_marking() {
                    is_marked = true;
                    words.release(entry, Use::Retired as u32);
                    continue;
                }
                self.backing.discard(at, bytes);
            }
            if let Err(error) = self.backing.allocate(at, bytes) {
                words.release(entry, Use::Free as u32);
                // A full disk is a smaller bound: the caller evicts, or finds no room. It is not an
                // error here, where an operation may be half done.
                self.refusal.replace(Some(error));
                return Ok(None);
            }
            words.store(control::PAGE_HINT, (page + 1) as u32);
            words.store(entry + page::LIVE, 0);
            words.store(entry + page::NEXT, 0);
            words.store(entry + page::PREVIOUS, 0);
            return Ok(Some(page));
        }
        if !is_marked {
            words.store(shard.at + shard::FAILED_AT, releases.wrapping_add(1));
        }
        Ok(None)
    }

    /// Returns a page that nothing refers to. If it has buckets, the version of their chains or the
    /// epoch of the shard was increased after the last reference was removed.
    pub(super) fn free_page(&self, page: usize) {
        let words = self.words;
        let entry = self.page_entry(page);
        let former = words.load(entry) & 0xFF;
        let has_buckets = former == Use::Index as u32 || former == Use::Overflow as u32;
        if has_buckets && self.is_anyone_marking() {
            words.release(entry, Use::Retired as u32);
        } else {
            self.backing.discard(self.page_start(page) as u64 * 4, self.geometry.page_words() as u64 * 4);
            words.release(entry, Use::Free as u32);
        }
        words.add(control::RELEASES, 1);
    }

    /// Whether another participant may be about to store a policy byte into a bucket that was
    /// reachable before this call. If not, it finds out that the bucket is not reachable any more.
    fn is_anyone_marking(&self) -> bool {
        full_fence();
        (0..self.geometry.participants).filter(|&slot| slot != self.slot).any(|slot| {
            let at = participants::at(&self.geometry, slot);
            self.words.load(at + participant::STATE) != 0
                && self.words.acquire(at + participant::MARKING) != 0
                && self.backing.is_alive(slot)
        })
    }

    /// Stores the policy byte of a slot after a hit, unless the slot's bucket has changed since
    /// `seen` or is not reachable any more. `byte`: where it is; `seen`: words, and the values that
    /// they had when the slot was found.
    pub(super) fn mark(&self, byte: usize, value: u8, seen: [(usize, u32); 2]) {
        let words = self.words;
        let marking = participants::at(&self.geometry, self.slot) + participant::MARKING;
        words.store(marking, 1);
        full_fence();
        if seen.iter().all(|&(word, former)| words.load(word) == former) {
            words.store_byte(byte, value);
        }
        words.release(marking, 0);
    }

    /// Changes what a page of the shard is used for.
    pub(super) fn use_page(&self, shard: Shard, page: usize, used_as: Use) {
        self.words.release(self.page_entry(page), state_of(used_as, shard));
    }

    /// Puts a page at the head of a list of the shard: `head` is a word of the shard.
    pub(super) fn link_page(&self, shard: Shard, head: usize, page: usize) {
        let words = self.words;
        let entry = self.page_entry(page);
        let first = words.load(shard.at + head);
        words.store(entry + page::NEXT, first);
        words.store(entry + page::PREVIOUS, 0);
        if let Some(first) = self.listed_page(first) {
            words.store(self.page_entry(first) + page::PREVIOUS, (page + 1) as u32);
        }
        words.store(shard.at + head, (page + 1) as u32);
    }

    /// Removes a page from a list of the shard.
    pub(super) fn unlink_page(&self, shard: Shard, head: usize, page: usize) {
        let words = self.words;
        let entry = self.page_entry(page);
        let (next, previous) = (words.load(entry + page::NEXT), words.load(entry + page::PREVIOUS));
        match self.listed_page(previous) {
            Some(previous) => words.store(self.page_entry(previous) + page::NEXT, next),
            None => words.store(shard.at + head, next),
        }
        if let Some(next) = self.listed_page(next) {
            words.store(self.page_entry(next) + page::PREVIOUS, previous);
        }
    }

    /// The pages of a list. Ends after as many steps as there are pages, whatever the links are.
    pub(super) fn listed_pages(&self, shard: Shard, head: usize) -> impl Iterator<Item = usize> + '_ {
        let first = self.listed_page(self.words.load(shard.at + head));
        std::iter::successors(first, |&page| {
            self.listed_page(self.words.load(self.page_entry(page) + page::NEXT))
        })
        .take(self.geometry.pages)
    }

    /// The page of a link, which is the page + 1, or 0.
    fn listed_page(&self, link: u32) -> Option<usize> {
        (link as usize).checked_sub(1).filter(|&page| page < self.geometry.pages)
    }
}

fn state_of(used_as: Use, shard: Shard) -> u32 {
    used_as as u32 | (shard.id as u32) << SHARD_SHIFT
}
