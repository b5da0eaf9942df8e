//! Sizes and sections of a LockFreePool's region, and the fields of its words.

use crate::pools::guard::GUARD_BYTES;
use crate::region::attach::RegionKind;
use crate::region::header::{HEADER_BYTES, Header, align};
use crate::region::kind::Kind;
use crate::region::memory::Memory;
use crate::{Error, Result};

/// The largest pool, in bytes of data.
pub const MAX_CAPACITY: u64 = 1 << 32;
/// The largest number of slots: the number of an owner has 10 bits in a group word.
pub const MAX_SLOTS: u32 = 1023;
/// The largest number of classes.
pub const MAX_CLASSES: usize = 16;
/// Option: freed blocks are filled with zeros.
pub const ZERO_ON_FREE: u32 = 1;
/// Option: blocks are followed by guards.
pub const GUARDS: u32 = 2;
/// Option: bookkeeping is packed, not spread over cache lines.
pub const COMPACT: u32 = 4;
const ALL_OPTIONS: u32 = ZERO_ON_FREE | GUARDS | COMPACT;

/// Words of the header.
pub mod word {
    /// Option bits.
    pub const OPTIONS: usize = 16;
    /// Binary logarithm of the chunk size.
    pub const CHUNK_SHIFT: usize = 17;
    /// Number of chunks.
    pub const CHUNKS: usize = 18;
    /// Binary logarithm of the smallest block size.
    pub const MIN_SHIFT: usize = 19;
    /// Number of slots.
    pub const SLOTS: usize = 20;
    /// Failed requests, modulo 2^32.
    pub const FAILURES: usize = 21;
}

/// Words of a slot: two cache lines.
pub const SLOT_WORDS: usize = 32;
/// Words of a slot, by index.
pub mod slot {
    /// `FREE`, `LIVE` or `LEAVING`.
    pub const STATE: usize = 0;
    /// 1 + the block that the handle took last, in units of the smallest; 0: none yet.
    pub const INTENT: usize = 1;
    /// 1 + the block that another handle, whose thread ended, had taken last; 0: none.
    pub const POSSIBLY_LEAKED: usize = 2;
    /// The chunk at which the handle's searches begin.
    pub const CURSOR: usize = 3;
    /// For each class, 1 + the group from which blocks are allocated; 0: none.
    pub const CURRENT: usize = 16;

    /// The slot is free.
    pub const FREE: u32 = 0;
    /// The slot belongs to a handle.
    pub const LIVE: u32 = 1;
    /// The blocks and chunks of the slot's handle are being returned.
    pub const LEAVING: u32 = 2;
}

/// Descriptors of chunks.
pub mod chunk {
    /// The kind: bits 0 to 2.
    pub const KIND: u32 = 7;
    /// Free.
    pub const FREE: u32 = 0;
    /// Cut into blocks of the class in bits 3 to 7; the slot in bits 8 to 17 prefers it.
    pub const CUT: u32 = 1;
    /// Claimed by the slot in bits 8 to 17.
    pub const CLAIMED: u32 = 2;
    /// As `CUT`, while the slot in bits 8 to 17 opens or closes its groups.
    pub const CHANGING: u32 = 3;
    /// The first chunk of a large block; the bits from 3 up are the number of its chunks.
    pub const LARGE: u32 = 4;
    /// A further chunk of a large block; the bits from 3 up are the number of chunks before it.
    pub const TAIL: u32 = 5;

    /// Composes a descriptor.
    #[inline(always)]
    #[must_use]
    pub const fn make(kind: u32, class: u32, slot: u32) -> u32 {
        kind | class << 3 | slot << 8
    }
    /// The kind of a descriptor.
    #[inline(always)]
    #[must_use]
    pub const fn kind(descriptor: u32) -> u32 {
        descriptor & KIND
    }
    /// The class of a descriptor.
    #[inline(always)]
    #[must_use]
    pub const fn class(descriptor: u32) -> u32 {
        descriptor >> 3 & 31
    }
    /// The slot of a descriptor.
    #[inline(always)]
    #[must_use]
    pub const fn slot(descriptor: u32) -> u32 {
        descriptor >> 8 & 1023
    }
}

/// Group words.
pub mod group {
    /// The free blocks.
    pub const BITS: u32 = 0xFFFF;
    /// The class plus one: bits 16 to 20.
    pub const CLASS: u32 = 31 << 16;
    /// The class of a closed group.
    pub const CLOSED: u32 = 31 << 16;
    /// One in the count of frees: bits 21 to 30. In an owned group these bits are its owner's slot.
    pub const COUNT_ONE: u32 = 1 << 21;
    /// The count of frees.
    pub const COUNT: u32 = 1023 << 21;
    /// The group has an owner.
    pub const OWNED: u32 = 1 << 31;
    /// The owner and the flag.
    pub const OWNER: u32 = OWNED | COUNT;

