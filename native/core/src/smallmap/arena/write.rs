//! The view that writes: creating and releasing maps, setting and removing entries, slots.
//!
//! The format prescribes the order of stores: a change to an inline map ends with one store of its
//! place, so other threads see the whole change or none of it, and a writer that is stopped leaves
//! a valid region. Whenever memory that was visible becomes free, `recycles` is incremented between
//! the store that hides it and the first reuse.

use super::layout::{FREE, INLINE_CAPACITY, MAX_GENERATION, PROMOTED, word};
use super::raw::{Location, MapState, RawArena};
use crate::{Error, Result};
use std::ops::Deref;

/// The result of setting a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// The key was new.
    Inserted,
    /// The key existed and has the new value.
    Replaced,
    /// There is no room without a rebuild. Nothing was changed.
    Full,
}

/// A view that also writes. There is one writer at a time, on one thread.
#[derive(Debug)]
pub struct RawArenaMut {
    arena: RawArena,
}

impl Deref for RawArenaMut {
    type Target = RawArena;

    #[inline(always)]
    fn deref(&self) -> &RawArena {
        &self.arena
    }
}

#[cold]
fn bad_slot() -> Error {
    Error::corrupt("a free list of the arena's slots contains an invalid index")
}

impl RawArenaMut {
    /// Attaches to an arena for writing: checks the header in constant time, and clears the
    /// region's checksum.
    ///
    /// # Safety
    /// As for [`RawArena::attach`]; the bytes are writable, and while the view is used no other
    /// view writes them, neither on another thread nor on this one.
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<RawArenaMut> {
        // SAFETY: `base` is valid for `len` bytes, guaranteed by the caller.
        let arena = RawArenaMut { arena: unsafe { RawArena::attach(base, len) }? };
        // SAFETY: the memory is writable and has no other writer, guaranteed by the caller.
        unsafe { arena.memory.clear_checksum() };
        Ok(arena)
    }

    /// The view for reading.
    #[inline]
    #[must_use]
    pub fn reader(&self) -> &RawArena {
        &self.arena
    }

    #[inline(always)]
    pub(super) fn set_word(&mut self, index: usize, value: u32) {
        // SAFETY: the memory is writable, and this is the only writer.
        unsafe { self.memory.set_word(index, value) };
    }

    #[inline(always)]
    pub(super) fn recycle(&mut self) {
        self.set_word(word::RECYCLES, self.recycles().wrapping_add(1));
    }

    #[inline(always)]
    pub(super) fn set_place(&mut self, map: u32, place: u32) {
        debug_assert!(map < self.shape.maps);
        // SAFETY: callers pass entries below the capacity; this is the only writer.
        unsafe { self.memory.store_u32(self.layout.directory + map as usize * 8, place) };
    }

    #[inline(always)]
    fn set_generation(&mut self, map: u32, generation: u32) {
        debug_assert!(map < self.shape.maps);
        // SAFETY: callers pass entries below the capacity; this is the only writer.
        unsafe { self.memory.store_u32(self.layout.directory + map as usize * 8 + 4, generation) };
    }

    pub(super) fn store_key(&mut self, location: Location, bits: u64) {
        let (column, at) = match location {
            Location::Slot(entry) => (self.layout.keys, self.check_entry(entry)),
            Location::Table(position) => (self.layout.table_keys, self.check_position(position)),
        };
        self.store(column, at, self.shape.key.width(), bits);
    }

    pub(super) fn store_value(&mut self, location: Location, bits: u64) {
        let (column, at) = match location {
            Location::Slot(entry) => (self.layout.values, self.check_entry(entry)),
            Location::Table(position) => (self.layout.table_values, self.check_position(position)),
        };
        self.store(column, at, self.shape.value.width(), bits);
    }

    #[inline(always)]
    fn store(&mut self, column: usize, at: usize, width: usize, bits: u64) {
        let at = column + at * width;
        // SAFETY: callers pass a column and an element below its capacity; this is the only writer.
        unsafe {
            match width {
                1 => self.memory.store_u8(at, bits as u8),
                2 => self.memory.store_u16(at, bits as u16),
                4 => self.memory.store_u32(at, bits as u32),
                _ => self.memory.store_u64(at, bits),
            }
        }
    }

    // ---- maps

    /// Creates an empty map and returns its id. `None` if the directory is full.
    pub fn create(&mut self) -> Result<Option<u64>> {
        let free = self.memory.word(word::FREE_MAP);
        let used = self.maps_used();
        let map = if free == 0 {
            if used == self.shape.maps {
                return Ok(None);
            }
            // Entries past `used` are zero: an empty map of generation 0.
            self.set_word(word::MAPS_USED, used + 1);
            used
        } else {
            let map = free - 1;
            if map >= used || self.generation_word(map) & FREE == 0 || self.place_word(map) > used {
                return Err(Error::corrupt("the free list of the arena's maps contains an invalid index"));
            }
            let generation = self.generation_word(map) & !FREE;
            self.set_word(word::FREE_MAP, self.place_word(map));
            self.set_place(map, 0);
            self.set_generation(map, generation);
            map
        };
        self.set_word(word::MAPS, (self.count() + 1).min(self.shape.maps));
        Ok(self.id_of(map))
    }

