//! The hash functions of the formats, in 32-bit arithmetic, so that TypeScript computes the same
//! (`src/region/hash.ts`, `src/hashmap/table.ts`, `src/region/blob.ts`).
//!
//! - Numbers: rounds of multiply and xor-shift, keyed by the region's two seeds. The fixed
//!   multipliers are those of MurmurHash3's finalizer (Appleby 2011) and of Fibonacci hashing.
//! - Blobs: HalfSipHash-1-3, a keyed pseudo-random function (Aumasson, Bernstein: "SipHash: a fast
//!   short-input PRF", 2012), because blobs are the keys that attackers are most likely to choose.
//!
//! A hash determines a home bucket ([`Home`]) by its upper 29 bits and a tag ([`tag`]) by its
//! lowest 7.
//!
//! # Why three multiplications, and why secret ones
//!
//! A multiplication moves information upward only, and the xor-shift after it brings it down. With
//! two rounds, as in version 1 of the formats, the highest bits of a key reach too few bits of the
//! hash: for one seed in fifty, multiples of 2^12 or byte-swapped counters cluster so that a lookup
//! visits up to 35 buckets. With three rounds no such pattern is known.
//!
//! An 8-byte key consists of two words. Version 1 mixed the low word with public constants before
//! it added the high word, so a difference of the low word (2^31) became a known difference of the
//! state, which the high word could cancel: half of all such pairs had one hash, whatever the seeds
//! were. Now each word has its own two rounds, the second with a multiplier derived from the seeds,
//! so a difference of one word becomes a difference that depends on the seeds. The most probable
//! pair that is known collides for one seed in 30,000.

use crate::region::header::Header;

/// The key of a structure's hash function: the seeds of its region, and the version of its format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    words: [u32; 2],
    /// Odd numbers derived from the seeds.
    multipliers: [u32; 2],
    is_first: bool,
}

impl Seeds {
    /// The key for a region of version `version` of its format with these seeds.
    #[inline]
    #[must_use]
    pub const fn new(words: [u32; 2], version: u32) -> Seeds {
        let multipliers = [scramble(words[0] ^ 0x9E37_79B9) | 1, scramble(words[1] ^ 0x7F4A_7C15) | 1];
        Seeds { words, multipliers, is_first: version == 1 }
    }

    /// The key of the structure with this header.
    #[inline]
    #[must_use]
    pub fn of(header: &Header) -> Seeds {
        Seeds::new(header.seeds(), header.kind_version())
    }

    /// The key for a structure that is never stored.
    #[inline]
    #[must_use]
    pub const fn current(words: [u32; 2]) -> Seeds {
        Seeds::new(words, 2)
    }

    /// The key with the same seeds for the current version.
    #[inline]
    #[must_use]
    pub const fn upgraded(self) -> Seeds {
        Seeds { is_first: false, ..self }
    }

    /// The hash of a 4-byte key.
    #[inline(always)]
    #[must_use]
    pub fn narrow(&self, x: u32) -> u32 {
        if self.is_first {
            return first::narrow(x, self.words);
        }
        three_rounds(x, 0, 0, self.words)
    }

    /// The hash of an 8-byte key.
    #[inline(always)]
    #[must_use]
    pub fn wide(&self, x: u64) -> u32 {
        if self.is_first {
            return first::wide(x, self.words);
        }
        self.both_words(x, 0)
    }

    /// The hash of a 4-byte key of one of many maps.
    #[inline(always)]
    #[must_use]
    pub fn narrow_of(&self, map: u32, x: u32) -> u32 {
        three_rounds(x, 0, map, self.words)
    }

    /// The hash of an 8-byte key of one of many maps.
    #[inline(always)]
    #[must_use]
    pub fn wide_of(&self, map: u32, x: u64) -> u32 {
        if self.is_first {
            return three_rounds(x as u32, (x >> 32) as u32, map, self.words);
        }
        self.both_words(x, map)
    }

    /// The hash of a blob.
    #[must_use]
    pub fn blob(&self, bytes: &[u8]) -> u32 {
        blob(bytes, self.words)
    }

