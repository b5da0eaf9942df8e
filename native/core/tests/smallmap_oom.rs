//! Memory that is refused, at each allocation in turn: the result is an error that contains the
//! entry, and the map is unchanged.

mod refusing;

use offheap_core::ErrorKind;
use offheap_core::smallmap::SmallMap;
use refusing::granting;

#[test]
fn inline_maps_allocate_nothing() {
    granting(0, || {
        let mut map = SmallMap::<u32, [u64; 4]>::new();
        for round in 0..3 {
            (0..8).for_each(|i| assert!(map.insert(i, [7; 4]).unwrap().is_none(), "{round}"));
            assert!((0..8).all(|i| map.remove(&i).is_some()));
        }
        assert!(map.entry(1).or_default().is_ok());
        map.clear();
    });
}

#[test]
fn every_allocation_of_a_promotion_and_of_a_rebuild_can_be_refused() {
    // The ninth entry promotes the map, the 41st rebuilds it.
    for count in [8u32, 40] {
        let mut refusals = 0;
        loop {
            let mut map = SmallMap::<u32, String>::new();
            (0..count).for_each(|i| assert!(map.insert(i, i.to_string()).unwrap().is_none()));
            let value = String::from("more");
            let outcome = granting(refusals, || map.try_insert(count, value));
            let Err(refused) = outcome else { break };
            assert_eq!((refused.error.kind(), refused.key, &*refused.value), (ErrorKind::Oom, count, "more"));
            assert_eq!((map.len(), map.is_promoted()), (count as usize, count > 8));
            assert!(map.iter().map(|(&key, value)| (key, value.parse())).eq((0..count).map(|i| (i, Ok(i)))));
            assert_eq!(map.insert(refused.key, refused.value).unwrap(), None);
            refusals += 1;
        }
        assert!(refusals >= 4, "{refusals} allocations");
    }
}

#[test]
fn reservations_and_copies_are_refused() {
    let mut map = SmallMap::<u64, u64>::new();
    (0..20).for_each(|i| assert!(map.insert(i, i).unwrap().is_none()));
    let refused = granting(0, || map.reserve(1000)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Oom);
    assert_eq!(granting(1, || map.try_clone()).unwrap_err().kind(), ErrorKind::Oom);
    assert_eq!(granting(0, || SmallMap::<u8, u8>::with_capacity(9)).unwrap_err().kind(), ErrorKind::Oom);
    assert!(map.iter().eq((0..20).map(|i| (i, i)).collect::<Vec<_>>().iter().map(|(k, v)| (k, v))));
}
