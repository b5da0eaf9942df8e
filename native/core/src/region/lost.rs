//! What happens when the file behind a mapping shrinks: zeros and a mark instead of a dead process.
//!
//! A page of a mapping that lies past the end of its file, or that the disk fails to deliver, can not be
//! read: the kernel sends SIGBUS to the thread that touched it. That thread may be JIT code, a checksum
//! loop, or a C program; none of them can catch an error there. So a handler puts zero pages in the
//! place of what is lost, sets the mapping's status word, and returns: the read goes on with zeros.
//! Every structure treats its bytes as untrusted, so zeros are wrong but never wild, and the next look
//! at the status word turns into `ERR_OFFHEAP_IO`.
//!
//! # Protocol
//!
//! *Registry.* A chain of blocks of slots, in static memory and then in leaked heap blocks, so a handler
//! can walk it at any time. One slot is one mapped range. Slots are claimed, filled and vacated under
//! an ordinary mutex that the handler never touches; the handler only loads and stores atomics, calls
//! `mmap` and `sigaction`, and waits for nobody: it is async-signal-safe, and wait-free but for the
//! kernel's own locks.
//!
//! *Handler against writer.* A writer marks a slot `busy` before it changes it and then waits until
//! nobody has it pinned. The handler pins a slot, then looks at `busy`, and reads the rest only if it
//! is clear. Both pairs of accesses are sequentially consistent: either the handler sees `busy` and
//! passes on, or the writer sees the pin and waits. Passing on is right: a busy slot is being made or
//! taken away, and neither can hold the address of a legitimate read, because [`Watch::new`] returns
//! before the first read and the owner drops its [`Watch`] after the last.
//!
//! *Foreign memory.* A file can be moved into memory that a JavaScript engine owns ([`super::file`]),
//! which the engine may free before its finalizer ends the watch. If the addresses are watched anew
//! in between, the stale range is forgotten first. Otherwise a fault there would have to be a SIGBUS
//! in somebody else's mapping, within that moment, to be mistaken for ours.
//!
//! *Unmapping.* A `Watch` is dropped before its range is unmapped, and dropping waits for pins. So
//! when a buggy program unmaps while another thread faults, the handler still can not lay zero pages
//! over memory that the kernel has since given to someone else.
//!
//! *What is replaced.* Everything from the page of the fault to the end of the range, by one `mmap` with
//! `MAP_FIXED`: when a file shrinks, all of that is lost anyway. Page by page would take a signal
//! for each page, and split the range until the process runs out of map entries. If memory is too short
//! for that, the one page is tried. The kernel swaps pages under its own lock, so other threads see old
//! bytes or zeros; if they fault at the same time they replace zeros by zeros. In a
//! copy-on-write mapping the kernel has already dropped the private copies of pages that were cut off.
//!
//! *Order.* The status word is set (release) before the pages are replaced: whoever reads a zero that
//! was put there, and then looks, finds it set.
//!
//! *Faults that are not ours* go where they would have gone: to the handler that was there before, or
//! for the default action the process dies by SIGBUS at the very instruction, as core dumps want it.
//! These are: signals that a process sent, misaligned accesses, addresses in no range, and a range that
//! goes on faulting after it was replaced ([`PATIENCE`]).
//!
//! *Nested faults.* SIGBUS is blocked while its handler runs, and the handler touches no mapped file. If
//! it faults nevertheless, the kernel ends the process: there is no loop.
//!
//! # Limits
//!
//! A system call that is given lost bytes (`write` from the mapping) is not signalled: it returns
//! EFAULT. A shrink inside the last page leaves that page readable, with zeros after the new end:
//! no signal, and only the checksum tells. Someone who installs a SIGBUS handler later and does not
//! chain to ours takes over all faults. A page that was replaced stays replaced, even if the file grows again.
//!
//! # Cost
//!
//! Nothing while no page is lost. A mapping costs one uncontended lock and a walk over the slots in use;
//! a fault walks the same slots: 64 to a block, a cache line each.

