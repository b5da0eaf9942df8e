//! Four processes that use all kinds of operations on two maps, and are killed at random moments.
//!
//! The map of numbers has accounts, between which transactions move amounts, and a counter of each
//! process, which it increments and then acknowledges in a second file. The sum of the accounts
//! never changes, and a counter is the number acknowledged or one more. The map of bytes is smaller
//! than the entries stored in it, so it evicts all the time, while some process saves it, and
//! others take leases, subscribe to events, take, touch and scan. Every value read must be whole.
//!
//! `OFFHEAP_ROUNDS` is the number of processes that are killed.

use crate::children::{Process, say};
use memmap2::MmapMut;
use offheap_core::mmap::file::Mode;
use offheap_core::region::element::Type;
use offheap_core::sharedmap::entry::bytes_head;
use offheap_core::sharedmap::file::{MapFile, OpenOptions};
use offheap_core::sharedmap::{
    Change, Cursor, Expiry, Key, Lease, Map, Mode as WriteMode, Number, Options, Read, Schema, Value, Write,
    now,
};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const PROCESSES: usize = 4;
const ACCOUNTS: u32 = 60;
const AMOUNT: u64 = 1000;
const KEYS: u64 = 3000;
/// No operation takes longer.
const LONGEST: Duration = Duration::from_secs(1);

fn open(path: &Path, value: Type, max_bytes: u64) -> Map {
    let schema = Schema { key: Type::U32, value, policy: 0, flags: 0 };
    let create = Options { schema, max_bytes, shards: None, ttl: 0.0, seeds: None };
    let options = OpenOptions { create: Some(create), ..OpenOptions::new(Mode::Write) };
    MapFile::open(path, &options).unwrap().map().unwrap().attach().unwrap()
}

fn numbers(path: &Path) -> Map {
    open(path, Type::U64, 1 << 20)
}

fn blobs(path: &Path) -> Map {
    open(&path.with_extension("blobs"), Type::Bytes, 1 << 19)
}

/// For each process: increments acknowledged, and the longest time of an operation in nanoseconds.
struct Record(MmapMut);

impl Record {
    fn open(path: &Path) -> Record {
        let path = path.with_extension("record");
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path).unwrap();
        file.set_len(PROCESSES as u64 * 16).unwrap();
        // SAFETY: the processes of this test use the file through atomics only.
        Record(unsafe { MmapMut::map_mut(&file) }.unwrap())
    }

    fn word(&self, index: usize) -> &AtomicU64 {
        assert!(index < PROCESSES * 2);
        // SAFETY: within the mapping, and aligned; all processes use atomics.
        unsafe { AtomicU64::from_ptr(self.0.as_ptr().cast::<u64>().add(index).cast_mut()) }
    }

    fn acknowledged(&self, process: usize) -> &AtomicU64 {
        self.word(process * 2)
    }

    fn longest(&self, process: usize) -> &AtomicU64 {
        self.word(process * 2 + 1)
    }
}

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn counter(process: usize) -> Key<'static> {
    Key::Narrow(1000 + process as u32)
}

fn number(map: &Map, key: Key<'_>) -> Option<(u64, u64)> {
    let mut out = Vec::new();
    let info = map.get(&key, now(), true, &mut out).unwrap()?;
    Some((u64::from_le_bytes(out.try_into().unwrap()), info.version))
}

/// Moves an amount between two accounts, if no one else changed them meanwhile.
fn transfer(map: &Map, random: &mut Random) {
    let from = random.below(ACCOUNTS.into()) as u32;
    let to = (from + 1 + random.below(u64::from(ACCOUNTS) - 1) as u32) % ACCOUNTS;
    let keys = [from, to].map(Key::Narrow);
    let found = keys.map(|key| number(map, key).unwrap());
    let amount = random.below(found[0].0 + 1);
    let sums = [found[0].0 - amount, found[1].0 + amount];
    let reads = [0, 1].map(|index| Read { key: keys[index], version: found[index].1 });
    let changes = [0, 1].map(|index| Change {
        key: keys[index],
        value: Some(Value::Wide(sums[index])),
        value_type: 0,
        expiry: Expiry::Default,
    });
    map.commit(&reads, &changes, now()).unwrap();
}

