//! The protocols of SharedMap under every interleaving of small cases that the C11 memory model
//! allows, as explored by loom.
//!
//! The lock is the code of the map itself. Publication and marks are models of the steps in
//! `docs/formats/sharedmap.md` ("Reading", "Writing"), because a whole map has too many states.
//! Each has versions that omit one step or order, in which loom has to find the error; so the
//! models detect these errors. The event rings and the commit record are written under the
//! lock only.
//!
//! `scripts/loom.sh` allows more preemptions.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicBool, AtomicU32, Ordering, fence};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use offheap_core::sharedmap::lock::{self, Holder, LockWords, Obtained};
use std::time::Duration;

fn explore(preemptions: usize, case: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    let more = std::env::var("OFFHEAP_LOOM_MORE").map_or(0, |more| more.parse().unwrap());
    model.preemption_bound = Some(preemptions + more);
    model.max_branches = 100_000;
    model.check(case);
}

/// What a lock lacks in a version that has to fail.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lacks {
    Nothing,
    /// Releasing it publishes no earlier store.
    Release,
    /// Nobody is woken.
    Wake,
}

/// A lock word. Waiting ends when it is woken, not after a time, so that a lost wakeup is
/// a deadlock, which loom reports. With `naps` it ends at once.
struct Watched {
    word: AtomicU32,
    asleep: Mutex<()>,
    woken: Condvar,
    naps: bool,
    lacks: Lacks,
}

impl Watched {
    fn new(naps: bool, lacks: Lacks) -> Watched {
        Watched { word: AtomicU32::new(0), asleep: Mutex::new(()), woken: Condvar::new(), naps, lacks }
    }
}

impl LockWords for Watched {
    const SPINS: u32 = 0;

    fn load(&self, _: usize) -> u32 {
        self.word.load(Ordering::Relaxed)
    }

    fn acquire(&self, _: usize) -> u32 {
        self.word.load(Ordering::Acquire)
    }

