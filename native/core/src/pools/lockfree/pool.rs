//! Pools for Rust and C programs: handles over memory that they own or borrow.

use super::layout::{self, Options, Shape, chunk, group, slot};
use super::shared::{Attempt, Shared, refused};
use super::slots;
use super::thread_cache::ThreadCache;
use super::words::RegionWords;
use crate::pools::errors::overrun;
use crate::pools::guard::{self, GUARD_BYTES};
use crate::region::attach::RegionKind;
use crate::region::memory::Memory;
use crate::region::owned::OwnedMemory;
use crate::{Error, Result};
use std::sync::Arc;

/// How often a search that found no room is repeated because something changed meanwhile; from the
/// 65th on each sleeps 50 µs before.
const ROUNDS: u32 = 1000;

/// Statistics of a pool. Sizes are in bytes. Each number was exact at some moment, but not all at
/// the same one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes that blocks can have in all.
    pub capacity: u64,
    /// Total size of the allocated blocks.
    pub used: u64,
    /// Number of allocated blocks.
    pub blocks: u64,
    /// Total size of the free blocks in caches.
    pub cached: u64,
    /// Failed requests, modulo 2^32.
    pub failures: u32,
    /// Number of handles.
    pub handles: u32,
}

/// A pool that owns its memory. Each thread takes a [`Handle`].
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
    /// An empty pool. `Range` for impossible sizes, `Oom` if memory is refused.
    pub fn new(options: Options) -> Result<LockFreePool> {
        let shape = Shape::new(options)?;
        let owned = OwnedMemory::zeroed(shape.length as usize)?;
        // SAFETY: this function owns the memory, which is long enough and zeroed.
        unsafe { shape.write(Memory::new(owned.base(), owned.len())?, true) };
        Ok(LockFreePool { owned: Arc::new(owned) })
    }

    /// A handle for one thread. `Full` if all slots are taken.
    pub fn handle(&self) -> Result<Handle> {
        // SAFETY: the handle keeps the memory alive.
        let mut handle = unsafe { Handle::attach(self.owned.base(), self.owned.len()) }?;
        handle.owned = Some(self.owned.clone());
        Ok(handle)
    }

    /// A handle with a cache of up to `limit` bytes, for one thread.
    pub fn cached(&self, limit: u64) -> Result<ThreadLocalPool> {
        self.handle()?.with_cache(limit)
    }

    /// The address and length of the region.
    #[must_use]
    pub fn region(&self) -> (*mut u8, usize) {
        (self.owned.base(), self.owned.len())
    }
}

/// The parts of a pool that the protocol on its words does not need.
#[derive(Clone, Copy, Debug)]
struct PoolMemory {
    memory: Memory,
    shape: Shape,
    /// Whether the pool has neither guards nor zeroing.
    plain: bool,
}

/// One thread's handle. Dropping it releases its slot.
#[derive(Debug)]
pub struct Handle {
    shared: Shared<RegionWords>,
    pool: PoolMemory,
    /// Keeps the pool's memory alive if Rust owns it.
    owned: Option<Arc<OwnedMemory>>,
    /// Whether its thread ended without dropping the handle.
    ended: bool,
}

// SAFETY: all shared words are accessed through atomics; the state in a handle's slot only must not
// be used by two threads at once, and `Handle` is not `Sync`.
unsafe impl Send for Handle {}

impl Handle {
    /// A handle on the pool in `len` bytes at `base`, whose header is checked in constant time.
    /// `Full` if all slots are taken.
    ///
    /// # Safety
    /// While the handle lives, `base` is valid for reading and writing `len` bytes.
    pub unsafe fn attach(base: *mut u8, len: usize) -> Result<Handle> {
        // SAFETY: `base` is valid for `len` bytes, guaranteed by the caller.
        let memory = unsafe { Memory::new(base, len) }?;
        let (_, shape) = Shape::read(memory)?;
        // SAFETY: as above, and the words of a checked shape are within the memory.
        let words = unsafe { RegionWords::new(base.cast(), shape.geometry.words) };
        let shared = slots::join(Shared::new(words, shape.geometry, 0, ROUNDS))?;
        let plain = shape.options & (layout::GUARDS | layout::ZERO_ON_FREE) == 0;
        Ok(Handle { shared, pool: PoolMemory { memory, shape, plain }, owned: None, ended: false })
    }

