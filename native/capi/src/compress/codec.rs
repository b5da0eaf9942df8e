//! Compression and decompression of single records.

use super::dictionary::oh_dictionary;
use super::scratch::{copy_out, full, straight, with_scratch};
use crate::args::{check_pointer, slice, slice_mut};
use crate::guard::guard_out;
use crate::handle::shared;
use crate::status::oh_status;
use offheap_core::Error;
use offheap_core::compress::{Framing, Level};

/// The level where nothing else is asked for.
pub const OH_LEVEL_DEFAULT: u32 = 3;

/// Compresses `length` bytes into `out`, which has room for at least one byte more: that is the
/// most they can take. `level` is 1 (fastest) to 9 (smallest). Less than 2^31 bytes.
///
/// # Safety
/// `dictionary` is one that was not freed; `text` is readable for `length` bytes, `out` writable
/// for `capacity`; they do not overlap; `written` is writable.
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
    // SAFETY: the caller vouches for all of them.
    unsafe {
        guard_out(written, || {
            let dictionary = &shared(dictionary, "dictionary")?.dictionary;
            let (text, level) = (slice(text, length, "text")?, Level::new(level)?);
            if capacity <= length {
                return Err(Error::range(format!("out has {capacity} bytes; {} may be needed", length + 1)));
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

/// Decompresses what `oh_compress` made with the same dictionary. `OH_ERR_CORRUPT` for bytes of
/// another dictionary, or damaged ones, `OH_ERR_FULL` where they take more than `capacity`. Never
/// reads or writes outside, whatever the bytes are, and takes memory as it is needed. Of `out` any
/// byte may be written, behind the result and where it fails, too; it is fastest with 64 bytes more
/// than the result has.
///
/// # Safety
/// `dictionary` is one that was not freed; `bytes` is readable for `length` bytes, `out` writable
/// for `capacity`; they do not overlap; `written` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_decompress(
    dictionary: *const oh_dictionary,
    bytes: *const u8,
    length: usize,
    out: *mut u8,
    capacity: usize,
    written: *mut usize,
) -> oh_status {
    // SAFETY: the caller vouches for all of them.
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
