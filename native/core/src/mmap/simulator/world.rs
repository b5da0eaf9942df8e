//! A vector, the promises about it, and the events that happen to it.

use super::Random;
use super::disk::Disk;
use crate::ErrorKind;
use crate::mmap::commit::{DATA_OFFSET, Journal};
use crate::mmap::storage::Storage;
use crate::region::element::Type;

/// The broken promise, and how it was broken.
pub(super) type Broken = String;

pub(super) struct World {
    random: Random,
    images: usize,
    /// Whether commits of more than two elements sync these first.
    small_tails: bool,
    /// Whether crashes are frequent.
    crashes_often: bool,
    /// Whether a later handle stores the same values as the previous one: data that a crash tore
    /// may then become whole again.
    repeats_values: bool,
    disk: Disk,
    journal: Journal<Disk>,
    /// The present elements.
    now: Vec<u64>,
    /// The elements that the handle found committed, or committed itself.
    committed: Vec<u64>,
    /// The states that a crash may leave: the last committed one, and those being committed since.
    outcomes: Vec<Vec<u64>>,
}

impl World {
    pub(super) fn new(seed: u64, images: usize) -> World {
        let disk = Disk::default();
        let mut journal = Journal::create(disk.clone(), Type::U64, [seed as u32, 77]).unwrap();
        let small_tails = seed % 4 == 1;
        limit_tails(&mut journal, small_tails);
        World {
            random: Random(seed * 2 + 1),
            images,
            small_tails,
            crashes_often: seed % 3 == 2,
            repeats_values: seed.is_multiple_of(2),
            disk,
            journal,
            now: Vec::new(),
            committed: Vec::new(),
            outcomes: vec![Vec::new()],
        }
    }

    /// One event; then the machine may crash.
    pub(super) fn step(&mut self) -> Result<(), Broken> {
        match self.random.below(if self.crashes_often { 21 } else { 16 }) {
            0..6 => self.append()?,
            6 => self.overwrite(),
            7..9 => self.drop_some(),
            9..13 => self.commit()?,
            13 => self.close()?,
            14 => self.kill()?,
            _ => self.crash()?,
        }
        self.check_crashes()
    }

    /// Appends elements, but never overwrites those that the last commit covers.
    fn append(&mut self) -> Result<(), Broken> {
        if self.now.len() < self.committed.len() {
            self.commit()?;
        }
        for _ in 0..self.random.below(6) + 1 {
            let at = self.now.len() as u64;
            let value = if self.repeats_values { 1000 + at } else { self.random.below(1 << 30) as u64 };
            self.disk.allocate(DATA_OFFSET + (at + 1) * 8).unwrap();
            self.disk.store(at, value);
            self.now.push(value);
        }
        Ok(())
    }

    fn overwrite(&mut self) {
        if self.now.len() > self.committed.len() {
            let at = self.committed.len() + self.random.below(self.now.len() - self.committed.len());
            self.now[at] = !self.now[at];
            self.disk.store(at as u64, self.now[at]);
        }
    }

    fn drop_some(&mut self) {
        let fewer = self.random.below(4).min(self.now.len());
        self.now.truncate(self.now.len() - fewer);
    }

    /// Commits; before that, simulates a crash at each sync of the commit, after which both the old
    /// and the new contents are correct.
    fn commit(&mut self) -> Result<(), Broken> {
        for sync in 1.. {
            let copy = self.disk.copy();
            copy.fail_in(Some(sync));
            let other = self.journal.copy_over(copy.clone());
            match other.commit(self.now.len() as u64) {
                Ok(_) if sync > 3 => return Err("a commit syncs three times and more".into()),
                Ok(_) => break,
                Err(error) => assert_eq!(error.kind(), ErrorKind::Io),
            }
            assert!(other.is_poisoned());
            assert_eq!(other.commit(0).unwrap_err().kind(), ErrorKind::Io, "a poisoned handle refuses");
            let mut outcomes = self.outcomes.clone();
            outcomes.push(self.now.clone());
            for number in 0..self.images {
                let image = self.image(&copy, number);
                self.check(image, &outcomes)
                    .map_err(|broken| format!("sync {sync} of a commit: {broken}"))?;
            }
        }
        self.journal.commit(self.now.len() as u64).unwrap();
        self.committed = self.now.clone();
        self.outcomes = vec![self.now.clone()];
        Ok(())
    }

    /// Makes one of the next syncs fail, possibly such that the kernel considers pages written
    /// although they are not.
    fn make_sync_fail(&mut self, most: usize) {
        let sync = 1 + self.random.below(most);
        if self.random.below(2) == 0 {
            self.disk.fail_in(Some(sync));
        } else {
            let bits = self.random.below(1 << 30) as u64;
            self.disk.lose_in(sync, bits << 30 | self.random.below(1 << 30) as u64);
        }
    }

    /// Begins a commit that may not complete.
    fn begin_commit(&mut self) {
        self.make_sync_fail(2);
        let ended = self.journal.commit(self.now.len() as u64).is_ok();
        self.disk.fail_in(None);
        if ended {
            self.outcomes.clear();
        }
        self.outcomes.push(self.now.clone());
    }

    /// The process is killed, possibly during a commit, and another one continues.
    fn kill(&mut self) -> Result<(), Broken> {
        if self.random.below(2) == 0 {
            self.begin_commit();
        }
        self.reopen(self.disk.clone()).map_err(|broken| format!("after a kill: {broken}"))
    }

