//! The sequence lock of a region, by which readers notice that its owner rearranges it.
//!
//! Readers that do not own the region call [`Memory::read_begin`] before they read and
//! [`Memory::read_retry`] after, and start again if it returns true. Writers wrap rearrangements,
//! and only those, in [`Memory::change`]; single stores need no lock.

use super::header::word;
use super::memory::Memory;
use crate::{Error, ErrorKind, Result};
use std::sync::atomic::{Ordering, fence};
use std::time::{Duration, Instant};

/// How long a reader waits for a rearrangement to end: longer than the largest takes. Sorting 10^9
/// elements takes about 20 seconds.
pub const READ_TIMEOUT: Duration = Duration::from_secs(30);

impl Memory {
    /// Begins to read a region that another thread may rearrange: waits until no rearrangement is
    /// in progress, and returns the sequence. `Locked` if that takes longer than `timeout`, because
    /// then the writer must have been terminated.
    pub fn read_begin(self, timeout: Duration) -> Result<u32> {
        let sequence = self.sequence();
        if sequence.is_multiple_of(2) { Ok(sequence) } else { self.wait(timeout) }
    }

    #[cold]
    fn wait(self, timeout: Duration) -> Result<u32> {
        let begun = Instant::now();
        let mut rounds = 0u32;
        loop {
            let sequence = self.sequence();
            if sequence.is_multiple_of(2) {
                return Ok(sequence);
            }
            if begun.elapsed() > timeout {
                return Err(Error::new(
                    ErrorKind::Locked,
                    "the region is being rearranged, or its writer was terminated while it did so",
                ));
            }
            rounds += 1;
            if rounds < 64 {
                std::thread::yield_now();
            } else {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
    }

    /// Whether everything read since [`Memory::read_begin`] returned `sequence` must be discarded.
    #[inline(always)]
    #[must_use]
    pub fn read_retry(self, sequence: u32) -> bool {
        fence(Ordering::Acquire);
        self.word(word::SEQUENCE) != sequence
    }

    #[inline(always)]
    fn sequence(self) -> u32 {
        let sequence = self.word(word::SEQUENCE);
        fence(Ordering::Acquire);
        sequence
    }

    /// Runs a rearrangement that cannot fail. The sequence is odd while it runs.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    pub unsafe fn change<T>(self, rearrange: impl FnOnce() -> T) -> T {
        let sequence = self.word(word::SEQUENCE);
        // SAFETY: the caller guarantees that the memory is writable and has no other writer.
        unsafe { self.set_word(word::SEQUENCE, sequence | 1) };
        // The stores of the rearrangement stay after this one, and before the last one.
        fence(Ordering::SeqCst);
        let result = rearrange();
        fence(Ordering::SeqCst);
        // SAFETY: the caller guarantees that the memory is writable and has no other writer.
        unsafe { self.set_word(word::SEQUENCE, (sequence | 1).wrapping_add(1)) };
        result
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::HEADER_BYTES;
    use super::*;

    #[test]
    fn the_sequence_is_odd_during_a_change_and_readers_notice() {
        let mut block = [0u64; HEADER_BYTES / 8];
        // SAFETY: the block has 256 bytes and lives to the end of the test.
        let memory = unsafe { Memory::new(block.as_mut_ptr().cast(), HEADER_BYTES) }.unwrap();
        let before = memory.read_begin(Duration::ZERO).unwrap();
        assert!(!memory.read_retry(before));
        // SAFETY: no other thread uses the block.
        unsafe {
            memory.change(|| {
                assert_eq!(memory.word(word::SEQUENCE), 1);
                assert!(memory.read_retry(before));
                assert_eq!(
                    memory.read_begin(Duration::from_millis(1)).unwrap_err().kind(),
                    ErrorKind::Locked
                );
            });
        }
        assert_eq!(memory.read_begin(Duration::ZERO).unwrap(), 2);
        assert!(memory.read_retry(before));
    }
}
