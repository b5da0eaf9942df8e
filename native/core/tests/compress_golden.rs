//! Dictionaries, stores and compressed records written by an earlier release must remain readable.
//! `test/golden/README.md` describes the files.
//!
//! The tests compare the decompressed contents, because encoders are free to choose their symbols.
//! `OFFHEAP_BLESS=1` writes the files again.

use offheap_core::compress::{
    Dictionary, Framing, Level, RecordStore, Scratch, StoreBuilder, TrainOptions, train,
};
use std::path::{Path, PathBuf};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/golden").join(name)
}

fn town(i: usize) -> Vec<u8> {
    format!(r#"{{"id":{i},"town":"Town {}","open":{}}}"#, i * 37 % 91, !i.is_multiple_of(3)).into_bytes()
}

/// Uses every kind of symbol: matches in the content and in the record, repeats, phrases, bytes,
/// and escapes.
fn records() -> Vec<Vec<u8>> {
    let mut records: Vec<Vec<u8>> = (0..300).map(town).collect();
    records.push(Vec::new());
    records.push((0..=255).collect());
    records.push(b"abcdefg".repeat(300));
    records.push([&records[7][..], &records[8][..], b"?", &records[7][..]].concat());
    records
}

#[test]
fn reads_the_golden_bytes() {
    let records = records();
    if std::env::var_os("OFFHEAP_BLESS").is_some() {
        // This many samples justify several contexts.
        let more: Vec<Vec<u8>> = (300..3000).map(town).collect();
        let samples: Vec<&[u8]> = records.iter().chain(&more).map(Vec::as_slice).collect();
        let dictionary = train(&samples, TrainOptions { max_bytes: Some(16 << 10) }, None).unwrap().unwrap();
        std::fs::write(path("dictionary.bin"), dictionary.as_bytes()).unwrap();
        let mut frames = Vec::new();
        for (record, level) in records.iter().zip((1..=9).cycle()) {
            let (level, mut frame) = (Level::new(level).unwrap(), Vec::new());
            dictionary.compress(level, Framing::Tagged, record, &mut Scratch::new(), &mut frame).unwrap();
            frames.extend((frame.len() as u16).to_le_bytes());
            frames.extend(frame);
        }
        std::fs::write(path("compressed.bin"), frames).unwrap();
        let mut builder = StoreBuilder::new(dictionary, Level::DEFAULT);
        records.iter().for_each(|record| builder.push(record).unwrap());
        std::fs::write(path("recordstore.bin"), builder.finish().unwrap().as_bytes()).unwrap();
    }
    let bytes = std::fs::read(path("dictionary.bin")).unwrap();
    let dictionary = Dictionary::from_bytes(&bytes).unwrap();
    dictionary.validate().unwrap();
    assert!(dictionary.as_bytes() == bytes && dictionary.counts().2 > 1);

    let frames = std::fs::read(path("compressed.bin")).unwrap();
    let mut rest = &frames[..];
    for record in &records {
        let (length, behind) = rest.split_at(2);
        let (frame, behind) = behind.split_at(usize::from(u16::from_le_bytes(length.try_into().unwrap())));
        let mut out = Vec::new();
        dictionary.decompress(Framing::Tagged, frame, record.len(), &mut out).unwrap();
        assert!(out == *record);
        rest = behind;
    }
    assert!(rest.is_empty());

    let store = RecordStore::from_bytes(&std::fs::read(path("recordstore.bin")).unwrap()).unwrap();
    store.validate().unwrap();
    assert!(store.len() == records.len() as u64 && store.dictionary().identity() == dictionary.identity());
    for (index, record) in records.iter().enumerate() {
        let mut out = Vec::new();
        store.get(index as u64, &mut out).unwrap();
        assert!(out == *record);
    }
}
