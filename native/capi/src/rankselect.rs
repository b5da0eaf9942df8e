//! Bits with rank and select.
//!
//! A region is made in two steps, because the memory is yours: `oh_rankselect_plan` counts the ones
//! of a bit vector and says how many bytes it takes, `oh_rankselect_build` fills them. Nothing
//! changes afterwards, so any number of threads may ask.
//!
//! `oh_rankselect_*(base, length, …)`: every function takes the region's memory and checks its
//! header, some 20 ns; for many questions there is `oh_rankselect_many`.

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

/// How bits, and what helps to find them, are laid out. The numbers are the format's.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum oh_rankselect_variant {
    /// One of the others, by density.
    OH_RANKSELECT_AUTO = 0,
    /// Plain bits, and an index beside them.
    OH_RANKSELECT_FLAT = 1,
    /// Counts and bits in one cache line: one miss for a rank.
    OH_RANKSELECT_INTERLEAVED = 2,
    /// The positions of ones, or of zeros if those are fewer: for few of either.
    OH_RANKSELECT_SPARSE = 3,
    /// All bits are alike, and not stored.
    OH_RANKSELECT_CONSTANT = 4,
}

/// A question, for `oh_rankselect_many`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum oh_rankselect_query {
    /// How many ones are before a position.
    OH_RANK1 = 1,
    /// How many zeros are before a position.
    OH_RANK0 = 2,
    /// Where the k-th one is, from 0.
    OH_SELECT1 = 3,
    /// Where the k-th zero is, from 0.
    OH_SELECT0 = 4,
}

/// What a region is, or is going to be.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_rankselect_info {
    /// An `oh_rankselect_variant`.
    pub variant: u32,
    /// How many bits.
    pub count: u64,
    /// How many of them are ones.
    pub ones: u64,
    /// Bytes of the region: the bits, what helps to find them, header and padding.
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
        .ok_or_else(|| Error::range(format!("{number} is no oh_rankselect_variant that can be asked for")))
}

/// # Safety
/// `base` is valid for reading `length` bytes while the view is used.
unsafe fn view(base: *const c_void, length: usize) -> Result<RawRankSelect> {
    // SAFETY: the caller's word.
    unsafe { RawRankSelect::attach(base.cast(), length) }
}

/// Plans rank and select for a bit vector: counts its ones, picks a variant if it is to
/// (`OH_RANKSELECT_AUTO`), and tells through `region_size` how much memory it takes.
/// `OH_ERR_RANGE` if the bits can not be stored in the variant.
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
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            let variant = if variant == 0 { None } else { Some(variant_of(variant)?) };
            let bits = RawBits::attach_shared(bits.cast(), bits_length, READ_TIMEOUT)?;
            let Plan { shape, length } = bits.consistent(|bits| plan(bits, variant))??;
            Ok(info(shape, length))
        })
    }
}

/// Builds what was planned for a bit vector, in `length` bytes at `base`. What they held is
/// overwritten. `OH_ERR_FULL` if they are too few, `OH_ERR_STALE` if the bit vector was changed
/// since; there is no region then.
///
/// # Safety
/// `base` is valid for writing `length` bytes that no other thread uses; `bits` is valid for
/// reading `bits_length` others; `planned` is what `oh_rankselect_plan` gave.
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
        // SAFETY: the caller vouches for all three. Whatever the plan says is checked.
        unsafe {
            let oh_rankselect_info { variant, count, ones, .. } = planned.read();
            let bits = RawBits::attach_shared(bits.cast(), bits_length, READ_TIMEOUT)?;
            if ones > bits.len() {
                return Err(Error::range(format!("{ones} of {} bits can not be ones", bits.len())));
            }
            let mut planned = rankselect::planned(&bits, variant_of(variant)?, ones)?;
            // Compared with the bits by whoever builds.
            planned.shape.length = count;
            build(base.cast(), length, &bits, &planned)
        }
    })
}

/// Checks in constant time that the memory holds bits with rank and select. After `OH_OK` no
/// function here reads outside it, whatever else it holds; and each checks the same again by
/// itself.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rankselect_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { view(base, length) }.map(|_| ()))
}

/// Proves that all contents are sound: counts everything anew. `OH_ERR_CORRUPT` says, through
/// `oh_last_error`, what is wrong first.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rankselect_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { view(base, length) }?.validate())
}

/// What the region holds.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rankselect_get_info(
    base: *const c_void,
    length: usize,
    out: *mut oh_rankselect_info,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            let view = view(base, length)?;
            Ok(info(view.shape(), view.region_length()))
        })
    }
}

/// Whether a bit is set. `OH_ERR_RANGE` past the end.
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
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            let view = view(base, length)?;
            view.get(position).ok_or_else(|| {
                let len = view.len();
                Error::range(format!("there is no bit {position} of {len}"))
            })
        })
    }
}

/// Answers one question, an `oh_rankselect_query`. `OH_ERR_RANGE` for a rank at a position above
/// the number of bits, and a select where there are not more ones (or zeros) than `question`.
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
    // SAFETY: the caller vouches for both.
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
        _ => Err(Error::range(format!("{number} is no oh_rankselect_query"))),
    }
}

/// Answers `count` questions of one kind, an `oh_rankselect_query`: `out[i]` belongs to
/// `questions[i]`. The waits for memory overlap, so this is faster than one by one even where the
/// header's check would not matter. Both types are `oh_type`s, numeric ones; those of `out` must
/// hold every position. `OH_ERR_RANGE`, with nothing written, as for `oh_rankselect_one`.
///
/// # Safety
/// `base` is valid for reading `length` bytes; `questions` points to `count` elements of its type,
/// and so does `out`, which is writable and used by nobody else. They may be the same array.
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
        // SAFETY: the caller vouches for all three.
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
