//! The second level of checks: validation of a map's contents.
//!
//! [`check`] is the first level, in constant time; it makes every operation memory-safe.
//! [`validate`] reads everything, and accepts exactly the regions that `docs/formats/hashmap.md`
//! allows, including those of a writer that was terminated between two stores. It reports the first
//! fault, and changes nothing. Cost: about one lookup per entry; temporary memory of one bit per
//! entry, slot and heap word, and 4 bytes per bucket.

use super::layout::{LANES, MAX_GENERATION, Meta, word};
use super::raw::{RawKey, RawMap, StoredBlob};
use crate::region::attach::RegionKind;
use crate::region::element::Type;
use crate::table::bits::Bits;
use crate::table::blob::{BYTES, size_of_blob, text_encoding};
use crate::table::group::Native;
use crate::table::hash::{canonical, tag};
use crate::{Error, Result};
use std::time::Duration;

/// How long a check waits for a rearrangement to end.
const TIMEOUT: Duration = Duration::from_secs(1);

/// Checks a region's header in constant time. If this succeeds, no operation reads outside the
/// region, whatever its contents are.
///
/// # Safety
/// As for [`RawMap::attach`].
pub unsafe fn check(base: *const u8, len: usize) -> Result<()> {
    // SAFETY: the caller guarantees that the bytes are readable.
    unsafe { RawMap::attach_shared(base, len, TIMEOUT) }.map(|_| ())
}

/// Checks a region's contents: the checksum, if it has one, reserved words, dead bits, index, keys,
/// values, blobs and slots.
///
/// # Safety
/// As for [`RawMap::attach`]. If another thread changes the map at the same time, the result may be
/// wrong.
pub unsafe fn validate(base: *const u8, len: usize) -> Result<()> {
    // SAFETY: the caller guarantees that the bytes are readable.
    let map = unsafe { RawMap::attach_shared(base, len, TIMEOUT) }?;
    let used = map.used();
    let validator = Validator { map, used };
    validator.header()?;
    validator.dead_bits()?;
    validator.cells()?;
    validator.index()?;
    validator.slots()
}

struct Validator {
    map: RawMap,
    used: u32,
}

fn wrong(what: &str, position: u32) -> Error {
    Error::corrupt(format!("invalid {what} at position {position}"))
}

impl Validator {
    fn living(&self) -> impl Iterator<Item = u32> {
        (0..self.used).filter(|&position| {
            let bits = self.map.dead_word(position / 32, self.used);
            bits >> (position % 32) & 1 == 0
        })
    }

    fn header(&self) -> Result<()> {
        let memory = self.map.memory();
        let (header, _) = Meta::verify(memory)?;
        let stray = header.word(word::RESERVED) != 0
            || (self.map.shape().slots.is_none()
                && (header.word(word::SLOTS_USED) | header.word(word::FREE_SLOT)) != 0);
        if stray {
            return Err(Error::corrupt("an unused word of the map's header is not zero"));
        }
        Ok(())
    }

    fn dead_bits(&self) -> Result<()> {
        let counted = self.map.count_dead(self.used);
        let stated = self.map.memory().word(word::DEAD);
        // A deletion sets the bit before it increments the count.
        if counted != stated && counted != stated.saturating_add(1) {
            return Err(Error::corrupt(format!(
                "{counted} entries are marked dead, but the header states {stated}"
            )));
        }
        let words = self.map.shape().capacity.div_ceil(32);
        let stray =
            (0..words).any(|word| self.map.dead_word(word, u32::MAX) != self.map.dead_word(word, self.used));
        if stray {
            return Err(Error::corrupt("a dead bit past the last entry is set"));
        }
        Ok(())
    }

