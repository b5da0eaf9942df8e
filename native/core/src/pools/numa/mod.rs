//! NumaPool: a pool with memory on each NUMA node. `docs/formats/pools.md` has the bytes.
//!
//! The data is one **section** for each node, all of one size, placed there with `mbind`. A section
//! is cut as a [`FixedPool`](super::fixed) of classes from 64 bytes up, whose bookkeeping, its
//! **book**, stands before all data. A request goes to the section that the policy says, and where
//! that has no room, to the next nearest one that has: a *miss*.
//!
//! | policy | where a request goes first |
//! | --- | --- |
//! | first | the first node of the pool's list, which may be the only one |
//! | local | the node where the thread runs; asked again after [`ASK_AGAIN`] requests, as threads seldom move |
//! | interleave | all nodes in turns, block by block |
//!
//! Where the kernel puts a page is the kernel's affair in the end (a node may be full):
//! [`RawNumaPool::placement`] asks it.
//!
//! One thread allocates and frees. Others may read and write the contents of blocks whose offsets
//! they were given. For threads on several nodes that means a pool for each, with the policy
//! *local*: what threads share they hand over as blocks, and no node's memory is filled with
//! bookkeeping that others fight over.
//!
//! | file | what |
//! | --- | --- |
//! | [`layout`] | nodes, sections, books, and the check of a header |
//! | [`raw`] | the pool in memory that something else owns |
//! | [`validate`](mod@validate) | the proof that its bookkeeping is sound |
//! | [`owned`] | the pool for Rust programs |

pub mod layout;
pub mod owned;
pub mod raw;
pub mod validate;

pub use self::layout::{Options, Policy};
pub use self::owned::NumaPool;
pub use self::raw::RawNumaPool;

/// After so many requests a pool with the policy *local* asks anew where its thread runs.
pub const ASK_AGAIN: u32 = 256;
