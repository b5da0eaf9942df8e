//! The header that every region begins with, and the lock-free protocol around it.
//!
//! `docs/formats/region.md` is the specification. The header is 64 little-endian words of 32 bits;
//! words 0 to 15 are common to all kinds of region, and 16 to 63 belong to the kind.
//!
//! Region memory may be written by another thread (a worker that shares the buffer) and may hold
//! anything at all (a hostile file). So it is never seen as `&[u8]` or `&mut`: [`Memory`] reads and
//! writes it through raw pointers and atomics, and a [`Header`] is a private copy that was checked
//! once. Code that goes by the copy can be handed wrong contents, but never a wrong bound.
//!
//! Readers that do not own the region use the sequence word as a sequence lock:
//! [`Memory::read_begin`] before, [`Memory::read_retry`] after, and again from the start if it says
//! so. Writers wrap only rearrangements in [`Memory::change`]; small steps need no lock.

use crate::{Error, ErrorKind, Result};
use std::sync::atomic::{AtomicU8, AtomicU16, AtomicU32, AtomicU64, Ordering, fence};
use std::time::{Duration, Instant};

/// Bytes of a region's header.
pub const HEADER_BYTES: usize = 256;
/// Words of a region's header.
pub const HEADER_WORDS: usize = 64;
/// The first word of every region: the bytes `OFHP`.
pub const MAGIC: u32 = 0x5048_464F;
/// The version of the header that this code reads and writes.
pub const VERSION: u32 = 1;
/// A region's length, and the sections in it, are multiples of this.
pub const ALIGNMENT: u64 = 64;
/// The kind of a HashMap's region.
pub const KIND_HASHMAP: u32 = 1;
/// The kind of a SmallMapArena's region.
pub const KIND_SMALLMAP: u32 = 2;
/// The kind of a vector's region.
pub const KIND_VECTOR: u32 = 3;
/// The kind of a FixedPool's region.
pub const KIND_FIXED_POOL: u32 = 4;
/// The kind of a LockFreePool's region.
pub const KIND_LOCKFREE_POOL: u32 = 5;
/// The kind of a BumpArena's region.
pub const KIND_BUMP_ARENA: u32 = 6;
/// The kind of a NumaPool's region.
pub const KIND_NUMA_POOL: u32 = 7;
/// The kind of a bit vector's region.
pub const KIND_BITVECTOR: u32 = 8;
/// The kind of a region of bits with rank and select.
pub const KIND_RANKSELECT: u32 = 9;
/// The kind of an EliasFano's region.
pub const KIND_ELIAS_FANO: u32 = 10;
/// The kind of a PackedInts' region.
pub const KIND_PACKED_INTS: u32 = 11;
/// The kind of an MmapVector's file.
pub const KIND_MMAPVECTOR: u32 = 12;
/// The kind of a dictionary's region.
pub const KIND_DICTIONARY: u32 = 13;
/// The kind of a RecordStore's region.
pub const KIND_RECORD_STORE: u32 = 14;
/// The kind of a BloomFilter's region.
pub const KIND_BLOOM_FILTER: u32 = 15;
/// The kind of a SuffixArray's region.
pub const KIND_SUFFIX_ARRAY: u32 = 16;
/// Flag: the checksum word holds a checksum.
pub const FLAG_CHECKSUM: u32 = 1;
/// Flag: the owner moved to a larger buffer.
pub const FLAG_SUPERSEDED: u32 = 2;

/// Indices of the header's words. A field of two words bears the index of its low word.
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

/// Seeds that nobody can guess, from the system's randomness.
#[must_use]
pub fn random_seeds() -> [u32; 2] {
    use std::hash::{BuildHasher, Hasher};
    let bits = std::collections::hash_map::RandomState::new().build_hasher().finish();
    [bits as u32, (bits >> 32) as u32]
}

/// Region memory: a base address, 8-byte aligned, and how many bytes the caller vouches for.
///
/// Nothing is bounds-checked here in release builds: the callers check, because only they know what
/// an offset means. All accesses are atomic (relaxed loads, release stores), which costs nothing on
/// x86-64 and one-instruction forms on ARM.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    base: *mut u8,
    len: usize,
}

