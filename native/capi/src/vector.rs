//! The vector: numbers of one type.
//!
//! `oh_vector_*(base, length, …)`: functions on a vector in memory of the caller. Each checks the
//! header (about 20 ns) and works in place. `oh_owned_vector_*`: a vector that owns its memory and
//! grows automatically; `oh_owned_vector_region` makes that memory accessible to the functions
//! here. Elements are passed by address. `type` is their type and must be that of the vector: the
//! header, which another thread may be able to write, must not determine how many bytes of the
//! caller are accessed.

use crate::args::check_pointer;
use crate::control::{control_of, oh_control};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::vector::layout::{region_length, type_of};
use offheap_core::vector::raw::{self, Sum, View, Writer};
use offheap_core::vector::sort::{self, argsort::Indices};
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// The type, the size and the elements of a vector.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_vector_info {
    /// Type of the elements, an `oh_type`.
    pub element_type: u32,
    /// The first element, 256 bytes after the start of the region.
    pub data: *mut c_void,
    /// Number of elements.
    pub count: u64,
    /// Number of elements that fit into the region.
    pub capacity: u64,
    /// Size of the region in bytes. The memory may be longer.
    pub region_size: u64,
}

/// A sum. The sum of integers is exact, in 128 bits: `high` × 2^64 + `low`; `value` is the same as
/// a double. For floats only `value` is meaningful.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_sum {
    /// The low 64 bits.
    pub low: u64,
    /// The high 64 bits.
    pub high: i64,
    /// The sum as a double.
    pub value: f64,
}

/// Refuses values of another type than the vector's, and addresses that are NULL or misaligned.
fn check_values(view: &View, ty: u32, values: *const c_void, count: usize) -> Result<()> {
    let found = view.shape().ty;
    if type_of(ty)? != found {
        return Err(Error::wrong_type(format!(
            "the elements have type {ty}, but the vector contains {found:?}"
        )));
    }
    if count == 0 {
        return Ok(());
    }
    if values.is_null() {
        return Err(Error::wrong_type("the elements are NULL"));
    }
    if !values.addr().is_multiple_of(found.width()) {
        return Err(Error::wrong_type(format!("the elements are not aligned to {} bytes", found.width())));
    }
    if count > isize::MAX as usize / found.width() {
        return Err(Error::range(format!("too many elements ({count})")));
    }
    Ok(())
}

/// Computes the number of bytes that a vector of `capacity` elements of a type needs.
///
/// # Safety
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_region_size(ty: u32, capacity: u64, out: *mut usize) -> oh_status {
    // SAFETY: the caller guarantees that `out` is writable.
    unsafe { guard_out(out, || region_length(type_of(ty)?, capacity)) }
}

/// Creates an empty vector in `length` bytes at `base`: at least 256, and a multiple of 8. It uses
/// them up to the last multiple of 64. The caller keeps owning the memory.
///
/// # Safety
/// `base` is valid for writing `length` bytes that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_init(base: *mut c_void, length: usize, ty: u32) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for writing `length` bytes that no other
    // thread uses.
    guard(|| unsafe { raw::init(base.cast(), length, type_of(ty)?) })
}

/// Checks in constant time that `length` bytes at `base` contain a vector.
///
/// After `OH_OK`, no `oh_vector_` function reads or writes outside these bytes, whatever their
/// contents. Every function repeats this check. Errors: `OH_ERR_CORRUPT`; `OH_ERR_VERSION` for
/// another kind of structure or another version; `OH_ERR_TYPE` if `base` is NULL or misaligned.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { raw::read(base.cast(), length, |_| Ok(())) })
}

/// Verifies the checksum (if there is one), and that unused words of the header are zero.
/// `OH_ERR_CORRUPT` if something is wrong; `oh_last_error` describes the first error found. Takes
/// time proportional to the size of the region.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes.
    guard(|| unsafe { raw::validate(base.cast(), length) })
}

/// Returns the type, the size and the address of the elements of a vector.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_get_info(
    base: *const c_void,
    length: usize,
    out: *mut oh_vector_info,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            raw::read(base.cast(), length, |view| {
                let shape = view.shape();
                Ok(oh_vector_info {
                    element_type: shape.ty as u32,
                    data: view.data().cast(),
                    count: shape.len as u64,
                    capacity: shape.capacity as u64,
                    region_size: shape.region as u64,
                })
            })
        })
    }
}

