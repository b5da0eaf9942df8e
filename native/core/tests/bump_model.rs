//! BumpArena compared with a list of the blocks that should be allocated: blocks do not overlap,
//! contents are preserved, marks nest.

use offheap_core::ErrorKind;
use offheap_core::pools::bump::layout::{GUARDS, ZERO_ON_FREE};
use offheap_core::pools::bump::raw::Mark;
use offheap_core::pools::bump::{BumpArena, POISON, RawBumpArena};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Alloc(u64, u32),
    Free(usize),
    Mark,
    Release,
    Reset,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        10 => (0u64..300, 0u32..8).prop_map(|(bytes, log)| Step::Alloc(bytes, 1 << log)),
        1 => (5000u64..20_000, 3u32..8).prop_map(|(bytes, log)| Step::Alloc(bytes, 1 << log)),
        3 => any::<usize>().prop_map(Step::Free),
        2 => Just(Step::Mark),
        2 => Just(Step::Release),
        1 => Just(Step::Reset),
    ]
}

#[derive(Clone, Debug)]
struct Block {
    offset: u64,
    bytes: u64,
    fill: u8,
    freed: bool,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 4 } else { 200 }, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn blocks_do_not_overlap_and_keep_their_contents(
        steps in proptest::collection::vec(step(), 1..200),
        options in 0u32..4,
    ) {
        let mut arena = BumpArena::new(4096, 128, options).unwrap();
        let mut model: Vec<Block> = Vec::new();
        let mut marks: Vec<(Mark, usize)> = Vec::new();
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Alloc(bytes, align) => {
                    let offset = arena.alloc(bytes, align).unwrap();
                    prop_assert_eq!(offset % u64::from(align.max(8)), 0);
                    let end = model.iter().map(|block| block.offset + block.bytes).max().unwrap_or(0);
                    prop_assert!(offset >= end, "{offset} is within a block that ends at {end}");
                    let fill = number as u8 | 1;
                    let block = arena.block(offset, bytes as usize).unwrap();
                    if options & ZERO_ON_FREE != 0 {
                        prop_assert!(block.iter().all(|&byte| byte == 0));
                    }
                    block.fill(fill);
                    model.push(Block { offset, bytes, fill, freed: false });
                }
                Step::Free(at) => {
                    let Some(at) = at.checked_rem(model.len()) else { continue };
                    let used = arena.stats().used;
                    let result = arena.raw().free(model[at].offset);
                    if model[at].freed && options & GUARDS != 0 {
                        prop_assert_eq!(result.unwrap_err().kind(), ErrorKind::Stale);
                        continue;
                    }
                    result.unwrap();
                    model[at].freed = true;
                    if arena.stats().used < used {
                        prop_assert_eq!(at + 1, model.len(), "only the last block is freed immediately");
                        prop_assert!(marks.last().is_none_or(|&(_, before)| at >= before), "nothing from before a mark is freed");
                        model.pop();
                    }
                }
                Step::Mark => marks.push((arena.raw().mark(), model.len())),
                Step::Release => if let Some((mark, before)) = marks.pop() {
                    arena.raw().release(&mark).unwrap();
                    model.truncate(before);
                    prop_assert_eq!(arena.raw().mark().top, mark.top);
                    let inside = Mark { top: mark.top + 1, ..mark };
                    prop_assert_eq!(arena.raw().release(&inside).unwrap_err().kind(), ErrorKind::Stale);
                    let again = arena.raw().release(&Mark { floor: mark.floor, ..mark });
                    prop_assert!(again.is_ok());
                },
                Step::Reset => {
                    arena.reset().unwrap();
                    model.clear();
                    for (mark, _) in marks.drain(..) {
                        prop_assert_eq!(arena.raw().release(&mark).unwrap_err().kind(), ErrorKind::Stale);
                    }
                    prop_assert_eq!(arena.stats().used, 0);
                    prop_assert_eq!(arena.stats().blocks, 0);
                }
            }
            arena.raw().validate().unwrap();
            for block in model.iter().filter(|block| !block.freed) {
                let bytes = arena.block(block.offset, block.bytes as usize).unwrap();
                prop_assert!(bytes.iter().all(|&byte| byte == block.fill));
            }
            let stats = arena.stats();
            prop_assert!(stats.used <= stats.peak && stats.peak <= stats.capacity);
        }
    }
}

fn arena(options: u32) -> BumpArena {
    BumpArena::new(4096, 64, options).expect("4 KiB")
}

