//! What all regions share: checksums, the header's check, advice about memory, and mapped files.

use crate::args::{check_bytes, check_pointer};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::region::advise::{Advice, advise};
use offheap_core::region::crc::{checksum, region_checksum};
use offheap_core::region::file::{MappedFile, Mode, live_mappings};
use offheap_core::region::header::{Header, word};
use offheap_core::region::mappings::reserve;
use offheap_core::region::memory::Memory;
use offheap_core::region::numa::place::{Policy, place};
use offheap_core::{Error, Result};
use std::ffi::{c_char, c_void};
use std::path::PathBuf;

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
/// `length` bytes at `base` are readable; `region_length` and `kind` are writable or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_region_check(
    base: *const c_void,
    length: usize,
    region_length: *mut u64,
    kind: *mut u32,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller's.
        let header = unsafe { header_of(base, length)? };
        // SAFETY: checked for alignment if not null; the caller vouches that they are writable.
        unsafe {
            if !region_length.is_null() {
                check_pointer(region_length, "region_length")?;
            }
            if !kind.is_null() {
                check_pointer(kind, "kind")?;
                kind.write(header.word(word::KIND));
            }
            if !region_length.is_null() {
                region_length.write(header.length());
            }
        }
        Ok(())
    })
}

/// Advice for `oh_region_advise`: back this with huge pages. Fewer TLB misses under random access,
/// at the price of memory in whole pieces (2 MiB on x86-64).
pub const OH_ADVICE_HUGE_PAGES: u32 = 1;
/// Advice for `oh_region_advise`: back this with small pages only.
pub const OH_ADVICE_SMALL_PAGES: u32 = 2;
/// Advice for `oh_region_advise`: reads will jump around, do not read ahead.
pub const OH_ADVICE_RANDOM: u32 = 3;
/// Advice for `oh_region_advise`: reads go from front to back.
pub const OH_ADVICE_SEQUENTIAL: u32 = 4;
/// Advice for `oh_region_advise`: no pattern; undoes the two above.
pub const OH_ADVICE_NORMAL: u32 = 5;
/// Advice for `oh_region_advise`: this will be read soon, start now.
pub const OH_ADVICE_WILL_NEED: u32 = 6;
/// Advice for `oh_region_advise`: give the pages back. What stood only in memory IS GONE: a page
/// reads as zero afterwards, or, in a mapped file, as the file has it.
pub const OH_ADVICE_DISCARD: u32 = 7;

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
            let advice = match advice {
                OH_ADVICE_HUGE_PAGES => Advice::HugePages,
                OH_ADVICE_SMALL_PAGES => Advice::SmallPages,
                OH_ADVICE_RANDOM => Advice::Random,
                OH_ADVICE_SEQUENTIAL => Advice::Sequential,
                OH_ADVICE_NORMAL => Advice::Normal,
                OH_ADVICE_WILL_NEED => Advice::WillNeed,
                OH_ADVICE_DISCARD => Advice::Discard,
                _ => return Err(Error::range(format!("{advice} is no OH_ADVICE_… number"))),
            };
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

/// A mapped file: made by `oh_file_open`, freed by `oh_file_close`.
pub struct oh_file(MappedFile);

/// Maps the whole regular file at `path` (`path_length` bytes; UTF-8 on Windows), at the size it
/// has now. Pages are read when they are touched, so any size opens equally fast. The file may be
/// renamed or removed while it is mapped.
///
/// Without `copy_on_write` the bytes are read-only: a store is a segmentation fault. With it they
/// can be written, and what is written stays in this mapping: the file never changes.
///
/// If the file shrinks while it is mapped, reads of what is gone give zeros and `oh_file_lost`
/// turns true, where otherwise SIGBUS would end the process. For that the first call installs a
/// handler for SIGBUS, on Unix; it passes every signal that does not concern a mapped file on to
/// the handler that was there before. Install your own before the first call, or pass signals on
/// too.
///
/// `OH_ERR_IO` if it can not be opened or is no regular file; `OH_ERR_CORRUPT` if it is empty,
/// shorter than a region's header, or its size is not a multiple of 64; `OH_ERR_OOM` if it can not
/// be mapped for lack of memory or address space.
///
/// # Safety
/// `path_length` bytes at `path` are readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_file_open(
    path: *const c_char,
    path_length: usize,
    copy_on_write: bool,
    out: *mut *mut oh_file,
) -> oh_status {
    // SAFETY: the caller vouches for `out` and the path.
    unsafe {
        guard_out(out, || {
            let path = path_from(crate::args::slice(path.cast::<u8>(), path_length, "path")?)?;
            // Memory for the handle first, because `Box::new` could not refuse.
            let mut handle = Vec::new();
            handle.try_reserve_exact(1)?;
            let mode = if copy_on_write { Mode::CopyOnWrite } else { Mode::Read };
            handle.push(oh_file(MappedFile::open(&path, mode)?));
            Ok(Box::into_raw(handle.into_boxed_slice()).cast::<oh_file>())
        })
    }
}

pub(crate) fn path_from(bytes: &[u8]) -> Result<PathBuf> {
    if bytes.is_empty() {
        return Err(Error::wrong_type("the path is empty"));
    }
    if bytes.contains(&0) {
        return Err(Error::wrong_type("the path has a NUL in it"));
    }
    let mut path = Vec::new();
    path.try_reserve_exact(bytes.len())?;
    path.extend_from_slice(bytes);
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStringExt;
        Ok(std::ffi::OsString::from_vec(path).into())
    }
    #[cfg(not(unix))]
    {
        Ok(String::from_utf8(path).map_err(|_| Error::wrong_type("the path is not UTF-8"))?.into())
    }
}

