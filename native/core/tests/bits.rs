//! Golden bytes of bit vectors and of rank and select: see test/golden/README.md.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::succinct::rankselect::Variant;
use offheap_core::succinct::{BitVec, RankSelect};
use std::path::Path;

fn compare(name: &str, bytes: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/golden").join(name);
    // The sequence counts rearrangements, which readers ignore.
    let mut bytes = bytes.to_vec();
    bytes[24..28].fill(0);
    if std::env::var_os("OFFHEAP_BLESS").is_some() {
        std::fs::write(&path, &bytes).unwrap();
    }
    let golden = std::fs::read(&path).unwrap();
    assert!(golden == bytes, "{name} differs: see test/golden/README.md");
}

fn squares(count: u64) -> Vec<u64> {
    (0..count).map(|i| i * i).collect()
}

#[test]
fn bit_vectors_match_the_golden_bytes() {
    let mut bits = BitVec::from_indices(&squares(31)).unwrap();
    bits.resize(1000).unwrap();
    compare("bitvector-1000.bin", bits.bytes());
}

#[test]
fn rank_and_select_match_the_golden_bytes() {
    let mut bits = BitVec::from_indices(&squares(130)).unwrap();
    bits.resize(17_000).unwrap();
    let variants =
        [("flat", Variant::Flat), ("interleaved", Variant::Interleaved), ("sparse", Variant::Sparse)];
    for (name, variant) in variants {
        let structure = RankSelect::with_variant(&bits, Some(variant)).unwrap();
        compare(&format!("rankselect-{name}.bin"), structure.bytes());
    }
}
