//! Files in memory that a runtime manages (`oh_binding_openfile`): they are read or mapped into its
//! buffers.

use crate::access::{oh_strategy, strategy_number, thresholds};
use crate::args::{check_bytes, check_pointer, read_path};
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, take_back};
use crate::status::oh_status;
use offheap_core::Result;
use offheap_core::mmap::file::Mode;
use offheap_core::mmap::mapping::{Access, Window};
use offheap_core::mmap::source::OpenFile;
use std::ffi::{c_char, c_void};
use std::sync::atomic::AtomicI32;

/// An open file that a runtime maps or reads into buffers that it manages. Created by
/// `oh_binding_openfile_open`, freed by `oh_binding_openfile_close`.
pub struct oh_binding_openfile {
    file: OpenFile,
    window: Option<Window>,
}

unsafe fn open<'a>(file: *const oh_binding_openfile) -> Result<&'a OpenFile> {
    check_pointer(file, "file")?;
    // SAFETY: not null and aligned; the caller guarantees the handle.
    Ok(unsafe { &(*file).file })
}

/// Opens the regular file at `path`. `strategy` and the limits are those of
/// `oh_mappedfile_options`; the errors are those of `oh_mappedfile_open`.
///
/// # Safety
/// `path_length` bytes at `path` are readable; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_open(
    path: *const c_char,
    path_length: usize,
    writable: bool,
    strategy: u32,
    buffered_up_to: u64,
    huge_from: u64,
    out: *mut *mut oh_binding_openfile,
) -> oh_status {
    // SAFETY: the caller guarantees that `path_length` bytes at `path` are readable, `out` is
    // writable.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let limits = thresholds(strategy, buffered_up_to, huge_from)?;
            let mode = if writable { Mode::Write } else { Mode::Read };
            hand_out(|| Ok(oh_binding_openfile { file: OpenFile::open(&path, mode, limits)?, window: None }))
        })
    }
}

/// Returns how to access the file: its size in bytes, a strategy (`OH_STRATEGY_HUGEPAGE` is only a
/// request), and the alignment that the address of a mapping should have for huge pages; 1 if any
/// page is suitable. With `look`, the size is read from the system again.
///
/// # Safety
/// `file` is open and used by no other thread at the same time; `size`, `strategy` and `alignment`
/// are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_plan(
    file: *mut oh_binding_openfile,
    look: bool,
    size: *mut u64,
    strategy: *mut oh_strategy,
    alignment: *mut usize,
) -> oh_status {
    guard(|| {
        check_pointer(file, "file")?;
        check_pointer(size, "size")?;
        check_pointer(strategy, "strategy")?;
        check_pointer(alignment, "alignment")?;
        // SAFETY: not null and aligned; the caller guarantees the rest.
        unsafe {
            let file = &mut (*file).file;
            if look {
                file.update_size()?;
            }
            size.write(file.size());
            strategy.write(strategy_number(file.plan()));
            alignment.write(file.alignment());
        }
        Ok(())
    })
}

/// Reads the first `length` bytes of the file to `target`. `OH_ERR_IO` if the file became shorter.
///
/// # Safety
/// `file` is open; `length` bytes at `target` are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_read(
    file: *const oh_binding_openfile,
    target: *mut c_void,
    length: usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `file` is open and that `length` bytes at `target` are
    // writable.
    guard(|| unsafe { open(file)?.read(check_bytes(target, length, "target")?.cast_mut(), length) })
}

/// Writes `length` bytes to the beginning of the file. `OH_ERR_UNSUPPORTED` if it was opened for
/// reading.
///
/// # Safety
/// `file` is open; `length` bytes at `source` are readable, and no thread writes them at the same
/// time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_write(
    file: *const oh_binding_openfile,
    source: *const c_void,
    length: usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `file` is open and that `length` bytes at `source` are
    // readable, and nobody writes them meanwhile.
    guard(|| unsafe { open(file)?.write(check_bytes(source, length, "source")?, length) })
}

