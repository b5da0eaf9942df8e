//! Building: sorted integers of any type of array.

use super::layout::{LINE_BITS, LINE_BYTES, Layout, STEP, Shape, word};
use super::upper::Counts;
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::region::numbers::{CHUNK, Numbers};
use crate::succinct::packed::fill::Packer;
use crate::{Error, Result};

/// How many values there are and the largest of them. `Range` for one that is no integer from 0 on,
/// or is less than the one before it.
pub fn measure(values: &Numbers<'_>) -> Result<Shape> {
    let mut chunk = [0; CHUNK];
    let mut last = 0;
    for from in (0..values.len()).step_by(CHUNK) {
        last = check_sorted(values, from, values.read(from, &mut chunk)?, last)?;
    }
    Shape { len: values.len() as u64, max: last }.check()
}

/// The last of a chunk whose values ascend, from `last` on.
fn check_sorted(values: &Numbers<'_>, from: usize, chunk: &[u64], last: u64) -> Result<u64> {
    let before = std::iter::once(&last).chain(chunk);
    let Some(at) = before.clone().zip(chunk).position(|(before, value)| value < before) else {
        return Ok(chunk.last().copied().unwrap_or(last));
    };
    let before = before.copied().nth(at).unwrap_or(last);
    let (name, index, value) = (values.name(), from + at, chunk[at]);
    Err(Error::range(format!("{name}[{index}] is {value}, less than {before} before it: sort them first")))
}

/// Builds the region that `shape` describes ([`measure`] tells which) out of `values`, at `base`.
/// `Range`, and no region, if the values are others than `shape` says; `Full` if there are too few
/// bytes.
///
/// # Safety
/// `base` is valid for writing `len` bytes, and no other thread uses them.
pub unsafe fn fill(base: *mut u8, len: usize, shape: Shape, values: &Numbers<'_>) -> Result<()> {
    // SAFETY: the caller's word.
    let memory = unsafe { Memory::new(base, len) }?;
    let shape = shape.check()?;
    if values.len() as u64 != shape.len {
        let count = values.len();
        return Err(Error::range(format!("{count} values where {} are said to be", shape.len)));
    }
    let layout = shape.layout();
    if layout.length > len as u64 {
        let needed = layout.length;
        return Err(Error::full(format!("these values need {needed} bytes where {len} are given")));
    }
    // SAFETY: the layout fits the memory, which is ours to write. Values are checked before they
    // are pushed.
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
                return Err(Error::range(format!("{} is more than the largest, {}", last, shape.max)));
            }
            chunk.iter().for_each(|&value| writer.push(value));
        }
        // The largest decides where everything lies.
        if last != shape.max {
            return Err(Error::range(format!("the largest value is {last}, not {}", shape.max)));
        }
        writer.finish();
        memory.end_region();
    }
    Ok(())
}

/// Writes a sequence's sections, value by value.
pub(crate) struct Writer {
    memory: Memory,
    shape: Shape,
    layout: Layout,
    low: Packer,
    /// How many values were pushed.
    index: u64,
}

impl Writer {
    /// Begins with no value.
    ///
    /// # Safety
    /// `layout` is the shape's, and lies within the memory, which is ours to write until
    /// [`Writer::finish`].
    pub(crate) unsafe fn new(memory: Memory, shape: Shape, layout: Layout) -> Writer {
        // SAFETY: the caller's word.
        let low = unsafe {
            let upper = memory.at(layout.upper as usize);
            upper.write_bytes(0, (layout.length - layout.upper) as usize);
            Packer::new(memory.at(layout.low as usize).cast(), layout.low_bits.max(1))
        };
        Writer { memory, shape, layout, low, index: 0 }
    }

    /// The next value.
    ///
    /// # Safety
    /// It is not less than the one before and at most the shape's largest; there are not more than
    /// the shape says. So it lies among the upper bits, and there is a field for its lower part.
    #[inline(always)]
    pub(crate) unsafe fn push(&mut self, value: u64) {
        debug_assert!(self.index < self.shape.len && value <= self.shape.max);
        let low_bits = self.layout.low_bits;
        let position = (value >> low_bits) + self.index;
        let (line, bit) = (position / LINE_BITS, position % LINE_BITS);
        let at = self.layout.upper as usize + line as usize * LINE_BYTES + 8 + bit as usize / 64 * 8;
        // SAFETY: the caller's word.
        unsafe {
            *self.memory.at(at).cast::<u64>() |= 1 << (bit % 64);
            if low_bits > 0 {
                self.low.push(value & !(u64::MAX << low_bits));
            }
        }
        self.index += 1;
    }

    /// Counts, and writes what finds the bits.
    ///
    /// # Safety
    /// As many values were pushed as the shape says.
    pub(crate) unsafe fn finish(self) {
        debug_assert!(self.index == self.shape.len);
        let Writer { memory, shape, layout, low, .. } = self;
        // SAFETY: the caller's word; every section lies within the memory.
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

/// Fills a table of the line of every 256th bit.
struct Hints {
    to: *mut u32,
    next: u64,
}

impl Hints {
    /// # Safety
    /// There is room for the entries that follow.
    unsafe fn new(to: *mut u32) -> Hints {
        Hints { to, next: 0 }
    }

    /// After a line, up to whose end there are `count` bits.
    unsafe fn pass(&mut self, line: u64, count: u64) {
        while self.next * STEP < count {
            // SAFETY: there is room for one entry for every 256 bits, and one more.
            unsafe { self.end(line) };
        }
    }

    unsafe fn end(&mut self, line: u64) {
        // SAFETY: the caller's word.
        unsafe { self.to.add(self.next as usize).write(line as u32) };
        self.next += 1;
    }
}
