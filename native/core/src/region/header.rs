//! The header that every region begins with.
//!
//! `docs/formats/region.md` is the specification. The header is 64 little-endian words of 32 bits;
//! words 0 to 15 are common to all kinds of region, and 16 to 63 belong to the kind.
//!
//! A [`Header`] is a private copy that was checked once. Code that uses the copy may read wrong
//! contents, because another thread can write the region, but never out of bounds.

use super::kind::Kind;
use super::memory::Memory;
pub use super::memory::{HEADER_BYTES, HEADER_WORDS};
use crate::{Error, Result};
use std::sync::atomic::{Ordering, fence};

/// The first word of every region: the bytes `OFHP`.
pub const MAGIC: u32 = 0x5048_464F;
/// The version of the header that this code reads and writes.
pub const VERSION: u32 = 1;
/// A region's length, and the sections in it, are multiples of this.
pub const ALIGNMENT: u64 = 64;
/// Flag: the checksum word holds a checksum.
pub const FLAG_CHECKSUM: u32 = 1;
/// Flag: the owner moved to a larger buffer.
pub const FLAG_SUPERSEDED: u32 = 2;

/// Indices of the header's words. The index of a field of two words is that of its low word.
pub mod word {
    /// `OFHP`.
    pub const MAGIC: usize = 0;
    /// Version of the header.
    pub const VERSION: usize = 1;
    /// Kind of structure.
    pub const KIND: usize = 2;
    /// Version of the structure's format.
    pub const KIND_VERSION: usize = 3;
    /// Bytes of the region (two words).
    pub const LENGTH: usize = 4;
    /// Odd while the region is rearranged.
    pub const SEQUENCE: usize = 6;
    /// `FLAG_…` bits.
    pub const FLAGS: usize = 7;
    /// CRC-32C of the region.
    pub const CHECKSUM: usize = 8;
    /// Key of the hash function (two words).
    pub const SEEDS: usize = 9;
    /// The first of the reserved words 11 to 15.
    pub const RESERVED: usize = 11;
    /// The first word that belongs to the kind.
    pub const STRUCTURE: usize = 16;
}

/// `bytes` rounded up to the alignment of sections. Saturates near the end of `u64`.
#[inline]
#[must_use]
pub const fn align(bytes: u64) -> u64 {
    bytes.saturating_add(ALIGNMENT - 1) & !(ALIGNMENT - 1)
}

/// Seeds that cannot be guessed, from the system's randomness.
#[must_use]
pub fn random_seeds() -> [u32; 2] {
    use std::hash::{BuildHasher, Hasher};
    let bits = std::collections::hash_map::RandomState::new().build_hasher().finish();
    [bits as u32, (bits >> 32) as u32]
}

impl Memory {
    /// Removes the region's checksum, if there is one. Call it before the first change, which would
    /// make the checksum wrong.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    #[inline]
    pub(crate) unsafe fn clear_checksum(self) {
        let flags = self.word(word::FLAGS);
        if flags & FLAG_CHECKSUM != 0 {
            // SAFETY: the caller guarantees that the memory is writable and has no other writer.
            unsafe {
                self.set_word(word::FLAGS, flags & !FLAG_CHECKSUM);
                self.set_word(word::CHECKSUM, 0);
            }
        }
    }

    /// Begins a new region: writes the common part of its header, except for the magic number, and
    /// zeros to the words of the kind.
    ///
    /// # Safety
    /// The memory is writable, and no other thread uses it.
    pub(crate) unsafe fn begin_region(self, kind: Kind, length: u64) {
        // SAFETY: within the header, and the caller guarantees that the memory is writable and not
        // used by another thread.
        unsafe {
            self.base().write_bytes(0, HEADER_BYTES);
            self.set_word(word::VERSION, VERSION);
            self.set_word(word::KIND, kind.code());
            self.set_word(word::KIND_VERSION, kind.version());
            self.set_double_word(word::LENGTH, length);
        }
    }

