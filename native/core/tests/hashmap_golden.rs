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
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/golden").join(name);
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

#[test]
fn golden_bytes_can_be_read() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/golden/hashmap-numbers.bin");
    let bytes = std::fs::read(path).unwrap();
    let words: Vec<u64> =
        bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect();
    // SAFETY: all words are valid as bytes.
    let bytes = unsafe { std::slice::from_raw_parts(words.as_ptr().cast::<u8>(), bytes.len()) };
    let map = HashMapRef::<u32, f64>::open(bytes).unwrap();
    map.validate().unwrap();
    let i = 31u32;
    assert_eq!(map.get(i.wrapping_mul(2_654_435_761)), Some(31.5));
    assert!(HashMapRef::<u32, u64>::open(bytes).is_err(), "other types are refused");
}
