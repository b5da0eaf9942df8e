//! Maps in files: several processes, processes that are killed or stopped, and damaged files.
//!
//! See `children` for how a test starts other processes.

#![cfg(target_os = "linux")]
#![cfg(not(miri))]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod children;
mod hostile;
mod kill;
mod kill_all;
mod namespaces;

use children::{Process, path, role, say, wait_for_line};
use offheap_core::mmap::file::Mode;
use offheap_core::region::element::Type;
use offheap_core::sharedmap::file::{MapFile, OpenOptions, SharedFile};
use offheap_core::sharedmap::layout::{control, participant, shard};
use offheap_core::sharedmap::{Expiry, Key, Map, Mode as WriteMode, Options, Schema, Value, Write, now};
use offheap_core::{Error, ErrorKind, Result};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const SMALL: u64 = 1 << 16;
const BOUND: u64 = 1 << 20;

fn options(max_bytes: u64) -> Options {
    let schema = Schema { key: Type::U32, value: Type::U64, policy: 0, flags: 0 };
    Options { schema, max_bytes, shards: None, ttl: 0.0, seeds: None }
}

fn creating(max_bytes: u64) -> OpenOptions {
    OpenOptions { create: Some(options(max_bytes)), ..OpenOptions::new(Mode::Write) }
}

fn open_with(path: &Path, options: &OpenOptions) -> Result<(Arc<SharedFile>, Map)> {
    let shared = MapFile::open(path, options)?.map()?;
    let map = shared.attach()?;
    Ok((shared, map))
}

fn open(path: &Path) -> Result<(Arc<SharedFile>, Map)> {
    open_with(path, &creating(BOUND))
}

fn refused(path: &Path, options: &OpenOptions) -> Error {
    open_with(path, options).err().unwrap()
}

fn set(map: &Map, key: u32, value: u64) -> Result<()> {
    let (key, value) = (Key::Narrow(key), Value::Wide(value));
    let write =
        Write { key, value, value_type: 0, mode: WriteMode::Set, expiry: Expiry::Default, now: now() };
    map.write(&write).map(|_| ())
}

fn get(map: &Map, key: u32) -> Option<u64> {
    let mut out = Vec::new();
    map.get(&Key::Narrow(key), now(), true, &mut out).unwrap()?;
    Some(u64::from_le_bytes(out.try_into().unwrap()))
}

/// A word of the region.
fn word(shared: &SharedFile, index: usize) -> &AtomicU32 {
    let (base, length) = shared.bytes();
    assert!(index < length / 4);
    // SAFETY: within the mapping, and aligned.
    unsafe { AtomicU32::from_ptr(base.cast::<u32>().add(index)) }
}

/// The lock word of a participant.
fn holder(shared: &SharedFile, map: &Map) -> u32 {
    let at = map.geometry().participants_at + map.slot() * participant::WORDS;
    let state = word(shared, at + participant::STATE).load(Ordering::Relaxed);
    state & !0x7FF | (map.slot() as u32 + 1)
}

/// Locks every shard, as an operation in progress does.
fn lock_all(shared: &SharedFile, map: &Map, with: u32) {
    for id in 0..map.geometry().shards() {
        let at = map.geometry().shards_at + id * map.geometry().shard_stride + shard::LOCK;
        word(shared, at).store(with, Ordering::SeqCst);
    }
}

