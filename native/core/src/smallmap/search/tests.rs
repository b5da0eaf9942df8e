//! Compares every instruction set with the definition: all lengths, all positions, and padding that
//! contains the searched key.

use super::*;
use proptest::prelude::*;

/// The levels that this processor supports.
fn levels() -> Vec<Level> {
    [Level::Generic, Level::Sse2, Level::Neon, Level::Avx2, Level::Avx512]
        .into_iter()
        .filter(|&level| selected_kernel(level) == level)
        .collect()
}

/// The kernel that `dispatch` selects for a level.
fn selected_kernel(level: Level) -> Level {
    struct Which;
    impl Batch for Which {
        type Output = Level;
        #[inline(always)]
        unsafe fn run<S: Kernel>(self) -> Level {
            S::LEVEL
        }
    }
    dispatch(level, Which)
}

struct Search<'a, K, const LANES: usize> {
    keys: &'a mut [K],
    length: usize,
    key: K,
}

impl<K: Lane, const LANES: usize> Batch for Search<'_, K, LANES> {
    type Output = (u32, Option<usize>);
    #[inline(always)]
    unsafe fn run<S: Kernel>(self) -> Self::Output {
        assert_eq!(self.keys.len(), LANES);
        // SAFETY: there are `LANES` keys; `dispatch` checked the processor.
        unsafe {
            let keys = self.keys.as_mut_ptr();
            (S::matches::<K, LANES>(keys, self.key), position::<S, K, LANES>(keys, self.length, self.key))
        }
    }
}

/// Compares all levels with the definition. The keys are in an allocation of their own, so that
/// Miri detects reads beyond them.
#[track_caller]
fn check<K: Lane + std::fmt::Debug, const LANES: usize>(keys: &[K], key: K) {
    check_at::<K, LANES>(&mut keys.to_vec(), key);
}

#[track_caller]
fn check_at<K: Lane + std::fmt::Debug, const LANES: usize>(keys: &mut [K], key: K) {
    let mask = keys.iter().enumerate().fold(0, |mask, (i, &k)| mask | u32::from(k == key) << i);
    for level in levels() {
        // Lengths beyond the lanes occur in damaged regions.
        for length in (0..=LANES).step_by(if cfg!(miri) { 5 } else { 1 }).chain([LANES + 1, 40, usize::MAX]) {
            let expected = keys.iter().take(length).position(|&k| k == key);
            let found = dispatch(level, Search::<K, LANES> { keys: &mut *keys, length, key });
            assert_eq!(found, (mask, expected), "{level:?}: {key:?} in {length} of {keys:?}");
        }
    }
}

fn all_positions<K: Lane + std::fmt::Debug, const LANES: usize>(key: K, others: &[K]) {
    for &other in others {
        check::<K, LANES>(&vec![key; LANES], key);
        check::<K, LANES>(&vec![other; LANES], key);
        // Miri detects reads out of bounds; wrong answers are tested without it.
        for at in (0..LANES).step_by(if cfg!(miri) { 7 } else { 1 }) {
            let mut keys = vec![other; LANES];
            keys[at] = key;
            check::<K, LANES>(&keys, key);
            // The key in all the padding after a length, but not before.
            let mut keys = vec![other; LANES];
            keys[at..].fill(key);
            check::<K, LANES>(&keys, key);
        }
    }
}

/// Keys among others that differ from them in one bit: 0, all ones, and one in between.
macro_rules! exhaustive {
    ($($name:ident $lane:ident;)+) => {$(
        #[test]
        fn $name() {
            let keys = [0, $lane::MAX, 0x5A5A_A5A5_3C3C_C3C3_u64 as $lane];
            let (keys, bits) = if cfg!(miri) { (&keys[..1], 0..1) } else { (&keys[..], 0..$lane::BITS) };
            for &key in keys {
                let bits = bits.clone();
                let others: Vec<$lane> = bits.map(|bit| key ^ 1 << bit).collect();
                all_positions::<$lane, 2>(key, &others);
                all_positions::<$lane, 4>(key, &others);
                all_positions::<$lane, 8>(key, &others);
                all_positions::<$lane, 16>(key, &others);
            }
        }
    )+};
}

exhaustive! {
    finds_8_bit_keys u8;
    finds_16_bit_keys u16;
    finds_32_bit_keys u32;
    finds_64_bit_keys u64;
}

#[test]
fn dispatch_reaches_every_kernel_of_this_processor() {
    let best = Features::get().level();
    assert_eq!(levels().last(), Some(&best));
    assert_eq!(selected_kernel(Level::Avx512), best, "never above what the processor has");
    #[cfg(target_arch = "x86_64")]
    for level in [Level::Generic, Level::Sse2, Level::Avx2] {
        assert_eq!(selected_kernel(level), level.min(best));
    }
    assert!(Inline::LEVEL > Level::Generic || !cfg!(any(target_arch = "x86_64", target_arch = "aarch64")));
}

#[test]
fn keys_need_only_their_own_alignment() {
    let mut shorts: Vec<u16> = (0..24).collect();
    let mut bytes: Vec<u8> = (0..24).collect();
    for start in (0..16).step_by(if cfg!(miri) { 5 } else { 1 }) {
        check_at::<u16, 8>(&mut shorts[start..start + 8], 12);
        check_at::<u8, 8>(&mut bytes[start..start + 8], 12);
    }
}

#[test]
fn floats_are_found_as_javascript_finds_them() {
    let nan = f64::from_bits(0xFFF8_0000_DEAD_BEEF);
    assert_eq!((nan.to_lane(), (-0.0f64).to_lane()), (f64::NAN.to_lane(), 0));
    let nan = f32::from_bits(0xFF80_0001);
    assert_eq!((nan.to_lane(), (-0.0f32).to_lane()), (0x7FC0_0000, 0));
    for value in [1.5f32, -1.5, f32::INFINITY, f32::NEG_INFINITY, f32::MIN_POSITIVE, -f32::MIN_POSITIVE / 2.0]
    {
        assert_eq!(value.to_lane(), value.to_bits(), "{value}");
        assert_eq!(f32::from_lane(value.to_lane()), value);
    }
    assert!(f32::from_lane(nan.to_lane()).is_nan());
    assert_eq!((i8::from_lane((-1i8).to_lane()), i64::from_lane(i64::MIN.to_lane())), (-1, i64::MIN));
}

proptest! {
    #[test]
    fn finds_random_keys(
        bytes in prop::collection::vec(0u8..4, 16),
        longs in prop::collection::vec(prop::sample::select(vec![0, 1, 1 << 32, (1 << 32) + 1, u64::MAX]), 16),
        at in 0usize..16,
    ) {
        check::<u8, 16>(&bytes, bytes[at]);
        check::<u8, 8>(&bytes[..8], bytes[at]);
        check::<u64, 16>(&longs, longs[at]);
        check::<u64, 8>(&longs[8..], longs[at]);
        let words: Vec<u32> = longs.iter().map(|&long| (long >> 16) as u32).collect();
        check::<u32, 16>(&words, words[at]);
        check::<u32, 8>(&words[..8], words[at]);
        let halves: Vec<u16> = bytes.iter().map(|&byte| u16::from(byte) << 7).collect();
        check::<u16, 16>(&halves, halves[at]);
        check::<u16, 4>(&halves[4..8], halves[at]);
    }
}
