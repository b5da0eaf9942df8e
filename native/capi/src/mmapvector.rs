//! The vector in a file: an opaque handle of the core's `RawMmapVector`.
//!
//! Elements are passed by address, as `oh_type_width(type)` bytes in memory.

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

/// A vector in a file. Created by `oh_mmapvector_create` or `oh_mmapvector_open`, freed by
/// `oh_mmapvector_close`. One handle may write; others, in this process or in other ones, can read
/// the elements that it flushed.
pub struct oh_mmapvector(RawMmapVector);

/// How a vector uses its file. Set all bytes to 0, and then `struct_size`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_mmapvector_options {
    /// `sizeof(oh_mmapvector_options)`
    pub struct_size: usize,
    /// Number of elements for which disk blocks are allocated at once.
    pub capacity: u64,
    /// Minimum growth of the file in bytes; 0 means 64 KiB. Between the limits, it grows by half of
    /// its size.
    pub step_min: u64,
    /// Maximum growth of the file in bytes; 0 means 64 MiB.
    pub step_max: u64,
    /// The expected accesses: `OH_ADVICE_RANDOM`, `OH_ADVICE_SEQUENTIAL`, or 0 for no pattern.
    pub pattern: u32,
    /// Never grow past `capacity`: a push that exceeds it returns `OH_ERR_FULL`.
    pub fixed: Flag,
    /// Allocate pages before elements are stored to them, so that no push waits for one.
    pub populate: Flag,
}
option_struct!(oh_mmapvector_options, through populate: Flag);

/// The type and the size of a vector in a file.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_mmapvector_info {
    /// Type of the elements, an `oh_type`.
    pub element_type: u32,
    /// Whether it was opened for writing.
    pub writable: bool,
    /// Whether the last flush before the file was opened was incomplete, so that the previous one
    /// is in effect.
    pub recovered: bool,
    /// Number of elements, including those that were not flushed yet.
    pub count: u64,
    /// Number of elements that would survive a crash now.
    pub flushed: u64,
    /// Number of elements that fit before the file grows.
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
        number => return Err(Error::range(format!("invalid access pattern: {number}"))),
    };
    read.fixed = given.fixed.is_set();
    read.populate = given.populate.is_set();
    Ok(read)
}

unsafe fn vector<'a>(vector: *const oh_mmapvector) -> Result<&'a RawMmapVector> {
    check_pointer(vector, "vector")?;
    // SAFETY: not null and aligned; the caller guarantees the handle.
    Ok(unsafe { &(*vector).0 })
}

unsafe fn vector_mut<'a>(vector: *mut oh_mmapvector) -> Result<&'a mut RawMmapVector> {
    check_pointer(vector, "vector")?;
    // SAFETY: not null and aligned; the caller guarantees the handle, and that no other thread uses
    // it.
    Ok(unsafe { &mut (*vector).0 })
}

/// The bits of the element at `element`, zero-extended.
///
/// # Safety
/// `element` is null, or points to `width` readable bytes.
unsafe fn bits_at(element: *const c_void, width: usize) -> Result<u64> {
    if element.is_null() {
        return Err(Error::wrong_type("element is NULL"));
    }
    let mut bytes = [0u8; 8];
    // SAFETY: the caller guarantees `width` readable bytes; alignment is not needed.
    unsafe { element.cast::<u8>().copy_to_nonoverlapping(bytes.as_mut_ptr(), width) };
    Ok(u64::from_le_bytes(bytes))
}

/// Creates a file with an empty vector of numbers (`OH_TYPE_U8` to `OH_TYPE_I64`) at `path`
/// (`path_length` bytes), atomically. `options` may be NULL.
///
/// `OH_ERR_IO` if there is a file at `path` already, or the system refuses; `OH_ERR_FULL` if the
/// disk is full.
///
/// # Safety
/// `path_length` bytes at `path` are readable; `options` is NULL, or points to as many readable
/// bytes as its `struct_size` says; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_create(
    path: *const c_char,
    path_length: usize,
    element_type: u32,
    options: *const oh_mmapvector_options,
    out: *mut *mut oh_mmapvector,
) -> oh_status {
    // SAFETY: the caller guarantees that `path_length` bytes at `path` are readable, `options` is
    // NULL or valid, and that `out` is writable.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let options = read_options(options)?;
            hand_out(|| RawMmapVector::create(&path, numeric_type(element_type)?, options).map(oh_mmapvector))
        })
    }
}

