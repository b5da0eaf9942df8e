//! SmallMap compared with a list of entries in insertion order, through both states and back.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::smallmap::map::Entry;
use offheap_core::smallmap::{INLINE_CAPACITY, Key, SmallMap};
use proptest::prelude::*;
use std::fmt::Debug;

/// One operation; keys and values are small numbers that are converted to each type.
#[derive(Clone, Debug)]
enum Step {
    Insert(u8, u32),
    Remove(u8),
    Entry(u8, u32),
    RemoveEntry(u8),
    Change(u8, u32),
    Retain(u8),
    Reserve(usize),
    Clone,
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (any::<u8>(), any::<u32>()).prop_map(|(k, v)| Step::Insert(k, v)),
        5 => any::<u8>().prop_map(Step::Remove),
        3 => (any::<u8>(), any::<u32>()).prop_map(|(k, v)| Step::Entry(k, v)),
        2 => any::<u8>().prop_map(Step::RemoveEntry),
        2 => (any::<u8>(), any::<u32>()).prop_map(|(k, v)| Step::Change(k, v)),
        1 => (2u8..9).prop_map(Step::Retain),
        1 => (0usize..40).prop_map(Step::Reserve),
        1 => Just(Step::Clone),
        1 => Just(Step::Clear),
    ]
}

/// Applies the steps to both, with `keys` different keys, and compares everything after each.
fn check<K: Key<Query: PartialEq> + Clone + Debug>(
    steps: &[Step],
    distinct: u8,
    make: fn(u8) -> K,
) -> Result<(), TestCaseError> {
    let mut map = SmallMap::<K, u32>::new();
    let mut model: Vec<(u8, u32)> = vec![];
    let mut promoted = false;
    for step in steps {
        let at = |model: &[(u8, u32)], key: u8| model.iter().position(|&(k, _)| k == key);
        match *step {
            Step::Insert(key, value) => {
                let key = key % distinct;
                let expected = at(&model, key).map(|at| std::mem::replace(&mut model[at].1, value));
                if expected.is_none() {
                    model.push((key, value));
                }
                prop_assert_eq!(map.insert(make(key), value).unwrap(), expected);
            }
            Step::Remove(key) => {
                let key = key % distinct;
                let expected = at(&model, key).map(|at| model.remove(at).1);
                prop_assert_eq!(map.remove(make(key).query()), expected);
            }
            Step::Entry(key, value) => {
                let key = key % distinct;
                let at = at(&model, key).unwrap_or_else(|| {
                    model.push((key, value));
                    model.len() - 1
                });
                model[at].1 ^= 1;
                *map.entry(make(key)).or_insert(value).unwrap() ^= 1;
            }
            Step::RemoveEntry(key) => {
                let key = key % distinct;
                let expected = at(&model, key).map(|at| model.remove(at).1);
                match map.entry(make(key)) {
                    Entry::Occupied(entry) => prop_assert_eq!(Some(entry.remove()), expected),
                    Entry::Vacant(entry) => {
                        prop_assert!(expected.is_none() && entry.into_key().query() == make(key).query());
                    }
                }
            }
            Step::Change(key, value) => {
                let key = key % distinct;
                let found = map.get_mut(make(key).query());
                let at = at(&model, key);
                prop_assert_eq!(found.is_some(), at.is_some());
                if let (Some(found), Some(at)) = (found, at) {
                    *found = value;
                    model[at].1 = value;
                }
            }
            Step::Retain(divisor) => {
                model.retain(|(_, value)| value % u32::from(divisor) != 0);
                map.retain(|_, value| *value % u32::from(divisor) != 0);
            }
            Step::Reserve(entries) => {
                map.reserve(entries).unwrap();
                promoted |= entries > INLINE_CAPACITY;
                prop_assert!(map.capacity() >= entries);
            }
            Step::Clone => {
                let copy = map.try_clone().unwrap();
                prop_assert_eq!(&copy, &map);
                map = copy;
                promoted = model.len() > INLINE_CAPACITY;
            }
            Step::Clear => {
                model.clear();
                map.clear();
                promoted = false;
            }
        }
        promoted |= model.len() > INLINE_CAPACITY;
        prop_assert_eq!((map.len(), map.is_promoted()), (model.len(), promoted));
        let entries: Vec<(K, u32)> = map.iter().map(|(key, &value)| (key.clone(), value)).collect();
        prop_assert_eq!(entries.len(), model.len());
        for ((key, value), &(expected, expected_value)) in entries.iter().zip(&model) {
            prop_assert!(key.query() == make(expected).query() && *value == expected_value, "{:?}", map);
        }
        for key in 0..distinct {
            let expected = at(&model, key).map(|at| model[at].1);
            prop_assert_eq!(map.get(make(key).query()).copied(), expected);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 60 }, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_a_list_for_few_keys(steps in prop::collection::vec(step(), 1..if cfg!(miri) { 30 } else { 200 })) {
        // Keys differ in their high bits, and 0 is one of them.
        check::<u64>(&steps, 12, |key| u64::from(key) << 32)?;
        check::<u32>(&steps, 10, |key| u32::from(key) << 24)?;
        check::<u8>(&steps, 12, |key| key)?;
        check::<i64>(&steps, 9, |key| i64::from(key) - 4)?;
        check::<f64>(&steps, 12, |key| f64::from(key) - 2.5)?;
        check::<String>(&steps, 12, |key| key.to_string())?;
    }

    #[test]
    fn agrees_with_a_list_for_many_keys(steps in prop::collection::vec(step(), 1..if cfg!(miri) { 30 } else { 400 })) {
        check::<u16>(&steps, 100, |key| u16::from(key) << 8)?;
        check::<i32>(&steps, 100, |key| -i32::from(key))?;
        check::<f32>(&steps, 100, |key| f32::from(key) / 3.0)?;
        check::<Vec<u8>>(&steps, 60, |key| vec![7; key.into()])?;
        check::<u128>(&steps, 60, |key| u128::from(key) << 100)?;
    }
}
