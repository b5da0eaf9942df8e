//! The file of a vector: made, opened, locked, grown and committed; where it is mapped is another's
//! affair.
//!
//! **Cost.** Opening: a page of header and two of slots, whatever the size; after a crash also what
//! the last commit added, if that was little. The rest: see [`Journal`].
//!
//! **Invariant.** Who holds a [`VectorFile`] opened with [`Mode::Write`] is the only one who writes
//! to it.

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

/// How often a reader looks again at a slot that seems broken: 20 ms in all, more than any writer
/// takes for 64 bytes.
pub const PATIENCE: u32 = 12;
/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// To read what is committed, beside a writer perhaps.
    Read,
    /// To append. Refused, with `Locked`, while another handle does.
    Write,
}

/// See the head of this file. All but opening and closing may be called from any thread.
#[derive(Debug)]
pub struct VectorFile {
    journal: Journal<FileStorage>,
    /// Of a writer.
    lock: Option<WriterLock>,
    path: PathBuf,
    /// Closing cuts the file off behind this length, in bytes: nobody may be reading behind it.
    keep: AtomicU64,
    /// Of a writer: bytes that the file has, unless someone else cut it short. What is mapped ends
    /// there at the latest.
    allocated: AtomicU64,
}

impl VectorFile {
    /// Makes a file with an empty vector. `Io` if there is something at `path` already; then it
    /// stays as it is. It appears there whole or not at all.
    pub fn create(path: &Path, ty: Type) -> Result<VectorFile> {
        let temporary = temporary_name(path)?;
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&temporary);
        let file = file.map_err(|error| failed("make", path, &error))?;
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

    /// Opens the file of a vector. `Locked` if it is to be written and another handle has it.
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

    /// Where it is, or was.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it was opened for writing.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.lock.is_some()
    }

    /// Refuses a reader, with `Unsupported`, and the child of the process that opened it, with
    /// `Locked`.
    #[inline]
    pub fn check_writable(&self) -> Result<()> {
        match &self.lock {
            Some(lock) => lock.check(),
            None => Err(Error::unsupported("this vector was opened to be read")),
        }
    }

    /// Blocks for `length` elements in all. `Full` if the disk is; nothing has changed then. `Io`
    /// if someone else cut the file short: made longer again it would hold zeros in the place of
    /// elements, and nothing would tell.
    pub fn allocate(&self, length: u64) -> Result<()> {
        self.check_writable()?;
        let storage = self.journal.storage();
        if storage.len()? < self.allocated.load(Ordering::Relaxed) {
            let path = self.path.display();
            return Err(Error::new(ErrorKind::Io, format!("{path} became shorter while it was open")));
        }
        let end = self.journal.bytes_for(length)?;
        storage.allocate(end)?;
        self.allocated.fetch_max(end, Ordering::Relaxed);
        Ok(())
    }

    /// What was stored behind the first `length` elements may be forgotten, so that the system can
    /// take other pages for it. The blocks stay. No commit, made or under way, may vouch for more,
    /// and nobody store there meanwhile.
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

    /// For readers: looks whether the writer committed since. Returns the latest commit.
    pub fn refresh(&self) -> Result<Commit> {
        if self.is_writable() { Ok(self.journal.latest()) } else { self.journal.refresh(PATIENCE) }
    }
}

impl Drop for VectorFile {
    /// Gives the blocks that no element needs back to the file system. What was not committed is
    /// discarded.
    fn drop(&mut self) {
        let storage = self.journal.storage();
        let keep = *self.keep.get_mut();
        let ours = self.lock.as_ref().is_some_and(|lock| lock.check().is_ok());
        if ours && !self.journal.is_poisoned() {
            // Nothing depends on either.
            self.journal.settle().ok();
            if storage.len().is_ok_and(|len| len > keep) {
                storage.truncate(keep).ok();
            }
        }
        if ours {
            // A mapping keeps the open file, and so the lock, for as long as its memory lives: of
            // JavaScript's, until it is collected.
            storage.file().unlock().ok();
        }
    }
}

/// Gives the file its name, which nothing else has. A hard link, unlike a rename, never takes
/// another file's place.
fn publish(temporary: &Path, path: &Path) -> Result<()> {
    use std::io::ErrorKind::{AlreadyExists, PermissionDenied, Unsupported};
    match fs::hard_link(temporary, path) {
        // A file system without links.
        Err(error) if matches!(error.kind(), Unsupported | PermissionDenied) => {
            if fs::symlink_metadata(path).is_ok() {
                return Err(failed("make", path, &std::io::Error::from(AlreadyExists)));
            }
            fs::rename(temporary, path).map_err(|error| failed("make", path, &error))?;
        }
        result => result.map_err(|error| failed("make", path, &error))?,
    }
    sync_folder(path)
}

#[cold]
fn failed(what: &str, path: &Path, error: &std::io::Error) -> Error {
    let kind = Error::from(std::io::Error::from(error.kind())).kind();
    Error::new(kind, format!("can not {what} {}: {error}", path.display()))
}

/// Opens a regular file, and nothing that only looks like one. Gives its size as well.
pub(super) fn open_regular(path: &Path, mode: Mode) -> Result<(File, u64)> {
    let mut open = OpenOptions::new();
    open.read(true).write(mode == Mode::Write);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // A pipe would otherwise be waited for, and a terminal become ours.
        open.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    let file = open.open(path).map_err(|error| failed("open", path, &error))?;
    let about = file.metadata().map_err(|error| failed("open", path, &error))?;
    if !about.is_file() {
        let path = path.display();
        return Err(Error::new(ErrorKind::Io, format!("can not open {path}: it is not a regular file")));
    }
    Ok((file, about.len()))
}

/// A name beside `path`, that nobody else uses.
fn temporary_name(path: &Path) -> Result<PathBuf> {
    let Some(name) = path.file_name() else {
        return Err(Error::new(ErrorKind::Io, format!("{} names no file", path.display())));
    };
    let [a, b] = random_seeds();
    let mut hidden = std::ffi::OsString::from(".");
    // Short, for a name may have 255 bytes.
    hidden.push(name.to_string_lossy().chars().take(20).collect::<String>());
    hidden.push(format!(".{a:08x}{b:08x}"));
    Ok(path.with_file_name(hidden))
}

/// A new name must survive a crash too.
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
