//! An open regular file and how to bring it into memory: the descriptor, and the choice of the
//! strategy.
//!
//! Callers with memory of their own (JavaScript buffers) fill it or map into it;
//! [`super::mapped_file`] adds memory.
//!
//! **Writing.** Before a file is mapped for writing, its blocks are allocated, so that a hole in it
//! cannot cause a fault on a full disk.

use super::file::{Mode, open_regular};
use super::huge_pages::has_huge_page;
use super::mapping::Window;
use super::storage::{FileStorage, Storage};
use super::strategy::{self, FileSystem, Strategy, Thresholds};
use crate::region::advise::{Advice, advise};
use crate::{Error, ErrorKind, Result};
use std::io::{Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// An open regular file, and how to bring it into memory.
#[derive(Debug)]
pub struct OpenFile {
    storage: FileStorage,
    path: PathBuf,
    mode: Mode,
    size: u64,
    thresholds: Thresholds,
    /// Queried once.
    file_system: OnceLock<FileSystem>,
}

impl OpenFile {
    /// Opens the regular file at `path`. `Io` if there is none, or it cannot be opened in this
    /// mode. `Unsupported` if its contents are made up by the kernel and it reports no size, as
    /// those of `/proc` do.
    pub fn open(path: &Path, mode: Mode, thresholds: Thresholds) -> Result<OpenFile> {
        let (file, size) = open_regular(path, mode)?;
        #[cfg(target_os = "linux")]
        if size == 0 && is_synthetic(&file) {
            return Err(Error::unsupported(format!(
                "{} has no size, because the kernel makes up its contents: read it with a file function",
                path.display()
            )));
        }
        Ok(OpenFile {
            storage: FileStorage::new(file),
            path: path.to_path_buf(),
            mode,
            size,
            thresholds,
            file_system: OnceLock::new(),
        })
    }

    /// The size of the file, as of the last query.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether it was opened for writing.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.mode == Mode::Write
    }

    /// The planned strategy. `HugePage` is only a request.
    #[must_use]
    pub fn plan(&self) -> Strategy {
        strategy::choose(self.size, self.is_writable(), &self.thresholds)
    }

    /// The alignment of a mapping's address that huge pages benefit from, or require on hugetlbfs;
    /// 1 if any page will do.
    #[must_use]
    pub fn alignment(&self) -> usize {
        let plan = self.plan();
        if !plan.maps() {
            return 1;
        }
        match self.file_system() {
            FileSystem::Huge(bytes) => bytes as usize,
            FileSystem::Memory if plan == Strategy::HugePage => 2 << 20,
            _ => 1,
        }
    }

    fn file_system(&self) -> FileSystem {
        *self.file_system.get_or_init(|| FileSystem::of(self.storage.file()))
    }

    /// Queries the file's size again, and returns it.
    pub fn update_size(&mut self) -> Result<u64> {
        self.size = self.storage.len()?;
        Ok(self.size)
    }

    /// `Io` if the file is now shorter than a window on it, or some of it could not be read, so
    /// that zeros replace those bytes.
    pub fn check(&self, window: &Window) -> Result<()> {
        let lost = window.is_lost() || self.length_now()? < window.len() as u64;
        if lost { Err(self.shortened()) } else { Ok(()) }
    }

    /// Determined by seeking to the end, which costs a third of querying all metadata. No reads use
    /// the file's position.
    fn length_now(&self) -> Result<u64> {
        Ok(self.storage.file().seek(SeekFrom::End(0))?)
    }

    pub(super) fn shortened(&self) -> Error {
        Error::new(ErrorKind::Io, format!("{} was truncated while it was mapped", self.path.display()))
    }

    /// Reads the first `length` bytes to `target`. `Io` if the file is now shorter.
    ///
    /// # Safety
    /// `length` bytes can be written at `target`.
    pub unsafe fn read(&self, target: *mut u8, length: usize) -> Result<()> {
        if length == 0 {
            return Ok(());
        }
        // SAFETY: `length` bytes are writable, guaranteed by the caller; the kernel writes them
        // before they are read.
        let bytes = unsafe { std::slice::from_raw_parts_mut(target, length) };
        self.storage.read_at(0, bytes).map_err(|error| {
            Error::new(error.kind(), format!("cannot read {}: {}", self.path.display(), error.message()))
        })
    }

    /// Writes a complete copy back.
    ///
    /// # Safety
    /// `length` bytes at `source` are readable, and no thread writes them meanwhile.
    pub unsafe fn write(&self, source: *const u8, length: usize) -> Result<()> {
        self.check_writable()?;
        if length == 0 {
            return Ok(());
        }
        // SAFETY: the bytes are readable and not written, guaranteed by the caller.
        self.storage.write_at(0, unsafe { std::slice::from_raw_parts(source, length) })
    }

    /// Maps `length` bytes of the file in `window`, which is new or already maps this file.
    pub fn map(&self, window: &mut Window, length: usize) -> Result<()> {
        if self.is_writable() {
            self.fill_holes(length as u64)?;
        }
        window.grow(self.storage.file(), length)
    }

    /// Allocates blocks for every byte, if the file has holes. `Full`, with no block allocated, if
    /// the holes exceed the free space of the file system.
    fn fill_holes(&self, length: u64) -> Result<()> {
        #[cfg(target_os = "linux")]
        {
            use std::os::fd::AsRawFd;
            // Some file systems keep the blocks that they allocated before they found the disk
            // full, and another process may have stored to these meanwhile. So the space is
            // compared first.
            let free = free_bytes(self.storage.file());
            if length > free && missing_bytes(self.storage.file(), length) > free {
                return Err(self.no_room());
            }
            let length =
                i64::try_from(length).map_err(|_| Error::range("the length exceeds that of any file"))?;
            let file = self.storage.file().as_raw_fd();
            // If the file system does not support this, holes remain: a fault there is caught, and
            // reported by `check`. A file that was truncated meanwhile is not extended again,
            // because that would create zeros that cause no fault.
            // SAFETY: the descriptor is open; the call accesses no memory of ours.
            let failed = unsafe { libc::fallocate(file, libc::FALLOC_FL_KEEP_SIZE, 0, length) } != 0;
            let mut number =
                if failed { std::io::Error::last_os_error().raw_os_error().unwrap_or(0) } else { 0 };
            if number == libc::EOPNOTSUPP && self.length_now()? >= length as u64 {
                // The C library then writes to each block.
                super::storage::check_limit(length as u64)
                    .map_err(|error| Error::full(format!("cannot fill the holes of the file: {error}")))?;
                // SAFETY: as above.
                number = unsafe { libc::posix_fallocate(file, 0, length) };
            }
            if matches!(number, libc::ENOSPC | libc::EDQUOT) {
                return Err(self.no_room());
            }
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = length;
        }
        Ok(())
    }

    #[cfg(target_os = "linux")]
    #[cold]
    fn no_room(&self) -> Error {
        Error::full(format!("the disk has no room for the holes in {}", self.path.display()))
    }

    /// Returns when everything written is on the disk.
    pub fn sync(&self) -> Result<()> {
        self.check_writable()?;
        self.storage.sync()
    }

    pub(super) fn check_writable(&self) -> Result<()> {
        if self.is_writable() { Ok(()) } else { Err(Error::unsupported("the file was opened for reading")) }
    }

    /// The strategy that the system granted: touches a byte of a whole huge page, if there is one,
    /// and queries the kernel.
    ///
    /// # Safety
    /// `length` bytes of a mapping of this file at `base` are readable.
    #[must_use]
    pub unsafe fn obtained(&self, base: *const u8, length: usize) -> Strategy {
        let plan = self.plan();
        if !plan.maps() {
            return plan;
        }
        match self.file_system() {
            FileSystem::Huge(_) => return Strategy::HugePage,
            FileSystem::Memory if plan == Strategy::HugePage => {}
            _ => return Strategy::Mmap,
        }
        // SAFETY: the bytes are mapped, guaranteed by the caller, and advice changes none of them.
        if !unsafe { advise(base, length, Advice::HugePages) } {
            return Strategy::Mmap;
        }
        let huge = self.alignment();
        let first = base.addr().next_multiple_of(huge);
        if first + huge > base.addr() + length {
            return Strategy::Mmap;
        }
        // SAFETY: the byte is within the mapping.
        unsafe { base.with_addr(first).read_volatile() };
        if has_huge_page(first) { Strategy::HugePage } else { Strategy::Mmap }
    }
}

