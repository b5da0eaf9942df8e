//! The hash of a key. It uses 32-bit arithmetic, because JavaScript has that.
//! `docs/formats/compress.md` specifies it, and `src/compress/bloomfilter.ts` computes the same.

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

/// The state between two words of a key.
#[derive(Clone, Copy)]
struct State(u32, u32);

impl State {
    #[inline(always)]
    fn word(self, word: u32) -> State {
        let a = (self.0 ^ word).wrapping_mul(0x85EB_CA6B).rotate_left(13);
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
pub fn bytes(seeds: [u32; 2], key: &[u8]) -> Hashed {
    let mut state = State(seeds[0], seeds[1] ^ key.len() as u32);
    let (words, rest) = key.as_chunks::<4>();
    for &word in words {
        state = state.word(u32::from_le_bytes(word));
    }
    if !rest.is_empty() {
        let mut last = [0; 4];
        last[..rest.len()].copy_from_slice(rest);
        state = state.word(u32::from_le_bytes(last));
    }
    state.finish()
}

/// Hashes a number. −0 equals 0, and all NaNs are equal.
#[inline(always)]
#[must_use]
pub fn number(seeds: [u32; 2], key: f64) -> Hashed {
    let key = if key == 0.0 { 0.0 } else { key };
    let bits = if key.is_nan() { 0x7FF8 << 48 } else { key.to_bits() };
    // The inverted seed acts as a length that no byte key has, so numbers differ from keys of eight
    // bytes.
    State(seeds[0], !seeds[1]).word(bits as u32).word((bits >> 32) as u32).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_have_equal_hashes() {
        let seeds = [7, 8];
        assert_eq!(number(seeds, 0.0), number(seeds, -0.0));
        assert_eq!(number(seeds, f64::NAN), number(seeds, f64::from_bits(u64::MAX)));
        assert_ne!(number(seeds, 1.0), bytes(seeds, &1f64.to_le_bytes()));
    }

    #[test]
    fn trailing_zeros_change_the_hash() {
        let seeds = [7, 8];
        assert_ne!(bytes(seeds, b"a"), bytes(seeds, b"a\0"));
        assert_ne!(bytes(seeds, b""), bytes(seeds, b"\0\0\0\0"));
    }
}
