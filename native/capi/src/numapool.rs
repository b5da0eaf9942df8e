//! NumaPool: a pool with memory on each NUMA node, for one thread.
//!
//! The region of a pool is plain memory of the caller (`oh_numapool_region_size`,
//! `oh_numapool_init`). An `oh_numapool` is a checked view of it, through which it is placed on its
//! nodes, and blocks are allocated and freed.

use crate::args::{check_pointer, slice};
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, take_back};
use crate::options::{Flag, option_struct, read_struct};
use crate::status::oh_status;
use offheap_core::pools::numa::layout::{GUARDS, Shape, ZERO_ON_FREE};
use offheap_core::pools::numa::{Options, Policy, RawNumaPool, validate};
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// Options of a new pool. Set all bytes to 0, and then `struct_size`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_numapool_options {
    /// `sizeof(oh_numapool_options)`
    pub struct_size: usize,
    /// The node on which a request is served: `OH_NUMA_NODE`, the first node of the list;
    /// `OH_NUMA_LOCAL`, the node on which the thread runs; `OH_NUMA_INTERLEAVE`, all nodes in turn,
    /// block by block. If that node has no room, the nearest other node serves the request.
    pub policy: u32,
    /// The numbers of the nodes, without duplicates, at most 64.
    pub nodes: *const u32,
    /// Number of nodes; 0 means all nodes that have memory.
    pub node_count: usize,
    /// Size of the blocks on each node in bytes, up to 2^34; rounded up to a multiple of 64 KiB and
    /// of the largest block, which has between an eighth and a half of this size.
    pub capacity: u64,
    /// Fill blocks with zeros when they are freed.
    pub zero_on_free: Flag,
    /// Put 16 known bytes after each block, and check them when it is freed.
    pub guards: Flag,
}
option_struct!(oh_numapool_options, through guards: Flag);

/// Counters of a pool. Sizes are in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_numapool_stats {
    /// Total size of the blocks that fit.
    pub capacity: u64,
    /// Size of the allocated blocks.
    pub used: u64,
    /// Number of allocated blocks.
    pub blocks: u64,
    /// Number of requests that were served on the preferred node.
    pub hits: u64,
    /// Number of requests that were served on another node, because the preferred one had no room.
    pub misses: u64,
    /// The largest request that can be served.
    pub largest: u64,
    /// Number of nodes.
    pub nodes: u32,
    /// Number of requests that found no room on any node, modulo 2^32.
    pub failures: u32,
}

/// Counters of one node of a pool. Sizes are in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_numapool_node {
    /// Number of the node.
    pub id: u32,
    /// Number of allocated blocks.
    pub blocks: u32,
    /// Total size of the blocks that fit. The offsets of the node's blocks begin at `capacity`
    /// times its index in the list.
    pub capacity: u64,
    /// Size of the allocated blocks.
    pub used: u64,
    /// The largest value of `used` so far.
    pub peak: u64,
    /// Number of requests that preferred this node and were served here.
    pub hits: u64,
    /// Number of requests that preferred another node and were served here, because that node had
    /// no room.
    pub misses: u64,
    /// Number of requests that preferred this node and were served on another one.
    pub foreign: u64,
    /// With `placement`: number of pages of the node's blocks that are on this node.
    pub pages_here: u64,
    /// With `placement`: number of pages that are on another node.
    pub pages_elsewhere: u64,
    /// With `placement`: number of pages that no thread has written to yet.
    pub pages_nowhere: u64,
}

/// A view of a pool. Created by `oh_numapool_attach`, freed by `oh_numapool_close`.
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

/// The pool of a view, to change.
///
/// # Safety
/// `pool` is null, or a view that was not closed and that no other thread uses during the call.
unsafe fn pool_of<'a>(pool: *mut oh_numapool) -> Result<&'a mut RawNumaPool> {
    check_pointer(pool, "pool")?;
    // SAFETY: the caller guarantees that `pool` is null, or a view that was not closed and that
    // no other thread uses during the call.
    Ok(unsafe { &mut (*pool).0 })
}

