//! Elements as they are stored: unsigned words in memory that other threads may write.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering::Relaxed};

/// Storage of a value. Other threads may read and write it at the same time if its type permits.
pub trait Slot {
    /// The type of the value.
    type Value: Copy;
    /// Reads the value.
    fn get(&self) -> Self::Value;
    /// Writes the value.
    fn set(&self, value: Self::Value);
}

/// A record with a key of a few bytes, which a radix sort can sort.
pub trait Record: Copy {
    /// Bytes of the key.
    const DIGITS: usize;
    /// The key.
    fn key(self) -> u64;
}

/// An unsigned integer as wide as an element.
pub trait Word: Record + Ord + Default + Send + Sync + Debug + 'static {
    /// Storage of such a word that threads can share.
    type Slot: Slot<Value = Self> + Sync;
    /// All bits set.
    const MAX: Self;
    /// The word from the low bits of a key.
    fn from_key(key: u64) -> Self;
}

impl<T: Copy> Slot for std::cell::Cell<T> {
    type Value = T;
    #[inline(always)]
    fn get(&self) -> T {
        self.get()
    }
    #[inline(always)]
    fn set(&self, value: T) {
        self.set(value);
    }
}

macro_rules! words {
    ($($word:ident $atomic:ident;)+) => {$(
        impl Slot for $atomic {
            type Value = $word;
            #[inline(always)]
            fn get(&self) -> $word {
                self.load(Relaxed)
            }
            #[inline(always)]
            fn set(&self, value: $word) {
                self.store(value, Relaxed);
            }
        }

        impl Record for $word {
            const DIGITS: usize = size_of::<$word>();
            #[inline(always)]
            fn key(self) -> u64 {
                self as u64
            }
        }

        impl Word for $word {
            type Slot = $atomic;
            const MAX: $word = $word::MAX;
            #[inline(always)]
            fn from_key(key: u64) -> $word {
                key as $word
            }
        }
    )+};
}

words! {
    u8 AtomicU8;
    u16 AtomicU16;
    u32 AtomicU32;
    u64 AtomicU64;
}