    fn swap(&self, _: usize, old: u32, new: u32) -> bool {
        self.word.compare_exchange(old, new, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    fn exchange(&self, _: usize, value: u32) -> u32 {
        let order = if self.lacks == Lacks::Release { Ordering::Relaxed } else { Ordering::AcqRel };
        self.word.swap(value, order)
    }

    fn wait(&self, _: usize, expected: u32, _: Duration) {
        if self.naps {
            thread::yield_now();
            return;
        }
        let guard = self.asleep.lock().unwrap();
        if self.word.load(Ordering::SeqCst) == expected {
            drop(self.woken.wait(guard).unwrap());
        }
    }

    fn wake_one(&self, _: usize) {
        if self.lacks != Lacks::Wake {
            let _guard = self.asleep.lock().unwrap();
            self.woken.notify_one();
        }
    }
}

/// A lock, and data that it protects. loom reports accesses of the data that are not ordered.
struct Protected {
    lock: Watched,
    data: UnsafeCell<u32>,
}

// SAFETY: the data is accessed under the lock only; loom checks it.
unsafe impl Sync for Protected {}

impl Protected {
    fn new(naps: bool, lacks: Lacks) -> Arc<Protected> {
        Arc::new(Protected { lock: Watched::new(naps, lacks), data: UnsafeCell::new(0) })
    }

    fn add(&self, by: u32) -> u32 {
        self.data.with_mut(|data| {
            // SAFETY: the caller holds the lock; loom checks it.
            unsafe {
                *data += by;
                *data
            }
        })
    }
}

fn count_in_threads(threads: usize, lacks: Lacks) {
    let shared = Protected::new(false, lacks);
    let handles: Vec<_> = (0..threads)
        .map(|slot| {
            let shared = shared.clone();
            thread::spawn(move || {
                let me = Holder::new(slot, 1);
                let obtained = lock::acquire(&shared.lock, 0, me, &|_| true);
                assert!(matches!(obtained, Obtained::Free { .. }));
                shared.add(1);
                lock::release(&shared.lock, 0, 0);
            })
        })
        .collect();
    for handle in handles {
        handle.join().unwrap();
    }
    assert_eq!(shared.add(0), threads as u32);
}

#[test]
fn a_lock_has_one_holder_and_wakes_the_others() {
    explore(3, || count_in_threads(2, Lacks::Nothing));
    explore(2, || count_in_threads(3, Lacks::Nothing));
}

#[test]
#[should_panic(expected = "Causality violation")]
fn a_lock_without_release_order_is_detected() {
    explore(3, || count_in_threads(2, Lacks::Release));
}

/// Not a test by itself: loom aborts the process when it finds a deadlock.
#[test]
#[ignore = "it deadlocks; the next test runs it"]
fn a_lock_that_wakes_nobody() {
    explore(3, || count_in_threads(2, Lacks::Wake));
}

#[test]
fn a_lock_that_wakes_nobody_is_detected() {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "a_lock_that_wakes_nobody"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = [output.stdout, output.stderr].concat();
    assert!(String::from_utf8_lossy(&text).contains("deadlock"));
}

/// A holder terminates while it holds the lock; two others take it over. `robs`: they do not ask
/// whether it is alive.
fn take_over(robs: bool) {
    let shared = Protected::new(true, Lacks::Nothing);
    let alive = Arc::new(AtomicBool::new(true));
    let dying = Holder::new(7, 3);
    let victim = thread::spawn({
        let (shared, alive) = (shared.clone(), alive.clone());
        move || {
            lock::acquire(&shared.lock, 0, dying, &|_| true);
            shared.add(10);
            // The kernel knows of the end after all that the process stored.
            alive.store(false, Ordering::Release);
        }
    });
    let other = thread::spawn({
        let (shared, alive) = (shared.clone(), alive.clone());
        move || {
            let is_alive = |holder| !robs && (holder != dying || alive.load(Ordering::Acquire));
            let obtained = lock::acquire(&shared.lock, 0, Holder::new(0, 1), &is_alive);
            if let Obtained::TakenOver(holder) = obtained {
                assert_eq!(holder, dying);
                assert_eq!(shared.add(1), 11, "robbed");
            } else {
                shared.add(1);
            }
            lock::release(&shared.lock, 0, 0);
            matches!(obtained, Obtained::TakenOver(_))
        }
    });
    victim.join().unwrap();
    let before = other.join().unwrap();
    let is_alive = |holder| holder != dying;
    let obtained = lock::acquire(&shared.lock, 0, Holder::new(1, 1), &is_alive);
    // Once, by the first thread after the end.
    assert_ne!(matches!(obtained, Obtained::TakenOver(_)), before);
    assert_eq!(shared.add(0), 11);
}

#[test]
fn a_terminated_holder_is_succeeded_once() {
    explore(3, || take_over(false));
}

#[test]
#[should_panic(expected = "Causality violation")]
fn a_robbed_holder_is_detected() {
    explore(3, || take_over(true));
}

/// Steps of publication.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Omit {
    Nothing,
    /// The writer's fence between the version and the reuse of the block.
    StoreFence,
    /// The reader's fence before it validates.
    LoadFence,
    /// The change of the version.
    Version,
    /// The order of the lane after the entry.
    LaneOrder,
    /// The order of the entry after the lane, for the reader.
    LaneAcquire,
}

/// A lane that refers to one of two blocks of two words, and the version of its bucket.
struct Bucket {
    version: AtomicU32,
    lane: AtomicU32,
    blocks: [[AtomicU32; 2]; 2],
}

/// A writer replaces the entry in block 0 by one in block 1, and uses block 0 for another entry.
/// A reader that validates sees one of the two values of its key, whole.
fn publish(omit: Omit) {
    let word = AtomicU32::new;
    let bucket = Arc::new(Bucket {
        version: word(0),
        lane: word(1),
        blocks: [[word(1), word(1)], [word(0), word(0)]],
    });
    let writer = thread::spawn({
        let bucket = bucket.clone();
        move || {
            for part in &bucket.blocks[1] {
                part.store(2, Ordering::Relaxed);
            }
            let order = if omit == Omit::LaneOrder { Ordering::Relaxed } else { Ordering::Release };
            bucket.lane.store(2, order);
            if omit != Omit::Version {
                bucket.version.store(1, order);
            }
            if omit != Omit::StoreFence {
                fence(Ordering::Release);
            }
            for part in &bucket.blocks[0] {
                part.store(3, Ordering::Relaxed);
            }
        }
    });
    let version = bucket.version.load(Ordering::Acquire);
    let order = if omit == Omit::LaneAcquire { Ordering::Relaxed } else { Ordering::Acquire };
    let lane = bucket.lane.load(order);
    let block = &bucket.blocks[lane as usize - 1];
    let value = [block[0].load(Ordering::Relaxed), block[1].load(Ordering::Relaxed)];
    if omit != Omit::LoadFence {
        fence(Ordering::Acquire);
    }
    if bucket.version.load(Ordering::Relaxed) == version {
        assert!(value == [1, 1] || value == [2, 2], "torn: {value:?}");
    }
    writer.join().unwrap();
}

#[test]
fn a_validated_value_is_whole() {
    explore(4, || publish(Omit::Nothing));
}

#[test]
#[should_panic(expected = "torn")]
fn a_reader_without_a_fence_is_detected() {
    explore(4, || publish(Omit::LoadFence));
}

#[test]
#[should_panic(expected = "torn")]
fn a_writer_without_a_fence_is_detected() {
    explore(4, || publish(Omit::StoreFence));
}

#[test]
#[should_panic(expected = "torn")]
fn a_change_without_a_new_version_is_detected() {
    explore(4, || publish(Omit::Version));
}

#[test]
#[should_panic(expected = "torn")]
fn an_entry_that_is_read_before_its_lane_is_detected() {
    explore(4, || publish(Omit::LaneAcquire));
}

#[test]
#[should_panic(expected = "torn")]
fn a_lane_before_its_entry_is_detected() {
    explore(4, || publish(Omit::LaneOrder));
}

/// A reader marks a hit in a page of buckets, while the writer empties the page and uses it for an
/// entry. `fenced`: both order their stores before their loads.
fn mark(fenced: bool) {
    let order = move || {
        if fenced {
            fence(Ordering::SeqCst);
        }
    };
    let [version, marking, page] = [0, 0, 0].map(|word| Arc::new(AtomicU32::new(word)));
    let reader = thread::spawn({
        let (version, marking, page) = (version.clone(), marking.clone(), page.clone());
        move || {
            let seen = version.load(Ordering::Acquire);
            marking.store(1, Ordering::Relaxed);
            order();
            if seen == 0 && version.load(Ordering::Relaxed) == seen {
                page.store(7, Ordering::Relaxed);
            }
            marking.store(0, Ordering::Release);
        }
    });
    version.store(1, Ordering::Release);
    order();
    // Otherwise the page is retired.
    let is_reused = marking.load(Ordering::Acquire) == 0;
    if is_reused {
        page.store(100, Ordering::Relaxed);
    }
    reader.join().unwrap();
    if is_reused {
        assert_eq!(page.load(Ordering::Relaxed), 100, "a late mark");
    }
}

#[test]
fn a_late_mark_changes_no_entry() {
    explore(4, || mark(true));
}

#[test]
#[should_panic(expected = "a late mark")]
fn marks_without_fences_are_detected() {
    explore(4, || mark(false));
}
