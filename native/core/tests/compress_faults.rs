//! Faults that were found in other compressors and stores. Each test is named after the property
//! that they violated.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::compress::{
    Dictionary, Framing, Level, Scratch, StoreBuilder, SuffixArray, TrainOptions, train,
};

fn trained(samples: &[&[u8]]) -> Dictionary {
    train(samples, TrainOptions { max_bytes: Some(8192) }, None).unwrap().unwrap()
}

fn packed(dictionary: &Dictionary, level: u32, text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let level = Level::new(level).unwrap();
    dictionary.compress(level, Framing::Tagged, text, &mut Scratch::new(), &mut out).unwrap();
    out
}

fn unpacked(dictionary: &Dictionary, bytes: &[u8], most: usize) -> Vec<u8> {
    let mut out = Vec::new();
    dictionary.decompress(Framing::Tagged, bytes, most, &mut out).unwrap();
    out
}

fn lines() -> Vec<Vec<u8>> {
    (0..800)
        .map(|i| format!("GET /towns/{}/streets/{i}?page={} HTTP/1.1", i % 40, i % 7).into_bytes())
        .collect()
}

#[test]
fn text_that_matches_the_training_text_round_trips() {
    let lines = lines();
    let samples: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    let dictionary = trained(&samples);
    // The samples, pieces of them, and several in a row, so that there are long matches in the
    // content at all distances.
    for level in 1..=9 {
        for window in lines.windows(3).step_by(29) {
            assert!(packed(&dictionary, level, &window[0]).len() * 2 < window[0].len());
            for text in [&window[0][..], &window[1][5..30], &window.concat()] {
                let bytes = packed(&dictionary, level, text);
                assert_eq!(unpacked(&dictionary, &bytes, text.len()), text);
            }
        }
    }
}

#[test]
fn frequent_bytes_take_fewer_bits_than_rare_ones() {
    // No two neighbors are alike often enough for phrases, so only the codes can save bits.
    let mut state = 1u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        if state >> 28 < 15 { b'a' + (state >> 24 & 3) as u8 } else { b'A' + (state >> 20 & 15) as u8 }
    };
    let samples: Vec<Vec<u8>> = (0..500).map(|_| (0..200).map(|_| noise()).collect()).collect();
    let slices: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
    let dictionary = trained(&slices);
    let frequent: Vec<u8> = (0..120u32).map(|i| b'a' + ((i * i * 7) >> 3 & 3) as u8).collect();
    let rare: Vec<u8> = (0..120u32).map(|i| b'A' + ((i * i * 7) >> 3 & 15) as u8).collect();
    let (few, many) = (packed(&dictionary, 9, &frequent).len(), packed(&dictionary, 9, &rare).len());
    assert!(few * 2 < many, "{few} bytes for frequent ones, {many} for rare ones");
}

#[test]
fn training_on_fewer_than_three_bytes_makes_a_dictionary() {
    for samples in [&[][..], &[&b""[..]], &[b"a"], &[b"ab"], &[b"a", b"b"], &[b"", b"a"]] {
        for max_bytes in [Some(1024), Some(100_000), None] {
            let dictionary = train(samples, TrainOptions { max_bytes }, None).unwrap().unwrap();
            let bytes = packed(&dictionary, 3, b"abc");
            assert_eq!(unpacked(&dictionary, &bytes, 3), b"abc");
        }
    }
}

#[test]
fn eleven_bytes_do_not_allocate_megabytes() {
    let dictionary = trained(&[]);
    for first in 0..=255 {
        let mut out = Vec::new();
        let mut bytes = [0xFF; 11];
        bytes[0] = first;
        if dictionary.decompress(Framing::Tagged, &bytes, 1 << 30, &mut out).is_ok() {
            assert!(out.len() < 100_000);
        }
        assert!(out.capacity() < 1 << 20, "{} bytes", out.capacity());
    }
}

#[test]
fn finished_store_contains_all_records() {
    let lines = lines();
    let samples: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
    let mut builder = StoreBuilder::new(trained(&samples), Level::DEFAULT);
    lines.iter().for_each(|line| builder.push(line).unwrap());
    let store = builder.finish().unwrap();
    assert_eq!(store.len(), 800);
    let mut last = Vec::new();
    store.get(799, &mut last).unwrap();
    assert_eq!(last, lines[799]);
}

/// Quadratic time on this many bytes would be hours.
#[test]
fn periodic_data_is_compressed_trained_on_and_sorted_in_linear_time() {
    for period in [1, 7, 300] {
        let text: Vec<u8> = (0..period).cycle().take(1 << 20).map(|i| (i * 37) as u8).collect();
        let dictionary = trained(&[&text]);
        for level in [3, 9] {
            let bytes = packed(&dictionary, level, &text);
            assert!(bytes.len() < text.len() / 50);
            assert!(unpacked(&dictionary, &bytes, text.len()) == text);
        }
    }
    let text = b"ab".repeat(1 << 19);
    assert_eq!(SuffixArray::new(&text).unwrap().search(b"abab").count, (1 << 19) - 1);
}
