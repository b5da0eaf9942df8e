//! SharedMap: a hash map that many threads and processes write, within a bound in bytes.
//!
//! A map is a region that is initialized once (`oh_sharedmap_init`, or the first
//! `oh_sharedmap_open` of a file). Each thread that uses it has an `oh_sharedmap`, an attachment.
//! All of them may read and write at the same time.

pub mod binding;
pub mod bulk;
pub mod choose;
mod convert;
pub mod entry;
pub mod events;
pub mod file;
pub mod handles;
pub mod lease;
pub mod scan;
pub mod snapshot;
pub mod transaction;

use crate::args::check_pointer;
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, shared, take_back};
use crate::options::{Flag, option_struct, read_struct};
use crate::status::oh_status;
use offheap_core::region::element::Type;
use offheap_core::sharedmap::file::SharedFile;
use offheap_core::sharedmap::layout::{FLAG_FILE, FLAG_REJECT};
use offheap_core::sharedmap::{Map, Options, Positions, ProcessMemory, Schema};
use offheap_core::{Error, Result, log};
use std::cell::RefCell;
use std::ffi::c_void;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Instant;

/// Options of a new map. Set all bytes to 0, and then `struct_size`, `max_bytes`, `key` and
/// `value`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_sharedmap_options {
    /// `sizeof(oh_sharedmap_options)`
    pub struct_size: usize,
    /// Bound in bytes, from 65,536 to 2^35: index, keys, values and all overhead.
    pub max_bytes: u64,
    /// Milliseconds after which an entry expires; 0: never.
    pub ttl: f64,
    /// Type of the keys: u32, i32, f64, u64, i64, string or bytes.
    pub key: u32,
    /// Type of the values: all but `OH_TYPE_ANY`.
    pub value: u32,
    /// Eviction policy: 0 auto, 1 s3-fifo, 2 lru, 3 lfu, 4 fifo, 5 gdsf, 6 none.
    pub policy: u32,
    /// Number of shards, a power of two. 0: as many as suit the bound.
    pub shards: u32,
    /// Refuse new values when the map is full, and evict nothing.
    pub reject: Flag,
    /// The map is in a file: entries get checksums.
    pub file: Flag,
    /// Use `seeds` as the key of the hash function instead of random numbers.
    pub seeded: Flag,
    /// The key of the hash function.
    pub seeds: [u32; 2],
}
option_struct!(oh_sharedmap_options, through seeds: [u32; 2]);

/// Figures about a map. Each is read at its own moment, so they may be inconsistent while others
/// write.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct oh_sharedmap_stats {
    /// Number of entries.
    pub entries: u64,
    /// Bytes in use, at most the bound.
    pub used_bytes: u64,
    /// The bound.
    pub max_bytes: u64,
    /// Bytes of keys and values.
    pub content_bytes: u64,
    /// Bytes of free blocks in pages that are in use.
    pub free_bytes: u64,
    /// Bytes of the index.
    pub index_bytes: u64,
    /// Values found, by the participants that are attached now.
    pub hits: u64,
    /// Keys not found, by the participants that are attached now.
    pub misses: u64,
    /// Values stored.
    pub sets: u64,
    /// Entries deleted.
    pub deletes: u64,
    /// Entries evicted.
    pub evictions: u64,
    /// Entries that expired.
    pub expirations: u64,
    /// Times that a thread waited for a lock.
    pub lock_waits: u64,
    /// Repairs of shards whose writer's process had terminated.
    pub repairs: u64,
    /// Participants.
    pub participants: u64,
    /// Entries that have a time of expiry.
    pub expiring: u64,
    /// Buckets of all shards.
    pub buckets: u64,
    /// Shards.
    pub shards: u64,
}

/// An attachment of a map. One thread at a time may use it, also for functions that take it as
/// `const`; other threads need attachments of their own (`oh_sharedmap_attach_thread`). Freed by
/// `oh_sharedmap_close`.
pub struct oh_sharedmap {
    pub(crate) map: Map,
    /// Where the map is, so that other threads can attach.
    origin: Origin,
    /// Values on their way to the caller.
    pub(crate) buffer: RefCell<Vec<u8>>,
    /// Where `oh_sharedmap_poll` continues.
    pub(crate) positions: RefCell<Option<Positions>>,
}

/// Where a map is.
#[derive(Clone)]
pub(crate) enum Origin {
    /// In memory of this process, whose pages may be returned to the system or not.
    Memory { base: *mut u8, length: usize, discard: bool },
    /// In a file.
    File(Arc<SharedFile>),
}

