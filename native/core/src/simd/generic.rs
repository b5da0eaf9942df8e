//! The kernels. Each is `inline(always)`, so that the file of an instruction set gets its own copy,
//! compiled for that set, with its loads and stores in place.
//!
//! A load or store moves [`CHUNK`] bytes between private memory and memory that others may use,
//! where they start at a multiple of as much. What lies before and after goes word by word.

use crate::region::element::{Element, Slot, Word};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Bytes that a load or store moves.
pub(super) const CHUNK: usize = 64;
/// Bytes of a private block. Over 10^7 doubles 512 bytes to 4 KiB measured alike, 8 KiB twice as
/// slow; to prefetch the next block changed nothing.
const BLOCK: usize = 2048;
/// Elements of which [`find`] looks at all before it branches.
const STRIDE: usize = 64;
/// Sums of floats that are kept apart.
pub(crate) const LANES: usize = 16;

/// Reads a word that others may be writing.
///
/// # Safety
/// It is readable and aligned.
#[inline(always)]
unsafe fn read<W: Word>(from: *const W) -> W {
    // SAFETY: a slot is an atomic of the same size and alignment; the rest is the caller's word.
    unsafe { (*from.cast::<W::Slot>()).get() }
}

/// # Safety
/// It is writable and aligned.
#[inline(always)]
unsafe fn write<W: Word>(to: *mut W, word: W) {
    // SAFETY: as in `read`.
    unsafe { (*to.cast::<W::Slot>()).set(word) };
}

/// How many of `len` words lie before the next multiple of [`CHUNK`], and in whole chunks after
/// that.
#[inline(always)]
fn split<W>(address: *const W, len: usize) -> (usize, usize) {
    let before = (address.addr().wrapping_neg() % CHUNK / size_of::<W>()).min(len);
    let each = CHUNK / size_of::<W>();
    (before, (len - before) / each * each)
}

