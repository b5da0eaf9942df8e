//! Rearranging a map in place: `init`, `rebuild` (growth, compaction) and `clear`.
//!
//! A rebuild squeezes dead entries out, moves the sections to where a new capacity puts them, writes
//! the blobs of living entries anew, and fills the index afresh. Everything that can fail (checks,
//! temporary memory) happens first, in [`Plan`]; then the sequence is made odd, everything is moved, and
//! it is made even. So a rebuild that fails changed nothing, and readers never see one half-done.
//!
//! Sections keep their order, so they can be moved without a second copy: those that move down,
//! first to last; then those that move up, last to first. With used(new) ≤ used(old) for each, no move
//! overwrites a section that has yet to move.
//!
//! Temporary memory: one bit for each entry if any is dead; the living blobs' bytes if any blob is
//! garbage. Cost: about 10 ns for each entry, mostly the index (its writes are prefetched).

use super::blob::size_of_blob;
use super::bulk::prefetch;
use super::hash::tag;
use super::index::{Index, Native};
use super::layout::{
    BUCKET_BYTES, KIND_VERSION, Layout, MAX_CAPACITY, MAX_GENERATION, MAX_HEAP, Meta, STATE_HANDLES,
    STATE_SLOTS, Shape, Type, buckets_for, word,
};
use super::raw::{RawKey, RawMap, RawMapMut};
use crate::region::header::{self, KIND_HASHMAP, MAGIC, Memory, VERSION, align};
use crate::{Error, Result};

/// What a new, empty map is to be.
#[derive(Clone, Copy, Debug)]
pub struct NewMap {
    /// Type of the keys.
    pub key: Type,
    /// Type of the values.
    pub value: Type,
    /// Entries it can hold without a rebuild.
    pub capacity: u32,
    /// Bytes of the blob heap; rounded up to a multiple of 64. 0 if neither type is a blob.
    pub heap: u64,
    /// Key of the hash function: random, unless the bytes must be reproducible.
    pub seeds: [u32; 2],
}

impl NewMap {
    fn shape(&self) -> Result<Shape> {
        if !self.key.is_key() {
            return Err(Error::wrong_type(format!("{:?} can not be the type of keys", self.key)));
        }
        check_capacity(self.capacity)?;
        let heap = check_heap(self.key, self.value, self.heap)?;
        Ok(Shape { key: self.key, value: self.value, capacity: self.capacity, slots: None, heap })
    }

    /// Bytes that its region takes.
    pub fn length(&self) -> Result<usize> {
        Ok(self.shape()?.layout()?.length)
    }
}

fn check_capacity(capacity: u32) -> Result<()> {
    if (1..=MAX_CAPACITY).contains(&capacity) {
        return Ok(());
    }
    Err(Error::range(format!("a map's capacity is from 1 to {MAX_CAPACITY}, not {capacity}")))
}

fn check_heap(key: Type, value: Type, bytes: u64) -> Result<u64> {
    if bytes > MAX_HEAP {
        return Err(Error::range(format!("a heap of {bytes} bytes: the limit is {MAX_HEAP}")));
    }
    if bytes != 0 && !key.is_blob() && !value.is_blob() {
        return Err(Error::range("only maps with strings or bytes have a heap"));
    }
    Ok(align(bytes))
}

fn check_room(length: usize, given: usize) -> Result<()> {
    if length <= given {
        return Ok(());
    }
    Err(Error::full(format!("the map needs {length} bytes where {given} are given")))
}

/// Seeds that nobody can guess, from the system's randomness.
#[must_use]
pub fn random_seeds() -> [u32; 2] {
    use std::hash::{BuildHasher, Hasher};
    let bits = std::collections::hash_map::RandomState::new().build_hasher().finish();
    [bits as u32, (bits >> 32) as u32]
}

