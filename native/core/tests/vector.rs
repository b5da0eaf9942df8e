//! Vectors: compared with `Vec` and with golden bytes, with damaged bytes, concurrent writes,
//! cancellation, and refused memory.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod refusing;

use offheap_core::region::control::Control;
use offheap_core::region::crc::region_checksum;
use offheap_core::region::element::Type;
use offheap_core::region::element::{Element, Word};
use offheap_core::vector::layout::region_length;
use offheap_core::vector::raw::{self, View, Writer};
use offheap_core::vector::sort::argsort::{Indices, argsort};
use offheap_core::vector::sort::sort;
use offheap_core::vector::{Sum, Vector, owned::elements};
use offheap_core::{ErrorKind, Result};
use proptest::prelude::*;
use refusing::refusing;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Aligned memory of exactly the given length.
#[derive(Clone)]
struct Region(Vec<u64>);

impl Region {
    fn of<T: Element>(values: &[T]) -> Region {
        let mut region = Region(vec![0; region_length(T::TYPE, values.len() as u64).unwrap() / 8]);
        let (base, len) = region.parts();
        // SAFETY: the memory is exclusive and has the given length.
        unsafe {
            raw::init(base, len, T::TYPE).unwrap();
            Writer::attach(base, len).unwrap().push(values.as_ptr().cast(), values.len()).unwrap();
        }
        region
    }

    fn parts(&mut self) -> (*mut u8, usize) {
        (self.0.as_mut_ptr().cast(), self.0.len() * 8)
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: the bytes are those of the words.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().cast(), self.0.len() * 8) }
    }

    fn sort(&mut self, control: Option<&Control>) -> Result<bool> {
        let (base, len) = self.parts();
        // SAFETY: the region owns the memory.
        unsafe { sort(base, len, control) }
    }

    fn argsort(&mut self, count: usize) -> Result<Vec<u32>> {
        let (base, len) = self.parts();
        let mut out = vec![0; count];
        // SAFETY: the region owns the memory, and `out` is exclusive.
        unsafe { argsort(base, len, None, Indices::U32(out.as_mut_ptr(), count)) }.map(|_| out)
    }
}

/// The order of `TypedArray.prototype.sort`.
fn sorted<T: Element>(values: &[T]) -> Vec<T::Word> {
    let mut keys: Vec<T::Word> = values.iter().map(|x| T::encode(x.to_word())).collect();
    keys.sort();
    keys.into_iter().map(T::decode).collect()
}

fn words<T: Element>(values: &[T]) -> Vec<T::Word> {
    values.iter().map(|x| x.to_word()).collect()
}

fn sorts<T: Element>(values: &[T]) -> std::result::Result<(), TestCaseError> {
    let expected = sorted(values);
    // With and without memory for a copy; in the background with both buffers, with one and with
    // none.
    let mut region = Region::of(values);
    prop_assert!(region.sort(None).unwrap());
    prop_assert_eq!(&words(elements::<T>(region.bytes()).unwrap()), &expected);
    let mut region = Region::of(values);
    prop_assert!(refusing(1, || region.sort(None)).unwrap());
    prop_assert_eq!(&words(elements::<T>(region.bytes()).unwrap()), &expected);
    let mut region = Region::of(values);
    let control = Control::default();
    prop_assert!(region.sort(Some(&control)).unwrap());
    prop_assert_eq!(&words(elements::<T>(region.bytes()).unwrap()), &expected);
    let (done, total) = control.progress();
    prop_assert_eq!(done, total);
    if !values.is_empty() {
        let mut region = Region::of(values);
        let refused = refusing(1, || region.sort(Some(&Control::default()))).unwrap_err();
        prop_assert_eq!(refused.kind(), ErrorKind::Oom);
        prop_assert_eq!(words(elements::<T>(region.bytes()).unwrap()), words(values));
    }
    // Canceled before it began: the vector does not change.
    let mut region = Region::of(values);
    let control = Control::default();
    control.cancel();
    prop_assert!(!region.sort(Some(&control)).unwrap());
    prop_assert_eq!(words(elements::<T>(region.bytes()).unwrap()), words(values));

    let order = region.argsort(values.len()).unwrap();
    let by_order: Vec<_> = order.iter().map(|&i| T::encode(values[i as usize].to_word())).collect();
    let keys: Vec<_> = expected.iter().map(|&word| T::encode(word)).collect();
    let nan = |key: T::Word| T::is_nan(T::decode(key));
    prop_assert!(by_order.iter().zip(&keys).all(|(&a, &b)| a == b || nan(a) && nan(b)));
    let same = |i: usize| by_order[i - 1] == by_order[i] || nan(by_order[i - 1]) && nan(by_order[i]);
    prop_assert!((1..order.len()).all(|i| !same(i) || order[i - 1] < order[i]), "argsort is not stable");
    let mut wide = vec![0f64; values.len()];
    let (base, len) = region.parts();
    // SAFETY: the memory and the output are exclusive.
    unsafe { argsort(base, len, None, Indices::F64(wide.as_mut_ptr(), wide.len())) }.unwrap();
    prop_assert!(wide.iter().zip(&order).all(|(&a, &b)| a == f64::from(b)));
    Ok(())
}

