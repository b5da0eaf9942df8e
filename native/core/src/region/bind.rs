//! Placing pages on a NUMA node: `mbind` on the whole pages inside a run of bytes.
//!
//! The policy is `MPOL_PREFERRED`, which is also libnuma's default for `numa_tonode_memory`: pages come
//! from the node while it has any, then from its neighbours. `MPOL_BIND` would be strict, and answer a
//! full node by killing the process. `MPOL_MF_MOVE` takes along pages that were touched before.
//!
//! The node is checked against `/sys/devices/system/node` first, so a wrong number is a range error
//! that names the nodes there are, and not the kernel's bare `EINVAL`.
//!
//! **Cost.** A few microseconds, and a copy of every page that has to move.

use crate::{Error, Result};

/// Puts the whole pages inside the `length` bytes at `base` on NUMA node `node`, now and when they are
/// touched for the first time. Less than a page has nothing to place, and is fine.
///
/// `Range`: there is no such node with memory. `Unsupported`: no NUMA here, or it is forbidden (some
/// containers). `Oom`: the kernel ran out of memory for its own tables.
///
/// # Safety
/// The bytes are mapped, and stay so until the call returns. Their contents do not change.
pub unsafe fn bind(base: *const u8, length: usize, node: u32) -> Result<()> {
    #[cfg(target_os = "linux")]
    // SAFETY: the caller's.
    unsafe {
        linux::bind(base, length, node)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (base, length, node);
        Err(Error::unsupported("NUMA placement is not available on this system"))
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use super::*;
    use crate::region::pages::inner_pages;
    use std::io;

    // From the kernel's uapi/linux/mempolicy.h; the libc crate has them for some targets only.
    const MPOL_PREFERRED: libc::c_int = 1;
    const MPOL_MF_MOVE: libc::c_uint = 2;

    /// As many nodes as a kernel can be built for (`NODES_SHIFT` is at most 10).
    const MAX_NODES: usize = 1024;

    pub(super) unsafe fn bind(base: *const u8, length: usize, node: u32) -> Result<()> {
        let nodes = nodes_with_memory()?;
        if !contains(&nodes, node) || node as usize >= MAX_NODES {
            let nodes = nodes.trim();
            return Err(Error::range(format!("there is no NUMA node {node} with memory, only {nodes}")));
        }
        let Some((start, bytes)) = inner_pages(base.addr(), length) else { return Ok(()) };
        const BITS: usize = libc::c_ulong::BITS as usize;
        let mut mask = [0 as libc::c_ulong; MAX_NODES / BITS];
        mask[node as usize / BITS] |= 1 << (node as usize % BITS);
        // The kernel looks at one bit less than it is told.
        let bits = MAX_NODES + 1;
        // SAFETY: whole pages of what the caller vouches for, and a mask of MAX_NODES bits.
        let result = unsafe {
            libc::syscall(libc::SYS_mbind, start, bytes, MPOL_PREFERRED, mask.as_ptr(), bits, MPOL_MF_MOVE)
        };
        if result == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        Err(match error.raw_os_error() {
            Some(libc::ENOSYS | libc::EPERM) => {
                Error::unsupported(format!("NUMA placement is not available here: {error}"))
            }
            Some(libc::EINVAL) => Error::range(format!("NUMA node {node} was refused: {error}")),
            _ => error.into(),
        })
    }

    /// The kernel's list, such as `0-1,4`: of nodes with memory, or where it has no such list, of those online.
    fn nodes_with_memory() -> Result<String> {
        ["has_memory", "online"]
            .iter()
            .find_map(|name| std::fs::read_to_string(format!("/sys/devices/system/node/{name}")).ok())
            .ok_or_else(|| Error::unsupported("this kernel has no NUMA support"))
    }

    fn contains(list: &str, node: u32) -> bool {
        list.trim().split(',').any(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            matches!((first.parse::<u32>(), last.parse::<u32>()), (Ok(first), Ok(last)) if (first..=last).contains(&node))
        })
    }

    #[cfg(test)]
    mod tests {
        use super::*;
        use crate::ErrorKind;

        #[test]
        fn lists_of_nodes() {
            for (list, inside, outside) in [
                ("0\n", vec![0], vec![1, u32::MAX]),
                ("0-3\n", vec![0, 1, 3], vec![4]),
                ("0,2-3,8", vec![0, 2, 3, 8], vec![1, 4, 7, 9]),
                ("", vec![], vec![0, 1]),
                ("nonsense,1-x", vec![], vec![0, 1]),
            ] {
                assert!(inside.iter().all(|&node| contains(list, node)), "{list}");
                assert!(!outside.iter().any(|&node| contains(list, node)), "{list}");
            }
        }

        #[test]
        fn nodes_that_are_there_and_nodes_that_are_not() {
            let mut memory = memmap2::MmapMut::map_anon(1 << 20).unwrap();
            memory.fill(7);
            let base = memory.as_ptr();
            // SAFETY: a live mapping.
            let try_node = |node| unsafe { super::super::bind(base, 1 << 20, node) };
            match nodes_with_memory() {
                Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported),
                Ok(nodes) => {
                    let first = nodes.trim().split([',', '-']).next().unwrap().parse().unwrap();
                    match try_node(first) {
                        Ok(()) => {}
                        Err(error) => assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}"),
                    }
                    for node in [1023, 1024, 4096, u32::MAX] {
                        if !contains(&nodes, node) {
                            let error = try_node(node).unwrap_err();
                            assert_eq!(error.kind(), ErrorKind::Range, "{error}");
                            assert!(error.message().contains(nodes.trim()), "{error}");
                        }
                    }
                }
            }
            assert!(memory.iter().all(|&byte| byte == 7));
        }

        #[test]
        fn less_than_a_page_is_fine() {
            let bytes = [7u8; 100];
            // SAFETY: no whole page in it, so nothing is placed.
            match unsafe { super::super::bind(bytes.as_ptr(), bytes.len(), 0) } {
                Ok(()) => {}
                Err(error) => assert!(matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::Range)),
            }
        }
    }
}
