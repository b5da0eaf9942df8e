//! The overhead of one call through the C ABI: the guard of every entry.

use criterion::{Criterion, criterion_group, criterion_main};
use offheap::guard::{guard, guard_out};
use std::hint::black_box;

fn entry(c: &mut Criterion) {
    let mut group = c.benchmark_group("entry");
    group.bench_function("guard", |b| {
        b.iter(|| {
            guard(|| {
                black_box(1);
                Ok(())
            })
        });
    });
    let mut out = 0u64;
    group.bench_function("guard_out", |b| {
        // SAFETY: `out` is a live u64.
        b.iter(|| unsafe { guard_out(&raw mut out, || Ok(black_box(7))) });
    });
    group.finish();
}

criterion_group!(benches, entry);
criterion_main!(benches);
