//! Compression of small records.
//!
//! An `oh_dictionary` is trained, or opened from bytes, once; then records are compressed and
//! decompressed with it one by one, from any number of threads at once. An `oh_recordstore` reads a
//! store of records that lies in memory of yours; an `oh_recordstore_builder` makes one. A
//! dictionary is opened from a copy of its bytes; a store is read where it lies.

use crate::args::{check_pointer, slice, slice_mut};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use crate::vector::{control_of, oh_control};
use offheap_core::compress::decode::SLACK;
use offheap_core::compress::{
    Dictionary, Framing, Level, RawRecordStore, Scratch, StoreBuilder, TrainOptions, train,
};
use offheap_core::{Error, ErrorKind, Result};
use std::cell::RefCell;
use std::ffi::c_void;

/// The least bytes that a dictionary can be trained to.
pub const OH_DICTIONARY_MIN_BYTES: usize = 1024;
/// The most.
pub const OH_DICTIONARY_MAX_BYTES: usize = 16_777_216;
/// The level where nothing else is asked for.
pub const OH_LEVEL_DEFAULT: u32 = 3;
const _: () = assert!(OH_DICTIONARY_MIN_BYTES == offheap_core::compress::dictionary::MIN_BYTES);
const _: () = assert!(OH_DICTIONARY_MAX_BYTES == offheap_core::compress::dictionary::MAX_BYTES);

/// A dictionary, prepared for use. Opaque.
#[derive(Debug)]
pub struct oh_dictionary {
    dictionary: Dictionary,
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

thread_local! {
    /// Working memory, kept from call to call: 100 KiB or so for small records.
    static SCRATCH: RefCell<(Scratch, Vec<u8>)> = const { RefCell::new((Scratch::new(), Vec::new())) };
}

/// Output that is larger than this is given back after the call.
const KEPT: usize = 1 << 20;

fn with_scratch<T>(body: impl FnOnce(&mut Scratch, &mut Vec<u8>) -> Result<T>) -> Result<T> {
    SCRATCH.with(|cell| {
        let mut inner =
            cell.try_borrow_mut().map_err(|_| Error::new(ErrorKind::Native, "called from itself"))?;
        let (scratch, out) = &mut *inner;
        out.clear();
        let outcome = body(scratch, out);
        if out.capacity() > KEPT {
            *out = Vec::new();
        }
        outcome
    })
}

/// A handle for C. `Box::new` could not refuse.
fn boxed<T>(value: T) -> Result<*mut T> {
    let mut handle = Vec::new();
    handle.try_reserve_exact(1)?;
    handle.push(value);
    Ok(Box::into_raw(handle.into_boxed_slice()).cast())
}

/// Copies to `out`, or `Full` where it has no room.
///
/// # Safety
/// `out` is writable for `capacity` bytes, which are none of ours.
unsafe fn hand_out(text: &[u8], out: *mut u8, capacity: usize) -> Result<usize> {
    // SAFETY: the caller's word.
    let target = unsafe { slice_mut(out, capacity, "out") }?;
    let Some(target) = target.get_mut(..text.len()) else {
        return Err(Error::new(
            ErrorKind::Full,
            format!("{} bytes do not fit the {capacity} of out", text.len()),
        ));
    };
    target.copy_from_slice(text);
    Ok(text.len())
}

/// Where decompressing may go straight to `out`, which has `capacity` bytes: how many it may make
/// there. Wide copies touch bytes behind them, so what nearly fills `out` takes the way by memory
/// of ours.
fn straight(out: *mut u8, capacity: usize) -> Option<usize> {
    if out.is_null() { None } else { capacity.checked_sub(SLACK) }
}

/// # Safety
/// `pointer` is null, or one that the library gave out and that was not freed.
unsafe fn handle<'a, T>(pointer: *const T, what: &'static str) -> Result<&'a T> {
    check_pointer(pointer, what)?;
    // SAFETY: not null and aligned; the rest is the caller's word.
    Ok(unsafe { &*pointer })
}

/// # Safety
/// As for `handle`; no other thread uses it.
unsafe fn handle_mut<'a, T>(pointer: *mut T, what: &'static str) -> Result<&'a mut T> {
    check_pointer(pointer, what)?;
    // SAFETY: not null and aligned; the rest is the caller's word.
    Ok(unsafe { &mut *pointer })
}

