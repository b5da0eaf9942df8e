//! Where everything is in the region (`docs/formats/sharedmap.md`, "Region").
//!
//! [`Geometry`] is derived from the bound, the number of shards and the schema alone. Attaching
//! derives it again and compares it with the header, so that every offset can be trusted
//! afterward.

use super::policy;
use crate::region::element::Type;
use crate::region::header::Header;
use crate::region::kind::Kind;
use crate::region::memory::{HEADER_BYTES, Memory};
use crate::{Error, Result};

/// Words of the header that belong to the map.
pub mod header {
    pub(crate) const SCHEMA: usize = 16;
    pub(crate) const PAGE_SHIFT: usize = 17;
    pub(crate) const SHARD_BITS: usize = 18;
    pub(crate) const PARTICIPANTS: usize = 19;
    pub(crate) const MAX_BYTES: usize = 20;
    pub(crate) const PAGES: usize = 22;
    pub(crate) const DIRECTORY_LENGTH: usize = 23;
    pub(crate) const PARTICIPANTS_AT: usize = 24;
    pub(crate) const SHARDS_AT: usize = 25;
    pub(crate) const SHARD_STRIDE: usize = 26;
    pub(crate) const DIRECTORIES_AT: usize = 27;
    pub(crate) const PAGE_TABLE_AT: usize = 28;
    pub(crate) const PAGES_AT: usize = 29;
    pub(crate) const DEFAULT_TTL: usize = 30;
    pub(crate) const POLICY_AT: usize = 32;
    pub(crate) const POLICY_BYTES: usize = 33;
    pub(crate) const RING_AT: usize = 34;
    pub(crate) const RING_BYTES: usize = 35;
    pub(crate) const MAX_ENTRY: usize = 36;
    pub(crate) const MAX_KEY: usize = 37;
}

/// Words of the control block, from the start of the region.
pub mod control {
    const BASE: usize = super::HEADER_BYTES / 4;
    /// 1 while the map is in use, for files.
    pub const STATE: usize = BASE;
    /// Identifies the boot of the machine (two words).
    pub const BOOT: usize = BASE + 2;
    /// Event types that some participant subscribed to.
    pub const EVENTS: usize = BASE + 4;
    /// Where the search for a free page begins.
    pub const PAGE_HINT: usize = BASE + 6;
    /// Pages that became free.
    pub const RELEASES: usize = BASE + 7;
    /// The snapshot that is being taken.
    pub const SNAPSHOT: usize = BASE + 8;
    /// The lock of the participants and of operations on all shards.
    pub const BIG_LOCK: usize = BASE + 9;
    /// The generation of the next participant.
    pub const GENERATION: usize = BASE + 10;
    /// Identifies the file (two words), so that a copy of it is noticed.
    pub const FILE: usize = BASE + 12;
    /// The record of a transaction: state, count, and pairs of lane and ref.
    pub const COMMIT: usize = BASE + 32;
    /// The most lanes of one transaction.
    pub const COMMIT_LANES: usize = 64;
}

/// Words of a participant.
pub mod participant {
    /// 0, or 1 and the generation << 11.
    pub const STATE: usize = 0;
    /// Process id.
    pub const PID: usize = 1;
    /// Thread id.
    pub const THREAD: usize = 2;
    /// 1 while the participant may store a byte of policy state.
    pub const MARKING: usize = 3;
    /// Time of attachment (two words, `f64`).
    pub const ATTACHED: usize = 4;
    /// Hits (two words, `f64`).
    pub const HITS: usize = 8;
    /// Misses (two words, `f64`).
    pub const MISSES: usize = 10;
    /// Event types that the participant subscribed to.
    pub const EVENTS: usize = 13;
    /// Number of hashes sampled.
    pub const SAMPLE: usize = 12;
    /// The last hashes sampled.
    pub const SAMPLES: usize = 32;
    /// Number of samples kept.
    pub const SAMPLE_COUNT: usize = 32;
    /// Words of a participant.
    pub const WORDS: usize = 64;
}

