//! Statistical tests of the hash functions: avalanche, sets of similar keys, crafted differences,
//! rates of Bloom filters. `scripts/hash-quality.mjs` is a longer form in TypeScript, which
//! computes the same hashes. `OFFHEAP_HASH_SEEDS` sets the number of seeds.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::compress::BloomFilter;
use offheap_core::compress::bloom::{self, Hashed};
use offheap_core::region::numbers::Numbers;
use offheap_core::table::hash::{Home, Seeds, blob, tag};
use std::collections::HashSet;

const KEYS: usize = 20_000;
const LANES: u8 = 12;

fn seeds() -> usize {
    std::env::var("OFFHEAP_HASH_SEEDS").map_or(3, |count| count.parse().unwrap())
}

/// Random numbers, the same in every run (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ x >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ x >> 31
    }

    fn seeds(&mut self) -> [u32; 2] {
        let seeds = self.next();
        [seeds as u32, (seeds >> 32) as u32]
    }
}

/// A hash function: its name, the bits of its keys, and the hash of a key under two seeds.
type Subject = (&'static str, u32, fn([u32; 2], u64) -> u32);

const SUBJECTS: [Subject; 10] = [
    ("HashMap, 4-byte keys", 32, |seeds, key| Seeds::new(seeds, 2).narrow(key as u32)),
    ("HashMap, 8-byte keys", 64, |seeds, key| Seeds::new(seeds, 2).wide(key)),
    ("SmallMapArena, 4-byte keys", 32, |seeds, key| Seeds::new(seeds, 2).narrow_of(77, key as u32)),
    ("SmallMapArena, 8-byte keys", 64, |seeds, key| Seeds::new(seeds, 2).wide_of(77, key)),
    ("blobs of 4 bytes", 32, |seeds, key| blob(&(key as u32).to_le_bytes(), seeds)),
    ("blobs of 8 bytes", 64, |seeds, key| blob(&key.to_le_bytes(), seeds)),
    ("BloomFilter, block of bytes", 64, |seeds, key| bloom_bytes(seeds, key).block),
    ("BloomFilter, lanes of bytes", 64, |seeds, key| bloom_bytes(seeds, key).lanes),
    ("BloomFilter, block of numbers", 64, |seeds, key| bloom_number(seeds, key).0),
    ("BloomFilter, lanes of numbers", 64, |seeds, key| bloom_number(seeds, key).1),
];

fn bloom_bytes(seeds: [u32; 2], key: u64) -> Hashed {
    bloom::hash::bytes(bloom_seeds(seeds), &key.to_le_bytes())
}

/// The hash of a double; all NaNs are one key, so they get random hashes here.
fn bloom_number(seeds: [u32; 2], key: u64) -> (u32, u32) {
    let value = f64::from_bits(key);
    if value.is_nan() {
        let mut random = Random(key ^ u64::from(seeds[0]));
        return (random.next() as u32, random.next() as u32);
    }
    let hashed = bloom::hash::number(bloom_seeds(seeds), value);
    (hashed.block, hashed.lanes)
}

fn bloom_seeds(seeds: [u32; 2]) -> bloom::Seeds {
    bloom::Seeds::new(seeds, 2)
}

/// A series of numbers: its name, and its element at an index.
type Series<T> = (&'static str, fn(u32) -> T);

/// Sets of keys of 4 bytes.
const WORDS: [Series<u32>; 14] = [
    ("sequential", |i| i),
    ("stride 1000", |i| i * 1000),
    ("stride 2^11", |i| i << 11),
    ("stride 2^12", |i| i << 12),
    ("stride 2^13", |i| i << 13),
    ("stride 2^15", |i| i << 15),
    ("high half only", |i| i << 16 | 80),
    ("byte-swapped counter", u32::swap_bytes),
    ("byte-swapped 10.x.y.z", |i| (0x0A00_0000 + i).swap_bytes()),
    ("IPv4 10.x.y.z", |i| 0x0A00_0000 + i),
    ("bit-reversed", u32::reverse_bits),
    ("seconds since 1970", |i| 1_700_000_000 + i),
    ("every minute", |i| 1_000_000_000 + i * 60),
    ("Gray code", |i| i ^ i >> 1),
];

/// Sets of doubles.
const DOUBLES: [Series<f64>; 13] = [
    ("from 0", f64::from),
    ("from 1e8", |i| 1e8 + f64::from(i)),
    ("from 1e9", |i| 1e9 + f64::from(i)),
    ("from 3e9", |i| 3e9 + f64::from(i)),
    ("from 1e12", |i| 1e12 + f64::from(i)),
    ("IPv4 10.x.y.z", |i| f64::from(0x0A00_0000 + i)),
    ("seconds since 1970", |i| f64::from(1_700_000_000 + i)),
    ("milliseconds since 1970", |i| 1.7e12 + f64::from(i) * 17.0),
    ("every minute", |i| 1_699_999_980.0 + f64::from(i) * 60.0),
    ("hundredths", |i| f64::from(i) / 100.0),
    ("stride 2^20", |i| f64::from(i) * 1_048_576.0),
    ("byte-swapped", |i| f64::from(i.swap_bytes())),
    ("bit-reversed", |i| f64::from(i.reverse_bits())),
];

/// Keys that differ in few bits: the words of 64 bits with up to three ones.
fn sparse(bits: u32) -> Vec<u64> {
    let mut found = HashSet::from([0]);
    for a in 0..bits {
        for b in 0..=a {
            for c in 0..=b {
                found.insert(1 << a | 1 << b | 1 << c);
            }
        }
    }
    let mut found: Vec<u64> = found.into_iter().collect();
    found.sort_unstable();
    found.truncate(KEYS);
    found
}

fn patterns(bits: u32) -> Vec<(String, Vec<u64>)> {
    let count = KEYS as u32;
    let mut sets = vec![("sparse".to_owned(), sparse(bits))];
    for (name, at) in WORDS {
        sets.push((name.to_owned(), (0..count).map(|i| u64::from(at(i))).collect()));
    }
    if bits == 64 {
        for (name, at) in WORDS {
            sets.push((format!("high word, {name}"), (0..count).map(|i| u64::from(at(i)) << 32).collect()));
        }
        for (name, at) in DOUBLES {
            sets.push((format!("doubles, {name}"), (0..count).map(|i| at(i).to_bits()).collect()));
        }
        type Pairs = (&'static str, fn(u32, u32) -> (u32, u32));
        let pairs: [Pairs; 5] = [
            ("crafted for version 1", |t, u| (t << 22, u << 22 ^ u << 7)),
            ("high bits of both words", |t, u| (t << 22, u << 22)),
            ("high bits and halves", |t, u| (t << 22 | u << 6, u << 22)),
            ("equal words", |t, u| (t << 10 | u, t << 10 | u)),
            ("opposite words", |t, u| (t << 10 | u, !(t << 10 | u))),
        ];
        for (name, at) in pairs {
            let keys = (0..count).map(|i| at(i & 1023, i >> 10));
            sets.push((name.to_owned(), keys.map(|(lo, hi)| u64::from(hi) << 32 | u64::from(lo)).collect()));
        }
    }
    sets
}

#[test]
fn every_bit_of_a_key_changes_every_bit_of_the_hash_half_the_time() {
    const SAMPLES: u32 = 2000;
    for (name, bits, hash) in SUBJECTS {
        let mut random = Random(1);
        let mut flips = vec![[0u32; 32]; bits as usize];
        for _ in 0..SAMPLES {
            let (seeds, key) = (random.seeds(), random.next());
            let before = hash(seeds, key);
            for (bit, flips) in flips.iter_mut().enumerate() {
                let changed = before ^ hash(seeds, key ^ 1 << bit);
                for (out, flips) in flips.iter_mut().enumerate() {
                    *flips += changed >> out & 1;
                }
            }
        }
        for (bit, flips) in flips.iter().enumerate() {
            for (out, &count) in flips.iter().enumerate() {
                let share = f64::from(count) / f64::from(SAMPLES);
                assert!((share - 0.5).abs() < 0.08, "{name}: bit {bit} changes bit {out} in {share}");
            }
        }
    }
}

#[test]
fn lookups_visit_few_buckets_for_sets_of_similar_keys() {
    for (name, bits, hash) in SUBJECTS {
        for (pattern, keys) in patterns(bits) {
            let mut random = Random(2);
            // As full as an index gets: 9.8 of 12 lanes.
            let buckets = 2048 * keys.len() as u32 / KEYS as u32;
            let home = Home::new(2048);
            for _ in 0..seeds() {
                let seeds = random.seeds();
                let mut load = vec![0u8; 2048];
                let mut tags = [0u32; 128];
                let mut visited = 0;
                let mut hashes: Vec<u32> = keys.iter().map(|&key| hash(seeds, key)).collect();
                for &hash in &hashes {
                    let mut bucket = home.of(hash) as usize;
                    visited += 1;
                    while load[bucket] == LANES {
                        bucket = (bucket + 1) % 2048;
                        visited += 1;
                    }
                    load[bucket] += 1;
                    tags[usize::from(tag(hash))] += 1;
                }
                let mean = f64::from(visited) / keys.len() as f64;
                assert!(mean < 1.3, "{name}, {pattern}: {mean} buckets of {buckets}");
                let most = f64::from(*tags.iter().max().unwrap()) / keys.len() as f64;
                assert!(most < 4.0 / 127.0, "{name}, {pattern}: one tag for {most} of the keys");
                hashes.sort_unstable();
                let equal = hashes.windows(2).filter(|pair| pair[0] == pair[1]).count();
                assert!(equal < 20, "{name}, {pattern}: {equal} keys have equal hashes");
            }
        }
    }
}

#[test]
fn no_difference_of_two_keys_makes_their_hashes_equal_without_the_seeds() {
    // Of a million keys that were crafted for version 1, a seventh had a hash of its own.
    let mut random = Random(3);
    for _ in 0..3 {
        let seeds = Seeds::new(random.seeds(), 2);
        let mut hashes: Vec<u32> = (0..1u32 << 20)
            .map(|i| {
                let (t, u) = (i & 1023, i >> 10);
                seeds.wide(u64::from(u << 22 ^ u << 7) << 32 | u64::from(t << 22))
            })
            .collect();
        hashes.sort_unstable();
        hashes.dedup();
        // Random hashes: 128 fewer than keys.
        assert!(hashes.len() > (1 << 20) - 5_000, "{} hashes", hashes.len());
    }
    let mut deltas = vec![0u64];
    for a in 0..32 {
        deltas.extend((0..=a).map(|b| 1 << a | 1 << b));
    }
    for (name, _, hash) in SUBJECTS.into_iter().filter(|&(_, bits, _)| bits == 64) {
        let known = [0x8001_0000_8000_0000, 0x0001_0000_8000_0000, 0x4000_8000_4000_0000];
        let sparse = deltas.iter().flat_map(|hi| deltas.iter().map(move |lo| hi << 32 | lo));
        for (delta, samples) in sparse
            .filter(|&delta| delta != 0)
            .map(|delta| (delta, 8))
            .chain(known.map(|delta| (delta, 20_000)))
        {
            let collisions = (0..samples)
                .filter(|_| {
                    let (seeds, key) = (random.seeds(), random.next());
                    hash(seeds, key) == hash(seeds, key ^ delta)
                })
                .count();
            assert!(collisions < 4 + samples / 2000, "{name}: {delta:#x} collides {collisions} times");
        }
    }
}

#[test]
fn bloom_filters_keep_their_rate_for_similar_numbers() {
    for (name, at) in DOUBLES {
        let mut random = Random(4);
        for _ in 0..seeds() {
            let mut filter = BloomFilter::with_seeds(KEYS as u64, 0.01, random.seeds()).unwrap();
            let numbers = |odd: u32| (0..KEYS as u32).map(|i| at(2 * i + odd)).collect::<Vec<f64>>();
            filter.add_numbers(&Numbers::of(&numbers(0), "keys")).unwrap();
            let mut found = vec![0; KEYS];
            filter.has_numbers(&Numbers::of(&numbers(1), "keys"), &mut found).unwrap();
            let rate = found.iter().map(|&found| f64::from(found)).sum::<f64>() / KEYS as f64;
            assert!(rate < 0.015, "{name}: {rate}");
        }
    }
}

#[test]
fn hashes_are_those_that_typescript_computes() {
    // `test/field/hash-quality.test.ts` contains the same numbers.
    let seeds = [0x0123_4567, 0x89AB_CDEF];
    let first = Seeds::new(seeds, 1);
    let second = Seeds::new(seeds, 2);
    let key = 0x0FED_CBA9_8765_4321;
    let all = [first.narrow(7), second.narrow(7), first.wide(key), second.wide(key), second.wide_of(9, key)];
    assert_eq!(all, [0x6A60_E55E, 0x94EA_86E2, 0xCD1A_25FF, 0x5A26_C170, 0x06A2_2C21]);
}
