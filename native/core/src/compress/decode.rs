//! Decompression: nearly every symbol takes one table lookup and one copy of a fixed size.
//!
//! A chain of dependent steps determines the speed: take some bits, look up, shift. Therefore a
//! table entry also contains the table of the next symbol's context, so that the next lookup waits
//! for nothing else. The extra bits of a match are read from the other end of the record. Only
//! their number affects the next match, and the source of the match's text does not affect the
//! chain at all. Escapes are symbols without text. So is the end symbol; its entries consume no
//! bits, so the decoder stays at the end and checks for it only once every few symbols.
//!
//! The rest of the time goes into unpredictable branches. If matches are rare, a branch decides
//! whether a symbol is a match. If they are frequent, every symbol is decoded as a match, and bytes
//! and phrases are matches without extra bits.
//!
//! The decoder trusts only its own tables. It checks the bounds of input and output at every
//! symbol. It terminates, because every symbol except the end consumes at least one bit. A match
//! has at most [`MAX_MATCH`] bytes, so even with the strangest dictionary the output is at most
//! about 8 KiB for each byte of input.

use super::bits::{BitReader, Input};
use super::huffman::{MAX_BITS, each_entry};
use super::memory::try_vec;
use super::model::Model;
use super::symbols::*;
use crate::cpu::{Features, Level};
use crate::{Error, Result};
use std::hint::select_unpredictable;
use std::mem::MaybeUninit;

/// The number of bytes past the text and past the output that wide copies may touch.
pub const SLACK: usize = 64;
/// The number of symbols decoded between two refills.
const RUN: u32 = 4;
const _: () = assert!(RUN * MAX_BITS <= 56);

/// An entry of a decoding table. Bits 0 to 5 are the length of the code (0 for the end), bits 6 to
/// 17 the symbol, and the remaining bits the start of the next symbol's table, in units of two
/// entries. One shift extracts each part.
///
/// The length is in the lowest bits because a shift by a register uses only those.
type Entry = u32;
const SYMBOL_SHIFT: u32 = 6;
const SYMBOL_MASK: u32 = (1 << 12) - 1;
const TABLE_SHIFT: u32 = 18;
const TABLE_UNIT: u32 = 1;
const _: () = assert!(MAX_ENTRIES == 1 << (32 - TABLE_SHIFT + TABLE_UNIT));

/// The start of a symbol's text in the line and its length, for symbols that are neither matches
/// nor long phrases.
type InlineText = u32;
const LEN_SHIFT: u32 = 25;
const NOT_INLINE: InlineText = 1 << 31;
/// The number of bytes copied for such a text.
const SHORT: usize = 32;

/// The expansion of a symbol. The 256 byte values, the content and the record form one **line**, in
/// this order.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(16))]
struct Expansion {
    /// The start of the text in the line; with [`BACK`], the distance back from the current
    /// position.
    place: u32,
    /// The extra bits that are added to `place`.
    mask: u32,
    /// The length of the text.
    len: u16,
    /// The number of extra bits.
    bits: u8,
    /// The number of extra bits that are added to `place`; the others are added to `len`.
    place_bits: u8,
    flags: u8,
}

/// `place` is a distance from the current position.
const BACK: u8 = 1;
/// The distance is that of the previous match.
const REPEATED: u8 = 2;
/// A later [`REPEATED`] match uses the distance of this one.
const MATCH: u8 = 4;
/// The share of matches among the symbols, in parts of 256, from which on they count as frequent.
const MANY_MATCHES: u32 = 56;
/// The number of bytes at the start of the line.
const BYTES: usize = 256;

/// A dictionary prepared for decoding. Any number of threads may use it.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// One table for each context.
    entries: Vec<Entry>,
    code_bits: u32,
    /// Indexed by symbol.
    inline_texts: Vec<InlineText>,
    expansions: Vec<Expansion>,
    /// The part of the line before the record, followed by slack.
    text: Vec<u8>,
    /// The length of the part of the line before the record.
    text_len: usize,
    /// The length of the end's code in each context.
    ends: [u8; MAX_CONTEXTS],
    start: u8,
    padding: u8,
    /// Whether matches are so frequent that a branch on them would be mispredicted too often.
    many_matches: bool,
    level: Level,
}

