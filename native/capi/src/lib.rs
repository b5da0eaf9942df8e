//! The C ABI of offheap. `include/offheap.h` is generated from the sources of this crate and their
//! docs.
//!
//! Every entry point has the same form: convert the arguments with [`args`], run the core inside
//! [`guard::guard`], and write the outputs last. There are no algorithms here. Each concept has a
//! file or a folder, and functions named `oh_<type>_<verb>(self, inputs, outputs)`.
//!
//! Types have C names (`oh_status`, not `OhStatus`), because each concept has one name in all
//! layers: its name in lower case without separators (`hashmap`, `recordstore`, `threadlocalpool`).
//! A qualifier is separated: `smallmap_arena` is an arena of small maps, `standalone_smallmap` a
//! single one, `owned_vector` a vector that owns its memory. Functions that only language bindings
//! need begin with `oh_binding_`.
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
pub mod log;
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
pub mod sharedmap;
pub mod smallmap_arena;
pub mod standalone_smallmap;
pub mod status;
pub mod suffixarray;
pub mod types;
pub mod vector;
