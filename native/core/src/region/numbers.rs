//! Arrays of numbers of any type: the input, queries and results of structures.
//!
//! An array is given by address and type, because it may be in memory that other threads write (a
//! typed array over a `SharedArrayBuffer`). So every element is copied first, and the copy is
//! checked and used: a race changes it to some other number, never to an unchecked one. Numbers are
//! processed in chunks of [`CHUNK`], as `u64`: the loops over a chunk are independent of the type,
//! few, and simple enough for the compiler to vectorize them if their caller has the features.

use crate::region::element::Type;
use crate::{Error, Result};
use std::marker::PhantomData;

/// Numbers per chunk: two kilobytes, so that several chunks stay in the first-level cache.
pub const CHUNK: usize = 256;
/// The largest integer up to which doubles represent all integers: 2^53 − 1.
pub const MAX_SAFE: u64 = (1 << 53) - 1;

/// A chunk of numbers.
pub type Chunk = [u64; CHUNK];

/// A type of elements that [`Numbers`] can have.
pub trait Number: Copy {
    /// Its code in the formats.
    const TYPE: Type;
}

macro_rules! numbers {
    ($($type:ty, $name:ident;)+) => {$(
        impl Number for $type {
            const TYPE: Type = Type::$name;
        }
    )+};
}

numbers! {
    u8, U8; i8, I8; u16, U16; i16, I16; u32, U32; i32, I32; f32, F32; f64, F64; u64, U64; i64, I64;
}

/// An array to read from.
#[derive(Clone, Copy, Debug)]
pub struct Numbers<'a> {
    data: *const u8,
    ty: Type,
    len: usize,
    /// Its name in messages.
    name: &'static str,
    life: PhantomData<&'a [u64]>,
}

/// An array to write to.
#[derive(Debug)]
pub struct NumbersMut<'a> {
    data: *mut u8,
    ty: Type,
    len: usize,
    life: PhantomData<&'a mut [u64]>,
}

fn check(data: *const u8, ty: Type, len: usize, name: &str) -> Result<()> {
    if !ty.is_numeric() {
        return Err(Error::wrong_type(format!("{name} are of type {ty:?}, which is not numeric")));
    }
    if len > 0 && (data.is_null() || !data.addr().is_multiple_of(ty.width())) {
        return Err(Error::wrong_type(format!("{name} are NULL or not aligned")));
    }
    if len > isize::MAX as usize / ty.width() {
        return Err(Error::range(format!("invalid length of {name}: {len}")));
    }
    Ok(())
}

