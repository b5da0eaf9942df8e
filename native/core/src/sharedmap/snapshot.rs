//! Snapshots while others write (`docs/formats/sharedmap.md`, "Snapshots").
//!
//! All locks are held for an instant, in which the snapshot begins. After that each bucket is
//! visited under its shard's lock, for microseconds. Entries that are written to buckets that were
//! not visited yet are marked as new and not saved; entries that are replaced or deleted there are
//! kept in a list until they are saved. Entries that are evicted are not kept, so that the bound
//! holds.
//!
//! A kept entry is referred to by a node: a block in the form of a chunk, whose word 2 is the ref
//! of the entry and whose word 3 the next node.

use super::entry::{CHUNK, Entry, NEW, parse, read_value};
use super::layout::{control, shard};
use super::lock::Holder;
use super::write::{Expiry, Mode, Write};
use super::{Map, Shard};
use crate::mmap::storage::{check_limit, refused, size_limit};
use crate::{Error, ErrorKind, Result};
use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::Path;

/// The first bytes of a snapshot.
const MAGIC: [u8; 8] = *b"OFHSNAP1";
/// Magic, schema, a reserved word, the bound, and the time to live.
const HEADER: usize = 40;
/// Units of a node.
const NODE_UNITS: u32 = 3;
/// Buckets that are visited between two checks whether to go on.
const STEP: usize = 64;
/// Locks of shards that are being saved between two checks whether the participant that saves is
/// alive.
const ASK_EVERY: u32 = 16;
/// A record's words before its key.
const RECORD: usize = 24;

/// What a snapshot contains.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Saved {
    /// Entries.
    pub entries: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

impl Map {
    /// Whether a snapshot has not visited all buckets of the shard.
    #[inline]
    pub(super) fn is_saving(&self, shard: Shard) -> bool {
        self.words.load(shard.at + shard::SAVING) != 0
    }

    /// Whether an entry with this hash is written after the snapshot began, to a bucket that it
    /// will visit.
    #[inline]
    pub(super) fn is_after_snapshot(&self, shard: Shard, hash: u32) -> bool {
        self.is_saving(shard)
            && (hash >> self.geometry.shard_bits).reverse_bits() >= self.words.load(shard.at + shard::SAVED)
    }

    /// Keeps an entry that no lane refers to for the snapshot. `false` if the snapshot does not
    /// need it.
    pub(super) fn keep(&self, shard: Shard, hash: u32, entry: &Entry) -> bool {
        if entry.is_new || entry.is_pending() || !self.is_after_snapshot(shard, hash) {
            return false;
        }
        // Without room for the node the snapshot lacks the entry, as if it had been evicted.
        let Ok(Some(node)) = self.make_room(shard, NODE_UNITS, 0, super::now()) else { return false };
        let words = self.words;
        let at = node as usize * 2;
        words.store(at + 1, NODE_UNITS);
        words.store(at + 2, entry.reference());
        words.store(at + 3, words.load(shard.at + shard::KEPT));
        words.store(at + 4, 0);
        words.store(at + 5, 0);
        words.store(at, CHUNK);
        words.store(shard.at + shard::KEPT, node);
        true
    }

    /// Writes a snapshot to a new file. `go_on` is asked regularly whether to continue, with the
    /// part of the shards done. `false` if it was told to stop; the file is incomplete then.
    pub fn save(&self, file: File, go_on: &mut dyn FnMut(usize, usize) -> bool) -> Result<Option<Saved>> {
        self.begin_snapshot()?;
        let result = self.write_snapshot(file, go_on);
        // Whatever happened, the marks are removed.
        let ended = self.end_snapshot();
        let saved = result?;
        ended?;
        Ok(saved)
    }

