//! Mapped files in a hostile environment: files of every invalid kind, and files that shrink while
//! one or many threads read them.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
#![cfg(unix)]

use offheap_core::ErrorKind;
use offheap_core::region::crc::checksum;
use offheap_core::region::file::{CopyMode, RegionFile, live_mappings};
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

const PAGE: usize = 65536; // A multiple of every page size in use.

/// The number of mappings is a property of the process, so only one test runs at a time.
fn alone() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Folder {
        Folder(tempfile::tempdir().unwrap())
    }

    /// A file of sevens.
    fn file(&self, name: &str, length: usize) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, vec![7u8; length]).unwrap();
        path
    }
}

fn cut(path: &Path, length: u64) {
    OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}

fn byte(file: &RegionFile, at: usize) -> u8 {
    let (base, length) = file.bytes();
    assert!(at < length);
    // SAFETY: the byte is within the mapping, which is alive; it is read atomically, because other
    // threads may write.
    unsafe { (*base.add(at).cast::<AtomicU8>()).load(Relaxed) }
}

fn set_byte(file: &RegionFile, at: usize, value: u8) {
    let (base, length) = file.bytes();
    assert!(at < length);
    // SAFETY: as in `byte`; only copy-on-write mappings are passed here.
    unsafe { (*base.add(at).cast::<AtomicU8>()).store(value, Relaxed) }
}

fn open(path: &Path) -> RegionFile {
    RegionFile::open(path, CopyMode::Read).unwrap()
}

#[test]
fn both_modes_show_the_file_and_neither_changes_it() {
    let _alone = alone();
    let folder = Folder::new();
    let path = folder.file("a", 3 * PAGE + 64);
    for mode in [CopyMode::Read, CopyMode::CopyOnWrite] {
        let file = RegionFile::open(&path, mode).unwrap();
        assert_eq!(file.bytes().1, 3 * PAGE + 64);
        assert!((0..3 * PAGE + 64).step_by(97).all(|at| byte(&file, at) == 7));
        if mode == CopyMode::CopyOnWrite {
            set_byte(&file, 5, 9);
            set_byte(&file, 3 * PAGE + 63, 8);
            assert_eq!((byte(&file, 5), byte(&file, 3 * PAGE + 63)), (9, 8));
        }
        assert!(!file.is_lost());
    }
    assert!(fs::read(&path).unwrap().iter().all(|&byte| byte == 7));
    assert_eq!(live_mappings(), 0);
}

#[test]
fn a_file_without_a_region_is_refused_with_its_path() {
    let _alone = alone();
    let folder = Folder::new();
    let fifo = folder.0.path().join("fifo");
    let name = std::ffi::CString::new(fifo.to_str().unwrap()).unwrap();
    // SAFETY: a valid C string.
    assert_eq!(unsafe { libc::mkfifo(name.as_ptr(), 0o600) }, 0);
    let loops = folder.0.path().join("loop");
    std::os::unix::fs::symlink(&loops, &loops).unwrap();
    let socket = folder.0.path().join("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let expected = [
        (folder.0.path().join("missing"), ErrorKind::Io, "No such file"),
        (folder.file("file", 256).join("below"), ErrorKind::Io, "Not a directory"),
        (folder.0.path().to_owned(), ErrorKind::Io, "a directory"),
        (PathBuf::from("/dev/null"), ErrorKind::Io, "not a regular file"),
        (fifo, ErrorKind::Io, "not a regular file"),
        (socket, ErrorKind::Io, ""),
        (loops, ErrorKind::Io, ""),
        (PathBuf::from(""), ErrorKind::Io, ""),
        (PathBuf::from("x".repeat(5000)), ErrorKind::Io, "too long"),
        (folder.file("empty", 0), ErrorKind::Corrupt, "empty"),
        (folder.file("one", 1), ErrorKind::Corrupt, "shorter than a header"),
        (folder.file("short", 192), ErrorKind::Corrupt, "shorter than a header"),
        (folder.file("odd", 257), ErrorKind::Corrupt, "multiple of 64 (257 bytes)"),
    ];
    for (path, kind, part) in expected {
        for mode in [CopyMode::Read, CopyMode::CopyOnWrite] {
            let error = RegionFile::open(&path, mode).err().unwrap();
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.message().contains(part), "{error}");
            assert!(error.message().contains(path.to_str().unwrap()), "{error}");
        }
    }
    assert_eq!(live_mappings(), 0);
}

