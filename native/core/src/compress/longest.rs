//! The longest phrase at a place, with few branches that nobody can foresee.
//!
//! A trie takes a step, and a guess, for each byte. Here the first three bytes name a line of the
//! cache that holds the phrases which begin with them, of each its first eight bytes, the longest
//! first; all of a line are compared at once (Boncz, Neumann and Leis look the phrases of FSST up
//! in this way, one for each three bytes). Phrases of two bytes are in a table of all pairs. Only
//! for longer ones than eight bytes does the trie go on.

use super::huffman::try_vec;
use super::symbols::PHRASE;
use super::trie::{Node, Trie};
use crate::Result;

/// Phrases in a line.
const LINE: usize = 4;
/// Bits of the hash of three bytes.
const BITS: u32 = 11;

/// Up to four phrases with a common hash.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Line {
    /// The first bytes, at most eight, in the low end.
    keys: [u64; LINE],
    /// What is known when those are there.
    found: [Found; LINE],
    /// Bits of a word that are not part of the key.
    spare: [u8; LINE],
}

/// A symbol in the low 12 bits, then its length in 8, then which of the nodes the trie goes on from
/// in 12; 0 for none.
type Found = u32;

const fn found(symbol: usize, len: usize) -> Found {
    symbol as u32 | (len as u32) << 12
}

/// Finds the longest phrase.
#[derive(Debug)]
pub(super) struct Longest {
    /// For each two bytes the phrase of two bytes, or the byte.
    pairs: Vec<u16>,
    /// By the hash of three bytes: the first line in the low half, how many more in the high one.
    heads: Vec<u32>,
    lines: Vec<Line>,
    /// Nodes of the trie at the eighth byte, of phrases that are longer.
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

impl Longest {
    /// Of phrases that the trie was made of.
    pub(super) fn new(phrases: &[&[u8]], trie: &Trie) -> Result<Longest> {
        let mut pairs = try_vec(1 << 16, 0u16)?;
        pairs.iter_mut().enumerate().for_each(|(pair, symbol)| *symbol = pair as u16 & 255);
        let mut made = Longest { pairs, heads: try_vec(1 << BITS, 0)?, lines: Vec::new(), nodes: Vec::new() };
        for (number, phrase) in phrases.iter().enumerate().filter(|(_, phrase)| phrase.len() == 2) {
            made.pairs[usize::from(u16::from_le_bytes([phrase[0], phrase[1]]))] = (PHRASE + number) as u16;
        }
        // By bucket; in it the longest first; of equal beginnings one.
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
        // No bucket's own: what is found in it for eight zeros, which are all that it matches.
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
                        line.found[slot] = made.known(trie, &key.to_le_bytes()[..len]);
                    } else {
                        // A line that is not full repeats its last.
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

    /// What is known of a text that begins with up to eight bytes, which are the beginning of a
    /// phrase.
    fn known(&mut self, trie: &Trie, bytes: &[u8]) -> Found {
        let (mut symbol, mut len) = (usize::from(bytes[0]), 1);
        trie.walk(bytes, |length, phrase| (symbol, len) = (PHRASE + phrase, length));
        let node = trie.node(bytes).filter(|_| bytes.len() == 8).filter(|node| trie.goes_on(*node));
        let more = node.map_or(0, |node| {
            self.nodes.push(node);
            self.nodes.len() as u32
        });
        found(symbol, len) | more << 20
    }

    /// Symbol and length of the longest phrase that `text` has at `at`, where `word` is what begins
    /// there, or of the byte.
    #[inline(always)]
    pub(super) fn find(&self, trie: &Trie, text: &[u8], at: usize, word: u64) -> (usize, usize) {
        let pair = u32::from(self.pairs[word as usize & 0xFFFF]);
        let pair = pair | if pair < PHRASE as u32 { 1 << 12 } else { 2 << 12 };
        let head = self.heads[hash(word)];
        let (mut line, last) = ((head & 0xFFFF) as usize, ((head & 0xFFFF) + (head >> 16)) as usize);
        let mut known;
        loop {
            // SAFETY: heads name lines.
            let Line { keys, found, spare } = unsafe { self.lines.get_unchecked(line) };
            let mut hits = 0;
            for slot in 0..LINE {
                hits |= u32::from((keys[slot] ^ word) << (spare[slot] & 63) == 0) << slot;
            }
            // SAFETY: less than 4.
            let first = unsafe { *found.get_unchecked(hits.trailing_zeros() as usize & (LINE - 1)) };
            known = std::hint::select_unpredictable(hits != 0, first, pair);
            if line == last || hits != 0 {
                break;
            }
            line += 1;
        }
        let (mut symbol, mut len) = ((known & 0xFFF) as usize, (known >> 12 & 0xFF) as usize);
        if known >> 20 != 0 {
            let node = self.nodes[(known >> 20) as usize - 1];
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
        fn it_finds_what_the_trie_finds(
            set in proptest::collection::btree_set(proptest::collection::vec(0u8..3, 2..14), 0..200),
            text in proptest::collection::vec(0u8..4, 8..60),
        ) {
            let phrases: Vec<&[u8]> = set.iter().map(Vec::as_slice).collect();
            let trie = Trie::new(&phrases).unwrap();
            let longest = Longest::new(&phrases, &trie).unwrap();
            for at in 0..=text.len() - 8 {
                let mut expected = (usize::from(text[at]), 1);
                trie.walk(&text[at..], |len, phrase| expected = (PHRASE + phrase, len));
                let word = u64::from_le_bytes(text[at..at + 8].try_into().unwrap());
                prop_assert_eq!(longest.find(&trie, &text, at, word), expected);
            }
        }
    }
}
