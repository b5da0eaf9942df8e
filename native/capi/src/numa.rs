//! NUMA: the nodes of the machine, and where pages are allocated.

use crate::args::{check_bytes, check_pointer, slice_mut};
use crate::guard::{guard, guard_out, guard_value};
use crate::status::oh_status;
use offheap_core::region::advise::populate;
use offheap_core::region::numa::place::{Policy, place};
use offheap_core::region::numa::topology::{Node, Topology};
use offheap_core::region::numa::{available, query};
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// Policy of `oh_numa_place`: the policy of the thread or process. Reverts the other policies.
pub const OH_NUMA_DEFAULT: u32 = 0;
/// Policy of `oh_numa_place`: from one node, or from its neighbors when it is full.
pub const OH_NUMA_NODE: u32 = 1;
/// Policy of `oh_numa_place`: from the node of the thread that touches a page first.
pub const OH_NUMA_LOCAL: u32 = 2;
/// Policy of `oh_numa_place`: from all nodes in turn, page by page.
pub const OH_NUMA_INTERLEAVE: u32 = 3;

/// Result of `oh_numa_nodes_of` for a page that is not on any node, because no thread has written
/// to it yet.
pub const OH_NUMA_NOWHERE: i32 = -1;

/// A NUMA node. The counters are those of the kernel: pages of all processes since the machine
/// started.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct oh_numa_node {
    /// Number of the node. There may be gaps between the numbers.
    pub id: u32,
    /// Number of logical processors of the node, which may be 0. `oh_numa_cpus` lists them.
    pub cpu_count: u32,
    /// Total memory in bytes, which may be 0.
    pub memory_bytes: u64,
    /// Free memory in bytes at this moment.
    pub free_bytes: u64,
    /// Pages that were requested on this node and allocated on it.
    pub hit: u64,
    /// Pages that were requested on another node, but allocated on this one because the other was
    /// full.
    pub miss: u64,
    /// Pages that were requested on this node, but allocated on another one.
    pub foreign: u64,
    /// Interleaved pages that were requested on this node and allocated on it.
    pub interleave_hit: u64,
    /// Pages that a thread running on this node allocated on it.
    pub local: u64,
    /// Pages that a thread running on another node allocated on this one.
    pub other: u64,
}

/// Returns whether the system supports NUMA and this process may use it; also true on a machine
/// with one node. Where it is false, the other functions report one node, 0, with all memory and
/// processors.
#[unsafe(no_mangle)]
pub extern "C" fn oh_numa_available() -> bool {
    guard_value(false, available)
}

/// Returns the number of nodes that are online, at least 1. Nodes can be hot-plugged, so
/// `oh_numa_node_at` may fail nevertheless.
///
/// # Safety
/// `count` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numa_node_count(count: *mut usize) -> oh_status {
    // SAFETY: the caller guarantees `count`.
    unsafe { guard_out(count, || Ok(Topology::get().nodes.len())) }
}

fn node_at(topology: &Topology, index: usize) -> Result<&Node> {
    let count = topology.nodes.len();
    topology
        .nodes
        .get(index)
        .ok_or_else(|| Error::range(format!("node index {index} is out of range: there are {count} nodes")))
}

/// Returns the current memory and counters of the node at `index`, from 0, in the order of their
/// numbers. `OH_ERR_RANGE` if there are fewer nodes.
///
/// # Safety
/// `node` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numa_node_at(index: usize, node: *mut oh_numa_node) -> oh_status {
    // SAFETY: the caller guarantees `node`.
    unsafe {
        guard_out(node, || {
            let topology = Topology::get();
            let Node { id, cpus, memory_bytes, free_bytes, counters, .. } = node_at(&topology, index)?;
            Ok(oh_numa_node {
                id: *id,
                cpu_count: cpus.len() as u32,
                memory_bytes: *memory_bytes,
                free_bytes: *free_bytes,
                hit: counters.hit,
                miss: counters.miss,
                foreign: counters.foreign,
                interleave_hit: counters.interleave_hit,
                local: counters.local,
                other: counters.other,
            })
        })
    }
}

/// Copies as many elements of `from` to `out` as fit, and returns the total number in `count`.
///
/// # Safety
/// `out` points to `capacity` writable numbers that no other thread uses; `count` is writable.
unsafe fn copy_out(from: &[u32], out: *mut u32, capacity: usize, count: *mut usize) -> Result<()> {
    check_pointer(count, "count")?;
    let copied = from.len().min(capacity);
    // SAFETY: the caller's; both were checked.
    unsafe {
        slice_mut(out, copied, "out")?.copy_from_slice(&from[..copied]);
        count.write(from.len());
    }
    Ok(())
}

/// Returns the logical processors of the node at `index`, in ascending order, up to `capacity` of
/// them. `*count` becomes the total number.
///
/// # Safety
/// `cpus` has room for `capacity` numbers, or `capacity` is 0; `count` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numa_cpus(
    index: usize,
    cpus: *mut u32,
    capacity: usize,
    count: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `cpus` has room for `capacity` numbers, or `capacity` is 0
    // and that `count` is writable.
    guard(|| unsafe { copy_out(&node_at(&Topology::get(), index)?.cpus, cpus, capacity, count) })
}

