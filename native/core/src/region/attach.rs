//! What the kinds of region share: reading the header, attaching to a region, beginning a new one.

use super::header::Header;
use super::kind::Kind;
use super::memory::Memory;
use crate::{Error, Result};
use std::time::Duration;

/// The counts of a region of one kind, as its header states them.
pub trait RegionKind: Sized {
    /// The kind.
    const KIND: Kind;
    /// The first word of the header past those that the kind uses. It and the rest are zero.
    const END: usize;

    /// The constant-time check of a header whose common part was checked. If it succeeds and
    /// [`RegionKind::length`] is the region's length, no operation reads outside the region,
    /// whatever its contents are.
    fn check(header: &Header, memory: Memory) -> Result<Self>;

    /// Bytes of a region with these counts.
    fn length(&self) -> u64;

    /// Reads and checks the header of a region, in constant time.
    #[inline]
    fn read(memory: Memory) -> Result<(Header, Self)> {
        let header = Header::read(memory, Self::KIND)?;
        let counts = Self::check(&header, memory)?;
        if counts.length() != header.length() {
            return Err(wrong_length(Self::KIND, header.length(), counts.length()));
        }
        Ok((header, counts))
    }

    /// [`RegionKind::read`] for a region that another thread may rearrange: waits, up to `timeout`,
    /// until it is consistent. Also returns the sequence, for [`Memory::read_retry`]. `Locked` if
    /// the rearrangement takes longer, because its writer was stopped then.
    #[inline]
    fn read_shared(memory: Memory, timeout: Duration) -> Result<(Header, Self, u32)> {
        loop {
            let sequence = memory.read_begin(timeout);
            let read = Self::read(memory);
            if sequence.as_ref().is_ok_and(|&sequence| memory.read_retry(sequence)) {
                continue;
            }
            // Bytes that are no such region are reported as that, rather than as locked.
            let (header, counts) = read?;
            return Ok((header, counts, sequence?));
        }
    }

    /// Part of `validate`: checks the header again, that its unused words are zero, and the
    /// checksum if there is one. Costs a pass over the region then.
    fn verify(memory: Memory) -> Result<(Header, Self)> {
        let (header, counts) = Self::read(memory)?;
        header.verify_checksum(memory, Self::END)?;
        Ok((header, counts))
    }

    /// Reads the header of the region in `len` bytes at `base`.
    ///
    /// # Safety
    /// While the memory that is returned or a copy of it is used, `base` is valid for reading `len`
    /// bytes. Other threads may write them as the format allows. If something that writes is
    /// called, they are writable.
    #[inline]
    unsafe fn attach(base: *const u8, len: usize) -> Result<(Memory, Self)> {
        // SAFETY: `base` is valid for reading `len` bytes, and for writing if anything writes.
        let memory = unsafe { Memory::new(base.cast_mut(), len) }?;
        let (_, counts) = Self::read(memory)?;
        Ok((memory, counts))
    }

    /// Begins a region of `length` bytes in the `len` bytes at `base`: writes the header, all but
    /// the magic number and the words of the kind. `Full` if there are too few bytes.
    ///
    /// # Safety
    /// While the memory that is returned is used, `base` is valid for reading and writing `len`
    /// bytes, and no other thread uses them.
    unsafe fn begin(base: *mut u8, len: usize, length: u64) -> Result<Memory> {
        // SAFETY: `base` is valid for reading and writing `len` bytes.
        let memory = unsafe { Memory::new(base, len) }?;
        check_room(length, len)?;
        // SAFETY: the memory is writable, and no other thread uses it.
        unsafe { memory.begin_region(Self::KIND, length) };
        Ok(memory)
    }
}

/// `Full` if a region needs more bytes than there are.
pub(crate) fn check_room(needed: u64, given: usize) -> Result<()> {
    if needed <= given as u64 {
        return Ok(());
    }
    Err(Error::full(format!("the region needs {needed} bytes, but only {given} are given")))
}

#[cold]
fn wrong_length(kind: Kind, found: u64, expected: u64) -> Error {
    Error::corrupt(format!("the {kind} has {found} bytes, but its counts require {expected}"))
}
