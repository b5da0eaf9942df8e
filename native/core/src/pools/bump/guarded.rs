//! Records before blocks and guards behind them: an arena with the option `GUARDS`.
//!
//! A record is the 16 bytes before its block: 1 + the granule of the block before (0: none), the
//! bytes that were asked for (two words), and a stamp that is made of these and the block's place.
//! So what a program leaves in freed memory is not taken for a record, and a block that is written
//! over from behind is noticed. The chain goes strictly down, so walking it ends, whatever it
//! holds.

use super::layout::{GRANULE, word};
use super::raw::{RawBumpArena, released};
use crate::pools::guard::{self, GUARD_BYTES};
use crate::{Error, Result};

/// What released memory is filled with, if not with zeros.
pub const POISON: u8 = 0xDB;

const RECORD_GRANULES: u64 = 2;
const RECORD_BYTES: usize = (RECORD_GRANULES * GRANULE) as usize;

/// What stands before a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record {
    /// 1 + the granule where the block before begins; 0: none.
    previous: u32,
    /// Bytes that were asked for.
    pub(super) bytes: u64,
    /// Whether the block was not freed yet.
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
    /// A block with a record and a guard. `None` where there is no room.
    pub(super) fn alloc_guarded(&mut self, top: u32, bytes: u64, align: u32) -> Option<u64> {
        let mask = u64::from(align >> 3).saturating_sub(1);
        let start = (u64::from(top) + RECORD_GRANULES + mask) & !mask;
        let end = (start * GRANULE).checked_add(bytes)?.checked_add(GUARD_BYTES)?.div_ceil(GRANULE);
        if end > u64::from(self.granules) {
            return None;
        }
        let offset = start * GRANULE;
        let record = Record { previous: self.memory.word(word::LAST), bytes, live: true };
        // SAFETY: attaching vouched that this thread may write. `top` first: if the thread ends
        // before the record is there, the chain still leads past this block.
        unsafe {
            self.memory.set_word(word::TOP, end as u32);
            self.write(start as u32, record);
            guard::write(self.memory, self.data + (offset + bytes) as usize, offset);
            self.take(start as u32, end as u32);
        }
        Some(offset)
    }

    /// The record of a block that begins at granule `start`, if there is one: within `top`, and
    /// unharmed.
    pub(super) fn record(&self, start: u32, top: u32) -> Option<Record> {
        if u64::from(start) < RECORD_GRANULES || start >= top {
            return None;
        }
        let at = self.data + start as usize * GRANULE as usize - RECORD_BYTES;
        // SAFETY: a record before a granule of the data lies within it.
        let [previous, low, high, stamp] =
            std::array::from_fn(|i| unsafe { self.memory.load_u32(at + i * 4) });
        let record = Record { previous, bytes: u64::from(low) | u64::from(high) << 32, live: stamp & 1 != 0 };
        let end = (u64::from(start) * GRANULE).checked_add(record.bytes)?.checked_add(GUARD_BYTES)?;
        let sound = stamp == record.stamp(start) && previous < start && end <= u64::from(top) * GRANULE;
        sound.then_some(record)
    }

    /// # Safety
    /// The memory is writable and this thread the only one to write here; the block lies within the
    /// data.
    unsafe fn write(&mut self, start: u32, record: Record) {
        let at = self.data + start as usize * GRANULE as usize - RECORD_BYTES;
        let words = [record.previous, record.bytes as u32, (record.bytes >> 32) as u32, record.stamp(start)];
        for (i, value) in words.into_iter().enumerate() {
            // SAFETY: the caller's word.
            unsafe { self.memory.store_u32(at + i * 4, value) };
        }
    }

    /// Frees a block: takes it away if it is the last one, else notes that it is free.
    pub(super) fn free_guarded(&mut self, start: u32, top: u32) -> Result<()> {
        let offset = u64::from(start) * GRANULE;
        let record = self.record(start, top).filter(|record| record.live).ok_or_else(|| released(offset))?;
        self.check_guard(start, record)?;
        let blocks = self.memory.word(word::BLOCKS).wrapping_sub(1);
        let from = start - RECORD_GRANULES as u32;
        if self.memory.word(word::LAST) == start + 1 && from >= self.memory.word(word::FLOOR) {
            self.go_back(from, record.previous, blocks, top);
        } else {
            // SAFETY: attaching vouched that this thread may write; `record` made sure that the
            // record is in the data.
            unsafe {
                self.write(start, Record { live: false, ..record });
                self.memory.set_word(word::BLOCKS, blocks);
            }
        }
        Ok(())
    }

    fn check_guard(&self, start: u32, record: Record) -> Result<()> {
        let offset = u64::from(start) * GRANULE;
        // SAFETY: `record` made sure that the block and its guard end before `top`.
        match unsafe { guard::broken(self.memory, self.data + (offset + record.bytes) as usize, offset) } {
            None => Ok(()),
            Some(at) => Err(Error::corrupt(format!(
                "the block at {offset} has {} bytes, and byte {} behind them was overwritten",
                record.bytes,
                record.bytes + at
            ))),
        }
    }

    /// Looks at the guards of all blocks from granule `from` on.
    pub(super) fn first_broken(&self, from: u32, top: u32) -> Result<()> {
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
