//! Advice to the kernel about pages: `madvise` on the whole pages inside a range of bytes.
//!
//! Advice is not a guarantee, so nothing here fails: [`advise`] returns whether the kernel accepted
//! it. It is safe for any memory, mapped files and shared buffers included, except for
//! [`Advice::Discard`]. [`populate`] is more than advice: after it, the pages are present.
//!
//! **Cost.** One system call, about a microsecond; huge pages are created later, at the first touch
//! or by the kernel's own thread. **Invariant.** Bytes outside whole pages are never affected.

use crate::Result;
#[cfg(target_os = "linux")]
use crate::{Error, ErrorKind};
use std::sync::atomic::{AtomicU8, Ordering};

/// Advice for the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// Back this with huge pages (Linux: `MADV_HUGEPAGE`): fewer misses of the TLB under random
    /// access, at the price of memory in whole 2 MiB pieces.
    HugePages,
    /// Back this with small pages only (Linux: `MADV_NOHUGEPAGE`).
    SmallPages,
    /// Accesses will be random: do not read ahead.
    Random,
    /// Accesses will be sequential: read ahead, and drop pages after use.
    Sequential,
    /// No access pattern: undoes the two above.
    Normal,
    /// The range will be read soon: start reading now.
    WillNeed,
    /// The range is not needed (Linux: `MADV_DONTNEED`, at once; on other systems, when memory is
    /// short). Pages of a file are read again at the next touch. **Contents that exist only in
    /// memory are lost**: they read as zeros, or as in the file in a copy-on-write mapping.
    Discard,
}

/// Gives the advice for the whole pages inside the `length` bytes at `base`. `false` if there is no
/// whole page, the system does not know the advice, or it refuses.
///
/// # Safety
/// The bytes are mapped, and stay mapped until the call returns. With [`Advice::Discard`], their
/// contents may be discarded, and no reference to them is alive.
#[must_use]
pub unsafe fn advise(base: *const u8, length: usize, advice: Advice) -> bool {
    #[cfg(unix)]
    {
        let Some(number) = number(advice) else { return false };
        let Some((start, bytes)) = super::pages::inner_pages(base.addr(), length) else { return false };
        // SAFETY: these are whole pages of the range that the caller guarantees to be mapped. Only
        // Discard changes bytes, which the caller permits.
        unsafe { libc::madvise(base.with_addr(start).cast_mut().cast(), bytes, number) == 0 }
    }
    #[cfg(not(unix))]
    {
        let _ = (base, length, advice);
        false
    }
}

/// Makes the pages of the `length` bytes at `base` present, as if each had been written to: memory
/// is allocated now, on the node of the policy, and no page fault follows later. No byte changes,
/// not even one that another thread is writing. About 0.2 µs per small page, mostly for zeroing it.
///
/// `Oom` without enough memory.
///
/// # Safety
/// The bytes are mapped and writable, and stay so until the call returns.
pub unsafe fn populate(base: *mut u8, length: usize) -> Result<()> {
    #[cfg(target_os = "linux")]
    if let Some((start, bytes)) = super::pages::inner_pages(base.addr(), length) {
        // Since Linux 5.14; the libc crate defines it for some targets only.
        const MADV_POPULATE_WRITE: libc::c_int = 23;
        // SAFETY: these are whole pages of the range that the caller guarantees to be mapped and
        // writable; no byte changes.
        if unsafe { libc::madvise(base.with_addr(start).cast(), bytes, MADV_POPULATE_WRITE) } != 0 {
            let error = std::io::Error::last_os_error();
            if error.raw_os_error() != Some(libc::EINVAL) {
                return Err(Error::new(ErrorKind::Oom, format!("cannot allocate {bytes} bytes: {error}")));
            }
            // On an older kernel, the pages are touched below.
        }
    }
    // The pages that the call left out, or the two ends. A write that changes nothing is safe while
    // other threads write, too.
    let step = super::pages::page_size();
    let mut at = 0;
    while at < length {
        // SAFETY: one byte of the range that the caller guarantees to be mapped and writable.
        let byte = unsafe { AtomicU8::from_ptr(base.add(at)) };
        // Not `fetch_or(0)`, which the compiler turns into a load.
        let mut value = byte.load(Ordering::Relaxed);
        while let Err(now) = byte.compare_exchange_weak(value, value, Ordering::Relaxed, Ordering::Relaxed) {
            value = now;
        }
        at = ((base.addr() + at) & !(step - 1)) + step - base.addr();
    }
    Ok(())
}

