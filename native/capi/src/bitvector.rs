//! The bit vector.
//!
//! `oh_bitvector_*(base, length, …)`: every function takes the region's memory, checks its header
//! (about 20 ns), and works in place. Bit i is bit i % 8 of byte i / 8 of the bits. There is one
//! writer at a time. Functions that only read may run on any thread, and wait while the writer
//! changes a range.

use crate::args::{check_pointer, numbers, numbers_mut, slice};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::region::sequence::READ_TIMEOUT;
use offheap_core::succinct::bitvector::{RawBits, RawBitsMut, layout, length_for};
use offheap_core::succinct::runs::Op;
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// Result of `oh_bitvector_next` if there is no such bit.
pub const OH_BITVECTOR_NONE: u64 = u64::MAX;

/// The size and the bits of a bit vector.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_bitvector_info {
    /// Number of bits.
    pub count: u64,
    /// Number of bits that the region has room for.
    pub capacity: u64,
    /// Size of the region in bytes. The memory may be longer.
    pub region_size: u64,
    /// The bits: `capacity / 8` bytes, of which the bits from `count` on are 0. Valid until the
    /// capacity is changed.
    pub bits: *const u64,
}

/// Operations of `oh_bitvector_combine`. The result replaces the first of two bit vectors.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum oh_bitvector_op {
    /// Bits that are set in both.
    OH_BITVECTOR_AND = 1,
    /// Bits that are set in at least one.
    OH_BITVECTOR_OR = 2,
    /// Bits that are set in exactly one.
    OH_BITVECTOR_XOR = 3,
    /// Bits that are set in the first and not in the second.
    OH_BITVECTOR_AND_NOT = 4,
}

/// # Safety
/// `base` is valid for reading `length` bytes while the view is used.
unsafe fn reader(base: *const c_void, length: usize) -> Result<RawBits> {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes while the view
    // is used.
    unsafe { RawBits::attach_shared(base.cast(), length, READ_TIMEOUT) }
}

/// # Safety
/// `base` is valid for reading and writing `length` bytes that no other thread writes while the
/// view is used.
unsafe fn writer(base: *mut c_void, length: usize) -> Result<RawBitsMut> {
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes
    // that no other thread writes while the view is used.
    unsafe { RawBitsMut::attach(base.cast(), length) }
}

/// Computes the number of bytes that a bit vector with room for `capacity` bits needs.
/// `OH_ERR_RANGE` for more than 2^40.
///
/// # Safety
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_region_size(capacity: u64, out: *mut usize) -> oh_status {
    // SAFETY: the caller guarantees that `out` is writable.
    unsafe { guard_out(out, || layout::region_length(capacity)) }
}

/// Creates a bit vector of `bits` zeros in `length` bytes at `base`, overwriting them.
/// `OH_ERR_FULL` if `length` is less than `oh_bitvector_region_size`.
///
/// The caller keeps owning the memory. It contains no pointers, so it can be copied, saved and
/// mapped at another address.
///
/// # Safety
/// `base` is valid for writing `length` bytes that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_init(base: *mut c_void, length: usize, bits: u64) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes that no other
    // thread uses.
    guard(|| unsafe { layout::init(base.cast(), length, bits) })
}

/// Checks in constant time that `length` bytes at `base` contain a bit vector.
///
/// After `OH_OK`, no `oh_bitvector_` function reads or writes outside these bytes, whatever their
/// contents. Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for
/// another kind of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { reader(base, length) }.map(|_| ()))
}

/// Verifies the header, the checksum (if there is one) and the unused bits. `OH_ERR_CORRUPT` if
/// something is wrong; `oh_last_error` describes the first error found. Takes time proportional to
/// the size of the region.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { reader(base, length) }?.validate())
}

/// Returns the size of a bit vector and the address of its bits.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_get_info(
    base: *const c_void,
    length: usize,
    out: *mut oh_bitvector_info,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            let bits = reader(base, length)?;
            Ok(oh_bitvector_info {
                count: bits.len(),
                capacity: bits.capacity(),
                region_size: bits.region_length() as u64,
                bits: bits.words(),
            })
        })
    }
}

