//! Whether a mapping has a huge page, according to the kernel, because advice is not binding.
//!
//! **Cost.** Some microseconds from Linux 6.7 on (`PAGEMAP_SCAN`). On earlier versions
//! `/proc/self/smaps` is read, for which the kernel walks all pages of the process: about a
//! millisecond for each mapped gigabyte.

/// Whether the page at `address`, the first of a huge page if there is one, was accessed and is
/// huge.
#[must_use]
pub fn has_huge_page(address: usize) -> bool {
    #[cfg(target_os = "linux")]
    {
        linux::scan(address).unwrap_or_else(|| linux::look_up(address))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = address;
        false
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use crate::region::pages::page_size;
    use std::os::fd::AsRawFd;

    /// `struct pm_scan_arg` of linux/fs.h.
    #[repr(C)]
    #[derive(Default)]
    struct Scan {
        size: u64,
        flags: u64,
        start: u64,
        end: u64,
        walk_end: u64,
        regions: u64,
        regions_len: u64,
        max_pages: u64,
        category_inverted: u64,
        category_mask: u64,
        category_anyof_mask: u64,
        return_mask: u64,
    }

    /// `_IOWR('f', 16, struct pm_scan_arg)`.
    const PAGEMAP_SCAN: u64 = 3 << 30 | (size_of::<Scan>() as u64) << 16 | (b'f' as u64) << 8 | 16;
    /// Mapped as a whole by one entry: a transparent huge page, or one of hugetlbfs.
    const PAGE_IS_HUGE: u64 = 1 << 6;

    /// `None` if the kernel does not support the query.
    pub(super) fn scan(address: usize) -> Option<bool> {
        let pagemap = std::fs::File::open("/proc/self/pagemap").ok()?;
        // `struct page_region`: start, end, categories.
        let mut region = [0u64; 3];
        let mut scan = Scan {
            size: size_of::<Scan>() as u64,
            start: address as u64,
            end: (address + page_size()) as u64,
            regions: region.as_mut_ptr().expose_provenance() as u64,
            regions_len: 1,
            category_mask: PAGE_IS_HUGE,
            return_mask: PAGE_IS_HUGE,
            ..Scan::default()
        };
        // SAFETY: `scan` is readable and writable, and has the address of a writable array with
        // room for one region.
        let found = unsafe { libc::ioctl(pagemap.as_raw_fd(), PAGEMAP_SCAN as _, &raw mut scan) };
        (found >= 0).then_some(found > 0)
    }

    pub(super) fn look_up(address: usize) -> bool {
        let Ok(table) = std::fs::read_to_string("/proc/self/smaps") else { return false };
        let mut inside = false;
        for line in table.lines() {
            let first = line.split(' ').next().unwrap_or_default();
            if let Some((from, to)) = first.split_once('-') {
                let parse = |text| usize::from_str_radix(text, 16);
                if let (Ok(from), Ok(to)) = (parse(from), parse(to)) {
                    inside = (from..to).contains(&address);
                    continue;
                }
            }
            let counts = [
                "ShmemPmdMapped:",
                "FilePmdMapped:",
                "AnonHugePages:",
                "Shared_Hugetlb:",
                "Private_Hugetlb:",
            ];
            if inside && counts.contains(&first) && !line.contains(" 0 kB") {
                return true;
            }
        }
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    #[cfg_attr(miri, ignore = "asks the kernel")]
    fn both_kernel_interfaces_agree() {
        const HUGE: usize = 2 << 20;
        let memory = memmap2::MmapMut::map_anon(3 * HUGE).expect("memory");
        let first = memory.as_ptr().addr().next_multiple_of(HUGE);
        for advice in [libc::MADV_NOHUGEPAGE, libc::MADV_HUGEPAGE] {
            // SAFETY: the pages belong to the mapping, and their contents may be discarded.
            unsafe {
                let base = memory.as_ptr().with_addr(first).cast_mut();
                libc::madvise(base.cast(), HUGE, libc::MADV_DONTNEED);
                libc::madvise(base.cast(), HUGE, advice);
                assert!(!has_huge_page(first), "nothing was touched");
                base.write(1);
            }
            let huge = linux::look_up(first);
            assert!(advice == libc::MADV_HUGEPAGE || !huge);
            assert_eq!(has_huge_page(first), huge);
            assert!(linux::scan(first).is_none_or(|found| found == huge));
        }
    }
}
