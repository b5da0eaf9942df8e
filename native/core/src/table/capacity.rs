//! Capacities: the number of buckets for a capacity, and the growth of tables.

use super::group::LANES;

/// The most entries of a table: 2^27 buckets of 10.2 entries.
pub const MAX_CAPACITY: u32 = 1_369_020_825;

/// The number of buckets for `capacity` entries: at most 10.2 entries per bucket, or 12 if there is
/// only one bucket.
#[inline]
#[must_use]
pub const fn buckets_for(capacity: u32) -> u32 {
    if capacity <= LANES as u32 {
        return 1;
    }
    let needed = (capacity as u64 * 5).div_ceil(51) as u32;
    if needed <= 4 {
        return needed;
    }
    // m × 2^e with m from 4 to 7: the three highest bits, rounded up.
    let exponent = 29 - needed.leading_zeros();
    needed.div_ceil(1 << exponent) << exponent
}

/// The most entries for a number of buckets: the inverse of [`buckets_for`].
#[inline]
#[must_use]
pub const fn capacity_for(buckets: u32) -> u32 {
    if buckets <= 1 { LANES as u32 } else { (buckets as u64 * 51 / 5) as u32 }
}

/// The capacity to which a full table grows: four times the buckets while they are few, then twice,
/// then one and a half times, which wastes less memory when tables are large.
#[must_use]
pub fn next_capacity(capacity: u32) -> u32 {
    let buckets = u64::from(buckets_for(capacity));
    let grown = match buckets {
        0..64 => buckets * 4,
        64..4096 => buckets * 2,
        _ => (buckets * 3).div_ceil(2),
    };
    let grown = grown.min(u64::from(buckets_for(MAX_CAPACITY))) as u32;
    // `grown` may not be a possible number of buckets, but the capacity for it leads to one that
    // is.
    capacity_for(buckets_for(capacity_for(grown))).min(MAX_CAPACITY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_the_fewest_that_suffice() {
        let possible: Vec<u64> =
            (1..=3).chain((0..26).flat_map(|exponent| (4..8).map(move |m: u64| m << exponent))).collect();
        let expected = |capacity: u32| {
            let needed = (u64::from(capacity) * 5).div_ceil(51);
            *possible.iter().find(|&&buckets| buckets >= needed).unwrap()
        };
        for capacity in (13..5000).chain((0..2000).map(|i| i * 684_510 + 13)).chain([MAX_CAPACITY]) {
            assert_eq!(u64::from(buckets_for(capacity)), expected(capacity), "capacity {capacity}");
        }
        for capacity in 1..=12 {
            assert_eq!(buckets_for(capacity), 1);
        }
        assert_eq!(buckets_for(MAX_CAPACITY), 1 << 27);
    }

    #[test]
    fn capacities_and_buckets_are_inverses() {
        let mut capacity = 1;
        let mut steps = 0;
        while capacity < MAX_CAPACITY {
            let next = next_capacity(capacity);
            assert!(next > capacity);
            assert_eq!(capacity_for(buckets_for(next)), next, "grown capacities fill their buckets");
            assert!(buckets_for(next + 1) > buckets_for(next) || next == MAX_CAPACITY);
            capacity = next;
            steps += 1;
        }
        assert!(steps < 50, "growth is geometric");
    }
}
