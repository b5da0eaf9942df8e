//! Files in memory: `oh_mappedfile`, which owns its memory, and what a runtime with memory of its own needs instead
//! (`oh_openfile`, `oh_vectorfile`): the files, to be read into or laid into buffers that it manages.

use crate::args::{check_bytes, check_pointer, slice};
use crate::guard::{guard, guard_out};
use crate::mmapvector::element_type_of;
use crate::region::path_from;
use crate::status::oh_status;
use offheap_core::mmap::adaptive::{MappedFile, OpenFile, Options};
use offheap_core::mmap::commit::DATA_OFFSET;
use offheap_core::mmap::file::{Mode, VectorFile};
use offheap_core::mmap::mapping::{Access, Window};
use offheap_core::mmap::plan::{self, Pattern, Strategy, Thresholds};
use offheap_core::{Error, ErrorKind, Result};
use std::ffi::{c_char, c_void};
use std::path::PathBuf;
use std::sync::atomic::AtomicI32;

/// How the bytes of a file are reached.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum oh_strategy {
    /// Read at once: small files.
    OH_STRATEGY_BUFFERED = 0,
    /// Mapped.
    OH_STRATEGY_MMAP = 1,
    /// Mapped, in huge pages: hugetlbfs, or tmpfs mounted with `huge=`.
    OH_STRATEGY_HUGEPAGE = 2,
    /// Read at once on request: no truncation can touch it.
    OH_STRATEGY_COPY = 3,
    /// In options: choose by size.
    OH_STRATEGY_AUTO = 4,
}

/// How a file will be read.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum oh_pattern {
    /// Nothing is known.
    OH_PATTERN_UNKNOWN = 0,
    /// From front to back.
    OH_PATTERN_SEQUENTIAL = 1,
    /// Here and there.
    OH_PATTERN_RANDOM = 2,
    /// Runs of some length, here and there.
    OH_PATTERN_MIXED = 3,
}

/// How a file is opened. Zero it, and set `struct_size` and `strategy`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_mappedfile_options {
    /// `sizeof(oh_mappedfile_options)`
    pub struct_size: usize,
    /// An `oh_strategy`; `OH_STRATEGY_AUTO` chooses by size.
    pub strategy: u32,
    /// An `oh_pattern`.
    pub pattern: u32,
    /// Open it for writing as well: what is stored reaches the file.
    pub writable: bool,
    /// Have all pages in memory before it returns.
    pub populate: bool,
    /// Keep them there.
    pub lock: bool,
    /// Files up to this many bytes are read rather than mapped; 0: 128 KiB.
    pub buffered_up_to: u64,
    /// Files from this many bytes on are asked to use huge pages; 0: 64 MiB.
    pub huge_from: u64,
}

fn thresholds(strategy: u32, buffered_up_to: u64, huge_from: u64) -> Result<Thresholds> {
    let mut limits = Thresholds::default();
    if buffered_up_to != 0 {
        limits.buffered_up_to = buffered_up_to;
    }
    if huge_from != 0 {
        limits.huge_from = huge_from;
    }
    if strategy != oh_strategy::OH_STRATEGY_AUTO as u32 {
        let strategy = Strategy::from_number(strategy);
        limits.strategy = Some(strategy.ok_or_else(|| Error::range("there is no such strategy"))?);
    }
    Ok(limits)
}

unsafe fn read_options(options: *const oh_mappedfile_options) -> Result<Options> {
    if options.is_null() {
        return Ok(Options::default());
    }
    check_pointer(options, "options")?;
    // SAFETY: not null and aligned; the caller vouches for the struct that its size says it is.
    let given = unsafe {
        let size = (&raw const (*options).struct_size).read();
        if size < size_of::<oh_mappedfile_options>() {
            return Err(Error::wrong_type(format!("options.struct_size is {size}: too small")));
        }
        options.read()
    };
    Ok(Options {
        mode: if given.writable { Mode::Write } else { Mode::Read },
        pattern: pattern_of(given.pattern)?,
        populate: given.populate,
        lock: given.lock,
        thresholds: thresholds(given.strategy, given.buffered_up_to, given.huge_from)?,
    })
}

