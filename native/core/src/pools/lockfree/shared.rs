//! Allocating and freeing by one compare-and-swap. The module's documentation explains the
//! protocol.

use super::layout::{Geometry, MAX_CLASSES, SLOT_WORDS, chunk, group, slot};
use super::words::Words;
use crate::Error;

/// No group.
pub(super) const NONE: u32 = u32::MAX;

/// The words of a pool, as seen by the handle with slot `me`. All of a handle's state is in its
/// slot.
#[derive(Clone, Copy, Debug)]
pub struct Shared<W> {
    pub(super) words: W,
    pub(super) geometry: Geometry,
    /// The handle's slot.
    pub(super) me: u32,
    /// How often a search is repeated.
    pub(super) rounds: u32,
}

/// A block, identified by its group.
#[derive(Clone, Copy, Debug)]
pub(super) struct BlockRef {
    pub(super) group: u32,
    pub(super) bit: u32,
    pub(super) class: u32,
}

/// Why an offset cannot be freed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No block begins there.
    Foreign,
    /// The block there is free.
    Freed,
}

/// The result, or the reason for a refusal.
pub(super) type Attempt<T, E = Refusal> = Result<T, E>;

impl<W: Words> Shared<W> {
    /// A view for the handle with slot `me`, which is below the number of slots.
    pub fn new(words: W, geometry: Geometry, me: u32, rounds: u32) -> Shared<W> {
        Shared { words, geometry, me, rounds }
    }

    /// The slot of this handle.
    #[must_use]
    pub fn slot(&self) -> u32 {
        self.me
    }

    /// The sizes.
    #[must_use]
    pub fn geometry(&self) -> &Geometry {
        &self.geometry
    }

    /// Allocates a block of at least `bytes` bytes and returns its offset. `None` if there is no
    /// room.
    #[inline(always)]
    pub fn alloc(&self, bytes: u64) -> Option<u64> {
        let class = self.geometry.class_of(bytes);
        if class >= self.geometry.classes() {
            return self.alloc_large(bytes);
        }
        let at = self.current(class);
        if at != NONE
            && let Some(block) = self.take_once(at, class)
        {
            return Some(self.geometry.offset(block.group, class, block.bit));
        }
        self.alloc_slow(class)
    }

    /// Frees a block.
    #[inline(always)]
    pub fn free(&self, offset: u64) -> Attempt<()> {
        let number = self.chunk_of(offset)?;
        let descriptor = self.descriptor(number);
        let block = match chunk::kind(descriptor) {
            chunk::CUT | chunk::CHANGING => self.block_at(number, descriptor, offset)?,
            chunk::LARGE => return self.free_large(number, descriptor, offset),
            chunk::FREE if self.aligned(offset) => return Err(Refusal::Freed),
            _ => return Err(Refusal::Foreign),
        };
        let mut word = self.group(block.group);
        loop {
            self.check_allocated(block, word)?;
            let bits = word | 1 << block.bit;
            let owned = word & group::OWNED != 0;
            let new = if owned { bits } else { bits & !group::COUNT | group::counted(word) };
            match self.swap_group(block.group, word, new) {
                Ok(()) if owned => return Ok(()),
                Ok(()) => break,
                Err(now) => word = now,
            }
        }
        self.set_hint(number);
        if chunk::slot(descriptor) == self.me {
            // This handle prefers the chunk, so its next block comes from here, without a search.
            self.set_current(block.class, block.group);
        }
        Ok(())
    }

    /// The size of the allocated block at an offset.
    pub fn room(&self, offset: u64) -> Attempt<u64> {
        let number = self.chunk_of(offset)?;
        let descriptor = self.descriptor(number);
        match chunk::kind(descriptor) {
            chunk::CUT | chunk::CHANGING => {
                let block = self.block_at(number, descriptor, offset)?;
                self.check_allocated(block, self.group(block.group))?;
                Ok(1 << (self.geometry.min_shift + block.class))
            }
            chunk::LARGE if offset == u64::from(number) << self.geometry.chunk_shift => {
                let chunks = (descriptor >> 3).min(self.geometry.chunks - number);
                Ok(u64::from(chunks) << self.geometry.chunk_shift)
            }
            chunk::FREE if self.aligned(offset) => Err(Refusal::Freed),
            _ => Err(Refusal::Foreign),
        }
    }

