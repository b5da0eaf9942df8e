//! Caches: groups that one handle owns, so that most of its operations are plain loads and stores.
//!
//! Which blocks are free stands in the words of the groups. To find one without looking for it, a
//! handle notes blocks that were freed lately, in a stack for each class: alloc pops, free pushes.
//! Noted are blocks of groups that the handle owns. More is not certain: JavaScript, which has
//! stacks of its own, may have taken what is noted here, so the group's word decides; and what
//! found no place in the stack is found again by the slow road.
//!
//! Without stacks, with the lowest bit of a current group, a pair took half as long again, and
//! twice as long where blocks are freed at random: then nobody can predict whether a group had been
//! empty, or is.

use super::layout::{MAX_CLASSES, chunk, group};
use super::shared::{Attempt, NONE, Refusal, Shared};
use super::words::Words;
use crate::Result;

/// How many owned groups a search for a free block looks into before another group is taken from
/// the pool.
const LOOK_INTO: usize = 32;
/// How many blocks of a class a handle notes. So many make 512 bytes.
const NOTES: usize = 62;

/// The blocks of a class that a handle noted, and what it needs to know of the class.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Notes {
    blocks: [Noted; NOTES],
    count: u32,
    /// Bytes of a block: 2 to this.
    shift: u32,
    /// The bits of an offset that are zero where a block begins.
    within: u32,
    /// The class and owner bits of groups that are this handle's; `NOBODYS` where the class is not
    /// cached.
    mine: u32,
}

/// What no owner and class bits are: a bit of those that say what is free.
const NOBODYS: u32 = 1;

/// A block of a group that this handle owns. It was free when it was noted.
#[derive(Clone, Copy, Debug)]
struct Noted {
    /// Sixteen times the group, plus the bit.
    place: u32,
    /// Where it is.
    offset: u32,
}

impl Notes {
    /// Of a class that is not cached.
    const NONE: Notes = Notes {
        blocks: [Noted { place: 0, offset: 0 }; NOTES],
        count: 0,
        shift: 31,
        within: 0,
        mine: NOBODYS,
    };

    /// Notes a block, if there is room.
    #[inline(always)]
    fn push(&mut self, noted: Noted) {
        if let Some(place) = self.blocks.get_mut(self.count as usize) {
            *place = noted;
            self.count += 1;
        }
    }

    /// The block that was noted last.
    #[inline(always)]
    fn pop(&mut self) -> Option<Noted> {
        let last = self.count.wrapping_sub(1);
        let noted = *self.blocks.get(last as usize)?;
        self.count = last;
        Some(noted)
    }

    /// Forgets the blocks of a group.
    fn forget(&mut self, at: u32) {
        let noted = self.blocks;
        let kept = noted[..self.count as usize].iter().filter(|noted| noted.place >> 4 != at);
        self.count = kept.zip(&mut self.blocks).map(|(noted, place)| *place = *noted).count() as u32;
    }
}

/// A handle with a cache.
#[derive(Debug)]
pub struct ThreadCache<W: Words> {
    shared: Shared<W>,
    notes: Box<[Notes; MAX_CLASSES]>,
    /// The bits of an offset that say where in its chunk it is.
    chunk_mask: u32,
    /// A chunk's first place: its number times 2 to this.
    place_shift: u32,
    /// The block that was taken last, plus one, where the intent word does not say so; else 0.
    last: u32,
    /// All groups that are owned; a ring.
    owned: Vec<u32>,
    oldest: usize,
    count: usize,
    /// Where in the ring the search for one with a free block goes on.
    cursor: usize,
    /// Bytes of the owned groups' blocks, and how many they may be.
    bytes: u64,
    limit: u64,
    /// Classes below this are cached.
    cached: u32,
}

enum Found {
    Group(u32),
    Block(u64),
}

impl<W: Words> ThreadCache<W> {
    /// A cache of up to `limit` bytes for a handle. `Oom` if memory for its list is refused.
    pub fn new(shared: Shared<W>, limit: u64) -> Result<ThreadCache<W>> {
        let geometry = shared.geometry();
        // What the hot paths take for granted.
        let (chunks, words) = (geometry.chunks as usize, shared.words.count());
        assert!(geometry.group_shift + 4 + geometry.min_shift >= geometry.chunk_shift);
        assert!(geometry.chunks_at + chunks <= words);
        assert!(geometry.groups_at + (chunks << geometry.group_shift) <= words);
        assert!(geometry.caches_at + (chunks << geometry.group_shift) <= words);
        // A class is cached if four of its groups fit.
        let cached = (0..geometry.classes()).take_while(|&class| cost(&shared, class) * 4 <= limit).count();
        let most = (limit / cost(&shared, 0)).clamp(1, 1 << 24) as usize;
        let mut owned = Vec::new();
        owned.try_reserve_exact(most)?;
        owned.resize(most, NONE);
        let mut notes = Vec::new();
        notes.try_reserve_exact(MAX_CLASSES)?;
        notes.resize(MAX_CLASSES, Notes::NONE);
        let Ok(mut notes) = <Box<[Notes; MAX_CLASSES]>>::try_from(notes) else {
            unreachable!("as many as were asked for")
        };
        for (class, notes) in notes.iter_mut().enumerate().take(cached) {
            notes.shift = geometry.min_shift + class as u32;
            notes.within = (1 << notes.shift) - 1;
            notes.mine = group::of_owner(shared.me) | group::of_class(class as u32);
        }
        let chunk_mask = (1 << geometry.chunk_shift) - 1;
        let place_shift = geometry.group_shift + 4;
        let cached = cached as u32;
        let (oldest, count, cursor, bytes) = (0, 0, 0, 0);
        Ok(ThreadCache {
            shared,
            notes,
            chunk_mask,
            place_shift,
            last: 0,
            owned,
            oldest,
            count,
            cursor,
            bytes,
            limit,
            cached,
        })
    }

