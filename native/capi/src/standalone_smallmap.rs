//! A single small map: an opaque handle, not a region. For many of them, use an arena.
//!
//! `oh_standalone_smallmap_*(map, …)`: up to 8 entries are stored in the map itself and searched
//! with vector instructions; a ninth entry moves them to a hash table. Keys and values are passed
//! by address and length, as for `oh_hashmap_*`.

use crate::args::{check_pointer, slice};
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, take_back};
use crate::status::oh_status;
use offheap_core::region::element::Type;
use offheap_core::smallmap::search::{Lane, Searchable};
use offheap_core::smallmap::{Key, SmallMap};
use offheap_core::table::blob::text_encoding;
use offheap_core::{Error, Result};
use std::borrow::Borrow;
use std::ffi::c_void;

/// A small map. Created by `oh_standalone_smallmap_new`, freed by `oh_standalone_smallmap_free`.
pub struct oh_standalone_smallmap {
    key: Type,
    value: Type,
    map: Map,
}

/// One map for each width of keys. A value is eight bytes, aligned: its own, then zeros.
enum Map {
    Bytes1(SmallMap<u8, u64>),
    Bytes2(SmallMap<u16, u64>),
    Bytes4(SmallMap<u32, u64>),
    Bytes8(SmallMap<u64, u64>),
    Text(SmallMap<Vec<u8>, u64>),
}

/// A key and a value of a small map. Numbers are aligned; strings and byte sequences have no
/// terminating NUL. The pointers are valid until the map is changed.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_standalone_smallmap_entry {
    /// The key.
    pub key: *const c_void,
    /// Bytes of the key.
    pub key_length: usize,
    /// The value.
    pub value: *const c_void,
    /// Bytes of the value.
    pub value_length: usize,
}

/// Runs an expression for whichever map it is.
macro_rules! with_map {
    ($map:expr, $name:ident => $body:expr) => {
        match $map {
            Map::Bytes1($name) => $body,
            Map::Bytes2($name) => $body,
            Map::Bytes4($name) => $body,
            Map::Bytes8($name) => $body,
            Map::Text($name) => $body,
        }
    };
}

/// A key as C passes it.
trait Passed: Key {
    /// A key or value as C passes it.
    type Argument<'a>: Borrow<Self::Query>;
    /// Reads it.
    fn read(bytes: &[u8], ty: Type) -> Result<Self::Argument<'_>>;
    /// The key that a map keeps.
    fn own(argument: Self::Argument<'_>) -> Result<Self>;
    /// Where its bytes are.
    fn bytes(&self) -> (*const c_void, usize);
}

macro_rules! numbers {
    ($($lane:ident $float:ident;)+) => {$(
        impl Passed for $lane {
            type Argument<'a> = $lane;
            #[inline]
            fn read(bytes: &[u8], ty: Type) -> Result<$lane> {
                let Ok(bytes) = bytes.try_into() else { return Err(wrong_length("key", bytes.len(), ty)) };
                let bits = $lane::from_le_bytes(bytes);
                Ok(if matches!(ty, Type::F32 | Type::F64) { $float::from_lane(bits).to_lane() } else { bits })
            }
            #[inline]
            fn own(argument: $lane) -> Result<$lane> {
                Ok(argument)
            }
            fn bytes(&self) -> (*const c_void, usize) {
                (std::ptr::from_ref(self).cast(), <$lane as Lane>::BYTES)
            }
        }
    )+};
}

// The second is the float as wide, if there is one.
numbers! { u8 u8; u16 u16; u32 f32; u64 f64; }

impl Passed for Vec<u8> {
    type Argument<'a> = &'a [u8];
    fn read(bytes: &[u8], ty: Type) -> Result<&[u8]> {
        if ty == Type::String && text_encoding(bytes).is_none() {
            return Err(Error::range("a string must be UTF-8 (or WTF-8, if it has lone surrogates)"));
        }
        Ok(bytes)
    }
    fn own(argument: &[u8]) -> Result<Vec<u8>> {
        let mut key = Vec::new();
        key.try_reserve_exact(argument.len())?;
        key.extend_from_slice(argument);
        Ok(key)
    }
    fn bytes(&self) -> (*const c_void, usize) {
        (self.as_ptr().cast(), self.len())
    }
}

#[cold]
fn wrong_length(what: &str, length: usize, ty: Type) -> Error {
    Error::wrong_type(format!("the {what} has {length} bytes, but {ty:?} has {}", ty.width()))
}

fn get<'a, K: Passed>(map: &'a SmallMap<K, u64>, key: &[u8], ty: Type) -> Result<Option<&'a u64>> {
    Ok(map.get(K::read(key, ty)?.borrow()))
}

fn remove<K: Passed>(map: &mut SmallMap<K, u64>, key: &[u8], ty: Type) -> Result<bool> {
    Ok(map.remove(K::read(key, ty)?.borrow()).is_some())
}

