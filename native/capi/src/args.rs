//! Reading arguments from C: NULL, alignment and length are checked here.
//!
//! The caller guarantees only what cannot be checked: that the bytes exist. `what` names the
//! argument in the message.

use offheap_core::region::element::Type;
use offheap_core::region::numbers::{Numbers, NumbersMut};
use offheap_core::{Error, Result};
use std::ffi::{c_char, c_void};
use std::path::PathBuf;

/// Refuses a null or misaligned pointer.
#[inline]
pub fn check_pointer<T>(pointer: *const T, what: &'static str) -> Result<()> {
    if pointer.is_null() {
        return Err(Error::wrong_type(format!("{what} is NULL")));
    }
    if !pointer.is_aligned() {
        return Err(Error::wrong_type(format!("{what} is not aligned to {} bytes", align_of::<T>())));
    }
    Ok(())
}

/// Refuses a length that exceeds the largest possible size of an object.
#[inline]
fn check_length(len: usize, width: usize, what: &'static str) -> Result<()> {
    if len.checked_mul(width).is_none_or(|bytes| bytes > isize::MAX as usize) {
        return Err(Error::range(format!("{what} is too long ({len})")));
    }
    Ok(())
}

/// Refuses a misaligned pointer to an output that may be NULL. An operation that changes something
/// calls it first, so that a refused one changes nothing.
#[inline]
pub fn check_optional<T>(pointer: *const T, what: &'static str) -> Result<()> {
    if pointer.is_null() { Ok(()) } else { check_pointer(pointer, what) }
}

/// Refuses an array of `len` elements of `width` bytes that is NULL, misaligned, or too long. A
/// width of 0 counts as 1. NULL is allowed if the array is empty.
pub fn check_array(pointer: *const c_void, width: usize, len: usize, what: &'static str) -> Result<()> {
    if len == 0 {
        return Ok(());
    }
    let width = width.max(1);
    check_pointer(pointer, what)?;
    if !pointer.addr().is_multiple_of(width) {
        return Err(Error::wrong_type(format!("{what} is not aligned to {width} bytes")));
    }
    check_length(len, width, what)
}

/// Refuses a start index past the last of `count` keys.
pub fn check_from(from: usize, count: usize) -> Result<()> {
    if from <= count {
        return Ok(());
    }
    Err(Error::range(format!("from ({from}) is past the last key ({count})")))
}

/// `len` elements to read. `(NULL, 0)` is the empty slice.
///
/// # Safety
/// `pointer` is null, or points to `len` readable elements that no thread writes during `'a`.
#[inline]
pub unsafe fn slice<'a, T>(pointer: *const T, len: usize, what: &'static str) -> Result<&'a [T]> {
    if len == 0 {
        return Ok(&[]);
    }
    check_pointer(pointer, what)?;
    check_length(len, size_of::<T>(), what)?;
    // SAFETY: not null, aligned and of a possible length (just checked); the rest is the caller's
    // word.
    Ok(unsafe { std::slice::from_raw_parts(pointer, len) })
}

/// `len` elements to write. `(NULL, 0)` is the empty slice.
///
/// Not for memory that another thread may access at the same time (shared regions), which must be
/// accessed through raw pointers and atomics only.
///
/// # Safety
/// `pointer` is null, or points to `len` initialized elements that no one else uses during `'a`.
#[inline]
pub unsafe fn slice_mut<'a, T>(pointer: *mut T, len: usize, what: &'static str) -> Result<&'a mut [T]> {
    if len == 0 {
        return Ok(&mut []);
    }
    check_pointer(pointer, what)?;
    check_length(len, size_of::<T>(), what)?;
    // SAFETY: as in `slice`, and the caller guarantees that it is the only user.
    Ok(unsafe { std::slice::from_raw_parts_mut(pointer, len) })
}