/// Makes an empty map in `len` bytes at `base`. Whatever they held is overwritten.
///
/// # Safety
/// `base` is valid for writing `len` bytes, and no other thread uses them.
pub unsafe fn init(base: *mut u8, len: usize, new: &NewMap) -> Result<()> {
    // SAFETY: the caller's word.
    let memory = unsafe { Memory::new(base, len) }?;
    let shape = new.shape()?;
    let layout = shape.layout()?;
    check_room(layout.length, len)?;
    // SAFETY: there is room for the layout; the caller vouches that it is ours to write.
    unsafe {
        memory.at(0).write_bytes(0, layout.keys);
        memory.set_word(header::word::VERSION, VERSION);
        memory.set_word(header::word::KIND, KIND_HASHMAP);
        memory.set_word(header::word::KIND_VERSION, KIND_VERSION);
        memory.set_word(header::word::SEEDS, new.seeds[0]);
        memory.set_word(header::word::SEEDS + 1, new.seeds[1]);
        memory.set_word(word::SCHEMA, shape.key as u32 | (shape.value as u32) << 8);
        memory.set_word(word::EPOCH, 1);
        write_shape(memory, &shape, &layout);
        // Last, so that nobody takes it for a map before it is one.
        memory.set_word(header::word::MAGIC, MAGIC);
    }
    Ok(())
}

/// # Safety
/// The memory is writable, and no other thread writes the region.
unsafe fn write_shape(memory: Memory, shape: &Shape, layout: &Layout) {
    // SAFETY: the caller's word.
    unsafe {
        memory.set_word(word::CAPACITY, shape.capacity);
        memory.set_word(word::BUCKETS, buckets_for(shape.capacity));
        memory.set_word(word::SLOT_CAPACITY, shape.slots.unwrap_or(0));
        memory.set_double_word(word::HEAP_CAPACITY, shape.heap);
        memory.set_double_word(header::word::LENGTH, layout.length as u64);
    }
}

/// Empties a map and drops its slot table; its capacity stays. Handles become stale.
///
/// # Safety
/// As for [`RawMapMut::attach`].
pub unsafe fn clear(base: *mut u8, len: usize) -> Result<()> {
    // SAFETY: the caller's word.
    clear_view(&mut unsafe { RawMapMut::attach(base, len) }?)
}

/// `clear`, by a view that must be attached anew afterwards.
pub(super) fn clear_view(map: &mut RawMapMut) -> Result<()> {
    let memory = map.memory();
    let shape = Shape { slots: None, ..map.shape() };
    let layout = shape.layout()?;
    // Shorter or equal: it is the present layout without the slot table.
    check_room(layout.length, memory.len())?;
    let state = memory.word(word::STATE);
    let mut epoch = map.meta().epoch;
    if state & (STATE_HANDLES | STATE_SLOTS) != 0 {
        let reached = (0..map.slots_used()).map(|slot| map.generation(slot)).max().unwrap_or(0);
        epoch = epoch.max(reached) + 1;
        if epoch > MAX_GENERATION {
            epoch = 1;
        }
    }
    let moved = map.used() > 0;
    // SAFETY: this view writes, and the sections lie within the memory.
    unsafe {
        memory.change(|| {
            memory.at(layout.index).write_bytes(0, layout.keys - layout.index);
            for index in [word::USED, word::DEAD, word::STATE, word::SLOTS_USED, word::FREE_SLOT] {
                memory.set_word(index, 0);
            }
            memory.set_double_word(word::HEAP_USED, 0);
            memory.set_double_word(word::HEAP_GARBAGE, 0);
            memory.set_word(word::EPOCH, epoch);
            memory.set_word(word::MOVES, memory.word(word::MOVES).wrapping_add(u32::from(moved)));
            write_shape(memory, &shape, &layout);
        });
    }
    Ok(())
}

/// Bytes of the region that a rebuild to this capacity and heap capacity makes.
///
/// # Safety
/// As for [`RawMap::attach`].
pub unsafe fn rebuild_length(base: *const u8, len: usize, capacity: u32, heap: u64) -> Result<usize> {
    // SAFETY: the caller's word.
    let map = unsafe { RawMap::attach(base, len) }?;
    let used = map.used();
    Ok(Plan::shape(&map, capacity, heap, used, map.count_dead(used))?.layout()?.length)
}

/// Rebuilds a map in place: squeezes out what is dead, and gives it a new capacity and heap capacity (raised
/// to what the living blobs need). `Full` if `len` is below [`rebuild_length`]; a rebuild that is
/// refused changes nothing.
///
/// # Safety
/// As for [`RawMapMut::attach`].
pub unsafe fn rebuild(base: *mut u8, len: usize, capacity: u32, heap: u64) -> Result<()> {
    // SAFETY: the caller's word.
    rebuild_view(&mut unsafe { RawMapMut::attach(base, len) }?, capacity, heap)
}

