//! Evacuation: moving the live blocks of a page elsewhere, so that the page becomes free.
//!
//! A block is copied, the one word that refers to it is switched, the version of its bucket is
//! increased, and only then is the old block free. A reader sees the old block or the new one.
//!
//! Cost: one lookup and one copy for each live block, so at most about a thousand of both.

use super::blocks::Content;
use super::entry::{CHUNK, COUNT_MASK, FREE_BLOCK, hash_of, parse};
use super::layout::{bucket, page, shard};
use super::{Map, Shard};

/// A page that is fuller than this part, in sixteenths, is not evacuated: the gain would be too
/// small.
const FULL_SIXTEENTHS: u32 = 15;

impl Map {
    /// Evacuates the emptiest page of the shard. The page becomes the shard's reserve if it has
    /// none, and is free otherwise. `false` if no page is worth it, or its blocks fit nowhere else.
    pub(super) fn evacuate(&self, shard: Shard) -> bool {
        let Some(page) = self.emptiest_page(shard) else { return false };
        self.unlink_free_blocks(shard, page);
        self.unlink_page(shard, shard::DATA_PAGES, page);
        let mut blocks = Vec::new();
        if blocks.try_reserve(self.page_units() as usize / 2).is_err() {
            self.rejoin(shard, page);
            return false;
        }
        self.traverse(shard, page, |block, content, units| {
            if matches!(content, Content::Chunk | Content::Entry) && blocks.len() < blocks.capacity() {
                blocks.push((block, content, units));
            }
        });
        for (block, content, units) in blocks {
            let Some(to) = self.allocate_to_move(shard, units) else {
                self.rejoin(shard, page);
                return false;
            };
            self.words.copy(block as usize * 2, to as usize * 2, units as usize * 2);
            let is_live = match content {
                Content::Entry => self.redirect_entry(shard, block, to),
                _ => self.redirect_chunk(shard, block, to),
            };
            if !is_live {
                self.free(shard, to, units);
            }
            // Not in a list: the page is left as a whole, or `rejoin` puts it there.
            self.words.store(block as usize * 2 + 1, units);
            self.words.store(block as usize * 2, FREE_BLOCK);
            let entry = self.page_entry(page);
            self.words.bump(entry + page::LIVE, units.wrapping_neg());
            self.words.bump(shard.at + shard::FREE, units);
        }
        self.words.store(self.page_entry(page) + page::LIVE, 0);
        self.retire_page(shard, page);
        true
    }

    fn emptiest_page(&self, shard: Shard) -> Option<usize> {
        if self.is_saving(shard) {
            // Entries that are kept for a snapshot cannot be moved.
            return None;
        }
        let current = self.bump_page(shard);
        let most = self.page_units() / 16 * FULL_SIXTEENTHS;
        self.listed_pages(shard, shard::DATA_PAGES)
            .filter(|page| Some(*page) != current && !self.pinned.borrow().contains(page))
            .map(|page| (self.words.load(self.page_entry(page) + page::LIVE), page))
            .min()
            .filter(|&(live, _)| live < most)
            .map(|(_, page)| page)
    }

    /// Protects a new block, which no lane refers to yet, from evacuation until [`Map::unpin`].
    pub(super) fn pin(&self, block: u32) -> crate::Result<()> {
        let Some(page) = self.page_of(block as usize * 2) else { return Ok(()) };
        let mut pinned = self.pinned.borrow_mut();
        if pinned.last() != Some(&page) {
            pinned.try_reserve(1)?;
            pinned.push(page);
        }
        Ok(())
    }

    /// The new blocks are published, or free.
    pub(super) fn unpin(&self) {
        self.pinned.borrow_mut().clear();
    }

    /// Puts a page that was evacuated in part back into use.
    fn rejoin(&self, shard: Shard, page: usize) {
        let mut gap: Option<(u32, u32)> = None;
        let mut gaps = Vec::new();
        self.traverse(shard, page, |block, content, units| {
            if matches!(content, Content::Free | Content::Filler) {
                gap = Some(gap.map_or((block, units), |(start, size)| (start, size + units)));
            } else if let Some(done) = gap.take()
                && gaps.try_reserve(1).is_ok()
            {
                gaps.push(done);
            }
        });
        for (start, size) in gaps.into_iter().chain(gap) {
            self.put_free(shard, start, size);
        }
        self.link_page(shard, shard::DATA_PAGES, page);
    }

    /// Makes the lane of an entry refer to its copy. `false` if no lane refers to the entry.
    fn redirect_entry(&self, shard: Shard, from: u32, to: u32) -> bool {
        let Some(entry) = parse(self.words, &self.geometry, from) else { return false };
        let hash = {
            let mut scratch = self.scratch.borrow_mut();
            hash_of(self.words, self.geometry.schema, &entry, &self.seeds, &mut scratch)
        };
        let Some((home, lane)) = self.find_lane(shard, hash, from) else { return false };
        if entry.is_chained() {
            let chunk = self.words.load(entry.value_at) as usize * 2;
            if self.words.load(chunk) == CHUNK {
                self.words.store(chunk + 2, to);
            }
        }
        self.words.release(lane, to);
        self.increase_version(home);
        true
    }

    /// Makes the neighbors of a chunk refer to its copy. `false` if they do not refer to it.
    fn redirect_chunk(&self, shard: Shard, from: u32, to: u32) -> bool {
        let words = self.words;
        let at = from as usize * 2;
        let (previous, next, hash) = (words.load(at + 2), words.load(at + 3), words.load(at + 5));
        let link = if words.load(previous as usize * 2) & COUNT_MASK == CHUNK {
            previous as usize * 2 + 3
        } else {
            match parse(words, &self.geometry, previous) {
                Some(entry) if entry.is_chained() => entry.value_at,
                _ => return false,
            }
        };
        let Some(home) = self.home(shard, hash) else { return false };
        if words.load(link) != from {
            return false;
        }
        if next != 0 && words.load(next as usize * 2) == CHUNK {
            words.store(next as usize * 2 + 2, to);
        }
        words.release(link, to);
        self.increase_version(home);
        true
    }

    /// Increases the version of a chain: blocks that its lanes referred to may now be reused.
    #[inline]
    pub(super) fn increase_version(&self, home: usize) {
        let at = home + bucket::VERSION;
        self.words.release(at, self.words.load(at).wrapping_add(1));
        // A reader that sees a store to a reused block has to see the version as well.
        super::words::store_fence();
    }
}
