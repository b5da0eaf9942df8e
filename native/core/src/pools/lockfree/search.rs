//! Finding a group that gives a block, and being sure that there is none.

use super::layout::{chunk, group, slot};
use super::shared::Shared;
use super::words::Words;

/// Whose chunks a search looks into.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Mine,
    Anyones,
}

impl<W: Words> Shared<W> {
    /// Looks for a group of a class, or of a larger one, of which `take` makes something; until
    /// there is certainly none.
    pub(super) fn search<T>(
        &self,
        class: u32,
        take: impl Fn(&Shared<W>, u32, u32) -> Option<T>,
    ) -> Option<T> {
        self.persist(class, || self.attempt(class, &take))
    }

    /// Repeats an attempt until it finds something, or nothing changed while it found nothing.
    pub(super) fn persist<T>(&self, class: u32, attempt: impl Fn() -> Option<T>) -> Option<T> {
        let first = attempt();
        if first.is_some() {
            return first;
        }
        for round in 0..self.rounds {
            let before = self.evidence(class);
            let found = attempt();
            if found.is_some() || (before.is_some() && before == self.evidence(class)) {
                return found;
            }
            self.words.pause(round);
        }
        None
    }

    fn attempt<T>(&self, class: u32, take: &impl Fn(&Shared<W>, u32, u32) -> Option<T>) -> Option<T> {
        self.look(class, Whose::Mine, take)
            .or_else(|| self.look_into_fresh(self.claim_any(), class, take))
            .or_else(|| self.look(class, Whose::Anyones, take))
            .or_else(|| self.look_into_fresh(self.retire_any(), class, take))
            .or_else(|| {
                (class + 1..self.geometry.classes())
                    .find_map(|larger| self.look(larger, Whose::Anyones, take))
            })
    }

    /// Cuts a chunk that was claimed, and looks into it.
    fn look_into_fresh<T>(
        &self,
        claimed: Option<u32>,
        class: u32,
        take: &impl Fn(&Shared<W>, u32, u32) -> Option<T>,
    ) -> Option<T> {
        let number = claimed?;
        self.cut(number, class);
        self.look_into(number, class, take)
    }

    /// Looks through the chunks of a class that may have something.
    fn look<T>(
        &self,
        class: u32,
        whose: Whose,
        take: &impl Fn(&Shared<W>, u32, u32) -> Option<T>,
    ) -> Option<T> {
        let chunks = self.geometry.chunks;
        let cursor = self.slot_word(self.me, slot::CURSOR);
        let first = self.words.load(cursor) % chunks;
        for step in 0..chunks {
            let number = if step < chunks - first { first + step } else { step - (chunks - first) };
            let descriptor = self.descriptor(number);
            if chunk::kind(descriptor) != chunk::CUT || chunk::class(descriptor) != class {
                continue;
            }
            let hint = self.hint(number);
            if hint & 1 == 0 || (whose == Whose::Mine && chunk::slot(descriptor) != self.me) {
                continue;
            }
            let found = self.look_into(number, class, take).or_else(|| {
                // Nothing here, so nobody need look, unless something came meanwhile.
                if self.clear_hint(number, hint) && self.confirm_any(number, class) {
                    self.set_hint(number);
                    return self.look_into(number, class, take);
                }
                None
            });
            if found.is_some() {
                self.words.store(cursor, number);
                return found;
            }
        }
        None
    }

    fn look_into<T>(
        &self,
        number: u32,
        class: u32,
        take: &impl Fn(&Shared<W>, u32, u32) -> Option<T>,
    ) -> Option<T> {
        self.groups_of(number, class).find_map(|at| take(self, class, at))
    }

    /// Whether a chunk has a free block, certainly: either this sees the bit of a free, or that
    /// free sees the hint that this thread took back before.
    fn confirm_any(&self, number: u32, class: u32) -> bool {
        self.groups_of(number, class).any(|at| Self::gives(self.confirm_group(at), class))
    }

    pub(super) fn groups_of(&self, number: u32, class: u32) -> std::ops::Range<u32> {
        let first = number << self.geometry.group_shift;
        first..first + self.geometry.groups(class)
    }

    /// Whether all blocks of a group are free, whose word this is, and nobody owns it.
    pub(super) fn is_idle(&self, word: u32, class: u32) -> bool {
        word & !group::COUNT == group::of_class(class) | self.geometry.all(class)
    }

    /// A number that stands for why there is no room for a class: all descriptors; hints of chunks
    /// whose blocks would do; of other chunks a group that keeps them from being retired. `None`
    /// while somebody is in the middle of something.
    fn evidence(&self, class: u32) -> Option<u64> {
        let mut sum = 0xCBF2_9CE4_8422_2325u64;
        let mut mix = |word: u32| {
            sum = (sum ^ u64::from(word)).wrapping_mul(0x0000_0100_0000_01B3).rotate_left(23);
        };
        for number in 0..self.geometry.chunks {
            let descriptor = self.descriptor(number);
            mix(descriptor);
            let of = chunk::class(descriptor);
            match chunk::kind(descriptor) {
                chunk::CLAIMED | chunk::CHANGING => return None,
                chunk::CUT if of < self.geometry.classes() => {
                    if of >= class {
                        let hint = self.hint(number);
                        if hint & 1 != 0 {
                            return None;
                        }
                        mix(hint);
                    }
                    let words = self.groups_of(number, of).map(|at| (at, self.group(at)));
                    if let Some((at, word)) = words.into_iter().find(|&(_, word)| !self.is_idle(word, of)) {
                        mix(at);
                        mix(word);
                    }
                }
                _ => {}
            }
        }
        Some(sum)
    }
}
