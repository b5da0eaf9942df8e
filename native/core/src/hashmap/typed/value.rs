//! The types of values: numbers, `bool`, `str` and `[u8]`.

use crate::Result;
use crate::hashmap::raw::{Cell, PlainValue, RawMap, RawValue};
use crate::region::element::Type;
use crate::table::blob::Blob;

/// A type of values.
pub trait Value {
    /// The code of the type in the format.
    const TYPE: Type;
    /// The type of arguments and results: the number, or a reference.
    type Ref<'a>: Copy;
    /// The stored representation.
    type Raw<'a>: RawValue;
    /// Converts to the stored representation. `Range` if a blob is too long.
    fn raw<'a>(value: Self::Ref<'a>) -> Result<Self::Raw<'a>>;
    /// Reads the value at a position.
    ///
    /// # Safety
    /// As for `Key::read`.
    unsafe fn read<'a>(map: &RawMap, position: u32) -> Option<Self::Ref<'a>>;
}

macro_rules! number_values {
    ($($type:ident $raw:ident $ty:ident, $to:expr, $from:expr;)+) => {$(
        impl Value for $type {
            const TYPE: Type = Type::$ty;
            type Ref<'a> = $type;
            type Raw<'a> = $raw;
            #[inline(always)]
            fn raw<'a>(value: Self::Ref<'a>) -> Result<Self::Raw<'a>> {
                let to: fn($type) -> $raw = $to;
                Ok(to(value))
            }
            #[inline(always)]
            unsafe fn read<'a>(map: &RawMap, position: u32) -> Option<Self::Ref<'a>> {
                let from: fn($raw) -> $type = $from;
                // SAFETY: the caller guarantees the type, the position, and that the map is not
                // rebuilt.
                Some(from(unsafe { <$raw as PlainValue>::read(map, position) }))
            }
        }
    )+};
}

number_values! {
    u8 u8 U8, |value| value, |raw| raw;
    i8 u8 I8, i8::cast_unsigned, u8::cast_signed;
    u16 u16 U16, |value| value, |raw| raw;
    i16 u16 I16, i16::cast_unsigned, u16::cast_signed;
    u32 u32 U32, |value| value, |raw| raw;
    i32 u32 I32, i32::cast_unsigned, u32::cast_signed;
    f32 u32 F32, f32::to_bits, f32::from_bits;
    f64 u64 F64, f64::to_bits, f64::from_bits;
    u64 u64 U64, |value| value, |raw| raw;
    i64 u64 I64, i64::cast_unsigned, u64::cast_signed;
    bool u8 Bool, u8::from, |raw| raw != 0;
}

/// The blob in a cell, as bytes.
///
/// # Safety
/// As for `Key::read`.
pub(super) unsafe fn cell_bytes<'a>(cell: Result<Cell>) -> Option<&'a [u8]> {
    match cell {
        // SAFETY: the caller guarantees the type, the position, and that the map is not rebuilt.
        Ok(Cell::Blob(blob)) => Some(unsafe { blob.bytes() }),
        _ => None,
    }
}

macro_rules! blob_values {
    ($($type:ty, $ty:ident, $to:path, $from:expr;)+) => {$(
        impl Value for $type {
            const TYPE: Type = Type::$ty;
            type Ref<'a> = &'a $type;
            type Raw<'a> = Blob<'a>;
            #[inline]
            fn raw<'a>(value: Self::Ref<'a>) -> Result<Self::Raw<'a>> {
                $to(value)
            }
            #[inline]
            unsafe fn read<'a>(map: &RawMap, position: u32) -> Option<&'a $type> {
                let from: fn(&[u8]) -> Option<&$type> = $from;
                // SAFETY: the caller guarantees the type, the position, and that the map is not
                // rebuilt.
                unsafe { cell_bytes(map.value_at(position)) }.and_then(from)
            }
        }
    )+};
}

blob_values! {
    str, String, Blob::text, |bytes| std::str::from_utf8(bytes).ok();
    [u8], Bytes, Blob::bytes, |bytes| Some(bytes);
}
