//! Looking for where the hash is small, a vector of bytes at a time.
//!
//! With d(i) for the byte that comes in less the weighted one that leaves, the hash is h(i) = B·h(i−1) + d(i): a chain of
//! multiplications, one for each byte. Over a group of bytes it is a prefix sum with weights, made in log steps (Hillis and Steele,
//! "Data parallel algorithms", 1986), all lanes at a time; only one multiplication a group hangs on the group before. The code
//! is one for all instruction sets: compilers make vectors of loops over arrays of this length.

use super::BASE;
use crate::cpu::Level;

/// Bytes of a group.
const GROUP: usize = 16;
/// `BASE` to the power of 1, 2, 3, …
const POWERS: [u32; GROUP] = {
    let mut powers = [BASE; GROUP];
    let mut i = 1;
    while i < GROUP {
        powers[i] = powers[i - 1].wrapping_mul(BASE);
        i += 1;
    }
    powers
};

/// A run of bytes to take in, and as many that leave the window meanwhile.
pub(super) struct Run<'a> {
    pub(super) incoming: &'a [u8],
    pub(super) outgoing: &'a [u8],
    /// What an outgoing byte weighs when it leaves.
    pub(super) weight: u32,
    /// The hash before.
    pub(super) hash: u32,
    /// Hashes up to this are looked for.
    pub(super) most: u32,
}

impl Run<'_> {
    #[inline(always)]
    fn change(&self, i: usize) -> u32 {
        let leaving = (u32::from(self.outgoing[i]) + 1).wrapping_mul(self.weight);
        (u32::from(self.incoming[i]) + 1).wrapping_sub(leaving)
    }
}

/// The first index after whose byte the hash is at most `most`, and the hash there; or at the end.
///
/// # Safety
/// The processor has `level`.
pub(super) unsafe fn scan(level: Level, run: &Run<'_>) -> (Option<usize>, u32) {
    match level {
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the caller's word.
        Level::Avx512 => unsafe { avx512(run) },
        #[cfg(target_arch = "x86_64")]
        // SAFETY: the caller's word.
        Level::Avx2 => unsafe { avx2(run) },
        // NEON is part of what AArch64 is compiled for.
        _ => generic(run),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,bmi2")]
fn avx512(run: &Run<'_>) -> (Option<usize>, u32) {
    groups(run)
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi2")]
fn avx2(run: &Run<'_>) -> (Option<usize>, u32) {
    groups(run)
}

#[cfg(target_arch = "aarch64")]
fn generic(run: &Run<'_>) -> (Option<usize>, u32) {
    groups(run)
}

/// One byte after the other: multiplying vectors takes more than that where there is no instruction for it.
#[cfg(not(target_arch = "aarch64"))]
fn generic(run: &Run<'_>) -> (Option<usize>, u32) {
    rest(run, 0, run.hash)
}

/// `x[i] += x[i - STEP] · factor`, where there is such an i.
#[inline(always)]
fn step<const STEP: usize>(x: [u32; GROUP], factor: u32) -> [u32; GROUP] {
    std::array::from_fn(|i| if i < STEP { x[i] } else { x[i].wrapping_add(x[i - STEP].wrapping_mul(factor)) })
}

#[inline(always)]
fn groups(run: &Run<'_>) -> (Option<usize>, u32) {
    let mut hash = run.hash;
    let count = run.incoming.len().min(run.outgoing.len());
    let mut at = 0;
    while at + GROUP <= count {
        let (incoming, outgoing) = (&run.incoming[at..at + GROUP], &run.outgoing[at..at + GROUP]);
        let mut x: [u32; GROUP] = std::array::from_fn(|i| {
            let leaving = (u32::from(outgoing[i]) + 1).wrapping_mul(run.weight);
            (u32::from(incoming[i]) + 1).wrapping_sub(leaving)
        });
        x = step::<1>(x, POWERS[0]);
        x = step::<2>(x, POWERS[1]);
        x = step::<4>(x, POWERS[3]);
        x = step::<8>(x, POWERS[7]);
        let hashes: [u32; GROUP] = std::array::from_fn(|i| x[i].wrapping_add(hash.wrapping_mul(POWERS[i])));
        let small = hashes.iter().fold(false, |small, &hash| small | (hash <= run.most));
        if small {
            break;
        }
        hash = x[GROUP - 1].wrapping_add(hash.wrapping_mul(POWERS[GROUP - 1]));
        at += GROUP;
    }
    rest(run, at, hash)
}

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
    fn every_level_finds_the_same() {
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
                        // SAFETY: the processor has it.
                        let found = unsafe { scan(level, &run) };
                        assert_eq!(found, expected, "{level:?} {length} {from} {most}");
                    }
                }
            }
        }
    }
}