#[test]
fn scopes_nest_and_end_on_errors_and_panics() {
    for options in 0..4 {
        let mut arena = arena(options);
        let kept = arena.alloc(40, 8).unwrap();
        let used = arena.stats().used;
        let inner = arena.scope(|arena| {
            let first = arena.alloc(100, 64)?;
            let failed: Result<(), _> = arena.scope(|arena| {
                arena.alloc(10_000, 8)?;
                Err(offheap_core::Error::range("on purpose"))
            });
            assert_eq!(failed.unwrap_err().message(), "on purpose");
            assert!(arena.block(first, 100).is_ok());
            Ok(first)
        });
        assert_eq!(arena.raw().free(inner.unwrap()).unwrap_err().kind(), ErrorKind::Stale);
        assert_eq!(arena.stats().used, used);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            arena.scope(|arena| -> Result<(), _> {
                arena.alloc(100, 8)?;
                panic!("on purpose")
            })
        }));
        assert!(caught.is_err());
        assert_eq!((arena.stats().used, arena.stats().blocks), (used, 1));
        // After a reset within the scope, later blocks belong to the scope.
        arena
            .scope(|arena| {
                arena.reset()?;
                arena.alloc(16, 8)?;
                Ok(())
            })
            .unwrap();
        assert_eq!((arena.stats().used, arena.stats().blocks), (0, 0));
        assert_eq!(arena.raw().room(kept).unwrap_err().kind(), ErrorKind::Stale);
    }
}

#[test]
fn released_memory_is_zeroed_or_poisoned() {
    for (options, expected) in [(ZERO_ON_FREE, 0), (GUARDS, POISON), (GUARDS | ZERO_ON_FREE, 0), (0, 7)] {
        let mut arena = arena(options);
        let offset = arena.alloc(64, 8).unwrap();
        arena.block(offset, 64).unwrap().fill(7);
        arena.reset().unwrap();
        // SAFETY: the bytes lie within the arena, and nothing else uses them.
        let bytes = unsafe { std::slice::from_raw_parts(arena.raw().data().add(offset as usize), 64) };
        assert!(bytes.iter().all(|&byte| byte == expected), "{options}: {bytes:?}");
    }
}

#[test]
fn guards_detect_overruns_in_both_directions() {
    for at in [40i64, 41, 55, -1, -5, -16] {
        let mut arena = arena(GUARDS);
        let first = arena.alloc(40, 8).unwrap();
        let second = arena.alloc(40, 8).unwrap();
        // Past the end of the first block, or before the beginning of the second one.
        let wild = if at > 0 { first as i64 + at } else { second as i64 + at };
        // SAFETY: the byte is within the arena's data.
        unsafe {
            let byte = arena.raw().data().add(wild as usize);
            byte.write(!byte.read());
        }
        assert_eq!(arena.raw().validate().unwrap_err().kind(), ErrorKind::Corrupt, "{at}");
        let freed = arena.raw().free(if at > 0 { first } else { second });
        assert!(freed.is_err(), "{at}");
        let used = arena.stats().used;
        assert_eq!(arena.reset().unwrap_err().kind(), ErrorKind::Corrupt, "{at}");
        assert!(used > 0 && arena.stats().used == 0, "everything is released nevertheless");
        arena.alloc(8, 8).unwrap();
        arena.raw().validate().unwrap();
        arena.reset().unwrap();
    }
}

#[test]
fn freeing_the_last_block_lowers_top() {
    let mut plain = arena(0);
    let first = plain.alloc(8, 8).unwrap();
    let second = plain.alloc(8, 8).unwrap();
    plain.raw().free(second).unwrap();
    assert_eq!(plain.raw().free(second).unwrap_err().kind(), ErrorKind::Stale);
    assert_eq!(plain.alloc(8, 8).unwrap(), second);
    plain.raw().free(first).unwrap();
    assert_eq!(plain.stats().used, 16, "it was not the last block");
    for (offset, kind) in [
        (4, ErrorKind::Range),
        (1 << 40, ErrorKind::Range),
        (u64::MAX, ErrorKind::Range),
        (800, ErrorKind::Stale),
    ] {
        assert_eq!(plain.raw().free(offset).unwrap_err().kind(), kind, "{offset}");
        assert_eq!(plain.raw().room(offset).unwrap_err().kind(), kind, "{offset}");
    }

    let mut guarded = arena(GUARDS);
    let blocks: Vec<u64> = (0..4).map(|_| guarded.alloc(24, 16).unwrap()).collect();
    guarded.raw().free(blocks[1]).unwrap();
    assert_eq!(guarded.raw().free(blocks[1]).unwrap_err().kind(), ErrorKind::Stale);
    assert_eq!(guarded.raw().free(blocks[1] + 8).unwrap_err().kind(), ErrorKind::Stale);
    for &block in [blocks[3], blocks[2]].iter() {
        guarded.raw().free(block).unwrap();
    }
    assert_eq!(guarded.stats().blocks, 1);
    guarded.raw().validate().unwrap();
}

