//! Files that a disk or an attacker damaged: every bit of the header, the slots and the elements
//! flipped, every truncation, and sealed records that contradict the file.

use super::Random;
use super::disk::Disk;
use crate::ErrorKind;
use crate::mmap::commit::{DATA_OFFSET, Journal, SLOT_OFFSETS, TAIL_MOST};
use crate::mmap::slot::Commit;
use crate::mmap::storage::Storage;
use crate::region::element::Type;

const SEEDS: [u32; 2] = [1, 2];

#[test]
fn creation_leaves_nothing_or_an_empty_vector() {
    let disk = Disk::default();
    disk.fail_in(Some(1));
    assert!(Journal::create(disk.clone(), Type::F64, SEEDS).is_err());
    let mut random = Random(5);
    for _ in 0..300 {
        match Journal::open(Disk::of(disk.image(&mut |n| random.below(n))), 0) {
            Ok(journal) => assert_eq!(journal.latest().length, 0),
            Err(error) => assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Version), "{error}"),
        }
    }
}

/// A file with three elements in one commit and two more in the next; closed, or left by a process
/// that was killed.
fn sample(closed: bool) -> Vec<u8> {
    let disk = Disk::default();
    let journal = Journal::create(disk.clone(), Type::U64, SEEDS).unwrap();
    for (count, from) in [(3, 0), (5, 3)] {
        disk.allocate(DATA_OFFSET + count * 8).unwrap();
        (from..count).for_each(|i| disk.store(i, i * 1000));
        journal.commit(count).unwrap();
    }
    if closed {
        journal.drop_tail().unwrap();
        disk.sync().unwrap();
    }
    disk.synced()
}

fn flip(bytes: &[u8], bit: usize) -> Disk {
    let mut bytes = bytes.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Disk::of(bytes)
}

#[test]
fn every_flipped_bit_is_detected_or_recovered() {
    for closed in [false, true] {
        let sound = sample(closed);
        let journal = Journal::open(Disk::of(sound.clone()), 0).unwrap();
        assert_eq!((journal.latest().length, journal.recovered()), (5, false));
        let lengths = if closed { [5, 5] } else { [3, 5] };
        for (from, to) in [(0, 256), (16_384, 16_448), (32_768, 32_832)] {
            for bit in from * 8..to * 8 {
                match Journal::open(flip(&sound, bit), 0) {
                    Ok(journal) => {
                        assert!(from != 0, "bit {bit} of the header");
                        assert!(
                            journal.recovered() && lengths.contains(&journal.latest().length),
                            "bit {bit}"
                        );
                        journal.validate().unwrap();
                    }
                    Err(error) => {
                        assert!(from == 0, "bit {bit}: {error}");
                        assert!(matches!(
                            error.kind(),
                            ErrorKind::Corrupt | ErrorKind::Version | ErrorKind::Stale
                        ));
                    }
                }
            }
        }
    }
}

#[test]
fn a_damaged_element_is_found_by_validate_or_was_uncommitted() {
    for (closed, tail) in [(true, 5), (false, 3)] {
        let sound = sample(closed);
        for bit in 0..5 * 64 {
            let disk = flip(&sound, DATA_OFFSET as usize * 8 + bit);
            let journal = Journal::open(disk.clone(), 0).unwrap();
            if bit < tail * 64 {
                assert_eq!((journal.latest().length, journal.recovered()), (5, false), "bit {bit}");
                let error = journal.validate().unwrap_err();
                assert_eq!(error.kind(), ErrorKind::Corrupt, "bit {bit} of the elements");
            } else {
                // As a crash would have left the file, before the last commit returned.
                assert_eq!((journal.latest().length, journal.recovered()), (3, true), "bit {bit}");
                journal.validate().unwrap();
            }
        }
    }
}

#[test]
fn every_truncation_is_corrupt_or_falls_back() {
    let sound = sample(false);
    let lengths = (0..300).chain(16_380..16_460).chain(32_760..32_840).chain(65_500..sound.len());
    for length in lengths {
        let result = Journal::open(Disk::of(sound[..length].to_vec()), 0);
        match result {
            Ok(journal) => {
                assert!(length >= DATA_OFFSET as usize + 24, "{length}");
                assert_eq!((journal.latest().length, journal.recovered()), (3, true), "{length}");
                journal.validate().unwrap();
            }
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt, "{length}"),
        }
    }
}

