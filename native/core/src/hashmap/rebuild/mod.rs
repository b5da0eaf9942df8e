//! Rearranging a map in place: `init`, `rebuild` (growth, compaction) and `clear`.
//!
//! A rebuild removes dead entries, moves the sections to their offsets for a new capacity, rewrites
//! the blobs of living entries, and fills a new index. Everything that can fail (checks, temporary
//! memory) comes first, in [`Plan`]; then the sequence is made odd, everything is moved, and the
//! sequence is made even. So a rebuild that fails changes nothing, and readers never see an
//! incomplete one.
//!
//! Sections keep their order, so they can be moved without a second copy: those that move down,
//! first to last; then those that move up, last to first. With used(new) ≤ used(old) for each, no
//! move overwrites a section that has yet to move.
//!
//! Temporary memory: one bit per entry if any entry is dead; the bytes of the living blobs if any
//! blob is garbage. Cost: about 10 ns per entry, mostly for the index (its writes are prefetched).

mod apply;
mod fill;
mod plan;

use self::plan::Plan;
use super::layout::{
    Layout, MAX_CAPACITY, MAX_GENERATION, MAX_HEAP, Meta, STATE_HANDLES, STATE_SLOTS, Shape, buckets_for,
    is_key, word,
};
use super::raw::{RawMap, RawMapMut};
use crate::region::attach::{RegionKind, check_room};
use crate::region::element::Type;
use crate::region::header::{self, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// The parameters of a new, empty map.
#[derive(Clone, Copy, Debug)]
pub struct NewMap {
    /// Type of the keys.
    pub key: Type,
    /// Type of the values.
    pub value: Type,
    /// Entries that fit without a rebuild.
    pub capacity: u32,
    /// Bytes of the blob heap; rounded up to a multiple of 64. 0 if neither type is a blob.
    pub heap: u64,
    /// Key of the hash function: random, unless the bytes must be reproducible.
    pub seeds: [u32; 2],
}

impl NewMap {
    fn shape(&self) -> Result<Shape> {
        if !is_key(self.key) {
            return Err(Error::wrong_type(format!("invalid type of keys: {:?}", self.key)));
        }
        check_capacity(self.capacity)?;
        let heap = check_heap(self.key, self.value, self.heap)?;
        Ok(Shape { key: self.key, value: self.value, capacity: self.capacity, slots: None, heap })
    }

    /// Bytes of the map's region.
    pub fn length(&self) -> Result<usize> {
        Ok(self.shape()?.layout()?.length)
    }
}

fn check_capacity(capacity: u32) -> Result<()> {
    if (1..=MAX_CAPACITY).contains(&capacity) {
        return Ok(());
    }
    Err(Error::range(format!("invalid capacity: {capacity} (1 to {MAX_CAPACITY})")))
}

fn check_heap(key: Type, value: Type, bytes: u64) -> Result<u64> {
    if bytes > MAX_HEAP {
        return Err(Error::range(format!("a heap of {bytes} bytes exceeds the limit of {MAX_HEAP}")));
    }
    if bytes != 0 && !key.is_blob() && !value.is_blob() {
        return Err(Error::range("only maps with strings or bytes have a heap"));
    }
    Ok(align(bytes))
}

/// Creates an empty map in `len` bytes at `base`, and overwrites their contents.
///
/// # Safety
/// `base` is valid for writing `len` bytes, and no other thread uses them.
pub unsafe fn init(base: *mut u8, len: usize, new: &NewMap) -> Result<()> {
    let shape = new.shape()?;
    let layout = shape.layout()?;
    // SAFETY: `base` is valid for writing `len` bytes that no other thread uses, and the sections
    // lie within the length that `begin` checks.
    unsafe {
        let memory = Meta::begin(base, len, layout.length as u64)?;
        memory.at(layout.index).write_bytes(0, layout.keys - layout.index);
        memory.set_seeds(new.seeds);
        memory.set_word(word::SCHEMA, shape.key as u32 | (shape.value as u32) << 8);
        memory.set_word(word::EPOCH, 1);
        write_shape(memory, &shape, &layout);
        memory.end_region();
    }
    Ok(())
}

/// # Safety
/// The memory is writable, and no other thread writes the region.
unsafe fn write_shape(memory: Memory, shape: &Shape, layout: &Layout) {
    // SAFETY: the caller guarantees that the memory is writable and has no other writer.
    unsafe {
        memory.set_word(word::CAPACITY, shape.capacity);
        memory.set_word(word::BUCKETS, buckets_for(shape.capacity));
        memory.set_word(word::SLOT_CAPACITY, shape.slots.unwrap_or(0));
        memory.set_double_word(word::HEAP_CAPACITY, shape.heap);
        memory.set_double_word(header::word::LENGTH, layout.length as u64);
    }
}

/// Makes a map of an earlier version one of the current version. Its index is empty: the hash
/// differs.
///
/// # Safety
/// As for [`write_shape`].
unsafe fn upgrade(memory: Memory) {
    // SAFETY: the caller guarantees that the memory is writable and has no other writer.
    unsafe { memory.set_word(header::word::KIND_VERSION, Kind::HashMap.version()) };
}

/// Empties a map and drops its slot table; its capacity stays. Handles become stale.
///
/// # Safety
/// As for [`RawMapMut::attach`].
pub unsafe fn clear(base: *mut u8, len: usize) -> Result<()> {
    // SAFETY: guaranteed by the caller, as `attach` requires.
    clear_view(&mut unsafe { RawMapMut::attach(base, len) }?)
}

/// `clear` through a view, which must be attached again after it.
pub(super) fn clear_view(map: &mut RawMapMut) -> Result<()> {
    let memory = map.memory();
    let shape = Shape { slots: None, ..map.shape() };
    let layout = shape.layout()?;
    // Not longer than before: it is the current layout without the slot table.
    check_room(layout.length as u64, memory.len())?;
    let reached = (0..map.slots_used()).map(|slot| map.generation(slot)).max().unwrap_or(0);
    let mut epoch = map.meta().epoch;
    let next_epoch = match epoch.max(reached) {
        last @ 0..MAX_GENERATION => last + 1,
        _ => 1,
    };
    let moved = map.used() > 0;
    // SAFETY: this is the only writer, and the sections are within the memory.
    unsafe {
        memory.change(|| {
            // Not earlier, because a reader on another thread may be recording a handle.
            if memory.word(word::STATE) & (STATE_HANDLES | STATE_SLOTS) != 0 {
                epoch = next_epoch;
            }
            memory.at(layout.index).write_bytes(0, layout.keys - layout.index);
            for index in [word::USED, word::DEAD, word::STATE, word::SLOTS_USED, word::FREE_SLOT] {
                memory.set_word(index, 0);
            }
            memory.set_double_word(word::HEAP_USED, 0);
            memory.set_double_word(word::HEAP_GARBAGE, 0);
            memory.set_word(word::EPOCH, epoch);
            memory.set_word(word::MOVES, memory.word(word::MOVES).wrapping_add(u32::from(moved)));
            write_shape(memory, &shape, &layout);
            upgrade(memory);
        });
    }
    Ok(())
}

/// Bytes of the region after a rebuild to this capacity and heap capacity.
///
/// # Safety
/// As for [`RawMap::attach`].
pub unsafe fn rebuild_length(base: *const u8, len: usize, capacity: u32, heap: u64) -> Result<usize> {
    // SAFETY: guaranteed by the caller, as `attach` requires.
    let map = unsafe { RawMap::attach(base, len) }?;
    let used = map.used();
    let counts = map.counts();
    let blobs = counts.heap_used.saturating_sub(counts.heap_garbage);
    Ok(Plan::shape(&map, capacity, heap, blobs, used, map.count_dead(used))?.layout()?.length)
}

/// Rebuilds a map in place: removes dead entries, and sets a new capacity and heap capacity (or
/// more, if the living blobs need it). `Full` if `len` is below [`rebuild_length`]. A rebuild that
/// fails changes nothing.
///
/// # Safety
/// As for [`RawMapMut::attach`].
pub unsafe fn rebuild(base: *mut u8, len: usize, capacity: u32, heap: u64) -> Result<()> {
    // SAFETY: guaranteed by the caller, as `attach` requires.
    rebuild_view(&mut unsafe { RawMapMut::attach(base, len) }?, capacity, heap)
}

/// `rebuild` through a view, which must be attached again after it.
pub(super) fn rebuild_view(map: &mut RawMapMut, capacity: u32, heap: u64) -> Result<()> {
    let memory = map.memory();
    loop {
        let plan = Plan::new(map, capacity, heap)?;
        check_room(plan.layout.length as u64, memory.len())?;
        // SAFETY: this is the only writer, and the new layout is within the memory.
        let done = unsafe {
            memory.change(|| {
                let go = !plan.is_outdated(map);
                if go {
                    plan.apply(map);
                }
                go
            })
        };
        if done {
            return Ok(());
        }
    }
}

/// Writes zeros to all unused bytes of a region: past the last entry of each column, past the used
/// part of the heap, and between sections.
pub(super) fn zero_unused(map: &mut RawMapMut) {
    let memory = map.memory();
    let (shape, layout) = (map.shape(), map.layout());
    let used = map.used() as usize;
    let slots = map.slots_used() as usize;
    let entry_slots = if shape.slots.is_some() { used } else { 0 };
    let heap = memory.double_word(word::HEAP_USED).min(shape.heap) as usize;
    for (from, to) in [
        (layout.dead + 4 * shape.capacity.div_ceil(32) as usize, layout.keys),
        (layout.keys + used * shape.key.width(), layout.values),
        (layout.values + used * shape.value.width(), layout.slot_of_entry),
        (layout.slot_of_entry + entry_slots * 4, layout.entry_of_slot),
        (layout.entry_of_slot + slots * 4, layout.generations),
        (layout.generations + slots * 4, layout.heap),
        (layout.heap + heap, layout.length),
    ] {
        // SAFETY: this is the only writer; each range ends at the next section or at the end of the
        // region.
        unsafe { memory.at(from).write_bytes(0, to - from) };
    }
}

impl RawMap {
    /// A word of dead bits, with those from `used` on cleared.
    pub(crate) fn dead_word(&self, word: u32, used: u32) -> u32 {
        assert!(word < self.shape().capacity.div_ceil(32));
        // SAFETY: the word is within the section.
        let bits = unsafe { self.memory().load_u32(self.layout().dead + word as usize * 4) };
        let rest = used.saturating_sub(word * 32);
        if rest >= 32 { bits } else { bits & ((1 << rest) - 1) }
    }

    /// The number of dead entries by the bits. The header's count may be lower by one.
    pub(crate) fn count_dead(&self, used: u32) -> u32 {
        (0..used.div_ceil(32)).map(|word| self.dead_word(word, used).count_ones()).sum()
    }

    /// The generation of a slot below `slots_used`.
    pub(crate) fn generation(&self, slot: u32) -> u32 {
        assert!(slot < self.shape().slots.unwrap_or(0));
        // SAFETY: the table has this slot.
        unsafe { self.memory().load_u32(self.layout().generations + slot as usize * 4) }
    }

    /// The blob reference of a key, if keys are blobs. The position is below the capacity.
    pub(crate) fn key_reference(&self, position: u32) -> Option<u32> {
        assert!(position < self.shape().capacity);
        // SAFETY: the column has an element of 4 bytes at each position below the capacity.
        self.shape().key.is_blob().then(|| unsafe { self.key_u32(position) })
    }

    /// The blob reference of a value, if values are blobs. The position is below the capacity.
    pub(crate) fn value_reference(&self, position: u32) -> Option<u32> {
        assert!(position < self.shape().capacity);
        let at = self.layout().values + position as usize * 4;
        // SAFETY: the column has an element of 4 bytes at each position below the capacity.
        self.shape().value.is_blob().then(|| unsafe { self.memory().load_u32(at) })
    }
}
