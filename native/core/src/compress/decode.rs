//! Reading compressed records: one table look-up and one 16-byte copy for most symbols.
//!
//! It trusts nothing but its own tables. Input and output are bounded at every symbol; every symbol takes a bit at least,
//! so it ends; a match is at most [`MAX_MATCH`] long, so output is bounded by about 8 KiB for each byte of input even with
//! the strangest dictionary.
//!
//! The chain of dependent steps is what decides the speed: take ten bits, look up, shift. The entry also says the
//! context of the next symbol, so that its table is known without waiting for the output.

use super::huffman::{DIRECT_BITS, Entry, MAX_BITS, build_table, try_vec};
use super::model::Model;
use super::symbols::*;
use crate::{Error, Result};

/// Bytes behind the text and the output that may be touched by wide copies.
pub const SLACK: usize = 16;
const DIRECT: usize = 1 << DIRECT_BITS;
/// Entries of a table for longer codes.
const LONG: usize = 1 << (MAX_BITS - DIRECT_BITS);

/// What a byte or phrase stands for.
#[derive(Clone, Copy, Debug, Default)]
struct Text {
    at: u32,
    len: u32,
}

/// A dictionary, prepared for decoding. Any number of threads may use one.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// A direct table for each context, then those of positions and distances.
    direct: Vec<Entry>,
    long: Vec<Entry>,
    /// By symbol; of length 0 for those that are neither byte nor phrase.
    texts: Vec<Text>,
    /// The 256 bytes, the content, and slack.
    text: Vec<u8>,
    /// Where the content ends in `text`.
    content_end: usize,
    position_bits: u32,
    contexts: usize,
    /// The context behind a match, by the byte it ended with.
    byte_context: [u8; 256],
    start: u8,
    padding: u8,
}

impl Decoder {
    pub(crate) fn new(model: &Model, content: &[u8]) -> Result<Decoder> {
        let contexts = model.contexts;
        let mut direct = try_vec((contexts + 2) * DIRECT, 0)?;
        let mut long = Vec::new();
        for (context, table) in direct.chunks_exact_mut(DIRECT).enumerate() {
            if context < contexts {
                build_table(model.lengths(context), table, &mut long, |symbol| {
                    u32::from(model.context_of[symbol])
                })?;
            } else {
                let lengths = if context == contexts { &model.positions[..] } else { &model.distances[..] };
                build_table(lengths, table, &mut long, |_| 0)?;
            }
        }
        let mut text = try_vec(256 + content.len() + SLACK, 0u8)?;
        text.iter_mut().zip(0..=255).for_each(|(slot, byte)| *slot = byte);
        text[256..256 + content.len()].copy_from_slice(content);
        let mut texts = try_vec(model.symbols(), Text::default())?;
        for (byte, slot) in (0..256).zip(&mut texts) {
            *slot = Text { at: byte, len: 1 };
        }
        for (slot, &(at, len)) in texts[PHRASE..].iter_mut().zip(&model.phrases) {
            *slot = Text { at: 256 + at, len: u32::from(len) };
        }
        let mut byte_context = [0; 256];
        byte_context.copy_from_slice(&model.context_of[..256]);
        Ok(Decoder {
            direct,
            long,
            texts,
            text,
            content_end: 256 + content.len(),
            position_bits: model.position_bits,
            contexts,
            byte_context,
            start: model.context_of[START],
            padding: model.padding(),
        })
    }

    #[inline(always)]
    fn entry(&self, table: usize, bits: u64) -> Result<Entry> {
        debug_assert!(table < self.contexts + 2);
        // SAFETY: contexts in entries were checked when the model was read, and each table has `DIRECT` entries.
        let entry = unsafe { *self.direct.get_unchecked(table * DIRECT + (bits as usize & (DIRECT - 1))) };
        if entry >> 12 & 15 != 0 { Ok(entry) } else { self.long_entry(entry, bits) }
    }

    #[inline(never)]
    fn long_entry(&self, entry: Entry, bits: u64) -> Result<Entry> {
        let at = (entry >> 16) as usize * LONG + (bits >> DIRECT_BITS) as usize % LONG;
        match self.long.get(at) {
            Some(&found) if found >> 12 & 15 != 0 => Ok(found),
            _ => Err(no_code()),
        }
    }

