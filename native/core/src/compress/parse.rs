//! Optimal parsing: the sequence of symbols that encodes a record in the fewest bits.
//!
//! A forward dynamic program over positions (Storer and Szymanski, 1982). The price of a position
//! is the price of the cheapest path to it, and the price of a symbol is the length of its code in
//! the context at the end of that path. Because the context depends on the path, and only the
//! cheapest path to each position is kept, the result is not quite optimal.
//!
//! A match of at least `nice_length` bytes is taken at once, and the program starts again after it.
//! This keeps the time linear for long and periodic input.

use super::matches::{ContentIndex, SelfIndex, common};
use super::memory::{try_to_vec, try_vec};
use super::model::Model;
use super::symbols::*;
use super::trie::Trie;
use crate::Result;

/// How much work to spend on finding a short encoding.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// The number of candidates in the content for each position.
    pub content: usize,
    /// The number of candidates in the record. For the greedy encoder, which tries only one, the
    /// number of strings at each end of a match that it indexes.
    pub record: usize,
    /// Whether to price every length of a match, or only the longest.
    pub lengths: bool,
    /// A match of this length is taken at once (zlib's and zstd's term). 0 selects the greedy
    /// encoder.
    pub nice_length: usize,
}

/// The prices of symbols, in bits.
#[derive(Debug)]
pub(crate) struct Prices {
    symbols: usize,
    /// Indexed by context and symbol. Prices include the escape where one is needed.
    table: Vec<u8>,
    context_of: Vec<u8>,
    pub(crate) position_bits: u32,
    /// The average price of a byte that is not part of a match, in 1/16 bit.
    pub(crate) average: i32,
}

impl Prices {
    /// The prices according to the codes of a model.
    pub(crate) fn of(model: &Model) -> Result<Prices> {
        let symbols = model.symbols();
        let mut table = try_vec(model.contexts * symbols, 0u8)?;
        for (context, row) in table.chunks_exact_mut(symbols).enumerate() {
            let (lengths, all) = (model.lengths(context), model.lengths(0));
            let escape = lengths[ESCAPE];
            for (symbol, price) in row.iter_mut().enumerate() {
                *price = match (lengths[symbol], all[symbol]) {
                    (0, 0) => UNUSABLE,
                    (0, after_escape) => escape + after_escape,
                    (own, _) => own,
                };
            }
        }
        Ok(Prices {
            symbols,
            table,
            context_of: try_to_vec(&model.context_of)?,
            position_bits: model.position_bits,
            average: model.average as i32,
        })
    }

    /// Estimated prices, for use before anything has been counted.
    pub(crate) fn guess(phrases: usize, position_bits: u32) -> Result<Prices> {
        let symbols = PHRASE + phrases;
        let mut table = try_vec(symbols, 9u8)?;
        table[..256].fill(8);
        table[CONTENT..PHRASE].fill(8);
        table[END] = 6;
        Ok(Prices { symbols, table, context_of: try_vec(symbols, 0)?, position_bits, average: 48 })
    }

    /// The price of `symbol` after `before`, which is a byte, a phrase, or [`START`].
    pub(crate) fn after(&self, before: usize, symbol: usize) -> u32 {
        u32::from(self.row(self.context_of[before])[symbol])
    }

    #[inline(always)]
    pub(crate) fn row(&self, context: u8) -> &[u8] {
        let from = usize::from(context) * self.symbols;
        // SAFETY: `context` is one of the model, and the table has a row for each.
        unsafe { self.table.get_unchecked(from..from + self.symbols) }
    }
}

/// The price of a phrase that has no code.
pub(crate) const UNUSABLE: u8 = 200;

/// One step of a parse: a symbol, the number of bytes it encodes, and the position or distance of a
/// match.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub symbol: u16,
    pub len: u16,
    pub place: u32,
}

/// The cheapest path to a position that is known so far.
#[derive(Clone, Copy, Debug)]
struct Node {
    price: u32,
    token: Token,
    /// The distance of the last match, in the line of content and record.
    repeat: u32,
    context: u8,
}

const UNREACHED: Node =
    Node { price: u32::MAX, token: Token { symbol: 0, len: 0, place: 0 }, repeat: 0, context: 0 };
/// The number of positions per block of the dynamic program.
const BLOCK: usize = 4096;

/// The texts, phrases and prices that a record is encoded with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vocabulary<'a> {
    pub content: &'a [u8],
    pub index: &'a ContentIndex,
    pub trie: &'a Trie,
    pub prices: &'a Prices,
}

/// Working memory of the parser, reused for one record after another.
#[derive(Debug)]
pub(crate) struct Parser {
    nodes: Vec<Node>,
    pub(crate) record: SelfIndex,
    path: Vec<Token>,
}

impl Parser {
    pub(crate) const fn new() -> Parser {
        Parser { nodes: Vec::new(), record: SelfIndex::new(), path: Vec::new() }
    }

