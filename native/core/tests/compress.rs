//! Dictionaries and records: decompression restores every input, and no record grows by more than
//! one byte.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::compress::{Dictionary, Framing, Level, Scratch, TrainOptions, train};
use offheap_core::region::control::Control;
use offheap_core::{ErrorKind, Result};
use proptest::prelude::*;
use std::sync::OnceLock;

/// Records that resemble each other.
fn samples(count: usize) -> Vec<Vec<u8>> {
    let names = ["Amsterdam", "Berlin", "Cairo", "Dakar", "Edinburgh", "Fukuoka", "Guadalajara", "Hyderabad"];
    let record = |i: usize| {
        let (a, b) = (names[i * 7 % 8], names[i * 3 % 8]);
        let (x, y) = (i * 7919 % 18000, i * 104_729 % 36000);
        format!(
            r#"{{"id":{i},"name":"{a} {b}","lat":"{}.{:03}","lng":"-{}.{:03}","admin":"{:02}"}}"#,
            x / 100,
            x % 1000,
            y / 100,
            y % 1000,
            i % 20
        )
        .into_bytes()
    };
    (0..count).map(record).collect()
}

fn trained(samples: &[Vec<u8>], max_bytes: usize) -> Dictionary {
    let samples: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    train(&samples, TrainOptions { max_bytes: Some(max_bytes) }, None).unwrap().unwrap()
}

fn dictionary() -> &'static Dictionary {
    static DICTIONARY: OnceLock<Dictionary> = OnceLock::new();
    DICTIONARY.get_or_init(|| trained(&samples(2000), 16 << 10))
}

fn compress(dictionary: &Dictionary, level: u32, framing: Framing, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let level = Level::new(level).unwrap();
    dictionary.compress(level, framing, text, &mut Scratch::new(), &mut out).unwrap();
    assert!(out.len() <= text.len() + 1, "{} bytes became {}", text.len(), out.len());
    out
}

fn decompress(dictionary: &Dictionary, framing: Framing, bytes: &[u8], max: usize) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    dictionary.decompress(framing, bytes, max, &mut out)?;
    Ok(out)
}

fn round_trip(dictionary: &Dictionary, text: &[u8]) {
    for level in 1..=9 {
        for framing in [Framing::Bare, Framing::Tagged] {
            let packed = compress(dictionary, level, framing, text);
            let back = decompress(dictionary, framing, &packed, text.len()).unwrap();
            assert!(back == text, "level {level}, {framing:?}: {text:?} became {back:?}");
        }
    }
}

#[test]
fn records_like_the_samples_shrink_to_a_quarter() {
    let (mut before, mut after) = (0, 0);
    for record in samples(2100).split_off(2000) {
        round_trip(dictionary(), &record);
        before += record.len();
        after += compress(dictionary(), 3, Framing::Bare, &record).len();
    }
    assert!(after * 4 < before, "{before} bytes became {after}");
}

#[test]
fn records_unlike_the_samples_round_trip() {
    let noise = |n: usize| (0..n as u64).map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 37) as u8);
    round_trip(dictionary(), b"");
    for byte in 0..=255 {
        round_trip(dictionary(), &[byte]);
    }
    for len in [2, 3, 7, 8, 9, 255, 256, 4095, 4096, 4097, 20_000] {
        round_trip(dictionary(), &noise(len).collect::<Vec<_>>());
        round_trip(dictionary(), &vec![b'a'; len]);
        round_trip(dictionary(), &b"abcdefghijk".iter().copied().cycle().take(len).collect::<Vec<_>>());
    }
    round_trip(dictionary(), &(0..=255).rev().collect::<Vec<u8>>());
    round_trip(dictionary(), &samples(300).concat());
}

#[test]
fn higher_levels_compress_at_least_as_well() {
    let records = samples(2200).split_off(2000);
    let size =
        |level| records.iter().map(|r| compress(dictionary(), level, Framing::Bare, r).len()).sum::<usize>();
    assert!(size(9) <= size(3) && size(9) <= size(1));
}

#[test]
fn trains_on_few_and_unusual_samples() {
    let lots = samples(300).concat();
    let periodic = vec![b'x'; 300_000];
    let cases: Vec<Vec<&[u8]>> = vec![
        vec![],
        vec![b""],
        vec![b"", b"", b""],
        vec![b"a"],
        vec![b"ab"],
        vec![b"ab", b""],
        vec![&[0; 7]],
        vec![&lots],
        vec![&periodic],
        vec![b"one record only, again and again"; 2000],
        vec![&[0, 255, 1, 254]; 3],
    ];
    for (number, samples) in cases.iter().enumerate() {
        for max_bytes in [Some(1024), Some(1500), Some(5000), Some(40_000)] {
            let made = train(samples, TrainOptions { max_bytes }, None).unwrap().unwrap();
            assert!(made.as_bytes().len() <= max_bytes.unwrap(), "case {number}, {max_bytes:?}");
            made.validate().unwrap();
            let text = samples.first().copied().unwrap_or(b"nothing");
            for text in [&text[..text.len().min(3000)], b"something else \xFF\x00", b""] {
                for level in [1, 3, 9] {
                    let packed = compress(&made, level, Framing::Tagged, text);
                    assert_eq!(decompress(&made, Framing::Tagged, &packed, 5000).unwrap(), text);
                }
            }
        }
    }
}

