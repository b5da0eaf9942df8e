//! Succinct structures: bits with rank and select, sorted integers, packed integers.
//!
//! | file | what |
//! | --- | --- |
//! | [`word`] | bits inside one word: select, and instructions chosen at run time |

pub mod word;
