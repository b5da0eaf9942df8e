//! A rolling hash of the last n bytes, updated in constant time per byte (Karp and Rabin,
//! "Efficient randomized pattern-matching algorithms", 1987). Applications are content-defined
//! chunking and finding duplicates.
//!
//! The hash is the polynomial of the bytes (each plus one, so that zeros count) at [`BASE`] modulo
//! 2^32. Its low bits depend only on the low bits of the bytes, so decisions should use the high
//! bits. `src/compress/rollinghash.ts` computes the same hash.

mod scan;

use self::scan::{Run, scan};
use crate::cpu::Features;
use crate::{Error, Result, simd};

/// The base of the polynomial. It is odd, so that every byte keeps its weight.
pub const BASE: u32 = 0x0100_0193;
/// The length of the longest window.
pub const MAX_WINDOW: usize = 1 << 24;
/// Bytes that are processed together. The incoming and outgoing bytes of a block fit in the
/// first-level cache.
const BLOCK: usize = 2048;

/// A window over bytes, and its hash.
///
/// ```
/// use offheap_core::compress::RollingHash;
///
/// // Cut data into chunks of 8 KiB on average. An insertion moves only the cuts next to it.
/// let data = vec![7u8; 100_000];
/// let mut rolling = RollingHash::new(48)?;
/// let (mut rest, mut pieces) = (&data[..], 0);
/// while let Some(length) = rolling.find(rest, 13)? {
///     rest = &rest[length..];
///     pieces += 1;
/// }
/// # let _ = pieces;
/// # Ok::<(), offheap_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct RollingHash {
    ring: Vec<u8>,
    at: usize,
    filled: usize,
    hash: u32,
    /// The weight of a byte that leaves the window.
    weight: u32,
}

/// The weight of a byte that leaves a window of this length.
#[inline]
fn weight_of(window: usize) -> u32 {
    BASE.wrapping_pow(window as u32)
}

/// The largest hash whose `bits` highest bits are zero. `Range` unless `bits` is 1 to 32.
fn most_of(bits: u32) -> Result<u32> {
    if !(1..=32).contains(&bits) {
        return Err(Error::range(format!("bits must be from 1 to 32, not {bits}")));
    }
    Ok(u32::MAX.checked_shr(bits).unwrap_or(0))
}

fn check_window(window: usize) -> Result<()> {
    if (1..=MAX_WINDOW).contains(&window) {
        return Ok(());
    }
    Err(Error::range(format!("the window must have 1 to 2^24 bytes, not {window}")))
}

impl RollingHash {
    /// Creates an empty window of 1 to 2^24 bytes.
    pub fn new(window: usize) -> Result<RollingHash> {
        check_window(window)?;
        let ring = super::memory::try_vec(window, 0)?;
        Ok(RollingHash { ring, at: 0, filled: 0, hash: 0, weight: weight_of(window) })
    }

    /// Adds a byte, removes the oldest if the window is full, and returns the hash.
    #[inline]
    pub fn push(&mut self, byte: u8) -> u32 {
        self.hash = self.hash.wrapping_mul(BASE).wrapping_add(u32::from(byte) + 1);
        if self.filled == self.ring.len() {
            let leaving = (u32::from(self.ring[self.at]) + 1).wrapping_mul(self.weight);
            self.hash = self.hash.wrapping_sub(leaving);
        } else {
            self.filled += 1;
        }
        self.ring[self.at] = byte;
        self.at += 1;
        if self.at == self.ring.len() {
            self.at = 0;
        }
        self.hash
    }

    /// Adds many bytes, and returns the hash after the last one. O(window) at most, because bytes
    /// that would leave the window again are not read.
    pub fn update(&mut self, bytes: &[u8]) -> u32 {
        if let Some(last) = bytes.len().checked_sub(self.ring.len()) {
            self.fill(&bytes[last..], RollingHash::of(&bytes[last..]));
        } else {
            bytes.iter().for_each(|&byte| _ = self.push(byte));
        }
        self.hash
    }

    /// Replaces the window by `bytes`, which have its length.
    fn fill(&mut self, bytes: &[u8], hash: u32) {
        self.ring.copy_from_slice(bytes);
        (self.at, self.filled, self.hash) = (0, bytes.len(), hash);
    }

    /// Adds bytes up to the position at which the window is full and the `bits` highest bits of its
    /// hash are zero. On average, one of 2^bits positions matches. Returns the number of bytes
    /// added, or `None` if all were added without a match. `Range`, with no byte added, unless
    /// `bits` is 1 to 32.
    pub fn find(&mut self, bytes: &[u8], bits: u32) -> Result<Option<usize>> {
        let most = most_of(bits)?;
        let window = self.ring.len();
        let head = window.min(bytes.len());
        for (i, &byte) in bytes[..head].iter().enumerate() {
            if self.push(byte) <= most && self.is_full() {
                return Ok(Some(i + 1));
            }
        }
        if head == bytes.len() {
            return Ok(None);
        }
        // SAFETY: a slice is readable for its length, which here is more than `window`.
        let found = unsafe { find_after(bytes.as_ptr(), bytes.len(), window, self.hash, self.weight, most) };
        self.fill(&bytes[found.end - window..found.end], found.hash);
        Ok(found.is_cut.then_some(found.end))
    }

    /// The hash of the bytes in the window.
    #[must_use]
    pub fn value(&self) -> u32 {
        self.hash
    }

