//! Finding earlier occurrences of the current bytes, in the dictionary's content or in the record.

use super::memory::try_vec;
use super::symbols::MAX_MATCH;
use crate::{Error, ErrorKind, Result};

/// The shortest match searched for in the content. Phrases cover shorter texts.
pub(crate) const MIN_CONTENT: usize = 5;
/// The shortest match searched for in the record.
pub(crate) const MIN_SELF: usize = 4;
const NONE: u32 = u32::MAX;

#[inline(always)]
pub(crate) fn load(text: &[u8], at: usize) -> u64 {
    debug_assert!(at + 8 <= text.len());
    // SAFETY: all callers ensure `at + 8 <= text.len()`.
    u64::from_le(unsafe { text.as_ptr().add(at).cast::<u64>().read_unaligned() })
}

/// Hashes the low `bytes` bytes of a word to `bits` bits (Fibonacci hashing).
#[inline(always)]
fn hash(word: u64, bytes: usize, bits: u32) -> usize {
    ((word << (64 - 8 * bytes)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - bits)) as usize
}

/// The number of equal bytes, at most `limit`. Both texts have at least `limit` bytes.
#[inline(always)]
pub(crate) fn common(a: &[u8], at: usize, b: &[u8], bt: usize, limit: usize) -> usize {
    let mut len = 0;
    while len + 8 <= limit {
        let differ = load(a, at + len) ^ load(b, bt + len);
        if differ != 0 {
            return len + (differ.trailing_zeros() / 8) as usize;
        }
        len += 8;
    }
    while len < limit && a[at + len] == b[bt + len] {
        len += 1;
    }
    len
}

/// A hash index of the content for fast lookups. A bucket contains the last four positions of its
/// strings. A separate table has another byte of each string's hash, so that one lookup in a table
/// that fits the nearer caches rejects nearly all strings that do not match.
#[derive(Debug)]
pub(crate) struct ContentBuckets {
    /// Four tags per bucket, that of the last position in the low byte.
    tags: Vec<u32>,
    positions: Vec<[u32; BUCKET]>,
    bits: u32,
    /// The length of a string, at least eight bytes.
    bytes: usize,
}

/// The number of positions in a bucket.
const BUCKET: usize = 4;
impl ContentBuckets {
    /// Indexes strings of `bytes` bytes, at least eight.
    pub(crate) fn new(content: &[u8], bytes: usize) -> Result<ContentBuckets> {
        let bits = (content.len().max(2).ilog2() - 1).clamp(6, 20);
        let mut tags = try_vec(1 << bits, 0)?;
        let mut positions = try_vec(1 << bits, [NONE; BUCKET])?;
        for at in 0..(content.len() + 1).saturating_sub(bytes) {
            let both = load(content, at) ^ load(content, at + bytes - 8).rotate_left(29);
            let (bucket, tag) = Self::bucket_of(both, bits);
            tags[bucket] = tags[bucket] << 8 | tag;
            positions[bucket].copy_within(..BUCKET - 1, 1);
            positions[bucket][0] = at as u32;
        }
        Ok(ContentBuckets { tags, positions, bits, bytes })
    }

    /// The bucket and the tag of a string. `both` combines its first and its last eight bytes.
    #[inline(always)]
    fn bucket_of(both: u64, bits: u32) -> (usize, u32) {
        let both = hash(both, 8, bits + 8);
        (both >> 8, both as u32 & 255)
    }

    /// The number of positions in a text at which a whole string begins.
    #[inline(always)]
    pub(crate) fn strings(&self, text: &[u8]) -> usize {
        (text.len() + 1).saturating_sub(self.bytes)
    }

    /// The bucket of the string at `at`, which must be whole and begin with `word`, and the
    /// positions in it whose tags match: the highest bit of one byte for each.
    #[inline(always)]
    pub(crate) fn hits(&self, text: &[u8], at: usize, word: u64) -> (usize, u32) {
        let both = word ^ load(text, at + self.bytes - 8).rotate_left(29);
        let (bucket, tag) = Self::bucket_of(both, self.bits);
        // If a tag matches, the positions are read next.
        crate::cpu::prefetch(self.positions.as_ptr().wrapping_add(bucket).cast());
        // SAFETY: a bucket index is less than 2^bits, the number of buckets.
        let differ = unsafe { self.tags.get_unchecked(bucket) } ^ (tag * 0x0101_0101);
        (bucket, differ.wrapping_sub(0x0101_0101) & !differ & 0x8080_8080)
    }

