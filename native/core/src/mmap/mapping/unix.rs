//! The window by `mmap`: address space is reserved, and pages of the file are laid into it as it
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

/// Address space that a window reserves, in bytes: it costs nothing but numbers.
const RESERVATION: usize = 1 << 36;

/// A large page, as most systems have it.
const LARGE_PAGE: usize = 1 << 21;

/// The bytes of a file from `offset` on. See the head of `mapping/mod.rs`.
///
/// Invariant: `reserved` bytes at `base` are ours; the first `mapped` of them, whole pages, are the
/// file's.
pub struct Window {
    base: NonNull<u8>,
    reserved: usize,
    mapped: usize,
    /// Bytes asked for, at most `mapped`.
    len: usize,
    offset: u64,
    access: Access,
    /// Whether the address space is someone else's, who unmaps it.
    foreign: bool,
    /// In foreign memory, the page whose last bytes tell whether that is still there; else 0.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux has markers"))]
    marker: usize,
    /// Dropped before the pages go: see `Drop`.
    watch: Option<Watch>,
    /// Boxed, because the fault handler writes to it and a window may be moved.
    status: Box<AtomicI32>,
}

// SAFETY: it owns its address space; the bytes are reached through raw pointers, for which their
// users answer.
unsafe impl Send for Window {}
// SAFETY: as above; `&self` gives an address away and reads an atomic.
unsafe impl Sync for Window {}

impl Window {
    /// An empty window onto a file from `offset` on, a multiple of the page size.
    pub fn new(offset: u64, access: Access) -> Result<Window> {
        // Less where address space is rationed (ulimit -v, containers).
        let mut reservation = RESERVATION;
        loop {
            match Window::with_reservation(offset, access, reservation) {
                Err(error) if error.kind() == ErrorKind::Oom && reservation > 1 << 24 => reservation /= 8,
                result => return result,
            }
        }
    }

    /// The same with so much address space, in bytes.
    pub fn with_reservation(offset: u64, access: Access, bytes: usize) -> Result<Window> {
        let reserved = bytes.checked_next_multiple_of(page_size()).ok_or_else(too_large)?;
        Window::over(reserve(reserved, offset)?, reserved, offset, access, false)
    }

    /// A window in address space of someone else's: a JavaScript buffer, say. Dropping the window
    /// leaves the pages there. It can not grow past `reserved` bytes less a page: the last page is
    /// replaced by zeros but for its last 8 bytes, which tell later whether the memory is still
    /// there, so that lost pages are watched for as long as it is (on Linux; elsewhere as long as
    /// the window).
    ///
    /// `Range`: `base` is no multiple of the page size.
    ///
    /// # Safety
    /// `reserved` bytes of address space at `base` are given up by their owner, who frees them by
    /// unmapping the whole.
    pub unsafe fn within(base: *mut u8, reserved: usize, offset: u64, access: Access) -> Result<Window> {
        let base = NonNull::new(base).filter(|base| base.addr().get().is_multiple_of(page_size()));
        let base = base.ok_or_else(|| Error::range("a window begins on a page of its own"))?;
        let whole = reserved & !(page_size() - 1);
        let usable = whole
            .checked_sub(page_size())
            .ok_or_else(|| Error::range("a window needs two pages at least"))?;
        #[cfg_attr(not(target_os = "linux"), expect(unused_mut, reason = "only Linux has markers"))]
        let mut window = Window::over(base, usable, offset, access, true)?;
        #[cfg(target_os = "linux")]
        {
            let marker = base.addr().get() + usable;
            // SAFETY: a whole page at the end of what the caller gives up.
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
        Err(Error::range(format!("{offset} is no multiple of the page size")))
    }

    /// The first byte; valid for [`Window::len`] bytes until the window grows past its reservation,
    /// or goes.
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

    /// Whether the file was cut short, or could not be read, so that zeros took the place of some
    /// bytes.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.status.load(Ordering::Acquire) != 0
    }

