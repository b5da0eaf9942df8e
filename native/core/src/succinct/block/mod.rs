//! Blocks of 512 bits, one cache line each: counting and finding ones in a block, and searching the
//! small tables that rank and select keep about blocks.
//!
//! A query is written once, generic over [`Block`], and compiled for each [`Tier`] by
//! [`per_tier!`]. The whole query thus runs in one function with the instructions that it profits
//! from. A view of a structure determines its tier once.

mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(target_arch = "x86_64")]
pub(crate) use self::x86::{Avx2, Avx512};
use super::word::Portable;

/// Words of a block.
pub(crate) const WORDS: usize = 8;
/// Bits of a block.
pub(crate) const BITS: u64 = 512;
/// The number of index entries that [`Block::entries_passed`] examines.
pub(crate) const WINDOW: u64 = 8;

/// The operations on a block, and on tables about blocks. With `ZEROS`, they are about zeros
/// instead of ones.
///
/// Another thread may be changing the memory. The results are then meaningless, but each is within
/// its stated bounds.
pub(crate) trait Block: Copy {
    /// The number of ones among the first `bits` bits of a block; `bits` is below 512.
    ///
    /// # Safety
    /// The block is readable and aligned to 8 bytes.
    unsafe fn rank(self, block: *const u64, bits: u32) -> u32;

    /// The position of the `k`-th one in a block; an unspecified number below 512 if it has at most
    /// `k` ones. `k` is below 512.
    ///
    /// # Safety
    /// As for `rank`.
    unsafe fn select<const ZEROS: bool>(self, block: *const u64, k: u32) -> u32;

    /// The number of the seven 12-bit counts of an index entry that are at most `k`. `k` is below
    /// 4096.
    ///
    /// # Safety
    /// The entry, two words, is readable and aligned to 8 bytes.
    unsafe fn counts_passed<const ZEROS: bool>(self, entry: *const u64, k: u32) -> u32;

    /// The number of the eight entries from number `first` on, at `entries`, that have at most `k`
    /// ones before them.
    ///
    /// # Safety
    /// The eight entries, two words each, are readable and aligned to 8 bytes.
    unsafe fn entries_passed<const ZEROS: bool>(self, entries: *const u64, first: u64, k: u64) -> u32;
}

/// The available instructions.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tier {
    /// No assumptions.
    Portable(Portable),
    /// POPCNT, BMI and AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// AVX-512 with VPOPCNTDQ.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Tier {
    /// The best tier that this processor supports.
    #[inline]
    pub(crate) fn get() -> Tier {
        #[cfg(target_arch = "x86_64")]
        {
            if let Some(tier) = Avx512::get() {
                return Tier::Avx512(tier);
            }
            if let Some(tier) = Avx2::get() {
                return Tier::Avx2(tier);
            }
        }
        Tier::Portable(Portable)
    }

    /// All tiers that this processor supports, for tests.
    #[cfg(test)]
    pub(crate) fn available() -> Vec<Tier> {
        #[cfg_attr(not(target_arch = "x86_64"), expect(unused_mut, reason = "there is no other"))]
        let mut found = vec![Tier::Portable(Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            found.extend(Avx2::all().map(Tier::Avx2));
            found.extend(Avx512::get().map(Tier::Avx512));
        }
        found
    }
}

