//! The bit stream of a record. Codes are written from the beginning forward; the extra bits of
//! matches are written from the end backward.

/// The number of bytes past the written bytes that a writer may touch.
pub(crate) const ROOM: usize = 16;

/// Appends bits to a vector, the lowest bit first, one word at a time. The vector must have spare
/// capacity. After each flush, only whole bytes count as written.
#[derive(Debug)]
pub(crate) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    len: usize,
    word: u64,
    used: u32,
}

impl<'a> BitWriter<'a> {
    /// Creates a writer that appends to the contents of `out`.
    pub(crate) fn new(out: &'a mut Vec<u8>) -> BitWriter<'a> {
        let len = out.len();
        BitWriter { out, len, word: 0, used: 0 }
    }

    /// Appends the low `count` bits of `bits`; all higher bits must be zero. At most 57 bits may be
    /// appended between two calls of [`flush`](Self::flush).
    #[inline(always)]
    pub(crate) fn put(&mut self, bits: u64, count: u32) {
        debug_assert!(count < 58 && bits >> count == 0 && self.used + count <= 64);
        self.word |= bits << self.used;
        self.used += count;
    }

    /// Writes all complete bytes to `out`.
    ///
    /// # Safety
    /// `out` has at least [`ROOM`] bytes of spare capacity after the written bytes.
    #[inline(always)]
    pub(crate) unsafe fn flush(&mut self) {
        debug_assert!(self.len + ROOM <= self.out.capacity() && self.used < 64);
        // SAFETY: 8 bytes from `len` on are within the capacity, because the caller guarantees
        // [`ROOM`] spare bytes.
        unsafe { self.out.as_mut_ptr().add(self.len).cast::<u64>().write_unaligned(self.word.to_le()) };
        self.len += (self.used >> 3) as usize;
        self.word >>= self.used & !7;
        self.used &= 7;
    }

    /// The length that `out` will have, not counting the incomplete last byte.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Finishes the record: pads the codes with the low bits of `padding` so that both parts
    /// together make whole bytes, then appends the bytes that `back` wrote.
    ///
    /// # Safety
    /// As for [`flush`](Self::flush), with additional room for all bytes that `back` wrote.
    pub(crate) unsafe fn finish(mut self, back: &BackWriter<'_>, padding: u8) {
        let rest = (self.used + back.used).next_multiple_of(8) - (self.used + back.used);
        self.put(u64::from(padding) & ((1 << rest) - 1), rest);
        self.put(back.word, back.used);
        // SAFETY: the room for `flush` is guaranteed by the caller, and all bytes before `len` were
        // written.
        unsafe {
            self.flush();
            debug_assert!(self.used == 0);
            self.out.set_len(self.len);
        }
        self.out.extend_from_slice(&back.room[back.begin..]);
    }
}

/// Writes bits backward: each call puts its bits before the bits of earlier calls.
#[derive(Debug)]
pub(crate) struct BackWriter<'a> {
    room: &'a mut [u8],
    begin: usize,
    /// Bits that are not written yet: at most 7 after each call.
    word: u64,
    used: u32,
}

impl<'a> BackWriter<'a> {
    pub(crate) fn new(room: &'a mut [u8]) -> BackWriter<'a> {
        let begin = room.len();
        BackWriter { room, begin, word: 0, used: 0 }
    }

    /// Puts the low `count` bits of `bits` (at most 57) before all bits put so far. All higher bits
    /// of `bits` must be zero.
    ///
    /// # Safety
    /// At least 8 bytes of the room are free.
    #[inline(always)]
    pub(crate) unsafe fn put(&mut self, bits: u64, count: u32) {
        debug_assert!(count < 58 && bits >> count == 0);
        self.word = self.word << count | bits;
        self.used += count;
        if self.used < 8 {
            return;
        }
        debug_assert!(self.begin >= 8);
        let word = self.word << (64 - self.used);
        // SAFETY: `begin >= 8`, because the caller guarantees 8 free bytes.
        unsafe { self.room.as_mut_ptr().add(self.begin - 8).cast::<u64>().write_unaligned(word.to_le()) };
        self.begin -= (self.used >> 3) as usize;
        self.used &= 7;
        self.word &= (1 << self.used) - 1;
    }

    /// The number of whole bytes written so far.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.room.len() - self.begin
    }
}

