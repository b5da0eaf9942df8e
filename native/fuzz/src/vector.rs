//! The work of the fuzz target of vectors, over the C ABI. `capi/tests/vector_fuzz.rs` runs the
//! same on generated inputs, so a plain `cargo test` covers it briefly.
//!
//! [`region`] damages a valid vector as the input says, and runs every operation on it. Each call
//! must succeed or fail, in bounded time, and never access a byte out of bounds (the memory is
//! exactly as long as stated). [`operations`] runs operations on a vector of doubles and on a plain
//! model.

use offheap::owned_vector::*;
use offheap::status::oh_status::{OH_ERR_FULL, OH_OK};
use offheap::types::oh_type_width;
use offheap::vector::*;
use std::ffi::c_void;
use std::ptr::null_mut;

const F64: u32 = 8;
/// The word of the common header that is odd while a region is rearranged. Readers wait in that
/// case, so it stays even.
const SEQUENCE: usize = 6;
/// Bytes of a header.
const HEADER: usize = 256;

const NO_SUM: oh_sum = oh_sum { low: 0, high: 0, value: 0.0 };

/// Reads numbers from the input, and zeros after its end.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        first
    }

    fn number(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }
}

/// Damages a valid vector of some type, and uses it.
pub(crate) fn region(data: &[u8]) {
    let mut input = Input(data);
    let ty = u32::from(input.byte() % 10) + 1;
    let capacity = u64::from(input.byte());
    let mut length = 0;
    // SAFETY: the output is valid.
    assert_eq!(unsafe { oh_vector_region_size(ty, capacity, &raw mut length) }, OH_OK);
    let mut words = vec![0u64; length / 8];
    let base = words.as_mut_ptr().cast::<c_void>();
    let elements = [0x7FF8_0000_0000_0001u64, 0, 1 << 63, u64::MAX].repeat(64);
    let count = usize::from(input.byte()).min(capacity as usize);
    // SAFETY: the memory has this length, and `elements` has more bytes than `count` elements.
    unsafe {
        assert_eq!(oh_vector_init(base, length, ty), OH_OK);
        assert_eq!(oh_vector_push(base, length, ty, elements.as_ptr().cast(), count), OH_OK);
    }
    while !input.0.is_empty() {
        let at = input.byte() as usize % (HEADER / 4);
        if at == SEQUENCE {
            continue;
        }
        // SAFETY: the word is within the header.
        unsafe { base.cast::<u32>().add(at).write(input.number()) };
        use_all(base, length, ty);
    }
    // Truncated, in memory that ends there.
    let cut = length.min(input.number() as usize % (length + 1)) & !7;
    let mut short = words[..cut / 8].to_vec();
    use_all(short.as_mut_ptr().cast(), cut, ty);
}

/// Uses arbitrary bytes as a vector.
pub(crate) fn raw(data: &[u8]) {
    let mut words = vec![0u64; data.len() / 8];
    for (word, bytes) in words.iter_mut().zip(data.chunks_exact(8)) {
        *word = u64::from_le_bytes(bytes.try_into().expect("eight"));
    }
    if let Some(word) = words.get_mut(SEQUENCE / 2) {
        *word &= !1;
    }
    let ty = u32::from(data.first().copied().unwrap_or(0));
    use_all(words.as_mut_ptr().cast(), words.len() * 8, ty);
}

fn use_all(base: *mut c_void, length: usize, ty: u32) {
    let value = 1u64;
    let element = (&raw const value).cast::<c_void>();
    let (mut sum, mut extreme, mut found, mut at) = (NO_SUM, 0u64, false, [0i64; 1]);
    let mut saved = 0;
    let mut info = std::mem::MaybeUninit::<oh_vector_info>::uninit();
    // SAFETY: the memory has this length; an element has at most 8 bytes; the outputs are valid,
    // and have room for the stated number of indices.
    unsafe {
        let _ = oh_vector_check(base, length);
        let _ = oh_vector_validate(base, length);
        let mut places = vec![];
        if oh_vector_get_info(base, length, info.as_mut_ptr()) == OH_OK {
            let info = info.assume_init();
            let width = oh_type_width(info.element_type) as u64;
            assert!(info.count <= info.capacity && HEADER as u64 + info.capacity * width <= length as u64);
            places = vec![0u32; info.count as usize];
        }
        let _ = oh_vector_sum(base, length, &raw mut sum);
        for greatest in [false, true] {
            let out = (&raw mut extreme).cast();
            let _ = oh_vector_extreme(base, length, ty, greatest, out, &raw mut found);
        }
        for from in [0, 3, u64::MAX] {
            let _ = oh_vector_index_of(base, length, ty, element, from, true, at.as_mut_ptr());
        }
        let _ = oh_vector_search(base, length, ty, element, 1, at.as_mut_ptr());
        let out = places.as_mut_ptr().cast();
        let _ = oh_vector_argsort(base, length, null_mut(), out, places.len(), false, &raw mut found);
        let _ = oh_vector_saved_size(base, length, &raw mut saved);
        let _ = oh_vector_push(base, length, ty, element, 1);
        let _ = oh_vector_sort(base, length, null_mut(), &raw mut found);
        let _ = oh_vector_fill(base, length, ty, element, 0, 2);
        let _ = oh_vector_set_count(base, length, 3);
        let _ = oh_vector_set_region(base, length, length & !63);
        let _ = oh_vector_zero_unused(base, length);
    }
}

/// Runs operations on a vector that owns its memory, and on a `Vec`.
pub(crate) fn operations(data: &[u8]) {
    let mut input = Input(data);
    let mut vec = null_mut();
    let mut model: Vec<f64> = vec![];
    // SAFETY: the vector is valid until it is freed; values and outputs are valid.
    unsafe {
        assert_eq!(oh_owned_vector_new(F64, usize::from(input.byte()), &raw mut vec), OH_OK);
        while !input.0.is_empty() {
            match input.byte() % 6 {
                0 | 1 => {
                    let values: Vec<f64> =
                        (0..input.byte() % 40).map(|_| f64::from(input.number())).collect();
                    assert_eq!(oh_owned_vector_push(vec, values.as_ptr().cast(), values.len()), OH_OK);
                    model.extend(values);
                }
                2 => {
                    let len = usize::from(input.byte());
                    assert_eq!(oh_owned_vector_truncate(vec, len), OH_OK);
                    model.truncate(len);
                }
                3 => {
                    assert_eq!(oh_owned_vector_sort(vec), OH_OK);
                    model.sort_by(f64::total_cmp);
                }
                4 => assert_eq!(oh_owned_vector_reserve(vec, usize::from(input.byte())), OH_OK),
                _ => {
                    let (mut base, mut length, mut sum) = (null_mut(), 0, NO_SUM);
                    assert_eq!(oh_owned_vector_region(vec, &raw mut base, &raw mut length), OH_OK);
                    assert_eq!(oh_vector_sum(base, length, &raw mut sum), OH_OK);
                    assert_eq!(
                        sum.value,
                        model.iter().sum::<f64>(),
                        "the sum of integers below 2^53 is not exact"
                    );
                    let full = vec![0f64; length / 8];
                    assert_eq!(
                        oh_vector_push(base, length, F64, full.as_ptr().cast(), full.len()),
                        OH_ERR_FULL
                    );
                }
            }
            let data = oh_owned_vector_data(vec).cast::<f64>();
            assert_eq!(std::slice::from_raw_parts(data, oh_owned_vector_count(vec)), model);
        }
        oh_owned_vector_free(vec);
    }
}