/// `rebuild`, by a view that must be attached anew afterwards.
pub(super) fn rebuild_view(map: &mut RawMapMut, capacity: u32, heap: u64) -> Result<()> {
    let memory = map.memory();
    let plan = Plan::new(map, capacity, heap)?;
    check_room(plan.layout.length, memory.len())?;
    // SAFETY: this view writes, and the new layout lies within the memory.
    unsafe { memory.change(|| plan.carry_out(map)) };
    Ok(())
}

/// Writes zeros wherever a region's bytes mean nothing: past the last entry of each column, past the used
/// part of the heap, between sections.
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
        // SAFETY: this view writes; each range ends where the next section begins, or the region ends.
        unsafe { memory.at(from).write_bytes(0, to - from) };
    }
}

/// A rebuild that can no longer fail.
struct Plan {
    shape: Shape,
    layout: Layout,
    /// Entries before, dead ones included.
    used: u32,
    living: u32,
    /// A copy of the dead bits below `used`; empty if none is set.
    dead: Vec<u32>,
    /// The new heap's contents, if blobs are written anew.
    blobs: Option<Vec<u8>>,
}

impl Plan {
    fn shape(map: &RawMap, capacity: u32, heap: u64, used: u32, dead: u32) -> Result<Shape> {
        check_capacity(capacity)?;
        let living = used - dead;
        if capacity < living {
            return Err(Error::range(format!("a capacity of {capacity} for {living} entries")));
        }
        let Shape { key, value, .. } = map.shape();
        let heap = check_heap(key, value, heap)?;
        let memory = map.memory();
        let garbage = memory.double_word(word::HEAP_GARBAGE);
        let heap = heap.max(align(memory.double_word(word::HEAP_USED).saturating_sub(garbage)));
        if heap > MAX_HEAP {
            return Err(Error::corrupt("the heap's counts are impossible"));
        }
        let slots = Plan::slots(map, capacity, used, dead);
        if slots.is_some_and(|slots| slots > u64::from(u32::MAX - 63)) {
            return Err(Error::full("the map has used up its handles: clear it"));
        }
        Ok(Shape { key, value, capacity, slots: slots.map(|slots| slots as u32), heap })
    }

    /// Slots of the new slot table, if there will be one: for all entries, beside those that are retired.
    fn slots(map: &RawMap, capacity: u32, used: u32, dead: u32) -> Option<u64> {
        let (used, retired) = if map.shape().slots.is_some() {
            let used = map.slots_used();
            (used, (0..used).filter(|&slot| map.generation(slot) >= MAX_GENERATION).count() as u32)
        } else if map.memory().word(word::STATE) & STATE_HANDLES != 0 && dead > 0 {
            let epoch = map.meta().epoch;
            let living = if epoch >= MAX_GENERATION { used - dead } else { 0 };
            let dead = if epoch + 1 >= MAX_GENERATION { dead } else { 0 };
            (used, living + dead)
        } else {
            return None;
        };
        Some((u64::from(capacity) + u64::from(retired)).max(u64::from(used)))
    }

    fn new(map: &RawMap, capacity: u32, heap: u64) -> Result<Plan> {
        let used = map.used();
        let dead_count = map.count_dead(used);
        let shape = Plan::shape(map, capacity, heap, used, dead_count)?;
        let layout = shape.layout()?;
        let mut dead = Vec::new();
        if dead_count > 0 {
            let words = used.div_ceil(32);
            dead.try_reserve_exact(words as usize)?;
            dead.extend((0..words).map(|word| map.dead_word(word, used)));
        }
        let mut plan = Plan { shape, layout, used, living: used - dead_count, dead, blobs: None };
        let garbage = map.memory().double_word(word::HEAP_GARBAGE);
        if map.shape().heap > 0 && (dead_count > 0 || garbage > 0) {
            plan.blobs = Some(plan.copy_blobs(map)?);
        }
        Ok(plan)
    }

