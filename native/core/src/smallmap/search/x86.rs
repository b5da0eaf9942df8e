//! Loads of 2 to 16 bytes into a vector register, from memory that another thread may be writing.
//!
//! They are in assembly because a plain load would be a data race for the compiler, and atomic
//! loads are at most 8 bytes wide and would pass through general registers. There are two sets:
//! without a prefix for SSE2, and with the prefix `v` for code compiled for AVX, where legacy
//! encodings would wait for the upper halves of the registers.

#[cfg(miri)]
use std::arch::x86_64::__m128i;

/// Defines `load::<BYTES>(address) -> __m128i`, the rest of the register being zero.
macro_rules! loads {
    ($(#[$attribute:meta])* $prefix:literal) => {
        /// Loads 2, 4, 8 or 16 bytes; the rest of the register is zero.
        ///
        /// # Safety
        /// The bytes can be read.
        #[inline]
        $(#[$attribute])*
        #[cfg(not(miri))]
        unsafe fn load<const BYTES: usize>(address: *const u8) -> std::arch::x86_64::__m128i {
            use std::arch::asm;
            let vector: std::arch::x86_64::__m128i;
            // SAFETY: each instruction reads `BYTES` bytes, which are readable, guaranteed by the
            // caller, and does nothing else.
            unsafe {
                match BYTES {
                    2 => {
                        let word: u32;
                        asm!(
                            "movzx {word:e}, word ptr [{address}]",
                            address = in(reg) address,
                            word = lateout(reg) word,
                            options(pure, readonly, nostack, preserves_flags),
                        );
                        vector = std::arch::x86_64::_mm_cvtsi32_si128(word.cast_signed());
                    }
                    4 => asm!(
                        concat!($prefix, "movd {vector}, dword ptr [{address}]"),
                        address = in(reg) address,
                        vector = lateout(xmm_reg) vector,
                        options(pure, readonly, nostack, preserves_flags),
                    ),
                    8 => asm!(
                        concat!($prefix, "movq {vector}, qword ptr [{address}]"),
                        address = in(reg) address,
                        vector = lateout(xmm_reg) vector,
                        options(pure, readonly, nostack, preserves_flags),
                    ),
                    _ => asm!(
                        concat!($prefix, "movdqu {vector}, xmmword ptr [{address}]"),
                        address = in(reg) address,
                        vector = lateout(xmm_reg) vector,
                        options(pure, readonly, nostack, preserves_flags),
                    ),
                }
            }
            vector
        }

        #[cfg(miri)]
        use $crate::smallmap::search::x86::load_bytes as load;
    };
}
pub(super) use loads;

/// Replaces the loads in assembly, which Miri does not support.
///
/// # Safety
/// The bytes can be read.
#[cfg(miri)]
pub(super) unsafe fn load_bytes<const BYTES: usize>(address: *const u8) -> __m128i {
    let mut bytes = [0; 16];
    // SAFETY: the bytes are readable, guaranteed by the caller.
    unsafe {
        for (at, byte) in bytes[..BYTES].iter_mut().enumerate() {
            *byte = <u8 as super::Lane>::load(address.add(at));
        }
        std::mem::transmute(bytes)
    }
}