    /// The longest match of the string at `at` among the first `candidates` of a bucket's `hits`:
    /// length and position. The length is 0 if there is none.
    #[inline(always)]
    pub(crate) fn longest(
        &self,
        content: &[u8],
        text: &[u8],
        at: usize,
        (bucket, mut hits): (usize, u32),
        candidates: usize,
    ) -> (usize, usize) {
        let (mut best, mut position) = (0, 0);
        for _ in 0..candidates {
            if hits == 0 {
                break;
            }
            let from = self.positions[bucket][(hits.trailing_zeros() / 8) as usize] as usize;
            hits &= hits - 1;
            // A tag may match by chance, even that of an empty slot.
            if from + 8 <= content.len() {
                let limit = (content.len() - from).min(text.len() - at).min(MAX_MATCH);
                let len = common(content, from, text, at, limit);
                if len > best {
                    (best, position) = (len, from);
                }
            }
        }
        if best < MIN_CONTENT { (0, 0) } else { (best, position) }
    }
}

/// Hash chains over the content, from the last position of a hash to the first.
#[derive(Debug)]
pub(crate) struct ContentIndex {
    heads: Vec<u32>,
    chain: Vec<u32>,
    bits: u32,
}

impl ContentIndex {
    pub(crate) fn new(content: &[u8]) -> Result<ContentIndex> {
        let bits = (content.len().max(2).ilog2() + 1).clamp(8, 20);
        let mut index =
            ContentIndex { heads: try_vec(1 << bits, NONE)?, chain: try_vec(content.len(), NONE)?, bits };
        for at in 0..content.len().saturating_sub(7) {
            let head = &mut index.heads[hash(load(content, at), MIN_CONTENT, bits)];
            index.chain[at] = *head;
            *head = at as u32;
        }
        Ok(index)
    }

    /// The longest match of at least [`MIN_CONTENT`] bytes among `depth` candidates that does not
    /// overlap a `banned` range: length and position.
    #[inline(always)]
    pub(crate) fn find(
        &self,
        content: &[u8],
        text: &[u8],
        at: usize,
        depth: usize,
        banned: &[(u32, u32)],
    ) -> (usize, usize) {
        if at + 8 > text.len() {
            return (0, 0);
        }
        let word = load(text, at);
        let mut candidate = self.heads[hash(word, MIN_CONTENT, self.bits)];
        let (mut best, mut position) = (MIN_CONTENT - 1, 0);
        for _ in 0..depth {
            if candidate == NONE {
                break;
            }
            let from = candidate as usize;
            candidate = self.chain[from];
            if (load(content, from) ^ word) << (64 - 8 * MIN_CONTENT) != 0 {
                continue;
            }
            let limit = (content.len() - from).min(text.len() - at).min(MAX_MATCH);
            let len = common(content, from, text, at, limit);
            let overlaps = |&(a, b): &(u32, u32)| from < b as usize && from + len > a as usize;
            if len > best && !banned.iter().any(overlaps) {
                (best, position) = (len, from);
            }
        }
        if best < MIN_CONTENT { (0, 0) } else { (best, position) }
    }
}

/// Hash chains over the current record. Stored positions increase from record to record, so that
/// the heads need not be cleared.
#[derive(Debug)]
pub(crate) struct SelfIndex {
    heads: Vec<u32>,
    chain: Vec<u32>,
    /// The stored value of this record's position 0; at least 1.
    base: u32,
    bits: u32,
    /// The length of a string for [`swap`](Self::swap).
    bytes: usize,
    /// The first position that is not indexed yet.
    next: usize,
}

impl SelfIndex {
    pub(crate) const fn new() -> SelfIndex {
        SelfIndex { heads: Vec::new(), chain: Vec::new(), base: 1, bits: 0, bytes: MIN_SELF, next: 0 }
    }