    /// Writes the key of the region's hash function.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    pub(crate) unsafe fn set_seeds(self, seeds: [u32; 2]) {
        // SAFETY: the memory is writable, and this is its only writer.
        unsafe {
            self.set_word(word::SEEDS, seeds[0]);
            self.set_word(word::SEEDS + 1, seeds[1]);
        }
    }

    /// Completes a region that [`Memory::begin_region`] began, by the magic number. This is the
    /// last store, so that an incomplete region is not mistaken for a region.
    ///
    /// # Safety
    /// As for `begin_region`.
    pub(crate) unsafe fn end_region(self) {
        // SAFETY: the caller guarantees that the memory is writable and not used by another thread.
        unsafe { self.set_word(word::MAGIC, MAGIC) };
    }
}

/// A private copy of a region's header, whose common part was checked.
#[derive(Clone, Copy, Debug)]
pub struct Header {
    words: [u32; HEADER_WORDS],
}

impl Header {
    /// Copies the header and checks its common part: magic, versions, kind, flags, and that the
    /// length is possible and fits the memory.
    ///
    /// `Version` for another version or kind, `Stale` for a superseded region, else `Corrupt`.
    pub fn read(memory: Memory, kind: Kind) -> Result<Header> {
        let header = Header::copy(memory);
        header.check_format()?;
        let (code, version) = (header.word(word::KIND), header.word(word::KIND_VERSION));
        if code != kind.code() {
            return Err(Error::version(match Kind::from_code(code) {
                Some(other) => format!("the region contains a {other}, not a {kind}"),
                None => format!("the region contains a structure of unknown kind {code}, not a {kind}"),
            }));
        }
        let known = kind.oldest_version()..=kind.version();
        if !known.contains(&version) {
            let (oldest, newest) = known.into_inner();
            let known = if oldest == newest { newest.to_string() } else { format!("{oldest} to {newest}") };
            return Err(Error::version(format!(
                "unsupported {kind} format version {version}: this library reads version {known}"
            )));
        }
        header.check_common(memory)?;
        Ok(header)
    }

    /// The same for a region of any kind and version, known to this library or not.
    pub fn read_any(memory: Memory) -> Result<Header> {
        let header = Header::copy(memory);
        header.check_format()?;
        header.check_common(memory)?;
        Ok(header)
    }

    fn copy(memory: Memory) -> Header {
        let mut words = [0; HEADER_WORDS];
        // From the last word to the first: a kind stores a count that bounds another one before it,
        // and a writer raises the bound first, so a copy made during a small step is consistent.
        for (index, slot) in words.iter_mut().enumerate().rev() {
            *slot = memory.word(index);
            fence(Ordering::Acquire);
        }
        Header { words }
    }

    fn check_format(&self) -> Result<()> {
        if self.word(word::MAGIC) != MAGIC {
            return Err(Error::corrupt("not an offheap region: the magic number is missing"));
        }
        if self.word(word::VERSION) != VERSION {
            let version = self.word(word::VERSION);
            return Err(Error::version(format!(
                "unsupported region version {version}: this library reads version {VERSION}"
            )));
        }
        Ok(())
    }

    fn check_common(&self, memory: Memory) -> Result<()> {
        let length = self.double_word(word::LENGTH);
        if length < HEADER_BYTES as u64 || !length.is_multiple_of(ALIGNMENT) {
            return Err(Error::corrupt(format!("invalid region length: {length}")));
        }
        if length > memory.len() as u64 {
            let given = memory.len();
            return Err(Error::corrupt(format!("the region is truncated: {given} of {length} bytes")));
        }
        let flags = self.word(word::FLAGS);
        if flags & !(FLAG_CHECKSUM | FLAG_SUPERSEDED) != 0 {
            return Err(Error::corrupt(format!("unknown region flags {flags:#x}")));
        }
        if flags & FLAG_SUPERSEDED != 0 {
            return Err(Error::stale(
                "the owner of this region moved it to a larger buffer: attach to that one",
            ));
        }
        Ok(())
    }

    /// A word of the copy.
    #[inline]
    #[must_use]
    pub fn word(&self, index: usize) -> u32 {
        self.words[index]
    }

    /// A field of two words.
    #[inline]
    #[must_use]
    pub fn double_word(&self, index: usize) -> u64 {
        u64::from(self.words[index]) | u64::from(self.words[index + 1]) << 32
    }

    /// Bytes of the region.
    #[inline]
    #[must_use]
    pub fn length(&self) -> u64 {
        self.double_word(word::LENGTH)
    }

