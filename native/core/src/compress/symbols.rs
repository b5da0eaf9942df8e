//! The alphabet of a compressed record. `docs/formats/compress.md` specifies it.
//!
//! | symbols | meaning |
//! | --- | --- |
//! | 0 to 255 | this byte |
//! | 256 [`END`] | the end of the record |
//! | 257 [`ESCAPE`] | no text; the next symbol is in the code of context 0 |
//! | 258 to 281 | a match in the dictionary's content: length code; a position follows |
//! | 282 to 425 | a match in the record itself: distance class and length code; a distance follows |
//! | 426 to 449 | a match at the distance of the previous match: length code |
//! | 450 on | this phrase |

pub(crate) const END: usize = 256;
pub(crate) const ESCAPE: usize = 257;
/// The index of the context at the beginning of a record. It shares the entry of `ESCAPE`, which
/// does not need one: context 0 always follows an escape.
pub(crate) const START: usize = ESCAPE;
pub(crate) const CONTENT: usize = 258;
pub(crate) const SELF: usize = CONTENT + LENGTH_CODES;
pub(crate) const REPEAT: usize = SELF + DISTANCE_CLASSES * LENGTH_CODES;
pub(crate) const PHRASE: usize = REPEAT + LENGTH_CODES;
/// Table entries have room for symbols below 4,096.
pub(crate) const MAX_PHRASES: usize = 2048;
const _: () = assert!(PHRASE + MAX_PHRASES < 1 << 12);
/// The length of the longest phrase, which is stored in a byte.
pub(crate) const MAX_PHRASE: usize = 255;
pub(crate) const MAX_CONTEXTS: usize = 64;
/// The limit of the number of contexts times 2 to the power of the code bits.
pub(crate) const MAX_ENTRIES: usize = 1 << 15;
/// The smallest limit for code lengths: every symbol except phrases has a code.
pub(crate) const MIN_CODE_BITS: u32 = 9;
const _: () = assert!(PHRASE <= 1 << MIN_CODE_BITS);

pub(crate) const LENGTH_CODES: usize = 24;
pub(crate) const MIN_MATCH: usize = 3;
/// The length of the longest match. It limits the expansion of hostile input to about 1 KiB per
/// symbol.
pub(crate) const MAX_MATCH: usize = 1038;
/// Length codes from this one on are followed by `code - 14` extra bits.
const LONG_CODES: usize = 16;

/// The number of bits of the distances of each class. A class begins where the previous one ends;
/// the first begins at distance 1.
const DISTANCE_BITS: [u8; 6] = [5, 8, 10, 12, 16, 31];
pub(crate) const DISTANCE_CLASSES: usize = DISTANCE_BITS.len();
/// The smallest distance of each class.
const LEAST_DISTANCES: [u32; DISTANCE_CLASSES] = {
    let mut table = [1; DISTANCE_CLASSES];
    let mut class = 1;
    while class < DISTANCE_CLASSES {
        table[class] = table[class - 1] + (1 << DISTANCE_BITS[class - 1]);
        class += 1;
    }
    table
};

/// The code of a length of 3 to 1,038, the number of extra bits, and their value.
#[inline(always)]
pub(crate) const fn length_code(length: usize) -> (usize, u32, u32) {
    let rest = length - MIN_MATCH;
    if rest < LONG_CODES {
        return (rest, 0, 0);
    }
    // Lengths in this range are at least 16 here, so the value is at least 4. Its highest bit
    // determines the code.
    let value = rest as u32 - 12;
    let bits = value.ilog2();
    (bits as usize + 14, bits, value - (1 << bits))
}

/// The smallest length of a code, and the number of extra bits.
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

/// The smallest distance of a class, and the number of extra bits.
#[inline(always)]
pub(crate) const fn class_distance(class: usize) -> (u32, u32) {
    (LEAST_DISTANCES[class], DISTANCE_BITS[class] as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_round_trips_through_its_code() {
        for length in MIN_MATCH..=MAX_MATCH {
            let (code, bits, more) = length_code(length);
            let (least, width) = code_length(code);
            assert!(code < LENGTH_CODES && more < 1 << bits);
            assert_eq!((least + more as usize, width), (length, bits));
        }
        assert_eq!(length_code(MAX_MATCH), (23, 9, 511));
    }

    #[test]
    fn every_distance_round_trips_through_its_class() {
        let near =
            (0..31).flat_map(|shift| [1u32 << shift, (1 << shift) + 1, (1 << shift) - 1, 3 << shift >> 1]);
        for distance in near.chain(LEAST_DISTANCES).filter(|&distance| distance > 0) {
            let (least, width) = class_distance(distance_class(distance));
            assert!(distance >= least && distance - least < 1 << width, "{distance}");
        }
    }
}
