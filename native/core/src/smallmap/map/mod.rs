//! A map of a few entries for Rust programs: [`SmallMap<K, V>`].
//!
//! Up to [`INLINE_CAPACITY`] (8) entries are stored in the map itself, in insertion order, with the
//! keys separate from the values and on a cache line of their own: nothing is allocated, and a
//! lookup compares all keys at once ([`super::search`]). A ninth entry **promotes** the map: its
//! entries move to a hash table with the index of the core HashMap, and stay there until
//! [`SmallMap::clear`].
//!
//! ```
//! use offheap_core::smallmap::SmallMap;
//!
//! let mut ports: SmallMap<u16, &str> = SmallMap::new();
//! ports.insert(80, "http")?;
//! ports.insert(443, "https")?;
//! assert_eq!(ports.get(&443), Some(&"https"));
//! assert_eq!(ports.keys().collect::<Vec<_>>(), [&80, &443]);
//! # Ok::<(), offheap_core::Error>(())
//! ```
//!
//! **Order.** Iteration is in insertion order in both states. Removal preserves the order, and
//! replacing a value keeps the entry's position.
//!
//! **Keys** are types that implement [`Key`]: the numbers, which are searched for with vector
//! instructions, and strings, byte sequences, `char`, `bool` and 128-bit integers, which are
//! compared one by one. Implementing it for a type of your own takes ten lines. Floats are keys as
//! in JavaScript: NaN equals NaN, and -0 is 0.
//!
//! **Cost.** Inline: one comparison of all keys, no hash; a removal moves the following entries.
//! Promoted: the cost of the HashMap.
//!
//! **Memory.** All allocations are fallible, and a map is unchanged if one is refused. Only
//! [`SmallMap::insert`], [`SmallMap::try_insert`], [`SmallMap::reserve`] and the vacant entry
//! allocate, and only from the ninth entry on.

mod entry;
mod inline;
mod iter;
mod key;
mod table;

use self::inline::Inline;
use self::table::Table;
use crate::{Error, Result};
use std::fmt;
use std::mem;

pub use self::entry::{Entry, OccupiedEntry, VacantEntry};
pub use self::iter::{IntoIter, Iter, IterMut};
pub use self::key::{Key, Scalar, Search, Vector, hash_of};

/// The largest number of inline entries.
pub const INLINE_CAPACITY: usize = 8;

/// A map of a few entries, or of many. See the module's documentation.
pub struct SmallMap<K: Key, V> {
    state: State<K, V>,
}

enum State<K: Key, V> {
    Inline(Inline<K, V>),
    /// Boxed, because it is larger than most inline maps.
    Promoted(Box<Table<K, V>>),
}

/// An entry that [`SmallMap::try_insert`] could not insert, and the reason.
pub struct Refused<K, V> {
    /// The key.
    pub key: K,
    /// The value.
    pub value: V,
    /// The reason: memory was refused, or the map already has 2^30 entries.
    pub error: Error,
}

