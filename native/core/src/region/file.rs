//! A file, mapped into memory.
//!
//! [`RegionFile::open`] maps a whole regular file, once, at its current size. The descriptor is
//! closed at once: the mapping keeps the file's contents alive, even after the file was renamed or
//! removed. Pages are read when they are touched, so opening costs the same for any size.
//!
//! | mode | pages | a write |
//! | --- | --- | --- |
//! | [`CopyMode::Read`] | shared with the page cache | faults: SIGSEGV |
//! | [`CopyMode::CopyOnWrite`] | shared until written | stays in this mapping; the file never changes |
//!
//! **Moving.** [`RegionFile::move_to`] replaces the pages of other memory, in practice that of a
//! growable SharedArrayBuffer, by those of the file. The owner of that memory frees them with the
//! rest; until then, `unmap` can only replace them by zeros, and dropping the value leaves them as
//! they are. The kernel swaps pages in one step, so the address is mapped at every moment.
//!
//! **Invariants.** The length is a multiple of 64 and at least a header. The base address does not
//! change until [`RegionFile::unmap`] or [`RegionFile::move_to`], and the status word does not move
//! until the value is dropped. If the file shrinks, reads return zeros and the status word becomes
//! non-zero (`sigbus`).
//!
//! **Changing bytes.** Another process may write to the file, and then the bytes change under
//! [`CopyMode::Read`]. So this module hands out a raw pointer, never a slice.

use super::header::{ALIGNMENT, HEADER_BYTES};
use crate::{Error, ErrorKind, Result};
use memmap2::{MmapOptions, MmapRaw};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

/// Whether the bytes can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyMode {
    /// Read only. A store crashes the process, so never give such memory to code that may write.
    Read,
    /// Writes stay in this mapping: each page is copied when it is first written.
    CopyOnWrite,
}

/// Counts the mappings of the process, for leak tests.
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// The number of file mappings that are alive in this process.
#[must_use]
pub fn live_mappings() -> usize {
    LIVE.load(Ordering::Relaxed)
}

/// A mapping. The fields are dropped in this order: the watch before the pages, so that the fault
/// handler never finds a range that has been given to another owner.
struct Mapping {
    #[cfg(unix)]
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only dropping it matters, because files are not moved")
    )]
    watch: super::sigbus::Watch,
    pages: Pages,
    length: usize,
}

enum Pages {
    /// Unmapped when this is dropped.
    Ours(MmapRaw),
    /// In memory of another owner, who frees it.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux can move pages"))]
    Moved(*mut u8),
}

impl Mapping {
    fn base(&self) -> *mut u8 {
        match &self.pages {
            Pages::Ours(pages) => pages.as_mut_ptr(),
            Pages::Moved(base) => *base,
        }
    }
}

/// A mapped file. See the module's documentation.
pub struct RegionFile {
    mapping: Option<Mapping>,
    /// Boxed, because the fault handler writes to it and a `RegionFile` may be moved.
    status: Box<[AtomicI32]>,
}

impl RegionFile {
    /// Maps the file at `path`.
    ///
    /// `Io` if it cannot be opened, or is a directory, device, pipe or socket. `Corrupt` if it is
    /// empty, shorter than a header, or not a multiple of 64 bytes long. `Oom` without address
    /// space or memory.
    pub fn open(path: &Path, mode: CopyMode) -> Result<RegionFile> {
        let (file, length) = open_regular(path)?;
        let (pages, writable) = map(&file, length, mode).map_err(|error| failed("map", path, &error))?;
        let status = status_word()?;
        #[cfg(unix)]
        // SAFETY: the range is that of `pages`, which `Mapping` drops after the watch; the word is
        // on the heap and is dropped after the mapping.
        let watch = unsafe {
            super::sigbus::Watch::new(
                pages.as_ptr().expose_provenance(),
                length,
                writable,
                &raw const status[0],
            )?
        };
        #[cfg(not(unix))]
        let _ = writable; // Other systems do not truncate a mapped file.
        LIVE.fetch_add(1, Ordering::Relaxed);
        let mapping = Mapping {
            #[cfg(unix)]
            watch,
            pages: Pages::Ours(pages),
            length,
        };
        Ok(RegionFile { mapping: Some(mapping), status })
    }

