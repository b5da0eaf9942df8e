//! A file in memory, in the way that suits its size: [`MappedFile`].
//!
//! [`OpenFile`] is the descriptor and what was decided about it; callers with memory of their own (JavaScript
//! buffers) fill or map that. [`MappedFile`] adds the memory.
//!
//! **Truncation.** If someone else cuts a mapped file short, what is gone reads as zeros and [`MappedFile::check`] fails from
//! then on, on Unix; nobody dies. What can not be promised: that a reader notices before it used the zeros. Look after reading, or use
//! [`Strategy::Copy`]. Bytes that someone else *writes* are seen as they come, torn or not.
//!
//! **Writing.** Before a file is mapped to be written its blocks are allocated, so that a hole in it can not turn into a
//! fault on a full disk.

use super::file::{Mode, open_regular};
use super::mapping::{Access, Window};
use super::plan::{self, Pattern, Strategy, Thresholds};
use super::storage::{FileStorage, Storage};
use crate::region::advise::{Advice, advise};
use crate::region::memory::OwnedMemory;
use crate::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

/// A regular file, open, and how to bring it into memory.
#[derive(Debug)]
pub struct OpenFile {
    storage: FileStorage,
    path: PathBuf,
    mode: Mode,
    size: u64,
    thresholds: Thresholds,
}

impl OpenFile {
    /// Opens the regular file at `path`. `Io` if there is none, or it can not be opened so.
    pub fn open(path: &Path, mode: Mode, thresholds: Thresholds) -> Result<OpenFile> {
        let storage = FileStorage::new(open_regular(path, mode)?);
        let size = storage.len()?;
        Ok(OpenFile { storage, path: path.to_path_buf(), mode, size, thresholds })
    }

    /// Bytes of the file when it was last looked at.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Whether it was opened for writing.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.mode == Mode::Write
    }

    /// What to do with it. `HugePage` is a wish.
    #[must_use]
    pub fn plan(&self) -> Strategy {
        plan::plan(self.size, self.is_writable(), &self.thresholds)
    }

    /// Bytes that a mapping's address should be a multiple of, for huge pages; must, on hugetlbfs. 1 where any page will do.
    #[must_use]
    pub fn alignment(&self) -> usize {
        match (self.plan(), plan::fixed_huge_page(self.storage.file())) {
            (Strategy::Mmap | Strategy::HugePage, Some(bytes)) => bytes as usize,
            (Strategy::HugePage, None) => 2 << 20,
            _ => 1,
        }
    }

    /// Looks at the file's size again, and returns it.
    pub fn look(&mut self) -> Result<u64> {
        self.size = self.storage.len()?;
        Ok(self.size)
    }

    /// `Io` if the file is shorter now than a window on it, or some of that could not be read, so that zeros take its place.
    pub fn check(&self, window: &Window) -> Result<()> {
        let lost = window.is_lost() || self.storage.len()? < window.len() as u64;
        if lost { Err(self.shortened()) } else { Ok(()) }
    }

    fn shortened(&self) -> Error {
        Error::new(ErrorKind::Io, format!("{} became shorter while it was mapped", self.path.display()))
    }

    /// Reads the first `length` bytes to `target`. `Io` if the file has become shorter.
    ///
    /// # Safety
    /// So many bytes can be written at `target`.
    pub unsafe fn read(&self, target: *mut u8, length: usize) -> Result<()> {
        if length == 0 {
            return Ok(());
        }
        // SAFETY: the caller's; the bytes are written before anything reads them, by the kernel.
        let bytes = unsafe { std::slice::from_raw_parts_mut(target, length) };
        self.storage.read_at(0, bytes).map_err(|error| {
            Error::new(error.kind(), format!("reading {}: {}", self.path.display(), error.message()))
        })
    }

    /// Writes the whole of a copy back.
    ///
    /// # Safety
    /// `length` bytes at `source` are readable, and nobody writes them meanwhile.
    pub unsafe fn write(&self, source: *const u8, length: usize) -> Result<()> {
        self.check_writable()?;
        if length == 0 {
            return Ok(());
        }
        // SAFETY: the caller's.
        self.storage.write_at(0, unsafe { std::slice::from_raw_parts(source, length) })
    }

    /// Has a mapping of the file, of `length` bytes, in `window`, which is new or already one of this file.
    pub fn map(&self, window: &mut Window, length: usize) -> Result<()> {
        if self.is_writable() {
            self.fill_holes(length as u64)?;
        }
        window.grow(self.storage.file(), length)
    }

    /// Blocks for every byte, where the file has holes.
    fn fill_holes(&self, length: u64) -> Result<()> {
        #[cfg(target_os = "linux")]
        {
            use std::os::fd::AsRawFd;
            let length = i64::try_from(length).map_err(|_| Error::range("no file is so long"))?;
            // What a file system can not do is left to it: a fault there is caught, and `check` tells.
            // SAFETY: an open descriptor; the call touches no memory of ours.
            let result = unsafe { libc::posix_fallocate(self.storage.file().as_raw_fd(), 0, length) };
            if matches!(result, libc::ENOSPC | libc::EDQUOT) {
                let path = self.path.display();
                return Err(Error::full(format!("the disk has no room for the holes of {path}")));
            }
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = length;
        }
        Ok(())
    }

    /// Returns when what was written is on the disk.
    pub fn sync(&self) -> Result<()> {
        self.check_writable()?;
        self.storage.sync()
    }

    fn check_writable(&self) -> Result<()> {
        if self.is_writable() { Ok(()) } else { Err(Error::unsupported("the file was opened to be read")) }
    }

    /// What `HugePage` came to: touches a byte in a whole huge page, if there is one, and asks.
    ///
    /// # Safety
    /// `length` bytes of a mapping of this file at `base` are readable.
    #[must_use]
    pub unsafe fn obtained(&self, base: *const u8, length: usize) -> Strategy {
        let plan = self.plan();
        if plan.maps() && plan::fixed_huge_page(self.storage.file()).is_some() {
            return Strategy::HugePage;
        }
        if plan != Strategy::HugePage {
            return plan;
        }
        // SAFETY: the caller's; advice changes no byte.
        if !unsafe { advise(base, length, Advice::HugePages) } {
            return Strategy::Mmap;
        }
        let huge = self.alignment();
        let first = base.addr().next_multiple_of(huge);
        if first + huge > base.addr() + length {
            return Strategy::Mmap;
        }
        // SAFETY: within the mapping.
        unsafe { base.with_addr(first).read_volatile() };
        if plan::has_huge_page(first) { Strategy::HugePage } else { Strategy::Mmap }
    }
}

