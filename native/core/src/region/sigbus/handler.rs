//! The signal handler: replaces lost pages by zeros, or passes the signal on.

use super::registry::{Slot, registry, slots};
use crate::Result;
use crate::region::pages::{page_size, put_zeros};
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr::null_mut;
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
    let _lock = registry();
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
