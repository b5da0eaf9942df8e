//! Choosing the symbols that say a record in the fewest bits.
//!
//! A forward dynamic program over positions (Storer and Szymanski, 1982): the price of a position
//! is that of the cheapest way to it, where the price of a symbol is what its code takes in the
//! context that the way there leads to. The context belongs to the way, so this is not quite
//! optimal: only the cheapest way to each position is followed.
//!
//! Where a match is long enough to be beyond doubt, it is taken at once and the program begins anew
//! behind it, which is what keeps long and periodic input linear.

use super::encode::copied;
use super::huffman::try_vec;
use super::matches::{ContentIndex, SelfIndex, common};
use super::model::Model;
use super::symbols::*;
use super::trie::Trie;
use crate::Result;

/// How hard to look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    /// Candidates of the content for each position.
    pub content: usize,
    /// Candidates of the record; for the greedy encoder, which has one, how many strings at each
    /// end of a match it remembers.
    pub record: usize,
    /// Whether to price every length of a match, or the longest only.
    pub lengths: bool,
    /// A match this long is taken at once. 0: whatever is best at each place (`greedy`).
    pub enough: usize,
}

/// What symbols cost, in bits.
#[derive(Debug)]
pub(crate) struct Prices {
    symbols: usize,
    /// By context and symbol; the escape included where one is needed.
    table: Vec<u8>,
    context_of: Vec<u8>,
    pub(crate) position_bits: u32,
    /// What a byte takes on average where no match says it, in sixteenths of a bit.
    pub(crate) average: i32,
}

impl Prices {
    /// Those of a model's codes.
    pub(crate) fn of(model: &Model) -> Result<Prices> {
        let symbols = model.symbols();
        let mut table = try_vec(model.contexts * symbols, 0u8)?;
        for (context, row) in table.chunks_exact_mut(symbols).enumerate() {
            let (lengths, all) = (model.lengths(context), model.lengths(0));
            let escape = lengths[ESCAPE];
            for (symbol, price) in row.iter_mut().enumerate() {
                *price = match (lengths[symbol], all[symbol]) {
                    (0, 0) => UNUSABLE,
                    (0, behind_escape) => escape + behind_escape,
                    (own, _) => own,
                };
            }
        }
        Ok(Prices {
            symbols,
            table,
            context_of: copied(&model.context_of)?,
            position_bits: model.position_bits,
            average: model.average as i32,
        })
    }

    /// A guess, before anything was counted.
    pub(crate) fn guess(phrases: usize, position_bits: u32) -> Result<Prices> {
        let symbols = PHRASE + phrases;
        let mut table = try_vec(symbols, 9u8)?;
        table[..256].fill(8);
        table[CONTENT..PHRASE].fill(8);
        table[END] = 6;
        Ok(Prices { symbols, table, context_of: try_vec(symbols, 0)?, position_bits, average: 48 })
    }

    /// What `symbol` takes behind `before`, which is a byte, a phrase or the beginning.
    pub(crate) fn behind(&self, before: usize, symbol: usize) -> u32 {
        u32::from(self.row(self.context_of[before])[symbol])
    }

    #[inline(always)]
    pub(crate) fn row(&self, context: u8) -> &[u8] {
        let from = usize::from(context) * self.symbols;
        // SAFETY: contexts are those of the model, which has a row for each.
        unsafe { self.table.get_unchecked(from..from + self.symbols) }
    }
}

/// The price of a phrase that has no code.
pub(crate) const UNUSABLE: u8 = 200;

/// One step: a symbol, how many bytes it says, and what a match refers to (a position or a
/// distance).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub symbol: u16,
    pub len: u16,
    pub place: u32,
}

/// The cheapest known way to a position.
#[derive(Clone, Copy, Debug)]
struct Node {
    price: u32,
    token: Token,
    /// The distance of the last match, in the line of content and record.
    repeat: u32,
    context: u8,
}

const FAR: Node =
    Node { price: u32::MAX, token: Token { symbol: 0, len: 0, place: 0 }, repeat: 0, context: 0 };
/// Positions that are thought about at once.
const BLOCK: usize = 4096;

/// What is known of the dictionary.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known<'a> {
    pub content: &'a [u8],
    pub index: &'a ContentIndex,
    pub trie: &'a Trie,
    pub prices: &'a Prices,
}

/// Working memory of the parser, for one record after another.
#[derive(Debug)]
pub(crate) struct Parser {
    nodes: Vec<Node>,
    pub(crate) record: SelfIndex,
    way: Vec<Token>,
}

impl Parser {
    pub(crate) const fn new() -> Parser {
        Parser { nodes: Vec::new(), record: SelfIndex::new(), way: Vec::new() }
    }

    /// Says a record in symbols, the end left out, and returns how many bits they take with it.
    /// `banned` are ranges of the content that must not be used.
    pub(crate) fn parse(
        &mut self,
        known: Known<'_>,
        effort: Effort,
        text: &[u8],
        banned: &[(u32, u32)],
        tokens: &mut Vec<Token>,
    ) -> Result<u64> {
        tokens.clear();
        if self.nodes.is_empty() {
            self.nodes = try_vec(BLOCK + 1, FAR)?;
        }
        self.record.begin(text.len())?;
        let mut start = Node { context: known.prices.context_of[START], price: 0, ..FAR };
        let mut at = 0;
        let mut total = 0;
        while at < text.len() {
            let (end, long) = self.block(known, effort, text, banned, at, start);
            self.way.clear();
            let last = self.nodes[end - at];
            let mut back = end;
            while back > at {
                let token = self.nodes[back - at].token;
                self.way.try_reserve(1)?;
                self.way.push(token);
                back -= usize::from(token.len);
            }
            tokens.try_reserve(self.way.len() + 1).map_err(|_| out_of_memory())?;
            tokens.extend(self.way.iter().rev());
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
        Ok(total + u64::from(known.prices.row(start.context)[END]))
    }

    /// Thinks about positions from `begin` on, and returns to where the way is known; and the match
    /// that was long enough to end the block.
    #[inline(always)]
    fn block(
        &mut self,
        known: Known<'_>,
        effort: Effort,
        text: &[u8],
        banned: &[(u32, u32)],
        begin: usize,
        start: Node,
    ) -> (usize, Option<Node>) {
        let Known { content, index, trie, prices } = known;
        let size = (text.len() - begin).min(BLOCK);
        let stop = begin + size;
        let nodes = &mut self.nodes[..=size];
        nodes.fill(FAR);
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
                    if len >= effort.enough {
                        let token = Token { symbol: (base + code) as u16, len: len as u16, place };
                        if best.is_none_or(|best| best.token.len < token.len) {
                            best = Some(Node { price: price - node.price, token, repeat: distance, context });
                        }
                    } else if at + len <= stop {
                        relax(len, base + code, price, place, distance, context);
                    }
                };
                each(len);
                if effort.lengths && len < effort.enough {
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
    crate::Error::new(crate::ErrorKind::Oom, "out of memory to compress in")
}
