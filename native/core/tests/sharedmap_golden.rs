//! The bytes of maps and of a snapshot equal those committed in `test/golden/`, so the format does
//! not change by accident. `test/golden/README.md` describes their contents;
//! `test/sharedmap/golden.test.ts` reads the same files.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::region::element::Type;
use offheap_core::sharedmap::{Expiry, Key, Map, Mode, Options, ProcessMemory, Schema, Value, Write};
use offheap_core::table::blob::Blob;
use std::path::{Path, PathBuf};

const SEEDS: [u32; 2] = [0x0123_4567, 0x89AB_CDEF];
const LRU: u32 = 2;
const NONE: u32 = 6;
/// The first participant, divided by 8.
const PARTICIPANT: usize = 128;
/// The first day of 2100.
const EXPIRES: f64 = 4_102_444_800_000.0;
/// Before any entry expires.
const NOW: f64 = 1000.0;

fn path_of(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/golden").join(name)
}

fn compare(name: &str, bytes: &[u8]) {
    let path = path_of(name);
    if std::env::var_os("OFFHEAP_BLESS").is_some() {
        std::fs::write(&path, bytes).unwrap();
        return;
    }
    let golden = std::fs::read(&path).unwrap();
    let difference = golden.iter().zip(bytes).position(|(golden, byte)| golden != byte);
    assert_eq!(difference, None, "{name}: first different byte");
    assert_eq!(golden.len(), bytes.len(), "{name}: length");
}

fn options(key: Type, value: Type, policy: u32) -> Options {
    let schema = Schema { key, value, policy, flags: 0 };
    Options { schema, max_bytes: 1 << 16, shards: None, ttl: 0.0, seeds: Some(SEEDS) }
}

/// A map in memory of its own.
struct Region {
    memory: Vec<u64>,
}

impl Region {
    fn new(options: &Options) -> Region {
        let mut region = Region { memory: vec![0; (Map::region_size(options).unwrap() / 8) as usize] };
        let length = region.memory.len() * 8;
        // SAFETY: the memory is zeroed, and belongs to this test.
        unsafe { Map::init(region.memory.as_mut_ptr().cast(), length, options).unwrap() };
        region
    }

    fn of_file(name: &str) -> Region {
        let bytes = std::fs::read(path_of(name)).unwrap();
        let words = bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap()));
        Region { memory: words.collect() }
    }

    fn attach(&mut self) -> Map {
        let length = self.memory.len() * 8;
        // SAFETY: the memory outlives the map in each test.
        unsafe {
            Map::attach(self.memory.as_mut_ptr().cast(), length, Box::new(ProcessMemory::default())).unwrap()
        }
    }

    /// The bytes, with 0 in place of the process that attached the map.
    fn bytes(&mut self) -> &[u8] {
        self.memory[PARTICIPANT..PARTICIPANT + 4].fill(0);
        // SAFETY: all words are valid as bytes, and no map is attached.
        unsafe { std::slice::from_raw_parts(self.memory.as_ptr().cast::<u8>(), self.memory.len() * 8) }
    }
}

fn set<'a>(key: Key<'a>, value: Value<'a>, expiry: Expiry) -> Write<'a> {
    Write { key, value, value_type: 0, mode: Mode::Set, expiry, now: NOW }
}

fn text(text: &str) -> Blob<'_> {
    Blob::text(text).unwrap()
}

fn number_key(i: u32) -> u32 {
    i.wrapping_mul(2_654_435_761)
}

fn strings() -> Vec<(String, String)> {
    let mut entries: Vec<(String, String)> =
        [("", "empty"), ("a\0b", "nul"), ("grün", "größe"), ("日本", ""), ("😀", "🎉")]
            .map(|(key, value)| (key.into(), value.into()))
            .into();
    entries.extend((5..60).map(|i| (format!("key {i}"), format!("v{i}").repeat(i % 7))));
    entries.push(("long".into(), "abcdefg".repeat(2000)));
    entries
}

#[test]
fn a_map_of_numbers_has_the_golden_bytes() {
    let mut region = Region::new(&options(Type::U32, Type::F64, LRU));
    let map = region.attach();
    for i in 0..300 {
        let value = Value::Wide((f64::from(i) + 0.5).to_bits());
        map.write(&set(Key::Narrow(number_key(i)), value, Expiry::Default)).unwrap();
    }
    for i in (2..300).step_by(3) {
        assert!(map.remove_key(&Key::Narrow(number_key(i)), NOW).unwrap());
    }
    map.validate().unwrap();
    drop(map);
    compare("sharedmap-numbers.bin", region.bytes());
}

#[test]
fn a_map_of_strings_and_its_snapshot_have_the_golden_bytes() {
    let mut region = Region::new(&options(Type::String, Type::String, NONE));
    let map = region.attach();
    for (i, (key, value)) in strings().iter().enumerate() {
        let blob = text(value);
        let expiry = if i % 2 == 0 { Expiry::Never } else { Expiry::At(EXPIRES + i as f64) };
        let value = Value::Blob { head: blob.head(), bytes: value.as_bytes() };
        map.write(&set(Key::Blob(text(key)), value, expiry)).unwrap();
    }
    map.validate().unwrap();
    let file = tempfile::tempfile().unwrap();
    map.save(file.try_clone().unwrap(), &mut |_, _| true).unwrap();
    drop(map);
    compare("sharedmap-strings.bin", region.bytes());
    use std::io::{Read as _, Seek as _};
    let mut file = file;
    file.rewind().unwrap();
    let mut saved = Vec::new();
    file.read_to_end(&mut saved).unwrap();
    compare("sharedmap-saved.bin", &saved);
}

#[test]
fn golden_bytes_are_read() {
    let mut region = Region::of_file("sharedmap-numbers.bin");
    let map = region.attach();
    map.validate().unwrap();
    assert_eq!(map.len(), 200);
    let mut out = Vec::new();
    for i in 0..300 {
        out.clear();
        let found = map.get(&Key::Narrow(number_key(i)), NOW, false, &mut out).unwrap();
        assert_eq!(found.is_some(), i % 3 != 2, "{i}");
        if found.is_some() {
            assert_eq!(out, (f64::from(i) + 0.5).to_le_bytes());
        }
    }
    drop(map);
    let mut region = Region::new(&options(Type::String, Type::String, NONE));
    let map = region.attach();
    let file = std::fs::File::open(path_of("sharedmap-saved.bin")).unwrap();
    assert_eq!(map.restore(file, NOW).unwrap(), strings().len() as u64);
    for (i, (key, value)) in strings().iter().enumerate() {
        out.clear();
        let info = map.get(&Key::Blob(text(key)), NOW, false, &mut out).unwrap().unwrap();
        assert_eq!(out, value.as_bytes(), "{key}");
        assert_eq!(info.expires_at, if i % 2 == 0 { 0.0 } else { EXPIRES + i as f64 });
    }
}
