//! Regression tests for typical bugs of such maps, and tests of the two states.

use super::*;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

thread_local! {
    /// The number of searches that used the vector kernels.
    pub(super) static VECTOR_SEARCHES: Cell<u32> = const { Cell::new(0) };
}

fn searches(work: impl FnOnce()) -> u32 {
    VECTOR_SEARCHES.set(0);
    work();
    VECTOR_SEARCHES.get()
}

#[test]
fn key_zero_is_not_found_in_padding() {
    let mut map = SmallMap::<u32, u32>::new();
    assert!(!map.contains_key(&0));
    map.insert(5, 1).unwrap();
    assert_eq!(map.get(&0), None);
    assert_eq!(map.remove(&0), None);
    // Nor is a key that was removed, whose bits are still in the padding.
    map.insert(6, 2).unwrap();
    map.remove(&6);
    assert_eq!(map.get(&6), None);
    map.insert(0, 3).unwrap();
    assert_eq!(map.get(&0), Some(&3));
    map.clear();
    assert_eq!((map.get(&0), map.get(&5), map.len()), (None, None, 0));
}

/// Fills and empties a map of each numeric type, through both states, and counts vector searches.
macro_rules! every_number_type {
    ($($type:ident)+) => {$(
        let mut map = SmallMap::<$type, usize>::new();
        for i in 0..20u8 {
            assert_eq!(map.get(&(i as $type)), None);
            map.insert(i as $type, i.into()).unwrap();
            assert_eq!(map.is_promoted(), i >= 8);
            for j in 0..=i {
                assert_eq!(map.get(&(j as $type)), Some(&j.into()));
            }
        }
        map.clear();
        assert!(!map.is_promoted());
        map.insert(3 as $type, 3).unwrap();
        assert_eq!(searches(|| assert!(map.get(&(3 as $type)).is_some() && map.get(&(4 as $type)).is_none())), 2);
    )+};
}

#[test]
fn the_generic_get_reaches_the_vector_search() {
    every_number_type! { u8 i8 u16 i16 u32 i32 u64 i64 f32 f64 usize isize }
    let mut text = SmallMap::<String, u32>::new();
    text.insert("a".into(), 1).unwrap();
    assert_eq!(searches(|| assert_eq!(text.get("a"), Some(&1))), 0, "strings are compared one by one");
}

#[test]
fn iteration_works_in_both_states() {
    for count in [0usize, 1, 7, 8, 9, 10, 63, 64, 65, 500] {
        let mut map = SmallMap::<u64, usize>::new();
        (0..count).for_each(|i| assert_eq!(map.insert(i as u64 * 7, i).unwrap(), None));
        let entries = |map: &SmallMap<u64, usize>| map.iter().map(|(&k, &v)| (k, v)).collect::<Vec<_>>();
        let expected: Vec<_> = (0..count).map(|i| (i as u64 * 7, i)).collect();
        assert_eq!(entries(&map), expected);
        assert_eq!((map.iter().len(), map.keys().len(), map.values().len()), (count, count, count));
        map.iter_mut().for_each(|(_, value)| *value += 1);
        map.values_mut().for_each(|value| *value -= 1);
        assert_eq!(entries(&map.try_clone().unwrap()), expected);
        assert_eq!(map.into_iter().collect::<Vec<_>>(), expected);
    }
}

#[test]
fn removal_keeps_the_order() {
    for count in [3u32, 8, 9, 40, 200] {
        for stride in [2, 3, 7] {
            let mut map = SmallMap::<u32, u32>::new();
            (0..count).for_each(|i| assert!(map.insert(i, i * 2).unwrap().is_none()));
            for i in (0..count).step_by(stride) {
                assert_eq!(map.remove(&i), Some(i * 2));
                assert_eq!(map.remove(&i), None);
            }
            let mut expected: Vec<u32> = (0..count).filter(|i| i % stride as u32 != 0).collect();
            assert!(map.keys().eq(&expected));
            // A key that is inserted again is the last; replacing a value keeps the position.
            map.insert(0, 7).unwrap();
            map.insert(1, 8).unwrap();
            expected.push(0);
            if stride == 1 {
                expected.push(1);
            }
            assert!(map.keys().eq(&expected), "{map:?}");
            assert_eq!(map.is_promoted(), count > 8);
        }
    }
}

