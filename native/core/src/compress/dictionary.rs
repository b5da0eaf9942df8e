//! A dictionary: its region, and the tables prepared from it.
//!
//! `docs/formats/compress.md` specifies the bytes. Opening a dictionary copies it and builds its
//! tables, because a dictionary is small and must not change while it is used: about 50 µs for 112
//! KiB.

use super::decode::Decoder;
use super::encode::{Encoder, Framing, RAW, SHIFTED, Scratch};
use super::memory::try_vec;
use super::model::{self, Model, position_bits};
use super::parse::Effort;
use super::symbols::*;
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::region::owned::OwnedMemory;
use crate::{Error, Result};
use std::sync::OnceLock;

/// The size of the smallest region that a dictionary can be trained for.
pub const MIN_BYTES: usize = 1024;
/// The size of the largest region.
pub const MAX_BYTES: usize = 1 << 24;

/// Indices of the words that this kind owns in the region's header.
pub mod word {
    /// Bytes of the content.
    pub const CONTENT: usize = 16;
    /// Number of phrases.
    pub const PHRASES: usize = 17;
    /// Number of contexts.
    pub const CONTEXTS: usize = 18;
    /// Bytes of the tables after the content.
    pub const TABLES: usize = 19;
    /// Identity (two words).
    pub const IDENTITY: usize = 20;
    /// Statistics of the samples. The low half is the average price of a byte, in 1/16 bit; the
    /// high half is the share of matches among the symbols, in parts of 256.
    pub const SAMPLES: usize = 22;
    /// The first unused word. It and all words after it are zero.
    pub const END: usize = 23;
}

/// A trained dictionary, prepared for use. Any number of threads may use it.
#[derive(Debug)]
pub struct Dictionary {
    memory: OwnedMemory,
    length: usize,
    model: Model,
    content: usize,
    decoder: Decoder,
    encoder: OnceLock<Encoder>,
}

/// The compression level, 1 to 9: how much work to spend on a short encoding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(u8);

impl Level {
    /// The default level.
    pub const DEFAULT: Level = Level(3);

    /// Creates a level from 1 (fastest) to 9 (smallest). `Range` for other numbers.
    pub fn new(level: u32) -> Result<Level> {
        match level {
            1..=9 => Ok(Level(level as u8)),
            _ => Err(Error::range(format!("the level must be from 1 to 9, not {level}"))),
        }
    }

    pub(crate) fn effort(self) -> Effort {
        let (content, record, lengths, nice_length) = match self.0 {
            1 => (1, 0, false, 0),
            2 => (2, 2, false, 0),
            3 => (4, 3, false, 0),
            4 => (4, 16, false, 0),
            5 => (4, 2, false, 32),
            6 => (8, 8, false, 64),
            7 => (16, 16, true, 64),
            8 => (32, 32, true, 128),
            _ => (128, 64, true, 256),
        };
        Effort { content, record, lengths, nice_length }
    }
}

impl Dictionary {
    /// Opens a dictionary from a copy of its region. O(bytes).
    pub fn from_bytes(bytes: &[u8]) -> Result<Dictionary> {
        // SAFETY: a slice is readable for its length.
        unsafe { Dictionary::copy_from(bytes.as_ptr(), bytes.len()) }
    }

    /// The same, for memory that other threads may be writing.
    ///
    /// # Safety
    /// `base` is valid for reading `len` bytes.
    pub unsafe fn copy_from(base: *const u8, len: usize) -> Result<Dictionary> {
        if len > MAX_BYTES + HEADER_BYTES {
            return Err(Error::corrupt(format!("a dictionary has at most {MAX_BYTES} bytes, not {len}")));
        }
        let memory = OwnedMemory::new(len)?;
        // SAFETY: the caller guarantees that `len` bytes are readable at `base`, and the new memory
        // has `len` bytes.
        unsafe { memory.base().copy_from_nonoverlapping(base, len) };
        Dictionary::read(memory)
    }