/// The pool of a view, to read.
///
/// # Safety
/// As for `pool_of`.
unsafe fn pool_ref<'a>(pool: *const oh_numapool) -> Result<&'a RawNumaPool> {
    check_pointer(pool, "pool")?;
    // SAFETY: the caller guarantees that `pool` is null, or a view that was not closed and that
    // no other thread uses during the call.
    Ok(unsafe { &(*pool).0 })
}

/// Computes the number of bytes that a pool with these options needs. If nodes are hot-plugged,
/// `oh_numapool_init` may need more a moment later; pass `nodes` to prevent that. `OH_ERR_RANGE`
/// for an option outside its range.
///
/// # Safety
/// `options` points to as many readable bytes as its `struct_size` says, and its array has
/// `node_count` elements; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_region_size(
    options: *const oh_numapool_options,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `options` points to a struct of the size it says, with
    // `node_count` nodes and that `out` is writable.
    unsafe { guard_out(out, || Ok(Shape::from_options(&read_options(options)?)?.0.length)) }
}

/// Creates an empty pool in `length` bytes at `base`. They are overwritten with zeros, unless the
/// caller guarantees with `zeroed` that they are zero already, as fresh memory of the system is;
/// then pages without bookkeeping are not touched. Call `oh_numapool_place` to put the pool on its
/// nodes. `base` should be a multiple of 64 KiB, because a page belongs to one node. `OH_ERR_FULL`
/// if `length` is less than `oh_numapool_region_size`.
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
    // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes that no other
    // thread uses and that `options` as for `oh_numapool_region_size`.
    guard(|| unsafe { RawNumaPool::init(base.cast(), length, &read_options(options)?, zeroed).map(|_| ()) })
}

/// Checks in constant time that `length` bytes at `base` contain a NUMA pool.
///
/// After `OH_OK`, no `oh_numapool_` function reads or writes outside these bytes, whatever their
/// contents. Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for
/// another kind of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees the memory; attaching writes nothing.
    guard(|| unsafe { RawNumaPool::attach(base.cast_mut().cast(), length).map(|_| ()) })
}

/// Verifies the bookkeeping of a pool. `OH_ERR_CORRUPT` if something is wrong; `oh_last_error`
/// describes the first error found.
///
/// # Safety
/// `base` is valid for reading `length` bytes, and no other thread allocates or frees in the pool.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees the memory; the proof writes nothing.
    guard(|| unsafe { validate::validate(base.cast_mut().cast(), length) })
}

/// Creates a view of the pool in `length` bytes at `base`, and checks it as `oh_numapool_check`
/// does. Close it with `oh_numapool_close`.
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
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes
    // until the view is closed and that `out` is writable.
    unsafe { guard_out(out, || hand_out(|| Ok(oh_numapool(RawNumaPool::attach(base.cast(), length)?)))) }
}

/// Frees a view. The pool does not change. NULL is allowed.
///
/// # Safety
/// `pool` is NULL, or a view that is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_close(pool: *mut oh_numapool) {
    // SAFETY: the caller guarantees that `pool` is NULL, or a view that is not used again.
    guard_value((), || unsafe { take_back(pool) });
}

/// Puts the blocks of each node on that node: pages that exist are moved, and others are allocated
/// there when they are touched. (Fresh memory is best: a huge page that was touched before, and
/// contains blocks of two nodes, moves as a whole.) With `populate`, all pages are allocated now.
/// The errors are those of `oh_numa_place`; `OH_ERR_RANGE` names a node that the machine does not
/// have. On a machine with one node there is nothing to place.
///
/// # Safety
/// `pool` is a view that was not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_place(pool: *const oh_numapool, populate: bool) -> oh_status {
    // SAFETY: the caller guarantees that `pool` is a view that was not closed.
    guard(|| unsafe { pool_ref(pool)?.place(populate) })
}

/// Returns the address of the pool's data; NULL for NULL. A block with offset `o` begins `o` bytes
/// after it.
///
/// # Safety
/// `pool` is NULL or a view that was not closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_data(pool: *const oh_numapool) -> *mut c_void {
    guard_value(std::ptr::null_mut(), || {
        // SAFETY: the caller guarantees that `pool` is NULL or a view that was not closed.
        unsafe { pool.as_ref() }.map_or(std::ptr::null_mut(), |pool| pool.0.data().cast())
    })
}

