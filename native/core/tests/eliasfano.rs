//! Elias-Fano: compared with a sorted vector and with golden bytes, and with damaged bytes.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::ErrorKind;
use offheap_core::region::crc::region_checksum;
use offheap_core::region::numbers::{Numbers, NumbersMut};
use offheap_core::succinct::eliasfano::{EliasFano, EliasFanoRef, Shape, fill, validate};
use proptest::prelude::*;
use std::path::Path;

/// Aligned memory of exactly the given length.
#[derive(Clone)]
struct Region(Vec<u64>);

impl Region {
    fn of(bytes: &[u8]) -> Region {
        Region(bytes.as_chunks::<8>().0.iter().map(|&bytes| u64::from_le_bytes(bytes)).collect())
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the bytes are those of the words.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * 8) }
    }

    fn flip(&mut self, bit: usize) {
        self.0[bit / 64] ^= 1 << (bit % 64);
    }

    fn seal(&mut self) {
        // The checksum flag is bit 0 of word 7; the checksum is in word 8.
        self.0[3] |= 1 << 32;
        // SAFETY: the region owns the bytes, which are initialized.
        let checksum = unsafe { region_checksum(self.bytes().as_ptr(), self.bytes().len()) };
        self.0[4] = self.0[4] & !0xFFFF_FFFF | u64::from(checksum);
    }

    fn validate(&self) -> Result<(), ErrorKind> {
        // SAFETY: the region owns the bytes.
        unsafe { validate(self.bytes().as_ptr(), self.bytes().len()) }.map_err(|error| error.kind())
    }

    /// Runs every query. The results may be wrong.
    fn exercise(&self) {
        let Ok(values) = EliasFanoRef::new(self.bytes()) else { return };
        let (len, max) = (values.len(), values.shape().max);
        let last = len.saturating_sub(1);
        for index in (0..len.min(400)).chain([last, u64::MAX]) {
            assert_eq!(values.at(index).is_some(), index < len);
        }
        for i in 0..=300 {
            let value = (u128::from(max) * i / 300) as u64;
            assert!(values.rank(value) <= len);
            assert!(values.next_geq(value).is_none_or(|(index, _)| index < len));
        }
        let _ = (values.rank(u64::MAX), values.next_geq(u64::MAX));
        let count = len.min(500);
        let mut out = vec![0u64; count as usize];
        values.unpack(len - count, &mut NumbersMut::of(&mut out)).unwrap();
        values
            .rank_many(&Numbers::of(&[0, max / 2, max], "values"), &mut NumbersMut::of(&mut [0u64; 3]))
            .unwrap();
        let indices = vec![last; usize::from(!values.is_empty())];
        values.get_many(&Numbers::of(&indices, "indices"), &mut NumbersMut::of(&mut out)).unwrap();
        assert!(values.iter().take(1000).count() <= 1000);
    }
}

/// Compares the results of every query with the plain vector.
fn compare(sorted: &[u64]) {
    let values = EliasFano::from_slice(sorted).unwrap();
    Region::of(values.as_bytes()).validate().unwrap();
    assert_eq!(values.len(), sorted.len() as u64);
    assert_eq!(values.iter().collect::<Vec<_>>(), sorted);
    for (index, &value) in sorted.iter().enumerate() {
        assert_eq!(values.at(index as u64), Some(value), "{index} of {}", sorted.len());
    }
    assert_eq!(values.at(sorted.len() as u64), None);
    let near = sorted.iter().flat_map(|&value| [value.wrapping_sub(1), value, value.saturating_add(1)]);
    let asked: Vec<u64> = near.chain([0, 1, u64::MAX / 3, u64::MAX]).collect();
    let mut ranks = vec![0u64; asked.len()];
    values.rank_many(&Numbers::of(&asked, "values"), &mut NumbersMut::of(&mut ranks)).unwrap();
    for (&value, &found) in asked.iter().zip(&ranks) {
        let rank = sorted.partition_point(|&other| other < value);
        assert_eq!((values.rank(value), found), (rank as u64, rank as u64), "rank of {value}");
        let next = sorted.get(rank).map(|&next| (rank as u64, next));
        assert_eq!(values.next_geq(value), next, "next from {value}");
    }
    if !sorted.is_empty() {
        let indices: Vec<u64> = (0..sorted.len() as u64).rev().collect();
        let mut out = vec![0u64; sorted.len()];
        values.get_many(&Numbers::of(&indices, "indices"), &mut NumbersMut::of(&mut out)).unwrap();
        assert!(out.iter().rev().eq(sorted));
        for from in [0, sorted.len() / 2, sorted.len() - 1] {
            let mut out = vec![0u64; sorted.len() - from];
            values.unpack(from as u64, &mut NumbersMut::of(&mut out)).unwrap();
            assert_eq!(out, &sorted[from..]);
        }
    }
}

