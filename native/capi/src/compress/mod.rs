//! Compression of small records.
//!
//! An `oh_dictionary` is trained, or opened from bytes, once; then records are compressed and
//! decompressed with it one by one, from any number of threads at once. An `oh_recordstore` reads a
//! store of records that lies in memory of yours; an `oh_recordstore_builder` makes one. A
//! dictionary is opened from a copy of its bytes; a store is read where it lies.

mod codec;
pub mod dictionary;
pub mod recordstore;
mod samples;
mod scratch;

pub use codec::*;
pub use dictionary::*;
pub use recordstore::*;