    /// Decodes a bit stream of `len` bytes at `input` into `out`, and returns how many bytes it made; `None` where they are
    /// more than `limit`.
    ///
    /// # Safety
    /// `input` is readable for `len` bytes (they may change meanwhile, which makes nonsense of the result, no more);
    /// `out` is writable for `limit + SLACK` bytes.
    pub(crate) unsafe fn decode(
        &self,
        input: *const u8,
        len: usize,
        out: *mut u8,
        limit: usize,
    ) -> Result<Option<usize>> {
        let mut short = [0u8; 8];
        // SAFETY: the caller's word.
        let mut bits = unsafe { Bits::new(input, len, &mut short) };
        let mut context = self.start as usize;
        let mut made = 0usize;
        let mut distance = 0usize;
        loop {
            bits.refill();
            let mut entry = self.entry(context, bits.word)?;
            // Two symbols that are bytes or phrases, of 15 bits at most, before the next refill.
            for _ in 0..2 {
                // SAFETY: symbols in entries are below the model's count.
                let text = unsafe { *self.texts.get_unchecked((entry & 0xFFF) as usize) };
                if text.len == 0 {
                    break;
                }
                bits.skip(entry >> 12 & 15);
                context = (entry >> 16) as usize;
                let size = text.len as usize;
                if size > limit - made {
                    return Ok(None);
                }
                // SAFETY: the text lies before `content_end`, behind which is slack; the output has slack as well.
                unsafe { copy(self.text.as_ptr().add(text.at as usize), out.add(made), size) };
                made += size;
                entry = self.entry(context, bits.word)?;
            }
            if bits.overrun() {
                return Err(cut_off());
            }
            let mut symbol = (entry & 0xFFF) as usize;
            // SAFETY: as above.
            if unsafe { self.texts.get_unchecked(symbol) }.len != 0 {
                continue;
            }
            bits.skip(entry >> 12 & 15);
            if symbol == ESCAPE {
                bits.refill();
                entry = self.entry(0, bits.word)?;
                bits.skip(entry >> 12 & 15);
                symbol = (entry & 0xFFF) as usize;
                let text = self.texts[symbol];
                if text.len != 0 {
                    context = (entry >> 16) as usize;
                    let size = text.len as usize;
                    if size > limit - made {
                        return Ok(None);
                    }
                    // SAFETY: as above.
                    unsafe { copy(self.text.as_ptr().add(text.at as usize), out.add(made), size) };
                    made += size;
                    continue;
                }
            }
            if !(CONTENT..PHRASE).contains(&symbol) {
                // An end, or an escape behind an escape, which no code has.
                if symbol != END {
                    return Err(no_code());
                }
                return if bits.ends_well(self.padding) { Ok(Some(made)) } else { Err(cut_off()) };
            }
            let kind = (symbol - CONTENT) / LENGTH_CODES;
            let (least, width) = code_length((symbol - CONTENT) % LENGTH_CODES);
            bits.refill();
            let size = least + bits.take(width) as usize;
            if size > limit - made {
                return Ok(None);
            }
            // Where in the line of the text and, behind it, the record.
            let here = self.content_end + made;
            let source = match kind {
                0 => {
                    let entry = self.entry(self.contexts, bits.word)?;
                    bits.skip(entry >> 12 & 15);
                    let at = (entry as usize & 0xFFF) << self.position_bits
                        | bits.take(self.position_bits) as usize;
                    256 + at
                }
                1 => {
                    let entry = self.entry(self.contexts + 1, bits.word)?;
                    bits.skip(entry >> 12 & 15);
                    let (least, width) = slot_distance((entry & 0xFFF) as usize);
                    bits.refill();
                    let back = least + bits.take(width);
                    if back > made as u64 {
                        return Err(outside());
                    }
                    here - back as usize
                }
                _ => here.wrapping_sub(distance),
            };
            distance = here.wrapping_sub(source);
            // SAFETY: the bounds are checked right here.
            unsafe {
                if source < self.content_end {
                    if source < 256 || size > self.content_end - source {
                        return Err(outside());
                    }
                    copy(self.text.as_ptr().add(source), out.add(made), size);
                } else {
                    if source >= here {
                        return Err(outside());
                    }
                    copy_within(out.add(made), here - source, size);
                }
                made += size;
                context = self.byte_context[*out.add(made - 1) as usize] as usize;
            }
            if bits.overrun() {
                return Err(cut_off());
            }
        }
    }
}

