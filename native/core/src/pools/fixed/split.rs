//! Splitting and merging: allocating and freeing blocks in pools of several classes.
//!
//! A split block of class c ≥ 1 has a record: the list of its freed parts (blocks of class c − 1),
//! the number of parts ever handed out, and the number of parts in use. Records with an available
//! part are in the doubly linked list of class c − 1. Blocks of the largest class are parts of the
//! data itself, whose list is in the header.
//!
//! Merging is delayed: for each class, one block may stay split although all its parts are free.
//! This is the class's reserve. It keeps a program that repeatedly allocates and frees one block
//! from splitting and merging each time. A request that finds no room merges the reserves and
//! searches again.

use super::layout::{ALLOCATED, LINK, class_word, word};
use super::raw::RawFixedPool;
use crate::{Error, Result};

/// Words of a split record, in bytes from its start.
mod record {
    /// 1 + the first freed part; 0: none.
    pub(super) const FREE: usize = 0;
    /// The number of parts in use (low half) and of parts ever handed out (high half).
    pub(super) const COUNTS: usize = 4;
    /// 1 + the next split block in the list.
    pub(super) const NEXT: usize = 8;
    /// 1 + the previous one.
    pub(super) const PREVIOUS: usize = 12;
}

const CORRUPT: &str = "a free list of the pool contains an invalid index";

/// The record of a split block, and its list.
#[derive(Clone, Copy)]
struct Split {
    /// The class of its parts.
    class: usize,
    /// The index of the block within its class.
    index: u32,
    at: usize,
}

impl RawFixedPool {
    /// Allocates a block of a class and returns its unit. `None` if there is none.
    pub(super) fn take(&mut self, class: usize) -> Result<Option<u32>> {
        let unit = match self.find(class)? {
            None if self.merge_reserves()? => self.find(class)?,
            found => found,
        };
        let Some(unit) = unit else { return Ok(None) };
        // SAFETY: `attach` requires writable memory that no other thread changes.
        unsafe { self.set_unit_word(unit, ALLOCATED | class as u32) };
        self.count(class, true);
        Ok(Some(unit))
    }

    /// Removes a block of a class from its list, or splits a larger block.
    fn find(&mut self, class: usize) -> Result<Option<u32>> {
        let last = self.shape.last();
        let mut level = class;
        while level < last && self.class_word(level, class_word::PARTIAL) == 0 {
            level += 1;
        }
        let unit = if level == last { self.pop_root()? } else { Some(self.pop_part(level)?) };
        let Some(unit) = unit else { return Ok(None) };
        while level > class {
            level -= 1;
            let split = self.split_of(level, unit);
            self.set(split, record::FREE, 0);
            self.set(split, record::COUNTS, 1 | 1 << 16);
            self.link(split)?;
        }
        Ok(Some(unit))
    }

    /// Frees a block, and merges blocks while all their parts are free.
    pub(super) fn give(&mut self, unit: u32, class: usize) -> Result<()> {
        self.count(class, false);
        self.put(unit, class)
    }

    /// Puts a free block into its list, or merges it.
    fn put(&mut self, unit: u32, class: usize) -> Result<()> {
        let (mut unit, mut level) = (unit, class);
        while level < self.shape.last() {
            let (below, above) = (*self.shape.class(level), *self.shape.class(level + 1));
            let split = self.split_of(level, unit);
            let part = unit % above.units / below.units;
            let counts = self.get(split, record::COUNTS);
            let (out, given) = (counts & 0xFFFF, counts >> 16);
            if out == 0 || part >= given || given > below.ratio {
                return Err(Error::corrupt(CORRUPT));
            }
            let reserve = out == 1 && self.class_word(level, class_word::RESERVE) == 0;
            if out > 1 || reserve {
                // SAFETY: `attach` requires writable memory that no other thread changes.
                unsafe { self.set_unit_word(unit, self.get(split, record::FREE) & LINK) };
                self.set(split, record::FREE, part + 1);
                self.set(split, record::COUNTS, counts - 1);
                if reserve {
                    // SAFETY: as above.
                    unsafe { self.set_class_word(level, class_word::RESERVE, split.index + 1) };
                }
                return if out == below.ratio { self.link(split) } else { Ok(()) };
            }
            // This was the last part in use, so the block is whole again and a part of the next
            // larger one.
            // SAFETY: as above.
            unsafe { self.set_unit_word(unit, 0) };
            unit = self.merge(split)?;
            level += 1;
        }
        self.push_root(unit);
        Ok(())
    }

