//! Bits with rank and select.
//!
//! A region is built in two steps, because the caller owns the memory: `oh_rankselect_plan` counts
//! the ones of a bit vector and computes the number of bytes, and `oh_rankselect_build` fills them.
//! The region never changes after that, so any number of threads may query it.
//!
//! `oh_rankselect_*(base, length, …)`: every function takes the region's memory and checks its
//! header (about 20 ns); use `oh_rankselect_many` for many queries.

use crate::args::{check_pointer, numbers, numbers_mut};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::region::sequence::READ_TIMEOUT;
use offheap_core::succinct::bitvector::RawBits;
use offheap_core::succinct::rankselect::bulk::{Query, answer};
use offheap_core::succinct::rankselect::layout::Shape;
use offheap_core::succinct::rankselect::{self, Plan, RawRankSelect, Variant, build, plan};
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// Layouts of bits with rank and select. The numbers are those of the format.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum oh_rankselect_variant {
    /// Choose one of the others by the density of ones.
    OH_RANKSELECT_AUTO = 0,
    /// Plain bits, and a separate index.
    OH_RANKSELECT_FLAT = 1,
    /// Counts and bits in the same cache line: one cache miss for a rank.
    OH_RANKSELECT_INTERLEAVED = 2,
    /// The positions of ones, or of zeros if there are fewer of them. For bits of which few are
    /// ones, or few are zeros.
    OH_RANKSELECT_SPARSE = 3,
    /// All bits are equal, and none is stored.
    OH_RANKSELECT_CONSTANT = 4,
}

/// Queries of `oh_rankselect_one` and `oh_rankselect_many`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum oh_rankselect_query {
    /// The number of ones before a position.
    OH_RANK1 = 1,
    /// The number of zeros before a position.
    OH_RANK0 = 2,
    /// The position of the k-th one, counted from 0.
    OH_SELECT1 = 3,
    /// The position of the k-th zero, counted from 0.
    OH_SELECT0 = 4,
}

/// The parameters and the size of a region with rank and select, or of a planned one.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_rankselect_info {
    /// An `oh_rankselect_variant`.
    pub variant: u32,
    /// Number of bits.
    pub count: u64,
    /// Number of ones.
    pub ones: u64,
    /// Size of the region in bytes: header, bits, index and padding.
    pub region_size: u64,
}

fn info(shape: Shape, region_size: usize) -> oh_rankselect_info {
    oh_rankselect_info {
        variant: shape.variant as u32,
        count: shape.length,
        ones: shape.ones,
        region_size: region_size as u64,
    }
}

fn variant_of(number: u32) -> Result<Variant> {
    Variant::from_number(number)
        .ok_or_else(|| Error::range(format!("invalid oh_rankselect_variant: {number}")))
}

/// # Safety
/// `base` is valid for reading `length` bytes while the view is used.
unsafe fn view(base: *const c_void, length: usize) -> Result<RawRankSelect> {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes while the view
    // is used.
    unsafe { RawRankSelect::attach(base.cast(), length) }
}

/// Plans rank and select for a bit vector: counts its ones, chooses a variant for
/// `OH_RANKSELECT_AUTO`, and computes the number of bytes needed (`region_size`). `OH_ERR_RANGE` if
/// the bits cannot be stored in the variant.
///
/// # Safety
/// `bits` is valid for reading `bits_length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rankselect_plan(
    bits: *const c_void,
    bits_length: usize,
    variant: u32,
    out: *mut oh_rankselect_info,
) -> oh_status {
    // SAFETY: the caller guarantees that `bits` is valid for reading `bits_length` bytes, and that
    // `out` is writable.
    unsafe {
        guard_out(out, || {
            let variant = if variant == 0 { None } else { Some(variant_of(variant)?) };
            let bits = RawBits::attach_shared(bits.cast(), bits_length, READ_TIMEOUT)?;
            let Plan { shape, length } = bits.consistent(|bits| plan(bits, variant))??;
            Ok(info(shape, length))
        })
    }
}

