//! FixedPool: a bounded pool for one thread, with O(1) alloc and free. `docs/formats/pools.md`
//! specifies the bytes.
//!
//! The data is an array of blocks of the largest class. A free block of a class can be split into
//! blocks of the next smaller class; when all its parts are free again, they merge into one block,
//! so freed small blocks serve larger requests. Every class's size is a multiple of the next
//! smaller one, so parts tile their block. (The hierarchy is that of a buddy system, Knowlton 1965,
//! with any integer in place of 2; the parts of a split block are in a list of their own, as in a
//! slab, Bonwick 1994, so merging needs no search, regardless of their number.)
//!
//! - With one class, alloc pops from a list and free pushes: a load and a store each, plus the
//!   counts.
//! - With m classes, alloc splits at most m − 1 blocks and free merges at most as many. Each step
//!   is O(1).
//! - Lists are linked outside the blocks, in one word for each smallest block, which also records
//!   whether an allocated block begins there, and its class. Double and invalid frees are therefore
//!   detected.
//! - No initialization is needed: links are stored relative to the next block, so zeros link all
//!   blocks in order.
//!
//! One thread allocates and frees. Others may read and write the contents of blocks whose offsets
//! they received.
//!
//! | file | contents |
//! | --- | --- |
//! | [`layout`] | classes, counts, and the positions of the sections |
//! | [`raw`] | alloc and free in borrowed memory |
//! | `split` | splitting and merging |
//! | [`validate`](mod@validate) | validation of a pool's bookkeeping |
//! | [`owned`] | the pool for Rust programs |

pub mod layout;
pub mod owned;
pub mod raw;
mod split;
pub mod validate;

pub use self::owned::FixedPool;
