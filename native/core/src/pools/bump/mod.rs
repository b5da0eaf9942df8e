//! BumpArena: blocks one behind the other, given back all at once or a scope at a time.
//! `docs/formats/pools.md` has the bytes.
//!
//! The header's word `top` says how much of the data is taken. To allocate is to raise it; to reset
//! is to set it to zero, however many blocks there were. A *mark* remembers it, and a release sets
//! it back to the mark, so scopes nest as calls do. (Region-based memory: Hanson, "Fast allocation
//! and deallocation of memory based on object lifetimes", 1990; the idea of one pointer that is
//! raised is older than that.)
//!
//! - Positions count granules of 8 bytes, in 31 bits: an arena has 16 GiB at most, and its words
//!   are small integers in JavaScript. No block begins elsewhere than at a multiple of 8.
//! - The data begins at a multiple of the largest alignment, so an aligned offset is an aligned
//!   address where the region's base is.
//! - The arena grows at its end, in place: the bytes behind `length` become part of it.
//! - With guards each block has a record before it and known bytes behind it. Records are linked,
//!   last block first, so a release looks at every guard that it takes away, and at nothing else.
//!   What is released is filled with [`POISON`], so that stale offsets meet neither records nor old
//!   contents.
//!
//! Why not `bumpalo` underneath: it hands out addresses in chunks of its own, and what it knows of
//! them stands beside the chunks; an arena that is a region (shared with other threads and
//! languages, moved, looked at from outside) needs offsets, and all that it knows inside.
//! `native/benches/benches/pools_bump.rs` has the two side by side.
//!
//! One thread allocates. Others may read and write the contents of blocks whose offsets they were
//! given.
//!
//! | file | what |
//! | --- | --- |
//! | [`layout`] | words, options, and the check of a header |
//! | [`raw`] | the arena in memory that something else owns |
//! | `guarded` | records, guards and poison |
//! | [`owned`] | the arena for Rust programs, which grows by chunks |

mod guarded;
pub mod layout;
pub mod owned;
pub mod raw;

pub use self::guarded::POISON;
pub use self::owned::BumpArena;
pub use self::raw::RawBumpArena;
