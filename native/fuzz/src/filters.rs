//! The work of the fuzz target of Bloom filters, suffix arrays and rolling hashes, over the C ABI.
//! `capi/tests/filters_fuzz.rs` runs the same on generated inputs, so a plain `cargo test` covers
//! it briefly.
//!
//! [`region`] damages a valid filter and a valid suffix array as the input says, and runs every
//! operation on them. Each call must succeed or fail, in bounded time, and never access a byte out
//! of bounds (the memory is exactly as long as stated). [`operations`] compares with plain models.

use offheap::bloomfilter::*;
use offheap::rollinghash::*;
use offheap::status::oh_status::OH_OK;
use offheap::suffixarray::*;
use std::ffi::c_void;
use std::ptr::null_mut;

const F64: u32 = 8;

/// Reads numbers from the input, and zeros after its end.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    fn number(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (first, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        first
    }
}

fn sound_filter(capacity: u64) -> Vec<u64> {
    let mut length = 0;
    // SAFETY: the output is valid, and the memory has this length.
    unsafe {
        assert_eq!(oh_bloomfilter_region_size(capacity, 0.01, &raw mut length), OH_OK);
        let mut words = vec![u64::MAX; length / 8];
        assert_eq!(oh_bloomfilter_init(words.as_mut_ptr().cast(), length, capacity, 0.01, 1, 2), OH_OK);
        words
    }
}

fn sound_array(text: &[u8]) -> Vec<u64> {
    let mut length = 0;
    // SAFETY: the output is valid, and the memory has this length.
    unsafe {
        assert_eq!(oh_suffixarray_region_size(text.len(), &raw mut length), OH_OK);
        let mut words = vec![u64::MAX; length / 8];
        let base = words.as_mut_ptr().cast();
        assert_eq!(oh_suffixarray_build(base, length, text.as_ptr().cast(), text.len()), OH_OK);
        words
    }
}

/// Damages a valid region and uses it.
pub(crate) fn region(data: &[u8]) {
    let mut input = Input(data);
    let mut words = if input.byte() % 2 == 0 {
        sound_filter(u64::from(input.byte()))
    } else {
        let length = usize::from(input.byte());
        sound_array(input.bytes(length))
    };
    let mut damages = 0;
    while !input.0.is_empty() && damages < 16 {
        let at = input.number() as usize % (words.len() * 2);
        // SAFETY: the offset is that of one half of a word.
        unsafe { words.as_mut_ptr().cast::<u32>().add(at).write(input.number()) };
        use_all(&mut words);
        damages += 1;
    }
    // Truncated, in memory that ends there.
    words.truncate(input.number() as usize % (words.len() + 1));
    words.shrink_to_fit();
    use_all(&mut words);
}

/// Uses arbitrary bytes as a region.
pub(crate) fn raw(data: &[u8]) {
    let mut words: Vec<u64> =
        data.chunks_exact(8).map(|bytes| u64::from_le_bytes(bytes.try_into().expect("eight"))).collect();
    use_all(&mut words);
}

fn use_all(words: &mut [u64]) {
    let (base, length) = (words.as_mut_ptr().cast::<c_void>(), words.len() * 8);
    let keys: Vec<f64> = (0..300).map(f64::from).collect();
    let mut answers = vec![0u8; keys.len()];
    let mut found = false;
    let (mut info, mut hashed) = (std::mem::MaybeUninit::uninit(), std::mem::MaybeUninit::uninit());
    let (mut number, mut place) = (0u64, oh_suffixarray_found { start: 0, count: 0 });
    // SAFETY: the memory has this length; keys, patterns and outputs are valid.
    unsafe {
        let _ = oh_bloomfilter_check(base, length);
        let _ = oh_bloomfilter_validate(base, length);
        if oh_bloomfilter_get_info(base, length, info.as_mut_ptr()) == OH_OK {
            let info: oh_bloomfilter_info = info.assume_init();
            assert!(info.blocks > 0 && info.region_size <= length as u64);
        }
        let _ = oh_bloomfilter_ones(base, length, &raw mut number);
        let _ = oh_bloomfilter_has(base, length, b"key".as_ptr().cast(), 3, &raw mut found);
        let out = answers.as_mut_ptr();
        let _ = oh_bloomfilter_has_numbers(base, length, keys.as_ptr().cast(), F64, keys.len(), out);
        if oh_bloomfilter_hash(base, length, b"key".as_ptr().cast(), 3, hashed.as_mut_ptr()) == OH_OK {
            let _ = oh_bloomfilter_add_hashed(base, length, hashed.as_ptr(), 1);
            assert_eq!(oh_bloomfilter_has_hashed(base, length, hashed.as_ptr(), 1, out), OH_OK);
            assert_eq!(answers[0], 1);
        }
        let _ = oh_bloomfilter_add(base, length, b"other".as_ptr().cast(), 5);
        let _ = oh_bloomfilter_add_numbers(base, length, keys.as_ptr().cast(), F64, keys.len());

        let _ = oh_suffixarray_check(base, length);
        let _ = oh_suffixarray_validate(base, length);
        let mut size = 0;
        let sound = oh_suffixarray_count(base, length, &raw mut size) == OH_OK;
        for rank in [0, size / 2, size.wrapping_sub(1), size, u64::MAX] {
            let there = oh_suffixarray_at(base, length, rank, &raw mut number) == OH_OK;
            assert_eq!(there, sound && rank < size);
        }
        for pattern in [&b""[..], b"a", b"\0", &[255; 300]] {
            let from = pattern.as_ptr().cast();
            if oh_suffixarray_search(base, length, from, pattern.len(), &raw mut place) == OH_OK {
                assert!(place.start + place.count <= size);
            }
        }
    }
}