/// The first byte of the mapping; NULL after `oh_file_unmap`. Page-aligned. Write to it only if it
/// was opened with `copy_on_write`.
///
/// # Safety
/// `file` is NULL, or a file that is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_file_data(file: *const oh_file) -> *mut c_void {
    // SAFETY: the caller's.
    unsafe { file.as_ref() }.map_or(std::ptr::null_mut(), |file| file.0.bytes().0.cast())
}

/// The number of bytes: that of the file when it was opened. 0 after `oh_file_unmap`.
///
/// # Safety
/// `file` is NULL, or a file that is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_file_length(file: *const oh_file) -> usize {
    // SAFETY: the caller's.
    unsafe { file.as_ref() }.map_or(0, |file| file.0.bytes().1)
}

/// Whether the file shrank, or could not be read, while it was mapped: then some of the bytes are
/// zeros that were never in the file. Look after reading, not before.
///
/// # Safety
/// `file` is NULL, or a file that is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_file_lost(file: *const oh_file) -> bool {
    // SAFETY: the caller's.
    unsafe { file.as_ref() }.is_some_and(|file| file.0.is_lost())
}

/// The word behind `oh_file_lost`: non-zero once it is lost. Read it atomically. It stays where it
/// is, and readable, until `oh_file_close`. NULL for NULL.
///
/// # Safety
/// `file` is NULL, or a file that is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_file_status(file: *const oh_file) -> *const i32 {
    // SAFETY: the caller's.
    unsafe { file.as_ref() }.map_or(std::ptr::null(), |file| file.0.status().as_ptr().cast_const())
}

/// Moves the bytes to `target`, in the place of what is mapped there, in one step: so a file can
/// appear in memory that something else manages, a JavaScript buffer say. From then on they belong
/// to the owner of that memory, who frees them by unmapping the whole of it; `oh_file_unmap` puts
/// zeros in their place, and `oh_file_close` leaves them alone.
///
/// If `capacity` has room for a page more than the file takes, the last page is replaced too, by
/// zeros but for its last 8 bytes, which tell later whether the memory is still there. Do not write
/// to those. In return, reads of what the file loses give zeros for as long as the memory is there;
/// otherwise only until `oh_file_close` or `oh_file_forget`.
///
/// `OH_ERR_RANGE` if `target` is no multiple of the page size, or `capacity` less than the length
/// in whole pages; `OH_ERR_UNSUPPORTED` where the system can not do it (all but Linux). Nothing has
/// changed then.
///
/// # Safety
/// `file` is open, with `copy_on_write`, and nobody uses its bytes meanwhile, or the old address
/// ever again. `capacity` bytes at `target` are mapped, writable, and given up by their owner.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_file_move(file: *mut oh_file, target: *mut c_void, capacity: usize) -> oh_status {
    guard(|| {
        check_pointer(file, "file")?;
        // SAFETY: not null and aligned; the rest is the caller's word.
        unsafe { (*file).0.move_to(target.cast(), capacity) }
    })
}

/// Lets go of the bytes of a file that was moved, without touching them: for when the owner of
/// their memory frees it, has freed it, or keeps it for others. Unmaps them if it was not moved.
/// Twice is fine, and so is NULL.
///
/// # Safety
/// As for `oh_file_unmap`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_file_forget(file: *mut oh_file) {
    // SAFETY: the caller's.
    if let Some(file) = unsafe { file.as_mut() } {
        file.0.forget();
    }
}

/// Unmaps the bytes and keeps the handle, for those who still look at its status. Twice is fine,
/// and so is NULL.
///
/// # Safety
/// `file` is NULL, or a file that is open; no thread uses its bytes, or the handle, meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_file_unmap(file: *mut oh_file) {
    // No guard: unmapping neither fails nor panics, and there would be no status to return.
    // SAFETY: the caller's.
    if let Some(file) = unsafe { file.as_mut() } {
        file.0.unmap();
    }
}

/// Unmaps the bytes and frees the handle. NULL is fine.
///
/// # Safety
/// `file` is NULL, or a file that is open, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_file_close(file: *mut oh_file) {
    if !file.is_null() {
        // SAFETY: it came from `oh_file_open`, which made it this way, and the caller gives it up.
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(file, 1)) });
    }
}

/// Whether this process may make `count` more memory mappings and then have no more than `percent`
/// hundredths of what the system allows one (Linux: `vm.max_map_count`, 65,530 by default). If so
/// they count as made. For programs that keep many small mappings beside a library that can not
/// bear to be refused one. Always true where the system has no such limit, or does not say. Each
/// mapped file takes one.
///
/// # Safety
/// `granted` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_mappings_reserve(count: usize, percent: u32, granted: *mut bool) -> oh_status {
    // SAFETY: the caller vouches for `granted`.
    unsafe { guard_out(granted, || Ok(reserve(count, percent))) }
}

/// How many files are mapped in this process: for tests that look for leaks.
#[unsafe(no_mangle)]
pub extern "C" fn oh_file_mappings() -> usize {
    live_mappings()
}
