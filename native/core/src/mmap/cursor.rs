//! Sequential reading of bytes: numbers, varints, text. Positions count bytes from the start.
//!
//! Every read is first checked against the end, regardless of any length in the bytes, and a
//! refused read leaves the position unchanged. `src/mmap/cursor.ts` does the same for JavaScript's
//! buffers.
//!
//! **Cost.** A comparison and a load for a number. Text is copied, because other threads may be
//! writing to a mapped file.

use super::mapped_file::MappedFile;
use crate::{Error, Result};
use std::marker::PhantomData;

/// Varints of 64 bits have at most ten bytes, of which the tenth contains one bit.
const VARINT_BYTES: usize = 10;

/// A position in bytes. `read_u8` to `read_f64` read little-endian numbers and advance.
///
/// Errors of all reads: `Range` past the end, `Corrupt` for an invalid varint or text.
#[derive(Debug)]
pub struct Cursor<'a> {
    base: *const u8,
    size: usize,
    at: usize,
    owner: PhantomData<&'a [u8]>,
}

macro_rules! numbers {
    ($($name:ident $ty:ty)*) => {$(
        #[doc = concat!("The next `", stringify!($ty), "`, little-endian.")]
        #[inline]
        pub fn $name(&mut self) -> Result<$ty> {
            Ok(<$ty>::from_le_bytes(self.read()?))
        }
    )*};
}

impl MappedFile {
    /// A cursor at the first byte. To check whether the file is still complete, use
    /// [`MappedFile::check`].
    #[must_use]
    pub fn cursor(&self) -> Cursor<'_> {
        let (base, size) = self.bytes();
        // SAFETY: the bytes belong to the file and stay valid while it is borrowed.
        unsafe { Cursor::over(base, size, 0) }
    }
}