    #[inline(always)]
    fn both_words(&self, x: u64, map: u32) -> u32 {
        let (lo, hi) = (x as u32, (x >> 32) as u32);
        let mut a = (lo ^ self.words[0]).wrapping_mul(0x85EB_CA6B);
        a = (a ^ a >> 15).wrapping_mul(self.multipliers[1]);
        let mut b = (hi ^ self.words[1]).wrapping_mul(0xC2B2_AE35);
        b = (b ^ b >> 16).wrapping_mul(self.multipliers[0]);
        // The shifts fill the low bits, which are equal for keys that differ in high bits only:
        // otherwise the sums of such words would be few.
        let mut h = (a ^ a >> 15).wrapping_add(b ^ b >> 16);
        h = ((h ^ h >> 16).wrapping_add(self.words[0]) ^ map).wrapping_mul(0x9E37_79B1);
        h ^ h >> 15
    }
}

/// The hash of 4-byte keys, and, in version 1 of SmallMapArena's format, of all keys.
#[inline(always)]
fn three_rounds(lo: u32, hi: u32, map: u32, seeds: [u32; 2]) -> u32 {
    let mut h = (lo ^ seeds[0]).wrapping_mul(0x85EB_CA6B);
    h = ((h ^ h >> 15).wrapping_add(seeds[1]) ^ hi).wrapping_mul(0xC2B2_AE35);
    h = ((h ^ h >> 16).wrapping_add(seeds[0]) ^ map).wrapping_mul(0x9E37_79B1);
    h ^ h >> 15
}

/// A permutation of 32 bits in which every input bit affects every output bit (Wellons 2018).
const fn scramble(mut x: u32) -> u32 {
    x = (x ^ x >> 16).wrapping_mul(0x7FEB_352D);
    x = (x ^ x >> 15).wrapping_mul(0x846C_A68B);
    x ^ x >> 16
}

/// The hashes of version 1 of HashMap's format.
mod first {
    #[inline(always)]
    pub(super) fn narrow(x: u32, seeds: [u32; 2]) -> u32 {
        let mut h = (x ^ seeds[0]).wrapping_mul(0x85EB_CA6B);
        h = (h ^ h >> 15).wrapping_add(seeds[1]).wrapping_mul(0xC2B2_AE35);
        h ^ h >> 16
    }

    #[inline(always)]
    pub(super) fn wide(x: u64, seeds: [u32; 2]) -> u32 {
        let (lo, hi) = (x as u32, (x >> 32) as u32);
        let mut h = (lo ^ seeds[0]).wrapping_mul(0x85EB_CA6B);
        h = ((h ^ h >> 15).wrapping_add(seeds[1]) ^ hi).wrapping_mul(0xC2B2_AE35);
        h = (h ^ h >> 16).wrapping_mul(0x9E37_79B1);
        h ^ h >> 15
    }
}

/// HalfSipHash with one round for each word and three at the end, 32 bits of output.
#[must_use]
pub fn blob(bytes: &[u8], seeds: [u32; 2]) -> u32 {
    half_sip::<1, 3>(bytes, seeds)
}

fn half_sip<const C: usize, const D: usize>(bytes: &[u8], seeds: [u32; 2]) -> u32 {
    let mut v = [seeds[0], seeds[1], seeds[0] ^ 0x6C79_6765, seeds[1] ^ 0x7465_6462];
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        absorb::<C>(&mut v, u32::from_le_bytes(*word));
    }
    let mut last = [0; 4];
    last[..rest.len()].copy_from_slice(rest);
    absorb::<C>(&mut v, u32::from_le_bytes(last) | (bytes.len() as u32) << 24);
    v[2] ^= 0xFF;
    for _ in 0..D {
        sip_round(&mut v);
    }
    v[1] ^ v[3]
}

#[inline(always)]
fn absorb<const C: usize>(v: &mut [u32; 4], word: u32) {
    v[3] ^= word;
    for _ in 0..C {
        sip_round(v);
    }
    v[0] ^= word;
}

