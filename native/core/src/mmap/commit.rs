//! The commit protocol: a vector in a file, of which a committed length always survives.
//!
//! `docs/formats/mmapvector.md` is the specification, and explains why a crash cannot tear a
//! committed element. In short: a commit overwrites the older of two records, with a checksum of
//! the new elements; it syncs both at once; and no store ever changes an element that the latest
//! record, or one being written, covers. Opening accepts a record if its new elements match the
//! checksum, and otherwise the other record, whose elements a sync of their own put on the disk.
//!
//! This file is independent of mappings: [`Journal`] contains the part that must be correct, over
//! any [`Storage`], and `simulator/` crashes it at every step.
//!
//! **Cost.** Opening reads 256 + 128 bytes, and the tail of the latest record: at most
//! [`TAIL_MOST`] bytes, and none after the file was closed. A commit reads the new elements once
//! (for their checksums, from the page cache) and syncs once, or twice if the tail would be longer
//! than that. Committing a shorter length reads all remaining elements. Opening for writing syncs
//! once.
//!
//! **Invariants.** For a writer, either `state.latest` is durable, or the handle is poisoned.
//! Record `sequence` is stored in slot `sequence % 2`; that slot is written only while the record
//! in the other slot is durable.

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

/// Positions of the two commit slots.
pub const SLOT_OFFSETS: [u64; 2] = [16_384, 32_768];
/// The longest tail of a record, in bytes, which opening may have to read. Larger commits sync
/// their elements first.
pub const TAIL_MOST: u64 = 4 << 20;
/// Bytes that are read at a time for a checksum.
const BLOCK: usize = 1 << 18;

#[derive(Debug)]
struct State {
    latest: Commit,
    /// The record that opening rejected. It may become valid by accident, and stays rejected.
    rejected: Option<Commit>,
    /// A sync failed, so the state of the disk is unknown.
    poisoned: bool,
}

/// A vector's file and its commits. See the module's documentation.
///
/// Commits may be made by any thread, one at a time; callers that store elements must not change
/// those that are committed or being committed.
#[derive(Debug)]
pub struct Journal<S> {
    storage: S,
    header: FileHeader,
    recovered: bool,
    /// The longest tail to write, in bytes: [`TAIL_MOST`], or less in tests.
    tail_most: u64,
    state: Mutex<State>,
}

impl<S: Storage> Journal<S> {
    /// Creates an empty vector in an empty file, and makes it durable. Elements must be numbers.
    pub fn create(storage: S, ty: Type, seeds: [u32; 2]) -> Result<Journal<S>> {
        if !ty.is_numeric() {
            return Err(Error::wrong_type("the elements of a vector are numbers"));
        }
        let header = FileHeader { ty, seeds };
        storage.allocate(DATA_OFFSET)?;
        let latest = Commit { sequence: 1, length: 0, checksum: 0, synced: 0, tail: 0 };
        storage.write_at(0, &header.encode())?;
        storage.write_at(SLOT_OFFSETS[1], &latest.encode(seeds))?;
        storage.sync()?;
        let state = Mutex::new(State { latest, rejected: None, poisoned: false });
        Ok(Journal { storage, header, recovered: false, tail_most: TAIL_MOST, state })
    }

    /// Reads the header and the latest commit, for reading the vector. `Corrupt` or `Version` if
    /// they are invalid.
    ///
    /// `patience` is the number of retries while a slot is broken, because a writer may be writing
    /// it.
    pub fn open(storage: S, patience: u32) -> Result<Journal<S>> {
        let header = FileHeader::read(&storage)?;
        let mut rounds = 0;
        let found = loop {
            let found = find_latest(&storage, header)?;
            if !found.broken || rounds == patience {
                break found;
            }
            rounds += 1;
            wait(rounds);
        };
        let latest = found.latest.ok_or_else(no_record)?;
        let state = Mutex::new(State { latest, rejected: found.rejected, poisoned: false });
        Ok(Journal { storage, header, recovered: found.broken, tail_most: TAIL_MOST, state })
    }