    /// Starts a record of `len` bytes, less than 2^31.
    pub(crate) fn begin(&mut self, len: usize) -> Result<()> {
        if self.chain.len() < len {
            let more = len - self.chain.len();
            self.chain
                .try_reserve(more)
                .map_err(|_| Error::new(ErrorKind::Oom, "out of memory for compression"))?;
            self.chain.resize(len, 0);
        }
        self.begin_heads((len.max(2).ilog2() + 1).clamp(8, 17))
    }

    /// The same for an index that is used through [`swap`](Self::swap) only, with strings of
    /// `bytes` bytes, 4 to 8.
    #[inline(always)]
    pub(crate) fn begin_sparse(&mut self, len: usize, bytes: usize) -> Result<()> {
        self.bytes = bytes;
        self.begin_heads(len.max(2).ilog2().clamp(8, 15))
    }

    #[inline(always)]
    fn begin_heads(&mut self, bits: u32) -> Result<()> {
        let passed = self.next as u32;
        self.next = 0;
        self.bits = bits;
        if self.heads.len() >> bits == 0 {
            // If the allocation fails, the old heads must not be taken for positions in another
            // record.
            self.heads = Vec::new();
            self.heads = try_vec(1 << bits, 0)?;
            self.base = 1;
        } else if self.base.checked_add(passed).is_some_and(|base| base < 1 << 31) {
            self.base += passed;
        } else {
            self.heads.fill(0);
            self.base = 1;
        }
        Ok(())
    }

    /// Indexes all positions before `at`.
    #[inline(always)]
    pub(crate) fn advance(&mut self, text: &[u8], at: usize) {
        let end = at.min(text.len().saturating_sub(7));
        while self.next < end {
            let head = &mut self.heads[hash(load(text, self.next), MIN_SELF, self.bits)];
            self.chain[self.next] = *head;
            *head = self.base + self.next as u32;
            self.next += 1;
        }
    }

    /// Indexes the string at `at`, which begins with `word`. Returns the distance of the last equal
    /// string, or 0.
    #[inline(always)]
    pub(crate) fn swap(&mut self, text: &[u8], at: usize, word: u64) -> usize {
        // SAFETY: a hash is less than 2^bits, and there are at least that many heads.
        let head = unsafe { self.heads.get_unchecked_mut(hash(word, self.bytes, self.bits)) };
        let before = std::mem::replace(head, self.base + at as u32);
        self.next = at + 1;
        let from = before.wrapping_sub(self.base) as usize;
        let like = from < at && (load(text, from) ^ word) << (64 - 8 * self.bytes) == 0;
        if like { at - from } else { 0 }
    }

    /// Indexes the first and the last `few` strings of a match, because other matches begin there.
    #[inline(always)]
    pub(crate) fn add_edges(&mut self, text: &[u8], at: usize, len: usize, few: usize) {
        let end = (at + len).min(text.len().saturating_sub(7));
        let few = few.min(end.saturating_sub(at) / 2);
        for at in (at + 1..at + 1 + few).chain(end - few..end) {
            self.swap(text, at, load(text, at));
        }
    }

    /// The longest match of at least [`MIN_SELF`] bytes among `depth` candidates: length and
    /// distance.
    #[inline(always)]
    pub(crate) fn find(&self, text: &[u8], at: usize, depth: usize) -> (usize, usize) {
        if at + 8 > text.len() {
            return (0, 0);
        }
        let word = load(text, at);
        let mut candidate = self.heads[hash(word, MIN_SELF, self.bits)];
        let (mut best, mut distance) = (MIN_SELF - 1, 0);
        let limit = (text.len() - at).min(MAX_MATCH);
        for _ in 0..depth {
            if candidate < self.base {
                break;
            }
            let from = (candidate - self.base) as usize;
            candidate = self.chain[from];
            if load(text, from) as u32 != word as u32 {
                continue;
            }
            let len = common(text, from, text, at, limit);
            if len > best {
                (best, distance) = (len, at - from);
            }
        }
        if best < MIN_SELF { (0, 0) } else { (best, distance) }
    }
}
