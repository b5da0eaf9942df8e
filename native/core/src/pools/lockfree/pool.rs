//! The pools for Rust programs and for C: handles over memory of theirs or of somebody else.

use super::layout::{self, Options, Shape, chunk, group, slot};
use super::shared::{Attempt, Shared, refused};
use super::slots;
use super::thread_cache::ThreadCache;
use super::words::RegionWords;
use crate::pools::errors::overrun;
use crate::pools::guard::{self, GUARD_BYTES};
use crate::region::memory::Memory;
use crate::region::owned::OwnedMemory;
use crate::{Error, Result};
use std::sync::Arc;

/// How often a search that found no room begins anew because something changed meanwhile; the later
/// ones sleep 50 µs before.
const ROUNDS: u32 = 1000;

/// What a pool holds. Sizes are in bytes. Each number was right at a moment, not all at the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes that blocks can have in all.
    pub capacity: u64,
    /// Bytes of allocated blocks.
    pub used: u64,
    /// Allocated blocks.
    pub blocks: u64,
    /// Bytes of free blocks that caches hold.
    pub cached: u64,
    /// Requests that found no room, modulo 2^32.
    pub failures: u32,
    /// How many handles there are.
    pub handles: u32,
}

/// A pool that owns its memory, for threads that take a [`Handle`] each.
///
/// ```
/// use offheap_core::pools::lockfree::{LockFreePool, layout::Options};
///
/// let pool = LockFreePool::new(Options { capacity: 1 << 20, ..Options::default() })?;
/// let handle = pool.handle()?;
/// let offset = handle.alloc(100)?;
/// std::thread::scope(|scope| {
///     let other = pool.handle()?;
///     scope.spawn(move || other.free(offset)).join().unwrap()
/// })?;
/// assert!(handle.free(offset).is_err());
/// # Ok::<(), offheap_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct LockFreePool {
    owned: Arc<OwnedMemory>,
}

impl LockFreePool {
    /// An empty pool. `Range` for impossible sizes, `Oom` where memory is refused.
    pub fn new(options: Options) -> Result<LockFreePool> {
        let shape = Shape::new(options)?;
        let owned = OwnedMemory::zeroed(shape.length as usize)?;
        // SAFETY: the memory is ours, long enough, and zeroed.
        unsafe { shape.write(Memory::new(owned.base(), owned.len())?, true) };
        Ok(LockFreePool { owned: Arc::new(owned) })
    }

    /// A handle for one thread. `Full` if there are too many.
    pub fn handle(&self) -> Result<Handle> {
        // SAFETY: the handle keeps the memory.
        let mut handle = unsafe { Handle::attach(self.owned.base(), self.owned.len()) }?;
        handle.owned = Some(self.owned.clone());
        Ok(handle)
    }

    /// A handle with a cache of up to `limit` bytes, for one thread.
    pub fn cached(&self, limit: u64) -> Result<ThreadLocalPool> {
        self.handle()?.with_cache(limit)
    }

    /// The region: its address and length.
    #[must_use]
    pub fn region(&self) -> (*mut u8, usize) {
        (self.owned.base(), self.owned.len())
    }
}

/// What a handle needs to know of the pool besides its words.
#[derive(Clone, Copy, Debug)]
struct PoolMemory {
    memory: Memory,
    shape: Shape,
    /// Whether there are neither guards nor zeroing.
    plain: bool,
}

/// One thread's handle. Dropping it gives its slot up.
#[derive(Debug)]
pub struct Handle {
    shared: Shared<RegionWords>,
    pool: PoolMemory,
    /// Keeps the pool's memory where Rust owns it.
    owned: Option<Arc<OwnedMemory>>,
    /// Whether its thread ended without dropping it.
    ended: bool,
}

// SAFETY: all shared words are atomics; only what a handle keeps in its slot must not be used by
// two threads at once.
unsafe impl Send for Handle {}

impl Handle {
    /// A handle on the pool in `len` bytes at `base`, whose header is checked in constant time.
    /// `Full` if there are too many.
    ///
    /// # Safety
    /// While the handle lives, `base` is valid for reading and writing `len` bytes.
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<Handle> {
        // SAFETY: the caller's word.
        let memory = unsafe { Memory::new(base, len) }?;
        let shape = Shape::read(memory)?;
        // SAFETY: the caller's word; the shape fits into the length.
        let words = unsafe { RegionWords::new(base.cast(), shape.geometry.words) };
        let shared = slots::join(Shared::new(words, shape.geometry, 0, ROUNDS))?;
        let plain = shape.options & (layout::GUARDS | layout::ZERO_ON_FREE) == 0;
        Ok(Handle { shared, pool: PoolMemory { memory, shape, plain }, owned: None, ended: false })
    }

