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
//! | `trie`, `longest`, `matches` | finding phrases, and text that was there before |
//! | `parse`, `greedy` | choosing symbols by their price: of the whole record, or at each place |
//! | `encode`, [`decode`] | records to bits and back |
//! | [`store`] | many records in one region |
//! | [`bloom`] | whether a key was added, perhaps |
//! | [`rolling`] | a hash that moves on by a byte |
//! | [`suffix`] | all suffixes of a text in order |

mod bits;
pub mod bloom;
pub mod decode;
pub mod dictionary;
mod encode;
mod greedy;
mod huffman;
mod longest;
mod matches;
mod model;
mod parse;
pub mod rolling;
pub mod store;
pub mod suffix;
mod symbols;
pub mod train;
mod trie;

pub use bloom::{BloomFilter, RawBloomFilter, RawBloomFilterMut};
pub use dictionary::{Dictionary, Level};
pub use encode::{Framing, Scratch};
pub use rolling::RollingHash;
pub use store::{RawRecordStore, RecordStore, StoreBuilder};
pub use suffix::{RawSuffixArray, SuffixArray};
pub use train::{TrainOptions, train};