/// Words of a shard.
pub mod shard {
    /// Number of buckets.
    pub const BUCKETS: usize = 0;
    /// The policy's clock.
    pub const CLOCK: usize = 1;
    /// Increases whenever the number of buckets changed.
    pub const EPOCH: usize = 2;
    /// The lock.
    pub const LOCK: usize = 16;
    /// Number of entries.
    pub const ENTRIES: usize = 32;
    /// Counts insertions.
    pub const BIRTH: usize = 33;
    /// Number of entries that expire.
    pub const EXPIRING: usize = 34;
    /// First data page + 1.
    pub const DATA_PAGES: usize = 35;
    /// Ref of the unused end of the current page.
    pub const BUMP: usize = 36;
    /// Ref of the end of the current page.
    pub const BUMP_END: usize = 37;
    /// An empty page, + 1.
    pub const RESERVE: usize = 38;
    /// Size of the free blocks, divided by 8.
    pub const FREE: usize = 39;
    /// First free overflow bucket: its byte offset divided by 128.
    pub const OVERFLOW_FREE: usize = 40;
    /// Bucket at which eviction continues.
    pub const HAND: usize = 41;
    /// Bucket at which the sweep of expired entries continues.
    pub const SWEEP: usize = 42;
    /// `RELEASES` when no free page was found, + 1.
    pub const FAILED_AT: usize = 43;
    /// Number of index pages.
    pub const INDEX_PAGES: usize = 44;
    /// First overflow page + 1.
    pub const OVERFLOW_PAGES: usize = 45;
    /// Bytes of keys and values (two words).
    pub const CONTENT: usize = 46;
    /// Number of data pages, the reserve included.
    pub const PAGE_COUNT: usize = 60;
    /// Number of overflow pages.
    pub const OVERFLOW_COUNT: usize = 63;
    /// First kept block of a snapshot.
    pub const KEPT: usize = 61;
    /// Position that the snapshot has reached.
    pub const SAVED: usize = 62;
    /// 1 if the snapshot still has to visit buckets of the shard.
    pub const SAVING: usize = 31;
    /// Units written since the clock advanced.
    pub const TICK: usize = 29;
    /// Number of entries that are leases.
    pub const PENDING: usize = 30;
    /// Heads of the lists of free blocks.
    pub const LISTS: usize = 64;
    /// Number of lists.
    pub const LIST_COUNT: usize = 160;
    /// One bit for each list.
    pub const LIST_BITS: usize = LISTS + LIST_COUNT;
    /// Words before the policy's state.
    pub const WORDS: usize = 256;

    /// Counters, two words each.
    pub mod counter {
        /// Values stored.
        pub const SETS: usize = 48;
        /// Entries evicted.
        pub const EVICTIONS: usize = 50;
        /// Entries that expired.
        pub const EXPIRATIONS: usize = 52;
        /// Times a thread waited for the lock.
        pub const LOCK_WAITS: usize = 54;
        /// Repairs.
        pub const REPAIRS: usize = 56;
        /// Entries deleted.
        pub const DELETES: usize = 58;
    }
}

/// Words of a bucket.
pub mod bucket {
    /// Version of the chain.
    pub const VERSION: usize = 0;
    /// Next bucket of the chain.
    pub const OVERFLOW: usize = 1;
    /// Tags, 20 bytes.
    pub const TAGS: usize = 2;
    /// Policy bytes, 20.
    pub const META: usize = 7;
    /// Refs.
    pub const LANES: usize = 12;
    /// Slots of a bucket.
    pub const SLOTS: usize = 20;
    /// Words of a bucket.
    pub const WORDS: usize = 32;
    /// Bytes of a bucket.
    pub const BYTES: usize = 128;
}

/// Words of an entry of the page table, and the uses of pages.
pub mod page {
    /// Use and shard.
    pub const STATE: usize = 0;
    /// Size of the live blocks, divided by 8.
    pub const LIVE: usize = 1;
    /// Next page of the list + 1.
    pub const NEXT: usize = 2;
    /// Previous page of the list + 1.
    pub const PREVIOUS: usize = 3;
    /// Words.
    pub const WORDS: usize = 4;

    /// The use of a page.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    #[repr(u32)]
    pub enum Use {
        /// No shard has it.
        Free = 0,
        /// Buckets.
        Index = 1,
        /// Overflow buckets.
        Overflow = 2,
        /// Entries.
        Data = 3,
        /// Empty, for evacuation.
        Reserve = 4,
        /// No shard has it. Its buckets may be those that a reader is about to mark.
        Retired = 5,
    }
}

