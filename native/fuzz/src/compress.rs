//! The work of the fuzz target of compression, over the C ABI. `capi/tests/compress_fuzz.rs` runs
//! the same on generated inputs, so a plain `cargo test` covers it briefly.
//!
//! [`frames`] decompresses the input with valid dictionaries. [`dictionary`] and [`store`] damage a
//! valid region as the input says, with or without updating the dictionary's identity, and run
//! every operation on it. [`round_trip`] compresses the input, and decompression must restore it.
//! Each call succeeds or fails, in bounded time and memory, and accesses no byte out of bounds (all
//! buffers are exactly as long as stated).

use offheap::compress::*;
use offheap::status::oh_status::OH_OK;
use std::ffi::c_void;
use std::ptr::null_mut;
use std::sync::OnceLock;

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

/// A dictionary, which is freed when it is dropped.
struct Trained(*mut oh_dictionary);

// SAFETY: the C ABI allows any thread to use a dictionary.
unsafe impl Send for Trained {}
// SAFETY: the same.
unsafe impl Sync for Trained {}

impl Drop for Trained {
    fn drop(&mut self) {
        // SAFETY: the dictionary is exclusive, and was not freed before.
        unsafe { oh_dictionary_free(self.0) }
    }
}

fn records() -> (Vec<u8>, Vec<f64>) {
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    for i in 0..300 {
        text.extend(
            format!("{{\"id\":{i},\"town\":\"Town {}\",\"open\":{}}}", i * 37 % 91, i % 3 > 0).bytes(),
        );
        ends.push(text.len() as f64);
    }
    (text, ends)
}

/// A small dictionary with one context, and one with several.
fn sound() -> &'static [Trained; 2] {
    static SOUND: OnceLock<[Trained; 2]> = OnceLock::new();
    SOUND.get_or_init(|| {
        let (text, ends) = records();
        [1500, 16_000].map(|most| {
            let mut made = null_mut();
            // SAFETY: all arguments are valid.
            let status = unsafe {
                oh_dictionary_train(
                    text.as_ptr(),
                    text.len(),
                    ends.as_ptr(),
                    ends.len(),
                    most,
                    null_mut(),
                    &raw mut made,
                )
            };
            assert_eq!(status, OH_OK);
            Trained(made)
        })
    })
}

fn bytes_of(dictionary: *const oh_dictionary) -> Vec<u8> {
    let mut info = oh_dictionary_info {
        identity: 0,
        bytes: null_mut(),
        region_size: 0,
        content: 0,
        phrases: 0,
        contexts: 0,
    };
    // SAFETY: the dictionary and its bytes are valid.
    unsafe {
        assert_eq!(oh_dictionary_get_info(dictionary, &raw mut info), OH_OK);
        std::slice::from_raw_parts(info.bytes.cast::<u8>(), info.region_size).to_vec()
    }
}

fn decompress(dictionary: *const oh_dictionary, bytes: &[u8], capacity: usize) -> Option<Vec<u8>> {
    let mut out = vec![0; capacity];
    let mut written = 0;
    // SAFETY: all arguments are valid, and have the stated lengths.
    let status = unsafe {
        oh_decompress(dictionary, bytes.as_ptr(), bytes.len(), out.as_mut_ptr(), capacity, &raw mut written)
    };
    (status == OH_OK).then(|| out[..written].to_vec())
}

/// Decompresses arbitrary bytes.
pub(crate) fn frames(data: &[u8]) {
    for dictionary in sound() {
        let tag = compress(dictionary.0, 3, b"{\"id\":1}")[0];
        let tagged: Vec<u8> = std::iter::once(tag).chain(data.iter().copied()).collect();
        for bytes in [data, &tagged] {
            let wide = decompress(dictionary.0, bytes, 70_000);
            for capacity in [0, 1, 31, 32, 33, 100] {
                let narrow = decompress(dictionary.0, bytes, capacity);
                // The result is the same, or an error, for any capacity.
                assert!(narrow.is_none() || narrow == wide);
                if let Some(text) = &wide {
                    assert_eq!(narrow.is_some(), text.len() <= capacity);
                }
            }
        }
    }
}

fn compress(dictionary: *const oh_dictionary, level: u32, text: &[u8]) -> Vec<u8> {
    let mut out = vec![0; text.len() + 1];
    let mut written = 0;
    // SAFETY: all arguments are valid, and have the stated lengths.
    let status = unsafe {
        oh_compress(
            dictionary,
            level,
            text.as_ptr(),
            text.len(),
            out.as_mut_ptr(),
            out.len(),
            &raw mut written,
        )
    };
    assert_eq!(status, OH_OK);
    out.truncate(written);
    out
}

/// Compresses the input, and checks that decompression restores it.
pub(crate) fn round_trip(data: &[u8]) {
    for dictionary in sound() {
        for level in [1, 3, 4, 5, 9] {
            let packed = compress(dictionary.0, level, data);
            assert_eq!(decompress(dictionary.0, &packed, data.len()).as_deref(), Some(data));
        }
    }
}

