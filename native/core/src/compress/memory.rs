//! Fallible allocation for the tables of this module.

use crate::{Error, Result};

/// A vector of `len` copies of `value`, or `Oom`.
pub(crate) fn try_vec<T: Clone>(len: usize, value: T) -> Result<Vec<T>> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(len).map_err(|_| Error::oom("out of memory for compression tables"))?;
    vec.resize(len, value);
    Ok(vec)
}

/// A copy of `from`, or `Oom`.
pub(crate) fn try_to_vec<T: Copy>(from: &[T]) -> Result<Vec<T>> {
    let mut vec = Vec::new();
    vec.try_reserve_exact(from.len())?;
    vec.extend_from_slice(from);
    Ok(vec)
}
