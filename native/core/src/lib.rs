//! The core of offheap: structures that live in caller-owned memory.
//!
//! A structure is a *region*, a run of bytes that holds everything it needs as offsets. This crate
//! reads and writes such bytes. It knows nothing of C or Node: no FFI, no printing, no aborts, and
//! every allocation is fallible. `offheap-capi` puts the C ABI on top.

pub mod compress;
pub mod cpu;
mod error;
pub mod hashmap;
pub mod mmap;
pub mod pools;
pub mod region;
mod simd;
pub mod smallmap;
pub mod succinct;
pub mod table;
pub mod vector;

pub use error::{Error, ErrorKind, Result};

/// The version of this crate, the same as the npm package's.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
