//! Functions shared by the Criterion benchmarks in `benches/`. Run these with `cargo bench -p
//! offheap-benches`.

use std::path::{Path, PathBuf};

/// The corpora written by `node bench/compress/corpora.mjs native/target/corpora`, ordered by name.
/// `OFFHEAP_CORPORA` names another folder; `OFFHEAP_BENCH_CORPUS` selects one corpus.
///
/// # Panics
/// If there are none.
#[must_use]
pub fn corpora() -> Vec<PathBuf> {
    let folder = std::env::var_os("OFFHEAP_CORPORA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/corpora"), PathBuf::from);
    let only = std::env::var("OFFHEAP_BENCH_CORPUS").ok();
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no corpora: run `node bench/compress/corpora.mjs native/target/corpora`");
    files.retain(|file| only.as_deref().is_none_or(|only| name_of(file) == only));
    files
}

/// The name of a corpus.
#[must_use]
pub fn name_of(file: &Path) -> &str {
    file.file_stem().and_then(|name| name.to_str()).unwrap_or("corpus")
}

/// The records of a corpus: every second one to train on, the others to measure.
#[must_use]
pub fn halves(file: &Path) -> [Vec<Vec<u8>>; 2] {
    let bytes = std::fs::read(file).unwrap_or_default();
    let (mut rest, mut halves) = (&bytes[..], [Vec::new(), Vec::new()]);
    let mut number = 0;
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (record, after) = after.split_at(u32::from_le_bytes(*length) as usize);
        halves[number % 2].push(record.to_vec());
        number += 1;
        rest = after;
    }
    halves
}
