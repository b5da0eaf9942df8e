//! SharedMap beside concurrent caches (quick_cache, moka) and maps (dashmap, papaya, scc): get,
//! insert and a mix, u64 to u64, with one and two threads, in millions of operations per second.
//!
//! The caches are full and evict with each insertion; the maps replace values. All contenders run
//! the same sequence, in turns; the median of the rounds is reported.
//!
//! `cargo bench -p offheap-benches --features peers --bench sharedmap`

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed benchmark")]
#![expect(clippy::print_stdout, reason = "the result")]

use offheap_core::region::element::Type;
use offheap_core::sharedmap::{Expiry, Key, Map, Mode, Options, ProcessMemory, Schema, Value, Write};
use std::cell::RefCell;
use std::sync::Barrier;
use std::time::Instant;

const ROUNDS: usize = 5;
const OPERATIONS: u64 = 1_000_000;

/// A contender. Each thread gets its own handle.
trait Contender: Sync {
    fn name(&self) -> &'static str;
    fn is_cache(&self) -> bool;
    /// Runs work with this thread's handle.
    fn with(&self, work: &mut dyn FnMut(&dyn Handle));
}

trait Handle {
    fn get(&self, key: u64) -> Option<u64>;
    fn set(&self, key: u64, value: u64);
}

struct Shared {
    memory: Vec<u64>,
}

struct Attached {
    map: Map,
    out: RefCell<Vec<u8>>,
}

impl Shared {
    fn new(entries: u64, evicts: bool) -> Shared {
        let schema = Schema { key: Type::U64, value: Type::U64, policy: 0, flags: 0 };
        let max_bytes = (entries * if evicts { 37 } else { 80 }).max(1 << 16);
        let options = Options { schema, max_bytes, shards: None, ttl: 0.0, seeds: Some([1, 2]) };
        let mut memory = vec![0u64; (Map::region_size(&options).unwrap() / 8) as usize];
        // SAFETY: the memory is zeroed, and belongs to this value.
        unsafe { Map::init(memory.as_mut_ptr().cast(), memory.len() * 8, &options).unwrap() };
        Shared { memory }
    }
}

impl Contender for Shared {
    fn name(&self) -> &'static str {
        "SharedMap"
    }
    fn is_cache(&self) -> bool {
        true
    }
    fn with(&self, work: &mut dyn FnMut(&dyn Handle)) {
        let base = self.memory.as_ptr().cast_mut().cast();
        // SAFETY: the memory contains a map, whose accesses are atomic, and outlives the
        // attachment.
        let map = unsafe { Map::attach(base, self.memory.len() * 8, Box::new(ProcessMemory::default())) };
        work(&Attached { map: map.unwrap(), out: RefCell::default() });
    }
}

impl Handle for Attached {
    fn get(&self, key: u64) -> Option<u64> {
        let mut out = self.out.borrow_mut();
        out.clear();
        self.map.get(&Key::Wide(key), 0.0, true, &mut out).unwrap()?;
        Some(u64::from_le_bytes(out.as_slice().try_into().unwrap()))
    }
    fn set(&self, key: u64, value: u64) {
        let write = Write {
            key: Key::Wide(key),
            value: Value::Wide(value),
            value_type: 0,
            mode: Mode::Set,
            expiry: Expiry::Default,
            now: 0.0,
        };
        self.map.write(&write).unwrap();
    }
}

#[cfg(feature = "peers")]
mod peers {
    use super::{Contender, Handle};

    macro_rules! peer {
        ($name:ident, $text:literal, $cache:literal, $type:ty, |$map:ident, $key:ident| $get:expr, |$value:ident| $set:expr) => {
            pub(super) struct $name(pub(super) $type);
            impl Contender for $name {
                fn name(&self) -> &'static str {
                    $text
                }
                fn is_cache(&self) -> bool {
                    $cache
                }
                fn with(&self, work: &mut dyn FnMut(&dyn Handle)) {
                    work(self);
                }
            }
            impl Handle for $name {
                fn get(&self, $key: u64) -> Option<u64> {
                    let $map = &self.0;
                    $get
                }
                fn set(&self, $key: u64, $value: u64) {
                    let $map = &self.0;
                    $set;
                }
            }
        };
    }

    peer!(Quick, "quick_cache", true, quick_cache::sync::Cache<u64, u64>, |map, key| map.get(&key), |value| map
        .insert(key, value));
    peer!(Moka, "moka", true, moka::sync::Cache<u64, u64>, |map, key| map.get(&key), |value| map
        .insert(key, value));
    peer!(Dash, "dashmap", false, dashmap::DashMap<u64, u64>, |map, key| map.get(&key).map(|value| *value), |value| map
        .insert(key, value));
    peer!(Papaya, "papaya", false, papaya::HashMap<u64, u64>, |map, key| map.pin().get(&key).copied(), |value| {
        map.pin().insert(key, value);
    });
    peer!(Scc, "scc", false, scc::HashMap<u64, u64>, |map, key| map.read_sync(&key, |_, value| *value), |value| map
        .upsert_sync(key, value));

    pub(super) fn all(entries: u64) -> Vec<Box<dyn Contender>> {
        vec![
            Box::new(Quick(quick_cache::sync::Cache::new(entries as usize))),
            Box::new(Moka(moka::sync::Cache::new(entries))),
            Box::new(Dash(dashmap::DashMap::new())),
            Box::new(Papaya(papaya::HashMap::new())),
            Box::new(Scc(scc::HashMap::new())),
        ]
    }
}

