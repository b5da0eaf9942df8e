//! Refused allocations are errors and leave the map unchanged.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod refusing;

use offheap_core::ErrorKind;
use offheap_core::hashmap::HashMap;
use refusing::refusing;

fn oom<T: std::fmt::Debug>(result: offheap_core::Result<T>) {
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Oom);
}

#[test]
fn creating_a_map_without_memory_is_an_error() {
    oom(refusing(1000, || HashMap::<u32, u64>::with_capacity(1000).map(|_| ())));
}

#[test]
fn growing_without_memory_is_an_error_and_the_map_stays_usable() {
    let mut map = HashMap::<u32, u64>::with_capacity(1000).unwrap();
    let full = map.capacity() as u32;
    (0..full).for_each(|i| assert!(map.insert(i, 1).unwrap()));
    let before = map.bytes().to_vec();
    refusing(4096, || {
        oom(map.insert(full, 1));
        oom(map.reserve(100_000));
        assert!(!map.insert(5, 1).unwrap(), "operations that need no memory succeed");
    });
    assert!(map.bytes() == before);
    assert!(map.insert(full, 1).unwrap());
    map.validate().unwrap();
}

#[test]
fn rebuilding_without_memory_for_the_dead_bits_is_an_error() {
    let mut map = HashMap::<u32, u8>::with_capacity(40_000).unwrap();
    (0..40_000).for_each(|i| assert!(map.insert(i, 1).unwrap()));
    (0..40_000).step_by(2).for_each(|i| assert!(map.remove(i)));
    let before = map.bytes().to_vec();
    refusing(4096, || oom(map.rebuild(40_000, 0)));
    assert!(map.bytes() == before);
    map.rebuild(40_000, 0).unwrap();
    assert_eq!(map.len(), 20_000);
    map.validate().unwrap();
}

#[test]
fn rebuilding_without_memory_for_the_heap_is_an_error() {
    let mut map = HashMap::<u32, str>::with_capacity(1000).unwrap();
    (0..1000).for_each(|i| assert!(map.insert(i, "some text that is stored").unwrap()));
    map.insert(7, "other").unwrap();
    let capacity = map.capacity() as u32;
    let before = map.bytes().to_vec();
    refusing(4096, || oom(map.rebuild(capacity, 0)));
    assert!(map.bytes() == before);
    map.rebuild(capacity, 0).unwrap();
    assert_eq!(map.get(7), Some("other"));
    map.validate().unwrap();
}

#[test]
fn validating_without_memory_is_an_error() {
    let mut map = HashMap::<u32, u8>::with_capacity(40_000).unwrap();
    map.insert(1, 1).unwrap();
    refusing(4096, || oom(map.validate()));
    map.validate().unwrap();
}
