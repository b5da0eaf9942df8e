//! A sound map, damaged as the input says, and used in every way. See `../hashmap.rs`.
#![no_main]

#[path = "../hashmap.rs"]
#[expect(dead_code, reason = "each target uses a part")]
mod hashmap;

libfuzzer_sys::fuzz_target!(|data: &[u8]| hashmap::region(data));
