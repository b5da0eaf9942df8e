//! The vector: numbers of one type in a row.
//!
//! `oh_vector_*(base, length, …)`: functions on a vector in memory of yours. Each checks the header
//! (some 20 ns) and works in place. `oh_owned_vector_*`: a vector that owns its memory and grows by
//! itself; `oh_owned_vector_region` shows that memory to the others. Elements are passed by
//! address, and `type` says what is there: it must be the vector's, so that a header that someone
//! else can write is not trusted to say how many bytes are yours.

use crate::args::check_pointer;
use crate::control::{control_of, oh_control};
use crate::guard::{guard, guard_out};
use crate::status::oh_status;
use offheap_core::vector::layout::{region_length, type_of};
use offheap_core::vector::raw::{self, Sum, View, Writer};
use offheap_core::vector::sort::{self, argsort::Indices};
use offheap_core::{Error, Result};
use std::ffi::c_void;

/// What a vector is and holds.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_vector_info {
    /// Type of the elements, an `oh_type`.
    pub element_type: u32,
    /// The first element; 256 bytes into the region.
    pub data: *mut c_void,
    /// How many elements there are.
    pub count: u64,
    /// How many fit into the region.
    pub capacity: u64,
    /// Bytes of the region. The memory it lies in may be longer.
    pub region_size: u64,
}

/// A sum. Of integers it is exact, in 128 bits: `high` × 2^64 + `low`; `value` is that as a double.
/// Of floats only `value` has a meaning.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct oh_sum {
    /// The low 64 bits.
    pub low: u64,
    /// The high 64 bits.
    pub high: i64,
    /// As a double.
    pub value: f64,
}

/// Refuses values of another type than the vector's, and addresses where none of them can be.
fn check_values(view: &View, ty: u32, values: *const c_void, count: usize) -> Result<()> {
    let found = view.shape().ty;
    if type_of(ty)? != found {
        return Err(Error::wrong_type(format!("elements of type {ty} for a vector of {found:?}")));
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
        return Err(Error::range(format!("an impossible number of elements ({count})")));
    }
    Ok(())
}

/// Bytes of memory for a vector of `capacity` elements.
///
/// # Safety
/// `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_region_size(ty: u32, capacity: u64, out: *mut usize) -> oh_status {
    // SAFETY: the caller vouches for it.
    unsafe { guard_out(out, || region_length(type_of(ty)?, capacity)) }
}

/// Makes an empty vector in `length` bytes at `base`: 256 at least, and a multiple of 8. It uses
/// them up to the last multiple of 64. The memory stays yours.
///
/// # Safety
/// `base` is valid for writing `length` bytes that no other thread uses.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_init(base: *mut c_void, length: usize, ty: u32) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { raw::init(base.cast(), length, type_of(ty)?) })
}

/// Checks in constant time that the memory holds a vector. After `OH_OK` no function here reads or
/// writes outside it, whatever else it holds; and each checks the same again by itself.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_check(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { raw::read(base.cast(), length, |_| Ok(())) })
}

/// Proves the rest: the checksum, if there is one, and that words without a meaning are zero.
///
/// # Safety
/// `base` is valid for reading `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_validate(base: *const c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { raw::validate(base.cast(), length) })
}

/// What a vector is and holds.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_get_info(
    base: *const c_void,
    length: usize,
    out: *mut oh_vector_info,
) -> oh_status {
    // SAFETY: the caller vouches for both.
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

/// Appends `count` elements. `OH_ERR_FULL`, and nothing is changed, if they do not fit: then make
/// the memory longer, call `oh_vector_set_region`, and append again.
///
/// Threads that only read may go on meanwhile. Other threads that write may not.
///
/// # Safety
/// `base` is valid for reading and writing `length` bytes, and no other thread writes them;
/// `values` has `count` elements.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_push(
    base: *mut c_void,
    length: usize,
    ty: u32,
    values: *const c_void,
    count: usize,
) -> oh_status {
    // SAFETY: the caller vouches for the memory and the elements.
    guard(|| unsafe {
        let mut writer = Writer::attach(base.cast(), length)?;
        check_values(&writer, ty, values, count)?;
        writer.push(values.cast(), count)
    })
}