    /// Releases a map. Its id becomes stale.
    pub fn release(&mut self, id: u64) -> Result<()> {
        let map = self.live(id)?;
        let place = self.map_state(map);
        let generation = self.generation_word(map) + 1;
        self.set_generation(map, generation | FREE);
        self.drop_entries(map, place)?;
        if generation <= MAX_GENERATION {
            self.set_place(map, self.memory.word(word::FREE_MAP));
            self.set_word(word::FREE_MAP, map + 1);
        } else {
            self.set_place(map, 0);
        }
        self.set_word(word::MAPS, self.count().saturating_sub(1));
        Ok(())
    }

    /// Removes all entries of a map, which is then inline again.
    pub fn clear(&mut self, id: u64) -> Result<()> {
        let map = self.live(id)?;
        let place = self.map_state(map);
        self.set_place(map, 0);
        self.drop_entries(map, place)
    }

    /// Frees the slot or ring of a map, to which no place refers any more.
    fn drop_entries(&mut self, map: u32, place: MapState) -> Result<()> {
        match place {
            MapState::Inline { count: 0, .. } => Ok(()),
            MapState::Inline { first, count } => {
                self.recycle();
                self.give_slot(first / 2, self.shape.slot_for(count));
                Ok(())
            }
            MapState::Promoted { sentinel } => {
                self.set_word(word::PROMOTED, self.promoted_count().saturating_sub(1));
                self.recycle();
                self.drop_ring(map, sentinel)
            }
        }
    }

    // ---- entries

    /// Sets a key in the map with this id. Both key and value are bits as they are stored; ids of
    /// strings that are not in the arena are `Stale`.
    pub fn set(&mut self, id: u64, key: u64, value: u64) -> Result<Placed> {
        let map = self.live(id)?;
        self.check_string(self.shape.key, key)?;
        self.check_string(self.shape.value, value)?;
        if let Some(location) = self.find(map, key) {
            self.store_value(location, value);
            return Ok(Placed::Replaced);
        }
        match self.map_state(map) {
            MapState::Inline { first, count } if count < INLINE_CAPACITY => {
                self.insert(map, first, count, key, value)
            }
            MapState::Inline { .. } => {
                if self.positions_left() < 2 + INLINE_CAPACITY {
                    return Ok(Placed::Full);
                }
                let sentinel = self.promote(map)?;
                self.append(map, sentinel, key, value)?;
                Ok(Placed::Inserted)
            }
            MapState::Promoted { sentinel } => {
                if self.positions_left() == 0 {
                    return Ok(Placed::Full);
                }
                self.append(map, sentinel, key, value)?;
                Ok(Placed::Inserted)
            }
        }
    }

    fn insert(&mut self, map: u32, first: u32, count: u32, key: u64, value: u64) -> Result<Placed> {
        let size = self.shape.slot_for(count + 1);
        if count > 0 && self.shape.slot_for(count) == size {
            self.store_value(Location::Slot(first + count), value);
            self.store_key(Location::Slot(first + count), key);
            let place = self.place_word(map);
            self.set_place(map, place + 1);
            return Ok(Placed::Inserted);
        }
        let Some(unit) = self.take_slot(size)? else { return Ok(Placed::Full) };
        for i in 0..count {
            self.copy_entry(first + i, unit * 2 + i);
        }
        self.store_value(Location::Slot(unit * 2 + count), value);
        self.store_key(Location::Slot(unit * 2 + count), key);
        self.set_place(map, unit << 4 | (count + 1));
        if count > 0 {
            self.recycle();
            self.give_slot(first / 2, self.shape.slot_for(count));
        }
        Ok(Placed::Inserted)
    }

    fn copy_entry(&mut self, from: u32, to: u32) {
        let (key, value) = (self.key_at(Location::Slot(from)), self.value_at(Location::Slot(from)));
        self.store_value(Location::Slot(to), value);
        self.store_key(Location::Slot(to), key);
    }

    /// Removes a key from the map with this id, and returns whether it existed. `None`, with
    /// nothing changed, if that needs a slot and none is available.
    pub fn remove(&mut self, id: u64, key: u64) -> Result<Option<bool>> {
        let map = self.live(id)?;
        let Some(location) = self.find(map, key) else { return Ok(Some(false)) };
        match (self.map_state(map), location) {
            (MapState::Promoted { sentinel }, Location::Table(position)) => {
                self.unlink(sentinel, position)?;
                Ok(Some(true))
            }
            (MapState::Inline { first, count }, Location::Slot(entry)) => {
                self.remove_inline(map, first, count, entry - first).map(|done| done.then_some(true))
            }
            _ => Ok(Some(false)),
        }
    }

