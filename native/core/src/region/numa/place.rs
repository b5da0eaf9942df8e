//! Placing pages on NUMA nodes: `mbind` on the whole pages inside a run of bytes.
//!
//! A single node is `MPOL_PREFERRED`, which is also libnuma's default for `numa_tonode_memory`:
//! pages come from the node while it has any, then from its neighbours. `MPOL_BIND` would be
//! strict, and answer a full node by killing the process. `MPOL_MF_MOVE` takes along pages that
//! were touched before.
//!
//! The node is checked against the nodes there are first, so a wrong number is a range error that
//! names them, and not the kernel's bare `EINVAL`.
//!
//! **Cost.** A few microseconds, and a copy of every page that has to move. **Limit.** The policy
//! is one of this mapping, in this process: a file's pages in the page cache go where the reader's
//! thread runs.

use super::nodes::NodeSet;
use super::topology::memory_nodes;
use crate::{Error, Result};

/// Where pages are to come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// From this node, and from its neighbours where it is full.
    Prefer(u32),
    /// From the node on which the thread runs that touches a page first.
    Local,
    /// From all nodes of this process in turns, page by page: the bandwidth of all, the latency of
    /// the average. With huge pages a turn is a huge page long.
    Interleave,
    /// What the thread or the process has set (`numactl`, `set_mempolicy`): undoes the others.
    Default,
}

/// Puts the whole pages inside the `length` bytes at `base` where the policy says, now and when
/// they are touched for the first time. Less than a page has nothing to place, and is fine.
///
/// `Range`: there is no such node with memory. `Unsupported`: the kernel has NUMA and forbids
/// placing (some containers). `Oom`: the kernel ran out of memory for its own tables. Where there
/// is no NUMA at all, node 0 and the other policies are what is there anyway, and fine.
///
/// # Safety
/// The bytes are mapped, and stay so until the call returns. Their contents do not change.
pub unsafe fn place(base: *const u8, length: usize, policy: Policy) -> Result<()> {
    let nodes = match policy {
        Policy::Prefer(node) => {
            let usable = memory_nodes();
            NodeSet::of(node).filter(|_| usable.contains(node)).ok_or_else(|| {
                Error::range(format!("there is no NUMA node {node} with memory, only {usable}"))
            })?
        }
        Policy::Interleave => memory_nodes(),
        Policy::Local | Policy::Default => NodeSet::default(),
    };
    #[cfg(target_os = "linux")]
    if super::available() {
        // SAFETY: the caller's.
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

    // From the kernel's uapi/linux/mempolicy.h; the libc crate has them for some targets only.
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
            // Preferring no node in particular is the local one (mbind(2)), also before MPOL_LOCAL
            // of Linux 3.8.
            Policy::Prefer(_) | Policy::Local => MPOL_PREFERRED,
            Policy::Interleave => MPOL_INTERLEAVE,
            Policy::Default => MPOL_DEFAULT,
        };
        // The kernel looks at one bit less than it is told. A policy without nodes wants no mask at
        // all.
        let (mask, bits) =
            if nodes.is_empty() { (std::ptr::null(), 0) } else { (nodes.as_ptr(), MAX_NODES + 1) };
        // Pages that are there have no place that the last two would move them to.
        let flags = if nodes.is_empty() { 0 } else { MPOL_MF_MOVE };
        // SAFETY: whole pages of what the caller vouches for, and a mask of MAX_NODES bits.
        let result = unsafe { libc::syscall(libc::SYS_mbind, start, bytes, mode, mask, bits, flags) };
        if result == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        Err(match error.raw_os_error() {
            Some(libc::ENOSYS | libc::EPERM) => {
                Error::unsupported(format!("NUMA placement is not available here: {error}"))
            }
            Some(libc::EINVAL) => Error::range(format!("the NUMA nodes {nodes} were refused: {error}")),
            _ => error.into(),
        })
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn nodes_that_are_there_and_nodes_that_are_not() {
        let mut memory = memmap2::MmapMut::map_anon(1 << 20).unwrap();
        memory.fill(7);
        let base = memory.as_ptr();
        // SAFETY: a live mapping.
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
    fn less_than_a_page_is_fine() {
        let bytes = [7u8; 100];
        let first = memory_nodes().iter().next().unwrap();
        for policy in [Policy::Prefer(first), Policy::Interleave] {
            // SAFETY: no whole page in it, so nothing is placed.
            unsafe { place(bytes.as_ptr(), bytes.len(), policy) }.unwrap();
        }
    }
}
