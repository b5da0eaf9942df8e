//! Choosing a variant, and building a region.
//!
//! This takes two steps, because the caller owns the memory: [`plan`] counts the ones and returns
//! the number of bytes needed, and [`build`] fills them. Cost: two passes over the bits and one
//! write.
//! bytes it takes, [`build`] fills them. Cost: two readings of the bits and one writing.

use super::layout::{Shape, Variant, word};
use super::raw::{Index, RawRankSelect};
use super::sparse;
use crate::region::advise::{Advice, advise};
use crate::region::attach::check_room;
use crate::region::header;
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::succinct::bitvector::RawBits;
use crate::{Error, Result};

/// The properties of a region to be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Variant, length and ones.
    pub shape: Shape,
    /// Bytes of the region.
    pub length: usize,
}

/// The sparse variant is chosen if it takes a third less than the flat variant: it is slower.
const SPARSE_SAVES: usize = 3;

/// From this many bytes on, a region requests huge pages. If it does not fit the caches, a query
/// waits for the page tables as well as for the bits: with 2^32 bits, a rank took 403 ns with small
/// pages and 270 ns with huge pages, and 46 and 18 ns in bulk.
const HUGE_FROM: usize = 8 << 20;

/// Plans a region for these bits. If no variant is given, it is chosen by density: `Constant` if
/// all bits are equal, `Sparse` if there are few ones or few zeros, else `Flat`. `Range` if
/// `Constant` is requested for bits that are not all equal.
pub fn plan(bits: &RawBits, variant: Option<Variant>) -> Result<Plan> {
    let length = bits.len();
    let ones = bits.count(0, length)?;
    let alike = ones == 0 || ones == length;
    let variant = match variant {
        Some(Variant::Constant) if !alike => {
            return Err(Error::range(format!("the bits are not constant: {ones} of {length} are ones")));
        }
        Some(variant) => variant,
        None if alike => Variant::Constant,
        None => {
            let (flat, sparse) = (planned(bits, Variant::Flat, ones)?, planned(bits, Variant::Sparse, ones)?);
            return Ok(if sparse.length <= flat.length - flat.length / SPARSE_SAVES { sparse } else { flat });
        }
    };
    planned(bits, variant, ones)
}

/// The plan for a variant and bits whose ones were counted.
pub fn planned(bits: &RawBits, variant: Variant, ones: u64) -> Result<Plan> {
    let mut shape = Shape { variant, length: bits.len(), ones, last: 0 };
    if variant == Variant::Sparse {
        shape.last = bits.last(!shape.stores_zeros()).unwrap_or(0);
    }
    Ok(Plan { shape, length: shape.layout()?.length })
}

/// Builds the planned region in `len` bytes at `base`. Overwrites the memory, and requests huge
/// pages for a large region. `Full` if `len` is too small; `Stale`, and no region, if the bits have
/// changed since they were planned.
///
/// # Safety
/// `base` is valid for writing `len` bytes that no other thread uses, and that do not overlap
/// `bits`.
pub unsafe fn build(base: *mut u8, len: usize, bits: &RawBits, plan: &Plan) -> Result<()> {
    // SAFETY: the caller guarantees that `len` bytes at `base` are writable.
    let memory = unsafe { Memory::new(base, len) }?;
    let shape = plan.shape;
    let layout = shape.layout()?;
    check_room(layout.length as u64, len)?;
    let changed = || Err(Error::stale("the bits changed while rank and select were built for them"));
    if shape.length != bits.len() {
        return changed();
    }
    // SAFETY: the room was checked, and no other thread uses the memory, as guaranteed by the
    // caller.
    unsafe {
        if layout.length >= HUGE_FROM {
            // Requested before the pages are touched. If the request is refused, everything works
            // the same.
            let _ = advise(base, layout.length, Advice::HugePages);
        }
        memory.set_word(header::word::MAGIC, 0);
        // The bytes between the sections are zero.
        let tail = memory.at(layout.index);
        tail.write_bytes(0, layout.length - layout.index);
        let view = RawRankSelect::new(memory, shape, layout);
        let ones = match &view.index {
            Index::Flat(flat) => flat.build(bits.words(), shape.length),
            Index::Interleaved(lines) => lines.build(bits.words(), shape.length),
            Index::Sparse(_) => sparse::build(memory, &shape, bits),
            Index::Constant => bits.count(0, shape.length)?,
        };
        if ones != shape.ones {
            return changed();
        }
        match &view.index {
            Index::Flat(flat) => flat.sample(&shape),
            Index::Interleaved(lines) => lines.sample(&shape),
            Index::Sparse(_) | Index::Constant => {}
        }
        memory.begin_region(Kind::RankSelect, layout.length as u64);
        memory.set_word(word::VARIANT, shape.variant as u32);
        memory.set_double_word(word::LENGTH, shape.length);
        memory.set_double_word(word::ONES, shape.ones);
        memory.set_double_word(word::LAST, shape.last);
        memory.end_region();
    }
    Ok(())
}
