//! Compares rank and select with lists of positions, for every variant and every instruction set.

use super::bulk::{Query, answer};
use super::layout::{LINE_BITS, SUPERBLOCK, Shape, Variant, word};
use super::raw::{Index, RawRankSelect};
use super::{RankSelect, plan};
use crate::ErrorKind;
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::region::numbers::{Numbers, NumbersMut};
use crate::succinct::BitVec;
use crate::succinct::block::Tier;
use proptest::prelude::*;

const VARIANTS: [Variant; 3] = [Variant::Flat, Variant::Interleaved, Variant::Sparse];

/// The same structure with each instruction set that the processor supports.
fn tiers(structure: &RankSelect) -> Vec<RawRankSelect> {
    let bytes = structure.bytes();
    // SAFETY: the structure outlives the views, and nothing writes it.
    let again = || unsafe { RawRankSelect::attach(bytes.as_ptr(), bytes.len()) }.unwrap();
    if matches!(structure.index, Index::Sparse(_) | Index::Constant) {
        return vec![again()];
    }
    Tier::available()
        .into_iter()
        .map(|tier| {
            let mut raw = again();
            raw.index = match raw.index {
                Index::Flat(flat) => Index::Flat(flat.with_tier(tier)),
                Index::Interleaved(lines) => Index::Interleaved(lines.with_tier(tier)),
                other => other,
            };
            raw
        })
        .collect()
}

/// Checks all queries at the positions that matter.
fn check(bits: &BitVec, variant: Option<Variant>, every: usize) {
    let structure = RankSelect::with_variant(bits, variant).unwrap();
    structure.validate().unwrap();
    let length = bits.len();
    let ones: Vec<u64> = bits.ones().collect();
    assert_eq!((structure.len(), structure.ones()), (length, ones.len() as u64));
    let zeros: Vec<u64> = (0..length).filter(|&at| bits.get(at) == Some(false)).collect();
    let near = |at: u64| {
        let edge = |size: u64| at % size < 2 || at % size == size - 1;
        edge(64) || edge(512) || edge(SUPERBLOCK) || edge(LINE_BITS) || at + 70 > length
    };
    let positions: Vec<u64> =
        (0..=length).filter(|&at| near(at) || at.is_multiple_of(every as u64)).collect();
    for raw in tiers(&structure) {
        let mut ranks = Vec::new();
        for &at in &positions {
            let rank = ones.partition_point(|&one| one < at) as u64;
            assert_eq!(raw.rank1(at), rank, "rank1({at}) of {length} in {:?}", raw.variant());
            assert_eq!(raw.rank0(at), at - rank);
            assert_eq!(raw.get(at), bits.get(at), "get({at})");
            ranks.push(rank);
        }
        assert_eq!(raw.rank1(length + 5), ones.len() as u64);
        let ask = |query: Query, inputs: &[u64]| {
            let mut out = vec![0; inputs.len()];
            answer(&raw, query, &Numbers::of(inputs, "inputs"), &mut NumbersMut::of(&mut out)).unwrap();
            out
        };
        assert_eq!(ask(Query::Rank1, &positions), ranks);
        for (k, &at) in ones.iter().enumerate().step_by(every) {
            assert_eq!(raw.select1(k as u64), Some(at), "select1({k}) of {length} in {:?}", raw.variant());
        }
        for (k, &at) in zeros.iter().enumerate().step_by(every) {
            assert_eq!(raw.select0(k as u64), Some(at), "select0({k}) of {length} in {:?}", raw.variant());
        }
        assert_eq!(raw.select1(ones.len() as u64), None);
        assert_eq!(raw.select0(zeros.len() as u64), None);
        assert_eq!(ask(Query::Select1, &(0..ones.len() as u64).collect::<Vec<_>>()), ones);
        assert_eq!(ask(Query::Select0, &(0..zeros.len() as u64).collect::<Vec<_>>()), zeros);
    }
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn random_bits(length: u64, percent: u64) -> BitVec {
    let mut random = Random(length * 101 + percent + 1);
    BitVec::from_bits((0..length).map(|_| (random.next() >> 7) % 100 < percent)).unwrap()
}

#[test]
fn agrees_for_short_vectors_of_every_length() {
    for length in (0..67).chain([127, 128, 129, 447, 448, 495, 496, 497, 511, 512, 513, 991, 992, 993, 1024])
    {
        for percent in [0, 1, 50, 99, 100] {
            for variant in VARIANTS {
                check(&random_bits(length, percent), Some(variant), 1);
            }
        }
    }
}

#[test]
fn agrees_for_lengths_around_blocks_and_superblocks() {
    if cfg!(miri) {
        return;
    }
    for base in [4096, 8192, 63_488, 65_536] {
        for length in [base - 1, base, base + 1, base + 511, base + 512, base + 513] {
            for percent in [1, 10, 50, 90] {
                for variant in VARIANTS {
                    check(&random_bits(length, percent), Some(variant), 7);
                }
            }
        }
    }
}

#[test]
fn agrees_for_clusters_that_are_far_apart() {
    if cfg!(miri) {
        return;
    }
    // Dense runs and single ones among long runs of zeros, and the reverse, so that samples are far
    // apart.
    let length = 3_000_000;
    let mut bits = BitVec::new(length).unwrap();
    bits.fill(0, 400_000, true).unwrap();
    for at in (500_000..length).step_by(70_001) {
        bits.set(at, true).unwrap();
    }
    bits.fill(1_900_000, 1_900_900, true).unwrap();
    for variant in VARIANTS {
        check(&bits, Some(variant), 97);
    }
    bits.not();
    for variant in VARIANTS {
        check(&bits, Some(variant), 97);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 60 }))]
    #[test]
