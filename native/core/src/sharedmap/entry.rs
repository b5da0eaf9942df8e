//! Entries: their encoding in a block, and its inverse (`docs/formats/sharedmap.md`, "Entries").
//!
//! [`parse`] accepts any words: sizes are checked against the page, so nothing that follows from a
//! parsed entry leads outside the region or into an endless loop.

use super::layout::{Geometry, Schema};
use super::words::Words;
use crate::table::blob::{BYTES, Blob};
use crate::table::hash::Seeds;

/// Update counts of blocks that are not entries.
pub(crate) const FREE_BLOCK: u32 = 0xFF_FFFF;
pub(crate) const CHUNK: u32 = 0xFF_FFFE;
/// One unit of 8 bytes that is too small for a free block.
pub(crate) const FILLER: u32 = 0xFF_FFFD;
/// The bits of the update count.
pub(crate) const COUNT_MASK: u32 = 0xFF_FFFF;
/// The bits of the birth.
pub(crate) const BIRTH_MASK: u32 = (1 << 22) - 1;
/// Written since the snapshot began.
pub(crate) const NEW: u32 = 1 << 30;
/// The header is followed by flags.
pub(crate) const EXTENDED: u32 = 1 << 31;

/// The entry expires.
pub(crate) const EXPIRES: u32 = 1;
const LONG_KEY: u32 = 2;
const LONG_VALUE: u32 = 4;
/// The value is in chunks.
pub(crate) const CHAINED: u32 = 8;
/// A lease: the entry counts as absent.
pub(crate) const PENDING: u32 = 16;
const TYPE_SHIFT: u32 = 8;

/// The longest blob whose length is in the header.
const SHORT: u32 = 62;
/// In place of a length: it is in the extension.
const LONG: u32 = 63;

/// Words before the bytes of a chunk.
pub(crate) const CHUNK_HEADER: usize = 6;

/// A key.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Key<'a> {
    /// 4 bytes.
    Narrow(u32),
    /// 8 bytes.
    Wide(u64),
    /// Text or bytes.
    Blob(Blob<'a>),
}

impl Key<'_> {
    /// The hash.
    #[inline]
    pub(crate) fn hash(&self, seeds: &Seeds) -> u32 {
        match self {
            Key::Narrow(key) => seeds.narrow(*key),
            Key::Wide(key) => seeds.wide(*key),
            Key::Blob(blob) => seeds.blob(blob.content()),
        }
    }

    /// Bytes in an entry, without padding.
    pub(crate) fn length(&self) -> usize {
        match self {
            Key::Narrow(_) => 4,
            Key::Wide(_) => 8,
            Key::Blob(blob) => blob.content().len(),
        }
    }
}

/// A value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value<'a> {
    /// 4 bytes or less, as its bits.
    Narrow(u32),
    /// 8 bytes.
    Wide(u64),
    /// Text or bytes, with the head word of a blob.
    Blob {
        /// length × 4 + encoding
        head: u32,
        /// The bytes.
        bytes: &'a [u8],
    },
}

impl Value<'_> {
    /// Bytes in an entry, without padding.
    pub(crate) fn length(&self) -> usize {
        match self {
            Value::Narrow(_) => 4,
            Value::Wide(_) => 8,
            Value::Blob { bytes, .. } => bytes.len(),
        }
    }
}

/// What an entry is written from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) key: Key<'a>,
    pub(crate) value: Value<'a>,
    /// The type of the value in a map of mixed values.
    pub(crate) value_type: u32,
    /// Milliseconds since 1970; 0: never.
    pub(crate) expires_at: f64,
    pub(crate) is_pending: bool,
    pub(crate) birth: u32,
    pub(crate) count: u32,
    pub(crate) is_new: bool,
}

/// An encoded entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoded {
    /// The word of the first chunk's ref, if the value is chained.
    pub(crate) chain_at: Option<usize>,
}

