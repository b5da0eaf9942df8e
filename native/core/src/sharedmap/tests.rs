//! Operations next to a model, under eviction, and with writers that stop after each store.

use super::layout::{FLAG_FILE, FLAG_REJECT};
use super::words::simulator;
use super::*;
use crate::region::element::Type;
use crate::table::blob::Blob;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

/// Zeroed memory for a map.
pub(super) struct Block(Vec<u64>);

impl Block {
    pub(super) fn new(options: &Options) -> Block {
        let mut block = Block(vec![0; (Map::region_size(options).unwrap() / 8) as usize]);
        // SAFETY: the memory is zeroed and not used by others.
        unsafe { Map::init(block.base(), block.length(), options).unwrap() };
        block
    }

    fn base(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }

    fn length(&self) -> usize {
        self.0.len() * 8
    }

    pub(super) fn attach(&mut self, backing: Box<dyn Backing>) -> Map {
        // SAFETY: each test keeps the block until its maps are dropped.
        unsafe { Map::attach(self.base(), self.length(), backing).unwrap() }
    }
}

/// A process that can be declared dead.
#[derive(Clone, Default)]
pub(super) struct Process {
    pub(super) dead: Arc<AtomicBool>,
    claimed: Arc<Mutex<Vec<usize>>>,
    /// Slots that any process claimed and has not released.
    all: Arc<Mutex<HashMap<usize, Arc<AtomicBool>>>>,
}

impl Process {
    pub(super) fn sibling(&self) -> Process {
        Process { all: self.all.clone(), ..Process::default() }
    }
}

impl Backing for Process {
    fn claim(&self, slot: usize) -> Result<bool> {
        let mut all = self.all.lock().unwrap();
        if all.get(&slot).is_some_and(|dead| !dead.load(Ordering::Relaxed)) {
            return Ok(false);
        }
        all.insert(slot, self.dead.clone());
        self.claimed.lock().unwrap().push(slot);
        Ok(true)
    }
    fn release(&self, slot: usize) {
        self.all.lock().unwrap().remove(&slot);
    }
    fn is_alive(&self, slot: usize) -> bool {
        self.all.lock().unwrap().get(&slot).is_some_and(|dead| !dead.load(Ordering::Relaxed))
    }
    fn check(&self) -> Result<()> {
        Ok(())
    }
    fn allocate(&self, _: u64, _: u64) -> Result<()> {
        Ok(())
    }
    fn discard(&self, _: u64, _: u64) {}
}

pub(super) fn options(key: Type, value: Type, max_bytes: u64, flags: u32) -> Options {
    let schema = Schema { key, value, policy: 0, flags };
    Options { schema, max_bytes, shards: None, ttl: 0.0, seeds: Some([1, 2]) }
}

fn text(key: &str) -> Key<'_> {
    Key::Blob(Blob::text(key).unwrap())
}

pub(super) fn bytes(value: &[u8]) -> Value<'_> {
    Value::Blob { head: entry::bytes_head(value.len()), bytes: value }
}

pub(super) fn set<'a>(key: Key<'a>, value: Value<'a>) -> Write<'a> {
    Write { key, value, value_type: 0, mode: Mode::Set, expiry: Expiry::Default, now: 1000.0 }
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % bound
    }
}

pub(super) fn get(map: &Map, key: Key<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    map.get(&key, 1000.0, true, &mut out).unwrap().map(|_| out)
}

