//! The layout of a rank/select region. No offset is stored: all offsets follow from variant, length
//! and number of ones, so a header that agrees with the region's length cannot point outside.

use crate::region::attach::RegionKind;
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::succinct::bitvector::layout::MAX_BITS;
use crate::succinct::eliasfano;
use crate::{Error, Result};

/// Indices of the words that the structure owns in the region's header.
pub mod word {
    /// The [`super::Variant`].
    pub const VARIANT: usize = 16;
    /// Number of bits (two words).
    pub const LENGTH: usize = 18;
    /// Number of ones (two words).
    pub const ONES: usize = 20;
    /// Sparse variant: the last stored position (two words).
    pub const LAST: usize = 22;
    /// The first unused word. It and all words after it are zero.
    pub const END: usize = 24;
}

/// The layout of the bits and of their index. The numbers are part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Variant {
    /// Plain bits and a separate index: small, and fast for both kinds of query. The default.
    Flat = 1,
    /// Counts and bits in one cache line: one cache miss for a rank.
    Interleaved = 2,
    /// The positions of the ones, or of the zeros if those are fewer, as an Elias-Fano sequence:
    /// for bits with few of either.
    Sparse = 3,
    /// All bits are equal, and not stored.
    Constant = 4,
}

impl Variant {
    /// Every variant, in the order of the numbers.
    pub const ALL: [Variant; 4] = [Variant::Flat, Variant::Interleaved, Variant::Sparse, Variant::Constant];

    /// The variant with this number, if there is one.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Variant> {
        Variant::ALL.into_iter().find(|&variant| variant as u32 == number)
    }
}

/// The numbers that determine a region's layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The variant.
    pub variant: Variant,
    /// Number of bits.
    pub length: u64,
    /// Number of ones.
    pub ones: u64,
    /// Sparse variant: the last stored position; 0 if there is none, and in other variants.
    pub last: u64,
}

/// Byte offsets of the sections. Absent sections are empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The bits, in blocks of 64 bytes.
    pub bits: usize,
    /// The index entries of the superblocks.
    pub index: usize,
    /// The end of the index's contents.
    pub index_end: usize,
    /// Samples of ones, then of zeros.
    pub samples: [usize; 2],
    /// The end of the samples.
    pub samples_end: usize,
    /// Bytes of the whole region.
    pub length: usize,
}

/// Bits of a superblock of the flat variant.
pub const SUPERBLOCK: u64 = 4096;
/// Bits of a line of the interleaved variant, besides its count.
pub const LINE_BITS: u64 = 496;
/// Lines of a superblock of the interleaved variant, as a power of two. A superblock has less than
/// 2^16 bits.
pub const LINES_LOG2: u32 = 7;
/// The minimum number of index entries, so that a search can always read eight.
pub const MIN_ENTRIES: u64 = 8;
/// There is at most one sample for this many bits.
pub const SAMPLE_BITS: u64 = 8192;

/// The distance between samples in ones (or zeros), as a power of two. It is chosen so that there
/// is at most one sample per [`SAMPLE_BITS`] bits, and at least half as many.
#[inline]
#[must_use]
pub const fn sample_shift(length: u64, count: u64) -> u32 {
    let most = length / SAMPLE_BITS + 1;
    let mut shift = 0;
    while count >> shift > most {
        shift += 1;
    }
    shift
}

/// The number of samples: one for each started run of 2^shift ones, and one for the end.
#[inline]
#[must_use]
pub const fn samples(count: u64, shift: u32) -> u64 {
    count.div_ceil(1 << shift) + 1
}

impl Shape {
    /// The number of ones (or zeros).
    #[inline]
    #[must_use]
    pub const fn count<const ZEROS: bool>(&self) -> u64 {
        if ZEROS { self.length - self.ones } else { self.ones }
    }

    /// The number of 64-byte blocks of bits. If the last block is full, there is one more, so that
    /// the end has a block as well.
    #[inline]
    #[must_use]
    pub const fn blocks(&self) -> u64 {
        match self.variant {
            Variant::Flat => self.length / 512 + 1,
            Variant::Interleaved => self.length / LINE_BITS + 1,
            Variant::Sparse | Variant::Constant => 0,
        }
    }

