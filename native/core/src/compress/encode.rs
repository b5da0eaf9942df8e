//! Writing compressed records.

use super::bits::BitWriter;
use super::huffman::{codes, try_vec};
use super::matches::ContentIndex;
use super::model::Model;
use super::parse::{Effort, Known, Parser, Prices, Token};
use super::symbols::*;
use super::trie::Trie;
use crate::{Error, ErrorKind, Result};

/// The first byte of a record that is stored as it is.
pub(crate) const RAW: u8 = 0xFF;
/// The first byte before a bit stream which itself begins with this or [`RAW`].
pub(crate) const SHIFTED: u8 = 0xFE;

/// A code and its length, side by side; 0 for none.
type Code = u32;

/// A dictionary, prepared for encoding. Any number of threads may use one.
#[derive(Debug)]
pub(crate) struct Encoder {
    content: Vec<u8>,
    index: ContentIndex,
    trie: Trie,
    prices: Prices,
    symbols: usize,
    /// By context and symbol.
    table: Vec<Code>,
    positions: Vec<Code>,
    distances: Vec<Code>,
    context_of: Vec<u8>,
    position_bits: u32,
    padding: u8,
    tag: u8,
}

/// Working memory of an encoder, for one record after another.
#[derive(Debug)]
pub struct Scratch {
    parser: Parser,
    tokens: Vec<Token>,
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch::new()
    }
}

impl Scratch {
    /// None yet.
    #[must_use]
    pub const fn new() -> Scratch {
        Scratch { parser: Parser::new(), tokens: Vec::new() }
    }
}

/// Where a record begins: whether its first byte names the dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// In a store, which names its dictionary once.
    Bare,
    /// Alone: one byte says which dictionary, or that it is stored as it is.
    Tagged,
}

fn code_table(lengths: &[u8], table: &mut [Code]) -> Result<()> {
    let codes = codes(lengths)?;
    for ((slot, code), &length) in table.iter_mut().zip(codes).zip(lengths) {
        *slot = u32::from(code) | u32::from(length) << 16;
    }
    Ok(())
}

impl Encoder {
    pub(crate) fn new(model: &Model, content: &[u8]) -> Result<Encoder> {
        let symbols = model.symbols();
        let mut table = try_vec(model.contexts * symbols, 0)?;
        for (context, row) in table.chunks_exact_mut(symbols).enumerate() {
            code_table(model.lengths(context), row)?;
        }
        let (mut positions, mut distances) = (try_vec(POSITION_SLOTS, 0)?, try_vec(DISTANCE_SLOTS, 0)?);
        code_table(&model.positions, &mut positions)?;
        code_table(&model.distances, &mut distances)?;
        let mut own = try_vec(content.len(), 0)?;
        own.copy_from_slice(content);
        let phrases: Vec<&[u8]> =
            model.phrases.iter().map(|&(at, len)| &content[at as usize..][..usize::from(len)]).collect();
        Ok(Encoder {
            index: ContentIndex::new(content)?,
            trie: Trie::new(&phrases)?,
            prices: Prices::of(model)?,
            content: own,
            symbols,
            table,
            positions,
            distances,
            context_of: model.context_of.clone(),
            position_bits: model.position_bits,
            padding: model.padding(),
            tag: model.tag(),
        })
    }

    /// Appends a compressed record to `out`: never more than one byte longer than it is.
    pub(crate) fn encode(
        &self,
        effort: Effort,
        framing: Framing,
        text: &[u8],
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        if text.len() >= 1 << 31 {
            return Err(Error::range(format!("{} bytes are too many for one record", text.len())));
        }
        out.try_reserve(text.len() + 16)
            .map_err(|_| Error::new(ErrorKind::Oom, "out of memory for the compressed record"))?;
        let known =
            Known { content: &self.content, index: &self.index, trie: &self.trie, prices: &self.prices };
        let bits = if effort.enough == 0 {
            scratch.parser.greedy(known, effort, text, &mut scratch.tokens)?
        } else {
            scratch.parser.parse(known, effort, text, &[], &mut scratch.tokens)?
        };
        let begin = out.len();
        if bits.div_ceil(8) <= text.len() as u64 {
            if framing == Framing::Tagged {
                out.push(self.tag);
            }
            self.write(text, &scratch.tokens, out);
            debug_assert_eq!(
                (out.len() - begin - usize::from(framing == Framing::Tagged)) as u64,
                bits.div_ceil(8)
            );
            if framing == Framing::Bare && out[begin] >= SHIFTED {
                out.insert(begin, SHIFTED);
            }
            if out.len() - begin <= text.len() {
                return Ok(());
            }
            out.truncate(begin);
        }
        out.push(RAW);
        out.extend_from_slice(text);
        Ok(())
    }

    fn write(&self, text: &[u8], tokens: &[Token], out: &mut Vec<u8>) {
        let mut writer = BitWriter::default();
        let mut context = usize::from(self.context_of[START]);
        let mut at = 0;
        let put = |writer: &mut BitWriter, out: &mut Vec<u8>, code: Code| {
            writer.put(out, code & 0xFFFF, code >> 16);
        };
        let symbol_in = |writer: &mut BitWriter, out: &mut Vec<u8>, context: usize, symbol: usize| {
            let row = &self.table[context * self.symbols..][..self.symbols];
            if row[symbol] != 0 {
                put(writer, out, row[symbol]);
            } else {
                put(writer, out, row[ESCAPE]);
                put(writer, out, self.table[symbol]);
            }
        };
        for token in tokens {
            let symbol = usize::from(token.symbol);
            symbol_in(&mut writer, out, context, symbol);
            at += usize::from(token.len);
            if !(CONTENT..PHRASE).contains(&symbol) {
                context = usize::from(self.context_of[symbol]);
                continue;
            }
            context = usize::from(self.context_of[usize::from(text[at - 1])]);
            let (_, width, more) = length_code(usize::from(token.len));
            writer.put(out, more, width);
            if symbol < SELF {
                let place = token.place;
                let code = self.positions[(place >> self.position_bits) as usize];
                writer.put(out, code & 0xFFFF, code >> 16);
                writer.put(out, place & ((1 << self.position_bits) - 1), self.position_bits);
            } else if symbol < REPEAT {
                let (slot, width, more) = distance_slot(token.place);
                let code = self.distances[slot];
                writer.put(out, code & 0xFFFF, code >> 16);
                writer.put(out, more, width);
            }
        }
        symbol_in(&mut writer, out, context, END);
        writer.finish(out, self.padding);
    }
}