/// Bytes of any alignment, which other threads may be writing. `(NULL, 0)` is the empty sequence.
pub fn check_bytes(base: *const c_void, length: usize, what: &'static str) -> Result<*const u8> {
    if length > 0 {
        check_pointer(base, what)?;
    }
    // Rust's limit for one object; nothing can be as large as that.
    if length > isize::MAX as usize || base.addr().checked_add(length).is_none() {
        return Err(Error::range(format!("{what} is too long ({length})")));
    }
    Ok(base.cast::<u8>())
}

/// The path of `length` bytes at `path`: any bytes on Unix, UTF-8 elsewhere.
///
/// # Safety
/// `length` bytes at `path` are readable.
pub unsafe fn read_path(path: *const c_char, length: usize) -> Result<PathBuf> {
    // SAFETY: the caller guarantees that the bytes are readable.
    path_from(unsafe { slice(path.cast::<u8>(), length, "path") }?)
}

fn path_from(bytes: &[u8]) -> Result<PathBuf> {
    if bytes.is_empty() {
        return Err(Error::wrong_type("the path is empty"));
    }
    if bytes.contains(&0) {
        return Err(Error::wrong_type("the path contains a NUL"));
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

/// The number of bytes in `count` pieces of `length` bytes.
pub fn total(count: usize, length: usize) -> Result<usize> {
    count
        .checked_mul(length)
        .ok_or_else(|| Error::range(format!("{count} times {length} bytes are too many")))
}

/// The type with this number.
pub fn type_of(number: u32, what: &str) -> Result<Type> {
    Type::from_number(number)
        .ok_or_else(|| Error::wrong_type(format!("invalid oh_type for {what}: {number}")))
}

/// The type of numbers with this number: `OH_TYPE_U8` to `OH_TYPE_I64`.
pub fn numeric_type(number: u32) -> Result<Type> {
    let ty = Type::from_number(number).filter(|ty| ty.is_numeric());
    ty.ok_or_else(|| Error::wrong_type(format!("invalid oh_type for numbers: {number}")))
}

/// `count` numbers of an `oh_type` to read. `(NULL, 0)` is the empty array.
///
/// # Safety
/// `pointer` is null, or points to `count` readable elements of the type.
pub unsafe fn numbers<'a>(
    pointer: *const c_void,
    ty: u32,
    count: usize,
    what: &'static str,
) -> Result<Numbers<'a>> {
    // SAFETY: the caller guarantees `count` readable elements; null is refused there unless `count`
    // is 0.
    unsafe { Numbers::new(pointer.cast(), type_of(ty, what)?, count, what) }
}

/// `count` numbers of an `oh_type` to write.
///
/// # Safety
/// `pointer` is null, or points to `count` writable elements of the type.
pub unsafe fn numbers_mut<'a>(
    pointer: *mut c_void,
    ty: u32,
    count: usize,
    what: &'static str,
) -> Result<NumbersMut<'a>> {
    // SAFETY: the caller guarantees `count` writable elements; null is refused there unless `count`
    // is 0.
    unsafe { NumbersMut::new(pointer.cast(), type_of(ty, what)?, count, what) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use offheap_core::ErrorKind;

    #[test]
    fn hostile_pointers_and_lengths_are_refused() {
        let words = [1u32, 2, 3];
        let odd = words.as_ptr().cast::<u8>().wrapping_add(1).cast::<u32>();
        // SAFETY: refused pointers are not read, and the others point to a live array.
        unsafe {
            assert_eq!(slice(words.as_ptr(), 3, "words").unwrap(), &words);
            assert_eq!(slice::<u32>(std::ptr::null(), 0, "words").unwrap(), &[]);
            let error = slice::<u32>(std::ptr::null(), 1, "words").unwrap_err();
            assert_eq!((error.kind(), error.message()), (ErrorKind::Type, "words is NULL"));
            assert_eq!(slice(odd, 1, "words").unwrap_err().kind(), ErrorKind::Type);
            assert_eq!(slice(words.as_ptr(), usize::MAX, "words").unwrap_err().kind(), ErrorKind::Range);
            let error = slice_mut::<u32>(std::ptr::null_mut(), 1, "out").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Type);
        }
    }
}
