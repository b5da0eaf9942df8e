//! Finding the longest phrase at a position, with few unpredictable branches.
//!
//! A trie needs one step and one branch prediction per byte. Here the first three bytes select a
//! cache line with the phrases that begin with them: the first eight bytes of each, longest first.
//! All phrases of a line are compared at once (Boncz, Neumann and Leis look up the phrases of FSST
//! in this way, one for each three bytes). Phrases of two bytes are in a table of all pairs. Only
//! for phrases of more than eight bytes does the search continue in the trie.

use super::memory::try_vec;
use super::symbols::PHRASE;
use super::trie::{Node, Trie};
use crate::Result;

/// Phrases per line.
const LINE: usize = 4;
/// Bits of the hash of three bytes.
const BITS: u32 = 11;

/// Up to four phrases whose first three bytes have the same hash.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line {
    /// The first bytes of each phrase, at most eight, in the low end of the word.
    keys: [u64; LINE],
    /// The result for each key.
    found: [Found; LINE],
    /// The number of high bits of a word that are not part of the key.
    spare: [u8; LINE],
}

/// A symbol in the low 12 bits, its length in the next 8, and in the high 12 the number, plus one,
/// of the trie node from which the search continues, or 0.
type Found = u32;

const fn found(symbol: usize, len: usize) -> Found {
    symbol as u32 | (len as u32) << 12
}

/// Finds the longest phrase.
#[derive(Debug)]
pub(super) struct PhraseFinder {
    /// The phrase of two bytes for each pair of bytes, or else the first byte.
    pairs: Vec<u16>,
    /// Indexed by the hash of three bytes: the first line in the low half, the number of additional
    /// lines in the high half.
    heads: Vec<u32>,
    lines: Vec<Line>,
    /// Trie nodes at the eighth byte of phrases that are longer.
    nodes: Vec<Node>,
}

#[inline(always)]
fn hash(word: u64) -> usize {
    ((word << 40).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - BITS)) as usize
}

fn key(phrase: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let len = phrase.len().min(8);
    bytes[..len].copy_from_slice(&phrase[..len]);
    u64::from_le_bytes(bytes)
}

impl PhraseFinder {
    /// Creates the finder for the phrases of `trie`.
    pub(super) fn new(phrases: &[&[u8]], trie: &Trie) -> Result<PhraseFinder> {
        let mut pairs = try_vec(1 << 16, 0u16)?;
        pairs.iter_mut().enumerate().for_each(|(pair, symbol)| *symbol = pair as u16 & 255);
        let mut made =
            PhraseFinder { pairs, heads: try_vec(1 << BITS, 0)?, lines: Vec::new(), nodes: Vec::new() };
        for (number, phrase) in phrases.iter().enumerate().filter(|(_, phrase)| phrase.len() == 2) {
            made.pairs[usize::from(u16::from_le_bytes([phrase[0], phrase[1]]))] = (PHRASE + number) as u16;
        }
        // Sorted by bucket, and within a bucket by descending length. Phrases with the same first
        // eight bytes share an entry.
        let mut entries: Vec<(usize, std::cmp::Reverse<usize>, u64)> = Vec::new();
        entries.try_reserve_exact(phrases.len())?;
        made.nodes.try_reserve_exact(phrases.len())?;
        made.lines.try_reserve_exact(phrases.len() + 1)?;
        entries.extend(
            phrases
                .iter()
                .filter(|phrase| phrase.len() > 2)
                .map(|phrase| (hash(key(phrase)), std::cmp::Reverse(phrase.len().min(8)), key(phrase))),
        );
        entries.sort_unstable();
        entries.dedup();
        // The line of empty buckets. Its keys match only eight zeros, for which it has the right
        // result.
        let zeros = found(usize::from(made.pairs[0]), 1 + usize::from(usize::from(made.pairs[0]) >= PHRASE));
        made.lines.push(Line { keys: [0; LINE], found: [zeros; LINE], spare: [0; LINE] });
        for bucket in entries.chunk_by(|a, b| a.0 == b.0) {
            let first = made.lines.len() as u32;
            made.heads[bucket[0].0] = first | (bucket.len().div_ceil(LINE) as u32 - 1) << 16;
            for some in bucket.chunks(LINE) {
                let mut line = Line { keys: [0; LINE], found: [0; LINE], spare: [0; LINE] };
                for slot in 0..LINE {
                    if let Some(&(_, std::cmp::Reverse(len), key)) = some.get(slot) {
                        line.keys[slot] = key;
                        line.spare[slot] = 64 - 8 * len as u8;
                        line.found[slot] = made.entry_for(trie, &key.to_le_bytes()[..len]);
                    } else {
                        // A line that is not full repeats its last entry.
                        line.keys[slot] = line.keys[slot - 1];
                        line.spare[slot] = line.spare[slot - 1];
                        line.found[slot] = line.found[slot - 1];
                    }
                }
                made.lines.push(line);
            }
        }
        Ok(made)
    }