    /// Makes the window `len` bytes long; a shorter length changes nothing. The file must have them
    /// before they are touched. `Oom`: no address space or memory; nothing has changed then.
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
        let lay = || {
            // SAFETY: reserved address space of ours, behind what is mapped.
            unsafe {
                lay(file, base.as_ptr().add(from), wanted - from, self.offset + from as u64, self.access)
            }
        };
        if let Some(watch) = &self.watch {
            // Other threads may be reading what was there before: that is watched all the time, and
            // after a refusal.
            lay()?;
            watch.extend(wanted);
        } else {
            // SAFETY: address space of ours; the word lives until after the watch (`Drop`).
            let watch = unsafe {
                Watch::new(
                    base.as_ptr().expose_provenance(),
                    wanted,
                    self.access.stores(),
                    &raw const *self.status,
                )
            }?;
            lay()?;
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

    /// Into a larger reservation. The pages are in the page cache, so nothing is copied.
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

    /// The word behind [`Window::is_lost`], which stays where it is as long as the window.
    #[must_use]
    pub fn status(&self) -> &AtomicI32 {
        &self.status
    }

    /// Has the stores reach the file, where that takes more than syncing it. On Linux mapping and
    /// file are one.
    pub fn sync(&self) -> Result<()> {
        if cfg!(target_os = "linux") || self.mapped == 0 {
            return Ok(());
        }
        // SAFETY: pages of ours.
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
        // A fault handler must never meet a range that was given to someone else.
        self.watch = None;
        if !self.foreign {
            // SAFETY: all of it is ours, and nobody uses it any more.
            unsafe { libc::munmap(self.base.as_ptr().cast(), self.reserved) };
        }
    }
}

/// Address space for a file from `offset` on: its address differs from that by a multiple of
/// [`LARGE_PAGE`], without which the system can not use large pages.
fn reserve(bytes: usize, offset: u64) -> Result<NonNull<u8>> {
    let none = || Error::new(ErrorKind::Oom, format!("no address space for a window of {bytes} bytes"));
    let whole = bytes.checked_add(LARGE_PAGE).ok_or_else(none)?;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_NORESERVE;
    // SAFETY: new address space, wherever the kernel likes.
    let start = unsafe { libc::mmap(null_mut(), whole, libc::PROT_NONE, flags, -1, 0) };
    if start == libc::MAP_FAILED {
        return Err(none());
    }
    let skew = start.addr().wrapping_sub(offset as usize) % LARGE_PAGE;
    let before = (LARGE_PAGE - skew) % LARGE_PAGE;
    let base = start.cast::<u8>().wrapping_add(before);
    for (at, unused) in [(start, before), (base.wrapping_add(bytes).cast(), LARGE_PAGE - before)] {
        if unused > 0 {
            // SAFETY: whole pages of what was just reserved, which nobody knows of.
            unsafe { libc::munmap(at, unused) };
        }
    }
    NonNull::new(base).ok_or_else(too_large)
}

/// Lays `bytes` of the file, from `offset` on, at `target`.
///
/// # Safety
/// `target` is the start of so many bytes of address space, whole pages, whose owner gives up what
/// is there.
unsafe fn lay(file: &File, target: *mut u8, bytes: usize, offset: u64, access: Access) -> Result<()> {
    let protection = libc::PROT_READ | if access.stores() { libc::PROT_WRITE } else { 0 };
    let sharing =
        if access == Access::Private { libc::MAP_PRIVATE | libc::MAP_NORESERVE } else { libc::MAP_SHARED };
    let offset = libc::off_t::try_from(offset).map_err(|_| too_large())?;
    let flags = sharing | libc::MAP_FIXED;
    // SAFETY: the caller's.
    let at = unsafe { libc::mmap(target.cast(), bytes, protection, flags, file.as_raw_fd(), offset) };
    if at == libc::MAP_FAILED {
        let error = io::Error::last_os_error();
        let kind = if error.raw_os_error() == Some(libc::ENOMEM) { ErrorKind::Oom } else { ErrorKind::Io };
        return Err(Error::new(kind, format!("the file can not be mapped: {error}")));
    }
    Ok(())
}

#[cold]
fn too_large() -> Error {
    Error::new(ErrorKind::Oom, "the file is too large for the address space")
}
