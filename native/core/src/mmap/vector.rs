//! A vector in a file: it grows at its end, in place, and flushed elements survive.
//!
//! [`RawMmapVector`] knows the type of its elements at run time; [`VectorFile`] provides
//! durability, and [`Window`] the memory.
//!
//! **Lengths.** `committed <= sealed`, and elements below `sealed` are never stored to, because the
//! latest commit covers them. `len` may be less after elements were dropped; the next store below
//! `sealed` then waits for a commit of the shorter length. `len <= capacity`, for which there are
//! blocks in the file and pages in the window, so a store neither faults nor finds the disk full.
//!
//! **Cost.** `push`: a comparison and a store; growth allocates blocks for half of the present
//! size, but at most 64 MiB. `flush`: see [`VectorFile::commit`]. Opening: one page of header and
//! two of slots, regardless of the size.
//!
//! **Readers** see the elements that were committed when they opened the file or last refreshed.

use super::commit::DATA_OFFSET;
pub use super::file::Mode;
use super::file::VectorFile;
use super::mapping::{Access, Window};
use crate::region::advise::{Advice, advise};
use crate::region::element::Type;
use crate::{Error, ErrorKind, Result};
use std::path::Path;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

/// The smallest and the largest step by which a file grows, in bytes.
const STEP: (u64, u64) = (1 << 16, 64 << 20);

/// The size of a large page on most systems.
const LARGE_PAGE: u64 = 1 << 21;
/// The number of bytes between two flushes from which on large pages are worthwhile: half of one.
/// See `src/mmap/pages.ts`, which does the same.
const MUCH: u64 = 1 << 20;

/// How a vector uses its file. The default suits most uses.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The number of elements for which blocks are allocated initially.
    pub capacity: u64,
    /// The smallest and the largest growth of the file, in bytes; in between, it grows by half of
    /// its size.
    pub step: (u64, u64),
    /// Whether the vector may grow past `capacity`.
    pub fixed: bool,
    /// The expected access pattern.
    pub pattern: Advice,
    /// Touch new pages when they are allocated, so that no later store waits for one.
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

    /// For random lookups: small steps, no read-ahead.
    #[must_use]
    pub fn cache() -> Options {
        Options { step: (1 << 16, 4 << 20), pattern: Advice::Random, ..Options::default() }
    }

    /// For writers that must not wait: room for `capacity` elements, on pages that already exist,
    /// and `Full` past it.
    #[must_use]
    pub fn real_time(capacity: u64) -> Options {
        Options { capacity, fixed: true, populate: true, ..Options::default() }
    }
}

/// See the module's documentation.
#[derive(Debug)]
pub struct RawMmapVector {
    // Dropped before the file is truncated.
    window: Window,
    file: VectorFile,
    options: Options,
    ty: Type,
    len: u64,
    capacity: u64,
    /// Elements below this index are not stored to.
    sealed: u64,
    /// Whether large pages were requested for memory after the elements.
    large_pages: bool,
}

impl RawMmapVector {
    /// Creates a file with an empty vector. `Io` if `path` already exists, which is then left
    /// unchanged.
    pub fn create(path: &Path, ty: Type, options: Options) -> Result<RawMmapVector> {
        RawMmapVector::over(VectorFile::create(path, ty)?, options)
    }

    /// Opens the file of a vector. `Locked` if `mode` is `Write` and another handle is open for
    /// writing.
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

    /// Maps the committed elements, and reserves the room that a writer requested.
    fn prepare(&mut self) -> Result<()> {
        let wanted = if self.file.is_writable() { self.len.max(self.options.capacity) } else { self.len };
        self.make_room(wanted, wanted)
    }

    /// Type of the elements.
    #[must_use]
    pub fn element_type(&self) -> Type {
        self.ty
    }

    /// Number of elements, including those not yet flushed.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Number of elements that fit before the file grows.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Number of elements that would survive a crash now.
    #[must_use]
    pub fn committed(&self) -> u64 {
        self.file.journal().latest().length
    }

    /// Whether opening found an interrupted commit, and fell back to the previous one.
    #[must_use]
    pub fn recovered(&self) -> bool {
        self.file.journal().recovered()
    }

    /// Whether it was opened for writing.
    #[must_use]
    pub fn is_writable(&self) -> bool {
        self.file.is_writable()
    }

    /// The elements, which are contiguous and aligned to 64 bytes. Valid until the vector grows or
    /// is dropped. Another process may be writing those that it has not committed, so they must be
    /// accessed through raw pointers only.
    #[must_use]
    pub fn data(&self) -> *mut u8 {
        self.window.base()
    }

