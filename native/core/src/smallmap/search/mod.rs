//! The search for a key among a few others, which are all compared at once.
//!
//! A small map stores its keys contiguously, at most [`MAX_LANES`] of them, and compares all of
//! them with the key that it searches for: one or two vector instructions, no branch on the keys,
//! no hashing. [`position`] does this; a [`Kernel`] is the implementation for one instruction set,
//! in a file of its own.
//!
//! **Lanes.** A search reads a fixed number of keys, `LANES` (2, 4, 8 or 16), regardless of how
//! many are in use. The others may contain any bits, including the searched key, so the result is
//! limited to the length: a map without entries does not contain key 0. A search reads exactly the
//! bytes of its lanes.
//!
//! **Keys** are compared by their bits, as one of the four [`Lane`] types. Floats become
//! [`Searchable`] by giving each value one bit pattern, both when they are stored and when they are
//! searched for: all NaNs are one key, and -0 is 0.
//!
//! **Memory** may be shared with a thread that writes it. Lanes are loaded by instructions that are
//! opaque to the compiler (assembly) or by relaxed atomics, so a race yields an old or torn key,
//! but never undefined behavior. Keys need only the alignment of their type.
//!
//! **Selection.** [`Inline`] is the best kernel that every processor of the target supports; calls
//! to it are inlined. Wider kernels are for loops: [`dispatch`] runs a whole [`Batch`] compiled for
//! an instruction set, so the selection costs one branch for a batch and none for a key.
//!
//! Measurements (AMD EPYC Turin, 8 `u32` keys): see `native/benches/benches/smallmap.rs`.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod generic;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod sse2;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

use crate::cpu::{Features, Level};
use crate::table::hash::canonical;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

#[cfg(target_arch = "x86_64")]
pub use self::avx2::Avx2;
#[cfg(target_arch = "x86_64")]
pub use self::avx512::Avx512;
pub use self::generic::Generic;
#[cfg(target_arch = "aarch64")]
pub use self::neon::Neon;
#[cfg(target_arch = "x86_64")]
pub use self::sse2::Sse2;

/// The largest number of keys that one search compares.
pub const MAX_LANES: usize = 16;

/// A key as it is stored: an unsigned integer.
pub trait Lane: Copy + Eq + sealed::Sealed {
    /// The width in bytes.
    const BYTES: usize;
    /// The bits, zero-extended.
    fn bits(self) -> u64;
    /// The key with these bits, truncated to its width.
    fn from_bits(bits: u64) -> Self;
    /// Reads one key, which another thread may be writing.
    ///
    /// # Safety
    /// The key can be read, and is aligned; `address` comes from a `*mut` or an `UnsafeCell`.
    unsafe fn load(address: *const Self) -> Self;
}

mod sealed {
    pub trait Sealed {}
}

macro_rules! lanes {
    ($($lane:ident $atomic:ident;)+) => {$(
        impl Lane for $lane {
            const BYTES: usize = size_of::<$lane>();
            #[inline(always)]
            fn bits(self) -> u64 {
                u64::from(self)
            }
            #[inline(always)]
            fn from_bits(bits: u64) -> $lane {
                bits as $lane
            }
            #[inline(always)]
            unsafe fn load(address: *const $lane) -> $lane {
                // SAFETY: the key is readable and aligned, guaranteed by the caller.
                unsafe { $atomic::from_ptr(address.cast_mut()) }.load(Ordering::Relaxed)
            }
        }
    )+};
}

lanes! { u8 AtomicU8; u16 AtomicU16; u32 AtomicU32; u64 AtomicU64; }

/// A number that can be searched for: it is as wide as its lane, and each value has one bit
/// pattern.
pub trait Searchable: Copy + sealed::Sealed {
    /// The type of the lane in which it is stored.
    type Lane: Lane;
    /// The lane that is stored for the number, and compared.
    fn to_lane(self) -> Self::Lane;
    /// The number that is stored as this lane.
    fn from_lane(lane: Self::Lane) -> Self;
}

macro_rules! searchable {
    ($($number:ident $lane:ident, $to:expr, $from:expr;)+) => {$(
        impl sealed::Sealed for $number {}
        impl Searchable for $number {
            type Lane = $lane;
            #[inline(always)]
            fn to_lane(self) -> $lane {
                let to: fn($number) -> $lane = $to;
                to(self)
            }
            #[inline(always)]
            fn from_lane(lane: $lane) -> $number {
                let from: fn($lane) -> $number = $from;
                from(lane)
            }
        }
    )+};
}

