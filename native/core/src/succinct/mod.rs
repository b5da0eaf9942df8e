//! Succinct structures: bits with rank and select, sorted integers, packed integers.
//!
//! | file | what |
//! | --- | --- |
//! | [`bitvector`] | bits in a region: single ones, ranges, set algebra |
//! | [`rankselect`] | bits with rank and select, in variants |
//! | [`eliasfano`] | sorted integers |
//! | [`packed`] | integers of 1 to 64 bits, side by side |
//! | [`runs`] | many words: counting and set algebra, a kernel for each instruction set |
//! | `block` | 512 bits, and the tables about them: the parts of rank and select |
//! | [`word`] | bits inside one word: select, and instructions chosen at run time |

pub mod bitvector;
mod block;
pub mod eliasfano;
pub mod packed;
pub mod rankselect;
pub mod runs;
pub mod word;

pub use bitvector::BitVec;
pub use rankselect::RankSelect;
