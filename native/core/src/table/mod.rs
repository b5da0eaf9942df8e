//! The parts that structures with a hash table share: hash functions, stored strings, and the index
//! of tagged buckets that finds a position by its hash. The HashMap's format
//! (`docs/formats/hashmap.md`) specifies all three; a SmallMapArena uses them for its promoted maps
//! and for its strings.
//!
//! | file | what |
//! | --- | --- |
//! | [`hash`] | the hash functions, home buckets and tags |
//! | [`blob`] | strings and bytes in the heap of a region |
//! | `index` | the index: finding, setting and clearing lanes of its buckets |
//! | `group` | the tags of a bucket, compared all at once |
//! | `capacity` | the number of buckets for a capacity, and growth |
//! | `bits` | a set of small numbers, for checks and rebuilds |

pub(crate) mod bits;
pub mod blob;
pub(crate) mod capacity;
pub(crate) mod group;
pub mod hash;
pub(crate) mod index;