impl<'a> Cursor<'a> {
    /// A cursor over `size` bytes at `base`, at a position, which may be past the end.
    ///
    /// # Safety
    /// The bytes are readable for `'a`; other threads may write them.
    #[must_use]
    pub unsafe fn over(base: *const u8, size: usize, position: usize) -> Cursor<'a> {
        Cursor { base, size, at: position, owner: PhantomData }
    }

    /// The position of the next read.
    #[must_use]
    pub fn position(&self) -> usize {
        self.at
    }

    /// Bytes from the position to the end.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.size.saturating_sub(self.at)
    }

    /// Moves to `position`, which must not exceed the end.
    pub fn seek(&mut self, position: usize) -> Result<()> {
        if position > self.size {
            return Err(Error::range(format!("position {position} of {} bytes", self.size)));
        }
        self.at = position;
        Ok(())
    }

    /// Skips `count` bytes, and returns their address.
    #[inline]
    pub fn skip(&mut self, count: usize) -> Result<*const u8> {
        if count > self.remaining() {
            return Err(self.ended(count));
        }
        // SAFETY: the range was checked.
        let from = unsafe { self.base.add(self.at) };
        self.at += count;
        Ok(from)
    }

    #[inline]
    fn read<const N: usize>(&mut self) -> Result<[u8; N]> {
        let from = self.skip(N)?;
        // SAFETY: N bytes follow `from`, as `skip` checked; alignment is not needed.
        Ok(unsafe { from.cast::<[u8; N]>().read() })
    }

    numbers! {
        read_u8 u8  read_i8 i8  read_u16 u16  read_i16 i16  read_u32 u32  read_i32 i32
        read_u64 u64  read_i64 i64  read_f32 f32  read_f64 f64
    }

    /// Reads an unsigned LEB128 varint of up to 64 bits. As in LEB128, it may be longer than
    /// necessary.
    pub fn read_varint(&mut self) -> Result<u64> {
        let start = self.at;
        let read = self.varint();
        if read.is_err() {
            self.at = start;
        }
        read
    }

    fn varint(&mut self) -> Result<u64> {
        let start = self.at;
        let mut value = 0;
        for i in 0..VARINT_BYTES {
            let byte = self.read_u8()?;
            let bits = u64::from(byte & 0x7f);
            if i == VARINT_BYTES - 1 && bits > 1 {
                return Err(Error::corrupt(format!("the varint at {start} has more than 64 bits")));
            }
            value |= bits << (7 * i);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(Error::corrupt(format!("the varint at {start} has more than ten bytes")))
    }

    /// Reads text of `length` bytes of UTF-8. Without a length, a varint before the text is its
    /// length in bytes.
    pub fn read_string(&mut self, length: Option<usize>) -> Result<String> {
        self.text(length, |from, length| {
            let mut copy = Vec::new();
            copy.try_reserve_exact(length)?;
            // SAFETY: `length` bytes are readable at `from`, as `skip` checked, and reserved in
            // `copy`.
            unsafe {
                from.copy_to_nonoverlapping(copy.as_mut_ptr(), length);
                copy.set_len(length);
            }
            Ok(String::from_utf8(copy).ok())
        })
    }

    /// As `read_string`, without a copy.
    ///
    /// # Safety
    /// No thread writes the bytes during `'a`.
    pub unsafe fn read_text(&mut self, length: Option<usize>) -> Result<&'a str> {
        self.text(length, |from, length| {
            if length == 0 {
                return Ok(Some("")); // The address of an empty range may be null.
            }
            // SAFETY: `length` bytes are readable, as `skip` checked, and not written during `'a`,
            // guaranteed by the caller.
            Ok(std::str::from_utf8(unsafe { std::slice::from_raw_parts(from, length) }).ok())
        })
    }

    /// Finds the bytes of a text, and returns the result of `decode`, which is `None` for invalid
    /// text.
    fn text<T>(
        &mut self,
        length: Option<usize>,
        decode: impl FnOnce(*const u8, usize) -> Result<Option<T>>,
    ) -> Result<T> {
        let start = self.at;
        let read = self.text_here(length, decode);
        if read.is_err() {
            self.at = start;
        }
        read
    }

    fn text_here<T>(
        &mut self,
        length: Option<usize>,
        decode: impl FnOnce(*const u8, usize) -> Result<Option<T>>,
    ) -> Result<T> {
        let start = self.at;
        let length = match length {
            Some(length) => length,
            // A length that exceeds the address space is past the end of any bytes.
            None => usize::try_from(self.read_varint()?).unwrap_or(usize::MAX),
        };
        let text = decode(self.skip(length)?, length)?;
        text.ok_or_else(|| Error::corrupt(format!("the bytes at {start} are not UTF-8")))
    }

    #[cold]
    fn ended(&self, count: usize) -> Error {
        Error::range(format!("{count} bytes at {} of {}", self.at, self.size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use proptest::prelude::*;

    fn over(bytes: &[u8]) -> Cursor<'_> {
        // SAFETY: the slice is borrowed for the cursor's lifetime.
        unsafe { Cursor::over(bytes.as_ptr(), bytes.len(), 0) }
    }

    fn varint(mut value: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value > 127 {
            bytes.push(value as u8 | 128);
            value >>= 7;
        }
        bytes.push(value as u8);
        bytes
    }

    #[test]
    fn numbers_are_read_at_any_position_and_stop_at_the_end() {
        let bytes: Vec<u8> = (1..=43).collect();
        let mut cursor = over(&bytes);
        assert_eq!(cursor.read_u8().unwrap(), 1);
        assert_eq!(cursor.read_i8().unwrap(), 2);
        assert_eq!(cursor.read_u16().unwrap(), 0x0403);
        assert_eq!(cursor.read_i16().unwrap(), 0x0605);
        assert_eq!(cursor.read_u32().unwrap(), 0x0a09_0807);
        assert_eq!(cursor.read_i32().unwrap(), 0x0e0d_0c0b);
        assert_eq!(cursor.read_u64().unwrap(), 0x1615_1413_1211_100f);
        assert_eq!(cursor.read_i64().unwrap(), 0x1e1d_1c1b_1a19_1817);
        assert_eq!(cursor.read_f32().unwrap().to_bits(), 0x2221_201f);
        assert_eq!(cursor.read_f64().unwrap().to_bits(), 0x2a29_2827_2625_2423);
        assert_eq!((cursor.position(), cursor.remaining()), (42, 1));
        assert_eq!(cursor.read_u16().unwrap_err().kind(), ErrorKind::Range);
        assert_eq!(cursor.position(), 42);
        cursor.skip(1).unwrap();
        for count in [1, usize::MAX] {
            assert_eq!(cursor.skip(count).unwrap_err().kind(), ErrorKind::Range);
        }
        assert!(cursor.seek(44).is_err() && cursor.seek(43).is_ok() && cursor.seek(0).is_ok());
        // SAFETY: the vector outlives the cursor.
        let mut past = unsafe { Cursor::over(bytes.as_ptr(), bytes.len(), 100) };
        assert_eq!(past.remaining(), 0);
        assert_eq!(past.read_u8().unwrap_err().kind(), ErrorKind::Range);
    }

    #[test]
    fn invalid_lengths_are_refused_and_move_nothing() {
        let cases: &[(&[u8], ErrorKind)] = &[
            (&[], ErrorKind::Range),
            (&[128], ErrorKind::Range),
            (&[255; 9], ErrorKind::Range),
            (&[255; 10], ErrorKind::Corrupt),
            (&[128; 40], ErrorKind::Corrupt),
            (&[255, 255, 255, 255, 255, 255, 255, 255, 255, 2], ErrorKind::Corrupt),
        ];
        for &(bytes, kind) in cases {
            let mut cursor = over(bytes);
            assert_eq!(cursor.read_varint().unwrap_err().kind(), kind, "{bytes:?}");
            assert_eq!(cursor.read_string(None).unwrap_err().kind(), kind);
            assert_eq!(cursor.position(), 0);
        }
        for length in [6, 1 << 31, (1 << 32) - 1, 1 << 53, u64::MAX] {
            let bytes = [varint(length), b"ABCDE".to_vec()].concat();
            let mut cursor = over(&bytes);
            assert_eq!(cursor.read_string(None).unwrap_err().kind(), ErrorKind::Range);
            assert_eq!(cursor.read_string(Some(usize::MAX)).unwrap_err().kind(), ErrorKind::Range);
            assert_eq!(cursor.position(), 0);
        }
        let mut cursor = over(&[2, 0xc3, 0x28]);
        assert_eq!(cursor.read_string(None).unwrap_err().kind(), ErrorKind::Corrupt);
        assert_eq!(cursor.position(), 0);
        assert_eq!(over(&[0x81, 0x80, 0x00]).read_varint().unwrap(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(if cfg!(miri) { 2 } else { 200 }))]

        #[test]
        fn varints_and_texts_come_back(numbers: Vec<u64>, texts: Vec<String>) {
            let mut bytes = Vec::new();
            for &number in &numbers {
                bytes.extend(varint(number));
            }
            for text in &texts {
                bytes.extend(varint(text.len() as u64));
                bytes.extend(text.as_bytes());
            }
            let mut cursor = over(&bytes);
            for &number in &numbers {
                prop_assert_eq!(cursor.read_varint().unwrap(), number);
            }
            for text in &texts {
                prop_assert_eq!(&cursor.read_string(None).unwrap(), text);
            }
            prop_assert_eq!(cursor.remaining(), 0);
        }
    }
}
