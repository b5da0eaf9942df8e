//! Functions on many entries of an arena of small maps.

use crate::args::{check_array, check_from};
use crate::guard::guard_out;
use crate::status::oh_status;
use offheap_core::region::element::Type;
use offheap_core::smallmap::arena::bulk;
use offheap_core::smallmap::arena::layout::Shape;
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// `schema` is 0, or what the arrays were made for. The header may lie in memory that others write.
fn check_schema(shape: &Shape, schema: u32) -> Result<()> {
    if schema == 0 || schema == shape.key as u32 | (shape.value as u32) << 8 {
        return Ok(());
    }
    Err(Error::wrong_type(format!("the arena has other types now: {:?} and {:?}", shape.key, shape.value)))
}

fn read_ids(ids: *const c_void, id_type: u32, count: usize) -> Result<bulk::Ids> {
    let ty = Type::from_number(id_type)
        .ok_or_else(|| Error::wrong_type(format!("{id_type} is no type of ids")))?;
    check_array(ids, ty.width(), count, "ids")?;
    bulk::Ids::new(ids.cast(), ty)
}

/// Looks `count` keys up at once, `keys[i]` in the map with id `ids[i]`: several times faster than
/// one by one, because their waits for memory overlap. `ids` is an array of `id_type`:
/// `OH_TYPE_U32`, `OH_TYPE_U64` or `OH_TYPE_F64`. `keys` and `values` are arrays of the arena's
/// types (ids of strings are 32 bits). `values[i]` is left as it was where `keys[i]` is missing;
/// `found[i]`, unless `found` is NULL, is then 0 and otherwise 1. `*out` is how many were found.
///
/// `schema` is 0, or key type + 256 × value type: then an arena of other types is `OH_ERR_TYPE`.
///
/// Any thread may call it while the owner writes. `OH_ERR_STALE` at the first id that names no map,
/// or if the arena meanwhile outgrew `length`: what was found so far is written.
///
/// # Safety
/// `base` is valid for reading `length` bytes; the arrays have `count` elements, and only the
/// caller uses `values` and `found`; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_get_many(
    base: *const c_void,
    length: usize,
    schema: u32,
    ids: *const c_void,
    id_type: u32,
    keys: *const c_void,
    count: usize,
    values: *mut c_void,
    found: *mut u8,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller vouches for the memory and the arrays, whose alignment is checked.
    unsafe {
        guard_out(out, || {
            let ids = read_ids(ids, id_type, count)?;
            let check = |shape: &Shape| {
                check_schema(shape, schema)?;
                check_array(keys, shape.key.width(), count, "keys")?;
                check_array(values, shape.value.width(), count, "values")
            };
            bulk::get_many(base.cast(), length, check, ids, keys.cast(), count, values.cast(), found)
        })
    }
}

/// Sets `keys[i]` to `values[i]` in the map with id `ids[i]`, for i from `from` to `count` − 1.
/// `*out` is the index of the first that was not set because the arena is full (then make room for
/// it, and call it again with that as `from`), else `count`. `OH_ERR_STALE`, with nothing changed,
/// if an id names no map, or a key or value of that type no string.
///
/// # Safety
/// As for `oh_smallmap_arena_make_room`; the arrays as for `oh_smallmap_arena_get_many`; `out` is
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_set_many(
    base: *mut c_void,
    length: usize,
    schema: u32,
    ids: *const c_void,
    id_type: u32,
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
            let ids = read_ids(ids, id_type, count)?;
            let check = |shape: &Shape| {
                check_schema(shape, schema)?;
                check_array(keys, shape.key.width(), count, "keys")?;
                check_array(values, shape.value.width(), count, "values")
            };
            bulk::set_many(base.cast(), length, check, ids, keys.cast(), values.cast(), count, from)
        })
    }
}

/// Copies a map's entries, in the order of insertion, into arrays of `capacity` elements of the
/// arena's types. `*out` is how many entries there are, which may be more than were copied.
///
/// # Safety
/// `base` is valid for reading `length` bytes; the arrays have `capacity` elements; `out` is
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_entries(
    base: *const c_void,
    length: usize,
    id: u64,
    keys: *mut c_void,
    values: *mut c_void,
    capacity: usize,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller vouches for the memory and the arrays, whose alignment is checked.
    unsafe {
        guard_out(out, || {
            let check = |shape: &Shape| {
                check_array(keys, shape.key.width(), capacity, "keys")?;
                check_array(values, shape.value.width(), capacity, "values")
            };
            bulk::entries(base.cast(), length, check, id, keys.cast(), values.cast(), capacity)
        })
    }
}
