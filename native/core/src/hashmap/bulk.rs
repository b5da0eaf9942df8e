//! Many numeric keys in one call.
//!
//! A lookup in a map larger than the caches waits for memory two or three times, one after another.
//! Here 32 lookups go side by side: first all hashes, with each key's bucket prefetched; then all
//! tags, with each candidate's key and value prefetched; then the comparisons. So their waits overlap
//! (Chen, Ailamaki, Gibbons, Mowry: "Improving hash join performance through prefetching", 2004).
//!
//! Reading calls are for any thread that the region is shared with: after each batch they look whether
//! the owner rearranged the region meanwhile, and if so attach anew and repeat the batch. Outputs are
//! written only after that, so a key that is missing leaves its output as it was.
//!
//! Keys and values come in arrays of the schema's own element types, given by address because they
//! too may lie in memory that other threads write.

use super::hash::tag;
use super::index::{Group, Native};
use super::layout::Type;
use super::raw::{Placed, PlainValue, RawKey, RawMap, RawMapMut, RawValue};
use crate::{Error, ErrorKind, Result};
use std::time::Duration;

/// Keys in a batch: enough to keep the processor's line-fill buffers (10 to 48) busy; 16 and 64
/// measured within 5%, 8 clearly slower.
const BATCH: usize = 32;
/// "No such key", in place of a position. Above every capacity.
const MISSING: u32 = u32::MAX;
/// "The home bucket did not decide", in place of a position.
const UNDECIDED: u32 = u32::MAX - 1;
/// How long a reader waits for a rearrangement to end: more than the largest map needs.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Asks for a cache line. Any address will do, also one that is not mapped.
#[inline(always)]
pub(crate) fn prefetch(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: SSE is part of x86-64, and a prefetch never faults.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address.cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a prefetch never faults and changes nothing.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{0}]", in(reg) address, options(readonly, nostack, preserves_flags));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = address;
}

/// How keys of one type come out of an array.
trait Load {
    type Key: RawKey;
    /// # Safety
    /// `keys` has an element of this type at `index`, and is aligned for it.
    unsafe fn load(keys: *const u8, index: usize) -> Self::Key;
}

struct Narrow;
struct Wide;
struct Float;

impl Load for Narrow {
    type Key = u32;
    #[inline(always)]
    unsafe fn load(keys: *const u8, index: usize) -> u32 {
        // SAFETY: the caller's word.
        unsafe { keys.cast::<u32>().add(index).read_volatile() }
    }
}

impl Load for Wide {
    type Key = u64;
    #[inline(always)]
    unsafe fn load(keys: *const u8, index: usize) -> u64 {
        // SAFETY: the caller's word.
        unsafe { keys.cast::<u64>().add(index).read_volatile() }
    }
}

impl Load for Float {
    type Key = u64;
    #[inline(always)]
    unsafe fn load(keys: *const u8, index: usize) -> u64 {
        // SAFETY: the caller's word.
        super::hash::canonical(unsafe { Wide::load(keys, index) })
    }
}

/// Runs a generic call for the schema's key type.
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

/// Runs a generic call for the schema's value type.
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

/// One batch: keys, their hashes, and, once resolved, their positions (or [`MISSING`]).
struct Batch<K> {
    keys: [K; BATCH],
    hashes: [u32; BATCH],
    positions: [u32; BATCH],
    count: usize,
}

impl<K: RawKey> Batch<K> {
    /// Loads and hashes keys, and asks for their buckets.
    ///
    /// # Safety
    /// `keys` has `count` elements from `from` on, at most [`BATCH`]; the map's keys are `L`'s.
    #[inline(always)]
    unsafe fn load<L: Load<Key = K>>(map: &RawMap, keys: *const u8, from: usize, count: usize) -> Batch<K> {
        debug_assert!(0 < count && count <= BATCH);
        // SAFETY: there is at least one element, by the caller's word.
        let first = unsafe { L::load(keys, from) };
        let mut batch =
            Batch { keys: [first; BATCH], hashes: [0; BATCH], positions: [MISSING; BATCH], count };
        for i in 0..count {
            // SAFETY: below `count`.
            let key = unsafe { L::load(keys, from + i) };
            let hash = key.hash(map.seeds());
            batch.keys[i] = key;
            batch.hashes[i] = hash;
            prefetch(map.index().address(map.home(hash)));
        }
        batch
    }