/// The state of decoding one record.
struct Progress {
    made: usize,
    /// The distance of the previous match.
    distance: usize,
    /// The bit position down to which extra bits have been read from the end. If a record has too
    /// few bits, this wraps around, which the end of a run detects.
    back: usize,
}

impl Decoder {
    pub(crate) fn new(model: &Model, content: &[u8]) -> Result<Decoder> {
        let bits = model.code_bits();
        let mut entries = try_vec(model.contexts << bits, 0)?;
        let mut ends = [0; MAX_CONTEXTS];
        for (context, table) in entries.chunks_exact_mut(1 << bits).enumerate() {
            let lengths = model.lengths(context);
            ends[context] = lengths[END];
            each_entry(lengths, bits, |at, symbol| {
                let (length, next) =
                    if symbol == END { (0, context) } else { (lengths[symbol], model.context_after(symbol)) };
                let next = (next as u32) << (bits - TABLE_UNIT) << TABLE_SHIFT;
                table[at] = u32::from(length) | (symbol as u32) << SYMBOL_SHIFT | next;
            })?;
        }
        let text_len = BYTES + content.len();
        let mut text = try_vec(text_len + SLACK, 0u8)?;
        text.iter_mut().zip(0..=255).for_each(|(slot, byte)| *slot = byte);
        text[BYTES..text_len].copy_from_slice(content);
        let mut expansions = try_vec(model.symbols(), Expansion::default())?;
        for (expansion, byte) in expansions.iter_mut().zip(0..=255) {
            *expansion = Expansion { place: byte, len: 1, ..*expansion };
        }
        for (symbol, expansion) in expansions.iter_mut().enumerate().take(PHRASE).skip(CONTENT) {
            *expansion = match_expansion(symbol, model.position_bits);
        }
        for (expansion, &(at, len)) in expansions[PHRASE..].iter_mut().zip(&model.phrases) {
            *expansion = Expansion { place: BYTES as u32 + at, len: u16::from(len), ..*expansion };
        }
        let mut inline_texts = try_vec(model.symbols(), NOT_INLINE)?;
        for (text, expansion) in inline_texts.iter_mut().zip(&expansions) {
            if expansion.flags & MATCH == 0 && usize::from(expansion.len) <= SHORT {
                *text = expansion.place | u32::from(expansion.len) << LEN_SHIFT;
            }
        }
        Ok(Decoder {
            entries,
            code_bits: bits,
            inline_texts,
            expansions,
            text,
            text_len,
            ends,
            start: model.context_of[START],
            padding: model.padding(),
            many_matches: model.matches > MANY_MATCHES,
            level: Features::get().level(),
        })
    }

    /// Decodes a bit stream of `len` bytes at `input` into `out`. Returns the number of decoded
    /// bytes, or `None` if there are more than `limit`.
    ///
    /// # Safety
    /// * `input` is readable for `len` bytes. Other threads may write them, in which case the
    ///   result is unspecified.
    /// * `out` is writable for `limit + SLACK` bytes.
    pub(crate) unsafe fn decode(
        &self,
        input: *const u8,
        len: usize,
        out: *mut u8,
        limit: usize,
    ) -> Result<Option<usize>> {
        // SAFETY: the caller guarantees that `input` is readable for `len` bytes and `out` writable
        // for `limit + SLACK`; the processor supports the instructions of its detected level.
        unsafe {
            #[cfg(target_arch = "x86_64")]
            if self.level >= Level::Avx2 {
                return if self.many_matches {
                    self.decode_avx2::<true>(input, len, out, limit)
                } else {
                    self.decode_avx2::<false>(input, len, out, limit)
                };
            }
            if self.many_matches {
                self.decode_with::<true>(input, len, out, limit)
            } else {
                self.decode_with::<false>(input, len, out, limit)
            }
        }
    }

    /// The same with BMI2 shifts by any register and 32-byte copies.
    ///
    /// # Safety
    /// As for `decode`; the processor supports AVX2, BMI1 and BMI2.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2")]
    unsafe fn decode_avx2<const MANY: bool>(
        &self,
        input: *const u8,
        len: usize,
        out: *mut u8,
        limit: usize,
    ) -> Result<Option<usize>> {
        // SAFETY: the same preconditions, guaranteed by the caller.
        unsafe { self.decode_with::<MANY>(input, len, out, limit) }
    }

