//! Reading compressed records: one table look-up and one copy of a fixed size for nearly all
//! symbols.
//!
//! The chain of dependent steps is what decides the speed: take some bits, look up, shift. An entry
//! also says the context of the next symbol, so that its table is known without waiting for
//! anything else. What a match says besides is read from the other end of the record, where only
//! how many bits it has matters to the next; and where its text comes from does not matter to the
//! chain. Escapes are symbols without a text, and so is the end, whose entries stay where they are:
//! it is looked for once every few symbols.
//!
//! Branches that may go either way are the rest of the time. Whether a symbol is a match is one
//! where few are; where many are, all symbols are taken for matches, and bytes and phrases are such
//! as have no further bits.
//!
//! It trusts nothing but its own tables. Input and output are bounded at every symbol; every symbol
//! but the end takes a bit at least, so it ends; a match is at most [`MAX_MATCH`] long, so output
//! is bounded by about 8 KiB for each byte of input even with the strangest dictionary.

use super::bits::{BitReader, Input};
use super::huffman::{MAX_BITS, each_entry, try_vec};
use super::model::Model;
use super::symbols::*;
use crate::cpu::{Features, Level};
use crate::{Error, Result};
use std::hint::select_unpredictable;
use std::mem::MaybeUninit;

/// Bytes behind the text and the output that may be touched by wide copies.
pub const SLACK: usize = 64;
/// Symbols from one refill to the next.
const RUN: u32 = 4;
const _: () = assert!(RUN * MAX_BITS <= 56);

/// An entry of a decoding table. Bits 0 to 5 are how many bits the code has (none for the end), 6
/// to 17 the symbol, the rest where the table of what follows begins, in units of two entries: one
/// shift makes each of them.
///
/// The length lies lowest because a shift by a register takes just those bits.
type Entry = u32;
const SYMBOL_SHIFT: u32 = 6;
const SYMBOL_MASK: u32 = (1 << 12) - 1;
const TABLE_SHIFT: u32 = 18;
const TABLE_UNIT: u32 = 1;
const _: () = assert!(MAX_ENTRIES == 1 << (32 - TABLE_SHIFT + TABLE_UNIT));

/// Of a symbol that is no match and no long phrase: where in the line its text begins, and how long
/// it is.
type Text = u32;
const LEN_SHIFT: u32 = 25;
const FAR: Text = 1 << 31;
/// What is copied of such a text.
const SHORT: usize = 32;

/// What a symbol says. Bytes, content and record are one **line**: first each byte once, then the
/// content, then the record.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C, align(16))]
struct Meaning {
    /// Where in the line its text begins; of [`BACK`] how far back.
    place: u32,
    /// Which of its further bits are added to the place.
    mask: u32,
    /// How long its text is.
    len: u16,
    /// How many further bits it has.
    bits: u8,
    /// How many of them are added to the place: the others are to the length.
    place_bits: u8,
    flags: u8,
}

/// The place is a distance from here.
const BACK: u8 = 1;
/// And that is of the match before.
const AGAIN: u8 = 2;
/// The next such match repeats the distance of this one.
const MATCH: u8 = 4;
/// From this share of symbols on, in parts of 256, matches are many.
const MANY_MATCHES: u32 = 56;
/// Bytes that the line begins with.
const BYTES: usize = 256;

/// A dictionary, prepared for decoding. Any number of threads may use one.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// A table for each context.
    entries: Vec<Entry>,
    code_bits: u32,
    /// By symbol.
    texts: Vec<Text>,
    meanings: Vec<Meaning>,
    /// The line up to the record, and slack.
    text: Vec<u8>,
    /// How long the line up to the record is.
    text_len: usize,
    /// Bits of the end in each context.
    ends: [u8; MAX_CONTEXTS],
    start: u8,
    padding: u8,
    /// Whether matches are so many that it is not worth guessing whether a symbol is one.
    many_matches: bool,
    level: Level,
}

