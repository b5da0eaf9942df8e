//! The control of a long operation, which another thread may watch or cancel.

use crate::args::check_pointer;
use offheap_core::Result;
use offheap_core::region::control::Control;

/// How far a long operation has come, and whether it is to stop: begin with zeros. Another thread
/// may read `done` and `total`, and set `cancel`, while it runs (atomically, where its language
/// asks for that).
#[repr(C)]
#[derive(Debug)]
pub struct oh_control {
    /// Not 0: stop soon, with nothing changed.
    pub cancel: u32,
    /// Zero.
    pub reserved: u32,
    /// Steps done.
    pub done: u64,
    /// Steps in all; 0 before they are counted.
    pub total: u64,
}

/// The core's view of a control; `None` for NULL.
///
/// # Safety
/// `control` is null, or points to a control that other threads access with atomics only.
pub(crate) unsafe fn control_of<'a>(control: *mut oh_control) -> Result<Option<&'a Control>> {
    if control.is_null() {
        return Ok(None);
    }
    check_pointer(control.cast::<Control>(), "control")?;
    // SAFETY: not null and aligned; `Control` is the same, with atomics for fields.
    Ok(Some(unsafe { &*control.cast::<Control>() }))
}
