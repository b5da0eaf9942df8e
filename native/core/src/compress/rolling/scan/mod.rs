//! Finding small hashes, one vector of bytes at a time.
//!
//! Let d(i) be the incoming byte minus the weighted outgoing one. The hash is h(i) = B·h(i−1) +
//! d(i), which is a chain of multiplications, one per byte. Over a group of bytes it is a weighted
//! prefix sum, which takes log steps over all lanes at a time (Hillis and Steele, "Data parallel
//! algorithms", 1986). Only one multiplication per group depends on the previous group.
//!
//! There is one file for each instruction set, and a byte-by-byte loop for other processors. Array
//! loops that the compiler could vectorize were tried: the compiler shifts through memory, and the
//! result is no faster than the byte-by-byte loop.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

use super::BASE;
use crate::cpu::Level;

/// The powers of `BASE` from 1 on.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
const POWERS: [u32; 16] = {
    let mut powers = [BASE; 16];
    let mut i = 1;
    while i < powers.len() {
        powers[i] = powers[i - 1].wrapping_mul(BASE);
        i += 1;
    }
    powers
};

/// A run of incoming bytes, and the bytes that leave the window at the same time.
pub(super) struct Run<'a> {
    pub(super) incoming: &'a [u8],
    pub(super) outgoing: &'a [u8],
    /// The weight of an outgoing byte.
    pub(super) weight: u32,
    /// The hash before the run.
    pub(super) hash: u32,
    /// The largest hash that matches.
    pub(super) most: u32,
}

impl Run<'_> {
    #[inline(always)]
    fn change(&self, i: usize) -> u32 {
        let leaving = (u32::from(self.outgoing[i]) + 1).wrapping_mul(self.weight);
        (u32::from(self.incoming[i]) + 1).wrapping_sub(leaving)
    }
}

/// The index of the first byte after which the hash is at most `most`, and the hash there; or
/// `None` and the hash at the end.
///
/// # Safety
/// The processor supports `level`.
pub(super) unsafe fn scan(level: Level, run: &Run<'_>) -> (Option<usize>, u32) {
    match level {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the processor supports `level`, as guaranteed by the caller.
        Level::Avx512 => unsafe { avx512::scan(run) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the same.
        Level::Avx2 => unsafe { avx2::scan(run) },
        #[cfg(target_arch = "aarch64")]
        // SAFETY: the same.
        Level::Neon => unsafe { neon::scan(run) },
        _ => rest(run, 0, run.hash),
    }
}

/// The byte-by-byte loop.
#[inline(always)]
fn rest(run: &Run<'_>, from: usize, mut hash: u32) -> (Option<usize>, u32) {
    for i in from..run.incoming.len().min(run.outgoing.len()) {
        hash = hash.wrapping_mul(BASE).wrapping_add(run.change(i));
        if hash <= run.most {
            return (Some(i), hash);
        }
    }
    (None, hash)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Features;

    #[test]
    fn every_level_finds_the_same_positions() {
        let bytes: Vec<u8> = (0..3000u32).map(|i| (i.wrapping_mul(i) >> 3) as u8 ^ (i >> 5) as u8).collect();
        let mut levels = vec![Level::Generic];
        for level in [Level::Neon, Level::Avx2, Level::Avx512] {
            let neon = cfg!(target_arch = "aarch64");
            if (level == Level::Neon) == neon && level <= Features::get().level() {
                levels.push(level);
            }
        }
        for length in (0..70).chain([1000, 2048]) {
            for from in [0, 1, 500] {
                for most in [0, 1 << 20, 1 << 26, u32::MAX] {
                    let run = Run {
                        incoming: &bytes[from + 48..][..length],
                        outgoing: &bytes[from..][..length],
                        weight: BASE.wrapping_pow(48),
                        hash: 12345,
                        most,
                    };
                    let expected = rest(&run, 0, run.hash);
                    for &level in &levels {
                        // SAFETY: the processor supports `level`.
                        let found = unsafe { scan(level, &run) };
                        assert_eq!(found, expected, "{level:?} {length} {from} {most}");
                    }
                }
            }
        }
    }
}