    fn read(memory: OwnedMemory) -> Result<Dictionary> {
        // SAFETY: this function owns the memory, all of which is initialized.
        let view = unsafe { Memory::new(memory.base(), memory.len()) }?;
        let header = Header::read(view, Kind::Dictionary)?;
        let content = header.word(word::CONTENT) as usize;
        let tables = header.word(word::TABLES) as usize;
        let length = align(HEADER_BYTES as u64 + content as u64 + tables as u64);
        if length != header.length() {
            return Err(Error::corrupt("the lengths of the dictionary's parts do not add up to its length"));
        }
        let length = length as usize;
        // SAFETY: `Header::read` checked that the region is within the memory.
        let bytes = unsafe { std::slice::from_raw_parts(memory.base(), length) };
        let (text, rest) = bytes[HEADER_BYTES..].split_at(content);
        let identity = header.double_word(word::IDENTITY);
        let samples = header.word(word::SAMPLES);
        if identity_of(&bytes[HEADER_BYTES..][..content + tables], samples) != identity {
            return Err(Error::corrupt("the dictionary's contents do not match its identity"));
        }
        let (phrases, contexts) = (header.word(word::PHRASES) as usize, header.word(word::CONTEXTS) as usize);
        let (average, matches) = (samples & 0xFFFF, samples >> 16);
        let tables = unpack(&rest[..tables], content, phrases, contexts)?;
        let model = Model { identity, average, matches, ..tables };
        model::check(&model, content)?;
        let decoder = Decoder::new(&model, text)?;
        Ok(Dictionary { length, model, content, decoder, encoder: OnceLock::new(), memory })
    }

    /// Creates the region of a trained model.
    pub(crate) fn build(mut model: Model, content: &[u8]) -> Result<Dictionary> {
        let tables = pack(&model)?;
        let length = align((HEADER_BYTES + content.len() + tables.len()) as u64) as usize;
        let memory = OwnedMemory::new(length)?;
        // SAFETY: this function owns the memory, which has room for header, content and tables.
        unsafe {
            let base = memory.base();
            base.write_bytes(0, length);
            let view = Memory::new(base, length)?;
            view.begin_region(Kind::Dictionary, length as u64);
            let body = base.add(HEADER_BYTES);
            body.copy_from_nonoverlapping(content.as_ptr(), content.len());
            body.add(content.len()).copy_from_nonoverlapping(tables.as_ptr(), tables.len());
            let written = std::slice::from_raw_parts(body, content.len() + tables.len());
            let samples = model.average | model.matches << 16;
            model.identity = identity_of(written, samples);
            view.set_word(word::CONTENT, content.len() as u32);
            view.set_word(word::PHRASES, model.phrases.len() as u32);
            view.set_word(word::CONTEXTS, model.contexts as u32);
            view.set_word(word::TABLES, tables.len() as u32);
            view.set_double_word(word::IDENTITY, model.identity);
            view.set_word(word::SAMPLES, samples);
            view.end_region();
        }
        Dictionary::read(memory)
    }

