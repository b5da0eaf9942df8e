//! The operations on a batch of keys, for any instruction set, and the portable probe of a block.

use super::{BATCH, Blocks, Hashed};
use crate::compress::bloom::{LANES, SALTS, hash};
use crate::cpu::prefetch;
use std::sync::atomic::{AtomicU64, Ordering};

/// How an instruction set probes a block. Another thread may be adding keys at the same time, so
/// each lane is read and written as a whole.
pub(in crate::compress::bloom) trait Probe {
    /// Whether the key's bit of each lane is set.
    ///
    /// # Safety
    /// A block is readable at `block`, a multiple of 8. The processor supports the instructions.
    unsafe fn found(block: *const u8, lanes: u32) -> bool;

    /// Sets the key's bit of each lane.
    ///
    /// # Safety
    /// As for `found`; the block is writable, and no other thread writes it.
    unsafe fn set(block: *mut u8, lanes: u32);
}

pub(in crate::compress::bloom) struct Portable;

/// The mask of the key's bit in each lane.
#[inline(always)]
fn masks(lanes: u32) -> [u64; LANES] {
    SALTS.map(|salt| 1 << (lanes.wrapping_mul(salt) >> 26))
}

/// # Safety
/// A block is at `block`, a multiple of 8, and `index` is less than `LANES`.
#[inline(always)]
unsafe fn lane<'a>(block: *const u8, index: usize) -> &'a AtomicU64 {
    // SAFETY: the word is within the block and aligned, as guaranteed by the caller.
    unsafe { AtomicU64::from_ptr(block.cast_mut().cast::<u64>().add(index)) }
}

impl Probe for Portable {
    #[inline(always)]
    unsafe fn found(block: *const u8, lanes: u32) -> bool {
        // All lanes are tested without branches, because the lane at which a test would fail is
        // random.
        let mut missing = 0;
        for (index, mask) in masks(lanes).into_iter().enumerate() {
            // SAFETY: a block is at `block`, as guaranteed by the caller, and `index < LANES`.
            missing |= mask & !unsafe { lane(block, index) }.load(Ordering::Relaxed);
        }
        missing == 0
    }

    #[inline(always)]
    unsafe fn set(block: *mut u8, lanes: u32) {
        for (index, mask) in masks(lanes).into_iter().enumerate() {
            // SAFETY: a block is at `block`, as guaranteed by the caller, and `index < LANES`. No
            // other thread writes it, so no update is lost.
            let lane = unsafe { lane(block, index) };
            lane.store(lane.load(Ordering::Relaxed) | mask, Ordering::Release);
        }
    }
}

/// The index of each key's block. Prefetches the blocks.
#[inline(always)]
fn ask(blocks: &Blocks, keys: &[Hashed]) -> [u32; BATCH] {
    let mut indices = [0; BATCH];
    for (index, key) in indices.iter_mut().zip(keys) {
        *index = blocks.index(*key);
    }
    for &index in &indices[..keys.len()] {
        prefetch(blocks.address(index));
    }
    indices
}

#[inline(always)]
fn hash_all(blocks: &Blocks, numbers: &[f64]) -> [Hashed; BATCH] {
    // One decision for the batch, so that each loop is vectorized.
    if blocks.seeds.is_first() {
        hash_all_of::<true>(blocks, numbers)
    } else {
        hash_all_of::<false>(blocks, numbers)
    }
}

#[inline(always)]
fn hash_all_of<const FIRST: bool>(blocks: &Blocks, numbers: &[f64]) -> [Hashed; BATCH] {
    let mut keys = [Hashed::default(); BATCH];
    for (key, &number) in keys.iter_mut().zip(numbers) {
        *key = hash::number_of::<FIRST>(blocks.seeds, number);
    }
    keys
}

/// # Safety
/// As for [`super::Kernels::add`].
#[inline(always)]
pub(super) unsafe fn add<P: Probe>(blocks: &Blocks, keys: &[Hashed]) {
    let indices = ask(blocks, keys);
    for (key, index) in keys.iter().zip(indices) {
        // SAFETY: `index` is that of a block, which the caller guarantees to be writable.
        unsafe { P::set(blocks.address(index), key.lanes) };
    }
}

/// # Safety
/// As for [`super::Kernels::has`].
#[inline(always)]
pub(super) unsafe fn has<P: Probe>(blocks: &Blocks, keys: &[Hashed], out: &mut [u8]) {
    let indices = ask(blocks, keys);
    for ((key, index), out) in keys.iter().zip(indices).zip(out) {
        // SAFETY: `index` is that of a block, which the caller guarantees to be readable.
        *out = u8::from(unsafe { P::found(blocks.address(index), key.lanes) });
    }
}

/// # Safety
/// As for [`super::Kernels::add`].
#[inline(always)]
pub(super) unsafe fn add_numbers<P: Probe>(blocks: &Blocks, numbers: &[f64]) {
    let keys = hash_all(blocks, numbers);
    // SAFETY: the preconditions of `add` are guaranteed by the caller.
    unsafe { add::<P>(blocks, &keys[..numbers.len()]) };
}

/// # Safety
/// As for [`super::Kernels::has`].
#[inline(always)]
pub(super) unsafe fn has_numbers<P: Probe>(blocks: &Blocks, numbers: &[f64], out: &mut [u8]) {
    let keys = hash_all(blocks, numbers);
    // SAFETY: the preconditions of `has` are guaranteed by the caller.
    unsafe { has::<P>(blocks, &keys[..numbers.len()], out) };
}

/// Defines `KERNELS`: the operations above for one instruction set.
macro_rules! kernels {
    ($name:literal, $probe:ty $(, $features:literal)?) => {
        pub(super) static KERNELS: $crate::compress::bloom::bulk::Kernels = {
            use $crate::compress::bloom::bulk::{Blocks, Hashed, Kernels, generic};

            $(#[target_feature(enable = $features)])?
            unsafe fn add(blocks: &Blocks, keys: &[Hashed]) {
                // SAFETY: here and below, the preconditions are guaranteed by the caller.
                unsafe { generic::add::<$probe>(blocks, keys) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn has(blocks: &Blocks, keys: &[Hashed], out: &mut [u8]) {
                // SAFETY: the same.
                unsafe { generic::has::<$probe>(blocks, keys, out) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn add_numbers(blocks: &Blocks, numbers: &[f64]) {
                // SAFETY: the same.
                unsafe { generic::add_numbers::<$probe>(blocks, numbers) }
            }
            $(#[target_feature(enable = $features)])?
            unsafe fn has_numbers(blocks: &Blocks, numbers: &[f64], out: &mut [u8]) {
                // SAFETY: the same.
                unsafe { generic::has_numbers::<$probe>(blocks, numbers, out) }
            }
            Kernels {
                name: $name,
                // SAFETY: here and below, the preconditions are guaranteed by the caller, and
                // `Kernels::available` checked that the processor supports the instructions.
                add: |blocks, keys| unsafe { add(blocks, keys) },
                // SAFETY: the same.
                has: |blocks, keys, out| unsafe { has(blocks, keys, out) },
                // SAFETY: the same.
                add_numbers: |blocks, numbers| unsafe { add_numbers(blocks, numbers) },
                // SAFETY: the same.
                has_numbers: |blocks, numbers, out| unsafe { has_numbers(blocks, numbers, out) },
            }
        };
    };
}
pub(super) use kernels;

kernels!("generic", Portable);
