//! The bit vector.
//!
//! `oh_bitvector_*(base, length, …)`: every function takes the region's memory, checks its header
//! (some 20 ns), and works on it in place. Bit i is bit i % 8 of byte i / 8 of the bits. There is
//! one writer at a time; what only reads may run on any thread, and waits while the writer changes
//! a range.

use crate::args::{check_pointer, numbers, numbers_mut, slice};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::region::sequence::READ_TIMEOUT;
use offheap_core::succinct::bitvector::{RawBits, RawBitsMut, layout, length_for};
use offheap_core::succinct::runs::Op;
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// What `oh_bitvector_next` gives where there is no such bit.
pub const OH_BITVECTOR_NONE: u64 = u64::MAX;

/// What a bit vector holds.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_bitvector_info {
    /// How many bits.
    pub count: u64,
    /// How many the region has room for.
    pub capacity: u64,
    /// Bytes of the region. The memory it lies in may be longer.
    pub region_size: u64,
    /// The bits: `capacity / 8` bytes, those from `len` on zero. Good until the region is made
    /// longer.
    pub bits: *const u64,
}

/// Set algebra: what `oh_bitvector_combine` leaves in the first of two bit vectors.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum oh_bitvector_op {
    /// What is in both.
    OH_BITVECTOR_AND = 1,
    /// What is in either.
    OH_BITVECTOR_OR = 2,
    /// What is in one of them only.
    OH_BITVECTOR_XOR = 3,
    /// What is in the first and not in the second.
    OH_BITVECTOR_AND_NOT = 4,
}

/// # Safety
/// `base` is valid for reading `length` bytes while the view is used.
unsafe fn reader(base: *const c_void, length: usize) -> Result<RawBits> {
    // SAFETY: the caller's word.
    unsafe { RawBits::attach_shared(base.cast(), length, READ_TIMEOUT) }
}

/// # Safety
/// `base` is valid for reading and writing `length` bytes that no other thread writes while the
/// view is used.
unsafe fn writer(base: *mut c_void, length: usize) -> Result<RawBitsMut> {
    // SAFETY: the caller's word.
    unsafe { RawBitsMut::attach(base.cast(), length) }
}

/// Bytes of memory that a bit vector with room for so many bits takes. `OH_ERR_RANGE` above 2^40.
///
/// # Safety
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_region_size(capacity: u64, out: *mut usize) -> oh_status {
    // SAFETY: the caller vouches for it.
    unsafe { guard_out(out, || layout::region_length(capacity)) }
}

/// Makes a bit vector of `bits` zeros in `length` bytes at `base`, at least
/// `oh_bitvector_region_size`. What they held is overwritten.
///
/// The memory stays yours: it has no pointers in it, so it can be copied, saved and mapped
/// elsewhere.
///
/// # Safety
/// `base` is valid for writing `length` bytes that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_init(base: *mut c_void, length: usize, bits: u64) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { layout::init(base.cast(), length, bits) })
}

/// Checks in constant time that the memory holds a bit vector. After `OH_OK` no function here reads
/// or writes outside it, whatever else it holds; and each checks the same again by itself.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { reader(base, length) }.map(|_| ()))
}

/// Proves that all contents are sound. O(bytes). `OH_ERR_CORRUPT` says, through `oh_last_error`,
/// what is wrong first.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { reader(base, length) }?.validate())
}

/// What the region holds.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_get_info(
    base: *const c_void,
    length: usize,
    out: *mut oh_bitvector_info,
) -> oh_status {
    // SAFETY: the caller vouches for both.
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

/// Whether a bit is set. `OH_ERR_RANGE` past the end.
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
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            let bits = reader(base, length)?;
            bits.get(index).ok_or_else(|| {
                let len = bits.len();
                Error::range(format!("there is no bit {index} in a bit vector of {len}"))
            })
        })
    }
}

/// Sets a bit to a value. `OH_ERR_RANGE` past the end.
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
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { writer(base, length) }?.set(index, bit))
}

