//! The filter for Rust programs.

use super::bulk::BATCH;
use super::layout::Shape;
use super::{Hashed, RawBloomFilter, RawBloomFilterMut, init};
use crate::Result;
use crate::region::header::random_seeds;
use crate::region::numbers::Numbers;
use crate::region::owned::OwnedMemory;
use std::ops::Deref;

/// A set that may be wrong about strangers, in memory of its own.
///
/// ```
/// use offheap_core::compress::BloomFilter;
///
/// let mut seen = BloomFilter::new(1_000_000, 0.01)?;
/// seen.add(b"apple");
/// assert!(seen.contains(b"apple"));
/// seen.extend(["pear", "plum"]);
/// assert!(seen.contains("plum"));
/// # Ok::<(), offheap_core::Error>(())
/// ```
#[derive(Debug)]
pub struct BloomFilter {
    raw: RawBloomFilterMut,
    memory: OwnedMemory,
}

// SAFETY: it owns its memory, which only `&mut self` writes.
unsafe impl Send for BloomFilter {}
// SAFETY: as above.
unsafe impl Sync for BloomFilter {}

impl BloomFilter {
    /// For `capacity` keys, at this rate of wrong answers. `Range` for a rate outside of (0, 1), or
    /// more than 4 GiB.
    pub fn new(capacity: u64, rate: f64) -> Result<BloomFilter> {
        BloomFilter::with_seeds(capacity, rate, random_seeds())
    }

    /// The same with given seeds, for filters whose bytes must not differ.
    pub fn with_seeds(capacity: u64, rate: f64, seeds: [u32; 2]) -> Result<BloomFilter> {
        let shape = Shape::new(capacity, rate)?;
        let memory = OwnedMemory::new(shape.length() as usize)?;
        // SAFETY: the memory is ours, and as long as it says.
        unsafe {
            init(memory.base(), memory.len(), shape, seeds)?;
            BloomFilter::attach(memory)
        }
    }

    /// A copy of a region's bytes, checked in constant time.
    pub fn from_bytes(bytes: &[u8]) -> Result<BloomFilter> {
        let memory = OwnedMemory::new(bytes.len())?;
        // SAFETY: the memory is ours, and as long as the bytes.
        unsafe {
            memory.base().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            BloomFilter::attach(memory)
        }
    }

    /// # Safety
    /// All of the memory is initialised.
    unsafe fn attach(memory: OwnedMemory) -> Result<BloomFilter> {
        // SAFETY: the memory lives as long as the view, which stands beside it.
        let raw = unsafe { RawBloomFilterMut::attach(memory.base(), memory.len()) }?;
        Ok(BloomFilter { raw, memory })
    }

    /// Adds a key of bytes.
    pub fn add(&mut self, key: impl AsRef<[u8]>) {
        self.raw.add(self.raw.hash_bytes(key.as_ref()));
    }

    /// Whether a key of bytes was added; at the filter's rate also where it was not.
    #[must_use]
    pub fn contains(&self, key: impl AsRef<[u8]>) -> bool {
        self.raw.has(self.raw.hash_bytes(key.as_ref()))
    }

    /// Adds a number. −0 is 0, and all NaNs are one.
    pub fn add_number(&mut self, key: f64) {
        self.raw.add(self.raw.hash_number(key));
    }

    /// Whether a number was added; at the filter's rate also where it was not.
    #[must_use]
    pub fn contains_number(&self, key: f64) -> bool {
        self.raw.has(self.raw.hash_number(key))
    }

    /// Adds many numbers. `Type`, with nothing added, for 64-bit integers, of which not all are
    /// doubles.
    pub fn add_numbers(&mut self, keys: &Numbers<'_>) -> Result<()> {
        self.raw.add_numbers(keys)
    }

    /// Adds keys that were hashed with [`RawBloomFilter::hash_bytes`] or
    /// [`RawBloomFilter::hash_number`].
    pub fn add_hashed(&mut self, keys: &[Hashed]) {
        self.raw.add_hashed(keys);
    }

    /// The region: what to write to a file, or hand to JavaScript.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the region lies in the memory, all of it was written.
        unsafe { std::slice::from_raw_parts(self.memory.base(), self.raw.shape().length() as usize) }
    }
}

impl Deref for BloomFilter {
    type Target = RawBloomFilter;

    #[inline(always)]
    fn deref(&self) -> &RawBloomFilter {
        &self.raw
    }
}

/// Adds keys a batch at a time, so that their waits for memory overlap.
impl<K: AsRef<[u8]>> Extend<K> for BloomFilter {
    fn extend<I: IntoIterator<Item = K>>(&mut self, keys: I) {
        let mut batch = [Hashed::default(); BATCH];
        let mut count = 0;
        for key in keys {
            batch[count] = self.raw.hash_bytes(key.as_ref());
            count += 1;
            if count == BATCH {
                self.raw.add_hashed(&batch);
                count = 0;
            }
        }
        self.raw.add_hashed(&batch[..count]);
    }
}
