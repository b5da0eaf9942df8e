//! The entries of a promoted map: dense columns in insertion order, with the index of the core
//! HashMap.
//!
//! A removed entry leaves a hole, marked in `dead`, until the next rebuild compacts the columns; so
//! removal is O(1) and preserves the order. Rebuilds grow the columns unless at least a quarter of
//! the positions are holes.
//!
//! Invariants: the columns contain an entry at each position below `used` that is not dead; the
//! index contains exactly those positions. Both hold even if the hash or the comparison of keys is
//! inconsistent: entries may then not be found, but nothing worse happens. The code of keys may
//! panic: it runs before anything is changed.

use super::inline::Inline;
use super::iter::next_alive;
use super::key::Key;
use crate::region::header::random_seeds;
use crate::region::owned::OwnedMemory;
use crate::table::capacity::{buckets_for, capacity_for, next_capacity};
use crate::table::group::Native;
use crate::table::hash::{Home, tag};
use crate::table::index::{BUCKET_BYTES, Index, Lane};
use crate::{Error, ErrorKind, Result};
use std::alloc::{self, Layout};
use std::mem::MaybeUninit;
use std::ptr::NonNull;

/// The most entries of one map.
const MAX_CAPACITY: u32 = 1 << 30;
/// The capacity of the smallest table: four buckets.
const MIN_CAPACITY: u32 = capacity_for(4);

pub(super) struct Table<K: Key, V> {
    keys: Vec<MaybeUninit<K>>,
    values: Vec<MaybeUninit<V>>,
    /// One bit for each position: whether its entry was removed.
    dead: Vec<u64>,
    live: usize,
    tags: Tags,
    seeds: [u32; 2],
}

/// An index that owns its memory.
struct Tags {
    memory: OwnedMemory,
    buckets: u32,
    home: Home,
}

impl Tags {
    /// An empty index for `capacity` entries.
    fn new(capacity: u32) -> Result<Tags> {
        let buckets = buckets_for(capacity.max(MIN_CAPACITY));
        let memory = OwnedMemory::new(buckets as usize * BUCKET_BYTES)?;
        // SAFETY: the memory is ours, and has this length.
        unsafe { memory.base().write_bytes(0, memory.len()) };
        Ok(Tags { memory, buckets, home: Home::new(buckets) })
    }

    #[inline(always)]
    fn index(&self) -> Index {
        // SAFETY: the memory is ours, aligned to 64, and has room for the buckets.
        unsafe { Index::at(self.memory.base(), self.buckets) }
    }

    #[inline(always)]
    fn find(&self, hash: u32, same: impl FnMut(u32) -> bool) -> Option<(Lane, u32)> {
        self.index().find::<Native>(self.home.of(hash), tag(hash), same)
    }

    /// Inserts a position. The index must have room for it.
    fn insert(&self, hash: u32, position: u32) {
        let (index, home) = (self.index(), self.home.of(hash));
        let Some(lane) = index.first_empty::<Native>(home) else { unreachable!("an index is never full") };
        // SAFETY: the memory is ours.
        unsafe {
            index.adjust_overflow(home, lane, true);
            index.set(lane, tag(hash), position);
        }
    }

    /// Removes the position in a lane.
    fn remove(&self, hash: u32, lane: Lane) {
        // SAFETY: the memory is ours.
        unsafe {
            self.index().clear(lane);
            self.index().adjust_overflow(self.home.of(hash), lane, false);
        }
    }
}

