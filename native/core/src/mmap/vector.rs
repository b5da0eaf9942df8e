//! A vector in a file: it grows at its end, in place, and what was flushed survives.
//!
//! [`RawMmapVector`] knows the type of its elements at run time; [`VectorFile`] makes its promise,
//! [`Window`] gives the memory.
//!
//! **Lengths.** `committed <= sealed`, and elements below `sealed` are never stored to: the latest
//! commit vouches for them. `len` may be less, after elements were dropped; then the next element
//! that would be stored below `sealed` waits for a commit of the shorter length. `len <= capacity`,
//! for which there are blocks in the file and pages in the window, so a store neither faults nor
//! finds the disk full.
//!
//! **Cost.** `push`: a comparison and a store; growth allocates blocks, by half of what is there
//! but 64 MiB at the most. `flush`: see [`VectorFile::commit`]. Opening: a page of header, and two
//! of slots, whatever the size.
//!
//! **Readers** see what was committed when they opened, or last refreshed.

use super::commit::DATA_OFFSET;
pub use super::file::Mode;
use super::file::VectorFile;
use super::mapping::{Access, Window};
use crate::region::advise::{Advice, advise};
use crate::region::element::Type;
use crate::{Error, ErrorKind, Result};
use std::path::Path;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

/// The smallest and the largest step in which a file grows, in bytes.
const STEP: (u64, u64) = (1 << 16, 64 << 20);

/// A large page, as most systems have it.
const LARGE_PAGE: u64 = 1 << 21;
/// Bytes between two flushes from which on large pages are worth it: half of one. See
/// `src/mmap/pages.ts`, which does the same.
const MUCH: u64 = 1 << 20;

/// How a vector uses its file. The default fits most.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Elements to allocate blocks for at once.
    pub capacity: u64,
    /// Bytes by which the file grows at least, and at most; in between, by half of its size.
    pub step: (u64, u64),
    /// Whether it may grow past `capacity` at all.
    pub fixed: bool,
    /// How it will be read.
    pub pattern: Advice,
    /// Touch new pages when they are made, so that no later store waits for one.
    pub populate: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { capacity: 0, step: STEP, fixed: false, pattern: Advice::Normal, populate: false }
    }
}

impl Options {
    /// For many gigabytes that are scanned: large steps, read ahead.
    #[must_use]
    pub fn large_dataset() -> Options {
        Options { step: (64 << 20, 1 << 30), pattern: Advice::Sequential, ..Options::default() }
    }

    /// For data that is looked up here and there: small steps, no read-ahead.
    #[must_use]
    pub fn cache() -> Options {
        Options { step: (1 << 16, 4 << 20), pattern: Advice::Random, ..Options::default() }
    }

    /// For writers that must not wait: room for `capacity` elements, on pages that are there, and
    /// `Full` past it.
    #[must_use]
    pub fn real_time(capacity: u64) -> Options {
        Options { capacity, fixed: true, populate: true, ..Options::default() }
    }
}

/// See the head of this file.
#[derive(Debug)]
pub struct RawMmapVector {
    // Dropped before the file is cut to size.
    window: Window,
    file: VectorFile,
    options: Options,
    ty: Type,
    len: u64,
    capacity: u64,
    /// Elements below are not stored to.
    sealed: u64,
    /// Whether large pages were asked for behind the elements.
    large_pages: bool,
}

impl RawMmapVector {
    /// Makes a file with an empty vector. `Io` if there is something at `path` already; then it
    /// stays as it is.
    pub fn create(path: &Path, ty: Type, options: Options) -> Result<RawMmapVector> {
        RawMmapVector::over(VectorFile::create(path, ty)?, options)
    }

    /// Opens the file of a vector. `Locked` if it is to be written and another handle has it.
    pub fn open(path: &Path, mode: Mode, options: Options) -> Result<RawMmapVector> {
        RawMmapVector::over(VectorFile::open(path, mode)?, options)
    }

    fn over(file: VectorFile, options: Options) -> Result<RawMmapVector> {
        let access = if file.is_writable() { Access::Write } else { Access::Read };
        let window = Window::new(DATA_OFFSET, access)?;
        let len = file.journal().latest().length;
        let ty = file.journal().element_type();
        let mut vector =
            RawMmapVector { window, file, options, ty, len, capacity: 0, sealed: len, large_pages: false };
        vector.prepare()?;
        Ok(vector)
    }

