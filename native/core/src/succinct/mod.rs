//! Succinct structures: bits with rank and select, sorted integers, packed integers.
//!
//! | file | what |
//! | --- | --- |
//! | [`eliasfano`] | sorted integers |
//! | [`packed`] | integers of 1 to 64 bits, side by side |
//! | [`numbers`] | arrays of numbers of any type, in and out |
//! | [`word`] | bits inside one word: select, and instructions chosen at run time |

pub mod eliasfano;
pub mod numbers;
pub mod packed;
pub mod word;
