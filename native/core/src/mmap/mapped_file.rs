//! A file in memory, in the way that suits its size: [`MappedFile`].
//!
//! [`OpenFile`] is the descriptor and what was decided about it; here is the memory.
//!
//! **Truncation.** If someone else cuts a mapped file short, what is gone reads as zeros and
//! [`MappedFile::check`] fails from then on, on Unix; nobody dies. What can not be promised: that a
//! reader notices before it used the zeros. Look after reading, or use [`Strategy::Copy`]. Bytes
//! that someone else *writes* are seen as they come, torn or not.

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
    /// Opens the regular file at `path`. `Io` if the system refuses, `Oom` for lack of memory or
    /// address space, `Full` if it is to be locked and the limit does not allow it.
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

    /// `Io` if the file was cut short, or could not be read, so that zeros take the place of some
    /// bytes. For before and after work on many bytes: it asks the system for the file's size.
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

    /// Copies `length` bytes from each of many offsets, one after another, to `target`, which has
    /// room for exactly those. Many times as fast as reading them one by one: see
    /// [`super::read_many`]. `Range`, with nothing written, for an offset that has fewer bytes behind
    /// it; `Io` if the file was cut short before or meanwhile.
    pub fn read_many(&self, offsets: &Numbers<'_>, length: usize, target: &mut [u8]) -> Result<()> {
        if offsets.len().checked_mul(length) != Some(target.len()) {
            return Err(Error::range(format!(
                "{} places of {length} bytes do not make {}",
                offsets.len(),
                target.len()
            )));
        }
        self.check()?;
        let (base, size) = self.bytes();
        // SAFETY: our own bytes, and room for those that are copied.
        unsafe { read_many(base, size, offsets, length, target.as_mut_ptr()) }?;
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
        unsafe { strategy::lock(base, length) }
    }

    /// Undoes [`MappedFile::lock`].
    pub fn unlock(&self) -> Result<()> {
        let (base, length) = self.bytes();
        // SAFETY: our own bytes.
        unsafe { strategy::unlock(base, length) }
    }

    /// How many pages are in memory, and how many there are.
    pub fn resident(&self) -> Result<(u64, u64)> {
        let (base, length) = self.bytes();
        // SAFETY: our own bytes.
        unsafe { strategy::resident(base, length) }
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

    /// Takes in that the file became longer, or was written anew: afterwards [`MappedFile::bytes`]
    /// gives all of it. Returns the size in bytes.
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
