//! Custom eviction: candidates of a SharedMap that does not evict, and their eviction.
//!
//! When a call returns `OH_ERR_FULL`, and `oh_sharedmap_fits` says that the value can fit, sample
//! candidates of the key's shard, evict those that are needed least, and repeat the call.

use super::convert::read_key;
use super::{oh_sharedmap, operate};
use crate::args::{check_pointer, slice_mut};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::Error;
use offheap_core::sharedmap::now;
use std::ffi::c_void;

/// Whether an entry of this size can be stored in the map if others make room. The lengths are in
/// bytes.
///
/// # Safety
/// `map` is an attachment; `fits` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_fits(
    map: *const oh_sharedmap,
    key_length: usize,
    value_length: usize,
    fits: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    unsafe { guard_out(fits, || Ok(operate(map, "oh_sharedmap_fits")?.map.fits(key_length, value_length))) }
}

/// Writes up to `limit` live entries of a shard to `buffer`, from a bucket that `seed` selects;
/// pass random numbers for random entries. `shard` is below the number of shards
/// (`oh_sharedmap_get_stats`); the lowest bits of a handle are the shard of its key. Each entry
/// consists of two words (head of the key, 0), the bytes of the entry as `uint64_t`, the time of
/// expiry as `double` (0: never), the version as `uint64_t`, and the key, padded with zeros to a
/// multiple of 8 bytes. The head is length × 4 + encoding, or 0 for keys of fixed size. `*length`
/// becomes the number of bytes written, and `*count` the number of entries. If they need more than
/// `capacity` bytes, nothing is written, `*count` becomes 0, and `*length` the number of bytes
/// needed.
///
/// # Safety
/// `map` is an attachment; `buffer` is valid for writing `capacity` bytes; the other pointers are
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_sample(
    map: *const oh_sharedmap,
    shard: u32,
    seed: u32,
    limit: usize,
    buffer: *mut c_void,
    capacity: usize,
    length: *mut usize,
    count: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    guard(|| unsafe {
        check_pointer(length, "length")?;
        check_pointer(count, "count")?;
        let this = operate(map, "oh_sharedmap_sample")?;
        let out = slice_mut(buffer.cast::<u8>(), capacity, "buffer")?;
        let shards = this.map.geometry().shards();
        if shard as usize >= shards {
            return Err(Error::range(format!("invalid shard: {shard} of {shards}")));
        }
        this.with_buffer(|found| {
            let sampled = this.map.sample(shard as usize, seed, limit, now(), found)?;
            let fits = found.len() <= capacity;
            if fits {
                out[..found.len()].copy_from_slice(found);
            }
            length.write(found.len());
            count.write(if fits { sampled } else { 0 });
            Ok(())
        })
    })
}

/// Removes a key if its entry has this version, which counts and is reported as an eviction.
/// `*evicted` becomes whether it was removed.
///
/// # Safety
/// `map` is an attachment; `key` is valid for reading `key_length` bytes; `evicted` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_evict(
    map: *mut oh_sharedmap,
    key: *const c_void,
    key_length: usize,
    version: u64,
    evicted: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        guard_out(evicted, || {
            let this = operate(map, "oh_sharedmap_evict")?;
            this.map.evict(&read_key(this.map.schema(), key, key_length)?, version, now())
        })
    }
}