/// The roles of children. Without one, this is not a test.
#[test]
fn child() {
    let Some(role) = role() else { return };
    let path = path();
    match role.as_str() {
        "writer" => {
            let (_, map) = open(&path).unwrap();
            for key in 0..1000 {
                set(&map, key, u64::from(key) * 3).unwrap();
            }
            say("written");
            wait_for_line();
            say(&format!("{:?}", get(&map, 5000)));
        }
        "holder" => {
            let (shared, map) = open(&path).unwrap();
            lock_all(&shared, &map, holder(&shared, &map));
            say(&map.slot().to_string());
            wait_for_line();
            lock_all(&shared, &map, 0);
        }
        "crowd" => {
            let shared = MapFile::open(&path, &creating(SMALL)).unwrap().map().unwrap();
            let maps: Vec<Map> = std::iter::from_fn(|| shared.attach().ok()).collect();
            say(&maps.len().to_string());
            wait_for_line();
        }
        "creator" => {
            wait_for_line();
            let (shared, map) = open(&path).unwrap();
            set(&map, std::process::id(), 7).unwrap();
            say(if shared.opened().created { "created" } else { "opened" });
            wait_for_line();
        }
        "limited" => {
            // SAFETY: the limit is valid.
            let limited = unsafe {
                let limit = libc::rlimit { rlim_cur: 1 << 18, rlim_max: 1 << 18 };
                libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit)
            };
            assert_eq!(limited, 0);
            say(&format!("{:?}", refused(&path, &creating(BOUND)).kind()));
        }
        "descriptors" => {
            let shared = MapFile::open(&path, &creating(BOUND)).unwrap().map().unwrap();
            // SAFETY: the limit is valid.
            let limited = unsafe {
                let limit = libc::rlimit { rlim_cur: 24, rlim_max: 24 };
                libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit)
            };
            assert_eq!(limited, 0);
            let mut maps = Vec::new();
            let error = loop {
                match shared.attach() {
                    Ok(map) => maps.push(map),
                    Err(error) => break error,
                }
            };
            assert!(maps.len() > 5, "{error}");
            set(&maps[0], 1, 10).unwrap();
            maps.truncate(2);
            maps.push(shared.attach().unwrap());
            say(&format!("{:?} {:?}", error.kind(), get(&maps[2], 1)));
        }
        "namespace" => namespaces::in_pid_namespace(&path),
        "full" => namespaces::full_disk(&path),
        role if role.starts_with("killed ") => kill::child(&path, &role["killed ".len()..]),
        role if role.starts_with("all ") => kill_all::child(&path, &role["all ".len()..]),
        _ => panic!("unknown role: {role}"),
    }
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("map");
    (folder, path)
}

#[test]
fn two_processes_see_each_others_changes() {
    let (_folder, path) = folder();
    let mut other = Process::start("writer", &path);
    assert_eq!(other.answer(), "written");
    let (shared, map) = open(&path).unwrap();
    assert!(!shared.opened().created);
    assert!((0..1000).all(|key| get(&map, key) == Some(u64::from(key) * 3)));
    assert_eq!((map.len(), map.stats().participants), (1000, 2));
    set(&map, 5000, 1).unwrap();
    other.go_on();
    assert_eq!(other.answer(), "Some(1)");
    other.end();
    assert_eq!(map.stats().participants, 1);
    map.validate().unwrap();
}

#[test]
fn the_entries_are_there_when_the_file_is_opened_again() {
    let (_folder, path) = folder();
    let (shared, map) = open(&path).unwrap();
    assert!(shared.opened().created);
    for key in 0..1000 {
        set(&map, key, 1).unwrap();
    }
    let state = |shared: &SharedFile| word(shared, control::STATE).load(Ordering::Relaxed);
    assert_eq!(state(&shared), 1);
    let second = shared.attach().unwrap();
    drop(map);
    assert_eq!(state(&shared), 1);
    drop(second);
    assert_eq!(state(&shared), 0);
    drop(shared);
    let (shared, map) = open(&path).unwrap();
    assert_eq!((map.len(), state(&shared)), (1000, 1));
    map.validate().unwrap();
}

#[test]
fn pages_that_are_not_used_take_no_room_on_the_disk() {
    let (_folder, path) = folder();
    let (_shared, map) = open_with(&path, &creating(64 << 20)).unwrap();
    let blocks = || fs::metadata(&path).unwrap().blocks() * 512;
    assert_eq!(fs::metadata(&path).unwrap().len(), map.geometry().length());
    let empty = blocks();
    assert!(empty < 16 << 20, "{empty}");
    for key in 0..500_000 {
        set(&map, key, 1).unwrap();
    }
    assert!(blocks() > empty + (12 << 20), "{} after {empty}", blocks());
    map.clear().unwrap();
    // The index, and a page or two of each shard, remain.
    assert!(blocks() < empty + (6 << 20), "{} after {empty}", blocks());
}

