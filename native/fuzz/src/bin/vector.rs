//! Fuzzes vectors. The first byte of the input selects what to do with the rest. See
//! `../vector.rs`.
#![no_main]

#[path = "../vector.rs"]
mod vector;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&mode, data)) = data.split_first() else { return };
    match mode % 3 {
        0 => vector::raw(data),
        1 => vector::region(data),
        _ => vector::operations(data),
    }
});