    /// The class bits of a group of a class.
    #[inline(always)]
    #[must_use]
    pub const fn of_class(class: u32) -> u32 {
        (class + 1) << 16
    }
    /// The owner bits of a group of a slot.
    #[inline(always)]
    #[must_use]
    pub const fn of_owner(slot: u32) -> u32 {
        OWNED | slot << 21
    }
    /// The bits of the count, incremented.
    #[inline(always)]
    #[must_use]
    pub const fn counted(word: u32) -> u32 {
        word.wrapping_add(COUNT_ONE) & COUNT
    }
}

/// Sizes, and the beginnings of the sections as indices of words.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    /// Binary logarithm of the chunk size.
    pub chunk_shift: u32,
    /// Number of chunks.
    pub chunks: u32,
    /// Binary logarithm of the smallest block size.
    pub min_shift: u32,
    /// Number of slots.
    pub slots: u32,
    /// Binary logarithm of the number of group words for each chunk.
    pub group_shift: u32,
    /// Slots.
    pub slots_at: usize,
    /// Descriptors.
    pub chunks_at: usize,
    /// Hints: odd where a chunk may have a free block; they count up.
    pub hints_at: usize,
    /// Group words.
    pub groups_at: usize,
    /// Cache words: the free blocks of each group that only its owner may take.
    pub caches_at: usize,
    /// Number of words in all.
    pub words: usize,
}

impl Geometry {
    /// Sections that follow `before` words. If `padded`, each chunk's groups begin at a cache line.
    #[must_use]
    pub fn new(
        chunk_shift: u32,
        chunks: u32,
        min_shift: u32,
        slots: u32,
        before: usize,
        padded: bool,
    ) -> Geometry {
        let line = |count: usize| if padded { count.next_multiple_of(16) } else { count };
        let group_shift = chunk_shift.saturating_sub(min_shift + 4).max(if padded { 4 } else { 0 });
        let slots_at = before;
        let chunks_at = slots_at + slots as usize * SLOT_WORDS;
        let hints_at = chunks_at + line(chunks as usize);
        let groups_at = hints_at + line(chunks as usize);
        let caches_at = groups_at + ((chunks as usize) << group_shift);
        let words = caches_at + ((chunks as usize) << group_shift);
        Geometry {
            chunk_shift,
            chunks,
            min_shift,
            slots,
            group_shift,
            slots_at,
            chunks_at,
            hints_at,
            groups_at,
            caches_at,
            words,
        }
    }

    /// Number of classes. The blocks of the largest have half the size of a chunk.
    #[inline(always)]
    #[must_use]
    pub fn classes(&self) -> u32 {
        self.chunk_shift - self.min_shift
    }

    /// The class for blocks of `bytes` bytes; at least [`Geometry::classes`] for a large block.
    #[inline(always)]
    #[must_use]
    pub fn class_of(&self, bytes: u64) -> u32 {
        let bits = 64 - bytes.saturating_sub(1).leading_zeros();
        bits.saturating_sub(self.min_shift)
    }

    /// Number of groups in a chunk of a class.
    #[inline(always)]
    #[must_use]
    pub fn groups(&self, class: u32) -> u32 {
        (1 << self.chunk_shift >> (self.min_shift + class) >> 4).max(1)
    }

    /// The bits of a group of a class whose blocks are all free.
    #[inline(always)]
    #[must_use]
    pub fn all(&self, class: u32) -> u32 {
        let blocks = 1u32 << (self.chunk_shift - self.min_shift - class);
        if blocks >= 16 { group::BITS } else { (1 << blocks) - 1 }
    }

    /// The offset of a block.
    #[inline(always)]
    #[must_use]
    pub fn offset(&self, group: u32, class: u32, bit: u32) -> u64 {
        let chunk = group >> self.group_shift;
        let within = (group & ((1 << self.group_shift) - 1)) << 4 | bit;
        u64::from(chunk) << self.chunk_shift | u64::from(within) << (self.min_shift + class)
    }

    /// Bytes of data.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        u64::from(self.chunks) << self.chunk_shift
    }
}

/// A pool's geometry, and its sections that are not words.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// The words.
    pub geometry: Geometry,
    /// Option bits.
    pub options: u32,
    /// Requested sizes, in bytes from the region's start; only with guards.
    pub requested: usize,
    /// The data.
    pub data: usize,
    /// Bytes of the region.
    pub length: u64,
}

/// Options of a new pool.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Bytes of data, rounded up to whole chunks; up to 2^32.
    pub capacity: u64,
    /// Bytes of a chunk, a power of two from 1 KiB to 1 MiB; 0: a 64th of the capacity, within
    /// those limits.
    pub chunk: u64,
    /// Bytes of the smallest block, a power of two from 16 on; 0: 64, or 16 if compact.
    pub smallest: u64,
    /// How many handles there can be at once, up to 1023; 0: 128, or 32 if compact.
    pub slots: u32,
    /// Option bits.
    pub flags: u32,
}

