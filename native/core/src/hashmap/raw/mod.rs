//! A checked view of a HashMap's region, and every operation on one entry.
//!
//! [`RawMap`] reads, [`RawMapMut`] also writes. Attaching checks the header once. After that,
//! counts that bound memory accesses are only taken from the private copy, so contents that are
//! hostile, or that change at the same time, cause wrong results, but never a read out of bounds.
//!
//! Cost: a lookup touches one cache line of the index, one of the keys, one of the values.
//!
//! Writing: the format defines the order of stores. Another thread that reads the region sees each
//! change completely or not at all, and a writer that is terminated in between leaves a valid
//! region. Nothing here moves entries: see [`super::rebuild`].

mod handles;
mod repr;
mod write;

pub use self::repr::{PlainValue, RawKey, RawValue, stored_bits};
pub use self::write::{Placed, RawMapMut};

use self::repr::{load_u32, load_u64};
use super::layout::{Layout, Meta, Shape, word};
use crate::region::attach::RegionKind;
use crate::region::element::Type;
use crate::region::memory::Memory;
use crate::table::blob::size_of_blob;
use crate::table::group::{Group, Native};
use crate::table::hash::{Home, Seeds, tag};
use crate::table::index::{Index, Lane};
use crate::{Error, Result};
use std::time::Duration;

