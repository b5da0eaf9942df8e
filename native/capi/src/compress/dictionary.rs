//! Dictionaries.

use super::samples::cut;
use crate::args::{check_pointer, slice};
use crate::control::{control_of, oh_control};
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, shared, take_back};
use crate::status::oh_status;
use offheap_core::compress::{Dictionary, TrainOptions, train};
use std::ffi::c_void;

/// The least bytes that a dictionary can be trained to.
pub const OH_DICTIONARY_MIN_BYTES: usize = 1024;
/// The most.
pub const OH_DICTIONARY_MAX_BYTES: usize = 16_777_216;
const _: () = assert!(OH_DICTIONARY_MIN_BYTES == offheap_core::compress::dictionary::MIN_BYTES);
const _: () = assert!(OH_DICTIONARY_MAX_BYTES == offheap_core::compress::dictionary::MAX_BYTES);

/// A dictionary, prepared for use. Opaque.
#[derive(Debug)]
pub struct oh_dictionary {
    pub(super) dictionary: Dictionary,
}

/// What a dictionary has.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_dictionary_info {
    /// 64 bits that tell it from other dictionaries.
    pub identity: u64,
    /// Its region, which lives as long as the dictionary: what to write to a file.
    pub bytes: *const c_void,
    /// Bytes of the region.
    pub region_size: usize,
    /// Bytes of text that matches refer to.
    pub content: usize,
    /// Strings that have a symbol of their own.
    pub phrases: usize,
    /// Contexts that choose the code of a symbol.
    pub contexts: usize,
}

/// Trains a dictionary on `count` samples, which lie in `text` one after another: sample i ends
/// before byte `ends[i]`, a whole number. `max_bytes` is the most that its region may have, from
/// `OH_DICTIONARY_MIN_BYTES` on; 0 finds out by itself how much helps. The same samples give the
/// same dictionary. Any samples will do, none included.
///
/// With a `control` it can be stopped from another thread; then `*out` is NULL.
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
    // SAFETY: the caller vouches for all of them.
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

/// A dictionary out of its region's bytes, which are copied. `OH_ERR_CORRUPT` or `OH_ERR_VERSION`
/// for other bytes. Some 0.1 ms for 112 KiB.
///
/// # Safety
/// `base` is readable for `length` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_dictionary_open(
    base: *const c_void,
    length: usize,
    out: *mut *mut oh_dictionary,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            check_pointer(base.cast::<u8>(), "the dictionary")?;
            hand_out(|| Ok(oh_dictionary { dictionary: Dictionary::copy_from(base.cast(), length)? }))
        })
    }
}

/// Gives a dictionary back. `NULL` is nothing.
///
/// # Safety
/// `dictionary` is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_dictionary_free(dictionary: *mut oh_dictionary) {
    // SAFETY: the caller's word.
    guard_value((), || unsafe { take_back(dictionary) });
}

/// What a dictionary has, and where its region lies.
///
/// # Safety
/// `dictionary` is one that was not freed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_dictionary_get_info(
    dictionary: *const oh_dictionary,
    out: *mut oh_dictionary_info,
) -> oh_status {
    // SAFETY: the caller vouches for both.
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

/// Proves what opening does not: the checksum, if there is one, and that what has no meaning is
/// zero.
///
/// # Safety
/// `dictionary` is one that was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_dictionary_validate(dictionary: *const oh_dictionary) -> oh_status {
    // SAFETY: the caller vouches for it.
    guard(|| unsafe { shared(dictionary, "dictionary") }?.dictionary.validate())
}
