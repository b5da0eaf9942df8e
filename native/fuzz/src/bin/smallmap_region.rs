//! A sound arena of small maps, damaged as the input says, and used in every way. See
//! `../smallmap.rs`.
#![no_main]

#[path = "../smallmap.rs"]
#[expect(dead_code, reason = "each target uses a part")]
mod smallmap;

libfuzzer_sys::fuzz_target!(|data: &[u8]| smallmap::region(data));