impl Origin {
    /// Attaches the calling thread.
    ///
    /// # Safety
    /// Memory is valid for reading and writing until the attachment is closed; other threads use it
    /// only through attachments.
    pub(crate) unsafe fn attach(self) -> Result<oh_sharedmap> {
        let map = match &self {
            // SAFETY: the caller guarantees the memory.
            &Origin::Memory { base, length, discard } => unsafe {
                let backing = if discard { ProcessMemory::new(base) } else { ProcessMemory::default() };
                Map::attach(base, length, Box::new(backing))
            },
            Origin::File(file) => file.attach(),
        };
        Ok(oh_sharedmap {
            map: map?,
            origin: self,
            buffer: RefCell::default(),
            positions: RefCell::default(),
        })
    }
}

impl oh_sharedmap {
    /// Runs `body` with an empty buffer.
    pub(crate) fn with_buffer<T>(&self, body: impl FnOnce(&mut Vec<u8>) -> Result<T>) -> Result<T> {
        /// A larger buffer is freed after use.
        const KEPT: usize = 1 << 16;
        let mut buffer = self.buffer.take();
        buffer.clear();
        let result = body(&mut buffer);
        if buffer.capacity() <= KEPT {
            self.buffer.replace(buffer);
        }
        result
    }
}

/// An attachment during a call, which is logged if it is slow.
pub(crate) struct Operation<'a> {
    attachment: &'a oh_sharedmap,
    name: &'static str,
    start: Option<Instant>,
}

/// The attachment for a call of the function `name`.
///
/// # Safety
/// As for [`shared`].
#[inline]
pub(crate) unsafe fn operate<'a>(map: *const oh_sharedmap, name: &'static str) -> Result<Operation<'a>> {
    // SAFETY: the caller guarantees the same.
    let attachment = unsafe { shared(map, "map") }?;
    Ok(Operation { attachment, name, start: log::is_enabled().then(Instant::now) })
}

impl Deref for Operation<'_> {
    type Target = oh_sharedmap;

    #[inline]
    fn deref(&self) -> &oh_sharedmap {
        self.attachment
    }
}

impl Drop for Operation<'_> {
    #[inline]
    fn drop(&mut self) {
        if let Some(start) = self.start {
            let nanoseconds = start.elapsed().as_nanos() as u64;
            if nanoseconds >= log::slow_nanoseconds() {
                log::push(log::Event::Slow { name: self.name, nanoseconds });
            }
        }
    }
}

/// # Safety
/// As for [`read_struct`].
pub(crate) unsafe fn read_options(options: *const oh_sharedmap_options) -> Result<Options> {
    // SAFETY: the caller guarantees the same.
    let options = unsafe { read_struct(options, "options") }?;
    let ty =
        |code: u32| Type::from_number(code).ok_or_else(|| Error::range(format!("invalid oh_type: {code}")));
    Ok(Options {
        schema: Schema {
            key: ty(options.key)?,
            value: ty(options.value)?,
            policy: options.policy,
            flags: options.reject.bits(FLAG_REJECT) | options.file.bits(FLAG_FILE),
        },
        max_bytes: options.max_bytes,
        shards: (options.shards != 0).then_some(options.shards),
        ttl: options.ttl,
        seeds: options.seeded.is_set().then_some(options.seeds),
    })
}

/// Computes the number of bytes that a map with these options needs, at most `max_bytes`.
/// `OH_ERR_RANGE` or `OH_ERR_UNSUPPORTED` for an option outside its range.
///
/// # Safety
/// `options` points to as many readable bytes as its `struct_size` says; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_region_size(
    options: *const oh_sharedmap_options,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees `options` and `out`.
    unsafe { guard_out(out, || Map::region_size(&read_options(options)?)) }
}

/// Creates an empty map in `length` bytes at `base`, a multiple of 8, all of which are 0.
/// `OH_ERR_FULL` if `length` is less than `oh_sharedmap_region_size`.
///
/// # Safety
/// `base` is valid for writing `length` bytes, which are 0 and which no other thread uses;
/// `options` as for `oh_sharedmap_region_size`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_init(
    base: *mut c_void,
    length: usize,
    options: *const oh_sharedmap_options,
) -> oh_status {
    // SAFETY: the caller guarantees the memory and `options`.
    guard(|| unsafe { Map::init(base.cast(), length, &read_options(options)?) })
}

/// Attaches to the map in `length` bytes at `base`, memory that only threads of this process use.
/// The header is checked in constant time; after `OH_OK` no function reads or writes outside these
/// bytes, whatever their contents. `OH_ERR_FULL` if all participants' slots are in use. `discard`
/// allows the library to return pages that became free to the system (Linux, private anonymous
/// memory only). Close the attachment with `oh_sharedmap_close`.
///
/// # Safety
/// `base` is valid for reading and writing `length` bytes until the attachment is closed; other
/// threads use them only through attachments; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_attach(
    base: *mut c_void,
    length: usize,
    discard: bool,
    out: *mut *mut oh_sharedmap,
) -> oh_status {
    // SAFETY: the caller guarantees the memory and `out`.
    unsafe { guard_out(out, || hand_out(|| Origin::Memory { base: base.cast(), length, discard }.attach())) }
}

