//! Opaque handles: values on the heap that C owns until it frees them.

use crate::args::check_pointer;
use offheap_core::Result;

/// Moves a value to the heap and returns a pointer for C. The memory is reserved before the value
/// is made, because `Box::new` aborts where it finds none, and a refused call must change nothing.
pub(crate) fn hand_out<T>(make: impl FnOnce() -> Result<T>) -> Result<*mut T> {
    let mut handle = Vec::new();
    handle.try_reserve_exact(1)?;
    handle.push(make()?);
    Ok(Box::into_raw(handle.into_boxed_slice()).cast())
}

/// Takes a value back from C and frees its memory. `None` for NULL.
///
/// # Safety
/// `handle` is null, or came from [`hand_out`] and is not used again.
pub(crate) unsafe fn take_value<T>(handle: *mut T) -> Option<T> {
    if handle.is_null() {
        return None;
    }
    // SAFETY: `hand_out` made it from a box of a slice with one element, and the caller does not
    // use it again.
    let boxed = unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(handle, 1)) };
    boxed.into_vec().pop()
}

/// Drops a value that C gives back. NULL is allowed.
///
/// # Safety
/// As for [`take_value`].
pub(crate) unsafe fn take_back<T>(handle: *mut T) {
    // SAFETY: the caller guarantees the same.
    drop(unsafe { take_value(handle) });
}

/// The value of a handle, to read. `what` names the argument in the message for NULL.
///
/// # Safety
/// `handle` is null, or came from [`hand_out`], was not freed, and is not changed during `'a`.
#[inline]
pub(crate) unsafe fn shared<'a, T>(handle: *const T, what: &'static str) -> Result<&'a T> {
    check_pointer(handle, what)?;
    // SAFETY: not null and aligned; the caller guarantees that it is alive and not changed.
    Ok(unsafe { &*handle })
}

/// The value of a handle, to change. `what` names the argument in the message for NULL.
///
/// # Safety
/// `handle` is null, or came from [`hand_out`], was not freed, and is not used by others during
/// `'a`.
#[inline]
pub(crate) unsafe fn exclusive<'a, T>(handle: *mut T, what: &'static str) -> Result<&'a mut T> {
    check_pointer(handle, what)?;
    // SAFETY: not null and aligned; the caller guarantees that it is alive and used by no one else.
    Ok(unsafe { &mut *handle })
}

#[cfg(test)]
mod tests {
    use super::*;
    use offheap_core::Error;
    use std::rc::Rc;

    #[test]
    fn a_value_is_dropped_once_when_it_is_taken_back() {
        let counted = Rc::new(());
        let handle = hand_out(|| Ok(Rc::clone(&counted))).unwrap();
        assert_eq!(Rc::strong_count(&counted), 2);
        // SAFETY: the handle is alive, and not used after it was taken back.
        unsafe {
            assert!(Rc::ptr_eq(shared(handle, "handle").unwrap(), &counted));
            take_back(handle);
            assert!(take_value::<Rc<()>>(std::ptr::null_mut()).is_none());
        }
        assert_eq!(Rc::strong_count(&counted), 1);
    }

    #[test]
    fn a_value_that_cannot_be_made_leaves_nothing_behind() {
        let error = hand_out::<u8>(|| Err(Error::full("no room"))).unwrap_err();
        assert_eq!(error.message(), "no room");
    }
}
