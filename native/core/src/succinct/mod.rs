//! Succinct structures: bits with rank and select, sorted integers, packed integers.
//!
//! | file | contents |
//! | --- | --- |
//! | [`bitvector`] | bits in a region: single bits, ranges, set algebra |
//! | [`rankselect`] | bits with rank and select, in two variants |
//! | [`eliasfano`] | sorted integers |
//! | [`packed`] | integers of 1 to 64 bits without gaps |
//! | [`runs`] | arrays of words: counting and set algebra, with a kernel for each instruction set |
//! | `block` | blocks of 512 bits and the tables about them: the parts of rank and select |
//! | [`word`] | bits inside one word: select, with instructions chosen at run time |

pub mod bitvector;
mod block;
pub mod eliasfano;
pub mod packed;
pub mod rankselect;
pub mod runs;
pub mod word;

pub use bitvector::BitVec;
pub use rankselect::RankSelect;
