//! Suffix arrays: all suffixes of a text in order, to find and count any string in it.
//!
//! `oh_suffixarray_*(base, length, …)`: every function takes the region's memory, checks its header
//! (about 20 ns), and reads it. A suffix array never changes, so any number of threads may read it.

use crate::args::{check_bytes, slice};
use crate::control::{control_of, oh_control};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::compress::RawSuffixArray;
use offheap_core::compress::suffix::{Shape, build, build_in_place};
use offheap_core::region::control::Progress;
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// Offset of the text in the region of a suffix array, in bytes.
pub const OH_SUFFIXARRAY_TEXT: usize = 256;
const _: () = assert!(OH_SUFFIXARRAY_TEXT == Shape::TEXT);

/// A range of suffixes in the array.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_suffixarray_found {
    /// The rank of the first suffix.
    pub start: u64,
    /// Number of suffixes.
    pub count: u64,
}

/// Computes the number of bytes that the suffix array of a text of `text_length` bytes needs,
/// including the text. `OH_ERR_RANGE` for more than 2^31 - 2 bytes.
///
/// # Safety
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_suffixarray_region_size(text_length: usize, out: *mut usize) -> oh_status {
    // SAFETY: the caller guarantees that `out` is writable.
    unsafe { guard_out(out, || Ok(Shape::new(text_length)?.length())) }
}

/// Builds the suffix array of a text in `length` bytes at `base`, overwriting them. The text is
/// copied. `OH_ERR_FULL` if `length` is less than `oh_suffixarray_region_size`; `OH_ERR_OOM` if
/// there is no temporary memory. Takes time proportional to `text_length`. After an error the
/// memory is not a valid region.
///
/// # Safety
/// `base` is valid for writing `length` bytes that no other thread uses; `text` points to
/// `text_length` readable bytes, which do not overlap them.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_suffixarray_build(
    base: *mut c_void,
    length: usize,
    text: *const c_void,
    text_length: usize,
) -> oh_status {
    guard(|| {
        let text = check_bytes(text, text_length, "text")?;
        // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes that no
        // other thread uses and that `text` points to `text_length` other bytes.
        unsafe { build(base.cast(), length, text, text_length) }
    })
}

/// Like `oh_suffixarray_build`, for a text that is already at `base + OH_SUFFIXARRAY_TEXT`.
/// `control` may be NULL. Sorting cannot be interrupted: if the control is canceled, it continues
/// to the end, `*finished` becomes false, and the memory is not a valid region.
///
/// # Safety
/// `base` is valid for writing `length` bytes that no other thread uses; `control` is NULL, or
/// lives until this returns; `finished` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_suffixarray_build_in_place(
    base: *mut c_void,
    length: usize,
    text_length: usize,
    control: *mut oh_control,
    finished: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes that no other
    // thread uses, that `control` is NULL, or lives until this returns, that `finished` is
    // writable.
    unsafe {
        guard_out(finished, || {
            build_in_place(base.cast(), length, text_length, Progress::new(control_of(control)?))
        })
    }
}

/// # Safety
/// As for `oh_suffixarray_check`.
unsafe fn attach(base: *const c_void, length: usize) -> Result<RawSuffixArray> {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    unsafe { RawSuffixArray::attach(base.cast(), length) }
}

/// Checks in constant time that `length` bytes at `base` contain a suffix array.
///
/// After `OH_OK`, no `oh_suffixarray_` function reads outside these bytes, whatever their contents.
/// Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for another kind
/// of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_suffixarray_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { attach(base, length) }.map(|_| ()))
}

/// Verifies that all suffixes are present and in order, and the checksum (if there is one).
/// `OH_ERR_CORRUPT` if something is wrong; `oh_last_error` describes the first error found. Takes
/// time proportional to the size of the region, and temporary memory of 4 bytes for each byte of
/// the text.
///
/// # Safety
/// As for `oh_suffixarray_check`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_suffixarray_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { attach(base, length) }?.validate())
}

/// Returns the number of bytes in the text, which is the number of suffixes.
///
/// # Safety
/// As for `oh_suffixarray_check`; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_suffixarray_count(
    base: *const c_void,
    length: usize,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes and that `out`
    // is writable.
    unsafe { guard_out(out, || Ok(attach(base, length)?.len() as u64)) }
}

/// Returns the offset at which the suffix of a rank begins. `OH_ERR_RANGE` for a rank that does not
/// exist. In damaged memory the result may be any number.
///
/// # Safety
/// As for `oh_suffixarray_check`; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_suffixarray_at(
    base: *const c_void,
    length: usize,
    rank: u64,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            let array = attach(base, length)?;
            let position = usize::try_from(rank).ok().and_then(|rank| array.at(rank));
            let len = array.len();
            position
                .map(|position| position as u64)
                .ok_or_else(|| Error::range(format!("rank {rank} is out of range: there are {len} suffixes")))
        })
    }
}

/// Finds the suffixes that begin with a pattern. If there are none, `start` is the rank at which
/// they would be. All suffixes begin with an empty pattern. Takes O(`pattern_length` × log n).
///
/// # Safety
/// As for `oh_suffixarray_check`; `pattern` points to `pattern_length` bytes that no thread writes,
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_suffixarray_search(
    base: *const c_void,
    length: usize,
    pattern: *const c_void,
    pattern_length: usize,
    out: *mut oh_suffixarray_found,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes and that
    // `pattern` points to `pattern_length` bytes that no thread writes, `out` is writable.
    unsafe {
        guard_out(out, || {
            let found = attach(base, length)?.search(slice(pattern.cast(), pattern_length, "pattern")?);
            Ok(oh_suffixarray_found { start: found.start as u64, count: found.count as u64 })
        })
    }
}
