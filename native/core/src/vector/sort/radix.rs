//! Radix sort, least significant digit first. Stable. O(n) for each digit of 8 bits that differs
//! between records.
//!
//! One pass over the records counts all digits, and detects records that are sorted already. Then,
//! for each digit that differs, the records move to the other buffer, each to the next position of
//! its digit.
//!
//! **Another thread may write** to either buffer at the same time (region memory). Counts and
//! records then disagree, and a position may be past the end; such a record is dropped. The result
//! is useless, but nothing outside the buffers is accessed.

use crate::region::control::{Canceled, Progress};
use crate::region::element::{Record, Slot};

const RADIX: usize = 256;
/// The most digits of a key.
const MAX_DIGITS: usize = 8;
/// The number of records between two checks of the progress.
const STEP: usize = 1 << 16;

/// Sorts `records` by the keys of `encode(record)`. `scratch` has the same length. `decode` is the
/// inverse of `encode`.
///
/// # Errors
/// [`Canceled`]; the records are then lost.
pub(crate) fn sort<R: Record, S: Slot<Value = R>>(
    records: &[S],
    scratch: &[S],
    encode: impl Fn(R) -> R,
    decode: impl Fn(R) -> R,
    progress: Progress<'_>,
) -> Result<(), Canceled> {
    let Some(first) = records.first() else { return Ok(()) };
    progress.expect(records.len() as u64 * (1 + R::DIGITS as u64));
    let mut counts = [[0usize; RADIX]; MAX_DIGITS];
    let (mut previous, mut sorted) = (encode(first.get()).key(), true);
    for step in records.chunks(STEP) {
        for slot in step {
            let key = encode(slot.get()).key();
            sorted &= previous <= key;
            previous = key;
            for (digit, counts) in counts[..R::DIGITS].iter_mut().enumerate() {
                counts[value_of(key, digit)] += 1;
            }
        }
        progress.advance(step.len())?;
    }
    if sorted {
        return progress.advance(records.len() * R::DIGITS);
    }
    let mut digits = [0; MAX_DIGITS];
    let mut used = 0;
    for (digit, counts) in counts[..R::DIGITS].iter().enumerate() {
        if counts[value_of(previous, digit)] != records.len() {
            digits[used] = digit;
            used += 1;
        }
    }
    progress.advance(records.len() * (R::DIGITS - used))?;

    let (mut from, mut to) = (records, scratch);
    for (pass, &digit) in digits[..used].iter().enumerate() {
        let counts = &mut counts[digit];
        // The first pass encodes and the last one decodes, so that neither needs a pass of its own.
        match (pass == 0, pass == used - 1) {
            (false, false) => scatter(from, to, counts, digit, |r| r, |r| r, progress)?,
            (false, true) => scatter(from, to, counts, digit, |r| r, &decode, progress)?,
            (true, false) => scatter(from, to, counts, digit, &encode, |r| r, progress)?,
            (true, true) => scatter(from, to, counts, digit, &encode, &decode, progress)?,
        }
        std::mem::swap(&mut from, &mut to);
    }
    if !std::ptr::eq(from, records) {
        to.iter().zip(from).for_each(|(to, from)| to.set(from.get()));
    }
    Ok(())
}

/// One pass: moves each record to the next position of its digit. Turns `counts` into positions.
#[inline(always)]
fn scatter<R: Record, S: Slot<Value = R>>(
    from: &[S],
    to: &[S],
    counts: &mut [usize; RADIX],
    digit: usize,
    before: impl Fn(R) -> R,
    after: impl Fn(R) -> R,
    progress: Progress<'_>,
) -> Result<(), Canceled> {
    let mut start = 0;
    for count in counts.iter_mut() {
        start += std::mem::replace(count, start);
    }
    for step in from.chunks(STEP) {
        for slot in step {
            let record = before(slot.get());
            let place = &mut counts[value_of(record.key(), digit)];
            if let Some(slot) = to.get(*place) {
                slot.set(after(record));
            }
            *place += 1;
        }
        progress.advance(step.len())?;
    }
    Ok(())
}

/// The value of a digit. Digit 0 is the least significant one.
#[inline(always)]
fn value_of(key: u64, digit: usize) -> usize {
    (key >> (8 * digit)) as usize % RADIX
}
