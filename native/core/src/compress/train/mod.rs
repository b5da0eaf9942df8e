//! Training a dictionary on samples.
//!
//! | file | purpose |
//! | --- | --- |
//! | `phrases` | selects the strings that get a symbol of their own |
//! | `content` | selects the text that matches refer to |
//! | `contexts` | groups symbols by the symbols that follow them |
//! | `counts` | parses the samples, and makes codes from the symbol counts |
//! | `auto` | finds the size past which a larger dictionary does not help |
//!
//! Training is deterministic: the same samples always give the same dictionary. Nothing is random,
//! and no order depends on a hash.

mod auto;
mod content;
mod contexts;
mod counts;
mod phrases;

use self::counts::Sample;
use super::dictionary::{Dictionary, MAX_BYTES, MIN_BYTES, pack};
use super::matches::ContentIndex;
use super::memory::try_vec;
use super::model::{Model, position_bits};
use super::parse::{Effort, Prices, Vocabulary};
use super::symbols::*;
use super::trie::Trie;
use crate::region::control::{Canceled, Control, Progress};
use crate::region::header::HEADER_BYTES;
use crate::{Error, Result};

/// Options of [`train`].
#[derive(Clone, Copy, Debug, Default)]
pub struct TrainOptions {
    /// The most bytes that the dictionary's region may have, at least 1,024. `None` chooses the
    /// size past which more does not help.
    pub max_bytes: Option<usize>,
}

/// How samples are parsed for counting: nearly as the greedy levels would encode them. With every
/// length of a match priced, level 3 made records of five corpora 2 to 8% larger, and level 9 at
/// most 1% smaller.
const COUNTING: Effort = Effort { content: 4, record: 4, lengths: false, nice_length: 64 };
/// Bytes of samples from which phrases are selected. More bytes change little.
const PHRASE_SAMPLE: usize = 1 << 20;
/// Bytes of samples in which symbols are counted: in the last round, and in the earlier rounds,
/// which only prepare it.
const COUNT_SAMPLE: usize = 2 << 20;
const EARLY_SAMPLE: usize = 3 << 18;
/// A longer sample is split into pieces of this size, each of which counts as one sample.
const PIECE: usize = 1 << 16;
/// Rounds of counting. The codes made from the counts of one round determine how the next round
/// parses the samples.
const ROUNDS: usize = 4;
/// The round after which rarely used phrases are dropped, and the number of uses that keeps a
/// phrase.
const PRUNE: usize = 1;
const MIN_USES: u64 = 2;
/// The length of a segment of content. On five corpora, lengths of 48 to 128 differ by less than
/// 1%.
const SEGMENT: usize = 64;
/// Progress steps of one training.
const STEPS: u64 = ROUNDS as u64 + 2;

type Outcome<T> = std::result::Result<T, Stop>;

/// Why training ended early.
enum Stop {
    Canceled,
    Failed(Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

impl From<Canceled> for Stop {
    fn from(_: Canceled) -> Stop {
        Stop::Canceled
    }
}

/// Trains a dictionary. `None` if the control asked it to stop. `Range` if a dictionary cannot have
/// the requested size.
///
/// Any samples are valid, even none. Records that differ from the samples compress worse, but
/// correctly.
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
        return Err(Error::range("a sample has at most 1 GiB"));
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
        Err(Stop::Canceled) => Ok(None),
        Err(Stop::Failed(error)) => Err(error),
    }
}

/// The division of a dictionary's bytes.
#[derive(Clone, Copy, Debug)]
struct Plan {
    phrases: usize,
    contexts: usize,
    /// Bytes of phrases and content together.
    text: usize,
}

impl Plan {
    fn new(max_bytes: usize, samples: usize) -> Plan {
        let body = max_bytes - HEADER_BYTES;
        let phrases = (body / 64).min(1024);
        // A context needs about 16 KiB of samples for its statistics, and 3 KiB of tables.
        let contexts = (body / 3072).min(samples >> 14).clamp(1, 10);
        let symbols = PHRASE + phrases;
        let each = if contexts == 1 { 0 } else { contexts * symbols / 3 + symbols };
        let tables = phrases * 4 + symbols * 5 / 8 + each + 200;
        Plan { phrases, contexts, text: body.saturating_sub(tables) }
    }
}

