use super::super::dictionary::{Dictionary, Level as Effort};
use super::super::encode::{Framing, Scratch};
use super::super::train::{TrainOptions, train};
use super::*;
use proptest::prelude::*;
use std::sync::OnceLock;

const LIMIT: usize = 4096;

fn town(i: usize) -> Vec<u8> {
    let street = &b"Lower Upper Old New Long Broad Market Mill"[i % 29..][..6];
    let mut town =
        format!(r#"{{"id":{i},"town":"Town {}","open":{},"streets":["#, i * 37 % 91, i % 3).into_bytes();
    (0..i % 9).for_each(|_| town.extend_from_slice(street));
    town
}

fn dictionary() -> &'static Dictionary {
    static TRAINED: OnceLock<Dictionary> = OnceLock::new();
    TRAINED.get_or_init(|| {
        let samples: Vec<Vec<u8>> = (0..4000).map(town).collect();
        let samples: Vec<&[u8]> = samples.iter().map(Vec::as_slice).collect();
        train(&samples, TrainOptions { max_bytes: Some(32 << 10) }, None).unwrap().unwrap()
    })
}

/// The AVX2 decoder if the processor has AVX2, else the portable one.
#[cfg(target_arch = "x86_64")]
unsafe fn widest<const MANY: bool>(
    decoder: &Decoder,
    input: *const u8,
    len: usize,
    out: *mut u8,
    limit: usize,
) -> Result<Option<usize>> {
    // SAFETY: the preconditions of `decode` are guaranteed by the caller, and the processor's level
    // is checked.
    unsafe {
        if Features::get().level() >= Level::Avx2 {
            decoder.decode_avx2::<MANY>(input, len, out, limit)
        } else {
            decoder.decode_with::<MANY>(input, len, out, limit)
        }
    }
}

/// Decodes with every implementation, asserts that all results are equal, and returns the result.
fn decoded(decoder: &Decoder, input: &[u8], limit: usize) -> std::result::Result<Option<Vec<u8>>, String> {
    type Way = unsafe fn(&Decoder, *const u8, usize, *mut u8, usize) -> Result<Option<usize>>;
    let ways: &[Way] = &[
        Decoder::decode,
        Decoder::decode_with::<false>,
        Decoder::decode_with::<true>,
        #[cfg(target_arch = "x86_64")]
        widest::<true>,
        #[cfg(target_arch = "x86_64")]
        widest::<false>,
    ];
    let results: Vec<_> = ways
        .iter()
        .map(|way| {
            // Exactly as long as stated, so that a sanitizer detects an access past the end.
            let input = input.to_vec().into_boxed_slice();
            let mut out = vec![0; limit + SLACK].into_boxed_slice();
            // SAFETY: the input has `input.len()` bytes and the output `limit + SLACK`.
            match unsafe { way(decoder, input.as_ptr(), input.len(), out.as_mut_ptr(), limit) } {
                Ok(made) => Ok(made.map(|made| out[..made].to_vec())),
                Err(error) => Err(error.message().to_owned()),
            }
        })
        .collect();
    results.iter().for_each(|result| assert_eq!(result, &results[0]));
    results.into_iter().next().unwrap()
}

#[test]
fn all_decoders_restore_the_text() {
    let dictionary = dictionary();
    assert!(dictionary.counts().2 > 1);
    for (i, level) in (0..900).zip((1..=9).cycle()) {
        let text = if i % 5 == 0 { [town(i), town(i + 7), town(i)].concat() } else { town(i + 5000) };
        let mut packed = Vec::new();
        let level = Effort::new(level).unwrap();
        dictionary.compress(level, Framing::Tagged, &text, &mut Scratch::new(), &mut packed).unwrap();
        assert!(packed[0] != 255);
        assert_eq!(decoded(dictionary.decoder(), &packed[1..], LIMIT), Ok(Some(text.clone())));
        assert_eq!(decoded(dictionary.decoder(), &packed[1..], text.len()), Ok(Some(text.clone())));
        assert_eq!(decoded(dictionary.decoder(), &packed[1..], text.len() - 1), Ok(None));
    }
}

proptest! {
    #[test]
fn all_decoders_agree_on_arbitrary_bytes(
        bytes in proptest::collection::vec(any::<u8>(), 0..60),
        limit in 0..LIMIT,
    ) {
        drop(decoded(dictionary().decoder(), &bytes, limit));
    }

    #[test]
fn all_decoders_agree_on_damaged_records(
        i in 0usize..6000,
        level in 1u32..=9,
        flips in proptest::collection::vec((any::<u16>(), 1u8..), 1..4),
    ) {
        let (dictionary, mut packed) = (dictionary(), Vec::new());
        let text = [town(i), town(i / 2)].concat();
        dictionary
            .compress(Effort::new(level).unwrap(), Framing::Tagged, &text, &mut Scratch::new(), &mut packed)
            .unwrap();
        for (at, mask) in flips {
            let at = usize::from(at) % packed.len();
            packed[at] ^= mask;
        }
        drop(decoded(dictionary.decoder(), &packed, LIMIT));
    }
}
