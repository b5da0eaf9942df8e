//! Packed integers: compared with a plain vector and with golden bytes, with damaged bytes, and
//! with refused memory.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::ErrorKind;
use offheap_core::region::crc::region_checksum;
use offheap_core::region::numbers::{Numbers, NumbersMut};
use offheap_core::succinct::packed::{PackedInts, PackedIntsRef, RawPackedInts, Shape, fill, validate};
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

    /// Reads all contents. The results may be wrong.
    fn exercise(&self) {
        let Ok(ints) = PackedIntsRef::new(self.bytes()) else { return };
        let count = ints.len().min(500);
        let last = ints.len().saturating_sub(1);
        for index in (0..count).chain([last, u64::MAX]) {
            assert_eq!(ints.at(index).is_some(), index < ints.len());
        }
        let mut out = vec![0u64; count as usize];
        ints.unpack(ints.len() - count, &mut NumbersMut::of(&mut out)).unwrap();
        let indices = vec![last; usize::from(!ints.is_empty())];
        ints.get_many(&Numbers::of(&indices, "indices"), &mut NumbersMut::of(&mut out)).unwrap();
        assert!(ints.iter().take(1000).count() <= 1000);
    }
}

fn values(bits: u32) -> impl Strategy<Value = Vec<u64>> {
    proptest::collection::vec(any::<u64>().prop_map(move |value| value >> (64 - bits)), 0..700)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
fn agrees_with_a_plain_vector(
        (bits, values) in (1u32..=64).prop_flat_map(|bits| (Just(bits), values(bits))),
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 0..600),
        from in any::<prop::sample::Index>(),
    ) {
        let ints = PackedInts::with_bits(&Numbers::of(&values, "values"), bits).unwrap();
        prop_assert_eq!(ints.len(), values.len() as u64);
        prop_assert_eq!(ints.bits(), bits);
        prop_assert_eq!(ints.iter().collect::<Vec<_>>(), &values[..]);
        for (index, &value) in values.iter().enumerate() {
            prop_assert_eq!(ints.at(index as u64), Some(value));
        }
        prop_assert_eq!(ints.at(values.len() as u64), None);
        Region::of(ints.as_bytes()).validate().unwrap();

        if !values.is_empty() {
            let indices: Vec<f64> = picks.iter().map(|pick| pick.index(values.len()) as f64).collect();
            let mut out = vec![0u64; indices.len()];
            ints.get_many(&Numbers::of(&indices, "indices"), &mut NumbersMut::of(&mut out)).unwrap();
            let expected: Vec<u64> = indices.iter().map(|&index| values[index as usize]).collect();
            prop_assert_eq!(out, expected);
            let from = from.index(values.len());
            let mut out = vec![0u64; values.len() - from];
            ints.unpack(from as u64, &mut NumbersMut::of(&mut out)).unwrap();
            prop_assert_eq!(out, &values[from..]);
        }
        let smallest = PackedInts::from_slice(&values).unwrap();
        let largest = values.iter().max().copied().unwrap_or(0);
        prop_assert_eq!(smallest.bits(), (64 - largest.leading_zeros()).max(1));
        prop_assert_eq!(smallest.iter().collect::<Vec<_>>(), values);
    }
}

#[test]
fn unpacks_to_every_type_and_rejects_types_that_are_too_narrow() {
    let ints = PackedInts::from_slice(&[1u32, 200, 3, 255]).unwrap();
    let indices = Numbers::of(&[3u8, 0], "indices");
    let (mut bytes, mut floats, mut signed) = ([0u8; 2], [0f64; 3], [0i8; 2]);
    ints.get_many(&indices, &mut NumbersMut::of(&mut bytes)).unwrap();
    ints.get_many(&indices, &mut NumbersMut::of(&mut floats)).unwrap();
    assert_eq!((bytes, floats), ([255, 1], [255.0, 1.0, 0.0]));
    let error = ints.get_many(&indices, &mut NumbersMut::of(&mut signed)).unwrap_err();
    assert_eq!((error.kind(), signed), (ErrorKind::Range, [0, 0]));
    let error = ints.unpack(0, &mut NumbersMut::of(&mut signed)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Range);
}

#[test]
fn an_index_past_the_end_writes_nothing() {
    let ints = PackedInts::from_slice(&[7u8; 1000]).unwrap();
    let mut indices = vec![5u32; 900];
    indices[899] = 1000;
    let mut out = vec![0u32; 900];
    let error = ints.get_many(&Numbers::of(&indices, "indices"), &mut NumbersMut::of(&mut out)).unwrap_err();
    assert_eq!(error.message(), "index out of range: indices[899] is 1000, of 1000 integers");
    assert!(out.iter().all(|&value| value == 0));
    let error = ints.unpack(101, &mut NumbersMut::of(&mut out)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Range);
    assert!(ints.unpack(u64::MAX, &mut NumbersMut::of(&mut out)).is_err());
    ints.unpack(100, &mut NumbersMut::of(&mut out)).unwrap();
}

