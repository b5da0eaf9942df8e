//! LockFreePool and its caches: one pool for all threads.
//!
//! The region of a pool is plain memory of the caller (`oh_lockfreepool_region_size`,
//! `oh_lockfreepool_init`), which may be shared between threads. Each thread creates its own
//! handle: an `oh_lockfreepool`, or an `oh_threadlocalpool`, which has a cache, so that most of its
//! operations access no word that other threads write. A block may be freed through any handle.

pub mod threadlocalpool;

use crate::args::check_pointer;
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, take_back, take_value};
use crate::options::{Flag, option_struct, read_struct};
use crate::status::oh_status;
use offheap_core::Result;
use offheap_core::pools::lockfree::Handle;
use offheap_core::pools::lockfree::layout::{COMPACT, GUARDS, Options, SLOT_WORDS, Shape, ZERO_ON_FREE};
use offheap_core::pools::lockfree::validate;
use std::ffi::c_void;

/// Options of a new pool. Set all bytes to 0, and then `struct_size` and `capacity`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_lockfreepool_options {
    /// `sizeof(oh_lockfreepool_options)`
    pub struct_size: usize,
    /// Total size of the blocks in bytes, up to 2^32; rounded up to whole chunks.
    pub capacity: u64,
    /// Size of a chunk in bytes, a power of two from 1 KiB to 1 MiB. 0 means a 64th of the
    /// capacity, within these limits.
    pub chunk: u64,
    /// Size of the smallest block in bytes, a power of two from 16 on. 0 means 64, or 16 if
    /// `compact` is set.
    pub smallest: u64,
    /// Maximum number of handles at the same time, up to 1023. 0 means 128, or 32 if `compact` is
    /// set.
    pub handles: u32,
    /// Fill blocks with zeros when they are freed.
    pub zero_on_free: Flag,
    /// Put 16 known bytes after each block, and check them when it is freed.
    pub guards: Flag,
    /// Do not spread the bookkeeping over cache lines: less memory, more contention.
    pub compact: Flag,
}
option_struct!(oh_lockfreepool_options, through compact: Flag);

/// Counters of a pool. Sizes are in bytes. Each counter is read at its own moment, so together they
/// may be inconsistent while other threads use the pool.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_lockfreepool_stats {
    /// Total size of the blocks that fit.
    pub capacity: u64,
    /// Size of the allocated blocks.
    pub used: u64,
    /// Size of the free blocks in caches.
    pub cached: u64,
    /// Number of allocated blocks.
    pub blocks: u64,
    /// Number of requests that found no room, modulo 2^32.
    pub failures: u32,
    /// Number of handles.
    pub handles: u32,
}

/// The layout of a pool's words. Fields with names that end in `_at` are indices of 32-bit words.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_lockfreepool_layout {
    /// Offset of the data in bytes.
    pub data: u64,
    /// Size of the data in bytes.
    pub capacity: u64,
    /// The option word.
    pub options: u32,
    /// Logarithm to base 2 of the size of a chunk in bytes.
    pub chunk_shift: u32,
    /// Logarithm to base 2 of the size of the smallest block in bytes.
    pub min_shift: u32,
    /// Logarithm to base 2 of the number of group words of a chunk.
    pub group_shift: u32,
    /// Index of this handle's slot.
    pub slot: u32,
    /// The slot of this handle.
    pub slot_at: u32,
    /// Descriptors of the chunks.
    pub chunks_at: u32,
    /// Hints.
    pub hints_at: u32,
    /// Group words.
    pub groups_at: u32,
    /// The owner words of the groups.
    pub caches_at: u32,
    /// Total number of words.
    pub words: u32,
}

/// A handle of a pool, for one thread. Created by `oh_lockfreepool_attach`, freed by
/// `oh_lockfreepool_close`.
pub struct oh_lockfreepool {
    /// Pointers to it are pointers to a `Handle`, so that the one inside an `oh_threadlocalpool`
    /// can be lent.
    _handle: [u8; 0],
}

/// # Safety
/// As for [`read_struct`].
unsafe fn read_options(options: *const oh_lockfreepool_options) -> Result<Shape> {
    // SAFETY: the caller guarantees the same.
    let options = unsafe { read_struct(options, "options") }?;
    Shape::new(Options {
        capacity: options.capacity,
        chunk: options.chunk,
        smallest: options.smallest,
        slots: options.handles,
        flags: options.zero_on_free.bits(ZERO_ON_FREE)
            | options.guards.bits(GUARDS)
            | options.compact.bits(COMPACT),
    })
}