impl Shape {
    /// The shape of a new pool. `Range` for impossible sizes.
    pub fn new(options: Options) -> Result<Shape> {
        let Options { capacity, chunk, smallest, slots, flags } = options;
        if capacity == 0 || capacity > MAX_CAPACITY {
            return Err(Error::range(format!("a pool has 1 to {MAX_CAPACITY} bytes, not {capacity}")));
        }
        if flags & !ALL_OPTIONS != 0 {
            return Err(Error::wrong_type("unknown options"));
        }
        let compact = flags & COMPACT != 0;
        let chunk = match chunk {
            0 => (capacity / 64).max(1).ilog2().clamp(10, 20),
            bytes => power(bytes, 10, 20, "a chunk")?,
        };
        let smallest = match smallest {
            0 => {
                if compact {
                    4
                } else {
                    6
                }
            }
            bytes => power(bytes, 4, chunk - 1, "the smallest block")?,
        };
        let slots = match slots {
            0 => {
                if compact {
                    32
                } else {
                    128
                }
            }
            slots => slots,
        };
        let chunks = capacity.div_ceil(1 << chunk);
        if slots > MAX_SLOTS {
            return Err(Error::range(format!("a pool has up to {MAX_SLOTS} handles, not {slots}")));
        }
        Shape::complete(chunk, chunks as u32, smallest, slots, flags)
            .ok_or_else(|| Error::range("the pool is larger than memory"))
    }

    fn complete(chunk: u32, chunks: u32, smallest: u32, slots: u32, options: u32) -> Option<Shape> {
        let geometry =
            Geometry::new(chunk, chunks, smallest, slots, HEADER_BYTES / 4, options & COMPACT == 0);
        let requested = align(geometry.words as u64 * 4);
        let units = geometry.capacity() >> smallest;
        let data = requested + if options & GUARDS != 0 { align(units * 4) } else { 0 };
        let length = data + geometry.capacity();
        usize::try_from(length).ok()?;
        Some(Shape { geometry, options, requested: requested as usize, data: data as usize, length })
    }

    /// Writes an empty pool: zeros, unless the memory is zeroed already, then the header.
    ///
    /// # Safety
    /// The memory has `length` bytes, and no other thread uses them.
    pub unsafe fn write(&self, memory: Memory, zeroed: bool) {
        let geometry = &self.geometry;
        // SAFETY: the memory is writable and has `length` bytes, guaranteed by the caller.
        unsafe {
            if !zeroed {
                memory.base().write_bytes(0, self.length as usize);
            }
            memory.begin_region(Kind::LockFreePool, self.length);
            memory.set_word(word::OPTIONS, self.options);
            memory.set_word(word::CHUNK_SHIFT, geometry.chunk_shift);
            memory.set_word(word::CHUNKS, geometry.chunks);
            memory.set_word(word::MIN_SHIFT, geometry.min_shift);
            memory.set_word(word::SLOTS, geometry.slots);
            memory.end_region();
        }
    }

    /// Bytes after each block that do not belong to its user.
    #[inline(always)]
    pub(super) fn guard(&self) -> u64 {
        if self.options & GUARDS != 0 { GUARD_BYTES } else { 0 }
    }
}

impl RegionKind for Shape {
    const KIND: Kind = Kind::LockFreePool;
    const END: usize = word::FAILURES + 1;

    fn check(header: &Header, _: Memory) -> Result<Shape> {
        let (chunk, chunks) = (header.word(word::CHUNK_SHIFT), header.word(word::CHUNKS));
        let (smallest, slots) = (header.word(word::MIN_SHIFT), header.word(word::SLOTS));
        let options = header.word(word::OPTIONS);
        let sound = (10..=20).contains(&chunk)
            && (4..chunk).contains(&smallest)
            && (chunks > 0 && u64::from(chunks) << chunk <= MAX_CAPACITY)
            && (1..=MAX_SLOTS).contains(&slots)
            && options & !ALL_OPTIONS == 0;
        if sound
            && let Some(shape) = Shape::complete(chunk, chunks, smallest, slots, options)
            && shape.length == header.length()
        {
            return Ok(shape);
        }
        Err(Error::corrupt("the sizes in the pool's header are impossible"))
    }

    fn length(&self) -> u64 {
        self.length
    }
}

fn power(bytes: u64, least: u32, most: u32, what: &'static str) -> Result<u32> {
    let exponent = bytes.trailing_zeros();
    if !bytes.is_power_of_two() || exponent < least || exponent > most {
        return Err(Error::range(format!(
            "{what} has a power of two from {} to {} bytes, not {bytes}",
            1u64 << least,
            1u64 << most
        )));
    }
    Ok(exponent)
}