impl<K: Key, V> Table<K, V> {
    /// Creates a table with the inline entries and room for `more` additional ones. The entries are
    /// moved out of `inline`, unless this fails.
    pub(super) fn promote(inline: &mut Inline<K, V>, more: usize) -> Result<Box<Self>> {
        let len = inline.len();
        let capacity = check_capacity(len.saturating_add(more))?.max(MIN_CAPACITY);
        let mut table = try_box(Table {
            keys: Vec::new(),
            values: Vec::new(),
            dead: Vec::new(),
            live: 0,
            tags: Tags::new(capacity)?,
            seeds: random_seeds(),
        })?;
        table.reserve_columns(capacity)?;
        let (keys, values) = inline.columns();
        for at in 0..len {
            // SAFETY: there is a key at each position.
            let hash = K::hash(unsafe { &*keys.add(at) }.query(), table.seeds);
            table.tags.insert(hash, at as u32);
        }
        // From here on nothing fails, and the entries move. SAFETY: `len` entries exist, the
        // columns have room for them, and `inline` forgets them.
        unsafe {
            keys.copy_to_nonoverlapping(table.keys.as_mut_ptr().cast(), len);
            values.copy_to_nonoverlapping(table.values.as_mut_ptr().cast(), len);
            table.keys.set_len(len);
            table.values.set_len(len);
        }
        table.live = len;
        inline.forget();
        Ok(table)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// The number of positions for which the index and the columns have room.
    #[inline]
    pub(super) fn capacity(&self) -> usize {
        (capacity_for(self.tags.buckets) as usize).min(self.keys.capacity()).min(self.values.capacity())
    }

    #[inline(always)]
    pub(super) fn columns(&self) -> (*const K, *const V) {
        (self.keys.as_ptr().cast(), self.values.as_ptr().cast())
    }

    #[inline(always)]
    pub(super) fn columns_mut(&mut self) -> (*const K, *mut V) {
        (self.keys.as_ptr().cast(), self.values.as_mut_ptr().cast())
    }

    #[inline]
    fn locate(&self, key: &K::Query, hash: u32) -> Option<(Lane, u32)> {
        let keys = self.columns().0;
        // SAFETY: the index contains only positions of entries.
        self.tags.find(hash, |at| K::same(unsafe { &*keys.add(at as usize) }.query(), key))
    }

    #[inline]
    pub(super) fn find(&self, key: &K::Query) -> Option<usize> {
        self.locate(key, K::hash(key, self.seeds)).map(|(_, at)| at as usize)
    }

    /// Appends an entry. The table must have room for it.
    pub(super) fn push(&mut self, key: K, value: V) -> usize {
        let at = self.keys.len();
        assert!(at < self.capacity() && at < self.dead.len() * 64, "no room in the table");
        let hash = K::hash(key.query(), self.seeds);
        self.tags.insert(hash, at as u32);
        // This is within the capacity, so nothing is allocated.
        self.keys.push(MaybeUninit::new(key));
        self.values.push(MaybeUninit::new(value));
        self.live += 1;
        at
    }

    pub(super) fn remove(&mut self, key: &K::Query) -> Option<(K, V)> {
        let hash = K::hash(key, self.seeds);
        let (lane, at) = self.locate(key, hash)?;
        Some(self.take(hash, lane, at as usize))
    }

    /// Removes the entry at a position, which must exist.
    pub(super) fn remove_at(&mut self, at: usize) -> (K, V) {
        assert!(self.is_live(at), "no entry at {at}");
        // SAFETY: just checked.
        let hash = K::hash(unsafe { self.keys[at].assume_init_ref() }.query(), self.seeds);
        let lane = self.tags.find(hash, |found| found as usize == at).map(|(lane, _)| lane);
        // A key whose hash changed is not found in its home bucket, so search the whole index.
        let Some(lane) = lane.or_else(|| self.lane_of(at)) else {
            unreachable!("every entry is in the index")
        };
        self.take(hash, lane, at)
    }

    #[cold]
    fn lane_of(&self, at: usize) -> Option<Lane> {
        let index = self.tags.index();
        (0..self.tags.buckets).flat_map(|bucket| (0..12).map(move |lane| Lane { bucket, lane })).find(
            |lane| {
                index.tag(lane.bucket, lane.lane) != 0
                    && index.position(lane.bucket, lane.lane) as usize == at
            },
        )
    }

    fn take(&mut self, hash: u32, lane: Lane, at: usize) -> (K, V) {
        self.tags.remove(hash, lane);
        self.dead[at / 64] |= 1 << (at % 64);
        self.live -= 1;
        // SAFETY: the index contained the position, so there is an entry; it is now dead, and not
        // read again.
        unsafe { (self.keys[at].assume_init_read(), self.values[at].assume_init_read()) }
    }

    fn is_live(&self, at: usize) -> bool {
        at < self.keys.len() && self.dead[at / 64] >> (at % 64) & 1 == 0
    }

    /// The dead bits, and the number of positions.
    pub(super) fn positions(&self) -> (*const u64, usize) {
        (self.dead.as_ptr(), self.keys.len())
    }

    /// The first position of an entry from `at` on.
    #[inline]
    pub(super) fn next_from(&self, at: usize) -> Option<usize> {
        let (dead, used) = self.positions();
        // SAFETY: there is a dead bit for each position.
        unsafe { next_alive(dead, used, at) }
    }

    /// Makes room for `more` additional entries.
    #[inline]
    pub(super) fn make_room(&mut self, more: usize) -> Result<()> {
        let used = self.keys.len();
        if used.saturating_add(more) <= self.capacity() { Ok(()) } else { self.grow(more) }
    }

    #[cold]
    fn grow(&mut self, more: usize) -> Result<()> {
        let used = self.keys.len();
        let holes = used - self.live;
        let needed = check_capacity(self.live.saturating_add(more))?;
        let now = self.capacity() as u32;
        let capacity = if holes * 4 >= used && needed <= now { now } else { next_capacity(now).max(needed) };
        self.rebuild(capacity.min(MAX_CAPACITY))
    }

    /// Compacts the entries, into columns and an index for `capacity` entries.
    fn rebuild(&mut self, capacity: u32) -> Result<()> {
        self.reserve_columns(capacity)?;
        let tags = Tags::new(capacity)?;
        let mut to = 0;
        let mut from = 0;
        while let Some(at) = self.next_from(from) {
            // SAFETY: there is an entry at a position that `next_from` returned.
            let hash = K::hash(unsafe { self.keys[at].assume_init_ref() }.query(), self.seeds);
            tags.insert(hash, to);
            to += 1;
            from = at + 1;
        }
        // From here on nothing fails, and the entries move up, in order.
        let mut to = 0;
        let mut from = 0;
        while let Some(at) = self.next_from(from) {
            // Swaps uninitialized holes upward and entries downward; nothing is dropped.
            self.keys.swap(to, at);
            self.values.swap(to, at);
            to += 1;
            from = at + 1;
        }
        self.keys.truncate(to);
        self.values.truncate(to);
        self.dead.fill(0);
        self.tags = tags;
        Ok(())
    }

    /// Makes room for `capacity` positions in all, without changing any entry.
    fn reserve_columns(&mut self, capacity: u32) -> Result<()> {
        let more = (capacity as usize).saturating_sub(self.keys.len());
        self.keys.try_reserve_exact(more)?;
        self.values.try_reserve_exact(more)?;
        let words = (capacity as usize).div_ceil(64).saturating_sub(self.dead.len());
        self.dead.try_reserve_exact(words)?;
        self.dead.resize(self.dead.len() + words, 0);
        Ok(())
    }

    /// Forgets the entries, which were moved out.
    pub(super) fn forget(&mut self) {
        self.keys.truncate(0);
        self.values.truncate(0);
        self.live = 0;
    }
}

/// `Box::new` that reports refused memory.
fn try_box<T>(value: T) -> Result<Box<T>> {
    let layout = Layout::new::<T>();
    assert!(layout.size() != 0);
    // SAFETY: the size is not 0; the block has the layout with which `Box` will free it, and is
    // initialized first.
    unsafe {
        let block = NonNull::new(alloc::alloc(layout))
            .ok_or(Error::new(ErrorKind::Oom, "out of memory for a table"))?;
        block.cast::<T>().write(value);
        Ok(Box::from_raw(block.cast().as_ptr()))
    }
}

fn check_capacity(entries: usize) -> Result<u32> {
    match u32::try_from(entries) {
        Ok(entries) if entries <= MAX_CAPACITY => Ok(entries),
        _ => Err(Error::full(format!("a map has at most {MAX_CAPACITY} entries"))),
    }
}

impl<K: Key, V> Drop for Table<K, V> {
    fn drop(&mut self) {
        if !std::mem::needs_drop::<K>() && !std::mem::needs_drop::<V>() {
            return;
        }
        let mut from = 0;
        while let Some(at) = self.next_from(from) {
            from = at + 1;
            // SAFETY: there is an entry at the position, and it is not used again.
            unsafe {
                self.keys[at].assume_init_drop();
                self.values[at].assume_init_drop();
            }
        }
    }
}
