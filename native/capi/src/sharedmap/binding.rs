//! Maps in files, in memory that a runtime manages (`oh_binding_sharedmap_file`).

use super::file::oh_sharedmap_opened;
use super::{Origin, oh_sharedmap, oh_sharedmap_options, read_options};
use crate::args::{check_pointer, read_path};
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, take_back};
use crate::status::oh_status;
use offheap_core::mmap::file::Mode;
use offheap_core::sharedmap::file::{MapFile, OpenOptions, SharedFile};
use offheap_core::sharedmap::{Map, ProcessMemory};
use offheap_core::{Error, ErrorKind};
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// Flag of `oh_binding_sharedmap_file_open`: create the file if it does not exist.
pub const OH_BINDING_SHAREDMAP_CREATE: u32 = 1;
/// Flag: the keys must have the type of the options.
pub const OH_BINDING_SHAREDMAP_KEY: u32 = 2;
/// Flag: the values must have the type of the options.
pub const OH_BINDING_SHAREDMAP_VALUE: u32 = 4;
/// Flag: the map must have the bound of the options.
pub const OH_BINDING_SHAREDMAP_BOUND: u32 = 8;
/// Flag: open for reading.
pub const OH_BINDING_SHAREDMAP_READ: u32 = 16;
/// Flag: keep only entries whose checksums are right.
pub const OH_BINDING_SHAREDMAP_REPAIR: u32 = 32;

/// The file of a map, open and checked. Created by `oh_binding_sharedmap_file_open`, freed by
/// `oh_binding_sharedmap_file_close`.
pub struct oh_binding_sharedmap_file {
    length: usize,
    /// Until it is mapped.
    file: Option<MapFile>,
    /// From then on.
    mapped: Option<Arc<SharedFile>>,
}

/// Opens or creates the file of a map, as `oh_sharedmap_open` does, without mapping it. `flags` are
/// bits `OH_BINDING_SHAREDMAP_…`.
///
/// # Safety
/// `path_length` bytes at `path` are readable; `options` as for `oh_sharedmap_region_size`; `out`
/// is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_sharedmap_file_open(
    path: *const c_char,
    path_length: usize,
    options: *const oh_sharedmap_options,
    flags: u32,
    out: *mut *mut oh_binding_sharedmap_file,
) -> oh_status {
    // SAFETY: the caller guarantees the path, `options` and `out`.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let map = read_options(options)?;
            let has = |flag: u32| flags & flag != 0;
            let mode = if has(OH_BINDING_SHAREDMAP_READ) { Mode::Read } else { Mode::Write };
            let options = OpenOptions {
                mode,
                create: has(OH_BINDING_SHAREDMAP_CREATE).then_some(map),
                key: has(OH_BINDING_SHAREDMAP_KEY).then_some(map.schema.key),
                value: has(OH_BINDING_SHAREDMAP_VALUE).then_some(map.schema.value),
                max_bytes: has(OH_BINDING_SHAREDMAP_BOUND).then_some(map.max_bytes),
                repair: has(OH_BINDING_SHAREDMAP_REPAIR),
            };
            hand_out(|| {
                let file = MapFile::open(&path, &options)?;
                let length = file.length();
                Ok(oh_binding_sharedmap_file { length, file: Some(file), mapped: None })
            })
        })
    }
}

/// Returns the number of bytes of the map; 0 for NULL.
///
/// # Safety
/// `file` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_sharedmap_file_length(file: *const oh_binding_sharedmap_file) -> usize {
    // SAFETY: the caller guarantees that `file` is NULL or open.
    guard_value(0, || unsafe { file.as_ref() }.map_or(0, |file| file.length))
}

/// Maps the file at `base`, replacing whatever is mapped there. `capacity` is that of
/// `oh_binding_openfile_map`, with room for a page more than the file takes. Attach with
/// `oh_binding_sharedmap_attach` before the file is closed; from the first attachment to the last
/// in this process, other threads can attach in the same way. `OH_ERR_CLOSED` if it was mapped
/// before.
///
/// # Safety
/// As for `oh_binding_openfile_map`; the memory exists until the last attachment was closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_sharedmap_file_map(
    file: *mut oh_binding_sharedmap_file,
    base: *mut c_void,
    capacity: usize,
) -> oh_status {
    guard(|| {
        check_pointer(file, "file")?;
        // SAFETY: not null and aligned; the caller guarantees the handle and the memory.
        unsafe {
            let opened = (*file).file.take();
            let opened = opened
                .ok_or_else(|| Error::new(ErrorKind::Closed, "the file of the map was mapped before"))?;
            (*file).mapped = Some(opened.map_at(base.cast(), capacity)?);
        }
        Ok(())
    })
}

/// Returns what opening the file, and the first attachment, did.
///
/// # Safety
/// `file` is open; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_sharedmap_file_get_opened(
    file: *const oh_binding_sharedmap_file,
    out: *mut oh_sharedmap_opened,
) -> oh_status {
    // SAFETY: the caller guarantees `file` and `out`.
    unsafe {
        guard_out(out, || {
            check_pointer(file, "file")?;
            Ok((*file).mapped.as_ref().map(|file| file.opened()).unwrap_or_default().into())
        })
    }
}

/// Closes the handle. Attachments, and the memory, remain. NULL is allowed.
///
/// # Safety
/// `file` is NULL, or open and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_sharedmap_file_close(file: *mut oh_binding_sharedmap_file) {
    // SAFETY: the caller guarantees that `file` is NULL, or open and not used again.
    guard_value((), || unsafe { take_back(file) });
}

/// Attaches to the map in `length` bytes at `base`: as `oh_sharedmap_attach` does, or, if a file is
/// mapped there, as a participant of the file. `OH_ERR_CLOSED` if the map belongs to a file that
/// has no attachment in this process any more.
///
/// # Safety
/// As for `oh_sharedmap_attach`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_binding_sharedmap_attach(
    base: *mut c_void,
    length: usize,
    discard: bool,
    out: *mut *mut oh_sharedmap,
) -> oh_status {
    // SAFETY: the caller guarantees the memory and `out`.
    unsafe {
        guard_out(out, || {
            let base = base.cast::<u8>();
            if let Some(file) = SharedFile::at(base) {
                return hand_out(|| Origin::File(file).attach());
            }
            let reader = Map::attach_reader(base, length, Box::<ProcessMemory>::default())?;
            if reader.schema().has_checksums() {
                return Err(Error::new(ErrorKind::Closed, "the file of the map was closed in this process"));
            }
            hand_out(|| Origin::Memory { base, length, discard }.attach())
        })
    }
}
