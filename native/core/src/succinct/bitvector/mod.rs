//! The bit vector: bits in a region, one after another.
//!
//! The bytes are specified in `docs/formats/succinct.md`; `src/succinct/bitvector.ts` works on the
//! same bytes in TypeScript.
//!
//! | file | holds |
//! | --- | --- |
//! | `layout` | header words, the constant-time check, making and resizing a region |
//! | `raw` | the checked view: single bits, counting, search |
//! | `write` | the view that also writes: single bits, ranges, set algebra |
//! | `owned` | the bit vector for Rust programs, which grows by itself |

pub mod layout;
mod owned;
mod raw;
#[cfg(test)]
mod tests;
mod write;

pub use self::owned::BitVec;
pub use self::raw::RawBits;
pub use self::write::{RawBitsMut, length_for};
