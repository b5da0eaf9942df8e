//! Refuses each allocation of training in turn, and expects an error, never an abort.

mod refusing;

use offheap_core::ErrorKind;
use offheap_core::compress::{Dictionary, Framing, Level, Scratch, StoreBuilder, TrainOptions, train};
use refusing::{counted, granting};

fn samples() -> Vec<Vec<u8>> {
    (0..900)
        .map(|i| format!(r#"{{"id":{i},"town":"Town {}","open":{}}}"#, i * 37 % 91, i % 3 == 0).into_bytes())
        .collect()
}

/// Refuses each of the first allocations in turn, and then some of the others, which are alike.
fn refused<T>(mut body: impl FnMut() -> offheap_core::Result<T>) {
    let (all, outcome) = counted(&mut body);
    assert!(outcome.is_ok());
    let step = (all / 80).max(1);
    for granted in (0..all.min(50)).chain((50..all).step_by(step)) {
        match granting(granted, &mut body) {
            Err(error) => assert_eq!(error.kind(), ErrorKind::Oom, "after {granted} of {all}"),
            // Memory that is allocated once per process is not allocated again.
            Ok(_) => assert!(granted + 20 > all, "{granted} of {all} were enough"),
        }
    }
}

#[test]
fn training_returns_an_error_if_memory_is_refused() {
    let samples = samples();
    let samples: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    for max_bytes in [1024, 16 << 10] {
        refused(|| train(&samples, TrainOptions { max_bytes: Some(max_bytes) }, None));
    }
    refused(|| train(&samples[..300], TrainOptions { max_bytes: None }, None));
}

#[test]
fn stores_and_dictionaries_return_an_error_if_memory_is_refused() {
    let samples = samples();
    let slices: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    let trained = train(&slices, TrainOptions { max_bytes: Some(8192) }, None).unwrap().unwrap();
    refused(|| Dictionary::from_bytes(trained.as_bytes()));
    refused(|| {
        let mut builder = StoreBuilder::new(Dictionary::from_bytes(trained.as_bytes())?, Level::DEFAULT);
        for record in &samples[..50] {
            builder.push(record)?;
        }
        let store = builder.finish()?;
        let mut out = Vec::new();
        store.get(7, &mut out)?;
        assert_eq!(out, samples[7]);
        store.validate()
    });
    refused(|| {
        let (dictionary, mut out) = (Dictionary::from_bytes(trained.as_bytes())?, Vec::new());
        dictionary.compress(Level::new(9)?, Framing::Tagged, &samples[3], &mut Scratch::new(), &mut out)
    });
}

#[test]
fn refused_memory_does_not_affect_later_records() {
    let samples = samples();
    let slices: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    let trained = train(&slices, TrainOptions { max_bytes: Some(8192) }, None).unwrap().unwrap();
    let compress = |text: &[u8], scratch: &mut Scratch| {
        let mut out = Vec::new();
        trained.compress(Level::new(9)?, Framing::Tagged, text, scratch, &mut out).map(|()| out)
    };
    let (middle, long) = (samples[..60].concat(), samples.concat().repeat(5));
    let expected = compress(&samples[5], &mut Scratch::new()).unwrap();
    let mut granted = 0;
    loop {
        let mut scratch = Scratch::new();
        compress(&middle, &mut scratch).unwrap();
        let finished = granting(granted, || compress(&long, &mut scratch).is_ok());
        assert!(compress(&samples[5], &mut scratch).unwrap() == expected, "after {granted}");
        if finished {
            return;
        }
        granted += 1;
    }
}
