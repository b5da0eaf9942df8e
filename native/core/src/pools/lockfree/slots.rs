//! Slots: joining a pool, and leaving it in any state.

use super::layout::{chunk, group, slot};
use super::shared::Shared;
use super::words::Words;
use crate::{Error, Result};

/// Takes a slot for a new handle. `Full` if there are too many.
pub fn join<W: Words>(shared: Shared<W>) -> Result<Shared<W>> {
    let geometry = *shared.geometry();
    for number in 0..geometry.slots {
        let state = shared.slot_word(number, slot::STATE);
        if shared.words.load(state) == slot::FREE && shared.words.swap(state, slot::FREE, slot::LIVE).is_ok()
        {
            shared.words.store(shared.slot_word(number, slot::INTENT), 0);
            let cursor = u64::from(number) * u64::from(geometry.chunks) / u64::from(geometry.slots);
            shared.words.store(shared.slot_word(number, slot::CURSOR), cursor as u32);
            (0..16).for_each(|class| {
                shared.words.store(shared.slot_word(number, slot::CURRENT + class), 0);
            });
            return Ok(Shared { me: number, ..shared });
        }
    }
    Err(Error::full(format!("the pool has {} handles already", geometry.slots)))
}

impl<W: Words> Shared<W> {
    /// Releases the slot and everything that belongs to it: finishes or undoes its changes of
    /// chunks, and returns the groups that it owns. If its thread `ended` without releasing the
    /// slot, the block that it took last is recorded as possibly leaked. Returns false if the slot
    /// was released already.
    ///
    /// To be called by the thread that uses the slot or, after that thread has ended, by any other.
    pub fn leave(&self, ended: bool) -> bool {
        let state = self.slot_word(self.me, slot::STATE);
        if self.words.swap(state, slot::LIVE, slot::LEAVING).is_err() {
            return false;
        }
        (0..self.geometry.chunks).for_each(|number| self.restore_chunk(number));
        let intent = self.words.load(self.slot_word(self.me, slot::INTENT));
        if ended && intent != 0 {
            self.record_possible_leak(u64::from(intent - 1) << self.geometry.min_shift, intent);
        }
        self.words.store(state, slot::FREE);
        true
    }

    /// Records a block that may have leaked, unless it is free or recorded already.
    fn record_possible_leak(&self, offset: u64, intent: u32) {
        // If no slot has room, as many other blocks are recorded as there are slots.
        if self.room(offset).is_ok() && !self.possibly_leaked().any(|other| other == offset) {
            let record =
                |number| self.words.swap(self.slot_word(number, slot::POSSIBLY_LEAKED), 0, intent).is_ok();
            let _ = (0..self.geometry.slots).any(record);
        }
    }

    fn restore_chunk(&self, number: u32) {
        let descriptor = self.descriptor(number);
        let (kind, class) = (chunk::kind(descriptor), chunk::class(descriptor));
        match kind {
            chunk::CLAIMED if chunk::slot(descriptor) == self.me => {
                self.free_tails(number);
                self.set_descriptor(number, chunk::FREE);
            }
            chunk::CUT | chunk::CHANGING if class < self.geometry.classes() => {
                for at in self.groups_of(number, class) {
                    self.release(at);
                }
                if kind == chunk::CHANGING && chunk::slot(descriptor) == self.me {
                    self.open(number, class);
                    self.set_descriptor(number, chunk::make(chunk::CUT, class, self.me));
                }
                // The thread may have ended between a free and its hint.
                self.set_hint(number);
            }
            _ => {}
        }
    }

    /// Returns a group to the pool if this handle owns it. Each step leaves the union of both words
    /// unchanged.
    pub(super) fn release(&self, at: u32) {
        let cached = self.cache(at) & group::BITS;
        if self.update(at, |word| word | cached) {
            self.set_cache(at, 0);
            self.update(at, |word| word & !group::OWNER);
            self.set_hint(at >> self.geometry.group_shift);
        }
    }

    /// Changes the word of a group while this handle owns it. Returns whether it did.
    pub(super) fn update(&self, at: u32, change: impl Fn(u32) -> u32) -> bool {
        let mut word = self.group(at);
        loop {
            if word & group::OWNER != group::of_owner(self.me) {
                return false;
            }
            match self.swap_group(at, word, change(word)) {
                Ok(()) => return true,
                Err(now) => word = now,
            }
        }
    }

    /// Blocks that threads had taken last when they ended without leaving, and that are still
    /// allocated: each may have been lost before a program received it.
    pub fn possibly_leaked(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.geometry.slots).filter_map(|number| {
            let at = self.slot_word(number, slot::POSSIBLY_LEAKED);
            let recorded = self.words.load(at);
            let offset = u64::from(recorded.checked_sub(1)?) << self.geometry.min_shift;
            if self.room(offset).is_ok() {
                return Some(offset);
            }
            let _ = self.words.swap(at, recorded, 0);
            None
        })
    }
}
