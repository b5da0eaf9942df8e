//! The second tier of checks: what a region of these bits would hold, recomputed and compared.

use super::layout::{Layout, Meta, word};
use super::raw::{Index, RawRankSelect};
use crate::region::attach::RegionKind;
use crate::{Error, Result};

impl RawRankSelect {
    /// Proves the contents: checksum (if there is one), reserved words, every count and every
    /// sample. About as long as building.
    pub fn validate(&self) -> Result<()> {
        let (header, _) = Meta::verify(self.memory)?;
        if header.word(word::VARIANT + 1) != 0 {
            return Err(Error::corrupt("a word of the header that must be zero is not"));
        }
        let checked = match &self.index {
            Index::Flat(flat) => flat.check(&self.shape),
            Index::Interleaved(lines) => lines.check(&self.shape),
            Index::Sparse(sparse) => return sparse.check(),
            Index::Constant => Ok(()),
        };
        checked.and_then(|()| self.check_padding()).map_err(Error::corrupt)
    }

    /// What lies between the sections is zero.
    fn check_padding(&self) -> std::result::Result<(), &'static str> {
        let Layout { index_end, samples, samples_end, length, .. } = self.layout;
        // SAFETY: within the region.
        let zero = (index_end..samples[0])
            .chain(samples_end..length)
            .all(|at| unsafe { self.memory.load_u8(at) } == 0);
        if zero { Ok(()) } else { Err("bytes between sections are not zero") }
    }
}
