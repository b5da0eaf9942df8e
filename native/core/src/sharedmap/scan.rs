//! Iteration (`docs/formats/sharedmap.md`, "Iteration").
//!
//! Within a shard keys are visited in the order of their reversed remaining hash bits. A bucket
//! contains a contiguous interval of that order, however many buckets there are. So a cursor that
//! moves to the end of its bucket's interval returns each key that is present throughout exactly
//! once.

use super::Map;
use super::entry::{Entry, hash_of, parse, read_value};
use super::layout::Geometry;
use super::read::is_live;
use crate::Result;

/// A position in the iteration.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The shard.
    pub shard: u32,
    /// The reversed hash bits to continue at.
    pub position: u32,
}

/// What one step visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visited {
    /// Number of entries.
    pub count: usize,
    /// Where to continue; `None` at the end.
    pub next: Option<Cursor>,
}

impl Map {
    /// Appends the entries of the bucket at a cursor to `out`. Each consists of four words (key
    /// head, value head, value type, 0), the time of expiry as `f64`, the key, and, if asked for,
    /// the value, both padded with zeros to a multiple of 8 bytes.
    pub fn scan(&self, cursor: Cursor, with_values: bool, now: f64, out: &mut Vec<u8>) -> Result<Visited> {
        let geometry = &self.geometry;
        if cursor.shard as usize >= geometry.shards() {
            return Ok(Visited { count: 0, next: None });
        }
        let shard = self.shard(cursor.shard as usize);
        let rest = cursor.position.reverse_bits();
        let hash = rest << geometry.shard_bits | cursor.shard;
        let start = out.len();
        let visited = self.consistent(shard, hash, |map, home| {
            out.truncate(start);
            let buckets = map.buckets(shard);
            let end = end_of_interval(cursor.position, map.bucket_of(hash, buckets), buckets);
            let mut scratch = map.scratch.borrow_mut();
            let mut count = 0;
            for (_, reference) in map.lanes(home) {
                let Some(entry) = parse(map.words, geometry, reference).filter(|entry| is_live(entry, now))
                else {
                    continue;
                };
                let own = hash_of(map.words, geometry.schema, &entry, &map.seeds, &mut scratch);
                if (own >> geometry.shard_bits).reverse_bits() < cursor.position {
                    continue;
                }
                map.append(&entry, with_values, out)?;
                count += 1;
            }
            Ok(Some((count, end)))
        })?;
        let (count, end) = visited.unwrap_or((0, None));
        let last = geometry.shards() as u32 - 1;
        let next = match end {
            Some(position) => Some(Cursor { shard: cursor.shard, position }),
            None if cursor.shard < last => Some(Cursor { shard: cursor.shard + 1, position: 0 }),
            None => None,
        };
        Ok(Visited { count, next })
    }

    fn append(&self, entry: &Entry, with_value: bool, out: &mut Vec<u8>) -> Result<()> {
        let value = if with_value { entry.value_length } else { 0 };
        if entry.key_length > Geometry::max_key(&self.geometry) || value > self.words.count() * 4 {
            return Ok(());
        }
        out.try_reserve(24 + entry.key_length + value + 16)?;
        for word in [entry.key_head, entry.value_head, entry.value_type(), 0] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&entry.expires_at.to_le_bytes());
        self.words.read_bytes(entry.key_at, entry.key_length, out);
        out.resize(out.len().next_multiple_of(8), 0);
        if with_value {
            let end = out.len() + value;
            // A chain that changed meanwhile is too short; the attempt is repeated then.
            read_value(self.words, entry, out);
            out.resize(end.next_multiple_of(8), 0);
        }
        Ok(())
    }
}

/// The end of the interval of reversed bits that bucket `index` of `buckets` contains, if it is not
/// the last. `position` is in it.
pub(super) fn end_of_interval(position: u32, index: usize, buckets: usize) -> Option<u32> {
    let all = buckets.next_power_of_two();
    // A bucket that has not been split yet is determined by one bit less.
    let bits = all.ilog2() - u32::from(index < all / 2 && index + all / 2 >= buckets);
    if bits == 0 {
        return None;
    }
    let step = 1u32 << (32 - bits);
    (position & !(step - 1)).checked_add(step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_intervals_of_all_buckets_cover_all_positions() {
        for buckets in 1..70usize {
            let all = buckets.next_power_of_two();
            let mut position = 0;
            let mut seen = vec![0; buckets];
            loop {
                let rest = u32::reverse_bits(position) as usize;
                let index = if rest & (all - 1) < buckets { rest & (all - 1) } else { rest & (all / 2 - 1) };
                seen[index] += 1;
                match end_of_interval(position, index, buckets) {
                    Some(next) => position = next,
                    None => break,
                }
            }
            assert!(seen.iter().all(|&count| count == 1), "{buckets}: {seen:?}");
        }
    }
}
