//! Building: integers of any type of array, packed.

use super::layout::Shape;
use crate::region::memory::Memory;
use crate::region::numbers::{CHUNK, MAX_SAFE, Numbers};
use crate::{Error, Result};

/// How many bits the largest of the values needs: at least 1. `Range` for one that is no integer
/// from 0 on.
pub fn measure(values: &Numbers<'_>) -> Result<u32> {
    let mut chunk = [0; CHUNK];
    let mut all = 0;
    for from in (0..values.len()).step_by(CHUNK) {
        all = values.read(from, &mut chunk)?.iter().fold(all, |all, value| all | value);
    }
    Ok((64 - all.leading_zeros()).max(1))
}

/// Packs values as the region that `shape` describes, whose length is that of `values`, at `base`,
/// and says nothing about what lies behind it. `Range`, and no region, for a value that needs more
/// bits or is no integer from 0 on; `Full` if there are too few bytes.
///
/// # Safety
/// `base` is valid for writing `len` bytes, and no other thread uses them.
pub unsafe fn fill(base: *mut u8, len: usize, shape: Shape, values: &Numbers<'_>) -> Result<()> {
    // SAFETY: the caller's word.
    let memory = unsafe { Memory::new(base, len) }?;
    let shape = shape.check()?;
    if values.len() as u64 != shape.len {
        let count = values.len();
        return Err(Error::range(format!("{count} values for {} packed integers", shape.len)));
    }
    if shape.length() > len as u64 {
        let needed = shape.length();
        return Err(Error::full(format!("packed integers need {needed} bytes where {len} are given")));
    }
    // SAFETY: the region fits the memory, which is ours to write.
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

/// Writes values, checked, and returns how many words they took.
///
/// # Safety
/// As for [`Packer::new`].
unsafe fn pack(data: *mut u64, bits: u32, most: u64, values: &Numbers<'_>) -> Result<usize> {
    let most = most.min(u64::MAX >> (64 - bits));
    let mut chunk = [0; CHUNK];
    // SAFETY: the caller's word.
    let mut packer = unsafe { Packer::new(data, bits) };
    for from in (0..values.len()).step_by(CHUNK) {
        let chunk = values.read(from, &mut chunk)?;
        if let Some(at) = chunk.iter().position(|&value| value > most) {
            let (name, index, value) = (values.name(), from + at, chunk[at]);
            return Err(Error::range(format!("{name}[{index}] is {value}, which is more than {most}")));
        }
        for &value in chunk {
            // SAFETY: there is room for all of them.
            unsafe { packer.push(value) };
        }
    }
    // SAFETY: as above.
    Ok(unsafe { packer.finish() })
}

/// Writes fields of `bits` bits one after another, the first in the lowest bits of the first word.
pub(crate) struct Packer {
    to: *mut u64,
    bits: u32,
    words: usize,
    word: u64,
    /// How many bits of `word` are filled: below 64.
    used: u32,
}

impl Packer {
    /// # Safety
    /// `to` is 8-byte aligned, and has room for the fields that will be pushed. `bits` is 1 to 64.
    pub(crate) unsafe fn new(to: *mut u64, bits: u32) -> Packer {
        Packer { to, bits, words: 0, word: 0, used: 0 }
    }

    /// # Safety
    /// There is room for one more field. The value has no more bits.
    #[inline(always)]
    pub(crate) unsafe fn push(&mut self, value: u64) {
        self.word |= value << self.used;
        let end = self.used + self.bits;
        if end >= 64 {
            // SAFETY: the bits so far fill this word.
            unsafe { self.to.add(self.words).write(self.word) };
            self.words += 1;
            // What did not fit. Shifted twice, because 64 is no shift.
            self.word = value >> 1 >> (63 - self.used);
            self.used = end - 64;
        } else {
            self.used = end;
        }
    }

    /// Writes what is left, and returns how many words the fields took.
    ///
    /// # Safety
    /// As for `push`.
    pub(crate) unsafe fn finish(self) -> usize {
        if self.used == 0 {
            return self.words;
        }
        // SAFETY: the caller's word.
        unsafe { self.to.add(self.words).write(self.word) };
        self.words + 1
    }
}