#[cfg(unix)]
fn number(advice: Advice) -> Option<libc::c_int> {
    Some(match advice {
        #[cfg(target_os = "linux")]
        Advice::HugePages if !huge_pages_are_off() => libc::MADV_HUGEPAGE,
        #[cfg(target_os = "linux")]
        Advice::SmallPages => libc::MADV_NOHUGEPAGE,
        Advice::Random => libc::MADV_RANDOM,
        Advice::Sequential => libc::MADV_SEQUENTIAL,
        Advice::Normal => libc::MADV_NORMAL,
        Advice::WillNeed => libc::MADV_WILLNEED,
        Advice::Discard => libc::MADV_DONTNEED,
        _ => return None,
    })
}

/// With the setting `never` the kernel accepts the advice and does nothing.
#[cfg(target_os = "linux")]
fn huge_pages_are_off() -> bool {
    std::fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled")
        .is_ok_and(|text| text.contains("[never]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Advice; 7] = [
        Advice::HugePages,
        Advice::SmallPages,
        Advice::Random,
        Advice::Sequential,
        Advice::Normal,
        Advice::WillNeed,
        Advice::Discard,
    ];

    #[test]
    fn less_than_a_page_is_not_advised() {
        let bytes = [7u8; 100];
        for advice in ALL {
            // SAFETY: the range contains no whole page, so nothing is advised.
            assert!(!unsafe { advise(bytes.as_ptr(), bytes.len(), advice) });
        }
        assert_eq!(bytes, [7; 100]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn populated_pages_are_present_and_unchanged() {
        use crate::region::numa::{available, query::count_pages};
        let page = crate::region::pages::page_size();
        let mut memory = memmap2::MmapMut::map_anon(64 * page).unwrap();
        memory[5 * page] = 7;
        // SAFETY: the range is in a live mapping, from the middle of a page to that of another.
        unsafe { populate(memory.as_mut_ptr().add(page / 2), 62 * page) }.unwrap();
        // SAFETY: the mapping is alive.
        unsafe { populate(memory.as_mut_ptr(), 0) }.unwrap();
        assert!(memory.iter().enumerate().all(|(at, &byte)| byte == if at == 5 * page { 7 } else { 0 }));
        if available() {
            let mut counts = [0; 1024];
            // SAFETY: the mapping is alive.
            let absent = unsafe { count_pages(memory.as_ptr(), 63 * page, &mut counts) };
            assert!(absent.as_ref().map_or(true, |&absent| absent == 0), "{absent:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn advice_affects_whole_pages_only() {
        let length = 8 << 20;
        let mut memory = memmap2::MmapMut::map_anon(length).unwrap();
        memory.fill(7);
        let base = memory.as_mut_ptr();
        for advice in &ALL[1..6] {
            // SAFETY: the mapping is alive.
            assert!(unsafe { advise(base, length, *advice) }, "{advice:?}");
        }
        // SAFETY: the mapping is alive.
        let huge = unsafe { advise(base, length, Advice::HugePages) };
        assert_eq!(
            huge,
            std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists() && !huge_pages_are_off()
        );
        assert!(memory.iter().all(|&byte| byte == 7));

        let page = crate::region::pages::page_size();
        // SAFETY: the mapping is alive, and there are no references to its bytes.
        assert!(unsafe { advise(memory.as_mut_ptr().add(1), 3 * page, Advice::Discard) });
        // The two whole pages inside were discarded; the bytes around them were not.
        assert!(memory[..page].iter().all(|&byte| byte == 7));
        assert!(memory[page..3 * page].iter().all(|&byte| byte == 0));
        assert!(memory[3 * page..].iter().all(|&byte| byte == 7));
    }
}
