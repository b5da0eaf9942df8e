//! The persistent vector on real files: growth, reopening, locks, concurrent readers, a full disk,
//! invalid files.
#![cfg(not(miri))]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::ErrorKind;
use offheap_core::mmap::commit::DATA_OFFSET;
use offheap_core::mmap::file::VectorFile;
use offheap_core::mmap::mapping::{Access, Window};
use offheap_core::mmap::vector::{Mode, Options, RawMmapVector};
use offheap_core::region::element::Type;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        // In memory, if there is such a file system: the simulator tests syncing.
        let shared = Path::new("/dev/shm");
        Folder(if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() }.unwrap())
    }
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}

fn create(path: &Path) -> RawMmapVector {
    RawMmapVector::create(path, Type::U64, Options::default()).unwrap()
}

fn reopen(path: &Path, mode: Mode) -> RawMmapVector {
    RawMmapVector::open(path, mode, Options::default()).unwrap()
}

fn contents(vector: &RawMmapVector) -> Vec<u64> {
    (0..vector.len()).map(|i| vector.get(i).unwrap()).collect()
}

#[test]
fn flushed_elements_survive_reopening_and_others_do_not() {
    let folder = Folder::new();
    let path = folder.path("numbers");
    let mut vector = create(&path);
    for i in 0..100_000 {
        vector.push(i * 3).unwrap();
    }
    vector.flush().unwrap();
    vector.push(7).unwrap();
    assert_eq!((vector.len(), vector.committed()), (100_001, 100_000));
    vector.validate().unwrap();
    vector.close();
    assert_eq!(path.metadata().unwrap().len(), 65_536 + 800_000, "unused blocks are returned");

    let mut vector = reopen(&path, Mode::Write);
    assert!(!vector.recovered());
    assert_eq!(contents(&vector), (0..100_000).map(|i| i * 3).collect::<Vec<_>>());
    assert_eq!(vector.get(100_000), None);
    vector.push(5).unwrap();
    vector.flush().unwrap();
    drop(vector);
    let mut reader = reopen(&path, Mode::Read);
    assert_eq!((reader.len(), reader.get(100_000)), (100_001, Some(5)));
    for refused in [reader.push(1), reader.set(0, 1), reader.truncate(0), reader.reserve(1), reader.flush()] {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unsupported);
    }
    reader.validate().unwrap();
}

/// On a disk, whose file system has large pages, and in memory.
#[test]
fn elements_survive_the_use_of_large_pages() {
    for folder in [Folder::new(), Folder(tempfile::tempdir().unwrap())] {
        let path = folder.path("numbers");
        let mut vector = create(&path);
        let append = |vector: &mut RawMmapVector, count: u64| {
            (0..count).for_each(|_| vector.push(vector.len() ^ 99).unwrap());
        };
        for _ in 0..3 {
            append(&mut vector, 600_000);
            vector.flush().unwrap();
            vector.truncate(vector.len() - 300_000).unwrap();
            // These commits cover fewer elements.
            vector.flush().unwrap();
            append(&mut vector, 10);
            vector.flush().unwrap();
            append(&mut vector, 5000);
            vector.flush().unwrap();
            vector.validate().unwrap();
            assert!((0..vector.len()).all(|i| vector.get(i) == Some(i ^ 99)));
        }
        // Dropped but not flushed: the latest commit still covers the elements, regardless of the
        // pages after it.
        let whole = vector.len();
        append(&mut vector, 600_000);
        vector.truncate(whole - 200_000).unwrap();
        drop(vector);
        let reader = reopen(&path, Mode::Read);
        assert_eq!(reader.len(), whole);
        reader.validate().unwrap();
    }
}

#[test]
fn every_width_is_stored_as_it_is() {
    let folder = Folder::new();
    for ty in Type::ALL.into_iter().filter(|ty| ty.is_numeric()) {
        let path = folder.path(&format!("{ty:?}"));
        let mut vector = RawMmapVector::create(&path, ty, Options::default()).unwrap();
        let mask = u64::MAX >> (64 - 8 * ty.width());
        let value = |i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15) & mask;
        (0..5000).for_each(|i| vector.push(value(i)).unwrap());
        vector.flush().unwrap();
        drop(vector);
        let vector = reopen(&path, Mode::Read);
        assert_eq!(vector.element_type(), ty);
        assert!((0..5000).all(|i| vector.get(i) == Some(value(i))), "{ty:?}");
    }
    let error = RawMmapVector::create(&folder.path("text"), Type::String, Options::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Type);
    assert!(!folder.path("text").exists());
    assert_eq!(std::fs::read_dir(folder.0.path()).unwrap().count(), 10, "no temporary file is left");
}

