//! Fuzzes arenas of small maps. The first byte of the input selects what to do with the rest. See
//! `../smallmap.rs`.
#![no_main]

#[path = "../smallmap.rs"]
mod smallmap;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&mode, data)) = data.split_first() else { return };
    match mode % 3 {
        0 => smallmap::raw(data),
        1 => smallmap::region(data),
        _ => smallmap::operations(data),
    }
});