#[cfg(not(feature = "peers"))]
mod peers {
    pub(super) fn all(_: u64) -> Vec<Box<dyn super::Contender>> {
        Vec::new()
    }
}

/// The share of writes, of 256, and whether they add keys.
#[derive(Clone, Copy)]
struct Mix {
    name: &'static str,
    writes: u64,
    new_keys: bool,
}

const MIXES: [Mix; 3] = [
    Mix { name: "get", writes: 0, new_keys: false },
    Mix { name: "insert of new keys", writes: 256, new_keys: true },
    Mix { name: "90% get, 10% set", writes: 26, new_keys: false },
];

fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Distinct keys that look random.
fn key(index: u64) -> u64 {
    index.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

fn run(handle: &dyn Handle, mix: Mix, entries: u64, first: u64, seed: u64) -> u64 {
    let mut state = seed;
    let mut sum = 0;
    for i in 0..OPERATIONS {
        let random = next(&mut state);
        let index = if mix.new_keys { first + i } else { ((random >> 32) * entries) >> 32 };
        if random & 255 < mix.writes {
            handle.set(key(index), i);
        } else {
            sum += handle.get(key(index)).unwrap_or(0);
        }
    }
    sum
}

/// Millions of operations per second.
fn measure(contender: &dyn Contender, mix: Mix, entries: u64, threads: u64, round: u64) -> f64 {
    let barrier = Barrier::new(threads as usize);
    let slowest = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads)
            .map(|thread| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let mut seconds = 0.0;
                    contender.with(&mut |handle| {
                        barrier.wait();
                        let start = Instant::now();
                        let first = (round * threads + thread + 1) << 32;
                        let seed = 88_172_645_463_325_252 + thread * 977 + round;
                        std::hint::black_box(run(handle, mix, entries, first, seed));
                        seconds = start.elapsed().as_secs_f64();
                    });
                    seconds
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().unwrap()).fold(0.0, f64::max)
    });
    (OPERATIONS * threads) as f64 / slowest / 1e6
}

fn main() {
    // `cargo test --benches` runs this too.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let names: Vec<_> = peers::all(1).iter().map(|peer| peer.name()).collect();
    println!("Millions of operations per second\n\n| | SharedMap | {} |", names.join(" | "));
    println!("{}", "| --- ".repeat(names.len() + 2) + "|");
    for entries in [1_000u64, 100_000, 1_000_000] {
        for mix in MIXES {
            let mut all: Vec<Box<dyn Contender>> = vec![Box::new(Shared::new(entries, mix.new_keys))];
            all.extend(peers::all(entries));
            for contender in &all {
                contender.with(&mut |handle| (0..entries).for_each(|i| handle.set(key(i), i)));
            }
            for threads in [1, 2] {
                let mut cells = Vec::new();
                let mut rounds: Vec<Vec<f64>> = vec![Vec::new(); all.len()];
                for round in 0..ROUNDS as u64 {
                    for (contender, found) in all.iter().zip(&mut rounds) {
                        // A map without a bound would only grow.
                        if contender.is_cache() || !mix.new_keys {
                            found.push(measure(contender.as_ref(), mix, entries, threads, round));
                        }
                    }
                }
                for found in &mut rounds {
                    found.sort_by(f64::total_cmp);
                    cells.push(found.get(found.len() / 2).map_or(String::new(), |rate| format!("{rate:.1}")));
                }
                let plural = if threads == 1 { "" } else { "s" };
                println!(
                    "| {}, {entries} entries, {threads} thread{plural} | {} |",
                    mix.name,
                    cells.join(" | ")
                );
            }
        }
    }
}
