//! Functions on mapped memory, of this library or of others (`oh_memory_…`).

use crate::args::{check_bytes, numbers, total};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::mmap::read_many::read_many;
use offheap_core::mmap::strategy;
use std::ffi::c_void;

/// Keeps the pages of `length` bytes at `base` in memory. `OH_ERR_FULL` if that exceeds the limit,
/// which the message names.
///
/// # Safety
/// The bytes are mapped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_memory_lock(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that the bytes are mapped.
    guard(|| unsafe { strategy::lock(check_bytes(base, length, "base")?, length) })
}

/// Reverts `oh_memory_lock`.
///
/// # Safety
/// The bytes are mapped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_memory_unlock(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that the bytes are mapped.
    guard(|| unsafe { strategy::unlock(check_bytes(base, length, "base")?, length) })
}

/// Returns how many of the pages that contain `length` bytes at `base` are in memory.
///
/// # Safety
/// The bytes are mapped, `resident` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_memory_resident(
    base: *const c_void,
    length: usize,
    resident: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that the bytes are mapped, `resident` is writable.
    unsafe { guard_out(resident, || Ok(strategy::resident(check_bytes(base, length, "base")?, length)?.0)) }
}

/// Copies `length` bytes from each of `count` offsets into the `size` bytes at `base` to `target`,
/// like `oh_mappedfile_read_many`.
///
/// # Safety
/// The bytes are mapped, and may be written by other threads; `count` elements at `offsets` are
/// readable; `count * length` bytes at `target` are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_memory_gather(
    base: *const c_void,
    size: usize,
    offsets: *const c_void,
    offset_type: u32,
    count: usize,
    length: usize,
    target: *mut c_void,
) -> oh_status {
    guard(|| {
        let base = check_bytes(base, size, "base")?;
        let target = check_bytes(target, total(count, length)?, "target")?.cast_mut();
        // SAFETY: the caller guarantees that the bytes are mapped, also where others write them,
        // that `count` elements at `offsets` are readable, that `count * length` bytes at `target`
        // are writable.
        unsafe { read_many(base, size, &numbers(offsets, offset_type, count, "offsets")?, length, target) }
    })
}
