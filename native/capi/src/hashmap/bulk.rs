//! Functions on many keys of a hash map.

use crate::args::{check_array, check_from};
use crate::guard::guard_out;
use crate::status::oh_status;
use offheap_core::hashmap::bulk;
use offheap_core::hashmap::layout::Shape;
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// Checks that the arrays were made for the types in the header. The header may be in memory that
/// other threads write.
fn check_schema(shape: &Shape, schema: u32) -> Result<()> {
    if schema == 0 || schema == shape.key as u32 | (shape.value as u32) << 8 {
        return Ok(());
    }
    Err(Error::wrong_type(format!("the types of the map changed to {:?} and {:?}", shape.key, shape.value)))
}

/// The same, and `keys` are `count` of its keys.
fn check_keys(shape: &Shape, schema: u32, keys: *const c_void, count: usize) -> Result<()> {
    check_schema(shape, schema)?;
    check_array(keys, shape.key.width(), count, "keys")
}

/// Looks up `count` keys at once, which is several times faster than one by one because the cache
/// misses overlap. `keys` is an array of the map's key type, `values` one of its value type; both
/// must be numbers or booleans. If `keys[i]` is missing, `values[i]` is left unchanged. `found[i]`
/// (unless `found` is NULL) becomes 1 or 0. `*out` becomes the number of keys found.
///
/// `schema` is 0, or key type + 256 × value type; then `OH_ERR_TYPE` is returned for a map of other
/// types. Pass it if a thread that is not trusted can write to the region: it could change the
/// types after the caller has read them.
///
/// Any thread may call this function while the owner writes or rebuilds the map. `OH_ERR_STALE` if
/// the map outgrew `length` in the meantime; the results found so far are written.
///
/// # Safety
/// `base` is valid for reading `length` bytes; the arrays have `count` elements, and only the
/// caller uses `values` and `found`; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_get_many(
    base: *const c_void,
    length: usize,
    schema: u32,
    keys: *const c_void,
    count: usize,
    values: *mut c_void,
    found: *mut u8,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees the memory and the arrays, whose alignment is checked.
    unsafe {
        guard_out(out, || {
            let check = |shape: &Shape| {
                check_keys(shape, schema, keys, count)?;
                check_array(values, shape.value.width(), count, "values")
            };
            bulk::get_many(base.cast(), length, check, keys.cast(), count, values.cast(), found)
        })
    }
}

/// Looks up which of `count` keys a map contains. `found[i]` (unless `found` is NULL) becomes 1 or
/// 0. `*out` becomes the number of keys found. Otherwise like `oh_hashmap_get_many`, but the values
/// may have any type.
///
/// # Safety
/// As for `oh_hashmap_get_many`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_has_many(
    base: *const c_void,
    length: usize,
    schema: u32,
    keys: *const c_void,
    count: usize,
    found: *mut u8,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees the memory and the arrays, whose alignment is checked.
    unsafe {
        guard_out(out, || {
            let check = |shape: &Shape| check_keys(shape, schema, keys, count);
            bulk::has_many(base.cast(), length, check, keys.cast(), count, found)
        })
    }
}

/// Sets `keys[i]` to `values[i]` for i from `from` to `count` − 1. `*out` becomes `count`, or, if
/// the map became full, the index of the first key that was not set: rebuild the map and call the
/// function again with that index as `from`.
///
/// # Safety
/// As for `oh_hashmap_set`; the arrays have `count` elements of the map's types; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_set_many(
    base: *mut c_void,
    length: usize,
    schema: u32,
    keys: *const c_void,
    values: *const c_void,
    count: usize,
    from: usize,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees the memory and the arrays, whose alignment is checked.
    unsafe {
        guard_out(out, || {
            check_from(from, count)?;
            let check = |shape: &Shape| {
                check_keys(shape, schema, keys, count)?;
                check_array(values, shape.value.width(), count, "values")
            };
            bulk::set_many(base.cast(), length, check, keys.cast(), values.cast(), count, from)
        })
    }
}

/// Removes `count` keys. `*out` becomes the number of them that the map contained.
///
/// # Safety
/// As for `oh_hashmap_set_many`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_remove_many(
    base: *mut c_void,
    length: usize,
    schema: u32,
    keys: *const c_void,
    count: usize,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees the memory and the array, whose alignment is checked.
    unsafe {
        guard_out(out, || {
            let check = |shape: &Shape| check_keys(shape, schema, keys, count);
            bulk::delete_many(base.cast(), length, check, keys.cast(), count)
        })
    }
}

/// Returns the handles of `count` keys; 0 for keys that are missing. `*out` becomes the number of
/// keys found. Only the writer may call it, as `oh_hashmap_handle_of`.
///
/// # Safety
/// As for `oh_hashmap_set_many`; `handles` has `count` elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_handles_of(
    base: *mut c_void,
    length: usize,
    schema: u32,
    keys: *const c_void,
    count: usize,
    handles: *mut u64,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees the memory and the arrays, whose alignment is checked.
    unsafe {
        guard_out(out, || {
            check_array(handles.cast(), size_of::<u64>(), count, "handles")?;
            let check = |shape: &Shape| check_keys(shape, schema, keys, count);
            bulk::handles_of(base.cast(), length, check, keys.cast(), count, handles)
        })
    }
}

/// Returns the values of the entries that `count` handles identify, as `oh_hashmap_get_many` does
/// for keys. `*out` becomes the number of handles that are not stale.
///
/// # Safety
/// As for `oh_hashmap_get_many`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_get_many_by_handle(
    base: *const c_void,
    length: usize,
    schema: u32,
    handles: *const u64,
    count: usize,
    values: *mut c_void,
    found: *mut u8,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees the memory and the arrays, whose alignment is checked.
    unsafe {
        guard_out(out, || {
            check_array(handles.cast(), size_of::<u64>(), count, "handles")?;
            let check = |shape: &Shape| {
                check_schema(shape, schema)?;
                check_array(values, shape.value.width(), count, "values")
            };
            bulk::get_many_by_handle(base.cast(), length, check, handles, count, values.cast(), found)
        })
    }
}
