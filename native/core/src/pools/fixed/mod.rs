//! FixedPool: a bounded pool for one thread, with O(1) alloc and free. `docs/formats/pools.md` has
//! the bytes.
//!
//! The data is an array of blocks of the largest class. A free block of a class can be split into
//! blocks of the class below; a split block whose parts are all free again is a block again, so
//! freed small blocks serve larger requests. Every class's size is a multiple of that of the class
//! below, so parts tile their block. (The hierarchy is that of a buddy system, Knowlton 1965, with
//! any whole number for 2; the parts of a split block stand in a list of its own, as in a slab,
//! Bonwick 1994, so that merging them needs no search, whatever their number.)
//!
//! - With one class, alloc pops a list and free pushes: a load and a store each, beside the counts.
//! - With m classes, alloc splits at most m − 1 blocks and free merges as many. Each step is O(1).
//! - Lists are linked outside the blocks, in a word for each smallest block, which also says
//!   whether a block is allocated there and of which class. So a double or foreign free is seen for
//!   what it is.
//! - Nothing is initialised ahead: links are stored relative to the next block, so zeros link all
//!   blocks in order.
//!
//! One thread allocates and frees. Others may read and write the contents of blocks whose offsets
//! they were given.
//!
//! | file | what |
//! | --- | --- |
//! | [`layout`] | classes, counts, and where the sections are |
//! | [`raw`] | alloc and free over memory that something else owns |
//! | `split` | splitting and merging |
//! | [`validate`](mod@validate) | the proof that a pool's bookkeeping is sound |
//! | [`owned`] | the pool for Rust programs |

pub mod layout;
pub mod owned;
pub mod raw;
mod split;
pub mod validate;

pub use self::owned::FixedPool;
