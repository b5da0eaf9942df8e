//! The vector: a header, followed by numbers of one type.
//!
//! Space: 256 bytes and the elements. `docs/formats/vector.md` specifies the bytes; `src/vector/`
//! works on the same bytes in TypeScript.
//!
//! | file | contents |
//! | --- | --- |
//! | [`layout`] | header words, and the constant-time check |
//! | [`raw`] | vectors in memory owned by the caller, and all operations on them |
//! | [`sort`] | sort, argsort, binary search |
//! | [`owned`] | the growing typed vector for Rust programs |
//!
//! The kernels of sums, extremes and searches are in `crate::simd`.

pub mod layout;
pub mod owned;
pub mod raw;
pub mod sort;

pub use crate::region::element::Element;
pub use owned::Vector;
pub use raw::Sum;