#[test]
fn rejects_values_that_do_not_fit() {
    let refused = |values: &[f64], bits| {
        let error = PackedInts::with_bits(&Numbers::of(values, "values"), bits).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Range);
        error.message().to_owned()
    };
    assert_eq!(refused(&[1.0, 8.0], 3), "values[1] is 8, which exceeds 7");
    assert_eq!(refused(&[-1.0], 3), "values[0] is -1, not an integer from 0 to 2^53 - 1");
    refused(&[f64::NAN], 64);
    refused(&[0.5], 64);
    refused(&[1.0], 0);
    refused(&[1.0], 65);
    // After a rejected call the memory contains no region.
    let mut region = Region(vec![u64::MAX; 64]);
    let shape = Shape { len: 2, bits: 3, bigint: false };
    let values = [1u64, 8];
    // SAFETY: the memory is exclusive and has the given length.
    let result = unsafe { fill(region.0.as_mut_ptr().cast(), 512, shape, &Numbers::of(&values, "values")) };
    assert!(result.is_err() && region.validate().is_err());
    // SAFETY: as above.
    let small = unsafe { fill(region.0.as_mut_ptr().cast(), 256, shape, &Numbers::of(&[1u8, 2], "values")) };
    assert_eq!(small.unwrap_err().kind(), ErrorKind::Full);
}

fn compare(name: &str, bytes: &[u8]) {
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
    let narrow: Vec<u32> = (0..100).map(|i| (i * 37) % 1000).collect();
    compare("packedints-10.bin", PackedInts::from_slice(&narrow).unwrap().as_bytes());
    let wide: Vec<u64> = (0..20u64).map(|i| u64::MAX - i * i * 0x0123_4567_89AB).collect();
    compare("packedints-64.bin", PackedInts::from_slice(&wide).unwrap().as_bytes());
}

#[test]
fn any_flipped_bit_of_the_header_is_detected_or_harmless() {
    let sound = Region::of(PackedInts::from_slice(&[3u64, 1 << 40, 77, 5]).unwrap().as_bytes());
    sound.validate().unwrap();
    for bit in 0..2048 {
        let mut region = sound.clone();
        region.flip(bit);
        region.exercise();
        let (word, flag) = (bit / 32, bit % 32);
        // The sequence, the seeds, and the flag for bigints may have any value.
        let harmless = [6, 9, 10].contains(&word) || (word, flag) == (19, 0);
        let result = region.validate();
        // Other counts can make a valid region of the same length, which only a checksum detects.
        if !(16..=18).contains(&word) {
            assert_eq!(result.is_ok(), harmless, "word {word} bit {flag}");
        }
        if let Err(kind) = result {
            assert!(matches!(kind, ErrorKind::Corrupt | ErrorKind::Version | ErrorKind::Stale), "{kind:?}");
        }
    }
}

#[test]
fn any_flipped_bit_of_sealed_contents_is_detected() {
    let mut sound = Region::of(PackedInts::from_slice(&[3u64, 1 << 40, 77, 5]).unwrap().as_bytes());
    sound.seal();
    sound.validate().unwrap();
    for bit in 2048..sound.0.len() * 64 {
        let mut region = sound.clone();
        region.flip(bit);
        assert_eq!(region.validate(), Err(ErrorKind::Corrupt), "bit {bit}");
    }
}

#[test]
fn validate_rejects_bits_after_the_last_integer() {
    let sound = Region::of(PackedInts::from_slice(&[3u64, 1 << 40, 77, 5]).unwrap().as_bytes());
    for bit in 2048..sound.0.len() * 64 {
        let mut region = sound.clone();
        region.flip(bit);
        assert_eq!(region.validate().is_ok(), bit < 2048 + 4 * 41, "bit {bit}");
    }
}

#[test]
fn integers_from_2_to_53_on_require_bigints() {
    let bytes = |bits| {
        let ints = PackedInts::with_bits(&Numbers::of(&[1u64 << 52, 5], "values"), bits).unwrap();
        assert!(!ints.shape().bigint);
        Region::of(ints.as_bytes())
    };
    let mut region = bytes(60);
    region.validate().unwrap();
    region.flip(2048 + 54);
    assert_eq!(region.validate(), Err(ErrorKind::Corrupt));
    assert!(PackedInts::from_slice(&[1u64 << 53]).unwrap().shape().bigint);
}

#[test]
fn every_truncation_is_rejected() {
    let sound = PackedInts::from_slice(&(0..200u32).collect::<Vec<_>>()).unwrap();
    for words in 0..sound.as_bytes().len() / 8 {
        let region = Region::of(&sound.as_bytes()[..words * 8]);
        assert_eq!(region.validate(), Err(ErrorKind::Corrupt));
        region.exercise();
    }
    let odd = &sound.as_bytes()[1..];
    assert_eq!(PackedIntsRef::new(odd).unwrap_err().kind(), ErrorKind::Type);
}

#[test]
fn rejects_counts_that_overflow() {
    let sound = Region::of(PackedInts::from_slice(&[1u8]).unwrap().as_bytes());
    for (len, bits) in
        [(1 << 47, 64), ((1 << 47) + 1, 1), (u64::MAX, 64), (u64::MAX / 64 + 2, 64), (1, 0), (1, 65)]
    {
        let mut region = sound.clone();
        region.0[8] = len;
        region.0[9] = bits;
        assert_eq!(region.validate(), Err(ErrorKind::Corrupt), "{len} of {bits} bits");
    }
    // SAFETY: null is rejected.
    assert!(unsafe { RawPackedInts::attach(std::ptr::null(), 4096) }.is_err());
}

#[test]
fn the_largest_shape_has_a_length() {
    let largest = Shape { len: 1 << 47, bits: 64, bigint: false }.check().unwrap();
    assert_eq!(largest.length(), 256 + (1 << 50) + 64);
}
