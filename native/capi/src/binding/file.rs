//! Region files that a language binding maps (`oh_binding_file`), and the number of mappings of a
//! process.

use crate::args::{check_pointer, read_path};
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, take_back};
use crate::status::oh_status;
use offheap_core::region::file::{CopyMode, RegionFile, live_mappings};
use offheap_core::region::mappings::reserve;
use std::ffi::{c_char, c_void};

/// A mapped region file. Created by `oh_binding_file_open`, freed by `oh_binding_file_close`.
pub struct oh_binding_file(RegionFile);

/// Maps the whole regular file at `path` (`path_length` bytes; UTF-8 on Windows) at its current
/// size. Pages are read when they are touched, so opening takes the same time for any size. The
/// file may be renamed or removed while it is mapped.
///
/// Without `copy_on_write` the bytes are read-only: a store is a segmentation fault. With it they
/// can be written, but changes stay in this mapping: the file never changes.
///
/// If the file shrinks while it is mapped, lost bytes read as zeros and `oh_binding_file_lost`
/// becomes true, where otherwise SIGBUS would terminate the process. For that, the first call
/// installs a handler for SIGBUS on Unix. It passes all signals that do not concern a mapped file
/// on to the previous handler. Install your own handler before the first call, or pass signals on,
/// too.
///
/// `OH_ERR_IO` if the file cannot be opened or is not a regular one; `OH_ERR_CORRUPT` if it is
/// empty, shorter than a region's header, or its size is not a multiple of 64; `OH_ERR_OOM` if
/// there is no memory or address space.
///
/// # Safety
/// `path_length` bytes at `path` are readable; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_open(
    path: *const c_char,
    path_length: usize,
    copy_on_write: bool,
    out: *mut *mut oh_binding_file,
) -> oh_status {
    // SAFETY: the caller guarantees `out` and the path.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let mode = if copy_on_write { CopyMode::CopyOnWrite } else { CopyMode::Read };
            hand_out(|| Ok(oh_binding_file(RegionFile::open(&path, mode)?)))
        })
    }
}

/// Returns the address of the mapping, a multiple of the page size; NULL for NULL and after
/// `oh_binding_file_unmap`. Store to the bytes only if the file was opened with `copy_on_write`.
///
/// # Safety
/// `file` is NULL, or a file that is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_data(file: *const oh_binding_file) -> *mut c_void {
    guard_value(std::ptr::null_mut(), || {
        // SAFETY: the caller guarantees that `file` is NULL, or a file that is open.
        unsafe { file.as_ref() }.map_or(std::ptr::null_mut(), |file| file.0.bytes().0.cast())
    })
}

/// Returns the size of the file in bytes when it was opened; 0 for NULL and after
/// `oh_binding_file_unmap`.
///
/// # Safety
/// `file` is NULL, or a file that is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_size(file: *const oh_binding_file) -> usize {
    guard_value(0, || {
        // SAFETY: the caller guarantees that `file` is NULL, or a file that is open.
        unsafe { file.as_ref() }.map_or(0, |file| file.0.bytes().1)
    })
}

/// Returns whether the file shrank, or could not be read, while it was mapped, so that some bytes
/// were replaced by zeros. Check after reading, not before.
///
/// # Safety
/// `file` is NULL, or a file that is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_lost(file: *const oh_binding_file) -> bool {
    guard_value(false, || {
        // SAFETY: the caller guarantees that `file` is NULL, or a file that is open.
        unsafe { file.as_ref() }.is_some_and(|file| file.0.is_lost())
    })
}

/// Returns the address of the word that `oh_binding_file_lost` reads, which becomes non-zero when
/// bytes are lost; NULL for NULL. Read it atomically. It is readable until `oh_binding_file_close`.
///
/// # Safety
/// `file` is NULL, or a file that is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_status(file: *const oh_binding_file) -> *const i32 {
    guard_value(std::ptr::null(), || {
        // SAFETY: the caller guarantees that `file` is NULL, or a file that is open.
        unsafe { file.as_ref() }.map_or(std::ptr::null(), |file| file.0.status().as_ptr().cast_const())
    })
}

