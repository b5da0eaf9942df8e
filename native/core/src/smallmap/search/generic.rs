//! Portable: compares the keys one by one, without branches.

use super::{Kernel, Lane};
use crate::cpu::Level;

/// Has no requirements.
#[derive(Clone, Copy, Debug)]
pub struct Generic;

impl Kernel for Generic {
    const LEVEL: Level = Level::Generic;

    #[inline(always)]
    unsafe fn matches<K: Lane, const LANES: usize>(keys: *const K, key: K) -> u32 {
        let mut mask = 0;
        for lane in 0..LANES {
            // SAFETY: the address is that of one of the `LANES` keys, which are readable,
            // guaranteed by the caller.
            let same = unsafe { K::load(keys.add(lane)) } == key;
            mask |= u32::from(same) << lane;
        }
        mask
    }
}
