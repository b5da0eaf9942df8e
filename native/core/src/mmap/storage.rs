//! The file operations that the commit protocol needs.
//!
//! They are a trait because the protocol's guarantee concerns the state after a crash, which can be
//! tested only on a disk that crashes on demand (`simulator/`). [`FileStorage`] is the real
//! implementation.
//!
//! The elements themselves are stored through a mapping, not through this trait: for the kernel
//! that is equivalent to `write_at`, because mapping and file share the page cache.

use crate::{Error, ErrorKind, Result};
use std::fs::File;
use std::io;

/// A file, or a simulation of one.
pub trait Storage {
    /// The size of the file, in bytes.
    fn len(&self) -> Result<u64>;

    /// Whether the file is empty.
    fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Fills `bytes` from `offset` on. `Io` if the file ends before.
    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<()>;

    /// Writes at `offset`. There is no guarantee about when and in which order the bytes reach the
    /// disk.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()>;

    /// Extends the file to at least `len` bytes, with blocks for all of them, so that a store
    /// through a mapping cannot find the disk full. `Full` if the disk is full; the file then has
    /// its former length and occupies no more of the disk than before.
    fn allocate(&self, len: u64) -> Result<()>;

    /// Truncates the file to `len` bytes.
    fn truncate(&self, len: u64) -> Result<()>;

    /// Returns when everything written before, and the file's length, is on the disk.
    fn sync(&self) -> Result<()>;
}

/// A file of the operating system.
#[derive(Debug)]
pub struct FileStorage {
    file: File,
}

impl FileStorage {
    /// Tells the system that the bytes from `offset` on may become zeros, while their blocks stay
    /// allocated. If the system supports this, it uses new pages when they are stored to, of the
    /// size that was advised since. `Full`: some of the blocks were lost because the disk became
    /// full.
    pub fn discard(&self, offset: u64) -> Result<()> {
        #[cfg(target_os = "linux")]
        {
            use std::os::fd::AsRawFd;
            // Only whole pages, so that none has to be written.
            let from = offset.next_multiple_of(crate::region::pages::page_size() as u64);
            let bytes = self.len().unwrap_or(0).saturating_sub(from);
            if let (Ok(from), Ok(bytes @ 1..)) = (i64::try_from(from), i64::try_from(bytes)) {
                let mode = libc::FALLOC_FL_ZERO_RANGE | libc::FALLOC_FL_KEEP_SIZE;
                // SAFETY: the descriptor is open; the call accesses no memory of ours.
                let failed = unsafe { libc::fallocate(self.file.as_raw_fd(), mode, from, bytes) } != 0;
                let number = io::Error::last_os_error().raw_os_error();
                let unsupported = [libc::EOPNOTSUPP, libc::EINVAL, libc::ENOSYS].map(Some).contains(&number);
                if failed && !unsupported {
                    // Some file systems free blocks and allocate others, and may have found none.
                    let (from, bytes) = (from as u64, bytes as u64);
                    return allocate(&self.file, from, from + bytes)
                        .map_err(|error| refused(from + bytes, error));
                }
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = offset;
        Ok(())
    }

    /// A storage over an open file.
    #[must_use]
    pub fn new(file: File) -> FileStorage {
        FileStorage { file }
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }
}

impl Storage for FileStorage {
    fn len(&self) -> Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileExt;
            Ok(self.file.read_exact_at(bytes, offset)?)
        }
        #[cfg(windows)]
        {
            use std::os::windows::fs::FileExt;
            let mut done = 0;
            while done < bytes.len() {
                match self.file.seek_read(&mut bytes[done..], offset + done as u64)? {
                    0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                    count => done += count,
                }
            }
            Ok(())
        }
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        // Also within the file: the limit may be lower than its length.
        let end = offset.saturating_add(bytes.len() as u64);
        check_limit(end).map_err(|error| refused(end, error))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileExt;
            Ok(self.file.write_all_at(bytes, offset)?)
        }
        #[cfg(windows)]
        {
            use std::os::windows::fs::FileExt;
            let mut done = 0;
            while done < bytes.len() {
                done += self.file.seek_write(&bytes[done..], offset + done as u64)?;
            }
            Ok(())
        }
    }

    fn allocate(&self, len: u64) -> Result<()> {
        let now = self.len()?;
        if len <= now {
            return Ok(());
        }
        allocate(&self.file, now, len).map_err(|error| {
            // Some file systems keep the blocks that they allocated before they found the disk
            // full. Truncating also frees blocks past the end of the file.
            self.file.set_len(now).ok();
            refused(len, error)
        })
    }

    fn truncate(&self, len: u64) -> Result<()> {
        Ok(self.file.set_len(len)?)
    }

    fn sync(&self) -> Result<()> {
        // Data, and the metadata that are necessary to read it: the length and the blocks.
        self.file.sync_data().map_err(|error| {
            Error::new(ErrorKind::Io, format!("the file could not be synced to the disk: {error}"))
        })
    }
}

