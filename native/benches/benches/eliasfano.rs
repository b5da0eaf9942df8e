//! Elias-Fano compared with sux, vers-vecs and sucds, and with binary search in a plain slice:
//! random queries, in and beyond the caches.
//!
//! `OFFHEAP_BENCH_LOG2=24` sets the largest size (default 2^22 values). Bits per value are printed
//! with the times.

#![expect(clippy::print_stderr, reason = "it reports")]

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use offheap_core::succinct::eliasfano::EliasFano;
use std::hint::black_box;
use std::time::Duration;
use sux::dict::EliasFanoBuilder;
use sux::traits::{IndexedSeq, Pred, Succ};

/// xorshift64*: fast and reproducible.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((u128::from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)) * u128::from(end)) >> 64) as u64
    }
}

/// Queries per iteration: few enough that a busy machine seldom interrupts one.
const ROUND: usize = 1024;

/// The time of one query, averaged over rounds of different queries.
fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    parameter: &str,
    queries: &[u64],
    mut answer: impl FnMut(&[u64]) -> u64,
) {
    group.throughput(Throughput::Elements(ROUND as u64));
    let mut rounds = queries.chunks_exact(ROUND).cycle();
    group.bench_function(BenchmarkId::new(name, parameter), |b| {
        b.iter(|| black_box(answer(rounds.next().unwrap_or_default())));
    });
}

/// Runs queries one by one.
fn each(query: impl Fn(u64) -> u64) -> impl FnMut(&[u64]) -> u64 {
    move |queries| queries.iter().fold(0, |sum, &asked| sum.wrapping_add(query(asked)))
}

fn compare(c: &mut Criterion, log2: u32, gap: u64) {
    let mut random = Random(7);
    let n = 1usize << log2;
    let mut last = 0;
    let values: Vec<u64> = std::iter::repeat_with(|| {
        last += random.below(2 * gap + 1);
        last
    })
    .take(n)
    .collect();
    let max = last;
    let indices: Vec<u64> = std::iter::repeat_with(|| random.below(n as u64)).take(1 << 17).collect();
    let asked: Vec<u64> = std::iter::repeat_with(|| random.below(max + 1)).take(1 << 17).collect();

    let ours = EliasFano::from_slice(&values).expect("the values ascend");
    let mut builder = EliasFanoBuilder::new(n, max as usize);
    values.iter().for_each(|&value| builder.push(value as usize));
    let sux = builder.build_with_seq_and_dict();
    let vers = vers_vecs::EliasFanoVec::from_slice(&values);
    let mut builder = sucds::mii_sequences::EliasFanoBuilder::new(max + 1, n).expect("there are values");
    builder.extend(values.iter().copied()).expect("the values ascend");
    let sucds = builder.build().enable_rank();
    let bits = |bytes: usize| bytes as f64 * 8.0 / n as f64;
    eprintln!(
        "2^{log2} values, gaps of {gap}: {:.2} bits each (vers-vecs {:.2}, sucds {:.2})",
        bits(ours.as_bytes().len()),
        bits(vers.heap_size()),
        bits(sucds::Serializable::size_in_bytes(&sucds)),
    );

    let parameter = format!("2^{log2}/{gap}");
    let mut group = c.benchmark_group("eliasfano/at");
    let each_at =
        |name: &str, answer: &mut dyn FnMut(&[u64]) -> u64, group: &mut BenchmarkGroup<'_, WallTime>| {
            measure(group, name, &parameter, &indices, answer);
        };
    each_at("offheap", &mut each(|index| ours.at(index).unwrap_or(0)), &mut group);
    let mut batch = [0; ROUND];
    let mut many = |indices: &[u64]| {
        batch.copy_from_slice(indices);
        ours.at_batch(&mut batch);
        batch[0]
    };
    each_at("offheap at_batch", &mut many, &mut group);
    each_at("sux", &mut each(|index| sux.get(index as usize) as u64), &mut group);
    each_at("vers-vecs", &mut each(|index| vers.get_unchecked(index as usize)), &mut group);
    each_at("sucds", &mut each(|index| sucds.select(index as usize).unwrap_or(0)), &mut group);
    each_at("slice", &mut each(|index| values[index as usize]), &mut group);
    group.finish();

    let mut group = c.benchmark_group("eliasfano/rank");
    let rank =
        |name: &str, answer: &mut dyn FnMut(&[u64]) -> u64, group: &mut BenchmarkGroup<'_, WallTime>| {
            measure(group, name, &parameter, &asked, answer);
        };
    rank("offheap", &mut each(|value| ours.rank(value)), &mut group);
    let mut batch = [0; ROUND];
    let mut many = |values: &[u64]| {
        batch.copy_from_slice(values);
        ours.rank_batch(&mut batch);
        batch[0]
    };
    rank("offheap rank_batch", &mut many, &mut group);
    rank("sux", &mut each(|value| sux.rank(value as usize) as u64), &mut group);
    rank("vers-vecs", &mut each(|value| vers.rank(value)), &mut group);
    rank("sucds", &mut each(|value| sucds.rank(value).unwrap_or(0) as u64), &mut group);
    let search = |value: u64| values.partition_point(|&other| other < value) as u64;
    rank("slice", &mut each(search), &mut group);
    group.finish();

    let mut group = c.benchmark_group("eliasfano/next_geq");
    rank("offheap", &mut each(|value| ours.next_geq(value).map_or(0, |(_, next)| next)), &mut group);
    rank("sux", &mut each(|value| sux.succ(value as usize).map_or(0, |(_, next)| next as u64)), &mut group);
    rank("vers-vecs", &mut each(|value| vers.successor(value).unwrap_or(0)), &mut group);
    rank("sucds", &mut each(|value| sucds.successor(value).unwrap_or(0)), &mut group);
    group.finish();

    let mut group = c.benchmark_group("eliasfano/all");
    group.throughput(Throughput::Elements(n as u64));
    group.bench_function(BenchmarkId::new("offheap iter", &parameter), |b| {
        b.iter(|| ours.iter().sum::<u64>());
    });
    group.bench_function(BenchmarkId::new("sux iter", &parameter), |b| b.iter(|| sux.iter().sum::<usize>()));
    group.bench_function(BenchmarkId::new("vers-vecs iter", &parameter), |b| {
        b.iter(|| vers.iter().sum::<u64>());
    });
    group.bench_function(BenchmarkId::new("sucds iter", &parameter), |b| {
        b.iter(|| sucds.iter(0).sum::<u64>());
    });
    let build = || EliasFano::from_slice(&values).map(|made| made.len());
    group.bench_function(BenchmarkId::new("offheap build", &parameter), |b| b.iter(build));
    group.bench_function(BenchmarkId::new("vers-vecs build", &parameter), |b| {
        b.iter(|| vers_vecs::EliasFanoVec::from_slice(&values).len());
    });
    group.finish();
}

fn all(c: &mut Criterion) {
    let largest = std::env::var("OFFHEAP_BENCH_LOG2").ok().and_then(|text| text.parse().ok()).unwrap_or(22);
    for log2 in [12, 17, largest] {
        for gap in [4, 1000] {
            compare(c, log2, gap);
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(500))
        .sample_size(20);
    targets = all
}
criterion_main!(benches);