fn agrees_for_runs_of_any_length(
        runs in proptest::collection::vec(prop_oneof![0u64..10, 0u64..600, 0u64..9000], 1..40),
    ) {
        let mut bits = BitVec::new(runs.iter().sum()).unwrap();
        let mut at = 0;
        for (i, run) in runs.iter().enumerate() {
            bits.fill(at, at + run, i % 2 == 1).unwrap();
            at += run;
        }
        for variant in VARIANTS.map(Some).into_iter().chain([None]) {
            check(&bits, variant, 5);
        }
    }
}

#[test]
fn agrees_for_constant_bits() {
    for length in [0, 1, 100, 5000] {
        for percent in [0, 100] {
            let bits = random_bits(length, percent);
            check(&bits, None, 1);
            check(&bits, Some(Variant::Constant), 1);
            let structure = RankSelect::with_variant(&bits, None).unwrap();
            assert_eq!((structure.variant(), structure.bytes().len()), (Variant::Constant, 256));
        }
    }
    let mixed = random_bits(100, 50);
    let refused = RankSelect::with_variant(&mixed, Some(Variant::Constant)).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Range);
}

#[test]
fn chooses_sparse_for_few_ones_or_few_zeros() {
    if cfg!(miri) {
        return;
    }
    let bits = random_bits(300_000, 1);
    let mut others = random_bits(300_000, 1);
    others.not();
    for bits in [&bits, &others] {
        let structure = RankSelect::with_variant(bits, None).unwrap();
        assert_eq!(structure.variant(), Variant::Sparse);
        // About 2.7 + log2(100) bits for each of 3000 positions.
        assert!(structure.overhead() < -0.88, "{}", structure.overhead());
    }
    let half = RankSelect::with_variant(&random_bits(300_000, 50), None).unwrap();
    assert_eq!(half.variant(), Variant::Flat);
}

#[test]
fn overhead_is_within_the_documented_limits() {
    for percent in [1, 10, 50, 90] {
        let bits = random_bits(if cfg!(miri) { 10_000 } else { 4_000_000 }, percent);
        let flat = RankSelect::new(&bits).unwrap();
        let expected = (flat.bytes().len() as f64 * 8.0 - bits.len() as f64) / bits.len() as f64;
        assert_eq!(flat.overhead(), expected);
        if !cfg!(miri) {
            assert!(flat.overhead() < 0.042, "{percent}: {}", flat.overhead());
            let lines = RankSelect::with_variant(&bits, Some(Variant::Interleaved)).unwrap();
            assert!(lines.overhead() < 0.045, "{percent}: {}", lines.overhead());
        }
    }
}

