//! Functions on single entries of a SharedMap, by key.

use super::convert::{make_native, native_length, read_key, read_value};
use super::{oh_sharedmap, operate};
use crate::args::{check_optional, check_pointer, slice_mut};
use crate::guard::{guard, guard_out};
use crate::options::{option_struct, read_optional_struct};
use crate::status::oh_status;
use offheap_core::sharedmap::{Expiry, Info, Mode, Number, Taken, Write, now};
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// Store in any case.
pub const OH_SHAREDMAP_SET: u32 = 0;
/// Store if the key is absent.
pub const OH_SHAREDMAP_ADD: u32 = 1;
/// Store if the key is present.
pub const OH_SHAREDMAP_REPLACE: u32 = 2;
/// Store if the entry has the given version.
pub const OH_SHAREDMAP_COMPARE: u32 = 3;

/// The entry expires after the map's time to live.
pub const OH_SHAREDMAP_EXPIRY_DEFAULT: u32 = 0;
/// The entry does not expire.
pub const OH_SHAREDMAP_EXPIRY_NEVER: u32 = 1;
/// The entry expires at `expires_at`.
pub const OH_SHAREDMAP_EXPIRY_AT: u32 = 2;
/// The entry expires when the one that it replaces would have.
pub const OH_SHAREDMAP_EXPIRY_KEEP: u32 = 3;

/// How to store a value. Set all bytes to 0, and then `struct_size`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_sharedmap_write {
    /// `sizeof(oh_sharedmap_write)`
    pub struct_size: usize,
    /// The condition: `OH_SHAREDMAP_SET`, …
    pub mode: u32,
    /// When the entry expires: `OH_SHAREDMAP_EXPIRY_DEFAULT`, …
    pub expiry: u32,
    /// For `OH_SHAREDMAP_COMPARE`: the version; 0: the key is absent.
    pub version: u64,
    /// For `OH_SHAREDMAP_EXPIRY_AT`: milliseconds since 1970.
    pub expires_at: f64,
    /// The type of the value in a map of mixed values; otherwise 0.
    pub value_type: u32,
}
option_struct!(oh_sharedmap_write, through value_type: u32);

/// The result of storing a value.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct oh_sharedmap_written {
    /// The version of the entry that is in the map now; 0: none.
    pub version: u64,
    /// Whether the value was stored.
    pub stored: bool,
    /// Whether the key was present.
    pub existed: bool,
}

/// The properties of an entry.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct oh_sharedmap_entry {
    /// Changes with every change of the entry, and differs after it was deleted and added again.
    pub version: u64,
    /// Milliseconds since 1970; 0: never.
    pub expires_at: f64,
    /// Bytes of the entry in the map, without the index.
    pub bytes: u64,
    /// Bytes of the value.
    pub value_length: usize,
    /// The type of the value in a map of mixed values; otherwise 0.
    pub value_type: u32,
    /// The head of a value that is text or bytes: length × 4 + encoding; otherwise 0.
    pub value_head: u32,
}

impl oh_sharedmap_entry {
    pub(super) fn new(info: &Info, value_length: usize) -> oh_sharedmap_entry {
        oh_sharedmap_entry {
            version: info.version,
            expires_at: info.expires_at,
            bytes: info.bytes,
            value_length,
            value_type: info.value_type,
            value_head: info.value_head,
        }
    }
}

/// Reads the options of a write.
///
/// # Safety
/// `given` is null, or points to as many readable bytes as its `struct_size` says.
pub(super) unsafe fn read_write(given: *const oh_sharedmap_write) -> Result<(Mode, Expiry, u32)> {
    // SAFETY: the caller guarantees the same.
    let Some(given) = (unsafe { read_optional_struct(given, "options") })? else {
        return Ok((Mode::Set, Expiry::Default, 0));
    };
    let mode = match given.mode {
        OH_SHAREDMAP_SET => Mode::Set,
        OH_SHAREDMAP_ADD => Mode::Add,
        OH_SHAREDMAP_REPLACE => Mode::Replace,
        OH_SHAREDMAP_COMPARE => Mode::Compare(given.version),
        other => return Err(Error::range(format!("invalid mode: {other}"))),
    };
    Ok((mode, expiry_of(given.expiry, given.expires_at)?, given.value_type))
}