/// The least bound in bytes.
pub const MIN_BYTES: u64 = 1 << 16;
/// The largest bound in bytes: refs have 32 bits and count 8 bytes.
pub const MAX_BYTES: u64 = 1 << 35;
/// The largest number of shards.
pub const MAX_SHARDS: u32 = 256;
/// Flag of the schema: a map that is full refuses new entries.
pub const FLAG_REJECT: u32 = 1;
/// Flag of the schema: the map is a file, and entries have checksums.
pub const FLAG_FILE: u32 = 2;
/// Participants at most; their number plus 1 has to fit into 10 bits.
const MAX_PARTICIPANTS: u64 = 1000;
const PARTICIPANT_BYTES: u64 = participant::WORDS as u64 * 4;
const CONTROL_BYTES: u64 = 768;

/// Types of keys and values, policy and flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schema {
    /// Type of the keys.
    pub key: Type,
    /// Type of the values.
    pub value: Type,
    /// Code of the policy.
    pub policy: u32,
    /// `FLAG_…`
    pub flags: u32,
}

impl Schema {
    /// The policy by which entries are evicted: none if a full map refuses new entries.
    #[inline]
    pub(crate) fn evicts_by(self) -> u32 {
        if self.flags & FLAG_REJECT == 0 { self.policy } else { policy::NONE }
    }

    /// Refuses types that keys or values cannot have.
    pub fn check(self) -> Result<Schema> {
        let is_key = matches!(
            self.key,
            Type::U32 | Type::I32 | Type::F64 | Type::U64 | Type::I64 | Type::String | Type::Bytes
        );
        if !is_key {
            return Err(Error::unsupported(format!("keys of type {:?} are not supported", self.key)));
        }
        if self.value == Type::Any {
            return Err(Error::unsupported("values of type any cannot be shared"));
        }
        if self.policy > policy::MAX_CODE {
            return Err(Error::range(format!("invalid policy: {}", self.policy)));
        }
        if self.flags > FLAG_REJECT | FLAG_FILE {
            return Err(Error::range(format!("invalid flags: {}", self.flags)));
        }
        Ok(self)
    }

    /// The word in the header.
    #[must_use]
    pub fn word(self) -> u32 {
        self.key as u32 | (self.value as u32) << 8 | self.policy << 16 | self.flags << 24
    }

    /// The schema with this word.
    pub fn of_word(word: u32) -> Result<Schema> {
        let types = (Type::from_number(word & 0xFF), Type::from_number(word >> 8 & 0xFF));
        let (Some(key), Some(value)) = types else {
            return Err(Error::corrupt(format!("the header contains an invalid schema: {word:#x}")));
        };
        Schema { key, value, policy: word >> 16 & 0xFF, flags: word >> 24 }
            .check()
            .map_err(|error| Error::corrupt(format!("the header contains an invalid schema: {error}")))
    }

    /// Bytes of a key in an entry if all keys have the same: 4 or 8.
    #[must_use]
    pub fn key_width(self) -> Option<usize> {
        fixed_width(self.key)
    }

    /// Bytes of a value in an entry if all values have the same: 4 or 8.
    #[must_use]
    pub fn value_width(self) -> Option<usize> {
        fixed_width(self.value)
    }

    /// Whether entries have checksums.
    #[must_use]
    pub fn has_checksums(self) -> bool {
        self.flags & FLAG_FILE != 0
    }
}

/// Bytes of an element in an entry: `None` for blobs.
fn fixed_width(ty: Type) -> Option<usize> {
    match ty {
        Type::String | Type::Bytes | Type::Json | Type::Any | Type::Structured | Type::Mixed => None,
        Type::F64 | Type::U64 | Type::I64 => Some(8),
        _ => Some(4),
    }
}

/// Sizes and offsets of a region. Offsets are in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Geometry {
    /// Types, policy and flags.
    pub schema: Schema,
    /// The bound.
    pub max_bytes: u64,
    /// log2 of the bytes of a page.
    pub page_shift: u32,
    /// log2 of the number of shards.
    pub shard_bits: u32,
    /// Participant slots.
    pub participants: usize,
    /// Pages.
    pub pages: usize,
    /// Words of the directory of a shard.
    pub directory_length: usize,
    /// First participant.
    pub participants_at: usize,
    /// First shard.
    pub shards_at: usize,
    /// Words of a shard.
    pub shard_stride: usize,
    /// First directory.
    pub directories_at: usize,
    /// Page table.
    pub page_table_at: usize,
    /// First page.
    pub pages_at: usize,
    /// Bytes of a shard's policy state.
    pub policy_bytes: usize,
    /// Bytes of a shard's event ring.
    pub ring_bytes: usize,
}