/// The bits to decode, from the lowest bit of the first byte on. Reads past the end return zeros.
pub(crate) struct Input {
    bytes: *const u8,
    /// The offset of the last eight bytes.
    last: usize,
}

impl Input {
    /// # Safety
    /// `input` is readable for `len` bytes, and `short` is valid, while this is used.
    #[inline(always)]
    pub(crate) unsafe fn new(input: *const u8, len: usize, short: &mut [u8; 8]) -> Input {
        if len >= 8 {
            return Input { bytes: input, last: len - 8 };
        }
        // SAFETY: `len` bytes are readable, and each branch reads only bytes below `len < 8`.
        let word = unsafe {
            if len >= 4 {
                let [low, high] =
                    [0, len - 4].map(|at| u64::from(input.add(at).cast::<u32>().read_unaligned().to_le()));
                low | high << ((len - 4) * 8)
            } else {
                let byte = |at: usize| u64::from(input.add(at).read()) << (at * 8);
                match len {
                    0 => 0,
                    1 => byte(0),
                    2 => byte(0) | byte(1),
                    _ => byte(0) | byte(1) | byte(2),
                }
            }
        };
        *short = word.to_le_bytes();
        Input { bytes: short.as_ptr(), last: 0 }
    }

    /// Returns at least 57 bits from bit position `bit` on, or as many as there are. The result is
    /// unspecified if `bit` is out of range.
    #[inline(always)]
    pub(crate) fn peek(&self, bit: usize) -> u64 {
        let from = (bit >> 3).min(self.last);
        // SAFETY: `from <= last`, and eight bytes are readable from `last` on.
        let word = u64::from_le(unsafe { self.bytes.add(from).cast::<u64>().read_unaligned() });
        word >> (bit.wrapping_sub(from * 8) & 63)
    }
}

/// Reads bits from the beginning of the input.
///
/// The next read position depends on how many bits were left at the previous refill, not on the
/// symbols decoded since, so the processor can load the bytes before they are needed (Giesen,
/// "Reading bits in far too many ways", 2018, variant 4).
pub(crate) struct BitReader {
    /// The next byte to read.
    next: usize,
    /// The next bits. At least as many are valid as the lowest six bits of `count` state.
    word: u64,
    count: u32,
}

impl BitReader {
    #[inline(always)]
    pub(crate) fn new() -> BitReader {
        BitReader { next: 0, word: 0, count: 0 }
    }

    /// Makes at least 56 bits available.
    #[inline(always)]
    pub(crate) fn refill(&mut self, input: &Input) {
        let from = self.next.min(input.last);
        // SAFETY: `from <= last`, and eight bytes are readable from `last` on.
        let word = u64::from_le(unsafe { input.bytes.add(from).cast::<u64>().read_unaligned() });
        // Reads past the end yield zeros; the caller detects the overrun.
        let word = word >> ((self.next - from) * 8).min(63);
        let count = self.count & 63;
        self.word |= word << count;
        self.next += (63 - count as usize) >> 3;
        self.count = count | 56;
    }

    /// Skips the number of bits that the lowest six bits of `count` state.
    #[inline(always)]
    pub(crate) fn skip(&mut self, count: u32) {
        self.word >>= count & 63;
        self.count = self.count.wrapping_sub(count);
    }

    /// The next bits, starting at the lowest.
    #[inline(always)]
    pub(crate) fn word(&self) -> u64 {
        self.word
    }

    /// The number of bits skipped so far.
    #[inline(always)]
    pub(crate) fn consumed(&self) -> usize {
        self.next * 8 - (self.count & 63) as usize
    }
}
