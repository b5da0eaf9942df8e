//! Pools: a run of bytes cut into blocks that are handed out as offsets. The formats are
//! `docs/formats/pools.md`.
//!
//! | file | what |
//! | --- | --- |
//! | [`bump`] | blocks one behind the other, given back all at once or a scope at a time |
//! | [`fixed`] | bounded, one thread: O(1) alloc and free, small blocks merge into larger ones |
//! | [`lockfree`] | all threads: one compare-and-swap each, and caches before it |
//! | [`numa`] | memory on each NUMA node: local, interleaved, or on one |
//! | [`guard`] | the bytes behind a block that show whether it was overrun |
//! | `errors` | errors that the pools share |
//!
//! An offset counts from the first byte of a pool's data. Contents of blocks are never looked at:
//! all bookkeeping lies apart from them, so what a program writes into a block, freed or not,
//! spoils no pool.

pub mod bump;
mod errors;
pub mod fixed;
pub mod guard;
pub mod lockfree;
pub mod numa;