/// A value of a key: the key, a number, and words that are derived from both.
fn value_of(key: u32, number: u64) -> Vec<u8> {
    let mut random = Random(u64::from(key) << 32 ^ number);
    let words = if random.below(20) == 0 { 200 + random.below(600) } else { random.below(30) };
    let mut value = [u64::from(key).to_le_bytes(), number.to_le_bytes()].concat();
    for _ in 0..words {
        value.extend_from_slice(&random.below(u64::MAX).to_le_bytes());
    }
    value
}

fn check_value(key: u32, value: &[u8]) {
    let number = u64::from_le_bytes(value[8..16].try_into().unwrap());
    assert!(value == value_of(key, number), "key {key} has a wrong value");
}

fn set(map: &Map, key: u32, number: u64) {
    let value = value_of(key, number);
    let value = Value::Blob { head: bytes_head(value.len()), bytes: &value };
    let (key, now) = (Key::Narrow(key), now());
    let expiry = if number.is_multiple_of(5) { Expiry::At(now + 20.0) } else { Expiry::Never };
    map.write(&Write { key, value, value_type: 0, mode: WriteMode::Set, expiry, now }).unwrap();
}

fn change_blobs(map: &Map, random: &mut Random, path: &Path) {
    let number = random.below(KEYS) as u32;
    let key = Key::Narrow(number);
    let mut out = Vec::new();
    match random.below(40) {
        0..20 => set(map, number, random.below(1 << 40)),
        20..26 => {
            if map.get(&key, now(), true, &mut out).unwrap().is_some() {
                check_value(number, &out);
            }
        }
        26..29 => drop(map.remove_key(&key, now()).unwrap()),
        29..31 => {
            map.take(&key, now(), usize::MAX, &mut out).unwrap();
            if !out.is_empty() {
                check_value(number, &out);
            }
        }
        31 => drop(map.touch(&key, now() + 50.0, now()).unwrap()),
        32..36 => {
            if map.lease(&key, now() + 100.0, now()).unwrap() == Lease::Acquired {
                match random.below(3) {
                    0 => map.end_lease(&key).unwrap(),
                    1 => set(map, number, random.below(1 << 40)),
                    _ => {}
                }
            }
        }
        36 => drop(map.scan(Cursor::default(), true, now(), &mut out).unwrap()),
        37 => {
            let mut positions = map.subscribe(15).unwrap();
            set(map, number, random.below(1 << 40));
            map.poll(&mut positions, &mut out).unwrap();
            map.unsubscribe();
        }
        38 => drop(map.purge_expired(64, now()).unwrap()),
        _ => {
            // Another process may be saving.
            if random.below(20) == 0
                && let Err(error) = map.save(File::create(path).unwrap(), &mut |_, _| true)
            {
                assert_eq!(error.kind(), offheap_core::ErrorKind::Locked, "{error}");
            }
        }
    }
}

/// What a child does until it is killed.
pub(crate) fn child(path: &Path, arguments: &str) {
    let (process, seed) = arguments.split_once(' ').unwrap();
    let (process, mut random) = (process.parse::<usize>().unwrap(), Random(seed.parse().unwrap()));
    let (numbers, blobs, record) = (numbers(path), blobs(path), Record::open(path));
    let snapshot: PathBuf = path.with_extension(format!("snapshot{process}"));
    say("ready");
    loop {
        let start = Instant::now();
        match random.below(8) {
            0 => {
                let sum = numbers.increment(&counter(process), Number::Integer(1), Expiry::Keep, now());
                let Number::Integer(sum) = sum.unwrap() else { panic!("not an integer") };
                record.acknowledged(process).store(sum as u64, Ordering::SeqCst);
            }
            1..4 => transfer(&numbers, &mut random),
            _ => change_blobs(&blobs, &mut random, &snapshot),
        }
        record.longest(process).fetch_max(start.elapsed().as_nanos() as u64, Ordering::SeqCst);
    }
}