    /// Entries of the index, including that of the end.
    #[inline]
    #[must_use]
    pub const fn entries(&self) -> u64 {
        match self.variant {
            Variant::Flat => {
                let entries = self.length / SUPERBLOCK + 1;
                if entries < MIN_ENTRIES { MIN_ENTRIES } else { entries }
            }
            Variant::Interleaved => ((self.blocks() - 1) >> LINES_LOG2) + 1,
            Variant::Sparse | Variant::Constant => 0,
        }
    }

    /// Whether the sparse variant stores the positions of zeros, because there are fewer of them.
    #[inline]
    #[must_use]
    pub const fn stores_zeros(&self) -> bool {
        self.ones > self.length - self.ones
    }

    /// The shape of the position sequence of the sparse variant.
    #[inline]
    #[must_use]
    pub const fn positions(&self) -> eliasfano::Shape {
        let len = if self.stores_zeros() { self.length - self.ones } else { self.ones };
        eliasfano::Shape { len, max: self.last }
    }

    /// The offsets of the sections. `Range` if a region of this shape exceeds the address space.
    pub fn layout(&self) -> Result<Layout> {
        if self.length > MAX_BITS || self.ones > self.length {
            let Shape { length, ones, .. } = self;
            return Err(Error::range(format!("{length} bits cannot have {ones} ones")));
        }
        if self.variant == Variant::Sparse {
            return self.sparse_layout();
        }
        let entry = match self.variant {
            Variant::Flat => 16,
            Variant::Interleaved => 8,
            Variant::Sparse | Variant::Constant => 0,
        };
        let sampled = |count: u64| match self.variant {
            Variant::Flat | Variant::Interleaved => 4 * samples(count, sample_shift(self.length, count)),
            Variant::Sparse | Variant::Constant => 0,
        };
        let bits = HEADER_BYTES as u64;
        let index = bits + 64 * self.blocks();
        let index_end = index + entry * self.entries();
        let ones = align(index_end);
        let zeros = ones + sampled(self.ones);
        let samples_end = zeros + sampled(self.length - self.ones);
        let length = align(samples_end);
        if isize::try_from(length).is_err() {
            return Err(Error::range("the bits exceed the address space"));
        }
        Ok(Layout {
            bits: bits as usize,
            index: index as usize,
            index_end: index_end as usize,
            samples: [ones as usize, zeros as usize],
            samples_end: samples_end as usize,
            length: length as usize,
        })
    }

    /// The whole region is one sequence.
    fn sparse_layout(&self) -> Result<Layout> {
        let positions = self.positions().check()?;
        let least = positions.len.saturating_sub(1);
        if self.last < least || self.last >= self.length.max(1) {
            let (last, count) = (self.last, positions.len);
            return Err(Error::range(format!("{last} cannot be the last of {count} positions")));
        }
        let end = positions.layout_at(HEADER_BYTES as u64).length;
        let Ok(end) = isize::try_from(end).map(isize::cast_unsigned) else {
            return Err(Error::range("the bits exceed the address space"));
        };
        let bits = HEADER_BYTES;
        Ok(Layout { bits, index: bits, index_end: end, samples: [end; 2], samples_end: end, length: end })
    }
}

/// The counts of a checked header.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// Variant and counts.
    pub shape: Shape,
    /// The offsets of the sections.
    pub layout: Layout,
}

impl RegionKind for Meta {
    const KIND: Kind = Kind::RankSelect;
    const END: usize = word::END;

    fn check(header: &Header, _: Memory) -> Result<Meta> {
        let number = header.word(word::VARIANT);
        let variant = Variant::from_number(number)
            .ok_or_else(|| Error::corrupt(format!("invalid variant of rank and select: {number}")))?;
        let shape = Shape {
            variant,
            length: header.double_word(word::LENGTH),
            ones: header.double_word(word::ONES),
            last: header.double_word(word::LAST),
        };
        let corrupt = |why: Error| Error::corrupt(why.message().to_owned());
        let layout = shape.layout().map_err(corrupt)?;
        if variant == Variant::Constant && shape.ones != 0 && shape.ones != shape.length {
            return Err(Error::corrupt("a constant region has both ones and zeros"));
        }
        if variant != Variant::Sparse && shape.last != 0 {
            return Err(Error::corrupt("a reserved word of the header is not zero"));
        }
        Ok(Meta { shape, layout })
    }

    fn length(&self) -> u64 {
        self.layout.length as u64
    }
}
