//! A file, mapped into memory.
//!
//! [`RegionFile::open`] maps a whole regular file, once, at the size it has then. The descriptor is
//! closed again at once: the mapping keeps the file's contents alive, also after it was renamed
//! or removed. Pages are read when they are touched, so opening costs the same for any size.
//!
//! | mode | pages | a write |
//! | --- | --- | --- |
//! | [`CopyMode::Read`] | shared with the page cache | faults: SIGSEGV |
//! | [`CopyMode::CopyOnWrite`] | shared until written | stays in this mapping; the file never changes |
//!
//! **Moving.** [`RegionFile::move_to`] puts the pages in the place of other memory, that of a
//! growable SharedArrayBuffer in practice. Its owner frees them with the rest; until then `unmap`
//! can only replace them by zeros, and dropping the value leaves them as they are. The kernel swaps
//! pages in one step, so nobody who holds the address ever finds nothing there.
//!
//! **Invariants.** The length is a multiple of 64 and at least a header. `base` stays where it is
//! until [`RegionFile::unmap`] or [`RegionFile::move_to`]; the status word until the value is
//! dropped. If the file shrinks, reads give zeros and the status word becomes non-zero (`sigbus`).
//!
//! **Bytes that change.** Another process may write to the file, and then the bytes change under
//! [`CopyMode::Read`]; so there is only a raw pointer here, never a slice.

use super::header::{ALIGNMENT, HEADER_BYTES};
use crate::{Error, ErrorKind, Result};
use memmap2::{MmapOptions, MmapRaw};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

/// What may be done to the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyMode {
    /// Read only. A store ends the process, so never let untrusted code have such memory to write.
    Read,
    /// Writes stay in this mapping: each page is copied when it is first written.
    CopyOnWrite,
}

/// Counts the mappings of the process, for leak tests.
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// How many mappings of files are alive in this process.
#[must_use]
pub fn live_mappings() -> usize {
    LIVE.load(Ordering::Relaxed)
}

/// A mapping. The watch goes before the pages, so that a fault handler never meets a range that has
/// been given to someone else; the fields are dropped in this order.
struct Mapping {
    #[cfg(unix)]
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only its end counts, as files are not moved")
    )]
    watch: super::sigbus::Watch,
    pages: Pages,
    length: usize,
}

enum Pages {
    /// Unmapped when this is dropped.
    Ours(MmapRaw),
    /// In memory of someone else's, who frees it.
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

/// A mapped file. See the head of this file.
pub struct RegionFile {
    mapping: Option<Mapping>,
    /// Boxed, because the fault handler writes to it and a `RegionFile` may be moved.
    status: Box<[AtomicI32]>,
}

impl RegionFile {
    /// Maps the file at `path`.
    ///
    /// `Io`: it can not be opened, or is a directory, device, pipe or socket. `Corrupt`: it is
    /// empty, shorter than a header, or not a multiple of 64 bytes long. `Oom`: no address space or
    /// memory.
    pub fn open(path: &Path, mode: CopyMode) -> Result<RegionFile> {
        let (file, length) = open_regular(path)?;
        let (pages, writable) = map(&file, length, mode).map_err(|error| failed("map", path, &error))?;
        let status = status_word()?;
        #[cfg(unix)]
        // SAFETY: the range is that of `pages`, which `Mapping` drops after the watch; the word is
        // on the heap and goes after the mapping.
        let watch = unsafe {
            super::sigbus::Watch::new(
                pages.as_ptr().expose_provenance(),
                length,
                writable,
                &raw const status[0],
            )?
        };
        #[cfg(not(unix))]
        let _ = writable; // Elsewhere a mapped file can not be cut short.
        LIVE.fetch_add(1, Ordering::Relaxed);
        let mapping = Mapping {
            #[cfg(unix)]
            watch,
            pages: Pages::Ours(pages),
            length,
        };
        Ok(RegionFile { mapping: Some(mapping), status })
    }

    /// The first byte, and the number of bytes; null and 0 after [`RegionFile::unmap`].
    ///
    /// Write through it only under [`CopyMode::CopyOnWrite`].
    #[must_use]
    pub fn bytes(&self) -> (*mut u8, usize) {
        match &self.mapping {
            Some(mapping) => (mapping.base(), mapping.length),
            None => (std::ptr::null_mut(), 0),
        }
    }

    /// Non-zero once a page could not be read. Lives, at one place, as long as the value.
    #[must_use]
    pub fn status(&self) -> &AtomicI32 {
        &self.status[0]
    }

    /// Whether a page could not be read, and zeros stand in its place.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.status().load(Ordering::Acquire) != 0
    }

