//! Bloom filters.
//!
//! `oh_bloomfilter_*(base, length, …)`: every function takes the region's memory, checks its header
//! (about 20 ns), and uses it. Bits are only ever set, so any number of threads may query a filter
//! while one thread adds keys: they see the keys that were added before.

use crate::args::{numbers, slice, slice_mut};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::compress::bloom::{Hashed, RawBloomFilter, RawBloomFilterMut, Shape, init};
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// The parameters and the size of a Bloom filter.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_bloomfilter_info {
    /// Number of keys that the filter was made for.
    pub capacity: u64,
    /// Rate of false positives once it contains that many keys.
    pub rate: f64,
    /// Number of blocks of 64 bytes. Each key uses one block.
    pub blocks: u64,
    /// Size of the region in bytes. The memory may be longer.
    pub region_size: u64,
}

/// The hash of a key. Valid for filters with the same seeds.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_bloomfilter_hashed {
    /// Selects the block.
    pub block: u32,
    /// Selects the bits in the block.
    pub lanes: u32,
}

const _: () = assert!(size_of::<oh_bloomfilter_hashed>() == size_of::<Hashed>());
const _: () =
    assert!(std::mem::offset_of!(oh_bloomfilter_hashed, lanes) == std::mem::offset_of!(Hashed, lanes));

/// # Safety
/// As for `slice`.
unsafe fn hashed<'a>(keys: *const oh_bloomfilter_hashed, count: usize) -> Result<&'a [Hashed]> {
    // SAFETY: the caller guarantees the elements; both types have the same layout.
    unsafe { slice(keys.cast(), count, "keys") }
}

/// Computes the number of bytes that a filter for `capacity` keys needs at a false positive rate of
/// `rate`, which is greater than 0 and less than 1. `OH_ERR_RANGE` for more than 4 GiB.
///
/// # Safety
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_region_size(capacity: u64, rate: f64, out: *mut usize) -> oh_status {
    // SAFETY: the caller guarantees that `out` is writable.
    unsafe {
        guard_out(out, || {
            let length = Shape::new(capacity, rate)?.length();
            usize::try_from(length).map_err(|_| Error::range("the region is larger than the address space"))
        })
    }
}

/// Creates an empty filter in `length` bytes at `base`, overwriting them. `OH_ERR_FULL` if `length`
/// is less than `oh_bloomfilter_region_size`. The hashes depend on the seeds, which are any two
/// words; use random ones if an attacker may choose the keys.
///
/// # Safety
/// `base` is valid for writing `length` bytes that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_init(
    base: *mut c_void,
    length: usize,
    capacity: u64,
    rate: f64,
    seed0: u32,
    seed1: u32,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes that no other
    // thread uses.
    guard(|| unsafe { init(base.cast(), length, Shape::new(capacity, rate)?, [seed0, seed1]) })
}

/// Checks in constant time that `length` bytes at `base` contain a Bloom filter.
///
/// After `OH_OK`, no `oh_bloomfilter_` function reads or writes outside these bytes, whatever their
/// contents. Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for
/// another kind of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { RawBloomFilter::attach(base.cast(), length) }.map(|_| ()))
}

/// Verifies the header and the checksum (if there is one). `OH_ERR_CORRUPT` if something is wrong;
/// `oh_last_error` describes the first error found. Takes time proportional to the size of the
/// region.
///
/// # Safety
/// As for `oh_bloomfilter_check`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { RawBloomFilter::attach(base.cast(), length) }?.validate())
}

/// Returns the parameters and the size of a filter.
///
/// # Safety
/// As for `oh_bloomfilter_check`; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_get_info(
    base: *const c_void,
    length: usize,
    out: *mut oh_bloomfilter_info,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            let shape = RawBloomFilter::attach(base.cast(), length)?.shape();
            let Shape { capacity, rate, blocks } = shape;
            Ok(oh_bloomfilter_info { capacity, rate, blocks, region_size: shape.length() })
        })
    }
}

/// Returns the number of bits that are set, of `512 * blocks`. Takes time proportional to the size
/// of the region.
///
/// # Safety
/// As for `oh_bloomfilter_check`; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_ones(base: *const c_void, length: usize, out: *mut u64) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes and that `out`
    // is writable.
    unsafe { guard_out(out, || Ok(RawBloomFilter::attach(base.cast(), length)?.ones())) }
}

/// Hashes a key of `key_length` bytes. A string is hashed as UTF-8.
///
/// # Safety
/// As for `oh_bloomfilter_check`; `key` points to `key_length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_hash(
    base: *const c_void,
    length: usize,
    key: *const c_void,
    key_length: usize,
    out: *mut oh_bloomfilter_hashed,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes and that `key`
    // points to `key_length` bytes, and that `out` is writable.
    unsafe {
        guard_out(out, || {
            let filter = RawBloomFilter::attach(base.cast(), length)?;
            let Hashed { block, lanes } = filter.hash_bytes(slice(key.cast(), key_length, "key")?);
            Ok(oh_bloomfilter_hashed { block, lanes })
        })
    }
}