use super::pages::page_size;
use crate::Result;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr::{null_mut, with_exposed_provenance_mut};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicU32, AtomicUsize};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Faults that one range may have after it was replaced to the end. Each thread of the process may
/// have one, from a fault that was on its way; more than this is a loop.
const PATIENCE: u32 = 1 << 16;

const SLOTS: usize = 64;

/// One watched range. `start == 0` is a vacant slot.
#[repr(align(64))]
struct Slot {
    /// How many handlers are looking at this slot.
    pins: AtomicUsize,
    /// A writer is changing the fields below.
    busy: AtomicBool,
    writable: AtomicBool,
    /// Faults that came after the whole rest was replaced.
    repeats: AtomicU32,
    start: AtomicUsize,
    end: AtomicUsize,
    /// From here on there are zeros; `end` while nothing is lost.
    lost_from: AtomicUsize,
    status: AtomicPtr<AtomicI32>,
    /// Which [`Watch`] filled the slot. Only writers look at it.
    id: AtomicUsize,
}

impl Slot {
    const fn vacant() -> Slot {
        Slot {
            pins: AtomicUsize::new(0),
            busy: AtomicBool::new(false),
            writable: AtomicBool::new(false),
            repeats: AtomicU32::new(0),
            start: AtomicUsize::new(0),
            end: AtomicUsize::new(0),
            lost_from: AtomicUsize::new(0),
            status: AtomicPtr::new(null_mut()),
            id: AtomicUsize::new(0),
        }
    }

    fn vacate(&self) {
        self.change(|slot| {
            slot.start.store(0, Relaxed);
            slot.end.store(0, Relaxed);
            slot.status.store(null_mut(), Relaxed);
        });
    }

    /// Changes the slot while no handler looks at it. Writers hold [`WRITERS`].
    fn change(&self, work: impl FnOnce(&Slot)) {
        self.busy.store(true, SeqCst);
        while self.pins.load(SeqCst) != 0 {
            // A handler is in its `mmap`, on another thread: this takes microseconds.
            std::thread::yield_now();
        }
        work(self);
        self.busy.store(false, Release);
    }
}

struct Block {
    slots: [Slot; SLOTS],
    next: AtomicPtr<Block>,
}

impl Block {
    const fn new() -> Block {
        Block { slots: [const { Slot::vacant() }; SLOTS], next: AtomicPtr::new(null_mut()) }
    }

    fn next(&self) -> Option<&'static Block> {
        // SAFETY: null, or a block that was leaked, so it lives for ever and is never written but
        // through its atomics.
        unsafe { self.next.load(Acquire).as_ref() }
    }
}

static FIRST: Block = Block::new();

/// Held by whoever changes the registry; never by a signal handler.
static WRITERS: Mutex<()> = Mutex::new(());

/// What SIGBUS did before us.
static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

/// A range that is watched until this is dropped, or until its addresses are watched anew.
pub(crate) struct Watch {
    slot: &'static Slot,
    id: usize,
}

impl Watch {
    /// Watches `[start, start + length)`, rounded up to whole pages, and installs the handler if it is the
    /// first. `status` becomes 1 when a page is lost.
    ///
    /// # Safety
    /// `start` is the first byte of a mapping of `length` bytes, `writable` or not, that is unmapped only
    /// after this is dropped. `status` is valid until then.
    pub(crate) unsafe fn new(
        start: usize,
        length: usize,
        writable: bool,
        status: *const AtomicI32,
    ) -> Result<Watch> {
        install()?;
        let _writers = WRITERS.lock().unwrap_or_else(PoisonError::into_inner);
        let end = start + length.next_multiple_of(page_size());
        let id = clear(start, end);
        let slot = vacant_slot()?;
        slot.change(|slot| {
            slot.writable.store(writable, Relaxed);
            slot.repeats.store(0, Relaxed);
            slot.end.store(end, Relaxed);
            slot.lost_from.store(end, Relaxed);
            slot.status.store(status.cast_mut(), Relaxed);
            slot.id.store(id, Relaxed);
            slot.start.store(start, Relaxed);
        });
        Ok(Watch { slot, id })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _writers = WRITERS.lock().unwrap_or_else(PoisonError::into_inner);
        if self.slot.id.load(Relaxed) == self.id {
            self.slot.vacate();
        }
    }
}