    /// The handle.
    #[must_use]
    pub fn shared(&self) -> &Shared<W> {
        &self.shared
    }

    /// A block of at least `bytes` bytes: its offset. `None` where there is no room.
    #[inline(always)]
    pub fn alloc(&mut self, bytes: u64) -> Option<u64> {
        let class = self.shared.geometry.class_of(bytes);
        if let Some(offset) = self.take_noted(class) {
            return Some(offset);
        }
        self.alloc_slow(class, bytes)
    }

    /// Gives a block back, whoever allocated it.
    #[inline(always)]
    pub fn free(&mut self, offset: u64) -> Attempt<()> {
        let geometry = &self.shared.geometry;
        let number = offset >> geometry.chunk_shift;
        if number >= u64::from(geometry.chunks) {
            return Err(Refusal::Foreign);
        }
        let number = number as u32;
        let words = &self.shared.words;
        // SAFETY: there is such a chunk, and a word for each, as `new` made sure.
        let descriptor = unsafe { words.load_known(geometry.chunks_at + number as usize) };
        // A chunk with groups of ours is cut into blocks of the class that their words say. So to
        // look at those is enough.
        let class = chunk::class(descriptor) as usize & (MAX_CLASSES - 1);
        let notes = &mut self.notes[class];
        let offset32 = offset as u32;
        // At most one block for each smallest one in a chunk, and `new` made sure that there are
        // groups for these.
        let place = (number << self.place_shift) + ((offset32 & self.chunk_mask) >> notes.shift);
        let (group, bit) = ((place >> 4) as usize, place & 15);
        // SAFETY: there is such a group, and a word for each, as `new` made sure.
        let word = unsafe { words.load_known(geometry.groups_at + group) };
        if word & (group::OWNER | group::CLASS) == notes.mine && offset32 & notes.within == 0 {
            let give = |cache| if (word | cache) >> bit & 1 == 0 { Some(cache | 1 << bit) } else { None };
            // SAFETY: the same.
            if !unsafe { words.change_known(geometry.caches_at + group, give) } {
                return Err(Refusal::Freed);
            }
            notes.push(Noted { place, offset: offset32 });
            return Ok(());
        }
        self.shared.free(offset)
    }

    /// Gives all cached blocks back to the pool.
    pub fn flush(&mut self) {
        while self.count > 0 {
            self.drop_oldest();
        }
    }

    /// The largest request that the cache serves; 0 if none.
    #[must_use]
    pub fn largest(&self) -> u64 {
        if self.cached == 0 { 0 } else { 1 << (self.shared.geometry.min_shift + self.cached - 1) }
    }

