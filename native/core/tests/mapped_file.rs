//! Files in memory, by each strategy: the same bytes in all cases; invalid ranges; files that
//! change.
#![cfg(not(miri))]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::ErrorKind;
use offheap_core::mmap::file::Mode;
use offheap_core::mmap::mapped_file::{MappedFile, Options};
use offheap_core::mmap::strategy::{Pattern, Strategy, Thresholds};
use offheap_core::region::numbers::Numbers;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|i| (i * 31 + (i >> 8) * 7) as u8).collect()
}

fn write(folder: &tempfile::TempDir, length: usize) -> PathBuf {
    let path = folder.path().join(format!("file-{length}"));
    std::fs::write(&path, bytes(length)).unwrap();
    path
}

fn with(strategy: Strategy, mode: Mode) -> Options {
    let thresholds = Thresholds { strategy: Some(strategy), ..Thresholds::default() };
    Options { mode, thresholds, ..Options::default() }
}

fn all(file: &MappedFile) -> Vec<u8> {
    let mut target = vec![0; file.bytes().1];
    file.read(0, &mut target).unwrap();
    target
}

const WAYS: [Strategy; 4] = [Strategy::Buffered, Strategy::Mmap, Strategy::HugePage, Strategy::Copy];

#[test]
fn every_strategy_gives_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    for length in [0, 1, 63, 4095, 4096, 4097, 65_536, 65_537, 5_000_000] {
        let path = write(&folder, length);
        let automatic = MappedFile::open(&path, &Options::default()).unwrap();
        let expected = if length <= 65_536 { Strategy::Buffered } else { Strategy::Mmap };
        assert_eq!(automatic.strategy(), expected, "{length}");
        assert_eq!(all(&automatic), bytes(length));
        for strategy in WAYS {
            let mut options = with(strategy, Mode::Read);
            options.populate = true;
            options.pattern = Pattern::Sequential;
            let file = MappedFile::open(&path, &options).unwrap();
            assert_eq!(all(&file), bytes(length), "{strategy:?} {length}");
            let (resident, pages) = file.resident().unwrap();
            assert_eq!(resident, pages, "{strategy:?} {length}");
            let length = length as u64;
            for (offset, count) in
                [(0, length + 1), (length, 1), (u64::MAX, 1), (1, u64::MAX), (length + 1, 0)]
            {
                let error = file.prefetch(offset, count).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Range, "{offset} {count}");
            }
            file.prefetch(0, length).unwrap();
            assert_eq!(file.flush().unwrap_err().kind(), ErrorKind::Unsupported);
        }
    }
}

#[test]
fn stores_reach_the_file() {
    let folder = tempfile::tempdir().unwrap();
    for strategy in WAYS {
        let path = write(&folder, 300_000);
        let file = MappedFile::open(&path, &with(strategy, Mode::Write)).unwrap();
        let (base, length) = file.bytes();
        // SAFETY: the byte is within the bytes of a file opened for writing.
        unsafe { base.add(length - 1).write(0xEE) };
        file.flush().unwrap();
        assert_eq!(std::fs::read(&path).unwrap()[length - 1], 0xEE, "{strategy:?}");
    }
    // A file opened for writing is mapped by default, regardless of its size.
    let path = write(&folder, 100);
    let options = Options { mode: Mode::Write, ..Options::default() };
    let file = MappedFile::open(&path, &options).unwrap();
    assert_eq!(file.strategy(), Strategy::Mmap);
    // SAFETY: as above.
    unsafe { file.bytes().0.write(0xAA) };
    assert_eq!(std::fs::read(&path).unwrap()[0], 0xAA, "other readers see it immediately");
}

#[test]
fn refresh_follows_a_file_that_grew_shrank_or_changed() {
    let folder = tempfile::tempdir().unwrap();
    for strategy in WAYS {
        let path = write(&folder, 200_000);
        let mut file = MappedFile::open(&path, &with(strategy, Mode::Read)).unwrap();
        std::fs::write(&path, bytes(900_000)).unwrap();
        assert_eq!(file.refresh().unwrap(), 900_000);
        assert_eq!(all(&file), bytes(900_000), "{strategy:?}");
        OpenOptions::new().write(true).open(&path).unwrap().set_len(100).unwrap();
        assert_eq!(file.refresh().unwrap(), 100);
        assert_eq!(all(&file), bytes(100), "{strategy:?}");
        OpenOptions::new().write(true).open(&path).unwrap().set_len(0).unwrap();
        assert_eq!(file.refresh().unwrap(), 0);
        std::fs::write(&path, bytes(300_000)).unwrap();
        assert_eq!(file.refresh().unwrap(), 300_000);
        assert_eq!(all(&file), bytes(300_000), "{strategy:?}");
    }
}

