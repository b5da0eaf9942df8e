//! Maps of a few entries, compared with hashbrown (foldhash, its default) and std (SipHash).
//!
//! `search`: finds one of eight keys in a line with each instruction set, compared with a scalar
//! loop and a lookup in hashbrown. It uses thousands of maps, so that the branch predictor knows
//! neither the map nor the result.

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use offheap_core::cpu::{Features, Level};
use offheap_core::smallmap::search::{Batch, Inline, Kernel, Lane, Searchable, dispatch, position};
use std::hint::black_box;
use std::time::{Duration, Instant};

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

/// Runs `round` repeatedly, and reports the time of one of its `count` operations.
fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    parameter: impl std::fmt::Display,
    count: usize,
    mut round: impl FnMut(),
) {
    group.throughput(Throughput::Elements(1));
    group.bench_function(BenchmarkId::new(name, parameter), |b| {
        b.iter_custom(|iterations| {
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

const MAPS: usize = 4_096;
const LANES: usize = 8;

/// Eight keys in a cache line of their own, as in a small map.
#[repr(align(64))]
struct Keys<K>([K; LANES]);

/// Looks up one key in every map.
struct Searches<'a, K> {
    maps: &'a mut [Keys<K>],
    queries: &'a [K],
}

impl<K: Lane> Batch for Searches<'_, K> {
    type Output = usize;
    #[inline(always)]
    unsafe fn run<S: Kernel>(self) -> usize {
        let mut sum = 0;
        for (map, &query) in self.maps.iter_mut().zip(self.queries) {
            // SAFETY: there are eight keys; the caller guarantees that the processor supports the
            // kernel.
            let found = unsafe { position::<S, K, LANES>(map.0.as_mut_ptr(), black_box(LANES), query) };
            sum += found.unwrap_or(LANES);
        }
        sum
    }
}

fn search<N: Searchable<Lane: std::hash::Hash> + std::fmt::Debug>(
    c: &mut Criterion,
    name: &str,
    from: fn(u64) -> N,
) {
    let mut random = Random(88_172_645_463_325_252);
    let mut maps: Vec<Keys<N::Lane>> =
        (0..MAPS).map(|_| Keys(std::array::from_fn(|_| from(random.next()).to_lane()))).collect();
    let brown: Vec<hashbrown::HashMap<N::Lane, u32>> =
        maps.iter().map(|map| map.0.iter().enumerate().map(|(i, &k)| (k, i as u32)).collect()).collect();
    for hits in [true, false] {
        let mut group = c.benchmark_group(format!("search-8-{name}-{}", if hits { "hit" } else { "miss" }));
        let queries: Vec<N::Lane> = maps
            .iter()
            .map(
                |map| {
                    if hits { map.0[random.next() as usize % LANES] } else { from(random.next()).to_lane() }
                },
            )
            .collect();
        measure(&mut group, "inline", "", MAPS, || {
            // SAFETY: the base kernel runs on every processor.
            black_box(unsafe { Searches { maps: &mut maps, queries: &queries }.run::<Inline>() });
        });
        for level in [Level::Generic, Level::Sse2, Level::Neon, Level::Avx2, Level::Avx512] {
            if level > Features::get().level() || (level == Level::Neon && !cfg!(target_arch = "aarch64")) {
                continue;
            }
            measure(&mut group, level.name(), "", MAPS, || {
                black_box(dispatch(level, Searches { maps: &mut maps, queries: &queries }));
            });
        }
        measure(&mut group, "scalar", "", MAPS, || {
            let mut sum = 0;
            for (map, &query) in maps.iter().zip(&queries) {
                let keys = &map.0[..black_box(LANES)];
                sum += keys.iter().position(|&key| key == query).unwrap_or(LANES);
            }
            black_box(sum);
        });
        measure(&mut group, "hashbrown", "", MAPS, || {
            let mut sum = 0;
            for (map, query) in brown.iter().zip(&queries) {
                sum += map.get(query).map_or(LANES, |&at| at as usize);
            }
            black_box(sum);
        });
        group.finish();
    }
}

fn searches(c: &mut Criterion) {
    search::<u32>(c, "u32", |bits| bits as u32);
    search::<u8>(c, "u8", |bits| bits as u8);
    search::<u16>(c, "u16", |bits| bits as u16);
    search::<u64>(c, "u64", |bits| bits);
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500));
    targets = searches
}
criterion_main!(benches);
