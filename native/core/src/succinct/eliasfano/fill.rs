//! Building from sorted integers in an array of any type.

use super::layout::{LINE_BITS, LINE_BYTES, Layout, STEP, Shape, word};
use super::upper::Counts;
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::region::numbers::{CHUNK, Numbers};
use crate::succinct::packed::fill::Packer;
use crate::{Error, Result};

/// The number of values and the largest of them. `Range` if a value is not an integer from 0 on, or
/// less than the previous one.
pub fn measure(values: &Numbers<'_>) -> Result<Shape> {
    let mut chunk = [0; CHUNK];
    let mut last = 0;
    for from in (0..values.len()).step_by(CHUNK) {
        last = check_sorted(values, from, values.read(from, &mut chunk)?, last)?;
    }
    Shape { len: values.len() as u64, max: last }.check()
}

/// The last value of a chunk whose values ascend, from `last` on.
fn check_sorted(values: &Numbers<'_>, from: usize, chunk: &[u64], last: u64) -> Result<u64> {
    let before = std::iter::once(&last).chain(chunk);
    let Some(at) = before.clone().zip(chunk).position(|(before, value)| value < before) else {
        return Ok(chunk.last().copied().unwrap_or(last));
    };
    let before = before.copied().nth(at).unwrap_or(last);
    let (name, index, value) = (values.name(), from + at, chunk[at]);
    Err(Error::range(format!("{name}[{index}] is {value}, less than the previous {before}: sort them first")))
}

/// Builds the region with the given shape (see [`measure`]) from `values` at `base`. `Range`, and
/// no region, if the values do not match the shape; `Full` if `len` is too small.
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
    let layout = shape.layout();
    if layout.length > len as u64 {
        let needed = layout.length;
        return Err(Error::full(format!("the values need {needed} bytes, not {len}")));
    }
    // SAFETY: the layout fits in the memory, which no other thread uses. Values are checked before
    // they are pushed.
    unsafe {
        memory.begin_region(Kind::EliasFano, layout.length);
        memory.set_double_word(word::LENGTH, shape.len);
        memory.set_double_word(word::MAX, shape.max);
        let mut writer = Writer::new(memory, shape, layout);
        let mut chunk = [0; CHUNK];
        let mut last = 0;
        for from in (0..values.len()).step_by(CHUNK) {
            let chunk = values.read(from, &mut chunk)?;
            last = check_sorted(values, from, chunk, last)?;
            if last > shape.max {
                return Err(Error::range(format!("{} exceeds the largest value, {}", last, shape.max)));
            }
            chunk.iter().for_each(|&value| writer.push(value));
        }
        // The layout depends on the largest value.
        if last != shape.max {
            return Err(Error::range(format!("the largest value is {last}, not {}", shape.max)));
        }
        writer.finish();
        memory.end_region();
    }
    Ok(())
}

/// Writes the sections of a sequence, value by value.
pub(crate) struct Writer {
    memory: Memory,
    shape: Shape,
    layout: Layout,
    low: Packer,
    /// The number of values pushed so far.
    index: u64,
}

impl Writer {
    /// Creates a writer without values.
    ///
    /// # Safety
    /// `layout` is that of the shape and within the memory, which no other thread uses until
    /// [`Writer::finish`].
    pub(crate) unsafe fn new(memory: Memory, shape: Shape, layout: Layout) -> Writer {
        // SAFETY: the sections are within the memory, as guaranteed by the caller.
        let low = unsafe {
            let upper = memory.at(layout.upper as usize);
            upper.write_bytes(0, (layout.length - layout.upper) as usize);
            Packer::new(memory.at(layout.low as usize).cast(), layout.low_bits.max(1))
        };
        Writer { memory, shape, layout, low, index: 0 }
    }

    /// Appends a value.
    ///
    /// # Safety
    /// The value is at least the previous one and at most the shape's largest, and no more values
    /// are pushed than the shape has. So its upper bits are within the lines, and there is a field
    /// for its lower bits.
    #[inline(always)]
    pub(crate) unsafe fn push(&mut self, value: u64) {
        debug_assert!(self.index < self.shape.len && value <= self.shape.max);
        let low_bits = self.layout.low_bits;
        let position = (value >> low_bits) + self.index;
        let (line, bit) = (position / LINE_BITS, position % LINE_BITS);
        let at = self.layout.upper as usize + line as usize * LINE_BYTES + 8 + bit as usize / 64 * 8;
        // SAFETY: the bit and the field are within their sections, because the caller guarantees
        // the bounds of the value and of the number of values.
        unsafe {
            *self.memory.at(at).cast::<u64>() |= 1 << (bit % 64);
            if low_bits > 0 {
                self.low.push(value & !(u64::MAX << low_bits));
            }
        }
        self.index += 1;
    }

    /// Writes the counts and the tables.
    ///
    /// # Safety
    /// Exactly as many values were pushed as the shape has.
    pub(crate) unsafe fn finish(self) {
        debug_assert!(self.index == self.shape.len);
        let Writer { memory, shape, layout, low, .. } = self;
        // SAFETY: all values were pushed, as guaranteed by the caller, and every section is within
        // the memory.
        unsafe {
            if layout.low_bits > 0 {
                low.finish();
            }
            let upper = memory.at(layout.upper as usize);
            let mut ones = Hints::new(memory.at(layout.ones as usize).cast());
            let mut zeros = Hints::new(memory.at(layout.zero_lines as usize).cast());
            let mut before = 0;
            for line in 0..layout.lines {
                let words = upper.add(line as usize * LINE_BYTES).cast::<[u64; 8]>();
                let [_, bits @ ..] = *words;
                (*words)[0] = Counts::new(before, bits).to_word();
                before += bits.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
                ones.pass(line, before.min(shape.len));
                zeros.pass(line, ((line + 1) * LINE_BITS - before).min(layout.zeros));
            }
            ones.end(layout.lines - 1);
            zeros.end(layout.lines - 1);
        }
    }
}

/// Writes a table with the line of every 256th bit.
struct Hints {
    to: *mut u32,
    next: u64,
}

impl Hints {
    /// # Safety
    /// There is room for all entries that will be written.
    unsafe fn new(to: *mut u32) -> Hints {
        Hints { to, next: 0 }
    }

    /// Records a line, up to whose end there are `count` bits.
    unsafe fn pass(&mut self, line: u64, count: u64) {
        while self.next * STEP < count {
            // SAFETY: there is room for one entry for every 256 bits, and one more.
            unsafe { self.end(line) };
        }
    }

    unsafe fn end(&mut self, line: u64) {
        // SAFETY: there is room for the last entry, as guaranteed by the caller of `new`.
        unsafe { self.to.add(self.next as usize).write(line as u32) };
        self.next += 1;
    }
}