/// Computes the number of bytes that a pool with these options needs. `OH_ERR_RANGE` for an option
/// outside its range.
///
/// # Safety
/// `options` points to as many readable bytes as its `struct_size` says; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_region_size(
    options: *const oh_lockfreepool_options,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `options` points to a struct of the size it says and that
    // `out` is writable.
    unsafe { guard_out(out, || Ok(read_options(options)?.length)) }
}

/// Creates an empty pool in `length` bytes at `base`, a multiple of 8 (preferably of 64). They are
/// overwritten with zeros, unless the caller guarantees with `zeroed` that they are zero already.
/// `OH_ERR_FULL` if `length` is less than `oh_lockfreepool_region_size`.
///
/// # Safety
/// `base` is valid for writing `length` bytes that no other thread uses; `options` as for
/// `oh_lockfreepool_region_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_init(
    base: *mut c_void,
    length: usize,
    options: *const oh_lockfreepool_options,
    zeroed: bool,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes that no other
    // thread uses and that `options` as for `oh_lockfreepool_region_size`.
    guard(|| unsafe { Handle::init(base.cast(), length, read_options(options)?, zeroed) })
}

/// Verifies the bookkeeping of a pool. `OH_ERR_CORRUPT` if something is wrong; `oh_last_error`
/// describes the first error found.
///
/// # Safety
/// `base` is valid for reading `length` bytes. If another thread allocates or frees at the same
/// time, a valid pool may appear to be corrupt.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees the memory; the proof writes nothing.
    guard(|| unsafe { validate::validate(base.cast_mut().cast(), length) })
}

/// Creates a handle of this thread for the pool in `length` bytes at `base`, whose header is
/// checked in constant time. After `OH_OK`, no `oh_lockfreepool_` function reads or writes outside
/// these bytes, whatever their contents. `OH_ERR_FULL` if there are too many handles. Close it with
/// `oh_lockfreepool_close`.
///
/// # Safety
/// `base` is valid for reading and writing `length` bytes until the handle is closed; `out` is
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_attach(
    base: *mut c_void,
    length: usize,
    out: *mut *mut oh_lockfreepool,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes
    // until the handle is closed and that `out` is writable.
    unsafe { guard_out(out, || hand_out(|| Handle::attach(base.cast(), length)).map(<*mut Handle>::cast)) }
}

/// Frees a handle. The pool does not change. NULL is allowed.
///
/// # Safety
/// `pool` is NULL, or a handle that is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_close(pool: *mut oh_lockfreepool) {
    // SAFETY: the caller guarantees that `pool` is NULL, or a handle that is not used again.
    guard_value((), || unsafe { take_back(pool.cast::<Handle>()) });
}

/// Frees the handle of a thread that ended without closing it. Any thread may call this function.
/// If the block that the thread allocated last is still allocated, `oh_lockfreepool_suspects` lists
/// it from then on. NULL is allowed.
///
/// # Safety
/// `pool` is NULL, or a handle that is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_abandon(pool: *mut oh_lockfreepool) {
    guard_value((), || {
        // SAFETY: the caller guarantees that `pool` is NULL, or a handle that is not used again.
        if let Some(handle) = unsafe { take_value(pool.cast::<Handle>()) } {
            handle.abandon();
        }
    });
}

/// Returns the address of the pool's data; NULL for NULL. A block with offset `o` begins `o` bytes
/// after it.
///
/// # Safety
/// `pool` is NULL or a handle that was not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_data(pool: *const oh_lockfreepool) -> *mut c_void {
    guard_value(std::ptr::null_mut(), || {
        // SAFETY: the caller guarantees that `pool` is NULL or a handle that was not closed.
        unsafe { pool.cast::<Handle>().as_ref() }.map_or(std::ptr::null_mut(), |handle| handle.data().cast())
    })
}

