//! Building: integers of any type of array, packed.

use super::layout::Shape;
use crate::region::header::Memory;
use crate::succinct::numbers::{CHUNK, MAX_SAFE, Numbers};
use crate::{Error, Result};

/// How many bits the largest of the values needs: at least 1. `Range` for one that is no integer from 0 on.
pub fn measure(values: &Numbers<'_>) -> Result<u32> {
    let mut chunk = [0; CHUNK];
    let mut all = 0;
    for from in (0..values.len()).step_by(CHUNK) {
        all = values.read(from, &mut chunk)?.iter().fold(all, |all, value| all | value);
    }
    Ok((64 - all.leading_zeros()).max(1))
}

/// Packs values as the region that `shape` describes, whose length is that of `values`, at `base`, and says nothing about
/// what lies behind it. `Range`, and no region, for a value that needs more bits or is no integer from 0 on; `Full` if
/// there are too few bytes.
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

/// Writes values of `bits` bits one after another, the first in the lowest bits of the first word. Returns how many words
/// it wrote.
///
/// # Safety
/// `data` is 8-byte aligned and has room for them.
pub(crate) unsafe fn pack(data: *mut u64, bits: u32, most: u64, values: &Numbers<'_>) -> Result<usize> {
    let most = most.min(u64::MAX >> (64 - bits));
    let mut chunk = [0; CHUNK];
    let (mut words, mut word, mut used) = (0, 0u64, 0);
    for from in (0..values.len()).step_by(CHUNK) {
        let chunk = values.read(from, &mut chunk)?;
        if let Some(at) = chunk.iter().position(|&value| value > most) {
            let (name, index, value) = (values.name(), from + at, chunk[at]);
            return Err(Error::range(format!("{name}[{index}] is {value}, which is more than {most}")));
        }
        for &value in chunk {
            word |= value << used;
            used += bits;
            if used >= 64 {
                used -= 64;
                // SAFETY: the bits so far fill this word.
                unsafe { data.add(words).write(word) };
                words += 1;
                // What did not fit. Shifted twice, because 64 is no shift.
                word = value >> 1 >> (bits - used - 1).min(63);
                if used == 0 {
                    word = 0;
                }
            }
        }
    }
    if used > 0 {
        // SAFETY: as above.
        unsafe { data.add(words).write(word) };
        words += 1;
    }
    Ok(words)
}
