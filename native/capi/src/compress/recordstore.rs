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

/// A store of records in memory of yours, with its dictionary prepared. Opaque.
#[derive(Debug)]
pub struct oh_recordstore {
    store: RawRecordStore,
}

/// What a store has.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_recordstore_info {
    /// How many records.
    pub count: u64,
    /// Bytes of the compressed records.
    pub payload: u64,
    /// Bytes of the longest record, not compressed.
    pub longest: u64,
    /// Bytes of all records, not compressed.
    pub total: u64,
    /// Bytes of the region.
    pub region_size: u64,
    /// Bytes of its dictionary's region.
    pub dictionary_size: u64,
    /// The identity of its dictionary.
    pub identity: u64,
}

/// Records that are being compressed into a store. Opaque; for one thread at a time.
#[derive(Debug)]
pub struct oh_recordstore_builder {
    builder: StoreBuilder,
}

/// Begins a store, whose records are compressed with a copy of the dictionary. `level` as for
/// `oh_compress`.
///
/// # Safety
/// `dictionary` is one that was not freed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_builder_new(
    dictionary: *const oh_dictionary,
    level: u32,
    out: *mut *mut oh_recordstore_builder,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            let copy = Dictionary::from_bytes(shared(dictionary, "dictionary")?.dictionary.as_bytes())?;
            hand_out(|| Ok(oh_recordstore_builder { builder: StoreBuilder::new(copy, Level::new(level)?) }))
        })
    }
}

/// Adds `count` records, which lie in `text` one after another: record i ends before byte
/// `ends[i]`, a whole number. Where it fails, those before the one at fault were added. Nothing of
/// `text` is kept.
///
/// # Safety
/// `builder` is one that was not freed, and no other thread uses it; `text` is readable for
/// `length` bytes, `ends` for `count` numbers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_builder_push(
    builder: *mut oh_recordstore_builder,
    text: *const u8,
    length: usize,
    ends: *const f64,
    count: usize,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller vouches for all of them.
        unsafe {
            let builder = exclusive(builder, "builder")?;
            for piece in pieces(slice(text, length, "text")?, slice(ends, count, "ends")?) {
                builder.builder.push(piece?)?;
            }
            Ok(())
        }
    })
}

/// Compresses all records that were added so far anew, with a copy of another dictionary, if that
/// makes `count` samples of them, which lie in `text` as for `oh_recordstore_builder_push`, at
/// least a thirty-second smaller; `*changed` says whether. For records that come one by one: begin
/// with a dictionary of the first, keep some of all, and in the end train on those. Takes memory
/// for the records, compressed twice.
///
/// With a `control` it can be stopped from another thread; then, and where it fails, nothing has
/// changed.
///
/// # Safety
/// As for `oh_recordstore_builder_push`; `dictionary` is one that was not freed; `control` is NULL,
/// or lives until this returns; `changed` is writable.
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
    // SAFETY: the caller vouches for all of them.
    unsafe {
        guard_out(changed, || {
            let builder = exclusive(builder, "builder")?;
            let copy = Dictionary::from_bytes(shared(dictionary, "dictionary")?.dictionary.as_bytes())?;
            let samples = cut(slice(text, length, "text")?, slice(ends, count, "ends")?)?;
            builder.builder.adapt(copy, &samples, control_of(control)?)
        })
    }
}

/// Bytes that the store takes with the records that were added so far.
///
/// # Safety
/// `builder` is one that was not freed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_builder_region_size(
    builder: *const oh_recordstore_builder,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || Ok(shared(builder, "builder")?.builder.shape().length())) }
}

/// Writes the store into `length` bytes at `base`, at least `oh_recordstore_builder_region_size`.
/// More records can be added, and a larger store written, afterwards.
///
/// # Safety
/// `builder` is one that was not freed; `base` is writable for `length` bytes that no other thread
/// uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_builder_write(
    builder: *const oh_recordstore_builder,
    base: *mut c_void,
    length: usize,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    guard(|| unsafe { shared(builder, "builder")?.builder.write(base.cast(), length) })
}

/// Gives a builder back. `NULL` is nothing.
///
/// # Safety
/// `builder` is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_builder_free(builder: *mut oh_recordstore_builder) {
    // SAFETY: the caller's word.
    guard_value((), || unsafe { take_back(builder) });
}

/// Opens a store where it lies: checks its header and prepares its dictionary, of which it keeps a
/// copy. No record is looked at.
///
/// # Safety
/// `base` is readable for `length` bytes until the store is freed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_open(
    base: *const c_void,
    length: usize,
    out: *mut *mut oh_recordstore,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            hand_out(|| Ok(oh_recordstore { store: RawRecordStore::attach(base.cast(), length)? }))
        })
    }
}

/// Closes a store. `NULL` is nothing. The memory stays yours.
///
/// # Safety
/// `records` is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_free(records: *mut oh_recordstore) {
    // SAFETY: the caller's word.
    guard_value((), || unsafe { take_back(records) });
}

/// What a store has.
///
/// # Safety
/// `records` is one that was not freed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_get_info(
    records: *const oh_recordstore,
    out: *mut oh_recordstore_info,
) -> oh_status {
    // SAFETY: the caller vouches for both.
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

/// Writes record `index` to `out`. `OH_ERR_RANGE` past the end, `OH_ERR_FULL` where it has more
/// bytes than `capacity` (none has more than `longest`), `OH_ERR_CORRUPT` where it is damaged. Of
/// `out` any byte may be written, as by `oh_decompress`.
///
/// # Safety
/// `records` is one that was not freed, and its memory is still there; `out` is writable for
/// `capacity` bytes, `written` too.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_get(
    records: *const oh_recordstore,
    index: u64,
    out: *mut u8,
    capacity: usize,
    written: *mut usize,
) -> oh_status {
    // SAFETY: the caller vouches for all of them.
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

/// Writes the records at `count` indices to `out`, one after another; `ends[i]` says where the one
/// at `indices[i]` ends. All as for `oh_recordstore_get`; `ends` may be written where it fails.
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
    // SAFETY: the caller vouches for all of them.
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

/// Proves all of a store: checksum, dictionary, where records begin, and that each decompresses.
/// O(bytes).
///
/// # Safety
/// `records` is one that was not freed, and its memory is still there.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_validate(records: *const oh_recordstore) -> oh_status {
    // SAFETY: the caller vouches for it.
    guard(|| unsafe { shared(records, "records")?.store.validate() })
}
