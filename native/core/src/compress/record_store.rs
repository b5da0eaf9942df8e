//! A store of many records, each compressed on its own, so that each can be read without the
//! others. The region contains a dictionary, the start of each record (an Elias-Fano sequence,
//! about one byte per record), and the compressed records.
//!
//! `docs/formats/compress.md` specifies the bytes. They never change once written, so any number of
//! threads may read them. A read takes two queries of the sequence, about 50 ns in cache, and one
//! decompression.

use super::decode::SLACK;
use super::dictionary::{Dictionary, Level};
use super::encode::{Framing, Scratch};
use super::train::spread;
use crate::region::attach::RegionKind;
use crate::region::control::{Control, Progress};
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::region::owned::OwnedMemory;
use crate::succinct::eliasfano::RawEliasFano;
use crate::succinct::eliasfano::Writer;
use crate::succinct::eliasfano::layout::Shape;
use crate::{Error, ErrorKind, Result};

/// Bytes of samples on which two dictionaries are compared.
const COMPARED: usize = 2 << 20;
/// The new dictionary must save at least one of this many bytes.
const GAIN: usize = 32;
/// The number of records between two checks of the control.
const CONTROL_INTERVAL: usize = 256;
/// The most bytes of compressed records.
const MAX_PAYLOAD: u64 = 1 << 48;

/// Indices of the words that this kind owns in the region's header.
pub mod word {
    /// Number of records (two words).
    pub const LENGTH: usize = 16;
    /// Bytes of the compressed records (two words).
    pub const PAYLOAD: usize = 18;
    /// Uncompressed bytes of the longest record (two words).
    pub const LONGEST: usize = 20;
    /// Uncompressed bytes of all records (two words).
    pub const TOTAL: usize = 22;
    /// Bytes of the dictionary's region.
    pub const DICTIONARY: usize = 24;
    /// The first unused word. It and all words after it are zero.
    pub const END: usize = 25;
}

/// The sizes of a store's parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreShape {
    /// Number of records.
    pub len: u64,
    /// Bytes of the compressed records.
    pub payload: u64,
    /// Uncompressed bytes of the longest record.
    pub longest: u64,
    /// Uncompressed bytes of all records.
    pub total: u64,
    /// Bytes of the dictionary's region.
    pub dictionary: u64,
}

impl StoreShape {
    fn offsets(&self) -> Shape {
        Shape { len: self.len + 1, max: self.payload }
    }

    /// The start of the records, and the length of the region.
    fn layout(&self) -> (u64, u64) {
        let records = self.offsets().layout_at(HEADER_BYTES as u64 + self.dictionary).length;
        (records, align(records + self.payload))
    }

    /// Bytes of the region.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.layout().1
    }
}

impl RegionKind for StoreShape {
    const KIND: Kind = Kind::RecordStore;
    const END: usize = word::END;

    fn check(header: &Header, _: Memory) -> Result<StoreShape> {
        let shape = StoreShape {
            len: header.double_word(word::LENGTH),
            payload: header.double_word(word::PAYLOAD),
            longest: header.double_word(word::LONGEST),
            total: header.double_word(word::TOTAL),
            dictionary: u64::from(header.word(word::DICTIONARY)),
        };
        let possible = shape.len < 1 << 37
            && shape.payload <= MAX_PAYLOAD
            && shape.offsets().check().is_ok()
            && shape.dictionary.is_multiple_of(64)
            && shape.dictionary >= HEADER_BYTES as u64;
        if !possible {
            return Err(Error::corrupt("the lengths of the record store's parts are impossible"));
        }
        Ok(shape)
    }

    fn length(&self) -> u64 {
        StoreShape::length(self)
    }
}

/// A store in memory owned by the caller, with its dictionary prepared. Any number of threads may
/// use it.
#[derive(Debug)]
pub struct RawRecordStore {
    shape: StoreShape,
    memory: Memory,
    offsets: RawEliasFano,
    records: *const u8,
    dictionary: Dictionary,
}

// SAFETY: the caller of `attach` guarantees that the memory is readable, by any thread, while this
// exists.
unsafe impl Send for RawRecordStore {}
// SAFETY: the same; nothing is written.
unsafe impl Sync for RawRecordStore {}

