//! Operations on many keys in one call.
//!
//! In a filter that is larger than the caches, each key costs one cache miss. Here a batch of keys
//! is hashed first, and the block of each key is prefetched; only then are the blocks probed. So
//! the cache misses overlap, and several hashes are computed at a time. A block, and the eight bits
//! of a key in it, are one or a few vectors. There is one file for each instruction set besides
//! [`generic`].

pub(super) mod generic;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

pub(super) use super::hash::{Hashed, Seeds};
use super::layout::BLOCK;
#[cfg(target_arch = "x86_64")]
use crate::cpu::{Features, Level};
use std::sync::OnceLock;

/// Keys in a batch: the chunk size of [`crate::region::numbers`].
pub(super) const BATCH: usize = crate::region::numbers::CHUNK;

/// The blocks of a filter, and the seeds of its hashes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocks {
    data: *mut u8,
    count: u32,
    pub(super) seeds: Seeds,
}

impl Blocks {
    /// # Safety
    /// While this is used, `count` blocks, at least one and at most `MAX_BLOCKS`, are readable at
    /// `data`, a multiple of 8.
    pub(super) unsafe fn new(data: *mut u8, count: u64, seeds: Seeds) -> Blocks {
        debug_assert!(0 < count && count <= super::layout::MAX_BLOCKS);
        Blocks { data, count: count as u32, seeds }
    }

    /// The index of the key's block.
    #[inline(always)]
    pub(super) fn index(&self, key: Hashed) -> u32 {
        // The index is computed in doubles, as in JavaScript, because rounding affects some keys.
        let index = f64::from(key.block) * f64::from(self.count) / 4_294_967_296.0;
        // SAFETY: the index is from 0 to the number of blocks, which is at most 2^26.
        (unsafe { index.to_int_unchecked::<i32>() }.cast_unsigned()).min(self.count - 1)
    }

    /// The address of a block. It is within the filter if `index` is below the count.
    #[inline(always)]
    pub(super) fn address(&self, index: u32) -> *mut u8 {
        self.data.wrapping_add(index as usize * BLOCK)
    }
}

/// The operations of one instruction set, each on at most one batch. All slices of a call have the
/// same length.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kernels {
    /// The name shown in tests.
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests show it"))]
    pub(super) name: &'static str,
    /// Adds keys. The blocks are writable, and no other thread writes them.
    pub(super) add: unsafe fn(&Blocks, &[Hashed]),
    /// Looks up keys: writes 1 or 0 for each.
    pub(super) has: unsafe fn(&Blocks, &[Hashed], &mut [u8]),
    /// Adds numbers. The same preconditions as for `add`.
    pub(super) add_numbers: unsafe fn(&Blocks, &[f64]),
    /// Looks up numbers.
    pub(super) has_numbers: unsafe fn(&Blocks, &[f64], &mut [u8]),
}

