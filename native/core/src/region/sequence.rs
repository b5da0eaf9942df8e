//! The sequence lock of a region: how readers notice that its owner rearranges it.

use super::header::word;
use super::memory::Memory;
use crate::{Error, ErrorKind, Result};
use std::sync::atomic::{Ordering, fence};
use std::time::{Duration, Instant};

/// How long a reader waits for a rearrangement to end: more than the largest needs. A sort of 10^9
/// elements takes some 20 seconds.
pub const READ_TIMEOUT: Duration = Duration::from_secs(30);

impl Memory {
    /// Begins to read a region that another thread may rearrange: waits until no rearrangement is
    /// under way and returns the sequence. `Locked` if that takes longer than `patience`, because
    /// then its writer must have died.
    pub fn read_begin(self, patience: Duration) -> Result<u32> {
        let sequence = self.sequence();
        if sequence.is_multiple_of(2) { Ok(sequence) } else { self.wait(patience) }
    }

    #[cold]
    fn wait(self, patience: Duration) -> Result<u32> {
        let begun = Instant::now();
        let mut rounds = 0u32;
        loop {
            let sequence = self.sequence();
            if sequence.is_multiple_of(2) {
                return Ok(sequence);
            }
            if begun.elapsed() > patience {
                return Err(Error::new(
                    ErrorKind::Locked,
                    "the region is being rearranged, or its writer died while it was",
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

    /// Whether what was read since [`Memory::read_begin`] returned `sequence` must be thrown away.
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

    /// Runs a rearrangement that can not fail, with the sequence odd meanwhile.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    pub unsafe fn change<T>(self, rearrange: impl FnOnce() -> T) -> T {
        let sequence = self.word(word::SEQUENCE);
        // SAFETY: within the header; the rest is the caller's word.
        unsafe { self.set_word(word::SEQUENCE, sequence | 1) };
        // The stores of the rearrangement stay after this one, and before the last one.
        fence(Ordering::SeqCst);
        let result = rearrange();
        fence(Ordering::SeqCst);
        // SAFETY: as above.
        unsafe { self.set_word(word::SEQUENCE, (sequence | 1).wrapping_add(1)) };
        result
    }
}

#[cfg(test)]
mod tests {
    use super::super::memory::HEADER_BYTES;
    use super::*;

    #[test]
    fn the_sequence_is_odd_during_a_change_and_a_reader_notices() {
        let mut block = [0u64; HEADER_BYTES / 8];
        // SAFETY: the block lives to the end of the test and has 256 bytes.
        let memory = unsafe { Memory::new(block.as_mut_ptr().cast(), HEADER_BYTES) }.unwrap();
        let before = memory.read_begin(Duration::ZERO).unwrap();
        assert!(!memory.read_retry(before));
        // SAFETY: no other thread knows of the block.
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
