//! Snapshots of a SharedMap: files with the entries of one instant.

use super::{oh_sharedmap, operate};
use crate::args::{check_pointer, read_path};
use crate::control::{control_of, oh_control};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::Result;
use offheap_core::region::control::Progress;
use offheap_core::sharedmap::{now, snapshot};
use std::ffi::c_char;
use std::fs::File;

/// Writes a snapshot to the file at `path`, which is created or emptied first, and syncs it. To
/// replace a snapshot, write another file in its directory, and rename it. The snapshot contains
/// the entries of one instant, except those that are evicted while it is written. Others may write
/// meanwhile, and wait for microseconds at most. `*finished` becomes false, and the file is
/// incomplete, if `control` (NULL is allowed) was told to stop.
///
/// `OH_ERR_LOCKED` if another participant is saving the map; `OH_ERR_IO` or `OH_ERR_FULL` if the
/// file cannot be written.
///
/// # Safety
/// `map` is an attachment that no other thread uses at the same time; `path_length` bytes at `path`
/// are readable; `control` is NULL or valid; `finished` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_save(
    map: *mut oh_sharedmap,
    path: *const c_char,
    path_length: usize,
    control: *mut oh_control,
    finished: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        guard_out(finished, || {
            let this = operate(map, "oh_sharedmap_save")?;
            let path = read_path(path, path_length)?;
            let progress = Progress::new(control_of(control)?);
            let file = File::create(path)?;
            let mut done = 0;
            let saved = this.map.save(file, &mut |shards, all| {
                if done == 0 {
                    progress.expect(all as u64);
                }
                let steps = shards - done;
                done = shards;
                progress.advance(steps).is_ok()
            })?;
            Ok(saved.is_some())
        })
    }
}

/// Stores the entries of the snapshot at `path`, apart from those that have expired. `*out` becomes
/// their number. The map must have the types of the snapshot (`oh_sharedmap_snapshot_get_info`).
/// `OH_ERR_CORRUPT` if the file is damaged; entries before the damage have been stored then.
///
/// # Safety
/// `map` is an attachment; `path_length` bytes at `path` are readable; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_restore(
    map: *mut oh_sharedmap,
    path: *const c_char,
    path_length: usize,
    out: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees the pointers.
    unsafe {
        guard_out(out, || {
            let this = operate(map, "oh_sharedmap_restore")?;
            this.map.restore(File::open(read_path(path, path_length)?)?, now())
        })
    }
}

/// The map of a snapshot.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_sharedmap_snapshot_info {
    /// Its bound in bytes.
    pub max_bytes: u64,
    /// Milliseconds after which entries expire; 0: never.
    pub ttl: f64,
    /// Type of the keys.
    pub key: u32,
    /// Type of the values.
    pub value: u32,
    /// Eviction policy.
    pub policy: u32,
    /// 1 if a full map refuses new values.
    pub reject: u32,
}

/// Returns the types and options of the map of a snapshot.
///
/// # Safety
/// `path_length` bytes at `path` are readable; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_snapshot_get_info(
    path: *const c_char,
    path_length: usize,
    out: *mut oh_sharedmap_snapshot_info,
) -> oh_status {
    guard(|| {
        check_pointer(out, "the output")?;
        // SAFETY: the caller guarantees the path.
        let path: Result<_> = unsafe { read_path(path, path_length) };
        let header = snapshot::header_of(&path?)?;
        let info = oh_sharedmap_snapshot_info {
            max_bytes: header.max_bytes,
            ttl: header.ttl,
            key: header.schema.key as u32,
            value: header.schema.value as u32,
            policy: header.schema.policy,
            reject: header.schema.flags & offheap_core::sharedmap::layout::FLAG_REJECT,
        };
        // SAFETY: not null and aligned; the caller guarantees that it is writable.
        unsafe { out.write(info) };
        Ok(())
    })
}