/// Attaches another thread to the map of `map`, in memory or in a file. Any thread may call it,
/// also while another uses `map`. For a file, the new attachment has the mode of `map`. Errors as
/// for `oh_sharedmap_attach` and `oh_sharedmap_open`.
///
/// # Safety
/// `map` is an attachment that is not closed meanwhile; memory that was passed to
/// `oh_sharedmap_attach` remains valid until the new attachment is closed; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_attach_thread(
    map: *const oh_sharedmap,
    out: *mut *mut oh_sharedmap,
) -> oh_status {
    // SAFETY: the caller guarantees `map`, its memory, and `out`. Only the origin is accessed,
    // which does not change, so another thread may use the attachment.
    unsafe {
        guard_out(out, || {
            check_pointer(map, "map")?;
            let origin = &raw const (*map).origin;
            hand_out(|| (*origin).clone().attach())
        })
    }
}

/// Closes an attachment. The map and its entries remain. NULL is allowed.
///
/// # Safety
/// `map` is NULL, or an attachment that is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_close(map: *mut oh_sharedmap) {
    // SAFETY: the caller guarantees that `map` is NULL, or an attachment that is not used again.
    guard_value((), || unsafe { take_back(map) });
}

/// Returns the types of keys and values.
///
/// # Safety
/// `map` is an attachment; the outputs are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_types(
    map: *const oh_sharedmap,
    key: *mut u32,
    value: *mut u32,
) -> oh_status {
    guard(|| {
        check_pointer(key, "key")?;
        check_pointer(value, "value")?;
        // SAFETY: the caller guarantees that `map` is an attachment and that the outputs are
        // writable.
        unsafe {
            let schema = shared(map, "map")?.map.schema();
            key.write(schema.key as u32);
            value.write(schema.value as u32);
        }
        Ok(())
    })
}

/// Returns the slot of the participant: the index of its words in the region.
///
/// # Safety
/// `map` is an attachment; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_slot(map: *const oh_sharedmap, out: *mut u32) -> oh_status {
    // SAFETY: the caller guarantees `map` and `out`.
    unsafe { guard_out(out, || Ok(shared(map, "map")?.map.slot() as u32)) }
}

/// Returns the number of entries. Entries that have expired count until they are removed.
///
/// # Safety
/// `map` is an attachment; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_count(map: *const oh_sharedmap, out: *mut u64) -> oh_status {
    // SAFETY: the caller guarantees `map` and `out`.
    unsafe { guard_out(out, || Ok(operate(map, "oh_sharedmap_count")?.map.len() as u64)) }
}

/// Returns figures about the map.
///
/// # Safety
/// `map` is an attachment; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_get_stats(
    map: *const oh_sharedmap,
    out: *mut oh_sharedmap_stats,
) -> oh_status {
    // SAFETY: the caller guarantees `map` and `out`.
    unsafe {
        guard_out(out, || {
            let stats = operate(map, "oh_sharedmap_get_stats")?.map.stats();
            Ok(oh_sharedmap_stats {
                entries: stats.entries,
                used_bytes: stats.used_bytes,
                max_bytes: stats.max_bytes,
                content_bytes: stats.content_bytes,
                free_bytes: stats.free_bytes,
                index_bytes: stats.index_bytes,
                hits: stats.hits as u64,
                misses: stats.misses as u64,
                sets: stats.sets,
                deletes: stats.deletes,
                evictions: stats.evictions,
                expirations: stats.expirations,
                lock_waits: stats.lock_waits,
                repairs: stats.repairs,
                participants: stats.participants,
                expiring: stats.expiring,
                buckets: stats.buckets,
                shards: stats.shards,
            })
        })
    }
}

/// Verifies the whole map, shard by shard, under their locks. `OH_ERR_CORRUPT` if something is
/// wrong; `oh_last_error` describes the first error found. `OH_ERR_UNSUPPORTED` if the map was
/// opened for reading.
///
/// # Safety
/// `map` is an attachment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_validate(map: *const oh_sharedmap) -> oh_status {
    // SAFETY: the caller guarantees that `map` is an attachment.
    guard(|| unsafe { operate(map, "oh_sharedmap_validate")?.map.validate() })
}

/// Removes all entries.
///
/// # Safety
/// `map` is an attachment.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_clear(map: *mut oh_sharedmap) -> oh_status {
    // SAFETY: the caller guarantees that `map` is an attachment.
    guard(|| unsafe { operate(map, "oh_sharedmap_clear")?.map.clear() })
}

/// Removes entries that have expired, of about `buckets` buckets (20 entries each); `SIZE_MAX`: of
/// all. `*out` becomes their number.
///
/// # Safety
/// `map` is an attachment; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_purge_expired(
    map: *mut oh_sharedmap,
    buckets: usize,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees `map` and `out`.
    unsafe {
        guard_out(out, || {
            operate(map, "oh_sharedmap_purge_expired")?
                .map
                .purge_expired(buckets, offheap_core::sharedmap::now())
        })
    }
}
