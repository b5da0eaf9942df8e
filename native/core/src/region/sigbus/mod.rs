//! What happens when the file behind a mapping shrinks: zeros and a mark instead of a dead process.
//!
//! A page of a mapping that lies past the end of its file, or that the disk fails to deliver, can
//! not be read: the kernel sends SIGBUS to the thread that touched it. That thread may be JIT code,
//! a checksum loop, or a C program; none of them can catch an error there. So a handler puts zero
//! pages in the place of what is lost, sets the mapping's status word, and returns: the read goes
//! on with zeros. Every structure treats its bytes as untrusted, so zeros are wrong but never wild,
//! and the next look at the status word turns into `ERR_OFFHEAP_IO`.
//!
//! # Protocol
//!
//! *Registry.* A chain of blocks of slots, in static memory and then in leaked heap blocks, so a
//! handler can walk it at any time. One slot is one mapped range. Slots are claimed, filled and
//! vacated under an ordinary mutex that the handler never touches; the handler only loads and
//! stores atomics, calls `mmap` and `sigaction`, and waits for nobody: it is async-signal-safe, and
//! wait-free but for the kernel's own locks.
//!
//! *Handler against writer.* A writer marks a slot `busy` before it changes it and then waits until
//! nobody has it pinned. The handler pins a slot, then looks at `busy`, and reads the rest only if
//! it is clear. Both pairs of accesses are sequentially consistent: either the handler sees `busy`
//! and passes on, or the writer sees the pin and waits. Passing on is right: a busy slot is being
//! made or taken away, and neither can hold the address of a legitimate read, because
//! [`Watch::new`] returns before the first read, and a slot is taken away after the last. A range
//! that grows ([`Watch::extend`]) is read meanwhile: its slot is not busy, for only the end
//! changes.
//!
//! *Foreign memory.* A file can be moved into memory that a JavaScript engine owns
//! ([`super::file`]). The engine frees it when the last thread has let go of it, and tells nobody:
//! the one that opened the file may be long gone by then, or may be told late. So the end of such a
//! [`Watch`] does not end the watching: the slot stays, as an **orphan** without a status word, for
//! as long as the memory does; it becomes one without ever being busy. A marker in the memory's
//! last page says whether it does ([`super::marker`]). The handler looks at it before it touches
//! anything, for an orphan or not; so it never lays zeros over what was mapped at the same address
//! later. Whoever reads legitimately holds the memory while it looks, so the answer can not become
//! wrong.
//!
//! *Orphans* whose marker is gone are vacated when their number has doubled since the last time (64
//! at least), and when their addresses are watched anew. So there are at most twice as many slots
//! as there ever were mappings at one time, however many files are opened.
//!
//! *Unmapping.* A `Watch` of our own pages is dropped before its range is unmapped, and dropping
//! waits for pins. So when a buggy program unmaps while another thread faults, the handler still
//! can not lay zero pages over memory that the kernel has since given to someone else.
//!
//! *What is replaced.* Everything from the page of the fault to the end of the range, by one `mmap`
//! with `MAP_FIXED`: when a file shrinks, all of that is lost anyway. Page by page would take a
//! signal for each page, and split the range until the process runs out of map entries. If memory
//! is too short for that, the one page is tried. The kernel swaps pages under its own lock, so
//! other threads see old bytes or zeros; if they fault at the same time they replace zeros by
//! zeros. In a copy-on-write mapping the kernel has already dropped the private copies of pages
//! that were cut off.
//!
//! *Order.* The status word is set (release) before the pages are replaced: whoever reads a zero
//! that was put there, and then looks, finds it set.
//!
//! *Faults that are not ours* go where they would have gone: to the handler that was there before,
//! or for the default action the process dies by SIGBUS at the very instruction, as core dumps want
//! it. These are: signals that a process sent, misaligned accesses, addresses in no range, and a
//! range that goes on faulting after it was replaced ([`PATIENCE`]).
//!
//! *Nested faults.* SIGBUS is blocked while its handler runs, and the handler touches no mapped
//! file. If it faults nevertheless, the kernel ends the process: there is no loop.
//!
//! # Limits
//!
//! A system call that is given lost bytes (`write` from the mapping) is not signalled: it returns
//! EFAULT. A shrink inside the last page leaves that page readable, with zeros after the new end:
//! no signal, and only the checksum tells. Someone who installs a SIGBUS handler later and does not
//! chain to ours takes over all faults. A page that was replaced stays replaced, even if the file
//! grows again.
//!
//! # Cost
//!
//! Nothing while no page is lost. A mapping costs one uncontended lock and two binary searches over
//! the slots in use; a fault walks all slots: 64 to a block, two cache lines each. An orphan costs
//! a system call of 0.2 µs each time that orphans are looked through.

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
    /// handler. `status` becomes 1 when a page is lost.
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
    #[cfg_attr(miri, ignore = "no futex of this kind")]
    fn orphans_go_when_their_memory_goes() {
        let page = page_size();
        let blocks = || slots().count() / SLOTS;
        let orphans = || registry().orphans();
        let before = (blocks(), orphans());
        // Ten at a time stay, out of thousands.
        let mut alive = std::collections::VecDeque::new();
        for _ in 0..5000 {
            let mut memory = memmap2::MmapOptions::new().len(2 * page).map_anon().unwrap();
            let start = memory.as_mut_ptr().expose_provenance();
            // SAFETY: memory of our own, whose last page is given up; nobody looks at the status.
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
            // SAFETY: memory of our own.
            unsafe { put_zeros(start + page, page, true) };
            assert!(slots().all(|slot| slot.pinned(start, |_| ()).is_none()));
        }
        // Other tests watch files meanwhile.
        assert!(blocks() <= before.0 + 4, "{before:?} {} {}", blocks(), orphans());
        assert!(orphans() <= before.1 + SWEEP_FROM + 20);
    }

    #[test]
    #[cfg_attr(miri, ignore = "asks the kernel")]
    fn what_is_watched_anew_is_watched_once() {
        let page = page_size();
        let mut memory = memmap2::MmapOptions::new().len(8 * page).map_anon().unwrap();
        let start = memory.as_mut_ptr().expose_provenance();
        let watched =
            |at: usize| slots().filter(|slot| slot.pinned(start + at * page, |_| ()).is_some()).count();
        // SAFETY: memory of our own, that outlives the watches; nobody looks at the status.
        let watch = |from: usize, to: usize| unsafe {
            Watch::new(start + from * page, (to - from) * page, true, std::ptr::null()).unwrap()
        };
        let pages: Vec<Watch> = (0..8).map(|at| watch(at, at + 1)).collect();
        assert!((0..8).all(|at| watched(at) == 1));
        // Over some of them, whose own watches are dropped afterwards; the slots were given to
        // others meanwhile.
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