macro_rules! sorting {
    ($($name:ident $type:ident;)+) => {
        proptest! {
            #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 40 }))]
            $(
                #[test]
                fn $name(
                    pattern in proptest::collection::vec(any::<$type>(), 0..60),
                    repeat in prop_oneof![1usize..4, 1usize..60],
                    shift in any::<u32>(),
                ) {
                    let values: Vec<$type> = pattern.repeat(repeat);
                    sorts::<$type>(&values)?;
                    // The values are spread out so that more digits differ.
                    let spread: Vec<$type> = words(&values).iter().enumerate().map(|(i, word)| {
                        let mixed = (i as u64 ^ u64::from(shift)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                        <$type>::from_word(<_ as Word>::from_key(offheap_core::region::element::Record::key(*word) ^ mixed))
                    }).collect();
                    sorts::<$type>(&spread)?;
                }
            )+
        }
    };
}

sorting! {
    sort_u8 u8;
    sort_i8 i8;
    sort_u16 u16;
    sort_i16 i16;
    sort_u32 u32;
    sort_i32 i32;
    sort_f32 f32;
    sort_f64 f64;
    sort_u64 u64;
    sort_i64 i64;
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 200 }))]
    #[test]
fn owned_vector_agrees_with_a_vec(
        steps in proptest::collection::vec((0u8..9, any::<f64>(), any::<usize>()), 0..200),
    ) {
        let mut vector = Vector::<f64>::new().unwrap();
        let mut model = Vec::<f64>::new();
        for (what, value, number) in steps {
            match what {
                0..3 => {
                    vector.push(value).unwrap();
                    model.push(value);
                }
                3 => prop_assert_eq!(vector.pop().map(f64::to_bits), model.pop().map(f64::to_bits)),
                4 => {
                    let many = vec![value; number % 50];
                    vector.extend_from_slice(&many).unwrap();
                    model.extend_from_slice(&many);
                }
                5 => {
                    let index = number % (model.len() + 1);
                    let expected = (index < model.len()).then(|| model.swap_remove(index));
                    prop_assert_eq!(vector.swap_remove(index).map(f64::to_bits), expected.map(f64::to_bits));
                }
                6 => {
                    vector.truncate(number % (model.len() + 5));
                    model.truncate(number % (model.len() + 5));
                }
                7 => {
                    vector.sort();
                    model = sorted(&model).into_iter().map(f64::from_word).collect();
                }
                _ => {
                    let bytes = vector.bytes().unwrap();
                    prop_assert_eq!(words(elements::<f64>(bytes).unwrap()), words(&model));
                    // SAFETY: a live slice.
                    unsafe { raw::validate(bytes.as_ptr(), bytes.len()) }.unwrap();
                }
            }
            prop_assert_eq!(words(&vector), words(&model));
            prop_assert_eq!(vector.as_ptr().addr() % 64, 0);
            prop_assert!(vector.capacity() >= vector.len());
        }
        prop_assert_eq!(vector.index_of(1.0), model.iter().position(|&x| x == 1.0));
        let nan = model.iter().any(|x| x.is_nan());
        prop_assert_eq!(vector.min().is_none(), model.is_empty());
        if !nan {
            let last = sorted(&model).last().copied();
            prop_assert_eq!(vector.max().map(f64::to_bits), last);
        }
        prop_assert_eq!(vector.argsort().unwrap().len(), model.len());
    }

    #[test]
