//! Building a suffix array.

use super::{Shape, word};
use crate::cpu::Features;
use crate::region::control::Progress;
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, ErrorKind, Result, simd};

/// Sorts the suffixes of the text of `len` bytes at `text` into `room` bytes at `base`. `Full` if
/// that is less than [`Shape::length`]. O(len). After an error the memory contains no region.
///
/// # Safety
/// `base` is valid for writing `room` bytes that no other thread uses; `len` bytes are readable at
/// `text`, and do not overlap them.
pub unsafe fn build(base: *mut u8, room: usize, text: *const u8, len: usize) -> Result<()> {
    // SAFETY: both ranges are guaranteed by the caller, and `check` ensures that the text fits.
    unsafe {
        let (memory, _) = check(base, room, len)?;
        simd::copy_in(Features::get().level(), memory.at(Shape::TEXT), text, len);
        build_in_place(base, room, len, Progress::NONE).map(|_| ())
    }
}

/// [`build`] for a text that already is in place, [`Shape::TEXT`] bytes after `base`. Returns
/// `false` if the operation was canceled. Cancellation takes effect only at the end, because
/// libsais cannot be interrupted; the memory then contains no region.
///
/// # Safety
/// As for [`build`].
pub unsafe fn build_in_place(base: *mut u8, room: usize, len: usize, progress: Progress<'_>) -> Result<bool> {
    // SAFETY: the caller guarantees that `room` bytes are writable, and `check` that all parts of
    // the shape are within them.
    unsafe {
        let (memory, shape) = check(base, room, len)?;
        progress.expect(len as u64);
        memory.begin_region(Kind::SuffixArray, shape.length as u64);
        memory.set_double_word(word::LENGTH, len as u64);
        let text = memory.at(Shape::TEXT);
        text.add(len).write_bytes(0, shape.positions - Shape::TEXT - len);
        let positions = memory.at(shape.positions);
        positions.add(len * 4).write_bytes(0, shape.length - shape.positions - len * 4);
        // The positions are at a multiple of 64 from the base, which is a multiple of 8, so they
        // are aligned. The text's length fits an i32.
        let (positions, count) = (positions.cast::<i32>(), len as i32);
        match libsais_sys::libsais::libsais(text, positions, count, 0, std::ptr::null_mut()) {
            0 => {}
            -2 => return Err(Error::oom("out of memory for sorting suffixes")),
            code => return Err(Error::new(ErrorKind::Native, format!("libsais failed with code {code}"))),
        }
        if progress.advance(len).is_err() {
            return Ok(false);
        }
        memory.end_region();
    }
    Ok(true)
}

/// # Safety
/// As for [`build`].
unsafe fn check(base: *mut u8, room: usize, len: usize) -> Result<(Memory, Shape)> {
    let shape = Shape::new(len)?;
    // SAFETY: the caller guarantees that `room` bytes at `base` are writable.
    let memory = unsafe { Memory::new(base, room) }?;
    if shape.length > room {
        let length = shape.length;
        return Err(Error::full(format!("the suffix array needs {length} bytes, not {room}")));
    }
    Ok((memory, shape))
}
