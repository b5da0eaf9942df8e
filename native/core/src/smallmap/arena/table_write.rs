//! Changes of the table: taking and freeing positions, appending and removing entries of promoted
//! maps.

use super::layout::link::{HASH, NEXT, NOBODY, OWNER, PREV, SENTINEL};
use super::layout::word;
use super::raw::Location;
use super::write::RawArenaMut;
use crate::table::group::Native;
use crate::table::hash::tag;
use crate::table::index::Lane;
use crate::{Error, Result};

#[cold]
fn broken() -> Error {
    Error::corrupt("the links of the arena's table contain an invalid position")
}

impl RawArenaMut {
    #[inline(always)]
    pub(super) fn set_link(&mut self, position: u32, link: usize, value: u32) {
        let at = self.check_position(position);
        // SAFETY: the section has four words for each position below the capacity, and this is the
        // only writer.
        unsafe { self.memory.store_u32(self.layout.links + at * 16 + link * 4, value) };
    }

    /// Number of available positions.
    #[inline]
    pub(super) fn positions_left(&self) -> u32 {
        self.shape.table - self.table_used() + self.memory.word(word::TABLE_FREE)
    }

    /// Takes a position. The caller checked that one is available by
    /// [`RawArenaMut::positions_left`].
    fn take_position(&mut self) -> Result<u32> {
        let free = self.memory.word(word::FREE_POSITION);
        let used = self.table_used();
        if free == 0 {
            if used == self.shape.table {
                return Err(broken());
            }
            self.set_word(word::TABLE_USED, used + 1);
            return Ok(used);
        }
        let position = free - 1;
        if position >= used || self.link(position, OWNER) != NOBODY {
            return Err(broken());
        }
        let next = self.link(position, NEXT);
        if next > used {
            return Err(broken());
        }
        self.set_word(word::FREE_POSITION, next);
        self.set_word(word::TABLE_FREE, self.memory.word(word::TABLE_FREE).saturating_sub(1));
        Ok(position)
    }

    fn free_position(&mut self, position: u32) {
        self.set_link(position, OWNER, NOBODY);
        self.set_link(position, NEXT, self.memory.word(word::FREE_POSITION));
        self.set_word(word::FREE_POSITION, position + 1);
        let free = self.memory.word(word::TABLE_FREE);
        self.set_word(word::TABLE_FREE, (free + 1).min(self.shape.table));
    }

    /// Appends an entry to a promoted map that does not contain the key. A position must be
    /// available.
    pub(super) fn append(&mut self, map: u32, sentinel: u32, key: u64, value: u64) -> Result<()> {
        let used = self.table_used();
        if sentinel >= used {
            return Err(broken());
        }
        let last = self.link(sentinel, PREV);
        if last >= used {
            return Err(broken());
        }
        let position = self.take_position()?;
        let hash = self.hash(map, key);
        self.store_key(Location::Table(position), key);
        self.store_value(Location::Table(position), value);
        self.set_link(position, HASH, hash);
        self.set_link(position, PREV, last);
        self.set_link(position, NEXT, sentinel);
        self.set_link(position, OWNER, map);
        self.index_insert(hash, position)?;
        self.set_link(last, NEXT, position);
        self.set_link(sentinel, PREV, position);
        let count = self.link(sentinel, HASH);
        self.set_link(sentinel, HASH, count.wrapping_add(1));
        Ok(())
    }

    /// Inserts a position into the index.
    fn index_insert(&mut self, hash: u32, position: u32) -> Result<()> {
        let home = self.home.of(hash);
        let lane = self.index.first_empty::<Native>(home).ok_or_else(broken)?;
        // SAFETY: this is the only writer.
        unsafe {
            self.index.adjust_overflow(home, lane, true);
            self.index.set(lane, tag(hash), position);
        }
        Ok(())
    }

    /// Removes a position from the index, by its hash. The caller adjusts the overflow counts
    /// later.
    fn index_remove(&mut self, position: u32) -> Option<Lane> {
        let hash = self.link(position, HASH);
        let (lane, _) = self.index.find::<Native>(self.home.of(hash), tag(hash), |at| at == position)?;
        // SAFETY: this is the only writer.
        unsafe { self.index.clear(lane) };
        Some(lane)
    }

    /// Removes an entry of a promoted map.
    pub(super) fn unlink(&mut self, sentinel: u32, position: u32) -> Result<()> {
        let used = self.table_used();
        let (next, prev) = (self.link(position, NEXT), self.link(position, PREV));
        if next >= used || prev >= used || sentinel >= used {
            return Err(broken());
        }
        let hash = self.link(position, HASH);
        let lane = self.index_remove(position);
        self.set_link(prev, NEXT, next);
        self.set_link(next, PREV, prev);
        let count = self.link(sentinel, HASH);
        self.set_link(sentinel, HASH, count.saturating_sub(1));
        if let Some(lane) = lane {
            // SAFETY: this is the only writer.
            unsafe { self.index.adjust_overflow(self.home.of(hash), lane, false) };
        }
        self.recycle();
        self.free_position(position);
        Ok(())
    }

    /// Creates an empty ring for a map. A position must be available.
    pub(super) fn new_ring(&mut self, map: u32) -> Result<u32> {
        let sentinel = self.take_position()?;
        self.set_link(sentinel, HASH, 0);
        self.set_link(sentinel, PREV, sentinel);
        self.set_link(sentinel, NEXT, sentinel);
        self.set_link(sentinel, OWNER, map | SENTINEL);
        Ok(sentinel)
    }

    /// Frees a ring that no place refers to any more: its entries in order, then the sentinel.
    pub(super) fn drop_ring(&mut self, map: u32, sentinel: u32) -> Result<()> {
        let used = self.table_used();
        if sentinel >= used || self.link(sentinel, OWNER) != map | SENTINEL {
            return Err(broken());
        }
        let mut position = self.link(sentinel, NEXT);
        while position != sentinel {
            // A position that was already freed has another owner, so the loop terminates.
            if position >= used || self.link(position, OWNER) != map {
                return Err(broken());
            }
            let next = self.link(position, NEXT);
            let hash = self.link(position, HASH);
            if let Some(lane) = self.index_remove(position) {
                // SAFETY: this is the only writer.
                unsafe { self.index.adjust_overflow(self.home.of(hash), lane, false) };
            }
            self.free_position(position);
            position = next;
        }
        self.free_position(sentinel);
        Ok(())
    }
}