    /// Looks at the home buckets, and asks for the keys and values of the first candidates.
    #[inline(always)]
    fn candidates(&mut self, map: &RawMap, value_width: usize) {
        let index = map.index();
        for i in 0..self.count {
            let hash = self.hashes[i];
            let home = map.home(hash);
            let (group, overflow) = index.load::<Native>(home);
            let lanes = group.matches(tag(hash));
            // Lane 0 stands in for "none", so that the usual case has no branch to mispredict.
            let lane = if lanes == 0 { 0 } else { lanes.trailing_zeros() };
            let position = index.position(home, lane);
            let absent = if overflow == 0 { MISSING } else { UNDECIDED };
            self.positions[i] = if lanes == 0 { absent } else { position };
            if lanes != 0 {
                prefetch(map.key_address::<K>(position));
                if value_width != 0 {
                    prefetch(map.value_address(position, value_width));
                }
            }
        }
    }

    /// Compares the keys: afterwards each position is below `used`, or [`MISSING`].
    ///
    /// # Safety
    /// The map's keys are of the form `K`.
    #[inline(always)]
    unsafe fn decide(&mut self, map: &RawMap) {
        let used = map.used();
        for i in 0..self.count {
            let position = self.positions[i];
            if position == MISSING {
                continue;
            }
            // SAFETY: `used` is at most the capacity; the form is the caller's word.
            if position < used && unsafe { self.keys[i].equals(map, position) } {
                continue;
            }
            // SAFETY: the caller's word.
            let found = unsafe { map.find_with::<Native, K>(self.keys[i], self.hashes[i]) };
            self.positions[i] = found.map_or(MISSING, |(_, position)| position);
        }
    }
}

/// Calls `step` with each batch's first index and length. `Some` from it is the answer.
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
        // SAFETY: the caller's word.
        Ok(Follower { map: unsafe { RawMap::attach_shared(base, len, PATIENCE) }? })
    }

    /// Runs `read` until it ran while nothing was rearranged.
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
        let anew = RawMap::read(self.map.memory(), PATIENCE).map_err(|error| match error.kind() {
            // It was sound when this call began, so its owner has made it longer than the view.
            ErrorKind::Corrupt => Error::stale("the region grew past the bytes given: view it anew"),
            _ => error,
        })?;
        let (old, new) = (self.map.shape(), anew.shape());
        if (old.key, old.value) != (new.key, new.value) {
            return Err(Error::corrupt("the types of the map changed"));
        }
        self.map = anew;
        Ok(())
    }
}

/// Gets the values of `count` keys: `values[i]` is that of `keys[i]`, or left as it was where the key is
/// missing; `found[i]`, if wanted, says which. Returns how many were found.
///
/// # Safety
/// `base` and `len` as for `RawMap::attach`. `keys` and `values` have `count` elements of the map's
/// types and `found` is null or has `count` bytes; nothing else uses `values` and `found` meanwhile.
pub unsafe fn get_many(
    base: *const u8,
    len: usize,
    keys: *const u8,
    count: usize,
    values: *mut u8,
    found: *mut u8,
) -> Result<usize> {
    // SAFETY: the caller's word, here and below.
    let mut follower = unsafe { Follower::attach(base, len) }?;
    let shape = follower.map.shape();
    for_keys!(shape.key, L => for_values!(shape.value, V => unsafe {
        get_typed::<L, V>(&mut follower, keys, count, values.cast(), found)
    }))
}

unsafe fn get_typed<L: Load, V: PlainValue + Default>(
    follower: &mut Follower,
    keys: *const u8,
    count: usize,
    values: *mut V,
    found: *mut u8,
) -> Result<usize> {
    let mut total = 0;
    let error = batches(0, count, |from, size| {
        let mut read = [V::default(); BATCH];
        let positions = follower.consistent(|map| {
            // SAFETY: the caller's word; positions are below `used` after `decide`.
            unsafe {
                let mut batch = Batch::load::<L>(map, keys, from, size);
                batch.candidates(map, size_of::<V>());
                batch.decide(map);
                for i in 0..size {
                    if batch.positions[i] != MISSING {
                        read[i] = V::read(map, batch.positions[i]);
                    }
                }
                batch.positions
            }
        });
        let positions = match positions {
            Ok(positions) => positions,
            Err(error) => return Some(error),
        };
        for i in 0..size {
            let hit = positions[i] != MISSING;
            total += usize::from(hit);
            // SAFETY: the outputs have `count` elements.
            unsafe {
                if hit {
                    values.add(from + i).write(read[i]);
                }
                if !found.is_null() {
                    found.add(from + i).write(u8::from(hit));
                }
            }
        }
        None
    });
    error.map_or(Ok(total), Err)
}

