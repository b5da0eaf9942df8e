//! The file of a vector in memory that a runtime manages (`oh_binding_vectorfile`): like
//! [`super::openfile`], with commits.

use super::openfile::map_at;
use crate::args::{check_pointer, numeric_type, read_path};
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, take_back};
use crate::status::oh_status;
use offheap_core::mmap::commit::DATA_OFFSET;
use offheap_core::mmap::file::{Mode, VectorFile};
use offheap_core::mmap::mapping::{Access, Window};
use offheap_core::{Error, ErrorKind, Result};
use std::ffi::{c_char, c_void};
use std::sync::atomic::AtomicI32;

/// The file of an `oh_mmapvector`, for a runtime that maps its elements into memory that it
/// manages. Created by `oh_binding_vectorfile_create` or `oh_binding_vectorfile_open`, freed by
/// `oh_binding_vectorfile_close`. Its user must follow the rule of the format: never store to an
/// element that is covered by the latest commit or by one in progress.
pub struct oh_binding_vectorfile {
    file: VectorFile,
    window: Option<Window>,
}

/// The type and the size of a vector in a file.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_binding_vectorfile_info {
    /// Type of the elements, an `oh_type`.
    pub element_type: u32,
    /// Whether the last commit before the file was opened was incomplete, so that the previous one
    /// is in effect.
    pub recovered: bool,
    /// Number of committed elements.
    pub committed: u64,
}

unsafe fn vector_file<'a>(file: *const oh_binding_vectorfile) -> Result<&'a VectorFile> {
    check_pointer(file, "file")?;
    // SAFETY: not null and aligned; the caller guarantees the handle. Only this field is borrowed.
    Ok(unsafe { &(*file).file })
}

/// Like `oh_mmapvector_create`, without mapping the elements.
///
/// # Safety
/// `path_length` bytes at `path` are readable; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_vectorfile_create(
    path: *const c_char,
    path_length: usize,
    element_type: u32,
    out: *mut *mut oh_binding_vectorfile,
) -> oh_status {
    // SAFETY: the caller guarantees that `path_length` bytes at `path` are readable, `out` is
    // writable.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let ty = numeric_type(element_type)?;
            hand_out(|| Ok(oh_binding_vectorfile { file: VectorFile::create(&path, ty)?, window: None }))
        })
    }
}

/// Like `oh_mmapvector_open`, without mapping the elements.
///
/// # Safety
/// `path_length` bytes at `path` are readable; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_vectorfile_open(
    path: *const c_char,
    path_length: usize,
    writable: bool,
    out: *mut *mut oh_binding_vectorfile,
) -> oh_status {
    // SAFETY: the caller guarantees that `path_length` bytes at `path` are readable, `out` is
    // writable.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let mode = if writable { Mode::Write } else { Mode::Read };
            hand_out(|| Ok(oh_binding_vectorfile { file: VectorFile::open(&path, mode)?, window: None }))
        })
    }
}

/// Returns the type and the size of the vector.
///
/// # Safety
/// `file` is open, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_vectorfile_get_info(
    file: *const oh_binding_vectorfile,
    out: *mut oh_binding_vectorfile_info,
) -> oh_status {
    // SAFETY: the caller guarantees that `file` is open, and that `out` is writable.
    unsafe {
        guard_out(out, || {
            let journal = vector_file(file)?.journal();
            Ok(oh_binding_vectorfile_info {
                element_type: journal.element_type() as u32,
                recovered: journal.recovered(),
                committed: journal.latest().length,
            })
        })
    }
}