    /// The region, for use with [`Dictionary::from_bytes`].
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the region is within the memory, is initialized, and is never written again.
        unsafe { std::slice::from_raw_parts(self.memory.base(), self.length) }
    }

    /// A 64-bit hash that distinguishes this dictionary from others.
    #[must_use]
    pub fn identity(&self) -> u64 {
        self.model.identity
    }

    /// The number of bytes of content, of phrases, and of contexts.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        (self.content, self.model.phrases.len(), self.model.contexts)
    }

    /// Checks everything that opening does not: the checksum, if there is one, and that unused
    /// words are zero.
    pub fn validate(&self) -> Result<()> {
        // SAFETY: `self` owns the memory.
        let view = unsafe { Memory::new(self.memory.base(), self.memory.len()) }?;
        Header::read(view, Kind::Dictionary)?.verify_checksum(view, word::END)?;
        let used = HEADER_BYTES + self.content + view.word(word::TABLES) as usize;
        if self.as_bytes()[used..].iter().any(|&byte| byte != 0) {
            return Err(Error::corrupt("the bytes after the dictionary's tables are not zero"));
        }
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    fn encoder(&self) -> Result<&Encoder> {
        if let Some(encoder) = self.encoder.get() {
            return Ok(encoder);
        }
        let content = &self.as_bytes()[HEADER_BYTES..][..self.content];
        let made = Encoder::new(&self.model, content)?;
        Ok(self.encoder.get_or_init(|| made))
    }

    /// Appends the compressed `text` to `out`: at most one byte more than `text` has. `Range` for
    /// texts of 2^31 bytes and more.
    pub fn compress(
        &self,
        level: Level,
        framing: Framing,
        text: &[u8],
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        self.encoder()?.encode(level.effort(), framing, text, scratch, out)
    }

    /// Decompresses into `out`. Returns `None` if the result has more than `limit` bytes.
    ///
    /// # Safety
    /// `input` is readable for `len` bytes, which other threads may be writing; `out` is writable
    /// for `limit` and [`SLACK`](super::decode::SLACK) more bytes, and does not overlap `input`.
    pub unsafe fn decompress_into(
        &self,
        framing: Framing,
        input: *const u8,
        len: usize,
        out: *mut u8,
        limit: usize,
    ) -> Result<Option<usize>> {
        if len == 0 {
            return Err(Error::corrupt("a compressed record cannot be empty"));
        }
        // SAFETY: `len > 0`, and `input` is readable for `len` bytes.
        let first = unsafe { input.read() };
        if first == RAW {
            if len - 1 > limit {
                return Ok(None);
            }
            // SAFETY: `input` is readable for `len` bytes and `out` writable for `limit >= len -
            // 1`, as guaranteed by the caller; `out` is exclusive, so they do not overlap.
            unsafe { out.copy_from_nonoverlapping(input.add(1), len - 1) };
            return Ok(Some(len - 1));
        }
        let skip = match framing {
            Framing::Bare => usize::from(first == SHIFTED),
            Framing::Tagged if first == self.model.tag() => 1,
            Framing::Tagged => {
                return Err(Error::corrupt(
                    "the bytes were compressed with another dictionary, or are damaged",
                ));
            }
        };
        // SAFETY: both ranges are guaranteed by the caller, and `skip <= len`.
        unsafe { self.decoder.decode(input.add(skip), len - skip, out, limit) }
    }

    /// Decompresses at most `max_bytes` and appends them to `out`; `Range` if there are more.
    /// Memory grows with the decompressed bytes, not with a length stored in the input.
    pub fn decompress(
        &self,
        framing: Framing,
        input: &[u8],
        max_bytes: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        // SAFETY: a slice is readable for its length.
        unsafe { self.decompress_raw(framing, input.as_ptr(), input.len(), max_bytes, out) }
    }

    /// The same, for memory that other threads may be writing.
    ///
    /// # Safety
    /// `input` is readable for `len` bytes.
    pub unsafe fn decompress_raw(
        &self,
        framing: Framing,
        input: *const u8,
        len: usize,
        max_bytes: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let mut limit = len.saturating_mul(8).clamp(256, 1 << 20).max(len).min(max_bytes);
        loop {
            out.try_reserve(limit + super::decode::SLACK)
                .map_err(|_| Error::oom("out of memory for the decompressed bytes"))?;
            let from = out.len();
            // SAFETY: `limit + SLACK` bytes were just reserved after `from`; `input` is readable
            // for `len` bytes, as guaranteed by the caller.
            let made =
                unsafe { self.decompress_into(framing, input, len, out.as_mut_ptr().add(from), limit) }?;
            if let Some(made) = made {
                // SAFETY: `made` bytes from `from` on were written.
                unsafe { out.set_len(from + made) };
                return Ok(());
            }
            if limit == max_bytes {
                return Err(Error::range(format!("the decompressed data has more than {max_bytes} bytes")));
            }
            limit = limit.saturating_mul(4).min(max_bytes);
        }
    }
}

