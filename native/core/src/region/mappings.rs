//! How many more memory mappings this process can afford.
//!
//! Linux gives a process 65,530 (`vm.max_map_count`). Growable buffers and mapped files take two
//! each, and a JavaScript engine terminates the process if it is refused one. So callers ask before
//! they create mappings, and are refused while there are still enough left for everything else.
//!
//! The mappings of the process are counted in `/proc/self/maps`, because there is no other source:
//! mappings go when an engine collects garbage and when a thread ends, and other libraries create
//! them too. Between two counts, the granted ones are added. Counting takes 20 µs in an ordinary
//! process and 20 ms in one with 50,000 mappings, so it is repeated only after an eighth of the
//! remaining ones has been granted, and otherwise once a second.
//!
//! If mappings cannot be counted (other systems, or `/proc` is not mounted), nothing is refused.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a count is valid.
const FRESH: Duration = Duration::from_secs(1);
/// The number of mappings that may be granted on one count, however few are left.
const BATCH: usize = 256;

struct Census {
    /// Mappings at the last count.
    counted: usize,
    limit: usize,
    /// Mappings granted since then.
    granted: usize,
    at: Instant,
}

impl Census {
    fn take() -> Census {
        let (counted, limit) = count().unwrap_or((0, usize::MAX));
        Census { counted, limit, granted: 0, at: Instant::now() }
    }

    fn allows(&self, count: usize, percent: u32) -> bool {
        let most = self.limit / 100 * percent as usize;
        self.counted.saturating_add(self.granted).saturating_add(count) <= most
    }

    fn is_stale(&self) -> bool {
        let left = self.limit.saturating_sub(self.counted);
        self.granted >= (left / 8).max(BATCH) || (self.granted > 0 && self.at.elapsed() > FRESH)
    }
}

/// Whether the process may create `count` more mappings without exceeding `percent` percent of the
/// system's limit. If so, they are counted as created.
#[must_use]
pub fn reserve(count: usize, percent: u32) -> bool {
    static LAST: Mutex<Option<Census>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let mut census = match last.take() {
        Some(census) if !census.is_stale() => census,
        _ => Census::take(),
    };
    // Granted mappings may be gone again, but not every refusal justifies a new count.
    if !census.allows(count, percent) && census.at.elapsed() > FRESH / 10 {
        census = Census::take();
    }
    let allowed = census.allows(count, percent);
    if allowed {
        census.granted += count;
    }
    *last = Some(census);
    allowed
}

/// The number of mappings, and the system's limit.
#[cfg(target_os = "linux")]
fn count() -> Option<(usize, usize)> {
    use std::io::Read;
    let limit = std::fs::read_to_string("/proc/sys/vm/max_map_count").ok()?.trim().parse().ok()?;
    let mut maps = std::fs::File::open("/proc/self/maps").ok()?;
    let mut text = [0; 4096]; // The kernel gives no more than a page at a time.
    let mut lines = 0;
    loop {
        match maps.read(&mut text).ok()? {
            0 => return Some((lines, limit)),
            length => lines += text[..length].iter().filter(|&&byte| byte == b'\n').count(),
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn count() -> Option<(usize, usize)> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn granted_mappings_are_added_to_the_last_count() {
        let mut census = Census { counted: 500, limit: 1000, granted: 0, at: Instant::now() };
        assert!(census.allows(200, 70) && !census.allows(201, 70) && census.allows(201, 71));
        census.granted = 200;
        assert!(census.allows(0, 70) && !census.allows(1, 70));
        assert!(!census.is_stale());
        census.granted = BATCH;
        assert!(census.is_stale());
        census = Census { counted: 0, limit: 80_000, granted: 9_999, at: Instant::now() };
        assert!(!census.is_stale());
        census.granted += 1;
        assert!(census.is_stale());
    }

    #[cfg(target_os = "linux")]
    #[test]
    #[cfg_attr(miri, ignore = "Miri has no /proc")]
    fn mappings_are_counted() {
        let (before, limit) = count().unwrap();
        assert!(before > 10 && limit > before);
        // With alternating protection, so that the kernel does not merge them.
        let made: Vec<_> = (0..200)
            .map(|index| {
                let map = memmap2::MmapOptions::new().len(4096).map_anon().unwrap();
                if index % 2 == 0 { Ok(map) } else { Err(map.make_read_only().unwrap()) }
            })
            .collect();
        assert!(count().unwrap().0 >= before + 150);
        drop(made);
        assert!(reserve(1, 99) && !reserve(limit, 99) && !reserve(1, 0));
    }
}
