//! Packing integers from an array of any type.

use super::layout::Shape;
use crate::region::memory::Memory;
use crate::region::numbers::{CHUNK, MAX_SAFE, Numbers};
use crate::{Error, Result};

/// The number of bits that the largest value needs: at least 1. `Range` if a value is not an
/// integer from 0 on.
pub fn measure(values: &Numbers<'_>) -> Result<u32> {
    let mut chunk = [0; CHUNK];
    let mut all = 0;
    for from in (0..values.len()).step_by(CHUNK) {
        all = values.read(from, &mut chunk)?.iter().fold(all, |all, value| all | value);
    }
    Ok((64 - all.leading_zeros()).max(1))
}

/// Packs values as the region with the given shape, whose length is that of `values`, at `base`.
/// The memory after the region is not changed. `Range`, and no region, if a value needs more bits
/// or is not an integer from 0 on; `Full` if `len` is too small.
///
/// # Safety
/// `base` is valid for writing `len` bytes, and no other thread uses them.
pub unsafe fn fill(base: *mut u8, len: usize, shape: Shape, values: &Numbers<'_>) -> Result<()> {
    // SAFETY: the caller guarantees that `len` bytes at `base` are writable.
    let memory = unsafe { Memory::new(base, len) }?;
    let shape = shape.check()?;
    if values.len() as u64 != shape.len {
        let count = values.len();
        return Err(Error::range(format!("there are {count} values, not {}", shape.len)));
    }
    if shape.length() > len as u64 {
        let needed = shape.length();
        return Err(Error::full(format!("the packed integers need {needed} bytes, not {len}")));
    }
    // SAFETY: the region fits in the memory, which no other thread uses.
    unsafe {
        shape.write(memory);
        let data = memory.at(Shape::DATA);
        let most = if shape.bigint { u64::MAX } else { MAX_SAFE };
        let words = pack(data.cast(), shape.bits, most, values)?;
        let rest = shape.length() as usize - Shape::DATA - words * 8;
        data.add(words * 8).write_bytes(0, rest);
        memory.end_region();
    }
    Ok(())
}

/// Checks and writes values, and returns the number of words they take.
///
/// # Safety
/// As for [`Packer::new`].
unsafe fn pack(data: *mut u64, bits: u32, most: u64, values: &Numbers<'_>) -> Result<usize> {
    let most = most.min(u64::MAX >> (64 - bits));
    let mut chunk = [0; CHUNK];
    // SAFETY: the preconditions of `new` are guaranteed by the caller.
    let mut packer = unsafe { Packer::new(data, bits) };
    for from in (0..values.len()).step_by(CHUNK) {
        let chunk = values.read(from, &mut chunk)?;
        if let Some(at) = chunk.iter().position(|&value| value > most) {
            let (name, index, value) = (values.name(), from + at, chunk[at]);
            return Err(Error::range(format!("{name}[{index}] is {value}, which exceeds {most}")));
        }
        for &value in chunk {
            // SAFETY: there is room for all fields, as guaranteed by the caller, and the value was
            // checked.
            unsafe { packer.push(value) };
        }
    }
    // SAFETY: as above.
    Ok(unsafe { packer.finish() })
}

/// Writes fields of `bits` bits one after another, from the lowest bits of the first word on.
pub(crate) struct Packer {
    to: *mut u64,
    bits: u32,
    words: usize,
    word: u64,
    /// The number of filled bits of `word`: below 64.
    used: u32,
}

impl Packer {
    /// # Safety
    /// `to` is aligned to 8 bytes, and has room for all fields that will be pushed. `bits` is 1 to
    /// 64.
    pub(crate) unsafe fn new(to: *mut u64, bits: u32) -> Packer {
        Packer { to, bits, words: 0, word: 0, used: 0 }
    }

    /// # Safety
    /// There is room for one more field. The value has at most `bits` bits.
    #[inline(always)]
    pub(crate) unsafe fn push(&mut self, value: u64) {
        self.word |= value << self.used;
        let end = self.used + self.bits;
        if end >= 64 {
            // SAFETY: the fields so far fill this word, so it is within the room.
            unsafe { self.to.add(self.words).write(self.word) };
            self.words += 1;
            // The bits that did not fit. They are shifted twice, because a shift by 64 is not
            // possible.
            self.word = value >> 1 >> (63 - self.used);
            self.used = end - 64;
        } else {
            self.used = end;
        }
    }

    /// Writes the remaining bits, and returns the number of words that the fields take.
    ///
    /// # Safety
    /// As for `push`.
    pub(crate) unsafe fn finish(self) -> usize {
        if self.used == 0 {
            return self.words;
        }
        // SAFETY: the remaining bits belong to fields for which there is room.
        unsafe { self.to.add(self.words).write(self.word) };
        self.words + 1
    }
}