#[test]
fn floats_are_one_key_for_each_value() {
    let mut map = SmallMap::<f64, &str>::new();
    for _ in 0..2 {
        map.insert(f64::NAN, "nan").unwrap();
        map.insert(-0.0, "zero").unwrap();
        assert_eq!(map.get(&-f64::NAN), Some(&"nan"));
        assert_eq!((map.get(&0.0), map.get(&-0.0)), (Some(&"zero"), Some(&"zero")));
        assert!(map.keys().any(|key| key.to_bits() == 0), "-0 is stored as 0");
        assert_eq!(map.len(), 2);
        map.reserve(20).unwrap();
    }
}

#[test]
fn churn_in_a_promoted_map_does_not_grow_it() {
    let mut map = SmallMap::<u32, u32>::new();
    (0..100).for_each(|i| assert!(map.insert(i, i).unwrap().is_none()));
    let steps = if cfg!(miri) { 1_000 } else { 100_000 };
    for i in 0..steps {
        assert_eq!(map.remove(&i), Some(i));
        map.insert(i + 100, i + 100).unwrap();
    }
    assert!(map.capacity() <= 200, "{}", map.capacity());
    assert!(map.keys().copied().eq(steps..steps + 100));
}

#[test]
fn entries_insert_replace_and_remove() {
    let mut counts = SmallMap::<&str, u32>::new();
    for word in "a b a c d e f g h i j a k".split(' ') {
        *counts.entry(word).or_insert(0).unwrap() += 1;
    }
    assert_eq!((counts.get("a"), counts.len()), (Some(&3), 11));
    let Entry::Occupied(mut entry) = counts.entry("b") else { panic!("the key exists") };
    assert_eq!((*entry.key(), entry.insert(9), entry.remove_entry()), ("b", 1, ("b", 9)));
    let Entry::Vacant(entry) = counts.entry("b") else { panic!("the key was removed") };
    assert_eq!(entry.into_key(), "b");
    assert_eq!(*counts.entry("c").and_modify(|n| *n += 10).or_default().unwrap(), 11);
    assert_eq!(*counts.entry("new").or_default().unwrap(), 0);
    counts.retain(|word, _| *word != "a" && *word != "k");
    assert!(counts.keys().copied().eq(["c", "d", "e", "f", "g", "h", "i", "j", "new"]));
}

#[test]
fn reserving_promotes_and_is_bounded() {
    let mut map = SmallMap::<u8, ()>::with_capacity(8).unwrap();
    assert!(!map.is_promoted() && map.capacity() == 8);
    map.insert(1, ()).unwrap();
    map.reserve(300).unwrap();
    assert!(map.is_promoted() && map.capacity() >= 300 && map.contains_key(&1));
    let refused = map.reserve(usize::MAX).unwrap_err();
    assert_eq!((refused.kind(), map.len()), (crate::ErrorKind::Full, 1));
}

/// Counts its live instances.
#[derive(Debug)]
struct Counted(u32, Rc<RefCell<Vec<u32>>>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.borrow_mut().push(self.0);
    }
}

