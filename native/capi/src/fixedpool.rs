//! FixedPool: a bounded pool for one thread.
//!
//! A pool's region is plain memory of yours (`oh_fixedpool_region_size`, `oh_fixedpool_init`); an
//! `oh_fixedpool` is a checked view of it, made once, through which blocks are allocated and freed
//! in a few nanoseconds.

use crate::args::{check_pointer, slice};
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, take_back};
use crate::options::{Flag, option_struct, read_struct};
use crate::status::oh_status;
use offheap_core::Result;
use offheap_core::pools::fixed::layout::{GUARDS, Shape, ZERO_ON_FREE};
use offheap_core::pools::fixed::raw::RawFixedPool;
use offheap_core::pools::fixed::validate;
use std::ffi::c_void;

/// What a new pool is to be. Zero it and set `struct_size`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_fixedpool_options {
    /// `sizeof(oh_fixedpool_options)`
    pub struct_size: usize,
    /// Sizes of blocks, in bytes; rounded up to a multiple of 8 and of the next smaller size.
    pub sizes: *const u64,
    /// Room for so many blocks of each size at once.
    pub blocks: *const u64,
    /// How many sizes there are, 1 to 16.
    pub classes: usize,
    /// Fill blocks with zeros when they are freed.
    pub zero_on_free: Flag,
    /// Put 16 known bytes behind each block, and look at them when it is freed.
    pub guards: Flag,
}
option_struct!(oh_fixedpool_options, through guards: Flag);

/// What a pool holds. Sizes are in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_fixedpool_stats {
    /// Room for blocks in all.
    pub capacity: u64,
    /// In allocated blocks now.
    pub used: u64,
    /// The most that was ever in allocated blocks.
    pub peak: u64,
    /// How many blocks are allocated.
    pub blocks: u32,
    /// How many requests found no room, modulo 2^32.
    pub failures: u32,
}

/// A view of a pool: made by `oh_fixedpool_attach`, freed by `oh_fixedpool_close`.
pub struct oh_fixedpool(RawFixedPool);

/// # Safety
/// As for [`read_struct`], and its arrays have `classes` readable elements.
unsafe fn read_options(options: *const oh_fixedpool_options) -> Result<Shape> {
    // SAFETY: the caller guarantees the struct and its arrays.
    let (options, sizes, blocks) = unsafe {
        let options = read_struct(options, "options")?;
        let sizes = slice(options.sizes, options.classes, "options.sizes")?;
        (options, sizes, slice(options.blocks, options.classes, "options.blocks")?)
    };
    Shape::new(sizes, blocks, options.zero_on_free.bits(ZERO_ON_FREE) | options.guards.bits(GUARDS))
}

/// Bytes of memory that a pool with these options takes.
///
/// # Safety
/// `options` points to a struct of the size it says, whose arrays have `classes` elements; `out` is
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_region_size(
    options: *const oh_fixedpool_options,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || Ok(read_options(options)?.length)) }
}

/// Makes an empty pool in `length` bytes at `base`, at least `oh_fixedpool_region_size`. What they
/// held is overwritten with zeros. `OH_ERR_FULL` if they are too few.
///
/// # Safety
/// `base` is valid for writing `length` bytes that no other thread uses; `options` as for
/// `oh_fixedpool_region_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_init(
    base: *mut c_void,
    length: usize,
    options: *const oh_fixedpool_options,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    guard(|| unsafe { RawFixedPool::init(base.cast(), length, read_options(options)?).map(|_| ()) })
}

/// Checks in constant time that the memory holds a pool.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory; attaching writes nothing.
    guard(|| unsafe { RawFixedPool::attach(base.cast_mut().cast(), length).map(|_| ()) })
}

/// Proves that a pool's bookkeeping is sound. `OH_ERR_CORRUPT` says, through `oh_last_error`, what
/// is wrong first.
///
/// # Safety
/// `base` is valid for reading `length` bytes, and no other thread allocates or frees in the pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory; the proof writes nothing.
    guard(|| unsafe { validate::validate(base.cast_mut().cast(), length) })
}

/// Makes a view of the pool in `length` bytes at `base`, which is checked. After `OH_OK` no
/// function here reads or writes outside it, whatever else it holds.
///
/// # Safety
/// `base` is valid for reading and writing `length` bytes until the view is closed; `out` is
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_attach(
    base: *mut c_void,
    length: usize,
    out: *mut *mut oh_fixedpool,
) -> oh_status {
    // SAFETY: the caller vouches for all three.
    unsafe { guard_out(out, || hand_out(|| Ok(oh_fixedpool(RawFixedPool::attach(base.cast(), length)?)))) }
}

/// Frees a view. The pool stays as it is. NULL is fine.
///
/// # Safety
/// `pool` is NULL, or a view that is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_close(pool: *mut oh_fixedpool) {
    // SAFETY: the caller vouches for the view.
    guard_value((), || unsafe { take_back(pool) });
}

/// The first byte of the pool's data: a block at offset `o` begins `o` bytes behind it. NULL for
/// NULL.
///
/// # Safety
/// `pool` is NULL or a view that was not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_data(pool: *const oh_fixedpool) -> *mut c_void {
    guard_value(std::ptr::null_mut(), || {
        // SAFETY: the caller vouches for the view.
        unsafe { pool.as_ref() }.map_or(std::ptr::null_mut(), |pool| pool.0.data().cast())
    })
}

/// Allocates a block of at least `bytes` bytes: its offset from `oh_fixedpool_data`. `OH_ERR_FULL`
/// where there is no room. One thread at a time.
///
/// # Safety
/// `pool` is a view that was not closed, and used by this thread only; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_alloc(pool: *mut oh_fixedpool, bytes: u64, out: *mut u64) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            check_pointer(pool, "pool")?;
            (*pool).0.alloc(bytes)
        })
    }
}

/// Gives a block back. `OH_ERR_STALE` for one that is free already, `OH_ERR_RANGE` for an offset
/// where none begins, `OH_ERR_CORRUPT` for one whose guard was overwritten; it stays allocated. One
/// thread at a time.
///
/// # Safety
/// As for `oh_fixedpool_alloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_free(pool: *mut oh_fixedpool, offset: u64) -> oh_status {
    guard(|| {
        check_pointer(pool, "pool")?;
        // SAFETY: the caller vouches for the view.
        unsafe { (*pool).0.free(offset) }
    })
}

/// How many bytes the allocated block at `offset` has for its user. Errors as for
/// `oh_fixedpool_free`.
///
/// # Safety
/// As for `oh_fixedpool_alloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_room(
    pool: *const oh_fixedpool,
    offset: u64,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            check_pointer(pool, "pool")?;
            (*pool).0.room(offset)
        })
    }
}

/// Counts and sizes.
///
/// # Safety
/// `pool` is a view that was not closed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_get_stats(
    pool: *const oh_fixedpool,
    out: *mut oh_fixedpool_stats,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            check_pointer(pool, "pool")?;
            let stats = (*pool).0.stats();
            Ok(oh_fixedpool_stats {
                capacity: stats.capacity,
                used: stats.used,
                peak: stats.peak,
                blocks: stats.blocks,
                failures: stats.failures,
            })
        })
    }
}
