//! Working memory of a thread, and output that may not fit.

use crate::args::slice_mut;
use offheap_core::compress::Scratch;
use offheap_core::compress::decode::SLACK;
use offheap_core::{Error, ErrorKind, Result};
use std::cell::RefCell;

thread_local! {
    /// Working memory that is kept between calls: about 100 KiB for small records.
    static SCRATCH: RefCell<(Scratch, Vec<u8>)> = const { RefCell::new((Scratch::new(), Vec::new())) };
}

/// Output buffers that are larger than this are freed after the call.
const KEPT: usize = 1 << 20;

pub(super) fn with_scratch<T>(body: impl FnOnce(&mut Scratch, &mut Vec<u8>) -> Result<T>) -> Result<T> {
    SCRATCH.with(|cell| {
        let mut inner =
            cell.try_borrow_mut().map_err(|_| Error::new(ErrorKind::Native, "called recursively"))?;
        let (scratch, out) = &mut *inner;
        out.clear();
        let outcome = body(scratch, out);
        if out.capacity() > KEPT {
            *out = Vec::new();
        }
        outcome
    })
}

/// Copies as many elements of `from` to `out` as fit, and returns the total number in `count`.
///
/// # Safety
/// `out` points to `capacity` writable numbers that no other thread uses; `count` is writable.
pub(super) unsafe fn copy_out(text: &[u8], out: *mut u8, capacity: usize) -> Result<usize> {
    // SAFETY: the caller guarantees that `out` is writable for `capacity` bytes, which are none of
    // ours.
    let target = unsafe { slice_mut(out, capacity, "out") }?;
    let Some(target) = target.get_mut(..text.len()) else {
        return Err(Error::new(
            ErrorKind::Full,
            format!("{} bytes do not fit into the {capacity} of out", text.len()),
        ));
    };
    target.copy_from_slice(text);
    Ok(text.len())
}

/// How many bytes may be decompressed directly to `out`, which has `capacity` bytes. Wide copies
/// write past the end of the result, so a result that nearly fills `out` is decompressed to a
/// buffer first.
pub(super) fn straight(out: *mut u8, capacity: usize) -> Option<usize> {
    if out.is_null() { None } else { capacity.checked_sub(SLACK) }
}

/// Turns "too many bytes" into "no room".
pub(super) fn full(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Range => Error::new(ErrorKind::Full, error.message().to_owned()),
        _ => error,
    }
}