fn pattern_of(number: u32) -> Result<Pattern> {
    Pattern::from_number(number).ok_or_else(|| Error::range(format!("{number} is no pattern of access")))
}

/// # Safety
/// `length` bytes at `path` are readable.
unsafe fn read_path(path: *const c_char, length: usize) -> Result<PathBuf> {
    // SAFETY: the caller's.
    path_from(unsafe { slice(path.cast::<u8>(), length, "path") }?)
}

/// A handle for C. Memory for it is asked for first, because `Box::new` could not refuse.
fn hand_out<T>(make: impl FnOnce() -> Result<T>) -> Result<*mut T> {
    let mut handle = Vec::new();
    handle.try_reserve_exact(1)?;
    handle.push(make()?);
    Ok(Box::into_raw(handle.into_boxed_slice()).cast())
}

/// # Safety
/// `handle` came from [`hand_out`] or is null, and is not used again.
unsafe fn take_back<T>(handle: *mut T) {
    if !handle.is_null() {
        // SAFETY: the caller's; it was made this way.
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(handle, 1)) });
    }
}

// ---- a file in memory of its own

/// A file in memory: made by `oh_mappedfile_open`, freed by `oh_mappedfile_close`.
pub struct oh_mappedfile(MappedFile);

unsafe fn mapped<'a>(file: *const oh_mappedfile) -> Result<&'a MappedFile> {
    check_pointer(file, "file")?;
    // SAFETY: not null and aligned; the caller vouches for the handle.
    Ok(unsafe { &(*file).0 })
}

/// Brings the regular file at `path` into memory, in the way that suits its size. `options` may be NULL.
///
/// If someone else cuts a mapped file short, what is gone reads as zeros (a handler for SIGBUS sees to that, as for
/// `oh_file_open`), and `oh_mappedfile_check` fails from then on.
///
/// `OH_ERR_IO` if the system refuses or it is no regular file; `OH_ERR_OOM`; `OH_ERR_FULL` if it is to be locked and the limit
/// does not allow it, or to be written and the disk has no room for its holes.
///
/// # Safety
/// `path_length` bytes at `path` are readable, `options` is NULL or valid, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_open(
    path: *const c_char,
    path_length: usize,
    options: *const oh_mappedfile_options,
    out: *mut *mut oh_mappedfile,
) -> oh_status {
    // SAFETY: the caller's.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let options = read_options(options)?;
            hand_out(|| MappedFile::open(&path, &options).map(oh_mappedfile))
        })
    }
}

/// The bytes: good until `oh_mappedfile_refresh` or `oh_mappedfile_close`. Store to them only if the file was opened for writing.
///
/// # Safety
/// `file` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_data(file: *const oh_mappedfile) -> *mut c_void {
    // SAFETY: the caller's.
    unsafe { file.as_ref() }.map_or(std::ptr::null_mut(), |file| file.0.bytes().0.cast())
}

/// How many bytes there are. 0 for NULL.
///
/// # Safety
/// `file` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_size(file: *const oh_mappedfile) -> usize {
    // SAFETY: the caller's.
    unsafe { file.as_ref() }.map_or(0, |file| file.0.bytes().1)
}

/// How the bytes are reached: what was obtained, not what was asked for.
///
/// # Safety
/// `file` is open, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_strategy(
    file: *const oh_mappedfile,
    out: *mut oh_strategy,
) -> oh_status {
    // SAFETY: the caller's.
    unsafe { guard_out(out, || Ok(strategy_number(mapped(file)?.strategy()))) }
}

fn strategy_number(strategy: Strategy) -> oh_strategy {
    match strategy {
        Strategy::Buffered => oh_strategy::OH_STRATEGY_BUFFERED,
        Strategy::Mmap => oh_strategy::OH_STRATEGY_MMAP,
        Strategy::HugePage => oh_strategy::OH_STRATEGY_HUGEPAGE,
        Strategy::Copy => oh_strategy::OH_STRATEGY_COPY,
    }
}