/// How far a record is decoded.
struct Progress {
    made: usize,
    /// Of the match before.
    distance: usize,
    /// Where what was read from the end begins. Too much makes it wrap, and be noticed.
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
                    if symbol == END { (0, context) } else { (lengths[symbol], model.behind(symbol)) };
                let next = (next as u32) << (bits - TABLE_UNIT) << TABLE_SHIFT;
                table[at] = u32::from(length) | (symbol as u32) << SYMBOL_SHIFT | next;
            })?;
        }
        let text_len = BYTES + content.len();
        let mut text = try_vec(text_len + SLACK, 0u8)?;
        text.iter_mut().zip(0..=255).for_each(|(slot, byte)| *slot = byte);
        text[BYTES..text_len].copy_from_slice(content);
        let mut meanings = try_vec(model.symbols(), Meaning::default())?;
        for (meaning, byte) in meanings.iter_mut().zip(0..=255) {
            *meaning = Meaning { place: byte, len: 1, ..*meaning };
        }
        for (symbol, meaning) in meanings.iter_mut().enumerate().take(PHRASE).skip(CONTENT) {
            *meaning = match_meaning(symbol, model.position_bits);
        }
        for (meaning, &(at, len)) in meanings[PHRASE..].iter_mut().zip(&model.phrases) {
            *meaning = Meaning { place: BYTES as u32 + at, len: u16::from(len), ..*meaning };
        }
        let mut texts = try_vec(model.symbols(), FAR)?;
        for (text, meaning) in texts.iter_mut().zip(&meanings) {
            if meaning.flags & MATCH == 0 && usize::from(meaning.len) <= SHORT {
                *text = meaning.place | u32::from(meaning.len) << LEN_SHIFT;
            }
        }
        Ok(Decoder {
            entries,
            code_bits: bits,
            texts,
            meanings,
            text,
            text_len,
            ends,
            start: model.context_of[START],
            padding: model.padding(),
            many_matches: model.matches > MANY_MATCHES,
            level: Features::get().level(),
        })
    }

    /// Decodes a bit stream of `len` bytes at `input` into `out`, and returns how many bytes it
    /// made; `None` where they are more than `limit`.
    ///
    /// # Safety
    /// `input` is readable for `len` bytes (they may change meanwhile, which makes nonsense of the
    /// result, no more); `out` is writable for `limit + SLACK` bytes.
    pub(crate) unsafe fn decode(
        &self,
        input: *const u8,
        len: usize,
        out: *mut u8,
        limit: usize,
    ) -> Result<Option<usize>> {
        // SAFETY: the caller's word, and the processor has what the level says.
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

    /// The same with instructions that shift by any register, and copy 32 bytes.
    ///
    /// # Safety
    /// As for `decode`, with a processor that has them.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2,bmi1,bmi2")]
    unsafe fn decode_avx2<const MANY: bool>(
        &self,
        input: *const u8,
        len: usize,
        out: *mut u8,
        limit: usize,
    ) -> Result<Option<usize>> {
        // SAFETY: the caller's word.
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
        // SAFETY: the caller's word.
        let input = unsafe { Input::new(input, len, &mut short) };
        let mut bits = BitReader::new();
        let mask = (1usize << self.code_bits) - 1;
        let (entries, text) = (self.entries.as_ptr(), self.text.as_ptr());
        let mut at = Progress { made: 0, distance: 0, back: len * 8 };
        // Where the table of the context begins.
        let mut table = usize::from(self.start) << self.code_bits;
        loop {
            bits.refill(&input);
            let mut run = [0 as Entry; RUN as usize];
            for slot in &mut run {
                debug_assert!(table + mask < self.entries.len());
                // SAFETY: tables in entries are those of contexts, which were checked when the
                // model was read.
                let entry = unsafe { *entries.add(table).add(bits.word() as usize & mask) };
                bits.skip(entry);
                table = ((entry >> TABLE_SHIFT) as usize) << TABLE_UNIT;
                *slot = entry;
            }
            for entry in run {
                let symbol = (entry >> SYMBOL_SHIFT & SYMBOL_MASK) as usize;
                // SAFETY: symbols in entries are those of the model.
                let said = unsafe { *self.texts.get_unchecked(symbol) };
                if MANY || said & FAR != 0 {
                    // SAFETY: the caller's word about `out`.
                    match unsafe { self.say(symbol, &mut at, &input, out, limit) } {
                        Ok(true) => continue,
                        Ok(false) => return Ok(None),
                        Err(error) => return Err(error),
                    }
                }
                // SAFETY: the text lies in the line, behind which is slack, as there is behind the
                // output.
                unsafe {
                    copy::<SHORT>(text.add((said & ((1 << LEN_SHIFT) - 1)) as usize), out.add(at.made));
                };
                at.made += (said >> LEN_SHIFT) as usize;
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
        // What is left of the byte where both ends meet.
        let rest = at.back.wrapping_sub(from);
        let mask = (1 << (rest & 7)) - 1;
        if rest > 7 || input.peek(from) & mask != u64::from(self.padding) & mask {
            return Err(cut_off());
        }
        Ok(Some(at.made))
    }

    /// Appends what any symbol says. False where that is more than `limit`.
    ///
    /// # Safety
    /// `symbol` is one of the model, what was made is at most `limit`, and `out` is writable for
    /// `limit + SLACK` bytes.
    #[inline(always)]
    unsafe fn say(
        &self,
        symbol: usize,
        at: &mut Progress,
        input: &Input,
        out: *mut u8,
        limit: usize,
    ) -> Result<bool> {
        let text_len = self.text_len;
        // SAFETY: the caller's word.
        let meaning = unsafe { *self.meanings.get_unchecked(symbol) };
        at.back = at.back.wrapping_sub(usize::from(meaning.bits));
        let more = input.peek(at.back) & ((1 << (meaning.bits & 63)) - 1);
        let place = (meaning.place + (more as u32 & meaning.mask)) as usize;
        let size = usize::from(meaning.len) + (more >> (meaning.place_bits & 63)) as usize;
        let (flags, here) = (meaning.flags, text_len + at.made);
        let from = select_unpredictable(flags & AGAIN != 0, at.distance, place);
        let from = select_unpredictable(flags & BACK != 0, here.wrapping_sub(from), from);
        at.distance = select_unpredictable(flags & MATCH != 0, here.wrapping_sub(from), at.distance);
        // Either in the bytes and the content, or in the record.
        let own = from >= text_len;
        let base = select_unpredictable(own, out.wrapping_sub(text_len).cast_const(), self.text.as_ptr());
        let bound = select_unpredictable(own, here, text_len);
        if size > SLACK || from > bound - size {
            // SAFETY: the caller's word.
            if !unsafe { self.say_far(from, size, out, at.made, limit) }? {
                return Ok(false);
            }
        } else {
            // SAFETY: it ends at `bound` or before, behind which is slack, as there is behind the
            // output.
            unsafe { copy::<SLACK>(base.wrapping_add(from), out.add(at.made)) };
        }
        at.made += size;
        Ok(at.made <= limit)
    }

    /// Appends a text that is long, or repeats itself, or is not there. False where that is more
    /// than `limit`.
    ///
    /// # Safety
    /// `made` is at most `limit`, and `out` is writable for `limit + SLACK` bytes.
    #[inline(never)]
    unsafe fn say_far(
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
        // SAFETY: the bounds are checked right here.
        unsafe {
            if from < self.text_len {
                if size > self.text_len - from {
                    return Err(outside());
                }
                copy_far(self.text.as_ptr().add(from), out.add(made), size);
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

/// What a match says.
fn match_meaning(symbol: usize, position_bits: u32) -> Meaning {
    let (least, more) = code_length((symbol - CONTENT) % LENGTH_CODES);
    let (place, place_bits, flags) = match symbol {
        ..SELF => (BYTES as u32, position_bits, MATCH),
        SELF..REPEAT => {
            let (least, bits) = class_distance((symbol - SELF) / LENGTH_CODES);
            (least, bits, MATCH | BACK)
        }
        _ => (0, 0, MATCH | BACK | AGAIN),
    };
    Meaning {
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
    Error::corrupt("the bits do not end where the record does")
}

#[cold]
fn outside() -> Error {
    Error::corrupt("a match with what is not there")
}

/// Copies [`SLACK`] bytes, all of them read before any is written.
#[inline(always)]
unsafe fn copy<const N: usize>(from: *const u8, to: *mut u8) {
    // SAFETY: the caller has so many at both; some may not be initialized, which is why they are
    // not looked at.
    unsafe {
        let text = from.cast::<MaybeUninit<[u8; N]>>().read_unaligned();
        to.cast::<MaybeUninit<[u8; N]>>().write_unaligned(text);
    }
}

/// Copies 32 bytes at a time, up to 31 too many.
#[inline(always)]
unsafe fn copy_far(from: *const u8, to: *mut u8, len: usize) {
    let mut done = 0;
    while done < len {
        // SAFETY: the caller has slack behind both.
        unsafe { copy::<SLACK>(from.add(done), to.add(done)) };
        done += SLACK;
    }
}

/// Repeats what lies `distance` before `to`.
#[inline(always)]
unsafe fn copy_within(to: *mut u8, distance: usize, len: usize) {
    // SAFETY: the caller has slack behind `to`, and made `distance` bytes before it.
    unsafe {
        let from = to.sub(distance);
        if distance >= SLACK {
            copy_far(from, to, len);
            return;
        }
        // Byte by byte until a whole number of periods has at least 16, then with those.
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
