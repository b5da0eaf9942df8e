//! New arenas, and the one native call that makes room in a full arena: it moves sections to the
//! positions that new capacities imply, packs slots, and drops unused strings.
//!
//! All steps that can fail (checks, temporary memory) come first, in [`Plan`]; then the sequence is
//! made odd, everything is moved, and the sequence is made even. A call that fails has therefore
//! changed nothing, and readers never see a partial change. Directory entries, positions of the
//! table, ids of strings in use, and the order of entries stay the same.
//!
//! Sections keep their order, so they can be moved without a second copy: first those that move
//! down, first to last; then those that move up, last to first.
//!
//! Temporary memory: for packing, the live slots; for dropping strings, a bit for each id and 4
//! bytes for each string.

use super::layout::link::{HASH, OWNER, SENTINEL};
use super::layout::{
    FREE_REF, Layout, MAX_BLOCKS, MAX_HEAP, MAX_IDS, MAX_MAPS, MAX_TABLE, Meta, Shape, grown, index_buckets,
    word,
};
use super::raw::{MapState, RawArena};
use super::write::RawArenaMut;
use crate::region::attach::{RegionKind, check_room};
use crate::region::element::Type;
use crate::region::header::{self, HEADER_BYTES, align};
use crate::region::memory::Memory;
use crate::table::bits::Bits;
use crate::table::blob::size_of_blob;
use crate::table::group::Native;
use crate::table::hash::tag;
use crate::table::index::{BUCKET_BYTES, Index};
use crate::{Error, Result};

/// Initial size of the string heap, in bytes.
const FIRST_HEAP: u64 = 256;
/// Initial number of string ids: one bucket.
const FIRST_IDS: u32 = 12;

/// Options of a new, empty arena.
#[derive(Clone, Copy, Debug)]
pub struct NewArena {
    /// Type of the keys.
    pub key: Type,
    /// Type of the values.
    pub value: Type,
    /// The number of maps that fit without a rebuild if each has four entries.
    pub maps: u32,
    /// Seeds of the hash functions: random, unless the bytes must be reproducible.
    pub seeds: [u32; 2],
}

impl NewArena {
    fn shape(&self) -> Result<Shape> {
        let strings = self.key == Type::String || self.value == Type::String;
        let shape = Shape {
            key: self.key,
            value: self.value,
            maps: self.maps,
            blocks: self.maps.div_ceil(2).min(MAX_BLOCKS),
            table: 0,
            ids: if strings { FIRST_IDS } else { 0 },
            heap: if strings { FIRST_HEAP } else { 0 },
        };
        shape.check()?;
        Ok(shape)
    }

    /// Bytes of the arena's region.
    pub fn length(&self) -> Result<usize> {
        Ok(self.shape()?.layout()?.length)
    }
}

/// Creates an empty arena in `len` bytes at `base`, and overwrites their contents.
///
/// # Safety
/// `base` is valid for writing `len` bytes, and no other thread uses them.
pub unsafe fn init(base: *mut u8, len: usize, new: &NewArena) -> Result<()> {
    let shape = new.shape()?;
    let layout = shape.layout()?;
    // SAFETY: the caller guarantees that the `len` bytes are writable and not otherwise used;
    // `begin` checks that they are enough.
    unsafe {
        let memory = Meta::begin(base, len, layout.length as u64)?;
        memory.at(HEADER_BYTES).write_bytes(0, layout.keys - HEADER_BYTES);
        memory.at(layout.string_index).write_bytes(0, layout.refs - layout.string_index);
        memory.set_seeds(new.seeds);
        memory.set_word(word::SCHEMA, shape.key as u32 | (shape.value as u32) << 8);
        write_shape(memory, &shape, &layout);
        memory.end_region();
    }
    Ok(())
}