/// Allocates a block of at least `bytes` bytes, on the node that the policy prefers or on the
/// nearest one that has room. `*out` becomes its offset from `oh_numapool_data`. `OH_ERR_FULL` if
/// no node has room. Only one thread at a time may change a pool.
///
/// # Safety
/// `pool` is a view that was not closed, and used by this thread only; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_alloc(pool: *mut oh_numapool, bytes: u64, out: *mut u64) -> oh_status {
    // SAFETY: the caller guarantees that `pool` is a view that was not closed, and used by this
    // thread only and that `out` is writable.
    unsafe { guard_out(out, || pool_of(pool)?.alloc(bytes)) }
}

/// Like `oh_numapool_alloc`, but prefers a given node, whatever the policy. `OH_ERR_RANGE` if the
/// pool has no memory of that node.
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
    // SAFETY: the caller guarantees that `pool` is a view that was not closed, and used by this
    // thread only and that `out` is writable.
    unsafe { guard_out(out, || pool_of(pool)?.alloc_on(node, bytes)) }
}

/// Frees a block. `OH_ERR_STALE` if it is free already; `OH_ERR_RANGE` for an offset at which no
/// block begins; `OH_ERR_CORRUPT` if its guard was overwritten, in which case it stays allocated.
/// Only one thread at a time may change a pool.
///
/// # Safety
/// As for `oh_numapool_alloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_free(pool: *mut oh_numapool, offset: u64) -> oh_status {
    // SAFETY: the caller guarantees that `pool` is a view that was not closed, and used by this
    // thread only and that `out` is writable.
    guard(|| unsafe { pool_of(pool)?.free(offset) })
}

/// Returns the usable size of the allocated block at `offset`, in bytes. The errors are those of
/// `oh_numapool_free`.
///
/// # Safety
/// As for `oh_numapool_alloc`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_room(pool: *const oh_numapool, offset: u64, out: *mut u64) -> oh_status {
    // SAFETY: the caller guarantees that `pool` is a view that was not closed, and used by this
    // thread only and that `out` is writable.
    unsafe { guard_out(out, || pool_ref(pool)?.room(offset)) }
}

/// Returns the number of the node to which the memory at an offset belongs. `OH_ERR_RANGE` past the
/// end of the data.
///
/// # Safety
/// `pool` is a view that was not closed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_node_of(
    pool: *const oh_numapool,
    offset: u64,
    out: *mut u32,
) -> oh_status {
    // SAFETY: the caller guarantees that `pool` is a view that was not closed and that `out` is
    // writable.
    unsafe { guard_out(out, || pool_ref(pool)?.node_of(offset)) }
}

/// Returns the index, in the pool's list, of the node on which this thread runs, or of the nearest
/// one. The policy `OH_NUMA_LOCAL` asks for it every 256 requests.
///
/// # Safety
/// As for `oh_numapool_node_of`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_near(pool: *const oh_numapool, out: *mut u32) -> oh_status {
    // SAFETY: the caller guarantees that `pool` is a view that was not closed and that `out` is
    // writable.
    unsafe { guard_out(out, || Ok(pool_ref(pool)?.nearest() as u32)) }
}

/// Returns the counters of a pool.
///
/// # Safety
/// `pool` is a view that was not closed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numapool_get_stats(
    pool: *const oh_numapool,
    out: *mut oh_numapool_stats,
) -> oh_status {
    // SAFETY: the caller guarantees that `pool` is a view that was not closed and that `out` is
    // writable.
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

/// Returns the counters of the node at index `at` of the list. With `placement`, the kernel is
/// asked where the node's pages are, which takes about 0.1 µs for each page. `OH_ERR_RANGE` if
/// there is no such node; `OH_ERR_UNSUPPORTED` if the kernel does not tell.
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
    // SAFETY: the caller guarantees that `pool` is a view that was not closed and that `out` is
    // writable.
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