impl Kernels {
    /// The best operations that this processor supports. They are chosen once; later calls take one
    /// load.
    pub(super) fn get() -> &'static Kernels {
        static CHOSEN: OnceLock<&'static Kernels> = OnceLock::new();
        CHOSEN.get_or_init(|| Kernels::available()[0])
    }

    /// All operations that this processor supports, the best first.
    pub(super) fn available() -> Vec<&'static Kernels> {
        let mut found: Vec<&'static Kernels> = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let level = Features::get().level();
            if level >= Level::Avx512 {
                found.push(&avx512::KERNELS);
            }
            if level >= Level::Avx2 {
                found.push(&avx2::KERNELS);
            }
        }
        #[cfg(target_arch = "aarch64")]
        found.push(&neon::KERNELS);
        found.push(&generic::KERNELS);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: u64 = 5;
    const SEEDS: Seeds = Seeds::new([0x0123_4567, 0x89AB_CDEF], 2);

    /// Blocks at an address that is a multiple of 8 but not of 64, with one word before and one
    /// after them.
    struct Memory(Vec<u64>);

    impl Memory {
        fn new() -> Memory {
            Memory(vec![0; 1 + COUNT as usize * 8 + 1])
        }

        fn blocks(&mut self) -> Blocks {
            // SAFETY: `COUNT` blocks after the first word are within the memory.
            unsafe { Blocks::new(self.0.as_mut_ptr().add(1).cast(), COUNT, SEEDS) }
        }
    }

    fn numbers() -> Vec<f64> {
        let mut numbers: Vec<f64> = (0..200).map(|i| f64::from(i) * 0.37 - 9.0).collect();
        numbers.extend([0.0, -0.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE]);
        numbers
    }

    #[test]
    fn every_kernel_sets_and_finds_the_same_bits() {
        let numbers = numbers();
        let mut expected = Memory::new();
        for &number in &numbers[..40] {
            let (blocks, key) = (expected.blocks(), super::super::hash::number(SEEDS, number));
            let block = blocks.address(blocks.index(key)).cast::<u64>();
            for (lane, salt) in super::super::SALTS.into_iter().enumerate() {
                // SAFETY: `lane < LANES`, so the word is within the block.
                unsafe { *block.add(lane) |= 1 << (key.lanes.wrapping_mul(salt) >> 26) };
            }
        }
        for kernels in Kernels::available() {
            for count in [0, 1, 7, 40] {
                let keys: Vec<Hashed> = numbers[..count]
                    .iter()
                    .map(|&number| super::super::hash::number(SEEDS, number))
                    .collect();
                let (mut by_number, mut by_hash) = (Memory::new(), Memory::new());
                // SAFETY: the memory is exclusive, and `available` checked the instructions.
                unsafe {
                    (kernels.add_numbers)(&by_number.blocks(), &numbers[..count]);
                    (kernels.add)(&by_hash.blocks(), &keys);
                }
                assert_eq!(by_number.0, by_hash.0, "{} {count}", kernels.name);
                assert_eq!(by_number.0 == expected.0, count == 40, "{} {count}", kernels.name);
                let mut found = vec![7; numbers.len()];
                let mut found_hashed = vec![7; count];
                // SAFETY: the same.
                unsafe {
                    (kernels.has_numbers)(&by_number.blocks(), &numbers, &mut found);
                    (kernels.has)(&by_number.blocks(), &keys, &mut found_hashed);
                }
                assert!(found_hashed.iter().all(|&yes| yes == 1), "{} {count}", kernels.name);
                assert!(found[..count].iter().all(|&yes| yes == 1), "{} {count}", kernels.name);
                if count < 40 {
                    assert!(found[count..].contains(&0), "{} {count}", kernels.name);
                }
                let mut plain = vec![7; numbers.len()];
                // SAFETY: the same.
                unsafe { (generic::KERNELS.has_numbers)(&by_number.blocks(), &numbers, &mut plain) };
                assert_eq!(found, plain, "{} {count}", kernels.name);
            }
        }
    }

    #[test]
    fn every_lane_is_tested() {
        let key = super::super::hash::number(SEEDS, 5.0);
        for kernels in Kernels::available() {
            let mut memory = Memory::new();
            // SAFETY: here and below, the memory is exclusive, and `available` checked the
            // instructions.
            unsafe { (kernels.add)(&memory.blocks(), &[key]) };
            let set: Vec<usize> = (0..memory.0.len()).filter(|&word| memory.0[word] != 0).collect();
            assert_eq!(set.len(), 8, "{}", kernels.name);
            for word in set {
                let lane = std::mem::take(&mut memory.0[word]);
                let mut found = [7];
                // SAFETY: the same.
                unsafe { (kernels.has)(&memory.blocks(), &[key], &mut found) };
                assert_eq!(found, [0], "{} lane {word}", kernels.name);
                memory.0[word] = lane;
            }
        }
    }
}