/// A 64-bit hash of a dictionary's contents: multiply and fold, eight bytes at a time.
fn identity_of(body: &[u8], samples: u32) -> u64 {
    const K: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hash = (body.len() as u64 ^ u64::from(samples) << 32).wrapping_mul(K);
    let mut mix = |word: u64| {
        hash = (hash ^ word).wrapping_mul(K);
        hash ^= hash >> 29;
    };
    let chunks = body.chunks_exact(8);
    let rest = chunks.remainder();
    for chunk in chunks {
        mix(u64::from_le_bytes(chunk.try_into().unwrap_or_default()));
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(u64::from_le_bytes(last));
    mix(K);
    hash
}

/// The tables of a model as bytes: phrases, contexts, code lengths.
pub(crate) fn pack(model: &Model) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let most = model.phrases.len() * 5 + PHRASE + model.code_lengths.len() + 64;
    out.try_reserve(most).map_err(|_| Error::oom("out of memory for a dictionary"))?;
    for &(at, len) in &model.phrases {
        out.extend_from_slice(&at.to_le_bytes()[..3]);
        out.push(len);
    }
    if model.contexts > 1 {
        out.extend(
            model.context_of.iter().enumerate().filter(|&(symbol, _)| has_context(symbol)).map(|(_, &c)| c),
        );
    }
    let mut nibbles = Nibbles { out, half: None };
    let mut zeros = 0u32;
    for &length in &model.code_lengths {
        if length == 0 {
            zeros += 1;
            continue;
        }
        nibbles.zeros(&mut zeros);
        nibbles.put(length);
    }
    nibbles.zeros(&mut zeros);
    Ok(nibbles.finish())
}

/// Whether the context after a symbol is stored. Nothing follows the end.
fn has_context(symbol: usize) -> bool {
    symbol != END
}

struct Nibbles {
    out: Vec<u8>,
    half: Option<u8>,
}

impl Nibbles {
    fn put(&mut self, nibble: u8) {
        match self.half.take() {
            None => self.half = Some(nibble),
            Some(low) => self.out.push(low | nibble << 4),
        }
    }

    /// Writes a zero, then the number of additional zeros, three bits at a time.
    fn zeros(&mut self, count: &mut u32) {
        if *count == 0 {
            return;
        }
        let mut rest = *count - 1;
        *count = 0;
        self.put(0);
        loop {
            let more = rest >> 3 > 0;
            self.put((rest & 7) as u8 | u8::from(more) << 3);
            rest >>= 3;
            if !more {
                return;
            }
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if self.half.is_some() {
            self.put(0);
        }
        self.out
    }
}

fn unpack(tables: &[u8], content: usize, phrases: usize, contexts: usize) -> Result<Model> {
    let short = || Error::corrupt("the dictionary's tables are truncated");
    if contexts == 0 || contexts > MAX_CONTEXTS || phrases > MAX_PHRASES {
        return Err(Error::corrupt("the dictionary has an invalid number of contexts or phrases"));
    }
    let symbols = PHRASE + phrases;
    let mut list = try_vec(phrases, (0u32, 0u8))?;
    let (entries, mut rest) = tables.split_at_checked(phrases * 4).ok_or_else(short)?;
    for (slot, entry) in list.iter_mut().zip(entries.chunks_exact(4)) {
        *slot = (u32::from_le_bytes([entry[0], entry[1], entry[2], 0]), entry[3]);
    }
    let mut context_of = try_vec(symbols, 0u8)?;
    if contexts > 1 {
        let stored = (0..symbols).filter(|&symbol| has_context(symbol));
        let (named, after) = rest.split_at_checked(stored.clone().count()).ok_or_else(short)?;
        for (symbol, &context) in stored.zip(named) {
            context_of[symbol] = context;
        }
        rest = after;
    }
    let mut lengths = try_vec(contexts * symbols, 0u8)?;
    let mut nibbles = rest.iter().flat_map(|&byte| [byte & 15, byte >> 4]);
    let mut at = 0;
    while at < lengths.len() {
        let nibble = nibbles.next().ok_or_else(short)?;
        if nibble > 0 {
            lengths[at] = nibble;
            at += 1;
            continue;
        }
        let mut zeros = 1usize;
        for shift in (0..24).step_by(3) {
            let part = nibbles.next().ok_or_else(short)?;
            zeros += usize::from(part & 7) << shift;
            if part & 8 == 0 {
                break;
            }
        }
        at += zeros;
        if at > lengths.len() {
            return Err(Error::corrupt("the dictionary has more codes than symbols"));
        }
    }
    Ok(Model {
        contexts,
        context_of,
        code_lengths: lengths,
        position_bits: position_bits(content),
        phrases: list,
        identity: 0,
        average: 0,
        matches: 0,
    })
}
