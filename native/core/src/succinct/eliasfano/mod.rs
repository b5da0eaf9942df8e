//! Elias-Fano: n sorted integers up to m in about 2.7 + log2(m / n) bits each, with random access.
//!
//! The lowest l bits of each value, l = ⌊log2(m / n)⌋, are stored as packed fields. The upper bits,
//! which ascend slowly, are stored in unary: value i is a one at position `(value >> l) + i`. So
//! the upper bits of the i-th value are `select1(i) - i`, and the values with upper bits h are
//! between the h-th and the next zero. (Elias, "Efficient storage and retrieval by content and
//! address of static files", 1974; Fano, "On the number of bits required to implement an
//! associative memory", 1971; Vigna, "Quasi-succinct indices", 2013.)
//!
//! `docs/formats/succinct.md` specifies the bytes; `src/succinct/eliasfano/` reads them in
//! TypeScript. They never change once written, so any number of threads may read them.
//!
//! | file | contents |
//! | --- | --- |
//! | `layout` | header words, sizes, the constant-time check |
//! | `upper` | the upper bits, with select |
//! | `fill` | building from arrays of any type |
//! | `many` | batched queries, and ranges |
//! | `owned` | the structure for Rust programs |
//! | `part` | a sequence inside another structure's region |
//! | `validate` | checking the contents |
//!
//! Cost: `at` reads a table, a line of the upper bits, and the lower bits: three cache misses in a
//! large structure. `rank` and `next_geq` take one or two more, plus the logarithm of the number of
//! values that share their upper bits.
//! a large one. `rank` and `next_geq` take one or two more, and the logarithm of how many values
//! share their upper bits.

/// Runs a query compiled for the word instructions that this processor supports. The closure is
/// inlined into `compiled`, and so uses its target features.
macro_rules! with_words {
    ($words:ident => $call:expr) => {{
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "bmi1,bmi2,lzcnt,popcnt")]
            #[inline]
            fn compiled<R>(body: impl FnOnce() -> R) -> R {
                body()
            }
            match crate::succinct::word::Bmi::get() {
                // SAFETY: the value proves that the processor supports the features.
                Some($words) => unsafe { compiled(|| $call) },
                None => {
                    let $words = crate::succinct::word::Portable;
                    $call
                }
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            let $words = crate::succinct::word::Portable;
            $call
        }
    }};
}

pub(crate) mod fill;
pub mod layout;
mod many;
mod owned;
mod part;
mod upper;
mod validate;

pub(crate) use self::fill::Writer;
pub use self::fill::{fill, measure};
pub use self::layout::{Layout, Shape};
pub use self::owned::{EliasFano, EliasFanoRef};
pub use self::validate::validate;

use self::upper::{Ones, Upper, Zeros};
use super::packed::Fields;
use super::word::Words;
use crate::Result;
use crate::region::attach::RegionKind;
use crate::region::memory::Memory;

/// Up to this many values with the same upper bits are compared one by one; more by binary search.
const FEW: u64 = 8;

/// A view of sorted integers in memory owned by the caller.
#[derive(Debug)]
pub struct RawEliasFano {
    upper: Upper,
    /// The lower bits. If there are none, the fields are empty and are not read.
    low: Fields,
    low_bits: u32,
    shape: Shape,
    layout: Layout,
    memory: Memory,
}

impl RawEliasFano {
    /// Attaches to the region in `len` bytes at `base`. Checks the header in constant time.
    ///
    /// # Safety
    /// While the view or a copy of it is used, `base` is valid for reading `len` bytes.
    #[inline]
    pub unsafe fn attach(base: *const u8, len: usize) -> Result<RawEliasFano> {
        // SAFETY: the caller guarantees that `len` bytes at `base` are readable. Nothing is written
        // through the view.
        let (memory, shape): (_, Shape) = unsafe { RegionKind::attach(base, len) }?;
        // SAFETY: the header's check ensured that the sections are within the memory.
        Ok(unsafe { RawEliasFano::within(memory, shape.layout().upper, shape) })
    }

    /// The number of values, and the largest.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The offsets of the sections.
    #[must_use]
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// The memory of the region.
    #[must_use]
    pub fn memory(&self) -> Memory {
        self.memory
    }

    /// The number of values.
    #[inline(always)]
    #[must_use]
    pub fn len(&self) -> u64 {
        self.shape.len
    }