    /// `Io` if the file was truncated under the vector. To be called after reading, not before.
    pub fn check(&self) -> Result<()> {
        if self.window.is_lost() {
            let path = self.file.path().display();
            return Err(Error::new(ErrorKind::Io, format!("{path} was truncated while it was mapped")));
        }
        Ok(())
    }

    /// The bits of an element, zero-extended; `None` past the end.
    #[inline]
    #[must_use]
    pub fn get(&self, index: u64) -> Option<u64> {
        // SAFETY: the index is below the length.
        (index < self.len).then(|| unsafe { load(self.window.base(), self.ty.width(), index as usize) })
    }

    /// Changes an element that is not committed. `Range` past the end, `Unsupported` for a
    /// committed element: flushed elements are immutable.
    pub fn set(&mut self, index: u64, bits: u64) -> Result<()> {
        self.file.check_writable()?;
        if index >= self.len {
            return Err(Error::range(format!(
                "invalid index: {index}; the vector has {} elements",
                self.len
            )));
        }
        if index < self.sealed {
            return Err(Error::unsupported(format!(
                "element {index} was flushed, and flushed elements are immutable"
            )));
        }
        // SAFETY: the index is below the length; the window is writable, and no commit covers the
        // element yet.
        unsafe { store(self.window.base(), self.ty.width(), index as usize, bits) };
        Ok(())
    }

    /// Appends an element, given by its bits. `Full` if the disk is full, or the vector has a fixed
    /// size.
    #[inline]
    pub fn push(&mut self, bits: u64) -> Result<()> {
        if self.len >= self.capacity || self.len < self.sealed {
            self.prepare_stores(1)?;
        }
        self.file.check_writable()?;
        // SAFETY: room for the element was reserved, and no commit covers it.
        unsafe { store(self.window.base(), self.ty.width(), self.len as usize, bits) };
        self.len += 1;
        Ok(())
    }

    /// Appends `count` contiguous elements, either all or none.
    ///
    /// # Safety
    /// `count` elements at `elements` are readable, and do not belong to this vector.
    pub unsafe fn extend(&mut self, elements: *const u8, count: usize) -> Result<()> {
        self.prepare_stores(count as u64)?;
        let width = self.ty.width();
        // SAFETY: room was reserved after the elements; the source is readable and separate,
        // guaranteed by the caller.
        unsafe {
            let end = self.window.base().add(self.len as usize * width);
            elements.copy_to_nonoverlapping(end, count * width);
        }
        self.len += count as u64;
        Ok(())
    }

    /// Removes the last element and returns its bits.
    pub fn pop(&mut self) -> Result<Option<u64>> {
        self.file.check_writable()?;
        let last = self.len.checked_sub(1).and_then(|at| self.get(at));
        self.len -= u64::from(last.is_some());
        Ok(last)
    }

    /// Removes all elements from `length` on. With the next flush, the removal of flushed elements
    /// becomes permanent.
    pub fn truncate(&mut self, length: u64) -> Result<()> {
        self.file.check_writable()?;
        self.len = self.len.min(length);
        Ok(())
    }

    /// Makes room for `additional` more elements. `Full` or `Oom` with nothing changed.
    pub fn reserve(&mut self, additional: u64) -> Result<()> {
        self.file.check_writable()?;
        let wanted = self.len.checked_add(additional).ok_or_else(too_many)?;
        if wanted <= self.capacity { Ok(()) } else { self.make_room(wanted, wanted) }
    }

    /// Returns when all elements are on the disk and will survive a crash.
    ///
    /// `Io` if the disk fails: this handle is then unusable, and opening the file again determines
    /// which elements survived.
    pub fn flush(&mut self) -> Result<()> {
        self.file.check_writable()?;
        self.check()?;
        self.window.sync()?;
        if self.large_pages && self.unflushed(self.len) < MUCH {
            self.end_large_pages()?;
        }
        self.file.commit(self.len)?;
        self.sealed = self.len;
        // The file may have been truncated while it was being synced.
        self.check()
    }

    /// For readers: makes elements visible that were committed since. Returns the length.
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

    /// Prepares `count` stores at the end.
    #[cold]
    fn prepare_stores(&mut self, count: u64) -> Result<()> {
        self.file.check_writable()?;
        self.check()?;
        let wanted = self.len.checked_add(count).ok_or_else(too_many)?;
        if wanted > self.capacity {
            self.grow(wanted)?;
        }
        if self.len < self.sealed {
            // The latest commit covers the elements that would be overwritten.
            self.flush()?;
        }
        Ok(())
    }

