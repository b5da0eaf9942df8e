//! LockFreePool and its caches: compared with a model, under contention, with threads that end, and
//! with damaged bytes.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use offheap_core::ErrorKind;
use offheap_core::pools::lockfree::layout::{COMPACT, GUARDS, Options, Shape, ZERO_ON_FREE};
use offheap_core::pools::lockfree::validate::validate;
use offheap_core::pools::lockfree::{Handle, LockFreePool, ThreadLocalPool};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

fn options(capacity: u64) -> Options {
    Options { capacity, ..Options::default() }
}

fn sound(pool: &LockFreePool) {
    let (base, len) = pool.region();
    // SAFETY: the pool's own memory.
    unsafe { validate(base, len) }.unwrap();
}

/// A handle with or without a cache.
enum Any {
    Plain(Box<Handle>),
    Cached(Box<ThreadLocalPool>),
}

impl Any {
    fn alloc(&mut self, bytes: u64) -> Option<u64> {
        match self {
            Any::Plain(handle) => handle.try_alloc(bytes),
            Any::Cached(local) => local.try_alloc(bytes),
        }
    }

    fn free(&mut self, offset: u64) -> offheap_core::Result<()> {
        match self {
            Any::Plain(handle) => handle.free(offset),
            Any::Cached(local) => local.free(offset),
        }
    }

    fn handle(&self) -> &Handle {
        match self {
            Any::Plain(handle) => handle,
            Any::Cached(local) => local.handle(),
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Alloc(usize, u64),
    Free(usize, usize),
    Wild(usize, u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let size = prop_oneof![8 => 0..200u64, 2 => 200..3000u64, 1 => 3000..20_000u64];
    let step = prop_oneof![
        5 => (0..3usize, size).prop_map(|(who, size)| Step::Alloc(who, size)),
        4 => (0..3usize, any::<usize>()).prop_map(|(who, which)| Step::Free(who, which)),
        1 => (0..3usize, 0..70_000u64).prop_map(|(who, offset)| Step::Wild(who, offset)),
    ];
    prop::collection::vec(step, 1..400)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    /// Three handles, two of them with caches, compared with a map of the allocated blocks.
    #[test]
    fn agrees_with_a_set_of_disjoint_blocks(steps in steps(), flags in 0..8u32) {
        let pool = LockFreePool::new(Options { flags, ..options(65_536) }).unwrap();
        let mut handles = [
            Any::Plain(Box::new(pool.handle().unwrap())),
            Any::Cached(Box::new(pool.cached(16_384).unwrap())),
            Any::Cached(Box::new(pool.cached(4096).unwrap())),
        ];
        let mut model = BTreeMap::<u64, u64>::new();
        for step in steps {
            match step {
                Step::Alloc(who, size) => {
                    if let Some(offset) = handles[who].alloc(size) {
                        let room = handles[who].handle().room(offset).unwrap();
                        prop_assert!(room >= size);
                        prop_assert!(offset + room <= handles[who].handle().shape().geometry.capacity());
                        let before = model.range(..=offset).next_back();
                        prop_assert!(before.is_none_or(|(&at, &room)| at + room <= offset));
                        let after = model.range(offset..).next();
                        prop_assert!(after.is_none_or(|(&at, _)| offset + room <= at));
                        model.insert(offset, room);
                    }
                }
                Step::Free(who, which) if !model.is_empty() => {
                    let offset = *model.keys().nth(which % model.len()).unwrap();
                    handles[who].free(offset).unwrap();
                    model.remove(&offset);
                    prop_assert_eq!(handles[who].free(offset).unwrap_err().kind(), ErrorKind::Stale);
                    prop_assert_eq!(handles[(who + 1) % 3].free(offset).unwrap_err().kind(), ErrorKind::Stale);
                }
                Step::Free(..) => {}
                Step::Wild(who, offset) if !model.contains_key(&offset) => {
                    let kind = handles[who].free(offset).unwrap_err().kind();
                    prop_assert!(matches!(kind, ErrorKind::Stale | ErrorKind::Range));
                }
                Step::Wild(..) => {}
            }
            prop_assert_eq!(handles[0].handle().stats().blocks, model.len() as u64);
        }
        sound(&pool);
        drop(handles);
        let last = pool.handle().unwrap();
        prop_assert_eq!(last.stats().cached, 0);
        prop_assert_eq!(last.stats().handles, 1);
        for &offset in model.keys() {
            last.free(offset).unwrap();
        }
        prop_assert_eq!(last.stats().used, 0);
        // All memory is one block again.
        let guard = if flags & GUARDS != 0 { 16 } else { 0 };
        prop_assert_eq!(last.alloc(last.stats().capacity - guard).unwrap(), 0);
        sound(&pool);
    }
}

/// Fills a block's words with a mark, or checks that they still contain it.
fn mark(handle: &Handle, offset: u64, words: u64, mark: u64, write: bool) {
    for i in 0..words {
        // SAFETY: the word is within a block that this thread holds. It is accessed atomically, so
        // that a block held twice is a test failure rather than a data race.
        let word = unsafe { AtomicU64::from_ptr(handle.data().add((offset + i * 8) as usize).cast()) };
        if write {
            word.store(mark, Ordering::Relaxed);
        } else {
            assert_eq!(word.load(Ordering::Relaxed), mark, "the block at {offset} is held twice");
        }
    }
}

fn hammer(pool: &LockFreePool, threads: u64, operations: u64, cache: bool, sizes: &[u64]) {
    // Blocks that are passed from one thread to another.
    let bag = Mutex::new(Vec::<(u64, u64, u64)>::new());
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let bag = &bag;
            let mut any = if cache && thread % 2 == 0 {
                Any::Cached(Box::new(pool.cached(8192).unwrap()))
            } else {
                Any::Plain(Box::new(pool.handle().unwrap()))
            };
            scope.spawn(move || {
                let mut held = Vec::new();
                let mut state = thread.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
                for step in 0..operations {
                    state ^= state << 13;
                    state ^= state >> 7;
                    state ^= state << 17;
                    if state & 1 == 0 || held.len() > 40 {
                        let given = if state & 6 == 0 { bag.lock().unwrap().pop() } else { None };
                        let taken = given.or_else(|| {
                            let len = held.len();
                            (len > 0).then(|| held.swap_remove((state >> 8) as usize % len))
                        });
                        if let Some((offset, size, tag)) = taken {
                            mark(any.handle(), offset, size / 8, tag, false);
                            if state & 24 == 0 {
                                bag.lock().unwrap().push((offset, size, tag));
                            } else {
                                any.free(offset).unwrap();
                            }
                        }
                    } else {
                        let size = sizes[(state >> 16) as usize % sizes.len()];
                        if let Some(offset) = any.alloc(size) {
                            let tag = thread << 48 | step;
                            mark(any.handle(), offset, size / 8, tag, true);
                            held.push((offset, size, tag));
                        }
                    }
                }
                for (offset, size, tag) in held {
                    mark(any.handle(), offset, size / 8, tag, false);
                    any.free(offset).unwrap();
                }
            });
        }
    });
    let last = pool.handle().unwrap();
    for (offset, ..) in bag.into_inner().unwrap() {
        last.free(offset).unwrap();
    }
    let stats = last.stats();
    assert_eq!((stats.used, stats.cached, stats.handles), (0, 0, 1));
    sound(pool);
    assert_eq!(last.alloc(stats.capacity).unwrap(), 0);
}

