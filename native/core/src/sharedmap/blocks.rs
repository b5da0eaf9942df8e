//! Blocks: the allocator of a shard (`docs/formats/sharedmap.md`, "Free blocks").
//!
//! Sizes are in units of 8 bytes. Free blocks are in lists by size, with one bit for each list that
//! is not empty. A request takes a block of its size, or splits a larger one, or the unused end of
//! the current page, or a new page. A freed block is merged with the free blocks after it.
//! Evacuation (`evacuate.rs`) undoes the fragmentation that remains.
//!
//! The state here is derived: a repair rebuilds it. Cost: constant, apart from new pages.

use super::entry::{CHUNK, COUNT_MASK, FILLER, FREE_BLOCK, parse};
use super::layout::{page, page::Use, shard};
use super::{Map, Shard};
use crate::Result;

/// The largest size that has a list of its own.
const EXACT: u32 = 128;
/// Number of sizes in each list above.
const STEP: u32 = 64;
/// Blocks of a list of several sizes that a request looks at.
const LOOKS: usize = 4;

/// The list for blocks of this size.
fn list_of(units: u32) -> usize {
    if units <= EXACT { units as usize } else { (EXACT + 1 + (units - EXACT - 1) / STEP) as usize }
}

/// What a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Free,
    Filler,
    Chunk,
    Entry,
}

impl Map {
    /// Allocates a block. `None` if the shard has no room and there is no free page.
    pub(super) fn allocate(&self, shard: Shard, units: u32) -> Result<Option<u32>> {
        if let Some(block) = self.take_listed(shard, units).or_else(|| self.take_bump(shard, units)) {
            self.account(shard, block, units);
            return Ok(Some(block));
        }
        let Some(page) = self.take_page(shard, Use::Data)? else { return Ok(None) };
        self.add_data_page(shard, page);
        Ok(self.take_bump(shard, units).inspect(|&block| self.account(shard, block, units)))
    }

    /// As `allocate`, but takes the reserve rather than a new page.
    pub(super) fn allocate_to_move(&self, shard: Shard, units: u32) -> Option<u32> {
        let mut block = self.take_listed(shard, units).or_else(|| self.take_bump(shard, units));
        if block.is_none()
            && let Some(page) = self.take_reserve(shard)
        {
            self.use_page(shard, page, Use::Data);
            self.words.bump(shard.at + shard::PAGE_COUNT, u32::MAX);
            self.add_data_page(shard, page);
            block = self.take_bump(shard, units);
        }
        block.inspect(|&block| self.account(shard, block, units))
    }

    /// The empty page that the shard keeps for evacuation.
    pub(super) fn take_reserve(&self, shard: Shard) -> Option<usize> {
        let page = (self.words.load(shard.at + shard::RESERVE) as usize).checked_sub(1)?;
        self.words.store(shard.at + shard::RESERVE, 0);
        self.has_page(page, Use::Reserve, shard).then_some(page)
    }

    /// Keeps an empty data page, which is in no list, as the reserve.
    pub(super) fn keep_reserve(&self, shard: Shard, page: usize) {
        self.use_page(shard, page, Use::Reserve);
        self.words.store(shard.at + shard::RESERVE, (page + 1) as u32);
    }

    /// Makes a page of the shard its current page.
    fn add_data_page(&self, shard: Shard, page: usize) {
        let words = self.words;
        self.retire_bump(shard);
        self.link_page(shard, shard::DATA_PAGES, page);
        words.store(self.page_entry(page) + page::LIVE, 0);
        let start = (self.page_start(page) / 2) as u32;
        words.store(shard.at + shard::BUMP, start);
        words.store(shard.at + shard::BUMP_END, start + self.page_units());
        words.bump(shard.at + shard::FREE, self.page_units());
        words.bump(shard.at + shard::PAGE_COUNT, 1);
    }

    /// Makes the unused end of the current page a free block.
    pub(super) fn retire_bump(&self, shard: Shard) {
        let (bump, end) = self.bump_range(shard);
        self.words.store(shard.at + shard::BUMP, 0);
        self.words.store(shard.at + shard::BUMP_END, 0);
        if bump < end {
            self.put_free(shard, bump, end - bump);
        }
    }

    fn bump_range(&self, shard: Shard) -> (u32, u32) {
        (self.words.load(shard.at + shard::BUMP), self.words.load(shard.at + shard::BUMP_END))
    }

