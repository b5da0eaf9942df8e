//! LockFreePool and its caches: one pool for all threads.
//!
//! A pool's region is plain memory of yours (`oh_lockfreepool_region_size`,
//! `oh_lockfreepool_init`), which may be shared between threads. Each thread makes a handle of its
//! own, an `oh_lockfreepool`, or an `oh_threadlocalpool`, which has a cache: most of its operations
//! touch no word that other threads write. Blocks may be freed through any handle, whichever
//! allocated them.

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

/// What a new pool is to be. Zero it, then set `struct_size` and `capacity`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_lockfreepool_options {
    /// `sizeof(oh_lockfreepool_options)`
    pub struct_size: usize,
    /// Bytes for blocks, up to 2^32; rounded up to whole chunks.
    pub capacity: u64,
    /// Bytes of a chunk, a power of two from 1 KiB to 1 MiB; 0: a 64th of the capacity, within
    /// those limits.
    pub chunk: u64,
    /// Bytes of the smallest block, a power of two from 16 on; 0: 64, or 16 if compact.
    pub smallest: u64,
    /// How many handles there can be at once, up to 1023; 0: 128, or 32 if compact.
    pub handles: u32,
    /// Fill blocks with zeros when they are freed.
    pub zero_on_free: Flag,
    /// Put 16 known bytes behind each block, and look at them when it is freed.
    pub guards: Flag,
    /// Do not spread bookkeeping over cache lines: less memory, more contention.
    pub compact: Flag,
}
option_struct!(oh_lockfreepool_options, through compact: Flag);

/// What a pool holds. Sizes are in bytes. Each number was right at a moment, not all at the same.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_lockfreepool_stats {
    /// Room for blocks in all.
    pub capacity: u64,
    /// In allocated blocks.
    pub used: u64,
    /// In free blocks that caches hold.
    pub cached: u64,
    /// How many blocks are allocated.
    pub blocks: u64,
    /// How many requests found no room, modulo 2^32.
    pub failures: u32,
    /// How many handles there are.
    pub handles: u32,
}

/// Where the words of a pool are. Those whose name ends in `_at` are indices of 32-bit words.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_lockfreepool_layout {
    /// Where the data begins, in bytes.
    pub data: u64,
    /// Bytes of data.
    pub capacity: u64,
    /// The option word.
    pub options: u32,
    /// Bytes of a chunk: 2 to this.
    pub chunk_shift: u32,
    /// Bytes of the smallest block: 2 to this.
    pub min_shift: u32,
    /// Group words of a chunk: 2 to this.
    pub group_shift: u32,
    /// The number of this handle's slot.
    pub slot: u32,
    /// That slot.
    pub slot_at: u32,
    /// Descriptors of chunks.
    pub chunks_at: u32,
    /// Hints.
    pub hints_at: u32,
    /// Group words.
    pub groups_at: u32,
    /// Words of the groups' owners.
    pub caches_at: u32,
    /// How many words there are in all.
    pub words: u32,
}

/// One thread's handle: made by `oh_lockfreepool_attach`, freed by `oh_lockfreepool_close`.
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

/// Bytes of memory that a pool with these options takes.
///
/// # Safety
/// `options` points to a struct of the size it says; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_region_size(
    options: *const oh_lockfreepool_options,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || Ok(read_options(options)?.length)) }
}

/// Makes an empty pool in `length` bytes at `base`, a multiple of 8 (better of 64), at least
/// `oh_lockfreepool_region_size`. If they are not `zeroed` already, they are overwritten with
/// zeros. `OH_ERR_FULL` if they are too few.
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
    // SAFETY: the caller vouches for both.
    guard(|| unsafe { Handle::init(base.cast(), length, read_options(options)?, zeroed) })
}

/// Proves that a pool's bookkeeping is sound. `OH_ERR_CORRUPT` says, through `oh_last_error`, what
/// is wrong first.
///
/// # Safety
/// `base` is valid for reading `length` bytes. If another thread allocates or frees meanwhile a
/// sound pool can look wrong.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory; the proof writes nothing.
    guard(|| unsafe { validate::validate(base.cast_mut().cast(), length) })
}

