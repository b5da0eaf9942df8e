//! The features of the processor, detected once at run time.
//!
//! Kernels are compiled for several instruction sets and chosen here, so one binary serves every
//! machine. A feature is reported only if the operating system also saves its registers (which
//! `is_x86_feature_detected!` checks), so a set bit means that the instructions may be executed.
//!
//! Each routine chooses its kernel itself: see [`Features::level`] for the usual levels.

use std::fmt;
use std::sync::OnceLock;

/// A set of processor features, as bits with fixed numbers (the C ABI returns them).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Features(u32);

/// One row for each feature: the constant, its bit, its usual name, and its test.
macro_rules! features {
    ($($(#[doc = $doc:literal])+ $constant:ident = $bit:literal, $name:literal, $arch:literal, $test:expr;)+) => {
        impl Features {
            $($(#[doc = $doc])+ pub const $constant: Features = Features(1 << $bit);)+

            /// Every feature that has a bit, with its usual name.
            pub const ALL: &'static [(Features, &'static str)] = &[$((Features::$constant, $name),)+];
        }

        fn detect() -> Features {
            let mut found = 0;
            $(
                #[cfg(target_arch = $arch)]
                if $test {
                    found |= Features::$constant.0;
                }
            )+
            Features(found)
        }
    };
}

features! {
    /// 128-bit integer vectors: every x86-64 processor has them.
    SSE2 = 0, "sse2", "x86_64", is_x86_feature_detected!("sse2");
    /// CRC32C and string instructions.
    SSE42 = 1, "sse4.2", "x86_64", is_x86_feature_detected!("sse4.2");
    /// Counting the ones of a word in one instruction.
    POPCNT = 2, "popcnt", "x86_64", is_x86_feature_detected!("popcnt");
    /// Bit deposit and extract (`pdep` finds the k-th one of a word).
    BMI2 = 3, "bmi2", "x86_64", is_x86_feature_detected!("bmi2");
    /// 256-bit integer vectors and gathers.
    AVX2 = 4, "avx2", "x86_64", is_x86_feature_detected!("avx2");
    /// 512-bit vectors.
    AVX512F = 5, "avx512f", "x86_64", is_x86_feature_detected!("avx512f");
    /// AVX-512 on bytes and 16-bit words.
    AVX512BW = 6, "avx512bw", "x86_64", is_x86_feature_detected!("avx512bw");
    /// AVX-512 on 128- and 256-bit vectors.
    AVX512VL = 7, "avx512vl", "x86_64", is_x86_feature_detected!("avx512vl");
    /// AVX-512 on 32- and 64-bit integers beyond the base set (64-bit multiply).
    AVX512DQ = 8, "avx512dq", "x86_64", is_x86_feature_detected!("avx512dq");
    /// Population count of vector lanes.
    AVX512VPOPCNTDQ = 9, "avx512vpopcntdq", "x86_64", is_x86_feature_detected!("avx512vpopcntdq");
    /// 128-bit vectors on ARM: every AArch64 processor has them.
    NEON = 16, "neon", "aarch64", std::arch::is_aarch64_feature_detected!("neon");
    /// CRC32 instructions on ARM.
    CRC = 17, "crc", "aarch64", std::arch::is_aarch64_feature_detected!("crc");
}

/// The levels of vector kernels. A routine has one file for each level from which it benefits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Portable Rust, no assumptions.
    Generic,
    /// SSE2.
    Sse2,
    /// NEON.
    Neon,
    /// AVX2 (with BMI2 and POPCNT).
    Avx2,
    /// AVX-512 F, BW, DQ and VL.
    Avx512,
}

impl Level {
    /// Its usual name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Level::Generic => "generic",
            Level::Sse2 => "sse2",
            Level::Neon => "neon",
            Level::Avx2 => "avx2",
            Level::Avx512 => "avx512",
        }
    }
}

