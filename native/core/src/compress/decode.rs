//! Reading compressed records: one table look-up and one 16-byte copy for most symbols.
//!
//! It trusts nothing but its own tables. Input and output are bounded at every symbol; every symbol takes a bit at least,
//! so it ends; a match is at most [`MAX_MATCH`] long, so output is bounded by about 8 KiB for each byte of input even with
//! the strangest dictionary.
//!
//! The chain of dependent steps is what decides the speed: take ten bits, look up, shift. The entry also says the
//! context of the next symbol, so that its table is known without waiting for the output.

use super::huffman::{
    DIRECT_BITS, Entry, NOWHERE, SUB, SYMBOL_SHIFT, build_table, entry_length, entry_symbol, try_vec,
};
use super::model::Model;
use super::symbols::*;
use crate::{Error, Result};

/// Bytes behind the text and the output that may be touched by wide copies.
pub const SLACK: usize = 32;
const DIRECT: usize = 1 << DIRECT_BITS;
/// In an entry: the context of the next symbol, from this bit on.
const CONTEXT_SHIFT: u32 = 18;
/// In an entry: its symbol is a byte or a phrase.
const TEXT: Entry = 1 << 31;
/// Texts in one go: their codes, if none is a long one, and a longest code behind them are bits enough for one refill.
const RUN: usize = 4;
const _: () = assert!(RUN as u32 * DIRECT_BITS + super::huffman::MAX_BITS <= 56);
const _: () = assert!(MAX_CONTEXTS <= 1 << (31 - CONTEXT_SHIFT) && SYMBOL_SHIFT + 12 == CONTEXT_SHIFT);

/// What a byte or a short phrase stands for, and in the last byte its length: all in one load, and next to each other, so that
/// those which are used stay in the cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
struct Text([u8; 16]);

/// The longest phrase that is kept so.
const SHORT: usize = 15;

