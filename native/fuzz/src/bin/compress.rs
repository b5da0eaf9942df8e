//! Fuzzes dictionaries, compressed records and record stores. The first byte of the input selects
//! what to do with the rest. See `../compress.rs`.
#![no_main]

#[path = "../compress.rs"]
mod compress;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&mode, data)) = data.split_first() else { return };
    match mode % 5 {
        0 => compress::raw(data),
        1 => compress::frames(data),
        2 => compress::round_trip(data),
        3 => compress::dictionary(data),
        _ => compress::store(data),
    }
});
