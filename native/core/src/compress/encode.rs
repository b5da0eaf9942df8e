//! Writing compressed records.

use super::bits::{BackWriter, BitWriter, ROOM};
use super::huffman::{MAX_BITS, codes};
use super::matches::{ContentBuckets, ContentIndex};
use super::memory::{try_to_vec, try_vec};
use super::model::Model;
use super::parse::{Effort, Parser, Prices, Token, Vocabulary};
use super::phrase_finder::PhraseFinder;
use super::symbols::*;
use super::trie::Trie;
use crate::{Error, ErrorKind, Result};
use std::sync::OnceLock;

/// The first byte of a record that is stored uncompressed.
pub(crate) const RAW: u8 = 0xFF;
/// The first byte before a bit stream that itself begins with this value or [`RAW`].
pub(crate) const SHIFTED: u8 = 0xFE;

/// A code in the high bits, its length in the low 5. 0 if the escape and the code together are too
/// long for one entry.
type Code = u32;
/// The entry of a phrase that cannot be used.
const NO_CODE: Code = u32::MAX;

/// Literal cost, in 1/16 bit, that a search string in the content or in the record should reach. It
/// determines how many bytes are hashed.
const CONTENT_SEARCH_COST: usize = 256;
const RECORD_SEARCH_COST: usize = 192;

/// The most bits of an escape and a code that are stored as one entry.
const MOST_BITS: u32 = 27;

/// A dictionary prepared for encoding. Any number of threads may use it.
#[derive(Debug)]
pub(crate) struct Encoder {
    pub(super) content: Vec<u8>,
    pub(super) buckets: ContentBuckets,
    /// The length of the strings that the greedy encoder searches for in the record.
    pub(super) record_string_bytes: usize,
    /// The index for optimal parsing, built on first use.
    index: OnceLock<ContentIndex>,
    pub(super) trie: Trie,
    pub(super) phrase_finder: PhraseFinder,
    pub(super) prices: Prices,
    symbols: usize,
    /// Indexed by context and symbol.
    table: Vec<Code>,
    pub(super) context_of: Vec<u8>,
    position_bits: u32,
    padding: u8,
    tag: u8,
}

/// Working memory of an encoder, reused for one record after another.
#[derive(Debug)]
pub struct Scratch {
    pub(super) parser: Parser,
    tokens: Vec<Token>,
    /// Room for the bits that are written from the end of a record backward.
    pub(super) back: Vec<u8>,
}

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch::new()
    }
}

impl Scratch {
    /// Creates empty working memory.
    #[must_use]
    pub const fn new() -> Scratch {
        Scratch { parser: Parser::new(), tokens: Vec::new(), back: Vec::new() }
    }
}

/// The writers of the two parts of a record, which meet in the middle.
pub(super) struct Writer<'a> {
    pub(super) codes: BitWriter<'a>,
    pub(super) back: BackWriter<'a>,
}

