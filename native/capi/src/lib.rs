//! The C ABI of offheap. `include/offheap.h` is generated from this crate's sources and their docs.
//!
//! Every entry point looks the same: convert the arguments with [`args`], run the core inside
//! [`guard::guard`], write the outputs last. No algorithm lives here. One file for each module of
//! the core, functions named `oh_<type>_<verb>(self, inputs, outputs)`.
//!
//! The names are C's (`oh_status`, not `OhStatus`), because one concept has one name in all layers.
#![expect(non_camel_case_types, reason = "types bear the names that C sees")]

pub mod access;
pub mod args;
pub mod binding;
pub mod bitvector;
pub mod bloomfilter;
pub mod bumparena;
pub mod compress;
pub mod control;
pub mod cpu;
pub mod cursor;
pub mod eliasfano;
pub mod fixedpool;
pub mod guard;
mod handle;
pub mod hashmap;
pub mod lockfreepool;
pub mod mappedfile;
pub mod memory;
pub mod mmapvector;
pub mod numa;
pub mod numapool;
pub mod options;
pub mod owned_vector;
pub mod packedints;
pub mod rankselect;
pub mod region;
pub mod rollinghash;
pub mod smallmap_arena;
pub mod standalone_smallmap;
pub mod status;
pub mod suffixarray;
pub mod types;
pub mod vector;
