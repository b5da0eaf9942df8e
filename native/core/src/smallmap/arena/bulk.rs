//! Many maps in one call.
//!
//! A lookup in an arena that is larger than the caches waits for memory two or three times: for the
//! directory, then for the key and the value. This module processes 128 lookups at a time: it
//! prefetches all directory entries, then all slots, and then compares the keys, all those of a map
//! at once ([`super::super::search`]). Their waits therefore overlap (Chen, Ailamaki, Gibbons,
//! Mowry: "Improving hash join performance through prefetching", 2004).
//!
//! [`get_many`] may be called by any thread with which the region is shared: after each batch it
//! checks whether the owner rearranged the region or recycled memory meanwhile, and if so repeats
//! the batch. Outputs are written only after this check.
//!
//! Ids, keys and values are arrays whose element types the caller specifies, passed by address
//! because they may be in memory that other threads write. The schema is also in such memory, so
//! each call passes the shape that it is about to use to `check`.

use super::inline::lane;
use super::layout::Shape;
use super::raw::{Location, MapState, RawArena, stale, stored_bits};
use super::write::{Placed, RawArenaMut};
use crate::cpu::{Features, prefetch};
use crate::region::element::Type;
use crate::region::sequence::READ_TIMEOUT;
use crate::smallmap::search::{self, Kernel, Lane, dispatch};
use crate::{Error, ErrorKind, Result};

/// Lookups in one batch.
const BATCH: usize = 128;

/// An array of ids.
#[derive(Clone, Copy, Debug)]
pub struct Ids {
    data: *const u8,
    ty: Type,
}

impl Ids {
    /// Ids as `u32`, `u64` or `f64`, the last for JavaScript.
    pub fn new(data: *const u8, ty: Type) -> Result<Ids> {
        match ty {
            Type::U32 | Type::U64 | Type::F64 => Ok(Ids { data, ty }),
            _ => Err(Error::wrong_type("ids are u32, u64 or f64")),
        }
    }

    /// Loads an id. A number that is not a valid id becomes an id that no map has.
    ///
    /// # Safety
    /// The array has an element at `index`, and is aligned for its type.
    #[inline(always)]
    unsafe fn load(self, index: usize) -> u64 {
        // SAFETY: the array has an aligned element at `index`, guaranteed by the caller.
        unsafe {
            match self.ty {
                Type::U32 => u64::from(self.data.cast::<u32>().add(index).read_volatile()),
                Type::U64 => self.data.cast::<u64>().add(index).read_volatile(),
                _ => {
                    let number = self.data.cast::<f64>().add(index).read_volatile();
                    // The conversion saturates, and NaN becomes 0, so numbers that are not integers
                    // differ after the round trip.
                    let id = number as u64;
                    if id as f64 == number { id } else { u64::MAX }
                }
            }
        }
    }
}

/// Reads an element of an array that other threads may be writing.
///
/// # Safety
/// The array has an element of this width at `index`, and is aligned for it.
#[inline(always)]
unsafe fn element(array: *const u8, index: usize, width: usize) -> u64 {
    // SAFETY: the array has an aligned element at `index`, guaranteed by the caller.
    unsafe {
        match width {
            1 => u64::from(array.add(index).read_volatile()),
            2 => u64::from(array.cast::<u16>().add(index).read_volatile()),
            4 => u64::from(array.cast::<u32>().add(index).read_volatile()),
            _ => array.cast::<u64>().add(index).read_volatile(),
        }
    }
}

/// Gets the values of `count` keys, `keys[i]` from the map with id `ids[i]`: `values[i]` is left
/// unchanged if the key is missing, and `found[i]`, unless `found` is null, records whether it
/// exists. Returns the number of keys found. `Stale` at the first invalid id; some of the outputs
/// before it may be written.
///
/// # Safety
/// `base` and `len` as for `RawArena::attach`. If `check` succeeds, `ids`, `keys` and `values` have
/// `count` elements, the last two of the arena's types, and `found` is null or has `count` bytes;
/// nothing else uses `values` and `found` meanwhile.
#[expect(clippy::too_many_arguments, reason = "three arrays and the arena")]
pub unsafe fn get_many(
    base: *const u8,
    len: usize,
    check: impl FnOnce(&Shape) -> Result<()>,
    ids: Ids,
    keys: *const u8,
    count: usize,
    values: *mut u8,
    found: *mut u8,
) -> Result<usize> {
    // SAFETY: as for `attach_shared`, guaranteed by the caller.
    let arena = unsafe { RawArena::attach_shared(base, len, READ_TIMEOUT) }?;
    check(&arena.shape())?;
    dispatch(Features::get().level(), Get { arena, ids, keys, count, values, found })
}

struct Get {
    arena: RawArena,
    ids: Ids,
    keys: *const u8,
    count: usize,
    values: *mut u8,
    found: *mut u8,
}

impl search::Batch for Get {
    type Output = Result<usize>;

