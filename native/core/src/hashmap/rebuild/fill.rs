//! Filling the index of a rebuilt map with the positions 0, 1, 2, … in that order, with prefetched
//! buckets.

use crate::cpu::prefetch;
use crate::hashmap::raw::{RawKey, RawMap};
use crate::region::element::Type;
use crate::table::group::Native;
use crate::table::hash::tag;
use crate::table::index::Index;

impl RawMap {
    /// Fills an empty index with the positions below `count`, in order.
    ///
    /// # Safety
    /// This is the only writer; the columns have `count` entries.
    pub(super) unsafe fn fill_index(&self, count: u32) {
        // SAFETY: the representation is that of the schema; positions are below `count`.
        unsafe {
            match self.shape().key {
                Type::U32 | Type::I32 => self.fill_index_by(count, |at| self.key_u32(at).hash(self.seeds())),
                Type::F64 | Type::U64 | Type::I64 => {
                    self.fill_index_by(count, |at| self.key_u64(at).hash(self.seeds()));
                }
                _ => self.fill_index_by(count, |at| {
                    // `validate` reports an invalid reference; here it gets an arbitrary hash.
                    let blob = self.blob(self.key_u32(at));
                    blob.map_or(0, |blob| self.seeds().blob(blob.bytes()))
                }),
            }
        }
    }

    /// # Safety
    /// This is the only writer.
    #[inline(always)]
    unsafe fn fill_index_by(&self, count: u32, hash: impl Fn(u32) -> u32) {
        const AHEAD: usize = 32;
        let index: Index = self.index();
        let mut hashes = [0; AHEAD];
        let mut from = 0;
        while from < count {
            let size = AHEAD.min((count - from) as usize);
            for (i, slot) in hashes[..size].iter_mut().enumerate() {
                *slot = hash(from + i as u32);
                prefetch(index.address(self.home(*slot)));
            }
            for (i, &hash) in hashes[..size].iter().enumerate() {
                let home = self.home(hash);
                // There is an empty lane: buckets × 12 ≥ capacity ≥ count.
                if let Some(lane) = index.first_empty::<Native>(home) {
                    // SAFETY: the caller guarantees that this is the only writer.
                    unsafe {
                        index.adjust_overflow(home, lane, true);
                        index.set(lane, tag(hash), from + i as u32);
                    }
                }
            }
            from += size as u32;
        }
    }
}