/// # Safety
/// As for `handle`; it is not used again.
unsafe fn free<T>(pointer: *mut T) {
    if !pointer.is_null() {
        guard(|| {
            // SAFETY: made by `boxed`, by the caller's word.
            drop(unsafe { Box::from_raw(pointer) });
            Ok(())
        });
    }
}

/// Cuts `text` where `ends` say, one piece after another. `ends` ascend to at most `length`.
fn pieces<'a>(text: &'a [u8], ends: &'a [f64]) -> impl Iterator<Item = Result<&'a [u8]>> {
    let mut from = 0usize;
    ends.iter().map(move |&end| {
        let to = end as usize;
        if to as f64 != end || to < from || to > text.len() {
            return Err(Error::range(format!("a piece from {from} to {end} of {} bytes", text.len())));
        }
        let piece = &text[from..to];
        from = to;
        Ok(piece)
    })
}

fn cut<'a>(text: &'a [u8], ends: &'a [f64]) -> Result<Vec<&'a [u8]>> {
    let mut samples = Vec::new();
    samples.try_reserve_exact(ends.len()).map_err(|_| Error::oom("out of memory for the samples"))?;
    for piece in pieces(text, ends) {
        samples.push(piece?);
    }
    Ok(samples)
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
            trained.map_or(Ok(std::ptr::null_mut()), |dictionary| boxed(oh_dictionary { dictionary }))
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
            boxed(oh_dictionary { dictionary: Dictionary::copy_from(base.cast(), length)? })
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
    unsafe { free(dictionary) }
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
            let dictionary = &handle(dictionary, "dictionary")?.dictionary;
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
    guard(|| unsafe { handle(dictionary, "dictionary") }?.dictionary.validate())
}

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
            let dictionary = &handle(dictionary, "dictionary")?.dictionary;
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
            let dictionary = &handle(dictionary, "dictionary")?.dictionary;
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
                hand_out(text, out, capacity)
            })
        })
    }
}

/// More than there is room for.
fn full(error: Error) -> Error {
    match error.kind() {
        ErrorKind::Range => Error::new(ErrorKind::Full, error.message().to_owned()),
        _ => error,
    }
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
            let copy = Dictionary::from_bytes(handle(dictionary, "dictionary")?.dictionary.as_bytes())?;
            boxed(oh_recordstore_builder { builder: StoreBuilder::new(copy, Level::new(level)?) })
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
            let builder = handle_mut(builder, "builder")?;
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
            let builder = handle_mut(builder, "builder")?;
            let copy = Dictionary::from_bytes(handle(dictionary, "dictionary")?.dictionary.as_bytes())?;
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
    unsafe { guard_out(out, || Ok(handle(builder, "builder")?.builder.shape().length())) }
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
    guard(|| unsafe { handle(builder, "builder")?.builder.write(base.cast(), length) })
}

/// Gives a builder back. `NULL` is nothing.
///
/// # Safety
/// `builder` is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_builder_free(builder: *mut oh_recordstore_builder) {
    // SAFETY: the caller's word.
    unsafe { free(builder) }
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
        guard_out(out, || boxed(oh_recordstore { store: RawRecordStore::attach(base.cast(), length)? }))
    }
}

/// Closes a store. `NULL` is nothing. The memory stays yours.
///
/// # Safety
/// `records` is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_recordstore_free(records: *mut oh_recordstore) {
    // SAFETY: the caller's word.
    unsafe { free(records) }
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
            let store = &handle(records, "records")?.store;
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
            let store = &handle(records, "records")?.store;
            if let Some(limit) = straight(out, capacity)
                && let Some(made) = store.get_into(index, out, limit)?
            {
                return Ok(made);
            }
            with_scratch(|_, text| {
                store.get_within(index, capacity, text)?;
                hand_out(text, out, capacity)
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
            let store = &handle(records, "records")?.store;
            let (indices, ends) = (slice(indices, count, "indices")?, slice_mut(ends, count, "ends")?);
            if !out.is_null()
                && let Some(made) = store.get_many_into(indices, ends, out, capacity)?
            {
                return Ok(made);
            }
            with_scratch(|_, text| {
                store.get_many_within(indices, ends, capacity, text)?;
                hand_out(text, out, capacity)
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
    guard(|| unsafe { handle(records, "records")?.store.validate() })
}
