//! Samples: the position of every 2^shift-th one, from which a search for the following ones
//! begins.
//!
//! This is Clark's idea ("Compact PAT trees", 1996). The distance between samples depends on the
//! density, so that two samples are about 8192 to 16384 bits apart on average. If ones cluster, two
//! samples can be far apart. A binary search between them makes the worst case logarithmic in the
//! distance, never a scan.
//! logarithmic in the distance and never a scan.

use super::layout::{Layout, Shape, sample_shift};
use crate::region::memory::Memory;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// The samples of ones or of zeros.
#[derive(Clone, Copy, Debug)]
pub(super) struct Samples {
    first: *mut u32,
    shift: u32,
}

impl Samples {
    /// The samples of the ones, and of the zeros.
    pub(super) fn of(memory: Memory, shape: &Shape, layout: &Layout) -> [Samples; 2] {
        let of = |at: usize, count: u64| Samples {
            // SAFETY: the sections of a checked layout are within the memory.
            first: unsafe { memory.at(at) }.cast(),
            shift: sample_shift(shape.length, count),
        };
        [of(layout.samples[0], shape.ones), of(layout.samples[1], shape.length - shape.ones)]
    }

    #[inline(always)]
    fn at(&self, index: u64) -> &AtomicU32 {
        // SAFETY: all callers stay below the number of samples.
        unsafe { AtomicU32::from_ptr(self.first.add(index as usize)) }
    }

    /// The first and the last unit that can contain the `k`-th one (or zero), given the number of
    /// the last unit. `k` is below the number of ones (or zeros).
    #[inline(always)]
    pub(super) fn between(&self, k: u64, last: u64) -> (u64, u64) {
        let sample = k >> self.shift;
        let load = |index: u64| u64::from(self.at(index).load(Relaxed)).min(last);
        (load(sample), load(sample + 1))
    }

    /// Interpolates: the part of `distance` that corresponds to the position of `k` between its two
    /// samples.
    #[inline(always)]
    pub(super) fn part(&self, distance: u64, k: u64) -> u64 {
        let done = k & ((1 << self.shift) - 1);
        ((u128::from(distance) * u128::from(done)) >> self.shift) as u64
    }

    /// The address of the sample before `k`, for prefetching.
    #[inline(always)]
    pub(super) fn address(&self, k: u64) -> *const u8 {
        self.first.wrapping_add((k >> self.shift) as usize).cast_const().cast()
    }

    /// Writes the samples, given the number of ones (or zeros) up to the end of each unit, or
    /// compares them with the expected ones.
    ///
    /// # Safety
    /// For writing, the memory is writable, and no other thread uses it.
    unsafe fn visit(
        &self,
        count: u64,
        places: u64,
        up_to: impl Fn(u64) -> u64,
        mut sample: impl FnMut(&AtomicU32, u32) -> bool,
    ) -> bool {
        let (mut index, mut next) = (0, 0);
        for place in 0..places {
            let end = up_to(place);
            while next < end && next < count {
                if !sample(self.at(index), place as u32) {
                    return false;
                }
                index += 1;
                next += 1 << self.shift;
            }
        }
        sample(self.at(index), (places - 1) as u32)
    }

    /// Writes the samples of `count` ones in `places` units, with `up_to(unit)` of them up to the
    /// end of each.
    ///
    /// # Safety
    /// The memory is writable, and no other thread uses it. `up_to` of the last unit is `count`.
    pub(super) unsafe fn write(&self, count: u64, places: u64, up_to: impl Fn(u64) -> u64) {
        // SAFETY: the memory is writable and exclusive, as guaranteed by the caller.
        unsafe {
            self.visit(count, places, up_to, |sample, place| {
                sample.store(place, Relaxed);
                true
            });
        }
    }

    /// Whether the samples are those that [`Samples::write`] would write. `up_to` must be right.
    pub(super) fn are_right(&self, count: u64, places: u64, up_to: impl Fn(u64) -> u64) -> bool {
        // SAFETY: nothing is written.
        unsafe { self.visit(count, places, up_to, |sample, place| sample.load(Relaxed) == place) }
    }
}
