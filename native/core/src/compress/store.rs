//! Many records, compressed one by one, each readable on its own: a region of a dictionary, where
//! each record begins (an Elias-Fano sequence, about a byte a record), and the records.
//!
//! `docs/formats/compress.md` specifies the bytes. They never change once written, so any number of
//! threads may read them. Cost of a read: two queries of the sequence, some 50 ns in cache, and
//! decompressing.

use super::decode::SLACK;
use super::dictionary::{Dictionary, Level};
use super::encode::{Framing, Scratch};
use super::train::thin;
use crate::region::control::{Control, Progress};
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::region::owned::OwnedMemory;
use crate::succinct::eliasfano::RawEliasFano;
use crate::succinct::eliasfano::Writer;
use crate::succinct::eliasfano::layout::Shape;
use crate::{Error, ErrorKind, Result};

/// Bytes of samples that two dictionaries are compared by, and what part of them the other one must
/// save.
const COMPARED: usize = 2 << 20;
const GAIN: usize = 32;
/// Records between two looks at the control.
const LOOK_EVERY: usize = 256;
/// The most bytes of compressed records.
const MAX_PAYLOAD: u64 = 1 << 48;

/// Indices of the words that this kind owns in the region's header.
pub mod word {
    /// How many records (two words).
    pub const LENGTH: usize = 16;
    /// Bytes of the compressed records (two words).
    pub const PAYLOAD: usize = 18;
    /// Bytes of the longest record, not compressed (two words).
    pub const LONGEST: usize = 20;
    /// Bytes of all records, not compressed (two words).
    pub const TOTAL: usize = 22;
    /// Bytes of the dictionary's region.
    pub const DICTIONARY: usize = 24;
    /// The first word after those: it and the rest are zero.
    pub const END: usize = 25;
}

/// What a store holds, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreShape {
    /// How many records.
    pub len: u64,
    /// Bytes of the compressed records.
    pub payload: u64,
    /// Bytes of the longest record, not compressed.
    pub longest: u64,
    /// Bytes of all records, not compressed.
    pub total: u64,
    /// Bytes of the dictionary's region.
    pub dictionary: u64,
}

impl StoreShape {
    fn offsets(&self) -> Shape {
        Shape { len: self.len + 1, max: self.payload }
    }

    /// Where the records begin, and the region ends.
    fn places(&self) -> (u64, u64) {
        let records = self.offsets().layout_at(HEADER_BYTES as u64 + self.dictionary).length;
        (records, align(records + self.payload))
    }

    /// Bytes of the region.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.places().1
    }

    fn read(memory: Memory) -> Result<(Header, StoreShape)> {
        let header = Header::read(memory, Kind::RecordStore)?;
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
            && shape.dictionary >= HEADER_BYTES as u64
            && shape.length() == header.length();
        if !possible {
            return Err(Error::corrupt("a record store whose parts do not make its length"));
        }
        Ok((header, shape))
    }
}

/// A store in memory that someone else owns, with its dictionary prepared. Any number of threads
/// may use one.
#[derive(Debug)]
pub struct RawRecordStore {
    shape: StoreShape,
    memory: Memory,
    offsets: RawEliasFano,
    records: *const u8,
    dictionary: Dictionary,
}

// SAFETY: it reads memory whose owner vouched that it may be read while this lives, from wherever.
unsafe impl Send for RawRecordStore {}
// SAFETY: as above; nothing is written.
unsafe impl Sync for RawRecordStore {}

impl RawRecordStore {
    /// Attaches to the region in `len` bytes at `base`: checks the header, copies and prepares the
    /// dictionary. No record is looked at.
    ///
    /// # Safety
    /// While this is used, `base` is valid for reading `len` bytes.
    pub unsafe fn attach(base: *const u8, len: usize) -> Result<RawRecordStore> {
        // SAFETY: the caller's word. Nothing is written.
        let memory = unsafe { Memory::new(base.cast_mut(), len) }?;
        let (_, shape) = StoreShape::read(memory)?;
        // SAFETY: a checked shape's sections lie within the memory.
        unsafe {
            let dictionary = Dictionary::copy_from(memory.at(HEADER_BYTES), shape.dictionary as usize)?;
            if dictionary.as_bytes().len() as u64 != shape.dictionary {
                return Err(Error::corrupt("a record store whose dictionary is shorter than it says"));
            }
            let offsets =
                RawEliasFano::within(memory, HEADER_BYTES as u64 + shape.dictionary, shape.offsets());
            let records = memory.at(shape.places().0 as usize);
            Ok(RawRecordStore { shape, memory, offsets, records, dictionary })
        }
    }

