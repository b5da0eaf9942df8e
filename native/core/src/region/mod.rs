//! Regions: what every structure shares. The format is `docs/formats/region.md`.
//!
//! | file | what |
//! | --- | --- |
//! | [`header`] | the first 256 bytes, and memory that others may write |
//! | [`crc`] | CRC-32C, and the checksum of a region |
//! | [`file`](mod@file) | a file, mapped read-only or copy-on-write |
//! | `lost` | what happens when a mapped file shrinks: zeros and a mark, not a dead process |
//! | [`mappings`] | how many memory mappings the process can still afford |
//! | `watch` | which ranges that is done for |
//! | `marker` | whether memory that someone else frees is still there |
//! | [`advise`](mod@advise) | huge pages and access patterns |
//! | [`element`] | the types of elements and their numbers |
//! | [`control`] | progress and cancellation of long operations |
//! | `memory` | memory for structures that own theirs |
//! | [`numa`] | the machine's nodes, and which of them holds the pages |

pub mod advise;
pub mod control;
pub mod crc;
pub mod element;
pub mod file;
pub mod header;
#[cfg(unix)]
mod lost;
pub mod mappings;
#[cfg(target_os = "linux")]
pub(crate) mod marker;
pub(crate) mod memory;
pub mod numa;
pub(crate) mod pages;
#[cfg(unix)]
pub(crate) mod watch;