#[test]
fn the_lock_of_a_killed_process_is_taken_over_within_a_second() {
    let (_folder, path) = folder();
    let (_shared, map) = open(&path).unwrap();
    set(&map, 1, 10).unwrap();
    let mut other = Process::start("holder", &path);
    other.answer();
    other.kill();
    let start = Instant::now();
    for key in 0..100 {
        set(&map, key, 11).unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    assert_eq!(map.stats().repairs, map.geometry().shards() as u64);
    assert_eq!(map.stats().participants, 1);
    map.validate().unwrap();
}

#[test]
fn the_lock_of_a_stopped_process_is_not_taken_over() {
    let (_folder, path) = folder();
    let (_shared, map) = open(&path).unwrap();
    let mut other = Process::start("holder", &path);
    other.answer();
    other.signal(libc::SIGSTOP);
    std::thread::scope(|scope| {
        let writer = scope.spawn(move || {
            set(&map, 1, 10).unwrap();
            map
        });
        std::thread::sleep(Duration::from_millis(150));
        assert!(!writer.is_finished());
        other.go_on();
        other.signal(libc::SIGCONT);
        let map = writer.join().unwrap();
        assert_eq!((map.stats().repairs, get(&map, 1)), (0, Some(10)));
    });
    other.end();
}

#[test]
fn a_lock_is_not_that_of_a_later_process_with_the_same_slot() {
    let (_folder, path) = folder();
    let mut first = Process::start("holder", &path);
    let slot = first.answer();
    first.kill();
    // The same slot, with another generation.
    let (_shared, map) = open(&path).unwrap();
    assert_eq!(map.slot().to_string(), slot);
    set(&map, 1, 10).unwrap();
    assert!(map.stats().repairs > 0);
    map.validate().unwrap();
}

#[test]
fn there_are_as_many_participants_as_slots() {
    let (_folder, path) = folder();
    let options = creating(SMALL);
    let (shared, map) = open_with(&path, &options).unwrap();
    let slots = map.geometry().participants;
    let mut other = Process::start("crowd", &path);
    assert_eq!(other.answer(), (slots - 1).to_string());
    let error = shared.attach().err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert!(error.message().contains(&slots.to_string()), "{error}");
    // The map remains usable.
    set(&map, 1, 10).unwrap();
    other.kill();
    let mut maps: Vec<Map> = (1..slots).map(|_| shared.attach().unwrap()).collect();
    assert_eq!(shared.attach().err().unwrap().kind(), ErrorKind::Full);
    maps.pop();
    maps.push(shared.attach().unwrap());
    assert_eq!(get(maps.last().unwrap(), 1), Some(10));
}

#[test]
fn processes_that_create_the_same_file_get_one_map() {
    for _ in 0..5 {
        let (folder, path) = folder();
        let mut all: Vec<Process> = (0..4).map(|_| Process::start("creator", &path)).collect();
        all.iter_mut().for_each(Process::go_on);
        let created = all.iter_mut().map(Process::answer).filter(|answer| answer == "created").count();
        assert_eq!(created, 1);
        let (_shared, map) = open(&path).unwrap();
        assert!(all.iter().all(|process| get(&map, process.id()) == Some(7)));
        all.into_iter().for_each(Process::end);
        // No temporary file is left.
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}

#[test]
fn a_child_of_the_process_cannot_write() {
    let (_folder, path) = folder();
    let (shared, map) = open(&path).unwrap();
    set(&map, 1, 10).unwrap();
    // SAFETY: the child uses the map, and exits without unwinding.
    let status = unsafe {
        let child = libc::fork();
        if child == 0 {
            let refused = set(&map, 2, 20).is_err_and(|error| error.kind() == ErrorKind::Locked);
            let read = get(&map, 1) == Some(10);
            drop(map);
            drop(shared);
            let again = open(&path).is_ok_and(|(_, map)| set(&map, 3, 30).is_ok());
            libc::_exit(i32::from(!(refused && read && again)));
        }
        let mut status = -1;
        libc::waitpid(child, &raw mut status, 0);
        status
    };
    assert_eq!(status, 0);
    // The parent still has its slot.
    set(&map, 2, 21).unwrap();
    assert_eq!((get(&map, 2), get(&map, 3), map.stats().participants), (Some(21), Some(30), 1));
    map.validate().unwrap();
}

#[test]
fn a_reader_sees_changes_and_cannot_write() {
    let (_folder, path) = folder();
    let (_shared, map) = open(&path).unwrap();
    set(&map, 1, 10).unwrap();
    let (_, reader) = open_with(&path, &OpenOptions::new(Mode::Read)).unwrap();
    assert_eq!(get(&reader, 1), Some(10));
    for key in 1..2000 {
        set(&map, key, u64::from(key) + 1).unwrap();
        assert_eq!(get(&reader, key), Some(u64::from(key) + 1));
    }
    assert_eq!((reader.len(), reader.stats().participants), (1999, 1));
    let error = set(&reader, 1, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("reading"), "{error}");
    let mut out = Vec::new();
    assert!(reader.scan(Default::default(), true, now(), &mut out).unwrap().count > 0);
}

#[test]
fn a_file_that_was_open_during_a_power_loss_is_refused_and_can_be_repaired() {
    let (_folder, path) = folder();
    let (_, map) = open(&path).unwrap();
    for key in 0..1000 {
        set(&map, key, 0x0123_4567_89AB_CDEF).unwrap();
    }
    drop(map);
    let lose_power = |damage: bool| {
        let file = File::options().read(true).write(true).open(&path).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        bytes[control::STATE * 4] = 1;
        bytes[control::BOOT * 4] ^= 1;
        if damage {
            // One value.
            let value = 0x0123_4567_89AB_CDEF_u64.to_le_bytes();
            let at = bytes.windows(8).position(|window| window == value).unwrap();
            bytes[at] ^= 1;
        }
        file.write_all_at(&bytes, 0).unwrap();
    };
    lose_power(true);
    let repairing = OpenOptions { repair: true, ..creating(BOUND) };
    for options in [creating(BOUND), OpenOptions::new(Mode::Read)] {
        let error = refused(&path, &options);
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.message().contains("repair"), "{error}");
    }
    let (shared, map) = open_with(&path, &repairing).unwrap();
    let repaired = shared.opened().repaired.unwrap();
    assert_eq!((repaired.kept, repaired.lost), (999, 1));
    assert_eq!(map.len(), 999);
    map.validate().unwrap();
    // Others may open it while it is in use, without repair.
    let (_, other) = open(&path).unwrap();
    drop((map, shared, other));
    lose_power(false);
    let (shared, map) = open_with(&path, &repairing).unwrap();
    assert_eq!(shared.opened().repaired.map(|repaired| repaired.lost), Some(0));
    drop((map, shared));
    open(&path).unwrap();
}

#[test]
fn a_crash_of_all_processes_loses_nothing() {
    let (_folder, path) = folder();
    let mut other = Process::start("writer", &path);
    other.answer();
    other.kill();
    let (_shared, map) = open(&path).unwrap();
    assert_eq!((map.len(), map.stats().participants), (1000, 1));
    assert!((0..1000).all(|key| get(&map, key) == Some(u64::from(key) * 3)));
    map.validate().unwrap();
}

#[test]
fn holes_of_a_copy_are_filled() {
    let (folder, path) = folder();
    let (_, map) = open(&path).unwrap();
    for key in 0..5000 {
        set(&map, key, 0).unwrap();
    }
    drop(map);
    // As `cp --sparse` does.
    let copy = folder.path().join("copy");
    let bytes = fs::read(&path).unwrap();
    let file = File::create(&copy).unwrap();
    file.set_len(bytes.len() as u64).unwrap();
    for (index, page) in bytes.chunks(4096).enumerate() {
        if page.iter().any(|&byte| byte != 0) {
            file.write_all_at(page, index as u64 * 4096).unwrap();
        }
    }
    let before = file.metadata().unwrap().blocks();
    let (_shared, map) = open(&copy).unwrap();
    assert!(file.metadata().unwrap().blocks() > before);
    assert_eq!((map.len(), get(&map, 4999)), (5000, Some(0)));
}

#[test]
fn another_schema_or_bound_is_refused_by_name() {
    let (_folder, path) = folder();
    drop(open(&path).unwrap());
    let plain = OpenOptions::new(Mode::Write);
    let wrong = [
        (OpenOptions { key: Some(Type::String), ..plain }, ErrorKind::Type, "U32"),
        (OpenOptions { value: Some(Type::F64), ..plain }, ErrorKind::Type, "U64"),
        (OpenOptions { max_bytes: Some(BOUND + 1), ..plain }, ErrorKind::Range, "1048577"),
    ];
    for (options, kind, text) in wrong {
        let error = refused(&path, &options);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(text) && error.message().contains("map"), "{error}");
    }
    let right = OpenOptions {
        key: Some(Type::U32),
        value: Some(Type::U64),
        max_bytes: Some(BOUND),
        ..OpenOptions::new(Mode::Write)
    };
    open_with(&path, &right).unwrap();
}

