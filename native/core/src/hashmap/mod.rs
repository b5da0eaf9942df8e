//! The hash map: dense entries in insertion order, and an index of tagged buckets beside them.
//!
//! The bytes are specified in `docs/formats/hashmap.md`; `src/hashmap/` works on the same bytes in
//! TypeScript.
//!
//! | file | holds |
//! | --- | --- |
//! | `layout` | header words, section offsets, the constant-time check |
//! | `hash` | hash functions, home buckets, tags |
//! | `blob` | strings and bytes, outside the region and in its heap |
//! | `index` | buckets: find, fill, vacate; one tag comparison for each instruction set |
//! | `raw` | the checked view, and every operation on one entry |
//! | `bulk` | many keys in one call, with their waits for memory overlapping |
//! | `rebuild` | growth, compaction, clear |
//! | `validate` | the two tiers of checks |
//! | `typed` | the map for Rust programs: typed, growing by itself |

pub mod blob;
pub mod bulk;
pub mod hash;
mod index;
pub mod layout;
pub mod raw;
pub mod rebuild;
pub mod typed;
pub mod validate;

pub use typed::{HashMap, HashMapMut, HashMapRef};
