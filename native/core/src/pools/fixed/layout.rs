//! The layout of a FixedPool's region: what the header and the class table say, checked.

use crate::pools::guard::GUARD_BYTES;
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// How many classes a pool can have.
pub const MAX_CLASSES: usize = 16;
/// The largest block, in bytes.
pub const MAX_SIZE: u64 = 1 << 31;
/// How many smallest blocks a pool can have.
pub const MAX_UNITS: u64 = 1 << 28;
/// A class can be so many times the one below.
pub const MAX_RATIO: u64 = 32_768;
/// Option: freed blocks are filled with zeros.
pub const ZERO_ON_FREE: u32 = 1;
/// Option: guards stand behind blocks.
pub const GUARDS: u32 = 2;

/// Words of the header.
pub mod word {
    /// Option bits.
    pub const OPTIONS: usize = 16;
    /// How many classes there are.
    pub const CLASSES: usize = 17;
    /// How many blocks of the smallest class the data has room for.
    pub const UNITS: usize = 18;
    /// Units in allocated blocks.
    pub const USED: usize = 19;
    /// The most that word has been.
    pub const PEAK: usize = 20;
    /// Requests refused, modulo 2^32.
    pub const FAILURES: usize = 21;
    /// The first free block of the largest class; their number if there is none.
    pub const FREE: usize = 22;
}

/// Bytes of a record of the class table, and its words.
pub const CLASS_BYTES: usize = 64;
/// Words of a class record, in bytes from its start.
pub mod class_word {
    /// Bytes of a block.
    pub const SIZE: usize = 0;
    /// Blocks of this class in one of the next; for the largest, in the data.
    pub const RATIO: usize = 4;
    /// Allocated blocks.
    pub const USED: usize = 8;
    /// The most that has been.
    pub const PEAK: usize = 12;
    /// 1 + the first split block that has a part of this class to give; 0 for none.
    pub const PARTIAL: usize = 16;
    /// 1 + the split block in that list all of whose parts are free; 0 for none. There is one at
    /// the most.
    pub const RESERVE: usize = 20;
}

/// In the word of a unit: an allocated block begins there. The low bits are its class.
pub const ALLOCATED: u32 = 1 << 31;
/// The other bits: a link.
pub const LINK: u32 = ALLOCATED - 1;

/// A class of blocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Class {
    /// Bytes of a block.
    pub size: u32,
    /// Smallest blocks in one of this class.
    pub units: u32,
    /// Blocks of this class in one of the next; for the largest, in the data.
    pub ratio: u32,
    /// How many there can be in the data.
    pub blocks: u32,
    /// Where the records of split blocks of this class are; none for the smallest.
    pub splits: usize,
}

/// What does not change in a pool's life.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Option bits.
    pub options: u32,
    count: usize,
    classes: [Class; MAX_CLASSES],
    /// Blocks of the smallest class.
    pub units: u32,
    /// Where the sections are, in bytes.
    pub unit_words: usize,
    /// Sizes asked for; only with guards.
    pub requested: usize,
    /// The data.
    pub data: usize,
    /// Bytes of the region.
    pub length: u64,
}

impl Shape {
    /// The shape of a pool with `blocks[i]` blocks of at least `sizes[i]` bytes. Sizes are rounded
    /// up: to a multiple of 8, and to a multiple of the next smaller one. `Range` for sizes or
    /// counts that are too small or large.
    pub fn new(sizes: &[u64], blocks: &[u64], options: u32) -> Result<Shape> {
        if sizes.is_empty() || sizes.len() > MAX_CLASSES || sizes.len() != blocks.len() {
            return Err(Error::range(format!("a pool has 1 to {MAX_CLASSES} classes, each with a count")));
        }
        if options & !(ZERO_ON_FREE | GUARDS) != 0 {
            return Err(Error::wrong_type("unknown options"));
        }
        let guard = if options & GUARDS != 0 { GUARD_BYTES } else { 0 };
        let mut wanted = [(0u64, 0u64); MAX_CLASSES];
        let wanted = &mut wanted[..sizes.len()];
        for (slot, (&size, &count)) in wanted.iter_mut().zip(sizes.iter().zip(blocks)) {
            if size == 0 || size > MAX_SIZE - GUARD_BYTES || count == 0 || count > MAX_UNITS {
                return Err(Error::range(format!("{count} blocks of {size} bytes are too few or too many")));
            }
            *slot = ((size + guard).next_multiple_of(8), count);
        }
        wanted.sort_unstable();
        let mut classes = [Class::default(); MAX_CLASSES];
        let mut count = 0;
        let mut total = 0u64;
        for &(wanted_size, blocks) in wanted.iter() {
            let mut size = wanted_size;
            if count > 0 {
                let below = &mut classes[count - 1];
                size = size.next_multiple_of(u64::from(below.size));
                let ratio = size / u64::from(below.size);
                if ratio > MAX_RATIO {
                    return Err(Error::range(format!(
                        "a class may be {MAX_RATIO} times the one below at most"
                    )));
                }
                below.ratio = ratio as u32;
                count -= usize::from(ratio == 1);
            }
            if size > MAX_SIZE {
                return Err(Error::range(format!("a block of {size} bytes is too large")));
            }
            classes[count].size = size as u32;
            count += 1;
            total += size * blocks;
        }
        let largest = u64::from(classes[count - 1].size);
        let roots = total.div_ceil(largest);
        let units = roots * (largest / u64::from(classes[0].size));
        Shape::complete(classes, count, units, options)
    }

