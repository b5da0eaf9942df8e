//! Damaged regions: every bit of the header flipped, truncation at every length, corrupt indexes,
//! the states after a terminated writer, readers concurrent with a rearranging owner.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::ErrorKind;
use offheap_core::hashmap::layout::{Meta, word};
use offheap_core::hashmap::raw::{RawMap, RawMapMut};
use offheap_core::hashmap::{HashMap, bulk, rebuild, validate};
use offheap_core::region::attach::RegionKind;
use offheap_core::region::header;
use offheap_core::region::memory::Memory;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Aligned memory of an exact length.
struct Region(Vec<u64>);

impl Region {
    fn of(bytes: &[u8]) -> Region {
        let mut words = vec![0u64; bytes.len() / 8];
        for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().unwrap());
        }
        Region(words)
    }

    fn base(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }

    fn len(&self) -> usize {
        self.0.len() * 8
    }

    fn flip(&mut self, byte: usize, mask: u8) {
        self.0[byte / 8] ^= u64::from(mask) << (byte % 8 * 8);
    }

    fn word(&mut self, index: usize) -> u32 {
        (self.0[index / 2] >> (index % 2 * 32)) as u32
    }

    fn set_word(&mut self, index: usize, value: u32) {
        let shift = index % 2 * 32;
        self.0[index / 2] = self.0[index / 2] & !(0xFFFF_FFFF << shift) | u64::from(value) << shift;
    }

    fn check(&mut self) -> Result<(), ErrorKind> {
        // SAFETY: the memory belongs to the region and has `len` bytes.
        unsafe { validate::check(self.base(), self.len()) }.map_err(|error| error.kind())
    }

    fn validate(&mut self) -> Result<(), ErrorKind> {
        // SAFETY: the memory belongs to the region and has `len` bytes.
        unsafe { validate::validate(self.base(), self.len()) }.map_err(|error| error.kind())
    }

    fn map(&mut self) -> RawMap {
        // SAFETY: the memory belongs to the region and has `len` bytes.
        unsafe { RawMap::attach(self.base(), self.len()) }.unwrap()
    }

    fn map_mut(&mut self) -> RawMapMut {
        // SAFETY: the memory belongs to the region and has `len` bytes.
        unsafe { RawMapMut::attach(self.base(), self.len()) }.unwrap()
    }
}

fn numbers() -> HashMap<u32, u64> {
    let mut map = HashMap::with_capacity_and_seeds(100, [1, 2]).unwrap();
    for i in 0..100 {
        map.insert(i, u64::from(i) * 3).unwrap();
    }
    (0..100).step_by(4).for_each(|i| assert!(map.remove(i)));
    map
}

fn strings_with_slots() -> HashMap<str, str> {
    let mut map = HashMap::with_capacity_and_seeds(30, [1, 2]).unwrap();
    for i in 0..30 {
        map.insert(format!("key {i}").as_str(), "v".repeat(i).as_str()).unwrap();
    }
    map.handle_of("key 20").unwrap();
    (0..30).step_by(3).for_each(|i| assert!(map.remove(format!("key {i}").as_str())));
    map.reserve(40).unwrap();
    map.remove("key 4");
    map.insert("new", "value").unwrap();
    map
}

