//! Writing compressed records.

use super::bits::{BackWriter, BitWriter, ROOM};
use super::huffman::{MAX_BITS, codes, try_vec};
use super::longest::Longest;
use super::matches::{ContentBuckets, ContentIndex};
use super::model::Model;
use super::parse::{Effort, Known, Parser, Prices, Token};
use super::symbols::*;
use super::trie::Trie;
use crate::{Error, ErrorKind, Result};
use std::sync::OnceLock;

/// The first byte of a record that is stored as it is.
pub(crate) const RAW: u8 = 0xFF;
/// The first byte before a bit stream which itself begins with this or [`RAW`].
pub(crate) const SHIFTED: u8 = 0xFE;

/// A code, above its length in 5 bits; 0 for an escape and a code that are not kept as one.
type Code = u32;
/// Of a phrase that can not be used.
const NO_CODE: Code = u32::MAX;

/// In sixteenths of a bit, what strings that are looked for in the content and in the record cost
/// where no match says them.
const FAR: usize = 256;
const NEAR: usize = 192;

/// How long a code with the escape before it may be to be kept as one.
const MOST_BITS: u32 = 27;

/// A dictionary, prepared for encoding. Any number of threads may use one.
#[derive(Debug)]
pub(crate) struct Encoder {
    pub(super) content: Vec<u8>,
    pub(super) buckets: ContentBuckets,
    /// Bytes of the strings that the greedy encoder looks for in the record.
    pub(super) near: usize,
    /// For those who look harder.
    index: OnceLock<ContentIndex>,
    pub(super) trie: Trie,
    pub(super) longest: Longest,
    pub(super) prices: Prices,
    symbols: usize,
    /// By context and symbol.
    table: Vec<Code>,
    pub(super) context_of: Vec<u8>,
    position_bits: u32,
    padding: u8,
    tag: u8,
}

/// Working memory of an encoder, for one record after another.
#[derive(Debug)]
pub struct Scratch {
    pub(super) parser: Parser,
    tokens: Vec<Token>,
    /// For what is written from the end of a record on.
    pub(super) back: Vec<u8>,
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
        Scratch { parser: Parser::new(), tokens: Vec::new(), back: Vec::new() }
    }
}

/// The two parts of a record that meet in its midst.
pub(super) struct Writer<'a> {
    pub(super) codes: BitWriter<'a>,
    pub(super) back: BackWriter<'a>,
}

/// Where a record begins: whether its first byte names the dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// In a store, which names its dictionary once.
    Bare,
    /// Alone: one byte says which dictionary, or that it is stored as it is.
    Tagged,
}

/// A copy, or `Oom`.
pub(super) fn copied<T: Copy>(from: &[T]) -> Result<Vec<T>> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(from.len())?;
    vec.extend_from_slice(from);
    Ok(vec)
}

