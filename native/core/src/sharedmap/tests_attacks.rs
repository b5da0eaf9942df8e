//! Faults that need two participants to terminate, or to act at the same time.

use super::layout::{control, shard};
use super::tests::{Block, Process, bytes, change, get, options, set, silence, temporary};
use super::words::simulator;
use super::*;
use crate::region::element::Type;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

/// Runs `change`, and stops it after `step` stores. Whether it was stopped.
fn stop_after(step: u64, change: impl FnOnce()) -> bool {
    simulator::REMAINING.set(step);
    let outcome = catch_unwind(AssertUnwindSafe(change));
    simulator::REMAINING.set(0);
    outcome.is_err()
}

#[test]
fn a_transaction_is_completed_although_the_one_that_completes_it_terminates_too() {
    silence(|| {
        let mut options = options(Type::U32, Type::Bytes, 1 << 17, 0);
        options.shards = Some(2);
        let mut committed = 0;
        for step in 1.. {
            let mut block = Block::new(&options);
            let first = Process::default();
            let map = ManuallyDrop::new(block.attach(Box::new(first.clone())));
            for key in 0..20 {
                map.write(&set(Key::Narrow(key), bytes(b"old"))).unwrap();
            }
            let changes = [1, 2, 3, 4].map(|key| change(key, Some(b"new")));
            if !stop_after(step, || assert!(map.commit(&[], &changes, 1000.0).unwrap())) {
                break;
            }
            first.dead.store(true, Ordering::Relaxed);
            committed += u32::from(map.words.load(control::COMMIT) == 1);
            // The second one takes the big lock over, and terminates before it completes anything.
            let second = first.sibling();
            let other = ManuallyDrop::new(block.attach(Box::new(second.clone())));
            let word = other.words.load(control::BIG_LOCK);
            if word != 0 {
                other.words.store(control::BIG_LOCK, other.holder.0);
            }
            second.dead.store(true, Ordering::Relaxed);
            // The third one comes to a shard first.
            let third = block.attach(Box::new(first.sibling()));
            for key in 5..10 {
                third.write(&set(Key::Narrow(key), bytes(&[5; 40]))).unwrap();
            }
            drop(third.lock_all().unwrap());
            for key in 10..20 {
                third.write(&set(Key::Narrow(key), bytes(&[5; 40]))).unwrap();
            }
            third.validate().unwrap_or_else(|error| panic!("step {step}: {error}"));
            let all = [1, 2, 3, 4].map(|key| get(&third, Key::Narrow(key)));
            let is_whole = |value: &[u8]| all.iter().all(|found| found.as_deref() == Some(value));
            assert!(is_whole(b"old") || is_whole(b"new"), "step {step}: {all:?}");
        }
        // Otherwise the test shows nothing.
        assert!(committed > 5, "{committed}");
    });
}

#[test]
fn entries_that_are_kept_for_a_snapshot_are_freed_after_its_process_was_killed() {
    let options = options(Type::U32, Type::Bytes, 1 << 20, 0);
    let mut block = Block::new(&options);
    let process = Process::default();
    let map = ManuallyDrop::new(block.attach(Box::new(process.clone())));
    let empty = map.used_bytes();
    for key in 0..2000 {
        map.write(&set(Key::Narrow(key), bytes(&[7; 200]))).unwrap();
    }
    let (_folder, path) = temporary();
    let file = std::fs::File::create(&path).unwrap();
    let killed = catch_unwind(AssertUnwindSafe(|| {
        drop(map.save(file, &mut |_, _| std::panic::panic_any(simulator::Stopped)));
    }));
    assert!(killed.is_err());
    let other = block.attach(Box::new(process.sibling()));
    // While it lives, deleted entries are kept for it.
    for key in 0..500 {
        other.remove_key(&Key::Narrow(key), 1000.0).unwrap();
    }
    process.dead.store(true, Ordering::Relaxed);
    for key in 500..2000 {
        other.remove_key(&Key::Narrow(key), 1000.0).unwrap();
    }
    other.purge_expired(usize::MAX, 1000.0).unwrap();
    let shards = other.geometry().shards();
    assert!((0..shards).all(|id| !other.is_saving(other.shard(id))));
    assert!((0..shards).all(|id| other.words.load(other.shard(id).at + shard::KEPT) == 0));
    other.validate().unwrap();
    let kept = shards as u64 * (4 << other.geometry().page_shift);
    assert!(other.used_bytes() <= empty + kept, "{} after {empty}", other.used_bytes());
}

#[test]
fn a_value_that_never_fits_evicts_nothing_when_it_is_stored_by_handle() {
    let options = options(Type::U32, Type::Bytes, 1 << 17, 0);
    let mut block = Block::new(&options);
    let map = block.attach(Box::<Process>::default());
    for key in 0..200 {
        map.write(&set(Key::Narrow(key), bytes(&[1; 100]))).unwrap();
    }
    let handle = map.handle_of(&Key::Narrow(7), 1000.0).unwrap().unwrap();
    let huge = vec![2; 1 << 17];
    let error = map.write_by_handle(handle, bytes(&huge), 0, Expiry::Default, 1000.0).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full);
    assert_eq!((map.len(), map.stats().evictions), (200, 0));
    assert_eq!(get(&map, Key::Narrow(7)), Some(vec![1; 100]));
}

#[test]
fn subscriptions_at_the_same_time_are_all_counted() {
    let options = options(Type::U32, Type::Bytes, 1 << 17, 0);
    let mut block = Block::new(&options);
    let maps: Vec<Map> = (0..4).map(|_| block.attach(Box::<Process>::default())).collect();
    let words = maps[0].words;
    let gates = [std::sync::Barrier::new(4), std::sync::Barrier::new(4)];
    std::thread::scope(|scope| {
        for (index, map) in maps.into_iter().enumerate() {
            let gates = &gates;
            scope.spawn(move || {
                for _ in 0..2000 {
                    gates[0].wait();
                    drop(map.subscribe(1 << index).unwrap());
                    gates[1].wait();
                    assert_eq!(map.words.load(control::EVENTS), 15);
                    gates[0].wait();
                    map.unsubscribe();
                    gates[1].wait();
                    assert_eq!(map.words.load(control::EVENTS), 0);
                }
            });
        }
    });
    assert_eq!(words.load(control::EVENTS), 0);
}
