//! Guards: known bytes after a block, which are checked when it is freed. `src/pools/pool.ts` does
//! the same.
//!
//! They differ from block to block, and none is 0, so that neither a run of zeros nor a copy of an
//! adjacent block's guard passes the check. Blocks are contiguous, so an overrun in either
//! direction damages a guard.

use crate::region::memory::Memory;

/// Bytes of a guard. A block's class is chosen for that many bytes more than were requested.
pub const GUARD_BYTES: u64 = 16;

fn byte(block: u64, i: u64) -> u8 {
    let mixed = ((block as u32) >> 3).wrapping_add(i as u32).wrapping_mul(0x9E37_79B1);
    (mixed >> 24) as u8 | 1
}

/// Writes the guard at `at` (from the region's start) of the block at offset `block`.
///
/// # Safety
/// The guard's bytes lie within the memory, which is writable.
pub(super) unsafe fn write(memory: Memory, at: usize, block: u64) {
    for i in 0..GUARD_BYTES {
        // SAFETY: the guard is within writable memory, guaranteed by the caller.
        unsafe { memory.store_u8(at + i as usize, byte(block, i)) };
    }
}

/// The index of the first byte of a guard that differs from the byte that [`write`] wrote.
///
/// # Safety
/// The guard's bytes lie within the memory.
pub(super) unsafe fn broken(memory: Memory, at: usize, block: u64) -> Option<u64> {
    // SAFETY: the guard is within the memory, guaranteed by the caller.
    (0..GUARD_BYTES).find(|&i| unsafe { memory.load_u8(at + i as usize) } != byte(block, i))
}

/// Zeros a block.
///
/// # Safety
/// The bytes lie within the memory, which is writable, and only the caller uses them.
pub(super) unsafe fn zero(memory: Memory, at: usize, bytes: usize) {
    // SAFETY: the bytes are within writable memory and not otherwise used, guaranteed by the
    // caller.
    unsafe { memory.at(at).write_bytes(0, bytes) };
}

#[cfg(test)]
mod tests {
    use super::byte;

    #[test]
    fn guards_differ_and_have_no_zeros() {
        for block in (0..100_000u64).step_by(8) {
            assert!((0..16).all(|i| byte(block, i) != 0));
            assert!((0..16).any(|i| byte(block, i) != byte(block + 8, i)));
        }
    }
}
