//! The vector compared with `Vec` and the standard library's algorithms: f64 and u32, from sizes
//! that fit the first-level cache to sizes that fit none.
//!
//! Results are per element. Our `sum` is compensated for floats and exact for integers; that of
//! `Vec` is a plain loop. `memory` reads the same number of bytes (the C library's `memchr`, which
//! finds nothing). `OFFHEAP_BENCH_SIZES=1000,100000` selects sizes.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use offheap_core::vector::{Element, Vector};
use std::hint::black_box;

/// xorshift64*: fast and reproducible.
fn random(n: usize) -> impl Iterator<Item = u64> {
    let mut state = 88_172_645_463_325_252u64;
    (0..n).map(move |_| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_F491_4F6C_DD1D)
    })
}

fn doubles(n: usize) -> Vec<f64> {
    random(n).map(|bits| (bits >> 11) as f64 - 1e15).collect()
}

/// All values except the greatest, which is the one searched for.
fn words(n: usize) -> Vec<u32> {
    random(n).map(|bits| ((bits >> 32) as u32).min(u32::MAX - 1)).collect()
}

fn sizes() -> Vec<usize> {
    match std::env::var("OFFHEAP_BENCH_SIZES") {
        Ok(list) => list.split(',').filter_map(|size| size.parse().ok()).collect(),
        Err(_) => vec![1_000, 100_000, 10_000_000],
    }
}

fn filled<T: Element>(values: &[T]) -> Vector<T> {
    let mut vector = Vector::with_capacity(values.len()).expect("memory");
    vector.extend_from_slice(values).expect("memory");
    vector
}

fn pushes(c: &mut Criterion) {
    let mut group = c.benchmark_group("push-from-empty");
    for n in sizes() {
        let values = doubles(n);
        group.throughput(Throughput::Elements(n as u64));
        group.bench_function(BenchmarkId::new("offheap", n), |b| {
            b.iter_with_large_drop(|| {
                let mut vector = Vector::new().expect("memory");
                for &value in &values {
                    vector.push(value).expect("memory");
                }
                vector
            });
        });
        group.bench_function(BenchmarkId::new("Vec", n), |b| {
            b.iter_with_large_drop(|| {
                let mut vector = Vec::new();
                for &value in &values {
                    vector.push(value);
                }
                vector
            });
        });
    }
    group.finish();
}

fn sorts<T: Element>(c: &mut Criterion, name: &str, make: fn(usize) -> Vec<T>, sort: fn(&mut Vec<T>)) {
    let mut group = c.benchmark_group(name);
    for n in sizes() {
        let values = make(n);
        group.throughput(Throughput::Elements(n as u64)).sample_size(10);
        group.bench_function(BenchmarkId::new("offheap", n), |b| {
            b.iter_batched_ref(|| filled(&values), Vector::sort, BatchSize::LargeInput);
        });
        group.bench_function(BenchmarkId::new("sort_unstable", n), |b| {
            b.iter_batched_ref(|| values.clone(), sort, BatchSize::LargeInput);
        });
    }
    group.finish();
}

fn sort_f64(c: &mut Criterion) {
    sorts(c, "sort-f64", doubles, |values| values.sort_unstable_by(f64::total_cmp));
}

fn sort_u32(c: &mut Criterion) {
    sorts(c, "sort-u32", words, |values| values.sort_unstable());
}

fn argsort(c: &mut Criterion) {
    let mut group = c.benchmark_group("argsort-u32");
    for n in sizes() {
        let values = words(n);
        let mut vector = filled(&values);
        group.throughput(Throughput::Elements(n as u64)).sample_size(10);
        group.bench_function(BenchmarkId::new("offheap", n), |b| {
            b.iter_with_large_drop(|| vector.argsort().expect("memory"));
        });
        group.bench_function(BenchmarkId::new("sort_by_key", n), |b| {
            b.iter_with_large_drop(|| {
                let mut order: Vec<u32> = (0..n as u32).collect();
                order.sort_by_key(|&i| values[i as usize]);
                order
            });
        });
    }
    group.finish();
}

/// Every element once, in order.
fn scans<T: Element>(
    c: &mut Criterion,
    name: &str,
    make: fn(usize) -> Vec<T>,
    absent: T,
    add: fn(&[T]) -> f64,
) {
    for n in sizes() {
        let values = make(n);
        let vector = filled(&values);
        // The memory is written first, because untouched memory is one shared page of zeros.
        let bytes = vec![2u8; n * size_of::<T>()];
        let mut group = c.benchmark_group(format!("scan-{name}"));
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(BenchmarkId::new("memory", n), |b| {
            // SAFETY: the bytes are readable.
            b.iter(|| unsafe { libc::memchr(black_box(&bytes).as_ptr().cast(), 1, bytes.len()) });
        });
        group.bench_function(BenchmarkId::new("sum", n), |b| b.iter(|| black_box(&vector).sum()));
        group.bench_function(BenchmarkId::new("sum of Vec", n), |b| b.iter(|| add(black_box(&values))));
        group.bench_function(BenchmarkId::new("max", n), |b| b.iter(|| black_box(&vector).max()));
        group.bench_function(BenchmarkId::new("max of Vec", n), |b| {
            b.iter(|| black_box(&values).iter().copied().fold(values[0], |a, x| if x > a { x } else { a }));
        });
        group.bench_function(BenchmarkId::new("index_of", n), |b| {
            b.iter(|| black_box(&vector).index_of(absent));
        });
        group.bench_function(BenchmarkId::new("position of Vec", n), |b| {
            b.iter(|| black_box(&values).iter().position(|&x| x == absent));
        });
        group.finish();
    }
}

fn scan_f64(c: &mut Criterion) {
    scans(c, "f64", doubles, f64::MAX, |values| values.iter().sum());
}

fn scan_u32(c: &mut Criterion) {
    scans(c, "u32", words, u32::MAX, |values| values.iter().map(|&x| u64::from(x)).sum::<u64>() as f64);
}

criterion_group!(benches, pushes, sort_f64, sort_u32, argsort, scan_f64, scan_u32);
criterion_main!(benches);