impl<K, V> fmt::Debug for Refused<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<K: Key, V> SmallMap<K, V> {
    /// An empty map. Allocates nothing.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        SmallMap { state: State::Inline(Inline::new()) }
    }

    /// An empty map with room for `entries` entries, which is promoted immediately if these are
    /// more than eight.
    pub fn with_capacity(entries: usize) -> Result<Self> {
        let mut map = Self::new();
        map.reserve(entries)?;
        Ok(map)
    }

    /// The number of entries.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.state {
            State::Inline(inline) => inline.len(),
            State::Promoted(table) => table.len(),
        }
    }

    /// Whether the map is empty.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether the entries are in a hash table: from the ninth entry on, until `clear`.
    #[inline]
    #[must_use]
    pub fn is_promoted(&self) -> bool {
        matches!(self.state, State::Promoted(_))
    }

    /// The number of entries that fit without an allocation.
    #[must_use]
    pub fn capacity(&self) -> usize {
        match &self.state {
            State::Inline(_) => INLINE_CAPACITY,
            State::Promoted(table) => table.capacity(),
        }
    }

    /// The position of a key's entry.
    #[inline(always)]
    fn find(&self, key: &K::Query) -> Option<usize> {
        match &self.state {
            State::Inline(inline) => inline.find(key),
            State::Promoted(table) => table.find(key),
        }
    }

    /// The columns. There is an entry at each position that `find` or a walk returned.
    #[inline(always)]
    fn columns(&self) -> (*const K, *const V) {
        match &self.state {
            State::Inline(inline) => inline.columns(),
            State::Promoted(table) => table.columns(),
        }
    }

    #[inline(always)]
    fn columns_mut(&mut self) -> (*const K, *mut V) {
        match &mut self.state {
            State::Inline(inline) => inline.columns_mut(),
            State::Promoted(table) => table.columns_mut(),
        }
    }

    /// The value of a key.
    #[inline]
    #[must_use]
    pub fn get(&self, key: &K::Query) -> Option<&V> {
        let at = self.find(key)?;
        // SAFETY: there is an entry at a position that `find` returned.
        Some(unsafe { &*self.columns().1.add(at) })
    }

    /// A mutable reference to the value of a key.
    #[inline]
    #[must_use]
    pub fn get_mut(&mut self, key: &K::Query) -> Option<&mut V> {
        let at = self.find(key)?;
        // SAFETY: there is an entry at a position that `find` returned.
        Some(unsafe { &mut *self.columns_mut().1.add(at) })
    }

    /// Whether a key exists.
    #[inline]
    #[must_use]
    pub fn contains_key(&self, key: &K::Query) -> bool {
        self.find(key).is_some()
    }

    /// Inserts a key, or sets a new value and returns the old one. An error if the map cannot grow;
    /// `key` and `value` are then dropped (see [`SmallMap::try_insert`]).
    #[inline]
    pub fn insert(&mut self, key: K, value: V) -> Result<Option<V>> {
        self.try_insert(key, value).map_err(|refused| refused.error)
    }

    /// Inserts a key, or sets a new value and returns the old one. If the map cannot grow, it is
    /// unchanged, and the error contains the entry.
    #[inline]
    pub fn try_insert(&mut self, key: K, value: V) -> std::result::Result<Option<V>, Refused<K, V>> {
        if let Some(at) = self.find(key.query()) {
            // SAFETY: there is an entry at a position that `find` returned.
            let old = unsafe { &mut *self.columns_mut().1.add(at) };
            return Ok(Some(mem::replace(old, value)));
        }
        match self.push(key, value) {
            Ok(_) => Ok(None),
            Err(refused) => Err(refused),
        }
    }

    /// Appends an entry whose key does not exist, and returns its position.
    #[inline]
    fn push(&mut self, key: K, value: V) -> std::result::Result<usize, Refused<K, V>> {
        let key = key.into_stored();
        match &mut self.state {
            State::Inline(inline) if inline.len() < INLINE_CAPACITY => Ok(inline.push(key, value)),
            _ => self.push_promoted(key, value),
        }
    }

    #[inline(never)]
    fn push_promoted(&mut self, key: K, value: V) -> std::result::Result<usize, Refused<K, V>> {
        if let Err(error) = self.make_room(1) {
            return Err(Refused { key, value, error });
        }
        match &mut self.state {
            State::Inline(inline) => Ok(inline.push(key, value)),
            State::Promoted(table) => Ok(table.push(key, value)),
        }
    }

    /// Makes room for `entries` additional entries. Promotes the map if they do not fit inline.
    fn make_room(&mut self, entries: usize) -> Result<()> {
        match &mut self.state {
            State::Inline(inline) if inline.len() + entries <= INLINE_CAPACITY => Ok(()),
            State::Inline(inline) => {
                let table = Table::promote(inline, entries)?;
                self.state = State::Promoted(table);
                Ok(())
            }
            State::Promoted(table) => table.make_room(entries),
        }
    }

    /// Makes room for `entries` entries in all: up to that number, insertions allocate nothing and
    /// do not fail. More than eight promote the map.
    pub fn reserve(&mut self, entries: usize) -> Result<()> {
        self.make_room(entries.saturating_sub(self.len()))
    }

    /// Removes a key, and returns its value. The order of the other entries is preserved.
    #[inline]
    pub fn remove(&mut self, key: &K::Query) -> Option<V> {
        self.remove_entry(key).map(|(_, value)| value)
    }

    /// Removes a key, and returns the entry.
    #[inline]
    pub fn remove_entry(&mut self, key: &K::Query) -> Option<(K, V)> {
        match &mut self.state {
            State::Inline(inline) => {
                let at = inline.find(key)?;
                Some(inline.remove(at))
            }
            State::Promoted(table) => table.remove(key),
        }
    }

    /// Removes all entries for which `keep` returns false, called in order.
    pub fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) {
        let mut at = 0;
        while let Some(next) = self.next_from(at) {
            let (keys, values) = self.columns_mut();
            // SAFETY: there is an entry at a position that `next_from` returned.
            if unsafe { keep(&*keys.add(next), &mut *values.add(next)) } {
                at = next + 1;
                continue;
            }
            match &mut self.state {
                State::Inline(inline) => {
                    drop(inline.remove(next));
                    at = next;
                }
                State::Promoted(table) => {
                    drop(table.remove_at(next));
                    at = next + 1;
                }
            }
        }
    }

    /// The first entry at or after a position: its position, key and value. Positions start at 0
    /// and are valid until the map is changed; this is for cursors that cannot borrow the map.
    #[must_use]
    pub fn entry_from(&self, position: usize) -> Option<(usize, &K, &V)> {
        let at = self.next_from(position)?;
        let (keys, values) = self.columns();
        // SAFETY: there is an entry at a position that `next_from` returned.
        Some(unsafe { (at, &*keys.add(at), &*values.add(at)) })
    }

    /// The first position of an entry from `at` on.
    #[inline]
    fn next_from(&self, at: usize) -> Option<usize> {
        match &self.state {
            State::Inline(inline) => (at < inline.len()).then_some(at),
            State::Promoted(table) => table.next_from(at),
        }
    }

    /// Removes all entries. The map is inline again, and its table is freed.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// The entry of a key, to read and fill it with one search.
    pub fn entry(&mut self, key: K) -> Entry<'_, K, V> {
        match self.find(key.query()) {
            Some(at) => Entry::Occupied(OccupiedEntry::new(self, at)),
            None => Entry::Vacant(VacantEntry::new(self, key)),
        }
    }

    /// All entries, in insertion order.
    pub fn iter(&self) -> Iter<'_, K, V> {
        Iter::new(self)
    }

    /// All entries in insertion order, with mutable values.
    pub fn iter_mut(&mut self) -> IterMut<'_, K, V> {
        IterMut::new(self)
    }

    /// All keys, in insertion order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// All values, in insertion order of their keys.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// All values in insertion order of their keys, as mutable references.
    pub fn values_mut(&mut self) -> impl ExactSizeIterator<Item = &mut V> {
        self.iter_mut().map(|(_, value)| value)
    }

    /// A copy.
    pub fn try_clone(&self) -> Result<Self>
    where
        K: Clone,
        V: Clone,
    {
        let mut copy = Self::with_capacity(self.len())?;
        for (key, value) in self {
            copy.insert(key.clone(), value.clone())?;
        }
        Ok(copy)
    }
}

impl<K: Key, V> Default for SmallMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K: Key + fmt::Debug, V: fmt::Debug> fmt::Debug for SmallMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

/// Maps are equal if they have the same entries, in any order.
impl<K: Key, V: PartialEq> PartialEq for SmallMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(key.query()) == Some(value))
    }
}

#[cfg(test)]
mod tests;