    /// The shape of a pool with `bytes` bytes of data, for classes that divide one another and the
    /// last of which divides the bytes: nothing is rounded, and guards take 16 bytes of what a
    /// class has.
    pub(in crate::pools) fn tiled(sizes: &[u64], bytes: u64, options: u32) -> Result<Shape> {
        let mut classes = [Class::default(); MAX_CLASSES];
        for (i, (class, &size)) in classes.iter_mut().zip(sizes).enumerate() {
            let ratio = sizes.get(i + 1).map_or(1, |above| above / size);
            *class = Class { size: size as u32, ratio: ratio as u32, ..Class::default() };
        }
        Shape::complete(classes, sizes.len(), bytes / sizes[0], options)
    }

    /// Derives what follows from sizes, ratios and the number of units.
    fn complete(mut classes: [Class; MAX_CLASSES], count: usize, units: u64, options: u32) -> Result<Shape> {
        if units > MAX_UNITS {
            return Err(Error::range(format!(
                "{units} blocks of the smallest class are more than {MAX_UNITS}"
            )));
        }
        let mut at = (HEADER_BYTES + CLASS_BYTES * count) as u64;
        let unit_words = at;
        at += align(units * 4);
        let requested = at;
        at += if options & GUARDS != 0 { align(units * 4) } else { 0 };
        for i in 0..count {
            let size = u64::from(classes[i].size);
            let per = size / u64::from(classes[0].size);
            let blocks = units / per;
            classes[i].units = per as u32;
            classes[i].blocks = blocks as u32;
            if i > 0 {
                classes[i].splits = at as usize;
                at += align(blocks * 16);
            }
        }
        classes[count - 1].ratio = classes[count - 1].blocks;
        let data = at;
        let length = at + align(units * u64::from(classes[0].size));
        if usize::try_from(length).is_err() {
            return Err(Error::range("the pool is larger than memory"));
        }
        Ok(Shape {
            options,
            count,
            classes,
            units: units as u32,
            unit_words: unit_words as usize,
            requested: requested as usize,
            data: data as usize,
            length,
        })
    }

    /// Reads and checks what a region says of itself, in constant time.
    pub fn read(memory: Memory) -> Result<Shape> {
        let header = Header::read(memory, Kind::FixedPool)?;
        let (options, units) = (header.word(word::OPTIONS), header.word(word::UNITS));
        let count = header.word(word::CLASSES) as usize;
        let wrong = |what: &'static str| Err(Error::corrupt(what));
        if options & !(ZERO_ON_FREE | GUARDS) != 0 || count == 0 || count > MAX_CLASSES {
            return wrong("a pool's options or number of classes are impossible");
        }
        if header.length() < (HEADER_BYTES + CLASS_BYTES * count) as u64 {
            return wrong("a pool is too short for its classes");
        }
        let mut classes = [Class::default(); MAX_CLASSES];
        for i in 0..count {
            let at = HEADER_BYTES + CLASS_BYTES * i;
            // SAFETY: the class table lies within the region's length, which was just checked.
            let (size, ratio) = unsafe { (memory.load_u32(at), memory.load_u32(at + class_word::RATIO)) };
            if size == 0 || !size.is_multiple_of(8) || u64::from(size) > MAX_SIZE || ratio == 0 {
                return wrong("a class of a pool has an impossible size");
            }
            if i > 0 {
                let below = classes[i - 1];
                let sound = u64::from(below.ratio) <= MAX_RATIO
                    && below.ratio > 1
                    && u64::from(below.size) * u64::from(below.ratio) == u64::from(size);
                if !sound {
                    return wrong("the classes of a pool do not divide one another");
                }
            }
            classes[i] = Class { size, ratio, ..Class::default() };
        }
        let (largest, smallest) = (classes[count - 1], classes[0]);
        let expected = u64::from(largest.ratio) * u64::from(largest.size / smallest.size);
        if expected != u64::from(units) {
            return wrong("a pool's count of blocks does not fit its classes");
        }
        match Shape::complete(classes, count, u64::from(units), options) {
            Ok(shape) if shape.length == header.length() => Ok(shape),
            _ => wrong("the sections of a pool do not fit its length"),
        }
    }

