//! Functions on single entries and strings of an arena of small maps.

use crate::args::{check_pointer, slice};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::region::element::Type;
use offheap_core::smallmap::arena::raw::stored_bits;
use offheap_core::smallmap::arena::{Placed, RawArena, RawArenaMut};
use offheap_core::table::blob::Blob;
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// The bits of a key as they are stored. An error if a key of its type does not have these bits.
fn key_bits(arena: &RawArena, key: u64) -> Result<u64> {
    let ty = arena.shape().key;
    Ok(stored_bits(check_bits(key, ty, "key")?, ty))
}

fn check_bits(bits: u64, ty: Type, what: &str) -> Result<u64> {
    let width = ty.width() * 8;
    if (width < 64 && bits >> width != 0) || (ty == Type::Bool && bits > 1) {
        return Err(Error::range(format!("invalid bits of a {what} of type {ty:?}: {bits:#x}")));
    }
    Ok(bits)
}

/// Returns the number of entries of a map, and whether they are in the hash table.
///
/// # Safety
/// `base` is valid for reading `length` bytes; the outputs are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_count(
    base: *const c_void,
    length: usize,
    id: u64,
    size: *mut u32,
    promoted: *mut bool,
) -> oh_status {
    guard(|| {
        check_pointer(size, "size")?;
        check_pointer(promoted, "promoted")?;
        // SAFETY: the caller guarantees the memory; the outputs were checked.
        unsafe {
            let arena = RawArena::attach(base.cast(), length)?;
            let map = arena.live(id)?;
            size.write(arena.size(map));
            promoted.write(arena.is_promoted(map));
        }
        Ok(())
    })
}

/// Looks up a key in a map. `*found` becomes true if the map contains it; otherwise `*value` is not
/// written.
///
/// # Safety
/// `base` is valid for reading `length` bytes; the outputs are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_get(
    base: *const c_void,
    length: usize,
    id: u64,
    key: u64,
    value: *mut u64,
    found: *mut bool,
) -> oh_status {
    guard(|| {
        check_pointer(value, "value")?;
        check_pointer(found, "found")?;
        // SAFETY: the caller guarantees the memory; the outputs were checked.
        unsafe {
            let arena = RawArena::attach(base.cast(), length)?;
            let bits = arena.get(id, key_bits(&arena, key)?)?;
            found.write(bits.is_some());
            if let Some(bits) = bits {
                value.write(bits);
            }
        }
        Ok(())
    })
}

/// Inserts a key, or replaces the value of an existing one. `OH_ERR_FULL` if there is no room: make
/// room for a block, and for 10 positions if the map has 8 entries or more, and call the function
/// again. `OH_ERR_STALE` if there is no map with this id, or no string with an id that is passed as
/// key or value.
///
/// # Safety
/// As for `oh_smallmap_arena_make_room`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_set(
    base: *mut c_void,
    length: usize,
    id: u64,
    key: u64,
    value: u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes, and nobody
    // else writes the region and that `room` as for `oh_smallmap_arena_room_region_size`.
    guard(|| unsafe {
        let mut arena = RawArenaMut::attach(base.cast(), length)?;
        let key = key_bits(&arena, key)?;
        let value = check_bits(value, arena.shape().value, "value")?;
        match arena.set(id, key, value)? {
            Placed::Full => Err(Error::full("the arena has no room for another entry")),
            Placed::Inserted | Placed::Replaced => Ok(()),
        }
    })
}

/// Removes a key. `*removed` becomes true if the map contained it. `OH_ERR_FULL` if removing it
/// needs a slot and there is none: make room for a block, and call the function again.
///
/// # Safety
/// As for `oh_smallmap_arena_make_room`; `removed` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_remove(
    base: *mut c_void,
    length: usize,
    id: u64,
    key: u64,
    removed: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes, and nobody
    // else writes the region, that `room` as for `oh_smallmap_arena_room_region_size`, that
    // `removed` is writable.
    unsafe {
        guard_out(removed, || {
            let mut arena = RawArenaMut::attach(base.cast(), length)?;
            let key = key_bits(&arena, key)?;
            arena
                .remove(id, key)?
                .ok_or_else(|| Error::full("the arena has no slot for the remaining entries"))
        })
    }
}

/// Returns the id of a string (UTF-8, or WTF-8 if it has lone surrogates), which is added if the
/// arena does not contain it. The id is valid until the next `oh_smallmap_arena_make_room`, and,
/// once an entry refers to the string, as long as one does. `OH_ERR_FULL` if there is no room.
///
/// # Safety
/// As for `oh_smallmap_arena_make_room`; `text` has `text_length` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_intern(
    base: *mut c_void,
    length: usize,
    text: *const c_void,
    text_length: usize,
    out: *mut u32,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes, and nobody
    // else writes the region, that `room` as for `oh_smallmap_arena_room_region_size`, that `text`
    // has `text_length` bytes, that `out` is writable.
    unsafe {
        guard_out(out, || {
            let text = Blob::of_type(slice(text.cast::<u8>(), text_length, "text")?, Type::String)?;
            let id = RawArenaMut::attach(base.cast(), length)?.intern(text)?;
            id.ok_or_else(|| Error::full("the arena has no room for another string"))
        })
    }
}

/// Looks up the id of a string. `*found` becomes true if the arena contains it; otherwise `*out` is
/// not written.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `text` has `text_length` bytes; the outputs are
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_find_string(
    base: *const c_void,
    length: usize,
    text: *const c_void,
    text_length: usize,
    out: *mut u32,
    found: *mut bool,
) -> oh_status {
    guard(|| {
        check_pointer(out, "out")?;
        check_pointer(found, "found")?;
        // SAFETY: the caller guarantees the memory and the text; the outputs were checked.
        unsafe {
            let text = Blob::of_type(slice(text.cast::<u8>(), text_length, "text")?, Type::String)?;
            let id = RawArena::attach(base.cast(), length)?.find_string(text);
            found.write(id.is_some());
            if let Some(id) = id {
                out.write(id);
            }
        }
        Ok(())
    })
}

/// Returns the bytes of a string, which are in the region and not followed by a NUL. They are valid
/// until `oh_smallmap_arena_make_room`. `OH_ERR_STALE` if there is no string with this id.
///
/// # Safety
/// `base` is valid for reading `length` bytes; the outputs are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_string(
    base: *const c_void,
    length: usize,
    id: u32,
    text: *mut *const c_void,
    text_length: *mut usize,
) -> oh_status {
    guard(|| {
        check_pointer(text, "text")?;
        check_pointer(text_length, "text_length")?;
        // SAFETY: the caller guarantees the memory; the outputs were checked.
        unsafe {
            let bytes = RawArena::attach(base.cast(), length)?.string(id);
            let bytes = bytes.ok_or_else(|| Error::stale(format!("there is no string with id {id}")))?;
            text.write(bytes.as_ptr().cast());
            text_length.write(bytes.len());
        }
        Ok(())
    })
}