    /// The result for a text that begins with `bytes`: up to eight bytes with which a phrase
    /// begins.
    fn entry_for(&mut self, trie: &Trie, bytes: &[u8]) -> Found {
        let (mut symbol, mut len) = (usize::from(bytes[0]), 1);
        trie.walk(bytes, |length, phrase| (symbol, len) = (PHRASE + phrase, length));
        let node = trie.node(bytes).filter(|_| bytes.len() == 8).filter(|node| trie.has_children(*node));
        let more = node.map_or(0, |node| {
            self.nodes.push(node);
            self.nodes.len() as u32
        });
        found(symbol, len) | more << 20
    }

    /// Symbol and length of the longest phrase in `text` at `at`, or of the byte there. `word` is
    /// the word at `at`.
    #[inline(always)]
    pub(super) fn find(&self, trie: &Trie, text: &[u8], at: usize, word: u64) -> (usize, usize) {
        let pair = u32::from(self.pairs[word as usize & 0xFFFF]);
        let pair = pair | if pair < PHRASE as u32 { 1 << 12 } else { 2 << 12 };
        let head = self.heads[hash(word)];
        let (mut line, last) = ((head & 0xFFFF) as usize, ((head & 0xFFFF) + (head >> 16)) as usize);
        let mut entry;
        loop {
            // SAFETY: heads contain only indices of lines.
            let Line { keys, found, spare } = unsafe { self.lines.get_unchecked(line) };
            let mut hits = 0;
            for slot in 0..LINE {
                hits |= u32::from((keys[slot] ^ word) << (spare[slot] & 63) == 0) << slot;
            }
            // SAFETY: the index is masked to 0..LINE.
            let first = unsafe { *found.get_unchecked(hits.trailing_zeros() as usize & (LINE - 1)) };
            entry = std::hint::select_unpredictable(hits != 0, first, pair);
            if line == last || hits != 0 {
                break;
            }
            line += 1;
        }
        let (mut symbol, mut len) = ((entry & 0xFFF) as usize, (entry >> 12 & 0xFF) as usize);
        if entry >> 20 != 0 {
            let node = self.nodes[(entry >> 20) as usize - 1];
            trie.walk_on(node, &text[at + 8..], |more, phrase| (symbol, len) = (PHRASE + phrase, 8 + more));
        }
        (symbol, len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
            #[test]
    fn finds_the_same_phrase_as_the_trie(
                set in proptest::collection::btree_set(proptest::collection::vec(0u8..3, 2..14), 0..200),
                text in proptest::collection::vec(0u8..4, 8..60),
            ) {
                let phrases: Vec<&[u8]> = set.iter().map(Vec::as_slice).collect();
                let trie = Trie::new(&phrases).unwrap();
                let longest = PhraseFinder::new(&phrases, &trie).unwrap();
                for at in 0..=text.len() - 8 {
                    let mut expected = (usize::from(text[at]), 1);
                    trie.walk(&text[at..], |len, phrase| expected = (PHRASE + phrase, len));
                    let word = u64::from_le_bytes(text[at..at + 8].try_into().unwrap());
                    prop_assert_eq!(longest.find(&trie, &text, at, word), expected);
                }
            }
        }
}