#[cold]
pub(crate) fn refused(len: u64, error: io::Error) -> Error {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            Error::full(format!("the disk has no room to make the file {len} bytes long: {error}"))
        }
        _ => Error::from(error),
    }
}

/// The limit of this process for the sizes of files (`ulimit -f`), in bytes; `u64::MAX` if there is
/// none.
pub(crate) fn size_limit() -> u64 {
    #[cfg(unix)]
    {
        let mut limit = libc::rlimit { rlim_cur: libc::RLIM_INFINITY, rlim_max: libc::RLIM_INFINITY };
        // SAFETY: `limit` is writable.
        unsafe { libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit) };
        if limit.rlim_cur != libc::RLIM_INFINITY {
            return limit.rlim_cur;
        }
    }
    u64::MAX
}

/// Refuses a length, or the end of a write, that exceeds [`size_limit`]. The system would not only
/// refuse it, but also send SIGXFSZ, which terminates a process that does not handle it.
pub(crate) fn check_limit(length: u64) -> io::Result<()> {
    let limit = size_limit();
    if length > limit {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("the limit of this process is {limit} bytes (RLIMIT_FSIZE; `ulimit -f`)"),
        ));
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn allocate(file: &File, from: u64, to: u64) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    check_limit(to)?;
    let range = |value: u64| i64::try_from(value).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge));
    let (offset, count) = (range(from)?, range(to - from)?);
    loop {
        // SAFETY: the descriptor is open; the call accesses no memory of ours.
        match unsafe { libc::posix_fallocate(file.as_raw_fd(), offset, count) } {
            0 => return Ok(()),
            libc::EINTR => {}
            // The file system or the C library does not support it.
            libc::EOPNOTSUPP | libc::EINVAL | libc::ENOSYS => return write_zeros(file, from, to),
            number => return Err(io::Error::from_raw_os_error(number)),
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn allocate(file: &File, from: u64, to: u64) -> io::Result<()> {
    check_limit(to)?;
    write_zeros(file, from, to)
}

/// Allocates blocks on any file system.
pub(crate) fn write_zeros(file: &File, from: u64, to: u64) -> io::Result<()> {
    static ZEROS: [u8; 65_536] = [0; 65_536];
    let storage = |offset: u64, bytes: &[u8]| {
        #[cfg(unix)]
        {
            use std::os::unix::fs::FileExt;
            file.write_all_at(bytes, offset)
        }
        #[cfg(windows)]
        {
            use std::os::windows::fs::FileExt;
            file.seek_write(bytes, offset).map(|_| ())
        }
    };
    let mut at = from;
    while at < to {
        let count = (to - at).min(ZEROS.len() as u64);
        storage(at, &ZEROS[..count as usize])?;
        at += count;
    }
    Ok(())
}