#[test]
fn every_flipped_header_bit_is_harmless_and_most_are_detected() {
    for (mut region, name) in
        [(Region::of(numbers().bytes()), "numbers"), (Region::of(strings_with_slots().bytes()), "strings")]
    {
        region.validate().unwrap();
        let mut unnoticed = vec![];
        for byte in (0..256).step_by(if cfg!(miri) { 11 } else { 1 }) {
            for bit in 0..8 {
                // The sequence may have any even value, and the seeds any value (then the index is
                // wrong).
                if byte == 24 && bit == 0 {
                    continue;
                }
                region.flip(byte, 1 << bit);
                if region.validate().is_ok() {
                    unnoticed.push(byte / 4);
                }
                region.flip(byte, 1 << bit);
            }
        }
        unnoticed.dedup();
        // Valid values: types of one width cannot be distinguished, nor capacities of one layout;
        // `used` and `dead` may be lower by one; and state bit 0, epoch and moves are stored only
        // once.
        let free = [
            header::word::SEQUENCE,
            word::SCHEMA,
            word::CAPACITY,
            word::SLOT_CAPACITY,
            word::USED,
            word::DEAD,
            word::STATE,
            word::EPOCH,
            word::MOVES,
        ];
        // A terminated writer may lose a slot, count garbage late, and append blobs without
        // references.
        let loose = [word::SLOTS_USED, word::FREE_SLOT, word::HEAP_USED, word::HEAP_GARBAGE];
        assert!(
            unnoticed.iter().all(|word| free.contains(word) || loose.contains(word)),
            "{name}: undetected flips in words {unnoticed:?}"
        );
        region.validate().unwrap();
    }
}

#[test]
fn every_truncation_is_corrupt() {
    let mut region = Region::of(numbers().bytes());
    let whole = region.len();
    for len in (0..whole).step_by(if cfg!(miri) { 37 } else { 1 }) {
        // SAFETY: these are fewer bytes than the region has.
        let error = unsafe { validate::check(region.base(), len) }.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{len} bytes");
    }
    region.check().unwrap();
    region.0.extend([u64::MAX; 16]);
    region.validate().unwrap();
    assert_eq!(region.len(), whole + 128, "memory may be longer than its region");
}

#[test]
fn a_damaged_index_gives_wrong_answers_at_worst() {
    let mut region = Region::of(numbers().bytes());
    let layout = region.map().layout();
    let step = if cfg!(miri) { 397 } else { 1 };
    for byte in (layout.index..layout.keys).step_by(step) {
        for mask in [1, 0x80, 0xFF] {
            region.flip(byte, mask);
            let map = region.map();
            let answers: Vec<_> = (0..200u32).map(|key| map.find(key)).collect();
            assert!(answers.iter().flatten().all(|&position| position < map.used()));
            let _ = region.validate();
            region.flip(byte, mask);
        }
    }
    region.validate().unwrap();
    // All tags set, all overflow counts at their maximum, arbitrary positions: searches are
    // bounded.
    for (at, value) in [(0, u32::MAX), (1, 0x0101_0101), (2, 0), (3, u32::MAX), (4, 7), (9, u32::MAX)] {
        for bucket in 0..10 {
            region.set_word(layout.index / 4 + bucket * 16 + at, value);
        }
    }
    let mut map = region.map_mut();
    for key in 0..300u32 {
        let _ = map.find(key);
        map.set(key, u64::from(key));
        map.remove(key);
    }
    // SAFETY: the memory belongs to the region and has `len` bytes.
    unsafe { rebuild::rebuild(region.base(), region.len(), 100, 0) }.unwrap();
    assert_eq!(region.validate(), Ok(()), "a rebuild creates a new index from the entries");
}