    /// Creates an empty pool in `len` bytes at `base`. `Full` if they are too few.
    ///
    /// # Safety
    /// `base` is valid for writing `len` bytes, and no other thread uses them.
    pub unsafe fn init(base: *mut u8, len: usize, shape: Shape, zeroed: bool) -> Result<()> {
        // SAFETY: `base` is valid for `len` bytes, guaranteed by the caller.
        let memory = unsafe { Memory::new(base, len) }?;
        if shape.length > len as u64 {
            return Err(Error::full(format!("a pool of {} bytes does not fit into {len}", shape.length)));
        }
        // SAFETY: the memory is long enough; the caller guarantees that no other thread uses it.
        unsafe { shape.write(memory, zeroed) };
        Ok(())
    }

    /// Allocates a block of at least `bytes` bytes and returns its offset. `Full` if there is no
    /// room.
    #[inline(always)]
    pub fn alloc(&self, bytes: u64) -> Result<u64> {
        self.try_alloc(bytes).ok_or_else(|| no_room(bytes))
    }

    /// As `alloc`, but `None` if there is no room.
    #[inline(always)]
    pub fn try_alloc(&self, bytes: u64) -> Option<u64> {
        if self.pool.plain
            && let Some(offset) = self.shared.alloc(bytes)
        {
            return Some(offset);
        }
        self.pool.alloc_slow(bytes, |bytes| self.shared.alloc(bytes))
    }

    /// Frees a block, which any handle may have allocated. `Stale` if it is already free, `Range`
    /// if no block begins there, `Corrupt` if its guard was overwritten; the block then stays
    /// allocated.
    #[inline(always)]
    pub fn free(&self, offset: u64) -> Result<()> {
        if !self.pool.plain {
            self.pool.before_free(&self.shared, offset)?;
        }
        self.shared.free(offset).map_err(|refusal| refused(refusal, offset))
    }

    /// The number of bytes of the allocated block at `offset` that belong to its user.
    pub fn room(&self, offset: u64) -> Result<u64> {
        self.pool.room(&self.shared, offset).map_err(|refusal| refused(refusal, offset))
    }

    /// The first byte of the data, from which offsets count.
    #[inline]
    #[must_use]
    pub fn data(&self) -> *mut u8 {
        self.pool.data()
    }

    /// The index of the slot.
    #[must_use]
    pub fn slot(&self) -> u32 {
        self.shared.slot()
    }

    /// The sizes and options.
    #[must_use]
    pub fn shape(&self) -> &Shape {
        &self.pool.shape
    }

    /// Statistics. O(blocks / 16).
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.shared.count();
        stats.failures = self.pool.memory.word(layout::word::FAILURES);
        stats
    }

    /// Blocks that may have leaked when threads ended: those that the threads had taken last and
    /// that are still allocated.
    pub fn possibly_leaked(&self) -> impl Iterator<Item = u64> + '_ {
        self.shared.possibly_leaked()
    }

    /// Releases the slot of a thread that ended without doing so. `possibly_leaked` then reports
    /// the block that the thread took last, if it is still allocated.
    pub fn abandon(mut self) {
        self.ended = true;
    }

    /// Adds a cache of up to `limit` bytes. `Oom` if memory for its bookkeeping is refused.
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
/// Dropping it returns all cached blocks.
#[derive(Debug)]
pub struct ThreadLocalPool {
    cache: ThreadCache<RegionWords>,
    handle: Handle,
}

// SAFETY: as for `Handle`, which it wraps.
unsafe impl Send for ThreadLocalPool {}

impl ThreadLocalPool {
    /// Allocates a block of at least `bytes` bytes and returns its offset. `Full` if there is no
    /// room.
    #[inline(always)]
    pub fn alloc(&mut self, bytes: u64) -> Result<u64> {
        self.try_alloc(bytes).ok_or_else(|| no_room(bytes))
    }

