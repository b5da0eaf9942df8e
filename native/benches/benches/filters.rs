//! Bloom filters compared with fastbloom, suffix arrays with libsais and divsufsort, and rolling
//! hashes with gearhash.
//!
//! The requested and the measured false-positive rates are printed first.

#![expect(clippy::print_stderr, reason = "it reports")]

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use offheap_core::compress::{BloomFilter, RollingHash, SuffixArray};
use offheap_core::region::numbers::Numbers;
use std::hint::black_box;
use std::time::Duration;

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

/// Keys per iteration.
const ROUND: usize = 1 << 14;
const SEEDS: [u32; 2] = [0x0123_4567, 0x89AB_CDEF];

/// The false-positive rates of our filter and of fastbloom's.
fn rates() {
    for rate in [0.1, 0.01, 0.001, 1e-4, 1e-5, 1e-6] {
        let n = 1_000_000u32;
        let mut ours = BloomFilter::with_seeds(u64::from(n), rate, SEEDS).expect("the rate is valid");
        let mut peer = fastbloom::BloomFilter::with_false_pos(rate).seed(&7).expected_items(n as usize);
        let keys: Vec<f64> = (0..n).map(f64::from).collect();
        ours.add_numbers(&Numbers::of(&keys, "keys")).expect("the keys are numbers");
        keys.iter().for_each(|key| _ = peer.insert(&key.to_bits()));
        let strangers = if rate < 1e-4 { 100_000_000u32 } else { 10_000_000 };
        let (mut wrong, mut wrong_peer) = (0u64, 0u64);
        let mut out = vec![0; 1 << 16];
        let mut from = n;
        while from < n + strangers {
            let asked: Vec<f64> = (from..from + (1 << 16)).map(f64::from).collect();
            ours.has_numbers(&Numbers::of(&asked, "keys"), &mut out).expect("there is room");
            wrong += out.iter().map(|&yes| u64::from(yes)).sum::<u64>();
            if strangers < 100_000_000 {
                wrong_peer += asked.iter().filter(|key| peer.contains(&key.to_bits())).count() as u64;
            }
            from += 1 << 16;
        }
        let all = f64::from(from - n);
        eprintln!(
            "rate {rate}: found {:.3e} ({:+.1}%), {:.2} bits a key; fastbloom {:.3e}, {:.2} bits a key",
            wrong as f64 / all,
            (wrong as f64 / all / rate - 1.0) * 100.0,
            ours.as_bytes().len() as f64 * 8.0 / f64::from(n),
            wrong_peer as f64 / all,
            peer.num_bits() as f64 / f64::from(n),
        );
    }
}

fn measure(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    parameter: &str,
    keys: &[f64],
    mut answer: impl FnMut(&[f64]) -> usize,
) {
    group.throughput(Throughput::Elements(ROUND as u64));
    let mut rounds = keys.chunks_exact(ROUND).cycle();
    group.bench_function(BenchmarkId::new(name, parameter), |b| {
        b.iter(|| black_box(answer(rounds.next().unwrap_or_default())));
    });
}

fn filters(c: &mut Criterion) {
    rates();
    for log2 in [14, 20, 26] {
        let n = 1usize << log2;
        let mut random = Random(7);
        let mut ours = BloomFilter::with_seeds(n as u64, 0.01, SEEDS).expect("the rate is valid");
        let mut peer = fastbloom::BloomFilter::with_false_pos(0.01).seed(&7).expected_items(n);
        // Half of the queried keys were added.
        let keys: Vec<f64> = (0..n.min(1 << 21)).map(|_| (random.next() >> 12) as f64).collect();
        let (known, _) = keys.split_at(keys.len() / 2);
        ours.add_numbers(&Numbers::of(known, "keys")).expect("the keys are numbers");
        known.iter().for_each(|key| _ = peer.insert(&key.to_bits()));
        let mut asked = keys;
        for i in (1..asked.len()).rev() {
            asked.swap(i, random.next() as usize % (i + 1));
        }
        let parameter = format!("2^{log2}");
        let mut out = vec![0; ROUND];
        let mut group = c.benchmark_group("bloom/has");
        measure(&mut group, "offheap bulk", &parameter, &asked, |keys| {
            ours.has_numbers(&Numbers::of(keys, "keys"), &mut out).expect("there is room");
            usize::from(out[0])
        });
        let single = |keys: &[f64]| keys.iter().filter(|&&key| ours.contains_number(key)).count();
        measure(&mut group, "offheap", &parameter, &asked, single);
        let theirs = |keys: &[f64]| keys.iter().filter(|key| peer.contains(&key.to_bits())).count();
        measure(&mut group, "fastbloom", &parameter, &asked, theirs);
        group.finish();
        let mut group = c.benchmark_group("bloom/add");
        measure(&mut group, "offheap bulk", &parameter, &asked, |keys| {
            ours.add_numbers(&Numbers::of(keys, "keys")).map_or(0, |()| 1)
        });
        measure(&mut group, "offheap", &parameter, &asked, |keys| {
            keys.iter().for_each(|&key| ours.add_number(key));
            1
        });
        measure(&mut group, "fastbloom", &parameter, &asked, |keys| {
            keys.iter().filter(|key| peer.insert(&key.to_bits())).count()
        });
        group.finish();
    }
}