    /// Maps what is committed, and gives a writer the room it asked for.
    fn prepare(&mut self) -> Result<()> {
        let wanted = if self.file.is_writable() { self.len.max(self.options.capacity) } else { self.len };
        self.make_room(wanted, wanted)
    }

    /// Type of the elements.
    #[must_use]
    pub fn element_type(&self) -> Type {
        self.ty
    }

    /// Elements, those that were not flushed yet included.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Elements that fit before the file grows.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Elements that would be there after a crash now.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.file.journal().latest().length
    }

    /// Whether opening met a commit that was cut short, and fell back to the one before.
    #[must_use]
    pub fn recovered(&self) -> bool {
        self.file.journal().recovered()
    }

    /// Whether it was opened for writing.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.file.is_writable()
    }

    /// The elements, one after another; aligned to 64 bytes. Good until the vector grows, or goes.
    /// Another process may be writing those that it has not committed, so reach them by raw
    /// pointers only.
    #[must_use]
    pub fn data(&self) -> *mut u8 {
        self.window.base()
    }

    /// Throws where the file was cut short under the vector: look after reading, not before.
    pub fn check(&self) -> Result<()> {
        if self.window.is_lost() {
            let path = self.file.path().display();
            return Err(Error::new(ErrorKind::Io, format!("{path} became shorter while it was mapped")));
        }
        Ok(())
    }

    /// The bits of an element, zero-extended; `None` past the end.
    #[inline]
    #[must_use]
    pub fn get(&self, index: u64) -> Option<u64> {
        // SAFETY: within the length.
        (index < self.len).then(|| unsafe { load(self.window.base(), self.ty.width(), index as usize) })
    }

    /// Changes an element that is not committed. `Range` past the end, `Unsupported` for one that
    /// is: flushed elements do not change.
    pub fn set(&mut self, index: u64, bits: u64) -> Result<()> {
        self.file.check_writable()?;
        if index >= self.len {
            return Err(Error::range(format!("element {index} of {}", self.len)));
        }
        if index < self.sealed {
            return Err(Error::unsupported(format!(
                "element {index} was flushed, and flushed elements do not change"
            )));
        }
        // SAFETY: within the length; the window is writable, and nothing vouches for the element
        // yet.
        unsafe { store(self.window.base(), self.ty.width(), index as usize, bits) };
        Ok(())
    }

    /// Appends an element, given by its bits. `Full` if the disk is, or the vector is of fixed
    /// size.
    #[inline]
    pub fn push(&mut self, bits: u64) -> Result<()> {
        if self.len >= self.capacity || self.len < self.sealed {
            self.make_ready(1)?;
        }
        self.file.check_writable()?;
        // SAFETY: room was made; nothing vouches for the element.
        unsafe { store(self.window.base(), self.ty.width(), self.len as usize, bits) };
        self.len += 1;
        Ok(())
    }

    /// Appends `count` elements that lie one after another. All or none.
    ///
    /// # Safety
    /// So many elements at `elements` are readable, and not this vector's own.
    pub unsafe fn extend(&mut self, elements: *const u8, count: usize) -> Result<()> {
        self.make_ready(count as u64)?;
        let width = self.ty.width();
        // SAFETY: room was made behind the elements; the caller vouches for the source.
        unsafe {
            let end = self.window.base().add(self.len as usize * width);
            elements.copy_to_nonoverlapping(end, count * width);
        }
        self.len += count as u64;
        Ok(())
    }

    /// Removes the last element and gives its bits.
    pub fn pop(&mut self) -> Result<Option<u64>> {
        self.file.check_writable()?;
        let last = self.len.checked_sub(1).and_then(|at| self.get(at));
        self.len -= u64::from(last.is_some());
        Ok(last)
    }

    /// Drops all elements from `length` on. Those that were flushed are gone for good with the next
    /// flush.
    pub fn truncate(&mut self, length: u64) -> Result<()> {
        self.file.check_writable()?;
        self.len = self.len.min(length);
        Ok(())
    }

    /// Makes room for `additional` elements more. `Full` or `Oom` with nothing changed.
    pub fn reserve(&mut self, additional: u64) -> Result<()> {
        self.file.check_writable()?;
        let wanted = self.len.checked_add(additional).ok_or_else(too_many)?;
        if wanted <= self.capacity { Ok(()) } else { self.make_room(wanted, wanted) }
    }

    /// Returns when all elements are on the disk, and will be found there after a crash.
    ///
    /// `Io` if the disk refuses: then this handle is of no more use, and opening anew tells what is
    /// there.
    pub fn flush(&mut self) -> Result<()> {
        self.file.check_writable()?;
        self.check()?;
        self.window.sync()?;
        if self.large_pages && self.unflushed(self.len) < MUCH {
            self.end_large_pages()?;
        }
        self.file.commit(self.len)?;
        self.sealed = self.len;
        // The file may have been cut off while it was being synced.
        self.check()
    }

    /// For readers: takes in what was committed since. Returns the length.
    pub fn refresh(&mut self) -> Result<u64> {
        if self.file.is_writable() {
            return Ok(self.len);
        }
        self.check()?;
        let latest = self.file.refresh()?;
        self.make_room(latest.length, latest.length)?;
        self.len = latest.length;
        self.sealed = self.len;
        Ok(self.len)
    }

    /// Compares the committed elements with their checksum: O(bytes).
    pub fn validate(&self) -> Result<()> {
        self.check()?;
        self.file.journal().validate()
    }

    /// Makes ready for `count` stores at the end.
    #[cold]
    fn make_ready(&mut self, count: u64) -> Result<()> {
        self.file.check_writable()?;
        self.check()?;
        let wanted = self.len.checked_add(count).ok_or_else(too_many)?;
        if wanted > self.capacity {
            self.grow(wanted)?;
        }
        if self.len < self.sealed {
            // The latest commit vouches for what would be overwritten.
            self.flush()?;
        }
        Ok(())
    }

    fn grow(&mut self, wanted: u64) -> Result<()> {
        if self.options.fixed && wanted > self.options.capacity.max(self.sealed) {
            let capacity = self.options.capacity;
            return Err(Error::full(format!(
                "this vector holds {capacity} elements and was told not to grow"
            )));
        }
        let width = self.ty.width() as u64;
        let (least, most) = self.options.step;
        let most = most.max(least).max(width);
        let step = (self.capacity * width / 2).clamp(least.max(width), most);
        let end = if self.is_much(wanted) && most >= LARGE_PAGE {
            whole_pages(self.capacity * width, step, wanted.saturating_mul(width))
        } else {
            (self.capacity * width).saturating_add(step)
        };
        let mut generous = (end / width).max(wanted);
        loop {
            match self.make_room(generous, wanted) {
                // Where the disk is nearly full, less may still fit; but no less than a page, or
                // each push would ask again.
                Err(error) if matches!(error.kind(), ErrorKind::Full | ErrorKind::Oom) => {
                    let less = wanted.max(self.capacity + (generous - self.capacity) / 4);
                    if less == generous {
                        return Err(error);
                    }
                    generous = if (less - self.capacity) * width < 4096 { wanted } else { less };
                }
                result => return result,
            }
        }
    }

    /// Blocks and pages for `wanted` elements in all, of which `needed` will be stored soon.
    fn make_room(&mut self, wanted: u64, needed: u64) -> Result<()> {
        let bytes = self.file.journal().bytes_for(wanted)?;
        if self.file.is_writable() {
            self.file.allocate(wanted)?;
        }
        let window = usize::try_from(bytes - DATA_OFFSET).map_err(|_| too_many())?;
        let before = self.window.len();
        self.window.grow(self.file.file(), window)?;
        // SAFETY: pages of the window; advice changes no byte.
        let advised = unsafe { advise(self.window.base(), self.window.len(), self.options.pattern) };
        let _ = advised; // Advice is no promise.
        // From the next large page of the file on: of the one before a part may be there already.
        let from = up_to_page(before as u64) as usize;
        if self.is_much(needed) && from < self.window.len() {
            let new = self.window.len() - from;
            // SAFETY: pages of the window; advice changes no byte.
            self.large_pages |= unsafe { advise(self.window.base().add(from), new, Advice::HugePages) };
        }
        if self.options.populate && self.file.is_writable() {
            self.touch(before);
        }
        self.capacity = self.capacity.max(wanted);
        Ok(())
    }

    /// Bytes that will have been stored since the last flush when there are `len` elements.
    fn unflushed(&self, len: u64) -> u64 {
        len.saturating_sub(self.sealed).saturating_mul(self.ty.width() as u64)
    }

    /// Whether they are so many that large pages are worth it.
    fn is_much(&self, len: u64) -> bool {
        self.unflushed(len) >= MUCH && self.file.is_writable() && !self.options.populate
    }

    /// Of a large page that was stored to all may be written, at each flush: what is left of them
    /// becomes small.
    fn end_large_pages(&mut self) -> Result<()> {
        self.large_pages = false;
        let used = self.len.max(self.sealed);
        let at = (used as usize * self.ty.width()).min(self.window.len());
        // SAFETY: pages of the window; advice changes no byte.
        let advised =
            unsafe { advise(self.window.base().add(at), self.window.len() - at, Advice::SmallPages) };
        let _ = advised; // Advice is no promise.
        self.file.discard(used)
    }

    /// Has the kernel make the pages from byte `from` on, and mark them as ours to write.
    fn touch(&self, from: usize) {
        let base = self.window.base();
        for at in (from..self.window.len()).step_by(4096) {
            // SAFETY: within the window; adding nothing keeps the byte, whoever else looks at it.
            unsafe { AtomicU8::from_ptr(base.add(at)).fetch_or(0, Relaxed) };
        }
    }

    /// Gives the room that no element needs back to the file system. What was not flushed is
    /// discarded.
    pub fn close(self) {
        drop(self);
    }
}