/// Returns the layout of the pool's words, for code that implements the protocol of
/// `docs/formats/pools.md` itself.
///
/// # Safety
/// `pool` is a handle that was not closed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_get_layout(
    pool: *const oh_lockfreepool,
    out: *mut oh_lockfreepool_layout,
) -> oh_status {
    // SAFETY: the caller guarantees that `pool` is a handle that was not closed and that `out` is
    // writable.
    unsafe {
        guard_out(out, || {
            check_pointer(pool, "pool")?;
            let handle = &*pool.cast::<Handle>();
            let shape = handle.shape();
            let geometry = &shape.geometry;
            Ok(oh_lockfreepool_layout {
                data: shape.data as u64,
                capacity: geometry.capacity(),
                options: shape.options,
                chunk_shift: geometry.chunk_shift,
                min_shift: geometry.min_shift,
                group_shift: geometry.group_shift,
                slot: handle.slot(),
                slot_at: (geometry.slots_at + handle.slot() as usize * SLOT_WORDS) as u32,
                chunks_at: geometry.chunks_at as u32,
                hints_at: geometry.hints_at as u32,
                groups_at: geometry.groups_at as u32,
                caches_at: geometry.caches_at as u32,
                words: geometry.words as u32,
            })
        })
    }
}

/// Allocates a block of at least `bytes` bytes. `*out` becomes its offset from
/// `oh_lockfreepool_data`. `OH_ERR_FULL` if there is no room.
///
/// # Safety
/// `pool` is a handle that was not closed, and used by this thread only; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_alloc(
    pool: *const oh_lockfreepool,
    bytes: u64,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `pool` is a handle that was not closed, and used by this
    // thread only and that `out` is writable.
    unsafe {
        guard_out(out, || {
            check_pointer(pool, "pool")?;
            (*pool.cast::<Handle>()).alloc(bytes)
        })
    }
}

/// Frees a block, which may have been allocated through another handle. `OH_ERR_STALE` if it is
/// free already; `OH_ERR_RANGE` for an offset at which no block begins; `OH_ERR_CORRUPT` if its
/// guard was overwritten, in which case it stays allocated.
///
/// # Safety
/// As for `oh_lockfreepool_alloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_free(pool: *const oh_lockfreepool, offset: u64) -> oh_status {
    guard(|| {
        check_pointer(pool, "pool")?;
        // SAFETY: the caller guarantees that `pool` is a handle that was not closed, and used by
        // this thread only and that `out` is writable.
        unsafe { (*pool.cast::<Handle>()).free(offset) }
    })
}

/// Returns the usable size of the allocated block at `offset`, in bytes. The errors are those of
/// `oh_lockfreepool_free`.
///
/// # Safety
/// As for `oh_lockfreepool_alloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_room(
    pool: *const oh_lockfreepool,
    offset: u64,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `pool` is a handle that was not closed, and used by this
    // thread only and that `out` is writable.
    unsafe {
        guard_out(out, || {
            check_pointer(pool, "pool")?;
            (*pool.cast::<Handle>()).room(offset)
        })
    }
}

/// Returns the counters of a pool. Takes O(blocks / 16).
///
/// # Safety
/// `pool` is a handle that was not closed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_get_stats(
    pool: *const oh_lockfreepool,
    out: *mut oh_lockfreepool_stats,
) -> oh_status {
    // SAFETY: the caller guarantees that `pool` is a handle that was not closed and that `out` is
    // writable.
    unsafe {
        guard_out(out, || {
            check_pointer(pool, "pool")?;
            let stats = (*pool.cast::<Handle>()).stats();
            Ok(oh_lockfreepool_stats {
                capacity: stats.capacity,
                used: stats.used,
                cached: stats.cached,
                blocks: stats.blocks,
                failures: stats.failures,
                handles: stats.handles,
            })
        })
    }
}

/// Lists blocks that may have leaked: blocks that were the last allocation of a thread that ended
/// without closing its handle, and that are still allocated. Writes up to `capacity` offsets;
/// `*count` becomes the total number.
///
/// # Safety
/// `pool` is a handle that was not closed; `offsets` is valid for writing `capacity` numbers;
/// `count` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_suspects(
    pool: *const oh_lockfreepool,
    offsets: *mut u64,
    capacity: usize,
    count: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `pool` is a handle that was not closed, that `offsets` is
    // valid for writing `capacity` numbers, that `count` is writable.
    unsafe {
        guard_out(count, || {
            check_pointer(pool, "pool")?;
            let mut found = 0;
            for offset in (*pool.cast::<Handle>()).possibly_leaked() {
                if found < capacity {
                    check_pointer(offsets, "offsets")?;
                    offsets.add(found).write(offset);
                }
                found += 1;
            }
            Ok(found)
        })
    }
}