impl Geometry {
    /// The layout of a map with this bound; `shards`, a power of two, or the default.
    pub fn plan(schema: Schema, max_bytes: u64, shards: Option<u32>) -> Result<Geometry> {
        if !(MIN_BYTES..=MAX_BYTES).contains(&max_bytes) {
            return Err(Error::range(format!(
                "the bound must be from {MIN_BYTES} to {MAX_BYTES} bytes: {max_bytes}"
            )));
        }
        let page_shift = match max_bytes {
            ..0x40_0001 => 12,
            0x40_0001..0x100_0001 => 13,
            _ => 14,
        };
        let all = max_bytes >> page_shift;
        let shard_bits = match shards {
            None => (all / 64).clamp(1, 64).ilog2(),
            Some(count) => {
                let most = (all / 16).clamp(1, u64::from(MAX_SHARDS)).ilog2();
                if !count.is_power_of_two() || count.ilog2() > most {
                    let most = 1 << most;
                    return Err(Error::range(format!(
                        "the number of shards must be a power of two from 1 to {most} for this bound: {count}"
                    )));
                }
                count.ilog2()
            }
        };
        let shards = 1 << shard_bits;
        let participants = (max_bytes / (32 << 10)).clamp(16, MAX_PARTICIPANTS);
        let share = max_bytes / shards;
        let policy_bytes = policy::state_bytes(schema.evicts_by(), share);
        let ring_bytes = 1usize << (share / 256).clamp(256, 16384).ilog2();
        let shard_bytes = align((shard::WORDS * 4 + policy_bytes + ring_bytes) as u64, 64);
        let directory_length = align(all.div_ceil(shards).max(1), 16);

        let participants_at = HEADER_BYTES as u64 + CONTROL_BYTES;
        let shards_at = participants_at + participants * PARTICIPANT_BYTES;
        let directories_at = shards_at + shards * shard_bytes;
        let page_table_at = directories_at + shards * directory_length * 4;
        let pages_at = align(page_table_at + all * page::WORDS as u64 * 4, 1 << page_shift);
        let pages = max_bytes.saturating_sub(pages_at) >> page_shift;
        if pages < 3 * shards {
            return Err(Error::range(format!(
                "a bound of {max_bytes} bytes is too small for {shards} shards"
            )));
        }
        let words = |bytes: u64| (bytes / 4) as usize;
        Ok(Geometry {
            schema,
            max_bytes,
            page_shift,
            shard_bits,
            participants: participants as usize,
            pages: pages as usize,
            directory_length: directory_length as usize,
            participants_at: words(participants_at),
            shards_at: words(shards_at),
            shard_stride: words(shard_bytes),
            directories_at: words(directories_at),
            page_table_at: words(page_table_at),
            pages_at: words(pages_at),
            policy_bytes,
            ring_bytes,
        })
    }

    /// Bytes of the bound for each shard.
    pub(crate) fn share(&self) -> u64 {
        self.max_bytes >> self.shard_bits
    }

    /// Bytes of the region.
    #[must_use]
    pub fn length(&self) -> u64 {
        (self.pages_at as u64) * 4 + ((self.pages as u64) << self.page_shift)
    }

    /// Bytes before the first page, which are always in use.
    #[must_use]
    pub fn fixed_bytes(&self) -> u64 {
        self.pages_at as u64 * 4
    }

    /// Number of shards.
    #[must_use]
    pub fn shards(&self) -> usize {
        1 << self.shard_bits
    }

    /// Words of a page.
    #[must_use]
    pub fn page_words(&self) -> usize {
        1 << (self.page_shift - 2)
    }

    /// Buckets of a page.
    #[must_use]
    pub fn page_buckets(&self) -> usize {
        1 << (self.page_shift - 7)
    }

    /// The most bytes of an entry's block: longer values are chained. A quarter of a page, so that
    /// little is lost at the ends of pages.
    #[must_use]
    pub fn max_entry(&self) -> usize {
        1 << (self.page_shift - 2)
    }

    /// The most bytes of a key: an entry with a chained value has to fit into a page.
    #[must_use]
    pub fn max_key(&self) -> usize {
        1 << (self.page_shift - 1)
    }

