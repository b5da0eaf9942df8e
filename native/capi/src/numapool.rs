//! NumaPool: a pool with memory on each NUMA node, for one thread.
//!
//! A pool's region is plain memory of yours (`oh_numapool_region_size`, `oh_numapool_init`); an
//! `oh_numapool` is a checked view of it, through which it is placed on its nodes and blocks are
//! allocated and freed.

use crate::args::{check_pointer, slice};
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, take_back};
use crate::options::{Flag, option_struct, read_struct};
use crate::status::oh_status;
use offheap_core::pools::numa::layout::{GUARDS, Shape, ZERO_ON_FREE};
use offheap_core::pools::numa::{Options, Policy, RawNumaPool, validate};
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// What a new pool is to be. Zero it and set `struct_size`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_numapool_options {
    /// `sizeof(oh_numapool_options)`
    pub struct_size: usize,
    /// Where a request goes first: `OH_NUMA_NODE`, to the first node of the list; `OH_NUMA_LOCAL`,
    /// to the node where the thread runs; `OH_NUMA_INTERLEAVE`, to all nodes in turns, block by
    /// block. If there is no room, it goes to the nearest of the others.
    pub policy: u32,
    /// The numbers of the nodes, each once, 64 at most.
    pub nodes: *const u32,
    /// How many there are; 0: all that have memory.
    pub node_count: usize,
    /// Bytes of blocks on each node, up to 2^34; rounded up to a multiple of 64 KiB and of the
    /// largest block, which has an eighth of it at least, and half at most.
    pub capacity: u64,
    /// Fill blocks with zeros when they are freed.
    pub zero_on_free: Flag,
    /// Put 16 known bytes behind each block, and look at them when it is freed.
    pub guards: Flag,
}
option_struct!(oh_numapool_options, through guards: Flag);

/// What a pool holds. Sizes are in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_numapool_stats {
    /// Room for blocks in all.
    pub capacity: u64,
    /// In allocated blocks now.
    pub used: u64,
    /// How many blocks are allocated.
    pub blocks: u64,
    /// Requests that were served where they were to be.
    pub hits: u64,
    /// Requests that were served on another node, for lack of room there.
    pub misses: u64,
    /// The largest request that can be served.
    pub largest: u64,
    /// How many nodes there are.
    pub nodes: u32,
    /// How many requests found no room on any of them, modulo 2^32.
    pub failures: u32,
}

/// What one node of a pool holds. Sizes are in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_numapool_node {
    /// Its number.
    pub id: u32,
    /// How many blocks are allocated.
    pub blocks: u32,
    /// Room for blocks. The node's blocks have the offsets from `capacity` times its place in the
    /// list on.
    pub capacity: u64,
    /// In allocated blocks now.
    pub used: u64,
    /// The most that was ever in allocated blocks.
    pub peak: u64,
    /// Requests that were to be served here, and were.
    pub hits: u64,
    /// Requests that were to be served elsewhere, and were served here, for lack of room there.
    pub misses: u64,
    /// Requests that were to be served here, and were served elsewhere.
    pub foreign: u64,
    /// If asked for: pages of the node's blocks that are on this node.
    pub pages_here: u64,
    /// Pages that are on another node.
    pub pages_elsewhere: u64,
    /// Pages that nobody has written to yet.
    pub pages_nowhere: u64,
}

/// A view of a pool: made by `oh_numapool_attach`, freed by `oh_numapool_close`.
pub struct oh_numapool(RawNumaPool);

/// # Safety
/// As for [`read_struct`], and its array has `node_count` readable elements during `'a`.
unsafe fn read_options<'a>(options: *const oh_numapool_options) -> Result<Options<'a>> {
    // SAFETY: the caller guarantees the struct and its array.
    let (options, nodes) = unsafe {
        let options = read_struct(options, "options")?;
        (options, slice(options.nodes, options.node_count, "options.nodes")?)
    };
    let Some(policy) = Policy::from_number(options.policy) else {
        return Err(Error::range(format!("invalid policy of a pool: {}", options.policy)));
    };
    Ok(Options {
        policy,
        nodes,
        capacity: options.capacity,
        flags: options.zero_on_free.bits(ZERO_ON_FREE) | options.guards.bits(GUARDS),
    })
}