/// # Safety
/// The memory is writable, and no other thread writes the region.
unsafe fn write_shape(memory: Memory, shape: &Shape, layout: &Layout) {
    // SAFETY: the memory is writable and has no other writer, guaranteed by the caller.
    unsafe {
        memory.set_word(word::MAP_CAPACITY, shape.maps);
        memory.set_word(word::BLOCK_CAPACITY, shape.blocks);
        memory.set_word(word::TABLE_CAPACITY, shape.table);
        memory.set_word(word::ID_CAPACITY, shape.ids);
        memory.set_double_word(word::HEAP_CAPACITY, shape.heap);
        memory.set_double_word(header::word::LENGTH, layout.length as u64);
    }
}

/// Additional items for which an arena needs room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    /// Maps.
    pub maps: u32,
    /// Slots of 8 entries.
    pub blocks: u32,
    /// Positions of the table: 10 to promote a map for a ninth entry.
    pub positions: u32,
    /// Strings.
    pub ids: u32,
    /// Bytes of the strings' blobs.
    pub heap: u64,
}

/// The capacities that a rebuild should achieve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// The present contents, and this room.
    Room(Room),
    /// Exactly the present contents.
    Fit,
}

/// The length of the region after [`rebuild`].
///
/// # Safety
/// As for [`RawArena::attach`].
pub unsafe fn rebuild_length(base: *const u8, len: usize, goal: Goal) -> Result<usize> {
    // SAFETY: as for `attach`, guaranteed by the caller.
    let arena = unsafe { RawArena::attach(base, len) }?;
    Ok(Plan::new(&arena, goal)?.layout.length)
}

/// Rearranges an arena to achieve the goal. `Full` if `len` is below [`rebuild_length`], or if the
/// arena would exceed its limits. A call that is refused changes nothing.
///
/// # Safety
/// As for [`RawArenaMut::attach`].
pub unsafe fn rebuild(base: *mut u8, len: usize, goal: Goal) -> Result<()> {
    // SAFETY: as for `attach`, guaranteed by the caller.
    let mut arena = unsafe { RawArenaMut::attach(base, len) }?;
    let plan = Plan::new(&arena, goal)?;
    check_room(plan.layout.length as u64, arena.memory().len())?;
    let memory = arena.memory();
    // SAFETY: this is the only writer, and the new layout lies within the memory.
    unsafe { memory.change(|| plan.apply(&mut arena)) };
    Ok(())
}

/// Counts of the live maps.
#[derive(Clone, Copy, Debug, Default)]
struct Census {
    /// Slots of 2, 4 and 8 entries.
    slots: [u64; 3],
    promoted: u32,
}

impl Census {
    fn entries(&self) -> u64 {
        self.slots[0] * 2 + self.slots[1] * 4 + self.slots[2] * 8
    }
}

/// The strings to which entries refer.
struct Strings {
    used: Bits,
    /// Their ids, in the order of the heap.
    order: Vec<u32>,
    bytes: u64,
}

struct Plan {
    shape: Shape,
    layout: Layout,
    /// To pack slots: the number of entries in them, and temporary memory.
    pack: Option<(u64, Vec<u8>)>,
    sweep: Option<Strings>,
    /// No map is promoted, so the table is reset.
    empty_table: bool,
}

impl Plan {
    fn new(arena: &RawArena, goal: Goal) -> Result<Plan> {
        let mut shape = arena.shape;
        let pack;
        let (mut sweep, mut empty_table) = (None, false);
        match goal {
            Goal::Room(room) => {
                shape.maps = Plan::maps(arena, room.maps)?;
                (shape.blocks, pack) = Plan::blocks(arena, room.blocks)?;
                Plan::grow_together(arena, &mut shape);
                shape.table = Plan::positions(arena, room.positions)?;
                (shape.ids, shape.heap, sweep) = Plan::strings(arena, room.ids, room.heap)?;
            }
            Goal::Fit => {
                let census = arena.census();
                let entries = census.entries();
                if entries > u64::from(shape.blocks) * 8 {
                    return Err(Error::corrupt("slots of the arena overlap"));
                }
                shape.maps = arena.maps_used().max(1);
                shape.blocks = u32::try_from(entries.div_ceil(8)).unwrap_or(u32::MAX).max(1);
                pack = Some((entries, Plan::temporary(arena, entries)?));
                empty_table = census.promoted == 0;
                shape.table = if empty_table { 0 } else { arena.table_used() };
                if shape.has_strings() {
                    let strings = arena.strings_in_use()?;
                    // The last id in use determines the capacity; the ids after it are discarded.
                    shape.ids = strings.order.iter().max().map_or(1, |&id| id + 1);
                    shape.heap = align(strings.bytes.max(1));
                    sweep = Some(strings);
                }
            }
        }
        shape.check().map_err(|error| Error::full(error.message().to_owned()))?;
        let layout = shape.layout()?;
        Ok(Plan { shape, layout, pack, sweep, empty_table })
    }

