//! Keys, texts and windows, and plain models. See `../filters.rs`.
#![no_main]

#[path = "../filters.rs"]
#[expect(dead_code, reason = "each target uses a part")]
mod filters;

libfuzzer_sys::fuzz_target!(|data: &[u8]| filters::operations(data));