/// Gaps of all sizes, which make dense runs, clusters and wide gaps.
fn sorted() -> impl Strategy<Value = Vec<u64>> {
    let gap = prop_oneof![
        4 => 0u64..3,
        4 => 0u64..200,
        1 => (0u32..44).prop_map(|bits| 1u64 << bits),
    ];
    proptest::collection::vec(gap, 0..1500).prop_map(|gaps| {
        gaps.iter()
            .scan(0u64, |sum, &gap| {
                *sum = sum.saturating_add(gap);
                Some(*sum)
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 100, ..ProptestConfig::default() })]

    #[test]
fn agrees_with_a_plain_vector(sorted in sorted()) {
        compare(&sorted);
    }

    #[test]
fn agrees_for_any_values(mut values in proptest::collection::vec(any::<u64>(), 0..300), shift in 0u32..64) {
        values.iter_mut().for_each(|value| *value >>= shift);
        values.sort_unstable();
        compare(&values);
    }
}

#[test]
fn agrees_for_shapes_at_the_limits() {
    compare(&[]);
    compare(&[0]);
    compare(&[1]);
    compare(&[u64::MAX]);
    compare(&[0, u64::MAX]);
    compare(&[u64::MAX; 3]);
    compare(&[0; 3000]);
    compare(&[7; 1000]);
    compare(&(0..5000).collect::<Vec<_>>());
    compare(&(0..5000).map(|i| i * 1000).collect::<Vec<_>>());
    // Two clusters with duplicates, so that one gap has all the zeros.
    let clusters: Vec<u64> = (0..4000).map(|i| i / 2).chain((0..4000).map(|i| (1 << 40) + i)).collect();
    compare(&clusters);
    // A cluster at the beginning whose values share their upper bits.
    let skewed: Vec<u64> = (0..6000).chain([1 << 50]).collect();
    compare(&skewed);
}

#[test]
fn size_matches_the_documented_formula() {
    let sorted: Vec<u64> = (0..100_000u64).map(|i| i * 1021 + i % 7).collect();
    let values = EliasFano::from_slice(&sorted).unwrap();
    let bits = values.as_bytes().len() as f64 * 8.0 / sorted.len() as f64;
    assert!(bits < 2.85 + (1021f64).log2(), "{bits}");
}

#[test]
fn rejects_values_that_do_not_ascend() {
    let refused = |values: &[f64]| {
        let error = EliasFano::from_slice(values).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Range);
        error.message().to_owned()
    };
    assert_eq!(refused(&[1.0, 3.0, 2.0]), "values[2] is 2, less than the previous 3: sort them first");
    let mut long: Vec<f64> = (0..600).map(f64::from).collect();
    long[256] = 3.0;
    assert_eq!(refused(&long), "values[256] is 3, less than the previous 255: sort them first");
    refused(&[-1.0]);
    refused(&[0.0, f64::NAN]);
    refused(&[0.5]);
    // Values other than those measured give an error, and no region.
    let mut region = Region(vec![u64::MAX; 128]);
    for (len, max, values) in [(2, 7, &[1u64, 9]), (2, 9, &[1, 7]), (2, 9, &[9, 1]), (3, 9, &[1, 9])] {
        let values = Numbers::of(values, "values");
        // SAFETY: the memory is exclusive and has the given length.
        let result = unsafe { fill(region.0.as_mut_ptr().cast(), 1024, Shape { len, max }, &values) };
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Range);
        assert!(region.validate().is_err());
    }
    let values = [1u64, 9];
    // SAFETY: as above.
    let small = unsafe {
        fill(region.0.as_mut_ptr().cast(), 320, Shape { len: 2, max: 9 }, &Numbers::of(&values, "values"))
    };
    assert_eq!(small.unwrap_err().kind(), ErrorKind::Full);
}