/// Appends `count` elements. If they do not fit, `OH_ERR_FULL` is returned and nothing changes:
/// enlarge the memory, call `oh_vector_set_region`, and append again.
///
/// Other threads may read the vector at the same time, but not write it.
///
/// # Safety
/// `base` is valid for reading and writing `length` bytes, and no other thread writes them;
/// `values` points to `count` readable elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_push(
    base: *mut c_void,
    length: usize,
    ty: u32,
    values: *const c_void,
    count: usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes,
    // and no other thread writes them and that `values` has `count` elements.
    guard(|| unsafe {
        let mut writer = Writer::attach(base.cast(), length)?;
        check_values(&writer, ty, values, count)?;
        writer.push(values.cast(), count)
    })
}

/// Changes the number of elements, up to the capacity. New elements have whatever value the memory
/// contains.
///
/// # Safety
/// As for `oh_vector_push`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_set_count(base: *mut c_void, length: usize, len: u64) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes,
    // and no other thread writes them and that `values` has `count` elements.
    guard(|| unsafe {
        let len = usize::try_from(len).map_err(|_| Error::full("the elements exceed the address space"))?;
        Writer::attach(base.cast(), length)?.set_len(len)
    })
}

/// Changes the size of the region to `bytes`, a multiple of 64 that is large enough for the
/// elements: to use memory after it was enlarged, or to give memory up.
///
/// # Safety
/// As for `oh_vector_push`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_set_region(base: *mut c_void, length: usize, bytes: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes,
    // and no other thread writes them and that `values` has `count` elements.
    guard(|| unsafe { Writer::attach(base.cast(), length)?.set_region(bytes) })
}

/// Sets the elements from `from` up to, but not including, `to` to the one at `value`.
///
/// # Safety
/// As for `oh_vector_push`; an element is readable at `value`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_fill(
    base: *mut c_void,
    length: usize,
    ty: u32,
    value: *const c_void,
    from: u64,
    to: u64,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes,
    // and no other thread writes them, that `values` has `count` elements, that an element is
    // readable at `value`.
    guard(|| unsafe {
        let mut writer = Writer::attach(base.cast(), length)?;
        check_values(&writer, ty, value, 1)?;
        let index = |at| usize::try_from(at).unwrap_or(usize::MAX);
        writer.fill(value.cast(), index(from), index(to))
    })
}

/// Returns the sum of all elements. Integers are summed exactly, and floats as if in twice the
/// precision of a double. Limited by memory bandwidth.
///
/// This function, and the following ones that only read, wait while another thread rearranges the
/// vector, and repeat their work if it was disturbed.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_sum(base: *const c_void, length: usize, out: *mut oh_sum) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            raw::read(base.cast(), length, |view| {
                Ok(match view.sum() {
                    Sum::Integer(sum) => {
                        oh_sum { low: sum as u64, high: (sum >> 64) as i64, value: sum as f64 }
                    }
                    Sum::Float(value) => oh_sum { low: 0, high: 0, value },
                })
            })
        })
    }
}

/// Writes the least element, or the greatest, to `out`. The result is NaN if there is one; −0 is
/// less than 0. If the vector is empty, `*found` becomes false, and `out` is not written.
///
/// # Safety
/// `base` is valid for reading `length` bytes; `out` is writable for an element, `found` for a
/// boolean.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_extreme(
    base: *const c_void,
    length: usize,
    ty: u32,
    greatest: bool,
    out: *mut c_void,
    found: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes and that `out`
    // is writable for an element, `found` for a boolean.
    unsafe {
        guard_out(found, || {
            let mut element = 0u64;
            let (width, found) = raw::read(base.cast(), length, |view| {
                check_values(view, ty, out, 1)?;
                let found = view.extreme(greatest, (&raw mut element).cast());
                Ok((view.shape().ty.width(), found))
            })?;
            if found {
                std::ptr::copy_nonoverlapping((&raw const element).cast::<u8>(), out.cast(), width);
            }
            Ok(found)
        })
    }
}

/// Returns the index of the first element from `from` on that equals the one at `value`, or −1.
/// Floats are compared like `==` does; if `nan` is true, NaN equals NaN.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `value` for an element; `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_index_of(
    base: *const c_void,
    length: usize,
    ty: u32,
    value: *const c_void,
    from: u64,
    nan: bool,
    out: *mut i64,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, `value` for an
    // element and that `out` is writable.
    unsafe {
        guard_out(out, || {
            raw::read(base.cast(), length, |view| {
                check_values(view, ty, value, 1)?;
                let from = usize::try_from(from).unwrap_or(usize::MAX);
                Ok(view.index_of(value.cast(), from, nan).map_or(-1, |at| at as i64))
            })
        })
    }
}

