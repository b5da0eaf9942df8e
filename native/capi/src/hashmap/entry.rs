//! Functions on single entries of a hash map.

use crate::args::check_pointer;
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::hashmap::raw::{Cell, Placed, RawMap, RawMapMut, stored_bits};
use offheap_core::region::element::Type;
use offheap_core::table::blob::Blob;
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// A key and a value in a map. Numbers are pointed to in their column (aligned), strings and byte
/// sequences in the heap, without a terminating NUL. The pointers are valid until the map is
/// rebuilt or cleared.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_hashmap_entry {
    /// The key.
    pub key: *const c_void,
    /// Bytes of the key.
    pub key_length: usize,
    /// The value; NULL for `OH_TYPE_ANY`.
    pub value: *const c_void,
    /// Bytes of the value.
    pub value_length: usize,
    /// Index of the entry in the columns.
    pub position: u32,
}

/// The columns of a map, in insertion order. Element i is an entry if bit i % 32 of `dead[i / 32]`
/// is 0. The columns of strings and byte sequences contain 32-bit references. The pointers are
/// valid until the map is rebuilt or cleared.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_hashmap_columns {
    /// The keys.
    pub keys: *const c_void,
    /// The values; NULL for `OH_TYPE_ANY`.
    pub values: *const c_void,
    /// One bit for each element: 1 if the entry was removed.
    pub dead: *const u32,
    /// Number of elements in each column.
    pub used: u32,
}

/// A key or value as C passes it.
#[derive(Clone, Copy)]
struct Argument {
    data: *const c_void,
    length: usize,
    what: &'static str,
}

impl Argument {
    /// The bits of a number of this type.
    ///
    /// # Safety
    /// `length` bytes at `data` are readable, or `data` is null.
    unsafe fn bits(self, ty: Type) -> Result<u64> {
        if self.data.is_null() {
            return Err(Error::wrong_type(format!("the {} is NULL", self.what)));
        }
        if self.length != ty.width() {
            let (what, length, width) = (self.what, self.length, ty.width());
            return Err(Error::wrong_type(format!("the {what} has {length} bytes, but {ty:?} has {width}")));
        }
        // SAFETY: the caller guarantees `length` bytes; they need not be aligned.
        Ok(unsafe {
            match self.length {
                1 => u64::from(self.data.cast::<u8>().read()),
                2 => u64::from(self.data.cast::<u16>().read_unaligned()),
                4 => u64::from(self.data.cast::<u32>().read_unaligned()),
                _ => self.data.cast::<u64>().read_unaligned(),
            }
        })
    }

    unsafe fn blob<'a>(self, ty: Type) -> Result<Blob<'a>> {
        // SAFETY: the caller guarantees `length` bytes.
        Blob::of_type(unsafe { crate::args::slice(self.data.cast::<u8>(), self.length, self.what) }?, ty)
    }
}

/// Calls a generic function with a key in the form that the map's key type has. Expands to unsafe
/// calls, for which the caller of the C function guarantees that the bytes of the key are readable.
macro_rules! with_key {
    ($argument:expr, $ty:expr, $key:ident => $call:expr) => {{
        let (argument, ty) = ($argument, $ty);
        match ty {
            Type::U32 | Type::I32 => {
                let $key = argument.bits(ty)? as u32;
                $call
            }
            Type::F64 | Type::U64 | Type::I64 => {
                let $key = stored_bits(argument.bits(ty)?, ty);
                $call
            }
            _ => {
                let $key = argument.blob(ty)?;
                $call
            }
        }
    }};
}

unsafe fn find(map: &RawMap, key: *const c_void, key_length: usize) -> Result<Option<u32>> {
    let key = Argument { data: key, length: key_length, what: "key" };
    // SAFETY: the caller guarantees the key's bytes.
    Ok(unsafe { with_key!(key, map.shape().key, key => map.find(key)) })
}

/// The address and the length in bytes of a cell.
fn address(map: &RawMap, cell: Cell, column: usize, ty: Type, position: u32) -> (*const c_void, usize) {
    match cell {
        Cell::None => (std::ptr::null(), 0),
        Cell::Blob(blob) => (blob.data().cast(), blob.len()),
        Cell::Bits(_) => {
            let at = column + position as usize * ty.width();
            (map.memory().base().wrapping_add(at).cast_const().cast(), ty.width())
        }
    }
}

