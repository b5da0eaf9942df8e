//! The file of a vector: created, opened, locked, grown and committed. Mapping it is left to the
//! caller.
//!
//! **Cost.** Opening reads one page of header and two of slots, regardless of the size; after a
//! crash also the elements of the last commit, if these are few. For the rest see [`Journal`].
//!
//! **Invariant.** The holder of a [`VectorFile`] opened with [`Mode::Write`] is the only writer of
//! the file.

use super::commit::{DATA_OFFSET, Journal};
use super::lock::WriterLock;
use super::slot::Commit;
use super::storage::{FileStorage, Storage};
use crate::region::element::Type;
use crate::region::header::random_seeds;
use crate::{Error, ErrorKind, Result};
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How often a reader retries a slot that seems broken: 20 ms in all, more than any writer takes
/// for 64 bytes.
pub const PATIENCE: u32 = 12;
/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Read the committed elements, possibly while another handle writes.
    Read,
    /// Append. Refused, with `Locked`, while another handle is open for writing.
    Write,
}

/// See the module's documentation. All operations except opening and closing may be called from any
/// thread.
#[derive(Debug)]
pub struct VectorFile {
    journal: Journal<FileStorage>,
    /// Only in writers.
    lock: Option<WriterLock>,
    path: PathBuf,
    /// Closing truncates the file to this length, in bytes: there may be readers of everything
    /// before it.
    keep: AtomicU64,
    /// In writers: the size of the file, unless another process truncated it. Mapped memory ends
    /// there at the latest.
    allocated: AtomicU64,
}

impl VectorFile {
    /// Creates a file with an empty vector. `Io` if `path` already exists, which is then left
    /// unchanged. The file appears either complete or not at all.
    pub fn create(path: &Path, ty: Type) -> Result<VectorFile> {
        let temporary = temporary_name(path)?;
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&temporary);
        let file = file.map_err(|error| failed("create", path, &error))?;
        let result = VectorFile::fill(file, path, ty).and_then(|made| {
            publish(&temporary, path)?;
            Ok(made)
        });
        fs::remove_file(&temporary).ok();
        result
    }

    fn fill(file: File, path: &Path, ty: Type) -> Result<VectorFile> {
        let lock = WriterLock::take(&file, path)?;
        let journal = Journal::create(FileStorage::new(file), ty, random_seeds())?;
        Ok(VectorFile {
            journal,
            lock: Some(lock),
            path: path.to_path_buf(),
            keep: AtomicU64::new(DATA_OFFSET),
            allocated: AtomicU64::new(DATA_OFFSET),
        })
    }

    /// Opens the file of a vector. `Locked` if `mode` is `Write` and another handle is open for
    /// writing.
    pub fn open(path: &Path, mode: Mode) -> Result<VectorFile> {
        let (file, _) = open_regular(path, mode)?;
        let lock = (mode == Mode::Write).then(|| WriterLock::take(&file, path)).transpose()?;
        let storage = FileStorage::new(file);
        let journal =
            if lock.is_some() { Journal::open_to_write(storage) } else { Journal::open(storage, PATIENCE) };
        let journal = journal
            .map_err(|error| Error::new(error.kind(), format!("{}: {}", path.display(), error.message())))?;
        let length = journal.storage().len()?;
        let (keep, allocated) = (AtomicU64::new(length), AtomicU64::new(length));
        Ok(VectorFile { journal, lock, path: path.to_path_buf(), keep, allocated })
    }

    /// The commits of the file.
    #[must_use]
    pub fn journal(&self) -> &Journal<FileStorage> {
        &self.journal
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &File {
        self.journal.storage().file()
    }

    /// The path by which it was opened.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it was opened for writing.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.lock.is_some()
    }

    /// Refuses a reader, with `Unsupported`, and a child of the process that opened the file, with
    /// `Locked`.
    #[inline]
    pub fn check_writable(&self) -> Result<()> {
        match &self.lock {
            Some(lock) => lock.check(),
            None => Err(Error::unsupported("this vector was opened for reading")),
        }
    }

    /// Allocates blocks for `length` elements in all. `Full`, with nothing changed, if the disk is
    /// full. `Io` if another process truncated the file: if it were extended again, zeros would
    /// silently replace elements.
    pub fn allocate(&self, length: u64) -> Result<()> {
        self.check_writable()?;
        let storage = self.journal.storage();
        if storage.len()? < self.allocated.load(Ordering::Relaxed) {
            let path = self.path.display();
            return Err(Error::new(ErrorKind::Io, format!("{path} was truncated while it was open")));
        }
        let end = self.journal.bytes_for(length)?;
        storage.allocate(end)?;
        self.allocated.fetch_max(end, Ordering::Relaxed);
        Ok(())
    }

    /// Allows the system to discard the contents after the first `length` elements and use other
    /// pages for them. The blocks stay allocated. No commit, finished or in progress, may cover
    /// more elements, and no thread may store there meanwhile.
    pub fn discard(&self, length: u64) -> Result<()> {
        self.check_writable()?;
        self.journal.storage().discard(self.journal.bytes_for(length)?)
    }

    /// See [`Journal::commit`].
    pub fn commit(&self, length: u64) -> Result<Commit> {
        self.check_writable()?;
        let commit = self.journal.commit(length)?;
        self.keep.fetch_max(self.journal.bytes_for(length)?, Ordering::Relaxed);
        Ok(commit)
    }

    /// For readers: checks whether the writer has committed since. Returns the latest commit.
    pub fn refresh(&self) -> Result<Commit> {
        if self.is_writable() { Ok(self.journal.latest()) } else { self.journal.refresh(PATIENCE) }
    }
}

