//! The representations of keys and values in a region: integers of a column's width, and blobs.
//!
//! Every operation is generic over them, so each combination is compiled separately: a lookup of a
//! u32 contains no code for strings. Types with the same representation (f64, u64, i64) share the
//! code.

use super::{RawMap, RawMapMut};
use crate::region::element::Type;
use crate::table::blob::Blob;
use crate::table::hash::{Seeds, canonical};
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering};

mod sealed {
    pub trait Sealed {}
    impl Sealed for u8 {}
    impl Sealed for u16 {}
    impl Sealed for u32 {}
    impl Sealed for u64 {}
    impl Sealed for () {}
    impl Sealed for super::Blob<'_> {}
}

/// A key as the region stores it: `u32` for 4-byte types, `u64` for 8-byte types ([`canonical`] for
/// floats), [`Blob`] for strings and bytes.
pub trait RawKey: Copy + sealed::Sealed {
    /// Bytes of the key in a column.
    const WIDTH: usize;
    /// Whether keys of this type have this representation.
    fn fits(ty: Type) -> bool;
    /// The key's hash.
    fn hash(self, seeds: &Seeds) -> u32;
    /// Bytes of the heap that it takes.
    #[inline(always)]
    fn heap_bytes(self) -> u64 {
        0
    }
    /// Whether this equals the key at a position.
    ///
    /// # Safety
    /// The map's keys have this representation, and the position is below its capacity.
    unsafe fn equals(self, map: &RawMap, position: u32) -> bool;
    /// Writes this at a position, and appends to the heap if it is a blob.
    ///
    /// # Safety
    /// As for `equals`; the heap has room.
    unsafe fn write(self, map: &mut RawMapMut, position: u32);
}

/// A value as the region stores it: an integer as wide as its column, a [`Blob`], or `()` for a
/// schema whose values are not in the region.
pub trait RawValue: Copy + sealed::Sealed {
    /// Whether values of this type have this representation.
    fn fits(ty: Type) -> bool;
    /// Bytes of the heap that it takes.
    #[inline(always)]
    fn heap_bytes(self) -> u64 {
        0
    }
    /// Writes this at a position, and appends to the heap if it is a blob.
    ///
    /// # Safety
    /// The map's values have this representation, the position is below its capacity, and the heap
    /// has room.
    unsafe fn write(self, map: &mut RawMapMut, position: u32);
}

/// A value that is stored in its column alone, as bulk calls require.
pub trait PlainValue: RawValue {
    /// Reads the value at a position.
    ///
    /// # Safety
    /// The map's values have this representation, and the position is below its capacity.
    unsafe fn read(map: &RawMap, position: u32) -> Self;
}

macro_rules! elements {
    ($($load:ident $store:ident $atomic:ident $type:ident;)+) => {$(
        /// Reads an element of a column.
        ///
        /// # Safety
        /// The column is aligned and has an element of this width at `position`.
        #[inline(always)]
        pub(super) unsafe fn $load(column: *mut u8, position: u32) -> $type {
            // SAFETY: the caller guarantees that the column is aligned and has this element.
            unsafe { $atomic::from_ptr(column.cast::<$type>().add(position as usize)) }.load(Ordering::Relaxed)
        }

        /// Writes an element of a column, after everything written before it.
        ///
        /// # Safety
        /// As for reading; the column is writable, and no other thread writes it.
        #[inline(always)]
        pub(super) unsafe fn $store(column: *mut u8, position: u32, value: $type) {
            // SAFETY: the caller guarantees that the column is aligned, has this element, and is
            // writable.
            unsafe { $atomic::from_ptr(column.cast::<$type>().add(position as usize)) }
                .store(value, Ordering::Release);
        }
    )+};
}

elements! {
    load_u8 store_u8 AtomicU8 u8;
    load_u16 store_u16 AtomicU16 u16;
    load_u32 store_u32 AtomicU32 u32;
    load_u64 store_u64 AtomicU64 u64;
}

impl RawKey for u32 {
    const WIDTH: usize = 4;
    #[inline(always)]
    fn fits(ty: Type) -> bool {
        matches!(ty, Type::U32 | Type::I32)
    }
    #[inline(always)]
    fn hash(self, seeds: &Seeds) -> u32 {
        seeds.narrow(self)
    }
    #[inline(always)]
    unsafe fn equals(self, map: &RawMap, position: u32) -> bool {
        // SAFETY: the caller guarantees the representation and the position.
        unsafe { map.key_u32(position) == self }
    }
    #[inline(always)]
    unsafe fn write(self, map: &mut RawMapMut, position: u32) {
        // SAFETY: the caller guarantees the representation and the position.
        unsafe { store_u32(map.keys, position, self) };
    }
}