fn key_address(map: &RawMap, position: u32) -> Result<(*const c_void, usize)> {
    Ok(address(map, map.key_at(position)?, map.layout().keys, map.shape().key, position))
}

fn value_address(map: &RawMap, position: u32) -> Result<(*const c_void, usize)> {
    Ok(address(map, map.value_at(position)?, map.layout().values, map.shape().value, position))
}

/// Looks up a key. `*value` becomes a pointer to its value in the map (see `oh_hashmap_entry`), or
/// NULL if the map does not contain the key; `*value_length` becomes its length in bytes.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `key` for `key_length`; the outputs are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_get(
    base: *const c_void,
    length: usize,
    key: *const c_void,
    key_length: usize,
    value: *mut *const c_void,
    value_length: *mut usize,
) -> oh_status {
    guard(|| {
        check_pointer(value, "value")?;
        check_pointer(value_length, "value_length")?;
        // SAFETY: the caller guarantees memory and key; the outputs were checked.
        unsafe {
            let map = RawMap::attach(base.cast(), length)?;
            let found = match find(&map, key, key_length)? {
                Some(position) => value_address(&map, position)?,
                None => (std::ptr::null(), 0),
            };
            value.write(found.0);
            value_length.write(found.1);
        }
        Ok(())
    })
}

/// Returns whether a map contains a key.
///
/// # Safety
/// As for `oh_hashmap_get`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_has(
    base: *const c_void,
    length: usize,
    key: *const c_void,
    key_length: usize,
    out: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, `key` for
    // `key_length` and that the outputs are writable.
    unsafe { guard_out(out, || Ok(find(&RawMap::attach(base.cast(), length)?, key, key_length)?.is_some())) }
}

/// Inserts a key, or replaces the value of an existing one. `*inserted` (unless `inserted` is NULL)
/// becomes true if the key was new. If the map is full, `OH_ERR_FULL` is returned and nothing
/// changes; the map must be rebuilt first:
///
/// ```c
/// uint32_t capacity;
/// oh_hashmap_next_capacity(base, length, &capacity);
/// size_t needed;
/// oh_hashmap_rebuild_region_size(base, length, capacity, heap_capacity, &needed);
/// // make the memory at least `needed` bytes long (realloc, mremap), then
/// oh_hashmap_rebuild(base, needed, capacity, heap_capacity);
/// ```
///
/// Other threads may read the map at the same time, but not write it.
///
/// # Safety
/// `base` is valid for reading and writing `length` bytes, and no other thread writes them; `key`
/// is readable for `key_length` bytes and `value` for `value_length`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_set(
    base: *mut c_void,
    length: usize,
    key: *const c_void,
    key_length: usize,
    value: *const c_void,
    value_length: usize,
    inserted: *mut bool,
) -> oh_status {
    guard(|| {
        let value = Argument { data: value, length: value_length, what: "value" };
        let key = Argument { data: key, length: key_length, what: "key" };
        if !inserted.is_null() {
            check_pointer(inserted, "inserted")?;
        }
        // SAFETY: the caller guarantees memory, key and value; the output was checked.
        unsafe {
            let mut map = RawMapMut::attach(base.cast(), length)?;
            let ty = map.shape().value;
            let placed = with_key!(key, map.shape().key, key => {
                if ty.is_blob() {
                    map.set(key, value.blob(ty)?)
                } else {
                    match ty.width() {
                        0 => map.set(key, ()),
                        1 if ty == Type::Bool => map.set(key, u8::from(value.bits(ty)? != 0)),
                        1 => map.set(key, value.bits(ty)? as u8),
                        2 => map.set(key, value.bits(ty)? as u16),
                        4 => map.set(key, value.bits(ty)? as u32),
                        _ => map.set(key, value.bits(ty)?),
                    }
                }
            });
            if placed == Placed::Full {
                return Err(Error::full("the map is full: rebuild it with a larger capacity"));
            }
            if !inserted.is_null() {
                inserted.write(matches!(placed, Placed::Inserted(_)));
            }
        }
        Ok(())
    })
}

