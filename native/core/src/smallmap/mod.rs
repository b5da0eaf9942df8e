//! Maps of a few entries.
//!
//! | file | holds |
//! | --- | --- |
//! | `arena` | millions of small maps in one region |
//! | `search` | where a key is among up to sixteen others: one file for each instruction set |
//! | `map` | `SmallMap<K, V>`, for Rust and C programs: eight entries in line, then a hash table |

pub mod arena;
pub mod map;
pub mod search;

pub use map::{INLINE_CAPACITY, Key, SmallMap};
