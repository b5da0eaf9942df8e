//! Maps of a few entries.
//!
//! | file | holds |
//! | --- | --- |
//! | `search` | where a key is among up to sixteen others: one file for each instruction set |

pub mod search;
