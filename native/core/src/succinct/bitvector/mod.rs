//! The bit vector: bits in a region, one after another. Space: 256 bytes and 1 bit per bit.
//!
//! `docs/formats/succinct.md` specifies the bytes; `src/succinct/bitvector.ts` works on the same
//! bytes in TypeScript.
//!
//! | file | contents |
//! | --- | --- |
//! | `layout` | header words, the constant-time check, creating and resizing a region |
//! | `raw` | the checked view: single bits, counting, search |
//! | `write` | the view that also writes: single bits, ranges, set algebra |
//! | `owned` | the growing bit vector for Rust programs |

pub mod layout;
mod owned;
mod raw;
#[cfg(test)]
mod tests;
mod write;

pub use self::owned::BitVec;
pub use self::raw::RawBits;
pub use self::write::{RawBitsMut, length_for};
