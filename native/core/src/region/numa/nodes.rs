//! Sets of NUMA nodes.

use super::MAX_NODES;
use std::fmt;

/// A set of nodes in the kernel's representation: bit n of the mask is node n.
///
/// The kernel's mask consists of `unsigned long`s; on a little-endian machine, the bytes are the
/// same for words of 64 bits.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct NodeSet([u64; MAX_NODES / 64]);

impl NodeSet {
    /// The set of one node. `None` if the number is too large for any kernel.
    #[must_use]
    pub fn of(node: u32) -> Option<NodeSet> {
        let mut set = NodeSet::default();
        set.insert(node).then_some(set)
    }

    /// Parses the kernel's notation, such as `0-1,4`. Invalid parts are skipped.
    #[must_use]
    pub fn parse(list: &str) -> NodeSet {
        let mut set = NodeSet::default();
        for (first, last) in ranges(list) {
            for node in first..=last.min(MAX_NODES as u32 - 1) {
                set.insert(node);
            }
        }
        set
    }

    /// Adds a node; `false` if its number is too large for any kernel.
    pub fn insert(&mut self, node: u32) -> bool {
        let word = self.0.get_mut(node as usize / 64);
        word.map(|word| *word |= 1 << (node % 64)).is_some()
    }

    /// Whether the node is in the set.
    #[must_use]
    pub fn contains(&self, node: u32) -> bool {
        self.0.get(node as usize / 64).is_some_and(|word| word & (1 << (node % 64)) != 0)
    }

    /// The nodes that are in both sets.
    #[must_use]
    pub fn and(&self, other: &NodeSet) -> NodeSet {
        NodeSet(std::array::from_fn(|at| self.0[at] & other.0[at]))
    }

    /// Whether the set is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|&word| word == 0)
    }

    /// The nodes, in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        (0..MAX_NODES as u32).filter(|&node| self.contains(node))
    }

    /// The mask, for a system call that reads [`MAX_NODES`] bits.
    #[cfg(target_os = "linux")]
    pub(super) fn as_ptr(&self) -> *const u64 {
        self.0.as_ptr()
    }

    /// The mask, for a system call that writes [`MAX_NODES`] bits.
    #[cfg(target_os = "linux")]
    pub(super) fn as_mut_ptr(&mut self) -> *mut u64 {
        self.0.as_mut_ptr()
    }
}

/// Formats the set in the kernel's notation.
impl fmt::Display for NodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        let mut node = 0;
        while node < MAX_NODES as u32 {
            if self.contains(node) {
                let start = node;
                while self.contains(node + 1) {
                    node += 1;
                }
                let comma = if first { "" } else { "," };
                first = false;
                if node == start { write!(f, "{comma}{start}")? } else { write!(f, "{comma}{start}-{node}")? }
            }
            node += 1;
        }
        Ok(())
    }
}

impl fmt::Debug for NodeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeSet({self})")
    }
}

/// The ranges of a list such as `0-1,4`, each including its last number.
pub(super) fn ranges(list: &str) -> impl Iterator<Item = (u32, u32)> + '_ {
    list.trim().split(',').filter_map(|part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        Some((first.parse().ok()?, last.parse().ok()?))
    })
}

/// The nodes from which this process may allocate memory (a cpuset can exclude some). `None` if the
/// kernel does not report them: no NUMA, or no permission.
#[cfg(target_os = "linux")]
pub(super) fn allowed() -> Option<NodeSet> {
    // From the kernel's uapi/linux/mempolicy.h; the libc crate defines it for some targets only.
    const MPOL_F_MEMS_ALLOWED: libc::c_ulong = 4;
    let mut set = NodeSet::default();
    let mut mode: libc::c_int = 0;
    // SAFETY: the pointers are to a mode and to a mask of MAX_NODES bits.
    let result = unsafe {
        libc::syscall(
            libc::SYS_get_mempolicy,
            &raw mut mode,
            set.as_mut_ptr(),
            MAX_NODES,
            std::ptr::null::<libc::c_void>(),
            MPOL_F_MEMS_ALLOWED,
        )
    };
    (result == 0 && !set.is_empty()).then_some(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_and_formats_lists_of_nodes() {
        for (list, inside, outside, shown) in [
            ("0\n", vec![0], vec![1, u32::MAX], "0"),
            ("0-3\n", vec![0, 1, 3], vec![4], "0-3"),
            ("0,2-3,8", vec![0, 2, 3, 8], vec![1, 4, 7, 9], "0,2-3,8"),
            ("", vec![], vec![0, 1], ""),
            ("nonsense,1-x,-,7-6", vec![], vec![0, 1, 6, 7], ""),
            ("1000-4294967295", vec![1000, 1023], vec![999, 1024], "1000-1023"),
        ] {
            let set = NodeSet::parse(list);
            assert!(inside.iter().all(|&node| set.contains(node)), "{list}");
            assert!(!outside.iter().any(|&node| set.contains(node)), "{list}");
            assert_eq!(set.to_string(), shown);
            assert_eq!(NodeSet::parse(shown), set);
            assert_eq!(set.is_empty(), inside.is_empty());
        }
    }

    #[test]
    fn intersects_sets_and_bounds_single_nodes() {
        assert_eq!(NodeSet::of(65).unwrap().iter().collect::<Vec<_>>(), [65]);
        assert!(
            NodeSet::of(1023).is_some() && NodeSet::of(1024).is_none() && NodeSet::of(u32::MAX).is_none()
        );
        assert_eq!(NodeSet::parse("0-3").and(&NodeSet::parse("2-9")).to_string(), "2-3");
    }
}