impl<'a> Numbers<'a> {
    /// An array by its address. Messages call it `name`, for example `values`.
    ///
    /// # Safety
    /// While `'a` lasts, `len` elements at `data` are readable. Other threads may write them.
    pub unsafe fn new(data: *const u8, ty: Type, len: usize, name: &'static str) -> Result<Numbers<'a>> {
        check(data, ty, len, name)?;
        Ok(Numbers { data, ty, len, name, life: PhantomData })
    }

    /// The elements of a slice.
    #[must_use]
    pub fn of<T: Number>(slice: &'a [T], name: &'static str) -> Numbers<'a> {
        let data = slice.as_ptr().cast();
        Numbers { data, ty: T::TYPE, len: slice.len(), name, life: PhantomData }
    }

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The array's name in messages.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Reads the chunk that begins at `from`, a multiple of [`CHUNK`] below the length. `Range` if
    /// an element is not a non-negative integer: negative, fractional, NaN, or a float of 2^53 or
    /// more, where floats do not represent all integers.
    #[inline(always)]
    pub fn read<'b>(&self, from: usize, chunk: &'b mut Chunk) -> Result<&'b [u64]> {
        assert!(from < self.len);
        let chunk = &mut chunk[..CHUNK.min(self.len - from)];
        // SAFETY: the chunk's elements are within the array, which is accessible by the contract of
        // `new`.
        let sound = unsafe {
            match self.ty {
                Type::U8 => self.unsigned::<u8>(from, chunk),
                Type::U16 => self.unsigned::<u16>(from, chunk),
                Type::U32 => self.unsigned::<u32>(from, chunk),
                Type::U64 => self.unsigned::<u64>(from, chunk),
                Type::I8 => self.convert::<i8>(from, chunk, |value| (value.into(), value < 0)),
                Type::I16 => self.convert::<i16>(from, chunk, |value| (value.into(), value < 0)),
                Type::I32 => self.convert::<i32>(from, chunk, |value| (value.into(), value < 0)),
                Type::I64 => self.convert::<i64>(from, chunk, |value| (value, value < 0)),
                Type::F32 => self.convert::<f32>(from, chunk, |value| float(value.into())),
                _ => self.convert::<f64>(from, chunk, float),
            }
        };
        if sound { Ok(chunk) } else { Err(self.refuse(from, chunk.len())) }
    }

    /// Reads the chunk that begins at `from`, below the length, as doubles. `Type` for 64-bit
    /// integers, because doubles do not represent all of them.
    pub fn read_floats<'b>(&self, from: usize, chunk: &'b mut [f64; CHUNK]) -> Result<&'b [f64]> {
        assert!(from < self.len);
        let chunk = &mut chunk[..CHUNK.min(self.len - from)];
        macro_rules! each {
            ($type:ty) => {
                for (i, slot) in chunk.iter_mut().enumerate() {
                    // SAFETY: the chunk's elements are within the array, which is readable by the
                    // contract of `new`.
                    *slot = unsafe { self.data.cast::<$type>().add(from + i).read() }.into();
                }
            };
        }
        match self.ty {
            Type::U8 => each!(u8),
            Type::I8 => each!(i8),
            Type::U16 => each!(u16),
            Type::I16 => each!(i16),
            Type::U32 => each!(u32),
            Type::I32 => each!(i32),
            Type::F32 => each!(f32),
            Type::F64 => each!(f64),
            _ => {
                let (name, ty) = (self.name, self.ty);
                return Err(Error::wrong_type(format!(
                    "{name} are of type {ty:?}, which doubles cannot represent"
                )));
            }
        }
        Ok(chunk)
    }

    /// # Safety
    /// The array's elements have this type, and at least `chunk.len()` of them follow from `from`
    /// on.
    #[inline(always)]
    unsafe fn unsigned<T: Copy + Into<u64>>(&self, from: usize, chunk: &mut [u64]) -> bool {
        for (i, slot) in chunk.iter_mut().enumerate() {
            // SAFETY: the caller guarantees the type and that the element is within the array.
            *slot = unsafe { self.data.cast::<T>().add(from + i).read() }.into();
        }
        true
    }

    /// # Safety
    /// As for `unsigned`.
    #[inline(always)]
    unsafe fn convert<T: Copy>(
        &self,
        from: usize,
        chunk: &mut [u64],
        convert: impl Fn(T) -> (i64, bool),
    ) -> bool {
        let mut wrong = false;
        for (i, slot) in chunk.iter_mut().enumerate() {
            // SAFETY: the caller guarantees the type and that the element is within the array.
            let (value, bad) = convert(unsafe { self.data.cast::<T>().add(from + i).read() });
            *slot = value.cast_unsigned();
            wrong |= bad;
        }
        !wrong
    }

    #[cold]
    fn refuse(&self, from: usize, count: usize) -> Error {
        let show = |at: usize| {
            // SAFETY: the element is within the array.
            unsafe {
                match self.ty {
                    Type::I8 => f64::from(self.data.cast::<i8>().add(at).read_volatile()),
                    Type::I16 => f64::from(self.data.cast::<i16>().add(at).read_volatile()),
                    Type::I32 => f64::from(self.data.cast::<i32>().add(at).read_volatile()),
                    Type::I64 => self.data.cast::<i64>().add(at).read_volatile() as f64,
                    Type::F32 => f64::from(self.data.cast::<f32>().add(at).read_volatile()),
                    _ => self.data.cast::<f64>().add(at).read_volatile(),
                }
            }
        };
        let name = self.name;
        let wrong = (from..from + count).map(|at| (at, show(at))).find(|&(_, value)| {
            let (_, bad) = float(value);
            bad && !(self.ty == Type::I64 && value > 0.0)
        });
        match wrong {
            Some((at, value)) => {
                Error::range(format!("{name}[{at}] is {value}, not an integer from 0 to 2^53 - 1"))
            }
            None => Error::range(format!("{name} changed while they were read")),
        }
    }
}

