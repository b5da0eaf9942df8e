//! The layout of a vector's region: a header, then the elements.
//!
//! `docs/formats/vector.md` specifies it, and `src/vector/layout.ts` has the same in TypeScript.
//! [`Shape::read`] is the constant-time check on which the memory safety of all other files here is
//! based. After it, the elements that the header counts are within the region, and the region is
//! within the memory.

use crate::region::attach::RegionKind;
use crate::region::element::Type;
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// The offset of the elements.
pub const DATA: usize = HEADER_BYTES;

/// Indices of the words that a vector owns in the region's header.
pub mod word {
    /// Type of the elements.
    pub const TYPE: usize = 16;
    /// Zero.
    pub const RESERVED: usize = 17;
    /// Number of elements (two words).
    pub const LENGTH: usize = 18;
    /// The first unused word.
    pub const UNUSED: usize = 20;
}

/// A checked copy of a vector's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Type of the elements; always numeric.
    pub ty: Type,
    /// Number of elements.
    pub len: usize,
    /// Number of elements that fit in the region.
    pub capacity: usize,
    /// Bytes of the region.
    pub region: usize,
}

impl RegionKind for Shape {
    const KIND: Kind = Kind::Vector;
    const END: usize = word::UNUSED;

    fn check(header: &Header, _: Memory) -> Result<Shape> {
        let number = header.word(word::TYPE);
        let ty = type_of(number)
            .map_err(|_| Error::corrupt(format!("a vector cannot have elements of type {number}")))?;
        // The capacity is within the memory, because `Header::read` checked the length of the
        // region.
        let region = header.length() as usize;
        let capacity = (region - DATA) / ty.width();
        let len = header.double_word(word::LENGTH);
        if len > capacity as u64 {
            return Err(Error::corrupt(format!(
                "a vector of {len} elements exceeds its capacity of {capacity}"
            )));
        }
        Ok(Shape { ty, len: len as usize, capacity, region })
    }

    fn length(&self) -> u64 {
        self.region as u64
    }
}

/// The type with this number, if vectors can have it.
pub fn type_of(number: u32) -> Result<Type> {
    match Type::from_number(number) {
        Some(ty) if ty.is_numeric() => Ok(ty),
        _ => Err(Error::wrong_type(format!("invalid element type of a vector: {number}"))),
    }
}

/// Bytes of a region with room for `capacity` elements.
pub fn region_length(ty: Type, capacity: u64) -> Result<usize> {
    let bytes = capacity.checked_mul(ty.width() as u64).and_then(|bytes| bytes.checked_add(DATA as u64));
    match bytes {
        Some(bytes) if bytes <= isize::MAX as u64 - 64 => Ok(align(bytes) as usize),
        _ => Err(Error::range(format!("a vector cannot have {capacity} elements"))),
    }
}
