//! A disk that crashes on demand, and the proof of the commit protocol on it.
//!
//! [`Disk`] keeps what was synced apart from what was only written. A crash image gives each cell of 8 bytes one of the values
//! that it had since the last sync, chosen for each cell by itself: so unsynced writes are dropped, reordered and torn, more wildly
//! than any disk does. The file's length is treated the same way. That is what POSIX promises about a file after a crash: nothing,
//! except for what was synced.
//!
//! A history is a random sequence of appends, overwrites of uncommitted elements, and commits of longer and shorter
//! lengths. At each sync point of it (before the call, half-way through it, after it) and after each operation, images are made, opened
//! again, and compared with what was promised.

use super::commit::{DATA_OFFSET, Journal};
use super::storage::Storage;
use crate::region::element::Type;
use crate::{Error, ErrorKind, Result};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

const CELL: usize = 8;

#[derive(Default)]
struct Inner {
    /// What the kernel shows.
    now: Vec<u8>,
    /// What is certainly on the disk.
    synced: Vec<u8>,
    /// For each cell that was written since the last sync, the values it had, oldest first.
    dirty: BTreeMap<usize, Vec<[u8; CELL]>>,
    lengths: Vec<usize>,
    /// Called at each sync, before it takes effect.
    fail_at: Option<usize>,
    syncs: usize,
}

/// See the head of this file. Clones are the same disk.
#[derive(Clone, Default)]
struct Disk(Rc<RefCell<Inner>>);

impl Inner {
    fn cell(bytes: &[u8], cell: usize) -> [u8; CELL] {
        std::array::from_fn(|i| bytes.get(cell * CELL + i).copied().unwrap_or(0))
    }

    fn write(&mut self, offset: usize, bytes: &[u8]) {
        let end = offset + bytes.len();
        if end > self.now.len() {
            self.resize(end);
        }
        self.now[offset..end].copy_from_slice(bytes);
        for cell in offset / CELL..end.div_ceil(CELL) {
            let value = Inner::cell(&self.now, cell);
            self.dirty.entry(cell).or_default().push(value);
        }
    }

    fn resize(&mut self, len: usize) {
        self.now.resize(len, 0);
        self.lengths.push(len);
    }

    fn sync(&mut self) {
        self.synced = self.now.clone();
        self.dirty.clear();
        self.lengths.clear();
    }

    /// One thing that may be found after a crash now. `choose(n)` gives a number below n.
    fn image(&self, choose: &mut dyn FnMut(usize) -> usize) -> Vec<u8> {
        let mut image = self.synced.clone();
        let at = choose(self.lengths.len() + 1);
        if at > 0 {
            image.resize(self.lengths[at - 1], 0);
        }
        for (&cell, values) in &self.dirty {
            let at = choose(values.len() + 1);
            if at == 0 {
                continue;
            }
            let from = cell * CELL;
            let end = (from + CELL).min(image.len());
            if from < end {
                image[from..end].copy_from_slice(&values[at - 1][..end - from]);
            }
        }
        image
    }
}

impl Disk {
    fn of(bytes: Vec<u8>) -> Disk {
        Disk(Rc::new(RefCell::new(Inner { now: bytes.clone(), synced: bytes, ..Inner::default() })))
    }

    /// A store through the mapping.
    fn store(&self, index: u64, value: u64) {
        let offset = (DATA_OFFSET + index * 8) as usize;
        self.0.borrow_mut().write(offset, &value.to_le_bytes());
    }
}

impl Storage for Disk {
    fn len(&self) -> Result<u64> {
        Ok(self.0.borrow().now.len() as u64)
    }

    fn read_at(&self, offset: u64, bytes: &mut [u8]) -> Result<()> {
        let inner = self.0.borrow();
        let from = offset as usize;
        let found = inner.now.get(from..from + bytes.len());
        bytes.copy_from_slice(found.ok_or_else(|| Error::new(ErrorKind::Io, "the end of the file"))?);
        Ok(())
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<()> {
        self.0.borrow_mut().write(offset as usize, bytes);
        Ok(())
    }

    fn allocate(&self, len: u64) -> Result<()> {
        let mut inner = self.0.borrow_mut();
        if len as usize > inner.now.len() {
            inner.resize(len as usize);
        }
        Ok(())
    }

    fn truncate(&self, len: u64) -> Result<()> {
        self.0.borrow_mut().resize(len as usize);
        Ok(())
    }

    fn sync(&self) -> Result<()> {
        let mut inner = self.0.borrow_mut();
        inner.syncs += 1;
        if inner.fail_at == Some(inner.syncs) {
            return Err(Error::new(ErrorKind::Io, "the disk failed"));
        }
        inner.sync();
        Ok(())
    }
}

/// xorshift64*, as good as any here.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize) % n
    }
}

