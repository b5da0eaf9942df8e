//! The protocol of LockFreePool under every interleaving of small cases that the C11 memory model
//! allows, as explored by loom.
//!
//! The number of preemptions is bounded here so that each case takes seconds; `scripts/loom.sh`
//! allows more.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use loom::sync::Arc;
use loom::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use loom::thread;
use offheap_core::pools::lockfree::layout::{Geometry, slot};
use offheap_core::pools::lockfree::shared::Shared;
use offheap_core::pools::lockfree::slots::join;
use offheap_core::pools::lockfree::thread_cache::ThreadCache;
use offheap_core::pools::lockfree::words::Words;

/// Words whose accesses loom explores.
#[derive(Clone)]
struct Watched(Arc<Vec<AtomicU32>>);

impl Words for Watched {
    fn load(&self, index: usize) -> u32 {
        self.0[index].load(Ordering::Acquire)
    }

    fn confirm(&self, index: usize) -> u32 {
        self.0[index].fetch_or(0, Ordering::AcqRel)
    }

    fn store(&self, index: usize, value: u32) {
        self.0[index].store(value, Ordering::Release);
    }

    fn swap(&self, index: usize, old: u32, new: u32) -> Result<(), u32> {
        self.0[index].compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire).map(|_| ())
    }

    fn count(&self) -> usize {
        self.0.len()
    }

    unsafe fn load_unchecked(&self, index: usize) -> u32 {
        self.load(index)
    }

    unsafe fn update_unchecked(&self, index: usize, change: impl FnOnce(u32) -> Option<u32>) -> bool {
        let changed = change(self.load(index));
        changed.inspect(|&value| self.store(index, value)).is_some()
    }

    fn pause(&self, _: u32) {
        thread::yield_now();
    }
}

/// A pool of `chunks` chunks of 32 bytes: two blocks of 16 bytes each, or one of 32.
struct Pool {
    words: Watched,
    geometry: Geometry,
    /// Number of threads that hold each unit of 16 bytes. It is separate from the protocol, to
    /// detect errors in it.
    held: Arc<Vec<AtomicUsize>>,
}

impl Pool {
    fn new(chunks: u32, slots: u32) -> Pool {
        let geometry = Geometry::new(5, chunks, 4, slots, 0, false);
        let words = (0..geometry.words).map(|_| AtomicU32::new(0)).collect();
        let held = (0..chunks * 2).map(|_| AtomicUsize::new(0)).collect();
        Pool { words: Watched(Arc::new(words)), geometry, held: Arc::new(held) }
    }

    fn handle(&self) -> Tester {
        let shared = join(Shared::new(self.words.clone(), self.geometry, 0, 20)).unwrap();
        Tester { shared, held: self.held.clone() }
    }
}

struct Tester {
    shared: Shared<Watched>,
    held: Arc<Vec<AtomicUsize>>,
}

fn take(held: &[AtomicUsize], offset: u64, bytes: u64) {
    for unit in &held[(offset / 16) as usize..((offset + bytes) / 16) as usize] {
        assert_eq!(unit.fetch_add(1, Ordering::AcqRel), 0, "held twice");
    }
}