fn code_table(lengths: &[u8], table: &mut [Code]) -> Result<()> {
    let codes = codes(lengths)?;
    for ((slot, code), &length) in table.iter_mut().zip(codes).zip(lengths) {
        *slot = u32::from(code) << 5 | u32::from(length);
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
        let (all, others) = table.split_at_mut(symbols);
        for row in others.chunks_exact_mut(symbols) {
            let escape = row[ESCAPE];
            for (code, behind) in row.iter_mut().zip(&*all).filter(|(code, _)| **code == 0) {
                let (first, bits) = (escape & 31, (escape & 31) + (behind & 31));
                if first == 0 || behind & 31 == 0 {
                    *code = NO_CODE;
                } else if bits <= MOST_BITS {
                    *code = bits | (escape >> 5 | (behind >> 5) << first) << 5;
                }
            }
        }
        all.iter_mut().filter(|code| **code == 0).for_each(|code| *code = NO_CODE);
        let mut phrases: Vec<&[u8]> = Vec::new();
        phrases.try_reserve_exact(model.phrases.len())?;
        phrases.extend(model.phrases.iter().map(|&(at, len)| &content[at as usize..][..usize::from(len)]));
        let trie = Trie::new(&phrases)?;
        Ok(Encoder {
            longest: Longest::new(&phrases, &trie)?,
            // A match costs some twenty bits, one in the record fewer. Where a byte costs little
            // without one, a short one is not worth it, and looking at it only takes time.
            buckets: ContentBuckets::new(content, (FAR / model.average.max(1) as usize).clamp(8, 12))?,
            near: (NEAR / model.average.max(1) as usize).clamp(5, 8),
            index: OnceLock::new(),
            trie,
            prices: Prices::of(model)?,
            content: copied(content)?,
            symbols,
            table,
            context_of: copied(&model.context_of)?,
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
        // For a bit stream as long as the text, what one symbol too many takes, and the bytes
        // around it.
        out.try_reserve(text.len() + 2 + 3 * ROOM)
            .map_err(|_| Error::new(ErrorKind::Oom, "out of memory for the compressed record"))?;
        let room = text.len() + 2 * ROOM;
        if scratch.back.len() < room {
            scratch
                .back
                .try_reserve(room - scratch.back.len())
                .map_err(|_| Error::new(ErrorKind::Oom, "out of memory to compress in"))?;
            scratch.back.resize(room, 0);
        }
        let begin = out.len();
        if framing == Framing::Tagged {
            out.push(self.tag);
        }
        let fits = if effort.enough == 0 {
            self.greedy(effort, text, scratch, out)?
        } else {
            self.cheapest(effort, text, scratch, out)?
        };
        if fits {
            if framing == Framing::Bare && out[begin] >= SHIFTED {
                out.insert(begin, SHIFTED);
            }
            if out.len() - begin <= text.len() {
                return Ok(());
            }
        }
        out.truncate(begin);
        out.push(RAW);
        out.extend_from_slice(text);
        Ok(())
    }

    /// The cheapest way through the whole record. Whether it is no longer than the record.
    fn cheapest(
        &self,
        effort: Effort,
        text: &[u8],
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        let index = match self.index.get() {
            Some(index) => index,
            None => {
                let made = ContentIndex::new(&self.content)?;
                self.index.get_or_init(|| made)
            }
        };
        let known = Known { content: &self.content, index, trie: &self.trie, prices: &self.prices };
        let bits = scratch.parser.parse(known, effort, text, &[], &mut scratch.tokens)?;
        if bits.div_ceil(8) > text.len() as u64 {
            return Ok(false);
        }
        let begin = out.len();
        self.write(scratch, out);
        debug_assert_eq!((out.len() - begin) as u64, bits.div_ceil(8));
        Ok(true)
    }

    /// Writes tokens whose bits, as the parser counted them, are known to fit.
    fn write(&self, scratch: &mut Scratch, out: &mut Vec<u8>) {
        let mut writer = Writer { codes: BitWriter::new(out), back: BackWriter::new(&mut scratch.back) };
        let mut context = self.context_of[START];
        for token in &scratch.tokens {
            let symbol = usize::from(token.symbol);
            // SAFETY: room for the text and more was reserved, which is more than the tokens take.
            unsafe { self.put(&mut writer, context, symbol, usize::from(token.len), token.place) };
            context = self.context_of[symbol];
        }
        // SAFETY: as above.
        unsafe { self.end(writer, context) };
    }

    /// Writes a symbol, and what a match refers to.
    ///
    /// # Safety
    /// There are [`ROOM`] bytes of room for both parts.
    #[inline(always)]
    pub(super) unsafe fn put(
        &self,
        writer: &mut Writer<'_>,
        context: u8,
        symbol: usize,
        len: usize,
        place: u32,
    ) {
        self.put_symbol(&mut writer.codes, context, symbol);
        // SAFETY: the caller's word.
        unsafe { writer.codes.flush() };
        if !(CONTENT..PHRASE).contains(&symbol) {
            return;
        }
        let (_, more_bits, more) = length_code(len);
        let (least, place_bits) = match symbol {
            ..SELF => (0, self.position_bits),
            SELF..REPEAT => class_distance((symbol - SELF) / LENGTH_CODES),
            _ => (place, 0),
        };
        let further = u64::from(more) << place_bits | u64::from(place - least);
        // SAFETY: the caller's word.
        unsafe { writer.back.put(further, place_bits + more_bits) };
    }

    #[inline(always)]
    fn put_symbol(&self, writer: &mut BitWriter<'_>, context: u8, symbol: usize) {
        let row = usize::from(context) * self.symbols;
        // SAFETY: contexts and symbols are those of the model, whose table this is.
        let code = unsafe { *self.table.get_unchecked(row + symbol) };
        if code == 0 {
            return self.put_escaped(writer, row, symbol);
        }
        writer.put(u64::from(code >> 5), code & 31);
    }

    /// Puts an escape and a code that are too long together to be kept as one.
    #[cold]
    fn put_escaped(&self, writer: &mut BitWriter<'_>, row: usize, symbol: usize) {
        for code in [self.table[row + ESCAPE], self.table[symbol]] {
            writer.put(u64::from(code >> 5), code & 31);
        }
    }

    /// What a symbol takes.
    #[inline(always)]
    pub(super) fn bits(&self, context: u8, symbol: usize) -> u32 {
        let code = self.table[usize::from(context) * self.symbols + symbol];
        if code == 0 { 2 * MAX_BITS } else { code & 31 }
    }

    /// Whether a phrase can be used.
    #[inline(always)]
    pub(super) fn has(&self, context: u8, symbol: usize) -> bool {
        self.table[usize::from(context) * self.symbols + symbol] != NO_CODE
    }

    /// Ends a stream.
    ///
    /// # Safety
    /// As for [`put`](Self::put).
    pub(super) unsafe fn end(&self, mut writer: Writer<'_>, context: u8) {
        self.put_symbol(&mut writer.codes, context, END);
        // SAFETY: the caller's word.
        unsafe {
            writer.codes.flush();
            writer.codes.finish(&writer.back, self.padding);
        }
    }
}