    /// Makes an empty pool in `len` bytes at `base`. `Full` if they are too few.
    ///
    /// # Safety
    /// `base` is valid for writing `len` bytes, and nobody else uses them.
    pub unsafe fn init(base: *mut u8, len: usize, shape: Shape, zeroed: bool) -> Result<()> {
        // SAFETY: the caller's word.
        let memory = unsafe { Memory::new(base, len) }?;
        if shape.length > len as u64 {
            return Err(Error::full(format!("a pool of {} bytes does not fit into {len}", shape.length)));
        }
        // SAFETY: the memory is long enough; the rest is the caller's word.
        unsafe { shape.write(memory, zeroed) };
        Ok(())
    }

    /// A block of at least `bytes` bytes: its offset. `Full` where there is no room.
    #[inline(always)]
    pub fn alloc(&self, bytes: u64) -> Result<u64> {
        self.try_alloc(bytes).ok_or_else(|| no_room(bytes))
    }

    /// As `alloc`, but `None` where there is no room.
    #[inline(always)]
    pub fn try_alloc(&self, bytes: u64) -> Option<u64> {
        if self.pool.plain
            && let Some(offset) = self.shared.alloc(bytes)
        {
            return Some(offset);
        }
        self.pool.alloc_slow(bytes, |bytes| self.shared.alloc(bytes))
    }

    /// Gives a block back, whoever allocated it. `Stale` if it is free already, `Range` if no block
    /// begins there, `Corrupt` if its guard was overwritten: then it stays allocated.
    #[inline(always)]
    pub fn free(&self, offset: u64) -> Result<()> {
        if !self.pool.plain {
            self.pool.before_free(&self.shared, offset)?;
        }
        self.shared.free(offset).map_err(|refusal| refused(refusal, offset))
    }

    /// How many bytes the allocated block at `offset` has for its user.
    pub fn room(&self, offset: u64) -> Result<u64> {
        self.pool.room(&self.shared, offset).map_err(|refusal| refused(refusal, offset))
    }

    /// Where the data begins. An offset counts from there.
    #[inline]
    #[must_use]
    pub fn data(&self) -> *mut u8 {
        self.pool.data()
    }

    /// The number of the slot.
    #[must_use]
    pub fn slot(&self) -> u32 {
        self.shared.slot()
    }

    /// The sizes.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.pool.shape
    }

    /// Counts. O(blocks / 16).
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.shared.count();
        stats.failures = self.pool.memory.word(layout::word::FAILURES);
        stats
    }

    /// Blocks that may have been lost to threads that ended: those that they had taken last, and
    /// that are allocated still.
    pub fn possibly_leaked(&self) -> impl Iterator<Item = u64> + '_ {
        self.shared.possibly_leaked()
    }

    /// Gives the slot up for a thread that ended without doing so; `possibly_leaked` will name the block
    /// that it took last.
    pub fn abandon(mut self) {
        self.ended = true;
    }

    /// Puts a cache of up to `limit` bytes before the pool. `Oom` if memory for its bookkeeping is
    /// refused.
    pub fn with_cache(self, limit: u64) -> Result<ThreadLocalPool> {
        Ok(ThreadLocalPool { cache: ThreadCache::new(self.shared, limit)?, handle: self })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.leave(self.ended);
    }
}

/// One thread's handle with a cache: most operations touch no word that other threads write.
/// Dropping it gives all back.
#[derive(Debug)]
pub struct ThreadLocalPool {
    cache: ThreadCache<RegionWords>,
    handle: Handle,
}

// SAFETY: as for `Handle`, which it wraps.
unsafe impl Send for ThreadLocalPool {}

impl ThreadLocalPool {
    /// A block of at least `bytes` bytes: its offset. `Full` where there is no room.
    #[inline(always)]
    pub fn alloc(&mut self, bytes: u64) -> Result<u64> {
        self.try_alloc(bytes).ok_or_else(|| no_room(bytes))
    }

    /// As `alloc`, but `None` where there is no room.
    #[inline(always)]
    pub fn try_alloc(&mut self, bytes: u64) -> Option<u64> {
        if self.handle.pool.plain
            && let Some(offset) = self.cache.alloc(bytes)
        {
            return Some(offset);
        }
        self.handle.pool.alloc_slow(bytes, |bytes| self.cache.alloc(bytes))
    }

    /// Gives a block back, whoever allocated it. Errors as for [`Handle::free`].
    #[inline(always)]
    pub fn free(&mut self, offset: u64) -> Result<()> {
        if !self.handle.pool.plain {
            self.handle.pool.before_free(&self.handle.shared, offset)?;
        }
        self.cache.free(offset).map_err(|refusal| refused(refusal, offset))
    }

    /// Gives all cached blocks back to the pool.
    pub fn flush(&mut self) {
        self.cache.flush();
    }

    /// Bytes of the blocks, allocated or not, that the cache keeps other threads from allocating.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.cache.held()
    }

    /// The largest request that the cache serves; 0 if none: without guards and zeroing, that is.
    #[must_use]
    pub fn largest(&self) -> u64 {
        if self.handle.pool.plain { self.cache.largest() } else { 0 }
    }

    /// The handle behind the cache: for counts and sizes.
    #[inline]
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Notes in the region which block was allocated last. For threads that may end before their
    /// program has it, and whose pool another thread abandons then.
    #[inline]
    pub fn record_intent(&mut self) {
        self.cache.record_intent();
    }

    /// As [`Handle::abandon`].
    pub fn abandon(mut self) {
        self.cache.record_intent();
        self.handle.ended = true;
    }
}

