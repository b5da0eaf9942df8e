//! Handles: numbers that identify entries as long as they exist.
//!
//! A handle is generation × 2^32 + slot. Until a compaction moves an entry that may have a handle,
//! slots are positions and there is no table; after that, each slot refers to its entry, each entry
//! to its slot, and the slot's generation counts its occupants. A hostile table can cause wrong
//! results, but every slot and position is compared before it is used.

use super::{RawKey, RawMap, RawMapMut};
use crate::hashmap::layout::{Layout, MAX_GENERATION, STATE_HANDLES, word};
use std::sync::atomic::{Ordering, fence};

impl RawMapMut {
    /// The slot for the next insertion: the first free one, or else a new one. `None` if there is
    /// neither, or the free list is damaged.
    pub(super) fn next_slot(&self) -> Option<u32> {
        let used = self.memory.word(word::SLOTS_USED);
        let capacity = self.meta.shape.slots?;
        let free = self.memory.word(word::FREE_SLOT);
        if free == 0 { (used < capacity).then_some(used) } else { (free <= capacity).then(|| free - 1) }
    }

    /// # Safety
    /// `slot` was returned by `next_slot`, and `position` is below the capacity.
    pub(super) unsafe fn take_slot(&mut self, slot: u32, position: u32) {
        let Layout { slot_of_entry, entry_of_slot, generations, .. } = self.meta.layout;
        // SAFETY: the slot is below the slot capacity, the position below the capacity.
        unsafe {
            if self.memory.word(word::FREE_SLOT) != 0 {
                // Removed from the list before it is written: a writer that is terminated here
                // loses a slot, but not the list.
                let next = self.memory.load_u32(entry_of_slot + slot as usize * 4);
                self.memory.set_word(word::FREE_SLOT, next);
            } else {
                let epoch = self.memory.word(word::EPOCH);
                self.memory.store_u32(generations + slot as usize * 4, epoch);
                self.memory.set_word(word::SLOTS_USED, slot + 1);
            }
            self.memory.store_u32(entry_of_slot + slot as usize * 4, position);
            self.memory.store_u32(slot_of_entry + position as usize * 4, slot);
        }
    }

    /// Frees the slot of an entry that was just deleted.
    ///
    /// # Safety
    /// The position is below the capacity, and the slot table is present.
    pub(super) unsafe fn free_slot(&mut self, position: u32) {
        let Layout { slot_of_entry, entry_of_slot, generations, .. } = self.meta.layout;
        // SAFETY: the position is below the capacity; the slot is compared with the number of
        // slots.
        unsafe {
            let slot = self.memory.load_u32(slot_of_entry + position as usize * 4);
            if slot >= self.slots_used() {
                return;
            }
            let at = slot as usize * 4;
            let generation = self.memory.load_u32(generations + at).saturating_add(1);
            self.memory.store_u32(generations + at, generation);
            if generation >= MAX_GENERATION {
                return; // Retired: its generations are used up.
            }
            self.memory.store_u32(entry_of_slot + at, self.memory.word(word::FREE_SLOT));
            self.memory.set_word(word::FREE_SLOT, slot + 1);
        }
    }

    /// Records that handles exist, so that entries keep them when they move.
    #[inline]
    pub(crate) fn issue_handles(&mut self) {
        let state = self.memory.word(word::STATE);
        if state & STATE_HANDLES == 0 {
            // SAFETY: this is the only writer.
            unsafe { self.memory.set_word(word::STATE, state | STATE_HANDLES) };
        }
    }

    /// The handle of the entry with a key. Panics if keys have another representation.
    pub fn handle_of<K: RawKey>(&mut self, key: K) -> Option<u64> {
        let position = self.find(key)?;
        self.issue_handles();
        Some(self.handle_at(position))
    }
}

impl RawMap {
    #[inline]
    pub(crate) fn slots_used(&self) -> u32 {
        self.memory.word(word::SLOTS_USED).min(self.meta.shape.slots.unwrap_or(0))
    }

    /// The handle of the entry at a position below the capacity. A writer calls `issue_handles`
    /// first.
    #[inline]
    pub(crate) fn handle_at(&self, position: u32) -> u64 {
        assert!(position < self.capacity);
        if self.meta.shape.slots.is_none() {
            return u64::from(self.memory.word(word::EPOCH)) << 32 | u64::from(position);
        }
        // SAFETY: the position is below the capacity; the slot is compared with the number of
        // slots.
        unsafe {
            let slot = self.memory.load_u32(self.meta.layout.slot_of_entry + position as usize * 4);
            if slot >= self.slots_used() {
                return 0; // A damaged table. Generation 0 is never valid.
            }
            let generation = self.memory.load_u32(self.meta.layout.generations + slot as usize * 4);
            u64::from(generation) << 32 | u64::from(slot)
        }
    }

    /// The position of the entry that a handle identifies, if it still exists.
    #[inline]
    #[must_use]
    pub fn position_of_handle(&self, handle: u64) -> Option<u32> {
        let (slot, generation) = (handle as u32, (handle >> 32) as u32);
        let position = if self.meta.shape.slots.is_none() {
            if generation != self.memory.word(word::EPOCH) {
                return None;
            }
            slot
        } else {
            if slot >= self.slots_used() {
                return None;
            }
            let layout = &self.meta.layout;
            // SAFETY: the slot is below the slot capacity, and the position is compared with `used`
            // before it is used.
            unsafe {
                if self.memory.load_u32(layout.generations + slot as usize * 4) != generation {
                    return None;
                }
                let position = self.memory.load_u32(layout.entry_of_slot + slot as usize * 4);
                if position >= self.used()
                    || self.memory.load_u32(layout.slot_of_entry + position as usize * 4) != slot
                {
                    return None;
                }
                // The slot may have been assigned to another entry in between, but its generation
                // was incremented before that.
                fence(Ordering::Acquire);
                if self.memory.load_u32(layout.generations + slot as usize * 4) != generation {
                    return None;
                }
                position
            }
        };
        (!self.is_dead(position)).then_some(position)
    }
}
