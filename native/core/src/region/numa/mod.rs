//! NUMA: the nodes of this machine, where pages go, where they are, and how well that worked.
//!
//! | file | what | from |
//! | --- | --- | --- |
//! | [`nodes`] | sets of nodes, and the kernel's notation for them | `0-1,4` |
//! | [`topology`] | nodes, their processors, memory, distances and counters | `/sys/devices/system/node` |
//! | [`place`] | where pages should go: one node, the local one, all in turn | `mbind` |
//! | [`query`] | where pages are, and where this thread runs | `move_pages`, `getcpu` |
//!
//! **No libnuma.** It would be one more library to find at run time (or LGPL code to link
//! statically), and it adds to these four system calls only what a region does not need: parsing of
//! `numactl` strings, masks of processors, and `numa_alloc`, which maps memory of its own while
//! ours is the engine's. The calls are the same.
//!
//! **Without NUMA** (another system, a kernel built without it, a container that forbids the
//! calls), the machine is one node, 0, with all processors and all memory; placing on it does
//! nothing, and every page is on it. [`available`] tells the two cases apart.
//!
//! Sources: the manual pages mbind(2), move_pages(2), get_mempolicy(2), numa(7); the kernel's
//! `Documentation/admin-guide/numastat.rst` and `Documentation/ABI/stable/sysfs-devices-node`.

pub mod nodes;
pub mod place;
pub mod query;
pub mod topology;

/// The most nodes that a kernel can be built for (`NODES_SHIFT` is at most 10).
pub const MAX_NODES: usize = 1024;

/// Whether the kernel supports NUMA calls and permits them to this process. True on a machine with
/// one node as well, if its kernel supports nodes. Queried once.
#[must_use]
pub fn available() -> bool {
    #[cfg(target_os = "linux")]
    {
        static ALLOWED: std::sync::LazyLock<bool> = std::sync::LazyLock::new(|| nodes::allowed().is_some());
        *ALLOWED
    }
    #[cfg(not(target_os = "linux"))]
    {
        false
    }
}
