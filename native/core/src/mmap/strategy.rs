//! How a file is brought into memory: the choice of the strategy, and what the system granted.
//!
//! | strategy | method | use |
//! | --- | --- | --- |
//! | `Buffered` | read into memory immediately | small files: mapping costs more than it saves |
//! | `Mmap` | mapped, with advice | larger files |
//! | `HugePage` | mapped, in pages of 2 MiB or more | on file systems that have such pages: hugetlbfs, and tmpfs mounted with `huge=` |
//! | `Copy` | read into memory, regardless of the size | on request: the only strategy that truncation cannot affect |
//!
//! Reading costs the kernel's copy and the memory for it, mapping costs a few system calls and a
//! fault for each 64 KiB. The limits are options, because the break-even point depends on the
//! machine; `docs/benchmarks/mmap.md` has the measurements that support the defaults.

use crate::region::advise::Advice;
use crate::{Error, ErrorKind, Result};
use std::fs::File;

/// Files up to this size, in bytes, are read rather than mapped.
pub const BUFFERED_UP_TO: u64 = 64 << 10;
/// Huge pages are requested for files from this size on, in bytes.
pub const HUGE_FROM: u64 = 16 << 20;

/// How the bytes of a file are accessed. See the module's documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Strategy {
    /// Read immediately.
    Buffered = 0,
    /// Mapped.
    Mmap = 1,
    /// Mapped in huge pages, as far as could be determined when it was opened.
    HugePage = 2,
    /// Read immediately, on request.
    Copy = 3,
}

impl Strategy {
    /// The strategy with this number, if there is one.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Strategy> {
        [Strategy::Buffered, Strategy::Mmap, Strategy::HugePage, Strategy::Copy].get(number as usize).copied()
    }

    /// Whether the bytes are the file's own pages.
    #[must_use]
    pub fn maps(self) -> bool {
        matches!(self, Strategy::Mmap | Strategy::HugePage)
    }
}

/// How a file will be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u32)]
pub enum Pattern {
    /// Unknown: the kernel's defaults.
    #[default]
    Unknown = 0,
    /// Sequentially: read far ahead.
    Sequential = 1,
    /// At random: do not read ahead.
    Random = 2,
    /// Runs of some length at random: the kernel's defaults, and prefetching where a cursor moves.
    Mixed = 3,
}

impl Pattern {
    /// The pattern with this number, if there is one.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Pattern> {
        [Pattern::Unknown, Pattern::Sequential, Pattern::Random, Pattern::Mixed].get(number as usize).copied()
    }

    /// The advice for the kernel.
    #[must_use]
    pub fn advice(self) -> Advice {
        match self {
            Pattern::Sequential => Advice::Sequential,
            Pattern::Random => Advice::Random,
            Pattern::Unknown | Pattern::Mixed => Advice::Normal,
        }
    }
}

/// The limits between strategies, and a requested one.
#[derive(Clone, Copy, Debug)]
pub struct Thresholds {
    /// Files up to this size, in bytes, are read.
    pub buffered_up_to: u64,
    /// Huge pages are requested for files from this size on, in bytes.
    pub huge_from: u64,
    /// Use this strategy, regardless of the limits.
    pub strategy: Option<Strategy>,
}

impl Default for Thresholds {
    fn default() -> Thresholds {
        Thresholds { buffered_up_to: BUFFERED_UP_TO, huge_from: HUGE_FROM, strategy: None }
    }
}

/// The strategy for a file of `size` bytes. A file opened for writing is always mapped, unless a
/// copy was requested, so that other readers see the stored bytes. `HugePage` is only a request;
/// the granted strategy is determined later.
#[must_use]
pub fn choose(size: u64, writable: bool, thresholds: &Thresholds) -> Strategy {
    if size == 0 {
        // There is nothing to map.
        return thresholds.strategy.filter(|strategy| !strategy.maps()).unwrap_or(Strategy::Buffered);
    }
    if let Some(strategy) = thresholds.strategy {
        return strategy;
    }
    if !writable && size <= thresholds.buffered_up_to {
        Strategy::Buffered
    } else if size >= thresholds.huge_from {
        Strategy::HugePage
    } else {
        Strategy::Mmap
    }
}

