//! Compares the bit vector with a `Vec<bool>`.

use super::layout::{self, STEP, word};
use super::{BitVec, RawBits, RawBitsMut};
use crate::ErrorKind;
use crate::region::header;
use crate::succinct::runs::Op;
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Set(u64, bool),
    Flip(u64),
    Push(bool),
    Fill(u64, u64, bool),
    Not(u64, u64),
    Combine(usize, Vec<bool>, u64, u64),
    Resize(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let at = || 0u64..2000;
    prop_oneof![
        4 => (at(), any::<bool>()).prop_map(|(at, bit)| Step::Set(at, bit)),
        2 => at().prop_map(Step::Flip),
        4 => any::<bool>().prop_map(Step::Push),
        2 => (at(), at(), any::<bool>()).prop_map(|(from, to, bit)| Step::Fill(from, to, bit)),
        2 => (at(), at()).prop_map(|(from, to)| Step::Not(from, to)),
        3 => (0usize..4, proptest::collection::vec(any::<bool>(), 0..1500), at(), at())
            .prop_map(|(op, other, from, to)| Step::Combine(op, other, from, to)),
        1 => at().prop_map(Step::Resize),
    ]
}

fn same(bits: &BitVec, model: &[bool]) {
    assert_eq!(bits.len() as usize, model.len());
    let ones: Vec<u64> = (0..model.len() as u64).filter(|&i| model[i as usize]).collect();
    assert_eq!(bits.ones().collect::<Vec<_>>(), ones);
    assert_eq!(bits.count(0, bits.len()).unwrap(), ones.len() as u64);
    let mut passed = Vec::new();
    bits.raw().for_each_one(3, |at| {
        passed.push(at);
        true
    });
    assert_eq!(passed, ones.iter().copied().filter(|&at| at >= 3).collect::<Vec<_>>());
    bits.raw().validate().unwrap();
    assert!((0..model.len()).all(|i| bits.get(i as u64) == Some(model[i])));
    assert_eq!(bits.get(model.len() as u64), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 200 }))]
    #[test]
fn operations_agree_with_a_vec_of_bool(
        first in proptest::collection::vec(any::<bool>(), 0..1200),
        steps in proptest::collection::vec(step(), 0..30),
    ) {
        let mut bits = BitVec::from_bits(first.iter().copied()).unwrap();
        let mut model = first;
        for step in steps {
            let len = model.len() as u64;
            match step {
                Step::Set(at, bit) => {
                    assert_eq!(bits.set(at, bit).is_ok(), at < len);
                    if let Some(slot) = model.get_mut(at as usize) { *slot = bit }
                }
                Step::Flip(at) => {
                    let found = bits.flip(at).ok();
                    if let Some(slot) = model.get_mut(at as usize) { *slot = !*slot }
                    assert_eq!(found, model.get(at as usize).copied());
                }
                Step::Push(bit) => {
                    bits.push(bit).unwrap();
                    model.push(bit);
                }
                Step::Fill(from, to, bit) => {
                    let sound = from <= to && to <= len;
                    assert_eq!(bits.fill(from, to, bit).is_ok(), sound);
                    if sound { model[from as usize..to as usize].fill(bit) }
                }
                Step::Not(from, to) => {
                    let sound = from <= to && to <= len;
                    assert_eq!(bits.not_range(from, to).is_ok(), sound);
                    if sound { model[from as usize..to as usize].iter_mut().for_each(|bit| *bit = !*bit) }
                }
                Step::Combine(op, other, from, to) => {
                    let op = Op::ALL[op];
                    let sound = from <= to && to <= len;
                    let with = BitVec::from_bits(other.iter().copied()).unwrap();
                    assert_eq!(bits.combine_range(op, &with, from, to).is_ok(), sound);
                    if sound {
                        let others = other.into_iter().chain(std::iter::repeat(false));
                        let pairs = model[..to as usize].iter_mut().zip(others).skip(from as usize);
                        for (a, b) in pairs {
                            *a = op.apply(u64::from(*a), u64::from(b)) & 1 == 1;
                        }
                    }
                }
                Step::Resize(to) => {
                    bits.resize(to).unwrap();
                    model.resize(to as usize, false);
                }
            }
        }
        same(&bits, &model);
    }

    #[test]