    /// Writes an empty pool: zeros all bookkeeping and data, then the header.
    ///
    /// # Safety
    /// The memory has `length` bytes, and no other thread uses them.
    pub unsafe fn write(&self, memory: Memory, zeroed: bool) {
        // SAFETY: the caller's word.
        unsafe {
            if !zeroed {
                memory.base().write_bytes(0, self.length as usize);
            }
            memory.begin_region(Kind::FixedPool, self.length);
            memory.set_word(word::OPTIONS, self.options);
            memory.set_word(word::CLASSES, self.count as u32);
            memory.set_word(word::UNITS, self.units);
            for (i, class) in self.classes().iter().enumerate() {
                let at = HEADER_BYTES + CLASS_BYTES * i;
                memory.store_u32(at + class_word::SIZE, class.size);
                memory.store_u32(at + class_word::RATIO, class.ratio);
            }
            memory.end_region();
        }
    }

    /// Whether two shapes have the same classes, sizes and options.
    pub(in crate::pools) fn same(&self, other: &Shape) -> bool {
        let sizes = |shape: &Shape| shape.classes.map(|class| (class.size, class.ratio));
        sizes(self) == sizes(other) && (self.options, self.units) == (other.options, other.units)
    }

    /// The classes, smallest first.
    #[inline]
    #[must_use]
    pub fn classes(&self) -> &[Class] {
        &self.classes[..self.count]
    }

    /// The class with this number.
    #[inline(always)]
    pub(super) fn class(&self, class: usize) -> &Class {
        &self.classes[class & (MAX_CLASSES - 1)]
    }

    /// The number of the largest class.
    #[inline(always)]
    pub(super) fn last(&self) -> usize {
        self.count - 1
    }

    /// Bytes behind each block that are not the user's.
    #[inline(always)]
    pub(super) fn guard(&self) -> u64 {
        if self.options & GUARDS != 0 { GUARD_BYTES } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_rounded_so_that_each_divides_the_next() {
        let shape = Shape::new(&[100, 64, 1000], &[10, 10, 2], 0).unwrap();
        assert_eq!(shape.classes().iter().map(|c| c.size).collect::<Vec<_>>(), [64, 128, 1024]);
        assert_eq!(shape.classes().iter().map(|c| c.ratio).collect::<Vec<_>>(), [2, 8, 4]);
        assert_eq!(shape.units, 64);
        let shape = Shape::new(&[1, 8, 9], &[1, 1, 1], 0).unwrap();
        assert_eq!(shape.classes().iter().map(|c| c.size).collect::<Vec<_>>(), [8, 16]);
        assert_eq!(Shape::new(&[64], &[3], GUARDS).unwrap().classes()[0].size, 80);
    }

    #[test]
    fn impossible_pools_are_refused() {
        let count = |sizes: &[u64], blocks: &[u64]| Shape::new(sizes, blocks, 0).unwrap_err().kind();
        assert_eq!(count(&[], &[]), crate::ErrorKind::Range);
        assert_eq!(count(&[64; 17], &[1; 17]), crate::ErrorKind::Range);
        assert_eq!(count(&[0], &[1]), crate::ErrorKind::Range);
        assert_eq!(count(&[64], &[0]), crate::ErrorKind::Range);
        assert_eq!(count(&[64], &[MAX_UNITS + 1]), crate::ErrorKind::Range);
        assert_eq!(count(&[u64::MAX], &[1]), crate::ErrorKind::Range);
        assert_eq!(count(&[8, 8 * 40_000], &[1, 1]), crate::ErrorKind::Range);
        assert_eq!(count(&[8, 1 << 20], &[MAX_UNITS, MAX_UNITS]), crate::ErrorKind::Range);
    }
}
