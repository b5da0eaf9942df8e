//! The storage of a typed map: memory of its own, or memory that something else owns.

use crate::hashmap::layout::MAX_HEAP;
use crate::hashmap::raw::{RawMap, RawMapMut};
use crate::hashmap::rebuild::{self, NewMap};
use crate::region::header::align;
use crate::region::owned::OwnedMemory;
use crate::{Error, Result};
use std::marker::PhantomData;

/// The memory of a map's region.
pub trait Storage {
    /// The view for reading.
    fn map(&self) -> &RawMap;
}

/// The memory of a map's region that may be changed.
pub trait StorageMut: Storage {
    /// The view for writing.
    fn map_mut(&mut self) -> &mut RawMapMut;
    /// Rebuilds the map so that an entry with `blob_bytes` bytes of blobs fits. `Full` if that is
    /// not possible.
    fn make_room(&mut self, blob_bytes: u64) -> Result<()>;
    /// Deletes all entries.
    fn clear(&mut self) -> Result<()>;
}

/// Memory that the map owns, and that grows.
#[derive(Debug)]
pub struct Owned {
    pub(super) map: RawMapMut,
    pub(super) memory: OwnedMemory,
}

/// Borrowed memory, for reading.
#[derive(Debug)]
pub struct Shared<'a> {
    pub(super) map: RawMap,
    pub(super) memory: PhantomData<&'a [u8]>,
}

/// Borrowed memory, for writing.
#[derive(Debug)]
pub struct Exclusive<'a> {
    pub(super) base: *mut u8,
    pub(super) len: usize,
    pub(super) map: RawMapMut,
    pub(super) memory: PhantomData<&'a mut [u8]>,
}

// SAFETY: it owns its memory, as a Vec does; nothing else refers to it.
unsafe impl Send for Owned {}
// SAFETY: `&Owned` only reads.
unsafe impl Sync for Owned {}

impl Owned {
    pub(super) fn new(new: &NewMap) -> Result<Owned> {
        let memory = OwnedMemory::new(new.length()?)?;
        // SAFETY: the memory is new, and this value owns it.
        let map = unsafe {
            rebuild::init(memory.base(), memory.len(), new)?;
            RawMapMut::attach_intact(memory.base(), memory.len())?
        };
        Ok(Owned { map, memory })
    }

    pub(super) fn rebuild(&mut self, capacity: u32, heap: u64) -> Result<()> {
        // SAFETY: this value owns the memory, and attaches the view again whenever it changed.
        unsafe {
            let (base, len) = (self.memory.base(), self.memory.len());
            let needed = rebuild::rebuild_length(base, len, capacity, heap)?;
            if needed > len {
                self.memory.grow(needed, self.map.layout().length)?;
                self.attach()?;
            }
            rebuild::rebuild_view(&mut self.map, capacity, heap)?;
        }
        self.attach()
    }

    fn attach(&mut self) -> Result<()> {
        // SAFETY: this value owns the memory, and no writer was ever terminated.
        self.map = unsafe { RawMapMut::attach_intact(self.memory.base(), self.memory.len()) }?;
        Ok(())
    }
}

impl Storage for Owned {
    #[inline(always)]
    fn map(&self) -> &RawMap {
        &self.map
    }
}

impl StorageMut for Owned {
    #[inline(always)]
    fn map_mut(&mut self) -> &mut RawMapMut {
        &mut self.map
    }

    #[cold]
    fn make_room(&mut self, blob_bytes: u64) -> Result<()> {
        let (shape, counts) = (self.map.shape(), self.map.counts());
        let heap_full = counts.heap_used + blob_bytes > shape.heap;
        // A heap that is full of garbage needs a rebuild, but not a larger capacity.
        let entries_full = !heap_full || self.map.used() == shape.capacity;
        let capacity = if entries_full { self.map.next_capacity()? } else { shape.capacity };
        let living = counts.heap_used - counts.heap_garbage + blob_bytes;
        let heap = if living > shape.heap / 4 * 3 {
            // Twice as much while small, then one and a half times, as the entries.
            let grown = if living < 1 << 20 { living * 2 } else { living + living / 2 };
            if living > MAX_HEAP {
                return Err(Error::full("the map's strings and bytes have reached 16 GiB"));
            }
            align(grown).min(MAX_HEAP)
        } else {
            shape.heap
        };
        self.rebuild(capacity, heap)
    }

    fn clear(&mut self) -> Result<()> {
        rebuild::clear_view(&mut self.map)?;
        self.attach()
    }
}

impl Storage for Shared<'_> {
    #[inline(always)]
    fn map(&self) -> &RawMap {
        &self.map
    }
}

impl Storage for Exclusive<'_> {
    #[inline(always)]
    fn map(&self) -> &RawMap {
        &self.map
    }
}

impl StorageMut for Exclusive<'_> {
    #[inline(always)]
    fn map_mut(&mut self) -> &mut RawMapMut {
        &mut self.map
    }

    /// Compacts if there are dead entries, and grows if the memory has room.
    #[cold]
    fn make_room(&mut self, blob_bytes: u64) -> Result<()> {
        let (shape, counts) = (self.map.shape(), self.map.counts());
        let living = counts.heap_used - counts.heap_garbage + blob_bytes;
        let heap = shape.heap.max(if shape.heap == 0 { 0 } else { align(living) });
        let full = self.map.used() == shape.capacity && self.map.len() == self.map.used();
        let capacity = if full { self.map.next_capacity()? } else { shape.capacity };
        // SAFETY: the caller of `open` guarantees that the memory is writable and has no other
        // writer; the view is attached again.
        unsafe {
            rebuild::rebuild(self.base, self.len, capacity, heap)?;
            self.map = RawMapMut::attach(self.base, self.len)?;
        }
        Ok(())
    }

    fn clear(&mut self) -> Result<()> {
        // SAFETY: the caller of `open` guarantees that the memory is writable and has no other
        // writer; the view is attached again.
        unsafe {
            rebuild::clear(self.base, self.len)?;
            self.map = RawMapMut::attach(self.base, self.len)?;
        }
        Ok(())
    }
}