/// Allocates disk blocks for `length` elements in total (a writer only), and maps them at `base`,
/// replacing whatever is mapped there. A second call with the same base and a larger `length` maps
/// the missing part. `capacity` is that of `oh_binding_openfile_map`. Stores of a reader stay in
/// its memory.
///
/// `OH_ERR_FULL` if the disk is full or `capacity` too small; then nothing has changed.
///
/// # Safety
/// As for `oh_binding_openfile_map`; other threads may commit at the same time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_vectorfile_map(
    file: *mut oh_binding_vectorfile,
    base: *mut c_void,
    capacity: usize,
    length: u64,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller's; the two fields are borrowed apart, because another thread may be
        // committing.
        unsafe {
            let inner = vector_file(file)?;
            let access = if inner.is_writable() { Access::Write } else { Access::Private };
            let bytes = inner.journal().bytes_for(length)? - DATA_OFFSET;
            let bytes =
                usize::try_from(bytes).map_err(|_| Error::new(ErrorKind::Oom, "the file is too large"))?;
            if bytes > capacity {
                return Err(Error::full(format!("{bytes} bytes do not fit into {capacity}")));
            }
            if inner.is_writable() {
                inner.allocate(length)?;
            }
            map_at(&mut (*file).window, base.cast(), capacity, DATA_OFFSET, access, |window| {
                window.grow(inner.file(), bytes)
            })
        }
    })
}

/// Like `oh_binding_openfile_status`.
///
/// # Safety
/// `file` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_vectorfile_status(file: *const oh_binding_vectorfile) -> *const i32 {
    guard_value(std::ptr::null(), || {
        if file.is_null() {
            return std::ptr::null();
        }
        // SAFETY: the caller's; only this field is borrowed.
        let window = unsafe { &(*file).window };
        window.as_ref().map_or(std::ptr::null(), |window| AtomicI32::as_ptr(window.status()).cast_const())
    })
}

/// Like `oh_binding_openfile_forget`.
///
/// # Safety
/// As for `oh_binding_openfile_forget`; other threads may commit at the same time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_vectorfile_forget(file: *mut oh_binding_vectorfile) {
    guard_value((), || {
        if !file.is_null() {
            // SAFETY: the caller's; only this field is borrowed.
            unsafe { (*file).window = None };
        }
    });
}

/// Makes the first `length` elements durable, and waits for it: they survive a crash. Any thread
/// may call it, one at a time. No thread may store to these elements at the same time.
///
/// `OH_ERR_IO` if the disk refuses, or the file was truncated. The handle is unusable then; open
/// the file again to see which elements were saved.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_vectorfile_commit(
    file: *const oh_binding_vectorfile,
    length: u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `file` is open.
    guard(|| unsafe { vector_file(file) }?.commit(length).map(|_| ()))
}

/// Tells the system that the contents past the first `length` elements are not needed, so that it
/// can reuse their pages; the disk blocks stay allocated. For a writer. This is only a request,
/// whose outcome is not reported.
///
/// # Safety
/// `file` is open; no commit, past or in progress, covers more than `length` elements; no thread
/// stores to later elements at the same time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_vectorfile_discard(
    file: *const oh_binding_vectorfile,
    length: u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `file` is open, and that no commit, made or under way,
    // covers more than `length` elements, and no thread stores past them.
    guard(|| unsafe { vector_file(file) }?.discard(length))
}

/// Looks for newer commits of the writer. For a reader. `*committed` becomes the number of
/// committed elements.
///
/// # Safety
/// `file` is open, `committed` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_vectorfile_refresh(
    file: *const oh_binding_vectorfile,
    committed: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `file` is open, and that `committed` is writable.
    unsafe { guard_out(committed, || Ok(vector_file(file)?.refresh()?.length)) }
}

/// Compares the committed elements with their checksum. `OH_ERR_CORRUPT` if it does not match.
/// Takes time proportional to the size of the file.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_vectorfile_validate(file: *const oh_binding_vectorfile) -> oh_status {
    // SAFETY: the caller guarantees that `file` is open.
    guard(|| unsafe { vector_file(file) }?.journal().validate())
}

/// Closes the file. Its mapping stays. NULL is allowed.
///
/// # Safety
/// `file` is NULL, or open and not used again, by this thread or another.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_vectorfile_close(file: *mut oh_binding_vectorfile) {
    // SAFETY: the caller guarantees that `file` is NULL, or open and not used again, by this thread
    // or another.
    guard_value((), || unsafe { take_back(file) });
}
