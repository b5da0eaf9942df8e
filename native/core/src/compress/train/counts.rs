//! Counting symbols in the parse of samples, and making codes of the counts.

use super::super::huffman::{code_lengths, try_vec};
use super::super::model::{Model, position_bits};
use super::super::parse::{Effort, Known, Parser};
use super::super::symbols::*;
use super::contexts;
use crate::Result;

/// How often each symbol came behind each, and each slot was named.
pub(super) struct Counts {
    pub symbols: usize,
    /// By the symbol before (a match counts as the byte it ends with, the beginning as `START`) and the symbol.
    pub pairs: Vec<u32>,
    pub positions: [u64; POSITION_SLOTS],
    pub distances: [u64; DISTANCE_SLOTS],
    /// What bytes and phrases take, in bits.
    pub bits: u64,
    /// The bytes that they say.
    pub bytes: u64,
}

/// A record to count in, and what of the content was taken from it, which must not count as found.
pub(super) struct Sample<'a> {
    pub text: &'a [u8],
    pub banned: Vec<(u32, u32)>,
}

/// Parses samples and counts.
pub(super) fn count(
    known: Known<'_>,
    symbols: usize,
    position_bits: u32,
    effort: Effort,
    samples: &[Sample<'_>],
) -> Result<Counts> {
    let mut counts = Counts {
        symbols,
        pairs: try_vec(symbols * symbols, 0)?,
        positions: [0; POSITION_SLOTS],
        distances: [0; DISTANCE_SLOTS],
        bits: 0,
        bytes: 0,
    };
    let (mut parser, mut tokens) = (Parser::new(), Vec::new());
    for sample in samples {
        parser.parse(known, effort, sample.text, &sample.banned, &mut tokens)?;
        let (mut before, mut at) = (START, 0);
        for token in &tokens {
            let symbol = usize::from(token.symbol);
            counts.pairs[before * symbols + symbol] += 1;
            at += usize::from(token.len);
            if !(CONTENT..PHRASE).contains(&symbol) {
                counts.bits += u64::from(known.prices.behind(before, symbol));
                counts.bytes += u64::from(token.len);
                before = symbol;
            } else {
                before = usize::from(sample.text[at - 1]);
                if symbol < SELF {
                    counts.positions[(token.place >> position_bits) as usize] += 1;
                } else if symbol < REPEAT {
                    counts.distances[distance_slot(token.place).0] += 1;
                }
            }
        }
        counts.pairs[before * symbols + END] += 1;
    }
    Ok(counts)
}

impl Counts {
    /// How often each symbol came up.
    pub(super) fn totals(&self) -> Result<Vec<u64>> {
        let mut totals = try_vec(self.symbols, 0u64)?;
        for row in self.pairs.chunks_exact(self.symbols) {
            totals.iter_mut().zip(row).for_each(|(total, &count)| *total += u64::from(count));
        }
        Ok(totals)
    }

    /// Lengths for the slots of positions in so many bytes of content.
    fn position_lengths(
        positions: &[u64; POSITION_SLOTS],
        bits: u32,
        content: usize,
    ) -> Result<[u8; POSITION_SLOTS]> {
        let slots = if content == 0 { 0 } else { ((content - 1) >> bits) + 1 };
        let mut weights = [0; POSITION_SLOTS];
        weights[..slots].iter_mut().zip(positions).for_each(|(weight, count)| *weight = count * 4 + 1);
        let mut lengths = [0; POSITION_SLOTS];
        lengths.copy_from_slice(&code_lengths(&weights)?);
        Ok(lengths)
    }

    /// Suits a model to its content, of which the first `cut` bytes were dropped and `content` are left.
    pub(super) fn cut(&self, model: &mut Model, cut: usize, content: usize) -> Result<()> {
        let (before, bits) = (model.position_bits, position_bits(content));
        let mut positions = [0; POSITION_SLOTS];
        for (slot, &count) in self.positions.iter().enumerate() {
            let slot = (slot << before).saturating_sub(cut) >> bits;
            if let Some(total) = positions.get_mut(slot) {
                *total += count;
            }
        }
        model.phrases.iter_mut().for_each(|phrase| phrase.0 -= cut as u32);
        model.position_bits = bits;
        model.positions = Self::position_lengths(&positions, bits, content)?;
        Ok(())
    }

    /// A model that suits the counts, with at most so many contexts.
    pub(super) fn model(
        &self,
        groups: usize,
        phrases: Vec<(u32, u8)>,
        position_bits: u32,
        content: usize,
    ) -> Result<Model> {
        let symbols = self.symbols;
        let mut followers: contexts::Followers = Vec::new();
        followers.try_reserve_exact(symbols)?;
        for row in self.pairs.chunks_exact(symbols) {
            let mut list = Vec::new();
            list.try_reserve_exact(row.iter().filter(|&&count| count > 0).count())?;
            list.extend(
                row.iter().zip(0..).filter(|&(&count, _)| count > 0).map(|(&count, next)| (next, count)),
            );
            followers.push(list);
        }
        let mut group_of = contexts::group(&followers, symbols, groups)?;
        let groups =
            if groups <= 1 { 1 } else { usize::from(group_of.iter().copied().max().unwrap_or(0)) + 1 };
        // Context 0 is where escapes lead. Where it is alone it is everything else as well.
        let contexts = if groups == 1 { 1 } else { groups + 1 };
        let mut lengths = try_vec(contexts * symbols, 0u8)?;
        let mut escaped = try_vec(symbols, 1u64)?;
        escaped[ESCAPE] = 0;
        for group in 0..groups {
            let mut counts = try_vec(symbols, 0u64)?;
            for (list, _) in followers.iter().zip(&group_of).filter(|&(_, &of)| usize::from(of) == group) {
                for &(next, count) in list {
                    counts[usize::from(next)] += u64::from(count);
                }
            }
            if groups == 1 {
                for (slot, count) in escaped.iter_mut().zip(&counts) {
                    *slot += 16 * count;
                }
                break;
            }
            let mut escapes = 1;
            for (symbol, count) in counts.iter_mut().enumerate() {
                if *count < 2 {
                    escapes += *count;
                    escaped[symbol] += *count * 16;
                    *count = 0;
                }
            }
            counts[ESCAPE] = escapes;
            lengths[(group + 1) * symbols..][..symbols].copy_from_slice(&code_lengths(&counts)?);
        }
        lengths[..symbols].copy_from_slice(&code_lengths(&escaped)?);
        let mut distances = self.distances;
        for (slot, count) in distances.iter_mut().enumerate() {
            *count = if slot_distance(slot).0 < 1 << 31 { *count * 16 + 1 } else { 0 };
        }
        for group in &mut group_of {
            *group = if contexts == 1 { 0 } else { *group + 1 };
        }
        let mut model = Model {
            contexts,
            context_of: group_of,
            code_lengths: lengths,
            positions: Self::position_lengths(&self.positions, position_bits, content)?,
            distances: [0; DISTANCE_SLOTS],
            position_bits,
            phrases,
            identity: 0,
            average: (self.bits * 16 / self.bytes.max(1)).clamp(4, 160) as u32,
        };
        model.distances.copy_from_slice(&code_lengths(&distances)?);
        Ok(model)
    }
}
