//! Hit ratios of SharedMap's policies on generated traces, next to exact LRU, S3-FIFO, quick_cache,
//! moka, and Bélády's optimum. Every cache gets as many entries as the map had room for.
//!
//! `cargo bench -p offheap-benches --features peers --bench hit_ratio`

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed benchmark")]
#![expect(clippy::print_stdout, reason = "the result")]

use offheap_core::region::element::Type;
use offheap_core::sharedmap::{Expiry, Key, Map, Mode, Options, ProcessMemory, Schema, Value, Write};
use std::collections::{BinaryHeap, HashMap, VecDeque};

const REQUESTS: usize = 2_000_000;
const KEYS: u64 = 100_000;

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Zipf's law by inversion of the cumulative distribution.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(keys: u64, exponent: f64) -> Zipf {
        let mut sum = 0.0;
        let mut cumulative: Vec<f64> = (1..=keys)
            .map(|rank| {
                sum += (rank as f64).powf(-exponent);
                sum
            })
            .collect();
        cumulative.iter_mut().for_each(|value| *value /= sum);
        Zipf(cumulative)
    }
    fn next(&self, random: &mut Random) -> u64 {
        let unit = random.unit();
        self.0.partition_point(|&value| value < unit) as u64
    }
}

fn traces() -> Vec<(&'static str, Vec<u64>)> {
    let mut random = Random(88_172_645_463_325_252);
    let mut traces = Vec::new();
    for (name, exponent) in [("Zipf 0.7", 0.7), ("Zipf 0.9", 0.9), ("Zipf 1.1", 1.1)] {
        let zipf = Zipf::new(KEYS, exponent);
        traces.push((name, (0..REQUESTS).map(|_| zipf.next(&mut random)).collect()));
    }
    let zipf = Zipf::new(KEYS, 0.9);
    let mut scan = 1_000_000;
    let mut scans = Vec::new();
    while scans.len() < REQUESTS {
        scans.extend((0..20_000).map(|_| zipf.next(&mut random)));
        scans.extend((0..10_000).map(|i| scan + i));
        scan += 10_000;
    }
    traces.push(("Zipf 0.9 and scans", scans));
    // The hot set moves by a tenth of the keys every tenth of the trace.
    let shifting =
        (0..REQUESTS).map(|i| (zipf.next(&mut random) + (i / (REQUESTS / 10)) as u64 * 9973) % KEYS);
    traces.push(("shifting hot set", shifting.collect()));
    // Each key is used a few times in a row, and never again.
    let mut bursts = Vec::new();
    let mut recent = VecDeque::new();
    let mut key = 0u64;
    while bursts.len() < REQUESTS {
        if recent.len() < 500 || random.unit() < 0.25 {
            key += 1;
            recent.push_back(key);
            if recent.len() > 500 {
                recent.pop_front();
            }
        }
        bursts.push(recent[random.next() as usize % recent.len()]);
    }
    traces.push(("bursts", bursts));
    let mut mixed = Vec::new();
    let mut position = 0u64;
    while mixed.len() < REQUESTS {
        mixed.extend((0..3).map(|_| zipf.next(&mut random)));
        mixed.push(2_000_000 + position % 20_000);
        position += 1;
    }
    traces.push(("Zipf 0.9 and a loop", mixed));
    traces
}

/// A loop; its length is a multiple of the capacity.
fn looping(capacity: usize, times: f64) -> Vec<u64> {
    let length = (capacity as f64 * times) as u64;
    (0..REQUESTS as u64).map(|i| i % length).collect()
}

fn schema(policy: u32) -> Options {
    let schema = Schema { key: Type::U64, value: Type::U64, policy, flags: 0 };
    Options { schema, max_bytes: 0, shards: None, ttl: 0.0, seeds: Some([1, 2]) }
}

/// The hit ratio in percent, and the number of entries at the end.
fn shared(policy: u32, max_bytes: u64, trace: &[u64]) -> (f64, usize) {
    let options = Options { max_bytes, ..schema(policy) };
    let mut memory = vec![0u64; (Map::region_size(&options).unwrap() / 8) as usize];
    let (base, length) = (memory.as_mut_ptr().cast(), memory.len() * 8);
    // SAFETY: the memory is zeroed, and outlives the map.
    let map = unsafe {
        Map::init(base, length, &options).unwrap();
        Map::attach(base, length, Box::new(ProcessMemory::default())).unwrap()
    };
    let mut hits = 0;
    let mut out = Vec::new();
    for &key in trace {
        out.clear();
        if map.get(&Key::Wide(key), 0.0, true, &mut out).unwrap().is_some() {
            hits += 1;
        } else {
            let write = Write {
                key: Key::Wide(key),
                value: Value::Wide(key),
                value_type: 0,
                mode: Mode::Set,
                expiry: Expiry::Default,
                now: 0.0,
            };
            map.write(&write).unwrap();
        }
    }
    (percent(hits, trace), map.len())
}

fn percent(hits: usize, trace: &[u64]) -> f64 {
    hits as f64 * 100.0 / trace.len() as f64
}

fn lru(capacity: usize, trace: &[u64]) -> f64 {
    let mut last: HashMap<u64, usize> = HashMap::new();
    let mut queue: VecDeque<(u64, usize)> = VecDeque::new();
    let mut hits = 0;
    for (now, &key) in trace.iter().enumerate() {
        hits += usize::from(last.insert(key, now).is_some());
        queue.push_back((key, now));
        while last.len() > capacity {
            let (key, time) = queue.pop_front().unwrap();
            if last.get(&key) == Some(&time) {
                last.remove(&key);
            }
        }
    }
    percent(hits, trace)
}