fn search_finds_the_first_index_or_the_insertion_point(
        mut values in proptest::collection::vec(-20i32..20, 0..300),
        probe in -22i32..22,
    ) {
        values.sort_unstable();
        let mut region = Region::of(&values);
        let (base, len) = region.parts();
        // SAFETY: the region owns the memory.
        let found = unsafe { View::attach(base, len).unwrap().search((&raw const probe).cast()) };
        let place = values.partition_point(|&x| x < probe);
        let there = values.get(place) == Some(&probe);
        prop_assert_eq!(found, if there { place as i64 } else { -(place as i64) - 1 });
        let mut vector = Vector::<i32>::new().unwrap();
        vector.extend_from_slice(&values).unwrap();
        prop_assert_eq!(vector.search(probe), if there { Ok(place) } else { Err(place) });
        prop_assert_eq!(vector.sum(), Sum::Integer(values.iter().map(|&x| i128::from(x)).sum()));
    }
}

#[test]
fn refused_growth_changes_nothing() {
    let mut vector = Vector::<u64>::new().unwrap();
    while vector.len() < vector.capacity() {
        vector.push(7).unwrap();
    }
    let before = vector.to_vec();
    assert_eq!(refusing(1, || vector.push(8)).unwrap_err().kind(), ErrorKind::Oom);
    assert_eq!(refusing(1, || vector.extend_from_slice(&[1; 100])).unwrap_err().kind(), ErrorKind::Oom);
    assert_eq!(refusing(1, || vector.reserve(10_000)).unwrap_err().kind(), ErrorKind::Oom);
    assert_eq!(refusing(1, || vector.argsort()).unwrap_err().kind(), ErrorKind::Oom);
    assert_eq!(refusing(1, || Vector::<u8>::new().map(drop)).unwrap_err().kind(), ErrorKind::Oom);
    assert_eq!(vector.reserve(usize::MAX).unwrap_err().kind(), ErrorKind::Range);
    assert_eq!(&vector[..], &before[..]);
    vector.push(8).unwrap();
    assert_eq!(vector.last(), Some(&8));
}

#[test]
fn rejects_lengths_and_ranges_that_do_not_fit() {
    let mut region = Region::of(&[1u16, 2, 3]);
    let (base, len) = region.parts();
    // SAFETY: the region owns the memory.
    unsafe {
        let mut writer = Writer::attach(base, len).unwrap();
        let capacity = writer.shape().capacity;
        assert_eq!(writer.push([0u16; 64].as_ptr().cast(), 64).unwrap_err().kind(), ErrorKind::Full);
        assert_eq!(writer.set_len(capacity + 1).unwrap_err().kind(), ErrorKind::Full);
        assert_eq!(writer.set_region(len + 64).unwrap_err().kind(), ErrorKind::Full);
        for bytes in [0, 256, 300, len - 1] {
            assert_eq!(writer.set_region(bytes).unwrap_err().kind(), ErrorKind::Range, "{bytes}");
        }
        for (from, to) in [(2, 1), (0, 4), (4, 4)] {
            let value = 9u16;
            assert_eq!(
                writer.fill((&raw const value).cast(), from, to).unwrap_err().kind(),
                ErrorKind::Range
            );
        }
        let value = 9u16;
        writer.fill((&raw const value).cast(), 1, 3).unwrap();
    }
    assert_eq!(elements::<u16>(region.bytes()).unwrap(), [1, 9, 9]);
    assert_eq!(elements::<i16>(region.bytes()).unwrap_err().kind(), ErrorKind::Type);
    assert_eq!(region.argsort(4).unwrap_err().kind(), ErrorKind::Range);
    assert_eq!(region.argsort(2).unwrap(), [0, 1]);
}

fn compare(name: &str, bytes: &[u8]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/golden").join(name);
    if std::env::var_os("OFFHEAP_BLESS").is_some() {
        std::fs::write(&path, bytes).unwrap();
        return;
    }
    assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}");
}

