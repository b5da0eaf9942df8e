//! Regions: the parts that all structures share. The format is `docs/formats/region.md`.
//!
//! | file | what |
//! | --- | --- |
//! | [`kind`] | the kinds of region, with their codes and versions |
//! | [`memory`] | memory that other threads may write |
//! | [`header`] | the first 256 bytes of a region, and the check of them |
//! | [`attach`] | what the kinds share: attaching, beginning a region, checking a header |
//! | [`sequence`] | the sequence lock between a region's owner and its readers |
//! | [`crc`] | CRC-32C, and the checksum of a region |
//! | [`element`] | the types of elements, their codes, and how they are stored and ordered |
//! | [`numbers`] | arrays of numbers of any type, in and out |
//! | [`control`] | progress and cancellation of long operations |
//! | `owned` | memory for structures that own theirs |
//! | [`file`](mod@file) | a file, mapped read-only or copy-on-write |
//! | `sigbus` | zeros and an error instead of a crash when a mapped file shrinks |
//! | [`fork`] | how a child of the process notices that it is one |
//! | [`mappings`] | how many memory mappings the process can still afford |
//! | `pages` | the size of a page, whole pages in a range, pages of zeros |
//! | [`advise`](mod@advise) | huge pages and access patterns |
//! | [`numa`] | the machine's nodes, and the placement of pages on them |

pub mod advise;
pub mod attach;
pub mod control;
pub mod crc;
pub mod element;
pub mod file;
pub mod fork;
pub mod header;
pub mod kind;
pub mod mappings;
pub mod memory;
pub mod numa;
pub mod numbers;
pub(crate) mod owned;
pub(crate) mod pages;
pub mod sequence;
#[cfg(unix)]
pub(crate) mod sigbus;
