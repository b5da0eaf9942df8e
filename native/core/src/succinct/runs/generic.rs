//! Portable Rust: relaxed atomic loads, one word at a time.

use super::{Kernels, Op};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

pub(super) static KERNELS: Kernels = Kernels { name: "generic", count, combine, invert };

/// # Safety
/// The word is readable (and writable if it is stored) and aligned.
#[inline(always)]
pub(crate) unsafe fn word<'a>(words: *const u64, index: usize) -> &'a AtomicU64 {
    // SAFETY: the word is readable and aligned, as guaranteed by the caller. Other threads may
    // access an atomic at the same time.
    unsafe { AtomicU64::from_ptr(words.add(index).cast_mut()) }
}

/// # Safety
/// `len` words are readable and aligned.
#[inline(always)]
pub(crate) unsafe fn count(words: *const u64, len: usize) -> u64 {
    // SAFETY: `len` words are readable and aligned, as guaranteed by the caller.
    (0..len).map(|i| u64::from(unsafe { word(words, i) }.load(Relaxed).count_ones())).sum()
}

/// # Safety
/// `len` words are readable in `other` and writable in `into`, and aligned.
#[inline(always)]
pub(crate) unsafe fn combine(op: Op, into: *mut u64, other: *const u64, len: usize) {
    for i in 0..len {
        // SAFETY: `len` words are accessible and aligned, as guaranteed by the caller.
        unsafe {
            let target = word(into, i);
            target.store(op.apply(target.load(Relaxed), word(other, i).load(Relaxed)), Relaxed);
        }
    }
}

/// # Safety
/// `len` words are writable and aligned.
#[inline(always)]
pub(crate) unsafe fn invert(words: *mut u64, len: usize) {
    for i in 0..len {
        // SAFETY: `len` words are writable and aligned, as guaranteed by the caller.
        unsafe {
            let target = word(words, i);
            target.store(!target.load(Relaxed), Relaxed);
        }
    }
}