impl Draft<'_> {
    /// Writes the words of the entry to `out`, which is emptied before. `checksum`: append one.
    pub(crate) fn encode(&self, schema: Schema, max_entry: usize, out: &mut Vec<u8>) -> Encoded {
        let whole = self.encode_as(schema, false, out);
        if out.len() <= max_entry || !matches!(self.value, Value::Blob { .. }) {
            return whole;
        }
        self.encode_as(schema, true, out)
    }

    fn encode_as(&self, schema: Schema, chained: bool, out: &mut Vec<u8>) -> Encoded {
        out.clear();
        let mut flags = 0;
        let key_head = match self.key {
            Key::Blob(blob) => blob.head(),
            _ => 0,
        };
        let value_head = match self.value {
            Value::Blob { head, .. } => head,
            _ => 0,
        };
        let byte = |head: u32, long: u32, flags: &mut u32| {
            if head >> 2 > SHORT {
                *flags |= long;
                LONG << 2 | head & 3
            } else {
                head
            }
        };
        let key_byte = byte(key_head, LONG_KEY, &mut flags);
        let value_byte = byte(value_head, LONG_VALUE, &mut flags);
        if self.expires_at > 0.0 {
            flags |= EXPIRES;
        }
        if chained {
            flags |= CHAINED;
        }
        if self.is_pending {
            flags |= PENDING;
        }
        flags |= self.value_type << TYPE_SHIFT;
        let mut put = |word: u32| out.extend_from_slice(&word.to_le_bytes());
        put(self.count & COUNT_MASK | key_byte << 24);
        let extended = if flags != 0 { EXTENDED } else { 0 };
        put(self.birth & BIRTH_MASK | value_byte << 22 | extended | if self.is_new { NEW } else { 0 });
        let mut words = 2;
        if flags != 0 {
            put(flags);
            words += 1;
            if flags & LONG_KEY != 0 {
                put(key_head);
                words += 1;
            }
            if flags & LONG_VALUE != 0 {
                put(value_head);
                words += 1;
            }
            if flags & EXPIRES != 0 {
                let bits = self.expires_at.to_bits();
                put(bits as u32);
                put((bits >> 32) as u32);
                words += 2;
            }
            if words % 2 == 1 {
                put(0);
            }
        }
        match self.value {
            Value::Narrow(value) => put(value),
            Value::Wide(value) => out.extend_from_slice(&value.to_le_bytes()),
            Value::Blob { .. } => {}
        }
        match self.key {
            Key::Narrow(key) => out.extend_from_slice(&key.to_le_bytes()),
            Key::Wide(key) => out.extend_from_slice(&key.to_le_bytes()),
            Key::Blob(blob) => put_padded(blob.content(), out),
        }
        let mut chain_at = None;
        if let Value::Blob { bytes, .. } = self.value {
            if chained {
                chain_at = Some(out.len() / 4);
                out.extend_from_slice(&[0; 4]);
            } else {
                put_padded(bytes, out);
            }
        }
        if schema.has_checksums() {
            let chain = match self.value {
                Value::Blob { bytes, .. } if chained => bytes,
                _ => &[],
            };
            let sum = checksum(out, chain);
            out.extend_from_slice(&sum.to_le_bytes());
        }
        if !out.len().is_multiple_of(8) {
            out.extend_from_slice(&[0; 4]);
        }
        Encoded { chain_at }
    }
}

/// The checksum of an entry's words, in which the ref of a chain is 0, and of a chained value.
fn checksum(entry: &[u8], chain: &[u8]) -> u32 {
    let mut sum = crc32c::crc32c(&entry[..4]);
    let mut second = [0; 4];
    second.copy_from_slice(&entry[4..8]);
    let second = u32::from_le_bytes(second) & !NEW;
    sum = crc32c::crc32c_append(sum, &second.to_le_bytes());
    sum = crc32c::crc32c_append(sum, &entry[8..]);
    crc32c::crc32c_append(sum, chain)
}

fn put_padded(bytes: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(bytes);
    out.resize(out.len().next_multiple_of(4), 0);
}

/// A parsed entry. Positions are in words of the region.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Entry {
    /// First word.
    pub(crate) at: usize,
    /// Size of the block, divided by 8.
    pub(crate) units: u32,
    pub(crate) flags: u32,
    pub(crate) count: u32,
    pub(crate) birth: u32,
    pub(crate) is_new: bool,
    pub(crate) key_at: usize,
    /// 0 for keys of fixed size.
    pub(crate) key_head: u32,
    pub(crate) key_length: usize,
    /// The value, or the word with the ref of its first chunk.
    pub(crate) value_at: usize,
    /// 0 for values of fixed size.
    pub(crate) value_head: u32,
    pub(crate) value_length: usize,
    /// The word of the checksum.
    pub(crate) checksum_at: usize,
    pub(crate) expires_at: f64,
}

impl Entry {
    pub(crate) fn is_chained(&self) -> bool {
        self.flags & CHAINED != 0
    }

    /// Size of the block and of the chunks, divided by 8.
    pub(crate) fn all_units(&self) -> u32 {
        let chunks = if self.is_chained() { self.value_length / 8 } else { 0 };
        self.units.saturating_add(chunks as u32)
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.flags & PENDING != 0
    }

    /// The type of the value in a map of mixed values.
    pub(crate) fn value_type(&self) -> u32 {
        self.flags >> TYPE_SHIFT & 0xFF
    }

    /// Whether the entry has expired.
    pub(crate) fn is_expired(&self, now: f64) -> bool {
        self.flags & EXPIRES != 0 && self.expires_at <= now
    }

    /// Birth and update count as one number.
    pub(crate) fn version(&self) -> u64 {
        u64::from(self.birth) << 24 | u64::from(self.count)
    }

    /// The ref of the block.
    pub(crate) fn reference(&self) -> u32 {
        (self.at / 2) as u32
    }
}