/// `OH_ERR_IO` if the file was cut short, or could not be read, so that zeros take the place of some bytes. It asks
/// the system for the file's size: look before and after work on many bytes.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_check(file: *const oh_mappedfile) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { mapped(file) }?.check())
}

/// Copies `length` bytes from `offset` on. `OH_ERR_RANGE` if there are not so many; `OH_ERR_IO` if some of them are gone.
///
/// # Safety
/// `file` is open; `length` bytes at `target` are writable and not the file's own.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_read(
    file: *const oh_mappedfile,
    offset: u64,
    length: usize,
    target: *mut c_void,
) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { mapped(file)?.read(offset, crate::args::slice_mut(target.cast(), length, "target")?) })
}

/// Tells the system how the file will be read from now on, an `oh_pattern`.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_advise(file: *const oh_mappedfile, pattern: u32) -> oh_status {
    guard(|| {
        // Whether the system listened is its affair.
        // SAFETY: the caller's.
        unsafe { mapped(file)?.advise(pattern_of(pattern)?) };
        Ok(())
    })
}

/// Has the system begin to read a part of the file. `OH_ERR_RANGE` past its end.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_prefetch(
    file: *const oh_mappedfile,
    offset: u64,
    length: u64,
) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { mapped(file)?.prefetch(offset, length).map(|_| ()) })
}

/// Keeps the bytes in memory. `OH_ERR_FULL` past the limit, which the message names.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_lock(file: *const oh_mappedfile) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { mapped(file) }?.lock())
}

/// Undoes `oh_mappedfile_lock`.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_unlock(file: *const oh_mappedfile) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { mapped(file) }?.unlock())
}

/// Returns when what was stored is on the disk. `OH_ERR_UNSUPPORTED` if the file was opened to be read.
///
/// # Safety
/// `file` is open, and nobody stores to it meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_flush(file: *const oh_mappedfile) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { mapped(file) }?.flush())
}

/// Takes in that the file became longer, or was written anew. Gives the size.
///
/// # Safety
/// `file` is open and used by no one else meanwhile; `size` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_refresh(file: *mut oh_mappedfile, size: *mut u64) -> oh_status {
    // SAFETY: the caller's.
    unsafe {
        guard_out(size, || {
            check_pointer(file, "file")?;
            (*file).0.refresh()
        })
    }
}

/// Frees the handle and its memory. NULL is fine.
///
/// # Safety
/// `file` is NULL, or open and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappedfile_close(file: *mut oh_mappedfile) {
    // SAFETY: the caller's.
    unsafe { take_back(file) };
}

// ---- memory of anyone's

/// Keeps the pages of `length` bytes at `base` in memory. `OH_ERR_FULL` past the limit, which the message names.
///
/// # Safety
/// The bytes are mapped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_memory_lock(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { plan::lock(check_bytes(base, length, "base")?, length) })
}

/// Undoes `oh_memory_lock`.
///
/// # Safety
/// The bytes are mapped.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_memory_unlock(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { plan::unlock(check_bytes(base, length, "base")?, length) })
}

/// How many of the pages that `length` bytes at `base` lie on are in memory.
///
/// # Safety
/// The bytes are mapped, `resident` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_memory_resident(
    base: *const c_void,
    length: usize,
    resident: *mut u64,
) -> oh_status {
    // SAFETY: the caller's.
    unsafe { guard_out(resident, || Ok(plan::resident(check_bytes(base, length, "base")?, length)?.0)) }
}

// ---- files for memory of the caller's

/// A file that a runtime brings into buffers of its own: made by `oh_openfile_open`, freed by `oh_openfile_close`.
pub struct oh_openfile {
    file: OpenFile,
    window: Option<Window>,
}

unsafe fn open<'a>(file: *const oh_openfile) -> Result<&'a OpenFile> {
    check_pointer(file, "file")?;
    // SAFETY: not null and aligned; the caller vouches for the handle.
    Ok(unsafe { &(*file).file })
}