macro_rules! accessors {
    ($($load:ident $store:ident $atomic:ident $type:ident;)+) => {$(
        /// Reads a number at a byte offset.
        ///
        /// # Safety
        /// `offset` is a multiple of the number's size, and the number lies within the length.
        #[inline(always)]
        #[must_use]
        pub unsafe fn $load(self, offset: usize) -> $type {
            debug_assert!(offset + size_of::<$type>() <= self.len, "read at {offset} of {}", self.len);
            // SAFETY: in bounds and aligned, by the caller's word and the constructor's.
            unsafe { $atomic::from_ptr(self.base.add(offset).cast()).load(Ordering::Relaxed) }
        }

        /// Writes a number at a byte offset, after everything written before it.
        ///
        /// # Safety
        /// As for reading; the memory is writable, and no other thread writes the region.
        #[inline(always)]
        pub unsafe fn $store(self, offset: usize, value: $type) {
            debug_assert!(offset + size_of::<$type>() <= self.len, "write at {offset} of {}", self.len);
            // SAFETY: in bounds and aligned, by the caller's word and the constructor's.
            unsafe { $atomic::from_ptr(self.base.add(offset).cast()).store(value, Ordering::Release) };
        }
    )+};
}

impl Memory {
    /// Region memory at `base`. Refuses a null or misaligned base, and fewer bytes than a header.
    ///
    /// # Safety
    /// While this value or a copy of it is used, `base` is valid for reading `len` bytes (and for
    /// writing them, if something that writes is called). Other threads may write them meanwhile.
    #[inline]
    pub unsafe fn new(base: *mut u8, len: usize) -> Result<Memory> {
        if base.is_null() {
            return Err(Error::wrong_type("the region is NULL"));
        }
        if !base.addr().is_multiple_of(8) {
            return Err(Error::wrong_type("the region does not start at a multiple of 8 bytes"));
        }
        if len < HEADER_BYTES || len > isize::MAX as usize {
            return Err(Error::corrupt(format!("{len} bytes are too few for a region")));
        }
        Ok(Memory { base, len })
    }

    /// The address of the first byte.
    #[inline(always)]
    #[must_use]
    pub fn base(self) -> *mut u8 {
        self.base
    }

    /// How many bytes there are, of which the region may use fewer.
    #[inline(always)]
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it holds a header at least")]
    pub fn len(self) -> usize {
        self.len
    }

    accessors! {
        load_u8 store_u8 AtomicU8 u8;
        load_u16 store_u16 AtomicU16 u16;
        load_u32 store_u32 AtomicU32 u32;
        load_u64 store_u64 AtomicU64 u64;
    }

    /// The address `offset` bytes into the region.
    ///
    /// # Safety
    /// `offset` is at most the length.
    #[inline(always)]
    #[must_use]
    pub unsafe fn at(self, offset: usize) -> *mut u8 {
        debug_assert!(offset <= self.len, "{offset} is past the end, {}", self.len);
        // SAFETY: in bounds by the caller's word.
        unsafe { self.base.add(offset) }
    }

    /// A word of the header.
    #[inline(always)]
    #[must_use]
    pub fn word(self, index: usize) -> u32 {
        assert!(index < HEADER_WORDS);
        // SAFETY: within the header, which `new` made sure is there.
        unsafe { self.load_u32(index * 4) }
    }

    /// A word of the header, before everything that is read after it.
    #[inline(always)]
    #[must_use]
    pub fn word_acquire(self, index: usize) -> u32 {
        assert!(index < HEADER_WORDS);
        // SAFETY: within the header, which `new` made sure is there.
        unsafe { AtomicU32::from_ptr(self.base.add(index * 4).cast()) }.load(Ordering::Acquire)
    }

    /// A field of two words. One load where the field is aligned, so that it is never seen
    /// half-written.
    #[inline(always)]
    #[must_use]
    pub fn double_word(self, index: usize) -> u64 {
        assert!(index < HEADER_WORDS - 1 && index.is_multiple_of(2));
        // SAFETY: within the header, which `new` made sure is there; even words are 8-byte aligned.
        unsafe { self.load_u64(index * 4) }
    }

    /// Writes a word of the header.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    #[inline(always)]
    pub unsafe fn set_word(self, index: usize, value: u32) {
        assert!(index < HEADER_WORDS);
        // SAFETY: within the header.
        unsafe { self.store_u32(index * 4, value) };
    }

    /// Writes a field of two words, in one store.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    #[inline(always)]
    pub unsafe fn set_double_word(self, index: usize, value: u64) {
        assert!(index < HEADER_WORDS - 1 && index.is_multiple_of(2));
        // SAFETY: within the header; even words are 8-byte aligned.
        unsafe { self.store_u64(index * 4, value) };
    }

