//! The work of the fuzz target of arenas of small maps, over the C ABI.
//! `capi/tests/smallmap_fuzz.rs` runs the same on generated inputs, so a plain `cargo test` covers
//! it briefly.
//!
//! [`region`] damages a valid arena as the input says, and runs every operation on it. Each call
//! must succeed or fail, in bounded time, and never access a byte out of bounds (the memory is
//! exactly as long as stated). [`operations`] runs operations on an arena and on plain lists.

use offheap::smallmap_arena::*;
use offheap::status::oh_status::{OH_ERR_FULL, OH_ERR_STALE, OH_OK};
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr::null;

const U32: u32 = 5;
const F64: u32 = 8;
const BOOL: u32 = 11;
const STRING: u32 = 12;
/// The types of keys and values for damaged arenas: with equal and different widths, with and
/// without strings.
const SCHEMAS: [(u32, u32); 6] =
    [(U32, F64), (1, 1), (F64, BOOL), (STRING, U32), (9, STRING), (STRING, STRING)];
/// The word of the common header that is odd while a region is rearranged. Readers wait in that
/// case, so it stays even.
const SEQUENCE: usize = 6;
/// The number of header words in use.
const HEADER: usize = 40;
/// The number of entries per query.
const MANY: usize = 4;

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

/// The memory of an arena, exactly as long as stated.
struct Arena {
    words: Vec<u64>,
}

impl Arena {
    fn new(key_type: u32, value_type: u32, maps: u32) -> Arena {
        let options = oh_smallmap_arena_options {
            struct_size: size_of::<oh_smallmap_arena_options>(),
            key_type,
            value_type,
            maps,
            seeds: [1, 2],
        };
        let mut length = 0;
        // SAFETY: both pointers are valid.
        assert_eq!(unsafe { oh_smallmap_arena_region_size(&raw const options, &raw mut length) }, OH_OK);
        let mut arena = Arena { words: vec![0; length / 8] };
        // SAFETY: the memory has this length.
        assert_eq!(unsafe { oh_smallmap_arena_init(arena.base(), length, &raw const options) }, OH_OK);
        arena
    }

    fn base(&mut self) -> *mut c_void {
        self.words.as_mut_ptr().cast()
    }

    fn length(&self) -> usize {
        self.words.len() * 8
    }

    fn info(&mut self) -> Option<oh_smallmap_arena_info> {
        let mut info = MaybeUninit::uninit();
        // SAFETY: the memory has this length, and the output is valid and written on success.
        unsafe {
            (oh_smallmap_arena_get_info(self.base(), self.length(), info.as_mut_ptr()) == OH_OK)
                .then(|| info.assume_init())
        }
    }

    /// Grows the arena as its owner would. Returns false if that is refused.
    fn grow(&mut self, heap: u64) -> bool {
        let room = oh_smallmap_arena_room {
            struct_size: size_of::<oh_smallmap_arena_room>(),
            maps: 1,
            blocks: 1,
            positions: 10,
            strings: u32::from(heap > 0),
            heap,
        };
        let mut length = 0;
        // SAFETY: the memory has this length, and both structs are valid.
        unsafe {
            if oh_smallmap_arena_room_region_size(
                self.base(),
                self.length(),
                &raw const room,
                &raw mut length,
            ) != OH_OK
            {
                return false;
            }
            // Corrupt counts can request any size.
            if length > 1 << 22 {
                return false;
            }
            self.words.resize(self.words.len().max(length / 8), 0);
            oh_smallmap_arena_make_room(self.base(), self.length(), &raw const room) == OH_OK
        }
    }

    fn create(&mut self) -> Option<u64> {
        let mut id = 0;
        // SAFETY: the memory has this length, and the output is valid.
        let mut create = |arena: &mut Arena| unsafe {
            oh_smallmap_arena_create(arena.base(), arena.length(), &raw mut id)
        };
        let status = match create(self) {
            OH_ERR_FULL if self.grow(0) => create(self),
            status => status,
        };
        (status == OH_OK).then_some(id)
    }

    fn intern(&mut self, text: &[u8]) -> Option<u32> {
        let mut id = 0;
        // SAFETY: the memory has this length, and the text and the output are valid.
        let mut intern = |arena: &mut Arena| unsafe {
            oh_smallmap_arena_intern(
                arena.base(),
                arena.length(),
                text.as_ptr().cast(),
                text.len(),
                &raw mut id,
            )
        };
        let status = match intern(self) {
            OH_ERR_FULL if self.grow(text.len() as u64 + 8) => intern(self),
            status => status,
        };
        (status == OH_OK).then_some(id)
    }

    fn set(&mut self, id: u64, key: u64, value: u64) -> bool {
        // SAFETY: the memory has this length.
        let set = |arena: &mut Arena| unsafe {
            oh_smallmap_arena_set(arena.base(), arena.length(), id, key, value)
        };
        let status = match set(self) {
            OH_ERR_FULL if self.grow(0) => set(self),
            status => status,
        };
        status == OH_OK
    }