#[test]
fn a_file_that_is_deleted_or_grows_stays_as_it_was_opened() {
    let _alone = alone();
    let folder = Folder::new();
    let path = folder.file("a", 256);
    let file = open(&path);
    cut(&path, 1 << 20);
    assert_eq!(file.bytes().1, 256);
    fs::remove_file(&path).unwrap();
    assert_eq!(byte(&file, 255), 7);
    assert!(!file.is_lost());
}

#[test]
fn a_sparse_terabyte_opens_or_is_refused() {
    let _alone = alone();
    let folder = Folder::new();
    let path = folder.file("huge", 0);
    if OpenOptions::new().write(true).open(&path).unwrap().set_len(1 << 40).is_err() {
        return; // This file system has no files that large.
    }
    for mode in [CopyMode::Read, CopyMode::CopyOnWrite] {
        match RegionFile::open(&path, mode) {
            Ok(file) => assert_eq!((byte(&file, 0), byte(&file, (1 << 40) - 1)), (0, 0)),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Oom, "{error}"),
        }
    }
}

#[test]
fn unmapping_keeps_the_status_and_may_be_repeated() {
    let _alone = alone();
    let folder = Folder::new();
    let path = folder.file("a", 4 * PAGE);
    let mut file = open(&path);
    cut(&path, 0);
    assert_eq!(byte(&file, 0), 0);
    assert_eq!(live_mappings(), 1);
    for _ in 0..2 {
        file.unmap();
        assert_eq!(live_mappings(), 0);
        assert!(file.bytes().0.is_null());
        assert_eq!(file.bytes().1, 0);
        assert!(file.is_lost());
    }
}

#[test]
fn a_file_that_shrinks_reads_as_zeros_from_there_on() {
    let _alone = alone();
    let folder = Folder::new();
    for mode in [CopyMode::Read, CopyMode::CopyOnWrite] {
        for (keep, forwards) in [(0, true), (0, false), (1, true), (5, false), (9, true)] {
            let path = folder.file("a", 10 * PAGE);
            let opened = Box::new(RegionFile::open(&path, mode).unwrap()); // Boxing moves it.
            let file = &*opened;
            let status = std::ptr::from_ref(file.status());
            if mode == CopyMode::CopyOnWrite {
                set_byte(file, 9 * PAGE + 1, 3);
            }
            cut(&path, (keep * PAGE) as u64);
            assert!(!file.is_lost(), "no byte was read yet");
            for index in 0..10 {
                let page = if forwards { index } else { 9 - index };
                let expected = if page < keep { 7 } else { 0 };
                assert!((0..PAGE).step_by(511).all(|at| byte(file, page * PAGE + at) == expected), "{page}");
            }
            assert!(file.is_lost());
            assert_eq!(status, std::ptr::from_ref(file.status()));
            if mode == CopyMode::CopyOnWrite {
                set_byte(file, 9 * PAGE, 4);
                assert_eq!(byte(file, 9 * PAGE), 4, "zeros are as writable as the lost bytes were");
            }
        }
    }
    assert_eq!(live_mappings(), 0);
}

#[test]
fn a_file_that_shrinks_and_grows_again_stays_lost() {
    let _alone = alone();
    let folder = Folder::new();
    let path = folder.file("a", 4 * PAGE);
    let file = open(&path);
    cut(&path, PAGE as u64);
    assert_eq!(byte(&file, 3 * PAGE), 0);
    fs::write(&path, vec![8u8; 4 * PAGE]).unwrap();
    assert_eq!(byte(&file, 3 * PAGE), 0);
    assert!(file.is_lost());
}

