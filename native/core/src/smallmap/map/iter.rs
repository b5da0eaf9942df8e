//! Iteration, the same in both states: positions in order, skipping holes.

use super::key::Key;
use super::{SmallMap, State};
use std::fmt;
use std::iter::FusedIterator;
use std::marker::PhantomData;
use std::mem::ManuallyDrop;

/// The first position from `at` on that is below `used` and whose bit in `dead` is 0. If `dead` is
/// null (inline), all positions are alive.
///
/// # Safety
/// `dead` is null, or has a bit for each position below `used`.
#[inline(always)]
pub(super) unsafe fn next_alive(dead: *const u64, used: usize, mut at: usize) -> Option<usize> {
    while at < used {
        if dead.is_null() {
            return Some(at);
        }
        // SAFETY: `dead` has a bit for each position below `used`, guaranteed by the caller.
        let alive = !unsafe { *dead.add(at / 64) } >> (at % 64);
        if alive != 0 {
            let found = at + alive.trailing_zeros() as usize;
            return (found < used).then_some(found);
        }
        at = (at | 63) + 1;
    }
    None
}

/// A walk over the positions of a map that does not change meanwhile. It does not access the
/// entries, which may be borrowed elsewhere.
#[derive(Clone, Copy)]
struct Walk {
    dead: *const u64,
    used: usize,
    at: usize,
    left: usize,
}

impl Walk {
    fn new<K: Key, V>(map: &SmallMap<K, V>) -> Walk {
        let (dead, used) = match &map.state {
            State::Inline(inline) => (std::ptr::null(), inline.len()),
            State::Promoted(table) => table.positions(),
        };
        Walk { dead, used, at: 0, left: map.len() }
    }

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        // SAFETY: the map does not change during the walk, so its dead bits stay valid.
        let at = unsafe { next_alive(self.dead, self.used, self.at) }?;
        self.at = at + 1;
        self.left -= 1;
        Some(at)
    }
}

macro_rules! iterator {
    ($name:ident, $item:ty, $next:expr) => {
        impl<'a, K: Key, V> Iterator for $name<'a, K, V> {
            type Item = $item;

            #[inline]
            fn next(&mut self) -> Option<Self::Item> {
                let at = self.walk.next()?;
                let (keys, values) = self.columns;
                // SAFETY: there is an entry at each position of the walk, which visits each
                // position once; the map is borrowed.
                Some(unsafe { $next(keys.add(at), values.add(at)) })
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                (self.walk.left, Some(self.walk.left))
            }
        }

        impl<K: Key, V> ExactSizeIterator for $name<'_, K, V> {}
        impl<K: Key, V> FusedIterator for $name<'_, K, V> {}

        impl<K: Key, V> fmt::Debug for $name<'_, K, V> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).field("left", &self.walk.left).finish_non_exhaustive()
            }
        }
    };
}

/// All entries of a map, in insertion order.
pub struct Iter<'a, K: Key, V> {
    columns: (*const K, *const V),
    walk: Walk,
    map: PhantomData<&'a SmallMap<K, V>>,
}

// SAFETY: the iterator acts as a `&` to the map.
unsafe impl<K: Key + Sync, V: Sync> Send for Iter<'_, K, V> {}
// SAFETY: as above.
unsafe impl<K: Key + Sync, V: Sync> Sync for Iter<'_, K, V> {}

impl<'a, K: Key, V> Iter<'a, K, V> {
    pub(super) fn new(map: &'a SmallMap<K, V>) -> Self {
        Iter { columns: map.columns(), walk: Walk::new(map), map: PhantomData }
    }
}

impl<K: Key, V> Clone for Iter<'_, K, V> {
    fn clone(&self) -> Self {
        Iter { ..*self }
    }
}

iterator!(Iter, (&'a K, &'a V), |key: *const K, value: *const V| (&*key, &*value));

/// All entries of a map in insertion order, with mutable values.
pub struct IterMut<'a, K: Key, V> {
    columns: (*const K, *mut V),
    walk: Walk,
    map: PhantomData<&'a mut SmallMap<K, V>>,
}

// SAFETY: the iterator acts as a `&` to the keys and a `&mut` to the values.
unsafe impl<K: Key + Sync, V: Send> Send for IterMut<'_, K, V> {}
// SAFETY: as above.
unsafe impl<K: Key + Sync, V: Sync> Sync for IterMut<'_, K, V> {}

impl<'a, K: Key, V> IterMut<'a, K, V> {
    pub(super) fn new(map: &'a mut SmallMap<K, V>) -> Self {
        let walk = Walk::new(map);
        IterMut { columns: map.columns_mut(), walk, map: PhantomData }
    }
}

iterator!(IterMut, (&'a K, &'a mut V), |key: *const K, value: *mut V| (&*key, &mut *value));

/// All entries of a consumed map, in insertion order.
pub struct IntoIter<K: Key, V> {
    /// The entries from `at` on are still initialized.
    map: ManuallyDrop<SmallMap<K, V>>,
    at: usize,
    left: usize,
}

impl<K: Key, V> Iterator for IntoIter<K, V> {
    type Item = (K, V);

    #[inline]
    fn next(&mut self) -> Option<(K, V)> {
        let at = self.map.next_from(self.at)?;
        self.at = at + 1;
        self.left -= 1;
        let (keys, values) = self.map.columns();
        // SAFETY: there is an entry at the position; each is read once, because `at` only
        // increases.
        Some(unsafe { (keys.add(at).read(), values.add(at).read()) })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<K: Key, V> ExactSizeIterator for IntoIter<K, V> {}
impl<K: Key, V> FusedIterator for IntoIter<K, V> {}

impl<K: Key, V> Drop for IntoIter<K, V> {
    fn drop(&mut self) {
        self.for_each(drop);
        match &mut self.map.state {
            State::Inline(inline) => inline.forget(),
            State::Promoted(table) => table.forget(),
        }
        // SAFETY: the map is dropped once; its entries are gone, so this frees only its memory.
        unsafe { ManuallyDrop::drop(&mut self.map) };
    }
}

impl<K: Key, V> fmt::Debug for IntoIter<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IntoIter").field("left", &self.left).finish_non_exhaustive()
    }
}

impl<K: Key, V> IntoIterator for SmallMap<K, V> {
    type Item = (K, V);
    type IntoIter = IntoIter<K, V>;

    fn into_iter(self) -> IntoIter<K, V> {
        IntoIter { left: self.len(), map: ManuallyDrop::new(self), at: 0 }
    }
}

impl<'a, K: Key, V> IntoIterator for &'a SmallMap<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = Iter<'a, K, V>;

    fn into_iter(self) -> Iter<'a, K, V> {
        self.iter()
    }
}

impl<'a, K: Key, V> IntoIterator for &'a mut SmallMap<K, V> {
    type Item = (&'a K, &'a mut V);
    type IntoIter = IterMut<'a, K, V>;

    fn into_iter(self) -> IterMut<'a, K, V> {
        self.iter_mut()
    }
}
