//! Four processes that write one map, and are killed at random moments.
//!
//! Each process has keys of its own. For each of them it records in a second file the state that it
//! begins to store, and the state that was acknowledged last. A *state* is a number that increases:
//! an odd one means a value that is derived from it, an even one that the key was deleted. After a
//! process was killed, each of its keys must be in one of these two states. In between all
//! processes write keys that they share, whose values must be whole.
//!
//! `OFFHEAP_ROUNDS` is the number of processes that are killed.

use crate::children::{Process, say};
use memmap2::MmapMut;
use offheap_core::mmap::file::Mode;
use offheap_core::region::element::Type;
use offheap_core::sharedmap::entry::bytes_head;
use offheap_core::sharedmap::file::{MapFile, OpenOptions};
use offheap_core::sharedmap::{Expiry, Key, Map, Mode as WriteMode, Options, Schema, Value, Write, now};
use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const PROCESSES: usize = 4;
/// Keys of each process.
const KEYS: usize = 400;
/// Keys of all of them.
const SHARED_KEYS: u32 = 50;
/// Large enough that nothing is evicted.
const BOUND: u64 = 8 << 20;
/// No operation takes longer.
const LONGEST: Duration = Duration::from_secs(1);

fn open(path: &Path) -> Map {
    let schema = Schema { key: Type::U32, value: Type::Bytes, policy: 0, flags: 0 };
    let create = Options { schema, max_bytes: BOUND, shards: None, ttl: 0.0, seeds: None };
    let options = OpenOptions { create: Some(create), ..OpenOptions::new(Mode::Write) };
    MapFile::open(path, &options).unwrap().map().unwrap().attach().unwrap()
}

/// The record of what the processes do: for each key the state that was begun, and the one that was
/// acknowledged; and for each process the longest time of an operation in nanoseconds.
struct Record(MmapMut);

impl Record {
    const WORDS: usize = PROCESSES * KEYS * 2 + PROCESSES;

    fn open(map: &Path) -> Record {
        let path = map.with_extension("record");
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path).unwrap();
        file.set_len(Record::WORDS as u64 * 8).unwrap();
        // SAFETY: the processes of this test use the file through atomics only.
        Record(unsafe { MmapMut::map_mut(&file) }.unwrap())
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        assert!(index < Record::WORDS);
        // SAFETY: within the mapping, and aligned; all processes use atomics.
        unsafe { AtomicU64::from_ptr(self.0.as_ptr().cast::<u64>().add(index).cast_mut()) }
    }

    fn begun(&self, key: usize) -> &AtomicU64 {
        self.word(key * 2)
    }

    fn acknowledged(&self, key: usize) -> &AtomicU64 {
        self.word(key * 2 + 1)
    }

    fn longest(&self, process: usize) -> &AtomicU64 {
        self.word(PROCESSES * KEYS * 2 + process)
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// The value of a key in a state: most are short, some are chains.
fn value_of(key: u32, state: u64) -> Vec<u8> {
    let mut random = Random(u64::from(key) << 32 ^ state);
    let words = match random.below(20) {
        0 => 200 + random.below(1200),
        1..4 => 20 + random.below(100),
        _ => 2 + random.below(10),
    };
    let mut value = [u64::from(key).to_le_bytes(), state.to_le_bytes()].concat();
    for _ in 0..words {
        value.extend_from_slice(&random.below(u64::MAX).to_le_bytes());
    }
    value
}

fn set(map: &Map, key: u32, value: &[u8]) {
    let value = Value::Blob { head: bytes_head(value.len()), bytes: value };
    let expiry = Expiry::Default;
    map.write(&Write {
        key: Key::Narrow(key),
        value,
        value_type: 0,
        mode: WriteMode::Set,
        expiry,
        now: now(),
    })
    .unwrap();
}

fn get(map: &Map, key: u32) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    map.get(&Key::Narrow(key), now(), true, &mut out).unwrap().map(|_| out)
}

/// The state of which a value is whole; 0 for an absent key.
fn state_of(map: &Map, key: u32) -> u64 {
    let Some(value) = get(map, key) else { return 0 };
    let state = u64::from_le_bytes(value[8..16].try_into().unwrap());
    assert_eq!(value, value_of(key, state), "key {key} has a wrong value");
    state
}

