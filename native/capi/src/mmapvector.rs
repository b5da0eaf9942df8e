//! The vector in a file: an opaque handle over the core's `RawMmapVector`.
//!
//! Elements pass by address, as `oh_type_width(type)` bytes in memory.

use crate::access::{OH_ADVICE_RANDOM, OH_ADVICE_SEQUENTIAL};
use crate::args::{check_pointer, numeric_type, read_path};
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, take_back};
use crate::options::{Flag, option_struct, read_optional_struct};
use crate::status::oh_status;
use crate::types::oh_type;
use offheap_core::mmap::vector::{Mode, Options, RawMmapVector};
use offheap_core::region::advise::Advice;
use offheap_core::region::element::Type;
use offheap_core::{Error, Result};
use std::ffi::{c_char, c_void};

/// A vector in a file: made by `oh_mmapvector_create` or `oh_mmapvector_open`, freed by
/// `oh_mmapvector_close`. One handle may write; others, in this process or in others, may read what
/// it flushed.
pub struct oh_mmapvector(RawMmapVector);

/// How a vector uses its file. Zero it, set `struct_size`, and what you want to change.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_mmapvector_options {
    /// `sizeof(oh_mmapvector_options)`
    pub struct_size: usize,
    /// Elements to allocate blocks of the disk for at once.
    pub capacity: u64,
    /// Bytes by which the file grows at least; 0: 64 KiB. In between it grows by half of its size.
    pub step_min: u64,
    /// Bytes by which it grows at most; 0: 64 MiB.
    pub step_max: u64,
    /// `OH_ADVICE_RANDOM`, `OH_ADVICE_SEQUENTIAL`, or 0 for no pattern.
    pub pattern: u32,
    /// Never grow past `capacity`: a push gives `OH_ERR_FULL` then.
    pub fixed: Flag,
    /// Have the pages there before they are stored to, so that no push waits for one.
    pub populate: Flag,
}
option_struct!(oh_mmapvector_options, through populate: Flag);

/// What a vector is and holds.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_mmapvector_info {
    /// Type of the elements, an `oh_type`.
    pub element_type: u32,
    /// Whether it was opened for writing.
    pub writable: bool,
    /// Whether opening met a flush that was cut short, and fell back to the one before.
    pub recovered: bool,
    /// Elements, those that were not flushed yet included.
    pub count: u64,
    /// Elements that would be there after a crash now.
    pub flushed: u64,
    /// Elements that fit before the file grows.
    pub capacity: u64,
}

/// # Safety
/// As for [`read_optional_struct`].
unsafe fn read_options(options: *const oh_mmapvector_options) -> Result<Options> {
    let mut read = Options::default();
    // SAFETY: the caller guarantees the same.
    let Some(given) = (unsafe { read_optional_struct(options, "options") })? else {
        return Ok(read);
    };
    read.capacity = given.capacity;
    if given.step_min != 0 {
        read.step.0 = given.step_min;
    }
    if given.step_max != 0 {
        read.step.1 = given.step_max;
    }
    read.pattern = match given.pattern {
        0 => Advice::Normal,
        OH_ADVICE_RANDOM => Advice::Random,
        OH_ADVICE_SEQUENTIAL => Advice::Sequential,
        number => return Err(Error::range(format!("{number} is no pattern of access"))),
    };
    read.fixed = given.fixed.is_set();
    read.populate = given.populate.is_set();
    Ok(read)
}

unsafe fn vector<'a>(vector: *const oh_mmapvector) -> Result<&'a RawMmapVector> {
    check_pointer(vector, "vector")?;
    // SAFETY: not null and aligned; the caller vouches for the handle.
    Ok(unsafe { &(*vector).0 })
}

unsafe fn vector_mut<'a>(vector: *mut oh_mmapvector) -> Result<&'a mut RawMmapVector> {
    check_pointer(vector, "vector")?;
    // SAFETY: not null and aligned; the caller vouches for the handle, and that nobody else uses
    // it.
    Ok(unsafe { &mut (*vector).0 })
}