    /// Moves the pages to `target`, in the place of what is mapped there, in one step.
    ///
    /// If `capacity` has room for a whole page more than the file takes, that is replaced too, by a
    /// page of zeros but for its last bytes, which tell later whether the memory is still there.
    /// Then loss is watched for until the owner frees it, also after this value is dropped.
    /// Otherwise the watch ends with the value.
    ///
    /// `Range`: `target` is no multiple of the page size, or `capacity` is less than the length in
    /// whole pages. `Unsupported`: this is not Linux, or the kernel refuses. Then nothing has
    /// changed.
    ///
    /// # Safety
    /// `capacity` bytes at `target` are mapped, writable and private to someone who agrees, and are
    /// freed by unmapping them. The file was opened with [`CopyMode::CopyOnWrite`]. Nobody holds the
    /// old address.
    pub unsafe fn move_to(&mut self, target: *mut u8, capacity: usize) -> Result<()> {
        #[cfg(target_os = "linux")]
        {
            let Some(mapping) = &mut self.mapping else {
                return Err(Error::new(ErrorKind::Closed, "the file was unmapped"));
            };
            let page = super::pages::page_size();
            let whole = mapping.length.next_multiple_of(page);
            if target.is_null() || !target.addr().is_multiple_of(page) || capacity < whole {
                return Err(Error::range(format!("{whole} bytes on whole pages are needed")));
            }
            // The new watch first: making it can fail, dropping the old one can not.
            // SAFETY: the caller vouches for the range; the word lives as long as this value.
            let watch = unsafe {
                let start = target.expose_provenance();
                super::sigbus::Watch::new(start, mapping.length, true, &raw const self.status[0])?
            };
            // SAFETY: our own pages, whose old address nobody holds, over a range that the caller
            // gives up.
            let moved = unsafe {
                let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
                libc::mremap(mapping.base().cast(), whole, whole, flags, target)
            };
            if moved == libc::MAP_FAILED {
                let error = io::Error::last_os_error();
                return Err(Error::unsupported(format!("the pages can not be moved: {error}")));
            }
            // From here on someone else frees the pages, and tells nobody: see `sigbus`.
            let marker = target.addr() + (capacity & !(page - 1)) - page;
            // SAFETY: a whole page at the end of a range that the caller gives up, behind the file.
            if marker >= target.addr() + whole && unsafe { super::sigbus::set_marker(marker) } {
                watch.mark(marker);
            }
            mapping.watch = watch;
            if let Pages::Ours(old) = std::mem::replace(&mut mapping.pages, Pages::Moved(target)) {
                // Not dropped: nothing is mapped there any more, or by now something else is.
                let _ = std::mem::ManuallyDrop::new(old);
            }
            Ok(())
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = (target, capacity);
            Err(Error::unsupported("mapped pages can not be moved on this system"))
        }
    }

    /// Gives the pages back, and keeps the status word. Nobody may use the bytes from now on,
    /// except those that were moved: there, zeros take their place. Twice is fine.
    pub fn unmap(&mut self) {
        #[cfg(target_os = "linux")]
        if let Some(Mapping { pages: Pages::Moved(base), length, watch }) = &self.mapping {
            let whole = length.next_multiple_of(super::pages::page_size());
            // SAFETY: whole pages that `move_to` put there, in memory whose owner still holds it.
            // Should it fail, the file's pages stay, which does no harm.
            if unsafe { super::pages::put_zeros(base.addr(), whole, true) } {
                watch.unmark();
            }
        }
        self.forget();
    }

    /// Ends the value's part in the mapping, and unmaps the bytes unless they were moved: those are
    /// left alone. For when whoever owns the memory frees it, or may keep it for others.
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

// SAFETY: the bytes are reached through a raw pointer, and whoever uses it answers for it; the rest
// is atomic or needs `&mut`. MmapRaw is Send and Sync by the same argument.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

/// A word on the heap; refused memory is an error, which `Box::new` can not say.
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
        // A pipe would otherwise be waited for, and a terminal become ours.
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    let file = options.open(path).map_err(|error| failed("open", path, &error))?;
    let metadata = file.metadata().map_err(|error| failed("open", path, &error))?;
    if !metadata.is_file() {
        let what = if metadata.is_dir() { "a directory" } else { "not a regular file" };
        return Err(Error::new(ErrorKind::Io, format!("can not map {}: it is {what}", path.display())));
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
        // What lies above could not be rounded up to whole pages, nor addressed by C.
        Ok(bytes) if bytes <= isize::MAX as usize - (1 << 20) => Ok((file, bytes)),
        _ => Err(Error::new(
            ErrorKind::Oom,
            format!("{} is too large to map ({length} bytes)", path.display()),
        )),
    }
}

/// The pages, and whether they can be written.
fn map(file: &File, length: usize, mode: CopyMode) -> io::Result<(MmapRaw, bool)> {
    let mut options = MmapOptions::new();
    options.len(length);
    match mode {
        CopyMode::Read => Ok((options.map_raw_read_only(file)?, false)),
        CopyMode::CopyOnWrite => {
            // Without a reservation, because a caller that changes a few bytes of a large file does
            // not need memory for all of it.
            // SAFETY: `map_copy` requires that the file does not change, because it returns a slice.
            // That becomes a raw mapping at once, and only a raw pointer leaves this file.
            let pages = unsafe { options.no_reserve_swap().map_copy(file)? };
            Ok((MmapRaw::from(pages), true))
        }
    }
}

#[cold]
fn failed(what: &str, path: &Path, error: &io::Error) -> Error {
    let kind = Error::from(io::Error::from(error.kind())).kind();
    Error::new(kind, format!("can not {what} {}: {error}", path.display()))
}