fn train_to(samples: &[&[u8]], max_bytes: usize, progress: Progress<'_>) -> Outcome<Dictionary> {
    let total: usize = samples.iter().map(|sample| sample.len()).sum();
    let mut plan = Plan::new(max_bytes, total);
    let mut some = Vec::new();
    some.try_reserve_exact(samples.len()).map_err(Error::from)?;
    some.extend(spread(samples, PHRASE_SAMPLE).map(|(_, piece)| piece));
    let phrases = phrases::pick(&some, plan.phrases, 3)?;
    drop(some);
    progress.advance(1)?;
    for attempt in 0.. {
        let progress = if attempt == 0 { progress } else { Progress::NONE };
        if let Some((model, text)) = fit(samples, &phrases, plan, max_bytes - HEADER_BYTES, progress)? {
            return Ok(Dictionary::build(model, &text)?);
        }
        // The tables alone exceed the size. This happens only for the smallest dictionaries.
        plan = match attempt {
            0 => Plan { phrases: plan.phrases / 2, contexts: 1, ..plan },
            _ => Plan { phrases: 0, contexts: 1, text: 0 },
        };
    }
    Err(Stop::Canceled)
}

/// Pieces of samples, spread evenly over all samples, that have about `bytes` bytes together, each
/// with the number of its sample.
pub(crate) fn spread<'a>(samples: &[&'a [u8]], bytes: usize) -> impl Iterator<Item = (u32, &'a [u8])> {
    let total: usize = samples.iter().map(|sample| sample.len()).sum();
    let pieces = samples.iter().zip(0..).flat_map(|(&sample, number)| {
        // An empty sample is a piece, too: empty records have a code.
        let rest = if sample.is_empty() { Some(sample) } else { None };
        sample.chunks(PIECE).chain(rest).map(move |piece| (number, piece))
    });
    // The part of `bytes` still to be taken, multiplied by the total number of bytes.
    let mut due = total as u128 / 2;
    pieces.filter(move |(_, piece)| {
        due += piece.len() as u128 * bytes as u128;
        let taken = due >= total as u128 * piece.len() as u128;
        if taken {
            due -= total as u128 * piece.len() as u128;
        }
        taken
    })
}

/// The text that matches refer to, and its origin.
struct Content {
    text: Vec<u8>,
    /// The sample of each segment and its range in `text`, ordered by sample.
    origins: Vec<(u32, u32, u32)>,
}

impl Content {
    fn pick(samples: &[&[u8]], size: usize) -> Result<Content> {
        let segments = content::pick(samples, size, SEGMENT)?;
        let (mut text, mut origins) = (Vec::new(), Vec::new());
        text.try_reserve(size)?;
        origins.try_reserve_exact(segments.len())?;
        for segment in segments {
            let from = text.len() as u32;
            let sample = samples[segment.sample as usize];
            text.extend_from_slice(&sample[segment.begin as usize..segment.end as usize]);
            origins.push((segment.sample, from, text.len() as u32));
        }
        origins.sort_unstable();
        Ok(Content { text, origins })
    }

    /// The ranges of the content that came from a sample. Only this sample would find them, so
    /// counting must skip them.
    fn given_by(&self, sample: u32) -> Result<Vec<(u32, u32)>> {
        let from = self.origins.partition_point(|origin| origin.0 < sample);
        let own = self.origins[from..].iter().take_while(|origin| origin.0 == sample);
        let mut banned = Vec::new();
        for &(_, begin, end) in own {
            banned.try_reserve(1)?;
            banned.push((begin, end));
        }
        Ok(banned)
    }

    fn samples<'a>(&self, samples: &[&'a [u8]], bytes: usize) -> Result<Vec<Sample<'a>>> {
        let mut some = Vec::new();
        for (number, text) in spread(samples, bytes) {
            some.try_reserve(1)?;
            some.push(Sample { text, banned: self.given_by(number)? });
        }
        Ok(some)
    }
}

