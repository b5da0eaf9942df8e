//! NEON, part of AArch64: four `u32` keys in one comparison. NEON has no instruction that gathers
//! one bit of each key, so each equal key keeps a different bit, and the sum over all lanes is the
//! mask.

use super::{Kernel, Lane};
use crate::cpu::Level;
use std::arch::aarch64::{
    uint8x16_t, vaddv_u8, vaddvq_u16, vaddvq_u32, vaddvq_u64, vand_u8, vandq_u16, vandq_u32, vandq_u64,
    vceqq_u8, vceqq_u16, vceqq_u32, vceqq_u64, vcreate_u8, vdupq_n_u8, vdupq_n_u16, vdupq_n_u32, vdupq_n_u64,
    vget_high_u8, vget_low_u8, vld1q_u16, vld1q_u32, vld1q_u64, vreinterpretq_u16_u8, vreinterpretq_u32_u8,
    vreinterpretq_u64_u8,
};

/// Requires only the base instruction set of AArch64.
#[derive(Clone, Copy, Debug)]
pub struct Neon;

/// Loads 2, 4, 8 or 16 bytes, which another thread may be writing; the rest of the register is
/// zero. It is in assembly because a plain load would be a data race for the compiler, and atomic
/// loads are at most 8 bytes wide.
///
/// # Safety
/// The bytes can be read.
#[inline(always)]
#[cfg(not(miri))]
unsafe fn load<const BYTES: usize>(address: *const u8) -> uint8x16_t {
    macro_rules! load {
        ($format:literal) => {{
            let vector;
            // SAFETY: this reads `BYTES` bytes, which are readable, guaranteed by the caller, and
            // does nothing else.
            unsafe {
                std::arch::asm!(
                    concat!("ldr {vector:", $format, "}, [{address}]"),
                    address = in(reg) address,
                    vector = lateout(vreg) vector,
                    options(pure, readonly, nostack, preserves_flags),
                );
            }
            vector
        }};
    }
    match BYTES {
        2 => load!("h"),
        4 => load!("s"),
        8 => load!("d"),
        _ => load!("q"),
    }
}

/// Replaces the loads in assembly, which Miri does not support.
#[cfg(miri)]
unsafe fn load<const BYTES: usize>(address: *const u8) -> uint8x16_t {
    let mut bytes = [0; 16];
    // SAFETY: the bytes are readable, guaranteed by the caller; any bytes are a valid vector.
    unsafe {
        for (at, byte) in bytes[..BYTES].iter_mut().enumerate() {
            *byte = <u8 as Lane>::load(address.add(at));
        }
        std::mem::transmute(bytes)
    }
}

/// One bit for each key of a vector.
#[inline(always)]
fn compare<K: Lane>(keys: uint8x16_t, key: K) -> u32 {
    let bits = key.bits();
    // SAFETY: NEON is part of AArch64; the arrays are as long as a vector.
    unsafe {
        match K::BYTES {
            1 => {
                let equal = vceqq_u8(keys, vdupq_n_u8(bits as u8));
                let weights = vcreate_u8(0x8040_2010_0804_0201);
                let low = vaddv_u8(vand_u8(vget_low_u8(equal), weights));
                let high = vaddv_u8(vand_u8(vget_high_u8(equal), weights));
                u32::from(low) | u32::from(high) << 8
            }
            2 => {
                const WEIGHTS: [u16; 8] = [1, 2, 4, 8, 16, 32, 64, 128];
                let equal = vceqq_u16(vreinterpretq_u16_u8(keys), vdupq_n_u16(bits as u16));
                vaddvq_u16(vandq_u16(equal, vld1q_u16(WEIGHTS.as_ptr()))).into()
            }
            4 => {
                const WEIGHTS: [u32; 4] = [1, 2, 4, 8];
                let equal = vceqq_u32(vreinterpretq_u32_u8(keys), vdupq_n_u32(bits as u32));
                vaddvq_u32(vandq_u32(equal, vld1q_u32(WEIGHTS.as_ptr())))
            }
            _ => {
                const WEIGHTS: [u64; 2] = [1, 2];
                let equal = vceqq_u64(vreinterpretq_u64_u8(keys), vdupq_n_u64(bits));
                vaddvq_u64(vandq_u64(equal, vld1q_u64(WEIGHTS.as_ptr()))) as u32
            }
        }
    }
}

impl Kernel for Neon {
    const LEVEL: Level = Level::Neon;

    #[inline(always)]
    unsafe fn matches<K: Lane, const LANES: usize>(keys: *const K, key: K) -> u32 {
        let keys = keys.cast::<u8>();
        // SAFETY: the `LANES` keys are readable, guaranteed by the caller; all loads are within
        // them.
        unsafe {
            match LANES * K::BYTES {
                2 => compare(load::<2>(keys), key) & ((1 << LANES) - 1),
                4 => compare(load::<4>(keys), key) & ((1 << LANES) - 1),
                8 => compare(load::<8>(keys), key) & ((1 << LANES) - 1),
                bytes => {
                    let mut mask = 0;
                    for vector in 0..bytes / 16 {
                        mask |= compare(load::<16>(keys.add(vector * 16)), key) << (vector * (16 / K::BYTES));
                    }
                    mask
                }
            }
        }
    }
}
