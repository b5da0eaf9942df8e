//! The arena of small maps.
//!
//! `oh_smallmap_arena_*(base, length, …)`: every function takes the region's memory, checks its
//! header, and works on it in place. Numbers are passed as their bits in 64 (`uint64_t`),
//! zero-extended: a `double` by its eight bytes, an `int8_t` −1 as 255. Strings are interned first:
//! keys and values of that type are ids of strings.

use crate::args::{check_array, check_from, check_pointer, slice};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::region::element::Type;
use offheap_core::region::sequence::READ_TIMEOUT;
use offheap_core::smallmap::arena::layout::Shape;
use offheap_core::smallmap::arena::raw::stored_bits;
use offheap_core::smallmap::arena::rebuild::{self, Goal, NewArena, Room};
use offheap_core::smallmap::arena::{Placed, RawArena, RawArenaMut, bulk, validate};
use offheap_core::table::blob::Blob;
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
/// `given` is null, or points to a struct of the size that its first member says.
unsafe fn read_struct<T: Copy>(given: *const T, what: &'static str) -> Result<T> {
    check_pointer(given, what)?;
    // SAFETY: not null and aligned; the caller vouches for the struct that its size says it is.
    unsafe {
        let size = given.cast::<usize>().read();
        if size < size_of::<T>() {
            return Err(Error::range(format!(
                "{what}.struct_size is {size}: set it to the sizeof the struct"
            )));
        }
        Ok(given.read())
    }
}

unsafe fn read_options(options: *const oh_smallmap_arena_options) -> Result<NewArena> {
    // SAFETY: the caller's word.
    let options = unsafe { read_struct(options, "options") }?;
    let type_of = |number: u32, what: &str| {
        Type::from_number(number).ok_or_else(|| Error::wrong_type(format!("{number} is no type of {what}")))
    };
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

unsafe fn read_room(room: *const oh_smallmap_arena_room) -> Result<Goal> {
    if room.is_null() {
        return Ok(Goal::Fit);
    }
    // SAFETY: the caller's word.
    let room = unsafe { read_struct(room, "room") }?;
    Ok(Goal::Room(Room {
        maps: room.maps,
        blocks: room.blocks,
        positions: room.positions,
        ids: room.strings,
        heap: room.heap,
    }))
}

/// The bits of a key as they are stored, if they are those of its type.
fn key_bits(arena: &RawArena, key: u64) -> Result<u64> {
    let ty = arena.shape().key;
    Ok(stored_bits(check_bits(key, ty, "key")?, ty))
}

fn check_bits(bits: u64, ty: Type, what: &str) -> Result<u64> {
    let width = ty.width() * 8;
    if (width < 64 && bits >> width != 0) || (ty == Type::Bool && bits > 1) {
        return Err(Error::range(format!("{bits:#x} are not the bits of a {what} of type {ty:?}")));
    }
    Ok(bits)
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

/// How many entries a map has, and whether they are in the table.
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
        // SAFETY: the caller vouches for the memory; the outputs were checked.
        unsafe {
            let arena = RawArena::attach(base.cast(), length)?;
            let map = arena.live(id)?;
            size.write(arena.size(map));
            promoted.write(arena.is_promoted(map));
        }
        Ok(())
    })
}

/// The value of a key. `*found` says whether it is there; if not, `*value` is not written.
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
        // SAFETY: the caller vouches for the memory; the outputs were checked.
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

/// Gives a key a value. `OH_ERR_FULL` if there is no room: make room for a block, and for 10
/// positions if the map has 8 entries or more, and call it again. `OH_ERR_STALE` if `id` names no
/// map, or a key or value of that type no string.
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
    // SAFETY: the caller vouches for the memory.
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

/// Removes a key. `*removed` says whether it was there. `OH_ERR_FULL` if that needs a slot and
/// there is none: make room for a block, and call it again.
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
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(removed, || {
            let mut arena = RawArenaMut::attach(base.cast(), length)?;
            let key = key_bits(&arena, key)?;
            arena.remove(id, key)?.ok_or_else(|| Error::full("the arena has no slot for what stays"))
        })
    }
}

/// The id of a string (UTF-8, or WTF-8 if it has lone surrogates), which is made if the arena does
/// not have it. An id is good until the next `oh_smallmap_arena_make_room`, and from when an entry
/// refers to it for as long as one does. `OH_ERR_FULL` if there is no room.
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
    // SAFETY: the caller vouches for all three.
    unsafe {
        guard_out(out, || {
            let text = Blob::of_type(slice(text.cast::<u8>(), text_length, "text")?, Type::String)?;
            let id = RawArenaMut::attach(base.cast(), length)?.intern(text)?;
            id.ok_or_else(|| Error::full("the arena has no room for another string"))
        })
    }
}

/// The id of a string that the arena has. `*found` says whether it has; if not, `*out` is not
/// written.
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
        // SAFETY: the caller vouches for the memory and the text; the outputs were checked.
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

/// The bytes of a string, in the region; no NUL follows them. They are good until
/// `oh_smallmap_arena_make_room`. `OH_ERR_STALE` if there is no string with this id.
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
        // SAFETY: the caller vouches for the memory; the outputs were checked.
        unsafe {
            let bytes = RawArena::attach(base.cast(), length)?.string(id);
            let bytes = bytes.ok_or_else(|| Error::stale(format!("there is no string with id {id}")))?;
            text.write(bytes.as_ptr().cast());
            text_length.write(bytes.len());
        }
        Ok(())
    })
}

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
