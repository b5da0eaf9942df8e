//! Files that are read, and grown, in place.
//!
//! | file | holds |
//! | --- | --- |
//! | [`strategy`] | which way a file is brought into memory, and what the system gave of it |
//! | [`source`] | a regular file and how to bring it into memory |
//! | [`huge_pages`] | whether a mapping has a huge page |
//! | [`mapped_file`] | a file in memory, in the way that suits its size |
//! | [`cursor`] | numbers, varints and text from front to back |
//! | [`mod@read_many`] | bytes from many places in one call |
//! | [`storage`] | what a file can do, as a trait, so that the promises can be tried on a simulated disk |
//! | `fault_injection` | what of that a test may leave out, to see it missed |
//! | [`slot`] | one commit record: to bytes and back |
//! | `header` | the header of a vector's file |
//! | [`commit`] | the commit protocol: create, open, append, commit, recover |
//! | [`file`](mod@file) | the vector's file: made, opened, locked, grown, committed |
//! | [`lock`] | one writer for each file, in this process and among others |
//! | [`mapping`] | a window onto a file that grows with it |
//! | [`vector`] | the persistent vector over a mapping |
//!
//! The bytes are specified in `docs/formats/mmapvector.md`.

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
