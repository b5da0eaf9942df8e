//! A checked view of a HashMap's region, and every operation on one entry.
//!
//! [`RawMap`] reads, [`RawMapMut`] also writes. Attaching checks the header once; after that no
//! operation looks at a count that bounds memory access except through the private copy, so contents
//! that are hostile, or change meanwhile, give wrong answers but never a read outside.
//!
//! Cost: a lookup touches one cache line of the index, one of the keys, one of the values.
//!
//! Writing: the order of stores is the format's. Another thread that reads the region sees each change
//! whole or not at all, and a writer that is stopped in between leaves a valid region. Nothing here
//! moves an entry: that is `rebuild.rs`.

use super::blob::{Blob, size_of_blob};
use super::hash::{Home, canonical, narrow, tag, wide};
use super::index::{Group, Index, Native, Place};
use super::layout::{Layout, MAX_GENERATION, Meta, STATE_HANDLES, Shape, Type, word};
use crate::region::header::{self, Memory};
use crate::{Error, Result};
use std::ops::Deref;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

mod sealed {
    pub trait Sealed {}
    impl Sealed for u8 {}
    impl Sealed for u16 {}
    impl Sealed for u32 {}
    impl Sealed for u64 {}
    impl Sealed for () {}
    impl Sealed for super::Blob<'_> {}
}

/// A key as the region holds it: `u32` for 4-byte types, `u64` for 8-byte types ([`canonical`] for
/// floats), [`Blob`] for strings and bytes.
pub trait RawKey: Copy + sealed::Sealed {
    /// Bytes of it in a column.
    const WIDTH: usize;
    /// Whether keys of this type are of this form.
    fn fits(ty: Type) -> bool;
    /// The key's hash.
    fn hash(self, seeds: [u32; 2]) -> u32;
    /// Bytes that it takes in the heap.
    #[inline(always)]
    fn heap_bytes(self) -> u64 {
        0
    }
    /// Whether it equals the key at a position.
    ///
    /// # Safety
    /// The map's keys are of this form, and the position is below its capacity.
    unsafe fn equals(self, map: &RawMap, position: u32) -> bool;
    /// Writes it at a position, appending to the heap.
    ///
    /// # Safety
    /// As for `equals`; the heap has room.
    unsafe fn write(self, map: &mut RawMapMut, position: u32);
}

/// A value as the region holds it: an integer as wide as its column, a [`Blob`], or `()` for a
/// schema whose values are not in the region.
pub trait RawValue: Copy + sealed::Sealed {
    /// Whether values of this type are of this form.
    fn fits(ty: Type) -> bool;
    /// Bytes that it takes in the heap.
    #[inline(always)]
    fn heap_bytes(self) -> u64 {
        0
    }
    /// Writes it at a position, appending to the heap.
    ///
    /// # Safety
    /// The map's values are of this form, the position is below its capacity, the heap has room.
    unsafe fn write(self, map: &mut RawMapMut, position: u32);
}

/// A value that a column holds by itself: what bulk calls and columns can move.
pub trait PlainValue: RawValue {
    /// Reads the value at a position.
    ///
    /// # Safety
    /// The map's values are of this form, and the position is below its capacity.
    unsafe fn read(map: &RawMap, position: u32) -> Self;
}

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

/// A view of a map in memory that another thread may be writing.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct RawMap {
    // What every lookup reads comes first, together.
    index: Index,
    home: Home,
    seeds: [u32; 2],
    /// The key column.
    keys: *mut u8,
    /// The value column.
    values: *mut u8,
    memory: Memory,
    capacity: u32,
    sequence: u32,
    dead: usize,
    heap: usize,
    heap_capacity: u64,
    meta: Meta,
}

impl RawMap {
    /// Attaches to the map in `len` bytes at `base`: checks the header in constant time.
    ///
    /// # Safety
    /// While the view, a copy of it, or anything borrowed from it is used, `base` is valid for
    /// reading `len` bytes. Another thread may write them, as the format allows.
    #[inline]
    pub unsafe fn attach(base: *const u8, len: usize) -> Result<RawMap> {
        // SAFETY: the caller's word. Nothing is written through the view of a reader.
        let memory = unsafe { Memory::new(base.cast_mut(), len) }?;
        RawMap::read(memory, Duration::ZERO)
    }