    /// # Safety
    /// As for `decode`.
    #[inline(always)]
    unsafe fn decode_with<const MANY: bool>(
        &self,
        input: *const u8,
        len: usize,
        out: *mut u8,
        limit: usize,
    ) -> Result<Option<usize>> {
        let mut short = [0u8; 8];
        // SAFETY: `input` is readable for `len` bytes, as guaranteed by the caller.
        let input = unsafe { Input::new(input, len, &mut short) };
        let mut bits = BitReader::new();
        let mask = (1usize << self.code_bits) - 1;
        let (entries, text) = (self.entries.as_ptr(), self.text.as_ptr());
        let mut at = Progress { made: 0, distance: 0, back: len * 8 };
        // The start of the context's table.
        let mut table = usize::from(self.start) << self.code_bits;
        loop {
            bits.refill(&input);
            let mut run = [0 as Entry; RUN as usize];
            for slot in &mut run {
                debug_assert!(table + mask < self.entries.len());
                // SAFETY: every table in an entry belongs to a context of the model, and contexts
                // were checked when the model was read.
                let entry = unsafe { *entries.add(table).add(bits.word() as usize & mask) };
                bits.skip(entry);
                table = ((entry >> TABLE_SHIFT) as usize) << TABLE_UNIT;
                *slot = entry;
            }
            for entry in run {
                let symbol = (entry >> SYMBOL_SHIFT & SYMBOL_MASK) as usize;
                // SAFETY: every symbol in an entry is a symbol of the model.
                let inline = unsafe { *self.inline_texts.get_unchecked(symbol) };
                if MANY || inline & NOT_INLINE != 0 {
                    // SAFETY: `symbol` is one of the model, `made <= limit`, and the caller
                    // guarantees that `out` is writable for `limit + SLACK` bytes.
                    match unsafe { self.emit(symbol, &mut at, &input, out, limit) } {
                        Ok(true) => continue,
                        Ok(false) => return Ok(None),
                        Err(error) => return Err(error),
                    }
                }
                // SAFETY: the text is within the line. Both the line and the output are followed by
                // slack.
                unsafe {
                    copy::<SHORT>(text.add((inline & ((1 << LEN_SHIFT) - 1)) as usize), out.add(at.made));
                };
                at.made += (inline >> LEN_SHIFT) as usize;
                if at.made > limit {
                    return Ok(None);
                }
            }
            if bits.consumed() as isize > at.back as isize {
                return Err(cut_off());
            }
            if run[RUN as usize - 1] & 63 == 0 {
                break;
            }
        }
        let from = bits.consumed() + usize::from(self.ends[table >> self.code_bits]);
        // The remaining bits of the byte in which both parts meet.
        let rest = at.back.wrapping_sub(from);
        let mask = (1 << (rest & 7)) - 1;
        if rest > 7 || input.peek(from) & mask != u64::from(self.padding) & mask {
            return Err(cut_off());
        }
        Ok(Some(at.made))
    }

    /// Appends the expansion of any symbol. Returns false if the output exceeds `limit`.
    ///
    /// # Safety
    /// `symbol` is one of the model, `at.made <= limit`, and `out` is writable for `limit + SLACK`
    /// bytes.
    #[inline(always)]
    unsafe fn emit(
        &self,
        symbol: usize,
        at: &mut Progress,
        input: &Input,
        out: *mut u8,
        limit: usize,
    ) -> Result<bool> {
        let text_len = self.text_len;
        // SAFETY: `symbol` is one of the model, as guaranteed by the caller.
        let expansion = unsafe { *self.expansions.get_unchecked(symbol) };
        at.back = at.back.wrapping_sub(usize::from(expansion.bits));
        let more = input.peek(at.back) & ((1 << (expansion.bits & 63)) - 1);
        let place = (expansion.place + (more as u32 & expansion.mask)) as usize;
        let size = usize::from(expansion.len) + (more >> (expansion.place_bits & 63)) as usize;
        let (flags, here) = (expansion.flags, text_len + at.made);
        let from = select_unpredictable(flags & REPEATED != 0, at.distance, place);
        let from = select_unpredictable(flags & BACK != 0, here.wrapping_sub(from), from);
        at.distance = select_unpredictable(flags & MATCH != 0, here.wrapping_sub(from), at.distance);
        // The source is either in the bytes and the content, or in the record.
        let own = from >= text_len;
        let base = select_unpredictable(own, out.wrapping_sub(text_len).cast_const(), self.text.as_ptr());
        let bound = select_unpredictable(own, here, text_len);
        if size > SLACK || from > bound - size {
            // SAFETY: `at.made <= limit`, and `out` is writable for `limit + SLACK` bytes, as
            // guaranteed by the caller.
            if !unsafe { self.emit_slow(from, size, out, at.made, limit) }? {
                return Ok(false);
            }
        } else {
            // SAFETY: the source ends at or before `bound`. Slack follows both the line and the
            // output.
            unsafe { copy::<SLACK>(base.wrapping_add(from), out.add(at.made)) };
        }
        at.made += size;
        Ok(at.made <= limit)
    }