/// A double as an integer, and whether it is not an integer from 0 to 2^53 − 1. Has no branches,
/// and clamps first, which costs less than the saturation and NaN handling of `as`.
#[inline(always)]
fn float(value: f64) -> (i64, bool) {
    // NaN becomes -1.
    let clamped = value.max(-1.0).min((MAX_SAFE + 1) as f64);
    // SAFETY: the number is from -1 to 2^53, which i64 can represent.
    let integer = unsafe { clamped.to_int_unchecked::<i64>() };
    (integer, integer.cast_unsigned() > MAX_SAFE || integer as f64 != value)
}

impl<'a> NumbersMut<'a> {
    /// An array by its address. Messages call it `name`.
    ///
    /// # Safety
    /// While `'a` lasts, `len` elements at `data` are writable, and nothing else in this process
    /// relies on their values.
    pub unsafe fn new(data: *mut u8, ty: Type, len: usize, name: &'static str) -> Result<NumbersMut<'a>> {
        check(data, ty, len, name)?;
        Ok(NumbersMut { data, ty, len, life: PhantomData })
    }

    /// The elements of a slice.
    #[must_use]
    pub fn of<T: Number>(slice: &'a mut [T]) -> NumbersMut<'a> {
        let data = slice.as_mut_ptr().cast();
        NumbersMut { data, ty: T::TYPE, len: slice.len(), life: PhantomData }
    }

    /// The number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no elements.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the elements can represent every number of `bits` bits.
    #[must_use]
    pub fn hold(&self, bits: u32) -> bool {
        let most = match self.ty {
            Type::U8 => 8,
            Type::I8 => 7,
            Type::U16 => 16,
            Type::I16 => 15,
            Type::F32 => 24,
            Type::U32 => 32,
            Type::I32 => 31,
            Type::F64 => 53,
            Type::I64 => 63,
            _ => 64,
        };
        bits <= most
    }

    /// Writes numbers from index `from` on. Numbers that an element cannot represent are truncated:
    /// check with [`NumbersMut::hold`] first.
    #[inline(always)]
    pub fn write(&mut self, from: usize, chunk: &[u64]) {
        assert!(from <= self.len && chunk.len() <= self.len - from);
        // SAFETY: the chunk's elements are within the array, which is accessible by the contract of
        // `new`.
        unsafe {
            match self.ty {
                Type::U8 | Type::I8 => self.put(from, chunk, |value| value as u8),
                Type::U16 | Type::I16 => self.put(from, chunk, |value| value as u16),
                Type::U32 | Type::I32 => self.put(from, chunk, |value| value as u32),
                Type::U64 | Type::I64 => self.put(from, chunk, |value| value),
                Type::F32 => self.put(from, chunk, |value| value as f32),
                _ => self.put(from, chunk, |value| value as f64),
            }
        }
    }

    /// # Safety
    /// The array's elements are as wide as this type, and at least `chunk.len()` of them follow
    /// from `from` on.
    #[inline(always)]
    unsafe fn put<T>(&mut self, from: usize, chunk: &[u64], convert: impl Fn(u64) -> T) {
        for (i, &value) in chunk.iter().enumerate() {
            // SAFETY: the caller guarantees the width and that the element is within the array.
            unsafe { self.data.cast::<T>().add(from + i).write(convert(value)) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    fn read<T: Number>(slice: &[T]) -> Result<Vec<u64>> {
        let numbers = Numbers::of(slice, "values");
        let mut all = Vec::new();
        let mut chunk = [0; CHUNK];
        for from in (0..slice.len()).step_by(CHUNK) {
            all.extend_from_slice(numbers.read(from, &mut chunk)?);
        }
        Ok(all)
    }

    #[test]
    fn reads_the_integers_of_every_type() {
        assert_eq!(read(&[0u8, 255]).unwrap(), [0, 255]);
        assert_eq!(read(&[0i8, 127]).unwrap(), [0, 127]);
        assert_eq!(read(&[u16::MAX]).unwrap(), [65535]);
        assert_eq!(read(&[i16::MAX]).unwrap(), [32767]);
        assert_eq!(read(&[u32::MAX]).unwrap(), [u64::from(u32::MAX)]);
        assert_eq!(read(&[i32::MAX]).unwrap(), [i32::MAX as u64]);
        assert_eq!(read(&[u64::MAX, 0]).unwrap(), [u64::MAX, 0]);
        assert_eq!(read(&[i64::MAX]).unwrap(), [i64::MAX as u64]);
        assert_eq!(read(&[0f32, -0.0, 16_777_216.0]).unwrap(), [0, 0, 1 << 24]);
        assert_eq!(read(&[0f64, -0.0, MAX_SAFE as f64]).unwrap(), [0, 0, MAX_SAFE]);
        let many: Vec<u32> = (0..1000).collect();
        assert_eq!(read(&many).unwrap(), (0..1000).collect::<Vec<u64>>());
    }

    #[test]
    fn reads_doubles_of_every_type_except_64_bit_integers() {
        fn floats<T: Number>(slice: &[T]) -> Result<Vec<f64>> {
            let mut chunk = [0.0; CHUNK];
            Numbers::of(slice, "keys").read_floats(1, &mut chunk).map(<[f64]>::to_vec)
        }
        assert_eq!(floats(&[0u8, 255]).unwrap(), [255.0]);
        assert_eq!(floats(&[0i8, -128]).unwrap(), [-128.0]);
        assert_eq!(floats(&[0, u16::MAX]).unwrap(), [65535.0]);
        assert_eq!(floats(&[0, i16::MIN]).unwrap(), [-32768.0]);
        assert_eq!(floats(&[0, u32::MAX]).unwrap(), [4_294_967_295.0]);
        assert_eq!(floats(&[0, i32::MIN, 7]).unwrap(), [-2_147_483_648.0, 7.0]);
        assert_eq!(floats(&[0f32, 0.5]).unwrap(), [0.5]);
        assert_eq!(floats(&[0f64, 1e300]).unwrap(), [1e300]);
        assert_eq!(floats(&[0u64, 1]).unwrap_err().kind(), ErrorKind::Type);
        assert_eq!(floats(&[0i64, 1]).unwrap_err().kind(), ErrorKind::Type);
        assert_eq!(floats(&[1.0; 1000]).unwrap().len(), CHUNK);
    }

    #[test]
    fn names_the_element_that_is_not_a_non_negative_integer() {
        let mut long = vec![1.0; 600];
        long[515] = 0.5;
        let error = read(&long).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Range);
        assert!(error.message().starts_with("values[515] is 0.5,"), "{error}");
        for bad in [-1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 9_007_199_254_740_992.0, 1e300, -1e300]
        {
            assert_eq!(read(&[1.0, bad]).unwrap_err().kind(), ErrorKind::Range, "{bad}");
            assert_eq!(read(&[1.0, bad as f32]).unwrap_err().kind(), ErrorKind::Range, "{bad}");
        }
        assert!(read(&[-1i8]).is_err() && read(&[-1i16]).is_err() && read(&[-1i32]).is_err());
        let error = read(&[i64::MAX, -5]).unwrap_err();
        assert!(error.message().starts_with("values[1] is -5,"), "{error}");
    }

    #[test]
    fn writing_converts_to_the_type_of_the_elements() {
        let numbers = [1, 2, 255];
        let (mut a, mut b, mut c) = ([0u8; 4], [0f64; 4], [0f32; 4]);
        NumbersMut::of(&mut a).write(1, &numbers);
        NumbersMut::of(&mut b).write(0, &numbers);
        NumbersMut::of(&mut c).write(0, &numbers);
        assert_eq!((a, b, c), ([0, 1, 2, 255], [1.0, 2.0, 255.0, 0.0], [1.0, 2.0, 255.0, 0.0]));
        assert!(NumbersMut::of(&mut a).hold(8) && !NumbersMut::of(&mut a).hold(9));
        assert!(NumbersMut::of(&mut b).hold(53) && !NumbersMut::of(&mut b).hold(54));
    }

    #[test]
    fn refuses_misaligned_null_non_numeric_and_oversized_arrays() {
        let words = [0u64; 2];
        let odd = words.as_ptr().cast::<u8>().wrapping_add(1);
        // SAFETY: the arrays are not read.
        unsafe {
            let new = |data, ty, len| {
                Numbers::new(data, ty, len, "values").map(|_| ()).map_err(|error| error.kind())
            };
            assert_eq!(new(odd, Type::U8, 2), Ok(()));
            assert_eq!(new(odd, Type::F64, 1), Err(ErrorKind::Type));
            assert_eq!(new(std::ptr::null(), Type::F64, 1), Err(ErrorKind::Type));
            assert_eq!(new(std::ptr::null(), Type::F64, 0), Ok(()));
            assert_eq!(new(odd, Type::String, 1), Err(ErrorKind::Type));
            assert_eq!(new(words.as_ptr().cast(), Type::U64, usize::MAX / 4), Err(ErrorKind::Range));
        }
    }
}