/// Opens the regular file at `path`. `strategy` and the limits are those of `oh_mappedfile_options`.
///
/// # Safety
/// `path_length` bytes at `path` are readable, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_openfile_open(
    path: *const c_char,
    path_length: usize,
    writable: bool,
    strategy: u32,
    buffered_up_to: u64,
    huge_from: u64,
    out: *mut *mut oh_openfile,
) -> oh_status {
    // SAFETY: the caller's.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let limits = thresholds(strategy, buffered_up_to, huge_from)?;
            let mode = if writable { Mode::Write } else { Mode::Read };
            hand_out(|| Ok(oh_openfile { file: OpenFile::open(&path, mode, limits)?, window: None }))
        })
    }
}

/// What there is and what to do with it: the size in bytes, a strategy (`OH_STRATEGY_HUGEPAGE` is a wish), and what the address
/// of a mapping should be a multiple of, for huge pages; 1 where any page will do. With `look`, the file's size is asked for again.
///
/// # Safety
/// `file` is open and used by no one else meanwhile; the outputs are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_openfile_plan(
    file: *mut oh_openfile,
    look: bool,
    size: *mut u64,
    strategy: *mut oh_strategy,
    alignment: *mut usize,
) -> oh_status {
    guard(|| {
        check_pointer(file, "file")?;
        check_pointer(size, "size")?;
        check_pointer(strategy, "strategy")?;
        check_pointer(alignment, "alignment")?;
        // SAFETY: not null and aligned; the rest is the caller's word.
        unsafe {
            let file = &mut (*file).file;
            if look {
                file.look()?;
            }
            size.write(file.size());
            strategy.write(strategy_number(file.plan()));
            alignment.write(file.alignment());
        }
        Ok(())
    })
}

/// Reads the first `length` bytes to `target`. `OH_ERR_IO` if the file has become shorter.
///
/// # Safety
/// `file` is open; `length` bytes at `target` are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_openfile_read(
    file: *const oh_openfile,
    target: *mut c_void,
    length: usize,
) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { open(file)?.read(check_bytes(target, length, "target")?.cast_mut(), length) })
}

/// Writes `length` bytes to the beginning of the file. `OH_ERR_UNSUPPORTED` if it was opened to be read.
///
/// # Safety
/// `file` is open; `length` bytes at `source` are readable, and nobody writes them meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_openfile_write(
    file: *const oh_openfile,
    source: *const c_void,
    length: usize,
) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { open(file)?.write(check_bytes(source, length, "source")?, length) })
}

/// Lays the first `length` bytes of the file at `base`, in place of what is mapped there, and tells which strategy came of it. Called again
/// with the same base and a larger `length`, it lays what is missing. If the file is not open for writing, stores stay in this
/// memory. `capacity` bytes, whole pages, belong to the file from then on. The last page of them is replaced by zeros but for
/// its last 8 bytes, which tell whether the memory is still there: do not write to those. In return, reads of what the file loses
/// give zeros for as long as the memory is there.
///
/// `OH_ERR_UNSUPPORTED` where the system can not do it; `OH_ERR_RANGE` for a base that is no multiple of the page size, or not the
/// one of before; `OH_ERR_FULL` past `capacity`, or where the disk has no room for holes.
///
/// # Safety
/// `file` is open and used by no one else meanwhile. `capacity` bytes at `base` are mapped, and given up by their owner, who frees
/// them by unmapping the whole.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_openfile_map(
    file: *mut oh_openfile,
    base: *mut c_void,
    capacity: usize,
    length: usize,
    strategy: *mut oh_strategy,
) -> oh_status {
    // SAFETY: the caller's.
    unsafe {
        guard_out(strategy, || {
            check_pointer(file, "file")?;
            let file = &mut *file;
            let access = if file.file.is_writable() { Access::Write } else { Access::Private };
            let window = window_at(&mut file.window, base.cast(), capacity, 0, access)?;
            file.file.map(window, length)?;
            Ok(strategy_number(file.file.obtained(window.base(), length)))
        })
    }
}

/// The window at `base`: the one that is there, or a new one.
unsafe fn window_at(
    window: &mut Option<Window>,
    base: *mut u8,
    capacity: usize,
    offset: u64,
    access: Access,
) -> Result<&mut Window> {
    if window.as_ref().is_some_and(|window| window.base() != base) {
        return Err(Error::range("the file is mapped somewhere else already"));
    }
    match window {
        Some(window) => Ok(window),
        // SAFETY: the caller's.
        none => Ok(none.insert(unsafe { Window::within(base, capacity, offset, access) }?)),
    }
}

