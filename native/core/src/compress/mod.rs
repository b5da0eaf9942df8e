//! Compression of small records with a trained dictionary, and search structures over text.
//!
//! `docs/formats/compress.md` specifies the bytes.
//!
//! | file | contents |
//! | --- | --- |
//! | [`dictionary`] | the region of a dictionary; compression and decompression with it |
//! | [`train`] | training a dictionary on samples |
//! | `symbols` | the alphabet: bytes, phrases, matches |
//! | `huffman`, `bits` | Huffman codes, and the bit streams that contain them |
//! | `model` | the tables of a dictionary: phrases, contexts, code lengths |
//! | `trie`, `phrase_finder`, `matches` | finding phrases, and earlier occurrences of the same text |
//! | `parse`, `greedy` | choosing symbols by price: for the whole record, or at each position |
//! | `encode`, [`decode`] | records to bits, and bits to records |
//! | `memory` | fallible allocation |
//! | [`record_store`] | many compressed records in one region |
//! | [`bloom`] | a Bloom filter |
//! | [`rolling`] | a rolling hash |
//! | [`suffix`] | a suffix array |

mod bits;
pub mod bloom;
pub mod decode;
pub mod dictionary;
mod encode;
mod greedy;
mod huffman;
mod matches;
mod memory;
mod model;
mod parse;
mod phrase_finder;
pub mod record_store;
pub mod rolling;
pub mod suffix;
mod symbols;
pub mod train;
mod trie;

pub use bloom::{BloomFilter, RawBloomFilter, RawBloomFilterMut};
pub use dictionary::{Dictionary, Level};
pub use encode::{Framing, Scratch};
pub use record_store::{RawRecordStore, RecordStore, StoreBuilder};
pub use rolling::RollingHash;
pub use suffix::{RawSuffixArray, SuffixArray};
pub use train::{TrainOptions, train};
