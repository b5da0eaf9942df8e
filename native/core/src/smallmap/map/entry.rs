//! The place of a key: found once, then looked at, changed, filled or emptied.

use super::key::Key;
use super::{Refused, SmallMap, State};
use crate::Result;
use std::mem;

/// The place of a key in a map: `*map.entry(word).or_insert(0)? += 1` counts words.
pub enum Entry<'a, K: Key, V> {
    /// The key is there.
    Occupied(OccupiedEntry<'a, K, V>),
    /// It is not.
    Vacant(VacantEntry<'a, K, V>),
}

/// The entry of a key that is there.
pub struct OccupiedEntry<'a, K: Key, V> {
    map: &'a mut SmallMap<K, V>,
    /// There is an entry at this position.
    at: usize,
}

/// The place of a key that is not there.
pub struct VacantEntry<'a, K: Key, V> {
    map: &'a mut SmallMap<K, V>,
    key: K,
}

impl<'a, K: Key, V> Entry<'a, K, V> {
    /// The value of the key, which is inserted first if it is not there. An error if the map can
    /// not grow.
    #[inline]
    pub fn or_insert(self, value: V) -> Result<&'a mut V> {
        self.or_insert_with(|| value)
    }

    /// The value of the key, which is computed and inserted first if it is not there. An error if
    /// the map can not grow.
    #[inline]
    pub fn or_insert_with(self, value: impl FnOnce() -> V) -> Result<&'a mut V> {
        match self {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => entry.insert(value()),
        }
    }

    /// The value of the key, which is the type's default if it is not there.
    #[inline]
    pub fn or_default(self) -> Result<&'a mut V>
    where
        V: Default,
    {
        self.or_insert_with(V::default)
    }

    /// Changes the value, if the key is there.
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

    /// The key, as it is in the map.
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

    /// The value, to change.
    #[inline]
    #[must_use]
    pub fn get_mut(&mut self) -> &mut V {
        // SAFETY: there is an entry at the position.
        unsafe { &mut *self.map.columns_mut().1.add(self.at) }
    }

    /// The value, to change for as long as the map is borrowed.
    #[inline]
    #[must_use]
    pub fn into_mut(self) -> &'a mut V {
        // SAFETY: there is an entry at the position.
        unsafe { &mut *self.map.columns_mut().1.add(self.at) }
    }

    /// Gives the key a new value. Returns the old one.
    pub fn insert(&mut self, value: V) -> V {
        mem::replace(self.get_mut(), value)
    }

    /// Removes the entry. Returns it.
    pub fn remove_entry(self) -> (K, V) {
        match &mut self.map.state {
            State::Inline(inline) => inline.remove(self.at),
            State::Promoted(table) => table.remove_at(self.at),
        }
    }

    /// Removes the entry. Returns its value.
    pub fn remove(self) -> V {
        self.remove_entry().1
    }
}

impl<'a, K: Key, V> VacantEntry<'a, K, V> {
    pub(super) fn new(map: &'a mut SmallMap<K, V>, key: K) -> Self {
        VacantEntry { map, key }
    }

    /// The key that is not there.
    #[must_use]
    pub fn key(&self) -> &K {
        &self.key
    }

    /// The key, back.
    #[must_use]
    pub fn into_key(self) -> K {
        self.key
    }

    /// Inserts the key with a value. An error if the map can not grow.
    #[inline]
    pub fn insert(self, value: V) -> Result<&'a mut V> {
        self.try_insert(value).map_err(|refused| refused.error)
    }

    /// As `insert`; if the map can not grow the entry comes back.
    pub fn try_insert(self, value: V) -> std::result::Result<&'a mut V, Refused<K, V>> {
        let at = self.map.push(self.key, value)?;
        // SAFETY: there is an entry at the position now.
        Ok(unsafe { &mut *self.map.columns_mut().1.add(at) })
    }
}