fn counts_and_searches_agree_for_any_range(
        model in proptest::collection::vec(prop_oneof![3 => Just(false), 1 => any::<bool>()], 0..700),
        from in 0usize..800, to in 0usize..800,
    ) {
        let bits = BitVec::from_bits(model.iter().copied()).unwrap();
        let expected = model.get(from..to).map(|part| part.iter().filter(|&&bit| bit).count() as u64);
        assert_eq!(bits.count(from as u64, to as u64).ok(), expected);
        let next = |wanted: bool| (from..model.len()).find(|&i| model[i] == wanted).map(|i| i as u64);
        assert_eq!(bits.next_one(from as u64), next(true));
        assert_eq!(bits.next_zero(from as u64), next(false));
    }
}

#[test]
fn range_operations_change_nothing_outside_the_range() {
    // A fault of another library: an AND of bits 10 to 20 cleared whole words, and an empty range
    // cleared everything.
    for op in Op::ALL {
        for (from, to) in [(10, 20), (0, 0), (64, 64), (63, 65), (5, 5), (128, 192), (0, 256)] {
            let mut bits = BitVec::new(256).unwrap();
            bits.not();
            let zeros = BitVec::new(256).unwrap();
            bits.combine_range(op, &zeros, from, to).unwrap();
            let cleared = if op == Op::And { to - from } else { 0 };
            assert_eq!(bits.count(0, 256).unwrap(), 256 - cleared, "{op:?} {from} {to}");
            assert_eq!(bits.count(from, to).unwrap(), if op == Op::And { 0 } else { to - from });
        }
    }
}

#[test]
fn combines_vectors_of_different_lengths() {
    let long = || BitVec::from_indices(&[1, 5, 300u64]).unwrap();
    let short = || BitVec::from_indices(&[1, 2u64]).unwrap();
    let ones = |bits: &BitVec| bits.ones().collect::<Vec<_>>();
    let (mut a, mut b) = (long(), short());
    a.and(&short()).unwrap();
    b.and(&long()).unwrap();
    assert_eq!((ones(&a), a.len(), ones(&b), b.len()), (vec![1], 301, vec![1], 3));
    let (mut a, mut b) = (long(), short());
    a.or(&short()).unwrap();
    b.or(&long()).unwrap();
    assert_eq!((ones(&a), ones(&b), b.len()), (vec![1, 2, 5, 300], vec![1, 2, 5, 300], 301));
    let (mut a, mut b) = (long(), short());
    a.xor(&short()).unwrap();
    b.xor(&long()).unwrap();
    assert_eq!((ones(&a), ones(&b)), (vec![2, 5, 300], vec![2, 5, 300]));
    let (mut a, mut b) = (long(), short());
    a.and_not(&short()).unwrap();
    b.and_not(&long()).unwrap();
    assert_eq!((ones(&a), ones(&b)), (vec![5, 300], vec![2]));
}

#[test]
fn from_bytes_takes_the_lowest_bit_of_each_byte_first() {
    let bits = BitVec::from_bytes(&[0b0000_0101, 0, 0x80]).unwrap();
    assert_eq!((bits.len(), bits.ones().collect::<Vec<_>>()), (24, vec![0, 2, 23]));
    assert_eq!(BitVec::from_bytes(&[]).unwrap().len(), 0);
    let copy = BitVec::copy_of(bits.raw()).unwrap();
    assert_eq!(copy.bytes(), bits.bytes());
}

#[test]
fn supports_positions_beyond_32_bits() {
    // The system never provides memory for untouched zeros: this takes 640 MiB of address space,
    // and only a few pages of memory.
    if cfg!(miri) || cfg!(target_pointer_width = "32") {
        return;
    }
    const LENGTH: u64 = 5 << 30;
    let length = layout::region_length(LENGTH).unwrap();
    let mut words = vec![0u64; length / 8];
    let base = words.as_mut_ptr().cast::<u8>();
    // SAFETY: the test owns the words, and writes the header as `init` would, without touching the
    // bits.
    unsafe {
        layout::init(base, 256, 0).unwrap();
        let memory = crate::region::memory::Memory::new(base, length).unwrap();
        memory.set_double_word(word::LENGTH, LENGTH);
        memory.set_double_word(word::CAPACITY, LENGTH);
        memory.set_double_word(header::word::LENGTH, length as u64);
        let mut bits = RawBitsMut::attach(base, length).unwrap();
        let far = (1 << 32) + 12_345;
        bits.set(far, true).unwrap();
        bits.set(LENGTH - 1, true).unwrap();
        assert_eq!(bits.get(far), Some(true));
        assert_eq!(bits.get(far - (1 << 32)), Some(false));
        assert_eq!(bits.next_one(1 << 32), Some(far));
        assert_eq!(bits.count(far, LENGTH).unwrap(), 2);
        assert_eq!(bits.count(far + 1, LENGTH - 1).unwrap(), 0);
        bits.fill(far - 5, far + 5, true).unwrap();
        assert_eq!(bits.count(far - 100, far + 100).unwrap(), 10);
        assert_eq!(bits.set(LENGTH, true).unwrap_err().kind(), ErrorKind::Range);
    }
}

