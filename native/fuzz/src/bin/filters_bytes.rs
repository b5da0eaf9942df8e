//! The input as a region, used in every way. See `../filters.rs`.
#![no_main]

#[path = "../filters.rs"]
#[expect(dead_code, reason = "each target uses a part")]
mod filters;

libfuzzer_sys::fuzz_target!(|data: &[u8]| filters::raw(data));
