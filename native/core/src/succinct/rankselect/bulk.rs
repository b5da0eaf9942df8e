//! Many queries in one call.
//!
//! In bits larger than the caches, a rank waits for memory once, and a select two or three times.
//! Here a few dozen queries are interleaved: the memory that each needs next is prefetched for all
//! of them before the first continues. So the cache misses overlap, even across the dependent steps
//! of a select, which the processor cannot overlap by itself.
//!
//! All inputs are checked before the first result is written.

use super::raw::RawRankSelect;
use crate::region::numbers::{CHUNK, Numbers, NumbersMut};
use crate::{Error, Result};

/// The kind of a query.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Query {
    /// The number of ones before a position.
    Rank1,
    /// The number of zeros before a position.
    Rank0,
    /// The position of the k-th one.
    Select1,
    /// The position of the k-th zero.
    Select0,
}

/// Answers many queries: `out[i]` is the result for input i. Both may be in the same array.
/// `Range`, with nothing written, if a position exceeds the length, if there are too few ones (or
/// zeros), or if results may not fit the elements of `out`.
pub fn answer(
    raw: &RawRankSelect,
    query: Query,
    source: &Numbers<'_>,
    out: &mut NumbersMut<'_>,
) -> Result<()> {
    // The first input that is too large.
    let (limit, what) = match query {
        Query::Rank1 | Query::Rank0 => (raw.len() + 1, "position"),
        Query::Select1 => (raw.ones(), "one"),
        Query::Select0 => (raw.zeros(), "zero"),
    };
    let count = source.len();
    if out.len() < count {
        return Err(Error::range(format!("out has {} elements, but there are {count} queries", out.len())));
    }
    if !out.hold(64 - raw.len().leading_zeros()) {
        return Err(Error::range("the elements of out cannot represent every position"));
    }
    let (mut chunk, mut results) = ([0; CHUNK], [0; CHUNK]);
    for from in (0..count).step_by(CHUNK) {
        let inputs = source.read(from, &mut chunk)?;
        if inputs.iter().fold(0, |largest, &number| largest.max(number)) >= limit {
            let wrong = inputs.iter().position(|&number| number >= limit).unwrap_or(0);
            let (name, index, number, length) = (source.name(), from + wrong, inputs[wrong], raw.len());
            return Err(Error::range(match query {
                Query::Rank1 | Query::Rank0 => {
                    format!("{name}[{index}]: {what} out of range: {number}, of {length} bits")
                }
                _ => format!("{name}[{index}]: {what} {number} does not exist: there are {limit}"),
            }));
        }
    }
    for from in (0..count).step_by(CHUNK) {
        let size = source.read(from, &mut chunk)?.len();
        let (inputs, results) = (&mut chunk[..size], &mut results[..size]);
        // The inputs were checked, but another thread may write them. There is at least one, so
        // `limit` is not 0.
        inputs.iter_mut().for_each(|number| *number = (*number).min(limit - 1));
        match query {
            Query::Rank1 => raw.ranks(inputs, results),
            Query::Rank0 => {
                raw.ranks(inputs, results);
                results.iter_mut().zip(inputs).for_each(|(rank, &mut at)| *rank = at.wrapping_sub(*rank));
            }
            Query::Select1 => raw.selects::<false>(inputs, results),
            Query::Select0 => raw.selects::<true>(inputs, results),
        }
        out.write(from, results);
    }
    Ok(())
}