#[test]
fn numbers_agree_with_a_model_while_the_map_grows_and_shrinks() {
    for flags in [0, FLAG_FILE] {
        let options = options(Type::U32, Type::F64, 8 << 20, flags);
        let mut block = Block::new(&options);
        let map = block.attach(Box::<Process>::default());
        let mut model = HashMap::new();
        let mut random = Random(7);
        for round in 0..60_000u64 {
            let growing = (round / 15_000) % 2 == 0;
            let key = random.below(8000) as u32;
            if random.below(10) < if growing { 8 } else { 2 } {
                let value = round as f64;
                let written = map.write(&set(Key::Narrow(key), Value::Wide(value.to_bits()))).unwrap();
                assert_eq!(written.existed, model.insert(key, value).is_some());
            } else {
                assert_eq!(map.remove_key(&Key::Narrow(key), 0.0).unwrap(), model.remove(&key).is_some());
            }
            if round % 5000 == 0 {
                map.validate().unwrap();
            }
        }
        map.validate().unwrap();
        assert_eq!(map.len(), model.len());
        for key in 0..8000 {
            let expected = model.get(&key).map(|value| value.to_le_bytes().to_vec());
            assert_eq!(get(&map, Key::Narrow(key)), expected, "{key}");
        }
        let mut seen = HashMap::new();
        let mut cursor = Some(Cursor::default());
        while let Some(at) = cursor {
            let mut out = Vec::new();
            cursor = map.scan(at, true, 0.0, &mut out).unwrap().next;
            for entry in out.chunks_exact(40) {
                let key = u32::from_le_bytes(entry[24..28].try_into().unwrap());
                let value = f64::from_le_bytes(entry[32..40].try_into().unwrap());
                assert_eq!(seen.insert(key, value), None);
            }
        }
        assert_eq!(seen, model);
        map.clear().unwrap();
        map.validate().unwrap();
        assert_eq!(map.len(), 0);
    }
}

#[test]
fn strings_and_long_values_agree_with_a_model() {
    for flags in [0, FLAG_FILE] {
        let options = options(Type::String, Type::Bytes, 16 << 20, flags);
        let mut block = Block::new(&options);
        let map = block.attach(Box::<Process>::default());
        let mut model: HashMap<String, Vec<u8>> = HashMap::new();
        let mut random = Random(9);
        for round in 0..6000u64 {
            let number = random.below(700);
            let key = format!("{}{number}", "key:".repeat(1 + (number % 40) as usize));
            let length = match random.below(10) {
                0 => random.below(40_000),
                1 => random.below(3000),
                _ => random.below(120),
            };
            let value: Vec<u8> = (0..length).map(|i| (i * 7 + round) as u8).collect();
            if random.below(4) > 0 {
                map.write(&set(text(&key), bytes(&value))).unwrap();
                model.insert(key.clone(), value);
            } else {
                assert_eq!(map.remove_key(&text(&key), 0.0).unwrap(), model.remove(&key).is_some());
            }
            assert_eq!(get(&map, text(&key)).as_deref(), model.get(&key).map(Vec::as_slice));
            if round % 500 == 0 {
                map.validate().unwrap();
            }
        }
        map.validate().unwrap();
        for (key, value) in &model {
            assert_eq!(get(&map, text(key)).as_ref(), Some(value), "{key}");
        }
        let handles: Vec<_> =
            model.keys().map(|key| (key.clone(), map.handle_of(&text(key), 0.0).unwrap().unwrap())).collect();
        for (key, handle) in handles {
            let mut out = Vec::new();
            map.get_by_handle(handle, 0.0, &mut out).unwrap().unwrap();
            assert_eq!(out, model[&key]);
        }
    }
}