/// Returns the distances of all nodes, in their order, from the node at `index`: 10 for itself, 20
/// for twice as far. Writes up to `capacity` of them; `*count` becomes the total number.
///
/// # Safety
/// `distances` has room for `capacity` numbers, or `capacity` is 0; `count` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numa_distances(
    index: usize,
    distances: *mut u32,
    capacity: usize,
    count: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `distances` has room for `capacity` numbers, or `capacity`
    // is 0 and that `count` is writable.
    guard(|| unsafe { copy_out(&node_at(&Topology::get(), index)?.distances, distances, capacity, count) })
}

/// Returns the node on which this thread runs at this moment. It may move to another one at any
/// time.
#[unsafe(no_mangle)]
pub extern "C" fn oh_numa_current_node() -> u32 {
    guard_value(0, query::current_node)
}

/// Sets where the whole pages inside `length` bytes at `base` are allocated: by an `OH_NUMA_…`
/// policy, and, for `OH_NUMA_NODE`, on `node` (otherwise 0). With `OH_NUMA_NODE` and
/// `OH_NUMA_INTERLEAVE`, pages that exist already are moved. With `populate`, all pages are
/// allocated now.
///
/// `OH_ERR_RANGE` for an invalid policy, or a node that does not exist or has no memory;
/// `OH_ERR_UNSUPPORTED` if the system forbids it (as some containers do); `OH_ERR_OOM` if there is
/// not enough memory. Without NUMA, every policy and node 0 are accepted, and nothing moves.
///
/// # Safety
/// The bytes are mapped, and with `populate` writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numa_place(
    base: *mut c_void,
    length: usize,
    policy: u32,
    node: u32,
    populate_now: bool,
) -> oh_status {
    guard(|| {
        let bytes = check_bytes(base, length, "base")?;
        let policy = match policy {
            OH_NUMA_DEFAULT => Policy::Default,
            OH_NUMA_NODE => Policy::Prefer(node),
            OH_NUMA_LOCAL => Policy::Local,
            OH_NUMA_INTERLEAVE => Policy::Interleave,
            _ => return Err(Error::range(format!("invalid OH_NUMA policy: {policy}"))),
        };
        if node != 0 && !matches!(policy, Policy::Prefer(_)) {
            return Err(Error::range("node must be 0 unless the policy is OH_NUMA_NODE"));
        }
        // SAFETY: the caller guarantees the bytes, whose contents do not change.
        unsafe {
            place(bytes, length, policy)?;
            if populate_now { populate(bytes.cast_mut(), length) } else { Ok(()) }
        }
    })
}

/// Returns the node of each page of the `length` bytes at `base`, in order; `OH_NUMA_NOWHERE` for a
/// page that no thread has written to yet. Pages that contain only some of the bytes count as well.
/// Writes up to `capacity` of them; `*count` becomes the total number of pages. Takes about 0.1 µs
/// for each page.
///
/// `OH_ERR_UNSUPPORTED` if the system forbids it. Without NUMA, every page is on node 0.
///
/// # Safety
/// The bytes are mapped; `nodes` has room for `capacity` numbers, or `capacity` is 0; `count` is
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numa_nodes_of(
    base: *const c_void,
    length: usize,
    nodes: *mut i32,
    capacity: usize,
    count: *mut usize,
) -> oh_status {
    guard(|| {
        check_pointer(count, "count")?;
        let bytes = check_bytes(base, length, "base")?;
        let pages = query::page_count(bytes, length);
        let wanted = pages.min(capacity);
        // SAFETY: the caller guarantees that the bytes are mapped, that `nodes` has room for
        // `capacity` numbers, or `capacity` is 0, that `count` is writable.
        let mut out = unsafe { slice_mut(nodes, wanted, "nodes")? }.iter_mut();
        // SAFETY: the caller guarantees that the bytes are mapped, that `nodes` has room for
        // `capacity` numbers, or `capacity` is 0, that `count` is writable.
        unsafe {
            query::nodes_of(bytes, query::leading_bytes(bytes, length, wanted), |node| {
                if let Some(slot) = out.next() {
                    *slot = node.map_or(OH_NUMA_NOWHERE, |node| node as i32);
                }
            })?;
            count.write(pages);
        }
        Ok(())
    })
}

/// Counts the pages of the `length` bytes at `base` by node: adds 1 to `counts[n]` for each page on
/// node n. `*nowhere` becomes the number of pages that are not on any node yet. `OH_ERR_RANGE` if a
/// page is on a node n ≥ `capacity`; 1,024 is always enough.
///
/// # Safety
/// The bytes are mapped; `counts` has `capacity` numbers; `nowhere` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numa_count_pages(
    base: *const c_void,
    length: usize,
    counts: *mut u64,
    capacity: usize,
    nowhere: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that the bytes are mapped, that `counts` has `capacity`
    // numbers, that `nowhere` is writable.
    unsafe {
        guard_out(nowhere, || {
            let bytes = check_bytes(base, length, "base")?;
            query::count_pages(bytes, length, slice_mut(counts, capacity, "counts")?)
        })
    }
}