#[test]
fn a_terminated_writer_leaves_a_valid_region_which_is_repaired() {
    let mut map = HashMap::<u32, u64>::with_capacity_and_seeds(20, [3, 4]).unwrap();
    for i in 0..10 {
        map.insert(i, 0).unwrap();
    }
    let before = Region::of(map.bytes());
    map.insert(77, 5).unwrap();
    let mut region = Region::of(map.bytes());
    drop(before);

    // Terminated before `used` was incremented: the key is absent, and another one takes its
    // position.
    region.set_word(word::USED, 10);
    assert_eq!(region.validate(), Ok(()));
    assert_eq!(region.map().find(77u32), None);
    let mut writer = region.map_mut();
    writer.set(88u32, 6u64);
    writer.set(77u32, 7u64);
    assert_eq!((writer.find(88u32), writer.find(77u32)), (Some(10), Some(11)));
    assert!(writer.remove(77u32).is_some() && writer.find(77u32).is_none());
    assert_eq!(region.validate(), Ok(()));

    // Terminated after a deletion cleared the tag: removed from the index only.
    let mut region = Region::of(map.bytes());
    let mut writer = region.map_mut();
    let position = writer.remove(5u32).unwrap();
    let (dead_bits, dead) = (region.map().layout().dead / 4, region.word(word::DEAD));
    let bits = region.word(dead_bits);
    region.set_word(word::DEAD, dead - 1);
    assert_eq!(region.validate(), Ok(()), "the bit is set, but not counted yet");
    region.set_word(dead_bits, bits & !(1 << position));
    assert_eq!(region.validate(), Ok(()), "neither dead nor indexed");
    // SAFETY: the memory belongs to the region and has `len` bytes.
    unsafe { rebuild::rebuild(region.base(), region.len(), 20, 0) }.unwrap();
    assert_eq!((region.validate(), region.map().find(5u32)), (Ok(()), Some(5)));
}

#[test]
fn other_versions_superseded_and_locked_regions_have_different_errors() {
    let cases = [
        (header::word::VERSION, 2, ErrorKind::Version),
        (header::word::KIND, 2, ErrorKind::Version),
        (header::word::KIND_VERSION, 3, ErrorKind::Version),
        (header::word::KIND_VERSION, 0, ErrorKind::Version),
        (header::word::MAGIC, 0, ErrorKind::Corrupt),
        (header::word::FLAGS, header::FLAG_SUPERSEDED, ErrorKind::Stale),
        (header::word::SEQUENCE, 1, ErrorKind::Locked),
    ];
    for (index, value, kind) in cases {
        let mut region = Region::of(numbers().bytes());
        region.set_word(index, value);
        assert_eq!(region.check(), Err(kind), "word {index} = {value}");
    }
}

#[test]
fn a_checksum_is_verified_and_removed_by_the_first_write() {
    let mut region = Region::of(numbers().bytes());
    region.set_word(header::word::FLAGS, header::FLAG_CHECKSUM);
    assert_eq!(region.validate(), Err(ErrorKind::Corrupt));
    // SAFETY: the memory belongs to the region and has `len` bytes.
    let sum = unsafe { offheap_core::region::crc::region_checksum(region.base(), region.len()) };
    region.set_word(header::word::CHECKSUM, sum);
    assert_eq!(region.validate(), Ok(()));
    region.map_mut();
    assert_eq!((region.word(header::word::FLAGS), region.word(header::word::CHECKSUM)), (0, 0));
    assert_eq!(region.validate(), Ok(()));
}

#[test]
fn a_refused_rebuild_changes_nothing() {
    let mut region = Region::of(strings_with_slots().bytes());
    let before = region.0.clone();
    let rebuild = |region: &mut Region, capacity, heap| {
        // SAFETY: the memory belongs to the region and has `len` bytes.
        unsafe { rebuild::rebuild(region.base(), region.len(), capacity, heap) }.unwrap_err().kind()
    };
    assert_eq!(rebuild(&mut region, 0, 0), ErrorKind::Range);
    assert_eq!(rebuild(&mut region, 5, 0), ErrorKind::Range);
    assert_eq!(rebuild(&mut region, u32::MAX, 0), ErrorKind::Range);
    assert_eq!(rebuild(&mut region, 40, u64::MAX), ErrorKind::Range);
    assert_eq!(rebuild(&mut region, 4000, 0), ErrorKind::Full);
    // An invalid reference.
    let keys = region.map().layout().keys;
    let reference = region.word(keys / 4 + 1);
    region.set_word(keys / 4 + 1, u32::MAX);
    assert_eq!(rebuild(&mut region, 40, 0), ErrorKind::Corrupt);
    region.set_word(keys / 4 + 1, reference);
    assert!(region.0 == before);
}