pub(super) fn expiry_of(code: u32, expires_at: f64) -> Result<Expiry> {
    Ok(match code {
        OH_SHAREDMAP_EXPIRY_DEFAULT => Expiry::Default,
        OH_SHAREDMAP_EXPIRY_NEVER => Expiry::Never,
        OH_SHAREDMAP_EXPIRY_AT if expires_at > 0.0 && expires_at.is_finite() => Expiry::At(expires_at),
        OH_SHAREDMAP_EXPIRY_AT => {
            return Err(Error::range(format!("invalid time of expiry: {expires_at}")));
        }
        OH_SHAREDMAP_EXPIRY_KEEP => Expiry::Keep,
        other => return Err(Error::range(format!("invalid expiry: {other}"))),
    })
}

/// Copies a value to the caller if it fits.
///
/// # Safety
/// `buffer` is null, or `capacity` bytes at it are writable and used by no one else.
pub(super) unsafe fn copy_out(value: &[u8], buffer: *mut c_void, capacity: usize) -> Result<()> {
    if value.len() <= capacity && !value.is_empty() {
        // SAFETY: the caller guarantees the memory.
        let out = unsafe { slice_mut(buffer.cast::<u8>(), capacity, "buffer") }?;
        out[..value.len()].copy_from_slice(value);
    }
    Ok(())
}

/// Looks up a key. `*found` becomes true, and `*entry` (unless NULL) its properties, if it is
/// present. The value is copied to `buffer` if it has at most `capacity` bytes; otherwise nothing
/// is copied, and `entry->value_length` tells how many bytes are needed. With `peek` the lookup
/// affects neither eviction nor statistics. Takes no lock, and may be called while others write.
///
/// # Safety
/// `map` is an attachment; `key` is valid for reading `key_length` bytes and `buffer` for writing
/// `capacity`; `entry` is NULL or writable; `found` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_get(
    map: *const oh_sharedmap,
    key: *const c_void,
    key_length: usize,
    peek: bool,
    buffer: *mut c_void,
    capacity: usize,
    entry: *mut oh_sharedmap_entry,
    found: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        guard_out(found, || {
            let this = operate(map, "oh_sharedmap_get")?;
            let schema = this.map.schema();
            let key = read_key(schema, key, key_length)?;
            this.with_buffer(|value| {
                let Some(info) = this.map.get(&key, now(), !peek, value)? else { return Ok(false) };
                make_native(schema, value);
                copy_out(value, buffer, capacity)?;
                write_entry(entry, &info, value.len())?;
                Ok(true)
            })
        })
    }
}

/// Writes the properties of an entry, unless `out` is null.
///
/// # Safety
/// `out` is null or writable.
pub(super) unsafe fn write_entry(out: *mut oh_sharedmap_entry, info: &Info, length: usize) -> Result<()> {
    if out.is_null() {
        return Ok(());
    }
    check_pointer(out, "entry")?;
    // SAFETY: not null and aligned; the caller guarantees that it is writable.
    unsafe { out.write(oh_sharedmap_entry::new(info, length)) };
    Ok(())
}

/// Stores a value. `options` may be NULL: store in any case, with the map's time to live. `*out`
/// may be NULL. A condition that does not hold is not an error: `out->stored` is false then.
/// `OH_ERR_FULL` if the map has no room and may not evict, or if the value never fits;
/// `OH_ERR_RANGE` if the key is too long. After an error the map is unchanged.
///
/// # Safety
/// `map` is an attachment; `key` and `value` are valid for reading `key_length` and `value_length`
/// bytes; `options` is NULL or points to as many readable bytes as its `struct_size` says; `out` is
/// NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_set(
    map: *mut oh_sharedmap,
    key: *const c_void,
    key_length: usize,
    value: *const c_void,
    value_length: usize,
    options: *const oh_sharedmap_write,
    out: *mut oh_sharedmap_written,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    guard(|| unsafe {
        let this = operate(map, "oh_sharedmap_set")?;
        let schema = this.map.schema();
        let (mode, expiry, value_type) = read_write(options)?;
        check_optional(out, "out")?;
        let written = this.map.write(&Write {
            key: read_key(schema, key, key_length)?,
            value: read_value(schema, value_type, value, value_length)?,
            value_type,
            mode,
            expiry,
            now: now(),
        })?;
        write_written(out, written.version, written.stored, written.existed)
    })
}

/// Writes the result of a write, unless `out` is null.
///
/// # Safety
/// `out` is null or writable.
pub(super) unsafe fn write_written(
    out: *mut oh_sharedmap_written,
    version: u64,
    stored: bool,
    existed: bool,
) -> Result<()> {
    if out.is_null() {
        return Ok(());
    }
    check_pointer(out, "out")?;
    // SAFETY: not null and aligned; the caller guarantees that it is writable.
    unsafe { out.write(oh_sharedmap_written { version, stored, existed }) };
    Ok(())
}

