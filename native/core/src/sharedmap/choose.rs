//! Room in a map that does not evict, made by its user: candidates of one shard to choose from, and
//! the eviction of those that were chosen.
//!
//! Keys are distributed by their hashes, so the entries of neighboring buckets are a random sample.
//! Choosing takes no lock, and a candidate may have changed since: [`Map::evict`] compares its
//! version.

use super::entry::{Entry, Key, parse};
use super::read::{Info, is_live};
use super::{Event, Map};
use crate::{Error, ErrorKind, Result};

/// Buckets that one sample visits at most.
const MOST_BUCKETS: usize = 256;

impl Map {
    /// Whether an entry of this size can be stored in an empty map, apart from fragmentation.
    #[must_use]
    pub fn fits(&self, key_length: usize, value_length: usize) -> bool {
        // Each shard needs pages for its index and its reserve.
        let most = self.geometry.pages.saturating_sub(2 * self.geometry.shards()) as u64;
        let units = u64::from(self.units_of(key_length, value_length));
        units <= most * u64::from(self.page_units()) / 8 * 7
    }

    pub(super) fn never_fits(&self, length: usize) -> Error {
        let bound = self.geometry.max_bytes;
        Error::new(
            ErrorKind::Full,
            format!("a value of {length} bytes never fits into a map of {bound} bytes"),
        )
    }

    /// Appends up to `limit` entries of a shard to `out`, from the bucket that `seed` selects on.
    /// Each consists of two words (key head, 0), the bytes of the entry as `u64`, the time of
    /// expiry as `f64`, the version as `u64`, and the key, padded with zeros to a multiple of 8
    /// bytes. Returns their number.
    pub fn sample(
        &self,
        shard: usize,
        seed: u32,
        limit: usize,
        now: f64,
        out: &mut Vec<u8>,
    ) -> Result<usize> {
        let shard = self.shard(shard);
        let buckets = self.buckets(shard);
        let mut count = 0;
        for step in 0..buckets.min(MOST_BUCKETS) {
            if count >= limit {
                break;
            }
            let index = (seed as usize + step) % buckets;
            let hash = (index as u32) << self.geometry.shard_bits | shard.id as u32;
            let start = out.len();
            let found = self.consistent(shard, hash, |map, home| {
                out.truncate(start);
                let mut found = 0;
                for (_, reference) in map.lanes(home) {
                    let entry = parse(map.words, &map.geometry, reference);
                    let Some(entry) = entry.filter(|entry| is_live(entry, now)) else { continue };
                    if count + found == limit {
                        break;
                    }
                    found += usize::from(map.append_candidate(&entry, out)?);
                }
                Ok(Some(found))
            })?;
            count += found.unwrap_or(0);
        }
        Ok(count)
    }

    fn append_candidate(&self, entry: &Entry, out: &mut Vec<u8>) -> Result<bool> {
        if entry.key_length > self.geometry.max_key() {
            return Ok(false);
        }
        out.try_reserve(32 + entry.key_length + 8)?;
        let info = Info::of(self, entry);
        out.extend_from_slice(&u64::from(entry.key_head).to_le_bytes());
        out.extend_from_slice(&info.bytes.to_le_bytes());
        out.extend_from_slice(&info.expires_at.to_le_bytes());
        out.extend_from_slice(&info.version.to_le_bytes());
        self.words.read_bytes(entry.key_at, entry.key_length, out);
        out.resize(out.len().next_multiple_of(8), 0);
        Ok(true)
    }

    /// Removes a key if its entry has this version, and counts and reports that as an eviction.
    /// Returns whether it did.
    pub fn evict(&self, key: &Key<'_>, version: u64, now: f64) -> Result<bool> {
        let hash = key.hash(&self.seeds);
        let shard = self.shard_of(hash);
        let _guard = self.lock(shard)?;
        let found = self.home(shard, hash).and_then(|home| self.find_in(home, hash, key));
        let chosen = found.filter(|(_, entry)| is_live(entry, now) && entry.version() == version);
        let Some((place, entry)) = chosen else { return Ok(false) };
        self.remove(shard, place, &entry, Event::Evict);
        self.adjust_buckets(shard)?;
        Ok(true)
    }
}
