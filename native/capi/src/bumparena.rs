//! BumpArena: blocks one after another, released all at once or one scope at a time.

use crate::args::check_pointer;
use crate::guard::{guard, guard_out};
use crate::options::{Flag, option_struct, read_optional_struct};
use crate::status::oh_status;
use offheap_core::Result;
use offheap_core::pools::bump::RawBumpArena;
use offheap_core::pools::bump::layout::{GUARDS, ZERO_ON_FREE};
use offheap_core::pools::bump::raw::Mark;
use std::ffi::c_void;

/// Options of a new arena. Set all bytes to 0, and then `struct_size`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_bumparena_options {
    /// `sizeof(oh_bumparena_options)`
    pub struct_size: usize,
    /// The largest alignment of a block: a power of two from 8 to 4096; 0 means 64. The data begins
    /// at a multiple of it.
    pub align: u32,
    /// Fill released blocks with zeros.
    pub zero_on_free: Flag,
    /// Put 16 known bytes after each block, and check them when it is released.
    pub guards: Flag,
}
option_struct!(oh_bumparena_options, through guards: Flag);

/// The state to which `oh_bumparena_release` returns. Treat the fields as opaque.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct oh_bumparena_mark {
    /// Allocated granules of 8 bytes.
    pub top: u32,
    /// The block that was allocated last.
    pub last: u32,
    /// Number of allocated blocks.
    pub blocks: u32,
    /// Number of resets before the mark.
    pub resets: u32,
    /// The enclosing mark.
    pub floor: u32,
}

/// The size and the counters of an arena. Sizes are in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct oh_bumparena_info {
    /// Size of the region. The memory may be longer.
    pub region_size: u64,
    /// Offset of the data from the start of the region.
    pub data: u64,
    /// Size of the data.
    pub capacity: u64,
    /// Allocated bytes, including alignment and guards.
    pub used: u64,
    /// The largest value of `used` so far.
    pub peak: u64,
    /// Number of allocated blocks.
    pub blocks: u32,
    /// Number of requests that found no room, modulo 2^32.
    pub failures: u32,
    /// Number of resets, modulo 2^32.
    pub resets: u32,
    /// The largest alignment of a block.
    pub align: u32,
}

/// The arena in these bytes.
///
/// # Safety
/// `base` is valid for reading and writing `length` bytes, or only for reading if the arena is not
/// changed.
unsafe fn arena(base: *mut c_void, length: usize) -> Result<RawBumpArena> {
    // SAFETY: the caller's.
    unsafe { RawBumpArena::attach(base.cast(), length) }
}

/// Creates an empty arena in `length` bytes at `base`, a multiple of 8. Blocks are aligned if
/// `base` is a multiple of the largest alignment. The arena can be enlarged later
/// (`oh_bumparena_extend`). New blocks contain whatever the memory contained before. `options` may
/// be NULL.
///
/// `OH_ERR_FULL` if `length` is too small (the header takes 256 bytes and the alignment);
/// `OH_ERR_RANGE` for an invalid alignment.
///
/// # Safety
/// `base` is valid for reading and writing `length` bytes that no other thread uses; `options` is
/// NULL, or points to as many readable bytes as its `struct_size` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_init(
    base: *mut c_void,
    length: usize,
    options: *const oh_bumparena_options,
) -> oh_status {
    guard(|| {
        // SAFETY: the caller guarantees that the struct has the size that it says.
        let options = unsafe { read_optional_struct(options, "options") }?;
        let align = options.map_or(0, |options| options.align);
        let flags = options
            .map_or(0, |options| options.zero_on_free.bits(ZERO_ON_FREE) | options.guards.bits(GUARDS));
        // SAFETY: the caller guarantees that the bytes are writable and used by no one else.
        unsafe { RawBumpArena::init(base.cast(), length, if align == 0 { 64 } else { align }, flags) }?;
        Ok(())
    })
}

/// Checks in constant time that `length` bytes at `base` contain a bump arena.
///
/// After `OH_OK`, no `oh_bumparena_` function reads or writes outside these bytes, whatever their
/// contents. Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for
/// another kind of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
///
/// # Safety
/// `length` bytes at `base` are readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller's; attaching only reads.
    guard(|| unsafe { arena(base.cast_mut(), length) }.map(drop))
}

/// Tells the arena that its memory is `length` bytes long now, and may have moved to another
/// address with the same contents. Offsets and marks stay valid. `OH_ERR_RANGE` if the memory
/// became shorter.
///
/// # Safety
/// `base` is valid for reading and writing `length` bytes, and no other thread uses the arena.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_extend(base: *mut c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `length` bytes at `base` are writable and that one thread
    // at a time changes an arena.
    guard(|| unsafe { arena(base, length)?.extend(base.cast(), length) })
}