impl Drop for VectorFile {
    /// Returns unused blocks to the file system. Elements that were not committed are discarded.
    fn drop(&mut self) {
        let storage = self.journal.storage();
        let keep = *self.keep.get_mut();
        let ours = self.lock.as_ref().is_some_and(|lock| lock.check().is_ok());
        if ours && !self.journal.is_poisoned() {
            // Nothing depends on the success of either.
            self.journal.drop_tail().ok();
            if storage.len().is_ok_and(|len| len > keep) {
                storage.truncate(keep).ok();
            }
        }
        if ours {
            // A mapping keeps the open file, and with it the lock, alive as long as its memory: a
            // JavaScript buffer until it is collected.
            storage.file().unlock().ok();
        }
    }
}

/// Gives the file its name, which must not exist. A hard link, unlike a rename, never replaces
/// another file.
pub(crate) fn publish(temporary: &Path, path: &Path) -> Result<()> {
    use std::io::ErrorKind::{AlreadyExists, PermissionDenied, Unsupported};
    match fs::hard_link(temporary, path) {
        // The file system does not support links.
        Err(error) if matches!(error.kind(), Unsupported | PermissionDenied) => {
            if rename_without_replacing(temporary, path).map_err(|error| failed("create", path, &error))? {
                return sync_folder(path);
            }
            if fs::symlink_metadata(path).is_ok() {
                return Err(failed("create", path, &std::io::Error::from(AlreadyExists)));
            }
            fs::rename(temporary, path).map_err(|error| failed("create", path, &error))?;
        }
        result => result.map_err(|error| failed("create", path, &error))?,
    }
    sync_folder(path)
}

/// `false` if the system cannot do that in one step.
fn rename_without_replacing(from: &Path, to: &Path) -> std::io::Result<bool> {
    #[cfg(target_os = "linux")]
    {
        use std::ffi::CString;
        use std::os::unix::ffi::OsStrExt;
        let (from, to) =
            (CString::new(from.as_os_str().as_bytes())?, CString::new(to.as_os_str().as_bytes())?);
        // SAFETY: both paths are terminated by NUL.
        let result = unsafe {
            libc::syscall(
                libc::SYS_renameat2,
                libc::AT_FDCWD,
                from.as_ptr(),
                libc::AT_FDCWD,
                to.as_ptr(),
                libc::RENAME_NOREPLACE,
            )
        };
        if result == 0 {
            return Ok(true);
        }
        let error = std::io::Error::last_os_error();
        match error.raw_os_error() {
            Some(libc::EINVAL | libc::ENOSYS | libc::EOPNOTSUPP) => Ok(false),
            _ => Err(error),
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (from, to);
        Ok(false)
    }
}

#[cold]
fn failed(what: &str, path: &Path, error: &std::io::Error) -> Error {
    let kind = Error::from(std::io::Error::from(error.kind())).kind();
    Error::new(kind, format!("cannot {what} {}: {error}", path.display()))
}

/// Opens a file, which must be a regular one, and returns it with its size.
pub(super) fn open_regular(path: &Path, mode: Mode) -> Result<(File, u64)> {
    let mut open = OpenOptions::new();
    open.read(true).write(mode == Mode::Write);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // Without these flags, opening a pipe would block, and a terminal could become the
        // controlling terminal.
        open.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    let file = open.open(path).map_err(|error| failed("open", path, &error))?;
    let about = file.metadata().map_err(|error| failed("open", path, &error))?;
    if !about.is_file() {
        let path = path.display();
        return Err(Error::new(ErrorKind::Io, format!("cannot open {path}: it is not a regular file")));
    }
    Ok((file, about.len()))
}

/// An unused name in the folder of `path`.
pub(crate) fn temporary_name(path: &Path) -> Result<PathBuf> {
    let Some(name) = path.file_name() else {
        return Err(Error::new(ErrorKind::Io, format!("the path {} has no file name", path.display())));
    };
    let [a, b] = random_seeds();
    let mut hidden = std::ffi::OsString::from(".");
    // Shortened, because a name may have at most 255 bytes.
    hidden.push(name.to_string_lossy().chars().take(20).collect::<String>());
    hidden.push(format!(".{a:08x}{b:08x}"));
    Ok(path.with_file_name(hidden))
}

/// Makes the new name survive a crash, too.
fn sync_folder(path: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| failed("sync the folder of", path, &error))?;
    }
    #[cfg(not(unix))]
    let _ = (path, File::open::<&Path>);
    Ok(())
}
