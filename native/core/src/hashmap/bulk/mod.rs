//! Many numeric keys in one call.
//!
//! A lookup in a map larger than the caches waits for memory two or three times in succession.
//! Here, 256 lookups proceed together: first all hashes, prefetching each key's bucket; then all
//! tags, prefetching each candidate's key and value; then the comparisons. So their waits overlap
//! (Chen, Ailamaki, Gibbons, Mowry: "Improving hash join performance through prefetching", 2004).
//!
//! Any thread with which the region is shared may make reading calls: after each batch they check
//! whether the owner rearranged the region at the same time, and if so attach again and repeat the
//! batch. Outputs are written only after that check, so a missing key leaves its output unchanged.
//!
//! Keys and values are arrays of the schema's own element types, given by address, because they may
//! be in memory that other threads write. The schema is in such memory as well, so a caller cannot
//! check it before the call: each call passes the shape that it is about to use to its `check`.

mod batch;

use self::batch::{BATCH, Batch, Float, Load, MISSING, Narrow, Wide, is_cached};
use super::layout::Shape;
use super::raw::{Placed, PlainValue, RawMap, RawMapMut, RawValue};
use crate::cpu::prefetch;
use crate::region::element::Type;
use crate::region::sequence::READ_TIMEOUT;
use crate::{Error, ErrorKind, Result};

/// Evaluates a generic call for the schema's key type.
macro_rules! for_keys {
    ($ty:expr, $load:ident => $call:expr) => {
        match $ty {
            Type::U32 | Type::I32 => {
                type $load = Narrow;
                $call
            }
            Type::U64 | Type::I64 => {
                type $load = Wide;
                $call
            }
            Type::F64 => {
                type $load = Float;
                $call
            }
            _ => Err(Error::unsupported("bulk calls take numeric keys")),
        }
    };
}

/// Evaluates a generic call for the schema's value type.
macro_rules! for_values {
    ($ty:expr, $value:ident => $call:expr) => {
        match $ty.width() {
            1 => {
                type $value = u8;
                $call
            }
            2 => {
                type $value = u16;
                $call
            }
            4 if !$ty.is_blob() => {
                type $value = u32;
                $call
            }
            8 => {
                type $value = u64;
                $call
            }
            _ => Err(Error::unsupported("bulk calls take numeric and boolean values")),
        }
    };
}

/// Calls `step` with the first index and the length of each batch. Stops with its result if that is
/// `Some`.
#[inline(always)]
fn batches<T>(from: usize, count: usize, mut step: impl FnMut(usize, usize) -> Option<T>) -> Option<T> {
    let mut at = from;
    while at < count {
        let size = BATCH.min(count - at);
        if let Some(answer) = step(at, size) {
            return Some(answer);
        }
        at += size;
    }
    None
}

/// A reader's view that follows the region through rearrangements.
struct Follower {
    map: RawMap,
}

impl Follower {
    /// # Safety
    /// As for `RawMap::attach`.
    unsafe fn attach(base: *const u8, len: usize) -> Result<Follower> {
        // SAFETY: the caller guarantees that the bytes are readable.
        Ok(Follower { map: unsafe { RawMap::attach_shared(base, len, READ_TIMEOUT) }? })
    }

    /// Repeats `read` until nothing was rearranged while it ran.
    #[inline(always)]
    fn consistent<T>(&mut self, mut read: impl FnMut(&RawMap) -> T) -> Result<T> {
        loop {
            let result = read(&self.map);
            if !self.map.memory().read_retry(self.map.sequence()) {
                return Ok(result);
            }
            self.attach_anew()?;
        }
    }

    #[cold]
    fn attach_anew(&mut self) -> Result<()> {
        let refreshed =
            RawMap::read(self.map.memory(), READ_TIMEOUT).map_err(|error| match error.kind() {
                // It was valid when this call began, so its owner has made it longer than the view.
                ErrorKind::Corrupt => Error::stale("the region grew past the given bytes: attach again"),
                _ => error,
            })?;
        let (old, new) = (self.map.shape(), refreshed.shape());
        if (old.key, old.value) != (new.key, new.value) {
            return Err(Error::corrupt("the types of the map changed"));
        }
        self.map = refreshed;
        Ok(())
    }
}

/// The output arrays of a reading call.
struct Outputs<V> {
    values: *mut V,
    /// Null if not requested.
    found: *mut u8,
}

/// The answers of one batch, which are kept here until they are known to be consistent.
struct Answers<V> {
    values: [V; BATCH],
    hits: [bool; BATCH],
}