#[test]
fn flushed_elements_do_not_change_in_place() {
    let folder = Folder::new();
    let path = folder.path("numbers");
    let mut vector = create(&path);
    (0..10).for_each(|i| vector.push(i).unwrap());
    vector.set(3, 33).unwrap();
    vector.flush().unwrap();
    assert_eq!(vector.set(3, 34).unwrap_err().kind(), ErrorKind::Unsupported);
    assert_eq!(vector.set(10, 34).unwrap_err().kind(), ErrorKind::Range);
    vector.push(10).unwrap();
    vector.set(10, 100).unwrap();
    // When flushed elements are dropped and others stored, the shorter length is committed in
    // between.
    assert_eq!(vector.pop().unwrap(), Some(100));
    assert_eq!(vector.pop().unwrap(), Some(9));
    assert_eq!((vector.len(), vector.committed()), (9, 10));
    assert_eq!(reopen(&path, Mode::Read).len(), 10);
    vector.push(99).unwrap();
    assert_eq!((vector.len(), vector.committed()), (10, 9));
    assert_eq!(contents(&reopen(&path, Mode::Read)), [0, 1, 2, 33, 4, 5, 6, 7, 8]);
    vector.truncate(100).unwrap();
    vector.truncate(0).unwrap();
    assert_eq!(vector.pop().unwrap(), None);
    vector.flush().unwrap();
    assert_eq!(reopen(&path, Mode::Read).len(), 0);
}

#[test]
fn a_second_writer_is_refused_and_readers_follow() {
    let folder = Folder::new();
    let path = folder.path("numbers");
    let mut writer = create(&path);
    let error = RawMmapVector::open(&path, Mode::Write, Options::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Locked);
    let mut reader = reopen(&path, Mode::Read);
    for round in 1..=20u64 {
        (0..30_000).for_each(|i| writer.push(round * i).unwrap());
        assert_eq!(reader.refresh().unwrap(), (round - 1) * 30_000);
        writer.flush().unwrap();
        assert_eq!(reader.refresh().unwrap(), round * 30_000);
        assert_eq!(reader.get(round * 30_000 - 1), Some(round * 29_999));
    }
    drop(writer);
    reopen(&path, Mode::Write).push(1).unwrap();
    assert_eq!(
        RawMmapVector::create(&path, Type::U64, Options::default()).unwrap_err().kind(),
        ErrorKind::Io
    );
    assert_eq!(reopen(&path, Mode::Read).len(), 600_000, "a refused creation leaves the file unchanged");
}

