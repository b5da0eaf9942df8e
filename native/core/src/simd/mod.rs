//! Kernels over runs of numbers in memory that another thread may be writing.
//!
//! Sums, extremes and searches read a block of 2 KiB into private memory, by loads that are atomic
//! for the compiler, and look at the copy: so all the rest is safe code over slices, which the
//! compiler turns into the vectors of each instruction set. The copy stays in the first-level
//! cache. Sums of floats, where the order of additions is part of the result, are written in
//! vectors by hand and load them directly.
//!
//! | file | holds |
//! | --- | --- |
//! | [`generic`] | the kernels, and portable loads and stores |
//! | `sse2`, `avx2`, `avx512`, `neon` | loads, stores and float lanes of each, and the kernels compiled for it |
//!
//! Every function here takes the [`Level`] to use; `Features::get().level()` is the best. A level
//! that this processor does not have must not be passed.
//!
//! **Results do not depend on the level**: integers are exact, and floats go through 16 lanes
//! whatever the width of the vectors (`kernels_agree` in the tests).

mod generic;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(target_arch = "x86_64")]
mod sse2;
#[cfg(test)]
mod tests;

pub(crate) use generic::Float;

use crate::cpu::Level;
use crate::region::element::{Element, Word};

/// Defines the functions of one instruction set: the generic kernels with its loads and stores.
macro_rules! kernels {
    (portable $load:ident, $store:ident, $lanes:ty) => {
        $crate::simd::kernels!(@ #[allow(unused_attributes, reason = "no features")], $load, $store, $lanes);
    };
    ($features:literal $load:ident, $store:ident, $lanes:ty) => {
        $crate::simd::kernels!(@ #[target_feature(enable = $features)], $load, $store, $lanes);
    };
    (@ #[$attribute:meta], $load:ident, $store:ident, $lanes:ty) => {
        /// See `simd::copy_in`.
        #[$attribute]
        pub(in crate::simd) unsafe fn copy_in<W: Word>(to: *mut W, from: *const W, len: usize) {
            // SAFETY: the caller's word.
            unsafe { $crate::simd::generic::copy_in(to, from, len, |to, from| $load(to, from)) }
        }

        /// See `simd::copy_out`.
        #[$attribute]
        pub(in crate::simd) unsafe fn copy_out<W: Word>(to: *mut W, from: *const W, len: usize) {
            // SAFETY: the caller's word.
            unsafe { $crate::simd::generic::copy_out(to, from, len, |to, from| $store(to, from)) }
        }

        /// See `simd::sum`.
        #[$attribute]
        pub(in crate::simd) unsafe fn sum<T: Element>(base: *const T::Word, len: usize) -> i128 {
            // SAFETY: the caller's word.
            unsafe { $crate::simd::generic::sum::<T>(base, len, |to, from| $load(to, from)) }
        }

        /// See `simd::sum_floats`.
        #[$attribute]
        pub(in crate::simd) unsafe fn sum_floats<T: Float>(base: *const T::Word, len: usize) -> f64 {
            // SAFETY: the caller's word.
            unsafe { $crate::simd::generic::sum_floats::<T, $lanes>(base, len) }
        }

        /// See `simd::extreme`.
        #[$attribute]
        pub(in crate::simd) unsafe fn extreme<T: Element, const MAX: bool>(base: *const T::Word, len: usize) -> T::Word {
            // SAFETY: the caller's word.
            unsafe { $crate::simd::generic::extreme::<T, MAX>(base, len, |to, from| $load(to, from)) }
        }

        /// See `simd::find`.
        #[$attribute]
        pub(in crate::simd) unsafe fn find<T: Element>(base: *const T::Word, len: usize, value: T) -> Option<usize> {
            // SAFETY: the caller's word.
            unsafe { $crate::simd::generic::find::<T>(base, len, value, |to, from| $load(to, from)) }
        }
    };
}
pub(crate) use kernels;

/// Calls a function of the level's file.
macro_rules! dispatch {
    ($level:expr, $function:ident $(::<$($generic:tt),+>)? ($($argument:expr),*)) => {
        match $level {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: here and below, the caller's word, that the processor has the level included.
            Level::Avx512 => unsafe { avx512::$function$(::<$($generic),+>)?($($argument),*) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Level::Avx2 => unsafe { avx2::$function$(::<$($generic),+>)?($($argument),*) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Level::Sse2 => unsafe { sse2::$function$(::<$($generic),+>)?($($argument),*) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: as above.
            Level::Neon => unsafe { neon::$function$(::<$($generic),+>)?($($argument),*) },
            // SAFETY: as above.
            _ => unsafe { generic::portable::$function$(::<$($generic),+>)?($($argument),*) },
        }
    };
}

/// Copies words out of memory that others may be writing. Each is read whole.
///
/// # Safety
/// `len` words are readable at `from`, and writable at `to` by nobody else; both are aligned. The
/// processor has `level`.
pub(crate) unsafe fn copy_in<W: Word>(level: Level, to: *mut W, from: *const W, len: usize) {
    dispatch!(level, copy_in(to, from, len));
}

/// Copies words into memory that others may be reading. Each is written whole.
///
/// # Safety
/// `len` words are writable at `to`, and readable at `from` while nobody writes them; both are
/// aligned. The processor has `level`.
pub(crate) unsafe fn copy_out<W: Word>(level: Level, to: *mut W, from: *const W, len: usize) {
    dispatch!(level, copy_out(to, from, len));
}

/// The exact sum of integers; 0 for floats.
///
/// # Safety
/// `len` elements at `base` are readable and aligned. The processor has `level`.
pub(crate) unsafe fn sum<T: Element>(level: Level, base: *const T::Word, len: usize) -> i128 {
    dispatch!(level, sum::<T>(base, len))
}

/// The compensated sum of floats; see [`generic::sum_floats`].
///
/// # Safety
/// As for [`sum`].
pub(crate) unsafe fn sum_floats<T: Float>(level: Level, base: *const T::Word, len: usize) -> f64 {
    dispatch!(level, sum_floats::<T>(base, len))
}

/// The least element, or the greatest: NaN if one is NaN, and −0 less than 0, as `Math.min` and
/// `Math.max` have it. There must be one.
///
/// # Safety
/// As for [`sum`].
pub(crate) unsafe fn extreme<T: Element, const MAX: bool>(
    level: Level,
    base: *const T::Word,
    len: usize,
) -> T::Word {
    dispatch!(level, extreme::<T, MAX>(base, len))
}

/// The first element equal to `value`, by the comparison of floats: NaN equals nothing, −0 equals
/// 0.
///
/// # Safety
/// As for [`sum`].
pub(crate) unsafe fn find<T: Element>(
    level: Level,
    base: *const T::Word,
    len: usize,
    value: T,
) -> Option<usize> {
    dispatch!(level, find::<T>(base, len, value))
}