    /// As `alloc`, but `None` if there is no room.
    #[inline(always)]
    pub fn try_alloc(&mut self, bytes: u64) -> Option<u64> {
        if self.handle.pool.plain
            && let Some(offset) = self.cache.alloc(bytes)
        {
            return Some(offset);
        }
        self.handle.pool.alloc_slow(bytes, |bytes| self.cache.alloc(bytes))
    }

    /// Frees a block, which any handle may have allocated. Errors as for [`Handle::free`].
    #[inline(always)]
    pub fn free(&mut self, offset: u64) -> Result<()> {
        if !self.handle.pool.plain {
            self.handle.pool.before_free(&self.handle.shared, offset)?;
        }
        self.cache.free(offset).map_err(|refusal| refused(refusal, offset))
    }

    /// Returns all cached blocks to the pool.
    pub fn flush(&mut self) {
        self.cache.flush();
    }

    /// Total size of the blocks, allocated or not, that only this cache can allocate.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.cache.held()
    }

    /// The largest request that the cache serves; 0 if the pool has guards or zeroing, because then
    /// it serves none.
    #[must_use]
    pub fn largest(&self) -> u64 {
        if self.handle.pool.plain { self.cache.largest() } else { 0 }
    }

    /// The underlying handle, for statistics and sizes.
    #[inline]
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Records in the region which block was allocated last, for threads that may end before their
    /// program receives the block and whose handle another thread then abandons.
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
        // SAFETY: a checked shape's sections lie within the memory.
        unsafe { self.memory.at(self.shape.data) }
    }

    /// The slow path of allocation: writes guards, and counts failures.
    #[cold]
    #[inline(never)]
    fn alloc_slow(&self, bytes: u64, alloc: impl FnOnce(u64) -> Option<u64>) -> Option<u64> {
        let guard = self.shape.guard();
        let found =
            if self.plain || bytes > self.shape.geometry.capacity() { None } else { alloc(bytes + guard) };
        match found {
            Some(offset) if guard != 0 => {
                // SAFETY: the block has room for the guard; both lie within the memory and belong
                // to this thread.
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
        // SAFETY: the word is within the header, and other threads access it through atomics only.
        unsafe { AtomicU32::from_ptr(self.memory.at(at).cast()) }.fetch_add(1, Ordering::Relaxed);
    }

    /// The position of the requested size of the block at an offset.
    fn requested(&self, offset: u64) -> usize {
        self.shape.requested + (offset >> self.shape.geometry.min_shift) as usize * 4
    }

    /// Checks the guard of a block that is to be freed, and zeros the block.
    #[cold]
    #[inline(never)]
    fn before_free(&self, shared: &Shared<RegionWords>, offset: u64) -> Result<()> {
        let room = shared.room(offset).map_err(|refusal| refused(refusal, offset))?;
        if self.shape.guard() != 0 {
            // SAFETY: the block lies within the data: its room was checked against the geometry.
            let bytes = unsafe { self.memory.load_u32(self.requested(offset)) };
            let bytes = u64::from(bytes).min(room - GUARD_BYTES);
            // SAFETY: as above; the guard lies within the block.
            let broken =
                unsafe { guard::broken(self.memory, self.shape.data + (offset + bytes) as usize, offset) };
            if let Some(broken) = broken {
                return Err(overrun(offset, bytes, broken));
            }
        }
        if self.shape.options & layout::ZERO_ON_FREE != 0 {
            // SAFETY: as above; the block belongs to the thread that frees it.
            unsafe { guard::zero(self.memory, self.shape.data + offset as usize, room as usize) };
        }
        Ok(())
    }

    fn room(&self, shared: &Shared<RegionWords>, offset: u64) -> Attempt<u64> {
        let room = shared.room(offset)?;
        if self.shape.guard() == 0 {
            return Ok(room);
        }
        // SAFETY: the block lies within the data, so its word lies within the section.
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
