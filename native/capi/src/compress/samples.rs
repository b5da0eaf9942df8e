//! Splitting a text into samples or records.

use offheap_core::{Error, Result};

/// Cuts `text` into pieces, each of which ends before one of `ends`. An error unless they are
/// ascending integers up to the length of the text.
pub(super) fn pieces<'a>(text: &'a [u8], ends: &'a [f64]) -> impl Iterator<Item = Result<&'a [u8]>> {
    let mut from = 0usize;
    ends.iter().map(move |&end| {
        let to = end as usize;
        if to as f64 != end || to < from || to > text.len() {
            return Err(Error::range(format!("invalid piece from {from} to {end} of {} bytes", text.len())));
        }
        let piece = &text[from..to];
        from = to;
        Ok(piece)
    })
}

pub(super) fn cut<'a>(text: &'a [u8], ends: &'a [f64]) -> Result<Vec<&'a [u8]>> {
    let mut samples = Vec::new();
    samples.try_reserve_exact(ends.len()).map_err(|_| Error::oom("out of memory for the samples"))?;
    for piece in pieces(text, ends) {
        samples.push(piece?);
    }
    Ok(samples)
}