/// The bytes of the holes in the first `length` bytes; 0 if the file system does not report holes.
#[cfg(target_os = "linux")]
fn missing_bytes(file: &std::fs::File, length: u64) -> u64 {
    use std::os::fd::AsRawFd;
    let seek = |from: u64, whence| {
        // SAFETY: the descriptor is open; the call accesses no memory of ours. No reads use the
        // position of the file.
        let found = unsafe { libc::lseek(file.as_raw_fd(), from as i64, whence) };
        u64::try_from(found).map_err(|_| std::io::Error::last_os_error().raw_os_error())
    };
    let (mut at, mut missing) = (0, 0);
    while at < length {
        // `ENXIO`: the file was truncated to less meanwhile.
        let Ok(hole) = seek(at, libc::SEEK_HOLE) else { break };
        let data = match seek(hole, libc::SEEK_DATA) {
            Ok(data) => data,
            // There is no data after the hole, or nothing at all.
            Err(Some(libc::ENXIO)) => length,
            Err(_) => break,
        };
        missing += data.min(length).saturating_sub(hole);
        at = data.max(hole + 1);
    }
    missing
}

/// The free bytes of the file system that this process may use, or `u64::MAX` if unknown.
#[cfg(target_os = "linux")]
fn free_bytes(file: &std::fs::File) -> u64 {
    use std::os::fd::AsRawFd;
    let mut facts = std::mem::MaybeUninit::<libc::statvfs>::zeroed();
    // SAFETY: the descriptor is open, and `facts` is writable; zeros are a valid statvfs.
    let facts = unsafe {
        if libc::fstatvfs(file.as_raw_fd(), facts.as_mut_ptr()) != 0 {
            return u64::MAX;
        }
        facts.assume_init()
    };
    // A file system without a size reports no blocks at all.
    if facts.f_blocks == 0 {
        return u64::MAX;
    }
    // SAFETY: has no preconditions.
    let blocks = if unsafe { libc::geteuid() } == 0 { facts.f_bfree } else { facts.f_bavail };
    blocks.saturating_mul(facts.f_frsize)
}

