//! The map compared with hashbrown (foldhash, its default) and std (SipHash): u32 keys to f64
//! values, single and bulk operations, from sizes that fit the first-level cache to sizes that fit
//! none.
//!
//! Each result is the time of one operation, averaged over a round of keys in random order. All
//! maps get their memory from one allocator that requests huge pages, as a large Node.js process
//! would. Beyond a few megabytes, small pages would measure mostly address translation.
//! `OFFHEAP_BENCH_SIZES=1000,100000` selects sizes; `OFFHEAP_BENCH_HUGE=0` disables huge pages.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use offheap_core::hashmap::{HashMap, bulk};
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::time::{Duration, Instant};

struct Huge;

const HUGE_PAGE: usize = 2 << 20;

impl Huge {
    fn layout(layout: Layout) -> Layout {
        if layout.size() < 2 * HUGE_PAGE { layout } else { layout.align_to(HUGE_PAGE).unwrap_or(layout) }
    }
}

// SAFETY: every call goes to the system allocator, with the same layout for the same block.
unsafe impl GlobalAlloc for Huge {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let large = Huge::layout(layout);
        // SAFETY: the preconditions of `alloc` are guaranteed by the caller.
        let block = unsafe { System.alloc(large) };
        #[cfg(target_os = "linux")]
        if large.align() == HUGE_PAGE
            && !block.is_null()
            && std::env::var_os("OFFHEAP_BENCH_HUGE").is_none_or(|v| v != "0")
        {
            unsafe extern "C" {
                fn madvise(address: *mut u8, length: usize, advice: i32) -> i32;
            }
            // SAFETY: the memory was just allocated; MADV_HUGEPAGE does not change its contents.
            unsafe { madvise(block, large.size(), 14) };
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the preconditions of `dealloc` are guaranteed by the caller.
        unsafe { System.dealloc(block, Huge::layout(layout)) };
    }
}

#[global_allocator]
static ALLOCATOR: Huge = Huge;

/// xorshift64*: fast and reproducible.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

/// Distinct keys over the whole range in random order. An odd multiplication permutes the numbers.
fn keys(count: usize) -> Vec<u32> {
    let mut keys: Vec<u32> = (0..count as u32).map(|i| i.wrapping_mul(2_654_435_761)).collect();
    shuffle(&mut keys);
    keys
}

fn shuffle(keys: &mut [u32]) {
    let mut random = Random(88_172_645_463_325_252);
    for i in (1..keys.len()).rev() {
        keys.swap(i, (random.next() % (i as u64 + 1)) as usize);
    }
}

/// Present keys in another order than that of insertion, or absent keys.
fn queries(inserted: &[u32], hits: bool) -> Vec<u32> {
    let n = inserted.len() as u32;
    let mut queries: Vec<u32> =
        if hits { inserted.to_vec() } else { (n..2 * n).map(|i| i.wrapping_mul(2_654_435_761)).collect() };
    shuffle(&mut queries);
    queries.truncate(1 << 22);
    queries
}

fn sizes() -> Vec<usize> {
    match std::env::var("OFFHEAP_BENCH_SIZES") {
        Ok(list) => list.split(',').filter_map(|size| size.parse().ok()).collect(),
        Err(_) => vec![1_000, 100_000, 1_000_000, 10_000_000],
    }
}

/// Runs `round` over all queries repeatedly, and reports the time of one query.
fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    n: usize,
    count: usize,
    mut round: impl FnMut(),
) {
    group.throughput(Throughput::Elements(1));
    group.bench_function(BenchmarkId::new(name, n), |b| {
        b.iter_custom(|iterations| {
            // A round has at least a thousand operations, so reading the clock costs nothing.
            let rounds = iterations.div_ceil(count as u64);
            let begun = Instant::now();
            for _ in 0..rounds {
                round();
            }
            let taken = begun.elapsed();
            Duration::from_secs_f64(taken.as_secs_f64() * iterations as f64 / (rounds * count as u64) as f64)
        });
    });
}

