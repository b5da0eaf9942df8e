//! The map for Rust programs: typed, and growing by itself.
//!
//! [`HashMap<K, V>`] owns its memory; [`HashMapRef`] and [`HashMapMut`] work on memory that
//! something else owns (a mapped file, a buffer of JavaScript's). All are one type, [`Map`], over
//! three kinds of [`Storage`]. Keys are `u32`, `i32`, `u64`, `i64`, `f64`, `str` or `[u8]`; values
//! are numbers, `bool`, `str` or `[u8]`.
//!
//! ```
//! use offheap_core::hashmap::HashMap;
//!
//! let mut ports: HashMap<str, u16> = HashMap::new()?;
//! ports.insert("http", 80)?;
//! ports.insert("https", 443)?;
//! assert_eq!(ports.get("https"), Some(443));
//! assert_eq!(ports.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["http", "https"]);
//! # Ok::<(), offheap_core::Error>(())
//! ```
//!
//! Iteration is in insertion order; a value that is replaced keeps its place. `insert` is fallible
//! because memory is; everything else can not fail on sound bytes, and on damaged ones gives
//! answers that are wrong but never unsound (a string that is not UTF-8 reads as missing).

use super::blob::Blob;
use super::hash::canonical;
use super::layout::{LANES, MAX_HEAP};
use super::raw::{Cell, Placed, PlainValue, RawKey, RawMap, RawMapMut, RawValue};
use super::rebuild::{self, NewMap};
use crate::region::element::Type;
use crate::region::header::align;
use crate::region::header::random_seeds;
use crate::region::owned::OwnedMemory;
use crate::{Error, Result};
use std::fmt;
use std::marker::PhantomData;

/// A type that keys can have.
pub trait Key {
    /// Its number in the format.
    const TYPE: Type;
    /// What is passed for a key, and handed out: the number, or a reference.
    type Ref<'a>: Copy;
    /// What the region holds.
    type Raw<'a>: RawKey;
    /// From one to the other. `Range` for a blob that is too long.
    fn raw<'a>(key: Self::Ref<'a>) -> Result<Self::Raw<'a>>;
    /// Reads the key at a position.
    ///
    /// # Safety
    /// The map's keys have this type, the position is below `used`, and the map is not rebuilt nor
    /// cleared while `'a` lasts.
    unsafe fn read<'a>(map: &RawMap, position: u32) -> Option<Self::Ref<'a>>;
}

/// A type that values can have.
pub trait Value {
    /// Its number in the format.
    const TYPE: Type;
    /// What is passed for a value, and handed out: the number, or a reference.
    type Ref<'a>: Copy;
    /// What the region holds.
    type Raw<'a>: RawValue;
    /// From one to the other. `Range` for a blob that is too long.
    fn raw<'a>(value: Self::Ref<'a>) -> Result<Self::Raw<'a>>;
    /// Reads the value at a position.
    ///
    /// # Safety
    /// As for `Key::read`.
    unsafe fn read<'a>(map: &RawMap, position: u32) -> Option<Self::Ref<'a>>;
}

macro_rules! number_keys {
    ($($type:ident $raw:ident $ty:ident, $read:ident, $to:expr, $from:expr;)+) => {$(
        impl Key for $type {
            const TYPE: Type = Type::$ty;
            type Ref<'a> = $type;
            type Raw<'a> = $raw;
            #[inline(always)]
            fn raw<'a>(key: Self::Ref<'a>) -> Result<Self::Raw<'a>> {
                let to: fn($type) -> $raw = $to;
                Ok(to(key))
            }
            #[inline(always)]
            unsafe fn read<'a>(map: &RawMap, position: u32) -> Option<Self::Ref<'a>> {
                let from: fn($raw) -> $type = $from;
                // SAFETY: the caller's word.
                Some(from(unsafe { map.$read(position) }))
            }
        }
    )+};
}

number_keys! {
    u32 u32 U32, key_u32, |key| key, |raw| raw;
    i32 u32 I32, key_u32, i32::cast_unsigned, u32::cast_signed;
    u64 u64 U64, key_u64, |key| key, |raw| raw;
    i64 u64 I64, key_u64, i64::cast_unsigned, u64::cast_signed;
    f64 u64 F64, key_u64, |key| canonical(key.to_bits()), f64::from_bits;
}

macro_rules! number_values {
    ($($type:ident $raw:ident $ty:ident, $to:expr, $from:expr;)+) => {$(
        impl Value for $type {
            const TYPE: Type = Type::$ty;
            type Ref<'a> = $type;
            type Raw<'a> = $raw;
            #[inline(always)]
            fn raw<'a>(value: Self::Ref<'a>) -> Result<Self::Raw<'a>> {
                let to: fn($type) -> $raw = $to;
                Ok(to(value))
            }
            #[inline(always)]
            unsafe fn read<'a>(map: &RawMap, position: u32) -> Option<Self::Ref<'a>> {
                let from: fn($raw) -> $type = $from;
                // SAFETY: the caller's word.
                Some(from(unsafe { <$raw as PlainValue>::read(map, position) }))
            }
        }
    )+};
}

number_values! {
    u8 u8 U8, |value| value, |raw| raw;
    i8 u8 I8, i8::cast_unsigned, u8::cast_signed;
    u16 u16 U16, |value| value, |raw| raw;
    i16 u16 I16, i16::cast_unsigned, u16::cast_signed;
    u32 u32 U32, |value| value, |raw| raw;
    i32 u32 I32, i32::cast_unsigned, u32::cast_signed;
    f32 u32 F32, f32::to_bits, f32::from_bits;
    f64 u64 F64, f64::to_bits, f64::from_bits;
    u64 u64 U64, |value| value, |raw| raw;
    i64 u64 I64, i64::cast_unsigned, u64::cast_signed;
    bool u8 Bool, u8::from, |raw| raw != 0;
}

