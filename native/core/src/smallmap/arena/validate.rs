//! Validation: the check of all of an arena's contents.
//!
//! [`check`] is the first level, in constant time, which makes every operation memory-safe.
//! [`validate`] reads everything and accepts the states that `docs/formats/smallmap.md` allows,
//! including those left by a writer that was stopped between two stores: then at most one item of
//! each kind is out of date. It reports the first error and changes nothing. Cost: about one lookup
//! for each entry; temporary memory of a bit for each slot, position and heap word, and 4 bytes for
//! each index bucket.

use super::layout::link::{HASH, NEXT, NOBODY, OWNER, PREV, SENTINEL};
use super::layout::{FREE, FREE_REF, INLINE_CAPACITY, MAX_GENERATION, Meta, PROMOTED, word};
use super::raw::{Location, RawArena, stored_bits};
use crate::region::attach::RegionKind;
use crate::region::element::Type;
use crate::table::bits::Bits;
use crate::table::blob::{Blob, size_of_blob};
use crate::table::group::{LANES, Native};
use crate::table::hash::tag;
use crate::table::index::Index;
use crate::{Error, Result};
use std::time::Duration;

/// The longest wait for the end of a rearrangement.
const PATIENCE: Duration = Duration::from_secs(1);

/// Checks a region's header in constant time. If this succeeds, no operation reads outside the
/// region, whatever its contents are.
///
/// # Safety
/// As for [`RawArena::attach`].
pub unsafe fn check(base: *const u8, len: usize) -> Result<()> {
    // SAFETY: as for `attach_shared`, guaranteed by the caller.
    unsafe { RawArena::attach_shared(base, len, PATIENCE) }.map(|_| ())
}

/// Checks a region's contents: checksum (if it has one), reserved words, directory, slots, table,
/// strings.
///
/// # Safety
/// As for [`RawArena::attach`]. If another thread changes the arena meanwhile, the result may be
/// wrong.
pub unsafe fn validate(base: *const u8, len: usize) -> Result<()> {
    // SAFETY: as for `attach_shared`, guaranteed by the caller.
    let arena = unsafe { RawArena::attach_shared(base, len, PATIENCE) }?;
    let units = u64::from(arena.shape.blocks) * 4;
    let validator = Validator {
        arena,
        units: Bits::new(units)?,
        positions: Bits::new(arena.table_used().into())?,
        strings: Bits::new(arena.ids_used().into())?,
    };
    validator.run()
}

struct Validator {
    arena: RawArena,
    /// The units of slots, of maps and in free lists.
    units: Bits,
    /// Positions in rings and in the free list.
    positions: Bits,
    /// Ids of strings.
    strings: Bits,
}

#[cold]
fn wrong(what: &str, at: impl Into<u64>) -> Error {
    Error::corrupt(format!("{what} {} of the arena is invalid", at.into()))
}

/// Compares a count with the header, from which it may differ by one.
fn check_count(what: &str, counted: u64, stated: u32) -> Result<()> {
    if counted.abs_diff(stated.into()) <= 1 {
        return Ok(());
    }
    Err(Error::corrupt(format!("the arena has {counted} {what}, but its header states {stated}")))
}

impl Validator {
    fn run(mut self) -> Result<()> {
        self.header()?;
        self.strings()?;
        self.directory()?;
        self.free_slots()?;
        self.table()
    }

    fn header(&self) -> Result<()> {
        Meta::verify(self.arena.memory).map(|_| ())
    }

    fn directory(&mut self) -> Result<()> {
        let arena = self.arena;
        let used = arena.maps_used();
        let (mut count, mut promoted) = (0u64, 0u64);
        for map in 0..used {
            let generation = arena.generation_word(map);
            if generation & FREE != 0 {
                if generation & !FREE > MAX_GENERATION + 1 {
                    return Err(wrong("the generation of map", map));
                }
                continue;
            }
            if generation > MAX_GENERATION {
                return Err(wrong("the generation of map", map));
            }
            count += 1;
            let place = arena.place_word(map);
            match place & 15 {
                0 if place != 0 => return Err(wrong("the place of map", map)),
                0 => {}
                entries @ 1..=INLINE_CAPACITY => self.slot(map, place >> 4, entries)?,
                PROMOTED => {
                    promoted += 1;
                    if place >> 4 >= arena.table_used() {
                        return Err(wrong("the place of map", map));
                    }
                }
                _ => return Err(wrong("the place of map", map)),
            }
        }
        if let Some(map) = (used..arena.shape.maps)
            .find(|&map| arena.place_word(map) != 0 || arena.generation_word(map) != 0)
        {
            return Err(wrong("the unused directory entry", map));
        }
        self.free_maps(used)?;
        check_count("maps", count, arena.count())?;
        check_count("promoted maps", promoted, arena.promoted_count())
    }

    fn free_maps(&self, used: u32) -> Result<()> {
        let arena = &self.arena;
        let mut seen = Bits::new(used.into())?;
        let mut free = arena.memory.word(word::FREE_MAP);
        // The list contains no entry twice, so the loop terminates.
        while free != 0 {
            let map = free - 1;
            let sound = map < used
                && arena.generation_word(map) & FREE != 0
                && arena.generation_word(map) & !FREE <= MAX_GENERATION
                && seen.insert(map.into());
            if !sound {
                return Err(wrong("the free list of maps at", map));
            }
            free = arena.place_word(map);
        }
        Ok(())
    }