/// What was promised: the contents that may be found.
struct Promise {
    /// Each acceptable outcome, whole.
    outcomes: Vec<Vec<u64>>,
}

impl Promise {
    fn check(&self, image: Vec<u8>, context: &str) {
        let disk = Disk::of(image);
        let journal = Journal::open(disk.clone(), 0).unwrap_or_else(|error| panic!("{context}: {error}"));
        journal.validate().unwrap_or_else(|error| panic!("{context}: {error}"));
        let length = journal.latest().length;
        let found: Vec<u64> = (0..length)
            .map(|i| {
                let mut bytes = [0; 8];
                disk.read_at(DATA_OFFSET + i * 8, &mut bytes).unwrap();
                u64::from_le_bytes(bytes)
            })
            .collect();
        assert!(
            self.outcomes.contains(&found),
            "{context}: found {} elements, none of the {} outcomes allowed",
            found.len(),
            self.outcomes.len()
        );
        // And it can go on from there: both slots are used again, and the next crash is survived as well.
        for round in 1..=2u64 {
            disk.allocate(DATA_OFFSET + (length + round) * 8).unwrap();
            disk.store(length + round - 1, !round);
            assert_eq!(journal.commit(length + round).unwrap().length, length + round);
            let again = Journal::open(Disk::of(disk.0.borrow().synced.clone()), 0).unwrap();
            assert_eq!(
                (again.latest().length, again.recovered() && round == 2),
                (length + round, false),
                "{context}"
            );
            again.validate().unwrap();
        }
    }

    /// Images of the disk as it is now.
    fn check_crashes(&self, disk: &Disk, random: &mut Random, images: usize, context: &str) {
        let inner = disk.0.borrow();
        self.check(inner.image(&mut |_| 0), &format!("{context}, nothing unsynced arrived"));
        self.check(inner.image(&mut |n| n - 1), &format!("{context}, everything arrived"));
        for number in 0..images {
            // How much arrives differs from crash to crash.
            let weight = random.below(5);
            let image = inner.image(&mut |n| match weight {
                0 if random.below(20) != 0 => 0,
                1 if random.below(20) != 0 => n - 1,
                _ => random.below(n),
            });
            self.check(image, &format!("{context}, image {number}"));
        }
    }
}

fn history(seed: u64, steps: usize, images: usize) {
    let mut random = Random(seed * 2 + 1);
    let disk = Disk::default();
    let journal = Journal::create(disk.clone(), Type::U64, [seed as u32, 77]).unwrap();
    // The elements as they are now, and as they were committed last.
    let mut now: Vec<u64> = Vec::new();
    let mut committed: Vec<u64> = Vec::new();
    for step in 0..steps {
        let context = format!("seed {seed}, step {step}");
        match random.below(8) {
            0..4 => {
                // Appends, but never over elements that the last commit vouches for.
                if now.len() < committed.len() {
                    commit(&disk, &journal, &mut committed, &now, &mut random, images, &context);
                }
                for _ in 0..random.below(6) + 1 {
                    disk.allocate(DATA_OFFSET + (now.len() as u64 + 1) * 8).unwrap();
                    let value = (random.below(1 << 30) as u64) << 20 | now.len() as u64;
                    disk.store(now.len() as u64, value);
                    now.push(value);
                }
            }
            4 if now.len() > committed.len() => {
                let at = committed.len() + random.below(now.len() - committed.len());
                now[at] = !now[at];
                disk.store(at as u64, now[at]);
            }
            5 => {
                let fewer = random.below(4).min(now.len());
                now.truncate(now.len() - fewer);
            }
            _ => commit(&disk, &journal, &mut committed, &now, &mut random, images, &context),
        }
        Promise { outcomes: vec![committed.clone()] }.check_crashes(&disk, &mut random, images, &context);
    }
}

