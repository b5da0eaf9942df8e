//! FixedPool compared with a model, on damaged bytes, and with the bytes in `test/golden/`.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::ErrorKind;
use offheap_core::pools::fixed::FixedPool;
use offheap_core::pools::fixed::layout::{GUARDS, Shape, ZERO_ON_FREE};
use offheap_core::pools::fixed::raw::RawFixedPool;
use offheap_core::pools::fixed::validate;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Clone, Debug)]
enum Step {
    Alloc(u64),
    Free(usize),
    Foreign(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (0u64..300).prop_map(Step::Alloc),
        4 => any::<usize>().prop_map(Step::Free),
        1 => (0u64..5000).prop_map(Step::Foreign),
    ];
    prop::collection::vec(step, 0..300)
}

/// Blocks do not overlap, contents are preserved, requests are refused correctly, and the
/// bookkeeping is valid after every few steps.
fn model(sizes: &[u64], blocks: &[u64], options: u32, steps: &[Step]) {
    let mut pool = FixedPool::new(Shape::new(sizes, blocks, options).unwrap()).unwrap();
    let mut live: BTreeMap<u64, (u64, u8)> = BTreeMap::new();
    for (n, step) in steps.iter().enumerate() {
        match *step {
            Step::Alloc(bytes) => {
                let Some(offset) = pool.try_alloc(bytes).unwrap() else {
                    assert!(pool.stats().used + bytes > 0);
                    continue;
                };
                let fill = n as u8 | 1;
                let block = pool.block(offset).unwrap();
                let room = block.len() as u64;
                assert!(room >= bytes, "{room} bytes for {bytes}");
                if options & ZERO_ON_FREE != 0 {
                    assert!(block.iter().all(|&byte| byte == 0), "a block that is not zero");
                }
                block.fill(fill);
                assert!(live.range(..offset).next_back().is_none_or(|(at, (room, _))| at + room <= offset));
                assert!(live.range(offset..).next().is_none_or(|(&at, _)| offset + room <= at));
                live.insert(offset, (room, fill));
            }
            Step::Free(which) if !live.is_empty() => {
                let offset = *live.keys().nth(which % live.len()).unwrap();
                let (_, fill) = live.remove(&offset).unwrap();
                assert!(
                    pool.block(offset).unwrap().iter().all(|&byte| byte == fill),
                    "a block was written to"
                );
                pool.free(offset).unwrap();
                assert!(matches!(pool.free(offset).unwrap_err().kind(), ErrorKind::Stale | ErrorKind::Range));
            }
            Step::Free(_) => {}
            Step::Foreign(offset) => {
                if !live.contains_key(&offset) {
                    let kind = pool.free(offset).unwrap_err().kind();
                    assert!(matches!(kind, ErrorKind::Stale | ErrorKind::Range));
                }
            }
        }
        assert_eq!(pool.stats().blocks as usize, live.len());
        if n % 8 == 0 {
            pool.validate().unwrap();
        }
    }
    live.keys().for_each(|&offset| pool.free(offset).unwrap());
    pool.validate().unwrap();
    assert_eq!((pool.stats().used, pool.stats().blocks), (0, 0));
    // All memory is merged again: the largest blocks fill it.
    let largest = *sizes.iter().max().unwrap();
    let mut count = 0;
    while pool.try_alloc(largest).unwrap().is_some() {
        count += 1;
    }
    assert_eq!(count, u64::from(pool.raw().shape().classes().last().unwrap().blocks));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn one_class_agrees_with_the_model(steps in steps()) {
        model(&[48], &[40], 0, &steps);
        model(&[256], &[9], ZERO_ON_FREE, &steps);
    }

    #[test]
    fn several_classes_agree_with_the_model(steps in steps()) {
        model(&[16, 64, 256], &[20, 10, 3], 0, &steps);
        model(&[24, 100, 290], &[5, 20, 2], ZERO_ON_FREE, &steps);
    }

    #[test]
    fn guarded_blocks_agree_with_the_model(steps in steps()) {
        model(&[30, 250], &[30, 4], GUARDS | ZERO_ON_FREE, &steps);
    }
}

#[test]
fn every_class_can_allocate_its_share_in_any_order() {
    let shape = Shape::new(&[64, 192, 1000], &[10, 5, 3], 0).unwrap();
    let mut orders = vec![[64u64, 192, 1000], [1000, 192, 64], [192, 64, 1000], [192, 1000, 64]];
    orders.push([64, 1000, 192]);
    for order in orders {
        let mut pool = FixedPool::new(shape).unwrap();
        for size in order {
            let count = match size {
                64 => 10,
                192 => 5,
                _ => 3,
            };
            for _ in 0..count {
                pool.alloc(size).unwrap();
            }
        }
        pool.validate().unwrap();
    }
}

#[test]
fn an_overwritten_guard_is_reported_and_the_block_stays_allocated() {
    let mut pool = FixedPool::new(Shape::new(&[64], &[4], GUARDS).unwrap()).unwrap();
    let offset = pool.alloc(10).unwrap();
    assert_eq!(pool.block(offset).unwrap().len(), 10);
    let guard = pool.raw().data().wrapping_add(offset as usize + 10);
    // SAFETY: the byte is within the pool's data, which nothing else uses.
    let before = unsafe { guard.add(3).replace(0) };
    let error = pool.free(offset).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.message().contains("byte 13"), "{error}");
    assert_eq!(pool.stats().blocks, 1);
    // SAFETY: as above.
    unsafe { guard.add(3).write(before) };
    pool.free(offset).unwrap();
}