/// The pool behind a view.
///
/// # Safety
/// `pool` is null, or a view that was not closed and that nobody else uses during the call.
unsafe fn pool_of<'a>(pool: *mut oh_numapool) -> Result<&'a mut RawNumaPool> {
    check_pointer(pool, "pool")?;
    // SAFETY: the caller's word.
    Ok(unsafe { &mut (*pool).0 })
}

/// As [`pool_of`], to read.
///
/// # Safety
/// As for `pool_of`.
unsafe fn pool_ref<'a>(pool: *const oh_numapool) -> Result<&'a RawNumaPool> {
    check_pointer(pool, "pool")?;
    // SAFETY: the caller's word.
    Ok(unsafe { &(*pool).0 })
}

/// Bytes of memory that a pool with these options takes. Where nodes come and go,
/// `oh_numapool_init` may need more a moment later; name the nodes if that matters.
///
/// # Safety
/// `options` points to a struct of the size it says, with `node_count` nodes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_region_size(
    options: *const oh_numapool_options,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || Ok(Shape::from_options(&read_options(options)?)?.0.length)) }
}

/// Makes an empty pool in `length` bytes at `base`, at least `oh_numapool_region_size`. What they
/// held is overwritten with zeros, unless the caller says that they are `zeroed`, as fresh memory
/// of the system is; then pages that hold no bookkeeping stay untouched. The pool is on its nodes
/// only after `oh_numapool_place`. `base` is best a multiple of 64 KiB: pages belong to a node
/// whole. `OH_ERR_FULL` if the bytes are too few.
///
/// # Safety
/// `base` is valid for writing `length` bytes that no other thread uses; `options` as for
/// `oh_numapool_region_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_init(
    base: *mut c_void,
    length: usize,
    options: *const oh_numapool_options,
    zeroed: bool,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    guard(|| unsafe { RawNumaPool::init(base.cast(), length, &read_options(options)?, zeroed).map(|_| ()) })
}

/// Checks in constant time that the memory holds a pool.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory; attaching writes nothing.
    guard(|| unsafe { RawNumaPool::attach(base.cast_mut().cast(), length).map(|_| ()) })
}

/// Proves that a pool's bookkeeping is sound. `OH_ERR_CORRUPT` says, through `oh_last_error`, what
/// is wrong first.
///
/// # Safety
/// `base` is valid for reading `length` bytes, and no other thread allocates or frees in the pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_validate(base: *const c_void, length: usize) -> oh_status {
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
pub unsafe extern "C" fn oh_numapool_attach(
    base: *mut c_void,
    length: usize,
    out: *mut *mut oh_numapool,
) -> oh_status {
    // SAFETY: the caller vouches for all three.
    unsafe { guard_out(out, || hand_out(|| Ok(oh_numapool(RawNumaPool::attach(base.cast(), length)?)))) }
}

/// Frees a view. The pool stays as it is. NULL is fine.
///
/// # Safety
/// `pool` is NULL, or a view that is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_close(pool: *mut oh_numapool) {
    // SAFETY: the caller vouches for the view.
    guard_value((), || unsafe { take_back(pool) });
}

/// Puts each node's blocks on that node: pages that are there already move, others go there when
/// they are touched. (Best is fresh memory: a huge page that was touched before, and lies in two
/// nodes' blocks, moves as a whole.) With `populate` all of them are brought in now. Errors as for
/// `oh_numa_place`; `OH_ERR_RANGE` names a node that the machine has not. Where there is one node
/// there is nothing to place.
///
/// # Safety
/// `pool` is a view that was not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_place(pool: *const oh_numapool, populate: bool) -> oh_status {
    // SAFETY: the caller vouches for the view.
    guard(|| unsafe { pool_ref(pool)?.place(populate) })
}

/// The first byte of the pool's data: a block at offset `o` begins `o` bytes behind it. NULL for
/// NULL.
///
/// # Safety
/// `pool` is NULL or a view that was not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_data(pool: *const oh_numapool) -> *mut c_void {
    guard_value(std::ptr::null_mut(), || {
        // SAFETY: the caller vouches for the view.
        unsafe { pool.as_ref() }.map_or(std::ptr::null_mut(), |pool| pool.0.data().cast())
    })
}

