//! Fuzzes the hash map. The first byte of the input selects what to do with the rest. See
//! `../hashmap.rs`.
#![no_main]

#[path = "../hashmap.rs"]
mod hashmap;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&mode, data)) = data.split_first() else { return };
    match mode % 3 {
        0 => hashmap::raw(data),
        1 => hashmap::region(data),
        _ => hashmap::operations(data),
    }
});
