//! Claiming, cutting and retiring chunks; large blocks.

use super::layout::{chunk, group};
use super::shared::{Attempt, Refusal, Shared};
use super::words::Words;

impl<W: Words> Shared<W> {
    fn claimed(&self) -> u32 {
        chunk::make(chunk::CLAIMED, 0, self.me)
    }

    /// Claims a chunk, if it is free.
    fn claim(&self, number: u32) -> bool {
        self.descriptor(number) == chunk::FREE && self.swap_descriptor(number, chunk::FREE, self.claimed())
    }

    /// Claims any free chunk.
    pub(super) fn claim_any(&self) -> Option<u32> {
        (0..self.geometry.chunks).find(|&number| self.claim(number))
    }

    /// Cuts a claimed chunk into blocks of a class. The class is stored in the descriptor first: a
    /// thread that searched the chunk when it last had this class may take a block as soon as its
    /// group is open, and must be able to free it.
    pub(super) fn cut(&self, number: u32, class: u32) {
        self.set_descriptor(number, chunk::make(chunk::CHANGING, class, self.me));
        self.open(number, class);
        self.set_descriptor(number, chunk::make(chunk::CUT, class, self.me));
    }

    /// Retires any chunk whose blocks are all free. The chunk is then claimed.
    pub(super) fn retire_any(&self) -> Option<u32> {
        (0..self.geometry.chunks).find(|&number| self.retire(number))
    }

    /// Retires a chunk if all its blocks are free. It is then claimed.
    fn retire(&self, number: u32) -> bool {
        let descriptor = self.descriptor(number);
        let class = chunk::class(descriptor);
        if chunk::kind(descriptor) != chunk::CUT || class >= self.geometry.classes() {
            return false;
        }
        let changing = chunk::make(chunk::CHANGING, class, self.me);
        if !self.groups_of(number, class).all(|at| self.is_idle(self.group(at), class))
            || !self.swap_descriptor(number, descriptor, changing)
        {
            return false;
        }
        let closed = self.groups_of(number, class).all(|at| {
            let word = self.group(at);
            self.is_idle(word, class)
                && self.swap_group(at, word, group::CLOSED | group::counted(word)).is_ok()
        });
        if closed {
            self.set_descriptor(number, self.claimed());
        } else {
            self.open(number, class);
            self.set_descriptor(number, descriptor);
        }
        closed
    }

    /// Opens the groups of a chunk that are closed or were never open, with all their blocks free.
    pub(super) fn open(&self, number: u32, class: u32) {
        for at in self.groups_of(number, class) {
            let word = self.group(at);
            if matches!(word & group::CLASS, 0 | group::CLOSED) {
                self.set_group(at, group::of_class(class) | self.geometry.all(class) | group::counted(word));
            }
        }
        self.set_hint(number);
    }

    // ---- large blocks

    /// Allocates whole chunks.
    #[cold]
    #[inline(never)]
    pub(super) fn alloc_large(&self, bytes: u64) -> Option<u64> {
        let wanted = bytes.div_ceil(1 << self.geometry.chunk_shift);
        if wanted > u64::from(self.geometry.chunks) {
            return None;
        }
        self.retry(self.geometry.classes(), || self.attempt_large(wanted as u32))
    }

    fn attempt_large(&self, wanted: u32) -> Option<u64> {
        let mut first = 0;
        while wanted <= self.geometry.chunks - first {
            // The last chunk first: if it is not available, no range that contains it is.
            let end = first + wanted;
            let lacking = (first..end).rev().find(|&number| !(self.claim(number) || self.retire(number)));
            let Some(lacking) = lacking else {
                let offset = u64::from(first) << self.geometry.chunk_shift;
                self.set_intent(self.unit(offset));
                // In this order the chunks of the block are adjacent at every moment.
                for number in first + 1..end {
                    self.set_descriptor(number, chunk::TAIL | (number - first) << 3);
                }
                self.set_descriptor(first, chunk::LARGE | wanted << 3);
                return Some(offset);
            };
            (lacking + 1..end).for_each(|number| self.set_descriptor(number, chunk::FREE));
            first = lacking + 1;
        }
        None
    }

    #[cold]
    #[inline(never)]
    pub(super) fn free_large(&self, number: u32, descriptor: u32, offset: u64) -> Attempt<()> {
        if offset != u64::from(number) << self.geometry.chunk_shift {
            return Err(Refusal::Foreign);
        }
        if !self.swap_descriptor(number, descriptor, self.claimed()) {
            return Err(Refusal::Freed);
        }
        self.free_tails(number);
        self.set_descriptor(number, chunk::FREE);
        Ok(())
    }

    /// Frees the chunks after the first one of a large block, the last one first.
    pub(super) fn free_tails(&self, number: u32) {
        let is_tail = |&at: &u32| self.descriptor(at) == chunk::TAIL | (at - number) << 3;
        let tails = (number + 1..self.geometry.chunks).take_while(is_tail).count() as u32;
        (number + 1..=number + tails).rev().for_each(|at| self.set_descriptor(at, chunk::FREE));
    }
}
