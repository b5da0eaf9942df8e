//! Rank and select for Rust programs, in memory of their own.

use super::build::{build, plan};
use super::bulk::{Query, answer};
use super::layout::Variant;
use super::raw::RawRankSelect;
use crate::Result;
use crate::region::numbers::{Numbers, NumbersMut};
use crate::region::owned::OwnedMemory;
use crate::succinct::bitvector::{BitVec, RawBits};
use std::fmt;
use std::ops::Deref;

/// Immutable bits with rank and select. The structure contains a copy of the bits, so a region is
/// complete.
///
/// ```
/// use offheap_core::succinct::{BitVec, RankSelect};
///
/// // Where the rows of each group begin, in a table sorted by group.
/// let starts = BitVec::from_indices(&[0u32, 3, 4, 9])?;
/// let groups = RankSelect::new(&starts)?;
/// assert_eq!(groups.rank1(7 + 1) - 1, 2); // row 7 is in group 2,
/// assert_eq!(groups.select1(2), Some(4)); // which begins at row 4
/// # Ok::<(), offheap_core::Error>(())
/// ```
pub struct RankSelect {
    raw: RawRankSelect,
    memory: OwnedMemory,
}

// SAFETY: it owns its memory, like `Vec`; nothing else has the address.
unsafe impl Send for RankSelect {}
// SAFETY: `&RankSelect` only reads.
unsafe impl Sync for RankSelect {}

impl RankSelect {
    /// Builds rank and select for these bits, in the flat variant.
    pub fn new(bits: &BitVec) -> Result<RankSelect> {
        RankSelect::of(bits.raw(), Some(Variant::Flat))
    }

    /// The same in another variant; `None` chooses one by density.
    pub fn with_variant(bits: &BitVec, variant: Option<Variant>) -> Result<RankSelect> {
        RankSelect::of(bits.raw(), variant)
    }

    /// Builds rank and select for the bits of a region, which may be shared or mapped.
    pub fn of(bits: &RawBits, variant: Option<Variant>) -> Result<RankSelect> {
        let plan = plan(bits, variant)?;
        let memory = OwnedMemory::new(plan.length)?;
        // SAFETY: the memory is new and exclusive.
        let raw = unsafe {
            build(memory.base(), memory.len(), bits, &plan)?;
            RawRankSelect::attach(memory.base(), memory.len())?
        };
        Ok(RankSelect { raw, memory })
    }

    /// The region, which can be saved, and opened again with [`RawRankSelect::attach`].
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: the structure owns the memory, the region is initialized, and nothing writes it.
        unsafe { std::slice::from_raw_parts(self.memory.base(), self.raw.region_length()) }
    }

    /// [`RawRankSelect::rank1`] of many positions. If the bits do not fit the caches, this is
    /// faster than single calls, because the cache misses overlap.
    ///
    /// `Range`, with nothing written, if a position is past the end or `out` is shorter than
    /// `positions`.
    pub fn rank1_many(&self, positions: &[u64], out: &mut [u64]) -> Result<()> {
        self.answer_many(Query::Rank1, positions, out)
    }

    /// [`RawRankSelect::select1`] of many numbers; errors as for `rank1_many`.
    pub fn select1_many(&self, ks: &[u64], out: &mut [u64]) -> Result<()> {
        self.answer_many(Query::Select1, ks, out)
    }

    /// The same for any kind of query.
    pub fn answer_many(&self, query: Query, inputs: &[u64], out: &mut [u64]) -> Result<()> {
        answer(&self.raw, query, &Numbers::of(inputs, "inputs"), &mut NumbersMut::of(out))
    }
}

impl Deref for RankSelect {
    type Target = RawRankSelect;

    #[inline(always)]
    fn deref(&self) -> &RawRankSelect {
        &self.raw
    }
}

impl fmt::Debug for RankSelect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RankSelect")
            .field("variant", &self.variant())
            .field("len", &self.len())
            .field("ones", &self.ones())
            .finish()
    }
}
