//! Vectors that own their memory.

use crate::args::{check_pointer, numeric_type};
use crate::guard::{guard, guard_out, guard_value};
use crate::handle::{hand_out, take_back};
use crate::status::oh_status;
use offheap_core::Result;
use offheap_core::region::element::Type;
use offheap_core::vector::Vector;
use std::ffi::c_void;

/// One of each type.
enum Any {
    U8(Vector<u8>),
    I8(Vector<i8>),
    U16(Vector<u16>),
    I16(Vector<i16>),
    U32(Vector<u32>),
    I32(Vector<i32>),
    F32(Vector<f32>),
    F64(Vector<f64>),
    U64(Vector<u64>),
    I64(Vector<i64>),
}

/// A vector that owns its memory, which is aligned to 64 bytes and grows automatically. Only one
/// thread at a time may use it.
pub struct oh_owned_vector(Any);

macro_rules! each {
    ($any:expr, $vector:ident => $body:expr) => {
        match $any {
            Any::U8($vector) => $body,
            Any::I8($vector) => $body,
            Any::U16($vector) => $body,
            Any::I16($vector) => $body,
            Any::U32($vector) => $body,
            Any::I32($vector) => $body,
            Any::F32($vector) => $body,
            Any::F64($vector) => $body,
            Any::U64($vector) => $body,
            Any::I64($vector) => $body,
        }
    };
}

impl Any {
    fn new(ty: Type, capacity: usize) -> Result<Any> {
        Ok(match ty {
            Type::U8 => Any::U8(Vector::with_capacity(capacity)?),
            Type::I8 => Any::I8(Vector::with_capacity(capacity)?),
            Type::U16 => Any::U16(Vector::with_capacity(capacity)?),
            Type::I16 => Any::I16(Vector::with_capacity(capacity)?),
            Type::U32 => Any::U32(Vector::with_capacity(capacity)?),
            Type::I32 => Any::I32(Vector::with_capacity(capacity)?),
            Type::F32 => Any::F32(Vector::with_capacity(capacity)?),
            Type::U64 => Any::U64(Vector::with_capacity(capacity)?),
            Type::I64 => Any::I64(Vector::with_capacity(capacity)?),
            _ => Any::F64(Vector::with_capacity(capacity)?),
        })
    }
}

/// Creates an empty vector with room for `capacity` elements. Free it with `oh_owned_vector_free`.
///
/// # Safety
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_owned_vector_new(
    ty: u32,
    capacity: usize,
    out: *mut *mut oh_owned_vector,
) -> oh_status {
    // SAFETY: the caller guarantees that `out` is writable.
    unsafe { guard_out(out, || hand_out(|| Ok(oh_owned_vector(Any::new(numeric_type(ty)?, capacity)?)))) }
}

/// Appends `count` elements.
///
/// # Safety
/// `vec` is from `oh_owned_vector_new` and used by no other thread at the same time; `values`
/// points to `count` readable elements of its type, which are not in the vector.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_owned_vector_push(
    vec: *mut oh_owned_vector,
    values: *const c_void,
    count: usize,
) -> oh_status {
    guard(|| {
        check_pointer(vec, "vec")?;
        // SAFETY: the pointers are checked, and the caller guarantees the vector and the elements.
        unsafe {
            each!(&mut (*vec).0, vector => {
                let values = crate::args::slice(values.cast(), count, "values")?;
                vector.extend_from_slice(values)
            })
        }
    })
}

/// Removes the elements from index `len` on. Does nothing if there are fewer.
///
/// # Safety
/// As for `oh_owned_vector_push`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_owned_vector_truncate(vec: *mut oh_owned_vector, len: usize) -> oh_status {
    guard(|| {
        check_pointer(vec, "vec")?;
        // SAFETY: the caller guarantees that `vec` is from `oh_owned_vector_new`, used by no other
        // thread meanwhile and that `values` has `count` elements of its type, which are not in it.
        unsafe { each!(&mut (*vec).0, vector => vector.truncate(len)) };
        Ok(())
    })
}

/// Reserves room for `capacity` elements in total.
///
/// # Safety
/// As for `oh_owned_vector_push`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_owned_vector_reserve(vec: *mut oh_owned_vector, capacity: usize) -> oh_status {
    guard(|| {
        check_pointer(vec, "vec")?;
        // SAFETY: the caller guarantees that `vec` is from `oh_owned_vector_new`, used by no other
        // thread meanwhile and that `values` has `count` elements of its type, which are not in it.
        unsafe { each!(&mut (*vec).0, vector => vector.reserve(capacity)) }
    })
}

/// Sorts, as `oh_vector_sort` does.
///
/// # Safety
/// As for `oh_owned_vector_push`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_owned_vector_sort(vec: *mut oh_owned_vector) -> oh_status {
    guard(|| {
        check_pointer(vec, "vec")?;
        // SAFETY: the caller guarantees that `vec` is from `oh_owned_vector_new`, used by no other
        // thread meanwhile and that `values` has `count` elements of its type, which are not in it.
        unsafe { each!(&mut (*vec).0, vector => vector.sort()) };
        Ok(())
    })
}

/// Returns the number of elements; 0 for NULL.
///
/// # Safety
/// As for `oh_owned_vector_push`, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_owned_vector_count(vec: *const oh_owned_vector) -> usize {
    guard_value(0, || {
        // SAFETY: the caller guarantees that `vec` is from `oh_owned_vector_new`, used by no other
        // thread meanwhile, that `values` has `count` elements of its type, which are not in it,
        // that or NULL.
        unsafe { vec.as_ref() }.map_or(0, |vec| each!(&vec.0, vector => vector.len()))
    })
}

/// Returns the first element, aligned to 64 bytes; NULL for NULL. It moves when the vector grows.
///
/// # Safety
/// As for `oh_owned_vector_count`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_owned_vector_data(vec: *mut oh_owned_vector) -> *mut c_void {
    guard_value(std::ptr::null_mut(), || {
        // SAFETY: the caller guarantees that `vec` is from `oh_owned_vector_new`, used by no other
        // thread meanwhile, that `values` has `count` elements of its type, which are not in it,
        // that or NULL.
        unsafe { vec.as_mut() }
            .map_or(std::ptr::null_mut(), |vec| each!(&mut vec.0, vector => vector.as_mut_ptr().cast()))
    })
}

/// Returns the region of the vector, for `oh_vector_*` functions and to save it. Valid until the
/// vector is changed; those functions must not change its length.
///
/// # Safety
/// As for `oh_owned_vector_push`; the outputs are writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_owned_vector_region(
    vec: *mut oh_owned_vector,
    base: *mut *mut c_void,
    length: *mut usize,
) -> oh_status {
    guard(|| {
        check_pointer(vec, "vec")?;
        check_pointer(base, "base")?;
        check_pointer(length, "length")?;
        // SAFETY: the outputs are checked, and the caller guarantees the vector.
        unsafe {
            let (address, bytes) = each!(&mut (*vec).0, vector => vector.region());
            base.write(address.cast());
            length.write(bytes);
        }
        Ok(())
    })
}

/// Frees a vector. NULL is allowed.
///
/// # Safety
/// `vec` is NULL, or from `oh_owned_vector_new`, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_owned_vector_free(vec: *mut oh_owned_vector) {
    // SAFETY: the caller guarantees that it came from `oh_owned_vector_new` and is not used again.
    guard_value((), || unsafe { take_back(vec) });
}