/// Whether the kernel makes up the contents of the file when it is read.
#[cfg(target_os = "linux")]
fn is_synthetic(file: &std::fs::File) -> bool {
    use std::os::fd::AsRawFd;
    const PROC: i64 = 0x9FA0;
    const SYSFS: i64 = 0x6265_6572;
    const DEBUGFS: i64 = 0x6462_6720;
    const TRACEFS: i64 = 0x7472_6163;
    const SECURITYFS: i64 = 0x7363_6673;
    const CGROUP: i64 = 0x0027_E0EB;
    const CGROUP2: i64 = 0x6367_7270;
    let mut facts = std::mem::MaybeUninit::<libc::statfs>::zeroed();
    // SAFETY: the descriptor is open, and `facts` is writable; zeros are a valid statfs.
    let magic = unsafe {
        if libc::fstatfs(file.as_raw_fd(), facts.as_mut_ptr()) != 0 {
            return false;
        }
        facts.assume_init().f_type
    };
    matches!(magic as i64, PROC | SYSFS | DEBUGFS | TRACEFS | SECURITYFS | CGROUP | CGROUP2)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::mmap::mapping::Access;

    #[test]
    #[cfg_attr(miri, ignore = "maps files")]
    fn a_file_truncated_before_it_is_mapped_is_not_extended() {
        let named = tempfile::NamedTempFile::new().unwrap();
        named.as_file().set_len(1 << 20).unwrap();
        let open = OpenFile::open(named.path(), Mode::Write, Thresholds::default()).unwrap();
        named.as_file().set_len(4096).unwrap();
        let mut window = Window::new(0, Access::Write).unwrap();
        open.map(&mut window, 1 << 20).unwrap();
        assert_eq!(named.as_file().metadata().unwrap().len(), 4096);
        assert_eq!(open.check(&window).unwrap_err().kind(), ErrorKind::Io);
        // SAFETY: the byte is within the window.
        assert_eq!(unsafe { window.base().add(1 << 19).read_volatile() }, 0);
        assert!(window.is_lost());
    }

    #[test]
    #[cfg_attr(miri, ignore = "asks for holes")]
    fn a_file_with_more_holes_than_disk_is_refused_and_stays_sparse() {
        use std::os::unix::fs::MetadataExt;
        let named = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(named.path(), [7; 8192]).unwrap();
        let size = 1 << 42;
        if named.as_file().set_len(size).is_err() || free_bytes(named.as_file()) >= size {
            eprintln!("not tried: the file system allows no such file, or has room for it");
            return;
        }
        let before = named.as_file().metadata().unwrap().blocks();
        let missing = missing_bytes(named.as_file(), size);
        assert!((size - (1 << 16)..=size - 8192).contains(&missing), "{missing}");
        let open = OpenFile::open(named.path(), Mode::Write, Thresholds::default()).unwrap();
        let mut window = Window::new(0, Access::Write).unwrap();
        let error = open.map(&mut window, size as usize).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Full);
        assert_eq!(named.as_file().metadata().unwrap().blocks(), before);
    }

    #[test]
    #[cfg_attr(miri, ignore = "asks for the file system")]
    fn a_file_without_a_size_is_refused() {
        for path in ["/proc/self/maps", "/proc/version"] {
            let error = OpenFile::open(Path::new(path), Mode::Read, Thresholds::default()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.message().contains(path), "{error}");
        }
    }
}
