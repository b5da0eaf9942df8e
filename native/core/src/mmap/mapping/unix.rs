//! The window by `mmap`: address space is reserved, and pages of the file are mapped into it as it
//! grows.

use super::Access;
use crate::region::pages::page_size;
use crate::region::sigbus::Watch;
use crate::{Error, ErrorKind, Result};
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicI32, Ordering};

/// Address space that a window reserves, in bytes. It consumes no memory.
const RESERVATION: usize = 1 << 36;

/// The size of a large page on most systems.
const LARGE_PAGE: usize = 1 << 21;

/// The bytes of a file from `offset` on. See `mapping/mod.rs`.
///
/// Invariant: `reserved` bytes at `base` belong to the window; the first `mapped` of them, whole
/// pages, are mapped to the file.
pub struct Window {
    base: NonNull<u8>,
    reserved: usize,
    mapped: usize,
    /// Requested bytes, at most `mapped`.
    len: usize,
    offset: u64,
    access: Access,
    /// Whether the address space belongs to another owner, who unmaps it.
    foreign: bool,
    /// In foreign memory, the page whose last bytes show whether the memory still exists; else 0.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux has markers"))]
    marker: usize,
    /// Dropped before the pages are unmapped: see `Drop`.
    watch: Option<Watch>,
    /// Boxed, because the fault handler writes to it and a window may be moved.
    status: Box<AtomicI32>,
}

// SAFETY: the window owns its address space, or has it from an owner that gave it up; the bytes are
// accessed through raw pointers only, whose users ensure validity.
unsafe impl Send for Window {}
// SAFETY: as above; `&self` only returns an address and reads an atomic.
unsafe impl Sync for Window {}

impl Window {
    /// An empty window onto a file from `offset` on, a multiple of the page size.
    pub fn new(offset: u64, access: Access) -> Result<Window> {
        // Reserve less if address space is limited (ulimit -v, containers).
        let mut reservation = RESERVATION;
        loop {
            match Window::with_reservation(offset, access, reservation) {
                Err(error) if error.kind() == ErrorKind::Oom && reservation > 1 << 24 => reservation /= 8,
                result => return result,
            }
        }
    }

    /// As `new`, with a reservation of `bytes` bytes of address space.
    pub fn with_reservation(offset: u64, access: Access, bytes: usize) -> Result<Window> {
        let reserved = bytes.checked_next_multiple_of(page_size()).ok_or_else(too_large)?;
        Window::over(reserve(reserved, offset)?, reserved, offset, access, false)
    }

    /// A window in foreign address space, such as that of a JavaScript buffer. Dropping the window
    /// leaves the pages there. It cannot grow past `reserved` bytes less a page: the last page is
    /// replaced by zeros except for its last 8 bytes, which later show whether the memory still
    /// exists, so that lost pages are watched as long as it does (on Linux; on other systems as
    /// long as the window exists).
    ///
    /// `Range`: `base` is not a multiple of the page size.
    ///
    /// # Safety
    /// The owner of the `reserved` bytes of address space at `base` gives them up, and frees them
    /// by unmapping all of them.
    pub unsafe fn within(base: *mut u8, reserved: usize, offset: u64, access: Access) -> Result<Window> {
        let base = NonNull::new(base).filter(|base| base.addr().get().is_multiple_of(page_size()));
        let base = base.ok_or_else(|| Error::range("a window must begin at a page"))?;
        let whole = reserved & !(page_size() - 1);
        let usable = whole
            .checked_sub(page_size())
            .ok_or_else(|| Error::range("a window needs at least two pages"))?;
        #[cfg_attr(not(target_os = "linux"), expect(unused_mut, reason = "only Linux has markers"))]
        let mut window = Window::over(base, usable, offset, access, true)?;
        #[cfg(target_os = "linux")]
        {
            let marker = base.addr().get() + usable;
            // SAFETY: the marker is a whole page at the end of the memory that the caller gives up.
            if unsafe { crate::region::sigbus::set_marker(marker) } {
                window.marker = marker;
            }
        }
        Ok(window)
    }

    fn over(
        base: NonNull<u8>,
        reserved: usize,
        offset: u64,
        access: Access,
        foreign: bool,
    ) -> Result<Window> {
        let status = Box::new(AtomicI32::new(0));
        let window = Window {
            base,
            reserved,
            mapped: 0,
            len: 0,
            offset,
            access,
            foreign,
            marker: 0,
            watch: None,
            status,
        };
        if offset.is_multiple_of(page_size() as u64) {
            return Ok(window);
        }
        Err(Error::range(format!("{offset} is not a multiple of the page size")))
    }

    /// The first byte; valid for [`Window::len`] bytes until the window grows past its reservation
    /// or is dropped.
    #[must_use]
    pub fn base(&self) -> *mut u8 {
        self.base.as_ptr()
    }

