//! Suffix arrays: all suffixes of a text in order, so that any string is found in it, and counted.
//!
//! `oh_suffixarray_*(base, length, …)`: every function takes the region's memory, checks its header
//! (some 20 ns), and reads it. Nothing changes once it was built, so any number of threads may
//! read.

use crate::args::{check_bytes, slice};
use crate::control::{control_of, oh_control};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::compress::RawSuffixArray;
use offheap_core::compress::suffix::{Shape, build, build_in_place};
use offheap_core::region::control::Progress;
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// Where the text of a suffix array lies in its region.
pub const OH_SUFFIXARRAY_TEXT: usize = 256;
const _: () = assert!(OH_SUFFIXARRAY_TEXT == Shape::TEXT);

/// Suffixes that follow one another in the array.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_suffixarray_found {
    /// The rank of the first.
    pub start: u64,
    /// How many.
    pub count: u64,
}

/// Bytes of memory that the suffix array of a text of so many bytes takes, with the text.
/// `OH_ERR_RANGE` for more than 2^31 - 2 bytes.
///
/// # Safety
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_suffixarray_region_size(text_length: usize, out: *mut usize) -> oh_status {
    // SAFETY: the caller vouches for it.
    unsafe { guard_out(out, || Ok(Shape::new(text_length)?.length())) }
}

/// Sorts the suffixes of a text into `length` bytes at `base`, at least
/// `oh_suffixarray_region_size`, else `OH_ERR_FULL`. The text is copied. O(text_length). With an
/// error the memory is no region: `OH_ERR_OOM` where temporary memory is refused.
///
/// # Safety
/// `base` is valid for writing `length` bytes that no other thread uses; `text` points to
/// `text_length` other bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_suffixarray_build(
    base: *mut c_void,
    length: usize,
    text: *const c_void,
    text_length: usize,
) -> oh_status {
    guard(|| {
        let text = check_bytes(text, text_length, "text")?;
        // SAFETY: the caller vouches for both.
        unsafe { build(base.cast(), length, text, text_length) }
    })
}

/// `oh_suffixarray_build` for a text that lies at `base + OH_SUFFIXARRAY_TEXT` already. `control`
/// is NULL, or says when it is done. Sorting can not be interrupted: with a control that was
/// cancelled it goes on to the end, `*finished` is false then, and the memory no region.
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
    // SAFETY: the caller vouches for the memory, the control and the output.
    unsafe {
        guard_out(finished, || {
            build_in_place(base.cast(), length, text_length, Progress::new(control_of(control)?))
        })
    }
}

/// # Safety
/// As for `oh_suffixarray_check`.
unsafe fn attach(base: *const c_void, length: usize) -> Result<RawSuffixArray> {
    // SAFETY: the caller's word.
    unsafe { RawSuffixArray::attach(base.cast(), length) }
}

/// Checks in constant time that the memory holds a suffix array. After `OH_OK` no function here
/// reads outside it, whatever else it holds; and each checks the same again by itself.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_suffixarray_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { attach(base, length) }.map(|_| ()))
}

/// Proves that all suffixes are there, in order, and the checksum, if there is one. O(bytes); takes
/// 4 bytes of memory for each of the text.
///
/// # Safety
/// As for `oh_suffixarray_check`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_suffixarray_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { attach(base, length) }?.validate())
}

/// Bytes of the text, and suffixes.
///
/// # Safety
/// As for `oh_suffixarray_check`; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_suffixarray_count(
    base: *const c_void,
    length: usize,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || Ok(attach(base, length)?.len() as u64)) }
}

/// Where the suffix of a rank begins. `OH_ERR_RANGE` for a rank that there is none of. In damaged
/// memory any number.
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
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            let array = attach(base, length)?;
            let position = usize::try_from(rank).ok().and_then(|rank| array.at(rank));
            let len = array.len();
            position
                .map(|position| position as u64)
                .ok_or_else(|| Error::range(format!("rank {rank}, where there are {len} suffixes")))
        })
    }
}

/// Which suffixes begin with a pattern; `start` is where they would be if there are none.
/// O(pattern_length * log n). All begin with an empty one.
///
/// # Safety
/// As for `oh_suffixarray_check`; `pattern` points to `pattern_length` bytes that nobody writes,
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_suffixarray_search(
    base: *const c_void,
    length: usize,
    pattern: *const c_void,
    pattern_length: usize,
    out: *mut oh_suffixarray_found,
) -> oh_status {
    // SAFETY: the caller vouches for all three.
    unsafe {
        guard_out(out, || {
            let found = attach(base, length)?.search(slice(pattern.cast(), pattern_length, "pattern")?);
            Ok(oh_suffixarray_found { start: found.start as u64, count: found.count as u64 })
        })
    }
}
