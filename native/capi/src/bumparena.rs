//! BumpArena: blocks one behind the other, given back all at once or a scope at a time.

use crate::args::check_pointer;
use crate::guard::{guard, guard_out};
use crate::options::{Flag, option_struct, read_optional_struct};
use crate::status::oh_status;
use offheap_core::Result;
use offheap_core::pools::bump::RawBumpArena;
use offheap_core::pools::bump::layout::{GUARDS, ZERO_ON_FREE};
use offheap_core::pools::bump::raw::Mark;
use std::ffi::c_void;

/// How an arena is made. Set `struct_size` to `sizeof(oh_bumparena_options)`, and what you do not
/// need to zero.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_bumparena_options {
    /// `sizeof(oh_bumparena_options)`: so that later versions can add to the end.
    pub struct_size: usize,
    /// The largest alignment that will be asked for: a power of two from 8 to 4096; 0 means 64. The
    /// data begins at a multiple of it.
    pub align: u32,
    /// Fill what is released with zeros.
    pub zero_on_free: Flag,
    /// Put 16 known bytes behind each block, and look at them when it is released.
    pub guards: Flag,
}
option_struct!(oh_bumparena_options, through guards: Flag);

/// How far an arena was filled: what `oh_bumparena_release` goes back to. Its fields are the
/// library's.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct oh_bumparena_mark {
    /// Granules of 8 bytes taken.
    pub top: u32,
    /// The block allocated last.
    pub last: u32,
    /// Allocated blocks.
    pub blocks: u32,
    /// Resets before it.
    pub resets: u32,
    /// The mark around it.
    pub floor: u32,
}

/// What an arena holds. Sizes are in bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct oh_bumparena_info {
    /// Of the whole region: what would be saved. The memory may be longer.
    pub region_size: u64,
    /// Where the data begins, from the region's start: the address of offset 0.
    pub data: u64,
    /// Bytes that blocks can have in all.
    pub capacity: u64,
    /// Bytes taken, with what alignment and guards cost.
    pub used: u64,
    /// The most that has been.
    pub peak: u64,
    /// Allocated blocks.
    pub blocks: u32,
    /// Requests that found no room, modulo 2^32.
    pub failures: u32,
    /// How often it was reset, modulo 2^32.
    pub resets: u32,
    /// The largest alignment.
    pub align: u32,
}

/// The arena in these bytes.
///
/// # Safety
/// As for `RawBumpArena::attach`.
unsafe fn arena(base: *mut c_void, length: usize) -> Result<RawBumpArena> {
    // SAFETY: the caller's.
    unsafe { RawBumpArena::attach(base.cast(), length) }
}

/// Makes an empty arena in `length` bytes at `base`, a multiple of 8: offsets are aligned addresses
/// where `base` is a multiple of the largest alignment. It can be made longer later: see
/// `oh_bumparena_extend`. Blocks hold what was in the memory before. `options` may be NULL.
///
/// `OH_ERR_FULL` if the bytes are too few (256 and the alignment are for the header);
/// `OH_ERR_RANGE` for an alignment that can not be.
///
/// # Safety
/// `length` bytes at `base` are writable, and nobody else uses them; `options` is NULL, or points
/// to as many bytes as its `struct_size` says.
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

/// The check that every call here makes: in constant time, that there is an arena in these bytes.
///
/// # Safety
/// `length` bytes at `base` are readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller's; attaching only reads.
    guard(|| unsafe { arena(base.cast_mut(), length) }.map(drop))
}

/// Takes in that the memory behind the arena is `length` bytes long now, perhaps at another
/// address, with the same bytes: blocks, offsets and marks stay. `OH_ERR_RANGE` if it would get
/// shorter.
///
/// # Safety
/// `length` bytes at `base` are writable; one thread at a time changes an arena.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_extend(base: *mut c_void, length: usize) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { arena(base, length)?.extend(base.cast(), length) })
}

/// A block of `bytes` bytes at a multiple of `align` (a power of two; less than 8 is as good as 8):
/// its offset from the arena's data, which `oh_bumparena_data` tells. A block of 0 bytes has an
/// offset of its own, too.
///
/// `OH_ERR_FULL` where there is no room; `OH_ERR_RANGE` for an alignment that is no power of two,
/// or more than the arena was made for.
///
/// # Safety
/// `length` bytes at `base` are writable; one thread at a time changes an arena; `offset` is
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_alloc(
    base: *mut c_void,
    length: usize,
    bytes: u64,
    align: u32,
    offset: *mut u64,
) -> oh_status {
    // SAFETY: the caller's.
    unsafe { guard_out(offset, || arena(base, length)?.alloc(bytes, align)) }
}

/// The address of offset 0. It stays while the region does.
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

/// Gives the block back that was allocated last, since the innermost mark; any other one stays
/// until it is released.
///
/// `OH_ERR_STALE` for one that was released already, `OH_ERR_RANGE` for an offset where no block
/// can begin. With guards every block is checked: `OH_ERR_STALE` for one that was freed before,
/// `OH_ERR_CORRUPT` for one that was overrun, which stays. Without them an offset in the middle of
/// a block is not noticed.
///
/// # Safety
/// As for `oh_bumparena_extend`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_free(base: *mut c_void, length: usize, offset: u64) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { arena(base, length) }?.free(offset))
}

/// How far the arena is filled now: a scope begins. Scopes nest.
///
/// # Safety
/// As for `oh_bumparena_extend`; `mark` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_begin(
    base: *mut c_void,
    length: usize,
    mark: *mut oh_bumparena_mark,
) -> oh_status {
    // SAFETY: the caller's.
    unsafe {
        guard_out(mark, || {
            let Mark { top, last, blocks, resets, floor } = arena(base, length)?.mark();
            Ok(oh_bumparena_mark { top, last, blocks, resets, floor })
        })
    }
}

/// Gives back everything that was allocated since the mark was made. Scopes end in the opposite
/// order, or only the outer one does. O(1); with zeros or guards O(bytes).
///
/// `OH_ERR_STALE` for a mark from before a reset, or inside one that was released. `OH_ERR_CORRUPT`
/// where guards show that a block was overrun: everything is released all the same.
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
        // SAFETY: not null and aligned; the rest is the caller's word.
        unsafe {
            let oh_bumparena_mark { top, last, blocks, resets, floor } = *mark;
            arena(base, length)?.release(&Mark { top, last, blocks, resets, floor })
        }
    })
}

/// Gives everything back. O(1); with zeros or guards O(bytes). `OH_ERR_CORRUPT` as for
/// `oh_bumparena_release`.
///
/// # Safety
/// As for `oh_bumparena_extend`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_reset(base: *mut c_void, length: usize) -> oh_status {
    // SAFETY: the caller's.
    guard(|| unsafe { arena(base, length) }?.reset())
}

/// Counts and sizes.
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

/// Proves that the arena's words can be, and with guards that every record and guard is whole.
/// `OH_ERR_CORRUPT`.
///
/// # Safety
/// `length` bytes at `base` are readable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_bumparena_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller's; nothing here writes to the arena.
    guard(|| unsafe { arena(base.cast_mut(), length) }?.validate())
}