#[test]
fn the_bound_holds_while_the_mix_of_sizes_changes() {
    let options = options(Type::U32, Type::Bytes, 2 << 20, 0);
    let mut block = Block::new(&options);
    let map = block.attach(Box::<Process>::default());
    let mut random = Random(3);
    for phase in 0..12u32 {
        let large = phase % 2 == 1;
        let mut stored = 0usize;
        for i in 0..if large { 16_000 } else { 60_000 } {
            let length = if large { 1000 + random.below(2000) } else { 8 + random.below(16) } as usize;
            let value = vec![phase as u8; length];
            map.write(&set(Key::Narrow(i + phase * 1_000_000), bytes(&value))).unwrap();
            stored += length;
            assert!(map.used_bytes() <= options.max_bytes);
        }
        map.validate().unwrap();
        let stats = map.stats();
        assert!(stored > options.max_bytes as usize || !large);
        let share = stats.content_bytes as f64 / options.max_bytes as f64;
        assert!(share > if large { 0.72 } else { 0.4 }, "phase {phase}: {share} {stats:?}");
    }
    assert!(map.stats().evictions > 0);
    // A value of nearly everything displaces the others; a larger one is refused and changes
    // nothing.
    let entries = map.len();
    let error = map.write(&set(Key::Narrow(1), bytes(&vec![1; 2 << 20]))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert_eq!(map.len(), entries);
    let value = vec![5; 1 << 20];
    map.write(&set(Key::Narrow(1), bytes(&value))).unwrap();
    assert_eq!(get(&map, Key::Narrow(1)), Some(value));
    map.validate().unwrap();
}

#[test]
fn a_full_map_that_rejects_keeps_everything() {
    let options = options(Type::U32, Type::Bytes, 1 << 20, FLAG_REJECT);
    let mut block = Block::new(&options);
    let map = block.attach(Box::<Process>::default());
    let mut stored = Vec::new();
    let mut random = Random(5);
    for key in 0.. {
        let value = vec![key as u8; random.below(400) as usize];
        match map.write(&set(Key::Narrow(key), bytes(&value))) {
            Ok(_) => stored.push((key, value)),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::Full);
                break;
            }
        }
    }
    let share = map.stats().content_bytes as f64 / options.max_bytes as f64;
    assert!(share > 0.7, "{share} {:?}", map.stats());
    for (key, value) in &stored {
        assert_eq!(get(&map, Key::Narrow(*key)).as_ref(), Some(value));
    }
    map.validate().unwrap();
    // Freed room can be used again.
    for (key, _) in stored.iter().step_by(2) {
        assert!(map.remove_key(&Key::Narrow(*key), 0.0).unwrap());
    }
    let mut again = 0;
    while map.write(&set(Key::Narrow(1_000_000 + again), bytes(&[7; 900]))).is_ok() {
        again += 1;
    }
    assert!(again as f64 * 900.0 > share * 0.35 * options.max_bytes as f64, "{again} {:?}", map.stats());
    map.validate().unwrap();
}

#[test]
fn threads_write_and_read_without_torn_values() {
    let options = options(Type::U32, Type::Bytes, 1 << 20, 0);
    let mut block = Block::new(&options);
    let process = Process::default();
    let maps: Vec<_> = (0..4).map(|_| block.attach(Box::new(process.clone()))).collect();
    std::thread::scope(|scope| {
        for (index, map) in maps.iter().enumerate() {
            let map = AssertSend(map);
            scope.spawn(move || {
                let map = map.get();
                let mut random = Random(index as u64);
                for round in 0..20_000u64 {
                    let key = random.below(3000) as u32;
                    if random.below(3) == 0 {
                        let length = random.below(600) as usize;
                        let value = vec![(key as u8) ^ (length as u8); length];
                        map.write(&set(Key::Narrow(key), bytes(&value))).unwrap();
                    } else if let Some(value) = get(map, Key::Narrow(key)) {
                        let expected = (key as u8) ^ (value.len() as u8);
                        assert!(value.iter().all(|&byte| byte == expected), "torn: {key} {round}");
                    }
                }
            });
        }
    });
    maps[0].validate().unwrap();
}

/// A map that another thread uses: each thread has a map of its own.
struct AssertSend<'a>(&'a Map);
// SAFETY: in these tests each map is used by one thread at a time.
unsafe impl Send for AssertSend<'_> {}

impl<'a> AssertSend<'a> {
    fn get(&self) -> &'a Map {
        self.0
    }
}

/// Runs `change` again and again, each time stopped after one more store, until it completes. After
/// each stop another process checks and repairs the map.
fn stop_everywhere(
    options: &Options,
    prepare: impl Fn(&Map),
    change: impl Fn(&Map),
    check: impl Fn(&Map, bool),
) -> u64 {
    for step in 1.. {
        let mut block = Block::new(options);
        let process = Process::default();
        let map = block.attach(Box::new(process.clone()));
        prepare(&map);
        simulator::REMAINING.set(step);
        let outcome = catch_unwind(AssertUnwindSafe(|| change(&map)));
        simulator::REMAINING.set(0);
        let is_complete = match outcome {
            Ok(()) => true,
            Err(payload) => {
                assert!(payload.is::<simulator::Stopped>(), "a failure at step {step}");
                false
            }
        };
        process.dead.store(true, Ordering::Relaxed);
        let _dead = std::mem::ManuallyDrop::new(map);
        let other = block.attach(Box::new(process.sibling()));
        // Readers see a valid map before any repair.
        check(&other, is_complete);
        other.validate().unwrap_or_else(|error| panic!("step {step}: {error}"));
        check(&other, is_complete);
        let written = other.write(&set(Key::Narrow(77), bytes(&[9; 50]))).unwrap();
        assert!(written.stored);
        other.validate().unwrap();
        if is_complete {
            return step;
        }
    }
    unreachable!()
}

