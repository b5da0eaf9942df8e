//! Keys and values between C and the core.

use crate::args::slice;
use offheap_core::region::element::Type;
use offheap_core::sharedmap::{Key, Schema, Value};
use offheap_core::table::blob::Blob;
use offheap_core::table::hash::canonical;
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// The bits of a number, in the low bytes.
///
/// # Safety
/// `data` is null, or `length` bytes at it are readable.
unsafe fn bits(data: *const c_void, length: usize, ty: Type, what: &'static str) -> Result<u64> {
    if length != ty.width() {
        let width = ty.width();
        return Err(Error::wrong_type(format!("the {what} has {length} bytes, but {ty:?} has {width}")));
    }
    // SAFETY: the caller guarantees that the bytes are readable.
    let bytes = unsafe { slice(data.cast::<u8>(), length, what) }?;
    let mut wide = [0; 8];
    wide[..length].copy_from_slice(bytes);
    Ok(u64::from_le_bytes(wide))
}

/// A key of the map's key type.
///
/// # Safety
/// `data` is null, or `length` bytes at it are readable during `'a`.
pub(super) unsafe fn read_key<'a>(schema: Schema, data: *const c_void, length: usize) -> Result<Key<'a>> {
    // SAFETY: the caller guarantees that the bytes are readable.
    unsafe {
        Ok(match schema.key {
            Type::U32 | Type::I32 => Key::Narrow(bits(data, length, schema.key, "key")? as u32),
            Type::F64 => Key::Wide(canonical(bits(data, length, schema.key, "key")?)),
            Type::U64 | Type::I64 => Key::Wide(bits(data, length, schema.key, "key")?),
            ty => Key::Blob(Blob::of_type(slice(data.cast::<u8>(), length, "key")?, ty)?),
        })
    }
}

/// A value of the map's value type; in a map of mixed values, of the type `mixed`.
///
/// # Safety
/// As for [`read_key`].
pub(super) unsafe fn read_value<'a>(
    schema: Schema,
    mixed: u32,
    data: *const c_void,
    length: usize,
) -> Result<Value<'a>> {
    // SAFETY: the caller guarantees that the bytes are readable.
    unsafe {
        Ok(match schema.value {
            Type::U8 | Type::U16 | Type::U32 | Type::F32 => {
                Value::Narrow(bits(data, length, schema.value, "value")? as u32)
            }
            Type::Bool => Value::Narrow(u32::from(bits(data, length, schema.value, "value")? != 0)),
            Type::I8 => Value::Narrow(i32::from(bits(data, length, Type::I8, "value")? as u8 as i8) as u32),
            Type::I16 => {
                Value::Narrow(i32::from(bits(data, length, Type::I16, "value")? as u16 as i16) as u32)
            }
            Type::I32 => Value::Narrow(bits(data, length, Type::I32, "value")? as u32),
            Type::F64 | Type::U64 | Type::I64 => Value::Wide(bits(data, length, schema.value, "value")?),
            ty => {
                let bytes = slice(data.cast::<u8>(), length, "value")?;
                let own = if ty == Type::Mixed { mixed_type(mixed)? } else { ty };
                if matches!(own, Type::F64 | Type::U64 | Type::I64 | Type::Bool) && length != own.width() {
                    let width = own.width();
                    return Err(Error::wrong_type(format!(
                        "the value has {length} bytes, but {own:?} has {width}"
                    )));
                }
                let is_text = matches!(own, Type::String | Type::Json);
                let blob = Blob::of_type(bytes, if is_text { own } else { Type::Bytes })?;
                Value::Blob { head: blob.head(), bytes }
            }
        })
    }
}

/// The type of a value in a map of mixed values.
pub(super) fn mixed_type(code: u32) -> Result<Type> {
    match Type::from_number(code) {
        Some(
            ty @ (Type::F64
            | Type::U64
            | Type::I64
            | Type::Bool
            | Type::String
            | Type::Bytes
            | Type::Json
            | Type::Structured),
        ) => Ok(ty),
        _ => Err(Error::wrong_type(format!("invalid type of a value in a map of mixed values: {code}"))),
    }
}

/// Cuts the bytes of a value in an entry to those that C expects. A bool becomes 0 or 1, whatever
/// the region contains: C has no other values of its type.
pub(super) fn make_native(schema: Schema, value: &mut Vec<u8>) {
    value.truncate(native_length(schema, value.len()));
    if let (Type::Bool, Some(byte)) = (schema.value, value.first_mut()) {
        *byte = u8::from(*byte != 0);
    }
}

/// Bytes of a value for C, of which an entry has `length`.
pub(super) fn native_length(schema: Schema, length: usize) -> usize {
    match schema.value_width() {
        Some(_) => schema.value.width(),
        None => length,
    }
}
