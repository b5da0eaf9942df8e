//! Validation of a pool's bookkeeping: every smallest block is in exactly one place, lists contain
//! only free blocks and end, and counts are right. O(units), with one byte of temporary memory for
//! each unit.

use super::layout::{ALLOCATED, LINK, class_word, word};
use super::raw::RawFixedPool;
use crate::region::header::HEADER_BYTES;
use crate::{Error, Result};

/// Checks the contents of a pool.
///
/// # Safety
/// As for [`RawFixedPool::attach`].
pub unsafe fn validate(base: *mut u8, len: usize) -> Result<()> {
    // SAFETY: as for `attach`, guaranteed by the caller.
    check(&unsafe { RawFixedPool::attach(base, len) }?)
}

/// Checks the contents of a pool.
pub fn check(pool: &RawFixedPool) -> Result<()> {
    let shape = pool.shape;
    let mut free = Vec::new();
    free.try_reserve_exact(shape.units as usize)?;
    free.resize(shape.units as usize, false);
    let mut checker = Checker { pool, free, used: [0; super::layout::MAX_CLASSES], partial: 0 };
    let last = shape.last();
    let root = *shape.class(last);
    let mut head = pool.memory.word(word::FREE);
    while head != root.blocks {
        if head > root.blocks {
            return Err(wrong("the free list of the largest blocks contains an invalid index"));
        }
        let unit = head * root.units;
        let link = pool.unit_word(unit);
        if link & ALLOCATED != 0 || std::mem::replace(&mut checker.free[unit as usize], true) {
            return Err(wrong("the free list of the largest blocks contains an allocated block, or a cycle"));
        }
        head = head.wrapping_add(1).wrapping_add(link) & LINK;
    }
    for index in 0..root.blocks {
        checker.block(last, index * root.units)?;
    }
    checker.lists()?;
    checker.counts()
}

#[cold]
fn wrong(what: &'static str) -> Error {
    Error::corrupt(what)
}

struct Checker<'a> {
    pool: &'a RawFixedPool,
    /// Whether a free block that is in a list begins at each unit.
    free: Vec<bool>,
    used: [u32; super::layout::MAX_CLASSES],
    /// Split blocks with an available part.
    partial: u64,
}

impl Checker<'_> {
    /// Checks a block of the largest class, or a part that was handed out. Recursion ends at the
    /// smallest class.
    fn block(&mut self, class: usize, unit: u32) -> Result<()> {
        let word = self.pool.unit_word(unit);
        if self.free[unit as usize] {
            return Ok(());
        }
        if word == ALLOCATED | class as u32 {
            self.used[class] += 1;
            return Ok(());
        }
        if class == 0 {
            return Err(wrong("a block is neither allocated nor in a list"));
        }
        let (above, part) = (*self.pool.shape.class(class), *self.pool.shape.class(class - 1));
        let [freed, counts, _, _] = self.record(class, unit / above.units);
        let (out, given) = (counts & 0xFFFF, counts >> 16);
        if given > part.ratio || out > given {
            return Err(wrong("a split block has a wrong count of its parts"));
        }
        if (out == 0) != (self.pool.class_word(class - 1, class_word::RESERVE) == unit / above.units + 1) {
            return Err(wrong("a split block whose parts are all free is neither merged nor the reserve"));
        }
        let mut next = freed;
        let mut listed = 0;
        while next != 0 {
            let at = unit + next.wrapping_sub(1).min(part.ratio) * part.units;
            if next > given || std::mem::replace(&mut self.free[at as usize], true) {
                return Err(wrong("the list of a split block contains an invalid part, or a cycle"));
            }
            next = self.pool.unit_word(at);
            listed += 1;
        }
        if listed + out != given {
            return Err(wrong("a split block has parts that are neither allocated nor free"));
        }
        self.partial += u64::from(out < part.ratio);
        (0..given).try_for_each(|number| self.block(class - 1, unit + number * part.units))
    }

    fn record(&self, class: usize, index: u32) -> [u32; 4] {
        let at = self.pool.shape.class(class).splits + index as usize * 16;
        // SAFETY: the index is below the class's number of blocks, so the record lies in its
        // section.
        [0, 4, 8, 12].map(|word| unsafe { self.pool.memory.load_u32(at + word) })
    }

    /// Checks that the lists of split blocks contain exactly those with an available part.
    fn lists(&mut self) -> Result<()> {
        for class in 0..self.pool.shape.last() {
            let reserve = self.pool.class_word(class, class_word::RESERVE);
            let above = *self.pool.shape.class(class + 1);
            let (mut link, mut previous) = (self.pool.class_word(class, class_word::PARTIAL), 0);
            let mut met = reserve == 0;
            while link != 0 {
                met |= link == reserve;
                if link > above.blocks || self.partial == 0 {
                    return Err(wrong("a list of split blocks contains an invalid index, or a cycle"));
                }
                let [_, counts, next, before] = self.record(class + 1, link - 1);
                if before != previous || counts & 0xFFFF >= self.pool.shape.class(class).ratio {
                    return Err(wrong("a list of split blocks has a wrong link, or contains a full one"));
                }
                self.partial -= 1;
                (previous, link) = (link, next);
            }
            if !met {
                return Err(wrong("the reserve of a class is not in its list"));
            }
        }
        if self.partial == 0 {
            Ok(())
        } else {
            Err(wrong("a split block with an available part is not in a list"))
        }
    }

    fn counts(&self) -> Result<()> {
        let classes = self.pool.shape.classes();
        let units: u64 = classes.iter().zip(self.used).map(|(c, n)| u64::from(c.units) * u64::from(n)).sum();
        let (used, peak) = (self.pool.memory.word(word::USED), self.pool.memory.word(word::PEAK));
        if u64::from(used) != units || peak < used || peak > self.pool.shape.units {
            return Err(wrong("the pool's count of used blocks is wrong"));
        }
        for (class, &used) in self.used[..classes.len()].iter().enumerate() {
            let single = classes.len() == 1;
            let (counted, peak) = (
                self.pool.class_word(class, class_word::USED),
                self.pool.class_word(class, class_word::PEAK),
            );
            if (single && (counted, peak) != (0, 0)) || (!single && (counted != used || peak < used)) {
                return Err(wrong("a class's count of used blocks is wrong"));
            }
            for at in (class_word::RESERVE + 4..64).step_by(4) {
                if self.pool.class_word(class, at) != 0 {
                    return Err(wrong("a reserved word of a class is not zero"));
                }
            }
        }
        for index in word::FREE + 1..HEADER_BYTES / 4 {
            if self.pool.memory.word(index) != 0 {
                return Err(wrong("a reserved word of the header is not zero"));
            }
        }
        Ok(())
    }
}
