//! Choosing a variant, and making a region.
//!
//! In two steps, because the caller owns the memory: [`plan`] counts the ones and says how many
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

/// What a region is going to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Variant, length and ones.
    pub shape: Shape,
    /// Bytes of the region.
    pub length: usize,
}

/// Without a variant, the sparse one is picked where it takes at most this part of what the flat
/// one does: it is slower.
const SPARSE_PART: usize = 4;

/// From so many bytes on a region asks for huge pages. Where it does not fit the caches, a question
/// waits for the page tables as well as for the bits: at 2^32 bits a rank took 403 ns on small
/// pages and 270 on huge ones, in bulk 46 and 18.
const HUGE_FROM: usize = 8 << 20;

/// Plans a region for these bits. Without a variant one is picked by density: `Constant` where all
/// bits are alike, `Sparse` where few of them are ones or few zeros, else `Flat`. `Range` if the
/// bits are not alike and are to be `Constant`.
pub fn plan(bits: &RawBits, variant: Option<Variant>) -> Result<Plan> {
    let length = bits.len();
    let ones = bits.count(0, length)?;
    let alike = ones == 0 || ones == length;
    let variant = match variant {
        Some(Variant::Constant) if !alike => {
            return Err(Error::range(format!("{ones} of {length} bits are ones: they are not constant")));
        }
        Some(variant) => variant,
        None if alike => Variant::Constant,
        None => {
            let (flat, sparse) = (planned(bits, Variant::Flat, ones)?, planned(bits, Variant::Sparse, ones)?);
            return Ok(if sparse.length <= flat.length / SPARSE_PART { sparse } else { flat });
        }
    };
    planned(bits, variant, ones)
}

/// The plan for a variant, of bits whose ones were counted.
pub fn planned(bits: &RawBits, variant: Variant, ones: u64) -> Result<Plan> {
    let mut shape = Shape { variant, length: bits.len(), ones, last: 0 };
    if variant == Variant::Sparse {
        shape.last = bits.last(!shape.stores_zeros()).unwrap_or(0);
    }
    Ok(Plan { shape, length: shape.layout()?.length })
}

/// Makes the region that was planned for these bits, in `len` bytes at `base`. Whatever they held
/// is overwritten, and the system is asked to back a large region by huge pages. `Full` if the
/// bytes are too few, `Stale` if the bits were changed since (there is no region then).
///
/// # Safety
/// `base` is valid for writing `len` bytes that no other thread uses, and that `bits` is no view
/// of.
pub unsafe fn build(base: *mut u8, len: usize, bits: &RawBits, plan: &Plan) -> Result<()> {
    // SAFETY: the caller's word.
    let memory = unsafe { Memory::new(base, len) }?;
    let shape = plan.shape;
    let layout = shape.layout()?;
    check_room(layout.length as u64, len)?;
    let changed = || Err(Error::stale("the bits were changed while rank and select were built for them"));
    if shape.length != bits.len() {
        return changed();
    }
    // SAFETY: there is room; the caller vouches that it is ours to write.
    unsafe {
        if layout.length >= HUGE_FROM {
            // Before its pages are touched. Where it is refused, all works the same.
            let _ = advise(base, layout.length, Advice::HugePages);
        }
        memory.set_word(header::word::MAGIC, 0);
        // What lies between the sections is zero.
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
