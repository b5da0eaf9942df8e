//! Pages: the unit in which memory is assigned to shards (`docs/formats/sharedmap.md`, "Page
//! table").
//!
//! A page is taken by one compare-and-exchange and freed by one store. No lock protects the table;
//! a page belongs to the shard whose number is in its state, and only the holder of that shard's
//! lock changes its other words.

use super::layout::{control, page, page::Use, shard};
use super::{Map, Shard};
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
        for step in 0..count {
            let page = (start + step) % count;
            let entry = self.page_entry(page);
            if words.load(entry) != Use::Free as u32
                || !words.swap(entry, Use::Free as u32, state_of(used_as, shard))
            {
                continue;
            }
            let bytes = self.geometry.page_words() as u64 * 4;
            if let Err(error) = self.backing.allocate(self.page_start(page) as u64 * 4, bytes) {
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
        words.store(shard.at + shard::FAILED_AT, releases.wrapping_add(1));
        Ok(None)
    }

    /// Returns a page that nothing refers to.
    pub(super) fn free_page(&self, page: usize) {
        self.backing.discard(self.page_start(page) as u64 * 4, self.geometry.page_words() as u64 * 4);
        self.words.release(self.page_entry(page), Use::Free as u32);
        self.words.add(control::RELEASES, 1);
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
