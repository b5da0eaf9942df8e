//! A hash of the last n bytes of a stream that is updated in constant time for each byte: to cut
//! data at content-defined points, and to find duplicates. Use its high bits for decisions: the low
//! ones depend only on the low bits of the bytes.

use crate::args::{check_bytes, check_pointer, slice};
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, take_back};
use crate::status::oh_status;
use offheap_core::compress::RollingHash;
use offheap_core::compress::rolling;
use std::ffi::c_void;

/// A window over a stream of bytes, and the hash of its contents. Only one thread at a time may use
/// it.
#[derive(Debug)]
pub struct oh_rollinghash {
    hash: RollingHash,
}

/// Where a search for a cut point ended.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_rollinghash_place {
    /// Number of bytes consumed.
    pub end: usize,
    /// The hash of the window that ends there.
    pub hash: u32,
    /// Whether this is a cut point; otherwise the bytes ended.
    pub is_cut: bool,
}

/// Creates an empty window of `window` bytes, 1 to 2^24. Free it with `oh_rollinghash_free`.
///
/// # Safety
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rollinghash_new(window: usize, out: *mut *mut oh_rollinghash) -> oh_status {
    // SAFETY: the caller guarantees that `out` is writable.
    unsafe { guard_out(out, || hand_out(|| Ok(oh_rollinghash { hash: RollingHash::new(window)? }))) }
}

/// Appends `length` bytes to the stream; the oldest bytes leave the window. `*out` becomes the hash
/// after the last one. Takes O(`window`) at most.
///
/// # Safety
/// `hash` is from `oh_rollinghash_new`, used by no other thread at the same time; `bytes` points to
/// `length` bytes that no thread writes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rollinghash_update(
    hash: *mut oh_rollinghash,
    bytes: *const c_void,
    length: usize,
    out: *mut u32,
) -> oh_status {
    // SAFETY: the pointers are checked, and the caller guarantees the hash and the bytes.
    unsafe {
        guard_out(out, || {
            check_pointer(hash, "hash")?;
            Ok((*hash).hash.update(slice(bytes.cast(), length, "bytes")?))
        })
    }
}

/// Appends bytes up to the next cut point: until the window is full and the `bits` highest bits of
/// its hash (1 to 32) are zero, which is the case at one of 2^bits positions. Appends all bytes if
/// there is none.
///
/// # Safety
/// As for `oh_rollinghash_update`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rollinghash_find(
    hash: *mut oh_rollinghash,
    bytes: *const c_void,
    length: usize,
    bits: u32,
    out: *mut oh_rollinghash_place,
) -> oh_status {
    // SAFETY: the pointers are checked, and the caller guarantees the hash and the bytes.
    unsafe {
        guard_out(out, || {
            check_pointer(hash, "hash")?;
            let rolling = &mut (*hash).hash;
            let found = rolling.find(slice(bytes.cast(), length, "bytes")?, bits)?;
            Ok(oh_rollinghash_place {
                end: found.unwrap_or(length),
                hash: rolling.value(),
                is_cut: found.is_some(),
            })
        })
    }
}

/// Like `oh_rollinghash_find`, for callers that keep the window themselves: `hash` is the hash of
/// the first `window` bytes, and the search begins with the byte after them. `OH_ERR_RANGE` if
/// there are fewer bytes.
///
/// # Safety
/// `length` bytes at `bytes` are readable; if another thread writes them, the result is
/// meaningless. `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rollinghash_scan(
    bytes: *const c_void,
    length: usize,
    window: usize,
    hash: u32,
    bits: u32,
    out: *mut oh_rollinghash_place,
) -> oh_status {
    // SAFETY: the caller guarantees that `length` bytes at `bytes` are readable and that another
    // thread may write them, and then the answer is of no use, and that `out` is writable.
    unsafe {
        guard_out(out, || {
            let bytes = check_bytes(bytes, length, "bytes")?;
            let rolling::Match { end, hash, is_cut } = rolling::find(bytes, length, window, hash, bits)?;
            Ok(oh_rollinghash_place { end, hash, is_cut })
        })
    }
}

/// Returns the hash of the bytes in the window; 0 for NULL.
///
/// # Safety
/// As for `oh_rollinghash_update`, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rollinghash_value(hash: *const oh_rollinghash) -> u32 {
    guard_value(0, || {
        // SAFETY: the caller guarantees that `hash` is from `oh_rollinghash_new`, used by no other
        // thread meanwhile, that `bytes` points to `length` bytes that no thread writes, that `out`
        // is writable, that or NULL.
        unsafe { hash.as_ref() }.map_or(0, |hash| hash.hash.value())
    })
}

/// Returns whether the window is full; false for NULL.
///
/// # Safety
/// As for `oh_rollinghash_value`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rollinghash_is_full(hash: *const oh_rollinghash) -> bool {
    guard_value(false, || {
        // SAFETY: the caller guarantees that `hash` is from `oh_rollinghash_new`, used by no other
        // thread meanwhile, that `bytes` points to `length` bytes that no thread writes, that `out`
        // is writable, that or NULL.
        unsafe { hash.as_ref() }.is_some_and(|hash| hash.hash.is_full())
    })
}

/// Empties the window.
///
/// # Safety
/// As for `oh_rollinghash_update`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rollinghash_reset(hash: *mut oh_rollinghash) -> oh_status {
    guard(|| {
        check_pointer(hash, "hash")?;
        // SAFETY: the caller guarantees that `hash` is from `oh_rollinghash_new`, used by no other
        // thread meanwhile, that `bytes` points to `length` bytes that no thread writes, that `out`
        // is writable.
        unsafe { (*hash).hash.reset() };
        Ok(())
    })
}

/// Returns the hash of a window that contains exactly these bytes.
///
/// # Safety
/// `bytes` points to `length` bytes that no thread writes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rollinghash_of(bytes: *const c_void, length: usize, out: *mut u32) -> oh_status {
    // SAFETY: the caller guarantees that `bytes` points to `length` bytes that no thread writes,
    // `out` is writable.
    unsafe { guard_out(out, || Ok(RollingHash::of(slice(bytes.cast(), length, "bytes")?))) }
}

/// Frees a rolling hash. NULL is allowed.
///
/// # Safety
/// `hash` is NULL, or from `oh_rollinghash_new`, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_rollinghash_free(hash: *mut oh_rollinghash) {
    // SAFETY: the caller guarantees that it came from `oh_rollinghash_new` and is not used again.
    guard_value((), || unsafe { take_back(hash) });
}
