//! Maps in files, which any number of processes open by path (`oh_sharedmap_open`).

use super::{Origin, oh_sharedmap, oh_sharedmap_options, read_options};
use crate::args::{check_optional, read_path};
use crate::guard::guard_out;
use crate::handle::hand_out;
use crate::options::{Flag, option_struct, read_optional_struct};
use crate::status::oh_status;
use offheap_core::Result;
use offheap_core::mmap::file::Mode;
use offheap_core::sharedmap::file::{MapFile, OpenOptions, Opened};
use std::ffi::c_char;

/// How to open the file of a map. Set all bytes to 0, and then `struct_size` and what differs.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_sharedmap_open_options {
    /// `sizeof(oh_sharedmap_open_options)`
    pub struct_size: usize,
    /// The map to create if there is no file. An existing one must have the same `key`, `value` and
    /// `max_bytes`, and keeps its other options. NULL: open an existing file, whatever it contains.
    pub map: *const oh_sharedmap_options,
    /// Do not create a file, even if `map` is set.
    pub existing: Flag,
    /// Open for reading. The file is not changed, not even its statistics; changes are refused with
    /// `OH_ERR_UNSUPPORTED`.
    pub read_only: Flag,
    /// Keep only entries whose checksums are right. Without it, a file that was open when the
    /// machine stopped is refused with `OH_ERR_CORRUPT`.
    pub repair: Flag,
}
option_struct!(oh_sharedmap_open_options, through repair: Flag);

/// What opening a file did.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct oh_sharedmap_opened {
    /// Whether the file was created.
    pub created: bool,
    /// Whether the map was repaired.
    pub repaired: bool,
    /// Entries that a repair kept.
    pub kept: u64,
    /// Entries that a repair removed.
    pub lost: u64,
}

impl From<Opened> for oh_sharedmap_opened {
    fn from(opened: Opened) -> oh_sharedmap_opened {
        let repaired = opened.repaired.unwrap_or_default();
        oh_sharedmap_opened {
            created: opened.created,
            repaired: opened.repaired.is_some(),
            kept: repaired.kept as u64,
            lost: repaired.lost as u64,
        }
    }
}

/// # Safety
/// As for `oh_sharedmap_open`.
unsafe fn read_open_options(options: *const oh_sharedmap_open_options) -> Result<OpenOptions> {
    // SAFETY: the caller guarantees `options`.
    let options = unsafe { read_optional_struct(options, "options") }?;
    let Some(options) = options else { return Ok(OpenOptions::new(Mode::Write)) };
    let mode = if options.read_only.is_set() { Mode::Read } else { Mode::Write };
    let mut read = OpenOptions { repair: options.repair.is_set(), ..OpenOptions::new(mode) };
    if !options.map.is_null() {
        // SAFETY: the caller guarantees that it points to as many bytes as its `struct_size` says.
        let map = unsafe { read_options(options.map) }?;
        read.key = Some(map.schema.key);
        read.value = Some(map.schema.value);
        read.max_bytes = Some(map.max_bytes);
        read.create = (mode == Mode::Write && !options.existing.is_set()).then_some(map);
    }
    Ok(read)
}

/// Opens the map in the file at `path` (`path_length` bytes, UTF-8 on Windows), or creates it, and
/// attaches the calling thread. Each thread opens the file on its own. The file appears whole or
/// not at all; if several processes create it, one does and the others open it. `options` may be
/// NULL: open an existing file for reading and writing. `opened` may be NULL.
///
/// Processes that end in whatever way lose nothing that was acknowledged, and leave no locks. If
/// the machine stops, the file is either whole or refused. Closing the last attachment writes
/// everything to the disk, and waits for it.
///
/// `OH_ERR_IO` if there is no file and none is to be created, or if it is not a regular file;
/// `OH_ERR_CORRUPT` if it is not a map, or was open when the machine stopped; `OH_ERR_VERSION` for
/// another structure or version; `OH_ERR_TYPE` or `OH_ERR_RANGE` if it has other types or another
/// bound; `OH_ERR_FULL` if the disk is full, or all participants' slots are in use;
/// `OH_ERR_LOCKED` if another process has been opening or closing it for 30 seconds;
/// `OH_ERR_UNSUPPORTED` on systems other than Linux, and on file systems without locks of open file
/// descriptions.
///
/// # Safety
/// `path_length` bytes at `path` are readable; `options` is NULL, or points to as many readable
/// bytes as its `struct_size` says, and so does its `map`; `opened` is NULL or writable; `out` is
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_sharedmap_open(
    path: *const c_char,
    path_length: usize,
    options: *const oh_sharedmap_open_options,
    opened: *mut oh_sharedmap_opened,
    out: *mut *mut oh_sharedmap,
) -> oh_status {
    // SAFETY: the caller guarantees the path, `options`, and the outputs.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let options = read_open_options(options)?;
            check_optional(opened, "opened")?;
            hand_out(|| {
                let file = MapFile::open(&path, &options)?.map()?;
                let map = Origin::File(file.clone()).attach()?;
                if !opened.is_null() {
                    opened.write(file.opened().into());
                }
                Ok(map)
            })
        })
    }
}