impl<V: Copy + Default> Outputs<V> {
    /// Answers `count` queries, batch by batch: `answer` is called with the view, the index of the
    /// first query of the batch, and their number. Returns the number of hits.
    ///
    /// # Safety
    /// The outputs have `count` elements, and nothing else uses them.
    #[inline(always)]
    unsafe fn fill(
        self,
        follower: &mut Follower,
        count: usize,
        mut answer: impl FnMut(&RawMap, usize, usize, &mut Answers<V>),
    ) -> Result<usize> {
        let mut answers = Answers { values: [V::default(); BATCH], hits: [false; BATCH] };
        let mut total = 0;
        let failure = batches(0, count, |from, size| {
            if let Err(error) = follower.consistent(|map| answer(map, from, size, &mut answers)) {
                return Some(error);
            }
            for (i, (&value, &hit)) in answers.values.iter().zip(&answers.hits).take(size).enumerate() {
                total += usize::from(hit);
                // SAFETY: the caller guarantees the arrays and types.
                unsafe {
                    if hit {
                        self.values.add(from + i).write(value);
                    }
                    if !self.found.is_null() {
                        self.found.add(from + i).write(u8::from(hit));
                    }
                }
            }
            None
        });
        failure.map_or(Ok(total), Err)
    }
}

/// Gets the values of `count` keys: `values[i]` becomes that of `keys[i]`, or stays unchanged if
/// the key is missing; `found[i]` becomes 1 or 0, if requested. Returns the number of keys found.
///
/// # Safety
/// `base` and `len` as for `RawMap::attach`. If `check` agrees, `keys` and `values` have `count`
/// elements of the map's types and `found` is null or has `count` bytes; nothing else uses `values`
/// and `found` during the call.
pub unsafe fn get_many(
    base: *const u8,
    len: usize,
    check: impl FnOnce(&Shape) -> Result<()>,
    keys: *const u8,
    count: usize,
    values: *mut u8,
    found: *mut u8,
) -> Result<usize> {
    // SAFETY: guaranteed by the caller; the types are those of the schema.
    unsafe {
        let mut follower = Follower::attach(base, len)?;
        let shape = follower.map.shape();
        check(&shape)?;
        for_keys!(shape.key, L => for_values!(shape.value, V => {
            let outputs = Outputs { values: values.cast::<V>(), found };
            get_typed::<L, V>(&mut follower, keys, count, outputs)
        }))
    }
}

/// # Safety
/// As for [`get_many`]; `L` and `V` are the map's types.
unsafe fn get_typed<L: Load, V: PlainValue + Default>(
    follower: &mut Follower,
    keys: *const u8,
    count: usize,
    outputs: Outputs<V>,
) -> Result<usize> {
    // SAFETY: the caller guarantees the arrays and types; resolved positions are below `used`.
    unsafe {
        outputs.fill(follower, count, |map, from, size, answers| {
            let mut batch = Batch::load::<L>(map, keys, from, size);
            batch.resolve(map, size_of::<V>());
            for (i, &position) in batch.positions[..size].iter().enumerate() {
                answers.hits[i] = position != MISSING;
                if position != MISSING {
                    answers.values[i] = V::read(map, position);
                }
            }
        })
    }
}

/// Looks up `count` keys: `found[i]` becomes 1 if the map contains `keys[i]`, or else 0. Returns
/// the number of keys found.
///
/// # Safety
/// As for [`get_many`].
pub unsafe fn has_many(
    base: *const u8,
    len: usize,
    check: impl FnOnce(&Shape) -> Result<()>,
    keys: *const u8,
    count: usize,
    found: *mut u8,
) -> Result<usize> {
    // SAFETY: guaranteed by the caller; the type of keys is that of the schema.
    unsafe {
        let mut follower = Follower::attach(base, len)?;
        check(&follower.map.shape())?;
        for_keys!(follower.map.shape().key, L => has_typed::<L>(&mut follower, keys, count, found))
    }
}

/// # Safety
/// As for [`has_many`]; `L` is the map's type of keys.
unsafe fn has_typed<L: Load>(
    follower: &mut Follower,
    keys: *const u8,
    count: usize,
    found: *mut u8,
) -> Result<usize> {
    // The values have no size, so nothing is written to this address.
    let outputs = Outputs { values: std::ptr::dangling_mut::<()>(), found };
    // SAFETY: the caller guarantees the arrays and types.
    unsafe {
        outputs.fill(follower, count, |map, from, size, answers| {
            let mut batch = Batch::load::<L>(map, keys, from, size);
            batch.resolve(map, 0);
            for (hit, &position) in answers.hits.iter_mut().zip(&batch.positions[..size]) {
                *hit = position != MISSING;
            }
        })
    }
}