    fn maps(arena: &RawArena, wanted: u32) -> Result<u32> {
        let (capacity, used) = (arena.shape.maps, arena.maps_used());
        let left = capacity - used + u32::from(arena.memory.word(word::FREE_MAP) != 0);
        if left >= wanted {
            return Ok(capacity);
        }
        let needed = u64::from(used) + u64::from(wanted);
        Ok(grown(capacity.into(), needed, MAX_MAPS.into())? as u32)
    }

    /// If the directory or the slots grow, the other also grows if it is more than three quarters
    /// full: all sections after it move now, and would have to move again soon.
    fn grow_together(arena: &RawArena, shape: &mut Shape) {
        let old = arena.shape;
        let full = |used: u32, capacity: u32| u64::from(used) * 4 > u64::from(capacity) * 3;
        let more = |capacity: u32, most: u32| {
            grown(capacity.into(), u64::from(capacity) + 1, most.into())
                .map_or(capacity, |grown| grown as u32)
        };
        let (maps_grow, blocks_grow) = (shape.maps > old.maps, shape.blocks > old.blocks);
        if blocks_grow && !maps_grow && full(arena.maps_used(), old.maps) {
            shape.maps = more(old.maps, MAX_MAPS);
        }
        if maps_grow && !blocks_grow && full(arena.memory.word(word::BLOCKS_USED), old.blocks) {
            shape.blocks = more(old.blocks, MAX_BLOCKS);
        }
    }

    /// Packs the slots if that frees at least a quarter of the columns and the requested room;
    /// otherwise grows.
    #[expect(clippy::type_complexity, reason = "a capacity, and what packing needs")]
    fn blocks(arena: &RawArena, wanted: u32) -> Result<(u32, Option<(u64, Vec<u8>)>)> {
        let capacity = arena.shape.blocks;
        let used = arena.memory.word(word::BLOCKS_USED).min(capacity);
        if capacity - used >= wanted {
            return Ok((capacity, None));
        }
        let entries = arena.census().entries();
        let packed = entries.div_ceil(8);
        if entries * 4 <= u64::from(capacity) * 8 * 3 && packed + u64::from(wanted) <= u64::from(capacity) {
            return Ok((capacity, Some((entries, Plan::temporary(arena, entries)?))));
        }
        let needed = u64::from(used) + u64::from(wanted);
        Ok((grown(capacity.into(), needed, MAX_BLOCKS.into())? as u32, None))
    }

    fn positions(arena: &RawArena, wanted: u32) -> Result<u32> {
        let (capacity, used) = (arena.shape.table, arena.table_used());
        let free = arena.memory.word(word::TABLE_FREE).min(used);
        let left = capacity - used + free;
        if left >= wanted {
            return Ok(capacity);
        }
        let needed = u64::from(used - free) + u64::from(wanted);
        let needed = needed.max(u64::from(capacity) + u64::from(wanted - left));
        Ok(grown(capacity.into(), needed, MAX_TABLE.into())? as u32)
    }

