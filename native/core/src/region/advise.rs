//! Advice to the kernel about pages: `madvise` on the whole pages inside a run of bytes.
//!
//! Advice is no promise, so nothing here fails: [`advise`] says whether the kernel took it. It is safe
//! to give for any memory, mapped files and shared buffers included, except [`Advice::Discard`].
//!
//! **Cost.** One system call, about a microsecond; huge pages are made later, at the first touch or by
//! the kernel's own thread. **Invariant.** Bytes outside whole pages are never affected.

/// What to tell the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// Back this with huge pages (Linux: `MADV_HUGEPAGE`): fewer misses of the TLB under random access,
    /// at the price of memory in whole 2 MiB pieces.
    HugePages,
    /// Back this with small pages only (Linux: `MADV_NOHUGEPAGE`).
    SmallPages,
    /// Reads will jump around: do not read ahead.
    Random,
    /// Reads go from front to back: read ahead, and forget behind.
    Sequential,
    /// No pattern: undoes the two above.
    Normal,
    /// This will be read soon: start now.
    WillNeed,
    /// This is not needed (Linux: `MADV_DONTNEED`, at once; elsewhere when memory gets short).
    /// Pages of a file are read again at the next touch; **anything that stood only in memory
    /// is gone**, and reads as zero, or as the file has it under a copy-on-write mapping.
    Discard,
}

/// Gives the advice for the whole pages inside the `length` bytes at `base`. `false` where there is no
/// whole page, the system does not know the advice, or it refuses.
///
/// # Safety
/// The bytes are mapped, and stay so until the call returns. With [`Advice::Discard`]: nobody minds
/// that they change, and no reference to them is alive.
#[must_use]
pub unsafe fn advise(base: *const u8, length: usize, advice: Advice) -> bool {
    #[cfg(unix)]
    {
        let Some(number) = number(advice) else { return false };
        let Some((start, bytes)) = super::pages::inner_pages(base.addr(), length) else { return false };
        // SAFETY: whole pages of what the caller vouches for; no advice but Discard changes a byte.
        unsafe { libc::madvise(base.with_addr(start).cast_mut().cast(), bytes, number) == 0 }
    }
    #[cfg(not(unix))]
    {
        let _ = (base, length, advice);
        false
    }
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
    fn less_than_a_page_is_left_alone() {
        let bytes = [7u8; 100];
        for advice in ALL {
            // SAFETY: there is no whole page in it, so nothing is advised.
            assert!(!unsafe { advise(bytes.as_ptr(), bytes.len(), advice) });
        }
        assert_eq!(bytes, [7; 100]);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernel_takes_it_for_whole_pages_only() {
        let length = 8 << 20;
        let mut memory = memmap2::MmapMut::map_anon(length).unwrap();
        memory.fill(7);
        let base = memory.as_mut_ptr();
        for advice in &ALL[1..6] {
            // SAFETY: a live mapping.
            assert!(unsafe { advise(base, length, *advice) }, "{advice:?}");
        }
        // SAFETY: a live mapping.
        let huge = unsafe { advise(base, length, Advice::HugePages) };
        assert_eq!(
            huge,
            std::path::Path::new("/sys/kernel/mm/transparent_hugepage").exists() && !huge_pages_are_off()
        );
        assert!(memory.iter().all(|&byte| byte == 7));

        let page = crate::region::pages::page_size();
        // SAFETY: a live mapping, whose bytes nobody else holds.
        assert!(unsafe { advise(memory.as_mut_ptr().add(1), 3 * page, Advice::Discard) });
        // The two whole pages inside are gone, the bytes around them are not.
        assert!(memory[..page].iter().all(|&byte| byte == 7));
        assert!(memory[page..3 * page].iter().all(|&byte| byte == 0));
        assert!(memory[3 * page..].iter().all(|&byte| byte == 7));
    }
}
