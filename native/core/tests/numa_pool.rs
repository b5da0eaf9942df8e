//! NumaPool compared with a model, on damaged bytes, and with the bytes in `test/golden/`. The
//! nodes need not exist, because nothing is placed except in the last test.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::ErrorKind;
use offheap_core::pools::numa::layout::{GUARDS, Shape, ZERO_ON_FREE};
use offheap_core::pools::numa::{NumaPool, Options, Policy, RawNumaPool, validate};
use offheap_core::region::numa::topology::memory_nodes;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

const NODES: [u32; 3] = [5, 0, 9];
const CAPACITY: u64 = 1 << 16;

struct Region(Vec<u64>);

impl Region {
    fn new(policy: Policy, flags: u32) -> Region {
        let options = Options { policy, nodes: &NODES, capacity: CAPACITY, flags };
        let (shape, _) = Shape::from_options(&options).unwrap();
        let mut region = Region(vec![0x5a; shape.length as usize / 8]);
        // SAFETY: the memory is ours.
        unsafe { RawNumaPool::init(region.base(), region.len(), &options, false) }.unwrap();
        region
    }

    fn base(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }

    fn len(&self) -> usize {
        self.0.len() * 8
    }

    fn attach(&mut self) -> Result<RawNumaPool, ErrorKind> {
        // SAFETY: the memory is ours and has this length.
        unsafe { RawNumaPool::attach(self.base(), self.len()) }.map_err(|error| error.kind())
    }

    fn validate(&mut self) -> Result<(), ErrorKind> {
        // SAFETY: as above.
        unsafe { validate::validate(self.base(), self.len()) }.map_err(|error| error.kind())
    }
}

/// The bytes of a block.
fn block(pool: &mut RawNumaPool, offset: u64, bytes: u64) -> &mut [u8] {
    assert!(offset + bytes <= CAPACITY * NODES.len() as u64);
    // SAFETY: the block is within the data of a region that the caller keeps alive, and this is the
    // only reference.
    unsafe { std::slice::from_raw_parts_mut(pool.data().add(offset as usize), bytes as usize) }
}

