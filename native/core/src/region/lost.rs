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

use super::pages::page_size;
#[cfg(doc)]
use super::watch::Watch;
use super::watch::{Slot, slots, writers};
use crate::Result;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr::{null_mut, with_exposed_provenance_mut};
use std::sync::OnceLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// Faults that one range may have after it was replaced to the end. Each thread of the process may
/// have one, from a fault that was on its way; more than this is a loop.
const PATIENCE: u32 = 1 << 16;

/// What SIGBUS did before us.
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// Installs the handler, once for the process.
pub(super) fn install() -> Result<()> {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.load(Acquire) {
        return Ok(());
    }
    let _books = writers();
    if DONE.load(Acquire) {
        return Ok(());
    }
    page_size(); // Asked for now, so that the handler does not have to.
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = on_sigbus;
    // SAFETY: zeros are a valid sigaction; the calls are given valid pointers. The previous action
    // is kept before ours can run, because PREVIOUS is filled from a query first.
    unsafe {
        let mut previous = MaybeUninit::<libc::sigaction>::zeroed();
        if libc::sigaction(libc::SIGBUS, std::ptr::null(), previous.as_mut_ptr()) != 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        let _ = PREVIOUS.set(previous.assume_init());
        let mut ours = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        ours.sa_sigaction = handler as usize;
        // ONSTACK: threads with a small stack bring another one for handlers. RESTART: a handled
        // fault interrupts nothing.
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
        libc::sigemptyset(&raw mut ours.sa_mask);
        if libc::sigaction(libc::SIGBUS, &raw const ours, null_mut()) != 0 {
            return Err(std::io::Error::last_os_error().into());
        }
    }
    DONE.store(true, Release);
    Ok(())
}

extern "C" fn on_sigbus(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes a valid siginfo to a SA_SIGINFO handler; for SIGBUS it has an
    // address.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    // Codes of zero and less are signals that a process sent: their "address" is something else.
    let by_kernel = code > 0;
    // Zeros do not cure a misaligned access. (macOS reports every fault under that code.)
    let curable = by_kernel && !(cfg!(target_os = "linux") && code == libc::BUS_ADRALN);
    if curable && with_errno_kept(|| repair(address)) {
        return;
    }
    // SAFETY: called from the handler with what the kernel gave it.
    unsafe { pass_on(signal, info, context, by_kernel) }
}

/// Replaces what is lost if `address` lies in a watched range. Async-signal-safe.
fn repair(address: usize) -> bool {
    slots().find_map(|slot| slot.pinned(address, |slot| replace(slot, address))).unwrap_or(false)
}

/// Puts zeros from the page of `address` to the end. The slot is pinned.
fn replace(slot: &Slot, address: usize) -> bool {
    let page = page_size();
    let from = address & !(page - 1);
    let end = slot.end.load(Relaxed);
    if from >= slot.lost_from.load(Relaxed) && slot.repeats.fetch_add(1, Relaxed) >= PATIENCE {
        return false;
    }
    if let Some(status) = slot.status() {
        status.store(1, Release);
    }
    let writable = slot.writable.load(Relaxed);
    // SAFETY: [from, end) is part of a mapping that its owner can not unmap while the slot is
    // pinned. Its bytes are read through raw pointers or by JavaScript only, so they may change.
    let zeros = |length: usize| unsafe { put_zeros(from, length, writable) };
    if zeros(end - from) {
        slot.lost_from.fetch_min(from, Relaxed);
        return true;
    }
    end - from > page && zeros(page)
}

/// Puts zero pages in the place of whatever is mapped at `[start, start + length)`.
/// Async-signal-safe.
///
/// # Safety
/// Whole pages that are mapped, and whose contents nobody minds losing.
pub(super) unsafe fn put_zeros(start: usize, length: usize, writable: bool) -> bool {
    let protection = libc::PROT_READ | if writable { libc::PROT_WRITE } else { 0 };
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON | libc::MAP_FIXED | libc::MAP_NORESERVE;
    // SAFETY: the caller's.
    let at = unsafe { libc::mmap(with_exposed_provenance_mut(start), length, protection, flags, -1, 0) };
    at != libc::MAP_FAILED
}

/// Runs `work` as if it had not happened to the interrupted code's `errno`.
fn with_errno_kept<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: both return the address of this thread's errno.
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "emscripten"))]
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    #[cfg(any(target_os = "macos", target_os = "ios", target_os = "freebsd"))]
    let errno = unsafe { libc::__error() };
    // SAFETY: a valid address for the life of the thread.
    let kept = unsafe { *errno };
    let result = work();
    // SAFETY: as above.
    unsafe { *errno = kept };
    result
}

/// Does what SIGBUS did before us.
///
/// # Safety
/// Called from the handler, with its arguments.
unsafe fn pass_on(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void, by_kernel: bool) {
    let previous = PREVIOUS.get();
    let action = previous.map_or(libc::SIG_DFL, |previous| previous.sa_sigaction);
    if action == libc::SIG_IGN && !by_kernel {
        return;
    }
    if action == libc::SIG_DFL || action == libc::SIG_IGN {
        // A fault can not be ignored. With the default action in place the instruction runs again
        // and ends the process where it happened; a signal that was sent has to be sent again.
        // SAFETY: zeros and SIG_DFL are a valid sigaction.
        unsafe {
            let mut default = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
            default.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(signal, &raw const default, null_mut());
            if !by_kernel {
                libc::raise(signal);
            }
        }
        return;
    }
    let flags = previous.map_or(0, |previous| previous.sa_flags);
    if flags & libc::SA_SIGINFO != 0 {
        // SAFETY: that is the type of a handler that was installed with SA_SIGINFO.
        unsafe {
            let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
                std::mem::transmute(action);
            handler(signal, info, context);
        }
    } else {
        // SAFETY: that is the type of any other handler.
        unsafe {
            let handler: extern "C" fn(c_int) = std::mem::transmute(action);
            handler(signal);
        }
    }
}