    /// One instant at which all shards are locked.
    fn begin_snapshot(&self) -> Result<()> {
        let _big = self.lock_all()?;
        let other = Holder(self.words.load(control::SNAPSHOT));
        if other.0 != 0 {
            if self.is_alive(other) {
                return Err(Error::new(ErrorKind::Locked, "another participant is saving the map"));
            }
            self.clear_marks()?;
        }
        let mut guards = Vec::new();
        guards.try_reserve(self.geometry.shards())?;
        for id in 0..self.geometry.shards() {
            guards.push(self.lock(self.shard(id))?);
        }
        self.words.release(control::SNAPSHOT, self.holder.0);
        for id in 0..self.geometry.shards() {
            let at = self.shard(id).at;
            self.words.store(at + shard::SAVED, 0);
            self.words.store(at + shard::KEPT, 0);
            self.words.release(at + shard::SAVING, 1);
        }
        Ok(())
    }

    /// Removes all marks of a snapshot that was not completed.
    fn end_snapshot(&self) -> Result<()> {
        let is_cut = (0..self.geometry.shards()).any(|id| self.is_saving(self.shard(id)));
        if is_cut {
            self.clear_marks()?;
        }
        self.words.release(control::SNAPSHOT, 0);
        Ok(())
    }

    fn clear_marks(&self) -> Result<()> {
        for id in 0..self.geometry.shards() {
            let shard = self.shard(id);
            let _guard = self.lock(shard)?;
            self.clear_marks_of(shard);
        }
        Ok(())
    }

    fn clear_marks_of(&self, shard: Shard) {
        for index in 0..self.buckets(shard) {
            let Some(home) = self.bucket_at(shard, index) else { continue };
            for (_, reference) in self.lanes(home) {
                self.clear_new(reference);
            }
        }
        self.free_kept(shard, &mut |_| ());
        self.words.release(shard.at + shard::SAVING, 0);
    }

    /// Removes the marks of a shard whose snapshot was being made by a participant that terminated.
    /// Otherwise the entries that are kept for it would occupy memory until the next snapshot.
    /// Requires that the shard's lock was just taken: no new entry is marked that is not published.
    #[cold]
    pub(super) fn abandon_snapshot(&self, shard: Shard) {
        // The system is asked only now and then, because a snapshot has many changes.
        let turn = self.saving_turn.get();
        self.saving_turn.set(turn.wrapping_add(1));
        if turn.is_multiple_of(ASK_EVERY) && !self.is_alive(Holder(self.words.load(control::SNAPSHOT))) {
            self.clear_marks_of(shard);
        }
    }

    fn clear_new(&self, reference: u32) {
        let at = reference as usize * 2 + 1;
        let word = self.words.load(at);
        if word & NEW != 0 {
            self.words.store(at, word & !NEW);
        }
    }

    /// Visits the kept entries and frees them.
    fn free_kept(&self, shard: Shard, visit: &mut dyn FnMut(&Entry)) {
        let words = self.words;
        let mut node = words.load(shard.at + shard::KEPT);
        words.store(shard.at + shard::KEPT, 0);
        while node != 0 && words.load(node as usize * 2) == CHUNK {
            let (reference, next) = (words.load(node as usize * 2 + 2), words.load(node as usize * 2 + 3));
            if let Some(entry) = parse(words, &self.geometry, reference) {
                visit(&entry);
                self.free_blocks(shard, &entry);
            }
            self.free(shard, node, NODE_UNITS);
            node = next;
        }
    }

