//! Where everything in a rank/select region lies. No offset is stored: all follow from variant,
//! length and number of ones, so a header that agrees with its length can not point outside.

use crate::region::attach::RegionKind;
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::succinct::bitvector::layout::MAX_BITS;
use crate::succinct::eliasfano;
use crate::{Error, Result};

/// Indices of the words that the structure owns in the region's header.
pub mod word {
    /// Which [`super::Variant`].
    pub const VARIANT: usize = 16;
    /// How many bits there are (two words).
    pub const LENGTH: usize = 18;
    /// How many of them are ones (two words).
    pub const ONES: usize = 20;
    /// Of the sparse variant: the last position that is stored (two words).
    pub const LAST: usize = 22;
    /// The first word after those: it and the rest are zero.
    pub const END: usize = 24;
}

/// How the bits and what helps to find them are laid out. The numbers are the format's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u32)]
pub enum Variant {
    /// Plain bits, and an index beside them: small, and fast for both questions. The default.
    Flat = 1,
    /// Counts and bits in one cache line: one miss for a rank.
    Interleaved = 2,
    /// The positions of ones, or of zeros if those are fewer, as an Elias-Fano sequence: for few of
    /// either.
    Sparse = 3,
    /// All bits are alike, and not stored.
    Constant = 4,
}

impl Variant {
    /// Every variant, in the order of its number.
    pub const ALL: [Variant; 4] = [Variant::Flat, Variant::Interleaved, Variant::Sparse, Variant::Constant];

    /// The variant with this number, if there is one.
    #[must_use]
    pub fn from_number(number: u32) -> Option<Variant> {
        Variant::ALL.into_iter().find(|&variant| variant as u32 == number)
    }
}

/// What determines a region's layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How the bits are stored.
    pub variant: Variant,
    /// How many there are.
    pub length: u64,
    /// How many of them are ones.
    pub ones: u64,
    /// Of the sparse variant: the last position that is stored; 0 if there is none, and in other
    /// variants.
    pub last: u64,
}

/// Byte offsets of the sections. Absent ones are empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The bits, as blocks of 64 bytes.
    pub bits: usize,
    /// What is known about superblocks.
    pub index: usize,
    /// The end of what the index holds.
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
/// Bits that a line of the interleaved variant holds beside its count.
pub const LINE_BITS: u64 = 496;
/// Lines of a superblock of the interleaved variant, as a power of two: together less than 2^16
/// bits.
pub const LINES_LOG2: u32 = 7;
/// The fewest index entries, so that a search may always look at eight.
pub const MIN_ENTRIES: u64 = 8;
/// At the most one sample for so many bits.
pub const SAMPLE_BITS: u64 = 8192;

/// Every so many ones (or zeros), as a power of two, there is a sample of where they are: so many
/// that samples number at most one for each [`SAMPLE_BITS`] bits, and at least half of that.
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

/// How many samples there are: one for each begun run of 2^shift ones, and one for the end.
#[inline]
#[must_use]
pub const fn samples(count: u64, shift: u32) -> u64 {
    count.div_ceil(1 << shift) + 1
}

impl Shape {
    /// How many ones, or zeros.
    #[inline]
    #[must_use]
    pub const fn count<const ZEROS: bool>(&self) -> u64 {
        if ZEROS { self.length - self.ones } else { self.ones }
    }

    /// 64-byte blocks of bits. One more than needed where a block is just full, so that the end has
    /// a block as well.
    #[inline]
    #[must_use]
    pub const fn blocks(&self) -> u64 {
        match self.variant {
            Variant::Flat => self.length / 512 + 1,
            Variant::Interleaved => self.length / LINE_BITS + 1,
            Variant::Sparse | Variant::Constant => 0,
        }
    }

    /// Entries of the index, the end's included.
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

    /// Whether the sparse variant stores the positions of zeros: there are fewer of them.
    #[inline]
    #[must_use]
    pub const fn stores_zeros(&self) -> bool {
        self.ones > self.length - self.ones
    }

    /// The sequence of positions that the sparse variant stores.
    #[inline]
    #[must_use]
    pub const fn positions(&self) -> eliasfano::Shape {
        let len = if self.stores_zeros() { self.length - self.ones } else { self.ones };
        eliasfano::Shape { len, max: self.last }
    }

    /// Where the sections lie. `Range` if a region of this shape could not be addressed.
    pub fn layout(&self) -> Result<Layout> {
        if self.length > MAX_BITS || self.ones > self.length {
            let Shape { length, ones, .. } = self;
            return Err(Error::range(format!("there can not be {length} bits with {ones} ones")));
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
            return Err(Error::range("so many bits do not fit this machine's address space"));
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

    /// The whole is one sequence.
    fn sparse_layout(&self) -> Result<Layout> {
        let positions = self.positions().check()?;
        let least = positions.len.saturating_sub(1);
        if self.last < least || self.last >= self.length.max(1) {
            let (last, count) = (self.last, positions.len);
            return Err(Error::range(format!("{last} can not be the last of {count} positions")));
        }
        let end = positions.layout_at(HEADER_BYTES as u64).length;
        let Ok(end) = isize::try_from(end).map(isize::cast_unsigned) else {
            return Err(Error::range("so many bits do not fit this machine's address space"));
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
    /// Where the sections are.
    pub layout: Layout,
}

impl RegionKind for Meta {
    const KIND: Kind = Kind::RankSelect;
    const END: usize = word::END;

    fn check(header: &Header, _: Memory) -> Result<Meta> {
        let number = header.word(word::VARIANT);
        let variant = Variant::from_number(number)
            .ok_or_else(|| Error::corrupt(format!("{number} is no variant of rank and select")))?;
        let shape = Shape {
            variant,
            length: header.double_word(word::LENGTH),
            ones: header.double_word(word::ONES),
            last: header.double_word(word::LAST),
        };
        let corrupt = |why: Error| Error::corrupt(why.message().to_owned());
        let layout = shape.layout().map_err(corrupt)?;
        if variant == Variant::Constant && shape.ones != 0 && shape.ones != shape.length {
            return Err(Error::corrupt("the bits are said to be alike and are not"));
        }
        if variant != Variant::Sparse && shape.last != 0 {
            return Err(Error::corrupt("a word of the header that must be zero is not"));
        }
        Ok(Meta { shape, layout })
    }

    fn length(&self) -> u64 {
        self.layout.length as u64
    }
}
