//! Operations on a vector and a model. See `../vector.rs`.
#![no_main]

#[path = "../vector.rs"]
#[expect(dead_code, reason = "each target uses a part")]
mod vector;

libfuzzer_sys::fuzz_target!(|data: &[u8]| vector::operations(data));