/// Returns one bit. `OH_ERR_RANGE` past the end.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_get(
    base: *const c_void,
    length: usize,
    index: u64,
    out: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            let bits = reader(base, length)?;
            bits.get(index).ok_or_else(|| {
                let len = bits.len();
                Error::range(format!("bit {index} is out of range: there are {len} bits"))
            })
        })
    }
}

/// Sets one bit to `bit`. `OH_ERR_RANGE` past the end.
///
/// # Safety
/// `base` is valid for reading and writing `length` bytes that no other thread writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_set(
    base: *mut c_void,
    length: usize,
    index: u64,
    bit: bool,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes
    // that no other thread writes.
    guard(|| unsafe { writer(base, length) }?.set(index, bit))
}

/// Inverts one bit. `*out` (unless `out` is NULL) becomes its new value. `OH_ERR_RANGE` past the
/// end.
///
/// # Safety
/// As for `oh_bitvector_set`; `out` is writable or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_flip(
    base: *mut c_void,
    length: usize,
    index: u64,
    out: *mut bool,
) -> oh_status {
    guard(|| {
        if !out.is_null() {
            check_pointer(out, "the output")?;
        }
        // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes
        // that no other thread writes and that `out` is writable or NULL.
        unsafe {
            let bit = writer(base, length)?.flip(index)?;
            if !out.is_null() {
                out.write(bit);
            }
        }
        Ok(())
    })
}

/// Appends one bit. `OH_ERR_FULL` if the region has no room: enlarge it with
/// `oh_bitvector_set_capacity`.
///
/// # Safety
/// As for `oh_bitvector_set`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_push(base: *mut c_void, length: usize, bit: bool) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes
        // that no other thread writes.
        if unsafe { writer(base, length) }?.push(bit) {
            return Ok(());
        }
        Err(Error::full("the region has no room for another bit"))
    })
}

/// Changes the number of bits. New bits are 0. `OH_ERR_FULL` if the region has no room for them.
///
/// # Safety
/// As for `oh_bitvector_set`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_set_count(base: *mut c_void, length: usize, len: u64) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes
    // that no other thread writes.
    guard(|| unsafe { writer(base, length) }?.set_length(len))
}

/// Changes the capacity of the region to at least `capacity` bits, which must not be less than the
/// number of bits. `OH_ERR_FULL` if `length` is less than `oh_bitvector_region_size(capacity)`:
/// copy the region to longer memory first, or `realloc` it.
///
/// # Safety
/// As for `oh_bitvector_set`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_set_capacity(
    base: *mut c_void,
    length: usize,
    capacity: u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes
    // that no other thread writes.
    guard(|| unsafe { writer(base, length) }?.set_capacity(capacity))
}

/// Returns the number of bits of the shortest bit vector that contains all of these positions: one
/// more than the largest. `type` is the numeric `oh_type` of the array's elements.
///
/// # Safety
/// `positions` points to `count` elements of the type, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_count_for(
    positions: *const c_void,
    r#type: u32,
    count: usize,
    out: *mut u64,
) -> oh_status {
    // Messages call them what `BitVector.fromIndices` does.
    // SAFETY: the caller guarantees that `positions` points to `count` elements of the type, `out`
    // is writable.
    unsafe { guard_out(out, || length_for(&numbers(positions, r#type, count, "indices")?)) }
}

/// Sets the bits at `count` positions to `bit`. `type` is the numeric `oh_type` of the array's
/// elements. `OH_ERR_RANGE`, with nothing changed, if an element is not a position of the vector.
///
/// # Safety
/// As for `oh_bitvector_set`; `positions` points to `count` elements of the type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_set_many(
    base: *mut c_void,
    length: usize,
    positions: *const c_void,
    r#type: u32,
    count: usize,
    bit: bool,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes
        // that no other thread writes and that `positions` points to `count` elements of the type.
        unsafe { writer(base, length)?.set_many(&numbers(positions, r#type, count, "positions")?, bit) }
    })
}

/// Copies `count` bytes over the first `8 * count` bits. The lowest bit of each byte comes first.
///
/// # Safety
/// As for `oh_bitvector_set`; `bytes` points to `count` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_load(
    base: *mut c_void,
    length: usize,
    bytes: *const c_void,
    count: usize,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes
        // that no other thread writes and that `bytes` points to `count` bytes.
        unsafe {
            let bytes = slice(bytes.cast::<u8>(), count, "bytes")?;
            writer(base, length)?.load(bytes.as_ptr(), count)
        }
    })
}

/// Returns the number of ones in the positions from `from` up to, but not including, `to`.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_count_ones(
    base: *const c_void,
    length: usize,
    from: u64,
    to: u64,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe { guard_out(out, || reader(base, length)?.consistent(|bits| bits.count(from, to))?) }
}

