//! The first half of a rebuild: everything that can fail, without changing anything.

use super::{check_capacity, check_heap};
use crate::hashmap::layout::{Layout, MAX_GENERATION, MAX_HEAP, STATE_HANDLES, Shape, word};
use crate::hashmap::raw::RawMap;
use crate::region::header::align;
use crate::table::blob::size_of_blob;
use crate::{Error, Result};

/// A rebuild that can no longer fail.
pub(super) struct Plan {
    pub(super) shape: Shape,
    pub(super) layout: Layout,
    /// Entries before the rebuild, including dead ones.
    pub(super) used: u32,
    pub(super) living: u32,
    /// A copy of the dead bits below `used`; empty if none is set.
    pub(super) dead: Vec<u32>,
    /// The contents of the new heap, if blobs are rewritten.
    pub(super) blobs: Option<Vec<u8>>,
}

impl Plan {
    /// `blobs`: bytes of the blobs of living entries by the header's counts.
    pub(super) fn shape(
        map: &RawMap,
        capacity: u32,
        heap: u64,
        blobs: u64,
        used: u32,
        dead: u32,
    ) -> Result<Shape> {
        check_capacity(capacity)?;
        let living = used - dead;
        if capacity < living {
            return Err(Error::range(format!("a capacity of {capacity} is too small for {living} entries")));
        }
        let Shape { key, value, .. } = map.shape();
        let heap = check_heap(key, value, heap)?;
        let heap = heap.max(align(blobs));
        if heap > MAX_HEAP {
            return Err(Error::corrupt("the counts of the heap contradict each other"));
        }
        let slots = Plan::slots(map, capacity, used, dead);
        if slots.is_some_and(|slots| slots > u64::from(u32::MAX - 63)) {
            return Err(Error::full("the map has no handles left: clear it"));
        }
        Ok(Shape { key, value, capacity, slots: slots.map(|slots| slots as u32), heap })
    }

    /// Slots of the new slot table, if there will be one: those of all entries, and retired ones.
    fn slots(map: &RawMap, capacity: u32, used: u32, dead: u32) -> Option<u64> {
        let (used, retired) = if map.shape().slots.is_some() {
            let used = map.slots_used();
            (used, (0..used).filter(|&slot| map.generation(slot) >= MAX_GENERATION).count() as u32)
        } else if map.memory().word(word::STATE) & STATE_HANDLES != 0 && dead > 0 {
            let epoch = map.meta().epoch;
            let living = if epoch >= MAX_GENERATION { used - dead } else { 0 };
            let dead = if epoch + 1 >= MAX_GENERATION { dead } else { 0 };
            (used, living + dead)
        } else {
            return None;
        };
        Some((u64::from(capacity) + u64::from(retired)).max(u64::from(used)))
    }

    pub(super) fn new(map: &RawMap, capacity: u32, heap: u64) -> Result<Plan> {
        // Every count is read once, because `apply` relies on their agreement, and other threads
        // may write the region.
        let used = map.used();
        let counts = map.counts();
        let mut dead = Vec::new();
        if map.count_dead(used) > 0 {
            let words = used.div_ceil(32);
            dead.try_reserve_exact(words as usize)?;
            dead.extend((0..words).map(|word| map.dead_word(word, used)));
        }
        let dead_count: u32 = dead.iter().map(|word| word.count_ones()).sum();
        if dead_count == 0 {
            dead.clear();
        }
        let blobs = counts.heap_used.saturating_sub(counts.heap_garbage);
        let shape = Plan::shape(map, capacity, heap, blobs, used, dead_count)?;
        let layout = shape.layout()?;
        let mut plan = Plan { shape, layout, used, living: used - dead_count, dead, blobs: None };
        if map.shape().heap > 0 && (dead_count > 0 || counts.heap_garbage > 0) {
            plan.blobs = Some(plan.copy_blobs(map, blobs)?);
        }
        Ok(plan)
    }

    /// Whether a reader on another thread has taken a direct handle since, so that positions must
    /// not change without a slot table. Called while the sequence is odd: a reader that records a
    /// handle later notices that, and starts again.
    pub(super) fn is_outdated(&self, map: &RawMap) -> bool {
        self.shape.slots.is_none()
            && !self.dead.is_empty()
            && map.memory().word(word::STATE) & STATE_HANDLES != 0
    }

    /// The blobs of living entries, in the order of entries, key before value: at most `expected`
    /// bytes.
    fn copy_blobs(&self, map: &RawMap, expected: u64) -> Result<Vec<u8>> {
        let mut heap: Vec<u8> = Vec::new();
        heap.try_reserve_exact(expected as usize)?;
        let mut failure = None;
        self.each_living(|position| {
            for column in [map.key_reference(position), map.value_reference(position)] {
                let Some(reference) = column else { continue };
                let blob = map
                    .blob(reference)
                    .filter(|blob| heap.len() as u64 + size_of_blob(blob.head()) <= expected);
                let Some(blob) = blob else {
                    failure =
                        Some(Error::corrupt(format!("invalid blob of the entry at position {position}")));
                    return false;
                };
                heap.extend_from_slice(&blob.head().to_le_bytes());
                // SAFETY: the bytes are in the region, and are not kept.
                heap.extend_from_slice(unsafe { blob.bytes() });
                heap.resize(heap.len().next_multiple_of(4), 0);
            }
            true
        });
        failure.map_or(Ok(heap), Err)
    }

    /// Calls `visit` with the position of each living entry, in order, until it returns an error.
    pub(super) fn each_living(&self, mut visit: impl FnMut(u32) -> bool) {
        self.runs(|start, count| (start..start + count).all(&mut visit));
    }

    /// Calls `visit` with each run of living entries: first position and length.
    pub(super) fn runs(&self, mut visit: impl FnMut(u32, u32) -> bool) {
        let mut at = 0;
        while at < self.used {
            let (start, end) = if self.dead.is_empty() {
                (0, self.used)
            } else {
                let start = self.seek(at, false);
                (start, self.seek(start, true))
            };
            if start < end && !visit(start, end - start) {
                return;
            }
            at = end;
        }
    }

    /// The first position at or after `at` that is dead (or alive), at most `used`.
    fn seek(&self, mut at: u32, dead: bool) -> u32 {
        while at < self.used {
            let bits = self.dead[at as usize / 32];
            let wanted = (if dead { bits } else { !bits }) >> (at % 32);
            if wanted != 0 {
                return (at + wanted.trailing_zeros()).min(self.used);
            }
            at = (at | 31) + 1;
        }
        self.used
    }
}
