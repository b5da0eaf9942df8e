//! Bloom filters and suffix arrays: compared with a model and with golden bytes, with damaged
//! bytes, and with refused memory.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::compress::bloom::{self, Shape};
use offheap_core::compress::{BloomFilter, RawBloomFilter, RawSuffixArray, SuffixArray, suffix};
use offheap_core::region::control::{Control, Progress};
use offheap_core::region::crc::region_checksum;
use offheap_core::region::numbers::Numbers;
use offheap_core::{ErrorKind, Result};
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
}

/// Compares with the committed file, or writes it if `OFFHEAP_BLESS` is set.
fn golden(name: &str, bytes: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/golden").join(name);
    if std::env::var_os("OFFHEAP_BLESS").is_some() {
        std::fs::write(&path, bytes).unwrap();
    }
    assert!(std::fs::read(&path).unwrap() == bytes, "{name}: the bytes changed");
}

/// Truncates the region at every length and flips every bit. `use_it` opens the result, reads all
/// of it, and returns the result of `validate`.
fn damage(sound: &Region, use_it: impl Fn(&[u8]) -> Result<()>) {
    use_it(sound.bytes()).unwrap();
    let mut sealed = sound.clone();
    sealed.seal();
    use_it(sealed.bytes()).unwrap();
    for length in (0..sound.bytes().len()).step_by(8) {
        assert!(use_it(&Region(sound.0[..length / 8].to_vec()).bytes()[..length]).is_err(), "{length}");
    }
    for bit in 0..sound.0.len() * 64 {
        let mut damaged = sound.clone();
        damaged.flip(bit);
        let result = use_it(damaged.bytes()).map_err(|error| error.kind());
        let kinds = [ErrorKind::Corrupt, ErrorKind::Version, ErrorKind::Stale];
        assert!(result.is_ok_and(|()| true) || result.is_err_and(|kind| kinds.contains(&kind)), "bit {bit}");
        let mut damaged = sealed.clone();
        damaged.flip(bit);
        // Words 6 to 8 are not covered by the checksum: without its flag there is none.
        if !(6 * 32..9 * 32).contains(&bit) {
            assert!(use_it(damaged.bytes()).is_err(), "bit {bit} of a sealed region");
        }
    }
}

fn use_filter(bytes: &[u8]) -> Result<()> {
    // SAFETY: the slice is readable and exclusive, and outlives the view.
    let filter = unsafe { RawBloomFilter::attach(bytes.as_ptr(), bytes.len()) }?;
    let mut found = [0; 300];
    let keys: Vec<u32> = (0..300).collect();
    filter.has_numbers(&Numbers::of(&keys, "keys"), &mut found)?;
    for (&key, &found) in keys.iter().zip(&found) {
        assert_eq!(filter.has(filter.hash_number(f64::from(key))), found == 1);
    }
    assert!(filter.ones() <= filter.shape().blocks * 512);
    filter.validate()
}

fn use_array(bytes: &[u8]) -> Result<()> {
    // SAFETY: the slice is readable, and outlives the view.
    let array = unsafe { RawSuffixArray::attach(bytes.as_ptr(), bytes.len()) }?;
    for pattern in [&b""[..], b"a", b"na", b"banana", b"\0", b"zzz", &[255; 9]] {
        let found = array.search(pattern);
        assert!(found.start + found.count <= array.len());
    }
    for rank in [0, array.len() / 2, array.len().wrapping_sub(1), array.len(), usize::MAX] {
        assert_eq!(array.at(rank).is_some(), rank < array.len());
    }
    array.validate()
}

/// Capacity, rate, and number of blocks.
const SIZES: [(u64, f64, u64); 5] = [
    (0, 0.5, 1),
    (1_000_000, 0.1, 11_483),
    (1_000_000, 0.01, 19_726),
    (1_000_000, 1e-5, 68_333),
    (10, 1e-12, 2_329),
];
const SEEDS: [u32; 2] = [0x0123_4567, 0x89AB_CDEF];