#[test]
#[cfg_attr(miri, ignore = "reads files")]
fn matches_the_golden_bytes() {
    let mut doubles = Vector::<f64>::new().unwrap();
    (0..20).for_each(|i| doubles.push(f64::from(i) * 1.5 - 7.0).unwrap());
    [f64::NAN, f64::INFINITY, -0.0].iter().for_each(|&x| doubles.push(x).unwrap());
    compare("vector-f64.bin", doubles.bytes().unwrap());
    let mut bytes = Vector::<u8>::new().unwrap();
    (0..200u32).for_each(|i| bytes.push((i * 37 % 256) as u8).unwrap());
    bytes.sort();
    compare("vector-u8.bin", bytes.bytes().unwrap());
    let mut longs = Vector::<i64>::new().unwrap();
    (0..9).for_each(|i| longs.push(-(1i64 << (i * 7))).unwrap());
    compare("vector-i64.bin", longs.bytes().unwrap());
}

/// Runs every operation on a region. The results may be wrong.
fn exercise(region: &mut Region) {
    let (base, len) = region.parts();
    // SAFETY: the region owns the memory.
    unsafe {
        drop(raw::validate(base, len));
        let Ok(view) = View::attach(base, len) else { return };
        let (mut element, value) = (0u64, 5u64);
        let _sum = view.sum();
        view.extreme(true, (&raw mut element).cast());
        let _found = view.index_of((&raw const value).cast(), 1, true);
        let _at = view.search((&raw const value).cast());
        let count = view.shape().len;
        let mut out = vec![0u32; count];
        drop(argsort(base, len, None, Indices::U32(out.as_mut_ptr(), count)));
        drop(sort(base, len, Some(&Control::default())));
        drop(sort(base, len, None));
        if let Ok(mut writer) = Writer::attach(base, len) {
            drop(writer.push((&raw const value).cast(), 1));
            drop(writer.fill((&raw const value).cast(), 0, count));
            drop(writer.set_region(320));
            drop(writer.set_len(count / 2));
            writer.zero_unused();
        }
    }
}

#[test]
fn any_flipped_bit_of_a_header_is_harmless() {
    for region in [Region::of(&[3u8; 100]), Region::of(&[1.5f64, f64::NAN, -1.0]), Region::of(&[1u32; 70])] {
        let mut opened = 0;
        for bit in (0..256 * 8).step_by(if cfg!(miri) { 7 } else { 1 }) {
            // Readers wait while the sequence is odd, so that bit is skipped.
            if bit == 192 {
                continue;
            }
            let mut damaged = region.clone();
            damaged.0[bit / 64] ^= 1 << (bit % 64);
            let (base, len) = damaged.parts();
            // SAFETY: the region owns the memory.
            opened += usize::from(unsafe { View::attach(base, len) }.is_ok());
            exercise(&mut damaged);
        }
        assert!(opened > 100);
    }
}

#[test]
fn every_truncation_is_rejected() {
    let region = Region::of(&[7u32; 100]);
    for words in 0..region.0.len() {
        let mut cut = Region(region.0[..words].to_vec());
        let (base, len) = cut.parts();
        // SAFETY: the region owns the memory, or there is none.
        assert_eq!(unsafe { View::attach(base, len) }.unwrap_err().kind(), ErrorKind::Corrupt, "{words}");
    }
}

#[test]
fn validate_checks_reserved_words_and_checksum() {
    let mut good = Region::of(&[1u8, 2, 3]);
    let (base, len) = good.parts();
    // SAFETY: here and below, the region owns the memory.
    unsafe {
        raw::validate(base, len).unwrap();
        for word in [11, 15, 17, 20, 40, 63] {
            let mut bad = good.clone();
            bad.0[word / 2] |= 1 << (word % 2 * 32);
            let (base, len) = bad.parts();
            assert_eq!(raw::validate(base, len).unwrap_err().kind(), ErrorKind::Corrupt, "{word}");
        }
    }
    good.0[3] |= 1 << 32;
    // SAFETY: the region owns the memory.
    let checksum = unsafe { region_checksum(good.bytes().as_ptr(), good.bytes().len()) };
    good.0[4] |= u64::from(checksum);
    for at in 0..good.bytes().len() * 8 {
        let mut bad = good.clone();
        bad.0[at / 64] ^= 1 << (at % 64);
        let (base, len) = bad.parts();
        // Readers wait for bit 0 of word 6, the sequence. Word 7 states whether there is a
        // checksum.
        if (192..256).contains(&at) {
            continue;
        }
        // SAFETY: the region owns the memory.
        assert!(unsafe { raw::validate(base, len) }.is_err(), "bit {at}");
    }
    // The first change clears the checksum.
    let (base, len) = good.parts();
    // SAFETY: the region owns the memory.
    unsafe {
        Writer::attach(base, len).unwrap().set_len(2).unwrap();
        raw::validate(base, len).unwrap();
    }
}

