//! Blobs: strings and bytes in the heap of a region.
//!
//! A reference r denotes the heap's bytes from 4r on: one word `byte length × 4 + encoding`, the
//! bytes, and zeros up to a multiple of 4. The encoding is determined by the content, so two blobs
//! are equal exactly if their words and bytes are. Every read is bounds-checked against the heap.

use crate::region::element::Type;
use crate::{Error, Result};

/// The most bytes of one blob.
pub const MAX_BLOB: usize = (1 << 30) - 1;

/// Encoding: every byte below 0x80.
pub const ASCII: u32 = 0;
/// Encoding: UTF-8 with at least one character that is not ASCII.
pub const UTF8: u32 = 1;
/// Encoding: WTF-8 with at least one lone surrogate.
pub const WTF8: u32 = 2;
/// Encoding: not text.
pub const BYTES: u32 = 3;

/// A string or byte sequence outside the region, with the word that precedes it in a heap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blob<'a> {
    head: u32,
    bytes: &'a [u8],
}

/// Bytes that a blob with this head word takes in a heap, including head and padding.
#[inline(always)]
pub(crate) fn size_of_blob(head: u32) -> u64 {
    4 + u64::from(head >> 2).next_multiple_of(4)
}

impl<'a> Blob<'a> {
    fn new(bytes: &'a [u8], encoding: u32) -> Result<Blob<'a>> {
        if bytes.len() > MAX_BLOB {
            let length = bytes.len();
            return Err(Error::range(format!("a blob of {length} bytes exceeds the limit of {MAX_BLOB}")));
        }
        Ok(Blob { head: (bytes.len() as u32) << 2 | encoding, bytes })
    }

    /// Text.
    #[inline]
    pub fn text(text: &'a str) -> Result<Blob<'a>> {
        Blob::new(text.as_bytes(), if text.is_ascii() { ASCII } else { UTF8 })
    }

    /// Any bytes.
    #[inline]
    pub fn bytes(bytes: &'a [u8]) -> Result<Blob<'a>> {
        Blob::new(bytes, BYTES)
    }

    /// These bytes as a blob of a column of type `ty`. Text must be UTF-8, or WTF-8 (UTF-8 that may
    /// contain lone surrogates, as JavaScript strings can).
    pub fn of_type(bytes: &'a [u8], ty: Type) -> Result<Blob<'a>> {
        if ty == Type::Bytes {
            return Blob::bytes(bytes);
        }
        match text_encoding(bytes) {
            Some(encoding) => Blob::new(bytes, encoding),
            None => Err(Error::range("a string must be UTF-8 (or WTF-8, if it has lone surrogates)")),
        }
    }

    /// The word before the bytes.
    #[inline(always)]
    #[must_use]
    pub fn head(self) -> u32 {
        self.head
    }

    /// The bytes.
    #[inline(always)]
    #[must_use]
    pub fn content(self) -> &'a [u8] {
        self.bytes
    }

    /// Bytes that the blob takes in a heap.
    #[inline(always)]
    #[must_use]
    pub fn heap_bytes(self) -> u64 {
        size_of_blob(self.head)
    }
}

/// The encoding of text, or `None` if the bytes are not WTF-8.
///
/// WTF-8 (Sapin 2014) is UTF-8 in which code points U+D800 to U+DFFF may occur, unless a leading
/// one is followed by a trailing one: such a pair is one character of four bytes.
#[must_use]
pub fn text_encoding(bytes: &[u8]) -> Option<u32> {
    if bytes.is_ascii() {
        return Some(ASCII);
    }
    let mut encoding = UTF8;
    let mut rest = bytes;
    // Whether a leading surrogate ends exactly where `rest` begins.
    let mut led = false;
    loop {
        let valid = match std::str::from_utf8(rest) {
            Ok(_) => return Some(encoding),
            Err(error) => error.valid_up_to(),
        };
        let &[0xED, second @ 0xA0..=0xBF, 0x80..=0xBF, ..] = &rest[valid..] else { return None };
        let trailing = second >= 0xB0;
        if led && valid == 0 && trailing {
            return None;
        }
        encoding = WTF8;
        led = !trailing;
        rest = &rest[valid + 3..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_has_one_encoding() {
        assert_eq!(text_encoding(b""), Some(ASCII));
        assert_eq!(text_encoding(b"a\0b"), Some(ASCII));
        assert_eq!(text_encoding("grün".as_bytes()), Some(UTF8));
        let lead = b"\xED\xA0\xBD";
        let trail = b"\xED\xB8\x80";
        let cases: [(Vec<u8>, Option<u32>); 7] = [
            (lead.to_vec(), Some(WTF8)),
            (trail.to_vec(), Some(WTF8)),
            ([&trail[..], lead].concat(), Some(WTF8)),
            ([&lead[..], lead, b"x", trail].concat(), Some(WTF8)),
            ([&lead[..], trail].concat(), None),
            ([b"x", &lead[..2]].concat(), None),
            (b"\xC0\x80".to_vec(), None),
        ];
        for (bytes, expected) in cases {
            assert_eq!(text_encoding(&bytes), expected, "{bytes:x?}");
        }
    }

    #[test]
    fn sizes_include_head_and_padding() {
        for (length, size) in [(0, 4), (1, 8), (4, 8), (5, 12), (8, 12)] {
            assert_eq!(Blob::bytes(&vec![7; length]).unwrap().heap_bytes(), size);
        }
        assert_eq!(size_of_blob(u32::MAX), 4 + (1 << 30));
    }

    #[test]
    fn types_determine_the_allowed_bytes() {
        assert_eq!(Blob::of_type(b"\xFF", Type::Bytes).unwrap().head(), 4 | BYTES);
        assert!(Blob::of_type(b"\xFF", Type::String).is_err());
        assert_eq!(Blob::of_type(b"x", Type::String).unwrap(), Blob::text("x").unwrap());
    }
}