/// A rejected record also stays rejected for a reader that refreshes, until a writer replaces it.
#[test]
fn a_refused_record_stays_refused() {
    let mut bytes = sample(false);
    let torn = DATA_OFFSET as usize + 4 * 8;
    let whole = bytes[torn..torn + 8].to_vec();
    bytes[torn..torn + 8].fill(0);
    let disk = Disk::of(bytes);
    let reader = Journal::open(disk.clone(), 0).unwrap();
    assert_eq!((reader.latest().length, reader.recovered()), (3, true));
    disk.write_at(torn as u64, &whole).unwrap();
    assert_eq!(reader.refresh(0).unwrap().length, 3);
    disk.write_at(torn as u64, &[0; 8]).unwrap();
    let writer = Journal::open_to_write(disk.clone()).unwrap();
    assert!(writer.recovered());
    disk.write_at(torn as u64, &whole).unwrap();
    let later = Journal::open(disk.clone(), 0).unwrap();
    assert_eq!((later.latest().length, later.recovered()), (3, false), "the record was replaced");
    assert_eq!(reader.refresh(0).unwrap().length, 3);
    writer.commit(5).unwrap();
    assert_eq!(reader.refresh(0).unwrap().length, 5);
}

/// Opening takes constant time, regardless of the record.
#[test]
fn a_tail_that_is_too_long_is_not_read() {
    let length = TAIL_MOST / 8 + 1;
    let disk = Disk::default();
    let mut journal = Journal::create(disk.clone(), Type::U64, SEEDS).unwrap();
    disk.allocate(DATA_OFFSET + length * 8).unwrap();
    journal.set_tail_most(u64::MAX);
    let commit = journal.commit(length).unwrap();
    assert!(commit.has_tail());
    let opened = Journal::open(disk.clone(), 0).unwrap();
    assert_eq!((opened.latest().length, opened.recovered()), (0, true));
    journal.set_tail_most(TAIL_MOST);
    assert!(!journal.commit(0).unwrap().has_tail());
    assert!(!journal.commit(length).unwrap().has_tail());
    journal.commit(0).unwrap();
    assert!(journal.commit(length - 1).unwrap().has_tail());
    assert_eq!(Journal::open(disk, 0).unwrap().latest().length, length - 1);
}

#[test]
fn no_commit_follows_the_largest_number() {
    let disk = Disk::of(sample(true));
    let last = Commit { sequence: u64::MAX, length: 0, checksum: 0, synced: 0, tail: 0 };
    disk.write_at(SLOT_OFFSETS[1], &last.encode(SEEDS)).unwrap();
    let journal = Journal::open_to_write(disk.clone()).unwrap();
    assert_eq!(journal.latest(), last);
    assert_eq!(journal.commit(5).unwrap_err().kind(), ErrorKind::Corrupt);
    disk.write_at(SLOT_OFFSETS[0], &[1]).unwrap();
    assert_eq!(Journal::open_to_write(disk).err().unwrap().kind(), ErrorKind::Corrupt);
}

#[test]
fn a_commit_syncs_as_often_as_documented() {
    let disk = Disk::default();
    let journal = Journal::create(disk.clone(), Type::U64, SEEDS).unwrap();
    disk.allocate(DATA_OFFSET + TAIL_MOST * 2).unwrap();
    let syncs = |journal: &Journal<Disk>, length: u64| {
        let before = disk.syncs();
        journal.commit(length).unwrap();
        disk.syncs() - before
    };
    let most = TAIL_MOST / 8;
    assert_eq!([most, most, 7, 0, most + 1].map(|length| syncs(&journal, length)), [1, 0, 1, 1, 2]);
    // Opening syncs once, and once more if it finds a record that was cut short.
    let opening = || {
        let before = disk.syncs();
        Journal::open_to_write(disk.clone()).unwrap();
        disk.syncs() - before
    };
    assert_eq!(opening(), 1);
    disk.write_at(SLOT_OFFSETS[0], &[1]).unwrap();
    assert_eq!([opening(), opening()], [2, 1]);
}

/// The format of `docs/formats/mmapvector.md`, byte for byte: five elements, of which a sync had
/// put three on the disk. The hashes of the tails were computed by Yann Collet's own XXH3 library.
#[test]
fn a_record_has_the_bytes_of_the_format() {
    let bytes = sample(false);
    let slot = SLOT_OFFSETS[1] as usize;
    let words: Vec<u32> =
        bytes[slot..slot + 64].chunks(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
    let tail = 0x2432_1474_DD91_51ED_u64;
    let (low, high) = (tail as u32, (tail >> 32) as u32);
    assert_eq!(words, [0x4D43_464F, 0, 3, 0, 5, 0, 0x6882_8EE4, 0, 3, 0, low, high, 0, 0, 0, 0x5E0A_7A0E]);
    // A tail that is read in more than one block.
    let disk = Disk::default();
    let journal = Journal::create(disk.clone(), Type::U64, SEEDS).unwrap();
    disk.allocate(DATA_OFFSET + 800_000).unwrap();
    (0..100_000).for_each(|i| disk.store(i, i));
    assert_eq!(journal.commit(100_000).unwrap().tail, 0xAA48_394D_378E_423C);
}
