//! The fuzz targets' work (`native/fuzz`) on inputs from a generator: a short, repeatable form of
//! it.
#![expect(clippy::expect_used, reason = "a failed expectation is a failed test")]

#[path = "../../fuzz/src/compress.rs"]
mod drive;
mod random;

use random::Random;

/// Few different bytes, and much again: what compresses.
fn alike(random: &mut Random, most: u64) -> Vec<u8> {
    let mut bytes = random.bytes(most);
    for at in 0..bytes.len() {
        let back = random.next() as usize % 40;
        if back > 0 && back <= at {
            bytes[at] = bytes[at - back];
        }
    }
    bytes
}

const ROUNDS: usize = if cfg!(miri) { 12 } else { 3000 };

#[test]
fn any_bytes_are_decompressed_or_refused() {
    let mut random = Random(1);
    for _ in 0..ROUNDS {
        drive::frames(&random.bytes(60));
    }
}

#[test]
fn what_is_compressed_comes_back() {
    let mut random = Random(2);
    for round in 0..ROUNDS / 10 {
        drive::round_trip(&alike(&mut random, if round % 20 == 0 { 20_000 } else { 300 }));
    }
}

#[test]
fn damaged_dictionaries_are_harmless() {
    let mut random = Random(3);
    for _ in 0..ROUNDS / 5 {
        drive::dictionary(&random.bytes(80));
    }
}

#[test]
fn damaged_stores_are_harmless() {
    let mut random = Random(4);
    for _ in 0..ROUNDS / 5 {
        drive::store(&random.bytes(60));
    }
}

#[test]
fn any_bytes_are_no_region() {
    let mut random = Random(5);
    for _ in 0..ROUNDS {
        drive::raw(&random.bytes(600));
    }
}
