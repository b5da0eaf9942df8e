//! Files in memory: `oh_mappedfile`, which owns its memory. A runtime that manages its own memory
//! uses `oh_binding_openfile` instead.

use crate::access::{oh_strategy, pattern_of, strategy_number, thresholds};
use crate::args::{check_pointer, numbers, read_path, slice_mut, total};
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, take_back};
use crate::options::{Flag, option_struct, read_optional_struct};
use crate::status::oh_status;
use offheap_core::Result;
use offheap_core::mmap::file::Mode;
use offheap_core::mmap::mapped_file::{MappedFile, Options};
use std::ffi::{c_char, c_void};

/// How to open a file. Set all bytes to 0, and then `struct_size` and `strategy`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_mappedfile_options {
    /// `sizeof(oh_mappedfile_options)`
    pub struct_size: usize,
    /// An `oh_strategy`; `OH_STRATEGY_AUTO` chooses by the size of the file.
    pub strategy: u32,
    /// An `oh_pattern`.
    pub pattern: u32,
    /// Open the file for writing as well: stores reach the file.
    pub writable: Flag,
    /// Read all pages into memory before the function returns.
    pub populate: Flag,
    /// Keep all pages in memory.
    pub lock: Flag,
    /// Files up to this size in bytes are read instead of mapped; 0 means 64 KiB.
    pub buffered_up_to: u64,
    /// Huge pages are requested for files from this size in bytes on; 0 means 16 MiB.
    pub huge_from: u64,
}
option_struct!(oh_mappedfile_options, through huge_from: u64);

/// # Safety
/// As for [`read_optional_struct`].
unsafe fn read_options(options: *const oh_mappedfile_options) -> Result<Options> {
    // SAFETY: the caller guarantees the same.
    let Some(given) = (unsafe { read_optional_struct(options, "options") })? else {
        return Ok(Options::default());
    };
    Ok(Options {
        mode: if given.writable.is_set() { Mode::Write } else { Mode::Read },
        pattern: pattern_of(given.pattern)?,
        populate: given.populate.is_set(),
        lock: given.lock.is_set(),
        thresholds: thresholds(given.strategy, given.buffered_up_to, given.huge_from)?,
    })
}

/// A file in memory. Created by `oh_mappedfile_open`, freed by `oh_mappedfile_close`.
pub struct oh_mappedfile(MappedFile);

unsafe fn mapped<'a>(file: *const oh_mappedfile) -> Result<&'a MappedFile> {
    check_pointer(file, "file")?;
    // SAFETY: not null and aligned; the caller guarantees the handle.
    Ok(unsafe { &(*file).0 })
}

/// Opens the regular file at `path` (`path_length` bytes; UTF-8 on Windows) and makes its bytes
/// accessible, in the way that suits its size. `options` may be NULL.
///
/// If another process truncates a mapped file, the lost bytes read as zeros, and
/// `oh_mappedfile_check` fails from then on. For that, the first call installs a handler for SIGBUS
/// on Unix, which passes all other signals on to the previous handler.
///
/// `OH_ERR_IO` if the system refuses, or the file is not a regular one; `OH_ERR_OOM` if there is no
/// memory or address space; `OH_ERR_FULL` if it is to be locked and the limit does not allow it, or
/// if it is to be written and the disk has no room for its holes.
///
/// # Safety
/// `path_length` bytes at `path` are readable; `options` is NULL, or points to as many readable
/// bytes as its `struct_size` says; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_open(
    path: *const c_char,
    path_length: usize,
    options: *const oh_mappedfile_options,
    out: *mut *mut oh_mappedfile,
) -> oh_status {
    // SAFETY: the caller guarantees that `path_length` bytes at `path` are readable, `options` is
    // NULL or valid, and that `out` is writable.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let options = read_options(options)?;
            hand_out(|| MappedFile::open(&path, &options).map(oh_mappedfile))
        })
    }
}

/// Returns the address of the bytes; NULL for NULL. It is valid until `oh_mappedfile_refresh` or
/// `oh_mappedfile_close`. Store to them only if the file was opened for writing.
///
/// # Safety
/// `file` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_data(file: *const oh_mappedfile) -> *mut c_void {
    guard_value(std::ptr::null_mut(), || {
        // SAFETY: the caller guarantees that `file` is NULL or open.
        unsafe { file.as_ref() }.map_or(std::ptr::null_mut(), |file| file.0.bytes().0.cast())
    })
}

/// Returns the number of bytes; 0 for NULL.
///
/// # Safety
/// `file` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_size(file: *const oh_mappedfile) -> usize {
    guard_value(0, || {
        // SAFETY: the caller guarantees that `file` is NULL or open.
        unsafe { file.as_ref() }.map_or(0, |file| file.0.bytes().1)
    })
}

