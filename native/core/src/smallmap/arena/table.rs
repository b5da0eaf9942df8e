//! The table: the entries of promoted maps, found by an index and ordered by circular linked lists.
//!
//! The links of a position are four words: owner, next, prev, hash. Each promoted map has a
//! sentinel, which closes its ring and stores the number of its entries in place of a hash. Lookups
//! use the index, iteration follows next.

use super::layout::link::{NEXT, OWNER};
use super::raw::{Location, RawArena};
use crate::table::group::Native;
use crate::table::hash::tag;

impl RawArena {
    /// The hash of a map and a key.
    #[inline(always)]
    pub(super) fn hash(&self, map: u32, key: u64) -> u32 {
        if self.shape.key.width() > 4 {
            self.seeds.wide_of(map, key)
        } else {
            self.seeds.narrow_of(map, key as u32)
        }
    }

    #[inline(always)]
    pub(super) fn link(&self, position: u32, link: usize) -> u32 {
        let at = self.check_position(position);
        // SAFETY: the section has four words for each position below the capacity.
        unsafe { self.memory.load_u32(self.layout.links + at * 16 + link * 4) }
    }

    /// The position of a promoted map's key.
    #[inline]
    pub(super) fn find_in_table(&self, map: u32, key: u64) -> Option<u32> {
        if self.shape.table == 0 {
            return None;
        }
        let used = self.table_used();
        let hash = self.hash(map, key);
        let same = |position: u32| {
            position < used
                && self.link(position, OWNER) == map
                && self.key_at(Location::Table(position)) == key
        };
        self.index.find::<Native>(self.home.of(hash), tag(hash), same).map(|(_, position)| position)
    }

    /// Calls `visit` with each position of a ring except its sentinel. Terminates for any links.
    pub(super) fn walk(&self, sentinel: u32, mut visit: impl FnMut(u32)) {
        let used = self.table_used();
        if sentinel >= used {
            return;
        }
        let mut position = self.link(sentinel, NEXT);
        for _ in 0..used {
            if position == sentinel || position >= used {
                return;
            }
            visit(position);
            position = self.link(position, NEXT);
        }
    }
}
