//! Greedy encoding: takes the best symbol at each position and writes it at once.
//!
//! The best symbol is the longest phrase, or a match that saves more bits than the phrase. Savings
//! are measured against the average price of the same number of bytes without a match, which the
//! dictionary knows from its samples. Most positions have no match. One lookup each in the indexes
//! of the content and of the record shows that, and the processor predicts it and continues with
//! the next positions. Positions within a match are not examined: the index of the record contains
//! only the positions at which a symbol was taken, and the ends of matches.

use super::bits::{BackWriter, BitWriter, ROOM};
use super::encode::{Encoder, Scratch, Writer};
use super::matches::{common, load};
use super::parse::Effort;
use super::symbols::*;
use crate::Result;

/// A match of this length is taken without comparing it with phrases.
const LONG: usize = 32;

/// A match.
#[derive(Clone, Copy)]
struct Match {
    /// The number of bits it saves, in 1/16 bit.
    score: i32,
    symbol: usize,
    len: usize,
    /// A position, or a distance.
    place: u32,
    /// The distance of the last match after this one, in the line of content and record.
    distance: u32,
}

/// The text at the distance of the last match. It begins in the content or in the record, and does
/// not cross from one into the other.
#[derive(Clone, Copy)]
struct Repeat<'a> {
    from: &'a [u8],
    /// The position in the text that corresponds to the start of `from`.
    begin: usize,
    /// The first position that has no whole word in `from`.
    end: usize,
}

impl<'a> Repeat<'a> {
    /// Creates an empty value, which matches nowhere.
    #[inline(always)]
    fn none(text: &'a [u8]) -> Repeat<'a> {
        Repeat { from: text, begin: 0, end: 0 }
    }

    /// Creates the value that follows a match with a `distance` other than 0 that ends at `at`.
    #[inline(always)]
    fn after(content: &'a [u8], text: &'a [u8], at: usize, distance: usize) -> Repeat<'a> {
        let source = content.len() + at - distance;
        if source < content.len() {
            let from = &content[source..];
            Repeat { from, begin: at, end: (at + from.len()).saturating_sub(7).max(at) }
        } else {
            Repeat { from: text, begin: distance, end: usize::MAX }
        }
    }

    /// Whether at least four bytes of the word at `at` repeat.
    #[inline(always)]
    fn matches_at(self, at: usize, word: u64) -> bool {
        at < self.end && load(self.from, at - self.begin) as u32 == word as u32
    }
}

impl Encoder {
    /// Appends a record's bit stream to `out`, which has room for the text and 3 times [`ROOM`]
    /// more. Returns false if the stream is longer than the text; the appended bytes are then
    /// unspecified.
    pub(super) fn greedy(
        &self,
        effort: Effort,
        text: &[u8],
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        let record = &mut scratch.parser.record;
        record.begin_sparse(text.len(), self.record_string_bytes)?;
        debug_assert!(out.capacity() - out.len() >= text.len() + 3 * ROOM);
        let most = out.len() + text.len();
        let mut writer = Writer { codes: BitWriter::new(out), back: BackWriter::new(&mut scratch.back) };
        let mut context = self.context_of[START];
        let (mut at, mut distance) = (0, 0u32);
        let mut repeat = Repeat::none(text);
        // The position after the last whole word.
        let stop = text.len().saturating_sub(7);
        let content_stop = self.buckets.strings(text);
        while at < stop {
            let word = load(text, at);
            let (bucket, hits) = if at < content_stop { self.buckets.hits(text, at, word) } else { (0, 0) };
            let back = record.swap(text, at, word);
            let repeats = repeat.matches_at(at, word);
            let (mut symbol, mut len) = self.phrase_finder.find(&self.trie, text, at, word);
            if !self.has_code(context, symbol) {
                (symbol, len) = self.usable(context, text, at);
            }
            if (hits != 0) | (back != 0) | repeats
                && let Some(found) =
                    self.best(effort, text, at, context, (bucket, hits, back, repeats), distance)
                && (found.len >= LONG || found.score > self.score(len, self.bits(context, symbol)))
            {
                // SAFETY: `out` and `back` have room for the text and at least [`ROOM`] bytes more,
                // and the output so far is no longer than the text.
                unsafe { self.put(&mut writer, context, found.symbol, found.len, found.place) };
                record.add_edges(text, at, found.len, effort.record);
                at += found.len;
                distance = found.distance;
                repeat = Repeat::after(&self.content, text, at, distance as usize);
                context = self.context_of[found.symbol];
            } else {
                // SAFETY: the same room.
                unsafe { self.put(&mut writer, context, symbol, len, 0) };
                at += len;
                context = self.context_of[symbol];
            }
            if writer.codes.len() + writer.back.len() > most {
                return Ok(false);
            }
        }
        while at < text.len() {
            let (symbol, len) = self.usable(context, text, at);
            // SAFETY: the same room.
            unsafe { self.put(&mut writer, context, symbol, len, 0) };
            at += len;
            context = self.context_of[symbol];
            if writer.codes.len() + writer.back.len() > most {
                return Ok(false);
            }
        }
        // SAFETY: the same room.
        unsafe { self.end(writer, context) };
        Ok(true)
    }

    /// The longest phrase that has a code, or the byte.
    fn usable(&self, context: u8, text: &[u8], at: usize) -> (usize, usize) {
        let (mut symbol, mut len) = (usize::from(text[at]), 1);
        self.trie.walk(&text[at..], |length, phrase| {
            if self.has_code(context, PHRASE + phrase) {
                (symbol, len) = (PHRASE + phrase, length);
            }
        });
        (symbol, len)
    }

    #[inline(always)]
    fn score(&self, len: usize, bits: u32) -> i32 {
        len as i32 * self.prices.average - bits as i32 * 16
    }

    /// The best match.
    #[inline(always)]
    fn best(
        &self,
        effort: Effort,
        text: &[u8],
        at: usize,
        context: u8,
        (bucket, hits, back, repeats): (usize, u32, usize, bool),
        distance: u32,
    ) -> Option<Match> {
        let content = &self.content[..];
        let mut best: Option<Match> = None;
        let here = (content.len() + at) as u32;
        let room = (text.len() - at).min(MAX_MATCH);
        let mut consider = |base: usize, len: usize, place_bits: u32, place: u32, distance: u32| {
            // This happens only if another thread changes the text at the same time.
            if len < MIN_MATCH {
                return;
            }
            let (code, bits, _) = length_code(len);
            let score = self.score(len, self.bits(context, base + code) + bits + place_bits);
            if best.is_none_or(|best| score > best.score) {
                best = Some(Match { score, symbol: base + code, len, place, distance });
            }
        };
        if repeats {
            let source = here.wrapping_sub(distance) as usize;
            let len = if source < content.len() {
                common(content, source, text, at, room.min(content.len() - source))
            } else {
                common(text, source - content.len(), text, at, room)
            };
            consider(REPEAT, len, 0, 0, distance);
        }
        let (len, position) = self.buckets.longest(content, text, at, (bucket, hits), effort.content);
        if len > 0 {
            consider(CONTENT, len, self.prices.position_bits, position as u32, here - position as u32);
        }
        if back > 0 {
            let len = common(text, at - back, text, at, room);
            let class = distance_class(back as u32);
            consider(SELF + class * LENGTH_CODES, len, class_distance(class).1, back as u32, back as u32);
        }
        best
    }
}