    /// `attach` for a reader whose region another thread owns: waits, up to `patience`, while it is
    /// being rearranged. `Locked` if that takes longer: then its writer died.
    ///
    /// # Safety
    /// As for `attach`.
    #[inline]
    pub unsafe fn attach_shared(base: *const u8, len: usize, patience: Duration) -> Result<RawMap> {
        // SAFETY: the caller's word.
        let memory = unsafe { Memory::new(base.cast_mut(), len) }?;
        RawMap::read(memory, patience)
    }

    pub(crate) fn read(memory: Memory, patience: Duration) -> Result<RawMap> {
        loop {
            let sequence = memory.read_begin(patience);
            let read = Meta::read(memory);
            if sequence.as_ref().is_ok_and(|&sequence| memory.read_retry(sequence)) {
                continue;
            }
            // What is no map at all is said to be that, rather than to be locked.
            let (_, meta) = read?;
            return Ok(RawMap::new(memory, meta, sequence?));
        }
    }

    pub(super) fn new(memory: Memory, meta: Meta, sequence: u32) -> RawMap {
        let Layout { index, dead, keys, values, heap, .. } = meta.layout;
        // SAFETY: a checked header's sections lie within the memory.
        let (index, keys, values) =
            unsafe { (Index::new(memory, index, meta.buckets), memory.at(keys), memory.at(values)) };
        RawMap {
            memory,
            index,
            home: Home::new(meta.buckets),
            seeds: meta.seeds,
            capacity: meta.shape.capacity,
            keys,
            values,
            dead,
            heap,
            heap_capacity: meta.shape.heap,
            meta,
            sequence,
        }
    }

