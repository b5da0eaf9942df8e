//! The typed map, over any storage.

use super::key::Key;
use super::storage::{Exclusive, Owned, Shared, Storage, StorageMut};
use super::value::Value;
use crate::hashmap::layout::{LANES, MAX_HEAP};
use crate::hashmap::raw::{Placed, RawKey, RawMap, RawMapMut, RawValue};
use crate::hashmap::rebuild::{self, NewMap};
use crate::hashmap::validate;
use crate::region::header::{align, random_seeds};
use crate::{Error, Result};
use std::fmt;
use std::marker::PhantomData;

/// A map from `K` to `V`. See the module's documentation.
pub struct Map<K: ?Sized, V: ?Sized, S> {
    storage: S,
    types: PhantomData<fn(&K) -> &V>,
}

/// A map that owns its memory.
pub type HashMap<K, V> = Map<K, V, Owned>;
/// A map in borrowed memory, for reading.
pub type HashMapRef<'a, K, V> = Map<K, V, Shared<'a>>;
/// A map in borrowed memory, for writing.
pub type HashMapMut<'a, K, V> = Map<K, V, Exclusive<'a>>;

fn check_types<K: Key + ?Sized, V: Value + ?Sized>(map: &RawMap) -> Result<()> {
    let (found, wanted) = ((map.shape().key, map.shape().value), (K::TYPE, V::TYPE));
    if found == wanted {
        return Ok(());
    }
    Err(Error::wrong_type(format!(
        "the region maps {:?} to {:?}, not {:?} to {:?}",
        found.0, found.1, wanted.0, wanted.1
    )))
}

impl<K: Key + ?Sized, V: Value + ?Sized> HashMap<K, V> {
    /// Creates an empty map.
    pub fn new() -> Result<Self> {
        Self::with_capacity(LANES as u32)
    }

    /// Creates an empty map that can contain `capacity` entries before it grows.
    pub fn with_capacity(capacity: u32) -> Result<Self> {
        Self::with_capacity_and_seeds(capacity, random_seeds())
    }

    /// Creates an empty map with reproducible bytes, which depend on the seeds and operations only.
    pub fn with_capacity_and_seeds(capacity: u32, seeds: [u32; 2]) -> Result<Self> {
        let blobs = u64::from(K::TYPE.is_blob()) + u64::from(V::TYPE.is_blob());
        // Initially with room for blobs of twelve bytes.
        let heap = align(u64::from(capacity) * blobs * 16).min(MAX_HEAP);
        let new = NewMap { key: K::TYPE, value: V::TYPE, capacity, heap, seeds };
        Ok(Map { storage: Owned::new(&new)?, types: PhantomData })
    }

    /// The region, which can be saved and opened again. Zeros unused bytes, so that the result
    /// depends on the operations only and contains nothing that was deleted since the last rebuild.
    pub fn bytes(&mut self) -> &[u8] {
        rebuild::zero_unused(&mut self.storage.map);
        let length = self.storage.map.layout().length;
        // SAFETY: this map owns the memory, and its region has `length` bytes, all of which were
        // written, by `zero_unused` if not before; nothing writes while `self` is borrowed.
        unsafe { std::slice::from_raw_parts(self.storage.memory.base(), length) }
    }

    /// Rebuilds the map to a capacity of exactly its number of entries.
    pub fn shrink_to_fit(&mut self) -> Result<()> {
        let map = &self.storage.map;
        self.storage.rebuild(map.len().max(1), 0)
    }

    /// Rebuilds to a capacity, at least the number of entries, and a heap of `heap` bytes, or more
    /// if the strings and bytes in it need more. Removes deleted entries.
    pub fn rebuild(&mut self, capacity: u32, heap: u64) -> Result<()> {
        self.storage.rebuild(capacity, heap)
    }

    /// Makes room for `capacity` entries in total.
    pub fn reserve(&mut self, capacity: u32) -> Result<()> {
        if capacity > self.storage.map.shape().capacity {
            self.storage.rebuild(capacity, self.storage.map.shape().heap)?;
        }
        Ok(())
    }
}

impl<'a, K: Key + ?Sized, V: Value + ?Sized> HashMapRef<'a, K, V> {
    /// Opens the map in `len` bytes at `base`. Checks the header in constant time.
    ///
    /// # Safety
    /// While `'a` lasts, the bytes are readable, and no rebuild or clear changes them.
    pub unsafe fn attach(base: *const u8, len: usize) -> Result<Self> {
        // SAFETY: guaranteed by the caller, as `attach` requires.
        let map = unsafe { RawMap::attach(base, len) }?;
        check_types::<K, V>(&map)?;
        Ok(Map { storage: Shared { map, memory: PhantomData }, types: PhantomData })
    }

    /// Opens the map in a slice that starts at a multiple of 8.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        // SAFETY: a shared slice is readable and does not change while it is borrowed.
        unsafe { Self::attach(bytes.as_ptr(), bytes.len()) }
    }
}

impl<K: Key + ?Sized, V: Value + ?Sized> HashMapMut<'_, K, V> {
    /// Opens the map in `len` bytes at `base`. Checks the header in constant time.
    ///
    /// # Safety
    /// While `'a` lasts, the bytes are readable and writable, and nothing else writes them.
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<Self> {
        // SAFETY: guaranteed by the caller, as `attach` requires.
        let map = unsafe { RawMapMut::attach(base, len) }?;
        check_types::<K, V>(&map)?;
        Ok(Map { storage: Exclusive { base, len, map, memory: PhantomData }, types: PhantomData })
    }
}