    fn write_snapshot(
        &self,
        file: File,
        go_on: &mut dyn FnMut(usize, usize) -> bool,
    ) -> Result<Option<Saved>> {
        let limit = size_limit();
        let mut out = Output { file: BufWriter::with_capacity(1 << 18, file), sum: 0, bytes: 0, limit };
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(&MAGIC);
        header.extend_from_slice(&self.geometry.schema.word().to_le_bytes());
        header.extend_from_slice(&[0; 4]);
        header.extend_from_slice(&self.geometry.max_bytes.to_le_bytes());
        header.extend_from_slice(&self.default_ttl.to_le_bytes());
        header.extend_from_slice(&[0; 8]);
        out.write(&header)?;
        let mut saved = Saved::default();
        let mut buffer = Vec::new();
        let count = self.geometry.shards();
        for id in 0..count {
            let shard = self.shard(id);
            let mut position = Some(0);
            let mut visited = 0;
            while let Some(at) = position {
                buffer.clear();
                {
                    let _guard = self.lock(shard)?;
                    position = self.save_bucket(shard, at, &mut buffer, &mut saved.entries)?;
                    match position {
                        Some(next) => self.words.release(shard.at + shard::SAVED, next),
                        None => {
                            let mut failed = None;
                            self.free_kept(
                                shard,
                                &mut |entry| match self.append_record(entry, &mut buffer) {
                                    Ok(()) => saved.entries += 1,
                                    Err(error) => failed = Some(error),
                                },
                            );
                            self.words.release(shard.at + shard::SAVING, 0);
                            if let Some(error) = failed {
                                return Err(error);
                            }
                        }
                    }
                }
                out.write(&buffer)?;
                visited += 1;
                if visited % STEP == 0 && !go_on(id, count) {
                    return Ok(None);
                }
            }
            if !go_on(id + 1, count) {
                return Ok(None);
            }
        }
        // The end: a record without a key, the number of entries, and the checksum.
        out.write(&u32::MAX.to_le_bytes())?;
        out.write(&saved.entries.to_le_bytes())?;
        let sum = out.sum;
        out.write(&sum.to_le_bytes())?;
        saved.bytes = out.bytes;
        out.file.flush()?;
        out.file.get_ref().sync_all()?;
        Ok(Some(saved))
    }

    /// Saves the entries of one bucket that are not new. Returns the next position.
    fn save_bucket(
        &self,
        shard: Shard,
        position: u32,
        buffer: &mut Vec<u8>,
        count: &mut u64,
    ) -> Result<Option<u32>> {
        let hash = position.reverse_bits() << self.geometry.shard_bits | shard.id as u32;
        let buckets = self.buckets(shard);
        let index = self.bucket_of(hash, buckets);
        let next = super::scan::end_of_interval(position, index, buckets);
        let Some(home) = self.bucket_at(shard, index) else { return Ok(next) };
        for (_, reference) in self.lanes(home) {
            let Some(entry) = parse(self.words, &self.geometry, reference) else { continue };
            let own = self.hash_of_ref(reference).unwrap_or(0) >> self.geometry.shard_bits;
            if own.reverse_bits() < position {
                continue;
            }
            if entry.is_new {
                self.clear_new(reference);
            } else if !entry.is_pending() {
                self.append_record(&entry, buffer)?;
                *count += 1;
            }
        }
        Ok(next)
    }

    fn append_record(&self, entry: &Entry, out: &mut Vec<u8>) -> Result<()> {
        if entry.value_length > self.words.count() * 4 {
            return Err(Error::corrupt("an entry contains an invalid length"));
        }
        out.try_reserve(RECORD + entry.key_length + entry.value_length + 16)?;
        for word in [entry.key_length as u32, entry.value_head, entry.value_type(), entry.value_length as u32]
        {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&entry.expires_at.to_le_bytes());
        self.words.read_bytes(entry.key_at, entry.key_length, out);
        if !read_value(self.words, entry, out) {
            return Err(Error::corrupt("the chunks of a value do not have its length"));
        }
        Ok(())
    }