    /// The types and counts that only a rebuild changes.
    #[inline]
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.meta.shape
    }

    /// Where the sections are, in bytes from the region's start.
    #[inline]
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.meta.layout
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

    #[inline(always)]
    pub(crate) fn meta(&self) -> &Meta {
        &self.meta
    }

    #[inline(always)]
    pub(crate) fn index(&self) -> Index {
        self.index
    }

    #[inline(always)]
    pub(crate) fn seeds(&self) -> [u32; 2] {
        self.seeds
    }

    /// The home bucket of a hash.
    #[inline(always)]
    pub(crate) fn home(&self, hash: u32) -> u32 {
        self.home.of(hash)
    }

    /// Entries appended since the last compaction, dead ones included. Never above the capacity.
    #[inline(always)]
    #[must_use]
    pub fn used(&self) -> u32 {
        self.memory.word(word::USED).min(self.capacity)
    }

    /// How many entries are alive.
    #[inline]
    #[must_use]
    pub fn len(&self) -> u32 {
        self.used().saturating_sub(self.memory.word(word::DEAD))
    }

    /// Whether no entry is alive.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The counts that every writing operation may change.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            moves: self.memory.word(word::MOVES),
            heap_garbage: self.memory.double_word(word::HEAP_GARBAGE),
            heap_used: self.memory.double_word(word::HEAP_USED),
        }
    }

    /// The capacity to rebuild a full map to: the same if at least a quarter of the entries is dead, so
    /// that a map of constant size costs O(1) per operation under endless churn; else the next larger.
    pub fn next_capacity(&self) -> Result<u32> {
        let dead = self.used() - self.len();
        if dead > 0 && u64::from(dead) * 4 >= u64::from(self.used()) {
            return Ok(self.capacity);
        }
        if self.capacity == super::layout::MAX_CAPACITY {
            return Err(Error::full("the map has the largest capacity there is"));
        }
        Ok(super::layout::next_capacity(self.capacity))
    }

    /// Whether the entry at a position was deleted. True past the last entry.
    #[inline]
    #[must_use]
    pub fn is_dead(&self, position: u32) -> bool {
        if position >= self.used() {
            return true;
        }
        // SAFETY: `used` is at most the capacity, so the bit lies within the section.
        let bits = unsafe { self.memory.load_u32(self.dead + (position as usize / 32) * 4) };
        bits >> (position % 32) & 1 != 0
    }

    /// The first living entry at or after a position: `position = map.next_from(position + 1)` walks the
    /// map in insertion order, also while entries are inserted and deleted.
    #[must_use]
    pub fn next_from(&self, position: u32) -> Option<u32> {
        let used = self.used();
        let mut at = position;
        while at < used {
            // SAFETY: `used` is at most the capacity, so the word lies within the section.
            let bits = unsafe { self.memory.load_u32(self.dead + (at as usize / 32) * 4) };
            let alive = !bits >> (at % 32);
            if alive != 0 {
                let found = at + alive.trailing_zeros();
                return (found < used).then_some(found);
            }
            at = (at | 31) + 1;
        }
        None
    }

    /// Looks for a key with this hash. The position is below `used`.
    ///
    /// # Safety
    /// The map's keys are of the form `K`.
    #[inline(always)]
    pub(crate) unsafe fn find_with<G: Group, K: RawKey>(&self, key: K, hash: u32) -> Option<(Place, u32)> {
        let used = self.used();
        let home = self.home(hash);
        let found = self.index.find_in::<G>(home, tag(hash), |position| {
            // SAFETY: below `used`, which is at most the capacity; the form is the caller's word.
            position < used && unsafe { key.equals(self, position) }
        });
        if found.is_some() || self.index.overflow(home) == 0 {
            return found;
        }
        // SAFETY: the caller's word.
        unsafe { self.find_beyond::<G, K>(key, hash) }
    }

    /// `find_with` after the home bucket. Out of line, and with nothing passed by reference, so that the
    /// common case keeps everything in registers.
    ///
    /// # Safety
    /// The map's keys are of the form `K`.
    #[inline(never)]
    unsafe fn find_beyond<G: Group, K: RawKey>(&self, key: K, hash: u32) -> Option<(Place, u32)> {
        let used = self.used();
        self.index.find_beyond::<G>(self.home(hash), tag(hash), |position| {
            // SAFETY: below `used`, which is at most the capacity; the form is the caller's word.
            position < used && unsafe { key.equals(self, position) }
        })
    }

    /// The position of a key.
    ///
    /// # Safety
    /// The map's keys are of the form `K`.
    #[inline(always)]
    pub(crate) unsafe fn position_of<K: RawKey>(&self, key: K) -> Option<u32> {
        // SAFETY: the caller's word.
        unsafe { self.find_with::<Native, K>(key, key.hash(self.seeds)) }.map(|(_, position)| position)
    }

    /// The position of a key; positions are stable until a rebuild. Panics on a key of the wrong form.
    #[inline]
    #[must_use]
    pub fn find<K: RawKey>(&self, key: K) -> Option<u32> {
        assert!(K::fits(self.meta.shape.key), "a key of the wrong form");
        // SAFETY: just checked.
        unsafe { self.position_of(key) }
    }

    /// The value in a position's column. Panics if it is past the last entry, or on the wrong form.
    #[inline]
    #[must_use]
    pub fn value<V: PlainValue>(&self, position: u32) -> V {
        assert!(V::fits(self.meta.shape.value), "a value of the wrong form");
        assert!(position < self.capacity, "position {position} is past the last entry");
        // SAFETY: just checked.
        unsafe { V::read(self, position) }
    }

    /// The column's bytes of a key: a number's, or a blob reference.
    ///
    /// # Safety
    /// The position is below the capacity and the keys are 4 bytes wide.
    #[inline(always)]
    pub(crate) unsafe fn key_u32(&self, position: u32) -> u32 {
        debug_assert!(position < self.capacity);
        // SAFETY: the caller's word.
        unsafe { load_u32(self.keys, position) }
    }

    /// The column's bytes of a key.
    ///
    /// # Safety
    /// The position is below the capacity and the keys are 8 bytes wide.
    #[inline(always)]
    pub(crate) unsafe fn key_u64(&self, position: u32) -> u64 {
        debug_assert!(position < self.capacity);
        // SAFETY: the caller's word.
        unsafe { load_u64(self.keys, position) }
    }

    /// The key at a position: its bits, or the blob. Panics if the position is past the last entry.
    pub fn key_at(&self, position: u32) -> Result<Cell> {
        self.cell(self.meta.shape.key, self.meta.layout.keys, position)
    }

    /// The value at a position: its bits, or the blob. Panics if the position is past the last entry.
    pub fn value_at(&self, position: u32) -> Result<Cell> {
        self.cell(self.meta.shape.value, self.meta.layout.values, position)
    }

    fn cell(&self, ty: Type, column: usize, position: u32) -> Result<Cell> {
        assert!(position < self.capacity, "position {position} is past the last entry");
        let width = ty.width();
        let at = column + position as usize * width;
        // SAFETY: the column has an element of this width for each position below the capacity.
        let bits = unsafe {
            match width {
                0 => return Ok(Cell::None),
                1 => u64::from(self.memory.load_u8(at)),
                2 => u64::from(self.memory.load_u16(at)),
                4 => u64::from(self.memory.load_u32(at)),
                _ => self.memory.load_u64(at),
            }
        };
        if !ty.is_blob() {
            return Ok(Cell::Bits(bits));
        }
        self.blob(bits as u32).map(Cell::Blob).ok_or_else(|| {
            Error::corrupt(format!("the entry at position {position} refers to a blob outside the heap"))
        })
    }

    /// The blob that a reference stands for; `None` if it is not wholly in the heap.
    #[inline(always)]
    pub(crate) fn blob(&self, reference: u32) -> Option<StoredBlob> {
        let at = u64::from(reference) * 4;
        if at + 4 > self.heap_capacity {
            return None;
        }
        // SAFETY: the word is within the heap, which is within the memory.
        let head = unsafe { self.memory.load_u32(self.heap + at as usize) };
        if at + size_of_blob(head) > self.heap_capacity {
            return None;
        }
        // SAFETY: so are the bytes.
        let data = unsafe { self.memory.at(self.heap + at as usize + 4) };
        Some(StoredBlob { head, data })
    }

    /// The address of a key, for prefetching. The position may be anything.
    #[inline(always)]
    pub(crate) fn key_address<K: RawKey>(&self, position: u32) -> *const u8 {
        self.keys.wrapping_add(position as usize * K::WIDTH)
    }

    /// The address of a value, for prefetching. The position may be anything.
    #[inline(always)]
    pub(crate) fn value_address(&self, position: u32, width: usize) -> *const u8 {
        self.values.wrapping_add(position as usize * width)
    }
}