    /// The handle is closed, and another one opened.
    fn close(&mut self) -> Result<(), Broken> {
        self.journal.drop_tail().unwrap();
        self.reopen(self.disk.clone()).map_err(|broken| format!("after closing: {broken}"))
    }

    /// The machine crashes, possibly during a commit or while opening, and another handle
    /// continues.
    fn crash(&mut self) -> Result<(), Broken> {
        if self.random.below(3) > 0 {
            self.begin_commit();
        }
        let number = self.random.below(10);
        let disk = Disk::of(self.image(&self.disk.clone(), number));
        self.reopen(disk).map_err(|broken| format!("after a crash: {broken}"))
    }

    fn reopen(&mut self, disk: Disk) -> Result<(), Broken> {
        // Opening may write and sync, so it may also be interrupted.
        for sync in 1.. {
            let copy = disk.copy();
            copy.fail_in(Some(sync));
            if Journal::open_to_write(copy.clone()).is_ok() {
                break;
            }
            for number in 0..self.images {
                let image = self.image(&copy, number);
                let outcomes = self.outcomes.clone();
                self.check(image, &outcomes).map_err(|broken| format!("sync {sync} of opening: {broken}"))?;
            }
        }
        // Continue even if the process ended there.
        let before = std::mem::replace(&mut self.disk, disk.clone());
        self.make_sync_fail(4);
        self.disk = before;
        Journal::open_to_write(disk.clone()).ok();
        disk.fail_in(None);
        let mut journal = Journal::open_to_write(disk.clone()).map_err(|error| error.to_string())?;
        limit_tails(&mut journal, self.small_tails);
        let found = contents(&journal, &disk, &self.outcomes)?;
        // Data lost in a crash stay lost; data that a kill left only in memory may still be lost.
        if disk.image(&mut |_| 0) == disk.image(&mut |n| n - 1) {
            self.outcomes = vec![found.clone()];
        }
        (self.journal, self.disk) = (journal, disk);
        self.now = found.clone();
        self.committed = found;
        Ok(())
    }

    fn check_crashes(&mut self) -> Result<(), Broken> {
        let (disk, outcomes) = (self.disk.clone(), self.outcomes.clone());
        for number in 0..self.images + 2 {
            let image = self.image(&disk, number);
            self.check(image, &outcomes).map_err(|broken| format!("crash image {number}: {broken}"))?;
        }
        Ok(())
    }

    /// An image of the disk as it is now: none of the unsynced data arrived, all of it did, or
    /// some.
    fn image(&mut self, disk: &Disk, number: usize) -> Vec<u8> {
        // The proportion that arrives differs from crash to crash.
        let weight = self.random.below(5);
        let random = &mut self.random;
        disk.image(&mut |n| match (number, weight) {
            (0, _) => 0,
            (1, _) => n - 1,
            (_, 0) if random.below(20) != 0 => 0,
            (_, 1) if random.below(20) != 0 => n - 1,
            _ => random.below(n),
        })
    }

    /// Opens an image, compares its contents, and continues from it.
    fn check(&mut self, image: Vec<u8>, outcomes: &[Vec<u64>]) -> Result<(), Broken> {
        let disk = Disk::of(image);
        let reader = Journal::open(disk.clone(), 0).map_err(|error| error.to_string())?;
        let found = contents(&reader, &disk, outcomes)?;
        let journal = Journal::open_to_write(disk.clone()).map_err(|error| error.to_string())?;
        let again = contents(&journal, &disk, outcomes)?;
        if again != found || journal.recovered() != reader.recovered() {
            return Err("a reader and a writer find different things".into());
        }
        // The vector can be used from there: both slots are written again.
        for round in 1..=2 {
            let length = found.len() as u64 + round;
            disk.allocate(DATA_OFFSET + length * 8).unwrap();
            disk.store(length - 1, !round);
            journal.commit(length).unwrap();
            let synced = Disk::of(disk.synced());
            let later = Journal::open(synced.clone(), 0).map_err(|error| error.to_string())?;
            if later.recovered() {
                return Err("a broken record should have been replaced".into());
            }
            let mut expected = found.clone();
            expected.extend((1..=round).map(|round| !round));
            contents(&later, &synced, &[expected])?;
        }
        if reader.refresh(0).map_err(|error| error.to_string())?.length != found.len() as u64 + 2 {
            return Err("a reader does not follow".into());
        }
        Ok(())
    }
}

fn limit_tails(journal: &mut Journal<Disk>, small_tails: bool) {
    if small_tails {
        journal.set_tail_most(16);
    }
}

/// The committed elements, which must be those of one of the outcomes.
fn contents(journal: &Journal<Disk>, disk: &Disk, outcomes: &[Vec<u64>]) -> Result<Vec<u64>, Broken> {
    let found: Vec<u64> = (0..journal.latest().length).map(|index| disk.element(index)).collect();
    if !outcomes.contains(&found) {
        let allowed: Vec<usize> = outcomes.iter().map(Vec::len).collect();
        return Err(format!(
            "the {} elements are not one of the allowed outcomes, of {allowed:?}",
            found.len()
        ));
    }
    journal.validate().map_err(|error| error.to_string())?;
    Ok(found)
}
