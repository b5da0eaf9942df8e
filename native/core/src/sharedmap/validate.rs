//! Verification of a whole map, shard by shard, each under its lock.

use super::blocks::Content;
use super::entry::{EXPIRES, parse, verify};
use super::index::tag_of;
use super::layout::{bucket, page, page::Use, shard};
use super::{Map, Shard};
use crate::{Error, Result};

impl Map {
    /// Verifies index, entries, free lists and counters. `Corrupt` describes the first defect.
    pub fn validate(&self) -> Result<()> {
        for id in 0..self.geometry.shards() {
            let shard = self.shard(id);
            let _guard = self.lock(shard)?;
            self.validate_shard(shard)?;
        }
        Ok(())
    }

    fn validate_shard(&self, shard: Shard) -> Result<()> {
        let words = self.words;
        let id = shard.id;
        let defect = |what: String| Err(Error::corrupt(format!("shard {id}: {what}")));
        let buckets = self.buckets(shard);
        let mut live = Vec::new();
        let (mut entries, mut expiring) = (0, 0);
        for index in 0..buckets {
            let Some(home) = self.bucket_at(shard, index) else {
                return defect(format!("the directory contains no page for bucket {index}"));
            };
            for (place, reference) in self.lanes(home) {
                let Some(entry) = parse(words, &self.geometry, reference) else {
                    return defect(format!("a lane of bucket {index} refers to no entry: {reference}"));
                };
                let Some(hash) = self.hash_of_ref(reference) else { continue };
                if self.bucket_of(hash, buckets) != index || self.shard_of(hash) != shard {
                    return defect(format!("bucket {index} contains a key of another bucket"));
                }
                if words.load_byte((place.bucket + bucket::TAGS) * 4 + place.slot) != tag_of(hash) {
                    return defect(format!("bucket {index} contains an invalid tag"));
                }
                if !verify(words, self.geometry.schema, &entry, &mut self.scratch.borrow_mut()) {
                    return defect(format!("the checksum of an entry of bucket {index} is wrong"));
                }
                entries += 1;
                expiring += u32::from(entry.flags & EXPIRES != 0);
                live.try_reserve(1)?;
                live.push((reference, entry.units));
                if entry.is_chained() {
                    let mut left = entry.value_length;
                    let mut chunk = words.load(entry.value_at);
                    while left > 0 {
                        let bytes = words.load(chunk as usize * 2 + 4) as usize;
                        if self.content_of(chunk).is_none_or(|(content, _)| content != Content::Chunk)
                            || bytes == 0
                            || bytes > left
                        {
                            return defect(format!("a value of bucket {index} has an invalid chunk"));
                        }
                        live.try_reserve(1)?;
                        live.push((chunk, words.load(chunk as usize * 2 + 1)));
                        left -= bytes;
                        chunk = words.load(chunk as usize * 2 + 3);
                    }
                }
            }
        }
        if words.load(shard.at + shard::ENTRIES) != entries
            || words.load(shard.at + shard::EXPIRING) != expiring
        {
            return defect(format!("the number of entries is not {entries}, of which {expiring} expire"));
        }
        if self.is_saving(shard) {
            // Entries that are kept for the snapshot are in no lane.
            return Ok(());
        }
        live.sort_unstable();
        if live.windows(2).any(|pair| pair[0].0 + pair[0].1 > pair[1].0) {
            return defect("two blocks overlap".into());
        }
        self.validate_pages(shard, &live)
    }

    fn validate_pages(&self, shard: Shard, live: &[(u32, u32)]) -> Result<()> {
        let words = self.words;
        let id = shard.id;
        let defect = |what: String| Err(Error::corrupt(format!("shard {id}: {what}")));
        let (mut seen, mut free, mut pages) = (0, 0u64, 0);
        for page in self.listed_pages(shard, shard::DATA_PAGES) {
            if !self.has_page(page, Use::Data, shard) {
                return defect(format!("page {page} is in the list, but not a data page of the shard"));
            }
            pages += 1;
            let (mut used, mut strange) = (0, false);
            let is_whole = self.traverse(shard, page, |block, content, units| {
                if matches!(content, Content::Chunk | Content::Entry) {
                    used += units;
                    seen += 1;
                    strange |= live.binary_search(&(block, units)).is_err();
                }
            });
            if !is_whole {
                return defect(format!("the blocks of page {page} do not fill it"));
            }
            if strange {
                return defect(format!("page {page} contains a block that no lane refers to"));
            }
            if words.load(self.page_entry(page) + page::LIVE) != used {
                return defect(format!("the live bytes of page {page} are not {}", used * 8));
            }
            free += u64::from(self.page_units() - used);
        }
        if seen != live.len() {
            return defect(format!(
                "{} blocks are in no page of the shard",
                live.len() - seen.min(live.len())
            ));
        }
        if u64::from(words.load(shard.at + shard::FREE)) != free {
            return defect(format!("the free bytes are not {}", free * 8));
        }
        pages += u32::from(words.load(shard.at + shard::RESERVE) != 0);
        if words.load(shard.at + shard::PAGE_COUNT) != pages {
            return defect(format!("the number of pages is not {pages}"));
        }
        self.validate_lists(shard)
    }

    /// Each free block of a page is in the list of its size, and each list contains such blocks
    /// only.
    fn validate_lists(&self, shard: Shard) -> Result<()> {
        let words = self.words;
        let mut in_pages = 0u64;
        for page in self.listed_pages(shard, shard::DATA_PAGES) {
            self.traverse(shard, page, |_, content, _| in_pages += u64::from(content == Content::Free));
        }
        let mut in_lists = 0u64;
        for list in 0..shard::LIST_COUNT {
            let mut block = words.load(shard.at + shard::LISTS + list);
            let mut previous = 0;
            let is_marked = words.load(shard.at + shard::LIST_BITS + list / 32) >> (list % 32) & 1 == 1;
            if is_marked == (block == 0) {
                return Err(Error::corrupt(format!("shard {}: the bit of list {list} is wrong", shard.id)));
            }
            while block != 0 && in_lists <= in_pages {
                let is_free = self.content_of(block).is_some_and(|(content, _)| content == Content::Free);
                if !is_free || words.load(block as usize * 2 + 3) != previous {
                    return Err(Error::corrupt(format!(
                        "shard {}: the list of free blocks {list} contains an invalid block",
                        shard.id
                    )));
                }
                in_lists += 1;
                previous = block;
                block = words.load(block as usize * 2 + 2);
            }
        }
        if in_lists != in_pages {
            return Err(Error::corrupt(format!(
                "shard {}: {in_pages} blocks are free, but {in_lists} are in lists",
                shard.id
            )));
        }
        Ok(())
    }
}
