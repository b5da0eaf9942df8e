//! Compression of small records.
//!
//! An `oh_dictionary` is trained, or opened from bytes, once; then records are compressed and
//! decompressed with it one by one, by any number of threads at the same time. An `oh_recordstore`
//! reads a store of records in memory of the caller; an `oh_recordstore_builder` creates one. A
//! dictionary is opened from a copy of its bytes; a store is read in place.

mod codec;
pub mod dictionary;
pub mod recordstore;
mod samples;
mod scratch;

pub use codec::*;
pub use dictionary::*;
pub use recordstore::*;
