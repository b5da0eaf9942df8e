//! The types of keys: `u32`, `i32`, `u64`, `i64`, `f64`, `str` and `[u8]`.

use super::value::cell_bytes;
use crate::Result;
use crate::hashmap::raw::{RawKey, RawMap};
use crate::region::element::Type;
use crate::table::blob::Blob;
use crate::table::hash::canonical;

/// A type of keys.
pub trait Key {
    /// The code of the type in the format.
    const TYPE: Type;
    /// The type of arguments and results: the number, or a reference.
    type Ref<'a>: Copy;
    /// The stored representation.
    type Raw<'a>: RawKey;
    /// Converts to the stored representation. `Range` if a blob is too long.
    fn raw<'a>(key: Self::Ref<'a>) -> Result<Self::Raw<'a>>;
    /// Reads the key at a position.
    ///
    /// # Safety
    /// The map's keys have this type, the position is below `used`, and the map is neither rebuilt
    /// nor cleared while `'a` lasts.
    unsafe fn read<'a>(map: &RawMap, position: u32) -> Option<Self::Ref<'a>>;
}

macro_rules! number_keys {
    ($($type:ident $raw:ident $ty:ident, $read:ident, $to:expr, $from:expr;)+) => {$(
        impl Key for $type {
            const TYPE: Type = Type::$ty;
            type Ref<'a> = $type;
            type Raw<'a> = $raw;
            #[inline(always)]
            fn raw<'a>(key: Self::Ref<'a>) -> Result<Self::Raw<'a>> {
                let to: fn($type) -> $raw = $to;
                Ok(to(key))
            }
            #[inline(always)]
            unsafe fn read<'a>(map: &RawMap, position: u32) -> Option<Self::Ref<'a>> {
                let from: fn($raw) -> $type = $from;
                // SAFETY: the caller guarantees the type, the position, and that the map is not
                // rebuilt.
                Some(from(unsafe { map.$read(position) }))
            }
        }
    )+};
}

number_keys! {
    u32 u32 U32, key_u32, |key| key, |raw| raw;
    i32 u32 I32, key_u32, i32::cast_unsigned, u32::cast_signed;
    u64 u64 U64, key_u64, |key| key, |raw| raw;
    i64 u64 I64, key_u64, i64::cast_unsigned, u64::cast_signed;
    f64 u64 F64, key_u64, |key| canonical(key.to_bits()), f64::from_bits;
}

macro_rules! blob_keys {
    ($($type:ty, $ty:ident, $to:path, $from:expr;)+) => {$(
        impl Key for $type {
            const TYPE: Type = Type::$ty;
            type Ref<'a> = &'a $type;
            type Raw<'a> = Blob<'a>;
            #[inline]
            fn raw<'a>(key: Self::Ref<'a>) -> Result<Self::Raw<'a>> {
                $to(key)
            }
            #[inline]
            unsafe fn read<'a>(map: &RawMap, position: u32) -> Option<&'a $type> {
                let from: fn(&[u8]) -> Option<&$type> = $from;
                // SAFETY: the caller guarantees the type, the position, and that the map is not
                // rebuilt.
                unsafe { cell_bytes(map.key_at(position)) }.and_then(from)
            }
        }
    )+};
}

blob_keys! {
    str, String, Blob::text, |bytes| std::str::from_utf8(bytes).ok();
    [u8], Bytes, Blob::bytes, |bytes| Some(bytes);
}
