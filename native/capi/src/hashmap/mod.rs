//! The hash map.
//!
//! `oh_hashmap_*(base, length, …)`: every function takes the region's memory, checks its header
//! (some 20 ns), and works on it in place. Keys and values are passed by address and length: a
//! number is its 1, 2, 4 or 8 bytes in memory, a string or byte sequence its bytes (no closing
//! NUL).

mod bulk;
mod entry;

pub use bulk::*;
pub use entry::*;

use crate::args::{check_pointer, type_of};
use crate::guard::{guard, guard_out};
use crate::options::{option_struct, read_struct};
use crate::status::oh_status;
use offheap_core::Result;
use offheap_core::hashmap::raw::RawMap;
use offheap_core::hashmap::rebuild::NewMap;
use offheap_core::hashmap::{rebuild, validate};
use offheap_core::region::header::random_seeds;
use offheap_core::region::sequence::READ_TIMEOUT;
use std::ffi::c_void;

/// What a new map is to be. Begin with `OH_HASHMAP_OPTIONS(key, value, capacity)`, or zero it and
/// set `struct_size`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_hashmap_options {
    /// `sizeof(oh_hashmap_options)`
    pub struct_size: usize,
    /// Type of the keys, an `oh_type`.
    pub key_type: u32,
    /// Type of the values, an `oh_type`.
    pub value_type: u32,
    /// Entries it can hold before it must be rebuilt: 1 to 1,369,020,825.
    pub capacity: u32,
    /// Key of the hash function. Both 0: random, so that nobody can choose keys that collide.
    pub seeds: [u32; 2],
    /// Bytes for strings and byte sequences, at most 2^34; 0 for a map that has neither. Each takes
    /// its length, rounded up to a multiple of 4, and 4 more.
    pub heap_capacity: u64,
}
option_struct!(oh_hashmap_options, through heap_capacity: u64);

/// What a map is and holds.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_hashmap_info {
    /// Type of the keys, an `oh_type`.
    pub key_type: u32,
    /// Type of the values, an `oh_type`.
    pub value_type: u32,
    /// Entries it can hold before it must be rebuilt.
    pub capacity: u32,
    /// Entries it holds.
    pub count: u32,
    /// Positions in use: those of the entries, and of deleted ones, until the next rebuild.
    pub used: u32,
    /// How many times entries changed their positions, modulo 2^32.
    pub moves: u32,
    /// Bytes for strings and byte sequences.
    pub heap_capacity: u64,
    /// How many of them are used.
    pub heap_used: u64,
    /// How many of those a rebuild would free.
    pub heap_garbage: u64,
    /// Bytes of the region. The memory it lies in may be longer.
    pub region_size: u64,
}

/// # Safety
/// As for [`read_struct`].
unsafe fn read_options(options: *const oh_hashmap_options) -> Result<NewMap> {
    // SAFETY: the caller guarantees the same.
    let options = unsafe { read_struct(options, "options") }?;
    Ok(NewMap {
        key: type_of(options.key_type, "keys")?,
        value: type_of(options.value_type, "values")?,
        capacity: options.capacity,
        heap: options.heap_capacity,
        seeds: if options.seeds == [0, 0] { random_seeds() } else { options.seeds },
    })
}

/// Bytes of memory that a map with these options takes.
///
/// # Safety
/// `options` points to a struct of the size it says, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_region_size(
    options: *const oh_hashmap_options,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || read_options(options)?.length()) }
}

/// Makes an empty map in `length` bytes at `base`, at least `oh_hashmap_region_size`. What they
/// held is overwritten. `OH_ERR_FULL` if they are too few.
///
/// The memory stays yours: it has no pointers in it, so it can be copied, saved and mapped
/// elsewhere, and there is nothing to free but the memory itself.
///
/// # Safety
/// `base` is valid for writing `length` bytes that no other thread uses; `options` as for
/// `oh_hashmap_region_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_init(
    base: *mut c_void,
    length: usize,
    options: *const oh_hashmap_options,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    guard(|| unsafe { rebuild::init(base.cast(), length, &read_options(options)?) })
}

