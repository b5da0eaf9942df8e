//! Slots: joining a pool and leaving it, in whatever state.

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
    /// Gives the slot up, and all that was kept for it: chunks in the middle of something are
    /// finished or undone, groups that it owns given back. If its thread `ended` without a word,
    /// the block that it took last is remembered as a suspect. Returns whether it had not been
    /// given up already.
    ///
    /// For the thread that used the slot, or, once that has ended, any other.
    pub fn leave(&self, ended: bool) -> bool {
        let state = self.slot_word(self.me, slot::STATE);
        if self.words.swap(state, slot::LIVE, slot::LEAVING).is_err() {
            return false;
        }
        (0..self.geometry.chunks).for_each(|number| self.settle(number));
        let intent = self.words.load(self.slot_word(self.me, slot::INTENT));
        if ended && intent != 0 {
            self.suspect(u64::from(intent - 1) << self.geometry.min_shift, intent);
        }
        self.words.store(state, slot::FREE);
        true
    }

    /// Notes a block that may have been lost, unless it is free, or noted already.
    fn suspect(&self, offset: u64, intent: u32) {
        // If there is no place for it, there are as many others already as slots.
        if self.room(offset).is_ok() && !self.possibly_leaked().any(|other| other == offset) {
            let place = |number| self.words.swap(self.slot_word(number, slot::SUSPECT), 0, intent).is_ok();
            let _ = (0..self.geometry.slots).any(place);
        }
    }

    fn settle(&self, number: u32) {
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
                // It may have ended between a free and its hint.
                self.set_hint(number);
            }
            _ => {}
        }
    }

    /// Gives a group back if this handle owns it. Each step leaves the union of both words as it
    /// is.
    pub(super) fn release(&self, at: u32) {
        let cached = self.cache(at) & group::BITS;
        if self.update(at, |word| word | cached) {
            self.set_cache(at, 0);
            self.update(at, |word| word & !group::OWNER);
            self.set_hint(at >> self.geometry.group_shift);
        }
    }

    /// Changes the word of a group as long as this handle owns it. Returns whether it did.
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

    /// Blocks that threads had taken last when they ended without a word, and that are allocated
    /// still: each may have been lost before a program got hold of it.
    pub fn possibly_leaked(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.geometry.slots).filter_map(|number| {
            let at = self.slot_word(number, slot::SUSPECT);
            let suspect = self.words.load(at);
            let offset = u64::from(suspect.checked_sub(1)?) << self.geometry.min_shift;
            if self.room(offset).is_ok() {
                return Some(offset);
            }
            let _ = self.words.swap(at, suspect, 0);
            None
        })
    }
}