/// Sets the number of elements, at most the capacity. New ones are whatever the memory holds.
///
/// # Safety
/// As for `oh_vector_push`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_set_count(base: *mut c_void, length: usize, len: u64) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe {
        let len = usize::try_from(len).map_err(|_| Error::full("more elements than memory can hold"))?;
        Writer::attach(base.cast(), length)?.set_len(len)
    })
}

/// Makes the region `bytes` long, in memory that is: to use memory that was made longer, or to give
/// some up. A multiple of 64, and enough for the elements.
///
/// # Safety
/// As for `oh_vector_push`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_set_region(base: *mut c_void, length: usize, bytes: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe { Writer::attach(base.cast(), length)?.set_region(bytes) })
}

/// Sets the elements from `from` up to `to`, which is not set, to the one at `value`.
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
    // SAFETY: the caller vouches for the memory and the element.
    guard(|| unsafe {
        let mut writer = Writer::attach(base.cast(), length)?;
        check_values(&writer, ty, value, 1)?;
        let index = |at| usize::try_from(at).unwrap_or(usize::MAX);
        writer.fill(value.cast(), index(from), index(to))
    })
}

/// The sum. Integers are summed exactly, floats as if in twice the precision of a double. At the
/// speed of memory.
///
/// This and the functions below that only read wait for a rearrangement of another thread to end,
/// and repeat what one disturbed.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_sum(base: *const c_void, length: usize, out: *mut oh_sum) -> oh_status {
    // SAFETY: the caller vouches for both.
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

/// The least element, or the greatest, written to `out`. NaN if there is one; −0 is less than 0.
/// `*found` is false, and `out` as it was, if the vector is empty.
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
    // SAFETY: the caller vouches for the memory and the outputs.
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

/// The index of the first element from `from` on that is equal to the one at `value`, or −1. Floats
/// are compared as `==` does; with `nan`, NaN is found besides.
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
    // SAFETY: the caller vouches for the memory, the element and the output.
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

/// Sorts: ascending, −0 before 0, NaN last. NaNs may lose their signs. O(n).
///
/// With `control` NULL it works in place where memory for a copy is refused, so it does not fail
/// for that. Otherwise it works on a copy, and can be stopped from another thread: `*finished` is
/// then false, and the vector as it was. Other threads may read meanwhile.
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
    // SAFETY: the caller vouches for the memory, the control and the output.
    unsafe { guard_out(finished, || sort::sort(base.cast(), length, control_of(control)?)) }
}

/// Writes the indices of the elements, in the order that `oh_vector_sort` would give them, to
/// `out`; equal elements keep their order. `count` is the number of elements, or of the first ones
/// that are to be looked at. The indices are `uint32_t`, or, with `wide`, doubles: for vectors
/// beyond 2^32. `OH_ERR_OOM` where temporary memory (16 to 32 bytes an element) is refused.
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
    // SAFETY: the caller vouches for the memory, the places, the control and the output.
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

/// Binary search, in a vector sorted as `oh_vector_sort` does, for `count` elements at `values`:
/// `out[i]` is the index of the first element equal to `values[i]`, or −(j + 1), where j is the
/// index to insert it at. −0 is 0 here, and NaN is NaN.
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
        // SAFETY: the caller vouches for the memory, the elements and the answers.
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

/// Bytes of a region that holds just the elements: what to save.
///
/// # Safety
/// `base` is valid for reading `length` bytes, `out` is writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_saved_size(
    base: *const c_void,
    length: usize,
    out: *mut usize,
) -> oh_status {
    // SAFETY: the caller vouches for both.
    unsafe {
        guard_out(out, || {
            raw::read(base.cast(), length, |view| region_length(view.shape().ty, view.shape().len as u64))
        })
    }
}

/// Writes zeros over the region's bytes past the elements, which otherwise are whatever was there.
///
/// # Safety
/// As for `oh_vector_push`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn oh_vector_zero_unused(base: *mut c_void, length: usize) -> oh_status {
    // SAFETY: the caller vouches for the memory.
    guard(|| unsafe {
        Writer::attach(base.cast(), length)?.zero_unused();
        Ok(())
    })
}
