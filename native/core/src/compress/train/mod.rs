//! Making a dictionary out of samples.
//!
//! | file | does |
//! | --- | --- |
//! | `phrases` | picks the strings that get a symbol of their own |
//! | `content` | picks the text that matches refer to |
//! | `contexts` | groups symbols by what follows them |
//! | `counts` | parses the samples, and makes codes from how often symbols came up |
//! | `auto` | finds the size at which more does not help |
//!
//! The same samples always give the same dictionary: nothing is drawn by chance, and no order depends on a hash.

mod auto;
mod content;
mod contexts;
mod counts;
mod phrases;

use self::counts::Sample;
use super::dictionary::{Dictionary, MAX_BYTES, MIN_BYTES};
use super::huffman::try_vec;
use super::matches::ContentIndex;
use super::model::{Model, position_bits};
use super::parse::{Effort, Known, Prices};
use super::symbols::*;
use super::trie::Trie;
use crate::region::control::{Cancelled, Control, Progress};
use crate::region::header::HEADER_BYTES;
use crate::{Error, Result};

/// What to train.
#[derive(Clone, Copy, Debug, Default)]
pub struct TrainOptions {
    /// The most bytes that the dictionary's region may have, at least 1,024; `None`: as many as help.
    pub max_bytes: Option<usize>,
}

const COUNTING: Effort = Effort { content: 8, record: 8, lengths: true, enough: 64 };
/// Bytes of samples that phrases are picked from, and that symbols are counted in: more change little.
const PHRASE_SAMPLE: usize = 1 << 20;
const COUNT_SAMPLE: usize = 2 << 20;
/// Rounds of counting: codes made of the counts of one decide how the next cuts the samples up.
const ROUNDS: usize = 4;
/// The round after which phrases that were hardly used are dropped.
const PRUNE: usize = 1;
/// How long a segment of content is. Measured on five corpora: 48 to 128 differ by less than a hundredth.
const SEGMENT: usize = 64;
/// Steps of one training, for progress.
const STEPS: u64 = ROUNDS as u64 + 2;

type Outcome<T> = std::result::Result<T, Stop>;