#[test]
fn trained_size_respects_the_limit() {
    let samples = samples(1500);
    for max_bytes in [1024, 1025, 2048, 4096, 10_000, 65_536] {
        assert!(trained(&samples, max_bytes).as_bytes().len() <= max_bytes);
    }
    let samples: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    let auto = train(&samples, TrainOptions::default(), None).unwrap().unwrap();
    assert!(auto.as_bytes().len() <= 64 << 10);
    for max_bytes in [0, 1023, (1 << 24) + 1, usize::MAX] {
        let error = train(&samples, TrainOptions { max_bytes: Some(max_bytes) }, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Range);
    }
}

#[test]
fn same_samples_give_the_same_dictionary() {
    let samples = samples(500);
    let (a, b) = (trained(&samples, 8192), trained(&samples, 8192));
    assert!(a.as_bytes() == b.as_bytes() && a.identity() == b.identity());
    assert_ne!(a.identity(), trained(&samples[1..], 8192).identity());
}

#[test]
fn training_stops_when_canceled() {
    let control = Control::default();
    control.cancel();
    assert!(train(&[b"abc"], TrainOptions::default(), Some(&control)).unwrap().is_none());
}

#[test]
fn rejects_bytes_of_another_dictionary() {
    let mut others = Vec::new();
    for count in [400, 500, 600, 700] {
        others.push(trained(&samples(count), 6000));
    }
    let (mut refused, mut all) = (0, 0);
    for record in samples(60) {
        for (i, a) in others.iter().enumerate() {
            let packed = compress(a, 3, Framing::Tagged, &record);
            for (j, b) in others.iter().enumerate() {
                if i != j && a.identity() % 255 != b.identity() % 255 {
                    let error = decompress(b, Framing::Tagged, &packed, 1 << 20).unwrap_err();
                    assert_eq!(error.kind(), ErrorKind::Corrupt);
                    refused += 1;
                }
                all += 1;
            }
        }
    }
    assert!(refused * 2 > all);
}

#[test]
fn output_is_limited() {
    let text = vec![b'z'; 100_000];
    let packed = compress(dictionary(), 3, Framing::Tagged, &text);
    assert!(packed.len() < 1000);
    for max in [0, 1, 1000, 99_999] {
        let error = decompress(dictionary(), Framing::Tagged, &packed, max).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Range, "{max}");
    }
    // Eleven bytes cannot expand to megabytes.
    for fill in 0..=255 {
        let mut out = Vec::new();
        if dictionary().decompress(Framing::Bare, &[fill; 11], usize::MAX / 4, &mut out).is_ok() {
            assert!(out.len() < 100_000);
        }
        assert!(out.capacity() < 1 << 20);
    }
}

