//! BumpArena compared with bumpalo and the system allocator: allocates a batch of blocks, writes to
//! each, and frees all.
//!
//! BumpArena returns offsets in a region that may be shared, and bumpalo returns addresses. So
//! BumpArena has to store the last block and the count, and to read its bounds from the region.

use bumpalo::Bump;
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use offheap_core::pools::bump::BumpArena;
use offheap_core::pools::bump::layout::{GUARDS, ZERO_ON_FREE};
use std::alloc::{Layout, alloc, dealloc};
use std::hint::black_box;

/// Blocks per batch.
const BATCH: usize = 1000;

fn batch(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, size: usize, mut round: impl FnMut()) {
    group.throughput(Throughput::Elements(BATCH as u64));
    group.bench_function(BenchmarkId::new(name, size), |b| b.iter(&mut round));
}

fn ours(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, size: usize, options: u32) {
    let mut arena = BumpArena::new(1 << 16, 64, options).expect("memory");
    batch(group, name, size, || {
        for _ in 0..BATCH {
            let offset = arena.alloc(black_box(size as u64), 8).expect("memory");
            // SAFETY: the first byte of a block, which is exclusive, in the arena's memory.
            unsafe { arena.raw().data().add(offset as usize).write(1) };
        }
        arena.reset().expect("no block was overrun");
    });
}

fn bump(c: &mut Criterion) {
    let mut group = c.benchmark_group("bump");
    for size in [16, 64, 1024] {
        ours(&mut group, "offheap", size, 0);
        let mut arena = Bump::new();
        batch(&mut group, "bumpalo", size, || {
            for _ in 0..BATCH {
                let layout = Layout::from_size_align(black_box(size), 8).expect("a layout");
                let block = arena.alloc_layout(layout);
                // SAFETY: the first byte of a block.
                unsafe { block.as_ptr().write(1) };
            }
            arena.reset();
        });
        let mut blocks = Vec::with_capacity(BATCH);
        batch(&mut group, "system", size, || {
            let layout = Layout::from_size_align(black_box(size), 8).expect("a layout");
            for _ in 0..BATCH {
                // SAFETY: the size is not zero; the first byte of a block.
                unsafe {
                    let block = alloc(layout);
                    block.write(1);
                    blocks.push(block);
                }
            }
            for block in blocks.drain(..) {
                // SAFETY: the block was allocated above with this layout.
                unsafe { dealloc(block, layout) };
            }
        });
        ours(&mut group, "offheap, zeros", size, ZERO_ON_FREE);
        ours(&mut group, "offheap, guards", size, GUARDS);
    }
    group.finish();
}

criterion_group!(benches, bump);
criterion_main!(benches);