/// Moves the mapping to `target`, replacing whatever is mapped there, in one step. In this way a
/// file can appear in memory that a runtime manages, such as a JavaScript buffer. From then on the
/// bytes belong to the owner of that memory, which frees them by unmapping all of it;
/// `oh_binding_file_unmap` replaces them by zeros, and `oh_binding_file_close` does not touch them.
///
/// If `capacity` has room for one page more than the file takes, the last page is replaced too, by
/// zeros except for its last 8 bytes, which indicate later whether the memory still exists. Do not
/// write to these. In return, lost bytes of the file read as zeros for as long as the memory
/// exists; otherwise only until `oh_binding_file_close` or `oh_binding_file_forget`.
///
/// `OH_ERR_RANGE` if `target` is not a multiple of the page size, or `capacity` is less than the
/// length in whole pages; `OH_ERR_UNSUPPORTED` on systems other than Linux. After an error nothing
/// has changed.
///
/// # Safety
/// `file` is open, with `copy_on_write`; no thread uses its bytes at the same time, or the old
/// address afterward; `capacity` bytes at `target` are mapped and writable, and their owner does
/// not use their previous contents.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_move(
    file: *mut oh_binding_file,
    target: *mut c_void,
    capacity: usize,
) -> oh_status {
    guard(|| {
        check_pointer(file, "file")?;
        // SAFETY: not null and aligned; the caller guarantees the rest.
        unsafe { (*file).0.move_to(target.cast(), capacity) }
    })
}

/// Detaches the handle from the bytes of a file that was moved, without touching them: when the
/// owner of their memory frees it, has freed it, or keeps it. Unmaps the bytes if they were not
/// moved. Calling it twice is allowed, and so is NULL.
///
/// # Safety
/// As for `oh_binding_file_unmap`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_forget(file: *mut oh_binding_file) {
    guard_value((), || {
        // SAFETY: the caller guarantees that `file` is NULL, or a file that is open and that no
        // thread uses its bytes, or the handle, meanwhile.
        if let Some(file) = unsafe { file.as_mut() } {
            file.0.forget();
        }
    });
}

/// Unmaps the bytes but keeps the handle, so that its status can still be read. Calling it twice is
/// allowed, and so is NULL.
///
/// # Safety
/// `file` is NULL, or a file that is open; no other thread uses its bytes or the handle at the same
/// time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_unmap(file: *mut oh_binding_file) {
    guard_value((), || {
        // No guard: unmapping neither fails nor panics, and there would be no status to return.
        // SAFETY: the caller guarantees that `file` is NULL, or a file that is open and that no
        // thread uses its bytes, or the handle, meanwhile.
        if let Some(file) = unsafe { file.as_mut() } {
            file.0.unmap();
        }
    });
}

/// Unmaps the bytes and frees the handle. NULL is allowed.
///
/// # Safety
/// `file` is NULL, or a file that is open, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_close(file: *mut oh_binding_file) {
    // SAFETY: `oh_binding_file_open` made it, and the caller does not use it again.
    guard_value((), || unsafe { take_back(file) });
}

/// Returns whether this process may make `count` more memory mappings without exceeding `percent`
/// hundredths of the system's limit (Linux: `vm.max_map_count`, 65,530 by default). If so, they
/// count as made. For programs that keep many small mappings next to a library that cannot handle a
/// refused one. Always true if the system has no such limit, or does not tell it. Each mapped file
/// takes one mapping.
///
/// # Safety
/// `granted` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_mappings_reserve(
    count: usize,
    percent: u32,
    granted: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees `granted`.
    unsafe { guard_out(granted, || Ok(reserve(count, percent))) }
}

/// Returns how many files are mapped in this process. For tests that detect leaks.
#[unsafe(no_mangle)]
pub extern "C" fn oh_binding_file_mappings() -> usize {
    guard_value(0, live_mappings)
}
