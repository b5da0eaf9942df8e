//! Picking the strings that get a symbol of their own.
//!
//! As FSST does (Boncz, Neumann and Leis, "FSST: fast random access string compression", 2020): the samples are cut up with the phrases at hand;
//! what was used, and each two that stood side by side, are candidates of the next round; those that save most
//! stay. Unlike there, a phrase may be long, there may be thousands, and a code is as short as its phrase
//! is frequent, so what a phrase saves is counted in bits.

use super::super::huffman::try_vec;
use super::super::symbols::{MAX_PHRASE, MAX_PHRASES};
use super::super::trie::Trie;
use crate::{Error, Result};
use std::collections::BTreeSet;

const ROUNDS: usize = 8;

/// Up to `most` phrases, the best first. Those used less than `least` times are not worth their entry.
pub(super) fn pick(samples: &[&[u8]], most: usize, least: u32) -> Result<Vec<Vec<u8>>> {
    let most = most.min(MAX_PHRASES);
    let bytes: usize = samples.iter().map(|sample| sample.len()).sum();
    let mut phrases: Vec<Vec<u8>> = Vec::new();
    for round in 0..ROUNDS {
        let texts: Vec<&[u8]> = phrases.iter().map(Vec::as_slice).collect();
        let trie = Trie::new(&texts)?;
        let symbols = 256 + phrases.len();
        let mut single = try_vec(symbols, 0u32)?;
        // Pairs as numbers, sorted and counted afterwards: a table of counts would be larger than the samples.
        let mut pairs: Vec<u32> = Vec::new();
        pairs.try_reserve_exact(bytes).map_err(|_| Error::oom("out of memory to train in"))?;
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
        let text =
            |symbol: usize| if symbol < 256 { vec![symbol as u8] } else { phrases[symbol - 256].clone() };
        // What a candidate saves against its bytes.
        let mut candidates: Vec<(f64, Vec<u8>)> = Vec::new();
        let mut consider = |text: Vec<u8>, count: usize| {
            let byte = |&byte: &u8| bits(f64::from(single[usize::from(byte)].max(1))).min(10.0);
            let gain = count as f64 * (text.iter().map(byte).sum::<f64>() - bits(count as f64));
            if gain > 0.0 {
                candidates.push((gain, text));
            }
        };
        for (symbol, &count) in single.iter().enumerate().skip(256).filter(|&(_, &count)| count >= least) {
            consider(text(symbol), count as usize);
        }
        if round + 1 < ROUNDS {
            for run in pairs.chunk_by(|a, b| a == b).filter(|run| run.len() >= least as usize) {
                let (mut joined, second) = (text(run[0] as usize / 4096), text(run[0] as usize % 4096));
                if joined.len() + second.len() <= MAX_PHRASE {
                    joined.extend(second);
                    consider(joined, run.len());
                }
            }
        }
        candidates.sort_unstable_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.cmp(y)));
        let mut seen = BTreeSet::new();
        phrases.clear();
        for (_, text) in candidates {
            if phrases.len() == most {
                break;
            }
            // One text can be joined of different pairs.
            if seen.insert(text.clone()) {
                phrases.push(text);
            }
        }
    }
    Ok(phrases)
}