/// The entry at a ref. `None` if the words cannot be one.
#[inline]
pub(crate) fn parse(words: Words, geometry: &Geometry, reference: u32) -> Option<Entry> {
    let at = reference as usize * 2;
    let (first, second) = (words.load(at), words.load(at + 1));
    let count = first & COUNT_MASK;
    if count == 0 || count >= FILLER {
        return None;
    }
    let (mut key_head, mut value_head) = (first >> 24, second >> 22 & 0xFF);
    let (mut flags, mut expires_at) = (0, 0.0);
    let mut next = at + 2;
    if second & EXTENDED != 0 {
        flags = words.load(next);
        next += 1;
        if flags & LONG_KEY != 0 {
            key_head = words.load(next);
            next += 1;
        }
        if flags & LONG_VALUE != 0 {
            value_head = words.load(next);
            next += 1;
        }
        if flags & EXPIRES != 0 {
            expires_at = f64::from_bits(u64::from(words.load(next)) | u64::from(words.load(next + 1)) << 32);
            next += 2;
        }
        next += (next - at) % 2;
    }
    let schema = geometry.schema;
    let mut value_at = next;
    let mut value_length = (value_head >> 2) as usize;
    if let Some(width) = schema.value_width() {
        value_length = width;
        value_head = 0;
        next += width / 4;
    }
    let key_at = next;
    let key_length = match schema.key_width() {
        Some(width) => {
            key_head = 0;
            width
        }
        None => (key_head >> 2) as usize,
    };
    next += key_length.div_ceil(4);
    if schema.value_width().is_none() {
        value_at = next;
        next += if flags & CHAINED != 0 { 1 } else { value_length.div_ceil(4) };
    }
    let checksum_at = next;
    if schema.has_checksums() {
        next += 1;
    }
    let size = next - at;
    if size > geometry.page_words() || next > words.count() {
        return None;
    }
    Some(Entry {
        at,
        units: size.div_ceil(2) as u32,
        flags,
        count,
        birth: second & BIRTH_MASK,
        is_new: second & NEW != 0,
        key_at,
        key_head,
        key_length,
        value_at,
        value_head,
        value_length,
        checksum_at,
        expires_at,
    })
}

/// Whether the entry has this key.
#[inline]
pub(crate) fn has_key(words: Words, entry: &Entry, key: &Key<'_>) -> bool {
    match key {
        Key::Narrow(key) => words.load(entry.key_at) == *key,
        Key::Wide(key) => {
            words.load(entry.key_at) == *key as u32 && words.load(entry.key_at + 1) == (*key >> 32) as u32
        }
        Key::Blob(blob) => entry.key_head == blob.head() && words.equals(entry.key_at, blob.content()),
    }
}

/// The hash of the entry's key. `scratch` is overwritten.
pub(crate) fn hash_of(
    words: Words,
    schema: Schema,
    entry: &Entry,
    seeds: &Seeds,
    scratch: &mut Vec<u8>,
) -> u32 {
    match schema.key_width() {
        Some(4) => seeds.narrow(words.load(entry.key_at)),
        Some(_) => {
            let (low, high) = (words.load(entry.key_at), words.load(entry.key_at + 1));
            seeds.wide(u64::from(low) | u64::from(high) << 32)
        }
        None => {
            scratch.clear();
            words.read_bytes(entry.key_at, entry.key_length, scratch);
            seeds.blob(scratch)
        }
    }
}

/// Appends the bytes of a value to `out`, which has room for them. `false` if a chain is not as
/// long as the value.
pub(crate) fn read_value(words: Words, entry: &Entry, out: &mut Vec<u8>) -> bool {
    if !entry.is_chained() {
        words.read_bytes(entry.value_at, entry.value_length, out);
        return true;
    }
    let end = out.len() + entry.value_length;
    let mut chunk = words.load(entry.value_at);
    while out.len() < end {
        let at = chunk as usize * 2;
        let bytes = words.load(at + 4) as usize;
        if words.load(at) != CHUNK || bytes == 0 || bytes > end - out.len() {
            return false;
        }
        words.read_bytes(at + CHUNK_HEADER, bytes, out);
        chunk = words.load(at + 3);
    }
    true
}

/// Whether the checksum of an entry is right; `true` in maps without. `scratch` is overwritten.
/// Allocation failures count as wrong.
pub(crate) fn verify(words: Words, schema: Schema, entry: &Entry, scratch: &mut Vec<u8>) -> bool {
    if !schema.has_checksums() {
        return true;
    }
    scratch.clear();
    let own = (entry.checksum_at - entry.at) * 4;
    let chain = if entry.is_chained() { entry.value_length } else { 0 };
    if chain > words.count() * 4 || scratch.try_reserve(own + chain).is_err() {
        return false;
    }
    words.read_bytes(entry.at, own, scratch);
    if entry.is_chained() {
        scratch[own - 4..].fill(0);
        if !read_value(words, entry, scratch) {
            return false;
        }
    }
    let (entry_bytes, chain) = scratch.split_at(own);
    checksum(entry_bytes, chain) == words.load(entry.checksum_at)
}

/// The head of a value that is not text.
#[must_use]
pub fn bytes_head(length: usize) -> u32 {
    (length as u32) << 2 | BYTES
}