    /// Parses a record into symbols without the end, and returns the number of bits including the
    /// end. Ranges of the content in `banned` are not used.
    pub(crate) fn parse(
        &mut self,
        vocabulary: Vocabulary<'_>,
        effort: Effort,
        text: &[u8],
        banned: &[(u32, u32)],
        tokens: &mut Vec<Token>,
    ) -> Result<u64> {
        tokens.clear();
        if self.nodes.is_empty() {
            self.nodes = try_vec(BLOCK + 1, UNREACHED)?;
        }
        self.record.begin(text.len())?;
        let mut start = Node { context: vocabulary.prices.context_of[START], price: 0, ..UNREACHED };
        let mut at = 0;
        let mut total = 0;
        while at < text.len() {
            let (end, long) = self.block(vocabulary, effort, text, banned, at, start);
            self.path.clear();
            let last = self.nodes[end - at];
            let mut back = end;
            while back > at {
                let token = self.nodes[back - at].token;
                self.path.try_reserve(1)?;
                self.path.push(token);
                back -= usize::from(token.len);
            }
            tokens.try_reserve(self.path.len() + 1).map_err(|_| out_of_memory())?;
            tokens.extend(self.path.iter().rev());
            total += u64::from(last.price);
            start = Node { price: 0, ..last };
            at = end;
            if let Some(node) = long {
                tokens.push(node.token);
                total += u64::from(node.price);
                at += usize::from(node.token.len);
                start = Node { price: 0, ..node };
            }
        }
        Ok(total + u64::from(vocabulary.prices.row(start.context)[END]))
    }

    /// Runs the dynamic program for one block from `begin` on. Returns the position at which it
    /// stopped, and the long match, if any, that stopped it.
    #[inline(always)]
    fn block(
        &mut self,
        vocabulary: Vocabulary<'_>,
        effort: Effort,
        text: &[u8],
        banned: &[(u32, u32)],
        begin: usize,
        start: Node,
    ) -> (usize, Option<Node>) {
        let Vocabulary { content, index, trie, prices } = vocabulary;
        let size = (text.len() - begin).min(BLOCK);
        let stop = begin + size;
        let nodes = &mut self.nodes[..=size];
        nodes.fill(UNREACHED);
        nodes[0] = start;
        for at in begin..stop {
            let node = nodes[at - begin];
            if node.price == u32::MAX {
                continue;
            }
            let row = prices.row(node.context);
            let mut relax = |len: usize, symbol: usize, price: u32, place: u32, repeat: u32, context: u8| {
                let target = &mut nodes[at - begin + len];
                if price < target.price {
                    let token = Token { symbol: symbol as u16, len: len as u16, place };
                    *target = Node { price, token, repeat, context };
                }
            };
            let byte = usize::from(text[at]);
            relax(1, byte, node.price + u32::from(row[byte]), 0, node.repeat, prices.context_of[byte]);
            let mut longest = 1;
            trie.walk(&text[at..stop], |len, phrase| {
                let symbol = PHRASE + phrase;
                if row[symbol] == UNUSABLE {
                    return;
                }
                longest = len;
                let price = node.price + u32::from(row[symbol]);
                relax(len, symbol, price, 0, node.repeat, prices.context_of[symbol]);
            });
            let mut best: Option<Node> = None;
            let here = (content.len() + at) as u32;
            let mut consider = |base: usize, len: usize, fixed: u32, place: u32, distance: u32| {
                let mut each = |len: usize| {
                    let (code, bits, _) = length_code(len);
                    let price = node.price + u32::from(row[base + code]) + bits + fixed;
                    let context = prices.context_of[base + code];
                    if len >= effort.nice_length {
                        let token = Token { symbol: (base + code) as u16, len: len as u16, place };
                        if best.is_none_or(|best| best.token.len < token.len) {
                            best = Some(Node { price: price - node.price, token, repeat: distance, context });
                        }
                    } else if at + len <= stop {
                        relax(len, base + code, price, place, distance, context);
                    }
                };
                each(len);
                if effort.lengths && len < effort.nice_length {
                    (MIN_MATCH..len).for_each(each);
                }
            };
            if node.repeat != 0 {
                let source = here.wrapping_sub(node.repeat) as usize;
                let room = (text.len() - at).min(MAX_MATCH);
                let len = if source < content.len() {
                    let limit = room.min(content.len() - source);
                    let free = banned.is_empty();
                    if free { common(content, source, text, at, limit) } else { 0 }
                } else {
                    common(text, source - content.len(), text, at, room)
                };
                if len >= MIN_MATCH {
                    consider(REPEAT, len, 0, 0, node.repeat);
                }
            }
            let (len, position) = index.find(content, text, at, effort.content, banned);
            if len > longest {
                consider(CONTENT, len, prices.position_bits, position as u32, here - position as u32);
            }
            self.record.advance(text, at);
            let (len, distance) = self.record.find(text, at, effort.record);
            if len > longest.min(6) {
                let class = distance_class(distance as u32);
                let (base, bits) = (SELF + class * LENGTH_CODES, class_distance(class).1);
                consider(base, len, bits, distance as u32, distance as u32);
            }
            if best.is_some() {
                return (at, best);
            }
        }
        (stop, None)
    }
}

#[cold]
fn out_of_memory() -> crate::Error {
    crate::Error::new(crate::ErrorKind::Oom, "out of memory for compression")
}