#[test]
fn no_block_is_lost_or_held_twice() {
    for (flags, cache) in [(0, false), (0, true), (COMPACT, true)] {
        let pool = LockFreePool::new(Options { flags, ..options(1 << 18) }).unwrap();
        hammer(&pool, 4, 60_000, cache, &[8, 64, 100, 256, 1000, 5000, 20_000]);
        let small = LockFreePool::new(Options { flags, ..options(1 << 13) }).unwrap();
        hammer(&small, 4, 60_000, cache, &[64, 128, 512]);
    }
}

/// Four threads that hold at most one block each, of a pool with five.
#[test]
fn a_pool_with_room_is_never_full() {
    for sizes in [[64u64; 4], [64, 100, 128, 64]] {
        let pool = LockFreePool::new(Options { smallest: 128, ..options(1024) }).unwrap();
        let spare = pool.handle().unwrap();
        let kept: Vec<u64> = (0..3).map(|_| spare.alloc(64).unwrap()).collect();
        std::thread::scope(|scope| {
            for size in sizes {
                let handle = pool.handle().unwrap();
                scope.spawn(move || {
                    for _ in 0..50_000 {
                        let offset = handle.alloc(size).unwrap();
                        handle.free(offset).unwrap();
                    }
                });
            }
        });
        assert_eq!(spare.stats().blocks, kept.len() as u64);
        assert_eq!(spare.stats().failures, 0);
    }
}