    /// Checks a map's slot: its position, its keys and its values.
    fn slot(&mut self, map: u32, unit: u32, count: u32) -> Result<()> {
        let arena = self.arena;
        let size = arena.shape.slot_for(count);
        self.take_units(unit, size).ok_or_else(|| wrong("the slot of map", map))?;
        for entry in unit * 2..unit * 2 + count {
            self.entry(Location::Slot(entry)).map_err(|what| wrong(what, map))?;
            let key = arena.key_at(Location::Slot(entry));
            if (unit * 2..entry).any(|other| arena.key_at(Location::Slot(other)) == key) {
                return Err(wrong("a duplicate key of map", map));
            }
        }
        Ok(())
    }

    /// Marks the units of a slot as used; `None` if it is misplaced or overlaps another.
    fn take_units(&mut self, unit: u32, size: u32) -> Option<()> {
        let arena = &self.arena;
        let end = u64::from(arena.memory.word(word::BLOCKS_USED).min(arena.shape.blocks)) * 4;
        let units = size / 2;
        let fits = unit.is_multiple_of(units) && u64::from(unit) + u64::from(units) <= end;
        (fits && (unit..unit + units).all(|unit| self.units.insert(unit.into()))).then_some(())
    }

    fn free_slots(&mut self) -> Result<()> {
        for (list, size) in [(0, 2), (1, 4), (2, 8)] {
            let mut free = self.arena.memory.word(word::FREE_SLOT + list);
            if free != 0 && size < self.arena.shape.smallest_slot() {
                return Err(wrong("the free list of slots of size", size));
            }
            while free != 0 {
                self.take_units(free - 1, size)
                    .ok_or_else(|| wrong("the free list of slots at", free - 1))?;
                free = self.arena.slot_link(free - 1);
            }
        }
        Ok(())
    }

    /// Checks the representation of a key and a value.
    fn entry(&self, location: Location) -> std::result::Result<(), &'static str> {
        let arena = &self.arena;
        let (key, value) = (arena.key_at(location), arena.value_at(location));
        if stored_bits(key, arena.shape.key) != key {
            return Err("the representation of a numeric key of map");
        }
        if arena.shape.value == Type::Bool && value > 1 {
            return Err("a boolean value of map");
        }
        let known = |id: u64| id < u64::from(arena.ids_used()) && self.strings.contains(id);
        if arena.shape.key == Type::String && !known(key) {
            return Err("a string key of map");
        }
        if arena.shape.value == Type::String && !known(value) {
            return Err("a string value of map");
        }
        Ok(())
    }

    /// Checks the rings of promoted maps, the free list and the index.
    fn table(mut self) -> Result<()> {
        let arena = self.arena;
        let used = arena.table_used();
        let mut index = IndexCheck::new(arena.index)?;
        // A stopped writer may have left one entry that is not in the index, or not yet in its
        // ring; one wrong prev; one wrong count.
        let (mut missing, mut prevs, mut counts) = (0u64, 0u64, 0u64);
        for map in 0..arena.maps_used() {
            let place = arena.place_word(map);
            if arena.generation_word(map) & FREE != 0 || place & 15 != PROMOTED {
                continue;
            }
            let sentinel = place >> 4;
            let sound =
                arena.link(sentinel, OWNER) == map | SENTINEL && self.positions.insert(sentinel.into());
            if !sound {
                return Err(wrong("the sentinel of map", map));
            }
            let (mut before, mut position, mut count) = (sentinel, arena.link(sentinel, NEXT), 0u64);
            while position != sentinel {
                let sound = position < used
                    && arena.link(position, OWNER) == map
                    && self.positions.insert(position.into());
                if !sound {
                    return Err(wrong("the ring of map", map));
                }
                self.entry(Location::Table(position)).map_err(|what| wrong(what, map))?;
                prevs += u64::from(arena.link(position, PREV) != before);
                let key = arena.key_at(Location::Table(position));
                let hash = arena.hash(map, key);
                if arena.link(position, HASH) != hash {
                    return Err(wrong("the hash at position", position));
                }
                match arena.find_in_table(map, key) {
                    Some(found) if found == position => index.add(hash, arena.home.of(hash), position),
                    Some(_) => return Err(wrong("a duplicate key of map", map)),
                    None => missing += 1,
                }
                count += 1;
                (before, position) = (position, arena.link(position, NEXT));
            }
            prevs += u64::from(arena.link(sentinel, PREV) != before);
            counts += count.abs_diff(arena.link(sentinel, HASH).into());
        }
        if missing > 1 || prevs > 1 || counts > 1 {
            return Err(Error::corrupt(format!(
                "the arena's table has {missing} entries that are not indexed, {prevs} wrong links, {counts} wrong counts"
            )));
        }
        index.finish(used, 1)?;
        self.free_positions(used)
    }

    fn free_positions(&mut self, used: u32) -> Result<()> {
        let arena = self.arena;
        let mut free = arena.memory.word(word::FREE_POSITION);
        let mut count = 0;
        while free != 0 {
            let position = free - 1;
            let sound = position < used
                && arena.link(position, OWNER) == NOBODY
                && self.positions.insert(position.into());
            if !sound {
                return Err(wrong("the free list of positions at", position));
            }
            count += 1;
            free = arena.link(position, NEXT);
        }
        check_count("free positions", count, arena.memory.word(word::TABLE_FREE))
    }

    /// Checks that every string is well-formed, overlaps no other, and is found by its hash.
    fn strings(&mut self) -> Result<()> {
        let arena = self.arena;
        let used = arena.ids_used();
        let heap_used = arena.memory.double_word(word::HEAP_USED).min(arena.shape.heap);
        let mut taken = Bits::new(heap_used / 4)?;
        let mut index = IndexCheck::new(arena.string_index)?;
        let (mut count, mut missing) = (0u64, 0);
        for id in 0..used {
            let reference = arena.ref_of(id);
            if reference & FREE_REF != 0 {
                continue;
            }
            // SAFETY: the memory stays valid during `validate`, guaranteed by its caller.
            let (head, bytes) = unsafe { arena.blob(reference) }.ok_or_else(|| wrong("string", id))?;
            let (from, size) = (u64::from(reference) * 4, size_of_blob(head));
            let alone =
                from + size <= heap_used && (from / 4..(from + size) / 4).all(|word| taken.insert(word));
            let padding = bytes.len().wrapping_neg() % 4;
            let at = arena.layout.heap + from as usize + 4 + bytes.len();
            // SAFETY: `RawArena::blob` checked that the blob, including its padding, is within the
            // heap.
            let zero = alone && (0..padding).all(|i| unsafe { arena.memory.load_u8(at + i) } == 0);
            let text = Blob::of_type(bytes, Type::String).ok().filter(|text| text.head() == head);
            let Some(text) = text.filter(|_| zero) else { return Err(wrong("string", id)) };
            let hash = arena.seeds.blob(bytes);
            match arena.find_string(text) {
                Some(found) if found == id => index.add(hash, arena.string_home.of(hash), id),
                Some(_) => return Err(wrong("a duplicate string,", id)),
                None => missing += 1,
            }
            self.strings.insert(id.into());
            count += 1;
        }
        if missing > 1 {
            return Err(Error::corrupt(format!("{missing} strings of the arena are not indexed")));
        }
        index.finish(used, 0)?;
        check_count("strings", count, arena.strings())?;
        let mut seen = Bits::new(used.into())?;
        let mut free = arena.memory.word(word::FREE_ID);
        while free != 0 {
            let id = free - 1;
            if id >= used || arena.ref_of(id) & FREE_REF == 0 || !seen.insert(id.into()) {
                return Err(wrong("the free list of strings at", id));
            }
            free = arena.ref_of(id) & !FREE_REF;
        }
        Ok(())
    }
}

