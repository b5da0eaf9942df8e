//! Packed integers.
//!
//! `oh_packedints_*(base, length, …)`: every function takes the region's memory, checks its header
//! (some 20 ns), and reads it. Integers never change once they are packed, so any number of threads
//! may read them.

use crate::args::{numbers, numbers_mut};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::succinct::packed::{RawPackedInts, Shape, fill, layout, measure, validate};
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// Flag of packed integers: JavaScript sees them as bigints, so they may be of any 64-bit value.
/// Without it all are below 2^53.
pub const OH_PACKEDINTS_BIGINT: u32 = 1;
const _: () = assert!(OH_PACKEDINTS_BIGINT == layout::FLAG_BIGINT);

/// What a region of packed integers holds.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_packedints_info {
    /// How many integers.
    pub count: u64,
    /// Bits of each.
    pub bits: u32,
    /// `OH_PACKEDINTS_…` flags.
    pub flags: u32,
    /// Bytes of the region. The memory it lies in may be longer.
    pub region_size: u64,
}

/// How many bits the largest of `count` integers needs, at least 1. `type` is the `oh_type` of the
/// array's elements, any numeric one. `OH_ERR_RANGE` for an element that is negative, fractional,
/// NaN, or a float from 2^53 on.
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
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || measure(&numbers(values, r#type, count, "values")?)) }
}

fn length_of(shape: Shape) -> Result<usize> {
    usize::try_from(shape.check()?.length()).map_err(|_| Error::range("that is more than can be addressed"))
}

/// Bytes of memory that `count` integers of `bits` bits take, 1 to 64.
///
/// # Safety
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_packedints_region_size(count: u64, bits: u32, out: *mut usize) -> oh_status {
    // SAFETY: the caller vouches for it.
    unsafe { guard_out(out, || length_of(Shape { len: count, bits, bigint: false })) }
}

/// Packs `count` integers into `length` bytes at `base`, at least `oh_packedints_region_size`. What
/// they held is overwritten. With `OH_ERR_RANGE` (an integer is negative, fractional, or needs more
/// bits) the memory is no region.
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
        // SAFETY: the caller vouches for both.
        unsafe { fill(base.cast(), length, shape, &numbers(values, r#type, count, "values")?) }
    })
}

/// Checks in constant time that the memory holds packed integers. After `OH_OK` no function here
/// reads outside it, whatever else it holds; and each checks the same again by itself.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_packedints_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { RawPackedInts::attach(base.cast(), length) }.map(|_| ()))
}

/// Proves that all contents are sound. O(bytes). `OH_ERR_CORRUPT` says, through `oh_last_error`,
/// what is wrong first.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_packedints_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { validate(base.cast(), length) })
}

/// What the region holds.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_packedints_get_info(
    base: *const c_void,
    length: usize,
    out: *mut oh_packedints_info,
) -> oh_status {
    // SAFETY: the caller vouches for both.
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

/// The integer at an index. `OH_ERR_RANGE` past the end.
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
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            let ints = RawPackedInts::attach(base.cast(), length)?;
            ints.at(index).ok_or_else(|| {
                let len = ints.len();
                Error::range(format!("index {index}, where there are {len} integers"))
            })
        })
    }
}

/// The integers at `count` indices: `out[i]` belongs to `indices[i]`. Both types are `oh_type`s,
/// numeric ones; those of `out` must hold integers of so many bits. `OH_ERR_RANGE`, with nothing
/// written, for an index past the end.
///
/// # Safety
/// `base` is valid for reading `length` bytes; `indices` points to `count` elements of its type,
/// and so does `out`, which is writable and used by nobody else.
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
        // SAFETY: the caller vouches for all three.
        unsafe {
            let ints = RawPackedInts::attach(base.cast(), length)?;
            let mut out = numbers_mut(out, out_type, count, "out")?;
            ints.get_many(&numbers(indices, index_type, count, "indices")?, &mut out)
        }
    })
}

/// The `count` integers from index `from` on, unpacked with vector instructions. `out_type` is an
/// `oh_type`, a numeric one that holds integers of so many bits. `OH_ERR_RANGE`, with nothing
/// written, if there are fewer.
///
/// # Safety
/// `base` is valid for reading `length` bytes; `out` points to `count` elements of its type,
/// writable, and used by nobody else.
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
        // SAFETY: the caller vouches for both.
        unsafe {
            let ints = RawPackedInts::attach(base.cast(), length)?;
            ints.unpack(from, &mut numbers_mut(out, out_type, count, "out")?)
        }
    })
}