    /// Stores the entries of a snapshot. The map's types are those of the snapshot. Entries that
    /// have expired are skipped. Returns the number of entries stored. `Corrupt` if the file is
    /// damaged; the entries before the damage are stored then.
    pub fn restore(&self, file: File, now: f64) -> Result<u64> {
        let mut input = Input { file: std::io::BufReader::with_capacity(1 << 18, file), sum: 0 };
        let header = read_header(&mut input)?;
        if header.schema.key != self.geometry.schema.key || header.schema.value != self.geometry.schema.value
        {
            return Err(Error::wrong_type(format!(
                "the snapshot contains keys of type {:?} and values of type {:?}",
                header.schema.key, header.schema.value
            )));
        }
        let (mut count, mut stored) = (0u64, 0);
        let (mut key, mut value) = (Vec::new(), Vec::new());
        loop {
            let key_length = input.word()?;
            if key_length == u32::MAX {
                break;
            }
            let (value_head, value_type, value_length) = (input.word()?, input.word()?, input.word()?);
            let expires_at = f64::from_bits(u64::from(input.word()?) | u64::from(input.word()?) << 32);
            if key_length as usize > 1 << 16 || u64::from(value_length) > super::layout::MAX_BYTES {
                return Err(Error::corrupt("the snapshot contains an invalid record"));
            }
            input.bytes(&mut key, key_length as usize)?;
            input.bytes(&mut value, value_length as usize)?;
            count += 1;
            let parsed = self.key_of_bytes(&key)?;
            let write = Write {
                key: parsed,
                value: self.value_of_bytes(value_head, &value)?,
                value_type,
                mode: Mode::Set,
                expiry: if expires_at > 0.0 { Expiry::At(expires_at) } else { Expiry::Never },
                now,
            };
            if expires_at == 0.0 || expires_at > now {
                self.write(&write)?;
                stored += 1;
            }
        }
        let expected = u64::from(input.word()?) | u64::from(input.word()?) << 32;
        let sum = input.sum;
        if expected != count || input.word()? != sum {
            return Err(Error::corrupt("the snapshot does not match its checksum"));
        }
        Ok(stored)
    }
}

/// The header of a snapshot.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    /// Types, policy and flags of the map.
    pub schema: super::Schema,
    /// Its bound.
    pub max_bytes: u64,
    /// Its time to live.
    pub ttl: f64,
}

/// Reads the header of a snapshot.
pub fn header_of(path: &Path) -> Result<Header> {
    let mut input = Input { file: std::io::BufReader::new(File::open(path)?), sum: 0 };
    read_header(&mut input)
}

fn read_header(input: &mut Input) -> Result<Header> {
    let mut header = Vec::new();
    input.bytes(&mut header, HEADER)?;
    if header[..8] != MAGIC {
        return Err(Error::corrupt("the file is not a snapshot of a SharedMap"));
    }
    let word = |at: usize| {
        let mut word = [0; 8];
        word.copy_from_slice(&header[at..at + 8]);
        u64::from_le_bytes(word)
    };
    let schema = super::Schema::of_word(word(8) as u32)?;
    Ok(Header { schema, max_bytes: word(16), ttl: f64::from_bits(word(24)) })
}

struct Output {
    file: BufWriter<File>,
    sum: u32,
    bytes: u64,
    /// The system would not only refuse a longer file, but send SIGXFSZ.
    limit: u64,
}

impl Output {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.sum = crc32c::crc32c_append(self.sum, bytes);
        self.bytes += bytes.len() as u64;
        if self.bytes > self.limit {
            check_limit(self.bytes).map_err(|error| refused(self.bytes, error))?;
        }
        Ok(self.file.write_all(bytes)?)
    }
}

struct Input {
    file: std::io::BufReader<File>,
    sum: u32,
}

impl Input {
    fn word(&mut self) -> Result<u32> {
        let mut word = [0; 4];
        self.fill(&mut word)?;
        Ok(u32::from_le_bytes(word))
    }

    /// Replaces the contents of `out` by the next bytes. The memory grows as they are read, so that
    /// a damaged length does not allocate it.
    fn bytes(&mut self, out: &mut Vec<u8>, length: usize) -> Result<()> {
        out.clear();
        while out.len() < length {
            let part = (length - out.len()).min(1 << 20);
            out.try_reserve(part)?;
            let start = out.len();
            out.resize(start + part, 0);
            self.fill(&mut out[start..])?;
        }
        Ok(())
    }

    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        self.file.read_exact(out).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => Error::corrupt("the snapshot is cut off"),
            _ => Error::from(error),
        })?;
        self.sum = crc32c::crc32c_append(self.sum, out);
        Ok(())
    }
}
