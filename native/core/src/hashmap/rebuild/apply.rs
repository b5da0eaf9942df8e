//! The second half of a rebuild: moving the contents, which cannot fail.
//!
//! Runs inside `Memory::change`. Columns are compacted in place, then sections move (for the order,
//! see the parent module), then the heap, the slot table and the index are written.

use super::plan::Plan;
use super::{upgrade, write_shape};
use crate::hashmap::layout::{BUCKET_BYTES, Layout, MAX_GENERATION, Meta, STATE_SLOTS, buckets_for, word};
use crate::hashmap::raw::{RawMap, RawMapMut};
use crate::region::memory::Memory;
use crate::table::blob::size_of_blob;

impl Plan {
    /// # Safety
    /// Called inside `Memory::change` by the map's only writer; the new layout is within the
    /// memory.
    pub(super) unsafe fn apply(&self, map: &mut RawMapMut) {
        let memory = map.memory();
        let old = *map.meta();
        // SAFETY: the caller guarantees that both layouts are within the memory; offsets and
        // lengths are theirs.
        unsafe {
            if !self.dead.is_empty() {
                self.squeeze(memory, &old);
            }
            let slots_used = map.slots_used().min(self.shape.slots.unwrap_or(0));
            self.move_sections(memory, &old, slots_used);
            memory.at(self.layout.index).write_bytes(0, self.layout.keys - self.layout.index);
            self.write_blobs(memory);
            let state = memory.word(word::STATE);
            if let Some(slots) = self.shape.slots {
                if old.shape.slots.is_none() {
                    self.create_slots(memory, old.epoch);
                } else {
                    if !self.dead.is_empty() {
                        self.relink_slots(memory, slots_used);
                    }
                    if slots_used == slots && memory.word(word::FREE_SLOT) == 0 {
                        self.collect_slots(memory, slots_used);
                    }
                }
                memory.set_word(word::STATE, state | STATE_SLOTS);
            }
            if !self.dead.is_empty() {
                memory.set_word(word::MOVES, memory.word(word::MOVES).wrapping_add(1));
            }
            memory.set_word(word::DEAD, 0);
            memory.set_word(word::USED, self.living);
            write_shape(memory, &self.shape, &self.layout);
            upgrade(memory);
            let meta = Meta {
                shape: self.shape,
                layout: self.layout,
                buckets: buckets_for(self.shape.capacity),
                seeds: old.seeds.upgraded(),
                ..old
            };
            RawMap::new(memory, meta, 0).fill_index(self.living);
        }
    }

    /// Removes dead entries from the columns, in place.
    ///
    /// # Safety
    /// As for `apply`.
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
            // SAFETY: all indices are below `used`; `to` is at most `start`.
            unsafe {
                if count < 16 {
                    // Scattered deletions leave short runs, for which a call would cost more than
                    // the copy.
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
    /// As for `apply`; the columns are compacted.
    unsafe fn move_sections(&self, memory: Memory, old: &Meta, slots_used: u32) {
        let (from, to) = (&old.layout, &self.layout);
        let living = self.living as usize;
        let (entry_slots, slots) =
            if old.shape.slots.is_some() { (living * 4, slots_used as usize * 4) } else { (0, 0) };
        // A heap that is rewritten is not moved: it comes from the temporary copy.
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
        // SAFETY: the contents of each section are within the old and the new layout.
        let copy = |&(from, to, bytes): &(usize, usize, usize)| unsafe {
            if bytes > 0 {
                std::ptr::copy(memory.at(from), memory.at(to), bytes);
            }
        };
        sections.iter().filter(|(from, to, _)| to < from).for_each(copy);
        sections.iter().rev().filter(|(from, to, _)| to > from).for_each(copy);
    }

    /// Writes the new heap, which contains the blobs of the entries in order, and the references to
    /// them.
    ///
    /// # Safety
    /// As for `apply`; the sections were moved.
    unsafe fn write_blobs(&self, memory: Memory) {
        let Some(blobs) = &self.blobs else { return };
        let Layout { keys, values, heap, .. } = self.layout;
        let mut at = 0usize;
        // SAFETY: the columns have `living` elements, and `Plan::shape` made the heap large enough
        // for the blobs.
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

    /// Creates the slot table. The slot of each entry is its old position, so direct handles that
    /// were issued remain valid; the slots of dead positions are free, with the lowest first in the
    /// list.
    ///
    /// # Safety
    /// As for `apply`.
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

    /// Creates the free list: the slots without an entry that are not retired. A full table without
    /// a list can have some, because a terminated writer can leave a slot in no list.
    ///
    /// # Safety
    /// As for `apply`; the table has at least `slots_used` slots, and they are linked.
    unsafe fn collect_slots(&self, memory: Memory, slots_used: u32) {
        let Layout { slot_of_entry, entry_of_slot, generations, .. } = self.layout;
        let mut free = 0;
        for slot in (0..slots_used).rev() {
            let at = slot as usize * 4;
            // SAFETY: the table has this slot; the position is compared with the number of entries.
            unsafe {
                let position = memory.load_u32(entry_of_slot + at);
                let taken =
                    position < self.living && memory.load_u32(slot_of_entry + position as usize * 4) == slot;
                if !taken && memory.load_u32(generations + at) < MAX_GENERATION {
                    memory.store_u32(entry_of_slot + at, free);
                    free = slot + 1;
                }
            }
        }
        // SAFETY: the caller guarantees that this is the only writer.
        unsafe { memory.set_word(word::FREE_SLOT, free) };
    }

    /// Stores the new positions of living entries in their slots.
    ///
    /// # Safety
    /// As for `apply`; the table has at least `slots_used` slots.
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

const _: () = assert!(BUCKET_BYTES == 64, "sections before the keys are cleared as one");
