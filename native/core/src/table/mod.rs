//! What structures with a hash table share: how keys hash, how strings are stored, and the index of
//! tagged buckets that finds a position by its hash. The HashMap's format
//! (`docs/formats/hashmap.md`) specifies all three; a SmallMapArena has them for its promoted maps
//! and for its strings.

pub(crate) mod bits;
pub mod blob;
pub(crate) mod capacity;
pub(crate) mod group;
pub mod hash;
pub(crate) mod index;
