//! The full check: recomputes the contents of the region and compares them.

use super::layout::{Layout, Meta, word};
use super::raw::{Index, RawRankSelect};
use crate::region::attach::RegionKind;
use crate::{Error, Result};

impl RawRankSelect {
    /// Checks the contents: checksum (if there is one), reserved words, every count and every
    /// sample. Takes about as long as building.
    pub fn validate(&self) -> Result<()> {
        let (header, _) = Meta::verify(self.memory)?;
        if header.word(word::VARIANT + 1) != 0 {
            return Err(Error::corrupt("a reserved word of the header is not zero"));
        }
        let checked = match &self.index {
            Index::Flat(flat) => flat.check(&self.shape),
            Index::Interleaved(lines) => lines.check(&self.shape),
            Index::Sparse(sparse) => return sparse.check(),
            Index::Constant => Ok(()),
        };
        checked.and_then(|()| self.check_padding()).map_err(Error::corrupt)
    }

    /// Checks that the bytes between the sections are zero.
    fn check_padding(&self) -> std::result::Result<(), &'static str> {
        let Layout { index_end, samples, samples_end, length, .. } = self.layout;
        // SAFETY: the bytes are within the region.
        let zero = (index_end..samples[0])
            .chain(samples_end..length)
            .all(|at| unsafe { self.memory.load_u8(at) } == 0);
        if zero { Ok(()) } else { Err("bytes between sections are not zero") }
    }
}