#[test]
fn bulk_readers_and_system_calls_survive() {
    use std::os::fd::AsRawFd;
    let _alone = alone();
    let folder = Folder::new();
    let path = folder.file("a", 64 * PAGE);
    let file = open(&path);
    cut(&path, PAGE as u64);
    let (base, length) = file.bytes();

    let sink = File::create(folder.0.path().join("b")).unwrap();
    // SAFETY: the mapping is alive and the descriptor open; the kernel reports a lost page as
    // EFAULT.
    let written = unsafe { libc::write(sink.as_raw_fd(), base.add(2 * PAGE).cast(), PAGE) };
    assert_eq!(written, -1);
    assert!(!file.is_lost(), "a system call causes no signal");

    // SAFETY: the mapping is alive.
    let sum = unsafe { checksum(base, length, 0) };
    let mut expected = vec![0u8; length];
    expected[..PAGE].fill(7);
    // SAFETY: the vector is alive.
    assert_eq!(sum, unsafe { checksum(expected.as_ptr(), length, 0) });
    assert!(file.is_lost());
}

#[test]
fn the_interrupted_code_keeps_its_errno() {
    let _alone = alone();
    let folder = Folder::new();
    let path = folder.file("a", 2 * PAGE);
    let file = open(&path);
    cut(&path, 0);
    // SAFETY: closing an invalid descriptor only sets errno.
    unsafe { libc::close(-1) };
    let read = byte(&file, PAGE);
    assert_eq!(std::io::Error::last_os_error().raw_os_error(), Some(libc::EBADF));
    assert_eq!(read, 0);
}

/// Node.js replaces the handler when a program listens for SIGBUS, and sets the default action when
/// it stops. The next file that is mapped puts ours back, in front of the new action.
#[test]
fn a_replaced_handler_is_put_back_by_the_next_file() {
    let _alone = alone();
    let folder = Folder::new();
    extern "C" fn ignore(_: libc::c_int) {}
    for action in [libc::SIG_DFL, ignore as extern "C" fn(libc::c_int) as usize] {
        let (path, other) = (folder.file("a", 4 * PAGE), folder.file("b", PAGE));
        let status = in_child(|| {
            let file = open(&path);
            // SAFETY: the action is the default, or a function that does nothing.
            unsafe { libc::signal(libc::SIGBUS, action) };
            let _other = open(&other);
            cut(&path, PAGE as u64);
            let right = byte(&file, 2 * PAGE) == 0 && file.is_lost();
            // SAFETY: ends the child, which holds nothing that must be released.
            unsafe { libc::_exit(i32::from(!right)) };
        });
        assert_eq!(status, 0);
    }
}

/// A handler that was installed after ours, and calls ours for all other addresses, is called once,
/// and then the first action, which is that of Rust's library here.
#[test]
fn handlers_that_call_each_other_do_not_loop() {
    static OURS: AtomicUsize = AtomicUsize::new(0);
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn chain(signal: libc::c_int, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
        CALLS.fetch_add(1, Relaxed);
        // SAFETY: the address is that of the handler before, which has three parameters.
        unsafe {
            let ours: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) =
                std::mem::transmute(OURS.load(Relaxed));
            ours(signal, info, context);
        }
    }
    let _alone = alone();
    let folder = Folder::new();
    let (path, other) = (folder.file("a", PAGE), folder.file("b", PAGE));
    let status = in_child(|| {
        let _file = open(&path);
        // SAFETY: zeros are a valid sigaction, and the pointers are valid.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            libc::sigaction(libc::SIGBUS, std::ptr::null(), &raw mut action);
            OURS.store(action.sa_sigaction, Relaxed);
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = chain;
            action.sa_sigaction = handler as usize;
            libc::sigaction(libc::SIGBUS, &raw const action, std::ptr::null_mut());
        }
        let _other = open(&other);
        // SAFETY: the second ends the child, which holds nothing that must be released.
        unsafe {
            libc::raise(libc::SIGBUS);
            libc::_exit(CALLS.load(Relaxed) as i32);
        }
    });
    assert!(libc::WIFEXITED(status), "{status}");
    assert_eq!(libc::WEXITSTATUS(status), 1);
}

