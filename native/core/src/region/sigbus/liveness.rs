//! A marker that shows whether memory that another owner frees is still mapped.
//!
//! A file can be moved into memory that an engine owns ([`crate::region::file`]). The engine frees
//! it without notice, and the addresses may be reused for anything. So the last page of that memory
//! gets a marker at its end, 64 secret bits: the page is unmapped with the rest, and a later
//! mapping at its address does not contain them.
//!
//! The check must neither fault nor be torn, in a signal handler as well as while another thread
//! unmaps the page. So the kernel does it: `FUTEX_CMP_REQUEUE`, asked to wake and move no thread,
//! compares a word, and returns EAGAIN if it differs and EFAULT if the address is not mapped.
//! (Reading `/proc/self/maps` was considered: it takes a millisecond per ten thousand mappings, and
//! does not tell whether a mapping of the same file is the same mapping.)

use crate::region::pages::{page_size, put_zeros};
use std::ffi::c_long;
use std::ptr::{with_exposed_provenance, with_exposed_provenance_mut};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};

/// Bytes of a marker, at the end of its page.
const BYTES: usize = 8;

/// Drawn before the first marker is set, and never 0 after that.
static SECRET: [AtomicU32; BYTES / 4] = [const { AtomicU32::new(0) }; BYTES / 4];

/// Replaces the page at `page` by a new one with a marker. `false`, and no marker, if the system
/// refuses, or does not support checking it. One caller at a time.
///
/// # Safety
/// `page` is the address of a mapped page whose contents may be discarded.
pub(crate) unsafe fn set_marker(page: usize) -> bool {
    draw();
    // SAFETY: the page is mapped, and its contents may be discarded.
    if !unsafe { put_zeros(page, page_size(), true) } {
        return false;
    }
    for (word, at) in SECRET.iter().zip((address(page)..).step_by(4)) {
        // SAFETY: the word is in the page that was just mapped; it is writable and aligned.
        unsafe { with_exposed_provenance_mut::<u32>(at).write_volatile(word.load(Relaxed)) };
    }
    // Whether the system supports the check does not change: one success is enough.
    static SUPPORTED: AtomicBool = AtomicBool::new(false);
    if !SUPPORTED.load(Relaxed) {
        SUPPORTED.store(has_marker(page), Relaxed);
    }
    SUPPORTED.load(Relaxed)
}

/// Whether the page at `page` still contains its marker. Async-signal-safe.
pub(super) fn has_marker(page: usize) -> bool {
    SECRET.iter().zip((address(page)..).step_by(4)).all(|(word, at)| {
        let none: c_long = 0;
        // SAFETY: the kernel reads the first word if it can, and compares it. It wakes and moves no
        // thread, so it writes nothing.
        let answer = unsafe {
            libc::syscall(
                libc::SYS_futex,
                with_exposed_provenance::<u32>(at),
                libc::FUTEX_CMP_REQUEUE | libc::FUTEX_PRIVATE_FLAG,
                none,
                none,
                &raw const SECRET[0],
                c_long::from(word.load(Relaxed).cast_signed()),
            )
        };
        answer == 0
    })
}

fn address(page: usize) -> usize {
    page + page_size() - BYTES
}

fn draw() {
    use std::hash::{BuildHasher, Hasher};
    if SECRET[0].load(Relaxed) == 0 {
        let bits = std::collections::hash_map::RandomState::new().build_hasher().finish();
        SECRET[1].store((bits >> 32) as u32 | 1, Relaxed);
        SECRET[0].store(bits as u32 | 1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use memmap2::{MmapMut, MmapOptions};

    fn pages(count: usize) -> MmapMut {
        MmapOptions::new().len(count * page_size()).map_anon().unwrap()
    }

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no such futex")]
    fn a_marker_is_found_until_its_page_is_changed_or_replaced() {
        let mut memory = pages(1);
        let page = memory.as_mut_ptr().expose_provenance();
        // SAFETY: the page belongs to this test.
        assert!(unsafe { set_marker(page) });
        assert!(has_marker(page));
        let last = memory.len() - 1;
        memory[last] ^= 1;
        assert!(!has_marker(page), "a bit differs");
        memory[last] ^= 1;
        assert!(has_marker(page));
        // SAFETY: the page belongs to this test.
        unsafe { put_zeros(page, memory.len(), true) };
        assert!(!has_marker(page), "another page");
        assert!(!has_marker(0), "nothing is mapped there");
    }
}