#[derive(Clone, Debug)]
enum Step {
    Alloc(u64),
    AllocOn(usize, u64),
    Free(usize),
    Foreign(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let size = prop_oneof![3 => 0u64..300, 1 => 300u64..20_000];
    let step = prop_oneof![
        4 => size.clone().prop_map(Step::Alloc),
        2 => (0..NODES.len(), size).prop_map(|(node, bytes)| Step::AllocOn(node, bytes)),
        4 => any::<usize>().prop_map(Step::Free),
        1 => (0u64..300_000).prop_map(Step::Foreign),
    ];
    prop::collection::vec(step, 0..200)
}

/// Blocks do not overlap, contents are preserved, requests are refused and counted correctly, and
/// the bookkeeping is valid.
fn model(policy: Policy, flags: u32, steps: &[Step]) {
    let mut region = Region::new(policy, flags);
    let mut pool = region.attach().unwrap();
    let largest = pool.shape().largest();
    let mut live: BTreeMap<u64, (u64, u8)> = BTreeMap::new();
    let (mut served, mut refused) = (0, 0);
    for (n, step) in steps.iter().enumerate() {
        match *step {
            Step::Alloc(bytes) | Step::AllocOn(_, bytes) => {
                let offset = match *step {
                    Step::AllocOn(node, _) => pool.try_alloc_on(NODES[node], bytes),
                    _ => pool.try_alloc(bytes),
                };
                let Some(offset) = offset.unwrap() else {
                    refused += 1;
                    let full = pool.stats().used + 2 * bytes.next_power_of_two() > CAPACITY / 2;
                    assert!(bytes > largest || full);
                    continue;
                };
                served += 1;
                let room = pool.room(offset).unwrap();
                assert!(bytes <= largest && room >= bytes);
                if flags & ZERO_ON_FREE != 0 {
                    assert!(block(&mut pool, offset, room).iter().all(|&byte| byte == 0));
                }
                block(&mut pool, offset, room).fill(n as u8 | 1);
                assert!(live.range(..offset).next_back().is_none_or(|(at, (room, _))| at + room <= offset));
                assert!(live.range(offset..).next().is_none_or(|(&at, _)| offset + room <= at));
                live.insert(offset, (room, n as u8 | 1));
            }
            Step::Free(which) if !live.is_empty() => {
                let offset = *live.keys().nth(which % live.len()).unwrap();
                let (room, fill) = live.remove(&offset).unwrap();
                assert!(block(&mut pool, offset, room).iter().all(|&byte| byte == fill));
                pool.free(offset).unwrap();
                let kind = pool.free(offset).unwrap_err().kind();
                assert!(matches!(kind, ErrorKind::Stale | ErrorKind::Range));
            }
            Step::Free(_) => {}
            Step::Foreign(offset) => {
                if !live.contains_key(&offset) {
                    let kind = pool.free(offset).unwrap_err().kind();
                    assert!(matches!(kind, ErrorKind::Stale | ErrorKind::Range));
                }
            }
        }
        let stats = pool.stats();
        assert_eq!(stats.blocks, live.len() as u64);
        assert_eq!((stats.hits + stats.misses, stats.failures), (served, refused));
    }
    region.validate().unwrap();
    live.keys().for_each(|&offset| pool.free(offset).unwrap());
    let foreign: u64 = (0..3).map(|at| pool.node_stats(at).unwrap().foreign).sum();
    assert_eq!((pool.stats().used, foreign), (0, pool.stats().misses));
    region.validate().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 48 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn blocks_do_not_overlap_and_keep_their_contents(steps in steps()) {
        model(Policy::First, 0, &steps);
        model(Policy::Interleave, GUARDS, &steps);
        model(Policy::Local, ZERO_ON_FREE, &steps);
        model(Policy::Interleave, GUARDS | ZERO_ON_FREE, &steps);
    }
}

#[test]
fn a_request_goes_to_the_next_node_when_one_is_full() {
    let mut region = Region::new(Policy::First, 0);
    let mut pool = region.attach().unwrap();
    let largest = pool.shape().largest();
    let each = CAPACITY / largest;
    for n in 0..3 * each {
        assert_eq!(pool.alloc(largest).unwrap() / CAPACITY, n / each);
    }
    assert_eq!(pool.alloc(1).unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(pool.alloc(largest + 1).unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(pool.alloc(u64::MAX).unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(pool.alloc_on(1, 1).unwrap_err().kind(), ErrorKind::Range);
    let stats = pool.stats();
    assert_eq!((stats.hits, stats.misses, stats.failures, stats.used), (each, 2 * each, 3, stats.capacity));
    let node = pool.node_stats(1).unwrap();
    assert_eq!((node.id, node.hits, node.misses, node.foreign), (0, 0, each, 0));
    assert_eq!((0..3).map(|at| pool.node_of(at * CAPACITY).unwrap()).collect::<Vec<_>>(), NODES);
    assert_eq!(pool.node_of(3 * CAPACITY).unwrap_err().kind(), ErrorKind::Range);
    assert_eq!(pool.node_stats(3).unwrap_err().kind(), ErrorKind::Range);
    // Memory freed on one node is reused there, and the blocks on other nodes are not affected.
    pool.free(0).unwrap();
    assert_eq!(pool.alloc_on(9, largest).unwrap(), 0);
}

#[test]
fn an_overwritten_guard_is_reported_and_the_block_stays_allocated() {
    let mut region = Region::new(Policy::Interleave, GUARDS);
    let mut pool = region.attach().unwrap();
    pool.alloc(10).unwrap();
    let offset = pool.alloc(10).unwrap();
    assert_eq!((offset, pool.room(offset).unwrap()), (CAPACITY, 10));
    let byte = &mut block(&mut pool, offset, 26)[25];
    let before = std::mem::replace(byte, 0);
    let error = pool.free(offset).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.message().contains("byte 25") && error.message().contains("node 0"), "{error}");
    assert_eq!(pool.stats().blocks, 2);
    block(&mut pool, offset, 26)[25] = before;
    pool.free(offset).unwrap();
}

// ---- bytes

/// The bytes that both languages produce: blocks on all nodes, allocated and freed, and a refused
/// request.
fn golden() -> Region {
    let mut region = Region::new(Policy::Interleave, GUARDS);
    // If the machine has none of these nodes, they are ordered by their numbers.
    let mut pool = region.attach().unwrap();
    let offsets: Vec<u64> =
        [10, 100, 5000, 0, 2000, 16_368, 48].map(|bytes| pool.alloc(bytes).unwrap()).to_vec();
    for i in [2, 3, 6] {
        pool.free(offsets[i]).unwrap();
    }
    assert_eq!(pool.try_alloc(16_369).unwrap(), None);
    region
}

/// The header, the records and the books, and the part of the orders that does not depend on the
/// machine.
fn bookkeeping(region: &mut Region) -> Vec<u8> {
    let end = region.attach().unwrap().shape().book(3);
    let mut bytes: Vec<u8> = region.0.iter().flat_map(|word| word.to_le_bytes()).take(end).collect();
    for at in 0..3 {
        bytes[256 + 128 * at + 65..256 + 128 * at + 67].fill(0);
    }
    bytes
}

#[test]
fn the_format_matches_the_golden_bytes() {
    let mut region = golden();
    let bytes = bookkeeping(&mut region);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/golden/numapool.bin");
    if std::env::var_os("OFFHEAP_BLESS").is_some() {
        std::fs::write(&path, &bytes).unwrap();
    }
    assert!(std::fs::read(&path).unwrap() == bytes, "numapool.bin differs");
    region.validate().unwrap();
}

/// Calls every operation of a pool, which may only return errors.
fn exercise(mut pool: RawNumaPool) {
    let end = pool.shape().capacity * pool.shape().nodes as u64;
    for bytes in [1u64, 64, 65, 4096, 16_000, 1 << 40] {
        if let Ok(Some(offset)) = pool.try_alloc(bytes) {
            assert!(offset < end, "the offset is out of bounds");
            drop(pool.free(offset));
        }
    }
    for offset in (0..end).step_by(4032).chain([0, 64, CAPACITY, u64::MAX]) {
        drop(pool.room(offset));
        drop(pool.free(offset));
    }
    drop((pool.try_alloc_on(9, 40), pool.nearest(), pool.node_of(CAPACITY)));
    drop(validate::check(&pool));
    let _ = pool.stats();
}

#[test]
fn damaged_bytes_give_errors_only() {
    let original = golden();
    // The header, the records, and the header and classes of the first book.
    for byte in 0..256 + 3 * 128 + 256 + 8 * 64 {
        for bit in 0..8 {
            let mut region = Region(original.0.clone());
            region.0[byte / 8] ^= 1 << (byte % 8 * 8 + bit);
            match region.attach() {
                Ok(pool) => exercise(pool),
                // Version: another format. Stale: the bit that marks a region whose owner moved it.
                Err(kind) => {
                    assert!(
                        matches!(kind, ErrorKind::Corrupt | ErrorKind::Version | ErrorKind::Stale),
                        "{kind:?}"
                    );
                }
            }
        }
    }
    for words in (0..original.0.len()).step_by(977) {
        assert!(Region(original.0[..words].to_vec()).attach().is_err(), "{words} of {}", original.0.len());
    }
}

#[test]
fn validate_finds_every_damaged_field() {
    let record = 256 / 8;
    // An unused word of the header; the next section in turn; a node's number; a duplicate number;
    // an order; an unused byte; a book's size.
    let books = 256 + 3 * 128;
    for (at, value) in [
        (63 * 4 / 8, 1u64 << 32),
        (18 * 4 / 8, 3 | 7 << 32),
        (record, 1024),
        (record + 16, 5),
        (record + 8, 0x0001_0100),
        (record + 5, 9),
        ((books + 16) / 8, 1 << 20),
    ] {
        let mut region = golden();
        assert_eq!(region.validate(), Ok(()));
        region.0[at] = value;
        assert_eq!(region.validate(), Err(ErrorKind::Corrupt), "{at}");
    }
}

#[test]
fn random_damage_gives_errors_only() {
    let original = golden();
    let data = Region(original.0.clone()).attach().unwrap().shape().data as usize / 8;
    let mut state = 7u64;
    let mut random = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    for _ in 0..1500 {
        let mut region = Region(original.0.clone());
        for _ in 0..1 + random(4) {
            let at = 8 + random(data - 8);
            let values = [0, 1, 2, u64::MAX, 1 << 31, 1 << 63, random(1 << 30) as u64, 0x8000_0001_8000_0000];
            region.0[at] = values[random(values.len())];
        }
        if let Ok(pool) = region.attach() {
            exercise(pool);
        }
    }
}

#[test]
fn pages_are_placed_on_the_nodes_of_this_machine() {
    for policy in [Policy::First, Policy::Local, Policy::Interleave] {
        let options = Options { policy, nodes: &[], capacity: 1 << 20, flags: ZERO_ON_FREE };
        let mut pool = match NumaPool::new(&options, Some(false), true) {
            Ok(pool) => pool,
            Err(error) => return assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}"),
        };
        let offsets: Vec<u64> = (0..100).map(|_| pool.alloc(1000).unwrap()).collect();
        for &offset in &offsets {
            pool.block(offset).unwrap().fill(7);
            assert!(memory_nodes().contains(pool.node_of(offset).unwrap()));
        }
        for place in pool.placement().unwrap() {
            assert!(place.here > 0 && (place.elsewhere, place.nowhere) == (0, 0), "{place:?}");
        }
        assert_eq!(pool.node_stats().iter().map(|node| node.hits).sum::<u64>(), 100);
        offsets.into_iter().for_each(|offset| pool.free(offset).unwrap());
        pool.validate().unwrap();
    }
    let nowhere = Options { policy: Policy::First, nodes: &[1000], capacity: 1, flags: 0 };
    assert_eq!(NumaPool::new(&nowhere, None, false).unwrap_err().kind(), ErrorKind::Range);
}