    /// The blobs of living entries, in order of entries, key before value.
    fn copy_blobs(&self, map: &RawMap) -> Result<Vec<u8>> {
        let memory = map.memory();
        let garbage = memory.double_word(word::HEAP_GARBAGE);
        let expected = memory.double_word(word::HEAP_USED).saturating_sub(garbage);
        let mut heap: Vec<u8> = Vec::new();
        heap.try_reserve_exact(expected as usize)?;
        let mut failure = None;
        self.each_living(|position| {
            for column in [map.key_reference(position), map.value_reference(position)] {
                let Some(reference) = column else { continue };
                let blob = map
                    .blob(reference)
                    .filter(|blob| heap.len() as u64 + size_of_blob(blob.head()) <= expected);
                let Some(blob) = blob else {
                    failure = Some(Error::corrupt(format!(
                        "the blob of the entry at position {position} is wrong"
                    )));
                    return false;
                };
                heap.extend_from_slice(&blob.head().to_le_bytes());
                // SAFETY: the bytes are in the region, and copied at once.
                heap.extend_from_slice(unsafe { blob.bytes() });
                heap.resize(heap.len().next_multiple_of(4), 0);
            }
            true
        });
        failure.map_or(Ok(heap), Err)
    }

    /// Calls `visit` with the position of each living entry, in order, until it says no.
    fn each_living(&self, mut visit: impl FnMut(u32) -> bool) {
        self.runs(|start, count| (start..start + count).all(&mut visit));
    }

    /// Calls `visit` with each run of living entries: first position and length.
    fn runs(&self, mut visit: impl FnMut(u32, u32) -> bool) {
        let mut at = 0;
        while at < self.used {
            let (start, end) = if self.dead.is_empty() {
                (0, self.used)
            } else {
                let start = self.seek(at, false);
                (start, self.seek(start, true))
            };
            if start < end && !visit(start, end - start) {
                return;
            }
            at = end;
        }
    }

    /// The first position at or after `at` that is dead (or alive), at most `used`.
    fn seek(&self, mut at: u32, dead: bool) -> u32 {
        while at < self.used {
            let bits = self.dead[at as usize / 32];
            let wanted = (if dead { bits } else { !bits }) >> (at % 32);
            if wanted != 0 {
                return (at + wanted.trailing_zeros()).min(self.used);
            }
            at = (at | 31) + 1;
        }
        self.used
    }

    /// # Safety
    /// Inside `Memory::change` of the map's only writer; the new layout lies within the memory.
    unsafe fn carry_out(&self, map: &mut RawMapMut) {
        let memory = map.memory();
        let old = *map.meta();
        // SAFETY: the caller's word; offsets and lengths are those of the two layouts.
        unsafe {
            if !self.dead.is_empty() {
                self.squeeze(memory, &old);
            }
            self.move_sections(memory, &old, map.slots_used());
            memory.at(self.layout.index).write_bytes(0, self.layout.keys - self.layout.index);
            self.write_blobs(memory);
            let state = memory.word(word::STATE);
            if let Some(slots) = self.shape.slots {
                if old.shape.slots.is_none() {
                    self.create_slots(memory, old.epoch);
                } else if !self.dead.is_empty() {
                    self.relink_slots(memory, map.slots_used().min(slots));
                }
                memory.set_word(word::STATE, state | STATE_SLOTS);
            }
            if !self.dead.is_empty() {
                memory.set_word(word::MOVES, memory.word(word::MOVES).wrapping_add(1));
            }
            memory.set_word(word::DEAD, 0);
            memory.set_word(word::USED, self.living);
            write_shape(memory, &self.shape, &self.layout);
            let meta = Meta {
                shape: self.shape,
                layout: self.layout,
                buckets: buckets_for(self.shape.capacity),
                ..old
            };
            RawMap::new(memory, meta, 0).fill_index(self.living);
        }
    }

    /// Squeezes dead entries out of the columns, where they are.
    ///
    /// # Safety
    /// As for `carry_out`.
    unsafe fn squeeze(&self, memory: Memory, old: &Meta) {
        let Layout { keys, values, slot_of_entry, .. } = old.layout;
        let slots = if old.shape.slots.is_some() { 4 } else { 0 };
        for (column, width) in
            [(keys, old.shape.key.width()), (values, old.shape.value.width()), (slot_of_entry, slots)]
        {
            // SAFETY: the column has `used` elements of this width.
            unsafe {
                match width {
                    0 => {}
                    1 => self.squeeze_column::<u8>(memory.at(column)),
                    2 => self.squeeze_column::<u16>(memory.at(column)),
                    4 => self.squeeze_column::<u32>(memory.at(column)),
                    _ => self.squeeze_column::<u64>(memory.at(column)),
                }
            }
        }
    }