    fn strings(arena: &RawArena, ids: u32, heap: u64) -> Result<(u32, u64, Option<Strings>)> {
        let shape = &arena.shape;
        if !shape.has_strings() {
            if ids > 0 || heap > 0 {
                return Err(Error::wrong_type("this arena has no strings"));
            }
            return Ok((0, 0, None));
        }
        let used = arena.ids_used();
        let live = arena.memory.word(word::STRINGS).min(used);
        let heap_used = arena.memory.double_word(word::HEAP_USED).min(shape.heap);
        let free_listed = if arena.memory.word(word::FREE_ID) == 0 { 0 } else { used - live };
        if shape.ids - used + free_listed >= ids && shape.heap - heap_used >= heap {
            return Ok((shape.ids, shape.heap, None));
        }
        let strings = arena.strings_in_use()?;
        // If more than three quarters would be in use, the capacity grows: this makes n strings
        // cost O(1) each even if strings are added and dropped all the time.
        let needed = strings.order.len() as u64 + u64::from(ids);
        let ids = if needed * 4 > u64::from(shape.ids) * 3 {
            grown(shape.ids.into(), needed, MAX_IDS.into())? as u32
        } else {
            shape.ids
        };
        let needed = strings.bytes.saturating_add(heap);
        let heap = if needed > shape.heap / 4 * 3 {
            align(grown(shape.heap, needed, MAX_HEAP)?)
        } else {
            shape.heap
        };
        Ok((ids, heap, Some(strings)))
    }

    fn temporary(arena: &RawArena, entries: u64) -> Result<Vec<u8>> {
        let width = (arena.shape.key.width() + arena.shape.value.width()) as u64;
        let mut memory = Vec::new();
        memory.try_reserve_exact(usize::try_from(entries * width).unwrap_or(usize::MAX))?;
        Ok(memory)
    }

    /// # Safety
    /// This is the only writer, the sequence is odd, and the new layout lies within the memory.
    unsafe fn apply(self, arena: &mut RawArenaMut) {
        if let Some(strings) = &self.sweep {
            arena.drop_strings(strings, self.shape.ids);
        }
        if let Some((entries, memory)) = self.pack {
            // SAFETY: `memory` has room for this many entries.
            unsafe { arena.pack(entries, memory) };
        }
        if self.empty_table {
            for index in [word::TABLE_USED, word::FREE_POSITION, word::TABLE_FREE] {
                arena.set_word(index, 0);
            }
        }
        let memory = arena.memory;
        let (old, new) = (arena.layout, self.layout);
        let (shape, to) = (arena.shape, self.shape);
        let (key, value) = (shape.key.width(), shape.value.width());
        let maps = arena.maps_used() as usize;
        let entries = arena.memory.word(word::BLOCKS_USED).min(shape.blocks) as usize * 8;
        let table = arena.table_used() as usize;
        let ids = arena.ids_used() as usize;
        let heap = memory.double_word(word::HEAP_USED).min(shape.heap) as usize;
        let same = |a: u32, b: u32| index_buckets(a) == index_buckets(b);
        let bytes = |kept: bool, capacity: u32| {
            if kept { index_buckets(capacity) as usize * BUCKET_BYTES } else { 0 }
        };
        let (keep_index, keep_strings) = (same(shape.table, to.table), same(shape.ids, to.ids));
        let sections = [
            (old.directory, new.directory, maps * 8),
            (old.keys, new.keys, entries * key),
            (old.values, new.values, entries * value),
            (old.index, new.index, bytes(keep_index, shape.table)),
            (old.links, new.links, table * 16),
            (old.table_keys, new.table_keys, table * key),
            (old.table_values, new.table_values, table * value),
            (old.string_index, new.string_index, bytes(keep_strings, shape.ids)),
            (old.refs, new.refs, ids * 4),
            (old.heap, new.heap, heap),
        ];
        // SAFETY: both layouts lie within the memory; see the module's documentation for the order.
        unsafe {
            let shift = |&(from, to, bytes): &(usize, usize, usize)| {
                std::ptr::copy(memory.at(from), memory.at(to), bytes);
            };
            sections.iter().filter(|section| section.1 < section.0).for_each(shift);
            sections.iter().rev().filter(|section| section.1 > section.0).for_each(shift);
            memory.at(new.directory + maps * 8).write_bytes(0, new.keys - new.directory - maps * 8);
            write_shape(memory, &to, &new);
        }
        let meta = Meta { shape: to, layout: new, seeds: arena.seeds };
        let moved = RawArena::new(memory, &meta, 0);
        // SAFETY: this is the only writer; the view is of the new layout.
        unsafe {
            if !keep_index {
                memory.at(new.index).write_bytes(0, new.links - new.index);
                moved.fill_index();
            }
            if !keep_strings {
                memory.at(new.string_index).write_bytes(0, new.refs - new.string_index);
                moved.fill_string_index();
            }
        }
    }
}

