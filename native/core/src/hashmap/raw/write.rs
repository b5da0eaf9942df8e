//! Inserting, replacing and deleting one entry.
//!
//! The format defines the order of stores: another thread sees each change completely or not at
//! all, and a writer that is terminated in between leaves a valid region. Such a writer may leave a
//! lane of an entry that was not yet counted; the next writer that attaches removes it.

use super::repr::{PlainValue, RawKey, RawValue};
use super::{RawMap, StoredBlob};
use crate::Result;
use crate::hashmap::layout::word;
use crate::region::element::Type;
use crate::table::blob::{Blob, size_of_blob};
use crate::table::group::Native;
use crate::table::hash::tag;
use std::ops::Deref;

/// The result of an insertion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// The key was new; this is the position of its entry.
    Inserted(u32),
    /// The key was present; its entry, at this position, has the new value.
    Replaced(u32),
    /// There is no room without a rebuild. Nothing was changed.
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
    /// Attaches to a map for writing: checks the header in constant time, removes the region's
    /// checksum, and repairs what a terminated writer may have left.
    ///
    /// # Safety
    /// As for [`RawMap::attach`]; the bytes are writable, and while the view is used no other view
    /// writes them, neither on another thread nor on this one.
    #[inline]
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<RawMapMut> {
        // SAFETY: guaranteed by the caller, as `attach_intact` requires.
        let mut map = unsafe { RawMapMut::attach_intact(base, len) }?;
        // SAFETY: the memory is writable and this is the only writer.
        unsafe {
            map.memory.clear_checksum();
        }
        map.remove_uncounted_lane();
        Ok(map)
    }

    /// `attach` for a map without a checksum of which no writer was ever terminated.
    ///
    /// # Safety
    /// As for `attach`.
    #[inline]
    pub(in crate::hashmap) unsafe fn attach_intact(base: *mut u8, len: usize) -> Result<RawMapMut> {
        // SAFETY: the caller guarantees that the bytes are readable.
        Ok(RawMapMut { map: unsafe { RawMap::attach(base, len) }? })
    }

    /// The view for reading.
    #[inline]
    #[must_use]
    pub fn reader(&self) -> &RawMap {
        &self.map
    }

    /// Removes the lane that a writer left if it was terminated just before it incremented `used`,
    /// because the next key will get position `used`.
    #[inline]
    fn remove_uncounted_lane(&mut self) {
        let used = self.used();
        if used == self.capacity {
            return;
        }
        // SAFETY: the position is below the capacity, and the representation is that of the schema.
        let hash = unsafe {
            match self.meta.shape.key {
                Type::U32 | Type::I32 => self.seeds.narrow(self.key_u32(used)),
                Type::F64 | Type::U64 | Type::I64 => self.seeds.wide(self.key_u64(used)),
                _ => match self.blob(self.key_u32(used)) {
                    // The heap past its used part is not zeroed: old bytes there are not a key.
                    Some(blob) if self.ends_within_used_heap(blob) => self.seeds.blob(blob.bytes()),
                    _ => return,
                },
            }
        };
        let home = self.home(hash);
        if let Some((lane, _)) = self.index.find::<Native>(home, tag(hash), |position| position == used) {
            // SAFETY: this is the only writer, guaranteed by the caller of `attach`.
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

    /// Inserts a key or replaces its value. Panics if keys or values have another representation.
    #[inline]
    pub fn set<K: RawKey, V: RawValue>(&mut self, key: K, value: V) -> Placed {
        assert!(K::fits(self.meta.shape.key), "a key of another representation");
        assert!(V::fits(self.meta.shape.value), "a value of another representation");
        // SAFETY: the representations were just checked.
        unsafe { self.upsert(key, value, key.hash(&self.seeds)) }
    }

    /// Deletes a key. Returns the position of its entry. Panics if keys have another
    /// representation.
    #[inline]
    pub fn remove<K: RawKey>(&mut self, key: K) -> Option<u32> {
        assert!(K::fits(self.meta.shape.key), "a key of another representation");
        // SAFETY: the representations were just checked.
        unsafe { self.delete(key, key.hash(&self.seeds)) }
    }

    /// `set` for a key whose hash is known.
    ///
    /// # Safety
    /// The map's keys and values have the representations `K` and `V`.
    #[inline(always)]
    pub(crate) unsafe fn upsert<K: RawKey, V: RawValue>(&mut self, key: K, value: V, hash: u32) -> Placed {
        // SAFETY: the caller guarantees the representations; a position that was found is below the
        // capacity.
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
    /// The map's keys and values have the representations `K` and `V`.
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
    /// The map's keys have the representation `K`.
    #[inline(always)]
    pub(crate) unsafe fn delete<K: RawKey>(&mut self, key: K, hash: u32) -> Option<u32> {
        // SAFETY: the caller guarantees the representation; a position that was found is below
        // `used`.
        unsafe {
            let (lane, position) = self.map.find_with::<Native, K>(key, hash)?;
            let garbage = self.key_blob_bytes(position) + self.value_blob_bytes(position);
            self.index.clear(lane);
            let at = self.dead + (position as usize / 32) * 4;
            let bits = self.memory.load_u32(at);
            let bit = 1 << (position % 32);
            // In a damaged region, the index may contain an entry that is already dead.
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
        // SAFETY: the caller guarantees that there is room for `size` bytes from `used` on.
        unsafe {
            let at = self.heap + used as usize;
            self.memory.store_u32(at, blob.head());
            write_padded(self.memory.at(at + 4), blob.content());
            self.memory.set_double_word(word::HEAP_USED, used + size);
        }
        (used / 4) as u32
    }
}

/// Copies bytes, and appends zeros up to a multiple of 4.
///
/// # Safety
/// `to` is 4-byte aligned and valid for writing that many bytes, rounded up to a multiple of 4.
#[inline]
pub(crate) unsafe fn write_padded(to: *mut u8, bytes: &[u8]) {
    let padding = bytes.len().wrapping_neg() % 4;
    // SAFETY: the caller guarantees that the bytes are writable. The source may be in the same
    // region (a blob that was found in it), but not in the range that is written.
    unsafe {
        std::ptr::copy(bytes.as_ptr(), to, bytes.len());
        to.add(bytes.len()).write_bytes(0, padding);
    }
}
