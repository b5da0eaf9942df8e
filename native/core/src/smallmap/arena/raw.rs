//! A checked view of an arena's region: its maps and their entries.
//!
//! Attaching checks the header once. Afterward, no operation uses a count that bounds memory
//! accesses other than the private copy, and every unit, position and id that is read from the
//! region is compared with a capacity before it is followed. Contents that are hostile or change
//! concurrently therefore result in wrong answers, but never in a read out of bounds.
//!
//! Keys and values are passed as their bits, zero-extended to 64, as they are stored in a column.
//! [`stored_bits`] computes them.
//!
//! Cost: an inline lookup accesses one cache line of the directory, one of keys, and one of values.

use super::layout::{
    INLINE_CAPACITY, Layout, MAX_GENERATION, Meta, PROMOTED, Shape, index_buckets, link, word,
};
use crate::region::attach::RegionKind;
use crate::region::element::Type;
use crate::region::memory::Memory;
use crate::table::hash::{Home, Seeds, canonical};
use crate::table::index::Index;
use crate::{Error, Result};
use std::time::Duration;

/// The location of an entry of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Location {
    /// Inline: an entry of the slot columns.
    Slot(u32),
    /// Promoted: a position of the table.
    Table(u32),
}

/// The state of a map, as encoded in its place word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MapState {
    /// `count` inline entries, beginning with entry `first` of the slot columns.
    Inline { first: u32, count: u32 },
    /// Promoted, with this sentinel.
    Promoted { sentinel: u32 },
}

/// A view of an arena in memory that another thread may be writing.
#[derive(Clone, Copy, Debug)]
pub struct RawArena {
    pub(super) memory: Memory,
    pub(super) shape: Shape,
    pub(super) layout: Layout,
    pub(super) seeds: Seeds,
    pub(super) index: Index,
    pub(super) home: Home,
    pub(super) string_index: Index,
    pub(super) string_home: Home,
    sequence: u32,
}

impl RawArena {
    /// Attaches to the arena in `len` bytes at `base`: checks the header in constant time.
    ///
    /// # Safety
    /// While the view, a copy of it, or anything borrowed from it is used, `base` is valid for
    /// reading `len` bytes. Another thread may write them, as the format allows.
    pub unsafe fn attach(base: *const u8, len: usize) -> Result<RawArena> {
        // SAFETY: `base` is valid for `len` bytes, guaranteed by the caller.
        unsafe { RawArena::attach_shared(base, len, Duration::ZERO) }
    }

    /// `attach` for a reader whose region another thread owns: waits, for up to `patience`, while
    /// the region is being rearranged. `Locked` if that takes longer, which means that its writer
    /// ended.
    ///
    /// # Safety
    /// As for `attach`.
    pub unsafe fn attach_shared(base: *const u8, len: usize, patience: Duration) -> Result<RawArena> {
        // SAFETY: `base` is valid for reading `len` bytes, guaranteed by the caller, and a reader's
        // view does not write.
        let memory = unsafe { Memory::new(base.cast_mut(), len) }?;
        RawArena::read(memory, patience)
    }

    pub(super) fn read(memory: Memory, patience: Duration) -> Result<RawArena> {
        let (_, meta, sequence) = Meta::read_shared(memory, patience)?;
        Ok(RawArena::new(memory, &meta, sequence))
    }

    pub(super) fn new(memory: Memory, meta: &Meta, sequence: u32) -> RawArena {
        let Meta { shape, layout, seeds } = *meta;
        let (buckets, string_buckets) = (index_buckets(shape.table), index_buckets(shape.ids));
        // SAFETY: a checked header's sections lie within the memory.
        let (index, string_index) = unsafe {
            (
                Index::new(memory, layout.index, buckets),
                Index::new(memory, layout.string_index, string_buckets),
            )
        };
        let (home, string_home) = (Home::new(buckets), Home::new(string_buckets));
        RawArena { memory, shape, layout, seeds, index, home, string_index, string_home, sequence }
    }