/// Commits, and crashes at each sync on the way: both the old and the new contents are right then.
fn commit(
    disk: &Disk,
    journal: &Journal<Disk>,
    committed: &mut Vec<u64>,
    now: &[u64],
    random: &mut Random,
    images: usize,
    context: &str,
) {
    let before = disk.0.borrow().syncs;
    for sync in 1..=2 {
        // The same commit on a copy of the disk whose sync number `sync` never returns.
        let copy = Disk(Rc::new(RefCell::new({
            let inner = disk.0.borrow();
            Inner {
                now: inner.now.clone(),
                synced: inner.synced.clone(),
                dirty: inner.dirty.clone(),
                lengths: inner.lengths.clone(),
                fail_at: Some(sync),
                syncs: 0,
            }
        })));
        let other = Journal::open(copy.clone(), 0).unwrap();
        if now.len() == committed.len() {
            continue;
        }
        assert_eq!(other.commit(now.len() as u64).unwrap_err().kind(), ErrorKind::Io);
        assert!(other.is_poisoned());
        assert_eq!(other.commit(0).unwrap_err().kind(), ErrorKind::Io, "a poisoned handle refuses");
        let outcomes = vec![committed.clone(), now.to_vec()];
        let outcomes = if sync == 1 { outcomes[..1].to_vec() } else { outcomes };
        Promise { outcomes }.check_crashes(
            &copy,
            random,
            images,
            &format!("{context}, sync {sync} of a commit"),
        );
    }
    journal.commit(now.len() as u64).unwrap();
    let syncs = if now.len() == committed.len() { 0 } else { 2 };
    assert_eq!(disk.0.borrow().syncs, before + syncs, "the sync points are those that were tried");
    *committed = now.to_vec();
}

#[test]
fn no_crash_tears_what_was_committed() {
    let (seeds, steps, images) = if cfg!(miri) { (2, 6, 2) } else { (60, 40, 6) };
    for seed in 0..seeds {
        history(seed, steps, images);
    }
}

/// `OFFHEAP_LONG=1 cargo test --release -p offheap-core crashes -- --ignored`
#[test]
#[ignore = "minutes"]
fn many_crashes() {
    for seed in 1000..20_000 {
        history(seed, 60, 10);
    }
}

#[test]
fn creation_leaves_nothing_or_an_empty_vector() {
    let disk = Disk::default();
    disk.0.borrow_mut().fail_at = Some(1);
    assert!(Journal::create(disk.clone(), Type::F64, [1, 2]).is_err());
    let mut random = Random(5);
    for _ in 0..300 {
        let image = disk.0.borrow().image(&mut |n| random.below(n));
        match Journal::open(Disk::of(image), 0) {
            Ok(journal) => assert_eq!(journal.latest().length, 0),
            Err(error) => assert!(matches!(error.kind(), ErrorKind::Corrupt | ErrorKind::Version), "{error}"),
        }
    }
}

/// A file with five elements in its second commit, and three in its first.
fn sample() -> Vec<u8> {
    let disk = Disk::default();
    let journal = Journal::create(disk.clone(), Type::U64, [1, 2]).unwrap();
    for (count, from) in [(3, 0), (5, 3)] {
        disk.allocate(DATA_OFFSET + count * 8).unwrap();
        (from..count).for_each(|i| disk.store(i, i * 1000));
        journal.commit(count).unwrap();
    }
    let inner = disk.0.borrow();
    inner.synced.clone()
}

#[test]
fn every_flipped_bit_is_found_or_fallen_back_from() {
    let sound = sample();
    let journal = Journal::open(Disk::of(sound.clone()), 0).unwrap();
    assert_eq!((journal.latest().length, journal.recovered()), (5, false));
    for (from, to) in [(0, 256), (16_384, 16_448), (32_768, 32_832)] {
        for bit in from * 8..to * 8 {
            let mut bytes = sound.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            match Journal::open(Disk::of(bytes), 0) {
                Ok(journal) => {
                    assert!(from != 0, "bit {bit} of the header");
                    assert!(journal.recovered() && matches!(journal.latest().length, 3 | 5), "bit {bit}");
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
    for bit in 0..5 * 64 {
        let mut bytes = sound.clone();
        bytes[DATA_OFFSET as usize + bit / 8] ^= 1 << (bit % 8);
        let journal = Journal::open(Disk::of(bytes), 0).unwrap();
        assert_eq!(journal.validate().unwrap_err().kind(), ErrorKind::Corrupt, "bit {bit} of the elements");
    }
}

#[test]
fn every_truncation_is_corrupt_or_falls_back() {
    let sound = sample();
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
