//! Random operations on a map and on a plain model of it: same results, same order, valid bytes.

use offheap_core::hashmap::HashMap;
use offheap_core::hashmap::typed::{Key, Value};
use proptest::prelude::*;
use std::collections::HashMap as StdMap;
use std::fmt::Debug;

/// A key or value in the model: owned, and compared as the map compares.
trait Sample: Clone + Debug + PartialEq {
    type Of: ?Sized;
    fn arbitrary() -> BoxedStrategy<Self>;
}

macro_rules! samples {
    ($($owned:ty => $of:ty, $strategy:expr;)+) => {$(
        impl Sample for $owned {
            type Of = $of;
            fn arbitrary() -> BoxedStrategy<Self> {
                $strategy.boxed()
            }
        }
    )+};
}

samples! {
    u32 => u32, prop_oneof![0u32..60, any::<u32>(), Just(u32::MAX)];
    i32 => i32, prop_oneof![-30i32..30, any::<i32>()];
    u64 => u64, prop_oneof![0u64..60, any::<u64>()];
    i64 => i64, prop_oneof![-30i64..30, any::<i64>()];
    f64 => f64, prop_oneof![(0u8..40).prop_map(f64::from), Just(f64::NAN), Just(-0.0), any::<f64>()];
    u8 => u8, any::<u8>();
    i16 => i16, any::<i16>();
    f32 => f32, any::<f32>();
    bool => bool, any::<bool>();
    String => str, prop_oneof![
        (0u8..60).prop_map(|n| format!("key {n}")),
        ".{0,12}",
        Just(String::new()),
        Just("a\0b".to_owned()),
        "x{200,300}",
    ];
    Vec<u8> => [u8], prop::collection::vec(any::<u8>(), 0..20);
}

#[derive(Clone, Debug)]
enum Op<K, V> {
    Insert(K, V),
    Remove(K),
    RemoveOldest,
    Get(K),
    Handle(K),
    Clear,
    Shrink,
    Reserve(u8),
}

fn ops<K: Sample + 'static, V: Sample + 'static>() -> impl Strategy<Value = Vec<Op<K, V>>> {
    let op = prop_oneof![
        30 => (K::arbitrary(), V::arbitrary()).prop_map(|(key, value)| Op::Insert(key, value)),
        12 => K::arbitrary().prop_map(Op::Remove),
        8 => Just(Op::RemoveOldest),
        6 => K::arbitrary().prop_map(Op::Get),
        4 => K::arbitrary().prop_map(Op::Handle),
        1 => Just(Op::Shrink),
        1 => any::<u8>().prop_map(Op::Reserve),
        1 => Just(Op::Clear),
    ];
    // Most runs have no `clear`, so that maps grow.
    prop::collection::vec(op, 0..250)
}

struct Model<K, V> {
    entries: Vec<Option<(K, V, u64)>>,
    handles: StdMap<u64, u64>,
    next_id: u64,
}

impl<K: Clone, V: Clone> Model<K, V> {
    fn new() -> Self {
        Model { entries: vec![], handles: StdMap::new(), next_id: 0 }
    }

    fn position(&self, same: impl Fn(&K) -> bool) -> Option<usize> {
        self.entries.iter().position(|entry| entry.as_ref().is_some_and(|(key, ..)| same(key)))
    }

    fn living(&self) -> impl Iterator<Item = &(K, V, u64)> {
        self.entries.iter().flatten()
    }
}