impl<K: Key + ?Sized, V: Value + ?Sized, S: Storage> Map<K, V, S> {
    /// The number of entries.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.raw().len() as usize
    }

    /// Whether the map is empty.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.raw().is_empty()
    }

    /// The number of entries before the map grows, including deleted ones that were not removed
    /// yet.
    #[inline]
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.raw().shape().capacity as usize
    }

    /// The view that all operations use.
    #[inline(always)]
    #[must_use]
    pub fn raw(&self) -> &RawMap {
        self.storage.map()
    }

    #[inline(always)]
    fn find(&self, key: K::Ref<'_>) -> Option<u32> {
        // A key that is too long to be stored is not in the map.
        let key = K::raw(key).ok()?;
        // SAFETY: the types were checked when the map was created or opened.
        unsafe { self.raw().position_of(key) }
    }

    /// The value of a key.
    #[inline(always)]
    #[must_use]
    pub fn get(&self, key: K::Ref<'_>) -> Option<V::Ref<'_>> {
        let position = self.find(key)?;
        // SAFETY: `find` returns positions below `used`; rebuilding needs `&mut self`.
        unsafe { V::read(self.raw(), position) }
    }

    /// Whether the map contains a key.
    #[inline(always)]
    #[must_use]
    pub fn contains_key(&self, key: K::Ref<'_>) -> bool {
        self.find(key).is_some()
    }

    /// Key and value of the entry that a handle identifies, if it exists.
    #[inline]
    #[must_use]
    pub fn get_by_handle(&self, handle: u64) -> Option<(K::Ref<'_>, V::Ref<'_>)> {
        self.entry(self.raw().position_of_handle(handle)?)
    }

    #[inline]
    fn entry(&self, position: u32) -> Option<(K::Ref<'_>, V::Ref<'_>)> {
        // SAFETY: callers pass positions of living entries; rebuilding needs `&mut self`.
        unsafe { Some((K::read(self.raw(), position)?, V::read(self.raw(), position)?)) }
    }

    /// All entries, in insertion order.
    pub fn iter(&self) -> impl Iterator<Item = (K::Ref<'_>, V::Ref<'_>)> {
        let mut next = 0;
        std::iter::from_fn(move || {
            let position = self.raw().next_from(next)?;
            next = position + 1;
            Some(self.entry(position))
        })
        .flatten()
    }

    /// Checks all contents.
    pub fn validate(&self) -> Result<()> {
        let memory = self.raw().memory();
        // SAFETY: the memory of a map is readable as long as the map exists.
        unsafe { validate::validate(memory.base(), memory.len()) }
    }
}

impl<K: Key + ?Sized, V: Value + ?Sized, S: StorageMut> Map<K, V, S> {
    /// Inserts a key or replaces its value. Returns whether the key was new.
    #[inline]
    pub fn insert(&mut self, key: K::Ref<'_>, value: V::Ref<'_>) -> Result<bool> {
        let (key, value) = (K::raw(key)?, V::raw(value)?);
        let map = self.storage.map_mut();
        let hash = key.hash(map.seeds());
        // SAFETY: the types were checked when the map was created or opened.
        match unsafe { map.upsert(key, value, hash) } {
            Placed::Inserted(_) => Ok(true),
            Placed::Replaced(_) => Ok(false),
            Placed::Full => self.insert_after_growth(key, value, hash),
        }
    }

    #[cold]
    fn insert_after_growth(&mut self, key: K::Raw<'_>, value: V::Raw<'_>, hash: u32) -> Result<bool> {
        // Twice, because a compaction may not make enough room, and the second rebuild grows.
        for _ in 0..2 {
            self.storage.make_room(key.heap_bytes() + value.heap_bytes())?;
            // SAFETY: the types were checked when the map was created or opened, and do not change.
            match unsafe { self.storage.map_mut().upsert(key, value, hash) } {
                Placed::Inserted(_) => return Ok(true),
                Placed::Replaced(_) => return Ok(false),
                Placed::Full => {}
            }
        }
        Err(Error::full("the map cannot grow"))
    }

    /// Deletes a key. Returns whether the map contained it.
    #[inline]
    pub fn remove(&mut self, key: K::Ref<'_>) -> bool {
        let Ok(key) = K::raw(key) else { return false };
        let map = self.storage.map_mut();
        let hash = key.hash(map.seeds());
        // SAFETY: the types were checked when the map was created or opened.
        unsafe { map.delete(key, hash) }.is_some()
    }

    /// A number that identifies the entry of a key as long as it exists, even while other entries
    /// are inserted and deleted.
    #[inline]
    pub fn handle_of(&mut self, key: K::Ref<'_>) -> Option<u64> {
        let position = self.find(key)?;
        let map = self.storage.map_mut();
        map.issue_handles();
        Some(map.handle_at(position))
    }

    /// Deletes all entries. The capacity stays.
    pub fn clear(&mut self) -> Result<()> {
        self.storage.clear()
    }
}

impl<K: Key + ?Sized, V: Value + ?Sized, S: Storage> fmt::Debug for Map<K, V, S>
where
    for<'a> K::Ref<'a>: fmt::Debug,
    for<'a> V::Ref<'a>: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}