#[test]
fn dictionary_reopens_from_its_bytes_and_rejects_damaged_ones() {
    let made = trained(&samples(200), 3000);
    let bytes = made.as_bytes().to_vec();
    let again = Dictionary::from_bytes(&bytes).unwrap();
    again.validate().unwrap();
    assert_eq!(again.identity(), made.identity());
    let packed = compress(&made, 9, Framing::Tagged, b"{\"id\":5");
    assert_eq!(decompress(&again, Framing::Tagged, &packed, 100).unwrap(), b"{\"id\":5");
    for cut in 0..bytes.len() {
        assert!(Dictionary::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    let mut bytes = bytes;
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        let found = Dictionary::from_bytes(&bytes).and_then(|dictionary| dictionary.validate());
        // The sequence, the seeds, and a checksum without its flag do not belong to the dictionary.
        let meaningless = (24..28).contains(&(bit / 8)) || (36..44).contains(&(bit / 8));
        assert!(found.is_err() || meaningless, "bit {bit}");
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

/// Code lengths as a dictionary stores them: as nibbles, with run lengths for zeros.
fn packed_lengths(lengths: &[u8]) -> Vec<u8> {
    let mut halves = Vec::new();
    for run in lengths.chunk_by(|a, b| a == b) {
        if run[0] > 0 {
            halves.extend_from_slice(run);
            continue;
        }
        halves.push(0);
        let mut rest = run.len() - 1;
        loop {
            halves.push((rest & 7) as u8 | if rest > 7 { 8 } else { 0 });
            rest >>= 3;
            if rest == 0 {
                break;
            }
        }
    }
    halves.chunks(2).map(|pair| pair[0] | pair.get(1).unwrap_or(&0) << 4).collect()
}

/// The identity as specified in `docs/formats/compress.md`.
fn identity(body: &[u8], samples: u32) -> u64 {
    const K: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hash = (body.len() as u64 ^ u64::from(samples) << 32).wrapping_mul(K);
    let mut words: Vec<u64> = Vec::new();
    let (chunks, rest) = body.as_chunks::<8>();
    words.extend(chunks.iter().map(|&chunk| u64::from_le_bytes(chunk)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    words.extend([u64::from_le_bytes(last), K]);
    for word in words {
        hash = (hash ^ word).wrapping_mul(K);
        hash ^= hash >> 29;
    }
    hash
}

/// If a context has a code for only one symbol and none for the escape, the other symbols cannot be
/// written: an encoder would write something that is not a code, and more bytes than it reserved
/// room for.
#[test]
fn rejects_a_context_without_codes_and_escape() {
    const SYMBOLS: usize = 450;
    const ESCAPE: usize = 257;
    let mut all = vec![0u8; SYMBOLS];
    // Lengths 1 and 2 for two bytes; for the 447 others, 65 codes of 10 bits and 382 of 11.
    let others = (0..SYMBOLS).filter(|&symbol| ![98, 99, ESCAPE].contains(&symbol));
    others.enumerate().for_each(|(number, symbol)| all[symbol] = if number < 65 { 10 } else { 11 });
    (all[98], all[99]) = (1, 2);
    for escaped in [true, false] {
        let mut lone = vec![0u8; SYMBOLS];
        lone[if escaped { ESCAPE } else { 97 }] = 1;
        let mut body = vec![1u8; SYMBOLS - 1];
        body.extend(packed_lengths(&[all.clone(), lone].concat()));
        let length = (256 + body.len()).next_multiple_of(64);
        let identity = identity(&body, 50);
        let made = trained(&[], 1024);
        let mut bytes = [&made.as_bytes()[..256], &body].concat();
        bytes.resize(length, 0);
        let mut set = |word: usize, value: u32| bytes[word * 4..][..4].copy_from_slice(&value.to_le_bytes());
        set(4, length as u32);
        [0, 0, 2, body.len() as u32, identity as u32, (identity >> 32) as u32, 50]
            .into_iter()
            .enumerate()
            .for_each(|(number, value)| set(16 + number, value));
        let opened = Dictionary::from_bytes(&bytes);
        assert_eq!(opened.is_ok(), escaped, "{opened:?}");
        if let Ok(dictionary) = opened {
            dictionary.validate().unwrap();
            let noise = (0..3000u64).map(|i| b'b' + (i.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 63) as u8);
            round_trip(&dictionary, &noise.collect::<Vec<_>>());
        }
    }
}

#[test]
fn damaged_records_give_errors_or_other_bytes() {
    for record in samples(40) {
        for framing in [Framing::Bare, Framing::Tagged] {
            let packed = compress(dictionary(), 3, framing, &record);
            for cut in 0..packed.len() {
                let found = decompress(dictionary(), framing, &packed[..cut], 1 << 16);
                assert!(found.is_err() || packed[0] == 0xFF, "cut at {cut}");
            }
            for bit in 0..packed.len() * 8 {
                let mut packed = packed.clone();
                packed[bit / 8] ^= 1 << (bit % 8);
                if let Err(error) = decompress(dictionary(), framing, &packed, 1 << 16) {
                    assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Range));
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
fn any_text_round_trips(
        pieces in proptest::collection::vec(
            prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..40),
                "[a-z\":,{}]{0,30}".prop_map(String::into_bytes),
                (0usize..300).prop_map(|i| samples(300)[i].clone()),
                (any::<u8>(), 0usize..3000).prop_map(|(byte, n)| vec![byte; n]),
            ],
            0..6,
        ),
    ) {
        round_trip(dictionary(), &pieces.concat());
    }

    #[test]
fn any_bytes_decode_or_are_rejected(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        for framing in [Framing::Bare, Framing::Tagged] {
            let mut out = Vec::new();
            let found = dictionary().decompress(framing, &bytes, 5000, &mut out);
            prop_assert!(out.len() <= 5000);
            if let Err(error) = found {
                prop_assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Range));
            }
        }
    }

    #[test]
fn any_samples_train_a_dictionary(
        samples in proptest::collection::vec(proptest::collection::vec(0u8..6, 0..200), 0..30),
        text in proptest::collection::vec(0u8..7, 0..300),
    ) {
        let made = trained(&samples, 2000);
        prop_assert!(made.as_bytes().len() <= 2000);
        let packed = compress(&made, 5, Framing::Tagged, &text);
        prop_assert_eq!(decompress(&made, Framing::Tagged, &packed, 300).unwrap(), text);
    }
}
