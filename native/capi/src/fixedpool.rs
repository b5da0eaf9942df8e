//! FixedPool: a bounded pool for one thread.
//!
//! The region of a pool is plain memory of the caller (`oh_fixedpool_region_size`,
//! `oh_fixedpool_init`). An `oh_fixedpool` is a checked view of it, created once, through which
//! blocks are allocated and freed in a few nanoseconds.

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

/// Options of a new pool. Set all bytes to 0, and then `struct_size`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_fixedpool_options {
    /// `sizeof(oh_fixedpool_options)`
    pub struct_size: usize,
    /// Sizes of the blocks of each class, in bytes. Each is rounded up to a multiple of 8 and of
    /// the next smaller size.
    pub sizes: *const u64,
    /// Number of blocks of each class that fit at the same time.
    pub blocks: *const u64,
    /// Number of classes, 1 to 16.
    pub classes: usize,
    /// Fill blocks with zeros when they are freed.
    pub zero_on_free: Flag,
    /// Put 16 known bytes after each block, and check them when it is freed.
    pub guards: Flag,
}
option_struct!(oh_fixedpool_options, through guards: Flag);

/// Counters of a pool. Sizes are in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_fixedpool_stats {
    /// Total size of the blocks that fit.
    pub capacity: u64,
    /// Size of the allocated blocks.
    pub used: u64,
    /// The largest value of `used` so far.
    pub peak: u64,
    /// Number of allocated blocks.
    pub blocks: u32,
    /// Number of requests that found no room, modulo 2^32.
    pub failures: u32,
}

/// A view of a pool. Created by `oh_fixedpool_attach`, freed by `oh_fixedpool_close`.
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

/// Computes the number of bytes that a pool with these options needs. `OH_ERR_RANGE` for sizes or
/// numbers outside their range.
///
/// # Safety
/// `options` points to as many readable bytes as its `struct_size` says, and its arrays have
/// `classes` elements; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_region_size(
    options: *const oh_fixedpool_options,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `options` points to a struct of the size it says, whose
    // arrays have `classes` elements and that `out` is writable.
    unsafe { guard_out(out, || Ok(read_options(options)?.length)) }
}

/// Creates an empty pool in `length` bytes at `base`, overwriting them with zeros. `OH_ERR_FULL` if
/// `length` is less than `oh_fixedpool_region_size`.
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
    // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes that no other
    // thread uses and that `options` as for `oh_fixedpool_region_size`.
    guard(|| unsafe { RawFixedPool::init(base.cast(), length, read_options(options)?).map(|_| ()) })
}

/// Checks in constant time that `length` bytes at `base` contain a fixed pool.
///
/// After `OH_OK`, no `oh_fixedpool_` function reads or writes outside these bytes, whatever their
/// contents. Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for
/// another kind of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees the memory; attaching writes nothing.
    guard(|| unsafe { RawFixedPool::attach(base.cast_mut().cast(), length).map(|_| ()) })
}

/// Verifies the bookkeeping of a pool. `OH_ERR_CORRUPT` if something is wrong; `oh_last_error`
/// describes the first error found.
///
/// # Safety
/// `base` is valid for reading `length` bytes, and no other thread allocates or frees in the pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees the memory; the proof writes nothing.
    guard(|| unsafe { validate::validate(base.cast_mut().cast(), length) })
}

/// Creates a view of the pool in `length` bytes at `base`, and checks it as `oh_fixedpool_check`
/// does. Close it with `oh_fixedpool_close`.
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
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes
    // until the view is closed and that `out` is writable.
    unsafe { guard_out(out, || hand_out(|| Ok(oh_fixedpool(RawFixedPool::attach(base.cast(), length)?)))) }
}

/// Frees a view. The pool does not change. NULL is allowed.
///
/// # Safety
/// `pool` is NULL, or a view that is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_close(pool: *mut oh_fixedpool) {
    // SAFETY: the caller guarantees that `pool` is NULL, or a view that is not used again.
    guard_value((), || unsafe { take_back(pool) });
}

/// Returns the address of the pool's data; NULL for NULL. A block with offset `o` begins `o` bytes
/// after it.
///
/// # Safety
/// `pool` is NULL or a view that was not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_data(pool: *const oh_fixedpool) -> *mut c_void {
    guard_value(std::ptr::null_mut(), || {
        // SAFETY: the caller guarantees that `pool` is NULL or a view that was not closed.
        unsafe { pool.as_ref() }.map_or(std::ptr::null_mut(), |pool| pool.0.data().cast())
    })
}

/// Allocates a block of at least `bytes` bytes. `*out` becomes its offset from `oh_fixedpool_data`.
/// `OH_ERR_FULL` if there is no room. Only one thread at a time may change a pool.
///
/// # Safety
/// `pool` is a view that was not closed, and used by this thread only; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_alloc(pool: *mut oh_fixedpool, bytes: u64, out: *mut u64) -> oh_status {
    // SAFETY: the caller guarantees that `pool` is a view that was not closed, and used by this
    // thread only and that `out` is writable.
    unsafe {
        guard_out(out, || {
            check_pointer(pool, "pool")?;
            (*pool).0.alloc(bytes)
        })
    }
}

/// Frees a block. `OH_ERR_STALE` if it is free already; `OH_ERR_RANGE` for an offset at which no
/// block begins; `OH_ERR_CORRUPT` if its guard was overwritten, in which case it stays allocated.
/// Only one thread at a time may change a pool.
///
/// # Safety
/// As for `oh_fixedpool_alloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_free(pool: *mut oh_fixedpool, offset: u64) -> oh_status {
    guard(|| {
        check_pointer(pool, "pool")?;
        // SAFETY: the caller guarantees that `pool` is a view that was not closed, and used by this
        // thread only and that `out` is writable.
        unsafe { (*pool).0.free(offset) }
    })
}

/// Returns the usable size of the allocated block at `offset`, in bytes. The errors are those of
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
    // SAFETY: the caller guarantees that `pool` is a view that was not closed, and used by this
    // thread only and that `out` is writable.
    unsafe {
        guard_out(out, || {
            check_pointer(pool, "pool")?;
            (*pool).0.room(offset)
        })
    }
}

/// Returns the counters of a pool.
///
/// # Safety
/// `pool` is a view that was not closed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_fixedpool_get_stats(
    pool: *const oh_fixedpool,
    out: *mut oh_fixedpool_stats,
) -> oh_status {
    // SAFETY: the caller guarantees that `pool` is a view that was not closed and that `out` is
    // writable.
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