    /// Begins to read a region that another thread may rearrange: waits until no rearrangement is
    /// under way and returns the sequence. `Locked` if that takes longer than `patience`, because
    /// then its writer must have died.
    pub fn read_begin(self, patience: Duration) -> Result<u32> {
        let sequence = self.sequence();
        if sequence.is_multiple_of(2) { Ok(sequence) } else { self.wait(patience) }
    }

    #[cold]
    fn wait(self, patience: Duration) -> Result<u32> {
        let begun = Instant::now();
        let mut rounds = 0u32;
        loop {
            let sequence = self.sequence();
            if sequence.is_multiple_of(2) {
                return Ok(sequence);
            }
            if begun.elapsed() > patience {
                return Err(Error::new(
                    ErrorKind::Locked,
                    "the region is being rearranged, or its writer died while it was",
                ));
            }
            rounds += 1;
            if rounds < 64 {
                std::thread::yield_now();
            } else {
                std::thread::sleep(Duration::from_micros(100));
            }
        }
    }

    /// Whether what was read since [`Memory::read_begin`] returned `sequence` must be thrown away.
    #[inline(always)]
    #[must_use]
    pub fn read_retry(self, sequence: u32) -> bool {
        fence(Ordering::Acquire);
        self.word(word::SEQUENCE) != sequence
    }

    #[inline(always)]
    fn sequence(self) -> u32 {
        let sequence = self.word(word::SEQUENCE);
        fence(Ordering::Acquire);
        sequence
    }