impl PoolMemory {
    #[inline]
    fn data(&self) -> *mut u8 {
        // SAFETY: the shape fits into the memory.
        unsafe { self.memory.at(self.shape.data) }
    }

    /// Allocates where there are guards; counts what fails.
    #[cold]
    #[inline(never)]
    fn alloc_slow(&self, bytes: u64, alloc: impl FnOnce(u64) -> Option<u64>) -> Option<u64> {
        let guard = self.shape.guard();
        let found =
            if self.plain || bytes > self.shape.geometry.capacity() { None } else { alloc(bytes + guard) };
        match found {
            Some(offset) if guard != 0 => {
                // SAFETY: the block has room for the guard; both lie within the memory, and it is
                // this thread's.
                unsafe {
                    self.memory.store_u32(self.requested(offset), bytes as u32);
                    guard::write(self.memory, self.shape.data + (offset + bytes) as usize, offset);
                }
            }
            Some(_) => {}
            None => self.count_failure(),
        }
        found
    }

    #[cold]
    fn count_failure(&self) {
        use std::sync::atomic::{AtomicU32, Ordering};
        let at = layout::word::FAILURES * 4;
        // SAFETY: a word of the header, which other threads reach through atomics only.
        unsafe { AtomicU32::from_ptr(self.memory.at(at).cast()) }.fetch_add(1, Ordering::Relaxed);
    }

    /// Where the size asked for stands, for the block at an offset.
    fn requested(&self, offset: u64) -> usize {
        self.shape.requested + (offset >> self.shape.geometry.min_shift) as usize * 4
    }

    /// Looks at the guard of a block that is to be freed, and zeros it.
    #[cold]
    #[inline(never)]
    fn before_free(&self, shared: &Shared<RegionWords>, offset: u64) -> Result<()> {
        let room = shared.room(offset).map_err(|refusal| refused(refusal, offset))?;
        if self.shape.guard() != 0 {
            // SAFETY: the block lies within the data, as its room was checked against the geometry.
            let bytes = unsafe { self.memory.load_u32(self.requested(offset)) };
            let bytes = u64::from(bytes).min(room - GUARD_BYTES);
            // SAFETY: the same; the guard lies within the block.
            let broken =
                unsafe { guard::broken(self.memory, self.shape.data + (offset + bytes) as usize, offset) };
            if let Some(broken) = broken {
                return Err(overrun(offset, bytes, broken));
            }
        }
        if self.shape.options & layout::ZERO_ON_FREE != 0 {
            // SAFETY: the same; the block is that of the thread that frees it.
            unsafe { guard::zero(self.memory, self.shape.data + offset as usize, room as usize) };
        }
        Ok(())
    }

    fn room(&self, shared: &Shared<RegionWords>, offset: u64) -> Attempt<u64> {
        let room = shared.room(offset)?;
        if self.shape.guard() == 0 {
            return Ok(room);
        }
        // SAFETY: the block lies within the data, so its word does within the section.
        let bytes = unsafe { self.memory.load_u32(self.requested(offset)) };
        Ok(u64::from(bytes).min(room - GUARD_BYTES))
    }
}

impl<W: super::words::Words> Shared<W> {
    /// Counts all blocks.
    fn count(&self) -> Stats {
        let geometry = &self.geometry;
        let mut stats = Stats { capacity: geometry.capacity(), ..Stats::default() };
        for number in 0..geometry.chunks {
            let descriptor = self.descriptor(number);
            let class = chunk::class(descriptor);
            match chunk::kind(descriptor) {
                chunk::CUT if class < geometry.classes() => {
                    for at in self.groups_of(number, class) {
                        let (word, all) = (self.group(at), geometry.all(class));
                        let cache = if word & group::OWNED != 0 { self.cache(at) } else { 0 };
                        let used = u64::from((all & !(word | cache)).count_ones());
                        let cached = if word & group::OWNED != 0 { (word | cache) & all } else { 0 };
                        stats.blocks += used;
                        stats.used += used << (geometry.min_shift + class);
                        stats.cached += u64::from(cached.count_ones()) << (geometry.min_shift + class);
                    }
                }
                chunk::LARGE => {
                    let chunks = (descriptor >> 3).min(geometry.chunks - number);
                    stats.blocks += 1;
                    stats.used += u64::from(chunks) << geometry.chunk_shift;
                }
                _ => {}
            }
        }
        let states = (0..geometry.slots).map(|number| self.state_of(number));
        stats.handles = states.filter(|&state| state == slot::LIVE).count() as u32;
        stats
    }
}

/// The error for a pool that is full.
#[cold]
fn no_room(bytes: u64) -> Error {
    Error::full(format!("the pool has no room for {bytes} bytes"))
}
