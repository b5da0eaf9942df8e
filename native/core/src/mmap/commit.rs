//! The commit protocol: a vector in a file, of which some length always survives.
//!
//! `docs/formats/mmapvector.md` is the specification, and states why a crash can not tear a
//! committed element. In short: write the older of two records, with a checksum of the elements
//! that are new; sync both at once; and never store to an element that the latest record, or one
//! under way, vouches for. Opening believes a record if its new elements are what it says, and else
//! the other one, whose elements a sync of their own put on the disk.
//!
//! This file knows nothing of mappings: [`Journal`] is the part that must be right, over any
//! [`Storage`], and `simulator/` crashes it at every step.
//!
//! **Cost.** Opening reads 256 + 128 bytes, and the tail of the latest record: at most
//! [`TAIL_MOST`] bytes, none after the file was closed. A commit reads the new elements once (for
//! their checksums, from the page cache) and syncs once; twice if there are more than that.
//! Committing a shorter length reads all elements that stay. Opening to write syncs once.
//!
//! **Invariants.** Of a writer, `state.latest` is durable, or the handle poisoned. Record
//! `sequence` lies in slot `sequence % 2`; that slot is written only while the record in the other
//! one is durable.

pub use super::header::DATA_OFFSET;

use super::fault_injection::Step;
use super::header::FileHeader;
use super::slot::{Commit, SLOT_BYTES, Slot};
use super::storage::Storage;
use crate::region::element::Type;
use crate::{Error, ErrorKind, Result};
use std::hash::Hasher;
use std::ops::Range;
use std::sync::atomic::{Ordering, fence};
use std::sync::{Mutex, MutexGuard, PoisonError};
use twox_hash::xxhash3_64::{DEFAULT_SECRET_LENGTH, RawHasher, SecretBuffer};

/// Where the two commit slots stand.
pub const SLOT_OFFSETS: [u64; 2] = [16_384, 32_768];
/// The longest tail of a record, in bytes: what opening may have to read. Larger commits sync their
/// elements first.
pub const TAIL_MOST: u64 = 4 << 20;
/// Bytes read at a time for a checksum.
const BLOCK: usize = 1 << 18;

#[derive(Debug)]
struct State {
    latest: Commit,
    /// What opening met and did not believe. It may become true by accident, and stays refused.
    refused: Option<Commit>,
    /// A sync failed: nothing is known about the disk.
    poisoned: bool,
}

/// A vector's file and its commits. See the head of this file.
///
/// Commits may come from any thread, one at a time; whoever stores elements keeps the rule about
/// those that are committed, or being committed.
#[derive(Debug)]
pub struct Journal<S> {
    storage: S,
    head: FileHeader,
    recovered: bool,
    /// Bytes of the longest tail to write: [`TAIL_MOST`], and less in tests.
    tail_most: u64,
    state: Mutex<State>,
}

impl<S: Storage> Journal<S> {
    /// Lays out an empty vector in an empty file, and makes it durable. Elements must be numbers.
    pub fn create(storage: S, ty: Type, seeds: [u32; 2]) -> Result<Journal<S>> {
        if !ty.is_numeric() {
            return Err(Error::wrong_type("the elements of a vector are numbers"));
        }
        let head = FileHeader { ty, seeds };
        storage.allocate(DATA_OFFSET)?;
        let latest = Commit { sequence: 1, length: 0, checksum: 0, synced: 0, tail: 0 };
        storage.write_at(0, &head.encode())?;
        storage.write_at(SLOT_OFFSETS[1], &latest.encode(seeds))?;
        storage.sync()?;
        let state = Mutex::new(State { latest, refused: None, poisoned: false });
        Ok(Journal { storage, head, recovered: false, tail_most: TAIL_MOST, state })
    }