/// Runs a test whose writers are stopped by panics, which are not printed.
pub(super) fn silence(test: impl FnOnce()) {
    let silence = std::panic::take_hook();
    std::panic::set_hook(Box::new(|info| {
        if !info.payload().is::<simulator::Stopped>() {
            eprintln!("{info}");
        }
    }));
    let result = catch_unwind(AssertUnwindSafe(test));
    std::panic::set_hook(silence);
    if let Err(payload) = result {
        std::panic::resume_unwind(payload);
    }
}

#[test]
fn a_writer_may_stop_after_any_store() {
    let silence = std::panic::take_hook();
    std::panic::set_hook(Box::new(|info| {
        if !info.payload().is::<simulator::Stopped>() {
            eprintln!("{info}");
        }
    }));
    let result = catch_unwind(|| {
        let mut small = options(Type::U32, Type::Bytes, 1 << 16, 0);
        small.shards = Some(1);
        let value = |key: u32, length: usize| vec![key as u8; length];
        let fill = |map: &Map, count: u32, length: usize| {
            for key in 0..count {
                map.write(&set(Key::Narrow(key), bytes(&value(key, length)))).unwrap();
            }
        };
        let present = |map: &Map, key: u32, length: usize| {
            assert_eq!(get(map, Key::Narrow(key)), Some(value(key, length)), "{key}");
        };
        // Insertion into a bucket, with and without a split; replacement; deletion, with and
        // without a merge; a chained value; eviction; evacuation.
        for count in [0, 1, 15, 16, 17, 33, 40] {
            let steps = stop_everywhere(
                &small,
                |map| fill(map, count, 20),
                |map| {
                    map.write(&set(Key::Narrow(count), bytes(&value(count, 20)))).unwrap();
                },
                |map, complete| {
                    (0..count).for_each(|key| present(map, key, 20));
                    if complete {
                        present(map, count, 20);
                    }
                },
            );
            assert!(steps > 5);
        }
        stop_everywhere(
            &small,
            |map| fill(map, 30, 20),
            |map| {
                map.write(&set(Key::Narrow(3), bytes(&value(3, 900)))).unwrap();
            },
            |map, complete| {
                (0..30).filter(|&key| key != 3).for_each(|key| present(map, key, 20));
                let found = get(map, Key::Narrow(3)).unwrap();
                assert!(found == value(3, 900) || !complete && found == value(3, 20));
            },
        );
        for count in [1, 16, 17, 34] {
            stop_everywhere(
                &small,
                |map| fill(map, count, 3000),
                |map| {
                    map.remove_key(&Key::Narrow(0), 0.0).unwrap();
                },
                |map, complete| {
                    if complete {
                        assert_eq!(get(map, Key::Narrow(0)), None);
                    }
                    let found = (1..count).filter_map(|key| {
                        get(map, Key::Narrow(key)).inspect(|found| assert_eq!(*found, value(key, 3000)))
                    });
                    assert!(found.count() + 1 >= count.min(10) as usize);
                },
            );
        }
    });
    std::panic::set_hook(silence);
    if let Err(payload) = result {
        std::panic::resume_unwind(payload);
    }
}

