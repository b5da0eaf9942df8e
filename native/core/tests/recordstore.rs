//! The record store: compared with a plain vector, damaged, and empty.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::compress::{Dictionary, Level, RecordStore, StoreBuilder, TrainOptions, train};
use offheap_core::region::control::Control;
use offheap_core::{ErrorKind, Result};
use proptest::prelude::*;

fn dictionary(samples: &[Vec<u8>]) -> Dictionary {
    let samples: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    train(&samples, TrainOptions { max_bytes: Some(4096) }, None).unwrap().unwrap()
}

fn records(count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|i| format!(r#"{{"id":{i},"town":"Town {}","open":{}}}"#, i * 37 % 91, i % 3 == 0).into_bytes())
        .collect()
}

fn store(records: &[Vec<u8>]) -> RecordStore {
    let mut builder = StoreBuilder::new(dictionary(records), Level::DEFAULT);
    records.iter().for_each(|record| builder.push(record).unwrap());
    assert_eq!(builder.len(), records.len() as u64);
    builder.finish().unwrap()
}

fn get(store: &RecordStore, index: u64) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    store.get(index, &mut out)?;
    Ok(out)
}

fn compare(records: &[Vec<u8>]) {
    let store = store(records);
    let again = RecordStore::from_bytes(store.as_bytes()).unwrap();
    for store in [&store, &again] {
        store.validate().unwrap();
        assert_eq!(store.len(), records.len() as u64);
        for (index, record) in (0..).zip(records) {
            assert_eq!(&get(store, index).unwrap(), record);
        }
        for index in [records.len() as u64, 1 << 40, u64::MAX] {
            assert_eq!(get(store, index).unwrap_err().kind(), ErrorKind::Range);
        }
        let indices: Vec<f64> = (0..records.len() * 3).map(|i| (i * 7919 % records.len()) as f64).collect();
        let (mut ends, mut out) = (vec![0.0; indices.len()], Vec::new());
        store.get_many(&indices, &mut ends, &mut out).unwrap();
        let mut from = 0;
        for (&index, &end) in indices.iter().zip(&ends) {
            assert_eq!(out[from..end as usize], records[index as usize]);
            from = end as usize;
        }
        assert_eq!(from, out.len());
        let mut some = Vec::new();
        store.get_many_within(&indices, &mut ends, from, &mut some).unwrap();
        assert_eq!(some, out);
        if from > 0 {
            some = Vec::new();
            let error = store.get_many_within(&indices, &mut ends, from - 1, &mut some).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Full);
            // Far less than the memory that all records would need.
            assert!(some.len() < from);
            let error = store.get_within(0, records[0].len().wrapping_sub(1), &mut some);
            assert!(records[0].is_empty() || error.unwrap_err().kind() == ErrorKind::Full);
        }
        for past in [records.len() as f64, -1.0, 0.5, f64::NAN, f64::INFINITY] {
            let error = store.get_many(&[past], &mut [0.0], &mut out).unwrap_err();
            assert_eq!((error.kind(), out.len()), (ErrorKind::Range, from));
        }
    }
}

#[test]
fn stores_of_all_sizes_contain_their_records() {
    for count in [0, 1, 2, 31, 32, 33, 1000] {
        compare(&records(count));
    }
    compare(&vec![Vec::new(); 100]);
    compare(&[Vec::new(), vec![7; 100_000], (0..=255).collect(), Vec::new()]);
}

#[test]
fn store_is_smaller_than_its_records() {
    let records = records(5000);
    let store = store(&records);
    let total: usize = records.iter().map(Vec::len).sum();
    assert!(store.as_bytes().len() * 3 < total, "{} of {total}", store.as_bytes().len());
    assert_eq!(store.shape().total, total as u64);
}

#[test]
fn adapt_compresses_records_again_if_another_dictionary_suits_them_better() {
    let first = records(600);
    let second: Vec<Vec<u8>> = (0..600)
        .map(|i| format!("line {i}: the quick brown fox {} jumps", i * 31 % 77).into_bytes())
        .collect();
    let all = [first.clone(), second].concat();
    let slices: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
    let mut builder = StoreBuilder::new(dictionary(&first), Level::DEFAULT);
    all.iter().for_each(|record| builder.push(record).unwrap());
    let before = builder.shape();
    let stopped = Control::default();
    stopped.cancel();
    assert!(!builder.adapt(dictionary(&all), &slices, Some(&stopped)).unwrap());
    assert_eq!(builder.shape(), before);
    assert!(builder.adapt(dictionary(&all), &slices, None).unwrap());
    let after = builder.shape();
    assert!(after.payload * 3 < before.payload * 2, "{before:?} {after:?}");
    assert_eq!((after.len, after.total, after.longest), (before.len, before.total, before.longest));
    // A dictionary that saves nothing changes nothing.
    assert!(!builder.adapt(dictionary(&first), &slices, None).unwrap());
    assert_eq!(builder.shape(), after);
    let store = builder.finish().unwrap();
    store.validate().unwrap();
    for (index, record) in (0..).zip(&all) {
        assert_eq!(&get(&store, index).unwrap(), record);
    }
}

#[test]
fn damage_is_detected_or_harmless() {
    let store = store(&records(60));
    let bytes = store.as_bytes().to_vec();
    for cut in (0..bytes.len()).step_by(7) {
        assert!(RecordStore::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    let mut bytes = bytes;
    for bit in (0..bytes.len() * 8).filter(|bit| bit / 8 < 256 || bit % 5 == 0) {
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(store) = RecordStore::from_bytes(&bytes) {
            let mut sizes = 0;
            for index in 0..store.len().min(100) {
                match get(&store, index) {
                    Ok(record) => sizes += record.len(),
                    Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt),
                }
            }
            assert!(sizes < 10_000_000);
            if let Err(error) = store.validate() {
                assert_eq!(error.kind(), ErrorKind::Corrupt);
            }
        }
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
fn any_records_round_trip(
        records in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..80), 1..80),
    ) {
        compare(&records);
    }
}
