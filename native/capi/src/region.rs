//! Functions on regions of any kind: checksums, the check of the header, and advice about memory.

use crate::access::advice_of;
use crate::args::{check_bytes, check_pointer};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::Result;
use offheap_core::region::advise::advise;
use offheap_core::region::crc::{checksum, region_checksum};
use offheap_core::region::header::{Header, word};
use offheap_core::region::memory::Memory;
use offheap_core::region::numa::place::{Policy, place};
use std::ffi::c_void;

/// The header of a region of any kind, after the common checks.
///
/// # Safety
/// As for [`Memory::new`], for reading.
unsafe fn header_of(base: *const c_void, length: usize) -> Result<Header> {
    // SAFETY: the caller's; nothing here writes.
    let memory = unsafe { Memory::new(base.cast_mut().cast(), length) }?;
    Header::read_any(memory)
}

/// Computes the CRC-32C (Castagnoli; RFC 3720) of `length` bytes. `seed` is 0, or the result for
/// the preceding bytes, so that a checksum can be computed in pieces. Uses CRC instructions of the
/// processor if it has them.
///
/// If another thread writes the bytes at the same time, the result is meaningless.
///
/// # Safety
/// `length` bytes at `base` are readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_crc32c(
    base: *const c_void,
    length: usize,
    seed: u32,
    out: *mut u32,
) -> oh_status {
    // SAFETY: the caller guarantees `out` and for the bytes.
    unsafe { guard_out(out, || Ok(checksum(check_bytes(base, length, "base")?, length, seed))) }
}

/// Computes the checksum of the region at `base`, as stored in word 8 of its header: the CRC-32C of
/// all its bytes, in which the words `sequence`, `flags` and `checksum` count as zero. `length` may
/// be longer than the region. Checks the header first, like `oh_region_check`.
///
/// # Safety
/// `length` bytes at `base` are readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_region_checksum(base: *const c_void, length: usize, out: *mut u32) -> oh_status {
    // SAFETY: the caller guarantees `out` and for the bytes; the header's length is at most
    // `length`.
    unsafe {
        guard_out(out, || {
            let used = header_of(base, length)?.length() as usize;
            Ok(region_checksum(base.cast(), used))
        })
    }
}

/// Checks the common part of a region's header in constant time: magic, version and flags, and that
/// the length of the region is valid and not greater than `length`. `*region_size` becomes the
/// length, and `*kind` the kind of structure (1 is a hash map). The check function of the
/// structure, such as `oh_hashmap_check`, checks more.
///
/// `OH_ERR_CORRUPT`; `OH_ERR_VERSION`; or `OH_ERR_STALE` if the owner moved the region to a larger
/// buffer.
///
/// # Safety
/// `length` bytes at `base` are readable; `region_size` and `kind` are writable or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_region_check(
    base: *const c_void,
    length: usize,
    region_size: *mut u64,
    kind: *mut u32,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that `length` bytes at `base` are readable and that
        // `region_size` and `kind` are writable or NULL.
        let header = unsafe { header_of(base, length)? };
        // SAFETY: the outputs are null or aligned, and the caller guarantees that they are
        // writable.
        unsafe {
            if !region_size.is_null() {
                check_pointer(region_size, "region_size")?;
            }
            if !kind.is_null() {
                check_pointer(kind, "kind")?;
                kind.write(header.word(word::KIND));
            }
            if !region_size.is_null() {
                region_size.write(header.length());
            }
        }
        Ok(())
    })
}

/// Gives the kernel advice, an `OH_ADVICE_…`, for the whole pages inside `length` bytes at `base`.
/// Bytes outside whole pages are not affected. `*taken` becomes false if there is no whole page, or
/// the system does not support the advice. `OH_ERR_RANGE` for an invalid advice.
///
/// # Safety
/// The bytes are mapped. With `OH_ADVICE_DISCARD` they are writable, and no thread relies on their
/// contents.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_region_advise(
    base: *mut c_void,
    length: usize,
    advice: u32,
    taken: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees `taken` and for the bytes.
    unsafe {
        guard_out(taken, || {
            let base = check_bytes(base, length, "base")?;
            let advice = advice_of(advice)?;
            Ok(advise(base, length, advice))
        })
    }
}

/// Puts the whole pages inside `length` bytes at `base` on one NUMA node: pages that exist are
/// moved, and others are allocated there when they are touched. The node is preferred, not
/// enforced: when it is full, pages come from its neighbors. It is not an error if there is no
/// whole page.
///
/// `OH_ERR_RANGE` if the node does not exist or has no memory (without NUMA, only node 0 exists);
/// `OH_ERR_UNSUPPORTED` if the system forbids it (as some containers do). `oh_numa_place` offers
/// more policies.
///
/// # Safety
/// The bytes are mapped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_region_bind(base: *mut c_void, length: usize, node: u32) -> oh_status {
    // SAFETY: the caller guarantees the bytes, whose contents do not change.
    guard(|| unsafe { place(check_bytes(base, length, "base")?, length, Policy::Prefer(node)) })
}
