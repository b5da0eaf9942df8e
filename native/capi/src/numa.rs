//! NUMA: the machine's nodes, where pages go, and where they are.

use crate::args::{check_bytes, check_pointer, slice_mut};
use crate::guard::{guard, guard_out, guard_value};
use crate::status::oh_status;
use offheap_core::region::advise::populate;
use offheap_core::region::numa::place::{Policy, place};
use offheap_core::region::numa::topology::{Node, Topology};
use offheap_core::region::numa::{available, query};
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// Policy for `oh_numa_place`: what the thread or the process has set; undoes the others.
pub const OH_NUMA_DEFAULT: u32 = 0;
/// Policy for `oh_numa_place`: from one node, and from its neighbours when it is full.
pub const OH_NUMA_NODE: u32 = 1;
/// Policy for `oh_numa_place`: from the node on which the thread runs that touches a page first.
pub const OH_NUMA_LOCAL: u32 = 2;
/// Policy for `oh_numa_place`: from all nodes in turns, page by page.
pub const OH_NUMA_INTERLEAVE: u32 = 3;

/// What `oh_numa_nodes_of` gives for a page that is nowhere: nobody has written to it yet.
pub const OH_NUMA_NOWHERE: i32 = -1;

/// A NUMA node. The counters are the kernel's, in pages, of all processes since the machine
/// started.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct oh_numa_node {
    /// Its number. Numbers may have gaps.
    pub id: u32,
    /// How many logical processors are near. A node may have none: `oh_numa_cpus` lists them.
    pub cpu_count: u32,
    /// Bytes of memory in all. A node may have none.
    pub memory_bytes: u64,
    /// Bytes that are free at this moment.
    pub free_bytes: u64,
    /// Pages that were wanted here, and taken from here.
    pub hit: u64,
    /// Pages that were wanted elsewhere, and taken from here, for lack of room there.
    pub miss: u64,
    /// Pages that were wanted here, and taken from elsewhere.
    pub foreign: u64,
    /// Pages that were interleaved, wanted here, and taken from here.
    pub interleave_hit: u64,
    /// Pages taken from here by a thread that ran here.
    pub local: u64,
    /// Pages taken from here by a thread that ran elsewhere.
    pub other: u64,
}

/// Whether the system knows about NUMA nodes and this process may ask; true on a machine with one
/// node, too. Where it is false, the functions below see one node, 0, with everything.
#[unsafe(no_mangle)]
pub extern "C" fn oh_numa_available() -> bool {
    guard_value(false, available)
}

/// How many nodes are online. At least 1. Nodes may come and go (hot-plugging), so
/// `oh_numa_node_at` can still fail.
///
/// # Safety
/// `count` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numa_node_count(count: *mut usize) -> oh_status {
    // SAFETY: the caller vouches for `count`.
    unsafe { guard_out(count, || Ok(Topology::get().nodes.len())) }
}

fn node_at(topology: &Topology, index: usize) -> Result<&Node> {
    let count = topology.nodes.len();
    topology
        .nodes
        .get(index)
        .ok_or_else(|| Error::range(format!("there are {count} nodes, so no node at index {index}")))
}

/// The node at `index` (from 0, in the order of their numbers), its memory and its counters, as
/// they are now. `OH_ERR_RANGE` if there are not so many.
///
/// # Safety
/// `node` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_numa_node_at(index: usize, node: *mut oh_numa_node) -> oh_status {
    // SAFETY: the caller vouches for `node`.
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

/// Copies `from` into `out`, as much as there is room for, and tells how much there is.
///
/// # Safety
/// `out` points to `capacity` numbers that nobody else uses; `count` is writable.
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

/// The logical processors of the node at `index`, ascending: as many as `capacity` has room for.
/// `count` is how many there are in all.
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
    // SAFETY: the caller's.
    guard(|| unsafe { copy_out(&node_at(&Topology::get(), index)?.cpus, cpus, capacity, count) })
}

/// How far the nodes are from the node at `index`, in their order: 10 for itself, 20 for twice as
/// far. As many as `capacity` has room for; `count` is how many there are in all.
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
    // SAFETY: the caller's.
    guard(|| unsafe { copy_out(&node_at(&Topology::get(), index)?.distances, distances, capacity, count) })
}

/// The node on which this thread runs at this moment. It may run elsewhere at the next.
#[unsafe(no_mangle)]
pub extern "C" fn oh_numa_current_node() -> u32 {
    guard_value(0, query::current_node)
}

/// Says where the whole pages inside `length` bytes at `base` come from: an `OH_NUMA_…` policy, and
/// for `OH_NUMA_NODE` which node (otherwise 0). Pages that are there already move, under
/// `OH_NUMA_NODE` and `OH_NUMA_INTERLEAVE`. With `populate` all of them are brought in now, so that
/// their places are settled.
///
/// `OH_ERR_RANGE` if there is no such policy, or no such node with memory; `OH_ERR_UNSUPPORTED`
/// where the system forbids it (as some containers do); `OH_ERR_OOM` where there is not so much
/// memory. Where there is no NUMA, every policy and node 0 are fine, and nothing moves.
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
            _ => return Err(Error::range(format!("{policy} is no OH_NUMA_… policy"))),
        };
        if node != 0 && !matches!(policy, Policy::Prefer(_)) {
            return Err(Error::range("only the policy OH_NUMA_NODE names a node"));
        }
        // SAFETY: the caller vouches for the bytes, whose contents do not change.
        unsafe {
            place(bytes, length, policy)?;
            if populate_now { populate(bytes.cast_mut(), length) } else { Ok(()) }
        }
    })
}

/// On which node each page of the `length` bytes at `base` is, in order; `OH_NUMA_NOWHERE` for a
/// page that nobody has written to yet. A page that belongs to the bytes only in part counts, too.
/// As many as `capacity` has room for; `count` is how many pages there are in all. About 0.1 µs a
/// page.
///
/// `OH_ERR_UNSUPPORTED` where the system forbids asking. Where there is no NUMA, every page is on
/// node 0.
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
        // SAFETY: the caller's.
        let mut out = unsafe { slice_mut(nodes, wanted, "nodes")? }.iter_mut();
        // SAFETY: the caller's.
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

/// Counts the pages of the `length` bytes at `base`: adds to `counts[n]` for each that is on node
/// n, and gives how many are nowhere yet. `OH_ERR_RANGE` if a page is on a node for which there is
/// no count; 1,024 counts are always enough.
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
    // SAFETY: the caller's.
    unsafe {
        guard_out(nowhere, || {
            let bytes = check_bytes(base, length, "base")?;
            query::count_pages(bytes, length, slice_mut(counts, capacity, "counts")?)
        })
    }
}