/// A view of a map in memory that another thread may be writing.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct RawMap {
    // The fields that every lookup reads come first.
    index: Index,
    home: Home,
    seeds: Seeds,
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
    /// Attaches to the map in `len` bytes at `base`. Checks the header in constant time.
    ///
    /// # Safety
    /// While the view, a copy of it, or anything borrowed from it is used, `base` is valid for
    /// reading `len` bytes. Another thread may write them, as the format allows.
    #[inline]
    pub unsafe fn attach(base: *const u8, len: usize) -> Result<RawMap> {
        // SAFETY: the caller guarantees that the bytes are readable. Nothing is written through the
        // view of a reader.
        let memory = unsafe { Memory::new(base.cast_mut(), len) }?;
        RawMap::read(memory, Duration::ZERO)
    }

    /// `attach` for a reader of a region that another thread owns: waits, up to `timeout`, while it
    /// is being rearranged. `Locked` if that takes longer, because the writer was terminated then.
    ///
    /// # Safety
    /// As for `attach`.
    #[inline]
    pub unsafe fn attach_shared(base: *const u8, len: usize, timeout: Duration) -> Result<RawMap> {
        // SAFETY: the caller guarantees that the bytes are readable.
        let memory = unsafe { Memory::new(base.cast_mut(), len) }?;
        RawMap::read(memory, timeout)
    }

    pub(crate) fn read(memory: Memory, timeout: Duration) -> Result<RawMap> {
        let (_, meta, sequence) = Meta::read_shared(memory, timeout)?;
        Ok(RawMap::new(memory, meta, sequence))
    }

    pub(in crate::hashmap) fn new(memory: Memory, meta: Meta, sequence: u32) -> RawMap {
        let Layout { index, dead, keys, values, heap, .. } = meta.layout;
        // SAFETY: the sections of a checked header are within the memory.
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

    /// The offsets of the sections, in bytes.
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
    pub(crate) fn seeds(&self) -> &Seeds {
        &self.seeds
    }

    /// The home bucket of a hash.
    #[inline(always)]
    pub(crate) fn home(&self, hash: u32) -> u32 {
        self.home.of(hash)
    }

    /// Entries appended since the last compaction, including dead ones. At most the capacity.
    /// Entries below it are complete, even if another thread has just appended them.
    #[inline(always)]
    #[must_use]
    pub fn used(&self) -> u32 {
        self.memory.word_acquire(word::USED).min(self.capacity)
    }

    /// The number of living entries.
    #[inline]
    #[must_use]
    pub fn len(&self) -> u32 {
        self.used().saturating_sub(self.memory.word(word::DEAD))
    }

    /// Whether there are no living entries.
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

    /// The capacity for a rebuild of a full map: the same one if at least a quarter of the entries
    /// is dead, so that operations on a map of constant size cost O(1) under permanent churn, or
    /// else the next larger one.
    pub fn next_capacity(&self) -> Result<u32> {
        let dead = self.used() - self.len();
        if dead > 0 && u64::from(dead) * 4 >= u64::from(self.used()) {
            return Ok(self.capacity);
        }
        if self.capacity == super::layout::MAX_CAPACITY {
            return Err(Error::full("the map has the largest possible capacity"));
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

    /// The first living entry at or after a position: `position = map.next_from(position + 1)`
    /// walks the map in insertion order, even while entries are inserted and deleted.
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

    /// Finds a key with this hash. The position is below `used`.
    ///
    /// # Safety
    /// The map's keys have the representation `K`.
    #[inline(always)]
    pub(crate) unsafe fn find_with<G: Group, K: RawKey>(&self, key: K, hash: u32) -> Option<(Lane, u32)> {
        let used = self.used();
        let home = self.home(hash);
        let found = self.index.find_in::<G>(home, tag(hash), |position| {
            // SAFETY: the position is below `used`, which is at most the capacity, and the caller
            // guarantees the representation of the keys.
            position < used && unsafe { key.equals(self, position) }
        });
        if found.is_some() || self.index.overflow(home) == 0 {
            return found;
        }
        // SAFETY: the caller guarantees the representation of the keys.
        unsafe { self.find_beyond::<G, K>(key, hash) }
    }

    /// `find_with` after the home bucket. Out of line and without arguments by reference, so that
    /// the common case keeps everything in registers.
    ///
    /// # Safety
    /// The map's keys have the representation `K`.
    #[inline(never)]
    unsafe fn find_beyond<G: Group, K: RawKey>(&self, key: K, hash: u32) -> Option<(Lane, u32)> {
        let used = self.used();
        self.index.find_beyond::<G>(self.home(hash), tag(hash), |position| {
            // SAFETY: the position is below `used`, which is at most the capacity, and the caller
            // guarantees the representation of the keys.
            position < used && unsafe { key.equals(self, position) }
        })
    }

    /// The position of a key.
    ///
    /// # Safety
    /// The map's keys have the representation `K`.
    #[inline(always)]
    pub(crate) unsafe fn position_of<K: RawKey>(&self, key: K) -> Option<u32> {
        // SAFETY: the caller guarantees the representation of the keys.
        unsafe { self.find_with::<Native, K>(key, key.hash(&self.seeds)) }.map(|(_, position)| position)
    }

    /// The position of a key; positions are stable until a rebuild. Panics if keys have another
    /// representation.
    #[inline]
    #[must_use]
    pub fn find<K: RawKey>(&self, key: K) -> Option<u32> {
        assert!(K::fits(self.meta.shape.key), "a key of another representation");
        // SAFETY: the representation and the position were just checked.
        unsafe { self.position_of(key) }
    }

    /// The value at a position. Panics if the position is past the last entry, or if values have
    /// another representation.
    #[inline]
    #[must_use]
    pub fn value<V: PlainValue>(&self, position: u32) -> V {
        assert!(V::fits(self.meta.shape.value), "a value of another representation");
        assert!(position < self.capacity, "position {position} is past the last entry");
        // SAFETY: the representation and the position were just checked.
        unsafe { V::read(self, position) }
    }

    /// The stored key: a number, or a blob reference.
    ///
    /// # Safety
    /// The position is below the capacity and the keys are 4 bytes wide.
    #[inline(always)]
    pub(crate) unsafe fn key_u32(&self, position: u32) -> u32 {
        debug_assert!(position < self.capacity);
        // SAFETY: the caller guarantees the position and the width of the keys.
        unsafe { load_u32(self.keys, position) }
    }

    /// The stored key.
    ///
    /// # Safety
    /// The position is below the capacity and the keys are 8 bytes wide.
    #[inline(always)]
    pub(crate) unsafe fn key_u64(&self, position: u32) -> u64 {
        debug_assert!(position < self.capacity);
        // SAFETY: the caller guarantees the position and the width of the keys.
        unsafe { load_u64(self.keys, position) }
    }

    /// The key at a position: its bits, or the blob. Panics if the position is past the last entry.
    pub fn key_at(&self, position: u32) -> Result<Cell> {
        self.cell(self.meta.shape.key, self.meta.layout.keys, position)
    }

    /// The value at a position: its bits, or the blob. Panics if the position is past the last
    /// entry.
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

    /// The blob of a reference; `None` if it is not completely in the heap.
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
        // SAFETY: the bytes are within the heap, too.
        let data = unsafe { self.memory.at(self.heap + at as usize + 4) };
        Some(StoredBlob { head, data })
    }

    /// The address of a key, for prefetching. The position may be any number.
    #[inline(always)]
    pub(crate) fn key_address<K: RawKey>(&self, position: u32) -> *const u8 {
        self.keys.wrapping_add(position as usize * K::WIDTH)
    }

    /// The address of a value, for prefetching. The position may be any number.
    #[inline(always)]
    pub(crate) fn value_address(&self, position: u32, width: usize) -> *const u8 {
        self.values.wrapping_add(position as usize * width)
    }
}

/// Counts of a map that change with its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// The number of times that entries changed their positions, modulo 2^32.
    pub moves: u32,
    /// Used bytes of the heap.
    pub heap_used: u64,
    /// The used bytes that no entry refers to.
    pub heap_garbage: u64,
}

/// The contents of a column at a position.
#[derive(Clone, Copy, Debug)]
pub enum Cell {
    /// The bits of a number.
    Bits(u64),
    /// A string or bytes.
    Blob(StoredBlob),
    /// Nothing: the values are not in the region.
    None,
}

/// A blob in a region's heap, completely within the region. It does not move or change until the
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

    /// The number of bytes.
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
        // SAFETY: the blob was within the region when it was found, and the caller guarantees that
        // the region is still valid and was neither rebuilt nor cleared.
        unsafe { std::slice::from_raw_parts(self.data, self.len()) }
    }
}