/// A dictionary, prepared for decoding. Any number of threads may use one.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// A direct table for each context, then those of positions and distances.
    direct: Vec<Entry>,
    /// The tables of longer codes, and where those of each direct table begin.
    long: Vec<Entry>,
    long_from: Vec<u32>,
    /// By symbol.
    texts: Vec<Text>,
    /// Where in the content phrases are, and how long.
    phrases: Vec<(u32, u8)>,
    /// The content, and slack.
    text: Vec<u8>,
    content: usize,
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
        let mut long_from = try_vec(contexts + 2, 0)?;
        for ((context, table), from) in direct.chunks_exact_mut(DIRECT).enumerate().zip(&mut long_from) {
            *from = long.len() as u32;
            if context < contexts {
                build_table(model.lengths(context), table, &mut long, |symbol| {
                    let short = symbol >= PHRASE && usize::from(model.phrases[symbol - PHRASE].1) <= SHORT;
                    let text = if symbol < 256 || short { TEXT } else { 0 };
                    u32::from(model.context_of[symbol]) << CONTEXT_SHIFT | text
                })?;
            } else {
                let lengths = if context == contexts { &model.positions[..] } else { &model.distances[..] };
                build_table(lengths, table, &mut long, |_| 0)?;
            }
        }
        let mut text = try_vec(content.len() + SLACK, 0u8)?;
        text[..content.len()].copy_from_slice(content);
        let mut texts = try_vec(model.symbols(), Text([0; 16]))?;
        for (byte, slot) in (0..=255).zip(&mut texts) {
            (slot.0[0], slot.0[SHORT]) = (byte, 1);
        }
        let mut phrases = try_vec(model.phrases.len(), (0, 0))?;
        phrases.copy_from_slice(&model.phrases);
        for (slot, &(at, len)) in texts[PHRASE..].iter_mut().zip(&phrases) {
            if let Some(short) = slot.0[..SHORT].get_mut(..usize::from(len)) {
                short.copy_from_slice(&content[at as usize..][..usize::from(len)]);
                slot.0[SHORT] = len;
            }
        }
        let mut byte_context = [0; 256];
        byte_context.copy_from_slice(&model.context_of[..256]);
        Ok(Decoder {
            direct,
            long,
            long_from,
            texts,
            phrases,
            text,
            content: content.len(),
            position_bits: model.position_bits,
            contexts,
            byte_context,
            start: model.context_of[START],
            padding: model.padding(),
        })
    }

    /// What the bits begin with, in a table that begins at entry `table`: a code, or where those for longer ones are.
    #[inline(always)]
    fn direct(&self, table: usize, bits: u64) -> Entry {
        debug_assert!(table + DIRECT <= self.direct.len());
        // SAFETY: contexts in entries were checked when the model was read, and each table has `DIRECT` entries.
        unsafe { *self.direct.get_unchecked(table + (bits as usize & (DIRECT - 1))) }
    }

    /// The code that the bits begin with.
    #[inline(always)]
    fn entry(&self, table: usize, bits: u64) -> Result<Entry> {
        let entry = self.direct(table, bits);
        if entry_length(entry) != 0 { Ok(entry) } else { self.long_entry(table, entry, bits) }
    }

    #[inline(always)]
    fn long_entry(&self, table: usize, entry: Entry, bits: u64) -> Result<Entry> {
        if entry == NOWHERE {
            return Err(no_code());
        }
        let from = self.long_from[table / DIRECT] as usize;
        let at = from + entry_symbol(entry) * SUB + (bits >> DIRECT_BITS) as usize % SUB;
        match self.long.get(at) {
            Some(&found) if entry_length(found) != 0 => Ok(found),
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
        // Where the table of the context begins.
        let mut table = self.start as usize * DIRECT;
        let mut made = 0usize;
        let mut distance = 0usize;
        'next: loop {
            bits.refill();
            let mut entry = self.direct(table, bits.word);
            for _ in 0..RUN {
                if entry & TEXT == 0 {
                    break;
                }
                bits.skip(entry_length(entry));
                table = table_of(entry);
                // SAFETY: the caller's word about `out`.
                made = match unsafe { self.say(entry, out, made, limit) } {
                    Some(made) => made,
                    None => return Ok(None),
                };
                entry = self.direct(table, bits.word);
            }
            if bits.overrun() {
                return Err(cut_off());
            }
            if entry & TEXT != 0 {
                continue 'next;
            }
            if entry_length(entry) == 0 {
                entry = self.long_entry(table, entry, bits.word)?;
            }
            bits.skip(entry_length(entry));
            if entry_symbol(entry) == ESCAPE {
                bits.refill();
                entry = self.entry(0, bits.word)?;
                bits.skip(entry_length(entry));
            }
            let symbol = entry_symbol(entry);
            if entry & TEXT != 0 || symbol >= PHRASE {
                table = table_of(entry);
                // SAFETY: the caller's word about `out`.
                let more = unsafe {
                    if entry & TEXT != 0 {
                        self.say(entry, out, made, limit)
                    } else {
                        self.say_long(symbol, out, made, limit)
                    }
                };
                made = match more {
                    Some(made) => made,
                    None => return Ok(None),
                };
                continue 'next;
            }
            if !(CONTENT..PHRASE).contains(&symbol) {
                // An end, or an escape behind an escape, which no code has.
                if symbol != END {
                    return Err(no_code());
                }
                return if bits.ends_well(self.padding) { Ok(Some(made)) } else { Err(cut_off()) };
            }
            let (least, width) = LENGTHS[symbol - CONTENT];
            // Enough for all of a match: at most 9 bits, a code of 15, and 30 of a distance.
            bits.refill();
            let size = usize::from(least) + bits.take(u32::from(width)) as usize;
            if size > limit - made {
                return Ok(None);
            }
            // Where in the line of the content and, behind it, the record.
            let here = self.content + made;
            let source = if symbol < SELF {
                let entry = self.entry(self.contexts * DIRECT, bits.word)?;
                bits.skip(entry_length(entry));
                let at = entry_symbol(entry) << self.position_bits | bits.take(self.position_bits) as usize;
                if at >= self.content {
                    return Err(outside());
                }
                at
            } else if symbol < REPEAT {
                let entry = self.entry((self.contexts + 1) * DIRECT, bits.word)?;
                bits.skip(entry_length(entry));
                let (least, width) = slot_distance(entry_symbol(entry));
                let back = least + bits.take(width);
                if back > made as u64 {
                    return Err(outside());
                }
                here - back as usize
            } else {
                here.wrapping_sub(distance)
            };
            distance = here.wrapping_sub(source);
            // SAFETY: the bounds are checked right here.
            let last = unsafe {
                if source < self.content {
                    if size > self.content - source {
                        return Err(outside());
                    }
                    copy_match(self.text.as_ptr().add(source), out.add(made), size);
                    // Not from the output, which was written only just now.
                    *self.text.get_unchecked(source + size - 1)
                } else {
                    if source >= here {
                        return Err(outside());
                    }
                    copy_within(out.add(made), here - source, size);
                    *out.add(made + size - 1)
                }
            };
            made += size;
            table = self.byte_context[last as usize] as usize * DIRECT;
        }
    }

    /// Appends a byte or short phrase to what was made; `None` where that is more than `limit`.
    ///
    /// # Safety
    /// `entry` is of a symbol that is one, `made` is at most `limit`, and `out` is writable for `limit + SLACK` bytes.
    #[inline(always)]
    unsafe fn say(&self, entry: Entry, out: *mut u8, made: usize, limit: usize) -> Option<usize> {
        // SAFETY: symbols in entries are below the model's count; behind the output is slack.
        unsafe {
            let text = *self.texts.get_unchecked(entry_symbol(entry));
            out.add(made).cast::<[u8; 16]>().write_unaligned(text.0);
            let made = made + usize::from(text.0[SHORT]);
            if made <= limit { Some(made) } else { None }
        }
    }

    /// The same for a long phrase.
    ///
    /// # Safety
    /// As for `say`.
    #[inline(never)]
    unsafe fn say_long(&self, symbol: usize, out: *mut u8, made: usize, limit: usize) -> Option<usize> {
        let (at, len) = self.phrases[symbol - PHRASE];
        let size = usize::from(len);
        if size > limit - made {
            return None;
        }
        // SAFETY: the phrase lies in the content, behind which is slack, as there is behind the output.
        unsafe { copy_text(self.text.as_ptr().add(at as usize), out.add(made), size) };
        Some(made + size)
    }
}

