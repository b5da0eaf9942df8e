//! A sound filter or suffix array, damaged. See `../filters.rs`.
#![no_main]

#[path = "../filters.rs"]
#[expect(dead_code, reason = "each target uses a part")]
mod filters;

libfuzzer_sys::fuzz_target!(|data: &[u8]| filters::region(data));