    /// Reads the header and the latest commit, to read the vector. `Corrupt` or `Version` if they
    /// make no sense.
    ///
    /// `patience`: how many times to look again while a slot is broken, because a writer may be
    /// writing it.
    pub fn open(storage: S, patience: u32) -> Result<Journal<S>> {
        let head = FileHeader::read(&storage)?;
        let mut rounds = 0;
        let found = loop {
            let found = look(&storage, head)?;
            if !found.broken || rounds == patience {
                break found;
            }
            rounds += 1;
            wait(rounds);
        };
        let latest = found.latest.ok_or_else(no_record)?;
        let state = Mutex::new(State { latest, refused: found.refused, poisoned: false });
        Ok(Journal { storage, head, recovered: found.broken, tail_most: TAIL_MOST, state })
    }

    /// The same for who holds the lock, and will store elements behind those that are committed.
    /// `Io` if the disk refuses.
    ///
    /// A process that was killed may have left a record in the page cache that is not on the disk.
    /// So what was found is synced first: no store tears what a crash would leave. And a record
    /// that was refused is replaced: no store makes it true. A sync that failed may have left pages
    /// that are taken for written, and are not: a later sync passes over them, unless they are
    /// stored to again.
    pub fn open_to_write(storage: S) -> Result<Journal<S>> {
        let head = FileHeader::read(&storage)?;
        let found = look(&storage, head)?;
        let mut latest = found.latest.ok_or_else(no_record)?;
        if Step::StoreAnew.taken() {
            store_anew(&storage, head, latest)?;
        }
        if Step::SyncFound.taken() {
            storage.sync()?;
        }
        if found.broken && Step::Mend.taken() {
            latest = without_tail(latest)?;
            write_slot(&storage, head, latest)?;
            if Step::SyncMended.taken() {
                storage.sync()?;
            }
        }
        let state = Mutex::new(State { latest, refused: None, poisoned: false });
        Ok(Journal { storage, head, recovered: found.broken, tail_most: TAIL_MOST, state })
    }

    /// The file.
    #[must_use]
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// The type of the elements.
    #[must_use]
    pub fn element_type(&self) -> Type {
        self.head.ty
    }

    /// Whether opening met a broken record and fell back to the other.
    #[must_use]
    pub fn recovered(&self) -> bool {
        self.recovered
    }

    /// The latest commit. Durable, if it was made here and its sync returned.
    #[must_use]
    pub fn latest(&self) -> Commit {
        self.state().latest
    }