impl RawArena {
    /// Calls `visit` with every live map.
    pub(super) fn for_each_map(&self, mut visit: impl FnMut(u32)) {
        for map in 0..self.maps_used() {
            if self.id_of(map).is_some() {
                visit(map);
            }
        }
    }

    fn census(&self) -> Census {
        let mut census = Census::default();
        self.for_each_map(|map| match self.map_state(map) {
            MapState::Inline { count: 0, .. } => {}
            MapState::Inline { count, .. } => {
                census.slots[self.shape.slot_for(count).trailing_zeros() as usize - 1] += 1;
            }
            MapState::Promoted { .. } => census.promoted += 1,
        });
        census
    }

    /// The strings to which keys and values refer.
    fn strings_in_use(&self) -> Result<Strings> {
        let ids = self.ids_used();
        let mut used = Bits::new(ids.into())?;
        let mut count = 0;
        let (keys, values) = (self.shape.key == Type::String, self.shape.value == Type::String);
        let mut mark = |id: u64| {
            if id < u64::from(ids) && used.insert(id) {
                count += 1;
            }
        };
        self.for_each_map(|map| {
            self.for_each(map, |location| {
                if keys {
                    mark(self.key_at(location));
                }
                if values {
                    mark(self.value_at(location));
                }
            });
        });
        let mut order = Vec::new();
        order.try_reserve_exact(count)?;
        // SAFETY: only the head word is used.
        let blob = |id: u32| unsafe { self.blob(self.ref_of(id)) };
        let sound = |id: u32| self.ref_of(id) & FREE_REF == 0 && blob(id).is_some();
        order.extend((0..ids).filter(|&id| used.contains(id.into()) && sound(id)));
        order.sort_unstable_by_key(|&id| self.ref_of(id));
        let bytes = order.iter().filter_map(|&id| blob(id)).map(|(head, _)| size_of_blob(head)).sum();
        Ok(Strings { used, order, bytes })
    }

    /// Fills an empty index with the positions of entries, in order.
    ///
    /// # Safety
    /// This is the only writer.
    unsafe fn fill_index(&self) {
        for position in 0..self.table_used() {
            if self.link(position, OWNER) < SENTINEL {
                let hash = self.link(position, HASH);
                // SAFETY: this is the only writer, guaranteed by the caller.
                unsafe { put(self.index, self.home.of(hash), hash, position) };
            }
        }
    }

    /// Fills an empty index with the strings, in order.
    ///
    /// # Safety
    /// This is the only writer.
    unsafe fn fill_string_index(&self) {
        for id in 0..self.ids_used() {
            let reference = self.ref_of(id);
            if reference & FREE_REF != 0 {
                continue;
            }
            // SAFETY: the bytes are hashed immediately; this is the only writer, guaranteed by the
            // caller.
            unsafe {
                let Some((_, bytes)) = self.blob(reference) else { continue };
                let hash = self.seeds.blob(bytes);
                put(self.string_index, self.string_home.of(hash), hash, id);
            }
        }
    }
}

/// # Safety
/// This is the only writer.
unsafe fn put(index: Index, home: u32, hash: u32, position: u32) {
    // An empty lane exists, because buckets × 12 is at least the capacity.
    if let Some(lane) = index.first_empty::<Native>(home) {
        // SAFETY: this is the only writer, guaranteed by the caller.
        unsafe {
            index.adjust_overflow(home, lane, true);
            index.set(lane, tag(hash), position);
        }
    }
}