    /// The key of the region's hash function.
    #[inline]
    #[must_use]
    pub fn seeds(&self) -> [u32; 2] {
        [self.words[word::SEEDS], self.words[word::SEEDS + 1]]
    }

    /// The version of the kind's format.
    #[inline]
    #[must_use]
    pub fn kind_version(&self) -> u32 {
        self.word(word::KIND_VERSION)
    }

    /// Part of `validate`: checks that reserved words and those of the kind from `end` on are zero,
    /// and that the checksum, if there is one, matches. The header was read from `memory`.
    pub(crate) fn verify_checksum(&self, memory: Memory, end: usize) -> Result<()> {
        self.check_reserved()?;
        if self.words[end..].iter().any(|&word| word != 0) {
            return Err(Error::corrupt("an unused word of the header is not zero"));
        }
        if self.word(word::FLAGS) & FLAG_CHECKSUM != 0 {
            // SAFETY: the region is within the memory, which is readable by the contract of
            // `Memory::new`.
            let found = unsafe { super::crc::region_checksum(memory.base(), self.length() as usize) };
            if found != self.word(word::CHECKSUM) {
                return Err(Error::corrupt("the checksum of the region does not match its bytes"));
            }
        }
        Ok(())
    }

    /// Part of `validate`: checks that the reserved words are zero, and that the checksum is if the
    /// region has none.
    pub fn check_reserved(&self) -> Result<()> {
        let reserved = &self.words[word::RESERVED..word::STRUCTURE];
        let stray = self.word(word::FLAGS) & FLAG_CHECKSUM == 0 && self.word(word::CHECKSUM) != 0;
        if stray || reserved.iter().any(|&word| word != 0) {
            return Err(Error::corrupt("a reserved word of the region's header is not zero"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[repr(align(64))]
    struct Block([u32; HEADER_WORDS]);

    fn block() -> Block {
        let mut block = Block([0; HEADER_WORDS]);
        block.0[..6].copy_from_slice(&[MAGIC, VERSION, Kind::HashMap.code(), 1, 256, 0]);
        block
    }

    fn read(block: &mut Block, len: usize) -> Result<Header> {
        // SAFETY: the block has 256 bytes, and all tests pass at most 256 as `len`.
        let memory = unsafe { Memory::new((&raw mut block.0).cast(), len) }?;
        Header::read(memory, Kind::HashMap)
    }

    #[test]
    fn accepts_a_valid_header() {
        let header = read(&mut block(), 256).unwrap();
        assert_eq!(header.length(), 256);
        header.check_reserved().unwrap();
    }

    #[test]
    fn rejects_each_invalid_word_with_its_error() {
        let expected = [
            (word::MAGIC, 0, ErrorKind::Corrupt),
            (word::VERSION, 2, ErrorKind::Version),
            (word::KIND, 2, ErrorKind::Version),
            (word::KIND_VERSION, 7, ErrorKind::Version),
            (word::LENGTH, 255, ErrorKind::Corrupt),
            (word::LENGTH, 192, ErrorKind::Corrupt),
            (word::LENGTH, 320, ErrorKind::Corrupt),
            (word::LENGTH + 1, 1, ErrorKind::Corrupt),
            (word::FLAGS, 4, ErrorKind::Corrupt),
            (word::FLAGS, FLAG_SUPERSEDED, ErrorKind::Stale),
        ];
        for (index, value, kind) in expected {
            let mut block = block();
            block.0[index] = value;
            assert_eq!(read(&mut block, 256).unwrap_err().kind(), kind, "word {index} = {value}");
        }
        assert_eq!(read(&mut block(), 255).unwrap_err().kind(), ErrorKind::Corrupt);
        for index in word::CHECKSUM..word::STRUCTURE {
            let mut block = block();
            block.0[index] = 1;
            let sound = index == word::SEEDS || index == word::SEEDS + 1;
            assert_eq!(read(&mut block, 256).unwrap().check_reserved().is_ok(), sound, "word {index}");
        }
    }

    #[test]
    fn alignment_saturates() {
        assert_eq!((align(0), align(1), align(64), align(65)), (0, 64, 64, 128));
        assert_eq!(align(u64::MAX) % 64, 0);
    }
}
