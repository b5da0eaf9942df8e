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
/// sequences in the heap, without a closing NUL. Good until the map is rebuilt or cleared.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_hashmap_entry {
    /// The key.
    pub key: *const c_void,
    /// Its bytes.
    pub key_length: usize,
    /// The value; NULL for `OH_TYPE_ANY`.
    pub value: *const c_void,
    /// Its bytes.
    pub value_length: usize,
    /// Index of the entry in the columns.
    pub position: u32,
}

/// The columns of a map, in insertion order. Element i is an entry if bit i % 32 of `dead[i / 32]`
/// is 0. For strings and byte sequences the columns hold references of 32 bits. Good until the map
/// is rebuilt or cleared.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_hashmap_columns {
    /// The keys.
    pub keys: *const c_void,
    /// The values; NULL for `OH_TYPE_ANY`.
    pub values: *const c_void,
    /// One bit for each entry: 1 if it was deleted.
    pub dead: *const u32,
    /// How many elements the columns have.
    pub used: u32,
}

/// A key or value as it was passed: where, and how many bytes.
#[derive(Clone, Copy)]
struct Argument {
    data: *const c_void,
    length: usize,
    what: &'static str,
}

impl Argument {
    /// The bits of a number of this type.
    unsafe fn bits(self, ty: Type) -> Result<u64> {
        if self.data.is_null() {
            return Err(Error::wrong_type(format!("the {} is NULL", self.what)));
        }
        if self.length != ty.width() {
            let (what, length, width) = (self.what, self.length, ty.width());
            return Err(Error::wrong_type(format!("the {what} has {length} bytes; {ty:?} has {width}")));
        }
        // SAFETY: the caller vouches for `length` bytes; they need not be aligned.
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
        // SAFETY: the caller vouches for `length` bytes.
        Blob::of_type(unsafe { crate::args::slice(self.data.cast::<u8>(), self.length, self.what) }?, ty)
    }
}

/// Runs a generic call with a key in the form that the map's key type has. Expands to unsafe calls:
/// the caller of the C function vouches for the key's bytes.
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
    // SAFETY: the caller vouches for the key's bytes.
    Ok(unsafe { with_key!(key, map.shape().key, key => map.find(key)) })
}

/// Where a cell is, for C: its address and bytes.
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

/// Looks a key up. `*value` points to its value in the map (see `oh_hashmap_entry`), and is NULL if
/// the key is not there.
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
        // SAFETY: the caller vouches for memory and key; the outputs were checked.
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

/// Whether a key is in a map.
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
    // SAFETY: the caller vouches for memory, key and output.
    unsafe { guard_out(out, || Ok(find(&RawMap::attach(base.cast(), length)?, key, key_length)?.is_some())) }
}

/// Inserts a key or gives it a new value. `*inserted`, unless it is NULL, tells whether the key was
/// new. `OH_ERR_FULL`, and nothing is changed, if the map must be rebuilt first:
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
/// Threads that only read may go on meanwhile. Other threads that write may not.
///
/// # Safety
/// `base` is valid for reading and writing `length` bytes, and no other thread writes them; `key`
/// and `value` are valid for as many bytes as is said.
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
        // SAFETY: the caller vouches for memory, key and value; the output was checked.
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

/// Deletes a key. `*removed`, unless it is NULL, tells whether it was there.
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
        // SAFETY: the caller vouches for memory and key; the output was checked.
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

/// The handle of a key's entry: a number below 2^53 that names the entry until it is deleted, also
/// across rebuilds. 0, which is no handle, if the key is not there.
///
/// A function for the writer: it notes in the map that handles exist.
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
    // SAFETY: the caller vouches for memory, key and output.
    unsafe {
        guard_out(out, || {
            let key = Argument { data: key, length: key_length, what: "key" };
            let mut map = RawMapMut::attach(base.cast(), length)?;
            Ok(with_key!(key, map.shape().key, key => map.handle_of(key)).unwrap_or(0))
        })
    }
}

/// The entry that a handle names. `OH_ERR_STALE` if it was deleted.
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
    // SAFETY: the caller vouches for memory and output.
    unsafe {
        guard_out(out, || {
            let map = RawMap::attach(base.cast(), length)?;
            match map.position_of_handle(handle) {
                Some(position) => entry_at(&map, position),
                None => Err(Error::stale("the entry of this handle was deleted")),
            }
        })
    }
}

fn entry_at(map: &RawMap, position: u32) -> Result<oh_hashmap_entry> {
    let (key, key_length) = key_address(map, position)?;
    let (value, value_length) = value_address(map, position)?;
    Ok(oh_hashmap_entry { key, key_length, value, value_length, position })
}

/// The next entry in insertion order. `*cursor` is 0 to begin with; afterwards it is 1 + the
/// entry's position, or 0 again if there was none left. Entries may be inserted and deleted
/// meanwhile.
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
        // SAFETY: the caller vouches for the memory; the outputs were checked.
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

/// The columns, for loops over plain arrays.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_get_columns(
    base: *const c_void,
    length: usize,
    out: *mut oh_hashmap_columns,
) -> oh_status {
    // SAFETY: the caller vouches for both.
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