    /// The page whose unused end is the bump range.
    pub(super) fn bump_page(&self, shard: Shard) -> Option<usize> {
        let end = self.bump_range(shard).1;
        if end == 0 { None } else { self.page_of(end as usize * 2 - 1) }
    }

    /// Counts an allocated block.
    fn account(&self, shard: Shard, block: u32, units: u32) {
        if let Some(page) = self.page_of(block as usize * 2) {
            self.words.bump(self.page_entry(page) + page::LIVE, units);
        }
        self.words.bump(shard.at + shard::FREE, units.wrapping_neg());
    }

    fn take_bump(&self, shard: Shard, units: u32) -> Option<u32> {
        let (bump, end) = self.bump_range(shard);
        if bump == 0 || units > end.saturating_sub(bump) {
            return None;
        }
        self.words.store(shard.at + shard::BUMP, bump + units);
        Some(bump)
    }

    fn take_listed(&self, shard: Shard, units: u32) -> Option<u32> {
        let own = list_of(units);
        if units <= EXACT {
            let head = self.head(shard, own);
            if head != 0 {
                return self.cut(shard, own, head, units);
            }
        } else {
            let mut block = self.head(shard, own);
            for _ in 0..LOOKS {
                let size = self.words.load(block as usize * 2 + 1);
                if block == 0 || size == units || size > units + 1 {
                    break;
                }
                block = self.words.load(block as usize * 2 + 2);
            }
            let size = self.words.load(block as usize * 2 + 1);
            if block != 0 && (size == units || size > units + 1) {
                return self.cut(shard, own, block, units);
            }
        }
        // A remainder of one unit cannot be a free block, so a block of just one unit more is the
        // last choice.
        let first = if units < EXACT { own + 2 } else { own + 1 };
        if let Some(list) = self.next_list(shard, first) {
            return self.cut(shard, list, self.head(shard, list), units);
        }
        let one_more = self.head(shard, own + 1);
        if units < EXACT && one_more != 0 {
            return self.cut(shard, own + 1, one_more, units);
        }
        None
    }

    fn head(&self, shard: Shard, list: usize) -> u32 {
        self.words.load(shard.at + shard::LISTS + list)
    }

    /// The first list from `first` on that is not empty.
    fn next_list(&self, shard: Shard, first: usize) -> Option<usize> {
        for word in first / 32..shard::LIST_COUNT / 32 {
            let mut bits = self.words.load(shard.at + shard::LIST_BITS + word);
            if word == first / 32 {
                bits &= u32::MAX << (first % 32);
            }
            if bits != 0 {
                return Some(word * 32 + bits.trailing_zeros() as usize);
            }
        }
        None
    }

    /// Takes `units` from a free block, and frees the rest.
    fn cut(&self, shard: Shard, list: usize, block: u32, units: u32) -> Option<u32> {
        let words = self.words;
        let at = block as usize * 2;
        let size = words.load(at + 1);
        if words.load(at) & COUNT_MASK != FREE_BLOCK || size < units || list_of(size) != list {
            // Only a hostile region contains such a list. It is abandoned.
            self.set_head(shard, list, 0);
            return None;
        }
        self.unlink_free(shard, block, size);
        if size > units {
            self.put_free(shard, block + units, size - units);
        }
        Some(block)
    }

    fn set_head(&self, shard: Shard, list: usize, head: u32) {
        let words = self.words;
        words.store(shard.at + shard::LISTS + list, head);
        let at = shard.at + shard::LIST_BITS + list / 32;
        let bit = 1 << (list % 32);
        let bits = words.load(at);
        words.store(at, if head == 0 { bits & !bit } else { bits | bit });
    }

    /// Writes the header of a free block, and puts it into its list. `FREE` counts it already.
    pub(super) fn put_free(&self, shard: Shard, block: u32, units: u32) {
        let words = self.words;
        let at = block as usize * 2;
        words.store(at + 1, units);
        if units < 2 {
            words.store(at, FILLER);
            return;
        }
        words.store(at, FREE_BLOCK);
        let list = list_of(units);
        let head = self.head(shard, list);
        words.store(at + 2, head);
        words.store(at + 3, 0);
        if head != 0 {
            words.store(head as usize * 2 + 3, block);
        }
        self.set_head(shard, list, block);
    }

