//! Handling of files that shrink while they are mapped: zeros and an error instead of a crash.
//!
//! A page of a mapping that lies past the end of its file, or that the disk fails to deliver,
//! cannot be read: the kernel sends SIGBUS to the thread that touched it. That thread may run JIT
//! code, a checksum loop, or a C program; none of them can catch an error there. So a handler
//! replaces the lost pages by zero pages, sets the status word of the mapping, and returns: the
//! read continues with zeros. All structures treat their bytes as untrusted, so zeros lead to wrong
//! results but never to an access out of bounds, and the next check of the status word returns
//! `ERR_OFFHEAP_IO`.
//!
//! # Protocol
//!
//! *Registry.* A chain of blocks of slots, the first in static memory and the others in leaked heap
//! blocks, so that a handler can walk it at any time. A slot is one mapped range. Slots are
//! claimed, filled and released under an ordinary mutex that the handler never takes. The handler
//! only loads and stores atomics and calls `mmap` and `sigaction`. It waits for no other thread, so
//! it is async-signal-safe, and wait-free apart from the kernel's own locks.
//!
//! *Handler and writers.* A writer marks a slot `busy` before it changes it, and then waits until
//! no handler has it pinned. The handler pins a slot, checks `busy`, and reads the rest only if it
//! is clear. Both pairs of accesses are sequentially consistent: either the handler sees `busy` and
//! skips the slot, or the writer sees the pin and waits. Skipping is correct: a busy slot is being
//! filled or released, and neither can contain the address of a legitimate read, because
//! [`Watch::new`] returns before the first read, and a slot is released after the last one. A range
//! that grows ([`Watch::extend`]) is read at the same time, so its slot is not busy: only its end
//! changes.
//!
//! *Foreign memory.* A file can be moved into memory that a JavaScript engine owns
//! ([`super::file`]). The engine frees that memory when the last thread has dropped it, without
//! notice: the thread that opened the file may have ended long before, or may be notified late. So
//! dropping such a [`Watch`] does not end the watch. The slot stays, as an **orphan** without a
//! status word, as long as the memory exists; it becomes an orphan without ever being busy. A
//! marker in the last page of the memory shows whether the memory exists ([`liveness`]). The
//! handler checks it before it touches anything, in orphans and other slots alike, so it never puts
//! zeros over a later mapping at the same address. A thread that reads legitimately keeps the
//! memory alive during the check, so the result cannot become wrong.
//!
//! *Orphans* whose marker is gone are released when the number of orphans has doubled since the
//! last sweep (64 at least), and when their addresses are watched again. So there are at most twice
//! as many slots as there ever were mappings at one time, no matter how many files are opened.
//!
//! *Unmapping.* A `Watch` of our own pages is dropped before its range is unmapped, and dropping
//! waits for pins. So even if a buggy program unmaps a range while another thread faults, the
//! handler cannot put zero pages over memory that the kernel has since given to another owner.
//!
//! *Replaced range.* One `mmap` with `MAP_FIXED` replaces everything from the page of the fault to
//! the end of the range: when a file shrinks, all of that is lost anyway. Replacing page by page
//! would take one signal per page, and would split the range until the process ran out of map
//! entries. If there is too little memory for that, only the one page is tried. The kernel swaps
//! pages under its own lock, so other threads see old bytes or zeros; if they fault at the same
//! time, they replace zeros by zeros. In a copy-on-write mapping, the kernel has already dropped
//! the private copies of the pages that were cut off.
//!
//! *Order.* The status word is set (release) before the pages are replaced: a thread that reads a
//! zero of a replaced page, and then checks the word, finds it set.
//!
//! *Faults that are not ours* go where they would have gone without us: to the previous handler, or
//! for the default action, SIGBUS terminates the process at the faulting instruction, as core dumps
//! require. These are: signals sent by a process, misaligned accesses, addresses outside all
//! ranges, and faults in a range that goes on faulting after it was replaced
//! (`handler::MAX_REPEATS`).
//!
//! *Nested faults.* SIGBUS is blocked while its handler runs, and the handler touches no mapped
//! file. If it faults nevertheless, the kernel terminates the process: there is no loop.
//!
//! # Limits
//!
//! A system call on lost bytes (`write` from the mapping) raises no signal: it returns EFAULT. If a
//! file shrinks within its last page, that page stays readable, with zeros past the new end: there
//! is no signal, and only the checksum reveals the loss. A SIGBUS handler that is installed later
//! and does not chain to ours takes over all faults, until the next watch begins: each one puts our
//! handler back in front of it. A page that was replaced stays replaced, even
//! if the file grows again.
//!
//! # Cost
//!
//! Nothing while no page is lost. A mapping costs a system call of 0.2 µs, two uncontended locks
//! and two binary searches over the slots in use; a fault walks all slots, which are in blocks of
//! 64 and take two cache lines each. An orphan costs a system call of 0.2 µs at each sweep.

mod handler;
#[cfg(target_os = "linux")]
mod liveness;
mod registry;

use self::registry::{Entry, registry};
use super::pages::page_size;
use crate::Result;
use std::sync::atomic::AtomicI32;

