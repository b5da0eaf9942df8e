//! The search for a group with a free block, and the proof that there is none.

use super::layout::{chunk, group, slot};
use super::shared::Shared;
use super::words::Words;

/// Which chunks a search includes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Own,
    Any,
}

impl<W: Words> Shared<W> {
    /// Searches for a group of a class, or of a larger one, for which `take` returns a value. Gives
    /// up only when there is certainly none.
    pub(super) fn search<T>(
        &self,
        class: u32,
        take: impl Fn(&Shared<W>, u32, u32) -> Option<T>,
    ) -> Option<T> {
        self.retry(class, || self.attempt(class, &take))
    }

    /// Repeats an attempt until it succeeds, or until nothing changed while it failed.
    pub(super) fn retry<T>(&self, class: u32, attempt: impl Fn() -> Option<T>) -> Option<T> {
        let first = attempt();
        if first.is_some() {
            return first;
        }
        for round in 0..self.rounds {
            let before = self.fingerprint(class);
            let found = attempt();
            if found.is_some() || (before.is_some() && before == self.fingerprint(class)) {
                return found;
            }
            self.words.pause(round);
        }
        None
    }

    fn attempt<T>(&self, class: u32, take: &impl Fn(&Shared<W>, u32, u32) -> Option<T>) -> Option<T> {
        self.search_class(class, Whose::Own, take)
            .or_else(|| self.cut_and_search(self.claim_any(), class, take))
            .or_else(|| self.search_class(class, Whose::Any, take))
            .or_else(|| self.cut_and_search(self.retire_any(), class, take))
            .or_else(|| {
                (class + 1..self.geometry.classes())
                    .find_map(|larger| self.search_class(larger, Whose::Any, take))
            })
    }

    /// Cuts a claimed chunk and searches it.
    fn cut_and_search<T>(
        &self,
        claimed: Option<u32>,
        class: u32,
        take: &impl Fn(&Shared<W>, u32, u32) -> Option<T>,
    ) -> Option<T> {
        let number = claimed?;
        self.cut(number, class);
        self.search_chunk(number, class, take)
    }

    /// Searches the chunks of a class whose hint says that they may have a free block.
    fn search_class<T>(
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
            if hint & 1 == 0 || (whose == Whose::Own && chunk::slot(descriptor) != self.me) {
                continue;
            }
            let found = self.search_chunk(number, class, take).or_else(|| {
                // The chunk has no free block, so other searches can skip it, unless a block was
                // freed meanwhile.
                if self.clear_hint(number, hint) && self.confirm_any(number, class) {
                    self.set_hint(number);
                    return self.search_chunk(number, class, take);
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

    fn search_chunk<T>(
        &self,
        number: u32,
        class: u32,
        take: &impl Fn(&Shared<W>, u32, u32) -> Option<T>,
    ) -> Option<T> {
        self.groups_of(number, class).find_map(|at| take(self, class, at))
    }

    /// Whether a chunk has a free block, without doubt: either this read sees the bit that a free
    /// set, or that free sees the hint that this thread cleared before.
    fn confirm_any(&self, number: u32, class: u32) -> bool {
        self.groups_of(number, class).any(|at| Self::gives(self.confirm_group(at), class))
    }

    pub(super) fn groups_of(&self, number: u32, class: u32) -> std::ops::Range<u32> {
        let first = number << self.geometry.group_shift;
        first..first + self.geometry.groups(class)
    }

    /// Whether `word` is that of a group without an owner whose blocks are all free.
    pub(super) fn is_idle(&self, word: u32, class: u32) -> bool {
        word & !group::COUNT == group::of_class(class) | self.geometry.all(class)
    }

    /// A hash of the reasons why a class has no room: all descriptors; the hints of chunks whose
    /// blocks would be large enough; of each other chunk, a group that keeps it from being retired.
    /// `None` while another thread is changing a chunk.
    fn fingerprint(&self, class: u32) -> Option<u64> {
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
