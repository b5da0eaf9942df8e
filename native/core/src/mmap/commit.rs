//! The commit protocol: a vector in a file, of which some length always survives.
//!
//! `docs/formats/mmapvector.md` is the specification, and states why a crash can not tear a committed
//! element. In short: sync the elements; write the older of two records; sync that; and never store to
//! an element that the latest record, or one under way, vouches for.
//!
//! This file knows nothing of mappings: [`Journal`] is the part that must be right, over any
//! [`Storage`], and `simulator.rs` crashes it at every step.
//!
//! **Cost.** Opening reads 256 + 128 bytes. A commit reads the new elements once (for their checksum, from
//! the page cache) and syncs twice. Committing a shorter length reads all elements that stay.
//!
//! **Invariants.** `state.latest` is durable, or the handle is poisoned. Record `sequence` lies in slot
//! `sequence % 2`.

use super::slot::{Commit, SLOT_BYTES, Slot};
use super::storage::Storage;
use crate::region::crc::region_checksum;
use crate::region::element::Type;
use crate::region::header::{
    FLAG_CHECKSUM, HEADER_BYTES, HEADER_WORDS, Header, KIND_MMAPVECTOR, MAGIC, Memory, VERSION, word,
};
use crate::{Error, ErrorKind, Result};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The version of the format that this code reads and writes.
pub const KIND_VERSION: u32 = 1;
/// Where the two commit slots stand.
pub const SLOT_OFFSETS: [u64; 2] = [16_384, 32_768];
/// Where the elements begin: a multiple of every page size in use.
pub const DATA_OFFSET: u64 = 65_536;
/// Header word: type of the elements.
const TYPE: usize = word::STRUCTURE;
/// Bytes read at a time for a checksum.
const BLOCK: usize = 1 << 18;

/// A header as it stands in a file, aligned as region memory is.
#[repr(C, align(64))]
struct HeaderBytes([u8; HEADER_BYTES]);

#[derive(Debug)]
struct State {
    latest: Commit,
    /// A sync failed: nothing is known about the disk.
    poisoned: bool,
}

/// A vector's file and its commits. See the head of this file.
///
/// Commits may come from any thread, one at a time; whoever stores elements keeps the rule about those
/// that are committed, or being committed.
#[derive(Debug)]
pub struct Journal<S> {
    storage: S,
    ty: Type,
    seeds: [u32; 2],
    recovered: bool,
    state: Mutex<State>,
}

impl<S: Storage> Journal<S> {
    /// Lays out an empty vector in an empty file, and makes it durable. Elements must be numbers.
    pub fn create(storage: S, ty: Type, seeds: [u32; 2]) -> Result<Journal<S>> {
        if !ty.is_numeric() {
            return Err(Error::wrong_type("the elements of a vector are numbers"));
        }
        storage.allocate(DATA_OFFSET)?;
        let latest = Commit { sequence: 1, length: 0, checksum: 0 };
        storage.write_at(0, &encode_header(ty, seeds).0)?;
        storage.write_at(SLOT_OFFSETS[1], &latest.encode(seeds))?;
        storage.sync()?;
        let state = Mutex::new(State { latest, poisoned: false });
        Ok(Journal { storage, ty, seeds, recovered: false, state })
    }

    /// Reads the header and the latest commit. `Corrupt` or `Version` if they make no sense.
    ///
    /// `patience`: how many times to look again while a slot is broken. A reader gives some, because a writer
    /// may be writing it; who holds the lock gives none.
    pub fn open(storage: S, patience: u32) -> Result<Journal<S>> {
        let (ty, seeds) = read_header(&storage)?;
        let found = read_slots(&storage, ty, seeds, patience)?;
        let latest =
            found.latest.ok_or_else(|| Error::corrupt("neither commit record of the file is valid"))?;
        let state = Mutex::new(State { latest, poisoned: false });
        Ok(Journal { storage, ty, seeds, recovered: found.broken, state })
    }

    /// The file.
    #[must_use]
    pub fn storage(&self) -> &S {
        &self.storage
    }

    /// The type of the elements.
    #[must_use]
    pub fn element_type(&self) -> Type {
        self.ty
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
        bytes_for(self.ty, length)
    }

    /// For readers: looks whether another process committed since. Returns the latest commit.
    pub fn refresh(&self, patience: u32) -> Result<Commit> {
        let found = read_slots(&self.storage, self.ty, self.seeds, patience)?;
        let latest =
            found.latest.ok_or_else(|| Error::corrupt("neither commit record of the file is valid"))?;
        let mut state = self.state();
        // A record that was seen stays true; one that is being written hides the newest for a moment.
        if latest.sequence > state.latest.sequence {
            state.latest = latest;
        }
        Ok(state.latest)
    }

