//! The layout of a HashMap's region: header words and section offsets.
//!
//! `docs/formats/hashmap.md` is the specification; `src/hashmap/layout.ts` is the same in
//! TypeScript. No offset is stored in a region: all of them follow from five counts, so a header
//! that agrees with its length cannot refer outside. `Meta::read` is the constant-time check on
//! which the memory safety of this module is based: after it, every section is within the region.

use crate::region::attach::RegionKind;
use crate::region::element::Type;
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
pub use crate::table::blob::MAX_BLOB;
pub use crate::table::capacity::{MAX_CAPACITY, buckets_for, capacity_for, next_capacity};
pub use crate::table::group::LANES;
use crate::table::hash::Seeds;
pub use crate::table::index::BUCKET_BYTES;
use crate::{Error, Result};

/// The most bytes of the blob heap: a reference is 32 bits and counts words of 4 bytes.
pub const MAX_HEAP: u64 = 1 << 34;
/// The largest generation. A slot that has reached it is retired.
pub const MAX_GENERATION: u32 = (1 << 21) - 1;
/// Indices of the words that a HashMap owns in the region's header.
pub mod word {
    /// Key type + 256 × value type.
    pub const SCHEMA: usize = 16;
    /// Entries the columns can hold.
    pub const CAPACITY: usize = 17;
    /// Index buckets.
    pub const BUCKETS: usize = 18;
    /// Entries appended since the last compaction.
    pub const USED: usize = 19;
    /// The number of deleted ones among them.
    pub const DEAD: usize = 20;
    /// `STATE_…` bits.
    pub const STATE: usize = 21;
    /// Generation of direct handles.
    pub const EPOCH: usize = 22;
    /// Slots the slot table can hold.
    pub const SLOT_CAPACITY: usize = 23;
    /// Slots that were ever assigned.
    pub const SLOTS_USED: usize = 24;
    /// 1 + first slot of the free list.
    pub const FREE_SLOT: usize = 25;
    /// The number of times that entries changed their positions.
    pub const MOVES: usize = 26;
    /// Zero.
    pub const RESERVED: usize = 27;
    /// Bytes of the blob heap (two words).
    pub const HEAP_CAPACITY: usize = 28;
    /// Bytes appended to the heap (two words).
    pub const HEAP_USED: usize = 30;
    /// Bytes of the heap that no entry refers to (two words).
    pub const HEAP_GARBAGE: usize = 32;
    /// The first word after those: it and the rest are zero.
    pub const END: usize = 34;
}

/// State bit: a handle was issued in this epoch.
pub const STATE_HANDLES: u32 = 1;
/// State bit: the slot table is present.
pub const STATE_SLOTS: u32 = 2;

/// Whether a map's keys can have this type.
#[inline]
#[must_use]
pub const fn is_key(ty: Type) -> bool {
    matches!(ty, Type::U32 | Type::I32 | Type::F64 | Type::U64 | Type::I64 | Type::String | Type::Bytes)
}

/// The counts that determine a region's layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Type of the keys.
    pub key: Type,
    /// Type of the values.
    pub value: Type,
    /// Entries the columns can hold.
    pub capacity: u32,
    /// Slots the slot table can hold, if there is one.
    pub slots: Option<u32>,
    /// Bytes of the blob heap.
    pub heap: u64,
}

/// Byte offsets of the sections. Absent ones are empty: their offset is that of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Index buckets.
    pub index: usize,
    /// Dead bits.
    pub dead: usize,
    /// Key column.
    pub keys: usize,
    /// Value column.
    pub values: usize,
    /// Slot of each entry.
    pub slot_of_entry: usize,
    /// Entry of each slot.
    pub entry_of_slot: usize,
    /// Generation of each slot.
    pub generations: usize,
    /// Blob heap.
    pub heap: usize,
    /// Bytes of the whole region.
    pub length: usize,
}

impl Shape {
    /// The offsets of the sections. `Range` if a region of this shape could not be addressed.
    pub fn layout(&self) -> Result<Layout> {
        let capacity = u64::from(self.capacity);
        let slots = u64::from(self.slots.unwrap_or(0));
        let entry_slots = if self.slots.is_some() { capacity } else { 0 };
        let index = HEADER_BYTES as u64;
        let dead = index + BUCKET_BYTES as u64 * u64::from(buckets_for(self.capacity));
        let keys = align(dead + 4 * capacity.div_ceil(32));
        let values = align(keys + self.key.width() as u64 * capacity);
        let slot_of_entry = align(values + self.value.width() as u64 * capacity);
        let entry_of_slot = align(slot_of_entry + 4 * entry_slots);
        let generations = align(entry_of_slot + 4 * slots);
        let heap = align(generations + 4 * slots);
        let length = align(heap + self.heap);
        if length > isize::MAX as u64 {
            return Err(Error::range("a map of this capacity exceeds the address space of this machine"));
        }
        Ok(Layout {
            index: index as usize,
            dead: dead as usize,
            keys: keys as usize,
            values: values as usize,
            slot_of_entry: slot_of_entry as usize,
            entry_of_slot: entry_of_slot as usize,
            generations: generations as usize,
            heap: heap as usize,
            length: length as usize,
        })
    }
}