impl RawRecordStore {
    /// Attaches to the region in `len` bytes at `base`. Checks the header, and copies and prepares
    /// the dictionary, but reads no records.
    ///
    /// # Safety
    /// While the store is used, `base` is valid for reading `len` bytes, and the region is not
    /// written.
    pub unsafe fn attach(base: *const u8, len: usize) -> Result<RawRecordStore> {
        // SAFETY: the caller guarantees that `len` bytes at `base` are readable. Nothing is
        // written.
        let (memory, shape) = unsafe { StoreShape::attach(base, len) }?;
        // SAFETY: `attach` checked that the sections of the shape are within the memory.
        unsafe {
            let dictionary = Dictionary::copy_from(memory.at(HEADER_BYTES), shape.dictionary as usize)?;
            if dictionary.as_bytes().len() as u64 != shape.dictionary {
                return Err(Error::corrupt(
                    "the record store's dictionary is shorter than its header states",
                ));
            }
            let offsets =
                RawEliasFano::within(memory, HEADER_BYTES as u64 + shape.dictionary, shape.offsets());
            let records = memory.at(shape.layout().0 as usize);
            Ok(RawRecordStore { shape, memory, offsets, records, dictionary })
        }
    }

    /// The sizes of the store's parts.
    #[must_use]
    pub fn shape(&self) -> StoreShape {
        self.shape
    }