#[test]
fn readers_follow_an_owner_that_rearranges() {
    // The owner grows, compacts and clears, while readers make bulk calls. Every answer must have
    // been true at some time: key k has value k × 7 + (some number of millions), or is missing.
    const LEN: usize = 1 << 20;
    let keys: Vec<u32> = (0..if cfg!(miri) { 50 } else { 3000 }).collect();
    let mut words = vec![0u64; LEN / 8];
    let base = words.as_mut_ptr().cast::<u8>();
    let new = rebuild::NewMap {
        key: offheap_core::region::element::Type::U32,
        value: offheap_core::region::element::Type::U64,
        capacity: 12,
        heap: 0,
        seeds: [5, 6],
    };
    // SAFETY: the memory lives to the end of the test.
    unsafe { rebuild::init(base, LEN, &new) }.unwrap();
    let address = base.expose_provenance();
    let done = AtomicBool::new(false);
    let rounds = AtomicU32::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let base = std::ptr::with_exposed_provenance::<u8>(address);
                let mut values = vec![u64::MAX; keys.len()];
                let mut found = vec![0u8; keys.len()];
                while !done.load(Ordering::Relaxed) {
                    values.fill(u64::MAX);
                    // SAFETY: the memory is alive; the arrays have that many elements.
                    let hits = unsafe {
                        bulk::get_many(
                            base,
                            LEN,
                            |_| Ok(()),
                            keys.as_ptr().cast(),
                            keys.len(),
                            values.as_mut_ptr().cast(),
                            found.as_mut_ptr(),
                        )
                    }
                    .unwrap();
                    assert_eq!(hits, found.iter().filter(|&&found| found == 1).count());
                    for ((&key, &value), &found) in keys.iter().zip(&values).zip(&found) {
                        if found == 1 {
                            assert_eq!(value % 1_000_000, u64::from(key) * 7 % 1_000_000, "key {key}");
                        } else {
                            assert_eq!(value, u64::MAX, "key {key} is missing");
                        }
                    }
                    rounds.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let enough = if cfg!(miri) { 2 } else { 40 };
        let mut round = 0u64;
        while round < enough || rounds.load(Ordering::Relaxed) < 4 {
            round += 1;
            let value = |key: u32| u64::from(key) * 7 + round * 1_000_000;
            for &key in &keys {
                loop {
                    // SAFETY: the memory is alive, and this thread is the only writer.
                    let full = unsafe {
                        let mut map = RawMapMut::attach(base, LEN).unwrap();
                        let full = map.set(key, value(key)) == offheap_core::hashmap::raw::Placed::Full;
                        if full {
                            let capacity = map.next_capacity().unwrap();
                            rebuild::rebuild(base, LEN, capacity, 0).unwrap();
                        }
                        full
                    };
                    if !full {
                        break;
                    }
                }
                if key % 3 == 0 {
                    // SAFETY: the memory is alive, and this thread is the only writer.
                    unsafe { RawMapMut::attach(base, LEN) }.unwrap().remove(key);
                }
            }
            if round.is_multiple_of(8) {
                // SAFETY: the memory is alive, and this thread is the only writer.
                unsafe {
                    rebuild::clear(base, LEN).unwrap();
                    rebuild::rebuild(base, LEN, 12, 0).unwrap();
                }
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    // SAFETY: the memory is alive, and this thread is the only writer.
    unsafe { validate::validate(base, LEN) }.unwrap();
}

#[test]
fn the_constant_time_check_bounds_the_layout() {
    // Every region that passes it has a layout within its memory.
    let mut region = Region::of(numbers().bytes());
    // SAFETY: the memory belongs to the region and has `len` bytes.
    let memory = unsafe { Memory::new(region.base(), region.len()) }.unwrap();
    let (header, meta) = Meta::read(memory).unwrap();
    assert_eq!(header.length(), meta.layout.length as u64);
    assert_eq!(meta.layout.length, region.len());
}
