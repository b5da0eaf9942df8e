//! See `../compress.rs`.
#![no_main]

#[path = "../compress.rs"]
#[expect(dead_code, reason = "each target uses a part")]
mod compress;

libfuzzer_sys::fuzz_target!(|data: &[u8]| compress::store(data));
