//! Packed integers.
//!
//! `oh_packedints_*(base, length, …)`: every function takes the region's memory, checks its header
//! (about 20 ns), and reads it. Packed integers never change, so any number of threads may read
//! them.

use crate::args::{numbers, numbers_mut};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::succinct::packed::{RawPackedInts, Shape, fill, layout, measure, validate};
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// Flag of packed integers: JavaScript reads them as bigints, and they may have any 64-bit value.
/// Without it, all of them are below 2^53.
pub const OH_PACKEDINTS_BIGINT: u32 = 1;
const _: () = assert!(OH_PACKEDINTS_BIGINT == layout::FLAG_BIGINT);

/// The parameters and the size of a region of packed integers.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_packedints_info {
    /// Number of integers.
    pub count: u64,
    /// Bits of each integer.
    pub bits: u32,
    /// `OH_PACKEDINTS_…` flags.
    pub flags: u32,
    /// Size of the region in bytes. The memory may be longer.
    pub region_size: u64,
}

/// Returns the number of bits that the largest of `count` integers needs, at least 1. `type` is the
/// numeric `oh_type` of the array's elements. `OH_ERR_RANGE` for an element that is negative,
/// fractional, NaN, or a float of 2^53 or more.
///
/// # Safety
/// `values` points to `count` elements of the type, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_packedints_measure(
    values: *const c_void,
    r#type: u32,
    count: usize,
    out: *mut u32,
) -> oh_status {
    // SAFETY: the caller guarantees that `values` points to `count` elements of the type, `out` is
    // writable.
    unsafe { guard_out(out, || measure(&numbers(values, r#type, count, "values")?)) }
}

fn length_of(shape: Shape) -> Result<usize> {
    usize::try_from(shape.check()?.length())
        .map_err(|_| Error::range("the region is larger than the address space"))
}

/// Computes the number of bytes that `count` integers of `bits` bits (1 to 64) need.
///
/// # Safety
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_packedints_region_size(count: u64, bits: u32, out: *mut usize) -> oh_status {
    // SAFETY: the caller guarantees that `out` is writable.
    unsafe { guard_out(out, || length_of(Shape { len: count, bits, bigint: false })) }
}

/// Packs `count` integers into `length` bytes at `base`, overwriting them. `OH_ERR_FULL` if
/// `length` is less than `oh_packedints_region_size`. After `OH_ERR_RANGE` (an integer is negative,
/// fractional, or needs more bits) the memory is not a valid region.
///
/// # Safety
/// `base` is valid for writing `length` bytes that no other thread uses; `values` points to `count`
/// elements of the type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_packedints_init(
    base: *mut c_void,
    length: usize,
    values: *const c_void,
    r#type: u32,
    count: usize,
    bits: u32,
    flags: u32,
) -> oh_status {
    guard(|| {
        if flags & !OH_PACKEDINTS_BIGINT != 0 {
            return Err(Error::range(format!("unknown flags {flags:#x}")));
        }
        let shape = Shape { len: count as u64, bits, bigint: flags != 0 };
        // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes that no
        // other thread uses and that `values` points to `count` elements of the type.
        unsafe { fill(base.cast(), length, shape, &numbers(values, r#type, count, "values")?) }
    })
}

/// Checks in constant time that `length` bytes at `base` contain packed integers.
///
/// After `OH_OK`, no `oh_packedints_` function reads outside these bytes, whatever their contents.
/// Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for another kind
/// of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_packedints_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { RawPackedInts::attach(base.cast(), length) }.map(|_| ()))
}

/// Verifies the header, the checksum (if there is one) and the unused bits. `OH_ERR_CORRUPT` if
/// something is wrong; `oh_last_error` describes the first error found. Takes time proportional to
/// the size of the region.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_packedints_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { validate(base.cast(), length) })
}

/// Returns the parameters and the size of a region of packed integers.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_packedints_get_info(
    base: *const c_void,
    length: usize,
    out: *mut oh_packedints_info,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            let shape = RawPackedInts::attach(base.cast(), length)?.shape();
            Ok(oh_packedints_info {
                count: shape.len,
                bits: shape.bits,
                flags: if shape.bigint { OH_PACKEDINTS_BIGINT } else { 0 },
                region_size: shape.length(),
            })
        })
    }
}

/// Returns the integer at an index. `OH_ERR_RANGE` past the end.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_packedints_at(
    base: *const c_void,
    length: usize,
    index: u64,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            let ints = RawPackedInts::attach(base.cast(), length)?;
            ints.at(index).ok_or_else(|| {
                let len = ints.len();
                Error::range(format!("index {index} is out of range: there are {len} integers"))
            })
        })
    }
}

/// Returns the integers at `count` indices: `out[i]` for `indices[i]`. Both types are numeric
/// `oh_type`s, and that of `out` must be able to represent integers of that many bits.
/// `OH_ERR_RANGE`, with nothing written, for an index past the end.
///
/// # Safety
/// `base` is valid for reading `length` bytes; `indices` points to `count` elements of its type,
/// and so does `out`, which is writable and used by no other thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_packedints_get_many(
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
            let ints = RawPackedInts::attach(base.cast(), length)?;
            let mut out = numbers_mut(out, out_type, count, "out")?;
            ints.get_many(&numbers(indices, index_type, count, "indices")?, &mut out)
        }
    })
}

/// Returns the `count` integers from index `from` on, unpacked with vector instructions. `out_type`
/// is a numeric `oh_type` that can represent integers of that many bits. `OH_ERR_RANGE`, with
/// nothing written, if there are fewer.
///
/// # Safety
/// `base` is valid for reading `length` bytes; `out` points to `count` elements of its type,
/// writable, and used by no other thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_packedints_unpack(
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
            let ints = RawPackedInts::attach(base.cast(), length)?;
            ints.unpack(from, &mut numbers_mut(out, out_type, count, "out")?)
        }
    })
}