fn give(held: &[AtomicUsize], offset: u64, bytes: u64) {
    for unit in &held[(offset / 16) as usize..((offset + bytes) / 16) as usize] {
        unit.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Tester {
    fn alloc(&self, bytes: u64) -> Option<u64> {
        let offset = self.shared.alloc(bytes)?;
        take(&self.held, offset, bytes);
        Some(offset)
    }

    fn free(&self, offset: u64, bytes: u64) {
        give(&self.held, offset, bytes);
        self.shared.free(offset).unwrap();
    }
}

/// Runs a case under all interleavings with at most this many preemptions.
fn explore(preemptions: usize, case: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    let more = std::env::var("OFFHEAP_LOOM_MORE").map_or(0, |more| more.parse().unwrap());
    model.preemption_bound = Some(preemptions + more);
    model.max_branches = 100_000;
    model.check(case);
}

/// When all blocks are freed, all memory can be allocated as one block.
fn all_is_free(pool: &Pool, last: &Tester) {
    let bytes = pool.geometry.capacity();
    let offset = last.alloc(bytes).unwrap();
    last.free(offset, bytes);
}

#[test]
fn two_threads_allocate_from_one_chunk() {
    explore(1, || {
        let pool = Pool::new(1, 2);
        let (one, two) = (pool.handle(), pool.handle());
        let other = thread::spawn(move || {
            let offset = two.alloc(16).unwrap();
            two.free(offset, 16);
        });
        // There are two blocks, and each thread holds one: neither thread may find the pool full.
        let offset = one.alloc(16).unwrap();
        one.free(offset, 16);
        other.join().unwrap();
        all_is_free(&pool, &one);
    });
}

#[test]
fn a_chunk_is_cut_again_while_another_thread_searches_it() {
    explore(1, || {
        let pool = Pool::new(1, 2);
        let (one, two) = (pool.handle(), pool.handle());
        let before = one.alloc(16).unwrap();
        one.free(before, 16);
        let other = thread::spawn(move || {
            if let Some(offset) = two.alloc(32) {
                two.free(offset, 32);
            }
        });
        if let Some(offset) = one.alloc(16) {
            one.free(offset, 16);
        }
        other.join().unwrap();
        all_is_free(&pool, &one);
    });
}

#[test]
fn large_and_small_blocks_do_not_overlap() {
    explore(0, || {
        let pool = Pool::new(2, 2);
        let (one, two) = (pool.handle(), pool.handle());
        let other = thread::spawn(move || {
            if let Some(offset) = two.alloc(64) {
                two.free(offset, 64);
            }
        });
        if let Some(offset) = one.alloc(16) {
            one.free(offset, 16);
        }
        other.join().unwrap();
        all_is_free(&pool, &one);
    });
}

#[test]
fn one_of_two_frees_of_a_block_is_refused() {
    explore(3, || {
        let pool = Pool::new(1, 2);
        let (one, two) = (pool.handle(), pool.handle());
        let offset = one.alloc(16).unwrap();
        give(&one.held, offset, 16);
        let other = thread::spawn(move || u32::from(two.shared.free(offset).is_ok()));
        let mine = u32::from(one.shared.free(offset).is_ok());
        assert_eq!(mine + other.join().unwrap(), 1);
        all_is_free(&pool, &one);
    });
}

/// The next search finds a freed block, although the previous search cleared the hint.
#[test]
fn a_search_does_not_miss_a_free() {
    explore(2, || {
        let pool = Pool::new(1, 3);
        let (one, two) = (pool.handle(), pool.handle());
        let first = one.alloc(16).unwrap();
        let second = one.alloc(16).unwrap();
        let other = thread::spawn(move || {
            let found = two.alloc(16);
            found.inspect(|&offset| two.free(offset, 16));
        });
        one.free(first, 16);
        other.join().unwrap();
        let third = pool.handle();
        let found = third.alloc(16).unwrap();
        third.free(found, 16);
        third.free(second, 16);
        all_is_free(&pool, &third);
    });
}

#[test]
fn a_cached_block_freed_by_another_thread_returns_to_the_owner() {
    explore(2, || {
        let pool = Pool::new(1, 3);
        let (one, two) = (pool.handle(), pool.handle());
        let held = pool.held.clone();
        let mut local = ThreadCache::new(one.shared.clone(), 128).unwrap();
        let first = local.alloc(16).unwrap();
        take(&held, first, 16);
        let other = thread::spawn(move || two.free(first, 16));
        let second = local.alloc(16).unwrap();
        take(&held, second, 16);
        give(&held, second, 16);
        local.free(second).unwrap();
        local.flush();
        other.join().unwrap();
        local.flush();
        all_is_free(&pool, &pool.handle());
    });
}

/// A thread ends and its cache is returned, while another thread frees one of its blocks, and a
/// third searches for a block.
#[test]
fn a_cache_is_returned_while_other_threads_free_into_it() {
    explore(2, || {
        let pool = Pool::new(1, 3);
        let (one, two, three) = (pool.handle(), pool.handle(), pool.handle());
        let shared = one.shared.clone();
        let mut local = ThreadCache::new(one.shared.clone(), 128).unwrap();
        let first = local.alloc(16).unwrap();
        take(&pool.held, first, 16);
        let other = thread::spawn(move || two.free(first, 16));
        assert!(shared.leave(true));
        if let Some(offset) = three.alloc(16) {
            three.free(offset, 16);
        }
        other.join().unwrap();
        assert_eq!(pool.words.load(shared.slot() as usize * 32 + slot::STATE), slot::FREE);
        all_is_free(&pool, &three);
    });
}
