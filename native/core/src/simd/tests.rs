//! Compares every instruction set of this processor with plain Rust, and bit for bit with the
//! others.

use super::*;
use crate::cpu::Features;
use crate::region::element::Slot;
use proptest::prelude::*;

/// The levels that this processor supports.
fn levels() -> Vec<Level> {
    let all = [Level::Generic, Level::Sse2, Level::Neon, Level::Avx2, Level::Avx512];
    let x86 = cfg!(target_arch = "x86_64");
    let runs = |level: &Level| match level {
        Level::Generic => true,
        Level::Neon => !x86,
        _ => x86 && *level <= Features::get().level(),
    };
    if cfg!(miri) { vec![Level::Generic] } else { all.into_iter().filter(runs).collect() }
}

#[test]
fn best_level_is_among_those_tested() {
    assert!(cfg!(miri) || levels().contains(&Features::get().level()));
}

/// The elements from `skip` on, so that every possible alignment is tested.
fn at<T: Element>(words: &[T::Word], skip: usize) -> (*const T::Word, usize) {
    let skip = skip.min(words.len());
    (words[skip..].as_ptr(), words.len() - skip)
}

fn check<T: Element>(values: &[T], skip: usize, probe: T) -> Result<(), TestCaseError> {
    let words: Vec<T::Word> = values.iter().map(|x| x.to_word()).collect();
    let (base, len) = at::<T>(&words, skip);
    let rest = &values[values.len() - len..];
    let least =
        rest.iter().copied().reduce(|a, b| if T::rank(b.to_word()) < T::rank(a.to_word()) { b } else { a });
    let greatest =
        rest.iter().copied().reduce(|a, b| if T::rank(b.to_word()) > T::rank(a.to_word()) { b } else { a });
    let nan = rest.iter().any(|&x| T::is_nan(x.to_word()));
    for level in levels() {
        // SAFETY: a live slice that no thread writes.
        unsafe {
            prop_assert_eq!(
                find(level, base, len, probe),
                rest.iter().position(|&x| x == probe),
                "{:?}",
                level
            );
            if len > 0 {
                let (min, max) =
                    (extreme::<T, false>(level, base, len), extreme::<T, true>(level, base, len));
                if nan {
                    prop_assert!(T::is_nan(min) && T::is_nan(max), "{:?}", level);
                } else {
                    prop_assert_eq!(Some(min), least.map(T::to_word), "{:?}", level);
                    prop_assert_eq!(Some(max), greatest.map(T::to_word), "{:?}", level);
                }
            }
            let mut copy = vec![T::Word::default(); len + 2];
            copy_in(level, copy.as_mut_ptr().add(1), base, len);
            prop_assert_eq!(&copy[1..=len], &words[words.len() - len..]);
            prop_assert_eq!((copy[0], copy[len + 1]), Default::default());
            let slots: Vec<T::Word> = vec![T::Word::default(); len + 2];
            copy_out(level, slots.as_ptr().cast_mut().add(1), base, len);
            let read = |i: usize| (*slots.as_ptr().add(i).cast::<<T::Word as Word>::Slot>()).get();
            prop_assert!((0..len).all(|i| read(i + 1) == words[words.len() - len + i]));
            prop_assert_eq!((read(0), read(len + 1)), Default::default());
        }
    }
    Ok(())
}

macro_rules! integers {
    ($($name:ident $type:ident;)+) => {
        proptest! {$(
            #[test]
            fn $name(
                pattern in proptest::collection::vec(any::<$type>(), 0..40),
                repeat in 1usize..40,
                skip in 0usize..70,
                probe in any::<$type>(),
            ) {
                let values = pattern.repeat(repeat);
                check::<$type>(&values, skip, pattern.last().copied().unwrap_or(probe))?;
                check::<$type>(&values, skip, probe)?;
                let words: Vec<_> = values.iter().map(|x| x.to_word()).collect();
                let (base, len) = at::<$type>(&words, skip);
                let expected: i128 = values[values.len() - len..].iter().map(|&x| i128::from(x)).sum();
                for level in levels() {
                    // SAFETY: a live slice that no thread writes.
                    prop_assert_eq!(unsafe { sum::<$type>(level, base, len) }, expected, "{:?}", level);
                }
            }
        )+}
    };
}

integers! {
    bytes u8;
    signed_bytes i8;
    shorts u16;
    signed_shorts i16;
    words u32;
    signed_words i32;
    longs u64;
    signed_longs i64;
}

