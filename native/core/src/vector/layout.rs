//! Where everything in a vector's region lies: a header, and then the elements.
//!
//! `docs/formats/vector.md` is the specification, `src/vector/layout.ts` the same in TypeScript.
//! [`Shape::read`] is the constant-time check on which the memory safety of every other file here
//! rests: after it, the elements that the header counts lie within the region, and the region
//! within the memory.

use crate::region::element::Type;
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// Where the elements begin.
pub const DATA: usize = HEADER_BYTES;

/// Indices of the words that a vector owns in the region's header.
pub mod word {
    /// Type of the elements.
    pub const TYPE: usize = 16;
    /// Zero.
    pub const RESERVED: usize = 17;
    /// How many elements there are (two words).
    pub const LENGTH: usize = 18;
    /// The first of the words that mean nothing yet.
    pub const UNUSED: usize = 20;
}

/// What a vector is: a checked copy of what its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Type of the elements; numeric.
    pub ty: Type,
    /// How many there are.
    pub len: usize,
    /// How many fit into the region.
    pub capacity: usize,
    /// Bytes of the region.
    pub region: usize,
}

impl Shape {
    /// Reads and checks the header.
    pub fn read(memory: Memory) -> Result<Shape> {
        let header = Header::read(memory, Kind::Vector)?;
        let number = header.word(word::TYPE);
        let ty = type_of(number)
            .map_err(|_| Error::corrupt(format!("a vector can not have elements of type {number}")))?;
        // No more than the memory has, which `Header::read` made sure of.
        let region = header.length() as usize;
        let capacity = (region - DATA) / ty.width();
        let len = header.double_word(word::LENGTH);
        if len > capacity as u64 {
            return Err(Error::corrupt(format!("a vector of {len} elements in room for {capacity}")));
        }
        Ok(Shape { ty, len: len as usize, capacity, region })
    }
}

/// The type with this number, if vectors can have it.
pub fn type_of(number: u32) -> Result<Type> {
    match Type::from_number(number) {
        Some(ty) if ty.is_numeric() => Ok(ty),
        _ => Err(Error::wrong_type(format!("{number} is no type that the elements of a vector can have"))),
    }
}

/// Bytes of a region with room for `capacity` elements.
pub fn region_length(ty: Type, capacity: u64) -> Result<usize> {
    let bytes = capacity.checked_mul(ty.width() as u64).and_then(|bytes| bytes.checked_add(DATA as u64));
    match bytes {
        Some(bytes) if bytes <= isize::MAX as u64 - 64 => Ok(align(bytes) as usize),
        _ => Err(Error::range(format!("a vector can not have {capacity} elements"))),
    }
}