#[test]
fn concurrent_writes_make_a_sort_wrong_but_stay_in_bounds() {
    const COUNT: usize = if cfg!(miri) { 600 } else { 20_000 };
    let mut region = Region::of(&vec![0u64; COUNT]);
    let (base, len) = region.parts();
    let stop = AtomicBool::new(false);
    // SAFETY: there are as many atomics as elements, and only atomics access them, here and in the
    // library.
    let slots: &[AtomicU64] = unsafe { std::slice::from_raw_parts(base.add(256).cast(), COUNT) };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut x = 88_172_645_463_325_252u64;
            while !stop.load(Relaxed) {
                x ^= x << 13;
                x ^= x >> 7;
                x ^= x << 17;
                slots[x as usize % COUNT].store(x, Relaxed);
            }
        });
        for round in 0..if cfg!(miri) { 2 } else { 60 } {
            // SAFETY: the region owns the memory, and the other thread writes only elements.
            unsafe {
                match round % 3 {
                    0 => assert!(sort(base, len, None).unwrap()),
                    1 => assert!(refusing(1000, || sort(base, len, None)).unwrap()),
                    _ => assert!(sort(base, len, Some(&Control::default())).unwrap()),
                }
                let mut out = vec![0u32; COUNT];
                argsort(base, len, None, Indices::U32(out.as_mut_ptr(), COUNT)).unwrap();
                out.sort_unstable();
                assert!(out.iter().enumerate().all(|(i, &index)| i as u32 == index));
                let view = View::attach(base, len).unwrap();
                let _sum = view.sum();
            }
        }
        stop.store(true, Relaxed);
    });
    // Without a concurrent writer, sorting works again.
    assert!(region.sort(None).unwrap());
    assert!(elements::<u64>(region.bytes()).unwrap().is_sorted());
}

#[test]
fn readers_see_only_elements_that_were_written() {
    const COUNT: usize = if cfg!(miri) { 50 } else { 50_000 };
    let mut region = Region::of(&vec![1u32; COUNT]);
    let (base, len) = region.parts();
    // SAFETY: the region owns the memory, and outlives the thread.
    unsafe { Writer::attach(base, len).unwrap().set_len(0).unwrap() };
    let shared = (base.expose_provenance(), len);
    // The rest still contains ones; each element gets its index + 2.
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let base: *mut u8 = std::ptr::with_exposed_provenance_mut(shared.0);
            for i in 0..COUNT as u32 {
                let value = i + 2;
                // SAFETY: this is the only writer.
                unsafe {
                    Writer::attach(base, shared.1).unwrap().push((&raw const value).cast(), 1).unwrap();
                }
            }
        });
        loop {
            // SAFETY: the memory is readable, and the copy is exclusive.
            let (count, wrong) = unsafe {
                let view = View::attach(base, len).unwrap();
                let count = view.shape().len;
                let mut copy = vec![0u32; count];
                view.copy_to(copy.as_mut_ptr().cast());
                (count, copy.iter().enumerate().filter(|&(i, &x)| x != i as u32 + 2).count())
            };
            assert_eq!(wrong, 0);
            if count == COUNT {
                break;
            }
        }
    });
}

#[test]
fn rejects_types_that_are_not_numeric() {
    let mut memory = vec![0u64; 64];
    for ty in [Type::Bool, Type::String, Type::Bytes, Type::Json, Type::Any] {
        // SAFETY: the region owns the memory.
        let refused = unsafe { raw::init(memory.as_mut_ptr().cast(), 512, ty) };
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Type);
    }
}