    /// The words of the header that describe the layout.
    fn words(&self) -> [(usize, u32); 21] {
        let bytes = |words: usize| (words * 4) as u32;
        [
            (header::SCHEMA, self.schema.word()),
            (header::PAGE_SHIFT, self.page_shift),
            (header::SHARD_BITS, self.shard_bits),
            (header::PARTICIPANTS, self.participants as u32),
            (header::MAX_BYTES, self.max_bytes as u32),
            (header::MAX_BYTES + 1, (self.max_bytes >> 32) as u32),
            (header::PAGES, self.pages as u32),
            (header::DIRECTORY_LENGTH, self.directory_length as u32),
            (header::PARTICIPANTS_AT, bytes(self.participants_at)),
            (header::SHARDS_AT, bytes(self.shards_at)),
            (header::SHARD_STRIDE, bytes(self.shard_stride)),
            (header::DIRECTORIES_AT, bytes(self.directories_at)),
            (header::PAGE_TABLE_AT, bytes(self.page_table_at)),
            (header::PAGES_AT, bytes(self.pages_at)),
            (header::POLICY_AT, (shard::WORDS * 4) as u32),
            (header::POLICY_BYTES, self.policy_bytes as u32),
            (header::RING_AT, (shard::WORDS * 4 + self.policy_bytes) as u32),
            (header::RING_BYTES, self.ring_bytes as u32),
            (header::MAX_ENTRY, self.max_entry() as u32),
            (header::MAX_KEY, self.max_key() as u32),
            (header::MAX_KEY + 1, 0),
        ]
    }

    /// Writes the header's words.
    ///
    /// # Safety
    /// The memory is writable, and no other thread uses it.
    pub(crate) unsafe fn write(&self, memory: Memory, ttl: f64) {
        let ttl = ttl.to_bits();
        // SAFETY: the caller guarantees that the memory is writable and not used by others.
        unsafe {
            for (index, word) in self.words() {
                memory.set_word(index, word);
            }
            memory.set_double_word(header::DEFAULT_TTL, ttl);
        }
    }

    /// Reads the layout of a region and checks every word of it.
    pub fn read(memory: Memory) -> Result<(Geometry, Header)> {
        let head = Header::read(memory, Kind::SharedMap)?;
        let schema = Schema::of_word(head.word(header::SCHEMA))?;
        let bits = head.word(header::SHARD_BITS);
        let shards = 1u32.checked_shl(bits).ok_or_else(|| {
            Error::corrupt(format!("the header contains an invalid number of shards: 2^{bits}"))
        })?;
        let geometry = Geometry::plan(schema, head.double_word(header::MAX_BYTES), Some(shards))
            .map_err(|error| Error::corrupt(format!("the header is invalid: {error}")))?;
        for (index, expected) in geometry.words() {
            let found = head.word(index);
            if found != expected {
                return Err(Error::corrupt(format!(
                    "word {index} of the header is {found}, but the layout requires {expected}"
                )));
            }
        }
        if geometry.length() != head.length() || geometry.length() > memory.len() as u64 {
            return Err(Error::corrupt("the length in the header does not match the layout"));
        }
        let ttl = f64::from_bits(head.double_word(header::DEFAULT_TTL));
        if !(ttl >= 0.0 && ttl.is_finite()) {
            return Err(Error::corrupt(format!("the header contains an invalid time to live: {ttl}")));
        }
        Ok((geometry, head))
    }
}

const fn align(value: u64, to: u64) -> u64 {
    value.next_multiple_of(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA: Schema = Schema { key: Type::U32, value: Type::F64, policy: 0, flags: 0 };

    #[test]
    fn the_region_is_within_the_bound_and_uses_most_of_it() {
        for shift in 16..=35 {
            for odd in [0, 777] {
                let bound = ((1u64 << shift) + odd).min(MAX_BYTES);
                let geometry = Geometry::plan(SCHEMA, bound, None).unwrap();
                assert!(geometry.length() <= bound, "{bound}");
                let fixed = geometry.fixed_bytes() as f64 / bound as f64;
                assert!(fixed < if shift < 20 { 0.25 } else { 0.06 }, "{bound}: {fixed}");
            }
        }
    }

    #[test]
    fn bounds_and_shards_out_of_range_are_refused() {
        for bound in [0, MIN_BYTES - 1, MAX_BYTES + 1, u64::MAX] {
            assert!(Geometry::plan(SCHEMA, bound, None).is_err());
        }
        for shards in [0, 3, 512, u32::MAX] {
            assert!(Geometry::plan(SCHEMA, 1 << 30, Some(shards)).is_err());
        }
        assert_eq!(Geometry::plan(SCHEMA, 1 << 30, Some(256)).unwrap().shards(), 256);
    }
}