/// The text and tables of a plan, of at most `most` bytes together. `None` if the tables alone
/// exceed that.
fn fit(
    samples: &[&[u8]],
    candidates: &[Vec<u8>],
    plan: Plan,
    most: usize,
    progress: Progress<'_>,
) -> Outcome<Option<(Model, Vec<u8>)>> {
    let mut phrases: Vec<&[u8]> = Vec::new();
    phrases.try_reserve_exact(plan.phrases).map_err(Error::from)?;
    let mut spare = plan.text;
    for phrase in candidates.iter().take(plan.phrases) {
        let Some(rest) = spare.checked_sub(phrase.len()) else { break };
        spare = rest;
        phrases.push(phrase);
    }
    let mut content = Content::pick(samples, spare)?;
    progress.advance(1)?;
    let size = content.text.len();
    let early = content.samples(samples, EARLY_SAMPLE)?;
    let mut model = None;
    // Runs twice, because dropping phrases changes the text and renumbers the symbols.
    for rounds in [0..PRUNE + 1, PRUNE + 1..ROUNDS] {
        content.text.truncate(size);
        let spans = place_phrases(&phrases, &mut content.text)?;
        let text = &content.text;
        let bits = position_bits(text.len());
        let (index, trie) = (ContentIndex::new(text)?, Trie::new(&phrases)?);
        model = None;
        for round in rounds {
            let prices = match &model {
                Some(model) => Prices::of(model)?,
                None => Prices::guess(phrases.len(), bits)?,
            };
            let vocabulary = Vocabulary { content: text, index: &index, trie: &trie, prices: &prices };
            let count =
                |samples: &[Sample<'_>]| counts::count(vocabulary, PHRASE + phrases.len(), COUNTING, samples);
            let counts = if round + 1 < ROUNDS {
                count(&early)?
            } else {
                count(&content.samples(samples, COUNT_SAMPLE)?)?
            };
            progress.advance(1)?;
            if round == PRUNE {
                let mut uses = counts.totals()?.into_iter().skip(PHRASE);
                phrases.retain(|_| uses.next().is_some_and(|uses| uses >= MIN_USES));
            } else {
                let mut list = Vec::new();
                list.try_reserve_exact(spans.len()).map_err(Error::from)?;
                list.extend_from_slice(&spans);
                model = Some(counts.model(plan.contexts, list, text.len())?);
            }
        }
    }
    let Some(mut model) = model else { return Ok(None) };
    let mut text = content.text;
    let room = most / 64 * 64;
    let excess = (text.len() + pack(&model)?.len()).saturating_sub(room);
    if excess > 0 {
        // The least useful text is at the front, and hardly any match refers to it, so the codes
        // remain as they are.
        let cut = excess;
        if cut > size {
            return Ok(None);
        }
        text.drain(..cut);
        model.phrases.iter_mut().for_each(|phrase| phrase.0 -= cut as u32);
        model.position_bits = position_bits(text.len());
    }
    Ok(Some((model, text)))
}

/// Appends the phrases to the text. A phrase that is part of a longer one uses its bytes.
fn place_phrases(phrases: &[&[u8]], text: &mut Vec<u8>) -> Result<Vec<(u32, u8)>> {
    let mut spans = try_vec(phrases.len(), (0u32, 0u8))?;
    let mut order = try_vec(phrases.len(), 0)?;
    order.iter_mut().enumerate().for_each(|(number, slot)| *slot = number);
    order.sort_unstable_by_key(|&number| (std::cmp::Reverse(phrases[number].len()), number));
    let begin = text.len();
    for number in order {
        let phrase = phrases[number];
        let at = match text[begin..].windows(phrase.len()).position(|window| window == phrase) {
            Some(at) => begin + at,
            None => {
                text.try_reserve(phrase.len())?;
                text.extend_from_slice(phrase);
                text.len() - phrase.len()
            }
        };
        spans[number] = (at as u32, phrase.len() as u8);
    }
    Ok(spans)
}
