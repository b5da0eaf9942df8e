//! Files that are read, and grown, in place.
//!
//! | file | holds |
//! | --- | --- |
//! | [`storage`] | what a file can do, as a trait, so that the promises can be tried on a simulated disk |
//! | [`slot`] | one commit record: to bytes and back |
//! | [`commit`] | the commit protocol: create, open, append, commit, recover |
//! | [`lock`] | one writer for each file, in this process and among others |
//! | [`vector`] | the persistent vector over a mapping |
//!
//! The bytes are specified in `docs/formats/mmapvector.md`.

pub mod commit;
pub mod lock;
#[cfg(test)]
mod simulator;
pub mod slot;
pub mod storage;
pub mod vector;