/// Two texts: words of an artificial language, and random bytes.
fn texts() -> [(&'static str, Vec<u8>); 2] {
    const LENGTH: usize = 8 << 20;
    let mut random = Random(3);
    let words: Vec<Vec<u8>> = (0..5000)
        .map(|_| (0..2 + random.next() % 8).map(|_| b'a' + (random.next() % 26) as u8).collect())
        .collect();
    let mut language = Vec::with_capacity(LENGTH + 16);
    while language.len() < LENGTH {
        let (a, b) = (random.next() % 5000, random.next() % 5000);
        language.extend_from_slice(&words[(a * b / 5000) as usize]);
        language.push(b' ');
    }
    language.truncate(LENGTH);
    [("words", language), ("random", (0..LENGTH).map(|_| random.next() as u8).collect())]
}

fn suffixes(c: &mut Criterion) {
    let mut group = c.benchmark_group("suffixarray/build");
    group.sample_size(10);
    for (name, text) in texts() {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(BenchmarkId::new("offheap", name), |b| {
            b.iter(|| SuffixArray::new(&text).map(|array| array.len()));
        });
        group.bench_function(BenchmarkId::new("libsais", name), |b| {
            b.iter(|| {
                let mut positions = vec![0i32; text.len()];
                let (from, to) = (text.as_ptr(), positions.as_mut_ptr());
                // SAFETY: there are as many positions as bytes.
                unsafe { libsais_sys::libsais::libsais(from, to, text.len() as i32, 0, std::ptr::null_mut()) }
            });
        });
        group.bench_function(BenchmarkId::new("divsufsort", name), |b| {
            b.iter(|| divsufsort::sort(&text).into_parts().1.len());
        });
    }
    group.finish();
}

fn rolling(c: &mut Criterion) {
    let bytes: Vec<u8> = {
        let mut random = Random(5);
        (0..4 << 20).map(|_| random.next() as u8).collect()
    };
    let mut group = c.benchmark_group("rollinghash/find");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    for bits in [13, 20] {
        group.bench_function(BenchmarkId::new("offheap", bits), |b| {
            b.iter(|| {
                let mut rolling = RollingHash::new(48).expect("the window is valid");
                let (mut rest, mut cuts) = (&bytes[..], 0);
                while let Ok(Some(length)) = rolling.find(rest, bits) {
                    rest = &rest[length..];
                    cuts += 1;
                }
                cuts
            });
        });
        group.bench_function(BenchmarkId::new("offheap push", bits), |b| {
            b.iter(|| {
                let mut rolling = RollingHash::new(48).expect("the window is valid");
                bytes.iter().filter(|&&byte| rolling.push(byte) >> (32 - bits) == 0).count()
            });
        });
        group.bench_function(BenchmarkId::new("gearhash", bits), |b| {
            b.iter(|| {
                let mut gear = gearhash::Hasher::default();
                let (mut rest, mut cuts) = (&bytes[..], 0);
                while let Some(length) = gear.next_match(rest, u64::MAX << (64 - bits)) {
                    rest = &rest[length..];
                    cuts += 1;
                }
                cuts
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(700));
    targets = filters, suffixes, rolling
}
criterion_main!(benches);
