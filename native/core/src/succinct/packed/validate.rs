//! The second tier of trust: proving the contents.

use super::{RawPackedInts, Shape, load};
use crate::region::attach::RegionKind;
use crate::region::numbers::MAX_SAFE;
use crate::{Error, Result};

/// Proves a region's contents: checksum (if it has one), reserved words, bits behind the last
/// integer, and that integers that JavaScript sees as numbers are below 2^53. O(bytes).
///
/// # Safety
/// As for [`RawPackedInts::attach`].
pub unsafe fn validate(base: *const u8, len: usize) -> Result<()> {
    // SAFETY: the caller's word.
    let ints = unsafe { RawPackedInts::attach(base, len) }?;
    Shape::verify(ints.memory())?;
    let Shape { len, bits, bigint } = ints.shape();
    // SAFETY: all words of the region are readable.
    if !unsafe {
        zero_behind(ints.fields.data, len * u64::from(bits), ints.shape().length() as usize - Shape::DATA)
    } {
        return Err(Error::corrupt("a bit behind the last integer is set"));
    }
    let numbers = !bigint && bits > 53;
    if numbers && let Some(at) = ints.iter().position(|value| value > MAX_SAFE) {
        return Err(Error::corrupt(format!("the integer at index {at} is no JavaScript number")));
    }
    Ok(())
}

/// Whether all bits are zero from bit `from` to the end of `bytes` bytes.
///
/// # Safety
/// `data` is 8-byte aligned, `bytes` bytes are readable there, a multiple of 8, and `from` is at
/// most their bits.
pub(crate) unsafe fn zero_behind(data: *const u8, from: u64, bytes: usize) -> bool {
    let words = data.cast::<u64>();
    let first = (from / 64) as usize;
    (first..bytes / 8).all(|index| {
        // SAFETY: the caller's word.
        let word = unsafe { load(words.add(index)) };
        if index == first { word >> (from % 64) == 0 } else { word == 0 }
    })
}