fn golden_filter() -> BloomFilter {
    let mut filter = BloomFilter::with_seeds(100, 0.01, SEEDS).unwrap();
    for i in 0..50 {
        filter.add_number(f64::from(i) * 1.5);
    }
    filter.extend((0..50).map(|i| format!("key {i}")));
    filter
}

#[test]
fn filter_has_its_golden_bytes() {
    let filter = golden_filter();
    assert_eq!(filter.shape().blocks, 2);
    golden("v2/bloomfilter.bin", filter.as_bytes());
    // Bulk operations write the same bytes.
    let mut bulk = BloomFilter::with_seeds(100, 0.01, SEEDS).unwrap();
    let numbers: Vec<f64> = (0..50).map(|i| f64::from(i) * 1.5).collect();
    bulk.add_numbers(&Numbers::of(&numbers, "keys")).unwrap();
    for i in 0..50 {
        bulk.add(format!("key {i}"));
    }
    assert!(bulk.as_bytes() == filter.as_bytes());
}

#[test]
fn a_filter_of_version_1_keeps_its_hash() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/golden/bloomfilter.bin");
    let expected = std::fs::read(path).unwrap();
    let numbers: Vec<f64> = (0..50).map(|i| f64::from(i) * 1.5).collect();
    for is_bulk in [false, true] {
        // Emptied, and filled again.
        let mut region = Region::of(&expected);
        region.0[32..].fill(0);
        let (base, len) = (region.0.as_mut_ptr().cast::<u8>(), expected.len());
        // SAFETY: the region owns the memory, and this is its only view.
        let mut filter = unsafe { bloom::RawBloomFilterMut::attach(base, len) }.unwrap();
        if is_bulk {
            filter.add_numbers(&Numbers::of(&numbers, "keys")).unwrap();
        } else {
            numbers.iter().for_each(|&number| filter.add(filter.hash_number(number)));
        }
        (0..50).for_each(|i| filter.add(filter.hash_bytes(format!("key {i}").as_bytes())));
        assert!(filter.hash_number(1.5) != golden_filter().hash_number(1.5));
        assert!(region.bytes() == expected);
    }
}

#[test]
fn suffix_array_has_its_golden_bytes() {
    let array = SuffixArray::new(b"she sells sea shells by the sea shore").unwrap();
    assert_eq!(array.search(b"sea").count, 2);
    golden("suffixarray.bin", array.as_bytes());
}

#[test]
fn damaged_filters_are_harmless() {
    let mut small = BloomFilter::with_seeds(40, 0.01, SEEDS).unwrap();
    small.extend((0..40u32).map(u32::to_le_bytes));
    damage(&Region::of(small.as_bytes()), use_filter);
}

#[test]
fn damaged_suffix_arrays_are_harmless() {
    damage(&Region::of(SuffixArray::new(b"bananas").unwrap().as_bytes()), use_array);
    for text in [&b""[..], b"x"] {
        damage(&Region::of(SuffixArray::new(text).unwrap().as_bytes()), use_array);
    }
    // Positions out of order, and a duplicate, without a checksum that would detect them.
    let mut region = Region::of(SuffixArray::new(b"bananas").unwrap().as_bytes());
    region.0[320 / 8] = region.0[320 / 8].rotate_left(32);
    assert_eq!(use_array(region.bytes()).unwrap_err().kind(), ErrorKind::Corrupt);
    region.0[320 / 8] = 0;
    assert_eq!(use_array(region.bytes()).unwrap_err().kind(), ErrorKind::Corrupt);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
fn random_bytes_after_a_sound_header_are_harmless(
        filter: bool, at in 16usize..64, word: u32, rest in proptest::collection::vec(any::<u64>(), 0..40),
    ) {
        let mut region = if filter {
            Region::of(golden_filter().as_bytes())
        } else {
            Region::of(SuffixArray::new(b"she sells sea shells").unwrap().as_bytes())
        };
        region.0[at / 2] = u64::from(word) << (at % 2 * 32);
        for (slot, word) in region.0[32..].iter_mut().zip(rest) {
            *slot = word;
        }
        drop(if filter { use_filter(region.bytes()) } else { use_array(region.bytes()) });
    }

    #[test]
fn filter_finds_all_added_keys(
        keys in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 0..300),
        numbers in proptest::collection::vec(any::<f64>(), 0..300),
    ) {
        let mut filter = BloomFilter::new((keys.len() + numbers.len()) as u64, 0.01).unwrap();
        filter.extend(&keys);
        filter.add_numbers(&Numbers::of(&numbers, "keys")).unwrap();
        prop_assert!(keys.iter().all(|key| filter.contains(key)));
        prop_assert!(numbers.iter().all(|&key| filter.contains_number(key)));
        let mut found = vec![0; numbers.len()];
        filter.has_numbers(&Numbers::of(&numbers, "keys"), &mut found).unwrap();
        prop_assert!(found.iter().all(|&yes| yes == 1));
        filter.validate().unwrap();
        let again = BloomFilter::from_bytes(filter.as_bytes()).unwrap();
        prop_assert!(again.as_bytes() == filter.as_bytes());
    }

    #[test]
