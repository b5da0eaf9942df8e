//! Functions on many keys of a SharedMap, whose keys and values are numbers.

use super::convert::{make_native, read_key, read_value};
use super::{oh_sharedmap, operate};
use crate::args::{check_array, slice_mut};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::region::element::Type;
use offheap_core::sharedmap::{Expiry, Mode, Write, now};
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// The width of a type of fixed size.
fn width_of(ty: Type, what: &'static str) -> Result<usize> {
    match ty.width() {
        width @ 1.. if !ty.is_blob() => Ok(width),
        _ => Err(Error::unsupported(format!(
            "bulk calls require numbers; the {what} of this map are not numbers"
        ))),
    }
}

/// Looks up `count` keys, an array of the map's key type. `values`, an array of its value type, or
/// NULL; if `keys[i]` is absent, `values[i]` is left unchanged. `found[i]` (unless `found` is NULL)
/// becomes 1 or 0. `*out` becomes the number of keys found.
///
/// # Safety
/// `map` is an attachment; the arrays have `count` elements, and only the caller uses `values` and
/// `found`; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_get_many(
    map: *const oh_sharedmap,
    keys: *const c_void,
    count: usize,
    values: *mut c_void,
    found: *mut u8,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers, whose alignment is checked.
    unsafe {
        guard_out(out, || {
            let this = operate(map, "oh_sharedmap_get_many")?;
            let schema = this.map.schema();
            let key_width = width_of(schema.key, "keys")?;
            check_array(keys, key_width, count, "keys")?;
            let value_width = if values.is_null() { 0 } else { width_of(schema.value, "values")? };
            check_array(values, value_width, if values.is_null() { 0 } else { count }, "values")?;
            let mut flags = if found.is_null() { None } else { Some(slice_mut(found, count, "found")?) };
            let now = now();
            let mut hits = 0;
            this.with_buffer(|value| {
                for index in 0..count {
                    let key = read_key(schema, keys.byte_add(index * key_width), key_width)?;
                    value.clear();
                    let is_found = this.map.get(&key, now, true, value)?.is_some();
                    if is_found && !values.is_null() {
                        make_native(schema, value);
                        let to = values.cast::<u8>().add(index * value_width);
                        to.copy_from_nonoverlapping(value.as_ptr(), value_width.min(value.len()));
                    }
                    hits += usize::from(is_found);
                    if let Some(flags) = &mut flags {
                        flags[index] = u8::from(is_found);
                    }
                }
                Ok(hits)
            })
        })
    }
}

/// Stores `count` values with the map's time to live. `*out` becomes the number of values stored:
/// all, or the index of the first that was refused, together with the status of its refusal.
///
/// # Safety
/// `map` is an attachment; the arrays, of the map's types, have `count` elements; `out` is
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_set_many(
    map: *mut oh_sharedmap,
    keys: *const c_void,
    values: *const c_void,
    count: usize,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers, whose alignment is checked.
    guard(|| unsafe {
        crate::args::check_pointer(out, "the output")?;
        let this = operate(map, "oh_sharedmap_set_many")?;
        let schema = this.map.schema();
        let (key_width, value_width) = (width_of(schema.key, "keys")?, width_of(schema.value, "values")?);
        check_array(keys, key_width, count, "keys")?;
        check_array(values, value_width, count, "values")?;
        let now = now();
        for index in 0..count {
            out.write(index);
            this.map.write(&Write {
                key: read_key(schema, keys.byte_add(index * key_width), key_width)?,
                value: read_value(schema, 0, values.byte_add(index * value_width), value_width)?,
                value_type: 0,
                mode: Mode::Set,
                expiry: Expiry::Default,
                now,
            })?;
        }
        out.write(count);
        Ok(())
    })
}

/// Deletes `count` keys, an array of the map's key type. `*out` becomes the number of keys that
/// were present.
///
/// # Safety
/// `map` is an attachment; `keys` has `count` elements; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_remove_many(
    map: *mut oh_sharedmap,
    keys: *const c_void,
    count: usize,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers, whose alignment is checked.
    unsafe {
        guard_out(out, || {
            let this = operate(map, "oh_sharedmap_remove_many")?;
            let schema = this.map.schema();
            let width = width_of(schema.key, "keys")?;
            check_array(keys, width, count, "keys")?;
            let now = now();
            let mut removed = 0;
            for index in 0..count {
                let key = read_key(schema, keys.byte_add(index * width), width)?;
                removed += usize::from(this.map.remove_key(&key, now)?);
            }
            Ok(removed)
        })
    }
}