    /// Appends a text that is long, overlaps itself, or is out of range. Returns false if the
    /// output exceeds `limit`.
    ///
    /// # Safety
    /// `made <= limit`, and `out` is writable for `limit + SLACK` bytes.
    #[inline(never)]
    unsafe fn emit_slow(
        &self,
        from: usize,
        size: usize,
        out: *mut u8,
        made: usize,
        limit: usize,
    ) -> Result<bool> {
        if size > limit - made {
            return Ok(false);
        }
        let here = self.text_len + made;
        // SAFETY: each branch checks the bounds of its source, and `size <= limit - made`.
        unsafe {
            if from < self.text_len {
                if size > self.text_len - from {
                    return Err(outside());
                }
                copy_long(self.text.as_ptr().add(from), out.add(made), size);
            } else {
                if from >= here {
                    return Err(outside());
                }
                copy_within(out.add(made), here - from, size);
            }
        }
        Ok(true)
    }
}

/// The expansion of a match.
fn match_expansion(symbol: usize, position_bits: u32) -> Expansion {
    let (least, more) = code_length((symbol - CONTENT) % LENGTH_CODES);
    let (place, place_bits, flags) = match symbol {
        ..SELF => (BYTES as u32, position_bits, MATCH),
        SELF..REPEAT => {
            let (least, bits) = class_distance((symbol - SELF) / LENGTH_CODES);
            (least, bits, MATCH | BACK)
        }
        _ => (0, 0, MATCH | BACK | REPEATED),
    };
    Expansion {
        place,
        mask: (1 << place_bits) - 1,
        len: least as u16,
        bits: (place_bits + more) as u8,
        place_bits: place_bits as u8,
        flags,
    }
}

#[cold]
fn cut_off() -> Error {
    Error::corrupt("the codes do not end at the end of the record")
}

#[cold]
fn outside() -> Error {
    Error::corrupt("a match refers to text that does not exist")
}

/// Copies `N` bytes, all of which are read before any is written.
#[inline(always)]
unsafe fn copy<const N: usize>(from: *const u8, to: *mut u8) {
    // SAFETY: the caller guarantees that `N` bytes are readable at `from` and writable at `to`.
    // Some may be uninitialized, so the copy does not inspect them.
    unsafe {
        let text = from.cast::<MaybeUninit<[u8; N]>>().read_unaligned();
        to.cast::<MaybeUninit<[u8; N]>>().write_unaligned(text);
    }
}

/// Copies [`SLACK`] bytes at a time, up to 63 bytes too many.
#[inline(always)]
unsafe fn copy_long(from: *const u8, to: *mut u8, len: usize) {
    let mut done = 0;
    while done < len {
        // SAFETY: the caller guarantees slack after both the source and the target.
        unsafe { copy::<SLACK>(from.add(done), to.add(done)) };
        done += SLACK;
    }
}

/// Repeats the text that begins `distance` bytes before `to`.
#[inline(always)]
unsafe fn copy_within(to: *mut u8, distance: usize, len: usize) {
    // SAFETY: the caller guarantees `distance` written bytes before `to`, and slack after `to +
    // len`.
    unsafe {
        let from = to.sub(distance);
        if distance >= SLACK {
            copy_long(from, to, len);
            return;
        }
        // Copies single bytes until a whole number of periods has at least 16 bytes, then copies 16
        // bytes at a time.
        let period = distance * 16usize.div_ceil(distance);
        for i in 0..len.min(period) {
            to.add(i).write(from.add(i).read());
        }
        let mut done = period;
        while done < len {
            let text = to.add(done - period).cast::<[u8; 16]>().read_unaligned();
            to.add(done).cast::<[u8; 16]>().write_unaligned(text);
            done += 16;
        }
    }
}

#[cfg(test)]
mod tests;