/// The least length of each code of matches of either kind, and how many bits say how much more.
const LENGTHS: [(u16, u8); PHRASE - CONTENT] = {
    let mut table = [(0, 0); PHRASE - CONTENT];
    let mut code = 0;
    while code < table.len() {
        let (least, width) = code_length(code % LENGTH_CODES);
        table[code] = (least as u16, width as u8);
        code += 1;
    }
    table
};

/// Where the table of the context behind a symbol begins.
#[inline(always)]
const fn table_of(entry: Entry) -> usize {
    (entry >> (CONTEXT_SHIFT - DIRECT_BITS)) as usize & ((MAX_CONTEXTS - 1) << DIRECT_BITS)
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

/// Copies what is mostly short: 16 bytes at a time, up to 15 too many.
#[inline(always)]
unsafe fn copy_text(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: the caller has slack behind both.
    unsafe {
        to.copy_from_nonoverlapping(from, 16);
        let mut done = 16;
        while done < len {
            to.add(done).copy_from_nonoverlapping(from.add(done), 16);
            done += 16;
        }
    }
}

/// Copies 32 bytes at a time, up to 31 too many.
#[inline(always)]
unsafe fn copy_match(from: *const u8, to: *mut u8, len: usize) {
    // SAFETY: the caller has slack behind both.
    unsafe {
        to.copy_from_nonoverlapping(from, 32);
        let mut done = 32;
        while done < len {
            to.add(done).copy_from_nonoverlapping(from.add(done), 32);
            done += 32;
        }
    }
}

/// Repeats what lies `distance` before `to`.
#[inline(always)]
unsafe fn copy_within(to: *mut u8, distance: usize, len: usize) {
    // SAFETY: the caller has slack behind `to`, and made `distance` bytes before it.
    unsafe {
        let from = to.sub(distance);
        if distance >= 32 {
            copy_match(from, to, len);
        } else if distance >= 16 {
            copy_text(from, to, len);
        } else {
            // Byte by byte until a whole number of periods has at least 16, then with those.
            let period = distance * 16usize.div_ceil(distance);
            for i in 0..len.min(period) {
                to.add(i).write(from.add(i).read());
            }
            let mut done = period;
            while done < len {
                to.add(done).copy_from_nonoverlapping(to.add(done - period), 16);
                done += 16;
            }
        }
    }
}

/// Bits, the lowest of the first byte first, and zeros for ever behind the last.
///
/// Where to read next depends on how many bits were left at the refill before, not on what was decoded since: so
/// the processor has the bytes at hand when they are wanted (Giesen, "Reading bits in far too many ways", 2018, variant 4).
struct Bits {
    input: *const u8,
    /// Where the last eight bytes begin.
    last: usize,
    /// The byte to read next.
    next: usize,
    /// The next bits, the lowest `count` of them for certain.
    word: u64,
    count: u32,
    /// How many bits there are in all.
    total: usize,
}

impl Bits {
    /// # Safety
    /// `input` is readable for `len` bytes while this is used.
    #[inline(always)]
    unsafe fn new(input: *const u8, len: usize, short: &mut [u8; 8]) -> Bits {
        let total = len * 8;
        if len >= 8 {
            return Bits { input, last: len - 8, next: 0, word: 0, count: 0, total };
        }
        // SAFETY: the caller's word, and fewer than 8.
        unsafe { short.as_mut_ptr().copy_from_nonoverlapping(input, len) };
        Bits { input: short.as_ptr(), last: 0, next: 0, word: 0, count: 0, total }
    }

    /// Makes at least 56 bits available.
    #[inline(always)]
    fn refill(&mut self) {
        let from = self.next.min(self.last);
        // SAFETY: eight bytes from `last` on are readable.
        let word = u64::from_le(unsafe { self.input.add(from).cast::<u64>().read_unaligned() });
        // Past the end there are zeros, and the caller sees that it overran.
        let word = word >> ((self.next - from) * 8).min(63);
        self.word |= word << self.count;
        self.next += (63 - self.count as usize) >> 3;
        self.count |= 56;
    }

    #[inline(always)]
    fn skip(&mut self, count: u32) {
        self.word >>= count & 63;
        self.count = self.count.wrapping_sub(count);
    }

    #[inline(always)]
    fn take(&mut self, count: u32) -> u64 {
        let bits = self.word & ((1 << count) - 1);
        self.skip(count);
        bits
    }

    #[inline(always)]
    fn consumed(&self) -> usize {
        self.next * 8 - self.count as usize
    }

    #[inline(always)]
    fn overrun(&self) -> bool {
        self.consumed() > self.total
    }

    /// Whether it stands in the last byte, and what is left of that is what the dictionary pads with.
    #[inline(always)]
    fn ends_well(&mut self, padding: u8) -> bool {
        let rest = self.total.wrapping_sub(self.consumed());
        if rest > 7 {
            return false;
        }
        self.refill();
        self.word & ((1 << rest) - 1) == u64::from(padding) & ((1 << rest) - 1)
    }
}