    #[inline(always)]
    pub(super) fn chunk_of(&self, offset: u64) -> Attempt<u32> {
        let number = offset >> self.geometry.chunk_shift;
        if number < u64::from(self.geometry.chunks) { Ok(number as u32) } else { Err(Refusal::Foreign) }
    }

    /// Whether a smallest block could begin at an offset.
    fn aligned(&self, offset: u64) -> bool {
        offset.is_multiple_of(1 << self.geometry.min_shift)
    }

    /// The block that begins at an offset in a chunk that is cut.
    #[inline(always)]
    pub(super) fn block_at(&self, number: u32, descriptor: u32, offset: u64) -> Attempt<BlockRef> {
        let class = chunk::class(descriptor);
        let within = (offset as u32) & ((1 << self.geometry.chunk_shift) - 1);
        if class >= self.geometry.classes() {
            return Err(Refusal::Foreign);
        }
        let shift = self.geometry.min_shift + class;
        let index = within >> shift;
        if index << shift != within {
            return Err(Refusal::Foreign);
        }
        Ok(BlockRef { group: (number << self.geometry.group_shift) + (index >> 4), bit: index & 15, class })
    }

    /// Refuses a block that is free, in a cache, or whose chunk now has another class.
    #[inline(always)]
    pub(super) fn check_allocated(&self, block: BlockRef, word: u32) -> Attempt<()> {
        let free = word >> block.bit & 1 != 0 || word & group::CLASS != group::of_class(block.class);
        if free || (word & group::OWNED != 0 && self.cache(block.group) >> block.bit & 1 != 0) {
            return Err(Refusal::Freed);
        }
        Ok(())
    }

    /// Converts an offset to units of the smallest block.
    #[inline(always)]
    pub(super) fn unit(&self, offset: u64) -> u32 {
        (offset >> self.geometry.min_shift) as u32
    }

    // ---- taking

    /// Whether any handle can take a block of this class from a group with this word.
    #[inline(always)]
    pub(super) fn gives(word: u32, class: u32) -> bool {
        word & (group::CLASS | group::OWNED) == group::of_class(class) && word & group::BITS != 0
    }

    /// Tries to take a block of a group, once.
    #[inline(always)]
    fn take_once(&self, at: u32, class: u32) -> Option<BlockRef> {
        let word = self.group(at);
        if !Self::gives(word, class) {
            return None;
        }
        let bit = word.trailing_zeros();
        self.set_intent(self.unit(self.geometry.offset(at, class, bit)));
        self.swap_group(at, word, word & word.wrapping_sub(1)).ok()?;
        Some(BlockRef { group: at, bit, class })
    }

    /// Takes a block of a group while it has one: each failure is another thread's success.
    pub(super) fn take_of(&self, at: u32, class: u32) -> Option<BlockRef> {
        loop {
            if !Self::gives(self.group(at), class) {
                return None;
            }
            if let Some(block) = self.take_once(at, class) {
                return Some(block);
            }
        }
    }

    #[cold]
    #[inline(never)]
    fn alloc_slow(&self, class: u32) -> Option<u64> {
        let at = self.current(class);
        let nearby = || {
            // The groups after the current one belong to the same chunk, if it has more.
            let last =
                (at >> self.geometry.group_shift << self.geometry.group_shift) + self.geometry.groups(class);
            (at..last).find_map(|at| self.take_of(at, class))
        };
        let found = if at == NONE { None } else { nearby() };
        let found = match found {
            None => self.search(class, |this, class, at| this.take_of(at, class))?,
            Some(found) => found,
        };
        if found.class == class {
            self.set_current(class, found.group);
        }
        Some(self.geometry.offset(found.group, found.class, found.bit))
    }

    // ---- words

