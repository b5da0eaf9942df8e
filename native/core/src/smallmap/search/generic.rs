//! Portable: every key in turn, without a branch.

use super::{Kernel, Lane};
use crate::cpu::Level;

/// Needs nothing.
#[derive(Clone, Copy, Debug)]
pub struct Generic;

impl Kernel for Generic {
    const LEVEL: Level = Level::Generic;

    #[inline(always)]
    unsafe fn matches<K: Lane, const LANES: usize>(keys: *const K, key: K) -> u32 {
        let mut mask = 0;
        for lane in 0..LANES {
            // SAFETY: one of the `LANES` keys that the caller vouches for.
            let same = unsafe { K::load(keys.add(lane)) } == key;
            mask |= u32::from(same) << lane;
        }
        mask
    }
}
