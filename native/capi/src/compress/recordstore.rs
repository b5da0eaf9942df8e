//! Stores of compressed records, and their builder.

use super::dictionary::oh_dictionary;
use super::samples::{cut, pieces};
use super::scratch::{copy_out, straight, with_scratch};
use crate::args::{slice, slice_mut};
use crate::control::{control_of, oh_control};
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{exclusive, hand_out, shared, take_back};
use crate::status::oh_status;
use offheap_core::compress::{Dictionary, Level, RawRecordStore, StoreBuilder};
use std::ffi::c_void;

/// An open store of compressed records, with its prepared dictionary. Created by
/// `oh_recordstore_open`, freed by `oh_recordstore_free`.
#[derive(Debug)]
pub struct oh_recordstore {
    store: RawRecordStore,
}

/// The sizes of a store.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_recordstore_info {
    /// Number of records.
    pub count: u64,
    /// Size of the compressed records in bytes.
    pub payload: u64,
    /// Size of the longest record in bytes, uncompressed.
    pub longest: u64,
    /// Size of all records in bytes, uncompressed.
    pub total: u64,
    /// Size of the region in bytes.
    pub region_size: u64,
    /// Size of the region of its dictionary in bytes.
    pub dictionary_size: u64,
    /// Identity of its dictionary.
    pub identity: u64,
}

/// A store that is being built. Only one thread at a time may use it. Created by
/// `oh_recordstore_builder_new`, freed by `oh_recordstore_builder_free`.
#[derive(Debug)]
pub struct oh_recordstore_builder {
    builder: StoreBuilder,
}

/// Creates a builder of a store. Its records are compressed with a copy of the dictionary, at a
/// `level` as for `oh_compress`.
///
/// # Safety
/// `dictionary` was not freed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_builder_new(
    dictionary: *const oh_dictionary,
    level: u32,
    out: *mut *mut oh_recordstore_builder,
) -> oh_status {
    // SAFETY: the caller guarantees that `dictionary` is one that was not freed and that `out` is
    // writable.
    unsafe {
        guard_out(out, || {
            let copy = Dictionary::from_bytes(shared(dictionary, "dictionary")?.dictionary.as_bytes())?;
            hand_out(|| Ok(oh_recordstore_builder { builder: StoreBuilder::new(copy, Level::new(level)?) }))
        })
    }
}

/// Adds `count` records, which are stored one after another in `text`: record i ends before byte
/// `ends[i]`, an integer. If the function fails, the records before the faulty one were added. The
/// text is not referenced after the call.
///
/// # Safety
/// `builder` was not freed, and no other thread uses it; `text` is readable for `length` bytes, and
/// `ends` for `count` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_builder_push(
    builder: *mut oh_recordstore_builder,
    text: *const u8,
    length: usize,
    ends: *const f64,
    count: usize,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `builder` is one that was not freed, and no other
        // thread uses it and that `text` is readable for `length` bytes, `ends` for `count`
        // numbers.
        unsafe {
            let builder = exclusive(builder, "builder")?;
            for piece in pieces(slice(text, length, "text")?, slice(ends, count, "ends")?) {
                builder.builder.push(piece?)?;
            }
            Ok(())
        }
    })
}

/// Compresses all records that were added so far again, with a copy of another dictionary, if that
/// reduces the size of `count` samples by at least a thirty-second; `*changed` becomes whether it
/// did. The samples are stored in `text` as for `oh_recordstore_builder_push`. For records that
/// arrive one by one: begin with a dictionary trained on the first records, collect samples of all
/// of them, and finally train on those. Needs memory for the records, compressed twice.
///
/// With a `control`, another thread can cancel the work. After a cancellation or an error, nothing
/// has changed. `control` may be NULL.
///
/// # Safety
/// As for `oh_recordstore_builder_push`; `dictionary` was not freed; `control` is NULL, or lives
/// until this returns; `changed` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_builder_adapt(
    builder: *mut oh_recordstore_builder,
    dictionary: *const oh_dictionary,
    text: *const u8,
    length: usize,
    ends: *const f64,
    count: usize,
    control: *mut oh_control,
    changed: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees that `builder` is one that was not freed, and no other thread
    // uses it, that `text` is readable for `length` bytes, `ends` for `count` numbers, that
    // `dictionary` is one that was not freed, that `control` is NULL, or lives until this returns,
    // that `changed` is writable.
    unsafe {
        guard_out(changed, || {
            let builder = exclusive(builder, "builder")?;
            let copy = Dictionary::from_bytes(shared(dictionary, "dictionary")?.dictionary.as_bytes())?;
            let samples = cut(slice(text, length, "text")?, slice(ends, count, "ends")?)?;
            builder.builder.adapt(copy, &samples, control_of(control)?)
        })
    }
}

/// Computes the number of bytes that the store needs for the records that were added so far.
///
/// # Safety
/// `builder` was not freed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_builder_region_size(
    builder: *const oh_recordstore_builder,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `builder` is one that was not freed and that `out` is
    // writable.
    unsafe { guard_out(out, || Ok(shared(builder, "builder")?.builder.shape().length())) }
}