/// Returns how the bytes are actually accessed, which may differ from the requested strategy.
///
/// # Safety
/// `file` is open, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_strategy(
    file: *const oh_mappedfile,
    out: *mut oh_strategy,
) -> oh_status {
    // SAFETY: the caller guarantees that `file` is open, and that `out` is writable.
    unsafe { guard_out(out, || Ok(strategy_number(mapped(file)?.strategy()))) }
}

/// Checks that no bytes were lost. `OH_ERR_IO` if the file was truncated or could not be read, so
/// that some bytes were replaced by zeros. This is a system call: check before and after work on
/// many bytes.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_check(file: *const oh_mappedfile) -> oh_status {
    // SAFETY: the caller guarantees that `file` is open.
    guard(|| unsafe { mapped(file) }?.check())
}

/// Copies `length` bytes from `offset` on to `target`. `OH_ERR_RANGE` if there are fewer;
/// `OH_ERR_IO` if some of them were lost.
///
/// # Safety
/// `file` is open; `length` bytes at `target` are writable and not the file's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_read(
    file: *const oh_mappedfile,
    offset: u64,
    length: usize,
    target: *mut c_void,
) -> oh_status {
    // SAFETY: the caller guarantees that `file` is open and that `length` bytes at `target` are
    // writable and not the file's own.
    guard(|| unsafe { mapped(file)?.read(offset, slice_mut(target.cast(), length, "target")?) })
}

/// Copies `length` bytes from each of `count` offsets to `target`, one after another. `offset_type`
/// is the numeric `oh_type` of the offsets. This is many times faster than one by one, because the
/// cache misses overlap. `OH_ERR_RANGE`, with nothing written, if fewer than `length` bytes follow
/// an offset; `OH_ERR_IO` if the file was truncated before or during the call.
///
/// # Safety
/// `file` is open; `count` elements at `offsets` are readable; `count * length` bytes at `target`
/// are writable and not the file's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_read_many(
    file: *const oh_mappedfile,
    offsets: *const c_void,
    offset_type: u32,
    count: usize,
    length: usize,
    target: *mut c_void,
) -> oh_status {
    guard(|| {
        let bytes = total(count, length)?;
        // SAFETY: the caller guarantees that `file` is open, that `count` elements at `offsets` are
        // readable, that `count * length` bytes at `target` are writable and not the file's own.
        unsafe {
            let offsets = numbers(offsets, offset_type, count, "offsets")?;
            mapped(file)?.read_many(&offsets, length, slice_mut(target.cast(), bytes, "target")?)
        }
    })
}

/// Tells the system how the file will be accessed from now on, by an `oh_pattern`.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_advise(file: *const oh_mappedfile, pattern: u32) -> oh_status {
    guard(|| {
        // Whether the system listened is its affair.
        // SAFETY: the caller guarantees that `file` is open.
        unsafe { mapped(file)?.advise(pattern_of(pattern)?) };
        Ok(())
    })
}

/// Starts to read a part of the file into memory, without waiting. `OH_ERR_RANGE` past the end of
/// the file.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_prefetch(
    file: *const oh_mappedfile,
    offset: u64,
    length: u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `file` is open.
    guard(|| unsafe { mapped(file)?.prefetch(offset, length).map(|_| ()) })
}

/// Keeps the bytes in memory. `OH_ERR_FULL` if that exceeds the limit, which the message names.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_lock(file: *const oh_mappedfile) -> oh_status {
    // SAFETY: the caller guarantees that `file` is open.
    guard(|| unsafe { mapped(file) }?.lock())
}

/// Reverts `oh_mappedfile_lock`.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_unlock(file: *const oh_mappedfile) -> oh_status {
    // SAFETY: the caller guarantees that `file` is open.
    guard(|| unsafe { mapped(file) }?.unlock())
}

/// Writes all changes to the disk, and waits for it. `OH_ERR_UNSUPPORTED` if the file was opened
/// for reading.
///
/// # Safety
/// `file` is open, and no thread stores to its bytes at the same time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_flush(file: *const oh_mappedfile) -> oh_status {
    // SAFETY: the caller guarantees that `file` is open, and nobody stores to it meanwhile.
    guard(|| unsafe { mapped(file) }?.flush())
}

/// Maps or reads the file again after it became longer or was rewritten. `*size` becomes its size.
///
/// # Safety
/// `file` is open and used by no other thread at the same time; `size` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_refresh(file: *mut oh_mappedfile, size: *mut u64) -> oh_status {
    // SAFETY: the caller guarantees that `file` is open and used by no other thread at the same
    // time and that `size` is writable.
    unsafe {
        guard_out(size, || {
            check_pointer(file, "file")?;
            (*file).0.refresh()
        })
    }
}

/// Closes the file and frees its memory. NULL is allowed.
///
/// # Safety
/// `file` is NULL, or open and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_close(file: *mut oh_mappedfile) {
    // SAFETY: the caller guarantees that `file` is NULL, or open and not used again.
    guard_value((), || unsafe { take_back(file) });
}