macro_rules! floats {
    ($($name:ident $type:ident;)+) => {
        proptest! {$(
            #[test]
            fn $name(
                pattern in proptest::collection::vec(
                    prop_oneof![8 => -1e6..1e6 as $type, 1 => Just(0.0), 1 => Just(-0.0), 1 => any::<$type>()], 0..40),
                repeat in 1usize..40,
                skip in 0usize..70,
            ) {
                let values = pattern.repeat(repeat);
                check::<$type>(&values, skip, pattern.last().copied().unwrap_or(1.0))?;
                check::<$type>(&values, skip, 0.0)?;
                check::<$type>(&values, skip, $type::NAN)?;
                let words: Vec<_> = values.iter().map(|x| x.to_bits()).collect();
                let (base, len) = at::<$type>(&words, skip);
                let rest = &values[values.len() - len..];
                let mut sums = Vec::new();
                for level in levels() {
                    // SAFETY: a live slice that no thread writes.
                    sums.push(unsafe { sum_floats::<$type>(level, base, len) });
                }
                prop_assert!(sums.iter().all(|x| x.to_bits() == sums[0].to_bits() || x.is_nan() && sums[0].is_nan()));
                if rest.iter().all(|x| x.abs() < 1e6) {
                    // The exact sum needs two parts, because no i128 can hold it in units of
                    // 2^-1074.
                    let exact: f64 = exact_sum(rest.iter().map(|&x| f64::from(x)));
                    let magnitude: f64 = rest.iter().map(|&x| f64::from(x).abs()).sum();
                    let bound = f64::EPSILON * exact.abs() + f64::EPSILON * f64::EPSILON * 4e6 * magnitude;
                    prop_assert!((sums[0] - exact).abs() <= bound, "{} is not {exact}", sums[0]);
                }
            }
        )+}
    };
}

floats! {
    doubles f64;
    singles f32;
}

/// Shewchuk's expansion: the partial sums do not overlap, so that adding them rounds once.
fn exact_sum(values: impl Iterator<Item = f64>) -> f64 {
    let mut parts: Vec<f64> = Vec::new();
    for mut x in values {
        let mut kept = Vec::new();
        for &y in &parts {
            let (large, small) = if x.abs() < y.abs() { (y, x) } else { (x, y) };
            let sum = large + small;
            let rest = small - (sum - large);
            if rest != 0.0 {
                kept.push(rest);
            }
            x = sum;
        }
        kept.push(x);
        parts = kept;
    }
    parts.iter().sum()
}

#[test]
fn sums_of_infinities_and_nan_match_plain_addition() {
    let cases: [(&[f64], f64); 5] = [
        (&[1.0, f64::INFINITY, 2.0], f64::INFINITY),
        (&[f64::NEG_INFINITY, 1.0], f64::NEG_INFINITY),
        (&[f64::INFINITY, f64::NEG_INFINITY], f64::NAN),
        (&[1.0, f64::NAN], f64::NAN),
        (&[], 0.0),
    ];
    for (values, expected) in cases {
        for pad in [0, 100] {
            let words: Vec<u64> = values.iter().chain(&vec![0.0; pad]).map(|x| x.to_bits()).collect();
            for level in levels() {
                // SAFETY: a live slice that no thread writes.
                let sum = unsafe { sum_floats::<f64>(level, words.as_ptr(), words.len()) };
                assert!(sum == expected || sum.is_nan() && expected.is_nan(), "{values:?} {level:?}: {sum}");
            }
        }
    }
}

#[test]
fn sums_that_overflow_in_between_are_right() {
    let huge = f64::MAX;
    let cases: [(&[f64], f64); 5] = [
        (&[huge, huge, -huge, -huge], 0.0),
        (&[1e308, 1e308, -1e308], 1e308),
        (&[-huge, -huge, huge, 1e280], -huge),
        (&[huge, huge], f64::INFINITY),
        (&[-huge, -huge], f64::NEG_INFINITY),
    ];
    for (values, expected) in cases {
        // In different lanes, and all in one.
        for gap in [0, generic::LANES - 1] {
            let words: Vec<u64> = values
                .iter()
                .flat_map(|x| std::iter::once(*x).chain(std::iter::repeat_n(0.0, gap)))
                .map(f64::to_bits)
                .collect();
            for level in levels() {
                // SAFETY: a live slice that no thread writes.
                let sum = unsafe { sum_floats::<f64>(level, words.as_ptr(), words.len()) };
                assert_eq!(sum, expected, "{values:?} {level:?} {gap}");
            }
        }
    }
}

#[test]
fn rounding_errors_are_not_lost() {
    let words: Vec<u64> = [1e100, 1.0, -1e100].iter().chain(&[0.0; 13]).map(|x: &f64| x.to_bits()).collect();
    for level in levels() {
        // Twice, so that large and small numbers meet in the same lanes.
        let twice = words.repeat(2);
        // SAFETY: a live slice that no thread writes.
        assert_eq!(unsafe { sum_floats::<f64>(level, twice.as_ptr(), twice.len()) }, 2.0);
    }
}