    /// Whether there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shape.len == 0
    }

    /// The lower bits of a value.
    #[inline(always)]
    fn low(&self, index: u64) -> u64 {
        if self.low_bits == 0 {
            return 0;
        }
        // Corrupt bytes can lead to an index that is too large.
        let index = index.min(self.shape.len.saturating_sub(1));
        // SAFETY: the index is below the number of fields, and all callers ensure that there is at
        // least one value.
        unsafe { self.low.get(index) }
    }

    /// The `index`-th smallest value, if there is one. O(1) unless values cluster.
    #[inline]
    #[must_use]
    pub fn at(&self, index: u64) -> Option<u64> {
        if index >= self.shape.len {
            return None;
        }
        Some(with_words!(words => self.at_with(words, index)))
    }

    /// `at` for a valid index.
    #[inline(always)]
    fn at_with<W: Words>(&self, words: W, index: u64) -> u64 {
        let high = self.upper.select::<Ones, W>(words, index).wrapping_sub(index);
        high << self.low_bits | self.low(index)
    }

    /// The number of values less than `value`, which is the index of the first value that is not
    /// less.
    #[inline]
    #[must_use]
    pub fn rank(&self, value: u64) -> u64 {
        if self.shape.len == 0 || value > self.shape.max {
            return self.shape.len;
        }
        with_words!(words => self.find(words, value).0)
    }

    /// The first value that is not less than `value`, with its index; `None` past the largest.
    #[inline]
    #[must_use]
    pub fn next_geq(&self, value: u64) -> Option<(u64, u64)> {
        if self.shape.len == 0 || value > self.shape.max {
            return None;
        }
        Some(with_words!(words => self.next_geq_with(words, value)))
    }

    #[inline(always)]
    fn next_geq_with<W: Words>(&self, words: W, value: u64) -> (u64, u64) {
        let (index, end) = self.find(words, value);
        // In valid bytes there is such a value, because `value` is at most the largest.
        let index = index.min(self.shape.len - 1);
        if let Some(position) = end {
            // All values with these upper bits are less, so the result has the upper bits of the
            // next one.
            return match self.upper.next_one(position) {
                Some(one) => (index, one.wrapping_sub(index) << self.low_bits | self.low(index)),
                None => (index, self.at_with(words, index)),
            };
        }
        (index, value >> self.low_bits << self.low_bits | self.low(index))
    }

    /// The rank of a value that is at most the largest. If all values with its upper bits are less,
    /// also the position of the zero after them.
    #[inline(always)]
    fn find<W: Words>(&self, words: W, value: u64) -> (u64, Option<u64>) {
        let low = value & !(u64::MAX << self.low_bits);
        let Bucket { first, index, run } = self.bucket(words, value >> self.low_bits);
        let smaller = if run <= FEW {
            let mut smaller = 0;
            while smaller < run && self.low(index + smaller) < low {
                smaller += 1;
            }
            smaller
        } else {
            let (mut from, mut to) = (0, run);
            while from < to {
                let middle = from.midpoint(to);
                if self.low(index + middle) < low { from = middle + 1 } else { to = middle }
            }
            from
        };
        let past = (smaller == run).then(|| (first + run).min(self.upper.bits() - 1));
        (index + smaller, past)
    }

    /// The values with these upper bits, which are at most those of the largest value.
    #[inline(always)]
    fn bucket<W: Words>(&self, words: W, high: u64) -> Bucket {
        let first = match high {
            0 => 0,
            _ => self.upper.select::<Zeros, W>(words, high - 1) + 1,
        };
        // In corrupt bytes the position can be too small, or past the last bit.
        let first = first.min(self.upper.bits() - 1);
        let index = first.saturating_sub(high).min(self.shape.len);
        let (mut run, left) = self.upper.run(first);
        if run == left {
            // The run reaches the end of the word.
            let end = self.upper.select::<Zeros, W>(words, high);
            run = end.saturating_sub(first);
        }
        Bucket { first, index, run: run.min(self.shape.len - index) }
    }
}

/// The values with the same upper bits: a run of ones after a zero.
struct Bucket {
    /// The position of the run in the upper bits, even if it is empty.
    first: u64,
    /// The index of its first value.
    index: u64,
    /// The number of values.
    run: u64,
}
