//! Region files that a language binding maps (`oh_binding_file`), and how many mappings a process
//! has.

use crate::args::{check_pointer, read_path};
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, take_back};
use crate::status::oh_status;
use offheap_core::region::file::{CopyMode, RegionFile, live_mappings};
use offheap_core::region::mappings::reserve;
use std::ffi::{c_char, c_void};

/// A mapped file: made by `oh_binding_file_open`, freed by `oh_binding_file_close`.
pub struct oh_binding_file(RegionFile);

/// Maps the whole regular file at `path` (`path_length` bytes; UTF-8 on Windows), at the size it
/// has now. Pages are read when they are touched, so any size opens equally fast. The file may be
/// renamed or removed while it is mapped.
///
/// Without `copy_on_write` the bytes are read-only: a store is a segmentation fault. With it they
/// can be written, and what is written stays in this mapping: the file never changes.
///
/// If the file shrinks while it is mapped, reads of what is gone give zeros and
/// `oh_binding_file_lost` turns true, where otherwise SIGBUS would end the process. For that the
/// first call installs a handler for SIGBUS, on Unix; it passes every signal that does not concern
/// a mapped file on to the handler that was there before. Install your own before the first call,
/// or pass signals on too.
///
/// `OH_ERR_IO` if it can not be opened or is no regular file; `OH_ERR_CORRUPT` if it is empty,
/// shorter than a region's header, or its size is not a multiple of 64; `OH_ERR_OOM` if it can not
/// be mapped for lack of memory or address space.
///
/// # Safety
/// `path_length` bytes at `path` are readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_open(
    path: *const c_char,
    path_length: usize,
    copy_on_write: bool,
    out: *mut *mut oh_binding_file,
) -> oh_status {
    // SAFETY: the caller vouches for `out` and the path.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let mode = if copy_on_write { CopyMode::CopyOnWrite } else { CopyMode::Read };
            hand_out(|| Ok(oh_binding_file(RegionFile::open(&path, mode)?)))
        })
    }
}

/// The first byte of the mapping; NULL after `oh_binding_file_unmap`. Page-aligned. Write to it
/// only if it was opened with `copy_on_write`.
///
/// # Safety
/// `file` is NULL, or a file that is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_data(file: *const oh_binding_file) -> *mut c_void {
    guard_value(std::ptr::null_mut(), || {
        // SAFETY: the caller's.
        unsafe { file.as_ref() }.map_or(std::ptr::null_mut(), |file| file.0.bytes().0.cast())
    })
}

/// The number of bytes: that of the file when it was opened. 0 after `oh_binding_file_unmap`.
///
/// # Safety
/// `file` is NULL, or a file that is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_size(file: *const oh_binding_file) -> usize {
    guard_value(0, || {
        // SAFETY: the caller's.
        unsafe { file.as_ref() }.map_or(0, |file| file.0.bytes().1)
    })
}

/// Whether the file shrank, or could not be read, while it was mapped: then some of the bytes are
/// zeros that were never in the file. Look after reading, not before.
///
/// # Safety
/// `file` is NULL, or a file that is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_lost(file: *const oh_binding_file) -> bool {
    guard_value(false, || {
        // SAFETY: the caller's.
        unsafe { file.as_ref() }.is_some_and(|file| file.0.is_lost())
    })
}

/// The word behind `oh_binding_file_lost`: non-zero once it is lost. Read it atomically. It stays
/// where it is, and readable, until `oh_binding_file_close`. NULL for NULL.
///
/// # Safety
/// `file` is NULL, or a file that is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_status(file: *const oh_binding_file) -> *const i32 {
    guard_value(std::ptr::null(), || {
        // SAFETY: the caller's.
        unsafe { file.as_ref() }.map_or(std::ptr::null(), |file| file.0.status().as_ptr().cast_const())
    })
}

/// Moves the bytes to `target`, in the place of what is mapped there, in one step: so a file can
/// appear in memory that something else manages, a JavaScript buffer say. From then on they belong
/// to the owner of that memory, who frees them by unmapping the whole of it;
/// `oh_binding_file_unmap` puts zeros in their place, and `oh_binding_file_close` leaves them
/// alone.
///
/// If `capacity` has room for a page more than the file takes, the last page is replaced too, by
/// zeros but for its last 8 bytes, which tell later whether the memory is still there. Do not write
/// to those. In return, reads of what the file loses give zeros for as long as the memory is there;
/// otherwise only until `oh_binding_file_close` or `oh_binding_file_forget`.
///
/// `OH_ERR_RANGE` if `target` is no multiple of the page size, or `capacity` less than the length
/// in whole pages; `OH_ERR_UNSUPPORTED` where the system can not do it (all but Linux). Nothing has
/// changed then.
///
/// # Safety
/// `file` is open, with `copy_on_write`, and nobody uses its bytes meanwhile, or the old address
/// ever again. `capacity` bytes at `target` are mapped, writable, and given up by their owner.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_move(
    file: *mut oh_binding_file,
    target: *mut c_void,
    capacity: usize,
) -> oh_status {
    guard(|| {
        check_pointer(file, "file")?;
        // SAFETY: not null and aligned; the rest is the caller's word.
        unsafe { (*file).0.move_to(target.cast(), capacity) }
    })
}

/// Lets go of the bytes of a file that was moved, without touching them: for when the owner of
/// their memory frees it, has freed it, or keeps it for others. Unmaps them if it was not moved.
/// Twice is fine, and so is NULL.
///
/// # Safety
/// As for `oh_binding_file_unmap`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_forget(file: *mut oh_binding_file) {
    guard_value((), || {
        // SAFETY: the caller's.
        if let Some(file) = unsafe { file.as_mut() } {
            file.0.forget();
        }
    });
}

/// Unmaps the bytes and keeps the handle, for those who still look at its status. Twice is fine,
/// and so is NULL.
///
/// # Safety
/// `file` is NULL, or a file that is open; no thread uses its bytes, or the handle, meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_unmap(file: *mut oh_binding_file) {
    guard_value((), || {
        // No guard: unmapping neither fails nor panics, and there would be no status to return.
        // SAFETY: the caller's.
        if let Some(file) = unsafe { file.as_mut() } {
            file.0.unmap();
        }
    });
}

/// Unmaps the bytes and frees the handle. NULL is fine.
///
/// # Safety
/// `file` is NULL, or a file that is open, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_file_close(file: *mut oh_binding_file) {
    // SAFETY: `oh_binding_file_open` made it, and the caller does not use it again.
    guard_value((), || unsafe { take_back(file) });
}

/// Whether this process may make `count` more memory mappings and then have no more than `percent`
/// hundredths of what the system allows one (Linux: `vm.max_map_count`, 65,530 by default). If so
/// they count as made. For programs that keep many small mappings beside a library that can not
/// bear to be refused one. Always true where the system has no such limit, or does not say. Each
/// mapped file takes one.
///
/// # Safety
/// `granted` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_mappings_reserve(
    count: usize,
    percent: u32,
    granted: *mut bool,
) -> oh_status {
    // SAFETY: the caller vouches for `granted`.
    unsafe { guard_out(granted, || Ok(reserve(count, percent))) }
}

/// How many files are mapped in this process: for tests that look for leaks.
#[unsafe(no_mangle)]
pub extern "C" fn oh_binding_file_mappings() -> usize {
    guard_value(0, live_mappings)
}
