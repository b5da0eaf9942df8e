//! The types of elements.

use crate::guard::guard_value;
use offheap_core::region::element::Type;

/// The types of elements. The numbers are those of the file formats.
///
/// Keys of an `oh_hashmap`: `U32`, `I32`, `F64`, `U64`, `I64`, `STRING`, `BYTES`. Values: all
/// types.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum oh_type {
    // generated (npm run generate): element types
    /// `uint8_t`
    OH_TYPE_U8 = 1,
    /// `int8_t`
    OH_TYPE_I8 = 2,
    /// `uint16_t`
    OH_TYPE_U16 = 3,
    /// `int16_t`
    OH_TYPE_I16 = 4,
    /// `uint32_t`
    OH_TYPE_U32 = 5,
    /// `int32_t`
    OH_TYPE_I32 = 6,
    /// `float`
    OH_TYPE_F32 = 7,
    /// `double`. As keys, all NaNs are equal, and -0.0 equals 0.0.
    OH_TYPE_F64 = 8,
    /// `uint64_t`
    OH_TYPE_U64 = 9,
    /// `int64_t`
    OH_TYPE_I64 = 10,
    /// One byte, 0 or 1.
    OH_TYPE_BOOL = 11,
    /// Text: UTF-8, or WTF-8 if it has lone surrogates. It may contain NULs.
    OH_TYPE_STRING = 12,
    /// Any bytes.
    OH_TYPE_BYTES = 13,
    /// JSON text.
    OH_TYPE_JSON = 14,
    /// JavaScript values, which are not stored in the region. From C, only the keys of such a map
    /// can be used.
    OH_TYPE_ANY = 15,
    /// A JavaScript value, serialized by V8. Only values of a SharedMap have this type.
    OH_TYPE_STRUCTURED = 16,
    /// Each value has a type of its own. Only values of a SharedMap have this type.
    OH_TYPE_MIXED = 17,
    // end of generated: element types
}

/// Returns the size in bytes of an element of this type in a column or array: 1, 2, 4 or 8. It is 4
/// for strings and byte sequences, whose columns contain references, and 0 for `OH_TYPE_ANY` and
/// for an invalid type.
#[unsafe(no_mangle)]
pub extern "C" fn oh_type_width(ty: u32) -> usize {
    guard_value(0, || Type::from_number(ty).map_or(0, Type::width))
}
