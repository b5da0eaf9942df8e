//! The arena against a list of ordered maps, growing as its owner would grow it; and its golden bytes, which TypeScript reads and
//! makes as well (`test/golden/README.md`, `test/smallmap/rust.test.ts`).
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use offheap_core::region::element::Type;
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
        // SAFETY: the memory is ours, and as long as it says.
        unsafe { rebuild::init(base, len, new) }.unwrap();
        owner
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
        // SAFETY: the memory is ours; the view is used no more once it changes.
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
                self.rebuild(Goal::Room(Room { blocks: 1, positions: 10, ..Room::default() }));
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

    /// The bytes of the region, and not of the memory behind it.
    fn compare(&mut self, name: &str) {
        let length = self.read().layout().length;
        let bytes: Vec<u8> = self.words.iter().flat_map(|word| word.to_ne_bytes()).take(length).collect();
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
            arena.for_each(map, |spot| seen.push((arena.key_at(spot), arena.value_at(spot))));
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
    fn strings_come_and_go(words in prop::collection::vec((0u8..30, 0u8..3), 1..200)) {
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
            arena.for_each(arena.live(*id).unwrap(), |spot| {
                // SAFETY: the memory lives, and nobody rebuilds it meanwhile.
                let text = unsafe { arena.string(arena.key_at(spot) as u32) }.unwrap();
                seen.push((String::from_utf8(text.to_vec()).unwrap(), arena.value_at(spot)));
            });
            prop_assert_eq!(&seen, entries);
        }
    }
}

const SEEDS: [u32; 2] = [0x0123_4567, 0x89AB_CDEF];

fn compare(name: &str, bytes: &[u8]) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test/golden").join(name);
    if std::env::var_os("OFFHEAP_BLESS").is_some() {
        std::fs::write(&path, bytes).unwrap();
        return;
    }
    let golden = std::fs::read(&path).unwrap();
    let difference = golden.iter().zip(bytes).position(|(golden, byte)| golden != byte);
    assert_eq!(difference, None, "{name}: first different byte");
    assert_eq!(golden.len(), bytes.len(), "{name}: length");
}

#[test]
fn golden_numbers() {
    let mut owner = Owner::new(&NewArena { key: Type::U32, value: Type::F64, maps: 20, seeds: SEEDS });
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
    owner.compare("smallmap-numbers.bin");
}

#[test]
fn golden_strings() {
    let mut owner = Owner::new(&NewArena { key: Type::String, value: Type::String, maps: 2, seeds: SEEDS });
    let id = owner.create();
    for (key, value) in [(&b""[..], "empty"), ("grün".as_bytes(), "größe"), (&b"\xED\xA0\xBD"[..], "😀")]
    {
        let key = Blob::of_type(key, Type::String).unwrap();
        let key = owner.write(|arena| arena.intern(key)).unwrap().unwrap();
        let value = owner.write(|arena| arena.intern(Blob::text(value).unwrap())).unwrap().unwrap();
        owner.set(id, key.into(), value.into());
    }
    owner.validate();
    owner.compare("smallmap-strings.bin");
}