/// The part of a checked header that only rearrangements change.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// The counts.
    pub shape: Shape,
    /// The offsets of the sections.
    pub layout: Layout,
    /// Key of the hash function.
    pub seeds: Seeds,
    /// Number of index buckets.
    pub buckets: u32,
    /// Generation of direct handles.
    pub epoch: u32,
}

fn corrupt_count(what: &str, value: u64) -> Error {
    Error::corrupt(format!("invalid {what} in the header of the map: {value}"))
}

impl RegionKind for Meta {
    const KIND: Kind = Kind::HashMap;
    const END: usize = word::END;

    /// Checks that every count is within its limit.
    fn check(header: &Header, _: Memory) -> Result<Meta> {
        let schema = header.word(word::SCHEMA);
        let key = Type::from_number(schema & 0xFF).filter(|&key| is_key(key));
        let value = Type::from_number(schema >> 8);
        let (Some(key), Some(value)) = (key, value) else {
            return Err(corrupt_count("schema", schema.into()));
        };
        let capacity = header.word(word::CAPACITY);
        if !(1..=MAX_CAPACITY).contains(&capacity) {
            return Err(corrupt_count("capacity", capacity.into()));
        }
        let buckets = header.word(word::BUCKETS);
        if buckets != buckets_for(capacity) {
            return Err(corrupt_count("number of buckets", buckets.into()));
        }
        let used = header.word(word::USED);
        if used > capacity {
            return Err(corrupt_count("used", used.into()));
        }
        if header.word(word::DEAD) > used {
            return Err(corrupt_count("dead", header.word(word::DEAD).into()));
        }
        let epoch = header.word(word::EPOCH);
        if !(1..=MAX_GENERATION).contains(&epoch) {
            return Err(corrupt_count("epoch", epoch.into()));
        }
        let slots = Meta::check_slots(header)?;
        let heap = Meta::check_heap(header, key.is_blob() || value.is_blob())?;
        let shape = Shape { key, value, capacity, slots, heap };
        let layout = shape.layout()?;
        Ok(Meta { shape, layout, seeds: Seeds::of(header), buckets, epoch })
    }

    fn length(&self) -> u64 {
        self.layout.length as u64
    }
}

impl Meta {
    fn check_slots(header: &Header) -> Result<Option<u32>> {
        let state = header.word(word::STATE);
        if state & !(STATE_HANDLES | STATE_SLOTS) != 0 {
            return Err(corrupt_count("flags", state.into()));
        }
        let capacity = header.word(word::SLOT_CAPACITY);
        if (state & STATE_SLOTS != 0) != (capacity != 0) {
            return Err(corrupt_count("slot capacity", capacity.into()));
        }
        let used = header.word(word::SLOTS_USED);
        if used > capacity {
            return Err(corrupt_count("slots used", used.into()));
        }
        if header.word(word::FREE_SLOT) > used {
            return Err(corrupt_count("free slot", header.word(word::FREE_SLOT).into()));
        }
        Ok((capacity != 0).then_some(capacity))
    }

    fn check_heap(header: &Header, blobs: bool) -> Result<u64> {
        let capacity = header.double_word(word::HEAP_CAPACITY);
        if capacity > MAX_HEAP || !capacity.is_multiple_of(64) || (!blobs && capacity != 0) {
            return Err(corrupt_count("heap capacity", capacity));
        }
        let used = header.double_word(word::HEAP_USED);
        if used > capacity || !used.is_multiple_of(4) {
            return Err(corrupt_count("heap used", used));
        }
        let garbage = header.double_word(word::HEAP_GARBAGE);
        if garbage > used {
            return Err(corrupt_count("heap garbage", garbage));
        }
        Ok(capacity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_types_can_be_keys() {
        assert_eq!(Type::ALL.iter().filter(|&&ty| is_key(ty)).count(), 7);
    }

    #[test]
    fn sections_are_adjacent() {
        let shape = Shape { key: Type::U32, value: Type::F64, capacity: 100, slots: Some(103), heap: 0 };
        let layout = shape.layout().unwrap();
        assert_eq!(layout.index, 256);
        assert_eq!(layout.dead, 256 + 64 * 10);
        assert_eq!(layout.keys, 896 + 64);
        assert_eq!(layout.values, 960 + 448);
        assert_eq!(layout.slot_of_entry, 1408 + 832);
        assert_eq!(layout.entry_of_slot, 2240 + 448);
        assert_eq!(layout.generations, 2688 + 448);
        assert_eq!(layout.heap, 3136 + 448);
        assert_eq!(layout.length, 3584);
    }
}