/// Adds a key of `key_length` bytes. A string is added as UTF-8.
///
/// # Safety
/// `base` is valid for reading and writing `length` bytes, which no other thread writes; `key`
/// points to `key_length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_add(
    base: *mut c_void,
    length: usize,
    key: *const c_void,
    key_length: usize,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `base` is valid for reading and writing `length`
        // bytes, which no other thread writes and that `key` points to `key_length` bytes.
        unsafe {
            let mut filter = RawBloomFilterMut::attach(base.cast(), length)?;
            filter.add(filter.hash_bytes(slice(key.cast(), key_length, "key")?));
        }
        Ok(())
    })
}

/// Returns whether a key of `key_length` bytes was added. For keys that were not added, the answer
/// is true at the filter's rate of false positives.
///
/// # Safety
/// As for `oh_bloomfilter_hash`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_has(
    base: *const c_void,
    length: usize,
    key: *const c_void,
    key_length: usize,
    out: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes and that `key`
    // points to `key_length` bytes, and that `out` is writable.
    unsafe {
        guard_out(out, || {
            let filter = RawBloomFilter::attach(base.cast(), length)?;
            Ok(filter.has(filter.hash_bytes(slice(key.cast(), key_length, "key")?)))
        })
    }
}

/// Adds `count` numbers as doubles; −0 equals 0, and all NaNs are equal. `type` is the numeric
/// `oh_type` of the array's elements. `OH_ERR_TYPE` for `OH_TYPE_U64` and `OH_TYPE_I64`, because
/// not all of them can be represented as doubles.
///
/// # Safety
/// As for `oh_bloomfilter_add`; `keys` points to `count` elements of the type.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_add_numbers(
    base: *mut c_void,
    length: usize,
    keys: *const c_void,
    r#type: u32,
    count: usize,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `base` is valid for reading and writing `length`
        // bytes, which no other thread writes, that `key` points to `key_length` bytes, that `keys`
        // points to `count` elements of the type.
        unsafe {
            let keys = numbers(keys, r#type, count, "keys")?;
            RawBloomFilterMut::attach(base.cast(), length)?.add_numbers(&keys)
        }
    })
}

/// Like `oh_bloomfilter_has` for `count` numbers: `out[i]` becomes 1 or 0 for `keys[i]`.
///
/// # Safety
/// As for `oh_bloomfilter_check`; `keys` points to `count` elements of the type, and `out` to as
/// many bytes, writable, that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_has_numbers(
    base: *const c_void,
    length: usize,
    keys: *const c_void,
    r#type: u32,
    count: usize,
    out: *mut u8,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes and that
        // `keys` points to `count` elements of the type, and `out` to as many bytes, writable, that
        // no other thread uses.
        unsafe {
            let filter = RawBloomFilter::attach(base.cast(), length)?;
            let keys = numbers(keys, r#type, count, "keys")?;
            filter.has_numbers(&keys, slice_mut(out, count, "out")?)
        }
    })
}

/// Adds `count` keys that were hashed by `oh_bloomfilter_hash`.
///
/// # Safety
/// As for `oh_bloomfilter_add`; `keys` points to `count` hashes that no thread writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_add_hashed(
    base: *mut c_void,
    length: usize,
    keys: *const oh_bloomfilter_hashed,
    count: usize,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `base` is valid for reading and writing `length`
        // bytes, which no other thread writes, that `key` points to `key_length` bytes, that `keys`
        // points to `count` hashes that no thread writes.
        unsafe { RawBloomFilterMut::attach(base.cast(), length)?.add_hashed(hashed(keys, count)?) };
        Ok(())
    })
}

/// Like `oh_bloomfilter_has` for `count` keys that were hashed by `oh_bloomfilter_hash`: `out[i]`
/// becomes 1 or 0 for `keys[i]`.
///
/// # Safety
/// As for `oh_bloomfilter_check`; `keys` points to `count` hashes that no thread writes, and `out`
/// to as many bytes, writable, that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_has_hashed(
    base: *const c_void,
    length: usize,
    keys: *const oh_bloomfilter_hashed,
    count: usize,
    out: *mut u8,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes and that
        // `keys` points to `count` hashes that no thread writes, and `out` to as many bytes,
        // writable, that no other thread uses.
        unsafe {
            let filter = RawBloomFilter::attach(base.cast(), length)?;
            filter.has_hashed(hashed(keys, count)?, slice_mut(out, count, "out")?)
        }
    })
}