/// The word that becomes non-zero once a part of the mapping could not be read: read it atomically. It stays where it is until
/// the file is closed. NULL before it is mapped.
///
/// # Safety
/// `file` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_openfile_status(file: *const oh_openfile) -> *const i32 {
    // SAFETY: the caller's.
    let window = unsafe { file.as_ref() }.and_then(|file| file.window.as_ref());
    window.map_or(std::ptr::null(), |window| AtomicI32::as_ptr(window.status()).cast_const())
}

/// `OH_ERR_IO` if the file is shorter now than what is mapped of it, or some of that could not be read, so that zeros take its
/// place. It asks the system for the file's size: look before and after work on many bytes.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_openfile_check(file: *const oh_openfile) -> oh_status {
    guard(|| {
        // SAFETY: the caller's.
        let file = unsafe {
            check_pointer(file, "file")?;
            &*file
        };
        file.window.as_ref().map_or(Ok(()), |window| file.file.check(window))
    })
}

/// Forgets the mapping, which stays as it is: its owner frees it. The next `oh_openfile_map` may be elsewhere.
///
/// # Safety
/// `file` is NULL, or open and used by no one else meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_openfile_forget(file: *mut oh_openfile) {
    // SAFETY: the caller's.
    if let Some(file) = unsafe { file.as_mut() } {
        file.window = None;
    }
}

/// Returns when what was stored is on the disk. `OH_ERR_UNSUPPORTED` if the file was opened to be read.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_openfile_sync(file: *const oh_openfile) -> oh_status {
    guard(|| {
        // SAFETY: the caller's.
        let file = unsafe {
            check_pointer(file, "file")?;
            &*file
        };
        if let Some(window) = &file.window {
            window.sync()?;
        }
        file.file.sync()
    })
}

/// Closes the file. Its mapping stays. NULL is fine.
///
/// # Safety
/// `file` is NULL, or open and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_openfile_close(file: *mut oh_openfile) {
    // SAFETY: the caller's.
    unsafe { take_back(file) };
}

/// The file of an `oh_mmapvector`, for a runtime that lays its elements into memory of its own: made by `oh_vectorfile_create` or
/// `oh_vectorfile_open`, freed by `oh_vectorfile_close`. Who uses it keeps the rule of the format: never store to an element that
/// the latest commit, or one under way, vouches for.
pub struct oh_vectorfile {
    file: VectorFile,
    window: Option<Window>,
}

/// What the file of a vector is and holds.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_vectorfile_info {
    /// Type of the elements, an `oh_type`.
    pub element_type: u32,
    /// Whether opening met a commit that was cut short, and fell back to the one before.
    pub recovered: bool,
    /// Elements committed.
    pub committed: u64,
}

unsafe fn vector_file<'a>(file: *const oh_vectorfile) -> Result<&'a VectorFile> {
    check_pointer(file, "file")?;
    // SAFETY: not null and aligned; the caller vouches for the handle. Only this field is borrowed.
    Ok(unsafe { &(*file).file })
}

/// As `oh_mmapvector_create`, without memory.
///
/// # Safety
/// `path_length` bytes at `path` are readable, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vectorfile_create(
    path: *const c_char,
    path_length: usize,
    element_type: u32,
    out: *mut *mut oh_vectorfile,
) -> oh_status {
    // SAFETY: the caller's.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let ty = element_type_of(element_type)?;
            hand_out(|| Ok(oh_vectorfile { file: VectorFile::create(&path, ty)?, window: None }))
        })
    }
}

/// As `oh_mmapvector_open`, without memory.
///
/// # Safety
/// `path_length` bytes at `path` are readable, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vectorfile_open(
    path: *const c_char,
    path_length: usize,
    writable: bool,
    out: *mut *mut oh_vectorfile,
) -> oh_status {
    // SAFETY: the caller's.
    unsafe {
        guard_out(out, || {
            let path = read_path(path, path_length)?;
            let mode = if writable { Mode::Write } else { Mode::Read };
            hand_out(|| Ok(oh_vectorfile { file: VectorFile::open(&path, mode)?, window: None }))
        })
    }
}