    /// Whether the window is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.filled == self.ring.len()
    }

    /// The length of the window in bytes.
    #[must_use]
    pub fn window(&self) -> usize {
        self.ring.len()
    }

    /// Empties the window.
    pub fn reset(&mut self) {
        (self.at, self.filled, self.hash) = (0, 0, 0);
    }

    /// The hash of a window that contains exactly these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> u32 {
        bytes.iter().fold(0, |hash: u32, &byte| hash.wrapping_mul(BASE).wrapping_add(u32::from(byte) + 1))
    }
}

/// The result of a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// The number of bytes consumed.
    pub end: usize,
    /// The hash of the window at the end.
    pub hash: u32,
    /// Whether the search found a hash; otherwise it reached the end of the bytes.
    pub is_cut: bool,
}

/// [`RollingHash::find`] for callers that keep the window themselves. `hash` is the hash of the
/// first `window` bytes, and the search begins with the byte after them. `Range` for an invalid
/// window, or for fewer bytes than the window has.
///
/// # Safety
/// `len` bytes are readable at `bytes`. Other threads may write them, in which case the result is
/// unspecified.
pub unsafe fn find(bytes: *const u8, len: usize, window: usize, hash: u32, bits: u32) -> Result<Match> {
    check_window(window)?;
    if len < window {
        return Err(Error::range(format!(
            "a window of {window} bytes needs at least as many bytes, not {len}"
        )));
    }
    // SAFETY: the caller guarantees that `len` bytes are readable; `window <= len` was checked.
    Ok(unsafe { find_after(bytes, len, window, hash, weight_of(window), most_of(bits)?) })
}

/// # Safety
/// As for [`find`]; `window <= len`.
unsafe fn find_after(
    bytes: *const u8,
    len: usize,
    window: usize,
    mut hash: u32,
    weight: u32,
    most: u32,
) -> Match {
    let level = Features::get().level();
    // The bytes are copied, because they may change between two reads.
    let (mut incoming, mut outgoing) = ([0u8; BLOCK], [0u8; BLOCK]);
    let mut end = window;
    while end < len {
        let count = BLOCK.min(len - end);
        // SAFETY: `end + count <= len` and `window <= end`, so both blocks are within the readable
        // bytes.
        let (cut, after) = unsafe {
            simd::copy_in(level, incoming.as_mut_ptr(), bytes.add(end), count);
            simd::copy_in(level, outgoing.as_mut_ptr(), bytes.add(end - window), count);
            let (incoming, outgoing) = (&incoming[..count], &outgoing[..count]);
            scan(level, &Run { incoming, outgoing, weight, hash, most })
        };
        hash = after;
        if let Some(index) = cut {
            return Match { end: end + index + 1, hash, is_cut: true };
        }
        end += count;
    }
    Match { end, hash, is_cut: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(len: usize) -> Vec<u8> {
        (0..len as u32).map(|i| (i.wrapping_mul(i) >> 3) as u8 ^ (i >> 7) as u8).collect()
    }

    #[test]
    fn hash_depends_on_the_window_alone() {
        let bytes = bytes(500);
        for window in [1, 2, 7, 64] {
            let mut rolling = RollingHash::new(window).unwrap();
            for (i, &byte) in bytes.iter().enumerate() {
                let from = (i + 1).saturating_sub(window);
                assert_eq!(rolling.push(byte), RollingHash::of(&bytes[from..=i]));
                assert_eq!(rolling.is_full(), i + 1 >= window);
            }
            let value = rolling.value();
            rolling.reset();
            assert_eq!(rolling.value(), 0);
            assert_eq!(rolling.update(&bytes[..3]), RollingHash::of(&bytes[3 - window.min(3)..3]));
            assert_eq!(rolling.update(&bytes[3..]), value);
        }
        assert_ne!(RollingHash::of(&[0]), RollingHash::of(&[0, 0]));
        for window in [0, MAX_WINDOW + 1, usize::MAX] {
            assert!(RollingHash::new(window).is_err());
        }
    }

    proptest! {
            #[test]
    fn find_agrees_with_byte_by_byte_search(
                len in 0usize..6000, window in 1usize..70, bits in 1u32..10, pieces in 1usize..5,
            ) {
                let bytes = bytes(len);
                let mut plain = RollingHash::new(window).unwrap();
                let most = u32::MAX >> bits;
                let expected: Vec<usize> =
                    (0..len).filter(|&i| plain.push(bytes[i]) <= most && plain.is_full()).map(|i| i + 1).collect();
                let mut rolling = RollingHash::new(window).unwrap();
                let mut found = Vec::new();
                let mut done = 0;
                for piece in bytes.chunks(len / pieces + 1) {
                    let mut rest = piece;
                    while let Some(taken) = rolling.find(rest, bits).unwrap() {
                        rest = &rest[taken..];
                        found.push(done + piece.len() - rest.len());
                    }
                    done += piece.len();
                }
                prop_assert_eq!(found, expected);
                prop_assert_eq!(rolling.value(), plain.value());
            }
        }

    #[test]
    fn rejects_invalid_searches() {
        let bytes = bytes(100);
        let mut rolling = RollingHash::new(4).unwrap();
        assert!(rolling.find(&bytes, 0).is_err() && rolling.find(&bytes, 33).is_err());
        assert_eq!(rolling.value(), 0);
        // SAFETY: the slice has 100 bytes.
        unsafe {
            assert!(find(bytes.as_ptr(), 3, 4, 0, 5).is_err());
            assert!(find(bytes.as_ptr(), 100, 0, 0, 5).is_err());
            assert!(find(bytes.as_ptr(), 100, 4, 0, 0).is_err());
            let end = Match { end: 4, hash: 7, is_cut: false };
            assert_eq!(find(bytes.as_ptr(), 4, 4, 7, 5).unwrap(), end);
        }
    }
}