/// See `simd::copy_in`.
///
/// # Safety
/// As there. `load` moves a chunk, and is called for chunks of it only.
#[inline(always)]
pub(super) unsafe fn copy_in<W: Word>(
    to: *mut W,
    from: *const W,
    len: usize,
    load: impl Fn(*mut u8, *const u8),
) {
    let (before, middle) = split(from, len);
    // SAFETY: all three parts lie within the words, and the second in whole chunks.
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
/// As there. `store` moves a chunk, and is called for chunks of it only.
#[inline(always)]
pub(super) unsafe fn copy_out<W: Word>(
    to: *mut W,
    from: *const W,
    len: usize,
    store: impl Fn(*mut u8, *const u8),
) {
    let (before, middle) = split(to, len);
    // SAFETY: as in `copy_in`.
    unsafe {
        (0..before).for_each(|at| write(to.add(at), from.add(at).read()));
        for at in (before..before + middle).step_by(CHUNK / size_of::<W>()) {
            store(to.add(at).cast(), from.add(at).cast());
        }
        (before + middle..len).for_each(|at| write(to.add(at), from.add(at).read()));
    }
}

/// Shows all words to `visit`, in private blocks and with the index of each block, until it has an
/// answer.
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
        // SAFETY: `count` words from `at` lie within what the caller vouches for, and fit the
        // block, which is aligned for them and ours.
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
    // SAFETY: the caller's word.
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
/// Comparisons of floats do not vectorise as `Math.min` has them; those of their ranks as integers
/// do, and order −0 before 0 besides.
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
    // SAFETY: the caller's word.
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
    // SAFETY: the caller's word.
    unsafe {
        blocks(base, len, load, |at, block| {
            let mut from = 0;
            for stride in block.chunks(STRIDE) {
                // Without a branch for each, so that it vectorises.
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

/// Sixteen doubles in a row, in as many vectors as an instruction set takes for them.
pub(crate) trait Lanes: Copy {
    /// All zero.
    fn zero() -> Self;
    /// # Safety
    /// Sixteen doubles are readable at `from`, which is a multiple of 8. Others may be writing
    /// them.
    unsafe fn load_f64(from: *const u8) -> Self;
    /// # Safety
    /// Sixteen floats are readable at `from`, which is a multiple of 4. Others may be writing them.
    unsafe fn load_f32(from: *const u8) -> Self;
    /// The sums of the pairs.
    fn add(self, other: Self) -> Self;
    /// The differences of the pairs.
    fn sub(self, other: Self) -> Self;
    /// One after the other.
    fn to_array(self) -> [f64; LANES];
}

/// Floats: what [`sum_floats`] sums.
pub(crate) trait Float: Element {
    /// Sixteen of them, as doubles.
    ///
    /// # Safety
    /// They are readable and aligned. Others may be writing them.
    unsafe fn load<L: Lanes>(from: *const Self::Word) -> L;
    /// As a double.
    fn widen(word: Self::Word) -> f64;
}

impl Float for f64 {
    #[inline(always)]
    unsafe fn load<L: Lanes>(from: *const u64) -> L {
        // SAFETY: the caller's word.
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
        // SAFETY: the caller's word.
        unsafe { L::load_f32(from.cast()) }
    }
    #[inline(always)]
    fn widen(word: u32) -> f64 {
        f64::from(f32::from_bits(word))
    }
}

/// See `simd::sum_floats`.
///
/// Element i goes to lane i modulo 16. Each lane keeps its sum and, by Knuth's TwoSum (The Art of
/// Computer Programming 2, 4.2.2), the sum of what each addition rounded away; at the end the lanes
/// are added in order, in the same way. With u = 2^−53 the error is at most u |s| + (n u)^2 Σ|x|,
/// about (Ogita, Rump, Oishi: "Accurate sum and dot product", 2005): as if summed in twice the
/// precision. Infinities and NaN are those of ordinary addition; as there, partial sums may
/// overflow where the sum would not.
///
/// Six additions a vector cost nothing beside the loads from memory; in cache they are the limit.
///
/// # Safety
/// As there.
#[inline(always)]
pub(super) unsafe fn sum_floats<T: Float, L: Lanes>(base: *const T::Word, len: usize) -> f64 {
    let (mut sums, mut errors) = (L::zero(), L::zero());
    let whole = len / LANES * LANES;
    for at in (0..whole).step_by(LANES) {
        // SAFETY: sixteen elements are left.
        let x = unsafe { T::load::<L>(base.add(at)) };
        let sum = sums.add(x);
        let part = sum.sub(sums);
        errors = errors.add(sums.sub(sum.sub(part)).add(x.sub(part)));
        sums = sum;
    }
    let (mut sums, mut errors) = (sums.to_array(), errors.to_array());
    for at in whole..len {
        // SAFETY: an element is left.
        let x = T::widen(unsafe { read(base.add(at)) });
        add_to(&mut sums[at - whole], &mut errors[at - whole], x);
    }
    let (mut sum, mut error) = (0.0, 0.0);
    for lane in 0..LANES {
        add_to(&mut sum, &mut error, sums[lane]);
        error += errors[lane];
    }
    // Where a sum is infinite, what was rounded away is NaN.
    if sum.is_finite() { sum + error } else { sum }
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
            // SAFETY: the caller's word.
            Array(std::array::from_fn(|i| f64::from_bits(unsafe { super::read(from.cast::<u64>().add(i)) })))
        }
        unsafe fn load_f32(from: *const u8) -> Array {
            let word = |i| {
                // SAFETY: the caller's word.
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
    /// A chunk is readable at `from`, a multiple of its size, and writable at `to`, aligned to the
    /// words in it.
    #[inline(always)]
    unsafe fn load(to: *mut u8, from: *const u8) {
        for at in (0..CHUNK).step_by(8) {
            // SAFETY: within the chunk.
            unsafe {
                let word = AtomicU64::from_ptr(from.add(at).cast_mut().cast()).load(Relaxed);
                to.add(at).cast::<u64>().write_unaligned(word);
            }
        }
    }

    /// # Safety
    /// As for `load`, the other way.
    #[inline(always)]
    unsafe fn store(to: *mut u8, from: *const u8) {
        for at in (0..CHUNK).step_by(8) {
            // SAFETY: within the chunk.
            unsafe {
                let word = from.add(at).cast::<u64>().read_unaligned();
                AtomicU64::from_ptr(to.add(at).cast()).store(word, Relaxed);
            }
        }
    }

    super::super::kernels!(portable load, store, Array);
}