/// Sets the bits in the positions from `from` up to, but not including, `to` to `bit`.
///
/// # Safety
/// As for `oh_bitvector_set`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_fill(
    base: *mut c_void,
    length: usize,
    from: u64,
    to: u64,
    bit: bool,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes
    // that no other thread writes.
    guard(|| unsafe { writer(base, length) }?.fill(from, to, bit))
}

/// Inverts the bits in the positions from `from` up to, but not including, `to`.
///
/// # Safety
/// As for `oh_bitvector_set`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_invert(
    base: *mut c_void,
    length: usize,
    from: u64,
    to: u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes
    // that no other thread writes.
    guard(|| unsafe { writer(base, length) }?.invert(from, to))
}

/// Combines the bits in the positions from `from` up to, but not including, `to` with the bits of
/// another bit vector at the same positions, by the operation `op`, an `oh_bitvector_op`. No other
/// bit changes. Bits past the end of the other vector count as zeros. It may be the same region.
///
/// # Safety
/// As for `oh_bitvector_set`; `other` is valid for reading `other_length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_combine(
    base: *mut c_void,
    length: usize,
    op: u32,
    other: *const c_void,
    other_length: usize,
    from: u64,
    to: u64,
) -> oh_status {
    guard(|| {
        let op = match op {
            1 => Op::And,
            2 => Op::Or,
            3 => Op::Xor,
            4 => Op::AndNot,
            _ => return Err(Error::range(format!("invalid oh_bitvector_op: {op}"))),
        };
        // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes
        // that no other thread writes and that `other` is valid for reading `other_length` bytes.
        unsafe { writer(base, length)?.combine(op, &reader(other, other_length)?, from, to) }
    })
}

/// Returns the position of the first one (if `bit` is true) or zero at or after `from`, or
/// `OH_BITVECTOR_NONE`.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_next(
    base: *const c_void,
    length: usize,
    from: u64,
    bit: bool,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            let next = |bits: &RawBits| if bit { bits.next_one(from) } else { bits.next_zero(from) };
            Ok(reader(base, length)?.consistent(next)?.unwrap_or(OH_BITVECTOR_NONE))
        })
    }
}

/// Writes the positions of ones from `from` on, in ascending order, up to `room` of them.
/// `*written` becomes their number. `out_type` is a numeric `oh_type` that can represent every
/// position.
///
/// # Safety
/// `base` is valid for reading `length` bytes; `out` points to `room` elements of its type,
/// writable and used by no other thread; `written` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_ones(
    base: *const c_void,
    length: usize,
    from: u64,
    out: *mut c_void,
    out_type: u32,
    room: usize,
    written: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, that `out`
    // points to `room` elements of its type, writable and used by no other thread, that `written`
    // is writable.
    unsafe {
        guard_out(written, || {
            let mut out = numbers_mut(out, out_type, room, "out")?;
            reader(base, length)?.consistent(|bits| bits.ones_into(from, &mut out))?
        })
    }
}
