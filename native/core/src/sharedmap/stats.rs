//! Figures about a map. Each is read at its own moment, so they may be inconsistent while others
//! write.

use super::layout::{participant, shard, shard::counter};
use super::{Map, participants};

/// Figures about a map.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Stats {
    /// Number of entries.
    pub entries: u64,
    /// Bytes in use, at most the bound.
    pub used_bytes: u64,
    /// The bound.
    pub max_bytes: u64,
    /// Bytes of keys and values.
    pub content_bytes: u64,
    /// Bytes of free blocks in pages that are in use.
    pub free_bytes: u64,
    /// Bytes of the index.
    pub index_bytes: u64,
    /// Values found, by the participants that are attached now.
    pub hits: f64,
    /// Keys not found, by the participants that are attached now.
    pub misses: f64,
    /// Values stored.
    pub sets: u64,
    /// Entries deleted.
    pub deletes: u64,
    /// Entries evicted.
    pub evictions: u64,
    /// Entries that expired.
    pub expirations: u64,
    /// Times that a thread waited for a lock.
    pub lock_waits: u64,
    /// Shards that were repaired.
    pub repairs: u64,
    /// Participants.
    pub participants: u64,
    /// Entries that have a time of expiry.
    pub expiring: u64,
    /// Buckets of all shards.
    pub buckets: u64,
    /// Shards.
    pub shards: u64,
}

impl Map {
    /// Figures about the map.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let words = self.words;
        let mut stats = Stats {
            used_bytes: self.used_bytes(),
            max_bytes: self.geometry.max_bytes,
            participants: participants::count(words, &self.geometry, &*self.backing) as u64,
            shards: self.geometry.shards() as u64,
            ..Stats::default()
        };
        for id in 0..self.geometry.shards() {
            let at = self.shard(id).at;
            let word = |index: usize| u64::from(words.load(at + index));
            let counter = |index: usize| words.load_double(at + index);
            stats.entries += word(shard::ENTRIES).saturating_sub(word(shard::PENDING));
            stats.expiring += word(shard::EXPIRING);
            stats.buckets += word(shard::BUCKETS);
            stats.free_bytes += word(shard::FREE) * 8;
            let pages = word(shard::INDEX_PAGES) + word(shard::OVERFLOW_COUNT);
            stats.index_bytes += pages << self.geometry.page_shift;
            stats.content_bytes += counter(shard::CONTENT);
            stats.sets += counter(counter::SETS);
            stats.deletes += counter(counter::DELETES);
            stats.evictions += counter(counter::EVICTIONS);
            stats.expirations += counter(counter::EXPIRATIONS);
            stats.lock_waits += counter(counter::LOCK_WAITS);
            stats.repairs += counter(counter::REPAIRS);
        }
        for slot in 0..self.geometry.participants {
            let at = participants::at(&self.geometry, slot);
            stats.hits += f64::from_bits(words.load_double(at + participant::HITS));
            stats.misses += f64::from_bits(words.load_double(at + participant::MISSES));
        }
        stats
    }
}