/// Allocates a block of `bytes` bytes at a multiple of `align`, a power of two; values below 8
/// count as 8. `*offset` becomes its offset from the address that `oh_bumparena_data` returns. A
/// block of 0 bytes has its own offset, too.
///
/// `OH_ERR_FULL` if there is no room; `OH_ERR_RANGE` for an alignment that is not a power of two,
/// or greater than the largest of the arena.
///
/// # Safety
/// `base` is valid for reading and writing `length` bytes, and no other thread uses the arena;
/// `offset` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_alloc(
    base: *mut c_void,
    length: usize,
    bytes: u64,
    align: u32,
    offset: *mut u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `length` bytes at `base` are writable, that one thread at
    // a time changes an arena, that `offset` is writable.
    unsafe { guard_out(offset, || arena(base, length)?.alloc(bytes, align)) }
}

/// Returns the address of offset 0. It is valid as long as the region stays at its address.
///
/// # Safety
/// `length` bytes at `base` are readable; `data` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_data(
    base: *const c_void,
    length: usize,
    data: *mut *mut c_void,
) -> oh_status {
    // SAFETY: the caller's; attaching only reads.
    unsafe { guard_out(data, || Ok(arena(base.cast_mut(), length)?.data().cast())) }
}

/// Frees a block, if it is the last one that was allocated since the innermost mark. Other blocks
/// stay allocated until they are released.
///
/// `OH_ERR_STALE` for a block that was released already; `OH_ERR_RANGE` for an offset at which no
/// block can begin. With guards, every block is checked: `OH_ERR_STALE` for a block that was freed
/// before; `OH_ERR_CORRUPT` for one that was overrun, which stays allocated. Without guards, an
/// offset in the middle of a block is not detected.
///
/// # Safety
/// As for `oh_bumparena_extend`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_free(base: *mut c_void, length: usize, offset: u64) -> oh_status {
    // SAFETY: the caller guarantees that `length` bytes at `base` are writable and that one thread
    // at a time changes an arena.
    guard(|| unsafe { arena(base, length) }?.free(offset))
}

/// Begins a scope: `*mark` becomes the current state of the arena. Scopes can be nested.
///
/// # Safety
/// As for `oh_bumparena_extend`; `mark` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_begin(
    base: *mut c_void,
    length: usize,
    mark: *mut oh_bumparena_mark,
) -> oh_status {
    // SAFETY: the caller guarantees that `length` bytes at `base` are writable, that one thread at
    // a time changes an arena, that `mark` is writable.
    unsafe {
        guard_out(mark, || {
            let Mark { top, last, blocks, resets, floor } = arena(base, length)?.mark();
            Ok(oh_bumparena_mark { top, last, blocks, resets, floor })
        })
    }
}

/// Ends a scope: releases all blocks that were allocated since the mark was made. End nested scopes
/// in reverse order, or only the outer one. Takes O(1), or time proportional to the released bytes
/// with guards or zeros.
///
/// `OH_ERR_STALE` for a mark that was made before a reset, or inside a scope that ended.
/// `OH_ERR_CORRUPT` if guards show that a block was overrun; everything is released nevertheless.
///
/// # Safety
/// As for `oh_bumparena_extend`; `mark` is readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_release(
    base: *mut c_void,
    length: usize,
    mark: *const oh_bumparena_mark,
) -> oh_status {
    guard(|| {
        check_pointer(mark, "mark")?;
        // SAFETY: not null and aligned; the caller guarantees the rest.
        unsafe {
            let oh_bumparena_mark { top, last, blocks, resets, floor } = *mark;
            arena(base, length)?.release(&Mark { top, last, blocks, resets, floor })
        }
    })
}

/// Releases all blocks. Takes O(1), or time proportional to the released bytes with guards or
/// zeros. `OH_ERR_CORRUPT` as for `oh_bumparena_release`.
///
/// # Safety
/// As for `oh_bumparena_extend`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_reset(base: *mut c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `length` bytes at `base` are writable and that one thread
    // at a time changes an arena.
    guard(|| unsafe { arena(base, length) }?.reset())
}

/// Returns the size and the counters of an arena.
///
/// # Safety
/// `length` bytes at `base` are readable; `info` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_get_info(
    base: *const c_void,
    length: usize,
    info: *mut oh_bumparena_info,
) -> oh_status {
    // SAFETY: the caller's; nothing here writes to the arena.
    unsafe {
        guard_out(info, || {
            let arena = arena(base.cast_mut(), length)?;
            let (shape, stats) = (arena.shape(), arena.stats());
            Ok(oh_bumparena_info {
                region_size: shape.length,
                data: shape.data(),
                capacity: stats.capacity,
                used: stats.used,
                peak: stats.peak,
                blocks: stats.blocks,
                failures: stats.failures,
                resets: stats.resets,
                align: shape.align,
            })
        })
    }
}

/// Verifies the counters of an arena and, with guards, every block. `OH_ERR_CORRUPT` if something
/// is wrong; `oh_last_error` describes the first error found.
///
/// # Safety
/// `length` bytes at `base` are readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller's; nothing here writes to the arena.
    guard(|| unsafe { arena(base.cast_mut(), length) }?.validate())
}
