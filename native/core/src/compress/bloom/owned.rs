//! The filter for Rust programs.

use super::bulk::BATCH;
use super::layout::Shape;
use super::{Hashed, RawBloomFilter, RawBloomFilterMut, init};
use crate::Result;
use crate::region::header::random_seeds;
use crate::region::numbers::Numbers;
use crate::region::owned::OwnedMemory;
use std::ops::Deref;

/// A set with false positives but no false negatives, in memory of its own.
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

// SAFETY: it owns its memory, which is written only through `&mut self`.
unsafe impl Send for BloomFilter {}
// SAFETY: the same.
unsafe impl Sync for BloomFilter {}

impl BloomFilter {
    /// Creates a filter for `capacity` keys at a false-positive rate of `rate`. `Range` unless
    /// `rate` is in (0, 1) and the filter has at most 4 GiB.
    pub fn new(capacity: u64, rate: f64) -> Result<BloomFilter> {
        BloomFilter::with_seeds(capacity, rate, random_seeds())
    }

    /// The same with given seeds, for reproducible bytes.
    pub fn with_seeds(capacity: u64, rate: f64, seeds: [u32; 2]) -> Result<BloomFilter> {
        let shape = Shape::new(capacity, rate)?;
        let memory = OwnedMemory::new(shape.length() as usize)?;
        // SAFETY: this function owns the memory, which has `memory.len()` bytes.
        unsafe {
            init(memory.base(), memory.len(), shape, seeds)?;
            BloomFilter::attach(memory)
        }
    }

    /// Copies the bytes of a region, and checks its header in constant time.
    pub fn from_bytes(bytes: &[u8]) -> Result<BloomFilter> {
        let memory = OwnedMemory::new(bytes.len())?;
        // SAFETY: this function owns the memory, which has `bytes.len()` bytes.
        unsafe {
            memory.base().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
            BloomFilter::attach(memory)
        }
    }

    /// # Safety
    /// All of the memory is initialized.
    unsafe fn attach(memory: OwnedMemory) -> Result<BloomFilter> {
        // SAFETY: the memory is initialized, and lives as long as the view, because both are fields
        // of one struct.
        let raw = unsafe { RawBloomFilterMut::attach(memory.base(), memory.len()) }?;
        Ok(BloomFilter { raw, memory })
    }

    /// Adds a key of bytes.
    pub fn add(&mut self, key: impl AsRef<[u8]>) {
        self.raw.add(self.raw.hash_bytes(key.as_ref()));
    }

    /// Whether a key of bytes may have been added. For an absent key, this is true at the filter's
    /// false-positive rate.
    #[must_use]
    pub fn contains(&self, key: impl AsRef<[u8]>) -> bool {
        self.raw.has(self.raw.hash_bytes(key.as_ref()))
    }

    /// Adds a number. −0 equals 0, and all NaNs are equal.
    pub fn add_number(&mut self, key: f64) {
        self.raw.add(self.raw.hash_number(key));
    }

    /// Whether a number may have been added. For an absent number, this is true at the filter's
    /// false-positive rate.
    #[must_use]
    pub fn contains_number(&self, key: f64) -> bool {
        self.raw.has(self.raw.hash_number(key))
    }

    /// Adds many numbers. `Type`, with nothing added, for 64-bit integers, because doubles cannot
    /// represent all of them.
    pub fn add_numbers(&mut self, keys: &Numbers<'_>) -> Result<()> {
        self.raw.add_numbers(keys)
    }

    /// Adds keys hashed by [`RawBloomFilter::hash_bytes`] or [`RawBloomFilter::hash_number`].
    pub fn add_hashed(&mut self, keys: &[Hashed]) {
        self.raw.add_hashed(keys);
    }

    /// The region, for example to be written to a file.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the region is within the memory and initialized.
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

/// Adds keys in batches, so that their cache misses overlap.
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
