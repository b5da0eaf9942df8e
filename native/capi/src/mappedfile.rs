//! Files in memory: `oh_mappedfile`, which owns its memory. A runtime that has memory of its own
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

/// How a file is opened. Zero it, and set `struct_size` and `strategy`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_mappedfile_options {
    /// `sizeof(oh_mappedfile_options)`
    pub struct_size: usize,
    /// An `oh_strategy`; `OH_STRATEGY_AUTO` chooses by size.
    pub strategy: u32,
    /// An `oh_pattern`.
    pub pattern: u32,
    /// Open it for writing as well: what is stored reaches the file.
    pub writable: Flag,
    /// Have all pages in memory before it returns.
    pub populate: Flag,
    /// Keep them there.
    pub lock: Flag,
    /// Files up to this many bytes are read rather than mapped; 0: 64 KiB.
    pub buffered_up_to: u64,
    /// Files from this many bytes on are asked to use huge pages; 0: 16 MiB.
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

/// A file in memory: made by `oh_mappedfile_open`, freed by `oh_mappedfile_close`.
pub struct oh_mappedfile(MappedFile);

unsafe fn mapped<'a>(file: *const oh_mappedfile) -> Result<&'a MappedFile> {
    check_pointer(file, "file")?;
    // SAFETY: not null and aligned; the caller vouches for the handle.
    Ok(unsafe { &(*file).0 })
}

/// Brings the regular file at `path` into memory, in the way that suits its size. `options` may be
/// NULL.
///
/// If someone else cuts a mapped file short, what is gone reads as zeros (a handler for SIGBUS sees
/// to that, as for `oh_binding_file_open`), and `oh_mappedfile_check` fails from then on.
///
/// `OH_ERR_IO` if the system refuses or it is no regular file; `OH_ERR_OOM`; `OH_ERR_FULL` if it is
/// to be locked and the limit does not allow it, or to be written and the disk has no room for its
/// holes.
///
/// # Safety
/// `path_length` bytes at `path` are readable, `options` is NULL or valid, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_open(
    path: *const c_char,
    path_length: usize,
    options: *const oh_mappedfile_options,
    out: *mut *mut oh_mappedfile,
) -> oh_status {
    // SAFETY: the caller's.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let options = read_options(options)?;
            hand_out(|| MappedFile::open(&path, &options).map(oh_mappedfile))
        })
    }
}

/// The bytes: good until `oh_mappedfile_refresh` or `oh_mappedfile_close`. Store to them only if
/// the file was opened for writing.
///
/// # Safety
/// `file` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_data(file: *const oh_mappedfile) -> *mut c_void {
    guard_value(std::ptr::null_mut(), || {
        // SAFETY: the caller's.
        unsafe { file.as_ref() }.map_or(std::ptr::null_mut(), |file| file.0.bytes().0.cast())
    })
}

/// How many bytes there are. 0 for NULL.
///
/// # Safety
/// `file` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_size(file: *const oh_mappedfile) -> usize {
    guard_value(0, || {
        // SAFETY: the caller's.
        unsafe { file.as_ref() }.map_or(0, |file| file.0.bytes().1)
    })
}

/// How the bytes are reached: what was obtained, not what was asked for.
///
/// # Safety
/// `file` is open, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_strategy(
    file: *const oh_mappedfile,
    out: *mut oh_strategy,
) -> oh_status {
    // SAFETY: the caller's.
    unsafe { guard_out(out, || Ok(strategy_number(mapped(file)?.strategy()))) }
}

/// `OH_ERR_IO` if the file was cut short, or could not be read, so that zeros take the place of
/// some bytes. It asks the system for the file's size: look before and after work on many bytes.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_check(file: *const oh_mappedfile) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { mapped(file) }?.check())
}

/// Copies `length` bytes from `offset` on. `OH_ERR_RANGE` if there are not so many; `OH_ERR_IO` if
/// some of them are gone.
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
    // SAFETY: the caller's.
    guard(|| unsafe { mapped(file)?.read(offset, slice_mut(target.cast(), length, "target")?) })
}

/// Copies `length` bytes from each of `count` offsets, of an `oh_type`, one after another to
/// `target`: many times as fast as one by one, because their waits for memory overlap.
/// `OH_ERR_RANGE`, with nothing written, for an offset that has fewer bytes behind it; `OH_ERR_IO`
/// if the file was cut short before or meanwhile.
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
        // SAFETY: the caller's.
        unsafe {
            let offsets = numbers(offsets, offset_type, count, "offsets")?;
            mapped(file)?.read_many(&offsets, length, slice_mut(target.cast(), bytes, "target")?)
        }
    })
}

/// Tells the system how the file will be read from now on, an `oh_pattern`.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_advise(file: *const oh_mappedfile, pattern: u32) -> oh_status {
    guard(|| {
        // Whether the system listened is its affair.
        // SAFETY: the caller's.
        unsafe { mapped(file)?.advise(pattern_of(pattern)?) };
        Ok(())
    })
}

/// Has the system begin to read a part of the file. `OH_ERR_RANGE` past its end.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_prefetch(
    file: *const oh_mappedfile,
    offset: u64,
    length: u64,
) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { mapped(file)?.prefetch(offset, length).map(|_| ()) })
}

/// Keeps the bytes in memory. `OH_ERR_FULL` past the limit, which the message names.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_lock(file: *const oh_mappedfile) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { mapped(file) }?.lock())
}

/// Undoes `oh_mappedfile_lock`.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_unlock(file: *const oh_mappedfile) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { mapped(file) }?.unlock())
}

/// Returns when what was stored is on the disk. `OH_ERR_UNSUPPORTED` if the file was opened to be
/// read.
///
/// # Safety
/// `file` is open, and nobody stores to it meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_flush(file: *const oh_mappedfile) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { mapped(file) }?.flush())
}

/// Takes in that the file became longer, or was written anew. Gives the size.
///
/// # Safety
/// `file` is open and used by no one else meanwhile; `size` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_refresh(file: *mut oh_mappedfile, size: *mut u64) -> oh_status {
    // SAFETY: the caller's.
    unsafe {
        guard_out(size, || {
            check_pointer(file, "file")?;
            (*file).0.refresh()
        })
    }
}

/// Frees the handle and its memory. NULL is fine.
///
/// # Safety
/// `file` is NULL, or open and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_close(file: *mut oh_mappedfile) {
    // SAFETY: the caller's.
    guard_value((), || unsafe { take_back(file) });
}
