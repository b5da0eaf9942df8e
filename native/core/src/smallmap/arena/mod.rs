//! Millions of small maps in one region, of one key and one value type.
//!
//! The bytes are specified in `docs/formats/smallmap.md`; `src/smallmap/` works on the same bytes
//! in TypeScript.
//!
//! | file | holds |
//! | --- | --- |
//! | `layout` | header words, limits, section offsets, the constant-time check |
//! | `raw` | the checked view: what a map holds |
//! | `write` | the view that writes: maps, entries, slots |
//! | `table` | the entries of promoted maps |
//! | `strings` | interned strings |
//! | `bulk` | many maps in one call, with their waits for memory overlapping |
//! | `rebuild` | new arenas, growth, packing, dropping strings that nothing refers to |
//! | `validate` | the two tiers of checks |

pub mod bulk;
mod inline;
pub mod layout;
pub mod raw;
pub mod rebuild;
mod strings;
mod table;
mod table_write;
pub mod validate;
mod write;

pub use raw::{RawArena, Spot};
pub use write::{Placed, RawArenaMut};