    fn remove_inline(&mut self, map: u32, first: u32, count: u32, lane: u32) -> Result<bool> {
        let left = count - 1;
        let size = self.shape.slot_for(count);
        if left > 0 && lane == left && self.shape.slot_for(left) == size {
            let place = self.place_word(map);
            self.set_place(map, place - 1);
            self.recycle();
            return Ok(true);
        }
        let place = if left == 0 {
            0
        } else {
            let Some(unit) = self.take_slot(self.shape.slot_for(left))? else { return Ok(false) };
            for i in 0..left {
                self.copy_entry(first + i + u32::from(i >= lane), unit * 2 + i);
            }
            unit << 4 | left
        };
        self.set_place(map, place);
        self.recycle();
        self.give_slot(first / 2, size);
        Ok(true)
    }

    /// Moves the 8 entries of a full map to the table, which must have positions for them and the
    /// sentinel. Returns the sentinel.
    pub(super) fn promote(&mut self, map: u32) -> Result<u32> {
        let MapState::Inline { first, count: INLINE_CAPACITY } = self.map_state(map) else {
            return Err(Error::range("only a map with 8 inline entries can be promoted"));
        };
        let sentinel = self.new_ring(map)?;
        for entry in first..first + INLINE_CAPACITY {
            let (key, value) = (self.key_at(Location::Slot(entry)), self.value_at(Location::Slot(entry)));
            self.append(map, sentinel, key, value)?;
        }
        self.set_place(map, sentinel << 4 | PROMOTED);
        self.set_word(word::PROMOTED, (self.promoted_count() + 1).min(self.shape.maps));
        self.recycle();
        self.give_slot(first / 2, INLINE_CAPACITY);
        Ok(sentinel)
    }

    /// Promotes the map with this id, which has 8 entries, before TypeScript appends a ninth.
    /// `false` if there is no room.
    pub fn promote_full(&mut self, id: u64) -> Result<bool> {
        let map = self.live(id)?;
        if self.positions_left() < 2 + INLINE_CAPACITY {
            return Ok(false);
        }
        self.promote(map).map(|_| true)
    }

    // ---- slots

    /// Takes a slot of 2, 4 or 8 entries and returns its first unit. `None` if none is available.
    fn take_slot(&mut self, size: u32) -> Result<Option<u32>> {
        let list = word::FREE_SLOT + size.trailing_zeros() as usize - 1;
        let head = self.memory.word(list);
        if head != 0 {
            let unit = head - 1;
            if unit + size / 2 > self.shape.blocks * 4 || !unit.is_multiple_of(size / 2) {
                return Err(bad_slot());
            }
            let next = self.slot_link(unit);
            if next > self.shape.blocks * 4 {
                return Err(bad_slot());
            }
            self.set_word(list, next);
            return Ok(Some(unit));
        }
        if size == INLINE_CAPACITY {
            let used = self.memory.word(word::BLOCKS_USED);
            if used >= self.shape.blocks {
                return Ok(None);
            }
            self.set_word(word::BLOCKS_USED, used + 1);
            return Ok(Some(used * 4));
        }
        let Some(unit) = self.take_slot(size * 2)? else { return Ok(None) };
        self.give_slot(unit + size / 2, size);
        Ok(Some(unit))
    }

    /// Puts a slot into its free list.
    pub(super) fn give_slot(&mut self, unit: u32, size: u32) {
        let list = word::FREE_SLOT + size.trailing_zeros() as usize - 1;
        let at = self.slot_link_at(unit);
        let head = self.memory.word(list);
        // SAFETY: the unit is within the columns, a slot has at least 4 bytes in its wider column,
        // and this is the only writer.
        unsafe { self.memory.store_u32(at, head) };
        self.set_word(list, unit + 1);
    }
}

impl RawArena {
    /// The position of a free slot's link. Panics outside the columns.
    #[inline(always)]
    fn slot_link_at(&self, unit: u32) -> usize {
        let entry = self.check_entry(unit * 2);
        let (key, value) = (self.shape.key.width(), self.shape.value.width());
        let at =
            if value >= key { self.layout.values + entry * value } else { self.layout.keys + entry * key };
        // If both keys and values are one byte wide, a slot begins at a multiple of four entries;
        // an invalid unit is rounded down to one.
        at & !3
    }

    /// 1 + the unit of the next free slot.
    #[inline(always)]
    pub(super) fn slot_link(&self, unit: u32) -> u32 {
        // SAFETY: the unit is within the columns, whose sections are multiples of 64 bytes, and the
        // position is aligned.
        unsafe { self.memory.load_u32(self.slot_link_at(unit)) }
    }
}
