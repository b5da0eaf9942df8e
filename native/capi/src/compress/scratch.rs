//! Working memory of a thread, and output that may not fit.

use crate::args::slice_mut;
use offheap_core::compress::Scratch;
use offheap_core::compress::decode::SLACK;
use offheap_core::{Error, ErrorKind, Result};
use std::cell::RefCell;

thread_local! {
    /// Working memory, kept from call to call: 100 KiB or so for small records.
    static SCRATCH: RefCell<(Scratch, Vec<u8>)> = const { RefCell::new((Scratch::new(), Vec::new())) };
}

/// Output that is larger than this is given back after the call.
const KEPT: usize = 1 << 20;

pub(super) fn with_scratch<T>(body: impl FnOnce(&mut Scratch, &mut Vec<u8>) -> Result<T>) -> Result<T> {
    SCRATCH.with(|cell| {
        let mut inner =
            cell.try_borrow_mut().map_err(|_| Error::new(ErrorKind::Native, "called from itself"))?;
        let (scratch, out) = &mut *inner;
        out.clear();
        let outcome = body(scratch, out);
        if out.capacity() > KEPT {
            *out = Vec::new();
        }
        outcome
    })
}

/// Copies to `out`, or `Full` where it has no room.
///
/// # Safety
/// `out` is writable for `capacity` bytes, which are none of ours.
pub(super) unsafe fn copy_out(text: &[u8], out: *mut u8, capacity: usize) -> Result<usize> {
    // SAFETY: the caller's word.
    let target = unsafe { slice_mut(out, capacity, "out") }?;
    let Some(target) = target.get_mut(..text.len()) else {
        return Err(Error::new(
            ErrorKind::Full,
            format!("{} bytes do not fit the {capacity} of out", text.len()),
        ));
    };
    target.copy_from_slice(text);
    Ok(text.len())
}

/// Where decompressing may go straight to `out`, which has `capacity` bytes: how many it may make
/// there. Wide copies touch bytes behind them, so what nearly fills `out` takes the way by memory
/// of ours.
pub(super) fn straight(out: *mut u8, capacity: usize) -> Option<usize> {
    if out.is_null() { None } else { capacity.checked_sub(SLACK) }
}

/// More than there is room for.
pub(super) fn full(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Range => Error::new(ErrorKind::Full, error.message().to_owned()),
        _ => error,
    }
}