impl Features {
    /// The features of this processor. The first call detects them; later ones are a load.
    #[must_use]
    pub fn get() -> Features {
        static FOUND: OnceLock<Features> = OnceLock::new();
        *FOUND.get_or_init(detect)
    }

    /// The bits, as the C ABI returns them.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// The set with these bits. Bits without a meaning are kept.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Features {
        Features(bits)
    }

    /// Whether every feature of `other` is in this set.
    #[must_use]
    pub const fn has(self, other: Features) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Features) -> Features {
        Features(self.0 | other.0)
    }

    /// The highest level of kernels that these features allow.
    #[must_use]
    pub const fn level(self) -> Level {
        const AVX2: Features =
            Features::AVX2.union(Features::BMI2).union(Features::POPCNT).union(Features::SSE42);
        const AVX512: Features = AVX2
            .union(Features::AVX512F)
            .union(Features::AVX512BW)
            .union(Features::AVX512DQ)
            .union(Features::AVX512VL);
        if self.has(AVX512) {
            Level::Avx512
        } else if self.has(AVX2) {
            Level::Avx2
        } else if self.has(Features::SSE2) {
            Level::Sse2
        } else if self.has(Features::NEON) {
            Level::Neon
        } else {
            Level::Generic
        }
    }

    /// The names of the features in this set.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        Features::ALL.iter().filter(move |(feature, _)| self.has(*feature)).map(|(_, name)| *name)
    }
}

impl fmt::Debug for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

/// Whether bit deposit (`PDEP`) takes only a few cycles. AMD's processors before Zen 3 implement it
/// in microcode, which takes up to a few hundred; portable code is faster on them.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn pdep_is_fast() -> bool {
    fn ask() -> bool {
        use std::arch::x86_64::__cpuid;
        if !Features::get().has(Features::BMI2) {
            return false;
        }
        let vendor = __cpuid(0).ecx;
        let signature = __cpuid(1).eax;
        let family =
            (signature >> 8 & 0xF) + if signature >> 8 & 0xF == 0xF { signature >> 20 & 0xFF } else { 0 };
        // The last four letters of AuthenticAMD and HygonGenuine.
        let amd = vendor == u32::from_le_bytes(*b"cAMD") || vendor == u32::from_le_bytes(*b"uine");
        !amd || family >= 0x19
    }
    static FAST: OnceLock<bool> = OnceLock::new();
    *FAST.get_or_init(ask)
}

/// Prefetches a cache line. Any address is allowed, even one that is not mapped.
#[inline(always)]
pub(crate) fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE is part of x86-64, and a prefetch never faults.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a prefetch never faults and changes nothing.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{0}]", in(reg) address, options(readonly, nostack, preserves_flags));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = address;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_and_names_are_unique() {
        let mut seen = 0u32;
        for (feature, name) in Features::ALL {
            assert_eq!(feature.bits().count_ones(), 1, "{name}");
            assert_eq!(seen & feature.bits(), 0, "{name}");
            seen |= feature.bits();
        }
        assert_eq!(Features::from_bits(seen).names().count(), Features::ALL.len());
    }

    #[test]
    fn a_level_needs_all_of_its_features() {
        let sse = Features::SSE2;
        let avx2 =
            sse.union(Features::SSE42).union(Features::POPCNT).union(Features::BMI2).union(Features::AVX2);
        assert_eq!(Features::from_bits(0).level(), Level::Generic);
        assert_eq!(sse.level(), Level::Sse2);
        assert_eq!(avx2.level(), Level::Avx2);
        assert_eq!(avx2.union(Features::AVX512F).level(), Level::Avx2);
        assert_eq!(Features::NEON.level(), Level::Neon);
        assert_eq!(Features::from_bits(u32::MAX).level(), Level::Avx512);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn this_processor_has_the_baseline() {
        assert!(Features::get().has(Features::SSE2));
        assert!(Features::get().level() >= Level::Sse2);
    }
}