    /// Merges a split block whose parts are all free, and returns its unit.
    fn merge(&mut self, split: Split) -> Result<u32> {
        self.unlink(split)?;
        let unit = split.index * self.shape.class(split.class + 1).units;
        // SAFETY: `attach` requires writable memory that no other thread changes.
        unsafe { self.set_unit_word(unit, 0) };
        Ok(unit)
    }

    /// Merges the classes' reserves, smallest class first. Returns whether there were any.
    fn merge_reserves(&mut self) -> Result<bool> {
        let mut any = false;
        for class in 0..self.shape.last() {
            let link = self.class_word(class, class_word::RESERVE);
            if link == 0 {
                continue;
            }
            let split = self.split_at_link(class, link)?;
            if self.get(split, record::COUNTS) & 0xFFFF != 0 {
                return Err(Error::corrupt(CORRUPT));
            }
            // SAFETY: `attach` requires writable memory that no other thread changes.
            unsafe { self.set_class_word(class, class_word::RESERVE, 0) };
            let unit = self.merge(split)?;
            self.put(unit, class + 1)?;
            any = true;
        }
        Ok(any)
    }

    fn pop_root(&mut self) -> Result<Option<u32>> {
        let root = self.shape.class(self.shape.last());
        let (units, roots) = (root.units, root.blocks);
        let head = self.memory.word(word::FREE);
        if head == roots {
            return Ok(None);
        }
        if head > roots {
            return Err(Error::corrupt(CORRUPT));
        }
        let link = self.unit_word(head * units);
        let next = head.wrapping_add(1).wrapping_add(link) & LINK;
        if link & ALLOCATED != 0 || next > roots {
            return Err(Error::corrupt(CORRUPT));
        }
        // SAFETY: `attach` requires writable memory that no other thread changes.
        unsafe { self.memory.set_word(word::FREE, next) };
        Ok(Some(head * units))
    }

    fn push_root(&mut self, unit: u32) {
        let root = unit / self.shape.class(self.shape.last()).units;
        let head = self.memory.word(word::FREE);
        // SAFETY: `attach` requires writable memory that no other thread changes.
        unsafe {
            self.set_unit_word(unit, head.wrapping_sub(root).wrapping_sub(1) & LINK);
            self.memory.set_word(word::FREE, root);
        }
    }

    /// Takes a part of class `level` from the first split block that has one.
    fn pop_part(&mut self, level: usize) -> Result<u32> {
        let (part, above) = (*self.shape.class(level), *self.shape.class(level + 1));
        let index = self.class_word(level, class_word::PARTIAL).wrapping_sub(1);
        if index >= above.blocks {
            return Err(Error::corrupt(CORRUPT));
        }
        let split = self.split_at(level, index);
        let counts = self.get(split, record::COUNTS);
        let (out, given) = (counts & 0xFFFF, counts >> 16);
        let free = self.get(split, record::FREE);
        let number = if free == 0 { given } else { free - 1 };
        if out >= part.ratio || given > part.ratio || number >= part.ratio {
            return Err(Error::corrupt(CORRUPT));
        }
        let unit = index * above.units + number * part.units;
        let word = self.unit_word(unit);
        if word & ALLOCATED != 0 || (free != 0 && word > part.ratio) {
            return Err(Error::corrupt(CORRUPT));
        }
        let counts = counts + 1;
        if out == 0 {
            // SAFETY: `attach` requires writable memory that no other thread changes.
            unsafe { self.set_class_word(level, class_word::RESERVE, 0) };
        }
        if free == 0 {
            self.set(split, record::COUNTS, counts + (1 << 16));
        } else {
            self.set(split, record::FREE, word);
            self.set(split, record::COUNTS, counts);
        }
        if out + 1 == part.ratio {
            self.unlink(split)?;
        }
        Ok(unit)
    }

