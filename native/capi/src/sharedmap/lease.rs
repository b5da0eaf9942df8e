//! Leases of a SharedMap: one participant computes the value of a key while the others wait.

use super::convert::read_key;
use super::{oh_sharedmap, operate};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::sharedmap::{Lease, now};
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// The key is present: there is nothing to compute.
pub const OH_SHAREDMAP_LEASE_PRESENT: u32 = 0;
/// The caller has the lease, and should store a value or give the lease up.
pub const OH_SHAREDMAP_LEASE_ACQUIRED: u32 = 1;
/// Another participant has the lease.
pub const OH_SHAREDMAP_LEASE_HELD: u32 = 2;

/// Asks for the lease of an absent key for `duration` milliseconds, which must be positive. `*out`
/// becomes one of `OH_SHAREDMAP_LEASE_…`. The key remains absent. The lease ends when a value is
/// stored, when it is given up, when its time is over, and when its holder's process terminates.
/// `OH_ERR_FULL` if the map has no room for the lease.
///
/// # Safety
/// `map` is an attachment; `key` is valid for reading `key_length` bytes; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_lease(
    map: *mut oh_sharedmap,
    key: *const c_void,
    key_length: usize,
    duration: f64,
    out: *mut u32,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        guard_out(out, || {
            if !(duration > 0.0 && duration.is_finite()) {
                return Err(Error::range(format!("invalid duration of a lease: {duration}")));
            }
            let this = operate(map, "oh_sharedmap_lease")?;
            let key = read_key(this.map.schema(), key, key_length)?;
            let now = now();
            Ok(match this.map.lease(&key, now + duration, now)? {
                Lease::Present => OH_SHAREDMAP_LEASE_PRESENT,
                Lease::Acquired => OH_SHAREDMAP_LEASE_ACQUIRED,
                Lease::Held => OH_SHAREDMAP_LEASE_HELD,
            })
        })
    }
}

/// Gives up the lease of a key. Does nothing if this attachment does not have it.
///
/// # Safety
/// `map` is an attachment; `key` is valid for reading `key_length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_end_lease(
    map: *mut oh_sharedmap,
    key: *const c_void,
    key_length: usize,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    guard(|| unsafe {
        let this = operate(map, "oh_sharedmap_end_lease")?;
        let key: Result<_> = read_key(this.map.schema(), key, key_length);
        this.map.end_lease(&key?)
    })
}