impl RawKey for u64 {
    const WIDTH: usize = 8;
    #[inline(always)]
    fn fits(ty: Type) -> bool {
        matches!(ty, Type::F64 | Type::U64 | Type::I64)
    }
    #[inline(always)]
    fn hash(self, seeds: &Seeds) -> u32 {
        seeds.wide(self)
    }
    #[inline(always)]
    unsafe fn equals(self, map: &RawMap, position: u32) -> bool {
        // SAFETY: the caller guarantees the representation and the position.
        unsafe { map.key_u64(position) == self }
    }
    #[inline(always)]
    unsafe fn write(self, map: &mut RawMapMut, position: u32) {
        // SAFETY: the caller guarantees the representation and the position.
        unsafe { store_u64(map.keys, position, self) };
    }
}

impl RawKey for Blob<'_> {
    const WIDTH: usize = 4;
    #[inline(always)]
    fn fits(ty: Type) -> bool {
        ty.is_blob()
    }
    #[inline]
    fn hash(self, seeds: &Seeds) -> u32 {
        seeds.blob(self.content())
    }
    #[inline(always)]
    fn heap_bytes(self) -> u64 {
        Blob::heap_bytes(self)
    }
    #[inline]
    unsafe fn equals(self, map: &RawMap, position: u32) -> bool {
        // SAFETY: the caller guarantees the representation and the position. The blob is within the
        // region, and is not kept.
        unsafe {
            map.blob(map.key_u32(position))
                .is_some_and(|blob| blob.head == self.head() && blob.bytes() == self.content())
        }
    }
    #[inline]
    unsafe fn write(self, map: &mut RawMapMut, position: u32) {
        // SAFETY: the caller guarantees the representation, the position, and room in the heap.
        unsafe {
            let reference = map.append_blob(self);
            store_u32(map.keys, position, reference);
        }
    }
}

macro_rules! plain_values {
    ($($type:ident $load:ident $store:ident: $($ty:ident)|+;)+) => {$(
        impl RawValue for $type {
            #[inline(always)]
            fn fits(ty: Type) -> bool {
                matches!(ty, $(Type::$ty)|+)
            }
            #[inline(always)]
            unsafe fn write(self, map: &mut RawMapMut, position: u32) {
                // SAFETY: the caller guarantees the representation and the position.
                unsafe { $store(map.values, position, self) };
            }
        }

        impl PlainValue for $type {
            #[inline(always)]
            unsafe fn read(map: &RawMap, position: u32) -> $type {
                debug_assert!(position < map.capacity);
                // SAFETY: the caller guarantees the representation and the position.
                unsafe { $load(map.values, position) }
            }
        }
    )+};
}

plain_values! {
    u8 load_u8 store_u8: U8 | I8 | Bool;
    u16 load_u16 store_u16: U16 | I16;
    u32 load_u32 store_u32: U32 | I32 | F32;
    u64 load_u64 store_u64: F64 | U64 | I64;
}

impl RawValue for () {
    #[inline(always)]
    fn fits(ty: Type) -> bool {
        ty == Type::Any
    }
    #[inline(always)]
    unsafe fn write(self, _: &mut RawMapMut, _: u32) {}
}

impl RawValue for Blob<'_> {
    #[inline(always)]
    fn fits(ty: Type) -> bool {
        ty.is_blob()
    }
    #[inline(always)]
    fn heap_bytes(self) -> u64 {
        Blob::heap_bytes(self)
    }
    #[inline]
    unsafe fn write(self, map: &mut RawMapMut, position: u32) {
        // SAFETY: the caller guarantees the representation, the position, and room in the heap.
        unsafe {
            let reference = map.append_blob(self);
            store_u32(map.values, position, reference);
        }
    }
}

/// The bits of a key as a region stores them, for a type whose keys are 8 bytes wide.
#[inline(always)]
#[must_use]
pub fn stored_bits(bits: u64, ty: Type) -> u64 {
    if ty == Type::F64 { canonical(bits) } else { bits }
}