/// What the file is and holds.
///
/// # Safety
/// `file` is open, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vectorfile_describe(
    file: *const oh_vectorfile,
    out: *mut oh_vectorfile_info,
) -> oh_status {
    // SAFETY: the caller's.
    unsafe {
        guard_out(out, || {
            let journal = vector_file(file)?.journal();
            Ok(oh_vectorfile_info {
                element_type: journal.element_type() as u32,
                recovered: journal.recovered(),
                committed: journal.latest().length,
            })
        })
    }
}

/// Allocates blocks for `length` elements in all (a writer), and lays them at `base`, in place of what is mapped there. Called again
/// with the same base and a larger length, it lays what is missing. `capacity` as in `oh_openfile_map`. A reader's stores stay in its
/// memory.
///
/// `OH_ERR_FULL` if the disk is full, or `capacity` too small; nothing has changed then.
///
/// # Safety
/// As for `oh_openfile_map`; other threads may commit meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vectorfile_map(
    file: *mut oh_vectorfile,
    base: *mut c_void,
    capacity: usize,
    length: u64,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller's; the two fields are borrowed apart, because another thread may be committing.
        unsafe {
            let inner = vector_file(file)?;
            let access = if inner.is_writable() { Access::Write } else { Access::Private };
            let bytes = inner.journal().bytes_for(length)? - DATA_OFFSET;
            let bytes =
                usize::try_from(bytes).map_err(|_| Error::new(ErrorKind::Oom, "the file is too large"))?;
            if bytes > capacity {
                return Err(Error::full(format!("{bytes} bytes where there is room for {capacity}")));
            }
            if inner.is_writable() {
                inner.allocate(length)?;
            }
            let window = window_at(&mut (*file).window, base.cast(), capacity, DATA_OFFSET, access)?;
            window.grow(inner.file(), bytes)
        }
    })
}

/// As `oh_openfile_status`.
///
/// # Safety
/// `file` is NULL or open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vectorfile_status(file: *const oh_vectorfile) -> *const i32 {
    if file.is_null() {
        return std::ptr::null();
    }
    // SAFETY: the caller's; only this field is borrowed.
    let window = unsafe { &(*file).window };
    window.as_ref().map_or(std::ptr::null(), |window| AtomicI32::as_ptr(window.status()).cast_const())
}

/// As `oh_openfile_forget`.
///
/// # Safety
/// As for `oh_openfile_forget`; other threads may commit meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vectorfile_forget(file: *mut oh_vectorfile) {
    if !file.is_null() {
        // SAFETY: the caller's; only this field is borrowed.
        unsafe { (*file).window = None };
    }
}

/// Makes the first `length` elements what survives a crash; returns when they do. From any thread, one call at a time.
/// Nobody may store to them meanwhile.
///
/// `OH_ERR_IO` if the disk refuses, or the file was cut short: then the handle is of no more use, and opening anew tells what is there.
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vectorfile_commit(file: *const oh_vectorfile, length: u64) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { vector_file(file) }?.commit(length).map(|_| ()))
}

/// For readers: looks whether the writer committed since. Gives the elements committed.
///
/// # Safety
/// `file` is open, `committed` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vectorfile_refresh(file: *const oh_vectorfile, committed: *mut u64) -> oh_status {
    // SAFETY: the caller's.
    unsafe { guard_out(committed, || Ok(vector_file(file)?.refresh()?.length)) }
}

/// Compares the committed elements with their checksum: O(bytes).
///
/// # Safety
/// `file` is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vectorfile_validate(file: *const oh_vectorfile) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { vector_file(file) }?.journal().validate())
}

/// Closes the file. Its mapping stays. NULL is fine.
///
/// # Safety
/// `file` is NULL, or open and not used again, by this thread or another.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vectorfile_close(file: *mut oh_vectorfile) {
    // SAFETY: the caller's.
    unsafe { take_back(file) };
}