#[test]
fn rejected_bulk_calls_write_nothing() {
    let values = EliasFano::from_slice(&(0..1000u32).collect::<Vec<_>>()).unwrap();
    let mut out = vec![7u16; 1000];
    let mut indices = vec![5u32; 900];
    indices[899] = 1000;
    let error =
        values.get_many(&Numbers::of(&indices, "indices"), &mut NumbersMut::of(&mut out)).unwrap_err();
    assert_eq!(error.message(), "index out of range: indices[899] is 1000, of 1000 values");
    assert!(values.get_many(&Numbers::of(&[1u8], "indices"), &mut NumbersMut::of(&mut [0u8; 1])).is_err());
    assert!(
        values.get_many(&Numbers::of(&[1u8; 2], "indices"), &mut NumbersMut::of(&mut [0u16; 1])).is_err()
    );
    assert!(values.rank_many(&Numbers::of(&[0.5], "values"), &mut NumbersMut::of(&mut out)).is_err());
    assert!(values.unpack(1, &mut NumbersMut::of(&mut out)).is_err());
    assert!(values.unpack(u64::MAX, &mut NumbersMut::of(&mut out)).is_err());
    assert!(out.iter().all(|&value| value == 7));
    let empty = EliasFano::from_slice::<u8>(&[]).unwrap();
    assert!(empty.get_many(&Numbers::of(&[0u8], "indices"), &mut NumbersMut::of(&mut out)).is_err());
    empty.rank_many(&Numbers::of(&[0u64, u64::MAX], "values"), &mut NumbersMut::of(&mut out)).unwrap();
    assert_eq!(out[..3], [0, 0, 7]);
}

fn golden(name: &str, bytes: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/golden").join(name);
    if std::env::var_os("OFFHEAP_BLESS").is_some() {
        std::fs::write(&path, bytes).unwrap();
        return;
    }
    let golden = std::fs::read(&path).unwrap();
    let difference = golden.iter().zip(bytes).position(|(golden, byte)| golden != byte);
    assert_eq!((difference, golden.len()), (None, bytes.len()), "{name}");
}

#[test]
fn matches_the_golden_bytes() {
    let even: Vec<u64> = (0..1000).map(|i| i * 1000 + i * i % 997).collect();
    golden("eliasfano-even.bin", EliasFano::from_slice(&even).unwrap().as_bytes());
    let clusters: Vec<u64> = (0..1000).map(|i| i / 100 * (1 << 40) + i % 100 / 3).collect();
    golden("eliasfano-clusters.bin", EliasFano::from_slice(&clusters).unwrap().as_bytes());
}

fn small() -> Region {
    let sorted: Vec<u64> = (0..700).map(|i| i * 37 + i / 300 * 100_000).collect();
    let region = Region::of(EliasFano::from_slice(&sorted).unwrap().as_bytes());
    region.validate().unwrap();
    region
}

#[test]
fn any_flipped_bit_is_detected_or_harmless() {
    let sound = small();
    for bit in 0..sound.0.len() * 64 {
        let mut region = sound.clone();
        region.flip(bit);
        region.exercise();
        let word = bit / 32;
        // The sequence and the seeds are not checked.
        let harmless = [6, 9, 10].contains(&word);
        let result = region.validate();
        if bit < 2048 {
            assert_eq!(result.is_ok(), harmless, "word {word} bit {}", bit % 32);
        }
        if let Err(kind) = result {
            assert!(matches!(kind, ErrorKind::Corrupt | ErrorKind::Version | ErrorKind::Stale), "{kind:?}");
        }
    }
}

#[test]
fn any_flipped_bit_of_sealed_contents_is_detected() {
    let mut sound = small();
    sound.seal();
    sound.validate().unwrap();
    for bit in 2048..sound.0.len() * 64 {
        let mut region = sound.clone();
        region.flip(bit);
        assert_eq!(region.validate(), Err(ErrorKind::Corrupt), "bit {bit}");
    }
}

#[test]
fn random_damage_is_harmless() {
    let mut state = 1u64;
    let mut random = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 24
    };
    let sound = small();
    for _ in 0..400 {
        let mut region = sound.clone();
        for _ in 0..random() % 30 + 1 {
            let at = 16 + random() as usize % (sound.0.len() - 16);
            region.0[at] = match random() % 4 {
                0 => 0,
                1 => u64::MAX,
                2 => random() << 32 ^ random(),
                _ => region.0[at] ^ 1 << (random() % 64),
            };
        }
        region.exercise();
        let _ = region.validate();
    }
}

#[test]
fn every_truncation_is_rejected() {
    let sound = small();
    for words in 0..sound.0.len() {
        let region = Region(sound.0[..words].to_vec());
        assert_eq!(region.validate(), Err(ErrorKind::Corrupt));
    }
}

#[test]
fn rejects_counts_that_overflow() {
    let sound = small();
    for (len, max) in [(1 << 37, u64::MAX), ((1 << 37) + 1, 5), (u64::MAX, u64::MAX), (0, 1), (1, u64::MAX)] {
        let mut region = sound.clone();
        (region.0[8], region.0[9]) = (len, max);
        assert_eq!(region.validate(), Err(ErrorKind::Corrupt), "{len} up to {max}");
    }
    assert!(Shape { len: 1 << 37, max: u64::MAX }.check().unwrap().layout().length < 1 << 50);
}
