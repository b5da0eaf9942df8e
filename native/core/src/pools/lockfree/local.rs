//! Caches: groups that one handle owns, so that most of its operations are plain loads and stores.

use super::layout::{chunk, group};
use super::shared::{Attempt, NONE, Refusal, Shared};
use super::words::Words;
use crate::Result;

/// How many owned groups a search for a free block looks into before another group is taken from the pool.
const LOOK_INTO: usize = 32;

/// A handle with a cache.
#[derive(Debug)]
pub struct Local<W: Words> {
    shared: Shared<W>,
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

impl<W: Words> Local<W> {
    /// A cache of up to `limit` bytes for a handle. `Oom` if memory for its list is refused.
    pub fn new(shared: Shared<W>, limit: u64) -> Result<Local<W>> {
        let geometry = shared.geometry();
        // A class is cached if four of its groups fit.
        let cached = (0..geometry.classes()).take_while(|&class| cost(&shared, class) * 4 <= limit).count();
        let most = (limit / cost(&shared, 0)).clamp(1, 1 << 24) as usize;
        let mut owned = Vec::new();
        owned.try_reserve_exact(most)?;
        owned.resize(most, NONE);
        Ok(Local { shared, owned, oldest: 0, count: 0, cursor: 0, bytes: 0, limit, cached: cached as u32 })
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
        if class < self.cached {
            let at = self.shared.current(class);
            if at != NONE {
                let cache = self.shared.cache(at);
                if cache != 0 {
                    return Some(self.take(at, class, cache));
                }
            }
        }
        self.alloc_slowly(class, bytes)
    }

    /// Gives a block back, whoever allocated it.
    #[inline(always)]
    pub fn free(&mut self, offset: u64) -> Attempt<()> {
        let number = self.shared.chunk_of(offset)?;
        let descriptor = self.shared.descriptor(number);
        if chunk::kind(descriptor) == chunk::CUT {
            let place = self.shared.place(number, descriptor, offset)?;
            let word = self.shared.group(place.group);
            let mine = group::of_owner(self.shared.me) | group::of_class(place.class);
            if word & (group::OWNER | group::CLASS) == mine {
                let cache = self.shared.cache(place.group);
                let bit = 1 << place.bit;
                if (word | cache) & bit != 0 {
                    return Err(Refusal::Freed);
                }
                self.shared.set_cache(place.group, cache | bit);
                if cache == 0 {
                    self.refilled(place.group, place.class);
                }
                return Ok(());
            }
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

    /// A group that had nothing has a block: the next to use, if the current one has none.
    #[inline(always)]
    fn refilled(&mut self, at: u32, class: u32) {
        let current = self.shared.current(class);
        if current == NONE || self.shared.cache(current) == 0 {
            self.shared.set_current(class, at);
        }
    }

    #[inline(always)]
    fn take(&self, at: u32, class: u32, cache: u32) -> u64 {
        let offset = self.shared.geometry.offset(at, class, cache.trailing_zeros() & 15);
        self.shared.intend(offset);
        self.shared.set_cache(at, cache & cache.wrapping_sub(1));
        offset
    }

    #[cold]
    #[inline(never)]
    fn alloc_slowly(&mut self, class: u32, bytes: u64) -> Option<u64> {
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
            let current = self.shared.current(class);
            let at = if current != NONE && self.come_home(current, class) {
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
            let cache = self.shared.cache(at);
            if cache != 0 {
                return Some(self.take(at, class, cache));
            }
        }
    }

    /// Takes over what other threads freed in a group, if it is ours and of this class. Returns whether it has a block.
    fn come_home(&self, at: u32, class: u32) -> bool {
        let word = self.shared.group(at);
        let mine = group::of_owner(self.shared.me) | group::of_class(class);
        if word & (group::OWNER | group::CLASS) != mine {
            return false;
        }
        let freed = word & group::BITS;
        let cache = self.shared.cache(at) | freed;
        if freed != 0 {
            // First in, then out: their union stays what it is.
            self.shared.set_cache(at, cache);
            self.shared.update(at, |word| word & !freed);
        }
        cache != 0
    }

    /// The next group of the ring that has a block of this class.
    fn next_owned(&mut self, class: u32) -> Option<u32> {
        for _ in 0..self.count.min(LOOK_INTO) {
            self.cursor = (self.cursor + 1) % self.count;
            let at = self.owned[(self.oldest + self.cursor) % self.owned.len()];
            if self.come_home(at, class) {
                return Some(at);
            }
        }
        None
    }

    /// While the cache is at its limit, gives up its oldest groups; if one has blocks of this class, it goes on instead.
    fn make_room(&mut self, class: u32) -> Option<u32> {
        let more = cost(&self.shared, class);
        while self.count > 0 && (self.bytes + more > self.limit || self.count == self.owned.len()) {
            let at = self.owned[self.oldest];
            if self.come_home(at, class) {
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
        }
        self.shared.release(at);
    }

    /// Makes a group of the pool ours, with all its free blocks. A block of a larger class where there is none.
    fn acquire(&mut self, class: u32) -> Option<Found> {
        let found = self.shared.search(class, |shared, of, at| {
            if of != class {
                let place = shared.take_of(at, of)?;
                return Some(Found::Block(shared.geometry.offset(at, of, place.bit)));
            }
            let word = shared.group(at);
            if !Shared::<W>::gives(word, class) {
                return None;
            }
            let ours = word & !group::COUNT | group::of_owner(shared.me);
            shared.swap_group(at, word, ours).ok().map(|()| Found::Group(at))
        })?;
        if let Found::Group(at) = found {
            self.come_home(at, class);
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
