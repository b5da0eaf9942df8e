//! Rank and select compared with sux, vers-vecs and sucds, on the same bits and queries in one run;
//! and counting and set algebra compared with the bandwidth of memory. (Not compared with zipora,
//! whose license is not permissive.)
//!
//! ```text
//! RUSTFLAGS='-C target-cpu=native' \
//!   cargo bench -p offheap-benches --features peers --bench succinct
//! ```
//!
//! Our structures detect the processor's instructions at run time. The peers use those they were
//! compiled for, and lose POPCNT and PDEP without the flag. Names are `query/structure/bits/percent
//! of ones`, so a filter selects some: `-- 'select1.*/134217728/50'`.
//!
//! | variable | default | |
//! | --- | --- | --- |
//! | `OFFHEAP_BENCH_BITS` | `100000,1000000,134217728` | sizes; `4294967296` takes 3 GiB of memory and minutes |
//! | `OFFHEAP_BENCH_DENSITY` | `1,10,50,90` | percent of ones |
//! | `OFFHEAP_BENCH_ALGEBRA` | `1073741824` | bits for counting and set algebra |
//!
//! Queries run in two ways. In `loop`, the next query does not depend on the result, so the
//! processor overlaps queries by itself. In `chain`, it does, so cache misses do not overlap.
//! Before each structure is measured, its memory is printed (the bytes allocated and not freed,
//! which includes padding), and its results are compared with ours.

#![expect(clippy::print_stderr, reason = "it reports")]

#[path = "succinct/peers.rs"]
mod peers;

use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main,
};
use offheap_core::succinct::rankselect::{Variant, build, plan};
use offheap_core::succinct::runs::Op;
use offheap_core::succinct::{BitVec, RankSelect};
use peers::{Subject, live_bytes, structures};
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

    fn below(&mut self, end: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(end)) >> 64) as u64
    }

    /// A word whose bits are ones with a probability of `part` / 2^16. Each binary digit of it,
    /// lowest first, combines the word with a random word by OR or AND.
    fn word(&mut self, part: u64) -> u64 {
        (part.trailing_zeros()..16).fold(0, |word, digit| {
            if part >> digit & 1 == 1 { word | self.next() } else { word & self.next() }
        })
    }
}

/// Queries per iteration: few enough that a busy machine seldom interrupts one.
const ROUND: usize = 1024;
/// Distinct queries: the cache lines they touch do not fit the second-level cache.
const QUESTIONS: usize = 1 << 18;

fn numbers(name: &str, default: &str) -> Vec<u64> {
    let text = std::env::var(name).unwrap_or_else(|_| default.to_owned());
    text.split(',').map(|number| number.trim().parse().expect("numbers, with commas")).collect()
}

fn random_words(random: &mut Random, bits: u64, percent: u64) -> Vec<u64> {
    let mut words: Vec<u64> = std::iter::repeat_with(|| random.word((percent << 16) / 100))
        .take(bits.div_ceil(64) as usize)
        .collect();
    if !bits.is_multiple_of(64)
        && let Some(last) = words.last_mut()
    {
        *last &= (1 << (bits % 64)) - 1;
    }
    words
}

/// The bits as bytes, from which our bit vector is made.
fn bit_vec(words: &[u64], bits: u64) -> BitVec {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut made = BitVec::from_bytes(&bytes).expect("there is memory");
    made.resize(bits).expect("there is memory");
    made
}

/// A row of results: its name, and the number of elements per run.
struct Row<'a> {
    name: &'a str,
    parameter: &'a str,
    elements: u64,
}

/// Runs a function repeatedly, and reports the time of its first quartile, because on a busy
/// machine the slower runs were interrupted. The minimum is printed as well. Results are dropped
/// outside the measured time.
fn measure<I, O>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    row: &Row<'_>,
    mut setup: impl FnMut() -> I,
    mut run: impl FnMut(I) -> O,
) {
    let mut least = Duration::MAX;
    group.sampling_mode(SamplingMode::Flat).throughput(Throughput::Elements(row.elements));
    group.bench_function(BenchmarkId::new(row.name, row.parameter), |b| {
        b.iter_custom(|iterations| {
            let time = |_| {
                let input = setup();
                let begun = Instant::now();
                let output = black_box(run(input));
                let took = begun.elapsed();
                drop(output);
                took
            };
            let mut times: Vec<Duration> = (0..iterations).map(time).collect();
            times.sort_unstable();
            least = least.min(times[0]);
            times[times.len() / 4].mul_f64(iterations as f64)
        });
    });
    if least != Duration::MAX {
        let each = least.as_secs_f64() * 1e9 / row.elements as f64;
        eprintln!("  {} {}: at least {least:?}, {each:.4} ns each", row.name, row.parameter);
    }
}

/// Rounds of queries.
fn measure_questions(
    c: &mut Criterion,
    what: &str,
    row: &Row<'_>,
    questions: &[u64],
    answer: impl FnMut(&[u64]) -> u64,
) {
    let mut group = c.benchmark_group(what);
    let mut rounds = questions.chunks_exact(ROUND).cycle();
    measure(&mut group, row, || rounds.next().unwrap_or_default(), answer);
    group.finish();
}

