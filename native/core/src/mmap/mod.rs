//! Files that are read, and grown, in place.
//!
//! | file | contents |
//! | --- | --- |
//! | [`strategy`] | how a file is brought into memory: the choice, and what the system granted |
//! | [`source`] | an open regular file, and how to bring it into memory |
//! | [`huge_pages`] | whether a mapping has a huge page |
//! | [`mapped_file`] | a file in memory, by the strategy that suits its size |
//! | [`cursor`] | sequential reading of numbers, varints and text |
//! | [`mod@read_many`] | bytes from many offsets in one call |
//! | [`storage`] | the operations on a file, as a trait, so that the guarantees can be tested on a simulated disk |
//! | `fault_injection` | the steps that a test can leave out, to show that each is necessary |
//! | [`slot`] | encoding and decoding of a commit record |
//! | `header` | the header of a vector's file |
//! | [`commit`] | the commit protocol: create, open, append, commit, recover |
//! | [`file`](mod@file) | the vector's file: created, opened, locked, grown, committed |
//! | [`lock`] | one writer for each file, across threads and processes |
//! | [`mapping`] | a window onto a file that grows with it |
//! | [`vector`] | the persistent vector over a mapping |
//!
//! `docs/formats/mmapvector.md` specifies the bytes.

pub mod commit;
pub mod cursor;
mod fault_injection;
pub mod file;
mod header;
pub mod huge_pages;
pub mod lock;
pub mod mapped_file;
pub mod mapping;
pub mod read_many;
#[cfg(test)]
mod simulator;
pub mod slot;
pub mod source;
pub mod storage;
pub mod strategy;
pub mod vector;