    /// # Safety
    /// `column` is aligned and has `used` elements.
    unsafe fn squeeze_column<T: Copy>(&self, column: *mut u8) {
        let column = column.cast::<T>();
        let mut to = 0usize;
        self.runs(|start, count| {
            let (start, count) = (start as usize, count as usize);
            // SAFETY: all below `used`; `to` is at most `start`.
            unsafe {
                if count < 16 {
                    // Short runs, as scattered deletions leave them: a call would cost more than the copy.
                    for i in 0..count {
                        column.add(to + i).write(column.add(start + i).read());
                    }
                } else {
                    std::ptr::copy(column.add(start), column.add(to), count);
                }
            }
            to += count;
            true
        });
    }

    /// # Safety
    /// As for `carry_out`; the columns are squeezed.
    unsafe fn move_sections(&self, memory: Memory, old: &Meta, slots_used: u32) {
        let (from, to) = (&old.layout, &self.layout);
        let living = self.living as usize;
        let (entry_slots, slots) =
            if old.shape.slots.is_some() { (living * 4, slots_used as usize * 4) } else { (0, 0) };
        // A heap that is written anew is not moved: it comes from the temporary copy.
        let heap_used = memory.double_word(word::HEAP_USED).min(self.shape.heap).min(old.shape.heap) as usize;
        let heap = if self.blobs.is_some() { 0 } else { heap_used };
        let sections = [
            (from.keys, to.keys, living * old.shape.key.width()),
            (from.values, to.values, living * old.shape.value.width()),
            (from.slot_of_entry, to.slot_of_entry, entry_slots),
            (from.entry_of_slot, to.entry_of_slot, slots),
            (from.generations, to.generations, slots),
            (from.heap, to.heap, heap),
        ];
        // SAFETY: each section's contents lie within the old and within the new layout.
        let copy = |&(from, to, bytes): &(usize, usize, usize)| unsafe {
            if bytes > 0 {
                std::ptr::copy(memory.at(from), memory.at(to), bytes);
            }
        };
        sections.iter().filter(|(from, to, _)| to < from).for_each(copy);
        sections.iter().rev().filter(|(from, to, _)| to > from).for_each(copy);
    }

    /// Writes the new heap and its references, which follow from it: it holds each entry's blobs in
    /// order.
    ///
    /// # Safety
    /// As for `carry_out`; the sections are where they belong.
    unsafe fn write_blobs(&self, memory: Memory) {
        let Some(blobs) = &self.blobs else { return };
        let Layout { keys, values, heap, .. } = self.layout;
        let mut at = 0usize;
        // SAFETY: the columns have `living` elements; the heap has room for the blobs, by `Plan::shape`.
        unsafe {
            std::ptr::copy_nonoverlapping(blobs.as_ptr(), memory.at(heap), blobs.len());
            for position in 0..self.living as usize {
                for (column, ty) in [(keys, self.shape.key), (values, self.shape.value)] {
                    if ty.is_blob() {
                        memory.store_u32(column + position * 4, (at / 4) as u32);
                        let head = blobs[at..].first_chunk().map_or(0, |head| u32::from_le_bytes(*head));
                        at += size_of_blob(head) as usize;
                    }
                }
            }
            memory.set_double_word(word::HEAP_USED, blobs.len() as u64);
            memory.set_double_word(word::HEAP_GARBAGE, 0);
        }
    }

    /// Makes the slot table: each entry's slot is its old position, so the direct handles that are out
    /// there stay good; the slots of dead positions are free, the lowest first in the list.
    ///
    /// # Safety
    /// As for `carry_out`.
    unsafe fn create_slots(&self, memory: Memory, epoch: u32) {
        let Layout { slot_of_entry, entry_of_slot, generations, .. } = self.layout;
        let mut free = 0;
        // SAFETY: the table has at least `used` slots, and `living` entries.
        unsafe {
            let retired = epoch + 1 >= MAX_GENERATION;
            for slot in (0..self.used).rev() {
                let at = slot as usize * 4;
                let dead = self.dead[slot as usize / 32] >> (slot % 32) & 1;
                memory.store_u32(generations + at, epoch + dead);
                if dead != 0 && !retired {
                    memory.store_u32(entry_of_slot + at, free);
                    free = slot + 1;
                }
            }
            let mut position = 0;
            self.each_living(|slot| {
                memory.store_u32(slot_of_entry + position as usize * 4, slot);
                memory.store_u32(entry_of_slot + slot as usize * 4, position);
                position += 1;
                true
            });
            memory.set_word(word::SLOTS_USED, self.used);
            memory.set_word(word::FREE_SLOT, free);
        }
    }

