//! The bytes of a file on its disk: allocated before they are used, and returned afterward.
//!
//! A store to a hole of a mapped file faults if the disk is full (SIGBUS). So the file system has
//! allocated every byte before anything is stored there: `fallocate`, or zeros where a file system
//! does not support it. The file never becomes longer: if another process truncated it, its lost
//! bytes must not come back as zeros.

use crate::mmap::storage::{check_limit, write_zeros};
use crate::{Error, ErrorKind, Result};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::path::Path;

/// Magic numbers of file systems whose contents do not survive the machine.
const TMPFS: i64 = 0x0102_1994;
const RAMFS: i64 = 0x8584_58F6;
/// Magic numbers of file systems whose files are not data.
const PROC: i64 = 0x9FA0;
const SYSFS: i64 = 0x6265_6572;

/// Sets the length of a new, empty file.
pub(super) fn extend(file: &File, length: u64) -> Result<()> {
    // The system would not only refuse a length past the limit, but send SIGXFSZ.
    check_limit(length).and_then(|()| file.set_len(length)).map_err(|error| refused(length, &error))
}

/// Ensures that a range of the file can be stored to. `Full` if the disk is full. Bytes that are
/// allocated already keep their contents, if the file system supports `fallocate`; otherwise the
/// range becomes zeros, and must be unused.
pub(super) fn allocate(file: &File, offset: u64, length: u64) -> Result<()> {
    if try_allocate(file, offset, length)? {
        return Ok(());
    }
    let end = offset + length;
    if file.metadata()?.len() < end {
        return Err(Error::new(ErrorKind::Io, "the file of the map was truncated while it was open"));
    }
    check_limit(end).and_then(|()| write_zeros(file, offset, end)).map_err(|error| refused(length, &error))
}

/// As `allocate`. `false` if the file system does not support that without writing.
pub(super) fn try_allocate(file: &File, offset: u64, length: u64) -> Result<bool> {
    let (Ok(start), Ok(count)) = (i64::try_from(offset), i64::try_from(length)) else {
        return Err(Error::range(format!("no file has {length} bytes at {offset}")));
    };
    loop {
        // SAFETY: the descriptor is open; the call accesses no memory of ours.
        let done = unsafe { libc::fallocate(file.as_raw_fd(), libc::FALLOC_FL_KEEP_SIZE, start, count) } == 0;
        let error = if done { return Ok(true) } else { io::Error::last_os_error() };
        match error.raw_os_error() {
            Some(libc::EINTR) => {}
            Some(libc::EOPNOTSUPP | libc::ENOSYS | libc::EINVAL) => return Ok(false),
            _ => return Err(refused(length, &error)),
        }
    }
}

/// Returns a range to the disk. It reads as zeros afterward, or is unchanged if the file system
/// does not support holes.
pub(super) fn punch(file: &File, offset: u64, length: u64) {
    if let (Ok(start), Ok(count)) = (i64::try_from(offset), i64::try_from(length)) {
        let mode = libc::FALLOC_FL_PUNCH_HOLE | libc::FALLOC_FL_KEEP_SIZE;
        // SAFETY: the descriptor is open; the call accesses no memory of ours.
        unsafe { libc::fallocate(file.as_raw_fd(), mode, start, count) };
    }
}

/// Whether the contents are lost with the machine anyway, so that syncing serves no purpose.
pub(super) fn is_volatile(file: &File) -> bool {
    matches!(magic_of(file), Some(TMPFS | RAMFS))
}

/// Refuses files that the kernel makes up.
pub(super) fn check_kind(file: &File, path: &Path) -> Result<()> {
    let about = file.metadata()?;
    if about.is_file() && !matches!(magic_of(file), Some(PROC | SYSFS)) {
        return Ok(());
    }
    let what = if about.is_dir() { "a directory" } else { "not a regular file" };
    Err(Error::new(ErrorKind::Io, format!("cannot open {}: it is {what}", path.display())))
}

fn magic_of(file: &File) -> Option<i64> {
    // SAFETY: integers, for which all zeros are valid.
    let mut about: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the descriptor is open, and `about` is writable.
    let failed = unsafe { libc::fstatfs(file.as_raw_fd(), &raw mut about) } != 0;
    (!failed).then_some(about.f_type as i64)
}

/// A number that a copy of the file has not; 0 if the system does not tell.
pub(super) fn identity(file: &File) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let Ok(about) = file.metadata() else { return 0 };
    // Numbers of files are used again, but not within one tick of the clock. The time of creation
    // is not known to all file systems. The number of the device is left out: it may change.
    let created = about.created().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let time = created.map_or(0, |time| time.as_nanos() as u64);
    (about.ino().wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ time) | 1
}

/// A number that identifies this boot of the machine; 0 if the system does not tell.
pub(super) fn boot() -> u64 {
    // Not the time of the boot, which changes with the clock. The id is the same in all containers.
    let Ok(id) = std::fs::read("/proc/sys/kernel/random/boot_id") else { return 0 };
    // FNV-1a; the id is random, so its bits only need to be combined.
    let hash = id.iter().fold(0xCBF2_9CE4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    });
    hash | 1
}

/// The error with the path in front.
#[cold]
pub(super) fn named(path: &Path, error: &Error) -> Error {
    Error::new(error.kind(), format!("{}: {}", path.display(), error.message()))
}

#[cold]
fn refused(length: u64, error: &io::Error) -> Error {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    match error.kind() {
        StorageFull | QuotaExceeded | FileTooLarge => {
            Error::full(format!("the disk has no room for {length} bytes of the map: {error}"))
        }
        _ => Error::new(ErrorKind::Io, format!("cannot allocate {length} bytes of the map: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{FileExt, MetadataExt};

    #[test]
    #[cfg_attr(miri, ignore = "allocates files")]
    fn ranges_are_allocated_and_returned() {
        let file = tempfile::tempfile().unwrap();
        extend(&file, 1 << 20).unwrap();
        let blocks = || file.metadata().unwrap().blocks();
        let before = blocks();
        allocate(&file, 65_536, 65_536).unwrap();
        assert!(blocks() >= before + 128);
        file.write_all_at(b"contents", 65_536).unwrap();
        allocate(&file, 0, 1 << 17).unwrap();
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, 65_536).unwrap();
        assert_eq!(&bytes, b"contents");
        punch(&file, 65_536, 65_536);
        file.read_exact_at(&mut bytes, 65_536).unwrap();
        assert_eq!(bytes, [0; 8]);
        assert_eq!(file.metadata().unwrap().len(), 1 << 20);
        // Allocation does not extend a file that was truncated.
        file.set_len(4096).unwrap();
        allocate(&file, 65_536, 4096).unwrap();
        assert_eq!(file.metadata().unwrap().len(), 4096);
    }

    #[test]
    #[cfg_attr(miri, ignore = "creates files")]
    fn a_copy_has_another_identity() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("first"), folder.path().join("second"));
        std::fs::write(&first, "contents").unwrap();
        let before = identity(&File::open(&first).unwrap());
        std::fs::copy(&first, &second).unwrap();
        assert_ne!(identity(&File::open(&second).unwrap()), before);
        std::fs::rename(&first, folder.path().join("third")).unwrap();
        assert_eq!(identity(&File::open(folder.path().join("third")).unwrap()), before);
    }

    #[test]
    #[cfg_attr(miri, ignore = "reads /proc")]
    fn the_boot_is_the_same_each_time() {
        assert_eq!(boot(), boot());
    }
}
