//! The signal handler: replaces lost pages by zeros, or forwards the signal.

use super::registry::{Slot, registry, slots};
use crate::Result;
use crate::region::pages::{page_size, put_zeros};
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};

/// The most faults of one range after it was replaced to the end. Each thread of the process may
/// cause one, because its fault was already on the way; more than this is a loop.
const MAX_REPEATS: u32 = 1 << 16;

/// The action that was in place before ours was first installed, packed by [`pack`].
static ORIGINAL: AtomicU64 = AtomicU64::new(0);

/// The action that ours replaced the last time, packed by [`pack`].
static PREVIOUS: AtomicU64 = AtomicU64::new(0);

/// The address of the `siginfo` of a signal that is being forwarded. A handler that was installed
/// after ours may call ours for it; it must not be forwarded to that handler again.
static FORWARDED: AtomicUsize = AtomicUsize::new(0);

/// Set in a packed action whose handler has three parameters. No address has this bit.
const THREE_PARAMETERS: u64 = 1 << 63;

/// An action in one word, so that a handler reads it whole.
fn pack(action: &libc::sigaction) -> u64 {
    let flag = if action.sa_flags & libc::SA_SIGINFO != 0 { THREE_PARAMETERS } else { 0 };
    action.sa_sigaction as u64 | flag
}

/// Ensures that our handler is in place: installs it first, and again after somebody else replaced
/// it. Node.js does that when a program adds a listener for SIGBUS, and sets the default action
/// when it removes the last one. Costs a system call of 0.2 µs.
pub(super) fn install() -> Result<()> {
    static INSTALLED: AtomicBool = AtomicBool::new(false);
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = on_sigbus;
    let _lock = registry();
    page_size(); // Queried here, so that the handler finds it cached.
    // SAFETY: zeros are a valid sigaction, and the calls are given valid pointers. The previous
    // action is stored before ours can run, because it is queried first.
    unsafe {
        let mut previous = MaybeUninit::<libc::sigaction>::zeroed();
        if libc::sigaction(libc::SIGBUS, std::ptr::null(), previous.as_mut_ptr()) != 0 {
            return Err(std::io::Error::last_os_error().into());
        }
        let previous = previous.assume_init();
        if previous.sa_sigaction == handler as usize {
            return Ok(());
        }
        if !INSTALLED.load(Relaxed) {
            ORIGINAL.store(pack(&previous), Release);
        }
        PREVIOUS.store(pack(&previous), Release);
        let mut ours = MaybeUninit::<libc::sigaction>::zeroed().assume_init();
        ours.sa_sigaction = handler as usize;
        // ONSTACK: threads with a small stack may have an alternate one for handlers. RESTART: a
        // handled fault does not interrupt system calls.
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
        libc::sigemptyset(&raw mut ours.sa_mask);
        if libc::sigaction(libc::SIGBUS, &raw const ours, null_mut()) != 0 {
            return Err(std::io::Error::last_os_error().into());
        }
    }
    INSTALLED.store(true, Relaxed);
    Ok(())
}

extern "C" fn on_sigbus(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes a valid siginfo to a SA_SIGINFO handler, and the one of SIGBUS has
    // an address.
    let (code, address) = unsafe { ((*info).si_code, (*info).si_addr().addr()) };
    // Codes of zero and less are signals sent by a process: their "address" is another field.
    let by_kernel = code > 0;
    // Zeros do not help a misaligned access. (macOS reports every fault under that code.)
    let curable = by_kernel && !(cfg!(target_os = "linux") && code == libc::BUS_ADRALN);
    if curable && preserving_errno(|| repair(address)) {
        return;
    }
    // SAFETY: this is the handler, and these are its arguments.
    unsafe { forward(signal, info, context, by_kernel) }
}

/// Replaces the lost pages if `address` lies in a watched range. Async-signal-safe.
fn repair(address: usize) -> bool {
    slots().find_map(|slot| slot.pinned(address, |slot| replace(slot, address))).unwrap_or(false)
}

/// Puts zeros from the page of `address` to the end of the range. The slot is pinned.
fn replace(slot: &Slot, address: usize) -> bool {
    let page = page_size();
    let from = address & !(page - 1);
    let end = slot.end.load(Relaxed);
    if from >= slot.lost_from.load(Relaxed) && slot.repeats.fetch_add(1, Relaxed) >= MAX_REPEATS {
        return false;
    }
    if let Some(status) = slot.status() {
        status.store(1, Release);
    }
    let writable = slot.writable.load(Relaxed);
    // SAFETY: [from, end) is part of a mapping that its owner cannot unmap while the slot is
    // pinned. Its bytes are read only through raw pointers or by JavaScript, so they may change.
    let zeros = |length: usize| unsafe { put_zeros(from, length, writable) };
    if zeros(end - from) {
        slot.lost_from.fetch_min(from, Relaxed);
        return true;
    }
    end - from > page && zeros(page)
}

/// Runs `work` and restores the `errno` of the interrupted code.
fn preserving_errno<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: returns the address of this thread's errno.
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "emscripten"))]
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: returns the address of this thread's errno.
    #[cfg(any(target_os = "macos", target_os = "ios", target_os = "freebsd"))]
    let errno = unsafe { libc::__error() };
    // SAFETY: the address is valid as long as the thread lives.
    let saved = unsafe { *errno };
    let result = work();
    // SAFETY: the address is valid as long as the thread lives.
    unsafe { *errno = saved };
    result
}

/// Performs the previous action of SIGBUS: of ours, or, if the handler of that action called ours,
/// of the first one.
///
/// # Safety
/// Called from the handler, with its arguments.
unsafe fn forward(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void, by_kernel: bool) {
    let again = FORWARDED.swap(info.addr(), AcqRel) == info.addr();
    let packed = if again { &ORIGINAL } else { &PREVIOUS }.load(Acquire);
    let action = (packed & !THREE_PARAMETERS) as usize;
    if action == libc::SIG_IGN && !by_kernel {
        return;
    }
    if action == libc::SIG_DFL || action == libc::SIG_IGN {
        // A fault cannot be ignored. With the default action in place, the instruction runs again
        // and terminates the process at the right address. A signal that was sent has to be raised
        // again.
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
    if packed & THREE_PARAMETERS != 0 {
        // SAFETY: a handler that was installed with SA_SIGINFO has this type.
        unsafe {
            let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) =
                std::mem::transmute(action);
            handler(signal, info, context);
        }
    } else {
        // SAFETY: any other handler has this type.
        unsafe {
            let handler: extern "C" fn(c_int) = std::mem::transmute(action);
            handler(signal);
        }
    }
    FORWARDED.store(0, Release);
}