/// The check of an index against the entries that it should contain.
struct IndexCheck {
    index: Index,
    /// The number of entries that pass each bucket, as differences: +1 at the home bucket, −1 at
    /// the entry's bucket.
    passing: Vec<i32>,
    wrapped: i64,
    entries: u32,
}

impl IndexCheck {
    fn new(index: Index) -> Result<IndexCheck> {
        let mut passing = Vec::new();
        passing.try_reserve_exact(index.buckets() as usize)?;
        passing.resize(index.buckets() as usize, 0);
        Ok(IndexCheck { index, passing, wrapped: 0, entries: 0 })
    }

    /// Adds an entry that the index contains.
    fn add(&mut self, hash: u32, home: u32, position: u32) {
        if let Some((lane, _)) = self.index.find::<Native>(home, tag(hash), |at| at == position) {
            self.entries += 1;
            self.passing[home as usize] += 1;
            self.passing[lane.bucket as usize] -= 1;
            self.wrapped += i64::from(lane.bucket < home);
        }
    }

    /// Checks that the overflow counts suffice, and that at most `strays` lanes do not belong to
    /// entries.
    fn finish(self, used: u32, strays: u32) -> Result<()> {
        let mut count = self.wrapped;
        let mut lanes = 0u32;
        for bucket in 0..self.index.buckets() {
            count += i64::from(self.passing[bucket as usize]);
            if count > i64::from(self.index.overflow(bucket)) {
                return Err(Error::corrupt(format!("the overflow count of bucket {bucket} is too low")));
            }
            for lane in 0..LANES as u32 {
                let tag = self.index.tag(bucket, lane);
                if tag == 0 {
                    continue;
                }
                if tag > 127 || self.index.position(bucket, lane) >= used {
                    return Err(Error::corrupt(format!("lane {lane} of bucket {bucket} is invalid")));
                }
                lanes += 1;
            }
        }
        if lanes < self.entries || lanes > self.entries + strays {
            let entries = self.entries;
            return Err(Error::corrupt(format!(
                "{lanes} lanes of the index are filled for {entries} entries"
            )));
        }
        Ok(())
    }
}
