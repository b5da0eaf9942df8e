//! Records before blocks and guards after them, for arenas with the option `GUARDS`.
//!
//! A record is the 16 bytes before its block: 1 + the granule of the previous block (0: none), the
//! requested size in bytes (two words), and a stamp computed from these and the block's position.
//! The stamp keeps data that a program leaves in freed memory from being mistaken for a record, and
//! reveals writes before the beginning of a block. Each record refers to a lower position, so
//! walking the chain ends for any contents.

use super::layout::{GRANULE, word};
use super::raw::{RawBumpArena, released};
use crate::pools::guard::{self, GUARD_BYTES};
use crate::{Error, Result};

/// The fill byte of released memory, unless it is filled with zeros.
pub const POISON: u8 = 0xDB;

const RECORD_GRANULES: u64 = 2;
const RECORD_BYTES: usize = (RECORD_GRANULES * GRANULE) as usize;

/// The record before a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// 1 + the granule at which the previous block begins; 0: none.
    previous: u32,
    /// The requested size in bytes.
    pub(super) bytes: u64,
    /// Whether the block is not yet freed.
    pub(super) live: bool,
}

impl Record {
    /// The fourth word; the lowest bit is set while the block is live. The same in
    /// `src/pools/bump-guards.ts`.
    fn stamp(&self, start: u32) -> u32 {
        let mut h = start.wrapping_mul(0x9E37_79B1) ^ self.previous;
        h = (h ^ (h >> 15)).wrapping_mul(0x85EB_CA6B) ^ self.bytes as u32;
        h = (h ^ (h >> 13)).wrapping_mul(0xC2B2_AE35) ^ (self.bytes >> 32) as u32;
        (h ^ (h >> 16)) & !1 | u32::from(self.live)
    }
}

impl RawBumpArena {
    /// Allocates a block with a record and a guard. `None` if there is no room.
    pub(super) fn alloc_guarded(&mut self, top: u32, bytes: u64, align: u32) -> Option<u64> {
        let mask = u64::from(align >> 3).saturating_sub(1);
        let start = (u64::from(top) + RECORD_GRANULES + mask) & !mask;
        let end = (start * GRANULE).checked_add(bytes)?.checked_add(GUARD_BYTES)?.div_ceil(GRANULE);
        if end > u64::from(self.granules) {
            return None;
        }
        let offset = start * GRANULE;
        let record = Record { previous: self.memory.word(word::LAST), bytes, live: true };
        // SAFETY: `attach` requires writable memory that no other thread changes; the record and
        // the block are within the data, because `end` was checked. `top` is stored first: if the
        // thread ends before the record is written, the chain still skips this block.
        unsafe {
            self.memory.set_word(word::TOP, end as u32);
            self.write(start as u32, record);
            guard::write(self.memory, self.data + (offset + bytes) as usize, offset);
            self.take(start as u32, end as u32);
        }
        Some(offset)
    }

    /// The record of the block that begins at granule `start`, if it is below `top` and intact.
    pub(super) fn record(&self, start: u32, top: u32) -> Option<Record> {
        if u64::from(start) < RECORD_GRANULES || start >= top {
            return None;
        }
        let at = self.data + start as usize * GRANULE as usize - RECORD_BYTES;
        // SAFETY: `start` is below `top`, so the record before it lies within the data.
        let [previous, low, high, stamp] =
            std::array::from_fn(|i| unsafe { self.memory.load_u32(at + i * 4) });
        let record = Record { previous, bytes: u64::from(low) | u64::from(high) << 32, live: stamp & 1 != 0 };
        let end = (u64::from(start) * GRANULE).checked_add(record.bytes)?.checked_add(GUARD_BYTES)?;
        let sound = stamp == record.stamp(start) && previous < start && end <= u64::from(top) * GRANULE;
        sound.then_some(record)
    }

    /// # Safety
    /// The memory is writable, no other thread writes here, and the block lies within the data.
    unsafe fn write(&mut self, start: u32, record: Record) {
        let at = self.data + start as usize * GRANULE as usize - RECORD_BYTES;
        let words = [record.previous, record.bytes as u32, (record.bytes >> 32) as u32, record.stamp(start)];
        for (i, value) in words.into_iter().enumerate() {
            // SAFETY: the record is within writable memory, guaranteed by the caller.
            unsafe { self.memory.store_u32(at + i * 4, value) };
        }
    }

    /// Frees a block: removes it if it is the last one, otherwise marks it as free.
    pub(super) fn free_guarded(&mut self, start: u32, top: u32) -> Result<()> {
        let offset = u64::from(start) * GRANULE;
        let record = self.record(start, top).filter(|record| record.live).ok_or_else(|| released(offset))?;
        self.check_guard(start, record)?;
        let blocks = self.memory.word(word::BLOCKS).wrapping_sub(1);
        let from = start - RECORD_GRANULES as u32;
        if self.memory.word(word::LAST) == start + 1 && from >= self.memory.word(word::FLOOR) {
            self.lower_top(from, record.previous, blocks, top);
        } else {
            // SAFETY: `attach` requires writable memory that no other thread changes; `record`
            // checked that the record is within the data.
            unsafe {
                self.write(start, Record { live: false, ..record });
                self.memory.set_word(word::BLOCKS, blocks);
            }
        }
        Ok(())
    }

    fn check_guard(&self, start: u32, record: Record) -> Result<()> {
        let offset = u64::from(start) * GRANULE;
        // SAFETY: `record` checked that the block and its guard end before `top`.
        match unsafe { guard::broken(self.memory, self.data + (offset + record.bytes) as usize, offset) } {
            None => Ok(()),
            Some(at) => Err(Error::corrupt(format!(
                "the block at {offset} has {} bytes, and byte {} after them was overwritten",
                record.bytes,
                record.bytes + at
            ))),
        }
    }

    /// Checks the guards of all blocks from granule `from` on.
    pub(super) fn check_guards(&self, from: u32, top: u32) -> Result<()> {
        let mut last = self.memory.word(word::LAST);
        let mut broken = Ok(());
        while last > from {
            let start = last - 1;
            let Some(record) = self.record(start, top) else {
                let offset = u64::from(start) * GRANULE;
                return Err(Error::corrupt(format!(
                    "the bytes before the block at {offset} were overwritten"
                )));
            };
            if let Err(error) = self.check_guard(start, record) {
                broken = Err(error);
            }
            last = record.previous;
        }
        broken
    }
}