/// Counts of a map that change with its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// How many times entries changed their positions, modulo 2^32.
    pub moves: u32,
    /// Bytes of the heap that are used.
    pub heap_used: u64,
    /// How many of them no entry refers to.
    pub heap_garbage: u64,
}

/// What a column holds at a position.
#[derive(Clone, Copy, Debug)]
pub enum Cell {
    /// The bits of a number.
    Bits(u64),
    /// A string or bytes.
    Blob(StoredBlob),
    /// Nothing: the values are not in the region.
    None,
}

/// A blob in a region's heap, all of which is within the region. It stays there, unchanged, until the
/// next rebuild or clear.
#[derive(Clone, Copy, Debug)]
pub struct StoredBlob {
    head: u32,
    data: *const u8,
}

impl StoredBlob {
    /// The word before the bytes: byte length × 4 + encoding.
    #[inline(always)]
    #[must_use]
    pub fn head(self) -> u32 {
        self.head
    }

    /// The first byte.
    #[inline(always)]
    #[must_use]
    pub fn data(self) -> *const u8 {
        self.data
    }

    /// How many bytes.
    #[inline(always)]
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a length in bytes, of memory")]
    pub fn len(self) -> usize {
        (self.head >> 2) as usize
    }

    /// The bytes.
    ///
    /// # Safety
    /// While `'a` lasts, the region's memory stays valid and is neither rebuilt nor cleared.
    #[inline(always)]
    #[must_use]
    pub unsafe fn bytes<'a>(self) -> &'a [u8] {
        // SAFETY: wholly within the region when it was found; the rest is the caller's word.
        unsafe { std::slice::from_raw_parts(self.data, self.len()) }
    }
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
            let flags = map.memory.word(header::word::FLAGS);
            if flags & header::FLAG_CHECKSUM != 0 {
                map.memory.set_word(header::word::FLAGS, flags & !header::FLAG_CHECKSUM);
                map.memory.set_word(header::word::CHECKSUM, 0);
            }
        }
        map.heal();
        Ok(map)
    }

    /// `attach` to a map without a checksum that no writer was ever stopped on.
    ///
    /// # Safety
    /// As for `attach`.
    #[inline]
    pub(super) unsafe fn attach_intact(base: *mut u8, len: usize) -> Result<RawMapMut> {
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
                    Some(blob) if self.ends_within_used_heap(blob) => {
                        super::hash::blob(blob.bytes(), self.seeds)
                    }
                    _ => return,
                },
            }
        };
        let home = self.home(hash);
        if let Some((place, _)) = self.index.find::<Native>(home, tag(hash), |position| position == used) {
            // SAFETY: this view writes, so it is the only writer.
            unsafe {
                self.index.vacate(place);
                self.index.count_passing(home, place, false);
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
        let Some(place) = self.index.vacancy::<Native>(home) else { return Placed::Full };
        let slot = match self.meta.shape.slots {
            None => None,
            Some(_) => match self.next_slot() {
                None => return Placed::Full,
                slot => slot,
            },
        };
        // SAFETY: the position is below the capacity and the heap has room; this is the only writer.
        unsafe {
            key.write(self, position);
            value.write(self, position);
            if let Some(slot) = slot {
                self.take_slot(slot, position);
            }
            self.index.count_passing(home, place, true);
            self.index.fill(place, tag(hash), position);
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
            let (place, position) = self.map.find_with::<Native, K>(key, hash)?;
            let garbage = self.key_blob_bytes(position) + self.value_blob_bytes(position);
            self.index.vacate(place);
            let at = self.dead + (position as usize / 32) * 4;
            let bits = self.memory.load_u32(at);
            let bit = 1 << (position % 32);
            // In a damaged region the index may lead to an entry that is dead already.
            if bits & bit == 0 {
                self.memory.store_u32(at, bits | bit);
                let dead = self.memory.word(word::DEAD);
                self.memory.set_word(word::DEAD, (dead.saturating_add(1)).min(self.used()));
            }
            self.index.count_passing(self.home(hash), place, false);
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
    unsafe fn append_blob(&mut self, blob: Blob<'_>) -> u32 {
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

    /// The slot that the next insertion takes: the first free one, else a new one. `None` if there is
    /// neither, or the list is damaged.
    fn next_slot(&self) -> Option<u32> {
        let used = self.memory.word(word::SLOTS_USED);
        let capacity = self.meta.shape.slots?;
        let free = self.memory.word(word::FREE_SLOT);
        if free == 0 { (used < capacity).then_some(used) } else { (free <= capacity).then(|| free - 1) }
    }

    /// # Safety
    /// `slot` is what `next_slot` returned, `position` is below the capacity.
    unsafe fn take_slot(&mut self, slot: u32, position: u32) {
        let Layout { slot_of_entry, entry_of_slot, generations, .. } = self.meta.layout;
        // SAFETY: the slot is below the slot capacity, the position below the capacity.
        unsafe {
            if self.memory.word(word::FREE_SLOT) != 0 {
                // Out of the list before it is written to: a writer stopped here loses a slot, not the list.
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
    unsafe fn free_slot(&mut self, position: u32) {
        let Layout { slot_of_entry, entry_of_slot, generations, .. } = self.meta.layout;
        // SAFETY: the position is below the capacity; the slot is compared with the slots that there are.
        unsafe {
            let slot = self.memory.load_u32(slot_of_entry + position as usize * 4);
            if slot >= self.slots_used() {
                return;
            }
            let at = slot as usize * 4;
            let generation = self.memory.load_u32(generations + at).saturating_add(1);
            self.memory.store_u32(generations + at, generation);
            if generation >= MAX_GENERATION {
                return; // Retired: its handles are used up.
            }
            self.memory.store_u32(entry_of_slot + at, self.memory.word(word::FREE_SLOT));
            self.memory.set_word(word::FREE_SLOT, slot + 1);
        }
    }

    /// Notes that handles exist, so that entries keep them when they move.
    #[inline]
    pub(crate) fn issue_handles(&mut self) {
        let state = self.memory.word(word::STATE);
        if state & STATE_HANDLES == 0 {
            // SAFETY: this is the only writer.
            unsafe { self.memory.set_word(word::STATE, state | STATE_HANDLES) };
        }
    }

    /// The handle of the entry with a key. Panics on a key of the wrong form.
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

    /// The handle of the entry at a position below the capacity. A writer calls `issue_handles` first.
    #[inline]
    pub(crate) fn handle_at(&self, position: u32) -> u64 {
        assert!(position < self.capacity);
        if self.meta.shape.slots.is_none() {
            return u64::from(self.memory.word(word::EPOCH)) << 32 | u64::from(position);
        }
        // SAFETY: the position is below the capacity, and the slot compared with the slots that there are.
        unsafe {
            let slot = self.memory.load_u32(self.meta.layout.slot_of_entry + position as usize * 4);
            if slot >= self.slots_used() {
                return 0; // A damaged table: generation 0 is never alive.
            }
            let generation = self.memory.load_u32(self.meta.layout.generations + slot as usize * 4);
            u64::from(generation) << 32 | u64::from(slot)
        }
    }

    /// The position of the entry that a handle names, while it lives.
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
            // SAFETY: the slot is below the slot capacity, the position checked against `used` before use.
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
                position
            }
        };
        (!self.is_dead(position)).then_some(position)
    }
}

macro_rules! elements {
    ($($load:ident $store:ident $atomic:ident $type:ident;)+) => {$(
        /// Reads an element of a column.
        ///
        /// # Safety
        /// The column is aligned and has an element of this width at `position`.
        #[inline(always)]
        unsafe fn $load(column: *mut u8, position: u32) -> $type {
            // SAFETY: the caller's word.
            unsafe { $atomic::from_ptr(column.cast::<$type>().add(position as usize)) }.load(Ordering::Relaxed)
        }

        /// Writes an element of a column, after everything written before it.
        ///
        /// # Safety
        /// As for reading; the column is writable, and no other thread writes it.
        #[inline(always)]
        unsafe fn $store(column: *mut u8, position: u32, value: $type) {
            // SAFETY: the caller's word.
            unsafe { $atomic::from_ptr(column.cast::<$type>().add(position as usize)) }
                .store(value, Ordering::Release);
        }
    )+};
}

elements! {
    load_u8 store_u8 AtomicU8 u8;
    load_u16 store_u16 AtomicU16 u16;
    load_u32 store_u32 AtomicU32 u32;
    load_u64 store_u64 AtomicU64 u64;
}

/// Copies bytes and zeros up to a multiple of 4 after them.
///
/// # Safety
/// `to` is 4-byte aligned and valid for writing as many bytes, rounded up to a multiple of 4.
#[inline]
pub(crate) unsafe fn write_padded(to: *mut u8, bytes: &[u8]) {
    let padding = bytes.len().wrapping_neg() % 4;
    // SAFETY: the caller's word. The source may lie in the same region (a blob found in it), but not
    // where this writes.
    unsafe {
        std::ptr::copy(bytes.as_ptr(), to, bytes.len());
        to.add(bytes.len()).write_bytes(0, padding);
    }
}

impl RawKey for u32 {
    const WIDTH: usize = 4;
    #[inline(always)]
    fn fits(ty: Type) -> bool {
        matches!(ty, Type::U32 | Type::I32)
    }
    #[inline(always)]
    fn hash(self, seeds: [u32; 2]) -> u32 {
        narrow(self, seeds)
    }
    #[inline(always)]
    unsafe fn equals(self, map: &RawMap, position: u32) -> bool {
        // SAFETY: the caller's word.
        unsafe { map.key_u32(position) == self }
    }
    #[inline(always)]
    unsafe fn write(self, map: &mut RawMapMut, position: u32) {
        // SAFETY: the caller's word.
        unsafe { store_u32(map.keys, position, self) };
    }
}

impl RawKey for u64 {
    const WIDTH: usize = 8;
    #[inline(always)]
    fn fits(ty: Type) -> bool {
        matches!(ty, Type::F64 | Type::U64 | Type::I64)
    }
    #[inline(always)]
    fn hash(self, seeds: [u32; 2]) -> u32 {
        wide(self, seeds)
    }
    #[inline(always)]
    unsafe fn equals(self, map: &RawMap, position: u32) -> bool {
        // SAFETY: the caller's word.
        unsafe { map.key_u64(position) == self }
    }
    #[inline(always)]
    unsafe fn write(self, map: &mut RawMapMut, position: u32) {
        // SAFETY: the caller's word.
        unsafe { store_u64(map.keys, position, self) };
    }
}

impl RawKey for Blob<'_> {
    const WIDTH: usize = 4;
    #[inline(always)]
    fn fits(ty: Type) -> bool {
        ty.is_blob()
    }
    #[inline]
    fn hash(self, seeds: [u32; 2]) -> u32 {
        super::hash::blob(self.content(), seeds)
    }
    #[inline(always)]
    fn heap_bytes(self) -> u64 {
        Blob::heap_bytes(self)
    }
    #[inline]
    unsafe fn equals(self, map: &RawMap, position: u32) -> bool {
        // SAFETY: the caller's word; the blob is wholly in the region, and compared at once.
        unsafe {
            map.blob(map.key_u32(position))
                .is_some_and(|blob| blob.head == self.head() && blob.bytes() == self.content())
        }
    }
    #[inline]
    unsafe fn write(self, map: &mut RawMapMut, position: u32) {
        // SAFETY: the caller's word.
        unsafe {
            let reference = map.append_blob(self);
            store_u32(map.keys, position, reference);
        }
    }
}

macro_rules! plain_values {
    ($($type:ident $load:ident $store:ident: $($ty:ident)|+;)+) => {$(
        impl RawValue for $type {
            #[inline(always)]
            fn fits(ty: Type) -> bool {
                matches!(ty, $(Type::$ty)|+)
            }
            #[inline(always)]
            unsafe fn write(self, map: &mut RawMapMut, position: u32) {
                // SAFETY: the caller's word.
                unsafe { $store(map.values, position, self) };
            }
        }

        impl PlainValue for $type {
            #[inline(always)]
            unsafe fn read(map: &RawMap, position: u32) -> $type {
                debug_assert!(position < map.capacity);
                // SAFETY: the caller's word.
                unsafe { $load(map.values, position) }
            }
        }
    )+};
}

plain_values! {
    u8 load_u8 store_u8: U8 | I8 | Bool;
    u16 load_u16 store_u16: U16 | I16;
    u32 load_u32 store_u32: U32 | I32 | F32;
    u64 load_u64 store_u64: F64 | U64 | I64;
}

impl RawValue for () {
    #[inline(always)]
    fn fits(ty: Type) -> bool {
        ty == Type::Any
    }
    #[inline(always)]
    unsafe fn write(self, _: &mut RawMapMut, _: u32) {}
}

impl RawValue for Blob<'_> {
    #[inline(always)]
    fn fits(ty: Type) -> bool {
        ty.is_blob()
    }
    #[inline(always)]
    fn heap_bytes(self) -> u64 {
        Blob::heap_bytes(self)
    }
    #[inline]
    unsafe fn write(self, map: &mut RawMapMut, position: u32) {
        // SAFETY: the caller's word.
        unsafe {
            let reference = map.append_blob(self);
            store_u32(map.values, position, reference);
        }
    }
}

/// The bits of a key as a region holds them, for a type whose keys are 8 bytes wide.
#[inline(always)]
#[must_use]
pub fn stored_bits(bits: u64, ty: Type) -> u64 {
    if ty == Type::F64 { canonical(bits) } else { bits }
}