#[test]
fn a_thread_that_ends_can_leak_only_its_last_block() {
    let pool = LockFreePool::new(options(1 << 16)).unwrap();
    let mut local = pool.cached(16_384).unwrap();
    let kept = local.alloc(64).unwrap();
    let lost = local.alloc(64).unwrap();
    assert!(pool.handle().unwrap().stats().cached > 0);
    local.abandon();
    let handle = pool.handle().unwrap();
    assert_eq!(handle.stats().cached, 0);
    assert_eq!(handle.possibly_leaked().collect::<Vec<_>>(), [lost]);
    handle.free(lost).unwrap();
    assert_eq!(handle.possibly_leaked().count(), 0);
    handle.free(kept).unwrap();
    assert_eq!(handle.stats().used, 0);
    sound(&pool);
    // A handle that is dropped properly leaves no possibly leaked block.
    let other = pool.handle().unwrap();
    let block = other.alloc(64).unwrap();
    drop(other);
    assert_eq!(handle.possibly_leaked().count(), 0);
    handle.free(block).unwrap();
}

#[test]
fn blocks_freed_by_another_thread_return_to_the_owner() {
    let pool = LockFreePool::new(options(1 << 16)).unwrap();
    let mut local = pool.cached(4096).unwrap();
    let other = pool.handle().unwrap();
    let first: Vec<u64> = (0..16).map(|_| local.alloc(64).unwrap()).collect();
    for &offset in &first {
        other.free(offset).unwrap();
        assert_eq!(local.free(offset).unwrap_err().kind(), ErrorKind::Stale);
    }
    let mut again: Vec<u64> = (0..16).map(|_| local.alloc(64).unwrap()).collect();
    again.sort_unstable();
    assert_eq!(again, first);
}

#[test]
fn a_cache_reallocates_all_blocks_freed_into_it() {
    let pool = LockFreePool::new(options(1 << 18)).unwrap();
    let mut local = pool.cached(1 << 17).unwrap();
    let mut blocks: Vec<u64> = (0..1008).map(|_| local.alloc(64).unwrap()).collect();
    blocks.sort_unstable();
    let held = local.held();
    for _ in 0..3 {
        // More blocks than fit on the stack.
        blocks.iter().for_each(|&offset| local.free(offset).unwrap());
        blocks
            .iter()
            .for_each(|&offset| assert_eq!(local.free(offset).unwrap_err().kind(), ErrorKind::Stale));
        let mut again: Vec<u64> = (0..1008).map(|_| local.alloc(64).unwrap()).collect();
        again.sort_unstable();
        assert_eq!(again, blocks);
        assert_eq!(local.held(), held);
    }
    blocks.iter().for_each(|&offset| local.free(offset).unwrap());
    local.flush();
    // The blocks that were on the stack now belong to another cache.
    let mut other = pool.cached(1 << 17).unwrap();
    let taken: Vec<u64> = (0..1008).map(|_| other.alloc(64).unwrap()).collect();
    let mine: Vec<u64> = (0..1008).map(|_| local.alloc(64).unwrap()).collect();
    assert!(mine.iter().all(|offset| !taken.contains(offset)));
    sound(&pool);
}

#[test]
fn a_cache_frees_blocks_of_classes_that_it_does_not_cache() {
    let pool = LockFreePool::new(options(1 << 16)).unwrap();
    let handle = pool.handle().unwrap();
    let mut local = pool.cached(4096).unwrap();
    for size in [64, 300, 512, 600, 3073, 20_000] {
        let offset = handle.alloc(size).unwrap();
        local.free(offset).unwrap();
        assert_eq!(local.free(offset).unwrap_err().kind(), ErrorKind::Stale);
        assert_eq!(handle.stats().used, 0);
    }
}

#[test]
fn a_cache_returns_its_blocks_when_memory_is_short() {
    let pool = LockFreePool::new(options(4096)).unwrap();
    let mut local = pool.cached(4096).unwrap();
    let blocks: Vec<u64> = (0..64).map(|_| local.alloc(64).unwrap()).collect();
    assert!(local.try_alloc(64).is_none());
    blocks.iter().for_each(|&offset| local.free(offset).unwrap());
    assert_eq!(local.alloc(4096).unwrap(), 0);
    local.free(0).unwrap();
    assert_eq!(local.handle().stats().used, 0);
}

#[test]
fn blocks_of_one_size_can_fill_all_memory() {
    for (size, flags) in [(64, 0), (16, COMPACT), (128, 0), (512, 0), (4096, COMPACT)] {
        let pool = LockFreePool::new(Options { flags, ..options(1 << 16) }).unwrap();
        let handle = pool.handle().unwrap();
        let count = std::iter::from_fn(|| handle.try_alloc(size)).count() as u64;
        assert_eq!(count, (1 << 16) / size);
        assert_eq!(handle.stats().failures, 1);
        assert_eq!(handle.alloc(1).unwrap_err().kind(), ErrorKind::Full);
    }
}

#[test]
fn small_requests_take_larger_blocks_before_the_pool_is_full() {
    let pool = LockFreePool::new(options(2048)).unwrap();
    let handle = pool.handle().unwrap();
    handle.alloc(512).unwrap();
    handle.alloc(128).unwrap();
    let small = std::iter::from_fn(|| handle.try_alloc(64)).count();
    assert_eq!(small, 8);
    sound(&pool);
}

