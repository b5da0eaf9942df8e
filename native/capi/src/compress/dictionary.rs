//! Dictionaries.

use super::samples::cut;
use crate::args::{check_pointer, slice};
use crate::control::{control_of, oh_control};
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, shared, take_back};
use crate::status::oh_status;
use offheap_core::compress::{Dictionary, TrainOptions, train};
use std::ffi::c_void;

/// The minimum size of a trained dictionary in bytes.
pub const OH_DICTIONARY_MIN_BYTES: usize = 1024;
/// The maximum size of a trained dictionary in bytes.
pub const OH_DICTIONARY_MAX_BYTES: usize = 16_777_216;
const _: () = assert!(OH_DICTIONARY_MIN_BYTES == offheap_core::compress::dictionary::MIN_BYTES);
const _: () = assert!(OH_DICTIONARY_MAX_BYTES == offheap_core::compress::dictionary::MAX_BYTES);

/// A dictionary, prepared for use. Created by `oh_dictionary_train` or `oh_dictionary_open`, freed
/// by `oh_dictionary_free`.
#[derive(Debug)]
pub struct oh_dictionary {
    pub(super) dictionary: Dictionary,
}

/// The identity, the bytes and the sizes of a dictionary.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_dictionary_info {
    /// 64 bits that distinguish it from other dictionaries.
    pub identity: u64,
    /// Its region, to be saved. Valid until the dictionary is freed.
    pub bytes: *const c_void,
    /// Size of the region in bytes.
    pub region_size: usize,
    /// Bytes of text to which matches can refer.
    pub content: usize,
    /// Number of strings with a symbol of their own.
    pub phrases: usize,
    /// Number of contexts that select the code of a symbol.
    pub contexts: usize,
}

/// Trains a dictionary on `count` samples, which are stored one after another in `text`: sample i
/// ends before byte `ends[i]`, an integer. `max_bytes` is the maximum size of its region, at least
/// `OH_DICTIONARY_MIN_BYTES`; 0 lets the function choose. The same samples result in the same
/// dictionary. There may be no samples at all.
///
/// With a `control`, another thread can cancel the training; then `*out` becomes NULL. `control`
/// may be NULL.
///
/// # Safety
/// `text` is readable for `length` bytes, `ends` for `count` numbers; `control` is NULL, or lives
/// until this returns; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_dictionary_train(
    text: *const u8,
    length: usize,
    ends: *const f64,
    count: usize,
    max_bytes: usize,
    control: *mut oh_control,
    out: *mut *mut oh_dictionary,
) -> oh_status {
    // SAFETY: the caller guarantees that `text` is readable for `length` bytes, `ends` for `count`
    // numbers, that `control` is NULL, or lives until this returns, that `out` is writable.
    unsafe {
        guard_out(out, || {
            let samples = cut(slice(text, length, "text")?, slice(ends, count, "ends")?)?;
            let options = TrainOptions { max_bytes: (max_bytes > 0).then_some(max_bytes) };
            let trained = train(&samples, options, control_of(control)?)?;
            trained
                .map_or(Ok(std::ptr::null_mut()), |dictionary| hand_out(|| Ok(oh_dictionary { dictionary })))
        })
    }
}

/// Opens a dictionary from the bytes of its region, which are copied. `OH_ERR_CORRUPT` or
/// `OH_ERR_VERSION` for invalid bytes. Takes about 0.1 ms for 112 KiB.
///
/// # Safety
/// `base` is readable for `length` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_dictionary_open(
    base: *const c_void,
    length: usize,
    out: *mut *mut oh_dictionary,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is readable for `length` bytes and that `out` is
    // writable.
    unsafe {
        guard_out(out, || {
            check_pointer(base.cast::<u8>(), "the dictionary")?;
            hand_out(|| Ok(oh_dictionary { dictionary: Dictionary::copy_from(base.cast(), length)? }))
        })
    }
}

/// Frees a dictionary. NULL is allowed.
///
/// # Safety
/// `dictionary` is NULL, or was not freed and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_dictionary_free(dictionary: *mut oh_dictionary) {
    // SAFETY: the caller guarantees that `dictionary` is not used again.
    guard_value((), || unsafe { take_back(dictionary) });
}

/// Returns the identity, the bytes and the sizes of a dictionary.
///
/// # Safety
/// `dictionary` was not freed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_dictionary_get_info(
    dictionary: *const oh_dictionary,
    out: *mut oh_dictionary_info,
) -> oh_status {
    // SAFETY: the caller guarantees that `dictionary` is one that was not freed and that `out` is
    // writable.
    unsafe {
        guard_out(out, || {
            let dictionary = &shared(dictionary, "dictionary")?.dictionary;
            let (content, phrases, contexts) = dictionary.counts();
            let bytes = dictionary.as_bytes();
            Ok(oh_dictionary_info {
                identity: dictionary.identity(),
                bytes: bytes.as_ptr().cast(),
                region_size: bytes.len(),
                content,
                phrases,
                contexts,
            })
        })
    }
}

/// Verifies what `oh_dictionary_open` does not: the checksum, if there is one, and that unused
/// bytes are zero. `OH_ERR_CORRUPT` if something is wrong.
///
/// # Safety
/// `dictionary` was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_dictionary_validate(dictionary: *const oh_dictionary) -> oh_status {
    // SAFETY: the caller guarantees that `dictionary` is one that was not freed.
    guard(|| unsafe { shared(dictionary, "dictionary") }?.dictionary.validate())
}
