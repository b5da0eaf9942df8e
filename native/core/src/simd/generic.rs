//! The kernels. Each is `inline(always)`, so that each instruction set gets a copy that is compiled
//! for it and contains its loads and stores.
//!
//! A load or store moves [`CHUNK`] bytes between private memory and memory that other threads may
//! use, at a multiple of [`CHUNK`] in the latter. The parts before and after the chunks are moved
//! word by word.

use crate::region::element::{Element, Slot, Word};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bytes moved by one load or store.
pub(super) const CHUNK: usize = 64;
/// Bytes of a private block. With 10^7 doubles, 512 bytes to 4 KiB were equally fast, and 8 KiB
/// half as fast. Prefetching the next block changed nothing.
const BLOCK: usize = 2048;
/// The number of elements that [`find`] compares before it branches.
const STRIDE: usize = 64;
/// The number of independent sums of floats.
pub(crate) const LANES: usize = 16;

/// Reads a word that other threads may be writing.
///
/// # Safety
/// `from` is readable and aligned.
#[inline(always)]
unsafe fn read<W: Word>(from: *const W) -> W {
    // SAFETY: a slot is an atomic of the same size and alignment, and `from` is readable and
    // aligned, as guaranteed by the caller.
    unsafe { (*from.cast::<W::Slot>()).get() }
}

/// # Safety
/// `to` is writable and aligned.
#[inline(always)]
unsafe fn write<W: Word>(to: *mut W, word: W) {
    // SAFETY: the same, for writing.
    unsafe { (*to.cast::<W::Slot>()).set(word) };
}

/// The number of words before the next multiple of [`CHUNK`], and the number of words in whole
/// chunks after that.
#[inline(always)]
fn split<W>(address: *const W, len: usize) -> (usize, usize) {
    let before = (address.addr().wrapping_neg() % CHUNK / size_of::<W>()).min(len);
    let each = CHUNK / size_of::<W>();
    (before, (len - before) / each * each)
}

/// See `simd::copy_in`.
///
/// # Safety
/// As there. `load` moves a chunk, and is called only for whole chunks of the words.
#[inline(always)]
pub(super) unsafe fn copy_in<W: Word>(
    to: *mut W,
    from: *const W,
    len: usize,
    load: impl Fn(*mut u8, *const u8),
) {
    let (before, middle) = split(from, len);
    // SAFETY: all three parts are within the words, and the second consists of whole chunks.
    unsafe {
        (0..before).for_each(|at| to.add(at).write(read(from.add(at))));
        for at in (before..before + middle).step_by(CHUNK / size_of::<W>()) {
            load(to.add(at).cast(), from.add(at).cast());
        }
        (before + middle..len).for_each(|at| to.add(at).write(read(from.add(at))));
    }
}

/// See `simd::copy_out`.
///
/// # Safety
/// As there. `store` moves a chunk, and is called only for whole chunks of the words.
#[inline(always)]
pub(super) unsafe fn copy_out<W: Word>(
    to: *mut W,
    from: *const W,
    len: usize,
    store: impl Fn(*mut u8, *const u8),
) {
    let (before, middle) = split(to, len);
    // SAFETY: all three parts are within the words, and the second consists of whole chunks.
    unsafe {
        (0..before).for_each(|at| write(to.add(at), from.add(at).read()));
        for at in (before..before + middle).step_by(CHUNK / size_of::<W>()) {
            store(to.add(at).cast(), from.add(at).cast());
        }
        (before + middle..len).for_each(|at| write(to.add(at), from.add(at).read()));
    }
}

/// Calls `visit` with private copies of all words, block by block, and the index of each block,
/// until `visit` returns a result.
///
/// # Safety
/// As for `simd::sum`.
#[inline(always)]
unsafe fn blocks<W: Word, R>(
    base: *const W,
    len: usize,
    load: impl Fn(*mut u8, *const u8),
    mut visit: impl FnMut(usize, &[W]) -> Option<R>,
) -> Option<R> {
    #[repr(align(64))]
    struct Block([MaybeUninit<u8>; BLOCK]);
    let mut block = Block([const { MaybeUninit::uninit() }; BLOCK]);
    let words = block.0.as_mut_ptr().cast::<W>();
    let each = BLOCK / size_of::<W>();
    let mut at = 0;
    while at < len {
        let count = each.min(len - at);
        // SAFETY: `count` words from `at` on are within the words that the caller guarantees to be
        // readable. They fit in the block, which is private and aligned for them.
        let answer = unsafe {
            copy_in(words, base.add(at), count, &load);
            visit(at, std::slice::from_raw_parts(words, count))
        };
        if answer.is_some() {
            return answer;
        }
        at += count;
    }
    None
}