    /// What it holds.
    #[must_use]
    pub fn shape(&self) -> StoreShape {
        self.shape
    }

    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.shape.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shape.len == 0
    }

    /// The address and length of the memory it was attached to.
    #[must_use]
    pub fn memory(&self) -> (*const u8, usize) {
        (self.memory.base(), self.memory.len())
    }

    /// Its dictionary.
    #[must_use]
    pub fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// Where a compressed record is, and how long.
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
        Error::range(format!("record {index} of {}", self.shape.len))
    }

    #[inline]
    fn span(&self, from: u64, to: u64) -> Result<(*const u8, usize)> {
        if from > to || to > self.shape.payload {
            return Err(Error::corrupt("a record that begins behind its end"));
        }
        Ok((self.records.wrapping_add(from as usize), (to - from) as usize))
    }

    /// Appends record `index` to `out`. `Range` if there is none.
    #[inline]
    pub fn get(&self, index: u64, out: &mut Vec<u8>) -> Result<()> {
        self.get_within(index, usize::MAX, out)
    }

    /// The same, but `Full` where it has more than `most` bytes, without taking memory for more.
    #[inline]
    pub fn get_within(&self, index: u64, most: usize, out: &mut Vec<u8>) -> Result<()> {
        let (at, len) = self.find(index)?;
        self.unpack(at, len, most, out)
    }

    #[inline]
    fn unpack(&self, at: *const u8, len: usize, most: usize, out: &mut Vec<u8>) -> Result<()> {
        let longest = usize::try_from(self.shape.longest).unwrap_or(usize::MAX);
        let limit = longest.min(most);
        // SAFETY: the span was checked to lie within the records.
        let outcome = unsafe { self.dictionary.decompress_raw(Framing::Bare, at, len, limit, out) };
        // More than the longest is the region's fault, not the caller's.
        outcome.map_err(|error| match error.kind() {
            ErrorKind::Range if most < longest => Error::new(
                ErrorKind::Full,
                format!("records of more bytes than the {most} there is room for"),
            ),
            ErrorKind::Range => Error::corrupt("a record longer than the longest"),
            _ => error,
        })
    }

    /// Writes record `index` to `out`. `None`, with anything in `out`, if it has more than `limit`
    /// bytes.
    ///
    /// # Safety
    /// `out` is writable for `limit` and [`SLACK`](super::decode::SLACK) more bytes.
    #[inline]
    pub unsafe fn get_into(&self, index: u64, out: *mut u8, limit: usize) -> Result<Option<usize>> {
        let (at, len) = self.find(index)?;
        // SAFETY: the span was checked to lie within the records; the rest is the caller's word.
        unsafe { self.unpack_into(at, len, out, limit) }
    }

    /// # Safety
    /// As for `get_into`; `at` is readable for `len` bytes.
    #[inline]
    unsafe fn unpack_into(
        &self,
        at: *const u8,
        len: usize,
        out: *mut u8,
        limit: usize,
    ) -> Result<Option<usize>> {
        let most = usize::try_from(self.shape.longest).unwrap_or(usize::MAX);
        // SAFETY: the caller's word.
        let made = unsafe { self.dictionary.decompress_into(Framing::Bare, at, len, out, limit.min(most)) }?;
        if made.is_none() && limit >= most {
            return Err(Error::corrupt("a record longer than the longest"));
        }
        Ok(made)
    }

    /// Appends records one after another to `out`, and writes where each ends in it to `ends`.
    /// `Range`, before anything is appended, if one of them does not exist. Indices are whole
    /// numbers.
    pub fn get_many(&self, indices: &[f64], ends: &mut [f64], out: &mut Vec<u8>) -> Result<()> {
        self.get_many_within(indices, ends, usize::MAX, out)
    }

    /// The same, but `Full` where they have more than `most` bytes together, without taking memory
    /// for more.
    pub fn get_many_within(
        &self,
        indices: &[f64],
        ends: &mut [f64],
        most: usize,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let begin = out.len();
        self.each_of(indices, ends, |at, len| {
            self.unpack(at, len, most - (out.len() - begin), out)?;
            Ok(Some(out.len()))
        })
        .map(drop)
    }

    /// Writes records one after another to `out`, and where each ends in it to `ends`; returns how
    /// many bytes they have. `None`, with anything in both, if there is no room for them with
    /// [`SLACK`](super::decode::SLACK) bytes behind them. Errors as for
    /// [`get_many`](Self::get_many).
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
        let fits = self.each_of(indices, ends, |at, len| {
            let Some(limit) = capacity.checked_sub(used + SLACK) else { return Ok(None) };
            // SAFETY: a span was checked to lie within the records; what is used is less than the
            // capacity.
            let made = unsafe { self.unpack_into(at, len, out.add(used), limit) }?;
            used += made.unwrap_or(0);
            Ok(made.map(|_| used))
        })?;
        Ok(fits.then_some(used))
    }

    /// Reads the records at `indices`: `read` gets where each is, and says where it ends in the
    /// output; `None` ends it.
    fn each_of(
        &self,
        indices: &[f64],
        ends: &mut [f64],
        mut read: impl FnMut(*const u8, usize) -> Result<Option<usize>>,
    ) -> Result<bool> {
        let len = self.shape.len as f64;
        if let Some(index) =
            indices.iter().find(|&&index| !(index >= 0.0 && index < len && index.trunc() == index))
        {
            return Err(Error::range(format!("record {index} of {}", self.shape.len)));
        }
        const BATCH: usize = 32;
        for (indices, ends) in indices.chunks(BATCH).zip(ends.chunks_mut(BATCH)) {
            let mut spans = [0u64; 2 * BATCH];
            for (pair, &index) in spans.chunks_exact_mut(2).zip(indices) {
                pair.copy_from_slice(&[index as u64, index as u64 + 1]);
            }
            // Their waits for memory overlap.
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

    /// Proves the contents: checksum, reserved words, dictionary, the sequence, and that every
    /// record decompresses. O(bytes).
    pub fn validate(&self) -> Result<()> {
        let (header, _) = StoreShape::read(self.memory)?;
        header.verify_checksum(self.memory, word::END)?;
        self.dictionary.validate()?;
        self.offsets.prove()?;
        if self.offsets.at(0) != Some(0) {
            return Err(Error::corrupt("the first record does not begin at the first byte"));
        }
        let (mut out, mut total, mut longest) = (Vec::new(), 0, 0);
        for index in 0..self.shape.len {
            out.clear();
            self.get(index, &mut out)?;
            total += out.len() as u64;
            longest = longest.max(out.len() as u64);
        }
        if (total, longest) != (self.shape.total, self.shape.longest) {
            return Err(Error::corrupt("records of other lengths than the header says"));
        }
        let (records, end) = self.shape.places();
        // SAFETY: within the region.
        let stray =
            (records + self.shape.payload..end).any(|at| unsafe { self.memory.load_u8(at as usize) } != 0);
        if stray { Err(Error::corrupt("bytes behind the last record that are not zero")) } else { Ok(()) }
    }
}

/// Compresses records one after another. What it holds is what is compressed so far, never what was
/// given.
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
    /// For records to be compressed with this dictionary.
    #[must_use]
    pub fn new(dictionary: Dictionary, level: Level) -> StoreBuilder {
        let (payload, ends) = (Vec::new(), Vec::new());
        StoreBuilder { dictionary, level, scratch: Scratch::new(), payload, ends, longest: 0, total: 0 }
    }

    /// How many records it has.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.ends.len() as u64
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Adds a record. Nothing is added where this fails.
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

    /// Compresses all records anew with another dictionary, if that makes `samples` of them at
    /// least a thirty-second smaller; says whether it did. Nothing has changed where it fails, or
    /// the control asked it to stop.
    pub fn adapt(
        &mut self,
        dictionary: Dictionary,
        samples: &[&[u8]],
        control: Option<&Control>,
    ) -> Result<bool> {
        let progress = Progress::new(control);
        progress.expect(self.len());
        let (mut own, mut others, mut out) = (0, 0, Vec::new());
        for (_, sample) in thin(samples, COMPARED) {
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
            if (number + 1).is_multiple_of(LOOK_EVERY) && progress.advance(LOOK_EVERY).is_err() {
                return Ok(false);
            }
        }
        *self = made;
        Ok(true)
    }

    /// What the store will be.
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

    /// Writes the store's region into `len` bytes at `base`, at least as many as the shape's
    /// length.
    ///
    /// # Safety
    /// `base` is valid for writing `len` bytes that no other thread uses.
    pub unsafe fn write(&self, base: *mut u8, len: usize) -> Result<()> {
        // SAFETY: the caller's word.
        let memory = unsafe { Memory::new(base, len) }?;
        let shape = self.shape();
        let (records, length) = shape.places();
        if length > len as u64 {
            return Err(Error::range(format!("a region of {length} bytes does not fit {len}")));
        }
        let dictionary = self.dictionary.as_bytes();
        // SAFETY: every section lies within the memory, as was just checked.
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

    /// The store, in memory of its own.
    pub fn finish(self) -> Result<RecordStore> {
        let length =
            usize::try_from(self.shape().length()).map_err(|_| Error::oom("out of memory for the store"))?;
        let memory = OwnedMemory::new(length)?;
        // SAFETY: the memory is ours, and as long as it says.
        unsafe { self.write(memory.base(), length)? };
        drop(self);
        RecordStore::attach(memory)
    }
}

/// A store for Rust programs, in memory of its own.
#[derive(Debug)]
pub struct RecordStore {
    raw: RawRecordStore,
    memory: OwnedMemory,
}

impl RecordStore {
    /// A copy of a region's bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<RecordStore> {
        let memory = OwnedMemory::new(bytes.len())?;
        // SAFETY: the memory is ours, and as long as the bytes.
        unsafe { memory.base().copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) };
        RecordStore::attach(memory)
    }

    fn attach(memory: OwnedMemory) -> Result<RecordStore> {
        // SAFETY: the memory lives as long as the view, which stands beside it, and was written.
        let raw = unsafe { RawRecordStore::attach(memory.base(), memory.len()) }?;
        Ok(RecordStore { raw, memory })
    }

    /// The region: what to write to a file, or hand to JavaScript.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: the region lies in the memory, all of it was written.
        unsafe { std::slice::from_raw_parts(self.memory.base(), self.raw.shape.length() as usize) }
    }
}

impl std::ops::Deref for RecordStore {
    type Target = RawRecordStore;
    fn deref(&self) -> &RawRecordStore {
        &self.raw
    }
}
