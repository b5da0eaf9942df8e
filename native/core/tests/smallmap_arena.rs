//! The arena compared with a list of ordered maps, growing as its owner would let it grow; and its
//! golden bytes, which TypeScript reads and produces as well (`test/golden/README.md`,
//! `test/smallmap/rust.test.ts`).
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::region::element::Type;
use offheap_core::smallmap::arena::raw::stored_bits;
use offheap_core::smallmap::arena::rebuild::{self, Goal, NewArena, Room};
use offheap_core::smallmap::arena::{Placed, RawArena, RawArenaMut, validate};
use offheap_core::table::blob::Blob;
use proptest::prelude::*;

/// An arena in memory that grows.
struct Owner {
    words: Vec<u64>,
}

impl Owner {
    fn new(new: &NewArena) -> Owner {
        let mut owner = Owner { words: vec![0; new.length().unwrap() / 8] };
        let (base, len) = owner.memory();
        // SAFETY: the memory is ours, and has this length.
        unsafe { rebuild::init(base, len, new) }.unwrap();
        owner
    }

    /// Makes an empty arena one of this version of the format, which it stays.
    fn set_version(&mut self, version: u32) {
        self.words[1] = self.words[1] & 0xFFFF_FFFF | u64::from(version) << 32;
    }

    fn memory(&mut self) -> (*mut u8, usize) {
        (self.words.as_mut_ptr().cast(), self.words.len() * 8)
    }

    fn write<T>(&mut self, change: impl FnOnce(&mut RawArenaMut) -> T) -> T {
        let (base, len) = self.memory();
        // SAFETY: the memory is ours, and this is its only view.
        let mut arena = unsafe { RawArenaMut::attach(base, len) }.unwrap();
        change(&mut arena)
    }

    fn read(&mut self) -> RawArena {
        let (base, len) = self.memory();
        // SAFETY: the memory is ours; the view is not used after the next change.
        unsafe { RawArena::attach(base, len) }.unwrap()
    }

    fn rebuild(&mut self, goal: Goal) {
        let (base, len) = self.memory();
        // SAFETY: the memory is ours.
        let length = unsafe { rebuild::rebuild_length(base, len, goal) }.unwrap();
        self.words.resize(self.words.len().max(length / 8), 0);
        let (base, len) = self.memory();
        // SAFETY: as above.
        unsafe { rebuild::rebuild(base, len, goal) }.unwrap();
    }

    fn create(&mut self) -> u64 {
        if let Some(id) = self.write(RawArenaMut::create).unwrap() {
            return id;
        }
        self.rebuild(Goal::Room(Room { maps: 1, ..Room::default() }));
        self.write(RawArenaMut::create).unwrap().unwrap()
    }

    fn set(&mut self, id: u64, key: u64, value: u64) -> Placed {
        match self.write(|arena| arena.set(id, key, value)).unwrap() {
            Placed::Full => {
                let arena = self.read();
                let large = arena.size(arena.live(id).unwrap()) >= 8 || arena.is_promoted(id as u32);
                let room = if large {
                    Room { positions: 10, ..Room::default() }
                } else {
                    Room { blocks: 1, ..Room::default() }
                };
                self.rebuild(Goal::Room(room));
                self.write(|arena| arena.set(id, key, value)).unwrap()
            }
            placed => placed,
        }
    }

    fn remove(&mut self, id: u64, key: u64) -> bool {
        if let Some(removed) = self.write(|arena| arena.remove(id, key)).unwrap() {
            return removed;
        }
        self.rebuild(Goal::Room(Room { blocks: 1, ..Room::default() }));
        self.write(|arena| arena.remove(id, key)).unwrap().unwrap()
    }

    fn validate(&mut self) {
        let (base, len) = self.memory();
        // SAFETY: the memory is ours.
        unsafe { validate::validate(base, len) }.unwrap();
    }