fn s3_fifo(capacity: usize, trace: &[u64]) -> f64 {
    let small_room = (capacity / 10).max(1);
    let (mut small, mut main, mut ghost) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
    let mut in_ghost: HashMap<u64, usize> = HashMap::new();
    let mut counts: HashMap<u64, u8> = HashMap::new();
    let mut hits = 0;
    for (now, &key) in trace.iter().enumerate() {
        if let Some(count) = counts.get_mut(&key) {
            *count = (*count + 1).min(3);
            hits += 1;
            continue;
        }
        while counts.len() >= capacity {
            if small.len() >= small_room || main.is_empty() {
                let Some(old) = small.pop_front() else { continue };
                if counts[&old] > 1 {
                    counts.insert(old, 0);
                    main.push_back(old);
                } else {
                    counts.remove(&old);
                    ghost.push_back((old, now));
                    in_ghost.insert(old, now);
                    if ghost.len() > capacity {
                        let (old, time) = ghost.pop_front().unwrap();
                        if in_ghost.get(&old) == Some(&time) {
                            in_ghost.remove(&old);
                        }
                    }
                }
            } else {
                let old = main.pop_front().unwrap();
                match counts.get_mut(&old).unwrap() {
                    0 => drop(counts.remove(&old)),
                    count => {
                        *count -= 1;
                        main.push_back(old);
                    }
                }
            }
        }
        counts.insert(key, 0);
        if in_ghost.remove(&key).is_some() { main.push_back(key) } else { small.push_back(key) }
    }
    percent(hits, trace)
}

/// Bélády 1966: evict the key that is used again last.
fn optimal(capacity: usize, trace: &[u64]) -> f64 {
    let mut next = vec![usize::MAX; trace.len()];
    let mut seen: HashMap<u64, usize> = HashMap::new();
    for (index, &key) in trace.iter().enumerate().rev() {
        next[index] = seen.insert(key, index).unwrap_or(usize::MAX);
    }
    let mut cached: HashMap<u64, usize> = HashMap::new();
    let mut heap: BinaryHeap<(usize, u64)> = BinaryHeap::new();
    let mut hits = 0;
    for (index, &key) in trace.iter().enumerate() {
        hits += usize::from(cached.insert(key, next[index]).is_some());
        heap.push((next[index], key));
        while cached.len() > capacity {
            let (time, key) = heap.pop().unwrap();
            if cached.get(&key) == Some(&time) {
                cached.remove(&key);
            }
        }
    }
    percent(hits, trace)
}

#[cfg(feature = "peers")]
fn quick(capacity: usize, trace: &[u64]) -> f64 {
    let cache = quick_cache::unsync::Cache::new(capacity);
    let mut hits = 0;
    let mut cache = cache;
    for &key in trace {
        if cache.get(&key).is_some() {
            hits += 1;
        } else {
            cache.insert(key, key);
        }
    }
    percent(hits, trace)
}

#[cfg(feature = "peers")]
fn moka(capacity: usize, trace: &[u64]) -> f64 {
    let cache = moka::sync::Cache::new(capacity as u64);
    let mut hits = 0;
    for &key in trace {
        if cache.get(&key).is_some() {
            hits += 1;
        } else {
            cache.insert(key, key);
        }
    }
    percent(hits, trace)
}

#[cfg(not(feature = "peers"))]
fn quick(_: usize, _: &[u64]) -> f64 {
    f64::NAN
}

#[cfg(not(feature = "peers"))]
fn moka(_: usize, _: &[u64]) -> f64 {
    f64::NAN
}

const POLICIES: [(&str, u32); 5] = [("auto", 0), ("s3-fifo", 1), ("lru", 2), ("lfu", 3), ("fifo", 4)];

fn row(name: &str, max_bytes: u64, trace: &[u64]) {
    let results: Vec<(f64, usize)> =
        POLICIES.iter().map(|&(_, policy)| shared(policy, max_bytes, trace)).collect();
    let capacity = results[0].1;
    print!("| {name} | {capacity} ");
    for (ratio, _) in &results {
        print!("| {ratio:.1} ");
    }
    let peers =
        [quick(capacity, trace), moka(capacity, trace), lru(capacity, trace), s3_fifo(capacity, trace)];
    for ratio in peers {
        print!("| {ratio:.1} ");
    }
    let best = peers.iter().copied().fold(0.0, f64::max);
    println!("| {:.1} | {:+.1} |", optimal(capacity, trace), results[0].0 - best);
}

fn main() {
    // `cargo test --benches` runs this too.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    println!(
        "| trace | entries | {} | quick_cache | moka | LRU | S3-FIFO | optimum | auto, to the best peer |",
        POLICIES.map(|(name, _)| name).join(" | ")
    );
    println!("{}", "| --- ".repeat(13) + "|");
    let traces = traces();
    for entries in [1_000u64, 5_000, 10_000] {
        let max_bytes = (entries * 36 + entries * 36 / 8).max(1 << 16);
        for (name, trace) in &traces {
            row(name, max_bytes, trace);
        }
        let capacity = shared(4, max_bytes, &traces[0].1).1;
        for times in [1.2, 2.0, 4.0] {
            row(&format!("loop of {times} times the entries"), max_bytes, &looping(capacity, times));
        }
    }
}