#[cold]
fn no_code() -> Error {
    Error::corrupt("bits that are no code")
}

#[cold]
fn cut_off() -> Error {
    Error::corrupt("the bits do not end where the record does")
}

#[cold]
fn outside() -> Error {
    Error::corrupt("a match with what is not there")
}

/// Copies 16 bytes at a time, up to 15 too many.
#[inline(always)]
unsafe fn copy(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: the caller has slack behind both.
    unsafe {
        to.copy_from_nonoverlapping(from, 16);
        if len > 16 {
            copy_more(from, to, len);
        }
    }
}

#[inline(always)]
unsafe fn copy_more(from: *const u8, to: *mut u8, len: usize) {
    let mut done = 16;
    while done < len {
        // SAFETY: the caller has slack behind both.
        unsafe { to.add(done).copy_from_nonoverlapping(from.add(done), 16) };
        done += 16;
    }
}

/// Repeats what lies `distance` before `to`.
#[inline(always)]
unsafe fn copy_within(to: *mut u8, distance: usize, len: usize) {
    // SAFETY: the caller has slack behind `to`, and made `distance` bytes before it.
    unsafe {
        let from = to.sub(distance);
        if distance >= 16 {
            copy(from, to, len);
        } else {
            // Twice as much is there after each step.
            for i in 0..len {
                to.add(i).write(from.add(i).read());
            }
        }
    }
}

/// Bits, the lowest of the first byte first, and zeros for ever behind the last.
struct Bits {
    input: *const u8,
    /// Where the last eight bytes begin.
    last: usize,
    /// The next bits.
    word: u64,
    /// Bits consumed so far.
    at: usize,
    /// How many there are.
    total: usize,
}

impl Bits {
    /// # Safety
    /// `input` is readable for `len` bytes while this is used.
    #[inline(always)]
    unsafe fn new(input: *const u8, len: usize, short: &mut [u8; 8]) -> Bits {
        let total = len * 8;
        if len >= 8 {
            return Bits { input, last: len - 8, word: 0, at: 0, total };
        }
        // SAFETY: the caller's word, and fewer than 8.
        unsafe { short.as_mut_ptr().copy_from_nonoverlapping(input, len) };
        Bits { input: short.as_ptr(), last: 0, word: 0, at: 0, total }
    }

    /// Makes at least 56 bits available.
    #[inline(always)]
    fn refill(&mut self) {
        let byte = self.at >> 3;
        let from = byte.min(self.last);
        // SAFETY: eight bytes from `last` on are readable.
        let word = u64::from_le(unsafe { self.input.add(from).cast::<u64>().read_unaligned() });
        // Past the end there are zeros, and the caller sees that it overran.
        let shift = (self.at - from * 8).min(63);
        self.word = word >> shift;
    }

    #[inline(always)]
    fn skip(&mut self, count: u32) {
        self.word >>= count;
        self.at += count as usize;
    }

    #[inline(always)]
    fn take(&mut self, count: u32) -> u64 {
        let bits = self.word & ((1 << count) - 1);
        self.skip(count);
        bits
    }

    #[inline(always)]
    fn overrun(&self) -> bool {
        self.at > self.total
    }

    /// Whether it stands in the last byte, and what is left of that is what the dictionary pads with.
    #[inline(always)]
    fn ends_well(&mut self, padding: u8) -> bool {
        let rest = self.total.wrapping_sub(self.at);
        if rest > 7 {
            return false;
        }
        self.refill();
        self.word & ((1 << rest) - 1) == u64::from(padding) & ((1 << rest) - 1)
    }
}