#[test]
fn pages_of_buckets_are_used_for_nothing_else_while_a_reader_is_marking() {
    let options = Options { shards: Some(1), ..options(Type::U32, Type::Bytes, 1 << 20, 0) };
    for end in ["finished", "left", "terminated"] {
        let mut block = Block::new(&options);
        let process = Process::default();
        let reading = process.sibling();
        let map = block.attach(Box::new(process.clone()));
        let reader = block.attach(Box::new(reading.clone()));
        let state = |page| map.words.load(map.page_entry(page)) & 0xFF;
        let fill = |count, length| {
            for key in 0..count {
                map.write(&set(Key::Narrow(key), bytes(&vec![1; length]))).unwrap();
            }
        };
        fill(15_000, 1);
        let buckets: Vec<usize> =
            (0..map.geometry.pages).filter(|&page| state(page) == Use::Index as u32).collect();
        assert!(buckets.len() > 20);

        let marking = participants::at(&reader.geometry, reader.slot) + layout::participant::MARKING;
        reader.words.store(marking, 1);
        for key in 0..15_000 {
            assert!(map.remove_key(&Key::Narrow(key), 0.0).unwrap());
        }
        fill(1500, 600);
        let retired = buckets.iter().filter(|&&page| state(page) == Use::Retired as u32).count();
        assert!(retired + 10 > buckets.len(), "{retired} of {}", buckets.len());
        map.validate().unwrap();

        match end {
            "finished" => reader.words.store(marking, 0),
            "terminated" => reading.dead.store(true, Ordering::Relaxed),
            _ => {}
        }
        let reader = (end != "left").then_some(reader);
        fill(3000, 600);
        assert!(buckets.iter().all(|&page| state(page) != Use::Retired as u32), "{end}");
        map.validate().unwrap();
        drop(reader);
    }
}

#[test]
fn a_hit_is_not_marked_after_the_bucket_changed() {
    let options = options(Type::U32, Type::F64, 1 << 16, 0);
    let mut block = Block::new(&options);
    let map = block.attach(Box::<Process>::default());
    map.write(&set(Key::Narrow(1), Value::Wide(5))).unwrap();
    let hash = Key::Narrow(1).hash(&map.seeds);
    let home = map.home(map.shard_of(hash), hash).unwrap();
    let (place, _) = map.find_in(home, hash, &Key::Narrow(1)).unwrap();
    let version = map.words.load(home);
    map.mark(place.meta(), 3, [(home, version); 2]);
    assert_eq!(map.words.load_byte(place.meta()), 3);
    map.write(&set(Key::Narrow(1), Value::Wide(6))).unwrap();
    // To replace the value was a hit.
    let meta = map.words.load_byte(place.meta());
    map.mark(place.meta(), meta + 1, [(home, version); 2]);
    assert_eq!(map.words.load_byte(place.meta()), meta);
}

pub(super) fn temporary() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("snapshot");
    (folder, path)
}

#[test]
fn a_snapshot_contains_one_instant_although_others_write() {
    for flags in [0, FLAG_FILE] {
        let options = options(Type::U32, Type::Bytes, 8 << 20, flags);
        let mut block = Block::new(&options);
        let process = Process::default();
        let map = block.attach(Box::new(process.clone()));
        let other = block.attach(Box::new(process.clone()));
        let value = |key: u32| {
            vec![key as u8; 20 + key as usize % 50 + if key.is_multiple_of(97) { 9000 } else { 0 }]
        };
        for key in 0..3000 {
            map.write(&set(Key::Narrow(key), bytes(&value(key)))).unwrap();
        }
        let (_folder, path) = temporary();
        let file = std::fs::File::create(&path).unwrap();
        let mut random = Random(1);
        let mut calls = 0;
        let saved = map
            .save(file, &mut |_, _| {
                calls += 1;
                for _ in 0..60 {
                    let key = random.below(4000) as u32;
                    match random.below(3) {
                        0 => drop(other.remove_key(&Key::Narrow(key), 0.0).unwrap()),
                        1 => drop(other.write(&set(Key::Narrow(key), bytes(&[0xAA; 33]))).unwrap()),
                        _ => drop(other.write(&set(Key::Narrow(key + 10_000), bytes(&[1; 5]))).unwrap()),
                    }
                }
                true
            })
            .unwrap()
            .unwrap();
        assert!(calls > 8, "{calls}");
        assert_eq!(saved.entries, 3000);
        map.validate().unwrap();
        let mut copy = Block::new(&options);
        let restored = copy.attach(Box::<Process>::default());
        assert_eq!(restored.restore(std::fs::File::open(&path).unwrap(), 0.0).unwrap(), 3000);
        for key in 0..3000 {
            assert_eq!(get(&restored, Key::Narrow(key)), Some(value(key)), "{key}");
        }
        restored.validate().unwrap();
        // No marks remain: the next snapshot contains everything.
        let file = std::fs::File::create(&path).unwrap();
        let again = map.save(file, &mut |_, _| true).unwrap().unwrap();
        assert_eq!(again.entries, map.len() as u64);
        // A damaged file is reported.
        let mut damaged = std::fs::read(&path).unwrap();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        std::fs::write(&path, &damaged).unwrap();
        assert!(restored.restore(std::fs::File::open(&path).unwrap(), 0.0).is_err());
        std::fs::write(&path, &damaged[..middle]).unwrap();
        assert!(restored.restore(std::fs::File::open(&path).unwrap(), 0.0).is_err());
    }
}

