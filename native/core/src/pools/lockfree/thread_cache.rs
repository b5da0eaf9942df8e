//! Thread caches: groups that one handle owns, so that most of its operations are plain loads and
//! stores.
//!
//! The words of the groups say which blocks are free. To find a free block without a search, a
//! handle keeps recently freed blocks on a stack for each class: alloc pops, free pushes. The
//! stacks contain only blocks of groups that the handle owned when it pushed them. An entry may be
//! out of date, because JavaScript has stacks of its own and may have taken the block, so the word
//! of the group decides. Blocks for which the stack had no room are found by the slow path.
//!
//! A version without stacks, which took the lowest bit of a current group, needed half as much time
//! again for an alloc and a free, and twice the time where blocks are freed at random: the branches
//! that depend on whether a group was or becomes empty are then unpredictable.

use super::layout::{MAX_CLASSES, chunk, group};
use super::shared::{Attempt, NONE, Refusal, Shared};
use super::words::Words;
use crate::Result;

/// The number of owned groups that are searched for a free block before another group is taken from
/// the pool.
const MAX_GROUPS_SEARCHED: usize = 32;
/// Blocks on the stack of a class, which makes the stack 512 bytes long.
const STACK_CAPACITY: usize = 62;

/// The recently freed blocks of a class, and the masks and shifts of that class.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct FreeStack {
    blocks: [FreeBlock; STACK_CAPACITY],
    count: u32,
    /// Binary logarithm of the block size.
    shift: u32,
    /// The bits of an offset that are zero where a block begins.
    offset_mask: u32,
    /// The owner and class bits of groups that belong to this handle; `NOT_CACHED` if the class is
    /// not cached.
    owner_and_class: u32,
}

/// Never equal to owner and class bits, because it is one of the bits that mark free blocks.
const NOT_CACHED: u32 = 1;

/// A block of a group that this handle owns. It was free when it was noted.
#[derive(Clone, Copy, Debug)]
struct FreeBlock {
    /// Sixteen times the group, plus the bit.
    index: u32,
    /// The offset of the block.
    offset: u32,
}

impl FreeStack {
    /// The stack of a class that is not cached.
    const NONE: FreeStack = FreeStack {
        blocks: [FreeBlock { index: 0, offset: 0 }; STACK_CAPACITY],
        count: 0,
        shift: 31,
        offset_mask: 0,
        owner_and_class: NOT_CACHED,
    };

    /// Pushes a block, if there is room.
    #[inline(always)]
    fn push(&mut self, block: FreeBlock) {
        if let Some(top) = self.blocks.get_mut(self.count as usize) {
            *top = block;
            self.count += 1;
        }
    }

    /// Pops the block that was pushed last.
    #[inline(always)]
    fn pop(&mut self) -> Option<FreeBlock> {
        let last = self.count.wrapping_sub(1);
        let block = *self.blocks.get(last as usize)?;
        self.count = last;
        Some(block)
    }

    /// Removes the blocks of a group from the stack.
    fn forget(&mut self, at: u32) {
        let blocks = self.blocks;
        let kept = blocks[..self.count as usize].iter().filter(|block| block.index >> 4 != at);
        self.count = kept.zip(&mut self.blocks).map(|(block, entry)| *entry = *block).count() as u32;
    }
}

