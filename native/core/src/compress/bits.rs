//! The bits of a record: codes from its beginning on, and from its end back what matches say
//! besides.

/// Bytes behind what was written that a writer touches.
pub(crate) const ROOM: usize = 16;

/// Appends bits to bytes that have room for them, the lowest first: a word at a time, of which
/// whole bytes count.
#[derive(Debug)]
pub(crate) struct BitWriter<'a> {
    out: &'a mut Vec<u8>,
    len: usize,
    word: u64,
    used: u32,
}

impl<'a> BitWriter<'a> {
    /// Behind what `out` has.
    pub(crate) fn new(out: &'a mut Vec<u8>) -> BitWriter<'a> {
        let len = out.len();
        BitWriter { out, len, word: 0, used: 0 }
    }

    /// Appends the low `count` bits of `bits`, which has no others; up to 57 from one
    /// [`flush`](Self::flush) to the next.
    #[inline(always)]
    pub(crate) fn put(&mut self, bits: u64, count: u32) {
        debug_assert!(count < 58 && bits >> count == 0 && self.used + count <= 64);
        self.word |= bits << self.used;
        self.used += count;
    }

    /// Writes whole bytes out.
    ///
    /// # Safety
    /// `out` has at least [`ROOM`] bytes of room behind what was written.
    #[inline(always)]
    pub(crate) unsafe fn flush(&mut self) {
        debug_assert!(self.len + ROOM <= self.out.capacity() && self.used < 64);
        // SAFETY: the caller's word.
        unsafe { self.out.as_mut_ptr().add(self.len).cast::<u64>().write_unaligned(self.word.to_le()) };
        self.len += (self.used >> 3) as usize;
        self.word >>= self.used & !7;
        self.used &= 7;
    }

    /// How long `out` will be, the byte at hand left out.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Appends what was written from the end back, and between both, to whole bytes, the low bits
    /// of `padding`.
    ///
    /// # Safety
    /// As for [`flush`](Self::flush), and for as many bytes more as `back` wrote.
    pub(crate) unsafe fn finish(mut self, back: &BackWriter<'_>, padding: u8) {
        let rest = (self.used + back.used).next_multiple_of(8) - (self.used + back.used);
        self.put(u64::from(padding) & ((1 << rest) - 1), rest);
        self.put(back.word, back.used);
        // SAFETY: the caller's word; what lies before `len` was written.
        unsafe {
            self.flush();
            debug_assert!(self.used == 0);
            self.out.set_len(self.len);
        }
        self.out.extend_from_slice(&back.room[back.begin..]);
    }
}

/// Writes bits in front of each other, from the end of its room on.
#[derive(Debug)]
pub(crate) struct BackWriter<'a> {
    room: &'a mut [u8],
    begin: usize,
    /// What is not written yet, at most 7 bits after each call.
    word: u64,
    used: u32,
}

impl<'a> BackWriter<'a> {
    pub(crate) fn new(room: &'a mut [u8]) -> BackWriter<'a> {
        let begin = room.len();
        BackWriter { room, begin, word: 0, used: 0 }
    }

    /// Puts the low `count` bits of `bits`, which has no others, before all that was put: up to 57.
    ///
    /// # Safety
    /// There are at least 8 bytes of room.
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
        // SAFETY: the caller's word.
        unsafe { self.room.as_mut_ptr().add(self.begin - 8).cast::<u64>().write_unaligned(word.to_le()) };
        self.begin -= (self.used >> 3) as usize;
        self.used &= 7;
        self.word &= (1 << self.used) - 1;
    }

    /// How many whole bytes were written.
    #[inline(always)]
    pub(crate) fn len(&self) -> usize {
        self.room.len() - self.begin
    }
}

/// What is read: bits, the lowest of the first byte first, and zeros for ever behind the last.
pub(crate) struct Input {
    bytes: *const u8,
    /// Where the last eight bytes begin.
    last: usize,
}

impl Input {
    /// # Safety
    /// `input` is readable for `len` bytes while this is used, and so is `short`.
    #[inline(always)]
    pub(crate) unsafe fn new(input: *const u8, len: usize, short: &mut [u8; 8]) -> Input {
        if len >= 8 {
            return Input { bytes: input, last: len - 8 };
        }
        // SAFETY: the caller's word, and fewer than 8.
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

    /// The bits from a place on: at least 57, as far as there are so many. Nonsense outside.
    #[inline(always)]
    pub(crate) fn peek(&self, bit: usize) -> u64 {
        let from = (bit >> 3).min(self.last);
        // SAFETY: eight bytes from `last` on are readable.
        let word = u64::from_le(unsafe { self.bytes.add(from).cast::<u64>().read_unaligned() });
        word >> (bit.wrapping_sub(from * 8) & 63)
    }
}

/// The next bits, from the beginning on.
///
/// Where to read next depends on how many bits were left at the refill before, not on what was
/// decoded since: so the processor has the bytes at hand when they are wanted (Giesen, "Reading
/// bits in far too many ways", 2018, variant 4).
pub(crate) struct BitReader {
    /// The byte to read next.
    next: usize,
    /// The next bits, as many for certain as the lowest six bits of `count` say.
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
        // SAFETY: eight bytes from `last` on are readable.
        let word = u64::from_le(unsafe { input.bytes.add(from).cast::<u64>().read_unaligned() });
        // Past the end there are zeros, and the caller sees that it overran.
        let word = word >> ((self.next - from) * 8).min(63);
        let count = self.count & 63;
        self.word |= word << count;
        self.next += (63 - count as usize) >> 3;
        self.count = count | 56;
    }

    /// Skips as many bits as the lowest six of a number say.
    #[inline(always)]
    pub(crate) fn skip(&mut self, count: u32) {
        self.word >>= count & 63;
        self.count = self.count.wrapping_sub(count);
    }

    /// What comes next, in the lowest bits.
    #[inline(always)]
    pub(crate) fn word(&self) -> u64 {
        self.word
    }

    /// How many bits were skipped.
    #[inline(always)]
    pub(crate) fn consumed(&self) -> usize {
        self.next * 8 - (self.count & 63) as usize
    }
}
