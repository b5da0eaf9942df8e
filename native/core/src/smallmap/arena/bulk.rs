//! Many maps in one call.
//!
//! A lookup in an arena larger than the caches waits for memory twice or three times: for the
//! directory, then for keys and value. Here 128 lookups go side by side: first all directory
//! entries are asked for; then all slots; then the keys are compared, all those of a map at once
//! ([`super::super::search`]). So their waits overlap (Chen, Ailamaki, Gibbons, Mowry: "Improving
//! hash join performance through prefetching", 2004).
//!
//! [`get_many`] is for any thread that the region is shared with: after each batch it looks whether
//! the owner rearranged the region or recycled memory meanwhile, and if so repeats the batch.
//! Outputs are written only after that.
//!
//! Ids, keys and values come in arrays of element types that the caller names, given by address
//! because they may lie in memory that other threads write. The schema lies in such memory as well,
//! so each call shows its `check` the shape that it is about to work with.

use super::inline::lane;
use super::layout::Shape;
use super::raw::{MapState, RawArena, Spot, stale, stored_bits};
use super::write::{Placed, RawArenaMut};
use crate::cpu::{Features, prefetch};
use crate::region::element::Type;
use crate::region::sequence::READ_TIMEOUT;
use crate::smallmap::search::{self, Kernel, Lane, dispatch};
use crate::{Error, ErrorKind, Result};

/// Lookups in a batch.
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

    /// An id. What is none becomes one that no map has.
    ///
    /// # Safety
    /// The array has an element at `index`, and is aligned for its type.
    #[inline(always)]
    unsafe fn load(self, index: usize) -> u64 {
        // SAFETY: the caller's word.
        unsafe {
            match self.ty {
                Type::U32 => u64::from(self.data.cast::<u32>().add(index).read_volatile()),
                Type::U64 => self.data.cast::<u64>().add(index).read_volatile(),
                _ => {
                    let number = self.data.cast::<f64>().add(index).read_volatile();
                    // Saturates, and NaN becomes 0; so what is no integer does not come back as
                    // itself.
                    let id = number as u64;
                    if id as f64 == number { id } else { u64::MAX }
                }
            }
        }
    }
}

/// Reads a number of an array that others may be writing.
///
/// # Safety
/// The array has an element of this width at `index`, and is aligned for it.
#[inline(always)]
unsafe fn element(array: *const u8, index: usize, width: usize) -> u64 {
    // SAFETY: the caller's word.
    unsafe {
        match width {
            1 => u64::from(array.add(index).read_volatile()),
            2 => u64::from(array.cast::<u16>().add(index).read_volatile()),
            4 => u64::from(array.cast::<u32>().add(index).read_volatile()),
            _ => array.cast::<u64>().add(index).read_volatile(),
        }
    }
}

/// Gets the values of `count` keys, each of the map with the id beside it: `values[i]` is left as
/// it was where `keys[i]` is missing; `found[i]`, if wanted, says which. Returns how many were
/// found. `Stale` at the first id that names no map: the outputs of a part of those before it are
/// written.
///
/// # Safety
/// `base` and `len` as for `RawArena::attach`. If `check` agrees, `ids`, `keys` and `values` have
/// `count` elements, the last two of the arena's types, and `found` is null or has `count` bytes;
/// nothing else uses `values` and `found` meanwhile.
#[expect(clippy::too_many_arguments, reason = "three arrays and what they belong to")]
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
    // SAFETY: the caller's word.
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
        // SAFETY: the caller's word; the width is that of the arena's keys.
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

/// One batch on its way.
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
                // SAFETY: the caller's word.
                let outcome = unsafe { self.answer::<S, K>(&mut lookups, from, size) };
                // Looks at the sequence, after a fence; then at the other count.
                if self.arena.memory.read_retry(self.arena.sequence()) {
                    self.attach_anew()?;
                } else if self.arena.recycles() == recycles {
                    outcome?;
                    break;
                }
            }
            // SAFETY: the caller's word.
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
            // SAFETY: the caller's word.
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
            // Of a promoted map this asks for something else, which does no harm.
            let first = (word >> 4) as usize * 2;
            prefetch(base.wrapping_add(arena.layout.keys + first * K::BYTES));
            prefetch(base.wrapping_add(arena.layout.values + first * value_width));
        }
        for i in 0..size {
            let (map, key) = (lookups.maps[i], lookups.keys[i]);
            let spot = match arena.map_state(map) {
                // SAFETY: the place is of a slot within the columns; keys are as wide as `K`.
                MapState::Inline { first, count } => unsafe {
                    lane::<S, K>(arena, first, count, key).map(|lane| Spot::Slot(first + lane))
                },
                MapState::Promoted { .. } => arena.find_in_table(map, key).map(Spot::Table),
            };
            lookups.hits[i] = spot.is_some();
            if let Some(spot) = spot {
                lookups.values[i] = arena.value_at(spot);
            }
        }
        Ok(())
    }

    #[cold]
    fn attach_anew(&mut self) -> Result<()> {
        let anew = RawArena::read(self.arena.memory, READ_TIMEOUT).map_err(|error| match error.kind() {
            // It was sound when this call began, so its owner has made it longer than the view.
            ErrorKind::Corrupt => Error::stale("the region grew past the bytes given: view it anew"),
            _ => error,
        })?;
        let (old, new) = (self.arena.shape, anew.shape);
        if (old.key, old.value) != (new.key, new.value) {
            return Err(Error::corrupt("the types of the arena changed"));
        }
        self.arena = anew;
        Ok(())
    }

    /// Writes a batch's answers; returns how many were found.
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
            // SAFETY: the caller's word.
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
/// Returns the index of the first that was not set because the arena is full, else `count`.
/// `Stale`, with nothing changed, if from `from` on an id names no map, or a key or value no
/// string.
///
/// # Safety
/// As for [`RawArenaMut::attach`] and [`get_many`].
#[expect(clippy::too_many_arguments, reason = "three arrays and what they belong to")]
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
    // SAFETY: the caller's word.
    let mut arena = unsafe { RawArenaMut::attach(base, len) }?;
    let shape = arena.shape();
    check(&shape)?;
    let (key_width, value_width) = (shape.key.width(), shape.value.width());
    let memory = arena.memory();
    let directory = memory.base().wrapping_add(shape.layout()?.directory);
    // SAFETY: the arrays have `count` elements, by the caller's word.
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

/// Copies a map's entries, in the order of insertion, into arrays of `capacity` elements of the
/// arena's types. Returns how many entries there are, which may be more than were copied.
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
    // SAFETY: the caller's word.
    let mut arena = unsafe { RawArena::attach_shared(base, len, READ_TIMEOUT) }?;
    check(&arena.shape())?;
    loop {
        let recycles = arena.recycles();
        let map = arena.live(id);
        let mut count = 0;
        if let Ok(map) = map {
            let (key_width, value_width) = (arena.shape.key.width(), arena.shape.value.width());
            arena.for_each(map, |spot| {
                if count < capacity {
                    let (key, value) = (arena.key_at(spot).to_le_bytes(), arena.value_at(spot).to_le_bytes());
                    // SAFETY: the arrays have `capacity` elements of these widths.
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
