//! One thread's handle of a lock-free pool, with a cache.

use super::oh_lockfreepool;
use crate::args::check_pointer;
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, take_back, take_value};
use crate::status::oh_status;
use offheap_core::pools::lockfree::{Handle, ThreadLocalPool};
use std::ffi::c_void;

/// A handle of a pool with a cache, for one thread. Created by `oh_threadlocalpool_attach`, freed
/// by `oh_threadlocalpool_close`.
pub struct oh_threadlocalpool(ThreadLocalPool);

/// Like `oh_lockfreepool_attach`, with a cache of up to `cache` bytes.
///
/// # Safety
/// As for `oh_lockfreepool_attach`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_threadlocalpool_attach(
    base: *mut c_void,
    length: usize,
    cache: u64,
    out: *mut *mut oh_threadlocalpool,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes
    // until the handle is closed and that `out` is writable.
    unsafe {
        guard_out(out, || {
            hand_out(|| Ok(oh_threadlocalpool(Handle::attach(base.cast(), length)?.with_cache(cache)?)))
        })
    }
}

/// Returns the cached blocks to the pool, and frees the handle. NULL is allowed.
///
/// # Safety
/// `pool` is NULL, or a handle that is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_threadlocalpool_close(pool: *mut oh_threadlocalpool) {
    // SAFETY: the caller guarantees that `pool` is NULL, or a handle that is not used again.
    guard_value((), || unsafe { take_back(pool) });
}

/// Like `oh_lockfreepool_abandon`. The cached blocks are returned to the pool, too.
///
/// # Safety
/// `pool` is NULL, or a handle that is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_threadlocalpool_abandon(pool: *mut oh_threadlocalpool) {
    guard_value((), || {
        // SAFETY: the caller guarantees that `pool` is NULL, or a handle that is not used again.
        if let Some(oh_threadlocalpool(local)) = unsafe { take_value(pool) } {
            local.abandon();
        }
    });
}

/// Allocates a block, like `oh_lockfreepool_alloc`.
///
/// # Safety
/// `pool` is a handle that was not closed, and used by this thread only; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_threadlocalpool_alloc(
    pool: *mut oh_threadlocalpool,
    bytes: u64,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `pool` is a handle that was not closed, and used by this
    // thread only and that `out` is writable.
    unsafe {
        guard_out(out, || {
            check_pointer(pool, "pool")?;
            let offset = (*pool).0.alloc(bytes)?;
            (*pool).0.record_intent();
            Ok(offset)
        })
    }
}

/// Frees a block, like `oh_lockfreepool_free`.
///
/// # Safety
/// As for `oh_threadlocalpool_alloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_threadlocalpool_free(pool: *mut oh_threadlocalpool, offset: u64) -> oh_status {
    guard(|| {
        check_pointer(pool, "pool")?;
        // SAFETY: the caller guarantees that `pool` is a handle that was not closed, and used by
        // this thread only and that `out` is writable.
        unsafe { (*pool).0.free(offset) }
    })
}

/// Returns all cached blocks to the pool.
///
/// # Safety
/// As for `oh_threadlocalpool_alloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_threadlocalpool_flush(pool: *mut oh_threadlocalpool) -> oh_status {
    guard(|| {
        check_pointer(pool, "pool")?;
        // SAFETY: the caller guarantees that `pool` is a handle that was not closed, and used by
        // this thread only and that `out` is writable.
        unsafe { (*pool).0.flush() };
        Ok(())
    })
}

/// Returns the size of the largest request that the cache serves, in bytes; larger ones go to the
/// pool. 0 if it serves none.
///
/// # Safety
/// `pool` is a handle that was not closed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_threadlocalpool_largest(
    pool: *const oh_threadlocalpool,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `pool` is a handle that was not closed and that `out` is
    // writable.
    unsafe {
        guard_out(out, || {
            check_pointer(pool, "pool")?;
            Ok((*pool).0.largest())
        })
    }
}

/// Returns the number of bytes, in allocated and free blocks, that the cache keeps from other
/// threads.
///
/// # Safety
/// As for `oh_threadlocalpool_largest`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_threadlocalpool_held(
    pool: *const oh_threadlocalpool,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `pool` is a handle that was not closed and that `out` is
    // writable.
    unsafe {
        guard_out(out, || {
            check_pointer(pool, "pool")?;
            Ok((*pool).0.held())
        })
    }
}

/// Returns the handle without the cache, for counters and sizes; NULL for NULL. It is closed
/// together with the cache.
///
/// # Safety
/// `pool` is NULL or a handle that was not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_threadlocalpool_handle(
    pool: *const oh_threadlocalpool,
) -> *const oh_lockfreepool {
    guard_value(std::ptr::null(), || {
        // SAFETY: the caller guarantees that `pool` is NULL or a handle that was not closed.
        unsafe { pool.as_ref() }.map_or(std::ptr::null(), |pool| std::ptr::from_ref(pool.0.handle()).cast())
    })
}
