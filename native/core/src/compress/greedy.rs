//! Taking at each place what looks best there, and writing it at once.
//!
//! What looks best is what saves most against what so many bytes take on average where no match says them, which the dictionary
//! knows from its samples. A long match is beyond doubt, and no phrase is looked for; what a match covers is not
//! looked at again, and of a long one only the ends go into the index.

use super::bits::{BitWriter, ROOM};
use super::encode::Encoder;
use super::matches::{SelfIndex, common, load};
use super::parse::{Effort, UNUSABLE};
use super::symbols::*;
use crate::Result;

/// A match this long needs no comparison with phrases.
const LONG: usize = 32;

/// How far ahead buckets are fetched.
const AHEAD: usize = 24;

/// What is taken.
#[derive(Clone, Copy)]
struct Choice {
    /// How much it saves, in sixteenths of a bit.
    score: i32,
    symbol: usize,
    len: usize,
    /// A position, or a distance.
    place: u32,
    /// The distance of the last match behind it, in the line of content and record.
    distance: u32,
}

impl Encoder {
    /// Appends a record's bit stream to `out`, which has room for the text and 3 times [`ROOM`] more. False, with nonsense
    /// behind what `out` had, if it is longer than the text.
    pub(super) fn greedy(
        &self,
        effort: Effort,
        text: &[u8],
        record: &mut SelfIndex,
        out: &mut Vec<u8>,
    ) -> Result<bool> {
        record.begin(text.len())?;
        debug_assert!(out.capacity() - out.len() >= text.len() + 3 * ROOM);
        let most = out.len() + text.len();
        let mut writer = BitWriter::new(out);
        let mut context = self.context_of[START];
        let (mut at, mut distance) = (0, 0u32);
        let mut fetched = 0;
        while at < text.len() {
            fetched = fetched.max(at);
            let soon = (at + AHEAD).min(text.len().saturating_sub(7));
            while fetched < soon {
                self.buckets.prefetch(load(text, fetched));
                fetched += 1;
            }
            let choice = self.choose(effort, text, at, context, distance, record);
            let Choice { symbol, len, place, .. } = choice;
            // SAFETY: there is room for the text and more, and what was written so far is no longer than the text.
            unsafe { self.put(&mut writer, context, symbol, len, place) };
            at += len;
            distance = choice.distance;
            let last = if (CONTENT..PHRASE).contains(&symbol) { usize::from(text[at - 1]) } else { symbol };
            context = self.context_of[last];
            if writer.len() > most {
                return Ok(false);
            }
        }
        // SAFETY: as above.
        unsafe { self.end(writer, context) };
        Ok(true)
    }

    #[inline(always)]
    fn choose(
        &self,
        effort: Effort,
        text: &[u8],
        at: usize,
        context: u8,
        distance: u32,
        record: &mut SelfIndex,
    ) -> Choice {
        let prices = &self.prices;
        let row = prices.row(context);
        let score = |len: usize, bits: u32| len as i32 * prices.average - bits as i32 * 16;
        let mut best = Choice { score: i32::MIN, symbol: 0, len: 1, place: 0, distance };
        let rest = text.len() - at;
        if rest >= 8 {
            let word = load(text, at);
            let content = &self.content[..];
            let here = (content.len() + at) as u32;
            if distance != 0 {
                let source = here.wrapping_sub(distance) as usize;
                let room = rest.min(MAX_MATCH);
                let len = if source < content.len() {
                    common(content, source, text, at, room.min(content.len() - source))
                } else {
                    common(text, source - content.len(), text, at, room)
                };
                if len >= MIN_MATCH {
                    let (code, bits, _) = length_code(len);
                    let score = score(len, u32::from(row[REPEAT + code]) + bits);
                    best = Choice { score, symbol: REPEAT + code, len, place: 0, distance };
                }
            }
            let (len, position) = self.buckets.find(content, text, at, word, effort.content);
            if len > 0 {
                let (code, bits, _) = length_code(len);
                let slot = prices.positions[position >> prices.position_bits];
                let score = score(len, u32::from(row[CONTENT + code]) + bits + u32::from(slot));
                if slot != UNUSABLE && score > best.score {
                    let place = position as u32;
                    best = Choice { score, symbol: CONTENT + code, len, place, distance: here - place };
                }
            }
            record.advance_some(text, at);
            let (len, back) = record.find(text, at, effort.record);
            if len > 0 {
                let (code, bits, _) = length_code(len);
                let slot = prices.distances[distance_slot(back as u32).0];
                let score = score(len, u32::from(row[SELF + code]) + bits + u32::from(slot));
                if slot != UNUSABLE && score > best.score {
                    let place = back as u32;
                    best = Choice { score, symbol: SELF + code, len, place, distance: place };
                }
            }
            if best.len >= LONG {
                return best;
            }
        }
        let (mut len, mut symbol) = (1, usize::from(text[at]));
        self.trie.walk(&text[at..], |length, phrase| (len, symbol) = (length, PHRASE + phrase));
        let score = score(len, u32::from(row[symbol]));
        if score >= best.score {
            best = Choice { score, symbol, len, place: 0, distance };
        }
        best
    }
}