/// Forgets ranges that reach into `[start, end)`, and gives the next id. Where something new is mapped,
/// nothing old can be: such a range was freed by the engine whose memory it lay in, and the finalizer
/// that would have told us is still to come. The caller holds [`WRITERS`].
fn clear(start: usize, end: usize) -> usize {
    static IDS: AtomicUsize = AtomicUsize::new(1);
    let mut block = Some(&FIRST);
    while let Some(this) = block {
        for slot in &this.slots {
            if slot.start.load(Relaxed) < end && slot.end.load(Relaxed) > start {
                slot.vacate();
            }
        }
        block = this.next();
    }
    IDS.fetch_add(1, Relaxed)
}

/// A vacant slot; makes a further block when all are taken. The caller holds [`WRITERS`].
fn vacant_slot() -> Result<&'static Slot> {
    let mut block = &FIRST;
    loop {
        if let Some(slot) = block.slots.iter().find(|slot| slot.start.load(Relaxed) == 0) {
            return Ok(slot);
        }
        block = match block.next() {
            Some(next) => next,
            None => {
                let mut memory: Vec<Block> = Vec::new();
                memory.try_reserve_exact(1)?;
                memory.push(Block::new());
                // Leaked: a handler may be walking over it at any later time.
                block.next.store(memory.leak().as_mut_ptr(), Release);
                continue;
            }
        };
    }
}

/// Installs the handler, once for the process.
fn install() -> Result<()> {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.load(Acquire) {
        return Ok(());
    }
    let _writers = WRITERS.lock().unwrap_or_else(PoisonError::into_inner);
    if DONE.load(Acquire) {
        return Ok(());
    }
    page_size(); // Asked for now, so that the handler does not have to.
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = on_sigbus;
    // SAFETY: zeros are a valid sigaction; the calls are given valid pointers. The previous action is
    // kept before ours can run, because PREVIOUS is filled from a query first.
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
    // SAFETY: the kernel passes a valid siginfo to a SA_SIGINFO handler; for SIGBUS it has an address.
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
    let mut block = Some(&FIRST);
    while let Some(this) = block {
        for slot in &this.slots {
            slot.pins.fetch_add(1, SeqCst);
            let ours = !slot.busy.load(SeqCst)
                && (slot.start.load(Relaxed)..slot.end.load(Relaxed)).contains(&address);
            let repaired = ours && replace(slot, address);
            slot.pins.fetch_sub(1, Release);
            if ours {
                return repaired;
            }
        }
        block = this.next();
    }
    false
}

/// Puts zeros from the page of `address` to the end. The slot is pinned.
fn replace(slot: &Slot, address: usize) -> bool {
    let page = page_size();
    let from = address & !(page - 1);
    let end = slot.end.load(Relaxed);
    if from >= slot.lost_from.load(Relaxed) && slot.repeats.fetch_add(1, Relaxed) >= PATIENCE {
        return false;
    }
    // SAFETY: the word outlives the watch, and the watch can not end while its slot is pinned.
    if let Some(status) = unsafe { slot.status.load(Relaxed).as_ref() } {
        status.store(1, Release);
    }
    let writable = slot.writable.load(Relaxed);
    // SAFETY: [from, end) is part of a mapping that its owner can not unmap while the slot is pinned. Its
    // bytes are read through raw pointers or by JavaScript only, so they may change.
    let zeros = |length: usize| unsafe { put_zeros(from, length, writable) };
    if zeros(end - from) {
        slot.lost_from.fetch_min(from, Relaxed);
        return true;
    }
    end - from > page && zeros(page)
}

/// Puts zero pages in the place of whatever is mapped at `[start, start + length)`. Async-signal-safe.
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
        // A fault can not be ignored. With the default action in place the instruction runs again and
        // ends the process where it happened; a signal that was sent has to be sent again.
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