/// Makes this thread's handle on the pool in `length` bytes at `base`, which is checked in constant
/// time. After `OH_OK` no function here reads or writes outside, whatever else it holds.
/// `OH_ERR_FULL` if there are too many handles.
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
    // SAFETY: the caller vouches for all three.
    unsafe { guard_out(out, || hand_out(|| Handle::attach(base.cast(), length)).map(<*mut Handle>::cast)) }
}

/// Frees a handle. The pool stays as it is. NULL is fine.
///
/// # Safety
/// `pool` is NULL, or a handle that is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_close(pool: *mut oh_lockfreepool) {
    // SAFETY: the caller vouches for the handle.
    guard_value((), || unsafe { take_back(pool.cast::<Handle>()) });
}

/// Frees the handle of a thread that ended without doing so, from any thread. The block that it
/// took last, if it is allocated still, is a suspect from then on. NULL is fine.
///
/// # Safety
/// `pool` is NULL, or a handle that is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_abandon(pool: *mut oh_lockfreepool) {
    guard_value((), || {
        // SAFETY: the caller vouches for the handle.
        if let Some(handle) = unsafe { take_value(pool.cast::<Handle>()) } {
            handle.abandon();
        }
    });
}

/// The first byte of the pool's data: a block at offset `o` begins `o` bytes behind it. NULL for
/// NULL.
///
/// # Safety
/// `pool` is NULL or a handle that was not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_data(pool: *const oh_lockfreepool) -> *mut c_void {
    guard_value(std::ptr::null_mut(), || {
        // SAFETY: the caller vouches for the handle.
        unsafe { pool.cast::<Handle>().as_ref() }.map_or(std::ptr::null_mut(), |handle| handle.data().cast())
    })
}

/// Where a pool's words are, for code that takes part in the protocol of `docs/formats/pools.md` by
/// itself.
///
/// # Safety
/// `pool` is a handle that was not closed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_get_layout(
    pool: *const oh_lockfreepool,
    out: *mut oh_lockfreepool_layout,
) -> oh_status {
    // SAFETY: the caller vouches for both.
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

/// Allocates a block of at least `bytes` bytes: its offset from `oh_lockfreepool_data`.
/// `OH_ERR_FULL` where there is no room.
///
/// # Safety
/// `pool` is a handle that was not closed, and used by this thread only; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_alloc(
    pool: *const oh_lockfreepool,
    bytes: u64,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            check_pointer(pool, "pool")?;
            (*pool.cast::<Handle>()).alloc(bytes)
        })
    }
}

/// Gives a block back, whichever handle allocated it. `OH_ERR_STALE` for one that is free already,
/// `OH_ERR_RANGE` for an offset where none begins, `OH_ERR_CORRUPT` for one whose guard was
/// overwritten; it stays allocated.
///
/// # Safety
/// As for `oh_lockfreepool_alloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_free(pool: *const oh_lockfreepool, offset: u64) -> oh_status {
    guard(|| {
        check_pointer(pool, "pool")?;
        // SAFETY: the caller vouches for the handle.
        unsafe { (*pool.cast::<Handle>()).free(offset) }
    })
}

/// How many bytes the allocated block at `offset` has for its user. Errors as for
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
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            check_pointer(pool, "pool")?;
            (*pool.cast::<Handle>()).room(offset)
        })
    }
}

/// Counts and sizes. O(blocks / 16).
///
/// # Safety
/// `pool` is a handle that was not closed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_lockfreepool_get_stats(
    pool: *const oh_lockfreepool,
    out: *mut oh_lockfreepool_stats,
) -> oh_status {
    // SAFETY: the caller vouches for both.
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

/// Blocks that may have been lost to threads that ended without closing their handles: those that
/// they had taken last, and that are allocated still. Writes up to `capacity` offsets, and to
/// `count` how many there are.
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
    // SAFETY: the caller vouches for all.
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