#[cfg(unix)]
#[test]
fn truncation_is_an_error_for_mappings_and_does_not_affect_copies() {
    let folder = tempfile::tempdir().unwrap();
    for strategy in WAYS {
        let path = write(&folder, 400_000);
        let file = MappedFile::open(&path, &with(strategy, Mode::Read)).unwrap();
        OpenOptions::new().write(true).open(&path).unwrap().set_len(1000).unwrap();
        let mut target = vec![1; 400_000];
        match file.read(0, &mut target) {
            Ok(()) => assert!(!file.strategy().maps() && target == bytes(400_000), "{strategy:?}"),
            Err(error) => {
                assert!(file.strategy().maps() && error.kind() == ErrorKind::Io, "{strategy:?}");
                assert!(target[4096..].iter().all(|&byte| byte == 0));
            }
        }
    }
}

#[test]
fn many_ranges_are_read_in_one_call() {
    let folder = tempfile::tempdir().unwrap();
    let expected = bytes(400_000);
    for strategy in WAYS {
        let path = write(&folder, 400_000);
        let file = MappedFile::open(&path, &with(strategy, Mode::Read)).unwrap();
        let offsets = [0u32, 399_936, 77_777, 64];
        let mut target = [0; 256];
        file.read_many(&Numbers::of(&offsets, "offsets"), 64, &mut target).unwrap();
        for (found, at) in target.chunks(64).zip(offsets) {
            assert_eq!(found, &expected[at as usize..at as usize + 64], "{strategy:?}");
        }
        let read = |offsets: &[u32], length, room: usize| {
            file.read_many(&Numbers::of(offsets, "offsets"), length, &mut vec![0; room]).map_err(|e| e.kind())
        };
        assert_eq!(read(&[399_937], 64, 64), Err(ErrorKind::Range));
        assert_eq!(read(&[0], 64, 63), Err(ErrorKind::Range));
        assert_eq!(read(&[0, 0], usize::MAX, 64), Err(ErrorKind::Range));
        assert_eq!(read(&[], usize::MAX, 0), Ok(()));
        OpenOptions::new().write(true).open(&path).unwrap().set_len(1000).unwrap();
        let cut = if file.strategy().maps() { Err(ErrorKind::Io) } else { Ok(()) };
        assert_eq!(read(&[0], 64, 64), cut, "{strategy:?}");
    }
}

#[test]
fn anything_but_a_regular_file_is_refused() {
    for path in ["", "/", "/dev/null", "/nonexistent/file"] {
        let error = MappedFile::open(Path::new(path), &Options::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io, "{path}");
    }
}

/// On a tmpfs with huge pages the strategy reports a huge page if, and only if, there is one.
#[cfg(target_os = "linux")]
#[test]
fn huge_pages_are_reported_as_obtained() {
    let folder = tempfile::tempdir().unwrap();
    let target = std::ffi::CString::new(folder.path().to_str().unwrap()).unwrap();
    // SAFETY: the strings end with a NUL.
    let mounted = unsafe {
        libc::mount(c"none".as_ptr(), target.as_ptr(), c"tmpfs".as_ptr(), 0, c"huge=always".as_ptr().cast())
    };
    if mounted != 0 {
        eprintln!("not tried: mounting a tmpfs is not allowed here");
        return;
    }
    let path = write(&folder, 16 << 20);
    let mut options = with(Strategy::HugePage, Mode::Read);
    options.populate = true;
    let file = MappedFile::open(&path, &options).unwrap();
    let (base, _) = file.bytes();
    let first = base.addr().next_multiple_of(2 << 20);
    let there = offheap_core::mmap::huge_pages::has_huge_page(first);
    assert_eq!(file.strategy() == Strategy::HugePage, there);
    assert_eq!(all(&file), bytes(16 << 20));
    drop(file);
    // SAFETY: the string ends with a NUL.
    unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
}