    /// Makes the first `length` elements, as they are now, what survives a crash. Returns when they do.
    ///
    /// Nobody may store to them meanwhile. `Io`: the disk failed, now or before; what it holds is one of the
    /// lengths that were committed or were about to be, and only opening anew tells which.
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
        let checksum = if length > before.length {
            self.checksum(before.length, length, before.checksum)?
        } else {
            self.checksum(0, length, 0)?
        };
        let commit = Commit { sequence: before.sequence + 1, length, checksum };
        state.poisoned = true;
        self.storage.sync()?;
        self.storage.write_at(SLOT_OFFSETS[(commit.sequence % 2) as usize], &commit.encode(self.seeds))?;
        self.storage.sync()?;
        state.poisoned = false;
        state.latest = commit;
        Ok(commit)
    }

    /// Compares the committed elements with their checksum: O(bytes).
    pub fn validate(&self) -> Result<()> {
        let latest = self.latest();
        if self.checksum(0, latest.length, 0)? == latest.checksum {
            Ok(())
        } else {
            Err(Error::corrupt(format!("the checksum of the {} committed elements is wrong", latest.length)))
        }
    }

    /// The CRC-32C of elements `from` to `to`, continuing from `seed`.
    fn checksum(&self, from: u64, to: u64, seed: u32) -> Result<u32> {
        let mut block = Vec::new();
        let (mut at, end) = (self.bytes_for(from)?, self.bytes_for(to)?);
        block.try_reserve_exact(BLOCK.min((end - at) as usize))?;
        block.resize(block.capacity().min(BLOCK), 0);
        let mut crc = seed;
        while at < end {
            let count = block.len().min((end - at) as usize);
            self.storage.read_at(at, &mut block[..count])?;
            crc = crc32c::crc32c_append(crc, &block[..count]);
            at += count as u64;
        }
        Ok(crc)
    }

    /// A panic inside a commit leaves `poisoned` set, which says all that there is to say.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Bytes of a file that holds `length` elements of a type.
fn bytes_for(ty: Type, length: u64) -> Result<u64> {
    length
        .checked_mul(ty.width() as u64)
        .and_then(|bytes| bytes.checked_add(DATA_OFFSET))
        .filter(|&bytes| bytes <= i64::MAX as u64)
        .ok_or_else(|| Error::range(format!("no file holds {length} elements")))
}

fn encode_header(ty: Type, seeds: [u32; 2]) -> HeaderBytes {
    let mut words = [0u32; HEADER_WORDS];
    words[word::MAGIC] = MAGIC;
    words[word::VERSION] = VERSION;
    words[word::KIND] = KIND_MMAPVECTOR;
    words[word::KIND_VERSION] = KIND_VERSION;
    words[word::LENGTH] = HEADER_BYTES as u32;
    words[word::FLAGS] = FLAG_CHECKSUM;
    words[word::SEEDS..word::SEEDS + 2].copy_from_slice(&seeds);
    words[TYPE] = ty as u32;
    let mut bytes = HeaderBytes([0; HEADER_BYTES]);
    let put = |bytes: &mut HeaderBytes, words: &[u32; HEADER_WORDS]| {
        for (to, word) in bytes.0.chunks_exact_mut(4).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
    };
    put(&mut bytes, &words);
    // SAFETY: 256 bytes of our own.
    words[word::CHECKSUM] = unsafe { region_checksum(bytes.0.as_ptr(), HEADER_BYTES) };
    put(&mut bytes, &words);
    bytes
}

fn read_header<S: Storage>(storage: &S) -> Result<(Type, [u32; 2])> {
    let too_few = |len| Error::corrupt(format!("{len} bytes are too few for a vector's file"));
    let len = storage.len()?;
    if len < HEADER_BYTES as u64 {
        return Err(too_few(len));
    }
    let mut bytes = HeaderBytes([0; HEADER_BYTES]);
    storage.read_at(0, &mut bytes.0)?;
    // SAFETY: 256 bytes of our own, aligned to 64.
    let (header, sum) = unsafe {
        let memory = Memory::new(bytes.0.as_mut_ptr(), HEADER_BYTES)?;
        (
            Header::read(memory, KIND_MMAPVECTOR, KIND_VERSION)?,
            region_checksum(bytes.0.as_ptr(), HEADER_BYTES),
        )
    };
    if len < DATA_OFFSET {
        return Err(too_few(len));
    }
    let flags = header.word(word::FLAGS);
    if header.length() != HEADER_BYTES as u64 || flags != FLAG_CHECKSUM || header.word(word::SEQUENCE) != 0 {
        return Err(Error::corrupt("this is no header of a vector's file"));
    }
    header.check_reserved()?;
    let ty = Type::from_number(header.word(TYPE)).filter(|ty| ty.is_numeric());
    let stray = (TYPE + 1..HEADER_WORDS).any(|index| header.word(index) != 0);
    match ty {
        Some(ty) if !stray && sum == header.word(word::CHECKSUM) => Ok((ty, header.seeds())),
        _ => Err(Error::corrupt("the header of the vector's file is damaged")),
    }
}

/// Whether the file is long enough for so many elements.
fn fits<S: Storage>(storage: &S, ty: Type, length: u64) -> Result<bool> {
    let len = storage.len()?;
    Ok(bytes_for(ty, length).is_ok_and(|bytes| bytes <= len))
}

struct Found {
    latest: Option<Commit>,
    /// A slot holds something that is no record, or one that the file is too short for.
    broken: bool,
}

fn read_slots<S: Storage>(storage: &S, ty: Type, seeds: [u32; 2], patience: u32) -> Result<Found> {
    let mut rounds = 0;
    loop {
        let mut found = Found { latest: None, broken: false };
        for (index, offset) in SLOT_OFFSETS.into_iter().enumerate() {
            let mut bytes = [0; SLOT_BYTES];
            storage.read_at(offset, &mut bytes)?;
            match Slot::decode(&bytes, index, seeds) {
                Slot::Empty => {}
                // The length of the file after the slot: it grew before the slot was written.
                Slot::Sealed(commit) if fits(storage, ty, commit.length)? => {
                    if found.latest.is_none_or(|other| commit.sequence > other.sequence) {
                        found.latest = Some(commit);
                    }
                }
                Slot::Sealed(_) | Slot::Broken => found.broken = true,
            }
        }
        if !found.broken || rounds == patience {
            return Ok(found);
        }
        rounds += 1;
        std::thread::sleep(std::time::Duration::from_micros(50 << rounds.min(6)));
    }
}
