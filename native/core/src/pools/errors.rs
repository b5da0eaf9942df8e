//! Errors that the pools share.

use crate::Error;

/// The error for an offset at which no block begins.
#[cold]
pub(super) fn foreign(offset: u64) -> Error {
    Error::range(format!("no block of this pool begins at {offset}"))
}

/// The error for a block that is already free.
#[cold]
pub(super) fn freed(offset: u64) -> Error {
    Error::stale(format!("no block of this pool is allocated at {offset}"))
}

/// The error for a block of `bytes` bytes whose guard is damaged at byte `broken`.
#[cold]
pub(super) fn overrun(offset: u64, bytes: u64, broken: u64) -> Error {
    Error::corrupt(format!(
        "the block at {offset} has {bytes} bytes, and byte {} after them was overwritten; it stays allocated",
        bytes + broken
    ))
}
