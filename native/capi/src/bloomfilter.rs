//! Bloom filters.
//!
//! `oh_bloomfilter_*(base, length, …)`: every function takes the region's memory, checks its header
//! (some 20 ns), and uses it. Bits are only ever set, so while one thread adds any number of others
//! may ask: they see what was added so far.

use crate::args::{numbers, slice, slice_mut};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::compress::bloom::{Hashed, RawBloomFilter, RawBloomFilterMut, Shape, init};
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// What a Bloom filter was made for, and how large that made it.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_bloomfilter_info {
    /// For how many keys.
    pub capacity: u64,
    /// At which rate of wrong answers, once there are so many.
    pub rate: f64,
    /// Blocks of 64 bytes, one of which is a key's.
    pub blocks: u64,
    /// Bytes of the region. The memory it lies in may be longer.
    pub region_size: u64,
}

/// A key, hashed. Good for filters with the same seeds.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_bloomfilter_hashed {
    /// Chooses the block.
    pub block: u32,
    /// Chooses the bits in it.
    pub lanes: u32,
}

const _: () = assert!(size_of::<oh_bloomfilter_hashed>() == size_of::<Hashed>());
const _: () =
    assert!(std::mem::offset_of!(oh_bloomfilter_hashed, lanes) == std::mem::offset_of!(Hashed, lanes));

/// # Safety
/// As for `slice`.
unsafe fn hashed<'a>(keys: *const oh_bloomfilter_hashed, count: usize) -> Result<&'a [Hashed]> {
    // SAFETY: the caller's word; the types are laid out alike.
    unsafe { slice(keys.cast(), count, "keys") }
}

/// Bytes of memory for a filter of `capacity` keys, at a rate of wrong answers of more than 0 and
/// less than 1. `OH_ERR_RANGE` where they are more than 4 GiB.
///
/// # Safety
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_region_size(capacity: u64, rate: f64, out: *mut usize) -> oh_status {
    // SAFETY: the caller vouches for it.
    unsafe {
        guard_out(out, || {
            let length = Shape::new(capacity, rate)?.length();
            usize::try_from(length).map_err(|_| Error::range("that is more than can be addressed"))
        })
    }
}

/// Makes an empty filter in `length` bytes at `base`, at least `oh_bloomfilter_region_size`, else
/// `OH_ERR_FULL`. What they held is overwritten. Hashes depend on the seeds: any two words; random
/// ones where keys may come from strangers.
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
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { init(base.cast(), length, Shape::new(capacity, rate)?, [seed0, seed1]) })
}

/// Checks in constant time that the memory holds a Bloom filter. After `OH_OK` no function here
/// reads or writes outside it, whatever else it holds; and each checks the same again by itself.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { RawBloomFilter::attach(base.cast(), length) }.map(|_| ()))
}

/// Proves what `oh_bloomfilter_check` does not: the checksum, if there is one, and the header.
/// O(bytes).
///
/// # Safety
/// As for `oh_bloomfilter_check`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { RawBloomFilter::attach(base.cast(), length) }?.validate())
}

/// What the filter was made for.
///
/// # Safety
/// As for `oh_bloomfilter_check`; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_get_info(
    base: *const c_void,
    length: usize,
    out: *mut oh_bloomfilter_info,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            let shape = RawBloomFilter::attach(base.cast(), length)?.shape();
            let Shape { capacity, rate, blocks } = shape;
            Ok(oh_bloomfilter_info { capacity, rate, blocks, region_size: shape.length() })
        })
    }
}

/// How many bits are set, of `512 * blocks`. O(bytes).
///
/// # Safety
/// As for `oh_bloomfilter_check`; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_ones(base: *const c_void, length: usize, out: *mut u64) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe { guard_out(out, || Ok(RawBloomFilter::attach(base.cast(), length)?.ones())) }
}

/// Hashes a key of bytes; a string is its UTF-8.
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
    // SAFETY: the caller vouches for all three.
    unsafe {
        guard_out(out, || {
            let filter = RawBloomFilter::attach(base.cast(), length)?;
            let Hashed { block, lanes } = filter.hash_bytes(slice(key.cast(), key_length, "key")?);
            Ok(oh_bloomfilter_hashed { block, lanes })
        })
    }
}

/// Adds a key of bytes; a string is its UTF-8.
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
        // SAFETY: the caller vouches for both.
        unsafe {
            let mut filter = RawBloomFilterMut::attach(base.cast(), length)?;
            filter.add(filter.hash_bytes(slice(key.cast(), key_length, "key")?));
        }
        Ok(())
    })
}

/// Whether a key of bytes was added; at the filter's rate also where it was not.
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
    // SAFETY: the caller vouches for all three.
    unsafe {
        guard_out(out, || {
            let filter = RawBloomFilter::attach(base.cast(), length)?;
            Ok(filter.has(filter.hash_bytes(slice(key.cast(), key_length, "key")?)))
        })
    }
}

/// Adds `count` numbers, as the doubles that they are; −0 is 0, and all NaNs are one. `type` is the
/// `oh_type` of the array's elements: a numeric one but `OH_TYPE_U64` and `OH_TYPE_I64`
/// (`OH_ERR_TYPE`), of which not all are doubles.
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
        // SAFETY: the caller vouches for both.
        unsafe {
            let keys = numbers(keys, r#type, count, "keys")?;
            RawBloomFilterMut::attach(base.cast(), length)?.add_numbers(&keys)
        }
    })
}

/// `oh_bloomfilter_has` of `count` numbers: `out[i]` is 1 or 0 for `keys[i]`.
///
/// # Safety
/// As for `oh_bloomfilter_check`; `keys` points to `count` elements of the type, and `out` to as
/// many bytes, writable, that nobody else uses.
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
        // SAFETY: the caller vouches for all three.
        unsafe {
            let filter = RawBloomFilter::attach(base.cast(), length)?;
            let keys = numbers(keys, r#type, count, "keys")?;
            filter.has_numbers(&keys, slice_mut(out, count, "out")?)
        }
    })
}

/// Adds `count` keys that `oh_bloomfilter_hash` hashed.
///
/// # Safety
/// As for `oh_bloomfilter_add`; `keys` points to `count` hashes that nobody writes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_add_hashed(
    base: *mut c_void,
    length: usize,
    keys: *const oh_bloomfilter_hashed,
    count: usize,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller vouches for both.
        unsafe { RawBloomFilterMut::attach(base.cast(), length)?.add_hashed(hashed(keys, count)?) };
        Ok(())
    })
}

/// `oh_bloomfilter_has` of `count` keys that `oh_bloomfilter_hash` hashed: `out[i]` is 1 or 0 for
/// `keys[i]`.
///
/// # Safety
/// As for `oh_bloomfilter_check`; `keys` points to `count` hashes that nobody writes, and `out` to
/// as many bytes, writable, that nobody else uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bloomfilter_has_hashed(
    base: *const c_void,
    length: usize,
    keys: *const oh_bloomfilter_hashed,
    count: usize,
    out: *mut u8,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller vouches for all three.
        unsafe {
            let filter = RawBloomFilter::attach(base.cast(), length)?;
            filter.has_hashed(hashed(keys, count)?, slice_mut(out, count, "out")?)
        }
    })
}