    /// The number of records.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.shape.len
    }

    /// Whether the store has no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shape.len == 0
    }

    /// The address and length of the attached memory.
    #[must_use]
    pub fn memory(&self) -> (*const u8, usize) {
        (self.memory.base(), self.memory.len())
    }

    /// The store's dictionary.
    #[must_use]
    pub fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// The address and length of a compressed record.
    #[inline]
    fn find(&self, index: u64) -> Result<(*const u8, usize)> {
        if index >= self.shape.len {
            return Err(self.no_record(index));
        }
        let mut span = [index, index + 1];
        self.offsets.at_batch(&mut span);
        self.span(span[0], span[1])
    }

    #[cold]
    fn no_record(&self, index: u64) -> Error {
        Error::range(format!("record index out of range: {index}, of {} records", self.shape.len))
    }

    #[inline]
    fn span(&self, from: u64, to: u64) -> Result<(*const u8, usize)> {
        if from > to || to > self.shape.payload {
            return Err(Error::corrupt("a record ends before it begins, or past the last record"));
        }
        Ok((self.records.wrapping_add(from as usize), (to - from) as usize))
    }

    /// Appends record `index` to `out`. `Range` if there is none.
    #[inline]
    pub fn get(&self, index: u64, out: &mut Vec<u8>) -> Result<()> {
        self.get_within(index, usize::MAX, out)
    }

    /// The same, but returns `Full` if the record has more than `most` bytes, without allocating
    /// memory for more.
    #[inline]
    pub fn get_within(&self, index: u64, most: usize, out: &mut Vec<u8>) -> Result<()> {
        let (at, len) = self.find(index)?;
        self.decompress(at, len, most, out)
    }

    #[inline]
    fn decompress(&self, at: *const u8, len: usize, most: usize, out: &mut Vec<u8>) -> Result<()> {
        let longest = usize::try_from(self.shape.longest).unwrap_or(usize::MAX);
        let limit = longest.min(most);
        // SAFETY: `span` checked that the record is within the payload.
        let outcome = unsafe { self.dictionary.decompress_raw(Framing::Bare, at, len, limit, out) };
        // Exceeding the stored maximum is the region's fault, not the caller's.
        outcome.map_err(|error| match error.kind() {
            ErrorKind::Range if most < longest => Error::new(
                ErrorKind::Full,
                format!("the records have more than {most} bytes, the room available"),
            ),
            ErrorKind::Range => Error::corrupt("a record is longer than the header's maximum"),
            _ => error,
        })
    }

    /// Writes record `index` to `out`. Returns `None` if it has more than `limit` bytes; `out` then
    /// has unspecified contents.
    ///
    /// # Safety
    /// `out` is writable for `limit` and [`SLACK`](super::decode::SLACK) more bytes.
    #[inline]
    pub unsafe fn get_into(&self, index: u64, out: *mut u8, limit: usize) -> Result<Option<usize>> {
        let (at, len) = self.find(index)?;
        // SAFETY: `span` checked that the record is within the payload; the caller guarantees that
        // `out` is writable for `limit` and the slack.
        unsafe { self.decompress_into(at, len, out, limit) }
    }

    /// # Safety
    /// As for `get_into`; `at` is readable for `len` bytes.
    #[inline]
    unsafe fn decompress_into(
        &self,
        at: *const u8,
        len: usize,
        out: *mut u8,
        limit: usize,
    ) -> Result<Option<usize>> {
        let most = usize::try_from(self.shape.longest).unwrap_or(usize::MAX);
        // SAFETY: both ranges are guaranteed by the caller, and `limit` only shrinks.
        let made = unsafe { self.dictionary.decompress_into(Framing::Bare, at, len, out, limit.min(most)) }?;
        if made.is_none() && limit >= most {
            return Err(Error::corrupt("a record is longer than the header's maximum"));
        }
        Ok(made)
    }

    /// Appends the records at `indices` to `out`, one after another, and writes the end of each in
    /// `out` to `ends`. `Range`, before anything is appended, if an index is out of range or not an
    /// integer.
    pub fn get_many(&self, indices: &[f64], ends: &mut [f64], out: &mut Vec<u8>) -> Result<()> {
        self.get_many_within(indices, ends, usize::MAX, out)
    }

    /// The same, but returns `Full` if the records have more than `most` bytes together, without
    /// allocating memory for more.
    pub fn get_many_within(
        &self,
        indices: &[f64],
        ends: &mut [f64],
        most: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let begin = out.len();
        self.for_each_span(indices, ends, |at, len| {
            self.decompress(at, len, most - (out.len() - begin), out)?;
            Ok(Some(out.len()))
        })
        .map(drop)
    }

    /// Writes records to `out`, one after another, and the end of each to `ends`. Returns the
    /// number of bytes written, or `None` if `capacity` is less than that plus
    /// [`SLACK`](super::decode::SLACK); `out` and `ends` then have unspecified contents. Errors as
    /// for [`get_many`](Self::get_many).
    ///
    /// # Safety
    /// `out` is writable for `capacity` bytes.
    pub unsafe fn get_many_into(
        &self,
        indices: &[f64],
        ends: &mut [f64],
        out: *mut u8,
        capacity: usize,
    ) -> Result<Option<usize>> {
        let mut used = 0;
        let fits = self.for_each_span(indices, ends, |at, len| {
            let Some(limit) = capacity.checked_sub(used + SLACK) else { return Ok(None) };
            // SAFETY: `span` checked that the record is within the payload, and `used + limit +
            // SLACK` equals the capacity, which the caller guarantees to be writable.
            let made = unsafe { self.decompress_into(at, len, out.add(used), limit) }?;
            used += made.unwrap_or(0);
            Ok(made.map(|_| used))
        })?;
        Ok(fits.then_some(used))
    }

    /// Calls `read` with the address and length of each record. `read` returns the end of the
    /// record in the output, or `None` to stop. Returns whether all records were read.
    fn for_each_span(
        &self,
        indices: &[f64],
        ends: &mut [f64],
        mut read: impl FnMut(*const u8, usize) -> Result<Option<usize>>,
    ) -> Result<bool> {
        let len = self.shape.len as f64;
        if let Some(index) =
            indices.iter().find(|&&index| !(index >= 0.0 && index < len && index.trunc() == index))
        {
            return Err(Error::range(format!(
                "record index out of range: {index}, of {} records",
                self.shape.len
            )));
        }
        const BATCH: usize = 32;
        for (indices, ends) in indices.chunks(BATCH).zip(ends.chunks_mut(BATCH)) {
            let mut spans = [0u64; 2 * BATCH];
            for (pair, &index) in spans.chunks_exact_mut(2).zip(indices) {
                pair.copy_from_slice(&[index as u64, index as u64 + 1]);
            }
            // The cache misses of a batch overlap.
            let spans = &mut spans[..2 * indices.len()];
            self.offsets.at_batch(spans);
            for pair in spans.chunks_exact(2) {
                crate::cpu::prefetch(self.records.wrapping_add(pair[0].min(self.shape.payload) as usize));
            }
            for (pair, end) in spans.chunks_exact(2).zip(ends) {
                let (at, len) = self.span(pair[0], pair[1])?;
                match read(at, len)? {
                    Some(until) => *end = until as f64,
                    None => return Ok(false),
                }
            }
        }
        Ok(true)
    }

    /// Checks all contents: checksum, reserved words, dictionary, sequence, and that every record
    /// decompresses. O(bytes).
    pub fn validate(&self) -> Result<()> {
        StoreShape::verify(self.memory)?;
        self.dictionary.validate()?;
        self.offsets.prove()?;
        if self.offsets.at(0) != Some(0) {
            return Err(Error::corrupt("the first record does not begin at offset 0"));
        }
        let (mut out, mut total, mut longest) = (Vec::new(), 0, 0);
        for index in 0..self.shape.len {
            out.clear();
            self.get(index, &mut out)?;
            total += out.len() as u64;
            longest = longest.max(out.len() as u64);
        }
        if (total, longest) != (self.shape.total, self.shape.longest) {
            return Err(Error::corrupt("the lengths of the records do not match the header"));
        }
        let (records, end) = self.shape.layout();
        // SAFETY: all offsets are within the region.
        let stray =
            (records + self.shape.payload..end).any(|at| unsafe { self.memory.load_u8(at as usize) } != 0);
        if stray { Err(Error::corrupt("the bytes after the last record are not zero")) } else { Ok(()) }
    }
}