fn lookups(c: &mut Criterion) {
    for n in sizes() {
        let keys = keys(n);
        let mut ours = HashMap::<u32, f64>::new().expect("memory");
        let mut brown = hashbrown::HashMap::<u32, f64>::new();
        let mut std = std::collections::HashMap::<u32, f64>::new();
        for (i, &key) in keys.iter().enumerate() {
            ours.insert(key, i as f64).expect("memory");
            brown.insert(key, i as f64);
            std.insert(key, i as f64);
        }
        let (base, length) = (ours.raw().memory().base(), ours.raw().memory().len());
        for (kind, hits) in [("hit", true), ("miss", false)] {
            let queries = queries(&keys, hits);
            let mut group = c.benchmark_group(format!("get-{kind}"));
            let count = queries.len();
            measure(&mut group, "offheap", n, count, || {
                for &key in &queries {
                    black_box(ours.get(key));
                }
            });
            measure(&mut group, "hashbrown", n, count, || {
                for &key in &queries {
                    black_box(brown.get(&key));
                }
            });
            measure(&mut group, "std", n, count, || {
                for &key in &queries {
                    black_box(std.get(&key));
                }
            });
            group.finish();

            let mut group = c.benchmark_group(format!("get-many-{kind}"));
            let mut values = vec![0.0f64; count];
            measure(&mut group, "offheap", n, count, || {
                // SAFETY: the arrays have `count` elements, and the map does not change at the same
                // time.
                let found = unsafe {
                    bulk::get_many(
                        base,
                        length,
                        |_| Ok(()),
                        queries.as_ptr().cast(),
                        count,
                        values.as_mut_ptr().cast(),
                        std::ptr::null_mut(),
                    )
                };
                assert_eq!(found.expect("sound"), if hits { count } else { 0 });
            });
            let mut values = vec![0.0f64; count];
            measure(&mut group, "hashbrown", n, count, || {
                for (key, value) in queries.iter().zip(&mut values) {
                    if let Some(found) = brown.get(key) {
                        *value = *found;
                    }
                }
                black_box(&values);
            });
            group.finish();
        }
    }
}

fn inserts(c: &mut Criterion) {
    for n in sizes() {
        let keys = keys(n);
        let values: Vec<f64> = (0..n).map(|i| i as f64).collect();
        let mut group = c.benchmark_group("insert-growing");
        measure(&mut group, "offheap", n, n, || {
            let mut map = HashMap::<u32, f64>::new().expect("memory");
            for (&key, &value) in keys.iter().zip(&values) {
                map.insert(key, value).expect("memory");
            }
            black_box(&map);
        });
        measure(&mut group, "hashbrown", n, n, || {
            let mut map = hashbrown::HashMap::<u32, f64>::new();
            for (&key, &value) in keys.iter().zip(&values) {
                map.insert(key, value);
            }
            black_box(&map);
        });
        measure(&mut group, "std", n, n, || {
            let mut map = std::collections::HashMap::<u32, f64>::new();
            for (&key, &value) in keys.iter().zip(&values) {
                map.insert(key, value);
            }
            black_box(&map);
        });
        group.finish();

        let mut group = c.benchmark_group("insert-reserved");
        measure(&mut group, "offheap", n, n, || {
            let mut map = HashMap::<u32, f64>::with_capacity(n as u32).expect("memory");
            for (&key, &value) in keys.iter().zip(&values) {
                map.insert(key, value).expect("memory");
            }
            black_box(&map);
        });
        measure(&mut group, "offheap-many", n, n, || {
            let map = HashMap::<u32, f64>::with_capacity(n as u32).expect("memory");
            let memory = map.raw().memory();
            // SAFETY: the arrays have n elements, and the map is exclusive and has room for them.
            let done = unsafe {
                bulk::set_many(
                    memory.base(),
                    memory.len(),
                    |_| Ok(()),
                    keys.as_ptr().cast(),
                    values.as_ptr().cast(),
                    n,
                    0,
                )
            };
            assert_eq!(done.expect("sound"), n);
            black_box(&map);
        });
        measure(&mut group, "hashbrown", n, n, || {
            let mut map = hashbrown::HashMap::<u32, f64>::with_capacity(n);
            for (&key, &value) in keys.iter().zip(&values) {
                map.insert(key, value);
            }
            black_box(&map);
        });
        group.finish();
    }
}

fn removals(c: &mut Criterion) {
    // Churn at constant size: deletes the oldest entry and inserts a new one.
    for n in sizes() {
        let mut group = c.benchmark_group("churn");
        let count = n.max(100_000);
        let key = |i: u32| i.wrapping_mul(2_654_435_761);
        let mut ours = HashMap::<u32, f64>::new().expect("memory");
        (0..n as u32).for_each(|i| {
            ours.insert(key(i), 0.0).expect("memory");
        });
        let mut oldest = 0u32;
        measure(&mut group, "offheap", n, count, || {
            for _ in 0..count {
                assert!(ours.remove(key(oldest)));
                ours.insert(key(oldest.wrapping_add(n as u32)), 0.0).expect("memory");
                oldest = oldest.wrapping_add(1);
            }
        });
        let mut brown: hashbrown::HashMap<u32, f64> = (0..n as u32).map(|i| (key(i), 0.0)).collect();
        let mut oldest = 0u32;
        measure(&mut group, "hashbrown", n, count, || {
            for _ in 0..count {
                assert!(brown.remove(&key(oldest)).is_some());
                brown.insert(key(oldest.wrapping_add(n as u32)), 0.0);
                oldest = oldest.wrapping_add(1);
            }
        });
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = lookups, inserts, removals
}
criterion_main!(benches);
