//! The bytes of three maps equal those committed in `test/golden/`, so the format does not change
//! by accident. `test/golden/README.md` describes their contents; TypeScript tests read the same
//! files.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::hashmap::raw::{Placed, RawMapMut};
use offheap_core::hashmap::rebuild::{self, NewMap};
use offheap_core::hashmap::{HashMap, HashMapRef};
use offheap_core::region::element::Type;
use offheap_core::table::blob::Blob;
use std::path::Path;

const SEEDS: [u32; 2] = [0x0123_4567, 0x89AB_CDEF];

fn compare(name: &str, bytes: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/golden/v2").join(name);
    if std::env::var_os("OFFHEAP_BLESS").is_some() {
        std::fs::write(&path, bytes).unwrap();
        return;
    }
    let golden = std::fs::read(&path).unwrap();
    let difference = golden.iter().zip(bytes).position(|(golden, byte)| golden != byte);
    assert_eq!(difference, None, "{name}: first different byte");
    assert_eq!(golden.len(), bytes.len(), "{name}: length");
}

#[test]
fn a_map_of_numbers_has_the_golden_bytes() {
    let mut map = HashMap::<u32, f64>::with_capacity_and_seeds(100, SEEDS).unwrap();
    let key = |i: u32| i.wrapping_mul(2_654_435_761);
    (0..100).for_each(|i| assert!(map.insert(key(i), f64::from(i) + 0.5).unwrap()));
    (2..100).step_by(3).for_each(|i| assert!(map.remove(key(i))));
    map.validate().unwrap();
    assert_eq!(map.len(), 67);
    compare("hashmap-numbers.bin", map.bytes());
}

#[test]
fn a_map_of_strings_has_the_golden_bytes() {
    let new = NewMap { key: Type::String, value: Type::String, capacity: 40, heap: 1280, seeds: SEEDS };
    let mut words = vec![0u64; new.length().unwrap() / 8];
    let (base, len) = (words.as_mut_ptr().cast::<u8>(), words.len() * 8);
    let mut entries: Vec<(Vec<u8>, String)> = vec![
        (vec![], "empty".into()),
        (b"a\0b".to_vec(), "nul".into()),
        (b"\xED\xA0\xBD".to_vec(), "lone".into()),
        ("grün".into(), "größe".into()),
        ("日本".into(), String::new()),
        ("😀".into(), "🎉".into()),
    ];
    entries.extend((6..40).map(|i| (format!("key {i}").into_bytes(), format!("v{i}"))));
    // SAFETY: the memory belongs to this test and has `len` bytes; the view is dropped before it is
    // read.
    unsafe {
        rebuild::init(base, len, &new).unwrap();
        let mut map = RawMapMut::attach(base, len).unwrap();
        for (key, value) in &entries {
            let key = Blob::of_type(key, Type::String).unwrap();
            assert!(matches!(map.set(key, Blob::text(value).unwrap()), Placed::Inserted(_)));
        }
        offheap_core::hashmap::validate::validate(base, len).unwrap();
        compare("hashmap-strings.bin", std::slice::from_raw_parts(base, len));
    }
}

#[test]
fn a_map_with_handles_has_the_golden_bytes() {
    let mut map = HashMap::<u32, u32>::with_capacity_and_seeds(20, SEEDS).unwrap();
    (0..20).for_each(|i| assert!(map.insert(i, i * i).unwrap()));
    let handle = map.handle_of(5).unwrap();
    assert_eq!(handle, 4_294_967_301);
    (0..20).step_by(4).for_each(|i| assert!(map.remove(i)));
    map.rebuild(20, 0).unwrap();
    assert!(map.remove(7));
    assert!(map.insert(100, 1).unwrap());
    assert_eq!(map.get_by_handle(handle), Some((5, 25)));
    assert_eq!(map.handle_of(100), Some(8_589_934_599));
    map.validate().unwrap();
    compare("hashmap-handles.bin", map.bytes());
}

fn region(path: &str) -> Vec<u64> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/golden").join(path);
    let bytes = std::fs::read(path).unwrap();
    bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect()
}

fn bytes_of(words: &[u64]) -> &[u8] {
    // SAFETY: all words are valid as bytes.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<u8>(), words.len() * 8) }
}

#[test]
fn golden_bytes_of_both_versions_can_be_read() {
    for name in ["hashmap-numbers.bin", "v2/hashmap-numbers.bin"] {
        let words = region(name);
        let bytes = bytes_of(&words);
        let map = HashMapRef::<u32, f64>::open(bytes).unwrap();
        map.validate().unwrap();
        for i in 0..100u32 {
            let expected = (i % 3 != 2).then_some(f64::from(i) + 0.5);
            assert_eq!(map.get(i.wrapping_mul(2_654_435_761)), expected, "{name} {i}");
        }
        assert!(HashMapRef::<u32, u64>::open(bytes).is_err(), "other types are refused");
    }
    for name in ["hashmap-strings.bin", "hashmap-handles.bin"] {
        let words = region(name);
        // SAFETY: the words are readable, and outlive the call.
        unsafe { offheap_core::hashmap::validate::validate(words.as_ptr().cast(), words.len() * 8) }.unwrap();
    }
}

/// The kind version of a region.
fn version(words: &[u64]) -> u64 {
    words[1] >> 32
}

#[test]
fn a_map_of_version_1_is_written_as_version_1_until_it_is_rebuilt() {
    // Made again with the hash of version 1, byte for byte.
    let golden = region("hashmap-numbers.bin");
    let new = NewMap { key: Type::U32, value: Type::F64, capacity: 100, heap: 0, seeds: SEEDS };
    let mut words = vec![0u64; new.length().unwrap() / 8];
    let (base, len) = (words.as_mut_ptr().cast::<u8>(), words.len() * 8);
    let key = |i: u32| i.wrapping_mul(2_654_435_761);
    // SAFETY: the memory belongs to this test and has `len` bytes; views are used one at a time.
    unsafe {
        rebuild::init(base, len, &new).unwrap();
        base.cast::<u32>().add(3).write(1);
        let mut map = RawMapMut::attach(base, len).unwrap();
        for i in 0..100 {
            map.set(key(i), (f64::from(i) + 0.5).to_bits());
        }
        (2..100).step_by(3).for_each(|i| assert!(map.remove(key(i)).is_some()));
    }
    assert_eq!(bytes_of(&words), bytes_of(&golden));
    // A rebuild, and so growth, makes it a map of version 2; so does removing all entries.
    for clear in [false, true] {
        let mut words = golden.clone();
        assert_eq!(version(&words), 1);
        let (base, len) = (words.as_mut_ptr().cast::<u8>(), words.len() * 8);
        // SAFETY: the same.
        unsafe {
            if clear {
                rebuild::clear(base, len).unwrap();
            } else {
                rebuild::rebuild(base, len, 90, 0).unwrap();
            }
            offheap_core::hashmap::validate::validate(base, len).unwrap();
        }
        assert_eq!(version(&words), 2);
        let map = HashMapRef::<u32, f64>::open(bytes_of(&words)).unwrap();
        assert_eq!(map.get(key(31)), (!clear).then_some(31.5));
    }
}
