//! A sound filter or suffix array, damaged. See `src/filters.rs`.
#![no_main]

#[path = "../src/filters.rs"]
#[expect(dead_code, reason = "each target uses a part")]
mod filters;

libfuzzer_sys::fuzz_target!(|data: &[u8]| filters::region(data));
