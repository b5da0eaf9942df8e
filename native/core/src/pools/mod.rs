//! Pools: memory that is divided into blocks, which are allocated as offsets.
//! `docs/formats/pools.md` specifies the formats.
//!
//! | file | contents |
//! | --- | --- |
//! | [`bump`] | consecutive blocks, released all at once or one scope at a time |
//! | [`fixed`] | bounded, one thread: O(1) alloc and free, small blocks merge into larger ones |
//! | [`lockfree`] | all threads: one compare-and-swap for each operation, and per-thread caches |
//! | [`numa`] | memory on each NUMA node: local, interleaved, or on one node |
//! | [`guard`] | the bytes after a block that reveal an overrun |
//! | `errors` | errors that the pools share |
//!
//! An offset counts from the first byte of a pool's data. Pools never read the contents of blocks:
//! all bookkeeping is separate from the data, so a program cannot damage a pool by writing to its
//! blocks, allocated or free.

pub mod bump;
mod errors;
pub mod fixed;
pub mod guard;
pub mod lockfree;
pub mod numa;
