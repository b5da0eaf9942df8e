//! The takeover of a shard during a transaction, the ring of events, and subscriptions, under every
//! interleaving of small cases that the C11 memory model allows, as explored by loom.
//!
//! Each protocol is written here once more, with the orderings of
//! `native/core/src/sharedmap/{transaction,repair,events}.rs`. A test runs it as it is, and once
//! for each step that can be omitted: loom has to find the fault.

use loom::sync::atomic::{AtomicU32, Ordering};
use loom::sync::{Arc, Mutex};
use loom::thread;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs a case under all interleavings with at most this many preemptions.
fn explore(preemptions: usize, case: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    let more = std::env::var("OFFHEAP_LOOM_MORE").map_or(0, |more| more.parse().unwrap_or(0));
    model.preemption_bound = Some(preemptions + more);
    model.max_branches = 10_000;
    model.check(case);
}

/// Expects that loom finds an interleaving in which the case fails.
fn must_fail(preemptions: usize, case: impl Fn() + Sync + Send + 'static) {
    let found = catch_unwind(AssertUnwindSafe(|| explore(preemptions, case))).is_err();
    assert!(found, "the fault was not found");
}

/// How the completion of a transaction is changed.
#[derive(Clone, Copy, PartialEq)]
enum RedoFault {
    None,
    /// Who takes a shard over looks only at a big lock of the same dead holder.
    SameHolderOnly,
    /// The record is cleared before the lanes are stored.
    ClearFirst,
}

/// A participant committed a transaction and terminated with the big lock and a shard's lock. One
/// thread takes the big lock over and completes the transaction, another one takes the shard over:
/// it must not repair the shard, which frees the new block, before the lane is stored.
fn a_shard_is_repaired_after_the_transaction(fault: RedoFault) {
    const DEAD: u32 = 1;
    let [big, commit, lane] = [DEAD, 1, 0].map(|word| Arc::new(AtomicU32::new(word)));
    let redo = {
        let (commit, lane) = (commit.clone(), lane.clone());
        move || {
            if commit.load(Ordering::Acquire) == 1 {
                if fault == RedoFault::ClearFirst {
                    commit.store(0, Ordering::Release);
                }
                lane.store(7, Ordering::Release);
                commit.store(0, Ordering::Release);
            }
        }
    };
    let other = {
        let (big, redo) = (big.clone(), redo.clone());
        thread::spawn(move || {
            if big.compare_exchange(DEAD, 2, Ordering::AcqRel, Ordering::Acquire).is_ok() {
                redo();
                big.store(0, Ordering::Release);
            }
        })
    };
    // `Map::await_transaction`, by participant 3. The other one lives.
    while commit.load(Ordering::Acquire) == 1 {
        let word = big.load(Ordering::Acquire);
        if word == 2 {
            if fault == RedoFault::SameHolderOnly {
                break;
            }
            thread::yield_now();
        } else if big.compare_exchange(word, 3, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            redo();
            big.store(0, Ordering::Release);
        }
    }
    assert_eq!(lane.load(Ordering::Acquire), 7, "repaired before the transaction was complete");
    let _joined = other.join();
}

#[test]
fn a_takeover_waits_for_the_completion_of_a_transaction() {
    explore(3, || a_shard_is_repaired_after_the_transaction(RedoFault::None));
    must_fail(3, || a_shard_is_repaired_after_the_transaction(RedoFault::SameHolderOnly));
    must_fail(3, || a_shard_is_repaired_after_the_transaction(RedoFault::ClearFirst));
}

/// How the ring of events is changed.
#[derive(Clone, Copy, PartialEq)]
enum RingFault {
    None,
    /// The number of the oldest record is not updated when it is overwritten.
    KeepFirst,
    /// A subscription is stored, but not counted again.
    CountOnce,
}

/// `Map::record` and `Map::poll` with room for two records: each record is read whole, or
/// counted as overwritten.
fn a_ring_counts_what_it_overwrites(fault: RingFault) {
    const ROOM: u32 = 2;
    let lock = Arc::new(Mutex::new(()));
    // Number of records, the oldest one, and two records of two words.
    let ring = Arc::new([0; 6].map(|_| AtomicU32::new(0)));
    let writer = {
        let (lock, ring) = (lock.clone(), ring.clone());
        thread::spawn(move || {
            for _ in 0..3 {
                let guard = lock.lock();
                let count = ring[0].load(Ordering::Relaxed);
                if count >= ROOM && fault != RingFault::KeepFirst {
                    ring[1].store(count + 1 - ROOM, Ordering::Relaxed);
                }
                let at = 2 + (count % ROOM * 2) as usize;
                ring[at].store(count + 1, Ordering::Relaxed);
                ring[at + 1].store(count + 1, Ordering::Relaxed);
                ring[0].store(count + 1, Ordering::Relaxed);
                drop(guard);
            }
        })
    };
    let mut next = 0;
    let mut poll = || {
        let guard = lock.lock();
        let (count, first) = (ring[0].load(Ordering::Relaxed), ring[1].load(Ordering::Relaxed));
        for number in next.max(first)..count {
            let at = 2 + (number % ROOM * 2) as usize;
            let record = [ring[at].load(Ordering::Relaxed), ring[at + 1].load(Ordering::Relaxed)];
            assert_eq!(record, [number + 1; 2], "torn, or overwritten and not counted");
        }
        next = count;
        drop(guard);
    };
    poll();
    let _joined = writer.join();
    poll();
    assert_eq!(next, 3);
}

/// `Map::update_events`: of two that subscribe at the same time, the last one counts both.
fn subscriptions_are_counted(fault: RingFault) {
    let own = Arc::new([0; 2].map(|_| AtomicU32::new(0)));
    let all = Arc::new(AtomicU32::new(0));
    let subscribe = |index: usize| {
        let (own, all) = (own.clone(), all.clone());
        move || {
            own[index].store(1 << index, Ordering::Release);
            loop {
                let sum = || own.iter().fold(0, |sum, word| sum | word.load(Ordering::Relaxed));
                let before = sum();
                all.swap(before, Ordering::AcqRel);
                if fault == RingFault::CountOnce || sum() == before {
                    break;
                }
            }
        }
    };
    let other = thread::spawn(subscribe(0));
    subscribe(1)();
    let _joined = other.join();
    assert_eq!(all.load(Ordering::Acquire), 3, "a subscription was not counted");
}

#[test]
fn events_are_read_whole_and_losses_are_counted() {
    explore(2, || a_ring_counts_what_it_overwrites(RingFault::None));
    explore(3, || subscriptions_are_counted(RingFault::None));
    must_fail(3, || a_ring_counts_what_it_overwrites(RingFault::KeepFirst));
    must_fail(3, || subscriptions_are_counted(RingFault::CountOnce));
}
