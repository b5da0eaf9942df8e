//! The nodes of this machine: processors, memory, distances, and the kernel's counters.
//!
//! Each call reads `/sys/devices/system/node`, because nodes come and go with hot-plugging, and
//! free memory and counters change all the time. **Cost.** A few files per node, about 50 µs.

use super::MAX_NODES;
use super::nodes::{NodeSet, ranges};
use std::fs;
use std::path::Path;

/// The folder in which Linux describes its nodes.
const FOLDER: &str = "/sys/devices/system/node";
/// The distance from a node to itself (ACPI's SLIT); that to another node is about 20.
pub const LOCAL_DISTANCE: u32 = 10;

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Node {
    /// Its number. Numbers may have gaps.
    pub id: u32,
    /// The logical processors of the node, ascending. There may be none.
    pub cpus: Vec<u32>,
    /// Total bytes of memory; a node may have none.
    pub memory_bytes: u64,
    /// Bytes that are free now.
    pub free_bytes: u64,
    /// The distance of each node of the topology from this one, in the same order: 10 for itself,
    /// 20 for twice as far.
    pub distances: Vec<u32>,
    /// The results of requests for pages of this node since the machine was started.
    pub counters: Counters,
}

/// The kernel's counters of a node: pages of all processes since the machine was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counters {
    /// Requested on this node, and allocated on it.
    pub hit: u64,
    /// Requested on another node, and allocated on this one, because the other was full.
    pub miss: u64,
    /// Requested on this node, and allocated on another one.
    pub foreign: u64,
    /// Interleaved, requested on this node, and allocated on it.
    pub interleave_hit: u64,
    /// Allocated on this node by a process that ran on it.
    pub local: u64,
    /// Allocated on this node by a process that ran on another one.
    pub other: u64,
}

/// The nodes of the machine, ascending by number. At least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// The nodes.
    pub nodes: Vec<Node>,
}

impl Topology {
    /// The nodes that are online now. One node with everything if the system reports none.
    #[must_use]
    pub fn get() -> Topology {
        if super::available()
            && let Some(topology) = Topology::read(Path::new(FOLDER))
        {
            return topology;
        }
        Topology { nodes: vec![whole_machine()] }
    }

    fn read(folder: &Path) -> Option<Topology> {
        let online = NodeSet::parse(&fs::read_to_string(folder.join("online")).ok()?);
        let mut nodes: Vec<Node> =
            online.iter().filter_map(|id| Node::read(&folder.join(format!("node{id}")), id)).collect();
        let count = nodes.len();
        for (at, node) in nodes.iter_mut().enumerate() {
            // A list that does not match the nodes (one was just added or removed) is not used.
            if node.distances.len() != count {
                node.distances = (0..count).map(|to| LOCAL_DISTANCE * if to == at { 1 } else { 2 }).collect();
            }
        }
        (count > 0).then_some(Topology { nodes })
    }

    /// The node with this number.
    #[must_use]
    pub fn node(&self, id: u32) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == id)
    }

    /// The numbers of the nodes with memory that this process may use, nearest to `id` first (`id`
    /// itself, if it has memory), ties by number. A pool tries them in this order.
    #[must_use]
    pub fn nearest(&self, id: u32) -> Vec<u32> {
        let usable = memory_nodes();
        let distances = self.node(id).map_or(&[][..], |node| &node.distances);
        let mut near: Vec<(u32, u32)> = self
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| usable.contains(node.id))
            .map(|(at, node)| (distances.get(at).copied().unwrap_or(u32::MAX), node.id))
            .collect();
        near.sort_unstable();
        near.into_iter().map(|(_, id)| id).collect()
    }
}

/// The nodes that have memory and from which this process may allocate it. Only node 0 without
/// NUMA.
#[must_use]
pub fn memory_nodes() -> NodeSet {
    #[cfg(target_os = "linux")]
    if let Some(allowed) = super::nodes::allowed() {
        // If the kernel has no list of nodes with memory, the online ones are used.
        let listed = ["has_memory", "online"]
            .iter()
            .find_map(|name| fs::read_to_string(Path::new(FOLDER).join(name)).ok())
            .map(|list| NodeSet::parse(&list).and(&allowed));
        return listed.filter(|nodes| !nodes.is_empty()).unwrap_or(allowed);
    }
    NodeSet::of(0).unwrap_or_default()
}

impl Node {
    fn read(folder: &Path, id: u32) -> Option<Node> {
        let text = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        let meminfo = fs::read_to_string(folder.join("meminfo")).ok()?;
        Some(Node {
            id,
            cpus: cpus(&text("cpulist")),
            memory_bytes: kilobytes(&meminfo, "MemTotal:"),
            free_bytes: kilobytes(&meminfo, "MemFree:"),
            distances: text("distance").split_whitespace().filter_map(|number| number.parse().ok()).collect(),
            counters: Counters::parse(&text("numastat")),
        })
    }
}

impl Counters {
    fn parse(text: &str) -> Counters {
        let counter = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            line.and_then(|number| number.trim().parse().ok()).unwrap_or(0)
        };
        Counters {
            hit: counter("numa_hit"),
            miss: counter("numa_miss"),
            foreign: counter("numa_foreign"),
            interleave_hit: counter("interleave_hit"),
            local: counter("local_node"),
            other: counter("other_node"),
        }
    }
}