/// Sets `keys[from..count]` to `values[from..count]`. Returns the index of the first one that was
/// not set, because the map is full and must be rebuilt first, or `count` if all were.
///
/// # Safety
/// `base` and `len` as for `RawMapMut::attach`. If `check` agrees, `keys` and `values` have `count`
/// elements of the map's types.
pub unsafe fn set_many(
    base: *mut u8,
    len: usize,
    check: impl FnOnce(&Shape) -> Result<()>,
    keys: *const u8,
    values: *const u8,
    count: usize,
    from: usize,
) -> Result<usize> {
    // SAFETY: guaranteed by the caller; the types are those of the schema.
    unsafe {
        let mut map = RawMapMut::attach(base, len)?;
        check(&map.shape())?;
        let shape = map.shape();
        if shape.value == Type::Bool {
            // JavaScript reads the column as 0 and 1.
            let stored = |value| u8::from(value != 0);
            return for_keys!(shape.key, L => Ok(set_typed::<L, u8>(&mut map, keys, values, count, from, stored)));
        }
        for_keys!(shape.key, L => for_values!(shape.value, V => {
            Ok(set_typed::<L, V>(&mut map, keys, values.cast(), count, from, |value| value))
        }))
    }
}

/// # Safety
/// As for [`set_many`]; `L` and `V` are the map's types.
unsafe fn set_typed<L: Load, V: RawValue>(
    map: &mut RawMapMut,
    keys: *const u8,
    values: *const V,
    count: usize,
    from: usize,
    stored: impl Fn(V) -> V,
) -> usize {
    let full = batches(from, count, |from, size| {
        // SAFETY: the caller guarantees the arrays and types.
        unsafe {
            let mut batch = Batch::load::<L>(map, keys, from, size);
            if !is_cached(map) {
                batch.candidates(map, size_of::<V>());
            }
            for i in 0..size {
                let value = stored(values.add(from + i).read_volatile());
                if map.upsert(batch.keys[i], value, batch.hashes[i]) == Placed::Full {
                    return Some(from + i);
                }
            }
        }
        None
    });
    full.unwrap_or(count)
}

/// Deletes `count` keys. Returns the number of keys that were in the map.
///
/// # Safety
/// `base` and `len` as for `RawMapMut::attach`. If `check` agrees, `keys` has `count` elements of
/// the map's key type.
pub unsafe fn delete_many(
    base: *mut u8,
    len: usize,
    check: impl FnOnce(&Shape) -> Result<()>,
    keys: *const u8,
    count: usize,
) -> Result<usize> {
    // SAFETY: guaranteed by the caller; the type of keys is that of the schema.
    unsafe {
        let mut map = RawMapMut::attach(base, len)?;
        check(&map.shape())?;
        for_keys!(map.shape().key, L => Ok(delete_typed::<L>(&mut map, keys, count)))
    }
}

/// # Safety
/// As for [`delete_many`]; `L` is the map's type of keys.
unsafe fn delete_typed<L: Load>(map: &mut RawMapMut, keys: *const u8, count: usize) -> usize {
    let mut total = 0;
    batches(0, count, |from, size| {
        // SAFETY: the caller guarantees the arrays and types.
        unsafe {
            let mut batch = Batch::load::<L>(map, keys, from, size);
            if !is_cached(map) {
                batch.candidates(map, 0);
            }
            for i in 0..size {
                total += usize::from(map.delete(batch.keys[i], batch.hashes[i]).is_some());
            }
        }
        None::<()>
    });
    total
}

/// Gets the handles of `count` keys, or 0, which is not a handle, for missing keys. Returns the
/// number of keys found. Records in the region that handles exist, so only the writer may call it.
///
/// # Safety
/// `base` and `len` as for `RawMapMut::attach`. If `check` agrees, `keys` has `count` elements of
/// the map's key type, and `handles` has `count` elements that nothing else uses.
pub unsafe fn handles_of(
    base: *mut u8,
    len: usize,
    check: impl FnOnce(&Shape) -> Result<()>,
    keys: *const u8,
    count: usize,
    handles: *mut u64,
) -> Result<usize> {
    // SAFETY: guaranteed by the caller; the type of keys is that of the schema.
    unsafe {
        let mut map = RawMapMut::attach(base, len)?;
        check(&map.shape())?;
        for_keys!(map.shape().key, L => Ok(handles_typed::<L>(&mut map, keys, count, handles)))
    }
}