    fn get(&mut self, id: u64, key: u64) -> Option<u64> {
        let (mut value, mut found) = (0, false);
        // SAFETY: the memory has this length, and the outputs are valid.
        let status = unsafe {
            oh_smallmap_arena_get(self.base(), self.length(), id, key, &raw mut value, &raw mut found)
        };
        (status == OH_OK && found).then_some(value)
    }

    fn remove(&mut self, id: u64, key: u64) -> Option<bool> {
        let mut removed = false;
        // SAFETY: the memory has this length, and the output is valid.
        let mut remove = |arena: &mut Arena| unsafe {
            oh_smallmap_arena_remove(arena.base(), arena.length(), id, key, &raw mut removed)
        };
        let status = match remove(self) {
            OH_ERR_FULL if self.grow(0) => remove(self),
            status => status,
        };
        (status == OH_OK).then_some(removed)
    }

    /// Runs every operation on the arena, whatever its contents.
    fn use_all(&mut self) {
        let (mut size, mut promoted, mut found, mut word) = (0u32, false, false, 0u32);
        let (mut text, mut text_length, mut done) = (null(), 0, 0);
        let (mut keys, mut values, mut hits) = ([0u64; MANY], [0u64; MANY], [0u8; MANY]);
        // SAFETY: here and below, the memory has this length, the outputs are valid, and arrays
        // have room for four elements of 8 bytes.
        unsafe {
            let _ = oh_smallmap_arena_check(self.base(), self.length());
            let _ = oh_smallmap_arena_validate(self.base(), self.length());
        }
        if let Some(info) = self.info() {
            assert!(info.region_size as usize <= self.length());
        }
        for id in [0, 2, 5, 1 << 32, u64::MAX] {
            // SAFETY: as above.
            unsafe {
                let _ =
                    oh_smallmap_arena_count(self.base(), self.length(), id, &raw mut size, &raw mut promoted);
                let (keys, values) = (keys.as_mut_ptr().cast(), values.as_mut_ptr().cast());
                let _ = oh_smallmap_arena_entries(
                    self.base(),
                    self.length(),
                    id,
                    keys,
                    values,
                    MANY,
                    &raw mut done,
                );
                let _ = oh_smallmap_arena_promote(self.base(), self.length(), id);
            }
            for key in [0, 3, 200] {
                let _ = self.get(id, key);
                let _ = self.set(id, key, 1);
                let _ = self.remove(id, key);
            }
        }
        let ids = [0u64, 1, 5, 0];
        // SAFETY: the same; the text of a string id is within the region.
        unsafe {
            let (base, length) = (self.base(), self.length());
            let (ids, keys, values) =
                (ids.as_ptr().cast(), keys.as_mut_ptr().cast(), values.as_mut_ptr().cast());
            let hits = hits.as_mut_ptr();
            let _ =
                oh_smallmap_arena_get_many(base, length, 0, ids, 10, keys, MANY, values, hits, &raw mut done);
            let _ =
                oh_smallmap_arena_get_many(base, length, 0, ids, 9, keys, MANY, values, hits, &raw mut done);
            let _ = oh_smallmap_arena_set_many(base, length, 0, ids, 9, keys, values, MANY, 0, &raw mut done);
            for id in [0, 3, u32::MAX] {
                if oh_smallmap_arena_string(base, length, id, &raw mut text, &raw mut text_length) == OH_OK {
                    std::hint::black_box(std::slice::from_raw_parts(text.cast::<u8>(), text_length).to_vec());
                }
            }
            let name = b"name 1".as_ptr().cast();
            let _ = oh_smallmap_arena_find_string(base, length, name, 6, &raw mut word, &raw mut found);
        }
        let _ = self.intern(b"another");
        let _ = self.create();
        // SAFETY: as above.
        unsafe {
            let _ = oh_smallmap_arena_clear(self.base(), self.length(), 5);
            let _ = oh_smallmap_arena_release(self.base(), self.length(), 2);
            let _ = oh_smallmap_arena_make_room(self.base(), self.length(), null());
        }
        let _ = self.grow(64);
        // SAFETY: as above.
        let _ = unsafe { oh_smallmap_arena_validate(self.base(), self.length()) };
    }
}

/// A valid arena with maps of all kinds.
fn sound(schema: (u32, u32)) -> Arena {
    let (key_type, value_type) = schema;
    let mut arena = Arena::new(key_type, value_type, 2);
    let mut names = vec![];
    if key_type == STRING || value_type == STRING {
        names = (0..12u8).map(|n| arena.intern(format!("name {n}").as_bytes()).expect("room")).collect();
    }
    let bits = |ty: u32, n: u64| match ty {
        STRING => names[n as usize].into(),
        BOOL => n % 2,
        _ => n,
    };
    for size in [2, 4, 0, 8, 1, 12] {
        let id = arena.create().expect("room");
        for n in 0..size {
            assert!(arena.set(id, bits(key_type, n), bits(value_type, n)));
        }
    }
    assert_eq!(arena.remove(1, bits(key_type, 2)), Some(true));
    arena
}

