//! Files that are read, and grown, in place.
//!
//! | file | holds |
//! | --- | --- |
//! | [`plan`] | which way a file is brought into memory, and what the system gave of it |
//! | [`open`] | a regular file and how to bring it into memory |
//! | [`huge`] | whether a mapping has a huge page |
//! | [`adaptive`] | a file in memory, in the way that suits its size |
//! | [`cursor`] | numbers, varints and text from front to back |
//! | [`mod@gather`] | bytes from many places in one call |
//! | [`storage`] | what a file can do, as a trait, so that the promises can be tried on a simulated disk |
//! | `steps` | what of that a test may leave out, to see it missed |
//! | [`slot`] | one commit record: to bytes and back |
//! | `head` | the header of a vector's file |
//! | [`commit`] | the commit protocol: create, open, append, commit, recover |
//! | [`file`](mod@file) | the vector's file: made, opened, locked, grown, committed |
//! | [`lock`] | one writer for each file, in this process and among others |
//! | [`mapping`] | a window onto a file that grows with it |
//! | [`vector`] | the persistent vector over a mapping |
//!
//! The bytes are specified in `docs/formats/mmapvector.md`.

pub mod adaptive;
pub mod commit;
pub mod cursor;
pub mod file;
pub mod gather;
mod head;
pub mod huge;
pub mod lock;
pub mod mapping;
pub mod open;
pub mod plan;
#[cfg(test)]
mod simulator;
pub mod slot;
mod steps;
pub mod storage;
pub mod vector;