/// Tells which of `count` keys are in the map: `found[i]` is 1 or 0. Returns how many are.
///
/// # Safety
/// As for [`get_many`].
pub unsafe fn has_many(
    base: *const u8,
    len: usize,
    keys: *const u8,
    count: usize,
    found: *mut u8,
) -> Result<usize> {
    // SAFETY: the caller's word, here and below.
    let mut follower = unsafe { Follower::attach(base, len) }?;
    for_keys!(follower.map.shape().key, L => unsafe { has_typed::<L>(&mut follower, keys, count, found) })
}

unsafe fn has_typed<L: Load>(
    follower: &mut Follower,
    keys: *const u8,
    count: usize,
    found: *mut u8,
) -> Result<usize> {
    let mut total = 0;
    let error = batches(0, count, |from, size| {
        let positions = follower.consistent(|map| {
            // SAFETY: the caller's word.
            unsafe {
                let mut batch = Batch::load::<L>(map, keys, from, size);
                batch.candidates(map, 0);
                batch.decide(map);
                batch.positions
            }
        });
        let positions = match positions {
            Ok(positions) => positions,
            Err(error) => return Some(error),
        };
        for (i, &position) in positions[..size].iter().enumerate() {
            let hit = position != MISSING;
            total += usize::from(hit);
            if !found.is_null() {
                // SAFETY: the output has `count` elements.
                unsafe { found.add(from + i).write(u8::from(hit)) };
            }
        }
        None
    });
    error.map_or(Ok(total), Err)
}

/// Sets `keys[from..count]` to `values[from..count]`. Returns the index of the first that was not, because
/// the map is full and must be rebuilt first; `count` when all were.
///
/// # Safety
/// `base` and `len` as for `RawMapMut::attach`. `keys` and `values` have `count` elements of the map's types.
pub unsafe fn set_many(
    base: *mut u8,
    len: usize,
    keys: *const u8,
    values: *const u8,
    count: usize,
    from: usize,
) -> Result<usize> {
    // SAFETY: the caller's word, here and below.
    let mut map = unsafe { RawMapMut::attach(base, len) }?;
    let shape = map.shape();
    if shape.value == Type::Bool {
        // A JavaScript program reads the column as 0 and 1.
        return for_keys!(shape.key, L => Ok(unsafe {
            set_typed::<L, u8>(&mut map, keys, values, count, from, |value| u8::from(value != 0))
        }));
    }
    for_keys!(shape.key, L => for_values!(shape.value, V => Ok(unsafe {
        set_typed::<L, V>(&mut map, keys, values.cast(), count, from, |value| value)
    })))
}

