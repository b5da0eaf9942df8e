//! Functions on many entries of an arena of small maps.

use crate::args::{check_array, check_from};
use crate::guard::guard_out;
use crate::status::oh_status;
use offheap_core::region::element::Type;
use offheap_core::smallmap::arena::bulk;
use offheap_core::smallmap::arena::layout::Shape;
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// Checks that the arrays were made for the types in the header. The header may be in memory that
/// other threads write.
fn check_schema(shape: &Shape, schema: u32) -> Result<()> {
    if schema == 0 || schema == shape.key as u32 | (shape.value as u32) << 8 {
        return Ok(());
    }
    Err(Error::wrong_type(format!("the types of the arena changed to {:?} and {:?}", shape.key, shape.value)))
}

fn read_ids(ids: *const c_void, id_type: u32, count: usize) -> Result<bulk::Ids> {
    let ty = Type::from_number(id_type)
        .ok_or_else(|| Error::wrong_type(format!("invalid type of ids: {id_type}")))?;
    check_array(ids, ty.width(), count, "ids")?;
    bulk::Ids::new(ids.cast(), ty)
}

/// Looks up `count` keys at once, `keys[i]` in the map with the id `ids[i]`. This is several times
/// faster than one by one, because the cache misses overlap. `ids` is an array of `id_type`:
/// `OH_TYPE_U32`, `OH_TYPE_U64` or `OH_TYPE_F64`. `keys` and `values` are arrays of the arena's
/// types; strings are 32-bit ids. If `keys[i]` is missing, `values[i]` is left unchanged.
/// `found[i]` (unless `found` is NULL) becomes 1 or 0. `*out` becomes the number of keys found.
///
/// `schema` is 0, or key type + 256 × value type; then `OH_ERR_TYPE` is returned for an arena of
/// other types.
///
/// Any thread may call this function while the owner writes. `OH_ERR_STALE` at the first id without
/// a map, or if the arena outgrew `length` in the meantime; the results found so far are written.
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
    // SAFETY: the caller guarantees the memory and the arrays, whose alignment is checked.
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

/// Sets `keys[i]` to `values[i]` in the map with the id `ids[i]`, for i from `from` to `count` − 1.
/// `*out` becomes `count`, or, if the arena became full, the index of the first key that was not
/// set: make room and call the function again with that index as `from`. `OH_ERR_STALE`, with
/// nothing changed, if there is no map with one of the ids, or no string with an id that is passed
/// as key or value.
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
    // SAFETY: the caller guarantees the memory and the arrays, whose alignment is checked.
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

/// Copies the entries of a map, in insertion order, into arrays of `capacity` elements of the
/// arena's types. `*out` becomes the number of entries of the map, which may be more than were
/// copied.
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
    // SAFETY: the caller guarantees the memory and the arrays, whose alignment is checked.
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