/// The bits of the element at `element`, zero-extended.
unsafe fn bits_at(element: *const c_void, width: usize) -> Result<u64> {
    if element.is_null() {
        return Err(Error::wrong_type("element is NULL"));
    }
    let mut bytes = [0u8; 8];
    // SAFETY: the caller vouches for so many bytes; alignment is not needed.
    unsafe { element.cast::<u8>().copy_to_nonoverlapping(bytes.as_mut_ptr(), width) };
    Ok(u64::from_le_bytes(bytes))
}

/// Makes a file with an empty vector of numbers (`OH_TYPE_U8` to `OH_TYPE_I64`) at `path`
/// (`path_length` bytes). It appears there whole or not at all. `options` may be NULL.
///
/// `OH_ERR_IO` if something is there already, or the system refuses; `OH_ERR_FULL` if the disk is
/// full.
///
/// # Safety
/// `path_length` bytes at `path` are readable, `options` is NULL or valid, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_create(
    path: *const c_char,
    path_length: usize,
    element_type: u32,
    options: *const oh_mmapvector_options,
    out: *mut *mut oh_mmapvector,
) -> oh_status {
    // SAFETY: the caller's.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let options = read_options(options)?;
            hand_out(|| RawMmapVector::create(&path, numeric_type(element_type)?, options).map(oh_mmapvector))
        })
    }
}

/// Opens the file of a vector, to read what was flushed, or to write. `options` may be NULL.
///
/// `OH_ERR_LOCKED` if it is to be written and another handle writes it; `OH_ERR_CORRUPT` or
/// `OH_ERR_VERSION` for a file that makes no sense; `OH_ERR_IO` if the system refuses.
///
/// # Safety
/// As for `oh_mmapvector_create`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_open(
    path: *const c_char,
    path_length: usize,
    writable: bool,
    options: *const oh_mmapvector_options,
    out: *mut *mut oh_mmapvector,
) -> oh_status {
    // SAFETY: the caller's.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let options = read_options(options)?;
            let mode = if writable { Mode::Write } else { Mode::Read };
            hand_out(|| RawMmapVector::open(&path, mode, options).map(oh_mmapvector))
        })
    }
}

/// What the vector is and holds.
///
/// # Safety
/// `vector` is open, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_get_info(
    vector: *const oh_mmapvector,
    out: *mut oh_mmapvector_info,
) -> oh_status {
    // SAFETY: the caller's.
    unsafe {
        guard_out(out, || {
            let vector = self::vector(vector)?;
            Ok(oh_mmapvector_info {
                element_type: vector.element_type() as u32,
                writable: vector.is_writable(),
                recovered: vector.recovered(),
                count: vector.len(),
                flushed: vector.committed(),
                capacity: vector.capacity(),
            })
        })
    }
}

/// The elements, one after another: aligned to 64 bytes, good until the vector grows, is refreshed
/// or closed. Elements that were flushed must not be written. NULL for NULL.
///
/// If the file is cut short by someone else, reads give zeros; `oh_mmapvector_check` tells
/// afterwards.
///
/// # Safety
/// `vector` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_data(vector: *const oh_mmapvector) -> *mut c_void {
    guard_value(std::ptr::null_mut(), || {
        // SAFETY: the caller's.
        unsafe { vector.as_ref() }.map_or(std::ptr::null_mut(), |vector| vector.0.data().cast())
    })
}

/// `OH_ERR_IO` if the file was cut short, or could not be read, so that zeros took the place of
/// some elements. Look after reading, not before.
///
/// # Safety
/// `vector` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_check(vector: *const oh_mmapvector) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { self::vector(vector) }?.check())
}

