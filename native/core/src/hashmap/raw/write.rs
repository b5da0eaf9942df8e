//! Inserting, replacing and deleting one entry.
//!
//! The order of stores is the format's: another thread sees each change whole or not at all, and a
//! writer that is stopped in between leaves a valid region. The last thing such a writer leaves, a
//! lane for an entry that was not counted in, is removed by the next to attach.

use super::repr::{PlainValue, RawKey, RawValue};
use super::{RawMap, StoredBlob};
use crate::Result;
use crate::hashmap::layout::word;
use crate::region::element::Type;
use crate::table::blob::{Blob, size_of_blob};
use crate::table::group::Native;
use crate::table::hash::{self, narrow, tag, wide};
use std::ops::Deref;

/// What became of an insertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// The key was new; its entry has this position.
    Inserted(u32),
    /// The key was there; its entry, at this position, has the new value.
    Replaced(u32),
    /// There is no room for it without a rebuild. Nothing was changed.
    Full,
}

/// A view that also writes. There is one writer at a time, on one thread.
#[derive(Debug)]
pub struct RawMapMut {
    map: RawMap,
}

impl Deref for RawMapMut {
    type Target = RawMap;

    #[inline(always)]
    fn deref(&self) -> &RawMap {
        &self.map
    }
}

impl RawMapMut {
    /// Attaches to a map for writing: checks the header in constant time, withdraws the region's
    /// checksum, and finishes what a writer that was stopped left behind.
    ///
    /// # Safety
    /// As for [`RawMap::attach`]; the bytes are writable, and while the view is used no other view
    /// writes them, neither on another thread nor on this one.
    #[inline]
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<RawMapMut> {
        // SAFETY: the caller's word.
        let mut map = unsafe { RawMapMut::attach_intact(base, len) }?;
        // SAFETY: the memory is writable and this is the only writer.
        unsafe {
            map.memory.clear_checksum();
        }
        map.heal();
        Ok(map)
    }

    /// `attach` to a map without a checksum that no writer was ever stopped on.
    ///
    /// # Safety
    /// As for `attach`.
    #[inline]
    pub(in crate::hashmap) unsafe fn attach_intact(base: *mut u8, len: usize) -> Result<RawMapMut> {
        // SAFETY: the caller's word.
        Ok(RawMapMut { map: unsafe { RawMap::attach(base, len) }? })
    }

    /// The view for reading.
    #[inline]
    #[must_use]
    pub fn reader(&self) -> &RawMap {
        &self.map
    }

    /// Removes the lane that a writer left if it was stopped just before it raised `used`: position
    /// `used` is about to be given to another key.
    #[inline]
    fn heal(&mut self) {
        let used = self.used();
        if used == self.capacity {
            return;
        }
        // SAFETY: the position is below the capacity, and the key's form is that of the schema.
        let hash = unsafe {
            match self.meta.shape.key {
                Type::U32 | Type::I32 => narrow(self.key_u32(used), self.seeds),
                Type::F64 | Type::U64 | Type::I64 => wide(self.key_u64(used), self.seeds),
                _ => match self.blob(self.key_u32(used)) {
                    // The heap past its used part is not zeroed: a long run of old bytes is no key.
                    Some(blob) if self.ends_within_used_heap(blob) => hash::blob(blob.bytes(), self.seeds),
                    _ => return,
                },
            }
        };
        let home = self.home(hash);
        if let Some((lane, _)) = self.index.find::<Native>(home, tag(hash), |position| position == used) {
            // SAFETY: this view writes, so it is the only writer.
            unsafe {
                self.index.clear(lane);
                self.index.adjust_overflow(home, lane, false);
            }
        }
    }

    fn ends_within_used_heap(&self, blob: StoredBlob) -> bool {
        let end = blob.data.addr() - self.memory.base().addr() - self.heap + blob.len();
        end as u64 <= self.memory.double_word(word::HEAP_USED)
    }

    /// Inserts a key or gives it a new value. Panics on a key or value of the wrong form.
    #[inline]
    pub fn set<K: RawKey, V: RawValue>(&mut self, key: K, value: V) -> Placed {
        assert!(K::fits(self.meta.shape.key), "a key of the wrong form");
        assert!(V::fits(self.meta.shape.value), "a value of the wrong form");
        // SAFETY: just checked.
        unsafe { self.upsert(key, value, key.hash(self.seeds)) }
    }

    /// Deletes a key. Returns the position that its entry had. Panics on a key of the wrong form.
    #[inline]
    pub fn remove<K: RawKey>(&mut self, key: K) -> Option<u32> {
        assert!(K::fits(self.meta.shape.key), "a key of the wrong form");
        // SAFETY: just checked.
        unsafe { self.delete(key, key.hash(self.seeds)) }
    }

    /// `set` for a key whose hash is known.
    ///
    /// # Safety
    /// The map's keys and values are of the forms `K` and `V`.
    #[inline(always)]
    pub(crate) unsafe fn upsert<K: RawKey, V: RawValue>(&mut self, key: K, value: V, hash: u32) -> Placed {
        // SAFETY: the caller's word; a position that was found is below the capacity.
        unsafe {
            match self.map.find_with::<Native, K>(key, hash) {
                None => self.append(key, value, hash),
                Some((_, position)) => {
                    if !self.heap_has_room(value.heap_bytes()) {
                        return Placed::Full;
                    }
                    let garbage = self.value_blob_bytes(position);
                    value.write(self, position);
                    self.count_garbage(garbage);
                    Placed::Replaced(position)
                }
            }
        }
    }

