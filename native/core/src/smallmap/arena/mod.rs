//! Millions of small maps in one region, all with the same key and value types.
//!
//! `docs/formats/smallmap.md` specifies the bytes; `src/smallmap/` implements the same format in
//! TypeScript.
//!
//! | file | contents |
//! | --- | --- |
//! | `layout` | header words, limits, section offsets, the constant-time check |
//! | `raw` | the checked view: maps and their entries |
//! | `inline` | the search for a key in a slot |
//! | `table` | the entries of promoted maps: lookup and iteration |
//! | `write` | the view that writes: maps, entries, slots |
//! | `table_write` | the entries of promoted maps: insertion and removal |
//! | `strings` | interned strings |
//! | `bulk` | many maps in one call, with overlapping waits for memory |
//! | `rebuild` | new arenas, growth, packing, dropping unused strings |
//! | `validate` | the two levels of checks |

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

pub use raw::{Location, RawArena};
pub use write::{Placed, RawArenaMut};