/// A handle with a cache.
#[derive(Debug)]
pub struct ThreadCache<W: Words> {
    shared: Shared<W>,
    stacks: Box<[FreeStack; MAX_CLASSES]>,
    /// Masks the position within its chunk out of an offset.
    chunk_mask: u32,
    /// Binary logarithm of the number of block indices for each chunk.
    index_shift: u32,
    /// 1 + the block that was taken last, if the intent word does not contain it; else 0.
    last: u32,
    /// All owned groups, as a ring buffer.
    owned: Vec<u32>,
    oldest: usize,
    count: usize,
    /// The position in the ring at which the next search for a free block continues.
    cursor: usize,
    /// Total size of the blocks in the owned groups, and its limit.
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
    /// A cache of up to `limit` bytes for a handle. `Oom` if memory for its bookkeeping is refused.
    pub fn new(shared: Shared<W>, limit: u64) -> Result<ThreadCache<W>> {
        let geometry = shared.geometry();
        // The hot paths rely on these bounds.
        let (chunks, words) = (geometry.chunks as usize, shared.words.count());
        assert!(geometry.group_shift + 4 + geometry.min_shift >= geometry.chunk_shift);
        assert!(geometry.chunks_at + chunks <= words);
        assert!(geometry.groups_at + (chunks << geometry.group_shift) <= words);
        assert!(geometry.caches_at + (chunks << geometry.group_shift) <= words);
        // A class is cached if at least four of its groups fit.
        let cached = (0..geometry.classes()).take_while(|&class| cost(&shared, class) * 4 <= limit).count();
        let most = (limit / cost(&shared, 0)).clamp(1, 1 << 24) as usize;
        let mut owned = Vec::new();
        owned.try_reserve_exact(most)?;
        owned.resize(most, NONE);
        let mut stacks = Vec::new();
        stacks.try_reserve_exact(MAX_CLASSES)?;
        stacks.resize(MAX_CLASSES, FreeStack::NONE);
        let Ok(mut stacks) = <Box<[FreeStack; MAX_CLASSES]>>::try_from(stacks) else {
            unreachable!("the vector has MAX_CLASSES elements")
        };
        for (class, stack) in stacks.iter_mut().enumerate().take(cached) {
            stack.shift = geometry.min_shift + class as u32;
            stack.offset_mask = (1 << stack.shift) - 1;
            stack.owner_and_class = group::of_owner(shared.me) | group::of_class(class as u32);
        }
        let chunk_mask = (1 << geometry.chunk_shift) - 1;
        let index_shift = geometry.group_shift + 4;
        let cached = cached as u32;
        let (oldest, count, cursor, bytes) = (0, 0, 0, 0);
        Ok(ThreadCache {
            shared,
            stacks,
            chunk_mask,
            index_shift,
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

    /// Allocates a block of at least `bytes` bytes and returns its offset. `None` if there is no
    /// room.
    #[inline(always)]
    pub fn alloc(&mut self, bytes: u64) -> Option<u64> {
        let class = self.shared.geometry.class_of(bytes);
        if let Some(offset) = self.pop_free(class) {
            return Some(offset);
        }
        self.alloc_slow(class, bytes)
    }

    /// Frees a block, which any handle may have allocated.
    #[inline(always)]
    pub fn free(&mut self, offset: u64) -> Attempt<()> {
        let geometry = &self.shared.geometry;
        let number = offset >> geometry.chunk_shift;
        if number >= u64::from(geometry.chunks) {
            return Err(Refusal::Foreign);
        }
        let number = number as u32;
        let words = &self.shared.words;
        // SAFETY: `number` is below the number of chunks, and `new` checked that each has a word.
        let descriptor = unsafe { words.load_unchecked(geometry.chunks_at + number as usize) };
        // If the chunk contains groups of this handle, its class is the one in their words, so
        // checking the group word is enough.
        let class = chunk::class(descriptor) as usize & (MAX_CLASSES - 1);
        let stack = &mut self.stacks[class];
        let offset32 = offset as u32;
        // A chunk has at most one block for each smallest block, and `new` checked that there are
        // groups for all of them.
        let index = (number << self.index_shift) + ((offset32 & self.chunk_mask) >> stack.shift);
        let (group, bit) = ((index >> 4) as usize, index & 15);
        // SAFETY: the index of the group is in range (see above), and `new` checked that each group
        // has a word.
        let word = unsafe { words.load_unchecked(geometry.groups_at + group) };
        if word & (group::OWNER | group::CLASS) == stack.owner_and_class && offset32 & stack.offset_mask == 0
        {
            let give = |cache| if (word | cache) >> bit & 1 == 0 { Some(cache | 1 << bit) } else { None };
            // SAFETY: as above; only this handle writes the cache word of a group that it owns.
            if !unsafe { words.update_unchecked(geometry.caches_at + group, give) } {
                return Err(Refusal::Freed);
            }
            stack.push(FreeBlock { index, offset: offset32 });
            return Ok(());
        }
        self.shared.free(offset)
    }

    /// Returns all cached blocks to the pool.
    pub fn flush(&mut self) {
        while self.count > 0 {
            self.drop_oldest();
        }
    }

    /// The largest request that the cache serves; 0 if it serves none.
    #[must_use]
    pub fn largest(&self) -> u64 {
        if self.cached == 0 { 0 } else { 1 << (self.shared.geometry.min_shift + self.cached - 1) }
    }

    /// Total size of the blocks in the owned groups.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.bytes
    }

    /// Takes the block that was pushed last, if it is still free.
    #[inline(always)]
    fn pop_free(&mut self, class: u32) -> Option<u64> {
        let FreeBlock { index, offset } = self.stacks.get_mut(class as usize)?.pop()?;
        let (group, bit) = ((index >> 4) as usize, index & 15);
        let take = |cache: u32| if cache >> bit & 1 != 0 { Some(cache ^ 1 << bit) } else { None };
        // SAFETY: the stacks contain only indices of existing groups, and `new` checked that each
        // group has a word.
        if !unsafe { self.shared.words.update_unchecked(self.shared.geometry.caches_at + group, take) } {
            return None;
        }
        self.last = offset | 1;
        Some(u64::from(offset))
    }

    /// Records in the slot which block was taken last, in case the thread ends before its program
    /// receives the block.
    #[inline(always)]
    pub fn record_intent(&mut self) {
        if self.last != 0 {
            self.shared.set_intent(self.last >> self.shared.geometry.min_shift);
            self.last = 0;
        }
    }

    /// Pushes all free blocks of an owned group, the lowest last.
    fn push_free_blocks(&mut self, at: u32, class: u32) {
        let cache = self.shared.cache(at);
        let geometry = self.shared.geometry;
        for bit in (0..16).rev().filter(|bit| cache >> bit & 1 != 0) {
            let offset = geometry.offset(at, class, bit) as u32;
            self.stacks[class as usize].push(FreeBlock { index: at << 4 | bit, offset });
        }
    }

    #[cold]
    #[inline(never)]
    fn alloc_slow(&mut self, class: u32, bytes: u64) -> Option<u64> {
        // The paths below record their intent themselves.
        self.record_intent();
        if class >= self.cached {
            let direct = self.shared.alloc(bytes);
            if direct.is_some() || self.count == 0 {
                return direct;
            }
            // The blocks in this cache may be the missing room.
            self.flush();
            return self.shared.alloc(bytes);
        }
        loop {
            while self.stacks[class as usize].count > 0 {
                let block = self.pop_free(class);
                if block.is_some() {
                    return block;
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
            self.push_free_blocks(at, class);
        }
    }

    /// Takes the blocks that other threads freed in a group over into the cache word, if this
    /// handle owns the group and it has this class. Returns whether the group has a free block.
    fn reclaim(&self, at: u32, class: u32) -> bool {
        let word = self.shared.group(at);
        if word & (group::OWNER | group::CLASS) != self.stacks[class as usize].owner_and_class {
            return false;
        }
        let freed = word & group::BITS;
        let cache = self.shared.cache(at) | freed;
        if freed != 0 {
            // Set the bits here before they are cleared there: the union of both words never
            // changes.
            self.shared.set_cache(at, cache);
            self.shared.update(at, |word| word & !freed);
        }
        cache & group::BITS != 0
    }

    /// The next group of the ring that has a free block of this class.
    fn next_owned(&mut self, class: u32) -> Option<u32> {
        for _ in 0..self.count.min(MAX_GROUPS_SEARCHED) {
            self.cursor = (self.cursor + 1) % self.count;
            let at = self.owned[(self.oldest + self.cursor) % self.owned.len()];
            if self.reclaim(at, class) {
                return Some(at);
            }
        }
        None
    }

    /// While the cache is at its limit, gives up its oldest groups. A group with free blocks of
    /// this class is kept and returned instead.
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
                // Another handle may own the group next, and then its blocks are not ours to take.
                self.shared.set_current(class, NONE);
            }
            self.stacks[class as usize].forget(at);
        }
        self.shared.release(at);
    }

    /// Becomes the owner of a group of the pool with all its free blocks. If there is none, returns
    /// a block of a larger class.
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

/// Total size of the blocks of a group.
fn cost<W: Words>(shared: &Shared<W>, class: u32) -> u64 {
    let geometry = shared.geometry();
    u64::from(geometry.all(class).count_ones()) << (geometry.min_shift + class)
}