fn ask(c: &mut Criterion, bits: u64, percent: u64) {
    let mut random = Random(bits + percent);
    let words = random_words(&mut random, bits, percent);
    let ours = RankSelect::new(&bit_vec(&words, bits)).expect("there is memory");
    let positions: Vec<u64> = std::iter::repeat_with(|| random.below(bits)).take(QUESTIONS).collect();
    let ks: Vec<u64> = std::iter::repeat_with(|| random.below(ours.ones())).take(QUESTIONS).collect();
    let parameter = format!("{bits}/{percent}");
    for (name, make) in structures() {
        if !peers::takes(name, bits) {
            continue;
        }
        let before = live_bytes();
        let subject = make(words.clone(), bits);
        let bytes = (live_bytes() - before) as f64;
        eprintln!("{name}: {bits} bits, {percent}% ones: overhead {:.2}%", {
            (bytes * 8.0 / bits as f64 - 1.0) * 100.0
        });
        let row = Row { name, parameter: &parameter, elements: ROUND as u64 };
        let Subject { ranks, selects, many_ranks, many_selects } = &subject;
        type One = fn(&RankSelect, u64) -> u64;
        let rank: One = |ours, at| ours.rank1(at);
        let select: One = |ours, k| ours.select1(k).unwrap_or(0);
        for (what, questions, asks, one) in
            [("rank1", &positions, ranks, rank), ("select1", &ks, selects, select)]
        {
            let Some(asks) = asks else { continue };
            let sum = questions[..ROUND].iter().fold(0u64, |sum, &at| sum.wrapping_add(one(&ours, at)));
            assert_eq!(asks[0](&questions[..ROUND]), sum, "{name} gives different results for {what}");
            for (way, asks) in ["loop", "chain"].into_iter().zip(asks) {
                measure_questions(c, &format!("{what} {way}"), &row, questions, asks);
            }
        }
        let mut out = vec![0; ROUND];
        let many = [("rank1 many", &positions, many_ranks), ("select1 many", &ks, many_selects)];
        for (what, questions, asks) in many {
            let Some(asks) = asks else { continue };
            measure_questions(c, what, &row, questions, |questions| {
                asks(questions, &mut out);
                out[0]
            });
        }
    }
}

/// Building, into fresh memory and into memory that was used before.
fn make(c: &mut Criterion, bits: u64, percent: u64) {
    let mut random = Random(bits + percent);
    let words = random_words(&mut random, bits, percent);
    let ours = bit_vec(&words, bits);
    let parameter = format!("{bits}/{percent}");
    let row = |name| Row { name, parameter: &parameter, elements: bits };
    let mut group = c.benchmark_group("build");
    measure(&mut group, &row("reference: count"), || (), |()| ours.count(0, bits));
    for (names, variant) in [
        (["offheap flat, used memory", "offheap flat, fresh memory"], Variant::Flat),
        (["offheap interleaved, used memory", "offheap interleaved, fresh memory"], Variant::Interleaved),
        (["offheap sparse, used memory", "offheap sparse, fresh memory"], Variant::Sparse),
    ] {
        let planned = plan(ours.raw(), Some(variant)).expect("it fits");
        let mut memory = vec![1u64; planned.length / 8 + 8];
        let base = memory.as_mut_ptr().cast::<u8>();
        let base = base.wrapping_add(base.align_offset(64));
        let used = |()| {
            let planned = plan(ours.raw(), Some(variant))?;
            // SAFETY: the memory is exclusive and as long as planned.
            unsafe { build(base, planned.length, ours.raw(), &planned) }
        };
        measure(&mut group, &row(names[0]), || (), used);
        measure(&mut group, &row(names[1]), || (), |()| RankSelect::with_variant(&ours, Some(variant)));
    }
    let mut copy = words.clone();
    let used = |()| black_box(&mut copy).copy_from_slice(black_box(&words));
    measure(&mut group, &row("reference: copy, used memory"), || (), used);
    measure(&mut group, &row("reference: copy, fresh memory"), || (), |()| words.clone());
    for (name, make) in structures() {
        if !name.starts_with("offheap") && peers::takes(name, bits) {
            // The peers take the words and keep them, so only the index is built here.
            measure(&mut group, &row(name), || words.clone(), |words| make(words, bits));
        }
    }
    group.finish();
}

/// Counting and set algebra, compared with plain loops over the same bytes.
fn algebra(c: &mut Criterion) {
    let bits = numbers("OFFHEAP_BENCH_ALGEBRA", "1073741824")[0];
    let mut random = Random(3);
    let mut words = || random_words(&mut random, bits, 50);
    let (mut a, b) = (words(), words());
    let (mut into, other) = (bit_vec(&a, bits), bit_vec(&b, bits));
    let parameter = bits.to_string();
    let row = |name| Row { name, parameter: &parameter, elements: bits / 8 };
    let mut group = c.benchmark_group("algebra");
    let read = |()| black_box(&a).iter().fold(0u64, |sum, &word| sum.wrapping_add(word));
    measure(&mut group, &row("reference: read"), || (), read);
    measure(&mut group, &row("count"), || (), |()| into.count(0, bits));
    let change = |()| black_box(&mut a).iter_mut().for_each(|word| *word = word.wrapping_add(1));
    measure(&mut group, &row("reference: read and write"), || (), change);
    measure(&mut group, &row("not"), || (), |()| into.not());
    let merge = |()| {
        let pairs = black_box(&mut a).iter_mut().zip(black_box(&b));
        pairs.for_each(|(word, &other)| *word = word.wrapping_add(other));
    };
    measure(&mut group, &row("reference: read two and write"), || (), merge);
    for (name, op) in [("or", Op::Or), ("xor", Op::Xor), ("andNot", Op::AndNot), ("and", Op::And)] {
        measure(&mut group, &row(name), || (), |()| into.combine_range(op, &other, 0, bits));
    }
    group.finish();
}

fn all(c: &mut Criterion) {
    let densities = numbers("OFFHEAP_BENCH_DENSITY", "1,10,50,90");
    for bits in numbers("OFFHEAP_BENCH_BITS", "100000,1000000,134217728") {
        for &percent in &densities {
            ask(c, bits, percent);
        }
        make(c, bits, 50);
    }
    algebra(c);
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(300))
        .sample_size(10);
    targets = all
}
criterion_main!(benches);
