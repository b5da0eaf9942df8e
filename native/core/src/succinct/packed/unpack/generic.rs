//! Portable unpacking: each integer by itself.

use super::super::{RawPackedInts, extract};

/// Unpacks any range of the integers.
pub(super) fn unpack(ints: &RawPackedInts, from: u64, out: &mut [u64]) {
    debug_assert!(from + out.len() as u64 <= ints.len());
    for (index, slot) in (from..).zip(out) {
        // SAFETY: an index of the integers.
        *slot = unsafe { extract(ints.data, ints.shape.bits, index) };
    }
}
