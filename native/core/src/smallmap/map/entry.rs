//! The entry of a key: located once, then read, changed, filled or removed.

use super::key::Key;
use super::{Refused, SmallMap, State};
use crate::Result;
use std::mem;

/// The entry of a key in a map: `*map.entry(word).or_insert(0)? += 1` counts words.
pub enum Entry<'a, K: Key, V> {
    /// The key exists.
    Occupied(OccupiedEntry<'a, K, V>),
    /// The key does not exist.
    Vacant(VacantEntry<'a, K, V>),
}

/// The entry of a key that exists.
pub struct OccupiedEntry<'a, K: Key, V> {
    map: &'a mut SmallMap<K, V>,
    /// The position of an existing entry.
    at: usize,
}

/// The entry of a key that does not exist.
pub struct VacantEntry<'a, K: Key, V> {
    map: &'a mut SmallMap<K, V>,
    key: K,
}

impl<'a, K: Key, V> Entry<'a, K, V> {
    /// The value of the key, which is inserted first if it does not exist. An error if the map
    /// cannot grow.
    #[inline]
    pub fn or_insert(self, value: V) -> Result<&'a mut V> {
        self.or_insert_with(|| value)
    }

    /// The value of the key, which is computed and inserted first if it does not exist. An error if
    /// the map cannot grow.
    #[inline]
    pub fn or_insert_with(self, value: impl FnOnce() -> V) -> Result<&'a mut V> {
        match self {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => entry.insert(value()),
        }
    }

    /// The value of the key, which is inserted first with the type's default if it does not exist.
    #[inline]
    pub fn or_default(self) -> Result<&'a mut V>
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }

    /// Changes the value, if the key exists.
    #[inline]
    #[must_use]
    pub fn and_modify(mut self, change: impl FnOnce(&mut V)) -> Self {
        if let Entry::Occupied(entry) = &mut self {
            change(entry.get_mut());
        }
        self
    }

    /// The key.
    #[must_use]
    pub fn key(&self) -> &K {
        match self {
            Entry::Occupied(entry) => entry.key(),
            Entry::Vacant(entry) => entry.key(),
        }
    }
}

impl<'a, K: Key, V> OccupiedEntry<'a, K, V> {
    pub(super) fn new(map: &'a mut SmallMap<K, V>, at: usize) -> Self {
        OccupiedEntry { map, at }
    }

    /// The key, as stored in the map.
    #[must_use]
    pub fn key(&self) -> &K {
        // SAFETY: there is an entry at the position.
        unsafe { &*self.map.columns().0.add(self.at) }
    }

    /// The value.
    #[inline]
    #[must_use]
    pub fn get(&self) -> &V {
        // SAFETY: there is an entry at the position.
        unsafe { &*self.map.columns().1.add(self.at) }
    }

    /// A mutable reference to the value.
    #[inline]
    #[must_use]
    pub fn get_mut(&mut self) -> &mut V {
        // SAFETY: there is an entry at the position.
        unsafe { &mut *self.map.columns_mut().1.add(self.at) }
    }

    /// A mutable reference to the value, for as long as the map is borrowed.
    #[inline]
    #[must_use]
    pub fn into_mut(self) -> &'a mut V {
        // SAFETY: there is an entry at the position.
        unsafe { &mut *self.map.columns_mut().1.add(self.at) }
    }

    /// Sets a new value, and returns the old one.
    pub fn insert(&mut self, value: V) -> V {
        mem::replace(self.get_mut(), value)
    }

    /// Removes the entry, and returns it.
    pub fn remove_entry(self) -> (K, V) {
        match &mut self.map.state {
            State::Inline(inline) => inline.remove(self.at),
            State::Promoted(table) => table.remove_at(self.at),
        }
    }

    /// Removes the entry, and returns its value.
    pub fn remove(self) -> V {
        self.remove_entry().1
    }
}

impl<'a, K: Key, V> VacantEntry<'a, K, V> {
    pub(super) fn new(map: &'a mut SmallMap<K, V>, key: K) -> Self {
        VacantEntry { map, key }
    }

    /// The key that does not exist.
    #[must_use]
    pub fn key(&self) -> &K {
        &self.key
    }

    /// Returns the key.
    #[must_use]
    pub fn into_key(self) -> K {
        self.key
    }

    /// Inserts the key with a value. An error if the map cannot grow.
    #[inline]
    pub fn insert(self, value: V) -> Result<&'a mut V> {
        self.try_insert(value).map_err(|refused| refused.error)
    }

    /// As `insert`; if the map cannot grow, the error contains the entry.
    pub fn try_insert(self, value: V) -> std::result::Result<&'a mut V, Refused<K, V>> {
        let at = self.map.push(self.key, value)?;
        // SAFETY: there is now an entry at the position.
        Ok(unsafe { &mut *self.map.columns_mut().1.add(at) })
    }
}