#[inline(always)]
fn sip_round(v: &mut [u32; 4]) {
    v[0] = v[0].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(5) ^ v[0];
    v[0] = v[0].rotate_left(16);
    v[2] = v[2].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(8) ^ v[2];
    v[0] = v[0].wrapping_add(v[3]);
    v[3] = v[3].rotate_left(7) ^ v[0];
    v[2] = v[2].wrapping_add(v[1]);
    v[1] = v[1].rotate_left(13) ^ v[2];
    v[2] = v[2].rotate_left(16);
}

/// The tag of a hash: 1 to 127.
#[inline(always)]
#[must_use]
pub fn tag(hash: u32) -> u8 {
    let tag = hash & 127;
    // 0 marks an empty lane.
    (tag + u32::from(tag == 0)) as u8
}

/// Maps hashes to home buckets, for one number of buckets m × 2^e.
#[derive(Clone, Copy, Debug)]
pub struct Home {
    multiplier: u32,
    shift: u32,
}

impl Home {
    /// The map for a number of buckets that `buckets_for` returned.
    #[inline]
    #[must_use]
    pub fn new(buckets: u32) -> Home {
        let exponent = 29u32.saturating_sub(buckets.leading_zeros());
        Home { multiplier: buckets >> exponent, shift: 29 - exponent }
    }

    /// The bucket where the search for a key with this hash begins; below the number of buckets.
    #[inline(always)]
    #[must_use]
    pub fn of(self, hash: u32) -> u32 {
        // 29 bits times at most 7 fit in 32; the result is below m × 2^29 / 2^(29 − e).
        (hash >> 3).wrapping_mul(self.multiplier) >> self.shift
    }
}

/// The stored bits of an f64 key: −0 becomes +0, and all NaNs become one, so that equality of bits
/// is SameValueZero.
#[inline(always)]
#[must_use]
pub fn canonical(bits: u64) -> u64 {
    const NAN: u64 = 0x7FF8_0000_0000_0000;
    let float = f64::from_bits(bits);
    if float.is_nan() {
        NAN
    } else if float == 0.0 {
        0
    } else {
        bits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::capacity::buckets_for;

    #[test]
    fn half_sip_hash_agrees_with_the_reference() {
        // The authors' vectors for HalfSipHash-2-4 with 32 bits of output, key 00 01 … 07, inputs
        // of 0, 1, 2, … bytes 00 01 02 …; only the number of rounds differs from ours.
        let seeds = [0x0302_0100, 0x0706_0504];
        let input: Vec<u8> = (0..64).collect();
        let vectors = [
            [0xA9u8, 0x35, 0x9F, 0x5B],
            [0x27, 0x47, 0x5A, 0xB8],
            [0xFA, 0x62, 0xA6, 0x03],
            [0x8A, 0xFE, 0xE7, 0x04],
            [0x2A, 0x6E, 0x46, 0x89],
        ];
        for (len, vector) in vectors.into_iter().enumerate() {
            assert_eq!(half_sip::<2, 4>(&input[..len], seeds), u32::from_le_bytes(vector), "{len} bytes");
        }
    }

    #[test]
    fn home_buckets_cover_exactly_the_buckets() {
        for capacity in (1..3000).chain([1 << 20, 1 << 24, 1_369_020_825]) {
            let buckets = buckets_for(capacity);
            let home = Home::new(buckets);
            assert_eq!(home.of(0), 0);
            assert_eq!(home.of(u32::MAX), buckets - 1, "{buckets} buckets");
        }
    }

    #[test]
    fn tags_are_from_1_to_127() {
        assert!((0..1000u32).all(|hash| (1..=127).contains(&tag(hash))));
        assert_eq!((tag(0x80), tag(1), tag(0xFF)), (1, 1, 127));
    }

    #[test]
    fn equal_floats_have_equal_bits() {
        assert_eq!(canonical((-0.0f64).to_bits()), 0);
        assert_eq!(canonical(0xFFF8_0000_0000_0001), 0x7FF8_0000_0000_0000);
        assert_eq!(canonical(f64::NEG_INFINITY.to_bits()), f64::NEG_INFINITY.to_bits());
        assert_eq!(canonical(1), 1, "subnormals stay");
    }
}