/// See `simd::sum`.
///
/// # Safety
/// As there.
#[inline(always)]
pub(super) unsafe fn sum<T: Element>(
    base: *const T::Word,
    len: usize,
    load: impl Fn(*mut u8, *const u8),
) -> i128 {
    let mut total = 0;
    // SAFETY: the preconditions of `simd::sum` are guaranteed by the caller.
    let _: Option<()> = unsafe {
        blocks(base, len, load, |_, block| {
            total += T::sum(block);
            None
        })
    };
    total
}

/// See `simd::extreme`.
///
/// Float comparisons with the semantics of `Math.min` do not vectorize. Comparisons of the ranks as
/// integers do, and they also order −0 before 0.
///
/// # Safety
/// As there.
#[inline(always)]
pub(super) unsafe fn extreme<T: Element, const MAX: bool>(
    base: *const T::Word,
    len: usize,
    load: impl Fn(*mut u8, *const u8),
) -> T::Word {
    let (least, greatest) = T::RANKS;
    let mut best = if MAX { least } else { greatest };
    // SAFETY: the preconditions of `simd::extreme` are guaranteed by the caller.
    let nan = unsafe {
        blocks(base, len, load, |_, block| {
            let mut nan = false;
            for &word in block {
                let rank = T::rank(word);
                best = if MAX { best.max(rank) } else { best.min(rank) };
                nan |= T::is_nan(word);
            }
            if nan { block.iter().copied().find(|&word| T::is_nan(word)) } else { None }
        })
    };
    nan.unwrap_or(T::unrank(best))
}

/// See `simd::find`.
///
/// # Safety
/// As there.
#[inline(always)]
pub(super) unsafe fn find<T: Element>(
    base: *const T::Word,
    len: usize,
    value: T,
    load: impl Fn(*mut u8, *const u8),
) -> Option<usize> {
    // SAFETY: the preconditions of `simd::find` are guaranteed by the caller.
    unsafe {
        blocks(base, len, load, |at, block| {
            let mut from = 0;
            for stride in block.chunks(STRIDE) {
                // There is no branch per element, so that the loop vectorizes.
                let hit = stride.iter().fold(false, |hit, &word| hit | (T::from_word(word) == value));
                if hit {
                    let within = stride.iter().position(|&word| T::from_word(word) == value)?;
                    return Some(at + from + within);
                }
                from += STRIDE;
            }
            None
        })
    }
}

/// Sixteen doubles, in as many vectors as an instruction set needs for them.
pub(crate) trait Lanes: Copy {
    /// All zeros.
    fn zero() -> Self;
    /// # Safety
    /// Sixteen doubles are readable at `from`, a multiple of 8. Other threads may be writing them.
    unsafe fn load_f64(from: *const u8) -> Self;
    /// # Safety
    /// Sixteen floats are readable at `from`, a multiple of 4. Other threads may be writing them.
    unsafe fn load_f32(from: *const u8) -> Self;
    /// The sums of the pairs.
    fn add(self, other: Self) -> Self;
    /// The differences of the pairs.
    fn sub(self, other: Self) -> Self;
    /// The doubles in order.
    fn to_array(self) -> [f64; LANES];
}

/// The element types that [`sum_floats`] supports.
pub(crate) trait Float: Element {
    /// Loads sixteen elements as doubles.
    ///
    /// # Safety
    /// Sixteen elements are readable at `from` and aligned. Other threads may be writing them.
    unsafe fn load<L: Lanes>(from: *const Self::Word) -> L;
    /// The element as a double.
    fn widen(word: Self::Word) -> f64;
}

impl Float for f64 {
    #[inline(always)]
    unsafe fn load<L: Lanes>(from: *const u64) -> L {
        // SAFETY: sixteen doubles are readable and aligned, as guaranteed by the caller.
        unsafe { L::load_f64(from.cast()) }
    }
    #[inline(always)]
    fn widen(word: u64) -> f64 {
        f64::from_bits(word)
    }
}

impl Float for f32 {
    #[inline(always)]
    unsafe fn load<L: Lanes>(from: *const u32) -> L {
        // SAFETY: sixteen floats are readable and aligned, as guaranteed by the caller.
        unsafe { L::load_f32(from.cast()) }
    }
    #[inline(always)]
    fn widen(word: u32) -> f64 {
        f64::from(f32::from_bits(word))
    }
}

