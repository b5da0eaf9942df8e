//! Sorting a vector: the choice of method and memory.
//!
//! | elements | method | memory |
//! | --- | --- | --- |
//! | up to [`SMALL`] | a private copy, by the standard library's unstable sort | on the stack |
//! | `u8`, `i8` | counting | none |
//! | others | [`radix`]: least significant digit first | as many elements again |
//! | others, where that memory is refused | [`in_place`]: most significant digit first, by swaps | none |
//!
//! Measured with 10^7 random doubles (EPYC of Zen 5, milliseconds): least significant digit first
//! with digits of 8 bits 108 to 130, of 11 bits 195 to 213; the same with write-combining buffers
//! 234 to 261; most significant digit first and then runs in cache 70 to 160, with three times the
//! code; the standard library's `sort_unstable` 140 to 145; V8's `Float64Array.prototype.sort`
//! 1,340.
//!
//! A sort that can be canceled works on a private copy and publishes it at the end, so the vector
//! does not change before that. Other sorts work in the region itself, as a rearrangement.

pub mod argsort;
pub(super) mod in_place;
pub(super) mod radix;
pub mod search;

use super::layout::DATA;
use super::raw::{self, Writer};
use crate::cpu::Features;
use crate::region::advise::{Advice, advise};
use crate::region::control::{Control, Progress};
use crate::region::element::Type;
use crate::region::element::{Element, Slot, Word, with_element};
use crate::{Error, ErrorKind, Result, simd};
use std::alloc::{self, Layout};
use std::ptr::NonNull;

/// Up to this many elements are sorted on the stack. For fewer elements, the 256 counters of a
/// digit cost more than comparisons.
const SMALL: usize = 512;
/// Scratch memory of at least this many bytes is advised to use huge pages.
const HUGE: usize = 4 << 20;

/// Private memory for a sort. All slots are initially zero.
pub(super) struct Scratch<S> {
    slots: NonNull<S>,
    len: usize,
}

impl<S: Slot> Scratch<S> {
    /// `None` if the memory is refused.
    ///
    /// # Safety
    /// All bits zero is a valid slot, and slots need no drop.
    pub(super) unsafe fn new(len: usize) -> Option<Scratch<S>> {
        let layout = Layout::array::<S>(len).ok().filter(|layout| layout.size() > 0)?;
        // SAFETY: the size is not zero.
        let slots = NonNull::new(unsafe { alloc::alloc_zeroed(layout) }.cast::<S>())?;
        if layout.size() >= HUGE {
            // SAFETY: the memory was just allocated with this size.
            let _taken = unsafe { advise(slots.as_ptr().cast(), layout.size(), Advice::HugePages) };
        }
        Some(Scratch { slots, len })
    }

    pub(super) fn slots(&self) -> &[S] {
        // SAFETY: this many slots were allocated and zeroed, and the caller of `new` guarantees
        // that zeros are valid slots.
        unsafe { std::slice::from_raw_parts(self.slots.as_ptr(), self.len) }
    }
}

impl<S> Drop for Scratch<S> {
    fn drop(&mut self) {
        if let Ok(layout) = Layout::array::<S>(self.len) {
            // SAFETY: the memory was allocated with this layout.
            unsafe { alloc::dealloc(self.slots.as_ptr().cast(), layout) };
        }
    }
}

#[cold]
pub(super) fn no_scratch() -> Error {
    Error::new(ErrorKind::Oom, "out of memory for a copy to sort")
}

/// Sorts the vector in `len` bytes at `base` in ascending order, with −0 before 0 and NaN last.
/// Returns false if it was canceled through `control`; it then has changed nothing. NaNs may lose
/// their signs.
///
/// Without a `control` it cannot fail for lack of memory. With one, other threads may read the
/// vector at the same time, but must not change it. If its length is different at the end, the
/// result is `Locked`, and nothing is changed.
///
/// # Safety
/// As for [`Writer::attach`].
pub unsafe fn sort(base: *mut u8, len: usize, control: Option<&Control>) -> Result<bool> {
    // SAFETY: here and below, `len` bytes at `base` are writable and this is the only writer, as
    // guaranteed by the caller.
    unsafe {
        let writer = Writer::attach(base, len)?;
        with_element!(writer.shape().ty, T => match control {
            None => sort_here::<T>(&writer).map(|()| true),
            Some(control) => sort_copy::<T>(base, len, control),
        })
    }
}