    fn link(&mut self, split: Split) -> Result<()> {
        let head = self.class_word(split.class, class_word::PARTIAL);
        if head != 0 {
            let next = self.split_at_link(split.class, head)?;
            self.set(next, record::PREVIOUS, split.index + 1);
        }
        self.set(split, record::NEXT, head);
        self.set(split, record::PREVIOUS, 0);
        // SAFETY: `attach` requires writable memory that no other thread changes.
        unsafe { self.set_class_word(split.class, class_word::PARTIAL, split.index + 1) };
        Ok(())
    }

    fn unlink(&mut self, split: Split) -> Result<()> {
        let (next, previous) = (self.get(split, record::NEXT), self.get(split, record::PREVIOUS));
        let after = if next == 0 { None } else { Some(self.split_at_link(split.class, next)?) };
        if previous == 0 {
            // SAFETY: as in `link`: the memory is writable and has no other writer.
            unsafe { self.set_class_word(split.class, class_word::PARTIAL, next) };
        } else {
            let before = self.split_at_link(split.class, previous)?;
            self.set(before, record::NEXT, next);
        }
        if let Some(after) = after {
            self.set(after, record::PREVIOUS, previous);
        }
        Ok(())
    }

    /// The split block to which a link in the list of `class` refers.
    fn split_at_link(&self, class: usize, link: u32) -> Result<Split> {
        if link == 0 || link > self.shape.class(class + 1).blocks {
            return Err(Error::corrupt(CORRUPT));
        }
        Ok(self.split_at(class, link - 1))
    }

    /// The split block that contains the block of `class` at a unit.
    fn split_of(&self, class: usize, unit: u32) -> Split {
        self.split_at(class, unit / self.shape.class(class + 1).units)
    }

    fn split_at(&self, class: usize, index: u32) -> Split {
        let above = self.shape.class(class + 1);
        assert!(index < above.blocks);
        Split { class, index, at: above.splits + index as usize * 16 }
    }

    fn get(&self, split: Split, at: usize) -> u32 {
        // SAFETY: `split_at` checked that the record lies within its section.
        unsafe { self.memory.load_u32(split.at + at) }
    }

    fn set(&self, split: Split, at: usize, value: u32) {
        // SAFETY: as in `get`; `attach` requires writable memory that no other thread changes.
        unsafe { self.memory.store_u32(split.at + at, value) };
    }

    /// Adds an allocated block of a class to the counts, or removes it.
    fn count(&self, class: usize, more: bool) {
        let units = self.shape.class(class).units;
        let step = |value: u32, by: u32| if more { value.wrapping_add(by) } else { value.wrapping_sub(by) };
        let used = step(self.memory.word(word::USED), units);
        // SAFETY: `attach` requires writable memory that no other thread changes.
        unsafe {
            self.memory.set_word(word::USED, used);
            if more && used > self.memory.word(word::PEAK) {
                self.memory.set_word(word::PEAK, used);
            }
            if self.shape.last() > 0 {
                let used = step(self.class_word(class, class_word::USED), 1);
                self.set_class_word(class, class_word::USED, used);
                if more && used > self.class_word(class, class_word::PEAK) {
                    self.set_class_word(class, class_word::PEAK, used);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::pools::fixed::FixedPool;
    use crate::pools::fixed::layout::Shape;

    #[test]
    fn freed_small_blocks_serve_a_large_request() {
        let mut pool = FixedPool::new(Shape::new(&[64, 256, 1024], &[8, 2, 2], 0).unwrap()).unwrap();
        let mut small = Vec::new();
        while let Some(offset) = pool.try_alloc(64).unwrap() {
            small.push(offset);
        }
        assert_eq!(small.len() as u64, pool.stats().capacity / 64);
        assert!(pool.try_alloc(1024).unwrap().is_none());
        small.sort_unstable();
        for offset in small.drain(4..8) {
            pool.free(offset).unwrap();
        }
        pool.validate().unwrap();
        assert_eq!(pool.try_alloc(200).unwrap(), Some(256));
        assert!(pool.try_alloc(64).unwrap().is_none());
        small.drain(..).for_each(|offset| pool.free(offset).unwrap());
        pool.free(256).unwrap();
        pool.validate().unwrap();
        for _ in 0..pool.stats().capacity / 1024 {
            pool.alloc(1000).unwrap();
        }
        assert!(pool.try_alloc(1).unwrap().is_none());
    }
}