/// Checks in constant time that the memory holds a map. After `OH_OK` no function here reads or
/// writes outside it, whatever else it holds; and each checks the same again by itself.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { validate::check(base.cast(), length) })
}

/// Proves that all contents of a map are sound; takes about one lookup for each entry.
/// `OH_ERR_CORRUPT` says, through `oh_last_error`, what is wrong first.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { validate::validate(base.cast(), length) })
}

/// What a map is and holds.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_get_info(
    base: *const c_void,
    length: usize,
    out: *mut oh_hashmap_info,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            let map = RawMap::attach(base.cast(), length)?;
            let (shape, counts) = (map.shape(), map.counts());
            Ok(oh_hashmap_info {
                key_type: shape.key as u32,
                value_type: shape.value as u32,
                capacity: shape.capacity,
                count: map.len(),
                used: map.used(),
                moves: counts.moves,
                heap_capacity: shape.heap,
                heap_used: counts.heap_used,
                heap_garbage: counts.heap_garbage,
                region_size: map.layout().length as u64,
            })
        })
    }
}

/// The types of a map's keys and values, each an `oh_type`. While the owner rebuilds the map it
/// waits.
///
/// # Safety
/// `base` is valid for reading `length` bytes; the outputs are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_types(
    base: *const c_void,
    length: usize,
    key_type: *mut u32,
    value_type: *mut u32,
) -> oh_status {
    guard(|| {
        check_pointer(key_type, "key_type")?;
        check_pointer(value_type, "value_type")?;
        // SAFETY: the caller vouches for the memory; the outputs were checked.
        unsafe {
            let shape = RawMap::attach_shared(base.cast(), length, READ_TIMEOUT)?.shape();
            key_type.write(shape.key as u32);
            value_type.write(shape.value as u32);
        }
        Ok(())
    })
}

/// How many entries a map holds.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_count(base: *const c_void, length: usize, out: *mut u32) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || Ok(RawMap::attach(base.cast(), length)?.len())) }
}

/// Bytes that the region will have after `oh_hashmap_rebuild` with these numbers.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_rebuild_region_size(
    base: *const c_void,
    length: usize,
    capacity: u32,
    heap_capacity: u64,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || rebuild::rebuild_length(base.cast(), length, capacity, heap_capacity)) }
}

/// Rebuilds a map in place, for another capacity (to make room after `OH_ERR_FULL`) or the same (to
/// squeeze out deleted entries). `heap_capacity` is raised to what the strings and byte sequences
/// in it need. `length` is what `oh_hashmap_rebuild_region_size` said, or more: `OH_ERR_FULL` if it
/// is less.
///
/// Entries keep their order and their handles; positions and pointers into the map are void.
/// It takes about 10 ns for each entry, and needs temporary memory only if entries were deleted or
/// strings replaced. `OH_ERR_OOM` if that is refused. A failed rebuild changes nothing.
///
/// # Safety
/// `base` is valid for reading and writing `length` bytes, and no other thread writes them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_rebuild(
    base: *mut c_void,
    length: usize,
    capacity: u32,
    heap_capacity: u64,
) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { rebuild::rebuild(base.cast(), length, capacity, heap_capacity) })
}

/// The capacity that a full map should be rebuilt to: the same if a quarter of its entries or more
/// was deleted, else one and a half times to twice as much. `OH_ERR_FULL` at the largest.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_next_capacity(
    base: *const c_void,
    length: usize,
    out: *mut u32,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || RawMap::attach(base.cast(), length)?.next_capacity()) }
}

/// Empties a map. Its capacity stays; handles become stale.
///
/// # Safety
/// As for `oh_hashmap_rebuild`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_clear(base: *mut c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { rebuild::clear(base.cast(), length) })
}