#[test]
fn bulk_queries_are_checked_before_any_is_answered() {
    let bits = random_bits(1000, 30);
    let structure = RankSelect::new(&bits).unwrap();
    let ones = structure.ones();
    let mut out = [7u64; 3];
    for (query, inputs) in [
        (Query::Rank1, [0, 1000, 1001]),
        (Query::Rank0, [0, u64::MAX, 5]),
        (Query::Select1, [0, 1, ones]),
        (Query::Select0, [1000 - ones, 0, 0]),
    ] {
        let error = structure.answer_many(query, &inputs, &mut out).unwrap_err();
        assert_eq!((error.kind(), out), (ErrorKind::Range, [7; 3]), "{query:?}");
    }
    assert_eq!(structure.rank1_many(&[0, 1, 2], &mut out[..2]).unwrap_err().kind(), ErrorKind::Range);
    structure.rank1_many(&[1000, 0, 500], &mut out).unwrap();
    assert_eq!(out, [ones, 0, structure.rank1(500)]);
    for wrong in [-1.0, 0.5, 1000.5, f64::NAN, f64::INFINITY, -f64::INFINITY, 1e300, 1001.0] {
        let inputs = [0.0, 1000.0, wrong];
        let source = Numbers::of(&inputs, "inputs");
        let refused = answer(&structure, Query::Rank1, &source, &mut NumbersMut::of(&mut out)).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Range, "{wrong}");
    }
    let inputs = [0.0, 1000.0, -0.0];
    let mut out = [0u32; 3];
    let source = Numbers::of(&inputs, "inputs");
    answer(&structure, Query::Rank1, &source, &mut NumbersMut::of(&mut out)).unwrap();
    assert_eq!(out, [0, ones as u32, 0]);
}

#[test]
fn rejects_a_plan_for_other_bits() {
    let (bits, mut other) = (random_bits(1000, 30), random_bits(1000, 30));
    let planned = plan(bits.raw(), Some(Variant::Flat)).unwrap();
    other.flip(5).unwrap();
    let mut memory = vec![0u64; planned.length / 8];
    let base = memory.as_mut_ptr().cast::<u8>();
    // SAFETY: the memory is as long as planned.
    unsafe {
        let refused = super::build(base, planned.length, other.raw(), &planned).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Stale);
        assert_eq!(RawRankSelect::attach(base, planned.length).unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(
            super::build(base, planned.length - 1, bits.raw(), &planned).unwrap_err().kind(),
            ErrorKind::Full
        );
        super::build(base, planned.length, bits.raw(), &planned).unwrap();
        assert_eq!(RawRankSelect::attach(base, planned.length).unwrap().ones(), bits.count(0, 1000).unwrap());
    }
}

