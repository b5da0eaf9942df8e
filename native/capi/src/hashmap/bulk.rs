//! Many keys of a hash map in one call; see `hashmap.rs`.

use crate::args::{check_array, check_from};
use crate::guard::guard_out;
use crate::status::oh_status;
use offheap_core::hashmap::bulk;
use offheap_core::hashmap::layout::Shape;
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// `schema` is 0, or what the arrays were made for. The header may lie in memory that others write.
fn check_schema(shape: &Shape, schema: u32) -> Result<()> {
    if schema == 0 || schema == shape.key as u32 | (shape.value as u32) << 8 {
        return Ok(());
    }
    Err(Error::wrong_type(format!("the map has other types now: {:?} and {:?}", shape.key, shape.value)))
}

/// The same, and `keys` are `count` of its keys.
fn check_keys(shape: &Shape, schema: u32, keys: *const c_void, count: usize) -> Result<()> {
    check_schema(shape, schema)?;
    check_array(keys, shape.key.width(), count, "keys")
}

/// Looks `count` keys up at once: several times faster than one by one, because their waits for
/// memory overlap. `keys` is an array of the map's key type, `values` one of its value type:
/// numbers or booleans both. `values[i]` is left as it was where `keys[i]` is missing; `found[i]`,
/// unless `found` is NULL, is then 0 and otherwise 1. `*out` is how many were found.
///
/// `schema` is 0, or key type + 256 × value type: then a map of other types is `OH_ERR_TYPE`. To
/// ask for the types and to call this are two looks at the region, so give it if anyone who is not
/// trusted can write there meanwhile.
///
/// Any thread may call it while the owner writes, rebuilds included. `OH_ERR_STALE` if the map
/// meanwhile outgrew `length`: what was found so far is written.
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
    // SAFETY: the caller vouches for the memory and the arrays, whose alignment is checked.
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

/// Tells which of `count` keys are there: `found[i]`, unless `found` is NULL, is 1 or 0. `*out` is
/// how many are. Otherwise as `oh_hashmap_get_many`; values may have any type.
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
    // SAFETY: the caller vouches for the memory and the arrays, whose alignment is checked.
    unsafe {
        guard_out(out, || {
            let check = |shape: &Shape| check_keys(shape, schema, keys, count);
            bulk::has_many(base.cast(), length, check, keys.cast(), count, found)
        })
    }
}

/// Sets `keys[i]` to `values[i]` for i from `from` to `count` − 1. `*out` is the index of the first
/// that was not set because the map must be rebuilt first (then call it again with that as `from`),
/// else `count`.
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
    // SAFETY: the caller vouches for the memory and the arrays, whose alignment is checked.
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

/// Deletes `count` keys. `*out` is how many of them were there.
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
    // SAFETY: the caller vouches for the memory and the array, whose alignment is checked.
    unsafe {
        guard_out(out, || {
            let check = |shape: &Shape| check_keys(shape, schema, keys, count);
            bulk::delete_many(base.cast(), length, check, keys.cast(), count)
        })
    }
}

/// The handles of `count` keys; 0, which is no handle, for those that are missing. `*out` is how
/// many are there. For the writer, as `oh_hashmap_handle_of`.
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
    // SAFETY: the caller vouches for the memory and the arrays, whose alignment is checked.
    unsafe {
        guard_out(out, || {
            check_array(handles.cast(), size_of::<u64>(), count, "handles")?;
            let check = |shape: &Shape| check_keys(shape, schema, keys, count);
            bulk::handles_of(base.cast(), length, check, keys.cast(), count, handles)
        })
    }
}

/// The values of the entries that `count` handles name, as `oh_hashmap_get_many` does for keys.
/// `*out` is how many are alive.
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
    // SAFETY: the caller vouches for the memory and the arrays, whose alignment is checked.
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