#[test]
fn every_entry_is_dropped_once() {
    for count in [5u32, 8, 9, 30] {
        let dropped = Rc::new(RefCell::new(vec![]));
        let fill = || {
            let mut map = SmallMap::<String, Counted>::new();
            for i in 0..count {
                map.insert(i.to_string(), Counted(i, dropped.clone())).unwrap();
            }
            map
        };
        let check = |expected: Vec<u32>| {
            let mut dropped = dropped.take();
            dropped.sort_unstable();
            assert_eq!(dropped, expected);
        };
        drop(fill());
        check((0..count).collect());
        let mut map = fill();
        drop(map.remove("3"));
        map.insert("4".into(), Counted(99, dropped.clone())).unwrap();
        check(vec![3, 4]);
        map.clear();
        check((0..count).filter(|i| ![3, 4].contains(i)).chain([99]).collect());
        let mut entries = fill().into_iter();
        drop(entries.next());
        check(vec![0]);
        drop(entries);
        check((1..count).collect());
    }
}

/// A key whose comparison and hash panic on request.
#[derive(Debug)]
struct Panicking(u32);

thread_local! {
    static PANIC_ON: Cell<u32> = const { Cell::new(u32::MAX) };
}

impl Key for Panicking {
    type Query = Panicking;
    type Search = Scalar;
    fn query(&self) -> &Panicking {
        self
    }
    fn same(a: &Panicking, b: &Panicking) -> bool {
        assert!(a.0 != PANIC_ON.get() && b.0 != PANIC_ON.get(), "as requested");
        a.0 == b.0
    }
    fn hash(key: &Panicking, seeds: [u32; 2]) -> u32 {
        assert!(key.0 != PANIC_ON.get(), "as requested");
        hash_of(&key.0, seeds)
    }
}

#[test]
fn keys_that_panic_leave_the_map_valid() {
    for count in [8u32, 40] {
        let dropped = Rc::new(RefCell::new(vec![]));
        let mut map = SmallMap::new();
        for i in 0..count {
            map.insert(Panicking(i), Counted(i, dropped.clone())).unwrap();
        }
        PANIC_ON.set(3);
        // Both need room: the first map must be promoted, the second rebuilt.
        let outcome =
            catch_unwind(AssertUnwindSafe(|| map.insert(Panicking(100), Counted(100, dropped.clone()))));
        PANIC_ON.set(u32::MAX);
        assert!(outcome.is_err());
        assert_eq!((map.len(), dropped.take()), (count as usize, vec![100]));
        assert!(map.iter().map(|(key, value)| (key.0, value.0)).eq((0..count).map(|i| (i, i))));
        assert!((0..count).all(|i| map.contains_key(&Panicking(i))));
        drop(map);
        assert_eq!(dropped.take().len(), count as usize);
    }
}

/// A key that hashes differently each time.
struct Unstable(u32);

impl Key for Unstable {
    type Query = Unstable;
    type Search = Scalar;
    fn query(&self) -> &Unstable {
        self
    }
    fn same(a: &Unstable, b: &Unstable) -> bool {
        a.0 == b.0
    }
    fn hash(_: &Unstable, _: [u32; 2]) -> u32 {
        thread_local!(static STATE: Cell<u32> = const { Cell::new(1) });
        STATE.set(STATE.get().wrapping_mul(0x9E37_79B1) ^ 0x55);
        STATE.get()
    }
}

#[test]
fn keys_with_unstable_hashes_are_merely_not_found() {
    let mut map = SmallMap::new();
    for i in 0..300 {
        map.insert(Unstable(i % 50), String::from("value")).unwrap();
        map.remove(&Unstable(i % 30));
    }
    let len = map.len();
    assert_eq!(map.iter().count(), len);
    map.retain(|key, _| key.0 % 2 == 0);
    assert!(map.iter().all(|(key, _)| key.0 % 2 == 0));
}

#[test]
fn keys_share_one_cache_line_without_values() {
    let map = SmallMap::<u32, f64>::new();
    let (keys, values) = map.columns();
    assert_eq!(keys.addr() % 64, 0);
    assert_eq!(values.addr() - keys.addr(), 40);
    assert_eq!((size_of::<SmallMap<u32, f64>>(), size_of::<SmallMap<u16, u32>>()), (128, 64));
}
