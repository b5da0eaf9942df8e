//! Many questions in one call.
//!
//! One rank in bits larger than the caches waits for memory, a select two or three times. Here some
//! dozens go side by side: what each needs next is prefetched for all before the first goes on. So
//! the waits overlap, also across the dependent steps of a select, which the processor by itself
//! can not do.
//!
//! All questions are checked before the first answer is written.

use super::raw::RawRankSelect;
use crate::region::numbers::{CHUNK, Numbers, NumbersMut};
use crate::{Error, Result};

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Query {
    /// How many ones are before a position.
    Rank1,
    /// How many zeros are before a position.
    Rank0,
    /// Where the k-th one is.
    Select1,
    /// Where the k-th zero is.
    Select0,
}

/// Answers many questions: `out[i]` belongs to `questions[i]`. They may be in the same array.
/// `Range` if a position is above the length, or there are not more ones (or zeros) than asked for,
/// or answers may not fit the elements of `out`; nothing is written then.
pub fn answer(
    raw: &RawRankSelect,
    query: Query,
    questions: &Numbers<'_>,
    out: &mut NumbersMut<'_>,
) -> Result<()> {
    // The first question that is too large.
    let (limit, what) = match query {
        Query::Rank1 | Query::Rank0 => (raw.len() + 1, "position"),
        Query::Select1 => (raw.ones(), "one"),
        Query::Select0 => (raw.zeros(), "zero"),
    };
    let count = questions.len();
    if out.len() < count {
        return Err(Error::range(format!("out has {} elements, fewer than {count}", out.len())));
    }
    if !out.hold(64 - raw.len().leading_zeros()) {
        return Err(Error::range("the elements of out do not hold every position"));
    }
    let (mut chunk, mut answers) = ([0; CHUNK], [0; CHUNK]);
    for from in (0..count).step_by(CHUNK) {
        let asked = questions.read(from, &mut chunk)?;
        if asked.iter().fold(0, |largest, &number| largest.max(number)) >= limit {
            let wrong = asked.iter().position(|&number| number >= limit).unwrap_or(0);
            let (name, index, number, length) = (questions.name(), from + wrong, asked[wrong], raw.len());
            return Err(Error::range(match query {
                Query::Rank1 | Query::Rank0 => {
                    format!("{name}[{index}]: no {what} {number} in {length} bits")
                }
                _ => format!("{name}[{index}]: no {what} number {number}, there are {limit}"),
            }));
        }
    }
    for from in (0..count).step_by(CHUNK) {
        let size = questions.read(from, &mut chunk)?.len();
        let (asked, answers) = (&mut chunk[..size], &mut answers[..size]);
        // They were looked at, but another thread may write them. There is one question at least,
        // so `limit` is not 0.
        asked.iter_mut().for_each(|number| *number = (*number).min(limit - 1));
        match query {
            Query::Rank1 => raw.ranks(asked, answers),
            Query::Rank0 => {
                raw.ranks(asked, answers);
                answers.iter_mut().zip(asked).for_each(|(rank, &mut at)| *rank = at.wrapping_sub(*rank));
            }
            Query::Select1 => raw.selects::<false>(asked, answers),
            Query::Select0 => raw.selects::<true>(asked, answers),
        }
        out.write(from, answers);
    }
    Ok(())
}
