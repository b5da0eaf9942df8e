//! Counting symbols in the parse of samples, and making codes from the counts.

use super::super::huffman::code_lengths;
use super::super::memory::try_vec;
use super::super::model::{Model, position_bits};
use super::super::parse::{Effort, Parser, Vocabulary};
use super::super::symbols::*;
use super::contexts;
use crate::Result;

/// The most bits of a code. The tables of all contexts should fit in the first-level cache, because
/// decoding waits for them.
const CODE_BITS: u32 = 10;
/// The same if there is only one context.
const LONE_BITS: u32 = 12;
const _: () = assert!(PHRASE + MAX_PHRASES <= 1 << LONE_BITS);

/// The number of times each symbol followed each other symbol.
pub(super) struct Counts {
    pub symbols: usize,
    /// Indexed by the previous symbol (`START` at the beginning) and the symbol.
    pub pairs: Vec<u32>,
    /// The price of all bytes and phrases, in bits.
    pub bits: u64,
    /// The number of bytes that they encode.
    pub bytes: u64,
    /// The number of all symbols, and of those that are matches.
    pub taken: u64,
    pub matches: u64,
}

/// A record to count in, and the ranges of the content that came from it, which must not be used.
pub(super) struct Sample<'a> {
    pub text: &'a [u8],
    pub banned: Vec<(u32, u32)>,
}

/// Parses samples and counts their symbols.
pub(super) fn count(
    vocabulary: Vocabulary<'_>,
    symbols: usize,
    effort: Effort,
    samples: &[Sample<'_>],
) -> Result<Counts> {
    let mut counts =
        Counts { symbols, pairs: try_vec(symbols * symbols, 0)?, bits: 0, bytes: 0, taken: 0, matches: 0 };
    let (mut parser, mut tokens) = (Parser::new(), Vec::new());
    for sample in samples {
        parser.parse(vocabulary, effort, sample.text, &sample.banned, &mut tokens)?;
        counts.taken += tokens.len() as u64 + 1;
        let mut before = START;
        for token in &tokens {
            let symbol = usize::from(token.symbol);
            counts.pairs[before * symbols + symbol] += 1;
            if !(CONTENT..PHRASE).contains(&symbol) {
                counts.bits += u64::from(vocabulary.prices.after(before, symbol));
                counts.bytes += u64::from(token.len);
            } else {
                counts.matches += 1;
            }
            before = symbol;
        }
        counts.pairs[before * symbols + END] += 1;
    }
    Ok(counts)
}

impl Counts {
    /// The number of occurrences of each symbol.
    pub(super) fn totals(&self) -> Result<Vec<u64>> {
        let mut totals = try_vec(self.symbols, 0u64)?;
        for row in self.pairs.chunks_exact(self.symbols) {
            totals.iter_mut().zip(row).for_each(|(total, &count)| *total += u64::from(count));
        }
        Ok(totals)
    }

    /// Creates a model for the counts, with at most `groups` contexts besides that of escapes.
    pub(super) fn model(&self, groups: usize, phrases: Vec<(u32, u8)>, content: usize) -> Result<Model> {
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
        // Context 0 is the context after an escape. If it is the only one, it serves all symbols.
        let contexts = if groups == 1 { 1 } else { groups + 1 };
        let code_bits = if contexts == 1 { LONE_BITS } else { CODE_BITS };
        let mut lengths = try_vec(contexts * symbols, 0u8)?;
        // Every symbol has a code in context 0, except for phrases, which are optional.
        let mut escaped = try_vec(symbols, 1u64)?;
        escaped[ESCAPE] = 0;
        escaped[PHRASE..].fill(0);
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
            // The code of a very rare symbol would cost the other symbols more than an escape
            // costs.
            let least = ((counts.iter().sum::<u64>() * 3) >> (code_bits + 3)).max(2);
            for (symbol, count) in counts.iter_mut().enumerate() {
                if *count < least {
                    escapes += *count;
                    escaped[symbol] += *count * 16;
                    *count = 0;
                }
            }
            // If there are more symbols than codes, the rarest are escaped as well. The escape
            // itself always needs a code.
            let mut coded = Vec::new();
            coded.try_reserve_exact(symbols)?;
            coded.extend((0..symbols).filter(|&symbol| counts[symbol] > 0));
            coded.sort_unstable_by_key(|&symbol| (std::cmp::Reverse(counts[symbol]), symbol));
            for &symbol in coded.iter().skip((1 << code_bits) - 1) {
                escapes += counts[symbol];
                escaped[symbol] += counts[symbol] * 16;
                counts[symbol] = 0;
            }
            counts[ESCAPE] = escapes;
            lengths[(group + 1) * symbols..][..symbols].copy_from_slice(&code_lengths(&counts, code_bits)?);
        }
        // Only the most frequent phrases have a code in context 0, so that the codes of the other
        // symbols remain short.
        let room = if contexts == 1 { symbols } else { 1 << (code_bits - 2) };
        let mut order = try_vec(symbols - PHRASE, PHRASE)?;
        order.iter_mut().enumerate().for_each(|(number, symbol)| *symbol += number);
        order.sort_unstable_by_key(|&symbol| (std::cmp::Reverse(escaped[symbol]), symbol));
        order.iter().skip(room).for_each(|&symbol| escaped[symbol] = 0);
        lengths[..symbols].copy_from_slice(&code_lengths(&escaped, code_bits)?);
        for group in &mut group_of {
            *group = if contexts == 1 { 0 } else { *group + 1 };
        }
        Ok(Model {
            contexts,
            context_of: group_of,
            code_lengths: lengths,
            position_bits: position_bits(content),
            phrases,
            identity: 0,
            average: (self.bits * 16 / self.bytes.max(1)).clamp(4, 160) as u32,
            matches: (self.matches * 256 / self.taken.max(1)) as u32,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::model;
    use super::*;

    /// A symbol without a code in a context is written after an escape, so the escape needs a code
    /// even if more symbols follow than there are codes.
    #[test]
    fn escape_always_has_a_code() {
        let symbols = PHRASE + 1024;
        let mut pairs = try_vec(symbols * symbols, 0u32).unwrap();
        for (before, row) in pairs.chunks_exact_mut(symbols).enumerate() {
            if before % 2 == 0 {
                row.fill(100);
            } else {
                row[usize::from(b'a')] = 100;
            }
            row[ESCAPE] = 0;
        }
        let counts = Counts { symbols, pairs, bits: 1, bytes: 1, taken: 1, matches: 0 };
        let model = counts.model(2, vec![(0, 1); 1024], 10).unwrap();
        assert!(model.contexts > 1);
        for context in 1..model.contexts {
            assert!(model.lengths(context)[ESCAPE] > 0, "context {context}");
        }
        model::check(&model, 10).unwrap();
    }
}
