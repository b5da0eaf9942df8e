//! Immutable bits with rank (the number of ones before a position) and select (the position of the
//! k-th one), in constant time or nearly so.
//!
//! `docs/formats/succinct.md` specifies the bytes; `src/succinct/rankselect/` answers single
//! queries on the same bytes in TypeScript.
//!
//! | file | contents |
//! | --- | --- |
//! | `layout` | variants, header words, sections, the constant-time check |
//! | `flat` | the default: plain bits, and 16 bytes for each 4096 of them (3.125%) |
//! | `interleaved` | counts and bits in one cache line (3.3%) |
//! | `samples` | the starting points of select, for both |
//! | `sparse` | the positions of few ones or few zeros |
//! | `raw` | the checked view of all variants |
//! | `bulk` | many queries in one call |
//! | `build` | choosing a variant, building a region |
//! | `validate` | the full check |
//! | `owned` | the structure for Rust programs |

mod build;
pub mod bulk;
mod flat;
mod interleaved;
pub mod layout;
mod owned;
mod raw;
mod samples;
mod sparse;
#[cfg(test)]
mod tests;
mod validate;

pub use self::build::{Plan, build, plan, planned};
pub use self::layout::Variant;
pub use self::owned::RankSelect;
pub use self::raw::RawRankSelect;
