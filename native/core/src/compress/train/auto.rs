//! Finds the size past which a larger dictionary does not help. It trains on most of the samples
//! and measures on the others.

use super::super::dictionary::{Dictionary, Level};
use super::super::encode::{Framing, Scratch};
use crate::Result;

use super::{Outcome, Progress, STEPS, spread, train_to};

/// The sizes to try, in order.
const SIZES: [usize; 7] = [4 << 10, 16 << 10, 32 << 10, 64 << 10, 112 << 10, 256 << 10, 512 << 10];
/// One of this many samples is held out.
const HELD_OUT: usize = 5;
/// A larger size must save at least one of this many bytes.
const GAIN: usize = 64;
/// Bytes of held-out samples that are measured.
const MEASURED: usize = 1 << 20;

pub(super) fn train(samples: &[&[u8]], progress: Progress<'_>) -> Outcome<Dictionary> {
    progress.expect(STEPS * (SIZES.len() as u64 + 1));
    let total: usize = samples.iter().map(|sample| sample.len()).sum();
    let part = |held: bool| -> Result<Vec<&[u8]>> {
        let mut part = Vec::new();
        part.try_reserve_exact(samples.len())?;
        let wanted = |&(number, _): &(usize, &&[u8])| (number % HELD_OUT == HELD_OUT - 1) == held;
        part.extend(samples.iter().enumerate().filter(wanted).map(|(_, &sample)| sample));
        Ok(part)
    };
    let (shown, held) = (part(false)?, part(true)?);
    let mut best = (SIZES[0], usize::MAX);
    for size in SIZES {
        // A dictionary that is as large as its samples cannot contain more than they do.
        if size > SIZES[0] && size > total {
            break;
        }
        let dictionary = train_to(&shown, size, progress)?;
        let (mut scratch, mut out, mut sum) = (Scratch::new(), Vec::new(), size / 1024);
        for (_, sample) in spread(&held, MEASURED) {
            out.clear();
            dictionary.compress(Level::DEFAULT, Framing::Bare, sample, &mut scratch, &mut out)?;
            sum += out.len();
        }
        if best.1 - sum.min(best.1) < sum / GAIN {
            break;
        }
        best = (size, sum);
    }
    train_to(samples, best.0, progress)
}
