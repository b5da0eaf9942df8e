//! Fuzzes Bloom filters, suffix arrays and rolling hashes. The first byte of the input selects what
//! to do with the rest. See `../filters.rs`.
#![no_main]

#[path = "../filters.rs"]
mod filters;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&mode, data)) = data.split_first() else { return };
    match mode % 3 {
        0 => filters::raw(data),
        1 => filters::region(data),
        _ => filters::operations(data),
    }
});
