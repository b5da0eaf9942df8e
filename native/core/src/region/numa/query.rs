//! The nodes of pages, from `move_pages` without a target, and of this thread, from `getcpu`.
//!
//! A page that was never touched is on no node. The same is true of a page that was only read:
//! reads of fresh memory see the kernel's single page of zeros, which does not belong to this
//! memory. Pages on disk are on no node either.
//!
//! **Cost.** About 0.1 µs per page, so 25 ms for a GiB of small pages.

use super::available;
use crate::region::pages::page_size;
use crate::{Error, Result};

/// The node on which this thread is running; 0 without NUMA. About 0.1 µs.
#[must_use]
pub fn current_node() -> u32 {
    #[cfg(target_os = "linux")]
    if available() {
        let mut node: libc::c_uint = 0;
        let nothing = std::ptr::null_mut::<libc::c_void>();
        // SAFETY: the pointer is to a node; the processor and the cache are not requested.
        if unsafe { libc::syscall(libc::SYS_getcpu, nothing, &raw mut node, nothing) } == 0 {
            return node;
        }
    }
    0
}

/// The number of pages in the `length` bytes at `base`, including the first and the last one if
/// only part of them is in the range.
#[must_use]
pub fn page_count(base: *const u8, length: usize) -> usize {
    pages(base, length).map_or(0, |(first, last)| (last - first) / page_size() + 1)
}

/// The number of the `length` bytes at `base` that lie in the first `count` of the pages that
/// [`page_count`] counts.
#[must_use]
pub fn leading_bytes(base: *const u8, length: usize, count: usize) -> usize {
    let step = page_size();
    let whole = count.saturating_mul(step);
    length.min(whole.saturating_sub(base.addr() & (step - 1)))
}

/// The first and the last page.
fn pages(base: *const u8, length: usize) -> Option<(usize, usize)> {
    let mask = page_size() - 1;
    let end = base.addr().checked_add(length.checked_sub(1)?)?;
    Some((base.addr() & !mask, end & !mask))
}

/// Calls `each` with the node of each page of the `length` bytes at `base`, in order; `None` for a
/// page that is on no node. Without NUMA, every page is on node 0.
///
/// `Unsupported` if the kernel has NUMA and forbids the query.
///
/// # Safety
/// The bytes are mapped, and stay mapped until the call returns.
pub unsafe fn nodes_of(base: *const u8, length: usize, mut each: impl FnMut(Option<u32>)) -> Result<()> {
    let Some((first, last)) = pages(base, length) else { return Ok(()) };
    let step = page_size();
    if !available() {
        for _ in (first..=last).step_by(step) {
            each(Some(0));
        }
        return Ok(());
    }
    const BATCH: usize = 256;
    let mut addresses = [std::ptr::null::<u8>(); BATCH];
    let mut statuses = [0i32; BATCH];
    let mut next = Some(first);
    while let Some(start) = next {
        let mut count = 0;
        let mut page = start;
        loop {
            addresses[count] = base.with_addr(page);
            count += 1;
            next = page.checked_add(step).filter(|&page| page <= last);
            match next {
                Some(following) if count < BATCH => page = following,
                _ => break,
            }
        }
        ask(&addresses[..count], &mut statuses[..count])?;
        for &status in &statuses[..count] {
            // Negative numbers are errors: -ENOENT (not present), -EFAULT (the zero page) and
            // others.
            each(u32::try_from(status).ok());
        }
    }
    Ok(())
}

/// Counts the pages of the `length` bytes at `base`: adds to `counts[n]` for each page on node n,
/// and returns the number of pages on no node. `Range` if a page is on a node past the end of
/// `counts`.
///
/// # Safety
/// As for [`nodes_of`].
pub unsafe fn count_pages(base: *const u8, length: usize, counts: &mut [u64]) -> Result<u64> {
    let mut absent = 0;
    let mut beyond = None;
    // SAFETY: the bytes are mapped, guaranteed by the caller.
    unsafe {
        nodes_of(base, length, |node| match node.map(|node| (node, counts.get_mut(node as usize))) {
            Some((_, Some(count))) => *count += 1,
            Some((node, None)) => beyond = Some(node),
            None => absent += 1,
        })
    }?;
    match beyond {
        None => Ok(absent),
        Some(node) => Err(Error::range(format!(
            "a page is on node {node}, but there is room for {} counts only",
            counts.len()
        ))),
    }
}