/// Compresses records one after another. It keeps only the compressed records in memory.
#[derive(Debug)]
pub struct StoreBuilder {
    dictionary: Dictionary,
    level: Level,
    scratch: Scratch,
    payload: Vec<u8>,
    ends: Vec<u64>,
    longest: u64,
    total: u64,
}

impl StoreBuilder {
    /// Creates a builder that compresses records with `dictionary`.
    #[must_use]
    pub fn new(dictionary: Dictionary, level: Level) -> StoreBuilder {
        let (payload, ends) = (Vec::new(), Vec::new());
        StoreBuilder { dictionary, level, scratch: Scratch::new(), payload, ends, longest: 0, total: 0 }
    }

    /// The number of records added so far.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.ends.len() as u64
    }

    /// Whether no record has been added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds a record. If this fails, nothing is added.
    pub fn push(&mut self, record: &[u8]) -> Result<()> {
        self.ends.try_reserve(1).map_err(|_| Error::oom("out of memory for the records"))?;
        let before = self.payload.len();
        let outcome =
            self.dictionary.compress(self.level, Framing::Bare, record, &mut self.scratch, &mut self.payload);
        if outcome.is_err() {
            self.payload.truncate(before);
            return outcome;
        }
        self.ends.push(self.payload.len() as u64);
        self.longest = self.longest.max(record.len() as u64);
        self.total += record.len() as u64;
        Ok(())
    }

    /// Compresses all records again with another dictionary if that makes `samples` at least 1/32
    /// smaller. Returns whether it did. If it fails, or the control asks it to stop, nothing has
    /// changed.
    pub fn adapt(
        &mut self,
        dictionary: Dictionary,
        samples: &[&[u8]],
        control: Option<&Control>,
    ) -> Result<bool> {
        let progress = Progress::new(control);
        progress.expect(self.len());
        let (mut own, mut others, mut out) = (0, 0, Vec::new());
        for (_, sample) in spread(samples, COMPARED) {
            for (by, sum) in [(&self.dictionary, &mut own), (&dictionary, &mut others)] {
                out.clear();
                by.compress(self.level, Framing::Bare, sample, &mut self.scratch, &mut out)?;
                *sum += out.len();
            }
        }
        if others + own / GAIN >= own {
            return Ok(false);
        }
        let longest = usize::try_from(self.longest).unwrap_or(usize::MAX);
        let mut made = StoreBuilder::new(dictionary, self.level);
        made.ends.try_reserve_exact(self.ends.len())?;
        let mut from = 0;
        for (number, &end) in self.ends.iter().enumerate() {
            out.clear();
            let packed = &self.payload[from..end as usize];
            self.dictionary.decompress(Framing::Bare, packed, longest, &mut out)?;
            made.push(&out)?;
            from = end as usize;
            if (number + 1).is_multiple_of(CONTROL_INTERVAL) && progress.advance(CONTROL_INTERVAL).is_err() {
                return Ok(false);
            }
        }
        *self = made;
        Ok(true)
    }

    /// The sizes of the store that `write` would make.
    #[must_use]
    pub fn shape(&self) -> StoreShape {
        StoreShape {
            len: self.len(),
            payload: self.payload.len() as u64,
            longest: self.longest,
            total: self.total,
            dictionary: self.dictionary.as_bytes().len() as u64,
        }
    }

    /// Writes the store's region into `len` bytes at `base`. `Range` if that is less than the
    /// shape's length.
    ///
    /// # Safety
    /// `base` is valid for writing `len` bytes that no other thread uses.
    pub unsafe fn write(&self, base: *mut u8, len: usize) -> Result<()> {
        // SAFETY: the caller guarantees that `len` bytes at `base` are writable.
        let memory = unsafe { Memory::new(base, len) }?;
        let shape = self.shape();
        let (records, length) = shape.layout();
        if length > len as u64 {
            return Err(Error::range(format!("the record store needs {length} bytes, not {len}")));
        }
        let dictionary = self.dictionary.as_bytes();
        // SAFETY: every section is within `length <= len` bytes.
        unsafe {
            memory.begin_region(Kind::RecordStore, length);
            memory.set_double_word(word::LENGTH, shape.len);
            memory.set_double_word(word::PAYLOAD, shape.payload);
            memory.set_double_word(word::LONGEST, shape.longest);
            memory.set_double_word(word::TOTAL, shape.total);
            memory.set_word(word::DICTIONARY, shape.dictionary as u32);
            memory.at(HEADER_BYTES).copy_from_nonoverlapping(dictionary.as_ptr(), dictionary.len());
            let offsets = shape.offsets();
            let layout = offsets.layout_at(HEADER_BYTES as u64 + shape.dictionary);
            let mut writer = Writer::new(memory, offsets, layout);
            writer.push(0);
            self.ends.iter().for_each(|&end| writer.push(end));
            writer.finish();
            let target = memory.at(records as usize);
            target.copy_from_nonoverlapping(self.payload.as_ptr(), self.payload.len());
            let rest = (length - records) as usize - self.payload.len();
            target.add(self.payload.len()).write_bytes(0, rest);
            memory.end_region();
        }
        Ok(())
    }

    /// Creates the store in memory of its own.
    pub fn finish(self) -> Result<RecordStore> {
        let length =
            usize::try_from(self.shape().length()).map_err(|_| Error::oom("out of memory for the store"))?;
        let memory = OwnedMemory::new(length)?;
        // SAFETY: this function owns the memory, which has `length` bytes.
        unsafe { self.write(memory.base(), length)? };
        drop(self);
        RecordStore::attach(memory)
    }
}

/// A store in memory of its own, for Rust programs.
#[derive(Debug)]
pub struct RecordStore {
    raw: RawRecordStore,
    memory: OwnedMemory,
}

impl RecordStore {
    /// Opens a store from a copy of its region.
    pub fn from_bytes(bytes: &[u8]) -> Result<RecordStore> {
        let memory = OwnedMemory::new(bytes.len())?;
        // SAFETY: this function owns the memory, which has `bytes.len()` bytes.
        unsafe { memory.base().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        RecordStore::attach(memory)
    }

    fn attach(memory: OwnedMemory) -> Result<RecordStore> {
        // SAFETY: all of the memory is initialized, and lives as long as the view, because both are
        // fields of one struct.
        let raw = unsafe { RawRecordStore::attach(memory.base(), memory.len()) }?;
        Ok(RecordStore { raw, memory })
    }

    /// The region, for example to be written to a file.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the region is within the memory and initialized.
        unsafe { std::slice::from_raw_parts(self.memory.base(), self.raw.shape.length() as usize) }
    }
}

impl std::ops::Deref for RecordStore {
    type Target = RawRecordStore;
    fn deref(&self) -> &RawRecordStore {
        &self.raw
    }
}