/// Writes the store to `length` bytes at `base`. `OH_ERR_FULL` if `length` is less than
/// `oh_recordstore_builder_region_size`. Afterward, more records can be added, and a larger store
/// written.
///
/// # Safety
/// `builder` was not freed; `base` is writable for `length` bytes that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_builder_write(
    builder: *const oh_recordstore_builder,
    base: *mut c_void,
    length: usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `builder` is one that was not freed and that `base` is
    // writable for `length` bytes that no other thread uses.
    guard(|| unsafe { shared(builder, "builder")?.builder.write(base.cast(), length) })
}

/// Frees a builder. NULL is allowed.
///
/// # Safety
/// `builder` is NULL, or was not freed and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_builder_free(builder: *mut oh_recordstore_builder) {
    // SAFETY: the caller guarantees that `builder` is not used again.
    guard_value((), || unsafe { take_back(builder) });
}

/// Opens a store in place: checks its header, and prepares a copy of its dictionary. The records
/// are not checked.
///
/// # Safety
/// `base` is readable for `length` bytes until the store is freed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_open(
    base: *const c_void,
    length: usize,
    out: *mut *mut oh_recordstore,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is readable for `length` bytes until the store is
    // freed and that `out` is writable.
    unsafe {
        guard_out(out, || {
            hand_out(|| Ok(oh_recordstore { store: RawRecordStore::attach(base.cast(), length)? }))
        })
    }
}

/// Closes a store. The caller keeps owning the memory. NULL is allowed.
///
/// # Safety
/// `records` is NULL, or was not freed and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_free(records: *mut oh_recordstore) {
    // SAFETY: the caller guarantees that `records` is not used again.
    guard_value((), || unsafe { take_back(records) });
}

/// Returns the sizes of a store.
///
/// # Safety
/// `records` was not freed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_get_info(
    records: *const oh_recordstore,
    out: *mut oh_recordstore_info,
) -> oh_status {
    // SAFETY: the caller guarantees that `records` is one that was not freed and that `out` is
    // writable.
    unsafe {
        guard_out(out, || {
            let store = &shared(records, "records")?.store;
            let shape = store.shape();
            Ok(oh_recordstore_info {
                count: shape.len,
                payload: shape.payload,
                longest: shape.longest,
                total: shape.total,
                region_size: shape.length(),
                dictionary_size: shape.dictionary,
                identity: store.dictionary().identity(),
            })
        })
    }
}

/// Decompresses the record at `index` to `out`. `*written` becomes its size in bytes.
/// `OH_ERR_RANGE` past the end; `OH_ERR_FULL` if the record is longer than `capacity` (none is
/// longer than `longest`); `OH_ERR_CORRUPT` if it is damaged. Any byte of `out` may be overwritten,
/// as by `oh_decompress`.
///
/// # Safety
/// `records` was not freed, and its memory is still readable; `out` is writable for `capacity`
/// bytes; `written` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_get(
    records: *const oh_recordstore,
    index: u64,
    out: *mut u8,
    capacity: usize,
    written: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `records` is one that was not freed, and its memory is
    // still there and that `out` is writable for `capacity` bytes, `written` too.
    unsafe {
        guard_out(written, || {
            let store = &shared(records, "records")?.store;
            if let Some(limit) = straight(out, capacity)
                && let Some(made) = store.get_into(index, out, limit)?
            {
                return Ok(made);
            }
            with_scratch(|_, text| {
                store.get_within(index, capacity, text)?;
                copy_out(text, out, capacity)
            })
        })
    }
}

/// Decompresses the records at `count` indices to `out`, one after another; `ends[i]` becomes the
/// offset at which the record at `indices[i]` ends. The errors are those of `oh_recordstore_get`;
/// `ends` may be overwritten even after an error.
///
/// # Safety
/// As for `oh_recordstore_get`; `indices` is readable and `ends` writable for `count` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_get_many(
    records: *const oh_recordstore,
    indices: *const f64,
    count: usize,
    ends: *mut f64,
    out: *mut u8,
    capacity: usize,
    written: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `records` is one that was not freed, and its memory is
    // still there, that `out` is writable for `capacity` bytes, `written` too, that `indices` is
    // readable and `ends` writable for `count` numbers.
    unsafe {
        guard_out(written, || {
            let store = &shared(records, "records")?.store;
            let (indices, ends) = (slice(indices, count, "indices")?, slice_mut(ends, count, "ends")?);
            if !out.is_null()
                && let Some(made) = store.get_many_into(indices, ends, out, capacity)?
            {
                return Ok(made);
            }
            with_scratch(|_, text| {
                store.get_many_within(indices, ends, capacity, text)?;
                copy_out(text, out, capacity)
            })
        })
    }
}

/// Verifies a store: its checksum, its dictionary, the offsets of the records, and that each record
/// can be decompressed. `OH_ERR_CORRUPT` if something is wrong. Takes time proportional to the
/// total size of the records.
///
/// # Safety
/// `records` was not freed, and its memory is still readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_validate(records: *const oh_recordstore) -> oh_status {
    // SAFETY: the caller guarantees that `records` is one that was not freed, and its memory is
    // still there.
    guard(|| unsafe { shared(records, "records")?.store.validate() })
}
