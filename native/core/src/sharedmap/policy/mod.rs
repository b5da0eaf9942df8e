//! Eviction policies: one byte for each slot, and a state for each shard.

/// The largest code of a policy.
pub const MAX_CODE: u32 = 6;
/// The code of `none`: nothing is evicted.
pub const NONE: u32 = 6;

/// Bytes of a shard's state, for a shard of `share` bytes.
#[must_use]
pub fn state_bytes(policy: u32, share: u64) -> usize {
    let _ = (policy, share);
    512
}

/// The byte of a new entry.
pub(crate) fn initial() -> u8 {
    0
}

/// The byte after a hit.
pub(crate) fn hit(meta: u8) -> u8 {
    if meta < 3 { meta + 1 } else { meta }
}
