//! Opaque handles: made on the heap, given to C, taken back.

use offheap_core::Result;

/// A handle for C. Memory for it is asked for first, because `Box::new` could not refuse.
pub(crate) fn hand_out<T>(make: impl FnOnce() -> Result<T>) -> Result<*mut T> {
    let mut handle = Vec::new();
    handle.try_reserve_exact(1)?;
    handle.push(make()?);
    Ok(Box::into_raw(handle.into_boxed_slice()).cast())
}

/// # Safety
/// `handle` came from [`hand_out`] or is null, and is not used again.
pub(crate) unsafe fn take_back<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: the caller's; it was made this way.
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(handle, 1)) });
    }
}
