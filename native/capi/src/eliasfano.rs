//! Sorted integers, Elias-Fano coded.
//!
//! `oh_eliasfano_*(base, length, …)`: every function takes the region's memory, checks its header
//! (about 20 ns), and reads it. Stored values never change, so any number of threads may read them.

use crate::args::{numbers, numbers_mut};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::Error;
use offheap_core::succinct::eliasfano::{RawEliasFano, Shape, fill, measure, validate};
use std::ffi::c_void;

/// The parameters and the size of a region of sorted integers.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_eliasfano_info {
    /// Number of values.
    pub count: u64,
    /// The largest value; 0 if there is none.
    pub max: u64,
    /// Number of low bits of each value that are stored verbatim.
    pub low_bits: u32,
    /// Zero.
    pub reserved: u32,
    /// Size of the region in bytes. The memory may be longer.
    pub region_size: u64,
}

/// A value and its index.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_eliasfano_entry {
    /// Its index in ascending order, from 0 on.
    pub index: u64,
    /// The value.
    pub value: u64,
}

/// Returns the largest of `count` values; 0 if there is none. `type` is the numeric `oh_type` of
/// the array's elements. `OH_ERR_RANGE` unless all values are integers from 0 on in ascending order
/// (equal values are allowed).
///
/// # Safety
/// `values` points to `count` elements of the type, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_eliasfano_measure(
    values: *const c_void,
    r#type: u32,
    count: usize,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `values` points to `count` elements of the type, `out` is
    // writable.
    unsafe { guard_out(out, || Ok(measure(&numbers(values, r#type, count, "values")?)?.max)) }
}

/// Computes the number of bytes that `count` values need, the largest of which is `max`.
///
/// # Safety
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_eliasfano_region_size(count: u64, max: u64, out: *mut usize) -> oh_status {
    // SAFETY: the caller guarantees that `out` is writable.
    unsafe {
        guard_out(out, || {
            let length = Shape { len: count, max }.check()?.layout().length;
            usize::try_from(length).map_err(|_| Error::range("the region is larger than the address space"))
        })
    }
}

/// Stores `count` ascending values, the largest of which is `max`, in `length` bytes at `base`,
/// overwriting them. `OH_ERR_FULL` if `length` is less than `oh_eliasfano_region_size`. After
/// `OH_ERR_RANGE` (see `oh_eliasfano_measure`) the memory is not a valid region.
///
/// # Safety
/// `base` is valid for writing `length` bytes that no other thread uses; `values` points to `count`
/// elements of the type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_eliasfano_init(
    base: *mut c_void,
    length: usize,
    values: *const c_void,
    r#type: u32,
    count: usize,
    max: u64,
) -> oh_status {
    guard(|| {
        let shape = Shape { len: count as u64, max };
        // SAFETY: the caller guarantees that the region is writable and that the values are
        // readable.
        unsafe { fill(base.cast(), length, shape, &numbers(values, r#type, count, "values")?) }
    })
}

/// Checks in constant time that `length` bytes at `base` contain sorted integers.
///
/// After `OH_OK`, no `oh_eliasfano_` function reads outside these bytes, whatever their contents.
/// Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for another kind
/// of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_eliasfano_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { RawEliasFano::attach(base.cast(), length) }.map(|_| ()))
}

/// Verifies all values. `OH_ERR_CORRUPT` if something is wrong; `oh_last_error` describes the first
/// error found. Takes time proportional to the size of the region.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_eliasfano_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { validate(base.cast(), length) })
}

/// Returns the parameters and the size of a region of sorted integers.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_eliasfano_get_info(
    base: *const c_void,
    length: usize,
    out: *mut oh_eliasfano_info,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            let values = RawEliasFano::attach(base.cast(), length)?;
            let (Shape { len, max }, layout) = (values.shape(), values.layout());
            let low_bits = layout.low_bits;
            Ok(oh_eliasfano_info { count: len, max, low_bits, reserved: 0, region_size: layout.length })
        })
    }
}

