//! The guard through which every call from C passes.
//!
//! [`guard`] runs the body, converts an [`Error`] to its status, and catches panics, because
//! unwinding into C or C++ frames is undefined behavior. A caught panic is `OH_ERR_NATIVE`. Its
//! message and location are kept for `oh_last_error` instead of being printed, because a library
//! must not write to its host's stderr. Panics outside a guard, in a Rust program that links this
//! crate, go to the previous hook.
//!
//! When the outermost call has ended, its events are reported to the log.

use crate::log::report;
use crate::status::{oh_status, record};
use offheap_core::{Error, Result, log};
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

fn install_hook() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let previous = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if INSIDE.get() {
                record(oh_status::OH_ERR_NATIVE, &format!("internal error: {info}"));
            } else {
                previous(info);
            }
        }));
    });
}

/// Runs `body` and returns its outcome as a status. The body writes its outputs last, or leaves
/// that to [`guard_out`].
///
/// It may be entered again from inside (a callback that calls the library).
#[inline]
pub fn guard(body: impl FnOnce() -> Result<()>) -> oh_status {
    install_hook();
    let outer = INSIDE.replace(true);
    // Unwind safety: the structures are regions whose invariants are checked on every entry, and
    // outputs are not written when the body panics, so nothing half-done is trusted afterward.
    let outcome = panic::catch_unwind(AssertUnwindSafe(body));
    INSIDE.set(outer);
    let status = match outcome {
        Ok(Ok(())) => oh_status::OH_OK,
        Ok(Err(error)) => failed(&error),
        Err(payload) => {
            #[expect(clippy::mem_forget, reason = "a payload's destructor may itself panic")]
            std::mem::forget(payload);
            log::push(log::Event::Internal);
            oh_status::OH_ERR_NATIVE
        }
    };
    // In an inner call, locks of the outer one may be held.
    if !outer && log::has_events() {
        report();
    }
    status
}

#[cold]
fn failed(error: &Error) -> oh_status {
    let status = oh_status::from(error.kind());
    record(status, error.message());
    status
}

/// [`guard`] for a function with one output: checks `out` first, and writes it only on success.
///
/// # Safety
/// `out` is null, or valid for writing one `T`.
#[inline]
pub unsafe fn guard_out<T>(out: *mut T, body: impl FnOnce() -> Result<T>) -> oh_status {
    guard(|| {
        crate::args::check_pointer(out, "the output")?;
        let value = body()?;
        // SAFETY: not null and aligned (just checked); the caller guarantees that it is writable.
        unsafe { out.write(value) };
        Ok(())
    })
}

/// [`guard`] for a function that returns a value instead of a status: `fallback` if the body
/// panics.
#[inline]
pub fn guard_value<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    let mut value = fallback;
    guard(|| {
        value = body();
        Ok(())
    });
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::oh_last_error;
    use std::ffi::c_char;

    fn last() -> String {
        let mut buffer = [0u8; 513];
        // SAFETY: the buffer has 513 bytes.
        let len = unsafe { oh_last_error(buffer.as_mut_ptr().cast::<c_char>(), buffer.len()) };
        String::from_utf8(buffer[..len].to_vec()).unwrap()
    }

    #[test]
    fn an_error_becomes_its_status_and_keeps_its_message() {
        assert_eq!(guard(|| Err(Error::corrupt("tag 7 of group 3"))), oh_status::OH_ERR_CORRUPT);
        assert_eq!(last(), "tag 7 of group 3");
        assert_eq!(guard(|| Ok(())), oh_status::OH_OK);
        assert_eq!(last(), "tag 7 of group 3", "success leaves the message");
    }

    #[test]
    fn a_panic_becomes_a_status_that_says_where() {
        let nothing = std::hint::black_box(None::<u32>);
        let status = guard(|| {
            nothing.expect("the impossible");
            Ok(())
        });
        assert_eq!(status, oh_status::OH_ERR_NATIVE);
        let message = last();
        assert!(message.contains("the impossible") && message.contains("guard.rs"), "{message}");
    }

    #[test]
    fn a_panic_in_a_nested_call_stays_inside_it() {
        let status = guard(|| {
            assert_eq!(guard(|| panic!("inner")), oh_status::OH_ERR_NATIVE);
            Err(Error::full("outer"))
        });
        assert_eq!(status, oh_status::OH_ERR_FULL);
        assert_eq!(last(), "outer");
        assert!(!INSIDE.get());
    }

    #[test]
    fn outputs_are_written_only_on_success() {
        let mut out = 5u64;
        // SAFETY: `out` is a live u64, or null.
        unsafe {
            assert_eq!(guard_out(&raw mut out, || Err(Error::range("no"))), oh_status::OH_ERR_RANGE);
            assert_eq!(out, 5);
            assert_eq!(guard_out(&raw mut out, || panic!("no")), oh_status::OH_ERR_NATIVE);
            assert_eq!(out, 5);
            assert_eq!(guard_out(std::ptr::null_mut::<u64>(), || Ok(1)), oh_status::OH_ERR_TYPE);
            assert_eq!(guard_out(&raw mut out, || Ok(6)), oh_status::OH_OK);
        }
        assert_eq!(out, 6);
    }
}