#[test]
fn scattered_faults_do_not_use_up_the_map_entries() {
    let _alone = alone();
    let folder = Folder::new();
    let path = folder.file("a", 0);
    cut(&path, 1 << 30);
    let file = open(&path);
    cut(&path, 0);
    // Every second page, last to first: handled page by page, this would be twice the number of
    // entries that Linux allows.
    for at in (0..1usize << 30).step_by(8192).rev() {
        assert_eq!(byte(&file, at), 0);
    }
    #[cfg(target_os = "linux")]
    assert!(fs::read_to_string("/proc/self/maps").unwrap().lines().count() < 2000);
    assert!(file.is_lost());
}

#[test]
fn only_the_file_that_shrank_is_lost_among_many() {
    let _alone = alone();
    let folder = Folder::new();
    // More files than fit into the first block of the registry, and again in the slots that became
    // vacant.
    for round in 0..3 {
        let mut files: Vec<_> = (0..300)
            .map(|index| {
                let path = folder.file(&format!("{index}"), PAGE);
                (open(&path), path)
            })
            .collect();
        for (index, (file, path)) in files.iter().enumerate() {
            if index % 3 == round {
                cut(path, 0);
            }
            assert_eq!(byte(file, PAGE / 2), if index % 3 == round { 0 } else { 7 });
        }
        for (index, (file, _)) in files.iter().enumerate() {
            assert_eq!(file.is_lost(), index % 3 == round, "{index}");
        }
        files.retain(|(file, _)| !file.is_lost());
        assert_eq!(live_mappings(), files.len());
    }
    assert_eq!(live_mappings(), 0);
}

#[test]
fn threads_fault_together() {
    let _alone = alone();
    let folder = Folder::new();
    let sound = folder.file("sound", 16 * PAGE);
    let sound = open(&sound);
    for _ in 0..30 {
        let path = folder.file("a", 64 * PAGE);
        let file = open(&path);
        let start = std::sync::Barrier::new(5);
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let (file, sound, start) = (&file, &sound, &start);
                scope.spawn(move || {
                    start.wait();
                    for index in 0..64 {
                        let page = (index * (2 * thread + 1)) % 64;
                        // Some threads read before the truncation, some after it; no thread
                        // crashes, and none sees a third value.
                        assert!(matches!(byte(file, page * PAGE), 0 | 7));
                        assert_eq!(byte(sound, (page % 16) * PAGE), 7);
                    }
                });
            }
            start.wait();
            cut(&path, 0);
        });
        assert_eq!(byte(&file, 0), 0);
        assert!(file.is_lost());
    }
    assert!(!sound.is_lost());
}

#[test]
fn threads_open_and_close_while_others_fault() {
    let _alone = alone();
    let folder = Folder::new();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for thread in 0..2 {
            let (folder, stop) = (&folder, &stop);
            scope.spawn(move || {
                let path = folder.file(&format!("steady{thread}"), PAGE);
                while !stop.load(Relaxed) {
                    drop(open(&path));
                }
            });
        }
        for thread in 0..2 {
            let (folder, stop) = (&folder, &stop);
            scope.spawn(move || {
                let path = folder.file(&format!("lossy{thread}"), PAGE);
                for _ in 0..2000 {
                    cut(&path, PAGE as u64);
                    let file = open(&path);
                    cut(&path, 0);
                    assert_eq!(byte(&file, PAGE - 1), 0);
                    assert!(file.is_lost());
                }
                stop.store(true, Relaxed);
            });
        }
    });
    assert_eq!(live_mappings(), 0);
}