/// How a file is opened. The default reads it, in the way that suits its size.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// To read, or to write as well.
    pub mode: Mode,
    /// How it will be read.
    pub pattern: Pattern,
    /// Have all pages in memory before it returns.
    pub populate: bool,
    /// Keep them there.
    pub lock: bool,
    /// The limits between strategies.
    pub thresholds: Thresholds,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            mode: Mode::Read,
            pattern: Pattern::Unknown,
            populate: false,
            lock: false,
            thresholds: Thresholds::default(),
        }
    }
}

enum Bytes {
    Ours(OwnedMemory, usize),
    Mapped(Window),
}

/// A file in memory. See the head of this file.
pub struct MappedFile {
    // Before the file, which it may be a mapping of.
    bytes: Bytes,
    file: OpenFile,
    strategy: Strategy,
    pattern: Pattern,
}

impl std::fmt::Debug for MappedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MappedFile")
            .field("strategy", &self.strategy)
            .field("file", &self.file)
            .finish_non_exhaustive()
    }
}

impl MappedFile {
    /// Opens the regular file at `path`. `Io` if the system refuses, `Oom` for lack of memory or address space, `Full` if
    /// it is to be locked and the limit does not allow it.
    pub fn open(path: &Path, options: &Options) -> Result<MappedFile> {
        let file = OpenFile::open(path, options.mode, options.thresholds)?;
        let (bytes, strategy) = MappedFile::load(&file)?;
        let mapped = MappedFile { bytes, file, strategy, pattern: options.pattern };
        mapped.advise(options.pattern);
        let (base, length) = mapped.bytes();
        if options.populate {
            populate(base, length);
        }
        if options.lock {
            // SAFETY: our own bytes.
            unsafe { plan::lock(base, length) }?;
        }
        Ok(mapped)
    }

    fn load(file: &OpenFile) -> Result<(Bytes, Strategy)> {
        let size =
            usize::try_from(file.size()).map_err(|_| Error::new(ErrorKind::Oom, "the file is too large"))?;
        let strategy = file.plan();
        if !strategy.maps() {
            let memory = OwnedMemory::new(size)?;
            // SAFETY: new memory of that size.
            unsafe { file.read(memory.base(), size) }?;
            return Ok((Bytes::Ours(memory, size), strategy));
        }
        let access = if file.is_writable() { Access::Write } else { Access::Read };
        let mut window = Window::new(0, access)?;
        file.map(&mut window, size)?;
        // SAFETY: the window has that many bytes.
        let strategy = unsafe { file.obtained(window.base(), size) };
        Ok((Bytes::Mapped(window), strategy))
    }

    /// The first byte, and how many there are. Good until [`MappedFile::refresh`], or the end.
    #[must_use]
    pub fn bytes(&self) -> (*mut u8, usize) {
        match &self.bytes {
            Bytes::Ours(memory, size) => (memory.base(), *size),
            Bytes::Mapped(window) => (window.base(), window.len()),
        }
    }

