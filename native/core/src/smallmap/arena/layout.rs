//! The layout of an arena's region: header words, limits, section offsets.
//!
//! `docs/formats/smallmap.md` is the specification, and `src/smallmap/layout.ts` the TypeScript
//! implementation. A region stores no offsets: five capacities determine them all, so the sections
//! of a header that agrees with its length are within the region. [`Meta::check`] is the
//! constant-time check on which the memory safety of every other file in this module depends.

use crate::region::attach::RegionKind;
use crate::region::element::Type;
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::table::capacity::buckets_for;
use crate::table::hash::Seeds;
use crate::table::index::BUCKET_BYTES;
use crate::{Error, Result};

/// The largest number of inline entries.
pub const INLINE_CAPACITY: u32 = 8;
/// The largest number of directory entries.
pub const MAX_MAPS: u32 = 1 << 30;
/// The largest number of blocks of slots.
pub const MAX_BLOCKS: u32 = 1 << 26;
/// The largest number of positions in the table.
pub const MAX_TABLE: u32 = 1 << 28;
/// The largest number of string ids.
pub const MAX_IDS: u32 = 1 << 28;
/// The largest size of the string heap, in bytes.
pub const MAX_HEAP: u64 = 1 << 33;
/// The largest generation of an id.
pub const MAX_GENERATION: u32 = (1 << 21) - 1;

/// Indices of the arena's words in the region's header.
pub mod word {
    /// Key type + 256 × value type.
    pub const SCHEMA: usize = 16;
    /// Entries of the directory.
    pub const MAP_CAPACITY: usize = 17;
    /// Directory entries ever used.
    pub const MAPS_USED: usize = 18;
    /// 1 + the first free directory entry.
    pub const FREE_MAP: usize = 19;
    /// Number of maps.
    pub const MAPS: usize = 20;
    /// Number of promoted maps.
    pub const PROMOTED: usize = 21;
    /// Incremented before memory that was visible is reused.
    pub const RECYCLES: usize = 22;
    /// Blocks of 8 entries.
    pub const BLOCK_CAPACITY: usize = 23;
    /// Blocks ever used.
    pub const BLOCKS_USED: usize = 24;
    /// 1 + the first free slot of 2 entries; the words for slots of 4 and 8 entries follow.
    pub const FREE_SLOT: usize = 25;
    /// Positions of the table.
    pub const TABLE_CAPACITY: usize = 28;
    /// Positions ever used.
    pub const TABLE_USED: usize = 29;
    /// 1 + the first free position.
    pub const FREE_POSITION: usize = 30;
    /// Number of free positions in that list.
    pub const TABLE_FREE: usize = 31;
    /// String ids.
    pub const ID_CAPACITY: usize = 32;
    /// String ids ever used.
    pub const IDS_USED: usize = 33;
    /// 1 + the first free string id.
    pub const FREE_ID: usize = 34;
    /// Number of strings.
    pub const STRINGS: usize = 35;
    /// Bytes of the string heap (two words).
    pub const HEAP_CAPACITY: usize = 36;
    /// Bytes used in the string heap (two words).
    pub const HEAP_USED: usize = 38;
    /// The first word after these; it and the rest are zero.
    pub const END: usize = 40;
}

/// Low bits of a place that mark the map as promoted.
pub(super) const PROMOTED: u32 = 15;
/// The bit of a generation word that marks the directory entry as free.
pub(super) const FREE: u32 = 1 << 31;
/// The bit of a ref that marks its string id as free.
pub(super) const FREE_REF: u32 = 1 << 31;

/// The four words that link a position of the table into a map's ring.
pub(super) mod link {
    /// The map to which the position belongs.
    pub(in crate::smallmap::arena) const OWNER: usize = 0;
    /// The next position of the ring.
    pub(in crate::smallmap::arena) const NEXT: usize = 1;
    /// The previous position of the ring.
    pub(in crate::smallmap::arena) const PREV: usize = 2;
    /// The hash of the entry; in a sentinel, the number of entries.
    pub(in crate::smallmap::arena) const HASH: usize = 3;

    /// Added to the map in the owner word of a sentinel.
    pub(in crate::smallmap::arena) const SENTINEL: u32 = 1 << 30;
    /// The owner word of a free position.
    pub(in crate::smallmap::arena) const NOBODY: u32 = u32::MAX;
}

/// Whether this type is valid for an arena's keys.
#[must_use]
pub const fn is_key(ty: Type) -> bool {
    ty.is_numeric() || matches!(ty, Type::String)
}

/// Whether this type is valid for an arena's values.
#[must_use]
pub const fn is_value(ty: Type) -> bool {
    ty.is_numeric() || matches!(ty, Type::Bool | Type::String)
}

/// The capacities that determine a region's layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Type of the keys.
    pub key: Type,
    /// Type of the values.
    pub value: Type,
    /// Entries of the directory.
    pub maps: u32,
    /// Blocks of 8 entries.
    pub blocks: u32,
    /// Positions of the table.
    pub table: u32,
    /// String ids.
    pub ids: u32,
    /// Bytes of the string heap.
    pub heap: u64,
}

