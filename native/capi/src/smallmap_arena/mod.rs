//! The arena of small maps.
//!
//! `oh_smallmap_arena_*(base, length, …)`: every function takes the region's memory, checks its
//! header, and works on it in place. Numbers are passed as their bits in 64 (`uint64_t`),
//! zero-extended: a `double` by its eight bytes, an `int8_t` −1 as 255. Strings are interned first:
//! keys and values of that type are ids of strings.

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

/// What a new arena is to be. Zero it and set `struct_size`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_smallmap_arena_options {
    /// `sizeof(oh_smallmap_arena_options)`
    pub struct_size: usize,
    /// Type of the keys: a number, or `OH_TYPE_STRING`.
    pub key_type: u32,
    /// Type of the values: a number, `OH_TYPE_BOOL` or `OH_TYPE_STRING`.
    pub value_type: u32,
    /// Maps it can hold before it must be rebuilt, if they have four entries each: 1 to 2^30.
    pub maps: u32,
    /// Key of the hash functions. Both 0: random, so that nobody can choose keys that collide.
    pub seeds: [u32; 2],
}
option_struct!(oh_smallmap_arena_options, through seeds: [u32; 2]);

/// What must fit into an arena that is not in it yet; see `oh_smallmap_arena_make_room`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_smallmap_arena_room {
    /// `sizeof(oh_smallmap_arena_room)`
    pub struct_size: usize,
    /// Maps.
    pub maps: u32,
    /// Slots of 8 entries: what 1 map of 5 to 8 entries takes, or 2 of 3 or 4, or 4 of 1 or 2.
    pub blocks: u32,
    /// Entries of large maps: one for each, and 10 for the ninth entry of a map, which moves the
    /// other 8.
    pub positions: u32,
    /// Strings.
    pub strings: u32,
    /// Their bytes: the length of each, rounded up to a multiple of 4, and 4 more.
    pub heap: u64,
}
option_struct!(oh_smallmap_arena_room, through heap: u64);

/// What an arena is and holds.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_smallmap_arena_info {
    /// Type of the keys, an `oh_type`.
    pub key_type: u32,
    /// Type of the values, an `oh_type`.
    pub value_type: u32,
    /// Maps there are.
    pub maps: u32,
    /// How many of them have their entries in the table.
    pub promoted: u32,
    /// Maps it can hold.
    pub map_capacity: u32,
    /// Slots of 8 entries it can hold.
    pub block_capacity: u32,
    /// Entries of large maps it can hold.
    pub table_capacity: u32,
    /// Strings there are.
    pub strings: u32,
    /// Bytes of the region. The memory it lies in may be longer.
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

/// Bytes of memory that an arena with these options takes.
///
/// # Safety
/// `options` points to a struct of the size it says, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_region_size(
    options: *const oh_smallmap_arena_options,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || read_options(options)?.length()) }
}

/// Makes an empty arena in `length` bytes at `base`, at least `oh_smallmap_arena_region_size`. What
/// they held is overwritten. `OH_ERR_FULL` if they are too few. The memory stays yours, and there
/// is nothing to free but it.
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
    // SAFETY: the caller vouches for both.
    guard(|| unsafe { rebuild::init(base.cast(), length, &read_options(options)?) })
}

/// Checks in constant time that the memory holds an arena. After `OH_OK` no function here reads or
/// writes outside it, whatever else it holds; and each checks the same again by itself.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { validate::check(base.cast(), length) })
}

/// Proves that all contents of an arena are sound; takes about one lookup for each entry.
/// `OH_ERR_CORRUPT` says, through `oh_last_error`, what is wrong first.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { validate::validate(base.cast(), length) })
}

/// What an arena is and holds. While the owner rearranges it, it waits.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_get_info(
    base: *const c_void,
    length: usize,
    out: *mut oh_smallmap_arena_info,
) -> oh_status {
    // SAFETY: the caller vouches for both.
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

/// Bytes that the region will have after `oh_smallmap_arena_make_room` with the same `room`.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `room` is NULL or points to a struct of the size it
/// says, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_room_region_size(
    base: *const c_void,
    length: usize,
    room: *const oh_smallmap_arena_room,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller vouches for all three.
    unsafe { guard_out(out, || rebuild::rebuild_length(base.cast(), length, read_room(room)?)) }
}

/// Makes room in an arena where one is full: packs slots, drops strings that nothing refers to,
/// gives sections larger capacities, in place. With `room` NULL it gives up all that is not in use
/// instead. `OH_ERR_FULL` if `length` is below `oh_smallmap_arena_room_region_size`; a call that is
/// refused changes nothing. Ids of maps, and of strings that an entry refers to, stay.
///
/// # Safety
/// `base` is valid for writing `length` bytes, and nobody else writes the region; `room` as for
/// `oh_smallmap_arena_room_region_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_make_room(
    base: *mut c_void,
    length: usize,
    room: *const oh_smallmap_arena_room,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    guard(|| unsafe { rebuild::rebuild(base.cast(), length, read_room(room)?) })
}

/// Makes an empty map: its id, below 2^53. `OH_ERR_FULL` if there is no room.
///
/// # Safety
/// As for `oh_smallmap_arena_make_room`; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_create(
    base: *mut c_void,
    length: usize,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            let id = RawArenaMut::attach(base.cast(), length)?.create()?;
            id.ok_or_else(|| Error::full("the arena has no room for another map"))
        })
    }
}

/// Gives a map back: its entries are gone, and its id is stale. `OH_ERR_STALE` if it is so already.
///
/// # Safety
/// As for `oh_smallmap_arena_make_room`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_release(base: *mut c_void, length: usize, id: u64) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { RawArenaMut::attach(base.cast(), length)?.release(id) })
}

/// Removes all entries of a map, and demotes it.
///
/// # Safety
/// As for `oh_smallmap_arena_make_room`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_clear(base: *mut c_void, length: usize, id: u64) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { RawArenaMut::attach(base.cast(), length)?.clear(id) })
}

/// Moves the entries of a map that has 8 in line to the table, as a ninth would. `OH_ERR_FULL` if
/// there are not 10 positions.
///
/// # Safety
/// As for `oh_smallmap_arena_make_room`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_smallmap_arena_promote(base: *mut c_void, length: usize, id: u64) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe {
        if RawArenaMut::attach(base.cast(), length)?.promote_full(id)? {
            return Ok(());
        }
        Err(Error::full("the arena's table has no room for another map"))
    })
}
