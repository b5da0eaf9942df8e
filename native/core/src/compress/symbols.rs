//! The alphabet of a compressed record. `docs/formats/compress.md` specifies it.
//!
//! | symbols | say |
//! | --- | --- |
//! | 0 to 255 | this byte |
//! | 256 [`END`] | the record ends |
//! | 257 [`ESCAPE`] | nothing, but the next symbol is in the code of context 0 |
//! | 258 to 281 | a match in the dictionary's content: length code; then a position |
//! | 282 to 425 | a match in the record itself: class of the distance, and length code; then a distance |
//! | 426 to 449 | a match at the distance of the match before: length code |
//! | 450 on | this phrase |

pub(crate) const END: usize = 256;
pub(crate) const ESCAPE: usize = 257;
/// What the context of a record's beginning is filed under: what follows an escape is always in
/// context 0.
pub(crate) const START: usize = ESCAPE;
pub(crate) const CONTENT: usize = 258;
pub(crate) const SELF: usize = CONTENT + LENGTH_CODES;
pub(crate) const REPEAT: usize = SELF + DISTANCE_CLASSES * LENGTH_CODES;
pub(crate) const PHRASE: usize = REPEAT + LENGTH_CODES;
/// A table entry holds symbols below 4,096.
pub(crate) const MAX_PHRASES: usize = 2048;
const _: () = assert!(PHRASE + MAX_PHRASES < 1 << 12);
/// The longest phrase: its length is a byte.
pub(crate) const MAX_PHRASE: usize = 255;
pub(crate) const MAX_CONTEXTS: usize = 64;
/// Contexts times two to the power of the bits of codes is at most this.
pub(crate) const MAX_ENTRIES: usize = 1 << 15;
/// The least limit of the bits of codes: all symbols but phrases have one.
pub(crate) const MIN_CODE_BITS: u32 = 9;
const _: () = assert!(PHRASE <= 1 << MIN_CODE_BITS);

pub(crate) const LENGTH_CODES: usize = 24;
pub(crate) const MIN_MATCH: usize = 3;
/// The longest match. It bounds what a few hostile bytes can blow up to: about 1 KiB a symbol.
pub(crate) const MAX_MATCH: usize = 1038;
/// Length codes from here on are followed by `code - 14` more bits.
const LONG_CODES: usize = 16;

/// How wide the distances of each class are, in bits. A class begins where the one before ends, the
/// first at distance 1.
const DISTANCE_BITS: [u8; 6] = [5, 8, 10, 12, 16, 31];
pub(crate) const DISTANCE_CLASSES: usize = DISTANCE_BITS.len();
/// The least distance of each class.
const LEAST_DISTANCES: [u32; DISTANCE_CLASSES] = {
    let mut table = [1; DISTANCE_CLASSES];
    let mut class = 1;
    while class < DISTANCE_CLASSES {
        table[class] = table[class - 1] + (1 << DISTANCE_BITS[class - 1]);
        class += 1;
    }
    table
};

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

/// The class of a distance of 1 to 2^31.
#[inline(always)]
pub(crate) fn distance_class(distance: u32) -> usize {
    LEAST_DISTANCES[1..].iter().map(|&least| usize::from(distance >= least)).sum()
}

/// The least distance of a class, and how many bits say how much more.
#[inline(always)]
pub(crate) const fn class_distance(class: usize) -> (u32, u32) {
    (LEAST_DISTANCES[class], DISTANCE_BITS[class] as u32)
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
    fn every_distance_has_a_class() {
        let near =
            (0..31).flat_map(|shift| [1u32 << shift, (1 << shift) + 1, (1 << shift) - 1, 3 << shift >> 1]);
        for distance in near.chain(LEAST_DISTANCES).filter(|&distance| distance > 0) {
            let (least, width) = class_distance(distance_class(distance));
            assert!(distance >= least && distance - least < 1 << width, "{distance}");
        }
    }
}