#[test]
fn guards_are_checked_and_freed_blocks_zeroed() {
    let pool = LockFreePool::new(Options { flags: GUARDS | ZERO_ON_FREE, ..options(1 << 14) }).unwrap();
    for handle in
        [Any::Plain(Box::new(pool.handle().unwrap())), Any::Cached(Box::new(pool.cached(4096).unwrap()))]
    {
        let mut handle = handle;
        for size in [0, 1, 47, 48, 49, 1000, 3000] {
            let offset = handle.alloc(size).unwrap();
            assert_eq!(handle.handle().room(offset).unwrap(), size);
            // SAFETY: the bytes are within the block and its guard.
            let byte = |i: u64| unsafe { handle.handle().data().add((offset + i) as usize) };
            // SAFETY: as above.
            unsafe { (0..size).for_each(|i| byte(i).write(7)) };
            // SAFETY: as above: the last byte of the guard, then back.
            let kept = unsafe { byte(size + 15).replace(0) };
            let kind = match &mut handle {
                Any::Plain(handle) => handle.free(offset),
                Any::Cached(local) => local.free(offset),
            };
            assert_eq!(kind.unwrap_err().kind(), ErrorKind::Corrupt);
            // SAFETY: as above.
            unsafe { handle.handle().data().add((offset + size + 15) as usize).write(kept) };
            handle.free(offset).unwrap();
            // SAFETY: no other thread uses the pool.
            let bytes = unsafe {
                std::slice::from_raw_parts(handle.handle().data().add(offset as usize), size as usize)
            };
            assert!(bytes.iter().all(|&byte| byte == 0));
        }
    }
    assert_eq!(pool.handle().unwrap().stats().used, 0);
}

#[test]
fn invalid_sizes_are_refused() {
    let bad = [
        options(0),
        options((1 << 32) + 1),
        Options { chunk: 3000, ..options(4096) },
        Options { chunk: 512, ..options(4096) },
        Options { chunk: 1 << 21, ..options(4096) },
        Options { smallest: 8, ..options(4096) },
        Options { smallest: 1024, ..options(4096) },
        Options { slots: 1024, ..options(4096) },
    ];
    for options in bad {
        assert_eq!(Shape::new(options).unwrap_err().kind(), ErrorKind::Range);
    }
    let pool = LockFreePool::new(Options { slots: 2, ..options(4096) }).unwrap();
    let both = [pool.handle().unwrap(), pool.handle().unwrap()];
    assert_eq!(pool.handle().unwrap_err().kind(), ErrorKind::Full);
    drop(both);
    pool.handle().unwrap();
}

/// Damaged words result in wrong blocks or errors, but never in an access out of bounds, a panic,
/// or an endless loop.
#[test]
fn damaged_words_give_wrong_blocks_or_errors_only() {
    let pool = LockFreePool::new(Options { flags: GUARDS, ..options(1 << 13) }).unwrap();
    let handle = pool.handle().unwrap();
    (0..20).for_each(|i| drop(handle.alloc(i * 50)));
    let (base, len) = pool.region();
    // SAFETY: the pool's own memory, at rest.
    let good = unsafe { std::slice::from_raw_parts(base, len) }.to_vec();
    let words = handle.shape().geometry.words;
    let mut state = 1u64;
    for round in 0..600 {
        let mut bytes = vec![0u64; len / 8];
        // SAFETY: the copy has this length and belongs to this test.
        let copy = unsafe { std::slice::from_raw_parts_mut(bytes.as_mut_ptr().cast::<u8>(), len) };
        copy.copy_from_slice(&good);
        for _ in 0..=round % 40 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at =
                if round < 300 { (state >> 33) as usize % 256 } else { (state >> 33) as usize % (words * 4) };
            copy[at] = (state >> 25) as u8;
        }
        let base = copy.as_mut_ptr();
        // SAFETY: the copy has this length and belongs to this test.
        unsafe {
            drop(validate(base, len));
            let Ok(other) = Handle::attach(base, len) else { continue };
            let Ok(mut other) = other.with_cache(4096) else { continue };
            for i in 0..30u64 {
                other.try_alloc(i * 97 % 3000);
                drop(other.free(i * 64 % 8192));
                drop(other.handle().room(i * 128 % 8192));
            }
            assert!(
                other.handle().stats().blocks < 10_000 && other.handle().possibly_leaked().count() < 1024
            );
        }
    }
    for cut in (0..len).step_by(61) {
        // SAFETY: the length is below that of the memory.
        assert!(unsafe { Handle::attach(base, cut) }.is_err());
    }
}
