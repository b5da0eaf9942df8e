//! How many more memory mappings this process can afford.
//!
//! Linux gives a process 65,530 (`vm.max_map_count`). Growable buffers and mapped files take two
//! each, and a JavaScript engine that is refused one ends the process. So whoever is about to make
//! some asks first, and is told no while there are still enough left for everybody else.
//!
//! What the process has is counted from `/proc/self/maps`, because nothing else knows: mappings go
//! when an engine collects garbage, when a thread ends, and other libraries make them too. In
//! between, those that were granted are added. Counting takes 20 µs in an ordinary process and 20
//! ms in one that has 50,000, so it is done again only after an eighth of what was left has been
//! granted, and otherwise once a second.
//!
//! Where it can not be counted (other systems; `/proc` is not mounted) nothing is refused.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long a count holds.
const FRESH: Duration = Duration::from_secs(1);
/// So many may be granted on one count, however few are left.
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

/// Whether the process may make `count` more mappings and then have no more than `percent`
/// hundredths of what the system allows. If so they are counted as made.
#[must_use]
pub fn reserve(count: usize, percent: u32) -> bool {
    static LAST: Mutex<Option<Census>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let mut census = match last.take() {
        Some(census) if !census.is_stale() => census,
        _ => Census::take(),
    };
    // What was granted may be gone again; but a refusal is not worth a count each time.
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

/// How many there are, and how many there may be.
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
    fn what_is_granted_counts_until_it_is_counted_again() {
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
    #[cfg_attr(miri, ignore = "no /proc")]
    fn mappings_are_counted() {
        let (before, limit) = count().unwrap();
        assert!(before > 10 && limit > before);
        // Of alternating protection, so that the kernel does not join them.
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