/// Builds a planned region in `length` bytes at `base`, overwriting them. `OH_ERR_FULL` if `length`
/// is less than the plan's `region_size`; `OH_ERR_STALE` if the bit vector was changed since it was
/// planned. After an error the memory is not a valid region.
///
/// # Safety
/// `base` is valid for writing `length` bytes that no other thread uses; `bits` is valid for
/// reading `bits_length` bytes, which do not overlap them; `planned` points to the result of
/// `oh_rankselect_plan`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rankselect_build(
    base: *mut c_void,
    length: usize,
    bits: *const c_void,
    bits_length: usize,
    planned: *const oh_rankselect_info,
) -> oh_status {
    guard(|| {
        check_pointer(planned, "planned")?;
        // SAFETY: the caller guarantees all three. Whatever the plan says is checked.
        unsafe {
            let oh_rankselect_info { variant, count, ones, .. } = planned.read();
            let bits = RawBits::attach_shared(bits.cast(), bits_length, READ_TIMEOUT)?;
            if ones > bits.len() {
                return Err(Error::range(format!("invalid number of ones: {ones} of {} bits", bits.len())));
            }
            let mut planned = rankselect::planned(&bits, variant_of(variant)?, ones)?;
            // `build` compares it with the bits.
            planned.shape.length = count;
            build(base.cast(), length, &bits, &planned)
        }
    })
}

/// Checks in constant time that `length` bytes at `base` contain bits with rank and select.
///
/// After `OH_OK`, no `oh_rankselect_` function reads outside these bytes, whatever their contents.
/// Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for another kind
/// of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rankselect_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { view(base, length) }.map(|_| ()))
}

/// Verifies the bits, the index and the checksum (if there is one). `OH_ERR_CORRUPT` if something
/// is wrong; `oh_last_error` describes the first error found. Counts all bits again.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rankselect_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { view(base, length) }?.validate())
}

/// Returns the parameters and the size of a region with rank and select.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rankselect_get_info(
    base: *const c_void,
    length: usize,
    out: *mut oh_rankselect_info,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            let view = view(base, length)?;
            Ok(info(view.shape(), view.region_length()))
        })
    }
}

/// Returns one bit. `OH_ERR_RANGE` past the end.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rankselect_get(
    base: *const c_void,
    length: usize,
    position: u64,
    out: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            let view = view(base, length)?;
            view.get(position).ok_or_else(|| {
                let len = view.len();
                Error::range(format!("bit {position} is out of range: there are {len} bits"))
            })
        })
    }
}

/// Answers one query, an `oh_rankselect_query`. `OH_ERR_RANGE` for a rank at a position greater
/// than the number of bits, and for a select of a one (or zero) that does not exist.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rankselect_one(
    base: *const c_void,
    length: usize,
    query: u32,
    question: u64,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            let view = view(base, length)?;
            let inside = question <= view.len();
            let found = match query_of(query)? {
                Query::Rank1 => inside.then(|| view.rank1(question)),
                Query::Rank0 => inside.then(|| view.rank0(question)),
                Query::Select1 => view.select1(question),
                Query::Select0 => view.select0(question),
            };
            found.ok_or_else(|| Error::range(format!("{question} is out of range")))
        })
    }
}

fn query_of(number: u32) -> Result<Query> {
    match number {
        1 => Ok(Query::Rank1),
        2 => Ok(Query::Rank0),
        3 => Ok(Query::Select1),
        4 => Ok(Query::Select0),
        _ => Err(Error::range(format!("invalid oh_rankselect_query: {number}"))),
    }
}

/// Answers `count` queries of one kind, an `oh_rankselect_query`: `out[i]` for `questions[i]`. This
/// is faster than one by one, because the cache misses overlap and the header is checked once. Both
/// types are numeric `oh_type`s, and that of `out` must be able to represent every position.
/// `OH_ERR_RANGE`, with nothing written, as for `oh_rankselect_one`.
///
/// # Safety
/// `base` is valid for reading `length` bytes; `questions` points to `count` elements of its type,
/// and so does `out`, which is writable and used by no other thread. They may be the same array.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rankselect_many(
    base: *const c_void,
    length: usize,
    query: u32,
    questions: *const c_void,
    question_type: u32,
    count: usize,
    out: *mut c_void,
    out_type: u32,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes and that
        // `questions` points to `count` elements of its type, and so does `out`, which is writable
        // and used by no other thread, and that they may be the same array.
        unsafe {
            let view = view(base, length)?;
            let mut out = numbers_mut(out, out_type, count, "out")?;
            let query = query_of(query)?;
            let name = match query {
                Query::Rank1 | Query::Rank0 => "positions",
                Query::Select1 | Query::Select0 => "ks",
            };
            let questions = numbers(questions, question_type, count, name)?;
            answer(&view, query, &questions, &mut out)
        }
    })
}
