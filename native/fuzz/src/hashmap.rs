//! The work of the fuzz target of the hash map, over the C ABI. `capi/tests/hashmap_fuzz.rs` runs
//! the same on generated inputs, so a plain `cargo test` covers it briefly.
//!
//! [`region`] damages a valid map as the input says, and runs every operation on it. Each call must
//! succeed or fail, in bounded time, and never access a byte out of bounds (the memory is exactly
//! as long as stated, so address sanitizers and Miri detect that). [`operations`] runs operations
//! on a map and on a plain model.

use offheap::hashmap::*;
use offheap::status::oh_status::{self, OH_OK};
use offheap::types::oh_type_width;
use std::collections::HashMap;
use std::ffi::c_void;

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

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Bytes of keys and values.
type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// The memory of a region, exactly as long as stated.
struct Region {
    words: Vec<u64>,
}

impl Region {
    fn new(length: usize) -> Region {
        Region { words: vec![0; length / 8] }
    }

    fn base(&mut self) -> *mut c_void {
        self.words.as_mut_ptr().cast()
    }

    fn length(&self) -> usize {
        self.words.len() * 8
    }

    fn bytes(&mut self) -> &mut [u8] {
        // SAFETY: the words are initialized and exclusive.
        unsafe { std::slice::from_raw_parts_mut(self.words.as_mut_ptr().cast(), self.words.len() * 8) }
    }