#[test]
fn readers_in_other_threads_see_whole_commits_only() {
    let folder = Folder::new();
    let path = folder.path("numbers");
    let mut writer = create(&path);
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut reader = reopen(&path, Mode::Read);
                let mut before = 0;
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let len = reader.refresh().unwrap();
                    assert!(len >= before && len.is_multiple_of(7), "{len} after {before}");
                    (before..len).for_each(|i| assert_eq!(reader.get(i), Some(i ^ 5)));
                    reader.validate().unwrap();
                    before = len;
                }
            });
        }
        for _ in 0..60 {
            (0..7).for_each(|_| writer.push(writer.len() ^ 5).unwrap());
            writer.flush().unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn a_vector_of_fixed_size_is_full_and_nothing_is_lost() {
    let folder = Folder::new();
    let path = folder.path("numbers");
    let mut vector = RawMmapVector::create(&path, Type::U32, Options::real_time(1000)).unwrap();
    (0..1000).for_each(|i| vector.push(i).unwrap());
    assert_eq!(vector.push(1).unwrap_err().kind(), ErrorKind::Full);
    vector.pop().unwrap();
    vector.push(5).unwrap();
    vector.flush().unwrap();
    assert_eq!(reopen(&path, Mode::Read).get(999), Some(5));
}

/// Mounts a small tmpfs; `None` if that is not permitted.
fn small_disk(folder: &Path, bytes: usize) -> Option<()> {
    let options = std::ffi::CString::new(format!("size={bytes}")).unwrap();
    let target = std::ffi::CString::new(folder.to_str().unwrap()).unwrap();
    // SAFETY: the strings end with a NUL.
    let result = unsafe {
        libc::mount(c"none".as_ptr(), target.as_ptr(), c"tmpfs".as_ptr(), 0, options.as_ptr().cast())
    };
    (result == 0).then_some(())
}

#[test]
fn a_full_disk_is_an_error_and_nothing_is_lost() {
    let folder = Folder::new();
    let disk = folder.path("disk");
    std::fs::create_dir(&disk).unwrap();
    if small_disk(&disk, 2 << 20).is_none() {
        eprintln!("not tried: mounting a tmpfs is not allowed here");
        return;
    }
    let path = disk.join("numbers");
    let mut vector = create(&path);
    let mut pushed = 0u64;
    let error = loop {
        match vector.push(pushed) {
            Ok(()) => pushed += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::Full, "{error}");
    assert!(pushed > 200_000, "{pushed}");
    assert_eq!(vector.len(), pushed);
    vector.flush().unwrap();
    assert_eq!(vector.push(1).unwrap_err().kind(), ErrorKind::Full);
    drop(vector);
    let vector = reopen(&path, Mode::Read);
    assert_eq!(vector.len(), pushed);
    assert!((0..pushed).all(|i| vector.get(i) == Some(i)));
    drop(vector);
    let target = std::ffi::CString::new(disk.to_str().unwrap()).unwrap();
    // SAFETY: the string ends with a NUL.
    unsafe { libc::umount2(target.as_ptr(), libc::MNT_DETACH) };
}

#[test]
fn the_limit_of_file_sizes_is_an_error_that_names_it() {
    let folder = Folder::new();
    let path = folder.path("numbers");
    // In a child process, because a lowered limit cannot be raised again; with the signal at its
    // default, which would terminate it.
    // SAFETY: the child makes system calls, allocates a little, and exits.
    let status = unsafe {
        let child = libc::fork();
        if child == 0 {
            libc::signal(libc::SIGXFSZ, libc::SIG_DFL);
            let limit = libc::rlimit { rlim_cur: 1 << 20, rlim_max: 1 << 20 };
            libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit);
            let mut vector = create(&path);
            let mut pushed = 0u64;
            let error = loop {
                match vector.push(pushed) {
                    Ok(()) => pushed += 1,
                    Err(error) => break error,
                }
            };
            let named = error.kind() == ErrorKind::Full && error.message().contains("1048576");
            let flushed = vector.flush().is_ok();
            libc::_exit(i32::from(!(named && flushed && pushed > 100_000)));
        }
        let mut status = -1;
        libc::waitpid(child, &raw mut status, 0);
        status
    };
    assert_eq!(status, 0);
    assert!(reopen(&path, Mode::Read).len() > 100_000);
}

/// The records of commits lie at 32 KiB, so a lower limit is an error of `open` and of `flush`.
/// Each part runs in a child process, because a lowered limit cannot be raised again.
#[test]
fn a_limit_below_the_records_is_an_error_and_no_signal() {
    let folder = Folder::new();
    let path = folder.path("numbers");
    let mut vector = create(&path);
    (0..500).for_each(|i| vector.push(i).unwrap());
    vector.flush().unwrap();
    drop(vector);
    for limit in [4096, 16_384, 32_767, 32_768] {
        for lowered_after_opening in [false, true] {
            // SAFETY: the child makes system calls, allocates a little, and exits.
            let status = unsafe {
                let child = libc::fork();
                if child == 0 {
                    libc::signal(libc::SIGXFSZ, libc::SIG_DFL);
                    let lower = || {
                        let limit = libc::rlimit { rlim_cur: limit, rlim_max: limit };
                        libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit);
                    };
                    let open = || RawMmapVector::open(&path, Mode::Write, Options::default());
                    let refused = if lowered_after_opening {
                        let mut vector = open().unwrap();
                        lower();
                        vector.push(1).and_then(|()| vector.flush()).unwrap_err()
                    } else {
                        lower();
                        match open() {
                            Ok(mut vector) => vector.push(1).and_then(|()| vector.flush()).unwrap_err(),
                            Err(error) => error,
                        }
                    };
                    libc::_exit(i32::from(refused.kind() != ErrorKind::Full));
                }
                let mut status = -1;
                libc::waitpid(child, &raw mut status, 0);
                status
            };
            assert_eq!(status, 0, "limit {limit}, lowered after opening: {lowered_after_opening}");
        }
    }
    assert_eq!(reopen(&path, Mode::Read).len(), 500);
}