    /// The ids of strings, which are added if necessary.
    fn intern(&mut self, texts: &[&str]) -> Vec<u64> {
        let blobs = || texts.iter().map(|text| Blob::text(text).unwrap());
        for _ in 0..2 {
            let ids: Option<Vec<u64>> =
                self.write(|arena| blobs().map(|blob| arena.intern(blob).unwrap().map(u64::from)).collect());
            if let Some(ids) = ids {
                return ids;
            }
            let heap = blobs().map(Blob::heap_bytes).sum();
            self.rebuild(Goal::Room(Room { ids: 2, heap, ..Room::default() }));
        }
        panic!("no room for {texts:?}");
    }

    /// The bytes of the region, without the memory that follows it.
    fn bytes(&mut self) -> Vec<u8> {
        let length = self.read().layout().length;
        self.words.iter().flat_map(|word| word.to_ne_bytes()).take(length).collect()
    }

    fn compare(&mut self, name: &str) {
        let bytes = self.bytes();
        compare(name, &bytes);
    }
}

fn types() -> impl Strategy<Value = (Type, Type)> {
    prop_oneof![
        Just((Type::U8, Type::U8)),
        Just((Type::U8, Type::F64)),
        Just((Type::U16, Type::Bool)),
        Just((Type::U32, Type::F64)),
        Just((Type::I64, Type::U8)),
        Just((Type::F64, Type::I32)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: if cfg!(miri) { 2 } else { 120 }, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_lists(
        (key, value) in types(),
        steps in prop::collection::vec((0u8..100, 0usize..9, 0u64..14, 0u64..2), 1..if cfg!(miri) { 60 } else { 400 }),
    ) {
        let mut owner = Owner::new(&NewArena { key, value, maps: 1, seeds: [1, 2] });
        let mut model: Vec<(u64, Vec<(u64, u64)>)> = vec![];
        let mut stale = vec![];
        for (kind, which, k, v) in steps {
            if model.is_empty() || kind < 6 {
                model.push((owner.create(), vec![]));
                continue;
            }
            let at = which % model.len();
            let id = model[at].0;
            let entries = &mut model[at].1;
            let found = entries.iter().position(|&(key, _)| key == k);
            match kind {
                0..65 => {
                    let placed = owner.set(id, k, v);
                    match found {
                        Some(found) => entries[found].1 = v,
                        None => entries.push((k, v)),
                    }
                    prop_assert_eq!(placed, if found.is_some() { Placed::Replaced } else { Placed::Inserted });
                }
                65..90 => {
                    prop_assert_eq!(owner.remove(id, k), found.is_some());
                    found.map(|found| entries.remove(found));
                }
                90..94 => {
                    owner.write(|arena| arena.clear(id)).unwrap();
                    entries.clear();
                }
                94..97 => {
                    owner.write(|arena| arena.release(id)).unwrap();
                    stale.push(id);
                    model.swap_remove(at);
                }
                97 => owner.rebuild(Goal::Fit),
                _ => owner.rebuild(Goal::Room(Room { maps: 5, blocks: 9, positions: 20, ..Room::default() })),
            }
        }
        owner.validate();
        let arena = owner.read();
        prop_assert_eq!(arena.count() as usize, model.len());
        for (id, entries) in &model {
            let map = arena.live(*id).unwrap();
            let mut seen = vec![];
            arena.for_each(map, |location| seen.push((arena.key_at(location), arena.value_at(location))));
            prop_assert_eq!(&seen, entries);
            prop_assert_eq!(arena.size(map) as usize, entries.len());
            prop_assert!(arena.is_promoted(map) || entries.len() <= 8);
            for k in 0..14 {
                let expected = entries.iter().find(|&&(key, _)| key == k).map(|&(_, v)| v);
                prop_assert_eq!(arena.get(*id, k).unwrap(), expected);
            }
        }
        for id in stale {
            prop_assert!(arena.map_of(id).is_none());
        }
    }

    #[test]
    fn strings_agree_with_a_model(words in prop::collection::vec((0u8..30, 0u8..3), 1..200)) {
        let mut owner = Owner::new(&NewArena { key: Type::String, value: Type::U8, maps: 2, seeds: [3, 4] });
        let ids = [owner.create(), owner.create()];
        let mut model: [Vec<(String, u64)>; 2] = [vec![], vec![]];
        for (word, kind) in words {
            let text = "ü".repeat(word.into());
            let blob = || Blob::text(&text).unwrap();
            let map = usize::from(word % 2);
            let place = model[map].iter().position(|(known, _)| *known == text);
            if kind == 0 {
                let known = owner.read().find_string(blob());
                let removed = known.is_some_and(|key| owner.remove(ids[map], key.into()));
                prop_assert_eq!(removed, place.is_some());
                place.map(|place| model[map].remove(place));
                continue;
            }
            let key = owner.write(|arena| arena.intern(blob())).unwrap().unwrap_or_else(|| {
                owner.rebuild(Goal::Room(Room { ids: 1, heap: blob().heap_bytes(), ..Room::default() }));
                owner.write(|arena| arena.intern(blob())).unwrap().unwrap()
            });
            owner.set(ids[map], key.into(), kind.into());
            match place {
                Some(place) => model[map][place].1 = kind.into(),
                None => model[map].push((text, kind.into())),
            }
        }
        owner.rebuild(Goal::Fit);
        owner.validate();
        let arena = owner.read();
        for (id, entries) in ids.iter().zip(&model) {
            let mut seen = vec![];
            arena.for_each(arena.live(*id).unwrap(), |location| {
                // SAFETY: the memory is alive, and the arena is not rebuilt meanwhile.
                let text = unsafe { arena.string(arena.key_at(location) as u32) }.unwrap();
                seen.push((String::from_utf8(text.to_vec()).unwrap(), arena.value_at(location)));
            });
            prop_assert_eq!(&seen, entries);
        }
    }
}

const SEEDS: [u32; 2] = [0x0123_4567, 0x89AB_CDEF];
/// The versions of the format, with the folders of their golden files.
const VERSIONS: [(u32, &str); 2] = [(1, ""), (2, "v2/")];

fn compare(name: &str, bytes: &[u8]) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/golden").join(name);
    if std::env::var_os("OFFHEAP_BLESS").is_some() && name.starts_with("v2/") {
        std::fs::write(&path, bytes).unwrap();
        return;
    }
    let golden = std::fs::read(&path).unwrap();
    let difference = golden.iter().zip(bytes).position(|(golden, byte)| golden != byte);
    assert_eq!(difference, None, "{name}: first different byte");
    assert_eq!(golden.len(), bytes.len(), "{name}: length");
}

#[test]
fn numbers_match_the_golden_bytes() {
    for (version, file) in VERSIONS {
        numbers(version, &format!("{file}smallmap-numbers.bin"));
    }
}

fn numbers(version: u32, file: &str) {
    let mut owner = Owner::new(&NewArena { key: Type::U32, value: Type::F64, maps: 20, seeds: SEEDS });
    owner.set_version(version);
    for map in 0..12u32 {
        let id = owner.create();
        for n in 0..map {
            let value = f64::from(map) + f64::from(n) / 2.0;
            owner.set(id, n.wrapping_mul(2_654_435_761).into(), value.to_bits());
        }
    }
    assert!(owner.remove(11, 0) && owner.remove(6, 0));
    owner.write(|arena| arena.release(5)).unwrap();
    owner.write(|arena| arena.clear(10)).unwrap();
    owner.validate();
    owner.compare(file);
}

#[test]
fn strings_match_the_golden_bytes() {
    for (version, file) in VERSIONS {
        strings(version, &format!("{file}smallmap-strings.bin"));
    }
}

fn strings(version: u32, file: &str) {
    let mut owner = Owner::new(&NewArena { key: Type::String, value: Type::String, maps: 2, seeds: SEEDS });
    owner.set_version(version);
    let id = owner.create();
    for (key, value) in [(&b""[..], "empty"), ("grün".as_bytes(), "größe"), (&b"\xED\xA0\xBD"[..], "😀")]
    {
        let key = Blob::of_type(key, Type::String).unwrap();
        let key = owner.write(|arena| arena.intern(key)).unwrap().unwrap();
        let value = owner.write(|arena| arena.intern(Blob::text(value).unwrap())).unwrap().unwrap();
        owner.set(id, key.into(), value.into());
    }
    owner.validate();
    owner.compare(file);
}

/// Random numbers that TypeScript also produces: xorshift of 32 bits.
struct Random(u32);

impl Random {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0 % limit
    }
}

