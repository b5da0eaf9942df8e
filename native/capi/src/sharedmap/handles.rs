//! Handles of a SharedMap: entries without hashing and comparing keys.
//!
//! A handle is a number below 2^53. It identifies one entry until the key is deleted, evicted, or
//! expires, and stays valid when the entry is changed or moved. It has the same meaning for all
//! participants.

use super::convert::{make_native, read_key, read_value};
use super::entry::{
    copy_out, oh_sharedmap_entry, oh_sharedmap_write, oh_sharedmap_written, read_write, write_entry,
    write_written,
};
use super::{oh_sharedmap, operate};
use crate::args::check_optional;
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::sharedmap::now;
use std::ffi::c_void;

/// Returns the handle of a key; 0 if it is absent.
///
/// # Safety
/// `map` is an attachment; `key` is valid for reading `key_length` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_handle_of(
    map: *const oh_sharedmap,
    key: *const c_void,
    key_length: usize,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        guard_out(out, || {
            let this = operate(map, "oh_sharedmap_handle_of")?;
            Ok(this.map.handle_of(&read_key(this.map.schema(), key, key_length)?, now())?.unwrap_or(0))
        })
    }
}

/// As `oh_sharedmap_get`, for the entry of a handle. `*found` is false if the handle is stale.
///
/// # Safety
/// As for `oh_sharedmap_get`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_get_by_handle(
    map: *const oh_sharedmap,
    handle: u64,
    buffer: *mut c_void,
    capacity: usize,
    entry: *mut oh_sharedmap_entry,
    found: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        guard_out(found, || {
            let this = operate(map, "oh_sharedmap_get_by_handle")?;
            let schema = this.map.schema();
            this.with_buffer(|value| {
                let Some(info) = this.map.get_by_handle(handle, now(), value)? else { return Ok(false) };
                make_native(schema, value);
                copy_out(value, buffer, capacity)?;
                write_entry(entry, &info, value.len())?;
                Ok(true)
            })
        })
    }
}

/// Copies the key of a handle to `buffer` if it has at most `capacity` bytes. `*key_length` becomes
/// its length, and `*found` is false if the handle is stale.
///
/// # Safety
/// `map` is an attachment; `buffer` is valid for writing `capacity` bytes; the outputs are
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_key_by_handle(
    map: *const oh_sharedmap,
    handle: u64,
    buffer: *mut c_void,
    capacity: usize,
    key_length: *mut usize,
    found: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        guard_out(found, || {
            crate::args::check_pointer(key_length, "key_length")?;
            let this = operate(map, "oh_sharedmap_key_by_handle")?;
            this.with_buffer(|key| {
                if this.map.key_by_handle(handle, now(), key)?.is_none() {
                    return Ok(false);
                }
                copy_out(key, buffer, capacity)?;
                key_length.write(key.len());
                Ok(true)
            })
        })
    }
}

/// Stores a value in the entry of a handle. `options->mode` is ignored. `out->existed` is false,
/// and nothing changed, if the handle is stale.
///
/// # Safety
/// As for `oh_sharedmap_set`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_set_by_handle(
    map: *mut oh_sharedmap,
    handle: u64,
    value: *const c_void,
    value_length: usize,
    options: *const oh_sharedmap_write,
    out: *mut oh_sharedmap_written,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    guard(|| unsafe {
        let this = operate(map, "oh_sharedmap_set_by_handle")?;
        let (_, expiry, value_type) = read_write(options)?;
        let value = read_value(this.map.schema(), value_type, value, value_length)?;
        check_optional(out, "out")?;
        let written = this.map.write_by_handle(handle, value, value_type, expiry, now())?;
        write_written(out, written.version, written.stored, written.existed)
    })
}

/// Deletes the entry of a handle. `*removed` is false if the handle is stale.
///
/// # Safety
/// `map` is an attachment; `removed` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_remove_by_handle(
    map: *mut oh_sharedmap,
    handle: u64,
    removed: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        guard_out(removed, || {
            operate(map, "oh_sharedmap_remove_by_handle")?.map.remove_by_handle(handle, now())
        })
    }
}
