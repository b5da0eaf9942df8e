//! Transactions over several keys of a SharedMap.

use super::convert::{read_key, read_value};
use super::entry::expiry_of;
use super::{oh_sharedmap, operate};
use crate::args::slice;
use crate::guard::guard_out;
use crate::options::Flag;
use crate::status::oh_status;
use offheap_core::sharedmap::{Change, Read, now};
use std::ffi::c_void;

/// A key that a transaction read.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_sharedmap_read {
    /// The key.
    pub key: *const c_void,
    /// Bytes of the key.
    pub key_length: usize,
    /// The version of its entry; 0: the key was absent.
    pub version: u64,
}

/// A change of a transaction.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_sharedmap_change {
    /// The key. Each key may be changed once.
    pub key: *const c_void,
    /// Bytes of the key.
    pub key_length: usize,
    /// The value.
    pub value: *const c_void,
    /// Bytes of the value.
    pub value_length: usize,
    /// For `OH_SHAREDMAP_EXPIRY_AT`: milliseconds since 1970.
    pub expires_at: f64,
    /// When the entry expires: `OH_SHAREDMAP_EXPIRY_DEFAULT`, …
    pub expiry: u32,
    /// The type of the value in a map of mixed values; otherwise 0.
    pub value_type: u32,
    /// Delete the key; the value is ignored.
    pub remove: Flag,
}

/// Makes up to 64 changes, all of them or none, if all keys read have their versions still. `*out`
/// becomes whether it did. If the process is terminated meanwhile, others see all changes or none.
/// `OH_ERR_RANGE` for too many changes or two of the same key, `OH_ERR_FULL` if there is no room.
///
/// # Safety
/// `map` is an attachment; `reads` and `changes` have that many elements, whose pointers are valid
/// for reading the bytes that they name; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_commit(
    map: *mut oh_sharedmap,
    reads: *const oh_sharedmap_read,
    read_count: usize,
    changes: *const oh_sharedmap_change,
    change_count: usize,
    out: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        guard_out(out, || {
            let this = operate(map, "oh_sharedmap_commit")?;
            let schema = this.map.schema();
            let mut read = Vec::new();
            read.try_reserve_exact(read_count)?;
            for given in slice(reads, read_count, "reads")? {
                let key = read_key(schema, given.key, given.key_length)?;
                read.push(Read { key, version: given.version });
            }
            let mut change = Vec::new();
            change.try_reserve_exact(change_count)?;
            for given in slice(changes, change_count, "changes")? {
                let key = read_key(schema, given.key, given.key_length)?;
                let value = if given.remove.is_set() {
                    None
                } else {
                    Some(read_value(schema, given.value_type, given.value, given.value_length)?)
                };
                let expiry = expiry_of(given.expiry, given.expires_at)?;
                change.push(Change { key, value, value_type: given.value_type, expiry });
            }
            this.map.commit(&read, &change, now())
        })
    }
}