    /// Bytes that can be used, if the file has them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing is mapped yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the file was truncated or could not be read, so that zeros replaced some bytes.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.status.load(Ordering::Acquire) != 0
    }

    /// Extends the window to `len` bytes; a shorter length changes nothing. The file must have that
    /// many bytes before they are accessed. `Oom`, with nothing changed, without enough address
    /// space or memory.
    pub fn grow(&mut self, file: &File, len: usize) -> Result<()> {
        if len <= self.len {
            return Ok(());
        }
        let wanted = len.checked_next_multiple_of(page_size()).ok_or_else(too_large)?;
        if wanted <= self.mapped {
            self.len = len;
            return Ok(());
        }
        if wanted > self.reserved {
            if self.foreign {
                return Err(Error::full(format!("the window has room for {} bytes", self.reserved)));
            }
            return self.relocate(file, len, wanted);
        }
        let (base, from) = (self.base, self.mapped);
        let map_more = || {
            // SAFETY: the range is reserved address space of this window, after the mapped part.
            unsafe {
                map_pages(
                    file,
                    base.as_ptr().add(from),
                    wanted - from,
                    self.offset + from as u64,
                    self.access,
                )
            }
        };
        if let Some(watch) = &self.watch {
            // Other threads may be reading the existing pages, which therefore stay watched
            // throughout, even if the growth is refused.
            map_more()?;
            watch.extend(wanted);
        } else {
            // SAFETY: the address space belongs to the window; the status word outlives the watch
            // (`Drop`).
            let watch = unsafe {
                Watch::new(
                    base.as_ptr().expose_provenance(),
                    wanted,
                    self.access.stores(),
                    &raw const *self.status,
                )
            }?;
            map_more()?;
            #[cfg(target_os = "linux")]
            if self.marker != 0 {
                watch.mark(self.marker);
            }
            self.watch = Some(watch);
        }
        self.mapped = wanted;
        self.len = len;
        Ok(())
    }

    /// Moves to a larger reservation. The pages are in the page cache, so nothing is copied.
    #[cold]
    fn relocate(&mut self, file: &File, len: usize, wanted: usize) -> Result<()> {
        let reserved = wanted.checked_mul(4).unwrap_or(wanted);
        let (base, reserved) = match reserve(reserved, self.offset) {
            Ok(base) => (base, reserved),
            Err(_) => (reserve(wanted, self.offset)?, wanted),
        };
        let mut larger = Window::over(base, reserved, self.offset, self.access, false)?;
        larger.status.store(self.status.load(Ordering::Acquire), Ordering::Release);
        larger.grow(file, len)?;
        *self = larger;
        Ok(())
    }

    /// The status word that [`Window::is_lost`] reads. Its address is stable as long as the window
    /// exists.
    #[must_use]
    pub fn status(&self) -> &AtomicI32 {
        &self.status
    }

    /// Writes stores back to the file, if that takes more than syncing it. On Linux mapping and
    /// file are coherent.
    pub fn sync(&self) -> Result<()> {
        if cfg!(target_os = "linux") || self.mapped == 0 {
            return Ok(());
        }
        // SAFETY: the pages belong to the window.
        let result = unsafe { libc::msync(self.base.as_ptr().cast(), self.mapped, libc::MS_SYNC) };
        if result == 0 { Ok(()) } else { Err(io::Error::last_os_error().into()) }
    }
}

impl std::fmt::Debug for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Window").field("base", &self.base).field("len", &self.len).finish_non_exhaustive()
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // The fault handler must never see a range that was given to another owner.
        self.watch = None;
        if !self.foreign {
            // SAFETY: the whole reservation belongs to the window, and is no longer used.
            unsafe { libc::munmap(self.base.as_ptr().cast(), self.reserved) };
        }
    }
}

/// Reserves address space for a file from `offset` on. Its address is congruent to `offset` modulo
/// [`LARGE_PAGE`], which the system requires for large pages.
fn reserve(bytes: usize, offset: u64) -> Result<NonNull<u8>> {
    let none = || Error::new(ErrorKind::Oom, format!("no address space for a window of {bytes} bytes"));
    let whole = bytes.checked_add(LARGE_PAGE).ok_or_else(none)?;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE;
    // SAFETY: this reserves new address space at an address that the kernel chooses.
    let start = unsafe { libc::mmap(null_mut(), whole, libc::PROT_NONE, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(none());
    }
    let skew = start.addr().wrapping_sub(offset as usize) % LARGE_PAGE;
    let before = (LARGE_PAGE - skew) % LARGE_PAGE;
    let base = start.cast::<u8>().wrapping_add(before);
    for (at, unused) in [(start, before), (base.wrapping_add(bytes).cast(), LARGE_PAGE - before)] {
        if unused > 0 {
            // SAFETY: these are whole pages of the new reservation, and no other code has their
            // address.
            unsafe { libc::munmap(at, unused) };
        }
    }
    NonNull::new(base).ok_or_else(too_large)
}

/// Maps `bytes` of the file, from `offset` on, at `target`.
///
/// # Safety
/// `target` is the start of `bytes` bytes of address space, whole pages, whose owner gives up their
/// contents.
unsafe fn map_pages(file: &File, target: *mut u8, bytes: usize, offset: u64, access: Access) -> Result<()> {
    let protection = libc::PROT_READ | if access.stores() { libc::PROT_WRITE } else { 0 };
    let sharing =
        if access == Access::Private { libc::MAP_PRIVATE | libc::MAP_NORESERVE } else { libc::MAP_SHARED };
    let offset = libc::off_t::try_from(offset).map_err(|_| too_large())?;
    let flags = sharing | libc::MAP_FIXED;
    // SAFETY: the owner of the address space gives it up, guaranteed by the caller.
    let at = unsafe { libc::mmap(target.cast(), bytes, protection, flags, file.as_raw_fd(), offset) };
    if at == libc::MAP_FAILED {
        let error = io::Error::last_os_error();
        let kind = if error.raw_os_error() == Some(libc::ENOMEM) { ErrorKind::Oom } else { ErrorKind::Io };
        return Err(Error::new(kind, format!("the file cannot be mapped: {error}")));
    }
    Ok(())
}

#[cold]
fn too_large() -> Error {
    Error::new(ErrorKind::Oom, "the file is too large for the address space")
}
