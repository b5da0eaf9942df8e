//! The fuzz targets' work (`native/fuzz`) on inputs from a generator: a short, repeatable form of
//! it.
#![expect(clippy::expect_used, reason = "a failed expectation is a failed test")]

#[path = "../../fuzz/src/hashmap.rs"]
mod drive;
mod random;
mod rounds;

#[test]
fn damaged_regions_are_harmless() {
    rounds::damaged_regions(drive::region);
}

#[test]
fn operations_agree_with_a_model() {
    rounds::operations(drive::operations);
}

#[test]
fn any_bytes_are_harmless() {
    rounds::any_bytes(1, drive::raw);
}