#[cfg(target_os = "linux")]
pub(crate) use self::liveness::set_marker;

/// A range that is watched until this is dropped, or until another watch of its addresses begins;
/// in foreign memory until that memory is freed.
pub(crate) struct Watch(Entry);

impl Watch {
    /// Watches `[start, start + length)`, rounded up to whole pages. The first watch installs the
    /// handler, and later ones install it again if it was replaced. `status` becomes 1 when a page
    /// is lost.
    ///
    /// # Safety
    /// `start` is the first byte of a mapping of `length` bytes, `writable` or not, that is
    /// unmapped only after this is dropped. `status` is valid until then.
    pub(crate) unsafe fn new(
        start: usize,
        length: usize,
        writable: bool,
        status: *const AtomicI32,
    ) -> Result<Watch> {
        handler::install()?;
        let end = start + length.next_multiple_of(page_size());
        registry().add(start..end, writable, status).map(Watch)
    }

    /// Extends the range to `length` bytes, which are more than before. The old bytes are watched
    /// at every moment, because other threads may be reading them. The new ones are not read before
    /// this returns.
    pub(crate) fn extend(&self, length: usize) {
        registry().extend(self.0, length.next_multiple_of(page_size()));
    }

    /// Declares the range to be foreign memory whose marker is in `page`. From now on, dropping
    /// this value does not end the watch while the marker is there.
    #[cfg(target_os = "linux")]
    pub(crate) fn mark(&self, page: usize) {
        registry().set_marker(self.0, page);
    }

    /// Declares that no page of the file is left in the range: dropping this value ends the watch,
    /// marker or not.
    #[cfg(target_os = "linux")]
    pub(super) fn unmark(&self) {
        self.mark(0);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        registry().remove(self.0);
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::registry::{SLOTS, SWEEP_FROM, slots};
    use super::*;
    use crate::region::pages::put_zeros;

    #[test]
    #[cfg_attr(miri, ignore = "Miri has no such futex")]
    fn orphans_are_released_when_their_memory_is_freed() {
        let page = page_size();
        let blocks = || slots().count() / SLOTS;
        let orphans = || registry().orphans();
        let before = (blocks(), orphans());
        // Ten at a time stay alive, out of thousands.
        let mut alive = std::collections::VecDeque::new();
        for _ in 0..5000 {
            let mut memory = memmap2::MmapOptions::new().len(2 * page).map_anon().unwrap();
            let start = memory.as_mut_ptr().expose_provenance();
            // SAFETY: the memory belongs to this test, and its last page may be discarded; the
            // status is not used.
            unsafe {
                let watch = Watch::new(start, page, true, std::ptr::null()).unwrap();
                assert!(set_marker(start + page));
                watch.mark(start + page);
            }
            assert!(slots().any(|slot| slot.pinned(start, |_| ()).is_some()));
            alive.push_back(memory);
            if alive.len() > 10 {
                alive.pop_front();
            }
        }
        for memory in &mut alive {
            let start = memory.as_mut_ptr().expose_provenance();
            assert!(slots().any(|slot| slot.pinned(start, |_| ()).is_some()));
            // SAFETY: the memory belongs to this test.
            unsafe { put_zeros(start + page, page, true) };
            assert!(slots().all(|slot| slot.pinned(start, |_| ()).is_none()));
        }
        // Other tests watch files at the same time.
        assert!(blocks() <= before.0 + 4, "{before:?} {} {}", blocks(), orphans());
        assert!(orphans() <= before.1 + SWEEP_FROM + 20);
    }

    #[test]
    #[cfg_attr(miri, ignore = "needs a kernel")]
    fn a_range_that_is_watched_again_has_one_slot() {
        let page = page_size();
        let mut memory = memmap2::MmapOptions::new().len(8 * page).map_anon().unwrap();
        let start = memory.as_mut_ptr().expose_provenance();
        let watched =
            |at: usize| slots().filter(|slot| slot.pinned(start + at * page, |_| ()).is_some()).count();
        // SAFETY: the memory belongs to this test and outlives the watches; the status is not used.
        let watch = |from: usize, to: usize| unsafe {
            Watch::new(start + from * page, (to - from) * page, true, std::ptr::null()).unwrap()
        };
        let pages: Vec<Watch> = (0..8).map(|at| watch(at, at + 1)).collect();
        assert!((0..8).all(|at| watched(at) == 1));
        // Over some of them, whose own watches are dropped later, when their slots belong to
        // others.
        let middle = watch(2, 6);
        let others: Vec<Watch> = [(3, 4), (4, 5)].map(|(from, to)| watch(from, to)).into();
        assert_eq!((0..8).map(watched).collect::<Vec<_>>(), [1, 1, 0, 1, 1, 0, 1, 1]);
        drop(middle);
        drop(pages);
        assert_eq!((0..8).map(watched).collect::<Vec<_>>(), [0, 0, 0, 1, 1, 0, 0, 0]);
        drop(others);
        assert!((0..8).all(|at| watched(at) == 0));
    }
}