    /// Appends an entry for a key that is not in the map.
    ///
    /// # Safety
    /// The map's keys and values are of the forms `K` and `V`.
    #[inline(always)]
    unsafe fn append<K: RawKey, V: RawValue>(&mut self, key: K, value: V, hash: u32) -> Placed {
        let position = self.used();
        if position >= self.capacity || !self.heap_has_room(key.heap_bytes() + value.heap_bytes()) {
            return Placed::Full;
        }
        let home = self.home(hash);
        let Some(lane) = self.index.first_empty::<Native>(home) else { return Placed::Full };
        let slot = match self.meta.shape.slots {
            None => None,
            Some(_) => match self.next_slot() {
                None => return Placed::Full,
                slot => slot,
            },
        };
        // SAFETY: the position is below the capacity and the heap has room; this is the only
        // writer.
        unsafe {
            key.write(self, position);
            value.write(self, position);
            if let Some(slot) = slot {
                self.take_slot(slot, position);
            }
            self.index.adjust_overflow(home, lane, true);
            self.index.set(lane, tag(hash), position);
            self.memory.set_word(word::USED, position + 1);
        }
        Placed::Inserted(position)
    }

    /// `remove` for a key whose hash is known.
    ///
    /// # Safety
    /// The map's keys are of the form `K`.
    #[inline(always)]
    pub(crate) unsafe fn delete<K: RawKey>(&mut self, key: K, hash: u32) -> Option<u32> {
        // SAFETY: the caller's word; a position that was found is below `used`.
        unsafe {
            let (lane, position) = self.map.find_with::<Native, K>(key, hash)?;
            let garbage = self.key_blob_bytes(position) + self.value_blob_bytes(position);
            self.index.clear(lane);
            let at = self.dead + (position as usize / 32) * 4;
            let bits = self.memory.load_u32(at);
            let bit = 1 << (position % 32);
            // In a damaged region the index may lead to an entry that is dead already.
            if bits & bit == 0 {
                self.memory.store_u32(at, bits | bit);
                let dead = self.memory.word(word::DEAD);
                self.memory.set_word(word::DEAD, (dead.saturating_add(1)).min(self.used()));
            }
            self.index.adjust_overflow(self.home(hash), lane, false);
            self.count_garbage(garbage);
            if self.meta.shape.slots.is_some() {
                self.free_slot(position);
            }
            Some(position)
        }
    }

    #[inline(always)]
    fn heap_has_room(&self, bytes: u64) -> bool {
        bytes == 0 || self.memory.double_word(word::HEAP_USED).saturating_add(bytes) <= self.heap_capacity
    }

    /// Heap bytes of the key at a position; 0 for a number.
    #[inline(always)]
    fn key_blob_bytes(&self, position: u32) -> u64 {
        if !self.meta.shape.key.is_blob() {
            return 0;
        }
        // SAFETY: callers pass positions below the capacity; references are 4 bytes wide.
        self.blob(unsafe { self.key_u32(position) }).map_or(0, |blob| size_of_blob(blob.head))
    }

    /// Heap bytes of the value at a position; 0 for a number.
    #[inline(always)]
    fn value_blob_bytes(&self, position: u32) -> u64 {
        if !self.meta.shape.value.is_blob() {
            return 0;
        }
        // SAFETY: callers pass positions below the capacity; references are 4 bytes wide.
        let reference = unsafe { u32::read(self, position) };
        self.blob(reference).map_or(0, |blob| size_of_blob(blob.head))
    }

    #[inline(always)]
    fn count_garbage(&mut self, bytes: u64) {
        if bytes != 0 {
            let total = self.memory.double_word(word::HEAP_GARBAGE).saturating_add(bytes);
            let used = self.memory.double_word(word::HEAP_USED);
            // SAFETY: this is the only writer.
            unsafe { self.memory.set_double_word(word::HEAP_GARBAGE, total.min(used)) };
        }
    }

    /// Appends a blob to the heap and returns its reference.
    ///
    /// # Safety
    /// The heap has room.
    pub(super) unsafe fn append_blob(&mut self, blob: Blob<'_>) -> u32 {
        let used = self.memory.double_word(word::HEAP_USED);
        let size = blob.heap_bytes();
        // SAFETY: there is room for `size` bytes from `used`, by the caller's word.
        unsafe {
            let at = self.heap + used as usize;
            self.memory.store_u32(at, blob.head());
            write_padded(self.memory.at(at + 4), blob.content());
            self.memory.set_double_word(word::HEAP_USED, used + size);
        }
        (used / 4) as u32
    }
}

/// Copies bytes and zeros up to a multiple of 4 after them.
///
/// # Safety
/// `to` is 4-byte aligned and valid for writing as many bytes, rounded up to a multiple of 4.
#[inline]
pub(crate) unsafe fn write_padded(to: *mut u8, bytes: &[u8]) {
    let padding = bytes.len().wrapping_neg() % 4;
    // SAFETY: the caller's word. The source may lie in the same region (a blob found in it), but
    // not where this writes.
    unsafe {
        std::ptr::copy(bytes.as_ptr(), to, bytes.len());
        to.add(bytes.len()).write_bytes(0, padding);
    }
}
