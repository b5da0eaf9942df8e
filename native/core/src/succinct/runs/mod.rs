//! Arrays of 64-bit words: counting ones, and set algebra, at the speed of memory.
//!
//! There is one file for each instruction set besides [`generic`]; [`Kernels::get`] chooses one on
//! first use. The words are in regions, so they are accessed by address. If another thread writes
//! them at the same time, the result is that of some mixture of old and new words.
//!
//! Counting follows Muła, Kurz and Lemire, "Faster population counts using AVX2 instructions",
//! 2018. With `VPOPCNTDQ` no algorithm is needed.
//!
//! **Cost** on an AMD EPYC (Zen 5): see `docs/benchmarks/succinct.md`. From about 32 KiB on, all
//! kernels except the generic one are limited by memory.

pub(crate) mod generic;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;

#[cfg(target_arch = "x86_64")]
use crate::cpu::Features;
#[cfg(target_arch = "x86_64")]
use crate::cpu::Level;
use std::sync::OnceLock;

/// A set operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Intersection.
    And,
    /// Union.
    Or,
    /// Symmetric difference.
    Xor,
    /// Difference: the ones of the first set that the second one lacks.
    AndNot,
}

impl Op {
    /// Every operation.
    pub const ALL: [Op; 4] = [Op::And, Op::Or, Op::Xor, Op::AndNot];

    /// The operation on one word of each set.
    #[inline(always)]
    #[must_use]
    pub const fn apply(self, a: u64, b: u64) -> u64 {
        match self {
            Op::And => a & b,
            Op::Or => a | b,
            Op::Xor => a ^ b,
            Op::AndNot => a & !b,
        }
    }
}

/// `count(words, len)`: the number of ones in `len` words.
type Count = unsafe fn(*const u64, usize) -> u64;
/// `combine(op, into, other, len)`: `into[i] = into[i] op other[i]`. Both are the same memory, or
/// do not overlap.
type Combine = unsafe fn(Op, *mut u64, *const u64, usize);
/// `invert(words, len)`: `words[i] = !words[i]`.
type Invert = unsafe fn(*mut u64, usize);

/// The routines of one instruction set. All need whole words, aligned to 8 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kernels {
    /// The name shown in tests.
    #[cfg_attr(not(test), expect(dead_code, reason = "only tests show it"))]
    pub(crate) name: &'static str,
    pub(crate) count: Count,
    pub(crate) combine: Combine,
    pub(crate) invert: Invert,
}

impl Kernels {
    /// The best kernels that this processor supports. They are chosen once; later calls take one
    /// load.
    pub(crate) fn get() -> &'static Kernels {
        static CHOSEN: OnceLock<&'static Kernels> = OnceLock::new();
        CHOSEN.get_or_init(|| Kernels::available()[0])
    }

    /// All kernels that this processor supports, the best first.
    pub(crate) fn available() -> Vec<&'static Kernels> {
        let mut found: Vec<&'static Kernels> = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let features = Features::get();
            if features.level() >= Level::Avx512 && features.has(Features::AVX512VPOPCNTDQ) {
                found.push(&avx512::KERNELS);
            }
            if features.level() >= Level::Avx2 {
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

    fn random(len: usize, mut state: u64) -> Vec<u64> {
        (0..len)
            .map(|i| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                // Some words are all zeros or all ones, so that counters reach their limits.
                match i / 40 % 3 {
                    0 => state,
                    1 => u64::MAX,
                    _ => state & state << 3,
                }
            })
            .collect()
    }

    /// Lengths around every vector width and unrolling, at every offset within a vector.
    fn shapes() -> impl Iterator<Item = (usize, usize)> {
        let lens = (0..40).chain([63, 64, 65, 127, 128, 129, 255, 256, 1000, 5000]);
        lens.flat_map(|len| [0, 1, 3, 7].map(|offset| (offset, len)))
    }

    #[test]
    fn every_kernel_counts_the_same() {
        let words = random(5100, 1);
        for kernels in Kernels::available() {
            for (offset, len) in shapes() {
                let part = &words[offset..offset + len];
                let expected: u64 = part.iter().map(|word| u64::from(word.count_ones())).sum();
                // SAFETY: the words are those of a slice, and `available` checked the instructions.
                let found = unsafe { (kernels.count)(part.as_ptr(), len) };
                assert_eq!(found, expected, "{} {offset} {len}", kernels.name);
            }
        }
    }

    #[test]
    fn no_counter_overflows_on_a_long_run_of_ones() {
        let words = vec![u64::MAX; 100_000];
        for kernels in Kernels::available() {
            // SAFETY: as above.
            let found = unsafe { (kernels.count)(words.as_ptr(), words.len()) };
            assert_eq!(found, 6_400_000, "{}", kernels.name);
        }
    }

    #[test]
    fn every_kernel_combines_the_same_and_changes_nothing_else() {
        let (a, b) = (random(5100, 2), random(5100, 3));
        for kernels in Kernels::available() {
            for op in Op::ALL {
                for (offset, len) in shapes() {
                    let mut into = a.clone();
                    // SAFETY: as above.
                    unsafe {
                        (kernels.combine)(op, into[offset..].as_mut_ptr(), b[offset..].as_ptr(), len);
                    }
                    for i in 0..a.len() {
                        let inside = (offset..offset + len).contains(&i);
                        let expected = if inside { op.apply(a[i], b[i]) } else { a[i] };
                        assert_eq!(into[i], expected, "{} {op:?} {offset} {len} word {i}", kernels.name);
                    }
                }
            }
        }
    }

    #[test]
    fn every_kernel_inverts_the_same_and_changes_nothing_else() {
        let a = random(5100, 4);
        for kernels in Kernels::available() {
            for (offset, len) in shapes() {
                let mut into = a.clone();
                // SAFETY: as above.
                unsafe { (kernels.invert)(into[offset..].as_mut_ptr(), len) };
                for i in 0..a.len() {
                    let inside = (offset..offset + len).contains(&i);
                    let expected = if inside { !a[i] } else { a[i] };
                    assert_eq!(into[i], expected, "{} {offset} {len} word {i}", kernels.name);
                }
            }
        }
    }

    #[test]
    fn combines_a_set_with_itself() {
        let a = random(300, 5);
        for kernels in Kernels::available() {
            for op in Op::ALL {
                let mut into = a.clone();
                let words = into.as_mut_ptr();
                // SAFETY: as above; `into` and `other` may be the same memory.
                unsafe { (kernels.combine)(op, words, words.cast_const(), a.len()) };
                assert!(into.iter().zip(&a).all(|(&got, &word)| got == op.apply(word, word)), "{op:?}");
            }
        }
    }
}