/// Inverts a bit; `out`, unless it is NULL, tells what it is then. `OH_ERR_RANGE` past the end.
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
        // SAFETY: the caller vouches for both.
        unsafe {
            let bit = writer(base, length)?.flip(index)?;
            if !out.is_null() {
                out.write(bit);
            }
        }
        Ok(())
    })
}

/// Appends a bit. `OH_ERR_FULL` where the region has no room: give it more with
/// `oh_bitvector_set_capacity`.
///
/// # Safety
/// As for `oh_bitvector_set`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_push(base: *mut c_void, length: usize, bit: bool) -> oh_status {
    guard(|| {
        // SAFETY: the caller vouches for the memory.
        if unsafe { writer(base, length) }?.push(bit) {
            return Ok(());
        }
        Err(Error::full("the region has room for no more bits"))
    })
}

/// Makes the vector longer, by zeros, or shorter. `OH_ERR_FULL` if its region has no room for that.
///
/// # Safety
/// As for `oh_bitvector_set`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_set_count(base: *mut c_void, length: usize, len: u64) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { writer(base, length) }?.set_length(len))
}

/// Gives the region room for so many bits, at least as many as there are. `length` must be at least
/// `oh_bitvector_region_size(capacity)` then (else `OH_ERR_FULL`): so copy the region to longer
/// memory first, or `realloc` it.
///
/// # Safety
/// As for `oh_bitvector_set`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bitvector_set_capacity(
    base: *mut c_void,
    length: usize,
    capacity: u64,
) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { writer(base, length) }?.set_capacity(capacity))
}

/// The length of the shortest bit vector that has all of these positions: one more than the
/// largest. `type` is an `oh_type`.
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
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || length_for(&numbers(positions, r#type, count, "indices")?)) }
}

/// Gives the bits at `count` positions one value. `type` is an `oh_type`, any numeric one.
/// `OH_ERR_RANGE`, with nothing changed, if one is no position.
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
        // SAFETY: the caller vouches for both.
        unsafe { writer(base, length)?.set_many(&numbers(positions, r#type, count, "positions")?, bit) }
    })
}

/// Copies bytes over the first bits, eight bits from each, the lowest first.
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
        // SAFETY: the caller vouches for both.
        unsafe {
            let bytes = slice(bytes.cast::<u8>(), count, "bytes")?;
            writer(base, length)?.load(bytes.as_ptr(), count)
        }
    })
}

/// How many ones there are from position `from` to before `to`.
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
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || reader(base, length)?.consistent(|bits| bits.count(from, to))?) }
}

/// Gives all bits from position `from` to before `to` one value.
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
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { writer(base, length) }?.fill(from, to, bit))
}

/// Inverts all bits from position `from` to before `to`.
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
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { writer(base, length) }?.invert(from, to))
}

/// Combines the bits from position `from` to before `to` with those of another bit vector at the
/// same positions, by an `oh_bitvector_op`, and changes no other bit. Past its end the other one
/// counts as zeros. It may be the same region.
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
            _ => return Err(Error::range(format!("{op} is no oh_bitvector_op"))),
        };
        // SAFETY: the caller vouches for both.
        unsafe { writer(base, length)?.combine(op, &reader(other, other_length)?, from, to) }
    })
}

/// The position of the first one (`bit` true) or zero at `from` or after it; `OH_BITVECTOR_NONE` if
/// there is none.
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
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            let next = |bits: &RawBits| if bit { bits.next_one(from) } else { bits.next_zero(from) };
            Ok(reader(base, length)?.consistent(next)?.unwrap_or(OH_BITVECTOR_NONE))
        })
    }
}

/// Writes the positions of ones, in order, from `from` on: `room` at the most. `written` tells how
/// many. `out_type` is an `oh_type`, a numeric one that holds every position.
///
/// # Safety
/// `base` is valid for reading `length` bytes; `out` points to `room` elements of its type,
/// writable and used by nobody else; `written` is writable.
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
    // SAFETY: the caller vouches for all three.
    unsafe {
        guard_out(written, || {
            let mut out = numbers_mut(out, out_type, room, "out")?;
            reader(base, length)?.consistent(|bits| bits.ones_into(from, &mut out))?
        })
    }
}
