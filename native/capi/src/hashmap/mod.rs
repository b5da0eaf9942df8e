//! The hash map.
//!
//! `oh_hashmap_*(base, length, …)`: every function takes the region's memory, checks its header
//! (about 20 ns), and works in place. Keys and values are passed by address and length: a number as
//! its 1, 2, 4 or 8 bytes in memory, a string or byte sequence as its bytes (without a terminating
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

/// Options of a new map. Initialize them with `OH_HASHMAP_OPTIONS(key, value, capacity)`, or set
/// all bytes to 0 and then `struct_size`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_hashmap_options {
    /// `sizeof(oh_hashmap_options)`
    pub struct_size: usize,
    /// Type of the keys, an `oh_type`.
    pub key_type: u32,
    /// Type of the values, an `oh_type`.
    pub value_type: u32,
    /// Number of entries that fit before the map must be rebuilt: 1 to 1,369,020,825.
    pub capacity: u32,
    /// Seed of the hash function. If both words are 0, a random seed is chosen, so that an attacker
    /// cannot choose keys that collide.
    pub seeds: [u32; 2],
    /// Bytes for strings and byte sequences, at most 2^34; 0 for a map without them. Each takes its
    /// length, rounded up to a multiple of 4, plus 4 bytes.
    pub heap_capacity: u64,
}
option_struct!(oh_hashmap_options, through heap_capacity: u64);

/// The types, capacities and counts of a map.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_hashmap_info {
    /// Type of the keys, an `oh_type`.
    pub key_type: u32,
    /// Type of the values, an `oh_type`.
    pub value_type: u32,
    /// Number of entries that fit before the map must be rebuilt.
    pub capacity: u32,
    /// Number of entries.
    pub count: u32,
    /// Positions in use, including those of entries that were removed since the last rebuild.
    pub used: u32,
    /// How often entries changed their positions, modulo 2^32.
    pub moves: u32,
    /// Bytes for strings and byte sequences.
    pub heap_capacity: u64,
    /// Bytes of the heap in use.
    pub heap_used: u64,
    /// Bytes of `heap_used` that a rebuild would free.
    pub heap_garbage: u64,
    /// Size of the region in bytes. The memory may be longer.
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

/// Computes the number of bytes that a map with these options needs. `OH_ERR_TYPE` for key or value
/// types that a map does not support; `OH_ERR_RANGE` for a capacity outside its range.
///
/// # Safety
/// `options` points to as many readable bytes as its `struct_size` says; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_region_size(
    options: *const oh_hashmap_options,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `options` points to a struct of the size it says, `out` is
    // writable.
    unsafe { guard_out(out, || read_options(options)?.length()) }
}

/// Creates an empty map in `length` bytes at `base`, overwriting them. `OH_ERR_FULL` if `length` is
/// less than `oh_hashmap_region_size`.
///
/// The caller keeps owning the memory. It contains no pointers, so it can be copied, saved and
/// mapped at another address, and only the memory itself has to be freed.
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
    // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes that no other
    // thread uses and that `options` as for `oh_hashmap_region_size`.
    guard(|| unsafe { rebuild::init(base.cast(), length, &read_options(options)?) })
}

/// Checks in constant time that `length` bytes at `base` contain a hash map.
///
/// After `OH_OK`, no `oh_hashmap_` function reads or writes outside these bytes, whatever their
/// contents. Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for
/// another kind of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { validate::check(base.cast(), length) })
}

/// Verifies all entries of a map. `OH_ERR_CORRUPT` if something is wrong; `oh_last_error` describes
/// the first error found. Takes about as long as one lookup for each entry.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { validate::validate(base.cast(), length) })
}

/// Returns the types, capacities and counts of a map.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_get_info(
    base: *const c_void,
    length: usize,
    out: *mut oh_hashmap_info,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
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

/// Returns the types of the keys and values of a map, each an `oh_type`. If another thread is
/// rebuilding the map, the function waits until that is done.
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
        // SAFETY: the caller guarantees the memory; the outputs were checked.
        unsafe {
            let shape = RawMap::attach_shared(base.cast(), length, READ_TIMEOUT)?.shape();
            key_type.write(shape.key as u32);
            value_type.write(shape.value as u32);
        }
        Ok(())
    })
}

/// Returns the number of entries in a map.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_count(base: *const c_void, length: usize, out: *mut u32) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe { guard_out(out, || Ok(RawMap::attach(base.cast(), length)?.len())) }
}

/// Computes the size in bytes that the region will have after `oh_hashmap_rebuild` with the same
/// arguments.
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
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe { guard_out(out, || rebuild::rebuild_length(base.cast(), length, capacity, heap_capacity)) }
}

/// Rebuilds a map in place with a new capacity (to make room after `OH_ERR_FULL`), or with the same
/// capacity (to discard removed entries). If `heap_capacity` is too small for the strings and byte
/// sequences in the map, it is raised. `OH_ERR_FULL` if `length` is less than
/// `oh_hashmap_rebuild_region_size`.
///
/// Entries keep their order and their handles; positions, and pointers into the map, become
/// invalid. A rebuild takes about 10 ns for each entry. It needs temporary memory only if entries
/// were removed or strings replaced; `OH_ERR_OOM` if there is none. A failed rebuild changes
/// nothing.
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
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes,
    // and no other thread writes them.
    guard(|| unsafe { rebuild::rebuild(base.cast(), length, capacity, heap_capacity) })
}

/// Computes the capacity to which a full map should be rebuilt: the same one if at least a quarter
/// of its entries were removed, otherwise one and a half to two times as much. `OH_ERR_FULL` if the
/// map already has the largest capacity.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_next_capacity(
    base: *const c_void,
    length: usize,
    out: *mut u32,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe { guard_out(out, || RawMap::attach(base.cast(), length)?.next_capacity()) }
}

/// Removes all entries. The capacity stays the same; handles become stale.
///
/// # Safety
/// As for `oh_hashmap_rebuild`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_hashmap_clear(base: *mut c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes,
    // and no other thread writes them.
    guard(|| unsafe { rebuild::clear(base.cast(), length) })
}