    /// The types and capacities, which only a rebuild changes.
    #[inline]
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The positions of the sections, in bytes from the region's start.
    #[inline]
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The memory.
    #[inline]
    #[must_use]
    pub fn memory(&self) -> Memory {
        self.memory
    }

    /// The sequence when the view was attached; for `Memory::read_retry`.
    #[inline]
    #[must_use]
    pub fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Number of times that memory was recycled. A read during which this changed must be repeated.
    #[inline(always)]
    #[must_use]
    pub fn recycles(&self) -> u32 {
        self.memory.word(word::RECYCLES)
    }

    /// Number of maps.
    #[inline]
    #[must_use]
    pub fn count(&self) -> u32 {
        self.memory.word(word::MAPS)
    }

    /// Number of promoted maps.
    #[inline]
    #[must_use]
    pub fn promoted_count(&self) -> u32 {
        self.memory.word(word::PROMOTED)
    }

    /// Directory entries ever used.
    #[inline(always)]
    #[must_use]
    pub fn maps_used(&self) -> u32 {
        self.memory.word(word::MAPS_USED).min(self.shape.maps)
    }

    #[inline(always)]
    pub(super) fn table_used(&self) -> u32 {
        self.memory.word(word::TABLE_USED).min(self.shape.table)
    }

    // ---- the directory

    #[inline(always)]
    pub(super) fn place_word(&self, map: u32) -> u32 {
        debug_assert!(map < self.shape.maps);
        // SAFETY: callers pass entries below the capacity.
        unsafe { self.memory.load_u32(self.layout.directory + map as usize * 8) }
    }

    #[inline(always)]
    pub(super) fn generation_word(&self, map: u32) -> u32 {
        debug_assert!(map < self.shape.maps);
        // SAFETY: callers pass entries below the capacity.
        unsafe { self.memory.load_u32(self.layout.directory + map as usize * 8 + 4) }
    }

    /// The directory entry of the map with an id, if that map is alive.
    #[inline(always)]
    #[must_use]
    pub fn map_of(&self, id: u64) -> Option<u32> {
        let (map, generation) = (id as u32, (id >> 32) as u32);
        // A free entry's generation word is above every generation.
        (map < self.maps_used() && generation <= MAX_GENERATION && self.generation_word(map) == generation)
            .then_some(map)
    }

    /// As `map_of`, or an error.
    #[inline(always)]
    pub fn live(&self, id: u64) -> Result<u32> {
        match self.map_of(id) {
            Some(map) => Ok(map),
            None => Err(stale(id)),
        }
    }

    /// The id of a directory entry, if it contains a map. Panics past the capacity.
    #[must_use]
    pub fn id_of(&self, map: u32) -> Option<u64> {
        assert!(map < self.shape.maps, "there is no directory entry {map}");
        let generation = self.generation_word(map);
        (map < self.maps_used() && generation <= MAX_GENERATION)
            .then(|| u64::from(generation) << 32 | u64::from(map))
    }

    /// The state of a map; empty if its place word is invalid.
    #[inline(always)]
    pub(super) fn map_state(&self, map: u32) -> MapState {
        let word = self.place_word(map);
        let (count, rest) = (word & 15, word >> 4);
        if count <= INLINE_CAPACITY {
            let first = rest * 2;
            // The whole slot must be within the columns, because vector loads read all of it.
            let fits = count > 0 && first + self.shape.slot_for(count) <= self.shape.blocks * 8;
            return if fits {
                MapState::Inline { first, count }
            } else {
                MapState::Inline { first: 0, count: 0 }
            };
        }
        if count == PROMOTED && rest < self.shape.table {
            return MapState::Promoted { sentinel: rest };
        }
        MapState::Inline { first: 0, count: 0 }
    }

    /// Number of entries of a map. Like every function that takes a directory entry, panics past
    /// the capacity.
    #[must_use]
    pub fn size(&self, map: u32) -> u32 {
        assert!(map < self.shape.maps, "there is no directory entry {map}");
        match self.map_state(map) {
            MapState::Inline { count, .. } => count,
            MapState::Promoted { sentinel } => self.link(sentinel, link::HASH),
        }
    }