#[test]
fn peaks_and_failures_are_counted() {
    let mut pool = FixedPool::new(Shape::new(&[64], &[2], 0).unwrap()).unwrap();
    let (a, b) = (pool.alloc(1).unwrap(), pool.alloc(64).unwrap());
    assert_eq!(pool.alloc(1).unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(pool.try_alloc(65).unwrap(), None);
    pool.free(a).unwrap();
    pool.free(b).unwrap();
    let stats = pool.stats();
    assert_eq!((stats.used, stats.peak, stats.failures, stats.capacity), (0, 128, 2, 128));
}

// ---- bytes

struct Region(Vec<u64>);

impl Region {
    fn new(shape: &Shape) -> Region {
        let mut region = Region(vec![0; shape.length as usize / 8]);
        // SAFETY: the memory is ours.
        unsafe { RawFixedPool::init(region.base(), region.len(), *shape) }.unwrap();
        region
    }

    fn base(&mut self) -> *mut u8 {
        self.0.as_mut_ptr().cast()
    }

    fn len(&self) -> usize {
        self.0.len() * 8
    }

    fn attach(&mut self) -> Result<RawFixedPool, ErrorKind> {
        // SAFETY: the memory is ours and has this length.
        unsafe { RawFixedPool::attach(self.base(), self.len()) }.map_err(|error| error.kind())
    }
}

/// The bytes that both languages produce: several classes, blocks allocated and freed.
fn golden() -> Region {
    let mut region = Region::new(&Shape::new(&[32, 128, 512], &[4, 3, 2], 0).unwrap());
    let mut pool = region.attach().unwrap();
    let offsets: Vec<u64> = [10, 100, 30, 400, 32, 1, 128].map(|bytes| pool.alloc(bytes).unwrap()).to_vec();
    for i in [2, 1, 5] {
        pool.free(offsets[i]).unwrap();
    }
    assert_eq!(pool.try_alloc(513).unwrap(), None);
    region
}

#[test]
fn the_format_matches_the_golden_bytes() {
    let mut region = golden();
    let bytes: Vec<u8> = region.0.iter().flat_map(|word| word.to_le_bytes()).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/golden/fixedpool.bin");
    if std::env::var_os("OFFHEAP_BLESS").is_some() {
        std::fs::write(&path, &bytes).unwrap();
    }
    assert!(std::fs::read(&path).unwrap() == bytes, "fixedpool.bin differs");
    // SAFETY: the memory is ours and has this length.
    unsafe { validate::validate(region.base(), region.len()) }.unwrap();
}

/// Calls every operation of a pool, which may only return errors.
fn exercise(mut pool: RawFixedPool) {
    let mut offsets = Vec::new();
    for bytes in [1u64, 32, 33, 128, 512, 1 << 40, 7, 400] {
        if let Ok(Some(offset)) = pool.try_alloc(bytes) {
            assert!(offset < pool.shape().length, "the offset is out of bounds");
            offsets.push(offset);
        }
    }
    for offset in (0..2048).step_by(16).chain([u64::MAX, 1 << 33]) {
        drop(pool.room(offset));
        drop(pool.free(offset));
    }
    offsets.iter().for_each(|&offset| drop(pool.free(offset)));
    for _ in 0..100 {
        drop(pool.try_alloc(40));
    }
    drop(validate::check(&pool));
    assert!(pool.stats().used <= pool.stats().capacity);
}

#[test]
fn damaged_bytes_give_errors_only() {
    let original = golden();
    let bookkeeping = 256 + 64 * 3 + 600;
    for byte in 0..bookkeeping.min(original.len()) {
        for bit in 0..8 {
            let mut region = Region(original.0.clone());
            region.0[byte / 8] ^= 1 << (byte % 8 * 8 + bit);
            if let Ok(pool) = region.attach() {
                exercise(pool);
            }
        }
    }
    for words in 0..original.0.len() {
        let mut region = Region(original.0[..words].to_vec());
        assert!(region.attach().is_err(), "{words} of {} words", original.0.len());
    }
}

#[test]
fn random_damage_gives_errors_only() {
    let original = golden();
    let mut state = 7u64;
    let mut random = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    for _ in 0..3000 {
        let mut region = Region(original.0.clone());
        for _ in 0..1 + random(4) {
            let at = 8 + random(120);
            let values = [0, 1, 2, u64::MAX, 1 << 31, 1 << 63, random(1 << 30) as u64, 0x8000_0001_8000_0000];
            region.0[at] = values[random(values.len())];
        }
        if let Ok(pool) = region.attach() {
            exercise(pool);
        }
    }
}

#[test]
fn validate_finds_a_block_that_is_in_no_list() {
    let mut region = golden();
    let pool = region.attach().unwrap();
    let words = (0..pool.shape().units as usize).map(|unit| pool.shape().unit_words + unit * 4);
    let words: Vec<*mut u32> = words.map(|at| region.base().wrapping_add(at).cast()).collect();
    // SAFETY: the word is within the unit words.
    let allocated = words.into_iter().find(|&word| unsafe { word.read() } & 1 << 31 != 0).unwrap();
    // The state left by a thread that ended between removing a block from its list and marking it.
    // SAFETY: as above.
    unsafe { allocated.write(0) };
    assert_eq!(validate::check(&pool).unwrap_err().kind(), ErrorKind::Corrupt);
}