/// The blob in a cell, as bytes.
///
/// # Safety
/// As for `Key::read`.
unsafe fn cell_bytes<'a>(cell: Result<Cell>) -> Option<&'a [u8]> {
    match cell {
        // SAFETY: the caller's word.
        Ok(Cell::Blob(blob)) => Some(unsafe { blob.bytes() }),
        _ => None,
    }
}

macro_rules! blobs {
    ($($type:ty, $ty:ident, $to:path, $from:expr;)+) => {$(
        impl Key for $type {
            const TYPE: Type = Type::$ty;
            type Ref<'a> = &'a $type;
            type Raw<'a> = Blob<'a>;
            #[inline]
            fn raw<'a>(key: Self::Ref<'a>) -> Result<Self::Raw<'a>> {
                $to(key)
            }
            #[inline]
            unsafe fn read<'a>(map: &RawMap, position: u32) -> Option<&'a $type> {
                let from: fn(&[u8]) -> Option<&$type> = $from;
                // SAFETY: the caller's word.
                unsafe { cell_bytes(map.key_at(position)) }.and_then(from)
            }
        }

        impl Value for $type {
            const TYPE: Type = Type::$ty;
            type Ref<'a> = &'a $type;
            type Raw<'a> = Blob<'a>;
            #[inline]
            fn raw<'a>(value: Self::Ref<'a>) -> Result<Self::Raw<'a>> {
                $to(value)
            }
            #[inline]
            unsafe fn read<'a>(map: &RawMap, position: u32) -> Option<&'a $type> {
                let from: fn(&[u8]) -> Option<&$type> = $from;
                // SAFETY: the caller's word.
                unsafe { cell_bytes(map.value_at(position)) }.and_then(from)
            }
        }
    )+};
}

blobs! {
    str, String, Blob::text, |bytes| std::str::from_utf8(bytes).ok();
    [u8], Bytes, Blob::bytes, |bytes| Some(bytes);
}

/// Where a map's region is.
pub trait Storage {
    /// The view for reading.
    fn map(&self) -> &RawMap;
}

/// Where a map's region is, if it may be changed.
pub trait StorageMut: Storage {
    /// The view for writing.
    fn map_mut(&mut self) -> &mut RawMapMut;
    /// Rebuilds the map so that an entry with so many bytes of blobs fits. `Full` if it can not.
    fn make_room(&mut self, blob_bytes: u64) -> Result<()>;
    /// Empties the map.
    fn clear(&mut self) -> Result<()>;
}

/// Memory of the map's own, which grows.
#[derive(Debug)]
pub struct Owned {
    map: RawMapMut,
    memory: OwnedMemory,
}

/// Someone else's memory, to read.
#[derive(Debug)]
pub struct Shared<'a> {
    map: RawMap,
    memory: PhantomData<&'a [u8]>,
}

/// Someone else's memory, to write.
#[derive(Debug)]
pub struct Exclusive<'a> {
    base: *mut u8,
    len: usize,
    map: RawMapMut,
    memory: PhantomData<&'a mut [u8]>,
}

// SAFETY: it owns its memory, as a Vec does; nothing else knows the address.
unsafe impl Send for Owned {}
// SAFETY: `&Owned` only reads.
unsafe impl Sync for Owned {}

impl Owned {
    fn new(new: &NewMap) -> Result<Owned> {
        let memory = OwnedMemory::new(new.length()?)?;
        // SAFETY: the memory is new and ours.
        let map = unsafe {
            rebuild::init(memory.base(), memory.len(), new)?;
            RawMapMut::attach_intact(memory.base(), memory.len())?
        };
        Ok(Owned { map, memory })
    }

    fn rebuild(&mut self, capacity: u32, heap: u64) -> Result<()> {
        // SAFETY: the memory is ours; whenever it changed the view is attached anew.
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
        // SAFETY: the memory is ours, and no writer of it was ever stopped half-way.
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
            // Doubled while small, then one and a half times, as the entries are.
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

    /// Compacts if there is something to squeeze out, and grows if the memory has room for it.
    #[cold]
    fn make_room(&mut self, blob_bytes: u64) -> Result<()> {
        let (shape, counts) = (self.map.shape(), self.map.counts());
        let living = counts.heap_used - counts.heap_garbage + blob_bytes;
        let heap = shape.heap.max(if shape.heap == 0 { 0 } else { align(living) });
        let full = self.map.used() == shape.capacity && self.map.len() == self.map.used();
        let capacity = if full { self.map.next_capacity()? } else { shape.capacity };
        // SAFETY: whoever made this view vouched for the memory; the view is attached anew.
        unsafe {
            rebuild::rebuild(self.base, self.len, capacity, heap)?;
            self.map = RawMapMut::attach(self.base, self.len)?;
        }
        Ok(())
    }

    fn clear(&mut self) -> Result<()> {
        // SAFETY: whoever made this view vouched for the memory; the view is attached anew.
        unsafe {
            rebuild::clear(self.base, self.len)?;
            self.map = RawMapMut::attach(self.base, self.len)?;
        }
        Ok(())
    }
}

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
        unsafe { super::validate::validate(memory.base(), memory.len()) }
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