    fn grow(&mut self, wanted: u64) -> Result<()> {
        if self.options.fixed && wanted > self.options.capacity.max(self.sealed) {
            let capacity = self.options.capacity;
            return Err(Error::full(format!(
                "this vector has room for {capacity} elements and may not grow"
            )));
        }
        let width = self.ty.width() as u64;
        let (least, most) = self.options.step;
        let most = most.max(least).max(width);
        let step = (self.capacity * width / 2).clamp(least.max(width), most);
        let end = if self.needs_large_pages(wanted) && most >= LARGE_PAGE {
            whole_pages(self.capacity * width, step, wanted.saturating_mul(width))
        } else {
            (self.capacity * width).saturating_add(step)
        };
        let mut generous = (end / width).max(wanted);
        loop {
            match self.make_room(generous, wanted) {
                // If the disk is nearly full, a smaller step may still fit; but not less than a
                // page, or each push would retry.
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

    /// Allocates blocks and pages for `wanted` elements in all, of which `needed` will be stored
    /// soon.
    fn make_room(&mut self, wanted: u64, needed: u64) -> Result<()> {
        let bytes = self.file.journal().bytes_for(wanted)?;
        if self.file.is_writable() {
            self.file.allocate(wanted)?;
        }
        let window = usize::try_from(bytes - DATA_OFFSET).map_err(|_| too_many())?;
        let before = self.window.len();
        self.window.grow(self.file.file(), window)?;
        // SAFETY: the pages belong to the window, and advice changes no byte.
        let advised = unsafe { advise(self.window.base(), self.window.len(), self.options.pattern) };
        let _ = advised; // Advice is not binding.
        // Begin at the file's next large page: a part of the previous one may already exist.
        let from = up_to_page(before as u64) as usize;
        if self.needs_large_pages(needed) && from < self.window.len() {
            let new = self.window.len() - from;
            // SAFETY: the pages belong to the window, and advice changes no byte.
            self.large_pages |= unsafe { advise(self.window.base().add(from), new, Advice::HugePages) };
        }
        if self.options.populate && self.file.is_writable() {
            self.touch(before);
        }
        self.capacity = self.capacity.max(wanted);
        Ok(())
    }

    /// The number of bytes that will have been stored since the last flush when there are `len`
    /// elements.
    fn unflushed(&self, len: u64) -> u64 {
        len.saturating_sub(self.sealed).saturating_mul(self.ty.width() as u64)
    }

    /// Whether these are enough that large pages are worthwhile.
    fn needs_large_pages(&self, len: u64) -> bool {
        self.unflushed(len) >= MUCH && self.file.is_writable() && !self.options.populate
    }

    /// A large page is written back completely at each flush if a part of it was stored to, so the
    /// remaining large pages are converted to small ones.
    fn end_large_pages(&mut self) -> Result<()> {
        self.large_pages = false;
        let used = self.len.max(self.sealed);
        let at = (used as usize * self.ty.width()).min(self.window.len());
        // SAFETY: the pages belong to the window, and advice changes no byte.
        let advised =
            unsafe { advise(self.window.base().add(at), self.window.len() - at, Advice::SmallPages) };
        let _ = advised; // Advice is not binding.
        self.file.discard(used)
    }

    /// Makes the kernel allocate the pages from byte `from` on, and mark them as writable.
    fn touch(&self, from: usize) {
        let base = self.window.base();
        for at in (from..self.window.len()).step_by(4096) {
            // SAFETY: the byte is within the window; adding zero preserves it, even if other
            // threads access it.
            unsafe { AtomicU8::from_ptr(base.add(at)).fetch_or(0, Relaxed) };
        }
    }

    /// Returns unused room to the file system. Elements that were not flushed are discarded.
    pub fn close(self) {
        drop(self);
    }
}

/// Rounds a size of elements, in bytes, up to the end of a large page of the file.
fn up_to_page(bytes: u64) -> u64 {
    bytes.saturating_add(DATA_OFFSET).checked_next_multiple_of(LARGE_PAGE).unwrap_or(u64::MAX) - DATA_OFFSET
}

/// The new end of the room for elements, in bytes, which is now `capacity`: the next boundary of a
/// large page, if that is past `capacity` and not below `wanted`, and otherwise a boundary at least
/// `step` further. So no small page is allocated where the next large one would be.
fn whole_pages(capacity: u64, step: u64, wanted: u64) -> u64 {
    let next = up_to_page(capacity);
    if next > capacity && next >= wanted {
        next
    } else {
        up_to_page(capacity.saturating_add(step).max(wanted))
    }
}

/// # Safety
/// Element `index` lies within the memory mapped at `base`, which is aligned.
#[inline(always)]
unsafe fn load(base: *mut u8, width: usize, index: usize) -> u64 {
    // SAFETY: the element is mapped and aligned, guaranteed by the caller. Atomic, because another
    // process may be writing.
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
    // SAFETY: the element is mapped, aligned and writable, guaranteed by the caller.
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
    Error::range("no file can contain that many elements")
}
