//! Files whose bytes were changed at random, apart from the header: no operation may crash, access
//! memory outside the map, or run for ever, and a repair leaves a whole map.

use crate::{creating, folder, get, open, open_with, set};
use offheap_core::mmap::file::Mode;
use offheap_core::sharedmap::file::OpenOptions;
use offheap_core::sharedmap::layout::control;
use offheap_core::sharedmap::{Cursor, Key, Map, now};
use std::fs;

const SMALL: u64 = 1 << 16;
const ROUNDS: u64 = 40;

struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// All kinds of operations. Their results do not matter.
fn use_all(map: &Map, random: &mut Random) {
    for _ in 0..300 {
        let key = random.below(1500) as u32;
        match random.below(6) {
            0..3 => drop(set(map, key, 1)),
            3 => drop(map.remove_key(&Key::Narrow(key), now())),
            4 => drop(map.touch(&Key::Narrow(key), now() + 5.0, now())),
            _ => drop(map.get(&Key::Narrow(key), now(), true, &mut Vec::new())),
        }
    }
    let mut cursor = Some(Cursor::default());
    for _ in 0..10_000 {
        let Some(at) = cursor else { break };
        cursor = map.scan(at, true, now(), &mut Vec::new()).unwrap().next;
    }
    map.purge_expired(usize::MAX, now()).ok();
    let _ = map.stats();
    map.validate().ok();
}

#[test]
fn changed_bytes_do_no_harm_and_can_be_repaired() {
    let (folder, path) = folder();
    let (_, map) = open_with(&path, &creating(SMALL)).unwrap();
    for key in 0..1000 {
        set(&map, key, u64::from(key)).unwrap();
    }
    let tables = map.geometry().fixed_bytes();
    drop(map);
    let whole = fs::read(&path).unwrap();
    for round in 0..ROUNDS {
        let mut random = Random(round);
        let mut bytes = whole.clone();
        // The header is compared with the layout. `state` stays 0, so that the file is opened.
        for _ in 0..1 << random.below(9) {
            let most = if random.below(2) == 0 { tables } else { bytes.len() as u64 };
            let at = 256 + random.below((most - 256) / 4) as usize * 4;
            if at != control::STATE * 4 {
                let word = match random.below(4) {
                    0 => 0,
                    1 => u32::MAX,
                    2 => random.below(1 << 14) as u32,
                    _ => random.below(1 << 31) as u32,
                };
                bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
            }
        }
        let file = folder.path().join("changed");
        fs::write(&file, &bytes).unwrap();
        if let Ok((_, reader)) = open_with(&file, &OpenOptions::new(Mode::Read)) {
            for key in 0..1000 {
                reader.get(&Key::Narrow(key), now(), true, &mut Vec::new()).ok();
            }
            let _ = reader.stats();
        }
        let (shared, map) = open(&file).or_else(|_| open_with(&file, &creating(SMALL))).unwrap();
        use_all(&map, &mut random);
        drop((shared, map));
        fs::write(&file, &bytes).unwrap();
        let repairing = OpenOptions { repair: true, ..OpenOptions::new(Mode::Write) };
        let (shared, map) = open_with(&file, &repairing).unwrap();
        assert_eq!(shared.opened().repaired.unwrap().kept, map.len(), "{round}");
        map.validate().unwrap_or_else(|error| panic!("{round}: {error}"));
        for key in 0..1000 {
            assert!(get(&map, key).is_none_or(|value| value == key.into()), "{round}: {key}");
        }
        use_all(&map, &mut random);
        map.validate().unwrap_or_else(|error| panic!("{round}: {error}"));
    }
}
