//! Pools compared with mimalloc, Box with the system allocator, and bumpalo.
//!
//! `pair`: allocates, writes and frees a block of a constant size. `churn`: a thousand blocks are
//! live; frees a random one and allocates another. `two threads`: both threads do that, in one pool
//! or with the allocator.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use offheap_core::pools::fixed::{FixedPool, layout::Shape};
use offheap_core::pools::lockfree::{LockFreePool, layout::Options};
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::time::{Duration, Instant};

const LIVE: usize = 1000;
const SIZE: usize = 64;

/// The measured operations. Blocks are addresses.
trait Blocks {
    fn alloc(&mut self) -> u64;
    fn free(&mut self, block: u64);
    fn write(&mut self, block: u64);
}

struct Fixed(FixedPool);
struct Shared(offheap_core::pools::lockfree::Handle);
struct Local(offheap_core::pools::lockfree::ThreadLocalPool);
struct Global<A>(A);

macro_rules! pool {
    ($type:ty, $data:expr) => {
        impl Blocks for $type {
            #[inline(always)]
            fn alloc(&mut self) -> u64 {
                self.0.alloc(SIZE as u64).expect("there is room")
            }
            #[inline(always)]
            fn free(&mut self, block: u64) {
                self.0.free(block).expect("the block is allocated");
            }
            #[inline(always)]
            fn write(&mut self, block: u64) {
                let data: fn(&Self) -> *mut u8 = $data;
                // SAFETY: the offset is within an allocated block of this thread.
                unsafe { data(self).add(block as usize).write_volatile(1) };
            }
        }
    };
}
pool!(Fixed, |pool| pool.0.raw().data());
pool!(Shared, |pool| pool.0.data());
pool!(Local, |pool| pool.0.handle().data());

const LAYOUT: Layout = match Layout::from_size_align(SIZE, 8) {
    Ok(layout) => layout,
    Err(_) => panic!(),
};

impl<A: GlobalAlloc> Blocks for Global<A> {
    #[inline(always)]
    fn alloc(&mut self) -> u64 {
        // SAFETY: the size of the layout is not zero.
        unsafe { self.0.alloc(LAYOUT) as u64 }
    }
    #[inline(always)]
    fn free(&mut self, block: u64) {
        // SAFETY: the block came from `alloc`, with this layout.
        unsafe { self.0.dealloc(block as *mut u8, LAYOUT) };
    }
    #[inline(always)]
    fn write(&mut self, block: u64) {
        // SAFETY: the address is within an allocated block.
        unsafe { (block as *mut u8).write_volatile(1) };
    }
}

fn pair(blocks: &mut impl Blocks, operations: u64) {
    for _ in 0..operations {
        let block = black_box(blocks.alloc());
        blocks.write(block);
        blocks.free(block);
    }
}

struct Churn {
    live: Vec<u64>,
    state: u64,
}

impl Churn {
    fn new(blocks: &mut impl Blocks) -> Churn {
        Churn { live: (0..LIVE).map(|_| blocks.alloc()).collect(), state: 0x9E37_79B9_7F4A_7C15 }
    }

    fn run(&mut self, blocks: &mut impl Blocks, operations: u64) {
        for _ in 0..operations {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            let at = (((self.state >> 32) * LIVE as u64) >> 32) as usize;
            blocks.free(self.live[at]);
            let block = blocks.alloc();
            blocks.write(block);
            self.live[at] = block;
        }
    }

    fn end(self, blocks: &mut impl Blocks) {
        self.live.into_iter().for_each(|block| blocks.free(block));
    }
}

fn measure(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, mut blocks: impl Blocks) {
    group.throughput(Throughput::Elements(1));
    group.bench_function(format!("pair/{name}"), |b| {
        b.iter_custom(|operations| {
            let begun = Instant::now();
            pair(&mut blocks, operations);
            begun.elapsed()
        });
    });
    group.bench_function(format!("churn/{name}"), |b| {
        let mut churn = Churn::new(&mut blocks);
        b.iter_custom(|operations| {
            let begun = Instant::now();
            churn.run(&mut blocks, operations);
            begun.elapsed()
        });
        churn.end(&mut blocks);
    });
}

/// The time of one operation when two threads run at the same time.
fn two_threads<B: Blocks>(group: &mut BenchmarkGroup<'_, WallTime>, name: &str, make: impl Fn() -> B + Sync) {
    group.bench_function(format!("churn, two threads/{name}"), |b| {
        b.iter_custom(|operations| {
            let barrier = std::sync::Barrier::new(2);
            let run = || {
                let mut blocks = make();
                let mut churn = Churn::new(&mut blocks);
                barrier.wait();
                let begun = Instant::now();
                churn.run(&mut blocks, operations);
                let taken = begun.elapsed();
                churn.end(&mut blocks);
                taken
            };
            std::thread::scope(|scope| {
                let other = scope.spawn(run);
                run().max(other.join().expect("the thread did not panic"))
            })
        });
    });
}

fn shared_pool() -> LockFreePool {
    LockFreePool::new(Options { capacity: 4 << 20, ..Options::default() }).expect("there is memory")
}

fn pools(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pools, 64 B");
    group.warm_up_time(Duration::from_millis(300)).measurement_time(Duration::from_secs(1));
    let shape = Shape::new(&[SIZE as u64], &[16_384], 0).expect("the shape is valid");
    measure(&mut group, "FixedPool", Fixed(FixedPool::new(shape).expect("there is memory")));
    let pool = shared_pool();
    measure(&mut group, "LockFreePool", Shared(pool.handle().expect("a slot is free")));
    measure(&mut group, "ThreadLocalPool", Local(pool.cached(1 << 20).expect("a slot is free")));
    measure(&mut group, "mimalloc", Global(mimalloc::MiMalloc));
    measure(&mut group, "Box, system", Global(System));
    group.bench_function("pair/bumpalo, reset after 1000", |b| {
        let mut arena = bumpalo::Bump::with_capacity(1 << 20);
        b.iter_custom(|operations| {
            let begun = Instant::now();
            for n in 0..operations {
                if n % 1000 == 0 {
                    arena.reset();
                }
                black_box(arena.alloc_layout(LAYOUT));
            }
            begun.elapsed()
        });
    });
    two_threads(&mut group, "LockFreePool", || Shared(pool.handle().expect("a slot is free")));
    two_threads(&mut group, "ThreadLocalPool", || Local(pool.cached(1 << 20).expect("a slot is free")));
    two_threads(&mut group, "mimalloc", || Global(mimalloc::MiMalloc));
    two_threads(&mut group, "Box, system", || Global(System));
    group.finish();
}

criterion_group!(benches, pools);
criterion_main!(benches);
