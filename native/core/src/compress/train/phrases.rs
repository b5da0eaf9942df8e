//! Selecting the strings that get a symbol of their own.
//!
//! The algorithm is that of FSST (Boncz, Neumann and Leis, "FSST: fast random access string
//! compression", 2020). Each round parses the samples with the current phrases. The phrases that
//! were used, and each pair of adjacent symbols, are the candidates of the next round, and those
//! that save most are kept. Unlike in FSST, a phrase may be long, there may be thousands of them,
//! and frequent phrases have short codes. Therefore savings are counted in bits.

use super::super::memory::try_vec;
use super::super::symbols::{MAX_PHRASE, MAX_PHRASES};
use super::super::trie::Trie;
use crate::Result;

const ROUNDS: usize = 8;
/// Two adjacent symbols, where 256 and up are phrases. The second may be [`NOTHING`].
type Pair = (u16, u16);
const NOTHING: u16 = u16::MAX;
/// All byte values, so that each can be borrowed as a text.
static BYTES: [u8; 256] = {
    let mut bytes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        bytes[byte] = byte as u8;
        byte += 1;
    }
    bytes
};

/// Selects up to `most` phrases, the best first. A phrase with fewer than `least` uses is not worth
/// its entry.
pub(super) fn pick(samples: &[&[u8]], most: usize, least: u32) -> Result<Vec<Vec<u8>>> {
    let most = most.min(MAX_PHRASES);
    let bytes: usize = samples.iter().map(|sample| sample.len()).sum();
    let mut phrases: Vec<Vec<u8>> = Vec::new();
    for round in 0..ROUNDS {
        let mut texts: Vec<&[u8]> = Vec::new();
        texts.try_reserve_exact(phrases.len())?;
        texts.extend(phrases.iter().map(Vec::as_slice));
        let trie = Trie::new(&texts)?;
        let symbols = 256 + phrases.len();
        let mut single = try_vec(symbols, 0u32)?;
        // Pairs are collected as numbers, then sorted and counted, because a table of counts would
        // be larger than the samples.
        let mut pairs: Vec<u32> = Vec::new();
        pairs.try_reserve_exact(bytes)?;
        for sample in samples {
            let (mut at, mut before) = (0, usize::MAX);
            while at < sample.len() {
                let (mut symbol, mut len) = (usize::from(sample[at]), 1);
                trie.walk(&sample[at..], |length, phrase| (symbol, len) = (256 + phrase, length));
                single[symbol] += 1;
                if before != usize::MAX {
                    pairs.push((before * 4096 + symbol) as u32);
                }
                before = symbol;
                at += len;
            }
        }
        pairs.sort_unstable();
        let total: u64 = single.iter().map(|&count| u64::from(count)).sum();
        let bits = |count: f64| (total as f64 / count).log2().max(0.5);
        let text = |symbol: u16| -> &[u8] {
            match usize::from(symbol).checked_sub(256) {
                None => &BYTES[usize::from(symbol)..][..1],
                Some(phrase) => phrases.get(phrase).map_or(&[], Vec::as_slice),
            }
        };
        // The savings of each candidate over its single bytes.
        let mut candidates: Vec<(f64, Pair)> = Vec::new();
        let mut consider = |pair: Pair, count: usize| -> Result<()> {
            let byte = |&byte: &u8| bits(f64::from(single[usize::from(byte)].max(1))).min(10.0);
            let bytes = text(pair.0).iter().chain(text(pair.1));
            let gain = count as f64 * (bytes.map(byte).sum::<f64>() - bits(count as f64));
            if gain > 0.0 {
                candidates.try_reserve(1)?;
                candidates.push((gain, pair));
            }
            Ok(())
        };
        for (&count, symbol) in single.iter().zip(0..).skip(256).filter(|&(&count, _)| count >= least) {
            consider((symbol, NOTHING), count as usize)?;
        }
        if round + 1 < ROUNDS {
            for run in pairs.chunk_by(|a, b| a == b).filter(|run| run.len() >= least as usize) {
                let pair = ((run[0] / 4096) as u16, (run[0] % 4096) as u16);
                if text(pair.0).len() + text(pair.1).len() <= MAX_PHRASE {
                    consider(pair, run.len())?;
                }
            }
        }
        drop(pairs);
        let joined = |pair: Pair| text(pair.0).iter().chain(text(pair.1));
        candidates.sort_unstable_by(|&(a, x), &(b, y)| {
            b.total_cmp(&a).then_with(|| joined(x).cmp(joined(y))).then(x.cmp(&y))
        });
        let (mut next, mut order): (Vec<Vec<u8>>, Vec<u16>) = (Vec::new(), Vec::new());
        next.try_reserve_exact(most)?;
        order.try_reserve_exact(most)?;
        for (_, pair) in candidates {
            if next.len() == most {
                break;
            }
            // Different pairs can form the same text.
            let position = order.binary_search_by(|&index| next[usize::from(index)].iter().cmp(joined(pair)));
            if let Err(position) = position {
                let mut phrase = Vec::new();
                phrase.try_reserve_exact(text(pair.0).len() + text(pair.1).len())?;
                phrase.extend(joined(pair));
                order.insert(position, next.len() as u16);
                next.push(phrase);
            }
        }
        phrases = next;
    }
    Ok(phrases)
}
