//! Inserting and deleting at a constant size leaks no space and does not become slower.
//!
//! The short form runs with every `cargo test`; the long one, 100 million steps, by
//! `cargo test --release -p offheap-core --test hashmap_churn -- --ignored --nocapture`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed unwrap is a failed test; the speed is printed"
)]

use offheap_core::hashmap::HashMap;
use std::time::Instant;

const SIZE: u32 = 1000;

/// Numbers, with a handle to every 16th entry, so that there is a slot table too.
fn numbers(steps: u32) {
    let key = |i: u32| i.wrapping_mul(2_654_435_761);
    let mut map = HashMap::<u32, u32>::with_capacity_and_seeds(12, [1, 2]).unwrap();
    (0..SIZE).for_each(|i| assert!(map.insert(key(i), i).unwrap()));
    let mut handle = map.handle_of(key(SIZE - 1)).unwrap();
    let mut named = SIZE - 1;
    let mut length = 0;
    let mut begun = Instant::now();
    let mut pace = vec![];
    for i in 0..steps {
        assert!(map.remove(key(i)));
        assert!(map.insert(key(i + SIZE), i).unwrap());
        if i % 16 == 0 {
            assert_eq!(map.get_by_handle(handle).is_some(), named > i, "step {i}");
            handle = map.handle_of(key(i + SIZE)).unwrap();
            named = i + SIZE;
        }
        if i % (steps / 10) == steps / 20 {
            map.validate().unwrap();
            assert_eq!(map.len(), SIZE as usize);
            let now = map.raw().layout().length;
            // The first rebuilds find the size that the map needs; after them it never grows.
            assert!(length == 0 || now <= length, "from {length} to {now} bytes at step {i}");
            length = now;
            pace.push(begun.elapsed().as_nanos() / u128::from(steps / 10));
            begun = Instant::now();
        }
    }
    println!("u32 to u32: {length} bytes, ns a step by tenths: {pace:?}");
}

/// Strings whose values are replaced too, so that the heap turns over.
fn strings(steps: u32) {
    let mut map = HashMap::<str, str>::with_capacity_and_seeds(12, [1, 2]).unwrap();
    let key = |i: u32| format!("key {i}");
    let value = |i: u32| "v".repeat(i as usize % 40);
    (0..SIZE).for_each(|i| assert!(map.insert(key(i).as_str(), "").unwrap()));
    let mut most = 0;
    for i in 0..steps {
        assert!(map.remove(key(i).as_str()));
        assert!(map.insert(key(i + SIZE).as_str(), value(i).as_str()).unwrap());
        assert!(!map.insert(key(i + SIZE / 2).as_str(), value(i + 7).as_str()).unwrap());
        if i % (steps / 10) == steps / 20 {
            map.validate().unwrap();
            most = map.raw().layout().length.max(most);
        }
    }
    println!("string to string: {most} bytes");
    assert_eq!(map.len(), SIZE as usize);
    // A thousand entries of about 10 + 20 bytes in the heap and 28 outside it, four times.
    assert!(most < 300_000, "{most} bytes for {SIZE} short strings");
}

#[test]
fn churn_leaks_no_space() {
    let steps = if cfg!(miri) { 2000 } else { 200_000 };
    numbers(steps);
    strings(steps / 4);
}

#[test]
#[ignore = "takes a minute with optimization"]
fn long_churn_leaks_no_space() {
    numbers(100_000_000);
    strings(10_000_000);
}