/// Deletes a key. `*removed` becomes whether it was present.
///
/// # Safety
/// `map` is an attachment; `key` is valid for reading `key_length` bytes; `removed` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_remove(
    map: *mut oh_sharedmap,
    key: *const c_void,
    key_length: usize,
    removed: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        guard_out(removed, || {
            let this = operate(map, "oh_sharedmap_remove")?;
            this.map.remove_key(&read_key(this.map.schema(), key, key_length)?, now())
        })
    }
}

/// Copies the value of a key to `buffer`, as `oh_sharedmap_get`, and deletes the key. If the value
/// has more than `capacity` bytes, the key is not deleted, and `entry->value_length` tells how many
/// are needed.
///
/// # Safety
/// As for `oh_sharedmap_get`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_take(
    map: *mut oh_sharedmap,
    key: *const c_void,
    key_length: usize,
    buffer: *mut c_void,
    capacity: usize,
    entry: *mut oh_sharedmap_entry,
    found: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        guard_out(found, || {
            let this = operate(map, "oh_sharedmap_take")?;
            let schema = this.map.schema();
            let key = read_key(schema, key, key_length)?;
            slice_mut(buffer.cast::<u8>(), capacity, "buffer")?;
            check_optional(entry, "entry")?;
            // A value of fixed size has at least 4 bytes in the map.
            let room = if schema.value_width().is_some_and(|_| capacity >= schema.value.width()) {
                8
            } else {
                capacity
            };
            this.with_buffer(|value| match this.map.take(&key, now(), room, value)? {
                Taken::Absent => Ok(false),
                Taken::TooLong(length) => {
                    let info = Info { version: 0, expires_at: 0.0, bytes: 0, value_type: 0, value_head: 0 };
                    write_entry(entry, &info, native_length(schema, length))?;
                    Ok(true)
                }
                Taken::Value(info) => {
                    make_native(schema, value);
                    copy_out(value, buffer, capacity)?;
                    write_entry(entry, &info, value.len())?;
                    Ok(true)
                }
            })
        })
    }
}

/// Adds to the number of a key, which counts as 0 if the key is absent, as one step. `*sum` becomes
/// the sum. For values of the types up to 32 bits, `f64`, and `mixed`; the entry keeps its time of
/// expiry. `OH_ERR_RANGE`, and nothing changed, if the type cannot represent the sum; `OH_ERR_TYPE`
/// if the value is not such a number.
///
/// # Safety
/// `map` is an attachment; `key` is valid for reading `key_length` bytes; `sum` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_increment(
    map: *mut oh_sharedmap,
    key: *const c_void,
    key_length: usize,
    by: f64,
    sum: *mut f64,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        guard_out(sum, || {
            let this = operate(map, "oh_sharedmap_increment")?;
            let key = read_key(this.map.schema(), key, key_length)?;
            match this.map.increment(&key, Number::Float(by), Expiry::Keep, now())? {
                Number::Float(sum) => Ok(sum),
                Number::Integer(sum) => Ok(sum as f64),
            }
        })
    }
}

/// As `oh_sharedmap_increment`, for values of the types `u64` and `i64`. A sum of a `u64` map is
/// returned as its bits.
///
/// # Safety
/// As for `oh_sharedmap_increment`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_increment_integer(
    map: *mut oh_sharedmap,
    key: *const c_void,
    key_length: usize,
    by: i64,
    sum: *mut i64,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        guard_out(sum, || {
            let this = operate(map, "oh_sharedmap_increment_integer")?;
            let key = read_key(this.map.schema(), key, key_length)?;
            match this.map.increment(&key, Number::Integer(i128::from(by)), Expiry::Keep, now())? {
                Number::Float(sum) => Ok(sum as i64),
                Number::Integer(sum) => Ok(sum as i64),
            }
        })
    }
}

/// Gives an entry a new time of expiry, in milliseconds since 1970; 0: never. `*found` becomes
/// whether the key is present. The entry gets a new version.
///
/// # Safety
/// `map` is an attachment; `key` is valid for reading `key_length` bytes; `found` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_touch(
    map: *mut oh_sharedmap,
    key: *const c_void,
    key_length: usize,
    expires_at: f64,
    found: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        guard_out(found, || {
            if !(expires_at >= 0.0 && expires_at.is_finite()) {
                return Err(Error::range(format!("invalid time of expiry: {expires_at}")));
            }
            let this = operate(map, "oh_sharedmap_touch")?;
            this.map.touch(&read_key(this.map.schema(), key, key_length)?, expires_at, now())
        })
    }
}