#[test]
fn a_snapshot_that_is_stopped_or_whose_process_is_killed_leaves_no_marks() {
    let options = options(Type::U32, Type::Bytes, 1 << 20, 0);
    let mut block = Block::new(&options);
    let process = Process::default();
    let map = block.attach(Box::new(process.clone()));
    for key in 0..2000 {
        map.write(&set(Key::Narrow(key), bytes(&[7; 30]))).unwrap();
    }
    let (_folder, path) = temporary();
    let create = || std::fs::File::create(&path).unwrap();
    assert_eq!(map.save(create(), &mut |_, _| false).unwrap(), None);
    map.validate().unwrap();
    let killed = catch_unwind(AssertUnwindSafe(|| {
        drop(map.save(create(), &mut |_, _| std::panic::panic_any(simulator::Stopped)));
    }));
    assert!(killed.is_err());
    let _dead = std::mem::ManuallyDrop::new(map);
    let other = block.attach(Box::new(process.sibling()));
    assert_eq!(other.save(create(), &mut |_, _| true).unwrap_err().kind(), ErrorKind::Locked);
    process.dead.store(true, Ordering::Relaxed);
    for key in 0..500 {
        other.write(&set(Key::Narrow(key), bytes(&[8; 40]))).unwrap();
    }
    let saved = other.save(create(), &mut |_, _| true).unwrap().unwrap();
    assert_eq!(saved.entries, 2000);
    other.validate().unwrap();
}

#[test]
fn one_participant_at_a_time_has_a_lease() {
    let options = options(Type::String, Type::Json, 1 << 20, 0);
    let mut block = Block::new(&options);
    let process = Process::default();
    let map = block.attach(Box::new(process.clone()));
    let other = block.attach(Box::new(process.sibling()));
    let key = text("k");
    assert_eq!(map.lease(&key, 100.0, 0.0).unwrap(), Lease::Acquired);
    assert_eq!(other.lease(&key, 100.0, 50.0).unwrap(), Lease::Held);
    assert_eq!((map.len(), get(&map, key)), (0, None));
    // It ends by time, by giving it up, by storing a value, and with its process.
    assert_eq!(other.lease(&key, 200.0, 100.0).unwrap(), Lease::Acquired);
    map.end_lease(&key).unwrap();
    assert_eq!(map.lease(&key, 300.0, 150.0).unwrap(), Lease::Held);
    other.end_lease(&key).unwrap();
    assert_eq!(map.lease(&key, 300.0, 150.0).unwrap(), Lease::Acquired);
    process.dead.store(true, Ordering::Relaxed);
    assert_eq!(other.lease(&key, 300.0, 150.0).unwrap(), Lease::Acquired);
    other.write(&set(key, bytes(b"1"))).unwrap();
    assert_eq!(other.lease(&key, 300.0, 150.0).unwrap(), Lease::Present);
    assert_eq!(other.len(), 1);
    other.validate().unwrap();
}

#[test]
fn events_are_delivered_in_order_and_losses_are_counted() {
    let options = options(Type::U32, Type::Bytes, 1 << 16, 0);
    let mut block = Block::new(&options);
    let map = block.attach(Box::<Process>::default());
    map.write(&set(Key::Narrow(0), bytes(b"before"))).unwrap();
    let mut positions = map.subscribe(Event::Set as u32 | Event::Delete as u32).unwrap();
    map.write(&set(Key::Narrow(1), bytes(b"x"))).unwrap();
    map.remove_key(&Key::Narrow(0), 0.0).unwrap();
    let mut out = Vec::new();
    assert_eq!(map.poll(&mut positions, &mut out).unwrap(), 0);
    let events: Vec<_> = out
        .chunks_exact(24)
        .map(|record| {
            let word = |at: usize| u32::from_le_bytes(record[at..at + 4].try_into().unwrap());
            (word(4), word(16))
        })
        .collect();
    assert_eq!(events, [(Event::Set as u32, 1), (Event::Delete as u32, 0)]);
    for key in 0..100 {
        map.write(&set(Key::Narrow(key), bytes(b"y"))).unwrap();
    }
    out.clear();
    let dropped = map.poll(&mut positions, &mut out).unwrap();
    assert_eq!(dropped as usize + out.len() / 24, 100);
    assert!(dropped > 0 && !out.is_empty());
    map.unsubscribe();
    map.write(&set(Key::Narrow(5), bytes(b"z"))).unwrap();
    out.clear();
    assert_eq!((map.poll(&mut positions, &mut out).unwrap(), out.len()), (0, 0));
}

