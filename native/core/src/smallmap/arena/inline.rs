//! The search for a key among the entries of a slot.

use super::layout::INLINE_CAPACITY;
use super::raw::RawArena;
use crate::smallmap::search::{self, Kernel, Lane};

/// The index, within its slot, of the entry with a key.
///
/// # Safety
/// The slot of `count` entries that begins at `first` is within the columns, and `count` is at most
/// 8; keys are as wide as `K`; the processor has the instructions of `S`.
#[inline(always)]
pub(super) unsafe fn lane<S: Kernel, K: Lane>(
    arena: &RawArena,
    first: u32,
    count: u32,
    key: u64,
) -> Option<u32> {
    debug_assert!(count <= INLINE_CAPACITY);
    if count == 0 {
        return None;
    }
    let keys = arena.memory.base().wrapping_add(arena.layout.keys + first as usize * K::BYTES).cast::<K>();
    let key = K::from_bits(key);
    // SAFETY: the whole slot is within the column, guaranteed by the caller, and the column is
    // aligned.
    let lane = unsafe {
        match arena.shape.slot_for(count) {
            2 => search::position::<S, K, 2>(keys, count as usize, key),
            4 => search::position::<S, K, 4>(keys, count as usize, key),
            _ => search::position::<S, K, 8>(keys, count as usize, key),
        }
    };
    lane.map(|lane| lane as u32)
}

impl RawArena {
    /// `lane` with the kernel of the target's base instruction set.
    #[inline]
    pub(super) fn lane_of(&self, first: u32, count: u32, key: u64) -> Option<u32> {
        type Base = search::Inline;
        // SAFETY: `map_state` checked the slot; `K` has the width of the keys; every processor of
        // the target has the base instruction set.
        unsafe {
            match self.shape.key.width() {
                1 => lane::<Base, u8>(self, first, count, key),
                2 => lane::<Base, u16>(self, first, count, key),
                4 => lane::<Base, u32>(self, first, count, key),
                _ => lane::<Base, u64>(self, first, count, key),
            }
        }
    }
}
