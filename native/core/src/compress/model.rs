//! What a dictionary knows besides its content: phrases, contexts and codes.

use super::huffman::MAX_BITS;
use super::symbols::*;
use crate::{Error, Result};

/// The tables of a dictionary.
#[derive(Clone, Debug)]
pub(crate) struct Model {
    /// How many contexts there are, at least 1.
    pub contexts: usize,
    /// The context of what follows a symbol. `START`'s is that of a record's beginning.
    pub context_of: Vec<u8>,
    /// Code lengths, those of one context after those of another. Context 0 has all symbols but
    /// `ESCAPE` and some phrases.
    pub code_lengths: Vec<u8>,
    /// How many bits a position has.
    pub position_bits: u32,
    /// Where in the content each phrase is, and how long.
    pub phrases: Vec<(u32, u8)>,
    /// 64 bits that tell the dictionary from others.
    pub identity: u64,
    /// What a byte of the samples took on average, in sixteenths of a bit.
    pub average: u32,
    /// How many of the symbols that the samples took were matches, in parts of 256.
    pub matches: u32,
}

impl Model {
    /// How many symbols there are.
    pub(crate) fn symbols(&self) -> usize {
        PHRASE + self.phrases.len()
    }

    /// How many bits the longest code has, or a few more.
    pub(crate) fn code_bits(&self) -> u32 {
        self.code_lengths.iter().fold(MIN_CODE_BITS, |most, &length| most.max(u32::from(length)))
    }

    /// The code lengths of a context.
    pub(crate) fn lengths(&self, context: usize) -> &[u8] {
        let symbols = self.symbols();
        &self.code_lengths[context * symbols..][..symbols]
    }

    /// The context of what follows a symbol.
    pub(crate) fn behind(&self, symbol: usize) -> usize {
        if symbol == ESCAPE { 0 } else { usize::from(self.context_of[symbol]) }
    }

    /// What the last byte of a bit stream is filled up with: bits of the identity, so that the
    /// streams of another dictionary are noticed a little more often.
    pub(crate) fn padding(&self) -> u8 {
        (self.identity >> 56) as u8
    }

    /// What the first byte of a tagged frame says: 0 to 254.
    pub(crate) fn tag(&self) -> u8 {
        (self.identity % 255) as u8
    }
}

/// Bits that say a position of the content.
pub(crate) fn position_bits(content: usize) -> u32 {
    content.next_power_of_two().ilog2()
}

/// Checks what the decoder goes by.
pub(crate) fn check(model: &Model, content: usize) -> Result<()> {
    let bad = |what: &'static str| Err(Error::corrupt(what));
    if model.contexts == 0 || model.contexts > MAX_CONTEXTS || model.phrases.len() > MAX_PHRASES {
        return bad("a dictionary with an impossible number of contexts or phrases");
    }
    if model.code_bits() > MAX_BITS || model.contexts << model.code_bits() > MAX_ENTRIES {
        return bad("a dictionary with codes that are too long");
    }
    if model.context_of.iter().any(|&context| usize::from(context) >= model.contexts) {
        return bad("a dictionary that names a context that it has not");
    }
    let inside = |&(at, len): &(u32, u8)| len > 0 && at as usize + usize::from(len) <= content;
    if !model.phrases.iter().all(inside) {
        return bad("a dictionary with a phrase outside its content");
    }
    if model.position_bits != position_bits(content) {
        return bad("a dictionary whose positions do not fit its content");
    }
    if model.average > 1 << 12 || model.matches > 1 << 8 {
        return bad(
            "a dictionary whose samples took more than 256 bits a byte, or more matches than symbols",
        );
    }
    let first = model.lengths(0).iter().enumerate().take(PHRASE);
    if !first.into_iter().all(|(symbol, &length)| (length == 0) == (symbol == ESCAPE)) {
        return bad("a dictionary that has no code for some symbol");
    }
    if (1..model.contexts).any(|context| model.lengths(context).iter().all(|&length| length == 0)) {
        return bad("a dictionary with a context that nothing can follow");
    }
    // What a context has no code for is said behind an escape: without one, encoders would have
    // nothing to write.
    let said = |context| {
        let own = model.lengths(context);
        own[ESCAPE] > 0 || own.iter().zip(model.lengths(0)).all(|(&own, &all)| own > 0 || all == 0)
    };
    if !(1..model.contexts).all(said) {
        return bad("a dictionary with a context that has neither a code for some symbol nor an escape");
    }
    Ok(())
}