    /// As `open`, for the holder of the lock, who will store elements after the committed ones.
    /// `Io` if the disk fails.
    ///
    /// A process that was killed may have left a record in the page cache that is not on the disk.
    /// The record found is therefore synced first, so that no store tears an element that a crash
    /// would restore. A record that was rejected is replaced, so that no store makes it valid. A
    /// failed sync may have left pages that the kernel considers written although they are not: a
    /// later sync skips them unless they are stored to again.
    pub fn open_to_write(storage: S) -> Result<Journal<S>> {
        let header = FileHeader::read(&storage)?;
        let found = find_latest(&storage, header)?;
        let mut latest = found.latest.ok_or_else(no_record)?;
        if Step::RewriteFound.taken() {
            rewrite(&storage, header, latest)?;
        }
        if Step::SyncFound.taken() {
            storage.sync()?;
        }
        if found.broken && Step::ReplaceRejected.taken() {
            latest = without_tail(latest)?;
            write_slot(&storage, header, latest)?;
            if Step::SyncReplacement.taken() {
                storage.sync()?;
            }
        }
        let state = Mutex::new(State { latest, rejected: None, poisoned: false });
        Ok(Journal { storage, header, recovered: found.broken, tail_most: TAIL_MOST, state })
    }

    /// The file.
    #[must_use]
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// The type of the elements.
    #[must_use]
    pub fn element_type(&self) -> Type {
        self.header.ty
    }

    /// Whether opening found a broken record and fell back to the other.
    #[must_use]
    pub fn recovered(&self) -> bool {
        self.recovered
    }

    /// The latest commit. It is durable if it was made by this handle and its sync returned.
    #[must_use]
    pub fn latest(&self) -> Commit {
        self.state().latest
    }

