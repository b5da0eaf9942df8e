//! Taking at each place what looks best there, and writing it at once.
//!
//! What looks best is the longest phrase, or a match that saves more than it against what so many
//! bytes take on average where no match says them, which the dictionary knows from its samples.
//! Nearly all places have no match, which one look at a line of the content's index and one at the
//! record's say: the processor guesses that, and is on its way to the next places meanwhile. What
//! is taken is not looked at again, and the record's index knows only of where something was taken,
//! and of the ends of matches.

use super::bits::{BackWriter, BitWriter, ROOM};
use super::encode::{Encoder, Scratch, Writer};
use super::matches::{common, load};
use super::parse::Effort;
use super::symbols::*;
use crate::Result;

/// A match this long needs no comparison with phrases.
const LONG: usize = 32;

/// A match.
#[derive(Clone, Copy)]
struct Match {
    /// How much it saves, in sixteenths of a bit.
    score: i32,
    symbol: usize,
    len: usize,
    /// A position, or a distance.
    place: u32,
    /// The distance of the last match behind it, in the line of content and record.
    distance: u32,
}

/// Where the text would repeat at the distance of the last match: beginning in the content, and
/// ending there, or in the record.
#[derive(Clone, Copy)]
struct Again<'a> {
    from: &'a [u8],
    /// The place in the text that `from` begins at the distance of.
    begin: usize,
    /// The first place that has no whole word there.
    end: usize,
}

impl<'a> Again<'a> {
    /// Nowhere.
    #[inline(always)]
    fn none(text: &'a [u8]) -> Again<'a> {
        Again { from: text, begin: 0, end: 0 }
    }

    /// Behind a match of that distance, which is not 0, that ends at `at`.
    #[inline(always)]
    fn behind(content: &'a [u8], text: &'a [u8], at: usize, distance: usize) -> Again<'a> {
        let source = content.len() + at - distance;
        if source < content.len() {
            let from = &content[source..];
            Again { from, begin: at, end: (at + from.len()).saturating_sub(7).max(at) }
        } else {
            Again { from: text, begin: distance, end: usize::MAX }
        }
    }

    /// Whether at least four bytes of a word at `at` are there.
    #[inline(always)]
    fn at(self, at: usize, word: u64) -> bool {
        at < self.end && load(self.from, at - self.begin) as u32 == word as u32
    }
}

impl Encoder {
    /// Appends a record's bit stream to `out`, which has room for the text and 3 times [`ROOM`]
    /// more. False, with nonsense behind what `out` had, if it is longer than the text.
    pub(super) fn greedy(
        &self,
        effort: Effort,
        text: &[u8],
        scratch: &mut Scratch,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        let record = &mut scratch.parser.record;
        record.begin_some(text.len(), self.near)?;
        debug_assert!(out.capacity() - out.len() >= text.len() + 3 * ROOM);
        let most = out.len() + text.len();
        let mut writer = Writer { codes: BitWriter::new(out), back: BackWriter::new(&mut scratch.back) };
        let mut context = self.context_of[START];
        let (mut at, mut distance) = (0, 0u32);
        let mut again = Again::none(text);
        // Where the last whole word begins.
        let stop = text.len().saturating_sub(7);
        let far = self.buckets.strings(text);
        while at < stop {
            let word = load(text, at);
            let (place, hits) = if at < far { self.buckets.hits(text, at, word) } else { (0, 0) };
            let back = record.swap(text, at, word);
            let repeats = again.at(at, word);
            let (mut symbol, mut len) = self.longest.find(&self.trie, text, at, word);
            if !self.has(context, symbol) {
                (symbol, len) = self.usable(context, text, at);
            }
            if (hits != 0) | (back != 0) | repeats
                && let Some(found) =
                    self.best(effort, text, at, context, (place, hits, back, repeats), distance)
                && (found.len >= LONG || found.score > self.score(len, self.bits(context, symbol)))
            {
                // SAFETY: there is room for the text and more, and what was written so far is no
                // longer than the text.
                unsafe { self.put(&mut writer, context, found.symbol, found.len, found.place) };
                record.edges(text, at, found.len, effort.record);
                at += found.len;
                distance = found.distance;
                again = Again::behind(&self.content, text, at, distance as usize);
                context = self.context_of[found.symbol];
            } else {
                // SAFETY: as above.
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
            // SAFETY: as above.
            unsafe { self.put(&mut writer, context, symbol, len, 0) };
            at += len;
            context = self.context_of[symbol];
            if writer.codes.len() + writer.back.len() > most {
                return Ok(false);
            }
        }
        // SAFETY: as above.
        unsafe { self.end(writer, context) };
        Ok(true)
    }

    /// The longest phrase that has a code, or the byte.
    fn usable(&self, context: u8, text: &[u8], at: usize) -> (usize, usize) {
        let (mut symbol, mut len) = (usize::from(text[at]), 1);
        self.trie.walk(&text[at..], |length, phrase| {
            if self.has(context, PHRASE + phrase) {
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
        (place, hits, back, again): (usize, u32, usize, bool),
        distance: u32,
    ) -> Option<Match> {
        let content = &self.content[..];
        let mut best: Option<Match> = None;
        let here = (content.len() + at) as u32;
        let room = (text.len() - at).min(MAX_MATCH);
        let mut consider = |base: usize, len: usize, place_bits: u32, place: u32, distance: u32| {
            // Only where another thread changes the text meanwhile.
            if len < MIN_MATCH {
                return;
            }
            let (code, bits, _) = length_code(len);
            let score = self.score(len, self.bits(context, base + code) + bits + place_bits);
            if best.is_none_or(|best| score > best.score) {
                best = Some(Match { score, symbol: base + code, len, place, distance });
            }
        };
        if again {
            let source = here.wrapping_sub(distance) as usize;
            let len = if source < content.len() {
                common(content, source, text, at, room.min(content.len() - source))
            } else {
                common(text, source - content.len(), text, at, room)
            };
            consider(REPEAT, len, 0, 0, distance);
        }
        let (len, position) = self.buckets.longest(content, text, at, (place, hits), effort.content);
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