unsafe fn set_typed<L: Load, V: RawValue>(
    map: &mut RawMapMut,
    keys: *const u8,
    values: *const V,
    count: usize,
    from: usize,
    stored: impl Fn(V) -> V,
) -> usize {
    let full = batches(from, count, |from, size| {
        // SAFETY: the caller's word.
        unsafe {
            let mut batch = Batch::load::<L>(map, keys, from, size);
            batch.candidates(map, size_of::<V>());
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

/// Deletes `count` keys. Returns how many of them were in the map.
///
/// # Safety
/// `base` and `len` as for `RawMapMut::attach`. `keys` has `count` elements of the map's key type.
pub unsafe fn delete_many(base: *mut u8, len: usize, keys: *const u8, count: usize) -> Result<usize> {
    // SAFETY: the caller's word, here and below.
    let mut map = unsafe { RawMapMut::attach(base, len) }?;
    for_keys!(map.shape().key, L => Ok(unsafe { delete_typed::<L>(&mut map, keys, count) }))
}

unsafe fn delete_typed<L: Load>(map: &mut RawMapMut, keys: *const u8, count: usize) -> usize {
    let mut total = 0;
    batches(0, count, |from, size| {
        // SAFETY: the caller's word.
        unsafe {
            let mut batch = Batch::load::<L>(map, keys, from, size);
            batch.candidates(map, 0);
            for i in 0..size {
                total += usize::from(map.delete(batch.keys[i], batch.hashes[i]).is_some());
            }
        }
        None::<()>
    });
    total
}

/// Gets the handles of `count` keys, 0 (which is no handle) where a key is missing. Returns how many
/// were found. It notes in the region that handles exist, so it is for the writer.
///
/// # Safety
/// `base` and `len` as for `RawMapMut::attach`. `keys` has `count` elements of the map's key type,
/// and `handles` has `count` elements that nothing else uses.
pub unsafe fn handles_of(
    base: *mut u8,
    len: usize,
    keys: *const u8,
    count: usize,
    handles: *mut u64,
) -> Result<usize> {
    // SAFETY: the caller's word, here and below.
    let mut map = unsafe { RawMapMut::attach(base, len) }?;
    for_keys!(map.shape().key, L => Ok(unsafe { handles_typed::<L>(&mut map, keys, count, handles) }))
}

unsafe fn handles_typed<L: Load>(
    map: &mut RawMapMut,
    keys: *const u8,
    count: usize,
    handles: *mut u64,
) -> usize {
    let mut total = 0;
    batches(0, count, |from, size| {
        // SAFETY: the caller's word.
        unsafe {
            let mut batch = Batch::load::<L>(map, keys, from, size);
            batch.candidates(map, 0);
            batch.decide(map);
            map.prefetch_slots(&batch.positions[..size]);
            for (i, &position) in batch.positions[..size].iter().enumerate() {
                let handle = if position == MISSING { 0 } else { map.handle_at(position) };
                total += usize::from(handle != 0);
                handles.add(from + i).write(handle);
            }
        }
        None::<()>
    });
    if total > 0 {
        map.issue_handles();
    }
    total
}

/// Gets the values of the entries that `count` handles name, as [`get_many`] does for keys. Returns how
/// many are alive.
///
/// # Safety
/// As for [`get_many`]; `handles` has `count` elements.
pub unsafe fn get_many_by_handle(
    base: *const u8,
    len: usize,
    handles: *const u64,
    count: usize,
    values: *mut u8,
    found: *mut u8,
) -> Result<usize> {
    // SAFETY: the caller's word, here and below.
    let mut follower = unsafe { Follower::attach(base, len) }?;
    for_values!(follower.map.shape().value, V => unsafe {
        by_handle_typed::<V>(&mut follower, handles, count, values.cast(), found)
    })
}

unsafe fn by_handle_typed<V: PlainValue + Default>(
    follower: &mut Follower,
    handles: *const u64,
    count: usize,
    values: *mut V,
    found: *mut u8,
) -> Result<usize> {
    let mut total = 0;
    let error = batches(0, count, |from, size| {
        let mut read = [V::default(); BATCH];
        let mut hits = [false; BATCH];
        let done = follower.consistent(|map| {
            let mut wanted = [0u64; BATCH];
            for (i, handle) in wanted[..size].iter_mut().enumerate() {
                // SAFETY: `handles` has `count` elements.
                *handle = unsafe { handles.add(from + i).read_volatile() };
            }
            map.prefetch_handles(&wanted[..size], size_of::<V>());
            for i in 0..size {
                let position = map.position_of_handle(wanted[i]);
                hits[i] = position.is_some();
                if let Some(position) = position {
                    // SAFETY: the position is below `used`; the form was chosen by the schema.
                    read[i] = unsafe { V::read(map, position) };
                }
            }
        });
        if let Err(error) = done {
            return Some(error);
        }
        for i in 0..size {
            total += usize::from(hits[i]);
            // SAFETY: the outputs have `count` elements.
            unsafe {
                if hits[i] {
                    values.add(from + i).write(read[i]);
                }
                if !found.is_null() {
                    found.add(from + i).write(u8::from(hits[i]));
                }
            }
        }
        None
    });
    error.map_or(Ok(total), Err)
}

impl RawMap {
    /// Asks for what `handle_at` will read.
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

    /// Asks for what `position_of_handle` and a read of the value will touch.
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
