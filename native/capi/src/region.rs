//! What all regions share: checksums, the header's check, and advice about memory.

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

/// The header of a region of whatever kind, with its common part checked.
///
/// # Safety
/// As for [`Memory::new`], for reading.
unsafe fn header_of(base: *const c_void, length: usize) -> Result<Header> {
    // SAFETY: the caller's; nothing here writes.
    let memory = unsafe { Memory::new(base.cast_mut().cast(), length) }?;
    Header::read_any(memory)
}

/// The CRC-32C (Castagnoli; RFC 3720) of `length` bytes. `seed` is 0, or the result for the bytes
/// before these: so a checksum can be made in pieces. Uses the processor's instructions where it
/// has them.
///
/// Another thread may write the bytes meanwhile; the result is then of no use.
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
    // SAFETY: the caller vouches for `out` and for the bytes.
    unsafe { guard_out(out, || Ok(checksum(check_bytes(base, length, "base")?, length, seed))) }
}

/// The checksum of the region at `base`, as word 8 of its header holds it: CRC-32C of all its
/// bytes, with the words `sequence`, `flags` and `checksum` taken as zero. `length` may be more
/// than the region uses. Checks what the header of every region has first, as `oh_region_check`
/// does.
///
/// # Safety
/// `length` bytes at `base` are readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_region_checksum(base: *const c_void, length: usize, out: *mut u32) -> oh_status {
    // SAFETY: the caller vouches for `out` and for the bytes; the header's length is at most
    // `length`.
    unsafe {
        guard_out(out, || {
            let used = header_of(base, length)?.length() as usize;
            Ok(region_checksum(base.cast(), used))
        })
    }
}

/// Checks the common part of a region's header in constant time: magic, version, flags, and that
/// the region's own length is possible and not more than `length`. Gives the length, and the kind
/// of structure that lives there (1 is a HashMap), whose own check, `oh_hashmap_check` say, goes
/// further.
///
/// `OH_ERR_CORRUPT`, `OH_ERR_VERSION`, or `OH_ERR_STALE` if its owner moved it to a larger buffer.
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
        // SAFETY: the caller's.
        let header = unsafe { header_of(base, length)? };
        // SAFETY: checked for alignment if not null; the caller vouches that they are writable.
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

/// Gives the kernel one `OH_ADVICE_…` for the whole pages inside `length` bytes at `base`; bytes
/// outside whole pages are left alone. `taken` tells whether it was taken: no where there is no
/// whole page, or the system does not know the advice. `OH_ERR_RANGE` for a number that is no
/// advice.
///
/// # Safety
/// The bytes are mapped. With `OH_ADVICE_DISCARD` they are writable, and nobody minds that they
/// change.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_region_advise(
    base: *mut c_void,
    length: usize,
    advice: u32,
    taken: *mut bool,
) -> oh_status {
    // SAFETY: the caller vouches for `taken` and for the bytes.
    unsafe {
        guard_out(taken, || {
            let base = check_bytes(base, length, "base")?;
            let advice = advice_of(advice)?;
            Ok(advise(base, length, advice))
        })
    }
}

/// Puts the whole pages inside `length` bytes at `base` on one NUMA node, those that are there now
/// and those that come when they are touched. The node is preferred, not forced: when it is full,
/// pages come from its neighbours. Less than a page has nothing to place, and is fine.
///
/// `OH_ERR_RANGE` if there is no such node with memory (where the system has no NUMA, there is node
/// 0 only); `OH_ERR_UNSUPPORTED` where this is forbidden (as some containers do). `oh_numa_place`
/// can do more.
///
/// # Safety
/// The bytes are mapped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_region_bind(base: *mut c_void, length: usize, node: u32) -> oh_status {
    // SAFETY: the caller vouches for the bytes, whose contents do not change.
    guard(|| unsafe { place(check_bytes(base, length, "base")?, length, Policy::Prefer(node)) })
}