    fn map(options: &oh_hashmap_options) -> Region {
        let mut length = 0;
        // SAFETY: both pointers are valid.
        assert_eq!(unsafe { oh_hashmap_region_size(options, &raw mut length) }, OH_OK);
        let mut region = Region::new(length);
        // SAFETY: the region has this length.
        assert_eq!(unsafe { oh_hashmap_init(region.base(), length, options) }, OH_OK);
        region
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> oh_status {
        let (base, length) = (self.base(), self.length());
        let inserted = std::ptr::null_mut();
        // SAFETY: the memory and both slices are valid.
        unsafe {
            oh_hashmap_set(
                base,
                length,
                key.as_ptr().cast(),
                key.len(),
                value.as_ptr().cast(),
                value.len(),
                inserted,
            )
        }
    }

    fn remove(&mut self, key: &[u8]) -> (oh_status, bool) {
        let (base, length) = (self.base(), self.length());
        let mut removed = false;
        // SAFETY: the memory and the key are valid.
        let status =
            unsafe { oh_hashmap_remove(base, length, key.as_ptr().cast(), key.len(), &raw mut removed) };
        (status, removed)
    }

    fn get(&mut self, key: &[u8]) -> (oh_status, Option<Vec<u8>>) {
        let (base, length) = (self.base(), self.length());
        let (mut value, mut value_length) = (std::ptr::null(), 0);
        // SAFETY: the memory, the key and the outputs are valid; the result is within the region.
        unsafe {
            let status = oh_hashmap_get(
                base,
                length,
                key.as_ptr().cast(),
                key.len(),
                &raw mut value,
                &raw mut value_length,
            );
            (status, (!value.is_null()).then(|| copy(value, value_length)))
        }
    }

    fn handle_of(&mut self, key: &[u8]) -> (oh_status, u64) {
        let (base, length) = (self.base(), self.length());
        let mut handle = 0;
        // SAFETY: the memory, the key and the output are valid.
        let status =
            unsafe { oh_hashmap_handle_of(base, length, key.as_ptr().cast(), key.len(), &raw mut handle) };
        (status, handle)
    }

    fn by_handle(&mut self, handle: u64) -> Option<(Vec<u8>, Vec<u8>)> {
        let (base, length) = (self.base(), self.length());
        let mut entry = NO_ENTRY;
        // SAFETY: the memory and the output are valid; the result is within the region.
        unsafe {
            let status = oh_hashmap_get_by_handle(base, length, handle, &raw mut entry);
            (status == OH_OK)
                .then(|| (copy(entry.key, entry.key_length), copy(entry.value, entry.value_length)))
        }
    }

    /// All entries in order, or those before the first error.
    fn entries(&mut self) -> (oh_status, Entries) {
        let (base, length) = (self.base(), self.length());
        let mut entries = vec![];
        let mut cursor = 0;
        loop {
            let mut entry = NO_ENTRY;
            let before = cursor;
            // SAFETY: the memory and the outputs are valid; the results are within the region.
            unsafe {
                let status = oh_hashmap_next(base, length, &raw mut cursor, &raw mut entry);
                if status != OH_OK || cursor == 0 {
                    return (status, entries);
                }
                entries.push((copy(entry.key, entry.key_length), copy(entry.value, entry.value_length)));
            }
            assert!(cursor > before, "the cursor does not advance");
        }
    }

    fn describe(&mut self) -> Option<oh_hashmap_info> {
        let (base, length) = (self.base(), self.length());
        let mut info = std::mem::MaybeUninit::<oh_hashmap_info>::uninit();
        // SAFETY: the memory and the output are valid; the output is written on success.
        unsafe { (oh_hashmap_get_info(base, length, info.as_mut_ptr()) == OH_OK).then(|| info.assume_init()) }
    }

    /// Rebuilds the map in memory of the required length.
    fn rebuild(&mut self, capacity: u32, heap: u64) -> oh_status {
        let (base, length) = (self.base(), self.length());
        let mut needed = 0;
        // SAFETY: the memory and the output are valid, and the memory has the required length.
        unsafe {
            let status = oh_hashmap_rebuild_region_size(base, length, capacity, heap, &raw mut needed);
            if status != OH_OK || needed > 1 << 24 {
                return status;
            }
            if needed > length {
                self.words.resize(needed / 8, 0);
            }
            let (base, length) = (self.base(), self.length());
            oh_hashmap_rebuild(base, length, capacity, heap)
        }
    }
}

const NO_ENTRY: oh_hashmap_entry = oh_hashmap_entry {
    key: std::ptr::null(),
    key_length: 0,
    value: std::ptr::null(),
    value_length: 0,
    position: 0,
};

/// # Safety
/// `data` is null, or readable for `length` bytes.
unsafe fn copy(data: *const c_void, length: usize) -> Vec<u8> {
    if data.is_null() {
        return vec![];
    }
    // SAFETY: `data` is readable for `length` bytes, as guaranteed by the caller.
    unsafe { std::slice::from_raw_parts(data.cast(), length) }.to_vec()
}

const KEY_TYPES: [u32; 7] = [5, 6, 8, 9, 10, 12, 13];

/// Bytes of a number of this type; `None` for strings and bytes.
fn width(ty: u32) -> Option<usize> {
    (!matches!(ty, 12..=14)).then(|| oh_type_width(ty))
}

/// A key or value of this type, derived from a number.
fn sample(ty: u32, number: u32) -> Vec<u8> {
    match width(ty) {
        Some(8) if ty == 8 => f64::from(number).to_le_bytes().to_vec(),
        Some(width) => u64::from(number).to_le_bytes()[..width].to_vec(),
        None => format!("{number:x}").repeat(number as usize % 4).into_bytes(),
    }
}

fn new_map(input: &mut Input<'_>) -> (Region, u32, u32) {
    let key_type = KEY_TYPES[usize::from(input.byte()) % KEY_TYPES.len()];
    let value_type = u32::from(input.byte()) % 15 + 1;
    let blobs = width(key_type).is_none() || width(value_type).is_none();
    let options = oh_hashmap_options {
        struct_size: size_of::<oh_hashmap_options>(),
        key_type,
        value_type,
        capacity: u32::from(input.byte()) % 80 + 1,
        seeds: [0x0123_4567, 0x89AB_CDEF],
        heap_capacity: if blobs { 640 } else { 0 },
    };
    (Region::map(&options), key_type, value_type)
}

/// Damages a map as the input says, and runs every operation on it.
pub(crate) fn region(data: &[u8]) {
    let mut input = Input(data);
    let (mut region, key_type, value_type) = new_map(&mut input);
    // A map with deleted entries and, usually, with handles and slots.
    let flags = input.byte();
    for i in 0..u32::from(input.byte() % 64) {
        region.set(&sample(key_type, i), &sample(value_type, i * 7));
        if flags & 1 != 0 && i % 5 == 2 {
            region.handle_of(&sample(key_type, i));
        }
        if flags & 2 != 0 && i % 3 == 2 {
            region.remove(&sample(key_type, i - 1));
        }
        if flags & 4 != 0 && i == 20 {
            let heap = region.describe().map_or(0, |info| info.heap_capacity);
            region.rebuild(64, heap.min(1) * 1024);
        }
    }
    // The damage: bytes at offsets, half of which are in the header.
    while !input.is_empty() {
        let (at, value) = (input.number() as usize, input.byte());
        let length = region.length();
        let at = if at % 2 == 0 { at / 2 % 256 } else { at / 2 % length };
        region.bytes()[at] ^= value;
    }
    // Readers wait a second for a region that seems to be rearranged, so the sequence is made even.
    region.bytes()[24] &= !1;
    use_in_every_way(&mut region);
}

/// Uses arbitrary bytes as a region.
pub(crate) fn raw(data: &[u8]) {
    let mut region = Region::new(data.len() / 64 * 64);
    let length = region.length();
    region.bytes().copy_from_slice(&data[..length]);
    if length >= 256 {
        region.bytes()[24] &= !1;
    }
    use_in_every_way(&mut region);
}

/// Calls every function of the ABI, whatever the contents of the memory.
fn use_in_every_way(region: &mut Region) {
    let (base, length) = (region.base(), region.length());
    // SAFETY: here and below, the memory is valid and as long as stated, and so are the arrays.
    let checked = unsafe { oh_hashmap_check(base, length) };
    // SAFETY: as above.
    let valid = unsafe { oh_hashmap_validate(base, length) };
    assert!(checked == OH_OK || valid != OH_OK, "validate is stricter than check");
    let Some(info) = region.describe() else {
        assert_ne!(checked, OH_OK);
        return;
    };
    assert_eq!(checked, OH_OK);
    let (status, entries) = region.entries();
    assert!(entries.len() as u64 <= u64::from(info.capacity));
    if valid == OH_OK {
        assert_eq!(status, OH_OK, "a valid map is readable");
        for (key, value) in &entries {
            let (status, found) = region.get(key);
            assert_eq!(status, OH_OK);
            // One entry may be missing from the index: see the format.
            assert!(found.is_none_or(|found| found == *value || info.value_type == 15));
        }
    }
    use_in_bulk(region, &info);
    for number in 0..12 {
        let (key, value) = (sample(info.key_type, number * 3), sample(info.value_type, number));
        let (_, handle) = region.handle_of(&key);
        region.by_handle(handle);
        region.by_handle(u64::from(number) | 1 << 32);
        if region.set(&key, &value) == oh_status::OH_ERR_FULL && number % 2 == 0 {
            let capacity = info.capacity.saturating_mul(2).clamp(1, 1 << 12);
            region.rebuild(capacity, info.heap_capacity * 2);
        }
        region.get(&key);
        region.remove(&sample(info.key_type, number));
    }
    region.rebuild(info.capacity, info.heap_capacity);
    region.entries();
    // SAFETY: as above.
    unsafe {
        let (base, length) = (region.base(), region.length());
        oh_hashmap_validate(base, length);
        if oh_hashmap_clear(base, length) == OH_OK {
            // Reserved words and the like may still be wrong, but the contents are not.
            assert_eq!(region.entries(), (OH_OK, vec![]));
        }
    }
}

fn use_in_bulk(region: &mut Region, info: &oh_hashmap_info) {
    const COUNT: usize = 600;
    let (base, length) = (region.base(), region.length());
    let mut keys = vec![0u64; COUNT];
    let mut values = vec![0u64; COUNT];
    let mut found = vec![0u8; COUNT];
    let mut handles = vec![0u64; COUNT];
    if let Some(width) = width(info.key_type) {
        // SAFETY: all bytes are valid numbers.
        let bytes = unsafe { std::slice::from_raw_parts_mut(keys.as_mut_ptr().cast::<u8>(), COUNT * 8) };
        for (i, slot) in bytes.chunks_exact_mut(width).take(COUNT).enumerate() {
            slot.copy_from_slice(&sample(info.key_type, i as u32));
        }
    }
    let (keys, values) = (keys.as_ptr().cast::<c_void>(), values.as_mut_ptr().cast::<c_void>());
    let (found, handles) = (found.as_mut_ptr(), handles.as_mut_ptr());
    let mut out = 0;
    // SAFETY: the memory is valid; the arrays have COUNT elements of at most 8 bytes.
    unsafe {
        oh_hashmap_get_many(base, length, 0, keys, COUNT, values, found, &raw mut out);
        assert!(out <= COUNT);
        oh_hashmap_has_many(base, length, 0, keys, COUNT, found, &raw mut out);
        assert!(out <= COUNT);
        oh_hashmap_handles_of(base, length, 0, keys, COUNT, handles, &raw mut out);
        assert!(out <= COUNT);
        oh_hashmap_get_many_by_handle(base, length, 0, handles, COUNT, values, found, &raw mut out);
        assert!(out <= COUNT);
        oh_hashmap_set_many(base, length, 0, keys, values, COUNT, 3, &raw mut out);
        assert!(out <= COUNT);
        oh_hashmap_remove_many(base, length, 0, keys, COUNT / 2, &raw mut out);
        assert!(out <= COUNT);
    }
}

/// Runs operations on a map, in memory that grows when it is full, and on a model.
pub(crate) fn operations(data: &[u8]) {
    let mut input = Input(data);
    let (mut region, key_type, value_type) = new_map(&mut input);
    if value_type == 15 {
        return;
    }
    let mut model: Entries = vec![];
    let mut handles: HashMap<u64, Vec<u8>> = HashMap::new();
    while !input.is_empty() {
        let (op, number) = (input.byte(), u32::from(input.byte()));
        let key = sample(key_type, number);
        let at = model.iter().position(|(other, _)| *other == key);
        match op % 8 {
            0..=3 => {
                let mut value = sample(value_type, u32::from(input.byte()));
                if value_type == 11 {
                    value[0] = u8::from(value[0] != 0);
                }
                let mut status = region.set(&key, &value);
                for _ in 0..2 {
                    if status == oh_status::OH_ERR_FULL {
                        grow(&mut region, (key.len() + value.len() + 16) as u64);
                        status = region.set(&key, &value);
                    }
                }
                assert_eq!(status, OH_OK);
                match at {
                    Some(at) => model[at].1 = value,
                    None => model.push((key, value)),
                }
            }
            4 | 5 => {
                assert_eq!(region.remove(&key), (OH_OK, at.is_some()));
                if let Some(at) = at {
                    let (key, _) = model.remove(at);
                    handles.retain(|&handle, of| {
                        let gone = *of == key;
                        assert!(
                            !gone || region.by_handle(handle).is_none(),
                            "a stale handle is still accepted"
                        );
                        !gone
                    });
                }
            }
            6 => {
                let (status, handle) = region.handle_of(&key);
                assert_eq!((status, handle != 0), (OH_OK, at.is_some()));
                if handle != 0 {
                    handles.insert(handle, key);
                }
            }
            _ => {
                let info = region.describe().expect("sound");
                let capacity = (model.len() as u32 + number % 8).max(1);
                assert_eq!(region.rebuild(capacity, 0), OH_OK, "{info:?}");
            }
        }
    }
    let (base, length) = (region.base(), region.length());
    // SAFETY: the memory is valid.
    assert_eq!(unsafe { oh_hashmap_validate(base, length) }, OH_OK);
    assert_eq!(region.entries(), (OH_OK, model.clone()));
    for (key, value) in &model {
        assert_eq!(region.get(key), (OH_OK, Some(value.clone())));
    }
    for (handle, key) in handles {
        assert_eq!(region.by_handle(handle).expect("alive").0, key);
    }
}

fn grow(region: &mut Region, blob_bytes: u64) {
    let (base, length) = (region.base(), region.length());
    let info = region.describe().expect("sound");
    let mut capacity = 0;
    // SAFETY: the memory and the output are valid.
    assert_eq!(unsafe { oh_hashmap_next_capacity(base, length, &raw mut capacity) }, OH_OK);
    let blobs = width(info.key_type).is_none() || width(info.value_type).is_none();
    let heap = if blobs { info.heap_capacity * 2 + blob_bytes } else { 0 };
    assert_eq!(region.rebuild(capacity, heap), OH_OK);
}
