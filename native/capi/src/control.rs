//! The control of a long operation, which another thread may watch or cancel.

use crate::args::check_pointer;
use offheap_core::Result;
use offheap_core::region::control::Control;

/// The progress of a long operation, and whether to cancel it. Set it to zeros before the
/// operation. While it runs, another thread may read `done` and `total` and set `cancel`, with
/// atomic accesses.
#[repr(C)]
#[derive(Debug)]
pub struct oh_control {
    /// Not 0: stop soon, with nothing changed.
    pub cancel: u32,
    /// Zero.
    pub reserved: u32,
    /// Number of completed steps.
    pub done: u64,
    /// Total number of steps; 0 until it is known.
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