    /// The address and the number of bytes; null and 0 after [`RegionFile::unmap`]. Writable only
    /// under [`CopyMode::CopyOnWrite`].
    #[must_use]
    pub fn bytes(&self) -> (*mut u8, usize) {
        match &self.mapping {
            Some(mapping) => (mapping.base(), mapping.length),
            None => (std::ptr::null_mut(), 0),
        }
    }

    /// Non-zero after a page could not be read. Its address is valid as long as the value lives.
    #[must_use]
    pub fn status(&self) -> &AtomicI32 {
        &self.status[0]
    }

    /// Whether a page could not be read and was replaced by zeros.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.status().load(Ordering::Acquire) != 0
    }

    /// Moves the pages to `target`, where they replace the existing mapping in one step.
    ///
    /// If `capacity` has room for a whole page past those of the file, that page is replaced too,
    /// by zeros and a marker at the end, which shows later whether the memory still exists. Then
    /// the range is watched until its owner frees it, even after this value is dropped. Otherwise
    /// the watch ends with the value.
    ///
    /// `Range` if `target` is not a multiple of the page size, or `capacity` is less than the
    /// length in whole pages. `Unsupported` if this is not Linux, or the kernel refuses. Then
    /// nothing has changed.
    ///
    /// # Safety
    /// The `capacity` bytes at `target` are mapped, writable and private, their owner permits this
    /// and frees them by unmapping. The file was opened with [`CopyMode::CopyOnWrite`]. The old
    /// address is not used any more.
    pub unsafe fn move_to(&mut self, target: *mut u8, capacity: usize) -> Result<()> {
        #[cfg(target_os = "linux")]
        {
            let Some(mapping) = &mut self.mapping else {
                return Err(Error::new(ErrorKind::Closed, "the file was unmapped"));
            };
            let page = super::pages::page_size();
            let whole = mapping.length.next_multiple_of(page);
            if target.is_null() || !target.addr().is_multiple_of(page) || capacity < whole {
                return Err(Error::range(format!("moving the file requires {whole} bytes on whole pages")));
            }
            // The new watch first, because creating it can fail and dropping the old one cannot.
            // SAFETY: the caller guarantees that the range is mapped until it is freed; the word
            // lives as long as this value.
            let watch = unsafe {
                let start = target.expose_provenance();
                super::sigbus::Watch::new(start, mapping.length, true, &raw const self.status[0])?
            };
            // SAFETY: the pages are ours, and the caller guarantees that their old address is not
            // used and that the target range may be replaced.
            let moved = unsafe {
                let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
                libc::mremap(mapping.base().cast(), whole, whole, flags, target)
            };
            if moved == libc::MAP_FAILED {
                let error = io::Error::last_os_error();
                return Err(Error::unsupported(format!("cannot move the pages: {error}")));
            }
            // From here on the owner of the memory frees the pages, without notice: see `sigbus`.
            let marker = target.addr() + (capacity & !(page - 1)) - page;
            // SAFETY: a whole page past the file, in the range that the caller permits to replace.
            if marker >= target.addr() + whole && unsafe { super::sigbus::set_marker(marker) } {
                watch.mark(marker);
            }
            mapping.watch = watch;
            if let Pages::Ours(old) = std::mem::replace(&mut mapping.pages, Pages::Moved(target)) {
                // Not dropped: the old range is unmapped, or already belongs to another mapping.
                let _ = std::mem::ManuallyDrop::new(old);
            }
            Ok(())
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = (target, capacity);
            Err(Error::unsupported("cannot move mapped pages on this system"))
        }
    }

    /// Unmaps the pages, and keeps the status word. The bytes must not be used any more, except for
    /// those that were moved: they are replaced by zeros. Calling this twice is allowed.
    pub fn unmap(&mut self) {
        #[cfg(target_os = "linux")]
        if let Some(Mapping { pages: Pages::Moved(base), length, watch }) = &self.mapping {
            let whole = length.next_multiple_of(super::pages::page_size());
            // SAFETY: these are the whole pages that `move_to` put there, in memory that its owner
            // has not freed. If this fails, the file's pages stay, which is harmless.
            if unsafe { super::pages::put_zeros(base.addr(), whole, true) } {
                watch.unmark();
            }
        }
        self.forget();
    }

    /// Drops the mapping. Unmaps the bytes unless they were moved: those are left to the owner of
    /// the memory, who frees them or keeps them for other users.
    pub fn forget(&mut self) {
        if let Some(mapping) = self.mapping.take() {
            drop(mapping);
            LIVE.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

impl Drop for RegionFile {
    fn drop(&mut self) {
        self.forget();
    }
}

// SAFETY: the bytes are accessed only through a raw pointer, by unsafe code; the other fields are
// atomic or need `&mut`. MmapRaw is Send and Sync for the same reason.
unsafe impl Send for Mapping {}
// SAFETY: as for Send.
unsafe impl Sync for Mapping {}

/// A word on the heap. Fallible, unlike `Box::new`.
fn status_word() -> Result<Box<[AtomicI32]>> {
    let mut word = Vec::new();
    word.try_reserve_exact(1)?;
    word.push(AtomicI32::new(0));
    Ok(word.into_boxed_slice())
}

fn open_regular(path: &Path) -> Result<(File, usize)> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // Otherwise opening a pipe would block, and a terminal could become the controlling one.
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    let file = options.open(path).map_err(|error| failed("open", path, &error))?;
    let metadata = file.metadata().map_err(|error| failed("open", path, &error))?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a directory" } else { "not a regular file" };
        return Err(Error::new(ErrorKind::Io, format!("cannot map {}: it is {what}", path.display())));
    }
    let length = metadata.len();
    let wrong = |what: std::fmt::Arguments<'_>| {
        Error::corrupt(format!("{} is not a region: {what} ({length} bytes)", path.display()))
    };
    if length == 0 {
        return Err(wrong(format_args!("it is empty")));
    }
    if length < HEADER_BYTES as u64 {
        return Err(wrong(format_args!("it is shorter than a header of {HEADER_BYTES} bytes")));
    }
    if !length.is_multiple_of(ALIGNMENT) {
        return Err(wrong(format_args!("its size is not a multiple of {ALIGNMENT}")));
    }
    match usize::try_from(length) {
        // A greater length could not be rounded up to whole pages, nor addressed by C.
        Ok(bytes) if bytes <= isize::MAX as usize - (1 << 20) => Ok((file, bytes)),
        _ => Err(Error::new(
            ErrorKind::Oom,
            format!("{} is too large to map ({length} bytes)", path.display()),
        )),
    }
}

/// Maps the file. Also returns whether the pages can be written.
fn map(file: &File, length: usize, mode: CopyMode) -> io::Result<(MmapRaw, bool)> {
    let mut options = MmapOptions::new();
    options.len(length);
    match mode {
        CopyMode::Read => Ok((options.map_raw_read_only(file)?, false)),
        CopyMode::CopyOnWrite => {
            // Without a reservation, because a caller that changes a few bytes of a large file does
            // not need memory for all of it. SAFETY: `map_copy` requires that the file does not
            // change, because it returns a slice. That becomes a raw mapping at once, and only a
            // raw pointer leaves this file.
            let pages = unsafe { options.no_reserve_swap().map_copy(file)? };
            Ok((MmapRaw::from(pages), true))
        }
    }
}

#[cold]
fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    let kind = Error::from(io::Error::from(error.kind())).kind();
    Error::new(kind, format!("cannot {what} {}: {error}", path.display()))
}
