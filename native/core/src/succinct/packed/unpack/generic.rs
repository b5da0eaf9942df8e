//! Portable unpacking, one integer at a time.

use super::Fields;

/// Unpacks any range of the fields.
pub(super) fn unpack(fields: &Fields, from: u64, out: &mut [u64]) {
    debug_assert!(from + out.len() as u64 <= fields.len);
    for (index, slot) in (from..).zip(out) {
        // SAFETY: the range is within the fields, so the index is valid.
        *slot = unsafe { fields.get(index) };
    }
}