    /// Checks keys and values: their bits, and their blobs, which must not overlap.
    fn cells(&self) -> Result<()> {
        let shape = self.map.shape();
        let memory = self.map.memory();
        let heap_used = memory.double_word(word::HEAP_USED).min(shape.heap);
        let mut taken = Bits::new(heap_used / 4)?;
        let mut living_bytes = 0;
        for position in self.living() {
            if shape.key == Type::F64 {
                // SAFETY: the position is below `used`; f64 keys are 8 bytes wide.
                let bits = unsafe { self.map.key_u64(position) };
                if canonical(bits) != bits {
                    return Err(wrong("bits of the key", position));
                }
            }
            if shape.value == Type::Bool && self.map.value::<u8>(position) > 1 {
                return Err(wrong("boolean", position));
            }
            let columns = [
                (self.map.key_reference(position), shape.key),
                (self.map.value_reference(position), shape.value),
            ];
            for (reference, ty) in columns {
                let Some(reference) = reference else { continue };
                let blob = self.map.blob(reference).ok_or_else(|| wrong("blob reference", position))?;
                let (from, size) = (u64::from(reference) * 4, size_of_blob(blob.head()));
                if from + size > heap_used {
                    return Err(wrong("blob reference", position));
                }
                if !(from / 4..(from + size) / 4).all(|word| taken.insert(word)) {
                    return Err(wrong("blob, which overlaps another one,", position));
                }
                check_blob(blob, ty).map_err(|what| wrong(what, position))?;
                living_bytes += size;
            }
        }
        let garbage = memory.double_word(word::HEAP_GARBAGE);
        if living_bytes > heap_used.saturating_sub(garbage) {
            return Err(Error::corrupt("the heap contains less garbage than the header states"));
        }
        Ok(())
    }

    /// Checks that every entry is found by its key, that there are no other lanes, and that
    /// overflow counts are high enough.
    fn index(&self) -> Result<()> {
        let index = self.map.index();
        let buckets = index.buckets();
        // The entries that pass a bucket, as differences: +1 at the home bucket, −1 at the entry's.
        let mut passing: Vec<i32> = Vec::new();
        passing.try_reserve_exact(buckets as usize)?;
        passing.resize(buckets as usize, 0);
        let mut wrapped = 0i64;
        let (mut indexed, mut missing) = (0u32, 0u32);
        for position in self.living() {
            let Some((home, bucket)) = self.place_of(position)? else {
                // A deletion that was terminated after its first store.
                missing += 1;
                if missing > 1 {
                    return Err(wrong("index of the entry", position));
                }
                continue;
            };
            indexed += 1;
            passing[home as usize] += 1;
            passing[bucket as usize] -= 1;
            wrapped += i64::from(bucket < home);
        }
        let mut count = wrapped;
        let mut lanes = 0u32;
        for bucket in 0..buckets {
            count += i64::from(passing[bucket as usize]);
            if count > i64::from(index.overflow(bucket)) {
                return Err(Error::corrupt(format!("the overflow count of bucket {bucket} is too low")));
            }
            for lane in 0..LANES as u32 {
                let tag = index.tag(bucket, lane);
                if tag == 0 {
                    continue;
                }
                // An insertion that was terminated before its last store left a lane with position
                // `used`.
                if tag > 127 || index.position(bucket, lane) > self.used {
                    return Err(Error::corrupt(format!("invalid lane {lane} of bucket {bucket}")));
                }
                lanes += 1;
                if index.position(bucket, lane) == self.used {
                    indexed += 1;
                }
            }
        }
        // Each living entry has a lane of its own, so if the numbers are equal there are no others.
        if lanes != indexed || lanes > self.used - self.map.count_dead(self.used) + 1 {
            return Err(Error::corrupt(format!("{lanes} lanes of the index are set for {indexed} entries")));
        }
        Ok(())
    }

