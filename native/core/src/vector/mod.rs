//! The vector: a header, and numbers of one type in a row.
//!
//! The bytes are specified in `docs/formats/vector.md`; `src/vector/` works on the same bytes in
//! TypeScript.
//!
//! | file | holds |
//! | --- | --- |
//! | [`layout`] | header words, and the constant-time check |
//! | [`raw`] | vectors in someone else's memory, and every operation on them |
//! | [`sort`] | sort, argsort, binary search |
//! | [`owned`] | the vector for Rust programs: typed, growing by itself |
//!
//! The kernels under sums, extremes and searches are in `crate::simd`.

pub mod layout;
pub mod owned;
pub mod raw;
pub mod sort;

pub use crate::region::element::Element;
pub use owned::Vector;
pub use raw::Sum;
