//! Pages: their size, the whole pages in a range of bytes, and pages of zeros.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Bytes of a page. The first call asks the system; later ones are a load, and async-signal-safe.
pub(crate) fn page_size() -> usize {
    static SIZE: AtomicUsize = AtomicUsize::new(0);
    match SIZE.load(Relaxed) {
        0 => {
            #[cfg(unix)]
            // SAFETY: sysconf has no requirements.
            let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
            // On other systems, pages are only counted.
            #[cfg(not(unix))]
            let size = 4096;
            let size = usize::try_from(size).unwrap_or(4096);
            SIZE.store(size, Relaxed);
            size
        }
        size => size,
    }
}

/// The whole pages inside `[base, base + length)`, as start and length: a system call on pages must
/// not affect bytes outside the range. `None` if there is no whole page, or the range wraps around.
#[cfg(unix)]
pub(super) fn inner_pages(base: usize, length: usize) -> Option<(usize, usize)> {
    let mask = page_size() - 1;
    let start = base.checked_add(mask)? & !mask;
    let end = base.checked_add(length)? & !mask;
    (end > start).then(|| (start, end - start))
}

/// Replaces the pages at `[start, start + length)` by zero pages. `false` if the system refuses.
/// Async-signal-safe.
///
/// # Safety
/// The range consists of whole mapped pages, whose contents may be discarded.
#[cfg(unix)]
pub(super) unsafe fn put_zeros(start: usize, length: usize, writable: bool) -> bool {
    let protection = libc::PROT_READ | if writable { libc::PROT_WRITE } else { 0 };
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_FIXED | libc::MAP_NORESERVE;
    // SAFETY: the pages are mapped, and their contents may be discarded.
    let at =
        unsafe { libc::mmap(std::ptr::with_exposed_provenance_mut(start), length, protection, flags, -1, 0) };
    at != libc::MAP_FAILED
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn inner_pages_are_whole_pages() {
        let page = page_size();
        assert!(page.is_power_of_two() && page >= 4096);
        assert_eq!(page_size(), page);
        assert_eq!(inner_pages(page, page), Some((page, page)));
        assert_eq!(inner_pages(page + 1, page), None);
        assert_eq!(inner_pages(page + 1, 2 * page - 1), Some((2 * page, page)));
        assert_eq!(inner_pages(page, 2 * page - 1), Some((page, page)));
        assert_eq!(inner_pages(page - 1, 3 * page), Some((page, 2 * page)));
        assert_eq!(inner_pages(0, 0), None);
        assert_eq!(inner_pages(usize::MAX - 5, 2), None);
        assert_eq!(inner_pages(page, usize::MAX), None);
    }
}
