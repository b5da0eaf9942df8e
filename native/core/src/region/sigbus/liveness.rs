//! A sign that memory which someone else frees is still there.
//!
//! A file can be laid into memory that an engine owns ([`super::file`]). When the engine frees it,
//! nobody is told, and the addresses may be given to anyone. So the last page of that memory gets
//! 64 secret bits at its end: the page goes with the rest, and what stands at its address
//! afterwards, if anything does, does not hold them.
//!
//! Looking must neither fault nor be torn, in a signal handler as well as beside a thread that is
//! just unmapping. So the kernel looks: `FUTEX_CMP_REQUEUE`, to wake and move nobody, compares a
//! word and answers EAGAIN where it differs and EFAULT where there is none. (Reading
//! `/proc/self/maps` was weighed: it takes a millisecond for each ten thousand mappings, and does
//! not say whether a mapping of the same file is the same mapping.)

use crate::region::pages::{page_size, put_zeros};
use std::ffi::c_long;
use std::ptr::{with_exposed_provenance, with_exposed_provenance_mut};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicBool, AtomicU32};

/// Bytes that a marker takes at the end of its page.
const BYTES: usize = 8;

/// Drawn before the first marker is set; never 0 then.
static SECRET: [AtomicU32; BYTES / 4] = [const { AtomicU32::new(0) }; BYTES / 4];

/// Sets a marker into the page at `page`, which is replaced by a fresh one. `false` if the system
/// refuses, or can not be asked about it later; then there is none. One caller at a time.
///
/// # Safety
/// A whole page that is mapped, and whose contents nobody minds losing.
pub(crate) unsafe fn set_marker(page: usize) -> bool {
    draw();
    // SAFETY: the caller's.
    if !unsafe { put_zeros(page, page_size(), true) } {
        return false;
    }
    for (word, at) in SECRET.iter().zip((address(page)..).step_by(4)) {
        // SAFETY: within the page that was just mapped, writable and aligned.
        unsafe { with_exposed_provenance_mut::<u32>(at).write_volatile(word.load(Relaxed)) };
    }
    // The system can answer, or can not: once is enough.
    static ANSWERS: AtomicBool = AtomicBool::new(false);
    if !ANSWERS.load(Relaxed) {
        ANSWERS.store(has_marker(page), Relaxed);
    }
    ANSWERS.load(Relaxed)
}

/// Whether the marker that was set into the page at `page` is there. Async-signal-safe.
pub(super) fn has_marker(page: usize) -> bool {
    SECRET.iter().zip((address(page)..).step_by(4)).all(|(word, at)| {
        let nobody: c_long = 0;
        // SAFETY: the kernel reads the first word if it can, and compares; with nobody to wake or
        // move it touches nothing.
        let answer = unsafe {
            libc::syscall(
                libc::SYS_futex,
                with_exposed_provenance::<u32>(at),
                libc::FUTEX_CMP_REQUEUE | libc::FUTEX_PRIVATE_FLAG,
                nobody,
                nobody,
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
    #[cfg_attr(miri, ignore = "no futex of this kind")]
    fn it_stands_until_its_page_goes_or_changes() {
        let mut memory = pages(1);
        let page = memory.as_mut_ptr().expose_provenance();
        // SAFETY: a page of our own.
        assert!(unsafe { set_marker(page) });
        assert!(has_marker(page));
        let last = memory.len() - 1;
        memory[last] ^= 1;
        assert!(!has_marker(page), "a bit differs");
        memory[last] ^= 1;
        assert!(has_marker(page));
        // SAFETY: still ours.
        unsafe { put_zeros(page, memory.len(), true) };
        assert!(!has_marker(page), "another page");
        assert!(!has_marker(0), "nothing is mapped there");
    }
}