#[test]
fn files_that_are_not_maps_are_refused() {
    let (folder, path) = folder();
    let plain = OpenOptions::new(Mode::Write);
    assert_eq!(refused(&path, &plain).kind(), ErrorKind::Io);
    drop(open(&path).unwrap());
    let whole = fs::read(&path).unwrap();
    let other = folder.path().join("other");
    let refused_bytes = |bytes: &[u8], kind: ErrorKind| {
        fs::write(&other, bytes).unwrap();
        for options in [plain, creating(BOUND), OpenOptions::new(Mode::Read)] {
            let error = refused(&other, &options);
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.message().contains("other"), "{error}");
        }
    };
    refused_bytes(b"", ErrorKind::Corrupt);
    refused_bytes(b"text", ErrorKind::Corrupt);
    refused_bytes(&[0; 4096], ErrorKind::Corrupt);
    refused_bytes(&whole[..whole.len() / 2], ErrorKind::Corrupt);
    refused_bytes(&[&whole[..], &[0; 64]].concat(), ErrorKind::Corrupt);
    let changed = |index: usize, kind: ErrorKind| {
        let mut bytes = whole.clone();
        bytes[index] ^= 0x40;
        refused_bytes(&bytes, kind);
    };
    changed(0, ErrorKind::Corrupt); // magic
    changed(4, ErrorKind::Version);
    changed(8, ErrorKind::Version); // kind
    changed(12, ErrorKind::Version);
    // A bound that differs by a few bytes has the same layout.
    for word in (16..30).filter(|&word| word != 20) {
        changed(word * 4, ErrorKind::Corrupt);
    }
}