#[cfg(target_os = "linux")]
fn ask(addresses: &[*const u8], statuses: &mut [i32]) -> Result<()> {
    let this_process = 0;
    let nothing = std::ptr::null::<libc::c_void>();
    // SAFETY: the arrays have the length that is passed. Without a target no page moves, and no
    // page is read.
    let result = unsafe {
        libc::syscall(
            libc::SYS_move_pages,
            this_process,
            addresses.len(),
            addresses.as_ptr(),
            nothing,
            statuses.as_mut_ptr(),
            0,
        )
    };
    if result >= 0 {
        return Ok(());
    }
    let error = std::io::Error::last_os_error();
    Err(match error.raw_os_error() {
        // The kernel's result if none of the pages is present.
        Some(libc::ENOENT) => {
            statuses.fill(-libc::ENOENT);
            return Ok(());
        }
        Some(libc::ENOSYS | libc::EPERM | libc::EACCES) => {
            Error::unsupported(format!("the kernel does not report the nodes of pages: {error}"))
        }
        _ => error.into(),
    })
}

#[cfg(not(target_os = "linux"))]
fn ask(_: &[*const u8], statuses: &mut [i32]) -> Result<()> {
    statuses.fill(0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::region::numa::topology::Topology;

    #[test]
    fn the_node_of_this_thread_exists() {
        assert!(Topology::get().node(current_node()).is_some());
    }

    #[test]
    fn partly_covered_pages_count() {
        let page = page_size();
        let at = |offset: usize| std::ptr::without_provenance::<u8>(16 * page + offset);
        for (offset, length, expected) in [
            (0, 0, 0),
            (0, 1, 1),
            (page - 1, 1, 1),
            (page - 1, 2, 2),
            (0, page, 1),
            (0, page + 1, 2),
            (1, 600 * page, 601),
        ] {
            assert_eq!(page_count(at(offset), length), expected, "{offset} {length}");
            assert_eq!(leading_bytes(at(offset), length, expected), length);
            for part in 0..expected.min(3) {
                assert_eq!(page_count(at(offset), leading_bytes(at(offset), length, part)), part);
            }
        }
        assert_eq!(page_count(at(0), usize::MAX), 0, "a range that wraps around has no pages");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn touched_pages_are_on_a_node_and_others_are_not() {
        let page = page_size();
        let length = 600 * page;
        let mut memory = memmap2::MmapMut::map_anon(length).unwrap();
        // With small pages, because the first touch of a huge page would bring in all.
        // SAFETY: the mapping is alive.
        let _ = unsafe {
            crate::region::advise::advise(memory.as_ptr(), length, crate::region::advise::Advice::SmallPages)
        };
        for at in [0, 255, 256, 599] {
            memory[at * page] = 7;
        }
        assert_eq!(std::hint::black_box(memory[300 * page]), 0);
        let mut found = Vec::new();
        // SAFETY: the mapping is alive.
        match unsafe { nodes_of(memory.as_ptr(), length, |node| found.push(node)) } {
            Err(error) => return assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}"),
            Ok(()) => assert_eq!(found.len(), 600),
        }
        if available() {
            let there: Vec<_> = (0..600).filter(|&at| found[at].is_some()).collect();
            assert_eq!(there, [0, 255, 256, 599]);
        }
        let mut counts = [0; crate::region::numa::MAX_NODES];
        // SAFETY: the mapping is alive.
        let absent = unsafe { count_pages(memory.as_ptr(), length, &mut counts) }.unwrap();
        assert_eq!(counts.iter().sum::<u64>() + absent, 600);
        // SAFETY: the mapping is alive.
        let error = unsafe { count_pages(memory.as_ptr(), length, &mut []) }.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Range, "{error}");
        // SAFETY: an empty range is not accessed.
        unsafe { nodes_of(memory.as_ptr(), 0, |_| panic!("there is no page")) }.unwrap();
    }
}