/// The file system of a file, as far as it concerns huge pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSystem {
    /// hugetlbfs: every mapping has huge pages, of this many bytes.
    Huge(u64),
    /// tmpfs, possibly mounted with huge pages.
    Memory,
    /// Any other. Large pages are not requested even if it has them: Linux would then read 2 MiB of
    /// the disk for each page accessed, even at random (measured on ext4, Linux 6.18: 2.5 ms for 64
    /// bytes rather than 45 µs).
    Other,
}

impl FileSystem {
    /// The file system of an open file.
    #[must_use]
    pub fn of(file: &File) -> FileSystem {
        #[cfg(target_os = "linux")]
        {
            use std::os::fd::AsRawFd;
            const HUGETLBFS: libc::__fsword_t = 0x9584_58F6;
            const TMPFS: libc::__fsword_t = 0x0102_1994;
            let mut about = std::mem::MaybeUninit::<libc::statfs>::zeroed();
            // SAFETY: the descriptor is open, and `about` is writable.
            let about = unsafe {
                if libc::fstatfs(file.as_raw_fd(), about.as_mut_ptr()) != 0 {
                    return FileSystem::Other;
                }
                about.assume_init()
            };
            match about.f_type {
                HUGETLBFS => FileSystem::Huge(u64::try_from(about.f_bsize).unwrap_or(2 << 20)),
                TMPFS => FileSystem::Memory,
                _ => FileSystem::Other,
            }
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = file;
            FileSystem::Other
        }
    }
}

/// Locks the pages of `[base, base + length)` in memory until they are unlocked or unmapped.
/// `Full`, with the limit, if the system allows no more.
///
/// # Safety
/// The bytes are mapped.
pub unsafe fn lock(base: *const u8, length: usize) -> Result<()> {
    #[cfg(unix)]
    {
        if length == 0 {
            return Ok(());
        }
        // SAFETY: the bytes are mapped, guaranteed by the caller, and locking changes none of them.
        if unsafe { libc::mlock(base.cast(), length) } == 0 {
            return Ok(());
        }
        let error = std::io::Error::last_os_error();
        let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        // SAFETY: `limit` is writable.
        unsafe { libc::getrlimit(libc::RLIMIT_MEMLOCK, &raw mut limit) };
        let allowed = limit.rlim_cur;
        Err(Error::full(format!(
            "{length} bytes cannot be locked in memory: {error}. The limit of this process is {allowed} bytes in all (RLIMIT_MEMLOCK; `ulimit -l`)"
        )))
    }
    #[cfg(not(unix))]
    {
        let _ = (base, length);
        Err(Error::unsupported("locking pages in memory is not supported on this system"))
    }
}

/// Undoes [`lock`].
///
/// # Safety
/// The bytes are mapped.
pub unsafe fn unlock(base: *const u8, length: usize) -> Result<()> {
    #[cfg(unix)]
    {
        // SAFETY: the bytes are mapped, guaranteed by the caller.
        if length == 0 || unsafe { libc::munlock(base.cast(), length) } == 0 {
            return Ok(());
        }
        Err(std::io::Error::last_os_error().into())
    }
    #[cfg(not(unix))]
    {
        let _ = (base, length);
        Err(Error::unsupported("locking pages in memory is not supported on this system"))
    }
}