fn suffix_array_of_few_letters_is_sorted(text in proptest::collection::vec(0u8..4, 0..300)) {
        let text: Vec<u8> = text.into_iter().map(|byte| byte * 80).collect();
        check_array(&text);
    }

    #[test]
fn suffix_array_of_any_bytes_is_sorted(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        check_array(&text);
    }
}

fn check_array(text: &[u8]) {
    let array = SuffixArray::new(text).unwrap();
    array.validate().unwrap();
    assert_eq!(array.text(), text);
    let mut expected: Vec<usize> = (0..text.len()).collect();
    expected.sort_by_key(|&from| &text[from..]);
    assert!((0..text.len()).map(|rank| array.at(rank).unwrap()).eq(expected));
    let patterns = [&b""[..], &[0], &[0, 0], &[80, 0], &[240, 160], b"not there", text];
    for pattern in patterns {
        let found = array.search(pattern);
        let count = (0..text.len()).filter(|&from| text[from..].starts_with(pattern)).count();
        assert_eq!(found.count, count, "{pattern:?}");
        let ranks = found.start..found.start + found.count;
        assert!(ranks.into_iter().all(|rank| text[array.at(rank).unwrap()..].starts_with(pattern)));
    }
}

#[test]
fn suffix_arrays_of_special_texts_are_sorted() {
    for text in [&b""[..], b"a", b"ab", b"ba", b"banana", b"mississippi", &[b'a'; 300]] {
        check_array(text);
    }
    check_array(&b"ab".repeat(200));
    check_array(&(0..=255).rev().collect::<Vec<u8>>());
    // Comparing suffixes directly would take 10^12 steps.
    SuffixArray::new(&vec![b'x'; 1_000_000]).unwrap().validate().unwrap();
}

#[test]
fn building_in_place_stops_when_canceled() {
    let text = b"banana";
    let mut region = vec![0u64; suffix::Shape::new(text.len()).unwrap().length() / 8];
    let (base, room) = (region.as_mut_ptr().cast::<u8>(), region.len() * 8);
    let control = Control::default();
    control.cancel();
    // SAFETY: the memory is exclusive, and the text is within it.
    unsafe {
        base.add(suffix::Shape::TEXT).copy_from_nonoverlapping(text.as_ptr(), text.len());
        let build = |progress| suffix::build_in_place(base, room, text.len(), progress);
        assert!(!build(Progress::new(Some(&control))).unwrap());
        assert_eq!(RawSuffixArray::attach(base, room).unwrap_err().kind(), ErrorKind::Corrupt);
        let control = Control::default();
        assert!(build(Progress::new(Some(&control))).unwrap());
        assert_eq!(control.progress(), (6, 6));
        RawSuffixArray::attach(base, room).unwrap().validate().unwrap();
    }
}