    /// Whether a sync failed, so that nothing more can be committed.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.state().poisoned
    }

    /// Bytes of a file that holds so many elements. `Range` if no file can.
    pub fn bytes_for(&self, length: u64) -> Result<u64> {
        self.head.bytes_for(length)
    }

    /// For readers: looks whether another process committed since. Returns the latest commit.
    ///
    /// A record that appears after opening was written by a live writer, after its elements were
    /// stored: it needs no check.
    pub fn refresh(&self, patience: u32) -> Result<Commit> {
        let mut rounds = 0;
        loop {
            let slots = read_slots(&self.storage, self.head)?;
            let mut state = self.state();
            let mut known = false;
            for commit in slots.iter().filter_map(Slot::sealed) {
                if state.refused == Some(commit) || !fits(&self.storage, self.head, commit)? {
                    continue;
                }
                known = true;
                if commit.sequence > state.latest.sequence {
                    state.latest = commit;
                }
            }
            // A slot that is being written hides the commit under way for a moment, and not the one
            // before.
            if known {
                return Ok(state.latest);
            }
            drop(state);
            if rounds == patience {
                return Err(no_record());
            }
            rounds += 1;
            wait(rounds);
        }
    }

    /// Makes the first `length` elements, as they are now, what survives a crash. Returns when they
    /// do.
    ///
    /// Nobody may store to them meanwhile. `Io`: the disk failed, now or before; what it holds is
    /// one of the lengths that were committed or were about to be, and only opening anew tells
    /// which.
    pub fn commit(&self, length: u64) -> Result<Commit> {
        let mut state = self.state();
        if state.poisoned {
            return Err(Error::new(
                ErrorKind::Io,
                "an earlier sync of this file failed: close it and open it anew",
            ));
        }
        let before = state.latest;
        if length == before.length {
            return Ok(before);
        }
        let end = self.bytes_for(length)?;
        if end > self.storage.len()? {
            return Err(Error::new(ErrorKind::Io, "the file is shorter than the vector: someone cut it off"));
        }
        let new = end.saturating_sub(self.bytes_for(before.length)?);
        let large = new > self.tail_most;
        let synced = if large { length } else { length.min(before.length) };
        let mut commit = Commit { sequence: next(before)?, length, checksum: 0, synced, tail: 0 };
        (commit.checksum, commit.tail) = if length > before.length {
            self.checksums(before.length, length, before.checksum, commit.has_tail())?
        } else {
            self.checksums(0, length, 0, false)?
        };
        state.poisoned = true;
        if large && Step::SyncLarge.taken() {
            self.storage.sync()?;
        }
        write_slot(&self.storage, self.head, commit)?;
        if Step::SyncRecord.taken() {
            self.storage.sync()?;
        }
        state.poisoned = false;
        state.latest = commit;
        Ok(commit)
    }

    /// For who closes the file: writes a record that says the same without a tail, so that opening
    /// need not read that. Nothing waits for the disk, where the other one is.
    pub fn settle(&self) -> Result<()> {
        let state = self.state();
        if !state.poisoned && state.latest.has_tail() && fits(&self.storage, self.head, state.latest)? {
            write_slot(&self.storage, self.head, without_tail(state.latest)?)?;
        }
        Ok(())
    }

    /// Compares the committed elements with their checksum: O(bytes).
    pub fn validate(&self) -> Result<()> {
        let latest = self.latest();
        if self.checksums(0, latest.length, 0, false)?.0 == latest.checksum {
            Ok(())
        } else {
            Err(Error::corrupt(format!("the checksum of the {} committed elements is wrong", latest.length)))
        }
    }

    fn checksums(&self, from: u64, to: u64, seed: u32, tail: bool) -> Result<(u32, u64)> {
        checksums(&self.storage, self.head, from..to, seed, tail)
    }

    /// A panic inside a commit leaves `poisoned` set, which says all that there is to say.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl<S: Storage> Journal<S> {
    /// Has larger commits sync their elements first.
    pub(super) fn set_tail_most(&mut self, bytes: u64) {
        self.tail_most = bytes;
    }

    /// This handle, as it is, over a copy of its file.
    pub(super) fn copy_over<T: Storage>(&self, storage: T) -> Journal<T> {
        let State { latest, refused, poisoned } = *self.state();
        let state = Mutex::new(State { latest, refused, poisoned });
        let Journal { head, recovered, tail_most, .. } = *self;
        Journal { storage, head, recovered, tail_most, state }
    }
}

fn next(commit: Commit) -> Result<u64> {
    let next = commit.sequence.checked_add(1);
    next.ok_or_else(|| Error::corrupt("no commit has a number past that of the file's latest"))
}

/// The next record, for the same elements, which are on the disk.
fn without_tail(commit: Commit) -> Result<Commit> {
    Ok(Commit { sequence: next(commit)?, synced: commit.length, tail: 0, ..commit })
}

#[cold]
fn no_record() -> Error {
    Error::corrupt("neither commit record of the file is valid")
}

fn wait(round: u32) {
    std::thread::sleep(std::time::Duration::from_micros(50 << round.min(6)));
}

/// Elements were stored before: whoever sees the record, in this process or another, sees them.
fn write_slot<S: Storage>(storage: &S, head: FileHeader, commit: Commit) -> Result<()> {
    fence(Ordering::Release);
    storage.write_at(SLOT_OFFSETS[(commit.sequence % 2) as usize], &commit.encode(head.seeds))
}

