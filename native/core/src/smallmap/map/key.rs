//! Types of keys, and the inline search for a key.

use super::INLINE_CAPACITY;
use crate::smallmap::search::{self, Inline, Lane, Searchable};
use crate::table::hash::Seeds;
use std::cell::UnsafeCell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::mem::MaybeUninit;

/// A type that can be a key of a [`SmallMap`](super::SmallMap).
///
/// ```
/// use offheap_core::smallmap::{Key, SmallMap, map::{Scalar, hash_of}};
///
/// #[derive(PartialEq, Hash)]
/// struct City { country: [u8; 2], number: u32 }
///
/// impl Key for City {
///     type Query = City;
///     type Search = Scalar;
///     fn query(&self) -> &City { self }
///     fn same(a: &City, b: &City) -> bool { a == b }
///     fn hash(key: &City, seeds: [u32; 2]) -> u32 { hash_of(key, seeds) }
/// }
///
/// let mut names = SmallMap::new();
/// names.insert(City { country: *b"is", number: 1 }, "Reykjavík")?;
/// assert!(names.contains_key(&City { country: *b"is", number: 1 }));
/// # Ok::<(), offheap_core::Error>(())
/// ```
pub trait Key: Sized {
    /// The type by which the key is looked up: `str` for `String`; for most types the type itself.
    type Query: ?Sized;
    /// How the key is searched for among the inline keys: [`Vector`] for numbers, [`Scalar`] for
    /// everything else.
    type Search: Search<Self>;
    /// The key as its query type.
    fn query(&self) -> &Self::Query;
    /// Whether two keys are equal.
    fn same(a: &Self::Query, b: &Self::Query) -> bool;
    /// A hash, which is the same for equal keys.
    fn hash(key: &Self::Query, seeds: [u32; 2]) -> u32;
    /// The representation of the key that is stored.
    #[inline(always)]
    fn into_stored(self) -> Self {
        self
    }
}

/// A hash for [`Key::hash`] that uses the type's own [`Hash`]: SipHash-1-3, seeds first.
pub fn hash_of<Q: Hash + ?Sized>(key: &Q, seeds: [u32; 2]) -> u32 {
    let mut hasher = DefaultHasher::new();
    seeds.hash(&mut hasher);
    key.hash(&mut hasher);
    hasher.finish() as u32
}

/// The keys. They are in a cell because the portable search reads through atomics.
#[repr(transparent)]
pub struct Keys<K>(UnsafeCell<[MaybeUninit<K>; INLINE_CAPACITY]>);

// SAFETY: shared references are used only for reading.
unsafe impl<K: Sync> Sync for Keys<K> {}

impl<K> std::fmt::Debug for Keys<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

impl<K> Keys<K> {
    /// Eight keys of zeros.
    #[inline]
    pub(super) const fn new() -> Self {
        Keys(UnsafeCell::new([const { MaybeUninit::zeroed() }; INLINE_CAPACITY]))
    }

    /// The address of a key. `at` is at most 8.
    #[inline(always)]
    pub(super) const fn at(&self, at: usize) -> *mut K {
        // SAFETY: the address is within the array, or one past its end.
        unsafe { self.0.get().cast::<K>().add(at) }
    }
}

/// A way to search for a key among the inline keys.
pub trait Search<K: Key>: sealed::Sealed {
    /// The position of `key` among the first `length` keys.
    #[doc(hidden)]
    fn position(keys: &Keys<K>, length: usize, key: &K::Query) -> Option<usize>;
}

mod sealed {
    pub trait Sealed {}
}

/// Compares the keys one by one.
#[derive(Debug)]
pub struct Scalar;

impl sealed::Sealed for Scalar {}

impl<K: Key> Search<K> for Scalar {
    #[inline]
    fn position(keys: &Keys<K>, length: usize, key: &K::Query) -> Option<usize> {
        // SAFETY: the first `length` keys are initialized.
        (0..length).find(|&at| K::same(unsafe { &*keys.at(at) }.query(), key))
    }
}

/// Compares all keys at once.
#[derive(Debug)]
pub struct Vector;

impl sealed::Sealed for Vector {}

impl<K: Key<Query = K> + Searchable> Search<K> for Vector {
    #[inline(always)]
    fn position(keys: &Keys<K>, length: usize, key: &K) -> Option<usize> {
        #[cfg(test)]
        super::tests::VECTOR_SEARCHES.set(super::tests::VECTOR_SEARCHES.get() + 1);
        const { assert!(size_of::<K>() == <K::Lane as Lane>::BYTES) };
        // SAFETY: there are eight keys of initialized bytes, which are numbers as wide as their
        // lane; every processor of the target has the kernel's instructions. The result is below
        // `length`, which is at most 8.
        unsafe {
            search::position::<Inline, K::Lane, INLINE_CAPACITY>(keys.at(0).cast(), length, key.to_lane())
        }
    }
}

macro_rules! numbers {
    ($($type:ident)+) => {$(
        impl Key for $type {
            type Query = $type;
            type Search = Vector;
            #[inline(always)]
            fn query(&self) -> &$type {
                self
            }
            #[inline(always)]
            fn same(a: &$type, b: &$type) -> bool {
                a.to_lane() == b.to_lane()
            }
            #[inline(always)]
            fn hash(key: &$type, seeds: [u32; 2]) -> u32 {
                let bits = key.to_lane().bits();
                let seeds = Seeds::current(seeds);
                if size_of::<$type>() <= 4 { seeds.narrow(bits as u32) } else { seeds.wide(bits) }
            }
            #[inline(always)]
            fn into_stored(self) -> $type {
                Searchable::from_lane(self.to_lane())
            }
        }
    )+};
}

numbers! { u8 i8 u16 i16 u32 i32 u64 i64 f32 f64 }
#[cfg(target_pointer_width = "64")]
numbers! { usize isize }

macro_rules! hashed {
    ($($type:ty => $query:ty;)+) => {$(
        impl Key for $type {
            type Query = $query;
            type Search = Scalar;
            #[inline]
            fn query(&self) -> &$query {
                self
            }
            #[inline]
            fn same(a: &$query, b: &$query) -> bool {
                a == b
            }
            #[inline]
            fn hash(key: &$query, seeds: [u32; 2]) -> u32 {
                hash_of(key, seeds)
            }
        }
    )+};
}

hashed! {
    String => str;
    Box<str> => str;
    &str => str;
    Vec<u8> => [u8];
    Box<[u8]> => [u8];
    &[u8] => [u8];
    char => char;
    bool => bool;
    u128 => u128;
    i128 => i128;
}
#[cfg(not(target_pointer_width = "64"))]
hashed! { usize => usize; isize => isize; }
