//! The arena of small maps.
//!
//! `oh_smallmap_arena_*(base, length, …)`: every function takes the region's memory, checks its
//! header, and works in place. Numbers are passed as 64 bits (`uint64_t`), zero-extended: a
//! `double` as its eight bytes, the `int8_t` −1 as 255. Strings are interned first: keys and values
//! of that type are ids of strings.

mod bulk;
mod entry;

pub use bulk::*;
pub use entry::*;

use crate::args::type_of;
use crate::guard::{guard, guard_out};
use crate::options::{option_struct, read_struct};
use crate::status::oh_status;
use offheap_core::region::sequence::READ_TIMEOUT;
use offheap_core::smallmap::arena::rebuild::{self, Goal, NewArena, Room};
use offheap_core::smallmap::arena::{RawArena, RawArenaMut, validate};
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// Options of a new arena. Set all bytes to 0, and then `struct_size`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_smallmap_arena_options {
    /// `sizeof(oh_smallmap_arena_options)`
    pub struct_size: usize,
    /// Type of the keys: a numeric type or `OH_TYPE_STRING`.
    pub key_type: u32,
    /// Type of the values: a numeric type, `OH_TYPE_BOOL` or `OH_TYPE_STRING`.
    pub value_type: u32,
    /// Number of maps with four entries each that fit before the arena must be rebuilt: 1 to 2^30.
    pub maps: u32,
    /// Seeds of the hash functions. If both words are 0, random seeds are chosen, so that an
    /// attacker cannot choose keys that collide.
    pub seeds: [u32; 2],
}
option_struct!(oh_smallmap_arena_options, through seeds: [u32; 2]);

/// The room that an arena needs in addition to its contents; see `oh_smallmap_arena_make_room`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_smallmap_arena_room {
    /// `sizeof(oh_smallmap_arena_room)`
    pub struct_size: usize,
    /// Number of maps.
    pub maps: u32,
    /// Number of slots of 8 entries. A map of 5 to 8 entries takes one slot, a map of 3 or 4
    /// entries half of one, and a map of 1 or 2 entries a quarter.
    pub blocks: u32,
    /// Number of entries of large maps: one for each entry, and 10 for the ninth entry of a map,
    /// which moves the other 8.
    pub positions: u32,
    /// Number of strings.
    pub strings: u32,
    /// Bytes of the strings: the length of each, rounded up to a multiple of 4, plus 4.
    pub heap: u64,
}
option_struct!(oh_smallmap_arena_room, through heap: u64);

/// The types, capacities and counts of an arena.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_smallmap_arena_info {
    /// Type of the keys, an `oh_type`.
    pub key_type: u32,
    /// Type of the values, an `oh_type`.
    pub value_type: u32,
    /// Number of maps.
    pub maps: u32,
    /// Number of maps whose entries are in the hash table.
    pub promoted: u32,
    /// Number of maps that fit.
    pub map_capacity: u32,
    /// Number of slots of 8 entries that fit.
    pub block_capacity: u32,
    /// Number of entries of large maps that fit.
    pub table_capacity: u32,
    /// Number of strings.
    pub strings: u32,
    /// Size of the region in bytes. The memory may be longer.
    pub region_size: u64,
}

/// # Safety
/// As for [`read_struct`].
unsafe fn read_options(options: *const oh_smallmap_arena_options) -> Result<NewArena> {
    // SAFETY: the caller guarantees the same.
    let options = unsafe { read_struct(options, "options") }?;
    Ok(NewArena {
        key: type_of(options.key_type, "keys")?,
        value: type_of(options.value_type, "values")?,
        maps: options.maps,
        seeds: if options.seeds == [0, 0] {
            offheap_core::region::header::random_seeds()
        } else {
            options.seeds
        },
    })
}

/// # Safety
/// As for [`read_struct`], or null.
unsafe fn read_room(room: *const oh_smallmap_arena_room) -> Result<Goal> {
    if room.is_null() {
        return Ok(Goal::Fit);
    }
    // SAFETY: the caller guarantees the same.
    let room = unsafe { read_struct(room, "room") }?;
    Ok(Goal::Room(Room {
        maps: room.maps,
        blocks: room.blocks,
        positions: room.positions,
        ids: room.strings,
        heap: room.heap,
    }))
}

/// Computes the number of bytes that an arena with these options needs. `OH_ERR_TYPE` for types
/// that an arena does not support; `OH_ERR_RANGE` for a number of maps outside its range.
///
/// # Safety
/// `options` points to as many readable bytes as its `struct_size` says; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_region_size(
    options: *const oh_smallmap_arena_options,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `options` points to a struct of the size it says, `out` is
    // writable.
    unsafe { guard_out(out, || read_options(options)?.length()) }
}