/// Byte offsets of the sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Places and generations.
    pub directory: usize,
    /// Keys in slots.
    pub keys: usize,
    /// Values in slots.
    pub values: usize,
    /// Index of the table.
    pub index: usize,
    /// Links of the table.
    pub links: usize,
    /// Keys in the table.
    pub table_keys: usize,
    /// Values in the table.
    pub table_values: usize,
    /// Index of the strings.
    pub string_index: usize,
    /// Position of each string in the heap.
    pub refs: usize,
    /// The strings.
    pub heap: usize,
    /// Bytes of the whole region.
    pub length: usize,
}

/// The number of buckets that index `capacity` positions.
#[inline]
#[must_use]
pub const fn index_buckets(capacity: u32) -> u32 {
    if capacity == 0 { 0 } else { buckets_for(capacity) }
}

impl Shape {
    /// Whether either type is `string`.
    #[inline]
    #[must_use]
    pub const fn has_strings(&self) -> bool {
        matches!(self.key, Type::String) || matches!(self.value, Type::String)
    }

    /// The smallest slot size: 2 entries, or 4 if two are too small for the link of a free slot.
    #[inline]
    #[must_use]
    pub const fn smallest_slot(&self) -> u32 {
        if self.key.width() == 1 && self.value.width() == 1 { 4 } else { 2 }
    }

    /// The size of the slot for `count` entries, 1 to 8.
    #[inline(always)]
    #[must_use]
    pub const fn slot_for(&self, count: u32) -> u32 {
        if count > 4 {
            8
        } else if count > 2 {
            4
        } else {
            self.smallest_slot()
        }
    }

    /// Rejects types and capacities that are invalid for an arena.
    pub fn check(&self) -> Result<()> {
        if !is_key(self.key) || !is_value(self.value) {
            let (key, value) = (self.key, self.value);
            return Err(Error::wrong_type(format!("an arena cannot map {key:?} to {value:?}")));
        }
        let strings = self.has_strings();
        let sound = (1..=MAX_MAPS).contains(&self.maps)
            && (1..=MAX_BLOCKS).contains(&self.blocks)
            && self.table <= MAX_TABLE
            && self.ids <= MAX_IDS
            && self.heap <= MAX_HEAP
            && self.heap.is_multiple_of(64)
            && (self.ids > 0) == strings
            && (self.heap > 0) == strings;
        if sound { Ok(()) } else { Err(Error::range(format!("invalid capacities of an arena: {self:?}"))) }
    }

    /// The positions of the sections. `Range` if the address space is too small for the region.
    pub fn layout(&self) -> Result<Layout> {
        let (key, value) = (self.key.width() as u64, self.value.width() as u64);
        let entries = 8 * u64::from(self.blocks);
        let table = u64::from(self.table);
        let bucket = BUCKET_BYTES as u64;
        let directory = HEADER_BYTES as u64;
        let keys = align(directory + 8 * u64::from(self.maps));
        let values = align(keys + key * entries);
        let index = align(values + value * entries);
        let links = index + bucket * u64::from(index_buckets(self.table));
        let table_keys = align(links + 16 * table);
        let table_values = align(table_keys + key * table);
        let string_index = align(table_values + value * table);
        let refs = string_index + bucket * u64::from(index_buckets(self.ids));
        let heap = align(refs + 4 * u64::from(self.ids));
        let length = heap + self.heap;
        if length > isize::MAX as u64 {
            return Err(Error::range(
                "an arena of these capacities is larger than this machine's address space",
            ));
        }
        Ok(Layout {
            directory: directory as usize,
            keys: keys as usize,
            values: values as usize,
            index: index as usize,
            links: links as usize,
            table_keys: table_keys as usize,
            table_values: table_values as usize,
            string_index: string_index as usize,
            refs: refs as usize,
            heap: heap as usize,
            length: length as usize,
        })
    }
}

/// The properties of a region that only a rebuild changes, from a checked header.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// The capacities.
    pub shape: Shape,
    /// The positions of the sections.
    pub layout: Layout,
    /// Seeds of the hash functions.
    pub seeds: Seeds,
}

impl RegionKind for Meta {
    const KIND: Kind = Kind::SmallMapArena;
    const END: usize = word::END;