/// Opens the file of a vector, for reading the flushed elements or for writing. `options` may be
/// NULL.
///
/// `OH_ERR_LOCKED` if `writable` is true and another handle writes the file; `OH_ERR_CORRUPT` or
/// `OH_ERR_VERSION` for an invalid file; `OH_ERR_IO` if the system refuses.
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
    // SAFETY: the caller guarantees that `path_length` bytes at `path` are readable, `options` is
    // NULL or valid, and that `out` is writable.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let options = read_options(options)?;
            let mode = if writable { Mode::Write } else { Mode::Read };
            hand_out(|| RawMmapVector::open(&path, mode, options).map(oh_mmapvector))
        })
    }
}

/// Returns the type and the size of a vector.
///
/// # Safety
/// `vector` is open, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_get_info(
    vector: *const oh_mmapvector,
    out: *mut oh_mmapvector_info,
) -> oh_status {
    // SAFETY: the caller guarantees that `vector` is open, and that `out` is writable.
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

/// Returns the address of the elements, aligned to 64 bytes; NULL for NULL. It is valid until the
/// vector grows, is refreshed or closed. Do not store to elements that were flushed.
///
/// If another process truncates the file, lost elements read as zeros; call `oh_mmapvector_check`
/// after reading to detect that.
///
/// # Safety
/// `vector` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_data(vector: *const oh_mmapvector) -> *mut c_void {
    guard_value(std::ptr::null_mut(), || {
        // SAFETY: the caller guarantees that `vector` is NULL or open.
        unsafe { vector.as_ref() }.map_or(std::ptr::null_mut(), |vector| vector.0.data().cast())
    })
}

/// Checks that no elements were lost. `OH_ERR_IO` if the file was truncated or could not be read,
/// so that some elements were replaced by zeros. Check after reading, not before.
///
/// # Safety
/// `vector` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_check(vector: *const oh_mmapvector) -> oh_status {
    // SAFETY: the caller guarantees that `vector` is open.
    guard(|| unsafe { self::vector(vector) }?.check())
}

/// Copies the element at `index` to `element`. `OH_ERR_RANGE` past the end.
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
        // SAFETY: the caller guarantees that `vector` is open and that an element can be written at
        // `element`.
        let vector = unsafe { self::vector(vector) }?;
        if element.is_null() {
            return Err(Error::wrong_type("element is NULL"));
        }
        let bits = vector.get(index).ok_or_else(|| {
            Error::range(format!("element {index} is out of range: there are {}", vector.len()))
        })?;
        let bytes = bits.to_le_bytes();
        // SAFETY: the caller guarantees an element's bytes.
        unsafe {
            let width = vector.element_type().width();
            element.cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), width);
        }
        Ok(())
    })
}

/// Changes an element that was not flushed yet. `OH_ERR_RANGE` past the end; `OH_ERR_UNSUPPORTED`
/// for a flushed element, because those cannot change.
///
/// # Safety
/// `vector` is open and used by no other thread at the same time; an element can be read at
/// `element`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_set(
    vector: *mut oh_mmapvector,
    index: u64,
    element: *const c_void,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `vector` is open and used by no other thread at the
        // same time and that an element can be read at `element`.
        let vector = unsafe { vector_mut(vector) }?;
        // SAFETY: the caller guarantees that `vector` is open and used by no other thread at the
        // same time and that an element can be read at `element`.
        let bits = unsafe { bits_at(element, vector.element_type().width()) }?;
        vector.set(index, bits)
    })
}