#[test]
fn measured_rate_is_within_a_fifth_of_the_requested_rate() {
    for rate in [0.1, 0.01, 0.001] {
        let mut filter = BloomFilter::with_seeds(20_000, rate, SEEDS).unwrap();
        let keys: Vec<u32> = (0..20_000).collect();
        filter.add_numbers(&Numbers::of(&keys, "keys")).unwrap();
        let absent: Vec<u32> = (1_000_000..1_400_000).collect();
        let mut found = vec![0; absent.len()];
        filter.has_numbers(&Numbers::of(&absent, "keys"), &mut found).unwrap();
        let yes: usize = found.iter().map(|&yes| usize::from(yes)).sum();
        let measured = yes as f64 / absent.len() as f64;
        assert!((measured / rate - 1.0).abs() < 0.2, "measured {measured}, requested {rate}");
    }
}

#[test]
fn rejects_invalid_arguments() {
    for rate in [0.0, 1.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(BloomFilter::new(10, rate).unwrap_err().kind(), ErrorKind::Range);
    }
    assert_eq!(BloomFilter::new(u64::MAX, 0.01).unwrap_err().kind(), ErrorKind::Range);
    assert_eq!(Shape::new(0, 0.5).unwrap().blocks, 1);
    assert_eq!(Shape::new(1, 5e-324).unwrap_err().kind(), ErrorKind::Range);
    // A very low rate takes many blocks, but is possible.
    assert!(Shape::new(10, 1e-12).unwrap().blocks > 1000);
    let mut filter = BloomFilter::new(10, 0.01).unwrap();
    let (wide, narrow) = ([1u64, 2], [1u8, 2]);
    let (wide, narrow) = (Numbers::of(&wide, "keys"), Numbers::of(&narrow, "keys"));
    assert_eq!(filter.add_numbers(&wide).unwrap_err().kind(), ErrorKind::Type);
    assert_eq!(filter.has_numbers(&wide, &mut [0; 2]).unwrap_err().kind(), ErrorKind::Type);
    assert_eq!(filter.has_numbers(&narrow, &mut [0; 1]).unwrap_err().kind(), ErrorKind::Range);
    assert_eq!(filter.has_hashed(&[filter.hash_number(1.0)], &mut []).unwrap_err().kind(), ErrorKind::Range);
    assert_eq!(filter.ones(), 0);
    let mut memory = [0u64; 40];
    let (base, room) = (memory.as_mut_ptr().cast::<u8>(), 320);
    // SAFETY: the memory is exclusive, and rejected calls do not access it.
    unsafe {
        let init = |base, room, blocks| {
            let shape = Shape { blocks, capacity: 1, rate: 0.5 };
            bloom::init(base, room, shape, SEEDS).map_err(|error| error.kind())
        };
        assert_eq!(init(base, 319, 1), Err(ErrorKind::Full));
        assert_eq!(init(base, room, 2), Err(ErrorKind::Full));
        assert_eq!(init(base, room, 0), Err(ErrorKind::Range));
        assert_eq!(init(base, room, 1 << 58), Err(ErrorKind::Range));
        assert_eq!(init(std::ptr::null_mut(), room, 1), Err(ErrorKind::Type));
        assert_eq!(init(base.add(1), room - 8, 1), Err(ErrorKind::Type));
        assert_eq!(init(base, room, 1), Ok(()));
        let build = |len| suffix::build(base, room, base, len).map_err(|error| error.kind());
        assert_eq!(build(usize::MAX), Err(ErrorKind::Range));
        assert_eq!(build(1 << 31), Err(ErrorKind::Range));
        assert_eq!(build(1), Err(ErrorKind::Full));
    }
}

#[test]
fn checksum_is_cleared_before_keys_are_added() {
    let mut sealed = Region::of(golden_filter().as_bytes());
    sealed.seal();
    let mut filter = BloomFilter::from_bytes(sealed.bytes()).unwrap();
    filter.add("another");
    filter.validate().unwrap();
    assert!(filter.contains("another"));
}

#[test]
fn sizes_match_those_in_typescript() {
    // `test/compress/filters.test.ts` has the same numbers.
    let blocks = |capacity, rate| Shape::new(capacity, rate).unwrap().blocks;
    for (capacity, rate, expected) in SIZES {
        assert_eq!(blocks(capacity, rate), expected, "{capacity} {rate}");
    }
}
