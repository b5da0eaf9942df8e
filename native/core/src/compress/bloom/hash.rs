//! The hash of a key. It uses 32-bit arithmetic, because JavaScript has that.
//! `docs/formats/compress.md` specifies it, and `src/compress/bloom-hash.ts` computes the same.

/// The hash of a key. It is valid for all filters with the same seeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Hashed {
    /// Selects the block.
    pub block: u32,
    /// Selects a bit in each lane.
    pub lanes: u32,
}

#[inline(always)]
fn mix(mut x: u32) -> u32 {
    x = (x ^ x >> 16).wrapping_mul(0x7FEB_352D);
    x = (x ^ x >> 15).wrapping_mul(0x846C_A68B);
    x ^ x >> 16
}

/// The key of a filter's hash function: the seeds of its region, and the version of its format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    words: [u32; 2],
    is_first: bool,
}

impl Seeds {
    /// The key for a filter of version `version` of the format with these seeds.
    #[inline]
    #[must_use]
    pub const fn new(words: [u32; 2], version: u32) -> Seeds {
        Seeds { words, is_first: version == 1 }
    }

    /// Whether the filter has version 1 of the format.
    #[inline(always)]
    pub(super) const fn is_first(self) -> bool {
        self.is_first
    }
}

/// The state between two words of a key.
#[derive(Clone, Copy)]
struct State(u32, u32);

impl State {
    /// With `FIRST`, the hash of version 1. There the high bits of a word reached only a few bits
    /// of the state, where the low bits of the next word canceled them, so doubles that differ in
    /// both words had equal hashes under some seeds. In version 2 every bit of a word affects
    /// every bit of the first half before the next word is added.
    #[inline(always)]
    fn word<const FIRST: bool>(self, word: u32) -> State {
        let mut a = (self.0 ^ word).wrapping_mul(0x85EB_CA6B);
        if FIRST {
            a = a.rotate_left(13);
        } else {
            a = (a ^ a >> 15).wrapping_mul(0x9E37_79B1);
            a ^= a >> 16;
        }
        let b = (self.1 ^ word).wrapping_mul(0xC2B2_AE35).rotate_left(17).wrapping_add(a);
        State(a, b)
    }

    #[inline(always)]
    fn finish(self) -> Hashed {
        let block = mix(self.0 ^ self.1.rotate_left(16));
        Hashed { block, lanes: mix(self.1 ^ block) }
    }
}

/// Hashes a key of bytes. A string is hashed as UTF-8.
#[inline]
#[must_use]
pub fn bytes(seeds: Seeds, key: &[u8]) -> Hashed {
    if seeds.is_first { bytes_of::<true>(seeds.words, key) } else { bytes_of::<false>(seeds.words, key) }
}

#[inline(always)]
fn bytes_of<const FIRST: bool>(seeds: [u32; 2], key: &[u8]) -> Hashed {
    let mut state = State(seeds[0], seeds[1] ^ key.len() as u32);
    let (words, rest) = key.as_chunks::<4>();
    for &word in words {
        state = state.word::<FIRST>(u32::from_le_bytes(word));
    }
    if !rest.is_empty() {
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        state = state.word::<FIRST>(u32::from_le_bytes(last));
    }
    state.finish()
}

/// Hashes a number. −0 equals 0, and all NaNs are equal.
#[inline(always)]
#[must_use]
pub fn number(seeds: Seeds, key: f64) -> Hashed {
    if seeds.is_first { number_of::<true>(seeds, key) } else { number_of::<false>(seeds, key) }
}

/// [`number`] for a filter of version 1 (`FIRST`), or of the current version.
#[inline(always)]
pub(super) fn number_of<const FIRST: bool>(Seeds { words: seeds, .. }: Seeds, key: f64) -> Hashed {
    let key = if key == 0.0 { 0.0 } else { key };
    let bits = if key.is_nan() { 0x7FF8 << 48 } else { key.to_bits() };
    // The inverted seed acts as a length that no byte key has, so numbers differ from keys of eight
    // bytes.
    State(seeds[0], !seeds[1]).word::<FIRST>(bits as u32).word::<FIRST>((bits >> 32) as u32).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_have_equal_hashes() {
        let seeds = Seeds::new([7, 8], 2);
        assert_eq!(number(seeds, 0.0), number(seeds, -0.0));
        assert_eq!(number(seeds, f64::NAN), number(seeds, f64::from_bits(u64::MAX)));
        assert_ne!(number(seeds, 1.0), bytes(seeds, &1f64.to_le_bytes()));
    }

    #[test]
    fn trailing_zeros_change_the_hash() {
        let seeds = Seeds::new([7, 8], 2);
        assert_ne!(bytes(seeds, b"a"), bytes(seeds, b"a\0"));
        assert_ne!(bytes(seeds, b""), bytes(seeds, b"\0\0\0\0"));
    }
}
