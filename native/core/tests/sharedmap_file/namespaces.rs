//! Processes in namespaces of their own: of process ids, and of mounts, with a small disk.
//!
//! Where unprivileged user namespaces are not allowed, these tests show nothing.

use crate::children::{Process, say, wait_for_line};
use crate::{creating, folder, get, holder, lock_all, open, open_with, options, set};
use offheap_core::ErrorKind;
use offheap_core::mmap::file::Mode;
use offheap_core::sharedmap::file::OpenOptions;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::fd::FromRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

#[test]
fn a_process_in_another_pid_namespace_is_known_to_be_alive_or_dead() {
    let (_folder, path) = folder();
    let (_shared, map) = open(&path).unwrap();
    let mut other = Process::start("namespace", &path);
    let answer = other.answer();
    if answer == "no namespaces" {
        return;
    }
    // Its process id is 1 there.
    assert_eq!(answer, "locked");
    assert_eq!(map.stats().participants, 2);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let (_shared, map) = open(&path).unwrap();
            set(&map, 1, 10).unwrap();
        });
        std::thread::sleep(Duration::from_millis(100));
        assert!(!writer.is_finished());
        other.go_on();
        assert_eq!(other.answer(), "killed");
        writer.join().unwrap();
    });
    assert_eq!((map.stats().participants, get(&map, 1)), (1, Some(10)));
    map.validate().unwrap();
    other.end();
}

/// Starts a process in a PID namespace of its own, which locks the map until it is killed.
pub(crate) fn in_pid_namespace(path: &Path) {
    let (ready, is_ready) = pipe();
    let (started, is_started) = pipe();
    // SAFETY: the child only runs code of this file, and exits.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: as above. A user namespace must be made by a process with one thread.
        unsafe {
            if libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWPID) != 0 {
                libc::_exit(1);
            }
            let first = libc::fork();
            if first == 0 {
                lock_for_ever(path, is_ready);
            }
            if (&ready).read_exact(&mut [0]).is_ok() {
                (&is_started).write_all(&first.to_ne_bytes()).unwrap();
            }
            libc::waitpid(first, std::ptr::null_mut(), 0);
            libc::_exit(0);
        }
    }
    drop((is_ready, is_started));
    let mut number = [0; 4];
    if (&started).read_exact(&mut number).is_err() {
        say("no namespaces");
        return;
    }
    say("locked");
    wait_for_line();
    // SAFETY: a process that this one started, by its number in this namespace.
    unsafe {
        libc::kill(i32::from_ne_bytes(number), libc::SIGKILL);
        libc::waitpid(child, std::ptr::null_mut(), 0);
    }
    say("killed");
}

fn lock_for_ever(path: &Path, is_ready: File) -> ! {
    let (shared, map) = open(path).unwrap();
    lock_all(&shared, &map, holder(&shared, &map));
    assert_eq!(std::process::id(), 1);
    (&is_ready).write_all(&[1]).unwrap();
    loop {
        std::thread::park();
    }
}

/// The ends of a pipe, for reading and for writing.
fn pipe() -> (File, File) {
    let mut ends = [0; 2];
    // SAFETY: `ends` has room for two descriptors, each of which gets one owner.
    unsafe {
        assert_eq!(libc::pipe(ends.as_mut_ptr()), 0);
        (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1]))
    }
}

#[test]
fn a_full_disk_refuses_or_evicts_and_never_faults() {
    let (_folder, path) = folder();
    let mut other = Process::start("full", &path);
    let answer = other.answer();
    // Without user namespaces there is no disk to fill.
    assert!(answer == "right" || answer == "no namespaces", "{answer}");
    other.end();
}

/// Fills a small disk, on which a map has room for a part of its pages only.
pub(crate) fn full_disk(path: &Path) {
    let disk = path.with_file_name("disk");
    fs::create_dir(&disk).unwrap();
    // The harness has other threads, which a new user namespace does not allow.
    // SAFETY: the child only runs code of this file, and exits.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let answer = if mount_small_disk(&disk) { on_small_disk(&disk) } else { "no namespaces".into() };
        say(&answer);
        // SAFETY: ends the child without running destructors of its parent.
        unsafe { libc::_exit(0) };
    }
    // SAFETY: the child of this process.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
}

fn mount_small_disk(disk: &Path) -> bool {
    let (user, group) = {
        let about = fs::metadata("/proc/self").unwrap();
        (about.uid(), about.gid())
    };
    // SAFETY: the strings are terminated by NUL.
    unsafe {
        if libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNS) != 0 {
            return false;
        }
        fs::write("/proc/self/setgroups", "deny").ok();
        fs::write("/proc/self/uid_map", format!("0 {user} 1")).ok();
        fs::write("/proc/self/gid_map", format!("0 {group} 1")).ok();
        let target = std::ffi::CString::new(disk.as_os_str().as_encoded_bytes()).unwrap();
        let kind = c"tmpfs".as_ptr();
        libc::mount(kind, target.as_ptr(), kind, 0, c"size=1m".as_ptr().cast()) == 0
    }
}

fn on_small_disk(disk: &Path) -> String {
    // A map of which one disk has all tables, and a few pages.
    let bound = 4 << 20;
    for reject in [false, true] {
        let path = disk.join("map");
        let mut create = options(bound);
        create.schema.flags = u32::from(reject);
        let opening = OpenOptions { create: Some(create), ..OpenOptions::new(Mode::Write) };
        let Ok((_shared, map)) = open_with(&path, &opening) else { return "opening failed".into() };
        let mut full = 0;
        for key in 0..200_000 {
            match set(&map, key, u64::from(key)) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::Full => full += 1,
                Err(_) => return "another error".into(),
            }
        }
        if (full > 0) != reject {
            return if reject { "nothing was refused".into() } else { "something was refused".into() };
        }
        if map.stats().evictions == 0 && !reject {
            return "nothing was evicted".into();
        }
        if let Err(error) = map.validate() {
            return error.to_string();
        }
        if !(0..200_000).all(|key| get(&map, key).is_none_or(|value| value == key.into())) {
            return "a value is wrong".into();
        }
        drop(map);
        fs::remove_file(&path).unwrap();
    }
    // No room for the tables.
    fs::write(disk.join("other"), vec![1; 900 << 10]).unwrap();
    match open_with(&disk.join("map"), &creating(bound)) {
        Err(error) if error.kind() == ErrorKind::Full => "right".into(),
        _ => "a map without room was created".into(),
    }
}
