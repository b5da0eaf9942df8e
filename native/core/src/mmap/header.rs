//! The header of a vector's file: 256 bytes, written once.
//!
//! `docs/formats/mmapvector.md`, "Header". All operations take constant time.

use super::storage::Storage;
use crate::region::crc::region_checksum;
use crate::region::element::Type;
use crate::region::header::{FLAG_CHECKSUM, HEADER_BYTES, HEADER_WORDS, Header, MAGIC, VERSION, word};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// The position of the elements: a multiple of every page size in use.
pub const DATA_OFFSET: u64 = 65_536;
/// Header word: type of the elements.
const TYPE: usize = word::STRUCTURE;

/// The contents of the header.
#[derive(Clone, Copy, Debug)]
pub(super) struct FileHeader {
    /// Type of the elements.
    pub(super) ty: Type,
    /// 64 random bits, specific to this file.
    pub(super) seeds: [u32; 2],
}

/// A header as it is stored in a file, aligned as region memory is.
#[repr(C, align(64))]
struct HeaderBytes([u8; HEADER_BYTES]);

impl FileHeader {
    /// Bytes of a file that contains `length` elements. `Range` if no file can.
    pub(super) fn bytes_for(self, length: u64) -> Result<u64> {
        length
            .checked_mul(self.ty.width() as u64)
            .and_then(|bytes| bytes.checked_add(DATA_OFFSET))
            .filter(|&bytes| bytes <= i64::MAX as u64)
            .ok_or_else(|| Error::range(format!("no file can contain {length} elements")))
    }

    /// Encodes the header.
    pub(super) fn encode(self) -> [u8; HEADER_BYTES] {
        let mut words = [0u32; HEADER_WORDS];
        words[word::MAGIC] = MAGIC;
        words[word::VERSION] = VERSION;
        words[word::KIND] = Kind::MmapVector.code();
        words[word::KIND_VERSION] = Kind::MmapVector.version();
        words[word::LENGTH] = HEADER_BYTES as u32;
        words[word::FLAGS] = FLAG_CHECKSUM;
        words[word::SEEDS..word::SEEDS + 2].copy_from_slice(&self.seeds);
        words[TYPE] = self.ty as u32;
        let mut bytes = HeaderBytes([0; HEADER_BYTES]);
        let put = |bytes: &mut HeaderBytes, words: &[u32; HEADER_WORDS]| {
            for (to, word) in bytes.0.chunks_exact_mut(4).zip(words) {
                to.copy_from_slice(&word.to_le_bytes());
            }
        };
        put(&mut bytes, &words);
        // SAFETY: the array has 256 bytes.
        words[word::CHECKSUM] = unsafe { region_checksum(bytes.0.as_ptr(), HEADER_BYTES) };
        put(&mut bytes, &words);
        bytes.0
    }

    /// Reads the header of a file. `Corrupt` or `Version` if it is invalid.
    pub(super) fn read<S: Storage>(storage: &S) -> Result<FileHeader> {
        let too_few = |len| Error::corrupt(format!("a vector's file cannot have only {len} bytes"));
        let len = storage.len()?;
        if len < HEADER_BYTES as u64 {
            return Err(too_few(len));
        }
        let mut bytes = HeaderBytes([0; HEADER_BYTES]);
        storage.read_at(0, &mut bytes.0)?;
        // SAFETY: the array has 256 bytes and is aligned to 64.
        let (header, sum) = unsafe {
            let memory = Memory::new(bytes.0.as_mut_ptr(), HEADER_BYTES)?;
            (Header::read(memory, Kind::MmapVector)?, region_checksum(bytes.0.as_ptr(), HEADER_BYTES))
        };
        if len < DATA_OFFSET {
            return Err(too_few(len));
        }
        let flags = header.word(word::FLAGS);
        if header.length() != HEADER_BYTES as u64
            || flags != FLAG_CHECKSUM
            || header.word(word::SEQUENCE) != 0
        {
            return Err(Error::corrupt("the header is not that of a vector's file"));
        }
        header.check_reserved()?;
        let ty = Type::from_number(header.word(TYPE)).filter(|ty| ty.is_numeric());
        let stray = (TYPE + 1..HEADER_WORDS).any(|index| header.word(index) != 0);
        match ty {
            Some(ty) if !stray && sum == header.word(word::CHECKSUM) => {
                Ok(FileHeader { ty, seeds: header.seeds() })
            }
            _ => Err(Error::corrupt("the header of the vector's file is damaged")),
        }
    }
}