    /// Bytes of the groups that are owned.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.bytes
    }

    /// Takes the block that was noted last, if it is still free.
    #[inline(always)]
    fn take_noted(&mut self, class: u32) -> Option<u64> {
        let Noted { place, offset } = self.notes.get_mut(class as usize)?.pop()?;
        let (group, bit) = ((place >> 4) as usize, place & 15);
        let take = |cache: u32| if cache >> bit & 1 != 0 { Some(cache ^ 1 << bit) } else { None };
        // SAFETY: what is noted is a block of a group that there is, and `new` made sure that each
        // has a word.
        if !unsafe { self.shared.words.change_known(self.shared.geometry.caches_at + group, take) } {
            return None;
        }
        self.last = offset | 1;
        Some(u64::from(offset))
    }

    /// Says in the slot which block was taken last, in case the thread ends before its program has
    /// it.
    #[inline(always)]
    pub fn record_intent(&mut self) {
        if self.last != 0 {
            self.shared.set_intent(self.last >> self.shared.geometry.min_shift);
            self.last = 0;
        }
    }

    /// Notes all free blocks of a group of ours, the lowest last.
    fn note(&mut self, at: u32, class: u32) {
        let cache = self.shared.cache(at);
        let geometry = self.shared.geometry;
        for bit in (0..16).rev().filter(|bit| cache >> bit & 1 != 0) {
            let offset = geometry.offset(at, class, bit) as u32;
            self.notes[class as usize].push(Noted { place: at << 4 | bit, offset });
        }
    }

    #[cold]
    #[inline(never)]
    fn alloc_slow(&mut self, class: u32, bytes: u64) -> Option<u64> {
        // The roads from here on tell it themselves.
        self.record_intent();
        if class >= self.cached {
            let direct = self.shared.alloc(bytes);
            if direct.is_some() || self.count == 0 {
                return direct;
            }
            // What this cache holds may be the room that is missing.
            self.flush();
            return self.shared.alloc(bytes);
        }
        loop {
            while self.notes[class as usize].count > 0 {
                let noted = self.take_noted(class);
                if noted.is_some() {
                    return noted;
                }
            }
            let current = self.shared.current(class);
            let at = if current != NONE && self.reclaim(current, class) {
                current
            } else if let Some(at) = self.next_owned(class).or_else(|| self.make_room(class)) {
                at
            } else {
                match self.acquire(class) {
                    Some(Found::Group(at)) => at,
                    Some(Found::Block(offset)) => return Some(offset),
                    None if self.count > 0 => {
                        self.flush();
                        continue;
                    }
                    None => return None,
                }
            };
            self.shared.set_current(class, at);
            self.note(at, class);
        }
    }

    /// Takes over what other threads freed in a group, if it is ours and of this class. Returns
    /// whether it has a block.
    fn reclaim(&self, at: u32, class: u32) -> bool {
        let word = self.shared.group(at);
        if word & (group::OWNER | group::CLASS) != self.notes[class as usize].mine {
            return false;
        }
        let freed = word & group::BITS;
        let cache = self.shared.cache(at) | freed;
        if freed != 0 {
            // First in, then out: their union stays what it is.
            self.shared.set_cache(at, cache);
            self.shared.update(at, |word| word & !freed);
        }
        cache & group::BITS != 0
    }

    /// The next group of the ring that has a block of this class.
    fn next_owned(&mut self, class: u32) -> Option<u32> {
        for _ in 0..self.count.min(LOOK_INTO) {
            self.cursor = (self.cursor + 1) % self.count;
            let at = self.owned[(self.oldest + self.cursor) % self.owned.len()];
            if self.reclaim(at, class) {
                return Some(at);
            }
        }
        None
    }

    /// While the cache is at its limit, gives up its oldest groups; if one has blocks of this
    /// class, it goes on instead.
    fn make_room(&mut self, class: u32) -> Option<u32> {
        let more = cost(&self.shared, class);
        while self.count > 0 && (self.bytes + more > self.limit || self.count == self.owned.len()) {
            let at = self.owned[self.oldest];
            if self.reclaim(at, class) {
                self.oldest = (self.oldest + 1) % self.owned.len();
                let end = (self.oldest + self.count - 1) % self.owned.len();
                self.owned[end] = at;
                return Some(at);
            }
            self.drop_oldest();
        }
        None
    }

    fn drop_oldest(&mut self) {
        let at = self.owned[self.oldest];
        let class = ((self.shared.group(at) & group::CLASS) >> 16).wrapping_sub(1);
        self.oldest = (self.oldest + 1) % self.owned.len();
        self.count -= 1;
        self.cursor = 0;
        if class < self.cached {
            self.bytes = self.bytes.saturating_sub(cost(&self.shared, class));
            if self.shared.current(class) == at {
                // Another handle may own it next, and its cache is not ours to take from.
                self.shared.set_current(class, NONE);
            }
            self.notes[class as usize].forget(at);
        }
        self.shared.release(at);
    }

    /// Makes a group of the pool ours, with all its free blocks. A block of a larger class where
    /// there is none.
    fn acquire(&mut self, class: u32) -> Option<Found> {
        let found = self.shared.search(class, |shared, of, at| {
            if of != class {
                let block = shared.take_of(at, of)?;
                return Some(Found::Block(shared.geometry.offset(at, of, block.bit)));
            }
            let word = shared.group(at);
            if !Shared::<W>::gives(word, class) {
                return None;
            }
            let ours = word & !group::COUNT | group::of_owner(shared.me);
            shared.swap_group(at, word, ours).ok().map(|()| Found::Group(at))
        })?;
        if let Found::Group(at) = found {
            self.reclaim(at, class);
            let end = (self.oldest + self.count) % self.owned.len();
            self.owned[end] = at;
            self.count += 1;
            self.bytes += cost(&self.shared, class);
        }
        Some(found)
    }
}

/// Bytes of a group's blocks.
fn cost<W: Words>(shared: &Shared<W>, class: u32) -> u64 {
    let geometry = shared.geometry();
    u64::from(geometry.all(class).count_ones()) << (geometry.min_shift + class)
}