/// Appends `count` elements, all or none. `OH_ERR_FULL` if the disk is full, or the vector has a
/// fixed size.
///
/// # Safety
/// `vector` is open and used by no other thread at the same time; `count` elements at `elements`
/// are readable, and not in the vector.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_push(
    vector: *mut oh_mmapvector,
    elements: *const c_void,
    count: usize,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `vector` is open and used by no other thread at the
        // same time and that `count` elements at `elements` are readable, and not the vector's own.
        let vector = unsafe { vector_mut(vector) }?;
        if count == 0 {
            return Ok(());
        }
        let width = vector.element_type().width();
        if elements.is_null() {
            return Err(Error::wrong_type("elements is NULL"));
        }
        if count == 1 {
            // SAFETY: the caller guarantees that `vector` is open and used by no other thread at
            // the same time and that `count` elements at `elements` are readable, and not the
            // vector's own.
            return vector.push(unsafe { bits_at(elements, width) }?);
        }
        if count.checked_mul(width).is_none_or(|bytes| bytes > isize::MAX as usize) {
            return Err(Error::range(format!("too many elements ({count})")));
        }
        // SAFETY: the caller guarantees that `vector` is open and used by no other thread at the
        // same time and that `count` elements at `elements` are readable, and not the vector's own.
        unsafe { vector.extend(elements.cast(), count) }
    })
}

/// Removes all elements from index `length` on. Does nothing if there are fewer. The removal of
/// flushed elements takes effect with the next flush; the first push after it flushes
/// automatically.
///
/// # Safety
/// `vector` is open and used by no other thread at the same time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_truncate(vector: *mut oh_mmapvector, length: u64) -> oh_status {
    // SAFETY: the caller guarantees that `vector` is open and used by no other thread at the same
    // time.
    guard(|| unsafe { vector_mut(vector) }?.truncate(length))
}

/// Makes room for `additional` more elements, so that pushing them does not allocate.
///
/// # Safety
/// `vector` is open and used by no other thread at the same time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_reserve(vector: *mut oh_mmapvector, additional: u64) -> oh_status {
    // SAFETY: the caller guarantees that `vector` is open and used by no other thread at the same
    // time.
    guard(|| unsafe { vector_mut(vector) }?.reserve(additional))
}

/// Writes all elements to the disk, and waits for it. Afterward they survive a crash of the
/// process, and a power failure if the device honors a sync.
///
/// `OH_ERR_IO` if the disk refuses. The handle is unusable then; open the file again to see which
/// elements were saved.
///
/// # Safety
/// `vector` is open and used by no other thread at the same time.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_flush(vector: *mut oh_mmapvector) -> oh_status {
    // SAFETY: the caller guarantees that `vector` is open and used by no other thread at the same
    // time.
    guard(|| unsafe { vector_mut(vector) }?.flush())
}

/// Makes the elements visible that the writer flushed since, in a handle that reads. `*length`
/// becomes their number.
///
/// # Safety
/// `vector` is open and used by no other thread at the same time; `length` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_refresh(vector: *mut oh_mmapvector, length: *mut u64) -> oh_status {
    // SAFETY: the caller guarantees that `vector` is open and used by no other thread at the same
    // time and that `length` is writable.
    unsafe { guard_out(length, || vector_mut(vector)?.refresh()) }
}

/// Compares the flushed elements with their checksum. `OH_ERR_CORRUPT` if it does not match. Takes
/// time proportional to the size of the file.
///
/// # Safety
/// `vector` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_validate(vector: *const oh_mmapvector) -> oh_status {
    // SAFETY: the caller guarantees that `vector` is open.
    guard(|| unsafe { self::vector(vector) }?.validate())
}

/// Closes the file and frees the handle. Elements that were not flushed are discarded. NULL is
/// allowed.
///
/// # Safety
/// `vector` is NULL, or open and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mmapvector_close(vector: *mut oh_mmapvector) {
    // SAFETY: the caller guarantees that `vector` is NULL, or open and not used again.
    guard_value((), || unsafe { take_back(vector) });
}

const _: () = assert!(oh_type::OH_TYPE_I64 as u32 == Type::I64 as u32);
