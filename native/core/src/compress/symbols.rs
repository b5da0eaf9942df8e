//! The alphabet of a compressed record. `docs/formats/compress.md` specifies it.
//!
//! | symbols | say |
//! | --- | --- |
//! | 0 to 255 | this byte |
//! | 256 [`END`] | the record ends |
//! | 257 [`ESCAPE`] | the next symbol is in the code of context 0, which has all symbols |
//! | 258 to 281 | a match in the dictionary's content: length code, then position |
//! | 282 to 305 | a match in the record itself: length code, then distance |
//! | 306 to 329 | a match at the distance of the match before: length code |
//! | 330 on | this phrase |

pub(crate) const END: usize = 256;
pub(crate) const ESCAPE: usize = 257;
/// What the context of a record's beginning is filed under: no symbol ever follows an escape.
pub(crate) const START: usize = ESCAPE;
pub(crate) const CONTENT: usize = 258;
pub(crate) const SELF: usize = CONTENT + LENGTH_CODES;
pub(crate) const REPEAT: usize = SELF + LENGTH_CODES;
pub(crate) const PHRASE: usize = REPEAT + LENGTH_CODES;
/// A table entry holds symbols below 4,096.
pub(crate) const MAX_PHRASES: usize = 2048;
const _: () = assert!(PHRASE + MAX_PHRASES < 1 << 12);
/// The longest phrase: its length is a byte.
pub(crate) const MAX_PHRASE: usize = 255;
pub(crate) const MAX_CONTEXTS: usize = 64;

pub(crate) const LENGTH_CODES: usize = 24;
pub(crate) const MIN_MATCH: usize = 3;
/// The longest match. It bounds what a few hostile bytes can blow up to: about 1 KiB a symbol.
pub(crate) const MAX_MATCH: usize = 1038;
/// Length codes from here on are followed by `code - 14` more bits.
const LONG_CODES: usize = 16;

pub(crate) const POSITION_SLOTS: usize = 256;
pub(crate) const DISTANCE_SLOTS: usize = 64;

/// The code of a length of 3 to 1,038, how many bits follow, and those.
#[inline(always)]
pub(crate) const fn length_code(length: usize) -> (usize, u32, u32) {
    let rest = length - MIN_MATCH;
    if rest < LONG_CODES {
        return (rest, 0, 0);
    }
    // 16 and up, less 12: 4 and up, whose highest bit says the code.
    let value = rest as u32 - 12;
    let bits = value.ilog2();
    (bits as usize + 14, bits, value - (1 << bits))
}

/// The least length of a code, and how many bits say how much more.
#[inline(always)]
pub(crate) const fn code_length(code: usize) -> (usize, u32) {
    if code < LONG_CODES {
        return (code + MIN_MATCH, 0);
    }
    let bits = code as u32 - 14;
    ((1usize << bits) + 12 + MIN_MATCH, bits)
}

/// The slot of a distance of 1 to 2^32, how many bits follow, and those.
#[inline(always)]
pub(crate) const fn distance_slot(distance: u32) -> (usize, u32, u32) {
    let value = distance - 1;
    if value < 4 {
        return (value as usize, 0, 0);
    }
    let log = value.ilog2();
    let bits = log - 1;
    let slot = 2 * log + (value >> bits & 1);
    (slot as usize, bits, value & ((1 << bits) - 1))
}

/// The least distance of a slot, and how many bits say how much more.
#[inline(always)]
pub(crate) const fn slot_distance(slot: usize) -> (u64, u32) {
    if slot < 4 {
        return (slot as u64 + 1, 0);
    }
    let bits = (slot / 2 - 1) as u32;
    (((2 + (slot as u64 & 1)) << bits) + 1, bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_has_a_code() {
        for length in MIN_MATCH..=MAX_MATCH {
            let (code, bits, more) = length_code(length);
            let (least, width) = code_length(code);
            assert!(code < LENGTH_CODES && more < 1 << bits);
            assert_eq!((least + more as usize, width), (length, bits));
        }
        assert_eq!(length_code(MAX_MATCH), (23, 9, 511));
    }

    #[test]
    fn every_distance_has_a_slot() {
        let near = (0..40).flat_map(|shift| [1u64 << shift, (1 << shift) + 1, (1 << shift) - 1, 3 << shift]);
        for distance in near.filter(|&d| d > 0 && d <= u64::from(u32::MAX)) {
            let (slot, bits, more) = distance_slot(distance as u32);
            let (least, width) = slot_distance(slot);
            assert!(slot < DISTANCE_SLOTS && u64::from(more) < 1 << bits);
            assert_eq!((least + u64::from(more), width), (distance, bits));
        }
    }
}
