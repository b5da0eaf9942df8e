//! BumpArena: consecutive blocks, released all at once or one scope at a time.
//! `docs/formats/pools.md` specifies the bytes.
//!
//! The header's word `top` is the end of the allocated data. Allocating raises it; a reset sets it
//! to zero, regardless of the number of blocks. A *mark* saves it, and a release restores the mark,
//! so scopes nest as calls do. (Region-based memory: Hanson, "Fast allocation and deallocation of
//! memory based on object lifetimes", 1990; the idea of one pointer that only moves up is older.)
//!
//! - Positions count granules of 8 bytes, in 31 bits: an arena has at most 16 GiB, and its words
//!   are small integers in JavaScript. Every block begins at a multiple of 8.
//! - The data begins at a multiple of the largest alignment, so an aligned offset is an aligned
//!   address if the region's base is aligned.
//! - The arena grows at its end, in place: the bytes after `length` become part of it.
//! - With guards each block has a record before it and known bytes after it. Records are linked,
//!   last block first, so a release checks the guards of exactly the blocks that it removes.
//!   Released memory is filled with [`POISON`], so that stale offsets find neither records nor old
//!   contents.
//!
//! Why not `bumpalo` underneath: it allocates addresses in chunks of its own, with its bookkeeping
//! next to the chunks; an arena that is a region (shared with other threads and languages, moved,
//! inspected from outside) needs offsets, and all of its state inside.
//! `native/benches/benches/pools_bump.rs` compares the two.
//!
//! One thread allocates. Others may read and write the contents of blocks whose offsets they
//! received.
//!
//! | file | contents |
//! | --- | --- |
//! | [`layout`] | header words, options, and the check of a header |
//! | [`raw`] | the arena in borrowed memory |
//! | `guarded` | records, guards and poison |
//! | [`owned`] | the arena for Rust programs, which grows by chunks |

mod guarded;
pub mod layout;
pub mod owned;
pub mod raw;

pub use self::guarded::POISON;
pub use self::owned::BumpArena;
pub use self::raw::RawBumpArena;