pub(super) fn change<'a>(key: u32, value: Option<&'a [u8]>) -> Change<'a> {
    Change { key: Key::Narrow(key), value: value.map(bytes), value_type: 0, expiry: Expiry::Default }
}

#[test]
fn transactions_change_all_keys_or_none_wherever_the_writer_stops() {
    let silence = std::panic::take_hook();
    std::panic::set_hook(Box::new(|info| {
        if !info.payload().is::<simulator::Stopped>() {
            eprintln!("{info}");
        }
    }));
    let result = catch_unwind(|| {
        let mut options = options(Type::U32, Type::Bytes, 1 << 17, 0);
        options.shards = Some(2);
        stop_everywhere(
            &options,
            |map| {
                for key in 0..20 {
                    map.write(&set(Key::Narrow(key), bytes(b"old"))).unwrap();
                }
            },
            |map| {
                let long = vec![3; 2000];
                let changes = [
                    change(1, Some(b"new")),
                    change(2, None),
                    change(100, Some(b"new")),
                    change(3, Some(&long)),
                ];
                assert!(map.commit(&[], &changes, 1000.0).unwrap());
            },
            |map, complete| {
                // The first access to a lock of the writer completes the transaction.
                map.write(&set(Key::Narrow(5), bytes(b"x"))).unwrap();
                map.write(&set(Key::Narrow(6), bytes(b"x"))).unwrap();
                map.write(&set(Key::Narrow(7), bytes(b"x"))).unwrap();
                map.write(&set(Key::Narrow(8), bytes(b"x"))).unwrap();
                let all = [1, 2, 100, 3].map(|key| get(map, Key::Narrow(key)));
                let new = [Some(b"new".to_vec()), None, Some(b"new".to_vec()), Some(vec![3; 2000])];
                let old = [Some(b"old".to_vec()), Some(b"old".to_vec()), None, Some(b"old".to_vec())];
                assert!(all == new || !complete && all == old, "{complete} {all:?}");
            },
        );
    });
    std::panic::set_hook(silence);
    if let Err(payload) = result {
        std::panic::resume_unwind(payload);
    }
}

#[test]
fn a_transaction_fails_if_a_key_that_it_read_has_changed() {
    let options = options(Type::U32, Type::Bytes, 1 << 20, 0);
    let mut block = Block::new(&options);
    let map = block.attach(Box::<Process>::default());
    let first = map.write(&set(Key::Narrow(1), bytes(b"a"))).unwrap().version;
    let reads = [Read { key: Key::Narrow(1), version: first }, Read { key: Key::Narrow(2), version: 0 }];
    assert!(map.commit(&reads, &[change(2, Some(b"b"))], 1000.0).unwrap());
    assert!(!map.commit(&reads, &[change(3, Some(b"c"))], 1000.0).unwrap());
    assert_eq!(get(&map, Key::Narrow(3)), None);
    let many: Vec<_> = (0..64).map(|key| change(key, Some(b"many"))).collect();
    assert!(map.commit(&reads[..1], &many, 1000.0).unwrap());
    assert_eq!(map.len(), 64);
    let more: Vec<_> = (0..65).map(|key| change(key, None)).collect();
    assert_eq!(map.commit(&[], &more, 1000.0).unwrap_err().kind(), ErrorKind::Range);
    assert!(map.commit(&[], &more[..64], 1000.0).unwrap());
    assert_eq!(map.len(), 0);
    map.validate().unwrap();
}