    /// How the bytes are reached.
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// `Io` if the file was cut short, or could not be read, so that zeros take the place of some bytes. For before and
    /// after work on many bytes: it asks the system for the file's size.
    pub fn check(&self) -> Result<()> {
        match &self.bytes {
            Bytes::Mapped(window) => self.file.check(window),
            Bytes::Ours(..) => Ok(()),
        }
    }

    /// `Io` if bytes that were read were gone.
    fn check_lost(&self) -> Result<()> {
        match &self.bytes {
            Bytes::Mapped(window) if window.is_lost() => Err(self.file.shortened()),
            _ => Ok(()),
        }
    }

    fn range(&self, offset: u64, length: u64) -> Result<(*mut u8, usize)> {
        let (base, size) = self.bytes();
        let end = offset.checked_add(length).filter(|&end| end <= size as u64);
        if end.is_none() {
            return Err(Error::range(format!("bytes {offset} to {offset} + {length} of {size}")));
        }
        // SAFETY: within the bytes.
        Ok((unsafe { base.add(offset as usize) }, length as usize))
    }

    /// Copies bytes out. `Range` if there are not so many; `Io` if some of them are gone.
    pub fn read(&self, offset: u64, target: &mut [u8]) -> Result<()> {
        let (from, length) = self.range(offset, target.len() as u64)?;
        // SAFETY: within the bytes; the target is someone else's.
        unsafe { target.as_mut_ptr().copy_from_nonoverlapping(from, length) };
        self.check_lost()
    }

    /// Tells the kernel how the file will be read from now on. Whether it listened.
    pub fn advise(&self, pattern: Pattern) -> bool {
        let (base, length) = self.bytes();
        // SAFETY: our own bytes; no such advice changes one.
        self.strategy.maps() && unsafe { advise(base, length, pattern.advice()) }
    }

    /// Has the kernel begin to read a part of the file. Whether it listened.
    pub fn prefetch(&self, offset: u64, length: u64) -> Result<bool> {
        let (from, length) = self.range(offset, length)?;
        // SAFETY: our own bytes.
        Ok(self.strategy.maps() && unsafe { advise(from, length, Advice::WillNeed) })
    }

    /// Keeps the bytes in memory. `Full` past the limit, which the message names.
    pub fn lock(&self) -> Result<()> {
        let (base, length) = self.bytes();
        // SAFETY: our own bytes.
        unsafe { plan::lock(base, length) }
    }

    /// Undoes [`MappedFile::lock`].
    pub fn unlock(&self) -> Result<()> {
        let (base, length) = self.bytes();
        // SAFETY: our own bytes.
        unsafe { plan::unlock(base, length) }
    }

    /// How many pages are in memory, and how many there are.
    pub fn resident(&self) -> Result<(u64, u64)> {
        let (base, length) = self.bytes();
        // SAFETY: our own bytes.
        unsafe { plan::resident(base, length) }
    }

    /// Returns when what was stored is on the disk. A copy is written back first, whole.
    pub fn flush(&self) -> Result<()> {
        self.file.check_writable()?;
        match &self.bytes {
            // SAFETY: our own bytes.
            Bytes::Ours(memory, size) => unsafe { self.file.write(memory.base(), *size) }?,
            Bytes::Mapped(window) => window.sync()?,
        }
        self.file.sync()?;
        self.check()
    }

    /// Takes in that the file became longer, or was written anew: afterwards [`MappedFile::bytes`] gives all of it. Returns the
    /// size in bytes.
    pub fn refresh(&mut self) -> Result<u64> {
        let before = self.bytes().1 as u64;
        let size = self.file.look()?;
        let sound = self.check().is_ok();
        if size == before && self.strategy.maps() && sound {
            return Ok(size);
        }
        let grows = size > before && self.file.plan().maps();
        if let (Bytes::Mapped(window), true) = (&mut self.bytes, grows && sound) {
            self.file.map(window, size as usize)?;
            self.advise(self.pattern);
            return Ok(size);
        }
        let (bytes, strategy) = MappedFile::load(&self.file)?;
        self.bytes = bytes;
        self.strategy = strategy;
        self.advise(self.pattern);
        Ok(size)
    }
}

/// Touches each page, in order. Reading ahead goes on meanwhile.
fn populate(base: *mut u8, length: usize) {
    #[cfg(target_os = "linux")]
    {
        // One call where the kernel has it (5.14).
        const MADV_POPULATE_READ: i32 = 22;
        let whole = length & !(crate::region::pages::page_size() - 1);
        // SAFETY: our own bytes.
        if whole == 0 || unsafe { libc::madvise(base.cast(), whole, MADV_POPULATE_READ) } == 0 {
            return;
        }
    }
    for at in (0..length).step_by(4096) {
        // SAFETY: within the bytes.
        unsafe { base.add(at).read_volatile() };
    }
}