/// What a child does until it is killed.
pub(crate) fn child(path: &Path, arguments: &str) {
    let (process, seed) = arguments.split_once(' ').unwrap();
    let (process, mut random) = (process.parse::<usize>().unwrap(), Random(seed.parse().unwrap()));
    let (map, record) = (open(path), Record::open(path));
    say("ready");
    loop {
        let start = Instant::now();
        if random.below(4) == 0 {
            let key = u32::MAX - random.below(SHARED_KEYS.into()) as u32;
            match random.below(4) {
                0 => drop(map.remove_key(&Key::Narrow(key), now()).unwrap()),
                1 => drop(state_of(&map, key)),
                _ => set(&map, key, &value_of(key, random.below(1 << 40))),
            }
        } else {
            let index = process * KEYS + random.below(KEYS as u64) as usize;
            let key = index as u32;
            let acknowledged = record.acknowledged(index).load(Ordering::SeqCst);
            // A deletion after a value, or another value.
            let is_set = acknowledged % 2 == 0 || random.below(3) > 0;
            let state = acknowledged + if is_set { 1 + acknowledged % 2 } else { 1 };
            record.begun(index).store(state, Ordering::SeqCst);
            if is_set {
                set(&map, key, &value_of(key, state));
            } else {
                assert!(map.remove_key(&Key::Narrow(key), now()).unwrap());
            }
            record.acknowledged(index).store(state, Ordering::SeqCst);
        }
        record.longest(process).fetch_max(start.elapsed().as_nanos() as u64, Ordering::SeqCst);
    }
}

/// Each key of a process that has ended is in its last state, or in the one that was begun.
fn check(map: &Map, record: &Record, process: usize) {
    for index in process * KEYS..(process + 1) * KEYS {
        let begun = record.begun(index).load(Ordering::SeqCst);
        let acknowledged = record.acknowledged(index).load(Ordering::SeqCst);
        let found = state_of(map, index as u32);
        let shown = |state: u64| if state % 2 == 1 { state } else { 0 };
        assert!(
            found == shown(acknowledged) || found == shown(begun),
            "key {index} is in state {found} after {acknowledged} was acknowledged and {begun} begun"
        );
        // The next process goes on from here.
        let state = if found == shown(begun) { begun } else { acknowledged };
        record.begun(index).store(state, Ordering::SeqCst);
        record.acknowledged(index).store(state, Ordering::SeqCst);
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_processes_are_killed() {
    let rounds = std::env::var("OFFHEAP_ROUNDS").map_or(200, |rounds| rounds.parse().unwrap());
    let seed = std::env::var("OFFHEAP_SEED")
        .map_or_else(|_| u64::from(std::process::id()), |seed| seed.parse().unwrap());
    let mut random = Random(seed);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map");
    let (map, record) = (open(&path), Record::open(&path));
    let empty = map.used_bytes();
    let start = |process: usize, random: &mut Random| {
        let mut child = Process::start(&format!("killed {process} {}", random.below(u64::MAX)), &path);
        child.answer();
        child
    };
    let mut processes: Vec<Option<Process>> =
        (0..PROCESSES).map(|process| Some(start(process, &mut random))).collect();
    for _ in 0..rounds {
        std::thread::sleep(Duration::from_micros(random.below(2000)));
        let victim = random.below(PROCESSES as u64) as usize;
        if let Some(process) = processes[victim].take() {
            process.kill();
        }
        check(&map, &record, victim);
        let begin = Instant::now();
        set(&map, u32::MAX - SHARED_KEYS, &[1; 16]);
        assert!(begin.elapsed() < LONGEST, "seed {seed}: {:?}", begin.elapsed());
        processes[victim] = Some(start(victim, &mut random));
    }
    for (process, child) in processes.into_iter().flatten().enumerate() {
        child.kill();
        check(&map, &record, process);
        let longest = Duration::from_nanos(record.longest(process).load(Ordering::SeqCst));
        assert!(longest < LONGEST, "seed {seed}: an operation took {longest:?}");
    }
    map.validate().unwrap();
    let stats = map.stats();
    assert_eq!((stats.evictions, stats.participants), (0, 1));
    // Otherwise no process was killed while it held a lock, and the test shows nothing.
    assert!(rounds < 200 || stats.repairs > 0);
    for shared in 0..SHARED_KEYS {
        state_of(&map, u32::MAX - shared);
    }
    // Without entries, the bytes in use are those of an empty map, and of a few pages that each
    // shard keeps.
    map.clear().unwrap();
    map.validate().unwrap();
    let kept = map.geometry().shards() as u64 * (4 << map.geometry().page_shift);
    assert!(map.used_bytes() <= empty + kept, "seed {seed}: {} after {empty}", map.used_bytes());
}