/// Damages a valid dictionary and uses it.
pub(crate) fn dictionary(data: &[u8]) {
    let mut input = Input(data);
    let mut bytes = bytes_of(sound()[usize::from(input.byte() % 2)].0);
    let seal = input.byte().is_multiple_of(4);
    for _ in 0..1 + input.byte() % 8 {
        let at = input.number() as usize % bytes.len();
        bytes[at] = input.byte();
    }
    if !seal {
        let word = |at: usize| u32::from_le_bytes(bytes[at * 4..][..4].try_into().expect("four")) as usize;
        let (content, tables, average) = (word(16), word(19), word(22) as u64);
        let Some(body) = bytes.get(256..256usize.saturating_add(content).saturating_add(tables)) else {
            return;
        };
        let identity = identity(body, average);
        bytes[80..88].copy_from_slice(&identity.to_le_bytes());
    }
    use_dictionary(&bytes, input.0);
}

/// The identity as specified in `docs/formats/compress.md`.
fn identity(body: &[u8], average: u64) -> u64 {
    const K: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hash = (body.len() as u64 ^ average << 32).wrapping_mul(K);
    let mut mix = |word: u64| {
        hash = (hash ^ word).wrapping_mul(K);
        hash ^= hash >> 29;
    };
    let (words, rest) = body.as_chunks::<8>();
    words.iter().for_each(|&word| mix(u64::from_le_bytes(word)));
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    mix(u64::from_le_bytes(last));
    mix(K);
    hash
}

fn use_dictionary(bytes: &[u8], text: &[u8]) {
    let mut opened = null_mut();
    // SAFETY: all arguments are valid.
    let status = unsafe { oh_dictionary_open(bytes.as_ptr().cast(), bytes.len(), &raw mut opened) };
    if status != OH_OK {
        return;
    }
    let opened = Trained(opened);
    // SAFETY: the dictionary is valid.
    let _ = unsafe { oh_dictionary_validate(opened.0) };
    for level in [3, 9] {
        for text in [text, b"{\"id\":17,\"town\":\"Town 12\",\"open\":true}"] {
            let packed = compress(opened.0, level, text);
            assert_eq!(decompress(opened.0, &packed, text.len() + 40).as_deref(), Some(text));
            decompress(opened.0, text, 5000);
        }
    }
}

/// Opens arbitrary bytes as a dictionary and as a store.
pub(crate) fn raw(data: &[u8]) {
    use_dictionary(data, data);
    let mut words = vec![0u64; data.len() / 8];
    for (word, bytes) in words.iter_mut().zip(data.chunks_exact(8)) {
        *word = u64::from_le_bytes(bytes.try_into().expect("eight"));
    }
    use_store(words.as_ptr().cast(), words.len() * 8);
}

/// Damages a valid store and uses it.
pub(crate) fn store(data: &[u8]) {
    static SOUND: OnceLock<Vec<u64>> = OnceLock::new();
    let sound = SOUND.get_or_init(|| {
        let (text, ends) = records();
        let (mut builder, mut length) = (null_mut(), 0);
        // SAFETY: all arguments are valid, and have the stated lengths.
        unsafe {
            assert_eq!(oh_recordstore_builder_new(sound()[0].0, 3, &raw mut builder), OH_OK);
            let (texts, all) = (text.as_ptr(), ends.as_ptr());
            assert_eq!(oh_recordstore_builder_push(builder, texts, text.len(), all, ends.len()), OH_OK);
            assert_eq!(oh_recordstore_builder_region_size(builder, &raw mut length), OH_OK);
            let mut words = vec![0u64; length as usize / 8];
            assert_eq!(
                oh_recordstore_builder_write(builder, words.as_mut_ptr().cast(), length as usize),
                OH_OK
            );
            oh_recordstore_builder_free(builder);
            words
        }
    });
    let mut words = sound.clone();
    let mut input = Input(data);
    let bytes = words.len() * 8;
    for _ in 0..1 + input.byte() % 6 {
        // Most of the damage goes to the header and to the bytes after the dictionary.
        let at = match input.byte() % 3 {
            0 => input.byte() as usize,
            1 => bytes - 1 - input.number() as usize % (bytes / 2),
            _ => input.number() as usize % bytes,
        };
        // SAFETY: the byte is within the words.
        unsafe { words.as_mut_ptr().cast::<u8>().add(at).write(input.byte()) };
    }
    use_store(words.as_ptr().cast(), bytes);
    let cut = input.number() as usize % (bytes / 8 + 1) * 8;
    use_store(words[..cut / 8].to_vec().as_ptr().cast(), cut);
}

fn use_store(base: *const c_void, length: usize) {
    let mut opened = null_mut();
    // SAFETY: the memory is valid, and has the stated length.
    unsafe {
        if oh_recordstore_open(base, length, &raw mut opened) != OH_OK {
            return;
        }
        let _ = oh_recordstore_validate(opened);
        let mut written = 0;
        let mut out = vec![0u8; 300];
        for index in [0, 1, 2, 7, 100, 299, 300, u64::MAX] {
            for capacity in [0, 33, 300] {
                let _ = oh_recordstore_get(opened, index, out.as_mut_ptr(), capacity, &raw mut written);
            }
        }
        let indices = [0.0, 299.0, 5.0, 5.0, 77.0];
        let mut ends = [0.0; 5];
        let (from, to) = (indices.as_ptr(), ends.as_mut_ptr());
        let _ = oh_recordstore_get_many(opened, from, 5, to, out.as_mut_ptr(), out.len(), &raw mut written);
        oh_recordstore_free(opened);
    }
}