fn set<K: Passed>(map: &mut SmallMap<K, u64>, key: &[u8], ty: Type, value: u64) -> Result<bool> {
    let key = K::read(key, ty)?;
    if let Some(place) = map.get_mut(key.borrow()) {
        *place = value;
        return Ok(false);
    }
    map.insert(K::own(key)?, value)?;
    Ok(true)
}

/// Runs `read`, and moves the cursor if that succeeds.
unsafe fn reading<'a>(map: *const oh_standalone_smallmap) -> Result<&'a oh_standalone_smallmap> {
    check_pointer(map, "the map")?;
    // SAFETY: not null, and the caller guarantees that it is a map that no thread changes at the
    // same time.
    Ok(unsafe { &*map })
}

unsafe fn changing<'a>(map: *mut oh_standalone_smallmap) -> Result<&'a mut oh_standalone_smallmap> {
    check_pointer(map, "the map")?;
    // SAFETY: not null, and the caller guarantees that it is a map that no other thread uses.
    Ok(unsafe { &mut *map })
}

fn type_of(number: u32, what: &str) -> Result<Type> {
    Type::from_number(number).ok_or_else(|| Error::wrong_type(format!("invalid type of {what}: {number}")))
}

/// The bits of a value of this type.
fn value_bits(bytes: &[u8], ty: Type) -> Result<u64> {
    if bytes.len() != ty.width() {
        return Err(wrong_length("value", bytes.len(), ty));
    }
    let mut bits = [0; 8];
    bits[..bytes.len()].copy_from_slice(bytes);
    let bits = u64::from_le_bytes(bits);
    Ok(if ty == Type::Bool { u64::from(bits != 0) } else { bits })
}

/// Creates an empty map. Keys are numbers, `OH_TYPE_STRING` or `OH_TYPE_BYTES`; values are numbers
/// or `OH_TYPE_BOOL`; both are given as an `oh_type`. Free `*out` with
/// `oh_standalone_smallmap_free`.
///
/// # Safety
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_standalone_smallmap_new(
    key_type: u32,
    value_type: u32,
    out: *mut *mut oh_standalone_smallmap,
) -> oh_status {
    // SAFETY: the caller guarantees that `out` is writable.
    unsafe {
        guard_out(out, || {
            let (key, value) = (type_of(key_type, "keys")?, type_of(value_type, "values")?);
            let map = match key {
                Type::String | Type::Bytes => Map::Text(SmallMap::new()),
                _ if !key.is_numeric() => {
                    return Err(Error::wrong_type(format!("invalid type of keys for a small map: {key:?}")));
                }
                _ => match key.width() {
                    1 => Map::Bytes1(SmallMap::new()),
                    2 => Map::Bytes2(SmallMap::new()),
                    4 => Map::Bytes4(SmallMap::new()),
                    _ => Map::Bytes8(SmallMap::new()),
                },
            };
            if !value.is_numeric() && value != Type::Bool {
                return Err(Error::wrong_type(format!("invalid type of values for a small map: {value:?}")));
            }
            hand_out(|| Ok(oh_standalone_smallmap { key, value, map }))
        })
    }
}

/// Frees a map. NULL is allowed.
///
/// # Safety
/// `map` is NULL, or came from `oh_standalone_smallmap_new` and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_standalone_smallmap_free(map: *mut oh_standalone_smallmap) {
    // SAFETY: the caller guarantees that it came from `oh_standalone_smallmap_new` and is not used
    // again.
    guard_value((), || unsafe { take_back(map) });
}

/// Returns the number of entries.
///
/// # Safety
/// `map` is a map that no other thread changes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_standalone_smallmap_count(
    map: *const oh_standalone_smallmap,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `map` is a map that no other thread changes and that `out`
    // is writable.
    unsafe { guard_out(out, || Ok(with_map!(&reading(map)?.map, map => map.len()))) }
}

/// Returns whether the entries are in a hash table. A map moves to a hash table when it gets a
/// ninth entry, and back on `oh_standalone_smallmap_clear`.
///
/// # Safety
/// As for `oh_standalone_smallmap_count`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_standalone_smallmap_promoted(
    map: *const oh_standalone_smallmap,
    out: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees that `map` is a map that no other thread changes and that `out`
    // is writable.
    unsafe { guard_out(out, || Ok(with_map!(&reading(map)?.map, map => map.is_promoted()))) }
}