    /// Whether a sync failed, so that nothing more can be committed.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.state().poisoned
    }

    /// Bytes of a file that contains `length` elements. `Range` if no file can.
    pub fn bytes_for(&self, length: u64) -> Result<u64> {
        self.header.bytes_for(length)
    }

    /// For readers: checks whether another process has committed since. Returns the latest commit.
    ///
    /// A record that appears after opening was written by a live writer, after its elements were
    /// stored, so it needs no check.
    pub fn refresh(&self, patience: u32) -> Result<Commit> {
        let mut rounds = 0;
        loop {
            let slots = read_slots(&self.storage, self.header)?;
            let mut state = self.state();
            let mut known = false;
            for commit in slots.iter().filter_map(Slot::sealed) {
                if state.rejected == Some(commit) || !fits(&self.storage, self.header, commit)? {
                    continue;
                }
                known = true;
                if commit.sequence > state.latest.sequence {
                    state.latest = commit;
                }
            }
            // While a slot is being written, only the commit in progress is invisible, not the
            // previous one.
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

    /// Makes the first `length` elements durable, as they are now. Returns when they will survive a
    /// crash.
    ///
    /// No thread may store to them meanwhile. `Io`: the disk failed, now or before. The file then
    /// contains one of the lengths that were committed or were being committed; opening it again
    /// determines which.
    pub fn commit(&self, length: u64) -> Result<Commit> {
        let mut state = self.state();
        if state.poisoned {
            return Err(Error::new(
                ErrorKind::Io,
                "an earlier sync of this file failed: close it and open it again",
            ));
        }
        let before = state.latest;
        if length == before.length {
            return Ok(before);
        }
        let end = self.bytes_for(length)?;
        if end > self.storage.len()? {
            return Err(Error::new(ErrorKind::Io, "the file is shorter than the vector: it was truncated"));
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
        write_slot(&self.storage, self.header, commit)?;
        if Step::SyncRecord.taken() {
            self.storage.sync()?;
        }
        state.poisoned = false;
        state.latest = commit;
        Ok(commit)
    }

    /// Writes, when the file is closed, an equivalent record without a tail, so that opening need
    /// not read the tail. This does not wait for the disk, which already has the other record.
    pub fn drop_tail(&self) -> Result<()> {
        let state = self.state();
        if !state.poisoned && state.latest.has_tail() && fits(&self.storage, self.header, state.latest)? {
            write_slot(&self.storage, self.header, without_tail(state.latest)?)?;
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
        checksums(&self.storage, self.header, from..to, seed, tail)
    }

    /// A panic during a commit leaves `poisoned` set, so a poisoned mutex needs no further
    /// handling.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl<S: Storage> Journal<S> {
    /// Makes larger commits sync their elements first.
    pub(super) fn set_tail_most(&mut self, bytes: u64) {
        self.tail_most = bytes;
    }

    /// This handle, in its present state, over a copy of its file.
    pub(super) fn copy_over<T: Storage>(&self, storage: T) -> Journal<T> {
        let State { latest, rejected, poisoned } = *self.state();
        let state = Mutex::new(State { latest, rejected, poisoned });
        let Journal { header, recovered, tail_most, .. } = *self;
        Journal { storage, header, recovered, tail_most, state }
    }
}

fn next(commit: Commit) -> Result<u64> {
    let next = commit.sequence.checked_add(1);
    next.ok_or_else(|| Error::corrupt("the file's latest commit has the largest possible number"))
}

/// The next record for the same elements, which are on the disk.
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

/// The release fence makes the elements visible to every thread or process that sees the record.
fn write_slot<S: Storage>(storage: &S, header: FileHeader, commit: Commit) -> Result<()> {
    fence(Ordering::Release);
    storage.write_at(SLOT_OFFSETS[(commit.sequence % 2) as usize], &commit.encode(header.seeds))
}

/// Rewrites a record and its tail, unchanged.
fn rewrite<S: Storage>(storage: &S, header: FileHeader, commit: Commit) -> Result<()> {
    let (mut at, end) = (header.bytes_for(commit.synced)?, header.bytes_for(commit.length)?);
    let mut block = Vec::new();
    block.try_reserve_exact(BLOCK.min((end - at) as usize))?;
    block.resize(BLOCK.min((end - at) as usize), 0);
    while at < end {
        let count = block.len().min((end - at) as usize);
        storage.read_at(at, &mut block[..count])?;
        storage.write_at(at, &block[..count])?;
        at += count as u64;
    }
    write_slot(storage, header, commit)
}

fn read_slots<S: Storage>(storage: &S, header: FileHeader) -> Result<[Slot; 2]> {
    let mut slots = [Slot::Empty; 2];
    for (index, offset) in SLOT_OFFSETS.into_iter().enumerate() {
        let mut bytes = [0; SLOT_BYTES];
        storage.read_at(offset, &mut bytes)?;
        slots[index] = Slot::decode(&bytes, index, header.seeds);
    }
    // The acquire fence orders reads of the elements after the read of their record.
    fence(Ordering::Acquire);
    Ok(slots)
}

struct Found {
    latest: Option<Commit>,
    rejected: Option<Commit>,
    /// A slot contains an invalid record, or the newest record was rejected.
    broken: bool,
}

fn find_latest<S: Storage>(storage: &S, header: FileHeader) -> Result<Found> {
    let mut slots = read_slots(storage, header)?;
    let broken = slots.contains(&Slot::Broken);
    let mut found = Found { latest: None, rejected: None, broken };
    slots.sort_by_key(|slot| std::cmp::Reverse(slot.sealed().map(|commit| commit.sequence)));
    for commit in slots.iter().filter_map(Slot::sealed) {
        if is_valid(storage, header, commit)? {
            // An older record may cover elements that were dropped since, so it is not checked.
            found.latest = Some(commit);
            break;
        }
        found.rejected = Some(commit);
        found.broken = true;
    }
    Ok(found)
}

/// Whether the file is long enough for a commit. Called after its record was read, because the file
/// grew before the record was written.
fn fits<S: Storage>(storage: &S, header: FileHeader, commit: Commit) -> Result<bool> {
    let len = storage.len()?;
    Ok(header.bytes_for(commit.length).is_ok_and(|bytes| bytes <= len))
}

/// Whether a commit is valid: the file contains its elements, and those of its tail match the
/// checksum.
fn is_valid<S: Storage>(storage: &S, header: FileHeader, commit: Commit) -> Result<bool> {
    if !fits(storage, header, commit)? {
        return Ok(false);
    }
    if !commit.has_tail() || !Step::CheckTail.taken() {
        return Ok(true);
    }
    let bytes = (commit.length - commit.synced) * header.ty.width() as u64;
    Ok(bytes <= TAIL_MOST
        && checksums(storage, header, commit.synced..commit.length, 0, true)?.1 == commit.tail)
}

/// The CRC-32C of some elements, continuing from `seed`, and, if `tail` is set, their XXH3, else 0.
fn checksums<S: Storage>(
    storage: &S,
    header: FileHeader,
    elements: Range<u64>,
    seed: u32,
    tail: bool,
) -> Result<(u32, u64)> {
    let (mut at, end) = (header.bytes_for(elements.start)?, header.bytes_for(elements.end)?);
    let mut block = Vec::new();
    block.try_reserve_exact(BLOCK.min((end - at) as usize))?;
    block.resize(block.capacity().min(BLOCK), 0);
    let [low, high] = header.seeds.map(u64::from);
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
