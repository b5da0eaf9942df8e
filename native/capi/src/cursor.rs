//! Reading of bytes from front to back (`oh_cursor`): those of a mapped file, or any others.

use crate::args::{check_bytes, check_pointer};
use crate::guard::guard;
use crate::status::oh_status;
use offheap_core::Result;
use offheap_core::mmap::cursor::Cursor;
use std::ffi::{c_char, c_void};

/// A position in bytes: set all three. Every read is checked against `size` first, whatever a
/// length in the bytes says; one that is refused leaves the position where it was.
///
/// Reads give `OH_ERR_RANGE` past the end, and `OH_ERR_CORRUPT` for a varint or text that is none.
/// Whether a mapped file is still whole, `oh_mappedfile_check` tells.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_cursor {
    /// The first byte.
    pub base: *const c_void,
    /// How many bytes there are.
    pub size: usize,
    /// The position of the next read, in bytes from the first.
    pub position: usize,
}

/// Runs `read`, and moves the cursor on if that succeeds.
///
/// # Safety
/// `cursor` is valid, used by no one else meanwhile, and its bytes are readable.
unsafe fn reading<'a, T>(
    cursor: *mut oh_cursor,
    out: *mut T,
    read: impl FnOnce(&mut Cursor<'a>) -> Result<T>,
) -> Result<()> {
    check_pointer(cursor, "cursor")?;
    check_pointer(out, "the output")?;
    // SAFETY: not null and aligned; the caller guarantees that no one else uses the cursor, and that
    // its bytes are readable.
    unsafe {
        let given = *cursor;
        let base = check_bytes(given.base, given.size, "cursor.base")?;
        let mut inner = Cursor::over(base, given.size, given.position);
        out.write(read(&mut inner)?);
        (*cursor).position = inner.position();
    }
    Ok(())
}

/// Passes over `count` bytes, and gives where they are: for numbers, copy them from there.
///
/// # Safety
/// `cursor` is valid and used by no one else meanwhile; its bytes are readable; `bytes` is
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_cursor_take(
    cursor: *mut oh_cursor,
    count: usize,
    bytes: *mut *const c_void,
) -> oh_status {
    // SAFETY: the caller guarantees all of it.
    guard(|| unsafe { reading(cursor, bytes, |cursor| Ok(cursor.skip(count)?.cast())) })
}

/// Reads an unsigned LEB128 varint of up to 64 bits.
///
/// # Safety
/// As for `oh_cursor_take`; `value` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_cursor_varint(cursor: *mut oh_cursor, value: *mut u64) -> oh_status {
    // SAFETY: the caller guarantees all of it.
    guard(|| unsafe { reading(cursor, value, Cursor::read_varint) })
}

/// Text, where it lies: `length` bytes of UTF-8 at `data`, not ended by a NUL.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_text {
    /// The first byte.
    pub data: *const c_char,
    /// How many there are.
    pub length: usize,
}

/// Reads text whose length in bytes is a varint before it. It is checked to be UTF-8, and not
/// copied.
///
/// # Safety
/// As for `oh_cursor_take`, and nobody writes the bytes meanwhile; `text` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_cursor_text(cursor: *mut oh_cursor, text: *mut oh_text) -> oh_status {
    // SAFETY: the caller guarantees all of it.
    guard(|| unsafe { reading(cursor, text, |cursor| found(cursor.read_text(None)?)) })
}

/// Reads text of `length` bytes. It is checked to be UTF-8, and not copied.
///
/// # Safety
/// As for `oh_cursor_text`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_cursor_text_of(
    cursor: *mut oh_cursor,
    length: usize,
    text: *mut oh_text,
) -> oh_status {
    // SAFETY: the caller guarantees all of it.
    guard(|| unsafe { reading(cursor, text, |cursor| found(cursor.read_text(Some(length))?)) })
}

fn found(text: &str) -> Result<oh_text> {
    Ok(oh_text { data: text.as_ptr().cast(), length: text.len() })
}