/// Removes a key. `*removed` (unless `removed` is NULL) becomes true if the map contained it.
///
/// # Safety
/// As for `oh_hashmap_set`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_remove(
    base: *mut c_void,
    length: usize,
    key: *const c_void,
    key_length: usize,
    removed: *mut bool,
) -> oh_status {
    guard(|| {
        let key = Argument { data: key, length: key_length, what: "key" };
        if !removed.is_null() {
            check_pointer(removed, "removed")?;
        }
        // SAFETY: the caller guarantees memory and key; the output was checked.
        unsafe {
            let mut map = RawMapMut::attach(base.cast(), length)?;
            let position = with_key!(key, map.shape().key, key => map.remove(key));
            if !removed.is_null() {
                removed.write(position.is_some());
            }
        }
        Ok(())
    })
}

/// Returns the handle of a key's entry: a number below 2^53 that identifies the entry until it is
/// removed, also across rebuilds. It is 0, which is never a handle, if the map does not contain the
/// key.
///
/// Only the writer may call this function, because it records in the map that handles exist.
///
/// # Safety
/// As for `oh_hashmap_set`; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_handle_of(
    base: *mut c_void,
    length: usize,
    key: *const c_void,
    key_length: usize,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes,
    // and no other thread writes them, that `key` and `value` are valid for as many bytes as is
    // said, that `out` is writable.
    unsafe {
        guard_out(out, || {
            let key = Argument { data: key, length: key_length, what: "key" };
            let mut map = RawMapMut::attach(base.cast(), length)?;
            Ok(with_key!(key, map.shape().key, key => map.handle_of(key)).unwrap_or(0))
        })
    }
}

/// Returns the entry that a handle identifies. `OH_ERR_STALE` if it was removed.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_get_by_handle(
    base: *const c_void,
    length: usize,
    handle: u64,
    out: *mut oh_hashmap_entry,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            let map = RawMap::attach(base.cast(), length)?;
            match map.position_of_handle(handle) {
                Some(position) => entry_at(&map, position),
                None => Err(Error::stale("the entry of this handle was removed")),
            }
        })
    }
}

fn entry_at(map: &RawMap, position: u32) -> Result<oh_hashmap_entry> {
    let (key, key_length) = key_address(map, position)?;
    let (value, value_length) = value_address(map, position)?;
    Ok(oh_hashmap_entry { key, key_length, value, value_length, position })
}

/// Returns the next entry in insertion order. Set `*cursor` to 0 before the first call. Afterward
/// it is 1 + the position of the entry, or 0 if there are no more entries. Entries may be inserted
/// and removed between calls.
///
/// ```c
/// uint32_t cursor = 0;
/// oh_hashmap_entry entry;
/// while (oh_hashmap_next(base, length, &cursor, &entry) == OH_OK && cursor != 0) { … }
/// ```
///
/// # Safety
/// `base` is valid for reading `length` bytes; `cursor` and `out` are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_next(
    base: *const c_void,
    length: usize,
    cursor: *mut u32,
    out: *mut oh_hashmap_entry,
) -> oh_status {
    guard(|| {
        check_pointer(cursor, "cursor")?;
        check_pointer(out, "out")?;
        // SAFETY: the caller guarantees the memory; the outputs were checked.
        unsafe {
            let map = RawMap::attach(base.cast(), length)?;
            match map.next_from(cursor.read()) {
                Some(position) => {
                    let entry = entry_at(&map, position)?;
                    out.write(entry);
                    cursor.write(position + 1);
                }
                None => cursor.write(0),
            }
        }
        Ok(())
    })
}

/// Returns the columns of a map, for loops over plain arrays.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_get_columns(
    base: *const c_void,
    length: usize,
    out: *mut oh_hashmap_columns,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            let map = RawMap::attach(base.cast(), length)?;
            let layout = map.layout();
            let at = |offset: usize| map.memory().base().wrapping_add(offset).cast_const();
            let values = if map.shape().value == Type::Any { std::ptr::null() } else { at(layout.values) };
            Ok(oh_hashmap_columns {
                keys: at(layout.keys).cast(),
                values: values.cast(),
                dead: at(layout.dead).cast(),
                used: map.used(),
            })
        })
    }
}