#[test]
fn paths_that_do_not_lead_to_a_regular_file_are_refused() {
    let (folder, path) = folder();
    let name = std::ffi::CString::new(path.as_os_str().as_encoded_bytes()).unwrap();
    // SAFETY: the path is terminated by NUL.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    let dangling = folder.path().join("dangling");
    symlink(folder.path().join("nothing"), &dangling).unwrap();
    let paths = [&path, folder.path(), Path::new("/proc/self/maps"), Path::new("/dev/null"), &dangling];
    for path in paths {
        for options in [creating(BOUND), OpenOptions::new(Mode::Read)] {
            let error = refused(path, &options);
            assert_eq!(error.kind(), ErrorKind::Io, "{error}");
        }
    }
    // A link to a map is followed.
    let (real, link) = (folder.path().join("real"), folder.path().join("link"));
    drop(open(&real).unwrap());
    symlink(&real, &link).unwrap();
    drop(open(&link).unwrap());
}

#[test]
fn a_file_may_be_renamed_replaced_or_removed_while_it_is_open() {
    let (folder, path) = folder();
    let (shared, map) = open(&path).unwrap();
    set(&map, 1, 10).unwrap();
    fs::rename(&path, folder.path().join("renamed")).unwrap();
    let (_, second) = open(&path).unwrap();
    assert_eq!(get(&second, 1), None);
    fs::remove_file(&path).unwrap();
    fs::remove_file(folder.path().join("renamed")).unwrap();
    // Another thread still attaches to the same file.
    let other = shared.attach().unwrap();
    assert_eq!(get(&other, 1), Some(10));
    for key in 0..5000 {
        set(&other, key, 11).unwrap();
    }
    assert_eq!(get(&map, 1), Some(11));
    map.validate().unwrap();
}

#[test]
fn a_file_that_is_truncated_while_it_is_open_is_reported() {
    let (_folder, path) = folder();
    let (shared, map) = open(&path).unwrap();
    for key in 0..5000 {
        set(&map, key, 10).unwrap();
    }
    File::options().write(true).open(&path).unwrap().set_len(4096).unwrap();
    // Reads find nothing; changes are refused as soon as lost bytes were noticed.
    let mut out = Vec::new();
    for key in 0..5000 {
        match map.get(&Key::Narrow(key), now(), true, &mut out) {
            Ok(found) => assert!(found.is_none() || out.ends_with(&10u64.to_le_bytes())),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Io),
        }
    }
    let error = set(&map, 1, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.message().contains("truncated"), "{error}");
    assert_eq!(map.validate().unwrap_err().kind(), ErrorKind::Io);
    drop(map);
    assert!(shared.attach().is_err());
    assert_eq!(fs::metadata(&path).unwrap().len(), 4096);
}

#[test]
fn a_limit_of_file_sizes_is_a_full_disk() {
    let (_folder, path) = folder();
    let mut other = Process::start("limited", &path);
    assert_eq!(other.answer(), "Full");
    other.end();
    assert!(!path.exists());
}

#[test]
fn a_limit_of_descriptors_is_an_error() {
    let (_folder, path) = folder();
    let mut other = Process::start("descriptors", &path);
    assert_eq!(other.answer(), "Io Some(10)");
    other.end();
}
