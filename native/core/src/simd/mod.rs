//! Kernels over arrays of numbers in memory that another thread may be writing.
//!
//! Sums, extremes and searches copy blocks of 2 KiB to private memory, with loads that are atomic
//! for the compiler, and process the copy. So all the rest is safe code over slices, which the
//! compiler vectorizes for each instruction set. The copy stays in the first-level cache. Sums of
//! floats, whose result depends on the order of the additions, use explicit vectors and load them
//! directly.
//!
//! | file | contents |
//! | --- | --- |
//! | [`generic`] | the kernels, and portable loads and stores |
//! | `sse2`, `avx2`, `avx512`, `neon` | loads, stores and float lanes of each instruction set, and the kernels compiled for it |
//!
//! Every function here takes the [`Level`] to use; `Features::get().level()` is the best. The
//! processor must support the level.
//!
//! **Results do not depend on the level**: integers are exact, and floats use 16 lanes whatever the
//! width of the vectors (`kernels_agree` in the tests).

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
            // SAFETY: the preconditions of `simd::copy_in` are guaranteed by the caller.
            unsafe { $crate::simd::generic::copy_in(to, from, len, |to, from| $load(to, from)) }
        }

        /// See `simd::copy_out`.
        #[$attribute]
        pub(in crate::simd) unsafe fn copy_out<W: Word>(to: *mut W, from: *const W, len: usize) {
            // SAFETY: the preconditions of `simd::copy_out` are guaranteed by the caller.
            unsafe { $crate::simd::generic::copy_out(to, from, len, |to, from| $store(to, from)) }
        }

        /// See `simd::sum`.
        #[$attribute]
        pub(in crate::simd) unsafe fn sum<T: Element>(base: *const T::Word, len: usize) -> i128 {
            // SAFETY: the preconditions of `simd::sum` are guaranteed by the caller.
            unsafe { $crate::simd::generic::sum::<T>(base, len, |to, from| $load(to, from)) }
        }

        /// See `simd::sum_floats`.
        #[$attribute]
        pub(in crate::simd) unsafe fn sum_floats<T: Float>(base: *const T::Word, len: usize) -> f64 {
            // SAFETY: the preconditions of `simd::sum_floats` are guaranteed by the caller.
            unsafe { $crate::simd::generic::sum_floats::<T, $lanes>(base, len) }
        }

        /// See `simd::extreme`.
        #[$attribute]
        pub(in crate::simd) unsafe fn extreme<T: Element, const MAX: bool>(base: *const T::Word, len: usize) -> T::Word {
            // SAFETY: the preconditions of `simd::extreme` are guaranteed by the caller.
            unsafe { $crate::simd::generic::extreme::<T, MAX>(base, len, |to, from| $load(to, from)) }
        }

        /// See `simd::find`.
        #[$attribute]
        pub(in crate::simd) unsafe fn find<T: Element>(base: *const T::Word, len: usize, value: T) -> Option<usize> {
            // SAFETY: the preconditions of `simd::find` are guaranteed by the caller.
            unsafe { $crate::simd::generic::find::<T>(base, len, value, |to, from| $load(to, from)) }
        }
    };
}
pub(crate) use kernels;

/// Calls a function in the file of a level.
macro_rules! dispatch {
    ($level:expr, $function:ident $(::<$($generic:tt),+>)? ($($argument:expr),*)) => {
        match $level {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: here and below, the preconditions are guaranteed by the caller, including
            // that the processor supports the level.
            Level::Avx512 => unsafe { avx512::$function$(::<$($generic),+>)?($($argument),*) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the same.
            Level::Avx2 => unsafe { avx2::$function$(::<$($generic),+>)?($($argument),*) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the same.
            Level::Sse2 => unsafe { sse2::$function$(::<$($generic),+>)?($($argument),*) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: the same.
            Level::Neon => unsafe { neon::$function$(::<$($generic),+>)?($($argument),*) },
            // SAFETY: the same.
            _ => unsafe { generic::portable::$function$(::<$($generic),+>)?($($argument),*) },
        }
    };
}

/// Copies words from memory that other threads may be writing. Each word is read as a whole.
///
/// # Safety
/// `len` words are readable at `from`, and writable at `to`, which no other thread uses; both are
/// aligned. The processor supports `level`.
pub(crate) unsafe fn copy_in<W: Word>(level: Level, to: *mut W, from: *const W, len: usize) {
    dispatch!(level, copy_in(to, from, len));
}

/// Copies words to memory that other threads may be reading. Each word is written as a whole.
///
/// # Safety
/// `len` words are writable at `to`, and readable at `from`, which no thread writes at the same
/// time; both are aligned. The processor supports `level`.
pub(crate) unsafe fn copy_out<W: Word>(level: Level, to: *mut W, from: *const W, len: usize) {
    dispatch!(level, copy_out(to, from, len));
}

/// The exact sum of integers; 0 for floats.
///
/// # Safety
/// `len` elements at `base` are readable and aligned. The processor supports `level`.
pub(crate) unsafe fn sum<T: Element>(level: Level, base: *const T::Word, len: usize) -> i128 {
    dispatch!(level, sum::<T>(base, len))
}

/// The compensated sum of floats; see [`generic::sum_floats`].
///
/// # Safety
/// As for [`sum`].
pub(crate) unsafe fn sum_floats<T: Float>(level: Level, base: *const T::Word, len: usize) -> f64 {
    let sum = dispatch!(level, sum_floats::<T>(base, len));
    // SAFETY: as guaranteed by the caller.
    if sum.is_finite() { sum } else { unsafe { generic::sum_scaled::<T>(base, len, sum) } }
}

/// The least or the greatest element. As in `Math.min` and `Math.max`, it is NaN if any element is
/// NaN, and −0 is less than 0. There must be at least one element.
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

/// The index of the first element equal to `value`. Floats compare as usual: NaN equals nothing,
/// and −0 equals 0.
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