#[test]
fn all_operations_are_whole_when_processes_are_killed() {
    let rounds = std::env::var("OFFHEAP_ROUNDS").map_or(100, |rounds| rounds.parse().unwrap());
    let seed = std::env::var("OFFHEAP_SEED")
        .map_or_else(|_| u64::from(std::process::id()), |seed| seed.parse().unwrap());
    let mut random = Random(seed);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map");
    let (numbers, blobs, record) = (numbers(&path), blobs(&path), Record::open(&path));
    let empty = blobs.used_bytes();
    for account in 0..ACCOUNTS {
        let (key, value) = (Key::Narrow(account), Value::Wide(AMOUNT));
        let expiry = Expiry::Never;
        let write = Write { key, value, value_type: 0, mode: WriteMode::Set, expiry, now: now() };
        numbers.write(&write).unwrap();
    }
    let start = |process: usize, random: &mut Random| {
        let mut child = Process::start(&format!("all {process} {}", random.below(u64::MAX)), &path);
        child.answer();
        child
    };
    let check = |process: usize| {
        let acknowledged = record.acknowledged(process).load(Ordering::SeqCst);
        let found = number(&numbers, counter(process)).map_or(0, |(value, _)| value);
        assert!(
            found == acknowledged || found == acknowledged + 1,
            "seed {seed}: the counter is {found} after {acknowledged} was acknowledged"
        );
        record.acknowledged(process).store(found, Ordering::SeqCst);
        let longest = Duration::from_nanos(record.longest(process).load(Ordering::SeqCst));
        assert!(longest < LONGEST, "seed {seed}: an operation took {longest:?}");
    };
    let mut processes: Vec<Option<Process>> =
        (0..PROCESSES).map(|process| Some(start(process, &mut random))).collect();
    for _ in 0..rounds {
        std::thread::sleep(Duration::from_micros(random.below(3000)));
        let victim = random.below(PROCESSES as u64) as usize;
        if let Some(process) = processes[victim].take() {
            process.kill();
        }
        let begin = Instant::now();
        check(victim);
        set(&blobs, KEYS as u32, 1);
        assert!(begin.elapsed() < LONGEST, "seed {seed}: {:?}", begin.elapsed());
        processes[victim] = Some(start(victim, &mut random));
    }
    for (process, child) in processes.into_iter().flatten().enumerate() {
        child.kill();
        check(process);
    }
    // Completes a transaction that was cut off.
    numbers.commit(&[], &[], now()).unwrap();
    for account in 0..ACCOUNTS {
        numbers.touch(&Key::Narrow(account), 0.0, now()).unwrap();
    }
    let sum: u64 = (0..ACCOUNTS).map(|account| number(&numbers, Key::Narrow(account)).unwrap().0).sum();
    assert_eq!(sum, u64::from(ACCOUNTS) * AMOUNT, "seed {seed}");
    numbers.validate().unwrap();
    assert_eq!((numbers.stats().evictions, numbers.stats().participants), (0, 1));
    for key in 0..KEYS as u32 {
        let mut out = Vec::new();
        if blobs.get(&Key::Narrow(key), now(), true, &mut out).unwrap().is_some() {
            check_value(key, &out);
        }
    }
    // Otherwise the test shows nothing.
    assert!(rounds < 100 || numbers.stats().repairs + blobs.stats().repairs > 0);
    assert!(rounds < 100 || blobs.stats().evictions > 0);
    // Leases, and entries that are kept for a snapshot that was cut off, are freed as well.
    blobs.clear().unwrap();
    for key in 0..500 {
        set(&blobs, key, 1);
    }
    blobs.clear().unwrap();
    blobs.validate().unwrap();
    let kept = blobs.geometry().shards() as u64 * (4 << blobs.geometry().page_shift);
    assert!(blobs.used_bytes() <= empty + kept, "seed {seed}: {} after {empty}", blobs.used_bytes());
}