#[test]
fn full_arenas_and_invalid_arguments_are_errors() {
    let mut memory = vec![0u64; 64];
    let (base, len) = (memory.as_mut_ptr().cast::<u8>(), 512);
    // SAFETY: the vector outlives its arenas.
    unsafe {
        assert_eq!(RawBumpArena::init(base, 256, 64, 0).unwrap_err().kind(), ErrorKind::Full);
        for align in [0, 1, 4, 48, 8192, u32::MAX] {
            assert_eq!(RawBumpArena::init(base, len, align, 0).unwrap_err().kind(), ErrorKind::Range);
        }
        assert_eq!(RawBumpArena::init(base, len, 64, 4).unwrap_err().kind(), ErrorKind::Type);
        let mut arena = RawBumpArena::init(base, 511, 64, 0).unwrap();
        assert_eq!(arena.stats().capacity, 192);
        for align in [0, 3, 128] {
            assert_eq!(arena.alloc(8, align).unwrap_err().kind(), ErrorKind::Range);
        }
        assert_eq!(arena.alloc(193, 8).unwrap_err().kind(), ErrorKind::Full);
        assert_eq!(arena.try_alloc(u64::MAX, 64).unwrap(), None);
        assert_eq!(arena.alloc(192, 8).unwrap(), 0);
        assert_eq!(arena.try_alloc(0, 1).unwrap(), None);
        assert_eq!(arena.stats().failures, 3);
        assert_eq!(arena.extend(base, 320).unwrap_err().kind(), ErrorKind::Range);
        arena.extend(base, len).unwrap();
        assert_eq!(arena.alloc(1, 64).unwrap(), 192);
        assert_eq!(RawBumpArena::attach(base, len).unwrap().stats(), arena.stats());
    }
}

/// Flips every bit of the header and of the first record: only documented errors, and no access
/// outside of the memory.
#[test]
fn damaged_headers_and_records_give_documented_errors_only() {
    let mut words = vec![0u64; 128];
    for options in [0, GUARDS] {
        for bit in 0..(256 + 32) * 8 {
            let base = words.as_mut_ptr().cast::<u8>();
            let len = words.len() * 8;
            // SAFETY: the vector outlives its arenas, and nothing else uses it.
            unsafe {
                let mut arena = RawBumpArena::init(base, len, 64, options).unwrap();
                let first = arena.alloc(24, 8).unwrap();
                arena.alloc(24, 8).unwrap();
                let mark = arena.mark();
                base.add(bit / 8).write(base.add(bit / 8).read() ^ 1 << (bit % 8));
                let attached = RawBumpArena::attach(base, len);
                for mut arena in attached.into_iter().chain([arena]) {
                    drop(arena.validate());
                    drop(arena.room(first));
                    drop(arena.free(first));
                    std::hint::black_box(arena.stats());
                    for align in [1, 64] {
                        if let Ok(Some(offset)) = arena.try_alloc(40, align) {
                            assert!(offset + 40 <= arena.stats().capacity);
                        }
                    }
                    drop(arena.release(&mark));
                    drop(arena.end_scope(&mark));
                    drop(arena.reset());
                }
            }
        }
    }
}

#[test]
fn refused_memory_changes_nothing() {
    let mut arena = arena(0);
    arena.alloc(8, 8).unwrap();
    let before = arena.stats();
    assert_eq!(arena.alloc(u64::MAX, 8).unwrap_err().kind(), ErrorKind::Full);
    assert_eq!(arena.alloc(1 << 50, 8).unwrap_err().kind(), ErrorKind::Full);
    let after = arena.stats();
    assert_eq!((after.used, after.blocks, after.capacity), (before.used, before.blocks, before.capacity));
    assert_eq!(after.failures, 2);
}