/// Sorts the elements in ascending order: −0 before 0, and NaN last. NaNs may lose their signs.
/// Takes O(n).
///
/// If `control` is NULL, it sorts in place where memory for a copy is refused, so it does not fail
/// for lack of memory. Otherwise it works on a copy, and another thread can cancel it: then
/// `*finished` becomes false, and the vector is unchanged. Other threads may read the vector at the
/// same time.
///
/// # Safety
/// As for `oh_vector_push`; `control` is NULL, or lives until this returns; `finished` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_sort(
    base: *mut c_void,
    length: usize,
    control: *mut oh_control,
    finished: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes,
    // and no other thread writes them, that `values` has `count` elements, that `control` is NULL,
    // or lives until this returns, that `finished` is writable.
    unsafe { guard_out(finished, || sort::sort(base.cast(), length, control_of(control)?)) }
}

/// Writes the indices of the first `count` elements to `out`, in the order in which
/// `oh_vector_sort` would sort them; equal elements keep their order. The indices are `uint32_t`,
/// or doubles if `wide` is true, for vectors of more than 2^32 elements. `OH_ERR_OOM` if there is
/// no temporary memory (16 to 32 bytes for each element).
///
/// # Safety
/// `base` is valid for reading `length` bytes; `out` is writable for `count` indices; `control` and
/// `finished` as for `oh_vector_sort`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_argsort(
    base: *const c_void,
    length: usize,
    control: *mut oh_control,
    out: *mut c_void,
    count: usize,
    wide: bool,
    finished: *mut bool,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, that `out` is
    // writable for `count` indices, that `control` and `finished` as for `oh_vector_sort`.
    unsafe {
        guard_out(finished, || {
            let indices = if wide {
                let out = out.cast::<f64>();
                if count > 0 {
                    check_pointer(out, "out")?;
                }
                Indices::F64(out, count)
            } else {
                let out = out.cast::<u32>();
                if count > 0 {
                    check_pointer(out, "out")?;
                }
                if count as u64 > 1 << 32 {
                    return Err(Error::range(format!(
                        "32 bits do not number {count} elements: ask for wide"
                    )));
                }
                Indices::U32(out, count)
            };
            sort::argsort::argsort(base.cast(), length, control_of(control)?, indices)
        })
    }
}

/// Searches a vector that is sorted as by `oh_vector_sort` for `count` elements at `values`, by
/// binary search. `out[i]` becomes the index of the first element that equals `values[i]`, or −(j +
/// 1), where j is the index at which to insert it. Here −0 equals 0, and NaN equals NaN.
///
/// # Safety
/// `base` is valid for reading `length` bytes; `values` has `count` elements, and `out` room for as
/// many answers.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_search(
    base: *const c_void,
    length: usize,
    ty: u32,
    values: *const c_void,
    count: usize,
    out: *mut i64,
) -> oh_status {
    guard(|| {
        if count > 0 {
            check_pointer(out, "out")?;
        }
        // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes and that
        // `values` has `count` elements, and `out` room for as many answers.
        unsafe {
            raw::read(base.cast(), length, |view| {
                check_values(view, ty, values, count)?;
                if count > 0 {
                    view.search_many(values.cast(), count, |i, found| out.add(i).write(found));
                }
                Ok(())
            })
        }
    })
}

/// Returns the size of the smallest region that contains the elements: the number of bytes to save.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_saved_size(
    base: *const c_void,
    length: usize,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading `length` bytes, and that `out`
    // is writable.
    unsafe {
        guard_out(out, || {
            raw::read(base.cast(), length, |view| region_length(view.shape().ty, view.shape().len as u64))
        })
    }
}

/// Overwrites the region past the elements with zeros. Otherwise it may contain any bytes.
///
/// # Safety
/// As for `oh_vector_push`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_zero_unused(base: *mut c_void, length: usize) -> oh_status {
    // SAFETY: the caller guarantees that `base` is valid for reading and writing `length` bytes,
    // and no other thread writes them and that `values` has `count` elements.
    guard(|| unsafe {
        Writer::attach(base.cast(), length)?.zero_unused();
        Ok(())
    })
}