#[test]
fn ignores_a_stray_bit_of_a_terminated_writer() {
    let mut bits = BitVec::new(100).unwrap();
    // The state that a writer leaves if it is terminated between storing the bit and the length.
    bits.raw().word(1).fetch_or(1 << 36, std::sync::atomic::Ordering::Relaxed);
    bits.raw().validate().unwrap();
    assert_eq!((bits.count(0, 100).unwrap(), bits.next_one(0), bits.ones().count()), (0, None, 0));
    bits.push(false).unwrap();
    assert_eq!(bits.get(100), Some(false));
    bits.raw().word(1).fetch_or(1 << 37, std::sync::atomic::Ordering::Relaxed);
    bits.resize(200).unwrap();
    assert_eq!(bits.count(0, 200).unwrap(), 0);
    bits.raw().word(3).fetch_or(1 << 60, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(bits.raw().validate().unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn rejects_damaged_headers() {
    let bits = BitVec::from_indices(&[1, 1000u64]).unwrap();
    let words = bits.bytes().len() / 4;
    let mut copy = vec![0u64; words / 2];
    let base = copy.as_mut_ptr().cast::<u8>();
    for bit in 0..64 * 32 {
        // SAFETY: the copy is as long as the region.
        unsafe {
            base.copy_from(bits.bytes().as_ptr(), bits.bytes().len());
            base.add(bit / 8).write(base.add(bit / 8).read() ^ 1 << (bit % 8));
            let attached = RawBits::attach(base, words * 4);
            match bit / 32 {
                // Seeds, and smaller lengths, are valid. Everything else must be rejected by
                // `attach` or by `validate`.
                6 | 9 | 10 | 16 => {}
                _ => assert!(attached.is_err_and(|_| true) || attached_fails(base, words * 4), "bit {bit}"),
            }
        }
    }
    // SAFETY: the lengths are shorter than the memory.
    unsafe {
        base.copy_from(bits.bytes().as_ptr(), bits.bytes().len());
        for len in 0..words * 4 {
            assert!(RawBits::attach(base, len).is_err(), "{len}");
        }
        assert!(RawBits::attach(base, words * 4).is_ok());
    }
}

unsafe fn attached_fails(base: *const u8, len: usize) -> bool {
    // SAFETY: `len` bytes at `base` are readable, as guaranteed by the caller.
    unsafe { RawBits::attach(base, len) }.is_ok_and(|bits| bits.validate().is_err())
}

#[test]
fn rejects_invalid_sizes() {
    assert_eq!(BitVec::new(u64::MAX).unwrap_err().kind(), ErrorKind::Range);
    assert_eq!(BitVec::new(layout::MAX_BITS + 1).unwrap_err().kind(), ErrorKind::Range);
    assert_eq!(BitVec::from_indices(&[u64::MAX]).unwrap_err().kind(), ErrorKind::Range);
    assert_eq!(layout::region_length(0).unwrap(), 256);
    assert_eq!(layout::region_length(1).unwrap(), 256 + 64);
    assert_eq!(layout::region_length(STEP).unwrap(), 256 + 64);
}

#[test]
fn combining_a_range_past_a_shorter_vector_reads_nothing_outside_it() {
    let short = BitVec::from_bits(std::iter::repeat_n(true, 10)).unwrap();
    for from in [600, 1023, 1024, 1500] {
        for op in Op::ALL {
            let mut bits = BitVec::from_bits(std::iter::repeat_n(true, 1600)).unwrap();
            bits.combine_range(op, &short, from, 1600).unwrap();
            let left = if op == Op::And { from } else { 1600 };
            assert_eq!(bits.count(0, 1600).unwrap(), left, "{from}");
        }
    }
}