#[cfg(target_os = "linux")]
#[test]
fn ten_thousand_mappings_leave_no_resources() {
    let _alone = alone();
    let folder = Folder::new();
    let path = folder.file("a", PAGE);
    let wrong = folder.file("b", 257);
    let count = || {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let mapped = maps.lines().filter(|line| line.contains(folder.0.path().to_str().unwrap())).count();
        (fs::read_dir("/proc/self/fd").unwrap().count(), mapped)
    };
    let before = count();
    for _ in 0..10_000 {
        drop(open(&path));
        assert!(RegionFile::open(&wrong, CopyMode::Read).is_err());
    }
    assert_eq!(count(), before);
    assert_eq!(live_mappings(), 0);
}

/// Memory as an engine owns it: dropped by unmapping all of it, regardless of any mappings moved
/// there.
#[cfg(target_os = "linux")]
fn engine_memory(length: usize) -> memmap2::MmapRaw {
    memmap2::MmapRaw::from(memmap2::MmapOptions::new().len(length).map_anon().unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn a_moved_file_lives_as_long_as_the_memory_it_was_moved_to() {
    let _alone = alone();
    let folder = Folder::new();
    let path = folder.file("a", 4 * PAGE + 64);
    for cut_it in [false, true] {
        let memory = engine_memory(6 * PAGE);
        let mut file = RegionFile::open(&path, CopyMode::CopyOnWrite).unwrap();
        set_byte(&file, 1, 9);
        // SAFETY: the memory is ours, private, and unmapped as a whole when dropped.
        unsafe { file.move_to(memory.as_mut_ptr(), 6 * PAGE) }.unwrap();
        assert_eq!(file.bytes(), (memory.as_mut_ptr(), 4 * PAGE + 64));
        assert_eq!((byte(&file, 0), byte(&file, 1), byte(&file, 4 * PAGE + 63)), (7, 9, 7));
        assert_eq!(live_mappings(), 1);
        if cut_it {
            cut(&path, 0);
            assert_eq!((byte(&file, 4 * PAGE), file.is_lost()), (0, true));
        }
        file.unmap();
        file.unmap();
        assert_eq!(live_mappings(), 0);
        // SAFETY: the memory is still mapped, and contains zeros.
        assert!((0..6 * PAGE).step_by(64).all(|at| unsafe { *memory.as_ptr().add(at) } == 0));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_move_that_is_refused_changes_nothing() {
    let _alone = alone();
    let folder = Folder::new();
    let path = folder.file("a", PAGE + 64);
    let memory = engine_memory(4 * PAGE);
    let mut file = RegionFile::open(&path, CopyMode::CopyOnWrite).unwrap();
    let before = file.bytes();
    for (offset, capacity) in [(1, 3 * PAGE), (64, 3 * PAGE), (0, PAGE), (0, PAGE + 64), (0, 0)] {
        // SAFETY: the range is within the memory.
        let refused = unsafe { file.move_to(memory.as_mut_ptr().add(offset), capacity) };
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Range, "{offset} {capacity}");
        assert_eq!((file.bytes(), byte(&file, 5)), (before, 7));
    }
    // SAFETY: nothing is moved to null.
    assert!(unsafe { file.move_to(std::ptr::null_mut(), 4 * PAGE) }.is_err());
    cut(&path, 0);
    assert_eq!((byte(&file, PAGE), file.is_lost()), (0, true), "it is still watched at its old address");
    file.unmap();
    // SAFETY: there is nothing to move.
    let refused = unsafe { file.move_to(memory.as_mut_ptr(), 4 * PAGE) };
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Closed);
}

#[cfg(target_os = "linux")]
#[test]
fn a_reused_address_is_watched_for_its_new_owner_only() {
    let _alone = alone();
    let folder = Folder::new();
    let (first, second) = (folder.file("a", 4 * PAGE), folder.file("b", 2 * PAGE));
    let memory = engine_memory(4 * PAGE);
    let mut stale = RegionFile::open(&first, CopyMode::CopyOnWrite).unwrap();
    // SAFETY: the memory is ours; the second move simulates an engine that freed and reused it.
    let mut file = unsafe {
        stale.move_to(memory.as_mut_ptr(), 4 * PAGE).unwrap();
        let mut file = RegionFile::open(&second, CopyMode::CopyOnWrite).unwrap();
        file.move_to(memory.as_mut_ptr().add(PAGE), 2 * PAGE).unwrap();
        file
    };
    cut(&second, PAGE as u64);
    assert_eq!((byte(&file, PAGE), byte(&file, 0)), (0, 7));
    assert!(file.is_lost() && !stale.is_lost());
    // A late finalizer does not affect the new mapping.
    stale.forget();
    cut(&second, 0);
    assert_eq!(byte(&file, 0), 0);
    // SAFETY: the memory around the second file was not affected by its loss.
    assert_eq!(unsafe { *memory.as_ptr().add(3 * PAGE) }, 7);
    file.forget();
    assert_eq!(live_mappings(), 0);
}

/// A file of sevens, moved into memory with room for a marker, whose handle was dropped.
#[cfg(target_os = "linux")]
fn detached(path: &Path) -> memmap2::MmapRaw {
    let memory = engine_memory(4 * PAGE);
    let mut file = RegionFile::open(path, CopyMode::CopyOnWrite).unwrap();
    // SAFETY: the memory is ours, private, and unmapped as a whole when dropped.
    unsafe { file.move_to(memory.as_mut_ptr(), 4 * PAGE) }.unwrap();
    memory
}

#[cfg(target_os = "linux")]
fn load(memory: &memmap2::MmapRaw, at: usize) -> u8 {
    // SAFETY: the memory is mapped until it is dropped.
    unsafe { (*memory.as_mut_ptr().add(at).cast::<AtomicU8>()).load(Relaxed) }
}

#[cfg(target_os = "linux")]
#[test]
fn a_moved_file_is_watched_as_long_as_its_memory_lives() {
    let _alone = alone();
    let folder = Folder::new();
    // Enough files that detached mappings whose memory is gone were scanned several times.
    for round in 0..1000 {
        let path = folder.file("a", 3 * PAGE);
        let memory = detached(&path);
        let second = (round % 10 == 0).then(|| (detached(&path), engine_memory(PAGE)));
        cut(&path, PAGE as u64);
        assert_eq!((load(&memory, 0), load(&memory, PAGE), load(&memory, 3 * PAGE - 1)), (7, 0, 0));
        if let Some((second, _)) = second {
            assert_eq!((load(&second, 3 * PAGE - 1), load(&second, 0)), (0, 7));
        }
    }
    assert_eq!(live_mappings(), 0);
}

/// Runs `body` in a child process, and returns its exit status as waitpid reports it.
#[cfg(target_os = "linux")]
fn in_child(body: impl FnOnce()) -> i32 {
    // SAFETY: the child only reads and maps memory, and exits without unwinding.
    unsafe {
        match libc::fork() {
            0 => {
                body();
                libc::_exit(0);
            }
            child => {
                let mut status = 0;
                assert_eq!(libc::waitpid(child, &raw mut status, 0), child);
                status
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_mapping_at_the_former_address_of_a_moved_file_is_not_touched() {
    use std::os::fd::AsRawFd;
    let _alone = alone();
    let folder = Folder::new();
    let (path, foreign) = (folder.file("a", 3 * PAGE), folder.file("b", 4 * PAGE));
    let memory = detached(&path);
    let base = memory.as_mut_ptr();
    // Freed, and reused by another owner, who maps the same file at the same address.
    for file in [&foreign, &path] {
        let descriptor = File::open(file).unwrap();
        // SAFETY: this maps over memory of our own.
        let at = unsafe {
            let flags = libc::MAP_PRIVATE | libc::MAP_FIXED;
            libc::mmap(base.cast(), 4 * PAGE, libc::PROT_READ, flags, descriptor.as_raw_fd(), 0)
        };
        assert_eq!(at, base.cast());
        assert_eq!(load(&memory, PAGE), 7);
        cut(file, 0);
        let status = in_child(|| {
            load(&memory, PAGE);
        });
        assert!(libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGBUS, "{status}");
    }
}