/// A mapping keeps the open file, and with it the lock: JavaScript's memory does so until it is
/// collected.
#[test]
fn closing_releases_the_lock_even_if_a_mapping_remains() {
    let folder = Folder::new();
    let path = folder.path("numbers");
    let file = VectorFile::create(&path, Type::U64).unwrap();
    file.allocate(1000).unwrap();
    let mut window = Window::new(DATA_OFFSET, Access::Write).unwrap();
    window.grow(file.file(), 8000).unwrap();
    let refused = VectorFile::open(&path, Mode::Write).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Locked);
    drop(file);
    let again = VectorFile::open(&path, Mode::Write).unwrap();
    // The file is still mapped, and was truncated to the committed length.
    assert_eq!(window.len(), 8000);
    drop((again, window));
}

#[test]
fn a_truncated_file_is_an_error_not_a_crash() {
    let folder = Folder::new();
    let path = folder.path("numbers");
    let mut vector = create(&path);
    (0..100_000).for_each(|i| vector.push(i).unwrap());
    vector.flush().unwrap();
    let reader = reopen(&path, Mode::Read);
    OpenOptions::new().write(true).open(&path).unwrap().set_len(65_536).unwrap();
    assert_eq!(reader.get(99_999), Some(0));
    assert_eq!(reader.check().unwrap_err().kind(), ErrorKind::Io);
    // The writer stores to memory that no longer belongs to the file, and is notified at the latest
    // when it flushes.
    let pushed = vector.push(1);
    assert!(pushed.is_ok() || pushed.unwrap_err().kind() == ErrorKind::Io);
    assert_eq!(vector.flush().unwrap_err().kind(), ErrorKind::Io);
    drop(vector);
    // The file is too short for its latest commit; the previous one, of a new file, is still valid.
    let reader = reopen(&path, Mode::Read);
    assert_eq!((reader.len(), reader.recovered()), (0, true));
}

#[test]
fn damaged_files_are_refused_or_fall_back() {
    let folder = Folder::new();
    let path = folder.path("numbers");
    let mut vector = create(&path);
    (0..1000).for_each(|i| vector.push(i).unwrap());
    vector.flush().unwrap();
    (0..1000).for_each(|i| vector.push(i).unwrap());
    vector.flush().unwrap();
    drop(vector);
    let file = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    for at in (0..256).chain(16_384..16_448).chain(32_768..32_832) {
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 0xFF], at).unwrap();
        for mode in [Mode::Read, Mode::Write] {
            match RawMmapVector::open(&path, mode, Options::default()) {
                Ok(vector) => {
                    assert!(at >= 256 && vector.recovered() && matches!(vector.len(), 1000 | 2000), "{at}");
                    vector.validate().unwrap();
                    assert_eq!(vector.get(999), Some(999));
                }
                Err(error) => {
                    assert!(matches!(
                        error.kind(),
                        ErrorKind::Corrupt | ErrorKind::Version | ErrorKind::Stale
                    ));
                }
            }
        }
        file.write_all_at(&byte, at).unwrap();
    }
    for name in ["", "/", "/dev/null", "/proc/self/mem"] {
        let error = RawMmapVector::open(Path::new(name), Mode::Read, Options::default()).unwrap_err();
        assert!(matches!(error.kind(), ErrorKind::Io | ErrorKind::Corrupt), "{name}: {error}");
        assert!(RawMmapVector::create(Path::new(name), Type::U8, Options::default()).is_err());
    }
    let empty = folder.path("empty");
    std::fs::write(&empty, b"").unwrap();
    let error = RawMmapVector::open(&empty, Mode::Write, Options::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}