    /// Checks that every count is within its limit.
    fn check(header: &Header, _: Memory) -> Result<Meta> {
        let schema = header.word(word::SCHEMA);
        let (Some(key), Some(value)) = (Type::from_number(schema & 0xFF), Type::from_number(schema >> 8))
        else {
            return Err(Error::corrupt(format!("the arena's header has an invalid schema: {schema}")));
        };
        let shape = Shape {
            key,
            value,
            maps: header.word(word::MAP_CAPACITY),
            blocks: header.word(word::BLOCK_CAPACITY),
            table: header.word(word::TABLE_CAPACITY),
            ids: header.word(word::ID_CAPACITY),
            heap: header.double_word(word::HEAP_CAPACITY),
        };
        shape.check().map_err(|error| Error::corrupt(error.message().to_owned()))?;
        let heap_used = header.double_word(word::HEAP_USED);
        let bounded = [
            (word::MAPS_USED, shape.maps),
            (word::FREE_MAP, shape.maps),
            (word::MAPS, shape.maps),
            (word::PROMOTED, shape.maps),
            (word::BLOCKS_USED, shape.blocks),
            (word::FREE_SLOT, shape.blocks * 4),
            (word::FREE_SLOT + 1, shape.blocks * 4),
            (word::FREE_SLOT + 2, shape.blocks * 4),
            (word::TABLE_USED, shape.table),
            (word::FREE_POSITION, shape.table),
            (word::TABLE_FREE, shape.table),
            (word::IDS_USED, shape.ids),
            (word::FREE_ID, shape.ids),
            (word::STRINGS, shape.ids),
        ];
        if let Some((index, _)) = bounded.iter().find(|&&(index, limit)| header.word(index) > limit) {
            let value = header.word(*index);
            return Err(Error::corrupt(format!("the arena's header has an invalid word {index}: {value}")));
        }
        if heap_used > shape.heap || !heap_used.is_multiple_of(4) {
            return Err(Error::corrupt(format!(
                "the arena's header has an invalid size of the used heap: {heap_used}"
            )));
        }
        let layout = shape.layout()?;
        Ok(Meta { shape, layout, seeds: Seeds::of(header) })
    }

    fn length(&self) -> u64 {
        self.layout.length as u64
    }
}

/// The capacity that replaces a full one if at least `needed` is required: four times as much while
/// it is small, because a rebuild takes some microseconds regardless of its size, then twice as
/// much, then one and a half times as much.
pub fn grown(capacity: u64, needed: u64, limit: u64) -> Result<u64> {
    if needed > limit {
        return Err(Error::full(format!(
            "the arena would need a capacity of {needed}, and the limit is {limit}"
        )));
    }
    let next = match capacity {
        0..64 => capacity * 4,
        64..4096 => capacity * 2,
        _ => capacity + capacity / 2,
    };
    Ok(next.max(needed).min(limit))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHAPE: Shape =
        Shape { key: Type::U32, value: Type::F64, maps: 100, blocks: 50, table: 0, ids: 0, heap: 0 };

    #[test]
    fn sections_follow_one_another() {
        let layout = Shape { table: 100, ..SHAPE }.layout().unwrap();
        assert_eq!(layout.directory, 256);
        assert_eq!(layout.keys, 256 + 832);
        assert_eq!(layout.values, 1088 + 1600);
        assert_eq!(layout.index, 2688 + 3200);
        assert_eq!(layout.links, 5888 + 64 * 10);
        assert_eq!(layout.table_keys, 6528 + 1600);
        assert_eq!(layout.table_values, 8128 + 448);
        assert_eq!(layout.string_index, 8576 + 832);
        assert_eq!((layout.refs, layout.heap, layout.length), (9408, 9408, 9408));
    }

    #[test]
    fn impossible_shapes_are_refused() {
        SHAPE.check().unwrap();
        let wrong = [
            Shape { maps: 0, ..SHAPE },
            Shape { maps: MAX_MAPS + 1, ..SHAPE },
            Shape { blocks: 0, ..SHAPE },
            Shape { blocks: MAX_BLOCKS + 1, ..SHAPE },
            Shape { table: MAX_TABLE + 1, ..SHAPE },
            Shape { ids: 1, ..SHAPE },
            Shape { heap: 64, ..SHAPE },
            Shape { key: Type::String, ..SHAPE },
            Shape { key: Type::String, ids: 1, heap: 65, ..SHAPE },
            Shape { key: Type::Bool, ..SHAPE },
            Shape { value: Type::Json, ..SHAPE },
        ];
        for shape in wrong {
            shape.check().unwrap_err();
        }
        let largest = Shape {
            key: Type::String,
            value: Type::F64,
            maps: MAX_MAPS,
            blocks: MAX_BLOCKS,
            table: MAX_TABLE,
            ids: MAX_IDS,
            heap: MAX_HEAP,
        };
        largest.check().unwrap();
        largest.layout().unwrap();
    }

    #[test]
    fn the_smallest_slot_holds_a_link() {
        for key in Type::ALL.into_iter().filter(|&ty| is_key(ty)) {
            for value in Type::ALL.into_iter().filter(|&ty| is_value(ty)) {
                let shape = Shape { key, value, ..SHAPE };
                assert!(shape.smallest_slot() as usize * key.width().max(value.width()) >= 4);
            }
        }
    }

    #[test]
    fn growth_is_geometric_and_bounded() {
        assert_eq!(grown(1, 2, 100).unwrap(), 4);
        assert_eq!(grown(1, 9, 100).unwrap(), 9);
        assert_eq!(grown(100, 101, 150).unwrap(), 150);
        assert_eq!(grown(10_000, 10_001, 1 << 30).unwrap(), 15_000);
        assert!(grown(100, 101, 100).is_err());
    }
}