searchable! {
    u8 u8, |key| key, |lane| lane;
    i8 u8, i8::cast_unsigned, u8::cast_signed;
    u16 u16, |key| key, |lane| lane;
    i16 u16, i16::cast_unsigned, u16::cast_signed;
    u32 u32, |key| key, |lane| lane;
    i32 u32, i32::cast_unsigned, u32::cast_signed;
    u64 u64, |key| key, |lane| lane;
    i64 u64, i64::cast_unsigned, u64::cast_signed;
    f32 u32, |key| canonical_f32(key.to_bits()), f32::from_bits;
    f64 u64, |key| canonical(key.to_bits()), f64::from_bits;
}

#[cfg(target_pointer_width = "64")]
searchable! {
    usize u64, |key| key as u64, |lane| lane as usize;
    isize u64, |key| key as u64, |lane| lane as isize;
}

/// The unique bit pattern of an `f32` key: NaNs become the quiet NaN 0x7FC00000, -0 becomes 0.
#[inline(always)]
#[must_use]
pub fn canonical_f32(bits: u32) -> u32 {
    const INFINITY: u32 = 0x7F80_0000;
    if bits << 1 > INFINITY << 1 {
        0x7FC0_0000
    } else if bits << 1 == 0 {
        0
    } else {
        bits
    }
}

/// A search for one instruction set.
pub trait Kernel: Copy + 'static {
    /// The required level of instructions.
    const LEVEL: Level;

    /// Bit i of the result is set if key i of the `LANES` keys at `keys` equals `key`. Bits from
    /// `LANES` on are 0.
    ///
    /// # Safety
    /// The processor has the instructions of [`Kernel::LEVEL`], and this is inlined into a function
    /// compiled for them ([`dispatch`] ensures both). `LANES` keys can be read at `keys`, which has
    /// the alignment of `K` and comes from a `*mut` or an `UnsafeCell`, because the portable kernel
    /// reads through atomics.
    unsafe fn matches<K: Lane, const LANES: usize>(keys: *const K, key: K) -> u32;
}

/// The best kernel of the target's base instruction set.
#[cfg(all(target_arch = "x86_64", target_feature = "avx2"))]
pub type Inline = Avx2;
/// The best kernel of the target's base instruction set.
#[cfg(all(target_arch = "x86_64", not(target_feature = "avx2")))]
pub type Inline = Sse2;
/// The best kernel of the target's base instruction set.
#[cfg(target_arch = "aarch64")]
pub type Inline = Neon;
/// The best kernel of the target's base instruction set.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub type Inline = Generic;

/// A mask of the first `length` lanes.
#[inline(always)]
const fn cut(length: usize) -> u32 {
    // A length from a damaged region may have any value, but a shift is limited.
    if length >= MAX_LANES { (1 << MAX_LANES) - 1 } else { (1 << length) - 1 }
}

/// The position of `key` among the first `length` of the `LANES` keys at `keys`. A `length` above
/// `LANES` counts as `LANES`.
///
/// # Safety
/// As for [`Kernel::matches`].
#[inline(always)]
pub unsafe fn position<S: Kernel, K: Lane, const LANES: usize>(
    keys: *const K,
    length: usize,
    key: K,
) -> Option<usize> {
    const { assert!(matches!(LANES, 2 | 4 | 8 | 16), "there are kernels for 2, 4, 8 and 16 keys") };
    // SAFETY: as for `matches`, guaranteed by the caller.
    let found = unsafe { S::matches::<K, LANES>(keys, key) } & cut(length);
    (found != 0).then(|| found.trailing_zeros() as usize)
}

/// Work that is compiled once for each instruction set.
pub trait Batch {
    /// The type of the result.
    type Output;

    /// Runs the batch. Implementations are `#[inline(always)]`, as are all functions through which
    /// they call `S`: only then are they compiled for the instruction set.
    ///
    /// # Safety
    /// The processor has the instructions of `S`.
    unsafe fn run<S: Kernel>(self) -> Self::Output;
}

/// Runs a batch with the kernel of a level, or with the best one below it that this processor
/// supports.
#[inline]
pub fn dispatch<B: Batch>(level: Level, batch: B) -> B::Output {
    // SAFETY: the level is never above the detected one; `Sse2` and `Neon` are detected only where
    // they are part of the base instruction set.
    unsafe {
        match level.min(Features::get().level()) {
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => avx512::run(batch),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => avx2::run(batch),
            #[cfg(target_arch = "x86_64")]
            Level::Sse2 => batch.run::<Sse2>(),
            #[cfg(target_arch = "aarch64")]
            Level::Neon => batch.run::<Neon>(),
            _ => batch.run::<Generic>(),
        }
    }
}