/// The end of a large page of the file at or behind so many bytes of elements.
fn up_to_page(bytes: u64) -> u64 {
    bytes.saturating_add(DATA_OFFSET).checked_next_multiple_of(LARGE_PAGE).unwrap_or(u64::MAX) - DATA_OFFSET
}

/// Where room for elements ends, in bytes, that is `capacity` long and shall be longer by `step`,
/// and at least `wanted`: with a large page. If it does not already, not far behind: so that no
/// page of one size comes to lie where the next large one would be.
fn whole_pages(capacity: u64, step: u64, wanted: u64) -> u64 {
    let next = up_to_page(capacity);
    if next > capacity && next >= wanted {
        next
    } else {
        up_to_page(capacity.saturating_add(step).max(wanted))
    }
}

/// # Safety
/// Element `index` lies within what is mapped at `base`, which is aligned.
#[inline(always)]
unsafe fn load(base: *mut u8, width: usize, index: usize) -> u64 {
    // SAFETY: the caller's. Atomic, because another process may be writing.
    unsafe {
        match width {
            1 => u64::from(AtomicU8::from_ptr(base.add(index)).load(Relaxed)),
            2 => u64::from(AtomicU16::from_ptr(base.cast::<u16>().add(index)).load(Relaxed)),
            4 => u64::from(AtomicU32::from_ptr(base.cast::<u32>().add(index)).load(Relaxed)),
            _ => AtomicU64::from_ptr(base.cast::<u64>().add(index)).load(Relaxed),
        }
    }
}

/// # Safety
/// As for [`load`], and the memory is writable.
#[inline(always)]
unsafe fn store(base: *mut u8, width: usize, index: usize, bits: u64) {
    // SAFETY: the caller's.
    unsafe {
        match width {
            1 => AtomicU8::from_ptr(base.add(index)).store(bits as u8, Relaxed),
            2 => AtomicU16::from_ptr(base.cast::<u16>().add(index)).store(bits as u16, Relaxed),
            4 => AtomicU32::from_ptr(base.cast::<u32>().add(index)).store(bits as u32, Relaxed),
            _ => AtomicU64::from_ptr(base.cast::<u64>().add(index)).store(bits, Relaxed),
        }
    }
}

#[cold]
fn too_many() -> Error {
    Error::range("no file holds so many elements")
}