    /// Points the slots of living entries at their new positions.
    ///
    /// # Safety
    /// As for `carry_out`; the table has at least `slots_used` slots.
    unsafe fn relink_slots(&self, memory: Memory, slots_used: u32) {
        let Layout { slot_of_entry, entry_of_slot, .. } = self.layout;
        for position in 0..self.living {
            // SAFETY: the columns have `living` elements; the slot is compared before it is used.
            unsafe {
                let slot = memory.load_u32(slot_of_entry + position as usize * 4);
                if slot < slots_used {
                    memory.store_u32(entry_of_slot + slot as usize * 4, position);
                }
            }
        }
    }
}

impl RawMap {
    /// A word of dead bits, those at and past `used` cleared.
    pub(crate) fn dead_word(&self, word: u32, used: u32) -> u32 {
        assert!(word < self.shape().capacity.div_ceil(32));
        // SAFETY: the word lies within the section.
        let bits = unsafe { self.memory().load_u32(self.layout().dead + word as usize * 4) };
        let rest = used.saturating_sub(word * 32);
        if rest >= 32 { bits } else { bits & ((1 << rest) - 1) }
    }

    /// How many entries are dead, by the bits: the header's count may be behind by one.
    pub(crate) fn count_dead(&self, used: u32) -> u32 {
        (0..used.div_ceil(32)).map(|word| self.dead_word(word, used).count_ones()).sum()
    }

    /// The generation of a slot below `slots_used`.
    pub(crate) fn generation(&self, slot: u32) -> u32 {
        assert!(slot < self.shape().slots.unwrap_or(0));
        // SAFETY: the table has this slot.
        unsafe { self.memory().load_u32(self.layout().generations + slot as usize * 4) }
    }

    /// The blob reference of a key, where keys are blobs. The position is below the capacity.
    pub(crate) fn key_reference(&self, position: u32) -> Option<u32> {
        assert!(position < self.shape().capacity);
        // SAFETY: the column has an element, of 4 bytes, at each position below the capacity.
        self.shape().key.is_blob().then(|| unsafe { self.key_u32(position) })
    }

    /// The blob reference of a value, where values are blobs. The position is below the capacity.
    pub(crate) fn value_reference(&self, position: u32) -> Option<u32> {
        assert!(position < self.shape().capacity);
        let at = self.layout().values + position as usize * 4;
        // SAFETY: the column has an element, of 4 bytes, at each position below the capacity.
        self.shape().value.is_blob().then(|| unsafe { self.memory().load_u32(at) })
    }

    /// Fills an empty index with the positions below `count`, in order.
    ///
    /// # Safety
    /// This is the only writer; the columns have `count` entries.
    unsafe fn fill_index(&self, count: u32) {
        // SAFETY: the form of the keys is that of the schema; positions are below `count`.
        unsafe {
            match self.shape().key {
                Type::U32 | Type::I32 => self.fill_index_by(count, |at| self.key_u32(at).hash(self.seeds())),
                Type::F64 | Type::U64 | Type::I64 => {
                    self.fill_index_by(count, |at| self.key_u64(at).hash(self.seeds()));
                }
                _ => self.fill_index_by(count, |at| {
                    // A reference that leads nowhere is found by `validate`; here it gets any hash.
                    let blob = self.blob(self.key_u32(at));
                    blob.map_or(0, |blob| super::hash::blob(blob.bytes(), self.seeds()))
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
                // There is a lane: buckets × 12 ≥ capacity ≥ count.
                if let Some(place) = index.vacancy::<Native>(home) {
                    // SAFETY: the caller's word.
                    unsafe {
                        index.count_passing(home, place, true);
                        index.fill(place, tag(hash), from + i as u32);
                    }
                }
            }
            from += size as u32;
        }
    }
}

const _: () = assert!(BUCKET_BYTES == 64, "sections before the keys are cleared as one");
