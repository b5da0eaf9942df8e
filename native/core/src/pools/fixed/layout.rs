//! The layout of a FixedPool's region, and the check of its header and class table.

use crate::pools::guard::GUARD_BYTES;
use crate::region::attach::RegionKind;
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// The largest number of classes.
pub const MAX_CLASSES: usize = 16;
/// The largest block, in bytes.
pub const MAX_SIZE: u64 = 1 << 31;
/// The largest number of smallest blocks.
pub const MAX_UNITS: u64 = 1 << 28;
/// The largest ratio between the sizes of adjacent classes.
pub const MAX_RATIO: u64 = 32_768;
/// Option: freed blocks are filled with zeros.
pub const ZERO_ON_FREE: u32 = 1;
/// Option: blocks are followed by guards.
pub const GUARDS: u32 = 2;

/// Words of the header.
pub mod word {
    /// Option bits.
    pub const OPTIONS: usize = 16;
    /// Number of classes.
    pub const CLASSES: usize = 17;
    /// Number of blocks of the smallest class that fit into the data.
    pub const UNITS: usize = 18;
    /// Units in allocated blocks.
    pub const USED: usize = 19;
    /// The maximum of `USED`.
    pub const PEAK: usize = 20;
    /// Failed requests, modulo 2^32.
    pub const FAILURES: usize = 21;
    /// The first free block of the largest class; the number of blocks if none is free.
    pub const FREE: usize = 22;
}

/// Bytes of a record of the class table.
pub const CLASS_BYTES: usize = 64;
/// Words of a record of the class table, in bytes from its start.
pub mod class_word {
    /// Bytes of a block.
    pub const SIZE: usize = 0;
    /// Blocks of this class in one of the next; for the largest class, in the data.
    pub const RATIO: usize = 4;
    /// Allocated blocks.
    pub const USED: usize = 8;
    /// The maximum of `USED`.
    pub const PEAK: usize = 12;
    /// 1 + the first split block with an available part of this class; 0 for none.
    pub const PARTIAL: usize = 16;
    /// 1 + the split block in that list whose parts are all free; 0 for none. There is at most one.
    pub const RESERVE: usize = 20;
}

/// In the word of a unit: an allocated block begins there, and the low bits are its class.
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
    /// Blocks of this class in one of the next; for the largest class, in the data.
    pub ratio: u32,
    /// Number of blocks of this class in the data.
    pub blocks: u32,
    /// Position of the records of split blocks of this class; none for the smallest class.
    pub splits: usize,
}

/// The properties of a pool that never change.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Option bits.
    pub options: u32,
    count: usize,
    classes: [Class; MAX_CLASSES],
    /// Blocks of the smallest class.
    pub units: u32,
    /// Position of the unit words, in bytes.
    pub unit_words: usize,
    /// Position of the requested sizes; only with guards.
    pub requested: usize,
    /// Position of the data.
    pub data: usize,
    /// Bytes of the region.
    pub length: u64,
}

impl Shape {
    /// The shape of a pool with `blocks[i]` blocks of at least `sizes[i]` bytes. Sizes are rounded
    /// up: to a multiple of 8, and to a multiple of the next smaller size. `Range` for sizes or
    /// counts that are too small or too large.
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
                        "a class may be at most {MAX_RATIO} times the next smaller one"
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

    /// The shape of a pool with `bytes` bytes of data, for classes that divide one another and of
    /// which the last divides the bytes: nothing is rounded, and guards take 16 bytes of each
    /// block.
    pub(in crate::pools) fn tiled(sizes: &[u64], bytes: u64, options: u32) -> Result<Shape> {
        let mut classes = [Class::default(); MAX_CLASSES];
        for (i, (class, &size)) in classes.iter_mut().zip(sizes).enumerate() {
            let ratio = sizes.get(i + 1).map_or(1, |above| above / size);
            *class = Class { size: size as u32, ratio: ratio as u32, ..Class::default() };
        }
        Shape::complete(classes, sizes.len(), bytes / sizes[0], options)
    }

    /// Computes the derived properties from sizes, ratios and the number of units.
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

    /// Writes an empty pool: zeros, unless the memory is zeroed already, then the header.
    ///
    /// # Safety
    /// The memory has `length` bytes, and no other thread uses them.
    pub unsafe fn write(&self, memory: Memory, zeroed: bool) {
        // SAFETY: the memory is writable, long enough and not otherwise used, guaranteed by the
        // caller.
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

    /// Bytes after each block that do not belong to its user.
    #[inline(always)]
    pub(super) fn guard(&self) -> u64 {
        if self.options & GUARDS != 0 { GUARD_BYTES } else { 0 }
    }
}

impl RegionKind for Shape {
    const KIND: Kind = Kind::FixedPool;
    const END: usize = word::FREE + 1;

    fn check(header: &Header, memory: Memory) -> Result<Shape> {
        let (options, units) = (header.word(word::OPTIONS), header.word(word::UNITS));
        let count = header.word(word::CLASSES) as usize;
        let wrong = |what: &'static str| Err(Error::corrupt(what));
        if options & !(ZERO_ON_FREE | GUARDS) != 0 || count == 0 || count > MAX_CLASSES {
            return wrong("the pool's options or number of classes are invalid");
        }
        if header.length() < (HEADER_BYTES + CLASS_BYTES * count) as u64 {
            return wrong("the pool is too short for its classes");
        }
        let mut classes = [Class::default(); MAX_CLASSES];
        for i in 0..count {
            let at = HEADER_BYTES + CLASS_BYTES * i;
            // SAFETY: the class table lies within the region's length, which was just checked.
            let (size, ratio) = unsafe { (memory.load_u32(at), memory.load_u32(at + class_word::RATIO)) };
            if size == 0 || !size.is_multiple_of(8) || u64::from(size) > MAX_SIZE || ratio == 0 {
                return wrong("a class of the pool has an invalid size");
            }
            if i > 0 {
                let below = classes[i - 1];
                let sound = u64::from(below.ratio) <= MAX_RATIO
                    && below.ratio > 1
                    && u64::from(below.size) * u64::from(below.ratio) == u64::from(size);
                if !sound {
                    return wrong("the classes of the pool do not divide one another");
                }
            }
            classes[i] = Class { size, ratio, ..Class::default() };
        }
        let (largest, smallest) = (classes[count - 1], classes[0]);
        let expected = u64::from(largest.ratio) * u64::from(largest.size / smallest.size);
        if expected != u64::from(units) {
            return wrong("the pool's number of blocks contradicts its classes");
        }
        match Shape::complete(classes, count, u64::from(units), options) {
            Ok(shape) if shape.length == header.length() => Ok(shape),
            _ => wrong("the sections of the pool do not fit its length"),
        }
    }

    fn length(&self) -> u64 {
        self.length
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
    fn invalid_pools_are_refused() {
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