/// Creates an empty arena in `length` bytes at `base`, overwriting them. `OH_ERR_FULL` if `length`
/// is less than `oh_smallmap_arena_region_size`. The caller keeps owning the memory, and only the
/// memory itself has to be freed.
///
/// # Safety
/// `base` is valid for writing `length` bytes that no other thread uses; `options` as for
/// `oh_smallmap_arena_region_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_init(
    base: *mut c_void,
    length: usize,
    options: *const oh_smallmap_arena_options,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes that no other
    // thread uses and that `options` as for `oh_smallmap_arena_region_size`.
    guard(|| unsafe { rebuild::init(base.cast(), length, &read_options(options)?) })
}

/// Checks in constant time that `length` bytes at `base` contain an arena of small maps.
///
/// After `OH_OK`, no `oh_smallmap_arena_` function reads or writes outside these bytes, whatever
/// their contents. Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION`
/// for another kind of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { validate::check(base.cast(), length) })
}

/// Verifies all maps and strings of an arena. `OH_ERR_CORRUPT` if something is wrong;
/// `oh_last_error` describes the first error found. Takes about as long as one lookup for each
/// entry.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { validate::validate(base.cast(), length) })
}

/// Returns the types, capacities and counts of an arena. If another thread is rearranging the
/// arena, the function waits until that is done.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_get_info(
    base: *const c_void,
    length: usize,
    out: *mut oh_smallmap_arena_info,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            let arena = RawArena::attach_shared(base.cast(), length, READ_TIMEOUT)?;
            let shape = arena.shape();
            Ok(oh_smallmap_arena_info {
                key_type: shape.key as u32,
                value_type: shape.value as u32,
                maps: arena.count(),
                promoted: arena.promoted_count(),
                map_capacity: shape.maps,
                block_capacity: shape.blocks,
                table_capacity: shape.table,
                strings: arena.strings(),
                region_size: arena.layout().length as u64,
            })
        })
    }
}

/// Computes the size in bytes that the region will have after `oh_smallmap_arena_make_room` with
/// the same `room`.
///
/// # Safety
/// `base` is valid for reading `length` bytes; `room` is NULL, or points to as many readable bytes
/// as its `struct_size` says; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_room_region_size(
    base: *const c_void,
    length: usize,
    room: *const oh_smallmap_arena_room,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that
    // `room` is NULL or points to a struct of the size it says, `out` is writable.
    unsafe { guard_out(out, || rebuild::rebuild_length(base.cast(), length, read_room(room)?)) }
}

/// Makes room in an arena, in place: packs slots, drops strings that no entry refers to, and gives
/// sections larger capacities. If `room` is NULL, it shrinks the arena to its contents instead.
/// `OH_ERR_FULL` if `length` is less than `oh_smallmap_arena_room_region_size`. A refused call
/// changes nothing. The ids of maps, and of strings that an entry refers to, stay valid.
///
/// # Safety
/// `base` is valid for reading and writing `length` bytes, and no other thread writes them; `room`
/// as for `oh_smallmap_arena_room_region_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_make_room(
    base: *mut c_void,
    length: usize,
    room: *const oh_smallmap_arena_room,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes, and nobody
    // else writes the region and that `room` as for `oh_smallmap_arena_room_region_size`.
    guard(|| unsafe { rebuild::rebuild(base.cast(), length, read_room(room)?) })
}

/// Creates an empty map and returns its id, a number below 2^53. `OH_ERR_FULL` if there is no room.
///
/// # Safety
/// As for `oh_smallmap_arena_make_room`; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_create(
    base: *mut c_void,
    length: usize,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes, and nobody
    // else writes the region, that `room` as for `oh_smallmap_arena_room_region_size`, that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            let id = RawArenaMut::attach(base.cast(), length)?.create()?;
            id.ok_or_else(|| Error::full("the arena has no room for another map"))
        })
    }
}

/// Deletes a map and its entries. Its id becomes stale. `OH_ERR_STALE` if it already was.
///
/// # Safety
/// As for `oh_smallmap_arena_make_room`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_release(base: *mut c_void, length: usize, id: u64) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes, and nobody
    // else writes the region and that `room` as for `oh_smallmap_arena_room_region_size`.
    guard(|| unsafe { RawArenaMut::attach(base.cast(), length)?.release(id) })
}

/// Removes all entries of a map, and moves it out of the hash table.
///
/// # Safety
/// As for `oh_smallmap_arena_make_room`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_clear(base: *mut c_void, length: usize, id: u64) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes, and nobody
    // else writes the region and that `room` as for `oh_smallmap_arena_room_region_size`.
    guard(|| unsafe { RawArenaMut::attach(base.cast(), length)?.clear(id) })
}

/// Moves the entries of a map of exactly 8 entries to the hash table, as a ninth entry would.
/// `OH_ERR_FULL` if there is no room for 10 positions.
///
/// # Safety
/// As for `oh_smallmap_arena_make_room`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_promote(base: *mut c_void, length: usize, id: u64) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes, and nobody
    // else writes the region and that `room` as for `oh_smallmap_arena_room_region_size`.
    guard(|| unsafe {
        if RawArenaMut::attach(base.cast(), length)?.promote_full(id)? {
            return Ok(());
        }
        Err(Error::full("the arena's table has no room for another map"))
    })
}