#[test]
fn reads_nothing_far_from_the_answer() {
    // A fault of another library: a select that scans from bit 0. Here everything up to the middle
    // is corrupted, and the results must not change.
    if cfg!(miri) {
        return;
    }
    let bits = random_bits(1_000_000, 50);
    for variant in [Variant::Flat, Variant::Interleaved] {
        let structure = RankSelect::with_variant(&bits, Some(variant)).unwrap();
        let mut copy: Vec<u64> = structure
            .bytes()
            .chunks_exact(8)
            .map(|bytes| u64::from_le_bytes(bytes.try_into().unwrap()))
            .collect();
        let layout = structure.layout;
        for (from, to) in [(layout.bits, layout.index), (layout.index, layout.index_end)] {
            copy[from / 8..from.midpoint(to) / 8].fill(0x5555_5555_5555_5555);
        }
        // SAFETY: the region has this many bytes.
        let spoilt = unsafe { RawRankSelect::attach(copy.as_ptr().cast(), copy.len() * 8) }.unwrap();
        for at in (600_000..1_000_000).step_by(997) {
            let (ones, zeros) = (structure.rank1(at), structure.rank0(at));
            assert_eq!(spoilt.rank1(at), ones);
            assert_eq!(spoilt.select1(ones), structure.select1(ones), "{variant:?} {at}");
            assert_eq!(spoilt.select0(zeros), structure.select0(zeros), "{variant:?} {at}");
            let (mut found, mut expected) = ([0; 2], [0; 2]);
            spoilt.selects::<false>(&[ones, ones - 1], &mut found);
            structure.select1_many(&[ones, ones - 1], &mut expected).unwrap();
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn bulk_ranks_work_at_the_beginning_and_the_end() {
    // A fault of another library: a bulk rank returned 0 past the last word.
    for length in [0, 1, 63, 64, 65, 512, 4096, 4160, 8192] {
        for percent in [50, 100] {
            let bits = random_bits(length, percent);
            let ones = bits.count(0, length).unwrap();
            for variant in VARIANTS.map(Some).into_iter().chain([None]) {
                let structure = RankSelect::with_variant(&bits, variant).unwrap();
                let mut out = [7; 3];
                structure.rank1_many(&[0, length, length / 64 * 64], &mut out).unwrap();
                assert_eq!(out, [0, ones, bits.count(0, length / 64 * 64).unwrap()], "{length} {variant:?}");
            }
        }
    }
}

#[test]
fn supports_a_region_large_enough_for_huge_pages() {
    if cfg!(miri) {
        return;
    }
    let mut bits = BitVec::new(70_000_000).unwrap();
    bits.fill(10_000_000, 30_000_000, true).unwrap();
    bits.set(69_999_999, true).unwrap();
    for variant in VARIANTS[..2].iter().copied() {
        let structure = RankSelect::with_variant(&bits, Some(variant)).unwrap();
        assert!(structure.bytes().len() > 8 << 20);
        assert_eq!((structure.rank1(20_000_000), structure.rank1(70_000_000)), (10_000_000, 20_000_001));
        assert_eq!(structure.select1(20_000_000), Some(69_999_999));
        assert_eq!(structure.select0(10_000_000), Some(30_000_000));
    }
}

#[test]
fn supports_positions_beyond_32_bits() {
    // Untouched zeros take no memory. The index of zeros consists of zeros, too.
    if cfg!(miri) || cfg!(target_pointer_width = "32") {
        return;
    }
    const LENGTH: u64 = (1 << 32) + 50_000;
    let ones = [(1 << 32) - 1, 1 << 32, (1 << 32) + 4095, (1 << 32) + 4096, LENGTH - 1];
    let shape = Shape { variant: Variant::Flat, length: LENGTH, ones: ones.len() as u64, last: 0 };
    let layout = shape.layout().unwrap();
    let mut words = vec![0u64; layout.length / 8];
    for at in ones {
        words[layout.bits / 8 + (at / 64) as usize] |= 1 << (at % 64);
    }
    for superblock in ones[0] / SUPERBLOCK..=LENGTH / SUPERBLOCK {
        let before = |at: u64| ones.iter().filter(|&&one| one < at).count() as u128;
        let from = superblock * SUPERBLOCK;
        let mut entry = before(from);
        for block in 1..8 {
            entry |= (before(from + block * 512) - before(from)) << (32 + 12 * block);
        }
        let at = layout.index / 8 + superblock as usize * 2;
        (words[at], words[at + 1]) = (entry as u64, (entry >> 64) as u64);
    }
    // SAFETY: the test owns the words, as many as the layout has.
    let structure = unsafe {
        let memory = Memory::new(words.as_mut_ptr().cast(), layout.length).unwrap();
        if let Index::Flat(flat) = RawRankSelect::new(memory, shape, layout).index {
            flat.sample(&shape);
        }
        memory.begin_region(Kind::RankSelect, layout.length as u64);
        memory.set_word(word::VARIANT, shape.variant as u32);
        memory.set_double_word(word::LENGTH, shape.length);
        memory.set_double_word(word::ONES, shape.ones);
        memory.end_region();
        RawRankSelect::attach(words.as_ptr().cast(), layout.length).unwrap()
    };
    for (k, &at) in ones.iter().enumerate() {
        let k = k as u64;
        assert_eq!((structure.select1(k), structure.get(at)), (Some(at), Some(true)));
        assert_eq!((structure.rank1(at), structure.rank1(at + 1)), (k, k + 1));
        // The zeros after it: the position of the next one is one more than their number.
        let next = (at + 1..).find(|next| !ones.contains(next)).unwrap();
        if next < LENGTH {
            assert_eq!(structure.select0(structure.rank0(next)), Some(next));
        }
    }
    assert_eq!(structure.get(ones[4] - (1 << 32)), Some(false));
    let mut out = [0; 5];
    structure.selects::<false>(&[4, 3, 2, 1, 0], &mut out);
    assert!(out.iter().rev().eq(&ones));
    structure.ranks(&[LENGTH, 1 << 32, ones[2], 5, 0], &mut out);
    assert_eq!(out, [5, 1, 2, 0, 0]);
}