    /// Runs a rearrangement that can not fail, with the sequence odd meanwhile.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    pub unsafe fn change<T>(self, rearrange: impl FnOnce() -> T) -> T {
        let sequence = self.word(word::SEQUENCE);
        // SAFETY: within the header; the rest is the caller's word.
        unsafe { self.set_word(word::SEQUENCE, sequence | 1) };
        // The stores of the rearrangement stay after this one, and before the last one.
        fence(Ordering::SeqCst);
        let result = rearrange();
        fence(Ordering::SeqCst);
        // SAFETY: as above.
        unsafe { self.set_word(word::SEQUENCE, (sequence | 1).wrapping_add(1)) };
        result
    }

    /// Drops the region's checksum, if there is one, because it would be wrong from now on: before
    /// the first change.
    ///
    /// # Safety
    /// The memory is writable, and no other thread writes the region.
    pub(crate) unsafe fn withdraw_seal(self) {
        let flags = self.word(word::FLAGS);
        if flags & FLAG_CHECKSUM != 0 {
            // SAFETY: the caller's word.
            unsafe {
                self.set_word(word::FLAGS, flags & !FLAG_CHECKSUM);
                self.set_word(word::CHECKSUM, 0);
            }
        }
    }

    /// Begins a new region: writes its header, all but the magic number, and zeros for the words of
    /// the kind.
    ///
    /// # Safety
    /// The memory is writable, and no other thread uses it.
    pub(crate) unsafe fn begin_region(self, kind: u32, kind_version: u32, length: u64) {
        // SAFETY: within the header; the rest is the caller's word.
        unsafe {
            self.base.write_bytes(0, HEADER_BYTES);
            self.set_word(word::VERSION, VERSION);
            self.set_word(word::KIND, kind);
            self.set_word(word::KIND_VERSION, kind_version);
            self.set_double_word(word::LENGTH, length);
        }
    }

    /// Ends what [`Memory::begin_region`] began. The last store, so that nobody takes it for a
    /// region before it is one.
    ///
    /// # Safety
    /// As for `begin_region`.
    pub(crate) unsafe fn end_region(self) {
        // SAFETY: the caller's word.
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
    pub fn read(memory: Memory, kind: u32, kind_version: u32) -> Result<Header> {
        let mut words = [0; HEADER_WORDS];
        // From the last word to the first: the kinds place a count that bounds another one before
        // it, and a small step raises the bound first, so a copy made during one is consistent.
        for (index, slot) in words.iter_mut().enumerate().rev() {
            *slot = memory.word(index);
            fence(Ordering::Acquire);
        }
        let header = Header { words };
        header.check_common(memory, kind, kind_version)?;
        Ok(header)
    }

    fn check_common(&self, memory: Memory, kind: u32, kind_version: u32) -> Result<()> {
        if self.word(word::MAGIC) != MAGIC {
            return Err(Error::corrupt("this is no offheap region: the magic number is missing"));
        }
        if self.word(word::VERSION) != VERSION {
            let version = self.word(word::VERSION);
            return Err(Error::version(format!("region version {version}, this library reads {VERSION}")));
        }
        if (self.word(word::KIND), self.word(word::KIND_VERSION)) != (kind, kind_version) {
            let (found, version) = (self.word(word::KIND), self.word(word::KIND_VERSION));
            return Err(Error::version(format!(
                "a structure of kind {found} version {version}, expected kind {kind} version {kind_version}"
            )));
        }
        let length = self.double_word(word::LENGTH);
        if length < HEADER_BYTES as u64 || !length.is_multiple_of(ALIGNMENT) {
            return Err(Error::corrupt(format!("a region can not have {length} bytes")));
        }
        if length > memory.len() as u64 {
            let given = memory.len();
            return Err(Error::corrupt(format!("a region of {length} bytes in {given}: it is cut off")));
        }
        let flags = self.word(word::FLAGS);
        if flags & !(FLAG_CHECKSUM | FLAG_SUPERSEDED) != 0 {
            return Err(Error::corrupt(format!("unknown region flags {flags:#x}")));
        }
        if flags & FLAG_SUPERSEDED != 0 {
            return Err(Error::stale("the owner of this region moved it to a larger buffer: attach anew"));
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

    /// Part of `validate`: reserved words are zero, those of the kind from `end` on included, and
    /// the checksum, if there is one, is that of the bytes. `memory` is where the header was read.
    pub(crate) fn check_seal(&self, memory: Memory, end: usize) -> Result<()> {
        self.check_reserved()?;
        if self.words[end..].iter().any(|&word| word != 0) {
            return Err(Error::corrupt("a word of the header that must be zero is not"));
        }
        if self.word(word::FLAGS) & FLAG_CHECKSUM != 0 {
            // SAFETY: the region lies within the memory, whose maker vouches for it.
            let found = unsafe { super::crc::region_checksum(memory.base(), self.length() as usize) };
            if found != self.word(word::CHECKSUM) {
                return Err(Error::corrupt("the region's checksum is not that of its bytes"));
            }
        }
        Ok(())
    }

    /// Part of `validate`: the reserved words are zero, and so is the checksum where none is kept.
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

    #[repr(align(64))]
    struct Block([u32; HEADER_WORDS]);

    fn block() -> Block {
        let mut block = Block([0; HEADER_WORDS]);
        block.0[..6].copy_from_slice(&[MAGIC, VERSION, KIND_HASHMAP, 1, 256, 0]);
        block
    }

    fn read(block: &mut Block, len: usize) -> Result<Header> {
        // SAFETY: the block has 256 bytes, and no test passes more as `len`.
        let memory = unsafe { Memory::new((&raw mut block.0).cast(), len) }?;
        Header::read(memory, KIND_HASHMAP, 1)
    }

    #[test]
    fn a_sound_header_is_accepted() {
        let header = read(&mut block(), 256).unwrap();
        assert_eq!(header.length(), 256);
        header.check_reserved().unwrap();
    }

    #[test]
    fn each_wrong_word_has_its_error() {
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
    fn a_bad_base_is_refused() {
        let mut block = block();
        // SAFETY: nothing is read through what is refused.
        unsafe {
            assert_eq!(Memory::new(std::ptr::null_mut(), 256).unwrap_err().kind(), ErrorKind::Type);
            let odd = (&raw mut block.0).cast::<u8>().wrapping_add(4);
            assert_eq!(Memory::new(odd, 252).unwrap_err().kind(), ErrorKind::Type);
        }
    }

    #[test]
    fn the_sequence_is_odd_during_a_change_and_a_reader_notices() {
        let mut block = block();
        // SAFETY: the block lives to the end of the test and has 256 bytes.
        let memory = unsafe { Memory::new((&raw mut block.0).cast(), 256) }.unwrap();
        let before = memory.read_begin(Duration::ZERO).unwrap();
        assert!(!memory.read_retry(before));
        // SAFETY: no other thread knows of the block.
        unsafe {
            memory.change(|| {
                assert_eq!(memory.word(word::SEQUENCE), 1);
                assert!(memory.read_retry(before));
                assert_eq!(
                    memory.read_begin(Duration::from_millis(1)).unwrap_err().kind(),
                    ErrorKind::Locked
                );
            });
        }
        assert_eq!(memory.read_begin(Duration::ZERO).unwrap(), 2);
        assert!(memory.read_retry(before));
    }

    #[test]
    fn alignment_saturates() {
        assert_eq!((align(0), align(1), align(64), align(65)), (0, 64, 64, 128));
        assert_eq!(align(u64::MAX) % 64, 0);
    }
}
