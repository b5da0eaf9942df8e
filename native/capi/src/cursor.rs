//! Reading bytes from front to back (`oh_cursor`), in a mapped file or in other memory.

use crate::args::{check_bytes, check_pointer};
use crate::guard::guard;
use crate::status::oh_status;
use offheap_core::Result;
use offheap_core::mmap::cursor::Cursor;
use std::ffi::{c_char, c_void};

/// A position in a sequence of bytes. Set all three fields. Every read is checked against `size`
/// first, whatever the bytes contain. A refused read does not move the position.
///
/// Reads return `OH_ERR_RANGE` past the end, and `OH_ERR_CORRUPT` for an invalid varint or text. To
/// find out whether bytes of a mapped file were lost, call `oh_mappedfile_check`.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_cursor {
    /// The first byte.
    pub base: *const c_void,
    /// Number of bytes.
    pub size: usize,
    /// Offset of the next read in bytes.
    pub position: usize,
}

/// Runs `read`, and moves the cursor if that succeeds.
///
/// # Safety
/// `cursor` is valid, used by no other thread at the same time, and its bytes are readable.
unsafe fn reading<'a, T>(
    cursor: *mut oh_cursor,
    out: *mut T,
    read: impl FnOnce(&mut Cursor<'a>) -> Result<T>,
) -> Result<()> {
    check_pointer(cursor, "cursor")?;
    check_pointer(out, "the output")?;
    // SAFETY: not null and aligned; the caller guarantees that no one else uses the cursor, and
    // that its bytes are readable.
    unsafe {
        let given = *cursor;
        let base = check_bytes(given.base, given.size, "cursor.base")?;
        let mut inner = Cursor::over(base, given.size, given.position);
        out.write(read(&mut inner)?);
        (*cursor).position = inner.position();
    }
    Ok(())
}

/// Skips `count` bytes and returns their address. To read a number, copy it from there, because it
/// may be misaligned.
///
/// # Safety
/// `cursor` is valid and used by no other thread at the same time; its bytes are readable; `bytes`
/// is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_cursor_take(
    cursor: *mut oh_cursor,
    count: usize,
    bytes: *mut *const c_void,
) -> oh_status {
    // SAFETY: the caller guarantees that `cursor` is valid and used by no other thread at the same
    // time, that its bytes are readable, that `bytes` is writable.
    guard(|| unsafe { reading(cursor, bytes, |cursor| Ok(cursor.skip(count)?.cast())) })
}

/// Reads an unsigned LEB128 varint of up to 64 bits.
///
/// # Safety
/// As for `oh_cursor_take`; `value` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_cursor_varint(cursor: *mut oh_cursor, value: *mut u64) -> oh_status {
    // SAFETY: the caller guarantees that `cursor` is valid and used by no other thread at the same
    // time, that its bytes are readable, that `bytes` is writable, that `value` is writable.
    guard(|| unsafe { reading(cursor, value, Cursor::read_varint) })
}

/// A text in place: `length` bytes of UTF-8 at `data`, not terminated by a NUL.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_text {
    /// The first byte.
    pub data: *const c_char,
    /// Number of bytes.
    pub length: usize,
}

/// Reads a text after its length in bytes, a varint. The text is checked to be UTF-8, and not
/// copied.
///
/// # Safety
/// As for `oh_cursor_take`; no thread writes the bytes while the text is used; `text` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_cursor_text(cursor: *mut oh_cursor, text: *mut oh_text) -> oh_status {
    // SAFETY: the caller guarantees that `cursor` is valid and used by no other thread at the same
    // time, that its bytes are readable, that `bytes` is writable, that no thread writes the bytes
    // meanwhile, that `text` is writable.
    guard(|| unsafe { reading(cursor, text, |cursor| found(cursor.read_text(None)?)) })
}

/// Reads a text of `length` bytes. The text is checked to be UTF-8, and not copied.
///
/// # Safety
/// As for `oh_cursor_text`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_cursor_text_of(
    cursor: *mut oh_cursor,
    length: usize,
    text: *mut oh_text,
) -> oh_status {
    // SAFETY: the caller guarantees that `cursor` is valid and used by no other thread at the same
    // time, that its bytes are readable, that `bytes` is writable, that no thread writes the bytes
    // meanwhile, that `text` is writable.
    guard(|| unsafe { reading(cursor, text, |cursor| found(cursor.read_text(Some(length))?)) })
}

fn found(text: &str) -> Result<oh_text> {
    Ok(oh_text { data: text.as_ptr().cast(), length: text.len() })
}