/// Stores a record and its tail where they are, and as they are.
fn store_anew<S: Storage>(storage: &S, head: FileHeader, commit: Commit) -> Result<()> {
    let (mut at, end) = (head.bytes_for(commit.synced)?, head.bytes_for(commit.length)?);
    let mut block = Vec::new();
    block.try_reserve_exact(BLOCK.min((end - at) as usize))?;
    block.resize(BLOCK.min((end - at) as usize), 0);
    while at < end {
        let count = block.len().min((end - at) as usize);
        storage.read_at(at, &mut block[..count])?;
        storage.write_at(at, &block[..count])?;
        at += count as u64;
    }
    write_slot(storage, head, commit)
}

fn read_slots<S: Storage>(storage: &S, head: FileHeader) -> Result<[Slot; 2]> {
    let mut slots = [Slot::Empty; 2];
    for (index, offset) in SLOT_OFFSETS.into_iter().enumerate() {
        let mut bytes = [0; SLOT_BYTES];
        storage.read_at(offset, &mut bytes)?;
        slots[index] = Slot::decode(&bytes, index, head.seeds);
    }
    // What a record vouches for is read after it.
    fence(Ordering::Acquire);
    Ok(slots)
}

struct Found {
    latest: Option<Commit>,
    refused: Option<Commit>,
    /// A slot holds something that is no record, or the newest is one that is not to be believed.
    broken: bool,
}

fn look<S: Storage>(storage: &S, head: FileHeader) -> Result<Found> {
    let mut slots = read_slots(storage, head)?;
    let broken = slots.contains(&Slot::Broken);
    let mut found = Found { latest: None, refused: None, broken };
    slots.sort_by_key(|slot| std::cmp::Reverse(slot.sealed().map(|commit| commit.sequence)));
    for commit in slots.iter().filter_map(Slot::sealed) {
        if holds(storage, head, commit)? {
            // An older one may vouch for elements that were dropped since: it is not looked into.
            found.latest = Some(commit);
            break;
        }
        found.refused = Some(commit);
        found.broken = true;
    }
    Ok(found)
}

/// Whether the file is long enough for a commit. Asked after its record was read: the file grew
/// before that was written.
fn fits<S: Storage>(storage: &S, head: FileHeader, commit: Commit) -> Result<bool> {
    let len = storage.len()?;
    Ok(head.bytes_for(commit.length).is_ok_and(|bytes| bytes <= len))
}

/// Whether a commit is to be believed: its elements are there, those of its tail as they were.
fn holds<S: Storage>(storage: &S, head: FileHeader, commit: Commit) -> Result<bool> {
    if !fits(storage, head, commit)? {
        return Ok(false);
    }
    if !commit.has_tail() || !Step::CheckTail.taken() {
        return Ok(true);
    }
    let bytes = (commit.length - commit.synced) * head.ty.width() as u64;
    Ok(bytes <= TAIL_MOST
        && checksums(storage, head, commit.synced..commit.length, 0, true)?.1 == commit.tail)
}

/// The CRC-32C of some elements, continuing from `seed`, and their XXH3 if that is asked for, else
/// 0.
fn checksums<S: Storage>(
    storage: &S,
    head: FileHeader,
    elements: Range<u64>,
    seed: u32,
    tail: bool,
) -> Result<(u32, u64)> {
    let (mut at, end) = (head.bytes_for(elements.start)?, head.bytes_for(elements.end)?);
    let mut block = Vec::new();
    block.try_reserve_exact(BLOCK.min((end - at) as usize))?;
    block.resize(block.capacity().min(BLOCK), 0);
    let [low, high] = head.seeds.map(u64::from);
    let secret = SecretBuffer::with_seed(high << 32 | low, [0; DEFAULT_SECRET_LENGTH]).ok();
    let mut hash = secret.filter(|_| tail).map(RawHasher::new);
    let mut crc = seed;
    while at < end {
        let count = block.len().min((end - at) as usize);
        storage.read_at(at, &mut block[..count])?;
        crc = crc32c::crc32c_append(crc, &block[..count]);
        if let Some(hash) = &mut hash {
            hash.write(&block[..count]);
        }
        at += count as u64;
    }
    Ok((crc, hash.map_or(0, |hash| hash.finish())))
}
