//! Sorted integers, Elias-Fano coded.
//!
//! `oh_eliasfano_*(base, length, …)`: every function takes the region's memory, checks its header
//! (some 20 ns), and reads it. Values never change once they are stored, so any number of threads
//! may read them.

use crate::args::{numbers, numbers_mut};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::Error;
use offheap_core::succinct::eliasfano::{RawEliasFano, Shape, fill, measure, validate};
use std::ffi::c_void;

/// What a region of sorted integers holds.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_eliasfano_info {
    /// How many values.
    pub count: u64,
    /// The largest; 0 if there is none.
    pub max: u64,
    /// Bits of each value that are stored as they are.
    pub low_bits: u32,
    /// Zero.
    pub reserved: u32,
    /// Bytes of the region. The memory it lies in may be longer.
    pub region_size: u64,
}

/// A value and its index.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_eliasfano_entry {
    /// Which it is, from 0 on, in ascending order.
    pub index: u64,
    /// The value.
    pub value: u64,
}

/// The largest of `count` values, 0 if there is none. `type` is the `oh_type` of the array's
/// elements, any numeric one. `OH_ERR_RANGE` unless they ascend (equal ones may follow each other)
/// and all are integers from 0 on.
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
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || Ok(measure(&numbers(values, r#type, count, "values")?)?.max)) }
}

/// Bytes of memory that `count` values take of which `max` is the largest.
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

/// Stores `count` values that ascend, `max` the largest, in `length` bytes at `base`, at least
/// `oh_eliasfano_region_size`. What they held is overwritten. With `OH_ERR_RANGE` (see
/// `oh_eliasfano_measure`) the memory is no region.
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
        // SAFETY: the caller guarantees that the region is writable and that the values are readable.
        unsafe { fill(base.cast(), length, shape, &numbers(values, r#type, count, "values")?) }
    })
}

/// Checks in constant time that the memory holds sorted integers. After `OH_OK` no function here
/// reads outside it, whatever else it holds; and each checks the same again by itself.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_eliasfano_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { RawEliasFano::attach(base.cast(), length) }.map(|_| ()))
}

/// Proves that all contents are sound. O(bytes). `OH_ERR_CORRUPT` says, through `oh_last_error`,
/// what is wrong first.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_eliasfano_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { validate(base.cast(), length) })
}

/// What the region holds.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_eliasfano_get_info(
    base: *const c_void,
    length: usize,
    out: *mut oh_eliasfano_info,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            let values = RawEliasFano::attach(base.cast(), length)?;
            let (Shape { len, max }, layout) = (values.shape(), values.layout());
            let low_bits = layout.low_bits;
            Ok(oh_eliasfano_info { count: len, max, low_bits, reserved: 0, region_size: layout.length })
        })
    }
}

/// The value at an index, in ascending order. `OH_ERR_RANGE` past the end.
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
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            let values = RawEliasFano::attach(base.cast(), length)?;
            values.at(index).ok_or_else(|| {
                let len = values.len();
                Error::range(format!("index {index}, where there are {len} values"))
            })
        })
    }
}

/// How many values are less than `value`: the index of the first that is not.
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
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || Ok(RawEliasFano::attach(base.cast(), length)?.rank(value))) }
}

/// The first value that is not less than `value`, with its index. `found` tells whether there is
/// one; `out` is written if there is.
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
    // SAFETY: the caller vouches for all three.
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

/// The values at `count` indices: `out[i]` belongs to `indices[i]`. Both types are `oh_type`s,
/// numeric ones; those of `out` must hold the largest value. `OH_ERR_RANGE`, with nothing written,
/// for an index past the end.
///
/// # Safety
/// `base` is valid for reading `length` bytes; `indices` points to `count` elements of its type,
/// and so does `out`, which is writable and used by nobody else.
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
        // SAFETY: the caller vouches for all three.
        unsafe {
            let stored = RawEliasFano::attach(base.cast(), length)?;
            let mut out = numbers_mut(out, out_type, count, "out")?;
            stored.get_many(&numbers(indices, index_type, count, "indices")?, &mut out)
        }
    })
}

/// `oh_eliasfano_rank` of `count` values. `OH_ERR_RANGE`, with nothing written, for one that is no
/// integer from 0 on.
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
        // SAFETY: the caller vouches for all three.
        unsafe {
            let stored = RawEliasFano::attach(base.cast(), length)?;
            let mut out = numbers_mut(out, out_type, count, "out")?;
            stored.rank_many(&numbers(values, value_type, count, "values")?, &mut out)
        }
    })
}

/// The `count` values from index `from` on. `OH_ERR_RANGE`, with nothing written, if there are
/// fewer.
///
/// # Safety
/// `base` is valid for reading `length` bytes; `out` points to `count` elements of its type,
/// writable, and used by nobody else.
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
        // SAFETY: the caller vouches for both.
        unsafe {
            let stored = RawEliasFano::attach(base.cast(), length)?;
            stored.unpack(from, &mut numbers_mut(out, out_type, count, "out")?)
        }
    })
}
