//! The checked view of a rank/select region, in any variant.
//!
//! A region does not change once it is built, so nothing here waits or repeats. Its contents may
//! still be hostile. After the header's check, no query reads out of bounds; with invalid contents,
//! results are wrong, but nothing worse happens.

use super::flat::Flat;
use super::interleaved::Interleaved;
use super::layout::{Layout, Meta, Shape, Variant};
use super::sparse::Sparse;
use crate::Result;
use crate::region::attach::RegionKind;
use crate::region::memory::Memory;

/// A view of bits with rank and select.
#[derive(Debug)]
pub struct RawRankSelect {
    pub(super) memory: Memory,
    pub(super) shape: Shape,
    pub(super) layout: Layout,
    pub(super) index: Index,
}

/// The view of each variant.
#[derive(Debug)]
pub(super) enum Index {
    Flat(Flat),
    Interleaved(Interleaved),
    Sparse(Sparse),
    Constant,
}

impl RawRankSelect {
    /// Attaches to the structure in `len` bytes at `base`. Checks the header in constant time.
    ///
    /// # Safety
    /// While the view or a copy of it is used, `base` is valid for reading `len` bytes.
    #[inline]
    pub unsafe fn attach(base: *const u8, len: usize) -> Result<RawRankSelect> {
        // SAFETY: the caller guarantees that `len` bytes at `base` are readable. Readers do not
        // write through the view.
        let (memory, Meta { shape, layout }) = unsafe { Meta::attach(base, len) }?;
        Ok(RawRankSelect::new(memory, shape, layout))
    }

    /// A view of a region whose layout fits in the memory.
    pub(super) fn new(memory: Memory, shape: Shape, layout: Layout) -> RawRankSelect {
        let index = match shape.variant {
            Variant::Flat => Index::Flat(Flat::new(memory, &shape, &layout)),
            Variant::Interleaved => Index::Interleaved(Interleaved::new(memory, &shape, &layout)),
            Variant::Sparse => Index::Sparse(Sparse::new(memory, &shape)),
            Variant::Constant => Index::Constant,
        };
        RawRankSelect { memory, shape, layout, index }
    }

    /// The variant.
    #[inline]
    #[must_use]
    pub fn variant(&self) -> Variant {
        self.shape.variant
    }

    /// Variant, length and ones.
    #[inline]
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The number of bits.
    #[inline(always)]
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "no bits are no special case to anyone")]
    pub fn len(&self) -> u64 {
        self.shape.length
    }

    /// The number of ones.
    #[inline(always)]
    #[must_use]
    pub fn ones(&self) -> u64 {
        self.shape.ones
    }

    /// The number of zeros.
    #[inline(always)]
    #[must_use]
    pub fn zeros(&self) -> u64 {
        self.shape.length - self.shape.ones
    }

    /// Bytes of the region, including header and padding.
    #[inline]
    #[must_use]
    pub fn region_length(&self) -> usize {
        self.layout.length
    }

    /// The memory.
    #[inline]
    #[must_use]
    pub fn memory(&self) -> Memory {
        self.memory
    }

    /// The overhead: the bytes of the region, including header and padding, beyond the bits
    /// themselves, as a fraction of the bits. Negative if the bits are not stored as such.
    #[must_use]
    pub fn overhead(&self) -> f64 {
        let bits = self.shape.length as f64;
        if bits == 0.0 { 0.0 } else { (self.layout.length as f64 * 8.0 - bits) / bits }
    }

    /// Whether a bit is set; `None` past the end.
    #[inline]
    #[must_use]
    pub fn get(&self, position: u64) -> Option<bool> {
        (position < self.shape.length).then(|| match &self.index {
            Index::Flat(flat) => flat.get(position),
            Index::Interleaved(lines) => lines.get(position),
            Index::Sparse(sparse) => sparse.get(position),
            Index::Constant => self.shape.ones != 0,
        })
    }

    /// The number of ones before a position; all of them from the end on.
    #[inline]
    #[must_use]
    pub fn rank1(&self, position: u64) -> u64 {
        let position = position.min(self.shape.length);
        match &self.index {
            Index::Flat(flat) => flat.rank(position),
            Index::Interleaved(lines) => lines.rank(position),
            Index::Sparse(sparse) => sparse.rank(position),
            Index::Constant => position.min(self.shape.ones),
        }
    }

    /// The number of zeros before a position; all of them from the end on.
    #[inline]
    #[must_use]
    pub fn rank0(&self, position: u64) -> u64 {
        let position = position.min(self.shape.length);
        position.wrapping_sub(self.rank1(position))
    }

    /// The position of the `k`-th one, counted from 0, if there are more than `k`.
    #[inline]
    #[must_use]
    pub fn select1(&self, k: u64) -> Option<u64> {
        self.select::<false>(k)
    }

    /// The position of the `k`-th zero, counted from 0, if there are more than `k`.
    #[inline]
    #[must_use]
    pub fn select0(&self, k: u64) -> Option<u64> {
        self.select::<true>(k)
    }

    #[inline(always)]
    fn select<const ZEROS: bool>(&self, k: u64) -> Option<u64> {
        if k >= self.shape.count::<ZEROS>() {
            return None;
        }
        Some(match &self.index {
            Index::Flat(flat) => flat.select::<ZEROS>(k),
            Index::Interleaved(lines) => lines.select::<ZEROS>(k),
            Index::Sparse(sparse) => sparse.select::<ZEROS>(k),
            Index::Constant => k,
        })
    }

    /// Ranks of positions that are at most the length.
    pub(super) fn ranks(&self, positions: &[u64], out: &mut [u64]) {
        match &self.index {
            Index::Flat(flat) => flat.rank_many(positions, out),
            Index::Interleaved(lines) => lines.rank_many(positions, out),
            Index::Sparse(sparse) => sparse.rank_many(positions, out),
            Index::Constant => {
                for (out, &position) in out.iter_mut().zip(positions) {
                    *out = position.min(self.shape.ones);
                }
            }
        }
    }

    /// Selects of numbers that are below the count.
    pub(super) fn selects<const ZEROS: bool>(&self, ks: &[u64], out: &mut [u64]) {
        match &self.index {
            Index::Flat(flat) => flat.select_many::<ZEROS>(ks, out),
            Index::Interleaved(lines) => lines.select_many::<ZEROS>(ks, out),
            Index::Sparse(sparse) => sparse.select_many::<ZEROS>(ks, out),
            Index::Constant => out.copy_from_slice(ks),
        }
    }
}