    /// Whether a map's entries are in the table.
    #[must_use]
    pub fn is_promoted(&self, map: u32) -> bool {
        assert!(map < self.shape.maps, "there is no directory entry {map}");
        matches!(self.map_state(map), MapState::Promoted { .. })
    }

    // ---- entries

    /// The location of a key, given by its bits, in a map.
    #[inline]
    #[must_use]
    pub fn find(&self, map: u32, key: u64) -> Option<Location> {
        assert!(map < self.shape.maps, "there is no directory entry {map}");
        match self.map_state(map) {
            MapState::Inline { first, count } => {
                self.lane_of(first, count, key).map(|lane| Location::Slot(first + lane))
            }
            MapState::Promoted { .. } => self.find_in_table(map, key).map(Location::Table),
        }
    }

    /// The value of a key in the map with this id.
    pub fn get(&self, id: u64, key: u64) -> Result<Option<u64>> {
        let map = self.live(id)?;
        Ok(self.find(map, key).map(|location| self.value_at(location)))
    }

    /// Calls `visit` with the location of each entry of a map, in insertion order.
    pub fn for_each(&self, map: u32, mut visit: impl FnMut(Location)) {
        assert!(map < self.shape.maps, "there is no directory entry {map}");
        match self.map_state(map) {
            MapState::Inline { first, count } => {
                (first..first + count).for_each(|entry| visit(Location::Slot(entry)));
            }
            MapState::Promoted { sentinel } => {
                self.walk(sentinel, |position| visit(Location::Table(position)));
            }
        }
    }

    /// The bits of a key. Panics if the location is outside the columns.
    #[inline]
    #[must_use]
    pub fn key_at(&self, location: Location) -> u64 {
        let (column, at) = match location {
            Location::Slot(entry) => (self.layout.keys, self.check_entry(entry)),
            Location::Table(position) => (self.layout.table_keys, self.check_position(position)),
        };
        let width = self.shape.key.width();
        // SAFETY: the column has an element of this width there.
        unsafe { load_bits(self.memory, column + at * width, width) }
    }

    /// The bits of a value. Panics if the location is outside the columns.
    #[inline]
    #[must_use]
    pub fn value_at(&self, location: Location) -> u64 {
        let (column, at) = match location {
            Location::Slot(entry) => (self.layout.values, self.check_entry(entry)),
            Location::Table(position) => (self.layout.table_values, self.check_position(position)),
        };
        let width = self.shape.value.width();
        // SAFETY: the column has an element of this width there.
        unsafe { load_bits(self.memory, column + at * width, width) }
    }

    #[inline(always)]
    pub(super) fn check_entry(&self, entry: u32) -> usize {
        assert!(entry < self.shape.blocks * 8, "there is no entry {entry}");
        entry as usize
    }

    #[inline(always)]
    pub(super) fn check_position(&self, position: u32) -> usize {
        assert!(position < self.shape.table, "there is no position {position}");
        position as usize
    }
}

#[cold]
pub(super) fn stale(id: u64) -> Error {
    Error::stale(format!("invalid or stale map id: {id}"))
}

/// Reads a number of 1, 2, 4 or 8 bytes.
///
/// # Safety
/// As for `Memory::load_u64`, with that width.
#[inline(always)]
pub(super) unsafe fn load_bits(memory: Memory, at: usize, width: usize) -> u64 {
    // SAFETY: as for `Memory::load_u64`, guaranteed by the caller.
    unsafe {
        match width {
            1 => u64::from(memory.load_u8(at)),
            2 => u64::from(memory.load_u16(at)),
            4 => u64::from(memory.load_u32(at)),
            _ => memory.load_u64(at),
        }
    }
}

/// The bits of a key as they are stored: each float value has one representation. `bits` are
/// zero-extended.
#[inline(always)]
#[must_use]
pub fn stored_bits(bits: u64, ty: Type) -> u64 {
    match ty {
        Type::F64 => canonical(bits),
        Type::F32 => {
            let float = f32::from_bits(bits as u32);
            if float.is_nan() {
                0x7FC0_0000
            } else if float == 0.0 {
                0
            } else {
                bits
            }
        }
        _ => bits,
    }
}