    /// Removes a free block from its list.
    pub(super) fn unlink_free(&self, shard: Shard, block: u32, units: u32) {
        let words = self.words;
        let at = block as usize * 2;
        let (next, previous) = (words.load(at + 2), words.load(at + 3));
        if previous == 0 {
            self.set_head(shard, list_of(units).min(shard::LIST_COUNT - 1), next);
        } else {
            words.store(previous as usize * 2 + 2, next);
        }
        if next != 0 {
            words.store(next as usize * 2 + 3, previous);
        }
    }

    /// Frees a block that nothing refers to.
    pub(super) fn free(&self, shard: Shard, block: u32, units: u32) {
        let words = self.words;
        let Some(page) = self.page_of(block as usize * 2) else { return };
        let entry = self.page_entry(page);
        let live = words.load(entry + page::LIVE).wrapping_sub(units);
        words.store(entry + page::LIVE, live);
        words.bump(shard.at + shard::FREE, units);
        if live == 0 {
            self.release_data_page(shard, page);
            return;
        }
        let (bump, _) = self.bump_range(shard);
        let is_current = self.bump_page(shard) == Some(page);
        let end = if is_current { bump } else { self.page_end(page) };
        let mut size = units;
        while block + size < end {
            let next = block + size;
            match self.content_of(next) {
                Some((Content::Free, more)) if more <= end - next => {
                    self.unlink_free(shard, next, more);
                    size += more;
                }
                Some((Content::Filler, _)) => size += 1,
                _ => break,
            }
        }
        if is_current && block + size == bump {
            words.store(shard.at + shard::BUMP, block);
        } else {
            self.put_free(shard, block, size);
        }
    }

    /// The ref of the end of a page.
    pub(super) fn page_end(&self, page: usize) -> u32 {
        (self.page_start(page) / 2) as u32 + self.page_units()
    }

    /// Takes an empty data page out of use.
    fn release_data_page(&self, shard: Shard, page: usize) {
        let words = self.words;
        self.unlink_free_blocks(shard, page);
        if self.bump_page(shard) == Some(page) {
            words.store(shard.at + shard::BUMP, (self.page_start(page) / 2) as u32);
            return;
        }
        self.unlink_page(shard, shard::DATA_PAGES, page);
        self.retire_page(shard, page);
    }

    /// Makes an empty data page, which is in no list, the reserve, or frees it.
    pub(super) fn retire_page(&self, shard: Shard, page: usize) {
        self.words.bump(shard.at + shard::FREE, self.page_units().wrapping_neg());
        if self.words.load(shard.at + shard::RESERVE) == 0 {
            self.keep_reserve(shard, page);
        } else {
            self.words.bump(shard.at + shard::PAGE_COUNT, u32::MAX);
            self.free_page(page);
        }
    }

    /// Removes all free blocks of a page from their lists.
    pub(super) fn unlink_free_blocks(&self, shard: Shard, page: usize) {
        self.traverse(shard, page, |block, content, units| {
            if content == Content::Free {
                self.unlink_free(shard, block, units);
            }
        });
    }

    /// Content and size of a block. `None` for words that cannot be a block.
    pub(super) fn content_of(&self, block: u32) -> Option<(Content, u32)> {
        let at = block as usize * 2;
        let size = self.words.load(at + 1);
        match self.words.load(at) & COUNT_MASK {
            FREE_BLOCK if size >= 2 => Some((Content::Free, size)),
            CHUNK if size >= 3 => Some((Content::Chunk, size)),
            FREE_BLOCK | CHUNK => None,
            FILLER => Some((Content::Filler, 1)),
            _ => parse(self.words, &self.geometry, block).map(|entry| (Content::Entry, entry.units)),
        }
    }

    /// Calls `visit` with each block of a data page: its ref, content and size. The block may be
    /// overwritten by `visit`. `false` if the blocks do not fill the page.
    pub(super) fn traverse(
        &self,
        shard: Shard,
        page: usize,
        mut visit: impl FnMut(u32, Content, u32),
    ) -> bool {
        let mut block = (self.page_start(page) / 2) as u32;
        let end = match self.bump_page(shard) {
            Some(current) if current == page => self.bump_range(shard).0,
            _ => self.page_end(page),
        };
        while block < end {
            let Some((content, units)) = self.content_of(block) else { return false };
            if units > end - block {
                return false;
            }
            visit(block, content, units);
            block += units;
        }
        true
    }
}
