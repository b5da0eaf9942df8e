//! A set of small numbers, for checks and rebuilds.

use crate::Result;

/// A set of numbers below a limit. Allocation is fallible.
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    /// An empty set of numbers below `count`.
    pub(crate) fn new(count: u64) -> Result<Bits> {
        let mut words = Vec::new();
        let len = usize::try_from(count.div_ceil(64)).unwrap_or(usize::MAX);
        words.try_reserve_exact(len)?;
        words.resize(len, 0);
        Ok(Bits(words))
    }

    /// Adds a number. Returns whether it was new.
    pub(crate) fn insert(&mut self, number: u64) -> bool {
        let (word, bit) = (&mut self.0[(number / 64) as usize], 1 << (number % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Whether a number is in the set.
    pub(crate) fn contains(&self, number: u64) -> bool {
        self.0[(number / 64) as usize] >> (number % 64) & 1 != 0
    }
}