macro_rules! model_test {
    ($name:ident, $k:ty, $v:ty, $lend_k:expr, $lend_v:expr, $same_k:expr, $same_v:expr) => {
        #[test]
        fn $name() {
            type KT = <$k as Sample>::Of;
            type VT = <$v as Sample>::Of;
            fn lend_k(key: &$k) -> <KT as Key>::Ref<'_> {
                let lend: for<'a> fn(&'a $k) -> <KT as Key>::Ref<'a> = $lend_k;
                lend(key)
            }
            fn lend_v(value: &$v) -> <VT as Value>::Ref<'_> {
                let lend: for<'a> fn(&'a $v) -> <VT as Value>::Ref<'a> = $lend_v;
                lend(value)
            }
            let same_k: fn(<KT as Key>::Ref<'_>, &$k) -> bool = $same_k;
            let same_v: fn(<VT as Value>::Ref<'_>, &$v) -> bool = $same_v;

            let run = |ops: Vec<Op<$k, $v>>, capacity: u32| {
                let mut map = HashMap::<KT, VT>::with_capacity(capacity).unwrap();
                let mut model: Model<$k, $v> = Model::new();
                for op in ops {
                    let found = |model: &Model<$k, $v>, key: &$k| model.position(|other| same_k(lend_k(key), other));
                    match op {
                        Op::Insert(key, value) => {
                            let new = map.insert(lend_k(&key), lend_v(&value)).unwrap();
                            match found(&model, &key) {
                                Some(at) => {
                                    prop_assert!(!new);
                                    model.entries[at].as_mut().unwrap().1 = value;
                                }
                                None => {
                                    prop_assert!(new);
                                    let id = model.next_id;
                                    model.next_id += 1;
                                    model.entries.push(Some((key, value, id)));
                                }
                            }
                        }
                        Op::Remove(key) => {
                            let at = found(&model, &key);
                            prop_assert_eq!(map.remove(lend_k(&key)), at.is_some());
                            if let Some(at) = at {
                                model.entries[at] = None;
                            }
                        }
                        Op::RemoveOldest => {
                            if let Some(at) = model.entries.iter().position(Option::is_some) {
                                let (key, ..) = model.entries[at].take().unwrap();
                                prop_assert!(map.remove(lend_k(&key)));
                            }
                        }
                        Op::Get(key) => {
                            let value = map.get(lend_k(&key));
                            match found(&model, &key) {
                                Some(at) => {
                                    let expected = &model.entries[at].as_ref().unwrap().1;
                                    prop_assert!(same_v(value.unwrap(), expected));
                                }
                                None => prop_assert!(value.is_none()),
                            }
                        }
                        Op::Handle(key) => {
                            let handle = map.handle_of(lend_k(&key));
                            let at = found(&model, &key);
                            prop_assert_eq!(handle.is_some(), at.is_some());
                            if let (Some(handle), Some(at)) = (handle, at) {
                                prop_assert!(handle > 0 && handle < 1 << 53);
                                let id = model.entries[at].as_ref().unwrap().2;
                                let before = model.handles.insert(handle, id);
                                prop_assert!(before.is_none_or(|before| before == id), "one handle, two entries");
                            }
                        }
                        Op::Clear => {
                            map.clear().unwrap();
                            model.entries.clear();
                        }
                        Op::Shrink => {
                            map.shrink_to_fit().unwrap();
                            prop_assert_eq!(map.capacity(), map.len().max(1));
                        }
                        Op::Reserve(capacity) => map.reserve(capacity.into()).unwrap(),
                    }
                    prop_assert_eq!(map.len(), model.living().count());
                }
                map.validate().unwrap();
                let mut expected = model.living();
                for (key, value) in map.iter() {
                    let (other_key, other_value, _) = expected.next().unwrap();
                    prop_assert!(same_k(key, other_key) && same_v(value, other_value), "order or content");
                }
                prop_assert!(expected.next().is_none());
                for (key, value, _) in model.living() {
                    prop_assert!(same_v(map.get(lend_k(key)).unwrap(), value));
                }
                for (&handle, &id) in &model.handles {
                    let alive = model.living().find(|(.., other)| *other == id);
                    let found = map.get_by_handle(handle);
                    prop_assert_eq!(found.is_some(), alive.is_some(), "handle {:#x}", handle);
                    if let (Some((key, value)), Some((other_key, other_value, _))) = (found, alive) {
                        prop_assert!(same_k(key, other_key) && same_v(value, other_value));
                    }
                }
                // The same bytes, read by another view.
                let bytes = map.bytes().to_vec();
                let again = map.bytes().to_vec();
                prop_assert!(bytes == again);
                let mut copy = vec![0u64; bytes.len() / 8];
                // SAFETY: the copy is aligned and as long as the bytes.
                let copy = unsafe {
                    copy.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
                    std::slice::from_raw_parts(copy.as_ptr().cast::<u8>(), bytes.len())
                };
                let view = offheap_core::hashmap::HashMapRef::<KT, VT>::open(copy).unwrap();
                view.validate().unwrap();
                prop_assert_eq!(view.len(), model.living().count());
                Ok(())
            };
            let config = ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() };
            proptest!(config, |(ops in ops::<$k, $v>(), capacity in 1u32..40)| run(ops, capacity)?);
        }
    };
}

/// Few cases under Miri, which is a thousand times slower.
fn cases() -> u32 {
    if cfg!(miri) { 4 } else { 200 }
}

/// Equality of float keys: all NaNs are equal, and −0 equals 0.
fn same_float(a: f64, b: f64) -> bool {
    a == b || (a.is_nan() && b.is_nan())
}

model_test!(u32_to_f64, u32, f64, |k| *k, |v| *v, |a, b| a == *b, |a, b| a.to_bits() == b.to_bits());
model_test!(i32_to_u8, i32, u8, |k| *k, |v| *v, |a, b| a == *b, |a, b| a == *b);
model_test!(u64_to_i16, u64, i16, |k| *k, |v| *v, |a, b| a == *b, |a, b| a == *b);
model_test!(i64_to_bool, i64, bool, |k| *k, |v| *v, |a, b| a == *b, |a, b| a == *b);
model_test!(f64_to_f32, f64, f32, |k| *k, |v| *v, |a, b| same_float(a, *b), |a, b| a.to_bits()
    == b.to_bits());
model_test!(u32_to_string, u32, String, |k| *k, |v| v, |a, b| a == *b, |a, b| a == b);
model_test!(string_to_u32, String, u32, |k| k, |v| *v, |a, b| a == b, |a, b| a == *b);
model_test!(string_to_bytes, String, Vec<u8>, |k| k, |v| v, |a, b| a == b, |a, b| a == b);
model_test!(bytes_to_string, Vec<u8>, String, |k| k, |v| v, |a, b| a == b, |a, b| a == b);
