//! Sorting the suffixes of a text.

use super::{Shape, word};
use crate::cpu::Features;
use crate::region::control::Progress;
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, ErrorKind, Result, simd};

/// Sorts the suffixes of the text of `len` bytes at `text` into `room` bytes at `base`, at least
/// [`Shape::length`], else `Full`. O(len). With an error the memory is no region.
///
/// # Safety
/// `base` is valid for writing `room` bytes that no other thread uses; `len` bytes are readable at
/// `text`, and are not among them.
pub unsafe fn build(base: *mut u8, room: usize, text: *const u8, len: usize) -> Result<()> {
    // SAFETY: the caller's word; the text fits by its shape.
    unsafe {
        let (memory, _) = check(base, room, len)?;
        simd::copy_in(Features::get().level(), memory.at(Shape::TEXT), text, len);
        build_in_place(base, room, len, Progress::NONE).map(|_| ())
    }
}

/// [`build`] for a text that lies where it belongs already, [`Shape::TEXT`] bytes behind `base`.
/// `false` if someone cancelled it meanwhile, which is seen at the end only, because libsais can
/// not be interrupted; the memory is no region then.
///
/// # Safety
/// As for [`build`].
pub unsafe fn build_in_place(base: *mut u8, room: usize, len: usize, progress: Progress<'_>) -> Result<bool> {
    // SAFETY: the caller's word; all parts of a shape lie within its length, which `check`
    // compares.
    unsafe {
        let (memory, shape) = check(base, room, len)?;
        progress.expect(len as u64);
        memory.begin_region(Kind::SuffixArray, shape.length as u64);
        memory.set_double_word(word::LENGTH, len as u64);
        let text = memory.at(Shape::TEXT);
        text.add(len).write_bytes(0, shape.positions - Shape::TEXT - len);
        let positions = memory.at(shape.positions);
        positions.add(len * 4).write_bytes(0, shape.length - shape.positions - len * 4);
        // At a multiple of 64 from a base that is one of 8. A text is short enough for i32.
        let (positions, count) = (positions.cast::<i32>(), len as i32);
        match libsais_sys::libsais::libsais(text, positions, count, 0, std::ptr::null_mut()) {
            0 => {}
            -2 => return Err(Error::oom("out of memory to sort suffixes")),
            code => return Err(Error::new(ErrorKind::Native, format!("libsais answers {code}"))),
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
    // SAFETY: the caller's word.
    let memory = unsafe { Memory::new(base, room) }?;
    if shape.length > room {
        let length = shape.length;
        return Err(Error::full(format!("the suffix array takes {length} bytes where there are {room}")));
    }
    Ok((memory, shape))
}
