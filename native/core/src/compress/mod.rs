//! Compression of small records with a trained dictionary, and the store of them.
//!
//! `docs/formats/compress.md` specifies the bytes.
//!
//! | file | holds |
//! | --- | --- |
//! | [`dictionary`] | the region of a dictionary; compressing and decompressing with it |
//! | [`train`] | making one out of samples |
//! | `symbols` | the alphabet: bytes, phrases, matches |
//! | `huffman`, `bits` | codes, and writing them |
//! | `model` | what a dictionary knows: phrases, contexts, code lengths |
//! | `trie`, `matches` | finding phrases, and text that was there before |
//! | `parse` | choosing symbols: greedily, or by their price |
//! | `encode`, [`decode`] | records to bits and back |
//! | [`store`] | many records in one region |

mod bits;
pub mod decode;
pub mod dictionary;
mod encode;
mod huffman;
mod matches;
mod model;
mod parse;
pub mod store;
mod symbols;
pub mod train;
mod trie;

pub use dictionary::{Dictionary, Level};
pub use encode::{Framing, Scratch};
pub use store::{RawRecordStore, RecordStore, StoreBuilder};
pub use train::{TrainOptions, train};
