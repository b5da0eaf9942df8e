//! Bits that do not change, with rank (how many ones are before a position) and select (where the
//! k-th one is) in constant time or nearly so.
//!
//! The bytes are specified in `docs/formats/succinct.md`; `src/succinct/rankselect/` answers single
//! questions on the same bytes in TypeScript.
//!
//! | file | holds |
//! | --- | --- |
//! | `layout` | variants, header words, sections, the constant-time check |
//! | `flat` | the default: plain bits, and 16 bytes about each 4096 of them |
//! | `interleaved` | counts and bits in one cache line |
//! | `samples` | where to begin looking for the k-th one, for both |
//! | `sparse` | positions only, of few ones or few zeros |
//! | `raw` | the checked view, over all variants |
//! | `bulk` | many questions in one call |
//! | `build` | choosing a variant, making a region |
//! | `validate` | the second tier of checks |
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