/// Looks up a key. `*value` becomes a pointer to its value in the map, through which the value may
/// be changed, or NULL if the map does not contain the key. The pointer is valid until the map is
/// changed.
///
/// # Safety
/// As for `oh_standalone_smallmap_count`; `key` is valid for `key_length` bytes; the outputs are
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_standalone_smallmap_get(
    map: *const oh_standalone_smallmap,
    key: *const c_void,
    key_length: usize,
    value: *mut *const c_void,
    value_length: *mut usize,
) -> oh_status {
    guard(|| {
        check_pointer(value, "value")?;
        check_pointer(value_length, "value_length")?;
        // SAFETY: the caller guarantees map and key; the outputs were checked.
        unsafe {
            let (handle, key) = (reading(map)?, slice(key.cast::<u8>(), key_length, "key")?);
            let found = with_map!(&handle.map, map => get(map, key, handle.key)?);
            value.write(found.map_or(std::ptr::null(), |value| std::ptr::from_ref(value).cast()));
            value_length.write(if found.is_some() { handle.value.width() } else { 0 });
        }
        Ok(())
    })
}

/// Inserts a key, or replaces the value of an existing one. `*inserted` (unless `inserted` is NULL)
/// becomes true if the key was new. If memory runs out, `OH_ERR_OOM` is returned and nothing
/// changes.
///
/// # Safety
/// `map` is a map that no other thread uses; `key` is readable for `key_length` bytes and `value`
/// for `value_length`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_standalone_smallmap_set(
    map: *mut oh_standalone_smallmap,
    key: *const c_void,
    key_length: usize,
    value: *const c_void,
    value_length: usize,
    inserted: *mut bool,
) -> oh_status {
    guard(|| {
        if !inserted.is_null() {
            check_pointer(inserted, "inserted")?;
        }
        // SAFETY: the caller guarantees map, key and value; the output was checked.
        unsafe {
            let (handle, key) = (changing(map)?, slice(key.cast::<u8>(), key_length, "key")?);
            let value = value_bits(slice(value.cast::<u8>(), value_length, "value")?, handle.value)?;
            let new = with_map!(&mut handle.map, map => set(map, key, handle.key, value)?);
            if !inserted.is_null() {
                inserted.write(new);
            }
        }
        Ok(())
    })
}

/// Removes a key. `*removed` (unless `removed` is NULL) becomes true if the map contained it. The
/// order of the other entries stays the same.
///
/// # Safety
/// As for `oh_standalone_smallmap_set`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_standalone_smallmap_remove(
    map: *mut oh_standalone_smallmap,
    key: *const c_void,
    key_length: usize,
    removed: *mut bool,
) -> oh_status {
    guard(|| {
        if !removed.is_null() {
            check_pointer(removed, "removed")?;
        }
        // SAFETY: the caller guarantees map and key; the output was checked.
        unsafe {
            let (handle, key) = (changing(map)?, slice(key.cast::<u8>(), key_length, "key")?);
            let gone = with_map!(&mut handle.map, map => remove(map, key, handle.key)?);
            if !removed.is_null() {
                removed.write(gone);
            }
        }
        Ok(())
    })
}

/// Reserves memory for `entries` entries in total, so that insertions up to that number cannot
/// fail. More than 8 move the map to a hash table.
///
/// # Safety
/// `map` is a map that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_standalone_smallmap_reserve(
    map: *mut oh_standalone_smallmap,
    entries: usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `map` is a map that no other thread uses.
    guard(|| with_map!(&mut unsafe { changing(map) }?.map, map => map.reserve(entries)))
}

/// Removes all entries and frees the hash table, if there is one.
///
/// # Safety
/// As for `oh_standalone_smallmap_reserve`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_standalone_smallmap_clear(map: *mut oh_standalone_smallmap) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `map` is a map that no other thread uses.
        with_map!(&mut unsafe { changing(map) }?.map, map => map.clear());
        Ok(())
    })
}

/// Returns the next entry in insertion order. Set `*cursor` to 0 before the first call; it is 0
/// again when there are no more entries. The values of the map may be changed between calls, but no
/// key may be inserted or removed.
///
/// ```c
/// size_t cursor = 0;
/// oh_standalone_smallmap_entry entry;
/// while (oh_standalone_smallmap_next(map, &cursor, &entry) == OH_OK && cursor != 0) { … }
/// ```
///
/// # Safety
/// As for `oh_standalone_smallmap_count`; `cursor` and `out` are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_standalone_smallmap_next(
    map: *const oh_standalone_smallmap,
    cursor: *mut usize,
    out: *mut oh_standalone_smallmap_entry,
) -> oh_status {
    guard(|| {
        check_pointer(cursor, "cursor")?;
        check_pointer(out, "out")?;
        // SAFETY: the caller guarantees the map; the outputs were checked.
        unsafe {
            let handle = reading(map)?;
            let found = with_map!(&handle.map, map => map.entry_from(cursor.read()).map(|(at, key, value)| {
                let (key, key_length) = key.bytes();
                (at, key, key_length, std::ptr::from_ref(value).cast())
            }));
            let Some((at, key, key_length, value)) = found else {
                cursor.write(0);
                return Ok(());
            };
            out.write(oh_standalone_smallmap_entry {
                key,
                key_length,
                value,
                value_length: handle.value.width(),
            });
            cursor.write(at + 1);
        }
        Ok(())
    })
}