/// Copies element `index` to `element`. `OH_ERR_RANGE` past the end.
///
/// # Safety
/// `vector` is open; an element can be written at `element`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_get(
    vector: *const oh_mmapvector,
    index: u64,
    element: *mut c_void,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller's.
        let vector = unsafe { self::vector(vector) }?;
        if element.is_null() {
            return Err(Error::wrong_type("element is NULL"));
        }
        let bits =
            vector.get(index).ok_or_else(|| Error::range(format!("element {index} of {}", vector.len())))?;
        let bytes = bits.to_le_bytes();
        // SAFETY: the caller vouches for an element's bytes.
        unsafe {
            let width = vector.element_type().width();
            element.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), width);
        }
        Ok(())
    })
}

/// Changes an element that was not flushed. `OH_ERR_RANGE` past the end, `OH_ERR_UNSUPPORTED` for a
/// flushed one: those do not change.
///
/// # Safety
/// `vector` is open and used by no one else meanwhile; an element can be read at `element`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_set(
    vector: *mut oh_mmapvector,
    index: u64,
    element: *const c_void,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller's.
        let vector = unsafe { vector_mut(vector) }?;
        // SAFETY: the caller's.
        let bits = unsafe { bits_at(element, vector.element_type().width()) }?;
        vector.set(index, bits)
    })
}

/// Appends `count` elements that lie one after another: all of them or none. `OH_ERR_FULL` if the
/// disk is full, or the vector of fixed size.
///
/// # Safety
/// `vector` is open and used by no one else meanwhile; so many elements at `elements` are readable,
/// and not the vector's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_push(
    vector: *mut oh_mmapvector,
    elements: *const c_void,
    count: usize,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller's.
        let vector = unsafe { vector_mut(vector) }?;
        if count == 0 {
            return Ok(());
        }
        let width = vector.element_type().width();
        if elements.is_null() {
            return Err(Error::wrong_type("elements is NULL"));
        }
        if count == 1 {
            // SAFETY: the caller's.
            return vector.push(unsafe { bits_at(elements, width) }?);
        }
        if count.checked_mul(width).is_none_or(|bytes| bytes > isize::MAX as usize) {
            return Err(Error::range(format!("there can not be {count} elements")));
        }
        // SAFETY: the caller's.
        unsafe { vector.extend(elements.cast(), count) }
    })
}

/// Drops all elements from `length` on; nothing if there are fewer. Flushed ones are gone for good
/// with the next flush, and the first push in their place flushes by itself.
///
/// # Safety
/// `vector` is open and used by no one else meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_truncate(vector: *mut oh_mmapvector, length: u64) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { vector_mut(vector) }?.truncate(length))
}

/// Makes room for `additional` elements more, so that pushing them allocates nothing.
///
/// # Safety
/// `vector` is open and used by no one else meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_reserve(vector: *mut oh_mmapvector, additional: u64) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { vector_mut(vector) }?.reserve(additional))
}

/// Returns when all elements are on the disk, and will be found there after the process is killed,
/// or the power fails as far as the device honours a sync.
///
/// `OH_ERR_IO` if the disk refuses. Then this handle is of no more use; opening anew tells what is
/// there.
///
/// # Safety
/// `vector` is open and used by no one else meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_flush(vector: *mut oh_mmapvector) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { vector_mut(vector) }?.flush())
}

/// For a handle that reads: takes in what the writer flushed since. Gives the length.
///
/// # Safety
/// `vector` is open and used by no one else meanwhile; `length` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_refresh(vector: *mut oh_mmapvector, length: *mut u64) -> oh_status {
    // SAFETY: the caller's.
    unsafe { guard_out(length, || vector_mut(vector)?.refresh()) }
}

/// Compares the flushed elements with their checksum: O(bytes). `OH_ERR_CORRUPT` if they differ.
///
/// # Safety
/// `vector` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_validate(vector: *const oh_mmapvector) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { self::vector(vector) }?.validate())
}

/// Closes the file and frees the handle. What was not flushed is discarded. NULL is fine.
///
/// # Safety
/// `vector` is NULL, or open and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_close(vector: *mut oh_mmapvector) {
    // SAFETY: the caller's.
    guard_value((), || unsafe { take_back(vector) });
}

const _: () = assert!(oh_type::OH_TYPE_I64 as u32 == Type::I64 as u32);