/// Why training ends early.
enum Stop {
    Cancelled,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

impl From<Cancelled> for Stop {
    fn from(_: Cancelled) -> Stop {
        Stop::Cancelled
    }
}

/// Trains a dictionary. `None` if the control asked it to stop. `Range` for a size outside of what a dictionary can have.
///
/// Any samples will do, none included: what they do not show costs more bits, not correctness.
pub fn train(
    samples: &[&[u8]],
    options: TrainOptions,
    control: Option<&Control>,
) -> Result<Option<Dictionary>> {
    if let Some(bytes) = options.max_bytes
        && !(MIN_BYTES..=MAX_BYTES).contains(&bytes)
    {
        return Err(Error::range(format!("a dictionary has {MIN_BYTES} to {MAX_BYTES} bytes, not {bytes}")));
    }
    if samples.len() > u32::MAX as usize || samples.iter().any(|sample| sample.len() > 1 << 30) {
        return Err(Error::range("samples of more than a gibibyte"));
    }
    let progress = Progress::new(control);
    let outcome = match options.max_bytes {
        Some(bytes) => {
            progress.expect(STEPS);
            train_to(samples, bytes, progress)
        }
        None => auto::train(samples, progress),
    };
    match outcome {
        Ok(dictionary) => Ok(Some(dictionary)),
        Err(Stop::Cancelled) => Ok(None),
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// How the bytes of a dictionary are divided.
#[derive(Clone, Copy, Debug)]
struct Plan {
    phrases: usize,
    contexts: usize,
    /// For phrases and content together.
    text: usize,
}

impl Plan {
    fn new(max_bytes: usize, samples: usize) -> Plan {
        let body = max_bytes - HEADER_BYTES;
        let phrases = (body / 64).min(1024);
        // A context wants some 16 KiB of samples to be known by, and 3 KiB of tables.
        let contexts = (body / 3072).min(samples >> 14).clamp(1, 16);
        let symbols = PHRASE + phrases;
        let each = if contexts == 1 { 0 } else { contexts * symbols / 3 + symbols };
        let tables = phrases * 4 + symbols * 5 / 8 + each + 200;
        Plan { phrases, contexts, text: body.saturating_sub(tables) }
    }
}

fn train_to(samples: &[&[u8]], max_bytes: usize, progress: Progress<'_>) -> Outcome<Dictionary> {
    let total: usize = samples.iter().map(|sample| sample.len()).sum();
    let mut plan = Plan::new(max_bytes, total);
    let some: Vec<&[u8]> = thin(samples, PHRASE_SAMPLE)?.into_iter().map(|(_, sample)| sample).collect();
    let phrases = phrases::pick(&some, plan.phrases, 3)?;
    progress.advance(1)?;
    for attempt in 0.. {
        let (model, text) =
            fit(samples, &phrases, plan, if attempt == 0 { progress } else { Progress::NONE })?;
        let dictionary = Dictionary::build(model, &text)?;
        let excess = dictionary.as_bytes().len().saturating_sub(max_bytes);
        if excess == 0 {
            return Ok(dictionary);
        }
        // The tables took more than was planned for them.
        plan = match attempt {
            0..3 => Plan { text: plan.text.saturating_sub(excess + 64), ..plan },
            3 => Plan { phrases: plan.phrases / 2, contexts: 1, ..plan },
            _ => Plan { phrases: 0, contexts: 1, text: 0 },
        };
    }
    Err(Stop::Cancelled)
}

/// Every so many samples, with their numbers, that they have at most about `bytes` together.
fn thin<'a>(samples: &[&'a [u8]], bytes: usize) -> Result<Vec<(u32, &'a [u8])>> {
    let total: usize = samples.iter().map(|sample| sample.len()).sum();
    let step = total.div_ceil(bytes).max(1);
    let mut some = Vec::new();
    some.try_reserve(samples.len() / step + 1).map_err(|_| Error::oom("out of memory to train in"))?;
    some.extend((0..).zip(samples).step_by(step).map(|(number, &sample)| (number, sample)));
    Ok(some)
}

/// The text and the tables that a plan asks for.
fn fit(
    samples: &[&[u8]],
    candidates: &[Vec<u8>],
    plan: Plan,
    progress: Progress<'_>,
) -> Outcome<(Model, Vec<u8>)> {
    let mut phrases: Vec<&[u8]> = Vec::new();
    let mut spare = plan.text;
    for phrase in candidates.iter().take(plan.phrases).take_while(|phrase| {
        spare.checked_sub(phrase.len()).is_some_and(|rest| {
            spare = rest;
            true
        })
    }) {
        phrases.push(phrase);
    }
    let mut text = Vec::new();
    text.try_reserve(plan.text).map_err(|_| Error::oom("out of memory to train in"))?;
    // Which sample each piece of the text is from, and where it is.
    let mut origins: Vec<(u32, u32, u32)> = Vec::new();
    for segment in content::pick(samples, spare, SEGMENT)? {
        let from = text.len() as u32;
        text.extend_from_slice(
            &samples[segment.sample as usize][segment.begin as usize..segment.end as usize],
        );
        origins.push((segment.sample, from, text.len() as u32));
    }
    origins.sort_unstable();
    progress.advance(1)?;
    let counted: Vec<Sample<'_>> = thin(samples, COUNT_SAMPLE)?
        .into_iter()
        .map(|(number, sample)| {
            // What a sample gave to the content it would find there, as others do not.
            let from = origins.partition_point(|origin| origin.0 < number);
            let own = origins[from..].iter().take_while(|origin| origin.0 == number);
            Sample { text: sample, banned: own.map(|&(_, begin, end)| (begin, end)).collect() }
        })
        .collect();
    let content = text.len();
    let mut model: Option<Model> = None;
    for round in 0..ROUNDS {
        text.truncate(content);
        let places = place(&phrases, &mut text)?;
        let bits = position_bits(text.len());
        let (index, trie) = (ContentIndex::new(&text)?, Trie::new(&phrases)?);
        let prices = match &model {
            Some(model) => Prices::of(model)?,
            None => Prices::guess(phrases.len(), bits)?,
        };
        let known = Known { content: &text, index: &index, trie: &trie, prices: &prices };
        let counts = counts::count(known, PHRASE + phrases.len(), bits, COUNTING, &counted)?;
        progress.advance(1)?;
        if round == PRUNE {
            let mut number = 0;
            phrases.retain(|_| {
                number += 1;
                counts.of(PHRASE + number - 1) >= 4
            });
            model = None;
        } else {
            model = Some(counts.model(plan.contexts, places, bits, text.len())?);
        }
    }
    model.map(|model| (model, text)).ok_or(Stop::Cancelled)
}

/// Adds the phrases to the text; those that are part of longer ones lie there.
fn place(phrases: &[&[u8]], text: &mut Vec<u8>) -> Result<Vec<(u32, u8)>> {
    let mut places = try_vec(phrases.len(), (0u32, 0u8))?;
    let mut order = try_vec(phrases.len(), 0)?;
    order.iter_mut().enumerate().for_each(|(number, slot)| *slot = number);
    order.sort_by_key(|&number| std::cmp::Reverse(phrases[number].len()));
    let begin = text.len();
    for number in order {
        let phrase = phrases[number];
        let at = match text[begin..].windows(phrase.len()).position(|window| window == phrase) {
            Some(at) => begin + at,
            None => {
                text.try_reserve(phrase.len()).map_err(|_| Error::oom("out of memory to train in"))?;
                text.extend_from_slice(phrase);
                text.len() - phrase.len()
            }
        };
        places[number] = (at as u32, phrase.len() as u8);
    }
    Ok(places)
}
