//! A checked view of a HashMap's region, and every operation on one entry.
//!
//! [`RawMap`] reads, [`RawMapMut`] also writes. Attaching checks the header once; after that no
//! operation looks at a count that bounds memory access except through the private copy, so
//! contents that are hostile, or change meanwhile, give wrong answers but never a read outside.
//!
//! Cost: a lookup touches one cache line of the index, one of the keys, one of the values.
//!
//! Writing: the order of stores is the format's. Another thread that reads the region sees each
//! change whole or not at all, and a writer that is stopped in between leaves a valid region.
//! Nothing here moves an entry: that is `rebuild.rs`.

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
use crate::table::hash::{Home, tag};
use crate::table::index::{Index, Lane};
use crate::{Error, Result};
use std::time::Duration;

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
        let (_, meta, sequence) = Meta::read_shared(memory, patience)?;
        Ok(RawMap::new(memory, meta, sequence))
    }

    pub(in crate::hashmap) fn new(memory: Memory, meta: Meta, sequence: u32) -> RawMap {
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
    /// What is read of them afterwards is there, also where another thread has just appended them.
    #[inline(always)]
    #[must_use]
    pub fn used(&self) -> u32 {
        self.memory.word_acquire(word::USED).min(self.capacity)
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

    /// The capacity to rebuild a full map to: the same if at least a quarter of the entries is
    /// dead, so that a map of constant size costs O(1) per operation under endless churn; else the
    /// next larger.
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

    /// The first living entry at or after a position: `position = map.next_from(position + 1)`
    /// walks the map in insertion order, also while entries are inserted and deleted.
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
    pub(crate) unsafe fn find_with<G: Group, K: RawKey>(&self, key: K, hash: u32) -> Option<(Lane, u32)> {
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

    /// `find_with` after the home bucket. Out of line, and with nothing passed by reference, so
    /// that the common case keeps everything in registers.
    ///
    /// # Safety
    /// The map's keys are of the form `K`.
    #[inline(never)]
    unsafe fn find_beyond<G: Group, K: RawKey>(&self, key: K, hash: u32) -> Option<(Lane, u32)> {
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

    /// The position of a key; positions are stable until a rebuild. Panics on a key of the wrong
    /// form.
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

/// A blob in a region's heap, all of which is within the region. It stays there, unchanged, until
/// the next rebuild or clear.
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