/// The number of pages of `[base, base + length)` that are in memory, and of all these pages.
///
/// # Safety
/// The bytes are mapped.
pub unsafe fn resident(base: *const u8, length: usize) -> Result<(u64, u64)> {
    #[cfg(unix)]
    {
        use crate::region::pages::page_size;
        if length == 0 {
            return Ok((0, 0));
        }
        let page = page_size();
        let start = base.addr() & !(page - 1);
        let end = (base.addr() + length).next_multiple_of(page);
        let (mut count, mut at) = (0, start);
        let mut flags = [0u8; 1024];
        while at < end {
            let bytes = (end - at).min(flags.len() * page);
            // SAFETY: the range consists of the whole pages of the caller's bytes, and `flags` has
            // a byte for each.
            let result = unsafe {
                libc::mincore(base.with_addr(at).cast_mut().cast(), bytes, flags.as_mut_ptr().cast())
            };
            if result != 0 {
                return Err(Error::new(
                    ErrorKind::Io,
                    format!(
                        "the system does not report which pages are in memory: {}",
                        std::io::Error::last_os_error()
                    ),
                ));
            }
            count += flags[..bytes / page].iter().filter(|&&flag| flag & 1 != 0).count() as u64;
            at += bytes;
        }
        Ok((count, ((end - start) / page) as u64))
    }
    #[cfg(not(unix))]
    {
        let _ = (base, length, ErrorKind::Io);
        Err(Error::unsupported("this system does not report which pages are in memory"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_decides_unless_a_strategy_is_requested() {
        let limits = Thresholds { buffered_up_to: 100, huge_from: 1000, strategy: None };
        let cases = [
            (0, false, Strategy::Buffered),
            (1, false, Strategy::Buffered),
            (100, false, Strategy::Buffered),
            (101, false, Strategy::Mmap),
            (1, true, Strategy::Mmap),
            (999, false, Strategy::Mmap),
            (1000, false, Strategy::HugePage),
            (1000, true, Strategy::HugePage),
        ];
        for (size, writable, expected) in cases {
            assert_eq!(choose(size, writable, &limits), expected, "{size} {writable}");
        }
        for strategy in (0..4).filter_map(Strategy::from_number) {
            let requested = Thresholds { strategy: Some(strategy), ..limits };
            assert_eq!(choose(50, false, &requested), strategy);
            assert!(!choose(0, false, &requested).maps());
        }
        assert_eq!((Strategy::from_number(4), Pattern::from_number(4)), (None, None));
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[cfg_attr(miri, ignore = "asks the kernel")]
    fn pages_are_counted_and_locked() {
        let memory = memmap2::MmapMut::map_anon(64 << 12).expect("memory");
        let base = memory.as_ptr();
        // SAFETY: the mapping is alive.
        unsafe {
            assert_eq!(resident(base, 64 << 12).expect("told"), (0, 64));
            base.cast_mut().write(1);
            base.cast_mut().add(5 << 12).write(1);
            assert_eq!(resident(base, 64 << 12).expect("told"), (2, 64));
            assert_eq!(resident(base.add(100), 1).expect("told"), (1, 1));
            assert_eq!(resident(base, 0).expect("told"), (0, 0));
            lock(base, 3 << 12).expect("locked");
            assert_eq!(resident(base, 64 << 12).expect("told").0, 4);
            unlock(base, 3 << 12).expect("unlocked");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[cfg_attr(miri, ignore = "asks the kernel")]
    fn exceeding_the_lock_limit_is_an_error_that_names_it() {
        // In a child process, because a lowered limit cannot be raised again; as an ordinary user,
        // because the superuser has no limit.
        // SAFETY: the child only makes system calls, allocates a little, and exits.
        let status = unsafe {
            let child = libc::fork();
            if child == 0 {
                let limit = libc::rlimit { rlim_cur: 65_536, rlim_max: 65_536 };
                libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit);
                libc::setuid(65_534);
                let memory = memmap2::MmapMut::map_anon(1 << 20).expect("memory");
                let error = lock(memory.as_ptr(), 1 << 20).expect_err("over the limit");
                let right = error.kind() == ErrorKind::Full && error.message().contains("65536");
                libc::_exit(i32::from(!right));
            }
            let mut status = -1;
            libc::waitpid(child, &raw mut status, 0);
            status
        };
        assert_eq!(status, 0);
    }
}
