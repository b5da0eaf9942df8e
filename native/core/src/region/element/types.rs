//! The types of elements that structures contain, and their codes in headers.
//!
//! The formats share one table, in `docs/formats/region.md`. It and the tables here are generated
//! from `scripts/generate/schema.mjs`.

// generated (npm run generate): element types
/// The type of an element. The discriminants are the codes stored in headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Type {
    /// Unsigned, 8 bits.
    U8 = 1,
    /// Signed, 8 bits.
    I8 = 2,
    /// Unsigned, 16 bits.
    U16 = 3,
    /// Signed, 16 bits.
    I16 = 4,
    /// Unsigned, 32 bits.
    U32 = 5,
    /// Signed, 32 bits.
    I32 = 6,
    /// Float, 32 bits.
    F32 = 7,
    /// Float, 64 bits.
    F64 = 8,
    /// Unsigned, 64 bits.
    U64 = 9,
    /// Signed, 64 bits.
    I64 = 10,
    /// 0 or 1, one byte.
    Bool = 11,
    /// Text: ASCII, UTF-8 or WTF-8, in the heap.
    String = 12,
    /// Any bytes, in the heap.
    Bytes = 13,
    /// JSON text, in the heap.
    Json = 14,
    /// A JavaScript value that is not in the region: there is no column.
    Any = 15,
    /// A JavaScript value, serialized by V8. Only in a SharedMap.
    Structured = 16,
    /// Each value has a type of its own. Only in a SharedMap.
    Mixed = 17,
}

impl Type {
    /// Every type, in the order of its code.
    pub const ALL: [Type; 17] = [
        Type::U8,
        Type::I8,
        Type::U16,
        Type::I16,
        Type::U32,
        Type::I32,
        Type::F32,
        Type::F64,
        Type::U64,
        Type::I64,
        Type::Bool,
        Type::String,
        Type::Bytes,
        Type::Json,
        Type::Any,
        Type::Structured,
        Type::Mixed,
    ];

    /// Bytes of an element in a column: 0 if the type has none.
    #[inline]
    #[must_use]
    pub const fn width(self) -> usize {
        match self {
            Type::U8 | Type::I8 | Type::Bool => 1,
            Type::U16 | Type::I16 => 2,
            Type::U32 | Type::I32 | Type::F32 | Type::String | Type::Bytes | Type::Json => 4,
            Type::F64 | Type::U64 | Type::I64 => 8,
            Type::Any | Type::Structured | Type::Mixed => 0,
        }
    }
}
// end of generated: element types

impl Type {
    /// The type with this number, if there is one.
    #[inline]
    #[must_use]
    pub fn from_number(number: u32) -> Option<Type> {
        Type::ALL.get(number.wrapping_sub(1) as usize).copied()
    }

    /// Whether elements are plain numbers.
    #[inline]
    #[must_use]
    pub const fn is_numeric(self) -> bool {
        (self as u32) <= Type::I64 as u32
    }

    /// Whether elements are references to blobs in a heap.
    #[inline]
    #[must_use]
    pub const fn is_blob(self) -> bool {
        matches!(self, Type::String | Type::Bytes | Type::Json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_widths_are_those_of_the_format() {
        for (index, ty) in Type::ALL.into_iter().enumerate() {
            assert_eq!(ty as usize, index + 1);
            assert_eq!(Type::from_number(ty as u32), Some(ty));
        }
        assert_eq!(Type::from_number(0), None);
        assert_eq!(Type::from_number(Type::ALL.len() as u32 + 1), None);
        let widths = [1, 1, 2, 2, 4, 4, 4, 8, 8, 8, 1, 4, 4, 4, 0, 0, 0];
        assert_eq!(widths.len(), Type::ALL.len());
        assert!(Type::ALL.iter().zip(widths).all(|(ty, width)| ty.width() == width));
    }
}