/// Defines functions that take a [`Tier`] first, and run a generic function compiled for the tier's
/// instructions.
///
/// ```text
/// per_tier! {
///     /// Documentation.
///     pub(crate) unsafe fn rank(view: &Flat, position: u64) -> u64 = rank_with;
/// }
/// ```
///
/// defines `rank(tier, view, position)` over `rank_with<B: Block>(block: B, view, position)`, which
/// should be `#[inline(always)]`.
macro_rules! per_tier {
    ($($(#[$meta:meta])* $visibility:vis unsafe fn $name:ident$(<const $generic:ident: $kind:ty>)?(
        $($argument:ident: $type:ty),* $(,)?
    ) $(-> $result:ty)? = $with:ident;)+) => {$(
        $(#[$meta])*
        #[inline]
        $visibility unsafe fn $name$(<const $generic: $kind>)?(
            tier: $crate::succinct::block::Tier, $($argument: $type),*
        ) $(-> $result)? {
            use $crate::succinct::block::Tier;

            #[cfg(target_arch = "x86_64")]
            #[inline]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq")]
            #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
            unsafe fn avx512$(<const $generic: $kind>)?(
                tier: $crate::succinct::block::Avx512, $($argument: $type),*
            ) $(-> $result)? {
                // SAFETY: the preconditions are guaranteed by the caller.
                unsafe { $with::<_, $($generic,)?>(tier, $($argument),*) }
            }

            #[cfg(target_arch = "x86_64")]
            #[inline]
            #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
            unsafe fn avx2$(<const $generic: $kind>)?(
                tier: $crate::succinct::block::Avx2, $($argument: $type),*
            ) $(-> $result)? {
                // SAFETY: the preconditions are guaranteed by the caller.
                unsafe { $with::<_, $($generic,)?>(tier, $($argument),*) }
            }

            // Out of line, so that the caller remains small enough to be inlined.
            #[cfg_attr(target_arch = "x86_64", inline(never))]
            unsafe fn portable$(<const $generic: $kind>)?(
                tier: $crate::succinct::word::Portable, $($argument: $type),*
            ) $(-> $result)? {
                // SAFETY: the preconditions are guaranteed by the caller.
                unsafe { $with::<_, $($generic,)?>(tier, $($argument),*) }
            }

            // SAFETY: the preconditions are guaranteed by the caller, and a tier proves that the
            // processor supports its instructions.
            unsafe {
                match tier {
                    #[cfg(target_arch = "x86_64")]
                    Tier::Avx512(tier) => avx512::<$($generic)?>(tier, $($argument),*),
                    #[cfg(target_arch = "x86_64")]
                    Tier::Avx2(tier) => avx2::<$($generic)?>(tier, $($argument),*),
                    Tier::Portable(tier) => portable::<$($generic)?>(tier, $($argument),*),
                }
            }
        }
    )+};
}

pub(crate) use per_tier;

/// The number of ones before an index entry: the low 44 bits.
#[inline(always)]
pub(crate) fn total_of(low: u64) -> u64 {
    low & ((1 << 44) - 1)
}

/// The number of ones in a superblock before its block `index`, 0 to 7. It is the 12-bit field with
/// that number after the entry's low 32 bits, or 0 for block 0, whose field holds the upper bits of
/// the total. There is no branch, which would be mispredicted for one block in eight, and only one
/// shift of a word: fields 0 to 4 are in the word that begins in the middle of the first.
///
/// # Safety
/// The entry, two words, is readable and aligned to 8 bytes.
#[inline(always)]
pub(crate) unsafe fn count_of(entry: *const u64, index: u32) -> u32 {
    // SAFETY: bytes 4 to 12, and the second word, are within the sixteen bytes of the entry.
    let (middle, high) = unsafe { (entry.byte_add(4).read_unaligned() & !0xFFF, portable::load(entry, 1)) };
    let upper = index >= 5;
    let word = if upper { high } else { middle };
    (word >> ((12 * index - if upper { 32 } else { 0 }) & 63)) as u32 & 0xFFF
}

#[cfg(test)]
mod tests {
    use super::*;

    per_tier! {
        unsafe fn rank(block: *const u64, bits: u32) -> u32 = rank_with;
        unsafe fn select<const ZEROS: bool>(block: *const u64, k: u32) -> u32 = select_with;
        unsafe fn counts<const ZEROS: bool>(entry: *const u64, k: u32) -> u32 = counts_with;
        unsafe fn entries<const ZEROS: bool>(entries: *const u64, first: u64, k: u64) -> u32 = entries_with;
    }

    unsafe fn rank_with<B: Block>(b: B, block: *const u64, bits: u32) -> u32 {
        // SAFETY: the preconditions are guaranteed by the caller.
        unsafe { b.rank(block, bits) }
    }

    unsafe fn select_with<B: Block, const ZEROS: bool>(b: B, block: *const u64, k: u32) -> u32 {
        // SAFETY: the preconditions are guaranteed by the caller.
        unsafe { b.select::<ZEROS>(block, k) }
    }

    unsafe fn counts_with<B: Block, const ZEROS: bool>(b: B, entry: *const u64, k: u32) -> u32 {
        // SAFETY: the preconditions are guaranteed by the caller.
        unsafe { b.counts_passed::<ZEROS>(entry, k) }
    }

    unsafe fn entries_with<B: Block, const ZEROS: bool>(
        b: B,
        entries: *const u64,
        first: u64,
        k: u64,
    ) -> u32 {
        // SAFETY: the preconditions are guaranteed by the caller.
        unsafe { b.entries_passed::<ZEROS>(entries, first, k) }
    }

    struct Random(u64);

    impl Random {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }
    }

    /// Blocks of all densities, including full and empty ones.
    fn blocks() -> Vec<[u64; WORDS]> {
        let mut random = Random(0x9E37_79B9_7F4A_7C15);
        let mut blocks = vec![[0; WORDS], [u64::MAX; WORDS]];
        for round in 0..60 {
            blocks.push(std::array::from_fn(|_| match round % 6 {
                0 => random.next(),
                1 => random.next() & random.next() & random.next() & random.next(),
                2 => random.next() | random.next() | random.next() | random.next(),
                3 => 1 << (random.next() & 63),
                4 => {
                    if random.next() & 3 == 0 {
                        random.next()
                    } else {
                        0
                    }
                }
                _ => {
                    if random.next() & 3 == 0 {
                        random.next()
                    } else {
                        u64::MAX
                    }
                }
            }));
        }
        blocks
    }

    fn bit(block: &[u64], at: usize) -> bool {
        block[at / 64] >> (at % 64) & 1 == 1
    }

    #[test]
    fn every_tier_counts_and_finds_the_same() {
        for block in blocks() {
            let ones: Vec<usize> = (0..512).filter(|&at| bit(&block, at)).collect();
            let zeros: Vec<usize> = (0..512).filter(|&at| !bit(&block, at)).collect();
            for tier in Tier::available() {
                // SAFETY: a live block.
                unsafe {
                    for bits in 0..512 {
                        let expected = ones.partition_point(|&at| at < bits);
                        assert_eq!(
                            rank(tier, block.as_ptr(), bits as u32) as usize,
                            expected,
                            "{tier:?} {bits}"
                        );
                    }
                    for k in 0..512 {
                        let found = select::<false>(tier, block.as_ptr(), k as u32) as usize;
                        assert!(found < 512, "{tier:?}");
                        assert!(ones.get(k).is_none_or(|&at| at == found), "{tier:?} {k}");
                        let found = select::<true>(tier, block.as_ptr(), k as u32) as usize;
                        assert!(found < 512, "{tier:?}");
                        assert!(zeros.get(k).is_none_or(|&at| at == found), "{tier:?} {k}");
                    }
                }
            }
        }
    }

    fn entry(total: u64, counts: [u64; 7]) -> [u64; 2] {
        let mut entry = u128::from(total);
        for (i, count) in counts.into_iter().enumerate() {
            entry |= u128::from(count) << (44 + 12 * i);
        }
        [entry as u64, (entry >> 64) as u64]
    }

    #[test]
    fn every_tier_searches_an_entry_the_same() {
        let mut random = Random(5);
        for round in 0..400 {
            let mut at = 0;
            let counts: [u64; 7] = std::array::from_fn(|_| {
                at += match round % 4 {
                    0 => random.next() % 513,
                    1 => 512,
                    2 => 0,
                    _ => random.next() % 20,
                };
                at
            });
            let total = random.next() >> 20;
            let [low, high] = entry(total, counts);
            assert_eq!(total_of(low), total);
            for (i, count) in [0].into_iter().chain(counts).enumerate() {
                // SAFETY: a live entry.
                assert_eq!(u64::from(unsafe { count_of([low, high].as_ptr(), i as u32) }), count);
            }
            for k in [0, 1, 5, 100, 511, 512, 513, 1024, 2000, 3583, 3584, 4095, random.next() as u32 % 4096]
            {
                let ones = counts.iter().filter(|&&count| count <= u64::from(k)).count();
                let zeros =
                    (1..8).filter(|&block| 512 * block - counts[block as usize - 1] <= u64::from(k)).count();
                for tier in Tier::available() {
                    // SAFETY: a live entry.
                    unsafe {
                        assert_eq!(
                            counts_of::<false>(tier, &[low, high], k),
                            ones,
                            "{tier:?} {k} {counts:?}"
                        );
                        assert_eq!(
                            counts_of::<true>(tier, &[low, high], k),
                            zeros,
                            "{tier:?} {k} {counts:?}"
                        );
                    }
                }
            }
        }
    }

    unsafe fn counts_of<const ZEROS: bool>(tier: Tier, entry: &[u64; 2], k: u32) -> usize {
        // SAFETY: the entry is readable and aligned.
        unsafe { counts::<ZEROS>(tier, entry.as_ptr(), k) as usize }
    }

    #[test]
    fn every_tier_searches_the_index_the_same() {
        let mut random = Random(6);
        for round in 0..200 {
            let first = random.next() >> 33;
            let mut at = if round % 2 == 0 { first * 4096 / 3 } else { 0 };
            let totals: Vec<u64> = (0..WINDOW)
                .map(|_| {
                    at += random.next() % 4097;
                    at
                })
                .collect();
            // The other fields of an entry must not matter.
            let words: Vec<u64> =
                totals.iter().flat_map(|&total| [total | random.next() << 44, random.next()]).collect();
            for _ in 0..40 {
                let near = totals[random.next() as usize % 8];
                let k = (near + random.next() % 3).saturating_sub(1);
                let ones = totals.iter().filter(|&&total| total <= k).count();
                let before_zeros =
                    |i: usize| (first + i as u64) * 4096 - totals[i].min((first + i as u64) * 4096);
                let zero_totals: Vec<u64> = (0..8).map(before_zeros).collect();
                for tier in Tier::available() {
                    // SAFETY: eight live entries.
                    unsafe {
                        assert_eq!(
                            entries::<false>(tier, words.as_ptr(), first, k) as usize,
                            ones,
                            "{tier:?}"
                        );
                        if (0..8).all(|i| totals[i] <= (first + i as u64) * 4096) {
                            let k = zero_totals[random.next() as usize % 8];
                            let zeros = zero_totals.iter().filter(|&&total| total <= k).count();
                            let found = entries::<true>(tier, words.as_ptr(), first, k) as usize;
                            assert_eq!(found, zeros, "{tier:?}");
                        }
                    }
                }
            }
        }
    }
}
