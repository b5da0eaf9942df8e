//! Files for memory of the caller's (`oh_binding_openfile`): a runtime reads them into, or lays
//! them into, buffers that it manages. And what can be done with such memory (`oh_memory_…`).

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

/// A file that a runtime brings into buffers of its own: made by `oh_binding_openfile_open`, freed
/// by `oh_binding_openfile_close`.
pub struct oh_binding_openfile {
    file: OpenFile,
    window: Option<Window>,
}

unsafe fn open<'a>(file: *const oh_binding_openfile) -> Result<&'a OpenFile> {
    check_pointer(file, "file")?;
    // SAFETY: not null and aligned; the caller vouches for the handle.
    Ok(unsafe { &(*file).file })
}

/// Opens the regular file at `path`. `strategy` and the limits are those of
/// `oh_mappedfile_options`.
///
/// # Safety
/// `path_length` bytes at `path` are readable, `out` is writable.
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
    // SAFETY: the caller's.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let limits = thresholds(strategy, buffered_up_to, huge_from)?;
            let mode = if writable { Mode::Write } else { Mode::Read };
            hand_out(|| Ok(oh_binding_openfile { file: OpenFile::open(&path, mode, limits)?, window: None }))
        })
    }
}

/// What there is and what to do with it: the size in bytes, a strategy (`OH_STRATEGY_HUGEPAGE` is a
/// wish), and what the address of a mapping should be a multiple of, for huge pages; 1 where any
/// page will do. With `look`, the file's size is asked for again.
///
/// # Safety
/// `file` is open and used by no one else meanwhile; the outputs are writable.
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
        // SAFETY: not null and aligned; the rest is the caller's word.
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

/// Reads the first `length` bytes to `target`. `OH_ERR_IO` if the file has become shorter.
///
/// # Safety
/// `file` is open; `length` bytes at `target` are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_read(
    file: *const oh_binding_openfile,
    target: *mut c_void,
    length: usize,
) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { open(file)?.read(check_bytes(target, length, "target")?.cast_mut(), length) })
}

/// Writes `length` bytes to the beginning of the file. `OH_ERR_UNSUPPORTED` if it was opened to be
/// read.
///
/// # Safety
/// `file` is open; `length` bytes at `source` are readable, and nobody writes them meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_write(
    file: *const oh_binding_openfile,
    source: *const c_void,
    length: usize,
) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { open(file)?.write(check_bytes(source, length, "source")?, length) })
}

/// Lays the first `length` bytes of the file at `base`, in place of what is mapped there, and tells
/// which strategy came of it. Called again with the same base and a larger `length`, it lays what
/// is missing. With another base, it lays all of it there, and forgets the mapping of before once
/// that was done. If the file is not open for writing, stores stay in this memory. `capacity`
/// bytes, whole pages, belong to the file from then on. The last page of them is replaced by zeros
/// but for its last 8 bytes, which tell whether the memory is still there: do not write to those.
/// In return, reads of what the file loses give zeros for as long as the memory is there.
///
/// `OH_ERR_UNSUPPORTED` where the system can not do it; `OH_ERR_RANGE` for a base that is no
/// multiple of the page size; `OH_ERR_FULL` past `capacity`, or where the disk has no room for
/// holes. A mapping of before is as it was then.
///
/// # Safety
/// `file` is open and used by no one else meanwhile. `capacity` bytes at `base` are mapped, and
/// given up by their owner, who frees them by unmapping the whole.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_map(
    file: *mut oh_binding_openfile,
    base: *mut c_void,
    capacity: usize,
    length: usize,
    strategy: *mut oh_strategy,
) -> oh_status {
    // SAFETY: the caller's.
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

/// Maps what is missing in the window at `base`. One that is elsewhere stays until a new one is
/// there, so that a refusal leaves it watched.
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
            // SAFETY: the caller's.
            let mut made = unsafe { Window::within(base, capacity, offset, access) }?;
            map(&mut made)?;
            *window = Some(made);
            Ok(())
        }
    }
}

/// The word that becomes non-zero once a part of the mapping could not be read: read it atomically.
/// It stays where it is until the file is closed. NULL before it is mapped.
///
/// # Safety
/// `file` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_status(file: *const oh_binding_openfile) -> *const i32 {
    guard_value(std::ptr::null(), || {
        // SAFETY: the caller's.
        let window = unsafe { file.as_ref() }.and_then(|file| file.window.as_ref());
        window.map_or(std::ptr::null(), |window| AtomicI32::as_ptr(window.status()).cast_const())
    })
}

/// `OH_ERR_IO` if the file is shorter now than what is mapped of it, or some of that could not be
/// read, so that zeros take its place. It asks the system for the file's size: look before and
/// after work on many bytes.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_check(file: *const oh_binding_openfile) -> oh_status {
    guard(|| {
        // SAFETY: the caller's.
        let file = unsafe {
            check_pointer(file, "file")?;
            &*file
        };
        file.window.as_ref().map_or(Ok(()), |window| file.file.check(window))
    })
}

/// Forgets the mapping, which stays as it is: its owner frees it.
///
/// # Safety
/// `file` is NULL, or open and used by no one else meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_forget(file: *mut oh_binding_openfile) {
    guard_value((), || {
        // SAFETY: the caller's.
        if let Some(file) = unsafe { file.as_mut() } {
            file.window = None;
        }
    });
}

/// Returns when what was stored is on the disk. `OH_ERR_UNSUPPORTED` if the file was opened to be
/// read.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_sync(file: *const oh_binding_openfile) -> oh_status {
    guard(|| {
        // SAFETY: the caller's.
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

/// Closes the file. Its mapping stays. NULL is fine.
///
/// # Safety
/// `file` is NULL, or open and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_openfile_close(file: *mut oh_binding_openfile) {
    // SAFETY: the caller's.
    guard_value((), || unsafe { take_back(file) });
}
