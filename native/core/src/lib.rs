//! The core of offheap: structures that live in caller-owned memory.
//!
//! A structure is a *region*: a contiguous block of bytes that contains offsets but no pointers.
//! This crate reads and writes such bytes. It is independent of C and Node: there is no FFI, no
//! printing and no abort, and every allocation is fallible. `offheap-capi` adds the C ABI.

pub mod compress;
pub mod cpu;
mod error;
pub mod hashmap;
pub mod log;
pub mod mmap;
pub mod pools;
pub mod region;
pub mod sharedmap;
mod simd;
pub mod smallmap;
pub mod succinct;
pub mod table;
pub mod vector;

pub use error::{Error, ErrorKind, Result};

/// The version of this crate, the same as the npm package's.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
