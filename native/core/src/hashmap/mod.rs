//! The hash map: dense entries in insertion order, and an index of tagged buckets.
//!
//! The bytes are specified in `docs/formats/hashmap.md`; `src/hashmap/` works on the same bytes in
//! TypeScript.
//!
//! | file | what |
//! | --- | --- |
//! | [`layout`] | header words, section offsets, the constant-time check |
//! | [`raw`] | the checked view, and every operation on one entry |
//! | [`bulk`] | many keys in one call, with overlapping memory accesses |
//! | [`rebuild`] | growth, compaction, clear |
//! | [`validate`](mod@validate) | the check of a map's contents |
//! | [`typed`] | the map for Rust programs: typed, and growing by itself |
//!
//! Hash functions, blobs and the index are in [`crate::table`].

pub mod bulk;
pub mod layout;
pub mod raw;
pub mod rebuild;
pub mod typed;
pub mod validate;

pub use typed::{HashMap, HashMapMut, HashMapRef};