/// See `simd::sum_floats`.
///
/// Element i goes to lane i modulo 16. Each lane keeps its sum and the sum of the rounding errors
/// of its additions, by Knuth's TwoSum (The Art of Computer Programming 2, 4.2.2). At the end the
/// lanes are added in order, in the same way. With u = 2^−53, the error is at most about u |s| + (n
/// u)^2 Σ|x| (Ogita, Rump and Oishi, "Accurate sum and dot product", 2005), as if computed in twice
/// the precision. Infinities and NaN are those of ordinary addition. Partial sums may overflow even
/// if the sum would not: see [`sum_scaled`].
///
/// The six additions per vector cost nothing compared with loads from memory. In cache, they are
/// the limit.
///
/// # Safety
/// As there.
#[inline(always)]
pub(super) unsafe fn sum_floats<T: Float, L: Lanes>(base: *const T::Word, len: usize) -> f64 {
    let (mut sums, mut errors) = (L::zero(), L::zero());
    let whole = len / LANES * LANES;
    for at in (0..whole).step_by(LANES) {
        // SAFETY: at least sixteen elements are left.
        let x = unsafe { T::load::<L>(base.add(at)) };
        let sum = sums.add(x);
        let part = sum.sub(sums);
        errors = errors.add(sums.sub(sum.sub(part)).add(x.sub(part)));
        sums = sum;
    }
    let (mut sums, mut errors) = (sums.to_array(), errors.to_array());
    for at in whole..len {
        // SAFETY: at least one element is left.
        let x = T::widen(unsafe { read(base.add(at)) });
        add_to(&mut sums[at - whole], &mut errors[at - whole], x);
    }
    let (mut sum, mut error) = (0.0, 0.0);
    for lane in 0..LANES {
        add_to(&mut sum, &mut error, sums[lane]);
        error += errors[lane];
    }
    // If the sum is infinite, the rounding error is NaN.
    if sum.is_finite() { sum + error } else { sum }
}

/// The sum of floats whose plain sum is not finite. If all of them are finite, a partial sum
/// overflowed; scaled by 2^−64, fewer than 2^64 elements cannot. Otherwise returns `plain`.
///
/// # Safety
/// As for `simd::sum_floats`.
#[cold]
pub(super) unsafe fn sum_scaled<T: Float>(base: *const T::Word, len: usize, plain: f64) -> f64 {
    const SCALE: f64 = 18_446_744_073_709_551_616.0; // 2^64
    let (mut sum, mut error) = (0.0, 0.0);
    for at in 0..len {
        // SAFETY: `at` is less than the number of readable elements.
        let x = T::widen(unsafe { read(base.add(at)) });
        if !x.is_finite() {
            return plain;
        }
        add_to(&mut sum, &mut error, x / SCALE);
    }
    (sum + error) * SCALE
}

/// TwoSum of one number.
#[inline(always)]
fn add_to(total: &mut f64, error: &mut f64, x: f64) {
    let before = *total;
    *total += x;
    let part = *total - before;
    *error += (before - (*total - part)) + (x - part);
}

/// Portable Rust.
pub(super) mod portable {
    use super::{AtomicU64, CHUNK, Element, Float, LANES, Lanes, Relaxed, Word};

    #[derive(Clone, Copy)]
    pub(super) struct Array([f64; LANES]);

    impl Lanes for Array {
        fn zero() -> Array {
            Array([0.0; LANES])
        }
        unsafe fn load_f64(from: *const u8) -> Array {
            // SAFETY: sixteen doubles are readable and aligned, as guaranteed by the caller.
            Array(std::array::from_fn(|i| f64::from_bits(unsafe { super::read(from.cast::<u64>().add(i)) })))
        }
        unsafe fn load_f32(from: *const u8) -> Array {
            let word = |i| {
                // SAFETY: sixteen floats are readable and aligned, as guaranteed by the caller.
                unsafe { super::read(from.cast::<u32>().add(i)) }
            };
            Array(std::array::from_fn(|i| f64::from(f32::from_bits(word(i)))))
        }
        fn add(self, other: Array) -> Array {
            Array(std::array::from_fn(|i| self.0[i] + other.0[i]))
        }
        fn sub(self, other: Array) -> Array {
            Array(std::array::from_fn(|i| self.0[i] - other.0[i]))
        }
        fn to_array(self) -> [f64; LANES] {
            self.0
        }
    }

    /// # Safety
    /// A chunk is readable at `from`, a multiple of its size, and writable at `to`, which is
    /// aligned to the words of the chunk.
    #[inline(always)]
    unsafe fn load(to: *mut u8, from: *const u8) {
        for at in (0..CHUNK).step_by(8) {
            // SAFETY: the word is within the chunk.
            unsafe {
                let word = AtomicU64::from_ptr(from.add(at).cast_mut().cast()).load(Relaxed);
                to.add(at).cast::<u64>().write_unaligned(word);
            }
        }
    }

    /// # Safety
    /// As for `load`, with the roles of `to` and `from` exchanged.
    #[inline(always)]
    unsafe fn store(to: *mut u8, from: *const u8) {
        for at in (0..CHUNK).step_by(8) {
            // SAFETY: the word is within the chunk.
            unsafe {
                let word = from.add(at).cast::<u64>().read_unaligned();
                AtomicU64::from_ptr(to.add(at).cast()).store(word, Relaxed);
            }
        }
    }

    super::super::kernels!(portable load, store, Array);
}
