//! Features of the processor.

use crate::guard::guard_value;
use offheap_core::cpu::{Features, Level};
use std::ffi::{CStr, c_char};

/// Bit of `oh_cpu_features`: SSE2.
pub const OH_CPU_SSE2: u32 = 1 << 0;
/// Bit of `oh_cpu_features`: SSE4.2.
pub const OH_CPU_SSE42: u32 = 1 << 1;
/// Bit of `oh_cpu_features`: POPCNT.
pub const OH_CPU_POPCNT: u32 = 1 << 2;
/// Bit of `oh_cpu_features`: BMI2.
pub const OH_CPU_BMI2: u32 = 1 << 3;
/// Bit of `oh_cpu_features`: AVX2.
pub const OH_CPU_AVX2: u32 = 1 << 4;
/// Bit of `oh_cpu_features`: AVX-512 F.
pub const OH_CPU_AVX512F: u32 = 1 << 5;
/// Bit of `oh_cpu_features`: AVX-512 BW.
pub const OH_CPU_AVX512BW: u32 = 1 << 6;
/// Bit of `oh_cpu_features`: AVX-512 VL.
pub const OH_CPU_AVX512VL: u32 = 1 << 7;
/// Bit of `oh_cpu_features`: AVX-512 DQ.
pub const OH_CPU_AVX512DQ: u32 = 1 << 8;
/// Bit of `oh_cpu_features`: AVX-512 VPOPCNTDQ.
pub const OH_CPU_AVX512VPOPCNTDQ: u32 = 1 << 9;
/// Bit of `oh_cpu_features`: NEON.
pub const OH_CPU_NEON: u32 = 1 << 16;
/// Bit of `oh_cpu_features`: the CRC32 instructions of ARM.
pub const OH_CPU_CRC: u32 = 1 << 17;

/// Returns the features of the processor, as `OH_CPU_…` bits. A bit is set only if the operating
/// system supports the feature as well. Features are detected at the first call; later calls are
/// cheap.
#[unsafe(no_mangle)]
pub extern "C" fn oh_cpu_features() -> u32 {
    guard_value(0, || Features::get().bits())
}

/// Returns the name of the set of vector kernels that the library uses on this processor:
/// `"avx512"`, `"avx2"`, `"sse2"`, `"neon"` or `"generic"`. The string is valid as long as the
/// library is loaded.
#[unsafe(no_mangle)]
pub extern "C" fn oh_cpu_kernel() -> *const c_char {
    guard_value(c"generic".as_ptr(), || {
        let name: &'static CStr = match Features::get().level() {
            Level::Avx512 => c"avx512",
            Level::Avx2 => c"avx2",
            Level::Sse2 => c"sse2",
            Level::Neon => c"neon",
            _ => c"generic",
        };
        name.as_ptr()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_those_of_the_core() {
        let ours = [
            (OH_CPU_SSE2, "sse2"),
            (OH_CPU_SSE42, "sse4.2"),
            (OH_CPU_POPCNT, "popcnt"),
            (OH_CPU_BMI2, "bmi2"),
            (OH_CPU_AVX2, "avx2"),
            (OH_CPU_AVX512F, "avx512f"),
            (OH_CPU_AVX512BW, "avx512bw"),
            (OH_CPU_AVX512VL, "avx512vl"),
            (OH_CPU_AVX512DQ, "avx512dq"),
            (OH_CPU_AVX512VPOPCNTDQ, "avx512vpopcntdq"),
            (OH_CPU_NEON, "neon"),
            (OH_CPU_CRC, "crc"),
        ];
        let core: Vec<_> = Features::ALL.iter().map(|(feature, name)| (feature.bits(), *name)).collect();
        assert_eq!(ours.to_vec(), core);
    }

    #[test]
    fn the_kernel_is_that_of_the_core() {
        // SAFETY: oh_cpu_kernel returns a static string.
        let name = unsafe { CStr::from_ptr(oh_cpu_kernel()) };
        assert_eq!(name.to_str().unwrap(), Features::get().level().name());
        assert_eq!(oh_cpu_features(), Features::get().bits());
    }
}
