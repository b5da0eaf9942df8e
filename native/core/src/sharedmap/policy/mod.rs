//! Eviction policies (`docs/formats/sharedmap.md`, "Eviction").
//!
//! Nothing is linked: each slot has one byte, its _meta_, and a victim is chosen among the slots of
//! a few buckets at a hand that moves through the shard (sampling, as in Redis and LHD). So a
//! process that is killed leaves nothing to repair, and a hit is at most one store of a byte.
//!
//! Time is the shard's clock, which advances several times while as many bytes are written as the
//! shard has. The byte is
//!
//! - `lru`, `fifo`: the clock at the last hit, or at the insertion;
//! - `lfu`, `gdsf`: the number of hits, up to 255;
//! - `s3-fifo`: the number of hits up to 3 in bits 6 and 7, and the clock at the last hit or at the
//!   insertion in bits 0 to 5;
//! - `auto`: the same with 3 bits for up to 7 hits, and 5 bits for the clock.
//!
//! `auto` learns how valuable an entry is from what happened to others (`density`).

pub(crate) mod density;
pub(crate) mod pool;

/// The largest code of a policy.
pub const MAX_CODE: u32 = 6;
/// Adapts to the accesses.
pub const AUTO: u32 = 0;
/// New entries leave first unless they were hit (Yang et al., SOSP 2023), approximated.
pub const S3_FIFO: u32 = 1;
/// The least recently used.
pub const LRU: u32 = 2;
/// The least frequently used.
pub const LFU: u32 = 3;
/// The oldest.
pub const FIFO: u32 = 4;
/// The fewest hits for its size (Cherkasova 1998), without inflation.
pub const GDSF: u32 = 5;
/// Nothing is evicted.
pub const NONE: u32 = 6;

/// The bits of a byte with hits that hold the clock.
fn clock_bits(policy: u32) -> u32 {
    if policy == AUTO { 5 } else { 6 }
}

/// Bytes of the state of a shard of this size in bytes.
#[must_use]
pub fn state_bytes(policy: u32, share: u64) -> usize {
    if policy == AUTO { (density::words(share) * 4).next_multiple_of(64) } else { pool::WORDS * 4 }
}

/// Advances of the clock while as many bytes are written as the shard has.
pub(crate) fn ticks(policy: u32) -> u32 {
    match policy {
        LRU | FIFO => 48,
        AUTO => 2,
        _ => 8,
    }
}

/// The byte of a new entry. `hits`: those that it had before it was evicted.
#[inline]
pub(crate) fn initial(policy: u32, clock: u32, hits: u8) -> u8 {
    match policy {
        LRU | FIFO => clock as u8,
        LFU | GDSF | NONE => 0,
        _ => with_hits(policy, hits, clock),
    }
}

/// The byte after a hit.
#[inline]
pub(crate) fn hit(policy: u32, meta: u8, clock: u32) -> u8 {
    match policy {
        LRU => clock as u8,
        FIFO | NONE => meta,
        LFU | GDSF => meta.saturating_add(1),
        _ => with_hits(policy, (meta >> clock_bits(policy)) + 1, clock),
    }
}

/// A byte of `auto` or `s3-fifo`.
#[inline]
fn with_hits(policy: u32, hits: u8, clock: u32) -> u8 {
    let bits = clock_bits(policy);
    hits.min((0xff_u8) >> bits) << bits | clock as u8 & ((1 << bits) - 1)
}

/// Hits and age of a byte of `auto` or `s3-fifo`. Ages are in ticks, modulo 32 or 64.
#[inline]
pub(crate) fn hits_and_age(policy: u32, meta: u8, clock: u32) -> (u8, u8) {
    let bits = clock_bits(policy);
    (meta >> bits, (clock as u8).wrapping_sub(meta) & ((1 << bits) - 1))
}

/// The byte of a slot that was examined: the age of an old entry does not become that of a new one.
pub(crate) fn examined(policy: u32, meta: u8, clock: u32) -> u8 {
    match policy {
        LRU | FIFO => {
            let oldest = 224;
            let is_older = (clock as u8).wrapping_sub(meta) > oldest;
            if is_older { (clock as u8).wrapping_sub(oldest) } else { meta }
        }
        AUTO | S3_FIFO => {
            let (hits, age) = hits_and_age(policy, meta, clock);
            let oldest = 7 << (clock_bits(policy) - 3);
            if age > oldest { with_hits(policy, hits, clock.wrapping_sub(oldest.into())) } else { meta }
        }
        _ => meta,
    }
}

/// The byte of a slot that was examined when only entries with hits were found.
pub(crate) fn demoted(policy: u32, meta: u8) -> u8 {
    match policy {
        S3_FIFO if meta >> 6 > 0 => meta - 64,
        LFU | GDSF => meta / 2,
        _ => meta,
    }
}

/// The order of eviction of all policies but `auto`: the least is evicted. `units`: the size of the
/// entry divided by 8, for `gdsf`.
#[inline]
pub(crate) fn rank(policy: u32, meta: u8, clock: u32, units: u32) -> u32 {
    match policy {
        LRU | FIFO => u32::from(255 - (clock as u8).wrapping_sub(meta)),
        LFU => u32::from(meta),
        GDSF => (u32::from(meta) + 1) * (1 << 20) / units.max(1),
        _ => {
            let (hits, age) = hits_and_age(policy, meta, clock);
            u32::from(hits) * 64 + u32::from(63 - age)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_each_policy() {
        for (policy, worse, better) in [(LRU, 5, 9), (FIFO, 250, 10), (LFU, 3, 4), (S3_FIFO, 9, 64 + 3)] {
            assert!(rank(policy, worse, 10, 1) < rank(policy, better, 10, 1), "{policy}");
        }
        assert!(rank(GDSF, 3, 0, 100) < rank(GDSF, 2, 0, 10));
    }

    #[test]
    fn hits_are_counted_and_stop_at_the_largest_number() {
        assert_eq!(hit(LRU, 7, 300), 44);
        assert_eq!(hit(FIFO, 7, 300), 7);
        assert_eq!(hit(LFU, 255, 0), 255);
        for (policy, most) in [(AUTO, 7), (S3_FIFO, 3)] {
            let mut meta = initial(policy, 70, 0);
            assert_eq!(hits_and_age(policy, meta, 75), (0, 5));
            for hits in 1..10 {
                meta = hit(policy, meta, 100);
                assert_eq!(hits_and_age(policy, meta, 101), (hits.min(most), 1));
            }
            assert_eq!(hits_and_age(policy, initial(policy, 1, 9), 3), (most, 2));
        }
    }

    #[test]
    fn old_entries_stay_old() {
        for policy in [LRU, FIFO, AUTO, S3_FIFO] {
            let mut meta = initial(policy, 0, 0);
            for clock in 0..1000 {
                meta = examined(policy, meta, clock);
            }
            assert!(rank(policy, meta, 999, 1) < rank(policy, initial(policy, 990, 0), 999, 1), "{policy}");
        }
    }
}