impl RawArenaMut {
    /// Packs all slots, those of 8 entries first, then 4, then 2, and rebuilds the free lists.
    ///
    /// # Safety
    /// This is the only writer, the sequence is odd, and `memory` has room for `entries` keys and
    /// values.
    unsafe fn pack(&mut self, entries: u64, mut memory: Vec<u8>) {
        let (key, value) = (self.shape.key.width(), self.shape.value.width());
        let base = memory.as_mut_ptr();
        let values = entries as usize * key;
        let mut next = 0u32;
        for size in [8, 4, 2] {
            for map in 0..self.maps_used() {
                if self.id_of(map).is_none() {
                    continue;
                }
                let MapState::Inline { first, count } = self.map_state(map) else { continue };
                if count == 0 || self.shape.slot_for(count) != size {
                    continue;
                }
                // The slots were counted before, but a writer that violates the rules may have
                // changed them since.
                if u64::from(next + size) > entries {
                    self.set_place(map, 0);
                    continue;
                }
                let (from, to, size_in) = (first as usize, next as usize, size as usize);
                // SAFETY: `map_state` checked that the slot is within the columns; the copy is
                // within the temporary memory, as just checked.
                unsafe {
                    let keys = self.memory.at(self.layout.keys + from * key);
                    let column = self.memory.at(self.layout.values + from * value);
                    std::ptr::copy_nonoverlapping(keys, base.add(to * key), size_in * key);
                    std::ptr::copy_nonoverlapping(column, base.add(values + to * value), size_in * value);
                }
                self.set_place(map, (next / 2) << 4 | count);
                next += size;
            }
        }
        let count = next as usize;
        // SAFETY: this many entries were just written to the temporary memory; `next` is at most
        // the capacity of the columns, see `Plan`.
        unsafe {
            std::ptr::copy_nonoverlapping(base, self.memory.at(self.layout.keys), count * key);
            std::ptr::copy_nonoverlapping(
                base.add(values),
                self.memory.at(self.layout.values),
                count * value,
            );
        }
        self.set_word(word::BLOCKS_USED, next.div_ceil(8));
        for list in 0..3 {
            self.set_word(word::FREE_SLOT + list, 0);
        }
        let mut free = next;
        for size in [2, 4] {
            if !free.is_multiple_of(size * 2) {
                self.give_slot(free / 2, size);
                free += size;
            }
        }
        self.recycle();
    }

    /// Drops the strings that are not in use, and compacts the heap. `ids` is the new capacity.
    fn drop_strings(&mut self, strings: &Strings, ids: u32) {
        let mut free = 0;
        for id in (0..self.ids_used()).rev() {
            if strings.used.contains(id.into()) {
                continue;
            }
            let reference = self.ref_of(id);
            if reference & FREE_REF == 0 {
                // SAFETY: the bytes are hashed immediately.
                if let Some((_, bytes)) = unsafe { self.blob(reference) } {
                    let hash = self.seeds.blob(bytes);
                    let home = self.string_home.of(hash);
                    if let Some((lane, _)) = self.string_index.find::<Native>(home, tag(hash), |at| at == id)
                    {
                        // SAFETY: this is the only writer.
                        unsafe {
                            self.string_index.clear(lane);
                            self.string_index.adjust_overflow(home, lane, false);
                        }
                    }
                }
            }
            if id < ids {
                self.set_ref(id, FREE_REF | free);
                free = id + 1;
            }
        }
        let mut end = 0u64;
        for &id in &strings.order {
            let from = self.ref_of(id);
            // SAFETY: only the head word is used.
            let Some((head, _)) = (unsafe { self.blob(from) }) else { continue };
            let size = size_of_blob(head);
            if end + size > self.shape.heap {
                break;
            }
            // SAFETY: both ranges are within the heap; this is the only writer.
            unsafe {
                let heap = self.memory.at(self.layout.heap);
                std::ptr::copy(heap.add(from as usize * 4), heap.add(end as usize), size as usize);
            }
            self.set_ref(id, (end / 4) as u32);
            end += size;
        }
        // SAFETY: this is the only writer.
        unsafe { self.memory.set_double_word(word::HEAP_USED, end) };
        self.set_word(word::FREE_ID, free);
        self.set_word(word::IDS_USED, self.ids_used().min(ids));
        self.set_word(word::STRINGS, strings.order.len() as u32);
        self.recycle();
    }
}
