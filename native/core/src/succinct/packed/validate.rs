//! The full check of a region's contents.

use super::{RawPackedInts, Shape, load};
use crate::region::attach::RegionKind;
use crate::region::numbers::MAX_SAFE;
use crate::{Error, Result};

/// Checks a region's contents: checksum (if it has one), reserved words, that the bits after the
/// last integer are zero, and that integers that are numbers in JavaScript are below 2^53.
/// O(bytes).
///
/// # Safety
/// As for [`RawPackedInts::attach`].
pub unsafe fn validate(base: *const u8, len: usize) -> Result<()> {
    // SAFETY: the caller guarantees that `len` bytes at `base` are readable.
    let ints = unsafe { RawPackedInts::attach(base, len) }?;
    Shape::verify(ints.memory())?;
    let Shape { len, bits, bigint } = ints.shape();
    // SAFETY: all words of the region are readable.
    if !unsafe {
        zero_from(ints.fields.data, len * u64::from(bits), ints.shape().length() as usize - Shape::DATA)
    } {
        return Err(Error::corrupt("a bit after the last integer is set"));
    }
    let numbers = !bigint && bits > 53;
    if numbers && let Some(at) = ints.iter().position(|value| value > MAX_SAFE) {
        return Err(Error::corrupt(format!("the integer at index {at} is not a JavaScript number")));
    }
    Ok(())
}

/// Whether all bits are zero from bit `from` to the end of `bytes` bytes.
///
/// # Safety
/// `data` is aligned to 8 bytes. `bytes` bytes are readable there, a multiple of 8, and `from` is
/// at most their number of bits.
pub(crate) unsafe fn zero_from(data: *const u8, from: u64, bytes: usize) -> bool {
    let words = data.cast::<u64>();
    let first = (from / 64) as usize;
    (first..bytes / 8).all(|index| {
        // SAFETY: the words are readable, as guaranteed by the caller.
        let word = unsafe { load(words.add(index)) };
        if index == first { word >> (from % 64) == 0 } else { word == 0 }
    })
}
