//! A file in memory, by the strategy that suits its size: [`MappedFile`].
//!
//! [`OpenFile`] is the descriptor and the choice of the strategy; this file adds the memory.
//!
//! **Truncation.** If another process truncates a mapped file, the lost bytes read as zeros and
//! [`MappedFile::check`] fails from then on, on Unix; the process does not crash. It is not
//! guaranteed that a reader notices before it uses the zeros: check after reading, or use
//! [`Strategy::Copy`]. Bytes that another process *writes* are visible immediately, and may be
//! torn.

use super::file::Mode;
use super::mapping::{Access, Window};
use super::read_many::read_many;
use super::source::OpenFile;
use super::strategy::{self, Pattern, Strategy, Thresholds};
use crate::region::advise::{Advice, advise};
use crate::region::numbers::Numbers;
use crate::region::owned::OwnedMemory;
use crate::{Error, ErrorKind, Result};
use std::path::Path;

/// Options for opening a file. The default reads it, by the strategy that suits its size.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// For reading, or also for writing.
    pub mode: Mode,
    /// The expected access pattern.
    pub pattern: Pattern,
    /// Load all pages before `open` returns.
    pub populate: bool,
    /// Lock all pages in memory.
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

/// A file in memory. See the module's documentation.
pub struct MappedFile {
    // Dropped before the file, of which it may be a mapping.
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
    /// Opens the regular file at `path`. `Io` if the system refuses, `Oom` without enough memory or
    /// address space, `Full` if `lock` is set and exceeds the limit.
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
            // SAFETY: the bytes belong to `mapped`.
            unsafe { strategy::lock(base, length) }?;
        }
        Ok(mapped)
    }

    fn load(file: &OpenFile) -> Result<(Bytes, Strategy)> {
        let size =
            usize::try_from(file.size()).map_err(|_| Error::new(ErrorKind::Oom, "the file is too large"))?;
        let strategy = file.plan();
        if !strategy.maps() {
            let memory = OwnedMemory::new(size)?;
            // SAFETY: the new memory has this size.
            unsafe { file.read(memory.base(), size) }?;
            return Ok((Bytes::Ours(memory, size), strategy));
        }
        let access = if file.is_writable() { Access::Write } else { Access::Read };
        let mut window = Window::new(0, access)?;
        file.map(&mut window, size)?;
        // SAFETY: the window has this many bytes.
        let strategy = unsafe { file.obtained(window.base(), size) };
        Ok((Bytes::Mapped(window), strategy))
    }

    /// The address and number of the bytes, valid until [`MappedFile::refresh`] or drop.
    #[must_use]
    pub fn bytes(&self) -> (*mut u8, usize) {
        match &self.bytes {
            Bytes::Ours(memory, size) => (memory.base(), *size),
            Bytes::Mapped(window) => (window.base(), window.len()),
        }
    }

    /// The strategy by which the bytes are accessed.
    #[must_use]
    pub fn strategy(&self) -> Strategy {
        self.strategy
    }

    /// `Io` if the file was truncated or could not be read, so that zeros replace some bytes. To be
    /// called before and after work on many bytes: it asks the system for the file's size.
    pub fn check(&self) -> Result<()> {
        match &self.bytes {
            Bytes::Mapped(window) => self.file.check(window),
            Bytes::Ours(..) => Ok(()),
        }
    }

    /// `Io` if bytes that were read had been lost.
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
            return Err(Error::range(format!(
                "the {length} bytes at {offset} are not within the file's {size}"
            )));
        }
        // SAFETY: the range was checked.
        Ok((unsafe { base.add(offset as usize) }, length as usize))
    }

    /// Copies bytes. `Range` if the file has fewer; `Io` if some of them are lost.
    pub fn read(&self, offset: u64, target: &mut [u8]) -> Result<()> {
        let (from, length) = self.range(offset, target.len() as u64)?;
        // SAFETY: the range is within the bytes, and `target` is a separate slice.
        unsafe { target.as_mut_ptr().copy_from_nonoverlapping(from, length) };
        self.check_lost()
    }

    /// Copies `length` bytes from each of many offsets, consecutively, to `target`, whose size must
    /// match. Many times as fast as reading them one by one: see [`super::read_many`]. `Range`,
    /// with nothing written, if fewer bytes follow an offset; `Io` if the file was truncated before
    /// or meanwhile.
    pub fn read_many(&self, offsets: &Numbers<'_>, length: usize, target: &mut [u8]) -> Result<()> {
        if offsets.len().checked_mul(length) != Some(target.len()) {
            return Err(Error::range(format!(
                "{} offsets of {length} bytes each do not fill {} bytes",
                offsets.len(),
                target.len()
            )));
        }
        self.check()?;
        let (base, size) = self.bytes();
        // SAFETY: the bytes belong to this file, and the size of `target` was checked.
        unsafe { read_many(base, size, offsets, length, target.as_mut_ptr()) }?;
        self.check_lost()
    }

    /// Advises the kernel about the access pattern from now on. Returns whether the kernel accepted
    /// it.
    pub fn advise(&self, pattern: Pattern) -> bool {
        let (base, length) = self.bytes();
        // SAFETY: the bytes belong to this file, and this advice changes none of them.
        self.strategy.maps() && unsafe { advise(base, length, pattern.advice()) }
    }

    /// Asks the kernel to start reading a part of the file. Returns whether the kernel accepted it.
    pub fn prefetch(&self, offset: u64, length: u64) -> Result<bool> {
        let (from, length) = self.range(offset, length)?;
        // SAFETY: the bytes belong to this file.
        Ok(self.strategy.maps() && unsafe { advise(from, length, Advice::WillNeed) })
    }

    /// Locks the bytes in memory. `Full`, with the limit in the message, if that exceeds the limit.
    pub fn lock(&self) -> Result<()> {
        let (base, length) = self.bytes();
        // SAFETY: the bytes belong to this file.
        unsafe { strategy::lock(base, length) }
    }

    /// Undoes [`MappedFile::lock`].
    pub fn unlock(&self) -> Result<()> {
        let (base, length) = self.bytes();
        // SAFETY: the bytes belong to this file.
        unsafe { strategy::unlock(base, length) }
    }

    /// The number of pages in memory, and of all pages.
    pub fn resident(&self) -> Result<(u64, u64)> {
        let (base, length) = self.bytes();
        // SAFETY: the bytes belong to this file.
        unsafe { strategy::resident(base, length) }
    }

    /// Returns when stored bytes are on the disk. A copy is first written back completely.
    pub fn flush(&self) -> Result<()> {
        self.file.check_writable()?;
        match &self.bytes {
            // SAFETY: the bytes belong to this file.
            Bytes::Ours(memory, size) => unsafe { self.file.write(memory.base(), *size) }?,
            Bytes::Mapped(window) => window.sync()?,
        }
        self.file.sync()?;
        self.check()
    }

    /// Adapts to a file that became longer or was rewritten: [`MappedFile::bytes`] then returns all
    /// of it. Returns the size in bytes.
    pub fn refresh(&mut self) -> Result<u64> {
        let before = self.bytes().1 as u64;
        let size = self.file.update_size()?;
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

/// Touches each page, in order, while the kernel reads ahead.
fn populate(base: *mut u8, length: usize) {
    #[cfg(target_os = "linux")]
    {
        // A single call, if the kernel supports it (5.14).
        const MADV_POPULATE_READ: i32 = 22;
        let whole = length & !(crate::region::pages::page_size() - 1);
        // SAFETY: the bytes belong to the file.
        if whole == 0 || unsafe { libc::madvise(base.cast(), whole, MADV_POPULATE_READ) } == 0 {
            return;
        }
    }
    for at in (0..length).step_by(4096) {
        // SAFETY: the position is within the bytes.
        unsafe { base.add(at).read_volatile() };
    }
}