    #[inline(always)]
    pub(super) fn descriptor(&self, number: u32) -> u32 {
        self.words.load(self.geometry.chunks_at + number as usize)
    }

    #[inline(always)]
    pub(super) fn set_descriptor(&self, number: u32, value: u32) {
        self.words.store(self.geometry.chunks_at + number as usize, value);
    }

    #[inline(always)]
    pub(super) fn swap_descriptor(&self, number: u32, old: u32, new: u32) -> bool {
        self.words.swap(self.geometry.chunks_at + number as usize, old, new).is_ok()
    }

    #[inline(always)]
    pub(super) fn hint(&self, number: u32) -> u32 {
        self.words.load(self.geometry.hints_at + number as usize)
    }

    /// Records that a chunk may have a free block. If the swap fails, another thread recorded it
    /// after this thread's free.
    #[inline(always)]
    pub(super) fn set_hint(&self, number: u32) {
        let hint = self.hint(number);
        if hint & 1 == 0 {
            let _ = self.words.swap(self.geometry.hints_at + number as usize, hint, hint.wrapping_add(1));
        }
    }

    /// Clears a hint that was odd. The caller must search again, by [`Words::confirm`].
    pub(super) fn clear_hint(&self, number: u32, hint: u32) -> bool {
        self.words.swap(self.geometry.hints_at + number as usize, hint, hint.wrapping_add(1)).is_ok()
    }

    #[inline(always)]
    pub(super) fn group(&self, at: u32) -> u32 {
        self.words.load(self.geometry.groups_at + at as usize)
    }

    pub(super) fn confirm_group(&self, at: u32) -> u32 {
        self.words.confirm(self.geometry.groups_at + at as usize)
    }

    #[inline(always)]
    pub(super) fn set_group(&self, at: u32, value: u32) {
        self.words.store(self.geometry.groups_at + at as usize, value);
    }

    #[inline(always)]
    pub(super) fn swap_group(&self, at: u32, old: u32, new: u32) -> Attempt<(), u32> {
        self.words.swap(self.geometry.groups_at + at as usize, old, new)
    }

    #[inline(always)]
    pub(super) fn cache(&self, at: u32) -> u32 {
        self.words.load(self.geometry.caches_at + at as usize)
    }

    #[inline(always)]
    pub(super) fn set_cache(&self, at: u32, value: u32) {
        self.words.store(self.geometry.caches_at + at as usize, value);
    }

    #[inline(always)]
    pub(super) fn slot_word(&self, slot: u32, word: usize) -> usize {
        self.geometry.slots_at + slot as usize * SLOT_WORDS + word
    }

    /// The state of a slot.
    pub(super) fn state_of(&self, slot: u32) -> u32 {
        self.words.load(self.slot_word(slot, slot::STATE))
    }

    /// The group from which this handle took its last block of a class.
    #[inline(always)]
    pub(super) fn current(&self, class: u32) -> u32 {
        let word = slot::CURRENT + (class as usize & (MAX_CLASSES - 1));
        let at = self.words.load(self.slot_word(self.me, word)).wrapping_sub(1);
        if at < self.geometry.chunks << self.geometry.group_shift { at } else { NONE }
    }

    #[inline(always)]
    pub(super) fn set_current(&self, class: u32, at: u32) {
        let word = slot::CURRENT + (class as usize & (MAX_CLASSES - 1));
        self.words.store(self.slot_word(self.me, word), at.wrapping_add(1));
    }

    /// Records which block is about to be taken, in units of the smallest, in case the thread ends
    /// before its program receives the block.
    #[inline(always)]
    pub(super) fn set_intent(&self, unit: u32) {
        self.words.store(self.slot_word(self.me, slot::INTENT), unit.wrapping_add(1));
    }
}

/// The error for a refusal.
#[cold]
pub(super) fn refused(refusal: Refusal, offset: u64) -> Error {
    match refusal {
        Refusal::Foreign => crate::pools::errors::foreign(offset),
        Refusal::Freed => crate::pools::errors::freed(offset),
    }
}