/// Takes keys, texts and windows from the input, and compares with plain models.
pub(crate) fn operations(data: &[u8]) {
    let mut input = Input(data);
    let (window, bits) = (usize::from(input.byte() % 70) + 1, u32::from(input.byte() % 8) + 1);
    let data = input.0;
    rolling(data, window, bits);
    search(&data[..data.len().min(400)]);
    // The zeros of the input separate the keys.
    let keys: Vec<&[u8]> = data.split(|&byte| byte == 0).collect();
    let mut words = sound_filter(keys.len() as u64);
    let (base, length) = (words.as_mut_ptr().cast::<c_void>(), words.len() * 8);
    // SAFETY: the memory has this length; keys and outputs are valid.
    unsafe {
        for key in &keys {
            assert_eq!(oh_bloomfilter_add(base, length, key.as_ptr().cast(), key.len()), OH_OK);
        }
        for key in &keys {
            let mut found = false;
            let key_bytes = key.as_ptr().cast();
            assert_eq!(oh_bloomfilter_has(base, length, key_bytes, key.len(), &raw mut found), OH_OK);
            assert!(found);
        }
        assert_eq!(oh_bloomfilter_validate(base, length), OH_OK);
    }
}

fn search(text: &[u8]) {
    let words = sound_array(text);
    let (base, length) = (words.as_ptr().cast::<c_void>(), words.len() * 8);
    let mut found = oh_suffixarray_found { start: 0, count: 0 };
    // SAFETY: the memory has this length; patterns and outputs are valid.
    unsafe {
        assert_eq!(oh_suffixarray_validate(base, length), OH_OK);
        for pattern in
            [&text[..text.len().min(1)], &text[text.len() / 2..], &text[text.len() - text.len().min(2)..]]
        {
            let from = pattern.as_ptr().cast();
            assert_eq!(oh_suffixarray_search(base, length, from, pattern.len(), &raw mut found), OH_OK);
            let count = (0..text.len()).filter(|&from| text[from..].starts_with(pattern)).count();
            assert_eq!(found.count, count as u64);
        }
    }
}

fn rolling(data: &[u8], window: usize, bits: u32) {
    let mut hash = null_mut();
    let mut place = oh_rollinghash_place { end: 0, hash: 0, is_cut: false };
    let of = |bytes: &[u8]| {
        let mut hash = 0;
        // SAFETY: the bytes and the output are valid.
        assert_eq!(unsafe { oh_rollinghash_of(bytes.as_ptr().cast(), bytes.len(), &raw mut hash) }, OH_OK);
        hash
    };
    let cuts: Vec<usize> =
        (window..=data.len()).filter(|&end| of(&data[end - window..end]) >> (32 - bits) == 0).collect();
    let mut found = Vec::new();
    // SAFETY: the hash is valid until it is freed; the bytes and outputs are valid.
    unsafe {
        assert_eq!(oh_rollinghash_new(window, &raw mut hash), OH_OK);
        let mut done = 0;
        loop {
            let rest = &data[done..];
            let from = rest.as_ptr().cast();
            assert_eq!(oh_rollinghash_find(hash, from, rest.len(), bits, &raw mut place), OH_OK);
            done += place.end;
            if !place.is_cut {
                break;
            }
            found.push(done);
        }
        assert_eq!(done, data.len());
        assert_eq!(oh_rollinghash_value(hash), of(&data[data.len().saturating_sub(window)..]));
        oh_rollinghash_free(hash);
    }
    assert_eq!(found, cuts);
}