fn sort_here<T: Element>(writer: &Writer) -> Result<()> {
    let slots = writer.slots::<T>();
    if slots.len() < 2 {
        return Ok(());
    }
    if slots.len() <= SMALL {
        sort_small::<T>(writer, slots);
        return Ok(());
    }
    // SAFETY: slots are atomic integers, so all zeros is valid.
    let scratch = if size_of::<T>() == 1 { None } else { unsafe { Scratch::new(slots.len()) } };
    writer.change(|| match &scratch {
        Some(scratch) => {
            let done = radix::sort(slots, scratch.slots(), T::encode, T::decode, Progress::NONE);
            debug_assert!(done.is_ok(), "a sort without a control cannot be canceled");
        }
        None => in_place::sort(slots, T::encode, T::decode),
    });
    Ok(())
}

fn sort_small<T: Element>(writer: &Writer, slots: &[<T::Word as Word>::Slot]) {
    let mut copy = [T::Word::default(); SMALL];
    let copy = &mut copy[..slots.len()];
    for (word, slot) in copy.iter_mut().zip(slots) {
        *word = T::encode(slot.get());
    }
    if copy.is_sorted() {
        return;
    }
    copy.sort_unstable();
    writer.change(|| slots.iter().zip(copy).for_each(|(slot, key)| slot.set(T::decode(*key))));
}

/// # Safety
/// As for [`sort`].
unsafe fn sort_copy<T: Element>(base: *mut u8, len: usize, control: &Control) -> Result<bool> {
    let progress = Progress::new(Some(control));
    // SAFETY: `len` bytes at `base` are readable, as guaranteed by the caller.
    let copy = unsafe { Snapshot::<T>::take(base, len) }?;
    let slots = copy.slots();
    let cancelled = if slots.len() < 2 {
        progress.advance(0)
    } else {
        // SAFETY: slots are atomic integers, so all zeros is valid.
        match unsafe { Scratch::new(slots.len()) } {
            Some(scratch) => radix::sort(slots, scratch.slots(), T::encode, T::decode, progress),
            None => {
                in_place::sort(slots, T::encode, T::decode);
                progress.advance(slots.len())
            }
        }
    };
    if cancelled.is_err() || control.is_canceled() {
        return Ok(false);
    }
    // SAFETY: the preconditions of `attach` are guaranteed by the caller. The shape is checked
    // again, because any thread can write the header.
    unsafe {
        let writer = Writer::attach(base, len)?;
        if writer.shape().ty != T::TYPE || writer.shape().len != slots.len() {
            return Err(Error::new(ErrorKind::Locked, "the vector was changed while it was being sorted"));
        }
        let level = Features::get().level();
        let to = base.add(DATA).cast::<T::Word>();
        writer.change(|| simd::copy_out(level, to, slots.as_ptr().cast(), slots.len()));
    }
    Ok(true)
}

/// A consistent private copy of a vector's elements, taken between rearrangements.
struct Snapshot<T: Element>(Option<Scratch<<T::Word as Word>::Slot>>);

impl<T: Element> Snapshot<T> {
    /// `Oom` if memory is refused.
    ///
    /// # Safety
    /// As for [`raw::read`].
    unsafe fn take(base: *const u8, len: usize) -> Result<Snapshot<T>> {
        let mut copy: Option<Scratch<<T::Word as Word>::Slot>> = None;
        // SAFETY: `len` bytes at `base` are readable, as guaranteed by the caller.
        unsafe {
            raw::read(base, len, |view| {
                let shape = view.shape();
                if shape.ty != T::TYPE {
                    return Err(Error::new(
                        ErrorKind::Locked,
                        "the vector was changed while it was being sorted",
                    ));
                }
                if shape.len == 0 {
                    copy = None;
                    return Ok(());
                }
                if copy.as_ref().is_none_or(|copy| copy.len != shape.len) {
                    copy = None;
                    copy = Some(Scratch::new(shape.len).ok_or_else(no_scratch)?);
                }
                if let Some(copy) = &copy {
                    let to = copy.slots.as_ptr().cast::<T::Word>();
                    simd::copy_in(Features::get().level(), to, view.data().cast(), shape.len);
                }
                Ok(())
            })?;
        }
        Ok(Snapshot(copy))
    }

    fn slots(&self) -> &[<T::Word as Word>::Slot] {
        self.0.as_ref().map_or(&[], Scratch::slots)
    }
}
