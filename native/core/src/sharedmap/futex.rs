//! Waiting for a word in shared memory to change, across processes.
//!
//! On Linux this is the futex system call, without the flag for private futexes. Elsewhere waiting
//! is a short sleep, which the callers' loops turn into polling.

use std::sync::atomic::AtomicU32;
use std::time::Duration;

/// Sleeps until the word is woken, for at most `limit`, unless it is not `expected`.
pub(crate) fn wait(word: &AtomicU32, expected: u32, limit: Duration) {
    #[cfg(target_os = "linux")]
    {
        let time = libc::timespec {
            tv_sec: limit.as_secs() as libc::time_t,
            tv_nsec: limit.subsec_nanos() as libc::c_long,
        };
        // SAFETY: the word and the timeout are valid for the duration of the call. All errors
        // (changed, interrupted, timed out) mean that the caller looks again.
        unsafe {
            libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAIT, expected, &raw const time);
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (word, expected);
        std::thread::sleep(limit.min(Duration::from_micros(500)));
    }
}

/// Wakes one thread that waits for the word.
pub(crate) fn wake_one(word: &AtomicU32) {
    #[cfg(target_os = "linux")]
    // SAFETY: the word is valid for the duration of the call.
    unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, 1);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = word;
}
