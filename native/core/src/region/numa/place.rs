//! Placing pages on NUMA nodes: `mbind` on the whole pages inside a range of bytes.
//!
//! A single node is `MPOL_PREFERRED`, which is also libnuma's default for `numa_tonode_memory`:
//! pages come from the node while it has any, then from its neighbors. `MPOL_BIND` would be strict,
//! and kill the process when the node is full. `MPOL_MF_MOVE` also moves pages that were touched
//! before.
//!
//! The node is first checked against the existing nodes, so a wrong number is a range error that
//! names them, rather than the kernel's bare `EINVAL`.
//!
//! **Cost.** A few microseconds, and a copy of every page that is moved. **Limit.** The policy
//! applies to this mapping in this process: a file's pages in the page cache go to the node of the
//! thread that reads them.

use super::nodes::NodeSet;
use super::topology::memory_nodes;
use crate::{Error, Result};

/// Where pages should come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// From this node, and from its neighbors if it is full.
    Prefer(u32),
    /// From the node on which the thread runs that touches a page first.
    Local,
    /// From all nodes of this process in turn, page by page: the bandwidth of all, and the average
    /// latency. With huge pages, a turn is a huge page.
    Interleave,
    /// The policy of the thread or process (`numactl`, `set_mempolicy`): undoes the others.
    Default,
}

/// Places the whole pages inside the `length` bytes at `base` by the policy, now and when they are
/// touched for the first time. Fewer bytes than a page need no placement; that is not an error.
///
/// `Range` if the node does not exist or has no memory. `Unsupported` if the kernel has NUMA and
/// forbids placing (some containers). `Oom` if the kernel has no memory for its own tables. Without
/// NUMA, node 0 and the other policies succeed, because they describe the machine as it is.
///
/// # Safety
/// The bytes are mapped, and stay mapped until the call returns. Their contents do not change.
pub unsafe fn place(base: *const u8, length: usize, policy: Policy) -> Result<()> {
    let nodes = match policy {
        Policy::Prefer(node) => {
            let usable = memory_nodes();
            NodeSet::of(node).filter(|_| usable.contains(node)).ok_or_else(|| {
                Error::range(format!("invalid NUMA node: {node} (nodes with memory: {usable})"))
            })?
        }
        Policy::Interleave => memory_nodes(),
        Policy::Local | Policy::Default => NodeSet::default(),
    };
    #[cfg(target_os = "linux")]
    if super::available() {
        // SAFETY: the bytes are mapped, guaranteed by the caller.
        return unsafe { linux::place(base, length, policy, &nodes) };
    }
    let _ = (base, length, nodes);
    Ok(())
}

#[cfg(target_os = "linux")]
mod linux {
    use super::*;
    use crate::region::numa::MAX_NODES;
    use crate::region::pages::inner_pages;
    use std::io;

    // From the kernel's uapi/linux/mempolicy.h; the libc crate defines them for some targets only.
    const MPOL_DEFAULT: libc::c_int = 0;
    const MPOL_PREFERRED: libc::c_int = 1;
    const MPOL_INTERLEAVE: libc::c_int = 3;
    const MPOL_MF_MOVE: libc::c_uint = 2;

    pub(super) unsafe fn place(
        base: *const u8,
        length: usize,
        policy: Policy,
        nodes: &NodeSet,
    ) -> Result<()> {
        let Some((start, bytes)) = inner_pages(base.addr(), length) else { return Ok(()) };
        let mode = match policy {
            // A preference without a node means the local one (mbind(2)), also before Linux 3.8,
            // which introduced MPOL_LOCAL.
            Policy::Prefer(_) | Policy::Local => MPOL_PREFERRED,
            Policy::Interleave => MPOL_INTERLEAVE,
            Policy::Default => MPOL_DEFAULT,
        };
        // The kernel reads one bit less than the number passed. A policy without nodes takes no
        // mask.
        let (mask, bits) =
            if nodes.is_empty() { (std::ptr::null(), 0) } else { (nodes.as_ptr(), MAX_NODES + 1) };
        // The last two policies name no node to which existing pages could move.
        let flags = if nodes.is_empty() { 0 } else { MPOL_MF_MOVE };
        // SAFETY: these are whole pages of the range that the caller guarantees to be mapped, and
        // the mask has MAX_NODES bits.
        let result = unsafe { libc::syscall(libc::SYS_mbind, start, bytes, mode, mask, bits, flags) };
        if result == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        Err(match error.raw_os_error() {
            Some(libc::ENOSYS | libc::EPERM) => {
                Error::unsupported(format!("NUMA placement is not available: {error}"))
            }
            Some(libc::EINVAL) => Error::range(format!("the kernel refused the NUMA nodes {nodes}: {error}")),
            _ => error.into(),
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn accepts_existing_nodes_and_rejects_others() {
        let mut memory = memmap2::MmapMut::map_anon(1 << 20).unwrap();
        memory.fill(7);
        let base = memory.as_ptr();
        // SAFETY: the mapping is alive.
        let attempt = |policy| unsafe { place(base, 1 << 20, policy) };
        let nodes = memory_nodes();
        let first = nodes.iter().next().unwrap();
        for policy in [Policy::Prefer(first), Policy::Local, Policy::Interleave, Policy::Default] {
            match attempt(policy) {
                Ok(()) => {}
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{policy:?}: {error}"),
            }
        }
        for node in [1023, 1024, 4096, u32::MAX] {
            if !nodes.contains(node) {
                let error = attempt(Policy::Prefer(node)).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Range, "{error}");
                assert!(error.message().contains(&nodes.to_string()), "{error}");
            }
        }
        assert!(memory.iter().all(|&byte| byte == 7));
    }

    #[test]
    fn less_than_a_page_is_accepted() {
        let bytes = [7u8; 100];
        let first = memory_nodes().iter().next().unwrap();
        for policy in [Policy::Prefer(first), Policy::Interleave] {
            // SAFETY: the range contains no whole page, so nothing is placed.
            unsafe { place(bytes.as_ptr(), bytes.len(), policy) }.unwrap();
        }
    }
}