/// Parses a list of processors. The result is bounded, so that an invalid list cannot exhaust the
/// memory.
fn cpus(list: &str) -> Vec<u32> {
    ranges(list).flat_map(|(first, last)| first..=last).take(MAX_NODES * 64).collect()
}

/// Parses a line such as `Node 0 MemTotal:       24684092 kB`.
fn kilobytes(meminfo: &str, name: &str) -> u64 {
    let line = meminfo.lines().find_map(|line| line.split_once(name));
    let number = line.and_then(|(_, rest)| rest.split_whitespace().next()?.parse::<u64>().ok());
    number.unwrap_or(0).saturating_mul(1024)
}

/// The machine as one node.
fn whole_machine() -> Node {
    let processors = std::thread::available_parallelism().map_or(1, |count| count.get() as u32);
    #[cfg(unix)]
    let memory_bytes = {
        // SAFETY: sysconf has no requirements.
        let pages = unsafe { libc::sysconf(libc::_SC_PHYS_PAGES) };
        u64::try_from(pages).unwrap_or(0).saturating_mul(crate::region::pages::page_size() as u64)
    };
    #[cfg(not(unix))]
    let memory_bytes = 0;
    Node {
        id: 0,
        cpus: (0..processors).collect(),
        memory_bytes,
        free_bytes: 0,
        distances: vec![LOCAL_DISTANCE],
        counters: Counters::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Creates a folder as Linux would present it.
    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn reads_nodes_with_gaps_and_without_processors() {
        let folder = machine(&[
            ("online", "0,2\n"),
            ("node0/cpulist", "0-1,4\n"),
            ("node0/meminfo", "Node 0 MemTotal:       1024 kB\nNode 0 MemFree:        512 kB\n"),
            ("node0/distance", "10 21\n"),
            (
                "node0/numastat",
                "numa_hit 7\nnuma_miss 1\nnuma_foreign 2\ninterleave_hit 3\nlocal_node 5\nother_node 6\n",
            ),
            ("node2/cpulist", "\n"),
            ("node2/meminfo", "Node 2 MemTotal: 2048 kB\n"),
            ("node2/distance", "21 10\n"),
        ]);
        let topology = Topology::read(folder.path()).unwrap();
        assert_eq!(topology.nodes.len(), 2);
        let node = topology.node(0).unwrap();
        assert_eq!(node.cpus, [0, 1, 4]);
        assert_eq!((node.memory_bytes, node.free_bytes), (1 << 20, 1 << 19));
        assert_eq!(node.distances, [10, 21]);
        let expected = Counters { hit: 7, miss: 1, foreign: 2, interleave_hit: 3, local: 5, other: 6 };
        assert_eq!(node.counters, expected);
        let far = topology.node(2).unwrap();
        assert_eq!((far.cpus.as_slice(), far.memory_bytes, far.free_bytes), (&[][..], 2 << 20, 0));
        assert_eq!(far.counters, Counters::default());
        assert!(topology.node(1).is_none());
    }

    #[test]
    fn tolerates_wrong_distances_and_incomplete_folders() {
        let folder = machine(&[
            ("online", "0-1"),
            ("node0/meminfo", ""),
            ("node0/distance", "10 20 20"),
            ("node1/meminfo", "MemTotal: many kB"),
        ]);
        let topology = Topology::read(folder.path()).unwrap();
        let distances: Vec<_> = topology.nodes.iter().map(|node| node.distances.clone()).collect();
        assert_eq!(distances, [[10, 20], [20, 10]]);
        assert_eq!(topology.nodes[1].memory_bytes, 0);
        assert_eq!(Topology::read(machine(&[("online", "")]).path()), None);
        assert_eq!(Topology::read(machine(&[("online", "0-3")]).path()), None);
        assert_eq!(Topology::read(Path::new("/no such folder")), None);
        assert_eq!(cpus("0-4294967295").len(), MAX_NODES * 64);
    }

    #[test]
    fn reads_the_nodes_of_this_machine() {
        let topology = Topology::get();
        assert!(topology.nodes.is_sorted_by_key(|node| node.id) && !topology.nodes.is_empty());
        let count = topology.nodes.len();
        for (at, node) in topology.nodes.iter().enumerate() {
            assert_eq!(node.distances.len(), count);
            assert_eq!(node.distances[at], LOCAL_DISTANCE);
        }
        assert!(topology.nodes.iter().any(|node| !node.cpus.is_empty()));
        let usable = memory_nodes();
        assert!(usable.iter().count() >= 1);
        for node in &topology.nodes {
            let near = topology.nearest(node.id);
            assert_eq!(near.iter().filter(|&&id| usable.contains(id)).count(), near.len());
            if usable.contains(node.id) {
                assert_eq!(near[0], node.id);
            }
        }
        let mut all = topology.nearest(u32::MAX);
        all.sort_unstable();
        assert!(!all.is_empty(), "a node that does not exist is far from all");
    }
}