/// Allocates a block of at least `bytes` bytes, on the node that the policy says or the nearest
/// that has room: its offset from `oh_numapool_data`. `OH_ERR_FULL` where none has. One thread at a
/// time.
///
/// # Safety
/// `pool` is a view that was not closed, and used by this thread only; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_alloc(pool: *mut oh_numapool, bytes: u64, out: *mut u64) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || pool_of(pool)?.alloc(bytes)) }
}

/// As `oh_numapool_alloc`, but on this node first, whatever the policy. `OH_ERR_RANGE` if the pool
/// has none of its memory.
///
/// # Safety
/// As for `oh_numapool_alloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_alloc_on(
    pool: *mut oh_numapool,
    node: u32,
    bytes: u64,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || pool_of(pool)?.alloc_on(node, bytes)) }
}

/// Gives a block back. `OH_ERR_STALE` for one that is free already, `OH_ERR_RANGE` for an offset
/// where none begins, `OH_ERR_CORRUPT` for one whose guard was overwritten; it stays allocated. One
/// thread at a time.
///
/// # Safety
/// As for `oh_numapool_alloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_free(pool: *mut oh_numapool, offset: u64) -> oh_status {
    // SAFETY: the caller vouches for the view.
    guard(|| unsafe { pool_of(pool)?.free(offset) })
}

/// How many bytes the allocated block at `offset` has for its user. Errors as for
/// `oh_numapool_free`.
///
/// # Safety
/// As for `oh_numapool_alloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_room(pool: *const oh_numapool, offset: u64, out: *mut u64) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || pool_ref(pool)?.room(offset)) }
}

/// The number of the node to which the memory at an offset belongs. `OH_ERR_RANGE` behind the data.
///
/// # Safety
/// `pool` is a view that was not closed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_node_of(
    pool: *const oh_numapool,
    offset: u64,
    out: *mut u32,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || pool_ref(pool)?.node_of(offset)) }
}

/// Which node of the list is where this thread runs, or nearest to that: its place, from 0 on. What
/// the policy `OH_NUMA_LOCAL` asks every 256 requests.
///
/// # Safety
/// As for `oh_numapool_node_of`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_near(pool: *const oh_numapool, out: *mut u32) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || Ok(pool_ref(pool)?.nearest() as u32)) }
}

/// Counts and sizes.
///
/// # Safety
/// `pool` is a view that was not closed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_get_stats(
    pool: *const oh_numapool,
    out: *mut oh_numapool_stats,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            let pool = pool_ref(pool)?;
            let stats = pool.stats();
            Ok(oh_numapool_stats {
                capacity: stats.capacity,
                used: stats.used,
                blocks: stats.blocks,
                hits: stats.hits,
                misses: stats.misses,
                largest: pool.shape().largest(),
                nodes: pool.shape().nodes as u32,
                failures: stats.failures,
            })
        })
    }
}

/// Counts and sizes of the node that is `at` in the list, from 0 on. With `placement` the kernel is
/// asked where its pages are, which costs about 0.1 µs a page. `OH_ERR_RANGE` if there is no such
/// node; `OH_ERR_UNSUPPORTED` where the kernel does not say.
///
/// # Safety
/// `pool` is a view that was not closed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_node_at(
    pool: *const oh_numapool,
    at: usize,
    placement: bool,
    out: *mut oh_numapool_node,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            let pool = pool_ref(pool)?;
            let node = pool.node_stats(at)?;
            let pages = if placement { pool.placement(at)? } else { Default::default() };
            Ok(oh_numapool_node {
                id: node.id,
                blocks: node.blocks,
                capacity: node.capacity,
                used: node.used,
                peak: node.peak,
                hits: node.hits,
                misses: node.misses,
                foreign: node.foreign,
                pages_here: pages.here,
                pages_elsewhere: pages.elsewhere,
                pages_nowhere: pages.nowhere,
            })
        })
    }
}