    /// The home bucket and the bucket of an entry, if a search for its key finds it.
    fn place_of(&self, position: u32) -> Result<Option<(u32, u32)>> {
        let map = &self.map;
        let seeds = map.seeds();
        // SAFETY: the position is below `used`, and the representation is that of the schema.
        let hash = unsafe {
            match map.shape().key {
                Type::U32 | Type::I32 => map.key_u32(position).hash(seeds),
                Type::F64 | Type::U64 | Type::I64 => map.key_u64(position).hash(seeds),
                _ => {
                    let blob = map.blob(map.key_u32(position)).ok_or_else(|| wrong("key", position))?;
                    seeds.blob(blob.bytes())
                }
            }
        };
        let home = map.home(hash);
        let mut duplicate = false;
        let found = map.index().find::<Native>(home, tag(hash), |candidate| {
            duplicate |= candidate < position && self.equal_keys(candidate, position);
            candidate == position
        });
        if duplicate {
            return Err(wrong("key, which another entry has as well,", position));
        }
        Ok(found.map(|(place, _)| (home, place.bucket)))
    }

    fn equal_keys(&self, a: u32, b: u32) -> bool {
        let map = &self.map;
        // SAFETY: both positions are below `used`, and the width is that of the schema.
        unsafe {
            match map.shape().key.width() {
                8 => map.key_u64(a) == map.key_u64(b),
                _ if !map.shape().key.is_blob() => map.key_u32(a) == map.key_u32(b),
                _ => match (map.blob(map.key_u32(a)), map.blob(map.key_u32(b))) {
                    (Some(a), Some(b)) => a.head() == b.head() && a.bytes() == b.bytes(),
                    _ => false,
                },
            }
        }
    }

    fn slots(&self) -> Result<()> {
        if self.map.shape().slots.is_none() {
            return Ok(());
        }
        let used = self.map.slots_used();
        let mut taken = Bits::new(used.into())?;
        for position in self.living() {
            let handle = self.map.handle_at(position);
            let (slot, generation) = (handle as u32, (handle >> 32) as u32);
            let alive = self.map.position_of_handle(handle) == Some(position);
            // Generation 0 is the result of `handle_at` for a slot that does not exist.
            if !alive || generation == 0 || generation > MAX_GENERATION || !taken.insert(slot.into()) {
                return Err(wrong("slot of the entry", position));
            }
        }
        let mut free = self.map.memory().word(word::FREE_SLOT);
        // No slot is in the list twice, so this terminates.
        while free != 0 {
            let slot = free - 1;
            if slot >= used || !taken.insert(slot.into()) || self.map.generation(slot) >= MAX_GENERATION {
                return Err(Error::corrupt(format!(
                    "the free list of slots contains the invalid index {slot}"
                )));
            }
            free = self.map.entry_of_slot(slot);
        }
        Ok(())
    }
}

/// Checks that a blob's encoding is that of its content, and that its padding is zero.
fn check_blob(blob: StoredBlob, ty: Type) -> std::result::Result<(), &'static str> {
    // SAFETY: the blob is in the region, which the caller of `validate` guarantees to be readable.
    let bytes = unsafe { blob.bytes() };
    let encoding = if ty == Type::Bytes { Some(BYTES) } else { text_encoding(bytes) };
    if encoding != Some(blob.head() & 3) {
        return Err("encoding of a blob of the entry");
    }
    let padding = bytes.len().wrapping_neg() % 4;
    // SAFETY: `RawMap::blob` checked that the padding is within the heap.
    let zero = (0..padding).all(|i| unsafe { blob.data().add(bytes.len() + i).read_volatile() } == 0);
    if zero { Ok(()) } else { Err("padding of a blob of the entry") }
}

impl RawMap {
    /// The position of a slot's entry, or 1 + the next free slot. The slot is below `slots_used`.
    fn entry_of_slot(&self, slot: u32) -> u32 {
        assert!(slot < self.shape().slots.unwrap_or(0));
        // SAFETY: the table has this slot.
        unsafe { self.memory().load_u32(self.layout().entry_of_slot + slot as usize * 4) }
    }
}
