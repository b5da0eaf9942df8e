//! Maps of a few entries.
//!
//! | file | contents |
//! | --- | --- |
//! | `arena` | millions of small maps in one region |
//! | `search` | the search for a key among at most sixteen, with one file for each instruction set |
//! | `map` | `SmallMap<K, V>`, for Rust and C programs: eight entries inline, then a hash table |

pub mod arena;
pub mod map;
pub mod search;

pub use map::{INLINE_CAPACITY, Key, SmallMap};
