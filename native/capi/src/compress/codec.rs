//! Compression and decompression of single records.

use super::dictionary::oh_dictionary;
use super::scratch::{copy_out, full, straight, with_scratch};
use crate::args::{check_pointer, slice, slice_mut};
use crate::guard::guard_out;
use crate::handle::shared;
use crate::status::oh_status;
use offheap_core::Error;
use offheap_core::compress::{Framing, Level};

/// The default level of compression.
pub const OH_LEVEL_DEFAULT: u32 = 3;

/// Compresses `length` bytes, fewer than 2^31, into `out`. `capacity` must be at least `length` +
/// 1, which is the maximum that the result can take. `level` is 1 (fastest) to 9 (smallest).
/// `*written` becomes the size of the result in bytes. `OH_ERR_RANGE` if `capacity` is too small or
/// the level invalid.
///
/// # Safety
/// `dictionary` was not freed; `text` is readable for `length` bytes, and `out` writable for
/// `capacity`; they do not overlap; `written` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_compress(
    dictionary: *const oh_dictionary,
    level: u32,
    text: *const u8,
    length: usize,
    out: *mut u8,
    capacity: usize,
    written: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `dictionary` is one that was not freed, that `text` is
    // readable for `length` bytes, `out` writable for `capacity`, that they do not overlap, that
    // `written` is writable.
    unsafe {
        guard_out(written, || {
            let dictionary = &shared(dictionary, "dictionary")?.dictionary;
            let (text, level) = (slice(text, length, "text")?, Level::new(level)?);
            if capacity <= length {
                return Err(Error::range(format!(
                    "out has {capacity} bytes, but {} may be needed",
                    length + 1
                )));
            }
            let target = slice_mut(out, capacity, "out")?;
            with_scratch(|scratch, packed| {
                dictionary.compress(level, Framing::Tagged, text, scratch, packed)?;
                target[..packed.len()].copy_from_slice(packed);
                Ok(packed.len())
            })
        })
    }
}

/// Decompresses a result of `oh_compress` with the same dictionary. `*written` becomes the size of
/// the text in bytes. `OH_ERR_CORRUPT` for damaged bytes or another dictionary; `OH_ERR_FULL` if
/// the text is longer than `capacity`.
///
/// Memory outside the arguments is never read or written, whatever the bytes are, and memory is
/// allocated only as it is needed. Any byte of `out` may be overwritten, even past the result and
/// after an error. It is fastest if `capacity` exceeds the size of the text by 64 bytes.
///
/// # Safety
/// `dictionary` was not freed; `bytes` is readable for `length` bytes, and `out` writable for
/// `capacity`; they do not overlap; `written` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_decompress(
    dictionary: *const oh_dictionary,
    bytes: *const u8,
    length: usize,
    out: *mut u8,
    capacity: usize,
    written: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `dictionary` is one that was not freed, that `bytes` is
    // readable for `length` bytes, `out` writable for `capacity`, that they do not overlap, that
    // `written` is writable.
    unsafe {
        guard_out(written, || {
            let dictionary = &shared(dictionary, "dictionary")?.dictionary;
            if length > 0 {
                check_pointer(bytes, "bytes")?;
            }
            if let Some(limit) = straight(out, capacity)
                && let Some(made) = dictionary.decompress_into(Framing::Tagged, bytes, length, out, limit)?
            {
                return Ok(made);
            }
            with_scratch(|_, text| {
                dictionary.decompress_raw(Framing::Tagged, bytes, length, capacity, text).map_err(full)?;
                copy_out(text, out, capacity)
            })
        })
    }
}