/// # Safety
/// As for [`handles_of`]; `L` is the map's type of keys.
unsafe fn handles_typed<L: Load>(
    map: &mut RawMapMut,
    keys: *const u8,
    count: usize,
    handles: *mut u64,
) -> usize {
    let mut total = 0;
    batches(0, count, |from, size| {
        // SAFETY: the caller guarantees the arrays and types.
        unsafe {
            let mut batch = Batch::load::<L>(map, keys, from, size);
            batch.resolve(map, 0);
            map.prefetch_slots(&batch.positions[..size]);
            for (i, &position) in batch.positions[..size].iter().enumerate() {
                let handle = if position == MISSING { 0 } else { map.handle_at(position) };
                total += usize::from(handle != 0);
                handles.add(from + i).write(handle);
            }
        }
        None::<()>
    });
    // Nothing interrupts a native call, so this is early enough.
    if total > 0 {
        map.issue_handles();
    }
    total
}

/// Gets the values of the entries that `count` handles identify, as [`get_many`] does for keys.
/// Returns the number of entries that exist.
///
/// # Safety
/// As for [`get_many`]; `handles` has `count` elements.
pub unsafe fn get_many_by_handle(
    base: *const u8,
    len: usize,
    check: impl FnOnce(&Shape) -> Result<()>,
    handles: *const u64,
    count: usize,
    values: *mut u8,
    found: *mut u8,
) -> Result<usize> {
    // SAFETY: guaranteed by the caller; the type of values is that of the schema.
    unsafe {
        let mut follower = Follower::attach(base, len)?;
        check(&follower.map.shape())?;
        for_values!(follower.map.shape().value, V => {
            let outputs = Outputs { values: values.cast::<V>(), found };
            by_handle_typed::<V>(&mut follower, handles, count, outputs)
        })
    }
}

/// # Safety
/// As for [`get_many_by_handle`]; `V` is the map's type of values.
unsafe fn by_handle_typed<V: PlainValue + Default>(
    follower: &mut Follower,
    handles: *const u64,
    count: usize,
    outputs: Outputs<V>,
) -> Result<usize> {
    let mut wanted = [0u64; BATCH];
    // SAFETY: the caller guarantees the arrays and types; the position of a handle is below `used`.
    unsafe {
        outputs.fill(follower, count, |map, from, size, answers| {
            for (i, handle) in wanted[..size].iter_mut().enumerate() {
                *handle = handles.add(from + i).read_volatile();
            }
            map.prefetch_handles(&wanted[..size], size_of::<V>());
            for (i, &handle) in wanted[..size].iter().enumerate() {
                let position = map.position_of_handle(handle);
                answers.hits[i] = position.is_some();
                if let Some(position) = position {
                    answers.values[i] = V::read(map, position);
                }
            }
        })
    }
}

impl RawMap {
    /// Prefetches the memory that `handle_at` will read.
    fn prefetch_slots(&self, positions: &[u32]) {
        if self.shape().slots.is_none() {
            return;
        }
        let layout = self.layout();
        let base = self.memory().base();
        for &position in positions {
            prefetch(base.wrapping_add(layout.slot_of_entry + position as usize * 4));
        }
        for &position in positions {
            if position < self.used() {
                // SAFETY: `used` is at most the capacity.
                let slot = unsafe { self.memory().load_u32(layout.slot_of_entry + position as usize * 4) };
                prefetch(base.wrapping_add(layout.generations + slot as usize * 4));
            }
        }
    }

    /// Prefetches the memory that `position_of_handle` and a read of the value will touch.
    fn prefetch_handles(&self, handles: &[u64], value_width: usize) {
        let layout = self.layout();
        let base = self.memory().base();
        let prefetch_entry = |position: u32| {
            prefetch(base.wrapping_add(layout.dead + (position as usize / 32) * 4));
            prefetch(self.value_address(position, value_width));
        };
        if self.shape().slots.is_none() {
            handles.iter().for_each(|&handle| prefetch_entry(handle as u32));
            return;
        }
        for &handle in handles {
            let at = handle as u32 as usize * 4;
            prefetch(base.wrapping_add(layout.generations + at));
            prefetch(base.wrapping_add(layout.entry_of_slot + at));
        }
        let slots = self.slots_used();
        for &handle in handles {
            let slot = handle as u32;
            if slot < slots {
                // SAFETY: the slot is below the slot capacity.
                let position = unsafe { self.memory().load_u32(layout.entry_of_slot + slot as usize * 4) };
                prefetch(base.wrapping_add(layout.slot_of_entry + position as usize * 4));
                prefetch_entry(position);
            }
        }
    }
}
