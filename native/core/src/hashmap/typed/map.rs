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
/// A map in someone else's memory, to read.
pub type HashMapRef<'a, K, V> = Map<K, V, Shared<'a>>;
/// A map in someone else's memory, to write.
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
    /// An empty map.
    pub fn new() -> Result<Self> {
        Self::with_capacity(LANES as u32)
    }

    /// An empty map that holds so many entries before it grows.
    pub fn with_capacity(capacity: u32) -> Result<Self> {
        Self::with_capacity_and_seeds(capacity, random_seeds())
    }

    /// An empty map whose bytes are reproducible: they follow from the seeds and the operations.
    pub fn with_capacity_and_seeds(capacity: u32, seeds: [u32; 2]) -> Result<Self> {
        let blobs = u64::from(K::TYPE.is_blob()) + u64::from(V::TYPE.is_blob());
        // Room for blobs of twelve bytes, to begin with.
        let heap = align(u64::from(capacity) * blobs * 16).min(MAX_HEAP);
        let new = NewMap { key: K::TYPE, value: V::TYPE, capacity, heap, seeds };
        Ok(Map { storage: Owned::new(&new)?, types: PhantomData })
    }

    /// The region: what can be saved, and opened again. Zeroes what is not in use, so that the
    /// bytes follow from the operations and hold nothing that was deleted since the last rebuild.
    pub fn bytes(&mut self) -> &[u8] {
        rebuild::zero_unused(&mut self.storage.map);
        let length = self.storage.map.layout().length;
        // SAFETY: the memory is ours, and `length` bytes of it are the region, each of which was
        // written, at the latest just now; nobody writes while `self` is borrowed.
        unsafe { std::slice::from_raw_parts(self.storage.memory.base(), length) }
    }

    /// Gives up what a smaller map would not need: rebuilds to exactly as many entries as there
    /// are.
    pub fn shrink_to_fit(&mut self) -> Result<()> {
        let map = &self.storage.map;
        self.storage.rebuild(map.len().max(1), 0)
    }

    /// Rebuilds to a capacity, at least the number of entries, and a heap of so many bytes, or as
    /// many as the strings and bytes in it need. Deleted entries are squeezed out.
    pub fn rebuild(&mut self, capacity: u32, heap: u64) -> Result<()> {
        self.storage.rebuild(capacity, heap)
    }

    /// Makes room for so many entries in all.
    pub fn reserve(&mut self, capacity: u32) -> Result<()> {
        if capacity > self.storage.map.shape().capacity {
            self.storage.rebuild(capacity, self.storage.map.shape().heap)?;
        }
        Ok(())
    }
}

impl<'a, K: Key + ?Sized, V: Value + ?Sized> HashMapRef<'a, K, V> {
    /// The map in `len` bytes at `base`. Checks the header in constant time.
    ///
    /// # Safety
    /// While `'a` lasts the bytes can be read, and no rebuild or clear changes them.
    pub unsafe fn attach(base: *const u8, len: usize) -> Result<Self> {
        // SAFETY: the caller's word.
        let map = unsafe { RawMap::attach(base, len) }?;
        check_types::<K, V>(&map)?;
        Ok(Map { storage: Shared { map, memory: PhantomData }, types: PhantomData })
    }

    /// The map in a slice that starts at a multiple of 8.
    pub fn open(bytes: &'a [u8]) -> Result<Self> {
        // SAFETY: a shared slice is readable and unchanging while it is borrowed.
        unsafe { Self::attach(bytes.as_ptr(), bytes.len()) }
    }
}

impl<K: Key + ?Sized, V: Value + ?Sized> HashMapMut<'_, K, V> {
    /// The map in `len` bytes at `base`. Checks the header in constant time.
    ///
    /// # Safety
    /// While `'a` lasts the bytes can be read and written, and nothing else writes them.
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<Self> {
        // SAFETY: the caller's word.
        let map = unsafe { RawMapMut::attach(base, len) }?;
        check_types::<K, V>(&map)?;
        Ok(Map { storage: Exclusive { base, len, map, memory: PhantomData }, types: PhantomData })
    }
}

impl<K: Key + ?Sized, V: Value + ?Sized, S: Storage> Map<K, V, S> {
    /// How many entries there are.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.raw().len() as usize
    }

    /// Whether there is none.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.raw().is_empty()
    }

    /// Entries it can hold before it grows, deleted ones that were not squeezed out included.
    #[inline]
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.raw().shape().capacity as usize
    }

    /// The view that everything goes through.
    #[inline(always)]
    #[must_use]
    pub fn raw(&self) -> &RawMap {
        self.storage.map()
    }

    #[inline(always)]
    fn find(&self, key: K::Ref<'_>) -> Option<u32> {
        // A key that is too long to be stored is not in the map.
        let key = K::raw(key).ok()?;
        // SAFETY: the types were checked when the map was made.
        unsafe { self.raw().position_of(key) }
    }

    /// The value of a key.
    #[inline(always)]
    #[must_use]
    pub fn get(&self, key: K::Ref<'_>) -> Option<V::Ref<'_>> {
        let position = self.find(key)?;
        // SAFETY: `find` gives positions below `used`; rebuilding needs `&mut self`.
        unsafe { V::read(self.raw(), position) }
    }

    /// Whether a key is there.
    #[inline(always)]
    #[must_use]
    pub fn contains_key(&self, key: K::Ref<'_>) -> bool {
        self.find(key).is_some()
    }

    /// Key and value of the entry that a handle names, while it lives.
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

    /// Proves that all contents are sound.
    pub fn validate(&self) -> Result<()> {
        let memory = self.raw().memory();
        // SAFETY: the memory of a map that exists can be read.
        unsafe { validate::validate(memory.base(), memory.len()) }
    }
}

impl<K: Key + ?Sized, V: Value + ?Sized, S: StorageMut> Map<K, V, S> {
    /// Inserts a key or gives it a new value. Tells whether the key was new.
    #[inline]
    pub fn insert(&mut self, key: K::Ref<'_>, value: V::Ref<'_>) -> Result<bool> {
        let (key, value) = (K::raw(key)?, V::raw(value)?);
        let map = self.storage.map_mut();
        let hash = key.hash(map.seeds());
        // SAFETY: the types were checked when the map was made.
        match unsafe { map.upsert(key, value, hash) } {
            Placed::Inserted(_) => Ok(true),
            Placed::Replaced(_) => Ok(false),
            Placed::Full => self.insert_after_growth(key, value, hash),
        }
    }

    #[cold]
    fn insert_after_growth(&mut self, key: K::Raw<'_>, value: V::Raw<'_>, hash: u32) -> Result<bool> {
        // Twice, because a compaction may not make room enough where growth does.
        for _ in 0..2 {
            self.storage.make_room(key.heap_bytes() + value.heap_bytes())?;
            // SAFETY: the types were checked when the map was made, and do not change.
            match unsafe { self.storage.map_mut().upsert(key, value, hash) } {
                Placed::Inserted(_) => return Ok(true),
                Placed::Replaced(_) => return Ok(false),
                Placed::Full => {}
            }
        }
        Err(Error::full("the map can not grow"))
    }

    /// Deletes a key. Tells whether it was there.
    #[inline]
    pub fn remove(&mut self, key: K::Ref<'_>) -> bool {
        let Ok(key) = K::raw(key) else { return false };
        let map = self.storage.map_mut();
        let hash = key.hash(map.seeds());
        // SAFETY: the types were checked when the map was made.
        unsafe { map.delete(key, hash) }.is_some()
    }

    /// A number that names the entry of a key for as long as it lives, also when others come and
    /// go.
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