    #[inline(always)]
    unsafe fn run<S: Kernel>(self) -> Result<usize> {
        // SAFETY: the arrays are valid, guaranteed by the caller of `get_many`; `dispatch` checked
        // the processor, and `K` has the width of the arena's keys.
        unsafe {
            match self.arena.shape.key.width() {
                1 => self.get::<S, u8>(),
                2 => self.get::<S, u16>(),
                4 => self.get::<S, u32>(),
                _ => self.get::<S, u64>(),
            }
        }
    }
}

/// The state of one batch.
struct Lookups {
    keys: [u64; BATCH],
    maps: [u32; BATCH],
    values: [u64; BATCH],
    hits: [bool; BATCH],
}

impl Get {
    /// # Safety
    /// As for [`get_many`]; the processor has the instructions of `S`; `K` is as wide as the keys.
    #[inline(always)]
    unsafe fn get<S: Kernel, K: Lane>(mut self) -> Result<usize> {
        let mut lookups =
            Lookups { keys: [0; BATCH], maps: [0; BATCH], values: [0; BATCH], hits: [false; BATCH] };
        let mut total = 0;
        let mut from = 0;
        while from < self.count {
            let size = BATCH.min(self.count - from);
            loop {
                let recycles = self.arena.recycles();
                std::sync::atomic::fence(std::sync::atomic::Ordering::Acquire);
                // SAFETY: the preconditions of `answer` are those of this function, and `size`
                // elements follow `from`.
                let outcome = unsafe { self.answer::<S, K>(&mut lookups, from, size) };
                // Checks the sequence, after a fence; then the recycle count.
                if self.arena.memory.read_retry(self.arena.sequence()) {
                    self.reattach()?;
                } else if self.arena.recycles() == recycles {
                    outcome?;
                    break;
                }
            }
            // SAFETY: the outputs have `size` elements from `from` on.
            total += unsafe { self.deliver(&lookups, from, size) };
            from += size;
        }
        Ok(total)
    }

    /// # Safety
    /// As for [`Get::get`]; the arrays have `size` elements from `from` on.
    #[inline(always)]
    unsafe fn answer<S: Kernel, K: Lane>(
        &self,
        lookups: &mut Lookups,
        from: usize,
        size: usize,
    ) -> Result<()> {
        let arena = &self.arena;
        let (used, key_type) = (arena.maps_used(), arena.shape.key);
        let base = arena.memory.base();
        let value_width = arena.shape.value.width();
        let mut ids = [0u64; BATCH];
        for (i, id) in ids[..size].iter_mut().enumerate() {
            // SAFETY: the arrays have these elements, guaranteed by the caller.
            unsafe {
                *id = self.ids.load(from + i);
                lookups.keys[i] = stored_bits(element(self.keys, from + i, K::BYTES), key_type);
            }
            prefetch(base.wrapping_add(arena.layout.directory + *id as u32 as usize * 8));
        }
        for (i, &id) in ids[..size].iter().enumerate() {
            let Some(map) = arena.map_of(id) else { return Err(stale(id)) };
            debug_assert!(map < used);
            lookups.maps[i] = map;
            let word = arena.place_word(map);
            // If the map is promoted, this prefetches unrelated memory, which is harmless.
            let first = (word >> 4) as usize * 2;
            prefetch(base.wrapping_add(arena.layout.keys + first * K::BYTES));
            prefetch(base.wrapping_add(arena.layout.values + first * value_width));
        }
        for i in 0..size {
            let (map, key) = (lookups.maps[i], lookups.keys[i]);
            let location = match arena.map_state(map) {
                // SAFETY: `map_state` checked that the slot is within the columns; keys are as wide
                // as `K`.
                MapState::Inline { first, count } => unsafe {
                    lane::<S, K>(arena, first, count, key).map(|lane| Location::Slot(first + lane))
                },
                MapState::Promoted { .. } => arena.find_in_table(map, key).map(Location::Table),
            };
            lookups.hits[i] = location.is_some();
            if let Some(location) = location {
                lookups.values[i] = arena.value_at(location);
            }
        }
        Ok(())
    }

    #[cold]
    fn reattach(&mut self) -> Result<()> {
        let attached =
            RawArena::read(self.arena.memory, READ_TIMEOUT).map_err(|error| match error.kind() {
                // The region was valid when this call began, so its owner has extended it beyond
                // the view.
                ErrorKind::Corrupt => {
                    Error::stale("the region grew beyond the given bytes: attach to it again")
                }
                _ => error,
            })?;
        let (old, new) = (self.arena.shape, attached.shape);
        if (old.key, old.value) != (new.key, new.value) {
            return Err(Error::corrupt("the types of the arena changed"));
        }
        self.arena = attached;
        Ok(())
    }