/// Damages a valid arena of some types, and uses it.
pub(crate) fn region(data: &[u8]) {
    let mut input = Input(data);
    let schema = SCHEMAS[usize::from(input.byte()) % SCHEMAS.len()];
    let mut arena = sound(schema);
    // Damages the header, or any word.
    while !input.0.is_empty() {
        let place = input.byte();
        let words = arena.length() / 4;
        let at = if place < 128 { usize::from(place) % HEADER } else { input.number() as usize % words };
        if at == SEQUENCE {
            continue;
        }
        let value = if place % 2 == 0 { input.number() } else { input.byte().into() };
        // SAFETY: the word is within the memory.
        unsafe { arena.base().cast::<u32>().add(at).write(value) };
        if place % 3 == 0 {
            arena.use_all();
        }
    }
    arena.use_all();
    // Truncated, in memory that ends there.
    let cut = input.number() as usize % (arena.words.len() + 1);
    let mut short = Arena { words: arena.words[..cut].to_vec() };
    short.use_all();
}

/// Uses arbitrary bytes as an arena.
pub(crate) fn raw(data: &[u8]) {
    let mut words = vec![0u64; data.len() / 8];
    for (word, bytes) in words.iter_mut().zip(data.chunks_exact(8)) {
        *word = u64::from_le_bytes(bytes.try_into().expect("eight"));
    }
    if let Some(word) = words.get_mut(SEQUENCE / 2) {
        *word &= !1;
    }
    Arena { words }.use_all();
}

/// The entries of a map in order.
type Model = Vec<(u64, u64)>;

/// Runs operations on an arena, with or without strings as keys, and on lists.
pub(crate) fn operations(data: &[u8]) {
    let mut input = Input(data);
    let strings = input.byte() % 2 == 1;
    let mut arena = Arena::new(if strings { STRING } else { U32 }, U32, 1);
    let mut maps: Vec<(u64, Model)> = vec![];
    let mut gone = vec![];
    while !input.0.is_empty() {
        let kind = input.byte() % 16;
        if kind < 2 || maps.is_empty() {
            maps.push((arena.create().expect("room"), vec![]));
            continue;
        }
        let which = usize::from(input.byte()) % maps.len();
        let n = input.byte() % 20;
        let key = if strings {
            arena.intern(format!("name {n}").as_bytes()).expect("room").into()
        } else {
            n.into()
        };
        let (id, ref mut entries) = maps[which];
        let known = entries.iter().position(|&(known, _)| known == n.into());
        match kind {
            2..9 => {
                let value = input.number().into();
                assert!(arena.set(id, key, value));
                match known {
                    Some(at) => entries[at].1 = value,
                    None => entries.push((n.into(), value)),
                }
            }
            9..13 => {
                assert_eq!(arena.remove(id, key), Some(known.is_some()));
                known.map(|at| entries.remove(at));
            }
            13 => {
                // SAFETY: the memory has this length.
                assert_eq!(unsafe { oh_smallmap_arena_clear(arena.base(), arena.length(), id) }, OH_OK);
                entries.clear();
            }
            14 => {
                // SAFETY: the memory has this length.
                assert_eq!(unsafe { oh_smallmap_arena_release(arena.base(), arena.length(), id) }, OH_OK);
                gone.push(id);
                maps.swap_remove(which);
            }
            _ => {
                let (base, length) = (arena.base(), arena.length());
                // SAFETY: the memory has this length.
                let status = unsafe { oh_smallmap_arena_make_room(base, length, null()) };
                assert_eq!(status, OH_OK);
            }
        }
    }
    // SAFETY: the memory has this length.
    assert_eq!(unsafe { oh_smallmap_arena_validate(arena.base(), arena.length()) }, OH_OK);
    assert_eq!(arena.info().expect("sound").maps as usize, maps.len());
    for (id, entries) in maps {
        let (mut keys, mut values, mut count) = (vec![0u32; 20], vec![0u32; 20], 0);
        // SAFETY: the memory has this length; the arrays have room for 20 elements.
        let status = unsafe {
            let (keys, values) = (keys.as_mut_ptr().cast(), values.as_mut_ptr().cast());
            oh_smallmap_arena_entries(arena.base(), arena.length(), id, keys, values, 20, &raw mut count)
        };
        assert_eq!((status, count), (OH_OK, entries.len()));
        for (at, &(n, value)) in entries.iter().enumerate() {
            let key =
                if strings { arena.intern(format!("name {n}").as_bytes()).expect("known").into() } else { n };
            assert_eq!((u64::from(keys[at]), u64::from(values[at])), (key, value));
            assert_eq!(arena.get(id, key), Some(value));
        }
    }
    for id in gone {
        // SAFETY: the memory has this length.
        assert_eq!(unsafe { oh_smallmap_arena_clear(arena.base(), arena.length(), id) }, OH_ERR_STALE);
    }
}
