//! The tables of a dictionary besides its content: phrases, contexts and codes.

use super::huffman::MAX_BITS;
use super::symbols::*;
use crate::{Error, Result};

/// The tables of a dictionary.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// The number of contexts, at least 1.
    pub contexts: usize,
    /// The context after each symbol. That of `START` is the context at the beginning of a record.
    pub context_of: Vec<u8>,
    /// Code lengths, one context after another. Context 0 has codes for all symbols except `ESCAPE`
    /// and some phrases.
    pub code_lengths: Vec<u8>,
    /// The number of bits of a position.
    pub position_bits: u32,
    /// The position in the content and the length of each phrase.
    pub phrases: Vec<(u32, u8)>,
    /// A 64-bit hash that distinguishes this dictionary from others.
    pub identity: u64,
    /// The average price of a byte of the samples, in 1/16 bit.
    pub average: u32,
    /// The share of matches among the symbols of the samples, in parts of 256.
    pub matches: u32,
}

impl Model {
    /// The number of symbols.
    pub(crate) fn symbols(&self) -> usize {
        PHRASE + self.phrases.len()
    }

    /// The number of bits of the longest code, or [`MIN_CODE_BITS`] if that is more.
    pub(crate) fn code_bits(&self) -> u32 {
        self.code_lengths.iter().fold(MIN_CODE_BITS, |most, &length| most.max(u32::from(length)))
    }

    /// The code lengths of a context.
    pub(crate) fn lengths(&self, context: usize) -> &[u8] {
        let symbols = self.symbols();
        &self.code_lengths[context * symbols..][..symbols]
    }

    /// The context after a symbol.
    pub(crate) fn context_after(&self, symbol: usize) -> usize {
        if symbol == ESCAPE { 0 } else { usize::from(self.context_of[symbol]) }
    }

    /// The bits that pad the last byte of a bit stream. They come from the identity, so that a
    /// stream of another dictionary is detected a little more often.
    pub(crate) fn padding(&self) -> u8 {
        (self.identity >> 56) as u8
    }

    /// The first byte of a tagged frame: 0 to 254.
    pub(crate) fn tag(&self) -> u8 {
        (self.identity % 255) as u8
    }
}

/// The number of bits that hold a position in the content.
pub(crate) fn position_bits(content: usize) -> u32 {
    content.next_power_of_two().ilog2()
}

/// Checks everything that the decoder relies on.
pub(crate) fn check(model: &Model, content: usize) -> Result<()> {
    let bad = |what: &'static str| Err(Error::corrupt(what));
    if model.contexts == 0 || model.contexts > MAX_CONTEXTS || model.phrases.len() > MAX_PHRASES {
        return bad("the dictionary has an invalid number of contexts or phrases");
    }
    if model.code_bits() > MAX_BITS || model.contexts << model.code_bits() > MAX_ENTRIES {
        return bad("the dictionary has codes that are too long");
    }
    if model.context_of.iter().any(|&context| usize::from(context) >= model.contexts) {
        return bad("the dictionary refers to a context that does not exist");
    }
    let inside = |&(at, len): &(u32, u8)| len > 0 && at as usize + usize::from(len) <= content;
    if !model.phrases.iter().all(inside) {
        return bad("the dictionary has a phrase outside its content");
    }
    if model.position_bits != position_bits(content) {
        return bad("the dictionary has a position width that does not match its content");
    }
    if model.average > 1 << 12 || model.matches > 1 << 8 {
        return bad("the dictionary records more than 256 bits per byte, or more matches than symbols");
    }
    let first = model.lengths(0).iter().enumerate().take(PHRASE);
    if !first.into_iter().all(|(symbol, &length)| (length == 0) == (symbol == ESCAPE)) {
        return bad("the dictionary lacks the code of a symbol");
    }
    if (1..model.contexts).any(|context| model.lengths(context).iter().all(|&length| length == 0)) {
        return bad("the dictionary has a context without any codes");
    }
    // A symbol without a code in a context is written after an escape. Without an escape, encoders
    // would have nothing to write.
    let has_code_or_escape = |context| {
        let own = model.lengths(context);
        own[ESCAPE] > 0 || own.iter().zip(model.lengths(0)).all(|(&own, &all)| own > 0 || all == 0)
    };
    if !(1..model.contexts).all(has_code_or_escape) {
        return bad("the dictionary has a context that lacks both an escape and the code of a symbol");
    }
    Ok(())
}