    /// Writes the results of a batch, and returns the number of keys found.
    ///
    /// # Safety
    /// The outputs have `size` elements from `from` on.
    #[inline(always)]
    unsafe fn deliver(&self, lookups: &Lookups, from: usize, size: usize) -> usize {
        let mut total = 0;
        let width = self.arena.shape.value.width();
        for i in 0..size {
            let (value, at) = (lookups.values[i], from + i);
            total += usize::from(lookups.hits[i]);
            // SAFETY: the outputs have `size` elements from `from` on, guaranteed by the caller.
            unsafe {
                if lookups.hits[i] {
                    match width {
                        1 => self.values.add(at).write(value as u8),
                        2 => self.values.cast::<u16>().add(at).write(value as u16),
                        4 => self.values.cast::<u32>().add(at).write(value as u32),
                        _ => self.values.cast::<u64>().add(at).write(value),
                    }
                }
                if !self.found.is_null() {
                    self.found.add(at).write(u8::from(lookups.hits[i]));
                }
            }
        }
        total
    }
}

/// Sets `keys[i]` to `values[i]` in the map with id `ids[i]`, for i from `from` to `count` − 1.
/// Returns the index of the first key that was not set because the arena is full, else `count`.
/// `Stale`, with nothing changed, if an id from `from` on is invalid, or a key or value is not a
/// string of the arena.
///
/// # Safety
/// As for [`RawArenaMut::attach`] and [`get_many`].
#[expect(clippy::too_many_arguments, reason = "three arrays and the arena")]
pub unsafe fn set_many(
    base: *mut u8,
    len: usize,
    check: impl FnOnce(&Shape) -> Result<()>,
    ids: Ids,
    keys: *const u8,
    values: *const u8,
    count: usize,
    from: usize,
) -> Result<usize> {
    // SAFETY: as for `attach`, guaranteed by the caller.
    let mut arena = unsafe { RawArenaMut::attach(base, len) }?;
    let shape = arena.shape();
    check(&shape)?;
    let (key_width, value_width) = (shape.key.width(), shape.value.width());
    let memory = arena.memory();
    let directory = memory.base().wrapping_add(shape.layout()?.directory);
    // SAFETY: the array has `count` elements, guaranteed by the caller.
    let id = |i: usize| unsafe { ids.load(i) };
    // SAFETY: as above; the widths are those of the columns.
    let entry = |i: usize| unsafe { (element(keys, i, key_width), element(values, i, value_width)) };
    for start in (from..count).step_by(BATCH) {
        let end = count.min(start + BATCH);
        (start..end).for_each(|i| prefetch(directory.wrapping_add(id(i) as u32 as usize * 8)));
        for i in start..end {
            arena.live(id(i))?;
            if shape.has_strings() {
                let (key, value) = entry(i);
                arena.check_string(shape.key, key)?;
                arena.check_string(shape.value, value)?;
            }
        }
    }
    const AHEAD: usize = 16;
    for i in from..count {
        if i + AHEAD < count {
            let next = id(i + AHEAD) as u32;
            if next < arena.maps_used() {
                let first = (arena.place_word(next) >> 4) as usize * 2;
                prefetch(memory.base().wrapping_add(arena.layout().keys + first * key_width));
                prefetch(memory.base().wrapping_add(arena.layout().values + first * value_width));
            }
        }
        let (key, value) = entry(i);
        let value = if shape.value == Type::Bool { u64::from(value != 0) } else { value };
        if arena.set(id(i), stored_bits(key, shape.key), value)? == Placed::Full {
            return Ok(i);
        }
    }
    Ok(count)
}

/// Copies a map's entries, in insertion order, into arrays of `capacity` elements of the arena's
/// types. Returns the number of entries, which may be larger than the number of copied ones.
///
/// # Safety
/// As for [`get_many`], with `capacity` elements.
pub unsafe fn entries(
    base: *const u8,
    len: usize,
    check: impl FnOnce(&Shape) -> Result<()>,
    id: u64,
    keys: *mut u8,
    values: *mut u8,
    capacity: usize,
) -> Result<usize> {
    // SAFETY: as for `attach_shared`, guaranteed by the caller.
    let mut arena = unsafe { RawArena::attach_shared(base, len, READ_TIMEOUT) }?;
    check(&arena.shape())?;
    loop {
        let recycles = arena.recycles();
        let map = arena.live(id);
        let mut count = 0;
        if let Ok(map) = map {
            let (key_width, value_width) = (arena.shape.key.width(), arena.shape.value.width());
            arena.for_each(map, |location| {
                if count < capacity {
                    let (key, value) =
                        (arena.key_at(location).to_le_bytes(), arena.value_at(location).to_le_bytes());
                    // SAFETY: the arrays have `capacity` elements of these widths, guaranteed by
                    // the caller.
                    unsafe {
                        std::ptr::copy_nonoverlapping(key.as_ptr(), keys.add(count * key_width), key_width);
                        std::ptr::copy_nonoverlapping(
                            value.as_ptr(),
                            values.add(count * value_width),
                            value_width,
                        );
                    }
                }
                count += 1;
            });
        }
        if arena.memory.read_retry(arena.sequence()) {
            arena = RawArena::read(arena.memory, READ_TIMEOUT)?;
        } else if arena.recycles() == recycles {
            return map.map(|_| count);
        }
    }
}