/// Whether the first byte of a record identifies the dictionary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A record in a store, which identifies its dictionary once.
    Bare,
    /// A record on its own: its first byte identifies the dictionary, or states that the record is
    /// stored uncompressed.
    Tagged,
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
            for (code, after_escape) in row.iter_mut().zip(&*all).filter(|(code, _)| **code == 0) {
                let (first, bits) = (escape & 31, (escape & 31) + (after_escape & 31));
                if first == 0 || after_escape & 31 == 0 {
                    *code = NO_CODE;
                } else if bits <= MOST_BITS {
                    *code = bits | (escape >> 5 | (after_escape >> 5) << first) << 5;
                }
            }
        }
        all.iter_mut().filter(|code| **code == 0).for_each(|code| *code = NO_CODE);
        let mut phrases: Vec<&[u8]> = Vec::new();
        phrases.try_reserve_exact(model.phrases.len())?;
        phrases.extend(model.phrases.iter().map(|&(at, len)| &content[at as usize..][..usize::from(len)]));
        let trie = Trie::new(&phrases)?;
        Ok(Encoder {
            phrase_finder: PhraseFinder::new(&phrases, &trie)?,
            // A match costs about 20 bits, and less if it is in the record. If bytes are cheap
            // without a match, short matches do not pay off, and looking for them only takes time.
            buckets: ContentBuckets::new(
                content,
                (CONTENT_SEARCH_COST / model.average.max(1) as usize).clamp(8, 12),
            )?,
            record_string_bytes: (RECORD_SEARCH_COST / model.average.max(1) as usize).clamp(5, 8),
            index: OnceLock::new(),
            trie,
            prices: Prices::of(model)?,
            content: try_to_vec(content)?,
            symbols,
            table,
            context_of: try_to_vec(&model.context_of)?,
            position_bits: model.position_bits,
            padding: model.padding(),
            tag: model.tag(),
        })
    }

    /// Appends a compressed record to `out`: at most one byte more than the record has.
    pub(crate) fn encode(
        &self,
        effort: Effort,
        framing: Framing,
        text: &[u8],
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        if text.len() >= 1 << 31 {
            return Err(Error::range(format!("a record has at most 2^31 - 1 bytes, not {}", text.len())));
        }
        // Room for a bit stream as long as the text, for one symbol too many, and for the frame.
        out.try_reserve(text.len() + 2 + 3 * ROOM)
            .map_err(|_| Error::new(ErrorKind::Oom, "out of memory for the compressed record"))?;
        let room = text.len() + 2 * ROOM;
        if scratch.back.len() < room {
            scratch
                .back
                .try_reserve(room - scratch.back.len())
                .map_err(|_| Error::new(ErrorKind::Oom, "out of memory for compression"))?;
            scratch.back.resize(room, 0);
        }
        let begin = out.len();
        if framing == Framing::Tagged {
            out.push(self.tag);
        }
        let fits = if effort.nice_length == 0 {
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

    /// Encodes the cheapest parse of the whole record. Returns false if it is longer than the
    /// record.
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
        let vocabulary = Vocabulary { content: &self.content, index, trie: &self.trie, prices: &self.prices };
        let bits = scratch.parser.parse(vocabulary, effort, text, &[], &mut scratch.tokens)?;
        if bits.div_ceil(8) > text.len() as u64 {
            return Ok(false);
        }
        let begin = out.len();
        self.write(scratch, out);
        debug_assert_eq!((out.len() - begin) as u64, bits.div_ceil(8));
        Ok(true)
    }

    /// Writes tokens that are known to fit, because the parser counted their bits.
    fn write(&self, scratch: &mut Scratch, out: &mut Vec<u8>) {
        let mut writer = Writer { codes: BitWriter::new(out), back: BackWriter::new(&mut scratch.back) };
        let mut context = self.context_of[START];
        for token in &scratch.tokens {
            let symbol = usize::from(token.symbol);
            // SAFETY: `encode` reserved room for the text and more, and the tokens take less than
            // that.
            unsafe { self.put(&mut writer, context, symbol, usize::from(token.len), token.place) };
            context = self.context_of[symbol];
        }
        // SAFETY: the same room.
        unsafe { self.end(writer, context) };
    }

    /// Writes a symbol and the extra bits of a match.
    ///
    /// # Safety
    /// Both parts have at least [`ROOM`] bytes of room.
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
        // SAFETY: [`ROOM`] bytes are guaranteed by the caller.
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
        // SAFETY: [`ROOM`] bytes, which are more than 8, are guaranteed by the caller.
        unsafe { writer.back.put(further, place_bits + more_bits) };
    }

    #[inline(always)]
    fn put_symbol(&self, writer: &mut BitWriter<'_>, context: u8, symbol: usize) {
        let row = usize::from(context) * self.symbols;
        // SAFETY: `context` and `symbol` are those of the model for which the table was made.
        let code = unsafe { *self.table.get_unchecked(row + symbol) };
        if code == 0 {
            return self.put_escaped(writer, row, symbol);
        }
        writer.put(u64::from(code >> 5), code & 31);
    }

    /// Writes an escape and a code that are too long together for one entry.
    #[cold]
    fn put_escaped(&self, writer: &mut BitWriter<'_>, row: usize, symbol: usize) {
        for code in [self.table[row + ESCAPE], self.table[symbol]] {
            writer.put(u64::from(code >> 5), code & 31);
        }
    }

    /// The length of a symbol's code, including the escape if one is needed.
    #[inline(always)]
    pub(super) fn bits(&self, context: u8, symbol: usize) -> u32 {
        let code = self.table[usize::from(context) * self.symbols + symbol];
        if code == 0 { 2 * MAX_BITS } else { code & 31 }
    }

    /// Whether a phrase has a code.
    #[inline(always)]
    pub(super) fn has_code(&self, context: u8, symbol: usize) -> bool {
        self.table[usize::from(context) * self.symbols + symbol] != NO_CODE
    }

    /// Ends a stream.
    ///
    /// # Safety
    /// As for [`put`](Self::put).
    pub(super) unsafe fn end(&self, mut writer: Writer<'_>, context: u8) {
        self.put_symbol(&mut writer.codes, context, END);
        // SAFETY: [`ROOM`] bytes for both parts are guaranteed by the caller.
        unsafe {
            writer.codes.flush();
            writer.codes.finish(&writer.back, self.padding);
        }
    }
}