/// Returns the value at an index, in ascending order. `OH_ERR_RANGE` past the end.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_eliasfano_at(
    base: *const c_void,
    length: usize,
    index: u64,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            let values = RawEliasFano::attach(base.cast(), length)?;
            values.at(index).ok_or_else(|| {
                let len = values.len();
                Error::range(format!("index {index} is out of range: there are {len} values"))
            })
        })
    }
}

/// Returns the number of values that are less than `value`, which is the index of the first value
/// that is not.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_eliasfano_rank(
    base: *const c_void,
    length: usize,
    value: u64,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe { guard_out(out, || Ok(RawEliasFano::attach(base.cast(), length)?.rank(value))) }
}

/// Returns the first value that is greater than or equal to `value`, and its index. `*found`
/// becomes whether there is one; `out` is written only then.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` and `found` are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_eliasfano_next_geq(
    base: *const c_void,
    length: usize,
    value: u64,
    out: *mut oh_eliasfano_entry,
    found: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, `out` and
    // `found` are writable.
    unsafe {
        guard_out(found, || {
            crate::args::check_pointer(out, "out")?;
            let next = RawEliasFano::attach(base.cast(), length)?.next_geq(value);
            if let Some((index, value)) = next {
                out.write(oh_eliasfano_entry { index, value });
            }
            Ok(next.is_some())
        })
    }
}

/// Returns the values at `count` indices: `out[i]` for `indices[i]`. Both types are numeric
/// `oh_type`s, and that of `out` must be able to represent the largest value. `OH_ERR_RANGE`, with
/// nothing written, for an index past the end.
///
/// # Safety
/// `base` is valid for reading `length` bytes; `indices` points to `count` elements of its type,
/// and so does `out`, which is writable and used by no other thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_eliasfano_get_many(
    base: *const c_void,
    length: usize,
    indices: *const c_void,
    index_type: u32,
    count: usize,
    out: *mut c_void,
    out_type: u32,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes and that
        // `indices` points to `count` elements of its type, and so does `out`, which is writable
        // and used by no other thread.
        unsafe {
            let stored = RawEliasFano::attach(base.cast(), length)?;
            let mut out = numbers_mut(out, out_type, count, "out")?;
            stored.get_many(&numbers(indices, index_type, count, "indices")?, &mut out)
        }
    })
}

/// Like `oh_eliasfano_rank` for `count` values. `OH_ERR_RANGE`, with nothing written, for a value
/// that is not an integer from 0 on.
///
/// # Safety
/// As for `oh_eliasfano_get_many`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_eliasfano_rank_many(
    base: *const c_void,
    length: usize,
    values: *const c_void,
    value_type: u32,
    count: usize,
    out: *mut c_void,
    out_type: u32,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes and that
        // `indices` points to `count` elements of its type, and so does `out`, which is writable
        // and used by no other thread.
        unsafe {
            let stored = RawEliasFano::attach(base.cast(), length)?;
            let mut out = numbers_mut(out, out_type, count, "out")?;
            stored.rank_many(&numbers(values, value_type, count, "values")?, &mut out)
        }
    })
}

/// Returns the `count` values from index `from` on. `OH_ERR_RANGE`, with nothing written, if there
/// are fewer.
///
/// # Safety
/// `base` is valid for reading `length` bytes; `out` points to `count` elements of its type,
/// writable, and used by no other thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_eliasfano_unpack(
    base: *const c_void,
    length: usize,
    from: u64,
    count: usize,
    out: *mut c_void,
    out_type: u32,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes and that
        // `out` points to `count` elements of its type, writable, and used by no other thread.
        unsafe {
            let stored = RawEliasFano::attach(base.cast(), length)?;
            stored.unpack(from, &mut numbers_mut(out, out_type, count, "out")?)
        }
    })
}