/// Key or value n of a type, as bits.
fn item(ty: Type, n: u32) -> u64 {
    match ty {
        Type::F64 if n == 3 => f64::NAN.to_bits(),
        Type::F64 if n == 4 => (-0.0f64).to_bits(),
        Type::F64 => (f64::from(n) / 4.0 - 3.0).to_bits(),
        Type::I64 => u64::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15),
        Type::Bool => u64::from(n % 2),
        _ => n.into(),
    }
}

/// FNV-1a over the words of a region, without those that count rearrangements.
fn digest(bytes: &[u8]) -> u32 {
    let mut hash = 0x811C_9DC5u32;
    for (at, word) in bytes.chunks_exact(4).enumerate() {
        let word = if at == 6 { 0 } else { u32::from_le_bytes(word.try_into().unwrap()) };
        hash = (hash ^ word).wrapping_mul(0x0100_0193);
    }
    hash
}

/// The steps that both languages apply to an arena, which begins with one map and grows as
/// TypeScript lets it grow.
fn steps(version: u32, key: Type, value: Type) -> Vec<u32> {
    let mut random = Random(2_463_534_242);
    let mut owner = Owner::new(&NewArena { key, value, maps: 1, seeds: SEEDS });
    owner.set_version(version);
    let mut alive = vec![owner.create()];
    let mut digests = vec![];
    let set = |owner: &mut Owner, id: u64, k: u32, v: u32| {
        let mut bits = [item(key, k), item(value, v)];
        let texts = [format!("key {k}"), format!("value {v}")];
        let strings = [key, value].map(|ty| ty == Type::String);
        let wanted: Vec<&str> = (0..2).filter(|&i| strings[i]).map(|i| texts[i].as_str()).collect();
        for (i, id) in (0..2).filter(|&i| strings[i]).zip(owner.intern(&wanted)) {
            bits[i] = id;
        }
        owner.set(id, stored_bits(bits[0], key), bits[1]);
    };
    for step in 1..=600 {
        let (kind, which) = (random.below(100), random.below(alive.len() as u32) as usize);
        let (k, v) = (random.below(14), random.below(50));
        match kind {
            0..8 => alive.push(owner.create()),
            8..60 => set(&mut owner, alive[which], k, v),
            60..88 => {
                let id = if key == Type::String {
                    owner.read().find_string(Blob::text(&format!("key {k}")).unwrap()).map(u64::from)
                } else {
                    Some(stored_bits(item(key, k), key))
                };
                id.map(|id| owner.remove(alive[which], id));
            }
            88..92 => owner.write(|arena| arena.clear(alive[which])).unwrap(),
            92..95 if alive.len() > 1 => {
                owner.write(|arena| arena.release(alive[which])).unwrap();
                alive.swap_remove(which);
            }
            // More than eight entries: the map is promoted.
            _ => (0..11).for_each(|n| set(&mut owner, alive[which], n, v)),
        }
        if step % 50 == 0 {
            owner.validate();
            digests.push(digest(&owner.bytes()));
        }
    }
    digests
}

#[test]
fn steps_match_the_golden_digests() {
    let types = [
        (Type::U8, Type::U8),
        (Type::U16, Type::Bool),
        (Type::U32, Type::F64),
        (Type::I64, Type::U8),
        (Type::F64, Type::I32),
        (Type::String, Type::String),
    ];
    for (version, file) in VERSIONS {
        let digests = types.iter().flat_map(|&(key, value)| steps(version, key, value));
        let bytes: Vec<u8> = digests.flat_map(u32::to_le_bytes).collect();
        compare(&format!("{file}smallmap-steps.bin"), &bytes);
    }
}