/// Maps the first `length` bytes of the file at `base`, replacing whatever is mapped there, and
/// returns the strategy obtained. A second call with the same base and a larger `length` maps the
/// missing part. A call with another base maps everything there, and detaches the previous mapping
/// once that succeeded. If the file is not open for writing, stores stay in this memory.
///
/// `capacity` bytes, whole pages, belong to the file from then on. Their last page is replaced by
/// zeros except for its last 8 bytes, which indicate whether the memory still exists: do not write
/// to these. In return, lost bytes of the file read as zeros for as long as the memory exists.
///
/// `OH_ERR_UNSUPPORTED` if the system cannot do it; `OH_ERR_RANGE` for a base that is not a
/// multiple of the page size; `OH_ERR_FULL` past `capacity`, or if the disk has no room for holes.
/// After an error, the previous mapping is unchanged.
///
/// # Safety
/// `file` is open and used by no other thread at the same time; `capacity` bytes at `base` are
/// mapped, and their owner does not use their previous contents and frees them by unmapping all of
/// them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_map(
    file: *mut oh_binding_openfile,
    base: *mut c_void,
    capacity: usize,
    length: usize,
    strategy: *mut oh_strategy,
) -> oh_status {
    // SAFETY: the caller guarantees that `file` is open and used by no other thread at the same
    // time, and that `capacity` bytes at `base` are mapped, and given up by their owner, who frees
    // them by unmapping the whole.
    unsafe {
        guard_out(strategy, || {
            check_pointer(file, "file")?;
            let oh_binding_openfile { file, window } = &mut *file;
            let access = if file.is_writable() { Access::Write } else { Access::Private };
            map_at(window, base.cast(), capacity, 0, access, |window| file.map(window, length))?;
            Ok(strategy_number(file.obtained(base.cast(), length)))
        })
    }
}

/// Maps the missing part of the window at `base`. If the current window is at another address, it
/// stays until a new one exists, so that it remains watched after an error.
///
/// # Safety
/// As for `oh_binding_openfile_map`.
pub(crate) unsafe fn map_at(
    window: &mut Option<Window>,
    base: *mut u8,
    capacity: usize,
    offset: u64,
    access: Access,
    map: impl FnOnce(&mut Window) -> Result<()>,
) -> Result<()> {
    match window {
        Some(window) if window.base() == base => map(window),
        _ => {
            // SAFETY: the caller guarantees that `file` is open and used by no other thread at the
            // same time, and that `capacity` bytes at `base` are mapped, and given up by their
            // owner, who frees them by unmapping the whole.
            let mut made = unsafe { Window::within(base, capacity, offset, access) }?;
            map(&mut made)?;
            *window = Some(made);
            Ok(())
        }
    }
}

/// Returns the address of a word that becomes non-zero when a part of the mapping could not be
/// read; NULL for NULL, and before the file is mapped. Read it atomically. It stays readable until
/// the file is closed.
///
/// # Safety
/// `file` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_status(file: *const oh_binding_openfile) -> *const i32 {
    guard_value(std::ptr::null(), || {
        // SAFETY: the caller guarantees that `file` is NULL or open.
        let window = unsafe { file.as_ref() }.and_then(|file| file.window.as_ref());
        window.map_or(std::ptr::null(), |window| AtomicI32::as_ptr(window.status()).cast_const())
    })
}

/// Checks that no bytes were lost. `OH_ERR_IO` if the file is shorter now than its mapped part, or
/// some of that could not be read, so that zeros replaced it. This is a system call: check before
/// and after work on many bytes.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_check(file: *const oh_binding_openfile) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `file` is open.
        let file = unsafe {
            check_pointer(file, "file")?;
            &*file
        };
        file.window.as_ref().map_or(Ok(()), |window| file.file.check(window))
    })
}

/// Detaches the mapping, which stays as it is until its owner frees it.
///
/// # Safety
/// `file` is NULL, or open and used by no other thread at the same time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_forget(file: *mut oh_binding_openfile) {
    guard_value((), || {
        // SAFETY: the caller guarantees that `file` is NULL, or open and used by no one else
        // meanwhile.
        if let Some(file) = unsafe { file.as_mut() } {
            file.window = None;
        }
    });
}

/// Writes all changes to the disk, and waits for it. `OH_ERR_UNSUPPORTED` if the file was opened
/// for reading.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_sync(file: *const oh_binding_openfile) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `file` is open.
        let file = unsafe {
            check_pointer(file, "file")?;
            &*file
        };
        if let Some(window) = &file.window {
            window.sync()?;
        }
        file.file.sync()
    })
}

/// Closes the file. Its mapping stays. NULL is allowed.
///
/// # Safety
/// `file` is NULL, or open and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_close(file: *mut oh_binding_openfile) {
    // SAFETY: the caller guarantees that `file` is NULL, or open and not used again.
    guard_value((), || unsafe { take_back(file) });
}
