//! NumaPool: a pool with memory on each NUMA node. `docs/formats/pools.md` specifies the bytes.
//!
//! The data consists of one **section** for each node, all of the same size, placed on the nodes
//! with `mbind`. A section is divided as a [`FixedPool`](super::fixed) of classes from 64 bytes up,
//! whose bookkeeping, its **book**, is stored before all data. A request goes to the section that
//! the policy selects and, if that has no room, to the nearest one that has: a *miss*.
//!
//! | policy | the first section that a request tries |
//! | --- | --- |
//! | first | that of the first node of the pool's list, which may be the only one |
//! | local | that of the node where the thread runs, which is determined again every [`LOCATE_EVERY`] requests, because threads seldom move |
//! | interleave | those of all nodes in turn, block by block |
//!
//! The kernel has the last word on the placement of a page (a node may be full):
//! [`RawNumaPool::placement`] queries it.
//!
//! One thread allocates and frees. Others may read and write the contents of blocks whose offsets
//! they received. Threads on several nodes should have a pool each, with the policy *local*: they
//! share data by handing over blocks, and do not contend for bookkeeping on one node.
//!
//! | file | contents |
//! | --- | --- |
//! | [`layout`] | nodes, sections, books, and the check of a header |
//! | [`raw`] | the pool in borrowed memory |
//! | [`validate`](mod@validate) | validation of its bookkeeping |
//! | [`owned`] | the pool for Rust programs |

pub mod layout;
pub mod owned;
pub mod raw;
pub mod validate;

pub use self::layout::{Options, Policy};
pub use self::owned::NumaPool;
pub use self::raw::RawNumaPool;

/// A pool with the policy *local* determines the node of its thread once in this many requests.
pub const LOCATE_EVERY: u32 = 256;
