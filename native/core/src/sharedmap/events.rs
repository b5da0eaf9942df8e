//! Events: a ring of the last evictions, expirations, deletions and insertions of each shard.
//!
//! Records are written under the shard's lock, and only while somebody subscribes. A subscriber
//! keeps a position for each shard, and learns how many records were overwritten before it read
//! them.
//!
//! The ring: words 0 and 1 the number of records written, 2 and 3 the bytes written, 4 and 5 the
//! bytes and 6 and 7 the number of the oldest record that is complete; from byte 64 on the records,
//! each with its length, its type, the head of the key, a reserved word, and the key padded to 8
//! bytes.

use super::entry::Entry;
use super::layout::{control, participant, shard};
use super::{Event, Map, Shard, participants};
use crate::Result;

const HEADER_BYTES: usize = 64;
const RECORD_HEADER: usize = 16;
const COUNT: usize = 0;
const END: usize = 2;
const START: usize = 4;
const FIRST: usize = 6;

/// Where a subscriber is in the ring of each shard.
#[derive(Clone, Debug, Default)]
pub struct Positions {
    /// The number of the next record, and its byte.
    next: Vec<(u64, u64)>,
}

impl Map {
    fn ring(&self, shard: Shard) -> usize {
        shard.at + shard::WORDS + self.geometry.policy_bytes / 4
    }

    /// Bytes for records.
    fn ring_room(&self) -> usize {
        self.geometry.ring_bytes - HEADER_BYTES
    }

    /// Begins to record events of these types, and returns the positions to read from.
    pub fn subscribe(&self, events: u32) -> Result<Positions> {
        let at = participants::at(&self.geometry, self.slot);
        self.words.release(at + participant::EVENTS, events);
        self.update_events();
        let mut positions = Positions::default();
        positions.next.try_reserve_exact(self.geometry.shards())?;
        for id in 0..self.geometry.shards() {
            let shard = self.shard(id);
            let _guard = self.lock(shard)?;
            let ring = self.ring(shard);
            positions.next.push((self.words.load_double(ring + COUNT), self.words.load_double(ring + END)));
        }
        Ok(positions)
    }

    /// Ends this participant's subscription.
    pub fn unsubscribe(&self) {
        let at = participants::at(&self.geometry, self.slot);
        self.words.release(at + participant::EVENTS, 0);
        self.update_events();
    }

    /// Stores the types that some participant subscribed to. Of two participants that do so at the
    /// same time, the one that stores last has to count the subscription of the other: it reads the
    /// other's store by its own exchange, and counts again.
    pub(super) fn update_events(&self) {
        // A region that others overwrite all the time must not stop this one.
        for _ in 0..1000 {
            let all = self.subscribed();
            self.words.exchange(control::EVENTS, all);
            if self.subscribed() == all {
                break;
            }
        }
    }

    fn subscribed(&self) -> u32 {
        let words = self.words;
        (0..self.geometry.participants).fold(0, |all, slot| {
            let at = participants::at(&self.geometry, slot);
            if words.load(at + participant::STATE) == 0 {
                all
            } else {
                all | words.load(at + participant::EVENTS)
            }
        })
    }

    /// Records an event of an entry. Requires the shard's lock.
    pub(super) fn record(&self, shard: Shard, event: Event, entry: &Entry) {
        let words = self.words;
        let ring = self.ring(shard);
        let room = self.ring_room();
        let length = RECORD_HEADER + entry.key_length.next_multiple_of(8);
        let count = words.load_double(ring + COUNT);
        words.store_double(ring + COUNT, count.wrapping_add(1));
        let (mut start, mut first) = (words.load_double(ring + START), words.load_double(ring + FIRST));
        let mut end = words.load_double(ring + END);
        // Only a region that was overwritten has other positions. The ring starts over, because the
        // loop below would walk from one position to the other.
        if start > end || end - start > room as u64 || end > u64::MAX / 2 || !(start | end).is_multiple_of(8)
        {
            (start, end, first) = (0, 0, count);
        }
        if length > room / 2 {
            // Too long to be recorded: it counts as overwritten.
            words.store_double(ring + START, end);
            words.store_double(ring + END, end);
            words.store_double(ring + FIRST, count.wrapping_add(1));
            return;
        }
        while end + length as u64 - start > room as u64 && start < end {
            let size = u64::from(words.load(self.ring_word(ring, start)));
            start = (start + size.clamp(8, room as u64)).min(end);
            first = first.wrapping_add(1);
        }
        words.store_double(ring + START, start);
        words.store_double(ring + FIRST, if start < end { first } else { count });
        let put = |index: usize, word: u32| words.store(self.ring_word(ring, end + index as u64 * 4), word);
        put(0, length as u32);
        put(1, event as u32);
        put(2, entry.key_head);
        put(3, 0);
        for index in 0..entry.key_length.div_ceil(4) {
            put(4 + index, words.load(entry.key_at + index));
        }
        words.store_double(ring + END, end + length as u64);
    }

    /// The word of a byte of the ring.
    fn ring_word(&self, ring: usize, byte: u64) -> usize {
        ring + (HEADER_BYTES + (byte % self.ring_room() as u64) as usize) / 4
    }

    /// Appends the records since the last call to `out`, in the form of the ring. Returns how many
    /// were overwritten before they could be read.
    pub fn poll(&self, positions: &mut Positions, out: &mut Vec<u8>) -> Result<u64> {
        let words = self.words;
        let mut dropped = 0;
        for (id, (number, byte)) in positions.next.iter_mut().enumerate() {
            let shard = self.shard(id);
            let ring = self.ring(shard);
            // Nothing new: no lock.
            if words.load_double(ring + COUNT) == *number {
                continue;
            }
            let _guard = self.lock(shard)?;
            let (count, end) = (words.load_double(ring + COUNT), words.load_double(ring + END));
            let (first, start) = (words.load_double(ring + FIRST), words.load_double(ring + START));
            if *number < first || *byte < start {
                dropped = first.saturating_sub(*number).saturating_add(dropped);
                *byte = start;
            }
            let length = end.saturating_sub(*byte).min(self.ring_room() as u64);
            out.try_reserve(length as usize)?;
            for at in (0..length).step_by(4) {
                out.extend_from_slice(&words.load(self.ring_word(ring, byte.wrapping_add(at))).to_le_bytes());
            }
            *number = count;
            *byte = end;
        }
        Ok(dropped)
    }
}
