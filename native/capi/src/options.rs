//! Option structs, which can grow from version to version.
//!
//! An option struct begins with `size_t struct_size`, the `sizeof` of the struct in the header that
//! the caller was compiled with. [`read_struct`] therefore accepts
//!
//! - a shorter struct, from the size of the first version on: fields that it lacks are 0;
//! - a longer struct, of a later header: bytes that this version does not know must be 0, because a
//!   request must not be ignored silently. Otherwise it is refused with `OH_ERR_UNSUPPORTED`.
//!   Linux's `copy_struct_from_user` has the same rules.
//!
//! So 0 must mean "as before" for every field that is added, and a new field must begin where the
//! struct ended, not in its padding, whose bytes callers may have left undefined.

use crate::args::check_pointer;
use offheap_core::{Error, Result};
use std::mem::MaybeUninit;

/// A C `bool` in a struct that C wrote. C may have stored any byte there, which would be undefined
/// behavior for a Rust `bool`; every byte except 0 is true here. cbindgen writes it as `bool`.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flag(u8);

impl Flag {
    /// Whether it is set.
    #[inline]
    pub fn is_set(self) -> bool {
        self.0 != 0
    }

    /// The bits of a number of this type.
    ///
    /// # Safety
    /// `length` bytes at `data` are readable, or `data` is null.
    #[inline]
    pub fn bits(self, bits: u32) -> u32 {
        if self.is_set() { bits } else { 0 }
    }
}

impl From<bool> for Flag {
    fn from(set: bool) -> Flag {
        Flag(u8::from(set))
    }
}

/// No struct of any version is longer. A larger size is a mistake, such as a size that was never
/// set.
const SIZE_MAX: usize = 4096;

/// A struct that [`read_struct`] can read. Implemented by [`option_struct!`].
///
/// # Safety
/// The type is `repr(C)`, its first field is `struct_size: usize`, and every bit pattern is valid
/// for all its fields: integers, raw pointers and [`Flag`]s, but no `bool` and no `enum`.
pub unsafe trait OptionStruct: Copy {
    /// The name in the header.
    const NAME: &str;
    /// The size of the first version.
    const FIRST_SIZE: usize;
}

/// Implements [`OptionStruct`]. `through` is the last field of the first version and its type; it
/// stays the same when fields are added.
macro_rules! option_struct {
    ($name:ident, through $last:ident: $ty:ty) => {
        // SAFETY: `repr(C)` and fields of integers, raw pointers and flags; tests/sources.rs checks
        // that the struct has no bool.
        unsafe impl $crate::options::OptionStruct for $name {
            const NAME: &str = stringify!($name);
            const FIRST_SIZE: usize = {
                assert!(std::mem::offset_of!($name, struct_size) == 0);
                (std::mem::offset_of!($name, $last) + size_of::<$ty>()).next_multiple_of(align_of::<$name>())
            };
        }
    };
}
pub(crate) use option_struct;

/// Reads an option struct of this version, an earlier, or a later one. `what` names the argument.
///
/// # Safety
/// `given` is null, or points to as many readable bytes as its first member says.
pub unsafe fn read_struct<T: OptionStruct>(given: *const T, what: &'static str) -> Result<T> {
    check_pointer(given, what)?;
    // SAFETY: not null and aligned, and `struct_size` comes first in every version.
    let size = unsafe { given.cast::<usize>().read() };
    if !(T::FIRST_SIZE..=SIZE_MAX).contains(&size) {
        let name = T::NAME;
        return Err(Error::range(format!("invalid {what}.struct_size: {size}; set it to sizeof({name})")));
    }
    let known = size.min(size_of::<T>());
    let mut read = MaybeUninit::<T>::zeroed();
    // SAFETY: the caller guarantees `size` readable bytes at `given`, and `read` has `known` bytes.
    // Every bit pattern is valid for T, so it is initialized.
    let read = unsafe {
        read.as_mut_ptr().cast::<u8>().copy_from_nonoverlapping(given.cast(), known);
        read.assume_init()
    };
    for at in known..size {
        // SAFETY: within the `size` bytes.
        if unsafe { given.cast::<u8>().add(at).read() } != 0 {
            return Err(Error::unsupported(format!(
                "{what} sets a field at byte {at}, which this version does not know"
            )));
        }
    }
    Ok(read)
}

/// [`read_struct`] for an argument that may be NULL: `None`.
///
/// # Safety
/// As for [`read_struct`].
pub unsafe fn read_optional_struct<T: OptionStruct>(
    given: *const T,
    what: &'static str,
) -> Result<Option<T>> {
    if given.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller guarantees the same.
    unsafe { read_struct(given, what) }.map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use offheap_core::ErrorKind;

    /// Version 2 of a struct whose version 1 ended with `flag`.
    #[repr(C)]
    #[derive(Clone, Copy, Debug)]
    struct Options {
        struct_size: usize,
        first: u32,
        flag: Flag,
        added: u64,
    }
    option_struct!(Options, through flag: Flag);

    /// Version 3, as a later header declares it.
    #[repr(C)]
    struct Later {
        known: Options,
        unknown: u64,
    }

    fn options(struct_size: usize) -> Options {
        Options { struct_size, first: 7, flag: Flag(2), added: u64::MAX }
    }

    fn read(given: &Options) -> Result<Options> {
        // SAFETY: no test claims more bytes than there are, except where the size is refused.
        unsafe { read_struct(given, "options") }
    }

    #[test]
    fn a_struct_of_the_first_version_has_zeros_for_what_it_lacks() {
        assert_eq!(Options::FIRST_SIZE, size_of::<usize>() + 8);
        let read = read(&options(Options::FIRST_SIZE)).unwrap();
        assert_eq!((read.first, read.added), (7, 0));
        assert!(read.flag.is_set(), "any byte except 0 is true");
        assert_eq!(self::read(&options(size_of::<Options>())).unwrap().added, u64::MAX);
    }

    #[test]
    fn a_struct_of_a_later_version_is_read_if_its_further_fields_are_zero() {
        let mut later = Later { known: options(size_of::<Later>()), unknown: 0 };
        // SAFETY: `later` has the size that it says.
        let read =
            |later: &Later| unsafe { read_struct(std::ptr::from_ref(later).cast::<Options>(), "options") };
        assert_eq!(read(&later).unwrap().added, u64::MAX);
        later.unknown = 1 << 63;
        let error = read(&later).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let at = size_of::<Options>() + if cfg!(target_endian = "little") { 7 } else { 0 };
        assert_eq!(
            error.message(),
            format!("options sets a field at byte {at}, which this version does not know")
        );
    }

    #[test]
    fn a_size_that_no_version_has_is_refused() {
        for size in [0, Options::FIRST_SIZE - 1, SIZE_MAX + 1, usize::MAX] {
            let error = read(&options(size)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Range);
            assert_eq!(
                error.message(),
                format!("invalid options.struct_size: {size}; set it to sizeof(Options)")
            );
        }
        // SAFETY: null is refused, or means that there is none.
        unsafe {
            assert_eq!(
                read_struct::<Options>(std::ptr::null(), "options").unwrap_err().kind(),
                ErrorKind::Type
            );
            assert!(read_optional_struct::<Options>(std::ptr::null(), "options").unwrap().is_none());
        }
    }
}
